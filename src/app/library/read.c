/* Voice files out of the library: shown, listed, sent, signed, removed. */
#include "app/library/library.h"

#include "base/clock.h"
#include "base/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SOUND = 512 << 20, MAX_MARKS = 64 << 20, PAGE = 200, MAX_LOOKED_AT = 5000 };

int cp_library_get(struct cp_library *library, const char *id, json_t **ret_speech, struct cp_error *error)
{
    struct cp_record record;
    int result = strlen(id) >= CP_SPEECH_ID_BYTES
                     ? CP_ERR_NOT_FOUND
                     : cp_store_get(library->app->store, CP_LIBRARY_RECORDS, id, &record, error);
    if (result == CP_ERR_NOT_FOUND)
        return cp_fail(error, result, "app", "there is no speech \"%.60s\", or it has expired", id);
    if (result)
        return result;
    *ret_speech = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    return *ret_speech ? 0 : cp_fail(error, CP_ERR_INTERNAL, "app", "the record of speech %s is damaged", id);
}

/* --- lists --- */

static bool matches(const json_t *speech, const char *name, const char *wanted)
{
    const char *value = json_string_value(json_object_get(speech, name));
    return !wanted || !*wanted || (value && !strcmp(value, wanted));
}

static bool is_wanted(const struct cp_library_filter *filter, const json_t *speech)
{
    return matches(speech, "channel", filter->channel) && matches(speech, "cue", filter->cue) &&
           matches(speech, "voice", filter->voice) && matches(speech, "text_sha256", filter->text_sha256);
}

/* Filters are applied to pages of records until a page of answers is full. A page ends earlier, with a
 * cursor, when very many did not match: the gateway's threads must not be held up. */
int cp_library_list(struct cp_library *library, const struct cp_library_filter *filter, json_t **ret_list,
                    struct cp_error *error)
{
    json_t *list = json_array();
    char cursor[CP_STORE_CURSOR_BYTES] = "";
    int result = 0, looked_at = 0;
    snprintf(cursor, sizeof cursor, "%s", filter->cursor ? filter->cursor : "");
    do {
        int missing = filter->limit - (int)json_array_size(list);
        struct cp_query query = {.partition = CP_LIBRARY_RECORDS,
                                 .descending = true,
                                 .limit = missing < PAGE ? missing : PAGE,
                                 .cursor = *cursor ? cursor : NULL};
        struct cp_query_result page;
        result = cp_store_query(library->app->store, &query, &page, error);
        if (result)
            break;
        for (int i = 0; i < page.n_records; i++) {
            json_t *speech = json_loads(page.records[i].json, 0, NULL);
            if (speech && is_wanted(filter, speech))
                json_array_append(list, speech);
            json_decref(speech);
        }
        looked_at += page.n_records;
        snprintf(cursor, sizeof cursor, "%s", page.cursor);
        cp_query_result_clear(&page);
    } while (*cursor && (int)json_array_size(list) < filter->limit && looked_at < MAX_LOOKED_AT);
    if (result) {
        json_decref(list);
        return result;
    }
    *ret_list = json_pack("{s:o, s:s}", "speech", list, "cursor", cursor);
    return 0;
}

/* --- sending: on the thread "library.read" --- */

struct fetch {
    struct cp_errand errand; /* first */
    struct cp_library *library;
    struct cp_request *request; /* held */
    char id[CP_SPEECH_ID_BYTES], range[64];
    enum cp_sound_format format; /* CP_SOUND_UNSET: the marks */
};

static void drop_fetch(struct cp_errand *errand)
{
    struct fetch *fetch = (struct fetch *)errand;
    cp_request_fail_status(fetch->request, 503, "busy",
                           "more voice files are being fetched than fit; try again in a moment");
    free(fetch);
}

static void reply_part(struct fetch *fetch, int status, const char *type, const uint8_t *bytes, int64_t start,
                       int64_t end, int64_t length)
{
    char text[80];
    cp_request_add_header(fetch->request, "Accept-Ranges", "bytes");
    if (status == 416) {
        snprintf(text, sizeof text, "bytes */%" PRId64, length);
        cp_request_add_header(fetch->request, "Content-Range", text);
        cp_request_fail_status(fetch->request, 416, "range not satisfiable", "the file is shorter than that");
        return;
    }
    if (status == 206) {
        snprintf(text, sizeof text, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, start, end - 1, length);
        cp_request_add_header(fetch->request, "Content-Range", text);
    }
    cp_request_reply_bytes(fetch->request, status ? status : 200, type, bytes, (size_t)(end - start));
}

/* As it is kept: only the part that is wanted leaves the store. */
static int send_kept(struct fetch *fetch, const char *key, const char *type, struct cp_error *error)
{
    struct cp_store *store = fetch->library->app->store;
    struct cp_object_info info;
    struct cp_buffer bytes = cp_buffer_make(MAX_SOUND);
    int result = cp_store_object_info(store, key, &info, error), status = 0;
    int64_t start = 0, end = result ? 0 : info.length_bytes;
    if (!result)
        status = cp_range_read(fetch->range, info.length_bytes, &start, &end);
    if (!result && status != 416)
        result = cp_store_object_get(store, key, start, end - start, &bytes, error);
    if (!result && status != 416 && (int64_t)bytes.length != end - start)
        result = cp_fail(error, CP_ERR_IO, "app", "object %s changed while it was read; ask again", key);
    if (!result)
        reply_part(fetch, status, type, bytes.data, start, end, info.length_bytes);
    cp_buffer_free(&bytes);
    return result;
}

static int read_kept_sound(struct cp_library *library, const char *key, enum cp_sound_format kept,
                           struct cp_utterance **ret_utterance, struct cp_error *error)
{
    enum { WAV_HEADER = 44 };
    struct cp_buffer bytes = cp_buffer_make(MAX_SOUND);
    int result = cp_store_object_get(library->app->store, key, 0, -1, &bytes, error);
    if (!result && kept == CP_SOUND_OGG) {
        result = cp_speech_read_ogg(bytes.data, bytes.length, ret_utterance, error);
    } else if (!result && bytes.length < WAV_HEADER) {
        result = cp_fail(error, CP_ERR_IO, "app", "object %s is damaged", key);
    } else if (!result) {
        *ret_utterance = cp_utterance_create((int32_t)((bytes.length - WAV_HEADER) / 2), 0, "");
        if (*ret_utterance)
            memcpy((*ret_utterance)->pcm, bytes.data + WAV_HEADER, (size_t)(*ret_utterance)->n_samples * 2);
        else
            result = cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    }
    cp_buffer_free(&bytes);
    return result;
}

static int send_converted(struct fetch *fetch, const char *key, enum cp_sound_format kept,
                          struct cp_error *error)
{
    struct cp_utterance *utterance = NULL;
    struct cp_buffer out = cp_buffer_make(MAX_SOUND);
    int result = read_kept_sound(fetch->library, key, kept, &utterance, error);
    if (!result)
        result = cp_sound_file_write(fetch->format, &utterance, 1, &out, error);
    if (!result) {
        int64_t length = (int64_t)out.length, start = 0, end = length;
        int status = cp_range_read(fetch->range, length, &start, &end);
        reply_part(fetch, status, cp_sound_format_type(fetch->format), out.data + start, start, end, length);
    }
    cp_ref_drop(utterance);
    cp_buffer_free(&out);
    return result;
}

static void run_fetch(struct cp_errand *errand)
{
    struct fetch *fetch = (struct fetch *)errand;
    struct cp_error error;
    json_t *speech = NULL;
    char key[80];
    int result = cp_library_get(fetch->library, fetch->id, &speech, &error); /* the record decides */
    enum cp_sound_format kept = cp_library_kept_format(speech);
    cp_library_object_key(fetch->id, fetch->format ? cp_sound_format_ending(kept) : "jsonl", key);
    if (!result && !fetch->format)
        result = send_kept(fetch, key, "application/jsonl", &error);
    else if (!result && fetch->format == kept)
        result = send_kept(fetch, key, cp_sound_format_type(kept), &error);
    else if (!result)
        result = send_converted(fetch, key, kept, &error);
    if (result)
        cp_request_fail(fetch->request, &error);
    json_decref(speech);
    free(fetch);
}

static void start_fetch(struct cp_library *library, const char *id, enum cp_sound_format format,
                        struct cp_request *request)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    const char *range = cp_request_header(request, "Range");
    if (!fetch) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    *fetch = (struct fetch){.errand = {.run = run_fetch, .drop = drop_fetch},
                            .library = library,
                            .request = request,
                            .format = format};
    snprintf(fetch->id, sizeof fetch->id, "%s", strlen(id) < sizeof fetch->id ? id : "none");
    snprintf(fetch->range, sizeof fetch->range, "%s",
             range && strlen(range) < sizeof fetch->range ? range : "");
    cp_request_hold(request, NULL, NULL);
    if (!cp_runner_push(&library->reader, &fetch->errand))
        drop_fetch(&fetch->errand);
}

/* --- on air --- */

struct replay {
    struct cp_errand errand; /* first */
    struct cp_library *library;
    char id[CP_SPEECH_ID_BYTES];
    uint64_t job;
    int first, max;
};

static void end_replay(struct replay *replay, int result, const struct cp_error *error)
{
    cp_show_spoken_end(replay->library->app->show, replay->job, result, error);
    free(replay);
}

static void drop_replay(struct cp_errand *errand)
{
    struct cp_error error;
    int result = cp_fail(&error, CP_ERR_CANCELLED, "app", "the library is being closed");
    end_replay((struct replay *)errand, result, &error);
}

static int read_sentences(struct replay *replay, struct cp_utterance ***ret_utterances, int *ret_n,
                          struct cp_error *error)
{
    struct cp_library *library = replay->library;
    struct cp_buffer marks = cp_buffer_make(MAX_MARKS);
    struct cp_utterance *sound = NULL;
    json_t *speech = NULL;
    char key[80];
    int result = cp_library_get(library, replay->id, &speech, error);
    enum cp_sound_format kept = cp_library_kept_format(speech);
    cp_library_object_key(replay->id, cp_sound_format_ending(kept), key);
    if (!result)
        result = read_kept_sound(library, key, kept, &sound, error);
    cp_library_object_key(replay->id, "jsonl", key);
    if (!result)
        result = cp_store_object_get(library->app->store, key, 0, -1, &marks, error);
    if (!result) {
        const char *voice = json_string_value(json_object_get(speech, "voice"));
        result = cp_speech_replay(sound->pcm, (size_t)sound->n_samples, (const char *)marks.data,
                                  marks.length, voice ? voice : "", ret_utterances, ret_n, error);
    }
    cp_ref_drop(sound);
    cp_buffer_free(&marks);
    json_decref(speech);
    return result;
}

/* thread: library.read */
static void run_replay(struct cp_errand *errand)
{
    struct replay *replay = (struct replay *)errand;
    struct cp_utterance **utterances = NULL;
    struct cp_error error;
    int n = 0, result = read_sentences(replay, &utterances, &n, &error);
    for (int i = replay->first; i < n && (!replay->max || i < replay->first + replay->max); i++)
        cp_show_spoken(replay->library->app->show, replay->job, utterances[i]);
    if (!result && replay->first >= n)
        result = cp_fail(&error, CP_ERR_INVALID, "app", "speech %s has %d sentences", replay->id, n);
    cp_utterances_drop(utterances, n);
    end_replay(replay, result, &error);
}

int cp_library_replay(struct cp_library *library, const char *id, uint64_t job, int first, int max,
                      struct cp_error *error)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    *replay = (struct replay){.errand = {.run = run_replay, .drop = drop_replay},
                              .library = library,
                              .job = job,
                              .first = first,
                              .max = max};
    snprintf(replay->id, sizeof replay->id, "%s", strlen(id) < sizeof replay->id ? id : "none");
    if (cp_runner_push(&library->reader, &replay->errand))
        return 0;
    free(replay);
    return cp_fail(error, CP_ERR_BUSY, "app", "more voice files are being fetched than fit");
}

/* --- sending --- */

void cp_library_reply_audio(struct cp_library *library, const char *id, const char *format,
                            struct cp_request *request)
{
    enum cp_sound_format wanted = format && *format
                                      ? cp_sound_format_by_name(format)
                                      : cp_sound_format_by_accept(cp_request_header(request, "Accept"));
    char detail[120];
    if (wanted && cp_sound_format_usable(wanted)) {
        start_fetch(library, id, wanted, request);
        return;
    }
    snprintf(detail, sizeof detail, "the formats here are: %s", cp_sound_formats());
    cp_request_fail_status(request, format ? 400 : 406, "no such format", detail);
}

void cp_library_reply_marks(struct cp_library *library, const char *id, struct cp_request *request)
{
    start_fetch(library, id, CP_SOUND_UNSET, request);
}

/* --- removing --- */

static void run_delete(struct cp_errand *errand)
{
    struct fetch *fetch = (struct fetch *)errand;
    struct cp_library *library = fetch->library;
    struct cp_error error;
    json_t *speech = NULL;
    char key[80];
    uint8_t name[CP_SPEECH_KEY_BYTES];
    int result = cp_library_get(library, fetch->id, &speech, &error);
    /* The record first: from then on the file is gone for everybody, and what may be left of it is an orphan
     * that is found. */
    if (!result)
        result = cp_store_delete_if(library->app->store, CP_LIBRARY_RECORDS, fetch->id, CP_STORE_ANY_VERSION,
                                    &error);
    if (result) {
        cp_request_fail(fetch->request, &error);
    } else {
        cp_library_object_key(fetch->id, cp_sound_format_ending(cp_library_kept_format(speech)), key);
        cp_store_object_delete(library->app->store, key, NULL);
        cp_library_object_key(fetch->id, "jsonl", key);
        cp_store_object_delete(library->app->store, key, NULL);
        const char *hex = json_string_value(json_object_get(speech, "key"));
        bool known = hex && strlen(hex) == 2 * sizeof name;
        for (size_t i = 0; known && i < sizeof name; i++)
            known = sscanf(hex + 2 * i, "%2hhx", &name[i]) == 1;
        if (known)
            cp_speech_forget(library->app->speech, name, 0);
        cp_request_reply_json(fetch->request, 204, NULL);
    }
    json_decref(speech);
    free(fetch);
}

void cp_library_delete(struct cp_library *library, const char *id, struct cp_request *request)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    *fetch = (struct fetch){
        .errand = {.run = run_delete, .drop = drop_fetch}, .library = library, .request = request};
    snprintf(fetch->id, sizeof fetch->id, "%s", strlen(id) < sizeof fetch->id ? id : "none");
    cp_request_hold(request, NULL, NULL);
    if (!cp_runner_push(&library->reader, &fetch->errand))
        drop_fetch(&fetch->errand);
}

/* --- signed URLs --- */

static void describe(const char *id, const char *format, char ret_what[80])
{
    snprintf(ret_what, 80, "speech %.47s %.15s", id, format);
}

bool cp_library_may_read(const struct cp_library *library, const char *id, const char *format,
                         const char *expires, const char *signature)
{
    char what[80];
    if (!format || strlen(format) > 15 || strlen(id) >= CP_SPEECH_ID_BYTES)
        return false;
    describe(id, format, what);
    return cp_signer_accepts(&library->signer, what, expires, signature);
}

int cp_library_sign(struct cp_library *library, const char *id, const char *format, int64_t expires_s,
                    bool direct, json_t **ret_url, struct cp_error *error)
{
    json_t *speech = NULL;
    int result = cp_library_get(library, id, &speech, error);
    if (result)
        return result;
    enum cp_sound_format kept = cp_library_kept_format(speech), wanted = format && *format
                                                                             ? cp_sound_format_by_name(format)
                                                                         : direct ? kept
                                                                                  : CP_SOUND_WAV;
    struct cp_buffer url = cp_buffer_make(8192);
    char hex[CP_SIGNATURE_BYTES], what[80], until[24], at[32], key[80];
    int64_t expires_at_s = cp_clock_wall_ns() / CP_NS_PER_S + expires_s;
    snprintf(until, sizeof until, "%" PRId64, expires_at_s);
    cp_clock_rfc3339(expires_at_s * CP_NS_PER_S, at);
    if (!wanted || !cp_sound_format_usable(wanted)) {
        result = cp_fail(error, CP_ERR_INVALID, "app", "the formats here are: %s", cp_sound_formats());
    } else if (direct && wanted != kept) {
        result = cp_fail(error, CP_ERR_INVALID, "app",
                         "the object store has it as %s only; ask without \"direct\"",
                         cp_sound_format_ending(kept));
    } else if (direct) {
        cp_library_object_key(id, cp_sound_format_ending(kept), key);
        result = cp_store_object_url(library->app->store, key, expires_s, &url, error);
        if (result == CP_ERR_UNSUPPORTED)
            error->code = CP_ERR_INVALID, result = CP_ERR_INVALID;
    } else {
        format = cp_sound_format_ending(wanted);
        describe(id, format, what);
        cp_signer_sign(&library->signer, what, until, hex);
        cp_buffer_printf(&url, "/v1/speech/%s/audio?format=%s&expires=%s&signature=%s", id, format, until,
                         hex);
    }
    if (!result) {
        *ret_url = json_pack("{s:s, s:s, s:s}", "url", cp_buffer_string(&url), "format",
                             cp_sound_format_ending(wanted), "expires_at", at);
        cp_metric_add(library->signed_urls, 1);
    }
    cp_buffer_free(&url);
    json_decref(speech);
    return result;
}
