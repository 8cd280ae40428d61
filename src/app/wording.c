/* From a cue's JSON to what is asked of the speech stage, and from its warnings back to JSON. */
#include "app/app.h"

#include <stdio.h>

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

struct cp_speech_request cp_app_speech_request(const json_t *spec, const json_t *channel)
{
    bool own_language = json_object_get(spec, "language") && !json_object_get(spec, "voice");
    const json_t *from = own_language || json_object_get(spec, "voice") ? spec : channel;
    return (struct cp_speech_request){
        .text = json_string_value(json_object_get(spec, "text")),
        .ssml = json_string_value(json_object_get(spec, "ssml")),
        .voice = text_of(from, "voice"),
        .usual_voice = cp_app_voice_of(*text_of(spec, "presenter") ? text_of(spec, "presenter")
                                                                   : text_of(channel, "presenter")),
        .language = text_of(from, "language"),
        .rate = json_number_value(json_object_get(spec, "rate")),
        .pitch = json_number_value(json_object_get(spec, "pitch")),
        .volume = json_number_value(json_object_get(spec, "volume")),
        .style = text_of(json_object_get(spec, "style") ? spec : channel, "style"),
    };
}

void cp_app_set_warnings(json_t *object, const struct cp_warnings *warnings)
{
    json_t *list = json_array();
    int kept = warnings->n < CP_WARNINGS_MAX ? warnings->n : CP_WARNINGS_MAX;
    for (int i = 0; i < kept; i++)
        json_array_append_new(list, json_string(warnings->text[i]));
    if (warnings->n > kept) {
        char more[48];
        snprintf(more, sizeof more, "and %d more", warnings->n - kept);
        json_array_append_new(list, json_string(more));
    }
    if (kept)
        json_object_set(object, "warnings", list);
    else
        json_object_del(object, "warnings");
    json_decref(list);
}
