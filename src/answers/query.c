#include "answers/query.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_QUERY_BYTES = 4000,
    FEWEST = 100, /* passages that a small knowledge base is taken to have: its own frequencies say little */
};

static int add_term(void *user, const struct cp_term *term)
{
    struct query *q = user;
    for (int i = 0; i < q->n; i++)
        if (q->term[i].length == term->length && !memcmp(q->term[i].text, term->text, (size_t)term->length)) {
            q->term[i].times++;
            return 0;
        }
    if (q->n == CP_QUERY_TERMS)
        return 1;
    struct query_term *added = &q->term[q->n++];
    *added = (struct query_term){.length = term->length, .prefix = term->prefix, .times = 1};
    memcpy(added->text, term->text, (size_t)term->length + 1);
    return 0;
}

/* Without small words, unless it is made of nothing else. */
static void cut_query(struct connection *reader, const char *language, const char *text, struct query *q)
{
    size_t length = strnlen(text, MAX_QUERY_BYTES);
    int before = q->n;
    cp_cut_terms(reader->cutter, language, text, length, CP_CUT_CONTENT, add_term, q);
    if (q->n == before)
        cp_cut_terms(reader->cutter, language, text, length, CP_CUT_ALL, add_term, q);
}

/* The languages of the documents searched, most passages first. */
static int list_languages(struct connection *reader, const char *collection, char languages[][16])
{
    sqlite3_stmt *statement = NULL;
    int n = 0;
    if (!sqlite3_prepare_v2(
            reader->db,
            "SELECT language, sum(passages) AS n FROM documents WHERE ?1 = '' OR collection = ?1"
            " GROUP BY language ORDER BY n DESC LIMIT 4",
            -1, &statement, NULL)) {
        sqlite3_bind_text(statement, 1, collection, -1, SQLITE_STATIC);
        while (sqlite3_step(statement) == SQLITE_ROW && n < MAX_LANGUAGES)
            snprintf(languages[n++], 16, "%s", (const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    return n;
}

/* In how many passages a term is. thread: holder of the reader */
static int64_t passages_with(sqlite3_stmt *frequency, const char *term)
{
    sqlite3_bind_text(frequency, 1, term, -1, SQLITE_STATIC);
    int64_t n = sqlite3_step(frequency) == SQLITE_ROW ? sqlite3_column_int64(frequency, 0) : 0;
    sqlite3_reset(frequency);
    return n;
}

static void weigh(struct connection *reader, const char *collection, struct query *q)
{
    sqlite3_stmt *statement = NULL;
    if (!sqlite3_prepare_v2(reader->db, "SELECT passages, terms FROM totals", -1, &statement, NULL) &&
        sqlite3_step(statement) == SQLITE_ROW) {
        q->n_passages = fmax(sqlite3_column_double(statement, 0), 1);
        q->mean_terms = fmax(sqlite3_column_double(statement, 1) / q->n_passages, 1);
    }
    sqlite3_finalize(statement);
    if (sqlite3_prepare_v2(reader->db, "SELECT passages FROM frequencies WHERE term = ?1", -1, &statement,
                           NULL))
        return;
    int n_paired = 0;
    for (int i = 0; i < q->n; i++) {
        struct query_term *term = &q->term[i];
        n_paired += (unsigned char)term->text[0] >= 0xe3; /* from U+3000 on, in UTF-8 */
        term->passages = passages_with(statement, term->text);
        term->n_also = cp_collection_synonyms(reader, collection, term->text, term->also);
        for (int k = 0; k < term->n_also; k++)
            term->passages += passages_with(statement, term->also[k]);
        if (term->prefix) /* it stands for all pairs that begin with it: how many is not kept */
            term->passages = (int64_t)fmax((double)term->passages, q->n_passages / 50);
        double all = fmax(q->n_passages, FEWEST), n = fmin((double)term->passages, all);
        term->weight = term->times * log(1 + (all - n + 0.5) / (n + 0.5));
        q->sum += term->weight;
    }
    q->paired = 2 * n_paired > q->n;
    sqlite3_finalize(statement);
}

bool cp_query_matches(const struct query_term *wanted, const char *term, int length)
{
    if ((wanted->length == length || (wanted->prefix && wanted->length < length)) &&
        !memcmp(wanted->text, term, (size_t)wanted->length))
        return true;
    for (int i = 0; i < wanted->n_also; i++)
        if (!strncmp(wanted->also[i], term, (size_t)length) && !wanted->also[i][length])
            return true;
    return false;
}

void cp_query_prepare(struct connection *reader, const struct cp_search *search, const char *collection,
                      struct query *q)
{
    char languages[MAX_LANGUAGES][16], guess[16];
    int n = list_languages(reader, collection, languages);
    if (search->language && *search->language)
        snprintf(guess, sizeof guess, "%s", search->language);
    else
        cp_guess_language(search->query, strnlen(search->query, MAX_QUERY_BYTES), guess);
    bool known = false;
    for (int i = 0; i < n; i++)
        known |= guess[0] && !strncmp(guess, languages[i], 2);
    if (known || !n)
        cut_query(reader, guess, search->query, q);
    for (int i = 0; i < n && !known; i++) /* each language's stems: the wrong ones match nothing */
        cut_query(reader, languages[i], search->query, q);
    weigh(reader, collection, q);
}
