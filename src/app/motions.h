/*
 * Uploaded motions (VRM Animation): actions that every character on this server can play.
 *
 * The list has CP_ACTOR_MOTIONS places. Draw threads read it without a lock: they say that they read, look at
 * the places, and take references. A motion that was removed frees its place at once; what lay there waits
 * until nobody reads and nobody plays it, and is freed by whoever changes the list next.
 */
#ifndef CP_APP_MOTIONS_H
#define CP_APP_MOTIONS_H

#include "avatar/avatar.h"
#include "media/moment.h"
#include "store/store.h"

#include <jansson.h>

#define CP_MOTION_NAME_BYTES 24

struct cp_motions;

/* An empty list. */
int cp_motions_create(struct cp_motions **ret_motions, struct cp_error *error);
/* Loads those of the store; one that cannot be read is logged and left out. */
int cp_motions_load(struct cp_motions *motions, struct cp_store *store, struct cp_error *error);
void cp_motions_destroy(struct cp_motions *motions);

/* Whether a cue may name it. Any thread. */
bool cp_motions_has(struct cp_motions *motions, const char *name);
/* CP_ERR_INVALID for a name that is none, CP_ERR_EXISTS for one that is taken, CP_ERR_LIMIT when there is no
 * room. Any thread. */
int cp_motions_check_new(struct cp_motions *motions, const char *name, struct cp_error *error);
/* Takes a reference. As cp_motions_check_new, of which it is the last word. Any thread. */
int cp_motions_add(struct cp_motions *motions, const char *name, struct cp_motion *motion,
                   struct cp_error *error);
void cp_motions_remove(struct cp_motions *motions, const char *name); /* any thread */

/* Teaches an actor what has changed since; *known (at first 0) says what it knows. Does not allocate or free.
 * thread: draw */
void cp_motions_teach(struct cp_motions *motions, struct cp_actor *actor, unsigned *known);
/* The motion that a mark of the speech names in this moment's frame, or "". thread: draw */
void cp_motions_heard(struct cp_motions *motions, const struct cp_moment *moment,
                      char ret_name[CP_MOTION_NAME_BYTES]);

#endif
