/* Round the neck: a shirt's collar with placket and tie, a jumper's neckband or roll, a blouse's binding. */
#include "clothes.h"

/* What a collar stands on: the shirt, and the neck within it. */
static float sd_neck_and_top(const struct character *c, vec3 p)
{
    float neck = c->neck_width;
    float d = sd_capsule(p, v3(0, -7, -2.6f), v3(0, -19, -3.9f), 4.1f * neck, 4.6f * neck);
    return join(sd_torso(c, p) - 0.5f, d, 1.5f);
}

/* The left half of a collar, from the middle of the back to its point in front. */
static const struct sheet shirt_collar = {
    .rows =
        {
            {{{0, -15.0f, -8.8f},
              {3.3f, -15.2f, -7.6f},
              {5.0f, -15.8f, -4},
              {4.6f, -16.8f, -1},
              {2.8f, -17.8f, 1},
              {0.2f, -18.4f, 1.8f}},
             0.08f},
            {{{0, -11.9f, -8},
              {3, -12.1f, -7},
              {4.8f, -12.8f, -3.7f},
              {4.4f, -13.9f, -0.8f},
              {2.6f, -15.0f, 1},
              {0.2f, -15.6f, 1.6f}},
             0.22f},
            {{{0, -11.6f, -8.2f},
              {3.1f, -11.8f, -7.2f},
              {4.9f, -12.5f, -3.7f},
              {4.5f, -13.6f, -0.7f},
              {2.7f, -14.7f, 1.1f},
              {0.4f, -15.4f, 1.8f}},
             0.52f},
            {{{0, -13.6f, -8.8f},
              {3.5f, -13.8f, -7.9f},
              {5.7f, -14.6f, -4},
              {5.5f, -16.0f, -0.6f},
              {4.0f, -17.3f, 1.4f},
              {2.1f, -18.0f, 2.2f}},
             0.62f},
            {{{0, -15.6f, -9.6f},
              {4.0f, -15.7f, -8.4f},
              {6.8f, -16.4f, -4.2f},
              {7.0f, -18.2f, -0.4f},
              {5.9f, -20.0f, 1.8f},
              {4.7f, -21.9f, 3.2f}},
             0.42f},
            {{{0, -15.7f, -9.6f},
              {4.0f, -15.8f, -8.4f},
              {6.8f, -16.5f, -4.2f},
              {7.0f, -18.3f, -0.4f},
              {5.9f, -20.1f, 1.8f},
              {4.7f, -22.0f, 3.2f}},
             0.15f},
        },
    .n_rows = 6,
    .n_points = 6,
    .steps_along = 24,
    .steps_across = 9,
};

static void add_shirt_collar(struct part *part, const struct character *c)
{
    struct sheet half = shirt_collar;
    static const float give[] = {0, 0, 0, 0.12f, 0.5f, 1}; /* how far an open collar's front falls apart */
    float wide = (c->neck_width - 1.16f) * 4;
    for (int r = 0; r < half.n_rows; r++)
        for (int i = 0; i < half.n_points; i++) {
            vec3 *p = &half.rows[r].points[i];
            p->x += give[i] * c->collar_open * (r < 4 ? 1.9f : 1.1f) + wide * ease(0, 3, p->x);
            p->y -= give[i] * c->collar_open * (r < 4 ? 1.9f : 0.4f);
        }
    sheet_unfold(&half);
    part_add_sheet(part, sd_neck_and_top, c, &half);
}

/* A patch between two edges that run down the front, `half` wide at each of n heights. */
static void add_front_strip(struct part *part, const struct character *c, const float (*half)[2], int n,
                            float lift, float crest)
{
    struct sheet strip = {
        .n_rows = 5, .n_points = n, .steps_along = 3 * n, .steps_across = 6, .from_front = true};
    static const float across[] = {-1, -0.93f, 0, 0.93f, 1};
    for (int r = 0; r < 5; r++) {
        strip.rows[r].lift = r == 0 || r == 4 ? -0.15f : r == 2 ? crest : lift;
        for (int i = 0; i < n; i++)
            strip.rows[r].points[i] = v3(across[r] * half[i][1], half[i][0], 0);
    }
    part_add_sheet(part, sd_top_hull, c, &strip);
}

static void add_tie(struct sculpture *s, const struct character *c)
{
    struct part *tie = sculpture_add(s, "tie", CP_SURFACE_CLOTH, RIG_BODY);
    static const float blade[][2] = {{-19.2f, 1.1f}, {-24, 1.8f}, {-32, 2.6f}, {-42, 3.4f},
                                     {-52, 4.0f},    {-57, 4.1f}, {-60, 0.4f}},
                       knot[][2] = {
                           {-15.0f, 1.2f}, {-16.0f, 1.9f}, {-17.6f, 1.6f}, {-19.2f, 1.15f}, {-19.8f, 0.9f}};
    add_front_strip(tie, c, blade, 7, 0.30f, 0.52f);
    add_front_strip(tie, c, knot, 5, 0.75f, 1.30f);
    part_compute_normals(tie);
    finish_cloth(tie, c, c->color.tie, WEAVE_STRIPE);
}

static void add_placket(struct sculpture *s, struct part *part, const struct character *c)
{
    float top = -18.6f - c->collar_open * 4.2f;
    const float band[][2] = {{top + 0.7f, 0.4f},
                             {top - 1.0f, 1.5f},
                             {blend(top, -54.5f, 0.33f), 1.5f},
                             {blend(top, -54.5f, 0.67f), 1.5f},
                             {-54.5f, 1.5f}};
    add_front_strip(part, c, band, 5, 0.09f, 0.10f);
    struct part *buttons = sculpture_add(s, "shirt_buttons", CP_SURFACE_PLAIN, RIG_BODY);
    for (float y = top - 1.6f; y > -54 && !(c->tie > 0.5f); y -= 7.5f)
        add_button(buttons, sd_top_hull, c, v3(0, y, 5), 0.52f);
    for (int i = 0; i < buttons->n_vertices; i++)
        buttons->vertices[i].color = linear_color(0xD8D2C8);
}

void build_shirt_collar(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "collar", CP_SURFACE_CLOTH, RIG_BODY);
    add_shirt_collar(part, c);
    add_placket(s, part, c);
    part_compute_normals(part);
    finish_cloth(part, c, c->color.blouse, WEAVE_POPLIN);
    if (c->tie > 0.5f)
        add_tie(s, c);
}

enum { RING_POINTS = 7 }; /* of half a ring */

/* From the front: the ends of a ring meet behind. */
static float ring_angle(int i)
{
    return (1 - (float)i / (RING_POINTS - 1)) * 3.14159265f;
}

/* Where a level ray towards the neck's axis comes to `lift` over the field. */
static vec3 ring_point(sdf_field *field, const struct character *c, float angle, float y, float lift)
{
    float r = 15;
    for (int k = 0; k < 80; k++) {
        float d = field(c, v3(r * sinf(angle), y, NECK_AXIS_Z - r * cosf(angle))) - lift;
        if (d < 0.005f)
            break;
        r -= 0.5f * d;
    }
    bool middle = sinf(angle) < 0.01f;
    return v3(middle ? 0 : r * sinf(angle), y, NECK_AXIS_Z - r * cosf(angle));
}

/* A row along the neckline, `below` cm under its edge (less over the shoulders, as they slope). */
static void band_row(struct sheet_row *row, const struct character *c, float below, float lift)
{
    const struct neck_edge edge = neck_edge(c);
    for (int i = 0; i < RING_POINTS; i++) {
        float angle = ring_angle(i), y = neck_edge_y(&edge, angle) - below * blend(0.95f, 0.45f, sinf(angle));
        row->points[i] = ring_point(sd_top_hull, c, angle, y, lift);
    }
    row->lift = lift;
}

/* A rolled collar stands on the neck and falls back over itself, down to the shoulders. */
static void add_roll(struct part *part, const struct character *c)
{
    struct sheet roll = {.n_rows = 6, .n_points = RING_POINTS, .steps_along = 40, .steps_across = 10};
    static const float below[] = {3.0f, 0.4f, 0, 0.5f, 4.0f, 4.3f},
                       lift[] = {0.1f, 0.15f, 0.42f, 0.72f, 0.6f, -0.4f};
    const struct neck_edge edge = neck_edge(c);
    for (int r = 0; r < 6; r++) {
        for (int i = 0; i < RING_POINTS; i++) {
            float angle = ring_angle(i), top = -11.5f + 1.0f * cosf(angle);
            float lowest = neck_edge_y(&edge, angle) - (r == 5 ? 0.7f : 0.4f);
            roll.rows[r].points[i] =
                ring_point(sd_neck_and_top, c, angle, maxf(top - below[r], lowest), lift[r]);
        }
        roll.rows[r].lift = lift[r];
    }
    sheet_unfold(&roll);
    part_add_sheet(part, sd_neck_and_top, c, &roll);
}

static void add_band(struct part *part, const struct character *c, float width)
{
    struct sheet band = {.n_rows = 4, .n_points = RING_POINTS, .steps_along = 40, .steps_across = 5};
    if (has_jacket(c)) /* which covers the rest */
        band.n_points = RING_POINTS / 2 + 1;
    const float below[] = {-0.25f, -0.1f, 0.9f * width, width}, lift[] = {-0.6f, 0.14f, 0.14f, -0.2f};
    for (int r = 0; r < 4; r++)
        band_row(&band.rows[r], c, below[r], lift[r]);
    sheet_unfold(&band);
    part_add_sheet(part, sd_top_hull, c, &band);
}

void build_neckband(struct sculpture *s, const struct character *c)
{
    struct part *band = sculpture_add(s, "neckline", CP_SURFACE_CLOTH, RIG_BODY);
    bool knit = top_of(c) >= TOP_KNIT;
    if (top_of(c) == TOP_ROLL_NECK)
        add_roll(band, c);
    else
        add_band(band, c, knit ? 2.0f : 0.6f);
    part_compute_normals(band);
    finish_cloth(band, c, scale(c->color.blouse, 0.94f), knit ? WEAVE_RIB : WEAVE_POPLIN);
    if (knit) { /* ribs stand across the band, one a step along; a row has steps_across + 1 vertices */
        int columns = top_of(c) == TOP_ROLL_NECK ? 11 : 6;
        for (int i = 0; i < band->n_vertices; i++)
            band->vertices[i].u = (float)(i / columns) * 0.9f, band->vertices[i].v = (float)(i % columns);
    }
}
