/*
 * A 3D character as the renderer wants it: triangles in parts, morph targets as sparse rows, joints,
 * materials, textures. Loaded from glTF by the avatar stage; read by the render stage. Never changed after
 * loading.
 *
 * Space: right-handed, metres, y up, the character looks along +z (glTF 2.0 section 3.4).
 */
#ifndef CP_MEDIA_MODEL_H
#define CP_MEDIA_MODEL_H

#include "base/ref.h"

#include <stdbool.h>
#include <stdint.h>

#define CP_MODEL_MAX_TARGETS 256
#define CP_MODEL_MAX_JOINTS  256

/* How a surface takes light. The loader finds the kind by the material's name or extras ("skin", "hair",
 * ...); unknown materials are CP_SURFACE_PLAIN: glTF metallic-roughness. */
enum cp_surface {
    CP_SURFACE_UNSET,
    CP_SURFACE_PLAIN,
    CP_SURFACE_SKIN,
    CP_SURFACE_EYE, /* iris and pupil from uv: uv (0.5, 0.5) is the pupil's centre */
    CP_SURFACE_TEETH,
    CP_SURFACE_MOUTH, /* gums, tongue, inside of the mouth */
    CP_SURFACE_HAIR,  /* anisotropic along the tangent; u across, v along the strand */
    CP_SURFACE_CLOTH,
    CP_SURFACE_LASH, /* unlit dark hairs: lashes and brows */
    CP_SURFACE_METAL,
    CP_SURFACE_TOON, /* two painted tones, lit and shade (MToon); one where both are equal (unlit) */
    CP_SURFACE_COUNT,
};

struct cp_texture { /* 8-bit sRGB RGBA, row 0 at v = 0 */
    int width, height;
    uint8_t *rgba;
};

struct cp_material {
    char name[48];
    enum cp_surface surface;
    float base_color[4]; /* linear, multiplied with vertex colour and texture */
    float roughness, metallic;
    float emissive[3];
    int texture;        /* base colour texture, -1 for none */
    float alpha_cutoff; /* > 0: alpha-masked */
    bool double_sided;
    /* CP_SURFACE_TOON: the shade's colour as multiple of base_color, and where it starts: n.l + toon_shift is
     * 1
     * - toon_sharp above the lit end, toon_sharp - 1 below the shaded one (VRMC_materials_mtoon 1.0,
     * "Lighting"). */
    float shade[3], toon_sharp, toon_shift;
};

/* One vertex at rest. Attributes that the file lacks are made by the loader (normals, tangents) or neutral.
 */
struct cp_vertex {
    float position[3], normal[3];
    float tangent[3]; /* along the strand for hair; unit length */
    float color[3];   /* linear rgb */
    float occlusion;  /* 0 dark .. 1 open (from COLOR_0.a when the material's extras say so, else 1) */
    float uv[2];
    uint16_t joint[4]; /* indices into the model's joints */
    float weight[4];   /* sum 1 */
};

struct cp_part {
    char name[48];
    int material;
    int first_vertex, n_vertices;
    int first_triangle, n_triangles;
};

/* Rows of one morph target: what it adds at weight 1. Only vertices that move are listed. */
struct cp_target_row {
    int32_t vertex;
    float position[3], normal[3];
};
struct cp_target {
    char name[48];
    int shape; /* enum cp_shape, or CP_SHAPE_UNSET when it is none of ARKit's */
    int first_row, n_rows;
};

struct cp_joint {
    char name[48];
    int parent;                                  /* index, -1 for a root; parents come before children */
    int role;                                    /* enum cp_bone, or CP_BONE_UNSET */
    float translation[3], rotation[4], scale[3]; /* local, at rest; rotation is a quaternion x y z w */
    float inverse_bind[12];                      /* 3x4, row major */
};

/*
 * Hair and cloth that swing by themselves: VRM's spring bones (VRMC_springBone 1.0). A link is a joint that
 * turns so that its tail follows; links of one chain come after another, root first. Rest pose, model space.
 */
#define CP_MODEL_MAX_COLLIDERS 64
struct cp_spring {
    int joint;     /* that turns */
    int center;    /* joint in whose space it swings: what moves with that joint does not shake it; -1 */
    float tail[3]; /* where the link ends */
    float hit_m;   /* radius of the tail against colliders */
    float stiffness, drag, gravity[3];
    uint64_t colliders; /* a bit for each that it meets */
};
struct cp_collider { /* a sphere (both ends equal) or a capsule */
    int joint;
    float end[2][3], radius_m;
};

/*
 * A joint that turns by what another one does: VRM's node constraints (VRMC_node_constraint 1.0), of which
 * twist bones are made. In the order in which they are worked out. Turns are those of joints against their
 * parents, in model space at rest.
 */
#define CP_MODEL_MAX_CONSTRAINTS 128
enum cp_constraint_type {
    CP_CONSTRAINT_UNSET,
    CP_CONSTRAINT_ROLL,     /* takes the source's twist about an axis */
    CP_CONSTRAINT_AIM,      /* points at the source */
    CP_CONSTRAINT_ROTATION, /* takes the source's whole turn */
};
struct cp_constraint {
    enum cp_constraint_type type;
    int joint, source;
    float weight;
    float axis[3];                /* roll: in the joint's own space; aim: model space at rest */
    float to_own[4], to_model[4]; /* the source's turn to the joint's own space; from there to model space */
};

/* VRM 1.0's humanoid bones: the 25 of the body, then the fingers. Acting moves those that a model has. */
/* clang-format off */
#define CP_BONES_HAND(X, SIDE, side) \
    X(SIDE##_THUMB_METACARPAL, side "ThumbMetacarpal") X(SIDE##_THUMB_PROXIMAL, side "ThumbProximal") \
    X(SIDE##_THUMB_DISTAL, side "ThumbDistal") \
    X(SIDE##_INDEX_PROXIMAL, side "IndexProximal") X(SIDE##_INDEX_INTERMEDIATE, side "IndexIntermediate") \
    X(SIDE##_INDEX_DISTAL, side "IndexDistal") \
    X(SIDE##_MIDDLE_PROXIMAL, side "MiddleProximal") X(SIDE##_MIDDLE_INTERMEDIATE, side "MiddleIntermediate") \
    X(SIDE##_MIDDLE_DISTAL, side "MiddleDistal") \
    X(SIDE##_RING_PROXIMAL, side "RingProximal") X(SIDE##_RING_INTERMEDIATE, side "RingIntermediate") \
    X(SIDE##_RING_DISTAL, side "RingDistal") \
    X(SIDE##_LITTLE_PROXIMAL, side "LittleProximal") X(SIDE##_LITTLE_INTERMEDIATE, side "LittleIntermediate") \
    X(SIDE##_LITTLE_DISTAL, side "LittleDistal")
#define CP_BONES(X) \
    X(HIPS, "hips") X(SPINE, "spine") X(CHEST, "chest") X(UPPER_CHEST, "upperChest") X(NECK, "neck") \
    X(HEAD, "head") X(LEFT_EYE, "leftEye") X(RIGHT_EYE, "rightEye") X(JAW, "jaw") \
    X(LEFT_SHOULDER, "leftShoulder") X(LEFT_UPPER_ARM, "leftUpperArm") X(LEFT_LOWER_ARM, "leftLowerArm") \
    X(LEFT_HAND, "leftHand") \
    X(RIGHT_SHOULDER, "rightShoulder") X(RIGHT_UPPER_ARM, "rightUpperArm") \
    X(RIGHT_LOWER_ARM, "rightLowerArm") X(RIGHT_HAND, "rightHand") \
    X(LEFT_UPPER_LEG, "leftUpperLeg") X(LEFT_LOWER_LEG, "leftLowerLeg") X(LEFT_FOOT, "leftFoot") \
    X(LEFT_TOES, "leftToes") \
    X(RIGHT_UPPER_LEG, "rightUpperLeg") X(RIGHT_LOWER_LEG, "rightLowerLeg") X(RIGHT_FOOT, "rightFoot") \
    X(RIGHT_TOES, "rightToes") \
    CP_BONES_HAND(X, LEFT, "left") CP_BONES_HAND(X, RIGHT, "right")
/* clang-format on */

enum cp_bone {
    CP_BONE_UNSET,
#define X(symbol, name) CP_BONE_##symbol,
    CP_BONES(X)
#undef X
        CP_BONE_COUNT,
};

struct cp_model {
    struct cp_ref ref;
    char name[64];
    int n_vertices, n_triangles, n_parts, n_materials, n_textures, n_targets, n_rows, n_joints;
    struct cp_vertex *vertices;
    uint32_t (*triangles)[3];
    struct cp_part *parts;
    struct cp_material *materials;
    struct cp_texture *textures;
    struct cp_target *targets;
    struct cp_target_row *rows;
    struct cp_joint *joints;
    int n_springs, n_colliders;
    struct cp_spring *springs;
    struct cp_collider *colliders;
    int n_constraints;
    struct cp_constraint *constraints;
    char notes[900];     /* what the file has and this model lacks: one sentence a line */
    float eye_height_m;  /* y of the point between the eyes at rest: what cameras aim by */
    float head_height_m; /* chin to crown */
};

/* "" for CP_BONE_UNSET; else VRM 1.0's name ("leftEye"). */
const char *cp_bone_name(enum cp_bone bone);
const char *cp_surface_name(enum cp_surface surface);
enum cp_surface cp_surface_from_name(const char *name);

#endif
