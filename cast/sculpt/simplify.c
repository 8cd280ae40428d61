#include "bake.h"
#include "face.h"

#include <meshoptimizer.h>
#include <stdlib.h>
#include <string.h>

/* Lip and lid rows must stay whole: they move most and are looked at most. */
static bool must_stay(const struct character *c, const struct part *part, vec3 p)
{
    if (part->rig != RIG_FACE)
        return false;
    if (p.z > 5.5f && fabsf(p.x) < c->mouth_width + 0.15f && p.y < lip_top(c, p.x) - 0.1f &&
        p.y > lip_bottom(c, p.x) + 0.1f)
        return true;
    vec3 e = sub(v3(fabsf(p.x), p.y, p.z), eye_center(c));
    float r = length(e);
    return e.z > 0 && r < c->eye_radius + 0.45f && fabsf(eye_opening(c, e.x, e.y)) < 0.24f;
}

void part_simplify(struct part *part, const struct character *c)
{
    int n = part->n_indices, n_locked = 0, n_free = 0, n_vertices = part->n_vertices;
    if (part->max_triangles > 0 && n > part->max_triangles * 3) {
        uint32_t *locked = malloc((size_t)n * 4), *open = malloc((size_t)n * 4),
                 *fewer = malloc((size_t)n * 4);
        bool *stay = malloc((size_t)n_vertices);
        for (int i = 0; i < n_vertices; i++)
            stay[i] = must_stay(c, part, part->vertices[i].position);
        for (int i = 0; i < n; i += 3) {
            const uint32_t *t = part->indices + i;
            bool keep = stay[t[0]] && stay[t[1]] && stay[t[2]];
            memcpy(keep ? locked + n_locked : open + n_free, t, 3 * sizeof *t);
            *(keep ? &n_locked : &n_free) += 3;
        }
        int want = part->max_triangles * 3 - n_locked;
        if (want < n_free / 8)
            want = n_free / 8;
        size_t kept = meshopt_simplify(fewer, open, (size_t)n_free, &part->vertices[0].position.x,
                                       (size_t)n_vertices, sizeof *part->vertices, (size_t)(want - want % 3),
                                       0.05f, n_locked ? meshopt_SimplifyLockBorder : 0, NULL);
        memcpy(part->indices, fewer, kept * 4);
        memcpy(part->indices + kept, locked, (size_t)n_locked * 4);
        part->n_indices = (int)kept + n_locked;
        free(locked);
        free(open);
        free(fewer);
        free(stay);
    }
    /* order for caches, drop what is unused */
    meshopt_optimizeVertexCache(part->indices, part->indices, (size_t)part->n_indices, (size_t)n_vertices);
    struct vertex *packed = malloc((size_t)n_vertices * sizeof *packed);
    part->n_vertices = (int)meshopt_optimizeVertexFetch(packed, part->indices, (size_t)part->n_indices,
                                                        part->vertices, (size_t)n_vertices, sizeof *packed);
    free(part->vertices);
    part->vertices = packed;
    part->vertex_room = n_vertices;
}
