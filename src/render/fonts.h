/* Inside of text: the faces that are open, and the search for one that has a character. */
#ifndef CP_RENDER_FONTS_H
#define CP_RENDER_FONTS_H

#include "render/text.h"

/* FreeType's and HarfBuzz's, as they call them. */
struct FT_LibraryRec_;
struct FT_FaceRec_;
struct hb_font_t;

enum {
    FONTS_MAX_FACES = 32,
    FONTS_CACHE = 1024,
    FONTS_MAX_SEARCHES = 64, /* for one text: each takes some milliseconds */
    FONTS_NONE = 0xffff
};

struct face {
    char *path;
    int index; /* in a collection, as FreeType counts */
    enum text_weight weight;
    const char *language; /* it was opened for; a literal */
    struct FT_FaceRec_ *face;
    struct hb_font_t *font;
};

struct fonts {
    struct FT_LibraryRec_ *library;
    struct face face[FONTS_MAX_FACES]; /* the first TEXT_WEIGHTS are the usual ones */
    int n_faces;
    struct {
        uint32_t character; /* 0: an empty place */
        uint16_t face;
        uint8_t weight;
        const char *language;
    } cache[FONTS_CACHE]; /* what was found, or not, by character */
    int searches;         /* of the text that is laid out */
    int missing;
};

/* The face for a character; `language`, a literal, decides between forms of Han. FONTS_NONE: no font here has
 * it. */
int cp_fonts_face_of(struct fonts *fonts, enum text_weight weight, uint32_t character, const char *language);
/* Whether some font here has it; asks every time. */
bool cp_fonts_have(struct fonts *fonts, uint32_t character);
void cp_fonts_set_size(struct fonts *fonts, int face, int size_px);

#endif
