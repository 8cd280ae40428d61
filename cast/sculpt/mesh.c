#include "mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *old, int *room, int need, size_t size)
{
    if (need <= *room)
        return old;
    *room = need * 2 + 1024;
    void *grown = realloc(old, (size_t)*room * size);
    if (!grown) {
        fprintf(stderr, "sculpt: out of memory\n");
        exit(1);
    }
    return grown;
}

struct part *sculpture_add(struct sculpture *s, const char *name, enum cp_surface surface, enum rig rig)
{
    struct part *part = &s->parts[s->n_parts++];
    memset(part, 0, sizeof *part);
    snprintf(part->name, sizeof part->name, "%s", name);
    part->surface = surface;
    part->rig = rig;
    return part;
}

void sculpture_free(struct sculpture *s)
{
    for (int i = 0; i < s->n_parts; i++) {
        free(s->parts[i].vertices);
        free(s->parts[i].indices);
    }
    memset(s, 0, sizeof *s);
}

int part_add_vertex(struct part *part, const struct vertex *vertex)
{
    part->vertices = grow(part->vertices, &part->vertex_room, part->n_vertices + 1, sizeof *part->vertices);
    part->vertices[part->n_vertices] = *vertex;
    return part->n_vertices++;
}

void part_add_triangle(struct part *part, int a, int b, int c)
{
    part->indices = grow(part->indices, &part->index_room, part->n_indices + 3, sizeof *part->indices);
    uint32_t *to = part->indices + part->n_indices;
    to[0] = (uint32_t)a, to[1] = (uint32_t)b, to[2] = (uint32_t)c;
    part->n_indices += 3;
}

void part_add_quad(struct part *part, int a, int b, int c, int d)
{
    const struct vertex *v = part->vertices;
    float first = length(sub(v[a].position, v[c].position)),
          second = length(sub(v[b].position, v[d].position));
    if (first < second) { /* split along the shorter diagonal */
        part_add_triangle(part, a, b, c);
        part_add_triangle(part, a, c, d);
    } else {
        part_add_triangle(part, b, c, d);
        part_add_triangle(part, b, d, a);
    }
}

void part_mirror(struct part *part)
{
    int n_vertices = part->n_vertices, n_indices = part->n_indices;
    for (int i = 0; i < n_vertices; i++) {
        struct vertex v = part->vertices[i];
        v.position = mirror(v.position);
        v.normal = mirror(v.normal);
        v.tangent = mirror(v.tangent);
        v.anchor = mirror(v.anchor);
        part_add_vertex(part, &v);
    }
    for (int i = 0; i < n_indices; i += 3)
        part_add_triangle(part, n_vertices + (int)part->indices[i], n_vertices + (int)part->indices[i + 2],
                          n_vertices + (int)part->indices[i + 1]);
}

void part_compute_normals(struct part *part)
{
    for (int i = 0; i < part->n_vertices; i++)
        part->vertices[i].normal = v3(0, 0, 0);
    for (int i = 0; i < part->n_indices; i += 3) {
        struct vertex *corner[3];
        for (int k = 0; k < 3; k++)
            corner[k] = &part->vertices[part->indices[i + k]];
        vec3 face = cross(sub(corner[1]->position, corner[0]->position),
                          sub(corner[2]->position, corner[0]->position));
        for (int k = 0; k < 3; k++)
            corner[k]->normal = add(corner[k]->normal, face);
    }
    for (int i = 0; i < part->n_vertices; i++)
        part->vertices[i].normal = unit(part->vertices[i].normal);
}

/* Forgets the vertices that no triangle names. */
static void drop_unused(struct part *part)
{
    int *renumber = malloc((size_t)part->n_vertices * sizeof *renumber), kept = 0;
    memset(renumber, 0xff, (size_t)part->n_vertices * sizeof *renumber);
    for (int i = 0; i < part->n_indices; i++)
        renumber[part->indices[i]] = 1;
    for (int i = 0; i < part->n_vertices; i++)
        if (renumber[i] >= 0) {
            part->vertices[kept] = part->vertices[i];
            renumber[i] = kept++;
        }
    for (int i = 0; i < part->n_indices; i++)
        part->indices[i] = (uint32_t)renumber[part->indices[i]];
    part->n_vertices = kept;
    free(renumber);
}

void part_drop_triangles(struct part *part, const bool *gone)
{
    int n = 0;
    for (int i = 0; i < part->n_indices; i += 3)
        if (!gone[i / 3]) {
            memmove(part->indices + n, part->indices + i, 3 * sizeof *part->indices);
            n += 3;
        }
    part->n_indices = n;
    drop_unused(part);
}

void part_drop_marked(struct part *part, const bool *marked)
{
    bool *gone = malloc((size_t)part->n_indices / 3 + 1);
    for (int i = 0; i < part->n_indices; i += 3) {
        const uint32_t *t = part->indices + i;
        gone[i / 3] = marked[t[0]] && marked[t[1]] && marked[t[2]];
    }
    part_drop_triangles(part, gone);
    free(gone);
}
