/*
 * ElevenLabs: POST /v1/text-to-speech/{voice}/with-timestamps ("Create speech with timing", ElevenLabs API
 * reference): sound in base64 and the time of each character, which gives the words. Visemes are not said:
 * the stage aligns the text to the sound.
 */
#include "speech/engines/remote.h"
#include "speech/engines/remote_marks.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum {
    PCM_HZ = 24000,
    MAX_ANSWER_BYTES = 10 << 20, /* CP_SOUND_MAX_S of sound in base64, and its times */
};

struct engine {
    struct cp_remote remote;
    char url[CP_OPTION_TEXT_BYTES], model[CP_OPTION_TEXT_BYTES];
    char key_header[CP_REMOTE_KEY_BYTES + 32];
};

static void elevenlabs_close(void *opaque)
{
    struct engine *engine = opaque;
    if (!engine)
        return;
    cp_remote_close(&engine->remote);
    explicit_bzero(engine->key_header, sizeof engine->key_header);
    free(engine);
}

static int elevenlabs_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    engine->remote.row = "elevenlabs";
    int result = 0;
    if (*config->elevenlabs_key) {
        char key[CP_REMOTE_KEY_BYTES];
        snprintf(engine->url, sizeof engine->url, "%s", config->elevenlabs_url);
        snprintf(engine->model, sizeof engine->model, "%s", config->elevenlabs_model);
        cp_remote_read_key(&engine->remote, "elevenlabs_key", config->elevenlabs_key, key, sizeof key);
        snprintf(engine->key_header, sizeof engine->key_header, "xi-api-key: %s", key);
        explicit_bzero(key, sizeof key);
        result = cp_remote_open(&engine->remote, config, config->elevenlabs_voices, error);
    }
    if (result) {
        elevenlabs_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static int elevenlabs_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    return cp_remote_list(&engine->remote, voices, capacity);
}

static char *body_of(const struct engine *engine, const struct cp_piece *piece)
{
    double speed = piece->rate < 0.7 ? 0.7 : piece->rate > 1.2 ? 1.2 : piece->rate; /* its documented range */
    json_t *body = json_pack("{s:s#, s:s, s:{s:f}}", "text", piece->text, (int)piece->length, "model_id",
                             engine->model, "voice_settings", "speed", speed);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static int elevenlabs_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                            struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    const struct cp_remote_voice *voice = cp_remote_find(&engine->remote, piece->voice);
    char name[3 * sizeof voice->service], url[CP_OPTION_TEXT_BYTES + sizeof name + 96];
    if (!voice || !cp_http_encode(voice->service, name, sizeof name))
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice elevenlabs:%.40s.", piece->voice);
    snprintf(url, sizeof url, "%s/v1/text-to-speech/%s/with-timestamps?output_format=pcm_%d", engine->url,
             name, PCM_HZ);
    char *body = body_of(engine, piece);
    if (!body)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    sound->hz = PCM_HZ;
    sound->melody_ignored = true;
    const char *headers[] = {"Content-Type: application/json", engine->key_header, NULL};
    struct cp_http_request request = {.method = "POST",
                                      .url = url,
                                      .headers = headers,
                                      .body = body,
                                      .body_bytes = strlen(body),
                                      .max_body_bytes = MAX_ANSWER_BYTES};
    struct cp_http_response response;
    int result = cp_remote_send(&engine->remote, &request, piece, stop, &response, error);
    if (!result) {
        result = cp_elevenlabs_read((const char *)response.body.data, response.body.length, piece->text,
                                    piece->length, sound);
        if (result)
            cp_fail(error, result, STAGE, "elevenlabs answered what is no sound with times: %s.",
                    cp_err_name(result));
    }
    cp_http_response_free(&response);
    free(body);
    return result;
}

const struct cp_speech_provider cp_elevenlabs_provider = {
    .name = "elevenlabs",
    .summary = "ElevenLabs, with word times",
    .phones = CP_PHONES_IPA,
    .apart = true,
    .open = elevenlabs_open,
    .voices = elevenlabs_voices,
    .speak = elevenlabs_speak,
    .close = elevenlabs_close,
};
