/* Included by the kernel files only: names end in the level that the file is being compiled for. */
#ifndef CP_RENDER_KERNEL_H
#define CP_RENDER_KERNEL_H

#include "render/render_int.h"
#include "render/simd.h"

#ifndef CP_LEVEL
#error "kernel files are compiled once a level with -DCP_LEVEL=..."
#endif
#define KERNEL_PASTE2(name, level) cp_kernel_##name##_##level
#define KERNEL_PASTE(name, level)  KERNEL_PASTE2(name, level)
#define KERNEL(name)               KERNEL_PASTE(name, CP_LEVEL)

void KERNEL(add_rows)(int32_t *accumulated, const struct morph_row *rows, const int32_t *vertex, int n,
                      int delta);
void KERNEL(place_vertices)(struct cp_render *render);
void KERNEL(draw_shadow)(struct cp_render *render, int character);
void KERNEL(set_up)(struct cp_render *render);
void KERNEL(raster)(struct cp_render *render, int tile_x, int tile_y);
void KERNEL(classify)(struct cp_render *render, int tile_x, int tile_y);
void KERNEL(shade)(struct cp_render *render, int tile_x, int tile_y);
void KERNEL(convert)(const uint32_t *rgb, int rgb_stride, uint8_t *const plane[3], const int stride[3],
                     int width, int height);
void KERNEL(fill_background)(const struct backdrop *backdrop, uint32_t *out, int width, int height);
void KERNEL(lay_patch)(const struct patch *patch, uint32_t *background, int width);

/* A 3x3 quadratic B-spline over the map around (lx, ly): the lit share of it. */
INLINE vf shadow_filter(const struct shadow *shadow, vf lx, vf ly, vi z)
{
    vf cx = vf_floor(lx), cy = vf_floor(ly), fx = lx - cx - 0.5f, fy = ly - cy - 0.5f;
    vf hx = vf_set(0.5f) - fx, gx = vf_set(0.5f) + fx, hy = vf_set(0.5f) - fy, gy = vf_set(0.5f) + fy;
    vf wx0 = hx * hx * 0.5f, wx2 = gx * gx * 0.5f, wx1 = vf_set(1) - wx0 - wx2;
    vf wy0 = hy * hy * 0.5f, wy2 = gy * gy * 0.5f, wy[3] = {wy0, vf_set(1) - wy0 - wy2, wy2};
    vf zero = vf_set(0), sum = zero;
    vi base = vi_from_vf(cy) * SHADOW_SIZE + vi_from_vf(cx) - (SHADOW_SIZE + 1);
    for (int k = 0; k < 3; k++) {
        vi p = vi_gather16(shadow->depth + k * SHADOW_SIZE, base);
        vi q = vi_gather16(shadow->depth + k * SHADOW_SIZE + 2, base);
        vf row = vf_select(vm_ge_int(p & 0xffff, z), wx0, zero) +
                 vf_select(vm_ge_int(vi_shift_right(p, 16), z), wx1, zero) +
                 vf_select(vm_ge_int(q & 0xffff, z), wx2, zero);
        sum = vf_fma(row, wy[k], sum);
    }
    return sum;
}

/*
 * How much of the key light reaches points: 0 shadow .. 1 lit. Four filters side by side make the soft edge
 * of a large light; most points end after one look at their cell's lowest and highest depth.
 */
INLINE vf shadow_lookup(const struct shadow *shadow, struct v3 position)
{
    const float spread = SHADOW_SPREAD, edge = SHADOW_REACH + 1, end = SHADOW_SIZE - edge - 1;
    const vf one = vf_set(1);
    vf lx = vf_fma(v3_dot(v3_set(shadow->side), position), vf_set(shadow->scale), vf_set(shadow->offset[0]));
    vf ly = vf_fma(v3_dot(v3_set(shadow->up), position), vf_set(shadow->scale), vf_set(shadow->offset[1]));
    vf lz = vf_fma(v3_dot(v3_set(shadow->key), position), vf_set(-shadow->depth_scale),
                   vf_set(shadow->offset[2]));
    vf in_x = vf_clamp(lx, edge, end), in_y = vf_clamp(ly, edge, end);
    /* Outside the map nothing is known to be in the way: depth 0 is lit by everything. */
    vf off = vf_abs(lx - in_x) + vf_abs(ly - in_y);
    lz = vf_select(vm_lt(vf_set(0), off), vf_set(0), vf_clamp(lz, 0, 65000));
    vi ix = vi_from_vf(vf_floor(in_x)), iy = vi_from_vf(vf_floor(in_y)), z = vi_from_vf(lz);
    vi cell = vi_gather(shadow->cells, (iy >> 2) * (SHADOW_SIZE / SHADOW_CELL) + (ix >> 2));
    if (vm_bits(vm_ge_int(cell & 0xffff, z)) == ALL_LANES)
        return one;
    if (!vm_bits(vm_ge_int(vi_shift_right(cell, 16), z)))
        return vf_set(0);
    vf sum = shadow_filter(shadow, in_x - spread, in_y - 0.4f * spread, z) +
             shadow_filter(shadow, in_x + spread, in_y + 0.4f * spread, z);
    /* Surfaces at a slant to the light come this far although they are lit: two filters tell. */
    if (!vm_bits(vm_lt(sum, vf_set(1.999f))))
        return one;
    sum += shadow_filter(shadow, in_x + 0.4f * spread, in_y - spread, z) +
           shadow_filter(shadow, in_x - 0.4f * spread, in_y + spread, z);
    return sum * 0.25f;
}

#endif
