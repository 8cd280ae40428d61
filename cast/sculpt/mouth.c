#include "eyes.h"
#include "face.h"

/* Teeth stand on an arch: rounded boxes, each turned along it. The lower arch is narrower and set back, so
 * that it stays behind the lip from any side. */
struct arch {
    float share, radius, depth, center_z, edge_y;
    int direction, teeth;
};
static const struct arch upper_arch = {1.0f, 2.30f, 2.52f, 4.95f, -7.16f, 1, 6};
static const struct arch lower_arch = {0.82f, 1.75f, 2.05f, 4.50f, -7.93f, -1, 3};

static float sd_arch(const struct arch *arch, vec3 p)
{
    static const float widths[] = {0.90f, 0.70f, 0.76f, 0.70f, 0.75f, 0.9f};
    float d = 1e9f, begin = 0;
    p.x = fabsf(p.x);
    for (int i = 0; i < arch->teeth; i++) {
        float width = widths[i] * arch->share, turn = (begin + width / 2) / (arch->radius * 1.08f);
        begin += width;
        vec3 center = v3(arch->radius * sinf(turn), 0, arch->center_z + arch->depth * cosf(turn));
        vec3 q = rotate_y(sub(p, center), -turn * 0.95f);
        float half_height = i == 1 ? 0.46f : i == 2 ? 0.54f : 0.52f;
        q.y -= arch->edge_y + (float)arch->direction * half_height;
        float thin = 0.24f - 0.03f * (float)arch->direction * q.y;
        d = join(d, sd_round_box(q, v3(width / 2 - 0.005f, half_height, thin), 0.17f), 0.03f);
    }
    return d;
}

static float sd_gum(const struct arch *arch, vec3 p, float height)
{
    float radius = arch->radius - 0.1f, depth = arch->depth - 0.13f, z0 = arch->center_z - 0.05f;
    float off = (hypotf(p.x / radius, (p.z - z0) / depth) - 1) * radius;
    if (p.z < z0 - 1)
        off = fabsf(p.x) - radius;
    float y = p.y - height;
    return meet(sqrtf(off * off + y * y * 0.45f) - 0.40f, 3.6f - p.z, 0.2f);
}

static float sd_upper_teeth(const struct character *c, vec3 p)
{
    (void)c;
    return sd_arch(&upper_arch, p);
}
static float sd_lower_teeth(const struct character *c, vec3 p)
{
    (void)c;
    return sd_arch(&lower_arch, p);
}
static float sd_upper_gum(const struct character *c, vec3 p)
{
    (void)c;
    return sd_gum(&upper_arch, p, -5.95f);
}
static float sd_lower_gum(const struct character *c, vec3 p)
{
    (void)c;
    return sd_gum(&lower_arch, p, -8.65f);
}

static const vec3 tongue_center = {0, -8.30f, 4.45f}, tongue_size = {1.6f, 0.60f, 2.1f};

static float sd_tongue(const struct character *c, vec3 p)
{
    (void)c;
    float d = sd_ellipsoid(p, tongue_center, tongue_size);
    return d + 0.10f * bell(p.x, 0.35f) * ease(-8.2f, -7.6f, p.y);
}

float tongue_share(vec3 p)
{
    return ease(3.2f, 6.6f, p.z);
}

static void add_solid(struct sculpture *s, const struct character *c, const char *name,
                      enum cp_surface surface, enum rig rig, sdf_field *field, float low, float high,
                      float step, unsigned srgb, int triangles)
{
    const struct axis axes[3] = {
        {-3.2f, 3.2f, step, {{0}}, 0}, {low, high, step, {{0}}, 0}, {2.0f, 8.4f, step, {{0}}, 0}};
    struct part *part = sculpture_add(s, name, surface, rig);
    part_add_surface(part, field, c, axes);
    part->max_triangles = triangles;
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        v->color = linear_color(srgb);
        /* the deeper and the further to the side, the darker */
        v->occlusion = (0.14f + 0.84f * ease(3.4f, 6.7f, v->position.z)) *
                       blend(1, 0.45f, ease(0.9f, 2.2f, fabsf(v->position.x)));
    }
}

void build_mouth(struct sculpture *s, const struct character *c)
{
    add_solid(s, c, "teeth_upper", CP_SURFACE_TEETH, RIG_HEAD, sd_upper_teeth, -7.7f, -5.6f, 0.085f, 0xF0E9DC,
              1100);
    add_solid(s, c, "gum_upper", CP_SURFACE_MOUTH, RIG_HEAD, sd_upper_gum, -7.1f, -4.9f, 0.2f, 0xB85E62, 300);
    add_solid(s, c, "teeth_lower", CP_SURFACE_TEETH, RIG_JAW, sd_lower_teeth, -9.2f, -7.2f, 0.085f, 0xE9E1D3,
              700);
    add_solid(s, c, "gum_lower", CP_SURFACE_MOUTH, RIG_JAW, sd_lower_gum, -9.8f, -7.7f, 0.2f, 0xB0585C, 250);
    add_solid(s, c, "tongue", CP_SURFACE_MOUTH, RIG_TONGUE, sd_tongue, -9.2f, -7.2f, 0.16f, 0xBE6468, 400);
}
