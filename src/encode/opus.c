/* libopus: mono, 20 ms, constant complexity. */
#include "encode/encode_int.h"

#include "media/clock.h"

#include <opus/opus.h>
#include <stdlib.h>

#define FRAME (CP_SAMPLE_HZ / 50)

struct opus {
    struct cp_audio_coder base; /* first: the caller's pointer is this one */
    OpusEncoder *encoder;
};

static int encode(struct cp_audio_coder *coder, const int16_t *frame, uint8_t *to, size_t capacity,
                  size_t *ret_length, struct cp_error *error)
{
    struct opus *opus = (struct opus *)coder;
    opus_int32 length = opus_encode(opus->encoder, frame, FRAME, to, (opus_int32)capacity);
    if (length < 0)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "libopus: %s", opus_strerror(length));
    *ret_length = (size_t)length;
    return 0;
}

static void close_coder(struct cp_audio_coder *coder)
{
    opus_encoder_destroy(((struct opus *)coder)->encoder);
    free(coder);
}

/*
 * Application "audio", not "voip": the voice is synthetic and clean, so voip's high-pass and formant emphasis
 * have nothing to mend, and music may play under it; the delay is the same. No in-band FEC: it costs bits on
 * every packet for losses that retransmission covers. No DTX: silence must keep the clock running. Complexity
 * 5 takes half of 10's time for a difference below hearing at this rate.
 */
int cp_opus_open(int kbps, struct cp_audio_coder **ret_coder, struct cp_error *error)
{
    int status = OPUS_ALLOC_FAIL;
    opus_int32 lookahead = 0;
    struct opus *opus = calloc(1, sizeof *opus);
    if (opus)
        opus->encoder = opus_encoder_create(CP_SAMPLE_HZ, 1, OPUS_APPLICATION_AUDIO, &status);
    if (status != OPUS_OK) {
        free(opus);
        return cp_fail(error, CP_ERR_NOMEM, "encode", "libopus: %s", opus_strerror(status));
    }
    opus_encoder_ctl(opus->encoder, OPUS_SET_BITRATE(kbps * 1000));
    opus_encoder_ctl(opus->encoder, OPUS_SET_COMPLEXITY(5));
    opus_encoder_ctl(opus->encoder, OPUS_SET_INBAND_FEC(0));
    opus_encoder_ctl(opus->encoder, OPUS_SET_DTX(0));
    opus_encoder_ctl(opus->encoder, OPUS_GET_LOOKAHEAD(&lookahead));
    opus->base = (struct cp_audio_coder){.codec = CP_CODEC_OPUS,
                                         .frame_samples = FRAME,
                                         .delay_samples = lookahead,
                                         .encode = encode,
                                         .close = close_coder};
    *ret_coder = &opus->base;
    return 0;
}
