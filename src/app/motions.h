/*
 * Uploaded motions (VRM Animation): actions that every character on this server can play.
 *
 * The list only grows while the program runs, so that draw threads read it without a lock; a motion that was
 * removed keeps its place until the next start, but no new cue may name it.
 */
#ifndef CP_APP_MOTIONS_H
#define CP_APP_MOTIONS_H

#include "avatar/avatar.h"
#include "media/moment.h"
#include "store/store.h"

#include <jansson.h>

#define CP_MOTION_NAME_BYTES 24

struct cp_motions;

/* Loads those of the store; one that cannot be read is logged and left out. */
int cp_motions_create(struct cp_store *store, struct cp_motions **ret_motions, struct cp_error *error);
void cp_motions_destroy(struct cp_motions *motions);

/* Whether a cue may name it. Any thread. */
bool cp_motions_has(struct cp_motions *motions, const char *name);
/* CP_ERR_INVALID for a name that is none, CP_ERR_EXISTS for one that is taken, CP_ERR_LIMIT when there is no
 * room. thread: assets */
int cp_motions_check_new(struct cp_motions *motions, const char *name, struct cp_error *error);
/* Takes a reference. thread: assets */
void cp_motions_add(struct cp_motions *motions, const char *name, struct cp_motion *motion);
void cp_motions_remove(struct cp_motions *motions, const char *name); /* any thread */

/* Teaches an actor what it does not know yet; *known is how many that were. Does not allocate. thread: draw
 */
void cp_motions_teach(struct cp_motions *motions, struct cp_actor *actor, int *known);
/* The motion that a mark of the speech names in this moment's frame, or "". thread: draw */
const char *cp_motions_heard(struct cp_motions *motions, const struct cp_moment *moment);

#endif
