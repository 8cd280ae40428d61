/* Playback keys, and who watches. */
#include "app/access/access.h"
#include "app/api.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 1000 };

void cp_api_playback_keys_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *list = NULL;
    int result = cp_playback_keys_list(cp_access_keys(app->access), &list, &error);
    cp_api_answer(request, result, 200, result ? NULL : json_pack("{s:o}", "keys", list), &error);
}

void cp_api_playback_keys_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const json_t *body = cp_request_json(request);
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *pem = json_string_value(json_object_get(body, "public_key"));
    json_t *key = NULL;
    int result = cp_playback_keys_add(cp_access_keys(app->access), name ? name : "", pem, &key, &error);
    cp_request_add_header(request, "Cache-Control", "no-store");
    cp_api_answer(request, result, 201, key, &error);
}

void cp_api_playback_key_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result =
        cp_playback_keys_remove(cp_access_keys(app->access), cp_request_param(request, "key"), &error);
    cp_api_answer(request, result, 204, NULL, &error);
}

/* --- viewers --- */

static json_t *viewer_json(const struct cp_webrtc_session *session, int64_t now_ns, int64_t wall_ns)
{
    char since[32];
    cp_clock_rfc3339(wall_ns - (now_ns - session->since_ns), since);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "id", session->session, "transport", "webrtc",
                             "state", session->watching ? "watching" : "connecting", "since", since,
                             "address", session->guest.address, "bytes", (json_int_t)session->bytes_sent);
    if (*session->guest.name)
        json_object_update_new(json, json_pack("{s:s, s:I}", "viewer", session->guest.name, "version",
                                               (json_int_t)session->guest.version));
    return json;
}

/* The channel's way. NULL, and answered, when there is none. */
static struct cp_onair *hold(struct cp_app *app, struct cp_request *request)
{
    struct cp_error error;
    const char *channel = cp_request_param(request, "channel");
    struct cp_onair *onair = cp_onair_hold(app, channel);
    if (!onair && cp_api_check_channel(app, channel, &error))
        cp_request_fail(request, &error);
    else if (!onair)
        cp_request_fail_status(request, 409, "not on air",
                               "the channel is not on air now; try again in a moment");
    return onair;
}

void cp_api_viewers_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_onair *onair = hold(app, request);
    if (!onair)
        return;
    struct cp_webrtc_session *sessions = calloc(MAX_LISTED, sizeof *sessions);
    int n = sessions ? cp_webrtc_list(cp_onair_stream(onair), sessions, MAX_LISTED) : 0;
    struct cp_webrtc_stats stats = cp_webrtc_stats(app->webrtc, cp_onair_stream(onair));
    cp_onair_release(onair);
    int64_t now_ns = cp_clock_now_ns(), wall_ns = cp_clock_wall_ns();
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, viewer_json(&sessions[i], now_ns, wall_ns));
    free(sessions);
    cp_request_reply_json(request, 200,
                          json_pack("{s:o, s:i, s:i}", "viewers", list, "watching", stats.viewers,
                                    "connecting", stats.connecting));
}

void cp_api_viewer_delete(void *user, struct cp_request *request)
{
    struct cp_error error;
    struct cp_onair *onair = hold(user, request);
    if (!onair)
        return;
    int result = cp_webrtc_end(cp_onair_stream(onair), cp_request_param(request, "viewer"), &error);
    cp_onair_release(onair);
    cp_api_answer(request, result, 204, NULL, &error);
}

void cp_api_viewers_revoke(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const json_t *body = cp_request_json(request);
    const char *channel = cp_request_param(request, "channel");
    const char *viewer = json_string_value(json_object_get(body, "viewer"));
    int64_t version = json_integer_value(json_object_get(body, "versions_up_to"));
    int ended = 0, result = cp_api_check_channel(app, channel, &error);
    if (!result)
        result = cp_access_revoke(app->access, channel, viewer, version, &error);
    /* First nobody new comes in, then those who are in go. */
    struct cp_onair *onair = result ? NULL : cp_onair_hold(app, channel);
    if (onair)
        ended = cp_webrtc_end_guest(cp_onair_stream(onair), viewer, version);
    cp_onair_release(onair);
    cp_api_answer(request, result, 200,
                  result ? NULL
                         : json_pack("{s:s, s:I, s:i}", "viewer", viewer, "versions_up_to",
                                     (json_int_t)version, "ended", ended),
                  &error);
}
