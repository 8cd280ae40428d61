/* Buffers, errors, log lines, clocks and thread names. */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static void buffer_grows_to_its_maximum_and_no_further(void **state)
{
    struct cp_buffer b = cp_buffer_make(1000);
    assert_string_equal(cp_buffer_string(&b), "");
    for (int i = 0; i < 100; i++)
        cp_buffer_printf(&b, "%010d", i);
    assert_int_equal(b.length, 1000);
    assert_false(b.failed);
    assert_int_equal(strlen(cp_buffer_string(&b)), 1000);
    cp_buffer_add(&b, "", 0);
    assert_false(b.failed);
    cp_buffer_u8(&b, 1);
    assert_true(b.failed);
    assert_int_equal(b.length, 1000);
    assert_string_equal(cp_buffer_string(&b), "");
    cp_buffer_free(&b);
    assert_false(b.failed);
    assert_int_equal(b.max_bytes, 1000);
    assert_null(cp_buffer_reserve(&b, SIZE_MAX)); /* must not wrap */
    cp_buffer_free(&b);
}

static void buffer_writes_big_endian(void **state)
{
    const uint8_t wanted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct cp_buffer b = cp_buffer_make(64);
    cp_buffer_u8(&b, 1);
    cp_buffer_u16(&b, 0x0203);
    cp_buffer_u32(&b, 0x04050607);
    cp_buffer_u64(&b, 0x08090a0b0c0d0e0f);
    assert_int_equal(b.length, sizeof wanted);
    assert_memory_equal(b.data, wanted, sizeof wanted);
    cp_buffer_free(&b);
}

static void fail_fills_the_error_within_bounds(void **state)
{
    struct cp_error error;
    char text[600];
    memset(text, 'x', sizeof text);
    text[599] = 0;
    assert_int_equal(cp_fail(&error, CP_ERR_LIMIT, "a-very-long-stage-name", "%s", text), CP_ERR_LIMIT);
    assert_int_equal(error.code, CP_ERR_LIMIT);
    assert_int_equal(strlen(error.text), CP_ERROR_TEXT_BYTES - 1);
    assert_int_equal(strlen(error.stage), 15);
    assert_int_equal(cp_fail(NULL, CP_ERR_IO, "x", "y"), CP_ERR_IO);
    for (int code = 0; code >= CP_ERR_INTERNAL; code--)
        assert_string_not_equal(cp_err_name(code), "unknown error");
    assert_string_equal(cp_err_name(77), "unknown error");
}

/* What cp_log writes to stderr. */
static const char *logged(enum cp_log_format format, enum cp_log_level level, const char *text)
{
    static char line[4096];
    char path[] = "/tmp/cp-log-XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    unlink(path);
    dup2(file, STDERR_FILENO);
    cp_log_setup(CP_LOG_INFO, format);
    cp_log(level, "show", "cue \"done\"", "channel=%s text=\"%s\" ms=%d", "main", text, 42);
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t n = pread(file, line, sizeof line - 1, 0);
    close(file);
    line[n > 0 ? n : 0] = 0;
    return line;
}

static void log_writes_key_value_lines(void **state)
{
    const char *line = logged(CP_LOG_KEY_VALUE, CP_LOG_WARN, "a b");
    assert_non_null(
        strstr(line, "Z level=warn stage=show event=\"cue \\\"done\\\"\" channel=main text=\"a b\" ms=42\n"));
    assert_string_equal(logged(CP_LOG_KEY_VALUE, CP_LOG_DEBUG, "x"), "");
    assert_null(
        strchr(strchr(logged(CP_LOG_KEY_VALUE, CP_LOG_INFO, "one\ntwo\r"), '\n') + 1, '\n')); /* one line */
}

static void log_writes_json(void **state)
{
    json_t *json = json_loads(logged(CP_LOG_JSON, CP_LOG_INFO, "a \\ b\tc=d e"), 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(json, "stage")), "show");
    assert_string_equal(json_string_value(json_object_get(json, "event")), "cue \"done\"");
    assert_string_equal(json_string_value(json_object_get(json, "channel")), "main");
    assert_string_equal(json_string_value(json_object_get(json, "text")), "a \\ b\tc=d e");
    assert_string_equal(json_string_value(json_object_get(json, "ms")), "42");
    assert_int_equal(strlen(json_string_value(json_object_get(json, "time"))), 24);
    json_decref(json);
}

static void long_log_line_is_cut_but_stays_one_line(void **state)
{
    char text[3000];
    memset(text, 'x', sizeof text);
    text[2999] = 0;
    const char *line = logged(CP_LOG_KEY_VALUE, CP_LOG_INFO, text);
    assert_true(strlen(line) <= 1024);
    assert_string_equal(line + strlen(line) - 4, "...\n");
}

static void ntp_time_counts_from_1900(void **state)
{
    assert_true(cp_clock_ntp(0) == (uint64_t)2208988800u << 32);
    assert_true(cp_clock_ntp(CP_NS_PER_S / 2) == ((uint64_t)2208988800u << 32 | 0x80000000u));
    /* 2026-01-02T03:04:05.25Z is 1767323045.25 s after 1970 */
    assert_true(cp_clock_ntp(1767323045 * CP_NS_PER_S + CP_NS_PER_S / 4) ==
                ((uint64_t)(2208988800u + 1767323045u) << 32 | 0x40000000u));
    assert_true((uint32_t)cp_clock_ntp(CP_NS_PER_S - 1) > 0xfffffff0u);
}

static void rfc3339_time_is_utc_with_milliseconds(void **state)
{
    char text[32];
    cp_clock_rfc3339(1767323045 * CP_NS_PER_S + 678999999, text);
    assert_string_equal(text, "2026-01-02T03:04:05.678Z");
}

static void clocks_go_forward(void **state)
{
    int64_t from_ns = cp_clock_now_ns();
    cp_clock_sleep_until_ns(from_ns + 5 * CP_NS_PER_MS);
    assert_true(cp_clock_now_ns() - from_ns >= 5 * CP_NS_PER_MS);
    cp_clock_sleep_until_ns(from_ns); /* has passed: returns at once */
    assert_true(cp_clock_wall_ns() > 1700000000 * CP_NS_PER_S);
    assert_true(cp_clock_thread_cpu_ns() > 0);
}

static void *look_at_name(void *arg)
{
    static char name[16];
    pthread_getname_np(pthread_self(), name, sizeof name);
    bool fine = !strcmp(cp_thread_name(), "draw.a-very-lon") && !strcmp(name, cp_thread_name()) &&
                cp_thread_is("draw") && !cp_thread_is("send");
    cp_thread_adopt("http0");
    pthread_getname_np(pthread_self(), name, sizeof name);
    return fine && cp_thread_is("http") && !strcmp(name, "http0") ? arg : NULL;
}

static void thread_has_its_name(void **state)
{
    pthread_t thread;
    void *fine;
    assert_string_equal(cp_thread_name(), "main");
    assert_int_equal(cp_thread_start(&thread, "draw.a-very-long-name", look_at_name, &thread), 0);
    pthread_join(thread, &fine);
    assert_non_null(fine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_to_its_maximum_and_no_further),
        cmocka_unit_test(buffer_writes_big_endian),
        cmocka_unit_test(fail_fills_the_error_within_bounds),
        cmocka_unit_test(log_writes_key_value_lines),
        cmocka_unit_test(log_writes_json),
        cmocka_unit_test(long_log_line_is_cut_but_stays_one_line),
        cmocka_unit_test(ntp_time_counts_from_1900),
        cmocka_unit_test(rfc3339_time_is_utc_with_milliseconds),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(thread_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
