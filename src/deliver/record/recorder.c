#include "deliver/record/recorder.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "media/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_SAMPLES = CP_SAMPLE_HZ,
    QUEUE = 256, /* parts: 51 s of the usual 0.2 s */
    MAX_CHUNK_BYTES = 64 << 20,
    FIRST_PAUSE_MS = 250,
    MAX_PAUSE_MS = 5000,
};

struct part {
    struct cp_hls_body *init, *body; /* references */
    int64_t at, length;
    bool independent;
};

struct cp_recorder {
    struct cp_hls *hls;
    cp_chunk_keep_fn *keep;
    void *user;
    struct cp_queue *queue;
    pthread_t thread;
    pthread_mutex_t lock; /* guards status, closing */
    pthread_cond_t closes;
    struct cp_recorder_status status;
    bool closing;

    /* thread: recorder */
    struct cp_hls_body *init; /* a reference: the header that was kept */
    struct cp_buffer bytes;   /* of the chunk that grows */
    struct cp_chunk chunk;
    bool gave_up; /* while closing: nothing more is tried */
};

static void free_part(void *item)
{
    struct part *part = item;
    cp_ref_drop(part->init);
    cp_ref_drop(part->body);
    free(part);
}

static void count_lost(struct cp_recorder *recorder, int64_t samples)
{
    pthread_mutex_lock(&recorder->lock);
    recorder->status.lost_samples += samples;
    pthread_mutex_unlock(&recorder->lock);
}

/* thread: venc, aenc; under the stream's lock */
static void on_cut(void *user, const struct cp_hls_cut *cut)
{
    struct cp_recorder *recorder = user;
    pthread_mutex_lock(&recorder->lock);
    bool begins = !recorder->status.begun && cut->independent;
    if (begins)
        recorder->status.from_samples = recorder->status.to_samples = cut->at;
    recorder->status.begun |= begins;
    bool begun = recorder->status.begun;
    pthread_mutex_unlock(&recorder->lock);
    if (!begun)
        return;
    struct part *part = malloc(sizeof *part);
    if (part) {
        *part = (struct part){cp_ref_take(cut->init), cp_ref_take(cut->body), cut->at, cut->length,
                              cut->independent};
        if (cp_queue_push(recorder->queue, part))
            return;
        free_part(part);
    }
    count_lost(recorder, cut->length);
}

/* Waits before the next try; false when the recorder closes. */
static bool pause_ms(struct cp_recorder *recorder, int64_t ms)
{
    int64_t until_ns = cp_clock_now_ns() + ms * CP_NS_PER_MS;
    struct timespec until = {until_ns / CP_NS_PER_S, until_ns % CP_NS_PER_S};
    pthread_mutex_lock(&recorder->lock);
    while (!recorder->closing && !pthread_cond_timedwait(&recorder->closes, &recorder->lock, &until))
        ;
    bool goes_on = !recorder->closing;
    pthread_mutex_unlock(&recorder->lock);
    return goes_on;
}

static bool keep_chunk(struct cp_recorder *recorder, const struct cp_chunk *chunk)
{
    for (int64_t pause = FIRST_PAUSE_MS;; pause = 2 * pause < MAX_PAUSE_MS ? 2 * pause : MAX_PAUSE_MS) {
        struct cp_error error = {.text = ""};
        int result = recorder->keep(recorder->user, chunk, &error);
        pthread_mutex_lock(&recorder->lock);
        struct cp_recorder_status *status = &recorder->status;
        memcpy(status->error, error.text, sizeof status->error);
        if (!result) {
            *status->error = '\0';
            status->bytes += chunk->n_bytes;
            status->kept_samples += chunk->length;
            if (chunk->number)
                status->to_samples = chunk->at + chunk->length;
        }
        pthread_mutex_unlock(&recorder->lock);
        if (!result)
            return true;
        if (!pause_ms(recorder, pause)) {
            recorder->gave_up = true;
            return false;
        }
    }
}

static void end_chunk(struct cp_recorder *recorder)
{
    struct cp_chunk *chunk = &recorder->chunk;
    if (!chunk->length)
        return;
    chunk->number++;
    chunk->bytes = recorder->bytes.data;
    chunk->n_bytes = recorder->bytes.length;
    if (recorder->bytes.failed || recorder->gave_up || !keep_chunk(recorder, chunk))
        count_lost(recorder, chunk->length);
    recorder->bytes.length = 0;
    recorder->bytes.failed = false;
    chunk->length = 0;
}

/* Whether the part's header is the one that was kept; the first one is kept now. A recording has one header:
 * a changed picture would need another file. */
static bool has_header(struct cp_recorder *recorder, const struct part *part)
{
    struct cp_hls_body *init = recorder->init;
    if (init && init != part->init)
        return init->length == part->init->length && !memcmp(init->data, part->init->data, init->length);
    if (init)
        return true;
    struct cp_chunk header = {.bytes = part->init->data, .n_bytes = part->init->length};
    if (recorder->gave_up || !keep_chunk(recorder, &header))
        return false;
    recorder->init = cp_ref_take(part->init);
    return true;
}

static void take(struct cp_recorder *recorder, struct part *part)
{
    struct cp_chunk *chunk = &recorder->chunk;
    if (part->independent || part->at != chunk->at + chunk->length)
        end_chunk(recorder);
    if (!has_header(recorder, part)) {
        count_lost(recorder, part->length);
    } else {
        if (!chunk->length) {
            chunk->at = part->at;
            chunk->independent = part->independent;
        }
        cp_buffer_add(&recorder->bytes, part->body->data, part->body->length);
        chunk->length += part->length;
        if (chunk->length >= CHUNK_SAMPLES)
            end_chunk(recorder);
    }
    free_part(part);
}

static void *run(void *arg)
{
    struct cp_recorder *recorder = arg;
    for (struct part *part; (part = cp_queue_pop(recorder->queue, INT64_MAX));)
        take(recorder, part);
    end_chunk(recorder);
    return NULL;
}

static void free_recorder(struct cp_recorder *recorder)
{
    cp_queue_destroy(recorder->queue);
    cp_buffer_free(&recorder->bytes);
    cp_ref_drop(recorder->init);
    pthread_cond_destroy(&recorder->closes);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder);
}

int cp_recorder_start(struct cp_hls *hls, cp_chunk_keep_fn *keep, void *user,
                      struct cp_recorder **ret_recorder, struct cp_error *error)
{
    struct cp_recorder *recorder = calloc(1, sizeof *recorder);
    pthread_condattr_t attributes;
    if (!recorder)
        return cp_fail(error, CP_ERR_NOMEM, "record", "out of memory");
    recorder->hls = hls;
    recorder->keep = keep;
    recorder->user = user;
    recorder->bytes = cp_buffer_make(MAX_CHUNK_BYTES);
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&recorder->closes, &attributes);
    pthread_condattr_destroy(&attributes);
    recorder->queue = cp_queue_create("recorder", QUEUE, CP_FULL_REFUSE, free_part);
    if (!recorder->queue || cp_thread_start(&recorder->thread, "recorder", run, recorder)) {
        free_recorder(recorder);
        return cp_fail(error, CP_ERR_NOMEM, "record", "cannot start a recorder");
    }
    int result = cp_hls_listen(hls, on_cut, recorder, error);
    if (result) {
        cp_queue_close(recorder->queue);
        pthread_join(recorder->thread, NULL);
        free_recorder(recorder);
        return result;
    }
    *ret_recorder = recorder;
    return 0;
}

struct cp_recorder_status cp_recorder_status(struct cp_recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    struct cp_recorder_status status = recorder->status;
    pthread_mutex_unlock(&recorder->lock);
    return status;
}

void cp_recorder_stop(struct cp_recorder *recorder, struct cp_recorder_status *ret_status)
{
    if (!recorder)
        return;
    cp_hls_unlisten(recorder->hls);
    pthread_mutex_lock(&recorder->lock);
    recorder->closing = true;
    pthread_cond_signal(&recorder->closes);
    pthread_mutex_unlock(&recorder->lock);
    cp_queue_close(recorder->queue);
    pthread_join(recorder->thread, NULL);
    if (ret_status)
        *ret_status = recorder->status;
    free_recorder(recorder);
}
