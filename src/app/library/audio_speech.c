/*
 * POST /v1/audio/speech, in OpenAI's shape so that its clients work: the sound itself is the answer, and
 * leaves sentence by sentence while the next is spoken. Nothing of it is kept.
 *
 * Source: OpenAI API Reference, "Create speech". Its voices' names stand for the default voice, or for a
 * man's of the same language where theirs is one.
 */
#include "app/api.h"
#include "app/library/library.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct spoken {
    struct cp_app *app;
    struct cp_request *request; /* held until the first sentence; NULL afterwards */
    struct cp_stream *stream;
    struct cp_sound_file *file;
    struct cp_buffer bytes; /* coded and not yet handed over */
    enum cp_sound_format format;
    uint64_t ticket;
    atomic_bool broken;
};

/* One sentence, or the end (no utterance), on its way to the thread "library.read", which codes: the voices'
 * threads must not be held up by it. */
struct piece {
    struct cp_errand errand; /* first */
    struct spoken *spoken;
    struct cp_utterance *utterance;
    int result;
    struct cp_error error;
};

/* --- thread: library.read, or a voice's while the server stops --- */

static int begin(struct spoken *spoken, struct cp_error *error)
{
    int result = cp_sound_file_begin(spoken->format, &spoken->bytes, &spoken->file, error);
    if (result)
        return result;
    spoken->stream = cp_request_reply_stream(spoken->request, 200, cp_sound_format_type(spoken->format));
    spoken->request = NULL;
    return spoken->stream ? 0 : CP_ERR_NOMEM;
}

static bool hand_over(struct spoken *spoken)
{
    bool good =
        !spoken->bytes.length || cp_stream_write(spoken->stream, spoken->bytes.data, spoken->bytes.length);
    spoken->bytes.length = 0;
    return good;
}

static void add(struct spoken *spoken, const struct cp_utterance *utterance)
{
    struct cp_error error;
    if (atomic_load(&spoken->broken))
        return;
    int result = spoken->file ? 0 : begin(spoken, &error);
    if (!result)
        result = cp_sound_file_add(spoken->file, utterance, &error);
    if (!result && hand_over(spoken))
        return;
    atomic_store(&spoken->broken, true);
    cp_speech_cancel(spoken->app->speech, spoken->ticket);
}

static void end(struct spoken *spoken, int result, struct cp_error *error)
{
    bool good = !result && !atomic_load(&spoken->broken);
    if (good && !spoken->file)
        good = !begin(spoken, error);
    if (good)
        good = !cp_sound_file_end(spoken->file, error) && hand_over(spoken);
    if (spoken->request) {
        if (!result)
            cp_error_set(error, CP_ERR_INTERNAL, "app", "the sound could not be coded");
        cp_request_fail(spoken->request, error);
    }
    if (spoken->stream)
        cp_stream_end(spoken->stream, good);
    cp_sound_file_destroy(spoken->file);
    cp_buffer_free(&spoken->bytes);
    free(spoken);
}

static void run_piece(struct cp_errand *errand)
{
    struct piece *piece = (struct piece *)errand;
    if (piece->utterance)
        add(piece->spoken, piece->utterance);
    else
        end(piece->spoken, piece->result, &piece->error);
    cp_ref_drop(piece->utterance);
    free(piece);
}

/* --- thread: a voice's --- */

static void on_utterance(void *user, struct cp_utterance *utterance)
{
    struct spoken *spoken = user;
    struct piece *piece = calloc(1, sizeof *piece);
    if (piece) {
        *piece = (struct piece){
            .errand = {run_piece, run_piece}, .spoken = spoken, .utterance = cp_ref_take(utterance)};
        if (cp_runner_push(&spoken->app->library->reader, &piece->errand))
            return;
        cp_ref_drop(piece->utterance);
        free(piece);
    }
    atomic_store(&spoken->broken, true); /* a sentence is missing: the rest is not worth having */
}

static void on_done(void *user, int result, const struct cp_error *error)
{
    struct spoken *spoken = user;
    struct piece *piece = calloc(1, sizeof *piece);
    struct cp_error why = error ? *error : (struct cp_error){.text = ""};
    if (piece) {
        *piece = (struct piece){
            .errand = {run_piece, run_piece}, .spoken = spoken, .result = result, .error = why};
        if (cp_runner_push(&spoken->app->library->reader, &piece->errand))
            return;
        free(piece);
    }
    end(spoken, result ? result : CP_ERR_UNAVAILABLE, &why);
}

/* --- thread: http --- */

/* A voice of ours by its id; else one for OpenAI's name, or "" for the default. */
static const char *voice_for(struct cp_app *app, const char *name)
{
    static const char *const MEN[] = {"ash", "ballad", "cedar", "echo", "fable", "onyx", "verse"};
    const struct cp_voice *standard, *voices;
    bool man = false;
    int n;
    if (strchr(name, ':'))
        return name;
    for (size_t i = 0; i < sizeof MEN / sizeof *MEN; i++)
        man = man || !strcasecmp(name, MEN[i]);
    if (!man || cp_speech_find_voice(app->speech, NULL, NULL, &standard, NULL) ||
        !strcmp(standard->sex, "male"))
        return "";
    voices = cp_speech_voices(app->speech, &n);
    for (int i = 0; i < n; i++)
        if (voices[i].usable && !strcmp(voices[i].sex, "male") &&
            !strncmp(voices[i].language, standard->language, strcspn(standard->language, "-")))
            return voices[i].id;
    return "";
}

static enum cp_sound_format format_for(const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "response_format"));
    if (!name) /* theirs is MP3 when nothing is said */
        return cp_sound_format_usable(CP_SOUND_MP3) ? CP_SOUND_MP3 : CP_SOUND_WAV;
    enum cp_sound_format format = cp_sound_format_by_name(name);
    return format && cp_sound_format_usable(format) ? format : CP_SOUND_UNSET;
}

void cp_api_audio_speech(void *user, struct cp_request *request)
{
    static const struct cp_speech_events EVENTS = {.utterance = on_utterance, .done = on_done};
    struct cp_app *app = user;
    const json_t *body = cp_request_json(request);
    struct cp_error error;
    struct cp_speech_request speech = {
        .text = json_string_value(json_object_get(body, "input")),
        .voice = voice_for(app, json_string_value(json_object_get(body, "voice"))),
        .rate = json_number_value(json_object_get(body, "speed")),
        .priority = CP_SPEECH_LIVE,
    };
    enum cp_sound_format format = format_for(body);
    if (!format) {
        char detail[120];
        snprintf(detail, sizeof detail, "response_format: the formats here are %s", cp_sound_formats());
        cp_request_fail_status(request, 400, "no such format", detail);
        return;
    }
    struct spoken *spoken = calloc(1, sizeof *spoken);
    if (!spoken) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    spoken->app = app;
    spoken->request = request;
    spoken->format = format;
    spoken->bytes = cp_buffer_make(64 << 20);
    cp_request_hold(request, NULL, NULL);
    if (cp_speech_say(app->speech, &speech, &EVENTS, spoken, &spoken->ticket, &error)) {
        cp_request_fail(request, &error);
        free(spoken);
    }
}
