/*
 * espeak-ng behind a worker process (worker/PROTOCOL.md): some 130 languages, 1000 times faster than real
 * time, but not thread-safe and not safe from crashing. The worker is started with the stage, restarted when
 * it dies, hangs or talks nonsense; the sentence in flight is tried twice.
 */
#include "speech/espeak.h"

#include "base/clock.h"
#include "base/log.h"
#include "speech/child.h"
#include "speech/worker/protocol.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGE "speech"

enum {
    HELLO_MS = 3000,
    SENTENCE_MS = 500,     /* a sentence takes 20 ms; two tries fit into a live line's deadline */
    FIRST_BACKOFF_MS = 50, /* doubled each time it dies without having spoken */
    MAX_BACKOFF_MS = 5000,
    PATIENCE_MS = 300, /* a longer backoff fails the request at once */
};

struct engine {
    char path[PATH_MAX];
    struct cp_child child;
    struct cp_voice *voices; /* as of the first hello */
    int n_voices;
    char why_not[160]; /* "" or why there was no first hello */
    int64_t deadline_ms;
    int failures; /* starts in a row that spoke nothing */
    int64_t not_before_ns;
    json_int_t last_id;
    atomic_ulong restarts;
    char *payload; /* of the frame being read: CP_FRAME_MAX_BYTES + 1 */
};

/* Languages that are shown as unusable when the worker could not be asked. */
static const struct {
    const char *tag, *name;
} EXPECTED[] = {
    {"ar", "Arabic"},    {"bg", "Bulgarian"},  {"ca", "Catalan"},
    {"cs", "Czech"},     {"da", "Danish"},     {"de", "German"},
    {"el", "Greek"},     {"es", "Spanish"},    {"et", "Estonian"},
    {"fa", "Persian"},   {"fi", "Finnish"},    {"fr", "French"},
    {"he", "Hebrew"},    {"hi", "Hindi"},      {"hr", "Croatian"},
    {"hu", "Hungarian"}, {"id", "Indonesian"}, {"it", "Italian"},
    {"ja", "Japanese"},  {"ko", "Korean"},     {"nb", "Norwegian"},
    {"nl", "Dutch"},     {"pl", "Polish"},     {"pt", "Portuguese"},
    {"ro", "Romanian"},  {"ru", "Russian"},    {"sk", "Slovak"},
    {"sv", "Swedish"},   {"th", "Thai"},       {"tr", "Turkish"},
    {"uk", "Ukrainian"}, {"vi", "Vietnamese"}, {"zh", "Chinese (Mandarin)"},
};
enum { N_EXPECTED = sizeof EXPECTED / sizeof *EXPECTED };

/* --- frames --- */

/* Reads one frame into engine->payload, with a NUL behind it. */
static int read_frame(struct engine *engine, enum cp_frame_type *ret_type, size_t *ret_length,
                      int64_t deadline_ns, const atomic_bool *stop)
{
    uint8_t head[CP_FRAME_HEAD_BYTES];
    int result = cp_child_read(&engine->child, head, sizeof head, deadline_ns, stop);
    if (result)
        return result;
    int32_t length = cp_frame_read_head(head, ret_type);
    if (length < 0)
        return CP_ERR_FORMAT;
    result = cp_child_read(&engine->child, engine->payload, (size_t)length, deadline_ns, stop);
    if (result)
        return result;
    engine->payload[length] = '\0';
    *ret_length = (size_t)length;
    return 0;
}

static void copy_text(char *to, size_t capacity, const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    snprintf(to, capacity, "%s", text ? text : "");
}

static int read_voices(struct engine *engine, const json_t *hello)
{
    const json_t *list = json_object_get(hello, "voices");
    size_t n = json_array_size(list);
    if (json_integer_value(json_object_get(hello, "protocol")) != CP_VOICE_PROTOCOL || !n)
        return CP_ERR_FORMAT;
    if (engine->voices)
        return 0; /* the list does not change while we run */
    engine->voices = calloc(n, sizeof *engine->voices);
    if (!engine->voices)
        return CP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *from = json_array_get(list, i);
        struct cp_voice *voice = &engine->voices[engine->n_voices];
        char id[48], name[48];
        copy_text(id, sizeof id, from, "id");
        copy_text(name, sizeof name, from, "name");
        if (!*id)
            continue;
        *voice = (struct cp_voice){.engine = "espeak-ng", .usable = true};
        snprintf(voice->id, sizeof voice->id, "espeak:%s", id);
        copy_text(voice->language, sizeof voice->language, from, "language");
        copy_text(voice->sex, sizeof voice->sex, from, "sex");
        snprintf(voice->name, sizeof voice->name, "%s%s%s", *name ? name : id, *voice->sex ? ", " : "",
                 voice->sex);
        engine->n_voices++;
    }
    return 0;
}

/* --- the worker's life --- */

/* Starts the worker and hears its hello. */
static int start_worker(struct engine *engine, const atomic_bool *stop, struct cp_error *error)
{
    int result = cp_child_start(&engine->child, engine->path, error);
    if (result)
        return result;
    int64_t deadline_ns = cp_clock_now_ns() + HELLO_MS * CP_NS_PER_MS;
    enum cp_frame_type type;
    size_t length;
    result = read_frame(engine, &type, &length, deadline_ns, stop);
    if (!result && type != CP_FRAME_HELLO)
        result = CP_ERR_FORMAT;
    if (!result) {
        json_t *hello = json_loadb(engine->payload, length, 0, NULL);
        result = hello ? read_voices(engine, hello) : CP_ERR_FORMAT;
        json_decref(hello);
    }
    if (!result)
        return 0;
    cp_child_stop(&engine->child);
    if (result == CP_ERR_CANCELLED)
        return cp_fail(error, result, STAGE, "The speech was cancelled.");
    return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                   "The voice program %.100s does not start properly (%s); run it by hand to see why.",
                   engine->path, result == CP_ERR_IO ? "it ended" : cp_err_name(result));
}

static void drop_worker(struct engine *engine)
{
    cp_child_stop(&engine->child);
    int64_t backoff_ms = 0;
    if (engine->failures > 0) /* the first restart is at once */
        backoff_ms = (int64_t)FIRST_BACKOFF_MS << (engine->failures < 8 ? engine->failures : 8);
    if (backoff_ms > MAX_BACKOFF_MS)
        backoff_ms = MAX_BACKOFF_MS;
    engine->failures++;
    engine->not_before_ns = cp_clock_now_ns() + backoff_ms * CP_NS_PER_MS;
}

/* A worker to talk to: the running one, or a new one unless it keeps failing. */
static int require_worker(struct engine *engine, const atomic_bool *stop, struct cp_error *error)
{
    if (atomic_load(&engine->child.pid))
        return 0;
    int64_t left_ns = engine->not_before_ns - cp_clock_now_ns();
    if (left_ns > PATIENCE_MS * CP_NS_PER_MS)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "The voice program keeps failing; it is tried again in %d s.",
                       (int)(left_ns / CP_NS_PER_S) + 1);
    if (left_ns > 0)
        cp_clock_sleep_until_ns(engine->not_before_ns);
    int result = start_worker(engine, stop, error);
    if (result && result != CP_ERR_CANCELLED)
        drop_worker(engine);
    if (!result) {
        unsigned long restarts = atomic_fetch_add(&engine->restarts, 1) + 1;
        cp_log(CP_LOG_INFO, STAGE, "worker restarted", "engine=espeak restarts=%lu", restarts);
    }
    return result;
}

/* --- speaking --- */

static int32_t member_int(const json_t *object, const char *member, int64_t low, int64_t high)
{
    json_int_t value = json_integer_value(json_object_get(object, member));
    return (int32_t)(value < low ? low : value > high ? high : value);
}

int cp_espeak_read_marks(const char *json, size_t length, size_t text_bytes, struct cp_sound *sound)
{
    json_t *payload = json_loadb(json, length, 0, NULL);
    const json_t *marks = json_object_get(payload, "marks");
    int result = json_is_array(marks) ? 0 : CP_ERR_FORMAT;
    int32_t limit = CP_SOUND_MAX_S * 48000, at = 0;
    size_t n = json_array_size(marks);
    for (size_t i = 0; i < n && !result; i++) {
        const json_t *mark = json_array_get(marks, i);
        const char *type = json_string_value(json_object_get(mark, "type"));
        struct cp_sound_event event = {0};
        if (type && !strcmp(type, "word"))
            event.type = CP_SOUND_WORD;
        else if (type && !strcmp(type, "phone"))
            event.type = CP_SOUND_PHONE;
        else
            continue;
        event.at = member_int(mark, "at", at, limit);
        event.length = member_int(mark, "length", 0, limit - event.at);
        event.start = member_int(mark, "start", 0, (int64_t)text_bytes);
        event.end = member_int(mark, "end", event.start, (int64_t)text_bytes);
        event.stress = member_int(mark, "stress", 0, 2);
        const char *name = json_string_value(json_object_get(mark, "name"));
        if (name && strlen(name) < sizeof event.name) /* a longer name would be cut inside a sign */
            memcpy(event.name, name, strlen(name));
        at = event.at;
        result = cp_sound_add_event(sound, &event);
    }
    json_decref(payload);
    return result;
}

static int send_request(struct engine *engine, const struct cp_piece *piece, int64_t deadline_ns,
                        const atomic_bool *stop)
{
    json_t *request =
        json_pack("{s:I,s:s,s:s#,s:f,s:f}", "id", ++engine->last_id, "voice", piece->voice, "text",
                  piece->text, (int)piece->length, "rate", piece->rate, "pitch", piece->pitch);
    char *json = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (!json)
        return CP_ERR_NOMEM;
    size_t length = strlen(json);
    uint8_t head[CP_FRAME_HEAD_BYTES];
    cp_frame_write_head(head, CP_FRAME_SPEAK, (uint32_t)length);
    int result = length > CP_FRAME_MAX_BYTES ? CP_ERR_LIMIT : 0;
    if (!result)
        result = cp_child_write(&engine->child, head, sizeof head, deadline_ns, stop);
    if (!result)
        result = cp_child_write(&engine->child, json, length, deadline_ns, stop);
    free(json);
    return result;
}

/* Takes one frame of the answer. *ret_over at its end. */
static int take_frame(struct engine *engine, enum cp_frame_type type, size_t length,
                      const struct cp_piece *piece, struct cp_sound *sound, bool *ret_over,
                      struct cp_error *error)
{
    if (type == CP_FRAME_SOUND) {
        if (!sound->hz)
            return CP_ERR_FORMAT;
        /* both ends are on one machine; the protocol is little-endian and so is every host we build for */
        return cp_sound_add_pcm(sound, (const int16_t *)engine->payload, length / 2);
    }
    if (type == CP_FRAME_EVENTS)
        return cp_espeak_read_marks(engine->payload, length, piece->length, sound);
    *ret_over = type == CP_FRAME_DONE || type == CP_FRAME_ERROR;
    if (type == CP_FRAME_DONE)
        return sound->hz ? 0 : CP_ERR_FORMAT;
    json_t *object = json_loadb(engine->payload, length, 0, NULL);
    int result = object ? 0 : CP_ERR_FORMAT;
    if (object && type == CP_FRAME_BEGIN) {
        sound->hz = member_int(object, "hz", 0, 1000000);
        result = sound->hz >= 8000 && sound->hz <= 48000 ? 0 : CP_ERR_FORMAT;
    } else if (object && type == CP_FRAME_ERROR) {
        const char *text = json_string_value(json_object_get(object, "text"));
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "The voice espeak:%s failed: %.100s.", piece->voice,
                         text ? text : "no reason given");
    }
    json_decref(object);
    return result;
}

/* One try. CP_ERR_INVALID and CP_ERR_LIMIT are the request's fault, all else the worker's. */
static int try_speak(struct engine *engine, const struct cp_piece *piece, const atomic_bool *stop,
                     struct cp_sound *sound, struct cp_error *error)
{
    int64_t deadline_ns = cp_clock_now_ns() + engine->deadline_ms * CP_NS_PER_MS;
    if (piece->deadline_ns && piece->deadline_ns < deadline_ns)
        deadline_ns = piece->deadline_ns;
    cp_sound_clear(sound);
    int result = send_request(engine, piece, deadline_ns, stop);
    for (bool over = false; !result && !over;) {
        enum cp_frame_type type;
        size_t length;
        result = read_frame(engine, &type, &length, deadline_ns, stop);
        if (!result)
            result = take_frame(engine, type, length, piece, sound, &over, error);
    }
    return result;
}

static int espeak_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                        struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    int result = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        result = require_worker(engine, stop, error);
        if (result)
            return result;
        result = try_speak(engine, piece, stop, sound, error);
        if (!result)
            engine->failures = 0;
        if (!result || result == CP_ERR_INVALID)
            return result;
        if (result == CP_ERR_CANCELLED || result == CP_ERR_NOMEM || result == CP_ERR_LIMIT) {
            cp_child_stop(&engine->child); /* its answer is half read */
            return cp_fail(error, result, STAGE, "espeak:%s: %s.", piece->voice, cp_err_name(result));
        }
        cp_log(CP_LOG_WARN, STAGE, "worker failed", "engine=espeak voice=%s attempt=%d reason=\"%s\"",
               piece->voice, attempt + 1, result == CP_ERR_IO ? "it ended" : cp_err_name(result));
        drop_worker(engine);
    }
    const char *what = result == CP_ERR_TIMEOUT ? "hung"
                       : result == CP_ERR_IO    ? "ended"
                                                : "answered nonsense";
    return cp_fail(
        error, result == CP_ERR_TIMEOUT ? CP_ERR_TIMEOUT : CP_ERR_UNAVAILABLE, STAGE,
        "The voice program of espeak:%s %s twice over one sentence; try other words or another voice.",
        piece->voice, what);
}

/* --- opening --- */

/* The worker lies beside the program when installed, and in its own folder of the build tree. */
static void find_worker(const char *configured, char *path, size_t capacity)
{
    static const char *const PLACES[] = {"compere-espeak", "../libexec/compere/compere-espeak",
                                         "../speech/worker/compere-espeak"};
    snprintf(path, capacity, "%s", configured);
    char self[PATH_MAX / 2];
    ssize_t length = *configured ? -1 : readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        snprintf(path, capacity, "%s/%s", self, PLACES[i]);
        if (!access(path, X_OK))
            return;
    }
    snprintf(path, capacity, "%s/%s", self, PLACES[0]);
}

static void espeak_close(void *opaque)
{
    struct engine *engine = opaque;
    if (!engine)
        return;
    cp_child_stop(&engine->child);
    free(engine->voices);
    free(engine->payload);
    free(engine);
}

static int espeak_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine)
        engine->payload = malloc(CP_FRAME_MAX_BYTES + 1);
    if (!engine || !engine->payload) {
        espeak_close(engine);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    }
    engine->deadline_ms = SENTENCE_MS;
    find_worker(config->worker, engine->path, sizeof engine->path);
    struct cp_error why = {0};
    if (start_worker(engine, NULL, &why)) {
        snprintf(engine->why_not, sizeof engine->why_not, "%.155s", why.text);
        drop_worker(engine);
    }
    *ret_engine = engine;
    return 0;
}

static int espeak_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    int n = engine->n_voices < capacity ? engine->n_voices : capacity;
    if (n)
        memcpy(voices, engine->voices, (size_t)n * sizeof *voices);
    for (; *engine->why_not && n < N_EXPECTED && n < capacity; n++) {
        struct cp_voice *voice = &voices[n];
        *voice = (struct cp_voice){.engine = "espeak-ng", .sex = "female"};
        snprintf(voice->id, sizeof voice->id, "espeak:%s", EXPECTED[n].tag);
        snprintf(voice->name, sizeof voice->name, "%s", EXPECTED[n].name);
        snprintf(voice->language, sizeof voice->language, "%s", EXPECTED[n].tag);
        snprintf(voice->why_not, sizeof voice->why_not, "%s", engine->why_not);
    }
    return n;
}

static uint64_t espeak_restarts(void *opaque)
{
    struct engine *engine = opaque;
    return atomic_load(&engine->restarts);
}

pid_t cp_espeak_worker_pid(void *opaque)
{
    struct engine *engine = opaque;
    return atomic_load(&engine->child.pid);
}

void cp_espeak_set_deadline_ms(void *opaque, int64_t deadline_ms)
{
    struct engine *engine = opaque;
    engine->deadline_ms = deadline_ms;
}

const struct cp_speech_provider cp_espeak_provider = {
    .name = "espeak",
    .summary = "some 130 languages, in a worker process",
    .phones = CP_PHONES_IPA,
    .open = espeak_open,
    .voices = espeak_voices,
    .speak = espeak_speak,
    .restarts = espeak_restarts,
    .close = espeak_close,
};
