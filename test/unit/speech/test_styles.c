/* Ways of speaking, measured on the sound: rate by the words' times, pitch and swing by F0, pauses by
 * silence. */
#include "listener.h"

#include "media/clock.h"
#include "speech/styles.h"

#include <math.h>

#define TEXT                                                                                                 \
    "The evening train to the northern harbour leaves in a few minutes. All passengers are kindly asked to " \
    "go to the second platform now. We wish you a very pleasant journey along the river."

struct measured {
    double spoken_s;        /* from first to last word of the sentences, together */
    double pause_s;         /* silence behind all sentences but the last */
    double f0_hz, swing_st; /* median; mean distance from it in semitones */
};

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double median(float *values, size_t n)
{
    assert_true(n > 0);
    qsort(values, n, sizeof *values, by_size);
    return (double)values[n / 2];
}

static struct measured measure(const struct listener *listener)
{
    static float f0[100000];
    size_t n = 0;
    struct measured m = {0};
    for (int i = 0; i < listener->n_heard; i++) {
        const struct cp_utterance *utterance = listener->heard[i];
        int32_t end = 0;
        for (size_t k = 0; k < utterance->n_marks; k++)
            if (utterance->marks[k].type == CP_MARK_SENTENCE)
                end = utterance->marks[k].at_samples + utterance->marks[k].length_samples;
        m.spoken_s += (double)end / CP_SAMPLE_HZ;
        if (i + 1 < listener->n_heard)
            m.pause_s += (double)(utterance->n_samples - end) / CP_SAMPLE_HZ;
        for (int32_t k = 0; k < utterance->n_samples / CP_PROSODY_STEP_SAMPLES; k++)
            if (utterance->prosody[k].f0_hz > 0)
                f0[n++] = utterance->prosody[k].f0_hz;
    }
    m.f0_hz = median(f0, n);
    for (size_t i = 0; i < n; i++)
        m.swing_st += fabs(12 * log2((double)f0[i] / m.f0_hz)) / (double)n;
    return m;
}

static struct measured measure_style(struct cp_speech *speech, const char *voice, const char *style)
{
    struct listener listener;
    say(speech, (struct cp_speech_request){.text = TEXT, .voice = voice, .style = style}, &listener);
    assert_int_equal(listener.result, 0);
    assert_int_equal(listener.n_heard, 3);
    struct measured m = measure(&listener);
    listener_free(&listener);
    return m;
}

static void check_styles(struct cp_speech *speech, const char *voice, double pitch_tolerance,
                         double swing_tolerance)
{
    struct measured plain = measure_style(speech, voice, NULL);
    for (int i = 1; cp_speech_style(i - 1); i++) {
        const struct cp_style *style = cp_style_get(i);
        struct measured m = measure_style(speech, voice, style->shown.name);
        double rate = plain.spoken_s / m.spoken_s, pitch = m.f0_hz / plain.f0_hz;
        double pause = m.pause_s / plain.pause_s, swing = m.swing_st / plain.swing_st;
        print_message("%-12s %-8s rate %.2f (%.2f) pitch %.2f (%.2f) swing %.2f (%.2f) pause %.2f (%.2f)\n",
                      voice, style->shown.name, rate, (double)style->rate, pitch, (double)style->pitch, swing,
                      (double)style->range, pause, (double)style->pause);
        assert_true(fabs(rate / (double)style->rate - 1) < 0.05);
        assert_true(fabs(pitch / (double)style->pitch - 1) < pitch_tolerance);
        assert_true(fabs(pause - (double)style->pause) < 0.12); /* closed lips count as silence too */
        if (style->range > 1.1f)
            assert_true(swing > 1 + ((double)style->range - 1) * swing_tolerance);
        else if (style->range < 0.9f)
            assert_true(swing < 1 - (1 - (double)style->range) * swing_tolerance);
    }
}

static void styles_sound_as_their_profiles_say(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    check_styles(speech, "flite:slt", 0.03, 0.4);
    check_styles(speech, "flite:rms", 0.03, 0.4);
    if (getenv("COMPERE_TEST_WORKER"))
        check_styles(speech, "espeak:en-gb", 0.08, 0.3); /* its range moves the middle too */
    cp_speech_destroy(speech);
}

static void styles_make_the_same_sound_again(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener one, other;
    struct cp_speech_request request = {.text = TEXT " Is it far?", .style = "story"};
    say(speech, request, &one);
    say(speech, request, &other);
    assert_int_equal(one.n_heard, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(one.heard[i]->n_samples, other.heard[i]->n_samples);
        assert_memory_equal(one.heard[i]->pcm, other.heard[i]->pcm,
                            (size_t)one.heard[i]->n_samples * sizeof(int16_t));
    }
    /* but no two pauses are of the same length */
    assert_int_not_equal(one.heard[0]->n_samples - one.heard[0]->marks[0].length_samples,
                         one.heard[1]->n_samples - one.heard[1]->marks[0].length_samples);
    listener_free(&one);
    listener_free(&other);
    cp_speech_destroy(speech);
}

/* How far the last voiced 120 ms are above the sentence's median, in semitones. */
static double end_above_median_st(struct cp_speech *speech, const char *text, const char *voice)
{
    struct listener listener;
    static float f0[10000], last[12];
    size_t n = 0;
    say_text(speech, text, voice, &listener);
    assert_int_equal(listener.n_heard, 1);
    const struct cp_utterance *utterance = listener.heard[0];
    for (int32_t k = 0; k < utterance->n_samples / CP_PROSODY_STEP_SAMPLES; k++)
        if (utterance->prosody[k].f0_hz > 0)
            f0[n++] = utterance->prosody[k].f0_hz;
    assert_true(n > 30);
    memcpy(last, f0 + n - 12, sizeof last);
    double end = median(last, 12), middle = median(f0, n);
    listener_free(&listener);
    return 12 * log2(end / middle);
}

static void questions_rise_at_their_end(void **state)
{
    static const char *const VOICES[] = {"flite:slt",    "flite:rms", "flite:awb",
                                         "espeak:en-gb", "espeak:de", "espeak:fr"};
    static const struct {
        const char *question, *statement;
    } PAIRS[] = {{"Would you like to see it in blue?", "I would like to see it in blue."},
                 {"Are you coming home tomorrow?", "You are coming home tomorrow."},
                 {"Is there any more \"in the yellow room\"?", "There is more in the yellow room."}};
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    for (size_t v = 0; v < sizeof VOICES / sizeof *VOICES; v++) {
        if (!strncmp(VOICES[v], "espeak", 6) && !getenv("COMPERE_TEST_WORKER"))
            continue;
        double mean = 0;
        for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
            double asked = end_above_median_st(speech, PAIRS[i].question, VOICES[v]);
            double said = end_above_median_st(speech, PAIRS[i].statement, VOICES[v]);
            print_message("%-14s question %+.1f st, statement %+.1f st\n", VOICES[v], asked, said);
            assert_true(asked > said + 1.5);
            mean += asked / 3;
        }
        assert_true(mean > 1.5 && mean < 9);
    }
    cp_speech_destroy(speech);
}

static void emphasis_is_heard(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    double level[2] = {0}, length[2] = {0};
    static const char *const TEXTS[] = {
        "<speak>This is <emphasis level='none'>wonderful</emphasis> news.</speak>",
        "<speak>This is <emphasis level='strong'>wonderful</emphasis> news.</speak>"};
    for (int i = 0; i < 2; i++) {
        struct listener listener;
        say(speech, (struct cp_speech_request){.ssml = TEXTS[i]}, &listener);
        const struct cp_utterance *utterance = listener.heard[0];
        for (size_t k = 0; k < utterance->n_marks; k++) {
            const struct cp_mark *mark = &utterance->marks[k];
            if (mark->type != CP_MARK_WORD || mark->start != 8)
                continue;
            length[i] = mark->length_samples;
            for (int32_t s = 0; s < mark->length_samples; s++)
                level[i] +=
                    pow((double)utterance->pcm[mark->at_samples + s] / 32768, 2) / mark->length_samples;
        }
        listener_free(&listener);
    }
    assert_true(length[1] > length[0] * 1.08);
    assert_true(10 * log10(level[1] / level[0]) > 1);
    cp_speech_destroy(speech);
}

static void styles_unknown_are_refused_by_name(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct cp_error error;
    struct cp_speech_request request = {.text = "Hello.", .style = "shouting"};
    assert_int_equal(cp_speech_check(speech, &request, NULL, NULL, NULL, &error), CP_ERR_INVALID);
    assert_non_null(strstr(error.text, "shouting"));
    request.style = "";
    assert_int_equal(cp_speech_check(speech, &request, NULL, NULL, NULL, &error), 0);
    cp_speech_destroy(speech);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(styles_sound_as_their_profiles_say),
        cmocka_unit_test(styles_make_the_same_sound_again),
        cmocka_unit_test(questions_rise_at_their_end),
        cmocka_unit_test(emphasis_is_heard),
        cmocka_unit_test(styles_unknown_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
