/* The file of documents and passages: opened, written, listed. */
#include "answers/answers_int.h"
#include "answers/collection.h"
#include "answers/embed/embed.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { SCHEMA_VERSION = 2, APPLICATION_ID = 0x4350414e /* "CPAN" */, BUSY_MS = 5000, TITLE_BYTES = 200 };

#define OPTION(member) offsetof(struct cp_answers_config, member)
const struct cp_option cp_answers_options[] = {
    {.name = "max_document_bytes",
     .type = CP_OPTION_INT,
     .fallback = "33554432",
     .min = 1000,
     .max = 1 << 28,
     .help = "largest document",
     .offset = OPTION(max_document_bytes)},
    {.name = "max_passages",
     .type = CP_OPTION_INT,
     .fallback = "1000000",
     .min = 100,
     .max = 10000000,
     .help = "passages of all documents",
     .offset = OPTION(max_passages)},
    {.name = "passage_weight",
     .type = CP_OPTION_FLOAT,
     .fallback = "1000",
     .min = 100,
     .max = 4000,
     .help = "letters in a passage, about; a sign of Chinese or Japanese counts as three",
     .offset = OPTION(passage_weight)},
    {.name = "k1",
     .type = CP_OPTION_FLOAT,
     .fallback = "1.0",
     .min = 0,
     .max = 10,
     .help = "BM25: how much a repeated word adds",
     .offset = OPTION(k1)},
    {.name = "b",
     .type = CP_OPTION_FLOAT,
     .fallback = "0.7",
     .min = 0,
     .max = 1,
     .help = "BM25: how much long passages lose",
     .offset = OPTION(b)},
    {.name = "confident",
     .type = CP_OPTION_FLOAT,
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .help = "confidence from which a hit counts as an answer; below, the question is refused",
     .offset = OPTION(confident)},
    {.name = "fetch_private",
     .type = CP_OPTION_BOOL,
     .fallback = "false",
     .help = "fetch web pages from this machine and private networks too",
     .offset = OPTION(fetch_private)},
    {.name = "embed_url",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "embeddings of OpenAI's shape, so that passages are found by meaning too "
             "(http://127.0.0.1:11434/v1); "
             "empty: by words",
     .offset = OPTION(embed_url)},
    {.name = "embed_model",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "their model; another one makes all vectors anew",
     .offset = OPTION(embed_model)},
    {.name = "embed_key",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "their key as a reference: env:NAME or file:PATH",
     .offset = OPTION(embed_key)},
    {.name = "embed_ms",
     .type = CP_OPTION_INT,
     .fallback = "300",
     .min = 10,
     .max = 10000,
     .help = "how long a question waits for its vector; then words alone find its answer",
     .offset = OPTION(embed_ms)},
    {.name = "embed_most",
     .type = CP_OPTION_INT,
     .fallback = "200000",
     .min = 100,
     .max = 10000000,
     .help = "vectors kept in memory, 8 bits a component",
     .offset = OPTION(embed_most)},
    {.name = "embed_sure",
     .type = CP_OPTION_FLOAT,
     .fallback = "0",
     .min = 0,
     .max = 0.99,
     .help = "cosine from which likeness alone is an answer; models differ, so try it on questions of your "
             "own (0: "
             "likeness only ranks)",
     .offset = OPTION(embed_sure)},
};
const size_t cp_answers_n_options = sizeof cp_answers_options / sizeof cp_answers_options[0];

int cp_answers_fail(const struct cp_answers *answers, sqlite3 *db, struct cp_error *error)
{
    switch (db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM) {
    case SQLITE_NOMEM:
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    case SQLITE_FULL:
        return cp_fail(error, CP_ERR_IO, STAGE, "The disk of %s is full; free some space and try again.",
                       answers->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return cp_fail(error, CP_ERR_BUSY, STAGE, "Another process keeps %s locked; try again.",
                       answers->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return cp_fail(
            error, CP_ERR_IO, STAGE,
            "%s is damaged; move it aside and upload the documents again, or save what is left with "
            "\"sqlite3 FILE .recover\".",
            answers->path);
    default:
        return cp_fail(error, CP_ERR_IO, STAGE, "%s: %s; check the disk and the owner of its directory.",
                       answers->path, sqlite3_errmsg(db));
    }
}

/* --- open, close --- */

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS documents(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " collection TEXT NOT NULL, title TEXT NOT NULL, type TEXT NOT NULL, language TEXT NOT NULL,"
    " bytes INTEGER NOT NULL, passages INTEGER NOT NULL, created_wall_ns INTEGER NOT NULL,"
    " boost REAL NOT NULL DEFAULT 1, UNIQUE(collection, title));"
    "CREATE TABLE IF NOT EXISTS passages(id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL,"
    " heading TEXT NOT NULL, question TEXT NOT NULL, text TEXT NOT NULL, link TEXT NOT NULL, words TEXT NOT "
    "NULL);"
    "CREATE INDEX IF NOT EXISTS by_document ON passages(document);"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(scope, body, content='', columnsize=0, "
    "tokenize='ascii');"
    "CREATE TABLE IF NOT EXISTS frequencies(term TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS totals(passages INTEGER NOT NULL, terms INTEGER NOT NULL);"
    "INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals);";

static int open_connection(struct cp_answers *answers, struct connection *connection, struct cp_error *error)
{
    pthread_mutex_init(&connection->lock, NULL);
    connection->cutter = cp_cutter_create();
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (!connection->cutter || sqlite3_open_v2(answers->path, &connection->db, flags, NULL))
        return cp_answers_fail(answers, connection->db, error);
    sqlite3_busy_timeout(connection->db, BUSY_MS);
    if (sqlite3_exec(connection->db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;"
                     "PRAGMA mmap_size = 1073741824;",
                     NULL, NULL, NULL) ||
        cp_index_register(connection->db))
        return cp_answers_fail(answers, connection->db, error);
    return 0;
}

static int64_t read_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (!sqlite3_prepare_v2(db, sql, -1, &statement, NULL) && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static int make_schema(struct cp_answers *answers, struct cp_error *error)
{
    sqlite3 *db = answers->writer.db;
    char pragmas[96];
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
        return cp_answers_fail(answers, db, error);
    int64_t version = read_number(db, "PRAGMA user_version"),
            owner = read_number(db, "PRAGMA application_id");
    if (version > SCHEMA_VERSION || (version > 0 && owner != APPLICATION_ID)) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return cp_fail(error, CP_ERR_UNSUPPORTED, STAGE, "%s was written by %s; choose another directory.",
                       answers->path, owner == APPLICATION_ID ? "a newer Compere" : "another program");
    }
    if (version == 1 &&
        sqlite3_exec(db, "ALTER TABLE documents ADD COLUMN boost REAL NOT NULL DEFAULT 1", NULL, NULL, NULL))
        return cp_answers_fail(answers, db, error);
    snprintf(pragmas, sizeof pragmas, "PRAGMA user_version = %d; PRAGMA application_id = %d;", SCHEMA_VERSION,
             APPLICATION_ID);
    if (sqlite3_exec(db, SCHEMA, NULL, NULL, NULL) || cp_collection_make_tables(db) ||
        cp_embed_make_tables(db) || sqlite3_exec(db, pragmas, NULL, NULL, NULL) ||
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
        return cp_answers_fail(answers, db, error);
    answers->stats.documents = read_number(db, "SELECT count(*) FROM documents");
    answers->stats.passages = read_number(db, "SELECT passages FROM totals");
    return 0;
}

int cp_answers_open(const struct cp_answers_config *config, const char *directory,
                    struct cp_answers **ret_answers, struct cp_error *error)
{
    struct cp_answers *answers = calloc(1, sizeof *answers);
    if (!answers)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    answers->config = *config;
    pthread_mutex_init(&answers->lock, NULL);
    snprintf(answers->path, sizeof answers->path, "%s/knowledge.db", directory);
    int result = 0;
    if (mkdir(directory, 0700) && errno != EEXIST)
        result = cp_fail(error, CP_ERR_IO, STAGE, "%s cannot be made: %s", directory, strerror(errno));
    if (!result)
        result = open_connection(answers, &answers->writer, error);
    if (!result)
        result = make_schema(answers, error);
    for (int i = 0; !result && i < N_READERS; i++)
        result = open_connection(answers, &answers->reader[i], error);
    if (!result)
        result = cp_embedder_open(answers, &answers->embedder, error);
    if (result)
        cp_answers_close(answers);
    else
        *ret_answers = answers;
    return result;
}

static void close_connection(struct connection *connection)
{
    if (!connection->cutter)
        return;
    sqlite3_close(connection->db);
    cp_cutter_destroy(connection->cutter);
    pthread_mutex_destroy(&connection->lock);
}

void cp_answers_close(struct cp_answers *answers)
{
    if (!answers)
        return;
    cp_embedder_close(answers->embedder);
    for (int i = 0; i < N_READERS; i++)
        close_connection(&answers->reader[i]);
    close_connection(&answers->writer); /* the last one folds the log into the file */
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

struct connection *cp_answers_reader(struct cp_answers *answers)
{
    for (int i = 0; i < N_READERS; i++)
        if (!pthread_mutex_trylock(&answers->reader[i].lock))
            return &answers->reader[i];
    pthread_mutex_lock(&answers->lock);
    struct connection *turn = &answers->reader[answers->next_reader++ % N_READERS];
    pthread_mutex_unlock(&answers->lock);
    pthread_mutex_lock(&turn->lock);
    return turn;
}

void cp_answers_release(struct connection *connection)
{
    pthread_mutex_unlock(&connection->lock);
}

struct cp_answers_stats cp_answers_stats(struct cp_answers *answers)
{
    pthread_mutex_lock(&answers->lock);
    struct cp_answers_stats stats = answers->stats;
    pthread_mutex_unlock(&answers->lock);
    if (answers->embedder)
        cp_embedder_stats(answers->embedder, &stats.embedded, &stats.embed_failures);
    return stats;
}

/* --- documents as JSON --- */

#define DOCUMENT_COLUMNS                                                                                     \
    " id, collection, title, type, language, bytes, passages, created_wall_ns, number, boost "

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

static json_t *document_json(sqlite3_stmt *row)
{
    char created[32];
    cp_clock_rfc3339(sqlite3_column_int64(row, 7), created);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:f}", "id", text_of(row, 0), "collection",
                     text_of(row, 1), "title", text_of(row, 2), "type", text_of(row, 3), "language",
                     text_of(row, 4), "bytes", (json_int_t)sqlite3_column_int64(row, 5), "passages",
                     (json_int_t)sqlite3_column_int64(row, 6), "created_at", created, "boost",
                     sqlite3_column_double(row, 9));
}

static int no_document(const char *id, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no document \"%.40s\".", id);
}

static int read_document(struct cp_answers *answers, struct connection *connection, const char *id,
                         json_t **ret_document, struct cp_error *error)
{
    sqlite3_stmt *statement = NULL;
    int result = 0;
    if (sqlite3_prepare_v2(connection->db, "SELECT" DOCUMENT_COLUMNS "FROM documents WHERE id = ?1", -1,
                           &statement, NULL) ||
        sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC))
        result = cp_answers_fail(answers, connection->db, error);
    else if (sqlite3_step(statement) != SQLITE_ROW)
        result = no_document(id, error);
    else if (!(*ret_document = document_json(statement)))
        result = cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    sqlite3_finalize(statement);
    return result;
}

int cp_answers_get(struct cp_answers *answers, const char *id, json_t **ret_document, struct cp_error *error)
{
    struct connection *reader = cp_answers_reader(answers);
    int result = read_document(answers, reader, id, ret_document, error);
    cp_answers_release(reader);
    return result;
}

int cp_answers_list(struct cp_answers *answers, const char *collection, const char *cursor, int limit,
                    json_t **ret_page, struct cp_error *error)
{
    struct connection *reader = cp_answers_reader(answers);
    sqlite3_stmt *statement = NULL;
    json_t *documents = json_array();
    int64_t last = 0, before = cursor && *cursor ? strtoll(cursor, NULL, 10) : INT64_MAX;
    int result = 0, n = 0;
    if (sqlite3_prepare_v2(reader->db,
                           "SELECT" DOCUMENT_COLUMNS "FROM documents WHERE number < ?1 AND"
                           " (?2 = '' OR collection = ?2) ORDER BY number DESC LIMIT ?3",
                           -1, &statement, NULL))
        result = cp_answers_fail(answers, reader->db, error);
    if (!result) {
        sqlite3_bind_int64(statement, 1, before);
        sqlite3_bind_text(statement, 2, collection, -1, SQLITE_STATIC);
        sqlite3_bind_int(statement, 3, limit + 1);
        while (sqlite3_step(statement) == SQLITE_ROW && n++ < limit) {
            json_array_append_new(documents, document_json(statement));
            last = sqlite3_column_int64(statement, 8);
        }
    }
    sqlite3_finalize(statement);
    cp_answers_release(reader);
    if (result) {
        json_decref(documents);
        return result;
    }
    char next[24] = "";
    if (n > limit)
        snprintf(next, sizeof next, "%lld", (long long)last);
    *ret_page = json_pack("{s:o,s:s}", "documents", documents, "cursor", next);
    return 0;
}

int cp_answers_passages(struct cp_answers *answers, const char *id, json_t **ret_passages,
                        struct cp_error *error)
{
    struct connection *reader = cp_answers_reader(answers);
    json_t *document = NULL;
    sqlite3_stmt *statement = NULL;
    int result = read_document(answers, reader, id, &document, error), number = 0;
    json_decref(document);
    json_t *passages = json_array();
    if (!result &&
        sqlite3_prepare_v2(reader->db,
                           "SELECT p.id, p.heading, p.question, p.text, p.link FROM passages p JOIN"
                           " documents d ON d.number = p.document WHERE d.id = ?1 ORDER BY p.id",
                           -1, &statement, NULL))
        result = cp_answers_fail(answers, reader->db, error);
    if (!result) {
        sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        while (sqlite3_step(statement) == SQLITE_ROW)
            json_array_append_new(passages, json_pack("{s:I,s:i,s:s,s:s,s:s,s:s}", "id",
                                                      (json_int_t)sqlite3_column_int64(statement, 0),
                                                      "number", number++, "heading", text_of(statement, 1),
                                                      "question", text_of(statement, 2), "text",
                                                      text_of(statement, 3), "link", text_of(statement, 4)));
    }
    sqlite3_finalize(statement);
    cp_answers_release(reader);
    if (result)
        json_decref(passages);
    else
        *ret_passages = json_pack("{s:o}", "passages", passages);
    return result;
}
