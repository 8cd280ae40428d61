/*
 * A WHEP viewer for tests: ICE controlling agent, DTLS client by OpenSSL, SRTP by libsrtp2, so that what our
 * server sends is opened by code that is not ours. It checks what it gets and counts. One thread drives it by
 * client_poll().
 */
#ifndef MOCK_WEBRTC_CLIENT_H
#define MOCK_WEBRTC_CLIENT_H

#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_options {
    const char *srtp_profiles; /* OpenSSL's names; NULL: CM first, as browsers offer */
    bool no_audio;
    bool wrong_fingerprint; /* the offer names another certificate */
    bool lose_last_flight;  /* the server's Finished gets lost once */
    bool lose_first_flight; /* the first ClientHello gets lost */
    bool wrong_role;        /* the first check says ICE-CONTROLLED */
};

struct client {
    struct client_options options;
    int fd;
    char ufrag[16], server_ufrag[64], server_pwd[64];
    uint32_t video_ssrc, audio_ssrc, own_ssrc;
    int video_pt, audio_pt, mid_id, playout_id;
    SSL *ssl;
    BIO *in, *out;
    srtp_t srtp_in, srtp_out;
    int64_t next_check_ns, next_report_ns;
    bool silent; /* sends nothing of its own any more */
    bool connected, gcm;
    int lost_flights;
    unsigned transaction;

    /* what was seen */
    int checks_answered, role_conflicts;
    int video_packets, audio_packets, repeated, frames, key_frames, broken_frames;
    int gaps, sound_gaps;
    int sender_reports, byes, unprotect_failures;
    bool closed;        /* close_notify came */
    bool first_was_key; /* the first video packet began a key frame */
    bool saw_mid, saw_playout;
    bool has_video_sequence, has_audio_sequence;
    uint16_t video_sequence, audio_sequence; /* newest */
    uint32_t video_timestamp;
    uint64_t report_ntp;
    uint32_t report_video_timestamp, report_audio_timestamp;

    /* to lose a packet on purpose */
    bool lose_next_video, lost_one, recovered;
    uint16_t lost_sequence;

    uint8_t frame[400000];
    size_t frame_bytes;
    bool frame_whole;
};

/* Call once in a process, before any client. */
bool client_setup(void);

struct client *client_create(const struct client_options *options);
void client_destroy(struct client *client);
/* The offer; valid until the next call. */
const char *client_offer(struct client *client);
/* Reads the answer and starts to connect to its first candidate; false when it cannot. */
bool client_take_answer(struct client *client, const char *answer);
/* Goes on with new credentials (ICE restart). */
void client_restart(struct client *client, const char *server_ufrag, const char *server_pwd);

/* Handles what came and sends what is due. Never waits. */
void client_poll(struct client *client);
void client_nack(struct client *client, uint32_t ssrc, uint16_t sequence);
void client_picture_loss(struct client *client);
void client_report(struct client *client, uint8_t fraction_lost);
void client_close(struct client *client); /* DTLS close_notify */
/* Sends the last RTCP packet once more, as an attacker would. */
void client_replay(struct client *client);

/* --- media for the server, whose frames the client can check --- */

/* An Annex B access unit of about `bytes`: parameter sets when key, then one NAL unit that holds its own
 * checksum. Returns its length; `out` has room for bytes + 64. */
size_t client_make_frame(uint8_t *out, size_t bytes, bool key, unsigned seed);

#endif
