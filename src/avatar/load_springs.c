/* VRM's spring bones: VRMC_springBone 1.0, and 0.x's secondaryAnimation (vrm.dev's specifications). */
#include "avatar/load.h"
#include "avatar/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_M 0.07f /* VRM 0.x: a chain's last bone swings as if it were this long */

/* What one chain's links have in common, and what they weigh. */
struct chain {
    struct cp_spring link; /* joint and tail are filled in for each */
};

static int joint_of(const struct load *load, int64_t node)
{
    return node >= 0 && node < load->n_nodes ? load->nodes[node].joint : -1;
}

static void node_point(const struct load *load, int64_t node, const float at[3], float ret[3])
{
    mat_point(load->nodes[node].world, at, ret);
}

/* Lengths in the file are in the node's own scale. */
static float node_scale(const struct load *load, int64_t node)
{
    return cbrtf(fabsf(mat_determinant(load->nodes[node].world)));
}

static void add_link(struct load *load, const struct chain *chain, int64_t node, const float tail[3])
{
    struct cp_model *model = load->model;
    int joint = joint_of(load, node);
    float head[3], length[3];
    if (joint < 0 || model->n_springs >= model->n_joints)
        return;
    for (int i = 0; i < model->n_springs; i++)
        if (model->springs[i].joint == joint)
            return; /* a joint swings in one chain only */
    node_point(load, node, (const float[3]){0, 0, 0}, head);
    vec_sub(tail, head, length);
    if (!(vec_dot(length, length) > 1e-8f))
        return;
    struct cp_spring *link = &model->springs[model->n_springs++];
    *link = chain->link;
    link->joint = joint;
    link->hit_m *= node_scale(load, node);
    memcpy(link->tail, tail, sizeof link->tail);
}

static void add_collider(struct load *load, int64_t node, const float a[3], const float b[3], float radius)
{
    struct cp_model *model = load->model;
    struct cp_collider *collider = &model->colliders[model->n_colliders++];
    *collider =
        (struct cp_collider){.joint = joint_of(load, node), .radius_m = radius * node_scale(load, node)};
    node_point(load, node, a, collider->end[0]);
    node_point(load, node, b, collider->end[1]);
}

/* --- VRM 1.0 --- */

static void read_colliders1(struct load *load, const json_t *list, int *number)
{
    for (size_t i = 0; i < json_array_size(list) && i < GLTF_MAX_LIST; i++) {
        const json_t *json = json_array_get(list, i), *shape = json_object_get(json, "shape");
        const json_t *sphere = json_object_get(shape, "sphere"), *capsule = json_object_get(shape, "capsule");
        const json_t *one = sphere ? sphere : capsule;
        int64_t node = gltf_int(json, "node", -1);
        float a[3] = {0, 0, 0}, b[3];
        number[i] = -1;
        if (!one || joint_of(load, node) < 0 || load->model->n_colliders == CP_MODEL_MAX_COLLIDERS)
            continue;
        gltf_floats(one, "offset", 3, a);
        memcpy(b, a, sizeof b);
        if (one == capsule)
            gltf_floats(one, "tail", 3, b);
        number[i] = load->model->n_colliders;
        add_collider(load, node, a, b, gltf_float(one, "radius", 0));
    }
}

static uint64_t meets1(const json_t *spring, const json_t *groups, const json_t *colliders, const int *number)
{
    uint64_t mask = 0;
    const json_t *names = json_object_get(spring, "colliderGroups");
    for (size_t g = 0; g < json_array_size(names); g++) {
        const json_t *group = json_array_get(groups, (size_t)json_integer_value(json_array_get(names, g)));
        const json_t *members = json_object_get(group, "colliders");
        for (size_t c = 0; c < json_array_size(members); c++) {
            json_int_t index = json_integer_value(json_array_get(members, c));
            if (index >= 0 && (size_t)index < json_array_size(colliders) && number[index] >= 0)
                mask |= UINT64_C(1) << number[index];
        }
    }
    return mask;
}

static void read_weights(const json_t *json, const char *stiffness, struct cp_spring *link)
{
    float direction[3] = {0, -1, 0}, power = gltf_float(json, "gravityPower", 0);
    if (!gltf_floats(json, "gravityDir", 3, direction)) { /* VRM 0.x writes an object */
        const json_t *vector = json_object_get(json, "gravityDir");
        direction[0] = gltf_float(vector, "x", 0);
        direction[1] = gltf_float(vector, "y", -1);
        direction[2] = gltf_float(vector, "z", 0);
    }
    link->stiffness = clampf(gltf_float(json, stiffness, 1), 0, 100);
    link->drag = clampf(gltf_float(json, "dragForce", 0.5f), 0, 1);
    link->hit_m = clampf(gltf_float(json, "hitRadius", 0), 0, 10);
    for (int k = 0; k < 3; k++)
        link->gravity[k] = clampf(direction[k] * power, -100, 100);
}

static int read_springs1(struct load *load, const json_t *json)
{
    const json_t *colliders = json_object_get(json, "colliders"), *springs = json_object_get(json, "springs");
    int *number = calloc(json_array_size(colliders) + 1, sizeof *number);
    if (!number)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    read_colliders1(load, colliders, number);
    for (size_t s = 0; s < json_array_size(springs); s++) {
        const json_t *spring = json_array_get(springs, s), *joints = json_object_get(spring, "joints");
        struct chain chain = {.link.center = joint_of(load, gltf_int(spring, "center", -1))};
        chain.link.colliders = meets1(spring, json_object_get(json, "colliderGroups"), colliders, number);
        if (gltf_work(&load->doc, 100 + json_array_size(joints) * 256)) {
            free(number);
            return CP_ERR_LIMIT;
        }
        for (size_t j = 0; j + 1 < json_array_size(joints); j++) {
            const json_t *joint = json_array_get(joints, j);
            int64_t node = gltf_int(joint, "node", -1),
                    end = gltf_int(json_array_get(joints, j + 1), "node", -1);
            float tail[3];
            if (joint_of(load, node) < 0 || joint_of(load, end) < 0)
                continue;
            read_weights(joint, "stiffness", &chain.link);
            node_point(load, end, (const float[3]){0, 0, 0}, tail);
            add_link(load, &chain, node, tail);
        }
    }
    free(number);
    return 0;
}

/* --- VRM 0.x --- */

/* All bones from `node` down; the depth is that of the node tree, which is limited. */
static void add_branch0(struct load *load, const struct chain *chain, int64_t node)
{
    const json_t *children = json_object_get(load->nodes[node].json, "children");
    float tail[3];
    if (json_array_size(children)) {
        int64_t first = json_integer_value(json_array_get(children, 0));
        node_point(load, first, (const float[3]){0, 0, 0}, tail); /* find_parents has checked it */
    } else {
        float head[3], from[3] = {0, 1, 0}, along[3];
        node_point(load, node, (const float[3]){0, 0, 0}, head);
        if (load->nodes[node].parent >= 0)
            node_point(load, load->nodes[node].parent, (const float[3]){0, 0, 0}, from);
        vec_sub(head, from, along);
        vec_normalize(along);
        for (int k = 0; k < 3; k++)
            tail[k] = head[k] + LEAF_M * along[k];
    }
    add_link(load, chain, node, tail);
    for (size_t c = 0; c < json_array_size(children); c++)
        add_branch0(load, chain, json_integer_value(json_array_get(children, c)));
}

static void read_colliders0(struct load *load, const json_t *groups, uint64_t *mask)
{
    for (size_t g = 0; g < json_array_size(groups) && g < GLTF_MAX_LIST; g++) {
        const json_t *group = json_array_get(groups, g), *list = json_object_get(group, "colliders");
        int64_t node = gltf_int(group, "node", -1);
        for (size_t c = 0; c < json_array_size(list); c++) {
            const json_t *json = json_array_get(list, c), *offset = json_object_get(json, "offset");
            if (joint_of(load, node) < 0 || load->model->n_colliders == CP_MODEL_MAX_COLLIDERS)
                break;
            /* 0.x gives this offset with Unity's z, which points the other way */
            const float at[3] = {gltf_float(offset, "x", 0), gltf_float(offset, "y", 0),
                                 -gltf_float(offset, "z", 0)};
            mask[g] |= UINT64_C(1) << load->model->n_colliders;
            add_collider(load, node, at, at, gltf_float(json, "radius", 0));
        }
    }
}

static int read_springs0(struct load *load, const json_t *json)
{
    const json_t *groups = json_object_get(json, "boneGroups"),
                 *sets = json_object_get(json, "colliderGroups");
    uint64_t *mask = calloc(json_array_size(sets) + 1, sizeof *mask);
    if (!mask)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    read_colliders0(load, sets, mask);
    int err = 0;
    for (size_t g = 0; !err && g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g), *bones = json_object_get(group, "bones"),
                     *meets = json_object_get(group, "colliderGroups");
        struct chain chain = {.link.center = joint_of(load, gltf_int(group, "center", -1))};
        read_weights(group, "stiffiness", &chain.link); /* the format's own spelling */
        for (size_t m = 0; m < json_array_size(meets); m++) {
            json_int_t index = json_integer_value(json_array_get(meets, m));
            if (index >= 0 && (size_t)index < json_array_size(sets))
                chain.link.colliders |= mask[index];
        }
        for (size_t b = 0; !err && b < json_array_size(bones); b++) {
            json_int_t node = json_integer_value(json_array_get(bones, b));
            err = gltf_work(&load->doc, 256 * (size_t)load->n_nodes);
            if (!err && node >= 0 && node < load->n_nodes)
                add_branch0(load, &chain, node);
        }
    }
    free(mask);
    return err;
}

static void need_listed(struct load *load, const json_t *list, const char *key,
                        void (*need)(struct load *load, int node))
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t node = gltf_int(json_array_get(list, i), key, -1);
        if (node >= 0 && node < load->n_nodes)
            need(load, (int)node);
    }
}

/* 0.x names the roots only: the bones below are found by walking up from each node. */
static void need_branches0(struct load *load, const json_t *groups, void (*need)(struct load *load, int node))
{
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *bones = json_object_get(json_array_get(groups, g), "bones");
        for (size_t b = 0; b < json_array_size(bones); b++) {
            json_int_t node = json_integer_value(json_array_get(bones, b));
            if (node >= 0 && node < load->n_nodes)
                load->nodes[node].swings = true;
        }
    }
    for (int i = 0; i < load->n_nodes; i++)
        for (int up = i; up >= 0; up = load->nodes[up].parent)
            if (load->nodes[up].swings) {
                need(load, i);
                break;
            }
}

void load_spring_nodes(struct load *load, void (*need)(struct load *load, int node))
{
    const json_t *vrm1 = gltf_extension(load->doc.root, "VRMC_springBone"),
                 *vrm0 = json_object_get(gltf_extension(load->doc.root, "VRM"), "secondaryAnimation");
    const json_t *springs = json_object_get(vrm1, "springs");
    need_listed(load, json_object_get(vrm1, "colliders"), "node", need);
    need_listed(load, springs, "center", need);
    for (size_t s = 0; s < json_array_size(springs); s++)
        need_listed(load, json_object_get(json_array_get(springs, s), "joints"), "node", need);
    if (vrm1)
        return;
    need_listed(load, json_object_get(vrm0, "colliderGroups"), "node", need);
    need_branches0(load, json_object_get(vrm0, "boneGroups"), need);
}

/* Links have to come parents first, whatever order the file lists the chains in. */
static int by_joint(const void *a, const void *b)
{
    return ((const struct cp_spring *)a)->joint - ((const struct cp_spring *)b)->joint;
}

int load_springs(struct load *load)
{
    struct cp_model *model = load->model;
    const json_t *vrm1 = gltf_extension(load->doc.root, "VRMC_springBone"),
                 *vrm0 = json_object_get(gltf_extension(load->doc.root, "VRM"), "secondaryAnimation");
    if (!vrm1 && !vrm0)
        return 0;
    model->springs = calloc((size_t)model->n_joints + 1, sizeof *model->springs);
    model->colliders = calloc(CP_MODEL_MAX_COLLIDERS, sizeof *model->colliders);
    if (!model->springs || !model->colliders)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    int err = vrm1 ? read_springs1(load, vrm1) : read_springs0(load, vrm0);
    qsort(model->springs, (size_t)model->n_springs, sizeof *model->springs, by_joint);
    return err;
}
