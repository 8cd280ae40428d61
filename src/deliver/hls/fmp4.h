/*
 * Fragmented MP4 (ISO 14496-12) with one H.264 track and, when there is sound, one AAC track. Both count time
 * in samples at 48 kHz, so the sample clock goes into the file as it is: no edit lists, no rounding.
 */
#ifndef CP_HLS_FMP4_H
#define CP_HLS_FMP4_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One coded frame of a track. */
struct cp_fmp4_sample {
    int64_t at; /* presentation and decode time, samples at 48 kHz */
    int32_t length;
    uint32_t bytes;
    bool key;
};

/* The frames of one track in one fragment, their bytes one behind another. */
struct cp_fmp4_run {
    const struct cp_fmp4_sample *samples;
    int n_samples;
    const uint8_t *data;
    size_t bytes;
    int64_t end; /* the last sample lasts until here; frames left out in between stretch the one before */
};

#define CP_FMP4_MAX_PARAMETER_SET 128

/* The parameter sets that the decoder is set up with. Compare whole structs: unused bytes are zero. */
struct cp_fmp4_avc {
    uint8_t sps[CP_FMP4_MAX_PARAMETER_SET], pps[CP_FMP4_MAX_PARAMETER_SET];
    size_t sps_bytes, pps_bytes;
};

/*
 * Turns an Annex B access unit into length-prefixed NAL units (ISO 14496-15) at the end of `out`. Parameter
 * sets go to *avc (when not NULL) instead of `out`; access unit delimiters are left out.
 */
void cp_fmp4_add_unit(struct cp_buffer *out, const uint8_t *annex_b, size_t length, struct cp_fmp4_avc *avc);

/* The header: ftyp and moov. aac: AudioSpecificConfig, none when aac_bytes is 0. */
void cp_fmp4_write_init(struct cp_buffer *out, int width, int height, const struct cp_fmp4_avc *avc,
                        const uint8_t *aac, int aac_bytes);

/* The moof of a fragment and the head of its mdat; the runs' bytes follow it, video first. A run without
 * samples is left out. */
void cp_fmp4_write_fragment_head(struct cp_buffer *out, uint32_t number, const struct cp_fmp4_run *video,
                                 const struct cp_fmp4_run *audio);

/* What lies in a file behind its index: whole fragments. */
struct cp_fmp4_stretch {
    uint32_t bytes, samples;
    bool key; /* starts with a key frame */
};
#define CP_FMP4_MAX_STRETCHES 65535

/* The index (sidx) of a file that begins at zero, which stands before its first fragment: players then know
 * its length, and where to seek. */
void cp_fmp4_write_index(struct cp_buffer *out, const struct cp_fmp4_stretch *stretches, int n);

/* Moves the fragments in `data` (whole boxes) by so many samples in time; none goes below zero. False when
 * they are not boxes as written above: then some may have been moved. */
bool cp_fmp4_shift(uint8_t *data, size_t length, int64_t by_samples);

#endif
