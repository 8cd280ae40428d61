/* Puts together what is behind the presenter, and keeps it until the camera or a video moves. */
#include "render/scenery.h"

#include <stdlib.h>
#include <string.h>

void cp_scenery_destroy(struct scenery *scenery)
{
    if (!scenery)
        return;
    cp_backdrop_destroy(scenery->backdrop);
    cp_backdrop_destroy(scenery->still);
    cp_screen_destroy(scenery->screen);
    cp_ref_drop(scenery->background);
    cp_ref_drop(scenery->shown_on_screen);
    cp_render_free(scenery->rgb);
    for (int p = 0; p < 3; p++)
        cp_render_free(scenery->plane[p]);
    free(scenery);
}

static int make(const struct cp_scenery *wanted, const struct cp_set *set, const struct mood *mood, int width,
                int height, struct scenery *s)
{
    size_t pixels = (size_t)width * (size_t)height;
    s->set = set;
    s->background = cp_ref_take(wanted->background);
    s->shown_on_screen = cp_ref_take(wanted->screen);
    s->rgb = cp_render_alloc((pixels + 64) * sizeof *s->rgb);
    for (int p = 0; p < 3; p++)
        s->plane[p] = cp_render_alloc((p ? pixels / 4 : pixels) + 64);
    if (!s->rgb || !s->plane[0] || !s->plane[1] || !s->plane[2])
        return CP_ERR_NOMEM;
    if (s->background)
        return cp_backdrop_create_still(width, height, &s->still);
    int err = cp_backdrop_create(set, mood, wanted->color, width, height, &s->backdrop);
    return err || !set->has_screen ? err : cp_screen_create(set, width, height, &s->screen);
}

int cp_render_dress(struct cp_render *render, const struct cp_scenery *wanted, struct cp_error *error)
{
    const struct cp_set *set = wanted->set ? wanted->set : cp_render_find_set("");
    const struct mood *mood = cp_mood_find(wanted->light);
    if (!mood)
        return cp_fail(error, CP_ERR_NOT_FOUND, "render", "There is no light \"%s\".", wanted->light);
    if (wanted->background && !cp_footage_fits(wanted->background, render->width, render->height))
        return cp_fail(error, CP_ERR_INVALID, "render",
                       "The background was made for another size of picture.");
    struct scenery *scenery = calloc(1, sizeof *scenery);
    if (!scenery || make(wanted, set, mood, render->width, render->height, scenery)) {
        cp_scenery_destroy(scenery);
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for the set \"%s\".", set->name);
    }
    cp_scenery_destroy(render->scenery);
    render->scenery = scenery;
    render->set = set;
    render->background = scenery->rgb;
    memcpy(render->background_plane, scenery->plane, sizeof scenery->plane);
    render->background_ready = render->planes_ready = false;
    render->lights = *cp_set_lights(set);
    cp_mood_apply(mood, &render->lights);
    return 0;
}

static void convert_part(struct cp_render *render, int x, int y, int width, int height)
{
    struct scenery *s = render->scenery;
    const int stride[3] = {render->width, render->width / 2, render->width / 2};
    uint8_t *const plane[3] = {s->plane[0] + y * stride[0] + x, s->plane[1] + y / 2 * stride[1] + x / 2,
                               s->plane[2] + y / 2 * stride[2] + x / 2};
    cp_render_convert(render->kernels, s->rgb + (size_t)y * (size_t)render->width + (size_t)x, render->width,
                      plane, stride, width, height);
}

static void convert_all(struct cp_render *render)
{
    convert_part(render, 0, 0, render->width, render->height);
    render->planes_ready = true;
}

static void show_own(struct cp_render *render)
{
    render->background = render->scenery->rgb;
    memcpy(render->background_plane, render->scenery->plane, sizeof render->background_plane);
}

/* A picture or video as background: pointed to where it is shown as it is, sampled where a camera zooms. */
static void draw_footage(struct cp_render *render, const struct cp_view *view, bool moved)
{
    struct scenery *s = render->scenery;
    const struct footage_frame *frame = cp_footage_frame(s->background, view->at_samples);
    if (!frame) { /* a video that has not begun: black, as the memory came */
        if (!render->planes_ready)
            convert_all(render);
        return;
    }
    if (moved)
        cp_backdrop_aim_picture(render, s->still);
    if (s->still->as_it_is) {
        render->background = frame->rgb;
        memcpy(render->background_plane, frame->plane, sizeof frame->plane);
        render->planes_ready = true;
    } else if (moved || s->last_frame != frame->rgb || s->last_due != frame->due_samples) {
        cp_backdrop_show(s->still, frame->rgb);
        render->kernels->fill_background(s->still, s->rgb, render->width, render->height);
        show_own(render);
        render->planes_ready = false;
    } else if (!render->planes_ready) {
        convert_all(render);
    }
    s->last_frame = frame->rgb;
    s->last_due = frame->due_samples;
}

void cp_scenery_draw(struct cp_render *render, const struct cp_view *view)
{
    struct scenery *s = render->scenery;
    bool moved = !render->background_ready || memcmp(render->view.eye, view->eye, sizeof view->eye) ||
                 memcmp(render->view.target, view->target, sizeof view->target) ||
                 render->view.fov_y_rad != view->fov_y_rad;
    render->view = *view;
    render->background_ready = true;
    if (s->background) {
        draw_footage(render, view, moved);
        return;
    }
    if (moved) {
        cp_backdrop_aim_room(render, s->backdrop);
        render->kernels->fill_background(s->backdrop, s->rgb, render->width, render->height);
    }
    int rect[4] = {0, 0, render->width, render->height};
    bool changed = s->screen && cp_screen_draw(render, s->screen, s->shown_on_screen, view, moved, rect);
    /* While the camera moves, what is seen is converted tile by tile; when it rests, all at once for good. */
    if (moved)
        render->planes_ready = false;
    else if (!render->planes_ready)
        convert_all(render);
    else if (changed)
        convert_part(render, rect[0], rect[1], rect[2], rect[3]);
}
