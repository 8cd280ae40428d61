/* How speech gets into the library, and the library's life. */
#include "app/library/library.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "media/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define QUEUE        256
#define MAX_SOUND    (512 << 20)
#define ORPHAN_GRACE 600 /* seconds that the two halves of a voice file may be apart */

/* --- keeping --- */

/* Utterances to keep, and who waits for the answer (or nobody). */
struct keep {
    struct cp_errand errand; /* first */
    struct cp_library *library;
    json_t *about; /* goes into the record: text, voice, cue, channel */
    int64_t keep_s;
    struct cp_request *request; /* held; NULL for a cue's speech */
    char *title, *language;     /* of a recording */
    struct cp_lexicon *lexicon; /* held; the channel's that was named, or NULL */
    char wanted[64];            /* the voice that it names, or "" */
    char index[80];             /* the name under which the same request finds it again, or "" */
    struct cp_utterance **utterances;
    int n, capacity;
    int result;
    struct cp_error error;
};

static void free_keep(struct keep *keep)
{
    for (int i = 0; i < keep->n; i++)
        cp_ref_drop(keep->utterances[i]);
    free(keep->utterances);
    free(keep->title);
    free(keep->language);
    cp_lexicon_drop(keep->lexicon);
    json_decref(keep->about);
    free(keep);
}

static void drop_keep(struct cp_errand *errand)
{
    struct keep *keep = (struct keep *)errand;
    cp_metric_add(keep->library->refused, 1);
    if (keep->request)
        cp_request_fail_status(keep->request, 503, "busy",
                               "more voice files wait to be stored than fit; try again in a moment");
    free_keep(keep);
}

static bool add_utterance(struct keep *keep, struct cp_utterance *utterance)
{
    if (keep->n == keep->capacity) {
        int capacity = keep->capacity ? 2 * keep->capacity : 8;
        struct cp_utterance **more = realloc(keep->utterances, (size_t)capacity * sizeof(void *));
        if (!more)
            return false;
        keep->utterances = more;
        keep->capacity = capacity;
    }
    keep->utterances[keep->n++] = cp_ref_take(utterance);
    return true;
}

/* "sp_", the time so that lists are in order, and 104 random bits: an id cannot be guessed. */
static void make_id(int64_t now_wall_ns, char id[CP_SPEECH_ID_BYTES])
{
    uint8_t random[13];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* Linux gives 13 bytes or the system is broken */
    int used = snprintf(id, CP_SPEECH_ID_BYTES, "sp_%011llx",
                        (unsigned long long)(now_wall_ns / CP_NS_PER_MS) & 0xfffffffffff);
    for (size_t i = 0; i < sizeof random; i++)
        used += snprintf(id + used, 3, "%02x", random[i]);
}

void cp_library_object_key(const char *id, const char *ending, char key[80])
{
    snprintf(key, 80, CP_LIBRARY_OBJECTS "%.47s.%.8s", id, ending);
}

enum cp_sound_format cp_library_kept_format(const json_t *speech)
{
    const char *name = json_string_value(json_object_get(speech, "format"));
    enum cp_sound_format format = name ? cp_sound_format_by_name(name) : CP_SOUND_UNSET;
    return format ? format : CP_SOUND_WAV;
}

static int put(struct cp_library *library, const char *id, const char *ending, const char *type,
               const struct cp_buffer *bytes, int64_t expires_wall_ns, struct cp_error *error)
{
    char key[80];
    cp_library_object_key(id, ending, key);
    return cp_store_object_put(library->app->store, key, type, bytes->data ? bytes->data : (uint8_t *)"",
                               bytes->length, expires_wall_ns, error);
}

static int put_objects(struct keep *keep, const char *id, int64_t expires_wall_ns,
                       enum cp_sound_format *ret_format, int64_t *ret_bytes, struct cp_error *error)
{
    struct cp_buffer sound = cp_buffer_make(MAX_SOUND), marks = cp_buffer_make(64 << 20);
    enum cp_sound_format format = CP_SOUND_OGG;
    int result = cp_sound_file_write(format, keep->utterances, keep->n, &sound, error);
    if (result == CP_ERR_UNSUPPORTED) {
        format = CP_SOUND_WAV;
        cp_buffer_free(&sound);
        result = cp_sound_file_write(format, keep->utterances, keep->n, &sound, error);
    }
    if (!result && cp_speech_write_marks(keep->utterances, keep->n, &marks))
        result = cp_fail(error, CP_ERR_LIMIT, "app", "the speech is too long to be kept as one file");
    if (!result)
        result = put(keep->library, id, cp_sound_format_ending(format), cp_sound_format_type(format), &sound,
                     expires_wall_ns, error);
    if (!result)
        result = put(keep->library, id, "jsonl", "application/jsonl", &marks, expires_wall_ns, error);
    *ret_format = format;
    *ret_bytes = (int64_t)sound.length;
    cp_buffer_free(&sound);
    cp_buffer_free(&marks);
    return result;
}

static int64_t count_characters(const char *text)
{
    int64_t n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* Engines of this machine cost nothing; services bill the characters that they were asked to speak. */
static bool is_billed(const char *voice)
{
    return strncmp(voice, "flite:", 6) && strncmp(voice, "espeak:", 7) && strncmp(voice, "worker:", 7) &&
           strcmp(voice, CP_RECORDING_VOICE) != 0;
}

static void count_speech(struct cp_library *library, const char *engine, int64_t characters, int64_t billed)
{
    char label[80];
    cp_observe_label(label, sizeof label, "engine", engine);
    cp_metric_add(cp_counter(library->app->observe, "compere_speech_characters_total", label,
                             "Characters of text in voice files"),
                  (double)characters);
    cp_metric_add(cp_counter(library->app->observe, "compere_speech_billed_characters_total", label,
                             "Characters that a voice service was asked to speak"),
                  (double)billed);
}

/* What the utterances say of themselves. */
static void describe(struct keep *keep, json_t *speech)
{
    int64_t samples = 0, characters = 0, billed = 0;
    bool cached = keep->n > 0;
    for (int i = 0; i < keep->n; i++) {
        const struct cp_utterance *utterance = keep->utterances[i];
        int64_t n = count_characters(utterance->text);
        samples += utterance->n_samples;
        characters += n;
        billed += !utterance->cached && is_billed(utterance->voice) ? n : 0;
        cached = cached && utterance->cached;
    }
    const char *voice = keep->n ? keep->utterances[0]->voice : "";
    char key[2 * CP_SPEECH_KEY_BYTES + 1] = "", engine[24], hash[65];
    for (size_t i = 0; keep->n && i < CP_SPEECH_KEY_BYTES; i++)
        snprintf(key + 2 * i, 3, "%02x", keep->utterances[0]->key[i]);
    snprintf(engine, sizeof engine, "%.*s", (int)strcspn(voice, ":"), voice);
    const char *text = json_string_value(json_object_get(speech, "text"));
    cp_sigv4_sha256(text ? text : "", text ? strlen(text) : 0, hash);
    json_object_set_new(speech, "text_sha256", json_string(hash));
    json_object_set_new(speech, "key", json_string(key));
    json_object_set_new(speech, "voice", json_string(voice));
    json_object_set_new(speech, "engine", json_string(engine));
    json_object_set_new(speech, "duration_ms", json_integer(samples / (CP_SAMPLE_HZ / 1000)));
    json_object_set_new(speech, "sentences", json_integer(keep->n));
    json_object_set_new(speech, "characters", json_integer(characters));
    json_object_set_new(speech, "billed_characters", json_integer(billed));
    json_object_set_new(speech, "cached", json_boolean(cached));
    count_speech(keep->library, engine, characters, billed);
    cp_metric_add(keep->library->sound_seconds, (double)samples / CP_SAMPLE_HZ);
}

/* Id, addresses and times; then the record is written. */
static int put_record(struct cp_library *library, json_t *speech, const char *id, int64_t now_ns,
                      int64_t expires_ns, struct cp_error *error)
{
    char audio[96], marks[96], created[32], expires[32];
    snprintf(audio, sizeof audio, "/v1/speech/%s/audio", id);
    snprintf(marks, sizeof marks, "/v1/speech/%s/marks", id);
    cp_clock_rfc3339(now_ns, created);
    cp_clock_rfc3339(expires_ns, expires);
    json_object_set_new(speech, "id", json_string(id));
    json_object_set_new(speech, "audio", json_string(audio));
    json_object_set_new(speech, "marks", json_string(marks));
    json_object_set_new(speech, "created_at", json_string(created));
    json_object_set_new(speech, "expires_at", json_string(expires));
    char *text = json_dumps(speech, JSON_COMPACT);
    int result = text ? cp_store_put_if(library->app->store, CP_LIBRARY_RECORDS, id, text,
                                        CP_STORE_MUST_BE_NEW, expires_ns, NULL, error)
                      : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    free(text);
    return result;
}

/* What was put of a voice file that could not be finished. */
static void take_back(struct cp_library *library, const char *id)
{
    static const char *const ENDINGS[] = {"ogg", "wav", "jsonl"};
    char key[80];
    for (size_t i = 0; i < 3; i++) {
        cp_library_object_key(id, ENDINGS[i], key);
        cp_store_object_delete(library->app->store, key, NULL);
    }
}

/* Sound and marks first, the record last: a record never names what is not there. */
static int keep_speech(struct keep *keep, json_t **ret_speech, struct cp_error *error)
{
    struct cp_library *library = keep->library;
    char id[CP_SPEECH_ID_BYTES];
    int64_t now_ns = cp_clock_wall_ns(), expires_ns = now_ns + keep->keep_s * CP_NS_PER_S, bytes = 0;
    int64_t forget_ns =
        cp_clock_now_ns() + keep->keep_s * CP_NS_PER_S; /* the same moment: writing takes a while */
    enum cp_sound_format format = CP_SOUND_UNSET;
    make_id(now_ns, id);
    json_t *speech = json_deep_copy(keep->about);
    int result = put_objects(keep, id, expires_ns, &format, &bytes, error);
    if (!result) {
        describe(keep, speech);
        json_object_set_new(speech, "bytes", json_integer(bytes));
        json_object_set_new(speech, "format", json_string(cp_sound_format_ending(format)));
        result = put_record(library, speech, id, now_ns, expires_ns, error);
    }
    if (result) {
        take_back(library, id);
        json_decref(speech);
        return result;
    }
    cp_metric_add(library->bytes, (double)bytes);
    if (keep->n) /* what is remembered in memory goes when the file does */
        cp_speech_forget(library->app->speech, keep->utterances[0]->key, forget_ns);
    *ret_speech = speech;
    return 0;
}

/* The same request finds this voice file again, if the voice that it names spoke all of it. */
static void write_index(struct keep *keep, const json_t *speech)
{
    char json[128];
    for (int i = 0; i < keep->n; i++)
        if (strcmp(keep->utterances[i]->voice, keep->wanted))
            return;
    if (!*keep->index || !keep->n)
        return;
    snprintf(json, sizeof json, "{\"id\":\"%s\"}", json_string_value(json_object_get(speech, "id")));
    cp_store_put_if(keep->library->app->store, "speech-index", keep->index, json, CP_STORE_ANY_VERSION,
                    cp_clock_wall_ns() + keep->keep_s * CP_NS_PER_S, NULL, NULL);
}

static void answer_created(struct cp_request *request, json_t *speech)
{
    char location[80];
    snprintf(location, sizeof location, "/v1/speech/%s", json_string_value(json_object_get(speech, "id")));
    cp_request_add_header(request, "Location", location);
    cp_request_reply_json(request, 201, json_incref(speech));
}

static void run_keep(struct cp_errand *errand)
{
    struct keep *keep = (struct keep *)errand;
    struct cp_library *library = keep->library;
    json_t *speech = NULL;
    if (!keep->result)
        keep->result = keep_speech(keep, &speech, &keep->error);
    cp_metric_add(keep->result ? library->failed : library->kept, 1);
    if (speech)
        write_index(keep, speech);
    if (keep->request && keep->result)
        cp_request_fail(keep->request, &keep->error);
    else if (keep->request)
        answer_created(keep->request, speech);
    else if (keep->result)
        cp_log(CP_LOG_WARN, "app", "voice file not kept", "error=\"%s\"", keep->error.text);
    json_decref(speech);
    free_keep(keep);
}

static struct keep *new_keep(struct cp_library *library, const json_t *spec)
{
    struct keep *keep = calloc(1, sizeof *keep);
    if (!keep)
        return NULL;
    int64_t ttl_s = json_integer_value(json_object_get(spec, "ttl_s"));
    keep->errand = (struct cp_errand){.run = run_keep, .drop = drop_keep};
    keep->library = library;
    keep->keep_s = ttl_s ? ttl_s : library->app->config.library.keep_s;
    keep->about = json_object();
    json_t *text = json_object_get(spec, "text");
    if (spec)
        json_object_set(keep->about, "text", text ? text : json_object_get(spec, "ssml"));
    return keep;
}

static void hand_in(struct keep *keep)
{
    if (!cp_runner_push(&keep->library->keeper, &keep->errand))
        drop_keep(&keep->errand);
}

void cp_library_keep_cue(struct cp_library *library, const char *channel, const json_t *cue,
                         struct cp_utterance *const *utterances, int n)
{
    if (json_object_get(cue, "speech"))
        return; /* it was a voice file before */
    struct keep *keep = new_keep(library, cue);
    if (!keep)
        return;
    json_object_set_new(keep->about, "channel", json_string(channel));
    json_object_set(keep->about, "cue", json_object_get(cue, "id"));
    for (int i = 0; i < n; i++)
        add_utterance(keep, utterances[i]);
    hand_in(keep);
}

/* --- POST /v1/speech --- */

static void on_utterance(void *user, struct cp_utterance *utterance)
{
    struct keep *keep = user;
    if (!add_utterance(keep, utterance) && !keep->result)
        keep->result = cp_fail(&keep->error, CP_ERR_NOMEM, "app", "out of memory");
}

static void on_done(void *user, int result, const struct cp_error *error)
{
    struct keep *keep = user;
    if (result) {
        keep->result = result;
        keep->error = *error;
    }
    hand_in(keep);
}

static int copy_object(struct cp_library *library, const char *from, const char *to, const char *ending,
                       const char *type, int64_t expires_ns, struct cp_error *error)
{
    struct cp_buffer bytes = cp_buffer_make(MAX_SOUND);
    char key[80];
    cp_library_object_key(from, ending, key);
    int result = cp_store_object_get(library->app->store, key, 0, -1, &bytes, error);
    if (!result)
        result = put(library, to, ending, type, &bytes, expires_ns, error);
    cp_buffer_free(&bytes);
    return result;
}

/* The same words by the same voice are stored already: a voice file of its own, with its own expiry, made of
 * those bytes. Nobody is asked to speak. */
static int copy_kept(struct keep *keep, json_t **ret_speech)
{
    struct cp_library *library = keep->library;
    struct cp_record record;
    json_t *speech = NULL;
    if (!*keep->index || cp_store_get(library->app->store, "speech-index", keep->index, &record, NULL))
        return CP_ERR_NOT_FOUND;
    json_t *found = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    const char *from = json_string_value(json_object_get(found, "id"));
    int result = from ? cp_library_get(library, from, &speech, NULL) : CP_ERR_NOT_FOUND;
    char id[CP_SPEECH_ID_BYTES];
    int64_t now_ns = cp_clock_wall_ns(), expires_ns = now_ns + keep->keep_s * CP_NS_PER_S;
    make_id(now_ns, id);
    if (!result) {
        enum cp_sound_format format = cp_library_kept_format(speech);
        result = copy_object(library, from, id, cp_sound_format_ending(format), cp_sound_format_type(format),
                             expires_ns, NULL);
    }
    if (!result)
        result = copy_object(library, from, id, "jsonl", "application/jsonl", expires_ns, NULL);
    if (!result) {
        json_object_set_new(speech, "billed_characters", json_integer(0));
        json_object_set_new(speech, "cached", json_true());
        json_object_del(speech, "channel");
        json_object_del(speech, "cue");
        result = put_record(library, speech, id, now_ns, expires_ns, NULL);
        if (result)
            take_back(library, id);
    }
    json_decref(found);
    if (result) {
        json_decref(speech);
        return result;
    }
    cp_metric_add(library->reused, 1);
    *ret_speech = speech;
    return 0;
}

static void say(struct keep *keep)
{
    static const struct cp_speech_events EVENTS = {.utterance = on_utterance, .done = on_done};
    struct cp_speech_request speech = cp_app_speech_request(cp_request_json(keep->request), NULL);
    struct cp_error error;
    uint64_t ticket;
    speech.lexicon = keep->lexicon;
    speech.priority = CP_SPEECH_LIVE;
    if (cp_speech_say(keep->library->app->speech, &speech, &EVENTS, keep, &ticket, &error)) {
        cp_request_fail(keep->request, &error);
        free_keep(keep);
    }
}

/* thread: library.read */
static void run_lookup(struct cp_errand *errand)
{
    struct keep *keep = (struct keep *)errand;
    json_t *speech = NULL;
    keep->errand.run = run_keep;
    if (copy_kept(keep, &speech)) {
        say(keep);
        return;
    }
    answer_created(keep->request, speech);
    json_decref(speech);
    free_keep(keep);
}

void cp_library_speak(struct cp_library *library, struct cp_request *request)
{
    json_t *body = cp_request_json(request);
    struct cp_speech_request speech = cp_app_speech_request(body, NULL);
    struct cp_warnings warnings;
    struct cp_error error;
    if (!speech.text == !speech.ssml) {
        cp_request_fail_status(request, 400, "invalid request", "give either \"text\" or \"ssml\"");
        return;
    }
    if (cp_speech_check(library->app->speech, &speech, NULL, NULL, &warnings, &error)) {
        cp_request_fail(request, &error);
        return;
    }
    const char *channel = json_string_value(json_object_get(body, "channel"));
    if (channel && *channel && cp_api_check_channel(library->app, channel, &error)) {
        cp_request_fail(request, &error);
        return;
    }
    struct keep *keep = new_keep(library, body);
    if (!keep) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    cp_app_set_warnings(keep->about, &warnings);
    speech.lexicon = keep->lexicon = channel ? cp_lexicons_hold(library->app->lexicons, channel) : NULL;
    if (speech.voice && *speech.voice) {
        uint8_t key[CP_SPEECH_KEY_BYTES];
        cp_speech_request_key(&speech, key);
        struct cp_buffer name = cp_buffer_make(256);
        cp_buffer_add(&name, key, sizeof key);
        cp_buffer_text(&name, speech.voice);
        cp_sigv4_sha256(name.data, name.length, keep->index);
        cp_buffer_free(&name);
        snprintf(keep->wanted, sizeof keep->wanted, "%s", speech.voice);
    }
    keep->request = request;
    cp_request_hold(request, NULL, NULL);
    if (!*keep->index) {
        say(keep);
        return;
    }
    keep->errand.run = run_lookup;
    if (!cp_runner_push(&library->reader, &keep->errand))
        drop_keep(&keep->errand);
}

/* --- POST /v1/speech/recordings --- */

/* thread: library; then it is kept as all others are */
static void run_recording(struct cp_errand *errand)
{
    struct keep *keep = (struct keep *)errand;
    struct cp_recording recording = {.text = json_string_value(json_object_get(keep->about, "text")),
                                     .title = keep->title,
                                     .language = keep->language};
    struct cp_utterance **utterances = NULL;
    int n = 0;
    recording.bytes = cp_request_body(keep->request, &recording.length);
    keep->result = cp_speech_record(keep->library->app->speech, &recording, &utterances, &n, &keep->error);
    keep->utterances = utterances;
    keep->n = n;
    if (!keep->result && !recording.text)
        json_object_set_new(keep->about, "text", json_string(keep->title));
    run_keep(errand);
}

void cp_library_record(struct cp_library *library, struct cp_request *request)
{
    const char *text = cp_request_query(request, "text"), *title = cp_request_query(request, "title"),
               *language = cp_request_query(request, "language"), *ttl_s = cp_request_query(request, "ttl_s");
    struct keep *keep = new_keep(library, NULL);
    if (!keep) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    keep->errand.run = run_recording;
    keep->title = strdup(title && *title ? title : "Recording");
    keep->language = strdup(language ? language : "");
    if (ttl_s)
        keep->keep_s = strtoll(ttl_s, NULL, 10);
    if (text && *text)
        json_object_set_new(keep->about, "text", json_string(text));
    if (title && *title)
        json_object_set_new(keep->about, "title", json_string(title));
    keep->request = request;
    cp_request_hold(request, NULL, NULL);
    hand_in(keep);
}

/* --- life --- */

/* thread: library */
static void tick(void *user)
{
    struct cp_library *library = user;
    int64_t now_ns = cp_clock_now_ns(), every_ns = library->app->config.library.orphans_s * CP_NS_PER_S;
    cp_speech_sweep(library->app->speech);
    if (!every_ns || now_ns - library->last_orphan_ns < every_ns)
        return;
    library->last_orphan_ns = now_ns;
    struct cp_orphans orphans = {0};
    struct cp_error error;
    if (cp_library_find_orphans(library->app->store, ORPHAN_GRACE, true, NULL, NULL, &orphans, &error))
        cp_log(CP_LOG_WARN, "app", "orphans not looked for", "error=\"%s\"", error.text);
    else if (orphans.objects + orphans.records)
        cp_log(CP_LOG_WARN, "app", "orphans removed", "objects=%lld records=%lld", (long long)orphans.objects,
               (long long)orphans.records);
    cp_metric_add(library->orphans, (double)orphans.removed);
}

static struct cp_metric *by_result(struct cp_app *app, const char *result)
{
    char label[48];
    return cp_counter(app->observe, "compere_speech_objects_total",
                      cp_observe_label(label, sizeof label, "result", result), "Voice files by result");
}

int cp_library_create(struct cp_app *app, struct cp_library **ret_library, struct cp_error *error)
{
    struct cp_library *library = calloc(1, sizeof *library);
    if (!library)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    library->app = app;
    library->last_orphan_ns = cp_clock_now_ns();
    library->kept = by_result(app, "kept");
    library->refused = by_result(app, "refused");
    library->failed = by_result(app, "failed");
    library->reused = by_result(app, "reused");
    library->bytes =
        cp_counter(app->observe, "compere_speech_object_bytes_total", "", "Bytes of sound stored");
    library->sound_seconds =
        cp_counter(app->observe, "compere_speech_object_seconds_total", "", "Seconds of sound stored");
    library->signed_urls =
        cp_counter(app->observe, "compere_speech_signed_urls_total", "", "Signed URLs given out");
    library->orphans = cp_counter(app->observe, "compere_speech_orphans_total", "",
                                  "Halves of voice files found and removed");
    library->keeper.tick = tick;
    library->keeper.tick_s = app->config.store.sweep_s;
    library->keeper.user = library;
    int result = cp_signer_open(&library->signer, app->store, error);
    if (!result)
        result = cp_runner_start(&library->keeper, "library", QUEUE, error);
    if (!result)
        result = cp_runner_start(&library->reader, "library.read", QUEUE, error);
    if (result)
        cp_library_destroy(library);
    else
        *ret_library = library;
    return result;
}

void cp_library_close(struct cp_library *library)
{
    if (!library)
        return;
    cp_runner_close(&library->reader); /* it may ask for speech, which the other keeps */
    cp_runner_close(&library->keeper);
}

void cp_library_destroy(struct cp_library *library)
{
    if (!library)
        return;
    cp_runner_destroy(&library->reader);
    cp_runner_destroy(&library->keeper);
    free(library);
}
