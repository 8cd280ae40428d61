#include "base/pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A Treiber stack of indices; the high half of `head` is a tag against the ABA problem. */
struct cp_pool {
    _Atomic uint64_t head; /* tag << 32 | index + 1; index part 0: empty */
    atomic_size_t holders; /* objects out, plus one for the owner */
    _Atomic uint64_t misses;
    size_t stride, count;
    _Atomic uint32_t *next; /* next[i]: index + 1 below i on the stack */
    unsigned char *objects;
};

struct cp_pool *cp_pool_create(size_t object_bytes, size_t count)
{
    struct cp_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->stride = (object_bytes + 63) & ~(size_t)63;
    pool->count = count;
    pool->next = calloc(count, sizeof *pool->next);
    pool->objects = aligned_alloc(64, pool->stride * count);
    if (!pool->next || !pool->objects) {
        free(pool->next);
        free(pool->objects);
        free(pool);
        return NULL;
    }
    memset(pool->objects, 0, pool->stride * count);
    for (size_t i = 0; i < count; i++)
        atomic_init(&pool->next[i], (uint32_t)i);
    atomic_init(&pool->head, count);
    atomic_init(&pool->holders, 1);
    return pool;
}

static void release(struct cp_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->holders, 1, memory_order_acq_rel) == 1) {
        free(pool->next);
        free(pool->objects);
        free(pool);
    }
}

void *cp_pool_get(struct cp_pool *pool)
{
    uint64_t head = atomic_load_explicit(&pool->head, memory_order_acquire);
    for (;;) {
        uint32_t top = (uint32_t)head;
        if (!top) {
            atomic_fetch_add_explicit(&pool->misses, 1, memory_order_relaxed);
            return NULL;
        }
        uint32_t below = atomic_load_explicit(&pool->next[top - 1], memory_order_relaxed);
        uint64_t wanted = ((head >> 32) + 1) << 32 | below;
        if (atomic_compare_exchange_weak_explicit(&pool->head, &head, wanted, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            atomic_fetch_add_explicit(&pool->holders, 1, memory_order_relaxed);
            return pool->objects + (size_t)(top - 1) * pool->stride;
        }
    }
}

void cp_pool_put(struct cp_pool *pool, void *object)
{
    uint32_t index = (uint32_t)(((unsigned char *)object - pool->objects) / pool->stride);
    uint64_t head = atomic_load_explicit(&pool->head, memory_order_relaxed), wanted;
    do {
        atomic_store_explicit(&pool->next[index], (uint32_t)head, memory_order_relaxed);
        wanted = ((head >> 32) + 1) << 32 | (index + 1);
    } while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, wanted, memory_order_acq_rel,
                                                    memory_order_relaxed));
    release(pool);
}

uint64_t cp_pool_misses(const struct cp_pool *pool)
{
    return atomic_load_explicit(&((struct cp_pool *)pool)->misses, memory_order_relaxed);
}

void cp_pool_destroy(struct cp_pool *pool)
{
    if (pool)
        release(pool);
}
