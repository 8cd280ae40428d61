/*
 * Visibility buffer -> one list of pixels a material. A pixel whose samples all show one piece of surface is
 * shaded once; only where pieces or depths differ is each of them shaded, with the number of its samples.
 */
#include "render/kernel.h"

enum { HALVES = 16 / LANES, BLOCK_MIDDLE = 3 /* the sample nearest to the middle of a block */ };
#define SAME_DEPTH 0.0015f /* relative; samples of one piece nearer together than this are one surface */

/* One surface of a pixel with several, seen in `samples` of its four samples. */
INLINE void push_part(struct cp_render *render, int at, int pixel, unsigned samples)
{
    const struct mesh *mesh = render->mesh;
    const struct tile *tile = render->tile;
    int first = at + __builtin_ctz(samples);
    uint32_t id = tile->id[first];
    struct shade_list *list = &render->lists[mesh->piece_surface[id >> mesh->piece_shift]];
    int n = list->n++;
    list->id[n] = id;
    list->bary[n] = tile->bary[first];
    list->pixel[n] = (uint32_t)pixel | (uint32_t)__builtin_popcount(samples) << 16;
}

/* A pixel with several surfaces: one entry for each, the background counted on top of its sum. drawn: of its
 * four samples; same: those of the first one's surface. */
INLINE void push_mixed(struct cp_render *render, int at, int pixel, unsigned drawn, unsigned same)
{
    struct tile *tile = render->tile;
    const int shift = render->mesh->piece_shift;
    tile->mixed_color[pixel] = (uint64_t)(4 - __builtin_popcount(drawn)) << 60;
    tile->mixed[tile->n_mixed++] = (uint16_t)pixel;
    if (drawn & 1)
        push_part(render, at, pixel, same & drawn);
    for (unsigned left = drawn & 1 ? drawn & ~same : drawn; left; left &= ~same) {
        int first = __builtin_ctz(left);
        const uint32_t piece = tile->id[at + first] >> shift;
        const float z = tile->z[at + first];
        same = 1u << first;
        for (unsigned others = left & (left - 1); others; others &= others - 1) {
            int i = __builtin_ctz(others);
            if (tile->id[at + i] >> shift == piece && fabsf(tile->z[at + i] - z) <= z * SAME_DEPTH)
                same |= 1u << i;
        }
        push_part(render, at, pixel, same);
    }
}

INLINE void push(struct cp_render *render, int at, uint32_t pixel)
{
    const struct mesh *mesh = render->mesh;
    const struct tile *tile = render->tile;
    uint32_t id = tile->id[at];
    struct shade_list *list = &render->lists[mesh->piece_surface[id >> mesh->piece_shift]];
    int n = list->n++;
    list->id[n] = id;
    list->bary[n] = tile->bary[at];
    list->pixel[n] = pixel;
}

/* Whether the skin of the block's four pixels is even over the width that it has there. */
INLINE bool is_even_block(const struct cp_render *render, int at)
{
    const struct mesh *mesh = render->mesh;
    const uint32_t mask = (1u << mesh->piece_shift) - 1, *id = render->tile->id + at;
    float even_m = fminf(fminf(mesh->even_m[id[0] & mask], mesh->even_m[id[4] & mask]),
                         fminf(mesh->even_m[id[8] & mask], mesh->even_m[id[12] & mask]));
    return even_m * render->tile->z[at + BLOCK_MIDDLE] * render->camera.focal_px >= 2;
}

/* A block of 2x2 pixels that shows one piece. Cloth and even skin change so slowly that one point speaks for
 * all four. */
INLINE void push_block(struct cp_render *render, int at, uint32_t pixel)
{
    const struct mesh *mesh = render->mesh;
    const struct tile *tile = render->tile;
    int surface = mesh->piece_surface[tile->id[at] >> mesh->piece_shift];
    const enum cp_surface kind = mesh->surfaces[surface].kind;
    if (kind == CP_SURFACE_CLOTH || (kind == CP_SURFACE_SKIN && is_even_block(render, at))) {
        push(render, at + BLOCK_MIDDLE, pixel | WHOLE_BLOCK);
        return;
    }
    struct shade_list *list = &render->lists[surface];
    uint32_t *id = list->id + list->n, *bary = list->bary + list->n, *to = list->pixel + list->n;
    for (int i = 0; i < 4; i++) {
        id[i] = tile->id[at + 4 * i];
        bary[i] = tile->bary[at + 4 * i];
        to[i] = (pixel + (uint32_t)((i >> 1) * TILE + (i & 1))) | WHOLE_PIXEL;
    }
    list->n += 4;
}

/* Of the block's 16 samples: which are drawn, and which show the same surface as the first of their pixel. */
struct block_bits {
    unsigned drawn, same;
};

INLINE struct block_bits look_at_block(const struct tile *tile, int piece_shift, int at, const int samples)
{
    struct block_bits bits = {0, 0};
    for (int h = 0; h < HALVES; h++) {
        vi id = vi_load(tile->id + at + h * LANES);
        bits.drawn |= (~vm_bits(vm_eq_int(id, vi_set(0))) & ALL_LANES) << (h * LANES);
        if (samples == 1)
            continue;
        vi piece = vi_shift_right(id, piece_shift);
        vf z = vf_load(tile->z + at + h * LANES), z0 = vf_first_of_4(z);
        vm same = vm_and(vm_eq_int(piece, vi_first_of_4(piece)), vm_lt(vf_abs(z - z0), z0 * SAME_DEPTH));
        bits.same |= vm_bits(same) << (h * LANES);
    }
    return bits;
}

INLINE void classify_block(struct cp_render *render, int at, uint32_t pixel, const int samples)
{
    const struct tile *tile = render->tile;
    const int shift = render->mesh->piece_shift;
    const struct block_bits bits = look_at_block(tile, shift, at, samples);
    if (!bits.drawn)
        return;
    if (samples == 1) {
        for (unsigned left = bits.drawn; left; left &= left - 1) {
            int i = __builtin_ctz(left);
            push(render, at + i, (pixel + (uint32_t)((i >> 2) * TILE + (i & 3))) | WHOLE_PIXEL);
        }
        return;
    }
    unsigned same = bits.same & bits.drawn, whole = same & same >> 1 & same >> 2 & same >> 3 & 0x1111;
    uint32_t piece = tile->id[at] >> shift;
    if (whole == 0x1111 && tile->id[at + 4] >> shift == piece && tile->id[at + 8] >> shift == piece &&
        tile->id[at + 12] >> shift == piece) {
        push_block(render, at, pixel);
        return;
    }
    unsigned any = (bits.drawn | bits.drawn >> 1 | bits.drawn >> 2 | bits.drawn >> 3) & 0x1111;
    for (; any; any &= any - 1) {
        int i = __builtin_ctz(any);
        uint32_t at_pixel = pixel + (uint32_t)((i >> 3) * TILE + (i >> 2 & 1));
        if (whole >> i & 1)
            push(render, at + i, at_pixel | WHOLE_PIXEL);
        else
            push_mixed(render, at + i, (int)at_pixel, bits.drawn >> i & 15, bits.same >> i & 15);
    }
}

INLINE void classify_tile(struct cp_render *render, const int samples)
{
    const int log2 = samples == 4 ? 1 : 2, blocks = TILE >> log2;
    for (int s = 0; s < render->mesh->n_surfaces; s++)
        render->lists[s].n = 0;
    render->tile->n_mixed = 0;
    for (int by = 0; by < blocks; by++)
        for (int bx = 0; bx < blocks; bx++)
            classify_block(render, (by * blocks + bx) * 16, (uint32_t)((by << log2) * TILE + (bx << log2)),
                           samples);
}

void KERNEL(classify)(struct cp_render *render, int tile_x, int tile_y)
{
    if (render->samples == 4)
        classify_tile(render, 4);
    else
        classify_tile(render, 1);
}
