/* What the parts of the loader share while one model is being made. One owner, one thread. */
#ifndef CP_AVATAR_LOAD_H
#define CP_AVATAR_LOAD_H

#include "avatar/gltf.h"
#include "media/model.h"
#include "media/shapes.h"

/* A node of the file. */
struct load_node {
    int parent;       /* -1 for a root */
    int depth;        /* 0 for a root */
    int joint;        /* index in the model's joints, -1 when it needs none */
    bool drawn;       /* belongs to the scene */
    bool in_skin;     /* a skin names it as a joint */
    bool swings;      /* VRM 0.x names it as the root of a spring */
    float world[12];  /* at rest */
    const char *name; /* in the document */
    const json_t *json;
};

/* What a material of the file says beyond struct cp_material. */
struct load_material {
    int uv_set;     /* which TEXCOORD */
    float uv[6];    /* 2x3: what KHR_texture_transform does */
    bool occlusion; /* COLOR_0.a is ambient occlusion */
    bool told;      /* the surface kind comes from the extras, so tangents are as that kind wants them */
    int image;      /* the image of its base colour, -1 */
    int shadows;    /* the image of its ambient occlusion, where that lies on the same places; -1 */
    float shadow_strength;
};

struct load_rows {
    struct cp_target_row *row;
    size_t n, capacity;
};

struct load {
    struct gltf doc;
    struct cp_model *model;
    struct load_node *nodes;
    int n_nodes;
    struct load_material *materials; /* one for each of the model's */
    int default_material;            /* -1 until a primitive needs it */
    size_t vertex_capacity, triangle_capacity, part_capacity, n_rows, n_primitives;
    struct load_rows rows[CP_MODEL_MAX_TARGETS];
    bool turned; /* VRM 0.x looks along -z */
};

/* Copies a name, cut to the target's size at a character's border. */
void load_name(char *ret, size_t bytes, const char *name);

/* Room for `need` items in a growing array. False when out of memory. */
bool load_grow(void **array, size_t *capacity, size_t need, size_t item_bytes);

/* Nodes, their places, and the model's joints with their roles (load_nodes.c). */
int load_nodes(struct load *load);
/* The nodes and their places only. */
int load_place_nodes(struct load *load);

/* A whole file, at most GLTF_MAX_FILE_BYTES; the caller frees (load.c). */
int load_file(const char *path, uint8_t **ret_bytes, size_t *ret_length, struct cp_error *error);

/* Materials and their textures (load_materials.c). */
int load_materials(struct load *load);
/* Darkens a base colour's picture by one of ambient occlusion, whatever their sizes (load_occlusion.c). */
void load_bake_occlusion(struct cp_texture *base, const struct cp_texture *occlusion, float strength);
/* The kind of surface that a name speaks of ("Wolf3D_Teeth"), or CP_SURFACE_UNSET. */
enum cp_surface surface_of_name(const char *name);

/* ARKit's shape that a target's name means, in any tool's manner; CP_SHAPE_UNSET for others (names.c). */
enum cp_shape shape_of_name(const char *name);

/* Vertices, triangles, parts and target rows of all drawn nodes (load_meshes.c). */
int load_meshes(struct load *load);

/* What swings by itself, with its colliders (load_springs.c). */
int load_springs(struct load *load);
/* Calls `need` for each node that swings, ends a chain, or carries a collider: they have to be joints. */
void load_spring_nodes(struct load *load, void (*need)(struct load *load, int node));

/* Joints that turn by what others do (load_constraints.c). */
int load_constraints(struct load *load);
/* Calls `need` for each node that is constrained, or that one is constrained by. */
void load_constraint_nodes(struct load *load, void (*need)(struct load *load, int node));

/* Brings a finished model down to CP_MODEL_MAX_JOINTS: those that matter least go with their parents
 * (load_joints.c). */
int load_fold_joints(struct load *load);

/* Brings a finished model to a person's size, and gives one without a skeleton a joint to move by
 * (load_body.c). */
int load_fit_body(struct load *load);
#define LOAD_OWN_JOINT "(all of it)" /* what that joint is called: no bone of the file */

/* Adds a sentence to what is told about the model; one that does not fit is left out. */
void load_note(struct cp_model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a mesh calls its target of that number, or a name made up for it. */
void load_target_name(const json_t *mesh, const json_t *primitive, size_t index, char *ret, size_t bytes);
/* Makes targets of VRM's expressions, or names the one that each is made of after it (load_expressions.c). */
int load_expressions(struct load *load);

/* Normals of triangles that the file gives none for; unit length. `normals` holds n_vertices (mesh_make.c).
 */
void mesh_make_normals(const float (*positions)[3], size_t n_vertices, const uint32_t (*triangles)[3],
                       size_t n_triangles, const uint8_t *touched, float (*normals)[3]);
/* Tangents along u, or along v for strands. Triangles index the model's vertices from `first` on. */
void mesh_make_tangents(struct cp_vertex *vertices, size_t n_vertices, const uint32_t (*triangles)[3],
                        size_t n_triangles, uint32_t first, bool along_v);

/* The humanoid bone that a node's name speaks of, in VRM's, Mixamo's, Ready Player Me's, VRoid's and
 * Blender's manners ("leftEye", "mixamorig:LeftForeArm", "J_Bip_L_UpperArm", "Hand.R") (bones.c). */
enum cp_bone bone_of_name(const char *name);

#endif
