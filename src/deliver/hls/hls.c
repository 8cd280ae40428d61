/* The LL-HLS server: options, creation, the way in, and the end. */
#include "hls_int.h"

#include "base/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OPTION(member) .offset = offsetof(struct cp_hls_config, member)

const struct cp_option cp_hls_options[] = {
    {.name = "part_s",
     .type = CP_OPTION_FLOAT,
     .fallback = "0.2",
     .min = 0.1,
     .max = 2,
     .help = "length of an LL-HLS part, seconds; rounded to whole frames",
     OPTION(part_s)},
    {.name = "segment_s",
     .type = CP_OPTION_FLOAT,
     .fallback = "2",
     .min = 0.5,
     .max = 10,
     .help = "length of a segment, seconds; a multiple of encode.idr_s, since segments start at key frames",
     OPTION(segment_s)},
    {.name = "segments",
     .type = CP_OPTION_INT,
     .fallback = "10",
     .min = 4,
     .max = 1000,
     .help = "segments in the playlist",
     OPTION(segments)},
    {.name = "max_waiting",
     .type = CP_OPTION_INT,
     .fallback = "5000",
     .min = 1,
     .max = 100000,
     .help = "requests that may wait for the next part at once; more are answered 503",
     OPTION(max_waiting)},
};
const size_t cp_hls_n_options = sizeof cp_hls_options / sizeof *cp_hls_options;

static int check(const struct cp_hls_config *config, int width, int height, const char *epoch, int aac_bytes,
                 struct cp_error *error)
{
    if (width < 2 || height < 2 || width > 65535 || height > 65535)
        return cp_fail(error, CP_ERR_INVALID, "hls", "a picture of %dx%d", width, height);
    if (!*epoch || strlen(epoch) >= CP_HLS_EPOCH_BYTES ||
        strspn(epoch, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(epoch))
        return cp_fail(error, CP_ERR_INVALID, "hls", "the epoch must be 1 to %d letters and digits",
                       CP_HLS_EPOCH_BYTES - 1);
    if (aac_bytes < 0 || aac_bytes == 1 || aac_bytes > 16)
        return cp_fail(error, CP_ERR_INVALID, "hls", "an AudioSpecificConfig of %d bytes", aac_bytes);
    if (!(config->part_s >= 0.03 && config->segment_s >= config->part_s &&
          config->segment_s / config->part_s <= CP_HLS_MAX_PARTS / 2))
        return cp_fail(error, CP_ERR_INVALID, "hls", "hls.segment_s must be 1 to %d times hls.part_s",
                       CP_HLS_MAX_PARTS / 2);
    if (config->segments < 1 || config->max_waiting < 1)
        return cp_fail(error, CP_ERR_INVALID, "hls", "hls.segments and hls.max_waiting must be 1 or more");
    return 0;
}

static int start(struct cp_hls *hls)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&hls->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&hls->wake, &attr);
    pthread_condattr_destroy(&attr);
    hls->waiters = calloc((size_t)hls->max_waiting, sizeof *hls->waiters);
    hls->segments = calloc((size_t)hls->n_ring, sizeof *hls->segments);
    if (!hls->waiters || !hls->segments || cp_hls_captions_create(hls))
        return CP_ERR_NOMEM;
    for (int i = 0; i < hls->max_waiting; i++)
        hls->waiters[i].next = i + 1 < hls->max_waiting ? i + 1 : -1;
    int result = cp_thread_start(&hls->timer, "hls", cp_hls_timer, hls);
    hls->timer_runs = !result;
    return result;
}

int cp_hls_create(const struct cp_hls_config *config, int width, int height, const char *epoch,
                  const uint8_t *aac_extradata, int aac_extradata_bytes, struct cp_hls **ret_hls,
                  struct cp_error *error)
{
    int result = check(config, width, height, epoch, aac_extradata_bytes, error);
    if (result)
        return result;
    struct cp_hls *hls = calloc(1, sizeof *hls);
    if (!hls)
        return cp_fail(error, CP_ERR_NOMEM, "hls", "out of memory");
    hls->width = width;
    hls->height = height;
    memcpy(hls->epoch, epoch, strlen(epoch));
    if (aac_extradata_bytes)
        memcpy(hls->aac, aac_extradata, (size_t)aac_extradata_bytes);
    hls->aac_bytes = aac_extradata_bytes;
    hls->part_samples = lround(config->part_s * CP_FRAME_HZ) * CP_SAMPLES_PER_FRAME;
    hls->segment_samples = lround(config->segment_s * CP_FRAME_HZ) * CP_SAMPLES_PER_FRAME;
    hls->target_s = (hls->segment_samples + CP_SAMPLE_HZ - 1) / CP_SAMPLE_HZ;
    hls->window = (int)config->segments;
    /* A segment stays for as long again as the playlist that named it (RFC 8216bis 6.2.2). */
    hls->n_ring = 2 * hls->window + 2;
    hls->max_waiting = (int)config->max_waiting;
    hls->video.bytes = cp_buffer_make(CP_HLS_PENDING_BYTES);
    hls->audio.bytes = cp_buffer_make(CP_HLS_PENDING_BYTES);
    hls->scratch = cp_buffer_make(CP_HLS_PENDING_BYTES);
    if (start(hls)) {
        cp_hls_destroy(hls);
        return cp_fail(error, CP_ERR_NOMEM, "hls", "out of memory or threads");
    }
    *ret_hls = hls;
    return 0;
}

void cp_hls_destroy(struct cp_hls *hls)
{
    if (!hls)
        return;
    pthread_mutex_lock(&hls->lock);
    hls->stopping = true;
    int first = hls->waiters ? cp_hls_collect_overdue(hls, 0, true) : -1;
    pthread_cond_signal(&hls->wake);
    pthread_mutex_unlock(&hls->lock);
    cp_hls_answer(hls, first);
    if (hls->timer_runs)
        pthread_join(hls->timer, NULL);
    cp_hls_playlists_outdated(hls);
    cp_hls_segmenter_free(hls);
    free(hls->waiters);
    free(hls->captions);
    pthread_cond_destroy(&hls->wake);
    pthread_mutex_destroy(&hls->lock);
    free(hls);
}

void cp_hls_push(struct cp_hls *hls, const struct cp_packet *packet)
{
    pthread_mutex_lock(&hls->lock);
    int first = cp_hls_take(hls, packet) ? cp_hls_collect_ready(hls) : -1;
    pthread_mutex_unlock(&hls->lock);
    cp_hls_answer(hls, first);
}

int cp_hls_listen(struct cp_hls *hls, void (*on_cut)(void *user, const struct cp_hls_cut *cut), void *user,
                  struct cp_error *error)
{
    pthread_mutex_lock(&hls->lock);
    bool taken = hls->on_cut != NULL;
    if (!taken) {
        hls->on_cut = on_cut;
        hls->on_cut_user = user;
    }
    pthread_mutex_unlock(&hls->lock);
    return taken ? cp_fail(error, CP_ERR_EXISTS, "hls", "the stream is being kept already") : 0;
}

void cp_hls_unlisten(struct cp_hls *hls)
{
    pthread_mutex_lock(&hls->lock);
    hls->on_cut = NULL;
    pthread_mutex_unlock(&hls->lock);
}

struct cp_hls_stats cp_hls_stats(struct cp_hls *hls)
{
    pthread_mutex_lock(&hls->lock);
    struct cp_hls_stats stats = hls->stats;
    stats.waiting = hls->n_waiting;
    pthread_mutex_unlock(&hls->lock);
    return stats;
}
