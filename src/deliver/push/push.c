/* A channel's outputs: the table, and the way in for its packets. */
#include "deliver/push/push_int.h"

#include <libavformat/avformat.h>
#include <stdlib.h>
#include <string.h>

struct cp_push {
    struct cp_push_format format;
    cp_push_state_fn *on_state;
    void *user;
    pthread_mutex_t lock; /* guards the table; an output's own lock may be taken while it is held */
    struct cp_push_output *output[CP_PUSH_MAX_OUTPUTS];
};

const char *cp_push_state_name(enum cp_push_state state)
{
    static const char *const NAME[] = {"idle", "connecting", "live", "retrying", "failed"};
    return NAME[state];
}

int cp_push_create(int width, int height, const uint8_t *aac_extradata, int aac_extradata_bytes,
                   cp_push_state_fn *on_state, void *user, struct cp_push **ret_push, struct cp_error *error)
{
    if (aac_extradata_bytes < 0 || aac_extradata_bytes == 1 || aac_extradata_bytes > CP_PUSH_AAC_BYTES)
        return cp_fail(error, CP_ERR_INVALID, "push", "an AudioSpecificConfig of %d bytes",
                       aac_extradata_bytes);
    struct cp_push *push = calloc(1, sizeof *push);
    if (!push)
        return cp_fail(error, CP_ERR_NOMEM, "push", "out of memory");
    push->format =
        (struct cp_push_format){.width = width, .height = height, .aac_bytes = aac_extradata_bytes};
    if (aac_extradata_bytes)
        memcpy(push->format.aac, aac_extradata, (size_t)aac_extradata_bytes);
    push->on_state = on_state;
    push->user = user;
    pthread_mutex_init(&push->lock, NULL);
    avformat_network_init();
    *ret_push = push;
    return 0;
}

void cp_push_destroy(struct cp_push *push)
{
    if (!push)
        return;
    for (int i = 0; i < CP_PUSH_MAX_OUTPUTS; i++)
        if (push->output[i])
            cp_push_output_stop(push->output[i]);
    pthread_mutex_destroy(&push->lock);
    free(push);
}

/* Under the lock: its place, that of a free one for NULL, or -1. */
static int find(const struct cp_push *push, const char *id)
{
    for (int i = 0; i < CP_PUSH_MAX_OUTPUTS; i++)
        if (id ? push->output[i] && !strcmp(push->output[i]->spec.id, id) : !push->output[i])
            return i;
    return -1;
}

int cp_push_start(struct cp_push *push, const struct cp_push_spec *spec, struct cp_error *error)
{
    int result, place = -1;
    pthread_mutex_lock(&push->lock);
    if (find(push, spec->id) >= 0)
        result = cp_fail(error, CP_ERR_EXISTS, "push", "the output runs already");
    else if ((place = find(push, NULL)) < 0)
        result = cp_fail(error, CP_ERR_LIMIT, "push", "%d outputs run, which is the most a channel has",
                         CP_PUSH_MAX_OUTPUTS);
    else
        result = cp_push_output_start(spec, &push->format, push->on_state, push->user, &push->output[place],
                                      error);
    pthread_mutex_unlock(&push->lock);
    return result;
}

int cp_push_stop(struct cp_push *push, const char *id, struct cp_error *error)
{
    pthread_mutex_lock(&push->lock);
    int place = find(push, id);
    struct cp_push_output *output = place < 0 ? NULL : push->output[place];
    if (output)
        push->output[place] = NULL;
    pthread_mutex_unlock(&push->lock);
    if (!output)
        return cp_fail(error, CP_ERR_NOT_FOUND, "push", "the output does not run");
    cp_push_output_stop(output);
    return 0;
}

bool cp_push_status(struct cp_push *push, const char *id, struct cp_push_status *ret_status)
{
    pthread_mutex_lock(&push->lock);
    int place = find(push, id);
    if (place >= 0) {
        pthread_mutex_lock(&push->output[place]->lock);
        *ret_status = push->output[place]->status;
        pthread_mutex_unlock(&push->output[place]->lock);
    }
    pthread_mutex_unlock(&push->lock);
    return place >= 0;
}

int cp_push_list(struct cp_push *push, char ret_ids[CP_PUSH_MAX_OUTPUTS][40])
{
    int n = 0;
    pthread_mutex_lock(&push->lock);
    for (int i = 0; i < CP_PUSH_MAX_OUTPUTS; i++)
        if (push->output[i])
            memcpy(ret_ids[n++], push->output[i]->spec.id, 40);
    pthread_mutex_unlock(&push->lock);
    return n;
}

void cp_push_packet(struct cp_push *push, struct cp_packet *packet)
{
    if (packet->codec != CP_CODEC_H264 && packet->codec != CP_CODEC_AAC)
        return;
    pthread_mutex_lock(&push->lock);
    for (int i = 0; i < CP_PUSH_MAX_OUTPUTS; i++)
        if (push->output[i])
            cp_push_output_take(push->output[i], packet);
    pthread_mutex_unlock(&push->lock);
}
