/* A single-breasted jacket: notched lapels, breast pocket, flapped pockets, fronts that round away to the
 * hem. */
#include "clothes.h"

static const float jacket_height = 1.05f;   /* of the cloth above the body */
static const float GORGE_Y = -19.4f;        /* where lapel and collar meet */
static const float DRAWN_BUTTON_Y = -38.5f; /* the tables are drawn for this; see stretch() */

/* Half width of the opening, by height. */
static const float opening[][2] = {{-38.5f, 0},    {-33, 1.5f},    {-26, 3.3f},
                                   {-19.4f, 5.0f}, {-14.4f, 6.2f}, {-8, 6.2f}};

/* How much longer the lapels are than in the tables. */
static float stretch(const struct character *c)
{
    return (c->jacket_button - GORGE_Y) / (DRAWN_BUTTON_Y - GORGE_Y);
}
static enum weave weave_of(const struct character *c)
{
    return c->jacket_weave > 1.5f ? WEAVE_HERRINGBONE : WEAVE_TWILL;
}
static float lowest_y(const struct character *c)
{
    return c->jacket_length;
}

/* Half the gap between the fronts below the last button. */
static float cutaway(const struct character *c, float y)
{
    float from = c->jacket_button - 10.5f, below = maxf(0, from - y) / maxf(from - lowest_y(c), 1);
    return 5.5f * below * below;
}

static float sd_sleeve(const struct character *c, vec3 p)
{
    vec3 q = arm_from_rest(c, p);
    float d = sd_arm(c, p) - jacket_height - 0.35f * ease(-54, -67, q.y) - sleeve_folds(q);
    return meet(d, -67.2f - q.y, 0.3f);
}

float sd_jacket_hull(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z), shoulder = shoulder_joint(c);
    /* it hugs the neck, unless a shirt's collar stands between */
    float hug = (top_of(c) == TOP_SHIRT ? 0.1f : 0.45f) * ease(-20, -15, p.y) * ease(9, 6, q.x);
    float d = sd_torso(c, q) - jacket_height + hug - 0.45f * ease(-52, -66, p.y) - trunk_folds(q);
    /* a light pad squares the shoulder */
    d = join(d, sd_ellipsoid(q, add(shoulder, v3(-1.2f, 2.1f, 0.3f)), v3(4.0f, 1.3f, 3.9f)), 3.0f);
    d = meet(d, lowest_y(c) - p.y, 0.3f);
    return join(d, sd_sleeve(c, q), 1.8f);
}

static float carve_opening(float d, const struct character *c, vec3 p)
{
    if (p.z < -4.8f)
        return d;
    float y = p.y < GORGE_Y ? GORGE_Y + (p.y - GORGE_Y) / stretch(c) : p.y;
    float outside = (fabsf(p.x) - table_at(opening, 6, y)) * 0.93f;
    if (y < opening[0][0])
        outside = minf(opening[0][0] - y + fabsf(p.x) * 0.3f, fabsf(p.x) + 0.3f - cutaway(c, p.y));
    return meet(d, -maxf(outside, -0.6f - sd_body(c, p)), 0.3f);
}

static float carve_neck(float d, vec3 p, float radius, float base_y)
{
    float hole = hypotf(p.x, p.z + 3.6f) - radius + maxf(0, base_y - p.y) * 9;
    return meet(d, -hole, 0.3f);
}

float sd_jacket(const struct character *c, vec3 p)
{
    float d = sd_jacket_hull(c, p), a = fabsf(p.x), button = c->jacket_button;
    if (p.z > 0) /* the front edge, her right over her left, as far as it is buttoned */
        d += 0.30f * bell(p.x + 0.4f, 0.22f) * ease(button + 1, button - 1, p.y) *
             ease(button - 13, button - 10.5f, p.y);
    float armhole = a - (c->shoulder_width - 0.9f + 0.05f * square(p.z + 4)) - 0.10f * maxf(0, -20 - p.y);
    d += 0.16f * bell(armhole, 0.35f) * ease(-32, -28, p.y); /* the sleeve's seam */
    d = carve_opening(d, c, p);
    return carve_neck(d, p, 5.5f, -15.6f);
}

/* Rows of a collar for her left half, from the middle of the back to the notch. */
static const struct sheet collar = {
    .rows =
        {
            {{{0, -14.2f, -7.6f},
              {3, -14.4f, -7},
              {4.9f, -15.2f, -5},
              {5.3f, -16.6f, -2.2f},
              {5.0f, -18.2f, 0},
              {4.7f, -19.6f, 1.8f}},
             -0.60f},
            {{{0, -12.9f, -8.6f},
              {3.2f, -13.2f, -7.9f},
              {5.5f, -14.2f, -5.4f},
              {6.1f, -15.7f, -2.4f},
              {5.9f, -17.4f, 0.2f},
              {5.4f, -19.2f, 2.2f}},
             0.42f},
            {{{0, -14.2f, -9.4f},
              {3.8f, -14.4f, -8.6f},
              {6.7f, -15.2f, -5.8f},
              {7.6f, -16.6f, -2.4f},
              {7.4f, -18.4f, 0.5f},
              {7.2f, -20.3f, 2.2f}},
             0.42f},
            {{{0, -16.2f, -10.6f},
              {4.5f, -16.2f, -9.4f},
              {7.8f, -16.8f, -6.2f},
              {9.2f, -17.9f, -2.2f},
              {9.1f, -19.0f, 0.8f},
              {9.0f, -19.6f, 2.0f}},
             0.30f},
            {{{0, -16.4f, -10.6f},
              {4.6f, -16.4f, -9.4f},
              {8.0f, -17.0f, -6.2f},
              {9.4f, -18.0f, -2.2f},
              {9.3f, -19.0f, 0.8f},
              {9.2f, -19.6f, 2.0f}},
             -0.15f},
        },
    .n_rows = 5,
    .n_points = 6,
    .steps_along = 36,
    .steps_across = 7,
    .end_drop = 0.45f,
};
/* Rows of the left lapel, from the gorge seam down to the button. */
static const struct sheet lapel = {
    .rows =
        {
            {{{4.5f, -19.2f, 0}, {3.7f, -23, 0}, {2.7f, -28, 0}, {1.4f, -33, 0}, {-0.6f, -37.8f, 0}}, -0.70f},
            {{{5.2f, -19.0f, 0}, {4.4f, -23, 0}, {3.3f, -28, 0}, {2.0f, -33, 0}, {0.2f, -38.3f, 0}}, 0.45f},
            {{{7.3f, -20.2f, 0}, {6.9f, -24, 0}, {5.7f, -28.8f, 0}, {3.5f, -33.8f, 0}, {0.8f, -38.5f, 0}},
             0.42f},
            {{{10.3f, -21.5f, 0}, {9.6f, -25, 0}, {7.9f, -29.6f, 0}, {4.9f, -34.4f, 0}, {1.1f, -39.0f, 0}},
             0.30f},
            {{{10.5f, -21.6f, 0}, {9.8f, -25.1f, 0}, {8.1f, -29.7f, 0}, {5.1f, -34.5f, 0}, {1.2f, -39.1f, 0}},
             -0.15f},
        },
    .n_rows = 5,
    .n_points = 5,
    .steps_along = 20,
    .steps_across = 7,
    .from_front = true,
    .end_drop = 0.45f,
};

/* A flap or welt: a slanting patch from (x0, y0) to (x1, y1) along its lower edge. */
static void add_patch(struct part *part, const struct character *c, vec3 from, vec3 to, float high)
{
    struct sheet patch = {.n_rows = 4,
                          .n_points = 3,
                          .steps_along = 6,
                          .steps_across = 5,
                          .from_front = true,
                          .end_drop = 0.3f};
    static const float lifts[] = {-0.1f, 0.18f, 0.20f, -0.1f}, up[] = {0, 0.06f, 0.94f, 1};
    for (int r = 0; r < 4; r++) {
        patch.rows[r].lift = lifts[r];
        for (int i = 0; i < 3; i++)
            patch.rows[r].points[i] = add(blend3(from, to, 0.5f * (float)i), v3(0, up[r] * high, 0));
    }
    part_add_sheet(part, sd_jacket_hull, c, &patch);
}

static void build_lapels(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "lapels", CP_SURFACE_CLOTH, RIG_BODY);
    struct sheet whole_collar = collar, cut = lapel;
    for (int r = 0; r < cut.n_rows; r++)
        for (int i = 0; i < cut.n_points; i++) {
            vec3 *p = &cut.rows[r].points[i];
            if (r > 1) /* wider or narrower from the roll line on */
                p->x = blend(cut.rows[1].points[i].x, p->x, c->lapel_width);
            p->y = p->y < GORGE_Y ? GORGE_Y + (p->y - GORGE_Y) * stretch(c) : p->y;
        }
    for (int r = 2; r < whole_collar.n_rows; r++) /* and the collar's end with the lapel */
        whole_collar.rows[r].points[5].x =
            blend(whole_collar.rows[1].points[5].x, whole_collar.rows[r].points[5].x, c->lapel_width);
    sheet_unfold(&whole_collar);
    part_add_sheet(part, sd_jacket_hull, c, &cut);
    float waist = c->jacket_button - 11;
    add_patch(part, c, v3(5.8f, waist - 1.6f, 0), v3(11.0f, waist - 0.9f, 0), 2.9f);
    part_mirror(part);
    part_add_sheet(part, sd_jacket_hull, c, &whole_collar);
    add_patch(part, c, v3(8.7f, -30.6f, 0), v3(12.0f, -29.7f, 0), 1.3f); /* on her left only */
    part_compute_normals(part);
    finish_cloth(part, c, scale(c->color.blazer, 1.12f), weave_of(c));
}

static void build_seams(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "seams", CP_SURFACE_CLOTH, RIG_BODY);
    float hem = lowest_y(c), pocket = c->jacket_button - 9, side = c->shoulder_width;
    /* from the shoulder blade over the shoulder; down the front from under the bust to the pocket */
    const vec3 shoulder[] = {{6.6f, -15.2f, -4.6f},
                             {side * 0.62f, -15.8f, -4.9f},
                             {side - 1.2f, -17.0f, -4.9f}},
               dart[] = {{7.6f, -31.5f, 0}, {7.0f, -38, 0}, {6.8f, -45, 0}, {7.2f, pocket + 0.6f, 0}},
               back[] = {{0, -18, -13}, {0, -32, -13}, {0, -48, -13}, {0, hem + 0.8f, -14}},
               cuff[] = {
                   {side + 3.2f, -64.2f, 0.6f}, {side + 5.9f, -64.4f, 2.4f}, {side + 8.6f, -64.2f, 0.4f}};
    add_seam(part, sd_jacket_hull, c, shoulder, 3, false);
    add_seam(part, sd_jacket_hull, c, dart, 4, true);
    vec3 sleeve[3];
    for (int i = 0; i < 3; i++)
        sleeve[i] = arm_to_rest(c, cuff[i]);
    add_seam(part, sd_jacket_hull, c, sleeve, 3, false);
    part_mirror(part);
    add_seam(part, sd_jacket_hull, c, back, 4, false);
    part_compute_normals(part);
    for (int i = 0; i < part->n_vertices; i++)
        part->vertices[i].color = scale(c->color.blazer, 0.9f);
}

void build_jacket(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "blazer", CP_SURFACE_CLOTH, RIG_BODY);
    const struct axis axes[3] = {{-54, 54, 0.60f, {{-0.8f, 0.6f, 0.2f}}, 1},
                                 {-79.5f, -9, 0.6f, {{-40, -14, 0.48f}}, 1},
                                 {-16, 9, 0.6f, {{0}}, 0}};
    part_add_surface(part, sd_jacket, c, axes);
    drop_hidden(part, c, sd_top, 0.1f);
    finish_cloth(part, c, c->color.blazer, weave_of(c));
    part->max_triangles = 4000;
    build_lapels(s, c);
    build_seams(s, c);
    struct part *buttons = sculpture_add(s, "buttons", CP_SURFACE_PLAIN, RIG_BODY);
    for (int i = 0; i < 2; i++)
        add_button(buttons, sd_jacket, c, v3(0.55f, c->jacket_button - 2.0f - 8.0f * (float)i, 5), 0.85f);
    for (int i = 0; i < buttons->n_vertices; i++)
        buttons->vertices[i].color = c->color.button;
}
