/* Cards: made on a thread that may wait, then only read while frames are drawn. */
#include "render/card.h"
#include "render/fonts.h"
#include "render/footage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int cp_card_maker_create(struct cp_card_maker **ret_maker, struct cp_error *error)
{
    struct cp_card_maker *maker = calloc(1, sizeof *maker);
    if (!maker)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for cards.");
    int err = cp_fonts_create(&maker->fonts, error);
    if (err)
        cp_card_maker_destroy(maker);
    else
        *ret_maker = maker;
    return err;
}

void cp_card_maker_destroy(struct cp_card_maker *maker)
{
    if (!maker)
        return;
    cp_fonts_destroy(maker->fonts);
    free(maker);
}

bool cp_card_maker_has(struct cp_card_maker *maker, uint32_t character)
{
    return cp_fonts_have(maker->fonts, character);
}

int cp_card_maker_missing(const struct cp_card_maker *maker)
{
    return cp_fonts_missing(maker->fonts);
}

static void free_card(void *object)
{
    struct cp_card *card = object;
    cp_overlay_clear(&card->overlay);
    cp_ref_drop(card->screen);
    free(card);
}

static bool make_overlay(struct draft *d, struct cp_card *card)
{
    d->width = card->width;
    d->height = card->height;
    if (!cp_card_paint_overlay(d))
        return true; /* nothing to show */
    card->has_overlay = cp_overlay_create(&d->canvas, d->x, d->y, &card->overlay);
    card->slide_px = d->slide_px;
    memcpy(card->focus, d->focus, sizeof card->focus);
    cp_canvas_clear(&d->canvas);
    return card->has_overlay;
}

static bool make_screen(struct cp_card_maker *maker, struct draft *d, struct cp_card *card)
{
    d->width = CP_SCREEN_WIDTH;
    d->height = CP_SCREEN_HEIGHT;
    card->screen = cp_footage_create_still(d->width, d->height, ++maker->made);
    bool painted = card->screen && cp_card_paint_screen(d);
    size_t n = (size_t)d->width * (size_t)d->height;
    for (size_t i = 0; painted && i < n; i++) {
        uint32_t packed = 0;
        for (int k = 0; k < 3; k++)
            packed |= ((uint32_t)d->canvas.rgba[4 * i + (size_t)k] * 1023 + 127) / 255 << (10 * k);
        card->screen->frame[0].rgb[i] = packed;
    }
    cp_canvas_clear(&d->canvas);
    return painted;
}

int cp_card_make(struct cp_card_maker *maker, const struct cp_card_spec *spec, const void *picture,
                 size_t picture_bytes, int width, int height, struct cp_card **ret_card,
                 struct cp_error *error)
{
    struct cp_card *card = calloc(1, sizeof *card);
    struct draft *draft = calloc(1, sizeof *draft);
    bool made = card && draft;
    if (made) {
        cp_ref_init(&card->ref, free_card);
        card->spec = *spec;
        card->width = width;
        card->height = height;
        *draft = (struct draft){
            .fonts = maker->fonts, .spec = &card->spec, .bytes = picture, .n_bytes = picture_bytes};
        made = make_overlay(draft, card) && (!spec->on_screen || make_screen(maker, draft, card));
        if (!made)
            cp_ref_drop(card);
    } else {
        free(card);
    }
    free(draft);
    if (!made)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for a card.");
    *ret_card = card;
    return 0;
}

const struct cp_card_spec *cp_card_spec_of(const struct cp_card *card)
{
    return &card->spec;
}

struct cp_footage *cp_card_screen(const struct cp_card *card)
{
    return card->screen;
}

void cp_card_focus(const struct cp_card *card, float ret_px[2])
{
    memcpy(ret_px, card->focus, sizeof card->focus);
}

void cp_card_draw(const struct cp_card *card, float shown, struct cp_picture *picture,
                  struct cp_cutout *cutout)
{
    if (!card || !(shown > 0) || !card->has_overlay || picture->width != card->width ||
        picture->height != card->height)
        return;
    float part = shown < 1 ? shown : 1, ease = part * part * (3 - 2 * part);
    int shift = (int)lrintf((1 - ease) * card->slide_px), strength = (int)lrintf(ease * 256);
    cp_overlay_blend(&card->overlay, shift, strength, picture);
    if (cutout)
        cp_overlay_cut_out(&card->overlay, shift, strength, cutout);
}
