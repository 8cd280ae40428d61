#include "eyes.h"
#include "face.h"

enum { RINGS = 20, SECTORS = 30 };

/* Rings are dense across iris and pupil, so that vertex colours draw them crisply. */
static float ring_angle(const struct character *c, int ring)
{
    float iris = asinf(c->iris_radius / c->eye_radius), pupil = asinf(c->pupil_radius / c->eye_radius);
    const float stops[][2] = {
        {0, 0},        {3, pupil * 0.90f}, {5, pupil * 1.12f}, {12, iris * 0.93f}, {15, iris * 1.04f},
        {RINGS, 1.75f}};
    return table_at(stops, 6, (float)ring);
}

static vec3 eye_color(const struct character *c, float angle, float around)
{
    float iris = asinf(c->iris_radius / c->eye_radius), pupil = asinf(c->pupil_radius / c->eye_radius);
    float q = (angle - pupil) / (iris - pupil); /* 0 pupil's edge .. 1 iris' edge */
    float fibre = 0.5f * noise3(v3(cosf(around) * 6, sinf(around) * 6, angle * 5)) +
                  0.5f * noise3(v3(cosf(around) * 13, sinf(around) * 13, angle * 3));
    vec3 iris_color = scale(c->color.iris, 0.60f + 0.85f * fibre);
    iris_color =
        blend3(iris_color, scale(c->color.iris, 1.7f), 0.35f * bell(q - 0.28f, 0.22f)); /* collarette */
    iris_color = blend3(iris_color, c->color.iris_rim, 0.85f * ease(0.70f, 0.98f, q));
    vec3 white = blend3(linear_color(0xC6BDB7), linear_color(0xC4958A), 0.6f * ease(0.75f, 1.45f, angle));
    vec3 color = blend3(linear_color(0x0A0605), iris_color, ease(-0.08f, 0.10f, q));
    return blend3(color, white, ease(1.0f, 1.12f, q));
}

static void build_eye(struct sculpture *s, const struct character *c, int side)
{
    struct part *part = sculpture_add(s, side > 0 ? "eye_left" : "eye_right", CP_SURFACE_EYE,
                                      side > 0 ? RIG_LEFT_EYE : RIG_RIGHT_EYE);
    vec3 center = eye_center(c);
    center.x *= (float)side;
    float toe_in = radians(-2.0f) * (float)side; /* both look at a viewer two metres away, relaxed */
    float uv_scale = EYE_UV_IRIS * c->eye_radius / c->iris_radius;
    for (int r = 0; r <= RINGS; r++)
        for (int k = 0; k < SECTORS; k++) {
            float angle = ring_angle(c, r), around = (float)k * 6.2831853f / SECTORS;
            vec3 d = v3(sinf(angle) * cosf(around), sinf(angle) * sinf(around), cosf(angle));
            /* the cornea bulges: its normals fan out more than the ball's */
            float bulge = 1 + 0.32f * ease(0.62f, 0.30f, angle);
            struct vertex v = {
                .position = along(center, rotate_y(d, toe_in), c->eye_radius),
                .normal = rotate_y(unit(v3(d.x * bulge, d.y * bulge, d.z)), toe_in),
                .tangent = {1, 0, 0},
                .color = eye_color(c, angle, around),
                .u = 0.5f + d.x * uv_scale,
                .v = 0.5f + d.y * uv_scale,
            };
            /* the upper lid's shadow on the ball */
            v.occlusion = blend(1, 0.50f, ease(0.0f, 0.42f, d.y)) * blend(1, 0.75f, ease(-0.2f, -0.6f, d.y)) *
                          blend(1, 0.6f, ease(0.6f, 0.95f, fabsf(d.x)));
            v.anchor = v.position;
            part_add_vertex(part, &v);
        }
    for (int r = 0; r < RINGS; r++)
        for (int k = 0; k < SECTORS; k++) {
            int a = r * SECTORS + k, b = r * SECTORS + (k + 1) % SECTORS, c0 = a + SECTORS, d = b + SECTORS;
            part_add_triangle(part, a, c0, d);
            if (r > 0)
                part_add_triangle(part, a, d, b);
        }
}

void build_eyes(struct sculpture *s, const struct character *c)
{
    build_eye(s, c, 1);
    build_eye(s, c, -1);
}
