#include "deliver/webrtc/rtcp.h"

#include "base/clock.h"
#include "base/error.h"
#include "deliver/webrtc/bytes.h"

#include <string.h>

enum { SR = 200, RR = 201, SDES = 202, BYE = 203, RTPFB = 205, PSFB = 206 };
enum { FMT_NACK = 1, FMT_PLI = 1, FMT_FIR = 4 };
enum { SDES_CNAME = 1, BLOCK_BYTES = 24, FIR_BYTES = 8 };

static void head(uint8_t *out, unsigned count, unsigned type, size_t length)
{
    out[0] = (uint8_t)(0x80 | count);
    out[1] = (uint8_t)type;
    cp_put16(out + 2, (unsigned)(length / 4 - 1));
}

size_t cp_rtcp_write_reports(uint8_t *out, const struct cp_rtcp_sender *senders, int n_senders, uint64_t ntp,
                             const char *cname)
{
    size_t n = 0, name = strlen(cname) & 0x3f;
    for (int i = 0; i < n_senders; i++, n += 28) {
        head(out + n, 0, SR, 28);
        cp_put32(out + n + 4, senders[i].ssrc);
        cp_put64(out + n + 8, ntp);
        cp_put32(out + n + 16, senders[i].timestamp);
        cp_put32(out + n + 20, senders[i].packets);
        cp_put32(out + n + 24, senders[i].bytes);
    }
    size_t chunk = (4 + 2 + name + 1 + 3) & ~(size_t)3; /* ends in at least one zero */
    size_t length = 4 + (size_t)n_senders * chunk;
    memset(out + n, 0, length);
    head(out + n, (unsigned)n_senders, SDES, length);
    n += 4;
    for (int i = 0; i < n_senders; i++, n += chunk) {
        cp_put32(out + n, senders[i].ssrc);
        out[n + 4] = SDES_CNAME;
        out[n + 5] = (uint8_t)name;
        memcpy(out + n + 6, cname, name);
    }
    return n;
}

size_t cp_rtcp_write_bye(uint8_t *out, const struct cp_rtcp_sender *senders, int n_senders, uint64_t ntp,
                         const char *cname)
{
    size_t n = cp_rtcp_write_reports(out, senders, n_senders, ntp, cname);
    size_t length = 4 + 4 * (size_t)n_senders;
    head(out + n, (unsigned)n_senders, BYE, length);
    for (int i = 0; i < n_senders; i++)
        cp_put32(out + n + 4 + 4 * i, senders[i].ssrc);
    return n + length;
}

static int read_blocks(const uint8_t *block, size_t length, unsigned count,
                       const struct cp_rtcp_handler *handler)
{
    if (length < (size_t)count * BLOCK_BYTES)
        return CP_ERR_FORMAT;
    for (; count--; block += BLOCK_BYTES) {
        struct cp_rtcp_report report = {.ssrc = cp_get32(block),
                                        .fraction_lost = block[4],
                                        .jitter = cp_get32(block + 12),
                                        .last_sr = cp_get32(block + 16),
                                        .delay_since_sr = cp_get32(block + 20)};
        handler->report(handler->user, &report);
    }
    return 0;
}

/* RFC 4585 section 6.2.1: a sequence number and a mask of the 16 that follow. */
static int read_nacks(const uint8_t *body, size_t length, const struct cp_rtcp_handler *handler)
{
    if (length < 8)
        return CP_ERR_FORMAT;
    uint32_t ssrc = cp_get32(body + 4);
    for (size_t at = 8; at + 4 <= length; at += 4) {
        unsigned sequence = cp_get16(body + at), mask = cp_get16(body + at + 2);
        handler->nack(handler->user, ssrc, (uint16_t)sequence);
        for (unsigned i = 0; i < 16; i++)
            if (mask >> i & 1)
                handler->nack(handler->user, ssrc, (uint16_t)(sequence + 1 + i));
    }
    return 0;
}

static int read_payload_feedback(unsigned format, const uint8_t *body, size_t length,
                                 const struct cp_rtcp_handler *handler)
{
    if (length < 8)
        return CP_ERR_FORMAT;
    if (format == FMT_PLI)
        handler->picture_loss(handler->user, cp_get32(body + 4));
    if (format == FMT_FIR) /* RFC 5104 section 4.3.1: the media source is in the entries */
        for (size_t at = 8; at + FIR_BYTES <= length; at += FIR_BYTES)
            handler->picture_loss(handler->user, cp_get32(body + at));
    return 0;
}

int cp_rtcp_read(const uint8_t *data, size_t length, const struct cp_rtcp_handler *handler)
{
    while (length) {
        if (length < 8 || data[0] >> 6 != 2)
            return CP_ERR_FORMAT;
        unsigned count = data[0] & 31, type = data[1];
        size_t whole = 4 * ((size_t)cp_get16(data + 2) + 1), body = whole;
        if (whole > length || whole < 4)
            return CP_ERR_FORMAT;
        if (data[0] & 0x20) { /* padding */
            unsigned padding = data[whole - 1];
            if (!padding || padding > whole - 4)
                return CP_ERR_FORMAT;
            body -= padding;
        }
        int err = 0;
        if (type == RR)
            err = body < 8 ? CP_ERR_FORMAT : read_blocks(data + 8, body - 8, count, handler);
        else if (type == SR)
            err = body < 28 ? CP_ERR_FORMAT : read_blocks(data + 28, body - 28, count, handler);
        else if (type == RTPFB && count == FMT_NACK)
            err = read_nacks(data + 4, body - 4, handler);
        else if (type == PSFB)
            err = read_payload_feedback(count, data + 4, body - 4, handler);
        if (err)
            return err;
        data += whole;
        length -= whole;
    }
    return 0;
}

int64_t cp_rtcp_round_trip_ns(const struct cp_rtcp_report *report, uint64_t ntp_now)
{
    if (!report->last_sr)
        return -1;
    uint32_t now = (uint32_t)(ntp_now >> 16);
    int32_t trip = (int32_t)(now - report->last_sr - report->delay_since_sr);
    return trip < 0 ? -1 : (int64_t)trip * CP_NS_PER_S / 65536;
}
