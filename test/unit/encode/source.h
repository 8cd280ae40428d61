/* Pictures and sound to feed the coders with: a moving scene with texture, and a sweep whose every moment is
 * unlike the others, so that a delay shows. */
#ifndef TEST_SOURCE_H
#define TEST_SOURCE_H

#include "media/picture.h"

#include <stdint.h>

/* Paints frame `frame`: a lit wall with fine grain, and a disc that moves over it. */
void paint(struct cp_picture *picture, int64_t frame);

/* A sweep from 200 Hz to 6 kHz each second with a slow swell. */
int16_t sweep(int64_t at_samples);

#endif
