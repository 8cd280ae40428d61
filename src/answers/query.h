/* A question as it is searched for, and the passages that are scored by it. Inside the answers stage. */
#ifndef CP_ANSWERS_QUERY_H
#define CP_ANSWERS_QUERY_H

#include "answers/answers_int.h"
#include "answers/collection.h"

enum { CP_QUERY_TERMS = 48 };

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
    struct query_term term[CP_QUERY_TERMS];
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
    int count[CP_QUERY_TERMS];
    double part[CP_QUERY_TERMS]; /* of the score, by term */
    char *document, *collection, *title, *language, *heading, *question, *text, *link;
};

/* --- query.c --- */

/* Cuts a question into terms, in its language or those of the documents, and weighs them by how rare they
 * are. *ret_query is all zero but for n_passages and mean_terms, which are 1. thread: holder of the reader */
void cp_query_prepare(struct connection *reader, const struct cp_search *search, const char *collection,
                      struct query *ret_query);
/* Whether a passage's term is this one, or means the same. */
bool cp_query_matches(const struct query_term *wanted, const char *term, int length);

/* --- score.c --- */

/* BM25 and nearness of a passage's words, as cp_index_words makes them, into the hit. */
void cp_score_words(const struct cp_answers_config *config, const struct query *q, const char *words,
                    struct hit *hit);
/* How alike another question is to what was asked, 0 to 1. thread: holder of the reader */
double cp_score_likeness(struct connection *reader, const struct query *q, const char *language,
                         const char *question);
#define CP_SAME_QUESTION 0.72 /* likeness at which both say the same */

#endif
