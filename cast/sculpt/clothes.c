/* What all garments share: folds, seams, weave; trousers, shoes and jewellery; and what cloth hides. */
#include "clothes.h"

#include <stdlib.h>
#include <string.h>

float trunk_folds(vec3 p)
{
    float a = fabsf(p.x);
    float waist = bell(p.y + 49, 9) * sinf(p.y * 0.55f + a * 0.9f) * ease(2, 7, a);
    float armpit = bell(a - 12.5f, 2.6f) * bell(p.y + 27, 6) * sinf((p.y + a * 1.4f) * 0.9f);
    return 0.22f * waist + 0.22f * armpit + 0.10f * (noise3(scale(p, 0.22f)) - 0.5f);
}
float sleeve_folds(vec3 q)
{
    float elbow = bell(q.y + 45, 7) * sinf(q.y * 1.25f + q.z * 0.5f + q.x);
    return 0.13f * elbow + 0.10f * (noise3(scale(q, 0.22f)) - 0.5f);
}

static const float WAIST_Y = -55.0f; /* the upper edge of the trousers */

/* Hips and legs with a little ease, open round the shoe. */
float sd_trousers(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z), hip = hip_joint(c), ankle = ankle_joint(c);
    float leg = sd_capsule(q, add(hip, v3(-0.8f, 0, 0)), ankle, 6.5f, 5.4f);
    float d = meet(sd_trunk(c, p) - 0.6f, hip.y - 5 - p.y, 5.0f);
    d = join(d, leg, 3.5f);
    d += 0.12f * bell(q.x - blend(9.2f, ankle.x, ease(hip.y, ankle.y, p.y)), 0.4f) * ease(0, 3, p.z) *
         ease(hip.y + 10, hip.y, p.y); /* crease */
    return meet(d, maxf(p.y - WAIST_Y, ankle.y - 2.0f - p.y), 0.3f);
}

static float sd_belt(const struct character *c, vec3 p)
{
    return meet(sd_trunk(c, p) - 0.85f, fabsf(p.y - WAIST_Y + 2.0f) - 1.6f, 0.2f);
}

/* Shoes: the foot in leather, on a sole. */
static float sd_shoe(const struct character *c, vec3 p)
{
    vec3 ankle = ankle_joint(c);
    return meet(sd_leg(c, p) - 0.35f, p.y - ankle.y - 1.5f, 0.4f);
}

/* Where the cloth of a vertex lies flat, cm: pieces of trunk hang from the shoulders' seam, in front and
 * behind; sleeves are cut along the arm. */
static void lay_flat(const struct character *c, struct vertex *v, bool sleeve)
{
    vec3 q = v3(fabsf(v->position.x), v->position.y, v->position.z), up = v3(0, 1, 0);
    bool left = v->position.x > 0;
    vec3 flat = sleeve ? arm_from_rest(c, q) : q;
    if (sleeve) {
        up = sub(arm_to_rest(c, up), arm_to_rest(c, v3(0, 0, 0)));
    } else { /* goes round at the sides only */
        flat.y = -hypotf(flat.y - blend(-11.5f, -15.6f, clampf((flat.x - 2) / 11, 0, 1)), flat.z + 4.4f);
        flat.z *= ease(8, 13, flat.x) * ease(-22, -28, q.y);
    }
    v->u = (left ? flat.x : -flat.x) + flat.z * 0.7f;
    v->v = flat.y;
    v->tangent = left ? up : mirror(up);
}

void finish_cloth(struct part *part, const struct character *c, vec3 color, enum weave weave)
{
    int n = part->n_vertices;
    bool *sleeve = malloc((size_t)n);
    int *other = malloc((size_t)n * sizeof *other); /* a vertex' double on the other side of the armhole */
    part->weave = weave;
    for (int i = 0; i < n; i++) {
        struct vertex *v = &part->vertices[i];
        vec3 q = v3(fabsf(v->position.x), v->position.y, v->position.z);
        sleeve[i] = sd_arm(c, q) < sd_torso(c, q) && sd_arm(c, q) < 3;
        v->color = scale(color, 0.93f + 0.14f * noise3(scale(v->position, 0.7f)));
        lay_flat(c, v, sleeve[i]);
        other[i] = -1;
    }
    for (int i = 0; i < part->n_indices; i += 3) {
        uint32_t *t = part->indices + i;
        bool of_sleeve = sleeve[t[0]] + sleeve[t[1]] + sleeve[t[2]] >= 2;
        for (int k = 0; k < 3; k++) {
            uint32_t id = t[k];
            if (sleeve[id] == of_sleeve)
                continue;
            if (other[id] < 0) {
                struct vertex v = part->vertices[id];
                lay_flat(c, &v, of_sleeve);
                other[id] = part_add_vertex(part, &v);
            }
            t[k] = (uint32_t)other[id];
        }
    }
    free(sleeve);
    free(other);
}

void drop_hidden(struct part *part, const struct character *c, sdf_field *cover, float depth)
{
    bool *hidden = calloc((size_t)part->n_vertices, sizeof *hidden);
    for (int i = 0; i < part->n_vertices; i++)
        hidden[i] = cover(c, part->vertices[i].position) < -depth;
    part_drop_marked(part, hidden);
    free(hidden);
}

void add_seam(struct part *part, sdf_field *field, const struct character *c, const vec3 *line, int n,
              bool from_front)
{
    enum { STEPS = 22, ACROSS = 2 };
    const float half = 0.3f;
    struct sheet strip = {
        .n_rows = 3, .n_points = n, .steps_along = STEPS, .steps_across = ACROSS, .from_front = from_front};
    for (int i = 0; i < n; i++) {
        vec3 way = unit(sub(line[i + 1 < n ? i + 1 : i], line[i > 0 ? i - 1 : 0]));
        vec3 out = from_front ? v3(0, 0, 1) : unit(sd_gradient(field, c, line[i], 0.1f));
        vec3 side = unit(cross(way, out));
        for (int r = 0; r < 3; r++) {
            strip.rows[r].points[i] = along(line[i], side, half * (float)(r - 1));
            strip.rows[r].lift = r == 1 ? 0.06f : 0.03f;
        }
    }
    int first = part->n_vertices;
    part_add_sheet(part, field, c, &strip);
    float far = 0;
    for (int i = first; i < part->n_vertices; i++) {
        int k = i - first;
        if (k % (ACROSS + 1) == 0 && k > 0)
            far += length(sub(part->vertices[i].position, part->vertices[i - ACROSS - 1].position));
        part->vertices[i].u = half * (float)(k % (ACROSS + 1));
        part->vertices[i].v = far;
    }
    part->weave = WEAVE_SEAM;
}

void add_button(struct part *part, sdf_field *field, const struct character *c, vec3 p, float radius)
{
    p = sd_project(field, c, p, 0.14f * radius + 0.05f);
    part_add_ball(part, p, unit(sd_gradient(field, c, p, 0.2f)), radius, 0.28f, 4, 12);
}

static void build_jewels(struct sculpture *s, const struct character *c)
{
    struct part *earrings = sculpture_add(s, "earrings", CP_SURFACE_METAL, RIG_HEAD);
    if (c->earrings > 0)
        part_add_ball(earrings, v3(7.7f, -3.85f, -0.5f), v3(0, 1, 0), 0.33f, 1, 6, 10);
    part_mirror(earrings);
    for (int i = 0; i < earrings->n_vertices; i++)
        earrings->vertices[i].color = c->color.jewel;
}

static void build_legs(struct sculpture *s, const struct character *c)
{
    vec3 ankle = ankle_joint(c);
    struct part *trousers = sculpture_add(s, "trousers", CP_SURFACE_CLOTH, RIG_BODY);
    const struct axis axes[3] = {
        {-19, 19, 0.9f, {{0}}, 0}, {ankle.y - 5, -53, 1.1f, {{0}}, 0}, {-17, 9, 0.9f, {{0}}, 0}};
    part_add_surface(trousers, sd_trousers, c, axes);
    if (has_jacket(c))
        drop_hidden(trousers, c, sd_jacket, 0.4f);
    finish_cloth(trousers, c, c->color.skirt, WEAVE_TWILL);
    trousers->max_triangles = 1300;

    struct part *belt = sculpture_add(s, "belt", CP_SURFACE_PLAIN, RIG_BODY);
    const struct axis waist[3] = {
        {-15, 15, 0.7f, {{0}}, 0}, {WAIST_Y - 5, WAIST_Y + 1, 0.5f, {{0}}, 0}, {-15, 9, 0.7f, {{0}}, 0}};
    if (top_of(c) < TOP_KNIT)
        part_add_surface(belt, sd_belt, c, waist);
    drop_hidden(belt, c, has_jacket(c) ? sd_jacket : sd_trousers, 0.1f);
    for (int i = 0; i < belt->n_vertices; i++)
        belt->vertices[i].color = scale(c->color.button, 0.6f);
    belt->max_triangles = 700;

    struct part *shoes = sculpture_add(s, "shoes", CP_SURFACE_PLAIN, RIG_BODY);
    const struct axis foot[3] = {
        {1, 17, 0.6f, {{0}}, 0}, {ankle.y - 10, ankle.y + 3, 0.6f, {{0}}, 0}, {-13, 18, 0.6f, {{0}}, 0}};
    part_add_surface(shoes, sd_shoe, c, foot);
    part_mirror(shoes);
    for (int i = 0; i < shoes->n_vertices; i++)
        shoes->vertices[i].color = scale(c->color.button, 0.7f);
    shoes->max_triangles = 500;
}

/* Skin under cloth, and skin behind the eyeballs, is never seen. */
static void drop_hidden_skin(struct part *part, const struct character *c)
{
    bool *hidden = calloc((size_t)part->n_vertices, sizeof *hidden);
    for (int i = 0; i < part->n_vertices; i++) {
        vec3 p = part->vertices[i].position,
             e = sub(v3(fabsf(p.x), p.y, p.z), v3(c->eye_apart, 0, c->eye_depth));
        bool covered = p.y < -13 && (sd_top(c, p) < -0.12f || (has_jacket(c) && sd_jacket(c, p) < -0.12f));
        hidden[i] = covered || (length(e) < c->eye_radius + 0.04f && e.z < 0.7f);
    }
    part_drop_marked(part, hidden);
    free(hidden);
}

void build_clothes(struct sculpture *s, const struct character *c)
{
    if (has_jacket(c))
        build_jacket(s, c);
    build_top(s, c);
    build_jewels(s, c);
    build_legs(s, c);
    for (int k = 0; k < s->n_parts; k++)
        if (strcmp(s->parts[k].name, "head") == 0)
            drop_hidden_skin(&s->parts[k], c);
        else if (strcmp(s->parts[k].name, "hands") == 0)
            drop_hidden(&s->parts[k], c, has_jacket(c) ? sd_jacket : sd_top, 0.5f);
}
