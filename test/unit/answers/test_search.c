/* Documents kept, replaced, removed; and found. */
#include "answers/answers_int.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct base {
    char directory[64];
    struct cp_answers_config config;
    struct cp_answers *answers;
    struct cp_error error;
};

static int open_base(void **state)
{
    struct base *base = calloc(1, sizeof *base);
    const struct cp_config_section section = {"answers", cp_answers_options, cp_answers_n_options,
                                              &base->config};
    strcpy(base->directory, "/tmp/test-answers-XXXXXX");
    if (!mkdtemp(base->directory) || cp_config_defaults(&section, 1, &base->error) ||
        cp_answers_open(&base->config, base->directory, &base->answers, &base->error))
        return -1;
    *state = base;
    return 0;
}

static int close_base(void **state)
{
    struct base *base = *state;
    char path[400];
    cp_answers_close(base->answers);
    DIR *directory = opendir(base->directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        snprintf(path, sizeof path, "%s/%s", base->directory, entry->d_name);
        unlink(path);
    }
    closedir(directory);
    rmdir(base->directory);
    free(base);
    return 0;
}

static char *add(struct base *base, const char *collection, const char *title, const char *type,
                 const char *text)
{
    static char id[DOCUMENT_ID_BYTES];
    const struct cp_document_source source = {
        .collection = collection, .title = title, .type = type, .bytes = text, .length = strlen(text)};
    json_t *document = NULL;
    if (cp_answers_add(base->answers, &source, &document, &base->error))
        fail_msg("%s", base->error.text);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(document, "id")));
    json_decref(document);
    return id;
}

static json_t *search(struct base *base, const char *query, const char *collection)
{
    json_t *result = NULL;
    const struct cp_search asked = {.query = query, .collection = collection};
    if (cp_answers_search(base->answers, &asked, &result, &base->error))
        fail_msg("%s", base->error.text);
    return result;
}

/* The title of the best hit; "" when there is none. */
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

static void add_shop(struct base *base)
{
    add(base, "", "Delivery", "text/plain",
        "We deliver parcels to Spain within four working days. Express takes two.");
    add(base, "", "Returns", "text/plain",
        "Goods may be returned within thirty days. We pay the postage of returns.");
    add(base, "", "Mugs", "text/plain", "The stoneware mug holds 350 ml and is made by hand in Portugal.");
    add(base, "", "营业时间", "text/plain", "我们每天早上九点开门，晚上六点关门。星期天休息。");
}

static void questions_find_their_passage_in_any_language(void **state)
{
    struct base *base = *state;
    add_shop(base);
    assert_string_equal(best(base, "How long does delivery to Spain take?", ""), "Delivery");
    assert_string_equal(best(base, "can I return something?", ""), "Returns");
    assert_string_equal(best(base, "Who makes the mugs?", ""), "Mugs");
    assert_string_equal(best(base, "你们几点关门？", ""), "营业时间");
    assert_string_equal(best(base, "什么", ""), "");
    assert_string_not_equal(best(base, "the", ""), ""); /* made of small words only */
}

static void scores_are_explained_and_unsure_answers_said(void **state)
{
    struct base *base = *state;
    add_shop(base);
    json_t *result = search(base, "stoneware mug", ""),
           *hit = json_array_get(json_object_get(result, "hits"), 0);
    assert_true(json_is_true(json_object_get(result, "confident")));
    assert_int_equal(json_array_size(json_object_get(hit, "terms")), 2);
    json_t *mark = json_array_get(json_object_get(hit, "marks"), 0);
    const char *text = json_string_value(json_object_get(hit, "text"));
    assert_memory_equal(text + json_integer_value(json_array_get(mark, 0)), "stoneware", 9);
    json_decref(result);
    result = search(base, "quantum chromodynamics of returned neutrinos", "");
    assert_true(json_is_false(json_object_get(result, "confident")));
    json_decref(result);
}

/* Sets a collection by JSON; the result is what cp_answers_set_collection gives. */
static int set(struct base *base, const char *collection, const char *json)
{
    json_t *changes = json_loads(json, 0, NULL), *set_to = NULL;
    assert_non_null(changes);
    int result = cp_answers_set_collection(base->answers, collection, changes, &set_to, &base->error);
    if (!result)
        assert_string_equal(json_string_value(json_object_get(set_to, "name")), collection);
    json_decref(set_to);
    json_decref(changes);
    return result;
}

static bool is_confident(struct base *base, const char *query, const char *collection)
{
    json_t *result = search(base, query, collection);
    bool confident = json_is_true(json_object_get(result, "confident"));
    json_decref(result);
    return confident;
}

static void words_that_mean_the_same_find_each_other(void **state)
{
    struct base *base = *state;
    add_shop(base);
    assert_string_equal(best(base, "shipments", ""), "");
    assert_int_equal(
        set(base, "main", "{\"synonyms\":\"parcel, shipment ,package\\n\\nmug, cup,Becher\\n关门,打烊\"}"),
        0);
    assert_string_equal(best(base, "Shipments", ""), "Delivery"); /* stems, either way */
    assert_string_equal(best(base, "cups", ""), "Mugs");
    assert_string_equal(best(base, "Becher", "main"), "Mugs");
    assert_string_equal(best(base, "打烊", ""), "营业时间");
    assert_string_equal(best(base, "shipments", "other"), "");
    json_t *result = search(base, "shipments of cups", "");
    json_t *hit = json_array_get(json_object_get(result, "hits"), 0), *marks = json_object_get(hit, "marks");
    assert_true(json_array_size(marks) >= 1); /* the words that stand there */
    json_decref(result);
    assert_int_equal(set(base, "main", "{\"synonyms\":\"two words,one\"}"), CP_ERR_INVALID);
    assert_non_null(strstr(base->error.text, "\"two words\""));
    assert_string_equal(best(base, "cups", ""), "Mugs"); /* what is refused changes nothing */
    assert_int_equal(set(base, "main", "{\"synonyms\":\"\"}"), 0);
    assert_string_equal(best(base, "cups", ""), "");
    assert_int_equal(set(base, "No Name", "{}"), CP_ERR_INVALID);
}

static void a_pinned_document_answers_whatever_the_scores_say(void **state)
{
    struct base *base = *state;
    add_shop(base);
    char *mugs = add(base, "", "Handmade", "text/plain", "Every piece is thrown on a wheel."), json[200];
    assert_string_not_equal(best(base, "Where is the postage paid?", ""), "Handmade");
    snprintf(json, sizeof json,
             "{\"pins\":[{\"question\":\"Where is the postage paid?\",\"document\":\"%s\"}]}", mugs);
    assert_int_equal(set(base, "main", json), 0);
    json_t *result = search(base, "where is postage paid", ""), *hits = json_object_get(result, "hits");
    assert_string_equal(json_string_value(json_object_get(json_array_get(hits, 0), "title")), "Handmade");
    assert_true(json_is_true(json_object_get(json_array_get(hits, 0), "pinned")));
    assert_true(json_is_true(json_object_get(result, "confident")));
    json_decref(result);
    assert_string_equal(best(base, "Who pays?", ""), "Returns"); /* other questions are as they were */
    assert_int_equal(set(base, "main", "{\"pins\":[{\"question\":\"a\",\"document\":\"doc_none\"}]}"),
                     CP_ERR_INVALID);
    assert_int_equal(cp_answers_delete(base->answers, mugs, &base->error), 0);
    assert_string_not_equal(best(base, "where is postage paid", ""), "Handmade");
    json_t *page = NULL;
    assert_int_equal(cp_answers_collections(base->answers, &page, &base->error), 0);
    const json_t *collection = json_array_get(json_object_get(page, "collections"), 0);
    assert_int_equal(json_array_size(json_object_get(collection, "pins")), 0);
    assert_int_equal(json_integer_value(json_object_get(collection, "documents")), 4);
    json_decref(page);
}

static void collections_have_thresholds_and_documents_weights(void **state)
{
    struct base *base = *state;
    add_shop(base);
    char *again =
             add(base, "", "Old terms", "text/plain", "Goods may be returned within fourteen days. Old."),
         id[40];
    snprintf(id, sizeof id, "%s", again);
    const char *question = "Can goods be returned within days?";
    assert_true(is_confident(base, question, ""));
    assert_int_equal(set(base, "main", "{\"confident\":0.99}"), 0);
    assert_false(is_confident(base, "returned to the neutrinos of goods", ""));
    assert_int_equal(set(base, "main", "{\"confident\":-1}"), 0); /* the server's again */
    assert_true(is_confident(base, question, ""));
    json_t *document = NULL;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cp_answers_boost(base->answers, id, i ? 5 : 0.1, &document, &base->error), 0);
        json_decref(document);
        assert_string_equal(best(base, question, ""), i ? "Old terms" : "Returns");
    }
    add(base, "", "Old terms", "text/plain",
        "Goods may be returned within fourteen days. Older."); /* replaced: it stays */
    assert_string_equal(best(base, question, ""), "Old terms");
    assert_int_equal(cp_answers_boost(base->answers, "doc_none", 2, &document, &base->error),
                     CP_ERR_NOT_FOUND);
}

static void passages_are_changed_by_hand(void **state)
{
    struct base *base = *state;
    add_shop(base);
    char *id =
        add(base, "", "faq", "text/csv", "question,answer\nDo you sell spoons?,No.\nOr forks?,Never.\n");
    json_t *passages = NULL,
           *changes = json_pack("{s:s,s:s}", "text", "Yes: of beech wood.", "question", "Are there ladles?");
    assert_int_equal(cp_answers_passages(base->answers, id, &passages, &base->error), 0);
    const json_t *list = json_object_get(passages, "passages");
    json_int_t first = json_integer_value(json_object_get(json_array_get(list, 0), "id")),
               second = json_integer_value(json_object_get(json_array_get(list, 1), "id"));
    json_decref(passages);
    assert_int_equal(cp_answers_edit_passage(base->answers, id, first, changes, &passages, &base->error), 0);
    json_t *edited = json_array_get(json_object_get(passages, "passages"), 0);
    assert_string_equal(json_string_value(json_object_get(edited, "text")), "Yes: of beech wood.");
    json_decref(passages);
    assert_string_equal(best(base, "spoons", ""), ""); /* the old words are gone from the index */
    assert_string_equal(best(base, "beech", ""), "faq");
    assert_true(is_confident(base, "Are there ladles?", ""));
    json_t *heading = json_pack("{s:s}", "heading", "Kitchen"); /* words that stay are found as before */
    assert_int_equal(cp_answers_edit_passage(base->answers, id, first, heading, &passages, &base->error), 0);
    json_decref(passages);
    json_decref(heading);
    assert_string_equal(best(base, "beech", ""), "faq");
    json_object_set_new(changes, "text", json_string(" \n"));
    assert_int_equal(cp_answers_edit_passage(base->answers, id, first, changes, &passages, &base->error),
                     CP_ERR_INVALID);
    assert_int_equal(cp_answers_delete_passage(base->answers, id, second, &base->error), 0);
    assert_int_equal(cp_answers_delete_passage(base->answers, id, second, &base->error), CP_ERR_NOT_FOUND);
    assert_string_equal(best(base, "forks", ""), "");
    assert_int_equal(cp_answers_stats(base->answers).passages, 5);
    /* and a deleted document leaves as little as if nobody had touched it */
    assert_int_equal(cp_answers_delete(base->answers, id, &base->error), 0);
    assert_string_equal(best(base, "beech", ""), "");
    assert_int_equal(cp_answers_stats(base->answers).passages, 4);
    json_decref(changes);
}

/* A file of the first schema, which had neither weights nor settings of collections. */
static void older_files_are_taken_over(void **state)
{
    struct base *base = *state;
    char path[128];
    sqlite3 *db = NULL;
    add_shop(base);
    cp_answers_close(base->answers);
    snprintf(path, sizeof path, "%s/knowledge.db", base->directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "ALTER TABLE documents DROP COLUMN boost; DROP TABLE collections; DROP TABLE synonyms;"
                     "DROP TABLE pins; PRAGMA user_version = 1;",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    if (cp_answers_open(&base->config, base->directory, &base->answers, &base->error))
        fail_msg("%s", base->error.text);
    assert_string_equal(best(base, "How long does delivery to Spain take?", ""), "Delivery");
    assert_int_equal(set(base, "main", "{\"synonyms\":\"mug,cup\"}"), 0);
    assert_string_equal(best(base, "cups", ""), "Mugs");
}

static void a_pair_that_says_the_same_wins(void **state)
{
    struct base *base = *state;
    add_shop(base);
    add(base, "", "faq", "text/csv",
        "question,answer\nHow long does delivery to Spain take?,Four days.\nDo you sell spoons?,No.\n");
    json_t *result = search(base, "how long is the delivery to Spain", ""),
           *hit = json_array_get(json_object_get(result, "hits"), 0);
    assert_string_equal(json_string_value(json_object_get(hit, "text")), "Four days.");
    assert_true(json_number_value(json_object_get(hit, "confidence")) == 1);
    json_decref(result);
    assert_string_equal(best(base, "Is the express delivery quick?", ""), "Delivery");
}

static char *suggest(struct base *base, const char *question, int words)
{
    static char text[1000];
    json_t *suggestion = NULL;
    const struct cp_search asked = {.query = question};
    assert_int_equal(cp_answers_suggest(base->answers, &asked, words, &suggestion, &base->error), 0);
    snprintf(text, sizeof text, "%s", json_string_value(json_object_get(suggestion, "text")));
    assert_int_equal(json_is_true(json_object_get(suggestion, "refused")), !*text);
    assert_int_equal(json_array_size(json_object_get(suggestion, "citations")), *text ? 1 : 0);
    json_decref(suggestion);
    return text;
}

static void answers_are_sentences_of_the_documents(void **state)
{
    struct base *base = *state;
    add(base, "", "Terms", "text/plain",
        "We are open daily. Parcels to Spain, as Mr. Diaz says, take four working days. Express takes two. "
        "Goods may be returned within thirty days and we pay the postage for all of that, whatever the "
        "reason.");
    add(base, "", "faq", "text/csv",
        "question,answer\nDo you sell spoons?,\"No. We never did. We never will.\"\n");
    assert_string_equal(suggest(base, "How long do parcels take to Spain?", 10),
                        "Parcels to Spain, as Mr. Diaz says, take four working days.");
    assert_string_equal(suggest(base, "How long do parcels take to Spain?", 20),
                        "Parcels to Spain, as Mr. Diaz says, take four working days. Express takes two.");
    assert_string_equal(suggest(base, "do you sell spoons", 1), "No. We never did. We never will.");
    assert_string_equal(suggest(base, "Who painted the ceiling of the chapel?", 0), "");
}

static void collections_are_apart(void **state)
{
    struct base *base = *state;
    add(base, "shop", "A", "text/plain", "Apples are red.");
    add(base, "zoo", "B", "text/plain", "Apples are what the elephant eats.");
    assert_string_equal(best(base, "elephant", "shop"), "");
    assert_string_equal(best(base, "apples", "shop"), "A");
    assert_string_equal(best(base, "apples", "zoo"), "B");
    const struct cp_document_source wrong = {
        .collection = "No Such", .type = "text/plain", .bytes = "x", .length = 1};
    json_t *document = NULL;
    assert_int_equal(cp_answers_add(base->answers, &wrong, &document, &base->error), CP_ERR_INVALID);
}

static int64_t count(struct base *base, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(base->answers->writer.db, sql, -1, &statement, NULL), 0);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return n;
}

static void assert_nothing_left(struct base *base)
{
    assert_int_equal(count(base, "SELECT count(*) FROM documents"), 0);
    assert_int_equal(count(base, "SELECT count(*) FROM passages"), 0);
    assert_int_equal(count(base, "SELECT passages + terms FROM totals"), 0);
    assert_int_equal(count(base, "SELECT coalesce(sum(abs(passages)), 0) FROM frequencies"), 0);
    assert_int_equal(count(base, "SELECT count(*) FROM words WHERE words MATCH 'body : appl*'"), 0);
    struct cp_answers_stats stats = cp_answers_stats(base->answers);
    assert_int_equal(stats.documents, 0);
    assert_int_equal(stats.passages, 0);
}

static void delete_leaves_no_trace(void **state)
{
    struct base *base = *state;
    char id[DOCUMENT_ID_BYTES];
    strcpy(id, add(base, "", "A", "text/plain", "Apples and apples. \n\n Äpfel, 苹果 and pears."));
    assert_int_equal(cp_answers_delete(base->answers, id, &base->error), 0);
    assert_nothing_left(base);
    assert_int_equal(cp_answers_delete(base->answers, id, &base->error), CP_ERR_NOT_FOUND);
}

static void the_same_title_replaces_and_keeps_its_id(void **state)
{
    struct base *base = *state;
    char first[DOCUMENT_ID_BYTES];
    strcpy(first, add(base, "", "A", "text/plain", "Apples are red."));
    assert_string_equal(add(base, "", "A", "text/plain", "Bananas are yellow."), first);
    assert_string_equal(best(base, "apples", ""), "");
    assert_string_equal(best(base, "bananas", ""), "A");
    assert_int_equal(cp_answers_stats(base->answers).documents, 1);
    assert_int_equal(cp_answers_delete(base->answers, first, &base->error), 0);
    assert_nothing_left(base);
}

static void documents_outlive_the_process(void **state)
{
    struct base *base = *state;
    add_shop(base);
    cp_answers_close(base->answers);
    base->answers = NULL;
    assert_int_equal(cp_answers_open(&base->config, base->directory, &base->answers, &base->error), 0);
    assert_int_equal(cp_answers_stats(base->answers).documents, 4);
    assert_string_equal(best(base, "mug", ""), "Mugs");
}

static void lists_have_pages(void **state)
{
    struct base *base = *state;
    add_shop(base);
    json_t *page = NULL;
    char cursor[40];
    assert_int_equal(cp_answers_list(base->answers, "", NULL, 3, &page, &base->error), 0);
    assert_int_equal(json_array_size(json_object_get(page, "documents")), 3);
    snprintf(cursor, sizeof cursor, "%s", json_string_value(json_object_get(page, "cursor")));
    json_decref(page);
    assert_int_equal(cp_answers_list(base->answers, "", cursor, 3, &page, &base->error), 0);
    assert_int_equal(json_array_size(json_object_get(page, "documents")), 1);
    assert_string_equal(json_string_value(json_object_get(page, "cursor")), "");
    json_decref(page);
}

static void too_many_passages_are_refused_whole(void **state)
{
    struct base *base = *state;
    base->answers->config.max_passages = 2;
    json_t *document = NULL;
    const struct cp_document_source source = {
        .title = "T", .type = "text/csv", .bytes = "a,b\nc,d\ne,f\n", .length = 12};
    assert_int_equal(cp_answers_add(base->answers, &source, &document, &base->error), CP_ERR_LIMIT);
    assert_nothing_left(base);
}

static void hostile_questions_are_survived(void **state)
{
    struct base *base = *state;
    add_shop(base);
    char longest[9000];
    memset(longest, '"', sizeof longest);
    longest[sizeof longest - 1] = 0;
    static const char *const ASKED[] = {"",          "\"",       "\" OR 1",  "body : x",           "* * *",
                                        "NEAR(a b)", "\xff\xfe", "{}()^-+:", "mug\" OR \"returns", "の",
                                        "🎉"};
    for (size_t i = 0; i < sizeof ASKED / sizeof ASKED[0]; i++)
        json_decref(search(base, ASKED[i], ""));
    json_decref(search(base, longest, ""));
    unsigned seed = 5;
    for (int round = 0; round < 500; round++) {
        char text[40] = {0};
        for (int i = 0; i < 39; i++)
            text[i] = (char)(1 + rand_r(&seed) % 255);
        json_decref(search(base, text, ""));
    }
}

static void languages_are_guessed_or_left_open(void **state)
{
    static const char *const CASES[][2] = {{"en", "What is the name of the river?"},
                                           {"de", "Wie heißt der Fluss und wo ist er?"},
                                           {"fr", "Quel est le nom de la rivière ?"},
                                           {"es", "¿Cuál es el nombre del río?"},
                                           {"zh", "这条河叫什么名字？"},
                                           {"ja", "この川の名前は何ですか"},
                                           {"ko", "이 강의 이름은 무엇입니까"},
                                           {"ru", "Как называется река?"},
                                           {"", "Lorem"},
                                           {"", "1234"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char language[16];
        cp_guess_language(CASES[i][1], strlen(CASES[i][1]), language);
        assert_string_equal(language, CASES[i][0]);
    }
}

#define WITH_BASE(test) cmocka_unit_test_setup_teardown(test, open_base, close_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BASE(questions_find_their_passage_in_any_language),
        WITH_BASE(scores_are_explained_and_unsure_answers_said),
        WITH_BASE(a_pair_that_says_the_same_wins),
        WITH_BASE(words_that_mean_the_same_find_each_other),
        WITH_BASE(a_pinned_document_answers_whatever_the_scores_say),
        WITH_BASE(collections_have_thresholds_and_documents_weights),
        WITH_BASE(passages_are_changed_by_hand),
        WITH_BASE(older_files_are_taken_over),
        WITH_BASE(answers_are_sentences_of_the_documents),
        WITH_BASE(collections_are_apart),
        WITH_BASE(delete_leaves_no_trace),
        WITH_BASE(the_same_title_replaces_and_keeps_its_id),
        WITH_BASE(documents_outlive_the_process),
        WITH_BASE(lists_have_pages),
        WITH_BASE(too_many_passages_are_refused_whole),
        WITH_BASE(hostile_questions_are_survived),
        cmocka_unit_test(languages_are_guessed_or_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
