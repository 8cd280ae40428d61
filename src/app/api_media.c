/* What viewers and monitors ask for: WHEP, HLS, snapshot, stats, events. */
#include "app/access/guard.h"
#include "app/api.h"

#include "base/range.h"

#include <inttypes.h>
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

struct hls_fetch {
    struct cp_request *request; /* held */
    char range[64];             /* what the client asked for: the list of key frames names ranges */
    bool guarded;               /* the channel wants a token */
    char pass[CP_PASS_BYTES]; /* what the multivariant playlist's addresses begin with; "" for other files */
};

/* Files with the range that is wanted; playlists are short, and change. */
static void send_hls_body(struct hls_fetch *fetch, const struct cp_hls_response *response)
{
    struct cp_request *request = fetch->request;
    struct cp_hls_body *body = response->body;
    int64_t start = 0, end = (int64_t)body->length;
    bool is_file = !strstr(response->content_type, "mpegurl");
    int status = is_file ? cp_range_read(fetch->range, end, &start, &end) : 0;
    char text[80];
    if (is_file)
        cp_request_add_header(request, "Accept-Ranges", "bytes");
    if (status == 416) {
        snprintf(text, sizeof text, "bytes */%zu", body->length);
        cp_request_add_header(request, "Content-Range", text);
        cp_request_fail_status(request, 416, "range not satisfiable", "the file is shorter than that");
        cp_ref_drop(body);
        return;
    }
    if (status == 206) {
        snprintf(text, sizeof text, "bytes %" PRId64 "-%" PRId64 "/%zu", start, end - 1, body->length);
        cp_request_add_header(request, "Content-Range", text);
    }
    cp_request_reply_shared(request, status ? status : response->status, response->content_type,
                            body->data + start, (size_t)(end - start), body);
}

/* The multivariant playlist with the pass before each address: lines that do not begin with #, and URI="...".
 * What they lead to has addresses relative to itself, so the pass stands in all of them without another word.
 */
static void reply_with_pass(struct cp_request *request, const struct cp_hls_response *response,
                            const char *pass)
{
    static const char URI[] = "URI=\"";
    struct cp_buffer text = cp_buffer_make(64 << 10);
    const char *at = (const char *)response->body->data, *end = at + response->body->length;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((line_end ? line_end + 1 : end) - at);
        const char *uri = *at == '#' ? memmem(at, length, URI, strlen(URI)) : NULL;
        size_t before = uri ? (size_t)(uri - at) + strlen(URI) : 0;
        cp_buffer_add(&text, at, before);
        if (uri || (*at != '#' && *at != '\n'))
            cp_buffer_printf(&text, "%s/", pass);
        cp_buffer_add(&text, at + before, length - before);
        at += length;
    }
    cp_request_add_header(request, "Cache-Control", "no-store");
    cp_request_reply_bytes(request, response->status, response->content_type, cp_buffer_string(&text),
                           text.length);
    cp_buffer_free(&text);
    cp_ref_drop(response->body);
}

static void send_hls(void *user, const struct cp_hls_response *response)
{
    struct hls_fetch *fetch = user;
    struct cp_request *request = fetch->request;
    const char *kept = response->cache_control;
    char own[96];
    if (response->body && *fetch->pass) {
        reply_with_pass(request, response, fetch->pass);
        free(fetch);
        return;
    }
    if (kept && fetch->guarded &&
        !strncmp(kept, "public,", 7)) { /* the address is a secret of this viewer's */
        snprintf(own, sizeof own, "private,%s", kept + 7);
        kept = own;
    }
    if (kept)
        cp_request_add_header(request, "Cache-Control", kept);
    if (response->body) {
        send_hls_body(fetch, response);
        free(fetch);
        return;
    }
    free(fetch);
    if (response->status == 503)
        cp_request_add_header(request, "Retry-After", "1");
    cp_request_fail_status(request, response->status,
                           response->status == 404 ? "not found" : "playlist request refused",
                           response->detail ? response->detail : "");
}

/* Answers by the channel's HLS, now or later. pass: what the multivariant playlist's addresses begin with, on
 * a channel that needs a token; "" for its other files; NULL: the channel needs none. */
static void answer_hls(struct cp_onair *onair, struct cp_request *request, const char *pass)
{
    uint64_t waiting;
    struct hls_fetch *fetch = calloc(1, sizeof *fetch);
    const char *range = cp_request_header(request, "Range");
    if (!fetch) {
        cp_request_fail_status(request, 503, NULL, "out of memory: try again");
        return;
    }
    fetch->request = request;
    fetch->guarded = pass != NULL;
    snprintf(fetch->pass, sizeof fetch->pass, "%s", pass ? pass : "");
    snprintf(fetch->range, sizeof fetch->range, "%s",
             range && strlen(range) < sizeof fetch->range ? range : "");
    /* The answer may come before or after cp_hls_request returns: held requests allow both. A client that
     * goes away meanwhile costs nothing but the wait's place until the part comes. */
    cp_request_hold(request, NULL, NULL);
    cp_hls_request(cp_onair_hls(onair), cp_request_param(request, "file"), cp_request_query_string(request),
                   send_hls, fetch, &waiting);
}

/* A token opens the playlists; the media playlist's own addresses lead on only from below a pass. */
static void begin_hls(struct cp_app *app, struct cp_onair *onair, struct cp_request *request)
{
    const char *file = cp_request_param(request, "file"), *channel = cp_request_param(request, "channel");
    const char *suffix = strrchr(file, '.');
    bool is_main = !strcmp(file, "index.m3u8"), is_media = !is_main && suffix && !strcmp(suffix, ".m3u8");
    char pass[CP_PASS_BYTES] = "", location[CP_PASS_BYTES + 160];
    struct cp_guest guest;
    if (!cp_guard_admit(app, onair, request, is_main || is_media ? CP_ACCESS_START : CP_ACCESS_FETCH, &guest))
        return;
    if (guest.expires_s && (is_main || is_media))
        cp_access_make_pass(app->access, channel, &guest, pass);
    if (*pass && is_media) {
        snprintf(location, sizeof location, "/v1/channels/%s/hls/%s/%.32s", channel, pass, file);
        cp_request_add_header(request, "Location", location);
        cp_request_reply_bytes(request, 307, NULL, NULL, 0);
        return;
    }
    answer_hls(onair, request, pass);
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
        answer_hls(onair, request, "");
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
