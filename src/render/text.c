/* Lays out and draws lines of text. Texts are short, so lines are measured by shaping them. */
#include "render/text.h"
#include "render/fonts.h"

#include <ft2build.h>
#include <hb.h>
#include <math.h>
#include <string.h>
#include <unicode/ubidi.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include FT_FREETYPE_H
#include FT_OUTLINE_H

#define LINE_STEP 1.28f /* of the size: room for the marks of Arabic, Thai and Vietnamese */
#define ASCENT    0.98f

struct shaping { /* of one line */
    struct fonts *fonts;
    struct text_block *block; /* where glyphs go; NULL: only measured */
    const struct text_style *style;
    const char *language; /* decides between forms of Han */
    hb_buffer_t *buffer;
    float pen;
};

struct piece { /* of a line: one direction, one script, one font */
    int first, n;
    UScriptCode script;
    int face;
};

/* Kana say Japanese, Hangul says Korean; Han alone is taken for Chinese. */
static const char *language_of(const UChar *text, int n)
{
    static const char JAPANESE[] = "ja", KOREAN[] = "ko", CHINESE[] = "zh-cn", ANY[] = "";
    bool han = false;
    for (int i = 0; i < n;) {
        UErrorCode code = U_ZERO_ERROR;
        UChar32 c;
        U16_NEXT(text, i, n, c);
        UScriptCode script = uscript_getScript(c, &code);
        if (script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA)
            return JAPANESE;
        if (script == USCRIPT_HANGUL)
            return KOREAN;
        han |= script == USCRIPT_HAN;
    }
    return han ? CHINESE : ANY;
}

static bool is_ignorable(UChar32 c)
{
    return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

/* Does this character go with the one before it, whatever font that has? */
static bool is_joined(UChar32 c)
{
    return (U_GET_GC_MASK(c) & U_GC_M_MASK) || is_ignorable(c);
}

/* The next piece of text[first..end): characters of one font and script. */
static struct piece next_piece(struct shaping *s, const UChar *text, int first, int end)
{
    struct piece piece = {.first = first, .script = USCRIPT_COMMON, .face = -1};
    int i = first;
    while (i < end) {
        UErrorCode code = U_ZERO_ERROR;
        int at = i;
        UChar32 c;
        U16_NEXT(text, i, end, c);
        UScriptCode script = uscript_getScript(c, &code);
        bool common = script == USCRIPT_COMMON || script == USCRIPT_INHERITED;
        bool goes_on = piece.face >= 0 && is_joined(c);
        int face =
            goes_on ? piece.face : cp_fonts_face_of(s->fonts, s->style->weight, (uint32_t)c, s->language);
        bool differs = piece.face >= 0 && face != piece.face;
        if (differs || (!common && piece.script != USCRIPT_COMMON && script != piece.script)) {
            i = at;
            break;
        }
        piece.face = face;
        piece.script = common ? piece.script : script;
    }
    piece.n = i - first;
    return piece;
}

static void add_glyphs(struct shaping *s, int face)
{
    unsigned n;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(s->buffer, &n);
    const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(s->buffer, &n);
    for (unsigned i = 0; i < n; i++) {
        if (s->block && s->block->n_glyphs < TEXT_MAX_GLYPHS)
            s->block->glyph[s->block->n_glyphs++] =
                (struct text_glyph){info[i].codepoint, (uint16_t)face, s->pen + (float)at[i].x_offset / 64,
                                    (float)at[i].y_offset / 64};
        s->pen += (float)at[i].x_advance / 64;
    }
}

/* Characters that no font has: emoji are left out, of others a box of the usual font tells. */
static void add_boxes(struct shaping *s, const UChar *text, const struct piece *piece)
{
    int usual = s->style->weight == TEXT_BOLD && s->fonts->n_faces > TEXT_BOLD ? TEXT_BOLD : TEXT_REGULAR;
    if (!s->fonts->n_faces)
        return;
    for (int i = piece->first, end = piece->first + piece->n; i < end;) {
        UChar32 c;
        U16_NEXT(text, i, end, c);
        if (is_ignorable(c) || u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) ||
            u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) || u_hasBinaryProperty(c, UCHAR_REGIONAL_INDICATOR))
            continue;
        if (s->block && s->block->n_glyphs < TEXT_MAX_GLYPHS)
            s->block->glyph[s->block->n_glyphs++] = (struct text_glyph){0, (uint16_t)usual, s->pen, 0};
        s->pen += 0.62f * (float)s->style->size_px;
    }
}

static void shape_piece(struct shaping *s, const UChar *text, int n, const struct piece *piece,
                        bool backwards)
{
    if (piece->face == FONTS_NONE || piece->face < 0) {
        add_boxes(s, text, piece);
        return;
    }
    cp_fonts_set_size(s->fonts, piece->face, s->style->size_px);
    hb_buffer_reset(s->buffer);
    hb_buffer_add_utf16(s->buffer, (const uint16_t *)text, n, (unsigned)piece->first, piece->n);
    hb_buffer_set_direction(s->buffer, backwards ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
    if (piece->script != USCRIPT_COMMON)
        hb_buffer_set_script(s->buffer, hb_script_from_string(uscript_getShortName(piece->script), 4));
    if (*s->language)
        hb_buffer_set_language(s->buffer, hb_language_from_string(s->language, -1));
    hb_buffer_guess_segment_properties(s->buffer);
    hb_shape(s->fonts->face[piece->face].font, s->buffer, NULL, 0);
    add_glyphs(s, piece->face);
}

/* A run of one direction: its pieces, in the order in which they stand. */
static void shape_run(struct shaping *s, const UChar *text, int n, int first, int length, bool backwards)
{
    enum { MOST = 64 };
    struct piece piece[MOST];
    int pieces = 0;
    for (int at = first; at < first + length && pieces < MOST; at += piece[pieces++].n)
        piece[pieces] = next_piece(s, text, at, first + length);
    for (int i = 0; i < pieces; i++)
        shape_piece(s, text, n, &piece[backwards ? pieces - 1 - i : i], backwards);
}

/* Shapes a line from left to right; returns its width. */
static float shape_line(struct shaping *s, const UChar *text, int n, UBiDiLevel level)
{
    UErrorCode code = U_ZERO_ERROR;
    UBiDi *bidi = ubidi_open();
    s->pen = 0;
    if (bidi)
        ubidi_setPara(bidi, text, n, level, NULL, &code);
    int runs = bidi && U_SUCCESS(code) ? ubidi_countRuns(bidi, &code) : 0;
    for (int i = 0; i < runs; i++) {
        int32_t first, length;
        bool backwards = ubidi_getVisualRun(bidi, i, &first, &length) == UBIDI_RTL;
        shape_run(s, text, n, first, length, backwards);
    }
    ubidi_close(bidi);
    return s->pen;
}

/* --- breaking --- */

struct breaker {
    struct shaping shaping;
    const UChar *text; /* the paragraph */
    int n;
    UBiDiLevel level;
    UBreakIterator *lines, *letters;
};

static int without_spaces(const UChar *text, int first, int end)
{
    while (end > first && u_isUWhiteSpace(text[end - 1]))
        end--;
    return end;
}

static float measure(struct breaker *b, int first, int end)
{
    b->shaping.block = NULL;
    return shape_line(&b->shaping, b->text + first, without_spaces(b->text, first, end) - first, b->level);
}

/* The farthest place that `places` allows after `first` with the line still fitting `room`; `first` when even
 * the nearest does not fit. */
static int farthest(struct breaker *b, UBreakIterator *places, int first, float room)
{
    int best = first;
    for (int at = places ? ubrk_following(places, first) : UBRK_DONE; at != UBRK_DONE;
         at = ubrk_next(places)) {
        if (measure(b, first, at) > room)
            break;
        best = at;
    }
    return best;
}

/* Adds text[first..end), with dots behind it when the text is cut there. */
static void put_line(struct breaker *b, struct text_block *block, int first, int end, bool dots)
{
    UChar line[TEXT_MAX_UNITS + 2];
    struct text_line *out = &block->line[block->n_lines++];
    int n = without_spaces(b->text, first, end) - first;
    memcpy(line, b->text + first, (size_t)n * sizeof *line);
    if (dots)
        line[n++] = 0x2026;
    b->shaping.block = block;
    *out = (struct text_line){.first = block->n_glyphs, .right_to_left = b->level & 1};
    out->width_px = shape_line(&b->shaping, line, n, b->level);
    out->n = block->n_glyphs - out->first;
    block->width_px = fmaxf(block->width_px, out->width_px);
    block->cut |= dots;
}

/* Lays out one paragraph; `more`: others follow. */
static void break_paragraph(struct breaker *b, struct text_block *block, bool more)
{
    const struct text_style *style = &block->style;
    float room = (float)style->width_px;
    for (int at = 0; at < b->n && block->n_lines < style->max_lines;) {
        bool last = block->n_lines + 1 == style->max_lines, whole = measure(b, at, b->n) <= room;
        if (whole && !(last && more)) {
            put_line(b, block, at, b->n, false);
            return;
        }
        if (last) {
            const UChar DOTS[] = {0x2026};
            b->shaping.block = NULL;
            float dots = shape_line(&b->shaping, DOTS, 1, b->level);
            put_line(b, block, at, whole ? b->n : farthest(b, b->letters, at, room - dots), true);
            return;
        }
        int end = farthest(b, b->lines, at, room);
        if (end == at) /* a word longer than the line */
            end = farthest(b, b->letters, at, room);
        if (end == at)
            end = b->n;
        put_line(b, block, at, end, false);
        at = end;
        while (at < b->n && u_isUWhiteSpace(b->text[at]))
            at++;
    }
}

static void lay_out_paragraph(struct fonts *fonts, const UChar *text, int n, bool more, hb_buffer_t *buffer,
                              struct text_block *block)
{
    UErrorCode code = U_ZERO_ERROR;
    struct breaker b = {.shaping = {.fonts = fonts,
                                    .style = &block->style,
                                    .language = language_of(text, n),
                                    .buffer = buffer},
                        .text = text,
                        .n = n};
    b.level = ubidi_getBaseDirection(text, n) == UBIDI_RTL ? 1 : 0;
    b.lines = ubrk_open(UBRK_LINE, b.shaping.language, text, n, &code);
    code = U_ZERO_ERROR;
    b.letters = ubrk_open(UBRK_CHARACTER, "", text, n, &code);
    break_paragraph(&b, block, more);
    if (b.lines)
        ubrk_close(b.lines);
    if (b.letters)
        ubrk_close(b.letters);
}

void cp_text_lay_out(struct fonts *fonts, const char *utf8, const struct text_style *style,
                     struct text_block *ret_block)
{
    UChar text[TEXT_MAX_UNITS];
    UErrorCode code = U_ZERO_ERROR;
    int32_t n = 0;
    hb_buffer_t *buffer = hb_buffer_create();
    fonts->searches = 0;
    memset(ret_block, 0, sizeof *ret_block);
    ret_block->style = *style;
    if (ret_block->style.max_lines > TEXT_MAX_LINES)
        ret_block->style.max_lines = TEXT_MAX_LINES;
    ret_block->ascent_px = (int)lrintf(ASCENT * (float)style->size_px);
    ret_block->line_step_px = (int)lrintf(LINE_STEP * (float)style->size_px);
    u_strFromUTF8WithSub(text, TEXT_MAX_UNITS, &n, utf8, -1, 0xfffd, NULL, &code);
    n = n < TEXT_MAX_UNITS ? n : TEXT_MAX_UNITS;
    if (n && code == U_BUFFER_OVERFLOW_ERROR && U16_IS_LEAD(text[n - 1]))
        n--;
    for (int i = 0; i < n; i++)
        if (u_iscntrl(text[i]) && text[i] != '\n')
            text[i] = ' ';
    for (int at = 0; at < n && ret_block->n_lines < ret_block->style.max_lines;) {
        int end = at;
        while (end < n && text[end] != '\n')
            end++;
        int next = end;
        while (next < n && text[next] == '\n')
            next++;
        if (without_spaces(text, at, end) > at)
            lay_out_paragraph(fonts, text + at, end - at, next < n, buffer, ret_block);
        at = next;
    }
    hb_buffer_destroy(buffer);
    if (ret_block->n_lines)
        ret_block->height_px = ret_block->ascent_px + (ret_block->n_lines - 1) * ret_block->line_step_px +
                               (int)lrintf(0.26f * (float)style->size_px);
}

/* --- drawing --- */

void cp_text_draw(struct fonts *fonts, const struct text_block *block, int x, int y, int width_px,
                  void (*put)(void *user, int x, int y, int width, int height, const uint8_t *coverage,
                              int stride),
                  void *user)
{
    for (int l = 0; l < block->n_lines; l++) {
        const struct text_line *line = &block->line[l];
        float left = (float)x + (line->right_to_left ? (float)width_px - line->width_px : 0);
        int base = y + block->ascent_px + l * block->line_step_px;
        for (int i = line->first; i < line->first + line->n; i++) {
            const struct text_glyph *glyph = &block->glyph[i];
            FT_Face face = fonts->face[glyph->face].face;
            float pen = left + glyph->x, whole = floorf(pen);
            cp_fonts_set_size(fonts, glyph->face, block->style.size_px);
            if (FT_Load_Glyph(face, glyph->id, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP))
                continue;
            FT_GlyphSlot slot = face->glyph;
            if (slot->format == FT_GLYPH_FORMAT_OUTLINE)
                FT_Outline_Translate(&slot->outline, (FT_Pos)lrintf((pen - whole) * 64), 0);
            if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) || slot->bitmap.pixel_mode != FT_PIXEL_MODE_GRAY)
                continue;
            put(user, (int)whole + slot->bitmap_left, base - slot->bitmap_top - (int)lrintf(glyph->y),
                (int)slot->bitmap.width, (int)slot->bitmap.rows, slot->bitmap.buffer, slot->bitmap.pitch);
        }
    }
}
