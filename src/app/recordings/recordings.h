/*
 * Recordings: a channel's stream, kept as it goes on air. A recording is a record "recordings/<id>" and
 * objects recordings/<id>/init.mp4 and recordings/<id>/<number>-<at>-<length>-<i|p>.m4s, a second each, whose
 * names say all that is needed to put them together. All expire at one time, counted from the start.
 *
 *   recordings.c   start and stop, the records, what a crash left
 *   download.c     the whole, or one item, as a fragmented MP4
 *   api_recordings.c
 */
#ifndef CP_APP_RECORDINGS_H
#define CP_APP_RECORDINGS_H

#include "app/app.h"
#include "app/signer.h"
#include "base/runner.h"
#include "deliver/record/recorder.h"

#include <stdatomic.h>

#define CP_RECORDINGS_RECORDS  "recordings"
#define CP_RECORDING_ID_BYTES  32
#define CP_RECORDING_KEY_BYTES 120

/* One that is being made. */
struct cp_recording_run {
    struct cp_recordings *recordings;
    struct cp_recorder *recorder;
    char id[CP_RECORDING_ID_BYTES], channel[40];
    int64_t expires_wall_ns, ends_ns; /* ends_ns: monotonic; then it is stopped */
    json_t *record;                   /* under recordings->lock */
    bool changed;                     /* likewise: the record is not in the store as it is here */
    int chunks_unsaved;               /* thread: recorder */
};

struct cp_recordings {
    struct cp_app *app;
    pthread_mutex_t lock; /* guards the table and what it points to; not held while the store is asked */
    struct cp_recording_run *running[CP_MAX_ON_AIR];
    struct cp_runner runner; /* "recordings": what takes long, and the end of those that are long enough */
    struct cp_signer signer;
    atomic_int downloads;
    atomic_bool closing;
    struct cp_metric *seconds, *bytes, *lost, *sent;
};

/* recordings/<id>/ */
void cp_recording_prefix(const char *id, char ret_prefix[CP_RECORDING_KEY_BYTES]);
/* What an object's name says; false when it is none of a recording's chunks. */
bool cp_recording_read_name(const char *key, struct cp_chunk *ret_chunk);

/* The number of the item that the cue is, or of the item `number`; -1 when there is no such item. cue "" and
 * number -1: none is meant, -1. */
int cp_recording_find_item(const json_t *recording, const char *cue, int64_t number);

/* What is wanted of a recording: an item by its cue or its number, else a range; the whole is 0 to INT64_MAX.
 */
struct cp_recording_range {
    char cue[40]; /* or "" */
    int64_t item; /* or -1 */
    int64_t from_ms, to_ms;
};
/* Answers the request, from the key frame before the range on; holds it meanwhile. */
void cp_recordings_send(struct cp_recordings *recordings, const char *id,
                        const struct cp_recording_range *range, struct cp_request *request);

#endif
