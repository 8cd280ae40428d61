/*
 * Sound as numbers: rate conversion, loudness, limiting, pitch and level. All work on whole sentences of
 * 48 kHz mono float samples (1.0 is full scale). No state but the resampler's tables; any thread.
 */
#ifndef CP_SPEECH_DSP_H
#define CP_SPEECH_DSP_H

#include "media/utterance.h"

#include <stddef.h>
#include <stdint.h>

/* --- rate conversion to 48 kHz: polyphase, Kaiser-windowed sinc --- */

struct cp_resampler;

/* from_hz 8000..48000. NULL when out of range or out of memory. */
struct cp_resampler *cp_resampler_create(int from_hz);
void cp_resampler_destroy(struct cp_resampler *resampler);
int cp_resampler_from_hz(const struct cp_resampler *resampler);
/* How many samples at 48 kHz n make. */
size_t cp_resampled_length(const struct cp_resampler *resampler, size_t n);
/* Converts n samples; out holds cp_resampled_length(n). Time zero stays time zero (no delay).
 * CP_ERR_NOMEM. */
int cp_resample(const struct cp_resampler *resampler, const int16_t *in, size_t n, float *out);

/* --- loudness --- */

/* Integrated loudness after ITU-R BS.1770-4 (K-weighted, 400 ms blocks, gates at -70 LUFS and -10 LU).
 * Sound shorter than a block is measured ungated. -INFINITY for silence. */
double cp_loudness_lufs(const float *samples, size_t n);
/* Multiplies by `gain`; where the true peak would pass `ceiling` (full scale 1) the gain dips smoothly.
 * CP_ERR_NOMEM. */
int cp_apply_gain(float *samples, size_t n, const float *gains, float ceiling);
/* Rounded and clipped. */
void cp_to_16_bit(const float *samples, size_t n, int16_t *ret_samples);
/* The largest absolute value between the samples too (4 times oversampled, BS.1770-4 annex 2). */
float cp_true_peak(const float *samples, size_t n);

/* Fills n samples with the sound of breathing in, `rms` loud on the whole; the same seed, the same breath. */
void cp_breathe_in(float *samples, size_t n, float rms, uint32_t seed);

/* --- melody --- */

/* Level and F0 each 10 ms; prosody holds n / CP_PROSODY_STEP_SAMPLES values, rounded up. CP_ERR_NOMEM. */
int cp_measure_prosody(const float *samples, size_t n, struct cp_prosody *prosody);

/* Gives speech another mean pitch and another swing around it, by factors, each bounded so that a step is
 * bent by at most 1.6. The length stays. CP_ERR_NOMEM. */
int cp_bend_melody(float *samples, size_t n, float pitch, float range);
/* Makes the word [word_start, word_end) end `rise_st` semitones above the middle pitch of the whole sound, as
 * far as it does not by itself, and at most by 9. The length stays. CP_ERR_NOMEM. */
int cp_raise_end(float *samples, size_t n, int32_t word_start, int32_t word_end, float rise_st);

/* Sum of a[i] * b[i]. */
float cp_dot(const float *a, const float *b, size_t n);

#endif
