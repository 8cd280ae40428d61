/* Language models that answer, fail, hang and lie: a stand-in of OpenAI's shape (POST /v1/chat/completions).
 */
#include "answers/llm/llm.h"
#include "base/clock.h"
#include "web.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the stand-in does is in the path: /good/chat/completions ... */
static void answer(void *user, struct web_connection *connection, const struct web_request *request)
{
    static const char ONE[] = "data: {\"choices\":[{\"delta\":{\"content\":\"Four days [1].\"}}]}\n\n";
    static const char END[] =
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":90,"
        "\"completion_tokens\":10}}\n\ndata: [DONE]\n\n";
    char key[100] = "";
    web_header(request, "Authorization", key, sizeof key);
    if (!strncmp(request->path, "/busy/", 6)) {
        web_reply(connection, 429, "application/json", "", "{\"error\":{\"message\":\"slow down\"}}", 33);
    } else if (!strncmp(request->path, "/broken/", 8)) {
        web_reply(connection, 500, "text/plain", "", "no", 2);
    } else if (!strncmp(request->path, "/html/", 6)) {
        web_reply(connection, 200, "text/html", "", "<html>hello</html>\n", 19);
    } else if (!strncmp(request->path, "/cut/", 5)) {
        web_begin(connection, "text/event-stream");
        web_chunk(connection, ONE, strlen(ONE));
        web_cut(connection);
    } else if (!strncmp(request->path, "/hangs/", 7)) {
        web_begin(connection, "text/event-stream");
        web_chunk(connection, ONE, strlen(ONE));
        web_pause(connection, 30000);
    } else if (!strncmp(request->path, "/silent/", 8)) {
        web_pause(connection, 30000);
    } else if (!strncmp(request->path, "/thinks/", 8)) {
        web_reply(connection, 200, "application/json", "",
                  "{\"choices\":[{\"message\":{\"content\":\"<think>x</think> \"}}]}", 56);
    } else if (!strncmp(request->path, "/secret/", 8) && strcmp(key, "Bearer sk-one") != 0) {
        web_reply(connection, 401, "application/json", "", "{}", 2);
    } else {
        web_begin(connection, "text/event-stream");
        for (const char *c = ONE; *c; c++) /* byte by byte */
            web_chunk(connection, c, 1);
        web_chunk(connection, END, strlen(END));
        web_end(connection);
    }
}

static struct web *web;

static struct cp_llm *make(const char *paths, struct cp_llm_config *config)
{
    struct cp_config_section section = {"llm", cp_llm_options, cp_llm_n_options, config};
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    char list[100], *rest = list;
    snprintf(list, sizeof list, "%s", paths);
    size_t used = 0;
    for (const char *path; (path = strsep(&rest, " "));)
        used += (size_t)snprintf(config->url + used, sizeof config->url - used, "%shttp://127.0.0.1:%d/%s/",
                                 used ? ", " : "", web_port(web), path);
    snprintf(config->model, sizeof config->model, "small");
    config->first_ms = config->idle_ms = 300;
    struct cp_llm *llm = NULL;
    return assert_int_equal(cp_llm_create(config, &llm, NULL), 0), llm;
}

static int ask(struct cp_llm *llm, char text[100], struct cp_error *error)
{
    struct cp_llm_answer answered;
    json_t *messages = json_pack("[{s:s,s:s}]", "role", "user", "content", "How long?");
    int result = cp_llm_ask(llm, messages, NULL, NULL, &answered, error);
    json_decref(messages);
    snprintf(text, 100, "%s", result ? "" : answered.text);
    if (!result)
        free(answered.text);
    return result;
}

static void an_answer_comes_with_its_tokens(void **state)
{
    struct cp_llm_config config;
    struct cp_llm *llm = make("good", &config);
    char text[100];
    assert_int_equal(ask(llm, text, NULL), 0);
    assert_string_equal(text, "Four days [1].");
    struct cp_llm_stats stats = cp_llm_stats(llm);
    assert_int_equal(stats.tokens_in, 90);
    assert_int_equal(stats.tokens_out, 10);
    assert_int_equal(stats.answered, 1);
    assert_true(stats.first_ns > 0 && stats.first_ns <= stats.total_ns);
    cp_llm_destroy(llm);
}

static void the_next_one_answers_for_each_that_does_not(void **state)
{
    static const char *const BAD[] = {"busy", "broken", "html", "cut", "hangs", "silent", "thinks", "secret"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct cp_llm_config config;
        char paths[40], text[100];
        snprintf(paths, sizeof paths, "%s good", BAD[i]);
        struct cp_llm *llm = make(paths, &config);
        int64_t start_ns = cp_clock_now_ns();
        assert_int_equal(ask(llm, text, NULL), 0);
        assert_string_equal(text, "Four days [1].");
        assert_true(cp_clock_now_ns() - start_ns < 1000 * CP_NS_PER_MS);
        assert_int_equal(cp_llm_stats(llm).failovers, 1);
        cp_llm_destroy(llm);
    }
}

static void all_of_them_failing_says_why(void **state)
{
    struct cp_llm_config config;
    struct cp_error error;
    char text[100];
    struct cp_llm *llm = make("broken html", &config);
    assert_int_equal(ask(llm, text, &error), CP_ERR_IO);
    assert_non_null(strstr(error.text, "127.0.0.1"));
    for (int i = 0; i < 5; i++)
        ask(llm, text, &error);
    int before = web_requests(web);
    assert_int_equal(ask(llm, text, &error), CP_ERR_UNAVAILABLE); /* left alone */
    assert_int_equal(web_requests(web), before);
    assert_non_null(strstr(error.text, "rest"));
    cp_llm_destroy(llm);
}

static void keys_are_sent_and_the_budget_is_kept(void **state)
{
    struct cp_llm_config config;
    struct cp_error error;
    char text[100];
    setenv("COMPERE_TEST_LLM_KEY", "sk-one", 1);
    struct cp_llm *llm = make("secret", &config);
    assert_int_equal(ask(llm, text, &error), CP_ERR_DENIED);
    assert_null(strstr(error.text, "sk-one"));
    cp_llm_destroy(llm);
    snprintf(config.key, sizeof config.key, "env:COMPERE_TEST_LLM_KEY");
    config.day_tokens = 150;
    assert_int_equal(cp_llm_create(&config, &llm, NULL), 0);
    assert_int_equal(ask(llm, text, NULL), 0);
    assert_int_equal(ask(llm, text, NULL), 0);
    assert_int_equal(ask(llm, text, &error), CP_ERR_BUSY); /* 200 were used */
    assert_non_null(strstr(error.text, "llm.day_tokens"));
    cp_llm_destroy(llm);
}

static void *stop_soon(void *arg)
{
    usleep(100000);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void it_can_be_stopped(void **state)
{
    struct cp_llm_config config;
    struct cp_llm *llm = make("silent", &config);
    llm = (cp_llm_destroy(llm), config.first_ms = 20000, cp_llm_create(&config, &llm, NULL), llm);
    atomic_bool stop = false;
    pthread_t thread;
    struct cp_llm_answer answered;
    json_t *messages = json_array();
    int64_t start_ns = cp_clock_now_ns();
    pthread_create(&thread, NULL, stop_soon, &stop);
    assert_int_equal(cp_llm_ask(llm, messages, NULL, &stop, &answered, NULL), CP_ERR_CANCELLED);
    assert_true(cp_clock_now_ns() - start_ns < 500 * CP_NS_PER_MS);
    pthread_join(thread, NULL);
    json_decref(messages);
    cp_llm_destroy(llm);
}

static void addresses_are_checked(void **state)
{
    struct cp_llm_config config;
    struct cp_error error;
    struct cp_llm *llm = make("good", &config);
    cp_llm_destroy(llm);
    static const char *const BAD[] = {"ftp://x/v1", "http://name:word@x/v1",
                                      "http://a,http://b,http://c,http://d,http://e"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(config.url, sizeof config.url, "%s", BAD[i]);
        assert_int_equal(cp_llm_create(&config, &llm, &error), CP_ERR_INVALID);
        assert_null(llm);
    }
    *config.url = 0;
    assert_int_equal(cp_llm_create(&config, &llm, &error), 0);
    assert_null(llm);
}

static int start_web(void **state)
{
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
        cmocka_unit_test(an_answer_comes_with_its_tokens),
        cmocka_unit_test(the_next_one_answers_for_each_that_does_not),
        cmocka_unit_test(all_of_them_failing_says_why),
        cmocka_unit_test(keys_are_sent_and_the_budget_is_kept),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(addresses_are_checked),
    };
    return cmocka_run_group_tests(tests, start_web, stop_web);
}
