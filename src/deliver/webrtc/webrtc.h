/*
 * WebRTC viewers (WHEP, draft-ietf-wish-whep): ICE-lite (RFC 8445), DTLS 1.2 (RFC 5764), SRTP (RFC 3711,
 * 7714), RTP for H.264 (RFC 6184) and Opus (RFC 7587), RTCP SR/RR/NACK/PLI (RFC 3550, 4585). One plaintext
 * and one retransmission history a channel; each viewer has its own keys only.
 *
 * Threads: "net0" .. "netN-1" each own a UDP socket (SO_REUSEPORT) and their viewers. Packets reach them by
 * ring.
 */
#ifndef CP_WEBRTC_H
#define CP_WEBRTC_H

#include "base/config.h"
#include "base/error.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct cp_webrtc_config {
    char listen[CP_OPTION_TEXT_BYTES];         /* "127.0.0.1:8189"; one UDP port for all viewers */
    char public_address[CP_OPTION_TEXT_BYTES]; /* address in the candidates when it differs, or "" */
    int64_t threads;                           /* 0: one for every 2500 of max_viewers, at most one a core */
    int64_t max_viewers;
    int64_t idle_s; /* a viewer silent for so long (no STUN, no RTCP) is dropped */
};
extern const struct cp_option cp_webrtc_options[];
extern const size_t cp_webrtc_n_options;

struct cp_webrtc;
struct cp_webrtc_stream; /* one channel's packets */

struct cp_webrtc_events {
    /* A viewer joined with media flowing (true) or left. thread: net */
    void (*viewer)(void *user, const char *session, bool joined);
    /* A viewer needs a picture it can start from (it joined, or sent PLI/FIR). thread: net */
    void (*want_idr)(void *user);
    /* A packet went out to its last viewer, or there was none. Once a packet. thread: net, or the one that
     * pushes when the packet was dropped */
    void (*sent)(void *user, const struct cp_packet *packet, int64_t at_ns);
};

int cp_webrtc_create(const struct cp_webrtc_config *config, struct cp_webrtc **ret_webrtc,
                     struct cp_error *error);
void cp_webrtc_destroy(struct cp_webrtc *webrtc);
/* The UDP port that is listened on; tells what port 0 became. */
uint16_t cp_webrtc_port(const struct cp_webrtc *webrtc);

int cp_webrtc_stream_create(struct cp_webrtc *webrtc, const struct cp_webrtc_events *events, void *user,
                            struct cp_webrtc_stream **ret_stream, struct cp_error *error);
/* Drops its viewers first (they get RTCP BYE and a DTLS close). Nobody may push any more. */
void cp_webrtc_stream_destroy(struct cp_webrtc_stream *stream);

/* Hands a packet (H.264 or Opus) to all viewers; takes its own reference. Never waits: when a net thread is
 * behind, it drops to the next key frame and counts it. thread: venc, aenc (one writer a codec) */
void cp_webrtc_push(struct cp_webrtc_stream *stream, struct cp_packet *packet);

#define CP_WEBRTC_SESSION_BYTES 40

/* The next three wait for a net thread (a millisecond or so): never call them from an event. */

/* Answers a WHEP offer. ret_answer must hold 8 kB. CP_ERR_FORMAT: not SDP; CP_ERR_UNSUPPORTED: no H.264 (or
 * nothing we can send); CP_ERR_BUSY: full. thread: gateway */
int cp_webrtc_offer(struct cp_webrtc_stream *stream, const char *offer, size_t length, char *ret_answer,
                    size_t answer_capacity, char ret_session[CP_WEBRTC_SESSION_BYTES],
                    struct cp_error *error);
/* A trickle candidate or ICE restart (application/trickle-ice-sdpfrag). We are ICE-lite: candidates are
 * ignored; a restart answers with a new fragment in ret_fragment ("" when none). */
int cp_webrtc_patch(struct cp_webrtc *webrtc, const char *session, const char *fragment, size_t length,
                    char *ret_fragment, size_t capacity, struct cp_error *error);
int cp_webrtc_delete(struct cp_webrtc *webrtc, const char *session, struct cp_error *error);

/* Whose session it is, in the app's words: kept with it, and otherwise not looked at. */
#define CP_WEBRTC_GUEST_BYTES 80
struct cp_webrtc_guest {
    char name[CP_WEBRTC_GUEST_BYTES]; /* "" for nobody in particular */
    char address[48];
    int64_t version;
};
struct cp_webrtc_session {
    char session[CP_WEBRTC_SESSION_BYTES];
    struct cp_webrtc_guest guest;
    bool watching;       /* media flows; else it still connects */
    int64_t since_ns;    /* monotonic: when it was offered */
    uint64_t bytes_sent; /* of media, without headers; repetitions do not count */
};

/* Each waits for the net threads like those above. */
void cp_webrtc_set_guest(struct cp_webrtc *webrtc, const char *session, const struct cp_webrtc_guest *guest);
/* The stream's sessions, at most `max`; how many they are. */
int cp_webrtc_list(struct cp_webrtc_stream *stream, struct cp_webrtc_session *ret_sessions, int max);
/* Ends a session of this stream. CP_ERR_NOT_FOUND when it has none of that id. */
int cp_webrtc_end(struct cp_webrtc_stream *stream, const char *session, struct cp_error *error);
/* Ends the stream's sessions of this guest up to this version; how many they were. */
int cp_webrtc_end_guest(struct cp_webrtc_stream *stream, const char *name, int64_t version);

struct cp_webrtc_stats {
    int viewers, connecting;
    uint64_t packets_sent, bytes_sent, nacks, retransmitted, retransmit_misses, plis, handshakes,
        handshake_failures;
    uint64_t dropped_behind, srtp_failures, stun_refused, joins, leaves, send_errors;
    double loss_fraction_max, round_trip_ms_max; /* worst of the receiver reports of the last second */
};
/* Of a stream, or of all when stream is NULL. */
struct cp_webrtc_stats cp_webrtc_stats(struct cp_webrtc *webrtc, struct cp_webrtc_stream *stream);

#endif
