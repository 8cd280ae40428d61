/* Where skin is even: what kernel_classify.c may shade once for 2x2 pixels. */
#include "render/render_int.h"

#include <math.h>

/* Whether a vertex value or a colour changes by more than even skin does. */
static bool differs(float x, float y)
{
    enum { MOST_PERCENT = 12 };
    return fabsf(x - y) * 100 > MOST_PERCENT * fmaxf(x, y);
}

/* Whether the part of a picture that a triangle shows is of one colour; looked at in 8 x 8 texels at most. */
static bool is_even_picture(const struct mesh *mesh, const struct texture *texture, int t)
{
    enum { TEXELS = 8, MOST_STEPS = 16 };
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
    int width = texture->width[level], height = texture->height[level], least[3] = {255, 255, 255},
        most[3] = {0};
    for (int y = (int)(low[1] * (float)height); y <= (int)(high[1] * (float)height) && y < height; y++)
        for (int x = (int)(low[0] * (float)width); x <= (int)(high[0] * (float)width) && x < width; x++)
            for (int k = 0; k < 3; k++) {
                int c = texture->texels[level][y * width + x] >> (8 * k) & 255;
                least[k] = c < least[k] ? c : least[k];
                most[k] = c > most[k] ? c : most[k];
            }
    return most[0] - least[0] <= MOST_STEPS && most[1] - least[1] <= MOST_STEPS &&
           most[2] - least[2] <= MOST_STEPS;
}

/* One colour and occlusion, a normal to within 26 degrees: not lips, lids, brows, stubble. */
static bool is_even(const struct mesh *mesh, const struct surface *surface, int t)
{
    const double least_cosine = 0.9 / ((double)NORMAL_UNIT * (double)NORMAL_UNIT);
    for (int k = 0; k < 3; k++) {
        int a = mesh->corner[k][t], b = mesh->corner[(k + 1) % 3][t];
        double cosine = 0;
        for (int j = 0; j < 3; j++)
            cosine += (double)mesh->accumulated[8 * a + 4 + j] * (double)mesh->accumulated[8 * b + 4 + j];
        if (!(cosine > least_cosine))
            return false;
        for (int j = STILL_COLOR; j <= STILL_OCCLUSION; j++)
            if (differs(mesh->still[a / GROUP][j][a % GROUP], mesh->still[b / GROUP][j][b % GROUP]))
                return false;
    }
    return surface->texture < 0 || is_even_picture(mesh, &mesh->textures[surface->texture], t);
}

/* Where skin is so even that 2x2 pixels are shaded as one. */
void cp_mesh_find_even(struct mesh *mesh)
{
    for (int p = 0; p < mesh->n_parts; p++) {
        const struct draw_part *part = &mesh->parts[p];
        const struct surface *surface = &mesh->surfaces[part->surface];
        for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++)
            mesh->even[t] = surface->kind == CP_SURFACE_SKIN && is_even(mesh, surface, t);
    }
}
