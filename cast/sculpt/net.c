/*
 * Surface nets: one vertex in each grid cell that the surface crosses, one quad across each grid edge that it
 * crosses. (S. Gibson, "Constrained Elastic Surface Nets", 1998.) The grid is rectilinear with steps that
 * grow away from the fine zones, so that lips and lids get rows a third of a millimetre apart and the back of
 * the skull six.
 */
#include "mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS_MAX = 2000, BLOCK = 6 };
static const float STEP_GROWTH = 0.22f; /* how fast steps grow with distance from a zone */

struct grid {
    float at[3][AXIS_MAX];
    int n[3];
    float *values;
    int *ids; /* the vertex of each cell, -1 for none */
};

static int grade_axis(const struct axis *axis, float *out)
{
    int n = 0;
    float x = axis->from;
    out[n++] = x;
    while (x < axis->to && n < AXIS_MAX) {
        float step = axis->step;
        for (int i = 0; i < axis->n_zones; i++) {
            const struct zone *z = &axis->zones[i];
            float away = maxf(maxf(z->from - x, x - z->to), 0);
            step = minf(step, z->step + away * STEP_GROWTH);
        }
        x += step;
        out[n++] = x;
    }
    return n;
}

static size_t cell(const struct grid *g, int x, int y, int z)
{
    return ((size_t)z * (size_t)g->n[1] + (size_t)y) * (size_t)g->n[0] + (size_t)x;
}

static vec3 corner(const struct grid *g, int x, int y, int z)
{
    return v3(g->at[0][x], g->at[1][y], g->at[2][z]);
}

/* Samples one block; a block far from the surface costs a single sample. */
static void sample_block(struct grid *g, sdf_field *field, const struct character *c, const int from[3])
{
    int end[3], last[3];
    for (int k = 0; k < 3; k++) {
        end[k] = from[k] + BLOCK < g->n[k] ? from[k] + BLOCK : g->n[k];
        last[k] = end[k] < g->n[k] ? end[k] : end[k] - 1;
    }
    vec3 lo = corner(g, from[0], from[1], from[2]), hi = corner(g, last[0], last[1], last[2]);
    float middle = field(c, blend3(lo, hi, 0.5f));
    /* 1.7 and 0.5: fields may overstate distance where they are warped or smoothly carved */
    bool far = fabsf(middle) > length(sub(hi, lo)) * 0.5f * 1.7f + 0.5f;
    for (int z = from[2]; z < end[2]; z++)
        for (int y = from[1]; y < end[1]; y++)
            for (int x = from[0]; x < end[0]; x++)
                g->values[cell(g, x, y, z)] = far ? middle : field(c, corner(g, x, y, z));
}

static void sample(struct grid *g, sdf_field *field, const struct character *c)
{
    for (int z = 0; z < g->n[2]; z += BLOCK)
        for (int y = 0; y < g->n[1]; y += BLOCK)
            for (int x = 0; x < g->n[0]; x += BLOCK)
                sample_block(g, field, c, (int[3]){x, y, z});
}

/* The mean of the crossings on the cell's twelve edges. False when the surface does not pass. */
static bool cell_vertex(const struct grid *g, int x, int y, int z, vec3 *ret_point)
{
    static const uint8_t edges[12][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3},
                                         {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}};
    float d[8];
    int inside = 0;
    for (int k = 0; k < 8; k++) {
        d[k] = g->values[cell(g, x + (k & 1), y + (k >> 1 & 1), z + (k >> 2))];
        inside += d[k] < 0;
    }
    if (inside == 0 || inside == 8)
        return false;
    vec3 sum = v3(0, 0, 0);
    int n = 0;
    for (int e = 0; e < 12; e++) {
        int a = edges[e][0], b = edges[e][1];
        if ((d[a] < 0) == (d[b] < 0))
            continue;
        vec3 pa = corner(g, x + (a & 1), y + (a >> 1 & 1), z + (a >> 2));
        vec3 pb = corner(g, x + (b & 1), y + (b >> 1 & 1), z + (b >> 2));
        sum = add(sum, blend3(pa, pb, d[a] / (d[a] - d[b])));
        n++;
    }
    *ret_point = scale(sum, 1.0f / (float)n);
    return true;
}

static void project_vertex(sdf_field *field, const struct character *c, struct vertex *v, float cell_size)
{
    const float step = 0.02f;
    vec3 p = v->position;
    for (int k = 0; k < 3; k++) {
        vec3 g = sd_gradient(field, c, p, step);
        float slope = dot(g, g);
        if (slope < 0.05f)
            break; /* a crease: leave it where the net put it */
        vec3 move = scale(g, -field(c, p) / slope);
        float far = length(move), most = cell_size * 0.6f;
        p = add(p, far > most ? scale(move, most / far) : move);
    }
    v->position = v->anchor = p;
    v->normal = unit(sd_gradient(field, c, p, step));
}

static void add_vertices(struct part *part, struct grid *g, sdf_field *field, const struct character *c)
{
    for (int z = 0; z + 1 < g->n[2]; z++)
        for (int y = 0; y + 1 < g->n[1]; y++)
            for (int x = 0; x + 1 < g->n[0]; x++) {
                struct vertex v = {.tangent = {1, 0, 0}, .occlusion = 1, .color = {1, 1, 1}};
                if (!cell_vertex(g, x, y, z, &v.position))
                    continue;
                vec3 size = sub(corner(g, x + 1, y + 1, z + 1), corner(g, x, y, z));
                project_vertex(field, c, &v, minf(size.x, minf(size.y, size.z)));
                g->ids[cell(g, x, y, z)] = part_add_vertex(part, &v);
            }
}

/* The quad across the grid edge that leaves (x, y, z) along `axis`. */
static void add_edge_quad(struct part *part, const struct grid *g, int x, int y, int z, int axis)
{
    static const int8_t around[3][4][3] = {
        {{0, -1, -1}, {0, 0, -1}, {0, 0, 0}, {0, -1, 0}},
        {{-1, 0, -1}, {-1, 0, 0}, {0, 0, 0}, {0, 0, -1}},
        {{-1, -1, 0}, {0, -1, 0}, {0, 0, 0}, {-1, 0, 0}},
    };
    float here = g->values[cell(g, x, y, z)];
    float next = g->values[cell(g, x + (axis == 0), y + (axis == 1), z + (axis == 2))];
    if ((here < 0) == (next < 0))
        return;
    int id[4];
    for (int k = 0; k < 4; k++) {
        const int8_t *o = around[axis][k];
        id[k] = g->ids[cell(g, x + o[0], y + o[1], z + o[2])];
        if (id[k] < 0)
            return;
    }
    if (here < 0)
        part_add_quad(part, id[0], id[1], id[2], id[3]);
    else
        part_add_quad(part, id[0], id[3], id[2], id[1]);
}

void part_add_surface(struct part *part, sdf_field *field, const struct character *c,
                      const struct axis axes[3])
{
    struct grid *g = calloc(1, sizeof *g);
    size_t cells = 1;
    for (int k = 0; k < 3; k++) {
        g->n[k] = grade_axis(&axes[k], g->at[k]);
        cells *= (size_t)g->n[k];
    }
    g->values = malloc(cells * sizeof *g->values);
    g->ids = malloc(cells * sizeof *g->ids);
    if (!g->values || !g->ids) {
        fprintf(stderr, "sculpt: out of memory for %zu grid cells of %s\n", cells, part->name);
        exit(1);
    }
    memset(g->ids, 0xff, cells * sizeof *g->ids);
    sample(g, field, c);
    add_vertices(part, g, field, c);
    for (int z = 1; z + 1 < g->n[2]; z++)
        for (int y = 1; y + 1 < g->n[1]; y++)
            for (int x = 1; x + 1 < g->n[0]; x++)
                for (int axis = 0; axis < 3; axis++)
                    add_edge_quad(part, g, x, y, z, axis);
    free(g->values);
    free(g->ids);
    free(g);
}

vec3 sd_project(sdf_field *field, const struct character *c, vec3 p, float height)
{
    for (int k = 0; k < 6; k++) {
        vec3 g = sd_gradient(field, c, p, 0.05f);
        float slope = maxf(dot(g, g), 0.25f);
        float off = height - field(c, p);
        if (fabsf(off) < 1e-3f)
            break;
        p = along(p, g, off / slope);
    }
    return p;
}
