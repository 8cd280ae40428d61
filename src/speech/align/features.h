/*
 * What two sounds are compared by: 13 mel-frequency cepstral coefficients and their changes every 10 ms
 * (Davis and Mermelstein 1980; mel scale after O'Shaughnessy 1987), each with mean 0 and deviation 1 over the
 * sound, so that speakers and microphones differ less. Any thread; no state.
 */
#ifndef CP_SPEECH_ALIGN_FEATURES_H
#define CP_SPEECH_ALIGN_FEATURES_H

#include <stddef.h>
#include <stdint.h>

enum { CP_FEATURE_HOP_MS = 10, CP_FEATURE_CEPSTRA = 13, CP_FEATURE_DIMS = 2 * CP_FEATURE_CEPSTRA };

struct cp_features {
    int n;         /* frames kept */
    float *value;  /* by dimension: value[k * n + i], so that one frame is compared with many at once */
    int32_t *step; /* which 10 ms of the sound a frame is; pauses are shortened, so steps are left out */
};

/* Of 16-bit mono sound at 8000..48000 Hz, by what lies below top_hz. Of every pause only its first and last
 * 40 ms stay: people pause where they like, and that must not pull words along. A silent sound keeps no
 * frame. 0 or CP_ERR_NOMEM. */
int cp_features_measure(const int16_t *pcm, size_t n_samples, int hz, float top_hz,
                        struct cp_features *ret_features);
void cp_features_free(struct cp_features *features);

enum { CP_SPECTRUM_SIZE = 512 };
/* Cosines and sines for the transform. */
struct cp_turns {
    float cosine[CP_SPECTRUM_SIZE / 2], sine[CP_SPECTRUM_SIZE / 2];
};
void cp_turns_make(struct cp_turns *turns);
/* Power spectra of two real stretches of CP_SPECTRUM_SIZE by one transform. re, im: the stretches, windowed;
 * they are overwritten. power_*: CP_SPECTRUM_SIZE / 2 + 1 values. */
void cp_spectra_of_two(const struct cp_turns *turns, float *re, float *im, float *power_re, float *power_im);
/* Rates above 24 kHz are halved by the mean of two samples; *ret_hz and *ret_n are of what comes out. The
 * caller frees it; NULL when out of memory. */
float *cp_features_narrow(const int16_t *pcm, size_t n_samples, int hz, int *ret_hz, size_t *ret_n);

#endif
