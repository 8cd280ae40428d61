/* Blocks of text -> passages: what a search returns, and what a presenter can read out. */
#ifndef CP_ANSWERS_SPLIT_H
#define CP_ANSWERS_SPLIT_H

#include "answers/extract.h"

#include <stdbool.h>

struct cp_passage {
    const char *heading; /* "Returns > Abroad"; "" for none */
    const char *text;
    const char *question, *link; /* of a pair; else "" */
};

/* Weight of a text: letters, a sign of a script without spaces counting as three. */
double cp_text_weight(const char *text, size_t length);

/* Whether a run ends as "Dr.", "St." or "e.g." do: a short word with a capital, or a full stop inside it.
 * Taking a sentence's end for one only moves the cut to the next. */
bool cp_ends_in_abbreviation(const char *text, size_t length);

/*
 * Cuts at headings, then paragraphs; short ones of one heading are put together, long ones are cut at
 * sentences (ICU, by language), so that passages weigh about `weight`, at most 1.6 times that. Pairs stay as
 * they are. Calls `each` in order until it returns something else than 0, which is returned; -1 when out of
 * memory.
 */
int cp_split(const struct cp_extract *extract, double weight, const char *language,
             int (*each)(void *user, const struct cp_passage *passage), void *user);

#endif
