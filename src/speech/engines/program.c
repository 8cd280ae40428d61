#include "speech/engines/program.h"

#include "base/clock.h"
#include "base/log.h"
#include "speech/engines/child.h"
#include "speech/script.h"
#include "speech/worker/protocol.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum {
    HELLO_MS = 3000,
    FIRST_BACKOFF_MS = 50, /* doubled each time it dies without having spoken */
    MAX_BACKOFF_MS = 5000,
    PATIENCE_MS = 300, /* a longer backoff fails the request at once */
    MAX_WORDS = 32,
    BYTES_PER_MS = 4, /* of a long text: a slow machine's pace */
};

struct cp_program {
    char name[32], engine[24], id_prefix[48];
    char *words[MAX_WORDS + 1];
    pthread_mutex_t turn; /* held while it speaks: guards all below but the atomics */
    struct cp_child child;
    int64_t greeting_ns;     /* when it was started, until its hello has come; else 0 */
    struct cp_voice *voices; /* as of the first hello */
    int n_voices;
    char why_not[160]; /* "" or why there was no first hello */
    int64_t sentence_ms;
    bool quick;
    int failures; /* starts in a row that spoke nothing */
    int64_t not_before_ns;
    json_int_t last_id;
    atomic_ulong restarts;
    char *payload; /* of the frame being read: CP_FRAME_MAX_BYTES + 1 */
};

/* --- frames --- */

/* Reads one frame into program->payload, with a NUL behind it. */
static int read_frame(struct cp_program *program, enum cp_frame_type *ret_type, size_t *ret_length,
                      int64_t deadline_ns, const atomic_bool *stop)
{
    uint8_t head[CP_FRAME_HEAD_BYTES];
    int result = cp_child_read(&program->child, head, sizeof head, deadline_ns, stop);
    if (result)
        return result;
    int32_t length = cp_frame_read_head(head, ret_type);
    if (length < 0)
        return CP_ERR_FORMAT;
    result = cp_child_read(&program->child, program->payload, (size_t)length, deadline_ns, stop);
    if (result)
        return result;
    program->payload[length] = '\0';
    *ret_length = (size_t)length;
    return 0;
}

static void copy_text(char *to, size_t capacity, const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    snprintf(to, capacity, "%s", text ? text : "");
}

static int read_voices(struct cp_program *program, const json_t *hello)
{
    const json_t *list = json_object_get(hello, "voices");
    size_t n = json_array_size(list);
    if (json_integer_value(json_object_get(hello, "protocol")) != CP_VOICE_PROTOCOL || !n)
        return CP_ERR_FORMAT;
    if (program->voices)
        return 0; /* the list does not change while we run */
    program->voices = calloc(n, sizeof *program->voices);
    if (!program->voices)
        return CP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *from = json_array_get(list, i);
        struct cp_voice *voice = &program->voices[program->n_voices];
        char id[48], name[48];
        copy_text(id, sizeof id, from, "id");
        copy_text(name, sizeof name, from, "name");
        if (!*id)
            continue;
        *voice = (struct cp_voice){0};
        copy_text(voice->why_not, sizeof voice->why_not, from, "why_not");
        voice->usable = !*voice->why_not;
        snprintf(voice->engine, sizeof voice->engine, "%s", program->engine);
        if ((size_t)snprintf(voice->id, sizeof voice->id, "%s%s", program->id_prefix, id) >= sizeof voice->id)
            continue;
        copy_text(voice->language, sizeof voice->language, from, "language");
        copy_text(voice->sex, sizeof voice->sex, from, "sex");
        copy_text(voice->age, sizeof voice->age, from, "age");
        snprintf(voice->name, sizeof voice->name, "%s%s%s", *name ? name : id, *voice->sex ? ", " : "",
                 voice->sex);
        program->n_voices++;
    }
    return 0;
}

/* --- the worker's life --- */

/* Hears the hello of a program that was started. One that is not ready by the deadline goes on getting ready
 * (CP_ERR_TIMEOUT), until HELLO_MS after its start. */
static int hear_hello(struct cp_program *program, int64_t deadline_ns, const atomic_bool *stop)
{
    int64_t latest_ns = program->greeting_ns + HELLO_MS * CP_NS_PER_MS;
    int result = cp_child_wait(&program->child, deadline_ns < latest_ns ? deadline_ns : latest_ns, stop);
    if (result == CP_ERR_CANCELLED || (result == CP_ERR_TIMEOUT && deadline_ns < latest_ns))
        return result;
    enum cp_frame_type type;
    size_t length;
    if (!result)
        result = read_frame(program, &type, &length, latest_ns, stop);
    if (!result && type != CP_FRAME_HELLO)
        result = CP_ERR_FORMAT;
    if (!result) {
        json_t *hello = json_loadb(program->payload, length, 0, NULL);
        result = hello ? read_voices(program, hello) : CP_ERR_FORMAT;
        json_decref(hello);
    }
    program->greeting_ns = 0;
    if (result)
        cp_child_stop(&program->child);
    return result == CP_ERR_TIMEOUT ? CP_ERR_UNAVAILABLE : result;
}

/* Starts the program unless it is starting, and hears its hello. */
static int start_worker(struct cp_program *program, int64_t deadline_ns, const atomic_bool *stop,
                        struct cp_error *error)
{
    int result = 0;
    if (!program->greeting_ns)
        result = cp_child_start(&program->child, program->words, error);
    if (result)
        return result;
    if (!program->greeting_ns)
        program->greeting_ns = cp_clock_now_ns();
    result = hear_hello(program, deadline_ns, stop);
    switch (result) {
    case 0:
        return 0;
    case CP_ERR_CANCELLED:
        return cp_fail(error, result, STAGE, "The speech was cancelled.");
    case CP_ERR_TIMEOUT:
        return cp_fail(error, result, STAGE, "The voice program %s is not ready yet.", program->name);
    default:
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "The voice program %.100s does not start properly (%s); run it by hand to see why.",
                       program->words[0], result == CP_ERR_IO ? "it ended" : cp_err_name(result));
    }
}

static void drop_worker(struct cp_program *program)
{
    cp_child_stop(&program->child);
    int64_t backoff_ms = 0;
    if (program->failures > 0) /* the first restart is at once */
        backoff_ms = (int64_t)FIRST_BACKOFF_MS << (program->failures < 8 ? program->failures : 8);
    if (backoff_ms > MAX_BACKOFF_MS)
        backoff_ms = MAX_BACKOFF_MS;
    program->failures++;
    program->not_before_ns = cp_clock_now_ns() + backoff_ms * CP_NS_PER_MS;
}

/* A worker to talk to: the running one, or a new one unless it keeps failing. */
static int require_worker(struct cp_program *program, int64_t deadline_ns, const atomic_bool *stop,
                          struct cp_error *error)
{
    if (atomic_load(&program->child.pid) && !program->greeting_ns)
        return 0;
    int64_t left_ns = program->not_before_ns - cp_clock_now_ns();
    if (left_ns > PATIENCE_MS * CP_NS_PER_MS)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "The voice program keeps failing; it is tried again in %d s.",
                       (int)(left_ns / CP_NS_PER_S) + 1);
    if (left_ns > 0)
        cp_clock_sleep_until_ns(program->not_before_ns);
    int result = start_worker(program, deadline_ns, stop, error);
    if (result && result != CP_ERR_CANCELLED && result != CP_ERR_TIMEOUT)
        drop_worker(program);
    if (!result) {
        unsigned long restarts = atomic_fetch_add(&program->restarts, 1) + 1;
        cp_log(CP_LOG_INFO, STAGE, "worker restarted", "program=%s restarts=%lu", program->name, restarts);
    }
    return result;
}

/* --- speaking --- */

static int32_t member_int(const json_t *object, const char *member, int64_t low, int64_t high)
{
    json_int_t value = json_integer_value(json_object_get(object, member));
    return (int32_t)(value < low ? low : value > high ? high : value);
}

int cp_program_read_marks(const char *json, size_t length, size_t text_bytes, struct cp_sound *sound)
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

static int send_request(struct cp_program *program, const char *voice, const struct cp_piece *piece,
                        int64_t deadline_ns, const atomic_bool *stop)
{
    json_t *request =
        json_pack("{s:I,s:s,s:s#,s:f,s:f,s:f}", "id", ++program->last_id, "voice", voice, "text", piece->text,
                  (int)piece->length, "rate", piece->rate, "pitch", piece->pitch, "range", piece->range);
    json_t *stretches = request && piece->n_pronounced ? json_array() : NULL;
    for (int i = 0; stretches && i < piece->n_pronounced; i++)
        json_array_append_new(stretches,
                              json_pack("{s:i,s:i,s:s}", "start", piece->pronounced[i].start, "end",
                                        piece->pronounced[i].end, "ipa", piece->pronounced[i].ipa));
    if (stretches)
        json_object_set_new(request, "phonemes", stretches);
    char *json = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (!json)
        return CP_ERR_NOMEM;
    size_t length = strlen(json);
    uint8_t head[CP_FRAME_HEAD_BYTES];
    cp_frame_write_head(head, CP_FRAME_SPEAK, (uint32_t)length);
    int result = length > CP_FRAME_MAX_BYTES ? CP_ERR_LIMIT : 0;
    if (!result)
        result = cp_child_write(&program->child, head, sizeof head, deadline_ns, stop);
    if (!result)
        result = cp_child_write(&program->child, json, length, deadline_ns, stop);
    free(json);
    return result;
}

/* Takes one frame of the answer. *ret_over at its end. */
static int take_frame(struct cp_program *program, enum cp_frame_type type, size_t length,
                      const struct cp_piece *piece, struct cp_sound *sound, bool *ret_over,
                      struct cp_error *error)
{
    if (type == CP_FRAME_SOUND) {
        if (!sound->hz)
            return CP_ERR_FORMAT;
        /* both ends are on one machine; the protocol is little-endian and so is every host we build for */
        return cp_sound_add_pcm(sound, (const int16_t *)program->payload, length / 2);
    }
    if (type == CP_FRAME_EVENTS)
        return cp_program_read_marks(program->payload, length, piece->length, sound);
    *ret_over = type == CP_FRAME_DONE || type == CP_FRAME_ERROR;
    if (type == CP_FRAME_DONE)
        return sound->hz ? 0 : CP_ERR_FORMAT;
    json_t *object = json_loadb(program->payload, length, 0, NULL);
    int result = object ? 0 : CP_ERR_FORMAT;
    if (object && type == CP_FRAME_BEGIN) {
        sound->hz = member_int(object, "hz", 0, 1000000);
        result = sound->hz >= 8000 && sound->hz <= 48000 ? 0 : CP_ERR_FORMAT;
    } else if (object && type == CP_FRAME_ERROR) {
        const char *text = json_string_value(json_object_get(object, "text"));
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "The voice program %s failed: %.100s.", program->name,
                         text ? text : "no reason given");
    }
    json_decref(object);
    return result;
}

/* One try. CP_ERR_INVALID and CP_ERR_LIMIT are the request's fault, all else the worker's. */
static int try_speak(struct cp_program *program, const char *voice, const struct cp_piece *piece, bool first,
                     const atomic_bool *stop, struct cp_sound *sound, struct cp_error *error)
{
    int64_t now_ns = cp_clock_now_ns(), more_ms = (int64_t)piece->length / BYTES_PER_MS;
    int64_t deadline_ns = now_ns + (program->sentence_ms + more_ms) * CP_NS_PER_MS;
    int64_t wanted_ns = piece->deadline_ns ? piece->deadline_ns : deadline_ns;
    if (program->quick && first && piece->deadline_ns)
        wanted_ns = now_ns + (wanted_ns - now_ns) / 2;
    if (wanted_ns < deadline_ns)
        deadline_ns = wanted_ns;
    cp_sound_clear(sound);
    int result = send_request(program, voice, piece, deadline_ns, stop);
    for (bool over = false; !result && !over;) {
        enum cp_frame_type type;
        size_t length;
        result = read_frame(program, &type, &length, deadline_ns, stop);
        if (!result)
            result = take_frame(program, type, length, piece, sound, &over, error);
    }
    return result;
}

static bool has_time(const struct cp_piece *piece)
{
    enum { LEAST_MS = 100 };
    return !piece->deadline_ns || piece->deadline_ns - cp_clock_now_ns() > LEAST_MS * CP_NS_PER_MS;
}

static int speak(struct cp_program *program, const char *voice, const struct cp_piece *piece,
                 const atomic_bool *stop, struct cp_sound *sound, struct cp_error *error)
{
    int64_t hello_ns = piece->deadline_ns ? piece->deadline_ns : INT64_MAX;
    int result = 0, attempt = 0;
    while (attempt < 2 && (!attempt || has_time(piece))) {
        result = require_worker(program, hello_ns, stop, error);
        if (result)
            return result;
        result = try_speak(program, voice, piece, !attempt, stop, sound, error);
        if (!result)
            program->failures = 0;
        if (!result || result == CP_ERR_INVALID)
            return result;
        if (result == CP_ERR_CANCELLED || result == CP_ERR_NOMEM || result == CP_ERR_LIMIT) {
            cp_child_stop(&program->child); /* its answer is half read */
            return cp_fail(error, result, STAGE, "%s%s: %s.", program->id_prefix, voice, cp_err_name(result));
        }
        cp_log(CP_LOG_WARN, STAGE, "worker failed", "program=%s voice=%s attempt=%d reason=\"%s\"",
               program->name, voice, attempt + 1, result == CP_ERR_IO ? "it ended" : cp_err_name(result));
        drop_worker(program);
        attempt++;
    }
    const char *what = result == CP_ERR_TIMEOUT ? "hung"
                       : result == CP_ERR_IO    ? "ended"
                                                : "answered nonsense";
    return cp_fail(error, result == CP_ERR_TIMEOUT ? CP_ERR_TIMEOUT : CP_ERR_UNAVAILABLE, STAGE,
                   "The voice program of %s%s %s%s over one sentence; try other words or another voice.",
                   program->id_prefix, voice, what, attempt > 1 ? " twice" : "");
}

int cp_program_speak(struct cp_program *program, const char *voice, const struct cp_piece *piece,
                     const atomic_bool *stop, struct cp_sound *sound, struct cp_error *error)
{
    pthread_mutex_lock(&program->turn);
    int result = speak(program, voice, piece, stop, sound, error);
    pthread_mutex_unlock(&program->turn);
    return result;
}

/* --- opening --- */

void cp_program_destroy(struct cp_program *program)
{
    if (!program)
        return;
    cp_child_stop(&program->child);
    for (int i = 0; i < MAX_WORDS; i++)
        free(program->words[i]);
    pthread_mutex_destroy(&program->turn);
    free(program->voices);
    free(program->payload);
    free(program);
}

int cp_program_create(const struct cp_program_config *config, struct cp_program **ret_program,
                      struct cp_error *error)
{
    struct cp_program *program = calloc(1, sizeof *program);
    if (program)
        pthread_mutex_init(&program->turn, NULL);
    bool good = program && (program->payload = malloc(CP_FRAME_MAX_BYTES + 1));
    for (int i = 0; good && i < MAX_WORDS && config->words[i]; i++)
        good = (program->words[i] = strdup(config->words[i]));
    if (!good) {
        cp_program_destroy(program);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    }
    snprintf(program->name, sizeof program->name, "%s", config->name);
    snprintf(program->engine, sizeof program->engine, "%s", config->engine);
    snprintf(program->id_prefix, sizeof program->id_prefix, "%s", config->id_prefix);
    program->sentence_ms = config->sentence_ms;
    program->quick = config->quick;
    struct cp_error why = {0};
    if (start_worker(program, INT64_MAX, NULL, &why)) {
        snprintf(program->why_not, sizeof program->why_not, "%.155s", why.text);
        drop_worker(program);
    }
    *ret_program = program;
    return 0;
}

const struct cp_voice *cp_program_voices(const struct cp_program *program, int *ret_n)
{
    *ret_n = program->n_voices;
    return program->voices;
}

const char *cp_program_why_not(const struct cp_program *program)
{
    return program->why_not;
}

uint64_t cp_program_restarts(const struct cp_program *program)
{
    return atomic_load(&program->restarts);
}

pid_t cp_program_pid(const struct cp_program *program)
{
    return atomic_load(&program->child.pid);
}

void cp_program_set_sentence_ms(struct cp_program *program, int64_t sentence_ms)
{
    program->sentence_ms = sentence_ms;
}
