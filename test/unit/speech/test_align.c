/* Alignment against sounds whose phone times are known, and what is shown where there is no text. */
#include "listener.h"

#include "align_truth.h"
#include "speech/align/dtw.h"
#include "speech/align/mouth_shapes.h"

enum { HZ = 16000 };

static const atomic_bool NEVER = false;

static struct cp_aligner *aligner_or_skip(struct cp_speech_config *config)
{
    if (!getenv("COMPERE_TEST_WORKER"))
        skip();
    *config = quick_config();
    snprintf(config->worker, sizeof config->worker, "%s", getenv("COMPERE_TEST_WORKER"));
    void *flite = NULL;
    assert_int_equal(cp_flite_provider.open(config, &flite, NULL), 0);
    return cp_aligner_create(config);
}

static struct cp_sound speak(const char *text, double rate)
{
    struct cp_speech_config config = {0};
    void *flite = NULL;
    assert_int_equal(cp_flite_provider.open(&config, &flite, NULL), 0);
    struct cp_piece piece = {
        .voice = "slt", .text = text, .length = strlen(text), .rate = rate, .pitch = 1, .range = 1};
    struct cp_sound sound = {0};
    assert_int_equal(cp_flite_provider.speak(flite, &piece, &NEVER, &sound, NULL), 0);
    return sound;
}

static int align_text(struct cp_aligner *aligner, const char *language, const char *text,
                      struct cp_sound *sound, enum cp_phone_set *set)
{
    struct cp_align_request request = {.language = language, .text = text, .length = strlen(text)};
    return cp_align(aligner, &request, sound, set, NULL);
}

/* The first `ms` of silence, `pause_ms` more in the middle, as much behind. */
static struct cp_sound with_silence(const struct cp_sound *sound, size_t middle, size_t ms, size_t pause_ms)
{
    struct cp_sound out = {.hz = sound->hz};
    size_t per_ms = (size_t)sound->hz / 1000, longest = ms > pause_ms ? ms : pause_ms;
    int16_t *silence = calloc(longest * per_ms + 1, sizeof *silence);
    assert_int_equal(cp_sound_add_pcm(&out, silence, ms * per_ms), 0);
    assert_int_equal(cp_sound_add_pcm(&out, sound->pcm, middle), 0);
    assert_int_equal(cp_sound_add_pcm(&out, silence, pause_ms * per_ms), 0);
    assert_int_equal(cp_sound_add_pcm(&out, sound->pcm + middle, sound->n_samples - middle), 0);
    assert_int_equal(cp_sound_add_pcm(&out, silence, ms * per_ms), 0);
    free(silence);
    return out;
}

static const struct cp_sound_event *word_at(const struct cp_sound *sound, int32_t start)
{
    for (size_t i = 0; i < sound->n_events; i++)
        if (sound->events[i].type == CP_SOUND_WORD && sound->events[i].start == start)
            return &sound->events[i];
    fail();
    return NULL;
}

static void phones_are_where_they_are_heard(void **state)
{
    static const char *const VOICES[] = {"slt", "rms", "awb", "kal16"};
    static double errors[4 * 10 * TRUTH_PHONES];
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    int n = 0;
    double seconds = 0;
    for (size_t v = 0; v < 4; v++)
        for (int i = 0; i < TRUTH_N; i += 4) {
            int count = truth_measure(aligner, VOICES[v], TRUTH_SENTENCES[i], errors + n, &seconds);
            assert_true(count > 10);
            n += count;
        }
    double median = truth_share(errors, n, 0.5), p90 = truth_share(errors, n, 0.9);
    assert_true(median <= 17);
    assert_true(p90 <= 60);
    cp_aligner_destroy(aligner);
}

static void pauses_elsewhere_move_no_word(void **state)
{
    const char *text = "Click the link below to order your own copy now.";
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    struct cp_sound truth = speak(text, 1);
    const struct cp_sound_event *order = word_at(&truth, 24);
    struct cp_sound sound = with_silence(&truth, (size_t)order->at, 3000, 2500);
    enum cp_phone_set set;
    assert_int_equal(align_text(aligner, "en", text, &sound, &set), 0);
    assert_int_equal(set, CP_PHONES_IPA);
    double ms = sound.hz / 1000.0;
    double link_ms = (word_at(&sound, 10)->at - word_at(&truth, 10)->at) / ms - 3000;
    double order_ms = (word_at(&sound, 24)->at - order->at) / ms - 5500;
    assert_true(fabs(link_ms) < 140);
    assert_true(fabs(order_ms) < 120);
    /* lips rest in the pause: no phone covers its middle */
    double middle = order->at + 4250 * ms;
    for (size_t i = 0; i < sound.n_events; i++) {
        const struct cp_sound_event *event = &sound.events[i];
        if (event->type == CP_SOUND_PHONE && *event->name)
            assert_false(event->at < middle && event->at + event->length > middle);
    }
    cp_sound_free(&truth);
    cp_sound_free(&sound);
    cp_aligner_destroy(aligner);
}

static void tempo_from_half_to_double_is_followed(void **state)
{
    const char *text = "Our support team is available around the clock.";
    static const double RATES[] = {0.5, 0.75, 1.5, 2};
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    for (size_t i = 0; i < 4; i++) {
        struct cp_sound truth = speak(text, RATES[i]), sound = with_silence(&truth, 0, 0, 0);
        enum cp_phone_set set;
        assert_int_equal(align_text(aligner, "en-GB", text, &sound, &set), 0);
        static const int32_t STARTS[] = {4, 12, 20, 30, 41};
        for (size_t k = 0; k < 5; k++) {
            double apart = word_at(&sound, STARTS[k])->at - word_at(&truth, STARTS[k])->at;
            assert_true(fabs(apart) / sound.hz < 0.12 / fmin(RATES[i], 1));
        }
        cp_sound_free(&truth);
        cp_sound_free(&sound);
    }
    cp_aligner_destroy(aligner);
}

static void words_of_the_engine_stay(void **state)
{
    const char *text = "Nobody expected it.";
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    struct cp_sound truth = speak(text, 1), sound = with_silence(&truth, 0, 0, 0);
    struct cp_sound_event word = {.type = CP_SOUND_WORD, .at = 4000, .length = 777, .start = 0, .end = 6};
    assert_int_equal(cp_sound_add_event(&sound, &word), 0);
    enum cp_phone_set set;
    assert_int_equal(align_text(aligner, "en", text, &sound, &set), 0);
    int words = 0, phones = 0;
    for (size_t i = 0; i < sound.n_events; i++) {
        words += sound.events[i].type == CP_SOUND_WORD;
        phones += sound.events[i].type == CP_SOUND_PHONE;
        if (i)
            assert_true(sound.events[i].at >= sound.events[i - 1].at);
    }
    assert_int_equal(words, 1);
    assert_true(phones > 10);
    assert_int_equal(word_at(&sound, 0)->length, 777);
    cp_sound_free(&truth);
    cp_sound_free(&sound);
    cp_aligner_destroy(aligner);
}

static void two_minutes_stay_in_bounds_and_stop_on_demand(void **state)
{
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    struct cp_sound once = speak(TRUTH_SENTENCES[1], 1), sound = {.hz = once.hz};
    char *text = calloc(60, 100);
    size_t most = 119 * (size_t)once.hz;
    while (sound.n_samples + once.n_samples < most && strlen(text) < 5000) {
        assert_int_equal(cp_sound_add_pcm(&sound, once.pcm, once.n_samples), 0);
        strcat(text, TRUTH_SENTENCES[1]);
        strcat(text, " ");
    }
    enum cp_phone_set set;
    assert_int_equal(align_text(aligner, "en", text, &sound, &set), 0);
    assert_int_equal(set, CP_PHONES_IPA);
    /* the 20th "Welcome" is where the 20th repetition begins */
    int32_t start = 19 * ((int32_t)strlen(TRUTH_SENTENCES[1]) + 1);
    double apart = word_at(&sound, start)->at - (19.0 * (double)once.n_samples + 0.165 * once.hz);
    assert_true(fabs(apart) / sound.hz < 0.3);

    atomic_bool now = true;
    struct cp_align_request request = {.language = "en", .text = text, .length = strlen(text), .stop = &now};
    sound.n_events = 0;
    assert_int_equal(cp_align(aligner, &request, &sound, &set, NULL), CP_ERR_CANCELLED);
    assert_int_equal(sound.n_events, 0);
    free(text);
    cp_sound_free(&once);
    cp_sound_free(&sound);
    cp_aligner_destroy(aligner);
}

static void silence_and_odd_rates_are_no_trouble(void **state)
{
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    static const int RATES[] = {8000, 11025, 24000, 44100, 48000};
    static int16_t pcm[48000];
    for (size_t r = 0; r < 5; r++)
        for (int noisy = 0; noisy < 2; noisy++) {
            for (size_t i = 0; i < 48000; i++)
                pcm[i] = noisy ? (int16_t)((int)(i * 7919 % 4001) - 2000) : 0;
            for (size_t n = 1; n <= 48000; n = n * 5 + 3) {
                struct cp_sound sound = {.hz = RATES[r]};
                assert_int_equal(cp_sound_add_pcm(&sound, pcm, n), 0);
                enum cp_phone_set set;
                assert_int_equal(align_text(aligner, "en", "Hello there.", &sound, &set), 0);
                for (size_t i = 0; i < sound.n_events; i++) {
                    assert_true(sound.events[i].at >= 0);
                    assert_true((size_t)(sound.events[i].at + sound.events[i].length) <= n + 480);
                }
                cp_sound_free(&sound);
            }
        }
    cp_aligner_destroy(aligner);
}

/* --- without text --- */

static void add_tones(struct cp_sound *sound, int ms, double f1_hz, double f2_hz, double level)
{
    for (int i = 0; i < ms * HZ / 1000; i++) {
        double t = (double)i / HZ, turn = 2 * M_PI * t;
        int16_t sample = (int16_t)(level * 8000 * (sin(turn * f1_hz) + 0.3 * sin(turn * f2_hz)));
        assert_int_equal(cp_sound_add_pcm(sound, &sample, 1), 0);
    }
}

static const char *shape_at(const struct cp_sound *sound, int ms)
{
    int32_t at = ms * (HZ / 1000);
    for (size_t i = 0; i < sound->n_events; i++)
        if (sound->events[i].at <= at && at < sound->events[i].at + sound->events[i].length)
            return sound->events[i].name;
    return "none";
}

static void shapes_follow_the_sound(void **state)
{
    struct cp_sound sound = {.hz = HZ};
    add_tones(&sound, 300, 0, 0, 0);       /* 0: a pause */
    add_tones(&sound, 200, 750, 1200, 1);  /* 300: a */
    add_tones(&sound, 80, 0, 0, 0);        /* 500: lips shut */
    add_tones(&sound, 200, 300, 2300, 1);  /* 580: i */
    add_tones(&sound, 200, 300, 900, 1);   /* 780: u */
    add_tones(&sound, 200, 5500, 6500, 1); /* 980: s */
    add_tones(&sound, 200, 3400, 4000, 1); /* 1180: sh */
    add_tones(&sound, 200, 150, 300, 1);   /* 1380: m */
    add_tones(&sound, 300, 0, 0, 0);       /* 1580: a pause */
    struct cp_aligner *aligner = cp_aligner_create(NULL);
    enum cp_phone_set set;
    assert_int_equal(align_text(aligner, "en", "whatever", &sound, &set), 0); /* no espeak-ng: guessed */
    assert_int_equal(set, CP_PHONES_SHAPES);
    assert_string_equal(shape_at(&sound, 150), "");
    assert_string_equal(shape_at(&sound, 400), "aa");
    assert_string_equal(shape_at(&sound, 540), "PP");
    assert_string_equal(shape_at(&sound, 680), "ih");
    assert_string_equal(shape_at(&sound, 880), "ou");
    assert_string_equal(shape_at(&sound, 1080), "SS");
    assert_string_equal(shape_at(&sound, 1280), "CH");
    assert_string_equal(shape_at(&sound, 1480), "nn");
    assert_string_equal(shape_at(&sound, 1700), "");
    for (size_t i = 0; i < sound.n_events; i++) {
        struct cp_mouth mouth = cp_mouth_of_phone(CP_PHONES_SHAPES, sound.events[i].name);
        assert_int_equal(mouth.n, 1);
        assert_true(mouth.part[0].viseme != CP_VISEME_UNSET);
    }
    cp_sound_free(&sound);
    cp_aligner_destroy(aligner);
}

static void a_language_nobody_speaks_gets_shapes(void **state)
{
    struct cp_speech_config config;
    struct cp_aligner *aligner = aligner_or_skip(&config);
    struct cp_sound sound = speak("Hello there.", 1);
    sound.n_events = 0;
    enum cp_phone_set set;
    assert_int_equal(align_text(aligner, "qqq", "Hello there.", &sound, &set), 0);
    assert_int_equal(set, CP_PHONES_SHAPES);
    assert_true(sound.n_events > 4);
    assert_false(cp_align_needed(&sound));
    cp_sound_free(&sound);
    cp_aligner_destroy(aligner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones_are_where_they_are_heard),
        cmocka_unit_test(pauses_elsewhere_move_no_word),
        cmocka_unit_test(tempo_from_half_to_double_is_followed),
        cmocka_unit_test(words_of_the_engine_stay),
        cmocka_unit_test(two_minutes_stay_in_bounds_and_stop_on_demand),
        cmocka_unit_test(silence_and_odd_rates_are_no_trouble),
        cmocka_unit_test(shapes_follow_the_sound),
        cmocka_unit_test(a_language_nobody_speaks_gets_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
