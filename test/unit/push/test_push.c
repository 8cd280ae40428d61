/* Addresses and what is hidden of them; the queue of an output whose peer stands still. */
#include "deliver/push/push_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void addresses_join_url_and_key(void **state)
{
    static const struct {
        const char *url, *key, *address; /* NULL: refused */
    } CASES[] = {
        {"rtmp://host/app", "key", "rtmp://host/app/key"},
        {"rtmps://host:443/app/", "k?a=1&b=2", "rtmps://host:443/app/k?a=1&b=2"},
        {"rtmp://host/app/key", "", "rtmp://host/app/key"},
        {"srt://host:9000", "", "srt://host:9000"},
        {"srt://host:9000", "id", "srt://host:9000?streamid=id"},
        {"srt://host:9000?latency=20000", "id", "srt://host:9000?latency=20000&streamid=id"},
        {"http://host/app", "key", NULL},
        {"file:///tmp/a", "", NULL},
        {"rtmp://host", "key", NULL},
        {"rtmp:///app", "key", NULL},
        {"rtmp://host/app", "key listen=1", NULL},
        {"rtmp://host/app\n", "key", NULL},
        {"rtmp://host/app?x=1", "key", NULL},
        {"srt://host", "id", NULL},
        {"srt://host:9000?mode=listener", "", NULL},
        {"srt://host:9000", "id&mode=listener", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char address[CP_PUSH_ADDRESS_BYTES] = "";
        struct cp_error error = {.text = ""};
        int result = cp_push_address(CASES[i].url, CASES[i].key, address, &error);
        assert_int_equal(result == 0, CASES[i].address != NULL);
        if (!result)
            assert_string_equal(address, CASES[i].address);
        else if (*CASES[i].key)
            assert_null(strstr(error.text, "listen=1"));
    }
    char url[CP_PUSH_ADDRESS_BYTES] = "rtmp://host/", address[CP_PUSH_ADDRESS_BYTES];
    memset(url + 12, 'a', sizeof url - 13);
    url[sizeof url - 1] = 0;
    assert_int_equal(cp_push_address(url, "key", address, NULL), CP_ERR_LIMIT);
}

static void masks_hide_what_may_be_secret(void **state)
{
    static const char *const CASES[][2] = {
        {"rtmp://host/app/SECRET", "rtmp://host/app/***"},
        {"rtmp://host/app/SECRET?x=SECRET", "rtmp://host/app/***"},
        {"rtmp://host/app?x=SECRET", "rtmp://host/app?***"},
        {"rtmp://SECRET:SECRET@host:1935/app/SECRET", "rtmp://***@host:1935/app/***"},
        {"rtmp://host/app/", "rtmp://host/app"},
        {"srt://host:9000?streamid=SECRET", "srt://host:9000?***"},
        {"srt://host:9000", "srt://host:9000"},
        {"srt://host:9000/?passphrase=SECRET", "srt://host:9000/?***"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char masked[CP_PUSH_ADDRESS_BYTES];
        cp_push_mask(CASES[i][0], masked);
        assert_string_equal(masked, CASES[i][1]);
    }
}

/* An output without a thread: what it is given stays in its queue. */
static void make_output(struct cp_push_output *output)
{
    memset(output, 0, sizeof *output);
    pthread_mutex_init(&output->lock, NULL);
    pthread_cond_init(&output->wake, NULL);
    output->status.state = CP_PUSH_LIVE;
}

static bool give(struct cp_push_output *output, struct cp_pool *pool, bool key)
{
    struct cp_packet *packet = cp_packet_get(pool);
    if (!packet)
        return false;
    packet->codec = CP_CODEC_H264;
    packet->key = key;
    cp_push_output_take(output, packet);
    cp_ref_drop(packet);
    return true;
}

static void queue_begins_and_goes_on_at_key_frames(void **state)
{
    struct cp_push_output output;
    struct cp_pool *pool = cp_packet_pool_create(64, CP_PUSH_PICTURES + 1);
    make_output(&output);
    assert_true(give(&output, pool, true)); /* not connected: nothing is kept */
    assert_int_equal(output.depth, 0);
    cp_push_want(&output, true);
    assert_true(give(&output, pool, false));
    assert_int_equal(output.depth, 0);
    assert_true(give(&output, pool, true));
    for (int i = 1; i < CP_PUSH_PICTURES; i++)
        assert_true(give(&output, pool, false));
    assert_int_equal(output.depth, CP_PUSH_PICTURES);
    uint64_t before = output.status.dropped;
    assert_true(give(&output, pool, false)); /* full: all go, and this one has nothing to follow */
    assert_int_equal(output.depth, 0);
    assert_int_equal(output.status.dropped - before, CP_PUSH_PICTURES + 1);
    assert_true(give(&output, pool, false));
    assert_int_equal(output.depth, 0);
    assert_true(give(&output, pool, true));
    struct cp_packet *packet = cp_push_next(&output, 0);
    assert_true(packet->key);
    cp_ref_drop(packet);
    cp_push_want(&output, false);
    cp_pool_destroy(pool);
}

/* The encoders' pools are larger than a queue; outputs that stand still must not use up the rest. */
static void still_outputs_leave_packets_to_the_encoder(void **state)
{
    struct cp_push_output output[4];
    struct cp_pool *pool = cp_packet_pool_create(64, CP_PUSH_PICTURES + 1);
    for (int i = 0; i < 4; i++)
        make_output(&output[i]);
    for (int n = 0; n < 1000; n++) {
        struct cp_packet *packet = cp_packet_get(pool);
        assert_non_null(packet);
        packet->codec = CP_CODEC_H264;
        packet->key = n % 60 == 0;
        for (int i = 0; i < 4; i++) {
            if (n == 17 * i)
                cp_push_want(&output[i], true);
            cp_push_output_take(&output[i], packet);
        }
        cp_ref_drop(packet);
    }
    for (int i = 0; i < 4; i++)
        cp_push_want(&output[i], false);
    cp_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_join_url_and_key),
        cmocka_unit_test(masks_hide_what_may_be_secret),
        cmocka_unit_test(queue_begins_and_goes_on_at_key_frames),
        cmocka_unit_test(still_outputs_leave_packets_to_the_encoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
