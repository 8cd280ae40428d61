#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/srtp.h"
#include "unit.h"

#include <srtp2/srtp.h>

static const enum cp_srtp_profile PROFILES[] = {CP_SRTP_AEAD_AES_128_GCM, CP_SRTP_AES_CM_SHA1_80};

static void derive_gives_the_keys_of_rfc3711(void **state)
{
    /* Appendix B.3 */
    struct cp_srtp_master master;
    struct cp_srtp_keys keys;
    uint8_t expected[32];
    from_hex("E1F97A0D3E018BE0D64FA32C06DE4139", master.key);
    from_hex("0EC675AD498AFEEBB6960B3AABE6", master.salt);
    assert_true(cp_srtp_derive(CP_SRTP_AES_CM_SHA1_80, &master, false, &keys));
    from_hex("C61E7A93744F39EE10734AFE3FF7A087", expected);
    assert_memory_equal(keys.key, expected, 16);
    from_hex("30CBBC08863D8C85D49DB34A9AE1", expected);
    assert_memory_equal(keys.salt, expected, 14);
    from_hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4", expected);
    assert_memory_equal(keys.auth, expected, 20);
}

static void cm_gives_the_key_stream_of_rfc3711(void **state)
{
    /* Appendix B.2: SSRC, ROC and sequence number 0 */
    struct cp_srtp_keys keys = {0};
    uint8_t packet[12 + 32 + 16] = {0x80}, zeros[32] = {0}, expected[32];
    from_hex("2B7E151628AED2A6ABF7158809CF4F3C", keys.key);
    from_hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD", keys.salt);
    struct cp_srtp_suite suite;
    assert_true(cp_srtp_suite_open(CP_SRTP_AES_CM_SHA1_80, &suite));
    void *cm = suite.cipher->open(suite.shared, &keys);
    assert_true(suite.cipher->protect(cm, packet, 12, zeros, sizeof zeros, 0, 0));
    from_hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB", expected);
    assert_memory_equal(packet + 12, expected, 32);
    suite.cipher->close(cm);
    cp_srtp_suite_close(&suite);
}

static struct cp_srtp_keys rfc7714_keys(void)
{
    struct cp_srtp_keys keys = {0};
    from_hex("000102030405060708090a0b0c0d0e0f", keys.key);
    from_hex("517569642070726f2071756f", keys.salt);
    return keys;
}

static void gcm_gives_the_packet_of_rfc7714(void **state)
{
    /* Section 16.1.1 */
    struct cp_srtp_keys keys = rfc7714_keys();
    uint8_t packet[128], payload[64], expected[128];
    size_t header = from_hex("8040f17b8041f8d35501a0b2", packet);
    size_t n =
        from_hex("47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573", payload);
    size_t whole =
        from_hex("8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51"
                 "c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
                 expected);
    assert_int_equal(header + n + cp_srtp_rtp_tag_bytes(CP_SRTP_AEAD_AES_128_GCM), whole);
    for (int i = 0; cp_srtp_ciphers[i]; i++) {
        const struct cp_srtp_cipher *cipher = cp_srtp_ciphers[i];
        void *shared = cipher->start ? cipher->start() : NULL;
        if (cipher->profile != CP_SRTP_AEAD_AES_128_GCM || (cipher->start && !shared))
            continue;
        void *gcm = cipher->open(shared, &keys);
        memset(packet + header, 0, sizeof packet - header);
        assert_true(cipher->protect(gcm, packet, header, payload, n, 0x5501a0b2, 0xf17b));
        assert_memory_equal(packet, expected, whole);
        cipher->close(gcm);
        if (cipher->stop)
            cipher->stop(shared);
    }
}

static void gcm_gives_the_rtcp_packet_of_rfc7714(void **state)
{
    /* Section 17.1 */
    struct cp_srtp_keys keys = rfc7714_keys();
    struct cp_srtcp_replay replay = {0};
    uint8_t packet[128], plain[128], expected[128];
    size_t n = from_hex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
                        "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
                        packet);
    size_t whole = from_hex("81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
                            "4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
                            expected);
    memcpy(plain, packet, n);
    assert_int_equal(cp_srtcp_protect(CP_SRTP_AEAD_AES_128_GCM, &keys, packet, n, 0x5d4), whole);
    assert_memory_equal(packet, expected, whole);
    assert_int_equal(cp_srtcp_unprotect(CP_SRTP_AEAD_AES_128_GCM, &keys, &replay, packet, whole), n);
    assert_memory_equal(packet, plain, n);
}

/* --- libsrtp2 as a second opinion --- */

static srtp_t oracle(enum cp_srtp_profile profile, const struct cp_srtp_master *master, srtp_ssrc_type_t type)
{
    static uint8_t key[30];
    srtp_policy_t policy = {.ssrc = {.type = type}, .key = key, .window_size = 1024};
    srtp_t srtp = NULL;
    memcpy(key, master->key, 16);
    memcpy(key + 16, master->salt, 14);
    if (profile == CP_SRTP_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    }
    assert_int_equal(srtp_create(&srtp, &policy), srtp_err_status_ok);
    return srtp;
}

static struct cp_srtp_master some_master(void)
{
    struct cp_srtp_master master;
    for (int i = 0; i < 16; i++)
        master.key[i] = (uint8_t)(17 * i + 3);
    for (int i = 0; i < 14; i++)
        master.salt[i] = (uint8_t)(29 * i + 5);
    return master;
}

/* Every row of the table, with the same packets. */
static void libsrtp_opens_our_rtp_over_the_sequence_wrap(void **state)
{
    for (int row = 0; cp_srtp_ciphers[row]; row++) {
        const struct cp_srtp_cipher *cipher = cp_srtp_ciphers[row];
        struct cp_srtp_master master = some_master();
        struct cp_srtp_keys keys;
        void *shared = cipher->start ? cipher->start() : NULL;
        if (cipher->start && !shared)
            continue; /* not on this machine */
        srtp_t srtp = oracle(cipher->profile, &master, ssrc_any_inbound);
        assert_true(cp_srtp_derive(cipher->profile, &master, false, &keys));
        void *ours = cipher->open(shared, &keys);
        for (uint64_t index = 65000; index < 66100; index += 7) {
            uint8_t packet[1300], payload[1100];
            size_t header = index % 2 ? 20 : 12, n = 1 + index % 1100;
            memset(packet, 0, header);
            packet[0] = header == 20 ? 0x90 : 0x80;
            packet[1] = 96;
            cp_put16(packet + 2, (unsigned)(index & 0xffff));
            cp_put32(packet + 8, 0xcafe1234);
            if (header == 20) { /* one word of extension */
                cp_put16(packet + 12, 0xbede);
                cp_put16(packet + 14, 1);
            }
            memset(payload, (int)index, n);
            if (cipher->touch)
                cipher->touch(ours);
            assert_true(cipher->protect(ours, packet, header, payload, n, 0xcafe1234, index));
            int length = (int)(header + n + cp_srtp_rtp_tag_bytes(cipher->profile));
            assert_int_equal(srtp_unprotect(srtp, packet, &length), srtp_err_status_ok);
            assert_int_equal(length, header + n);
            assert_memory_equal(packet + header, payload, n);
        }
        cipher->close(ours);
        if (cipher->stop)
            cipher->stop(shared);
        srtp_dealloc(srtp);
    }
}

static void libsrtp_and_we_open_each_others_rtcp(void **state)
{
    for (size_t p = 0; p < 2; p++) {
        struct cp_srtp_master master = some_master();
        struct cp_srtp_keys keys;
        struct cp_srtcp_replay replay = {0};
        srtp_t in = oracle(PROFILES[p], &master, ssrc_any_inbound);
        srtp_t out = oracle(PROFILES[p], &master, ssrc_any_outbound);
        assert_true(cp_srtp_derive(PROFILES[p], &master, true, &keys));
        for (uint32_t i = 1; i < 50; i++) {
            uint8_t packet[128] = {0x80, 201, 0, 1, 0, 0, 0, 7}, plain[128];
            size_t n = 8 + 4 * (i % 10);
            memset(packet + 8, (int)i, n - 8);
            memcpy(plain, packet, sizeof plain);
            int length = (int)cp_srtcp_protect(PROFILES[p], &keys, packet, n, i);
            assert_int_equal(srtp_unprotect_rtcp(in, packet, &length), srtp_err_status_ok);
            assert_int_equal(length, n);
            assert_memory_equal(packet, plain, n);
            assert_int_equal(srtp_protect_rtcp(out, packet, &length), srtp_err_status_ok);
            assert_int_equal(cp_srtcp_unprotect(PROFILES[p], &keys, &replay, packet, (size_t)length), n);
            assert_memory_equal(packet, plain, n);
        }
        srtp_dealloc(in);
        srtp_dealloc(out);
    }
}

static void rtcp_refuses_forged_cut_and_replayed_packets(void **state)
{
    for (size_t p = 0; p < 2; p++) {
        struct cp_srtp_master master = some_master();
        struct cp_srtp_keys keys;
        struct cp_srtcp_replay replay = {0};
        uint8_t packet[80] = {0x80, 201, 0, 4, 0, 0, 0, 7, 1, 2, 3}, sealed[80], copy[80];
        assert_true(cp_srtp_derive(PROFILES[p], &master, true, &keys));
        memcpy(sealed, packet, sizeof sealed);
        size_t n = cp_srtcp_protect(PROFILES[p], &keys, sealed, 20, 100);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            memcpy(copy, sealed, n);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(cp_srtcp_unprotect(PROFILES[p], &keys, &replay, copy, n), 0);
        }
        for (size_t cut = 0; cut < n; cut++) {
            memcpy(copy, sealed, n);
            assert_int_equal(cp_srtcp_unprotect(PROFILES[p], &keys, &replay, copy, cut), 0);
        }
        memcpy(copy, sealed, n);
        assert_int_equal(cp_srtcp_unprotect(PROFILES[p], &keys, &replay, copy, n), 20);
        memcpy(copy, sealed, n);
        assert_int_equal(cp_srtcp_unprotect(PROFILES[p], &keys, &replay, copy, n), 0);
        /* Older ones within the window of 64 pass once, those before it never. */
        static const struct {
            uint32_t index;
            bool passes;
        } STEPS[] = {{163, true}, {100, false}, {101, true}, {101, false},
                     {99, false}, {300, true},  {163, false}};
        for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
            memcpy(copy, packet, sizeof copy);
            n = cp_srtcp_protect(PROFILES[p], &keys, copy, 20, STEPS[i].index);
            assert_int_equal(cp_srtcp_unprotect(PROFILES[p], &keys, &replay, copy, n),
                             STEPS[i].passes ? 20 : 0);
        }
    }
}

static int setup(void **state)
{
    return srtp_init() != srtp_err_status_ok;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derive_gives_the_keys_of_rfc3711),
        cmocka_unit_test(cm_gives_the_key_stream_of_rfc3711),
        cmocka_unit_test(gcm_gives_the_packet_of_rfc7714),
        cmocka_unit_test(gcm_gives_the_rtcp_packet_of_rfc7714),
        cmocka_unit_test(libsrtp_opens_our_rtp_over_the_sequence_wrap),
        cmocka_unit_test(libsrtp_and_we_open_each_others_rtcp),
        cmocka_unit_test(rtcp_refuses_forged_cut_and_replayed_packets),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
