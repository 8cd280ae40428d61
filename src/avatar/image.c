#include "avatar/image.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h> /* needs stdio.h before it */
#include <webp/decode.h>

#define STAGE "avatar"

static int check_size(size_t width, size_t height, int max_px, size_t max_pixels, struct cp_error *error)
{
    if (!width || !height)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a texture of the model has no size");
    if (width > (size_t)max_px || height > (size_t)max_px)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "a texture of the model is %zux%zu; at most %dx%d is read",
                       width, height, max_px, max_px);
    if (width * height > max_pixels)
        return cp_fail(error, CP_ERR_LIMIT, STAGE,
                       "the textures of the model have too many pixels together; make them smaller");
    return 0;
}

/* libpng asks for as much memory as a chunk says it needs before it looks whether the bytes are there. */
static bool png_is_whole(const uint8_t *bytes, size_t length)
{
    for (size_t at = 8; at <= length && length - at >= 12;) {
        const uint8_t *p = bytes + at;
        size_t chunk = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (!memcmp(p + 4, "IEND", 4))
            return true;
        if (chunk > length - at - 12)
            return false;
        at += 12 + chunk;
    }
    return false;
}

static int decode_png(const uint8_t *bytes, size_t length, int max_px, size_t max_pixels,
                      struct cp_texture *ret, struct cp_error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_is_whole(bytes, length))
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a PNG texture of the model is truncated or broken");
    if (!png_image_begin_read_from_memory(&image, bytes, length))
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a PNG texture of the model is broken: %s",
                       image.message);
    int err = check_size(image.width, image.height, max_px, max_pixels, error);
    if (err) {
        png_image_free(&image);
        return err;
    }
    image.format = PNG_FORMAT_RGBA;
    uint8_t *rgba = malloc(PNG_IMAGE_SIZE(image));
    if (!rgba) {
        png_image_free(&image);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    }
    if (!png_image_finish_read(&image, NULL, rgba, 0, NULL)) {
        free(rgba);
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a PNG texture of the model is broken: %s",
                       image.message);
    }
    *ret = (struct cp_texture){.width = (int)image.width, .height = (int)image.height, .rgba = rgba};
    return 0;
}

/* libjpeg reports by longjmp and, left alone, ends the process. */
struct jpeg_failure {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
};

static void jpeg_failed(j_common_ptr info)
{
    struct jpeg_failure *failure = (struct jpeg_failure *)info->err;
    info->err->format_message(info, failure->text);
    longjmp(failure->back, 1);
}

static void jpeg_silent(j_common_ptr info, int level)
{
    (void)info;
    (void)level;
}

/* A progressive picture of a few kB may hold thousands of passes over all its pixels. */
#define MAX_SCANS 200

static void jpeg_watch(j_common_ptr info)
{
    if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > MAX_SCANS) {
        struct jpeg_failure *failure = (struct jpeg_failure *)info->err;
        snprintf(failure->text, sizeof failure->text, "it has more than %d scans", MAX_SCANS);
        longjmp(failure->back, 1);
    }
}

/* A decoder and what has to be freed when it jumps out. */
struct jpeg {
    struct jpeg_decompress_struct decoder;
    struct jpeg_failure failure;
    struct jpeg_progress_mgr watch;
    uint8_t *rgba;
};

static int decode_jpeg_rows(struct jpeg *jpeg, const uint8_t *bytes, size_t length, int max_px,
                            size_t max_pixels, struct cp_error *error)
{
    struct jpeg_decompress_struct *decoder = &jpeg->decoder;
    decoder->err = jpeg_std_error(&jpeg->failure.manager);
    jpeg->failure.manager.error_exit = jpeg_failed;
    jpeg->failure.manager.emit_message = jpeg_silent;
    if (setjmp(jpeg->failure.back))
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a JPEG texture of the model is broken: %.120s",
                       jpeg->failure.text);
    jpeg_create_decompress(decoder);
    jpeg->watch.progress_monitor = jpeg_watch;
    decoder->progress = &jpeg->watch;
    jpeg_mem_src(decoder, bytes, (unsigned long)length);
    jpeg_read_header(decoder, TRUE);
    int err = check_size(decoder->image_width, decoder->image_height, max_px, max_pixels, error);
    if (err)
        return err;
    decoder->out_color_space = JCS_EXT_RGBA;
    jpeg_start_decompress(decoder);
    size_t row_bytes = (size_t)decoder->output_width * 4;
    jpeg->rgba = malloc(row_bytes * decoder->output_height);
    if (!jpeg->rgba)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    while (decoder->output_scanline < decoder->output_height) {
        JSAMPROW row = jpeg->rgba + row_bytes * decoder->output_scanline;
        jpeg_read_scanlines(decoder, &row, 1);
    }
    jpeg_finish_decompress(decoder);
    return 0;
}

static int decode_jpeg(const uint8_t *bytes, size_t length, int max_px, size_t max_pixels,
                       struct cp_texture *ret, struct cp_error *error)
{
    struct jpeg *jpeg = calloc(1, sizeof *jpeg);
    if (!jpeg)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    int err = decode_jpeg_rows(jpeg, bytes, length, max_px, max_pixels, error);
    if (err)
        free(jpeg->rgba);
    else
        *ret = (struct cp_texture){.width = (int)jpeg->decoder.output_width,
                                   .height = (int)jpeg->decoder.output_height,
                                   .rgba = jpeg->rgba};
    jpeg_destroy_decompress(&jpeg->decoder);
    free(jpeg);
    return err;
}

static int decode_webp(const uint8_t *bytes, size_t length, int max_px, size_t max_pixels,
                       struct cp_texture *ret, struct cp_error *error)
{
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes, length, &features) != VP8_STATUS_OK)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a WebP texture of the model is truncated or broken");
    if (features.has_animation)
        return cp_fail(error, CP_ERR_UNSUPPORTED, STAGE, "a WebP texture of the model is animated");
    size_t width = (size_t)features.width, height = (size_t)features.height;
    int err = check_size(width, height, max_px, max_pixels, error);
    if (err)
        return err;
    uint8_t *rgba = malloc(width * height * 4);
    if (!rgba)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    if (!WebPDecodeRGBAInto(bytes, length, rgba, width * height * 4, (int)width * 4)) {
        free(rgba);
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "a WebP texture of the model is truncated or broken");
    }
    *ret = (struct cp_texture){.width = (int)width, .height = (int)height, .rgba = rgba};
    return 0;
}

int image_decode(const uint8_t *bytes, size_t length, int max_px, size_t max_pixels, struct cp_texture *ret,
                 struct cp_error *error)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'}, jpeg[] = {0xFF, 0xD8, 0xFF};
    if (length >= sizeof png && !memcmp(bytes, png, sizeof png))
        return decode_png(bytes, length, max_px, max_pixels, ret, error);
    if (length >= sizeof jpeg && !memcmp(bytes, jpeg, sizeof jpeg))
        return decode_jpeg(bytes, length, max_px, max_pixels, ret, error);
    if (length >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
        return decode_webp(bytes, length, max_px, max_pixels, ret, error);
    return cp_fail(error, CP_ERR_UNSUPPORTED, STAGE,
                   "a texture of the model is neither PNG, JPEG nor WebP; export it with one of them");
}
