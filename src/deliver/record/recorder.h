/*
 * Recording: the parts that the LL-HLS server cuts become chunks of about a second, each handed to who keeps
 * it as soon as it is whole. A crash loses what is not yet a chunk.
 *
 *     parts --on_cut--> queue (bounded) --thread "recorder"--> chunks --keep--> objects
 *
 * A chunk that cannot be kept is tried again, longer apart each time, while the queue holds what comes; when
 * that is full, parts are lost and counted. The stream itself never waits.
 */
#ifndef CP_RECORDER_H
#define CP_RECORDER_H

#include "base/error.h"
#include "deliver/hls/hls.h"

#include <stdbool.h>
#include <stdint.h>

/* The chunk's time is the sample clock's. Chunks follow one another without a hole unless parts were lost or
 * the stream itself had one. */
struct cp_chunk {
    uint32_t number;    /* 0: the header (ftyp, moov), kept before all others; then from 1 */
    int64_t at, length; /* samples */
    bool independent;   /* starts with an IDR */
    const uint8_t *bytes;
    size_t n_bytes;
};
/* Keeps a chunk durably; may block. thread: recorder */
typedef int cp_chunk_keep_fn(void *user, const struct cp_chunk *chunk, struct cp_error *error);

struct cp_recorder;
struct cp_recorder_status {
    bool begun;           /* the first key frame came */
    int64_t from_samples; /* its time */
    int64_t to_samples;   /* end of the last chunk kept */
    int64_t kept_samples, lost_samples;
    uint64_t bytes;
    char error[CP_ERROR_TEXT_BYTES]; /* why keeping fails just now; "" */
};

/* CP_ERR_EXISTS while another recorder listens to the stream. */
int cp_recorder_start(struct cp_hls *hls, cp_chunk_keep_fn *keep, void *user,
                      struct cp_recorder **ret_recorder, struct cp_error *error);
struct cp_recorder_status cp_recorder_status(struct cp_recorder *recorder); /* any thread */
/* Keeps what has come, each chunk tried once more at most, and ends. The status of the end is given. Before
 * the stream is destroyed. NULL is fine. */
void cp_recorder_stop(struct cp_recorder *recorder, struct cp_recorder_status *ret_status /* may be NULL */);

#endif
