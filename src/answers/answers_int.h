/* What the files of the answers stage share. */
#ifndef CP_ANSWERS_INT_H
#define CP_ANSWERS_INT_H

#include "answers/answers.h"
#include "answers/split.h"
#include "answers/terms.h"

#include <pthread.h>
#include <sqlite3.h>

#define STAGE "answers"

enum {
    N_READERS = 4,
    MAX_LANGUAGES = 4, /* that one question is cut by when its own is not known */
    DOCUMENT_ID_BYTES = 24,
};

/*
 * The file's tables. documents, passages: what people gave, and each passage's terms, so that scoring need
 * not cut it again. words: an FTS5 index of those terms, without a copy of its own. frequencies: in how many
 * passages a term is; totals: passages and their terms.
 */
struct connection {
    pthread_mutex_t lock;
    sqlite3 *db;
    struct cp_cutter *cutter;
};

struct cp_answers {
    struct cp_answers_config config;
    char path[CP_OPTION_TEXT_BYTES + 24];
    struct connection writer, reader[N_READERS];
    struct cp_embedder *embedder; /* NULL: words only */
    pthread_mutex_t lock;         /* guards what follows */
    struct cp_answers_stats stats;
    unsigned next_reader;
};

/* SQLite's last problem on this connection as ours, with what to do about it. */
int cp_answers_fail(const struct cp_answers *answers, sqlite3 *db, struct cp_error *error);

/* Names of collections: a-z, 0-9, - _ and . */
bool cp_answers_is_collection(const char *text);
/* CP_ERR_INVALID, saying what names are. */
int cp_answers_no_collection(const char *name, struct cp_error *error);

/* Ends the transaction that `result` is of: commits when it is 0, with the index's counts (may be NULL).
 * Frees the index. thread: holder of the writer */
struct cp_index;
int cp_answers_finish(struct cp_answers *answers, struct cp_index *index, int result, struct cp_error *error);

/* A reader, locked; given back by cp_answers_release. */
struct connection *cp_answers_reader(struct cp_answers *answers);
void cp_answers_release(struct connection *connection);

/* BCP 47 of a text, by its script and its small words; "" when they do not tell. ret_language: 16 bytes. */
void cp_guess_language(const char *text, size_t length, char *ret_language);

/* --- index.c: terms of a passage to the index and back; thread: holder of the writer --- */

/* Makes the index's own function known to a connection. 0 or -1. */
int cp_index_register(sqlite3 *db);
/* A struct cp_index is the statements of one transaction, and the counts that it gathers. */
int cp_index_begin(struct connection *writer, struct cp_index **ret_index);
/* A passage's terms, each with a space behind it; a line a field: title, heading, question, text. The
 * index's, until the next call; NULL when out of memory. */
enum { CP_INDEX_FIELDS = 4, CP_INDEX_TEXT = 3 };
const char *cp_index_words(struct cp_index *index, const char *language, const char *title,
                           const struct cp_passage *passage);
/* sign: 1 adds, -1 removes, with the words that were added. 0 or -1. */
int cp_index_passage(struct cp_index *index, int64_t id, const char *collection, const char *words, int sign);
/* Writes the gathered counts. */
int cp_index_finish(struct cp_index *index);
void cp_index_free(struct cp_index *index);
/* The term that stands for a collection in the index; 20 bytes. */
void cp_index_scope(const char *collection, char ret_term[20]);

#endif
