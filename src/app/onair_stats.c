/* What a channel's way says of itself: stats for the studio, gauges for the metrics, and the step that is
 * slow. */
#include "app/onair_int.h"

#include "base/clock.h"

#include <stdio.h>

static json_t *queue_json(const char *name, struct cp_queue_stats stats)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", name, "depth", (json_int_t)stats.depth, "max",
                     (json_int_t)stats.max_depth, "capacity", (json_int_t)stats.capacity, "dropped",
                     (json_int_t)(stats.dropped + stats.refused));
}

/* The step that holds the line up now, or NULL: blocked before slow, early before late. */
static const char *slow_step(struct cp_onair *onair)
{
    const int64_t frame_ns = CP_NS_PER_S / CP_FRAME_HZ;
    struct cp_speech_stats speech = cp_speech_stats(onair->app->speech);
    int64_t now_ns = cp_clock_now_ns();
    if (speech.working_since_ns && now_ns - speech.working_since_ns > 2 * CP_NS_PER_S)
        return cp_step_name(CP_STEP_SPOKEN);
    if (now_ns - atomic_load(&onair->last_frame_ns) > CP_NS_PER_S / 2)
        return cp_step_name(CP_STEP_DRAWN);
    if (cp_ring_stats(onair->to_venc.ring).depth > 2)
        return cp_step_name(CP_STEP_ENCODED);
    static const enum cp_step FRAME_STEPS[] = {CP_STEP_POSED, CP_STEP_DRAWN, CP_STEP_ENCODED, CP_STEP_SENT};
    for (size_t i = 0; i < sizeof FRAME_STEPS / sizeof FRAME_STEPS[0]; i++)
        if (cp_metric_quantile(onair->step[FRAME_STEPS[i]], 0.95) * 1e9 > (double)frame_ns)
            return cp_step_name(FRAME_STEPS[i]);
    return NULL;
}

/* Voices that could not speak within the last half minute, and who spoke instead. */
static json_t *voices_json(struct cp_speech *speech)
{
    const int64_t recent_ns = 30 * CP_NS_PER_S;
    struct cp_speech_failover failovers[CP_SPEECH_MAX_FAILOVERS];
    int n = cp_speech_failovers(speech, failovers, CP_SPEECH_MAX_FAILOVERS);
    int64_t now_ns = cp_clock_now_ns();
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        if (now_ns - failovers[i].last_ns < recent_ns)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "down", failovers[i].from, "speaking",
                                                  failovers[i].to, "why", failovers[i].why));
    return list;
}

json_t *cp_onair_stats(struct cp_onair *onair)
{
    struct cp_webrtc_stats webrtc = cp_webrtc_stats(onair->app->webrtc, onair->stream);
    struct cp_hls_stats hls = cp_hls_stats(onair->hls);
    struct cp_venc_stats venc = cp_venc_stats(onair->venc);
    int64_t up_ns = cp_clock_now_ns() - onair->start_ns;
    json_t *stats = json_object(), *steps = json_array(), *queues = json_array();
    for (enum cp_step step = CP_STEP_POSED; step < CP_STEP_COUNT; step++)
        json_array_append_new(steps, json_pack("{s:s, s:f, s:f}", "step", cp_step_name(step), "p50_ms",
                                               cp_metric_quantile(onair->step[step], 0.5) * 1e3, "p95_ms",
                                               cp_metric_quantile(onair->step[step], 0.95) * 1e3));
    json_array_append_new(queues, queue_json("pictures", cp_ring_stats(onair->to_venc.ring)));
    json_array_append_new(queues, queue_json("sound", cp_ring_stats(onair->to_aenc.ring)));
    json_array_append_new(queues, queue_json("news", cp_ring_stats(onair->to_news.ring)));
    json_object_set_new(stats, "viewers",
                        json_pack("{s:i, s:i}", "webrtc", webrtc.viewers, "hls", hls.waiting));
    json_object_set_new(stats, "fps", json_real(atomic_load(&onair->fps)));
    json_object_set_new(stats, "frames", json_integer((json_int_t)atomic_load(&onair->frames)));
    json_object_set_new(
        stats, "dropped",
        json_integer((json_int_t)(atomic_load(&onair->late) + atomic_load(&onair->no_picture))));
    json_object_set_new(stats, "encoded", json_integer((json_int_t)venc.frames));
    json_object_set_new(stats, "encodes_per_s",
                        json_real(up_ns > 0 ? (double)venc.frames * 1e9 / (double)up_ns : 0));
    json_object_set_new(stats, "idrs", json_integer((json_int_t)venc.idrs));
    json_object_set_new(stats, "idrs_coalesced", json_integer((json_int_t)venc.idr_coalesced));
    json_object_set_new(
        stats, "av_offset_ms",
        json_real((double)(atomic_load(&onair->video_delay_ns) - atomic_load(&onair->audio_delay_ns)) / 1e6));
    const char *slow = slow_step(onair);
    json_object_set_new(stats, "slow_step", slow ? json_string(slow) : json_null());
    json_object_set_new(stats, "voices", voices_json(onair->app->speech));
    json_object_set_new(stats, "speaking", json_boolean(atomic_load(&onair->speaking)));
    json_object_set_new(stats, "uptime_s", json_real((double)up_ns / 1e9));
    json_object_set_new(stats, "stages", json_integer(cp_stagehand_alive(onair->stagehand)));
    json_object_set_new(stats, "width", json_integer(onair->width));
    json_object_set_new(stats, "height", json_integer(onair->height));
    json_object_set_new(stats, "music", cp_onair_music_json(onair->music));
    json_object_set_new(stats, "simd", json_string(cp_simd_name(onair->simd)));
    json_object_set_new(stats, "first_frame_ms",
                        json_pack("{s:f, s:f}", "p50", cp_metric_quantile(onair->asked_to_sent, 0.5) * 1e3,
                                  "p95", cp_metric_quantile(onair->asked_to_sent, 0.95) * 1e3));
    json_object_set_new(stats, "steps", steps);
    json_object_set_new(stats, "queues", queues);
    return stats;
}

void cp_onair_collect(struct cp_onair *onair)
{
    static const char *const NAME[] = {"pictures", "sound", "news"};
    const struct cp_lane *lanes[] = {&onair->to_venc, &onair->to_aenc, &onair->to_news};
    struct cp_observe *observe = onair->app->observe;
    for (int i = 0; i < 3; i++) {
        struct cp_queue_stats stats = cp_ring_stats(lanes[i]->ring);
        char labels[160];
        snprintf(labels, sizeof labels, "channel=\"%s\",queue=\"%s\"", onair->channel, NAME[i]);
        cp_metric_set(cp_gauge(observe, "compere_queue_depth", labels, "Items waiting in a queue"),
                      (double)stats.depth);
        cp_metric_set(
            cp_gauge(observe, "compere_queue_dropped", labels, "Items that a queue had no room for"),
            (double)(stats.dropped + stats.refused));
    }
    cp_metric_set(onair->stages_alive, cp_stagehand_alive(onair->stagehand));
    cp_onair_collect_music(onair->music);
    cp_metric_set(onair->fps_metric, atomic_load(&onair->fps));
    cp_metric_set(onair->dropped_metric,
                  (double)(atomic_load(&onair->late) + atomic_load(&onair->no_picture)));
    cp_metric_set(onair->av_offset,
                  (double)(atomic_load(&onair->video_delay_ns) - atomic_load(&onair->audio_delay_ns)) / 1e9);
}
