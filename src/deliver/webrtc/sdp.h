/*
 * SDP (RFC 8866) offers of WHEP players, and our answers: sendonly, one transport (BUNDLE, rtcp-mux),
 * ICE-lite, setup:passive. Nothing is allocated; limits are stated here and checked.
 */
#ifndef CP_WEBRTC_SDP_H
#define CP_WEBRTC_SDP_H

#include "base/buffer.h"
#include "base/error.h"
#include "deliver/webrtc/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_SDP_MAX_BYTES    65536
#define CP_SDP_MAX_SECTIONS 16
#define CP_SDP_MAX_FORMATS  64
#define CP_SDP_TOKEN_BYTES  64  /* mids */
#define CP_ICE_TOKEN_BYTES  260 /* ufrag and pwd: up to 256 (RFC 8839 section 5.4) */

enum cp_sdp_kind { CP_SDP_OTHER, CP_SDP_VIDEO, CP_SDP_AUDIO };

struct cp_sdp_format {
    int payload_type, clock_hz, channels;
    char codec[16];
    char fmtp[160];
    bool nack, nack_pli, ccm_fir;
};

struct cp_sdp_section {
    enum cp_sdp_kind kind;
    char media[24], protocol[32];
    char mid[CP_SDP_TOKEN_BYTES];
    char first_format[CP_SDP_TOKEN_BYTES]; /* repeated when we refuse the section */
    bool offered;                          /* its port is not 0, or it is bundle-only */
    bool receives;                         /* recvonly or sendrecv: we may send */
    bool bundled, rtcp_mux, rtcp_rsize;
    int mid_extension, playout_delay_extension; /* ids; 0: not offered */
    int format;                                 /* index in `formats` of the one we take; -1: refused */
    int n_formats;
    struct cp_sdp_format formats[CP_SDP_MAX_FORMATS];
};

struct cp_sdp_offer {
    char ice_ufrag[CP_ICE_TOKEN_BYTES], ice_pwd[CP_ICE_TOKEN_BYTES];
    char fingerprint_hash[16];
    uint8_t fingerprint[64];
    size_t fingerprint_bytes;
    bool setup_passive; /* the offerer wants to be the DTLS server: we cannot */
    char bundle[512];
    int video, audio; /* the sections that we send; -1: none */
    int n_sections;
    struct cp_sdp_section sections[CP_SDP_MAX_SECTIONS];
};

/* Reads an offer and chooses what to send. The struct is large: not for the stack of a small thread.
 * CP_ERR_FORMAT: not SDP, or no ICE or DTLS parameters; CP_ERR_UNSUPPORTED: no H.264 that we can send;
 * CP_ERR_LIMIT. */
int cp_sdp_parse(const char *text, size_t length, struct cp_sdp_offer *ret_offer, struct cp_error *error);

/* Level-dependent text matching of RFC 6184 section 8.1: how well an fmtp line suits a constrained baseline
 * stream sent in packetization mode 1; 0: not at all, higher is better. */
int cp_sdp_h264_rank(const char *fmtp);

struct cp_sdp_answer {
    const char *ice_ufrag, *ice_pwd;
    const char *fingerprint; /* "AB:CD:..." of SHA-256 */
    const char *cname;
    uint64_t session_number;
    uint32_t video_ssrc, audio_ssrc;
    const struct cp_address *candidates;
    int n_candidates;
};
void cp_sdp_write(struct cp_buffer *buffer, const struct cp_sdp_offer *offer,
                  const struct cp_sdp_answer *answer);

/* A trickle fragment (RFC 8840): the ICE user fragment and password in it; "" when absent. */
int cp_sdp_parse_fragment(const char *text, size_t length, char ret_ufrag[CP_ICE_TOKEN_BYTES],
                          char ret_pwd[CP_ICE_TOKEN_BYTES], struct cp_error *error);
/* The candidate lines of an answer or a fragment. */
void cp_sdp_write_candidates(struct cp_buffer *buffer, const struct cp_address *candidates, int n_candidates);

#endif
