/*
 * What an engine of records or objects must provide. store.c checks keys and sizes, decodes cursors, counts
 * and calls watches; an engine only keeps things. The same contract test runs over every row of the tables.
 *
 * Every function may block on the disk and is called from any thread, several at once: an engine locks for
 * itself. now_wall_ns is the time that expiry is judged by. All members are required.
 */
#ifndef CP_STORE_PROVIDER_H
#define CP_STORE_PROVIDER_H

#include "store/store.h"

/* A query with prefix, range and cursor already folded into bounds. */
struct cp_record_range {
    const char *partition;
    const char *from;  /* from <= key */
    const char *after; /* after < key; NULL for open */
    const char *to;    /* key < to; NULL for open */
    bool descending;
    int limit;
};

struct cp_record_engine {
    const char *name, *summary;
    /* Makes what is missing in config->directory, which exists. */
    int (*open)(const struct cp_store_config *config, void **ret_engine, struct cp_error *error);
    int (*put_if)(void *engine, const char *partition, const char *key, const char *json, int64_t if_version,
                  int64_t expires_wall_ns, int64_t now_wall_ns, int64_t *ret_version, struct cp_error *error);
    int (*get)(void *engine, const char *partition, const char *key, int64_t now_wall_ns,
               struct cp_record *ret_record, struct cp_error *error);
    /* Fills up to range->limit records in order. */
    int (*query)(void *engine, const struct cp_record_range *range, int64_t now_wall_ns,
                 struct cp_record *records, int *ret_n, struct cp_error *error);
    int (*delete_if)(void *engine, const char *partition, const char *key, int64_t if_version,
                     int64_t now_wall_ns, struct cp_error *error);
    int (*sweep)(void *engine, int64_t now_wall_ns, int64_t *ret_removed, struct cp_error *error);
    /* No call is running. NULL is fine. */
    void (*close)(void *engine);
};

struct cp_object_engine {
    const char *name, *summary;
    bool keys_are_paths; /* refuses a key that is also a folder of others (CP_ERR_INVALID) */
    int (*open)(const struct cp_store_config *config, void **ret_engine, struct cp_error *error);
    int (*put)(void *engine, const char *key, const char *content_type, const void *bytes, size_t length,
               int64_t expires_wall_ns, struct cp_error *error);
    int (*info)(void *engine, const char *key, int64_t now_wall_ns, struct cp_object_info *ret_info,
                struct cp_error *error);
    int (*get)(void *engine, const char *key, int64_t offset, int64_t length, int64_t now_wall_ns,
               struct cp_buffer *out, struct cp_error *error);
    /* Fills up to limit infos of keys that begin with prefix and come after `after`, in byte order. */
    int (*list)(void *engine, const char *prefix, const char *after, int limit, int64_t now_wall_ns,
                struct cp_object_info *infos, int *ret_n, struct cp_error *error);
    int (*remove)(void *engine, const char *key, int64_t now_wall_ns, struct cp_error *error);
    int (*sweep)(void *engine, int64_t now_wall_ns, int64_t *ret_removed, struct cp_error *error);
    /* Optional: appends a URL under which anybody may GET the object for so long. */
    int (*presign)(void *engine, const char *key, int64_t expires_s, struct cp_buffer *out,
                   struct cp_error *error);
    /* Optional: looks whether the server itself expires our objects (how many of the wanted rules there are),
     * and with `set` makes it so. */
    int (*lifecycle)(void *engine, bool set, int *ret_rules, int *ret_wanted, struct cp_error *error);
    void (*close)(void *engine);
};

extern const struct cp_record_engine cp_record_engine_sqlite;
extern const struct cp_object_engine cp_object_engine_files, cp_object_engine_s3;

/* The tables, ended by NULL. */
extern const struct cp_record_engine *const cp_record_engines[];
extern const struct cp_object_engine *const cp_object_engines[];

#endif
