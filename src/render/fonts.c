/* Which font has a character: fontconfig's choice, asked once and kept open. */
#include "render/fonts.h"

#include "base/log.h"

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include <hb-ft.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

#include FT_FREETYPE_H

#define USUAL_FAMILY "Inter"

/* What fontconfig takes for a weight and, when it is not 0, a character. The caller drops it. */
static FcPattern *match(enum text_weight weight, uint32_t character, const char *language)
{
    FcPattern *wanted = FcPatternCreate(), *found = NULL;
    FcCharSet *characters = FcCharSetCreate();
    FcResult result;
    if (!wanted || !characters)
        goto out;
    if (character)
        FcCharSetAddChar(characters, character);
    if (!character)
        FcPatternAddString(wanted, FC_FAMILY, (const FcChar8 *)USUAL_FAMILY);
    FcPatternAddString(wanted, FC_FAMILY, (const FcChar8 *)"sans-serif");
    FcPatternAddInteger(wanted, FC_WEIGHT, weight == TEXT_BOLD ? FC_WEIGHT_DEMIBOLD : FC_WEIGHT_REGULAR);
    FcPatternAddInteger(wanted, FC_SLANT, FC_SLANT_ROMAN);
    FcPatternAddBool(wanted, FC_SCALABLE, FcTrue);
    FcPatternAddBool(wanted, FC_OUTLINE, FcTrue);
    FcPatternAddBool(wanted, FC_COLOR, FcFalse);
    if (character)
        FcPatternAddCharSet(wanted, FC_CHARSET, characters);
    if (language && *language)
        FcPatternAddString(wanted, FC_LANG, (const FcChar8 *)language);
    FcConfigSubstitute(NULL, wanted, FcMatchPattern);
    FcDefaultSubstitute(wanted);
    found = FcFontMatch(NULL, wanted, &result);
out:
    if (characters)
        FcCharSetDestroy(characters);
    if (wanted)
        FcPatternDestroy(wanted);
    return found;
}

/* The place of a pattern's font among those open, opened if need be; FONTS_NONE when it cannot be. */
static int open_face(struct fonts *fonts, const FcPattern *pattern, enum text_weight weight,
                     const char *language)
{
    FcChar8 *path;
    int index = 0;
    if (FcPatternGetString(pattern, FC_FILE, 0, &path) != FcResultMatch)
        return FONTS_NONE;
    FcPatternGetInteger(pattern, FC_INDEX, 0, &index);
    for (int i = 0; i < fonts->n_faces; i++)
        if (fonts->face[i].index == index && !strcmp(fonts->face[i].path, (const char *)path))
            return i;
    if (fonts->n_faces == FONTS_MAX_FACES)
        return FONTS_NONE;
    struct face *face = &fonts->face[fonts->n_faces];
    *face = (struct face){
        .index = index, .weight = weight, .language = language, .path = strdup((const char *)path)};
    if (!face->path || FT_New_Face(fonts->library, face->path, index, &face->face)) {
        free(face->path);
        return FONTS_NONE;
    }
    face->font = hb_ft_font_create_referenced(face->face);
    return fonts->n_faces++;
}

static void note_missing(struct fonts *fonts, uint32_t character)
{
    fonts->missing++;
    if (u_hasBinaryProperty((UChar32)character, UCHAR_EXTENDED_PICTOGRAPHIC))
        return; /* left out on purpose */
    cp_log(CP_LOG_WARN, "render", "no font has a character",
           "character=U+%04X hint=\"install fonts-noto-core, and fonts-noto-cjk for Chinese, Japanese and "
           "Korean\"",
           (unsigned)character);
}

/* Among the fonts that are open for this language first, so that a text keeps its font. */
static int search(struct fonts *fonts, enum text_weight weight, uint32_t character, const char *language)
{
    for (int i = TEXT_WEIGHTS; i < fonts->n_faces; i++)
        if (fonts->face[i].weight == weight && fonts->face[i].language == language &&
            FT_Get_Char_Index(fonts->face[i].face, character))
            return i;
    if (fonts->searches++ >= FONTS_MAX_SEARCHES)
        return FONTS_NONE;
    FcPattern *found = match(weight, character, language);
    int face = found ? open_face(fonts, found, weight, language) : FONTS_NONE;
    if (found)
        FcPatternDestroy(found);
    /* The best match need not have the character. */
    return face != FONTS_NONE && FT_Get_Char_Index(fonts->face[face].face, character) ? face : FONTS_NONE;
}

int cp_fonts_face_of(struct fonts *fonts, enum text_weight weight, uint32_t character, const char *language)
{
    int usual = weight == TEXT_BOLD && fonts->n_faces > TEXT_BOLD ? TEXT_BOLD : TEXT_REGULAR;
    if (!fonts->n_faces)
        return FONTS_NONE;
    if (FT_Get_Char_Index(fonts->face[usual].face, character))
        return usual;
    size_t at = (character * 31 + (uint32_t)weight) % FONTS_CACHE;
    if (fonts->cache[at].character == character && fonts->cache[at].weight == weight &&
        fonts->cache[at].language == language)
        return fonts->cache[at].face;
    int face = search(fonts, weight, character, language);
    if (face == FONTS_NONE)
        note_missing(fonts, character);
    fonts->cache[at].character = character;
    fonts->cache[at].weight = (uint8_t)weight;
    fonts->cache[at].language = language;
    fonts->cache[at].face = (uint16_t)face;
    return face;
}

bool cp_fonts_have(struct fonts *fonts, uint32_t character)
{
    fonts->searches = 0;
    return fonts->n_faces && (FT_Get_Char_Index(fonts->face[TEXT_REGULAR].face, character) ||
                              search(fonts, TEXT_REGULAR, character, NULL) != FONTS_NONE);
}

void cp_fonts_set_size(struct fonts *fonts, int face, int size_px)
{
    FT_Set_Pixel_Sizes(fonts->face[face].face, 0, (FT_UInt)size_px);
    hb_ft_font_changed(fonts->face[face].font);
}

int cp_fonts_missing(const struct fonts *fonts)
{
    return fonts->missing;
}

int cp_fonts_create(struct fonts **ret_fonts, struct cp_error *error)
{
    struct fonts *fonts = calloc(1, sizeof *fonts);
    if (!fonts || FT_Init_FreeType(&fonts->library)) {
        free(fonts);
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for fonts.");
    }
    for (int weight = TEXT_REGULAR; weight < TEXT_WEIGHTS; weight++) {
        FcPattern *found = match((enum text_weight)weight, 0, NULL);
        if (found && open_face(fonts, found, (enum text_weight)weight, NULL) == FONTS_NONE)
            cp_log(CP_LOG_WARN, "render", "font not opened", "hint=\"install fonts-inter\"");
        if (found)
            FcPatternDestroy(found);
    }
    if (!fonts->n_faces)
        cp_log(CP_LOG_WARN, "render", "no font for cards", "hint=\"install fonts-inter\"");
    *ret_fonts = fonts;
    return 0;
}

void cp_fonts_destroy(struct fonts *fonts)
{
    if (!fonts)
        return;
    for (int i = 0; i < fonts->n_faces; i++) {
        hb_font_destroy(fonts->face[i].font);
        FT_Done_Face(fonts->face[i].face);
        free(fonts->face[i].path);
    }
    FT_Done_FreeType(fonts->library);
    free(fonts);
}
