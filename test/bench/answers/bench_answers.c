/*
 * How well and how fast search finds: bench_answers XQUAD.json [XQUAD.json ...] [--curve] [--hold HALF]
 *
 * Reads question sets in SQuAD's JSON shape, makes each paragraph a document of one collection, asks every
 * question, and prints R@1, R@5, MRR@10 (over documents) and search times. With --curve, half of the articles
 * (every second one) are left out: their questions cannot be answered. For each threshold of confidence the
 * share of those that is refused, and the share of the others that is refused wrongly, are printed.
 */
#include "answers/answers.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_QUESTIONS = 20000 };

struct asked {
    bool answerable;
    int rank; /* of the right document, 1 ..; 0: not among ten */
    double confidence, took_ms;
};

static struct asked asked[MAX_QUESTIONS];

static int by_time(const void *a, const void *b)
{
    double x = ((const struct asked *)a)->took_ms, y = ((const struct asked *)b)->took_ms;
    return (x > y) - (x < y);
}

static void add_article(struct cp_answers *answers, json_t *article, size_t number)
{
    json_t *paragraphs = json_object_get(article, "paragraphs"), *paragraph;
    size_t i;
    json_array_foreach(paragraphs, i, paragraph)
    {
        char title[64];
        struct cp_error error;
        json_t *document = NULL;
        const char *text = json_string_value(json_object_get(paragraph, "context"));
        snprintf(title, sizeof title, "%zu-%zu", number, i);
        const struct cp_document_source source = {
            .title = title, .type = "text/plain", .bytes = text, .length = strlen(text)};
        if (cp_answers_add(answers, &source, &document, &error)) {
            fprintf(stderr, "%s\n", error.text);
            exit(1);
        }
        json_decref(document);
    }
}

static struct asked ask(struct cp_answers *answers, const char *question, const char *title)
{
    struct cp_error error;
    json_t *result = NULL, *hit;
    const struct cp_search search = {.query = question, .limit = 10};
    int64_t start = cp_clock_now_ns();
    if (cp_answers_search(answers, &search, &result, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    struct asked a = {.answerable = true, .took_ms = (double)(cp_clock_now_ns() - start) / 1e6};
    const char *seen[10];
    int n_seen = 0;
    size_t i;
    json_array_foreach(json_object_get(result, "hits"), i, hit)
    {
        const char *of = json_string_value(json_object_get(hit, "title"));
        bool again = false;
        for (int k = 0; k < n_seen; k++)
            again |= !strcmp(seen[k], of);
        if (again)
            continue;
        seen[n_seen++] = of;
        if (!strcmp(of, title) && !a.rank)
            a.rank = n_seen;
    }
    a.confidence =
        json_number_value(json_object_get(json_array_get(json_object_get(result, "hits"), 0), "confidence"));
    json_decref(result);
    return a;
}

static int ask_all(struct cp_answers *answers, json_t *articles, bool half)
{
    json_t *article, *paragraph, *question;
    size_t i, j, k;
    int n = 0;
    json_array_foreach(articles, i, article)
        json_array_foreach(json_object_get(article, "paragraphs"), j, paragraph)
            json_array_foreach(json_object_get(paragraph, "qas"), k, question)
    {
        char title[64];
        snprintf(title, sizeof title, "%zu-%zu", i, j);
        if (n == MAX_QUESTIONS)
            return n;
        asked[n] = ask(answers, json_string_value(json_object_get(question, "question")), title);
        asked[n++].answerable = !half || i % 2 == 0;
    }
    return n;
}

static void print_ranks(const char *name, int n)
{
    double first = 0, five = 0, reciprocal = 0;
    for (int i = 0; i < n; i++) {
        first += asked[i].rank == 1;
        five += asked[i].rank && asked[i].rank <= 5;
        reciprocal += asked[i].rank ? 1.0 / asked[i].rank : 0;
    }
    qsort(asked, (size_t)n, sizeof asked[0], by_time);
    printf("%s: %d questions, R@1 %.4f, R@5 %.4f, MRR@10 %.4f, search median %.2f ms, p99 %.2f ms\n", name, n,
           first / n, five / n, reciprocal / n, asked[n / 2].took_ms, asked[n * 99 / 100].took_ms);
}

static void print_curve(const char *name, int n)
{
    printf("%s: threshold, refused of those without an answer, refused of those with one\n", name);
    for (double threshold = 0.2; threshold < 0.96; threshold += 0.05) {
        double refused[2] = {0, 0}, all[2] = {0, 0};
        for (int i = 0; i < n; i++) {
            all[asked[i].answerable]++;
            refused[asked[i].answerable] += asked[i].confidence < threshold;
        }
        printf("  %.2f  %.3f  %.3f\n", threshold, refused[0] / all[0], refused[1] / all[1]);
    }
}

static void run(const char *path, bool half)
{
    struct cp_answers_config config;
    struct cp_error error;
    struct cp_answers *answers = NULL;
    const struct cp_config_section section = {"answers", cp_answers_options, cp_answers_n_options, &config};
    char directory[] = "/tmp/bench-answers-XXXXXX", command[80];
    json_t *set = json_load_file(path, 0, NULL), *articles = json_object_get(set, "data"), *article;
    if (!articles || !mkdtemp(directory) || cp_config_defaults(&section, 1, &error) ||
        cp_config_read_environment(&section, 1, &error) ||
        cp_answers_open(&config, directory, &answers, &error)) {
        fprintf(stderr, "%s cannot be used: %s\n", path, articles ? error.text : "no question set");
        exit(1);
    }
    size_t i;
    json_array_foreach(articles, i, article) if (!half || i % 2 == 0) add_article(answers, article, i);
    int n = ask_all(answers, articles, half);
    if (half)
        print_curve(path, n);
    else
        print_ranks(path, n);
    cp_answers_close(answers);
    json_decref(set);
    snprintf(command, sizeof command, "rm -r %s", directory);
    if (system(command))
        fprintf(stderr, "%s is left\n", directory);
}

int main(int argc, char **argv)
{
    bool half = false;
    for (int i = 1; i < argc; i++)
        half |= !strcmp(argv[i], "--curve");
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            run(argv[i], half);
    return 0;
}
