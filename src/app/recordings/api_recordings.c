#include "app/api.h"
#include "app/recordings/recordings.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cp_recordings *recordings_of(void *user)
{
    return ((struct cp_app *)user)->recordings;
}

void cp_api_recordings_list(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *list = NULL;
    const char *limit = cp_request_query(request, "limit");
    int result =
        cp_recordings_list(recordings_of(user), cp_request_query(request, "channel"),
                           cp_request_query(request, "cursor"), limit ? atoi(limit) : 50, &list, &error);
    cp_api_answer(request, result, 200, list, &error);
}

void cp_api_recordings_create(void *user, struct cp_request *request)
{
    enum { DAY_S = 86400, KEEP_S = 30 * DAY_S, LONGEST_S = 12 * 3600 };
    struct cp_error error;
    json_t *body = cp_request_json(request), *recording = NULL;
    const char *title = json_string_value(json_object_get(body, "title"));
    int64_t keep_s = json_integer_value(json_object_get(body, "keep_s")),
            max_s = json_integer_value(json_object_get(body, "max_s"));
    struct cp_recording_wish wish = {.title = title ? title : "", .keep_s = keep_s ? keep_s : KEEP_S};
    /* What is recorded must not expire while it is. */
    wish.max_s = max_s ? max_s : LONGEST_S;
    if (wish.max_s > wish.keep_s)
        wish.max_s = wish.keep_s;
    int result = cp_recordings_start(recordings_of(user), json_string_value(json_object_get(body, "channel")),
                                     &wish, &recording, &error);
    if (!result) {
        char location[80];
        snprintf(location, sizeof location, "/v1/recordings/%s",
                 json_string_value(json_object_get(recording, "id")));
        cp_request_add_header(request, "Location", location);
    }
    cp_api_answer(request, result, 201, recording, &error);
}

void cp_api_recording_get(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *recording = NULL;
    int result =
        cp_recordings_get(recordings_of(user), cp_request_param(request, "recording"), &recording, &error);
    cp_api_answer(request, result, 200, recording, &error);
}

void cp_api_recording_stop(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *recording = NULL;
    int result =
        cp_recordings_stop(recordings_of(user), cp_request_param(request, "recording"), &recording, &error);
    cp_api_answer(request, result, 200, recording, &error);
}

void cp_api_recording_delete(void *user, struct cp_request *request)
{
    struct cp_error error;
    int result = cp_recordings_delete(recordings_of(user), cp_request_param(request, "recording"), &error);
    cp_api_answer(request, result, 204, NULL, &error);
}

/* --- the video, by a viewer's key or a signed address --- */

/* What an address grants: this recording, and of it an item or (-1) all. */
static void describe(const char *id, const char *cue, int64_t item, char ret_what[100])
{
    snprintf(ret_what, 100, "recording %.31s %.39s %" PRId64, id, cue, item);
}

void cp_api_recording_video(void *user, struct cp_request *request)
{
    struct cp_recordings *recordings = recordings_of(user);
    const char *id = cp_request_param(request, "recording"), *cue = cp_request_query(request, "cue"),
               *item = cp_request_query(request, "item"), *from_ms = cp_request_query(request, "from_ms"),
               *to_ms = cp_request_query(request, "to_ms"),
               *signature = cp_request_query(request, "signature");
    struct cp_recording_range range = {.item = item ? strtoll(item, NULL, 10) : -1,
                                       .from_ms = from_ms ? strtoll(from_ms, NULL, 10) : 0,
                                       .to_ms = to_ms ? strtoll(to_ms, NULL, 10) : INT64_MAX};
    char what[100];
    snprintf(range.cue, sizeof range.cue, "%s", cue ? cue : "");
    describe(id, range.cue, range.item, what);
    if (signature &&
        !cp_signer_accepts(&recordings->signer, what, cp_request_query(request, "expires"), signature))
        cp_request_fail_status(request, 403, "denied",
                               "this address has expired, or its signature is not right");
    else if (!signature && cp_request_role(request) < CP_ROLE_VIEWER)
        cp_request_fail_status(request, 401, "unauthorized",
                               "this needs a key (Authorization: Bearer cpk_...) or a signed address");
    else
        cp_recordings_send(recordings, id, &range, request);
}

void cp_api_recording_url(void *user, struct cp_request *request)
{
    struct cp_recordings *recordings = recordings_of(user);
    struct cp_error error;
    const json_t *body = cp_request_json(request);
    const char *id = cp_request_param(request, "recording"),
               *cue = json_string_value(json_object_get(body, "cue"));
    const json_t *number = json_object_get(body, "item");
    int64_t item = number ? json_integer_value(number) : -1;
    json_t *recording = NULL;
    int result = cp_recordings_get(recordings, id, &recording, &error);
    if (!result && (cue || item >= 0) && cp_recording_find_item(recording, cue ? cue : "", item) < 0)
        result = cp_fail(&error, CP_ERR_NOT_FOUND, "app", "this recording has no such item");
    json_decref(recording);
    if (result) {
        cp_request_fail(request, &error);
        return;
    }
    int64_t expires_s = json_integer_value(json_object_get(body, "expires_s"));
    int64_t until_s = cp_clock_wall_ns() / CP_NS_PER_S + (expires_s ? expires_s : 3600);
    char what[100], expires[24], signature[CP_SIGNATURE_BYTES], at[40], url[300];
    describe(id, cue ? cue : "", item, what);
    snprintf(expires, sizeof expires, "%" PRId64, until_s);
    cp_clock_rfc3339(until_s * CP_NS_PER_S, at);
    cp_signer_sign(&recordings->signer, what, expires, signature);
    char which[80] = "";
    if (cue)
        snprintf(which, sizeof which, "cue=%s&", cue);
    if (item >= 0)
        snprintf(which + strlen(which), sizeof which - strlen(which), "item=%" PRId64 "&", item);
    snprintf(url, sizeof url, "/v1/recordings/%s/video.mp4?%sexpires=%s&signature=%s", id, which, expires,
             signature);
    cp_request_reply_json(request, 200, json_pack("{s:s, s:s}", "url", url, "expires_at", at));
}
