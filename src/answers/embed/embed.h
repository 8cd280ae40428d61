/*
 * Likeness by meaning: an endpoint of OpenAI's shape (POST .../embeddings) makes vectors of passages, in the
 * background, and of each question. Vectors lie in the knowledge base's file and, to be searched, in memory.
 * Everything works without: passages that have no vector yet, and questions whose vector does not come in
 * time, are found by words.
 */
#ifndef CP_ANSWERS_EMBED_H
#define CP_ANSWERS_EMBED_H

#include "answers/answers_int.h"
#include "answers/embed/vectors.h"

struct cp_embedder;

/* Of the configuration; *ret_embedder is NULL when it names no endpoint. Reads the vectors that are there,
 * and starts the thread "embed". CP_ERR_INVALID says which option is wrong. */
int cp_embedder_open(struct cp_answers *answers, struct cp_embedder **ret_embedder, struct cp_error *error);
/* NULL is fine. */
void cp_embedder_close(struct cp_embedder *embedder);

/* The passages nearest to a question, in a collection or ("") in all; their number, 0 when its vector did not
 * come in time. May block for answers.embed_ms. Any thread. */
int cp_embedder_nearest(struct cp_embedder *embedder, const char *question, const char *collection,
                        struct cp_near *ret_near, int most);

/* Passages with a vector, and requests that failed. */
void cp_embedder_stats(struct cp_embedder *embedder, int64_t *ret_passages, uint64_t *ret_failures);

/* Makes the table. 0 or -1. */
int cp_embed_make_tables(sqlite3 *db);

#endif
