/* Requests: order, priority, cancelling, limits, voices. */
#include "listener.h"

#include "media/clock.h"

#define LONG_TEXT                                                                                            \
    "This is the first sentence of a longer text. Here is the second one of it. The third one follows. "     \
    "And there is a fourth. A fifth sentence is here as well. The sixth is the last one."

static void speech_hands_over_sentences_in_order(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener listener;
    say_text(speech, LONG_TEXT, NULL, &listener);
    assert_int_equal(listener.n_heard, 6);
    assert_int_equal(listener.n_done, 1);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(listener.heard[i]->sentence, i);
        assert_int_equal(listener.heard[i]->last, i == 5);
        assert_true(listener.heard[i]->made_ns > 0);
    }
    assert_true(listener.first_ns < listener.done_ns);
    struct cp_speech_stats stats = cp_speech_stats(speech);
    assert_int_equal(stats.requests, 1);
    assert_int_equal(stats.utterances, 6);
    assert_int_equal(stats.queue_capacity, config.queue);
    assert_true(stats.busy_ns > 0 && stats.sound_samples > CP_SAMPLE_HZ * 6);
    listener_free(&listener);
    cp_speech_destroy(speech);
}

static void speech_goes_on_at_a_sentence(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener listener;
    say(speech, (struct cp_speech_request){.text = LONG_TEXT, .first_sentence = 4}, &listener);
    assert_int_equal(listener.n_heard, 2);
    assert_int_equal(listener.heard[0]->sentence, 4);
    assert_memory_equal(listener.heard[0]->text, "A fifth", 7);
    assert_int_equal(listener.heard[0]->text_start, strstr(LONG_TEXT, "A fifth") - LONG_TEXT);
    listener_free(&listener);
    struct cp_error error;
    struct cp_speech_request beyond = {.text = LONG_TEXT, .first_sentence = 6};
    assert_int_equal(cp_speech_check(speech, &beyond, NULL, NULL, NULL, &error), CP_ERR_INVALID);
    cp_speech_destroy(speech);
}

/* A gate that holds the speech thread inside its first callback. */
struct gate {
    struct listener listener;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered, open;
};

static void gate_utterance(void *user, struct cp_utterance *utterance)
{
    struct gate *gate = user;
    pthread_mutex_lock(&gate->lock);
    gate->entered = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    listener_utterance(&gate->listener, utterance);
}

static void gate_done(void *user, int result, const struct cp_error *error)
{
    listener_done(&((struct gate *)user)->listener, result, error);
}

/* Says a text and returns while the speech thread hands over its first sentence. */
static uint64_t close_gate(struct gate *gate, struct cp_speech *speech, const char *text)
{
    *gate = (struct gate){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    listener_init(&gate->listener);
    struct cp_speech_request request = {.text = text, .priority = CP_SPEECH_AHEAD};
    struct cp_speech_events events = {gate_utterance, gate_done};
    uint64_t ticket = 0;
    assert_int_equal(cp_speech_say(speech, &request, &events, gate, &ticket, NULL), 0);
    pthread_mutex_lock(&gate->lock);
    while (!gate->entered)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return ticket;
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void speech_lets_live_requests_go_first(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct gate gate;
    listener_order = 0;
    close_gate(&gate, speech, LONG_TEXT);
    struct listener ahead, live, live2;
    struct cp_speech_request request = {.text = "Hello.", .priority = CP_SPEECH_AHEAD};
    listener_init(&ahead);
    listener_init(&live);
    listener_init(&live2);
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &ahead, NULL, NULL), 0);
    request.priority = CP_SPEECH_LIVE;
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &live, NULL, NULL), 0);
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &live2, NULL, NULL), 0);
    open_gate(&gate);
    listener_wait(&gate.listener);
    listener_wait(&ahead);
    listener_wait(&live);
    listener_wait(&live2);
    assert_int_equal(live.order, 1); /* even before the rest of the long text that had begun */
    assert_int_equal(live2.order, 2);
    assert_int_equal(gate.listener.order, 3);
    assert_int_equal(ahead.order, 4);
    assert_int_equal(gate.listener.n_heard, 6);
    listener_free(&gate.listener);
    listener_free(&ahead);
    listener_free(&live);
    listener_free(&live2);
    cp_speech_destroy(speech);
}

static void speech_refuses_when_the_queue_is_full(void **state)
{
    struct cp_speech_config config = quick_config();
    config.queue = 2;
    struct cp_speech *speech = start(&config);
    struct gate gate;
    close_gate(&gate, speech, "Hello.");
    struct listener waiting[2], refused;
    struct cp_speech_request request = {.text = "Hello."};
    struct cp_error error = {0};
    for (int i = 0; i < 2; i++) {
        listener_init(&waiting[i]);
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &waiting[i], NULL, NULL), 0);
    }
    listener_init(&refused);
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &refused, NULL, &error), CP_ERR_BUSY);
    assert_non_null(strstr(error.text, "2 requests wait"));
    struct cp_speech_stats stats = cp_speech_stats(speech);
    assert_int_equal(stats.queue_depth, 2);
    assert_int_equal(stats.refused, 1);
    assert_true(stats.working_since_ns > 0);
    open_gate(&gate);
    listener_wait(&waiting[0]);
    listener_wait(&waiting[1]);
    assert_int_equal(refused.n_done, 0); /* not accepted, so never done */
    listener_free(&gate.listener);
    listener_free(&waiting[0]);
    listener_free(&waiting[1]);
    listener_free(&refused);
    cp_speech_destroy(speech);
}

static void speech_cancels_running_and_waiting_requests(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct gate gate;
    uint64_t running = close_gate(&gate, speech, LONG_TEXT), waiting_ticket = 0;
    struct listener waiting;
    listener_init(&waiting);
    struct cp_speech_request request = {.text = "Hello."};
    assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &waiting, &waiting_ticket, NULL), 0);
    cp_speech_cancel(speech, running);
    cp_speech_cancel(speech, waiting_ticket);
    cp_speech_cancel(speech, 4711); /* nobody's */
    open_gate(&gate);
    listener_wait(&gate.listener);
    listener_wait(&waiting);
    assert_int_equal(gate.listener.result, CP_ERR_CANCELLED);
    assert_int_equal(gate.listener.n_heard, 1); /* the one that was being handed over */
    assert_int_equal(waiting.result, CP_ERR_CANCELLED);
    assert_int_equal(waiting.n_heard, 0);
    cp_speech_cancel(speech, running); /* over: nothing happens */
    assert_int_equal(cp_speech_stats(speech).cancelled, 2);
    cp_speech_destroy(speech);
    assert_int_equal(gate.listener.n_done, 1);
    assert_int_equal(waiting.n_done, 1);
    listener_free(&gate.listener);
    listener_free(&waiting);
}

static void speech_ends_all_requests_when_destroyed(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener listeners[10];
    struct cp_speech_request request = {.text = LONG_TEXT};
    for (int i = 0; i < 10; i++) {
        listener_init(&listeners[i]);
        assert_int_equal(cp_speech_say(speech, &request, &LISTENER_EVENTS, &listeners[i], NULL, NULL), 0);
    }
    cp_speech_destroy(speech);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(listeners[i].n_done, 1);
        listener_free(&listeners[i]);
    }
    cp_speech_destroy(NULL);
}

/* --- what is refused at once --- */

static void expect_refused(struct cp_speech *speech, struct cp_speech_request request, int code,
                           const char *words)
{
    struct cp_error error = {0};
    struct listener listener;
    listener_init(&listener);
    int result = cp_speech_say(speech, &request, &LISTENER_EVENTS, &listener, NULL, &error);
    if (result != code || !strstr(error.text, words))
        print_error("%d \"%s\"\n", result, error.text);
    assert_int_equal(result, code);
    assert_non_null(strstr(error.text, words));
    assert_int_equal(cp_speech_check(speech, &request, NULL, NULL, NULL, NULL), code);
    assert_int_equal(listener.n_done, 0);
    listener_free(&listener);
}

static void speech_says_what_is_wrong_with_a_request(void **state)
{
    struct cp_speech_config config = quick_config();
    config.max_text_bytes = 100;
    struct cp_speech *speech = start(&config);
    typedef struct cp_speech_request request;
    expect_refused(speech, (request){0}, CP_ERR_INVALID, "needs text or ssml");
    expect_refused(speech, (request){.text = "..."}, CP_ERR_INVALID, "nothing to say");
    expect_refused(speech, (request){.text = LONG_TEXT}, CP_ERR_LIMIT, "100 bytes");
    expect_refused(speech, (request){.ssml = "<speak>"}, CP_ERR_FORMAT, "Line 1");
    expect_refused(speech, (request){.text = "a", .rate = 3}, CP_ERR_INVALID, "rate is 3");
    expect_refused(speech, (request){.text = "a", .pitch = 0.1}, CP_ERR_INVALID, "pitch");
    expect_refused(speech, (request){.text = "a", .volume = -1}, CP_ERR_INVALID, "volume");
    expect_refused(speech, (request){.text = "a", .voice = "flite:sl"}, CP_ERR_NOT_FOUND, "flite:slt");
    expect_refused(speech, (request){.text = "a", .voice = "slt"}, CP_ERR_NOT_FOUND,
                   "close ones are flite:slt");
    expect_refused(speech, (request){.text = "a", .language = "xx-YY"}, CP_ERR_NOT_FOUND, "xx-YY");
    expect_refused(speech, (request){.text = "ᏣᎳᎩ", .voice = "flite:slt"}, CP_ERR_INVALID, "cannot read");
    expect_refused(speech, (request){.text = "ᏣᎳᎩ", .language = "en"}, CP_ERR_INVALID, "cannot read");
    cp_speech_destroy(speech);
}

static void speech_checks_without_speaking(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct cp_buffer text = cp_buffer_make(1000);
    int n = 0;
    struct cp_speech_request request = {
        .ssml = "<speak>One &amp; two.<break/> <emphasis>Three.</emphasis></speak>"};
    assert_int_equal(cp_speech_check(speech, &request, &text, &n, NULL, NULL), 0);
    assert_string_equal(cp_buffer_string(&text), "One & two. Three.");
    assert_int_equal(n, 2);
    assert_int_equal(cp_speech_stats(speech).requests, 0);
    cp_buffer_free(&text);
    cp_speech_destroy(speech);
}

static const char *voice_for(struct cp_speech *speech, const char *language)
{
    const struct cp_voice *voice;
    return cp_speech_find_voice(speech, "", language, &voice, NULL) ? "" : voice->id;
}

static void speech_finds_voices_by_language(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    assert_string_equal(voice_for(speech, ""), "flite:slt");
    assert_string_equal(voice_for(speech, "en"), "flite:slt");
    assert_string_equal(voice_for(speech, "en-GB"), "flite:slt");
    assert_string_equal(voice_for(speech, "EN_us"), "flite:slt");
    int n = 0;
    const struct cp_voice *voices = cp_speech_voices(speech, &n);
    assert_true(n > 30);
    for (int i = 0; i < n; i++) {
        assert_non_null(strchr(voices[i].id, ':'));
        assert_true(*voices[i].name && *voices[i].engine && *voices[i].language);
        assert_true(voices[i].usable == !*voices[i].why_not);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(voices[k].id, voices[i].id);
    }
    if (getenv("COMPERE_TEST_WORKER")) {
        static const char *const wanted[][2] = {
            {"de", "espeak:de"},    {"de-AT", "espeak:de"},     {"fr", "espeak:fr"},
            {"fr-FR", "espeak:fr"}, {"fr-CH", "espeak:fr-ch"},  {"pt-BR", "espeak:pt-br"},
            {"pt", "espeak:pt"},    {"zh", "espeak:zh"},        {"zh-CN", "espeak:zh"},
            {"cmn", "espeak:zh"},   {"zh-HK", "espeak:yue"},    {"no", "espeak:nb"},
            {"ja", "espeak:ja"},    {"es-MX", "espeak:es-419"}, {"vi", "espeak:vi"},
            {"ru", "espeak:ru"},
        };
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            assert_string_equal(voice_for(speech, wanted[i][0]), wanted[i][1]);
    }
    cp_speech_destroy(speech);
}

static void speech_reads_other_scripts_unasked(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    static const char *const texts[][2] = {{"Привет, мир!", "espeak:ru"}, {"你好世界。", "espeak:zh"},
                                           {"こんにちは。", "espeak:ja"}, {"안녕하세요", "espeak:ko"},
                                           {"Καλησπέρα", "espeak:el"},    {"مرحبا", "espeak:ar"}};
    for (size_t i = 0; getenv("COMPERE_TEST_WORKER") && i < sizeof texts / sizeof *texts; i++) {
        struct listener listener;
        say_text(speech, texts[i][0], NULL, &listener);
        assert_string_equal(listener.heard[0]->voice, texts[i][1]);
        listener_free(&listener);
    }
    /* sentences that no voice can be found for are passed over; the last one it can is the last */
    struct listener listener;
    say_text(speech, "Hello there. ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ. Goodbye. ᏣᎳᎩ.", "flite:slt", &listener);
    assert_int_equal(listener.n_heard, 2);
    assert_int_equal(listener.heard[1]->sentence, 2);
    assert_true(listener.heard[1]->last);
    listener_free(&listener);
    cp_speech_destroy(speech);
}

static void speech_refuses_to_start_with_an_unknown_voice(void **state)
{
    struct cp_speech_config config = quick_config();
    snprintf(config.voice, sizeof config.voice, "flite:nobody");
    struct cp_speech *speech = NULL;
    struct cp_error error = {0};
    assert_int_equal(cp_speech_create(&config, &speech, &error), CP_ERR_NOT_FOUND);
    assert_null(speech);
    assert_non_null(strstr(error.text, "flite:"));
}

static void speech_survives_torture(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    static const char *const texts[] = {
        "x",
        "1234567890123456789012345678901234567890",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "bcdfghjklmnpqrstvwxz",
        "$ 5 % 7 & 9 # 3 @ home * 2 ^ 8 | 1",
        "<prosody rate=\"slow\">not markup</prosody> [[h@loU]] \\v1\\ {x}",
        "Mixed שלום with العربية and 中文 🎉 and\u200b zero\ufeffwidth.",
        "A.B.C.D.E.F.G. www.example.com/path?x=1&y=2 me@example.com +1-800-555-0199 12:30 3/4 1st MMXX",
        "'''quoted''' \"\"twice\"\" ((nested)) [brackets] ...dots... --dashes-- ~tildes~",
        "é",
        "½ €5 £6 °C ×",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (int v = 0; v < 2; v++) {
            const char *voice = v ? "espeak:de" : "flite:slt";
            if (v && !getenv("COMPERE_TEST_WORKER"))
                continue;
            struct listener listener;
            say_text(speech, texts[i], voice, &listener);
            listener_free(&listener);
        }
    }
    assert_int_equal(cp_speech_stats(speech).worker_restarts, 0);
    cp_speech_destroy(speech);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_hands_over_sentences_in_order),
        cmocka_unit_test(speech_goes_on_at_a_sentence),
        cmocka_unit_test(speech_lets_live_requests_go_first),
        cmocka_unit_test(speech_refuses_when_the_queue_is_full),
        cmocka_unit_test(speech_cancels_running_and_waiting_requests),
        cmocka_unit_test(speech_ends_all_requests_when_destroyed),
        cmocka_unit_test(speech_says_what_is_wrong_with_a_request),
        cmocka_unit_test(speech_checks_without_speaking),
        cmocka_unit_test(speech_finds_voices_by_language),
        cmocka_unit_test(speech_reads_other_scripts_unasked),
        cmocka_unit_test(speech_refuses_to_start_with_an_unknown_voice),
        cmocka_unit_test(speech_survives_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
