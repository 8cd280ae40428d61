/*
 * How well and how fast search finds: bench_answers (XQUAD.json ... [--curve] | --scale PASSAGES)
 *
 * Reads question sets in SQuAD's JSON shape, makes each paragraph a document of one collection, asks every
 * question, and prints R@1, R@5, MRR@10 (over documents) and search times. With --curve, half of the articles
 * (every second one) are left out: their questions cannot be answered. For each threshold of confidence the
 * share of those that is refused, and the share of the others that is refused wrongly, are printed.
 *
 * --scale makes up passages of 80 words each, drawn from 200,000 by Zipf's law (word of rank r as often as 1
 * / r), a hundred passages a document, and asks 2,000 questions of six words, each from one passage.
 */
#include "answers/answers.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

struct bench { /* a knowledge base in a directory of its own, with the shipped defaults */
    char directory[40];
    struct cp_answers *answers;
};

static struct bench open_bench(void)
{
    struct bench bench = {.directory = "/tmp/bench-answers-XXXXXX"};
    struct cp_answers_config config;
    struct cp_error error = {.text = "no directory"};
    const struct cp_config_section section = {"answers", cp_answers_options, cp_answers_n_options, &config};
    if (!mkdtemp(bench.directory) || cp_config_defaults(&section, 1, &error) ||
        cp_config_read_environment(&section, 1, &error) ||
        cp_answers_open(&config, bench.directory, &bench.answers, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return bench;
}

static void close_bench(struct bench *bench)
{
    char command[80];
    cp_answers_close(bench->answers);
    snprintf(command, sizeof command, "rm -r %s", bench->directory);
    if (system(command))
        fprintf(stderr, "%s is left\n", bench->directory);
}

static void add_document(struct cp_answers *answers, const char *title, const char *type, const char *text,
                         size_t length)
{
    struct cp_error error;
    json_t *document = NULL;
    const struct cp_document_source source = {.title = title, .type = type, .bytes = text, .length = length};
    if (cp_answers_add(answers, &source, &document, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    json_decref(document);
}

static void add_article(struct cp_answers *answers, json_t *article, size_t number)
{
    json_t *paragraphs = json_object_get(article, "paragraphs"), *paragraph;
    size_t i;
    json_array_foreach(paragraphs, i, paragraph)
    {
        char title[64];
        const char *text = json_string_value(json_object_get(paragraph, "context"));
        snprintf(title, sizeof title, "%zu-%zu", number, i);
        add_document(answers, title, "text/plain", text, strlen(text));
    }
}

static struct asked ask(struct cp_answers *answers, const char *question, const char *title)
{
    struct cp_error error;
    json_t *result = NULL, *hit;
    const struct cp_search search = {.query = question, .limit = 10};
    int64_t start = cp_clock_thread_cpu_ns(); /* of this thread: other programs do not count */
    if (cp_answers_search(answers, &search, &result, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    struct asked a = {.answerable = true, .took_ms = (double)(cp_clock_thread_cpu_ns() - start) / 1e6};
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
    struct bench bench = open_bench();
    json_t *set = json_load_file(path, 0, NULL), *articles = json_object_get(set, "data"), *article;
    if (!articles) {
        fprintf(stderr, "%s is no question set\n", path);
        exit(1);
    }
    size_t i;
    json_array_foreach(articles, i, article) if (!half || i % 2 == 0) add_article(bench.answers, article, i);
    int n = ask_all(bench.answers, articles, half);
    if (half)
        print_curve(path, n);
    else
        print_ranks(path, n);
    close_bench(&bench);
    json_decref(set);
}

/* --- at scale --- */

enum {
    WORDS = 200000,
    WORDS_A_PASSAGE = 80,
    PASSAGES_A_DOCUMENT = 100,
    SCALE_QUESTIONS = 2000,
    WORDS_A_QUESTION = 6
};

/* Rank by Zipf's law: the inverse of its distribution, nearly. */
static int draw_word(unsigned *seed)
{
    double u = (double)rand_r(seed) / RAND_MAX;
    return (int)exp(u * log(WORDS)) - 1;
}

/* A word of consonants and vowels that no stemmer touches. */
static int write_word(int rank, char *out)
{
    static const char CONSONANTS[] = "bdfgklmnprtvz", VOWELS[] = "aou";
    int n = 0;
    do {
        out[n++] = CONSONANTS[rank % 13];
        rank /= 13;
        out[n++] = VOWELS[rank % 3];
        rank /= 3;
    } while (rank);
    out[n++] = 'x';
    return n;
}

static void write_passage(int number, char *out, int words)
{
    unsigned seed = (unsigned)number * 2654435761u + 1;
    int n = 0;
    for (int i = 0; i < words; i++) {
        n += write_word(draw_word(&seed), out + n);
        out[n++] = i + 1 < words ? ' ' : '.';
    }
    out[n] = 0;
}

static long resident_mb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * 4 / 1024;
}

static void run_scale(int passages)
{
    struct bench bench = open_bench();
    static char text[PASSAGES_A_DOCUMENT * WORDS_A_PASSAGE * 16];
    int64_t start = cp_clock_now_ns();
    for (int i = 0; i < passages; i += PASSAGES_A_DOCUMENT) {
        char title[64];
        size_t n = 0;
        for (int k = 0; k < PASSAGES_A_DOCUMENT; k++) {
            n += (size_t)sprintf(text + n, "# %d\n", k); /* a heading begins a passage */
            write_passage(i + k, text + n, WORDS_A_PASSAGE);
            n += strlen(text + n);
            text[n++] = '\n';
        }
        snprintf(title, sizeof title, "d%d", i / PASSAGES_A_DOCUMENT);
        add_document(bench.answers, title, "text/markdown", text, n);
    }
    double seconds = (double)(cp_clock_now_ns() - start) / 1e9;
    struct stat file;
    char path[128];
    snprintf(path, sizeof path, "%s/knowledge.db", bench.directory);
    int found = 0;
    for (int i = 0; i < SCALE_QUESTIONS; i++) {
        int number = (int)((double)i / SCALE_QUESTIONS * passages);
        char title[64];
        write_passage(number, text, WORDS_A_QUESTION);
        snprintf(title, sizeof title, "d%d", number / PASSAGES_A_DOCUMENT);
        asked[i] = ask(bench.answers, text, title);
        found += asked[i].rank == 1;
    }
    qsort(asked, SCALE_QUESTIONS, sizeof asked[0], by_time);
    printf("%d passages: %.0f indexed a second, file %.0f MB, resident %ld MB; right document first %.3f; "
           "search median "
           "%.2f, p95 %.2f, p99 %.2f, most %.2f ms\n",
           passages, passages / seconds, stat(path, &file) ? 0 : (double)file.st_size / 1e6, resident_mb(),
           (double)found / SCALE_QUESTIONS, asked[SCALE_QUESTIONS / 2].took_ms,
           asked[SCALE_QUESTIONS * 95 / 100].took_ms, asked[SCALE_QUESTIONS * 99 / 100].took_ms,
           asked[SCALE_QUESTIONS - 1].took_ms);
    close_bench(&bench);
}

int main(int argc, char **argv)
{
    bool half = false;
    if (argc == 3 && !strcmp(argv[1], "--scale")) {
        run_scale(atoi(argv[2]));
        return 0;
    }
    for (int i = 1; i < argc; i++)
        half |= !strcmp(argv[i], "--curve");
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            run(argv[i], half);
    return 0;
}
