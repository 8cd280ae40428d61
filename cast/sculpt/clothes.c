/* A single-breasted blazer over a blouse with a bound neckline, trousers, shoes, pearl earrings. */
#include "body.h"
#include "loft.h"

#include <stdlib.h>
#include <string.h>

static const float blazer_height = 1.05f, blouse_height = 0.50f; /* of the cloth above the body */
static const float button_y = -38.5f;                            /* where the lapels end */

/* Half width of the blazer's opening, and of the blouse's neckline, by height. */
static const float opening[][2] = {{-38.5f, 0},    {-33, 1.5f},    {-26, 3.3f},
                                   {-19.4f, 5.0f}, {-14.4f, 6.2f}, {-8, 6.2f}};
static const float neckline[][2] = {{-22.75f, 0},   {-22.2f, 1.7f}, {-20.6f, 3.5f},
                                    {-18.6f, 4.9f}, {-16.6f, 6.0f}, {-14, 7.1f}};

/* Cloth lies in soft folds where the body bends: waist and armpits, elbows. */
static float trunk_folds(vec3 p)
{
    float a = fabsf(p.x);
    float waist = bell(p.y + 49, 9) * sinf(p.y * 0.55f + a * 0.9f) * ease(2, 7, a);
    float armpit = bell(a - 12.5f, 2.6f) * bell(p.y + 27, 6) * sinf((p.y + a * 1.4f) * 0.9f);
    return 0.22f * waist + 0.22f * armpit + 0.10f * (noise3(scale(p, 0.22f)) - 0.5f);
}
static float sleeve_folds(vec3 q) /* in the hanging arm's space */
{
    float elbow = bell(q.y + 45, 7) * sinf(q.y * 1.25f + q.z * 0.5f + q.x);
    return 0.13f * elbow + 0.10f * (noise3(scale(q, 0.22f)) - 0.5f);
}

static float sd_sleeve(const struct character *c, vec3 p)
{
    vec3 q = arm_from_rest(c, p);
    float d = sd_arm(c, p) - blazer_height - 0.35f * ease(-54, -67, q.y) - sleeve_folds(q);
    return meet(d, -67.2f - q.y, 0.3f);
}

/* The blazer as if closed to the neck: what lapels lie on. */
static float sd_blazer_hull(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z), shoulder = shoulder_joint(c);
    float d = sd_torso(c, q) - blazer_height - 0.45f * ease(-52, -70, p.y) - trunk_folds(q);
    /* a light pad squares the shoulder */
    d = join(d, sd_ellipsoid(q, add(shoulder, v3(-1.2f, 2.3f, 0.3f)), v3(4.2f, 1.4f, 3.9f)), 3.0f);
    d = meet(d, -76.0f - p.y, 0.3f);
    return join(d, sd_sleeve(c, q), 1.8f);
}

static float carve_opening(float d, const struct character *c, vec3 p, const float (*widths)[2], float rise,
                           float from_z)
{
    if (p.z < from_z)
        return d;
    float width = table_at(widths, 6, p.y - rise), lowest = widths[0][0] + rise;
    float outside = p.y < lowest ? lowest - p.y + fabsf(p.x) * 0.3f : (fabsf(p.x) - width) * 0.93f;
    return meet(d, -maxf(outside, -0.6f - sd_body(c, p)), 0.3f);
}

static float carve_neck(float d, vec3 p, float radius, float base_y)
{
    float hole = hypotf(p.x, p.z + 3.6f) - radius + maxf(0, base_y - p.y) * 9;
    return meet(d, -hole, 0.3f);
}

static float sd_blazer(const struct character *c, vec3 p)
{
    float d = sd_blazer_hull(c, p), a = fabsf(p.x);
    if (p.z > 0) /* the front edge, her right over her left, rounding away to the hem */
        d += 0.30f * bell(p.x + 0.4f + maxf(0, -60 - p.y) * 0.12f, 0.22f) *
             ease(button_y + 1, button_y - 1, p.y);
    float armhole = a - (13.3f + 0.05f * square(p.z + 4)) - 0.10f * maxf(0, -20 - p.y);
    d += 0.10f * bell(armhole, 0.35f) * ease(-32, -28, p.y); /* the sleeve's seam */
    d = carve_opening(d, c, p, opening, 0, -4.8f);
    return carve_neck(d, p, 5.5f, -15.6f);
}

static float sd_blouse(const struct character *c, vec3 p)
{
    float d = sd_body(c, p) - blouse_height;
    d = carve_opening(d, c, p, neckline, c->neckline_rise, -5.5f);
    d = carve_neck(d, p, 5.9f, -15.2f);
    d -= 0.05f * (noise3(v3(p.x * 0.9f, p.y * 0.25f, 0)) - 0.5f);
    return meet(meet(d, -43 - p.y, 0.3f), fabsf(p.x) - 9.5f, 0.3f);
}

/* Trousers: hips and legs with a little ease, open round the shoe. */
static float sd_trousers(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z), hip = hip_joint(c), ankle = ankle_joint(c);
    float leg = sd_capsule(q, add(hip, v3(-0.8f, 0, 0)), ankle, 6.5f, 5.4f);
    float d = meet(sd_trunk(c, p) - 0.6f, hip.y - 5 - p.y, 5.0f);
    d = join(d, leg, 3.5f);
    d += 0.12f * bell(q.x - blend(9.2f, ankle.x, ease(hip.y, ankle.y, p.y)), 0.4f) *
         ease(0, 3, p.z); /* crease */
    return meet(d, maxf(p.y + 66, ankle.y - 2.0f - p.y), 0.4f);
}

/* Shoes: the foot in leather, on a sole. */
static float sd_shoe(const struct character *c, vec3 p)
{
    vec3 ankle = ankle_joint(c);
    return meet(sd_leg(c, p) - 0.35f, p.y - ankle.y - 1.5f, 0.4f);
}

/* Colour and weave coordinates (cm) for all of a part; sleeves are cut along the arm. */
static void finish_cloth(struct part *part, const struct character *c, vec3 color)
{
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        vec3 q = v3(fabsf(v->position.x), v->position.y, v->position.z), up = v3(0, 1, 0);
        bool left = v->position.x > 0, sleeve = sd_arm(c, q) < sd_torso(c, q) && sd_arm(c, q) < 3;
        vec3 flat = sleeve ? arm_from_rest(c, q) : q;
        if (sleeve)
            up = sub(arm_to_rest(c, up), arm_to_rest(c, v3(0, 0, 0)));
        v->color = scale(color, 0.93f + 0.14f * noise3(scale(v->position, 0.7f)));
        v->u = (left ? flat.x : -flat.x) + flat.z * 0.7f;
        v->v = flat.y;
        v->tangent = left ? up : mirror(up);
    }
}

static void drop_hidden(struct part *part, const struct character *c, sdf_field *cover, float depth)
{
    bool *hidden = calloc((size_t)part->n_vertices, sizeof *hidden);
    for (int i = 0; i < part->n_vertices; i++)
        hidden[i] = cover(c, part->vertices[i].position) < -depth;
    part_drop_marked(part, hidden);
    free(hidden);
}

static void build_blazer(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "blazer", CP_SURFACE_CLOTH, RIG_BODY);
    const struct axis axes[3] = {{-54, 54, 0.60f, {{-0.8f, 0.6f, 0.2f}}, 1},
                                 {-77.5f, -9, 0.6f, {{-40, -14, 0.48f}}, 1},
                                 {-16, 9, 0.6f, {{0}}, 0}};
    part_add_surface(part, sd_blazer, c, axes);
    drop_hidden(part, c, sd_blouse, 0.1f);
    finish_cloth(part, c, c->color.blazer);
    part->max_triangles = 4200;
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
            {{{0, -12.4f, -9.2f},
              {3.4f, -12.7f, -8.4f},
              {5.8f, -13.8f, -5.6f},
              {6.3f, -15.4f, -2.4f},
              {6.0f, -17.3f, 0.2f},
              {5.4f, -19.2f, 2.2f}},
             0.42f},
            {{{0, -13.9f, -10.4f},
              {4.0f, -14.0f, -9.4f},
              {7.0f, -14.9f, -6.2f},
              {7.9f, -16.4f, -2.4f},
              {7.6f, -18.4f, 0.5f},
              {7.3f, -20.3f, 2.2f}},
             0.42f},
            {{{0, -16.0f, -11.5f},
              {4.8f, -15.9f, -10.2f},
              {8.2f, -16.4f, -6.6f},
              {9.6f, -17.7f, -2.2f},
              {9.4f, -19.0f, 0.8f},
              {9.2f, -19.6f, 2.0f}},
             0.30f},
            {{{0, -16.2f, -11.5f},
              {4.9f, -16.1f, -10.2f},
              {8.4f, -16.6f, -6.6f},
              {9.8f, -17.8f, -2.2f},
              {9.6f, -19.0f, 0.8f},
              {9.4f, -19.6f, 2.0f}},
             -0.15f},
        },
    .n_rows = 5,
    .n_points = 6,
    .steps_along = 44,
    .steps_across = 8,
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
    .steps_along = 24,
    .steps_across = 8,
    .from_front = true,
    .end_drop = 0.45f,
};
/* Breast pocket, on her left. */
static const struct sheet welt = {
    .rows =
        {
            {{{8.6f, -30.6f, 0}, {10.4f, -30.2f, 0}, {12.2f, -29.7f, 0}}, -0.1f},
            {{{8.6f, -30.5f, 0}, {10.4f, -30.1f, 0}, {12.2f, -29.6f, 0}}, 0.16f},
            {{{8.5f, -29.5f, 0}, {10.3f, -29.1f, 0}, {12.1f, -28.6f, 0}}, 0.18f},
            {{{8.5f, -29.4f, 0}, {10.3f, -29.0f, 0}, {12.1f, -28.5f, 0}}, -0.1f},
        },
    .n_rows = 4,
    .n_points = 3,
    .steps_along = 8,
    .steps_across = 6,
    .from_front = true,
    .end_drop = 0.3f,
};

static void build_lapels(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "lapels", CP_SURFACE_CLOTH, RIG_BODY);
    struct sheet whole_collar = collar;
    sheet_unfold(&whole_collar);
    part_add_sheet(part, sd_blazer_hull, c, &lapel);
    part_mirror(part);
    part_add_sheet(part, sd_blazer_hull, c, &whole_collar);
    part_add_sheet(part, sd_blazer_hull, c, &welt);
    part_compute_normals(part);
    finish_cloth(part, c, scale(c->color.blazer, 1.12f));
}

static void build_blouse(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "blouse", CP_SURFACE_CLOTH, RIG_BODY);
    const struct axis axes[3] = {
        {-10, 10, 0.36f, {{0}}, 0}, {-44, -9, 0.36f, {{0}}, 0}, {-10.5f, 8, 0.36f, {{0}}, 0}};
    part_add_surface(part, sd_blouse, c, axes);
    drop_hidden(part, c, sd_blazer, 0.25f);
    finish_cloth(part, c, c->color.blouse);
    part->max_triangles = 1000;

    struct part *band = sculpture_add(s, "neckline", CP_SURFACE_CLOTH, RIG_BODY);
    struct sheet binding = {
        .n_rows = 4, .n_points = 7, .steps_along = 48, .steps_across = 6, .from_front = true};
    static const vec3 line[] = {{0, -22.5f, 0},    {1.5f, -22.1f, 0}, {2.7f, -21.2f, 0}, {3.7f, -19.9f, 0},
                                {4.8f, -18.1f, 0}, {5.8f, -16.3f, 0}, {6.6f, -14.8f, 0}};
    static const float offsets[] = {0.0f, 0.08f, 0.50f, 0.58f}, lifts[] = {-0.65f, 0.14f, 0.12f, -0.15f};
    for (int r = 0; r < 4; r++) {
        binding.rows[r].lift = lifts[r] + blouse_height;
        for (int i = 0; i < 7; i++) { /* outwards: down in the middle, aside further up */
            vec3 tangent = unit(sub(line[i < 6 ? i + 1 : i], line[i > 0 ? i - 1 : 0]));
            binding.rows[r].points[i] = along(line[i], v3(tangent.y, -tangent.x, 0), offsets[r]);
        }
        binding.rows[r].points[0].x = 0;
        for (int i = 0; i < 7; i++)
            binding.rows[r].points[i].y += c->neckline_rise;
    }
    sheet_unfold(&binding);
    part_add_sheet(band, sd_body, c, &binding);
    part_compute_normals(band);
    finish_cloth(band, c, scale(c->color.blouse, 0.96f));
}

static void build_details(struct sculpture *s, const struct character *c)
{
    struct part *buttons = sculpture_add(s, "buttons", CP_SURFACE_PLAIN, RIG_BODY);
    for (int i = 0; i < 2; i++) {
        vec3 p = v3(0.55f, button_y - 2.2f - 8.5f * (float)i, 5);
        p = sd_project(sd_blazer, c, p, 0.12f);
        part_add_ball(buttons, p, unit(sd_gradient(sd_blazer, c, p, 0.2f)), 0.85f, 0.28f, 4, 14);
    }
    struct part *earrings = sculpture_add(s, "earrings", CP_SURFACE_METAL, RIG_HEAD);
    if (c->earrings > 0)
        part_add_ball(earrings, v3(7.7f, -3.85f, -0.5f), v3(0, 1, 0), 0.33f, 1, 6, 10);
    part_mirror(earrings);
    for (int i = 0; i < buttons->n_vertices; i++)
        buttons->vertices[i].color = c->color.button;
    for (int i = 0; i < earrings->n_vertices; i++)
        earrings->vertices[i].color = c->color.jewel;
}

static void build_legs(struct sculpture *s, const struct character *c)
{
    vec3 ankle = ankle_joint(c);
    struct part *trousers = sculpture_add(s, "trousers", CP_SURFACE_CLOTH, RIG_BODY);
    const struct axis axes[3] = {
        {-19, 19, 1.0f, {{0}}, 0}, {ankle.y - 5, -64, 1.2f, {{0}}, 0}, {-17, 9, 1.0f, {{0}}, 0}};
    part_add_surface(trousers, sd_trousers, c, axes);
    drop_hidden(trousers, c, sd_blazer, 0.4f);
    finish_cloth(trousers, c, c->color.skirt);
    trousers->max_triangles = 1100;

    struct part *shoes = sculpture_add(s, "shoes", CP_SURFACE_PLAIN, RIG_BODY);
    const struct axis foot[3] = {
        {1, 17, 0.6f, {{0}}, 0}, {ankle.y - 10, ankle.y + 3, 0.6f, {{0}}, 0}, {-13, 18, 0.6f, {{0}}, 0}};
    part_add_surface(shoes, sd_shoe, c, foot);
    part_mirror(shoes);
    for (int i = 0; i < shoes->n_vertices; i++)
        shoes->vertices[i].color = scale(c->color.button, 0.7f);
    shoes->max_triangles = 600;
}

void build_clothes(struct sculpture *s, const struct character *c)
{
    build_blazer(s, c);
    build_lapels(s, c);
    build_blouse(s, c);
    build_details(s, c);
    build_legs(s, c);
    /* skin under cloth, and skin behind the eyeballs, is never seen */
    for (int k = 0; k < s->n_parts; k++) {
        struct part *part = &s->parts[k];
        if (strcmp(part->name, "head") == 0) {
            bool *hidden = calloc((size_t)part->n_vertices, sizeof *hidden);
            for (int i = 0; i < part->n_vertices; i++) {
                vec3 p = part->vertices[i].position,
                     e = sub(v3(fabsf(p.x), p.y, p.z), v3(c->eye_apart, 0, c->eye_depth));
                bool covered = p.y < -13 && (sd_blouse(c, p) < -0.12f || sd_blazer(c, p) < -0.12f);
                hidden[i] = covered || (length(e) < c->eye_radius + 0.04f && e.z < 0.7f);
            }
            part_drop_marked(part, hidden);
            free(hidden);
        } else if (strcmp(part->name, "hands") == 0)
            drop_hidden(part, c, sd_blazer, 0.5f);
    }
}
