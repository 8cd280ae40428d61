/* VRM's node constraints (VRMC_node_constraint 1.0): reads them, brings them into model space, and sorts them
 * so that what one depends on comes before it. */
#include "avatar/load.h"
#include "avatar/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum cp_constraint_type type;
} TYPE[] = {{"roll", CP_CONSTRAINT_ROLL}, {"aim", CP_CONSTRAINT_AIM}, {"rotation", CP_CONSTRAINT_ROTATION}};

/* The constraint of a node, or NULL. */
static const json_t *constraint_of(const struct load *load, int node, enum cp_constraint_type *ret_type)
{
    const json_t *json =
        json_object_get(gltf_extension(load->nodes[node].json, "VRMC_node_constraint"), "constraint");
    for (size_t i = 0; i < sizeof TYPE / sizeof *TYPE; i++) {
        const json_t *one = json_object_get(json, TYPE[i].name);
        if (one) {
            *ret_type = TYPE[i].type;
            return one;
        }
    }
    return NULL;
}

void load_constraint_nodes(struct load *load, void (*need)(struct load *load, int node))
{
    enum cp_constraint_type type;
    for (int i = 0; i < load->n_nodes; i++) {
        const json_t *json = constraint_of(load, i, &type);
        int64_t source = gltf_int(json, "source", -1);
        if (!json || source < 0 || source >= load->n_nodes)
            continue;
        need(load, i);
        need(load, (int)source);
    }
}

static void rest_turn(const struct load *load, int node, float ret[4])
{
    float t[3], s[3];
    if (node < 0)
        memcpy(ret, QUAT_IDENTITY, sizeof QUAT_IDENTITY);
    else
        mat_to_trs(load->nodes[node].world, t, ret, s);
}

/* "X" or "PositiveX", "NegativeX". */
static void read_axis(const char *name, float ret[3])
{
    size_t n = strlen(name);
    int axis = n ? name[n - 1] - 'X' : 0;
    memset(ret, 0, 3 * sizeof *ret);
    ret[axis >= 0 && axis < 3 ? axis : 0] = strncmp(name, "Negative", 8) ? 1 : -1;
}

/*
 * A turn T of the source against its parent, about model axes at rest, is W0^-1 T W0 in the source's own
 * space (W0: how it stands at rest) and P0^-1 T P0 in its parent's. The specification takes the first for
 * rotation; for roll it takes the second as if it were the constrained node's parent's, so that its own space
 * at rest is P0 L0 (L0: its local rotation).
 */
static void read_constraint(const struct load *load, int node, const json_t *json, struct cp_constraint *ret)
{
    int source = (int)gltf_int(json, "source", -1);
    float own[4], parent[4], local[4], from[4], t[3], s[3], axis[12];
    rest_turn(load, node, own);
    memcpy(ret->to_model, own, sizeof own);
    if (ret->type == CP_CONSTRAINT_ROTATION) {
        rest_turn(load, source, ret->to_own);
    } else if (ret->type == CP_CONSTRAINT_ROLL) {
        rest_turn(load, load->nodes[node].parent, parent);
        rest_turn(load, load->nodes[source].parent, from);
        for (int k = 0; k < 3; k++)
            parent[k] = -parent[k];
        quat_multiply(parent, own, local);
        quat_multiply(from, local, ret->to_own);
        read_axis(gltf_text(json, "rollAxis"), ret->axis);
    } else {
        read_axis(gltf_text(json, "aimAxis"), t);
        static const float zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
        memcpy(s, t, sizeof s);
        mat_from_trs(zero, own, one, axis);
        mat_vector(axis, s, ret->axis);
    }
}

/* True when the joint or something above it waits to be worked out. */
static bool waits(const struct cp_model *model, const bool *pending, int joint, int but)
{
    for (int j = joint; j >= 0; j = model->joints[j].parent)
        if (pending[j] && j != but)
            return true;
    return false;
}

static bool is_above(const struct cp_model *model, int joint, int other)
{
    while (other >= 0 && other != joint)
        other = model->joints[other].parent;
    return other >= 0;
}

/* What one depends on comes before it; those that go in circles are dropped. */
static void sort_constraints(struct cp_model *model, bool *pending)
{
    int n = model->n_constraints, done = 0;
    for (int i = 0; i < n; i++)
        pending[model->constraints[i].joint] = true;
    for (bool found = true; found;) {
        found = false;
        for (int i = done; i < n; i++) {
            struct cp_constraint one = model->constraints[i];
            if (is_above(model, one.joint, one.source) || waits(model, pending, one.source, -1) ||
                waits(model, pending, one.joint, one.joint))
                continue;
            model->constraints[i] = model->constraints[done];
            model->constraints[done++] = one;
            pending[one.joint] = false;
            found = true;
        }
    }
    if (done < n)
        load_note(model, "%d node constraints turn in circles: they are left out.\n", n - done);
    model->n_constraints = done;
}

int load_constraints(struct load *load)
{
    struct cp_model *model = load->model;
    enum cp_constraint_type type;
    int n = 0;
    for (int i = 0; i < load->n_nodes; i++)
        n += constraint_of(load, i, &type) != NULL;
    if (!n)
        return 0;
    if (n > CP_MODEL_MAX_CONSTRAINTS)
        load_note(model, "It has %d node constraints: the first %d are kept.\n", n, CP_MODEL_MAX_CONSTRAINTS);
    bool *pending = calloc((size_t)model->n_joints + 1, sizeof *pending);
    model->constraints = calloc(CP_MODEL_MAX_CONSTRAINTS, sizeof *model->constraints);
    if (!pending || !model->constraints) {
        free(pending);
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    }
    for (int i = 0; i < load->n_nodes && model->n_constraints < CP_MODEL_MAX_CONSTRAINTS; i++) {
        const json_t *json = constraint_of(load, i, &type);
        int64_t source = gltf_int(json, "source", -1);
        if (!json || source < 0 || source >= load->n_nodes)
            continue;
        struct cp_constraint *one = &model->constraints[model->n_constraints++];
        *one = (struct cp_constraint){.type = type,
                                      .joint = load->nodes[i].joint,
                                      .source = load->nodes[source].joint,
                                      .weight = clampf(gltf_float(json, "weight", 1), 0, 1)};
        read_constraint(load, i, json, one);
    }
    sort_constraints(model, pending);
    free(pending);
    return 0;
}
