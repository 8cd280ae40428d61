#include "base/lane.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool cp_lane_open(struct cp_lane *lane, size_t capacity)
{
    lane->ring = cp_ring_create(capacity, NULL);
    lane->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return lane->ring && lane->wake_fd >= 0;
}

void cp_lane_wake(struct cp_lane *lane)
{
    uint64_t one = 1;
    ssize_t written = lane->wake_fd >= 0 ? write(lane->wake_fd, &one, sizeof one) : 0;
    (void)written; /* refused only when it is signalled already */
}

bool cp_lane_send(struct cp_lane *lane, void *item)
{
    if (!cp_ring_push(lane->ring, item))
        return false;
    cp_lane_wake(lane);
    return true;
}

void cp_lane_wait(struct cp_lane *lane)
{
    struct pollfd fd = {.fd = lane->wake_fd, .events = POLLIN};
    poll(&fd, 1, -1);
    uint64_t signals;
    ssize_t got = read(lane->wake_fd, &signals, sizeof signals);
    (void)got; /* nothing there after a signal handler */
}

void *cp_lane_receive(struct cp_lane *lane, const atomic_bool *stopping)
{
    for (;;) {
        void *item = cp_ring_pop(lane->ring);
        if (item || atomic_load(stopping))
            return item;
        cp_lane_wait(lane);
    }
}

void cp_lane_close(struct cp_lane *lane, void (*free_item)(void *item))
{
    for (void *item; lane->ring && (item = cp_ring_pop(lane->ring));)
        free_item(item);
    cp_ring_destroy(lane->ring);
    if (lane->wake_fd >= 0)
        close(lane->wake_fd);
    *lane = CP_LANE_INIT;
}
