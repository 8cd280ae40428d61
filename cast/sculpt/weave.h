/* Detail that is finer than triangles, as pictures that repeat: weave, knit, stitches. */
#ifndef CAST_WEAVE_H
#define CAST_WEAVE_H

#include "bytes.h"
#include "mesh.h"

/* Side of the square that repeats, cm; 1 for WEAVE_NONE. */
float weave_tile_cm(enum weave weave);
/* Writes the weave as an 8-bit grey PNG. */
void weave_png(enum weave weave, struct bytes *out);
/* Its mean, linear: colours are divided by it. */
float weave_mean(enum weave weave);

/* Writes 8-bit pixels, 1 (grey) or 3 (sRGB) bytes each, as PNG. */
void write_png(struct bytes *out, const uint8_t *pixels, int width, int height, int channels);

#endif
