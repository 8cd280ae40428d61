/* An output's queue: references, never more than the newest second, whole from a key frame on. */
#include "deliver/push/push_int.h"

#include "base/clock.h"

#include <time.h>

/* Under the lock; there is one. */
static struct cp_packet *take_first(struct cp_push_output *output)
{
    struct cp_packet *packet = output->queue[output->first];
    output->first = (output->first + 1) % CP_PUSH_QUEUE;
    output->depth--;
    output->pictures -= packet->codec == CP_CODEC_H264;
    return packet;
}

/* Under the lock. */
static void empty(struct cp_push_output *output)
{
    while (output->depth) {
        struct cp_packet *packet = take_first(output);
        output->status.dropped += packet->codec == CP_CODEC_H264;
        cp_ref_drop(packet);
    }
}

void cp_push_output_take(struct cp_push_output *output, struct cp_packet *packet)
{
    pthread_mutex_lock(&output->lock);
    bool picture = packet->codec == CP_CODEC_H264;
    if (output->wants &&
        (output->depth == CP_PUSH_QUEUE || (picture && output->pictures == CP_PUSH_PICTURES))) {
        empty(output);
        output->whole = false;
    }
    output->whole |= picture && packet->key;
    if (output->wants && output->whole) {
        output->queue[(output->first + output->depth++) % CP_PUSH_QUEUE] = cp_ref_take(packet);
        output->pictures += picture;
        pthread_cond_signal(&output->wake);
    } else if (output->wants && output->status.state == CP_PUSH_LIVE) {
        output->status.dropped += picture;
    }
    pthread_mutex_unlock(&output->lock);
}

void cp_push_want(struct cp_push_output *output, bool wants)
{
    pthread_mutex_lock(&output->lock);
    empty(output);
    output->wants = wants;
    output->whole = false;
    pthread_mutex_unlock(&output->lock);
}

/* Under the lock; false when the time is over. */
static bool wait_until(struct cp_push_output *output, int64_t deadline_ns)
{
    struct timespec deadline = {deadline_ns / CP_NS_PER_S, deadline_ns % CP_NS_PER_S};
    return !pthread_cond_timedwait(&output->wake, &output->lock, &deadline);
}

struct cp_packet *cp_push_next(struct cp_push_output *output, int64_t wait_ns)
{
    int64_t deadline_ns = cp_clock_now_ns() + wait_ns;
    struct cp_packet *packet = NULL;
    pthread_mutex_lock(&output->lock);
    while (!output->depth && !atomic_load(&output->stopping) && wait_until(output, deadline_ns)) {
    }
    if (output->depth && !atomic_load(&output->stopping))
        packet = take_first(output);
    pthread_mutex_unlock(&output->lock);
    return packet;
}

void cp_push_rest(struct cp_push_output *output, int64_t wait_ns)
{
    int64_t deadline_ns = cp_clock_now_ns() + wait_ns;
    pthread_mutex_lock(&output->lock);
    while (!atomic_load(&output->stopping) && wait_until(output, deadline_ns)) {
    }
    pthread_mutex_unlock(&output->lock);
}
