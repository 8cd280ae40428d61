/*
 * Moderation: an endpoint of OpenAI's shape (POST .../moderations) says of a text whether it may go on. What
 * happens to a text that it could not judge is the caller's to decide.
 */
#ifndef CP_ANSWERS_MODERATION_H
#define CP_ANSWERS_MODERATION_H

#include "base/config.h"
#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cp_moderation_config {
    char url[CP_OPTION_TEXT_BYTES]; /* "https://api.openai.com/v1": the part before /moderations; "": none */
    char model[CP_OPTION_TEXT_BYTES]; /* "" for the endpoint's own */
    char key[CP_OPTION_TEXT_BYTES];   /* a reference: env:NAME, file:PATH; "" for none */
    int64_t timeout_ms;
    char on_failure[CP_OPTION_TEXT_BYTES]; /* "hold" or "refuse" */
};
extern const struct cp_option cp_moderation_options[];
extern const size_t cp_moderation_n_options;

struct cp_moderation;

/* Without a url there is none: *ret_moderation is NULL and the result 0. */
int cp_moderation_create(const struct cp_moderation_config *config, struct cp_moderation **ret_moderation,
                         struct cp_error *error);
/* Nobody may be asking. NULL is fine. */
void cp_moderation_destroy(struct cp_moderation *moderation);
/* 0 when there is a verdict. Else why not; CP_ERR_BUSY at once while the endpoint rests after three failures
 * in a row. Blocks up to timeout_ms; CP_ERR_CANCELLED within 50 ms of *stop (may be NULL). One thread at a
 * time. */
int cp_moderation_judge(struct cp_moderation *moderation, const char *text, const atomic_bool *stop,
                        bool *ret_flagged, struct cp_error *error);
/* Whom it asks, for people. */
const char *cp_moderation_host(const struct cp_moderation *moderation);

#endif
