#include "base/error.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/stun.h"
#include "unit.h"

#include <arpa/inet.h>

/* RFC 5769 section 2.1 */
static const char REQUEST[] = "00010058 2112a442 b7e7a701bc34d686fa87dfae"
                              "80220010 5354554e207465737420636c69656e74"
                              "00240004 6e0001ff"
                              "80290008 932ff9b151263b36"
                              "00060009 6576746a3a68367659202020"
                              "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                              "80280004 e57a3bcf";
/* RFC 5769 section 2.2 */
static const char RESPONSE[] = "0101003c 2112a442 b7e7a701bc34d686fa87dfae"
                               "8022000b 7465737420766563746f7220"
                               "00200008 0001a147e112a643"
                               "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7"
                               "80280004 c07d4c96";
static const char PASSWORD[] = "VOkJxbRl1RmTxUk/WvJxBt";

static void parse_reads_the_request_of_rfc5769(void **state)
{
    uint8_t data[256];
    struct cp_stun_message message;
    size_t n = from_hex(REQUEST, data);
    assert_int_equal(n, 108);
    assert_int_equal(cp_stun_parse(data, n, &message), 0);
    assert_int_equal(message.type, CP_STUN_BINDING_REQUEST);
    assert_int_equal(message.username_bytes, 9);
    assert_memory_equal(message.username, "evtj:h6vY", 9);
    assert_int_equal(message.priority, 0x6e0001ff);
    assert_true(message.controlled);
    assert_false(message.controlling);
    assert_true(message.fingerprint);
    assert_int_equal(message.n_unknown, 0);
    assert_true(cp_stun_authentic(data, &message, PASSWORD));
    assert_false(cp_stun_authentic(data, &message, "VOkJxbRl1RmTxUk/WvJxBu"));
}

static void parse_reads_the_response_of_rfc5769(void **state)
{
    uint8_t data[256];
    struct cp_stun_message message;
    size_t n = from_hex(RESPONSE, data);
    assert_int_equal(cp_stun_parse(data, n, &message), 0);
    assert_int_equal(message.type, CP_STUN_BINDING_SUCCESS);
    assert_true(cp_stun_authentic(data, &message, PASSWORD));
}

static void parse_refuses_every_cut_and_every_flipped_bit(void **state)
{
    uint8_t data[256], changed[256];
    struct cp_stun_message message;
    size_t n = from_hex(REQUEST, data);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(cp_stun_parse(data, cut, &message), CP_ERR_FORMAT);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        memcpy(changed, data, n);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int err = cp_stun_parse(changed, n, &message);
        /* A FINGERPRINT that turned into another attribute is none. */
        assert_true(err == CP_ERR_FORMAT || !message.fingerprint ||
                    !cp_stun_authentic(changed, &message, PASSWORD));
    }
}

static void success_answers_the_same_address_as_rfc5769(void **state)
{
    uint8_t request[256], answer[CP_STUN_ANSWER_BYTES], expected[256];
    struct cp_stun_message message, back;
    struct cp_address from = {.length = sizeof from.v4};
    from.v4.sin_family = AF_INET;
    from.v4.sin_port = htons(32853);
    inet_pton(AF_INET, "192.0.2.1", &from.v4.sin_addr);
    assert_int_equal(cp_stun_parse(request, from_hex(REQUEST, request), &message), 0);
    size_t n = cp_stun_success(answer, &message, &from, PASSWORD);
    from_hex(RESPONSE, expected);
    assert_memory_equal(answer + 20, expected + 36, 12); /* XOR-MAPPED-ADDRESS */
    assert_int_equal(cp_stun_parse(answer, n, &back), 0);
    assert_true(back.fingerprint);
    assert_true(cp_stun_authentic(answer, &back, PASSWORD));
    assert_true(n < 108); /* never more than what was asked with */
}

static void success_masks_ipv6_with_the_transaction(void **state)
{
    /* RFC 5769 section 2.3: 2001:db8:1234:5678:11:2233:4455:6677 */
    uint8_t request[256], answer[CP_STUN_ANSWER_BYTES], expected[32];
    struct cp_stun_message message;
    struct cp_address from = {.length = sizeof from.v6};
    from.v6.sin6_family = AF_INET6;
    from.v6.sin6_port = htons(32853);
    inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &from.v6.sin6_addr);
    assert_int_equal(cp_stun_parse(request, from_hex(REQUEST, request), &message), 0);
    cp_stun_success(answer, &message, &from, PASSWORD);
    size_t n = from_hex("00200014 0002a147 0113a9faa5d3f179 bc25f4b5bed2b9d9", expected);
    assert_memory_equal(answer + 20, expected, n);
}

static void error_names_code_and_unknown_attributes(void **state)
{
    uint8_t answer[CP_STUN_ANSWER_BYTES];
    struct cp_stun_message request = {.n_unknown = 1, .unknown = {0x7777}}, back;
    size_t n = cp_stun_error(answer, &request, 420, "pwd");
    assert_int_equal(cp_stun_parse(answer, n, &back), 0);
    assert_int_equal(back.type, CP_STUN_BINDING_ERROR);
    assert_int_equal(answer[26], 4);
    assert_int_equal(answer[27], 20);
    assert_int_equal(cp_get16(answer + 28), 0x000a);
    assert_int_equal(cp_get16(answer + 32), 0x7777);
    assert_true(cp_stun_authentic(answer, &back, "pwd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_the_request_of_rfc5769),
        cmocka_unit_test(parse_reads_the_response_of_rfc5769),
        cmocka_unit_test(parse_refuses_every_cut_and_every_flipped_bit),
        cmocka_unit_test(success_answers_the_same_address_as_rfc5769),
        cmocka_unit_test(success_masks_ipv6_with_the_transaction),
        cmocka_unit_test(error_names_code_and_unknown_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
