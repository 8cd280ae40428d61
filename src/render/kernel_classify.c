/*
 * Visibility buffer -> one list of pixels a material. A pixel whose samples all show one piece of surface is
 * shaded once; only where pieces or depths differ is each of them shaded, with the number of its samples.
 */
#include "render/kernel.h"

enum { HALVES = 16 / LANES };
#define SAME_DEPTH 0.0015f /* relative; samples of one piece nearer together than this are one surface */

INLINE void push_lanes(struct shade_list *list, unsigned lanes, vi id, vi bary, vi pixel)
{
    vi_compress(list->id + list->n, lanes, id);
    vi_compress(list->bary + list->n, lanes, bary);
    list->n += vi_compress(list->pixel + list->n, lanes, pixel);
}

/* A pixel with several surfaces: one entry for each, the background counted on top of its sum. */
INLINE void push_mixed(struct cp_render *render, int at, int pixel)
{
    const struct mesh *mesh = render->mesh;
    struct tile *tile = render->tile;
    tile->mixed_color[pixel] = 0;
    tile->mixed[tile->n_mixed++] = (uint16_t)pixel;
    for (unsigned left = 15; left;) {
        int first = __builtin_ctz(left);
        uint32_t id = tile->id[at + first], piece = id >> mesh->piece_shift;
        float z = tile->z[at + first];
        unsigned same = 1u << first;
        for (int i = first + 1; i < 4; i++)
            if ((left >> i & 1) && tile->id[at + i] >> mesh->piece_shift == piece &&
                fabsf(tile->z[at + i] - z) <= z * SAME_DEPTH)
                same |= 1u << i;
        left &= ~same;
        uint64_t count = (uint64_t)__builtin_popcount(same);
        if (!piece) {
            tile->mixed_color[pixel] += count << 60;
            continue;
        }
        struct shade_list *list = &render->lists[mesh->piece_surface[piece]];
        list->id[list->n] = id;
        list->bary[list->n] = tile->bary[at + first];
        list->pixel[list->n++] = (uint32_t)pixel | (uint32_t)count << 16;
    }
}

/* Whole pixels: lanes of one material go to its list together. */
INLINE void push_whole(struct cp_render *render, unsigned lanes, vi id, vi piece, vi bary, vi pixel)
{
    const uint16_t *surface = render->mesh->piece_surface;
    int pieces[LANES];
    vi_store(pieces, piece);
    while (lanes) {
        unsigned mine = 0;
        int wanted = surface[pieces[__builtin_ctz(lanes)]];
        for (unsigned rest = lanes; rest;) {
            int next = pieces[__builtin_ctz(rest)];
            unsigned equal = vm_bits(vm_eq_int(piece, vi_set(next))) & rest;
            if (surface[next] == wanted)
                mine |= equal;
            rest &= ~equal;
        }
        push_lanes(&render->lists[wanted], mine, id, bary, pixel);
        lanes &= ~mine;
    }
}

INLINE void classify_tile(struct cp_render *render, const int samples)
{
    const struct mesh *mesh = render->mesh;
    struct tile *tile = render->tile;
    const int log2 = samples == 4 ? 1 : 2, blocks = TILE >> log2;
    const unsigned first_of_4 = 0x1111 & ALL_LANES;
    vi pixel_of[HALVES];
    for (int i = 0; i < 16; i++)
        pixel_of[i / LANES][i % LANES] =
            samples == 4 ? (i >> 3) * TILE + (i >> 2 & 1) : (i >> 2) * TILE + (i & 3);
    for (int s = 0; s < mesh->n_surfaces; s++)
        render->lists[s].n = 0;
    tile->n_mixed = 0;

    for (int by = 0; by < blocks; by++)
        for (int bx = 0; bx < blocks; bx++)
            for (int h = 0; h < HALVES; h++) {
                int at = (by * blocks + bx) * 16 + h * LANES;
                vi id = vi_load(tile->id + at);
                unsigned drawn = ~vm_bits(vm_eq_int(id, vi_set(0))) & ALL_LANES, whole = drawn;
                if (!drawn)
                    continue;
                vi piece = vi_shift_right(id, mesh->piece_shift);
                vi pixel = pixel_of[h] + ((by << log2) * TILE + (bx << log2));
                if (samples == 4) {
                    vf z = vf_load(tile->z + at), z0 = vf_first_of_4(z);
                    unsigned same = vm_bits(vm_and(vm_eq_int(piece, vi_first_of_4(piece)),
                                                   vm_lt(vf_abs(z - z0), z0 * SAME_DEPTH)));
                    same &= drawn;
                    whole = same & same >> 1 & same >> 2 & same >> 3 & first_of_4;
                    unsigned mixed = (drawn | drawn >> 1 | drawn >> 2 | drawn >> 3) & first_of_4 & ~whole;
                    for (; mixed; mixed &= mixed - 1) {
                        int lane = __builtin_ctz(mixed);
                        push_mixed(render, at + lane, pixel[lane]);
                    }
                }
                if (whole)
                    push_whole(render, whole, id, piece, vi_load(tile->bary + at), pixel | (4 << 16));
            }
}

void KERNEL(classify)(struct cp_render *render, int tile_x, int tile_y)
{
    if (render->samples == 4)
        classify_tile(render, 4);
    else
        classify_tile(render, 1);
}
