/*
 * Services of OpenAI's shape, POST .../audio/speech ("Create speech", OpenAI API reference): OpenAI itself
 * and what speaks like it (Kokoro-FastAPI, openedai-speech, LocalAI ...). The sound streams in as bare
 * samples of 24 kHz ("pcm") or as WAV, which tells its rate. There are no marks: the stage aligns the text to
 * the sound.
 */
#include "speech/engines/remote.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum { PCM_HZ = 24000 };

struct engine {
    struct cp_remote remote;
    char url[CP_OPTION_TEXT_BYTES + 32], model[CP_OPTION_TEXT_BYTES], format[16];
    char key_header[CP_REMOTE_KEY_BYTES + 32]; /* "" without a key: servers of one's own need none */
};

static void openai_close(void *opaque)
{
    struct engine *engine = opaque;
    if (!engine)
        return;
    cp_remote_close(&engine->remote);
    explicit_bzero(engine->key_header, sizeof engine->key_header);
    free(engine);
}

static int openai_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    engine->remote.row = "openai";
    int result = 0;
    if (*config->openai_url) {
        size_t length = strlen(config->openai_url);
        length -= config->openai_url[length - 1] == '/';
        snprintf(engine->url, sizeof engine->url, "%.*s/audio/speech", (int)length, config->openai_url);
        snprintf(engine->model, sizeof engine->model, "%s", config->openai_model);
        snprintf(engine->format, sizeof engine->format, "%.15s", config->openai_format);
        char key[CP_REMOTE_KEY_BYTES] = "";
        if (*config->openai_key)
            cp_remote_read_key(&engine->remote, "openai_key", config->openai_key, key, sizeof key);
        if (*key)
            snprintf(engine->key_header, sizeof engine->key_header, "Authorization: Bearer %s", key);
        explicit_bzero(key, sizeof key);
        result = cp_remote_open(&engine->remote, config, config->openai_voices, error);
    }
    if (result) {
        openai_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static int openai_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    return cp_remote_list(&engine->remote, voices, capacity);
}

static int openai_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                        struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    const struct cp_remote_voice *voice = cp_remote_find(&engine->remote, piece->voice);
    if (!voice)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice openai:%.40s.", piece->voice);
    json_t *body = json_pack("{s:s, s:s#, s:s, s:s, s:f}", "model", engine->model, "input", piece->text,
                             (int)piece->length, "voice", voice->service, "response_format", engine->format,
                             "speed", piece->rate);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    struct cp_pcm_stream stream = {.sound = sound, .wav = !strcmp(engine->format, "wav")};
    sound->hz = PCM_HZ;
    sound->melody_ignored = true;
    const char *headers[] = {"Content-Type: application/json",
                             *engine->key_header ? engine->key_header : NULL, NULL};
    struct cp_http_request request = {.method = "POST",
                                      .url = engine->url,
                                      .headers = headers,
                                      .body = text,
                                      .body_bytes = strlen(text),
                                      .take_body = cp_pcm_stream_take,
                                      .user = &stream};
    struct cp_http_response response;
    int result = cp_remote_send(&engine->remote, &request, piece, stop, &response, error);
    cp_http_response_free(&response);
    free(text);
    if (!result && cp_pcm_stream_end(&stream))
        result = cp_fail(error, CP_ERR_FORMAT, STAGE, "openai answered without any sound.");
    return result;
}

const struct cp_speech_provider cp_openai_provider = {
    .name = "openai",
    .summary = "services of OpenAI's shape: /audio/speech",
    .phones = CP_PHONES_IPA,
    .apart = true,
    .open = openai_open,
    .voices = openai_voices,
    .speak = openai_speak,
    .close = openai_close,
};
