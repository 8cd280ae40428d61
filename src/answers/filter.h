/*
 * What of an audience's question may go on: spam and words that the channel blocks are refused, what says who
 * somebody is (e-mail addresses, telephone and card numbers) is masked before anything is kept or shown.
 * Pure functions.
 */
#ifndef CP_ANSWERS_FILTER_H
#define CP_ANSWERS_FILTER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct cp_cutter;

/* NULL when the text may go on: appended to ret_text with its masks, *ret_masked when there are any. Else why
 * not, as a sentence for its author. blocked: words by commas, compared without case, as whole words; a "*"
 * at the end of one takes all that begin so. */
const char *cp_filter_question(const char *text, const char *blocked, struct cp_buffer *ret_text,
                               bool *ret_masked);

/* Equal for questions that ask the same: the set of their words that count, stemmed, and the word that they
 * begin with ("how", "when"). language: BCP 47, or "" to find out. Never 0. One thread at a time (the
 * cutter's). */
uint64_t cp_filter_likeness(struct cp_cutter *cutter, const char *language, const char *text);

#endif
