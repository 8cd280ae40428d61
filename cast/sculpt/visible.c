/*
 * Hair lies in layers, and most of the lower ones never show. The head is looked at from all around, from a
 * little below to far above, each time into a picture of triangle numbers; a triangle of hair that wins next
 * to no sample of any picture goes. Hair is stiff on the head, so a turned head is only another direction.
 */
#include "visible.h"
#include "hair.h"
#include "head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 512, YAWS = 24, MAX_TRIANGLES = 80000 };

static const float SPAN = 46;          /* cm, what a picture shows from side to side */
static const vec3 MIDDLE = {0, 0, -2}; /* of the pictures */
static const float PITCH_DEG[] = {-22, -12, -5, 3, 14, 36, 64}; /* of the cameras, up is positive */
static const float NECK_ENDS = -13; /* cm from the eyes: below, the head turns away from it */
static const float WORTH = 0.04f;   /* share of its samples that a triangle must win somewhere to stay, */
enum { WORTH_SAMPLES = 4 };         /* or so many */

struct triangle {
    vec3 corner[3];
    struct part *part;
    int at;         /* its first index in the part; -1 hides others but cannot go */
    bool gone, low; /* hides only what a camera below sees: shoulders, whatever the head's turn */
    float most;     /* the largest share of its samples that it has won; -1: too small to cover one */
    int most_won;
    int covered, won; /* samples of the picture at hand */
};

struct look {
    struct triangle *triangles;
    int n;
    float *depth; /* SIDE * SIDE each */
    int32_t *winner;
};

static bool may_go(const struct character *c, const struct part *part, const uint32_t *corner)
{
    if (part->surface == CP_SURFACE_HAIR)
        return true;
    if (part->rig != RIG_FACE || c->hair_style >= HAIR_NONE)
        return false;
    for (int k = 0; k < 3; k++) { /* skin that no shape of the face moves */
        vec3 p = part->vertices[corner[k]].position;
        if (sd_hair_cap(c, p) > -0.35f || p.z > 0)
            return false;
    }
    return true;
}

static void gather(struct look *look, struct sculpture *s, const struct character *c, vec3 *const *places)
{
    for (int k = 0; k < s->n_parts; k++) {
        struct part *part = &s->parts[k];
        bool hair = part->surface == CP_SURFACE_HAIR;
        bool skin = part->rig == RIG_FACE && part->surface == CP_SURFACE_SKIN;
        if (!hair && !skin && part->rig != RIG_BODY)
            continue;
        for (int i = 0; i < part->n_indices && look->n < MAX_TRIANGLES; i += 3) {
            const uint32_t *corner = part->indices + i;
            struct triangle *t = &look->triangles[look->n];
            *t = (struct triangle){.part = part, .at = may_go(c, part, corner) ? i : -1};
            t->low = !hair && places[k][corner[0]].y < NECK_ENDS;
            for (int j = 0; j < 3; j++)
                t->corner[j] = places[k][corner[j]];
            look->n++;
        }
    }
}

/* Lays a triangle into the picture: x and y in samples, z towards the camera. */
static void cover(struct look *look, int number, const vec3 p[3])
{
    struct triangle *t = &look->triangles[number];
    float area = (p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[2].x - p[0].x) * (p[1].y - p[0].y);
    if (area <= 1e-6f) /* its back */
        return;
    int x0 = (int)maxf(0, floorf(minf(p[0].x, minf(p[1].x, p[2].x)))),
        x1 = (int)minf(SIDE - 1, ceilf(maxf(p[0].x, maxf(p[1].x, p[2].x)))),
        y0 = (int)maxf(0, floorf(minf(p[0].y, minf(p[1].y, p[2].y)))),
        y1 = (int)minf(SIDE - 1, ceilf(maxf(p[0].y, maxf(p[1].y, p[2].y))));
    float step_x[3], step_y[3], start[3]; /* of the barycentrics, as they change from sample to sample */
    for (int k = 0; k < 3; k++) {
        const vec3 *a = &p[(k + 1) % 3], *b = &p[(k + 2) % 3];
        step_x[k] = (a->y - b->y) / area;
        step_y[k] = (b->x - a->x) / area;
        start[k] = step_x[k] * (0.5f - a->x) + step_y[k] * (0.5f - a->y);
    }
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            float w[3];
            for (int k = 0; k < 3; k++)
                w[k] = start[k] + step_x[k] * (float)x + step_y[k] * (float)y;
            if (w[0] < 0 || w[1] < 0 || w[2] < 0)
                continue;
            float z = w[0] * p[0].z + w[1] * p[1].z + w[2] * p[2].z;
            t->covered++;
            if (z > look->depth[y * SIDE + x]) {
                look->depth[y * SIDE + x] = z;
                look->winner[y * SIDE + x] = number;
            }
        }
}

static void look_from(struct look *look, float yaw, float pitch)
{
    const float scale_to = SIDE / SPAN;
    vec3 axis[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}; /* turned as the head is */
    for (int k = 0; k < 3; k++)
        axis[k] = rotate_x(rotate_y(axis[k], -yaw), pitch);
    for (int i = 0; i < SIDE * SIDE; i++) {
        look->depth[i] = -1e9f;
        look->winner[i] = -1;
    }
    for (int i = 0; i < look->n; i++) {
        struct triangle *t = &look->triangles[i];
        vec3 p[3];
        t->covered = t->won = 0;
        if (t->gone || (t->low && pitch >= 0))
            continue;
        for (int k = 0; k < 3; k++) {
            vec3 at = sub(t->corner[k], MIDDLE);
            vec3 q = add(add(scale(axis[0], at.x), scale(axis[1], at.y)), scale(axis[2], at.z));
            p[k] = v3(q.x * scale_to + SIDE / 2, q.y * scale_to + SIDE / 2, q.z);
        }
        cover(look, i, p);
    }
    for (int i = 0; i < SIDE * SIDE; i++)
        if (look->winner[i] >= 0)
            look->triangles[look->winner[i]].won++;
    for (int i = 0; i < look->n; i++) {
        struct triangle *t = &look->triangles[i];
        t->most_won = t->won > t->most_won ? t->won : t->most_won;
        if (t->covered)
            t->most = maxf(t->most, (float)t->won / (float)t->covered);
    }
}

/* Looks from all around at what is left. */
static void look_around(struct look *look)
{
    for (int i = 0; i < look->n; i++)
        look->triangles[i].most = -1;
    for (size_t k = 0; k < sizeof PITCH_DEG / sizeof *PITCH_DEG; k++)
        for (int yaw = 0; yaw < YAWS; yaw++)
            look_from(look, radians(360) * ((float)yaw + 0.5f * (float)(k % 2)) / YAWS,
                      radians(PITCH_DEG[k]));
}

static void drop_gone(const struct look *look, struct part *part)
{
    bool *gone = calloc((size_t)part->n_indices / 3 + 1, sizeof *gone);
    for (int i = 0; i < look->n; i++)
        if (look->triangles[i].part == part && look->triangles[i].gone)
            gone[look->triangles[i].at / 3] = true;
    part_drop_triangles(part, gone);
    free(gone);
}

void drop_unseen(struct sculpture *s, const struct character *c, vec3 *const *places)
{
    struct look look = {calloc(MAX_TRIANGLES, sizeof *look.triangles), 0,
                        malloc(SIDE * SIDE * sizeof *look.depth), malloc(SIDE * SIDE * sizeof *look.winner)};
    gather(&look, s, c, places);
    /* first what shows a sliver, then what is still hidden although that is gone: so nothing shows a hole */
    for (int pass = 0; pass < 2; pass++) {
        look_around(&look);
        for (int i = 0; i < look.n; i++) {
            struct triangle *t = &look.triangles[i];
            bool sliver = t->most > 0 && t->most < WORTH && t->most_won < WORTH_SAMPLES,
                 hidden = t->most == 0;
            t->gone |= t->at >= 0 && (pass ? hidden : sliver);
        }
    }
    for (int k = 0; k < s->n_parts; k++)
        drop_gone(&look, &s->parts[k]);
    free(look.triangles);
    free(look.depth);
    free(look.winner);
}
