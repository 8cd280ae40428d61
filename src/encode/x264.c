/*
 * libx264 as video provider: constrained baseline, no look-ahead, so that a picture's packet is
 * there when the call returns. Built only in GPL builds.
 */
#include "encode/encode_provider.h"

#include "media/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <x264.h>

struct coder {
    x264_t *x264;
    int64_t n_frames; /* x264 wants rising time stamps of its own */
};

static bool probe(const char **ret_why_not)
{
    *ret_why_not = "";
    return true;
}

/*
 * Constant quality under a ceiling. A mean rate would spend on a presenter at rest what it cannot use there,
 * and let the next IDR, which the small buffer bounds, look bad beside it: measured on a talking head at 720p
 * and 1,800 kbit/s, the worst frame gains 4 dB and the stream takes a quarter less (at rest a half).
 *
 * The quality goes with the rate asked for: 25 is what a talking head of 720p keeps under 1,800 kbit/s; twice
 * the rate is worth 3 steps, and detail grows more slowly than the number of pixels.
 */
static float quality_for(const struct cp_video_setup *setup)
{
    double size = (double)setup->width * setup->height / (1280.0 * 720.0);
    double quality = 25 - 3 * log2(setup->kbps / 1800.0 / pow(size, 0.75));
    return (float)fmin(fmax(quality, 16), 34);
}

/* A low I/P ratio takes the rest of the pulse out of the stream. */
static void set_rate(x264_param_t *param, const struct cp_video_setup *setup)
{
    param->rc.i_rc_method = X264_RC_CRF;
    param->rc.f_rf_constant = quality_for(setup);
    param->rc.i_vbv_max_bitrate = setup->kbps;
    param->rc.i_vbv_buffer_size = setup->vbv_bits / 1000;
    param->rc.f_ip_factor = 1.1F;
    param->rc.i_lookahead = 0;
    param->rc.b_mb_tree = 0;
}

static void set_colour(x264_param_t *param)
{
    param->vui.b_fullrange = 0;
    param->vui.i_colorprim = 1; /* BT.709: H.264 tables E-3 to E-5 */
    param->vui.i_transfer = 1;
    param->vui.i_colmatrix = 1;
}

static void close_coder(void *object)
{
    struct coder *coder = object;
    if (!coder)
        return;
    if (coder->x264)
        x264_encoder_close(coder->x264);
    free(coder);
}

static int open_coder(const struct cp_video_setup *setup, void **ret_coder, struct cp_error *error)
{
    x264_param_t param;
    if (x264_param_default_preset(&param, setup->preset, "zerolatency") < 0)
        return cp_fail(error, CP_ERR_INVALID, "encode", "x264 has no preset \"%s\"", setup->preset);
    param.i_log_level = X264_LOG_NONE;
    param.i_width = setup->width;
    param.i_height = setup->height;
    param.i_csp = X264_CSP_I420;
    param.i_fps_num = CP_FRAME_HZ;
    param.i_fps_den = 1;
    param.b_vfr_input = 0;
    param.i_threads = setup->threads;
    param.b_sliced_threads = setup->threads > 1; /* the picture's packet is there when the call returns */
    param.i_level_idc = setup->level_idc;
    param.i_bframe = 0;
    param.i_frame_reference = 1;
    param.i_keyint_max = X264_KEYINT_MAX_INFINITE; /* IDRs come when asked for */
    param.i_scenecut_threshold = 0;
    param.b_repeat_headers = 1;
    param.b_annexb = 1;
    param.b_aud = 0;
    set_rate(&param, setup);
    set_colour(&param);
    if (x264_param_apply_profile(&param, "baseline") < 0)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "x264 refuses the baseline profile");
    struct coder *coder = calloc(1, sizeof *coder);
    if (!coder)
        return cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory");
    coder->x264 = x264_encoder_open(&param);
    if (!coder->x264) {
        close_coder(coder);
        return cp_fail(error, CP_ERR_INVALID, "encode", "x264 cannot encode %dx%d at %d kbit/s", setup->width,
                       setup->height, setup->kbps);
    }
    *ret_coder = coder;
    return 0;
}

static int encode(void *object, const struct cp_picture *picture, bool idr, uint8_t *to, size_t capacity,
                  size_t *ret_length, struct cp_error *error)
{
    struct coder *coder = object;
    x264_picture_t in, out;
    x264_nal_t *nals;
    int n_nals;
    x264_picture_init(&in);
    in.i_type = idr ? X264_TYPE_IDR : X264_TYPE_P;
    in.i_pts = coder->n_frames++;
    in.img.i_csp = X264_CSP_I420;
    in.img.i_plane = 3;
    for (int i = 0; i < 3; i++) {
        in.img.plane[i] = picture->plane[i];
        in.img.i_stride[i] = picture->stride[i];
    }
    int length = x264_encoder_encode(coder->x264, &nals, &n_nals, &in, &out);
    if (length <= 0 || n_nals <= 0)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "x264 made nothing of frame %lld",
                       (long long)picture->frame);
    if ((size_t)length > capacity)
        return cp_fail(error, CP_ERR_LIMIT, "encode", "a frame of %d bytes is over the limit of %zu", length,
                       capacity);
    memcpy(to, nals[0].p_payload, (size_t)length); /* the payloads of one call lie one behind another */
    *ret_length = (size_t)length;
    return 0;
}

const struct cp_video_provider cp_video_x264 = {"x264",     "libx264 (GPL)", probe,
                                                open_coder, encode,          close_coder};
