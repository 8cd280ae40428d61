/*
 * A recording as one file: the header, then the chunks moved in time so that the file begins at zero. Each
 * download has a thread of its own that reads a chunk, waits until the one before has left, and writes it:
 * the reader's pace is the thread's, and two chunks are all the memory that it takes.
 */
#include "app/recordings/recordings.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "deliver/hls/fmp4.h"
#include "media/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DOWNLOADS = 8,
    MAX_CHUNK_BYTES = 64 << 20,
    PAGE = 1000,
    LOOK_MS = 200, /* between looks whether the server stops */
};

struct piece {
    struct cp_chunk chunk;
    char key[CP_RECORDING_KEY_BYTES];
};

struct download {
    struct cp_recordings *recordings;
    struct cp_request *request; /* held */
    char id[CP_RECORDING_ID_BYTES];
    int64_t from, to; /* samples after the recording's begin */
    struct piece *pieces;
    int n, capacity;
};

static int add(struct download *download, const char *key, struct cp_error *error)
{
    struct cp_chunk chunk;
    if (!cp_recording_read_name(key, &chunk))
        return 0;
    if (download->n == download->capacity) {
        int capacity = download->capacity ? 2 * download->capacity : 256;
        struct piece *more = realloc(download->pieces, (size_t)capacity * sizeof *more);
        if (!more)
            return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
        download->pieces = more;
        download->capacity = capacity;
    }
    struct piece *piece = &download->pieces[download->n++];
    piece->chunk = chunk;
    snprintf(piece->key, sizeof piece->key, "%.119s", key);
    return 0;
}

/* All chunks, in their order: keys come sorted, and begin with the number. */
static int find_pieces(struct download *download, struct cp_error *error)
{
    struct cp_store *store = download->recordings->app->store;
    char prefix[CP_RECORDING_KEY_BYTES], cursor[CP_STORE_CURSOR_BYTES] = "";
    int result = 0;
    cp_recording_prefix(download->id, prefix);
    do {
        struct cp_object_info *infos = NULL;
        int n = 0;
        result =
            cp_store_object_list(store, prefix, *cursor ? cursor : NULL, PAGE, &infos, &n, cursor, error);
        for (int i = 0; i < n && !result; i++)
            result = add(download, infos[i].key, error);
        free(infos);
    } while (!result && *cursor);
    if (!result && !download->n)
        result = cp_fail(error, CP_ERR_NOT_FOUND, "app",
                         "nothing of this recording is stored yet; try again in two seconds");
    return result;
}

/* Leaves the pieces from the last key frame at or before `from`, up to `to`. */
static int choose(struct download *download, struct cp_error *error)
{
    int64_t begin = download->pieces[0].chunk.at;
    int first = 0, end = 0;
    for (int i = 0; i < download->n; i++) {
        const struct cp_chunk *chunk = &download->pieces[i].chunk;
        if (chunk->independent && chunk->at - begin <= download->from)
            first = i;
        if (chunk->at - begin < download->to)
            end = i + 1;
    }
    const struct cp_chunk *last = &download->pieces[download->n - 1].chunk;
    if (download->from >= last->at + last->length - begin || end <= first)
        return cp_fail(error, CP_ERR_INVALID, "app", "the recording is %.1f s long",
                       (double)(last->at + last->length - begin) / CP_SAMPLE_HZ);
    download->n = end - first;
    memmove(download->pieces, download->pieces + first, (size_t)download->n * sizeof *download->pieces);
    return 0;
}

/* False when nobody reads any more, or the server stops. */
static bool wait_sent(struct download *download, struct cp_stream *stream)
{
    int sent = 0;
    while (!sent && !atomic_load(&download->recordings->closing))
        sent = cp_stream_wait_sent(stream, cp_clock_now_ns() + LOOK_MS * CP_NS_PER_MS);
    return sent > 0;
}

static bool send_piece(struct download *download, struct cp_stream *stream, const struct piece *piece,
                       struct cp_buffer *bytes, struct cp_error *error)
{
    bytes->length = 0;
    if (cp_store_object_get(download->recordings->app->store, piece->key, 0, -1, bytes, error))
        return false;
    if (!cp_fmp4_shift(bytes->data, bytes->length, -download->pieces[0].chunk.at)) {
        cp_fail(error, CP_ERR_FORMAT, "app", "object %s is damaged", piece->key);
        return false;
    }
    if (!wait_sent(download, stream) || !cp_stream_write(stream, bytes->data, bytes->length))
        return false;
    cp_metric_add(download->recordings->sent, (double)bytes->length);
    return true;
}

static void send_all(struct download *download, struct cp_buffer *bytes)
{
    struct cp_error error = {.text = ""};
    struct cp_stream *stream = cp_request_reply_stream(download->request, 200, "video/mp4");
    if (!stream)
        return;
    bool good = cp_stream_write(stream, bytes->data, bytes->length);
    for (int i = 0; i < download->n && good; i++)
        good = send_piece(download, stream, &download->pieces[i], bytes, &error);
    if (*error.text)
        cp_log(CP_LOG_ERROR, "app", "recording not sent whole", "recording=%s error=\"%s\"", download->id,
               error.text);
    cp_stream_end(stream, good);
}

static void *run(void *arg)
{
    struct download *download = arg;
    struct cp_recordings *recordings = download->recordings;
    struct cp_error error;
    struct cp_buffer bytes = cp_buffer_make(MAX_CHUNK_BYTES);
    char key[CP_RECORDING_KEY_BYTES], disposition[96];
    int result = find_pieces(download, &error);
    if (!result)
        result = choose(download, &error);
    if (!result) {
        cp_recording_prefix(download->id, key);
        snprintf(key + strlen(key), sizeof key - strlen(key), "init.mp4");
        result = cp_store_object_get(recordings->app->store, key, 0, -1, &bytes, &error);
    }
    if (result) {
        cp_request_fail(download->request, &error);
    } else {
        snprintf(disposition, sizeof disposition, "attachment; filename=\"%s.mp4\"", download->id);
        cp_request_add_header(download->request, "Content-Disposition", disposition);
        send_all(download, &bytes);
    }
    cp_buffer_free(&bytes);
    free(download->pieces);
    free(download);
    atomic_fetch_sub(&recordings->downloads, 1); /* last: then they may be destroyed */
    return NULL;
}

static int64_t samples_of_ms(int64_t ms)
{
    return ms < INT64_MAX / CP_SAMPLE_HZ ? ms * (CP_SAMPLE_HZ / 1000) : INT64_MAX;
}

/* When the item begins; behind the last one, never. */
static int64_t item_samples(const json_t *recording, int i)
{
    const json_t *item = json_array_get(json_object_get(recording, "items"), (size_t)i);
    return item ? (int64_t)(json_number_value(json_object_get(item, "at_s")) * CP_SAMPLE_HZ) : INT64_MAX;
}

/* What of the recording is wanted: a cue lasts until the next one begins. */
static int read_range(const json_t *recording, const struct cp_recording_range *range,
                      struct download *download, struct cp_error *error)
{
    download->from = samples_of_ms(range->from_ms);
    download->to = samples_of_ms(range->to_ms);
    if (!*range->cue)
        return 0;
    int item = cp_recording_find_cue(recording, range->cue);
    if (item < 0)
        return cp_fail(error, CP_ERR_NOT_FOUND, "app", "cue \"%.39s\" is not in this recording", range->cue);
    download->from = item_samples(recording, item);
    download->to = item_samples(recording, item + 1);
    return 0;
}

void cp_recordings_send(struct cp_recordings *recordings, const char *id,
                        const struct cp_recording_range *range, struct cp_request *request)
{
    struct cp_error error;
    pthread_t thread;
    json_t *recording = NULL;
    struct download *download = calloc(1, sizeof *download);
    if (!download) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return;
    }
    int result = cp_recordings_get(recordings, id, &recording, &error);
    if (!result)
        result = read_range(recording, range, download, &error);
    json_decref(recording);
    if (result) {
        cp_request_fail(request, &error);
        free(download);
        return;
    }
    download->recordings = recordings;
    download->request = request;
    snprintf(download->id, sizeof download->id, "%s", id);
    if (atomic_fetch_add(&recordings->downloads, 1) >= MAX_DOWNLOADS || atomic_load(&recordings->closing)) {
        atomic_fetch_sub(&recordings->downloads, 1);
        cp_request_add_header(request, "Retry-After", "10");
        cp_request_fail_status(request, 503, "busy",
                               "too many recordings are being downloaded; try again soon");
        free(download);
        return;
    }
    cp_request_hold(request, NULL, NULL);
    if (cp_thread_start(&thread, "download", run, download)) {
        cp_request_fail_status(request, 500, "out of threads", "");
        atomic_fetch_sub(&recordings->downloads, 1);
        free(download);
        return;
    }
    pthread_detach(thread);
}
