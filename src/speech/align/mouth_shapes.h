/* Mouth shapes from sound alone, for when neither engine nor text says what is spoken. */
#ifndef CP_SPEECH_MOUTH_SHAPES_H
#define CP_SPEECH_MOUTH_SHAPES_H

#include "speech/speech_provider.h"

/*
 * Adds phone events that are named by visemes (CP_PHONES_SHAPES), of all the sound; words stay. Vowels by the
 * centres of their first and second formant's range (Peterson and Barney 1952 give where those lie), hisses
 * by how high they are, closed lips where a voice falls silent for a moment, humming by low sound only.
 * Plausible, not exact: what a listener sees is that the mouth opens with the voice and closes with it. 0,
 * CP_ERR_NOMEM or CP_ERR_LIMIT. Any thread.
 */
int cp_mouth_shapes_add(struct cp_sound *sound);

#endif
