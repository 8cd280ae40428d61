#include "answers/evaluate.h"

#include "answers/answers_int.h"
#include "answers/fold.h"
#include "answers/table.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STAGE "answers"

enum { DEPTH = 10, STEPS = 20, MOST_MISSED = 50 };

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

/* --- reading --- */

static int add_question(json_t *list, json_t *question, int line, struct cp_error *error)
{
    if (!*text_of(question, "question"))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "Line %d has no \"question\".", line);
    if (json_array_size(list) >= CP_EVALUATE_MAX_QUESTIONS)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "A set may have %d questions.", CP_EVALUATE_MAX_QUESTIONS);
    json_array_append(list, question);
    return 0;
}

static int read_lines(const char *at, const char *end, json_t *list, struct cp_error *error)
{
    int result = 0;
    for (int line = 1; at < end && !result; line++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        size_t length = (size_t)(line_end - at);
        json_error_t problem;
        if (strspn(at, " \t\r") < length) {
            json_t *question = json_loadb(at, length, 0, &problem);
            result = json_is_object(question)
                         ? add_question(list, question, line, error)
                         : cp_fail(error, CP_ERR_FORMAT, STAGE, "Line %d is no JSON object: %.80s", line,
                                   question ? "something else" : problem.text);
            json_decref(question);
        }
        at = line_end + (line_end < end);
    }
    return result;
}

/* The columns of a row by the names of the first one. */
static int read_table(const char *at, const char *end, json_t *list, struct cp_error *error)
{
    static const char *const COLUMNS[] = {"question", "document", "answer", "answerable"};
    struct cp_table_row row;
    char separator = cp_table_separator(at, (size_t)(end - at));
    int column[4] = {-1, -1, -1, -1}, result = 0;
    cp_table_row_init(&row);
    for (int line = 1; !result && cp_table_next_row(&at, end, separator, &row); line++) {
        if (line == 1) {
            for (int i = 0; i < row.n; i++)
                for (int k = 0; k < 4; k++)
                    if (!strcasecmp(cp_buffer_string(&row.field[i]), COLUMNS[k]))
                        column[k] = i;
            if (column[0] < 0)
                result =
                    cp_fail(error, CP_ERR_FORMAT, STAGE,
                            "The first row of a table has to name its columns: question, document, answer.");
            continue;
        }
        json_t *question = json_object();
        for (int k = 0; k < 4; k++) {
            const char *text =
                column[k] >= 0 && column[k] < row.n ? cp_buffer_string(&row.field[column[k]]) : "";
            if (k < 3 && *text)
                json_object_set_new(question, COLUMNS[k], json_string(text));
            else if (*text)
                json_object_set_new(
                    question, COLUMNS[k],
                    json_boolean(strcasecmp(text, "false") && strcasecmp(text, "no") && strcmp(text, "0")));
        }
        result = add_question(list, question, line, error);
        json_decref(question);
    }
    cp_table_row_clear(&row);
    return result;
}

int cp_evaluate_read(const char *bytes, size_t length, json_t **ret_questions, struct cp_error *error)
{
    json_t *list = json_array();
    size_t blank = 0;
    if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        bytes += 3, length -= 3;
    while (blank < length && strchr(" \t\r\n", bytes[blank]))
        blank++;
    bool lines = blank < length && bytes[blank] == '{';
    int result = lines ? read_lines(bytes, bytes + length, list, error)
                       : read_table(bytes, bytes + length, list, error);
    if (!result && !json_array_size(list))
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "The set has no questions.");
    if (result)
        json_decref(list);
    else
        *ret_questions = list;
    return result;
}

/* --- judging --- */

static bool holds(const char *text, const char *words)
{
    enum { MOST = 32 << 10 };
    char *folded = malloc(2 * MOST);
    bool found = false;
    if (folded) {
        cp_fold_case(text, folded, MOST);
        cp_fold_case(words, folded + MOST, MOST);
        found = folded[MOST] && strstr(folded, folded + MOST);
    }
    free(folded);
    return found;
}

static bool is_right(const json_t *hit, const json_t *question)
{
    const char *document = text_of(question, "document"), *answer = text_of(question, "answer");
    if (*document && strcasecmp(text_of(hit, "title"), document) != 0 &&
        strcmp(text_of(hit, "document"), document) != 0)
        return false;
    return !*answer || holds(text_of(hit, "text"), answer);
}

static bool is_answerable(const json_t *question)
{
    const json_t *said = json_object_get(question, "answerable");
    return said ? json_is_true(said) : *text_of(question, "document") || *text_of(question, "answer");
}

struct tally {
    int answerable, unanswerable, first, five, ten;
    double reciprocal;
    int right[STEPS + 1], wrong[STEPS + 1]; /* refused at thresholds of n / STEPS */
    int right_at, wrong_at;                 /* at the knowledge base's own */
    double threshold, *ms;
    int n;
    json_t *missed;
};

static void judge(struct tally *tally, const json_t *question, const json_t *hits)
{
    double confidence = json_number_value(json_object_get(json_array_get(hits, 0), "confidence"));
    bool answerable = is_answerable(question);
    for (int i = 0; i <= STEPS; i++)
        *(answerable ? &tally->wrong[i] : &tally->right[i]) += confidence < (double)i / STEPS;
    *(answerable ? &tally->wrong_at : &tally->right_at) += confidence < tally->threshold;
    if (!answerable) {
        tally->unanswerable++;
        return;
    }
    tally->answerable++;
    size_t rank = 0;
    while (rank < json_array_size(hits) && !is_right(json_array_get(hits, rank), question))
        rank++;
    bool found = rank < json_array_size(hits) && rank < DEPTH;
    tally->first += found && rank == 0;
    tally->five += found && rank < 5;
    tally->ten += found;
    tally->reciprocal += found ? 1.0 / (double)(rank + 1) : 0;
    if ((!found || rank) && json_array_size(tally->missed) < MOST_MISSED)
        json_array_append_new(tally->missed,
                              json_pack("{s:s,s:s,s:s}", "question", text_of(question, "question"), "wanted",
                                        *text_of(question, "document") ? text_of(question, "document")
                                                                       : text_of(question, "answer"),
                                        "found", text_of(json_array_get(hits, 0), "title")));
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static json_t *share(double part, int whole)
{
    return whole ? json_real(part / whole) : json_null();
}

static json_t *report(struct tally *tally)
{
    json_t *curve = json_array();
    qsort(tally->ms, (size_t)tally->n, sizeof *tally->ms, by_size);
    for (int i = 0; i <= STEPS; i++)
        json_array_append_new(curve, json_pack("{s:f,s:o,s:o}", "threshold", (double)i / STEPS,
                                               "refused_right", share(tally->right[i], tally->unanswerable),
                                               "refused_wrong", share(tally->wrong[i], tally->answerable)));
    return json_pack("{s:i,s:i,s:i,s:o,s:o,s:o,s:o,s:f,s:o,s:o,s:f,s:f,s:o,s:O}", "questions", tally->n,
                     "answerable", tally->answerable, "unanswerable", tally->unanswerable, "recall_1",
                     share(tally->first, tally->answerable), "recall_5",
                     share(tally->five, tally->answerable), "recall_10", share(tally->ten, tally->answerable),
                     "mrr_10", share(tally->reciprocal, tally->answerable), "threshold", tally->threshold,
                     "refused_right", share(tally->right_at, tally->unanswerable), "refused_wrong",
                     share(tally->wrong_at, tally->answerable), "p50_ms", tally->ms[tally->n / 2], "p99_ms",
                     tally->ms[(tally->n * 99) / 100], "curve", curve, "missed", tally->missed);
}

int cp_evaluate(struct cp_answers *answers, const json_t *questions, const char *collection,
                json_t **ret_report, struct cp_error *error)
{
    size_t n = json_array_size(questions);
    struct tally tally = {
        .threshold = answers->config.confident, .missed = json_array(), .ms = calloc(n + 1, sizeof(double))};
    int result = tally.ms ? 0 : cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    for (size_t i = 0; i < n && !result; i++) {
        const json_t *question = json_array_get(questions, i);
        const struct cp_search search = {
            .query = text_of(question, "question"), .collection = collection, .language = "", .limit = DEPTH};
        json_t *found = NULL;
        int64_t start_ns = cp_clock_now_ns();
        result = cp_answers_search(answers, &search, &found, error);
        tally.ms[tally.n] = (double)(cp_clock_now_ns() - start_ns) / 1e6;
        if (!result) {
            tally.n++;
            judge(&tally, question, json_object_get(found, "hits"));
        }
        json_decref(found);
    }
    if (!result)
        *ret_report = report(&tally);
    free(tally.ms);
    json_decref(tally.missed);
    return result;
}
