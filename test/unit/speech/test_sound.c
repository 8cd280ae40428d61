/* What is heard: loudness and true peak by ffmpeg's meter, joints without clicks. */
#include "listener.h"

#include "media/clock.h"

#include <math.h>
#include <unistd.h>

#define TEXT                                                                                                 \
    "Good evening, and a very warm welcome to the programme. Tonight we look at three things that matter. "  \
    "Will the river rise again? Nobody knows! Stay with us, for the answer may surprise you."

static bool have_ffmpeg(void)
{
    return !system("ffmpeg -version > /dev/null 2>&1");
}

/* What ffmpeg's ebur128 filter (EBU R 128, BS.1770 true peak) says of the sound. */
static void measure(const struct listener *listener, double *ret_lufs, double *ret_peak_dbtp)
{
    char path[] = "/tmp/compere-sound-XXXXXX", command[256], line[256];
    struct cp_buffer wav = cp_buffer_make(64 << 20);
    assert_int_equal(cp_speech_write_wav(listener->heard, listener->n_heard, &wav), 0);
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, wav.data, wav.length) == (ssize_t)wav.length);
    close(fd);
    cp_buffer_free(&wav);
    snprintf(command, sizeof command,
             "ffmpeg -hide_banner -nostats -i %s -af ebur128=peak=true:framelog=verbose -f null - 2>&1",
             path);
    FILE *ffmpeg = popen(command, "r");
    assert_non_null(ffmpeg);
    *ret_lufs = *ret_peak_dbtp = NAN;
    while (fgets(line, sizeof line, ffmpeg)) {
        sscanf(line, " I: %lf LUFS", ret_lufs);
        sscanf(line, " Peak: %lf dBFS", ret_peak_dbtp);
    }
    pclose(ffmpeg);
    unlink(path);
}

static void voices_are_equally_loud_in_every_style(void **state)
{
    static const char *const VOICES[] = {"flite:slt",    "flite:rms", "flite:awb", "flite:kal16",
                                         "espeak:en-gb", "espeak:de", "espeak:fr", "espeak:de-male"};
    if (!have_ffmpeg())
        skip();
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    double quietest = 0, loudest = -99, highest = -99;
    for (size_t v = 0; v < sizeof VOICES / sizeof *VOICES; v++) {
        if (!strncmp(VOICES[v], "espeak", 6) && !getenv("COMPERE_TEST_WORKER"))
            continue;
        for (int i = 0; cp_speech_style(i); i++) {
            struct listener listener;
            double lufs, peak;
            say(speech,
                (struct cp_speech_request){
                    .text = TEXT, .voice = VOICES[v], .style = cp_speech_style(i)->name},
                &listener);
            assert_int_equal(listener.result, 0);
            measure(&listener, &lufs, &peak);
            if (!(fabs(lufs + 16) <= 1 && peak <= -1))
                print_error("%s in style %s: %.1f LUFS, %.1f dBTP\n", VOICES[v], cp_speech_style(i)->name,
                            lufs, peak);
            assert_true(fabs(lufs + 16) <= 1);
            assert_true(peak <= -1);
            quietest = fmin(quietest, lufs);
            loudest = fmax(loudest, lufs);
            highest = fmax(highest, peak);
            listener_free(&listener);
        }
    }
    print_message("%.1f to %.1f LUFS, at most %.1f dBTP\n", quietest, loudest, highest);
    cp_speech_destroy(speech);
}

/* The largest step from sample to sample in [from, to) of all utterances laid end to end. */
static int largest_step(const int16_t *pcm, int32_t from, int32_t to)
{
    int largest = 0;
    for (int32_t i = from + 1; i < to; i++)
        largest = abs(pcm[i] - pcm[i - 1]) > largest ? abs(pcm[i] - pcm[i - 1]) : largest;
    return largest;
}

static void joints_make_no_click(void **state)
{
    static const char SSML[] =
        "<speak>One sentence ends here. <s>Another one</s> follows <break time='200ms'/> after a break, "
        "<prosody rate='fast' volume='-6dB'>hurried and quiet</prosody>, <emphasis>stressed</emphasis> "
        "and over. Is that so?</speak>";
    enum { NEAR = CP_SAMPLE_HZ * 2 / 1000 };
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener listener;
    say(speech, (struct cp_speech_request){.ssml = SSML}, &listener);
    assert_int_equal(listener.result, 0);
    assert_true(listener.n_heard >= 3);
    for (int i = 0; i < listener.n_heard; i++) {
        const struct cp_utterance *utterance = listener.heard[i];
        int inside = largest_step(utterance->pcm, 0, utterance->n_samples);
        assert_true(abs(utterance->pcm[0]) < 40 && abs(utterance->pcm[utterance->n_samples - 1]) < 40);
        assert_true(largest_step(utterance->pcm, 0, NEAR) < 400);
        assert_true(largest_step(utterance->pcm, utterance->n_samples - NEAR, utterance->n_samples) < 40);
        /* around silence inside (a break, the seam of two pieces) as little */
        for (int32_t k = NEAR; k < utterance->n_samples - NEAR; k++)
            if (!utterance->pcm[k] && !utterance->pcm[k - 1] && utterance->pcm[k + 1])
                assert_true(abs(utterance->pcm[k + 1]) < 60);
        assert_true(inside < 32768 / 2); /* speech itself never jumps by half of full scale */
    }
    listener_free(&listener);
    cp_speech_destroy(speech);
}

/* RMS of a stretch in dBFS, -INFINITY for silence. */
static double level_db(const struct cp_utterance *utterance, int32_t from, int32_t to)
{
    double sum = 0;
    for (int32_t i = from; i < to; i++)
        sum += (double)utterance->pcm[i] * utterance->pcm[i];
    return to > from && sum > 0 ? 10 * log10(sum / (to - from)) - 20 * log10(32768) : -INFINITY;
}

static int32_t spoken_end(const struct cp_utterance *utterance)
{
    for (size_t i = 0; i < utterance->n_marks; i++)
        if (utterance->marks[i].type == CP_MARK_SENTENCE)
            return utterance->marks[i].at_samples + utterance->marks[i].length_samples;
    return 0;
}

/* Between sentences, well below the voice, away from both; none behind the last one, in breaks, or when it is
 * off. */
static void breath_is_heard_between_sentences(void **state)
{
    static const char SSML[] = "<speak>One sentence ends here. Another one follows it.<break time='500ms'/> "
                               "Here <amazon:breath duration='long' volume='loud'/> is a third.</speak>";
    enum { ROOM = CP_SAMPLE_HZ * 25 / 1000 };
    struct cp_speech_config config = quick_config();
    for (int on = 1; on >= 0; on--) {
        config.breath = on ? 1 : 0;
        struct cp_speech *speech = start(&config);
        struct listener listener, again;
        say(speech, (struct cp_speech_request){.ssml = SSML}, &listener);
        say(speech, (struct cp_speech_request){.ssml = SSML}, &again);
        assert_int_equal(listener.result, 0);
        assert_int_equal(listener.n_heard, 3);
        const struct cp_utterance *first = listener.heard[0], *second = listener.heard[1],
                                  *third = listener.heard[2];
        int32_t n = first->n_samples, from = spoken_end(first);
        assert_true(level_db(first, n - ROOM, n) < -80); /* the next word begins in silence */
        for (size_t i = first->n_prosody - 10; i < first->n_prosody; i++)
            assert_true(first->prosody[i].level < 0.001f); /* it moves neither mouth nor hands */
        double breath_db = level_db(first, n - CP_SAMPLE_HZ * 160 / 1000, n - ROOM);
        double voice_db = level_db(first, 0, from);
        if (on)
            assert_true(breath_db - voice_db < -15 && breath_db - voice_db > -29);
        else
            assert_true(breath_db < -80);
        assert_true(level_db(second, second->n_samples - CP_SAMPLE_HZ * 4 / 10, second->n_samples) < -80);
        assert_true(level_db(third, third->n_samples - CP_SAMPLE_HZ * 60 / 1000, third->n_samples) < -60);
        int32_t loudest = -1; /* the breath that was asked for: between "Here" and "is" */
        for (size_t i = 0; i < third->n_marks; i++)
            if (third->marks[i].type == CP_MARK_WORD && loudest < 0)
                loudest = third->marks[i].at_samples + third->marks[i].length_samples;
        double asked_db = level_db(third, loudest + CP_SAMPLE_HZ / 10, loudest + CP_SAMPLE_HZ * 4 / 10);
        if (on)
            assert_true(asked_db > breath_db && asked_db < voice_db);
        else
            assert_true(asked_db < -50);
        assert_memory_equal(first->pcm, again.heard[0]->pcm, (size_t)n * sizeof *first->pcm);
        listener_free(&listener);
        listener_free(&again);
        cp_speech_destroy(speech);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voices_are_equally_loud_in_every_style),
        cmocka_unit_test(joints_make_no_click),
        cmocka_unit_test(breath_is_heard_between_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
