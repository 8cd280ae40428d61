/* Footage: pictures and videos that are shown behind the presenter or on the set's screen. */
#include "render/footage.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_footage(void *object)
{
    struct cp_footage *f = object;
    cp_footage_stop_video(f);
    for (int i = 0; i < FOOTAGE_RING; i++) {
        cp_render_free(f->frame[i].rgb);
        for (int p = 0; p < 3; p++)
            cp_render_free(f->frame[i].plane[p]);
    }
    for (int p = 0; p < 3; p++)
        cp_render_free(f->fit.plane[p]);
    cp_render_free(f->fit.other);
    cp_render_free(f->bytes);
    free(f);
}

static bool allocate(struct cp_footage *f)
{
    size_t pixels = (size_t)f->width * (size_t)f->height;
    bool complete = (f->fit.other = cp_render_alloc(pixels)) != NULL;
    for (int p = 0; p < 3; p++)
        complete = (f->fit.plane[p] = cp_render_alloc(pixels)) != NULL && complete;
    for (int i = 0; i < (f->video ? FOOTAGE_RING : 1); i++) {
        complete = (f->frame[i].rgb = cp_render_alloc((pixels + 64) * sizeof(uint32_t))) != NULL && complete;
        for (int p = 0; p < 3; p++)
            complete =
                (f->frame[i].plane[p] = cp_render_alloc((p ? pixels / 4 : pixels) + 64)) != NULL && complete;
    }
    f->fit.width = f->width;
    f->fit.height = f->height;
    return complete;
}

static bool is_video(const uint8_t *bytes, size_t length)
{
    return length >= 12 && (!memcmp(bytes + 4, "ftyp", 4) || !memcmp(bytes, "\x1a\x45\xdf\xa3", 4));
}

int cp_footage_open(const void *bytes, size_t length, const struct cp_footage_spec *spec,
                    struct cp_footage **ret_footage, struct cp_error *error)
{
    enum AVCodecID picture = cp_picture_codec(bytes, length);
    bool video = picture == AV_CODEC_ID_NONE && is_video(bytes, length);
    if (picture == AV_CODEC_ID_NONE && !video)
        return cp_fail(error, CP_ERR_UNSUPPORTED, "render",
                       "This is neither a PNG, JPEG or WebP picture nor an MP4 or WebM video.");
    size_t most = video ? CP_FOOTAGE_MAX_VIDEO_BYTES : CP_FOOTAGE_MAX_PICTURE_BYTES;
    if (length > most)
        return cp_fail(error, CP_ERR_LIMIT, "render", "The %s has %zu MB; at most %zu MB are read.",
                       video ? "video" : "picture", length >> 20, most >> 20);
    if (spec->width < 16 || spec->height < 16 || spec->width > 3840 || spec->height > 3840 ||
        spec->width % 2 || spec->height % 2 || spec->blur_px < 0 || spec->blur_px > 64)
        return cp_fail(error, CP_ERR_INVALID, "render",
                       "Footage is made in even sizes from 16 to 3840, with a blur of 0 to 64 pixels.");
    struct cp_footage *f = calloc(1, sizeof *f);
    if (!f)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for footage.");
    cp_ref_init(&f->ref, free_footage);
    f->width = spec->width;
    f->height = spec->height;
    f->blur_px = spec->blur_px;
    f->matte = spec->matte;
    f->video = video;
    int err = 0;
    if (!allocate(f) || (video && !(f->bytes = cp_render_alloc(length))))
        err = cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for footage.");
    if (!err && video) {
        memcpy(f->bytes, bytes, length);
        f->length = length;
        err = cp_footage_start_video(f, error);
    } else if (!err) {
        err = cp_picture_decode(f, picture, bytes, length, error);
    }
    if (err)
        cp_ref_drop(f);
    else
        *ret_footage = f;
    return err;
}

struct cp_footage *cp_footage_create_still(int width, int height, int64_t number)
{
    struct cp_footage *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    cp_ref_init(&f->ref, free_footage);
    f->width = width;
    f->height = height;
    f->frame[0].due_samples = number;
    atomic_store(&f->written, 1);
    f->frame[0].rgb = cp_render_alloc(((size_t)width * (size_t)height + 64) * sizeof(uint32_t));
    if (!f->frame[0].rgb) {
        cp_ref_drop(f);
        return NULL;
    }
    return f;
}

int cp_footage_open_file(const char *path, const struct cp_footage_spec *spec,
                         struct cp_footage **ret_footage, struct cp_error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return cp_fail(error, errno == ENOENT ? CP_ERR_NOT_FOUND : CP_ERR_IO, "render", "Cannot open %s: %s.",
                       path, strerror(errno));
    struct cp_buffer bytes = cp_buffer_make(CP_FOOTAGE_MAX_VIDEO_BYTES + 65536);
    for (;;) {
        uint8_t *to = cp_buffer_reserve(&bytes, 65536);
        size_t n = to ? fread(to, 1, 65536, file) : 0;
        bytes.length += n;
        if (n == 0)
            break;
    }
    bool broken = ferror(file) != 0;
    fclose(file);
    int err = bytes.failed ? cp_fail(error, CP_ERR_LIMIT, "render", "%s is larger than %u MB.", path,
                                     CP_FOOTAGE_MAX_VIDEO_BYTES >> 20)
              : broken     ? cp_fail(error, CP_ERR_IO, "render", "Cannot read %s.", path)
                           : cp_footage_open(bytes.data, bytes.length, spec, ret_footage, error);
    cp_buffer_free(&bytes);
    return err;
}

bool cp_footage_is_video(const struct cp_footage *footage)
{
    return footage->video;
}

bool cp_footage_fits(const struct cp_footage *f, int width, int height)
{
    return f->width == width && f->height == height;
}

void cp_footage_size(const struct cp_footage *f, int *ret_width, int *ret_height)
{
    *ret_width = f->width;
    *ret_height = f->height;
}

const struct footage_frame *cp_footage_frame(struct cp_footage *f, int64_t at_samples)
{
    long long written = atomic_load_explicit(&f->written, memory_order_acquire);
    long long held = atomic_load_explicit(&f->released, memory_order_relaxed);
    if (written == 0)
        return NULL;
    if (!f->video)
        return &f->frame[0];
    /* The video begins when it is first asked for, and again when the clock has gone back or leapt. */
    int64_t due = f->frame[held % FOOTAGE_RING].due_samples, now = at_samples - f->base_samples;
    if (!f->begun || now < due - CP_SAMPLE_HZ || now > due + 2 * CP_SAMPLE_HZ) {
        f->base_samples = at_samples - due;
        f->begun = true;
    }
    while (held + 1 < written &&
           f->frame[(held + 1) % FOOTAGE_RING].due_samples <= at_samples - f->base_samples)
        held++;
    atomic_store_explicit(&f->released, held, memory_order_release);
    return &f->frame[held % FOOTAGE_RING];
}

void cp_footage_wait(struct cp_footage *f, int64_t at_samples)
{
    while (f->video && !atomic_load(&f->failed)) {
        long long written = atomic_load(&f->written);
        if (written > 0) {
            cp_footage_frame(f, at_samples);
            if (f->frame[(written - 1) % FOOTAGE_RING].due_samples > at_samples - f->base_samples)
                return;
        }
        cp_clock_sleep_until_ns(cp_clock_now_ns() + CP_NS_PER_MS);
    }
}
