/* Named cameras, and moves between them. */
#include "render/render_int.h"
#include "render/scenery.h"

#include <math.h>
#include <string.h>

const struct cp_camera cp_framing_cameras[CP_FRAMING_N_CAMERAS] = {
    {.name = "medium", .title = "Medium", .heads_visible = 2.75f, .eye_line = 0.36f, .fov_y_deg = 22},
    {.name = "close", .title = "Close-up", .heads_visible = 1.85f, .eye_line = 0.42f, .fov_y_deg = 20},
    {.name = "wide", .title = "Wide", .heads_visible = 4.3f, .eye_line = 0.36f, .fov_y_deg = 27},
    {.name = "left",
     .title = "Three-quarter left",
     .heads_visible = 2.9f,
     .eye_line = 0.38f,
     .yaw_deg = -21,
     .shift_x = 0.12f,
     .fov_y_deg = 23},
    {.name = "right",
     .title = "Three-quarter right",
     .heads_visible = 2.9f,
     .eye_line = 0.38f,
     .yaw_deg = 21,
     .shift_x = -0.12f,
     .fov_y_deg = 23},
    {.name = "two", .title = "Everyone on stage", .heads_visible = 3.1f, .eye_line = 0.38f, .fov_y_deg = 23},
};

/* Square pictures have little room for a screen beside one presenter, who makes way for it. */
#define SQUARE_SHIFT 0.11f

struct people {        /* the people that a camera shows */
    float left, right; /* of their heads' middles, metres */
    float z, eye_height, head;
};

static struct people gather(const struct cp_standing *who, int n)
{
    struct people g = {.left = INFINITY, .right = -INFINITY};
    for (int i = 0; i < n; i++) {
        const struct cp_model *model = who[i].model;
        g.left = fminf(g.left, who[i].x_m);
        g.right = fmaxf(g.right, who[i].x_m);
        g.z += who[i].z_m / (float)n;
        g.eye_height += model->eye_height_m / (float)n;
        g.head = fmaxf(g.head, model->head_height_m > 0.01f ? model->head_height_m : 0.22f);
    }
    return g;
}

/* The picture's height at the people, in metres. */
static float height_of(const struct cp_camera *camera, const struct people *g, float aspect, bool everyone)
{
    float visible = camera->heads_visible * g->head;
    if (aspect < 1) /* an upright picture would cut the shoulders */
        visible *= 1 + (1 / aspect - 1) * 0.40f;
    else if (aspect < 1.4f)
        visible *= 1 + (1.4f - aspect) * 0.35f;
    if (everyone) /* shoulders and some air on both sides; 2.4 heads is a pair of shoulders with arms */
        visible = fmaxf(visible, (g->right - g->left + 2.5f * g->head) / aspect);
    return visible;
}

bool cp_render_frame(const struct cp_set *set, const char *camera, const struct cp_standing *who, int n_who,
                     int width, int height, struct cp_view *ret_view)
{
    const struct cp_camera *c = NULL;
    for (int i = 0; i < set->n_cameras && !c; i++)
        if (!camera || !camera[0] || !strcmp(set->cameras[i].name, camera))
            c = &set->cameras[i];
    if (!c || n_who < 1)
        return false;
    bool everyone = !strcmp(c->name, "two") || !strcmp(c->name, "wide");
    struct people g = gather(who, everyone ? n_who : 1);
    float aspect = (float)width / (float)height, visible = height_of(c, &g, aspect, everyone);
    float fov = c->fov_y_deg * (float)M_PI / 180, yaw = c->yaw_deg * (float)M_PI / 180;
    /* Upright pictures have room above for the set's screen; what is beside the presenter is out of sight. */
    float eye_line = aspect < 1 ? c->eye_line + (1 - aspect) * 0.20f : c->eye_line;
    float distance = visible / 2 / tanf(fov / 2);
    float middle = g.eye_height - (0.5f - eye_line) * visible;
    float shift_x = c->shift_x;
    if (aspect < 1)
        shift_x = 0;
    else if (aspect < 1.4f && n_who == 1 && set->has_screen && c->yaw_deg == 0)
        shift_x = SQUARE_SHIFT;
    float shift = shift_x * visible * aspect;
    struct cp_view view = {.fov_y_rad = fov};
    view.target[0] = (g.left + g.right) / 2 + shift * cosf(yaw);
    view.target[1] = middle;
    view.target[2] = g.z - shift * sinf(yaw);
    view.eye[0] = view.target[0] + sinf(yaw) * distance;
    view.eye[1] = middle + 0.5f * (g.eye_height - middle); /* a little above the middle, near the eyes */
    view.eye[2] = view.target[2] + cosf(yaw) * distance;
    *ret_view = view;
    return true;
}

bool cp_render_frame_camera(const struct cp_set *set, const char *camera, const struct cp_model *model,
                            int width, int height, struct cp_view *ret_view)
{
    return cp_render_frame(set, camera, &(struct cp_standing){.model = model}, 1, width, height, ret_view);
}

void cp_render_point(const struct cp_view *view, int width, int height, const float px[2], float ahead_m,
                     float ret_point[3])
{
    float forward[3], right[3], up[3], distance = 0, flat;
    for (int k = 0; k < 3; k++) {
        forward[k] = view->target[k] - view->eye[k];
        distance += forward[k] * forward[k];
    }
    distance = fmaxf(sqrtf(distance), 1e-3f);
    for (int k = 0; k < 3; k++)
        forward[k] /= distance;
    flat = fmaxf(hypotf(forward[0], forward[2]), 1e-3f);
    const float side[3] = {-forward[2] / flat, 0, forward[0] / flat};
    memcpy(right, side, sizeof right);
    up[0] = right[1] * forward[2] - right[2] * forward[1];
    up[1] = right[2] * forward[0] - right[0] * forward[2];
    up[2] = right[0] * forward[1] - right[1] * forward[0];
    float depth = fmaxf(distance - ahead_m, 0.2f),
          unit = 2 * tanf(view->fov_y_rad / 2) / (float)height * depth;
    float x = (px[0] - 0.5f * (float)width) * unit, y = (0.5f * (float)height - px[1]) * unit;
    for (int k = 0; k < 3; k++)
        ret_point[k] = view->eye[k] + depth * forward[k] + x * right[k] + y * up[k];
}

struct orbit { /* an eye as seen from its target */
    float yaw, pitch, log_distance;
};

static struct orbit orbit_of(const struct cp_view *view)
{
    float x = view->eye[0] - view->target[0], y = view->eye[1] - view->target[1],
          z = view->eye[2] - view->target[2];
    float flat = sqrtf(x * x + z * z);
    return (struct orbit){atan2f(x, z), atan2f(y, flat), logf(fmaxf(sqrtf(flat * flat + y * y), 1e-3f))};
}

static float between(float a, float b, float t)
{
    return a + (b - a) * t;
}

void cp_render_move_camera(const struct cp_view *from, const struct cp_view *to, float share,
                           struct cp_view *ret_view)
{
    float s = share > 0 ? share < 1 ? share : 1 : 0;
    float t = s * s * s * (s * (6 * s - 15) + 10); /* neither speed nor acceleration at the ends */
    struct orbit a = orbit_of(from), b = orbit_of(to);
    float turn = remainderf(b.yaw - a.yaw, 2 * (float)M_PI), yaw = a.yaw + turn * t;
    float pitch = between(a.pitch, b.pitch, t), distance = expf(between(a.log_distance, b.log_distance, t));
    for (int k = 0; k < 3; k++)
        ret_view->target[k] = between(from->target[k], to->target[k], t);
    ret_view->fov_y_rad = between(from->fov_y_rad, to->fov_y_rad, t);
    ret_view->eye[0] = ret_view->target[0] + distance * cosf(pitch) * sinf(yaw);
    ret_view->eye[1] = ret_view->target[1] + distance * sinf(pitch);
    ret_view->eye[2] = ret_view->target[2] + distance * cosf(pitch) * cosf(yaw);
    if (t >= 1) { /* exactly there, so that the background is made once */
        memcpy(ret_view->eye, to->eye, sizeof to->eye);
        memcpy(ret_view->target, to->target, sizeof to->target);
        ret_view->fov_y_rad = to->fov_y_rad;
    }
}
