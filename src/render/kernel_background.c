/* The background: a picture sampled for every pixel of the frame, and flat things laid over it in
 * perspective. */
#include "render/kernel.h"
#include "render/scenery.h"

/* The picture at (column, row), bilinear: 0..1023 a channel. */
INLINE void sample(const uint32_t *texels, int stride, vf x, vf y, vf out[3])
{
    vf fx = vf_floor(x), fy = vf_floor(y), tx = x - fx, ty = y - fy;
    vi at = vi_from_vf(fy) * stride + vi_from_vf(fx);
    vi c[4] = {vi_gather(texels, at), vi_gather(texels, at + 1), vi_gather(texels, at + stride),
               vi_gather(texels, at + stride + 1)};
    for (int k = 0; k < 3; k++) {
        vf v[4];
        for (int i = 0; i < 4; i++)
            v[i] = vf_from_vi(vi_shift_right(c[i], 10 * k) & 1023);
        out[k] = vf_mix(vf_mix(v[0], v[1], tx), vf_mix(v[2], v[3], tx), ty);
    }
}

INLINE vi pack(const vf c[3])
{
    vi packed = vi_set(0);
    for (int k = 0; k < 3; k++)
        packed |= (vi)((vu)vi_from_vf(vf_clamp(c[k], 0, 1023)) << (10 * k));
    return packed;
}

/* Interleaved gradient noise (Jimenez 2014), -2..2: fixed to the picture, so it hides bands and costs an
 * encoder nothing in still parts. */
INLINE vf still_noise(int x, int y)
{
    vf px = vf_from_vi(vi_lanes()) + (float)x;
    vf noise = vf_fma(px, vf_set(0.06711056f), vf_set((float)y * 0.00583715f));
    noise = (noise - vf_floor(noise)) * 52.9829189f;
    return (noise - vf_floor(noise) - 0.5f) * 4.0f;
}

/* Whole vectors only: the background is padded, but its rows follow each other. */
INLINE void store_part(uint32_t *to, vi packed, int n)
{
    if (n >= LANES) {
        vi_store(to, packed);
        return;
    }
    uint32_t lane[LANES];
    vi_store(lane, packed);
    memcpy(to, lane, (size_t)n * sizeof lane[0]);
}

void KERNEL(fill_background)(const struct backdrop *b, uint32_t *out, int width, int height)
{
    int level = (int)b->blur;
    level = level > BACKDROP_LEVELS - 2 ? BACKDROP_LEVELS - 2 : level;
    const uint32_t *near = b->level[level], *far = b->level[level + 1];
    const vf blend = vf_set(b->blur - (float)level);
    const float last_row = (float)(b->height - 2);
    bool two = far && far != near && b->blur > (float)level;
    /* A panorama is seen at some three times its size: every other row is the mean of its neighbours. */
    const int step = b->level[1] != b->level[0] ? 2 : 1;
    for (int y = 0; y < height; y += step) {
        const vf t = vf_set(b->row[y]);
        for (int x = 0; x < width; x += LANES) {
            vf column = vf_load(b->column + x), c[3];
            vf row = vf_clamp(vf_fma(vf_load(b->slope + x), t, vf_load(b->shift + x)), 0, last_row);
            sample(near, b->width, column, row, c);
            if (two) {
                vf d[3];
                sample(far, b->width, column, row, d);
                for (int k = 0; k < 3; k++)
                    c[k] = vf_mix(c[k], d[k], blend);
            }
            vf noise = still_noise(x, y) * b->noise;
            for (int k = 0; k < 3; k++)
                c[k] = c[k] + noise;
            store_part(out + (size_t)y * (size_t)width + (size_t)x, pack(c), width - x);
        }
    }
    for (int y = 1; step == 2 && y < height; y += 2) {
        uint32_t *to = out + (size_t)y * (size_t)width;
        const uint32_t *above = to - width, *below = y + 1 < height ? to + width : above;
        for (int x = 0; x < width; x++) /* three means of 10 bits at once */
            to[x] = (above[x] & below[x]) + (((above[x] ^ below[x]) & 0x3feffbfeu) >> 1);
    }
}

void KERNEL(lay_patch)(const struct patch *p, uint32_t *background, int width)
{
    const vf lane = vf_from_vi(vi_lanes());
    const float last_u = (float)(p->texture_width - 2), last_v = (float)(p->texture_height - 2);
    for (int y = p->y0; y < p->y1; y++) {
        uint32_t *row = background + (size_t)y * (size_t)width;
        const float fy = (float)y + 0.5f;
        for (int x = p->x0; x < p->x1; x += LANES) {
            vf px = lane + ((float)x + 0.5f), inside = vf_set(1e9f), c[3];
            for (int i = 0; i < 4; i++)
                inside = vf_min(
                    inside, vf_fma(px, vf_set(p->edge[i][0]), vf_set(p->edge[i][1] * fy + p->edge[i][2])));
            if (!vm_bits(vm_lt(vf_set(-0.5f - 0.5f * p->soft), inside)))
                continue;
            vi there = vi_load(row + x);
            vf cover = vf_saturate(inside * (1 / p->soft) + 0.5f);
            if (p->texture) {
                vf w = vf_fma(px, vf_set(p->w[0]), vf_set(p->w[1] * fy + p->w[2])), near_w = vf_rcp(w);
                vf one_w = near_w * (vf_set(2) - w * near_w); /* a step of Newton: 22 bits */
                vf u = vf_fma(px, vf_set(p->u[0]), vf_set(p->u[1] * fy + p->u[2])) * one_w - 0.5f;
                vf v = vf_fma(px, vf_set(p->v[0]), vf_set(p->v[1] * fy + p->v[2])) * one_w - 0.5f;
                sample(p->texture, p->texture_width, vf_clamp(u, 0, last_u), vf_clamp(v, 0, last_v), c);
                for (int k = 0; k < 3; k++)
                    c[k] = vf_mix(vf_set(p->color[k]), c[k], cover);
                /* Where it does not reach, what is there stays; its frame has been drawn before. */
                vm keep = vm_lt(inside, vf_set(-0.5f));
                for (int k = 0; k < 3; k++)
                    c[k] = vf_select(keep, vf_from_vi(vi_shift_right(there, 10 * k) & 1023), c[k]);
            } else {
                cover = cover * cover * (vf_set(3) - cover * 2.0f) * p->alpha;
                for (int k = 0; k < 3; k++)
                    c[k] =
                        vf_mix(vf_from_vi(vi_shift_right(there, 10 * k) & 1023), vf_set(p->color[k]), cover);
            }
            store_part(row + x, pack(c), width - x);
        }
    }
}
