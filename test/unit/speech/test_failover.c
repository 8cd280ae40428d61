/* Voice programs that are killed or hang in the midst of sentences, a hundred times: nobody hears it. */
#include "listener.h"

#include "media/clock.h"
#include "speech/engines/espeak.h"
#include "speech/engines/program.h"
#include "speech/speech_int.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sanitizers make everything several times slower. */
#if defined __SANITIZE_THREAD__
enum { ROUNDS = 30, LONGEST_SILENCE_MS = 8000 };
#elif defined __SANITIZE_ADDRESS__
enum { ROUNDS = 100, LONGEST_SILENCE_MS = 3000 };
#else
enum { ROUNDS = 100, LONGEST_SILENCE_MS = 1500 };
#endif

static int count_fds(void)
{
    int n = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

static int longest_ms;

/* From asking to the first sound, and from the end of what was heard to what comes next. */
static void expect_no_long_silence(const struct listener *listener, int64_t asked_ns)
{
    int64_t silent_since_ns = asked_ns;
    for (int i = 0; i < listener->n_heard; i++) {
        int64_t came_ns = listener->heard[i]->made_ns;
        int silence_ms = (int)((came_ns - silent_since_ns) / CP_NS_PER_MS);
        longest_ms = silence_ms > longest_ms ? silence_ms : longest_ms;
        if (came_ns > silent_since_ns)
            silent_since_ns = came_ns;
        silent_since_ns += listener->heard[i]->n_samples * CP_NS_PER_S / CP_SAMPLE_HZ;
    }
}

/* Lets the engine be tried each time, as if it had been left alone for long enough. */
static void forgive(struct cp_speech *speech, const char *voice)
{
    pthread_mutex_lock(&speech->lock);
    cp_breaker_success(&speech->breakers[cp_speech_engine_of(voice)]);
    pthread_mutex_unlock(&speech->lock);
}

/* Says two sentences live while `strike` does what it does to the engine. */
static void say_under_fire(struct cp_speech *speech, const char *voice, const char *text,
                           void (*strike)(struct cp_speech *speech, int round), int round)
{
    struct cp_speech_request request = {.text = text, .voice = voice, .priority = CP_SPEECH_LIVE};
    struct listener listener;
    struct cp_error error = {0};
    listener_init(&listener);
    strike(speech, round);
    int64_t asked_ns = cp_clock_now_ns();
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, &error), 0);
    strike(speech, round);
    listener_wait(&listener);
    if (listener.result)
        print_error("round %d: %s\n", round, listener.error.text);
    assert_int_equal(listener.result, 0);
    assert_int_equal(listener.n_done, 1);
    assert_int_equal(listener.n_heard, 2);
    expect_no_long_silence(&listener, asked_ns);
    listener_free(&listener);
}

static void strike_espeak(struct cp_speech *speech, int round)
{
    pid_t pid = cp_espeak_worker_pid(speech->engines[cp_speech_engine_of("espeak:de")]);
    if (pid > 0)
        kill(pid, round % 4 ? SIGKILL : SIGSTOP);
}

static void killed_and_hung_programs_are_not_heard(void **state)
{
    if (!getenv("COMPERE_TEST_WORKER"))
        skip();
    struct cp_speech_config config = quick_config();
    config.cache_mb = 0; /* each round is spoken anew */
    struct cp_speech *speech = start(&config);
    int fds = count_fds();
    longest_ms = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (round % 3 == 0)
            forgive(speech, "espeak:en-us");
        say_under_fire(speech, "espeak:en-us", "Good evening, dear friends. Here we are again.",
                       strike_espeak, round);
    }
    struct cp_speech_stats stats = cp_speech_stats(speech);
    print_message("longest silence %d ms, %d restarts, %d failovers\n", longest_ms,
                  (int)stats.worker_restarts, (int)stats.failovers);
    assert_true(longest_ms <= LONGEST_SILENCE_MS);
    assert_int_equal(stats.failed, 0);
    assert_true(stats.worker_restarts + stats.failovers >= ROUNDS / 2);
    assert_true(count_fds() <= fds);
    cp_speech_destroy(speech);
}

/* Programs of one's own that die, hang, talk nonsense or never end. */
static void own_programs_fail_over(void **state)
{
    static const char *const MODES[] = {"die", "hang", "garbage", "huge", "endless", "error"};
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        struct cp_speech_config config = quick_config();
        snprintf(config.workers, sizeof config.workers, "fake=%s %s", getenv("COMPERE_TEST_FAKE_WORKER"),
                 MODES[i]);
        struct cp_speech *speech = start(&config);
        struct cp_speech_request request = {
            .text = "Guten Abend.", .voice = "worker:fake/de", .priority = CP_SPEECH_LIVE};
        bool other = getenv("COMPERE_TEST_WORKER");
        struct listener listener;
        int64_t asked_ns = cp_clock_now_ns();
        longest_ms = 0;
        say(speech, request, &listener);
        if (other) {
            assert_int_equal(listener.result, 0);
            assert_string_equal(listener.heard[0]->voice, "espeak:de");
            expect_no_long_silence(&listener, asked_ns);
            assert_true(longest_ms <= LONGEST_SILENCE_MS);
        } else {
            assert_int_not_equal(listener.result, 0);
        }
        listener_free(&listener);
        cp_speech_destroy(speech);
    }
}

/* --- when no voice of a language is left --- */

static struct cp_speech *stage;
static char ill[64]; /* the voice program does not start while this file is there */

static pid_t voice_pid(void)
{
    return cp_espeak_worker_pid(stage->engines[cp_speech_engine_of("espeak:de")]);
}

static void fall_ill(void)
{
    FILE *file = fopen(ill, "w");
    assert_non_null(file);
    fclose(file);
    if (voice_pid() > 0)
        kill(voice_pid(), SIGKILL);
}

static void heal(void *user, const char *from, const char *to, const struct cp_error *why)
{
    unlink(ill);
    listener_failed_over(user, from, to, why);
}

static void say_ill(bool canned,
                    void (*failed_over)(void *, const char *, const char *, const struct cp_error *),
                    struct listener *listener)
{
    const struct cp_speech_events events = {listener_utterance, listener_done, failed_over};
    const struct cp_speech_request request = {.text = "Guten Abend, Freunde. Wie geht es? Auf Wiedersehen.",
                                              .voice = "espeak:de",
                                              .priority = CP_SPEECH_LIVE,
                                              .canned = canned};
    forgive(stage, "espeak:de");
    fall_ill();
    listener_init(listener);
    assert_int_equal(cp_speech_say(stage, &request, &events, listener, NULL, NULL), 0);
    listener_wait(listener);
    unlink(ill);
}

/* A program that stands before espeak-ng's and ends at once while the voice is ill. */
static void write_gate(const char *directory, char *path, size_t capacity)
{
    snprintf(ill, sizeof ill, "%s/ill", directory);
    snprintf(path, capacity, "%s/voice", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n[ -e %s ] && exit 1\nexec %s\n", ill, getenv("COMPERE_TEST_WORKER"));
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
}

/* Spoken once, the language has its line; it is made when nobody waits. */
static bool german_line_is_made(void)
{
    struct listener listener;
    say_text(stage, "Guten Tag.", "espeak:de", &listener);
    listener_free(&listener);
    bool made = false;
    for (int i = 0; i < 500 && !made; i++) {
        pthread_mutex_lock(&stage->lock);
        for (int line = 0; line < CP_CANNED_LINES; line++)
            made |=
                stage->canned[line].utterance && !strncmp(stage->canned[line].utterance->text, "Einen", 5);
        pthread_mutex_unlock(&stage->lock);
        usleep(10000);
    }
    return made;
}

static void canned_lines_stand_in(void **state)
{
    if (!getenv("COMPERE_TEST_WORKER"))
        skip();
    struct cp_speech_config config = quick_config();
    char directory[] = "/tmp/compere-ill-XXXXXX", command[64];
    assert_non_null(mkdtemp(directory));
    write_gate(directory, config.worker, sizeof config.worker);
    config.deadline_ms = 8000; /* a busy machine starts it slowly */
    stage = start(&config);
    assert_true(german_line_is_made());
    struct listener listener;
    say_ill(true, heal, &listener);
    assert_int_equal(listener.result, 0);
    assert_int_equal(listener.n_heard, 3);
    const struct cp_utterance *canned = listener.heard[0];
    assert_string_equal(canned->voice, "canned:de");
    assert_string_equal(listener.last_to, "canned:de");
    assert_string_equal(canned->text, "Einen Augenblick, bitte.");
    assert_int_equal(canned->text_start, 0);
    assert_int_equal(canned->text_end, strlen("Guten Abend, Freunde."));
    assert_true(canned->n_samples > CP_SAMPLE_HZ / 2 && canned->n_marks > 8);
    for (size_t i = 0; i < canned->n_marks; i++)
        assert_int_not_equal(canned->marks[i].type, CP_MARK_WORD);
    assert_string_equal(listener.heard[1]->text, "Wie geht es?");
    assert_true(listener.heard[2]->last);
    listener_free(&listener);

    say_ill(true, listener_failed_over, &listener); /* once is enough */
    assert_int_not_equal(listener.result, 0);
    assert_int_equal(listener.n_heard, 1);
    listener_free(&listener);

    say_ill(false, listener_failed_over, &listener); /* what is made is what was asked for */
    assert_int_not_equal(listener.result, 0);
    assert_int_equal(listener.n_heard, 0);
    listener_free(&listener);
    cp_speech_destroy(stage);

    config.canned = false;
    stage = start(&config);
    say_ill(true, listener_failed_over, &listener);
    assert_int_equal(listener.n_heard, 0);
    listener_free(&listener);
    cp_speech_destroy(stage);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

static void own_programs_are_configured_or_told(void **state)
{
    static const char *const WRONG[] = {
        "just/a/path", "=x", "a=", "a:b=x", "a name=x", "much-too-long-a-name-for-a-program=x"};
    const struct cp_speech_provider *row = &cp_worker_provider;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct cp_speech_config config = quick_config();
        snprintf(config.workers, sizeof config.workers, "%s", WRONG[i]);
        struct cp_error error = {0};
        void *engine = NULL;
        assert_int_equal(row->open(&config, &engine, &error), CP_ERR_INVALID);
        assert_non_null(strstr(error.text, "speech.workers"));
    }
    struct cp_speech_config config = quick_config();
    strcpy(config.workers, "gone=/nonexistent/program --loud");
    struct cp_speech *speech = start(&config);
    const struct cp_voice *voice;
    struct cp_error error = {0};
    assert_int_equal(cp_speech_find_voice(speech, "worker:gone/", NULL, &voice, &error), CP_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "/nonexistent/program"));
    cp_speech_destroy(speech);
}

/* The program in docs/voices.md does what the page says. */
static void program_of_the_documentation_speaks(void **state)
{
    const char *path = getenv("COMPERE_TEST_VOICES_PAGE");
    if (!path || system("python3 -c '' 2>/dev/null"))
        skip();
    FILE *page = fopen(path, "r");
    assert_non_null(page);
    char program[] = "/tmp/compere-voice-XXXXXX", line[512];
    int fd = mkstemp(program);
    FILE *file = fdopen(fd, "w");
    bool inside = false, any = false;
    while (fgets(line, sizeof line, page)) {
        if (inside && !strncmp(line, "```", 3))
            break;
        if (inside)
            any = fputs(line, file) >= 0;
        inside = inside || !strncmp(line, "```python", 9);
    }
    fclose(file);
    fclose(page);
    assert_true(any);
    struct cp_speech_config config = quick_config();
    snprintf(config.workers, sizeof config.workers, "beep=python3 %s", program);
    struct cp_speech *speech = start(&config);
    struct listener listener;
    say(speech, (struct cp_speech_request){.text = "Good evening, Zoë.", .voice = "worker:beep/tone"},
        &listener);
    assert_int_equal(listener.result, 0);
    assert_int_equal(listener.n_failovers, 0);
    assert_string_equal(listener.heard[0]->voice, "worker:beep/tone");
    int n_words = 0;
    for (size_t i = 0; i < listener.heard[0]->n_marks; i++)
        n_words += listener.heard[0]->marks[i].type == CP_MARK_WORD;
    assert_int_equal(n_words, 3);
    listener_free(&listener);
    cp_speech_destroy(speech);
    unlink(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_and_hung_programs_are_not_heard),
        cmocka_unit_test(own_programs_fail_over),
        cmocka_unit_test(canned_lines_stand_in),
        cmocka_unit_test(own_programs_are_configured_or_told),
        cmocka_unit_test(program_of_the_documentation_speaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
