/* RTCP: plain, and as SRTCP under both profiles (which refuses nearly all of it). */
#include "deliver/webrtc/rtcp.h"
#include "deliver/webrtc/srtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_report(void *user, const struct cp_rtcp_report *report)
{
    cp_rtcp_round_trip_ns(report, UINT64_C(0x123456789abcdef0));
    ++*(size_t *)user;
}

static void on_nack(void *user, uint32_t ssrc, uint16_t sequence)
{
    ++*(size_t *)user;
}

static void on_loss(void *user, uint32_t ssrc)
{
    ++*(size_t *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cp_srtp_keys KEYS = {.key = "a key of the ses", .salt = "some salt here"};
    struct cp_srtcp_replay replay = {0};
    size_t calls = 0;
    struct cp_rtcp_handler handler = {&calls, on_report, on_nack, on_loss};
    cp_rtcp_read(data, size, &handler);
    if (calls > size * 5) /* a NACK of 4 bytes names 17 packets */
        abort();
    uint8_t *copy = malloc(size + CP_SRTP_RTCP_TAIL_MAX);
    for (int gcm = 0; copy && gcm < 2; gcm++) {
        enum cp_srtp_profile profile = gcm ? CP_SRTP_AEAD_AES_128_GCM : CP_SRTP_AES_CM_SHA1_80;
        memcpy(copy, data, size);
        cp_srtcp_unprotect(profile, &KEYS, &replay, copy, size);
        memcpy(copy, data, size);
        size_t sealed = size < 1500 ? cp_srtcp_protect(profile, &KEYS, copy, size, 1000u + (uint32_t)gcm) : 0;
        if (sealed && cp_srtcp_unprotect(profile, &KEYS, &replay, copy, sealed) != size)
            abort();
        if (sealed && memcmp(copy, data, size))
            abort();
        memset(&replay, 0, sizeof replay);
    }
    free(copy);
    return 0;
}
