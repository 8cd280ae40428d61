/* What was acknowledged is kept: through SIGKILL, a full disk, a read-only file system and damaged files. */
#include "temp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Ours take the place of the library's, for SQLite too: killing a process does not show a missing sync, for
 * the system keeps what was written; so they are counted. */
static int n_syncs;

int fsync(int file)
{
    n_syncs++;
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    n_syncs++;
    return (int)syscall(SYS_fdatasync, file);
}

static int setup(void **state)
{
    *state = temp_create("sqlite", "files");
    return 0;
}

static int teardown(void **state)
{
    temp_destroy(*state);
    return 0;
}

/* Puts records, and an object that is replaced each time, and tells each number on the pipe once it is kept.
 */
static void put_for_ever(struct temp *t, int pipe)
{
    temp_open(t);
    for (int i = 0;; i++) {
        char key[16], json[64];
        snprintf(key, sizeof key, "k%06d", i);
        snprintf(json, sizeof json, "{\"i\":%d}", i);
        char text[4096];
        memset(text, 'a' + i % 26, sizeof text);
        if (put(t, "p", key, json) ||
            cp_store_object_put(t->store, "o/one", "text/plain", text, sizeof text, 0, NULL) ||
            write(pipe, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

static void killed_process_loses_nothing_it_acknowledged(void **state)
{
    struct temp *t = *state;
    int last = -1, next = 0;
    for (int round = 0; round < 3; round++) { /* kill it at different moments, on the same files */
        int ends[2], number, status;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child) {
            close(ends[0]);
            put_for_ever(t, ends[1]);
        }
        close(ends[1]);
        for (next = 0, last = -1;
             next < 40 + 7 * round && read(ends[0], &number, sizeof number) == sizeof number; next++)
            last = number;
        kill(child, SIGKILL);
        while (read(ends[0], &number, sizeof number) == sizeof number)
            last = number;
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_true(last >= 39);
        temp_open(t);
        for (int i = 0; i <= last; i++) {
            struct cp_record record;
            char key[16];
            snprintf(key, sizeof key, "k%06d", i);
            if (cp_store_get(t->store, "p", key, &record, &t->error))
                fail_msg("round %d: record %d of %d is lost: %s", round, i, last, t->error.text);
            cp_record_clear(&record);
        }
        struct cp_buffer out = cp_buffer_make(8192); /* the object: one of the versions, whole */
        assert_int_equal(cp_store_object_get(t->store, "o/one", 0, -1, &out, &t->error), 0);
        assert_int_equal(out.length, 4096);
        for (size_t i = 1; i < out.length; i++)
            assert_int_equal(out.data[i], out.data[0]);
        bool is_last = out.data[0] == 'a' + last % 26, is_next = out.data[0] == 'a' + (last + 1) % 26;
        assert_true(is_last || is_next);
        cp_buffer_free(&out);
        cp_store_close(t->store);
        t->store = NULL;
    }
}

static void each_put_is_synced_before_it_returns(void **state)
{
    struct temp *t = *state;
    temp_open(t);
    for (int i = 0; i < 5; i++) {
        n_syncs = 0;
        assert_int_equal(put(t, "p", "k", "1"), 0);
        assert_true(n_syncs >= 1);
        n_syncs = 0;
        assert_int_equal(put_object(t, "new/folder/o", "x", 0), 0);
        assert_true(n_syncs >= (i ? 2 : 4)); /* the file, its folder, and new folders in theirs */
        n_syncs = 0;
        assert_int_equal(cp_store_delete_if(t->store, "p", "k", CP_STORE_ANY_VERSION, NULL), 0);
        assert_true(n_syncs >= 1);
    }
}

static void sweep_removes_what_a_crash_left_but_not_what_is_being_written(void **state)
{
    struct temp *t = *state;
    char path[400];
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    temp_open(t);
    snprintf(path, sizeof path, "%s/incoming/1-dead", t->config.directory);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(cp_store_sweep(t->store, NULL, NULL, NULL), 0);
    assert_int_equal(access(path, F_OK), 0); /* young: it may be at work */
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_int_equal(cp_store_sweep(t->store, NULL, NULL, NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
}

static void damaged_object_is_told_and_can_be_replaced(void **state)
{
    struct temp *t = *state;
    char path[400];
    temp_open(t);
    assert_int_equal(put_object(t, "a", "some text", 0), 0);
    snprintf(path, sizeof path, "%s/objects/a", t->config.directory);
    assert_int_equal(truncate(path, 100), 0);
    assert_null(read_object(t, "a"));
    assert_int_equal(t->error.code, CP_ERR_IO);
    assert_non_null(strstr(t->error.text, "damaged"));
    assert_int_equal(put_object(t, "a", "new", 0), 0);
    assert_string_equal(read_object(t, "a"), "new");
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(cp_store_object_delete(t->store, "a", NULL), 0);
}

static void overwrite(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void damaged_or_foreign_record_file_is_told(void **state)
{
    struct temp *t = *state;
    char path[400];
    temp_open(t);
    cp_store_close(t->store);
    t->store = NULL;
    snprintf(path, sizeof path, "%s/records.db", t->config.directory);
    overwrite(path,
              "this is no database, though it is long enough to be looked at by SQLite; it is more than a "
              "hundred bytes of text");
    assert_int_equal(cp_store_open(&t->config, &t->store, &t->error), CP_ERR_IO);
    assert_non_null(strstr(t->error.text, "restore a backup"));
    assert_null(t->store);
    assert_int_equal(unlink(path), 0);
}

static void unknown_engine_lists_those_built(void **state)
{
    struct temp *t = *state;
    strcpy(t->config.records, "oracle");
    assert_int_equal(cp_store_open(&t->config, &t->store, &t->error), CP_ERR_INVALID);
    assert_non_null(strstr(t->error.text, "\"oracle\"; built in are: sqlite"));
    strcpy(t->config.records, "sqlite");
    strcpy(t->config.objects, "tape");
    assert_int_equal(cp_store_open(&t->config, &t->store, &t->error), CP_ERR_INVALID);
    assert_non_null(strstr(t->error.text, "\"tape\"; built in are: files"));
}

static void directory_is_made_private(void **state)
{
    struct temp *t = *state;
    struct stat status;
    strcat(t->config.directory, "/a/b/c");
    temp_open(t);
    assert_int_equal(stat(t->config.directory, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    cp_store_close(t->store);
    t->store = NULL;
    *strstr(t->config.directory, "/a/b/c") = 0;
}

static void directory_that_is_a_file_is_told(void **state)
{
    struct temp *t = *state;
    overwrite(t->config.directory, "x");
    assert_int_equal(cp_store_open(&t->config, &t->store, &t->error), CP_ERR_IO);
    assert_non_null(strstr(t->error.text, "choose another"));
}

/* A file system of 1 MiB at the store's directory; false when mounting is not permitted here. */
static bool mount_small(struct temp *t)
{
    mkdir(t->config.directory, 0700);
    /* In a mount table of our own, so that nothing stays behind whatever happens. */
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return false;
    return !mount("tmpfs", t->config.directory, "tmpfs", 0, "size=1m,mode=0700");
}

static int put_big(struct temp *t, int number)
{
    static char json[60001];
    char key[16];
    memset(json, '1', sizeof json - 1);
    snprintf(key, sizeof key, "big%d", number);
    return put(t, "p", key, json);
}

static void full_disk_is_told_and_the_store_recovers(void **state)
{
    struct temp *t = *state;
    if (!mount_small(t)) {
        print_message("mounting is not permitted: %s\n", strerror(errno));
        skip();
    }
    temp_open(t);
    assert_int_equal(put(t, "p", "first", "1"), 0);
    char *large = calloc(1, 300000), filler[400];
    memset(large, 'x', 300000);
    int result = 0;
    for (int i = 0; i < 20 && !result; i++) {
        char key[16];
        snprintf(key, sizeof key, "o%d", i);
        result = cp_store_object_put(t->store, key, "text/plain", large, 300000, 0, &t->error);
    }
    assert_int_equal(result, CP_ERR_IO);
    assert_non_null(strstr(t->error.text, "free some space"));
    /* Fill what is left, then records fail too. */
    snprintf(filler, sizeof filler, "%s/filler", t->config.directory);
    int file = open(filler, O_WRONLY | O_CREAT, 0600);
    while (write(file, large, 4096) > 0) {
    }
    close(file);
    result = 0;
    for (int i = 0; i < 40 && !result; i++)
        result = put_big(t, i);
    assert_int_equal(result, CP_ERR_IO);
    assert_non_null(strstr(t->error.text, "free some space"));
    struct cp_record record;
    assert_int_equal(cp_store_get(t->store, "p", "first", &record, &t->error), 0); /* reading goes on */
    cp_record_clear(&record);
    assert_true(cp_store_stats(t->store).record_failures >= 1);
    assert_true(cp_store_stats(t->store).object_failures >= 1);
    assert_int_equal(unlink(filler), 0);
    assert_int_equal(cp_store_object_delete(t->store, "o0", &t->error), 0);
    assert_int_equal(put(t, "p", "after", "2"), 0); /* and writing too, once there is room */
    assert_int_equal(put_object(t, "after", "x", 0), 0);
    temp_reopen(t);
    assert_int_equal(cp_store_get(t->store, "p", "after", &record, &t->error), 0);
    cp_record_clear(&record);
    free(large);
    cp_store_close(t->store);
    t->store = NULL;
    assert_int_equal(umount(t->config.directory), 0);
}

static void read_only_file_system_is_told(void **state)
{
    struct temp *t = *state;
    if (!mount_small(t))
        skip();
    temp_open(t);
    assert_int_equal(put(t, "p", "k", "1"), 0);
    assert_int_equal(put_object(t, "o", "x", 0), 0);
    cp_store_close(t->store);
    t->store = NULL;
    assert_int_equal(mount("tmpfs", t->config.directory, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
    int result = cp_store_open(&t->config, &t->store, &t->error);
    if (!result) {
        assert_int_equal(put(t, "p", "k", "2"), CP_ERR_IO);
        assert_int_equal(put_object(t, "o", "y", 0), CP_ERR_IO);
        assert_string_equal(read_object(t, "o"), "x");
    } else {
        assert_int_equal(result, CP_ERR_IO);
    }
    assert_non_null(strstr(t->error.text, "mounted writable"));
    cp_store_close(t->store);
    t->store = NULL;
    assert_int_equal(umount(t->config.directory), 0);
}

/* The same without mounting: a limit on the size of files. */
static void file_size_limit_is_told_and_the_store_recovers(void **state)
{
    struct temp *t = *state;
    struct rlimit before, small;
    temp_open(t);
    assert_int_equal(put(t, "p", "first", "1"), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 300000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char *large = calloc(1, 400000);
    int object = cp_store_object_put(t->store, "o", "a/b", large, 400000, 0, &t->error), records = 0;
    assert_non_null(strstr(t->error.text, "free some space"));
    for (int i = 0; i < 40 && !records; i++)
        records = put_big(t, i);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(object, CP_ERR_IO);
    assert_int_equal(records, CP_ERR_IO);
    assert_int_equal(put_big(t, 100), 0);
    assert_int_equal(cp_store_object_put(t->store, "o", "a/b", large, 400000, 0, &t->error), 0);
    temp_reopen(t);
    struct cp_record record;
    assert_int_equal(cp_store_get(t->store, "p", "first", &record, &t->error), 0);
    cp_record_clear(&record);
    free(large);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(killed_process_loses_nothing_it_acknowledged),
        CASE(each_put_is_synced_before_it_returns),
        CASE(sweep_removes_what_a_crash_left_but_not_what_is_being_written),
        CASE(damaged_object_is_told_and_can_be_replaced),
        CASE(damaged_or_foreign_record_file_is_told),
        CASE(unknown_engine_lists_those_built),
        CASE(directory_is_made_private),
        CASE(directory_that_is_a_file_is_told),
        CASE(full_disk_is_told_and_the_store_recovers),
        CASE(read_only_file_system_is_told),
        CASE(file_size_limit_is_told_and_the_store_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
