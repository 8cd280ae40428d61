/*
 * What a net thread is about to send: up to 32 messages handed to the kernel by one sendmmsg, each a run of
 * packets of equal size to one viewer (UDP GSO), the last of which may be shorter. Memory is allocated once.
 * One thread.
 */
#ifndef CP_WEBRTC_OUTBOX_H
#define CP_WEBRTC_OUTBOX_H

#include "deliver/webrtc/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a viewer is: its address, and the address of ours that it talks to (when we listen on all). */
struct cp_path {
    struct cp_address to;
    struct in6_addr from; /* IPv4: mapped */
    bool has_from;
};

struct cp_outbox_stats {
    uint64_t packets, bytes, errors; /* errors: packets that the kernel did not take */
};

struct cp_outbox;

/* Whether the kernel takes segments is found out here. NULL when out of memory. */
struct cp_outbox *cp_outbox_create(int fd);
void cp_outbox_destroy(struct cp_outbox *outbox);
/* Room for one packet of `length` bytes, to be filled before the next call. The path must live until the
 * flush. Sends what waits when all messages are taken. */
uint8_t *cp_outbox_add(struct cp_outbox *outbox, const struct cp_path *path, size_t length);
/* Takes the last packet back: it could not be made. */
void cp_outbox_undo(struct cp_outbox *outbox);
void cp_outbox_flush(struct cp_outbox *outbox);
struct cp_outbox_stats cp_outbox_stats(const struct cp_outbox *outbox);
/* Sends every packet alone from now on; for tests and for networks that do not take segments. */
void cp_outbox_no_segments(struct cp_outbox *outbox);

#endif
