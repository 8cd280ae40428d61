/*
 * Push: a channel's packets to other people's ingests, by RTMP, RTMPS (as FLV) or SRT (as MPEG-TS).
 *
 * Each output is one destination with a thread of its own ("push") and a short queue of references to
 * packets. An output whose peer does not read loses pictures up to the next key frame, and nobody else
 * notices: the pushing threads never wait for an output. A lost connection is made again, first after a
 * second, then at growing intervals; with a second address, the two take turns until one answers.
 */
#ifndef CP_PUSH_H
#define CP_PUSH_H

#include "base/error.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_PUSH_MAX_OUTPUTS   8 /* a channel */
#define CP_PUSH_ADDRESS_BYTES 1024

/* --- addresses --- */

/* Joins an ingest's address and the stream key into what is dialled. RTMP: url/key; SRT: the key is the
 * streamid. CP_ERR_INVALID or CP_ERR_UNSUPPORTED say what is wrong, without naming the key. */
int cp_push_address(const char *url, const char *key, char ret_address[CP_PUSH_ADDRESS_BYTES],
                    struct cp_error *error);
/* The address with everything that may be a secret replaced by ***: user and password, the query, and of RTMP
 * what follows the application's name. For people and logs. */
void cp_push_mask(const char *address, char ret_masked[CP_PUSH_ADDRESS_BYTES]);
/* Whether libavformat was built with it here: "rtmp", "rtmps", "srt". */
bool cp_push_has(const char *protocol);

/* --- a channel's outputs --- */

struct cp_push;

enum cp_push_state {
    CP_PUSH_IDLE, /* not started, or stopped */
    CP_PUSH_CONNECTING,
    CP_PUSH_LIVE,
    CP_PUSH_RETRYING, /* waits to dial again; the error says why */
    CP_PUSH_FAILED,   /* for good: trying again cannot help */
};
const char *cp_push_state_name(enum cp_push_state state);

struct cp_push_spec {
    char id[40];
    char address[CP_PUSH_ADDRESS_BYTES], backup[CP_PUSH_ADDRESS_BYTES]; /* backup: "" for none */
};

struct cp_push_status {
    enum cp_push_state state;
    bool on_backup;
    uint64_t bytes, frames, dropped, connects, failures; /* since it was started; dropped: pictures */
    int64_t live_since_ns;                               /* monotonic; 0 unless live */
    char error[CP_ERROR_TEXT_BYTES];                     /* the last one, "" for none; without secrets */
};

/* state: an output's state changed. thread: push; it must not call back into cp_push. */
typedef void cp_push_state_fn(void *user, const char *id, const struct cp_push_status *status);

int cp_push_create(int width, int height, const uint8_t *aac_extradata, int aac_extradata_bytes,
                   cp_push_state_fn *on_state, void *user, struct cp_push **ret_push, struct cp_error *error);
/* Ends all outputs; no packet may be pushed meanwhile. NULL is fine. */
void cp_push_destroy(struct cp_push *push);

/* Dials from now on. CP_ERR_EXISTS: it runs already; CP_ERR_LIMIT: too many run. Any thread. */
int cp_push_start(struct cp_push *push, const struct cp_push_spec *spec, struct cp_error *error);
/* Ends the connection and waits for its thread, a second at most. CP_ERR_NOT_FOUND: it does not run. */
int cp_push_stop(struct cp_push *push, const char *id, struct cp_error *error);
/* False when it does not run. */
bool cp_push_status(struct cp_push *push, const char *id, struct cp_push_status *ret_status);

/* The ids of those that run; returns how many. */
int cp_push_list(struct cp_push *push, char ret_ids[CP_PUSH_MAX_OUTPUTS][40]);

/* Takes references of H.264 and AAC packets; others are ignored. Does not wait, allocate or do I/O: it holds
 * a lock that is only ever held for a few pointers. thread: venc, aenc */
void cp_push_packet(struct cp_push *push, struct cp_packet *packet);

#endif
