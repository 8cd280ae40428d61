/* What needs time or inner views: slow clients, heartbeats, rate buckets, the route table, keys. */
#include "serving.h"

#include "base/clock.h"
#include "gateway/gateway_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void handle_events(void *user, struct cp_request *request)
{
    cp_request_reply_events(request, "", "");
}

static void handle_hold(void *user, struct cp_request *request)
{
    struct serving *s = user;
    cp_request_hold(request, NULL, NULL);
    s->user = request;
}

static const struct cp_route ROUTES[] = {
    {CP_GET, "/v1/events", CP_ROLE_PUBLIC, .unlimited = true, .handle = handle_events},
    {CP_GET, "/v1/hold", CP_ROLE_PUBLIC, .handle = handle_hold},
    {CP_PUT, "/v1/body", CP_ROLE_PUBLIC, .body_type = "*/*", .handle = handle_hold},
};

static int setup(void **state)
{
    *state = serving_create();
    serving_start(*state, ROUTES, 3);
    return 0;
}

static int teardown(void **state)
{
    serving_destroy(*state);
    return 0;
}

static void wait_for_connections(struct serving *s, int64_t n)
{
    int64_t deadline_ns = cp_clock_now_ns() + 5 * CP_NS_PER_S, open = -1;
    while (open != n && cp_clock_now_ns() < deadline_ns) {
        cp_clock_sleep_until_ns(cp_clock_now_ns() + CP_NS_PER_MS);
        pthread_mutex_lock(&s->gateway->clients.lock);
        open = s->gateway->clients.n_open;
        pthread_mutex_unlock(&s->gateway->clients.lock);
    }
    assert_int_equal(open, n);
}

static void slow_clients_are_disconnected(void **state)
{
    struct serving *s = *state;
    char byte;
    const char *const slow[] = {
        "", "GET /v1/ho", "GET /v1/hold HTTP/1.1\r\nX-A: b\r\n",
        "PUT /v1/body HTTP/1.1\r\nHost: t\r\nContent-Type: a/b\r\nContent-Length: 9\r\n\r\nab"};
    int files[4];
    for (int i = 0; i < 4; i++) {
        files[i] = connect_to(s);
        send_all(files[i], slow[i], strlen(slow[i]));
    }
    wait_for_connections(s, 4);
    cp_clients_reap(s->gateway, cp_clock_now_ns() + CP_HEAD_TIMEOUT_NS / 2); /* not yet */
    assert_int_equal(recv(files[0], &byte, 1, MSG_DONTWAIT), -1);
    cp_clients_reap(s->gateway, cp_clock_now_ns() + 2 * CP_BODY_TIMEOUT_NS);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(recv(files[i], &byte, 1, 0), 0);
        close(files[i]);
    }
    wait_for_connections(s, 0);
    assert_true(cp_metric_value(s->gateway->slow_clients) == 4);
}

static void held_request_is_not_slow(void **state)
{
    struct serving *s = *state;
    const char *ask = "GET /v1/hold HTTP/1.1\r\nHost: t\r\n\r\n";
    int file = connect_to(s);
    send_all(file, ask, strlen(ask));
    int64_t deadline_ns = cp_clock_now_ns() + 5 * CP_NS_PER_S;
    int held = 0;
    while (!held && cp_clock_now_ns() < deadline_ns) {
        pthread_mutex_lock(&s->gateway->held_lock);
        held = s->gateway->n_held;
        pthread_mutex_unlock(&s->gateway->held_lock);
    }
    assert_int_equal(held, 1);
    cp_clients_reap(s->gateway, cp_clock_now_ns() + 1000 * CP_NS_PER_S);
    cp_request_reply_bytes(s->user, 200, "text/plain", "late", 4);
    EXPECT_TEXT(200, "late", read_response(file, false));
    close(file);
}

static void heartbeat_is_a_comment(void **state)
{
    struct serving *s = *state;
    const char *ask = "GET /v1/events HTTP/1.1\r\nHost: t\r\n\r\n";
    char text[4096] = "";
    size_t used = 0;
    int file = connect_to(s);
    send_all(file, ask, strlen(ask));
    for (int beat = 0; beat < 1000 && !strstr(text, ": still here\n\n"); beat++) {
        cp_events_heartbeat(s->gateway->events, cp_clock_now_ns() + (1000 + 60 * beat) * CP_NS_PER_S);
        ssize_t n = recv(file, text + used, sizeof text - 1 - used, MSG_DONTWAIT);
        used += n > 0 ? (size_t)n : 0;
        cp_clock_sleep_until_ns(cp_clock_now_ns() + CP_NS_PER_MS);
    }
    assert_non_null(strstr(text, ": welcome\n\n"));
    assert_non_null(strstr(text, ": still here\n\n"));
    close(file);
}

static void bucket_fills_with_time(void **state)
{
    struct cp_limits *limits = cp_limits_create(10, 5);
    int64_t now_ns = 1000 * CP_NS_PER_S;
    for (int i = 0; i < 5; i++) {
        struct cp_allowance a = cp_limits_take(limits, "ann", now_ns);
        assert_true(a.allowed);
        assert_int_equal(a.limit, 5);
        assert_int_equal(a.remaining, 4 - i);
    }
    assert_false(cp_limits_take(limits, "ann", now_ns).allowed);
    assert_true(cp_limits_take(limits, "bob", now_ns).allowed);
    assert_false(cp_limits_take(limits, "ann", now_ns + 90 * CP_NS_PER_MS).allowed);
    assert_true(cp_limits_take(limits, "ann", now_ns + 200 * CP_NS_PER_MS).allowed);
    struct cp_allowance later = cp_limits_take(limits, "ann", now_ns + 3600 * CP_NS_PER_S);
    assert_int_equal(later.remaining, 4); /* full again, not more */
    cp_limits_destroy(limits);
}

static void many_names_push_out_the_longest_unseen_only(void **state)
{
    struct cp_limits *limits = cp_limits_create(1, 2);
    int64_t now_ns = CP_NS_PER_S;
    char name[32];
    for (int i = 0; i < 100000; i++) {
        now_ns += 1000;
        snprintf(name, sizeof name, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        cp_limits_take(limits, name, now_ns);
        if (i % 100 == 0)
            cp_limits_take(limits, "busy", now_ns);
    }
    assert_false(cp_limits_take(limits, "busy", now_ns).allowed); /* seen often: not forgotten */
    cp_limits_destroy(limits);
}

static void table_with_a_defect_is_refused(void **state)
{
    const struct cp_route bad[] = {
        {CP_GET, "v1/x", CP_ROLE_PUBLIC, .handle = handle_hold},
        {CP_GET, "/v1/{rest...}/x", CP_ROLE_PUBLIC, .handle = handle_hold},
        {CP_GET, "/v1/x", CP_ROLE_UNSET, .handle = handle_hold},
        {CP_METHOD_UNSET, "/v1/x", CP_ROLE_PUBLIC, .handle = handle_hold},
        {CP_GET, "/v1/x", CP_ROLE_PUBLIC},
    };
    struct cp_routes *routes = NULL;
    struct cp_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(cp_routes_create(&bad[i], 1, &routes, &error), CP_ERR_INTERNAL);
        assert_non_null(strstr(error.text, bad[i].path));
        assert_null(routes);
    }
}

static void key_checksum_finds_every_single_change(void **state)
{
    struct serving *s = *state;
    assert_true(cp_key_well_formed(s->admin));
    for (size_t i = 0; s->admin[i]; i++) {
        char key[CP_KEY_BYTES];
        memcpy(key, s->admin, sizeof key);
        key[i] = key[i] == 'x' ? 'y' : 'x';
        assert_false(cp_key_well_formed(key));
        if (i + 1 < strlen(s->admin) && s->admin[i] != s->admin[i + 1]) { /* and swapped neighbours */
            key[i] = s->admin[i + 1];
            key[i + 1] = s->admin[i];
            assert_false(cp_key_well_formed(key));
        }
    }
    assert_int_equal(cp_key_create(s->store, CP_ROLE_PUBLIC, "", s->viewer, s->admin_id, NULL),
                     CP_ERR_INVALID);
    assert_int_equal(cp_key_create(s->store, CP_ROLE_VIEWER, "\xff", s->viewer, s->admin_id, NULL),
                     CP_ERR_INVALID);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(slow_clients_are_disconnected),
        CASE(held_request_is_not_slow),
        CASE(heartbeat_is_a_comment),
        cmocka_unit_test(bucket_fills_with_time),
        cmocka_unit_test(many_names_push_out_the_longest_unseen_only),
        cmocka_unit_test(table_with_a_defect_is_refused),
        CASE(key_checksum_finds_every_single_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
