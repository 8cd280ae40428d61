#include "bake.h"
#include "face.h"
#include "hair.h"
#include "head.h"

#include <meshoptimizer.h>

#include <stdlib.h>
#include <string.h>

/* The rows where lips and lids meet, and the fold under the lip, must stay whole: they move most, and gaps
 * would show. */
static bool must_stay(const struct character *c, const struct part *part, vec3 p)
{
    if (part->rig != RIG_FACE)
        return false;
    float from_line = fabsf(p.y - lip_line(c, p.x)), from_fold = fabsf(p.y - lip_bottom(c, p.x) + 0.10f);
    if (p.z + 0.10f * p.x * p.x > 6.9f && fabsf(p.x) < c->mouth_width + 0.25f &&
        (from_line < 0.17f || from_fold < 0.28f))
        return true;
    vec3 e = sub(v3(fabsf(p.x), p.y, p.z), eye_center(c));
    float r = length(e);
    return e.z > 0 && r < c->eye_radius + 0.45f && fabsf(eye_opening(c, e.x, e.y)) < 0.10f;
}

/* Where the simplifier sees a vertex: the parts of the face that are looked at are blown up, so that it takes
 * three times as much care there, and density falls off smoothly around the rows that stay. */
static vec3 metric_place(const struct character *c, const struct part *part, vec3 p)
{
    if (part->rig != RIG_FACE)
        return p;
    vec3 eye = eye_center(c);
    const struct {
        vec3 center;
        float radius, gain;
    } lenses[] = {
        {{0, MOUTH_Y - 0.4f, 8.3f}, 3.2f, 2.0f},   {{0, -4.2f, 9.0f}, 1.6f, 1.0f},
        {add(eye, v3(0, 0.3f, 1.5f)), 2.6f, 1.6f}, {add(mirror(eye), v3(0, 0.3f, 1.5f)), 2.6f, 1.6f},
        {{3.2f, 2.8f, 7.3f}, 2.2f, 1.2f},          {{-3.2f, 2.8f, 7.3f}, 2.2f, 1.2f},  /* brows */
        {{4.6f, -3.4f, 6.0f}, 2.8f, 0.5f},         {{-4.6f, -3.4f, 6.0f}, 2.8f, 0.5f}, /* cheeks */
    };
    vec3 to = p;
    /* scalp under hair, the nape, the inside of the mouth: a quarter of the care will do */
    float unseen = c->hair_style < HAIR_NONE ? ease(0.1f, -1.2f, sd_hair_cap(c, p)) : 0;
    unseen = maxf(unseen, ease(-2, -4, p.z) * ease(-9, -12, p.y));
    unseen = maxf(unseen, ease(6.4f, 5.4f, p.z) * ease(0.6f, 0.1f, sd_mouth_cavity(c, p)));
    to = along(to, sub(to, v3(0, -3, 0)), -0.75f * unseen);
    for (size_t i = 0; i < sizeof lenses / sizeof *lenses; i++) {
        vec3 off = sub(p, lenses[i].center);
        to = along(to, off, lenses[i].gain * expf(-dot(off, off) / square(lenses[i].radius)));
    }
    return to;
}

void part_simplify(struct part *part, const struct character *c)
{
    int n = part->n_indices, n_locked = 0, n_free = 0, n_vertices = part->n_vertices;
    if (part->max_triangles > 0 && n > part->max_triangles * 3) {
        uint32_t *locked = malloc((size_t)n * 4), *open = malloc((size_t)n * 4),
                 *fewer = malloc((size_t)n * 4);
        bool *stay = malloc((size_t)n_vertices);
        vec3 *places = malloc((size_t)n_vertices * sizeof *places);
        for (int i = 0; i < n_vertices; i++) {
            places[i] = metric_place(c, part, part->vertices[i].position);
            stay[i] = must_stay(c, part, part->vertices[i].position);
        }
        for (int i = 0; i < n; i += 3) {
            const uint32_t *t = part->indices + i;
            bool keep = stay[t[0]] && stay[t[1]] && stay[t[2]];
            memcpy(keep ? locked + n_locked : open + n_free, t, 3 * sizeof *t);
            *(keep ? &n_locked : &n_free) += 3;
        }
        int want = part->max_triangles * 3 - n_locked;
        if (want < n_free / 16)
            want = n_free / 16;
        size_t kept = meshopt_simplify(fewer, open, (size_t)n_free, &places[0].x, (size_t)n_vertices,
                                       sizeof *places, (size_t)(want - want % 3), 0.05f,
                                       n_locked ? meshopt_SimplifyLockBorder : 0, NULL);
        memcpy(part->indices, fewer, kept * 4);
        memcpy(part->indices + kept, locked, (size_t)n_locked * 4);
        part->n_indices = (int)kept + n_locked;
        free(locked);
        free(open);
        free(fewer);
        free(stay);
        free(places);
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
