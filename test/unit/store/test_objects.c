/* The contract of an object engine, run over every row of the table. */
#include "temp.h"

static const struct cp_object_engine *engine_of(const struct temp *temp)
{
    for (size_t i = 0;; i++)
        if (!strcmp(cp_object_engines[i]->name, temp->config.objects))
            return cp_object_engines[i];
}

static int setup(void **state)
{
    const struct cp_object_engine *engine = *state;
    struct temp *temp = temp_create("sqlite", engine->name);
    temp_use_s3(temp);
    temp_open(temp);
    *state = temp;
    return 0;
}

static int teardown(void **state)
{
    temp_destroy(*state);
    return 0;
}

static void put_replaces_the_object_as_a_whole(void **state)
{
    struct temp *t = *state;
    struct cp_object_info info;
    assert_int_equal(put_object(t, "a/b.txt", "a long first text", 0), 0);
    assert_int_equal(cp_store_object_put(t->store, "a/b.txt", "text/html;charset=utf-8", "short", 5, 0, NULL),
                     0);
    assert_string_equal(read_object(t, "a/b.txt"), "short");
    assert_int_equal(cp_store_object_info(t->store, "a/b.txt", &info, NULL), 0);
    assert_string_equal(info.key, "a/b.txt");
    assert_string_equal(info.content_type, "text/html;charset=utf-8");
    assert_int_equal(info.length_bytes, 5);
    assert_int_equal(info.expires_wall_ns, 0);
    int64_t age_ns = cp_clock_wall_ns() - info.modified_wall_ns;
    assert_true(age_ns > -CP_NS_PER_S && age_ns < 60 * CP_NS_PER_S);
}

static void ranges_are_cut_at_the_end(void **state)
{
    struct temp *t = *state;
    put_object(t, "o", "0123456789", 0);
    const struct {
        int64_t offset, length;
        const char *wanted;
    } rows[] = {{0, -1, "0123456789"}, {3, 4, "3456"}, {8, 100, "89"}, {10, 5, ""}, {99, 1, ""}, {5, 0, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cp_buffer out = cp_buffer_make(64);
        cp_buffer_text(&out, "+");
        assert_int_equal(cp_store_object_get(t->store, "o", rows[i].offset, rows[i].length, &out, NULL), 0);
        assert_int_equal(*cp_buffer_string(&out), '+'); /* appended to what was there */
        assert_string_equal(cp_buffer_string(&out) + 1, rows[i].wanted);
        cp_buffer_free(&out);
    }
    struct cp_buffer small = cp_buffer_make(4);
    assert_int_equal(cp_store_object_get(t->store, "o", 0, -1, &small, &t->error), CP_ERR_LIMIT);
    cp_buffer_free(&small);
    assert_int_equal(cp_store_object_get(t->store, "o", -1, -1, &small, NULL), CP_ERR_INVALID);
}

static void empty_and_binary_objects_are_kept(void **state)
{
    struct temp *t = *state;
    uint8_t bytes[70000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(put_object(t, "empty", "", 0), 0);
    assert_string_equal(read_object(t, "empty"), "");
    assert_int_equal(
        cp_store_object_put(t->store, "bin", "application/octet-stream", bytes, sizeof bytes, 0, NULL), 0);
    temp_reopen(t);
    struct cp_buffer out = cp_buffer_make(sizeof bytes);
    assert_int_equal(cp_store_object_get(t->store, "bin", 0, -1, &out, NULL), 0);
    assert_int_equal(out.length, sizeof bytes);
    assert_memory_equal(out.data, bytes, sizeof bytes);
    cp_buffer_free(&out);
}

/* On S3 it goes up in three parts of 5 MiB and less. */
static void large_object_is_kept_whole(void **state)
{
    struct temp *t = *state;
    size_t length = 12 << 20;
    uint8_t *bytes = malloc(length);
    int64_t expires = cp_clock_wall_ns() + 3600 * CP_NS_PER_S;
    struct cp_object_info info;
    struct cp_buffer out = cp_buffer_make(length), part = cp_buffer_make(64);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)((i * 2654435761u) >> 24);
    assert_int_equal(
        cp_store_object_put(t->store, "large/o.bin", "video/mp4", bytes, length, expires, &t->error), 0);
    assert_int_equal(cp_store_object_info(t->store, "large/o.bin", &info, NULL), 0);
    assert_int_equal(info.length_bytes, length);
    assert_int_equal(info.expires_wall_ns, expires);
    assert_string_equal(info.content_type, "video/mp4");
    assert_int_equal(cp_store_object_get(t->store, "large/o.bin", 0, -1, &out, &t->error), 0);
    assert_int_equal(out.length, length);
    assert_memory_equal(out.data, bytes, length);
    assert_int_equal(cp_store_object_get(t->store, "large/o.bin", (5 << 20) - 3, 7, &part, NULL), 0);
    assert_int_equal(part.length, 7);
    assert_memory_equal(part.data, bytes + (5 << 20) - 3, 7); /* over the joint of two parts */
    cp_buffer_free(&out);
    cp_buffer_free(&part);
    free(bytes);
}

static void missing_object_is_not_found(void **state)
{
    struct temp *t = *state;
    struct cp_object_info info;
    put_object(t, "a/b", "x", 0);
    const char *const missing[] = {"nothing", "a", "a/b/c", "a/bb", "x/y/z"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        assert_int_equal(cp_store_object_info(t->store, missing[i], &info, NULL), CP_ERR_NOT_FOUND);
        assert_null(read_object(t, missing[i]));
        assert_int_equal(t->error.code, CP_ERR_NOT_FOUND);
        assert_int_equal(cp_store_object_delete(t->store, missing[i], NULL), CP_ERR_NOT_FOUND);
    }
    assert_string_equal(read_object(t, "a/b"), "x");
}

static void keys_cannot_leave_the_store(void **state)
{
    struct temp *t = *state;
    const char *const bad[] = {"",     "/",    "/etc/passwd", "..",  "../x", "a/../b",
                               "a/..", "a//b", "a/",          ".x",  "a/.b", "a b",
                               "a\\b", "a%2e", "\xc3\xa4",    "a\n", "a:b",  "./a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(put_object(t, bad[i], "x", 0), CP_ERR_INVALID);
        assert_null(read_object(t, bad[i]));
        assert_int_equal(t->error.code, CP_ERR_INVALID);
        assert_int_equal(cp_store_object_delete(t->store, bad[i], NULL), CP_ERR_INVALID);
    }
    assert_int_equal(put_object(t, "a..b/c.", "x", 0), 0); /* dots inside a part are harmless */
    assert_int_equal(cp_store_object_put(t->store, "a", "text plain", "x", 1, 0, NULL), CP_ERR_INVALID);
    assert_int_equal(cp_store_object_put(t->store, "a", "", "x", 1, 0, NULL), CP_ERR_INVALID);
}

static void object_is_not_also_a_folder(void **state)
{
    struct temp *t = *state;
    assert_int_equal(put_object(t, "a/b", "x", 0), 0);
    if (engine_of(t)->keys_are_paths) {
        assert_int_equal(put_object(t, "a", "y", 0), CP_ERR_INVALID);
        assert_int_equal(put_object(t, "a/b/c", "y", 0), CP_ERR_INVALID);
    }
    assert_string_equal(read_object(t, "a/b"), "x");
    assert_int_equal(cp_store_object_delete(t->store, "a/b", NULL), 0);
    assert_int_equal(put_object(t, "a", "y", 0), 0); /* an empty folder is no object */
}

static void expired_object_is_not_there_and_is_swept(void **state)
{
    struct temp *t = *state;
    struct cp_object_info info, *infos;
    char cursor[CP_STORE_CURSOR_BYTES];
    int64_t past = cp_clock_wall_ns() - 1, future = past + 3600 * CP_NS_PER_S, removed = -1;
    int n = -1;
    put_object(t, "d/old", "x", past);
    put_object(t, "d/new", "y", future);
    assert_int_equal(cp_store_object_info(t->store, "d/old", &info, NULL), CP_ERR_NOT_FOUND);
    assert_null(read_object(t, "d/old"));
    assert_int_equal(cp_store_object_info(t->store, "d/new", &info, NULL), 0);
    assert_int_equal(info.expires_wall_ns, future);
    assert_int_equal(cp_store_object_list(t->store, "", NULL, 0, &infos, &n, cursor, NULL), 0);
    assert_int_equal(n, 1);
    assert_string_equal(infos[0].key, "d/new");
    free(infos);
    assert_int_equal(cp_store_sweep(t->store, NULL, &removed, NULL), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(cp_store_sweep(t->store, NULL, &removed, NULL), 0);
    assert_int_equal(removed, 0);
    assert_string_equal(read_object(t, "d/new"), "y");
    put_object(t, "d/old", "x", past);
    assert_int_equal(cp_store_object_delete(t->store, "d/old", NULL), CP_ERR_NOT_FOUND);
    put_object(t, "d/old", "z", 0);
    assert_string_equal(read_object(t, "d/old"), "z");
}

static void list_pages_in_byte_order(void **state)
{
    struct temp *t = *state;
    const char *const keys[] = {"b", "a/2", "a/1/x", "a-", "a0", "a/1/y", "a/10", "c/d/e"};
    const struct {
        const char *prefix, *wanted;
    } rows[] = {{"", "a- a/1/x a/1/y a/10 a/2 a0 b c/d/e "},
                {"a/", "a/1/x a/1/y a/10 a/2 "},
                {"a/1", "a/1/x a/1/y a/10 "},
                {"c/d/e", "c/d/e "},
                {"a", "a- a/1/x a/1/y a/10 a/2 a0 "},
                {"zz", ""}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(put_object(t, keys[i], "x", 0), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int limit = 0; limit <= 3; limit++) {
            char seen[256] = "", cursor[CP_STORE_CURSOR_BYTES] = "";
            do {
                struct cp_object_info *infos;
                int n;
                assert_int_equal(cp_store_object_list(t->store, rows[i].prefix, cursor, limit, &infos, &n,
                                                      cursor, &t->error),
                                 0);
                for (int j = 0; j < n; j++)
                    strcat(strcat(seen, infos[j].key), " ");
                free(infos);
            } while (*cursor);
            assert_string_equal(seen, rows[i].wanted);
        }
    struct cp_object_info *infos;
    int n;
    char cursor[CP_STORE_CURSOR_BYTES];
    assert_int_equal(cp_store_object_list(t->store, "", "!!", 0, &infos, &n, cursor, NULL), CP_ERR_INVALID);
}

static void delete_removes_and_allows_again(void **state)
{
    struct temp *t = *state;
    put_object(t, "x/y/z", "1", 0);
    assert_int_equal(cp_store_object_delete(t->store, "x/y/z", NULL), 0);
    assert_null(read_object(t, "x/y/z"));
    assert_int_equal(put_object(t, "x/y/z", "2", 0), 0);
    assert_string_equal(read_object(t, "x/y/z"), "2");
    struct cp_store_stats stats = cp_store_stats(t->store);
    assert_int_equal(stats.object_puts, 2);
    assert_int_equal(stats.object_failures, 0);
}

#define CASE(name)                                                                                           \
    {                                                                                                        \
#name, name, setup, teardown, NULL                                                                   \
    }

int main(void)
{
    int failed = 0;
    for (size_t i = 0; cp_object_engines[i]; i++) {
        struct CMUnitTest tests[] = {
            CASE(put_replaces_the_object_as_a_whole), CASE(ranges_are_cut_at_the_end),
            CASE(empty_and_binary_objects_are_kept),  CASE(large_object_is_kept_whole),
            CASE(missing_object_is_not_found),        CASE(keys_cannot_leave_the_store),
            CASE(object_is_not_also_a_folder),        CASE(expired_object_is_not_there_and_is_swept),
            CASE(list_pages_in_byte_order),           CASE(delete_removes_and_allows_again),
        };
        for (size_t j = 0; j < sizeof tests / sizeof *tests; j++)
            tests[j].initial_state = (void *)cp_object_engines[i];
        if (!strcmp(cp_object_engines[i]->name, "s3") && !getenv("COMPERE_TEST_S3_ENDPOINT"))
            continue; /* `tools/run-tests peers` starts a server for it */
        printf("engine %s\n", cp_object_engines[i]->name);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
