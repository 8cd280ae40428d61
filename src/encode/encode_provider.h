/* What a video coder must provide. Rows stand in encode.c, best first; "auto" takes the first usable one. */
#ifndef CP_ENCODE_PROVIDER_H
#define CP_ENCODE_PROVIDER_H

#include "base/error.h"
#include "media/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_video_setup {
    int width, height;
    int level_idc;      /* H.264 table A-1, times ten: 31 for 720p30 */
    int kbps;           /* ceiling of the rate */
    int vbv_bits;       /* decoder's buffer: bounds the size of one frame */
    int threads;        /* that code one picture together, in slices; others may ignore it */
    const char *preset; /* x264's name of the trade of speed for size; others may ignore it */
};

struct cp_video_provider {
    const char *name, *summary;
    /* Is it usable here? When not, *ret_why_not says what to do. Any thread. */
    bool (*probe)(const char **ret_why_not);
    /* May allocate and take tens of milliseconds. */
    int (*open)(const struct cp_video_setup *setup, void **ret_coder, struct cp_error *error);
    /*
     * Encodes one picture now, without delay: one access unit in Annex B with SPS and PPS in front of an IDR.
     * An IDR is made when and only when asked for. CP_ERR_LIMIT: the unit does not fit `capacity`; the coder
     * has moved on, so the next picture must be an IDR. thread: venc
     */
    int (*encode)(void *coder, const struct cp_picture *picture, bool idr, uint8_t *to, size_t capacity,
                  size_t *ret_length, struct cp_error *error);
    /* NULL is fine. */
    void (*close)(void *coder);
};

/* The rows of the table that this build has. */
extern const struct cp_video_provider cp_video_x264, cp_video_openh264;

#endif
