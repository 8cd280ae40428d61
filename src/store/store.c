#include "store/store.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "store/store_provider.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MAX_WATCHES = 16, MAX_PAGE = 1000, DEFAULT_PAGE = 100 };

const struct cp_record_engine *const cp_record_engines[] = {&cp_record_engine_sqlite, NULL};
const struct cp_object_engine *const cp_object_engines[] = {&cp_object_engine_files, &cp_object_engine_s3,
                                                            NULL};

#define OPTION(field) .offset = offsetof(struct cp_store_config, field)

const struct cp_option cp_store_options[] = {
    {"records", CP_OPTION_TEXT, "sqlite", .help = "engine that keeps records", OPTION(records)},
    {"objects", CP_OPTION_TEXT, "files", .help = "engine that keeps objects: files or s3", OPTION(objects)},
    {"directory", CP_OPTION_TEXT, "data", .help = "directory of the data; made when missing",
     OPTION(directory)},
    {"sweep_s", CP_OPTION_INT, "60", 1, 86400, .help = "seconds between removals of what has expired",
     OPTION(sweep_s)},
    {"s3_endpoint", CP_OPTION_TEXT, "",
     .help = "address of the S3 server, http(s)://HOST[:PORT]; empty: Amazon's", OPTION(s3_endpoint)},
    {"s3_region", CP_OPTION_TEXT, "us-east-1", .help = "region of the bucket", OPTION(s3_region)},
    {"s3_bucket", CP_OPTION_TEXT, "", .help = "bucket that keeps the objects; it must be there",
     OPTION(s3_bucket)},
    {"s3_prefix", CP_OPTION_TEXT, "compere/", .help = "what all keys in the bucket begin with",
     OPTION(s3_prefix)},
    {"s3_style", CP_OPTION_CHOICE, "path", .choices = "path|virtual",
     .help = "path: HOST/BUCKET/KEY; virtual: BUCKET.HOST/KEY", OPTION(s3_style)},
    {"s3_access_key", CP_OPTION_TEXT, "env:AWS_ACCESS_KEY_ID", .help = "reference to the access key's id",
     .secret = true, OPTION(s3_access_key)},
    {"s3_secret_key", CP_OPTION_TEXT, "env:AWS_SECRET_ACCESS_KEY", .help = "reference to the secret key",
     .secret = true, OPTION(s3_secret_key)},
    {"s3_session_token", CP_OPTION_TEXT, "env:AWS_SESSION_TOKEN",
     .help = "reference to the token of temporary keys", .secret = true, OPTION(s3_session_token)},
    {"s3_part_mb", CP_OPTION_INT, "16", 5, 1024, .help = "larger objects are sent in parts of so many MiB",
     OPTION(s3_part_mb)},
    {"s3_timeout_s", CP_OPTION_INT, "10", 1, 300,
     .help = "seconds to wait for a sign of life of the S3 server", OPTION(s3_timeout_s)},
};
const size_t cp_store_n_options = sizeof cp_store_options / sizeof *cp_store_options;

struct watch {
    char partition[CP_STORE_MAX_KEY_BYTES + 1];
    void (*on_change)(void *user, const char *key, const char *json);
    void *user;
};

struct cp_store {
    const struct cp_record_engine *records;
    const struct cp_object_engine *objects;
    void *record_engine, *object_engine;
    struct {
        _Atomic uint64_t record_puts, record_gets, record_failures, object_puts, object_gets, object_failures;
        _Atomic uint64_t swept_records, swept_objects;
    } counts;
    pthread_mutex_t lock; /* guards all below; never held while an engine or a watch runs */
    pthread_cond_t changed;
    int running; /* calls inside an engine */
    int telling; /* changes that watches are being told of */
    bool closing;
    struct watch watches[MAX_WATCHES];
    int n_watches;
    int64_t sweep_s;
    pthread_t sweeper;
    bool sweeper_runs;
};

/* --- open and close --- */

static int make_directory(const char *directory, struct cp_error *error)
{
    char path[CP_OPTION_TEXT_BYTES];
    struct stat status;
    snprintf(path, sizeof path, "%s", directory);
    for (char *c = path + 1;; c++) {
        if (*c && *c != '/')
            continue;
        char kept = *c;
        *c = 0;
        if (mkdir(path, 0700) && errno != EEXIST && errno != EROFS)
            return cp_fail(error, CP_ERR_IO, "store",
                           "cannot make the data directory %s: %s; choose another with --store-directory",
                           path, strerror(errno));
        *c = kept;
        if (!kept)
            break;
    }
    if (stat(path, &status) || !S_ISDIR(status.st_mode))
        return cp_fail(error, CP_ERR_IO, "store",
                       "%s is not a directory; choose another with --store-directory", path);
    return 0;
}

static int choose_engines(struct cp_store *store, const struct cp_store_config *config,
                          struct cp_error *error)
{
    char built[128] = "";
    size_t used = 0;
    for (size_t i = 0; cp_record_engines[i]; i++) {
        if (!strcmp(cp_record_engines[i]->name, config->records))
            store->records = cp_record_engines[i];
        used += (size_t)snprintf(built + used, sizeof built - used, " %s", cp_record_engines[i]->name);
    }
    if (!store->records)
        return cp_fail(error, CP_ERR_INVALID, "store",
                       "store.records: there is no engine \"%s\"; built in are:%s", config->records, built);
    used = 0;
    for (size_t i = 0; cp_object_engines[i]; i++) {
        if (!strcmp(cp_object_engines[i]->name, config->objects))
            store->objects = cp_object_engines[i];
        used += (size_t)snprintf(built + used, sizeof built - used, " %s", cp_object_engines[i]->name);
    }
    if (!store->objects)
        return cp_fail(error, CP_ERR_INVALID, "store",
                       "store.objects: there is no engine \"%s\"; built in are:%s", config->objects, built);
    return 0;
}

/* thread: "store" */
static void *sweep_regularly(void *arg)
{
    struct cp_store *store = arg;
    int last = 0;
    pthread_mutex_lock(&store->lock);
    for (;;) {
        int64_t next_ns = cp_clock_now_ns() + store->sweep_s * CP_NS_PER_S;
        struct timespec next = {.tv_sec = next_ns / CP_NS_PER_S, .tv_nsec = next_ns % CP_NS_PER_S};
        while (!store->closing && pthread_cond_timedwait(&store->changed, &store->lock, &next) != ETIMEDOUT) {
        }
        if (store->closing)
            break;
        pthread_mutex_unlock(&store->lock);
        struct cp_error error;
        int result = cp_store_sweep(store, NULL, NULL, &error);
        if (result && result != last) /* told once, not each minute */
            cp_log(CP_LOG_ERROR, "store", "sweep failed", "reason=\"%s\"", error.text);
        last = result;
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

int cp_store_open(const struct cp_store_config *config, struct cp_store **ret_store, struct cp_error *error)
{
    if (!*config->directory)
        return cp_fail(error, CP_ERR_INVALID, "store", "store.directory is empty; name a directory");
    struct cp_store *store = calloc(1, sizeof *store);
    if (!store)
        return cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    store->sweep_s = config->sweep_s > 0 ? config->sweep_s : 60;
    int result = choose_engines(store, config, error);
    if (!result)
        result = make_directory(config->directory, error);
    if (!result)
        result = store->records->open(config, &store->record_engine, error);
    if (!result)
        result = store->objects->open(config, &store->object_engine, error);
    if (!result && cp_thread_start(&store->sweeper, "store", sweep_regularly, store))
        result = cp_fail(error, CP_ERR_NOMEM, "store", "no memory for the sweep thread");
    else if (!result)
        store->sweeper_runs = true;
    if (result)
        cp_store_close(store);
    else
        *ret_store = store;
    return result;
}

void cp_store_close(struct cp_store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    store->closing = true;
    pthread_cond_broadcast(&store->changed);
    while (store->running)
        pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
    if (store->sweeper_runs)
        pthread_join(store->sweeper, NULL);
    if (store->objects)
        store->objects->close(store->object_engine);
    if (store->records)
        store->records->close(store->record_engine);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static int enter(struct cp_store *store, struct cp_error *error)
{
    pthread_mutex_lock(&store->lock);
    bool closing = store->closing;
    store->running += !closing;
    pthread_mutex_unlock(&store->lock);
    return closing ? cp_fail(error, CP_ERR_UNAVAILABLE, "store", "the store is closing") : 0;
}

/* Counts a failure unless the result is an ordinary answer. Returns result. */
static int leave(struct cp_store *store, int result, _Atomic uint64_t *failures)
{
    if (result && result != CP_ERR_NOT_FOUND && result != CP_ERR_EXISTS)
        atomic_fetch_add_explicit(failures, 1, memory_order_relaxed);
    pthread_mutex_lock(&store->lock);
    if (!--store->running && store->closing)
        pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* --- keys and cursors --- */

static int check_record_key(const char *what, const char *key, struct cp_error *error)
{
    size_t length = key ? strlen(key) : 0;
    for (size_t i = 0; i < length; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return cp_fail(error, CP_ERR_INVALID, "store", "a %s holds printable ASCII without spaces only",
                           what);
    if (!length || length > CP_STORE_MAX_KEY_BYTES)
        return cp_fail(error, CP_ERR_INVALID, "store", "a %s has 1 to %d characters, this one has %zu", what,
                       CP_STORE_MAX_KEY_BYTES, length);
    return 0;
}

static int check_record_keys(const char *partition, const char *key, struct cp_error *error)
{
    int result = check_record_key("partition", partition, error);
    return result ? result : check_record_key("key", key, error);
}

static int check_object_key(const char *key, struct cp_error *error)
{
    size_t length = key ? strlen(key) : 0;
    bool good = length && length <= CP_STORE_MAX_KEY_BYTES && key[length - 1] != '/';
    for (size_t i = 0; good && i < length; i++) {
        char c = key[i];
        bool begins = !i || key[i - 1] == '/';
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || (c == '.' && !begins) || (c == '/' && !begins);
    }
    if (good)
        return 0;
    return cp_fail(
        error, CP_ERR_INVALID, "store",
        "an object's key has 1 to %d of a-z A-Z 0-9 . _ - and /, and no part of it is empty or begins "
        "with a dot",
        CP_STORE_MAX_KEY_BYTES);
}

static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* A cursor is base64url (RFC 4648 section 5) of a letter for its kind and the last key of the page. */
static void make_cursor(char kind, const char *key, char cursor[CP_STORE_CURSOR_BYTES])
{
    char plain[CP_STORE_MAX_KEY_BYTES + 2];
    size_t length = (size_t)snprintf(plain, sizeof plain, "%c%s", kind, key), used = 0;
    unsigned bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < length; i++) {
        bits = (bits << 8 | (unsigned char)plain[i]) & 0xffff;
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            cursor[used++] = BASE64URL[bits >> (n_bits - 6) & 63];
    }
    if (n_bits)
        cursor[used++] = BASE64URL[bits << (6 - n_bits) & 63];
    cursor[used] = 0;
}

/* Writes the key in the cursor, "" for no cursor. */
static int read_cursor(char kind, const char *cursor, char key[CP_STORE_MAX_KEY_BYTES + 1],
                       struct cp_error *error)
{
    char plain[CP_STORE_MAX_KEY_BYTES + 2];
    size_t used = 0;
    unsigned bits = 0;
    int n_bits = 0;
    bool good = true;
    *key = 0;
    if (!cursor || !*cursor)
        return 0;
    for (const char *c = cursor; good && *c; c++) {
        const char *digit = strchr(BASE64URL, *c);
        good = digit && used < sizeof plain - 1;
        bits = (bits << 6 | (unsigned)(good ? digit - BASE64URL : 0)) & 0xffff;
        n_bits += 6;
        if (good && n_bits >= 8)
            plain[used++] = (char)(bits >> (n_bits -= 8) & 0xff);
    }
    plain[used] = 0;
    if (!good || used < 2 || strlen(plain) != used || *plain != kind)
        return cp_fail(error, CP_ERR_INVALID, "store", "this cursor is not from here; start without one");
    memcpy(key, plain + 1, used);
    return 0;
}

/* --- records --- */

void cp_record_clear(struct cp_record *record)
{
    if (!record)
        return;
    free(record->json);
    record->json = NULL;
}

static void tell_watches(struct cp_store *store, const char *partition, const char *key, const char *json)
{
    struct watch watches[MAX_WATCHES];
    int n = 0;
    pthread_mutex_lock(&store->lock);
    for (int i = 0; i < store->n_watches; i++)
        if (!strcmp(store->watches[i].partition, partition))
            watches[n++] = store->watches[i];
    store->telling += n > 0;
    pthread_mutex_unlock(&store->lock);
    if (!n)
        return;
    for (int i = 0; i < n; i++)
        watches[i].on_change(watches[i].user, key, json);
    pthread_mutex_lock(&store->lock);
    if (!--store->telling)
        pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

void cp_store_unwatch(struct cp_store *store,
                      void (*on_change)(void *user, const char *key, const char *json), void *user)
{
    pthread_mutex_lock(&store->lock);
    for (int i = store->n_watches; i--;)
        if (store->watches[i].on_change == on_change && store->watches[i].user == user)
            store->watches[i] = store->watches[--store->n_watches];
    while (store->telling)
        pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

int cp_store_put_if(struct cp_store *store, const char *partition, const char *key, const char *json,
                    int64_t if_version, int64_t expires_wall_ns, int64_t *ret_version, struct cp_error *error)
{
    int result = check_record_keys(partition, key, error);
    if (result)
        return result;
    if (!json || !*json || if_version < CP_STORE_ANY_VERSION || expires_wall_ns < 0)
        return cp_fail(error, CP_ERR_INVALID, "store",
                       "a put needs JSON, a version and an expiry that make sense");
    if (strlen(json) > CP_STORE_MAX_RECORD_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, "store", "a record holds %d bytes at most, this one has %zu",
                       CP_STORE_MAX_RECORD_BYTES, strlen(json));
    if ((result = enter(store, error)))
        return result;
    result = store->records->put_if(store->record_engine, partition, key, json, if_version, expires_wall_ns,
                                    cp_clock_wall_ns(), ret_version, error);
    if (!result) {
        atomic_fetch_add_explicit(&store->counts.record_puts, 1, memory_order_relaxed);
        tell_watches(store, partition, key, json);
    }
    return leave(store, result, &store->counts.record_failures);
}

int cp_store_get(struct cp_store *store, const char *partition, const char *key, struct cp_record *ret_record,
                 struct cp_error *error)
{
    int result = check_record_keys(partition, key, error);
    if (result || (result = enter(store, error)))
        return result;
    atomic_fetch_add_explicit(&store->counts.record_gets, 1, memory_order_relaxed);
    result = store->records->get(store->record_engine, partition, key, cp_clock_wall_ns(), ret_record, error);
    return leave(store, result, &store->counts.record_failures);
}

/* The first string behind all that begin with prefix; false when there is none ("" or all 0xff). */
static bool behind_prefix(const char *prefix, char behind[CP_STORE_MAX_KEY_BYTES + 1])
{
    size_t length = (size_t)snprintf(behind, CP_STORE_MAX_KEY_BYTES + 1, "%s", prefix);
    while (length && (unsigned char)behind[length - 1] == 0xff)
        length--;
    if (!length)
        return false;
    behind[length - 1]++;
    behind[length] = 0;
    return true;
}

int cp_store_query(struct cp_store *store, const struct cp_query *query, struct cp_query_result *ret_result,
                   struct cp_error *error)
{
    char after[CP_STORE_MAX_KEY_BYTES + 1], behind[CP_STORE_MAX_KEY_BYTES + 1];
    const char *prefix = query->prefix ? query->prefix : "", kind = query->descending ? 'd' : 'a';
    int limit = query->limit ? query->limit : DEFAULT_PAGE, n = 0;
    int result = check_record_key("partition", query->partition, error);
    if (!result)
        result = read_cursor(kind, query->cursor, after, error);
    if (!result && (limit < 1 || limit > MAX_PAGE || strlen(prefix) > CP_STORE_MAX_KEY_BYTES))
        result = cp_fail(error, CP_ERR_INVALID, "store",
                         "a page has 1 to %d records and a prefix %d bytes at most", MAX_PAGE,
                         CP_STORE_MAX_KEY_BYTES);
    if (result)
        return result;
    struct cp_record_range range = {
        .partition = query->partition, .from = prefix, .to = query->to, .descending = query->descending};
    if (query->from && strcmp(query->from, prefix) > 0)
        range.from = query->from;
    if (behind_prefix(prefix, behind) && (!range.to || strcmp(behind, range.to) < 0))
        range.to = behind;
    if (*after && !query->descending)
        range.after = after;
    else if (*after && (!range.to || strcmp(after, range.to) < 0))
        range.to = after;
    range.limit = limit + 1; /* one more tells whether there is a next page */
    struct cp_record *records = calloc((size_t)range.limit, sizeof *records);
    if (!records)
        return cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    if ((result = enter(store, error))) {
        free(records);
        return result;
    }
    atomic_fetch_add_explicit(&store->counts.record_gets, 1, memory_order_relaxed);
    result = store->records->query(store->record_engine, &range, cp_clock_wall_ns(), records, &n, error);
    if (result) {
        free(records);
    } else {
        *ret_result = (struct cp_query_result){.records = records, .n_records = n > limit ? limit : n};
        if (n > limit) {
            cp_record_clear(&records[limit]);
            make_cursor(kind, records[limit - 1].key, ret_result->cursor);
        }
    }
    return leave(store, result, &store->counts.record_failures);
}

void cp_query_result_clear(struct cp_query_result *result)
{
    if (!result)
        return;
    for (int i = 0; i < result->n_records; i++)
        cp_record_clear(&result->records[i]);
    free(result->records);
    result->records = NULL;
    result->n_records = 0; /* the cursor stays: it is what the next page needs */
}

int cp_store_delete_if(struct cp_store *store, const char *partition, const char *key, int64_t if_version,
                       struct cp_error *error)
{
    int result = check_record_keys(partition, key, error);
    if (result || (result = enter(store, error)))
        return result;
    result = store->records->delete_if(store->record_engine, partition, key, if_version, cp_clock_wall_ns(),
                                       error);
    if (!result)
        tell_watches(store, partition, key, NULL);
    return leave(store, result, &store->counts.record_failures);
}

int cp_store_watch(struct cp_store *store, const char *partition,
                   void (*on_change)(void *user, const char *key, const char *json), void *user,
                   struct cp_error *error)
{
    int result = check_record_key("partition", partition, error);
    if (result)
        return result;
    pthread_mutex_lock(&store->lock);
    if (store->n_watches == MAX_WATCHES) {
        result = cp_fail(error, CP_ERR_BUSY, "store", "there are %d watches already", MAX_WATCHES);
    } else {
        struct watch *watch = &store->watches[store->n_watches++];
        snprintf(watch->partition, sizeof watch->partition, "%s", partition);
        watch->on_change = on_change;
        watch->user = user;
    }
    pthread_mutex_unlock(&store->lock);
    return result;
}

int cp_store_sweep(struct cp_store *store, int64_t *ret_records, int64_t *ret_objects, struct cp_error *error)
{
    int64_t now_wall_ns = cp_clock_wall_ns(), records = 0, objects = 0;
    int result = enter(store, error);
    if (result)
        return result;
    /* Each goes on when the other fails; the records' error is the one told. */
    int objects_result = store->objects->sweep(store->object_engine, now_wall_ns, &objects, error);
    result = store->records->sweep(store->record_engine, now_wall_ns, &records, error);
    result = result ? result : objects_result;
    atomic_fetch_add_explicit(&store->counts.swept_records, (uint64_t)records, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->counts.swept_objects, (uint64_t)objects, memory_order_relaxed);
    if (!result && ret_records)
        *ret_records = records;
    if (!result && ret_objects)
        *ret_objects = objects;
    return leave(store, result, &store->counts.record_failures);
}

/* --- objects --- */

static bool is_content_type(const char *type)
{
    size_t length = type ? strlen(type) : 0;
    for (size_t i = 0; i < length; i++)
        if (type[i] <= ' ' || type[i] > '~')
            return false;
    return length && length < sizeof((struct cp_object_info *)0)->content_type;
}

int cp_store_object_put(struct cp_store *store, const char *key, const char *content_type, const void *bytes,
                        size_t length, int64_t expires_wall_ns, struct cp_error *error)
{
    int result = check_object_key(key, error);
    if (!result && (!is_content_type(content_type) || expires_wall_ns < 0))
        result = cp_fail(error, CP_ERR_INVALID, "store",
                         "a content type has 1 to 63 printable characters without spaces");
    if (!result && (uint64_t)length > (uint64_t)CP_STORE_MAX_OBJECT_BYTES)
        result = cp_fail(error, CP_ERR_LIMIT, "store", "an object holds 4 GiB at most");
    if (result || (result = enter(store, error)))
        return result;
    result =
        store->objects->put(store->object_engine, key, content_type, bytes, length, expires_wall_ns, error);
    if (!result)
        atomic_fetch_add_explicit(&store->counts.object_puts, 1, memory_order_relaxed);
    return leave(store, result, &store->counts.object_failures);
}

int cp_store_object_info(struct cp_store *store, const char *key, struct cp_object_info *ret_info,
                         struct cp_error *error)
{
    int result = check_object_key(key, error);
    if (result || (result = enter(store, error)))
        return result;
    result = store->objects->info(store->object_engine, key, cp_clock_wall_ns(), ret_info, error);
    return leave(store, result, &store->counts.object_failures);
}

int cp_store_object_get(struct cp_store *store, const char *key, int64_t offset, int64_t length,
                        struct cp_buffer *out, struct cp_error *error)
{
    int result = check_object_key(key, error);
    if (!result && offset < 0)
        result = cp_fail(error, CP_ERR_INVALID, "store", "an offset is not negative");
    if (result || (result = enter(store, error)))
        return result;
    atomic_fetch_add_explicit(&store->counts.object_gets, 1, memory_order_relaxed);
    result = store->objects->get(store->object_engine, key, offset, length, cp_clock_wall_ns(), out, error);
    return leave(store, result, &store->counts.object_failures);
}

int cp_store_object_list(struct cp_store *store, const char *prefix, const char *cursor, int limit,
                         struct cp_object_info **ret_infos, int *ret_n, char *ret_cursor,
                         struct cp_error *error)
{
    char after[CP_STORE_MAX_KEY_BYTES + 1];
    int n = 0, result = read_cursor('o', cursor, after, error);
    limit = limit ? limit : DEFAULT_PAGE;
    if (!result && (limit < 1 || limit > MAX_PAGE))
        result = cp_fail(error, CP_ERR_INVALID, "store", "a page has 1 to %d objects", MAX_PAGE);
    struct cp_object_info *infos = result ? NULL : calloc((size_t)limit + 1, sizeof *infos);
    if (!result && !infos)
        result = cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    if (result || (result = enter(store, error))) {
        free(infos);
        return result;
    }
    result = store->objects->list(store->object_engine, prefix ? prefix : "", after, limit + 1,
                                  cp_clock_wall_ns(), infos, &n, error);
    if (result) {
        free(infos);
    } else {
        *ret_infos = infos;
        *ret_n = n > limit ? limit : n;
        *ret_cursor = 0;
        if (n > limit)
            make_cursor('o', infos[limit - 1].key, ret_cursor);
    }
    return leave(store, result, &store->counts.object_failures);
}

int cp_store_object_delete(struct cp_store *store, const char *key, struct cp_error *error)
{
    int result = check_object_key(key, error);
    if (result || (result = enter(store, error)))
        return result;
    result = store->objects->remove(store->object_engine, key, cp_clock_wall_ns(), error);
    return leave(store, result, &store->counts.object_failures);
}

int cp_store_object_url(struct cp_store *store, const char *key, int64_t expires_s, struct cp_buffer *out,
                        struct cp_error *error)
{
    int result = check_object_key(key, error);
    if (!result && (expires_s < 1 || expires_s > CP_STORE_MAX_URL_S))
        result =
            cp_fail(error, CP_ERR_INVALID, "store", "a signed URL lasts 1 to %d seconds", CP_STORE_MAX_URL_S);
    if (!result && !store->objects->presign)
        result =
            cp_fail(error, CP_ERR_UNSUPPORTED, "store",
                    "objects are kept as %s here, which has no address of its own", store->objects->name);
    if (result || (result = enter(store, error)))
        return result;
    result = store->objects->presign(store->object_engine, key, expires_s, out, error);
    return leave(store, result, &store->counts.object_failures);
}

int cp_store_lifecycle(struct cp_store *store, bool set, int *ret_rules, int *ret_wanted,
                       struct cp_error *error)
{
    int rules = 0, wanted = 0, result = 0;
    if (!store->objects->lifecycle)
        return cp_fail(error, CP_ERR_UNSUPPORTED, "store",
                       "objects are kept as %s here, which has no lifecycle rules; the sweep removes them",
                       store->objects->name);
    if ((result = enter(store, error)))
        return result;
    result = store->objects->lifecycle(store->object_engine, set, &rules, &wanted, error);
    if (!result) {
        *ret_rules = rules;
        *ret_wanted = wanted;
    }
    return leave(store, result, &store->counts.object_failures);
}

struct cp_store_stats cp_store_stats(struct cp_store *store)
{
    return (struct cp_store_stats){
        .record_puts = atomic_load(&store->counts.record_puts),
        .record_gets = atomic_load(&store->counts.record_gets),
        .record_failures = atomic_load(&store->counts.record_failures),
        .object_puts = atomic_load(&store->counts.object_puts),
        .object_gets = atomic_load(&store->counts.object_gets),
        .object_failures = atomic_load(&store->counts.object_failures),
        .swept_records = atomic_load(&store->counts.swept_records),
        .swept_objects = atomic_load(&store->counts.swept_objects),
    };
}
