/*
 * Lexicons: how a channel wants words to be said. Read from the W3C's Pronunciation Lexicon Specification 1.0
 * (2008) or from JSON rows. An alias is said in place of the grapheme by every engine; a phoneme (IPA)
 * goes before it where the engine takes phones.
 */
#ifndef CP_SPEECH_LEXICON_H
#define CP_SPEECH_LEXICON_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_LEXICON_MAX_BYTES       (256 * 1024) /* of the document */
#define CP_LEXICON_MAX_ROWS        2000
#define CP_LEXICON_MAX_GRAPHEME    96 /* bytes */
#define CP_LEXICON_MAX_REPLACEMENT 256

struct cp_lexicon;

/* Both fail with CP_ERR_FORMAT or CP_ERR_INVALID and the place, CP_ERR_LIMIT, CP_ERR_NOMEM. The lexicon is
 * counted: its maker holds one reference. JSON is {"language"?, "rows": [{"grapheme", "alias" or
 * "phoneme"}]}. Any thread. */
int cp_lexicon_read_pls(const char *xml, size_t length, struct cp_lexicon **ret_lexicon,
                        struct cp_error *error);
int cp_lexicon_read_json(const json_t *document, struct cp_lexicon **ret_lexicon, struct cp_error *error);
/* NULL is fine for both. */
struct cp_lexicon *cp_lexicon_hold(const struct cp_lexicon *lexicon);
void cp_lexicon_drop(struct cp_lexicon *lexicon);

/* {"language", "rows": [...], "phonemes_only": rows without an alias}; the caller's. */
json_t *cp_lexicon_to_json(const struct cp_lexicon *lexicon);
/* Changes with the contents: for keys of caches. 0 for NULL. */
uint64_t cp_lexicon_hash(const struct cp_lexicon *lexicon);
int cp_lexicon_n_rows(const struct cp_lexicon *lexicon);
/* Rows without an alias, which engines that take no phones read as written. */
int cp_lexicon_n_phonemes_only(const struct cp_lexicon *lexicon);

/* How a grapheme is said: one of the two. They belong to the lexicon. */
struct cp_lexicon_entry {
    const char *alias, *phoneme;
};

/* The longest grapheme that text begins with and that ends at a word's end; its bytes, or 0. Upper and lower
 * case count as written, but for an all-small grapheme, which also matches at a sentence's start ("Tomato").
 * `language` is that of the text: a lexicon of another language does not apply. `phones`: phonemes count, and
 * before aliases. NULL never matches. Any thread. */
size_t cp_lexicon_match(const struct cp_lexicon *lexicon, const char *language, const char *text,
                        size_t length, bool phones, struct cp_lexicon_entry *ret_entry);

#endif
