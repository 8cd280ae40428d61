/* 10-bit RGB -> I420, BT.709 limited range. */
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
