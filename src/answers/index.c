/*
 * Passages' terms in the FTS5 table, and in how many passages each is.
 *
 * The table gets our terms joined by spaces, and its "ascii" tokenizer, which takes every byte above 127 for
 * a letter, cuts them apart again without changing any. It keeps no text, so that removing a passage means
 * giving it the same terms again.
 */
#include "answers/answers_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 15 };

struct count {
    char term[CP_TERM_BYTES + 1];
    int passages; /* to be added; may be negative */
    int64_t last; /* the passage that came or went last: each counts once */
};

struct cp_index {
    struct connection *writer;
    sqlite3_stmt *add, *remove, *count, *total;
    struct cp_buffer words;
    struct count *counts; /* by hash, open addressing */
    int n_counts;
    int64_t passage, n_terms, n_passages;
    int sign;
};

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

void cp_index_scope(const char *collection, char ret_term[20])
{
    snprintf(ret_term, 20, "s%08x", hash(collection));
}

/* held_weight(words, w0, w1, ...): the weights of the expression's terms that a passage holds. What bm25()
 * adds to that, how often and how long, needs a look at another table for each row; the search does it for
 * few. */
static void held_weight(const Fts5ExtensionApi *api, Fts5Context *context, sqlite3_context *result, int n,
                        sqlite3_value **weight)
{
    double sum = 0;
    for (int i = 0; i < n && i < api->xPhraseCount(context); i++) {
        Fts5PhraseIter iterator;
        int column, offset;
        if (!api->xPhraseFirst(context, i, &iterator, &column, &offset) && column >= 0)
            sum += sqlite3_value_double(weight[i]);
    }
    sqlite3_result_double(result, sum);
}

int cp_index_register(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;
    if (!sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL)) {
        sqlite3_bind_pointer(statement, 1, (void *)&api, "fts5_api_ptr", NULL);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return api && !api->xCreateFunction(api, "held_weight", NULL, held_weight, NULL) ? 0 : -1;
}

int cp_index_begin(struct connection *writer, struct cp_index **ret_index)
{
    struct cp_index *index = calloc(1, sizeof *index);
    if (!index)
        return -1;
    index->writer = writer;
    index->words = cp_buffer_make(16 << 20);
    index->counts = calloc(SLOTS, sizeof *index->counts);
    if (!index->counts ||
        sqlite3_prepare_v2(writer->db, "INSERT INTO words(rowid, scope, body) VALUES(?1, ?2, ?3)", -1,
                           &index->add, NULL) ||
        sqlite3_prepare_v2(writer->db,
                           "INSERT INTO words(words, rowid, scope, body) VALUES('delete', ?1, ?2, ?3)", -1,
                           &index->remove, NULL) ||
        sqlite3_prepare_v2(writer->db,
                           "INSERT INTO frequencies(term, passages) VALUES(?1, ?2)"
                           " ON CONFLICT(term) DO UPDATE SET passages = passages + ?2",
                           -1, &index->count, NULL) ||
        sqlite3_prepare_v2(writer->db, "UPDATE totals SET passages = passages + ?1, terms = terms + ?2", -1,
                           &index->total, NULL)) {
        cp_index_free(index);
        return -1;
    }
    *ret_index = index;
    return 0;
}

void cp_index_free(struct cp_index *index)
{
    if (!index)
        return;
    sqlite3_finalize(index->add);
    sqlite3_finalize(index->remove);
    sqlite3_finalize(index->count);
    sqlite3_finalize(index->total);
    cp_buffer_free(&index->words);
    free(index->counts);
    free(index);
}

static int run(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

static int write_counts(struct cp_index *index)
{
    for (int i = 0; i < SLOTS && index->n_counts; i++) {
        struct count *count = &index->counts[i];
        if (!count->term[0])
            continue;
        sqlite3_bind_text(index->count, 1, count->term, -1, SQLITE_STATIC);
        sqlite3_bind_int(index->count, 2, count->passages);
        if (run(index->count))
            return -1;
        count->term[0] = 0;
        index->n_counts--;
    }
    return 0;
}

static int add_word(void *user, const struct cp_term *term)
{
    struct cp_buffer *words = user;
    cp_buffer_add(words, term->text, (size_t)term->length);
    cp_buffer_add(words, " ", 1);
    return 0;
}

const char *cp_index_words(struct cp_index *index, const char *language, const char *title,
                           const struct cp_passage *passage)
{
    const char *const field[CP_INDEX_FIELDS] = {title, passage->heading, passage->question, passage->text};
    index->words.length = 0;
    for (int i = 0; i < CP_INDEX_FIELDS; i++) {
        cp_cut_terms(index->writer->cutter, language, field[i], strlen(field[i]), CP_CUT_ALL, add_word,
                     &index->words);
        cp_buffer_text(&index->words, "\n");
    }
    return index->words.failed ? NULL : cp_buffer_string(&index->words);
}

static int count_word(struct cp_index *index, const char *word, size_t length)
{
    char term[CP_TERM_BYTES + 1];
    if (length > CP_TERM_BYTES || (index->n_counts > SLOTS / 2 && write_counts(index)))
        return -1;
    memcpy(term, word, length);
    term[length] = 0;
    index->n_terms += index->sign;
    uint32_t at = hash(term) % SLOTS;
    while (index->counts[at].term[0] && strcmp(index->counts[at].term, term) != 0)
        at = (at + 1) % SLOTS;
    struct count *count = &index->counts[at];
    if (!count->term[0]) {
        memcpy(count->term, term, length + 1);
        count->passages = 0;
        count->last = 0;
        index->n_counts++;
    }
    int64_t now = 2 * index->passage + (index->sign > 0); /* an edited one goes and comes */
    if (count->last != now)
        count->passages += index->sign;
    count->last = now;
    return 0;
}

int cp_index_passage(struct cp_index *index, int64_t id, const char *collection, const char *words, int sign)
{
    char scope[20];
    cp_index_scope(collection, scope);
    index->passage = id;
    index->sign = sign;
    index->n_passages += sign;
    for (const char *at = words; *at;) {
        size_t length = strcspn(at, " \n");
        if (length && count_word(index, at, length))
            return -1;
        at += length + (at[length] != 0);
    }
    sqlite3_stmt *statement = sign > 0 ? index->add : index->remove;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_text(statement, 2, scope, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, words, -1, SQLITE_STATIC);
    return run(statement);
}

int cp_index_finish(struct cp_index *index)
{
    if (write_counts(index))
        return -1;
    sqlite3_bind_int64(index->total, 1, index->n_passages);
    sqlite3_bind_int64(index->total, 2, index->n_terms);
    return run(index->total);
}
