/* Cisco's openh264 as video provider: the permissive build's encoder, and the fastest. */
#include "encode/encode_provider.h"

#include "media/clock.h"

#include <stdlib.h>
#include <string.h>
#include <wels/codec_api.h>

struct coder {
    ISVCEncoder *encoder;
    int64_t n_frames;
};

static bool probe(const char **ret_why_not)
{
    *ret_why_not = "";
    return true;
}

static void close_coder(void *object)
{
    struct coder *coder = object;
    if (!coder)
        return;
    if (coder->encoder) {
        (*coder->encoder)->Uninitialize(coder->encoder);
        WelsDestroySVCEncoder(coder->encoder);
    }
    free(coder);
}

static void set_layer(SSpatialLayerConfig *layer, const struct cp_video_setup *setup)
{
    layer->iVideoWidth = setup->width;
    layer->iVideoHeight = setup->height;
    layer->fFrameRate = CP_FRAME_HZ;
    layer->iSpatialBitrate = setup->kbps * 1000;
    layer->iMaxSpatialBitrate = setup->kbps * 1100;
    layer->uiProfileIdc = PRO_BASELINE;
    layer->uiLevelIdc = (ELevelIdc)setup->level_idc;
    layer->sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    layer->bVideoSignalTypePresent = true;
    layer->uiVideoFormat = VF_UNDEF;
    layer->bFullRange = false;
    layer->bColorDescriptionPresent = true;
    layer->uiColorPrimaries = CP_BT709;
    layer->uiTransferCharacteristics = TRC_BT709;
    layer->uiColorMatrix = CM_BT709;
}

static int start(struct coder *coder, const struct cp_video_setup *setup)
{
    SEncParamExt param;
    int quiet = WELS_LOG_QUIET, format = videoFormatI420;
    (*coder->encoder)->SetOption(coder->encoder, ENCODER_OPTION_TRACE_LEVEL, &quiet);
    (*coder->encoder)->GetDefaultParams(coder->encoder, &param);
    param.iUsageType = CAMERA_VIDEO_REAL_TIME;
    param.iPicWidth = setup->width;
    param.iPicHeight = setup->height;
    param.iTargetBitrate = setup->kbps * 1000;
    param.iMaxBitrate = setup->kbps * 1100;
    param.iRCMode = RC_BITRATE_MODE;
    param.fMaxFrameRate = CP_FRAME_HZ;
    param.iTemporalLayerNum = 1;
    param.iSpatialLayerNum = 1;
    param.uiIntraPeriod = 0; /* IDRs come when asked for */
    param.iNumRefFrame = 1;
    param.eSpsPpsIdStrategy = CONSTANT_ID;
    param.bPrefixNalAddingCtrl = false;
    param.iEntropyCodingModeFlag = 0; /* CAVLC */
    param.iMultipleThreadIdc = 1;
    param.bEnableFrameSkip = false; /* each picture has its packet */
    param.bEnableSceneChangeDetect = false;
    param.bEnableDenoise = false;
    set_layer(&param.sSpatialLayers[0], setup);
    if ((*coder->encoder)->InitializeExt(coder->encoder, &param) != cmResultSuccess)
        return CP_ERR_INVALID;
    (*coder->encoder)->SetOption(coder->encoder, ENCODER_OPTION_DATAFORMAT, &format);
    return 0;
}

static int open_coder(const struct cp_video_setup *setup, void **ret_coder, struct cp_error *error)
{
    struct coder *coder = calloc(1, sizeof *coder);
    if (!coder || WelsCreateSVCEncoder(&coder->encoder) != cmResultSuccess) {
        free(coder);
        return cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory for openh264");
    }
    if (start(coder, setup)) {
        close_coder(coder);
        return cp_fail(error, CP_ERR_INVALID, "encode", "openh264 cannot encode %dx%d at %d kbit/s",
                       setup->width, setup->height, setup->kbps);
    }
    *ret_coder = coder;
    return 0;
}

/* The C declaration of this call lacks the layer that the C++ function behind it takes: name it (-1: all), so
 * that it is not whatever the register held. */
static void force_idr(ISVCEncoder *encoder)
{
    int (*force)(ISVCEncoder *, bool, int) =
        (int (*)(ISVCEncoder *, bool, int))(void *)(*encoder)->ForceIntraFrame;
    force(encoder, true, -1);
}

static int encode(void *object, const struct cp_picture *picture, bool idr, uint8_t *to, size_t capacity,
                  size_t *ret_length, struct cp_error *error)
{
    struct coder *coder = object;
    SSourcePicture in = {.iColorFormat = videoFormatI420,
                         .iPicWidth = picture->width,
                         .iPicHeight = picture->height,
                         .uiTimeStamp = coder->n_frames++ * 1000 / CP_FRAME_HZ};
    SFrameBSInfo out = {0};
    for (int i = 0; i < 3; i++) {
        in.pData[i] = picture->plane[i];
        in.iStride[i] = picture->stride[i];
    }
    if (idr)
        force_idr(coder->encoder);
    if ((*coder->encoder)->EncodeFrame(coder->encoder, &in, &out) != cmResultSuccess)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "openh264 made nothing of frame %lld",
                       (long long)picture->frame);
    size_t length = 0;
    for (int i = 0; i < out.iLayerNum; i++) {
        const SLayerBSInfo *layer = &out.sLayerInfo[i];
        size_t bytes = 0;
        for (int n = 0; n < layer->iNalCount; n++)
            bytes += (size_t)layer->pNalLengthInByte[n];
        if (length + bytes > capacity)
            return cp_fail(error, CP_ERR_LIMIT, "encode", "a frame of over %zu bytes", capacity);
        memcpy(to + length, layer->pBsBuf, bytes);
        length += bytes;
    }
    if (!length)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "openh264 skipped frame %lld",
                       (long long)picture->frame);
    *ret_length = length;
    return 0;
}

const struct cp_video_provider cp_video_openh264 = {
    "openh264", "Cisco's openh264 (BSD)", probe, open_coder, encode, close_coder};
