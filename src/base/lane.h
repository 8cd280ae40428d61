/*
 * A ring and the means to wait at its end: one writer that never waits, one reader that sleeps while there is
 * nothing. Lock-free; sending wakes the reader through an eventfd.
 */
#ifndef CP_BASE_LANE_H
#define CP_BASE_LANE_H

#include "base/queue.h"

#include <stdatomic.h>

struct cp_lane {
    struct cp_ring *ring;
    int wake_fd; /* -1 when closed */
};

/* An unopened lane; closing it is allowed. */
#define CP_LANE_INIT ((struct cp_lane){.ring = NULL, .wake_fd = -1})

/* False when out of memory or descriptors; then close it all the same. */
bool cp_lane_open(struct cp_lane *lane, size_t capacity);
/* False when full: the item stays the caller's. thread: the writer */
bool cp_lane_send(struct cp_lane *lane, void *item);
/* Wakes the reader without an item. Any thread; does nothing on a closed lane. */
void cp_lane_wake(struct cp_lane *lane);
/* Sleeps until something was sent or it was woken. thread: the reader */
void cp_lane_wait(struct cp_lane *lane);
/* The next item; NULL once *stopping is set and the lane was woken. thread: the reader */
void *cp_lane_receive(struct cp_lane *lane, const atomic_bool *stopping);
/* Frees what is left and the lane. Both ends must have stopped. */
void cp_lane_close(struct cp_lane *lane, void (*free_item)(void *item));

#endif
