/*
 * The avatar stage: loads a character from glTF 2.0 and moves it. Given what is performed at a moment (sound,
 * marks, emotion, action), it says how the character stands: morph weights and joint matrices.
 */
#ifndef CP_AVATAR_H
#define CP_AVATAR_H

#include "base/error.h"
#include "media/model.h"
#include "media/moment.h"
#include "media/pose.h"
#include "media/shapes.h"

#include <stdbool.h>
#include <stdint.h>

/* --- loading --- */

/*
 * Loads a .glb, .vrm or .gltf from memory: glTF 2.0 with skins, morph targets (sparse too), PNG and JPEG
 * textures and WebP, KHR_mesh_quantization, KHR_texture_transform, EXT_meshopt_compression, MToon, VRM's
 * spring bones and node constraints. Other files that it names are read from the same folder when loaded by
 * path, and refused with CP_ERR_UNSUPPORTED from memory; pictures that are not there are left out. Hostile
 * input is refused with CP_ERR_FORMAT or CP_ERR_LIMIT, and never trusted. The caller drops the model with
 * cp_ref_drop. Any thread.
 *
 * Vertices come baked into the rest pose: at rest every skinning matrix is the identity, and a joint's
 * inverse bind matrix is the inverse of its place at rest. Our own extras on a material: "compere_surface"
 * names its kind
 * ("skin", "hair", ...), "compere_occlusion": true says that COLOR_0.a is ambient occlusion.
 */
int cp_avatar_load(const void *bytes, size_t length, const char *name, struct cp_model **ret_model,
                   struct cp_error *error);
int cp_avatar_load_file(const char *path, struct cp_model **ret_model, struct cp_error *error);

/*
 * A motion that any humanoid character can play as an action: from VRM Animation (.vrma), or from the first
 * animation of a glTF file whose skeleton has names that are known. At most 120 s. The caller drops it with
 * cp_ref_drop. Any thread.
 */
struct cp_motion;
int cp_motion_load(const void *bytes, size_t length, struct cp_motion **ret_motion, struct cp_error *error);
int cp_motion_load_file(const char *path, struct cp_motion **ret_motion, struct cp_error *error);

/* How long it lasts and how many of the 55 bones it moves. */
void cp_motion_measure(const struct cp_motion *motion, float *ret_seconds, int *ret_bones);

/* What acting will find in a model: which shapes and bones are there, what is missing and what is done
 * instead. */
struct cp_avatar_report {
    int n_shapes, n_visemes, n_bones; /* of 52, 15 and CP_BONE_COUNT - 1 */
    char missing_shapes[1200];        /* names, comma separated; "all"; what belongs together in one word */
    char missing_bones[1200];
    char notes[2400]; /* one sentence a line */
};
void cp_avatar_inspect(const struct cp_model *model, struct cp_avatar_report *ret_report);

/* --- acting --- */

struct cp_actor; /* one character on one channel; holds a reference of the model */

/* seed: what idle motion, blinks and gaze are drawn from; equal seeds and moments give equal poses. */
int cp_actor_create(struct cp_model *model, uint64_t seed, struct cp_actor **ret_actor,
                    struct cp_error *error);
void cp_actor_destroy(struct cp_actor *actor);

/* Where a character stands on the stage, and which way it faces (yaw about +y; 0 looks along +z). */
struct cp_place {
    float x_m, z_m, yaw_rad;
};

/* Puts the character there, from the next pose on: skinning matrices lead from the model's own space at rest
 * to the stage. An actor that was never placed stands in the middle. thread: draw, or before drawing starts
 */
void cp_actor_place(struct cp_actor *actor, const struct cp_place *place);

/* Where the point between its eyes is on the stage: as of the last pose, or at rest before the first. What a
 * partner looks at. */
void cp_actor_eye(const struct cp_actor *actor, float ret_eye[3]);

/* Makes the action `name` (at most 31 bytes) play the motion; it comes before a gesture of that name. The
 * actor takes a reference. Before the first pose, since drawing may not wait. CP_ERR_LIMIT beyond 32. */
int cp_actor_add_motion(struct cp_actor *actor, const char *name, struct cp_motion *motion,
                        struct cp_error *error);

/* The same at a place 0 .. CP_ACTOR_MOTIONS - 1, whatever was there before; NULL frees the place. One that is
 * playing is played to its end. Does not allocate; the caller sees to it that what is taken away has another
 * owner, so that nothing is freed either. thread: draw */
enum { CP_ACTOR_MOTIONS = 32 };
void cp_actor_set_motion(struct cp_actor *actor, int place, const char *name, struct cp_motion *motion);

/* What a character sees: places in metres on the stage. All zero but the camera: alone, performing. */
struct cp_sight {
    float camera_eye[3];
    bool listens; /* another one performs the moment: this one hears it, and says nothing */
    bool has_partner;
    float partner_eye[3]; /* the other one's cp_actor_eye */
    bool has_card;
    float card[3]; /* the middle of the card or screen that is shown */
};

/*
 * The pose at a moment. Moments come in order, one a frame (CP_SAMPLES_PER_FRAME apart). Does not allocate,
 * takes no lock. ret_pose->stamps are copied by the caller. thread: draw
 */
void cp_actor_pose(struct cp_actor *actor, const struct cp_moment *moment, const struct cp_sight *sight,
                   struct cp_pose *ret_pose);

/* The mouth's shapes at a place of an utterance, without a character: what lip tests and tools look at.
 * ret_shapes holds CP_SHAPE_COUNT weights by enum cp_shape. Stateless. */
void cp_actor_mouth(const struct cp_utterance *utterance, int32_t offset_samples, float *ret_shapes);

/* Named gestures that a cue's "action" may name: a NULL-terminated list. A character that lacks the parts for
 * one does what it can ("greet" waves only where there is a whole right arm). An action starts on the first
 * frame that names it, and again after a frame without it or with another. */
const char *const *cp_actor_actions(void);

#endif
