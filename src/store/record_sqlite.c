/*
 * Records in one SQLite file, "records.db". WAL with synchronous=FULL: a commit returns after fsync, and
 * readers never wait for it. Two connections, each behind its own mutex: one writes, one reads. Other
 * processes may use the file at the same time; a writer waits for them up to BUSY_MS.
 */
#include "store/store_provider.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCHEMA_VERSION = 1,
    APPLICATION_ID = 0x43505245, /* "CPRE" */
    BUSY_MS = 5000,
    SWEEP_ROWS = 500, /* a transaction, so that a sweep never keeps writers waiting long */
};

/* ?1 partition, ?2 key, ?3 now; expires 0 means never. */
#define IS_THERE " partition = ?1 AND key = ?2 AND (expires = 0 OR expires > ?3)"
#define RANGE                                                                                                \
    "SELECT key, version, expires, json FROM records WHERE partition = ?1 AND key >= ?2 AND key > ?3"        \
    " AND (?4 IS NULL OR key < ?4) AND (expires = 0 OR expires > ?5) ORDER BY key "

enum statement_id {
    BEGIN,
    COMMIT,
    ROLLBACK,
    VERSION,
    PUT,
    DELETE_ONE,
    SWEEP,
    N_WRITER,
    GET = N_WRITER,
    ASCENDING,
    DESCENDING,
    N_STATEMENTS,
};

static const char *const SQL[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [VERSION] = "SELECT version FROM records WHERE" IS_THERE,
    [PUT] =
        "INSERT OR REPLACE INTO records(partition, key, version, expires, json) VALUES(?1, ?2, ?3, ?4, ?5)",
    [DELETE_ONE] = "DELETE FROM records WHERE partition = ?1 AND key = ?2",
    [SWEEP] = "DELETE FROM records WHERE rowid IN"
              " (SELECT rowid FROM records WHERE expires > 0 AND expires <= ?1 LIMIT ?2)",
    [GET] = "SELECT version, expires, json FROM records WHERE" IS_THERE,
    [ASCENDING] = RANGE "ASC LIMIT ?6",
    [DESCENDING] = RANGE "DESC LIMIT ?6",
};

struct connection {
    pthread_mutex_t lock;
    sqlite3 *db;
};

struct engine {
    char path[CP_OPTION_TEXT_BYTES + 16];
    struct connection writer, reader;
    sqlite3_stmt *statements[N_STATEMENTS]; /* those below N_WRITER are the writer's */
};

/* Turns SQLite's result into ours, with what to do about it. */
static int fail(struct engine *engine, sqlite3 *db, const char *doing, struct cp_error *error)
{
    int result = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    switch (result & 0xff) {
    case SQLITE_FULL:
        return cp_fail(error, CP_ERR_IO, "store",
                       "%s: the disk of %s is full; free some space, the store then goes on by itself", doing,
                       engine->path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return cp_fail(
            error, CP_ERR_IO, "store",
            "%s: %s cannot be written (%s); check the owner and mode of its directory and that the "
            "file system is mounted writable",
            doing, engine->path, sqlite3_errmsg(db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return cp_fail(error, CP_ERR_BUSY, "store", "%s: another process keeps %s locked; try again", doing,
                       engine->path);
    case SQLITE_NOMEM:
        return cp_fail(error, CP_ERR_NOMEM, "store", "%s: out of memory", doing);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return cp_fail(
            error, CP_ERR_IO, "store",
            "%s: %s is damaged (%s); move it aside and restore a backup, or save what is left with "
            "\"sqlite3 FILE .recover\"",
            doing, engine->path, sqlite3_errmsg(db));
    default:
        return cp_fail(error, CP_ERR_IO, "store", "%s: %s: %s; check the disk and its free space", doing,
                       engine->path, sqlite3_errmsg(db));
    }
}

static int run_simple(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : -1;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, at);
}

static int read_pragma(sqlite3 *db, const char *sql, int *ret_value)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;
    if (!sqlite3_prepare_v2(db, sql, -1, &statement, NULL) && sqlite3_step(statement) == SQLITE_ROW) {
        *ret_value = sqlite3_column_int(statement, 0);
        result = 0;
    }
    sqlite3_finalize(statement);
    return result;
}

static int open_connection(struct engine *engine, struct connection *connection, struct cp_error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(engine->path, &connection->db, flags, NULL))
        return fail(engine, connection->db, "open", error);
    sqlite3_extended_result_codes(connection->db, 1);
    sqlite3_busy_timeout(connection->db, BUSY_MS);
    if (sqlite3_exec(
            connection->db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;",
            NULL, NULL, NULL))
        return fail(engine, connection->db, "open", error);
    return 0;
}

static int make_schema(struct engine *engine, struct cp_error *error)
{
    static const char MAKE[] = "CREATE TABLE IF NOT EXISTS records(partition TEXT NOT NULL, key TEXT NOT "
                               "NULL, version INTEGER NOT NULL,"
                               " expires INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY(partition, key));"
                               "CREATE INDEX IF NOT EXISTS expiring ON records(expires) WHERE expires > 0;";
    sqlite3 *db = engine->writer.db;
    int version = 0, application = 0;
    char pragmas[96];
    /* Two processes may start on a new file at once: look and make inside one transaction. */
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
        read_pragma(db, "PRAGMA user_version", &version) ||
        read_pragma(db, "PRAGMA application_id", &application))
        return fail(engine, db, "open", error);
    if (version > SCHEMA_VERSION || (version && application != APPLICATION_ID)) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return cp_fail(error, CP_ERR_UNSUPPORTED, "store",
                       application != APPLICATION_ID
                           ? "%s belongs to another program; choose another directory"
                           : "%s was written by a newer Compere; start that one, or choose another directory",
                       engine->path);
    }
    snprintf(pragmas, sizeof pragmas, "PRAGMA user_version = %d; PRAGMA application_id = %d;", SCHEMA_VERSION,
             APPLICATION_ID);
    if (sqlite3_exec(db, MAKE, NULL, NULL, NULL) ||
        (!version && sqlite3_exec(db, pragmas, NULL, NULL, NULL)) ||
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
        return fail(engine, db, "open", error);
    return 0;
}

static void sqlite_close(void *object)
{
    struct engine *engine = object;
    if (!engine)
        return;
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(engine->statements[i]);
    sqlite3_close(engine->reader.db);
    sqlite3_close(engine->writer.db); /* the last one to close folds the WAL into the file */
    pthread_mutex_destroy(&engine->reader.lock);
    pthread_mutex_destroy(&engine->writer.lock);
    free(engine);
}

static int sqlite_open(const struct cp_store_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    snprintf(engine->path, sizeof engine->path, "%s/records.db", config->directory);
    pthread_mutex_init(&engine->writer.lock, NULL);
    pthread_mutex_init(&engine->reader.lock, NULL);
    int result = open_connection(engine, &engine->writer, error);
    if (!result)
        result = make_schema(engine, error);
    if (!result)
        result = open_connection(engine, &engine->reader, error);
    for (int i = 0; !result && i < N_STATEMENTS; i++) {
        sqlite3 *db = i < N_WRITER ? engine->writer.db : engine->reader.db;
        if (sqlite3_prepare_v3(db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &engine->statements[i], NULL))
            result = fail(engine, db, "open", error);
    }
    if (result)
        sqlite_close(engine);
    else
        *ret_engine = engine;
    return result;
}

/* Version of the live record, 0 when there is none, negative on failure. thread: holder of the writer's lock
 */
static int64_t live_version(struct engine *engine, const char *partition, const char *key,
                            int64_t now_wall_ns)
{
    sqlite3_stmt *statement = engine->statements[VERSION];
    bind_text(statement, 1, partition);
    bind_text(statement, 2, key);
    sqlite3_bind_int64(statement, 3, now_wall_ns);
    int result = sqlite3_step(statement);
    int64_t version = result == SQLITE_ROW    ? sqlite3_column_int64(statement, 0)
                      : result == SQLITE_DONE ? 0
                                              : -1;
    sqlite3_reset(statement);
    return version;
}

static int wrong_version(struct cp_error *error, const char *partition, const char *key, int64_t has,
                         int64_t wanted)
{
    if (wanted == CP_STORE_MUST_BE_NEW)
        return cp_fail(error, CP_ERR_EXISTS, "store", "%s/%s exists already", partition, key);
    if (!has)
        return cp_fail(error, CP_ERR_EXISTS, "store", "%s/%s is gone; read again before writing", partition,
                       key);
    return cp_fail(error, CP_ERR_EXISTS, "store",
                   "%s/%s is at version %lld, not %lld; read it again before writing", partition, key,
                   (long long)has, (long long)wanted);
}

/* Ends the transaction: commits when result is 0, else rolls back. */
static int finish(struct engine *engine, int result, const char *doing, struct cp_error *error)
{
    if (!result && run_simple(engine->statements[COMMIT]))
        result = fail(engine, engine->writer.db, doing, error);
    if (result && !sqlite3_get_autocommit(engine->writer.db)) /* SQLite itself rolls back after some errors */
        run_simple(engine->statements[ROLLBACK]);
    return result;
}

static int sqlite_put_if(void *object, const char *partition, const char *key, const char *json,
                         int64_t if_version, int64_t expires_wall_ns, int64_t now_wall_ns,
                         int64_t *ret_version, struct cp_error *error)
{
    struct engine *engine = object;
    sqlite3_stmt *put = engine->statements[PUT];
    int result = 0;
    int64_t version = 0;
    pthread_mutex_lock(&engine->writer.lock);
    if (run_simple(engine->statements[BEGIN]) ||
        (version = live_version(engine, partition, key, now_wall_ns)) < 0) {
        result = fail(engine, engine->writer.db, "put", error);
    } else if (if_version != CP_STORE_ANY_VERSION && if_version != version) {
        result = wrong_version(error, partition, key, version, if_version);
    } else {
        bind_text(put, 1, partition);
        bind_text(put, 2, key);
        sqlite3_bind_int64(put, 3, version + 1);
        sqlite3_bind_int64(put, 4, expires_wall_ns);
        bind_text(put, 5, json);
        if (run_simple(put))
            result = fail(engine, engine->writer.db, "put", error);
        sqlite3_clear_bindings(put);
    }
    result = finish(engine, result, "put", error);
    pthread_mutex_unlock(&engine->writer.lock);
    if (!result && ret_version)
        *ret_version = version + 1;
    return result;
}

static int sqlite_delete_if(void *object, const char *partition, const char *key, int64_t if_version,
                            int64_t now_wall_ns, struct cp_error *error)
{
    struct engine *engine = object;
    sqlite3_stmt *drop = engine->statements[DELETE_ONE];
    int result = 0;
    int64_t version = 0;
    pthread_mutex_lock(&engine->writer.lock);
    if (run_simple(engine->statements[BEGIN]) ||
        (version = live_version(engine, partition, key, now_wall_ns)) < 0) {
        result = fail(engine, engine->writer.db, "delete", error);
    } else if (!version) {
        result = cp_fail(error, CP_ERR_NOT_FOUND, "store", "there is no %s/%s", partition, key);
    } else if (if_version != CP_STORE_ANY_VERSION && if_version != version) {
        result = wrong_version(error, partition, key, version, if_version);
    } else {
        bind_text(drop, 1, partition);
        bind_text(drop, 2, key);
        if (run_simple(drop))
            result = fail(engine, engine->writer.db, "delete", error);
    }
    result = finish(engine, result, "delete", error);
    pthread_mutex_unlock(&engine->writer.lock);
    return result;
}

static int fill_record(struct cp_record *record, const char *partition, const char *key, int64_t version,
                       int64_t expires, const char *json)
{
    memset(record, 0, sizeof *record);
    snprintf(record->partition, sizeof record->partition, "%s", partition);
    snprintf(record->key, sizeof record->key, "%s", key ? key : "");
    record->version = version;
    record->expires_wall_ns = expires;
    record->json = json ? strdup(json) : NULL;
    return record->json ? 0 : -1;
}

static int sqlite_get(void *object, const char *partition, const char *key, int64_t now_wall_ns,
                      struct cp_record *ret_record, struct cp_error *error)
{
    struct engine *engine = object;
    sqlite3_stmt *get = engine->statements[GET];
    int result = 0;
    pthread_mutex_lock(&engine->reader.lock);
    bind_text(get, 1, partition);
    bind_text(get, 2, key);
    sqlite3_bind_int64(get, 3, now_wall_ns);
    int step = sqlite3_step(get);
    if (step == SQLITE_DONE)
        result = cp_fail(error, CP_ERR_NOT_FOUND, "store", "there is no %s/%s", partition, key);
    else if (step != SQLITE_ROW)
        result = fail(engine, engine->reader.db, "get", error);
    else if (fill_record(ret_record, partition, key, sqlite3_column_int64(get, 0),
                         sqlite3_column_int64(get, 1), (const char *)sqlite3_column_text(get, 2)))
        result = cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    sqlite3_reset(get);
    pthread_mutex_unlock(&engine->reader.lock);
    return result;
}

static int sqlite_query(void *object, const struct cp_record_range *range, int64_t now_wall_ns,
                        struct cp_record *records, int *ret_n, struct cp_error *error)
{
    struct engine *engine = object;
    sqlite3_stmt *query = engine->statements[range->descending ? DESCENDING : ASCENDING];
    int result = 0, step, n = 0;
    pthread_mutex_lock(&engine->reader.lock);
    bind_text(query, 1, range->partition);
    bind_text(query, 2, range->from ? range->from : "");
    bind_text(query, 3, range->after ? range->after : "");
    bind_text(query, 4, range->to);
    sqlite3_bind_int64(query, 5, now_wall_ns);
    sqlite3_bind_int(query, 6, range->limit);
    while (!result && (step = sqlite3_step(query)) != SQLITE_DONE) {
        if (step != SQLITE_ROW)
            result = fail(engine, engine->reader.db, "query", error);
        else if (fill_record(&records[n], range->partition, (const char *)sqlite3_column_text(query, 0),
                             sqlite3_column_int64(query, 1), sqlite3_column_int64(query, 2),
                             (const char *)sqlite3_column_text(query, 3)))
            result = cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
        else
            n++;
    }
    sqlite3_reset(query);
    pthread_mutex_unlock(&engine->reader.lock);
    if (!result)
        *ret_n = n;
    for (int i = 0; result && i < n; i++)
        cp_record_clear(&records[i]);
    return result;
}

static int sqlite_sweep(void *object, int64_t now_wall_ns, int64_t *ret_removed, struct cp_error *error)
{
    struct engine *engine = object;
    sqlite3_stmt *sweep = engine->statements[SWEEP];
    int64_t removed = 0;
    int result = 0, here;
    do {
        here = 0;
        pthread_mutex_lock(&engine->writer.lock);
        sqlite3_bind_int64(sweep, 1, now_wall_ns);
        sqlite3_bind_int(sweep, 2, SWEEP_ROWS);
        if (run_simple(sweep))
            result = fail(engine, engine->writer.db, "sweep", error);
        else
            here = sqlite3_changes(engine->writer.db);
        pthread_mutex_unlock(&engine->writer.lock);
        removed += here;
    } while (!result && here == SWEEP_ROWS);
    if (!result)
        *ret_removed = removed;
    return result;
}

const struct cp_record_engine cp_record_engine_sqlite = {
    .name = "sqlite",
    .summary = "one SQLite file in the data directory",
    .open = sqlite_open,
    .put_if = sqlite_put_if,
    .get = sqlite_get,
    .query = sqlite_query,
    .delete_if = sqlite_delete_if,
    .sweep = sqlite_sweep,
    .close = sqlite_close,
};
