/*
 * Azure AI Speech by its REST endpoint ("Text to speech REST API", Microsoft Learn): SSML in, samples out.
 * That endpoint gives neither word times nor visemes; those come only over the websocket that Microsoft's SDK
 * speaks and whose wire is not documented. So no marks are taken from here: the stage aligns the text to the
 * sound.
 */
#include "speech/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum { PCM_HZ = 24000 };

struct engine {
    struct cp_remote remote;
    char url[CP_OPTION_TEXT_BYTES + 96];
    char key_header[CP_REMOTE_KEY_BYTES + 32];
};

static void azure_close(void *opaque)
{
    struct engine *engine = opaque;
    if (!engine)
        return;
    cp_remote_close(&engine->remote);
    explicit_bzero(engine->key_header, sizeof engine->key_header);
    free(engine);
}

static int azure_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    engine->remote.row = "azure";
    int result = 0;
    if (*config->azure_region || *config->azure_url) {
        char key[CP_REMOTE_KEY_BYTES];
        if (*config->azure_url)
            snprintf(engine->url, sizeof engine->url, "%s/cognitiveservices/v1", config->azure_url);
        else
            snprintf(engine->url, sizeof engine->url,
                     "https://%.63s.tts.speech.microsoft.com/cognitiveservices/v1", config->azure_region);
        cp_remote_read_key(&engine->remote, "azure_key", config->azure_key, key, sizeof key);
        snprintf(engine->key_header, sizeof engine->key_header, "Ocp-Apim-Subscription-Key: %s", key);
        explicit_bzero(key, sizeof key);
        result = cp_remote_open(&engine->remote, config, config->azure_voices, error);
    }
    if (result) {
        azure_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static int azure_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    return cp_remote_list(&engine->remote, voices, capacity);
}

static int azure_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                       struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    const struct cp_remote_voice *voice = cp_remote_find(&engine->remote, piece->voice);
    if (!voice)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice azure:%.40s.", piece->voice);
    char *escaped = cp_remote_escape(piece, NULL);
    const struct cp_piece service = {.text = voice->service, .length = strlen(voice->service)};
    char *name = cp_remote_escape(&service, NULL);
    struct cp_buffer ssml = cp_buffer_make(1 << 20);
    if (escaped && name)
        cp_buffer_printf(
            &ssml,
            "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" xml:lang=\"%s\">"
            "<voice name=\"%s\"><prosody rate=\"%+.0f%%\" pitch=\"%+.0f%%\">",
            voice->language, name, 100 * (piece->rate - 1), 100 * (piece->pitch - 1));
    if (escaped && name)
        cp_buffer_text(&ssml, escaped);
    cp_buffer_text(&ssml, "</prosody></voice></speak>");
    int result = 0;
    if (!escaped || !name || ssml.failed) {
        result = cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
        goto out;
    }
    struct cp_pcm_stream stream = {.sound = sound};
    sound->hz = PCM_HZ;
    const char *headers[] = {"Content-Type: application/ssml+xml",
                             "X-Microsoft-OutputFormat: raw-24khz-16bit-mono-pcm", engine->key_header, NULL};
    struct cp_http_request request = {.method = "POST",
                                      .url = engine->url,
                                      .headers = headers,
                                      .body = ssml.data,
                                      .body_bytes = ssml.length,
                                      .take_body = cp_pcm_stream_take,
                                      .user = &stream};
    struct cp_http_response response;
    result = cp_remote_send(&engine->remote, &request, piece, stop, &response, error);
    cp_http_response_free(&response);
    if (!result && cp_pcm_stream_end(&stream))
        result = cp_fail(error, CP_ERR_FORMAT, STAGE, "azure answered without any sound.");
out:
    free(escaped);
    free(name);
    cp_buffer_free(&ssml);
    return result;
}

const struct cp_speech_provider cp_azure_provider = {
    .name = "azure",
    .phones_taken = true,
    .summary = "Azure AI Speech",
    .phones = CP_PHONES_IPA,
    .apart = true,
    .open = azure_open,
    .voices = azure_voices,
    .speak = azure_speak,
    .close = azure_close,
};
