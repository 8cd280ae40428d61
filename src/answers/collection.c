#include "answers/collection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GROUPS = 500, MAX_LISTED = 1000 };

/* Words are kept as the terms that they are in each language with a stemmer, since documents of one may come
 * later. */
static const char *const LANGUAGES[] = {"",   "ar", "ca", "da", "de", "el", "en", "es", "eu", "fi",
                                        "fr", "ga", "hi", "hu", "hy", "id", "it", "lt", "ne", "nl",
                                        "no", "pt", "ro", "ru", "sr", "sv", "ta", "tr"};

int cp_collection_make_tables(sqlite3 *db)
{
    static const char TABLES[] = "CREATE TABLE IF NOT EXISTS collections(name TEXT PRIMARY KEY, confident "
                                 "REAL, synonyms TEXT NOT NULL)"
                                 " WITHOUT ROWID;"
                                 "CREATE TABLE IF NOT EXISTS synonyms(term TEXT NOT NULL, collection TEXT "
                                 "NOT NULL, family INTEGER NOT NULL,"
                                 " PRIMARY KEY(term, collection, family)) WITHOUT ROWID;"
                                 "CREATE INDEX IF NOT EXISTS by_family ON synonyms(collection, family);"
                                 "CREATE TABLE IF NOT EXISTS pins(collection TEXT NOT NULL, position INTEGER "
                                 "NOT NULL, question TEXT NOT NULL,"
                                 " document TEXT NOT NULL, PRIMARY KEY(collection, position)) WITHOUT ROWID;";
    return sqlite3_exec(db, TABLES, NULL, NULL, NULL) ? -1 : 0;
}

static const char *column(sqlite3_stmt *row, int i)
{
    const char *text = (const char *)sqlite3_column_text(row, i);
    return text ? text : "";
}

/* --- for the search --- */

double cp_collection_confident(struct connection *reader, const char *collection, double usual)
{
    sqlite3_stmt *row = NULL;
    double confident = usual;
    if (!sqlite3_prepare_v2(reader->db,
                            "SELECT confident FROM collections WHERE name = ?1 AND confident IS NOT NULL", -1,
                            &row, NULL)) {
        sqlite3_bind_text(row, 1, collection, -1, SQLITE_STATIC);
        if (sqlite3_step(row) == SQLITE_ROW)
            confident = sqlite3_column_double(row, 0);
    }
    sqlite3_finalize(row);
    return confident;
}

int cp_collection_synonyms(struct connection *reader, const char *collection, const char *term,
                           char ret_terms[CP_MAX_SYNONYMS][CP_TERM_BYTES + 1])
{
    sqlite3_stmt *row = NULL;
    int n = 0;
    if (!sqlite3_prepare_v2(
            reader->db,
            "SELECT DISTINCT b.term FROM synonyms a JOIN synonyms b ON b.collection = a.collection AND"
            " b.family = a.family JOIN frequencies f ON f.term = b.term WHERE a.term = ?1 AND (?2 = ''"
            " OR a.collection = ?2) AND b.term != ?1 AND f.passages > 0 LIMIT ?3",
            -1, &row, NULL)) {
        sqlite3_bind_text(row, 1, term, -1, SQLITE_STATIC);
        sqlite3_bind_text(row, 2, collection, -1, SQLITE_STATIC);
        sqlite3_bind_int(row, 3, CP_MAX_SYNONYMS);
        while (n < CP_MAX_SYNONYMS && sqlite3_step(row) == SQLITE_ROW)
            snprintf(ret_terms[n++], CP_TERM_BYTES + 1, "%s", column(row, 0));
    }
    sqlite3_finalize(row);
    return n;
}

int cp_collection_pins(struct connection *reader, const char *collection, struct cp_pin *ret_pins)
{
    sqlite3_stmt *row = NULL;
    int n = 0;
    if (!sqlite3_prepare_v2(
            reader->db,
            "SELECT p.question, p.document, d.language FROM pins p JOIN documents d ON d.id = p.document"
            " WHERE ?1 = '' OR p.collection = ?1 ORDER BY p.collection, p.position LIMIT ?2",
            -1, &row, NULL)) {
        sqlite3_bind_text(row, 1, collection, -1, SQLITE_STATIC);
        sqlite3_bind_int(row, 2, CP_MAX_PINS);
        while (n < CP_MAX_PINS && sqlite3_step(row) == SQLITE_ROW) {
            struct cp_pin *pin = &ret_pins[n++];
            *pin = (struct cp_pin){strdup(column(row, 0)), strdup(column(row, 1)), strdup(column(row, 2))};
            if (pin->question && pin->document && pin->language)
                continue;
            cp_pins_free(ret_pins, n);
            n = 0;
            break;
        }
    }
    sqlite3_finalize(row);
    return n;
}

void cp_pins_free(struct cp_pin *pins, int n)
{
    for (int i = 0; i < n; i++) {
        free(pins[i].question);
        free(pins[i].document);
        free(pins[i].language);
    }
}

/* --- what is set, as JSON --- */

static json_t *pins_json(struct connection *connection, const char *name)
{
    json_t *list = json_array();
    sqlite3_stmt *row = NULL;
    if (!sqlite3_prepare_v2(connection->db,
                            "SELECT question, document FROM pins WHERE collection = ?1 ORDER BY position", -1,
                            &row, NULL)) {
        sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
        while (sqlite3_step(row) == SQLITE_ROW)
            json_array_append_new(
                list, json_pack("{s:s,s:s}", "question", column(row, 0), "document", column(row, 1)));
    }
    sqlite3_finalize(row);
    return list;
}

/* A row of name, documents, passages, confident, synonyms. */
static json_t *collection_json(struct connection *connection, sqlite3_stmt *row)
{
    json_t *collection = json_pack("{s:s,s:I,s:I,s:s,s:o}", "name", column(row, 0), "documents",
                                   (json_int_t)sqlite3_column_int64(row, 1), "passages",
                                   (json_int_t)sqlite3_column_int64(row, 2), "synonyms", column(row, 4),
                                   "pins", pins_json(connection, column(row, 0)));
    if (sqlite3_column_type(row, 3) != SQLITE_NULL)
        json_object_set_new(collection, "confident", json_real(sqlite3_column_double(row, 3)));
    return collection;
}

#define COLLECTION_ROWS                                                                                      \
    "SELECT name, sum(documents), sum(passages), max(confident), coalesce(max(synonyms), '') FROM ("         \
    " SELECT collection AS name, count(*) AS documents, sum(passages) AS passages, NULL AS confident, NULL " \
    "AS"                                                                                                     \
    " synonyms FROM documents GROUP BY collection UNION ALL SELECT name, 0, 0, confident, synonyms FROM"     \
    " collections) WHERE ?1 = '' OR name = ?1 GROUP BY name ORDER BY name LIMIT ?2"

static int read_collections(struct cp_answers *answers, struct connection *connection, const char *name,
                            json_t **ret_list, struct cp_error *error)
{
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(connection->db, COLLECTION_ROWS, -1, &row, NULL))
        return cp_answers_fail(answers, connection->db, error);
    json_t *list = json_array();
    sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int(row, 2, MAX_LISTED);
    while (sqlite3_step(row) == SQLITE_ROW)
        json_array_append_new(list, collection_json(connection, row));
    sqlite3_finalize(row);
    *ret_list = list;
    return 0;
}

int cp_answers_collections(struct cp_answers *answers, json_t **ret_page, struct cp_error *error)
{
    struct connection *reader = cp_answers_reader(answers);
    json_t *list = NULL;
    int result = read_collections(answers, reader, "", &list, error);
    cp_answers_release(reader);
    if (!result)
        *ret_page = json_pack("{s:o}", "collections", list);
    return result;
}

/* --- setting --- */

struct family { /* of words that mean the same */
    sqlite3_stmt *insert;
    const char *collection;
    int64_t number;
    int n_terms; /* that the word at hand has been cut to */
    struct cp_term last;
};

static int keep_term(void *user, const struct cp_term *term)
{
    struct family *family = user;
    family->n_terms++;
    family->last = *term;
    return 0;
}

/* One word, as it is cut in each language. Words of a script in pairs may be one pair only. */
static int keep_word(struct connection *writer, struct family *family, const char *word, size_t length,
                     struct cp_error *error)
{
    for (size_t i = 0; i < sizeof LANGUAGES / sizeof *LANGUAGES; i++) {
        family->n_terms = 0;
        cp_cut_terms(writer->cutter, LANGUAGES[i], word, length, CP_CUT_ALL, keep_term, family);
        if (family->n_terms != 1)
            return cp_fail(error, CP_ERR_INVALID, STAGE,
                           "\"%.*s\" is no single word (in Chinese or Japanese: two signs); only such can "
                           "mean the same.",
                           (int)(length < 60 ? length : 60), word);
        sqlite3_bind_text(family->insert, 1, family->last.text, -1, SQLITE_STATIC);
        sqlite3_bind_text(family->insert, 2, family->collection, -1, SQLITE_STATIC);
        sqlite3_bind_int64(family->insert, 3, family->number);
        int step = sqlite3_step(family->insert);
        sqlite3_reset(family->insert);
        if (step != SQLITE_DONE)
            return CP_ERR_IO;
    }
    return 0;
}

/* Runs a statement of one parameter. */
static int drop(sqlite3 *db, const char *sql, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (!result) {
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
        result = sqlite3_step(statement) != SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return result ? CP_ERR_IO : 0;
}

int cp_collection_unpin(sqlite3 *db, const char *document)
{
    return drop(db, "DELETE FROM pins WHERE document = ?1", document) ? -1 : 0;
}

/* Lines of words between commas. */
static int keep_synonyms(struct connection *writer, const char *name, const char *lines,
                         struct cp_error *error)
{
    struct family family = {.collection = name};
    int result = drop(writer->db, "DELETE FROM synonyms WHERE collection = ?1", name);
    if (!result && sqlite3_prepare_v2(writer->db, "INSERT OR IGNORE INTO synonyms VALUES(?1, ?2, ?3)", -1,
                                      &family.insert, NULL))
        result = CP_ERR_IO;
    for (const char *line = lines; *line && !result; line += line[strcspn(line, "\n")] == '\n') {
        size_t left = strcspn(line, "\n");
        if (++family.number > MAX_GROUPS)
            result = cp_fail(error, CP_ERR_LIMIT, STAGE, "A collection may have %d lines of synonyms.",
                             MAX_GROUPS);
        while (left && !result) {
            size_t n = strcspn(line, ",\n"), from = strspn(line, " \t\r"), to = n;
            while (to > from && strchr(" \t\r", line[to - 1]))
                to--;
            if (to > from)
                result = keep_word(writer, &family, line + from, to - from, error);
            n += line[n] == ',';
            line += n;
            left -= n < left ? n : left;
        }
        line += strcspn(line, "\n");
    }
    sqlite3_finalize(family.insert);
    return result;
}

static bool has_document(sqlite3 *db, const char *id)
{
    sqlite3_stmt *row = NULL;
    bool has = !sqlite3_prepare_v2(db, "SELECT 1 FROM documents WHERE id = ?1", -1, &row, NULL) &&
               !sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC) && sqlite3_step(row) == SQLITE_ROW;
    sqlite3_finalize(row);
    return has;
}

static int keep_pins(sqlite3 *db, const char *name, const json_t *pins, struct cp_error *error)
{
    sqlite3_stmt *insert = NULL;
    int result = drop(db, "DELETE FROM pins WHERE collection = ?1", name);
    if (!result && json_array_size(pins) > CP_MAX_PINS)
        result = cp_fail(error, CP_ERR_LIMIT, STAGE, "A collection may have %d pins.", CP_MAX_PINS);
    if (!result && sqlite3_prepare_v2(db, "INSERT INTO pins VALUES(?1, ?2, ?3, ?4)", -1, &insert, NULL))
        result = CP_ERR_IO;
    for (size_t i = 0; i < json_array_size(pins) && !result; i++) {
        const json_t *pin = json_array_get(pins, i);
        const char *document = json_string_value(json_object_get(pin, "document"));
        if (!has_document(db, document)) {
            result =
                cp_fail(error, CP_ERR_INVALID, STAGE, "There is no document \"%.40s\" to pin.", document);
            break;
        }
        sqlite3_bind_text(insert, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, (int64_t)i);
        sqlite3_bind_text(insert, 3, json_string_value(json_object_get(pin, "question")), -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, document, -1, SQLITE_STATIC);
        result = sqlite3_step(insert) == SQLITE_DONE ? 0 : CP_ERR_IO;
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return result;
}

static int keep_row(sqlite3 *db, const char *name, const json_t *changes)
{
    const json_t *confident = json_object_get(changes, "confident");
    const char *synonyms = json_string_value(json_object_get(changes, "synonyms"));
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(
            db,
            "INSERT INTO collections VALUES(?1, ?2, coalesce(?3, '')) ON CONFLICT(name) DO UPDATE SET"
            " confident = iif(?4, ?2, confident), synonyms = coalesce(?3, synonyms)",
            -1, &row, NULL))
        return CP_ERR_IO;
    sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
    if (json_is_number(confident) && json_number_value(confident) >= 0)
        sqlite3_bind_double(row, 2, json_number_value(confident));
    if (synonyms)
        sqlite3_bind_text(row, 3, synonyms, -1, SQLITE_STATIC);
    sqlite3_bind_int(row, 4, confident != NULL);
    int result = sqlite3_step(row) == SQLITE_DONE ? 0 : CP_ERR_IO;
    sqlite3_finalize(row);
    return result;
}

int cp_answers_set_collection(struct cp_answers *answers, const char *name, const json_t *changes,
                              json_t **ret_collection, struct cp_error *error)
{
    struct connection *writer = &answers->writer;
    struct cp_error ours = {0};
    const char *synonyms = json_string_value(json_object_get(changes, "synonyms"));
    const json_t *pins = json_object_get(changes, "pins");
    json_t *list = NULL;
    if (!cp_answers_is_collection(name))
        return cp_answers_no_collection(name, error);
    error = error ? error : &ours;
    *error = (struct cp_error){0};
    pthread_mutex_lock(&writer->lock);
    int result = sqlite3_exec(writer->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ? CP_ERR_IO : 0;
    if (!result)
        result = keep_row(writer->db, name, changes);
    if (!result && synonyms)
        result = keep_synonyms(writer, name, synonyms, error);
    if (!result && pins)
        result = keep_pins(writer->db, name, pins, error);
    bool told = error->code != 0; /* what people did wrong; the rest is SQLite's */
    if (!result || !told)
        result = cp_answers_finish(answers, NULL, result, error);
    else
        sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
    if (!result)
        result = read_collections(answers, writer, name, &list, error);
    pthread_mutex_unlock(&writer->lock);
    if (!result)
        *ret_collection = json_incref(json_array_get(list, 0));
    json_decref(list);
    return result;
}
