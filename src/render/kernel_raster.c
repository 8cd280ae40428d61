/*
 * Triangles -> visibility buffer of a tile: inverse depth, id and barycentrics of each sample.
 *
 * Samples lie in blocks of 16, so that every access is aligned: 4x4 pixels with one sample each, or 2x2
 * pixels with four. Triangles that were visible in the last frame come first; the rest is tested against the
 * coarse depth (4x4 pixels) that these left, and mostly drops out there.
 */
#include "render/kernel.h"

#include <stdlib.h>

enum { HALVES = 16 / LANES, COARSE = TILE / 4 };

struct layout {
    int block_log2, columns; /* pixels a block side; blocks a row of the tile */
    vi offset[HALVES]; /* of the 16 samples from the block's first pixel: x | y << 16, subpixels from its
                          centre */
    int origin;        /* of that point from the pixel's corner */
};

/* The rotated grid: each sample has its own row and column. */
static const int SAMPLE_X[4] = {-8, 24, -24, 8}, SAMPLE_Y[4] = {-24, -8, 8, 24};

INLINE struct layout make_layout(const int samples)
{
    struct layout layout = {.block_log2 = samples == 4 ? 1 : 2};
    layout.columns = TILE >> layout.block_log2;
    for (int i = 0; i < 16; i++) {
        int x = samples == 4 ? (i >> 2 & 1) * SUBPIXELS + SAMPLE_X[i & 3] : (i & 3) * SUBPIXELS;
        int y = samples == 4 ? (i >> 3) * SUBPIXELS + SAMPLE_Y[i & 3] : (i >> 2) * SUBPIXELS;
        layout.offset[i / LANES][i % LANES] = (x & 0xffff) | (int)((unsigned)y << 16);
    }
    return layout;
}

/* Which of the lanes in `bits` an alpha-masked texture leaves standing. */
static unsigned alpha_test(const struct cp_render *render, int surface_index, unsigned bits, uint32_t id,
                           vi bary)
{
    const struct mesh *mesh = render->mesh;
    const struct surface *surface = &mesh->surfaces[surface_index];
    if (surface->texture < 0)
        return surface->base_alpha < surface->alpha_cutoff ? 0 : bits;
    const struct texture *texture = &mesh->textures[surface->texture];
    const int32_t *rows = mesh->rows[id & ((1u << mesh->piece_shift) - 1)];
    int packed[LANES];
    vi_store(packed, bary);
    unsigned left = 0;
    for (; bits; bits &= bits - 1) {
        int i = __builtin_ctz(bits);
        float b1 = (float)(packed[i] & 0xffff) / BARY_SCALE,
              b2 = (float)((uint32_t)packed[i] >> 16) / BARY_SCALE;
        float uv[2];
        for (int k = 0; k < 2; k++)
            uv[k] = render->attributes[rows[0] + ROW_U + k] * (1 - b1 - b2) +
                    render->attributes[rows[1] + ROW_U + k] * b1 +
                    render->attributes[rows[2] + ROW_U + k] * b2;
        if (!(fabsf(uv[0]) < 1e6f) || !(fabsf(uv[1]) < 1e6f))
            continue;
        int x = (int)((uv[0] - floorf(uv[0])) * (float)texture->width[0]) % texture->width[0];
        int y = (int)((uv[1] - floorf(uv[1])) * (float)texture->height[0]) % texture->height[0];
        float alpha =
            (float)(texture->texels[0][y * texture->width[0] + x] >> 24) / 255 * surface->base_alpha;
        left |= (unsigned)(alpha >= surface->alpha_cutoff) << i;
    }
    return left;
}

/*
 * Depth test and store of the block at `at`, whose samples are inside where `outside` is not negative; f1 and
 * f2 are the edge values. One branch a block and not one a half: guessing wrong costs more than the work
 * saved. The record's values are broadcast here and not before: most triangles are so small that few blocks
 * get this far.
 */
INLINE void store_samples(const struct cp_render *render, const struct record *r, const bool masked, int at,
                          const vi *outside, const vf *f1, const vf *f2)
{
    struct tile *tile = render->tile;
    vm in[HALVES];
    vf z[HALVES];
    unsigned any = 0;
    for (int h = 0; h < HALVES; h++) {
        z[h] = vf_fma(f1[h], vf_set(r->dz1), vf_fma(f2[h], vf_set(r->dz2), vf_set(r->z0)));
        in[h] = vm_and(vm_not_negative(outside[h]), vm_lt(vf_load(tile->z + at + h * LANES), z[h]));
        any |= vm_bits(in[h]);
    }
    if (!any)
        return;
    render->hidden[r->id & ((1u << render->mesh->piece_shift) - 1)] = 0;
    for (int h = 0; h < HALVES; h++, at += LANES) {
        vf depth = vf_rcp(z[h]);
        vi bary = vi_from_vf(vf_clamp(f1[h] * r->bary1 * depth, 0, 65535)) |
                  (vi)((vu)vi_from_vf(vf_clamp(f2[h] * r->bary2 * depth, 0, 65535)) << 16);
        if (masked)
            in[h] = vm_from_bits(alpha_test(render, r->surface, vm_bits(in[h]), r->id, bary));
        vf_store_if(tile->z + at, in[h], z[h]);
        vi_store_if(tile->id + at, in[h], vi_set((int32_t)r->id));
        vi_store_if(tile->bary + at, in[h], bary);
    }
}

/* The edges' values at the samples of a block. */
struct edges {
    vi e[HALVES][3];
};

INLINE struct edges edges_at(const struct record *r, const struct layout *layout, const int value[3])
{
    struct edges edges;
    for (int h = 0; h < HALVES; h++)
        for (int i = 0; i < 3; i++)
            edges.e[h][i] = vi_add(vi_madd16(vi_set(r->step[i]), layout->offset[h]), vi_set(value[i]));
    return edges;
}

INLINE void move_edges(struct edges *edges, const vi step[3])
{
    for (int h = 0; h < HALVES; h++)
        for (int i = 0; i < 3; i++)
            edges->e[h][i] = vi_add(edges->e[h][i], step[i]);
}

/* One block: samples inside all three edges. */
INLINE void cover(const struct cp_render *render, const struct record *r, const bool masked, int at,
                  const struct edges *edges)
{
    vi outside[HALVES], all = vi_set(-1);
    for (int h = 0; h < HALVES; h++) {
        outside[h] = edges->e[h][0] | edges->e[h][1] | edges->e[h][2];
        all &= outside[h];
    }
    if (vi_sign_bits(all) == ALL_LANES)
        return;
    vf f1[HALVES], f2[HALVES];
    for (int h = 0; h < HALVES; h++) {
        f1[h] = vf_from_vi(edges->e[h][1]);
        f2[h] = vf_from_vi(edges->e[h][2]);
    }
    store_samples(render, r, masked, at, outside, f1, f2);
}

struct box { /* blocks of the tile */
    int x0, x1, y0, y1;
};

/*
 * Wide triangles (hair is made of slivers): the columns that each row of blocks can touch, a row a lane, so
 * that the loop walks along the sliver and not over its bounding box.
 */
INLINE void row_spans(const struct record *r, const int value[3], int block_px, int n_columns, int n_rows,
                      int *first, int *last)
{
    const float size = (float)(block_px * SUBPIXELS);
    for (int g = 0; g <= n_rows; g += LANES) {
        vf low = vf_set(0), high = vf_set((float)n_columns);
        vf row = (vf_from_vi(vi_lanes()) + (float)g) * size;
        for (int i = 0; i < 3; i++) {
            int dx = (int16_t)r->step[i], dy = r->step[i] >> 16;
            if (!dx)
                continue;
            /* Where the edge is zero on the row's more generous side, in blocks; blocks reach half a pixel
             * back. */
            vf at = vf_fma(row + (dy > 0 ? size - 32 : -32), vf_set((float)dy), vf_set((float)value[i]));
            at = (at * (-1.0f / (float)dx) + 32.0f) * (1 / size);
            if (dx > 0)
                low = vf_max(low, at - 0.01f);
            else
                high = vf_min(high, at + 0.01f);
        }
        vi_store(first + g, vi_from_vf(vf_floor(vf_clamp(low, 0, 64))));
        vi_store(last + g, vi_from_vf(vf_floor(vf_clamp(high, -1, 64))));
    }
}

INLINE void raster_wide(const struct cp_render *render, const struct record *r, const bool masked,
                        const struct layout *layout, struct box box, const int value[3])
{
    int first[TILE + LANES], last[TILE + LANES];
    const int size = SUBPIXELS << layout->block_log2, rows = box.y1 - box.y0;
    row_spans(r, value, 1 << layout->block_log2, box.x1 - box.x0, rows, first, last);
    vi step[3];
    for (int i = 0; i < 3; i++)
        step[i] = vi_set((int)((unsigned)(int16_t)r->step[i] * (unsigned)size));
    for (int y = 0; y <= rows; y++) {
        int n = last[y] - first[y];
        if (n < 0)
            continue;
        int start[3];
        for (int i = 0; i < 3; i++) {
            unsigned dx = (unsigned)(int16_t)r->step[i], dy = (unsigned)(r->step[i] >> 16);
            start[i] =
                (int)((unsigned)value[i] + dy * (unsigned)(size * y) + dx * (unsigned)(size * first[y]));
        }
        struct edges edges = edges_at(r, layout, start);
        int at = ((y + box.y0) * layout->columns + box.x0 + first[y]) * 16;
        for (; n >= 0; n--, at += 16) {
            cover(render, r, masked, at, &edges);
            move_edges(&edges, step);
        }
    }
}

INLINE void raster_narrow(const struct cp_render *render, const struct record *r, const bool masked,
                          const struct layout *layout, struct box box, const int value[3])
{
    const unsigned size = SUBPIXELS << layout->block_log2;
    vi step_x[3], step_y[3];
    for (int i = 0; i < 3; i++) {
        step_x[i] = vi_set((int)((unsigned)(int16_t)r->step[i] * size));
        step_y[i] = vi_set((int)((unsigned)(r->step[i] >> 16) * size));
    }
    struct edges row = edges_at(r, layout, value);
    for (int y = box.y0; y <= box.y1; y++) {
        struct edges edges = row;
        int at = (y * layout->columns + box.x0) * 16;
        for (int x = box.x0; x <= box.x1; x++, at += 16) {
            cover(render, r, masked, at, &edges);
            move_edges(&edges, step_x);
        }
        move_edges(&row, step_y);
    }
}

struct place { /* of the tile in the picture, pixels */
    int x, y;
};

/* The part of a pixel rectangle that lies in the tile. False when there is none. */
INLINE bool clip_to_tile(struct box *b, struct place place)
{
    b->x0 = b->x0 > place.x ? b->x0 - place.x : 0;
    b->y0 = b->y0 > place.y ? b->y0 - place.y : 0;
    b->x1 = b->x1 - place.x < TILE - 1 ? b->x1 - place.x : TILE - 1;
    b->y1 = b->y1 - place.y < TILE - 1 ? b->y1 - place.y : TILE - 1;
    return b->x0 <= b->x1 && b->y0 <= b->y1;
}

/* Whether something nearer stands before all of a rectangle of pixels. */
INLINE bool is_hidden(const struct box *box, float nearest, const float *coarse)
{
    for (int y = box->y0 >> 2; y <= box->y1 >> 2; y++)
        for (int x = box->x0 >> 2; x <= box->x1 >> 2; x++)
            if (coarse[y * COARSE + x] <= nearest)
                return false;
    return true;
}

INLINE void raster_record(const struct cp_render *render, const struct record *r, const struct layout *layout,
                          struct place place, const float *coarse)
{
    struct box box = {r->x_range & 0xffff, r->x_range >> 16, r->y_range & 0xffff, r->y_range >> 16};
    if (!clip_to_tile(&box, place))
        return;
    if (coarse) {
        if (is_hidden(&box, r->nearest, coarse))
            return;
    }
    const int log2 = layout->block_log2;
    box = (struct box){box.x0 >> log2, box.x1 >> log2, box.y0 >> log2, box.y1 >> log2};
    unsigned x = (unsigned)((place.x + (box.x0 << log2)) * SUBPIXELS + SUBPIXELS / 2);
    unsigned y = (unsigned)((place.y + (box.y0 << log2)) * SUBPIXELS + SUBPIXELS / 2);
    int value[3];
    for (int i = 0; i < 3; i++)
        value[i] = (int)((unsigned)r->constant[i] + (unsigned)(int16_t)r->step[i] * x +
                         (unsigned)(r->step[i] >> 16) * y);
    const bool masked = render->mesh->surfaces[r->surface].alpha_cutoff > 0;
    if (box.x1 - box.x0 < 2 || box.y1 == box.y0)
        raster_narrow(render, r, masked, layout, box, value);
    else
        raster_wide(render, r, masked, layout, box, value);
}

/*
 * Big triangles: coverage by exact integers as for the small ones, but an edge that the whole tile lies
 * inside is dropped, which leaves values that fit 32 bits (guard band and picture size bound the steps).
 * Depth and barycentrics go by floats from the tile's corner.
 */
INLINE void raster_large(const struct cp_render *render, const struct large_record *r,
                         const struct layout *layout, struct place place)
{
    struct box box = {r->x0, r->x1, r->y0, r->y1};
    if (!clip_to_tile(&box, place))
        return;
    const int64_t x = place.x * SUBPIXELS + SUBPIXELS / 2, y = place.y * SUBPIXELS + SUBPIXELS / 2;
    const int64_t span = TILE * SUBPIXELS;
    int64_t value[3];
    bool needed[3];
    for (int i = 0; i < 3; i++) {
        value[i] = r->constant[i] + r->step_x[i] * x + r->step_y[i] * y;
        int64_t rise_x = r->step_x[i] * span, rise_y = r->step_y[i] * span;
        int64_t most = value[i] + (rise_x > 0 ? rise_x : 0) + (rise_y > 0 ? rise_y : 0);
        /* Samples begin up to 32 subpixels before the first pixel's centre. */
        int64_t slack = 32 * (llabs(r->step_x[i]) + llabs(r->step_y[i]));
        int64_t least = value[i] + (rise_x < 0 ? rise_x : 0) + (rise_y < 0 ? rise_y : 0) - slack;
        if (most + slack < 0)
            return;
        needed[i] = least < 0;
    }
    const bool masked = render->mesh->surfaces[r->surface].alpha_cutoff > 0;
    const struct record values = {
        .z0 = r->z[0],
        .dz1 = (r->z[1] - r->z[0]) * r->inverse_area,
        .dz2 = (r->z[2] - r->z[0]) * r->inverse_area,
        .bary1 = r->inverse_area * r->z[1] * BARY_SCALE,
        .bary2 = r->inverse_area * r->z[2] * BARY_SCALE,
        .id = r->id,
        .surface = r->surface,
    };
    const int log2 = layout->block_log2;
    for (int by = box.y0 >> log2; by <= box.y1 >> log2; by++)
        for (int bx = box.x0 >> log2; bx <= box.x1 >> log2; bx++) {
            vi outside[HALVES], all = vi_set(-1);
            vf f[3][HALVES];
            for (int h = 0; h < HALVES; h++) {
                vi dx = ((vi)((vu)layout->offset[h] << 16) >> 16) + (bx << log2) * SUBPIXELS;
                vi dy = (layout->offset[h] >> 16) + (by << log2) * SUBPIXELS;
                outside[h] = vi_set(0);
                for (int i = 0; i < 3; i++) {
                    if (needed[i])
                        outside[h] |=
                            vi_add(vi_add(vi_mul(dx, vi_set(r->step_x[i])), vi_mul(dy, vi_set(r->step_y[i]))),
                                   vi_set((int)value[i]));
                    f[i][h] =
                        vf_fma(vf_from_vi(dx), vf_set((float)r->step_x[i]),
                               vf_fma(vf_from_vi(dy), vf_set((float)r->step_y[i]), vf_set((float)value[i])));
                }
                f[1][h] = vf_max(f[1][h], vf_set(0));
                f[2][h] = vf_max(f[2][h], vf_set(0));
                all &= outside[h];
            }
            if (vi_sign_bits(all) != ALL_LANES)
                store_samples(render, &values, masked, (by * layout->columns + bx) * 16, outside, f[1], f[2]);
        }
}

/* The farthest depth of each 4x4 pixels. */
INLINE void make_coarse(const struct tile *tile, const struct layout *layout, float *coarse)
{
    const int blocks = 4 >> layout->block_log2;
    for (int y = 0; y < COARSE; y++)
        for (int x = 0; x < COARSE; x++) {
            vf low = vf_set(1e30f);
            for (int j = 0; j < blocks; j++)
                for (int i = 0; i < blocks * HALVES; i++)
                    low =
                        vf_min(low, vf_load(tile->z + ((y * blocks + j) * layout->columns + x * blocks) * 16 +
                                            i * LANES));
            coarse[y * COARSE + x] = vf_least(low);
        }
}

INLINE void raster_bin(const struct cp_render *render, const struct bin *bin, const struct layout *layout,
                       struct place place, const float *coarse)
{
    for (int c = bin->first; c >= 0; c = render->chunks[c].next) {
        const struct bin_chunk *chunk = &render->chunks[c];
        for (int i = 0; i < chunk->n; i++) {
            if (i + 4 < chunk->n)
                __builtin_prefetch(&render->records[chunk->item[i + 4]]);
            raster_record(render, &render->records[chunk->item[i]], layout, place, coarse);
        }
    }
}

INLINE void raster_tile(struct cp_render *render, int tile_x, int tile_y, const int samples)
{
    const struct layout layout = make_layout(samples);
    const struct bin *bins = &render->bins[2 * (tile_y * render->tiles_x + tile_x)];
    const struct place place = {tile_x * TILE, tile_y * TILE};
    struct tile *tile = render->tile;
    const size_t n = (size_t)TILE * TILE * (size_t)samples;
    memset(tile->z, 0, n * sizeof tile->z[0]);
    memset(tile->id, 0, n * sizeof tile->id[0]);
    raster_bin(render, &bins[0], &layout, place, NULL);
    for (int i = 0; i < render->n_large; i++)
        raster_large(render, &render->large[i], &layout, place);
    if (bins[1].first < 0)
        return;
    float coarse[COARSE * COARSE];
    make_coarse(tile, &layout, coarse);
    raster_bin(render, &bins[1], &layout, place, coarse);
}

void KERNEL(raster)(struct cp_render *render, int tile_x, int tile_y)
{
    if (render->samples == 4)
        raster_tile(render, tile_x, tile_y, 4);
    else
        raster_tile(render, tile_x, tile_y, 1);
}
