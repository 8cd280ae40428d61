/* Skin colour by place: a dead-even colour reads as plastic, so cheeks, nose, ears, lids and lips each get
 * theirs. */
#include "face.h"
#include "hair.h"
#include "head.h"

static void tint(vec3 *color, unsigned srgb, float amount)
{
    *color = blend3(*color, linear_color(srgb), clampf(amount, 0, 1));
}

/* Skin in its own shade, whatever its colour: redder where it is darker. */
static void darken(vec3 *color, vec3 to, float amount)
{
    vec3 darker = v3(color->x * to.x, color->y * to.y, color->z * to.z);
    *color = blend3(*color, darker, clampf(amount, 0, 1));
}

static float spot(float x, float y, float cx, float cy, float rx, float ry)
{
    return expf(-square((x - cx) / rx) - square((y - cy) / ry));
}

static void paint_complexion(const struct character *c, vec3 p, vec3 *color)
{
    float a = fabsf(p.x), front = ease(2, 5, p.z);
    *color = blend3(*color, c->color.skin_light, ease(-2, 6, p.y) * 0.6f);
    float mottle =
        noise3(scale(p, 0.55f)) * 0.5f + noise3(scale(p, 1.7f)) * 0.3f + noise3(scale(p, 5.1f)) * 0.2f;
    *color = scale(*color, 0.93f + 0.14f * mottle);
    /* blood shows where noise says, a little: warmer and cooler patches */
    *color = blend3(*color, c->color.blush, 0.20f * ease(0.42f, 0.75f, noise3(scale(p, 0.9f))) * front);
    vec3 blush = c->color.blush;
    *color = blend3(*color, blush, 0.50f * spot(a, p.y, 4.3f, -3.0f, 2.3f, 1.8f) * front);
    *color = blend3(*color, blush, 0.40f * spot(p.x, p.y, 0, -4.0f, 1.4f, 1.1f) * ease(8, 9.3f, p.z));
    *color = blend3(*color, blush, 0.25f * spot(p.x, p.y, 0, -9.6f, 2.2f, 1.2f) * front);
    float ear = ease(6.6f, 7.6f, a) * ease(-5.5f, -3.5f, p.y) * ease(2.5f, 1, p.y) * ease(2, 0, p.z);
    *color = blend3(*color, blush, 0.40f * ear);
    darken(color, v3(0.83f, 0.70f, 0.72f),
           0.30f * spot(a, p.y, 2.7f, -1.9f, 1.3f, 0.55f) * front); /* under the eye */
}

static void paint_eye(const struct character *c, vec3 p, vec3 *color)
{
    vec3 e = sub(v3(fabsf(p.x), p.y, p.z), eye_center(c));
    float r = length(e), w = c->eye_width;
    if (r > 4 || e.z < -0.5f)
        return;
    float above = e.y - lid_top(c, e.x), below = lid_bottom(c, e.x) - e.y;
    float within = ease(-w - 0.9f, -w + 0.3f, e.x) * ease(w + 1.0f, w - 0.2f, e.x);
    darken(color, v3(0.61f, 0.42f, 0.43f),
           0.42f * ease(1.15f, 0, above) * ease(-0.3f, 0.05f, above) * within);          /* lid shadow */
    darken(color, v3(0.28f, 0.14f, 0.15f), 0.34f * bell(above - 0.52f, 0.16f) * within); /* crease */
    float edge = ease(c->eye_radius + 0.6f, c->eye_radius + 0.1f, r);
    tint(color, 0x2A1410, 0.85f * c->liner * bell(above - 0.02f, 0.10f) * within * edge); /* liner */
    darken(color, v3(0.83f, 0.66f, 0.69f),
           0.30f * ease(0.75f, 0, below) * ease(-0.2f, 0.05f, below) * within);
    darken(color, v3(0.36f, 0.24f, 0.25f), 0.30f * bell(below - 0.04f, 0.10f) * within);
    if (r < c->eye_radius + 0.10f && e.z > 0)
        tint(color, 0xE0A095, 0.8f); /* wet lid margin */
    vec3 caruncle = v3(-w + 0.07f, lid_top(c, -w) + 0.02f, 1.26f);
    if (length(sub(e, caruncle)) < 0.3f)
        tint(color, 0xDE8A80, 0.9f);
}

/* A soft shade of hair under the brow's strokes. */
static void paint_brow(const struct character *c, vec3 p, vec3 *color)
{
    float t = (fabsf(p.x) - 1.30f) / 4.05f;
    if (t < -0.1f || t > 1.1f || p.z < 2)
        return;
    float half = brow_half_width(c, clampf(t, 0, 1)), off = fabsf(p.y - brow_line(c, clampf(t, 0, 1)).y);
    float cover = ease(half + 0.14f, half - 0.12f, off) * ease(-0.06f, 0.14f, t) * ease(1.04f, 0.85f, t);
    *color = blend3(*color, blend3(c->color.brow, c->color.skin, 0.35f), 0.62f * cover);
}

static void paint_mouth(const struct character *c, vec3 p, vec3 *color, float *occlusion)
{
    float a = fabsf(p.x), w = c->mouth_width, line = lip_line(c, p.x);
    if (p.z > 5 && a < w + 0.15f) {
        float top = lip_top(c, p.x), bottom = lip_bottom(c, p.x);
        float front = p.z + 0.12f * a * a; /* the lips curve back towards the corners */
        float lip = ease(top + 0.07f, top - 0.05f, p.y) * ease(bottom - 0.07f, bottom + 0.07f, p.y) *
                    ease(w + 0.1f, w - 0.15f, a) * ease(7.0f, 7.6f, front);
        float grain = noise3(v3(p.x * 9, p.y * 1.2f, 0));
        *color = blend3(*color, p.y > line ? c->color.lip_dark : c->color.lip, lip * 0.9f);
        *color = scale(*color, 1 - 0.10f * lip * grain);
        tint(color, 0x6A2428,
             0.85f * bell(p.y - line, 0.11f) * ease(w + 0.25f, w - 0.2f, a) * ease(6.5f, 7.5f, front));
        *occlusion *=
            1 - 0.65f * bell(p.y - line, 0.09f) * ease(6.2f, 7.2f, front); /* lips shade each other */
    }
    if (p.z > 2 && p.z < 8.3f && a < 3.0f && p.y < -5 && p.y > -9.2f)
        tint(color, p.z > 6.2f ? 0x6C2428 : 0x401216, ease(0.25f, 0.02f, sd_mouth_cavity(c, p)));
}

float stubble_share(const struct character *c, vec3 p)
{
    float a = fabsf(p.x),
          lips = ease(0.25f, -0.02f, minf(lip_top(c, p.x) + 0.1f - p.y, p.y - lip_bottom(c, p.x)));
    float upper = blend(-4.9f, -3.6f, ease(2.4f, 6.2f, a)); /* rises to the sideburns */
    float grow = ease(upper + 0.5f, upper - 0.9f, p.y) * ease(-13.0f, -10.2f, p.y + 0.25f * (p.z - 6)) *
                 ease(-1.3f, 2.2f, p.z);
    grow *= a < c->mouth_width + 0.1f && p.z > 5 ? lips : 1;
    return grow * blend(1, 0.55f, spot(a, p.y, 3.6f, -6.0f, 1.3f, 1.3f)); /* thinner on the cheek */
}

/* Jaw, chin and upper lip under a short beard: the shade that hairs too fine to tell make together. */
static void paint_stubble(const struct character *c, vec3 p, vec3 *color)
{
    float grain = 0.75f + 0.4f * noise3(scale(p, 2.6f));
    vec3 hair = blend3(c->color.brow, c->color.grey, 0.6f * c->hair_grey);
    *color = blend3(*color, blend3(hair, *color, 0.30f),
                    clampf(0.75f * c->stubble * stubble_share(c, p) * grain, 0, 0.9f));
}

void paint_skin(const struct character *c, struct vertex *v)
{
    vec3 p = v->position, color = c->color.skin;
    paint_complexion(c, p, &color);
    paint_stubble(c, p, &color);
    paint_eye(c, p, &color);
    paint_brow(c, p, &color);
    paint_mouth(c, p, &color, &v->occlusion);
    darken(&color, v3(0.20f, 0.07f, 0.07f), 0.85f * ease(0.12f, -0.02f, sd_nostril(c, p)));
    if (c->hair_style < HAIR_NONE) { /* long hair hides its hairline, hair that is combed back shows it */
        float line = c->hair_style < HAIR_SHORT ? 0 : 0.12f;
        float scalp = sd_hair_cap(c, p) + 0.25f * noise3(scale(p, 3)) + line;
        color = blend3(color, scale(c->color.hair, 0.7f), 0.9f * ease(0.75f, -0.45f, scalp));
    }
    v->color = color;
}
