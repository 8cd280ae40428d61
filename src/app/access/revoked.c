#include "app/access/revoked.h"

#include "app/access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sigv4.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITION "revoked-viewers"
#define TTL_NS    (10 * CP_NS_PER_S)

struct entry {
    char id[65]; /* hash of channel and viewer: the record's key */
    int64_t version;
};

struct cp_revoked {
    struct cp_store *store;
    pthread_mutex_t adding; /* one at a time, so that there are never more than the most */
    pthread_mutex_t lock;   /* guards what follows */
    struct entry *entries;  /* sorted by id; NULL while there are none */
    int n;
    int64_t read_ns;
    atomic_bool stale;
};

static void on_change(void *user, const char *key, const char *json)
{
    struct cp_revoked *revoked = user;
    atomic_store(&revoked->stale, true);
}

int cp_revoked_open(struct cp_store *store, struct cp_revoked **ret_revoked, struct cp_error *error)
{
    struct cp_revoked *revoked = calloc(1, sizeof *revoked);
    if (!revoked)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    revoked->store = store;
    atomic_init(&revoked->stale, true);
    pthread_mutex_init(&revoked->adding, NULL);
    pthread_mutex_init(&revoked->lock, NULL);
    int result = cp_store_watch(store, PARTITION, on_change, revoked, error);
    if (result) {
        pthread_mutex_destroy(&revoked->adding);
        pthread_mutex_destroy(&revoked->lock);
        free(revoked);
        return result;
    }
    *ret_revoked = revoked;
    return 0;
}

void cp_revoked_close(struct cp_revoked *revoked)
{
    if (!revoked)
        return;
    cp_store_unwatch(revoked->store, on_change, revoked);
    free(revoked->entries);
    pthread_mutex_destroy(&revoked->adding);
    pthread_mutex_destroy(&revoked->lock);
    free(revoked);
}

static void make_id(const char *channel, const char *viewer, char ret_id[65])
{
    char what[CP_TOKEN_CHANNEL_BYTES + CP_TOKEN_ID_BYTES + 2];
    int length = snprintf(what, sizeof what, "%.150s\n%.79s", channel, viewer);
    cp_sigv4_sha256(what, (size_t)length, ret_id);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

static int64_t version_in(const char *json)
{
    json_t *record = json_loads(json, 0, NULL);
    int64_t version = json_integer_value(json_object_get(record, "versions_up_to"));
    json_decref(record);
    return version;
}

/* Reads the records into a table of CP_ACCESS_MAX_REVOKED places. */
static int read_all(struct cp_revoked *revoked, struct entry *entries, int *ret_n, struct cp_error *error)
{
    char cursor[CP_STORE_CURSOR_BYTES] = "";
    int n = 0;
    do {
        struct cp_query query = {.partition = PARTITION, .limit = 1000, .cursor = *cursor ? cursor : NULL};
        struct cp_query_result page;
        int result = cp_store_query(revoked->store, &query, &page, error);
        if (result)
            return result;
        for (int i = 0; i < page.n_records && n < CP_ACCESS_MAX_REVOKED; i++, n++) {
            snprintf(entries[n].id, sizeof entries[n].id, "%.64s", page.records[i].key);
            entries[n].version = version_in(page.records[i].json);
        }
        memcpy(cursor, page.cursor, sizeof cursor);
        cp_query_result_clear(&page);
    } while (*cursor && n < CP_ACCESS_MAX_REVOKED);
    qsort(entries, (size_t)n, sizeof *entries, compare);
    *ret_n = n;
    return 0;
}

/* Under the lock. While the store does not answer, what was known stays, and it is asked again. */
static void refresh(struct cp_revoked *revoked)
{
    int64_t now_ns = cp_clock_now_ns();
    struct cp_error error = {.text = "out of memory"};
    if (!atomic_exchange(&revoked->stale, false) && now_ns - revoked->read_ns < TTL_NS)
        return;
    revoked->read_ns = now_ns;
    struct entry *entries = calloc(CP_ACCESS_MAX_REVOKED, sizeof *entries);
    if (entries && !read_all(revoked, entries, &revoked->n, &error)) {
        free(revoked->entries);
        revoked->entries = entries;
        return;
    }
    free(entries);
    atomic_store(&revoked->stale, true);
    cp_log(CP_LOG_ERROR, "app", "revoked viewers not read", "error=\"%s\"", error.text);
}

/* The version up to which the viewer is revoked, or -1. */
static int64_t find(struct cp_revoked *revoked, const char *id, int *ret_n)
{
    struct entry wanted;
    snprintf(wanted.id, sizeof wanted.id, "%s", id);
    pthread_mutex_lock(&revoked->lock);
    refresh(revoked);
    const struct entry *entry =
        revoked->n ? bsearch(&wanted, revoked->entries, (size_t)revoked->n, sizeof wanted, compare) : NULL;
    int64_t version = entry ? entry->version : -1;
    if (ret_n)
        *ret_n = revoked->n;
    pthread_mutex_unlock(&revoked->lock);
    return version;
}

bool cp_revoked_has(struct cp_revoked *revoked, const char *channel, const char *viewer, int64_t version)
{
    char id[65];
    make_id(channel, viewer, id);
    return find(revoked, id, NULL) >= version;
}

static int put(struct cp_revoked *revoked, const char *id, const char *channel, const char *viewer,
               int64_t version, int64_t lasts_s, struct cp_error *error)
{
    char at[32];
    int64_t now_ns = cp_clock_wall_ns();
    cp_clock_rfc3339(now_ns, at);
    json_t *record = json_pack("{s:s, s:s, s:I, s:s}", "channel", channel, "viewer", viewer, "versions_up_to",
                               (json_int_t)version, "revoked_at", at);
    char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
    int result = text ? cp_store_put_if(revoked->store, PARTITION, id, text, CP_STORE_ANY_VERSION,
                                        now_ns + lasts_s * CP_NS_PER_S, NULL, error)
                      : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    free(text);
    json_decref(record);
    return result;
}

int cp_revoked_add(struct cp_revoked *revoked, const char *channel, const char *viewer, int64_t version,
                   int64_t lasts_s, struct cp_error *error)
{
    char id[65];
    int n, result;
    make_id(channel, viewer, id);
    pthread_mutex_lock(&revoked->adding);
    int64_t before = find(revoked, id, &n);
    if (before < 0 && n >= CP_ACCESS_MAX_REVOKED)
        result = cp_fail(error, CP_ERR_BUSY, "app",
                         "%d viewers are revoked, which is the most; they leave the list a week later. A new "
                         "playback key refuses all tokens of the old one at once",
                         CP_ACCESS_MAX_REVOKED);
    else
        result = put(revoked, id, channel, viewer, before > version ? before : version, lasts_s, error);
    pthread_mutex_unlock(&revoked->adding);
    return result;
}
