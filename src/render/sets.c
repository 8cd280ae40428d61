/* Sets: names, cameras and lights. What stands behind the presenter is painted by backdrop.c. */
#include "render/render_int.h"

#include <math.h>
#include <string.h>

static const struct cp_camera CAMERAS[] = {
    {.name = "medium", .title = "Medium", .heads_visible = 2.75f, .eye_line = 0.36f, .fov_y_deg = 22},
    {.name = "close", .title = "Close-up", .heads_visible = 1.85f, .eye_line = 0.42f, .fov_y_deg = 20},
    {.name = "wide", .title = "Wide", .heads_visible = 3.6f, .eye_line = 0.38f, .fov_y_deg = 26},
    {.name = "left",
     .title = "Three-quarter left",
     .heads_visible = 2.9f,
     .eye_line = 0.38f,
     .yaw_deg = -24,
     .fov_y_deg = 22},
    {.name = "right",
     .title = "Three-quarter right",
     .heads_visible = 2.9f,
     .eye_line = 0.38f,
     .yaw_deg = 24,
     .fov_y_deg = 22},
};
#define N_CAMERAS ((int)(sizeof CAMERAS / sizeof CAMERAS[0]))

static const struct cp_set SETS[] = {
    {"studio", "Evening studio", CAMERAS, N_CAMERAS},
    {"newsroom", "Newsroom", CAMERAS, N_CAMERAS},
    {"plain", "Plain", CAMERAS, N_CAMERAS},
};

/* Directions point towards the lights; the key hangs high on the presenter's right. */
#define KEY_DIRECTION                                                                                        \
    {                                                                                                        \
        -0.443087f, 0.528296f, 0.724277f                                                                     \
    }
#define FILL_DIRECTION                                                                                       \
    {                                                                                                        \
        0.725060f, 0.108759f, 0.680000f                                                                      \
    }
#define RIGHT_DIRECTION                                                                                      \
    {                                                                                                        \
        0.650790f, 0.390480f, -0.650790f                                                                     \
    }
#define LEFT_DIRECTION                                                                                       \
    {                                                                                                        \
        -0.776500f, 0.319740f, -0.548120f                                                                    \
    }

static const struct lights LIGHTS[] = {
    {.key = {KEY_DIRECTION, {1.85f, 1.74f, 1.61f}},
     .fill = {FILL_DIRECTION, {0.52f, 0.55f, 0.60f}},
     .rim_left = {LEFT_DIRECTION, {2.60f, 2.10f, 1.60f}},
     .rim_right = {RIGHT_DIRECTION, {2.20f, 2.60f, 3.00f}},
     .sky = {0.42f, 0.43f, 0.47f},
     .ground = {0.27f, 0.21f, 0.18f},
     .exposure = 0.58f},
    {.key = {KEY_DIRECTION, {1.85f, 1.79f, 1.72f}},
     .fill = {FILL_DIRECTION, {0.55f, 0.61f, 0.69f}},
     .rim_left = {LEFT_DIRECTION, {1.70f, 2.10f, 2.60f}},
     .rim_right = {RIGHT_DIRECTION, {2.10f, 2.60f, 3.20f}},
     .sky = {0.50f, 0.55f, 0.64f},
     .ground = {0.28f, 0.25f, 0.25f},
     .exposure = 0.58f},
    {.key = {KEY_DIRECTION, {1.85f, 1.78f, 1.68f}},
     .fill = {FILL_DIRECTION, {0.60f, 0.62f, 0.65f}},
     .rim_left = {LEFT_DIRECTION, {1.80f, 1.75f, 1.70f}},
     .rim_right = {RIGHT_DIRECTION, {1.80f, 1.80f, 1.85f}},
     .sky = {0.55f, 0.56f, 0.58f},
     .ground = {0.34f, 0.31f, 0.29f},
     .exposure = 0.58f},
};
_Static_assert(sizeof LIGHTS / sizeof LIGHTS[0] == sizeof SETS / sizeof SETS[0], "a set has no lights");

const struct cp_set *cp_render_sets(int *ret_n)
{
    *ret_n = (int)(sizeof SETS / sizeof SETS[0]);
    return SETS;
}

const struct cp_set *cp_render_find_set(const char *name)
{
    if (!name || !name[0])
        return &SETS[0];
    for (size_t i = 0; i < sizeof SETS / sizeof SETS[0]; i++)
        if (!strcmp(SETS[i].name, name))
            return &SETS[i];
    return NULL;
}

const struct lights *cp_set_lights(const struct cp_set *set)
{
    const struct cp_set *known = cp_render_find_set(set->name);
    return &LIGHTS[known ? known - SETS : 0];
}

bool cp_render_frame_camera(const struct cp_set *set, const char *camera, const struct cp_model *model,
                            int width, int height, struct cp_view *ret_view)
{
    const struct cp_camera *c = NULL;
    for (int i = 0; i < set->n_cameras && !c; i++)
        if (!camera || !camera[0] || !strcmp(set->cameras[i].name, camera))
            c = &set->cameras[i];
    if (!c)
        return false;
    float head = model->head_height_m > 0.01f ? model->head_height_m : 0.22f;
    float aspect = (float)width / (float)height;
    float visible = c->heads_visible * head;
    if (aspect < 1) /* an upright picture would cut the shoulders */
        visible *= 1 + (1 / aspect - 1) * 0.35f;
    float fov = c->fov_y_deg * (float)M_PI / 180, yaw = c->yaw_deg * (float)M_PI / 180;
    float distance = visible / 2 / tanf(fov / 2);
    float middle = model->eye_height_m - (0.5f - c->eye_line) * visible;
    float shift = c->shift_x * visible * aspect;
    struct cp_view view = {.fov_y_rad = fov};
    view.target[0] = shift * cosf(yaw);
    view.target[1] = middle;
    view.target[2] = -shift * sinf(yaw);
    view.eye[0] = view.target[0] + sinf(yaw) * distance;
    view.eye[1] =
        middle + 0.5f * (model->eye_height_m - middle); /* a little above the middle, near the eyes */
    view.eye[2] = view.target[2] + cosf(yaw) * distance;
    *ret_view = view;
    return true;
}
