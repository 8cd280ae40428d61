/*
 * SRTP and SRTCP: the framing of RFC 3711 and RFC 7714, over a table of cipher providers. Outgoing RTP is
 * the hot path: it keeps a ready cipher a viewer. SRTCP is rare: it keeps keys only.
 */
#ifndef CP_WEBRTC_SRTP_H
#define CP_WEBRTC_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cp_srtp_profile {
    CP_SRTP_UNSET,
    CP_SRTP_AES_CM_SHA1_80 = 1, /* values of RFC 5764 section 4.1.2 and RFC 7714 section 14.2 */
    CP_SRTP_AEAD_AES_128_GCM = 7,
};

#define CP_SRTP_KEY_BYTES     16
#define CP_SRTP_SALT_BYTES    14 /* GCM uses 12 of them */
#define CP_SRTP_AUTH_BYTES    20
#define CP_SRTP_RTP_TAG_MAX   16
#define CP_SRTP_RTCP_TAIL_MAX 20 /* tag and the E bit with the index */

struct cp_srtp_master {
    uint8_t key[CP_SRTP_KEY_BYTES], salt[CP_SRTP_SALT_BYTES];
};

/* Keys derived for RTP or for RTCP. */
struct cp_srtp_keys {
    uint8_t key[CP_SRTP_KEY_BYTES], auth[CP_SRTP_AUTH_BYTES], salt[CP_SRTP_SALT_BYTES];
};

/* RFC 3711 section 4.3 with key derivation rate 0. rtcp: labels 3..5 instead of 0..2. */
bool cp_srtp_derive(enum cp_srtp_profile profile, const struct cp_srtp_master *master, bool rtcp,
                    struct cp_srtp_keys *ret_keys);
size_t cp_srtp_salt_bytes(enum cp_srtp_profile profile);
/* What protection adds to an RTP packet. */
size_t cp_srtp_rtp_tag_bytes(enum cp_srtp_profile profile);

/* --- outgoing RTP, by a provider --- */

struct cp_srtp_cipher {
    const char *name;
    enum cp_srtp_profile profile;
    /* What all its senders share, made once; NULL: not usable on this machine. Optional. */
    void *(*start)(void);
    void (*stop)(void *shared);
    /* One sender. May allocate. NULL when out of memory. */
    void *(*open)(void *shared, const struct cp_srtp_keys *keys);
    /* out holds the header already, and room for payload and tag; payload may be shared by all viewers and is
     * not changed. index: 48-bit packet index (ROC and sequence number). Allocates nothing. thread: net */
    bool (*protect)(void *state, uint8_t *out, size_t header_bytes, const uint8_t *payload,
                    size_t payload_bytes, uint32_t ssrc, uint64_t index);
    /* The sender will be used soon: fetch its keys into the cache. Optional. thread: net */
    void (*touch)(const void *state);
    void (*close)(void *state);
};

#ifdef CP_HAVE_IPSEC_MB
extern const struct cp_srtp_cipher cp_srtp_ipsec_gcm; /* srtp_ipsec.c */
#endif
/* Every row, in order of preference; ends with NULL. */
extern const struct cp_srtp_cipher *const cp_srtp_ciphers[];

/* A row that was started. */
struct cp_srtp_suite {
    const struct cp_srtp_cipher *cipher;
    void *shared;
};
/* Starts the first row that is usable here; false when there is none. */
bool cp_srtp_suite_open(enum cp_srtp_profile profile, struct cp_srtp_suite *ret_suite);
void cp_srtp_suite_close(struct cp_srtp_suite *suite);

/* The initialisation vector of RFC 7714 sections 8.1 and 9.1. */
void cp_srtp_gcm_iv(uint8_t iv[12], const uint8_t *salt, uint32_t ssrc, uint64_t index);

/* --- SRTCP, both ways --- */

#define CP_SRTCP_SOURCES 4

struct cp_srtcp_replay { /* RFC 3711 section 3.3.2, a window of 64 a source */
    struct {
        uint32_t ssrc, newest;
        uint64_t seen; /* bit i: newest - i was seen */
        bool used;
    } source[CP_SRTCP_SOURCES];
    unsigned next; /* the one that a new source replaces */
};

/* Encrypts a compound packet in place; `packet` has room for CP_SRTP_RTCP_TAIL_MAX more. Returns the new
 * length, 0 on failure. */
size_t cp_srtcp_protect(enum cp_srtp_profile profile, const struct cp_srtp_keys *keys, uint8_t *packet,
                        size_t length, uint32_t index);
/* Checks and decrypts in place. Returns the RTCP length; 0 when forged, replayed or too short. */
size_t cp_srtcp_unprotect(enum cp_srtp_profile profile, const struct cp_srtp_keys *keys,
                          struct cp_srtcp_replay *replay, uint8_t *packet, size_t length);

#endif
