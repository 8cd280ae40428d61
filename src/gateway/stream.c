/*
 * Answers that leave while they are made. The maker writes from any thread; libmicrohttpd reads on its own
 * and is suspended while there is nothing. What is written and not yet sent is bounded.
 */
#include "gateway/gateway_int.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 << 10, MAX_WAITING_BYTES = 32 << 20 };

struct cp_stream {
    struct cp_ref ref;    /* the maker's, and the answer's */
    pthread_mutex_t lock; /* guards all below; before cp_clients.lock */
    pthread_cond_t left;  /* all that was written has left, or nobody reads any more */
    struct cp_buffer waiting;
    size_t sent_bytes; /* of waiting */
    bool ended, broken, gone;
    bool suspended;
    struct cp_request *request; /* held while libmicrohttpd reads */
};

static void free_stream(void *object)
{
    struct cp_stream *stream = object;
    cp_buffer_free(&stream->waiting);
    pthread_cond_destroy(&stream->left);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

struct cp_stream *cp_stream_create(void)
{
    struct cp_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    cp_ref_init(&stream->ref, free_stream);
    pthread_mutex_init(&stream->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&stream->left, &attributes);
    pthread_condattr_destroy(&attributes);
    stream->waiting = cp_buffer_make(MAX_WAITING_BYTES);
    return stream;
}

/* thread: holder of stream->lock */
static void wake(struct cp_stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    cp_client_unwatch(stream->request->gateway, stream->request->client);
    MHD_resume_connection(stream->request->connection);
}

bool cp_stream_write(struct cp_stream *stream, const void *bytes, size_t length)
{
    pthread_mutex_lock(&stream->lock);
    if (!stream->gone && !stream->broken) {
        cp_buffer_add(&stream->waiting, bytes, length);
        stream->broken = stream->waiting.failed; /* the client reads too slowly */
        wake(stream);
    }
    bool good = !stream->gone && !stream->broken;
    pthread_mutex_unlock(&stream->lock);
    return good;
}

int cp_stream_wait_sent(struct cp_stream *stream, int64_t deadline_ns)
{
    struct timespec until = {deadline_ns / CP_NS_PER_S, deadline_ns % CP_NS_PER_S};
    pthread_mutex_lock(&stream->lock);
    while (!stream->gone && !stream->broken && stream->waiting.length &&
           !pthread_cond_timedwait(&stream->left, &stream->lock, &until))
        ;
    int result = stream->gone || stream->broken ? -1 : !stream->waiting.length;
    pthread_mutex_unlock(&stream->lock);
    return result;
}

void cp_stream_end(struct cp_stream *stream, bool whole)
{
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    stream->broken = stream->broken || !whole;
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
    cp_ref_drop(stream);
}

/* thread: http */
static ssize_t read_stream(void *user, uint64_t position, char *to, size_t capacity)
{
    struct cp_stream *stream = user;
    ssize_t result;
    pthread_mutex_lock(&stream->lock);
    size_t left = stream->waiting.length - stream->sent_bytes, length = left < capacity ? left : capacity;
    if (stream->broken) {
        result = MHD_CONTENT_READER_END_WITH_ERROR; /* the connection breaks off, so that it is not taken for
                                                       whole */
    } else if (length) {
        memcpy(to, stream->waiting.data + stream->sent_bytes, length);
        stream->sent_bytes += length;
        if (stream->sent_bytes == stream->waiting.length) {
            stream->waiting.length = stream->sent_bytes = 0;
            pthread_cond_signal(&stream->left);
        }
        result = (ssize_t)length;
    } else if (stream->ended) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        result = 0;
        stream->suspended = true;
        cp_client_watch(stream->request->gateway, stream->request->client, stream->request);
        MHD_suspend_connection(stream->request->connection);
    }
    pthread_mutex_unlock(&stream->lock);
    return result;
}

static void end_reader(void *user)
{
    struct cp_stream *stream = user;
    struct cp_request *request = stream->request;
    pthread_mutex_lock(&stream->lock);
    stream->gone = true;
    stream->suspended = false;
    pthread_cond_signal(&stream->left);
    pthread_mutex_unlock(&stream->lock);
    cp_request_release(request);
    cp_ref_drop(stream);
}

struct MHD_Response *cp_stream_response(struct cp_request *request, struct cp_stream *stream)
{
    stream->request = request;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream, end_reader);
    if (!response)
        return NULL;
    atomic_fetch_add(&request->refs, 1);                          /* dropped by end_reader */
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* or nginx keeps it back */
    return response;
}
