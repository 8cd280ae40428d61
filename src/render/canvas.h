/* A small picture with alpha that cards are painted on: slow and simple, for threads that prepare things. */
#ifndef CP_RENDER_CANVAS_H
#define CP_RENDER_CANVAS_H

#include "render/text.h"

struct canvas {
    int width, height;
    uint8_t *rgba; /* premultiplied, 4 bytes a pixel */
};
struct canvas_box { /* a rectangle with round corners, pixels */
    float x, y, width, height, radius;
};

/* All transparent. False when out of memory. */
bool cp_canvas_create(int width, int height, struct canvas *ret_canvas);
void cp_canvas_clear(struct canvas *canvas);

/* Colours are 0xrrggbb in sRGB. */
void cp_canvas_fill(struct canvas *canvas, const struct canvas_box *box, uint32_t color, float alpha);
/* What the box casts: black, `alpha` strong at its edge, gone `soft` pixels outside. */
void cp_canvas_shadow(struct canvas *canvas, const struct canvas_box *box, float soft, float alpha);
/* 10-bit rgb of the box's size rounded down, `stride` pixels a row. */
void cp_canvas_picture(struct canvas *canvas, const struct canvas_box *box, const uint32_t *rgb, int stride);
void cp_canvas_text(struct canvas *canvas, struct fonts *fonts, const struct text_block *block, int x, int y,
                    int width_px, uint32_t color);

#endif
