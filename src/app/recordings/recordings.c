#include "app/recordings/recordings.h"

#include "base/clock.h"
#include "base/log.h"
#include "media/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MAX_ITEMS = 1000,  /* named in a record */
    SAVE_CHUNKS = 10,  /* the record is written at least so often, for its length */
    PAGE = 500,        /* of lists of objects */
    TICK_S = 5,        /* between looks for recordings that are long enough */
    ITEM_TEXT = 120,   /* bytes of a cue's first sentence */
    CLOSE_WAIT_MS = 5, /* between looks whether the downloads have ended */
};

static const char *text_of(const json_t *record, const char *field)
{
    const char *text = json_string_value(json_object_get(record, field));
    return text ? text : "";
}

static void set_time(json_t *record, const char *field, int64_t wall_ns)
{
    char text[40];
    cp_clock_rfc3339(wall_ns, text);
    json_object_set_new(record, field, json_string(text));
}

/* --- objects --- */

void cp_recording_prefix(const char *id, char ret_prefix[CP_RECORDING_KEY_BYTES])
{
    snprintf(ret_prefix, CP_RECORDING_KEY_BYTES, "recordings/%.31s/", id);
}

static void key_of(const char *id, const struct cp_chunk *chunk, char ret_key[CP_RECORDING_KEY_BYTES])
{
    if (chunk->number)
        snprintf(ret_key, CP_RECORDING_KEY_BYTES,
                 "recordings/%.31s/%08" PRIu32 "-%" PRId64 "-%" PRId64 "-%c.m4s", id, chunk->number,
                 chunk->at, chunk->length, chunk->independent ? 'i' : 'p');
    else
        snprintf(ret_key, CP_RECORDING_KEY_BYTES, "recordings/%.31s/init.mp4", id);
}

bool cp_recording_read_name(const char *key, struct cp_chunk *ret_chunk)
{
    const char *name = strrchr(key, '/');
    char kind;
    int end = 0;
    memset(ret_chunk, 0, sizeof *ret_chunk);
    if (!name || sscanf(name, "/%8" SCNu32 "-%18" SCNd64 "-%12" SCNd64 "-%c.m4s%n", &ret_chunk->number,
                        &ret_chunk->at, &ret_chunk->length, &kind, &end) != 4)
        return false;
    ret_chunk->independent = kind == 'i';
    return end && !name[end] && ret_chunk->number && ret_chunk->at >= 0 && ret_chunk->length > 0 &&
           (kind == 'i' || kind == 'p');
}

/* --- records --- */

static int save(struct cp_recordings *recordings, const char *id, const json_t *record,
                int64_t expires_wall_ns, struct cp_error *error)
{
    char *text = json_dumps(record, JSON_COMPACT);
    int result = text ? cp_store_put_if(recordings->app->store, CP_RECORDINGS_RECORDS, id, text,
                                        CP_STORE_ANY_VERSION, expires_wall_ns, NULL, error)
                      : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    free(text);
    return result;
}

static void describe(json_t *record, const struct cp_recorder_status *status)
{
    json_object_set_new(record, "duration_s", json_real((double)status->kept_samples / CP_SAMPLE_HZ));
    json_object_set_new(record, "lost_s", json_real((double)status->lost_samples / CP_SAMPLE_HZ));
    json_object_set_new(record, "bytes", json_integer((json_int_t)status->bytes));
    if (*status->error)
        json_object_set_new(record, "error", json_string(status->error));
    else
        json_object_del(record, "error");
}

/* Under the lock. */
static struct cp_recording_run *find_running(struct cp_recordings *recordings, const char *id,
                                             const char *channel)
{
    for (int i = 0; i < CP_MAX_ON_AIR; i++) {
        struct cp_recording_run *run = recordings->running[i];
        if (run && ((id && !strcmp(run->id, id)) || (channel && !strcmp(run->channel, channel))))
            return run;
    }
    return NULL;
}

/* Takes what is known of a running one over what the store has. */
static void freshen(struct cp_recordings *recordings, json_t *record)
{
    pthread_mutex_lock(&recordings->lock);
    struct cp_recording_run *run = find_running(recordings, text_of(record, "id"), NULL);
    if (run) {
        struct cp_recorder_status status = cp_recorder_status(run->recorder);
        json_t *now = json_deep_copy(run->record); /* its items grow */
        json_object_update(record, now);
        json_decref(now);
        describe(record, &status);
    }
    pthread_mutex_unlock(&recordings->lock);
}

int cp_recordings_get(struct cp_recordings *recordings, const char *id, json_t **ret_recording,
                      struct cp_error *error)
{
    struct cp_record record;
    int result = strlen(id) >= CP_RECORDING_ID_BYTES
                     ? CP_ERR_NOT_FOUND
                     : cp_store_get(recordings->app->store, CP_RECORDINGS_RECORDS, id, &record, error);
    if (result == CP_ERR_NOT_FOUND)
        return cp_fail(error, result, "app", "there is no recording \"%.60s\", or it has expired", id);
    if (result)
        return result;
    *ret_recording = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    if (!*ret_recording)
        return cp_fail(error, CP_ERR_INTERNAL, "app", "the record of recording %s is damaged", id);
    freshen(recordings, *ret_recording);
    return 0;
}

int cp_recordings_list(struct cp_recordings *recordings, const char *channel, const char *cursor, int limit,
                       json_t **ret_list, struct cp_error *error)
{
    struct cp_query query = {.partition = CP_RECORDINGS_RECORDS,
                             .descending = true,
                             .limit = limit,
                             .cursor = cursor && *cursor ? cursor : NULL};
    struct cp_query_result page;
    int result = cp_store_query(recordings->app->store, &query, &page, error);
    if (result)
        return result;
    json_t *list = json_array();
    for (int i = 0; i < page.n_records; i++) {
        json_t *record = json_loads(page.records[i].json, 0, NULL);
        if (record && (!channel || !*channel || !strcmp(text_of(record, "channel"), channel))) {
            freshen(recordings, record);
            json_object_del(record, "items"); /* long; one recording has them */
            json_array_append(list, record);
        }
        json_decref(record);
    }
    *ret_list = json_pack("{s:o, s:s}", "recordings", list, "cursor", page.cursor);
    cp_query_result_clear(&page);
    return 0;
}

int cp_recording_find_item(const json_t *recording, const char *cue, int64_t number)
{
    json_t *items = json_object_get(recording, "items"), *item;
    size_t i;
    if (!*cue)
        return number >= 0 && number < (int64_t)json_array_size(items) ? (int)number : -1;
    json_array_foreach(items, i, item) if (!strcmp(text_of(item, "cue"), cue)) return (int)i;
    return -1;
}

/* --- making --- */

/* thread: recorder */
static int keep_chunk(void *user, const struct cp_chunk *chunk, struct cp_error *error)
{
    struct cp_recording_run *run = user;
    struct cp_recordings *recordings = run->recordings;
    char key[CP_RECORDING_KEY_BYTES];
    key_of(run->id, chunk, key);
    int result = cp_store_object_put(recordings->app->store, key, "video/mp4", chunk->bytes, chunk->n_bytes,
                                     run->expires_wall_ns, error);
    if (result)
        return result;
    cp_metric_add(recordings->seconds, (double)chunk->length / CP_SAMPLE_HZ);
    cp_metric_add(recordings->bytes, (double)chunk->n_bytes);
    pthread_mutex_lock(&recordings->lock);
    bool due = run->changed || ++run->chunks_unsaved >= SAVE_CHUNKS;
    json_t *record = due ? json_deep_copy(run->record) : NULL;
    run->changed = run->changed && !due;
    pthread_mutex_unlock(&recordings->lock);
    if (record) {
        struct cp_recorder_status status = cp_recorder_status(run->recorder);
        describe(record, &status);
        run->chunks_unsaved = 0;
        if (save(recordings, run->id, record, run->expires_wall_ns, NULL)) {
            pthread_mutex_lock(&recordings->lock);
            run->changed = true;
            pthread_mutex_unlock(&recordings->lock);
        }
        json_decref(record);
    }
    return 0;
}

static void tell(struct cp_recordings *recordings, const json_t *record)
{
    json_t *event = json_deep_copy(record);
    json_object_del(event, "items");
    cp_gateway_publish(recordings->app->gateway, "recording", text_of(record, "channel"), event);
    cp_log(CP_LOG_INFO, "app", "recording", "channel=%s recording=%s state=%s lost_s=%.1f",
           text_of(record, "channel"), text_of(record, "id"), text_of(record, "state"),
           json_number_value(json_object_get(record, "lost_s")));
}

static void free_run(struct cp_recording_run *run)
{
    json_decref(run->record);
    free(run);
}

/* The run is out of the table, and nobody else has it. */
static void finish(struct cp_recording_run *run, json_t **ret_recording)
{
    struct cp_recordings *recordings = run->recordings;
    struct cp_recorder_status status;
    struct cp_error error;
    cp_recorder_stop(run->recorder, &status);
    describe(run->record, &status);
    json_object_set_new(run->record, "state", json_string("done"));
    set_time(run->record, "ended_at", cp_clock_wall_ns());
    cp_metric_add(recordings->lost, (double)status.lost_samples / CP_SAMPLE_HZ);
    if (save(recordings, run->id, run->record, run->expires_wall_ns, &error))
        cp_log(CP_LOG_ERROR, "app", "recording's end not stored; the next start mends it",
               "recording=%s error=\"%s\"", run->id, error.text);
    tell(recordings, run->record);
    if (ret_recording)
        *ret_recording = json_incref(run->record);
    free_run(run);
}

static struct cp_recording_run *take_out(struct cp_recordings *recordings, const char *id,
                                         const char *channel)
{
    pthread_mutex_lock(&recordings->lock);
    struct cp_recording_run *run = find_running(recordings, id, channel);
    for (int i = 0; run && i < CP_MAX_ON_AIR; i++)
        if (recordings->running[i] == run)
            recordings->running[i] = NULL;
    pthread_mutex_unlock(&recordings->lock);
    return run;
}

int cp_recordings_stop(struct cp_recordings *recordings, const char *id, json_t **ret_recording,
                       struct cp_error *error)
{
    struct cp_recording_run *run = take_out(recordings, id, NULL);
    if (!run) /* it has ended already, which is as good */
        return cp_recordings_get(recordings, id, ret_recording, error);
    finish(run, ret_recording);
    return 0;
}

void cp_recordings_leave(struct cp_recordings *recordings, const char *channel)
{
    struct cp_recording_run *run = recordings ? take_out(recordings, NULL, channel) : NULL;
    if (run)
        finish(run, NULL);
}

static struct cp_recording_run *make_run(struct cp_recordings *recordings, struct cp_onair *onair,
                                         const char *channel, const struct cp_recording_wish *wish)
{
    struct cp_recording_run *run = calloc(1, sizeof *run);
    uint64_t random;
    int width, height;
    int64_t now_ns = cp_clock_wall_ns();
    if (!run || getrandom(&random, sizeof random, 0) != sizeof random) {
        free(run);
        return NULL;
    }
    run->recordings = recordings;
    run->expires_wall_ns = now_ns + wish->keep_s * CP_NS_PER_S;
    run->ends_ns = cp_clock_now_ns() + wish->max_s * CP_NS_PER_S;
    snprintf(run->channel, sizeof run->channel, "%s", channel);
    /* The time first, so that lists are in order. */
    snprintf(run->id, sizeof run->id, "rec_%011llx%016llx",
             (unsigned long long)(now_ns / CP_NS_PER_MS) & 0xfffffffffff, (unsigned long long)random);
    cp_onair_size(onair, &width, &height);
    run->record =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:i, s:[]}", "id", run->id, "channel",
                  channel, "title", wish->title, "state", "recording", "epoch", recordings->app->epoch,
                  "width", width, "height", height, "duration_s", 0.0, "lost_s", 0.0, "bytes", 0, "items");
    set_time(run->record, "started_at", now_ns);
    set_time(run->record, "expires_at", run->expires_wall_ns);
    return run;
}

/* Puts the run into the table and lets it run. Under the lock: the recorder's thread waits for it with its
 * first chunk. */
static int enter(struct cp_recordings *recordings, struct cp_onair *onair, struct cp_recording_run *run,
                 struct cp_error *error)
{
    struct cp_recording_run *other = find_running(recordings, NULL, run->channel);
    int slot = 0;
    if (other)
        return cp_fail(error, CP_ERR_EXISTS, "app", "the channel is being recorded already: %s", other->id);
    while (slot < CP_MAX_ON_AIR && recordings->running[slot])
        slot++;
    if (slot == CP_MAX_ON_AIR)
        return cp_fail(error, CP_ERR_BUSY, "app", "%d recordings run, which is the most", slot);
    int result = cp_recorder_start(cp_onair_hls(onair), keep_chunk, run, &run->recorder, error);
    if (!result)
        recordings->running[slot] = run;
    return result;
}

int cp_recordings_start(struct cp_recordings *recordings, const char *channel,
                        const struct cp_recording_wish *wish, json_t **ret_recording, struct cp_error *error)
{
    int result = cp_api_check_channel(recordings->app, channel, error);
    if (result)
        return result;
    struct cp_onair *onair = cp_onair_hold(recordings->app, channel);
    if (!onair)
        return cp_fail(error, CP_ERR_UNAVAILABLE, "app", "the channel is not on air");
    struct cp_recording_run *run = make_run(recordings, onair, channel, wish);
    if (!run) {
        cp_onair_release(onair);
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    }
    /* The record first: whatever is kept from now on belongs to somebody. */
    json_t *record = json_deep_copy(run->record);
    result = save(recordings, run->id, record, run->expires_wall_ns, error);
    bool saved = !result;
    if (!result) {
        pthread_mutex_lock(&recordings->lock);
        result = enter(recordings, onair, run, error);
        pthread_mutex_unlock(&recordings->lock);
    }
    cp_onair_release(onair);
    if (result) {
        if (saved)
            cp_store_delete_if(recordings->app->store, CP_RECORDINGS_RECORDS, run->id, CP_STORE_ANY_VERSION,
                               NULL);
        free_run(run);
        json_decref(record);
        return result;
    }
    tell(recordings, record);
    *ret_recording = record;
    return 0;
}

void cp_recordings_mark(struct cp_recordings *recordings, const char *channel, const char *cue,
                        const char *text, int64_t at_samples)
{
    if (!recordings)
        return;
    pthread_mutex_lock(&recordings->lock);
    struct cp_recording_run *run = find_running(recordings, NULL, channel);
    json_t *items = run ? json_object_get(run->record, "items") : NULL;
    if (run && json_array_size(items) < MAX_ITEMS) {
        struct cp_recorder_status status = cp_recorder_status(run->recorder);
        int64_t at = status.begun ? at_samples - status.from_samples : 0;
        size_t bytes = strlen(text) < ITEM_TEXT ? strlen(text) : ITEM_TEXT;
        while (bytes < strlen(text) && bytes && (text[bytes] & 0xc0) == 0x80)
            bytes--;
        json_array_append_new(items, json_pack("{s:s?, s:s%, s:f}", "cue", *cue ? cue : NULL, "text", text,
                                               bytes, "at_s", at > 0 ? (double)at / CP_SAMPLE_HZ : 0.0));
        run->changed = true;
    }
    pthread_mutex_unlock(&recordings->lock);
}

/* --- removing, and what a crash left: thread "recordings" --- */

struct errand {
    struct cp_errand errand; /* first */
    struct cp_recordings *recordings;
    char id[CP_RECORDING_ID_BYTES];
};

static void drop_errand(struct cp_errand *errand)
{
    free(errand); /* the objects expire by themselves; what a crash left waits for the next start */
}

/* What lies there of a recording; with `remove` it goes. */
static int go_through(struct cp_recordings *recordings, const char *id, bool remove,
                      struct cp_recorder_status *status, struct cp_error *error)
{
    char prefix[CP_RECORDING_KEY_BYTES], cursor[CP_STORE_CURSOR_BYTES] = "";
    int result = 0;
    cp_recording_prefix(id, prefix);
    memset(status, 0, sizeof *status);
    do {
        struct cp_object_info *infos = NULL;
        int n = 0;
        result = cp_store_object_list(recordings->app->store, prefix, *cursor ? cursor : NULL, PAGE, &infos,
                                      &n, cursor, error);
        for (int i = 0; i < n && !result; i++) {
            struct cp_chunk chunk;
            if (remove)
                result = cp_store_object_delete(recordings->app->store, infos[i].key, error);
            if (!cp_recording_read_name(infos[i].key, &chunk))
                continue;
            status->kept_samples += chunk.length;
            status->bytes += (uint64_t)infos[i].length_bytes;
        }
        free(infos);
    } while (!result && *cursor && !atomic_load(&recordings->closing));
    return result;
}

static void run_remove(struct cp_errand *errand)
{
    struct errand *work = (struct errand *)errand;
    struct cp_recorder_status status;
    struct cp_error error;
    if (go_through(work->recordings, work->id, true, &status, &error))
        cp_log(CP_LOG_WARN, "app", "recording not removed whole; the rest expires",
               "recording=%s error=\"%s\"", work->id, error.text);
    free(work);
}

int cp_recordings_delete(struct cp_recordings *recordings, const char *id, struct cp_error *error)
{
    json_t *recording = NULL;
    struct errand *work = calloc(1, sizeof *work);
    if (!work)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result = cp_recordings_stop(recordings, id, &recording, error);
    json_decref(recording);
    /* The record first: from then on the recording is gone for everybody. */
    if (!result)
        result = cp_store_delete_if(recordings->app->store, CP_RECORDINGS_RECORDS, id, CP_STORE_ANY_VERSION,
                                    error);
    if (result) {
        free(work);
        return result;
    }
    *work = (struct errand){.errand = {.run = run_remove, .drop = drop_errand}, .recordings = recordings};
    snprintf(work->id, sizeof work->id, "%s", id);
    if (!cp_runner_push(&recordings->runner, &work->errand))
        drop_errand(&work->errand);
    return 0;
}

/* A recording that says it runs, of a server that does not: what was kept of it is its length. */
static void mend(struct cp_recordings *recordings, json_t *record, int64_t expires_wall_ns)
{
    struct cp_recorder_status status;
    struct cp_error error;
    int result = go_through(recordings, text_of(record, "id"), false, &status, &error);
    if (!result) {
        describe(record, &status);
        json_object_set_new(record, "state", json_string("interrupted"));
        result = save(recordings, text_of(record, "id"), record, expires_wall_ns, &error);
    }
    if (result)
        cp_log(CP_LOG_WARN, "app", "interrupted recording not looked through", "recording=%s error=\"%s\"",
               text_of(record, "id"), error.text);
    else
        tell(recordings, record);
}

static void run_recover(struct cp_errand *errand)
{
    struct cp_recordings *recordings = ((struct errand *)errand)->recordings;
    struct cp_query query = {.partition = CP_RECORDINGS_RECORDS, .limit = PAGE};
    char cursor[CP_STORE_CURSOR_BYTES] = "";
    free(errand);
    do {
        struct cp_query_result page;
        query.cursor = *cursor ? cursor : NULL;
        if (cp_store_query(recordings->app->store, &query, &page, NULL))
            return;
        snprintf(cursor, sizeof cursor, "%s", page.cursor);
        for (int i = 0; i < page.n_records; i++) {
            json_t *record = json_loads(page.records[i].json, 0, NULL);
            if (!strcmp(text_of(record, "state"), "recording") &&
                strcmp(text_of(record, "epoch"), recordings->app->epoch) != 0)
                mend(recordings, record, page.records[i].expires_wall_ns);
            json_decref(record);
        }
        cp_query_result_clear(&page);
    } while (*cursor && !atomic_load(&recordings->closing));
}

/* thread: recordings */
static void tick(void *user)
{
    struct cp_recordings *recordings = user;
    char id[CP_RECORDING_ID_BYTES];
    do {
        *id = '\0';
        pthread_mutex_lock(&recordings->lock);
        for (int i = 0; i < CP_MAX_ON_AIR; i++)
            if (recordings->running[i] && recordings->running[i]->ends_ns <= cp_clock_now_ns())
                memcpy(id, recordings->running[i]->id, sizeof id);
        pthread_mutex_unlock(&recordings->lock);
        struct cp_recording_run *run = *id ? take_out(recordings, id, NULL) : NULL;
        if (run)
            finish(run, NULL);
    } while (*id);
}

/* --- life --- */

void cp_recordings_collect(struct cp_recordings *recordings)
{
    struct cp_observe *observe = recordings->app->observe;
    int n = 0;
    double lost = 0;
    pthread_mutex_lock(&recordings->lock);
    for (int i = 0; i < CP_MAX_ON_AIR; i++)
        if (recordings->running[i]) {
            n++;
            lost += (double)cp_recorder_status(recordings->running[i]->recorder).lost_samples / CP_SAMPLE_HZ;
        }
    pthread_mutex_unlock(&recordings->lock);
    cp_metric_set(cp_gauge(observe, "compere_recordings_running", "", "Recordings that run"), n);
    cp_metric_set(cp_gauge(observe, "compere_recordings_losing_seconds", "",
                           "Seconds that running recordings lost as the object store was too slow"),
                  lost);
}

int cp_recordings_create(struct cp_app *app, struct cp_recordings **ret_recordings, struct cp_error *error)
{
    struct cp_recordings *recordings = calloc(1, sizeof *recordings);
    struct errand *recover = calloc(1, sizeof *recover);
    if (!recordings || !recover) {
        free(recordings);
        free(recover);
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    }
    recordings->app = app;
    pthread_mutex_init(&recordings->lock, NULL);
    recordings->seconds =
        cp_counter(app->observe, "compere_recorded_seconds_total", "", "Seconds of channels recorded");
    recordings->bytes = cp_counter(app->observe, "compere_recorded_bytes_total", "", "Bytes recorded");
    recordings->lost = cp_counter(app->observe, "compere_recorded_lost_seconds_total", "",
                                  "Seconds lost by recordings that have ended");
    recordings->sent = cp_counter(app->observe, "compere_recordings_sent_bytes_total", "",
                                  "Bytes of recordings that were downloaded");
    recordings->runner.tick = tick;
    recordings->runner.tick_s = TICK_S;
    recordings->runner.user = recordings;
    *recover = (struct errand){.errand = {.run = run_recover, .drop = drop_errand}, .recordings = recordings};
    int result = cp_signer_open(&recordings->signer, app->store, error);
    if (!result)
        result = cp_runner_start(&recordings->runner, "recordings", 64, error);
    if (result || !cp_runner_push(&recordings->runner, &recover->errand))
        free(recover);
    if (result)
        cp_recordings_destroy(recordings);
    else
        *ret_recordings = recordings;
    return result;
}

void cp_recordings_close(struct cp_recordings *recordings)
{
    if (recordings)
        atomic_store(&recordings->closing, true);
}

void cp_recordings_destroy(struct cp_recordings *recordings)
{
    if (!recordings)
        return;
    cp_recordings_close(recordings);
    while (atomic_load(&recordings->downloads)) /* each looks several times a second */
        cp_clock_sleep_until_ns(cp_clock_now_ns() + CLOSE_WAIT_MS * CP_NS_PER_MS);
    cp_runner_destroy(&recordings->runner);
    pthread_mutex_destroy(&recordings->lock);
    free(recordings);
}
