/*
 * A question -> the passages that answer it.
 *
 * First the index gives candidates by the question's rarer terms, so that a word that is everywhere costs
 * nothing; then each candidate is read again and scored with all terms: BM25 (Robertson and Zaragoza 2009,
 * "The Probabilistic Relevance Framework", section 3), and a bonus where terms that are neighbours in the
 * question are near each other in the passage.
 */
#include "answers/embed/embed.h"
#include "answers/query.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CANDIDATES = 150, /* that are read again */
    NEAREST = 50,     /* by meaning */
    MOST_HITS = CANDIDATES + CP_MAX_PINS + NEAREST,
    RANKS = 60,          /* reciprocal rank fusion's constant (Cormack, Clarke and Buettcher, SIGIR 2009) */
    ROWS_AT_MOST = 4000, /* of the index that rarer terms may match together, about */
    MAX_MARKS = 32,
};

/* --- candidates --- */

static int by_rarity(const void *a, const void *b)
{
    int64_t x = (*(const struct query_term *const *)a)->passages,
            y = (*(const struct query_term *const *)b)->passages;
    return (x > y) - (x < y);
}

/* The index's expression: the rarer terms, as many as match no more rows than can be looked at, and the
 * collection. "" when no term is in any passage. weights: of these terms in order, each behind a comma. */
static void make_expression(const struct query *q, const char *collection, struct cp_buffer *out,
                            struct cp_buffer *weights)
{
    const struct query_term *order[CP_QUERY_TERMS];
    int n = 0, used = 0;
    int64_t rows = 0;
    for (int i = 0; i < q->n; i++)
        if (q->term[i].passages > 0)
            order[n++] = &q->term[i];
    qsort(order, (size_t)n, sizeof order[0], by_rarity);
    for (; used < n && (!used || rows + order[used]->passages <= ROWS_AT_MOST); used++) {
        rows += order[used]->passages;
        cp_buffer_printf(out, "%s\"%s\"%s", used ? " OR " : "body : (", order[used]->text,
                         order[used]->prefix ? "*" : "");
        cp_buffer_printf(weights, ", %.3f", order[used]->weight);
        for (int k = 0; k < order[used]->n_also; k++) {
            cp_buffer_printf(out, " OR \"%s\"", order[used]->also[k]);
            cp_buffer_printf(weights, ", %.3f", order[used]->weight);
        }
    }
    if (!used)
        return;
    cp_buffer_text(out, ")");
    if (*collection) {
        char scope[20];
        cp_index_scope(collection, scope);
        cp_buffer_printf(out, " AND scope : %s", scope);
    }
}

static char *copy_column(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return strdup(text ? text : "");
}

/* A pair whose question says what was asked goes first. */
static void compare_questions(struct connection *reader, const struct query *q, struct hit *hit)
{
    double like = cp_score_likeness(reader, q, hit->language, hit->question);
    if (like >= CP_SAME_QUESTION) {
        hit->score += 1000 * like;
        hit->confidence = 1;
    }
}

/* --- answering --- */

static void clear_hit(struct hit *hit)
{
    free(hit->document);
    free(hit->collection);
    free(hit->title);
    free(hit->language);
    free(hit->heading);
    free(hit->question);
    free(hit->text);
    free(hit->link);
}

static int by_score(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->fused != y->fused)
        return x->fused < y->fused ? 1 : -1;
    if (x->score != y->score) /* equal ranks: words first */
        return x->score < y->score ? 1 : -1;
    return (x->passage > y->passage) - (x->passage < y->passage);
}

#define HIT_COLUMNS                                                                                          \
    "SELECT p.id, d.id, d.collection, d.title, d.language, p.heading, p.question, p.text, p.link, p.words, " \
    "d.boost "

/* A row of HIT_COLUMNS, scored. False when out of memory. */
static bool read_hit(struct cp_answers *answers, struct connection *reader, const struct query *q,
                     sqlite3_stmt *row, struct hit *hit)
{
    *hit = (struct hit){.passage = sqlite3_column_int64(row, 0),
                        .document = copy_column(row, 1),
                        .collection = copy_column(row, 2),
                        .title = copy_column(row, 3),
                        .language = copy_column(row, 4),
                        .heading = copy_column(row, 5),
                        .question = copy_column(row, 6),
                        .text = copy_column(row, 7),
                        .link = copy_column(row, 8)};
    if (!hit->document || !hit->collection || !hit->title || !hit->language || !hit->heading ||
        !hit->question || !hit->text || !hit->link)
        return false;
    cp_score_words(&answers->config, q, (const char *)sqlite3_column_text(row, 9), hit);
    hit->score *= sqlite3_column_double(row, 10);
    compare_questions(reader, q, hit);
    return true;
}

/* Reads and scores the rows into *hits, behind the n that are there; returns their number, negative on
 * failure. Finalizes the statement. */
static int read_hits(struct cp_answers *answers, struct connection *reader, const struct query *q,
                     sqlite3_stmt *statement, struct hit *hits, int n, int most)
{
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW && n < most)
        if (!read_hit(answers, reader, q, statement, &hits[n++])) {
            step = SQLITE_NOMEM;
            break;
        }
    sqlite3_finalize(statement);
    if (step == SQLITE_ROW || step == SQLITE_DONE)
        return n;
    for (int i = 0; i < n; i++)
        clear_hit(&hits[i]);
    return -1;
}

static int find(struct cp_answers *answers, struct connection *reader, const struct query *q,
                const char *expression, const char *weights, struct hit *hits)
{
    sqlite3_stmt *statement = NULL;
    char sql[6000];
    snprintf(sql, sizeof sql,
             HIT_COLUMNS "FROM (SELECT rowid AS passage FROM words WHERE words MATCH ?1"
                         " ORDER BY held_weight(words%s) DESC LIMIT ?2)"
                         " JOIN passages p ON p.id = passage JOIN documents d ON d.number = p.document",
             weights);
    if (sqlite3_prepare_v2(reader->db, sql, -1, &statement, NULL))
        return -1;
    sqlite3_bind_text(statement, 1, expression, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, CANDIDATES);
    return read_hits(answers, reader, q, statement, hits, 0, CANDIDATES);
}

/* --- pins --- */

/* The document's passages that were found go first, or its first one when none was. */
static int put_first(struct cp_answers *answers, struct connection *reader, const struct query *q,
                     const struct cp_pin *pin, double like, struct hit *hits, int n)
{
    sqlite3_stmt *statement = NULL;
    int first = 0;
    while (first < n && strcmp(hits[first].document, pin->document) != 0)
        first++;
    if (first == n) {
        if (sqlite3_prepare_v2(reader->db,
                               HIT_COLUMNS
                               "FROM documents d JOIN passages p ON p.document = d.number WHERE d.id = ?1"
                               " ORDER BY p.id LIMIT 1",
                               -1, &statement, NULL))
            return -1;
        sqlite3_bind_text(statement, 1, pin->document, -1, SQLITE_STATIC);
        n = read_hits(answers, reader, q, statement, hits, n, MOST_HITS);
    }
    for (int i = first; i < n; i++)
        if (!strcmp(hits[i].document, pin->document)) {
            hits[i].score += 2000 * like;
            hits[i].confidence = 1;
            hits[i].pinned = true;
        }
    return n;
}

static int apply_pins(struct cp_answers *answers, struct connection *reader, const char *collection,
                      const struct query *q, struct hit *hits, int n)
{
    struct cp_pin pins[CP_MAX_PINS];
    int n_pins = cp_collection_pins(reader, collection, pins);
    for (int i = 0; i < n_pins && n >= 0; i++) {
        double like = cp_score_likeness(reader, q, pins[i].language, pins[i].question);
        if (like >= CP_SAME_QUESTION)
            n = put_first(answers, reader, q, &pins[i], like, hits, n);
    }
    cp_pins_free(pins, n_pins);
    return n;
}

/* --- meaning --- */

/* What likeness says of how sure a hit is: as sure as the threshold wants where it begins to be an answer. */
static double sure_by_meaning(const struct cp_answers_config *config, double cosine)
{
    double from = config->embed_sure;
    if (from <= 0 || cosine < from)
        return 0;
    return config->confident + (1 - config->confident) * (cosine - from) / (1 - from);
}

/* The hit of this passage, read when words did not find it; NULL when it is gone or cannot be. */
static struct hit *hit_of(struct cp_answers *answers, struct connection *reader, const struct query *q,
                          int64_t passage, struct hit *hits, int *n)
{
    sqlite3_stmt *statement = NULL;
    for (int i = 0; i < *n; i++)
        if (hits[i].passage == passage)
            return &hits[i];
    if (sqlite3_prepare_v2(reader->db,
                           HIT_COLUMNS
                           "FROM passages p JOIN documents d ON d.number = p.document WHERE p.id = ?1",
                           -1, &statement, NULL))
        return NULL;
    sqlite3_bind_int64(statement, 1, passage);
    struct hit *hit = *n < MOST_HITS ? &hits[*n] : NULL;
    bool read = hit && sqlite3_step(statement) == SQLITE_ROW;
    bool whole = read && read_hit(answers, reader, q, statement, hit);
    if (read && !whole)
        clear_hit(hit);
    sqlite3_finalize(statement);
    *n += whole;
    return whole ? hit : NULL;
}

/* Ranks by words and by meaning, fused: 1 / (RANKS + rank) of each. A hit that says the same as the question,
 * or is pinned, stays ahead. */
static int fuse(struct cp_answers *answers, struct connection *reader, const struct query *q,
                const struct cp_near *near, int n_near, struct hit *hits, int n)
{
    qsort(hits, (size_t)n, sizeof hits[0], by_score);
    for (int i = 0; i < n; i++)
        hits[i].fused = (hits[i].score >= 1000 ? hits[i].score : 0) + 1.0 / (RANKS + 1 + i);
    for (int i = 0; i < n_near; i++) {
        int before = n;
        struct hit *hit = hit_of(answers, reader, q, near[i].passage, hits, &n);
        if (!hit)
            continue;
        if (n > before)
            hit->fused = 0; /* words did not find it */
        hit->fused += 1.0 / (RANKS + 1 + i);
        hit->similarity = (double)near[i].cosine;
        hit->confidence = fmax(hit->confidence, sure_by_meaning(&answers->config, hit->similarity));
    }
    return n;
}

struct marking {
    const struct query *q;
    json_t *marks;
};

static int mark_term(void *user, const struct cp_term *term)
{
    struct marking *m = user;
    for (int i = 0; i < m->q->n; i++)
        if (cp_query_matches(&m->q->term[i], term->text, term->length)) {
            json_array_append_new(m->marks, json_pack("[i,i]", term->start, term->end));
            break;
        }
    return json_array_size(m->marks) >= MAX_MARKS;
}

static json_t *hit_json(struct connection *reader, const struct query *q, const struct hit *hit)
{
    json_t *terms = json_array(), *marks = json_array();
    struct marking marking = {q, marks};
    cp_cut_terms(reader->cutter, hit->language, hit->text, strlen(hit->text), CP_CUT_ALL, mark_term,
                 &marking);
    for (int i = 0; i < q->n; i++)
        if (hit->count[i])
            json_array_append_new(terms, json_pack("{s:s,s:f,s:i,s:f}", "term", q->term[i].text, "weight",
                                                   q->term[i].weight, "count", hit->count[i], "score",
                                                   hit->part[i]));
    return json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:f,s:b,s:o,s:o}", "document",
                     hit->document, "collection", hit->collection, "title", hit->title, "passage",
                     (json_int_t)hit->passage, "heading", hit->heading, "question", hit->question, "text",
                     hit->text, "link", hit->link, "score", hit->score, "nearness", hit->nearness,
                     "similarity", hit->similarity, "confidence", hit->confidence, "pinned", hit->pinned,
                     "terms", terms, "marks", marks);
}

static void count(struct cp_answers *answers, int64_t started_ns, bool failed, bool refused)
{
    pthread_mutex_lock(&answers->lock);
    answers->stats.searches++;
    answers->stats.failures += failed;
    answers->stats.refused += refused;
    answers->stats.search_ns += cp_clock_now_ns() - started_ns;
    pthread_mutex_unlock(&answers->lock);
}

int cp_answers_search(struct cp_answers *answers, const struct cp_search *search, json_t **ret_result,
                      struct cp_error *error)
{
    int64_t started_ns = cp_clock_now_ns();
    const char *collection = search->collection ? search->collection : "";
    int limit = search->limit < 1 ? 5 : search->limit > 50 ? 50 : search->limit, n = 0, result = 0;
    struct query q = {.n_passages = 1, .mean_terms = 1};
    struct cp_buffer expression = cp_buffer_make(32768), weights = cp_buffer_make(4096);
    struct hit *hits = malloc(MOST_HITS * sizeof *hits);
    if (!hits)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    struct cp_near near[NEAREST]; /* before a reader is taken: it may wait for the endpoint */
    int n_near = answers->embedder
                     ? cp_embedder_nearest(answers->embedder, search->query, collection, near, NEAREST)
                     : 0;
    struct connection *reader = cp_answers_reader(answers);
    cp_query_prepare(reader, search, collection, &q);
    make_expression(&q, collection, &expression, &weights);
    if (expression.length)
        n = find(answers, reader, &q, cp_buffer_string(&expression), cp_buffer_string(&weights), hits);
    if (n >= 0)
        n = apply_pins(answers, reader, collection, &q, hits, n);
    for (int i = 0; i < n; i++)
        hits[i].fused = hits[i].score;
    if (n >= 0 && n_near)
        n = fuse(answers, reader, &q, near, n_near, hits, n);
    bool confident = false;
    if (n < 0) {
        result = cp_answers_fail(answers, reader->db, error);
    } else {
        json_t *list = json_array();
        qsort(hits, (size_t)n, sizeof hits[0], by_score);
        for (int i = 0; i < n && i < limit; i++)
            json_array_append_new(list, hit_json(reader, &q, &hits[i]));
        confident = n && hits[0].confidence >=
                             cp_collection_confident(reader, hits[0].collection, answers->config.confident);
        *ret_result = json_pack("{s:o,s:b,s:f}", "hits", list, "confident", confident, "took_ms",
                                (double)(cp_clock_now_ns() - started_ns) / 1e6);
    }
    cp_answers_release(reader);
    cp_buffer_free(&expression);
    cp_buffer_free(&weights);
    for (int i = 0; i < n; i++)
        clear_hit(&hits[i]);
    free(hits);
    count(answers, started_ns, result != 0, !confident);
    return result;
}
