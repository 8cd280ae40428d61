/*
 * The answers stage: documents -> passages -> search.
 *
 * Documents are cut into passages and kept with their terms in one SQLite file ("knowledge.db"), which is
 * theirs alone: the store's records stay small, and search needs its own index. Writers take turns; readers
 * never wait for them.
 *
 * Every function may block on the disk: never call from draw, venc, aenc or send. Any other thread.
 */
#ifndef CP_ANSWERS_H
#define CP_ANSWERS_H

#include "base/config.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_answers;

struct cp_answers_config {
    int64_t max_document_bytes;
    int64_t max_passages;  /* of all documents */
    double passage_weight; /* letters a passage is about as long as */
    double k1, b;          /* of BM25 */
    double confident;      /* confidence from which a hit counts as an answer */
    char embed_url[CP_OPTION_TEXT_BYTES], embed_model[CP_OPTION_TEXT_BYTES], embed_key[CP_OPTION_TEXT_BYTES];
    bool fetch_private; /* web pages may lie on this machine or a private network */
    int64_t embed_ms, embed_most;
    double embed_sure;
};
extern const struct cp_option cp_answers_options[];
extern const size_t cp_answers_n_options;

/* directory: made when missing. */
int cp_answers_open(const struct cp_answers_config *config, const char *directory,
                    struct cp_answers **ret_answers, struct cp_error *error);
/* No call may be running. NULL is fine. */
void cp_answers_close(struct cp_answers *answers);

/* --- documents --- */

#define CP_COLLECTION_BYTES 64 /* names: a-z 0-9 - _ . */

struct cp_document_source {
    const char *collection; /* "" means "main" */
    const char *title;      /* "" takes the first heading, else the first words */
    const char *type;       /* Content-Type: text/plain, text/markdown, text/html, text/csv, PDF, Word */
    const char *language;   /* BCP 47, or "" to find out */
    const void *bytes;
    size_t length;
};

/*
 * Reads, cuts and keeps a document; one of the same title in the same collection is replaced as a whole and
 * keeps its id. *ret_document: {"id","collection","title","type","language","bytes","passages","created_at"}.
 * CP_ERR_LIMIT, CP_ERR_FORMAT (not what its type says), CP_ERR_UNSUPPORTED (names the types), CP_ERR_INVALID
 * (nothing to read in it).
 */
int cp_answers_add(struct cp_answers *answers, const struct cp_document_source *source, json_t **ret_document,
                   struct cp_error *error);
int cp_answers_get(struct cp_answers *answers, const char *id, json_t **ret_document, struct cp_error *error);
/* Newest first. collection "" means all; cursor: of the page before, or NULL. *ret_page:
 * {"documents":[...],"cursor":"..."} */
int cp_answers_list(struct cp_answers *answers, const char *collection, const char *cursor, int limit,
                    json_t **ret_page, struct cp_error *error);
/* {"passages":[{"id","number","heading","text","question"}]} of one document. */
int cp_answers_passages(struct cp_answers *answers, const char *id, json_t **ret_passages,
                        struct cp_error *error);
/* Removes every trace. */
int cp_answers_delete(struct cp_answers *answers, const char *id, struct cp_error *error);
/* How much its passages count beside others', 0.1 to 10; 1 is usual. *ret_document as above. */
int cp_answers_boost(struct cp_answers *answers, const char *id, double boost, json_t **ret_document,
                     struct cp_error *error);

/* Changes a passage by hand: those of "heading", "question", "text", "link" that are in `changes`. It stays
 * so until the document is replaced. *ret_passages: as above. CP_ERR_NOT_FOUND, CP_ERR_INVALID (no text). */
int cp_answers_edit_passage(struct cp_answers *answers, const char *document, int64_t passage,
                            const json_t *changes, json_t **ret_passages, struct cp_error *error);
int cp_answers_delete_passage(struct cp_answers *answers, const char *document, int64_t passage,
                              struct cp_error *error);

/* --- collections --- */

/* {"collections":[{"name","documents","passages","confident" (where it is
 * set),"synonyms","pins":[{"question", "document"}]}]}, by name. */
int cp_answers_collections(struct cp_answers *answers, json_t **ret_page, struct cp_error *error);
/*
 * Sets what is in `changes`: "confident" 0..1, or less than 0 for the server's; "synonyms", lines of words
 * between commas that mean the same; "pins", questions that a document answers whatever the scores say.
 * *ret_collection: one of the above. CP_ERR_INVALID (a name, several words at once, no such document),
 * CP_ERR_LIMIT.
 */
int cp_answers_set_collection(struct cp_answers *answers, const char *name, const json_t *changes,
                              json_t **ret_collection, struct cp_error *error);

/* --- search --- */

struct cp_search {
    const char *query;
    const char *collection; /* "" searches all */
    const char *language;   /* of the query, or "" to find out */
    int limit;              /* 1..50; 0 means 5 */
};
/*
 * The passages that answer best, best first. *ret_result:
 * {"hits":[{"document","collection","title","passage",
 * "heading","text","link","score","confidence","terms":[{"term","weight","count","score"}],"marks":[[start,
 * end], ...]}],"confident":bool,"took_ms"}. score: BM25 with nearness, comparable within one search;
 * confidence 0..1: the score as a share of what a passage of mean length would have that holds every word of
 * the question once. A question row that says the same comes first and has confidence 1.
 */
int cp_answers_search(struct cp_answers *answers, const struct cp_search *search, json_t **ret_result,
                      struct cp_error *error);

/*
 * What a presenter may answer, from the documents alone: the answer of a pair, or the sentences of the best
 * passage that hold most of the question, up to about `most_words` (0: 40). *ret_suggestion:
 * {"text","refused",
 * "confidence","citations":[{"document","title","heading","passage","link","start","end"}],"took_ms"}; start
 * and end are bytes of the passage. Refused (text "") when no hit is confident.
 */
int cp_answers_suggest(struct cp_answers *answers, const struct cp_search *question, int most_words,
                       json_t **ret_suggestion, struct cp_error *error);

/* Asks the configured embeddings' endpoint once: *ret_width is how many components its vectors have, 0 when
 * none is configured. Blocks for up to 10 s. */
int cp_answers_try_embeddings(const struct cp_answers_config *config, int *ret_width, struct cp_error *error);

struct cp_answers_stats {
    int64_t documents, passages;
    uint64_t searches, failures, refused; /* refused: searches without a confident hit */
    int64_t search_ns;                    /* of all */
    int64_t embedded;                     /* passages that are also found by meaning */
    uint64_t embed_failures;
};
struct cp_answers_stats cp_answers_stats(struct cp_answers *answers);

#endif
