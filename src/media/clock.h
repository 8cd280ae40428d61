/*
 * The sample clock. A channel counts time in samples at 48 kHz from its start; frame n of the picture shows
 * the moment of sample n * CP_SAMPLES_PER_FRAME. Sound and picture are cut from this one count, so they
 * cannot drift.
 */
#ifndef CP_MEDIA_CLOCK_H
#define CP_MEDIA_CLOCK_H

#include <stdint.h>

#define CP_SAMPLE_HZ         48000
#define CP_FRAME_HZ          30
#define CP_SAMPLES_PER_FRAME (CP_SAMPLE_HZ / CP_FRAME_HZ) /* 1600 */

/* The steps that every frame and every cue passes; one time stamp each. */
enum cp_step {
    CP_STEP_UNSET,
    CP_STEP_ASKED,    /* the request came in at the gateway */
    CP_STEP_ANSWERED, /* the text to say is known (for a typed line: equal to asked) */
    CP_STEP_SPOKEN,   /* the first sentence's sound is ready */
    CP_STEP_POSED,    /* the first frame of it was posed */
    CP_STEP_DRAWN,
    CP_STEP_ENCODED,
    CP_STEP_SENT, /* its last packet was handed to the kernel (or to the segmenter, when no viewer is there)
                   */
    CP_STEP_COUNT,
};

/* Monotonic nanoseconds by enum cp_step; 0 where the step was not passed. */
struct cp_stamps {
    int64_t at_ns[CP_STEP_COUNT];
};

/* "asked", "spoken", ...; NULL outside the list. */
const char *cp_step_name(enum cp_step step);

#endif
