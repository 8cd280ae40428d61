#include "services_int.h"

#include "base/sigv4.h"
#include "web.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACCESS_KEY "AKIDEXAMPLE"

/* --- what is said --- */

static bool in_word(char c)
{
    return c && !strchr(" \t\n,.;:!?\"", c);
}

/* A buzz of 150 Hz for each word, with a swell, so that it is heard and measured as voiced. */
static void add_tone(struct hum *hum, int hz, int ms)
{
    size_t n = (size_t)hz * (size_t)ms / 1000;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / hz, value = 0;
        for (int k = 1; k <= 8; k++)
            value += sin(2 * M_PI * 150 * k * t) / k;
        hum->pcm[hum->n++] = (int16_t)(5000 * value * sin(M_PI * (double)i / (double)n));
    }
}

static void add_silence(struct hum *hum, int hz, int ms)
{
    size_t n = (size_t)hz * (size_t)ms / 1000;
    memset(hum->pcm + hum->n, 0, n * sizeof *hum->pcm);
    hum->n += n;
}

struct hum make_hum(const char *text, int hz)
{
    struct hum hum = {0};
    int ms = LEAD_MS, length = (int)strlen(text);
    bool markup = *text == '<';
    hum.pcm = malloc(((size_t)length + 4) * (size_t)hz * (LETTER_MS + GAP_MS) / 1000 * sizeof *hum.pcm);
    add_silence(&hum, hz, LEAD_MS);
    for (int i = 0; i < length;) {
        int start = i;
        bool tag = markup && text[i] == '<';
        while (tag && i < length && text[i++] != '>')
            ;
        if (tag)
            continue;
        while (in_word(text[i]) && !(markup && text[i] == '<'))
            i += markup && text[i] == '&' ? 1 + (int)strcspn(text + i, ";") : 1; /* an entity is one sign */
        if (i == start) {
            i++;
            continue;
        }
        int long_ms = (i - start < 12 ? i - start : 12) * LETTER_MS;
        if (hum.n_words < MAX_WORDS) {
            hum.words[hum.n_words].ms = ms;
            hum.words[hum.n_words].end_ms = ms + long_ms;
            hum.words[hum.n_words].start = start;
            hum.words[hum.n_words++].end = i;
        }
        add_tone(&hum, hz, long_ms);
        add_silence(&hum, hz, GAP_MS);
        ms += long_ms + GAP_MS;
    }
    return hum;
}

/* --- faults --- */

enum fault next_fault(struct services *services)
{
    enum fault fault = atomic_load(&services->fault);
    int left = atomic_load(&services->n_faults);
    if (left == 0)
        return FAULT_NONE;
    if (left > 0)
        atomic_fetch_sub(&services->n_faults, 1);
    return fault;
}

/* True when the request has been answered, or left, badly. */
static bool misbehave(struct services *services, struct web_connection *c, enum fault fault)
{
    static const char refusal[] =
        "{\"error\":{\"message\":\"Incorrect API key provided: " SERVICES_SECRET "\"}}";
    switch (fault) {
    case FAULT_429:
        web_reply(c, 429, "application/json", "", "{}", 2);
        return true;
    case FAULT_500:
        web_reply(c, 500, "text/plain", "", "oops", 4);
        return true;
    case FAULT_REFUSED:
        web_reply(c, 401, "application/json", "", refusal, sizeof refusal - 1);
        return true;
    case FAULT_EMPTY:
        web_reply(c, 200, "audio/pcm", "", "", 0);
        return true;
    case FAULT_GARBAGE:
        web_reply(c, 200, "text/html", "", "x", 1);
        return true;
    case FAULT_SILENT:
        while (web_pause(c, 1000))
            ;
        return true;
    default:
        return false;
    }
}

static void send_body(struct services *services, struct web_connection *c, const char *type, const void *body,
                      size_t length, enum fault fault)
{
    const char *bytes = body;
    enum { BLOCK = 4001 }; /* odd: samples are torn apart */
    web_pause(c, atomic_load(&services->delay_ms));
    web_begin(c, type);
    for (size_t done = 0; done < length; done += BLOCK) {
        if (done && (fault == FAULT_CUT || fault == FAULT_STALL)) {
            while (fault == FAULT_STALL && web_pause(c, 1000))
                ;
            web_cut(c);
            return;
        }
        if (fault == FAULT_SLOW)
            web_pause(c, 5);
        web_chunk(c, bytes + done, length - done < BLOCK ? length - done : BLOCK);
    }
    web_end(c);
}

/* --- OpenAI --- */

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static void openai(struct services *services, struct web_connection *c, const struct web_request *request,
                   enum fault fault)
{
    char key[128] = "";
    json_t *body = json_loads(request->body, 0, NULL);
    const char *text = json_string_value(json_object_get(body, "input"));
    const char *format = json_string_value(json_object_get(body, "response_format"));
    web_header(request, "Authorization", key, sizeof key);
    if (!text || !format || strcmp(key, "Bearer " SERVICES_SECRET) != 0 || !json_object_get(body, "model") ||
        !json_object_get(body, "voice") || !(json_number_value(json_object_get(body, "speed")) >= 0.25)) {
        atomic_fetch_add(&services->n_bad, 1);
        web_reply(c, 400, "application/json", "", "{}", 2);
    } else {
        struct hum hum = make_hum(text, 24000);
        uint8_t head[46] = "RIFF\xff\xff\xff\xffWAVEfmt \x12\0\0\0\1\0\1\0";
        put32(head + 24, 24000);
        put32(head + 28, 48000);
        memcpy(head + 32, "\2\0\20\0\0\0data\xff\xff\xff\xff", 14); /* a stream does not know its size */
        bool wav = !strcmp(format, "wav");
        size_t n_head = wav ? sizeof head : 0, n = hum.n * sizeof *hum.pcm;
        uint8_t *bytes = malloc(n_head + n);
        memcpy(bytes, head, n_head);
        memcpy(bytes + n_head, hum.pcm, n);
        send_body(services, c, wav ? "audio/wav" : "audio/pcm", bytes, n_head + n, fault);
        free(bytes);
        free(hum.pcm);
    }
    json_decref(body);
}

/* --- Amazon Polly --- */

/* Signs what came again, with the time it names. */
static bool is_signed(const struct services *services, const struct web_request *request)
{
    char date[32] = "", authorization[1024] = "", host[64], hash[65];
    struct tm tm = {0};
    web_header(request, "X-Amz-Date", date, sizeof date);
    web_header(request, "Authorization", authorization, sizeof authorization);
    if (!strptime(date, "%Y%m%dT%H%M%SZ", &tm))
        return false;
    snprintf(host, sizeof host, "127.0.0.1:%d", web_port(services->web));
    cp_sigv4_sha256(request->body, request->body_length, hash);
    struct cp_sigv4_credentials credentials = {ACCESS_KEY, SERVICES_SECRET, ""};
    struct cp_sigv4_pair type = {"content-type", "application/json"};
    struct cp_sigv4_request again = {.method = "POST",
                                     .host = host,
                                     .path = "/v1/speech",
                                     .headers = &type,
                                     .n_headers = 1,
                                     .payload_sha256 = hash,
                                     .region = "eu-central-1",
                                     .service = "polly",
                                     .wall_ns = (int64_t)timegm(&tm) * 1000000000};
    struct cp_sigv4_headers made;
    return !cp_sigv4_sign(&credentials, &again, &made, NULL) && !strcmp(made.authorization, authorization);
}

static void add_marks(struct cp_buffer *marks, const struct hum *hum, const char *text)
{
    for (int i = 0; i < hum->n_words; i++) {
        int start = hum->words[i].start, end = hum->words[i].end, ms = hum->words[i].ms;
        char *word = strndup(text + start, (size_t)(end - start));
        json_t *mark = json_pack("{s:i, s:s, s:i, s:i, s:s}", "time", ms, "type", "word", "start", start,
                                 "end", end, "value", word);
        char *line = json_dumps(mark, JSON_COMPACT);
        json_decref(mark);
        if (line)
            cp_buffer_printf(marks, "%s\n", line);
        for (int k = 0; ms < hum->words[i].end_ms; k++, ms += LETTER_MS)
            cp_buffer_printf(marks, "{\"time\":%d,\"type\":\"viseme\",\"value\":\"%s\"}\n", ms,
                             k % 2 ? "a" : "t");
        cp_buffer_printf(marks, "{\"time\":%d,\"type\":\"viseme\",\"value\":\"sil\"}\n", ms);
        free(line);
        free(word);
    }
}

static void polly(struct services *services, struct web_connection *c, const struct web_request *request,
                  enum fault fault)
{
    json_t *body = json_loads(request->body, 0, NULL);
    const char *text = json_string_value(json_object_get(body, "Text"));
    const char *format = json_string_value(json_object_get(body, "OutputFormat"));
    const char *type = json_string_value(json_object_get(body, "TextType"));
    bool marks = format && !strcmp(format, "json");
    if (!text || !format || !type || !json_object_get(body, "VoiceId") || !json_object_get(body, "Engine") ||
        marks != !!json_object_get(body, "SpeechMarkTypes") ||
        marks == !!json_object_get(body, "SampleRate") || !strcmp(type, "ssml") != (*text == '<') ||
        !is_signed(services, request)) {
        atomic_fetch_add(&services->n_bad, 1);
        web_reply(c, 403, "application/json", "", "{}", 2);
    } else {
        struct hum hum = make_hum(text, 16000);
        struct cp_buffer lines = cp_buffer_make(1 << 20);
        add_marks(&lines, &hum, text);
        if (marks)
            send_body(services, c, "application/x-json-stream", lines.data, lines.length, fault);
        else
            send_body(services, c, "audio/pcm", hum.pcm, hum.n * sizeof *hum.pcm, fault);
        cp_buffer_free(&lines);
        free(hum.pcm);
    }
    json_decref(body);
}

/* --- ElevenLabs --- */

static char *base64(const uint8_t *bytes, size_t length)
{
    static const char SIGNS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc(length / 3 * 4 + 8), *to = text;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16 | (i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (i + 2 < length ? bytes[i + 2] : 0);
        for (int k = 0; k < 4; k++)
            *to++ = i + (size_t)k > length ? '=' : SIGNS[bits >> (18 - 6 * k) & 63];
    }
    *to = '\0';
    return text;
}

static json_t *alignment_of(const struct hum *hum, const char *text)
{
    json_t *characters = json_array(), *starts = json_array(), *ends = json_array();
    double at = 0;
    for (int i = 0, word = 0; text[i];) {
        int n = 1;
        while ((text[i + n] & 0xc0) == 0x80)
            n++;
        while (word < hum->n_words && i >= hum->words[word].end)
            word++;
        double start = at, end = at;
        if (word < hum->n_words && i >= hum->words[word].start) {
            double share =
                (double)(i - hum->words[word].start) / (hum->words[word].end - hum->words[word].start);
            start = hum->words[word].ms + share * (hum->words[word].end_ms - hum->words[word].ms);
            end = start + LETTER_MS / 2.0;
        }
        json_array_append_new(characters, json_stringn(text + i, (size_t)n));
        json_array_append_new(starts, json_real(start / 1e3));
        json_array_append_new(ends, json_real(end / 1e3));
        at = end;
        i += n;
    }
    return json_pack("{s:o, s:o, s:o}", "characters", characters, "character_start_times_seconds", starts,
                     "character_end_times_seconds", ends);
}

static void elevenlabs(struct services *services, struct web_connection *c, const struct web_request *request,
                       enum fault fault)
{
    char key[128] = "";
    json_t *body = json_loads(request->body, 0, NULL);
    const char *text = json_string_value(json_object_get(body, "text"));
    web_header(request, "xi-api-key", key, sizeof key);
    if (!text || strcmp(key, SERVICES_SECRET) != 0 || !json_object_get(body, "model_id") ||
        !strstr(request->path, "/with-timestamps?output_format=pcm_24000")) {
        atomic_fetch_add(&services->n_bad, 1);
        web_reply(c, 400, "application/json", "", "{}", 2);
    } else {
        struct hum hum = make_hum(text, 24000);
        char *sound = base64((const uint8_t *)hum.pcm, hum.n * sizeof *hum.pcm);
        json_t *answer = json_pack("{s:s, s:o, s:n}", "audio_base64", sound, "alignment",
                                   alignment_of(&hum, text), "normalized_alignment");
        char *json = json_dumps(answer, 0);
        send_body(services, c, "application/json", json, strlen(json), fault);
        json_decref(answer);
        free(json);
        free(sound);
        free(hum.pcm);
    }
    json_decref(body);
}

/* --- all of them --- */

static void handle(void *user, struct web_connection *c, const struct web_request *request)
{
    struct services *services = user;
    bool azure = !strncmp(request->path, AZURE_PATH, strlen(AZURE_PATH));
    enum fault fault = next_fault(services);
    bool by_turn = azure && fault != FAULT_429 && fault != FAULT_500 && fault != FAULT_REFUSED;
    if (!by_turn && misbehave(services, c, fault))
        return;
    if (!strcmp(request->path, "/some/path/v1/audio/speech"))
        openai(services, c, request, fault);
    else if (!strcmp(request->path, "/v1/speech"))
        polly(services, c, request, fault);
    else if (azure)
        azure_serve(services, c, request, fault);
    else if (!strncmp(request->path, "/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/", 40))
        elevenlabs(services, c, request, fault);
    else {
        atomic_fetch_add(&services->n_bad, 1);
        web_reply(c, 404, "text/plain", "", "", 0);
    }
}

struct services *services_start(void)
{
    static const char *const PROXIES[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < 4; i++)
        unsetenv(PROXIES[i]);
    setenv("COMPERE_TEST_SECRET", SERVICES_SECRET, 1);
    setenv("COMPERE_TEST_ACCESS_KEY", ACCESS_KEY, 1);
    struct services *services = calloc(1, sizeof *services);
    services->web = web_start(handle, services);
    return services;
}

void services_stop(struct services *services)
{
    web_stop(services->web);
    free(services);
}

void services_misbehave(struct services *services, enum fault fault, int n_faults)
{
    atomic_store(&services->n_faults, 0);
    atomic_store(&services->fault, fault);
    atomic_store(&services->n_faults, n_faults);
}

void services_configure(const struct services *services, struct cp_speech_config *config)
{
    char url[CP_OPTION_TEXT_BYTES];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", web_port(services->web));
    snprintf(config->openai_url, sizeof config->openai_url, "http://127.0.0.1:%d/some/path/v1/",
             web_port(services->web));
    strcpy(config->polly_region, "eu-central-1");
    strcpy(config->polly_url, url);
    strcpy(config->azure_url, url);
    strcpy(config->elevenlabs_url, url);
    strcpy(config->openai_key, "env:COMPERE_TEST_SECRET");
    strcpy(config->polly_access_key, "env:COMPERE_TEST_ACCESS_KEY");
    strcpy(config->polly_secret_key, "env:COMPERE_TEST_SECRET");
    strcpy(config->azure_key, "env:COMPERE_TEST_SECRET");
    strcpy(config->elevenlabs_key, "env:COMPERE_TEST_SECRET");
}
