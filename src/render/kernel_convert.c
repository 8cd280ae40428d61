/* 10-bit RGB -> I420, BT.709 limited range; and the background from the backdrop. */
#include "render/kernel.h"

/* ITU-R BT.709-6, item 3: luma weights; chroma scaled to 224 steps, luma to 219. */
#define RED   0.2126f
#define GREEN 0.7152f
#define BLUE  0.0722f

void KERNEL(convert)(const uint32_t *rgb, int rgb_stride, uint8_t *const plane[3], const int stride[3],
                     int width, int height)
{
    const float luma = 219 / 1023.0f, chroma = 224 / (4 * 1023.0f);
    for (int y = 0; y < height; y += 2)
        for (int x = 0; x < width; x += LANES) {
            vf r = vf_set(0), g = r, b = r;
            for (int j = 0; j < 2; j++) {
                vi c = vi_load(rgb + (y + j) * rgb_stride + x);
                vf cr = vf_from_vi(c & 1023), cg = vf_from_vi(vi_shift_right(c, 10) & 1023);
                vf cb = vf_from_vi(vi_shift_right(c, 20) & 1023);
                vf l = vf_fma(cr, vf_set(RED * luma),
                              vf_fma(cg, vf_set(GREEN * luma), vf_fma(cb, vf_set(BLUE * luma), vf_set(16))));
                vi_store_bytes(plane[0] + (y + j) * stride[0] + x, vi_from_vf(l));
                r += cr;
                g += cg;
                b += cb;
            }
            r = vf_add_pairs(r);
            g = vf_add_pairs(g);
            b = vf_add_pairs(b);
            vf l = vf_fma(r, vf_set(RED), vf_fma(g, vf_set(GREEN), b * BLUE));
            vi u = vi_from_vf(vf_fma(b - l, vf_set(chroma / (2 * (1 - BLUE))), vf_set(128)));
            vi v = vi_from_vf(vf_fma(r - l, vf_set(chroma / (2 * (1 - RED))), vf_set(128)));
            vi_store_even_bytes(plane[1] + y / 2 * stride[1] + x / 2, u);
            vi_store_even_bytes(plane[2] + y / 2 * stride[2] + x / 2, v);
        }
}

/* The backdrop at (column, row), bilinear, in one blur level: 0..1023 a channel. */
INLINE void sample_level(const uint32_t *level, vi x0, vi y0, vf tx, vf ty, vf out[3])
{
    vi at = y0 * BACKDROP_WIDTH + x0;
    vi c[4] = {vi_gather(level, at), vi_gather(level, at + 1), vi_gather(level, at + BACKDROP_WIDTH),
               vi_gather(level, at + BACKDROP_WIDTH + 1)};
    for (int k = 0; k < 3; k++) {
        vf v[4];
        for (int i = 0; i < 4; i++)
            v[i] = vf_from_vi(vi_shift_right(c[i], 10 * k) & 1023);
        out[k] = vf_mix(vf_mix(v[0], v[1], tx), vf_mix(v[2], v[3], tx), ty);
    }
}

void KERNEL(fill_background)(struct cp_render *render, int y0, int y1)
{
    const struct backdrop *backdrop = render->backdrop;
    int level = (int)backdrop->blur;
    level = level > BACKDROP_LEVELS - 2 ? BACKDROP_LEVELS - 2 : level;
    const vf blend = vf_set(backdrop->blur - (float)level);
    for (int y = y0; y < y1; y++) {
        float row = backdrop->row[y], whole = floorf(row);
        vf ty = vf_set(row - whole);
        vi row0 = vi_set((int)whole);
        for (int x = 0; x < render->width; x += LANES) {
            vf column = vf_load(backdrop->column + x), floor = vf_floor(column), a[3], b[3];
            vi column0 = vi_from_vf(floor);
            sample_level(backdrop->level[level], column0, row0, column - floor, ty, a);
            sample_level(backdrop->level[level + 1], column0, row0, column - floor, ty, b);
            /* Interleaved gradient noise (Jimenez 2014), a step of an 8-bit value high: fixed to the picture,
             * so it hides bands and costs an encoder nothing in still parts. */
            vf px = vf_from_vi(vi_lanes()) + (float)x;
            vf noise = vf_fma(px, vf_set(0.06711056f), vf_set((float)y * 0.00583715f));
            noise = (noise - vf_floor(noise)) * 52.9829189f;
            noise = (noise - vf_floor(noise) - 0.5f) * 4.0f;
            vi packed = vi_set(0);
            for (int k = 0; k < 3; k++) {
                vf v = vf_clamp(vf_mix(a[k], b[k], blend) + noise, 0, 1023);
                packed |= (vi)((vu)vi_from_vf(v) << (10 * k));
            }
            uint32_t *to = render->background + (size_t)y * (size_t)render->width + (size_t)x;
            if (render->width - x >= LANES) {
                vi_store(to, packed);
            } else {
                uint32_t lane[LANES];
                vi_store(lane, packed);
                memcpy(to, lane, (size_t)(render->width - x) * sizeof lane[0]);
            }
        }
    }
}
