/* A moderation that judges, fails, hangs and tells secrets: a stand-in of OpenAI's shape (POST
 * .../moderations). */
#include "answers/moderation.h"
#include "base/clock.h"
#include "web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY "sk-moderation"

static struct web *web;

static void reply(struct web_connection *connection, int status, const char *text)
{
    web_reply(connection, status, "application/json", "", text, strlen(text));
}

/* What the stand-in does is in the path: /fine/moderations ... */
static void answer(void *user, struct web_connection *connection, const struct web_request *request)
{
    static const struct {
        const char *path, *says;
        int status;
    } ROWS[] = {
        {"/fine/", "{\"results\":[{\"flagged\":false,\"categories\":{\"hate\":false}}]}", 200},
        {"/flagged/", "{\"results\":[{\"flagged\":true,\"categories\":{\"hate\":true}}]}", 200},
        {"/second/", "{\"results\":[{\"flagged\":false},{\"flagged\":true}]}", 200},
        {"/half/", "{\"results\":[{\"flagged\":true},{}]}", 200},
        {"/empty/", "{\"results\":[]}", 200},
        {"/word/", "{\"results\":[{\"flagged\":\"no\"}]}", 200},
        {"/list/", "[1,2]", 200},
        {"/html/", "<html>hello</html>", 200},
        {"/nothing/", "", 200},
        {"/broken/", "{\"error\":\"Bearer " KEY "\"}", 500},
        {"/bad/", "{\"error\":\"Bearer " KEY "\"}", 400},
        {"/model/", "{\"error\":\"no such model\"}", 404},
        {"/denied/", "{\"error\":\"Bearer " KEY "\"}", 401},
        {"/busy/", "{}", 429},
    };
    if (!strncmp(request->path, "/hangs/", 7))
        web_pause(connection, 30000);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (!strncmp(request->path, ROWS[i].path, strlen(ROWS[i].path)))
            reply(connection, ROWS[i].status, ROWS[i].says);
}

static struct cp_moderation *make(const char *path, int64_t timeout_ms)
{
    struct cp_moderation_config config;
    struct cp_config_section section = {"moderation", cp_moderation_options, cp_moderation_n_options,
                                        &config};
    struct cp_moderation *moderation = NULL;
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    assert_int_equal(config.timeout_ms, 3000);
    assert_string_equal(config.on_failure, "hold");
    snprintf(config.url, sizeof config.url, "http://127.0.0.1:%d/%s/", web_port(web), path);
    snprintf(config.key, sizeof config.key, "env:TEST_MODERATION_KEY");
    config.timeout_ms = timeout_ms;
    assert_int_equal(cp_moderation_create(&config, &moderation, NULL), 0);
    return moderation;
}

static int judge(const char *path, bool *ret_flagged, struct cp_error *error)
{
    struct cp_moderation *moderation = make(path, 300);
    int result = cp_moderation_judge(moderation, "Who \"are\" you?", NULL, ret_flagged, error);
    cp_moderation_destroy(moderation);
    return result;
}

static void it_says_what_is_flagged(void **state)
{
    static const struct {
        const char *path;
        bool flagged;
    } CASES[] = {{"fine", false}, {"flagged", true}, {"second", true}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bool flagged = !CASES[i].flagged;
        assert_int_equal(judge(CASES[i].path, &flagged, NULL), 0);
        assert_int_equal(flagged, CASES[i].flagged);
    }
}

static void what_is_no_verdict_is_an_error_and_no_error_tells_the_key(void **state)
{
    static const struct {
        const char *path;
        int result;
        const char *says;
    } CASES[] = {
        {"half", CP_ERR_FORMAT, "shape"},        {"empty", CP_ERR_FORMAT, "shape"},
        {"word", CP_ERR_FORMAT, "shape"},        {"list", CP_ERR_FORMAT, "shape"},
        {"html", CP_ERR_FORMAT, "shape"},        {"nothing", CP_ERR_FORMAT, "shape"},
        {"broken", CP_ERR_UNAVAILABLE, "(500)"}, {"bad", CP_ERR_INVALID, "(400)"},
        {"model", CP_ERR_NOT_FOUND, "no such"},  {"denied", CP_ERR_DENIED, "refuses the key"},
        {"busy", CP_ERR_BUSY, "(429)"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct cp_error error;
        bool flagged = false;
        assert_int_equal(judge(CASES[i].path, &flagged, &error), CASES[i].result);
        assert_false(flagged);
        assert_non_null(strstr(error.text, CASES[i].says));
        assert_non_null(strstr(error.text, "127.0.0.1"));
        assert_null(strstr(error.text, KEY));
    }
}

static void one_that_hangs_is_waited_for_so_long_or_until_the_stop(void **state)
{
    struct cp_error error;
    bool flagged;
    int64_t start_ns = cp_clock_now_ns();
    assert_int_equal(judge("hangs", &flagged, &error), CP_ERR_TIMEOUT);
    assert_in_range(cp_clock_now_ns() - start_ns, 250 * CP_NS_PER_MS, 1000 * CP_NS_PER_MS);

    atomic_bool stop = true;
    struct cp_moderation *moderation = make("hangs", 30000);
    start_ns = cp_clock_now_ns();
    for (int i = 0; i < 4; i++) /* being stopped is nobody's failure: it does not rest */
        assert_int_equal(cp_moderation_judge(moderation, "Who?", &stop, &flagged, &error), CP_ERR_CANCELLED);
    assert_true(cp_clock_now_ns() - start_ns < 1000 * CP_NS_PER_MS);
    cp_moderation_destroy(moderation);
}

static void three_failures_in_a_row_rest_it(void **state)
{
    struct cp_error error;
    bool flagged;
    struct cp_moderation *moderation = make("broken", 300);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cp_moderation_judge(moderation, "Who?", NULL, &flagged, &error), CP_ERR_UNAVAILABLE);
    int before = web_requests(web);
    assert_int_equal(cp_moderation_judge(moderation, "Who?", NULL, &flagged, &error), CP_ERR_BUSY);
    assert_non_null(strstr(error.text, "rests"));
    assert_int_equal(web_requests(web), before);
    cp_moderation_destroy(moderation);
}

static void bad_options_are_named(void **state)
{
    static const struct {
        const char *url, *key, *says;
    } CASES[] = {
        {"127.0.0.1/v1", "", "moderation.url"},
        {"http://me:word@host/v1", "", "moderation.key"},
        {"http://host/v1", "sk-plain", "env:"},
        {"http://host/v1", "env:NO_SUCH_VARIABLE_HERE", "NO_SUCH_VARIABLE_HERE"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct cp_moderation_config config = {.timeout_ms = 300};
        struct cp_moderation *moderation = NULL;
        struct cp_error error;
        snprintf(config.url, sizeof config.url, "%s", CASES[i].url);
        snprintf(config.key, sizeof config.key, "%s", CASES[i].key);
        assert_true(cp_moderation_create(&config, &moderation, &error) < 0);
        assert_null(moderation);
        assert_non_null(strstr(error.text, CASES[i].says));
        assert_null(strstr(error.text, "sk-plain"));
    }
    struct cp_moderation_config none = {.url = ""};
    struct cp_moderation *moderation;
    assert_int_equal(cp_moderation_create(&none, &moderation, NULL), 0);
    assert_null(moderation);
}

static int start_web(void **state)
{
    setenv("TEST_MODERATION_KEY", KEY, 1);
    web = web_start(answer, NULL);
    return web ? 0 : -1;
}

static int stop_web(void **state)
{
    web_stop(web);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_is_flagged),
        cmocka_unit_test(what_is_no_verdict_is_an_error_and_no_error_tells_the_key),
        cmocka_unit_test(one_that_hangs_is_waited_for_so_long_or_until_the_stop),
        cmocka_unit_test(three_failures_in_a_row_rest_it),
        cmocka_unit_test(bad_options_are_named),
    };
    return cmocka_run_group_tests(tests, start_web, stop_web);
}
