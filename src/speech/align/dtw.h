/*
 * Dynamic time warping (Sakoe and Chiba 1978): which frames of a reference a sound's frames are. Symmetric
 * steps (a diagonal one counts twice), within a band around the straight line, so that two minutes stay
 * within 16 MB. Any thread; no state.
 */
#ifndef CP_SPEECH_ALIGN_DTW_H
#define CP_SPEECH_ALIGN_DTW_H

#include "speech/align/features.h"

#include <stdatomic.h>

/* ret_place[j], j < reference->n: where in the sound's frames the reference's frame j is, rising, fractions
 * possible. *ret_cost: mean distance along the path, for choosing between references. Both have frames.
 * 0, CP_ERR_NOMEM, CP_ERR_LIMIT (the band would be too large) or CP_ERR_CANCELLED when *stop (may be NULL)
 * turns true. */
int cp_dtw(const struct cp_features *sound, const struct cp_features *reference, const atomic_bool *stop,
           float *ret_place, float *ret_cost);

#endif
