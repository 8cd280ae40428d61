/*
 * A circuit breaker: a service that keeps failing is left alone for a while, so that its work goes to another
 * one at once instead of after a timeout.
 *
 *     closed --3 failures in a row--> open --after a while--> half open --success--> closed
 *                                       ^------- failure --------'
 *
 * Pure: the caller gives the time and keeps it from being used by two threads at once.
 */
#ifndef CP_BASE_BREAKER_H
#define CP_BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define CP_BREAKER_FAILURES 3     /* in a row open it */
#define CP_BREAKER_FIRST_MS 2000  /* how long it stays open; doubled with each probe that fails ... */
#define CP_BREAKER_MAX_MS   60000 /* ... up to this */

enum cp_breaker_state { CP_BREAKER_CLOSED, CP_BREAKER_OPEN, CP_BREAKER_HALF_OPEN };

/* All zero is a closed one. */
struct cp_breaker {
    enum cp_breaker_state state;
    int failures;       /* in a row */
    int openings;       /* in a row */
    int64_t until_ns;   /* open: when to probe */
    int64_t probing_ns; /* half open: when the probe began */
};

/* True when a request may go out now. Half open, that is one at a time: the probe. */
bool cp_breaker_allow(struct cp_breaker *breaker, int64_t now_ns);
/* Would cp_breaker_allow say yes? Changes nothing. */
bool cp_breaker_would_allow(const struct cp_breaker *breaker, int64_t now_ns);
/* How the request went. A cancelled one says neither. */
void cp_breaker_success(struct cp_breaker *breaker);
void cp_breaker_failure(struct cp_breaker *breaker, int64_t now_ns);
/* "closed", "open", "half-open". */
const char *cp_breaker_name(enum cp_breaker_state state);

#endif
