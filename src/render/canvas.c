#include "render/canvas.h"
#include "render/render_int.h"

#include <math.h>

bool cp_canvas_create(int width, int height, struct canvas *ret_canvas)
{
    *ret_canvas = (struct canvas){.width = width, .height = height};
    ret_canvas->rgba = cp_render_alloc((size_t)width * (size_t)height * 4);
    return ret_canvas->rgba != NULL;
}

void cp_canvas_clear(struct canvas *canvas)
{
    cp_render_free(canvas->rgba);
    canvas->rgba = NULL;
}

/* Lays a colour over a pixel; alpha 0..1. */
static void over(struct canvas *canvas, int x, int y, const float rgb[3], float alpha)
{
    uint8_t *to = canvas->rgba + 4 * ((size_t)y * (size_t)canvas->width + (size_t)x);
    for (int k = 0; k < 4; k++) {
        float from = k < 3 ? rgb[k] : 255;
        to[k] = (uint8_t)lrintf(from * alpha + (float)to[k] * (1 - alpha));
    }
}

static void unpack(uint32_t color, float rgb[3])
{
    for (int k = 0; k < 3; k++)
        rgb[k] = (float)(color >> (16 - 8 * k) & 255);
}

/* How far the middle of a pixel is outside of the box; negative inside. */
static float distance_to(const struct canvas_box *box, int x, int y)
{
    float dx = fabsf((float)x + 0.5f - box->x - box->width / 2) - box->width / 2 + box->radius;
    float dy = fabsf((float)y + 0.5f - box->y - box->height / 2) - box->height / 2 + box->radius;
    return hypotf(fmaxf(dx, 0), fmaxf(dy, 0)) + fminf(fmaxf(dx, dy), 0) - box->radius;
}

struct bounds {
    int x0, y0, x1, y1;
};

static struct bounds bounds_of(const struct canvas *canvas, const struct canvas_box *box, float grow)
{
    return (struct bounds){(int)fmaxf(floorf(box->x - grow), 0), (int)fmaxf(floorf(box->y - grow), 0),
                           (int)fminf(ceilf(box->x + box->width + grow), (float)canvas->width),
                           (int)fminf(ceilf(box->y + box->height + grow), (float)canvas->height)};
}

static float coverage(float distance)
{
    return fminf(fmaxf(0.5f - distance, 0), 1);
}

void cp_canvas_fill(struct canvas *canvas, const struct canvas_box *box, uint32_t color, float alpha)
{
    struct bounds b = bounds_of(canvas, box, 1);
    float rgb[3];
    unpack(color, rgb);
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++)
            over(canvas, x, y, rgb, alpha * coverage(distance_to(box, x, y)));
}

void cp_canvas_shadow(struct canvas *canvas, const struct canvas_box *box, float soft, float alpha)
{
    static const float BLACK[3] = {0, 0, 0};
    struct bounds b = bounds_of(canvas, box, soft);
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++) {
            float t = 1 - fminf(fmaxf(distance_to(box, x, y) / soft, 0), 1);
            over(canvas, x, y, BLACK, alpha * t * t);
        }
}

void cp_canvas_picture(struct canvas *canvas, const struct canvas_box *box, const uint32_t *rgb, int stride)
{
    struct bounds b = bounds_of(canvas, box, 0);
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++) {
            int px = x - (int)box->x, py = y - (int)box->y;
            if (px < 0 || py < 0 || px >= (int)box->width || py >= (int)box->height)
                continue;
            uint32_t packed = rgb[(size_t)py * (size_t)stride + (size_t)px];
            const float color[3] = {(float)(packed & 1023) * (255 / 1023.0f),
                                    (float)(packed >> 10 & 1023) * (255 / 1023.0f),
                                    (float)(packed >> 20 & 1023) * (255 / 1023.0f)};
            over(canvas, x, y, color, coverage(distance_to(box, x, y)));
        }
}

struct ink {
    struct canvas *canvas;
    float rgb[3];
};

static void put_glyph(void *user, int x, int y, int width, int height, const uint8_t *covered, int stride)
{
    const struct ink *ink = user;
    for (int j = 0; j < height; j++)
        for (int i = 0; i < width; i++) {
            int px = x + i, py = y + j;
            if (covered[j * stride + i] && px >= 0 && py >= 0 && px < ink->canvas->width &&
                py < ink->canvas->height)
                over(ink->canvas, px, py, ink->rgb, (float)covered[j * stride + i] / 255);
        }
}

void cp_canvas_text(struct canvas *canvas, struct fonts *fonts, const struct text_block *block, int x, int y,
                    int width_px, uint32_t color)
{
    struct ink ink = {.canvas = canvas};
    unpack(color, ink.rgb);
    cp_text_draw(fonts, block, x, y, width_px, put_glyph, &ink);
}
