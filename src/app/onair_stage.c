/* A channel on air and its stagehand: what the show's lines are played on, and changes of the channel's own
 * stage.
 */
#include "app/onair_int.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Jobs of the show are small numbers that count up; those of changes have this bit. */
#define CHANGE_JOB (UINT64_C(1) << 63)

/* --- what the show asks for --- */

static int stage_line(void *user, const json_t *channel, const json_t *line, uint64_t job, bool *ret_wait,
                      struct cp_error *error)
{
    struct cp_onair *onair = user;
    struct cp_scene_plan plan;
    struct cp_card_spec card;
    cp_show_card_of(channel, line, &card);
    cp_cards_prepare(onair->cards, &card);
    cp_scene_plan_of(channel, line, onair->first_presenter, onair->width, onair->height, &plan);
    *ret_wait = !cp_stagehand_is_own(onair->stagehand, &plan);
    return *ret_wait ? cp_stagehand_prepare(onair->stagehand, &plan, job, error) : 0;
}

static void strike_line(void *user, uint64_t job)
{
    cp_stagehand_strike(((struct cp_onair *)user)->stagehand, job);
}

struct cp_show_stager cp_onair_stager(struct cp_onair *onair)
{
    return (struct cp_show_stager){.user = onair, .stage = stage_line, .strike = strike_line};
}

/* --- changes of the channel's own stage --- */

static struct change *take_change(struct cp_onair *onair, uint64_t job)
{
    struct change *found = NULL;
    pthread_mutex_lock(&onair->changes_lock);
    for (struct change **at = &onair->changes; *at && !found; at = &(*at)->next)
        if ((*at)->job == job) {
            found = *at;
            *at = found->next;
            break;
        }
    pthread_mutex_unlock(&onair->changes_lock);
    return found;
}

/* The scene of a change is there: the record first, then what is seen. */
static void finish_change(struct cp_onair *onair, struct change *change, int result,
                          const struct cp_error *error)
{
    struct cp_app *app = onair->app;
    struct cp_error why = {.text = ""};
    json_t *after = NULL;
    if (result)
        why = *error;
    else
        result = cp_show_channel_patch(app->show, onair->channel, change->changes, &after, &why);
    if (!result) {
        const char *camera = json_string_value(json_object_get(after, "camera"));
        cp_stagehand_set_own(onair->stagehand, change->job);
        cp_onair_set_camera(onair, camera ? camera : "");
        cp_onair_set_music(onair, after);
        cp_onair_set_access(onair, after);
        cp_onair_set_language(onair, after);
        atomic_fetch_add(&onair->own_changes, 1);
        cp_gateway_publish(app->gateway, "channel", onair->channel, json_deep_copy(after));
        cp_request_reply_json(change->request, 200, after);
    } else {
        cp_request_fail(change->request, &why);
    }
    cp_stagehand_strike(onair->stagehand, change->job);
    json_decref(change->changes);
    free(change);
}

static void on_staged(void *user, uint64_t job, struct cp_scene *scene, int result,
                      const struct cp_error *error)
{
    struct cp_onair *onair = user;
    struct change *change = job & CHANGE_JOB ? take_change(onair, job) : NULL;
    if (change)
        finish_change(onair, change, result, error);
    else
        cp_show_staged(onair->app->show, onair->channel, job, scene, result, error);
}

static void on_made(void *user, int64_t took_ns, int result)
{
    struct cp_onair *onair = user;
    cp_metric_add(result ? onair->stages_failed : onair->stages_made, 1);
    if (!result)
        cp_metric_observe_ns(onair->stage_seconds, took_ns);
    cp_log(result ? CP_LOG_WARN : CP_LOG_INFO, "app", result ? "stage not made" : "stage made",
           "channel=%s took_ms=%lld", onair->channel, (long long)(took_ns / 1000000));
}

bool cp_onair_needs_stage(struct cp_onair *onair, const json_t *channel)
{
    struct cp_scene_plan plan;
    cp_scene_plan_of(channel, NULL, onair->first_presenter, onair->width, onair->height, &plan);
    return !cp_stagehand_is_own(onair->stagehand, &plan);
}

void cp_onair_change(struct cp_onair *onair, const json_t *channel, const json_t *changes,
                     struct cp_request *request)
{
    struct cp_scene_plan plan;
    struct cp_error error;
    struct change *change = calloc(1, sizeof *change);
    if (!change) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    cp_scene_plan_of(channel, NULL, onair->first_presenter, onair->width, onair->height, &plan);
    cp_request_hold(request, NULL, NULL);
    pthread_mutex_lock(&onair->changes_lock);
    change->job = CHANGE_JOB | ++onair->last_change;
    change->request = request;
    change->changes = json_deep_copy(changes);
    change->next = onair->changes;
    onair->changes = change;
    uint64_t job = change->job;
    pthread_mutex_unlock(&onair->changes_lock);
    if (cp_stagehand_prepare(onair->stagehand, &plan, job, &error) && (change = take_change(onair, job)))
        finish_change(onair, change, error.code, &error);
}

/* --- start --- */

int cp_onair_make_stage(struct cp_onair *onair, const json_t *channel, struct cp_error *error)
{
    struct cp_app *app = onair->app;
    struct cp_scene_plan plan;
    struct cp_scene *own;
    const struct cp_scene_maker maker = {
        .user = &onair->troupe, .make = cp_scene_make, .destroy = cp_scene_destroy};
    const struct cp_stagehand_events events = {.user = onair, .staged = on_staged, .made = on_made};
    char label[96];
    onair->troupe = (struct cp_troupe){.config = &app->config, .store = app->store};
    cp_observe_label(label, sizeof label, "channel", onair->channel);
    onair->stages_made = cp_counter(app->observe, "compere_stages_made_total", label, "Stages made ready");
    onair->stages_failed =
        cp_counter(app->observe, "compere_stages_failed_total", label, "Stages that could not be made");
    onair->stages_alive = cp_gauge(app->observe, "compere_stages_alive", label, "Stages in memory");
    onair->stage_seconds =
        cp_histogram(app->observe, "compere_stage_seconds", label, "Time to make a stage ready");
    cp_app_first_presenter(&app->config, onair->first_presenter, sizeof onair->first_presenter);
    cp_scene_plan_of(channel, NULL, onair->first_presenter, onair->width, onair->height, &plan);
    int result = cp_cards_create(app->store, app->observe, onair->channel, onair->width, onair->height,
                                 &onair->cards, error);
    if (!result)
        result = cp_scene_make(&onair->troupe, &plan, &own, error);
    if (result)
        return result;
    onair->simd = cp_render_stats(own->render).level;
    result = cp_stagehand_create(&maker, &events, own, &plan, &onair->stagehand, error);
    if (result)
        cp_scene_destroy(&onair->troupe, own);
    return result;
}

/* Camera names of all sets are texts that live as long as the program. */
static const char *lasting_name(const char *camera)
{
    int n;
    const struct cp_set *sets = cp_render_sets(&n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < sets[i].n_cameras; k++)
            if (!strcmp(sets[i].cameras[k].name, camera))
                return sets[i].cameras[k].name;
    return "";
}

void cp_onair_set_access(struct cp_onair *onair, const json_t *channel)
{
    const char *access = json_string_value(json_object_get(channel, "access"));
    atomic_store(&onair->guarded, access && !strcmp(access, "token"));
}

bool cp_onair_is_guarded(const struct cp_onair *onair)
{
    return atomic_load(&onair->guarded);
}

void cp_onair_set_camera(struct cp_onair *onair, const char *camera)
{
    atomic_store(&onair->camera, lasting_name(camera));
}
