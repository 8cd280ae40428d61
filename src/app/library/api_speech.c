/* Voice files: made, listed, shown, fetched, signed, removed. */
#include "app/api.h"

#include <stdlib.h>
#include <string.h>

void cp_api_speech_create(void *user, struct cp_request *request)
{
    cp_library_speak(((struct cp_app *)user)->library, request);
}

void cp_api_speech_recording(void *user, struct cp_request *request)
{
    cp_library_record(((struct cp_app *)user)->library, request);
}

void cp_api_speech_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *list;
    const char *limit = cp_request_query(request, "limit");
    struct cp_library_filter filter = {.channel = cp_request_query(request, "channel"),
                                       .cue = cp_request_query(request, "cue"),
                                       .voice = cp_request_query(request, "voice"),
                                       .text_sha256 = cp_request_query(request, "text_sha256"),
                                       .cursor = cp_request_query(request, "cursor"),
                                       .limit = limit ? atoi(limit) : 50};
    if (cp_library_list(app->library, &filter, &list, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, list);
}

void cp_api_speech_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *speech;
    if (cp_library_get(app->library, cp_request_param(request, "speech"), &speech, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, speech);
}

void cp_api_speech_delete(void *user, struct cp_request *request)
{
    cp_library_delete(((struct cp_app *)user)->library, cp_request_param(request, "speech"), request);
}

/* With a viewer's key, or with a signed URL: nothing is public otherwise. */
void cp_api_speech_audio(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    const char *id = cp_request_param(request, "speech"), *format = cp_request_query(request, "format"),
               *signature = cp_request_query(request, "signature");
    if (signature &&
        !cp_library_may_read(app->library, id, format, cp_request_query(request, "expires"), signature))
        cp_request_fail_status(request, 403, "denied",
                               "this address has expired, or its signature is not right");
    else if (!signature && cp_request_role(request) < CP_ROLE_VIEWER)
        cp_request_fail_status(request, 401, "unauthorized",
                               "this needs a key (Authorization: Bearer cpk_...) or a signed address");
    else
        cp_library_reply_audio(app->library, id, format, request);
}

void cp_api_speech_marks(void *user, struct cp_request *request)
{
    cp_library_reply_marks(((struct cp_app *)user)->library, cp_request_param(request, "speech"), request);
}

void cp_api_speech_url(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *body = cp_request_json(request), *url;
    int64_t expires_s = json_integer_value(json_object_get(body, "expires_s"));
    if (cp_library_sign(app->library, cp_request_param(request, "speech"),
                        json_string_value(json_object_get(body, "format")), expires_s ? expires_s : 3600,
                        json_is_true(json_object_get(body, "direct")), &url, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, url);
}
