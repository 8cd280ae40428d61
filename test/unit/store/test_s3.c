/* What the S3 engine makes of a server that misbehaves, and of documents that are not what they should be. */
#include "temp.h"
#include "web.h"

#include "store/s3.h"

#include <stdatomic.h>

#define PAGE_HEAD "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>"
#define ENTRY(key)                                                                                           \
    "<Contents><Key>" key                                                                                    \
    "</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><Size>9</Size></Contents>"

struct server {
    struct web *web;
    int fail_first; /* requests answered with `status` before it behaves */
    int status;
    const char *body;
    bool cut;
    atomic_int requests;
};

static void handle(void *user, struct web_connection *connection, const struct web_request *request)
{
    struct server *server = user;
    if (atomic_fetch_add(&server->requests, 1) < server->fail_first) {
        if (server->cut)
            web_cut(connection);
        else
            web_reply(connection, server->status, "application/xml", "", server->body, strlen(server->body));
        return;
    }
    web_reply(connection, 200, "text/plain", "ETag: \"x\"\r\n", "hello",
              strcmp(request->method, "HEAD") ? 5 : 0);
}

static struct temp *start(struct server *server)
{
    setenv("COMPERE_TEST_S3_ACCESS_KEY", "AKIDEXAMPLE", 0);
    setenv("COMPERE_TEST_S3_SECRET_KEY", "not-a-secret", 0);
    struct temp *temp = temp_create("sqlite", "s3");
    server->web = web_start(handle, server);
    assert_non_null(server->web);
    temp_use_s3(temp);
    snprintf(temp->config.s3_endpoint, sizeof temp->config.s3_endpoint, "http://127.0.0.1:%d",
             web_port(server->web));
    strcpy(temp->config.s3_bucket, "bucket");
    temp->config.s3_timeout_s = 2;
    temp_open(temp);
    return temp;
}

static void stop(struct server *server, struct temp *temp)
{
    temp_destroy(temp);
    web_stop(server->web);
}

static void slow_down_and_cuts_are_tried_again(void **state)
{
    static const char SLOW[] = "<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>";
    const struct server faults[] = {{.fail_first = 2, .status = 503, .body = SLOW},
                                    {.fail_first = 2, .status = 500, .body = "garbage <<<"},
                                    {.fail_first = 1, .status = 429, .body = ""},
                                    {.fail_first = 2, .cut = true}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct server server = faults[i];
        struct temp *temp = start(&server);
        assert_int_equal(put_object(temp, "a", "hello", 0), 0);
        assert_int_equal(atomic_load(&server.requests), server.fail_first + 1);
        assert_string_equal(read_object(temp, "a"), "hello");
        stop(&server, temp);
    }
}

static void refusals_are_final_and_say_what_to_do(void **state)
{
    const struct {
        int status;
        const char *body;
        enum cp_err code;
        const char *says;
        int requests;
    } rows[] = {
        {403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", CP_ERR_DENIED, "secret key is not", 1},
        {403, "<Error><Code>RequestTimeTooSkewed</Code></Error>", CP_ERR_DENIED, "clock is wrong", 1},
        {403, "", CP_ERR_DENIED, "check access key", 1},
        {404, "<Error><Code>NoSuchBucket</Code></Error>", CP_ERR_UNAVAILABLE, "no such bucket", 1},
        {301, "<Error><Code>PermanentRedirect</Code></Error>", CP_ERR_INVALID, "another region", 1},
        {400, "<Error><Code>AuthorizationHeaderMalformed</Code></Error>", CP_ERR_INVALID, "s3_region", 1},
        {503, "<Error><Code>SlowDown</Code></Error>", CP_ERR_BUSY, "SlowDown", 4},
        {500, "<html>oops", CP_ERR_UNAVAILABLE, "answered 500", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct server server = {.fail_first = 1000, .status = rows[i].status, .body = rows[i].body};
        struct temp *temp = start(&server);
        assert_int_equal(put_object(temp, "a", "hello", 0), rows[i].code);
        if (!strstr(temp->error.text, rows[i].says))
            fail_msg("\"%s\" does not say \"%s\"", temp->error.text, rows[i].says);
        assert_null(strstr(temp->error.text, "not-a-secret"));
        assert_int_equal(atomic_load(&server.requests), rows[i].requests);
        stop(&server, temp);
    }
}

static void lists_that_are_not_lists_are_refused(void **state)
{
    const char *const bad[] = {"",
                               "<",
                               "<ListBucketResult>",
                               "<Other/>",
                               "{}",
                               PAGE_HEAD "true",
                               "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>"};
    struct cp_s3_page page;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cp_s3_read_page(bad[i], strlen(bad[i]), 10, &page, NULL), CP_ERR_FORMAT);
    static const char LONG[] =
        PAGE_HEAD "false</IsTruncated>" ENTRY("a") ENTRY("b") ENTRY("c") "</ListBucketResult>";
    assert_int_equal(cp_s3_read_page(LONG, sizeof LONG - 1, 2, &page, NULL), CP_ERR_FORMAT);
    static const char ODD[] = PAGE_HEAD "true</IsTruncated>" ENTRY(
        "a/b") "<Contents><Key>no size</Key></Contents>"
               "<Contents><Key><b>nested</b></Key><Size>1</Size></Contents>"
               "<Contents><Key>x</Key><LastModified>never</LastModified><Size>-1</Size>"
               "</Contents></ListBucketResult>";
    assert_int_equal(cp_s3_read_page(ODD, sizeof ODD - 1, 10, &page, NULL), 0);
    assert_int_equal(page.n, 1);
    assert_true(page.more);
    assert_string_equal(page.entries[0].key, "a/b");
    assert_int_equal(page.entries[0].length_bytes, 9);
    assert_int_equal(page.entries[0].modified_wall_ns, 1767323045678000000);
    free(page.entries);
}

static void lifecycle_keeps_the_rules_of_others(void **state)
{
    static const char THEIRS[] =
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>"
        "<ID>theirs</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>";
    struct cp_buffer once = cp_buffer_make(1 << 20), twice = cp_buffer_make(1 << 20),
                     fresh = cp_buffer_make(1 << 20);
    int wanted = 0;
    assert_int_equal(cp_s3_write_lifecycle(THEIRS, sizeof THEIRS - 1, "compere/", &once, NULL), 0);
    assert_non_null(strstr(cp_buffer_string(&once), "<ID>theirs</ID>"));
    assert_int_equal(cp_s3_count_rules(once.data, once.length, "compere/", &wanted), CP_S3_MAX_DAYS + 1);
    assert_int_equal(wanted, CP_S3_MAX_DAYS + 1);
    assert_int_equal(cp_s3_count_rules(once.data, once.length, "other/", &wanted), 0);
    assert_int_equal(cp_s3_write_lifecycle(once.data, once.length, "compere/", &twice, NULL), 0);
    assert_int_equal(twice.length, once.length);
    assert_int_equal(cp_s3_write_lifecycle(NULL, 0, "compere/", &fresh, NULL), 0);
    assert_int_equal(cp_s3_count_rules(fresh.data, fresh.length, "compere/", &wanted), CP_S3_MAX_DAYS + 1);
    assert_int_equal(cp_s3_write_lifecycle("<x/>", 4, "compere/", &fresh, NULL), CP_ERR_FORMAT);
    cp_buffer_free(&once);
    cp_buffer_free(&twice);
    cp_buffer_free(&fresh);
}

static void tag_is_never_too_early(void **state)
{
    const int64_t now = INT64_C(1767225600) * CP_NS_PER_S, day = 86400 * CP_NS_PER_S;
    const struct {
        int64_t after;
        const char *tag;
    } rows[] = {{1, "compere-days=1"},       {day, "compere-days=1"},         {day + 1, "compere-days=2"},
                {5 * day, "compere-days=7"}, {365 * day, "compere-days=365"}, {366 * day, ""}};
    char tag[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cp_s3_expiry_tag(now + rows[i].after, now, tag);
        assert_string_equal(tag, rows[i].tag);
    }
    cp_s3_expiry_tag(0, now, tag);
    assert_string_equal(tag, "");
}

static void options_that_cannot_work_are_refused(void **state)
{
    struct temp *temp = temp_create("sqlite", "s3");
    setenv("COMPERE_TEST_S3_ACCESS_KEY", "AKIDEXAMPLE", 0);
    setenv("COMPERE_TEST_S3_SECRET_KEY", "not-a-secret", 0);
    temp_use_s3(temp);
    strcpy(temp->config.s3_endpoint, "http://127.0.0.1:1");
    const struct cp_store_config good = temp->config;
    const struct {
        size_t offset;
        const char *value, *says;
    } rows[] = {
        {offsetof(struct cp_store_config, s3_bucket), "", "store.s3_bucket"},
        {offsetof(struct cp_store_config, s3_bucket), "A_B/c", "store.s3_bucket"},
        {offsetof(struct cp_store_config, s3_prefix), "/x/", "store.s3_prefix"},
        {offsetof(struct cp_store_config, s3_prefix), "x", "store.s3_prefix"},
        {offsetof(struct cp_store_config, s3_endpoint), "ftp://host", "store.s3_endpoint"},
        {offsetof(struct cp_store_config, s3_endpoint), "http://host/path", "store.s3_endpoint"},
        {offsetof(struct cp_store_config, s3_access_key), "AKIDEXAMPLE", "file:PATH or env:NAME"},
        {offsetof(struct cp_store_config, s3_secret_key), "env:NOT_SET_ANYWHERE",
         "NOT_SET_ANYWHERE is not set"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        temp->config = good;
        strcpy(temp->config.s3_bucket, "bucket");
        strcpy((char *)&temp->config + rows[i].offset, rows[i].value);
        assert_int_not_equal(cp_store_open(&temp->config, &temp->store, &temp->error), 0);
        if (!strstr(temp->error.text, rows[i].says))
            fail_msg("\"%s\" does not say \"%s\"", temp->error.text, rows[i].says);
    }
    temp_destroy(temp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_down_and_cuts_are_tried_again),
        cmocka_unit_test(refusals_are_final_and_say_what_to_do),
        cmocka_unit_test(lists_that_are_not_lists_are_refused),
        cmocka_unit_test(lifecycle_keeps_the_rules_of_others),
        cmocka_unit_test(tag_is_never_too_early),
        cmocka_unit_test(options_that_cannot_work_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
