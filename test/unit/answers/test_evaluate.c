/* Sets of questions: read from JSON lines and tables, judged by the passages that are found. */
#include "answers/evaluate.h"

#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *read_set(const char *text)
{
    struct cp_error error = {.text = ""};
    json_t *questions = NULL;
    if (cp_evaluate_read(text, strlen(text), &questions, &error))
        fail_msg("%s", error.text);
    return questions;
}

static void sets_are_lines_or_tables(void **state)
{
    json_t *lines = read_set("\xef\xbb\xbf{\"question\":\"A?\",\"document\":\"D\"}\n\n{\"question\":\"B?\"}"),
           *table = read_set("Answer;question;document;answerable\r\n;A?;D\n\"x;\"\"y\"\"\";B?;;no\n");
    assert_int_equal(json_array_size(lines), 2);
    assert_int_equal(json_array_size(table), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(table, 0), "document")), "D");
    assert_null(json_object_get(json_array_get(table, 0), "answer"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(table, 1), "answer")), "x;\"y\"");
    assert_true(json_is_false(json_object_get(json_array_get(table, 1), "answerable")));
    json_decref(lines);
    json_decref(table);
    static const char *const WRONG[][2] = {{"", "no questions"},
                                           {"{\"question\":\"A?\"}\n{oops", "Line 2"},
                                           {"{\"document\":\"D\"}", "Line 1 has no"},
                                           {"a,b\n1,2\n", "name its columns"},
                                           {"question,document\n,D\n", "Line 2 has no"}};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct cp_error error;
        json_t *none;
        assert_int_not_equal(cp_evaluate_read(WRONG[i][0], strlen(WRONG[i][0]), &none, &error), 0);
        if (!strstr(error.text, WRONG[i][1]))
            fail_msg("%s", error.text);
    }
}

static double share(const json_t *report, const char *name)
{
    return json_number_value(json_object_get(report, name));
}

static void answers_are_judged(void **state)
{
    static const char *const DOCUMENTS[][2] = {
        {"Delivery", "We deliver parcels to Spain within four working days."},
        {"Mugs", "The stoneware mug holds 350 millilitres and may go into the dishwasher."},
        {"Hours", "The shop is open from nine to six, on Saturdays until two."}};
    char directory[] = "/tmp/compere-evaluate-XXXXXX", command[80];
    struct cp_answers_config config;
    struct cp_config_section section = {"answers", cp_answers_options, cp_answers_n_options, &config};
    struct cp_answers *answers;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    assert_int_equal(cp_answers_open(&config, directory, &answers, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        const struct cp_document_source source = {.collection = "",
                                                  .title = DOCUMENTS[i][0],
                                                  .type = "text/plain",
                                                  .language = "en",
                                                  .bytes = DOCUMENTS[i][1],
                                                  .length = strlen(DOCUMENTS[i][1])};
        json_t *document;
        assert_int_equal(cp_answers_add(answers, &source, &document, NULL), 0);
        json_decref(document);
    }
    json_t *questions = read_set(
               "{\"question\":\"How long does delivery to Spain take?\",\"document\":\"delivery\"}\n"
               "{\"question\":\"How much does the stoneware mug hold?\",\"answer\":\"350 Millilitres\"}\n"
               "{\"question\":\"Is the shop open on Saturdays?\",\"document\":\"Mugs\"}\n"
               "{\"question\":\"Who painted the ceiling of the chapel?\"}\n"),
           *report;
    assert_int_equal(cp_evaluate(answers, questions, "", &report, NULL), 0);
    assert_int_equal(json_integer_value(json_object_get(report, "questions")), 4);
    assert_int_equal(json_integer_value(json_object_get(report, "answerable")), 3);
    assert_float_equal(share(report, "recall_1"), 2 / 3.0,
                       1e-9); /* the third is wanted from the wrong document */
    assert_true(share(report, "mrr_10") >= 2 / 3.0);
    assert_float_equal(share(report, "refused_right"), 1, 1e-9);
    assert_float_equal(share(report, "refused_wrong"), 0, 1e-9);
    const json_t *curve = json_object_get(report, "curve"),
                 *last = json_array_get(curve, json_array_size(curve) - 1);
    assert_float_equal(share(json_array_get(curve, 0), "refused_wrong"), 0, 1e-9);
    assert_float_equal(share(last, "threshold"), 1, 1e-9);
    assert_float_equal(share(last, "refused_right"), 1, 1e-9);
    assert_int_equal(json_array_size(json_object_get(report, "missed")), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(report, "missed"), 0), "found")),
        "Hours");
    json_decref(report);
    json_decref(questions);

    questions = read_set("question\nWho is it?\n"); /* none with an answer: no recall, not a recall of 0 */
    assert_int_equal(cp_evaluate(answers, questions, "", &report, NULL), 0);
    assert_true(json_is_null(json_object_get(report, "recall_1")));
    json_decref(report);
    json_decref(questions);
    cp_answers_close(answers);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_are_lines_or_tables),
                                       cmocka_unit_test(answers_are_judged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
