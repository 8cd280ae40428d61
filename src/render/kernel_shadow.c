/* The shadow map of the key light: the coarse mesh, seen from the light, as depths. Lower is nearer to it. */
#include "render/kernel.h"

struct shadow_corner {
    float x, y, z;
};

INLINE float min3(float a, float b, float c)
{
    float m = a < b ? a : b;
    return m < c ? m : c;
}
INLINE float max3(float a, float b, float c)
{
    float m = a > b ? a : b;
    return m > c ? m : c;
}

static void draw_triangle(float *plane, struct shadow_corner a, struct shadow_corner b,
                          struct shadow_corner c)
{
    float area = (c.x - a.x) * (b.y - a.y) - (b.x - a.x) * (c.y - a.y);
    if (area < 0) { /* both sides cast shadows */
        struct shadow_corner t = b;
        b = c;
        c = t;
        area = -area;
    }
    float low_x = min3(a.x, b.x, c.x), high_x = max3(a.x, b.x, c.x);
    float low_y = min3(a.y, b.y, c.y), high_y = max3(a.y, b.y, c.y);
    if (!(area > 1e-4f) || !(low_x < SHADOW_SIZE) || !(high_x > 0) || !(low_y < SHADOW_SIZE) || !(high_y > 0))
        return;
    int x0 = low_x < 0.5f ? 0 : (int)ceilf(low_x - 0.5f), y0 = low_y < 0.5f ? 0 : (int)ceilf(low_y - 0.5f);
    int x1 = high_x > SHADOW_SIZE - 0.5f ? SHADOW_SIZE - 1 : (int)floorf(high_x - 0.5f);
    int y1 = high_y > SHADOW_SIZE - 0.5f ? SHADOW_SIZE - 1 : (int)floorf(high_y - 0.5f);
    float inverse = 1 / area;
    float a1 = (a.y - c.y) * inverse, b1 = (c.x - a.x) * inverse;
    float a2 = (b.y - a.y) * inverse, b2 = (a.x - b.x) * inverse;
    float px = (float)x0 + 0.5f - a.x, py = (float)y0 + 0.5f - a.y;
    vf x = vf_from_vi(vi_lanes()) + px;
    vf u = vf_fma(x, vf_set(a1), vf_set(b1 * py)), v = vf_fma(x, vf_set(a2), vf_set(b2 * py));
    vf d1 = vf_set(b.z - a.z), d2 = vf_set(c.z - a.z), z0 = vf_set(a.z);
    for (int y = y0; y <= y1; y++, u += b1, v += b2) {
        vf uu = u, vv = v;
        for (int i = x0; i <= x1; i += LANES, uu += a1 * LANES, vv += a2 * LANES) {
            vf ww = vf_set(1.00001f) - uu - vv;
            vm in = vm_not_negative((vi)uu | (vi)vv | (vi)ww);
            if (!vm_bits(in))
                continue;
            float *at = plane + y * SHADOW_STRIDE + i;
            vf_store_if(at, in, vf_min(vf_fma(uu, d1, vf_fma(vv, d2, z0)), vf_load(at)));
        }
    }
}

/* LANES triangles into light space. */
INLINE void to_light_space(const struct cp_render *render, const struct shadow *s,
                           const int32_t (*triangle)[3], int corner, int n, struct shadow_corner *out)
{
    int index[LANES];
    for (int i = 0; i < LANES; i++)
        index[i] = triangle[i < n ? i : 0][corner] * ROW_FLOATS + ROW_POSITION;
    vi at = vi_load(index);
    struct v3 p = {vf_gather(render->attributes, at), vf_gather(render->attributes + 1, at),
                   vf_gather(render->attributes + 2, at)};
    float x[LANES], y[LANES], z[LANES];
    vf_store(x, vf_fma(v3_dot(v3_set(s->side), p), vf_set(s->scale), vf_set(s->offset[0])));
    vf_store(y, vf_fma(v3_dot(v3_set(s->up), p), vf_set(s->scale), vf_set(s->offset[1])));
    vf_store(z, vf_fma(v3_dot(v3_set(s->key), p), vf_set(-s->depth_scale), vf_set(s->offset[2])));
    for (int i = 0; i < LANES; i++)
        out[i] = (struct shadow_corner){x[i], y[i], z[i]};
}

/* For every cell, the lowest and highest depth that a lookup inside it can meet. */
static void summarize_cells(struct shadow *shadow)
{
    enum { CELLS = SHADOW_SIZE / SHADOW_CELL };
    for (int cy = 0; cy < CELLS; cy++) {
        uint16_t low[SHADOW_SIZE + 2 * SHADOW_REACH], high[SHADOW_SIZE + 2 * SHADOW_REACH];
        memset(low, 0xff, sizeof low);
        memset(high, 0, sizeof high);
        for (int y = cy * SHADOW_CELL - SHADOW_REACH; y < (cy + 1) * SHADOW_CELL + SHADOW_REACH; y++) {
            if (y < 0 || y >= SHADOW_SIZE)
                continue;
            const uint16_t *row = shadow->depth + y * SHADOW_SIZE;
            for (int x = 0; x < SHADOW_SIZE; x++) {
                low[x + SHADOW_REACH] = row[x] < low[x + SHADOW_REACH] ? row[x] : low[x + SHADOW_REACH];
                high[x + SHADOW_REACH] = row[x] > high[x + SHADOW_REACH] ? row[x] : high[x + SHADOW_REACH];
            }
        }
        for (int cx = 0; cx < CELLS; cx++) {
            uint32_t a = 0xffff, b = 0;
            for (int x = cx * SHADOW_CELL; x < (cx + 1) * SHADOW_CELL + 2 * SHADOW_REACH; x++) {
                a = low[x] < a ? low[x] : a;
                b = high[x] > b ? high[x] : b;
            }
            shadow->cells[cy * CELLS + cx] = a | b << 16;
        }
    }
}

/* Hair takes its shadow once a vertex: its own fine depth differences would only flicker. */
static void light_strands(struct cp_render *render, int character)
{
    const struct mesh *mesh = render->mesh;
    const struct character *who = &mesh->characters[character];
    const vi stride = vi_lanes() * ROW_FLOATS;
    for (int g = who->first_vertex / GROUP; g < (who->first_vertex + who->n_vertices) / GROUP; g++) {
        if (!mesh->groups[g].used || !mesh->groups[g].strands)
            continue;
        for (int half = 0; half < GROUP; half += LANES) {
            size_t v = (size_t)g * GROUP + (size_t)half;
            const float *row = render->attributes + v * ROW_FLOATS + ROW_POSITION;
            struct v3 p = {vf_gather(row, stride), vf_gather(row + 1, stride), vf_gather(row + 2, stride)};
            vf_store(render->vertex_light + v, shadow_lookup(&render->shadows[character], p));
        }
    }
}

void KERNEL(draw_shadow)(struct cp_render *render, int character)
{
    struct shadow *shadow = &render->shadows[character];
    const struct mesh *mesh = render->mesh;
    const struct character *who = &mesh->characters[character];
    const int32_t(*proxy)[3] = (const int32_t(*)[3])mesh->proxy + who->first_proxy;
    for (int i = 0; i < SHADOW_STRIDE * SHADOW_SIZE; i += LANES)
        vf_store(render->shadow_plane + i, vf_set(65000));
    for (int t = 0; t < who->n_proxy; t += LANES) {
        struct shadow_corner corner[3][LANES];
        int n = who->n_proxy - t < LANES ? who->n_proxy - t : LANES;
        for (int k = 0; k < 3; k++)
            to_light_space(render, shadow, proxy + t, k, n, corner[k]);
        for (int i = 0; i < n; i++)
            draw_triangle(render->shadow_plane, corner[0][i], corner[1][i], corner[2][i]);
    }
    for (int y = 0; y < SHADOW_SIZE; y++) {
        const float *from = render->shadow_plane + y * SHADOW_STRIDE;
        uint16_t *to = shadow->depth + y * SHADOW_SIZE;
        for (int x = 0; x < SHADOW_SIZE; x++) {
            float z = from[x] < 0 ? 0 : from[x];
            to[x] = (uint16_t)(int)z;
        }
    }
    summarize_cells(shadow);
    light_strands(render, character);
}
