#include "base/queue.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct cp_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    char name[24];
    enum cp_full_policy policy;
    void (*free_item)(void *);
    bool closed;
    size_t capacity, head, depth, max_depth;
    uint64_t pushed, dropped, refused;
    void *items[];
};

struct cp_queue *cp_queue_create(const char *name, size_t capacity, enum cp_full_policy policy,
                                 void (*free_item)(void *))
{
    struct cp_queue *queue = calloc(1, sizeof *queue + capacity * sizeof(void *));
    if (!queue)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, &monotonic);
    pthread_cond_init(&queue->not_full, &monotonic);
    pthread_condattr_destroy(&monotonic);
    snprintf(queue->name, sizeof queue->name, "%s", name);
    queue->policy = policy;
    queue->free_item = free_item;
    queue->capacity = capacity;
    return queue;
}

static void *take_oldest(struct cp_queue *queue)
{
    void *item = queue->items[queue->head];
    queue->head = (queue->head + 1) % queue->capacity;
    queue->depth--;
    return item;
}

bool cp_queue_push(struct cp_queue *queue, void *item)
{
    void *dropped = NULL;
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->depth == queue->capacity) {
        if (queue->policy == CP_FULL_DROP_OLDEST) {
            dropped = take_oldest(queue);
            queue->dropped++;
        } else if (queue->policy == CP_FULL_WAIT) {
            pthread_cond_wait(&queue->not_full, &queue->lock);
        } else {
            break;
        }
    }
    bool accepted = !queue->closed && queue->depth < queue->capacity;
    if (accepted) {
        queue->items[(queue->head + queue->depth++) % queue->capacity] = item;
        queue->pushed++;
        if (queue->depth > queue->max_depth)
            queue->max_depth = queue->depth;
        pthread_cond_signal(&queue->not_empty);
    } else {
        queue->refused++;
    }
    pthread_mutex_unlock(&queue->lock);
    if (dropped && queue->free_item)
        queue->free_item(dropped);
    return accepted;
}

void *cp_queue_pop(struct cp_queue *queue, int64_t deadline_ns)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    while (!queue->depth && !queue->closed && deadline_ns) {
        if (deadline_ns == INT64_MAX) {
            pthread_cond_wait(&queue->not_empty, &queue->lock);
            continue;
        }
        struct timespec until = {.tv_sec = deadline_ns / CP_NS_PER_S, .tv_nsec = deadline_ns % CP_NS_PER_S};
        if (pthread_cond_timedwait(&queue->not_empty, &queue->lock, &until))
            break;
    }
    if (queue->depth) {
        item = take_oldest(queue);
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void cp_queue_close(struct cp_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
}

bool cp_queue_closed(struct cp_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool closed = queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return closed;
}

struct cp_queue_stats cp_queue_stats(struct cp_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct cp_queue_stats stats = {.depth = queue->depth,
                                   .max_depth = queue->max_depth,
                                   .capacity = queue->capacity,
                                   .pushed = queue->pushed,
                                   .dropped = queue->dropped,
                                   .refused = queue->refused};
    pthread_mutex_unlock(&queue->lock);
    return stats;
}

const char *cp_queue_name(const struct cp_queue *queue)
{
    return queue->name;
}

void cp_queue_destroy(struct cp_queue *queue)
{
    if (!queue)
        return;
    while (queue->depth) {
        void *item = take_oldest(queue);
        if (queue->free_item)
            queue->free_item(item);
    }
    pthread_cond_destroy(&queue->not_empty);
    pthread_cond_destroy(&queue->not_full);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

struct cp_ring {
    /* The writer's and the reader's cache lines are kept apart. */
    _Alignas(64) atomic_size_t written;
    _Atomic uint64_t refused;
    atomic_size_t max_depth;
    _Alignas(64) atomic_size_t read;
    _Alignas(64) size_t mask;
    void (*free_item)(void *);
    void *items[];
};

struct cp_ring *cp_ring_create(size_t capacity, void (*free_item)(void *))
{
    size_t size = 1;
    while (size < capacity)
        size *= 2;
    size_t bytes = (sizeof(struct cp_ring) + size * sizeof(void *) + 63) & ~(size_t)63;
    struct cp_ring *ring = aligned_alloc(64, bytes);
    if (!ring)
        return NULL;
    memset(ring, 0, bytes);
    ring->mask = size - 1;
    ring->free_item = free_item;
    return ring;
}

bool cp_ring_push(struct cp_ring *ring, void *item)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t depth = written - atomic_load_explicit(&ring->read, memory_order_acquire);
    if (depth > ring->mask) {
        atomic_fetch_add_explicit(&ring->refused, 1, memory_order_relaxed);
        return false;
    }
    ring->items[written & ring->mask] = item;
    if (depth + 1 > atomic_load_explicit(&ring->max_depth, memory_order_relaxed))
        atomic_store_explicit(&ring->max_depth, depth + 1, memory_order_relaxed);
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
    return true;
}

void *cp_ring_peek(struct cp_ring *ring)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == atomic_load_explicit(&ring->written, memory_order_acquire))
        return NULL;
    return ring->items[read & ring->mask];
}

void *cp_ring_pop(struct cp_ring *ring)
{
    void *item = cp_ring_peek(ring);
    if (item)
        atomic_fetch_add_explicit(&ring->read, 1, memory_order_release);
    return item;
}

struct cp_queue_stats cp_ring_stats(const struct cp_ring *ring)
{
    struct cp_ring *r = (struct cp_ring *)ring;
    size_t read = atomic_load(&r->read), written = atomic_load(&r->written);
    return (struct cp_queue_stats){.depth = written - read,
                                   .max_depth = atomic_load(&r->max_depth),
                                   .capacity = r->mask + 1,
                                   .pushed = written,
                                   .refused = atomic_load(&r->refused)};
}

void cp_ring_destroy(struct cp_ring *ring)
{
    if (!ring)
        return;
    for (void *item; (item = cp_ring_pop(ring));)
        if (ring->free_item)
            ring->free_item(item);
    free(ring);
}
