/* What is worn under a jacket or instead of one: blouse, shirt, jumper. */
#include "clothes.h"

static const float RIB_Y = -62.4f, HEM_Y = -67.0f; /* a jumper's hem: where its rib begins and ends */

static bool is_knit(const struct character *c)
{
    return top_of(c) >= TOP_KNIT;
}
/* Of the cloth above the body. */
static float top_height(const struct character *c)
{
    return is_knit(c) ? 0.75f : 0.50f;
}

struct neck_edge neck_edge(const struct character *c)
{
    float wide = 1 + (c->neck_width - 0.93f) * 0.8f;
    struct neck_edge edge = {5.0f * wide, top_of(c) == TOP_SHIRT ? -17.6f : -15.6f, 0, -13.6f};
    if (top_of(c) == TOP_BLOUSE)
        edge = (struct neck_edge){7.3f * wide, -22.4f + c->neckline_rise, 0, -14.2f};
    else if (top_of(c) == TOP_KNIT)
        edge = (struct neck_edge){5.6f * wide, -18.4f + c->neckline_rise, 0, -13.8f};
    /* where the shoulder's slope is that far out */
    float above = -9, below = -17;
    for (int k = 0; k < 8; k++) {
        edge.side_y = 0.5f * (above + below);
        bool outside = sd_top_hull(c, v3(edge.half_width, edge.side_y, NECK_AXIS_Z)) > 0;
        *(outside ? &above : &below) = edge.side_y;
    }
    return edge;
}

float neck_edge_y(const struct neck_edge *edge, float angle)
{
    float ahead = -cosf(angle);
    return blend(edge->side_y, ahead > 0 ? edge->front_y : edge->back_y, fabsf(ahead));
}

static float carve_neck(float d, const struct neck_edge *edge, vec3 p)
{
    float y = neck_edge_y(edge, atan2f(fabsf(p.x), NECK_AXIS_Z - p.z));
    return meet(d, -maxf(y - p.y, fabsf(p.x) - edge->half_width - 0.3f), 0.15f);
}

static float sd_top_sleeve(const struct character *c, vec3 p)
{
    vec3 q = arm_from_rest(c, p);
    float d = sd_arm(c, p) - top_height(c) - 0.45f * ease(-54, -62, q.y) - 1.2f * sleeve_folds(q);
    if (is_knit(c)) /* the rib draws in */
        d += 0.55f * ease(-62.8f, -63.6f, q.y) - 0.12f * bell(q.y + 62.6f, 0.7f);
    else /* a cuff of its own */
        d += 0.25f * ease(-61.6f, -62.2f, q.y) - 0.10f * bell(q.y + 60.8f, 1.0f);
    return meet(d, -67.6f - q.y, 0.25f);
}

float sd_top_hull(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z);
    if (has_jacket(c)) /* only its front is ever seen */
        return meet(meet(sd_body(c, p) - top_height(c), -58 - p.y, 0.3f), q.x - 10.5f, 0.3f);
    float d = sd_torso(c, q) - top_height(c) - 0.8f * trunk_folds(q);
    if (is_knit(c)) {
        d -= 0.55f * ease(-44, -60, p.y) + 0.15f * bell(p.y - RIB_Y - 0.4f, 1.0f);
        d += 0.50f * ease(RIB_Y, RIB_Y - 0.8f, p.y);
        d = meet(d, HEM_Y - p.y, 0.3f);
    } else { /* tucked in, with some ease above the belt */
        d -= 0.7f * ease(-38, -52, p.y) * ease(-57.5f, -53.5f, p.y);
        d += 0.6f * ease(-54.0f, -56.0f, p.y);
        d = meet(d, -59 - p.y, 0.3f);
    }
    return join(d, sd_top_sleeve(c, q), 1.8f);
}

float sd_top(const struct character *c, vec3 p)
{
    float d = sd_top_hull(c, p);
    if (!is_knit(c))
        d -= 0.05f * (noise3(v3(p.x * 0.9f, p.y * 0.25f, 0)) - 0.5f);
    if (p.y > -25 && fabsf(d) < 1.5f) { /* elsewhere it makes no difference to the surface */
        struct neck_edge edge = neck_edge(c);
        d = carve_neck(d, &edge, p);
    }
    if (top_of(c) == TOP_SHIRT && c->collar_open > 0 && p.z > -2) { /* unbuttoned below the collar */
        float open = c->collar_open * 4.2f, y = p.y + 18 + open;
        d = meet(d, -maxf(fabsf(p.x) - 0.62f * maxf(y, 0), -y), 0.2f);
    }
    return d;
}

/* Ribs run with the arm and the trunk; their coordinates do too. */
static void mark_ribs(struct part *part, const struct character *c)
{
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        vec3 q = arm_from_rest(c, v3(fabsf(v->position.x), v->position.y, v->position.z));
        float rib = maxf(ease(RIB_Y, RIB_Y - 0.5f, v->position.y) * (fabsf(v->position.x) < 17),
                         ease(-63.2f, -63.7f, q.y) * (fabsf(v->position.x) > 20));
        v->color = scale(v->color, 1 - 0.10f * rib);
    }
}

void build_top(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "blouse", CP_SURFACE_CLOTH, RIG_BODY);
    enum weave weave = is_knit(c) ? WEAVE_KNIT : WEAVE_POPLIN;
    if (has_jacket(c)) {
        const struct axis axes[3] = {
            {-12, 12, 0.36f, {{0}}, 0}, {-60, -9, 0.36f, {{0}}, 0}, {-11.5f, 8, 0.36f, {{0}}, 0}};
        part_add_surface(part, sd_top, c, axes);
        drop_hidden(part, c, sd_jacket, 0.25f);
        part->max_triangles = 1100;
    } else {
        const struct axis axes[3] = {{-54, 54, 0.55f, {{-7, 7, 0.36f}}, 1},
                                     {-70, -9, 0.55f, {{-24, -12, 0.36f}}, 1},
                                     {-16, 9, 0.55f, {{0}}, 0}};
        part_add_surface(part, sd_top, c, axes);
        drop_hidden(part, c, sd_trousers, 0.25f);
        part->max_triangles = 5200;
    }
    finish_cloth(part, c, c->color.blouse, weave);
    if (is_knit(c))
        mark_ribs(part, c);
    if (top_of(c) == TOP_SHIRT)
        build_shirt_collar(s, c);
    else
        build_neckband(s, c);
}
