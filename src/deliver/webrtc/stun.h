/*
 * STUN binding messages (RFC 8489) as an ICE-lite agent sees them (RFC 8445 sections 2.5 and 7.3): it only
 * answers. Everything is read in place; nothing is allocated.
 */
#ifndef CP_WEBRTC_STUN_H
#define CP_WEBRTC_STUN_H

#include "deliver/webrtc/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_STUN_BINDING_REQUEST    0x0001
#define CP_STUN_BINDING_INDICATION 0x0011
#define CP_STUN_BINDING_SUCCESS    0x0101
#define CP_STUN_BINDING_ERROR      0x0111

#define CP_STUN_ANSWER_BYTES 128 /* the longest message we write */
#define CP_STUN_MAX_UNKNOWN  4

struct cp_stun_message {
    uint16_t type;
    uint8_t transaction[12];
    const char *username; /* in the datagram; not terminated */
    size_t username_bytes;
    size_t integrity_at; /* offset of MESSAGE-INTEGRITY; 0: none */
    uint32_t priority;
    bool fingerprint, use_candidate, controlling, controlled;
    uint16_t unknown[CP_STUN_MAX_UNKNOWN]; /* comprehension-required attributes that we do not know */
    int n_unknown;
};

/* True when a datagram looks like STUN (RFC 7983: first byte 0..3, and the magic cookie). */
bool cp_stun_is(const uint8_t *data, size_t length);
/* CP_ERR_FORMAT when the message is malformed or its FINGERPRINT is wrong. */
int cp_stun_parse(const uint8_t *data, size_t length, struct cp_stun_message *ret_message);
/* Checks MESSAGE-INTEGRITY with the short-term password (RFC 8489 section 14.5). */
bool cp_stun_authentic(const uint8_t *data, const struct cp_stun_message *message, const char *password);

/* Write an answer with MESSAGE-INTEGRITY and FINGERPRINT; they return its length. `out` holds
 * CP_STUN_ANSWER_BYTES. */
size_t cp_stun_success(uint8_t *out, const struct cp_stun_message *request, const struct cp_address *from,
                       const char *password);
/* code 487 (role conflict), 420 (unknown attributes, which are listed) or 400. */
size_t cp_stun_error(uint8_t *out, const struct cp_stun_message *request, int code, const char *password);

/* CRC-32 of ITU-T V.42 (RFC 8489 section 14.7). */
uint32_t cp_stun_crc32(const uint8_t *data, size_t length);

#endif
