/*
 * Lines of text in any script: fontconfig says which font has a character, ICU orders lines that run both
 * ways and says where they may break, HarfBuzz shapes, FreeType draws.
 *
 * Slow and allocating: for threads that prepare things, never for the draw thread. One thread at a time for
 * each struct fonts.
 */
#ifndef CP_RENDER_TEXT_H
#define CP_RENDER_TEXT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { TEXT_MAX_UNITS = 512, TEXT_MAX_LINES = 6, TEXT_MAX_GLYPHS = 768 };
enum text_weight { TEXT_REGULAR, TEXT_BOLD, TEXT_WEIGHTS };

struct fonts;
/* Opens the fonts that most texts need; others are looked for when a text needs them. */
int cp_fonts_create(struct fonts **ret_fonts, struct cp_error *error);
void cp_fonts_destroy(struct fonts *fonts);
/* Characters that no font here has, ever; drawn as an empty box, or left out when they are emoji. */
int cp_fonts_missing(const struct fonts *fonts);

struct text_style {
    enum text_weight weight;
    int size_px;
    int width_px;  /* lines break here */
    int max_lines; /* what is beyond ends in "..."; at most TEXT_MAX_LINES */
};

struct text_glyph {
    uint32_t id;
    uint16_t face; /* of the fonts' */
    float x, y;    /* of its origin: from the line's left end and baseline, y up */
};

struct text_line {
    int first, n; /* glyphs */
    float width_px;
    bool right_to_left; /* its paragraph: stands at the right edge of what is left-aligned */
};

struct text_block {
    struct text_style style;
    struct text_glyph glyph[TEXT_MAX_GLYPHS];
    int n_glyphs;
    struct text_line line[TEXT_MAX_LINES];
    int n_lines;
    float width_px;              /* of the widest line */
    int ascent_px, line_step_px; /* from the top to the first baseline; between baselines */
    int height_px;
    bool cut; /* it did not fit and ends in "..." */
};

/* Breaks, orders and shapes a text. Bytes that are not UTF-8 become U+FFFD; newlines begin paragraphs. */
void cp_text_lay_out(struct fonts *fonts, const char *utf8, const struct text_style *style,
                     struct text_block *ret_block);

/* Calls `put` with each glyph's coverage (0..255, `stride` bytes a row) and its place; the block's top left
 * corner is at x, y and its right-to-left lines end at x + width_px. */
void cp_text_draw(struct fonts *fonts, const struct text_block *block, int x, int y, int width_px,
                  void (*put)(void *user, int x, int y, int width, int height, const uint8_t *coverage,
                              int stride),
                  void *user);

#endif
