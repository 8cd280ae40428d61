/* What viewers and monitors ask for: WHEP, HLS, snapshot, stats, events. */
#include "app/api.h"

#include <stdio.h>
#include <string.h>

/* The channel's way, or an answer that says why not: 404 for no channel, 409 + Retry-After when it is off
 * air. */
static struct cp_onair *hold(struct cp_app *app, struct cp_request *request)
{
    const char *id = cp_request_param(request, "channel");
    struct cp_onair *onair = cp_onair_hold(app, id);
    if (onair)
        return onair;
    struct cp_error error;
    json_t *channel;
    if (cp_show_channel_get(app->show, id, &channel, &error)) {
        cp_request_fail(request, &error);
    } else {
        json_decref(channel);
        cp_request_add_header(request, "Retry-After", "2");
        cp_request_fail_status(request, 409, "not on air",
                               "the channel is not on air now; try again in a moment");
    }
    return NULL;
}

void cp_api_whep_offer(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    size_t length;
    char answer[8192], session[CP_WEBRTC_SESSION_BYTES], location[160];
    const char *offer = cp_request_body(request, &length);
    struct cp_onair *onair = hold(app, request);
    if (!onair)
        return;
    int result =
        cp_webrtc_offer(cp_onair_stream(onair), offer, length, answer, sizeof answer, session, &error);
    cp_onair_release(onair);
    if (result) {
        if (result == CP_ERR_BUSY)
            cp_request_add_header(request, "Retry-After", "5");
        cp_request_fail(request, &error);
        return;
    }
    snprintf(location, sizeof location, "/v1/channels/%s/whep/%s", cp_request_param(request, "channel"),
             session);
    cp_request_add_header(request, "Location", location);
    cp_request_add_header(request, "ETag", "\"1\"");
    cp_request_add_header(request, "Accept-Patch", "application/trickle-ice-sdpfrag");
    cp_request_reply_bytes(request, 201, "application/sdp", answer, strlen(answer));
}

void cp_api_whep_patch(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    size_t length;
    char fragment[4096] = "";
    const char *body = cp_request_body(request, &length);
    if (cp_webrtc_patch(app->webrtc, cp_request_param(request, "session"), body, length, fragment,
                        sizeof fragment, &error))
        cp_request_fail(request, &error);
    else if (*fragment)
        cp_request_reply_bytes(request, 200, "application/trickle-ice-sdpfrag", fragment, strlen(fragment));
    else
        cp_request_reply_json(request, 204, NULL);
}

void cp_api_whep_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    if (cp_webrtc_delete(app->webrtc, cp_request_param(request, "session"), &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_bytes(request, 200, "text/plain", "", 0);
}

/* --- HLS --- */

static void send_hls(void *user, const struct cp_hls_response *response)
{
    struct cp_request *request = user;
    if (response->cache_control)
        cp_request_add_header(request, "Cache-Control", response->cache_control);
    if (response->body) {
        cp_request_reply_shared(request, response->status, response->content_type, response->body->data,
                                response->body->length, response->body);
        return;
    }
    if (response->status == 503)
        cp_request_add_header(request, "Retry-After", "1");
    cp_request_fail_status(request, response->status,
                           response->status == 404 ? "not found" : "playlist request refused",
                           response->detail ? response->detail : "");
}

void cp_api_hls(void *user, struct cp_request *request)
{
    struct cp_onair *onair = hold(user, request);
    if (!onair)
        return;
    uint64_t waiting;
    /* The answer may come before or after cp_hls_request returns: held requests allow both. A client that
     * goes away meanwhile costs nothing but the wait's place until the part comes. */
    cp_request_hold(request, NULL, NULL);
    cp_hls_request(cp_onair_hls(onair), cp_request_param(request, "file"), cp_request_query_string(request),
                   send_hls, request, &waiting);
    cp_onair_release(onair);
}

/* --- monitors --- */

void cp_api_snapshot(void *user, struct cp_request *request)
{
    struct cp_onair *onair = hold(user, request);
    if (!onair)
        return;
    struct cp_error error;
    struct cp_buffer png = cp_buffer_make(32 << 20);
    const char *alpha = cp_request_query(request, "alpha");
    int result = alpha && (!strcmp(alpha, "1") || !strcmp(alpha, "true"))
                     ? cp_onair_cut_out(onair, &png, &error)
                     : cp_onair_snapshot(onair, &png, &error);
    cp_onair_release(onair);
    if (result) {
        cp_request_fail(request, &error);
    } else {
        cp_request_add_header(request, "Cache-Control", "no-store");
        cp_request_reply_bytes(request, 200, "image/png", png.data, png.length);
    }
    cp_buffer_free(&png);
}

void cp_api_stats(void *user, struct cp_request *request)
{
    struct cp_onair *onair = hold(user, request);
    if (!onair)
        return;
    cp_request_reply_json(request, 200, cp_onair_stats(onair));
    cp_onair_release(onair);
}

void cp_api_events(void *user, struct cp_request *request)
{
    const char *channel = cp_request_query(request, "channel");
    cp_request_reply_events(request, channel ? channel : "", "");
}

void cp_api_captions(void *user, struct cp_request *request)
{
    struct cp_onair *onair = hold(user, request);
    if (!onair)
        return;
    cp_onair_release(onair);
    cp_request_reply_events(request, cp_request_param(request, "channel"), "caption");
}
