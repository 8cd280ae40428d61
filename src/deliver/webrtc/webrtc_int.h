/*
 * What the files of this folder share. Ownership: a net thread owns its viewers, its lanes' reading ends and
 * everything else in struct cp_net; others reach it by cp_net_run() (rare, waits) or by the lanes' rings
 * (media, never waits).
 *
 *   webrtc.c  public functions           viewer.c  one viewer's protocols and timers
 *   net.c     a net thread: its loop, routing of datagrams    fanout.c  a batch to all viewers of a lane
 *   sessions.c  who watches
 */
#ifndef CP_WEBRTC_INT_H
#define CP_WEBRTC_INT_H

#include "base/queue.h"
#include "deliver/webrtc/address.h"
#include "deliver/webrtc/dtls.h"
#include "deliver/webrtc/outbox.h"
#include "deliver/webrtc/rtcp.h"
#include "deliver/webrtc/rtp.h"
#include "deliver/webrtc/sdp.h"
#include "deliver/webrtc/srtp.h"
#include "deliver/webrtc/stun.h"
#include "deliver/webrtc/webrtc.h"

#include <pthread.h>
#include <stdatomic.h>

#define CP_NET_MAX_THREADS    32
#define CP_NET_MAX_LANES      256
#define CP_NET_TICK_NS        (50 * CP_NS_PER_MS)
#define CP_NET_TICKS_A_SECOND 20
#define CP_MAX_CANDIDATES     8
#define CP_DATAGRAM_BYTES     1600
#define CP_HELD_SOUNDS        2
#define CP_VIEWER_ADDRESSES   4 /* a browser checks from each of its interfaces */
#define CP_VIEWER_CONNECT_NS  (30 * CP_NS_PER_S)
#define CP_UFRAG_BYTES        24
#define CP_PWD_BYTES          40

enum cp_track_kind { CP_TRACK_VIDEO, CP_TRACK_AUDIO, CP_TRACKS };

#define CP_COUNTERS(X)                                                                                       \
    X(packets_sent)                                                                                          \
    X(bytes_sent)                                                                                            \
    X(nacks)                                                                                                 \
    X(retransmitted)                                                                                         \
    X(retransmit_misses)                                                                                     \
    X(plis)                                                                                                  \
    X(handshakes)                                                                                            \
    X(handshake_failures)                                                                                    \
    X(dropped_behind)                                                                                        \
    X(srtp_failures)                                                                                         \
    X(stun_refused)                                                                                          \
    X(joins)                                                                                                 \
    X(leaves)                                                                                                \
    X(send_errors)

struct cp_counters {
#define X(name) _Atomic uint64_t name;
    CP_COUNTERS(X)
#undef X
};

static inline void cp_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* One net thread's end of one stream. */
struct cp_lane {
    struct cp_webrtc_stream *stream;
    struct cp_net *net;
    struct cp_ring *rings[CP_TRACKS]; /* of struct cp_rtp_batch; full: drop to the next key frame */
    bool dropping;                    /* thread: venc */
    atomic_bool behind;               /* dropping began: ask for a key frame to go on with */
    /* the rest: thread net */
    uint64_t expected;                         /* index of the next video packet */
    struct cp_rtp_batch *held[CP_HELD_SOUNDS]; /* sound that waits for the next picture, see fanout.c */
    int n_held;
    int64_t held_since_ns, picture_ns; /* picture_ns: when the last one went out */
    struct cp_rtp_history history[CP_TRACKS];
    bool has_anchor; /* a moment on both clocks, for sender reports */
    int64_t anchor_samples, anchor_wall_ns;
    struct cp_viewer **viewers; /* with media */
    int n_viewers, capacity;
    atomic_int connecting, watching;
    /* of the second under way, and of the last one */
    uint8_t worst_loss;
    int32_t worst_trip_us;
    _Atomic uint8_t last_worst_loss;
    _Atomic int32_t last_worst_trip_us;
    struct cp_counters counters;
};

struct cp_webrtc_stream {
    struct cp_webrtc *webrtc;
    struct cp_webrtc_stream *next; /* under webrtc->lock */
    struct cp_webrtc_events events;
    void *user;
    uint32_t ssrc[CP_TRACKS];
    char cname[24];
    struct cp_pool *pools[CP_TRACKS];
    struct cp_rtp_packetizer packetizers[CP_TRACKS]; /* thread: venc, aenc */
    struct cp_lane *lanes;                           /* one a net thread */
};

/* A datagram's way in: whose is what comes from this address? */
struct cp_route {
    struct cp_address from;
    struct cp_route *next;
    struct cp_viewer *viewer; /* ours; or NULL: */
    int owner;                /* the net thread that it goes to */
    int64_t used_ns;
};

struct cp_track {
    int payload_type; /* -1: not in the answer */
    uint32_t ssrc;
    int mid_extension, playout_delay_extension;
    char mid[16]; /* sent only when it fits */
    bool started;
    bool waiting_key;
    /* A viewer's packet index (ROC and sequence number) is the stream's less `shift`: it starts low, so that
     * the ROC starts with 0, and has no holes where we skipped to a key frame. */
    uint64_t shift, next,
        floor; /* next: viewer's index; floor: stream's index of the first that may be asked for */
    uint32_t packets, bytes;
};

/* A budget of `burst` that refills with time. */
struct cp_budget {
    double left;
    int64_t at_ns;
};

struct cp_viewer {
    char session[CP_WEBRTC_SESSION_BYTES];
    struct cp_webrtc_stream *stream;
    struct cp_lane *lane;
    int slot, place; /* in net->viewers, in lane->viewers (-1: no media yet) */
    char ufrag[CP_UFRAG_BYTES], pwd[CP_PWD_BYTES];
    char peer_ufrag[CP_ICE_TOKEN_BYTES];
    struct cp_path path; /* the pair in use; path.to.length 0: none yet */
    bool joined;
    struct cp_route routes[CP_VIEWER_ADDRESSES];
    unsigned next_route;
    struct cp_dtls dtls;
    enum cp_srtp_profile profile;
    const struct cp_srtp_cipher *cipher;
    void *cipher_state;
    struct cp_srtp_keys rtcp_ours, rtcp_theirs;
    struct cp_srtcp_replay replay;
    uint32_t rtcp_index;
    struct cp_track tracks[CP_TRACKS];
    struct cp_budget retransmit_budget, idr_budget;
    int64_t created_ns, heard_ns;
    uint64_t bytes_sent;
    struct cp_webrtc_guest guest;
};

struct cp_datagram {
    struct cp_path path; /* path.to: the sender */
    size_t length;
    struct cp_pool *pool;
    uint8_t data[CP_DATAGRAM_BYTES];
};

struct cp_net {
    struct cp_webrtc *webrtc;
    int number, fd, epoll_fd, event_fd;
    pthread_t thread;
    bool running;
    atomic_bool quit;
    atomic_int load;                            /* viewers, connecting ones too */
    struct cp_queue *commands;                  /* of struct command, see net.c; full: the caller waits */
    struct cp_ring *handed[CP_NET_MAX_THREADS]; /* datagrams from other net threads; full: dropped */
    struct cp_pool *datagrams;                  /* to hand over */
    struct cp_viewer **viewers;                 /* by slot */
    int *free_slots, n_free_slots, capacity;
    int connecting;
    struct cp_route **buckets;
    uint32_t bucket_mask;
    struct cp_route *forwards, *free_forwards; /* routes to other threads */
    int n_forwards;
    struct cp_lane *lanes[CP_NET_MAX_LANES];
    int n_lanes;
    struct cp_outbox *outbox;
    struct cp_outbox_stats outbox_seen;
    struct receive_buffers *receive;
    int64_t next_tick_ns;
    unsigned tick;
    struct cp_counters counters; /* of no stream */
};

enum { CP_SUITE_GCM, CP_SUITE_CM, CP_SUITES };

struct cp_webrtc {
    struct cp_webrtc_config config;
    struct cp_srtp_suite suites[CP_SUITES];
    struct cp_dtls_identity *identity;
    struct cp_address listen; /* with the real port */
    struct cp_address candidates[CP_MAX_CANDIDATES];
    int n_candidates;
    int hold_sound_from; /* viewers of a lane from which on sound goes with the picture */
    uint8_t secret[32];  /* ICE passwords are made of it and the user fragment */
    int n_nets;
    struct cp_net nets[CP_NET_MAX_THREADS];
    pthread_mutex_t lock;
    struct cp_webrtc_stream *streams;  /* under lock */
    struct cp_webrtc_stats past_stats; /* of destroyed streams; under lock */
};

/* --- webrtc.c --- */

/* The net thread that a session is on; NULL when there is none. */
struct cp_net *cp_webrtc_net_of(struct cp_webrtc *webrtc, const char *session);
int cp_webrtc_no_session(struct cp_error *error, const char *session);

/* --- net.c --- */

int cp_net_open(struct cp_net *net, struct cp_webrtc *webrtc, int number, int capacity,
                struct cp_error *error);
int cp_net_start(struct cp_net *net, struct cp_error *error);
/* Stops the thread and frees all. */
void cp_net_close(struct cp_net *net);
void cp_net_wake(struct cp_net *net);
/* Runs a function on the net thread and waits for it. Any thread but the net threads. */
void cp_net_run(struct cp_net *net, void (*run)(struct cp_net *net, void *arg), void *arg);
/* The password of a user fragment: any net thread can check it without asking the owner. */
void cp_net_password(const struct cp_webrtc *webrtc, const char *ufrag, char ret_pwd[CP_PWD_BYTES]);
/* The viewer of a session on this thread; NULL when it is gone. */
struct cp_viewer *cp_net_find_session(struct cp_net *net, const char *session);
void cp_net_route_add(struct cp_net *net, struct cp_route *route);
void cp_net_route_remove(struct cp_net *net, struct cp_route *route);
/* Session ids and user fragments start with the thread and the slot; false when the text does not. */
bool cp_net_read_place(const char *text, size_t length, int *ret_net, int *ret_slot);

/* --- viewer.c; thread: net --- */

int cp_viewer_seat(struct cp_net *net, struct cp_viewer *viewer);
void cp_viewer_new_ufrag(struct cp_net *net, struct cp_viewer *viewer);
/* Leaves and frees. say_goodbye: the viewer does not know it yet. */
void cp_viewer_leave(struct cp_net *net, struct cp_viewer *viewer, bool say_goodbye);
/* A STUN request whose integrity was checked. */
void cp_viewer_stun(struct cp_net *net, struct cp_viewer *viewer, const struct cp_stun_message *message,
                    const struct cp_path *path);
/* These two may free the viewer. */
void cp_viewer_dtls(struct cp_net *net, struct cp_viewer *viewer, const uint8_t *data, size_t length);
void cp_viewer_rtcp(struct cp_net *net, struct cp_viewer *viewer, uint8_t *data, size_t length);
/* Every CP_NET_TICK_NS while connecting, and once a second always. Both may free the viewer. */
void cp_viewer_tick_connecting(struct cp_net *net, struct cp_viewer *viewer, int64_t now_ns);
void cp_viewer_tick_second(struct cp_net *net, struct cp_viewer *viewer, int64_t now_ns);
void cp_viewer_send_reports(struct cp_net *net, struct cp_viewer *viewer);
/* The viewer has its first picture. */
void cp_viewer_joined(struct cp_net *net, struct cp_viewer *viewer);
void cp_viewer_want_idr(struct cp_viewer *viewer);
/* True when `cost` may be spent. */
bool cp_budget_take(struct cp_budget *budget, double cost, double per_second, double burst, int64_t now_ns);

/* --- fanout.c; thread: net --- */

/* Sends what waits in the rings of a lane. */
void cp_fanout_lane(struct cp_net *net, struct cp_lane *lane);
/* Sends sound that waits for a picture, without one. */
void cp_fanout_release(struct cp_net *net, struct cp_lane *lane);
/* So many net threads are done with a batch, or will never see it. The last one reports `sent`. Any thread.
 */
void cp_fanout_done(struct cp_webrtc_stream *stream, struct cp_rtp_batch *batch, int lanes);
/* One packet of a batch to one viewer; false when it could not be made. */
bool cp_fanout_packet(struct cp_net *net, struct cp_viewer *viewer, struct cp_track *track,
                      const struct cp_rtp_batch *batch, int i);

#endif
