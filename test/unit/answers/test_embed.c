/* Likeness by meaning, against an endpoint that knows a few words' meanings and misbehaves when told to. */
#include "answers/embed/embed.h"

#include "base/clock.h"
#include "web.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "k3y-of-the-tests"
enum { WIDTH = 40 };

enum fault { NONE, FAULT_500, FAULT_SILENT, FAULT_GARBAGE, FAULT_SHORT };
static atomic_int fault, n_asked, n_bad;

/* --- the endpoint --- */

/* A component for each family of words, and a little of everything else by its hash. */
static json_t *meaning_of(const char *text)
{
    static const char *const FAMILIES[][4] = {{"car", "automobile", "vehicle", "drive"},
                                              {"dog", "puppy", "hound", "bark"},
                                              {"money", "price", "cost", "pay"},
                                              {"rain", "weather", "storm", "wet"}};
    double vector[WIDTH] = {0};
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, " .,?!\n");
        unsigned hash = 5;
        for (size_t i = 0; i < n; i++)
            hash = hash * 31 + (unsigned char)at[i];
        if (n)
            vector[4 + hash % (WIDTH - 4)] += 0.1;
        for (int f = 0; f < 4; f++)
            for (int w = 0; w < 4; w++)
                if (n >= strlen(FAMILIES[f][w]) && !strncasecmp(at, FAMILIES[f][w], strlen(FAMILIES[f][w])))
                    vector[f] += 1;
        at += n + (at[n] != 0);
    }
    json_t *list = json_array();
    for (int i = 0; i < WIDTH; i++)
        json_array_append_new(list, json_real(vector[i]));
    return list;
}

static void handle(void *user, struct web_connection *c, const struct web_request *request)
{
    char key[80] = "";
    json_t *body = json_loads(request->body, 0, NULL), *data = json_array(), *text;
    size_t i;
    atomic_fetch_add(&n_asked, 1);
    web_header(request, "Authorization", key, sizeof key);
    if (strcmp(request->path, "/v1/embeddings") != 0 || strcmp(key, "Bearer " SECRET) != 0 ||
        !json_is_string(json_object_get(body, "model")))
        atomic_fetch_add(&n_bad, 1);
    json_array_foreach(json_object_get(body, "input"), i, text) /* last first: the index counts */
        json_array_insert_new(
            data, 0,
            json_pack("{s:i,s:o}", "index", (int)i, "embedding", meaning_of(json_string_value(text))));
    int wrong = atomic_load(&fault);
    if (wrong == FAULT_SHORT)
        json_array_append_new(json_object_get(json_array_get(data, 0), "embedding"), json_real(1));
    json_t *answer = json_pack("{s:o}", "data", data);
    char *json = json_dumps(answer, 0);
    if (wrong == FAULT_500)
        web_reply(c, 500, "text/plain", "", "no", 2);
    else if (wrong == FAULT_GARBAGE)
        web_reply(c, 200, "application/json", "", "{\"data\":[{\"embedding\":\"x\"}]}", 29);
    else if (wrong == FAULT_SILENT)
        while (web_pause(c, 1000))
            ;
    else
        web_reply(c, 200, "application/json", "", json, strlen(json));
    free(json);
    json_decref(answer);
    json_decref(body);
}

/* --- a knowledge base --- */

struct base {
    char directory[64];
    struct cp_answers_config config;
    struct cp_answers *answers;
    struct web *web;
    struct cp_error error;
};

static int open_base(void **state)
{
    struct base *base = calloc(1, sizeof *base);
    const struct cp_config_section section = {"answers", cp_answers_options, cp_answers_n_options,
                                              &base->config};
    strcpy(base->directory, "/tmp/test-embed-XXXXXX");
    setenv("COMPERE_TEST_SECRET", SECRET, 1);
    unsetenv("http_proxy");
    atomic_store(&fault, NONE);
    base->web = web_start(handle, NULL);
    if (!base->web || !mkdtemp(base->directory) || cp_config_defaults(&section, 1, &base->error))
        return -1;
    snprintf(base->config.embed_url, sizeof base->config.embed_url, "http://127.0.0.1:%d/v1/",
             web_port(base->web));
    strcpy(base->config.embed_model, "meaning-1");
    strcpy(base->config.embed_key, "env:COMPERE_TEST_SECRET");
    *state = base;
    return cp_answers_open(&base->config, base->directory, &base->answers, &base->error);
}

static int close_base(void **state)
{
    struct base *base = *state;
    char path[400];
    cp_answers_close(base->answers);
    web_stop(base->web);
    DIR *directory = opendir(base->directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        snprintf(path, sizeof path, "%s/%s", base->directory, entry->d_name);
        unlink(path);
    }
    closedir(directory);
    rmdir(base->directory);
    free(base);
    return atomic_load(&n_bad);
}

static char *add(struct base *base, const char *collection, const char *title, const char *text)
{
    static char id[DOCUMENT_ID_BYTES];
    const struct cp_document_source source = {.collection = collection,
                                              .title = title,
                                              .type = "text/plain",
                                              .bytes = text,
                                              .length = strlen(text)};
    json_t *document = NULL;
    if (cp_answers_add(base->answers, &source, &document, &base->error))
        fail_msg("%s", base->error.text);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(document, "id")));
    json_decref(document);
    return id;
}

static void wait_embedded(struct base *base, int64_t n)
{
    int64_t until_ns = cp_clock_now_ns() + 20 * CP_NS_PER_S;
    while (cp_answers_stats(base->answers).embedded != n) {
        if (cp_clock_now_ns() > until_ns)
            fail_msg("%lld of %lld passages have vectors",
                     (long long)cp_answers_stats(base->answers).embedded, (long long)n);
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 20 * CP_NS_PER_MS);
    }
}

static json_t *search(struct base *base, const char *query, const char *collection)
{
    json_t *result = NULL;
    const struct cp_search asked = {.query = query, .collection = collection};
    if (cp_answers_search(base->answers, &asked, &result, &base->error))
        fail_msg("%s", base->error.text);
    return result;
}

static const char *best(struct base *base, const char *query, const char *collection)
{
    static char title[200];
    json_t *result = search(base, query, collection);
    const char *found =
        json_string_value(json_object_get(json_array_get(json_object_get(result, "hits"), 0), "title"));
    snprintf(title, sizeof title, "%s", found ? found : "");
    json_decref(result);
    return title;
}

static void add_three(struct base *base)
{
    add(base, "", "Cars", "Our automobiles are washed each Friday.");
    add(base, "", "Dogs", "Puppies sleep in the back room.");
    add(base, "town", "Weather", "Storms come from the west.");
    wait_embedded(base, 3);
}

/* --- */

static void passages_are_found_by_meaning(void **state)
{
    struct base *base = *state;
    add_three(base);
    assert_string_equal(best(base, "Which vehicle?", ""), "Cars"); /* no word in common */
    assert_string_equal(best(base, "hound", ""), "Dogs");
    assert_string_equal(best(base, "Will it rain?", "town"), "Weather");
    assert_string_not_equal(best(base, "Will it rain?", "main"), "Weather");
    assert_string_equal(best(base, "back room", ""), "Dogs"); /* words count as before */
    json_t *result = search(base, "hound", ""), *hit = json_array_get(json_object_get(result, "hits"), 0);
    assert_true(json_number_value(json_object_get(hit, "similarity")) > 0.9);
    assert_true(json_is_false(json_object_get(result, "confident"))); /* likeness only ranks, unless told */
    json_decref(result);
    int asked = atomic_load(&n_asked);
    best(base, "hound", "");
    assert_int_equal(atomic_load(&n_asked), asked); /* the question's vector is remembered */
}

static void likeness_is_an_answer_where_it_is_told_so(void **state)
{
    struct base *base = *state;
    add_three(base);
    cp_answers_close(base->answers);
    base->config.embed_sure = 0.6;
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error), 0);
    json_t *result = search(base, "hound", "");
    assert_true(json_is_true(json_object_get(result, "confident")));
    json_decref(result);
    result = search(base, "quantum chromodynamics", "");
    assert_true(json_is_false(json_object_get(result, "confident")));
    json_decref(result);
}

static void vectors_outlive_the_process_but_not_their_model(void **state)
{
    struct base *base = *state;
    add_three(base);
    int asked = atomic_load(&n_asked);
    cp_answers_close(base->answers);
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error), 0);
    assert_int_equal(cp_answers_stats(base->answers).embedded, 3);
    assert_int_equal(atomic_load(&n_asked), asked);
    cp_answers_close(base->answers);
    strcpy(base->config.embed_model, "meaning-2");
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error), 0);
    wait_embedded(base, 3);
    assert_true(atomic_load(&n_asked) > asked);
    assert_string_equal(best(base, "hound", ""), "Dogs");
}

static void changed_and_deleted_passages_lose_their_vectors(void **state)
{
    struct base *base = *state;
    add_three(base);
    char *id = add(base, "", "Dogs", "Prices are on the wall."); /* replaced: no dogs any more */
    int64_t until_ns = cp_clock_now_ns() + 20 * CP_NS_PER_S;
    while (strcmp(best(base, "What does it cost?", ""), "Dogs") != 0 && cp_clock_now_ns() < until_ns)
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 20 * CP_NS_PER_MS);
    assert_string_equal(best(base, "What does it cost?", ""), "Dogs");
    json_t *result = search(base, "hound", ""), *hits = json_object_get(result, "hits"), *hit;
    size_t i;
    json_array_foreach(hits, i, hit)
        assert_null(strstr(json_string_value(json_object_get(hit, "text")), "Puppies"));
    json_decref(result);
    assert_int_equal(cp_answers_delete(base->answers, id, &base->error), 0);
    wait_embedded(base, 2); /* also in memory, soon */
    assert_string_not_equal(best(base, "What does it cost?", ""), "Dogs");
}

static void an_endpoint_that_fails_leaves_search_by_words(void **state)
{
    struct base *base = *state;
    add_three(base);
    for (int wrong = FAULT_500; wrong <= FAULT_SHORT; wrong++) {
        char question[40];
        atomic_store(&fault, wrong);
        snprintf(question, sizeof question, "Puppies of kind %d?", wrong);
        int64_t asked_ns = cp_clock_now_ns();
        assert_string_equal(best(base, question, ""), "Dogs");
        assert_true(cp_clock_now_ns() - asked_ns < 2 * CP_NS_PER_S);
    }
    assert_true(cp_answers_stats(base->answers).embed_failures >= 3);
    int asked = atomic_load(&n_asked);
    assert_string_equal(best(base, "Puppies, once more", ""), "Dogs"); /* left alone after three */
    assert_int_equal(atomic_load(&n_asked), asked);
    atomic_store(&fault, NONE);
    add(base, "", "Prices", "All costs are on the wall.");
    wait_embedded(base, 4); /* it is tried again */
}

/* The endpoint costs money: what there is no room for is not asked for. */
static void no_more_vectors_are_asked_for_than_are_kept(void **state)
{
    struct base *base = *state;
    cp_answers_close(base->answers);
    base->config.embed_most = 2;
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error), 0);
    add(base, "", "Cars", "Our automobiles are washed each Friday.");
    add(base, "", "Dogs", "Puppies sleep in the back room.");
    add(base, "", "Money", "Prices are on the wall.");
    wait_embedded(base, 2);
    int asked = atomic_load(&n_asked);
    cp_clock_sleep_until_ns(cp_clock_now_ns() + 2500 * CP_NS_PER_MS); /* two looks */
    assert_int_equal(atomic_load(&n_asked), asked);
    assert_string_equal(best(base, "prices", ""), "Money"); /* words find it */
}

static void the_endpoint_can_be_tried(void **state)
{
    struct base *base = *state;
    int width = 0;
    assert_int_equal(cp_answers_try_embeddings(&base->config, &width, &base->error), 0);
    assert_int_equal(width, WIDTH);
    atomic_store(&fault, FAULT_500);
    assert_int_equal(cp_answers_try_embeddings(&base->config, &width, &base->error), CP_ERR_UNAVAILABLE);
    struct cp_answers_config none = {.embed_url = ""};
    assert_int_equal(cp_answers_try_embeddings(&none, &width, &base->error), 0);
    assert_int_equal(width, 0);
}

static void wrong_options_are_told(void **state)
{
    struct base *base = *state;
    cp_answers_close(base->answers);
    base->answers = NULL;
    base->config.embed_model[0] = 0;
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error),
                     CP_ERR_INVALID);
    assert_non_null(strstr(base->error.text, "embed_model"));
    strcpy(base->config.embed_url, "ftp://x");
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error),
                     CP_ERR_INVALID);
    base->answers = NULL;
}

/* --- vectors alone --- */

static float component(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / 8388608.0f - 1;
}

static void the_scan_finds_what_exact_arithmetic_finds(void **state)
{
    enum { N = 3000, WIDE = 131 };
    static float all[N][WIDE];
    struct cp_vectors *vectors = cp_vectors_create(N);
    int8_t packed[WIDE];
    float scale;
    unsigned seed = 7;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < WIDE; k++)
            all[i][k] = component(&seed);
        assert_true(cp_vector_pack(all[i], WIDE, packed, &scale));
        assert_true(cp_vectors_put(vectors, 10 * i, 1 + (uint32_t)i % 3, packed, scale, WIDE));
    }
    assert_false(cp_vectors_put(vectors, 5, 1, packed, scale, WIDE)); /* no more */
    assert_true(cp_vectors_put(vectors, 0, 1, packed, scale,
                               WIDE)); /* but in another's place: all[0] is the last now */
    memcpy(all[0], all[N - 1], sizeof all[0]);
    assert_false(cp_vectors_put(vectors, 0, 1, packed, scale, WIDE - 1));
    float question[WIDE];
    for (int k = 0; k < WIDE; k++)
        question[k] = all[1500][k] + 0.2f * component(&seed);
    assert_true(cp_vector_pack(question, WIDE, packed, &scale));
    struct cp_near near[20];
    assert_int_equal(cp_vectors_nearest(vectors, packed, scale, WIDE, 0, near, 20), 20);
    assert_int_equal(near[0].passage, 15000);
    for (int i = 0; i < 20; i++) {
        double a = 0, b = 0, both = 0;
        const float *row = all[near[i].passage / 10];
        for (int k = 0; k < WIDE; k++) {
            a += (double)(row[k] * row[k]);
            b += (double)(question[k] * question[k]);
            both += (double)(row[k] * question[k]);
        }
        assert_true(fabs((double)near[i].cosine - both / sqrt(a * b)) < 0.02);
        assert_true(!i || near[i].cosine <= near[i - 1].cosine);
    }
    int n = cp_vectors_nearest(vectors, packed, scale, WIDE, 2, near, 20);
    for (int i = 0; i < n; i++)
        assert_int_equal(near[i].passage / 10 % 3, 1);
    assert_int_equal(cp_vectors_nearest(vectors, packed, scale, WIDE - 2, 0, near, 20), 0);
    const int64_t kept[] = {10, 15000, 29990};
    cp_vectors_retain(vectors, kept, 3);
    assert_int_equal(cp_vectors_nearest(vectors, packed, scale, WIDE, 0, near, 20), 3);
    assert_int_equal(near[0].passage, 15000);
    assert_true(cp_vectors_put(vectors, 7, 1, packed, scale, WIDE));
    assert_int_equal(cp_vectors_count(vectors), 4);
    float nothing[WIDE] = {0};
    assert_false(cp_vector_pack(nothing, WIDE, packed, &scale));
    nothing[3] = NAN;
    assert_false(cp_vector_pack(nothing, WIDE, packed, &scale));
    cp_vectors_destroy(vectors);
}

#define WITH_BASE(test) cmocka_unit_test_setup_teardown(test, open_base, close_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BASE(passages_are_found_by_meaning),
        WITH_BASE(likeness_is_an_answer_where_it_is_told_so),
        WITH_BASE(vectors_outlive_the_process_but_not_their_model),
        WITH_BASE(changed_and_deleted_passages_lose_their_vectors),
        WITH_BASE(an_endpoint_that_fails_leaves_search_by_words),
        WITH_BASE(no_more_vectors_are_asked_for_than_are_kept),
        WITH_BASE(the_endpoint_can_be_tried),
        WITH_BASE(wrong_options_are_told),
        cmocka_unit_test(the_scan_finds_what_exact_arithmetic_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
