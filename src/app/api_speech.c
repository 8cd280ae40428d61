/* Voice files: made, shown, fetched, removed. */
#include "app/api.h"

#include <string.h>

void cp_api_speech_create(void *user, struct cp_request *request)
{
    cp_library_speak(((struct cp_app *)user)->library, request);
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
    struct cp_app *app = user;
    struct cp_error error;
    if (cp_library_delete(app->library, cp_request_param(request, "speech"), &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 204, NULL);
}

void cp_api_speech_audio(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    struct cp_buffer sound = cp_buffer_make(512 << 20);
    const char *accept = cp_request_header(request, "Accept");
    const char *type = accept && strstr(accept, "ogg") ? "audio/ogg" : "audio/wav";
    if (cp_library_audio(app->library, cp_request_param(request, "speech"), type, &sound, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_bytes(request, 200, type, sound.data, sound.length);
    cp_buffer_free(&sound);
}

void cp_api_speech_marks(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    struct cp_buffer marks = cp_buffer_make(64 << 20);
    if (cp_library_marks(app->library, cp_request_param(request, "speech"), &marks, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_bytes(request, 200, "application/jsonl", marks.data, marks.length);
    cp_buffer_free(&marks);
}
