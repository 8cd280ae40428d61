/* What viewers and monitors ask for: WHEP, HLS, snapshot, stats, events. */
#include "app/access/guard.h"
#include "app/api.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Says whose session it is. Who was revoked while it was made goes at once. */
static int seat_guest(struct cp_app *app, struct cp_onair *onair, struct cp_request *request,
                      const char *session, const struct cp_guest *guest, struct cp_error *error)
{
    struct cp_webrtc_guest seat = {.version = guest->version};
    _Static_assert(sizeof seat.name == sizeof guest->viewer, "a viewer's id fits");
    memcpy(seat.name, guest->viewer, sizeof seat.name);
    cp_guard_mask_address(cp_request_client(request), seat.address, sizeof seat.address);
    cp_webrtc_set_guest(app->webrtc, session, &seat);
    int result = cp_access_check_guest(app->access, cp_request_param(request, "channel"), guest, error);
    if (result)
        cp_webrtc_end(cp_onair_stream(onair), session, NULL);
    return result;
}

void cp_api_whep_offer(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    size_t length;
    struct cp_guest guest;
    char answer[8192], session[CP_WEBRTC_SESSION_BYTES], location[160];
    const char *offer = cp_request_body(request, &length);
    struct cp_onair *onair = hold(app, request);
    if (!onair)
        return;
    if (!cp_guard_admit(app, onair, request, CP_ACCESS_START, &guest)) {
        cp_onair_release(onair);
        return;
    }
    int result =
        cp_webrtc_offer(cp_onair_stream(onair), offer, length, answer, sizeof answer, session, &error);
    if (!result)
        result = seat_guest(app, onair, request, session, &guest, &error);
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

/* An answer about a channel that needs a token. */
struct guarded_answer {
    struct cp_request *request;
    char pass[CP_PASS_BYTES]; /* what the multivariant playlist's addresses begin with; "" for other files */
};

/* The multivariant playlist with the pass before each address: lines that do not begin with #. What they lead
 * to has addresses relative to itself, so the pass stands in all of them without another word. */
static void reply_with_pass(struct cp_request *request, const struct cp_hls_response *response,
                            const char *pass)
{
    struct cp_buffer text = cp_buffer_make(64 << 10);
    const char *at = (const char *)response->body->data, *end = at + response->body->length;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((line_end ? line_end + 1 : end) - at);
        if (*at != '#' && *at != '\n')
            cp_buffer_printf(&text, "%s/", pass);
        cp_buffer_add(&text, at, length);
        at += length;
    }
    cp_request_add_header(request, "Cache-Control", "no-store");
    cp_request_reply_bytes(request, response->status, response->content_type, cp_buffer_string(&text),
                           text.length);
    cp_buffer_free(&text);
    cp_ref_drop(response->body);
}

/* As it is, but kept by nobody between us and the viewer: the address is a secret of theirs. */
static void send_guarded(void *user, const struct cp_hls_response *response)
{
    struct guarded_answer *answer = user;
    struct cp_hls_response own = *response;
    char cache[96];
    if (own.cache_control && !strncmp(own.cache_control, "public,", 7)) {
        snprintf(cache, sizeof cache, "private,%s", own.cache_control + 7);
        own.cache_control = cache;
    }
    if (own.body && *answer->pass)
        reply_with_pass(answer->request, &own, answer->pass);
    else
        send_hls(answer->request, &own);
    free(answer);
}

/* Answers by the channel's HLS, now or later. answer: of a channel that needs a token, else NULL. */
static void answer_hls(struct cp_onair *onair, struct cp_request *request, struct guarded_answer *answer)
{
    uint64_t waiting;
    /* The answer may come before or after cp_hls_request returns: held requests allow both. A client that
     * goes away meanwhile costs nothing but the wait's place until the part comes. */
    cp_request_hold(request, NULL, NULL);
    cp_hls_request(cp_onair_hls(onair), cp_request_param(request, "file"), cp_request_query_string(request),
                   answer ? send_guarded : send_hls, answer ? (void *)answer : request, &waiting);
}

static void answer_guarded(struct cp_onair *onair, struct cp_request *request, const char *pass)
{
    struct guarded_answer *answer = calloc(1, sizeof *answer);
    if (!answer) {
        cp_request_fail_status(request, 503, NULL, "out of memory: try again");
        return;
    }
    answer->request = request;
    snprintf(answer->pass, sizeof answer->pass, "%s", pass);
    answer_hls(onair, request, answer);
}

/* A token opens the playlists; the media playlist's own addresses lead on only from below a pass. */
static void begin_hls(struct cp_app *app, struct cp_onair *onair, struct cp_request *request)
{
    const char *file = cp_request_param(request, "file"), *channel = cp_request_param(request, "channel");
    bool is_main = !strcmp(file, "index.m3u8"), is_media = !strcmp(file, "video.m3u8");
    char pass[CP_PASS_BYTES] = "", location[CP_PASS_BYTES + 128];
    struct cp_guest guest;
    if (!cp_guard_admit(app, onair, request, is_main || is_media ? CP_ACCESS_START : CP_ACCESS_FETCH, &guest))
        return;
    if (guest.expires_s && (is_main || is_media))
        cp_access_make_pass(app->access, channel, &guest, pass);
    if (*pass && is_media) {
        snprintf(location, sizeof location, "/v1/channels/%s/hls/%s/video.m3u8", channel, pass);
        cp_request_add_header(request, "Location", location);
        cp_request_reply_bytes(request, 307, NULL, NULL, 0);
        return;
    }
    answer_guarded(onair, request, pass);
}

void cp_api_hls(void *user, struct cp_request *request)
{
    struct cp_onair *onair = hold(user, request);
    if (!onair)
        return;
    if (cp_onair_is_guarded(onair))
        begin_hls(user, onair, request);
    else
        answer_hls(onair, request, NULL);
    cp_onair_release(onair);
}

void cp_api_hls_passed(void *user, struct cp_request *request)
{
    struct cp_onair *onair = hold(user, request);
    if (onair && cp_guard_admit_pass(user, onair, request))
        answer_guarded(onair, request, "");
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
    if (!cp_guard_admit_beside(user, request))
        return;
    cp_request_reply_events(request, cp_request_param(request, "channel"), "caption");
}
