#include "deliver/webrtc/sdp.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>

static struct cp_sdp_offer offer;
static char text[CP_SDP_MAX_BYTES + 2];

static size_t load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.sdp", TEST_OFFERS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    return n;
}

/* Removes each line that holds `word`. */
static void without(const char *word)
{
    char *hit;
    while ((hit = strstr(text, word))) {
        while (hit > text && hit[-1] != '\n')
            hit--;
        char *end = strchr(hit, '\n') + 1;
        memmove(hit, end, strlen(end) + 1);
    }
}

static void replace(const char *from, const char *to)
{
    char *hit = strstr(text, from);
    assert_non_null(hit);
    memmove(hit + strlen(to), hit + strlen(from), strlen(hit + strlen(from)) + 1);
    memcpy(hit, to, strlen(to));
}

static int parse(struct cp_error *error)
{
    return cp_sdp_parse(text, strlen(text), &offer, error);
}

static const char *answer(void)
{
    static char out[8192];
    struct cp_buffer buffer = cp_buffer_make(sizeof out - 1);
    struct cp_address address = {.length = sizeof address.v4};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(8189);
    inet_pton(AF_INET, "192.0.2.7", &address.v4.sin_addr);
    struct cp_sdp_answer values = {.ice_ufrag = "ours",
                                   .ice_pwd = "0123456789012345678901",
                                   .fingerprint = "AA:BB",
                                   .cname = "cname",
                                   .video_ssrc = 111,
                                   .audio_ssrc = 222,
                                   .candidates = &address,
                                   .n_candidates = 1};
    cp_sdp_write(&buffer, &offer, &values);
    assert_false(buffer.failed);
    snprintf(out, sizeof out, "%s", cp_buffer_string(&buffer));
    cp_buffer_free(&buffer);
    return out;
}

static int count(const char *in, const char *word)
{
    int n = 0;
    for (; (in = strstr(in, word)); in++)
        n++;
    return n;
}

#define assert_has(in, word)   assert_true(strstr(in, word) != NULL)
#define assert_lacks(in, word) assert_true(strstr(in, word) == NULL)

static void chromium_gets_42e01f_in_mode_1(void **state)
{
    load("chromium");
    assert_int_equal(parse(NULL), 0);
    assert_string_equal(offer.ice_ufrag, "ujpO");
    assert_string_equal(offer.fingerprint_hash, "sha-256");
    assert_int_equal(offer.fingerprint_bytes, 32);
    assert_int_equal(offer.fingerprint[0], 0x04);
    assert_int_equal(offer.fingerprint[31], 0xe3);
    const char *sdp = answer();
    assert_has(sdp, "a=group:BUNDLE 0 1\r\n");
    assert_has(sdp, "a=ice-lite\r\n");
    assert_has(sdp, "m=video 9 UDP/TLS/RTP/SAVPF 108\r\n");
    assert_has(sdp, "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n");
    assert_has(sdp, "a=rtcp-fb:108 nack\r\na=rtcp-fb:108 nack pli\r\na=rtcp-fb:108 ccm fir\r\n");
    assert_has(sdp, "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n");
    assert_int_equal(count(sdp, "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"), 2);
    assert_has(sdp, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n");
    assert_has(sdp, "a=rtpmap:111 opus/48000/2\r\n");
    assert_int_equal(count(sdp, "a=sendonly\r\n"), 2);
    assert_int_equal(count(sdp, "a=setup:passive\r\n"), 2);
    assert_int_equal(count(sdp, "a=rtcp-mux\r\n"), 2);
    assert_has(sdp, "a=msid:cname video\r\n");
    assert_has(sdp, "a=msid:cname audio\r\n");
    assert_has(sdp, "a=candidate:1 1 udp 2130706431 192.0.2.7 8189 typ host\r\n");
    assert_lacks(sdp, "transport-cc");
    assert_lacks(sdp, "goog-remb");
}

static void firefox_gets_its_only_profile_with_sound_first(void **state)
{
    load("firefox");
    assert_int_equal(parse(NULL), 0);
    assert_string_equal(offer.ice_ufrag, "8d2a4b61");
    const char *sdp = answer();
    assert_true(strstr(sdp, "m=audio 9 UDP/TLS/RTP/SAVPF 109") <
                strstr(sdp, "m=video 9 UDP/TLS/RTP/SAVPF 126"));
    assert_has(sdp, "a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1\r\n");
    assert_has(sdp, "a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n");
    assert_int_equal(count(sdp, "a=rtcp-rsize\r\n"), 1);
}

static void safari_gets_baseline_and_no_data_channel(void **state)
{
    load("safari");
    assert_int_equal(parse(NULL), 0);
    const char *sdp = answer();
    assert_has(sdp, "a=group:BUNDLE 0 1\r\n"); /* without the refused one (RFC 9143 section 7.3.3) */
    assert_has(sdp, "m=video 9 UDP/TLS/RTP/SAVPF 98\r\n");
    assert_has(sdp, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    assert_int_equal(count(sdp, "\r\nm="), 3);
}

static void lines_may_end_in_crlf(void **state)
{
    static char lines[2 * CP_SDP_MAX_BYTES];
    load("chromium");
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            lines[n++] = '\r';
        lines[n++] = *p;
    }
    assert_int_equal(cp_sdp_parse(lines, n, &offer, NULL), 0);
    assert_string_equal(offer.ice_pwd, "qFbF1FTykCWUoK9CvTY50dG5");
}

static void offer_without_h264_is_unsupported(void **state)
{
    struct cp_error error;
    load("chromium");
    without("H264/90000");
    assert_int_equal(parse(&error), CP_ERR_UNSUPPORTED);
    assert_has(error.text, "H.264");
    load("chromium");
    without("packetization-mode=1");
    assert_int_equal(parse(NULL), CP_ERR_UNSUPPORTED);
    load("chromium");
    replace("a=recvonly", "a=sendonly"); /* of the video */
    assert_int_equal(parse(NULL), CP_ERR_UNSUPPORTED);
}

static void offer_that_is_not_sdp_or_not_webrtc_is_malformed(void **state)
{
    static const char *const NEEDED[] = {"a=ice-ufrag", "a=ice-pwd", "a=fingerprint"};
    assert_int_equal(cp_sdp_parse("", 0, &offer, NULL), CP_ERR_FORMAT);
    assert_int_equal(cp_sdp_parse("{\"sdp\":1}", 9, &offer, NULL), CP_ERR_FORMAT);
    assert_int_equal(cp_sdp_parse("v=0\r\n", 5, &offer, NULL), CP_ERR_FORMAT);
    for (size_t i = 0; i < 3; i++) {
        load("chromium");
        without(NEEDED[i]);
        assert_int_equal(parse(NULL), CP_ERR_FORMAT);
    }
    load("chromium");
    replace("04:4E:", "04:4");
    assert_int_equal(parse(NULL), CP_ERR_FORMAT);
    load("chromium");
    replace("m=video 9", "m=video x");
    assert_int_equal(parse(NULL), CP_ERR_FORMAT);
}

static void offer_that_wants_us_to_call_is_unsupported(void **state)
{
    load("chromium");
    replace("a=setup:actpass", "a=setup:passive");
    assert_int_equal(parse(NULL), CP_ERR_UNSUPPORTED);
}

static void offer_of_picture_alone_needs_no_bundle(void **state)
{
    load("chromium");
    without("a=group");
    assert_int_equal(parse(NULL), CP_ERR_UNSUPPORTED); /* two transports */
    *strstr(text, "m=audio") = 0;
    assert_int_equal(parse(NULL), 0);
    assert_int_equal(offer.audio, -1);
    assert_lacks(answer(), "BUNDLE");
}

static void offer_past_the_limits_is_refused(void **state)
{
    load("chromium");
    for (int i = 0; i < CP_SDP_MAX_SECTIONS; i++)
        strcat(text, "m=audio 9 UDP/TLS/RTP/SAVPF 0\n");
    assert_int_equal(parse(NULL), CP_ERR_LIMIT);
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "v=0\n", 4);
    assert_int_equal(parse(NULL), CP_ERR_LIMIT);
}

static void tokens_cannot_smuggle_lines_into_the_answer(void **state)
{
    load("chromium");
    replace("a=mid:0", "a=mid:0\ra=candidate:evil");
    parse(NULL);
    assert_lacks(answer(), "evil");
}

static void rank_prefers_constrained_baseline(void **state)
{
    int constrained =
        cp_sdp_h264_rank("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
    int baseline = cp_sdp_h264_rank("packetization-mode=1; profile-level-id=42001f");
    int main_profile = cp_sdp_h264_rank("profile-level-id=4D001F;packetization-mode=1");
    int high = cp_sdp_h264_rank("packetization-mode=1;profile-level-id=64001f");
    assert_true(constrained > baseline && baseline > main_profile && main_profile > high && high > 0);
    assert_int_equal(cp_sdp_h264_rank("packetization-mode=0;profile-level-id=42e01f"), 0);
    assert_int_equal(cp_sdp_h264_rank("profile-level-id=42e01f"), 0);
    assert_int_equal(cp_sdp_h264_rank("packetization-mode=1"), 0);
    assert_int_equal(cp_sdp_h264_rank("packetization-mode=1;profile-level-id=42e0"), 0);
    assert_int_equal(cp_sdp_h264_rank("packetization-mode=11;profile-level-id=42e01f"), 0);
    assert_int_equal(cp_sdp_h264_rank("packetization-mode=1;profile-level-id=f4001f"), 0);
    assert_int_equal(cp_sdp_h264_rank(""), 0);
}

static void fragment_gives_the_credentials(void **state)
{
    static const char FRAGMENT[] = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
                                   "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
                                   "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n";
    char ufrag[CP_ICE_TOKEN_BYTES], pwd[CP_ICE_TOKEN_BYTES];
    assert_int_equal(cp_sdp_parse_fragment(FRAGMENT, strlen(FRAGMENT), ufrag, pwd, NULL), 0);
    assert_string_equal(ufrag, "EsAw");
    assert_string_equal(pwd, "P2uYro0UCOQ4zxjKXaWCBui1");
    assert_int_equal(cp_sdp_parse_fragment("a=end-of-candidates\n", 20, ufrag, pwd, NULL), 0);
    assert_string_equal(ufrag, "");
    assert_int_equal(cp_sdp_parse_fragment("", 0, ufrag, pwd, NULL), CP_ERR_FORMAT);
    assert_int_equal(cp_sdp_parse_fragment("{}", 2, ufrag, pwd, NULL), CP_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chromium_gets_42e01f_in_mode_1),
        cmocka_unit_test(firefox_gets_its_only_profile_with_sound_first),
        cmocka_unit_test(safari_gets_baseline_and_no_data_channel),
        cmocka_unit_test(lines_may_end_in_crlf),
        cmocka_unit_test(offer_without_h264_is_unsupported),
        cmocka_unit_test(offer_that_is_not_sdp_or_not_webrtc_is_malformed),
        cmocka_unit_test(offer_that_wants_us_to_call_is_unsupported),
        cmocka_unit_test(offer_of_picture_alone_needs_no_bundle),
        cmocka_unit_test(offer_past_the_limits_is_refused),
        cmocka_unit_test(tokens_cannot_smuggle_lines_into_the_answer),
        cmocka_unit_test(rank_prefers_constrained_baseline),
        cmocka_unit_test(fragment_gives_the_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
