/* Channels, cues and interrupts. */
#include "app/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

static void answer(struct cp_request *request, int result, int status, json_t *body,
                   const struct cp_error *error)
{
    if (result)
        cp_request_fail(request, error);
    else
        cp_request_reply_json(request, status, body);
}

static void tell_channel(struct cp_app *app, json_t *channel)
{
    cp_gateway_publish(app->gateway, "channel", text_of(channel, "id"), json_deep_copy(channel));
}

struct cp_speech_request cp_api_speech_request(const json_t *spec, const json_t *channel)
{
    bool own_language = json_object_get(spec, "language") && !json_object_get(spec, "voice");
    const json_t *from = own_language || json_object_get(spec, "voice") ? spec : channel;
    return (struct cp_speech_request){
        .text = json_string_value(json_object_get(spec, "text")),
        .ssml = json_string_value(json_object_get(spec, "ssml")),
        .voice = text_of(from, "voice"),
        .language = text_of(from, "language"),
        .rate = json_number_value(json_object_get(spec, "rate")),
        .pitch = json_number_value(json_object_get(spec, "pitch")),
        .volume = json_number_value(json_object_get(spec, "volume")),
    };
}

static bool is_action(const char *name)
{
    for (const char *const *action = cp_actor_actions(); *action; action++)
        if (!strcmp(*action, name))
            return true;
    return false;
}

static bool has_camera(const struct cp_set *set, const char *name)
{
    for (int i = 0; i < set->n_cameras; i++)
        if (!strcmp(set->cameras[i].name, name))
            return true;
    return false;
}

/* Everything that can be known to be wrong with a cue before it is accepted. */
static int check_cue(struct cp_app *app, const json_t *spec, const json_t *channel, struct cp_error *error)
{
    const char *set_name = text_of(channel, "set"), *camera = text_of(spec, "camera"),
               *action = text_of(spec, "action");
    const struct cp_set *set = cp_render_find_set(set_name);
    if (!json_object_get(spec, "text") == !json_object_get(spec, "ssml"))
        return cp_fail(error, CP_ERR_INVALID, "app", "a cue needs either \"text\" or \"ssml\"");
    if (*text_of(spec, "presenter") && strcmp(text_of(spec, "presenter"), text_of(channel, "presenter")))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "presenter: this channel's presenter is \"%s\"; change it on the "
                       "channel",
                       text_of(channel, "presenter"));
    if (*text_of(spec, "set") && set && strcmp(text_of(spec, "set"), set->name))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "set: this channel's set is \"%s\"; change it on the channel", set->name);
    if (*text_of(spec, "background"))
        return cp_fail(error, CP_ERR_INVALID, "app", "background: the set brings its own; leave this empty");
    if (*camera && set && !has_camera(set, camera))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "camera: the set \"%s\" has no \"%s\"; GET /v1/sets lists its cameras", set->name,
                       camera);
    if (*action && !is_action(action))
        return cp_fail(error, CP_ERR_INVALID, "app", "action: there is no \"%s\"; GET /v1/actions lists them",
                       action);
    struct cp_speech_request speech = cp_api_speech_request(spec, channel);
    return cp_speech_check(app->speech, &speech, NULL, NULL, error);
}

static int check_channel(struct cp_app *app, const json_t *spec, struct cp_error *error)
{
    size_t i;
    json_t *cue;
    struct cp_model *model;
    const struct cp_voice *voice;
    const struct cp_set *set = cp_render_find_set(text_of(spec, "set"));
    if (!set)
        return cp_fail(error, CP_ERR_INVALID, "app", "set: there is no \"%.60s\"; GET /v1/sets lists them",
                       text_of(spec, "set"));
    if (*text_of(spec, "camera") && !has_camera(set, text_of(spec, "camera")))
        return cp_fail(error, CP_ERR_INVALID, "app", "camera: the set \"%s\" has no \"%s\"", set->name,
                       text_of(spec, "camera"));
    int result = 0;
    if (json_object_get(spec, "voice") || json_object_get(spec, "language"))
        result = cp_speech_find_voice(app->speech, text_of(spec, "voice"), text_of(spec, "language"), &voice,
                                      error);
    if (!result && json_object_get(spec, "presenter") &&
        !(result = cp_app_load_presenter(&app->config, text_of(spec, "presenter"), &model, error)))
        cp_ref_drop(model);
    json_array_foreach(json_object_get(json_object_get(spec, "rundown"), "cues"), i, cue)
    {
        struct cp_error cause;
        if (!result && (result = check_cue(app, cue, spec, &cause)))
            cp_fail(error, result, "app", "rundown.cues[%zu]: %s", i, cause.text);
    }
    return result;
}

void cp_api_channels_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *list = NULL;
    int result = cp_show_channel_list(app->show, &list, &error);
    answer(request, result, 200, result ? NULL : json_pack("{s:o}", "channels", list), &error);
}

void cp_api_channels_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *channel = NULL, *spec = cp_request_json(request);
    int result = check_channel(app, spec, &error);
    if (!result)
        result = cp_show_channel_create(app->show, spec, &channel, &error);
    if (!result) {
        result = cp_onair_start(app, text_of(channel, "id"), &error);
        if (result)
            cp_show_channel_delete(app->show, text_of(channel, "id"), NULL);
    }
    if (!result) {
        char location[96];
        json_t *on_air;
        if (!cp_show_channel_get(app->show, text_of(channel, "id"), &on_air, &error)) {
            json_decref(channel);
            channel = on_air;
        }
        tell_channel(app, channel);
        snprintf(location, sizeof location, "/v1/channels/%s", text_of(channel, "id"));
        cp_request_add_header(request, "Location", location);
    } else {
        json_decref(channel);
    }
    answer(request, result, 201, channel, &error);
}

void cp_api_channel_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *channel = NULL;
    int result = cp_show_channel_get(app->show, cp_request_param(request, "channel"), &channel, &error);
    answer(request, result, 200, channel, &error);
}

/* A change of presenter or set needs a new way from the show to the viewers: their pictures differ. */
static int restart(struct cp_app *app, const char *id, struct cp_error *error)
{
    cp_onair_stop(app, id);
    return cp_onair_start(app, id, error);
}

void cp_api_channel_patch(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *id = cp_request_param(request, "channel");
    json_t *before = NULL, *after = NULL, *changes = cp_request_json(request);
    int result = cp_show_channel_get(app->show, id, &before, &error);
    if (!result) {
        json_t *merged = json_deep_copy(before);
        json_object_update(merged, changes);
        result = check_channel(app, merged, &error);
        json_decref(merged);
    }
    if (!result)
        result = cp_show_channel_patch(app->show, id, changes, &after, &error);
    if (!result && (strcmp(text_of(before, "set"), text_of(after, "set")) ||
                    strcmp(text_of(before, "presenter"), text_of(after, "presenter"))))
        result = restart(app, id, &error);
    if (!result) {
        struct cp_onair *onair = cp_onair_hold(app, id);
        if (onair)
            cp_onair_set_camera(onair, text_of(after, "camera"));
        cp_onair_release(onair);
        tell_channel(app, after);
    } else {
        json_decref(after);
    }
    json_decref(before);
    answer(request, result, 200, after, &error);
}

void cp_api_channel_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *id = cp_request_param(request, "channel");
    json_t *channel;
    int result = cp_show_channel_get(app->show, id, &channel, &error);
    if (!result) {
        json_decref(channel);
        cp_onair_stop(app, id);
        result = cp_show_channel_delete(app->show, id, &error);
    }
    answer(request, result, 204, NULL, &error);
}

/* --- cues --- */

void cp_api_cues_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *limit = cp_request_query(request, "limit");
    json_t *page = NULL;
    int result =
        cp_show_cue_list(app->show, cp_request_param(request, "channel"), cp_request_query(request, "cursor"),
                         limit ? atoi(limit) : 50, &page, &error);
    answer(request, result, 200, page, &error);
}

void cp_api_cues_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *id = cp_request_param(request, "channel");
    json_t *channel, *cue = NULL, *spec = cp_request_json(request);
    int result = cp_show_channel_get(app->show, id, &channel, &error);
    if (!result) {
        result = check_cue(app, spec, channel, &error);
        json_decref(channel);
    }
    if (!result)
        result = cp_show_cue_create(app->show, id, spec, cp_request_started_ns(request), &cue, &error);
    if (!result) {
        char location[160];
        snprintf(location, sizeof location, "/v1/channels/%s/cues/%s", id, text_of(cue, "id"));
        cp_request_add_header(request, "Location", location);
    }
    answer(request, result, 202, cue, &error);
}

void cp_api_cue_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *cue = NULL;
    int result = cp_show_cue_get(app->show, cp_request_param(request, "channel"),
                                 cp_request_param(request, "cue"), &cue, &error);
    answer(request, result, 200, cue, &error);
}

void cp_api_cue_patch(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *channel_id = cp_request_param(request, "channel"), *cue_id = cp_request_param(request, "cue");
    json_t *channel = NULL, *before = NULL, *after = NULL, *changes = cp_request_json(request);
    int result = cp_show_channel_get(app->show, channel_id, &channel, &error);
    if (!result)
        result = cp_show_cue_get(app->show, channel_id, cue_id, &before, &error);
    if (!result) {
        if (json_object_get(changes, "text"))
            json_object_del(before, "ssml");
        else if (json_object_get(changes, "ssml"))
            json_object_del(before, "text");
        json_object_update(before, changes);
        result = check_cue(app, before, channel, &error);
    }
    if (!result)
        result = cp_show_cue_patch(app->show, channel_id, cue_id, changes, &after, &error);
    json_decref(channel);
    json_decref(before);
    answer(request, result, 200, after, &error);
}

void cp_api_cue_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result = cp_show_cue_delete(app->show, cp_request_param(request, "channel"),
                                    cp_request_param(request, "cue"), &error);
    answer(request, result, 204, NULL, &error);
}

static const char *policy_of(struct cp_request *request)
{
    const char *policy = json_string_value(json_object_get(cp_request_json(request), "policy"));
    return policy ? policy : "now";
}

void cp_api_cue_play(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result = cp_show_cue_play(app->show, cp_request_param(request, "channel"),
                                  cp_request_param(request, "cue"), policy_of(request), &error);
    answer(request, result, 202, json_pack("{s:s}", "state", "queued"), &error);
}

void cp_api_interrupt(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result =
        cp_show_interrupt(app->show, cp_request_param(request, "channel"), policy_of(request), &error);
    answer(request, result, 202, json_pack("{s:s}", "policy", policy_of(request)), &error);
}
