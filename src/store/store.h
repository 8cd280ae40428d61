/*
 * Records and objects, and the engines that keep them.
 *
 * A record is a small JSON document under (partition, key), with a version for compare-and-set and an
 * optional expiry. An object is a named run of bytes. What was acknowledged is kept: puts return after the
 * write is durable (fsync). Expired records and objects are never returned, and the sweep removes them for
 * good.
 *
 * Every function may block on the disk: never call from draw, venc, aenc or send. Any other thread.
 */
#ifndef CP_STORE_H
#define CP_STORE_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_store;

struct cp_store_config {
    char records[CP_OPTION_TEXT_BYTES];   /* engine of records: "sqlite" */
    char objects[CP_OPTION_TEXT_BYTES];   /* engine of objects: "files", "s3" */
    char directory[CP_OPTION_TEXT_BYTES]; /* where both keep their files; made with mode 0700 when missing */
    int64_t sweep_s;                      /* seconds between sweeps */

    /* Of the engine "s3". The keys are references (file:PATH, env:NAME), never the keys themselves. */
    char s3_endpoint[CP_OPTION_TEXT_BYTES]; /* "http(s)://HOST[:PORT]"; "" is Amazon's for the region */
    char s3_region[CP_OPTION_TEXT_BYTES], s3_bucket[CP_OPTION_TEXT_BYTES];
    char s3_prefix[CP_OPTION_TEXT_BYTES]; /* of all keys: "compere/"; "" for none */
    char s3_style[CP_OPTION_TEXT_BYTES];  /* "path": HOST/BUCKET/KEY; "virtual": BUCKET.HOST/KEY */
    char s3_access_key[CP_OPTION_TEXT_BYTES], s3_secret_key[CP_OPTION_TEXT_BYTES];
    char s3_session_token[CP_OPTION_TEXT_BYTES];
    int64_t s3_part_mb;   /* larger objects are sent in parts of so many MiB */
    int64_t s3_timeout_s; /* without a sign of life from the server */
};
extern const struct cp_option cp_store_options[];
extern const size_t cp_store_n_options;

int cp_store_open(const struct cp_store_config *config, struct cp_store **ret_store, struct cp_error *error);
/* Waits for running calls; later ones are CP_ERR_UNAVAILABLE until it returns. NULL is fine. */
void cp_store_close(struct cp_store *store);

/* --- records --- */

#define CP_STORE_MAX_RECORD_BYTES (1 << 20)
#define CP_STORE_MAX_KEY_BYTES    200 /* of partitions and keys: printable ASCII without spaces */
#define CP_STORE_CURSOR_BYTES     280

struct cp_record {
    char partition[CP_STORE_MAX_KEY_BYTES + 1];
    char key[CP_STORE_MAX_KEY_BYTES + 1];
    int64_t version;         /* 1 at first put, one more at each */
    int64_t expires_wall_ns; /* 0: never */
    char *json;              /* NUL-terminated; owned by whoever holds the record */
};
void cp_record_clear(struct cp_record *record);

enum { CP_STORE_ANY_VERSION = -1, CP_STORE_MUST_BE_NEW = 0 };

/* Writes a record. if_version: CP_STORE_ANY_VERSION, CP_STORE_MUST_BE_NEW, or the version it must have now;
 * else CP_ERR_EXISTS. An expired record counts as not there. ret_version may be NULL. */
int cp_store_put_if(struct cp_store *store, const char *partition, const char *key, const char *json,
                    int64_t if_version, int64_t expires_wall_ns, int64_t *ret_version,
                    struct cp_error *error);

/* CP_ERR_NOT_FOUND when it is not there or expired. The caller clears the record. */
int cp_store_get(struct cp_store *store, const char *partition, const char *key, struct cp_record *ret_record,
                 struct cp_error *error);

struct cp_query {
    const char *partition;
    const char *prefix;    /* keys that begin so; NULL or "" for all */
    const char *from, *to; /* from <= key < to; NULL for open */
    bool descending;
    int limit;          /* 1..1000; 0 means 100 */
    const char *cursor; /* from the last page, or NULL */
};
struct cp_query_result {
    struct cp_record *records;
    int n_records;
    char cursor[CP_STORE_CURSOR_BYTES]; /* "" when this was the last page */
};
int cp_store_query(struct cp_store *store, const struct cp_query *query, struct cp_query_result *ret_result,
                   struct cp_error *error);
void cp_query_result_clear(struct cp_query_result *result);

/* CP_ERR_NOT_FOUND when it is not there, CP_ERR_EXISTS when it has another version. */
int cp_store_delete_if(struct cp_store *store, const char *partition, const char *key, int64_t if_version,
                       struct cp_error *error);

/* Calls on_change after each put or delete in the partition, on the writer's thread, outside any lock; json
 * is NULL for a delete. Changes by other processes and by the sweep are not seen. At most 16 watches. */
int cp_store_watch(struct cp_store *store, const char *partition,
                   void (*on_change)(void *user, const char *key, const char *json), void *user,
                   struct cp_error *error);

/* Ends the watch with this function and user; returns when no call of any watch is running. Not from a watch.
 */
void cp_store_unwatch(struct cp_store *store,
                      void (*on_change)(void *user, const char *key, const char *json), void *user);

/* Removes what has expired, records and objects, now. The store also does so by itself each sweep_s. */
int cp_store_sweep(struct cp_store *store, int64_t *ret_records, int64_t *ret_objects,
                   struct cp_error *error);

/* --- objects --- */

#define CP_STORE_MAX_OBJECT_BYTES (INT64_C(1) << 32)

struct cp_object_info {
    /* "speech/2026/ab12.ogg": a-z A-Z 0-9 . _ - and / ; no part is empty or begins with a dot. A key is not
     * also a folder of others ("a" and "a/b"). */
    char key[CP_STORE_MAX_KEY_BYTES + 1];
    char content_type[64];
    int64_t length_bytes, modified_wall_ns, expires_wall_ns;
};

/* Replaces the object as a whole: a reader sees the old or the new one, and a crash leaves one of them. */
int cp_store_object_put(struct cp_store *store, const char *key, const char *content_type, const void *bytes,
                        size_t length, int64_t expires_wall_ns, struct cp_error *error);
int cp_store_object_info(struct cp_store *store, const char *key, struct cp_object_info *ret_info,
                         struct cp_error *error);
/* Appends [offset, offset + length) to *out; a range past the end is cut. length < 0: to the end. */
int cp_store_object_get(struct cp_store *store, const char *key, int64_t offset, int64_t length,
                        struct cp_buffer *out, struct cp_error *error);
/* The page after cursor (NULL for the first) of keys that begin with prefix, in byte order. limit as in
 * struct cp_query. The caller frees *ret_infos; ret_cursor holds CP_STORE_CURSOR_BYTES, "" after the last
 * page. */
int cp_store_object_list(struct cp_store *store, const char *prefix, const char *cursor, int limit,
                         struct cp_object_info **ret_infos, int *ret_n, char *ret_cursor,
                         struct cp_error *error);
int cp_store_object_delete(struct cp_store *store, const char *key, struct cp_error *error);

/* The longest that a URL may last. */
#define CP_STORE_MAX_URL_S 604800

/* Appends a URL at which the server that keeps the object gives it to anybody for expires_s seconds.
 * CP_ERR_UNSUPPORTED when the engine has no server of its own. */
int cp_store_object_url(struct cp_store *store, const char *key, int64_t expires_s, struct cp_buffer *out,
                        struct cp_error *error);

/* How many of the rules by which the server itself removes what has expired are set, of how many; with `set`
 * they are set first. CP_ERR_UNSUPPORTED when the engine has none: then the sweep alone removes. */
int cp_store_lifecycle(struct cp_store *store, bool set, int *ret_rules, int *ret_wanted,
                       struct cp_error *error);

struct cp_store_stats {
    uint64_t record_puts, record_gets, record_failures, object_puts, object_gets, object_failures;
    uint64_t swept_records, swept_objects;
};
struct cp_store_stats cp_store_stats(struct cp_store *store);

#endif
