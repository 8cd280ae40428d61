/*
 * Triangles that the set-up kernel cannot take: they cross the near plane or the guard band, or are big.
 * They are clipped to a convex polygon, cut into a fan, and become large records. Rare, so one at a time.
 */
#include "render/render_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLANES = 5, MAX_CORNERS = 3 + PLANES };

struct clip_corner {
    float position[3];      /* in the camera's space: right, up, forward */
    float distance[PLANES]; /* from each plane, >= 0 inside */
    float row[ROW_FLOATS];  /* attributes */
    int32_t vertex;         /* where the corner stands in the vertex arrays, -1 when the clipper made it */
};

static float dot(const float *a, const float *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void measure(const struct cp_render *render, struct clip_corner *c)
{
    float focal = render->camera.focal_px, z = c->position[2];
    /* A little inside the kernel's limits, so that clipped corners are good vertices. */
    float half_x = ((float)render->width * 0.5f + GUARD_BAND - 8) / focal;
    float half_y = ((float)render->height * 0.5f + GUARD_BAND - 8) / focal;
    c->distance[0] = z - NEAR_M * 1.001f;
    c->distance[1] = z * half_x - c->position[0];
    c->distance[2] = z * half_x + c->position[0];
    c->distance[3] = z * half_y - c->position[1];
    c->distance[4] = z * half_y + c->position[1];
}

static bool load_corner(const struct cp_render *render, int32_t vertex, struct clip_corner *c)
{
    const struct camera *camera = &render->camera;
    memcpy(c->row, render->attributes + (size_t)vertex * ROW_FLOATS, sizeof c->row);
    float d[3];
    for (int k = 0; k < 3; k++)
        d[k] = c->row[ROW_POSITION + k] - camera->eye[k];
    c->position[0] = dot(d, camera->right);
    c->position[1] = dot(d, camera->up);
    c->position[2] = dot(d, camera->forward);
    c->vertex = vertex;
    measure(render, c);
    return isfinite(c->position[0]) && isfinite(c->position[1]) && isfinite(c->position[2]);
}

/* The point where an edge meets a plane. Always from the inside to the outside, so that two triangles that
 * share the edge get the same point. */
static void cut_edge(const struct cp_render *render, const struct clip_corner *in,
                     const struct clip_corner *out, int plane, struct clip_corner *ret_cut)
{
    float t = in->distance[plane] / (in->distance[plane] - out->distance[plane]);
    for (int k = 0; k < 3; k++)
        ret_cut->position[k] = in->position[k] + (out->position[k] - in->position[k]) * t;
    for (int k = 0; k < ROW_FLOATS; k++)
        ret_cut->row[k] = in->row[k] + (out->row[k] - in->row[k]) * t;
    ret_cut->vertex = -1;
    measure(render, ret_cut);
    ret_cut->distance[plane] = 0;
}

/* Sutherland-Hodgman against one plane. Returns the new number of corners. */
static int clip_plane(const struct cp_render *render, struct clip_corner *polygon, int n, int plane)
{
    struct clip_corner out[MAX_CORNERS + 1];
    int m = 0;
    for (int i = 0; i < n && m < MAX_CORNERS; i++) {
        const struct clip_corner *a = &polygon[i], *b = &polygon[(i + 1) % n];
        bool a_in = a->distance[plane] >= 0, b_in = b->distance[plane] >= 0;
        if (a_in)
            out[m++] = *a;
        if (a_in != b_in)
            cut_edge(render, a_in ? a : b, a_in ? b : a, plane, &out[m++]);
    }
    memcpy(polygon, out, (size_t)m * sizeof out[0]);
    return m;
}

static float clamp(float x, float limit)
{
    return x > -limit ? x < limit ? x : limit : -limit; /* NaN too becomes a number */
}

/* Gives a corner that the clipper made a place in the vertex arrays. False when they are full. */
static bool add_vertex(struct cp_render *render, struct clip_corner *c)
{
    if (c->vertex >= 0)
        return true;
    if (render->n_clip_vertices == render->max_clip_vertices)
        return false;
    int32_t v = render->mesh->n_vertices + render->n_clip_vertices++;
    /* Corners of monstrous triangles may miss the planes by rounding: hold them to what large records bear.
     */
    float iz = 1 / fmaxf(c->position[2], NEAR_M), k = iz * render->camera.focal_px;
    float half_x = (float)render->width * 0.5f, half_y = (float)render->height * 0.5f;
    render->screen[v] = (struct screen_vertex){
        .x = (int32_t)lrintf((half_x + clamp(c->position[0] * k, half_x + GUARD_BAND)) * SUBPIXELS),
        .y = (int32_t)lrintf((half_y - clamp(c->position[1] * k, half_y + GUARD_BAND)) * SUBPIXELS),
        .inverse_depth = iz,
    };
    memcpy(render->attributes + (size_t)v * ROW_FLOATS, c->row, sizeof c->row);
    c->vertex = v;
    return true;
}

static void add_large(struct cp_render *render, const int32_t vertex[3], uint32_t id, int surface_index)
{
    const struct surface *surface = &render->mesh->surfaces[surface_index];
    const struct screen_vertex *v[3] = {&render->screen[vertex[0]], &render->screen[vertex[1]],
                                        &render->screen[vertex[2]]};
    int64_t area = (int64_t)(v[2]->x - v[0]->x) * (v[1]->y - v[0]->y) -
                   (int64_t)(v[1]->x - v[0]->x) * (v[2]->y - v[0]->y);
    if (area == 0 || (area < 0 && !surface->double_sided))
        return;
    int sign = area < 0 ? -1 : 1, first = render->samples == 4 ? 8 : 32, last = SUBPIXELS - first;
    int low_x = v[0]->x, high_x = v[0]->x, low_y = v[0]->y, high_y = v[0]->y;
    for (int i = 1; i < 3; i++) {
        low_x = v[i]->x < low_x ? v[i]->x : low_x;
        high_x = v[i]->x > high_x ? v[i]->x : high_x;
        low_y = v[i]->y < low_y ? v[i]->y : low_y;
        high_y = v[i]->y > high_y ? v[i]->y : high_y;
    }
    struct large_record r = {
        .inverse_area = 1 / (float)(area * sign),
        .x0 = (low_x + SUBPIXELS - 1 - last) >> 6,
        .x1 = (high_x - first) >> 6,
        .y0 = (low_y + SUBPIXELS - 1 - last) >> 6,
        .y1 = (high_y - first) >> 6,
        .id = id,
        .surface = surface_index,
    };
    r.x0 = r.x0 > 0 ? r.x0 : 0;
    r.y0 = r.y0 > 0 ? r.y0 : 0;
    r.x1 = r.x1 < render->width - 1 ? r.x1 : render->width - 1;
    r.y1 = r.y1 < render->height - 1 ? r.y1 : render->height - 1;
    if (r.x0 > r.x1 || r.y0 > r.y1)
        return;
    for (int i = 0; i < 3; i++) {
        const struct screen_vertex *a = v[(i + 1) % 3], *b = v[(i + 2) % 3];
        r.step_x[i] = (b->y - a->y) * sign;
        r.step_y[i] = (a->x - b->x) * sign;
        bool top_left = r.step_x[i] > 0 || (r.step_x[i] == 0 && r.step_y[i] > 0);
        r.constant[i] = -(int64_t)r.step_x[i] * b->x - (int64_t)r.step_y[i] * b->y - (top_left ? 0 : 1);
        r.z[i] = v[i]->inverse_depth;
    }
    if (render->n_large == render->max_large) {
        render->stats.overflows++;
        return;
    }
    render->large[render->n_large++] = r;
}

/* A fan of triangles over the clipped polygon, each with an id of its own. */
static void add_fan(struct cp_render *render, struct clip_corner *polygon, int n, uint32_t piece, int surface)
{
    struct mesh *mesh = render->mesh;
    for (int i = 0; i < n; i++)
        if (!add_vertex(render, &polygon[i])) {
            render->stats.overflows++;
            return;
        }
    for (int i = 2; i < n; i++) {
        if (render->n_clip_triangles == render->max_clip_triangles) {
            render->stats.overflows++;
            return;
        }
        uint32_t t = (uint32_t)(mesh->n_triangles + render->n_clip_triangles++);
        int32_t vertex[3] = {polygon[0].vertex, polygon[i - 1].vertex, polygon[i].vertex};
        for (int k = 0; k < 3; k++)
            mesh->rows[t][k] = vertex[k] * ROW_FLOATS;
        add_large(render, vertex, t | piece << mesh->piece_shift, surface);
    }
}

void cp_clip_irregular(struct cp_render *render)
{
    const struct mesh *mesh = render->mesh;
    render->n_large = render->n_clip_vertices = render->n_clip_triangles = 0;
    for (int i = 0; i < render->n_irregular; i++) {
        int t = render->irregular[i];
        uint32_t id = mesh->visibility_id[t], piece = id >> mesh->piece_shift;
        int32_t vertex[3] = {mesh->corner[0][t], mesh->corner[1][t], mesh->corner[2][t]};
        int surface = mesh->piece_surface[piece];
        bool on_screen = true;
        for (int k = 0; k < 3; k++)
            on_screen &= render->screen[vertex[k]].x != OFF_SCREEN;
        if (on_screen) {
            add_large(render, vertex, id, surface);
            continue;
        }
        struct clip_corner polygon[MAX_CORNERS + 1];
        bool finite = true;
        for (int k = 0; k < 3; k++)
            finite &= load_corner(render, vertex[k], &polygon[k]);
        int n = finite ? 3 : 0;
        for (int plane = 0; plane < PLANES && n >= 3; plane++)
            n = clip_plane(render, polygon, n, plane);
        for (int k = 0; k < n; k++) /* a corner just outside the kernel's limits is one that it gave up */
            if (polygon[k].vertex >= 0 && render->screen[polygon[k].vertex].x == OFF_SCREEN)
                polygon[k].vertex = -1;
        if (n >= 3)
            add_fan(render, polygon, n, piece, surface);
    }
}
