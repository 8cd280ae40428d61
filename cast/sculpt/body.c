#include "body.h"

static const float ARM_OUT = 0.56f; /* radians */

vec3 shoulder_joint(const struct character *c)
{
    return v3(c->shoulder_width, -19.6f, -4.2f);
}
vec3 hanging_elbow(const struct character *c)
{
    return v3(c->shoulder_width + 4.7f, -45.5f, -5.0f);
}
vec3 hanging_wrist(const struct character *c)
{
    return v3(c->shoulder_width + 5.9f, -68.5f, -1.6f);
}

vec3 arm_to_rest(const struct character *c, vec3 p)
{
    vec3 shoulder = shoulder_joint(c);
    return add(shoulder, rotate_z(sub(p, shoulder), ARM_OUT));
}
vec3 arm_from_rest(const struct character *c, vec3 p)
{
    vec3 shoulder = shoulder_joint(c);
    return add(shoulder, rotate_z(sub(p, shoulder), -ARM_OUT));
}
vec3 elbow_joint(const struct character *c)
{
    return arm_to_rest(c, hanging_elbow(c));
}
vec3 wrist_joint(const struct character *c)
{
    return arm_to_rest(c, hanging_wrist(c));
}

/* Legs fill what is left between the hips and the floor. */
static float floor_y(const struct character *c)
{
    return -100 * c->height_m;
}
vec3 hip_joint(const struct character *c)
{
    (void)c;
    return v3(8.2f, -74, -3.6f);
}
vec3 knee_joint(const struct character *c)
{
    return v3(8.4f, blend(-74, floor_y(c) + 8, 0.52f), -3.0f);
}
vec3 ankle_joint(const struct character *c)
{
    return v3(8.6f, floor_y(c) + 8, -5.2f);
}
vec3 toe_joint(const struct character *c)
{
    return v3(9.4f, floor_y(c) + 2.2f, 6.8f);
}

/* Half width, half depth and centre of the trunk's ellipse at each height. */
static const float trunk_width[][2] = {{-90, 13.6f}, {-74, 14.2f}, {-66, 13.7f}, {-58, 11.6f}, {-50, 10.1f},
                                       {-44, 10.4f}, {-36, 11.9f}, {-28, 13.0f}, {-22, 12.4f}, {-17, 9.0f}};
static const float trunk_depth[][2] = {{-90, 8.8f}, {-74, 9.0f}, {-66, 8.7f}, {-58, 7.5f}, {-50, 6.5f},
                                       {-44, 6.5f}, {-36, 7.2f}, {-28, 7.6f}, {-22, 6.8f}, {-17, 5.2f}};
static const float trunk_center[][2] = {{-90, -4.2f}, {-66, -4.0f}, {-50, -3.3f}, {-36, -3.3f}, {-17, -4.1f}};

float sd_trunk(const struct character *c, vec3 p)
{
    /* the tables' corners are rounded by averaging three heights */
    float d = 0;
    for (int k = -1; k <= 1; k++) {
        float y = p.y + 2.2f * (float)k;
        float w = table_at(trunk_width, 10, y) + (1 - c->waist) * 2.2f * bell(y + 50, 12) +
                  (c->shoulder_width - 14.2f) * 0.8f * ease(-78, -40, y),
              depth = table_at(trunk_depth, 10, y);
        float z = p.z - table_at(trunk_center, 5, y);
        d += sd_ellipsoid(v3(p.x, 0, z), v3(0, 0, 0), v3(w, 1, depth)) / 3;
    }
    return meet(d, p.y + 17, 3.0f);
}

float sd_arm(const struct character *c, vec3 p)
{
    vec3 q = arm_from_rest(c, p), shoulder = shoulder_joint(c), elbow = hanging_elbow(c),
         wrist = hanging_wrist(c);
    float d = sd_capsule(q, shoulder, elbow, 3.7f, 3.15f);
    return join(d, sd_capsule(q, elbow, wrist, 3.15f, 2.1f), 1.5f);
}

float sd_leg(const struct character *c, vec3 p)
{
    vec3 hip = hip_joint(c), knee = knee_joint(c), ankle = ankle_joint(c), toe = toe_joint(c);
    vec3 calf = blend3(knee, ankle, 0.30f);
    float d = sd_capsule(p, add(hip, v3(-1.2f, 0, 0)), knee, 7.6f, 4.9f);
    d = join(d, sd_capsule(p, knee, ankle, 4.7f, 3.1f), 2.0f);
    d = join(d, sd_ellipsoid(p, add(calf, v3(0, 0, -1.6f)), v3(4.0f, 9, 3.8f)), 2.5f);
    vec3 heel = add(ankle, v3(0, -5.0f, -2.4f)), ball = add(toe, v3(0, 0.4f, 0)),
         tip = add(toe, v3(0.3f, -0.3f, 5.2f));
    d = join(d, sd_capsule(p, heel, ankle, 2.8f, 3.0f), 2.0f);
    d = join(d, sd_capsule(p, add(ankle, v3(0, -2.5f, 0)), ball, 3.2f, 2.3f), 2.0f);
    d = join(d,
             sd_capsule(v3(p.x, p.y * 1.2f, p.z), v3(ball.x, ball.y * 1.2f, ball.z),
                        v3(tip.x, tip.y * 1.2f, tip.z), 3.6f, 2.6f),
             1.6f);
    return meet(d, floor_y(c) - p.y, 0.6f);
}

float sd_torso(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z), shoulder = shoulder_joint(c);
    float d = sd_trunk(c, q);
    /* trapezius and shoulder girdle, from the neck down to the joint */
    d = join(d, sd_capsule(q, v3(2.2f, -14.9f, -4.2f), along(shoulder, v3(-1.0f, 1, 0), 1.0f), 3.0f, 3.4f),
             3.0f);
    /* cloth spans the middle of the bust, so both sides are blended instead of folded */
    const vec3 bust = scale(v3(5.0f, 5.2f, 4.2f), blend(0.72f, 1, c->bust));
    d = join(d,
             join(sd_ellipsoid(p, v3(5.3f, -28.2f, 1.4f), bust),
                  sd_ellipsoid(p, v3(-5.3f, -28.2f, 1.4f), bust), 5.0f),
             3.0f);
    float neck = c->neck_width;
    return join(d, sd_capsule(q, v3(0, -10.4f, -3.3f), v3(0, -18.4f, -4.0f), 3.9f * neck, 4.4f), 2.2f);
}

float sd_body(const struct character *c, vec3 p)
{
    return join(sd_torso(c, p), sd_arm(c, v3(fabsf(p.x), p.y, p.z)), 1.8f);
}
