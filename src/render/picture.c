/* Pictures for tests and snapshots: a time code in the picture, and PNG. */
#include "render/scenery.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16, COLUMNS = 32, ROWS = 2, BLACK = 16, WHITE = 235, GRAY = 128 };

/* CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff. */
static uint16_t check_of(uint64_t value)
{
    uint16_t crc = 0xffff;
    for (int byte = 5; byte >= 0; byte--) {
        crc = (uint16_t)(crc ^ (value >> (8 * byte) & 255) << 8);
        for (int i = 0; i < 8; i++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static bool has_room(const struct cp_picture *picture)
{
    return picture->width >= COLUMNS * BLOCK && picture->height >= ROWS * BLOCK;
}

void cp_picture_stamp_code(struct cp_picture *picture, uint64_t value)
{
    value &= UINT64_C(0xffffffffffff);
    uint64_t code = value << 16 | check_of(value);
    if (!has_room(picture))
        return;
    for (int y = 0; y < ROWS * BLOCK; y++)
        for (int column = 0; column < COLUMNS; column++) {
            int bit = 63 - (y / BLOCK * COLUMNS + column);
            memset(picture->plane[0] + y * picture->stride[0] + column * BLOCK,
                   code >> bit & 1 ? WHITE : BLACK, BLOCK);
        }
    for (int p = 1; p < 3; p++)
        for (int y = 0; y < ROWS * BLOCK / 2; y++)
            memset(picture->plane[p] + y * picture->stride[p], GRAY, COLUMNS * BLOCK / 2);
}

bool cp_picture_read_code(const struct cp_picture *picture, uint64_t *ret_value)
{
    uint64_t code = 0;
    if (!has_room(picture))
        return false;
    for (int bit = 0; bit < 64; bit++) {
        const uint8_t *block =
            picture->plane[0] + bit / COLUMNS * BLOCK * picture->stride[0] + bit % COLUMNS * BLOCK;
        int sum = 0; /* of the middle, which a codec's ringing reaches least */
        for (int y = 4; y < 12; y++)
            for (int x = 4; x < 12; x++)
                sum += block[y * picture->stride[0] + x];
        code = code << 1 | (sum / 64 >= (BLACK + WHITE) / 2);
    }
    if (check_of(code >> 16) != (code & 0xffff))
        return false;
    *ret_value = code >> 16;
    return true;
}

static uint8_t to_byte(float x)
{
    return x <= 0 ? 0 : x >= 255 ? 255 : (uint8_t)lrintf(x);
}

/* A row of RGB; chroma is taken from its nearest sample. ITU-R BT.709-6, limited range. */
static void rgb_row(const struct cp_picture *picture, int y, uint8_t *out)
{
    for (int x = 0; x < picture->width; x++) {
        float l = (float)(picture->plane[0][y * picture->stride[0] + x] - 16) * (255 / 219.0f);
        float u = (float)(picture->plane[1][y / 2 * picture->stride[1] + x / 2] - 128) * (255 / 224.0f);
        float v = (float)(picture->plane[2][y / 2 * picture->stride[2] + x / 2] - 128) * (255 / 224.0f);
        out[3 * x] = to_byte(l + 1.5748f * v);
        out[3 * x + 1] = to_byte(l - 0.1873f * u - 0.4681f * v);
        out[3 * x + 2] = to_byte(l + 1.8556f * u);
    }
}

static void write_bytes(png_structp png, png_bytep bytes, png_size_t length)
{
    cp_buffer_add(png_get_io_ptr(png), bytes, length);
}

static void flush_nothing(png_structp png)
{
}

struct image { /* what is written: one of the two */
    const struct cp_picture *picture;
    const struct cp_cutout *cutout;
    int width, height;
};

/* The part that libpng may leave by longjmp: it owns nothing. */
static bool write_rows(png_structp png, png_infop info, const struct image *image, uint8_t *row,
                       struct cp_buffer *out)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_write_fn(png, out, write_bytes, flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->cutout ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 3);
    png_write_info(png, info);
    for (int y = 0; y < image->height; y++) {
        if (image->picture)
            rgb_row(image->picture, y, row);
        png_write_row(png, image->picture ? row : image->cutout->rgba + 4 * (size_t)y * (size_t)image->width);
    }
    png_write_end(png, NULL);
    return true;
}

static int write_png(const struct image *image, struct cp_buffer *out, struct cp_error *error)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *row = malloc((size_t)image->width * 3);
    bool written = info && row && write_rows(png, info, image, row, out);
    png_destroy_write_struct(&png, &info);
    free(row);
    if (out->failed)
        return cp_fail(error, CP_ERR_LIMIT, "render",
                       "The picture as PNG is larger than its buffer may grow.");
    return written ? 0 : cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for a PNG.");
}

int cp_picture_write_png(const struct cp_picture *picture, struct cp_buffer *out, struct cp_error *error)
{
    const struct image image = {.picture = picture, .width = picture->width, .height = picture->height};
    return write_png(&image, out, error);
}

int cp_cutout_write_png(const struct cp_cutout *cutout, struct cp_buffer *out, struct cp_error *error)
{
    const struct image image = {.cutout = cutout, .width = cutout->width, .height = cutout->height};
    return write_png(&image, out, error);
}

int cp_footage_write_png(struct cp_footage *footage, int64_t at_samples, struct cp_buffer *out,
                         struct cp_error *error)
{
    const struct footage_frame *frame = cp_footage_frame(footage, at_samples);
    if (!frame)
        return cp_fail(error, CP_ERR_FORMAT, "render", "The video has no picture that can be read.");
    int width, height;
    cp_footage_size(footage, &width, &height);
    const struct cp_picture picture = {.width = width,
                                       .height = height,
                                       .stride = {width, width / 2, width / 2},
                                       .plane = {frame->plane[0], frame->plane[1], frame->plane[2]}};
    return cp_picture_write_png(&picture, out, error);
}
