/* RTCP: sender reports out (RFC 3550 section 6.4.1), receiver reports and feedback in (RFC 4585, 5104). */
#ifndef CP_WEBRTC_RTCP_H
#define CP_WEBRTC_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_RTCP_MAX_BYTES 512 /* of what we write, before protection */

struct cp_rtcp_sender {
    uint32_t ssrc, timestamp; /* RTP time of the moment `ntp` */
    uint32_t packets, bytes;
};

/* A compound packet: one SR a sender and SDES with the CNAME. Returns its length; `out` holds
 * CP_RTCP_MAX_BYTES. At most two senders. */
size_t cp_rtcp_write_reports(uint8_t *out, const struct cp_rtcp_sender *senders, int n_senders, uint64_t ntp,
                             const char *cname);
/* The same with BYE behind it. */
size_t cp_rtcp_write_bye(uint8_t *out, const struct cp_rtcp_sender *senders, int n_senders, uint64_t ntp,
                         const char *cname);

struct cp_rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256, since the last report */
    uint32_t jitter;
    uint32_t last_sr, delay_since_sr; /* middle 32 bits of NTP; 1/65536 s */
};

struct cp_rtcp_handler {
    void *user;
    void (*report)(void *user, const struct cp_rtcp_report *report);
    /* A packet of ours that was lost. */
    void (*nack)(void *user, uint32_t ssrc, uint16_t sequence);
    /* PLI or FIR. */
    void (*picture_loss)(void *user, uint32_t ssrc);
};

/* Reads a decrypted datagram, compound or reduced-size (RFC 5506). Returns CP_ERR_FORMAT at the first
 * malformed part; what came before was handled. */
int cp_rtcp_read(const uint8_t *data, size_t length, const struct cp_rtcp_handler *handler);

/* Round trip in nanoseconds from a report (RFC 3550 section 6.4.1); -1 when it does not say. */
int64_t cp_rtcp_round_trip_ns(const struct cp_rtcp_report *report, uint64_t ntp_now);

#endif
