/*
 * The DTLS 1.2 server side of DTLS-SRTP (RFC 5764). OpenSSL does the handshake through memory BIOs; its
 * object (75 kB) is freed when the handshake is finished, and only what is needed later is kept: the last
 * flight, should the client ask again; our close_notify, sealed beforehand; and the key that opens the
 * client's.
 */
#ifndef CP_WEBRTC_DTLS_H
#define CP_WEBRTC_DTLS_H

#include "base/error.h"
#include "deliver/webrtc/srtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Our certificate: P-256, self-signed, made at start. Shared by all net threads. */
struct cp_dtls_identity;
int cp_dtls_identity_create(struct cp_dtls_identity **ret_identity, struct cp_error *error);
void cp_dtls_identity_destroy(struct cp_dtls_identity *identity);
/* "AB:CD:..." of SHA-256. */
const char *cp_dtls_fingerprint(const struct cp_dtls_identity *identity);

struct cp_dtls_peer { /* what the offer says about the client's certificate */
    char hash[16];    /* "sha-256" */
    uint8_t fingerprint[64];
    size_t fingerprint_bytes;
};

enum cp_dtls_state { CP_DTLS_HANDSHAKE, CP_DTLS_OPEN, CP_DTLS_CLOSED, CP_DTLS_FAILED };

struct cp_dtls_result {
    enum cp_srtp_profile profile;
    struct cp_srtp_master ours, theirs; /* what we send with, what the client sends with */
};

#define CP_DTLS_LAST_FLIGHT_BYTES 512
#define CP_DTLS_CLOSE_BYTES       64
#define CP_DTLS_MTU               1200

/* Sends one datagram. */
typedef void cp_dtls_send_fn(void *user, const uint8_t *data, size_t length);

struct cp_dtls {
    enum cp_dtls_state state;
    void *ssl; /* SSL; only while the handshake lasts */
    struct cp_dtls_peer peer;
    uint8_t last_flight[CP_DTLS_LAST_FLIGHT_BYTES], close[CP_DTLS_CLOSE_BYTES];
    uint16_t last_flight_bytes, close_bytes;
    uint8_t repeats; /* of the last flight */
    uint8_t peer_key[16], peer_salt[4];
};

void cp_dtls_open(struct cp_dtls *dtls, const struct cp_dtls_peer *peer);
/* Takes a datagram of the client. On the step to CP_DTLS_OPEN it fills *result. thread: net */
enum cp_dtls_state cp_dtls_receive(struct cp_dtls *dtls, const struct cp_dtls_identity *identity,
                                   const uint8_t *data, size_t length, struct cp_dtls_result *result,
                                   cp_dtls_send_fn *send, void *user);
/* Sends again what got lost; call every 50 to 100 ms during the handshake. */
enum cp_dtls_state cp_dtls_tick(struct cp_dtls *dtls, cp_dtls_send_fn *send, void *user);
/* Says goodbye (when open) and frees. */
void cp_dtls_close(struct cp_dtls *dtls, cp_dtls_send_fn *send, void *user);

#endif
