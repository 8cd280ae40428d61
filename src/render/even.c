/*
 * Where skin is even: what kernel_classify.c may shade once for 2x2 pixels. Each triangle is given the
 * distance over which its paint, occlusion and normal change by so little that one point speaks for all; a
 * block that is smaller than that, as the camera sees it, is shaded once.
 */
#include "render/render_int.h"

#include <math.h>
#include <stdlib.h>

/* How much may change over a block: a step that nobody sees (pictures are compared in docs/performance.md).
 */
static const float MOST_CHANGE = 0.05f; /* of a colour or the occlusion, as share of the larger value */
static const float MOST_TURN = 0.12f;   /* of the normal, radians */
static const float MOST_STEPS = 9;      /* of a picture's colours, of 255 */

static const float ANY_M = 1000; /* even over any distance */

/* Over how many metres something changes by `most` when it changes by `change` over length_m. */
static float metres(float length_m, float change, float most)
{
    return change * ANY_M > most * length_m ? length_m * most / change : ANY_M;
}

static float change_of(float x, float y)
{
    float larger = fmaxf(x, y);
    return larger > 0 ? fabsf(x - y) / larger : 0;
}

static float edge_m(const struct mesh *mesh, int a, int b)
{
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double d = (double)mesh->accumulated[8 * a + k] - (double)mesh->accumulated[8 * b + k];
        sum += d * d;
    }
    return (float)sqrt(sum) * mesh->unit_m;
}

static float turn_of(const struct mesh *mesh, int a, int b)
{
    double cosine = 0;
    for (int k = 4; k < 7; k++)
        cosine += (double)mesh->accumulated[8 * a + k] * (double)mesh->accumulated[8 * b + k];
    return acosf(fminf(1, fmaxf(-1, (float)(cosine * (double)NORMAL_UNIT * (double)NORMAL_UNIT))));
}

/* By the vertices alone. */
static float even_corners_m(const struct mesh *mesh, int t)
{
    float least = ANY_M;
    for (int k = 0; k < 3; k++) {
        int a = mesh->corner[k][t], b = mesh->corner[(k + 1) % 3][t];
        float length_m = edge_m(mesh, a, b);
        least = fminf(least, metres(length_m, turn_of(mesh, a, b), MOST_TURN));
        for (int j = STILL_COLOR; j <= STILL_OCCLUSION; j++) {
            float change =
                change_of(mesh->still[a / GROUP][j][a % GROUP], mesh->still[b / GROUP][j][b % GROUP]);
            least = fminf(least, metres(length_m, change, MOST_CHANGE));
        }
    }
    return least;
}

/* The part of a picture that a triangle shows, in the level where it is TEXELS wide and high at most. */
struct window {
    int level, x0, y0, x1, y1;
};

static bool find_window(const struct mesh *mesh, const struct texture *texture, int t,
                        struct window *ret_window)
{
    enum { TEXELS = 8 };
    float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
    for (int k = 0; k < 3; k++)
        for (int j = 0; j < 2; j++) {
            int v = mesh->corner[k][t];
            float at = mesh->still[v / GROUP][STILL_U + j][v % GROUP];
            low[j] = fminf(low[j], at);
            high[j] = fmaxf(high[j], at);
        }
    if (!(low[0] >= 0 && low[1] >= 0 && high[0] <= 1 && high[1] <= 1))
        return false;
    int level = 0;
    while (level + 1 < texture->levels && ((high[0] - low[0]) * (float)texture->width[level] > TEXELS ||
                                           (high[1] - low[1]) * (float)texture->height[level] > TEXELS))
        level++;
    const int width = texture->width[level], height = texture->height[level];
    *ret_window = (struct window){level, (int)(low[0] * (float)width), (int)(low[1] * (float)height),
                                  (int)fminf(high[0] * (float)width, (float)(width - 1)),
                                  (int)fminf(high[1] * (float)height, (float)(height - 1))};
    return true;
}

static int difference(uint32_t a, uint32_t b)
{
    int most = 0;
    for (int k = 0; k < 24; k += 8) {
        int d = abs((int)(a >> k & 255) - (int)(b >> k & 255));
        most = d > most ? d : most;
    }
    return most;
}

/* The most that texels of a window differ from their neighbours. */
static int steepest(const struct texture *texture, const struct window *w)
{
    const uint32_t *texels = texture->texels[w->level];
    int most = 0, width = texture->width[w->level];
    for (int y = w->y0; y <= w->y1; y++)
        for (int x = w->x0; x <= w->x1; x++) {
            const uint32_t *here = texels + y * width + x;
            int right = x < w->x1 ? difference(here[0], here[1]) : 0;
            int below = y < w->y1 ? difference(here[0], here[width]) : 0;
            most = right > most ? right : most;
            most = below > most ? below : most;
        }
    return most;
}

static float even_picture_m(const struct mesh *mesh, const struct surface *surface, int t)
{
    struct window window;
    const struct texture *texture = &mesh->textures[surface->texture];
    if (!find_window(mesh, texture, t, &window) || !(surface->texels_per_m > 0))
        return 0;
    return metres((float)(1 << window.level) / surface->texels_per_m, (float)steepest(texture, &window),
                  MOST_STEPS);
}

void cp_mesh_find_even(struct mesh *mesh)
{
    for (int p = 0; p < mesh->n_parts; p++) {
        const struct draw_part *part = &mesh->parts[p];
        const struct surface *surface = &mesh->surfaces[part->surface];
        for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++) {
            mesh->even_m[t] = 0;
            if (surface->kind != CP_SURFACE_SKIN)
                continue;
            mesh->even_m[t] = even_corners_m(mesh, t);
            if (surface->texture >= 0)
                mesh->even_m[t] = fminf(mesh->even_m[t], even_picture_m(mesh, surface, t));
        }
    }
}
