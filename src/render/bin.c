/*
 * Set-up triangles -> bins of the tiles they may touch. Each tile has two: triangles seen in the last frame,
 * which are drawn first, and the rest. Bins are chains of chunks from one store; a triangle that finds it
 * empty becomes a large record, which every tile looks at: slower, never lost.
 */
#include "render/render_int.h"

/* Room for one more entry in a bin. The caller has checked that the store can give a chunk. */
static struct bin_chunk *open_chunk(struct cp_render *render, struct bin *bin)
{
    if (bin->last >= 0 && render->chunks[bin->last].n < BIN_ITEMS)
        return &render->chunks[bin->last];
    int32_t made = render->n_chunks++;
    render->chunks[made].next = -1;
    render->chunks[made].n = 0;
    if (bin->last >= 0)
        render->chunks[bin->last].next = made;
    else
        bin->first = made;
    bin->last = made;
    return &render->chunks[made];
}

void cp_bin_records(struct cp_render *render)
{
    const uint32_t triangle_mask = (1u << render->mesh->piece_shift) - 1;
    int n_bins = 2 * render->tiles_x * render->tiles_y;
    for (int i = 0; i < n_bins; i++)
        render->bins[i] = (struct bin){-1, -1};
    render->n_chunks = 0;
    for (int i = 0; i < render->n_records; i++) {
        const struct record *r = &render->records[i];
        int triangle = (int)(r->id & triangle_mask);
        int x0 = (r->x_range & 0xffff) >> TILE_LOG2, x1 = r->x_range >> (16 + TILE_LOG2);
        int y0 = (r->y_range & 0xffff) >> TILE_LOG2, y1 = r->y_range >> (16 + TILE_LOG2);
        if (render->n_chunks + (x1 - x0 + 1) * (y1 - y0 + 1) > render->max_chunks) {
            render->irregular[render->n_irregular++] = triangle;
            continue;
        }
        uint8_t *seen = &render->seen[triangle];
        int rest = !*seen;
        *seen = (uint8_t)(*seen - !rest);
        render->hidden[triangle] =
            (uint8_t)(rest && render->mesh->surfaces[r->surface].kind == CP_SURFACE_HAIR);
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) {
                struct bin_chunk *chunk =
                    open_chunk(render, &render->bins[2 * (y * render->tiles_x + x) + rest]);
                chunk->item[chunk->n++] = (uint32_t)i;
            }
    }
}
