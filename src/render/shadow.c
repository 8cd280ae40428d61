/* Where the shadow maps look: each follows the head and shoulders of its character. */
#include "render/render_int.h"

#include <math.h>

/* The map moves in steps of so many texels, so that what it says of a point does not depend on where it is.
 */
enum { SHADOW_STEP = 16, SHADOW_DEPTH_STEP = 512 };

static float dot(const float *a, const float *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* The middle of the posed character's head and shoulders. False when the pose puts it nowhere. */
static bool find_center(const struct cp_render *render, const struct character *c, float *ret_center)
{
    double sum[3] = {0};
    for (int i = 0; i < c->n_anchors; i++)
        for (int k = 0; k < 3; k++)
            sum[k] += (double)render->attributes[c->anchor[i] * ROW_FLOATS + ROW_POSITION + k];
    bool good = true;
    for (int k = 0; k < 3; k++) {
        ret_center[k] = c->from_anchors[k] + (c->n_anchors ? (float)(sum[k] / c->n_anchors) : 0);
        good &= fabsf(ret_center[k]) < 1000; /* metres; false for NaN */
    }
    return good;
}

void cp_shadow_aim(struct cp_render *render, int character)
{
    const struct character *c = &render->mesh->characters[character];
    struct shadow *s = &render->shadows[character];
    const float *key = render->lights.key.direction;
    float center[3];
    if (!find_center(render, c, center))
        center[0] = center[1] = center[2] = 0;
    /* side = down the light's horizon, up completes them; the light is never straight above. */
    float length = sqrtf(key[0] * key[0] + key[2] * key[2]);
    const float side[3] = {key[2] / length, 0, -key[0] / length};
    const float up[3] = {key[1] * side[2] - key[2] * side[1], key[2] * side[0] - key[0] * side[2],
                         key[0] * side[1] - key[1] * side[0]};
    s->scale = SHADOW_SIZE / (2 * c->radius_m);
    s->depth_scale = 30000 / (4 * c->radius_m);
    for (int k = 0; k < 3; k++) {
        s->side[k] = side[k];
        s->up[k] = up[k];
        s->key[k] = key[k];
    }
    s->offset[0] = SHADOW_SIZE / 2 - SHADOW_STEP * rintf(dot(side, center) * s->scale / SHADOW_STEP);
    s->offset[1] = SHADOW_SIZE / 2 - SHADOW_STEP * rintf(dot(up, center) * s->scale / SHADOW_STEP);
    s->offset[2] = 32000 + SHADOW_DEPTH_STEP * rintf(dot(key, center) * s->depth_scale / SHADOW_DEPTH_STEP);
}
