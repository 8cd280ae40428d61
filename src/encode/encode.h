/*
 * The encode stage: pictures and PCM -> packets. One video and one or two sound encoders a channel, whatever
 * the number of viewers. Providers: libx264 (GPL builds), openh264; libopus; libavcodec's AAC.
 */
#ifndef CP_ENCODE_H
#define CP_ENCODE_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"
#include "media/packet.h"
#include "media/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct cp_encode_config {
    char video[CP_OPTION_TEXT_BYTES];  /* provider: "auto", "x264", "openh264" */
    char preset[CP_OPTION_TEXT_BYTES]; /* x264: "superfast" */
    int64_t video_kbps, audio_kbps;
    double idr_s; /* seconds between periodic IDRs: HLS segments start there */
};
extern const struct cp_option cp_encode_options[];
extern const size_t cp_encode_n_options;

/* Called with each packet, once per access unit; the callee takes its own reference if it keeps it. */
typedef void cp_packet_fn(void *user, struct cp_packet *packet);

/* --- video: H.264 constrained baseline (42e01f to 720p, 42e028 to 1080p), no B-frames, zero latency; SPS and
 * PPS in front of every IDR; periodic IDRs at the frames that are multiples of idr_s --- */

struct cp_venc;
int cp_venc_create(const struct cp_encode_config *config, int width, int height, cp_packet_fn *on_packet,
                   void *user, struct cp_venc **ret_venc, struct cp_error *error);
/* Encodes one picture now and calls on_packet before it returns. Pictures come by rising frame numbers; a
 * number may be left out. captured_wall_ns: wall time of the picture's moment. When all packets are held by
 * others the picture is left out (counted; the stream stays whole). thread: venc */
int cp_venc_encode(struct cp_venc *venc, const struct cp_picture *picture, int64_t captured_wall_ns,
                   struct cp_error *error);
/* Asks for an IDR with the next picture. Many asks before it make one IDR; an IDR asked for comes at least
 * 500 ms after the last one, and joins a periodic one that is due within 200 ms. Any thread. */
void cp_venc_request_idr(struct cp_venc *venc);
void cp_venc_destroy(struct cp_venc *venc);

struct cp_venc_stats {
    uint64_t frames, idrs, idr_requests, idr_coalesced, bytes, dropped_no_packet;
    int64_t last_encode_ns;
};
struct cp_venc_stats cp_venc_stats(const struct cp_venc *venc); /* any thread */

/* --- sound: 48 kHz mono PCM in blocks of any size -> Opus (20 ms) or AAC-LC (1024 samples) --- */

struct cp_aenc;
int cp_aenc_create(const struct cp_encode_config *config, enum cp_codec codec, cp_packet_fn *on_packet,
                   void *user, struct cp_aenc **ret_aenc, struct cp_error *error);
/* at_samples: sample clock of pcm[0]; blocks follow one another without gaps. Packets' at_samples name the
 * moment of their first audible sample, with the encoder's delay taken off. thread: aenc, or venc where one
 * thread makes both (a file) */
int cp_aenc_encode(struct cp_aenc *aenc, const int16_t *pcm, int n_samples, int64_t at_samples,
                   int64_t captured_wall_ns, const struct cp_stamps *stamps, struct cp_error *error);
/* AAC's AudioSpecificConfig (ISO 14496-3), 2..16 bytes; 0 for Opus. */
int cp_aenc_extradata(const struct cp_aenc *aenc, uint8_t *ret_bytes, int capacity);
void cp_aenc_destroy(struct cp_aenc *aenc);

/* "x264", "openh264", ...: usable here, or why not; for `compere doctor`. Returns false past the last. */
bool cp_encode_probe(int index, const char **ret_name, bool *ret_usable, const char **ret_why_not);

/* --- MP3 files, piece by piece --- */

struct cp_mp3;
/* Whether this system's libavcodec writes MP3. Any thread. */
bool cp_mp3_usable(void);
/* Appends the file's bytes to `out` as they come. CP_ERR_UNSUPPORTED. One thread at a time. */
int cp_mp3_create(int kbps, struct cp_buffer *out, struct cp_mp3 **ret_mp3, struct cp_error *error);
/* Samples at 48 kHz, mono. */
int cp_mp3_add(struct cp_mp3 *mp3, const int16_t *pcm, size_t n, struct cp_error *error);
int cp_mp3_end(struct cp_mp3 *mp3, struct cp_error *error);
void cp_mp3_destroy(struct cp_mp3 *mp3); /* NULL is fine */

#endif
