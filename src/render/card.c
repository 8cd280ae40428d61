/*
 * The lower third: a plate with one to three lines of text, shaped by HarfBuzz, rasterised by FreeType. It is
 * drawn into a bitmap when its text changes (the only moment that allocates) and blended into each frame from
 * there.
 */
#include "render/render_int.h"

#include "base/log.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <hb-ft.h>
#include <hb.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINES = 3, N_FACES = 3 };
enum { FACE_BOLD, FACE_REGULAR, FACE_FALLBACK }; /* the last one for scripts that Inter does not have */

struct card {
    int width, height; /* of the bitmap; even */
    int left, bottom;  /* of the plate's corner in the picture, pixels */
    int used_width, used_height;
    char text[sizeof((struct cp_view *)0)->card]; /* what the bitmap shows */
    uint8_t *luma, *alpha;                        /* width x height */
    uint8_t *chroma[2], *chroma_alpha;            /* half of it each way */
    FT_Library library;
    FT_Face face[N_FACES];
    hb_font_t *font[N_FACES];
    hb_buffer_t *buffer;
    int unit_px; /* a 720th of the picture's height, times 8 */
};

/* Colours, BT.709 limited range. */
#define PLATE_LUMA  30
#define PLATE_U     132
#define PLATE_V     126
#define PLATE_ALPHA 208
#define TEXT_LUMA   232
#define SMALL_LUMA  196
#define BAR_LUMA    160
#define BAR_U       78
#define BAR_V       158

static const char *const FONT_FILES[N_FACES][6] = {
    {"/usr/share/fonts/opentype/inter/Inter-SemiBold.otf", "/usr/share/fonts/opentype/inter/Inter-Bold.otf",
     "/usr/share/fonts/truetype/inter/Inter-SemiBold.ttf",
     "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"},
    {"/usr/share/fonts/opentype/inter/Inter-Regular.otf", "/usr/share/fonts/truetype/inter/Inter-Regular.ttf",
     "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"},
    {"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
     "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
     "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"},
};

static void open_fonts(struct card *card)
{
    if (FT_Init_FreeType(&card->library))
        return;
    for (int i = 0; i < N_FACES; i++)
        for (int k = 0; k < 6 && FONT_FILES[i][k] && !card->face[i]; k++) {
            if (access(FONT_FILES[i][k], R_OK) ||
                FT_New_Face(card->library, FONT_FILES[i][k], 0, &card->face[i])) {
                card->face[i] = NULL;
                continue;
            }
            card->font[i] = hb_ft_font_create_referenced(card->face[i]);
        }
}

int cp_card_create(int width, int height, struct card **ret_card, struct cp_error *error)
{
    struct card *card = calloc(1, sizeof *card);
    if (!card)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for the lower third.");
    int shorter = height < width ? height : width;
    card->unit_px = shorter * 8 / 720 > 1 ? shorter * 8 / 720 : 1;
    card->left = 7 * card->unit_px & ~1;
    card->bottom = 7 * card->unit_px & ~1;
    card->width = (width * 7 / 10) & ~1;
    card->height = (24 * card->unit_px < height / 2 ? 24 * card->unit_px : height / 2) & ~1;
    size_t pixels = (size_t)card->width * (size_t)card->height;
    card->luma = cp_render_alloc(pixels);
    card->alpha = cp_render_alloc(pixels);
    card->chroma[0] = cp_render_alloc(pixels / 4);
    card->chroma[1] = cp_render_alloc(pixels / 4);
    card->chroma_alpha = cp_render_alloc(pixels / 4);
    card->buffer = hb_buffer_create();
    if (!card->luma || !card->alpha || !card->chroma[0] || !card->chroma[1] || !card->chroma_alpha) {
        cp_card_destroy(card);
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for the lower third.");
    }
    open_fonts(card);
    if (!card->font[FACE_BOLD] || !card->font[FACE_REGULAR])
        cp_log(CP_LOG_WARN, "render", "no font for cards", "wanted=\"%s\" hint=\"install fonts-inter\"",
               FONT_FILES[FACE_BOLD][0]);
    *ret_card = card;
    return 0;
}

void cp_card_destroy(struct card *card)
{
    if (!card)
        return;
    for (int i = 0; i < N_FACES; i++) {
        hb_font_destroy(card->font[i]);
        if (card->face[i])
            FT_Done_Face(card->face[i]);
    }
    if (card->library)
        FT_Done_FreeType(card->library);
    hb_buffer_destroy(card->buffer);
    cp_render_free(card->luma);
    cp_render_free(card->alpha);
    cp_render_free(card->chroma[0]);
    cp_render_free(card->chroma[1]);
    cp_render_free(card->chroma_alpha);
    free(card);
}

/* --- making the bitmap --- */

/* Shapes a line at a size; returns its width in pixels. */
static float shape_line(struct card *card, int face, const char *text, int length, int size_px)
{
    FT_Set_Pixel_Sizes(card->face[face], 0, (FT_UInt)size_px);
    hb_ft_font_changed(card->font[face]);
    hb_buffer_reset(card->buffer);
    hb_buffer_set_replacement_codepoint(card->buffer, ' ');
    hb_buffer_add_utf8(card->buffer, text, length, 0, length);
    hb_buffer_guess_segment_properties(card->buffer);
    hb_shape(card->font[face], card->buffer, NULL, 0);
    unsigned n;
    const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(card->buffer, &n);
    float width = 0;
    for (unsigned i = 0; i < n; i++)
        width += (float)at[i].x_advance / 64;
    return width;
}

static bool has_missing_glyphs(const struct card *card)
{
    unsigned n;
    const hb_glyph_info_t *glyph = hb_buffer_get_glyph_infos(card->buffer, &n);
    for (unsigned i = 0; i < n; i++)
        if (glyph[i].codepoint == 0)
            return true;
    return false;
}

static void blend_glyph(struct card *card, const FT_Bitmap *bitmap, int left, int top, int luma)
{
    for (int y = 0; y < (int)bitmap->rows; y++)
        for (int x = 0; x < (int)bitmap->width; x++) {
            int px = left + x, py = top + y;
            if (px < 0 || py < 0 || px >= card->used_width || py >= card->used_height)
                continue;
            uint8_t *to = &card->luma[py * card->width + px];
            int coverage = bitmap->buffer[y * bitmap->pitch + x];
            *to = (uint8_t)(*to + (luma - *to) * coverage / 255);
            uint8_t *alpha = &card->alpha[py * card->width + px];
            *alpha = (uint8_t)(*alpha + (255 - *alpha) * coverage / 255);
        }
}

/* Draws the shaped line with its baseline at y. */
static void draw_line(struct card *card, int face, int x, int y, int luma)
{
    unsigned n;
    const hb_glyph_info_t *glyph = hb_buffer_get_glyph_infos(card->buffer, &n);
    const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(card->buffer, &n);
    float pen = (float)x;
    for (unsigned i = 0; i < n; i++, pen += (float)at[i - 1].x_advance / 64) {
        if (glyph[i].codepoint == 0 ||
            FT_Load_Glyph(card->face[face], glyph[i].codepoint, FT_LOAD_RENDER | FT_LOAD_NO_HINTING))
            continue;
        FT_GlyphSlot slot = card->face[face]->glyph;
        int left = (int)lrintf(pen + (float)at[i].x_offset / 64) + slot->bitmap_left;
        int top = y - slot->bitmap_top - (int)lrintf((float)at[i].y_offset / 64);
        blend_glyph(card, &slot->bitmap, left, top, luma);
    }
}

struct line {
    const char *text;
    int length, face, size_px, luma;
    float width;
};

static int split_lines(struct card *card, struct line *lines)
{
    int n = 0;
    for (const char *at = card->text; *at && n < MAX_LINES;) {
        int length = (int)strcspn(at, "\n");
        if (length)
            lines[n++] = (struct line){.text = at, .length = length};
        at += length + (at[length] == '\n');
    }
    for (int i = 0; i < n; i++) {
        struct line *line = &lines[i];
        line->face = i ? FACE_REGULAR : FACE_BOLD;
        line->size_px = i ? card->unit_px * 21 / 8 : card->unit_px * 31 / 8;
        line->luma = i ? SMALL_LUMA : TEXT_LUMA;
        if (!card->font[line->face])
            continue;
        line->width = shape_line(card, line->face, line->text, line->length, line->size_px);
        if (has_missing_glyphs(card) && card->font[FACE_FALLBACK]) {
            line->face = FACE_FALLBACK;
            line->width = shape_line(card, line->face, line->text, line->length, line->size_px);
        }
        /* Long lines get smaller, to half their size; what still does not fit is cut at the plate's edge. */
        float room = (float)(card->width - 6 * card->unit_px),
              scale = fmaxf(room / fmaxf(line->width, 1), 0.5f);
        if (scale < 1) {
            line->size_px = (int)((float)line->size_px * scale);
            line->width = shape_line(card, line->face, line->text, line->length, line->size_px);
        }
    }
    return n;
}

/* Coverage of a rectangle with round corners at the middle of a pixel. */
static float round_rectangle(int x, int y, int width, int height, float radius)
{
    float dx = fmaxf(fabsf((float)x + 0.5f - (float)width / 2) - (float)width / 2 + radius, 0);
    float dy = fmaxf(fabsf((float)y + 0.5f - (float)height / 2) - (float)height / 2 + radius, 0);
    float out = sqrtf(dx * dx + dy * dy) - radius + 0.5f;
    return out < 0 ? 1 : out > 1 ? 0 : 1 - out;
}

static void draw_plate(struct card *card)
{
    int bar = card->unit_px * 3 / 4 > 2 ? card->unit_px * 3 / 4 : 2;
    float radius = (float)card->unit_px * 0.9f;
    memset(card->alpha, 0, (size_t)card->width * (size_t)card->height);
    for (int y = 0; y < card->used_height; y++)
        for (int x = 0; x < card->used_width; x++) {
            float inside = round_rectangle(x, y, card->used_width, card->used_height, radius);
            card->luma[y * card->width + x] = x < bar ? BAR_LUMA : PLATE_LUMA;
            card->alpha[y * card->width + x] = (uint8_t)lrintf(inside * (x < bar ? 245 : PLATE_ALPHA));
        }
}

static void fill_chroma(struct card *card)
{
    int bar = (card->unit_px * 3 / 4 > 2 ? card->unit_px * 3 / 4 : 2) / 2;
    for (int y = 0; y < card->used_height / 2; y++)
        for (int x = 0; x < card->used_width / 2; x++) {
            int at = y * card->width / 2 + x, from = 2 * y * card->width + 2 * x;
            int light = (card->luma[from] + card->luma[from + 1] + card->luma[from + card->width] +
                         card->luma[from + card->width + 1]) /
                        4;
            bool text = x > bar && light > (PLATE_LUMA + TEXT_LUMA) / 2;
            card->chroma[0][at] = x < bar ? BAR_U : text ? 128 : PLATE_U;
            card->chroma[1][at] = x < bar ? BAR_V : text ? 128 : PLATE_V;
            card->chroma_alpha[at] =
                (uint8_t)((card->alpha[from] + card->alpha[from + 1] + card->alpha[from + card->width] +
                           card->alpha[from + card->width + 1]) /
                          4);
        }
}

static void make_bitmap(struct card *card, const char *text)
{
    struct line lines[MAX_LINES];
    snprintf(card->text, sizeof card->text, "%s", text);
    int n = split_lines(card, lines), height = 2 * card->unit_px;
    float widest = 0;
    for (int i = 0; i < n; i++) {
        widest = fmaxf(widest, lines[i].width);
        height += lines[i].size_px * 5 / 4 + (i ? card->unit_px / 4 : 0);
    }
    if (widest <= 0) { /* no text, or no font to write it with */
        card->used_width = card->used_height = 0;
        return;
    }
    int want = (int)widest + 6 * card->unit_px;
    card->used_width = (want < card->width ? want : card->width) & ~1;
    card->used_height = (height < card->height ? height : card->height) & ~1;
    draw_plate(card);
    int y = card->unit_px;
    for (int i = 0; i < n; i++) {
        y += i ? card->unit_px / 4 : 0;
        if (card->font[lines[i].face]) {
            shape_line(card, lines[i].face, lines[i].text, lines[i].length, lines[i].size_px);
            draw_line(card, lines[i].face, 3 * card->unit_px, y + lines[i].size_px, lines[i].luma);
        }
        y += lines[i].size_px * 5 / 4;
    }
    fill_chroma(card);
}

/* --- drawing --- */

/* Blends a plane; `strength` 0..256. Coordinates may lie outside the picture. */
static void blend(uint8_t *to, int to_stride, int to_width, const uint8_t *from, const uint8_t *alpha,
                  int from_stride, int x0, int width, int height, int strength)
{
    int first = x0 < 0 ? -x0 : 0, last = x0 + width > to_width ? to_width - x0 : width;
    for (int y = 0; y < height; y++)
        for (int x = first; x < last; x++) {
            int a = alpha[y * from_stride + x] * strength; /* 0 .. 255 * 256 */
            uint8_t *p = &to[y * to_stride + x0 + x];
            *p = (uint8_t)(*p + (((from[y * from_stride + x] - *p) * a + 32640) >> 16));
        }
}

void cp_card_draw(struct card *card, const struct cp_view *view, struct cp_picture *picture)
{
    if (!(view->card_shown > 0) || !view->card[0])
        return;
    if (strncmp(card->text, view->card, sizeof card->text))
        make_bitmap(card, view->card);
    if (!card->used_width || picture->height < card->used_height + card->bottom)
        return;
    float shown = view->card_shown < 1 ? view->card_shown : 1, ease = shown * shown * (3 - 2 * shown);
    int strength = (int)lrintf(ease * 256);
    int x = card->left - ((int)lrintf((1 - ease) * 9 * (float)card->unit_px) & ~1);
    int y = (picture->height - card->bottom - card->used_height) & ~1;
    blend(picture->plane[0] + y * picture->stride[0], picture->stride[0], picture->width, card->luma,
          card->alpha, card->width, x, card->used_width, card->used_height, strength);
    for (int p = 1; p < 3; p++)
        blend(picture->plane[p] + y / 2 * picture->stride[p], picture->stride[p], picture->width / 2,
              card->chroma[p - 1], card->chroma_alpha, card->width / 2, x / 2, card->used_width / 2,
              card->used_height / 2, strength);
}
