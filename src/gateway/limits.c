#include "gateway/gateway_int.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Token buckets in a table of sets: a name may lie in any place of its set, and pushes out the one of the set
 * that was longest unseen. So memory is bounded, whoever comes. */
enum { SETS = 1024, WAYS = 8 };

struct bucket {
    uint64_t name; /* hash; 0: free */
    double tokens;
    int64_t seen_ns;
};

struct cp_limits {
    pthread_mutex_t lock;
    double rate_per_s, burst;
    struct bucket buckets[SETS][WAYS];
};

struct cp_limits *cp_limits_create(int64_t rate_per_s, int64_t burst)
{
    struct cp_limits *limits = calloc(1, sizeof *limits);
    if (!limits)
        return NULL;
    pthread_mutex_init(&limits->lock, NULL);
    limits->rate_per_s = (double)rate_per_s;
    limits->burst = (double)(burst > 0 ? burst : 1);
    return limits;
}

void cp_limits_destroy(struct cp_limits *limits)
{
    if (!limits)
        return;
    pthread_mutex_destroy(&limits->lock);
    free(limits);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash ? hash : 1;
}

static struct bucket *find_bucket(struct cp_limits *limits, uint64_t name, int64_t now_ns)
{
    struct bucket *set = limits->buckets[(name >> 32) % SETS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].name == name)
            return &set[i];
        if (set[i].seen_ns < oldest->seen_ns)
            oldest = &set[i];
    }
    *oldest = (struct bucket){.name = name, .tokens = limits->burst, .seen_ns = now_ns};
    return oldest;
}

struct cp_allowance cp_limits_take(struct cp_limits *limits, const char *who, int64_t now_ns)
{
    struct cp_allowance allowance = {.allowed = true};
    if (limits->rate_per_s <= 0)
        return allowance;
    pthread_mutex_lock(&limits->lock);
    struct bucket *bucket = find_bucket(limits, hash_name(who), now_ns);
    double elapsed_s = (double)(now_ns - bucket->seen_ns) / (double)CP_NS_PER_S;
    bucket->tokens += elapsed_s > 0 ? elapsed_s * limits->rate_per_s : 0;
    if (bucket->tokens > limits->burst)
        bucket->tokens = limits->burst;
    bucket->seen_ns = now_ns;
    allowance.allowed = bucket->tokens >= 1;
    if (allowance.allowed)
        bucket->tokens -= 1;
    allowance.limit = (int64_t)limits->burst;
    allowance.remaining = (int64_t)bucket->tokens;
    /* Refused: when the next is allowed. Allowed: when the allowance is whole again. */
    double missing = allowance.allowed ? limits->burst - bucket->tokens : 1 - bucket->tokens;
    allowance.reset_s = (int64_t)(missing / limits->rate_per_s) + 1;
    pthread_mutex_unlock(&limits->lock);
    return allowance;
}
