/*
 * Speech from the parameters of a statistical voice: pitch, mel-cepstrum and how voiced each band of
 * frequencies is, a frame every few milliseconds, as flite's voices predict them.
 *
 * The source is pulses and noise, mixed band by band (Yoshimura et al. 2001); the filter is the mel log
 * spectrum approximation of Imai 1983 with a Pade approximation of fifth order. flite has the same chain;
 * this one runs the filter's five stages side by side in the lanes of a vector, which a stage's output allows
 * because the next one reads it a sample later.
 */
#ifndef CP_SPEECH_VOCODER_H
#define CP_SPEECH_VOCODER_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CP_VOCODER_MAX_ORDER   39
#define CP_VOCODER_MAX_TAPS    64
#define CP_VOCODER_MAX_SAMPLES 512 /* a frame */

struct cp_vocoder_setup {
    int hz, frame_samples;
    int order;    /* the mel-cepstrum has order + 1 coefficients */
    double warp;  /* of its scale of frequencies: 0 is linear, 0.42 about mel at 16 kHz */
    double crisp; /* 0: as it is .. 0.4: formants stand out, at equal energy */
    double gain;
    int n_bands, n_taps;
    const double *const *bands; /* n_bands filters of n_taps, which add up to one impulse */
};

/* Whether cp_vocode() can do it. */
bool cp_vocoder_fits(const struct cp_vocoder_setup *setup);
/*
 * frames: n_frames of the pitch in Hz (0: none) and order + 1 coefficients; voiced: n_frames of n_bands,
 * 0..1. The coefficients go from frame to frame in straight lines: (n_frames - 1) * frame_samples samples are
 * written to pcm. The same input gives the same sound. CP_ERR_CANCELLED when *stop is true. thread: speech
 */
int cp_vocode(const struct cp_vocoder_setup *setup, const float *const *frames, const float *const *voiced,
              int n_frames, const atomic_bool *stop, int16_t *pcm);

#endif
