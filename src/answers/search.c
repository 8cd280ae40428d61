/*
 * A question -> the passages that answer it.
 *
 * First the index gives candidates by the question's rarer terms, so that a word that is everywhere costs
 * nothing; then each candidate is read again and scored with all terms: BM25 (Robertson and Zaragoza 2009,
 * "The Probabilistic Relevance Framework", section 3), and a bonus where terms that are neighbours in the
 * question are near each other in the passage.
 */
#include "answers/answers_int.h"
#include "answers/collection.h"
#include "answers/embed/embed.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_TERMS = 48,
    MAX_QUERY_BYTES = 4000,
    MAX_PLACES = 24, /* of one term in a passage that nearness looks at */
    FEWEST = 100, /* passages that a small knowledge base is taken to have: its own frequencies say little */
    CANDIDATES = 150, /* that are read again */
    NEAREST = 50,     /* by meaning */
    MOST_HITS = CANDIDATES + CP_MAX_PINS + NEAREST,
    RANKS = 60,          /* reciprocal rank fusion's constant (Cormack, Clarke and Buettcher, SIGIR 2009) */
    ROWS_AT_MOST = 4000, /* of the index that rarer terms may match together, about */
    NEAR = 6,            /* terms apart that still count as near */
    MAX_MARKS = 32,
};
#define NEARNESS 0.35 /* of the lesser weight of two neighbours, when they stand side by side */
#define PAIRED                                                                                               \
    1.5 /* half of the pairs of signs cross words, and half of those are missing where words move */
#define SAME_QUESTION 0.72 /* likeness at which a pair of question and answer is taken as it is */

struct query_term {
    char text[CP_TERM_BYTES + 1];
    int length;
    bool prefix;
    char also[CP_MAX_SYNONYMS][CP_TERM_BYTES + 1]; /* what means the same */
    int n_also;
    int times;        /* in the question */
    int64_t passages; /* that hold it */
    double weight;    /* inverse document frequency times `times` */
};

struct query {
    struct query_term term[MAX_TERMS];
    int n;
    bool paired; /* most terms are pairs of signs */
    double sum;  /* of the weights */
    double n_passages, mean_terms;
};

struct hit {
    int64_t passage;
    double score, confidence, nearness;
    double fused;      /* what hits are ordered by: the score, or reciprocal ranks by words and meaning */
    double similarity; /* cosine to the question's vector; 0 when it has none */
    bool pinned;
    int count[MAX_TERMS];
    double part[MAX_TERMS]; /* of the score, by term */
    char *document, *collection, *title, *language, *heading, *question, *text, *link;
};

/* --- the question --- */

static int add_term(void *user, const struct cp_term *term)
{
    struct query *q = user;
    for (int i = 0; i < q->n; i++)
        if (q->term[i].length == term->length && !memcmp(q->term[i].text, term->text, (size_t)term->length)) {
            q->term[i].times++;
            return 0;
        }
    if (q->n == MAX_TERMS)
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
    const struct query_term *order[MAX_TERMS];
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

/* --- scoring --- */

struct scoring {
    const struct query *q;
    struct hit *hit;
    int32_t at; /* terms so far, in all fields */
    int32_t place[MAX_TERMS][MAX_PLACES];
};

static bool matches(const struct query_term *wanted, const char *term, int length)
{
    if ((wanted->length == length || (wanted->prefix && wanted->length < length)) &&
        !memcmp(wanted->text, term, (size_t)wanted->length))
        return true;
    for (int i = 0; i < wanted->n_also; i++)
        if (!strncmp(wanted->also[i], term, (size_t)length) && !wanted->also[i][length])
            return true;
    return false;
}

static void look_at(struct scoring *s, const char *term, int length)
{
    struct hit *hit = s->hit;
    for (int i = 0; i < s->q->n; i++) {
        if (!matches(&s->q->term[i], term, length))
            continue;
        if (hit->count[i] < MAX_PLACES)
            s->place[i][hit->count[i]] = s->at;
        hit->count[i]++;
    }
    s->at++;
}

/* How near two terms come to each other, in terms; NEAR + 1 when they do not. */
static int nearest(const struct scoring *s, int a, int b)
{
    int best = NEAR + 1, na = s->hit->count[a] < MAX_PLACES ? s->hit->count[a] : MAX_PLACES,
        nb = s->hit->count[b] < MAX_PLACES ? s->hit->count[b] : MAX_PLACES;
    for (int i = 0; i < na; i++)
        for (int k = 0; k < nb; k++) {
            int apart = abs(s->place[a][i] - s->place[b][k]);
            best = apart && apart < best ? apart : best;
        }
    return best;
}

/* words: as cp_index_words makes them. */
static void score_hit(const struct cp_answers_config *config, const struct query *q, const char *words,
                      struct hit *hit)
{
    struct scoring s = {.q = q, .hit = hit};
    for (const char *at = words; *at; at++) {
        size_t length = strcspn(at, " \n");
        if (length)
            look_at(&s, at, (int)length);
        at += length;
        if (!*at)
            break;
        if (*at == '\n')
            s.at += NEAR; /* nothing is near across fields */
    }
    double length = s.at - CP_INDEX_FIELDS * NEAR;
    double norm = config->k1 * (1 - config->b + config->b * length / q->mean_terms);
    for (int i = 0; i < q->n; i++) {
        double n = hit->count[i];
        hit->part[i] = q->term[i].weight * n * (config->k1 + 1) / (n + norm);
        hit->score += hit->part[i];
    }
    for (int i = 0; i + 1 < q->n; i++) {
        int apart = nearest(&s, i, i + 1);
        if (apart <= NEAR)
            hit->nearness += NEARNESS * fmin(q->term[i].weight, q->term[i + 1].weight) / apart;
    }
    hit->score += hit->nearness;
    /* 1 is what a passage of mean length scores that has every term once: half of BM25's most. */
    double whole = q->sum * (config->k1 + 1) / 2;
    hit->confidence = whole > 0 ? fmin(hit->score / whole * (q->paired ? PAIRED : 1), 1) : 0;
}

/* --- a pair's own question --- */

struct likeness {
    const struct query *q;
    bool seen[MAX_TERMS];
    int n_own;
};

static int on_own_term(void *user, const struct cp_term *term)
{
    struct likeness *l = user;
    l->n_own++;
    for (int i = 0; i < l->q->n; i++)
        if (matches(&l->q->term[i], term->text, term->length))
            l->seen[i] = true;
    return 0;
}

/* How alike another question is to what was asked, 0 to 1: the weight in common, of what both weigh together
 * (Dice), where a term that was not asked for weighs as the question's terms do on average. */
static double likeness_to(struct connection *reader, const struct query *q, const char *language,
                          const char *question)
{
    if (!*question || !q->n)
        return 0;
    struct likeness l = {.q = q};
    cp_cut_terms(reader->cutter, language, question, strlen(question), CP_CUT_CONTENT, on_own_term, &l);
    double common = 0;
    int n_common = 0;
    for (int i = 0; i < q->n; i++)
        if (l.seen[i]) {
            common += q->term[i].weight;
            n_common++;
        }
    double own = common + (l.n_own > n_common ? l.n_own - n_common : 0) * q->sum / q->n;
    return q->sum + own > 0 ? 2 * common / (q->sum + own) : 0;
}

/* A pair whose question says what was asked goes first. */
static void compare_questions(struct connection *reader, const struct query *q, struct hit *hit)
{
    double like = likeness_to(reader, q, hit->language, hit->question);
    if (like >= SAME_QUESTION) {
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
    score_hit(&answers->config, q, (const char *)sqlite3_column_text(row, 9), hit);
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
        double like = likeness_to(reader, q, pins[i].language, pins[i].question);
        if (like >= SAME_QUESTION)
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
        if (matches(&m->q->term[i], term->text, term->length)) {
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

static void prepare(struct connection *reader, const struct cp_search *search, const char *collection,
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
    prepare(reader, search, collection, &q);
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
