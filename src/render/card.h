/* Inside of cards: how they are laid out (card_layout.c), made and laid over the picture (card.c). */
#ifndef CP_RENDER_CARD_H
#define CP_RENDER_CARD_H

#include "render/canvas.h"
#include "render/render_int.h"

struct cp_card_maker {
    struct fonts *fonts;
    int64_t made; /* cards: numbers their screen pictures, so that none is taken for another */
};

/* A card while it is made. */
struct draft {
    struct fonts *fonts;
    const struct cp_card_spec *spec;
    const void *bytes; /* of the product's picture, or NULL */
    size_t n_bytes;
    int width, height; /* of what it is shown on */
    float unit;        /* a 720th of the shorter side, pixels */
    struct text_block title, text, price;
    struct canvas canvas;
    int x, y;       /* where the canvas lies */
    float slide_px; /* where it comes from: to the right, or negative */
    float focus[2]; /* what to look at */
};

/* Paints an overlay for a picture of width x height. False when there is nothing to show or no memory. */
bool cp_card_paint_overlay(struct draft *draft);
/* Paints all of a screen of width x height. */
bool cp_card_paint_screen(struct draft *draft);

/* card_blend.c: a canvas, ready to be laid over I420 pictures */
struct overlay {
    int x, y, width, height;                    /* even */
    uint8_t *luma, *alpha;                      /* width x height */
    uint8_t *chroma[2], *chroma_alpha;          /* half of it each way */
    uint16_t (*opaque)[2], (*chroma_opaque)[2]; /* by row: the longest run of full alpha, half open */
};
bool cp_overlay_create(const struct canvas *canvas, int x, int y, struct overlay *ret_overlay);
void cp_overlay_clear(struct overlay *overlay);
/* shift: to the right, even; strength 0..256 */
void cp_overlay_blend(const struct overlay *overlay, int shift, int strength, struct cp_picture *picture);
/* The same over a frame with alpha (cutout.c). */
void cp_overlay_cut_out(const struct overlay *overlay, int shift, int strength, struct cp_cutout *cutout);

struct cp_card {
    struct cp_ref ref;
    struct cp_card_spec spec;
    int width, height; /* of the picture it was made for */
    bool has_overlay;
    struct overlay overlay;
    float slide_px;
    float focus[2];
    struct cp_footage *screen; /* NULL unless it is for a set's screen */
};

#endif
