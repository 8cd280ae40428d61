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

/* The same for a place in the panorama. */
INLINE void sample_level(const struct level *level, vf column, vf row, vf out[3])
{
    const vf scale = vf_set(level->scale), middle = vf_set(0.5f * level->scale - 0.5f);
    vf x = vf_clamp(vf_fma(column, scale, middle), 0, (float)(level->width - 2));
    vf y = vf_clamp(vf_fma(row, scale, middle), 0, (float)(level->height - 2));
    sample(level->texels, level->width, x, y, out);
}

INLINE vi pack(const vf c[3])
{
    vi packed = vi_set(0);
    for (int k = 0; k < 3; k++)
        packed |= (vi)((vu)vi_from_vf(vf_clamp(c[k], 0, 1023)) << (10 * k));
    return packed;
}

/* The same for what needs no clamp. */
INLINE vi pack_inside(const vf c[3])
{
    return vi_from_vf(c[0]) | (vi)((vu)vi_from_vf(c[1]) << 10) | (vi)((vu)vi_from_vf(c[2]) << 20);
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

/* One line of the grid, then stretched to every pixel between its points: three rows of floats. */
static void grid_line(const struct backdrop *b, float t, int n, float *point, float *line, int pitch)
{
    int level = (int)b->blur;
    level = level > BACKDROP_LEVELS - 2 ? BACKDROP_LEVELS - 2 : level;
    const struct level *near = &b->level[level], *far = near + 1;
    const vf blend = vf_set(b->blur - (float)level);
    const bool two = far->texels != near->texels && b->blur > (float)level;
    float *to = b->grid > 1 ? point : line;
    for (int i = 0; i < n; i += LANES) {
        vf column = vf_load(b->column + i), c[3];
        vf row = vf_fma(vf_load(b->slope + i), vf_set(t), vf_load(b->shift + i));
        sample_level(near, column, row, c);
        if (two) {
            vf d[3];
            sample_level(far, column, row, d);
            for (int k = 0; k < 3; k++)
                c[k] = vf_mix(c[k], d[k], blend);
        }
        for (int k = 0; k < 3; k++)
            vf_store(to + k * pitch + i, vf_clamp(c[k], b->noise, 1023 - b->noise));
    }
    for (int k = 0; k < 3 && b->grid > 1; k++) {
        const float *from = point + k * pitch, share = 1 / (float)b->grid;
        float *out = line + k * pitch;
        if (b->grid == 4)
            for (int i = 0; i + 1 < n; i++)
                for (int j = 0; j < 4; j++)
                    out[4 * i + j] = from[i] + (from[i + 1] - from[i]) * (share * (float)j);
        else
            for (int i = 0; i + 1 < n; i++)
                for (int j = 0; j < 2; j++)
                    out[2 * i + j] = from[i] + (from[i + 1] - from[i]) * (share * (float)j);
    }
}

/* One vector of columns from one line of the grid to the next. */
INLINE void fill_between(const float *above, const float *below, int pitch, const float *grain, float share,
                         uint32_t *out, int width, int rows, int columns)
{
    vf c[3], step[3];
    for (int k = 0; k < 3; k++) {
        c[k] = vf_load(above + k * pitch);
        step[k] = (vf_load(below + k * pitch) - c[k]) * share;
    }
    for (int j = 0; j < rows; j++) {
        const vf here = vf_load(grain + j * GRAIN);
        const vf grainy[3] = {c[0] + here, c[1] + here, c[2] + here};
        store_part(out + (ptrdiff_t)j * width, pack_inside(grainy), columns);
        for (int k = 0; k < 3; k++)
            c[k] += step[k];
    }
}

/* The picture is sampled at the points of a grid, and the pixels between them are mixed: a panorama is seen
 * at some three times its size and is soft, so nothing is lost. */
void KERNEL(fill_background)(const struct backdrop *b, uint32_t *out, int width, int height)
{
    const int pitch = width + 64, n = (width - 1) / b->grid + 2;
    float *point = b->scratch, *above = point + 3 * pitch, *below = above + 3 * pitch;
    const float share = 1 / (float)b->grid;
    grid_line(b, b->row[0], n, point, above, pitch);
    for (int y = 0; y < height; y += b->grid) {
        const int rows = height - y < b->grid ? height - y : b->grid;
        const float *grain = b->grain + y % GRAIN * GRAIN;
        uint32_t *to = out + (ptrdiff_t)y * width;
        int x = 0;
        if (rows > 1 || y + b->grid < height)
            grid_line(b, b->row[y + b->grid], n, point, below, pitch);
        for (; rows == 4 && x + LANES <= width;
             x += LANES) /* nearly all of it: with numbers that are known */
            fill_between(above + x, below + x, pitch, grain + x % GRAIN, share, to + x, width, 4, LANES);
        for (; x < width; x += LANES)
            fill_between(above + x, below + x, pitch, grain + x % GRAIN, share, to + x, width, rows,
                         width - x);
        float *spare = above;
        above = below;
        below = spare;
    }
}

/* The pixels of a row whose middles are at least `inside` pixels inside of every edge: ret[0] .. ret[1]. */
static void find_span(const struct patch *p, float y, float inside, float ret[2])
{
    float first = (float)p->x0, last = (float)p->x1;
    for (int i = 0; i < 4; i++) {
        float a = p->edge[i][0], c = p->edge[i][1] * y + p->edge[i][2] - inside;
        if (a > 1e-6f)
            first = first > -c / a ? first : -c / a;
        else if (a < -1e-6f)
            last = last < -c / a ? last : -c / a;
        else if (c < 0)
            last = first;
    }
    ret[0] = (first < (float)p->x1 ? first : (float)p->x1) - 0.5f; /* an int holds it */
    ret[1] = last - 0.5f;
}

/* What a patch shows at pixels of one row, 0..1023. */
INLINE void sample_patch(const struct patch *p, vf px, float y, vf out[3])
{
    vf w = vf_fma(px, vf_set(p->w[0]), vf_set(p->w[1] * y + p->w[2])), near_w = vf_rcp(w);
    vf one_w = near_w * (vf_set(2) - w * near_w); /* a step of Newton: 22 bits */
    vf u = vf_fma(px, vf_set(p->u[0]), vf_set(p->u[1] * y + p->u[2])) * one_w - 0.5f;
    vf v = vf_fma(px, vf_set(p->v[0]), vf_set(p->v[1] * y + p->v[2])) * one_w - 0.5f;
    sample(p->texture, p->texture_width, vf_clamp(u, 0, (float)(p->texture_width - 2)),
           vf_clamp(v, 0, (float)(p->texture_height - 2)), out);
}

/* Pixels at an edge: mixed with what is there, or with the frame that has been drawn there before. */
INLINE vi mix_patch(const struct patch *p, vf px, float y, vi there)
{
    vf inside = vf_set(1e9f), c[3];
    for (int i = 0; i < 4; i++)
        inside = vf_min(inside, vf_fma(px, vf_set(p->edge[i][0]), vf_set(p->edge[i][1] * y + p->edge[i][2])));
    vf cover = vf_saturate(inside * (1 / p->soft) + 0.5f);
    if (p->texture) {
        sample_patch(p, px, y, c);
        vm keep = vm_lt(inside, vf_set(-0.5f)); /* where it does not reach */
        for (int k = 0; k < 3; k++)
            c[k] = vf_select(keep, vf_from_vi(vi_shift_right(there, 10 * k) & 1023),
                             vf_mix(vf_set(p->color[k]), c[k], cover));
    } else {
        cover = cover * cover * (vf_set(3) - cover * 2.0f) * p->alpha;
        for (int k = 0; k < 3; k++)
            c[k] = vf_mix(vf_from_vi(vi_shift_right(there, 10 * k) & 1023), vf_set(p->color[k]), cover);
    }
    return pack(c);
}

void KERNEL(lay_patch)(const struct patch *p, uint32_t *background, int width)
{
    const vf lane = vf_from_vi(vi_lanes());
    for (int y = p->y0; y < p->y1; y++) {
        uint32_t *row = background + (size_t)y * (size_t)width;
        const float fy = (float)y + 0.5f;
        float all[2], inner[2]; /* inner: fully covered; or hidden, and left out */
        find_span(p, fy, -0.5f - 0.5f * p->soft, all);
        find_span(p, fy, p->texture ? 0.5f * p->soft : p->deep, inner);
        for (int x = (int)all[0] & ~(LANES - 1); x < p->x1 && (float)x <= all[1]; x += LANES) {
            bool is_inner = (float)x >= inner[0] && (float)(x + LANES - 1) <= inner[1];
            vf px = lane + ((float)x + 0.5f), c[3];
            if (is_inner && p->texture) {
                sample_patch(p, px, fy, c);
                store_part(row + x, pack_inside(c), width - x);
            } else if (!is_inner) {
                store_part(row + x, mix_patch(p, px, fy, vi_load(row + x)), width - x);
            }
        }
    }
}
