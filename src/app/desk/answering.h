/*
 * Answers by a language model: questions wait here while their answer is written, on threads of their own, so
 * that a slow or dead model holds up nothing. What it writes takes the place of the suggestion that the
 * documents gave at once, unless the question is past that.
 */
#ifndef CP_APP_ANSWERING_H
#define CP_APP_ANSWERING_H

#include "base/error.h"

#include <stdint.h>

struct cp_app;
struct cp_answering;

/* Without a model (llm.url) *ret_answering is NULL and the result 0. */
int cp_answering_create(struct cp_app *app, struct cp_answering **ret_answering, struct cp_error *error);
/* Gives up what is being written. NULL is fine. */
void cp_answering_destroy(struct cp_answering *answering);
/* Has the question answered, and aired if its channel answers by itself (asked_ns: monotonic, of the
 * question; 0: it is left to the operator). Never waits: when many wait it is left with the suggestion that
 * it has. NULL is fine. Any thread. */
void cp_answering_ask(struct cp_answering *answering, const char *channel, const char *question,
                      int64_t asked_ns);
/* Brings the metrics up to date, before they are written. NULL is fine. */
void cp_answering_collect(struct cp_answering *answering);

#endif
