/*
 * Language models: one or more endpoints of OpenAI's shape (OpenAI, Ollama, llama.cpp, vLLM, gateways of
 * clouds), asked in order: the next one is when one cannot be reached, is busy, breaks off or is too slow.
 */
#ifndef CP_ANSWERS_LLM_H
#define CP_ANSWERS_LLM_H

#include "base/config.h"
#include "base/error.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CP_LLM_MAX_ENDPOINTS 4

struct cp_llm_config {
    /* lists with commas; the model and key of the last one hold for those that are not named */
    char url[CP_OPTION_TEXT_BYTES]; /* "http://127.0.0.1:11434/v1": the part before /chat/completions */
    char model[CP_OPTION_TEXT_BYTES];
    char key[CP_OPTION_TEXT_BYTES];      /* references: env:NAME, file:PATH; "" for none */
    int64_t first_ms, idle_ms, total_ms; /* until the first byte, between two, for all endpoints together */
    int64_t max_tokens;                  /* of an answer */
    int64_t day_tokens;                  /* of all of a day (UTC), questions and answers; 0: no limit */
    double temperature;
    char persona_name[CP_OPTION_TEXT_BYTES], persona_role[CP_OPTION_TEXT_BYTES],
        persona_tone[CP_OPTION_TEXT_BYTES], refusal[CP_OPTION_TEXT_BYTES];
    int64_t persona_words;
};
extern const struct cp_option cp_llm_options[];
extern const size_t cp_llm_n_options;

struct cp_llm;

/* Without a url there is none: *ret_llm is NULL and the result 0. CP_ERR_INVALID tells which entry is wrong.
 */
int cp_llm_create(const struct cp_llm_config *config, struct cp_llm **ret_llm, struct cp_error *error);
/* Nobody may be asking. NULL is fine. */
void cp_llm_destroy(struct cp_llm *llm);

struct cp_llm_answer {
    char *text; /* the caller's to free */
    char host[128], model[128];
    int64_t tokens_in, tokens_out, first_ns, total_ns; /* first: when the first bytes came */
};
/*
 * Hears an answer while it is written. Models whose server sends thoughts as text, with no sign where they
 * begin, must not be heard early: an endpoint's first answer since the start is heard only when it is whole,
 * and those after it as they come if that one had none.
 */
struct cp_llm_listener {
    /* All of the answer so far, without thoughts. True when some of it is used: from then on no other
     * endpoint is asked, since it would begin anew. thread: the one that asks; must return soon */
    bool (*text)(void *user, const char *text);
    /* Called some fifty times a second while one waits. Optional. thread: the one that asks */
    void (*tick)(void *user);
    void *user;
};

/* Asks. messages: cp_prompt_make(); listener: may be NULL. CP_ERR_BUSY when the day's tokens are used up;
 * else what the last endpoint failed with. Any thread; blocks up to total_ms; CP_ERR_CANCELLED within 50 ms
 * of *stop. */
int cp_llm_ask(struct cp_llm *llm, const json_t *messages, const struct cp_llm_listener *listener,
               const atomic_bool *stop, struct cp_llm_answer *ret_answer, struct cp_error *error);

struct cp_llm_stats {
    uint64_t asked, answered, failed, failovers;
    int64_t tokens_in, tokens_out, tokens_today;
    int64_t first_ns, total_ns; /* of all answers */
};
struct cp_llm_stats cp_llm_stats(struct cp_llm *llm);

#endif
