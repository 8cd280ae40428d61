/*
 * The coarse mesh that casts shadows: vertices are gathered in the cells of a grid, one vertex speaks for its
 * cell, and triangles between three different cells remain. It names vertices of the full mesh, so posing
 * costs nothing.
 */
#include "render/render_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    uint64_t key; /* 0: free */
    int32_t vertex;
    float distance2; /* of that vertex from the cell's middle */
};

static bool casts_shadow(enum cp_surface kind)
{
    return kind == CP_SURFACE_SKIN || kind == CP_SURFACE_HAIR || kind == CP_SURFACE_CLOTH ||
           kind == CP_SURFACE_PLAIN;
}

static struct cell *find_cell(struct cell *cells, size_t mask, int part, const float *p, float size)
{
    uint64_t key = (uint64_t)(part + 1) << 48;
    for (int k = 0; k < 3; k++)
        key |= ((uint64_t)(int64_t)floorf(p[k] / size) & 0xffff) << (16 * k);
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 20) & mask;
    while (cells[i].key && cells[i].key != key)
        i = (i + 1) & mask;
    cells[i].key = key;
    return &cells[i];
}

static float off_center2(const float *p, float size)
{
    float d2 = 0;
    for (int k = 0; k < 3; k++) {
        float d = p[k] - (floorf(p[k] / size) + 0.5f) * size;
        d2 += d * d;
    }
    return d2;
}

/* Triangles with a grid of this size; writes at most max of them, returns how many there are. */
static int simplify(const struct mesh *mesh, const struct character *character, const float (*position)[3],
                    float size, struct cell *cells, size_t mask, int32_t *cell_of, int max, int32_t (*out)[3])
{
    int n = 0;
    memset(cells, 0, (mask + 1) * sizeof *cells);
    for (int p = character->first_part; p < character->first_part + character->n_parts; p++) {
        const struct draw_part *part = &mesh->parts[p];
        if (!casts_shadow(mesh->surfaces[part->surface].kind))
            continue;
        int end = part->first_triangle + part->n_triangles;
        for (int t = part->first_triangle; t < end; t++)
            for (int k = 0; k < 3; k++) {
                int32_t v = mesh->corner[k][t];
                struct cell *cell = find_cell(cells, mask, p, position[v], size);
                float d2 = off_center2(position[v], size);
                if (!cell->vertex || d2 < cell->distance2) {
                    cell->vertex = v + 1;
                    cell->distance2 = d2;
                }
                cell_of[v] = (int32_t)(cell - cells);
            }
        for (int t = part->first_triangle; t < end; t++) {
            int32_t c[3];
            for (int k = 0; k < 3; k++)
                c[k] = cell_of[mesh->corner[k][t]];
            if (c[0] == c[1] || c[1] == c[2] || c[0] == c[2])
                continue;
            for (int k = 0; n < max && k < 3; k++)
                out[n][k] = cells[c[k]].vertex - 1;
            n++;
        }
    }
    return n;
}

int cp_mesh_make_proxy(const struct mesh *mesh, const struct character *character, const float (*position)[3],
                       int max, int32_t (*proxy)[3])
{
    size_t room = 64;
    while (room < 2 * (size_t)mesh->n_vertices)
        room *= 2;
    struct cell *cells = malloc(room * sizeof *cells);
    int32_t *cell_of = malloc(((size_t)mesh->n_vertices + 1) * sizeof *cell_of);
    int n = -1;
    if (cells && cell_of) {
        float extent = 0;
        for (int v = character->first_vertex; v < character->first_vertex + character->n_vertices; v++)
            for (int k = 0; k < 3; k++)
                extent = fmaxf(extent, fabsf(position[v][k]));
        /* Grow the grid until it fits: triangles go by the square of its size, and one cell for everything
         * always does. */
        for (float size = fmaxf(0.002f, extent / 30000);;) {
            n = simplify(mesh, character, position, size, cells, room - 1, cell_of, max, proxy);
            if (n <= max)
                break;
            size *= fmaxf(1.05f, sqrtf((float)n / (float)max) * 0.98f);
        }
    }
    free(cells);
    free(cell_of);
    return n;
}
