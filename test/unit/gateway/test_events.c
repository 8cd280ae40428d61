/* Server-sent events. */
#include "serving.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void handle_events(void *user, struct cp_request *request)
{
    const char *channel = cp_request_query(request, "channel"), *type = cp_request_query(request, "type");
    cp_request_reply_events(request, channel ? channel : "", type ? type : "");
}

static const struct cp_field QUERY[] = {{"channel", CP_FIELD_TEXT}, {"type", CP_FIELD_TEXT}, {NULL}};

static const struct cp_route ROUTES[] = {
    {CP_GET, "/v1/events", CP_ROLE_VIEWER, "Events.", .query = QUERY, .unlimited = true,
     .handle = handle_events},
};

static int setup(void **state)
{
    *state = serving_create();
    serving_start(*state, ROUTES, 1);
    return 0;
}

static int teardown(void **state)
{
    serving_destroy(*state);
    return 0;
}

struct stream {
    int file;
    char text[1 << 20]; /* all that came, chunk headers and all */
    size_t used;
    bool ended;
};

static struct stream *listen_to(struct serving *s, const char *query, const char *headers)
{
    struct stream *stream = calloc(1, sizeof *stream);
    char text[512];
    stream->file = connect_to(s);
    snprintf(text, sizeof text, "GET /v1/events%s HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n%s\r\n",
             query, s->viewer, headers);
    send_all(stream->file, text, strlen(text));
    return stream;
}

/* Reads until the text has come; false when the stream ends or 5 s pass before. */
static bool comes(struct stream *stream, const char *text)
{
    while (!strstr(stream->text, text)) {
        ssize_t n =
            recv(stream->file, stream->text + stream->used, sizeof stream->text - 1 - stream->used, 0);
        if (n <= 0) {
            stream->ended = n == 0 || strstr(stream->text, "\r\n0\r\n\r\n");
            return false;
        }
        stream->used += (size_t)n;
    }
    return true;
}

static void stream_close(struct stream *stream)
{
    close(stream->file);
    free(stream);
}

static void publish(struct serving *s, const char *type, const char *channel, int n)
{
    cp_gateway_publish(s->gateway, type, channel, json_pack("{s:i}", "n", n));
}

static double value_of(struct serving *s, const char *name, bool gauge)
{
    return cp_metric_value(gauge ? cp_gauge(s->observe, name, "", "") : cp_counter(s->observe, name, "", ""));
}

static void listeners_get_events_with_growing_ids(void **state)
{
    struct serving *s = *state;
    struct stream *a = listen_to(s, "", ""), *b = listen_to(s, "", "");
    assert_true(comes(a, ": welcome\n\n"));
    assert_true(comes(b, ": welcome\n\n"));
    assert_non_null(strstr(a->text, "Content-Type: text/event-stream\r\n"));
    assert_true(value_of(s, "compere_events_listeners", true) == 2);
    publish(s, "cue", "main", 1);
    publish(s, "health", NULL, 2);
    assert_true(comes(a, "event: health\ndata: {\"n\":2}\n\n"));
    assert_true(comes(b, "event: health\ndata: {\"n\":2}\n\n"));
    assert_non_null(strstr(a->text, "event: cue\ndata: {\"n\":1,\"channel\":\"main\"}\n\n"));
    uint64_t first = strtoull(strstr(a->text, "id: ") + 4, NULL, 10);
    uint64_t second = strtoull(strstr(strstr(a->text, "id: ") + 4, "id: ") + 4, NULL, 10);
    assert_true(second == first + 1);
    assert_true(first > 1600000000000); /* grows over restarts: it begins at the time */
    stream_close(a);
    stream_close(b);
}

static void channel_filters_but_lets_general_events_through(void **state)
{
    struct serving *s = *state;
    struct stream *a = listen_to(s, "?channel=main", "");
    assert_true(comes(a, ": welcome"));
    publish(s, "x", "side", 1);
    publish(s, "x", "main", 2);
    publish(s, "x", "", 3);
    assert_true(comes(a, "{\"n\":3}"));
    assert_non_null(strstr(a->text, "{\"n\":2,\"channel\":\"main\"}"));
    assert_null(strstr(a->text, "side"));
    stream_close(a);
}

static void type_filters_too(void **state)
{
    struct serving *s = *state;
    struct stream *a = listen_to(s, "?channel=main&type=caption", "");
    assert_true(comes(a, ": welcome"));
    publish(s, "caption", "side", 1);
    publish(s, "cue", "main", 2);
    publish(s, "caption", "main", 3);
    assert_true(comes(a, "event: caption\ndata: {\"n\":3"));
    assert_null(strstr(a->text, "{\"n\":1"));
    assert_null(strstr(a->text, "{\"n\":2"));
    stream_close(a);
}

static void last_event_id_replays_what_was_missed(void **state)
{
    struct serving *s = *state;
    struct stream *a = listen_to(s, "", "");
    assert_true(comes(a, ": welcome"));
    publish(s, "x", "", 0);
    assert_true(comes(a, "{\"n\":0}"));
    uint64_t id = strtoull(strstr(a->text, "id: ") + 4, NULL, 10);
    stream_close(a);
    for (int i = 1; i <= 5; i++)
        publish(s, "x", "", i);
    char header[64];
    snprintf(header, sizeof header, "Last-Event-ID: %" PRIu64 "\r\n", id + 2);
    a = listen_to(s, "", header);
    assert_true(comes(a, "{\"n\":5}"));
    assert_null(strstr(a->text, "{\"n\":2}"));
    assert_non_null(strstr(a->text, "{\"n\":3}"));
    assert_non_null(strstr(a->text, "{\"n\":4}"));
    assert_null(strstr(a->text, "event: gap"));
    publish(s, "x", "", 6);
    assert_true(comes(a, "{\"n\":6}"));
    stream_close(a);
}

static void gap_is_told_when_events_are_lost(void **state)
{
    struct serving *s = *state;
    for (int i = 0; i < 1500; i++)
        publish(s, "x", "", i);
    struct stream *a = listen_to(s, "", "Last-Event-ID: 5\r\n");
    assert_true(comes(a, "{\"n\":1499}"));
    assert_non_null(strstr(a->text, "event: gap\ndata: {\"from\":5,\"to\":"));
    assert_null(strstr(a->text, "{\"n\":475}"));
    assert_non_null(strstr(a->text, "{\"n\":476}")); /* the oldest of the last 1024 */
    stream_close(a);
    a = listen_to(s, "", "Last-Event-ID: nonsense\r\n"); /* as if it were not there */
    assert_true(comes(a, ": welcome"));
    stream_close(a);
}

static void listener_that_does_not_read_is_dropped(void **state)
{
    struct serving *s = *state;
    struct stream *slow = listen_to(s, "", ""), *quick = listen_to(s, "", "");
    char filler[2001];
    memset(filler, 'f', 2000);
    filler[2000] = 0;
    assert_true(comes(slow, ": welcome"));
    assert_true(comes(quick, ": welcome"));
    /* More than sockets buffer on both ends (a few MB) and than the ring holds. */
    for (int i = 0; i < 12000; i++) {
        cp_gateway_publish(s->gateway, "big", "", json_pack("{s:i, s:s}", "i", i, "f", filler));
        if (i % 200 == 199) {
            char mark[64];
            snprintf(mark, sizeof mark, "{\"i\":%d,", i);
            assert_true(comes(quick, mark));
            quick->used = 0;
            memset(quick->text, 0, sizeof quick->text);
        }
    }
    int64_t deadline_ns = cp_clock_now_ns() + 5 * CP_NS_PER_S;
    while (value_of(s, "compere_events_listeners_dropped_total", false) < 1 &&
           cp_clock_now_ns() < deadline_ns)
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 5 * CP_NS_PER_MS);
    assert_true(value_of(s, "compere_events_listeners_dropped_total", false) == 1);
    publish(s, "x", "", 1);
    assert_true(comes(quick, "event: x"));
    stream_close(slow);
    stream_close(quick);
}

static void listener_that_leaves_is_forgotten_soon(void **state)
{
    struct serving *s = *state;
    struct stream *a = listen_to(s, "", "");
    assert_true(comes(a, ": welcome"));
    stream_close(a);
    int64_t deadline_ns = cp_clock_now_ns() + 5 * CP_NS_PER_S;
    while (value_of(s, "compere_events_listeners", true) > 0 && cp_clock_now_ns() < deadline_ns)
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 5 * CP_NS_PER_MS);
    assert_true(value_of(s, "compere_events_listeners", true) == 0);
}

static void shutdown_ends_the_stream(void **state)
{
    struct serving *s = *state;
    struct stream *a = listen_to(s, "", "");
    assert_true(comes(a, ": welcome"));
    serving_stop(s);
    assert_false(comes(a, "never"));
    assert_true(a->ended);
    stream_close(a);
}

static void events_need_their_role(void **state)
{
    struct serving *s = *state;
    EXPECT(401, request(s, "GET", "/v1/events", NULL, NULL, NULL));
    EXPECT(200, request(s, "HEAD", "/v1/events", s->viewer, NULL, NULL));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(listeners_get_events_with_growing_ids),
        CASE(channel_filters_but_lets_general_events_through),
        CASE(type_filters_too),
        CASE(last_event_id_replays_what_was_missed),
        CASE(gap_is_told_when_events_are_lost),
        CASE(listener_that_does_not_read_is_dropped),
        CASE(listener_that_leaves_is_forgotten_soon),
        CASE(shutdown_ends_the_stream),
        CASE(events_need_their_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
