/* Passages changed by hand. */
#include "answers/answers_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_FIELDS = 4 };
static const char *const FIELDS[N_FIELDS] = {"heading", "question", "text", "link"};

struct edit {
    int64_t document;
    char *collection, *title, *language, *words;
    char *field[N_FIELDS];
};

static void free_edit(struct edit *edit)
{
    free(edit->collection);
    free(edit->title);
    free(edit->language);
    free(edit->words);
    for (int i = 0; i < N_FIELDS; i++)
        free(edit->field[i]);
}

static char *copy(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return strdup(text ? text : "");
}

/* The passage as it is; 0, CP_ERR_NOT_FOUND, or -1 with SQLite's reason. */
static int read_passage(sqlite3 *db, const char *document, int64_t passage, struct edit *edit)
{
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(
            db,
            "SELECT d.number, d.collection, d.title, d.language, p.words, p.heading, p.question, p.text,"
            " p.link FROM passages p JOIN documents d ON d.number = p.document WHERE d.id = ?1 AND"
            " p.id = ?2",
            -1, &row, NULL))
        return -1;
    sqlite3_bind_text(row, 1, document, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 2, passage);
    int step = sqlite3_step(row), result = step == SQLITE_ROW    ? 0
                                           : step == SQLITE_DONE ? CP_ERR_NOT_FOUND
                                                                 : -1;
    if (!result) {
        edit->document = sqlite3_column_int64(row, 0);
        edit->collection = copy(row, 1);
        edit->title = copy(row, 2);
        edit->language = copy(row, 3);
        edit->words = copy(row, 4);
        bool whole = edit->collection && edit->title && edit->language && edit->words;
        for (int i = 0; i < N_FIELDS; i++)
            whole = (edit->field[i] = copy(row, 5 + i)) && whole;
        result = whole ? 0 : CP_ERR_NOMEM;
    }
    sqlite3_finalize(row);
    return result;
}

static int change(struct edit *edit, const json_t *changes)
{
    for (int i = 0; i < N_FIELDS; i++) {
        const char *text = json_string_value(json_object_get(changes, FIELDS[i]));
        char *copied = text ? strdup(text) : NULL;
        if (!text)
            continue;
        if (!copied)
            return CP_ERR_NOMEM;
        free(edit->field[i]);
        edit->field[i] = copied;
    }
    return 0;
}

static int write_passage(sqlite3 *db, int64_t passage, const struct edit *edit, const char *words)
{
    sqlite3_stmt *update = NULL;
    if (!words ||
        sqlite3_prepare_v2(db,
                           "UPDATE passages SET heading = ?2, question = ?3, text = ?4, link = ?5, words = ?6"
                           " WHERE id = ?1",
                           -1, &update, NULL))
        return -1;
    sqlite3_bind_int64(update, 1, passage);
    for (int i = 0; i < N_FIELDS; i++)
        sqlite3_bind_text(update, 2 + i, edit->field[i], -1, SQLITE_STATIC);
    sqlite3_bind_text(update, 2 + N_FIELDS, words, -1, SQLITE_STATIC);
    int result = sqlite3_step(update) == SQLITE_DONE ? 0 : -1;
    sqlite3_finalize(update);
    return result;
}

static int run_with(sqlite3 *db, const char *sql, int64_t number)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (!result) {
        sqlite3_bind_int64(statement, 1, number);
        result = sqlite3_step(statement) != SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return result ? -1 : 0;
}

/* Inside a transaction; changes NULL removes the passage. */
static int apply(struct connection *writer, struct cp_index *index, int64_t passage, struct edit *edit,
                 const json_t *changes)
{
    int result = cp_index_passage(index, passage, edit->collection, edit->words, -1);
    if (!result && !changes) {
        result = run_with(writer->db, "DELETE FROM passages WHERE id = ?1", passage);
        return result ? result
                      : run_with(writer->db, "UPDATE documents SET passages = passages - 1 WHERE number = ?1",
                                 edit->document);
    }
    if (!result)
        result = change(edit, changes);
    if (result)
        return result;
    const struct cp_passage changed = {.heading = edit->field[0],
                                       .question = edit->field[1],
                                       .text = edit->field[2],
                                       .link = edit->field[3]};
    const char *words = cp_index_words(index, edit->language, edit->title, &changed);
    result = write_passage(writer->db, passage, edit, words);
    return result ? result : cp_index_passage(index, passage, edit->collection, words, 1);
}

static int edit_passage(struct cp_answers *answers, const char *document, int64_t passage,
                        const json_t *changes, struct cp_error *error)
{
    struct connection *writer = &answers->writer;
    struct cp_index *index = NULL;
    struct edit edit = {0};
    pthread_mutex_lock(&writer->lock);
    int result =
        sqlite3_exec(writer->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) || cp_index_begin(writer, &index)
            ? -1
            : read_passage(writer->db, document, passage, &edit);
    if (!result)
        result = apply(writer, index, passage, &edit, changes);
    bool missing = result == CP_ERR_NOT_FOUND;
    result = cp_answers_finish(answers, index, missing ? 0 : result, error);
    pthread_mutex_unlock(&writer->lock);
    free_edit(&edit);
    if (!result && missing)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "Document \"%.40s\" has no passage %lld.", document,
                       (long long)passage);
    if (!result && !changes) {
        pthread_mutex_lock(&answers->lock);
        answers->stats.passages--;
        pthread_mutex_unlock(&answers->lock);
    }
    return result;
}

int cp_answers_edit_passage(struct cp_answers *answers, const char *document, int64_t passage,
                            const json_t *changes, json_t **ret_passages, struct cp_error *error)
{
    struct cp_error ours;
    const char *text = json_string_value(json_object_get(changes, "text"));
    error = error ? error : &ours;
    if (text && !text[strspn(text, " \t\r\n")])
        return cp_fail(error, CP_ERR_INVALID, STAGE, "A passage needs a text; delete it instead.");
    int result = edit_passage(answers, document, passage, changes, error);
    return result ? result : cp_answers_passages(answers, document, ret_passages, error);
}

int cp_answers_delete_passage(struct cp_answers *answers, const char *document, int64_t passage,
                              struct cp_error *error)
{
    struct cp_error ours;
    return edit_passage(answers, document, passage, NULL, error ? error : &ours);
}

int cp_answers_boost(struct cp_answers *answers, const char *document, double boost, json_t **ret_document,
                     struct cp_error *error)
{
    struct cp_error ours;
    sqlite3 *db = answers->writer.db;
    sqlite3_stmt *update = NULL;
    error = error ? error : &ours;
    pthread_mutex_lock(&answers->writer.lock);
    int result = sqlite3_prepare_v2(db, "UPDATE documents SET boost = ?2 WHERE id = ?1", -1, &update, NULL);
    if (!result) {
        sqlite3_bind_text(update, 1, document, -1, SQLITE_STATIC);
        sqlite3_bind_double(update, 2, boost);
        result = sqlite3_step(update) != SQLITE_DONE;
    }
    sqlite3_finalize(update);
    if (result)
        result = cp_answers_fail(answers, db, error);
    pthread_mutex_unlock(&answers->writer.lock);
    return result ? result : cp_answers_get(answers, document, ret_document, error);
}
