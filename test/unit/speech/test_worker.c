/* Worker processes that die, hang or talk nonsense. */
#include "listener.h"

#include "media/clock.h"
#include "speech/engines/espeak.h"
#include "speech/engines/program.h"
#include "speech/speech_int.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each sentence is asked of the program anew. */
static struct cp_speech_config uncached_config(void)
{
    struct cp_speech_config config = quick_config();
    config.cache_mb = 0;
    return config;
}

static void *espeak_of(const struct cp_speech *speech)
{
    return speech->engines[cp_speech_engine_of("espeak:de")];
}

static int count_fds(void)
{
    int n = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

/* No dead child waits to be reaped. (A living one gives 0, none at all ECHILD.) */
static void expect_no_zombie(void)
{
    int child = waitpid(-1, NULL, WNOHANG);
    assert_true(child == 0 || (child < 0 && errno == ECHILD));
}

static void sleep_ms(int ms)
{
    cp_clock_sleep_until_ns(cp_clock_now_ns() + ms * CP_NS_PER_MS);
}

static void require_espeak(void)
{
    if (!getenv("COMPERE_TEST_WORKER"))
        skip();
}

static void worker_killed_in_a_sentence_is_not_noticed(void **state)
{
    require_espeak();
    struct cp_speech_config config = uncached_config();
    struct cp_speech *speech = start(&config);
    int fds = count_fds();
    struct cp_speech_request request = {.text = "Guten Abend. Willkommen.", .voice = "espeak:de"};
    for (int i = 0; i < 10; i++) {
        pid_t pid = cp_espeak_worker_pid(espeak_of(speech));
        assert_true(pid > 0);
        struct listener listener;
        listener_init(&listener);
        kill(pid, SIGSTOP); /* so that the request is in flight when it dies */
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, NULL), 0);
        sleep_ms(20);
        kill(pid, SIGKILL);
        listener_wait(&listener);
        assert_int_equal(listener.result, 0);
        assert_int_equal(listener.n_heard, 2);
        assert_int_not_equal(cp_espeak_worker_pid(espeak_of(speech)), pid);
        listener_free(&listener);
    }
    expect_no_zombie();
    assert_int_equal(count_fds(), fds);
    assert_int_equal(cp_speech_stats(speech).worker_restarts, 10);
    assert_int_equal(cp_speech_stats(speech).failed, 0);
    cp_speech_destroy(speech);
    expect_no_zombie();
}

static void worker_killed_between_sentences_is_not_noticed(void **state)
{
    require_espeak();
    struct cp_speech_config config = uncached_config();
    struct cp_speech *speech = start(&config);
    for (int i = 0; i < 3; i++) {
        kill(cp_espeak_worker_pid(espeak_of(speech)), SIGKILL);
        sleep_ms(10);
        struct listener listener;
        say_text(speech, "Guten Abend.", "espeak:de", &listener);
        listener_free(&listener);
    }
    cp_speech_destroy(speech);
    expect_no_zombie();
}

static void worker_that_hangs_is_replaced(void **state)
{
    require_espeak();
    struct cp_speech_config config = uncached_config();
    struct cp_speech *speech = start(&config);
    cp_espeak_set_deadline_ms(espeak_of(speech), 1000); /* the new one must make it on a busy machine */
    pid_t pid = cp_espeak_worker_pid(espeak_of(speech));
    kill(pid, SIGSTOP);
    int64_t start_ns = cp_clock_now_ns();
    struct listener listener;
    say_text(speech, "Guten Abend.", "espeak:de", &listener);
    int64_t took_ms = (cp_clock_now_ns() - start_ns) / CP_NS_PER_MS;
    assert_true(took_ms >= 990 && took_ms < 8000);
    assert_int_equal(cp_speech_stats(speech).worker_restarts, 1);
    assert_int_equal(kill(pid, 0), -1); /* the hung one is gone */
    listener_free(&listener);
    cp_speech_destroy(speech);
}

static void worker_that_hangs_does_not_hold_up_the_end(void **state)
{
    require_espeak();
    struct cp_speech_config config = uncached_config();
    struct cp_speech *speech = start(&config);
    kill(cp_espeak_worker_pid(espeak_of(speech)), SIGSTOP);
    struct listener listener;
    listener_init(&listener);
    struct cp_speech_request request = {.text = "Guten Abend.", .voice = "espeak:de"};
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, NULL), 0);
    sleep_ms(20);
    int64_t start_ns = cp_clock_now_ns();
    cp_speech_destroy(speech);
    assert_true(cp_clock_now_ns() - start_ns < CP_NS_PER_S);
    assert_int_equal(listener.n_done, 1);
    assert_int_equal(listener.result, CP_ERR_CANCELLED);
    listener_free(&listener);
    expect_no_zombie();
}

/* --- with the fake program --- */

static char directory[] = "/tmp/compere-test-speech-XXXXXX";

static int make_directory(void **state)
{
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    return rmdir(directory);
}

/* A stage whose worker is the fake one in this mode; *link is to be removed. */
static struct cp_speech *start_fake(const char *mode, char link[128])
{
    struct cp_speech_config config = uncached_config();
    snprintf(link, 128, "%s/%s", directory, mode);
    const char *fake = getenv("COMPERE_TEST_FAKE_WORKER");
    assert_non_null(fake);
    assert_int_equal(symlink(fake, link), 0);
    snprintf(config.worker, sizeof config.worker, "%s", link);
    struct cp_speech *speech = start(&config);
    if (!strcmp(mode, "hang"))
        cp_espeak_set_deadline_ms(espeak_of(speech), 300);
    return speech;
}

static void expect_fake(const char *mode, const char *text, int code, const char *words)
{
    char link[128];
    struct cp_speech *speech = start_fake(mode, link);
    struct listener listener;
    listener_init(&listener);
    struct cp_speech_request request = {.text = text, .voice = "espeak:de"};
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, NULL), 0);
    listener_wait(&listener);
    if (listener.result != code || (code && !strstr(listener.error.text, words)))
        print_error("%s: %d \"%s\"\n", mode, listener.result, listener.error.text);
    assert_int_equal(listener.result, code);
    if (code)
        assert_non_null(strstr(listener.error.text, words));
    listener_free(&listener);
    /* English goes on all the same */
    say_text(speech, "Good evening.", "flite:slt", &listener);
    listener_free(&listener);
    cp_speech_destroy(speech);
    expect_no_zombie();
    unlink(link);
}

static void worker_failures_are_told_clearly(void **state)
{
    expect_fake("die", "Hallo", CP_ERR_UNAVAILABLE, "ended twice");
    expect_fake("hang", "Hallo", CP_ERR_TIMEOUT, "hung twice");
    expect_fake("garbage", "Hallo", CP_ERR_UNAVAILABLE, "nonsense twice");
    expect_fake("huge", "Hallo", CP_ERR_UNAVAILABLE, "nonsense twice");
    expect_fake("endless", "Hallo", CP_ERR_LIMIT, "too large");
    expect_fake("error", "Hallo", CP_ERR_INVALID, "I do not like this");
    expect_fake("tone", "Hallo", 0, "");
    expect_fake("wild", "Hallo", 0, "");
}

static void worker_without_marks_moves_the_mouth_by_its_sound(void **state)
{
    char link[128];
    struct cp_speech *speech = start_fake("tone", link);
    struct listener listener;
    say_text(speech, "Hallo", "espeak:de", &listener);
    const struct cp_utterance *utterance = listener.heard[0];
    assert_true(utterance->n_samples >= CP_SAMPLE_HZ);
    int n_open = 0; /* nobody knows its phones */
    for (size_t i = 0; i < utterance->n_marks; i++) {
        assert_int_not_equal(utterance->marks[i].type, CP_MARK_PHONE);
        n_open += utterance->marks[i].type == CP_MARK_VISEME && utterance->marks[i].viseme != CP_VISEME_SIL;
    }
    assert_true(n_open > 0);
    listener_free(&listener);
    cp_speech_destroy(speech);
    unlink(link);
}

static void worker_that_keeps_failing_is_left_alone_for_a_while(void **state)
{
    char link[128];
    struct cp_speech *speech = start_fake("die", link);
    struct cp_speech_request request = {.text = "Hallo", .voice = "espeak:de"};
    int patient = 0;
    bool left_alone = false;
    for (int i = 0; i < 6 && !left_alone; i++) {
        struct listener listener;
        listener_init(&listener);
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, NULL), 0);
        listener_wait(&listener);
        assert_int_equal(listener.result, CP_ERR_UNAVAILABLE);
        left_alone = strstr(listener.error.text, "keeps failing") != NULL;
        patient += !left_alone;
        listener_free(&listener);
    }
    assert_true(left_alone);
    assert_true(patient >= 1);
    cp_speech_destroy(speech);
    unlink(link);
}

static void worker_that_does_not_start_leaves_its_voices_unusable(void **state)
{
    static const char *const paths[] = {"/nonexistent/compere-espeak", "/bin/false", "mute", "strange"};
    for (size_t i = 0; i < 4; i++) {
        struct cp_speech_config config = uncached_config();
        char link[128] = "";
        if (*paths[i] == '/') {
            snprintf(config.worker, sizeof config.worker, "%s", paths[i]);
        } else {
            snprintf(link, sizeof link, "%s/%s", directory, paths[i]);
            assert_int_equal(symlink(getenv("COMPERE_TEST_FAKE_WORKER"), link), 0);
            snprintf(config.worker, sizeof config.worker, "%s", link);
        }
        int fds = count_fds();
        struct cp_speech *speech = start(&config);
        const struct cp_voice *voice;
        struct cp_error error = {0};
        assert_int_equal(cp_speech_find_voice(speech, NULL, "de", &voice, &error), CP_ERR_UNAVAILABLE);
        assert_non_null(strstr(error.text, "start"));
        int n;
        const struct cp_voice *voices = cp_speech_voices(speech, &n);
        for (int k = 0; k < n; k++)
            if (!strncmp(voices[k].id, "espeak:", 7))
                assert_true(!voices[k].usable && *voices[k].why_not);
        struct listener listener;
        say_text(speech, "Good evening.", NULL, &listener);
        listener_free(&listener);
        cp_speech_destroy(speech);
        expect_no_zombie();
        assert_int_equal(count_fds(), fds);
        if (*link)
            unlink(link);
    }
}

static void marks_of_foreign_programs_are_mended(void **state)
{
    static const char *const wild[] = {"", "{}", "[]", "null", "{\"marks\":3}", "{\"marks\":[", "\xff"};
    struct cp_sound sound = {.hz = 16000};
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        assert_int_equal(cp_program_read_marks(wild[i], strlen(wild[i]), 5, &sound), CP_ERR_FORMAT);
    static const char text[] =
        "{\"marks\":[{\"type\":\"word\",\"at\":10,\"length\":5,\"start\":-3,\"end\":99},"
        "{\"type\":\"phone\",\"at\":3,\"name\":\"p\",\"stress\":9},{\"type\":\"smell\"}]}";
    assert_int_equal(cp_program_read_marks(text, strlen(text), 5, &sound), 0);
    assert_int_equal(sound.n_events, 2);
    assert_int_equal(sound.events[0].start, 0);
    assert_int_equal(sound.events[0].end, 5);
    assert_int_equal(sound.events[1].at, 10); /* never back in time */
    assert_int_equal(sound.events[1].stress, 2);
    cp_sound_free(&sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_killed_in_a_sentence_is_not_noticed),
        cmocka_unit_test(worker_killed_between_sentences_is_not_noticed),
        cmocka_unit_test(worker_that_hangs_is_replaced),
        cmocka_unit_test(worker_that_hangs_does_not_hold_up_the_end),
        cmocka_unit_test(worker_failures_are_told_clearly),
        cmocka_unit_test(worker_without_marks_moves_the_mouth_by_its_sound),
        cmocka_unit_test(worker_that_keeps_failing_is_left_alone_for_a_while),
        cmocka_unit_test(worker_that_does_not_start_leaves_its_voices_unusable),
        cmocka_unit_test(marks_of_foreign_programs_are_mended),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
