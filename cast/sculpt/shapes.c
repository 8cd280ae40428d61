#include "shapes.h"
#include "eyes.h"
#include "face.h"

#include <stddef.h>

static const float JAW_DEGREES = 19; /* jawOpen at weight 1 */

/* A point of the face, and what most shapes ask about it. */
struct spot {
    const struct character *c;
    vec3 p, at;  /* where it is; where the shapes are looked up */
    vec3 folded; /* `at` on the left half */
    float side;  /* +1 on her left, -1 on her right */
    float lower; /* 1 on the lower lip and jaw, 0 above, sharp at the lip line */
    float front; /* 1 on the front of the face */
    float lips;  /* 1 on the lips, falling off around */
    float bow;   /* 1 in the middle of the mouth, 0 at its corners */
};

/* 1 for what hangs on the jaw: sharp at the slit, soft outside the mouth's corners. Near the lips the weight
 * follows an ellipse, so that they open as one. */
static float lower_share(const struct character *c, vec3 p)
{
    float w = c->mouth_width, a = fabsf(p.x), soft = 0.03f + maxf(0, a - w + 0.12f) * 0.95f;
    if (p.z < 6)
        soft += (6 - p.z) * 0.12f * ease(2.2f, 3.0f, a);
    float below = lip_line(c, p.x) - p.y, share = ease(-soft, soft, below);
    float t = clampf(a / (w + 0.05f), 0, 1);
    float ellipse = blend(sqrtf(1 - t * t), 1, ease(0.5f, 3.2f, fabsf(below)));
    return 0.5f + (share - 0.5f) * ellipse;
}

/* Oval spot on the front of the left half, 1 in its middle. */
static float patch(const struct spot *s, float x, float y, float rx, float ry)
{
    return expf(-square((s->folded.x - x) / rx) - square((s->folded.y - y) / ry)) * s->front;
}

static struct spot spot_at(const struct character *c, vec3 p, vec3 at)
{
    struct spot s = {
        .c = c, .p = p, .at = at, .folded = v3(fabsf(at.x), at.y, at.z), .side = at.x > 0 ? 1 : -1};
    s.lower = lower_share(c, at);
    s.front = ease(4.2f, 6.8f, at.z);
    s.lips = expf(-square(square(at.x / 3.3f)) - square((at.y - MOUTH_Y) / 1.75f)) * s.front;
    s.bow = maxf(0, 1 - square(at.x / c->mouth_width));
    return s;
}

static float corner_spot(const struct spot *s)
{
    float w = s->c->mouth_width;
    return patch(s, w, lip_line(s->c, w), 1.75f, 1.6f);
}

/* --- jaw --- */

static vec3 jaw_turn(vec3 p)
{
    const vec3 hinge = v3(0, -2.8f, -0.6f);
    return sub(add(hinge, rotate_x(sub(p, hinge), radians(JAW_DEGREES))), p);
}

static float jaw_share(const struct spot *s)
{
    vec3 p = s->at;
    float back = ease(-1.5f, 4.2f, p.z + 0.25f * (MOUTH_Y - p.y));
    float neck = ease(-13.6f, -9.6f, p.y + 0.42f * (p.z - 6.5f));
    return s->lower * back * neck;
}

static const float UPPER_LIP_RISE = 0.10f; /* with the open jaw */

static vec3 jaw_open(const struct spot *s)
{
    vec3 d = scale(jaw_turn(s->at), jaw_share(s));
    float corner = patch(s, 2.6f, -7.2f, 1.2f, 1.8f);
    d.x -= s->side * 0.28f * corner;
    d.z -= 0.10f * corner;
    d.y += (1 - s->lower) * UPPER_LIP_RISE * s->lips;
    return d;
}
static vec3 jaw_forward(const struct spot *s)
{
    return v3(0, 0, 0.6f * jaw_share(s));
}
static vec3 jaw_sideways(const struct spot *s)
{
    return v3(0.6f * jaw_share(s), 0, 0);
}
static vec3 jaw_sideways_back(const struct spot *s)
{
    return scale(jaw_sideways(s), -1);
}

/* Takes back at the lips what jawOpen does there: both meet at a third of the way down. */
static vec3 mouth_close(const struct spot *s)
{
    float away = fabsf(s->at.y - lip_line(s->c, s->at.x)), w = s->c->mouth_width;
    float near = (1 - ease(0.7f, 2.1f, away)) * s->front * ease(w + 1.6f, w - 0.1f, s->folded.x);
    vec3 d = scale(jaw_turn(s->at), (0.32f - jaw_share(s)) * near);
    d.y -= (1 - s->lower) * UPPER_LIP_RISE * s->lips * near;
    return d;
}

/* --- rounding --- */

struct ring {
    float half_width, up, down, drop, thickness, forward;
};

/*
 * Lays the lips around an ellipse. Along the mouth, x becomes the angle on the ellipse; away from the lip
 * line, height becomes distance from it along a direction that fans out towards the corners. So the lips keep
 * their thickness all the way round, and the corners come forward instead of pinching to a V.
 */
static vec3 lips_on_ring(const struct spot *s, const struct ring *ring)
{
    float w = s->c->mouth_width, t = clampf(s->folded.x / w, 0, 1), beyond = maxf(s->folded.x - w, 0);
    float height = s->at.y - lip_line(s->c, s->at.x), sign = height >= 0 ? 1 : -1;
    float angle = t * 1.5707963f, fan = angle * 0.68f;
    /* outside the corners upper and lower skin meet: no crease there */
    float round = 0.03f + minf(beyond * 0.6f, 0.5f), reach = sqrtf(square(height) + square(round)) - round;
    float x = ring->half_width * sinf(angle) + beyond;
    float y = MOUTH_Y - ring->drop + sign * (sign > 0 ? ring->up : ring->down) * cosf(angle);
    x += sinf(fan) * reach * ring->thickness;
    y += cosf(fan) * height * ring->thickness;
    return scale(v3(s->side * (x - s->folded.x), y - s->at.y, ring->forward), s->lips);
}

static vec3 mouth_pucker(const struct spot *s)
{
    const struct ring closed = {1.00f, 0, 0, 0.06f, 1.05f, 0.95f};
    return lips_on_ring(s, &closed);
}
static vec3 mouth_funnel(const struct spot *s)
{
    const struct ring open = {1.55f, 0.12f, 0.42f, 0.16f, 1.05f, 0.75f};
    return lips_on_ring(s, &open);
}

/* --- lips --- */

static vec3 mouth_sideways(const struct spot *s)
{
    return v3(0.75f * s->lips, 0.05f * s->lips, 0);
}
static vec3 mouth_sideways_back(const struct spot *s)
{
    return v3(-0.75f * s->lips, 0.05f * s->lips, 0);
}

static vec3 lids(const struct spot *s, float upper, float lower);

static vec3 smile(const struct spot *s)
{
    float a = s->folded.x, y = s->at.y, w = s->c->mouth_width;
    float pull = (a < w ? powf(a / w, 1.6f) : expf(-square((a - w) / 1.6f))) *
                 expf(-square((y - lip_line(s->c, minf(a, w))) / 1.7f)) * s->front;
    float cheek = patch(s, 4.1f, -3.6f, 2.1f, 1.5f);
    float fold = expf(-square((y + 5.6f + (a - 2.6f) * 0.95f) / 0.38f) - square(a - 2.9f)) * s->front;
    vec3 d = v3(s->side * (0.85f * pull + 0.16f * cheek), 0.52f * pull + 0.42f * cheek,
                0.32f * cheek - 0.45f * pull - 0.14f * fold);
    d.z -= 0.16f * s->lips * s->bow;
    d.y += (0.10f * s->lower + 0.03f) * s->lips * s->bow;
    return add(d, lids(s, 0.04f, 0.25f));
}
static vec3 frown(const struct spot *s)
{
    return scale(v3(s->side * 0.10f, -0.70f, -0.10f), corner_spot(s));
}
static vec3 dimple(const struct spot *s)
{
    float corner = corner_spot(s), tight = patch(s, 2.4f, lip_line(s->c, 2.4f), 1.1f, 1.0f);
    return v3(s->side * 0.45f * corner, 0.10f * corner, -0.50f * tight);
}
static vec3 stretch(const struct spot *s)
{
    float corner = corner_spot(s);
    return v3(s->side * 0.75f * corner, -0.15f * corner, -0.35f * corner - 0.08f * s->lips);
}
static vec3 roll_lower(const struct spot *s)
{
    float b = s->lower * bell(s->at.y - MOUTH_Y + 0.45f, 0.55f) * s->front * s->bow;
    return v3(0, 0.22f * b, -0.50f * b);
}
static vec3 roll_upper(const struct spot *s)
{
    float b = (1 - s->lower) * bell(s->at.y - MOUTH_Y - 0.35f, 0.5f) * s->front * s->bow;
    return v3(0, -0.16f * b, -0.42f * b);
}
static vec3 shrug_lower(const struct spot *s)
{
    float b = s->lower * patch(s, 0, -8.4f, 2.6f, 1.8f);
    return v3(0, 0.50f * b, 0.30f * b * s->bow);
}
static vec3 shrug_upper(const struct spot *s)
{
    float b = (1 - s->lower) * patch(s, 0, -6.5f, 2.4f, 1.0f);
    return v3(0, 0.28f * b, 0.20f * b);
}
static vec3 press(const struct spot *s)
{
    float b = bell(s->at.y - MOUTH_Y, 0.8f) * s->front * ease(3.2f, 1.8f, s->folded.x);
    float tight = patch(s, 2.4f, lip_line(s->c, 2.4f), 1.1f, 1.0f);
    return v3(s->side * 0.12f * tight, (s->lower * 0.16f - (1 - s->lower) * 0.14f) * b * s->bow,
              -0.26f * b - 0.2f * tight);
}
static vec3 lower_down(const struct spot *s)
{
    float b = s->lower * patch(s, 0.3f, -7.5f, 2.2f, 1.2f) * (0.25f + 0.75f * s->bow);
    return v3(s->side * 0.05f * b, -0.72f * b, -0.02f * b);
}
static vec3 upper_up(const struct spot *s)
{
    float b = (1 - s->lower) * patch(s, 0.3f, -6.5f, 2.2f, 1.15f) * (0.2f + 0.8f * s->bow);
    float wing = patch(s, 1.5f, -4.6f, 1.2f, 0.9f);
    return v3(0, 0.50f * b + 0.10f * wing, 0.02f * b);
}

/* --- brows, cheeks, nose --- */

static vec3 brow_down(const struct spot *s)
{
    float b = patch(s, 2.6f, 2.4f, 2.2f, 1.3f) * ease(0.7f, 1.9f, s->at.y);
    return v3(-s->side * 0.22f * b, -0.50f * b, 0.10f * b);
}
static vec3 brow_inner_up(const struct spot *s)
{
    return v3(0, 0.75f * patch(s, 1.5f, 2.5f, 1.5f, 1.7f) * ease(0.9f, 2.1f, s->at.y), 0);
}
static vec3 brow_outer_up(const struct spot *s)
{
    return v3(0, 0.75f * patch(s, 4.4f, 2.6f, 2.0f, 1.7f) * ease(1.0f, 2.2f, s->at.y), 0);
}
static vec3 cheek_puff(const struct spot *s)
{
    float b = patch(s, 4.3f, -6.0f, 1.9f, 1.9f);
    return v3(s->side * 0.80f * b, 0, 0.42f * b + 0.15f * s->lips);
}
static vec3 cheek_squint(const struct spot *s)
{
    float b = patch(s, 3.9f, -2.7f, 2.0f, 1.2f);
    return add(v3(0, 0.32f * b, 0.20f * b), lids(s, 0.02f, 0.35f));
}
static vec3 sneer(const struct spot *s)
{
    float wing = patch(s, 1.3f, -4.2f, 1.0f, 1.2f), bridge = patch(s, 1.0f, -1.0f, 0.9f, 1.6f);
    return v3(0, 0.32f * wing + 0.1f * bridge, 0.06f * wing);
}

/* --- lids --- */

/* Turns the lids about the eyeball's centre; 1 and 1 shut the eye: both edges meet low, where the lower one
 * stands. */
static vec3 lids(const struct spot *s, float upper, float lower)
{
    const struct character *c = s->c;
    vec3 center = eye_center(c), e = sub(s->folded, center);
    float r = length(e), ball = c->eye_radius, w = c->eye_width;
    if (r > ball + 1.6f || e.z < -0.2f || e.x < -w - 0.8f || e.x > w + 0.9f)
        return v3(0, 0, 0);
    float x = clampf(e.x, -w, w), top = lid_top(c, x), bottom = lid_bottom(c, x),
          rr = square(ball + 0.15f) - x * x;
    float top_angle = atan2f(top, sqrtf(maxf(rr - top * top, 0.05f)));
    float bottom_angle = atan2f(bottom, sqrtf(maxf(rr - bottom * bottom, 0.05f)));
    float shut = blend(bottom_angle, top_angle, 0.16f), angle = atan2f(e.y, e.z), turn;
    if (angle > (top_angle + bottom_angle) * 0.5f)
        turn = (shut - top_angle) * upper * (1 - ease(0, 0.85f, angle - top_angle));
    else
        turn = (shut - bottom_angle) * lower * (1 - ease(0, 0.7f, bottom_angle - angle));
    turn *= ease(-w - 0.8f, -w + 0.35f, e.x) * ease(w + 0.9f, w - 0.35f, e.x);
    turn *= 1 - ease(ball + 0.40f, ball + 1.45f, r);
    vec3 from = sub(v3(s->p.x * s->side, s->p.y, s->p.z), center), d = sub(rotate_x(from, -turn), from);
    d.x *= s->side;
    return d;
}
static vec3 blink(const struct spot *s)
{
    return lids(s, 1, 1);
}
static vec3 squint(const struct spot *s)
{
    return lids(s, 0.22f, 1.6f);
}
static vec3 wide(const struct spot *s)
{
    return lids(s, -0.22f, -0.5f);
}
static vec3 look_up(const struct spot *s)
{
    return lids(s, -0.18f, 0.4f);
}
static vec3 look_down(const struct spot *s)
{
    return lids(s, 0.40f, -0.9f);
}
/* The cornea bulges: the lids shift a little towards where the eye looks. */
static vec3 lids_aside(const struct spot *s, float out)
{
    float b = patch(s, s->c->eye_apart, 0, 1.7f, 1.1f);
    return add(v3(s->side * out * b, 0, 0), lids(s, 0.03f, 0.05f));
}
static vec3 look_in(const struct spot *s)
{
    return lids_aside(s, -0.09f);
}
static vec3 look_out(const struct spot *s)
{
    return lids_aside(s, 0.09f);
}

/* --- the table --- */

typedef vec3 shape_field(const struct spot *s);
enum side { BOTH, LEFT, RIGHT, LEFT_ONLY, RIGHT_ONLY };

/* LEFT and RIGHT share the middle of the face softly; the _ONLY ones are apart anyway. */
static const struct {
    shape_field *field;
    enum side side;
} table[CP_SHAPE_COUNT] = {
#define PAIR(name, field, only)                                                                              \
    [CP_SHAPE_##name##Left] = {field, LEFT##only}, [CP_SHAPE_##name##Right] = {field, RIGHT##only}
    PAIR(browDown, brow_down, ),
    [CP_SHAPE_browInnerUp] = {brow_inner_up, BOTH},
    PAIR(browOuterUp, brow_outer_up, ),
    [CP_SHAPE_cheekPuff] = {cheek_puff, BOTH},
    PAIR(cheekSquint, cheek_squint, ),
    PAIR(eyeBlink, blink, _ONLY),
    PAIR(eyeLookDown, look_down, _ONLY),
    PAIR(eyeLookIn, look_in, _ONLY),
    PAIR(eyeLookOut, look_out, _ONLY),
    PAIR(eyeLookUp, look_up, _ONLY),
    PAIR(eyeSquint, squint, _ONLY),
    PAIR(eyeWide, wide, _ONLY),
    [CP_SHAPE_jawForward] = {jaw_forward, BOTH},
    [CP_SHAPE_jawLeft] = {jaw_sideways, BOTH},
    [CP_SHAPE_jawOpen] = {jaw_open, BOTH},
    [CP_SHAPE_jawRight] = {jaw_sideways_back, BOTH},
    [CP_SHAPE_mouthClose] = {mouth_close, BOTH},
    PAIR(mouthDimple, dimple, ),
    PAIR(mouthFrown, frown, ),
    [CP_SHAPE_mouthFunnel] = {mouth_funnel, BOTH},
    [CP_SHAPE_mouthLeft] = {mouth_sideways, BOTH},
    PAIR(mouthLowerDown, lower_down, ),
    PAIR(mouthPress, press, ),
    [CP_SHAPE_mouthPucker] = {mouth_pucker, BOTH},
    [CP_SHAPE_mouthRight] = {mouth_sideways_back, BOTH},
    [CP_SHAPE_mouthRollLower] = {roll_lower, BOTH},
    [CP_SHAPE_mouthRollUpper] = {roll_upper, BOTH},
    [CP_SHAPE_mouthShrugLower] = {shrug_lower, BOTH},
    [CP_SHAPE_mouthShrugUpper] = {shrug_upper, BOTH},
    PAIR(mouthSmile, smile, ),
    PAIR(mouthStretch, stretch, ),
    PAIR(mouthUpperUp, upper_up, ),
    PAIR(noseSneer, sneer, ),
#undef PAIR
};

/* Teeth, gums and tongue go with the jaw as one; the tongue has two shapes of its own. */
static vec3 jaw_part_offset(int shape, enum rig rig, vec3 p)
{
    float tongue = rig == RIG_TONGUE ? tongue_share(p) : 0;
    switch (shape) {
    case CP_SHAPE_jawOpen:
        return jaw_turn(p);
    case CP_SHAPE_jawForward:
        return v3(0, 0, 0.6f);
    case CP_SHAPE_jawLeft:
        return v3(0.6f, 0, 0);
    case CP_SHAPE_jawRight:
        return v3(-0.6f, 0, 0);
    case CP_SHAPE_tongueOut:
        return v3(0, 1.4f * tongue, 3.1f * tongue);
    case CP_SHAPE_tongueUp:
        return v3(0, 1.7f * tongue, 0.6f * tongue);
    default:
        return v3(0, 0, 0);
    }
}

vec3 shape_offset(const struct character *c, int shape, enum rig rig, vec3 p, vec3 anchor)
{
    if (rig == RIG_JAW || rig == RIG_TONGUE)
        return jaw_part_offset(shape, rig, p);
    if (rig != RIG_FACE || !table[shape].field)
        return v3(0, 0, 0);
    enum side side = table[shape].side;
    float left = ease(-0.7f, 0.7f, anchor.x), share = side == LEFT ? left : side == RIGHT ? 1 - left : 1;
    if (share == 0 || (side == LEFT_ONLY && anchor.x <= 0) || (side == RIGHT_ONLY && anchor.x >= 0))
        return v3(0, 0, 0);
    struct spot s = spot_at(c, p, anchor);
    return scale(table[shape].field(&s), share);
}

const char *shape_name(int shape)
{
    static const char *const names[] = {
#define X(name) #name,
        CP_SHAPES(X)
#undef X
    };
    return names[shape - 1]; /* CP_SHAPE_UNSET is 0 */
}

vec3 lip_seal(const struct character *c, vec3 p)
{
    float off = p.y - lip_line(c, p.x);
    float share = ease(c->mouth_width, c->mouth_width - 0.2f, fabsf(p.x)) * ease(6.2f, 7.2f, p.z);
    return v3(0, -off * share * ease(0.16f, 0.05f, fabsf(off)) * 0.85f, 0);
}

/* A nose's length, reach, bridge and tip, moved within the skin between eyes and lip. */
static vec3 nose_warp(const struct character *c, vec3 p)
{
    float on = bell(p.x, 1.9f) * ease(6.6f, 8.2f, p.z);
    float lower = ease(0.8f, -3.4f, p.y) * (1 - ease(-4.5f, -6.1f, p.y));
    float bridge = bell(p.x, 1.0f) * bell(p.y + 0.9f, 1.5f) * ease(6.2f, 7.4f, p.z);
    float tip = bell(p.x, 1.4f) * bell(p.y + 3.8f, 1.0f) * ease(8.2f, 9.6f, p.z);
    return add(v3(0, -c->nose_length * on * lower + 0.35f * c->nose_turn * tip,
                  c->nose_reach * on * lower + c->nose_bridge * bridge),
               v3(0, 0, 0.12f * c->nose_turn * tip));
}

/* Ears grow and stand off about the place where they are fixed. */
static vec3 ear_warp(const struct character *c, vec3 p)
{
    vec3 off = sub(v3(fabsf(p.x), p.y, p.z), v3(6.7f, -1.4f, -0.6f));
    float share = ease(3.6f, 2.4f, length(off)) * ease(6.2f, 7.0f, fabsf(p.x));
    vec3 move = scale(off, (c->ear_size - 1) * share);
    move.x += c->ear_out * share * ease(1.0f, -1.8f, off.z);
    return p.x < 0 ? mirror(move) : move;
}

/* Skull, cheekbones, jaw, chin: wide and soft changes of the whole. */
static vec3 bone_warp(const struct character *c, vec3 p)
{
    float a = fabsf(p.x), neck = 1 - ease(-9.5f, -14.0f, p.y);
    float skull = ease(-3.5f, 3.5f, p.y) * ease(6.5f, 3.5f, p.z);
    float cheek = bell(p.y + 2.4f, 2.2f) * ease(-1.5f, 2.5f, p.z) * ease(2.5f, 5.0f, a);
    float corner = bell(p.y + 7.4f, 2.8f) * ease(6.5f, 3.0f, p.z) * ease(-3.0f, 1.5f, p.z);
    float chin =
        bell(p.x, 3.4f) * ease(-7.8f, -9.4f, p.y) * (1 - ease(-10.5f, -13.0f, p.y)) * ease(2, 6, p.z);
    float mouth = bell(p.y + 7.1f, 1.7f) * bell(p.x, 3.0f) * ease(3.0f, 6.5f, p.z);
    float ridge = bell(p.y - 2.1f, 1.3f) * bell(a - 2.4f, 2.4f) * ease(5.0f, 7.0f, p.z);
    return v3(p.x * ((c->skull_width - 1) * skull + c->cheekbone * cheek + c->jaw_corner * corner),
              -c->chin_drop * ease(-6.8f, -9.6f, p.y) * neck * ease(-1, 4, p.z),
              p.z * (c->skull_depth - 1) * ease(1, -6, p.z) * ease(-8, -2, p.y) + c->chin_reach * chin +
                  c->lip_reach * mouth + c->brow_ridge * ridge -
                  c->forehead_slope * ease(2.8f, 9.0f, p.y) * ease(2, 6, p.z));
}

vec3 proportion(const struct character *c, vec3 p)
{
    p = add(p, add(bone_warp(c, p), add(nose_warp(c, p), ear_warp(c, p))));
    p.y += c->midface_lift * ease(-0.8f, -7.0f, p.y) * (1 - ease(-9.5f, -14.5f, p.y));
    p.x *= 1 - c->face_narrow * ease(5, 1, p.y) * (1 - ease(-9.5f, -14.5f, p.y)) * ease(-4, 2, p.z);
    p.y -= c->cranium_lower * ease(2.2f, 9.5f, p.y);
    float jaw = ease(-2.5f, -9.0f, p.y) * (1 - ease(-10.5f, -14, p.y)) * ease(-2, 3, p.z);
    p.x *= 1 - c->jaw_narrow * jaw;
    return p;
}
