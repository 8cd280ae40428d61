/* A sentence cut to what a viewer reads at a glance. */
#ifndef CP_HLS_PHRASES_H
#define CP_HLS_PHRASES_H

#include "media/utterance.h"

#define CP_HLS_PHRASE_BYTES 384 /* 80 characters of up to four bytes, a line break, the end */

struct cp_hls_phrase {
    int64_t begin, end;             /* samples from the sentence's first: its first word to its last */
    char text[CP_HLS_PHRASE_BYTES]; /* UTF-8 with WebVTT's escapes, at most two lines */
};

/* Fills at most `max` phrases, in order; how many. What does not fit is left out. Pure. */
int cp_hls_split(const struct cp_utterance *utterance, struct cp_hls_phrase *phrases, int max);

#endif
