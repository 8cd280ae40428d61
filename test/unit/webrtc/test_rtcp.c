#include "base/clock.h"
#include "base/error.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/rtcp.h"
#include "unit.h"

static struct {
    int reports, nacks, losses;
    struct cp_rtcp_report report;
    uint16_t sequence[64];
    uint32_t ssrc;
} seen;

static void on_report(void *user, const struct cp_rtcp_report *report)
{
    seen.reports++;
    seen.report = *report;
}

static void on_nack(void *user, uint32_t ssrc, uint16_t sequence)
{
    seen.sequence[seen.nacks++ % 64] = sequence;
    seen.ssrc = ssrc;
}

static void on_loss(void *user, uint32_t ssrc)
{
    seen.losses++;
    seen.ssrc = ssrc;
}

static const struct cp_rtcp_handler HANDLER = {NULL, on_report, on_nack, on_loss};

static int read_hex(const char *text)
{
    uint8_t data[256];
    memset(&seen, 0, sizeof seen);
    return cp_rtcp_read(data, from_hex(text, data), &HANDLER);
}

static void read_takes_a_compound_of_report_and_feedback(void **state)
{
    /* RR with one block, then PLI (as Chromium sends them) */
    assert_int_equal(read_hex("81c90007 00000001 12345678 40000005 00010203 00000011 aabbccdd 00010000"
                              "81ce0002 00000001 12345678"),
                     0);
    assert_int_equal(seen.reports, 1);
    assert_int_equal(seen.report.ssrc, 0x12345678);
    assert_int_equal(seen.report.fraction_lost, 0x40);
    assert_int_equal(seen.report.jitter, 0x11);
    assert_int_equal(seen.report.last_sr, 0xaabbccdd);
    assert_int_equal(seen.losses, 1);
    assert_int_equal(seen.ssrc, 0x12345678);
}

static void read_unfolds_the_mask_of_a_nack(void **state)
{
    assert_int_equal(read_hex("81cd0003 00000001 12345678 ffff8001"), 0); /* reduced size */
    assert_int_equal(seen.nacks, 3);
    assert_int_equal(seen.sequence[0], 65535);
    assert_int_equal(seen.sequence[1], 0);
    assert_int_equal(seen.sequence[2], 15);
}

static void read_takes_the_source_of_a_fir_from_its_entry(void **state)
{
    assert_int_equal(read_hex("84ce0004 00000001 00000000 0badcafe 07000000"), 0);
    assert_int_equal(seen.losses, 1);
    assert_int_equal(seen.ssrc, 0x0badcafe);
}

static void read_ignores_what_it_does_not_know(void **state)
{
    assert_int_equal(
        read_hex("80cf0003 00000001 04000002 aaaaaaaa"          /* XR */
                 "8fce0004 00000001 00000000 52454d42 01000000" /* REMB */
                 "81cb0001 00000001"                            /* BYE */
                 "a1c90008 00000001 12345678 40000005 00010203 00000011 aabbccdd 00010000 00000004"),
        0); /* RR with padding */
    assert_int_equal(seen.reports, 1);
    assert_int_equal(seen.losses, 0);
}

static void read_refuses_malformed_packets(void **state)
{
    static const char *const BAD[] = {
        "81c9",                                                                    /* too short */
        "41c90001 00000001",                                                       /* version 1 */
        "81c90007 00000001",                                                       /* longer than it is */
        "82c90007 00000001 12345678 40000005 00010203 00000011 aabbccdd 00010000", /* two blocks said */
        "81cd0001 00000001",                                                       /* NACK without source */
        "a1c90001 00000009",                                                       /* padding past the head */
        "80c80002 00000001 00000000",                                              /* short SR */
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_int_equal(read_hex(BAD[i]), CP_ERR_FORMAT);
        assert_int_equal(seen.reports + seen.nacks + seen.losses, 0);
    }
}

static void write_reports_can_be_walked_and_hold_both_clocks(void **state)
{
    uint8_t out[CP_RTCP_MAX_BYTES];
    const struct cp_rtcp_sender senders[] = {{0x11, 90000, 10, 1000}, {0x22, 48000, 20, 2000}};
    size_t n = cp_rtcp_write_bye(out, senders, 2, UINT64_C(0x0102030405060708), "cp0123456789abcdef");
    assert_int_equal(n % 4, 0);
    assert_int_equal(cp_get64(out + 8), UINT64_C(0x0102030405060708));
    assert_int_equal(cp_get32(out + 16), 90000);
    assert_int_equal(cp_get32(out + 28 + 16), 48000);
    static const uint8_t TYPES[] = {200, 200, 202, 203};
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(out[at] >> 6, 2);
        assert_int_equal(out[at + 1], TYPES[i]);
        if (TYPES[i] == 202)
            assert_memory_equal(out + at + 10, "cp0123456789abcdef\0", 19);
        at += 4 * ((size_t)cp_get16(out + at + 2) + 1);
    }
    assert_int_equal(at, n);
    memset(&seen, 0, sizeof seen);
    assert_int_equal(cp_rtcp_read(out, n, &HANDLER), 0);
}

static void round_trip_is_now_less_report_and_delay(void **state)
{
    uint64_t sent = cp_clock_ntp(INT64_C(1700000000) * CP_NS_PER_S);
    uint64_t now = cp_clock_ntp(INT64_C(1700000000) * CP_NS_PER_S + 350 * CP_NS_PER_MS);
    struct cp_rtcp_report report = {.last_sr = (uint32_t)(sent >> 16), .delay_since_sr = 65536 / 4};
    assert_in_range(cp_rtcp_round_trip_ns(&report, now), 99 * CP_NS_PER_MS, 101 * CP_NS_PER_MS);
    report.delay_since_sr = 65536; /* a clock that lies */
    assert_int_equal(cp_rtcp_round_trip_ns(&report, now), -1);
    report.last_sr = 0;
    assert_int_equal(cp_rtcp_round_trip_ns(&report, now), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_takes_a_compound_of_report_and_feedback),
        cmocka_unit_test(read_unfolds_the_mask_of_a_nack),
        cmocka_unit_test(read_takes_the_source_of_a_fir_from_its_entry),
        cmocka_unit_test(read_ignores_what_it_does_not_know),
        cmocka_unit_test(read_refuses_malformed_packets),
        cmocka_unit_test(write_reports_can_be_walked_and_hold_both_clocks),
        cmocka_unit_test(round_trip_is_now_less_report_and_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
