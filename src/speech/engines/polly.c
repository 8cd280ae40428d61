/*
 * Amazon Polly: POST /v1/speech, "SynthesizeSpeech" of its API reference, signed by AWS Signature Version 4.
 * Sound (16-bit samples at 16 kHz, the most that its PCM has) and speech marks are two requests, sent at the
 * same time. Generative voices have no marks; theirs, and all whose marks do not come, are aligned by the
 * stage.
 */
#include "speech/engines/remote.h"
#include "speech/engines/remote_marks.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sigv4.h"
#include "base/thread.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"
#define PATH  "/v1/speech"

enum { PCM_HZ = 16000, MAX_MARKS_BYTES = 1 << 20 };

struct engine {
    struct cp_remote remote;
    char url[CP_OPTION_TEXT_BYTES + 16], host[CP_OPTION_TEXT_BYTES];
    char region[64], kind[32]; /* "neural", ... */
    char access_key[160], secret_key[160], token[CP_REMOTE_KEY_BYTES];
};

static void polly_close(void *opaque)
{
    struct engine *engine = opaque;
    if (!engine)
        return;
    cp_remote_close(&engine->remote);
    explicit_bzero(engine->secret_key, sizeof engine->secret_key);
    explicit_bzero(engine->token, sizeof engine->token);
    free(engine);
}

static void set_address(struct engine *engine, const struct cp_speech_config *config)
{
    snprintf(engine->region, sizeof engine->region, "%.63s", config->polly_region);
    snprintf(engine->kind, sizeof engine->kind, "%.31s", config->polly_engine);
    if (*config->polly_url) {
        const char *host = strstr(config->polly_url, "://");
        host = host ? host + 3 : config->polly_url;
        snprintf(engine->url, sizeof engine->url, "%s" PATH, config->polly_url);
        snprintf(engine->host, sizeof engine->host, "%.*s", (int)strcspn(host, "/"), host);
    } else {
        snprintf(engine->host, sizeof engine->host, "polly.%s.amazonaws.com", engine->region);
        snprintf(engine->url, sizeof engine->url, "https://%.128s" PATH, engine->host);
    }
}

static int polly_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    struct cp_remote *remote = &engine->remote;
    remote->row = "polly";
    int result = 0;
    if (*config->polly_region) {
        set_address(engine, config);
        cp_remote_read_key(remote, "polly_access_key", config->polly_access_key, engine->access_key,
                           sizeof engine->access_key);
        cp_remote_read_key(remote, "polly_secret_key", config->polly_secret_key, engine->secret_key,
                           sizeof engine->secret_key);
        if (*config->polly_token)
            cp_remote_read_key(remote, "polly_token", config->polly_token, engine->token,
                               sizeof engine->token);
        result = cp_remote_open(remote, config, config->polly_voices, error);
    }
    if (result) {
        polly_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static int polly_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    return cp_remote_list(&engine->remote, voices, capacity);
}

/* --- one of the two requests --- */

struct half {
    struct engine *engine;
    const struct cp_piece *piece;
    const atomic_bool *stop;
    char *body;
    int (*take_body)(void *user, const uint8_t *bytes, size_t length); /* NULL: into response.body */
    void *user;
    struct cp_http_response response;
    struct cp_error error;
    int result;
};

static char *make_body(const struct engine *engine, const char *voice, const char *text, bool ssml,
                       bool marks)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "Engine", engine->kind, "OutputFormat", marks ? "json" : "pcm",
                  "Text", text, "TextType", ssml ? "ssml" : "text", "VoiceId", voice);
    if (body && marks)
        json_object_set_new(body, "SpeechMarkTypes", json_pack("[s, s]", "word", "viseme"));
    else if (body)
        json_object_set_new(body, "SampleRate", json_string("16000"));
    char *json = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return json;
}

/* Signs and sends. A signature holds for minutes, longer than any deadline. */
static void send_half(struct half *half)
{
    struct engine *engine = half->engine;
    char hash[65], lines[4][sizeof engine->token + 64];
    const char *headers[6] = {"Content-Type: application/json"};
    cp_sigv4_sha256(half->body, strlen(half->body), hash);
    struct cp_sigv4_credentials credentials = {engine->access_key, engine->secret_key, engine->token};
    struct cp_sigv4_pair type = {"content-type", "application/json"};
    struct cp_sigv4_request to_sign = {.method = "POST",
                                       .host = engine->host,
                                       .path = PATH,
                                       .headers = &type,
                                       .n_headers = 1,
                                       .payload_sha256 = hash,
                                       .region = engine->region,
                                       .service = "polly",
                                       .wall_ns = cp_clock_wall_ns()};
    struct cp_sigv4_headers made;
    half->result = cp_sigv4_sign(&credentials, &to_sign, &made, &half->error);
    if (half->result)
        return;
    snprintf(lines[0], sizeof lines[0], "X-Amz-Date: %s", made.date);
    snprintf(lines[1], sizeof lines[1], "X-Amz-Content-Sha256: %s", made.content_sha256);
    snprintf(lines[2], sizeof lines[2], "Authorization: %s", made.authorization);
    snprintf(lines[3], sizeof lines[3], "X-Amz-Security-Token: %s", engine->token);
    for (int i = 0; i < (*engine->token ? 4 : 3); i++)
        headers[i + 1] = lines[i];
    struct cp_http_request request = {.method = "POST",
                                      .url = engine->url,
                                      .headers = headers,
                                      .body = half->body,
                                      .body_bytes = strlen(half->body),
                                      .take_body = half->take_body,
                                      .user = half->user,
                                      .max_body_bytes = MAX_MARKS_BYTES};
    half->result =
        cp_remote_send(&engine->remote, &request, half->piece, half->stop, &half->response, &half->error);
}

static void *run_half(void *half)
{
    send_half(half);
    return NULL;
}

/* --- speaking --- */

/* The text in SSML when its rate is not normal or pronunciations are told, with where each byte came from;
 * else the text itself. */
static int make_text(const struct cp_piece *piece, struct cp_buffer *text, int32_t **ret_origin,
                     struct cp_error *error)
{
    int32_t *origin = NULL;
    int percent = (int)(100 * piece->rate + 0.5);
    if (percent == 100 && !piece->n_pronounced) {
        cp_buffer_add(text, piece->text, piece->length);
    } else {
        char *escaped = cp_remote_escape(piece, ret_origin);
        size_t length = escaped ? strlen(escaped) : 0;
        cp_buffer_printf(text, "<speak><prosody rate=\"%d%%\">",
                         percent < 20    ? 20
                         : percent > 200 ? 200
                                         : percent);
        size_t before = text->length;
        if (escaped)
            cp_buffer_add(text, escaped, length);
        free(escaped);
        origin = escaped ? malloc((before + length + 1) * sizeof *origin) : NULL;
        for (size_t i = 0; origin && i < before; i++)
            origin[i] = -1;
        if (origin)
            memcpy(origin + before, *ret_origin, (length + 1) * sizeof *origin);
        if (escaped)
            free(*ret_origin);
        *ret_origin = origin;
        cp_buffer_text(text, "</prosody></speak>");
        if (!origin)
            text->failed = true;
    }
    return text->failed ? cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.") : 0;
}

/* Sends both requests at once. The sound's result counts; marks that fail are only told. */
static int send_both(struct half *sound, struct half *marks, struct cp_error *error)
{
    pthread_t thread;
    bool apart = marks->body && !cp_thread_start(&thread, "speech.marks", run_half, marks);
    send_half(sound);
    if (apart)
        pthread_join(thread, NULL);
    else if (marks->body)
        marks->result = CP_ERR_NOMEM;
    if (sound->result) {
        if (error)
            *error = sound->error;
        return sound->result;
    }
    if (marks->body && marks->result && marks->result != CP_ERR_CANCELLED)
        cp_log(CP_LOG_WARN, STAGE, "no speech marks", "engine=polly why=\"%s\"", marks->error.text);
    return 0;
}

static int polly_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                       struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    const struct cp_remote_voice *voice = cp_remote_find(&engine->remote, piece->voice);
    if (!voice)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice polly:%.40s.", piece->voice);
    struct cp_buffer text = cp_buffer_make(1 << 20);
    int32_t *origin = NULL;
    struct cp_pcm_stream stream = {.sound = sound};
    struct half halves[2] = {{engine, piece, stop}, {engine, piece, stop}};
    sound->hz = PCM_HZ;
    sound->melody_ignored = true;
    int result = make_text(piece, &text, &origin, error);
    if (result)
        goto out;
    size_t n_origin = origin ? text.length - strlen("</prosody></speak>") : text.length;
    bool has_marks = strcmp(engine->kind, "generative") != 0;
    halves[0].body = make_body(engine, voice->service, cp_buffer_string(&text), origin, false);
    halves[0].take_body = cp_pcm_stream_take;
    halves[0].user = &stream;
    if (has_marks)
        halves[1].body = make_body(engine, voice->service, cp_buffer_string(&text), origin, true);
    if (!halves[0].body || (has_marks && !halves[1].body)) {
        result = cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
        goto out;
    }
    result = send_both(&halves[0], &halves[1], error);
    if (!result && cp_pcm_stream_end(&stream))
        result = cp_fail(error, CP_ERR_FORMAT, STAGE, "polly answered without any sound.");
    const struct cp_buffer *marks = &halves[1].response.body;
    if (!result && has_marks && !halves[1].result &&
        cp_polly_read_marks((const char *)marks->data, marks->length, origin, n_origin, sound)) {
        cp_log(CP_LOG_WARN, STAGE, "no speech marks", "engine=polly why=\"not as documented\"");
        sound->n_events = 0;
    }
out:
    for (int i = 0; i < 2; i++) {
        cp_http_response_free(&halves[i].response);
        free(halves[i].body);
    }
    free(origin);
    cp_buffer_free(&text);
    return result;
}

const struct cp_speech_provider cp_polly_provider = {
    .name = "polly",
    .summary = "Amazon Polly, with word times and visemes",
    .phones = CP_PHONES_IPA,
    .phones_taken = true,
    .apart = true,
    .open = polly_open,
    .voices = polly_voices,
    .speak = polly_speak,
    .close = polly_close,
};
