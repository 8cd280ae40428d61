/*
 * Text -> terms: what search compares. Words are case-folded, stemmed by their language (Snowball) and lose
 * their accents; scripts that are written without spaces (Han, kana, Hangul, Thai ...) become pairs of
 * neighbours, so that no dictionary is needed. The same cutter serves documents and questions.
 */
#ifndef CP_ANSWERS_TERMS_H
#define CP_ANSWERS_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_TERM_BYTES 48 /* longer words are cut */

struct cp_term {
    char text[CP_TERM_BYTES + 1]; /* UTF-8 */
    int length;
    int32_t start, end; /* bytes of the text, half open */
    bool prefix;        /* a sign that stands alone: matches the pairs that begin with it */
};

/* Stemmers, made when first used. One thread at a time. */
struct cp_cutter;
struct cp_cutter *cp_cutter_create(void); /* NULL when out of memory */
void cp_cutter_destroy(struct cp_cutter *cutter);

enum cp_cut {
    CP_CUT_ALL,
    CP_CUT_CONTENT, /* leaves out words that only make the text a question or a sentence: "what", "is", "the"
                     */
};

/* Calls `each` for every term in order, until it returns something else than 0, which is returned. language:
 * BCP 47; one without a stemmer is not stemmed. Bytes that are not UTF-8 separate words. */
int cp_cut_terms(struct cp_cutter *cutter, const char *language, const char *text, size_t length,
                 enum cp_cut how, int (*each)(void *user, const struct cp_term *term), void *user);

/* --- stops.c --- */

/* Whether a word (lower case, not stemmed) only makes a question or a sentence in this language. */
bool cp_is_stop_word(const char *language, const char *word, size_t length);
/* How many bytes of question phrase stand at the start of `text`, for scripts without spaces; 0: none. */
size_t cp_stop_phrase(const char *text, size_t length);

#endif
