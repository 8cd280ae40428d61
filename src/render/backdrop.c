/* Where each pixel of a frame looks in the panorama, or in a picture that is the background. */
#include "render/scenery.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the panorama is seen from: between the cameras. Every ray of another camera is followed to the walls,
 * and what the panorama shows in that direction is taken: so walls shift as they should when it moves. */
const float cp_backdrop_center[3] = {0, 1.45f, 1.9f};
#define WALL_BACK_M 3.6f
#define WALL_SIDE_M 4.6f
/* The lens: its aperture in metres (a 50 mm lens at f/1.7). */
#define APERTURE_M 0.030f

static const float BLUR_RAD[BACKDROP_LEVELS] = {BACKDROP_BLUR_RAD};

static struct backdrop *allocate(int width, int height)
{
    struct backdrop *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    float **const line[] = {&b->column, &b->slope, &b->shift, &b->row, &b->scratch};
    const size_t length[] = {1, 1, 1, 1, 9};
    b->grain = cp_render_alloc(GRAIN * GRAIN * sizeof(float));
    bool complete = b->grain;
    b->grid = 1;
    for (int i = 0; i < 5; i++) {
        *line[i] = cp_render_alloc(length[i] * ((size_t)(i == 3 ? height : width) + 64) * sizeof(float));
        complete = complete && *line[i];
    }
    if (complete)
        return b;
    cp_backdrop_destroy(b);
    return NULL;
}

/* Interleaved gradient noise (Jimenez 2014): fixed to the picture, so it hides bands and costs an encoder
 * nothing in still parts. */
static void fill_grain(struct backdrop *b)
{
    for (int y = 0; y < GRAIN; y++)
        for (int x = 0; x < GRAIN; x++) {
            float t = (float)x * 0.06711056f + (float)y * 0.00583715f;
            t = 52.9829189f * (t - floorf(t));
            b->grain[y * GRAIN + x] = (2 * (t - floorf(t)) - 1) * b->noise;
        }
}

int cp_backdrop_create(const struct cp_set *set, const struct mood *mood, const char *color, int width,
                       int height, struct backdrop **ret_backdrop)
{
    bool key = !strcmp(set->name, "key"), plain = !strcmp(set->name, "plain");
    /* Greens of keying cloth are near 0, 177, 64; the grey is that of seamless paper. */
    unsigned rrggbb = key ? 0x00b140 : plain ? 0x787a7e : 0;
    if ((key || plain) && color && color[0] == '#' && strlen(color) == 7)
        sscanf(color + 1, "%6x", &rrggbb);
    struct backdrop *b = allocate(width, height);
    if (!b || !(b->panorama = cp_panorama_share(set, mood, rrggbb))) {
        cp_backdrop_destroy(b);
        return CP_ERR_NOMEM;
    }
    b->width = b->panorama->width;
    b->height = b->panorama->height;
    memcpy(b->level, b->panorama->level, sizeof b->level);
    b->noise = key ? 0 : 2;
    fill_grain(b);
    int shorter = width < height ? width : height;
    b->grid = shorter >= 700 ? 4 : shorter >= 350 ? 2 : 1;
    *ret_backdrop = b;
    return 0;
}

int cp_backdrop_create_still(int width, int height, struct backdrop **ret_backdrop)
{
    struct backdrop *b = allocate(width, height);
    if (!b)
        return CP_ERR_NOMEM;
    b->width = width;
    b->height = height;
    *ret_backdrop = b;
    return 0;
}

void cp_backdrop_show(struct backdrop *b, const uint32_t *texels)
{
    for (int i = 0; i < BACKDROP_LEVELS; i++)
        b->level[i] = (struct level){texels, b->width, b->height, 1};
}

void cp_backdrop_destroy(struct backdrop *b)
{
    if (!b)
        return;
    cp_panorama_leave(b->panorama);
    cp_render_free(b->column);
    cp_render_free(b->slope);
    cp_render_free(b->shift);
    cp_render_free(b->row);
    cp_render_free(b->scratch);
    cp_render_free(b->grain);
    free(b);
}

static float clamp_to(float x, float low, float high)
{
    return x > low ? x < high ? x : high : low; /* NaN gives low */
}

static float distance_of(const struct cp_view *view)
{
    float sum = 0;
    for (int k = 0; k < 3; k++) {
        float d = view->target[k] - view->eye[k];
        sum += d * d;
    }
    return sqrtf(fmaxf(sum, 0.01f));
}

/* How far along a level direction the walls are. */
static float reach(const float *eye, float dx, float dz)
{
    float s = 50;
    if (dz < -1e-4f)
        s = fminf(s, fmaxf((-WALL_BACK_M - eye[2]) / dz, 0.1f));
    if (fabsf(dx) > 1e-4f)
        s = fminf(s, fmaxf(((dx > 0 ? WALL_SIDE_M : -WALL_SIDE_M) - eye[0]) / dx, 0.1f));
    return s;
}

void cp_backdrop_aim_room(struct cp_render *render, struct backdrop *b)
{
    const struct camera *c = &render->camera;
    float yaw = atan2f(c->forward[0], -c->forward[2]);
    float flat = sqrtf(c->forward[0] * c->forward[0] + c->forward[2] * c->forward[2]);
    float rise = c->forward[1] / fmaxf(flat, 0.05f);
    for (int i = 0; i < render->width / b->grid + 32; i++) {
        float x = (float)(i * b->grid), off = atanf((x + 0.5f - 0.5f * (float)render->width) / c->focal_px),
              angle = yaw + off;
        float dx = sinf(angle), dz = -cosf(angle), s = reach(c->eye, dx, dz);
        float px = c->eye[0] + s * dx - cp_backdrop_center[0],
              pz = c->eye[2] + s * dz - cp_backdrop_center[2];
        float r = fmaxf(sqrtf(px * px + pz * pz), 0.05f), seen = atan2f(px, -pz);
        b->column[i] =
            clamp_to((seen / BACKDROP_SPAN_RAD + 0.5f) * (float)b->width - 0.5f, 0, (float)(b->width - 2));
        /* A pixel's height over the lens axis is met at the distance s; row[] is its slope in the picture's
         * middle, which grows narrower to the sides. */
        float per_rise = (float)b->height / BACKDROP_SPAN_RISE;
        b->slope[i] = -s * cosf(off) / r * per_rise;
        b->shift[i] = 0.5f * (float)b->height - 0.5f - (c->eye[1] - cp_backdrop_center[1]) / r * per_rise;
    }
    for (int y = 0; y < render->height + b->grid; y++)
        b->row[y] = rise + (0.5f * (float)render->height - (float)y - 0.5f) / c->focal_px;
    /* The disc that a point on the wall becomes, when the lens is focused on the presenter. */
    float distance = distance_of(&render->view), wall = WALL_BACK_M + 1;
    float radius = 0.5f * APERTURE_M * wall / (distance * (distance + wall));
    int level = 0;
    while (level < BACKDROP_LEVELS - 2 && radius > BLUR_RAD[level + 1])
        level++;
    b->blur =
        (float)level + clamp_to((radius - BLUR_RAD[level]) / (BLUR_RAD[level + 1] - BLUR_RAD[level]), 0, 1);
}

void cp_backdrop_aim_picture(const struct cp_render *render, struct backdrop *b)
{
    /* Shown as it is in the medium framing and wider; a nearer camera sees less of it, and one that turns
     * looks past its middle, both less than of a wall: a picture is a view, mostly far away. */
    const struct camera *c = &render->camera;
    float half_m = distance_of(&render->view) * 0.5f * (float)render->height / c->focal_px;
    float yaw = clamp_to(atan2f(c->forward[0], -c->forward[2]), -0.6f, 0.6f);
    float zoom = clamp_to(sqrtf(0.303f / fmaxf(half_m, 0.01f)), 1, 1.3f) + 0.30f * fabsf(yaw);
    zoom = zoom < 1.004f ? 1 : zoom;
    float shift = zoom > 1 ? yaw * 0.25f : 0, room = 0.5f * (1 - 1 / zoom);
    shift = clamp_to(shift, -room, room);
    for (int x = 0; x < render->width + 32; x++) {
        float u = ((float)x + 0.5f) / (float)render->width - 0.5f;
        b->column[x] = clamp_to((0.5f + shift + u / zoom) * (float)b->width - 0.5f, 0, (float)(b->width - 2));
        b->slope[x] = 1;
        b->shift[x] = 0;
    }
    for (int y = 0; y < render->height; y++) {
        float v = ((float)y + 0.5f) / (float)render->height - 0.5f;
        b->row[y] = (0.5f + v / zoom) * (float)b->height - 0.5f;
    }
    b->blur = 0;
    b->as_it_is = zoom <= 1;
}
