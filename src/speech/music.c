#include "speech/music.h"

#include "media/clock.h"
#include "speech/decode.h"
#include "speech/dsp/dsp.h"

#include <math.h>
#include <stdlib.h>

#define STAGE   "speech"
#define CEILING 0.87f /* -1.2 dBFS, as the voices' */

enum {
    MS = CP_SAMPLE_HZ / 1000,
    BLEND = 30 * MS,   /* of the loop's end into its beginning */
    ATTACK = 240 * MS, /* down before a word that is known to come */
    HASTE = 40 * MS,   /* down when somebody speaks at once */
    HOLD = 500 * MS,   /* stays down: the next sentence may follow */
    SOON = 1500 * MS,  /* a word within this is not worth coming forward for */
    RELEASE = 1200 * MS,
    FADE = 600 * MS, /* in, out, and from one piece to another */
    GLIDE = 300 * MS /* a change of 20 dB by the operator */
};

static void free_music(void *object)
{
    struct cp_music *music = object;
    free(music->pcm);
    free(music);
}

/* The last BLEND samples flow into the first: the loop is that much shorter and has no seam. */
static size_t close_loop(float *samples, size_t n)
{
    if (n < 4 * BLEND)
        return n;
    size_t round = n - BLEND;
    /* Two ends that have nothing in common add as powers, the same wave twice adds as it is: by how alike
     * they are, the level stays level. */
    float energy = cp_dot(samples, samples, BLEND) * cp_dot(samples + round, samples + round, BLEND);
    float alike = energy > 0 ? cp_dot(samples, samples + round, BLEND) / sqrtf(energy) : 0;
    alike = fmaxf(alike, -0.3f);
    for (size_t i = 0; i < BLEND; i++) {
        float share = ((float)i + 0.5f) / BLEND;
        float in = sinf(share * (float)M_PI_2), out = cosf(share * (float)M_PI_2);
        samples[i] = (samples[i] * in + samples[round + i] * out) / sqrtf(1 + 2 * in * out * alike);
    }
    return round;
}

/* Evens in place. CP_ERR_NOMEM, or CP_ERR_INVALID for silence. */
static int even(float *samples, size_t n, double loudness_lufs, struct cp_error *error)
{
    double lufs = cp_loudness_lufs(samples, n);
    if (!isfinite(lufs) || lufs < -69)
        return cp_fail(error, CP_ERR_INVALID, STAGE, "The music is silent.");
    float peak = cp_true_peak(samples, n), gain = (float)pow(10, (loudness_lufs - lufs) / 20);
    if (peak * gain > CEILING)
        gain = CEILING / peak; /* music is not squeezed: it stays a little softer */
    for (size_t i = 0; i < n; i++)
        samples[i] *= gain;
    return 0;
}

int cp_music_open(const void *bytes, size_t length, double loudness_lufs, struct cp_music **ret_music,
                  struct cp_error *error)
{
    struct cp_decoded sound = {0};
    struct cp_music *music = NULL;
    int result = cp_sound_decode(bytes, length, CP_MUSIC_MAX_S, &sound, error);
    if (!result)
        result = even(sound.samples, sound.n, loudness_lufs, error);
    if (result)
        goto out;
    music = calloc(1, sizeof *music);
    if (music)
        music->pcm = malloc(sound.n * sizeof *music->pcm);
    if (!music || !music->pcm) {
        free(music);
        result = cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory for music.");
        goto out;
    }
    cp_ref_init(&music->ref, free_music);
    music->n = close_loop(sound.samples, sound.n);
    for (size_t i = 0; i < music->n; i++)
        music->pcm[i] = (int16_t)lrintf(fmaxf(-1, fminf(1, sound.samples[i])) * 32767);
    *ret_music = music;
out:
    free(sound.samples);
    return result;
}

/* --- mixing --- */

static float toward(float value, float goal, float step)
{
    return value < goal ? fminf(goal, value + step) : fmaxf(goal, value - step);
}

static float gain_of(float db)
{
    return powf(10, db / 20);
}

/* Smooth at both ends, as a hand on a fader. */
static float smooth(float share)
{
    return share * share * (3 - 2 * share);
}

/* One millisecond on. */
static void advance(struct cp_music_mixer *mixer, const struct cp_music *wanted,
                    struct cp_music_levels levels, int32_t speech_in)
{
    bool speaks = speech_in == 0, comes = speech_in > 0 && speech_in <= ATTACK;
    mixer->hold = speaks ? HOLD : mixer->hold > MS ? mixer->hold - MS : 0;
    bool stay = mixer->hold > 0 || (speech_in > 0 && speech_in <= SOON);
    if (speaks || comes)
        mixer->ducked = toward(mixer->ducked, 1, (float)MS / (speaks ? HASTE : ATTACK));
    else if (!stay)
        mixer->ducked = toward(mixer->ducked, 0, (float)MS / RELEASE);
    bool plays = wanted && mixer->music == wanted;
    mixer->shown = toward(mixer->shown, plays, (float)MS / FADE);
    mixer->volume_db = toward(mixer->volume_db, levels.volume_db, 20.0f * MS / GLIDE);
    mixer->duck_db = toward(mixer->duck_db, levels.duck_db, 20.0f * MS / GLIDE);
}

/* The voice is never touched: what would pass the ceiling is taken from the music. */
static int16_t add(int16_t voice, float music)
{
    const float most = CEILING * 32767;
    float sum = (float)voice + music;
    if (sum > most)
        sum = fmaxf(most, voice);
    else if (sum < -most)
        sum = fminf(-most, voice);
    return (int16_t)lrintf(sum);
}

bool cp_music_mix(struct cp_music_mixer *mixer, const struct cp_music *wanted, struct cp_music_levels levels,
                  int32_t speech_in, int16_t *pcm, int n)
{
    if (mixer->music != wanted && mixer->shown <= 0) { /* nothing is heard: change over */
        mixer->music = wanted;
        mixer->at = 0;
        mixer->gain = 0;
        mixer->volume_db = levels.volume_db;
        mixer->duck_db = levels.duck_db;
    }
    for (int start = 0; start < n; start += MS) {
        int count = n - start < MS ? n - start : MS;
        advance(mixer, wanted, levels, speech_in > start ? speech_in - start : speech_in > 0 ? 0 : speech_in);
        if (!mixer->music)
            continue;
        float goal =
            smooth(mixer->shown) * gain_of(mixer->volume_db + mixer->duck_db * smooth(mixer->ducked));
        float step = (goal - mixer->gain) / (float)count;
        for (int i = 0; i < count; i++) {
            mixer->gain += step;
            pcm[start + i] = add(pcm[start + i], mixer->gain * mixer->music->pcm[mixer->at]);
            if (++mixer->at == mixer->music->n)
                mixer->at = 0;
        }
        mixer->gain = goal;
    }
    return mixer->music == wanted || !mixer->music;
}
