/*
 * The panorama of a set in a light: a room out of focus, or a colour. Stages that stand in the same set and
 * light share one: a list holds those that are in use, and each leaves it with its last user.
 */
#include "render/room.h"
#include "render/scenery.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HALF_WIDTH = BACKDROP_WIDTH / 2, HALF_HEIGHT = BACKDROP_HEIGHT / 2 };

/* Guards the list and the counts of users. Held while one is painted, so that two stages that are made at the
 * same time do not paint the same twice. Never taken by a draw thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct panorama *living;

static bool allocate(struct panorama *p, int i, int width, int height)
{
    p->owned[i] = cp_render_alloc(((size_t)width * (size_t)height + 64) * sizeof(uint32_t));
    p->level[i] = (struct level){p->owned[i], width, height, (float)width / (float)p->width};
    return p->owned[i];
}

static bool paint_room(struct panorama *p)
{
    static const float RADIUS_RAD[BACKDROP_LEVELS] = {BACKDROP_BLUR_RAD};
    struct exposure exposure[BACKDROP_LEVELS];
    struct room *room = malloc(sizeof *room);
    float *light = cp_render_alloc((size_t)HALF_WIDTH * HALF_HEIGHT * 4 * sizeof(float));
    bool made = room && light && cp_room_furnish(room, p->set->name);
    p->width = BACKDROP_WIDTH;
    p->height = BACKDROP_HEIGHT;
    for (int i = 0; i < BACKDROP_LEVELS; i++) {
        /* The softest holds nothing that half the pixels do not show. */
        int enlarge = i < BACKDROP_LEVELS - 1 ? 2 : 1, width = HALF_WIDTH * enlarge;
        made = made && allocate(p, i, width, HALF_HEIGHT * enlarge);
        exposure[i] =
            (struct exposure){RADIUS_RAD[i] * (float)width / BACKDROP_SPAN_RAD, enlarge, p->owned[i]};
    }
    if (made) {
        /* Cast at half the size: the lens softens it by more than that. */
        cp_room_paint(room, cp_backdrop_center, BACKDROP_SPAN_RAD, BACKDROP_SPAN_RISE, HALF_WIDTH,
                      HALF_HEIGHT, light);
        made = cp_lens_expose(light, HALF_WIDTH, HALF_HEIGHT, p->mood->room, exposure, BACKDROP_LEVELS);
    }
    free(room);
    cp_render_free(light);
    return made;
}

static uint32_t pack_display(const float c[3])
{
    uint32_t out = 0;
    for (int k = 0; k < 3; k++)
        out |= (uint32_t)lrintf(fminf(fmaxf(c[k], 0), 1) * 1023) << (10 * k);
    return out;
}

static float to_display(float x)
{
    return x <= 0.0031308f ? x * 12.92f : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
}

/* Seamless paper of a colour with a pool of light on it; for keying, the colour and nothing else. */
static bool paint_color(struct panorama *p, bool flat)
{
    struct rgb paper = cp_room_color(p->rrggbb, 1);
    const float color[3] = {paper.r, paper.g, paper.b};
    p->width = BACKDROP_WIDTH / 4;
    p->height = BACKDROP_HEIGHT / 4;
    if (!allocate(p, 0, p->width, p->height))
        return false;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            float u = ((float)x + 0.5f) / (float)p->width - 0.5f,
                  v = ((float)y + 0.5f) / (float)p->height - 0.5f, c[3];
            float pool = expf(-(u * u * 12 + (v + 0.03f) * (v + 0.03f) * 9)), floor = fmaxf(v - 0.12f, 0);
            float light = flat ? 1 : 0.62f + 0.62f * pool - 0.9f * floor;
            for (int k = 0; k < 3; k++)
                c[k] = to_display(fminf(color[k] * light * (flat ? 1 : p->mood->room[k]), 1));
            p->owned[0][y * p->width + x] = pack_display(c);
        }
    for (int i = 1; i < BACKDROP_LEVELS; i++)
        p->level[i] = p->level[0];
    return true;
}

static void destroy(struct panorama *p)
{
    for (int i = 0; p && i < BACKDROP_LEVELS; i++)
        cp_render_free(p->owned[i]);
    free(p);
}

static struct panorama *paint(const struct cp_set *set, const struct mood *mood, unsigned rrggbb)
{
    struct panorama *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct panorama){.set = set, .mood = mood, .rrggbb = rrggbb};
    bool key = !strcmp(set->name, "key"), plain = !strcmp(set->name, "plain");
    if (key || plain ? paint_color(p, key) : paint_room(p))
        return p;
    destroy(p);
    return NULL;
}

struct panorama *cp_panorama_share(const struct cp_set *set, const struct mood *mood, unsigned rrggbb)
{
    pthread_mutex_lock(&lock);
    struct panorama *p = living;
    while (p && (p->set != set || p->mood != mood || p->rrggbb != rrggbb))
        p = p->next;
    if (!p && (p = paint(set, mood, rrggbb))) {
        p->next = living;
        living = p;
    }
    if (p)
        p->users++;
    pthread_mutex_unlock(&lock);
    return p;
}

void cp_panorama_leave(struct panorama *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&lock);
    bool last = --p->users == 0;
    for (struct panorama **at = &living; last && *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    if (last)
        destroy(p);
}
