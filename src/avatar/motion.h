/*
 * Motions: clips of bone rotations that any humanoid can play, read from VRM Animation (.vrma) or from a glTF
 * animation of a skeleton whose bones are known by name.
 *
 * A motion holds, 30 times a second, how each bone is turned from a T pose about the axes of the model; what
 * a character's own rest pose differs by is put in when it is played.
 */
#ifndef CP_AVATAR_MOTION_H
#define CP_AVATAR_MOTION_H

#include "avatar/acting.h"
#include "avatar/avatar.h"
#include "base/ref.h"

#define MOTION_HZ    30
#define MOTION_MAX_S 120
#define MOTION_FACES 5 /* happy, angry, sad, relaxed, surprised */

struct cp_motion {
    struct cp_ref ref;
    int n_frames;
    float hips_height_m;             /* in the file's rest pose: shifts are in its measure */
    bool moves[CP_BONE_COUNT];       /* there is a track */
    float along[CP_BONE_COUNT][3];   /* which way limbs point in the file's rest pose; 0 for others */
    float (*turn)[CP_BONE_COUNT][4]; /* by frame: turns of whole limbs in model space, from the rest pose */
    float (*shift)[3];               /* by frame: of the hips, metres */
    float (*face)[MOTION_FACES];     /* by frame, weights */
};

#define MOTION_MAX CP_ACTOR_MOTIONS

struct motion_player {
    struct {
        char name[32];
        struct cp_motion *motion; /* a reference; NULL: this place is free */
    } entry[MOTION_MAX];
    int n;                     /* places that were ever taken: those behind are free */
    struct cp_motion *playing; /* a reference of its own, so that its place can be given away; NULL: none */
    char last_action[32];
    float into_s;
    float fit[CP_BONE_COUNT][4]; /* for the playing one: rest pose of this character to the file's */
    /* Where a motion starts, ends, or is cut by another or by a gesture: how far the bones then were from
     * where they should be. It is put over what follows and dies down, so that nothing jumps, whatever
     * follows on what (Bollo, "Inertialization", GDC 2018). */
    bool switched;                /* in this frame: the difference is still to be taken */
    float settle_s;               /* since then */
    float dt_s;                   /* of this frame */
    float was[CP_BONE_COUNT][4];  /* turns as last shown */
    float pace[CP_BONE_COUNT][3]; /* and how fast they turned, radians a second */
    float off[CP_BONE_COUNT][3], off_pace[CP_BONE_COUNT][3]; /* rotation vectors */
    float was_shift[3], off_shift[3];
    float was_face[MOTION_FACES], off_face[MOTION_FACES];
};

/* The bone that a limb's bone points to; CP_BONE_UNSET for those whose direction does not matter. */
enum cp_bone motion_limb_end(enum cp_bone bone);

void motion_init(struct motion_player *player);
/* Starts the motion when the action is new and names one. gesture: one of ours has started in this frame, and
 * ends what is playing. */
void motion_step(struct motion_player *player, const struct rig *rig, const char *action, bool gesture,
                 float dt_s);
/* Puts the motion over what the bones would do, and its expression under the face's own. */
void motion_apply(struct motion_player *player, const struct rig *rig, struct stance *stance);
void motion_face(struct motion_player *player, float *face);
void motion_drop(struct motion_player *player);

#endif
