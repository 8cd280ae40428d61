#include "bake.h"
#include "body.h"
#include "eyes.h"
#include "hair.h"
#include "hand.h"
#include "shapes.h"
#include "skin.h"
#include "visible.h"

#include <stdlib.h>
#include <string.h>

static const float SMALLEST_MOVE = 0.004f; /* cm; less is not worth a row */

void sculpt_presenter(struct sculpture *s, const struct character *c)
{
    memset(s, 0, sizeof *s);
    build_head(s, c);
    build_eyes(s, c);
    build_mouth(s, c);
    build_brows(s, c);
    build_lashes(s, c);
    build_hair(s, c);
    build_hands(s, c);
    build_clothes(s, c);
}

static void paint(const struct character *c, struct part *part)
{
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        if (part->rig == RIG_FACE && part->surface == CP_SURFACE_SKIN) {
            v->occlusion = occlusion_at(c, v->position, v->normal);
            paint_skin(c, v);
        } else if (part->surface == CP_SURFACE_CLOTH)
            v->occlusion = 0.15f + 0.85f * occlusion_at(c, along(v->position, v->normal, 0.5f), v->normal);
    }
}

/* A change of space, laid over a vertex and its neighbourhood. */
struct deform {
    const struct character *c;
    enum rig rig;
    int shape, over; /* both laid over p; 0 none */
};

static vec3 deformed(const struct deform *d, vec3 p, vec3 anchor)
{
    vec3 to = d->rig == RIG_FACE ? add(p, lip_seal(d->c, anchor)) : p;
    if (d->shape)
        to = add(to, shape_offset(d->c, d->shape, d->rig, p, anchor));
    if (d->over)
        to = add(to, shape_offset(d->c, d->over, d->rig, p, anchor));
    return d->rig == RIG_BODY ? to : proportion(d->c, to);
}

/* The normal after a deformation: from where two tangents go. */
static vec3 deformed_normal(const struct deform *d, const struct vertex *v, vec3 to)
{
    const float step = 0.03f;
    vec3 a = unit(cross(v->normal, fabsf(v->normal.y) < 0.8f ? v3(0, 1, 0) : v3(1, 0, 0))),
         b = cross(v->normal, a);
    vec3 pa = along(v->position, a, step), pb = along(v->position, b, step);
    vec3 n = cross(sub(deformed(d, pa, pa), to), sub(deformed(d, pb, pb), to));
    return length(n) > 1e-9f ? unit(n) : v->normal;
}

static void bake_shape(struct baked_part *out, const struct part *part, const struct character *c, int shape)
{
    /* mouthClose is made for the open jaw: it must take back exactly what that does, after proportions too */
    struct deform from = {c, part->rig, shape == CP_SHAPE_mouthClose ? CP_SHAPE_jawOpen : 0, 0}, to = from;
    to.over = shape;
    int n = part->n_vertices;
    bool strands = part->surface == CP_SURFACE_LASH; /* ride on their roots, and are not lit */
    struct shape_rows rows = {calloc((size_t)n, sizeof(vec3)), calloc((size_t)n, sizeof(vec3))};
    bool any = false;
    for (int i = 0; i < n; i++) {
        const struct vertex *v = &part->vertices[i];
        vec3 before = deformed(&from, v->position, v->anchor), after = deformed(&to, v->position, v->anchor);
        vec3 move = sub(after, before);
        if (length(move) < SMALLEST_MOVE)
            continue;
        any = true;
        rows.position[i] = move;
        if (!strands)
            rows.normal[i] = sub(deformed_normal(&to, v, after), deformed_normal(&from, v, before));
    }
    if (any) {
        out->shapes[shape] = rows;
        out->has_shapes = true;
        return;
    }
    free(rows.position);
    free(rows.normal);
}

static void bake_part(struct baked_part *out, struct part *part, const struct character *c)
{
    size_t n = (size_t)part->n_vertices;
    vec3 *rest = malloc(n * sizeof *rest), *normals = malloc(n * sizeof *normals);
    struct deform none = {c, part->rig, 0, 0};
    out->weights = malloc(n * sizeof *out->weights);
    for (size_t i = 0; i < n; i++) {
        const struct vertex *v = &part->vertices[i];
        rest[i] = deformed(&none, v->position, v->anchor);
        normals[i] = part->rig == RIG_BODY ? v->normal : deformed_normal(&none, v, rest[i]);
        out->weights[i] = skin_weights(c, part->rig, v->anchor);
    }
    if (part->rig == RIG_FACE || part->rig == RIG_JAW || part->rig == RIG_TONGUE)
        for (int shape = 1; shape < CP_SHAPE_COUNT; shape++)
            bake_shape(out, part, c, shape);
    for (size_t i = 0; i < n; i++) {
        struct vertex *v = &part->vertices[i];
        v->position = rest[i];
        v->normal = normals[i];
        vec3 t = along(v->tangent, v->normal, -dot(v->tangent, v->normal));
        v->tangent = length(t) > 0.05f ? unit(t) : unit(cross(v->normal, v3(0.3f, 0.2f, 0.9f)));
    }
    out->part = *part;
    free(rest);
    free(normals);
}

static void leave_out_unseen(struct sculpture *s, const struct character *c)
{
    vec3 *places[sizeof s->parts / sizeof *s->parts];
    for (int k = 0; k < s->n_parts; k++) {
        const struct part *part = &s->parts[k];
        struct deform none = {c, part->rig, 0, 0};
        places[k] = malloc(((size_t)part->n_vertices + 1) * sizeof *places[k]);
        for (int i = 0; i < part->n_vertices; i++)
            places[k][i] = deformed(&none, part->vertices[i].position, part->vertices[i].anchor);
    }
    drop_unseen(s, c, places);
    for (int k = 0; k < s->n_parts; k++)
        free(places[k]);
}

void bake(struct sculpture *s, const struct character *c, struct baked *ret)
{
    memset(ret, 0, sizeof *ret);
    skeleton_make(c, &ret->skeleton);
    for (int k = 0; k < s->n_parts; k++)
        if (s->parts[k].n_indices)
            part_simplify(&s->parts[k], c);
    leave_out_unseen(s, c);
    for (int k = 0; k < s->n_parts; k++) {
        if (s->parts[k].n_indices == 0) /* no earrings, say: glTF has no empty meshes */
            continue;
        paint(c, &s->parts[k]);
        if (s->parts[k].rig == RIG_FACE && s->parts[k].surface == CP_SURFACE_SKIN)
            ret->skin = skin_unroll(&s->parts[k], c);
        bake_part(&ret->parts[ret->n_parts++], &s->parts[k], c);
    }
}

void baked_free(struct baked *b)
{
    for (int k = 0; k < b->n_parts; k++) {
        free(b->parts[k].weights);
        for (int shape = 0; shape < CP_SHAPE_COUNT; shape++) {
            free(b->parts[k].shapes[shape].position);
            free(b->parts[k].shapes[shape].normal);
        }
    }
    free(b->skin);
    memset(b, 0, sizeof *b);
}
