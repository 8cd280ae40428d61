/* Runs: the stretches of a piece that one voice says, where a text mixes scripts or its markup languages. */
#ifndef CP_SPEECH_RUNS_H
#define CP_SPEECH_RUNS_H

#include "speech/reading/lexicon.h"

#include <stdint.h>

#define CP_MAX_RUNS 64 /* of one piece; the last one takes the rest */

struct cp_run {
    int32_t start, end;
    char language[16]; /* "" is the voice's own */
};

/* Cuts text [start, end), spoken by a voice of `language`, where another script begins. Spaces and
 * punctuation belong to what stands before them. What a lexicon replaces counts by its alias. Gives the
 * number of runs, at least 1. Any thread. */
int cp_runs_split(const char *text, int32_t start, int32_t end, const char *language,
                  const struct cp_lexicon *lexicon, struct cp_run runs[CP_MAX_RUNS]);

#endif
