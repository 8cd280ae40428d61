#include "answers/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PLACES = 24, /* of one term in a passage that nearness looks at */
    NEAR = 6,        /* terms apart that still count as near */
};
#define NEARNESS 0.35 /* of the lesser weight of two neighbours, when they stand side by side */
#define PAIRED                                                                                               \
    1.5 /* half of the pairs of signs cross words, and half of those are missing where words move */

struct scoring {
    const struct query *q;
    struct hit *hit;
    int32_t at; /* terms so far, in all fields */
    int32_t place[CP_QUERY_TERMS][MAX_PLACES];
};

static void look_at(struct scoring *s, const char *term, int length)
{
    struct hit *hit = s->hit;
    for (int i = 0; i < s->q->n; i++) {
        if (!cp_query_matches(&s->q->term[i], term, length))
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
void cp_score_words(const struct cp_answers_config *config, const struct query *q, const char *words,
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

/* --- another question --- */

struct likeness {
    const struct query *q;
    bool seen[CP_QUERY_TERMS];
    int n_own;
};

static int on_own_term(void *user, const struct cp_term *term)
{
    struct likeness *l = user;
    l->n_own++;
    for (int i = 0; i < l->q->n; i++)
        if (cp_query_matches(&l->q->term[i], term->text, term->length))
            l->seen[i] = true;
    return 0;
}

/* How alike another question is to what was asked, 0 to 1: the weight in common, of what both weigh together
 * (Dice), where a term that was not asked for weighs as the question's terms do on average. */
double cp_score_likeness(struct connection *reader, const struct query *q, const char *language,
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
