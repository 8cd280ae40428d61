#include "base/breaker.h"

#define NS_PER_MS INT64_C(1000000)

/* A probe that nobody reported on (it was cancelled) is forgotten after this. */
#define PROBE_LOST_NS (5000 * NS_PER_MS)

bool cp_breaker_would_allow(const struct cp_breaker *breaker, int64_t now_ns)
{
    switch (breaker->state) {
    case CP_BREAKER_OPEN:
        return now_ns >= breaker->until_ns;
    case CP_BREAKER_HALF_OPEN:
        return now_ns - breaker->probing_ns >= PROBE_LOST_NS;
    case CP_BREAKER_CLOSED:
        break;
    }
    return true;
}

bool cp_breaker_allow(struct cp_breaker *breaker, int64_t now_ns)
{
    if (!cp_breaker_would_allow(breaker, now_ns))
        return false;
    if (breaker->state != CP_BREAKER_CLOSED) {
        breaker->state = CP_BREAKER_HALF_OPEN;
        breaker->probing_ns = now_ns;
    }
    return true;
}

void cp_breaker_success(struct cp_breaker *breaker)
{
    *breaker = (struct cp_breaker){0};
}

void cp_breaker_failure(struct cp_breaker *breaker, int64_t now_ns)
{
    breaker->failures++;
    if (breaker->state == CP_BREAKER_OPEN) /* a request that began before it opened */
        return;
    if (breaker->state == CP_BREAKER_CLOSED && breaker->failures < CP_BREAKER_FAILURES)
        return;
    int64_t wait_ms = (int64_t)CP_BREAKER_FIRST_MS << (breaker->openings < 10 ? breaker->openings : 10);
    breaker->state = CP_BREAKER_OPEN;
    breaker->until_ns = now_ns + (wait_ms < CP_BREAKER_MAX_MS ? wait_ms : CP_BREAKER_MAX_MS) * NS_PER_MS;
    breaker->openings++;
}

const char *cp_breaker_name(enum cp_breaker_state state)
{
    static const char *const NAMES[] = {"closed", "open", "half-open"};
    return NAMES[state];
}
