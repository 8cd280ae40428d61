/* Recordings become sentences with marks, and stored speech becomes sentences again. */
#include "listener.h"
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>

static const char TEXT[] =
    "Good evening, and welcome to the show. Our first guest paints with coffee. Please give her a warm hand.";

/* A stage whose worker aligns; or without one, as where espeak-ng is not installed. */
static struct cp_speech *stage(bool aligns)
{
    struct cp_speech_config config = quick_config();
    if (!aligns)
        snprintf(config.worker, sizeof config.worker, "/nonexistent");
    return start(&config);
}

static void speak(struct cp_speech *speech, struct listener *listener)
{
    say_text(speech, TEXT, "flite:slt", listener);
    assert_int_equal(listener->result, 0);
    assert_int_equal(listener->n_heard, 3);
}

/* Samples from the start of the whole text to the n'th word, counted over all sentences. */
static int word_at(struct cp_utterance *const *utterances, int n, int32_t start)
{
    int base = 0;
    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < utterances[i]->n_marks; k++) {
            const struct cp_mark *mark = &utterances[i]->marks[k];
            if (mark->type == CP_MARK_WORD && mark->start == start)
                return base + mark->at_samples;
        }
        base += utterances[i]->n_samples;
    }
    return -1;
}

static size_t count(const struct cp_utterance *utterance, enum cp_mark_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < utterance->n_marks; i++)
        n += utterance->marks[i].type == type &&
             (type != CP_MARK_VISEME || utterance->marks[i].viseme != CP_VISEME_SIL);
    return n;
}

static void a_recording_with_its_text_is_cut_and_marked(void **state)
{
    if (!getenv("COMPERE_TEST_WORKER"))
        skip();
    struct cp_speech *speech = stage(true);
    struct listener truth;
    struct cp_utterance **heard;
    int n;
    speak(speech, &truth);
    for (int i = 0; i < truth.n_heard; i++) /* a quiet microphone */
        for (int32_t k = 0; k < truth.heard[i]->n_samples; k++)
            truth.heard[i]->pcm[k] /= 8;
    struct cp_buffer ogg = cp_buffer_make(1 << 20);
    assert_int_equal(cp_speech_write_ogg(truth.heard, 3, &ogg, NULL), 0);
    struct cp_recording recording = {.bytes = ogg.data, .length = ogg.length, .text = TEXT};
    assert_int_equal(cp_speech_record(speech, &recording, &heard, &n, NULL), 0);
    assert_int_equal(n, 3);
    assert_string_equal(heard[1]->text, "Our first guest paints with coffee.");
    int64_t samples = 0, wanted = 0;
    for (int i = 0; i < n; i++) {
        assert_int_equal(heard[i]->sentence, i);
        assert_int_equal(heard[i]->last, i == 2);
        assert_string_equal(heard[i]->voice, CP_RECORDING_VOICE);
        assert_true(count(heard[i], CP_MARK_VISEME) > 8);
        samples += heard[i]->n_samples;
        wanted += truth.heard[i]->n_samples;
    }
    assert_true(llabs(samples - wanted) < CP_SAMPLE_HZ / 20);
    static const int32_t WORDS[] = {0, 5, 18, 39, 49, 67, 75};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        int at = word_at(heard, n, WORDS[i]);
        assert_true(at >= 0);
        assert_true(abs(at - word_at(truth.heard, 3, WORDS[i])) < CP_SAMPLE_HZ / 8);
    }
    float *loud = malloc((size_t)samples * sizeof *loud);
    for (int64_t i = 0, at = 0; i < n; i++)
        for (int32_t k = 0; k < heard[i]->n_samples; k++)
            loud[at++] = (float)heard[i]->pcm[k] / 32767;
    assert_float_equal(cp_loudness_lufs(loud, (size_t)samples), -16, 1);
    free(loud);
    cp_utterances_drop(heard, n);
    cp_buffer_free(&ogg);
    listener_free(&truth);
    cp_speech_destroy(speech);
}

static void without_text_the_mouth_moves_with_the_sound(void **state)
{
    struct cp_speech *speech = stage(false);
    struct listener truth;
    struct cp_utterance **heard;
    int n;
    speak(speech, &truth);
    struct cp_buffer wav = cp_buffer_make(4 << 20);
    assert_int_equal(cp_speech_write_wav(truth.heard, 3, &wav), 0);
    struct cp_recording recording = {.bytes = wav.data, .length = wav.length, .title = "Guest. Take two"};
    assert_int_equal(cp_speech_record(speech, &recording, &heard, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_string_equal(heard[0]->text, "Guest. Take two");
    assert_true(heard[0]->last);
    assert_int_equal(count(heard[0], CP_MARK_WORD), 0);
    assert_true(count(heard[0], CP_MARK_VISEME) > 30);
    cp_utterances_drop(heard, n);
    cp_buffer_free(&wav);
    listener_free(&truth);
    cp_speech_destroy(speech);
}

static int record(struct cp_speech *speech, const void *bytes, size_t length, struct cp_error *error)
{
    struct cp_recording recording = {.bytes = bytes, .length = length, .title = "x"};
    struct cp_utterance **heard;
    int n, result = cp_speech_record(speech, &recording, &heard, &n, error);
    if (!result)
        cp_utterances_drop(heard, n);
    return result;
}

static void what_is_no_recording_is_refused(void **state)
{
    struct cp_speech *speech = stage(false);
    struct cp_error error;
    uint8_t noise[5000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 131 + i / 7);
    assert_int_equal(record(speech, noise, sizeof noise, &error), CP_ERR_FORMAT);
    assert_true(strlen(error.text) > 20);
    assert_int_equal(record(speech, "", 0, &error), CP_ERR_FORMAT);
    struct cp_utterance *silence = cp_utterance_create(CP_SAMPLE_HZ / 20, 1, "");
    struct cp_buffer wav = cp_buffer_make(16 << 20);
    assert_int_equal(cp_speech_write_wav(&silence, 1, &wav), 0);
    assert_int_equal(record(speech, wav.data, wav.length, &error), CP_ERR_INVALID);
    cp_ref_drop(silence);
    cp_buffer_free(&wav);
    silence = cp_utterance_create(CP_SAMPLE_HZ * 121, 1, "");
    assert_int_equal(cp_speech_write_wav(&silence, 1, &wav), 0);
    assert_int_equal(record(speech, wav.data, wav.length, &error), CP_ERR_LIMIT);
    cp_ref_drop(silence);
    cp_buffer_free(&wav);
    cp_speech_destroy(speech);
}

static void silence_is_a_recording_too(void **state)
{
    struct cp_speech *speech = stage(false);
    struct cp_utterance *silence = cp_utterance_create(CP_SAMPLE_HZ * 2, 1, "");
    struct cp_buffer wav = cp_buffer_make(1 << 20);
    assert_int_equal(cp_speech_write_wav(&silence, 1, &wav), 0);
    assert_int_equal(record(speech, wav.data, wav.length, NULL), 0);
    cp_ref_drop(silence);
    cp_buffer_free(&wav);
    cp_speech_destroy(speech);
}

/* --- replaying --- */

static void stored_speech_is_the_same_again(void **state)
{
    struct cp_speech *speech = stage(false);
    struct listener truth;
    struct cp_utterance **again;
    int n;
    speak(speech, &truth);
    struct cp_buffer lines = cp_buffer_make(1 << 20);
    assert_int_equal(cp_speech_write_marks(truth.heard, 3, &lines), 0);
    size_t n_samples = 0, at = 0, n_marks[2] = {0};
    for (int i = 0; i < 3; i++)
        n_samples += (size_t)truth.heard[i]->n_samples;
    int16_t *pcm = malloc(n_samples * sizeof *pcm);
    for (int i = 0; i < 3; i++) {
        memcpy(pcm + at, truth.heard[i]->pcm, (size_t)truth.heard[i]->n_samples * sizeof *pcm);
        at += (size_t)truth.heard[i]->n_samples;
    }
    assert_int_equal(
        cp_speech_replay(pcm, n_samples, (char *)lines.data, lines.length, "flite:slt", &again, &n, NULL), 0);
    assert_int_equal(n, 3);
    at = 0;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(again[i]->text, truth.heard[i]->text);
        assert_int_equal(again[i]->text_start, truth.heard[i]->text_start);
        assert_int_equal(again[i]->last, i == 2);
        assert_memory_equal(again[i]->pcm, pcm + at, (size_t)again[i]->n_samples * sizeof *pcm);
        at += (size_t)again[i]->n_samples;
        n_marks[0] += truth.heard[i]->n_marks;
        n_marks[1] += again[i]->n_marks;
        /* each mouth shape, as strong, as long, where it was */
        size_t k = 0;
        for (size_t j = 0; j < again[i]->n_marks; j++) {
            const struct cp_mark *mark = &again[i]->marks[j], *was = NULL;
            if (mark->type != CP_MARK_PHONE)
                continue;
            for (; k < truth.heard[i]->n_marks && !was; k++)
                if (truth.heard[i]->marks[k].type == CP_MARK_PHONE)
                    was = &truth.heard[i]->marks[k];
            assert_non_null(was);
            assert_string_equal(mark->name, was->name);
            assert_int_equal(mark->stress, was->stress);
            assert_true(abs(mark->length_samples - was->length_samples) <= 48);
        }
    }
    assert_int_equal(at, n_samples);
    assert_int_equal(n_marks[0], n_marks[1]);
    for (int32_t start = 0; start < 60; start += 30)
        assert_true(abs(word_at(again, 3, start) - word_at(truth.heard, 3, start)) <= 48);
    cp_utterances_drop(again, n);
    free(pcm);
    cp_buffer_free(&lines);
    listener_free(&truth);
    cp_speech_destroy(speech);
}

static int replay(const char *lines, int *ret_n, struct cp_utterance ***ret)
{
    static int16_t pcm[CP_SAMPLE_HZ];
    return cp_speech_replay(pcm, CP_SAMPLE_HZ, lines, strlen(lines), "v", ret, ret_n, NULL);
}

static void foreign_marks_do_no_harm(void **state)
{
    struct cp_utterance **again;
    int n;
    assert_int_equal(replay("", &n, &again), 0);
    assert_int_equal(n, 1);
    assert_string_equal(again[0]->text, "");
    assert_int_equal(again[0]->n_samples, CP_SAMPLE_HZ);
    cp_utterances_drop(again, n);
    assert_int_equal(replay("{\"time_ms\":", &n, &again), CP_ERR_FORMAT);
    assert_int_equal(
        replay("[1]\n{}\n{\"type\":\"mystery\"}\n{\"type\":\"viseme\",\"value\":\"QQ\"}\n"
               "{\"type\":\"word\",\"start\":9,\"end\":3}\n"
               "{\"type\":\"word\",\"time_ms\":1e300,\"start\":-5,\"end\":99999999999,\"length_ms\":-1}\n"
               "{\"type\":\"viseme\",\"value\":\"aa\",\"time_ms\":-7,\"weight\":1e9}\n"
               "{\"type\":\"sentence\",\"value\":\"B\",\"time_ms\":600,\"start\":2,\"end\":3}\n"
               "{\"type\":\"sentence\",\"value\":\"A\",\"time_ms\":500,\"start\":0,\"end\":1}\n",
               &n, &again),
        0);
    assert_int_equal(n, 2);
    assert_string_equal(again[0]->text, "A");
    assert_string_equal(again[1]->text, "B");
    assert_int_equal(again[0]->n_samples, 600 * 48);
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < again[i]->n_marks; k++) {
            assert_in_range(again[i]->marks[k].at_samples, 0, again[i]->n_samples);
            assert_true(again[i]->marks[k].weight <= 1);
        }
    cp_utterances_drop(again, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_with_its_text_is_cut_and_marked),
        cmocka_unit_test(without_text_the_mouth_moves_with_the_sound),
        cmocka_unit_test(what_is_no_recording_is_refused),
        cmocka_unit_test(silence_is_a_recording_too),
        cmocka_unit_test(stored_speech_is_the_same_again),
        cmocka_unit_test(foreign_marks_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
