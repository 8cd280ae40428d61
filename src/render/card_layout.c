/*
 * How cards look. A lower third is a dark plate with a name and a line; a product is a light panel beside the
 * presenter in a wide picture, and a strip below them in a square or upright one. Sizes are counted in 720ths
 * of the picture's shorter side and chosen for the smallest viewer: on a phone held upright a wide picture is
 * some 390 points wide, and letters of 30 units are 9 points high there.
 */
#include "render/card.h"
#include "render/scenery.h"

#include <math.h>
#include <string.h>

#define PLATE     0x17181c
#define PLATE_INK 0xf4f3f0
#define PLATE_DIM 0xc9c9cc
#define PANEL     0xfbf9f6
#define INK       0x1b1c20
#define DIM       0x565962
#define ACCENT    0xe0a83f
#define SHADOW    16 /* units of soft shadow round a panel */

static int px(const struct draft *d, float units)
{
    return (int)lrintf(units * d->unit);
}

static void lay_out(struct draft *d, const char *text, enum text_weight weight, float size, int width_px,
                    int max_lines, struct text_block *ret)
{
    int size_px = px(d, size);
    const struct text_style style = {.weight = weight,
                                     .size_px = size_px > 8 ? size_px : 8,
                                     .width_px = width_px > 16 ? width_px : 16,
                                     .max_lines = max_lines};
    cp_text_lay_out(d->fonts, text, &style, ret);
}

/* A canvas for a panel of this size with room for its shadow; the panel's place on it. */
static bool open_canvas(struct draft *d, int width, int height, struct canvas_box *ret_panel)
{
    int margin = px(d, SHADOW) & ~1;
    *ret_panel = (struct canvas_box){.x = (float)margin,
                                     .y = (float)margin,
                                     .width = (float)width,
                                     .height = (float)height,
                                     .radius = (float)px(d, 16)};
    return cp_canvas_create((width + 2 * margin + 1) & ~1, (height + 2 * margin + 1) & ~1, &d->canvas);
}

static void place_canvas(struct draft *d, const struct canvas_box *panel, int x, int y)
{
    d->x = (x - (int)panel->x) & ~1;
    d->y = (y - (int)panel->y) & ~1;
}

static void look_at(struct draft *d, float x, float y)
{
    d->focus[0] = (float)d->x + x;
    d->focus[1] = (float)d->y + y;
}

/* --- the lower third --- */

static bool paint_lower_third(struct draft *d)
{
    bool upright = d->height > d->width, right = d->spec->side == CP_CARD_RIGHT;
    int pad = px(d, 22), bar = px(d, 7) > 2 ? px(d, 7) : 2, margin = px(d, 40);
    int room = (int)((float)d->width * (upright ? 0.88f : 0.62f)) - 5 * pad / 2 - bar;
    lay_out(d, d->spec->title, TEXT_BOLD, 36, room, 2, &d->title);
    lay_out(d, d->spec->text, TEXT_REGULAR, 26, room, 2, &d->text);
    float widest = fmaxf(d->title.width_px, d->text.width_px);
    int inner = (int)ceilf(widest), gap = d->title.n_lines && d->text.n_lines ? px(d, 4) : 0;
    int width = (inner + 5 * pad / 2 + bar + 1) & ~1,
        height = (d->title.height_px + gap + d->text.height_px + 2 * px(d, 13) + 1) & ~1;
    struct canvas_box plate;
    if (widest <= 0 || !open_canvas(d, width, height, &plate))
        return false;
    const struct canvas_box accent = {plate.x + (float)pad * 0.75f, plate.y + (float)px(d, 15), (float)bar,
                                      plate.height - (float)(2 * px(d, 15)), (float)bar / 2};
    plate.radius = (float)px(d, 10);
    cp_canvas_fill(&d->canvas, &plate, PLATE, 0.88f);
    cp_canvas_fill(&d->canvas, &accent, ACCENT, 1);
    int left = (int)plate.x + bar + pad + pad / 2, top = (int)plate.y + px(d, 13);
    cp_canvas_text(&d->canvas, d->fonts, &d->title, left, top, inner, PLATE_INK);
    cp_canvas_text(&d->canvas, d->fonts, &d->text, left, top + d->title.height_px + gap, inner, PLATE_DIM);
    int bottom = upright ? (int)(0.10f * (float)d->height) : px(d, 44);
    place_canvas(d, &plate, right ? d->width - margin - width : margin, d->height - bottom - height);
    d->slide_px = (right ? 72 : -72) * d->unit;
    look_at(d, plate.x + (float)width / 2, plate.y + (float)height / 2);
    return true;
}

/* --- products --- */

/* The product's picture, cut to the box. Nothing where there is none or it cannot be read. */
static void paint_picture(struct draft *d, const struct canvas_box *box)
{
    int width = ((int)box->width + 1) & ~1, height = ((int)box->height + 1) & ~1;
    const struct cp_footage_spec spec = {.width = width, .height = height, .matte = PANEL};
    struct cp_footage *footage = NULL;
    if (!d->bytes || width < 16 || height < 16 ||
        cp_footage_open(d->bytes, d->n_bytes, &spec, &footage, NULL))
        return;
    const struct footage_frame *frame = cp_footage_frame(footage, 0);
    if (frame)
        cp_canvas_picture(&d->canvas, box, frame->rgb, width);
    cp_ref_drop(footage);
}

struct badge {
    int width, height, pad;
};

/* A price is never cut while smaller letters help. */
static struct badge lay_out_badge(struct draft *d, float size, int room)
{
    struct badge badge = {0};
    for (int tries = 0; tries < 4; tries++, size *= 0.84f) {
        badge.pad = px(d, size * 0.42f);
        lay_out(d, d->spec->price, TEXT_BOLD, size, room - 2 * badge.pad, 1, &d->price);
        if (!d->price.cut)
            break;
    }
    if (d->price.n_lines) {
        badge.width = (int)ceilf(d->price.width_px) + 2 * badge.pad;
        badge.height = d->price.height_px + px(d, size * 0.22f);
    }
    return badge;
}

static void paint_badge(struct draft *d, const struct badge *badge, int x, int y)
{
    const struct canvas_box box = {(float)x, (float)y, (float)badge->width, (float)badge->height,
                                   (float)badge->height * 0.32f};
    if (!badge->width)
        return;
    cp_canvas_fill(&d->canvas, &box, ACCENT, 1);
    cp_canvas_text(&d->canvas, d->fonts, &d->price, x + badge->pad,
                   y + (badge->height - d->price.height_px) / 2, badge->width - 2 * badge->pad, INK);
}

struct column { /* title, text and price below one another */
    int width, height, gap;
    struct badge badge;
};

static struct column lay_out_column(struct draft *d, int width, float size, int title_lines, int text_lines,
                                    bool with_badge)
{
    struct column c = {.width = width, .gap = px(d, size * 0.28f)};
    lay_out(d, d->spec->title, TEXT_BOLD, size, width, title_lines, &d->title);
    lay_out(d, d->spec->text, TEXT_REGULAR, size * 0.76f, width, text_lines, &d->text);
    if (with_badge)
        c.badge = lay_out_badge(d, size * 1.12f, width);
    const int height[] = {d->title.height_px, d->text.height_px, c.badge.height};
    for (int i = 0; i < 3; i++)
        c.height += height[i] + (c.height && height[i] ? c.gap : 0);
    return c;
}

static void paint_column(struct draft *d, const struct column *c, int x, int y)
{
    cp_canvas_text(&d->canvas, d->fonts, &d->title, x, y, c->width, INK);
    y += d->title.height_px ? d->title.height_px + c->gap : 0;
    cp_canvas_text(&d->canvas, d->fonts, &d->text, x, y, c->width, DIM);
    y += d->text.height_px ? d->text.height_px + c->gap : 0;
    bool backwards = d->title.n_lines && d->title.line[0].right_to_left;
    paint_badge(d, &c->badge, backwards ? x + c->width - c->badge.width : x, y);
}

static void paint_panel_ground(struct draft *d, const struct canvas_box *panel)
{
    cp_canvas_shadow(&d->canvas, panel, (float)px(d, SHADOW), 0.30f);
    cp_canvas_fill(&d->canvas, panel, PANEL, 1);
}

/* Beside the presenter: the picture on top with the price in its corner, words below. */
static bool paint_side_panel(struct draft *d)
{
    bool left = d->spec->side == CP_CARD_LEFT, pictured = d->bytes != NULL;
    int pad = px(d, 16), width = (int)(0.29f * (float)d->width) & ~1, inner = width - 2 * pad;
    int picture = pictured ? (int)fminf((float)inner, 0.44f * (float)d->height) : 0;
    struct column column =
        lay_out_column(d, inner - px(d, 8), 33, pictured ? 2 : 3, pictured ? 2 : 4, !pictured);
    struct badge badge = pictured ? lay_out_badge(d, 40, inner - px(d, 20)) : (struct badge){0};
    int gap = picture && column.height ? px(d, 14) : 0;
    int height = (2 * pad + picture + gap + column.height + (column.height ? px(d, 4) : 0) + 1) & ~1;
    struct canvas_box panel;
    if (!open_canvas(d, width, height, &panel))
        return false;
    paint_panel_ground(d, &panel);
    int x = (int)panel.x + pad, y = (int)panel.y + pad;
    const struct canvas_box box = {(float)x, (float)y, (float)inner, (float)picture, (float)px(d, 10)};
    paint_picture(d, &box);
    paint_badge(d, &badge, x + px(d, 10), y + picture - badge.height - px(d, 10));
    paint_column(d, &column, x + px(d, 4), y + picture + gap);
    int margin = (int)(0.035f * (float)d->width), top = (d->height - height) / 2;
    place_canvas(d, &panel, left ? margin : d->width - margin - width, top);
    d->slide_px = (left ? -72 : 72) * d->unit;
    look_at(d, box.x + box.width / 2, picture ? box.y + box.height / 2 : panel.y + panel.height / 2);
    return true;
}

/* Below the presenter: the picture on one side, words and price beside it. */
static bool paint_strip(struct draft *d)
{
    bool left = d->spec->side == CP_CARD_LEFT, pictured = d->bytes != NULL,
         upright = (float)d->height > 1.1f * (float)d->width;
    int pad = px(d, 16), width = (int)(0.90f * (float)d->width) & ~1;
    int picture = pictured ? px(d, upright ? 220 : 180) : 0, gap = pictured ? px(d, 20) : px(d, 8);
    int words = width - 2 * pad - picture - gap - px(d, 6);
    struct column column = lay_out_column(d, words, upright ? 34 : 32, 2, upright ? 2 : 1, true);
    int inner = picture > column.height ? picture : column.height;
    int height = (inner + 2 * pad + 1) & ~1;
    struct canvas_box panel;
    if (!open_canvas(d, width, height, &panel))
        return false;
    paint_panel_ground(d, &panel);
    int x = (int)panel.x + pad, y = (int)panel.y + pad, end = (int)panel.x + width - pad;
    const struct canvas_box box = {(float)(left ? x : end - picture), (float)y, (float)picture, (float)inner,
                                   (float)px(d, 10)};
    paint_picture(d, &box);
    paint_column(d, &column, left ? x + picture + gap : x + px(d, 6), y + (inner - column.height) / 2);
    int bottom = upright ? (int)(0.09f * (float)d->height) : px(d, 30);
    place_canvas(d, &panel, (d->width - width) / 2, d->height - bottom - height);
    d->slide_px = (left ? -72 : 72) * d->unit;
    look_at(d, pictured ? box.x + box.width / 2 : panel.x + panel.width * (left ? 0.25f : 0.75f),
            panel.y + panel.height / 2);
    return true;
}

bool cp_card_paint_overlay(struct draft *d)
{
    int shorter = d->width < d->height ? d->width : d->height;
    d->unit = fmaxf((float)shorter / 720, 0.2f);
    if (!d->bytes && !*d->spec->price)
        return paint_lower_third(d);
    return (float)d->width >= 1.25f * (float)d->height ? paint_side_panel(d) : paint_strip(d);
}

/* A whole screen of a set. It is small in the picture: few words, large. */
bool cp_card_paint_screen(struct draft *d)
{
    bool pictured = d->bytes != NULL;
    d->unit = (float)d->height / 288;
    int pad = px(d, 22), picture = pictured ? (int)(0.47f * (float)d->width) : 0;
    if (!cp_canvas_create(d->width, d->height, &d->canvas))
        return false;
    const struct canvas_box whole = {-2, -2, (float)d->width + 4, (float)d->height + 4, 0};
    const struct canvas_box box = {0, 0, (float)picture, (float)d->height, 0};
    cp_canvas_fill(&d->canvas, &whole, PANEL, 1);
    paint_picture(d, &box);
    struct column column = lay_out_column(d, d->width - picture - 2 * pad, pictured ? 38 : 50, 3, 1, true);
    if (column.height > d->height - pad)
        column = lay_out_column(d, d->width - picture - 2 * pad, pictured ? 32 : 42, 2, 1, true);
    paint_column(d, &column, picture + pad, (d->height - column.height) / 2);
    return true;
}
