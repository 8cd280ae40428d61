/*
 * What the audience asks waits here for the verdict of the moderation (answers/moderation.h), on a thread of
 * its own, one after the other, so that they come to the desk in the order in which they were asked. Who
 * asked has been answered already.
 */
#ifndef CP_APP_JUDGING_H
#define CP_APP_JUDGING_H

#include "answers/moderation.h"
#include "base/error.h"
#include "observe/observe.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cp_judging;

enum cp_verdict {
    CP_VERDICT_UNSET,
    CP_VERDICT_FINE,
    CP_VERDICT_FLAGGED,
    CP_VERDICT_NONE, /* the endpoint could not say, or the server stops */
};

/* A question with its verdict; spec (borrowed, may be changed) and asked_ns are as for cp_question_ask.
 * thread: moderation */
typedef void (*cp_judged)(void *user, const char *channel, json_t *spec, int64_t asked_ns,
                          enum cp_verdict verdict);

/* Without an endpoint (moderation.url) *ret_judging is NULL and the result 0. observe must outlive it. */
int cp_judging_create(const struct cp_moderation_config *config, struct cp_observe *observe, cp_judged judged,
                      void *user, struct cp_judging **ret_judging, struct cp_error *error);
/* Those that wait are told CP_VERDICT_NONE first; what `judged` needs must be there still. NULL is fine. */
void cp_judging_destroy(struct cp_judging *judging);
/* Takes a reference of spec, which nobody else may change from now on. False when too many wait. Any thread;
 * never waits. */
bool cp_judging_ask(struct cp_judging *judging, const char *channel, json_t *spec, int64_t asked_ns);
/* Brings the gauges up to date, before the metrics are written. NULL is fine. */
void cp_judging_collect(struct cp_judging *judging);

#endif
