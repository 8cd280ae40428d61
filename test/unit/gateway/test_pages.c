/* Static pages. */
#include "serving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void handle(void *user, struct cp_request *request)
{
    cp_request_reply_json(request, 200, json_object());
}

static const struct cp_route ROUTES[] = {{CP_GET, "/v1/x", CP_ROLE_PUBLIC, .handle = handle}};

static int setup(void **state)
{
    struct serving *s = serving_create();
    char secret[200], link[400];
    serving_write_page(s, "watch.html", "<p>watch");
    serving_write_page(s, "studio.html", "<p>studio");
    serving_write_page(s, "assets/app-1a2b.js", "let a = 1");
    serving_write_page(s, "docs/index.html", "<p>docs");
    serving_write_page(s, ".hidden", "hidden");
    snprintf(secret, sizeof secret, "%s/secret.txt", s->directory);
    FILE *file = fopen(secret, "w");
    fputs("secret", file);
    fclose(file);
    snprintf(link, sizeof link, "%s/link.txt", s->config.pages);
    assert_int_equal(symlink(secret, link), 0);
    snprintf(link, sizeof link, "%s/up", s->config.pages);
    assert_int_equal(symlink(s->directory, link), 0);
    serving_start(s, ROUTES, 1);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    serving_destroy(*state);
    return 0;
}

static void addresses_lead_to_their_pages(void **state)
{
    struct serving *s = *state;
    EXPECT_TEXT(200, "<p>watch", request(s, "GET", "/", NULL, NULL, NULL));
    EXPECT_TEXT(200, "<p>watch", request(s, "GET", "/?x=1", NULL, NULL, NULL));
    EXPECT_TEXT(200, "<p>watch", request(s, "GET", "/watch/main", NULL, NULL, NULL));
    EXPECT_TEXT(200, "<p>studio", request(s, "GET", "/studio/", NULL, NULL, NULL));
    EXPECT_TEXT(200, "<p>studio", request(s, "GET", "/studio/channels/main", NULL, NULL, NULL));
    EXPECT_TEXT(200, "<p>docs", request(s, "GET", "/docs/", NULL, NULL, NULL));
    EXPECT_TEXT(200, "let a = 1", request(s, "GET", "/assets/app-1a2b.js", NULL, NULL, NULL));
    struct response r = request(s, "GET", "/studio", NULL, NULL, NULL);
    assert_int_equal(r.status, 308);
    assert_string_equal(header_of(&r, "Location"), "/studio/");
    response_clear(&r);
    EXPECT(404, request(s, "GET", "/nothing", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/assets/none.js", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/watch/", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/assets", NULL, NULL, NULL));
    EXPECT(404, request(s, "POST", "/", NULL, NULL, "x"));
}

static void types_tags_and_security_headers_are_set(void **state)
{
    struct serving *s = *state;
    char header[160];
    struct response r = request(s, "GET", "/", NULL, NULL, NULL);
    assert_string_equal(header_of(&r, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(header_of(&r, "Cache-Control"), "no-cache");
    assert_string_equal(header_of(&r, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(header_of(&r, "Referrer-Policy"), "no-referrer");
    const char *policy = header_of(&r, "Content-Security-Policy");
    assert_non_null(strstr(policy, "default-src 'self'; script-src 'self'; style-src 'self';"));
    assert_non_null(strstr(policy, "frame-ancestors 'none'; base-uri 'none'"));
    assert_null(strstr(policy, "unsafe"));
    snprintf(header, sizeof header, "If-None-Match: \"other\", W/%s\r\n", header_of(&r, "ETag"));
    response_clear(&r);
    EXPECT(304, request(s, "GET", "/", NULL, header, NULL));
    EXPECT(200, request(s, "GET", "/", NULL, "If-None-Match: \"other\"\r\n", NULL));
    r = request(s, "HEAD", "/assets/app-1a2b.js", NULL, NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_string_equal(header_of(&r, "Content-Length"), "9");
    assert_string_equal(header_of(&r, "Content-Type"), "text/javascript; charset=utf-8");
    assert_string_equal(header_of(&r, "Cache-Control"), "public, max-age=31536000, immutable");
    response_clear(&r);
}

static void nothing_outside_the_pages_can_be_reached(void **state)
{
    struct serving *s = *state;
    const char *const tries[] = {
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/.hidden",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/./watch.html",
        "/assets/%00",
        "/..;/secret.txt",
        "/studio/../../secret.txt",
        "/watch.html/",
        "/%252e%252e/secret.txt",
        "/data/records.db",
        "/../data/records.db",
        "/studio/.hidden",
        "/....//secret.txt",
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct response r = request(s, "GET", tries[i], NULL, NULL, NULL);
        if (r.status != 404 && r.status != 400)
            fail_msg("%s: %d %s", tries[i], r.status, r.body);
        assert_null(strstr(r.body, "secret\n"));
        assert_null(strstr(r.body, "root:"));
        response_clear(&r);
    }
    EXPECT(400, exchange(s, "GET ../secret.txt HTTP/1.1\r\nHost: t\r\n\r\n"));
    EXPECT(400, exchange(s, "GET http://t/../secret.txt HTTP/1.1\r\nHost: t\r\n\r\n"));
}

static void missing_pages_say_how_to_build_them(void **state)
{
    struct serving *s = *state;
    serving_stop(s);
    snprintf(s->config.pages, sizeof s->config.pages, "%s/none", s->directory);
    serving_start(s, ROUTES, 1);
    EXPECT_TEXT(503, "make build", request(s, "GET", "/", NULL, NULL, NULL));
    EXPECT_TEXT(503, "make build", request(s, "GET", "/studio/", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/assets/a.js", NULL, NULL, NULL));
    EXPECT(200, request(s, "GET", "/v1/x", NULL, NULL, NULL));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(addresses_lead_to_their_pages),
        CASE(types_tags_and_security_headers_are_set),
        CASE(nothing_outside_the_pages_can_be_reached),
        CASE(missing_pages_say_how_to_build_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
