/*
 * A recording as one file: the header, an index, then the chunks moved in time so that the file begins at
 * zero. Their names and lengths say how long it is, so ranges of it can be asked for. Each download has a
 * thread of its own that reads a chunk, waits until the one before has left, and writes it: the reader's pace
 * is the thread's, and two chunks are all the memory that it takes.
 */
#include "app/recordings/recordings.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/range.h"
#include "base/thread.h"
#include "deliver/hls/fmp4.h"
#include "media/clock.h"

#include <inttypes.h>
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
    struct cp_chunk chunk; /* n_bytes: of the object */
    char key[CP_RECORDING_KEY_BYTES];
};

struct download {
    struct cp_recordings *recordings;
    struct cp_request *request; /* held */
    char id[CP_RECORDING_ID_BYTES], range[64];
    int64_t from, to;        /* samples after the recording's begin */
    int64_t start, end, pos; /* bytes of the file: those wanted, and where it has come to */
    struct piece *pieces;
    int n, capacity;
};

static int add(struct download *download, const struct cp_object_info *info, struct cp_error *error)
{
    struct cp_chunk chunk;
    if (!cp_recording_read_name(info->key, &chunk) || info->length_bytes > MAX_CHUNK_BYTES)
        return 0;
    chunk.n_bytes = (size_t)info->length_bytes;
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
    snprintf(piece->key, sizeof piece->key, "%.119s", info->key);
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
            result = add(download, &infos[i], error);
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

/* Writes what is wanted of the file's next bytes, when those before have left. */
static bool send_bytes(struct download *download, struct cp_stream *stream, const uint8_t *bytes,
                       size_t length)
{
    int64_t first = download->start > download->pos ? download->start - download->pos : 0;
    int64_t last = download->end - download->pos;
    if (last > (int64_t)length)
        last = (int64_t)length;
    download->pos += (int64_t)length;
    if (last <= first)
        return true;
    cp_metric_add(download->recordings->sent, (double)(last - first));
    return wait_sent(download, stream) && cp_stream_write(stream, bytes + first, (size_t)(last - first));
}

static bool send_piece(struct download *download, struct cp_stream *stream, const struct piece *piece,
                       struct cp_buffer *bytes, struct cp_error *error)
{
    size_t length = piece->chunk.n_bytes;
    bytes->length = 0;
    if (download->pos + (int64_t)length <= download->start || download->pos >= download->end) {
        download->pos += (int64_t)length;
        return true;
    }
    if (cp_store_object_get(download->recordings->app->store, piece->key, 0, -1, bytes, error))
        return false;
    if (bytes->length != length ||
        !cp_fmp4_shift(bytes->data, bytes->length, -download->pieces[0].chunk.at)) {
        cp_fail(error, CP_ERR_FORMAT, "app", "object %s is damaged", piece->key);
        return false;
    }
    return send_bytes(download, stream, bytes->data, length);
}

/* head: what stands before the pieces; it is used up. */
static void send_all(struct download *download, int status, struct cp_buffer *head)
{
    struct cp_error error = {.text = ""};
    struct cp_stream *stream = cp_request_reply_stream(download->request, status ? status : 200, "video/mp4");
    if (!stream)
        return;
    bool good = send_bytes(download, stream, head->data, head->length);
    for (int i = 0; i < download->n && good; i++)
        good = send_piece(download, stream, &download->pieces[i], head, &error);
    if (*error.text)
        cp_log(CP_LOG_ERROR, "app", "recording not sent whole", "recording=%s error=\"%s\"", download->id,
               error.text);
    cp_stream_end(stream, good);
}

/* The header and the index. A hole between two pieces belongs to the one before it. */
static int make_head(struct download *download, struct cp_buffer *head, struct cp_error *error)
{
    char key[CP_RECORDING_KEY_BYTES];
    cp_recording_prefix(download->id, key);
    snprintf(key + strlen(key), sizeof key - strlen(key), "init.mp4");
    int result = cp_store_object_get(download->recordings->app->store, key, 0, -1, head, error);
    int n = download->n;
    if (result || n > CP_FMP4_MAX_STRETCHES)
        return result;
    struct cp_fmp4_stretch *stretches = calloc((size_t)n, sizeof *stretches);
    if (!stretches)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    for (int i = 0; i < n; i++) {
        const struct cp_chunk *chunk = &download->pieces[i].chunk, *next = &download->pieces[i + 1].chunk;
        int64_t samples = i + 1 < n && next->at > chunk->at ? next->at - chunk->at : chunk->length;
        stretches[i] = (struct cp_fmp4_stretch){
            .bytes = (uint32_t)chunk->n_bytes, .samples = (uint32_t)samples, .key = chunk->independent};
    }
    cp_fmp4_write_index(head, stretches, n);
    free(stretches);
    return head->failed ? cp_fail(error, CP_ERR_NOMEM, "app", "out of memory") : 0;
}

/* Says what of the file comes; the status, 0 for the whole. */
static int choose_bytes(struct download *download, size_t head_bytes)
{
    char text[96];
    int64_t length = (int64_t)head_bytes;
    for (int i = 0; i < download->n; i++)
        length += (int64_t)download->pieces[i].chunk.n_bytes;
    download->end = length;
    int status = cp_range_read(download->range, length, &download->start, &download->end);
    cp_request_add_header(download->request, "Accept-Ranges", "bytes");
    if (status == 416)
        snprintf(text, sizeof text, "bytes */%" PRId64, length);
    else
        snprintf(text, sizeof text, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, download->start,
                 download->end - 1, length);
    if (status)
        cp_request_add_header(download->request, "Content-Range", text);
    return status;
}

static void answer(struct download *download)
{
    struct cp_error error;
    struct cp_buffer head = cp_buffer_make(MAX_CHUNK_BYTES);
    char disposition[96];
    int status = 0, result = find_pieces(download, &error);
    if (!result)
        result = choose(download, &error);
    if (!result)
        result = make_head(download, &head, &error);
    if (!result)
        status = choose_bytes(download, head.length);
    if (result) {
        cp_request_fail(download->request, &error);
    } else if (status == 416) {
        cp_request_fail_status(download->request, 416, "range not satisfiable",
                               "the file is shorter than that");
    } else {
        snprintf(disposition, sizeof disposition, "attachment; filename=\"%s.mp4\"", download->id);
        cp_request_add_header(download->request, "Content-Disposition", disposition);
        send_all(download, status, &head);
    }
    cp_buffer_free(&head);
}

static void *run(void *arg)
{
    struct download *download = arg;
    struct cp_recordings *recordings = download->recordings;
    answer(download);
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

/* What of the recording is wanted: an item lasts until the next one begins. */
static int read_range(const json_t *recording, const struct cp_recording_range *range,
                      struct download *download, struct cp_error *error)
{
    download->from = samples_of_ms(range->from_ms);
    download->to = samples_of_ms(range->to_ms);
    if (!*range->cue && range->item < 0)
        return 0;
    int item = cp_recording_find_item(recording, range->cue, range->item);
    if (item < 0)
        return cp_fail(error, CP_ERR_NOT_FOUND, "app",
                       "this recording has no such item; its record lists them");
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
    const char *bytes = cp_request_header(request, "Range");
    snprintf(download->range, sizeof download->range, "%s",
             bytes && strlen(bytes) < sizeof download->range ? bytes : "");
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
