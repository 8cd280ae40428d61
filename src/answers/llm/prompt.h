/* What a language model is asked, and what its answer says: pure functions. */
#ifndef CP_ANSWERS_LLM_PROMPT_H
#define CP_ANSWERS_LLM_PROMPT_H

#include "base/buffer.h"

#include <jansson.h>
#include <stdbool.h>

/* Who answers. Empty texts and 0 take what is usual. */
struct cp_persona {
    const char *name, *role, *tone;
    int max_words; /* 0: 45 */
};

#define CP_PROMPT_MAX_PASSAGES 5

/*
 * The messages for POST /v1/chat/completions: the rules, then what was said before ([{"question", "answer"}],
 * newest first; may be NULL), the passages (hits of cp_answers_search, at most CP_PROMPT_MAX_PASSAGES) and
 * the question, each between tags that none can close: all are data, whatever they say. NULL when out of
 * memory.
 */
json_t *cp_prompt_make(const struct cp_persona *persona, const json_t *earlier, const json_t *hits,
                       const char *question);

/* How many bytes of a text that is still being written are whole sentences: those behind which another one
 * has begun. ICU's rules; abbreviations end none. Any thread. */
size_t cp_prompt_whole_sentences(const char *text);

/* Whether the model says that the passages do not answer the question. */
bool cp_prompt_is_refusal(const char *answer);
/* Whether that may be what it is beginning to say. */
bool cp_prompt_may_be_refusal(const char *begun);
/* The answer as it is said: without [1] and markup, appended to ret_text. *ret_cited has bit n - 1 set for
 * each passage n of n_passages that it names. */
void cp_prompt_read(const char *answer, int n_passages, struct cp_buffer *ret_text, unsigned *ret_cited);

#endif
