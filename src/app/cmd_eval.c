/* `compere eval FILE`: how well the knowledge base of a data directory answers a set of questions. */
#include "app/app.h"

#include "answers/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 << 20 };

static const char USAGE[] =
    "usage: compere eval FILE [--collection NAME] [--json] [--data DIRECTORY]\n"
    "FILE: JSON lines {\"question\",\"document\",\"answer\"} or a table of these (docs/answers.md)\n";

static int read_file(const char *path, struct cp_buffer *bytes, struct cp_error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return cp_fail(error, CP_ERR_IO, "eval", "%s cannot be read", path);
    char block[64 << 10];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0 && !bytes->failed;)
        cp_buffer_add(bytes, block, n);
    fclose(file);
    return bytes->failed
               ? cp_fail(error, CP_ERR_LIMIT, "eval", "%s is larger than %d MiB", path, MOST_BYTES >> 20)
               : 0;
}

static void say_share(const char *name, const json_t *value)
{
    if (json_is_number(value))
        printf("%-38s %6.1f %%\n", name, 100 * json_number_value(value));
}

/* Refusals over thresholds, a row each, with a bar of what is refused rightly. */
static void say_curve(const json_t *report)
{
    const json_t *point;
    size_t i;
    if (!json_integer_value(json_object_get(report, "unanswerable")))
        return;
    printf("\nthreshold   refused rightly   refused wrongly\n");
    json_array_foreach(json_object_get(report, "curve"), i, point)
    {
        double right = json_number_value(json_object_get(point, "refused_right")),
               wrong = json_number_value(json_object_get(point, "refused_wrong"));
        printf("%9.2f   %13.1f %%   %13.1f %%   %.*s\n",
               json_number_value(json_object_get(point, "threshold")), 100 * right, 100 * wrong,
               (int)(30 * right), "##############################");
    }
}

static void say_report(const json_t *report)
{
    printf("%lld questions, %lld with an answer\n\n",
           (long long)json_integer_value(json_object_get(report, "questions")),
           (long long)json_integer_value(json_object_get(report, "answerable")));
    say_share("right passage first (recall@1)", json_object_get(report, "recall_1"));
    say_share("among five (recall@5)", json_object_get(report, "recall_5"));
    say_share("among ten (recall@10)", json_object_get(report, "recall_10"));
    if (json_is_number(json_object_get(report, "mrr_10")))
        printf("%-38s %6.3f\n", "mean reciprocal rank (MRR@10)",
               json_number_value(json_object_get(report, "mrr_10")));
    printf("%-38s %6.2f\n", "refuses below (answers.confident)",
           json_number_value(json_object_get(report, "threshold")));
    say_share("refused rightly", json_object_get(report, "refused_right"));
    say_share("refused wrongly", json_object_get(report, "refused_wrong"));
    printf("%-38s %6.1f ms, p99 %.1f ms\n", "search, median",
           json_number_value(json_object_get(report, "p50_ms")),
           json_number_value(json_object_get(report, "p99_ms")));
    say_curve(report);
    const json_t *missed;
    size_t i;
    json_array_foreach(json_object_get(report, "missed"), i, missed)
    {
        if (i == 0)
            printf("\nnot found first:\n");
        if (i < 10)
            printf("  %s\n    wanted %.60s, found %.60s\n",
                   json_string_value(json_object_get(missed, "question")),
                   json_string_value(json_object_get(missed, "wanted")),
                   json_string_value(json_object_get(missed, "found")));
    }
}

int cp_cmd_eval(int argc, char **argv)
{
    static struct cp_app_config config;
    struct cp_error error;
    const char *collection = "";
    bool as_json = false;
    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    int n = 0, left = 0;
    for (int i = 0; i < argc && rest; i++) {
        if (!strcmp(argv[i], "--json"))
            as_json = true;
        else if (!strcmp(argv[i], "--collection") && i + 1 < argc)
            collection = argv[++i];
        else
            rest[n++] = argv[i];
    }
    int result = rest ? cp_app_configure(&config, n, rest, &left, &error)
                      : cp_fail(&error, CP_ERR_NOMEM, "eval", "out of memory");
    const char *path = !result && left == 1 ? rest[0] : NULL;
    free(rest);
    if (result || !path) {
        fprintf(stderr, result ? "compere: %s\n" : "%s", result ? error.text : USAGE);
        return 2;
    }
    struct cp_buffer bytes = cp_buffer_make(MOST_BYTES);
    struct cp_answers *answers = NULL;
    json_t *questions = NULL, *report = NULL;
    result = read_file(path, &bytes, &error);
    if (!result)
        result = cp_evaluate_read((const char *)bytes.data, bytes.length, &questions, &error);
    if (!result)
        result = cp_answers_open(&config.answers, config.store.directory, &answers, &error);
    if (!result)
        result = cp_evaluate(answers, questions, collection, &report, &error);
    if (result)
        fprintf(stderr, "compere: %s\n", error.text);
    else if (as_json)
        json_dumpf(report, stdout, JSON_INDENT(2)), putchar('\n');
    else
        say_report(report);
    json_decref(report);
    json_decref(questions);
    cp_answers_close(answers);
    cp_buffer_free(&bytes);
    return result ? 1 : 0;
}
