/* The contract of a record engine, run over every row of the table. */
#include "temp.h"

#include "base/thread.h"

static int setup(void **state)
{
    const struct cp_record_engine *engine = *state;
    struct temp *temp = temp_create(engine->name, "files");
    temp_open(temp);
    *state = temp;
    return 0;
}

static int teardown(void **state)
{
    temp_destroy(*state);
    return 0;
}

static void put_counts_versions_and_get_returns_the_last(void **state)
{
    struct temp *t = *state;
    struct cp_record record;
    int64_t version = 0;
    for (int i = 1; i <= 3; i++) {
        char json[32];
        snprintf(json, sizeof json, "{\"i\":%d}", i);
        assert_int_equal(cp_store_put_if(t->store, "p", "k", json, CP_STORE_ANY_VERSION, 0, &version, NULL),
                         0);
        assert_int_equal(version, i);
    }
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), 0);
    assert_string_equal(record.partition, "p");
    assert_string_equal(record.key, "k");
    assert_string_equal(record.json, "{\"i\":3}");
    assert_int_equal(record.version, 3);
    assert_int_equal(record.expires_wall_ns, 0);
    cp_record_clear(&record);
    assert_int_equal(cp_store_get(t->store, "q", "k", &record, &t->error), CP_ERR_NOT_FOUND);
}

static void put_if_compares_versions(void **state)
{
    struct temp *t = *state;
    int64_t version = 77;
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "1", 1, 0, &version, &t->error), CP_ERR_EXISTS);
    assert_int_equal(version, 77); /* untouched on failure */
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "1", CP_STORE_MUST_BE_NEW, 0, &version, NULL), 0);
    assert_int_equal(version, 1);
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "2", CP_STORE_MUST_BE_NEW, 0, NULL, NULL),
                     CP_ERR_EXISTS);
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "2", 2, 0, NULL, &t->error), CP_ERR_EXISTS);
    assert_non_null(strstr(t->error.text, "version 1"));
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "2", 1, 0, &version, NULL), 0);
    assert_int_equal(version, 2);
}

static void delete_if_compares_versions(void **state)
{
    struct temp *t = *state;
    struct cp_record record;
    assert_int_equal(cp_store_delete_if(t->store, "p", "k", CP_STORE_ANY_VERSION, NULL), CP_ERR_NOT_FOUND);
    put(t, "p", "k", "1");
    assert_int_equal(cp_store_delete_if(t->store, "p", "k", 5, NULL), CP_ERR_EXISTS);
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), 0);
    cp_record_clear(&record);
    assert_int_equal(cp_store_delete_if(t->store, "p", "k", 1, NULL), 0);
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), CP_ERR_NOT_FOUND);
    int64_t version;
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "1", CP_STORE_MUST_BE_NEW, 0, &version, NULL), 0);
    assert_int_equal(version, 1);
}

static void expired_record_counts_as_not_there(void **state)
{
    struct temp *t = *state;
    struct cp_record record;
    struct cp_query_result page;
    int64_t past = cp_clock_wall_ns() - 1, version = 0, removed = -1;
    assert_int_equal(cp_store_put_if(t->store, "p", "old", "1", CP_STORE_ANY_VERSION, past, NULL, NULL), 0);
    assert_int_equal(cp_store_get(t->store, "p", "old", &record, NULL), CP_ERR_NOT_FOUND);
    assert_int_equal(cp_store_delete_if(t->store, "p", "old", CP_STORE_ANY_VERSION, NULL), CP_ERR_NOT_FOUND);
    assert_int_equal(cp_store_query(t->store, &(struct cp_query){.partition = "p"}, &page, NULL), 0);
    assert_int_equal(page.n_records, 0);
    cp_query_result_clear(&page);
    assert_int_equal(cp_store_put_if(t->store, "p", "old", "2", 1, 0, NULL, NULL), CP_ERR_EXISTS);
    assert_int_equal(cp_store_put_if(t->store, "p", "old", "2", CP_STORE_MUST_BE_NEW, past, &version, NULL),
                     0);
    assert_int_equal(version, 1);
    put(t, "p", "kept", "3");
    assert_int_equal(cp_store_sweep(t->store, &removed, NULL, NULL), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(cp_store_sweep(t->store, &removed, NULL, NULL), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(cp_store_get(t->store, "p", "kept", &record, NULL), 0);
    cp_record_clear(&record);
    assert_int_equal(cp_store_stats(t->store).swept_records, 1);
}

static void record_expires_when_its_time_comes(void **state)
{
    struct temp *t = *state;
    struct cp_record record;
    int64_t soon = cp_clock_wall_ns() + 60 * CP_NS_PER_MS;
    assert_int_equal(cp_store_put_if(t->store, "p", "k", "1", CP_STORE_ANY_VERSION, soon, NULL, NULL), 0);
    if (!cp_store_get(t->store, "p", "k", &record, NULL)) { /* unless this machine was very slow just now */
        assert_int_equal(record.expires_wall_ns, soon);
        cp_record_clear(&record);
    }
    while (cp_clock_wall_ns() <= soon)
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 5 * CP_NS_PER_MS);
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), CP_ERR_NOT_FOUND);
}

/* All keys that a query returns, page by page, separated by spaces. */
static const char *keys_of(struct temp *t, struct cp_query query)
{
    static char keys[4096];
    struct cp_query_result page = {.cursor = ""};
    size_t used = 0;
    int pages = 0;
    *keys = 0;
    do {
        char cursor[CP_STORE_CURSOR_BYTES];
        memcpy(cursor, page.cursor, sizeof cursor);
        query.cursor = *cursor ? cursor : NULL;
        if (cp_store_query(t->store, &query, &page, &t->error))
            fail_msg("query: %s", t->error.text);
        assert_true(page.n_records <= (query.limit ? query.limit : 100));
        for (int i = 0; i < page.n_records; i++)
            used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", used ? " " : "",
                                     page.records[i].key);
        cp_query_result_clear(&page);
        assert_true(++pages < 100);
    } while (*page.cursor);
    return keys;
}

static void query_walks_prefix_and_range_in_both_directions(void **state)
{
    struct temp *t = *state;
    const char *const keys[] = {"b", "a/2", "a/1", "a", "a0", "a/3", "c", "a/30", "~"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(put(t, "p", keys[i], "{}"), 0);
    put(t, "other", "a/9", "{}");
    for (int limit = 0; limit <= 4; limit++) { /* every page size gives the same whole */
        struct cp_query q = {.partition = "p", .limit = limit};
        assert_string_equal(keys_of(t, q), "a a/1 a/2 a/3 a/30 a0 b c ~");
        q.descending = true;
        assert_string_equal(keys_of(t, q), "~ c b a0 a/30 a/3 a/2 a/1 a");
        q.prefix = "a/";
        assert_string_equal(keys_of(t, q), "a/30 a/3 a/2 a/1");
        q.descending = false;
        assert_string_equal(keys_of(t, q), "a/1 a/2 a/3 a/30");
        q.from = "a/2";
        assert_string_equal(keys_of(t, q), "a/2 a/3 a/30");
        q.to = "a/30";
        assert_string_equal(keys_of(t, q), "a/2 a/3");
        q.descending = true;
        assert_string_equal(keys_of(t, q), "a/3 a/2");
        q.prefix = "~";
        q.from = q.to = NULL;
        assert_string_equal(keys_of(t, q), "~");
    }
}

static void cursor_that_is_not_ours_is_refused(void **state)
{
    struct temp *t = *state;
    struct cp_query_result page;
    for (int i = 0; i < 3; i++)
        put(t, "p", (const char *[]){"a", "b", "c"}[i], "{}");
    const char *const bad[] = {"!", "AAAA", "b", "zzzzzzzzzzzzzzzz", "====", "YQ==", ""};
    for (size_t i = 0; *bad[i]; i++)
        assert_int_equal(cp_store_query(t->store, &(struct cp_query){.partition = "p", .cursor = bad[i]},
                                        &page, &t->error),
                         CP_ERR_INVALID);
    assert_int_equal(cp_store_query(t->store, &(struct cp_query){.partition = "p", .limit = 1}, &page, NULL),
                     0);
    char cursor[CP_STORE_CURSOR_BYTES];
    memcpy(cursor, page.cursor, sizeof cursor);
    cp_query_result_clear(&page);
    assert_int_equal(
        cp_store_query(t->store, &(struct cp_query){.partition = "p", .cursor = cursor, .descending = true},
                       &page, NULL),
        CP_ERR_INVALID);
    assert_int_equal(
        cp_store_query(t->store, &(struct cp_query){.partition = "p", .limit = 1001}, &page, NULL),
        CP_ERR_INVALID);
}

static void longest_key_pages_too(void **state)
{
    struct temp *t = *state;
    char key[CP_STORE_MAX_KEY_BYTES + 2];
    memset(key, 'k', sizeof key);
    key[CP_STORE_MAX_KEY_BYTES + 1] = 0;
    assert_int_equal(put(t, "p", key, "{}"), CP_ERR_INVALID);
    key[CP_STORE_MAX_KEY_BYTES] = 0;
    assert_int_equal(put(t, "p", key, "{}"), 0);
    assert_int_equal(put(t, "p", "z", "{}"), 0);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s z", key);
    assert_string_equal(keys_of(t, (struct cp_query){.partition = "p", .limit = 1}), wanted);
    assert_string_equal(keys_of(t, (struct cp_query){.partition = "p", .prefix = key}), key);
}

static void bad_keys_and_sizes_are_refused(void **state)
{
    struct temp *t = *state;
    struct cp_record record;
    assert_int_equal(put(t, "p", "", "{}"), CP_ERR_INVALID);
    assert_int_equal(put(t, "", "k", "{}"), CP_ERR_INVALID);
    assert_int_equal(put(t, "p", "a b", "{}"), CP_ERR_INVALID);
    assert_int_equal(put(t, "p", "a\n", "{}"), CP_ERR_INVALID);
    assert_int_equal(put(t, "p", "\xc3\xa4", "{}"), CP_ERR_INVALID);
    assert_int_equal(put(t, "p", "k", ""), CP_ERR_INVALID);
    assert_int_equal(cp_store_get(t->store, "p", NULL, &record, NULL), CP_ERR_INVALID);
    char *big = malloc(CP_STORE_MAX_RECORD_BYTES + 2);
    memset(big, '1', CP_STORE_MAX_RECORD_BYTES + 1);
    big[CP_STORE_MAX_RECORD_BYTES + 1] = 0;
    assert_int_equal(put(t, "p", "k", big), CP_ERR_LIMIT);
    big[CP_STORE_MAX_RECORD_BYTES] = 0;
    assert_int_equal(put(t, "p", "k", big), 0);
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), 0);
    assert_string_equal(record.json, big);
    cp_record_clear(&record);
    free(big);
}

static void quotes_and_sql_in_keys_are_only_text(void **state)
{
    struct temp *t = *state;
    const char *key = "'\";DROP/**/TABLE/**/records;--%_?1";
    assert_int_equal(put(t, "p'", key, "\"'\\u0000\""), 0);
    struct cp_record record;
    assert_int_equal(cp_store_get(t->store, "p'", key, &record, NULL), 0);
    assert_string_equal(record.json, "\"'\\u0000\"");
    cp_record_clear(&record);
}

struct seen {
    struct cp_store *store;
    char text[256];
};

static void note_change(void *user, const char *key, const char *json)
{
    struct seen *seen = user;
    struct cp_record record;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%s=%s;", key, json ? json : "-");
    if (!cp_store_get(seen->store, "w", key, &record, NULL)) /* calling the store from here must not hang */
        cp_record_clear(&record);
}

static void watch_sees_puts_and_deletes_of_its_partition(void **state)
{
    struct temp *t = *state;
    struct seen seen = {.store = t->store};
    assert_int_equal(cp_store_watch(t->store, "w", note_change, &seen, NULL), 0);
    put(t, "w", "a", "1");
    put(t, "other", "a", "2");
    assert_int_equal(cp_store_put_if(t->store, "w", "a", "3", CP_STORE_MUST_BE_NEW, 0, NULL, NULL),
                     CP_ERR_EXISTS);
    cp_store_delete_if(t->store, "w", "a", CP_STORE_ANY_VERSION, NULL);
    cp_store_delete_if(t->store, "w", "a", CP_STORE_ANY_VERSION, NULL);
    assert_string_equal(seen.text, "a=1;a=-;");
    for (int i = 1; i < 16; i++)
        assert_int_equal(cp_store_watch(t->store, "w2", note_change, &seen, NULL), 0);
    assert_int_equal(cp_store_watch(t->store, "w2", note_change, &seen, NULL), CP_ERR_BUSY);
    cp_store_unwatch(t->store, note_change, &seen);
    put(t, "w", "b", "1");
    assert_string_equal(seen.text, "a=1;a=-;");
    assert_int_equal(cp_store_watch(t->store, "w", note_change, &seen, NULL), 0);
    put(t, "w", "c", "1");
    assert_string_equal(seen.text, "a=1;a=-;c=1;");
}

static void records_are_there_after_reopening(void **state)
{
    struct temp *t = *state;
    struct cp_record record;
    put(t, "p", "k", "{\"a\":1}");
    put(t, "p", "k", "{\"a\":2}");
    temp_reopen(t);
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), 0);
    assert_string_equal(record.json, "{\"a\":2}");
    assert_int_equal(record.version, 2);
    cp_record_clear(&record);
}

static void second_store_on_the_same_directory_sees_and_writes(void **state)
{
    struct temp *t = *state;
    struct cp_store *second = NULL;
    struct cp_record record;
    int64_t version;
    assert_int_equal(cp_store_open(&t->config, &second, &t->error), 0);
    put(t, "p", "k", "1");
    assert_int_equal(cp_store_put_if(second, "p", "k", "2", 1, 0, &version, NULL), 0);
    assert_int_equal(version, 2);
    assert_int_equal(cp_store_get(t->store, "p", "k", &record, NULL), 0);
    assert_string_equal(record.json, "2");
    cp_record_clear(&record);
    cp_store_close(second);
    assert_int_equal(put(t, "p", "k", "3"), 0);
}

struct climber {
    struct cp_store *store;
    int won;
};

/* Adds one by compare-and-set until it has won ten times. */
static void *climb(void *arg)
{
    struct climber *climber = arg;
    while (climber->won < 10) {
        struct cp_record record;
        if (cp_store_get(climber->store, "p", "n", &record, NULL))
            return NULL;
        char json[16];
        snprintf(json, sizeof json, "%d", atoi(record.json) + 1);
        int result = cp_store_put_if(climber->store, "p", "n", json, record.version, 0, NULL, NULL);
        cp_record_clear(&record);
        if (result && result != CP_ERR_EXISTS)
            return NULL;
        climber->won += !result;
    }
    return NULL;
}

static void compare_and_set_loses_no_update_between_threads(void **state)
{
    struct temp *t = *state;
    struct climber climbers[4];
    pthread_t threads[4];
    struct cp_record record;
    put(t, "p", "n", "0");
    for (int i = 0; i < 4; i++) {
        climbers[i] = (struct climber){.store = t->store};
        assert_int_equal(cp_thread_start(&threads[i], "climber", climb, &climbers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(cp_store_get(t->store, "p", "n", &record, NULL), 0);
    assert_string_equal(record.json, "40");
    assert_int_equal(record.version, 41);
    cp_record_clear(&record);
}

#define CASE(name)                                                                                           \
    {                                                                                                        \
#name, name, setup, teardown, NULL                                                                   \
    }

int main(void)
{
    int failed = 0;
    for (size_t i = 0; cp_record_engines[i]; i++) {
        struct CMUnitTest tests[] = {
            CASE(put_counts_versions_and_get_returns_the_last),
            CASE(put_if_compares_versions),
            CASE(delete_if_compares_versions),
            CASE(expired_record_counts_as_not_there),
            CASE(record_expires_when_its_time_comes),
            CASE(query_walks_prefix_and_range_in_both_directions),
            CASE(cursor_that_is_not_ours_is_refused),
            CASE(longest_key_pages_too),
            CASE(bad_keys_and_sizes_are_refused),
            CASE(quotes_and_sql_in_keys_are_only_text),
            CASE(watch_sees_puts_and_deletes_of_its_partition),
            CASE(records_are_there_after_reopening),
            CASE(second_store_on_the_same_directory_sees_and_writes),
            CASE(compare_and_set_loses_no_update_between_threads),
        };
        for (size_t j = 0; j < sizeof tests / sizeof *tests; j++)
            tests[j].initial_state = (void *)cp_record_engines[i];
        printf("engine %s\n", cp_record_engines[i]->name);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
