/* What people set for a collection: its threshold, words that mean the same, questions with a document of
 * their own. Inside the answers stage; the public side is in answers.h. */
#ifndef CP_ANSWERS_COLLECTION_H
#define CP_ANSWERS_COLLECTION_H

#include "answers/answers_int.h"

enum { CP_MAX_SYNONYMS = 7, CP_MAX_PINS = 50 };

/* The collection's own threshold, or `usual`. thread: holder of the connection, as below */
double cp_collection_confident(struct connection *reader, const char *collection, double usual);

/* Other terms that mean the same, in one collection or ("") in any; returns their number. */
int cp_collection_synonyms(struct connection *reader, const char *collection, const char *term,
                           char ret_terms[CP_MAX_SYNONYMS][CP_TERM_BYTES + 1]);

struct cp_pin {
    char *question, *document, *language; /* the document's id and language; freed by cp_pins_free */
};
/* The pins of one collection, or ("") of all; returns their number, at most CP_MAX_PINS. */
int cp_collection_pins(struct connection *reader, const char *collection, struct cp_pin *ret_pins);
void cp_pins_free(struct cp_pin *pins, int n);

/* Takes out the pins of a document that goes. 0 or -1. thread: holder of the writer */
int cp_collection_unpin(sqlite3 *db, const char *document);
/* Makes the tables. 0 or -1. */
int cp_collection_make_tables(sqlite3 *db);

#endif
