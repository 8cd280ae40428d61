/* Shared inside the encode stage. */
#ifndef CP_ENCODE_INT_H
#define CP_ENCODE_INT_H

#include "encode/encode.h"
#include "encode/encode_provider.h"

/* Finds the provider by its config name ("auto": the first usable). An unknown name fails and lists those
 * built; one that is not usable fails and says why. */
int cp_video_provider_find(const char *name, const struct cp_video_provider **ret_provider,
                           struct cp_error *error);

/* A sound coder: takes frames of exactly frame_samples, gives at most one packet each. */
struct cp_audio_coder {
    enum cp_codec codec;
    int frame_samples; /* what encode() is given each time */
    int delay_samples; /* the first sample of packet 0 is this long before the first sample of frame 0 */
    int (*encode)(struct cp_audio_coder *coder, const int16_t *frame, uint8_t *to, size_t capacity,
                  size_t *ret_length, struct cp_error *error);
    void (*close)(struct cp_audio_coder *coder);
    uint8_t extradata[16];
    int extradata_bytes;
};
int cp_opus_open(int kbps, struct cp_audio_coder **ret_coder, struct cp_error *error);
int cp_aac_open(int kbps, struct cp_audio_coder **ret_coder, struct cp_error *error);

#endif
