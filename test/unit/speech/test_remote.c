/* Remote engines that are slow, refuse, break off, talk nonsense or never answer. */
#include "listener.h"
#include "services.h"
#include "web.h"

#include "media/clock.h"
#include "speech/engines/remote.h"
#include "speech/engines/remote_marks.h"
#include "speech/speech_int.h"

/* Sanitizers make everything several times slower. */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { LONGEST_SILENCE_MS = 6000 };
#else
enum { LONGEST_SILENCE_MS = 1500 };
#endif

static struct services *services;

static const char *const VOICES[] = {"openai:nova", "polly:Joanna", "azure:Jenny", "elevenlabs:Rachel"};
enum { N_VOICES = 4 };

static struct cp_speech *begin(void)
{
    struct cp_speech_config config = quick_config();
    services_configure(services, &config);
    services_misbehave(services, FAULT_NONE, 0);
    atomic_store(&services->delay_ms, 0);
    return start(&config);
}

/* With one remote engine alone, so that none of the others speaks for it. */
static struct cp_speech *begin_with(const char *voice)
{
    struct cp_speech_config config = quick_config();
    services_configure(services, &config);
    char *const switches[] = {config.openai_url, config.polly_region, config.azure_url,
                              config.elevenlabs_key};
    for (int v = 0; v < N_VOICES; v++)
        if (strcmp(VOICES[v], voice) != 0)
            *switches[v] = '\0';
    config.deadline_ms = 500;
    services_misbehave(services, FAULT_NONE, 0);
    return start(&config);
}

static void end(struct cp_speech *speech)
{
    cp_speech_destroy(speech);
    assert_int_equal(atomic_load(&services->n_bad), 0);
}

static struct cp_speech_request live(const char *voice, const char *text)
{
    return (struct cp_speech_request){.voice = voice, .text = text, .priority = CP_SPEECH_LIVE};
}

static bool is_of(const struct cp_utterance *utterance, const char *voice)
{
    return !strcmp(utterance->voice, voice);
}

/* From asking to the first sound, and from the end of each sentence's sound to the next. */
static void expect_no_long_silence(const struct listener *listener, int64_t asked_ns)
{
    int64_t silent_since_ns = asked_ns;
    for (int i = 0; i < listener->n_heard; i++) {
        int64_t came_ns = listener->heard[i]->made_ns;
        if (came_ns - silent_since_ns > LONGEST_SILENCE_MS * CP_NS_PER_MS)
            print_error("silence of %d ms\n", (int)((came_ns - silent_since_ns) / CP_NS_PER_MS));
        assert_true(came_ns - silent_since_ns <= LONGEST_SILENCE_MS * CP_NS_PER_MS);
        if (came_ns > silent_since_ns)
            silent_since_ns = came_ns;
        silent_since_ns += listener->heard[i]->n_samples * CP_NS_PER_S / CP_SAMPLE_HZ;
    }
}

static void passing_failures_are_not_heard(void **state)
{
    static const enum fault FAULTS[] = {FAULT_429, FAULT_500, FAULT_SLOW};
    for (int v = 0; v < N_VOICES; v++) {
        struct cp_speech_config config = quick_config();
        services_configure(services, &config);
        config.deadline_ms = 4000; /* a slow answer takes most of a second by itself */
        struct cp_speech *speech = start(&config);
        for (size_t f = 0; f < 3; f++) {
            services_misbehave(services, FAULTS[f], FAULTS[f] == FAULT_SLOW ? -1 : 1);
            struct listener listener;
            say(speech, live(VOICES[v], "Good evening."), &listener);
            assert_int_equal(listener.result, 0);
            assert_int_equal(listener.n_heard, 1);
            assert_true(is_of(listener.heard[0], VOICES[v]));
            assert_int_equal(listener.n_failovers, 0);
            listener_free(&listener);
        }
        end(speech);
    }
}

static void lasting_failures_are_spoken_by_another_voice(void **state)
{
    for (int v = 0; v < N_VOICES; v++) {
        for (enum fault fault = FAULT_CUT; fault < FAULT_COUNT; fault++) {
            struct cp_speech *speech = begin_with(VOICES[v]);
            services_misbehave(services, fault, -1);
            struct listener listener;
            int64_t asked_ns = cp_clock_now_ns();
            say(speech, live(VOICES[v], "Good evening. Here we are again."), &listener);
            if (listener.result || listener.n_heard != 2)
                print_error("%s with fault %d: %d heard, %s\n", VOICES[v], (int)fault, listener.n_heard,
                            listener.error.text);
            assert_int_equal(listener.result, 0);
            assert_int_equal(listener.n_heard, 2);
            assert_true(is_of(listener.heard[0], "flite:slt")); /* the same sex, and here */
            assert_true(is_of(listener.heard[1], "flite:slt")); /* the line keeps it */
            assert_true(listener.n_failovers >= 1);
            expect_no_long_silence(&listener, asked_ns);
            struct cp_speech_failover failovers[CP_SPEECH_MAX_FAILOVERS];
            int n = cp_speech_failovers(speech, failovers, CP_SPEECH_MAX_FAILOVERS);
            assert_int_equal(n, 1);
            assert_string_equal(failovers[0].from, VOICES[v]);
            assert_string_equal(failovers[0].to, "flite:slt");
            assert_int_equal(failovers[0].count, 1);
            assert_true(*failovers[0].why);
            assert_null(strstr(failovers[0].why, SERVICES_SECRET));
            assert_int_equal(cp_speech_stats(speech).failovers, 1);
            listener_free(&listener);
            end(speech);
        }
    }
}

/* Another language, or a service that fails: a child's voice stays a child's. */
static void age_is_kept(void **state)
{
    struct cp_speech_config config = quick_config();
    services_configure(services, &config);
    services_misbehave(services, FAULT_NONE, 0);
    snprintf(
        config.polly_voices, sizeof config.polly_voices, "%s",
        "Joanna/en-US/female Ivy/en-US/female/child Vicki/de/female Kind/de/female/child Opa/de/male/old");
    snprintf(config.azure_voices, sizeof config.azure_voices, "Jenny/en-US/female Ana/en-US/female/child");
    struct cp_speech *speech = start(&config);
    static const struct {
        const char *usual, *language, *voice;
    } CASES[] = {{"polly:Ivy", "de", "polly:Kind"},

                 {"polly:Opa", "de", "polly:Opa"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct listener listener;
        struct cp_speech_request request = live("", "Guten Abend.");
        request.usual_voice = CASES[i].usual;
        request.language = CASES[i].language;
        say(speech, request, &listener);
        assert_true(is_of(listener.heard[0], CASES[i].voice));
        listener_free(&listener);
    }
    struct listener listener;
    services_misbehave(services, FAULT_500, 3);
    say(speech, live("azure:Ana", "Good evening."), &listener);
    assert_true(is_of(listener.heard[0], "polly:Ivy"));
    listener_free(&listener);
    end(speech);
}

static void nothing_is_asked_again_once_sound_came(void **state)
{
    struct cp_speech *speech = begin_with("openai:nova");
    services_misbehave(services, FAULT_CUT, -1);
    int before = web_requests(services->web);
    struct listener listener;
    say(speech, live("openai:nova", "Good evening, dear friends."), &listener);
    assert_int_equal(web_requests(services->web), before + 1);
    listener_free(&listener);
    services_misbehave(services, FAULT_500, -1);
    before = web_requests(services->web);
    say(speech, (struct cp_speech_request){.voice = "openai:nova", .text = "Good evening."}, &listener);
    assert_int_equal(web_requests(services->web), before + 3); /* nobody waits for it: all tries have time */
    listener_free(&listener);
    end(speech);
}

static const char *state_of(struct cp_speech *speech, const char *name)
{
    struct cp_speech_engine engines[CP_SPEECH_MAX_ENGINES];
    int n = cp_speech_engines(speech, engines, CP_SPEECH_MAX_ENGINES);
    for (int i = 0; i < n; i++)
        if (!strcmp(engines[i].name, name))
            return engines[i].state;
    return "";
}

static void engine_that_keeps_failing_is_left_alone(void **state)
{
    struct cp_speech *speech = begin_with("azure:Jenny");
    services_misbehave(services, FAULT_REFUSED, -1);
    int before = web_requests(services->web);
    for (int i = 0; i < 10; i++) {
        struct listener listener;
        say(speech, live("azure:Guy", "Good evening."), &listener);
        assert_int_equal(listener.result, 0);
        assert_true(is_of(listener.heard[0], "flite:rms"));
        listener_free(&listener);
        if (i + 1 != CP_BREAKER_FAILURES)
            continue;
        pthread_mutex_lock(&speech->lock); /* however long the rest takes */
        speech->breakers[cp_speech_engine_of("azure:Guy")].until_ns = INT64_MAX;
        pthread_mutex_unlock(&speech->lock);
    }
    assert_int_equal(web_requests(services->web), before + CP_BREAKER_FAILURES);
    assert_string_equal(state_of(speech, "azure"), "open");
    assert_string_equal(state_of(speech, "flite"), "closed");
    assert_int_equal(cp_speech_stats(speech).failovers, 10);

    services_misbehave(services, FAULT_NONE, 0);
    pthread_mutex_lock(&speech->lock); /* its time has come */
    speech->breakers[cp_speech_engine_of("azure:Guy")].until_ns = 0;
    pthread_mutex_unlock(&speech->lock);
    struct listener listener;
    say(speech, live("azure:Guy", "Good evening."), &listener);
    assert_true(is_of(listener.heard[0], "azure:Guy"));
    assert_string_equal(state_of(speech, "azure"), "closed");
    listener_free(&listener);
    end(speech);
}

/* Another service speaks when it can: the same sex, then the same region; what is here when all have failed.
 */
static void services_speak_for_one_another(void **state)
{
    static const struct {
        const char *voice, *text;
        int n_faults;
        const char *instead;
    } CASES[] = {{"azure:Guy", "Good evening.", 3, "polly:Matthew"},
                 {"azure:Jenny", "Good evening.", 3, "polly:Joanna"},
                 {"azure:Katja", "Guten Abend.", 3, "polly:Vicki"},
                 {"azure:Guy", "Good evening.", -1, "flite:rms"}};
    for (size_t i = 0; i < 4; i++) {
        struct cp_speech *speech = begin();
        services_misbehave(services, FAULT_500, CASES[i].n_faults);
        struct listener listener;
        int64_t asked_ns = cp_clock_now_ns();
        say(speech, live(CASES[i].voice, CASES[i].text), &listener);
        assert_int_equal(listener.result, 0);
        assert_string_equal(listener.heard[0]->voice, CASES[i].instead);
        assert_string_equal(listener.last_to, CASES[i].instead);
        expect_no_long_silence(&listener, asked_ns);
        listener_free(&listener);
        end(speech);
    }
}

static void nobody_left_is_told_clearly(void **state)
{
    struct cp_speech_config config = quick_config();
    services_configure(services, &config);
    strcpy(config.openai_voices, "qo'vam=nova/tlh/male");
    services_misbehave(services, FAULT_REFUSED, -1);
    struct cp_speech *speech = start(&config);
    for (int i = 0; i < 6; i++) { /* with the breaker open too: a try is better than silence */
        struct listener listener;
        say(speech, live("openai:qo'vam", "nuqneH"), &listener);
        assert_int_equal(listener.result, CP_ERR_DENIED);
        assert_non_null(strstr(listener.error.text, "check the key"));
        assert_null(strstr(listener.error.text, SERVICES_SECRET));
        listener_free(&listener);
    }
    end(speech);
}

static void hanging_engine_does_not_hold_up_the_voices_here(void **state)
{
    struct cp_speech *speech = begin();
    services_misbehave(services, FAULT_SILENT, -1);
    enum { N = 12 };
    struct listener hanging[N], local;
    struct cp_speech_request request = live("openai:nova", "Good evening.");
    for (int i = 0; i < N; i++) {
        listener_init(&hanging[i]);
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &hanging[i], NULL, NULL), 0);
    }
    int64_t asked_ns = cp_clock_now_ns();
    say(speech, live("flite:slt", "Good evening."), &local);
    assert_int_equal(local.result, 0);
    assert_true(local.done_ns - asked_ns < 800 * CP_NS_PER_MS);
    assert_int_equal(hanging[0].n_done, 0);
    listener_free(&local);
    for (int i = 0; i < N; i++) {
        listener_wait(&hanging[i]);
        assert_int_equal(hanging[i].result, 0);
        listener_free(&hanging[i]);
    }
    end(speech);
}

static void requests_are_cancelled_while_an_engine_hangs(void **state)
{
    struct cp_speech *speech = begin();
    for (int v = 0; v < N_VOICES; v++) {
        services_misbehave(services, v % 2 ? FAULT_STALL : FAULT_SILENT, -1);
        struct listener listener;
        listener_init(&listener);
        struct cp_speech_request request = live(VOICES[v], "Good evening, dear friends of the show.");
        uint64_t ticket;
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, &ticket, NULL), 0);
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 150 * CP_NS_PER_MS);
        int64_t stopped_ns = cp_clock_now_ns();
        cp_speech_cancel(speech, ticket);
        listener_wait(&listener);
        assert_int_equal(listener.result, CP_ERR_CANCELLED);
        assert_true(listener.done_ns - stopped_ns < 300 * CP_NS_PER_MS); /* 50 on an idle machine */
        listener_free(&listener);
    }
    services_misbehave(services, FAULT_SILENT, -1);
    struct listener listener; /* and by the end of the stage */
    listener_init(&listener);
    struct cp_speech_request request = live("openai:nova", "Good evening.");
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, NULL), 0);
    cp_clock_sleep_until_ns(cp_clock_now_ns() + 50 * CP_NS_PER_MS);
    end(speech);
    assert_int_equal(listener.result, CP_ERR_CANCELLED);
    listener_free(&listener);
}

static void fifty_requests_at_once_lose_none(void **state)
{
    enum { N = 50 };
    static const char *const voices[] = {"openai:nova", "flite:slt",         "polly:Matthew",
                                         "azure:Guy",   "elevenlabs:Rachel", "flite:rms"};
    struct cp_speech *speech = begin();
    atomic_store(&services->delay_ms, 20);
    static struct listener listeners[N];
    for (int i = 0; i < N; i++) {
        listener_init(&listeners[i]);
        struct cp_speech_request request = {.voice = voices[i % 6],
                                            .text = "One is here. Two is here. Three is."};
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listeners[i], NULL, NULL), 0);
    }
    for (int i = 0; i < N; i++) {
        listener_wait(&listeners[i]);
        assert_int_equal(listeners[i].result, 0);
        assert_int_equal(listeners[i].n_done, 1);
        assert_int_equal(listeners[i].n_heard, 3);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(listeners[i].heard[k]->sentence, k);
            assert_true(is_of(listeners[i].heard[k], voices[i % 6]));
        }
        listener_free(&listeners[i]);
    }
    assert_int_equal(cp_speech_stats(speech).utterances, 3 * N);
    end(speech);
}

static void live_lines_go_before_others_at_remote_engines(void **state)
{
    struct cp_speech_config config = quick_config();
    services_configure(services, &config);
    config.remote_threads = 1;
    services_misbehave(services, FAULT_NONE, 0);
    atomic_store(&services->delay_ms, 40);
    struct cp_speech *speech = start(&config);
    struct listener ahead[3], live_one;
    struct cp_speech_request request = {.voice = "openai:nova", .text = "One is here. Two is here."};
    for (int i = 0; i < 3; i++) {
        listener_init(&ahead[i]);
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &ahead[i], NULL, NULL), 0);
    }
    listener_init(&live_one);
    request.priority = CP_SPEECH_LIVE;
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &live_one, NULL, NULL), 0);
    listener_wait(&live_one);
    for (int i = 0; i < 3; i++) {
        listener_wait(&ahead[i]);
        assert_true(ahead[i].order > live_one.order);
        listener_free(&ahead[i]);
    }
    listener_free(&live_one);
    atomic_store(&services->delay_ms, 0);
    end(speech);
}

/* A key that cannot be read leaves the voices in the list, with what to do. */
static void missing_keys_leave_voices_unusable(void **state)
{
    struct cp_speech_config config = quick_config();
    services_configure(services, &config);
    strcpy(config.polly_secret_key, "");
    strcpy(config.azure_key, "env:COMPERE_TEST_NO_SUCH_VARIABLE");
    strcpy(config.elevenlabs_key, "");
    strcpy(config.openai_url, "");
    struct cp_speech *speech = start(&config);
    const struct cp_voice *voice;
    struct cp_error error;
    assert_int_equal(cp_speech_find_voice(speech, "polly:Joanna", NULL, &voice, &error), CP_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "speech.polly_secret_key"));
    assert_int_equal(cp_speech_find_voice(speech, "azure:Jenny", NULL, &voice, &error), CP_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "COMPERE_TEST_NO_SUCH_VARIABLE"));
    assert_int_equal(cp_speech_find_voice(speech, "elevenlabs:Rachel", NULL, &voice, &error),
                     CP_ERR_NOT_FOUND); /* off: not even listed */
    assert_int_equal(cp_speech_find_voice(speech, "openai:nova", NULL, &voice, &error), CP_ERR_NOT_FOUND);
    end(speech);
}

/* --- the parts --- */

static void voice_lists_are_read(void **state)
{
    struct cp_remote_voice voices[4];
    int n = 0;
    assert_int_equal(cp_remote_read_voices(" a,b=x-y/de , c/zh-CN/f d=e/fr/male", voices, 4, &n, NULL), 0);
    assert_int_equal(n, 4);
    assert_string_equal(voices[0].service, "a");
    assert_string_equal(voices[0].language, "en");
    assert_string_equal(voices[1].service, "x-y");
    assert_string_equal(voices[1].language, "de");
    assert_string_equal(voices[2].sex, "female");
    assert_string_equal(voices[3].name, "d");
    assert_string_equal(voices[3].sex, "male");
    assert_int_equal(cp_remote_read_voices("a/de/f/old", voices, 4, &n, NULL), 0);
    assert_string_equal(voices[0].sex, "female");
    assert_string_equal(voices[0].age, "old");
    static const char *const wrong[] = {"=x", "a=", "a/", "a/de/robot", "/de", "a b c d e", "a/de/f/7"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_not_equal(cp_remote_read_voices(wrong[i], voices, 4, &n, NULL), 0);
}

static void rate_is_said_in_ssml_and_words_still_fit(void **state)
{
    static const char text[] = "Tom & Zoë <3 you";
    static const char *const words[] = {"Tom", "&", "Zoë", "<3", "you"};
    struct cp_speech *speech = begin();
    void *engine = speech->engines[cp_speech_engine_of("polly:Joanna")];
    static const struct cp_pronounced zoe = {6, 10, "ˈzəʊ'i"};
    for (int i = 0; i < 4; i++) {
        struct cp_piece piece = {.voice = "Joanna",
                                 .text = text,
                                 .length = sizeof text - 1,
                                 .pronounced = &zoe,
                                 .n_pronounced = i / 2,
                                 .rate = i % 2 ? 1.25 : 1,
                                 .pitch = 1};
        struct cp_sound sound = {0};
        assert_int_equal(cp_polly_provider.speak(engine, &piece, NULL, &sound, NULL), 0);
        int n = 0;
        for (size_t k = 0; k < sound.n_events; k++) {
            const struct cp_sound_event *event = &sound.events[k];
            if (event->type != CP_SOUND_WORD)
                continue;
            assert_true(n < 5);
            assert_int_equal(event->end - event->start, strlen(words[n]));
            assert_memory_equal(text + event->start, words[n], strlen(words[n]));
            n++;
        }
        assert_int_equal(n, 5);
        cp_sound_free(&sound);
    }
    end(speech);
}

static void pronunciations_become_markup(void **state)
{
    static const struct cp_pronounced stretches[] = {{0, 1, "ə"}, {4, 7, "\"'b"}};
    const struct cp_piece piece = {
        .text = "A & (B)<", .length = 8, .pronounced = stretches, .n_pronounced = 2};
    int32_t *origin;
    char *text = cp_remote_escape(&piece, &origin);
    assert_string_equal(text, "<phoneme alphabet=\"ipa\" ph=\"ə\">A</phoneme> &amp; "
                              "<phoneme alphabet=\"ipa\" ph=\"&quot;&apos;b\">(B)</phoneme>&lt;");
    assert_int_equal(origin[strstr(text, "A<") - text], 0);
    assert_int_equal(origin[strstr(text, "&amp;") - text + 3], 2);
    assert_int_equal(origin[strstr(text, "(B)") - text + 2], 6);
    assert_int_equal(origin[strstr(text, "(B)") - text + 3], 7); /* a tag stands for what follows */
    assert_int_equal(origin[strlen(text)], 8);
    free(text);
    free(origin);
}

static int marks_of(const struct cp_utterance *utterance, enum cp_mark_type type)
{
    int n = 0;
    for (size_t i = 0; i < utterance->n_marks; i++)
        n += utterance->marks[i].type == type;
    return n;
}

/* Engines that give no phones are aligned to the text, or their sound moves the mouth. */
static void mouths_move_with_every_engine(void **state)
{
    for (int v = 0; v < N_VOICES; v++) {
        struct cp_speech *speech = begin();
        struct listener listener;
        say(speech, live(VOICES[v], "Good evening, dear friends."), &listener);
        assert_int_equal(listener.result, 0);
        assert_true(is_of(listener.heard[0], VOICES[v]));
        assert_true(marks_of(listener.heard[0], CP_MARK_VISEME) >= 8);
        if (getenv("COMPERE_TEST_WORKER")) {
            assert_true(marks_of(listener.heard[0], CP_MARK_PHONE) >= 8);
            assert_int_equal(marks_of(listener.heard[0], CP_MARK_WORD), 4);
        }
        listener_free(&listener);
        end(speech);
    }
}

static void wav_is_read_however_it_is_cut(void **state)
{
    static const uint8_t wav[] =
        "RIFF\xff\xff\xff\xffWAVELIST\3\0\0\0abc\0fmt \x10\0\0\0\1\0\2\0\x80\x3e\0\0\0\xfa\0\0"
        "\4\0\20\0data\x0c\0\0\0\1\0\3\0\0\1\0\2\xff\xff\xfd\xffjunk behind";
    for (size_t step = 1; step < sizeof wav; step++) {
        struct cp_sound sound = {0};
        struct cp_pcm_stream stream = {.sound = &sound, .wav = true};
        for (size_t at = 0; at < sizeof wav - 1; at += step)
            assert_int_equal(cp_pcm_stream_take(&stream, wav + at,
                                                step < sizeof wav - 1 - at ? step : sizeof wav - 1 - at),
                             0);
        assert_int_equal(sound.hz, 16000);
        assert_int_equal(sound.n_samples, 3);
        assert_int_equal(sound.pcm[0], 2);
        assert_int_equal(sound.pcm[1], 0x180);
        assert_int_equal(sound.pcm[2], -2);
        cp_sound_free(&sound);
    }
}

static void foreign_marks_are_mended(void **state)
{
    struct cp_sound sound = {.hz = 16000};
    int16_t pcm[1600] = {0};
    cp_sound_add_pcm(&sound, pcm, 1600);
    static const char lines[] =
        "{\"time\":50,\"type\":\"word\",\"start\":0,\"end\":3,\"value\":\"abc\"}\r\n\r\n"
        "{\"time\":20,\"type\":\"viseme\",\"value\":\"p\"}\n"
        "{\"time\":60,\"type\":\"viseme\",\"value\":\"no such\"}\n"
        "{\"time\":-60,\"type\":\"viseme\",\"value\":\"a\"}\n"
        "{\"time\":70,\"type\":\"word\",\"start\":2,\"end\":99}\n{\"time\":70}\n[]\n"
        "{\"time\":80,\"type\":\"viseme\",\"value\":\"sil\"}\n";
    assert_int_equal(cp_polly_read_marks(lines, sizeof lines - 1, NULL, 3, &sound), 0);
    assert_int_equal(sound.n_events, 3);
    assert_int_equal(sound.events[1].at, 800); /* never back in time */
    assert_string_equal(sound.events[1].name, "p");
    assert_int_equal(sound.events[1].length, 480);
    assert_int_equal(sound.events[0].length, 480); /* not into the pause */
    assert_int_equal(sound.events[2].length, 320);
    assert_int_equal(cp_polly_read_marks("{\"time\"", 7, NULL, 3, &sound), CP_ERR_FORMAT);
    cp_sound_free(&sound);
}

static int open_services(void **state)
{
    services = services_start();
    return 0;
}

static int close_services(void **state)
{
    services_stop(services);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mouths_move_with_every_engine),
        cmocka_unit_test(passing_failures_are_not_heard),
        cmocka_unit_test(lasting_failures_are_spoken_by_another_voice),
        cmocka_unit_test(nothing_is_asked_again_once_sound_came),
        cmocka_unit_test(engine_that_keeps_failing_is_left_alone),
        cmocka_unit_test(services_speak_for_one_another),
        cmocka_unit_test(age_is_kept),
        cmocka_unit_test(nobody_left_is_told_clearly),
        cmocka_unit_test(hanging_engine_does_not_hold_up_the_voices_here),
        cmocka_unit_test(requests_are_cancelled_while_an_engine_hangs),
        cmocka_unit_test(fifty_requests_at_once_lose_none),
        cmocka_unit_test(live_lines_go_before_others_at_remote_engines),
        cmocka_unit_test(missing_keys_leave_voices_unusable),
        cmocka_unit_test(voice_lists_are_read),
        cmocka_unit_test(rate_is_said_in_ssml_and_words_still_fit),
        cmocka_unit_test(pronunciations_become_markup),
        cmocka_unit_test(wav_is_read_however_it_is_cut),
        cmocka_unit_test(foreign_marks_are_mended),
    };
    return cmocka_run_group_tests(tests, open_services, close_services);
}
