/* Music under the voice: decoding, loops, ducking, on the mixed sound. */
#include "base/error.h"
#include "media/clock.h"
#include "speech/decode.h"
#include "speech/dsp/dsp.h"
#include "speech/music.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TICK = CP_SAMPLES_PER_FRAME, TICKS_A_S = CP_FRAME_HZ };

/* A tone of 440 Hz as WAV; `cycles` of it are not whole, so that an open loop would click. */
static uint8_t *make_wav(double seconds, int hz, int channels, double amplitude, size_t *ret_length)
{
    size_t n = (size_t)(seconds * hz), bytes = n * (size_t)channels * 2;
    uint8_t *wav = calloc(1, 44 + bytes);
    const uint32_t head[] = {(uint32_t)(36 + bytes),
                             16,
                             (uint32_t)(1 | channels << 16),
                             (uint32_t)hz,
                             (uint32_t)(hz * channels * 2),
                             (uint32_t)(channels * 2 | 16 << 16),
                             (uint32_t)bytes};
    memcpy(wav, "RIFF____WAVEfmt ", 16);
    memcpy(wav + 4, &head[0], 4);
    memcpy(wav + 16, &head[1], 20);
    memcpy(wav + 36, "data", 4);
    memcpy(wav + 40, &head[6], 4);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++) {
            int16_t value = (int16_t)(amplitude * 32767 * sin(2 * M_PI * 440 * (double)i / hz));
            memcpy(wav + 44 + (i * (size_t)channels + (size_t)c) * 2, &value, 2);
        }
    *ret_length = 44 + bytes;
    return wav;
}

static struct cp_music *open_tone(double seconds)
{
    size_t length;
    uint8_t *wav = make_wav(seconds, 44100, 2, 0.25, &length);
    struct cp_music *music = NULL;
    struct cp_error error;
    if (cp_music_open(wav, length, -16, &music, &error))
        fail_msg("%s", error.text);
    free(wav);
    return music;
}

static double level_db(const int16_t *pcm, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i] / n;
    return 10 * log10(sum / 32768 / 32768 + 1e-12);
}

static void wav_is_decoded_to_48_khz_mono(void **state)
{
    size_t length;
    uint8_t *wav = make_wav(2, 44100, 2, 0.5, &length);
    struct cp_decoded sound;
    assert_int_equal(cp_sound_decode(wav, length, 10, &sound, NULL), 0);
    assert_in_range(sound.n, 2 * CP_SAMPLE_HZ - 64, 2 * CP_SAMPLE_HZ + 64);
    assert_true(fabsf(cp_true_peak(sound.samples, sound.n) - 0.5f) < 0.02f);
    free(sound.samples);
    free(wav);
}

static void other_files_are_decoded(void **state)
{
    static const char *const FORMATS[] = {"-c:a libmp3lame -f mp3", "-c:a libvorbis -f ogg",
                                          "-c:a libopus -f ogg", "-c:a aac -f ipod", "-c:a pcm_f32le -f wav"};
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        char path[] = "/tmp/compere-music-XXXXXX", command[300];
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        snprintf(command, sizeof command,
                 "ffmpeg -hide_banner -loglevel error -y -f lavfi -i sine=440:d=3 %s %s 2>/dev/null",
                 FORMATS[i], path);
        if (system(command)) {
            remove(path);
            skip(); /* no ffmpeg here, or without this encoder */
        }
        FILE *file = fdopen(fd, "rb");
        static uint8_t bytes[2 << 20];
        size_t length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        remove(path);
        struct cp_decoded sound;
        struct cp_error error = {0};
        if (cp_sound_decode(bytes, length, 10, &sound, &error))
            fail_msg("%s: %s", FORMATS[i], error.text);
        assert_true(fabs((double)sound.n / CP_SAMPLE_HZ - 3) < 0.05); /* the coder's padding is cut off */
        free(sound.samples);
        assert_int_equal(cp_sound_decode(bytes, length, 2, &sound, &error), CP_ERR_LIMIT);
        /* cut short, it is either shorter or refused */
        if (!cp_sound_decode(bytes, length / 2, 10, &sound, &error))
            free(sound.samples);
    }
}

static void what_is_no_sound_is_refused(void **state)
{
    struct cp_decoded sound;
    struct cp_music *music;
    struct cp_error error;
    size_t length;
    assert_int_equal(cp_sound_decode("", 0, 10, &sound, &error), CP_ERR_FORMAT);
    assert_int_equal(cp_sound_decode("RIFF....WAVEfmt nonsense and more of it", 39, 10, &sound, &error),
                     CP_ERR_FORMAT);
    assert_int_equal(cp_sound_decode("#EXTM3U\nhttp://127.0.0.1:1/x\n", 29, 10, &sound, &error),
                     CP_ERR_FORMAT);
    uint8_t *silence = make_wav(1, 48000, 1, 0, &length);
    assert_int_equal(cp_music_open(silence, length, -16, &music, &error), CP_ERR_INVALID);
    free(silence);
}

static void loop_is_evened_and_has_no_seam(void **state)
{
    struct cp_music *music = open_tone(2.33);
    float *twice = malloc(2 * music->n * sizeof *twice);
    for (size_t i = 0; i < 2 * music->n; i++)
        twice[i] = (float)music->pcm[i % music->n] / 32768;
    assert_true(fabs(cp_loudness_lufs(twice, 2 * music->n) + 16) < 0.5);
    int inside = 0, seam = 0;
    for (size_t i = 1; i < music->n - 1; i++)
        inside =
            abs(music->pcm[i] - music->pcm[i - 1]) > inside ? abs(music->pcm[i] - music->pcm[i - 1]) : inside;
    seam = abs(music->pcm[0] - music->pcm[music->n - 1]);
    assert_true(seam <= inside + 2);
    /* and is as loud where its ends flow together */
    for (size_t at = music->n - 1440; at < music->n + 1440; at += 480) {
        double sum = 0;
        for (size_t i = at; i < at + 480; i++)
            sum += (double)twice[i] * (double)twice[i] / 480;
        assert_true(fabs(10 * log10(sum) + 15.3) < 1);
    }
    free(twice);
    cp_ref_drop(music);
}

/* Plays `ticks` ticks of silence under the voice's part; the levels of each 10 ms are appended. */
static int play(struct cp_music_mixer *mixer, const struct cp_music *music, int ticks, int32_t speech_in,
                double *levels, int n)
{
    const struct cp_music_levels LEVELS = {.volume_db = -18, .duck_db = -12};
    for (int t = 0; t < ticks; t++) {
        int16_t pcm[TICK] = {0};
        cp_music_mix(mixer, music, LEVELS, speech_in > 0 ? speech_in - t * TICK : speech_in, pcm, TICK);
        for (int i = 0; i + 480 <= TICK; i += 480)
            levels[n++] = level_db(pcm + i, 480);
    }
    return n;
}

static void music_ducks_before_the_word_and_comes_back(void **state)
{
    static double level[4000];
    struct cp_music *music = open_tone(3);
    struct cp_music_mixer mixer = {0};
    int n = play(&mixer, music, 2 * TICKS_A_S, -1, level, 0);
    double full = level[n - 1];
    assert_true(level[0] < full - 20); /* it fades in */
    int known = n;
    n = play(&mixer, music, 9, 9 * TICK, level, n); /* 300 ms before a word */
    int word = n;
    n = play(&mixer, music, TICKS_A_S, 0, level, n); /* a second of speech */
    int over = n;
    n = play(&mixer, music, 3 * TICKS_A_S, -1, level, n);
    /* -18 under the voice's -16: a tone's RMS is 3 dB under its loudness scale at most; depth is what counts
     */
    print_message("full %.1f dB, at the word %.1f dB below, in speech %.1f\n", full, full - level[word],
                  full - level[over - 1]);
    assert_true(fabs(full - level[known] - 0) < 0.3);      /* 300 ms ahead: not yet */
    assert_true(full - level[word] > 11.5);                /* all the way down when the word comes */
    assert_true(fabs(full - level[over - 1] - 12) < 0.3);  /* as deep as asked */
    assert_true(fabs(full - level[over + 30] - 12) < 0.5); /* held */
    assert_true(fabs(full - level[n - 1]) < 0.3);          /* and back */
    for (int i = word; i < n - 1; i++)
        assert_true(fabs(level[i + 1] - level[i]) < 1.2); /* smoothly */
    cp_ref_drop(music);
}

static void silence_stays_clean_and_voice_untouched(void **state)
{
    const struct cp_music_levels levels = {.volume_db = -18, .duck_db = -12};
    struct cp_music_mixer mixer = {0};
    int16_t pcm[TICK] = {0}, voice[TICK];
    for (int t = 0; t < 10; t++) {
        assert_true(cp_music_mix(&mixer, NULL, levels, t % 2 - 1, pcm, TICK));
        for (int i = 0; i < TICK; i++)
            assert_int_equal(pcm[i], 0);
    }
    /* taken off: faded to nothing, then exactly nothing, and only then let go */
    struct cp_music *music = open_tone(1.5);
    double levels_db[1000];
    play(&mixer, music, TICKS_A_S, -1, levels_db, 0);
    bool free_now = false;
    int ticks = 0, last = 0;
    for (; !free_now && ticks < TICKS_A_S; ticks++) {
        memset(pcm, 0, sizeof pcm);
        free_now = cp_music_mix(&mixer, NULL, levels, -1, pcm, TICK);
        for (int i = 1; i < TICK; i++)
            assert_true(abs(pcm[i] - pcm[i - 1]) < 200);
        assert_true(abs(pcm[0] - last) < 200);
        last = pcm[TICK - 1];
    }
    assert_true(ticks > 15 && ticks < 25);
    for (int i = 0; i < TICK; i++)
        voice[i] = pcm[i] = (int16_t)(20000 * sin(i * 0.1));
    cp_music_mix(&mixer, NULL, levels, 0, pcm, TICK);
    assert_memory_equal(pcm, voice, sizeof pcm);
    cp_ref_drop(music);
}

static void sum_stays_under_the_ceiling(void **state)
{
    const struct cp_music_levels loud = {.volume_db = 0, .duck_db = 0};
    struct cp_music *music = open_tone(2);
    struct cp_music_mixer mixer = {0};
    for (int t = 0; t < 3 * TICKS_A_S; t++) {
        int16_t pcm[TICK];
        for (int i = 0; i < TICK; i++)
            pcm[i] = (int16_t)(0.87 * 32767 * sin((t * TICK + i) * 0.05));
        cp_music_mix(&mixer, music, loud, 0, pcm, TICK);
        for (int i = 0; i < TICK; i++)
            assert_true(abs(pcm[i]) <= (int)(0.871 * 32768));
    }
    cp_ref_drop(music);
}

static void change_of_music_fades_over(void **state)
{
    const struct cp_music_levels levels = {.volume_db = -6, .duck_db = -12};
    struct cp_music *one = open_tone(2), *other = open_tone(1);
    struct cp_music_mixer mixer = {0};
    int16_t pcm[TICK], last = 0;
    for (int t = 0; t < 4 * TICKS_A_S; t++) {
        memset(pcm, 0, sizeof pcm);
        cp_music_mix(&mixer, t < 2 * TICKS_A_S ? one : other, levels, -1, pcm, TICK);
        assert_true(abs(pcm[0] - last) < 700);
        last = pcm[TICK - 1];
    }
    assert_ptr_equal(mixer.music, other);
    cp_ref_drop(one);
    cp_ref_drop(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wav_is_decoded_to_48_khz_mono),
        cmocka_unit_test(other_files_are_decoded),
        cmocka_unit_test(what_is_no_sound_is_refused),
        cmocka_unit_test(loop_is_evened_and_has_no_seam),
        cmocka_unit_test(music_ducks_before_the_word_and_comes_back),
        cmocka_unit_test(silence_stays_clean_and_voice_untouched),
        cmocka_unit_test(sum_stays_under_the_ceiling),
        cmocka_unit_test(change_of_music_fades_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
