/* The HTTP client against a small server that answers well and badly. */
#include "base/clock.h"
#include "base/http.h"
#include "base/thread.h"
#include "web.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct web *web;
static struct cp_http *http;

static void handle(void *user, struct web_connection *c, const struct web_request *request)
{
    const char *path = request->path;
    char key[64] = "";
    if (!strcmp(path, "/echo")) {
        web_header(request, "X-Key", key, sizeof key);
        char headers[128];
        snprintf(headers, sizeof headers, "X-Method: %s\r\nX-Key-Back:   %s  \r\n", request->method, key);
        web_reply(c, 200, "text/plain", headers, request->body, request->body_length);
    } else if (!strcmp(path, "/long")) {
        web_begin(c, "application/octet-stream");
        char block[1000];
        memset(block, 'x', sizeof block);
        for (int i = 0; i < 100; i++)
            web_chunk(c, block, sizeof block);
        web_end(c);
    } else if (!strcmp(path, "/silent")) {
        while (web_pause(c, 1000))
            ;
    } else if (!strcmp(path, "/stalls")) {
        web_begin(c, "text/plain");
        web_chunk(c, "begin", 5);
        while (web_pause(c, 1000))
            ;
    } else if (!strcmp(path, "/cut")) {
        web_begin(c, "text/plain");
        web_chunk(c, "begin", 5);
        web_pause(c, 30);
        web_cut(c);
    } else if (!strcmp(path, "/cut-early")) {
        web_cut(c);
    } else if (!strcmp(path, "/garbage")) {
        web_raw(c, "\x16\x03\x01 nothing that HTTP knows\r\n\r\n", 30);
        web_cut(c);
    } else if (!strcmp(path, "/away")) {
        web_reply(c, 307, "text/plain", "Location: http://127.0.0.1:1/elsewhere\r\n", "", 0);
    } else if (sscanf(path, "/status/%63s", key) == 1) {
        static const char text[] = "the\nservice  says why; sk-secret";
        web_reply(c, atoi(key), "text/plain", "Retry-After: 7\r\n", text, sizeof text - 1);
    } else {
        web_reply(c, 404, "text/plain", "", "", 0);
    }
}

static char url[200];

static struct cp_http_request request_of(const char *path)
{
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", web_port(web), path);
    return (struct cp_http_request){.who = "the service", .stage = "test", .url = url};
}

static int get(const char *path, struct cp_http_response *response, struct cp_error *error)
{
    struct cp_http_request request = request_of(path);
    return cp_http_send(http, &request, response, error);
}

static void bodies_and_headers_go_there_and_back(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "GET"};
    for (size_t i = 0; i < 4; i++) {
        const char *headers[] = {"X-Key: value of it", NULL};
        struct cp_http_request request = request_of("/echo");
        request.method = methods[i];
        request.headers = headers;
        request.body = i < 2 ? "some bytes" : NULL;
        request.body_bytes = i < 2 ? 10 : 0;
        struct cp_http_response response;
        assert_int_equal(cp_http_send(http, &request, &response, NULL), 0);
        assert_int_equal(response.status, 200);
        assert_string_equal(cp_buffer_string(&response.body), i < 2 ? "some bytes" : "");
        char value[64];
        assert_true(cp_http_header(&response, "x-method", value, sizeof value));
        assert_string_equal(value, methods[i]);
        assert_true(cp_http_header(&response, "X-KEY-BACK", value, sizeof value));
        assert_string_equal(value, "value of it");
        assert_false(cp_http_header(&response, "X-KEY-BACK", value, 5));
        assert_false(cp_http_header(&response, "X-Key", value, sizeof value));
        assert_int_equal(cp_http_check(&request, &response, NULL), 0);
        cp_http_response_free(&response);
    }
}

struct source {
    size_t given, whole;
    int rewound;
};

static size_t give(void *user, uint8_t *to, size_t capacity)
{
    struct source *source = user;
    size_t n = source->whole - source->given;
    n = n > capacity ? capacity : n;
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)('a' + (source->given + i) % 26);
    source->given += n;
    return n;
}

static size_t give_up(void *user, uint8_t *to, size_t capacity)
{
    return SIZE_MAX;
}

static void bodies_are_read_from_a_reader(void **state)
{
    struct source source = {.whole = 300000};
    struct cp_http_request request = request_of("/echo");
    request.method = "PUT";
    request.read_body = give;
    request.body_bytes = source.whole;
    request.user = &source;
    request.max_body_bytes = 1 << 20;
    struct cp_http_response response;
    assert_int_equal(cp_http_send(http, &request, &response, NULL), 0);
    assert_int_equal(response.body.length, source.whole);
    for (size_t i = 0; i < source.whole; i++)
        assert_int_equal(response.body.data[i], 'a' + i % 26);
    cp_http_response_free(&response);
    request.read_body = give_up;
    struct cp_error error;
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_IO);
    cp_http_response_free(&response);
}

static int count(void *user, const uint8_t *bytes, size_t length)
{
    *(size_t *)user += length;
    return *(size_t *)user > 50000 ? CP_ERR_FORMAT : 0;
}

static void answers_are_streamed_and_bounded(void **state)
{
    struct cp_http_response response;
    struct cp_error error;
    assert_int_equal(get("/long", &response, &error), CP_ERR_LIMIT); /* 64 KiB unless told */
    cp_http_response_free(&response);
    struct cp_http_request request = request_of("/long");
    request.max_body_bytes = 100000;
    assert_int_equal(cp_http_send(http, &request, &response, &error), 0);
    assert_int_equal(response.body.length, 100000);
    assert_true(response.any_body && response.first_byte_ns > 0);
    cp_http_response_free(&response);
    size_t n = 0;
    request.take_body = count;
    request.user = &n;
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_FORMAT);
    assert_in_range(n, 50001, 99999);
    assert_int_equal(response.body.length, 0);
    cp_http_response_free(&response);
}

static void connections_are_kept(void **state)
{
    struct cp_http_response response;
    assert_int_equal(get("/echo", &response, NULL), 0);
    cp_http_response_free(&response);
    int before = web_connections(web);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(get("/echo", &response, NULL), 0);
        cp_http_response_free(&response);
    }
    assert_int_equal(web_connections(web), before);
}

static void *many(void *arg)
{
    int *good = arg;
    struct cp_http_request request = {.who = "the service", .stage = "test", .url = url};
    for (int i = 0; i < 25; i++) {
        struct cp_http_response response;
        *good += !cp_http_send(http, &request, &response, NULL) && response.status == 200;
        cp_http_response_free(&response);
    }
    return NULL;
}

static void threads_share_a_client(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int good[THREADS] = {0};
    request_of("/echo"); /* sets url */
    int before = web_connections(web);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(cp_thread_start(&threads[i], "test", many, &good[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(good[i], 25);
    }
    assert_true(web_connections(web) - before < 8 * 25 / 2);
}

static void waiting_has_an_end(void **state)
{
    struct cp_http_response response;
    struct cp_error error;
    struct cp_http_request request = request_of("/silent");
    request.first_byte_ms = 100;
    int64_t start_ns = cp_clock_now_ns();
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_TIMEOUT);
    assert_in_range(cp_clock_now_ns() - start_ns, 90 * CP_NS_PER_MS, 1000 * CP_NS_PER_MS);
    assert_non_null(strstr(error.text, "the service at http://127.0.0.1:"));
    cp_http_response_free(&response);
    request = request_of("/stalls");
    request.idle_ms = 100;
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_TIMEOUT);
    assert_true(response.any_body);
    cp_http_response_free(&response);
    request = request_of("/stalls");
    request.total_ms = 100;
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_TIMEOUT);
    cp_http_response_free(&response);
}

static void *stop_soon(void *arg)
{
    usleep(60000);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void requests_are_cancelled_at_once(void **state)
{
    static const char *const paths[] = {"/silent", "/stalls"};
    for (size_t i = 0; i < 2; i++) {
        atomic_bool stop = false;
        struct cp_http_request request = request_of(paths[i]);
        request.stop = &stop;
        pthread_t thread;
        assert_int_equal(cp_thread_start(&thread, "test", stop_soon, &stop), 0);
        int64_t start_ns = cp_clock_now_ns();
        struct cp_http_response response;
        assert_int_equal(cp_http_send(http, &request, &response, NULL), CP_ERR_CANCELLED);
        assert_in_range(cp_clock_now_ns() - start_ns, 50 * CP_NS_PER_MS, 400 * CP_NS_PER_MS);
        cp_http_response_free(&response);
        pthread_join(thread, NULL);
    }
}

static void broken_connections_are_told(void **state)
{
    struct cp_http_response response;
    struct cp_error error;
    assert_int_equal(get("/cut", &response, &error), CP_ERR_IO);
    assert_true(response.any_body && !cp_http_may_retry(CP_ERR_IO, &response));
    cp_http_response_free(&response);
    assert_int_equal(get("/cut-early", &response, &error), CP_ERR_IO);
    assert_true(cp_http_may_retry(CP_ERR_IO, &response));
    cp_http_response_free(&response);
    int result = get("/garbage", &response, &error);
    assert_true(result == CP_ERR_IO);
    cp_http_response_free(&response);

    struct cp_http_request request = {
        .who = "the service", .stage = "test", .url = "http://127.0.0.1:1/x?k=s"};
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "nobody answers at http://127.0.0.1:1;"));
    cp_http_response_free(&response);
    request.url = "http://no-such-host.invalid/";
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_UNAVAILABLE);
    cp_http_response_free(&response);
    static const char *const wrong[] = {"", "file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1", "http://"};
    for (size_t i = 0; i < 5; i++) {
        request.url = wrong[i];
        assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_INVALID);
        cp_http_response_free(&response);
    }
    const char *headers[] = {"X: a\r\nY: b", NULL};
    request.url = url;
    request.headers = headers;
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_INVALID);
    cp_http_response_free(&response);
}

static void answers_other_than_success_say_what_to_do(void **state)
{
    static const struct {
        int status, code;
        bool retry;
        const char *text;
    } CASES[] = {
        {400, CP_ERR_INVALID, false, "the service says why"}, {401, CP_ERR_DENIED, false, "check the key"},
        {403, CP_ERR_DENIED, false, "check the key"},         {404, CP_ERR_NOT_FOUND, false, "404"},
        {429, CP_ERR_BUSY, true, "try again later"},          {500, CP_ERR_UNAVAILABLE, true, "says why"},
        {503, CP_ERR_UNAVAILABLE, true, "says why"},          {501, CP_ERR_UNAVAILABLE, false, ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char path[32];
        snprintf(path, sizeof path, "/status/%d", CASES[i].status);
        struct cp_http_request request = request_of(path);
        struct cp_http_response response;
        struct cp_error error;
        assert_int_equal(cp_http_send(http, &request, &response, &error), 0);
        assert_int_equal(response.status, CASES[i].status);
        assert_false(response.any_body);
        assert_int_equal(cp_http_check(&request, &response, &error), CASES[i].code);
        assert_non_null(strstr(error.text, CASES[i].text));
        if (CASES[i].code == CP_ERR_DENIED)
            assert_null(strstr(error.text, "secret"));
        assert_int_equal(cp_http_may_retry(0, &response), CASES[i].retry);
        assert_in_range(cp_http_backoff_ms(&response, 1, 100), 7000, 7000);
        cp_http_response_free(&response);
    }
    struct cp_http_request request = request_of("/away");
    struct cp_http_response response;
    struct cp_error error;
    int before = web_requests(web);
    assert_int_equal(cp_http_send(http, &request, &response, &error), 0);
    assert_int_equal(cp_http_check(&request, &response, &error), CP_ERR_UNSUPPORTED);
    assert_int_equal(web_requests(web), before + 1);
    cp_http_response_free(&response);
}

static void waits_grow_and_differ(void **state)
{
    struct cp_http_response none = {0};
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 200; i++) {
        int64_t wait_ms = cp_http_backoff_ms(&none, 3, 100);
        least = wait_ms < least ? wait_ms : least;
        most = wait_ms > most ? wait_ms : most;
    }
    assert_in_range(least, 200, 260);
    assert_in_range(most, 340, 400);
    assert_in_range(cp_http_backoff_ms(&none, 99, 100), 2500, 5000);
}

static void text_is_encoded_for_urls(void **state)
{
    char text[32];
    assert_true(cp_http_encode("a/b c~ü", text, sizeof text));
    assert_string_equal(text, "a%2Fb%20c~%C3%BC");
    assert_false(cp_http_encode("ü", text, 6));
    assert_true(cp_http_encode("ü", text, 7));
    assert_true(cp_http_encode("", text, 1));
}

static void addresses_of_this_network_are_told_apart(void **state)
{
    static const struct {
        const char *address;
        bool public;
    } CASES[] = {{"1.1.1.1", true},
                 {"93.184.216.34", true},
                 {"172.15.0.1", true},
                 {"172.32.0.1", true},
                 {"100.63.255.255", true},
                 {"127.0.0.1", false},
                 {"127.255.1.1", false},
                 {"0.0.0.0", false},
                 {"10.1.2.3", false},
                 {"172.16.0.1", false},
                 {"172.31.255.255", false},
                 {"192.168.1.1", false},
                 {"169.254.169.254", false},
                 {"100.64.0.1", false},
                 {"224.0.0.1", false},
                 {"255.255.255.255", false},
                 {"2606:4700::1111", true},
                 {"::1", false},
                 {"::", false},
                 {"fe80::1", false},
                 {"fc00::1", false},
                 {"ff02::1", false},
                 {"::ffff:127.0.0.1", false},
                 {"::ffff:1.1.1.1", true},
                 {"64:ff9b::10.0.0.1", false},
                 {"2002:7f00:1::", false},
                 {"2001:db8::1", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        bool is_v6 = inet_pton(AF_INET6, CASES[i].address, &v6.sin6_addr) == 1;
        assert_true(is_v6 || inet_pton(AF_INET, CASES[i].address, &v4.sin_addr) == 1);
        if (cp_http_is_public(is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4) != CASES[i].public)
            fail_msg("%s", CASES[i].address);
    }
}

static void only_public_addresses_are_asked_when_it_says_so(void **state)
{
    char address[100];
    struct cp_http_response response;
    struct cp_error error = {0};
    int before = web_connections(web);
    snprintf(address, sizeof address, "http://localhost:%d/echo", web_port(web)); /* a name that leads here */
    const struct cp_http_request request = {
        .who = "the page", .stage = "test", .url = address, .public_only = true};
    assert_int_equal(cp_http_send(http, &request, &response, &error), CP_ERR_DENIED);
    assert_non_null(strstr(error.text, "private network"));
    assert_int_equal(web_connections(web), before);
    cp_http_response_free(&response);
}

static int begin(void **state)
{
    static const char *const proxies[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy",
                                          "ALL_PROXY"};
    for (size_t i = 0; i < 5; i++)
        unsetenv(proxies[i]);
    web = web_start(handle, NULL);
    return !web || cp_http_create(&(struct cp_http_config){.max_idle = 4}, &http, NULL);
}

static int end(void **state)
{
    cp_http_destroy(http);
    web_stop(web);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_this_network_are_told_apart),
        cmocka_unit_test(only_public_addresses_are_asked_when_it_says_so),
        cmocka_unit_test(bodies_and_headers_go_there_and_back),
        cmocka_unit_test(bodies_are_read_from_a_reader),
        cmocka_unit_test(answers_are_streamed_and_bounded),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(threads_share_a_client),
        cmocka_unit_test(waiting_has_an_end),
        cmocka_unit_test(requests_are_cancelled_at_once),
        cmocka_unit_test(broken_connections_are_told),
        cmocka_unit_test(answers_other_than_success_say_what_to_do),
        cmocka_unit_test(waits_grow_and_differ),
        cmocka_unit_test(text_is_encoded_for_urls),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
