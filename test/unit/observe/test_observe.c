#include "base/clock.h"
#include "base/thread.h"
#include "observe/observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *written(struct cp_observe *observe)
{
    struct cp_buffer out = cp_buffer_make(4 << 20);
    cp_observe_write(observe, &out);
    assert_false(out.failed);
    char *text = strdup(cp_buffer_string(&out));
    cp_buffer_free(&out);
    return text;
}

static void counter_is_found_again_by_name_and_labels(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    struct cp_metric *a = cp_counter(observe, "cp_cues_total", "channel=\"main\"", "Cues.");
    struct cp_metric *b = cp_counter(observe, "cp_cues_total", "channel=\"side\"", "Cues.");
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a, cp_counter(observe, "cp_cues_total", "channel=\"main\"", NULL));
    cp_metric_add(a, 2);
    cp_metric_add(a, 0.5);
    cp_metric_add(a, -7); /* a counter only grows */
    assert_true(cp_metric_value(a) == 2.5);
    assert_true(cp_metric_value(b) == 0);
    cp_observe_destroy(observe);
}

static void text_groups_series_below_one_help_and_type(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    cp_metric_add(cp_counter(observe, "a_total", "x=\"1\"", "Line\nbreak and \\."), 3);
    cp_metric_set(cp_gauge(observe, "b", "", "B."), -1.25);
    cp_metric_add(cp_counter(observe, "a_total", "x=\"2\"", "ignored"), 4294967297.0);
    char *text = written(observe);
    assert_string_equal(text, "# HELP a_total Line\\nbreak and \\\\.\n# TYPE a_total counter\n"
                              "a_total{x=\"1\"} 3\na_total{x=\"2\"} 4294967297\n"
                              "# HELP b B.\n# TYPE b gauge\nb -1.25\n");
    free(text);
    cp_observe_destroy(observe);
}

static void histogram_text_is_cumulative_and_ends_at_inf(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    struct cp_metric *h = cp_histogram(observe, "t_seconds", "r=\"x\"", "T.");
    cp_metric_observe_ns(h, 50 * 1000);
    cp_metric_observe_ns(h, 100 * 1000); /* a bound belongs to its bucket */
    cp_metric_observe_ns(h, 20 * CP_NS_PER_MS);
    cp_metric_observe_ns(h, 60 * CP_NS_PER_S);
    char *text = written(observe);
    assert_non_null(strstr(text, "# TYPE t_seconds histogram\nt_seconds_bucket{r=\"x\",le=\"0.0001\"} 2\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{r=\"x\",le=\"30\"} 3\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{r=\"x\",le=\"+Inf\"} 4\n"));
    assert_non_null(strstr(text, "t_seconds_sum{r=\"x\"} 60.020150000\nt_seconds_count{r=\"x\"} 4\n"));
    free(text);
    cp_observe_destroy(observe);
}

static void histogram_quantiles_are_within_a_bucket_of_the_truth(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    struct cp_metric *h = cp_histogram(observe, "t_seconds", "", "T.");
    assert_true(cp_metric_quantile(h, 0.5) == 0);
    for (int i = 1; i <= 1000; i++)
        cp_metric_observe_ns(h, i * CP_NS_PER_MS);
    assert_int_equal(cp_metric_count(h), 1000);
    const double wanted[] = {0.1, 0.5, 0.9};
    for (size_t i = 0; i < 3; i++) {
        double got = cp_metric_quantile(h, wanted[i]);
        /* buckets are 26% wide and these values are spread evenly: less than half a bucket is ample */
        assert_true(got > wanted[i] * 0.9 && got < wanted[i] * 1.1);
    }
    double high = cp_metric_quantile(h, 0.99); /* its bucket is filled in part only */
    assert_true(high > 0.99 / 1.27 && high < 0.99 * 1.27);
    assert_true(cp_metric_quantile(h, -1) <= cp_metric_quantile(h, 0.01));
    assert_true(cp_metric_quantile(h, 2) >= 0.99);
    cp_metric_observe_ns(h, 100 * CP_NS_PER_S);
    assert_true(cp_metric_quantile(h, 1) == 30.0);
    cp_observe_destroy(observe);
}

static void label_is_escaped_and_cut_at_a_character(void **state)
{
    char text[64], tiny[12];
    assert_string_equal(cp_observe_label(text, sizeof text, "k", "a\"b\\c\nd"), "k=\"a\\\"b\\\\c\\nd\"");
    assert_string_equal(cp_observe_label(text, sizeof text, "k", ""), "k=\"\"");
    assert_string_equal(cp_observe_label(tiny, sizeof tiny, "key", "abc\"def"), "key=\"abc\\\"\"");
    assert_string_equal(cp_observe_label(tiny, sizeof tiny, "key", "abcd\xc3\xa4\xc3\xb6"), "key=\"abcd\"");
    assert_string_equal(cp_observe_label(tiny, 4, "key", "x"), "");
}

static void bad_or_clashing_names_count_into_the_void(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    cp_counter(observe, "a_total", "", "A.");
    struct cp_metric *clash = cp_gauge(observe, "a_total", "", "A."),
                     *same = cp_gauge(observe, "a_total", "x=\"1\"", "A.");
    struct cp_metric *bad = cp_counter(observe, "9 bad", "", "");
    assert_non_null(clash);
    assert_ptr_equal(clash, bad);
    assert_ptr_equal(clash, same);
    cp_metric_set(clash, 5);
    cp_metric_add(clash, 5);
    cp_metric_observe_ns(clash, 5);
    char *text = written(observe);
    assert_string_equal(text, "# HELP a_total A.\n# TYPE a_total counter\na_total 0\n");
    free(text);
    cp_observe_destroy(observe);
}

static void series_beyond_the_limit_count_into_the_void(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    struct cp_metric *first = NULL, *last = NULL;
    for (int i = 0; i < 4100; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "i=\"%d\"", i);
        last = cp_counter(observe, "n_total", labels, "N.");
        assert_non_null(last);
        first = first ? first : last;
        cp_metric_add(last, 1);
    }
    assert_ptr_equal(last, cp_counter(observe, "n_total", "i=\"4099\"", "N."));
    assert_true(cp_metric_value(last) == 0);
    assert_ptr_equal(first, cp_counter(observe, "n_total", "i=\"0\"", "N.")); /* known ones still work */
    assert_true(cp_metric_value(first) == 1);
    cp_observe_destroy(observe);
}

static void set_seven(void *user)
{
    struct cp_observe *observe = user;
    cp_metric_set(cp_gauge(observe, "made_by_collector", "", ""), 7); /* making one here must not deadlock */
}

static void collectors_run_before_writing(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    cp_observe_on_write(observe, set_seven, observe);
    char *text = written(observe);
    assert_string_equal(text, "# TYPE made_by_collector gauge\nmade_by_collector 7\n");
    free(text);
    cp_observe_destroy(observe);
}

static void *hammer(void *arg)
{
    struct cp_observe *observe = arg;
    for (int i = 0; i < 20000; i++) {
        cp_metric_add(cp_counter(observe, "n_total", "", "N."), 1);
        cp_metric_observe_ns(cp_histogram(observe, "h_seconds", "", "H."), i);
    }
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    struct cp_observe *observe = cp_observe_create();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(cp_thread_start(&threads[i], "hammer", hammer, observe), 0);
    for (int i = 0; i < 20; i++)
        free(written(observe));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(cp_metric_value(cp_counter(observe, "n_total", "", "N.")) == 80000);
    assert_int_equal(cp_metric_count(cp_histogram(observe, "h_seconds", "", "H.")), 80000);
    cp_observe_destroy(observe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_is_found_again_by_name_and_labels),
        cmocka_unit_test(text_groups_series_below_one_help_and_type),
        cmocka_unit_test(histogram_text_is_cumulative_and_ends_at_inf),
        cmocka_unit_test(histogram_quantiles_are_within_a_bucket_of_the_truth),
        cmocka_unit_test(label_is_escaped_and_cut_at_a_character),
        cmocka_unit_test(bad_or_clashing_names_count_into_the_void),
        cmocka_unit_test(series_beyond_the_limit_count_into_the_void),
        cmocka_unit_test(collectors_run_before_writing),
        cmocka_unit_test(threads_lose_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
