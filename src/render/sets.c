/* Sets, their lights, and light moods. The rooms themselves are in furnish.c, cameras in framing.c. */
#include "render/render_int.h"
#include "render/scenery.h"

#include <string.h>

#define CAMERA_LIST cp_framing_cameras, CP_FRAMING_N_CAMERAS

static const struct cp_set SETS[] = {
    {"studio", "Evening studio", CAMERA_LIST, true},
    {"newsroom", "Newsroom", CAMERA_LIST, true},
    {"shop", "Shop", CAMERA_LIST, true},
    {"classroom", "Classroom", CAMERA_LIST, true},
    {"plain", "Plain colour", CAMERA_LIST, false},
    {"key", "Key colour, to be cut out", CAMERA_LIST, false},
};
#define N_SETS (sizeof SETS / sizeof SETS[0])

/* Directions point towards the lights; the key hangs on the presenter's right, where all rooms have their
 * lamps and windows: flat and frontal in the newsroom, from the ceiling in the shop, from the side where the
 * classroom has its windows. */
/* clang-format off */
#define KEY_DIRECTION   {-0.443087f, 0.528296f, 0.724277f}
#define KEY_FRONTAL     {-0.354330f, 0.472440f, 0.806990f}
#define KEY_HIGH        {-0.339960f, 0.594930f, 0.728330f}
#define KEY_WINDOW      {-0.615460f, 0.434440f, 0.657650f}
#define KEY_LOW         {-0.643110f, 0.272080f, 0.715820f}
#define KEY_SIDE        {-0.739110f, 0.457550f, 0.494350f}
#define FILL_DIRECTION  {0.725060f, 0.108759f, 0.680000f}
#define RIGHT_DIRECTION {0.650790f, 0.390480f, -0.650790f}
#define LEFT_DIRECTION  {-0.774334f, 0.318848f, -0.546590f}
/* clang-format on */

static const struct lights LIGHTS[] = {
    /* The studio: warm lamps behind on the left, the blue hour on the right. */
    {.key = {KEY_DIRECTION, {1.85f, 1.74f, 1.61f}},
     .fill = {FILL_DIRECTION, {0.52f, 0.55f, 0.60f}},
     .rim_left = {LEFT_DIRECTION, {2.60f, 2.10f, 1.60f}},
     .rim_right = {RIGHT_DIRECTION, {2.20f, 2.60f, 3.00f}},
     .sky = {0.42f, 0.43f, 0.47f},
     .ground = {0.27f, 0.21f, 0.18f},
     .exposure = 0.58f},
    {.key = {KEY_FRONTAL, {1.85f, 1.79f, 1.72f}},
     .fill = {FILL_DIRECTION, {0.55f, 0.61f, 0.69f}},
     .rim_left = {LEFT_DIRECTION, {1.70f, 2.10f, 2.60f}},
     .rim_right = {RIGHT_DIRECTION, {2.10f, 2.60f, 3.20f}},
     .sky = {0.50f, 0.55f, 0.64f},
     .ground = {0.28f, 0.25f, 0.25f},
     .exposure = 0.58f},
    /* The shop and the classroom: bright rooms with light from everywhere; by day it comes from the left. */
    {.key = {KEY_HIGH, {1.80f, 1.72f, 1.60f}},
     .fill = {FILL_DIRECTION, {0.72f, 0.69f, 0.64f}},
     .rim_left = {LEFT_DIRECTION, {1.90f, 1.80f, 1.65f}},
     .rim_right = {RIGHT_DIRECTION, {1.90f, 1.80f, 1.60f}},
     .sky = {0.62f, 0.60f, 0.57f},
     .ground = {0.40f, 0.34f, 0.28f},
     .exposure = 0.58f},
    {.key = {KEY_WINDOW, {1.86f, 1.84f, 1.78f}},
     .fill = {FILL_DIRECTION, {0.62f, 0.63f, 0.62f}},
     .rim_left = {LEFT_DIRECTION, {2.50f, 2.55f, 2.60f}},
     .rim_right = {RIGHT_DIRECTION, {1.40f, 1.36f, 1.28f}},
     .sky = {0.62f, 0.64f, 0.66f},
     .ground = {0.40f, 0.35f, 0.29f},
     .exposure = 0.58f},
    {.key = {KEY_DIRECTION, {1.85f, 1.78f, 1.68f}},
     .fill = {FILL_DIRECTION, {0.60f, 0.62f, 0.65f}},
     .rim_left = {LEFT_DIRECTION, {1.80f, 1.75f, 1.70f}},
     .rim_right = {RIGHT_DIRECTION, {1.80f, 1.80f, 1.85f}},
     .sky = {0.55f, 0.56f, 0.58f},
     .ground = {0.34f, 0.31f, 0.29f},
     .exposure = 0.58f},
    /* To be cut out: weak rims, so that the edge fits any other picture. */
    {.key = {KEY_DIRECTION, {1.85f, 1.80f, 1.74f}},
     .fill = {FILL_DIRECTION, {0.66f, 0.67f, 0.68f}},
     .rim_left = {LEFT_DIRECTION, {1.10f, 1.10f, 1.10f}},
     .rim_right = {RIGHT_DIRECTION, {1.10f, 1.10f, 1.10f}},
     .sky = {0.58f, 0.58f, 0.59f},
     .ground = {0.36f, 0.34f, 0.32f},
     .exposure = 0.58f},
};
_Static_assert(sizeof LIGHTS / sizeof LIGHTS[0] == N_SETS, "a set has no lights");

#define SAME                                                                                                 \
    {                                                                                                        \
        1, 1, 1                                                                                              \
    }
static const struct mood OWN = {
    .key = SAME, .fill = SAME, .rim = SAME, .around = SAME, .room = SAME, .tint = 1, .public = {"", ""}};
static const struct mood MOODS[] = {
    {.public = {"neutral", "White light, no tints"},
     .key = SAME,
     .fill = SAME,
     .rim = SAME,
     .around = SAME,
     .room = {0.97f, 1, 1.05f},
     .tint = 0.15f},
    {.public = {"day", "Bright as by day"},
     .key = {1.06f, 1.08f, 1.12f},
     .fill = {1.25f, 1.30f, 1.38f},
     .rim = {0.85f, 0.88f, 0.92f},
     .around = {1.22f, 1.26f, 1.34f},
     .room = {1.42f, 1.52f, 1.68f},
     .tint = 0.7f},
    {.public = {"evening", "Low and golden"},
     .key_direction = KEY_LOW,
     .key = {0.98f, 0.86f, 0.70f},
     .fill = {0.66f, 0.64f, 0.70f},
     .rim = {1.25f, 1.00f, 0.72f},
     .around = {0.74f, 0.66f, 0.64f},
     .room = {0.72f, 0.56f, 0.44f},
     .tint = 1},
    {.public = {"warm", "A touch of amber"},
     .key = {1.06f, 0.98f, 0.86f},
     .fill = {1.06f, 0.97f, 0.84f},
     .rim = {1.10f, 0.98f, 0.82f},
     .around = {1.06f, 0.97f, 0.85f},
     .room = {1.10f, 0.98f, 0.82f},
     .tint = 1},
    {.public = {"cool", "A touch of blue"},
     .key = {0.94f, 1.00f, 1.09f},
     .fill = {0.90f, 1.00f, 1.16f},
     .rim = {0.88f, 1.00f, 1.20f},
     .around = {0.90f, 1.00f, 1.15f},
     .room = {0.84f, 0.98f, 1.20f},
     .tint = 1},
    {.public = {"dramatic", "One strong light, deep shadows"},
     .key_direction = KEY_SIDE,
     .key = {1.38f, 1.33f, 1.26f},
     .fill = {0.22f, 0.23f, 0.27f},
     .rim = {1.55f, 1.55f, 1.60f},
     .around = {0.36f, 0.37f, 0.41f},
     .room = {0.33f, 0.33f, 0.37f},
     .tint = 1},
};
enum { N_MOODS = sizeof MOODS / sizeof MOODS[0] };

const struct cp_set *cp_render_sets(int *ret_n)
{
    *ret_n = (int)N_SETS;
    return SETS;
}

const struct cp_set *cp_render_find_set(const char *name)
{
    if (!name || !name[0])
        return &SETS[0];
    for (size_t i = 0; i < N_SETS; i++)
        if (!strcmp(SETS[i].name, name))
            return &SETS[i];
    return NULL;
}

const struct lights *cp_set_lights(const struct cp_set *set)
{
    const struct cp_set *known = cp_render_find_set(set->name);
    return &LIGHTS[known ? known - SETS : 0];
}

int cp_render_lights(const struct cp_light_mood *const **ret_moods)
{
    static const struct cp_light_mood *const LIST[N_MOODS] = {&MOODS[0].public, &MOODS[1].public,
                                                              &MOODS[2].public, &MOODS[3].public,
                                                              &MOODS[4].public, &MOODS[5].public};
    *ret_moods = LIST;
    return N_MOODS;
}

const struct mood *cp_mood_find(const char *name)
{
    if (!name || !name[0])
        return &OWN;
    for (size_t i = 0; i < N_MOODS; i++)
        if (!strcmp(MOODS[i].public.name, name))
            return &MOODS[i];
    return NULL;
}

bool cp_render_is_light(const char *name)
{
    return cp_mood_find(name) != NULL;
}

static void tint(float color[3], float keep, const float by[3])
{
    float gray = 0.3f * color[0] + 0.6f * color[1] + 0.1f * color[2];
    for (int k = 0; k < 3; k++)
        color[k] = (gray + (color[k] - gray) * keep) * by[k];
}

void cp_mood_apply(const struct mood *mood, struct lights *lights)
{
    if (mood->key_direction[2] > 0)
        memcpy(lights->key.direction, mood->key_direction, sizeof mood->key_direction);
    tint(lights->key.color, mood->tint, mood->key);
    tint(lights->fill.color, mood->tint, mood->fill);
    tint(lights->rim_left.color, mood->tint, mood->rim);
    tint(lights->rim_right.color, mood->tint, mood->rim);
    tint(lights->sky, mood->tint, mood->around);
    tint(lights->ground, mood->tint, mood->around);
}
