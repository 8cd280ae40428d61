/* What servers of OpenAI's shape send, cut anywhere. */
#include "answers/llm/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE        "data: [DONE]\n\n"

/* Fed in pieces of `step` bytes; what it came to in *ret_stream. */
static int feed(const char *bytes, size_t step, struct cp_llm_stream *ret_stream)
{
    *ret_stream = cp_llm_stream_make();
    size_t length = strlen(bytes);
    int result = 0;
    for (size_t at = 0; at < length && !result; at += step)
        result = cp_llm_stream_feed(ret_stream, bytes + at, at + step < length ? step : length - at);
    return result ? result : cp_llm_stream_end(ret_stream);
}

/* The same text, however the bytes are cut: letters of several bytes, tags and lines too. */
static void expect(const char *bytes, const char *text)
{
    for (size_t step = 1; step < 40; step++) {
        struct cp_llm_stream stream;
        assert_int_equal(feed(bytes, step, &stream), 0);
        assert_string_equal(cp_buffer_string(&stream.text), text);
        cp_llm_stream_free(&stream);
    }
}

static void expect_failure(const char *bytes, int result)
{
    for (size_t step = 1; step < 40; step += 6) {
        struct cp_llm_stream stream;
        assert_int_equal(feed(bytes, step, &stream), result);
        cp_llm_stream_free(&stream);
    }
}

static void deltas_add_up(void **state)
{
    expect(DELTA("Grü") DELTA("ße, 世") DELTA("界 🙂.") STOP DONE, "Grüße, 世界 🙂.");
    expect(DELTA("Gr\\u00fc\\u00dfe") DONE, "Grüße");
    expect(": ping\n\nevent: message\nid: 7\nretry: 10\n" DELTA("a") ": ping\r\n\r\n" DELTA("b") DONE, "ab");
    expect("data:{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata:[DONE]",
           "a"); /* no blank, no end */
    expect("data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"two lines\"}}]}\n\n" DONE, "two lines");
    expect("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\ndata: "
           "{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\n" DONE,
           "ab"); /* empty lines left out */
    expect(
        "data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"parts\"}]}}]}\n\n" DONE,
        "parts");
    expect("data: {\"choices\":[]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":null}}]}\n\n" DELTA("x")
               DONE,
           "x");
}

static void answers_that_do_not_stream_are_read_too(void **state)
{
    expect("{\"choices\":[{\"message\":{\"content\":\"All at once.\"},\"finish_reason\":\"stop\"}]}",
           "All at once.");
    expect("{\n  \"choices\": [\n    {\"message\": {\"content\": \"Over lines.\"}}\n  ]\n}\n", "Over lines.");
}

static void thoughts_stay_inside(void **state)
{
    expect("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm, what do they want?\"}}]}\n\n"
           "data: {\"choices\":[{\"delta\":{\"reasoning\":\"Blue, I think.\",\"content\":\"\"}}]}\n\n" DELTA(
               "Blue.") DONE,
           "Blue.");
    expect(DELTA("<think>Let me") DELTA(" see</thi") DELTA("nk>It is 3 < 4.") DONE, "It is 3 < 4.");
    expect(DELTA("<th") DELTA("at is> no tag") DONE, "<that is> no tag");
    expect(DELTA("opened elsewhere</think>and</think>Blue.") DONE, "Blue.");
    struct cp_llm_stream stream = cp_llm_stream_make(); /* and they are gone as soon as their end is there */
    static const char BEGUN[] = DELTA("It may be 3.</think>It is") DELTA(" 4");
    assert_int_equal(cp_llm_stream_feed(&stream, BEGUN, sizeof BEGUN - 1), 0);
    assert_string_equal(cp_buffer_string(&stream.text), "It is 4");
    assert_true(stream.untagged);
    cp_llm_stream_free(&stream);
    expect(DELTA("<think>never ends") STOP DONE, "");
    expect(DELTA("a<think>b</think>c<think>d</think>e<") DONE, "ace<");
}

static void usage_is_counted(void **state)
{
    struct cp_llm_stream stream;
    assert_int_equal(
        feed(DELTA("x") STOP
             "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":120,\"completion_tokens\":7}}\n\n" DONE,
             11, &stream),
        0);
    assert_int_equal(stream.tokens_in, 120);
    assert_int_equal(stream.tokens_out, 7);
    cp_llm_stream_free(&stream);
}

static void errors_are_told(void **state)
{
    struct cp_llm_stream stream;
    assert_int_equal(
        feed(DELTA("Half an") "data: {\"error\":{\"message\":\"out of memory\",\"code\":500}}\n\n", 9,
             &stream),
        CP_ERR_UNAVAILABLE);
    assert_string_equal(stream.problem, "out of memory");
    cp_llm_stream_free(&stream);
    expect_failure("data: {\"error\":\"overloaded\"}\n\n", CP_ERR_UNAVAILABLE);
    expect_failure(DELTA("Half an"), CP_ERR_IO);
    expect_failure("", CP_ERR_FORMAT);
    expect_failure("{\"choices\":[{\"mess", CP_ERR_FORMAT);
    expect_failure("<html><body>Not here</body></html>\n", CP_ERR_IO);
}

static void garbage_is_borne_for_a_while(void **state)
{
    expect("data: {{{\n\n" DELTA("a") "data: \xff\xfe\n\n" DELTA("b") "nonsense\n\n" DONE, "ab");
    expect_failure(
        "data: {\n\ndata: {\n\ndata: {\n\ndata: {\n\ndata: {\n\ndata: {\n\ndata: {\n\ndata: {\n\ndata: {\n\n",
        CP_ERR_FORMAT);
}

static void nothing_grows_without_bounds(void **state)
{
    static char line[3 << 20];
    struct cp_llm_stream stream = cp_llm_stream_make();
    memset(line, 'x', sizeof line);
    memcpy(line, "data: ", 6);
    assert_int_equal(cp_llm_stream_feed(&stream, line, sizeof line), CP_ERR_LIMIT);
    cp_llm_stream_free(&stream);
    stream = cp_llm_stream_make();
    int result = 0;
    for (int i = 0; i < 100000 && !result; i++)
        result = cp_llm_stream_feed(&stream, DELTA("and so on "), strlen(DELTA("and so on ")));
    assert_int_equal(result, CP_ERR_LIMIT);
    cp_llm_stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deltas_add_up),
        cmocka_unit_test(answers_that_do_not_stream_are_read_too),
        cmocka_unit_test(thoughts_stay_inside),
        cmocka_unit_test(usage_is_counted),
        cmocka_unit_test(errors_are_told),
        cmocka_unit_test(garbage_is_borne_for_a_while),
        cmocka_unit_test(nothing_grows_without_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
