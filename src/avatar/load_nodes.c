/*
 * The node tree, and the joints made of it.
 *
 * The loader bakes every vertex into the model's rest pose (load_meshes.c), so that a joint's inverse bind
 * matrix is simply the inverse of its place at rest. Several skins, meshes without skin and quantized meshes
 * then share one joint list, and at rest every skinning matrix is the identity.
 */
#include "avatar/load.h"
#include "avatar/transform.h"

#include <stdlib.h>
#include <string.h>

static void local_matrix(const json_t *node, float ret[12])
{
    float m[16];
    if (gltf_floats(node, "matrix", 16, m)) { /* column major */
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 4; c++)
                ret[4 * r + c] = m[4 * c + r];
        return;
    }
    float t[3] = {0, 0, 0}, q[4] = {0, 0, 0, 1}, s[3] = {1, 1, 1};
    gltf_floats(node, "translation", 3, t);
    gltf_floats(node, "rotation", 4, q);
    gltf_floats(node, "scale", 3, s);
    quat_normalize(q);
    mat_from_trs(t, q, s, ret);
}

/* Every node has at most one parent (section 3.5.2). */
static int find_parents(struct load *load)
{
    for (int i = 0; i < load->n_nodes; i++) {
        const json_t *children = json_object_get(load->nodes[i].json, "children");
        for (size_t c = 0; c < json_array_size(children); c++) {
            const json_t *value = json_array_get(children, c);
            int64_t child = json_is_integer(value) ? json_integer_value(value) : -1;
            if (child < 0 || child >= load->n_nodes || child == i || load->nodes[child].parent >= 0)
                return gltf_fail(&load->doc, CP_ERR_FORMAT, "node %d has an invalid child", i);
            load->nodes[child].parent = i;
        }
    }
    return 0;
}

/* Depth by walking up; a walk longer than the limit is a loop or too deep a tree. */
static int find_depths(struct load *load)
{
    for (int i = 0; i < load->n_nodes; i++) {
        int depth = 0;
        for (int n = load->nodes[i].parent; n >= 0; n = load->nodes[n].parent)
            if (++depth > GLTF_MAX_DEPTH)
                return gltf_fail(&load->doc, CP_ERR_LIMIT, "node %d lies more than %d deep, or inside itself",
                                 i, GLTF_MAX_DEPTH);
        load->nodes[i].depth = depth;
    }
    return 0;
}

static void place(struct load *load, int index)
{
    struct load_node *node = &load->nodes[index];
    float local[12];
    local_matrix(node->json, local);
    if (node->parent >= 0) {
        mat_multiply(load->nodes[node->parent].world, local, node->world);
    } else {
        static const float turn[12] = {-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0};
        mat_multiply(load->turned ? turn : MAT_IDENTITY, local, node->world);
    }
}

static int place_nodes(struct load *load)
{
    for (int depth = 0; depth <= GLTF_MAX_DEPTH; depth++)
        for (int i = 0; i < load->n_nodes; i++)
            if (load->nodes[i].depth == depth)
                place(load, i);
    for (int i = 0; i < load->n_nodes; i++)
        for (int k = 0; k < 12; k++)
            if (!(fabsf(load->nodes[i].world[k]) < 1e9f))
                return gltf_fail(&load->doc, CP_ERR_FORMAT, "node %d lies at no finite place", i);
    return 0;
}

/* Nodes of the file's scene; all of them when it has none. */
static void mark_scene(struct load *load)
{
    const json_t *scene = gltf_item(&load->doc, "scenes", gltf_int(load->doc.root, "scene", 0));
    const json_t *roots = json_object_get(scene, "nodes");
    for (int i = 0; i < load->n_nodes; i++)
        load->nodes[i].drawn = !scene;
    for (size_t r = 0; r < json_array_size(roots); r++) {
        json_int_t root = json_integer_value(json_array_get(roots, r));
        if (root >= 0 && root < load->n_nodes)
            load->nodes[root].drawn = true;
    }
    for (int depth = 1; depth <= GLTF_MAX_DEPTH; depth++)
        for (int i = 0; i < load->n_nodes; i++)
            if (load->nodes[i].depth == depth && load->nodes[load->nodes[i].parent].drawn)
                load->nodes[i].drawn = true;
}

static void give_role(struct load *load, int *owner, enum cp_bone bone, int64_t node)
{
    if (bone > CP_BONE_UNSET && bone < CP_BONE_COUNT && node >= 0 && node < load->n_nodes && owner[bone] < 0)
        owner[bone] = (int)node;
}

static enum cp_bone bone_exactly(const char *name)
{
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++)
        if (!strcmp(cp_bone_name((enum cp_bone)b), name))
            return (enum cp_bone)b;
    return CP_BONE_UNSET;
}

/* VRM 0.x calls the thumb's three bones proximal, intermediate, distal: 1.0's metacarpal, proximal, distal.
 */
static enum cp_bone bone_of_vrm0(const char *name)
{
    const char *thumb = strstr(name, "Thumb");
    enum cp_bone side =
        strncmp(name, "left", 4) ? CP_BONE_RIGHT_THUMB_METACARPAL : CP_BONE_LEFT_THUMB_METACARPAL;
    if (thumb && !strcmp(thumb, "ThumbProximal"))
        return side;
    if (thumb && !strcmp(thumb, "ThumbIntermediate"))
        return (enum cp_bone)(side + 1);
    return bone_exactly(name);
}

/* Some tools count the spine from 1: what the names made chest and upper chest then starts below. */
static void lower_spine(int *owner)
{
    if (owner[CP_BONE_SPINE] >= 0 || owner[CP_BONE_CHEST] < 0 || owner[CP_BONE_UPPER_CHEST] < 0)
        return;
    owner[CP_BONE_SPINE] = owner[CP_BONE_CHEST];
    owner[CP_BONE_CHEST] = owner[CP_BONE_UPPER_CHEST];
    owner[CP_BONE_UPPER_CHEST] = -1;
}

/* Roles by VRM's tables first, then by the names of skin joints, of empty nodes, of nodes with a rigid mesh.
 */
static void find_roles(struct load *load, int *owner)
{
    const char *key;
    json_t *value;
    json_t *vrm1 = json_object_get(gltf_extension(load->doc.root, "VRMC_vrm"), "humanoid");
    json_object_foreach(json_object_get(vrm1, "humanBones"), key, value)
        give_role(load, owner, bone_exactly(key), gltf_int(value, "node", -1));
    json_t *vrm0 = json_object_get(gltf_extension(load->doc.root, "VRM"), "humanoid");
    const json_t *bones = json_object_get(vrm0, "humanBones");
    for (size_t i = 0; i < json_array_size(bones); i++) {
        const json_t *bone = json_array_get(bones, i);
        give_role(load, owner, bone_of_vrm0(gltf_text(bone, "bone")), gltf_int(bone, "node", -1));
    }
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < load->n_nodes; i++) {
            const struct load_node *node = &load->nodes[i];
            bool mesh = json_object_get(node->json, "mesh"), skinned = json_object_get(node->json, "skin");
            int rank = node->in_skin ? 0 : !mesh ? 1 : !skinned ? 2 : 3;
            if (rank == pass)
                give_role(load, owner, bone_of_name(node->name), i);
        }
    lower_spine(owner);
}

static void need_joint(struct load *load, int node)
{
    for (int n = node; n >= 0 && load->nodes[n].joint < 0; n = load->nodes[n].parent)
        load->nodes[n].joint = 0; /* numbered by make_joints */
}

static int mark_skins(struct load *load)
{
    for (size_t s = 0; s < gltf_count(&load->doc, "skins"); s++) {
        const json_t *joints = json_object_get(gltf_item(&load->doc, "skins", (int64_t)s), "joints");
        if (json_array_size(joints) > GLTF_MAX_SKIN_JOINTS)
            return gltf_fail(&load->doc, CP_ERR_LIMIT, "skin %zu has more than %d joints", s,
                             GLTF_MAX_SKIN_JOINTS);
        for (size_t j = 0; j < json_array_size(joints); j++) {
            const json_t *value = json_array_get(joints, j);
            json_int_t node = json_is_integer(value) ? json_integer_value(value) : -1;
            if (node < 0 || node >= load->n_nodes)
                return gltf_fail(&load->doc, CP_ERR_FORMAT, "skin %zu names a joint that is no node", s);
            load->nodes[node].in_skin = true;
            need_joint(load, (int)node);
        }
    }
    return 0;
}

static void fill_joint(const struct load *load, const struct load_node *node, const int *owner, int index)
{
    struct cp_joint *joint = &load->model->joints[node->joint];
    float local[12], world[12], parent_inverse[12];
    memcpy(world, node->world, sizeof world);
    load_name(joint->name, sizeof joint->name, node->name);
    joint->parent = node->parent >= 0 ? load->nodes[node->parent].joint : -1;
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++)
        if (owner[b] == index)
            joint->role = b;
    if (node->parent < 0 || !mat_invert(load->nodes[node->parent].world, parent_inverse))
        memcpy(parent_inverse, MAT_IDENTITY, sizeof MAT_IDENTITY);
    mat_multiply(parent_inverse, world, local);
    mat_to_trs(local, joint->translation, joint->rotation, joint->scale);
    if (!mat_invert(world, joint->inverse_bind))
        memcpy(joint->inverse_bind, MAT_IDENTITY, sizeof MAT_IDENTITY); /* shrunk to nothing: a hidden part */
}

static int make_joints(struct load *load)
{
    int owner[CP_BONE_COUNT], n = 0;
    memset(owner, -1, sizeof owner);
    find_roles(load, owner);
    for (int b = 0; b < CP_BONE_COUNT; b++)
        if (owner[b] >= 0)
            need_joint(load, owner[b]);
    for (int i = 0; i < load->n_nodes; i++)
        if (load->nodes[i].drawn && json_object_get(load->nodes[i].json, "mesh") &&
            !json_object_get(load->nodes[i].json, "skin"))
            need_joint(load, i);
    load_spring_nodes(load, need_joint);
    load_constraint_nodes(load, need_joint);
    for (int depth = 0; depth <= GLTF_MAX_DEPTH; depth++)
        for (int i = 0; i < load->n_nodes; i++)
            if (load->nodes[i].depth == depth && load->nodes[i].joint >= 0)
                load->nodes[i].joint = n++;
    load->model->joints = calloc((size_t)n + 1, sizeof *load->model->joints);
    if (!load->model->joints)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    load->model->n_joints = n;
    for (int i = 0; i < load->n_nodes; i++)
        if (load->nodes[i].joint >= 0)
            fill_joint(load, &load->nodes[i], owner, i);
    return 0;
}

int load_place_nodes(struct load *load)
{
    size_t n = gltf_count(&load->doc, "nodes");
    if (n > GLTF_MAX_NODES)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "the model has %zu nodes; at most %d are read", n,
                         GLTF_MAX_NODES);
    load->nodes = calloc(n + 1, sizeof *load->nodes);
    if (!load->nodes)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    load->n_nodes = (int)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *json = gltf_item(&load->doc, "nodes", (int64_t)i);
        load->nodes[i] =
            (struct load_node){.parent = -1, .joint = -1, .json = json, .name = gltf_text(json, "name")};
    }
    /* VRM 0.x characters look along -z; VRM 1.0 and glTF along +z. */
    load->turned = gltf_extension(load->doc.root, "VRM") && !gltf_extension(load->doc.root, "VRMC_vrm");
    int err = find_parents(load);
    if (!err)
        err = find_depths(load);
    if (!err)
        err = place_nodes(load);
    return err;
}

int load_nodes(struct load *load)
{
    int err = load_place_nodes(load);
    if (err)
        return err;
    mark_scene(load);
    err = mark_skins(load);
    return err ? err : make_joints(load);
}
