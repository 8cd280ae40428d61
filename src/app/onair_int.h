/* One channel's way from the show to the viewers, as its files share it: onair.c runs it, onair_stats.c reads
 * it. */
#ifndef CP_APP_ONAIR_INT_H
#define CP_APP_ONAIR_INT_H

#include "app/app.h"

#include "base/lane.h"
#include "media/packet.h"

struct sound {
    struct cp_pool *pool;
    int64_t at_samples, captured_wall_ns;
    struct cp_stamps stamps;
    int16_t pcm[CP_SAMPLES_PER_FRAME];
};

enum news_kind { NEWS_UNSET, NEWS_CAPTION, NEWS_TIMING };
struct news {
    struct cp_pool *pool;
    enum news_kind kind;
    char cue[40];
    int64_t at_samples;
    struct cp_stamps stamps;
    struct cp_utterance *utterance; /* a reference */
};

struct cp_onair {
    struct cp_ref ref;
    struct cp_app *app;
    char channel[40];
    struct cp_model *model;
    const struct cp_set *set;
    struct cp_stage_door *door;
    struct cp_actor *actor;
    struct cp_render *render;
    struct cp_venc *venc;
    struct cp_aenc *opus, *aac;
    struct cp_webrtc_stream *stream;
    struct cp_hls *hls;
    struct cp_pool *pictures, *sounds, *news_pool;
    struct cp_lane to_venc, to_aenc, to_news, sent_news;
    pthread_t draw_thread, venc_thread, aenc_thread, news_thread;
    bool draw_started, venc_started, aenc_started, news_started;
    atomic_bool stopping;
    int64_t start_ns, start_wall_ns;

    atomic_int camera; /* index into the set's cameras, used while no cue names one */
    _Atomic(struct cp_picture *) last_picture;
    atomic_bool speaking;
    _Atomic int64_t video_delay_ns, audio_delay_ns; /* captured -> sent, of the last packet of each */
    _Atomic int64_t last_frame_ns;
    _Atomic uint64_t frames, late, no_picture, lost_news, encode_failures;
    _Atomic double fps;

    struct cp_metric *step[CP_STEP_COUNT], *frames_metric, *dropped_metric, *fps_metric, *viewers_metric,
        *av_offset;
    struct cp_metric *asked_to_sent;
};

#endif
