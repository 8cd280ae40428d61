/*
 * Bounded queues of pointers between threads. Each declares its maximum and what happens when it is full, and
 * counts what it drops.
 *
 * cp_queue: many writers, one reader, mutex and condition inside; for control paths that may wait.
 * cp_ring:  one writer, one reader, lock-free; for the draw, encode and send paths, which must not.
 */
#ifndef CP_BASE_QUEUE_H
#define CP_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cp_full_policy {
    CP_FULL_UNSET,
    CP_FULL_WAIT,        /* the writer waits for room */
    CP_FULL_REFUSE,      /* the new item is refused; the writer keeps it */
    CP_FULL_DROP_OLDEST, /* the oldest item is freed to make room */
};

struct cp_queue;

struct cp_queue_stats {
    size_t depth, max_depth, capacity;
    uint64_t pushed, dropped, refused;
};

/* `free_item` frees items that are dropped or left over at destroy; NULL when items need no freeing. */
struct cp_queue *cp_queue_create(const char *name, size_t capacity, enum cp_full_policy policy,
                                 void (*free_item)(void *item));

/* True when the item now belongs to the queue; false when refused or closed (the caller keeps it). */
bool cp_queue_push(struct cp_queue *queue, void *item);

/* The oldest item, waiting until deadline_ns (0: not at all; INT64_MAX: for ever). NULL on timeout, or when
 * the queue is closed and empty. */
void *cp_queue_pop(struct cp_queue *queue, int64_t deadline_ns);

/* No more pushes; the reader gets what is left, then NULL. Wakes all. */
void cp_queue_close(struct cp_queue *queue);
bool cp_queue_closed(struct cp_queue *queue);

struct cp_queue_stats cp_queue_stats(struct cp_queue *queue);
const char *cp_queue_name(const struct cp_queue *queue);
void cp_queue_destroy(struct cp_queue *queue);

/* --- single writer, single reader, lock-free --- */

struct cp_ring;

/* capacity is rounded up to a power of two. */
struct cp_ring *cp_ring_create(size_t capacity, void (*free_item)(void *item));
/* False when full (counted); the caller keeps the item. thread: the writer */
bool cp_ring_push(struct cp_ring *ring, void *item);
/* NULL when empty. thread: the reader */
void *cp_ring_pop(struct cp_ring *ring);
/* Looks at the oldest item without taking it. thread: the reader */
void *cp_ring_peek(struct cp_ring *ring);
struct cp_queue_stats cp_ring_stats(const struct cp_ring *ring);
/* Frees what is left. Both ends must have stopped. */
void cp_ring_destroy(struct cp_ring *ring);

#endif
