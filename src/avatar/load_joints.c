/*
 * Too many joints. A pose holds CP_MODEL_MAX_JOINTS of them; riggers make more: ends of chains that move
 * nothing, hair of a hundred strands, helpers. Since vertices are baked into the rest pose, a joint can go
 * with its parent by a change of numbers: first those that move nothing, then leaf after leaf the one that
 * moves least, fingers last; bones of the body stay.
 */
#include "avatar/load.h"
#include "avatar/transform.h"

#include <stdlib.h>
#include <string.h>

struct fold {
    struct cp_model *model;
    int n_kept;
    bool *gone;
    int *children; /* that are kept */
    float *cost;   /* vertices' weights, and more for what should rather stay */
    int *above;    /* afterwards: what is kept above each, -1 */
    int *number;   /* of what is kept, afterwards; of what is gone, its stand-in's */
};

#define FINGER 1e4f
#define NEVER  1e9f

static void weigh(struct fold *fold)
{
    const struct cp_model *model = fold->model;
    for (int v = 0; v < model->n_vertices; v++)
        for (int k = 0; k < 4; k++)
            fold->cost[model->vertices[v].joint[k]] += model->vertices[v].weight[k];
    for (int s = 0; s < model->n_springs; s++)
        fold->cost[model->springs[s].joint] += 1e-3f;
    for (int c = 0; c < model->n_colliders; c++)
        fold->cost[model->colliders[c].joint] += 1;
    for (int c = 0; c < model->n_constraints; c++) {
        fold->cost[model->constraints[c].joint] += 1;
        fold->cost[model->constraints[c].source] += 1;
    }
    for (int j = 0; j < model->n_joints; j++) {
        int role = model->joints[j].role;
        if (role != CP_BONE_UNSET)
            fold->cost[j] += role >= CP_BONE_LEFT_THUMB_METACARPAL ? FINGER : NEVER;
        if (model->joints[j].parent >= 0)
            fold->children[model->joints[j].parent]++;
    }
}

/* The joint that a kept one hangs on, or a gone one moves with; -1 for none. */
static int kept_above(const struct fold *fold, int joint)
{
    int up = fold->model->joints[joint].parent;
    while (up >= 0 && fold->gone[up])
        up = fold->model->joints[up].parent;
    return up;
}

static void drop(struct fold *fold, int joint)
{
    int up = kept_above(fold, joint);
    fold->gone[joint] = true;
    fold->n_kept--;
    if (up >= 0) {
        fold->children[up] += fold->children[joint] - 1;
        fold->cost[up] += fold->cost[joint];
    }
}

static int cheapest_leaf(const struct fold *fold)
{
    int best = -1;
    for (int j = 0; j < fold->model->n_joints; j++)
        if (!fold->gone[j] && !fold->children[j] && fold->cost[j] < NEVER &&
            (best < 0 || fold->cost[j] < fold->cost[best]))
            best = j;
    return best;
}

/* Numbers what is kept; what has nothing kept above it stands with the first root. */
static void number_joints(struct fold *fold)
{
    for (int j = 0, n = 0; j < fold->model->n_joints; j++) {
        int up = fold->above[j] = kept_above(fold, j);
        fold->number[j] = !fold->gone[j] ? n++ : up >= 0 ? fold->number[up] : 0;
    }
}

static void renumber(struct fold *fold)
{
    struct cp_model *model = fold->model;
    const int *number = fold->number;
    int n = 0;
    for (int v = 0; v < model->n_vertices; v++)
        for (int k = 0; k < 4; k++)
            model->vertices[v].joint[k] = (uint16_t)number[model->vertices[v].joint[k]];
    for (int s = 0; s < model->n_springs; s++)
        if (!fold->gone[model->springs[s].joint]) {
            struct cp_spring *spring = &model->springs[n++];
            *spring = model->springs[s];
            spring->joint = number[spring->joint];
            if (spring->center >= 0)
                spring->center = number[spring->center];
        }
    model->n_springs = n;
    for (int c = 0; c < model->n_colliders; c++)
        model->colliders[c].joint = number[model->colliders[c].joint];
    n = 0;
    for (int c = 0; c < model->n_constraints; c++)
        if (!fold->gone[model->constraints[c].joint] && !fold->gone[model->constraints[c].source]) {
            struct cp_constraint *one = &model->constraints[n++];
            *one = model->constraints[c];
            one->joint = number[one->joint];
            one->source = number[one->source];
        }
    model->n_constraints = n;
}

static void move_joints(struct fold *fold)
{
    struct cp_model *model = fold->model;
    for (int j = 0; j < model->n_joints; j++) {
        if (fold->gone[j])
            continue;
        struct cp_joint joint = model->joints[j];
        int up = fold->above[j];
        float world[12], local[12];
        if (up != joint.parent && up >= 0 && mat_invert(joint.inverse_bind, world)) {
            mat_multiply(model->joints[fold->number[up]].inverse_bind, world, local);
            mat_to_trs(local, joint.translation, joint.rotation, joint.scale);
        }
        joint.parent = up >= 0 ? fold->number[up] : -1;
        model->joints[fold->number[j]] =
            joint; /* numbers never grow: what is needed is not yet written over */
    }
}

static void fold_joints(struct fold *fold)
{
    struct cp_model *model = fold->model;
    int n = model->n_joints, leaf;
    weigh(fold);
    for (int j = n - 1; j >= 0 && fold->n_kept > CP_MODEL_MAX_JOINTS; j--)
        if (fold->cost[j] == 0)
            drop(fold, j);
    while (fold->n_kept > CP_MODEL_MAX_JOINTS && (leaf = cheapest_leaf(fold)) >= 0)
        drop(fold, leaf);
    if (fold->n_kept > CP_MODEL_MAX_JOINTS)
        return;
    load_note(model, "It has %d joints: %d that move least go with their parents.\n", n, n - fold->n_kept);
    number_joints(fold);
    renumber(fold);
    move_joints(fold);
    model->n_joints = fold->n_kept;
}

int load_fold_joints(struct load *load)
{
    struct cp_model *model = load->model;
    size_t n = (size_t)model->n_joints + 1;
    if (model->n_joints <= CP_MODEL_MAX_JOINTS)
        return 0;
    if (gltf_work(&load->doc, 4 * n * (n - CP_MODEL_MAX_JOINTS)))
        return CP_ERR_LIMIT;
    struct fold fold = {.model = model,
                        .n_kept = model->n_joints,
                        .gone = calloc(n, sizeof *fold.gone),
                        .children = calloc(n, sizeof *fold.children),
                        .cost = calloc(n, sizeof *fold.cost),
                        .above = calloc(n, sizeof *fold.above),
                        .number = calloc(n, sizeof *fold.number)};
    bool failed = !fold.gone || !fold.children || !fold.cost || !fold.above || !fold.number;
    if (!failed)
        fold_joints(&fold);
    free(fold.gone);
    free(fold.children);
    free(fold.cost);
    free(fold.above);
    free(fold.number);
    if (failed)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    if (model->n_joints > CP_MODEL_MAX_JOINTS)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "the model needs %d joints; at most %d are read",
                         model->n_joints, CP_MODEL_MAX_JOINTS);
    return 0;
}
