/* Pronunciations in IPA as espeak-ng takes them: phoneme mnemonics in double brackets. */
#ifndef CP_SPEECH_WORKER_PRONOUNCE_H
#define CP_SPEECH_WORKER_PRONOUNCE_H

#include "speech/worker/respell.h"

#include <jansson.h>

/* Text of a request with its "phonemes" put in; every other character stands for itself. False when there is
 * nothing to put in or no memory: the text is then spoken as it stands. `voice` is the one that is set now:
 * espeak-ng is asked once a voice which phones it has. */
bool respell_pronounced(const char *text, const json_t *stretches, const char *voice,
                        struct respelling *respelling);

#endif
