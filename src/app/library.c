/*
 * The library: finished speech becomes stored speech objects, sound as WAV and marks as JSON lines beside a
 * record, all with one expiry. Writing happens on a thread of its own, so that neither the show nor the voice
 * waits for disks.
 */
#include "app/app.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SPEECH     "speech"
#define QUEUE      256
#define MAX_WAV    (512 << 20)
#define WAV_HEADER 44

/* A piece of work: utterances to keep, and who waits for the answer (or nobody). */
struct job {
    struct cp_library *library;
    json_t *about; /* goes into the record: text, voice, cue, channel */
    int64_t keep_s;
    struct cp_request *request; /* held; NULL for a cue's speech */
    struct cp_utterance **utterances;
    int n, capacity;
    int result;
    struct cp_error error;
};

struct cp_library {
    struct cp_app *app;
    struct cp_queue *queue;
    pthread_t thread;
    bool started;
    struct cp_metric *kept, *refused, *failed;
};

static void free_job(void *item)
{
    struct job *job = item;
    if (job->request)
        cp_request_fail_status(job->request, 503, "stopping", "the server is stopping");
    for (int i = 0; i < job->n; i++)
        cp_ref_drop(job->utterances[i]);
    free(job->utterances);
    json_decref(job->about);
    free(job);
}

static bool add_utterance(struct job *job, struct cp_utterance *utterance)
{
    if (job->n == job->capacity) {
        int capacity = job->capacity ? 2 * job->capacity : 8;
        struct cp_utterance **more = realloc(job->utterances, (size_t)capacity * sizeof(void *));
        if (!more)
            return false;
        job->utterances = more;
        job->capacity = capacity;
    }
    job->utterances[job->n++] = cp_ref_take(utterance);
    return true;
}

/* "sp_" and 128 random bits: a speech id cannot be guessed. */
static void make_id(char id[40])
{
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* Linux gives 16 bytes or the system is broken */
    memcpy(id, "sp_", 4);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(id + 3 + 2 * i, 3, "%02x", random[i]);
}

static void object_key(const char *id, const char *ending, char key[64])
{
    snprintf(key, 64, "speech/%.40s.%s", id, ending);
}

static int put_objects(struct job *job, const char *id, int64_t expires_wall_ns, int64_t *ret_bytes,
                       struct cp_error *error)
{
    struct cp_store *store = job->library->app->store;
    struct cp_buffer sound = cp_buffer_make(MAX_WAV), marks = cp_buffer_make(64 << 20);
    char key[64];
    int result = cp_speech_write_wav(job->utterances, job->n, &sound);
    if (!result)
        result = cp_speech_write_marks(job->utterances, job->n, &marks);
    if (result)
        cp_fail(error, CP_ERR_LIMIT, "app", "the sound is too long to be kept as one file");
    if (!result) {
        object_key(id, "wav", key);
        result =
            cp_store_object_put(store, key, "audio/wav", sound.data, sound.length, expires_wall_ns, error);
    }
    if (!result) {
        object_key(id, "jsonl", key);
        result =
            cp_store_object_put(store, key, "application/jsonl", marks.length ? marks.data : (uint8_t *)"",
                                marks.length, expires_wall_ns, error);
    }
    *ret_bytes = (int64_t)sound.length;
    cp_buffer_free(&sound);
    cp_buffer_free(&marks);
    return result;
}

/* Sound and marks first, the record last: a record never names what is not there. */
static int keep(struct job *job, json_t **ret_speech, struct cp_error *error)
{
    struct cp_app *app = job->library->app;
    char id[40], audio[80], marks[80], created[32], expires[32];
    int64_t now_ns = cp_clock_wall_ns(), expires_ns = now_ns + job->keep_s * CP_NS_PER_S, samples = 0,
            bytes = 0;
    for (int i = 0; i < job->n; i++)
        samples += job->utterances[i]->n_samples;
    make_id(id);
    int result = put_objects(job, id, expires_ns, &bytes, error);
    if (result)
        return result;
    snprintf(audio, sizeof audio, "/v1/speech/%s/audio", id);
    snprintf(marks, sizeof marks, "/v1/speech/%s/marks", id);
    cp_clock_rfc3339(now_ns, created);
    cp_clock_rfc3339(expires_ns, expires);
    json_t *speech = json_deep_copy(job->about);
    json_object_set_new(speech, "id", json_string(id));
    json_object_set_new(speech, "voice", json_string(job->n ? job->utterances[0]->voice : ""));
    json_object_set_new(speech, "duration_ms", json_integer(samples / (CP_SAMPLE_HZ / 1000)));
    json_object_set_new(speech, "bytes", json_integer(bytes));
    json_object_set_new(speech, "sentences", json_integer(job->n));
    json_object_set_new(speech, "audio", json_string(audio));
    json_object_set_new(speech, "marks", json_string(marks));
    json_object_set_new(speech, "created_at", json_string(created));
    json_object_set_new(speech, "expires_at", json_string(expires));
    char *text = json_dumps(speech, JSON_COMPACT);
    result =
        text ? cp_store_put_if(app->store, SPEECH, id, text, CP_STORE_MUST_BE_NEW, expires_ns, NULL, error)
             : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    free(text);
    if (result) {
        json_decref(speech);
        return result;
    }
    *ret_speech = speech;
    return 0;
}

static void do_job(struct job *job)
{
    struct cp_library *library = job->library;
    struct cp_request *request = job->request;
    json_t *speech = NULL;
    job->request = NULL;
    if (!job->result)
        job->result = keep(job, &speech, &job->error);
    cp_metric_add(job->result ? library->failed : library->kept, 1);
    if (request && job->result) {
        cp_request_fail(request, &job->error);
    } else if (request) {
        char location[80];
        snprintf(location, sizeof location, "/v1/speech/%s",
                 json_string_value(json_object_get(speech, "id")));
        cp_request_add_header(request, "Location", location);
        cp_request_reply_json(request, 201, json_incref(speech));
    } else if (job->result) {
        cp_log(CP_LOG_WARN, "app", "voice file not kept", "error=\"%s\"", job->error.text);
    }
    json_decref(speech);
    free_job(job);
}

static void *run_library(void *arg)
{
    struct cp_library *library = arg;
    for (struct job *job; (job = cp_queue_pop(library->queue, INT64_MAX));)
        do_job(job);
    return NULL;
}

static void hand_in(struct cp_library *library, struct job *job)
{
    if (cp_queue_push(library->queue, job))
        return;
    cp_metric_add(library->refused, 1);
    free_job(job);
}

int cp_library_create(struct cp_app *app, struct cp_library **ret_library, struct cp_error *error)
{
    struct cp_library *library = calloc(1, sizeof *library);
    if (!library)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    library->app = app;
    library->kept =
        cp_counter(app->observe, "compere_speech_objects_total", "result=\"kept\"", "Voice files by result");
    library->refused = cp_counter(app->observe, "compere_speech_objects_total", "result=\"refused\"",
                                  "Voice files by result");
    library->failed = cp_counter(app->observe, "compere_speech_objects_total", "result=\"failed\"",
                                 "Voice files by result");
    library->queue = cp_queue_create("library", QUEUE, CP_FULL_REFUSE, free_job);
    if (!library->queue || cp_thread_start(&library->thread, "library", run_library, library)) {
        cp_library_destroy(library);
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start the library");
    }
    library->started = true;
    *ret_library = library;
    return 0;
}

void cp_library_destroy(struct cp_library *library)
{
    if (!library)
        return;
    if (library->queue)
        cp_queue_close(library->queue);
    if (library->started)
        pthread_join(library->thread, NULL);
    cp_queue_destroy(library->queue);
    free(library);
}

static int64_t keep_seconds(const struct cp_library *library, const json_t *spec)
{
    int64_t ttl_s = json_integer_value(json_object_get(spec, "ttl_s"));
    return ttl_s ? ttl_s : library->app->config.library.keep_s;
}

void cp_library_keep_cue(struct cp_library *library, const char *channel, const json_t *cue,
                         struct cp_utterance *const *utterances, int n)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return;
    job->library = library;
    job->keep_s = keep_seconds(library, cue);
    job->about = json_object();
    json_object_set_new(job->about, "channel", json_string(channel));
    json_object_set(job->about, "cue", json_object_get(cue, "id"));
    json_t *text = json_object_get(cue, "text") ? json_object_get(cue, "text") : json_object_get(cue, "ssml");
    json_object_set(job->about, "text", text);
    for (int i = 0; i < n; i++)
        add_utterance(job, utterances[i]);
    hand_in(library, job);
}

/* --- POST /v1/speech --- */

static void on_utterance(void *user, struct cp_utterance *utterance)
{
    struct job *job = user;
    if (!add_utterance(job, utterance) && !job->result)
        job->result = cp_fail(&job->error, CP_ERR_NOMEM, "app", "out of memory");
}

static void on_done(void *user, int result, const struct cp_error *error)
{
    struct job *job = user;
    if (result) {
        job->result = result;
        job->error = *error;
    }
    hand_in(job->library, job);
}

void cp_library_speak(struct cp_library *library, struct cp_request *request)
{
    static const struct cp_speech_events EVENTS = {.utterance = on_utterance, .done = on_done};
    json_t *body = cp_request_json(request);
    struct cp_speech_request speech = cp_api_speech_request(body, NULL);
    struct cp_warnings warnings;
    struct cp_error error;
    uint64_t ticket;
    if (!speech.text == !speech.ssml) {
        cp_request_fail_status(request, 400, "invalid request", "give either \"text\" or \"ssml\"");
        return;
    }
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    job->library = library;
    job->about = json_object();
    json_object_set_new(job->about, "text", json_string(speech.text ? speech.text : speech.ssml));
    job->keep_s = keep_seconds(library, body);
    if (!cp_speech_check(library->app->speech, &speech, NULL, NULL, &warnings, NULL))
        cp_api_set_warnings(job->about, &warnings);
    speech.priority = CP_SPEECH_LIVE;
    cp_request_hold(request, NULL, NULL);
    job->request = request;
    if (cp_speech_say(library->app->speech, &speech, &EVENTS, job, &ticket, &error)) {
        job->request = NULL;
        cp_request_fail(request, &error);
        free_job(job);
    }
}

/* --- reading --- */

int cp_library_get(struct cp_library *library, const char *id, json_t **ret_speech, struct cp_error *error)
{
    struct cp_record record;
    int result =
        strlen(id) > 40 ? CP_ERR_NOT_FOUND : cp_store_get(library->app->store, SPEECH, id, &record, error);
    if (result == CP_ERR_NOT_FOUND)
        return cp_fail(error, result, "app", "there is no speech \"%.60s\", or it has expired", id);
    if (result)
        return result;
    *ret_speech = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    return *ret_speech ? 0 : cp_fail(error, CP_ERR_INTERNAL, "app", "the record of speech %s is damaged", id);
}

int cp_library_delete(struct cp_library *library, const char *id, struct cp_error *error)
{
    json_t *speech;
    char key[64];
    int result = cp_library_get(library, id, &speech, error);
    if (result)
        return result;
    json_decref(speech);
    result = cp_store_delete_if(library->app->store, SPEECH, id, CP_STORE_ANY_VERSION, error);
    object_key(id, "wav", key);
    cp_store_object_delete(library->app->store, key, NULL);
    object_key(id, "jsonl", key);
    cp_store_object_delete(library->app->store, key, NULL);
    return result;
}

static int read_object(struct cp_library *library, const char *id, const char *ending, struct cp_buffer *out,
                       struct cp_error *error)
{
    json_t *speech;
    char key[64];
    int result = cp_library_get(library, id, &speech, error); /* the record decides: expired is gone */
    if (result)
        return result;
    json_decref(speech);
    object_key(id, ending, key);
    return cp_store_object_get(library->app->store, key, 0, -1, out, error);
}

int cp_library_audio(struct cp_library *library, const char *id, const char *type, struct cp_buffer *out,
                     struct cp_error *error)
{
    if (strcmp(type, "audio/ogg"))
        return read_object(library, id, "wav", out, error);
    struct cp_buffer wav = cp_buffer_make(MAX_WAV);
    int result = read_object(library, id, "wav", &wav, error);
    struct cp_utterance *utterance = NULL;
    if (!result && wav.length < WAV_HEADER)
        result = cp_fail(error, CP_ERR_INTERNAL, "app", "the sound of speech %s is damaged", id);
    if (!result) {
        utterance = cp_utterance_create((int32_t)((wav.length - WAV_HEADER) / 2), 0, "");
        if (!utterance)
            result = cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    }
    if (!result) {
        memcpy(utterance->pcm, wav.data + WAV_HEADER, (size_t)utterance->n_samples * 2);
        result = cp_speech_write_ogg(&utterance, 1, out, error);
    }
    cp_ref_drop(utterance);
    cp_buffer_free(&wav);
    return result;
}

int cp_library_marks(struct cp_library *library, const char *id, struct cp_buffer *out,
                     struct cp_error *error)
{
    return read_object(library, id, "jsonl", out, error);
}
