/* Documents in and out: read, cut, kept, replaced, removed; each as one transaction. */
#include "answers/answers_int.h"
#include "answers/collection.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { TITLE_BYTES = 200, TITLE_LETTERS = 80 };

struct writing { /* of one document */
    struct cp_answers *answers;
    struct cp_index *index;
    sqlite3_stmt *insert;
    const char *collection, *language;
    char title[TITLE_BYTES];
    int64_t number, room;
    double boost;
    int n_passages;
    bool full, replaced;
};

bool cp_answers_is_collection(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
    return n && !text[n] && n < CP_COLLECTION_BYTES;
}

int cp_answers_no_collection(const char *name, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_INVALID, STAGE,
                   "\"%.64s\" is no name of a collection: a-z, 0-9, - _ and ., at most %d.", name,
                   CP_COLLECTION_BYTES - 1);
}

/* Cuts at a sign's start. */
static void copy_title(char *title, const char *text, size_t length, size_t most)
{
    if (length > most) {
        length = most;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(title, text, length);
    title[length] = 0;
}

/* The title given, else the first heading, else how the text begins. */
static void choose_title(const struct cp_document_source *source, const struct cp_extract *extract,
                         char *title)
{
    if (source->title && *source->title) {
        copy_title(title, source->title, strlen(source->title), TITLE_BYTES - 1);
        return;
    }
    const struct cp_block *chosen = &extract->blocks[0];
    for (int i = 0; i < extract->n_blocks && chosen->kind != CP_BLOCK_HEADING; i++)
        if (extract->blocks[i].kind == CP_BLOCK_HEADING)
            chosen = &extract->blocks[i];
    struct cp_range range = chosen->kind == CP_BLOCK_PAIR ? chosen->question : chosen->text;
    copy_title(title, (const char *)extract->text.data + range.start, (size_t)(range.end - range.start),
               TITLE_LETTERS);
}

static int keep_passage(void *user, const struct cp_passage *passage)
{
    struct writing *w = user;
    if (w->n_passages >= w->room) {
        w->full = true;
        return 1;
    }
    sqlite3_bind_int64(w->insert, 1, w->number);
    const char *words = cp_index_words(w->index, w->language, w->title, passage);
    const char *const part[5] = {passage->heading, passage->question, passage->text, passage->link, words};
    for (int i = 0; i < 5; i++)
        sqlite3_bind_text(w->insert, 2 + i, part[i], -1, SQLITE_STATIC);
    bool kept = sqlite3_step(w->insert) == SQLITE_DONE;
    sqlite3_reset(w->insert);
    w->n_passages++;
    return !words || !kept ||
           cp_index_passage(w->index, sqlite3_last_insert_rowid(w->answers->writer.db), w->collection, words,
                            1);
}

/* Takes a document and its passages out of all tables. */
static int take_out(struct cp_answers *answers, struct cp_index *index, int64_t number,
                    const char *collection)
{
    sqlite3 *db = answers->writer.db;
    sqlite3_stmt *list = NULL, *drop = NULL;
    int result =
        sqlite3_prepare_v2(db, "SELECT id, words FROM passages WHERE document = ?1", -1, &list, NULL);
    if (!result) {
        sqlite3_bind_int64(list, 1, number);
        while (!result && sqlite3_step(list) == SQLITE_ROW)
            result = cp_index_passage(index, sqlite3_column_int64(list, 0), collection,
                                      (const char *)sqlite3_column_text(list, 1), -1);
    }
    static const char *const DROPS[] = {"DELETE FROM passages WHERE document = ?1",
                                        "DELETE FROM documents WHERE number = ?1"};
    for (int i = 0; i < 2 && !result; i++) {
        result = sqlite3_prepare_v2(db, DROPS[i], -1, &drop, NULL);
        if (!result) {
            sqlite3_bind_int64(drop, 1, number);
            result = sqlite3_step(drop) != SQLITE_DONE;
        }
        sqlite3_finalize(drop);
        drop = NULL;
    }
    sqlite3_finalize(list);
    return result ? -1 : 0;
}

/* By id, or by collection and title; *ret_number is 0 when there is none. thread: holder of the writer */
static int find_document(struct cp_answers *answers, const char *id, const char *collection,
                         const char *title, sqlite3_stmt **ret_row, int64_t *ret_number)
{
    sqlite3 *db = answers->writer.db;
    const char *sql = id ? "SELECT number, id, collection, passages, boost FROM documents WHERE id = ?1"
                         : "SELECT number, id, collection, passages, boost FROM documents"
                           " WHERE collection = ?1 AND title = ?2";
    if (sqlite3_prepare_v2(db, sql, -1, ret_row, NULL))
        return -1;
    sqlite3_bind_text(*ret_row, 1, id ? id : collection, -1, SQLITE_STATIC);
    if (!id)
        sqlite3_bind_text(*ret_row, 2, title, -1, SQLITE_STATIC);
    int step = sqlite3_step(*ret_row);
    *ret_number = step == SQLITE_ROW ? sqlite3_column_int64(*ret_row, 0) : 0;
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : -1;
}

static int64_t count_passages(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int64_t n = 0;
    if (!sqlite3_prepare_v2(db, "SELECT passages FROM totals", -1, &statement, NULL) &&
        sqlite3_step(statement) == SQLITE_ROW)
        n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return n;
}

static int insert_document(struct writing *w, const struct cp_document_source *source, const char *id)
{
    sqlite3 *db = w->answers->writer.db;
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(db,
                           "INSERT INTO documents(id, collection, title, type, language, bytes, passages,"
                           " created_wall_ns, boost) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
                           -1, &insert, NULL))
        return -1;
    const char *const text[] = {id, w->collection, w->title, source->type, w->language};
    for (int i = 0; i < 5; i++)
        sqlite3_bind_text(insert, 1 + i, text[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 6, (int64_t)source->length);
    sqlite3_bind_int64(insert, 7, cp_clock_wall_ns());
    sqlite3_bind_double(insert, 8, w->boost);
    int result = sqlite3_step(insert) == SQLITE_DONE ? 0 : -1;
    sqlite3_finalize(insert);
    w->number = sqlite3_last_insert_rowid(db);
    return result;
}

static int update_count(struct writing *w)
{
    sqlite3_stmt *update = NULL;
    int result = sqlite3_prepare_v2(
        w->answers->writer.db, "UPDATE documents SET passages = ?1 WHERE number = ?2", -1, &update, NULL);
    if (!result) {
        sqlite3_bind_int(update, 1, w->n_passages);
        sqlite3_bind_int64(update, 2, w->number);
        result = sqlite3_step(update) != SQLITE_DONE;
    }
    sqlite3_finalize(update);
    return result ? -1 : 0;
}

/* Inside a transaction: the document of the same title goes, this one comes. *id holds its id, new or old. */
static int replace(struct writing *w, const struct cp_document_source *source,
                   const struct cp_extract *extract, char *id, int *ret_removed)
{
    struct cp_answers *answers = w->answers;
    sqlite3_stmt *old = NULL;
    int64_t number = 0;
    int result = find_document(answers, NULL, w->collection, w->title, &old, &number);
    if (!result && number) {
        snprintf(id, DOCUMENT_ID_BYTES, "%s", (const char *)sqlite3_column_text(old, 1));
        *ret_removed = sqlite3_column_int(old, 3);
        w->boost = sqlite3_column_double(old, 4);
        w->replaced = true;
        sqlite3_reset(old);
        result = take_out(answers, w->index, number, w->collection);
    }
    sqlite3_finalize(old);
    w->room = answers->config.max_passages - count_passages(answers->writer.db) + *ret_removed;
    if (!result)
        result = insert_document(w, source, id);
    if (!result)
        result = sqlite3_prepare_v2(answers->writer.db,
                                    "INSERT INTO passages(document, heading, question, text, link, words)"
                                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                                    -1, &w->insert, NULL);
    if (!result)
        result = cp_split(extract, answers->config.passage_weight, w->language, keep_passage, w);
    if (!result)
        result = update_count(w);
    sqlite3_finalize(w->insert);
    return result;
}

static void make_id(char *id)
{
    uint8_t random[8];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* Linux gives 8 bytes or the system is broken */
    memcpy(id, "doc_", 5);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(id + 4 + 2 * i, 3, "%02x", random[i]);
}

int cp_answers_finish(struct cp_answers *answers, struct cp_index *index, int result, struct cp_error *error)
{
    sqlite3 *db = answers->writer.db;
    if (!result && index)
        result = cp_index_finish(index);
    if (!result && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
        result = -1;
    if (result)
        cp_answers_fail(answers, db, error);
    cp_index_free(index);
    if (result && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return result ? (error ? (int)error->code : CP_ERR_IO) : 0;
}

static int keep(struct writing *w, const struct cp_document_source *source, const struct cp_extract *extract,
                char *id, struct cp_error *error)
{
    struct cp_answers *answers = w->answers;
    int removed = 0;
    pthread_mutex_lock(&answers->writer.lock);
    int result = sqlite3_exec(answers->writer.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
                 cp_index_begin(&answers->writer, &w->index);
    if (!result)
        result = replace(w, source, extract, id, &removed);
    result = cp_answers_finish(answers, w->index, result, error);
    pthread_mutex_unlock(&answers->writer.lock);
    if (w->full)
        result = cp_fail(error, CP_ERR_LIMIT, STAGE,
                         "The knowledge base would hold more than %lld passages; remove documents or raise "
                         "answers.max_passages.",
                         (long long)answers->config.max_passages);
    if (!result) {
        pthread_mutex_lock(&answers->lock);
        answers->stats.documents += !w->replaced;
        answers->stats.passages += w->n_passages - removed;
        pthread_mutex_unlock(&answers->lock);
    }
    return result;
}

int cp_answers_add(struct cp_answers *answers, const struct cp_document_source *source, json_t **ret_document,
                   struct cp_error *error)
{
    const char *collection = source->collection && *source->collection ? source->collection : "main";
    char id[DOCUMENT_ID_BYTES], language[16];
    struct cp_extract extract = {0};
    struct cp_error ours;
    if (!cp_answers_is_collection(collection))
        return cp_answers_no_collection(collection, error);
    if (source->length > (size_t)answers->config.max_document_bytes)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "The document has %zu bytes; %lld are taken at most.",
                       source->length, (long long)answers->config.max_document_bytes);
    error = error ? error : &ours;
    int result = cp_extract(source->type, source->bytes, source->length, &extract, error);
    if (!result) {
        if (source->language && *source->language)
            snprintf(language, sizeof language, "%s", source->language);
        else
            cp_guess_language((const char *)extract.text.data, extract.text.length, language);
        struct writing w = {.answers = answers, .collection = collection, .language = language, .boost = 1};
        choose_title(source, &extract, w.title);
        make_id(id);
        result = keep(&w, source, &extract, id, error);
    }
    cp_extract_free(&extract);
    return result ? result : cp_answers_get(answers, id, ret_document, error);
}

int cp_answers_delete(struct cp_answers *answers, const char *id, struct cp_error *error)
{
    struct cp_index *index = NULL;
    struct cp_error ours;
    sqlite3_stmt *row = NULL;
    int64_t number = 0;
    int removed = 0;
    error = error ? error : &ours;
    pthread_mutex_lock(&answers->writer.lock);
    int result = sqlite3_exec(answers->writer.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
                 cp_index_begin(&answers->writer, &index) ||
                 find_document(answers, id, NULL, NULL, &row, &number);
    if (!result && number) {
        char collection[CP_COLLECTION_BYTES];
        snprintf(collection, sizeof collection, "%s", (const char *)sqlite3_column_text(row, 2));
        removed = sqlite3_column_int(row, 3);
        sqlite3_reset(row);
        result = take_out(answers, index, number, collection) || cp_collection_unpin(answers->writer.db, id);
    }
    sqlite3_finalize(row);
    result = cp_answers_finish(answers, index, result, error);
    pthread_mutex_unlock(&answers->writer.lock);
    if (!result && !number)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no document \"%.40s\".", id);
    if (!result) {
        pthread_mutex_lock(&answers->lock);
        answers->stats.documents--;
        answers->stats.passages -= removed;
        pthread_mutex_unlock(&answers->lock);
    }
    return result;
}
