/* One channel's way from the show to the viewers, as its files share it: onair.c runs it, onair_stats.c reads
 * it. */
#ifndef CP_APP_ONAIR_INT_H
#define CP_APP_ONAIR_INT_H

#include "app/app.h"
#include "app/scene.h"

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
    bool first_of_line; /* of a caption */
    int64_t at_samples;
    struct cp_stamps stamps;
    struct cp_utterance *utterance; /* a reference */
};

/* A change of the channel's own stage, whose request is held until the stage is there. */
struct change {
    struct change *next;
    uint64_t job;
    struct cp_request *request;
    json_t *changes;
};

struct cp_onair_music;

struct cp_onair {
    struct cp_ref ref;
    struct cp_app *app;
    char channel[40];
    int width, height; /* of the picture; for as long as it is on air */
    struct cp_stage_door *door;
    char first_presenter[40]; /* who stands there when the channel names nobody */
    struct cp_troupe troupe;
    struct cp_stagehand *stagehand;
    struct cp_cards *cards;
    struct cp_onair_music *music;
    enum cp_simd simd;
    pthread_mutex_t changes_lock;
    struct change *changes;
    uint64_t last_change;
    struct cp_venc *venc;
    struct cp_aenc *opus, *aac;
    struct cp_webrtc_stream *stream;
    struct cp_hls *hls;
    struct cp_push *push;
    struct cp_pool *pictures, *sounds, *news_pool;
    struct cp_lane to_venc, to_aenc, to_news, sent_news;
    pthread_t draw_thread, venc_thread, aenc_thread, news_thread;
    bool draw_started, venc_started, aenc_started, news_started;
    atomic_bool stopping;
    int64_t start_ns, start_wall_ns;

    _Atomic(const char *) camera; /* used while no cue names one */
    atomic_uint own_changes;      /* of the channel's own stage */
    atomic_bool guarded;          /* who plays it needs a token */
    _Atomic(struct cp_picture *) last_picture;
    pthread_mutex_t cutout_lock; /* one frame with alpha is asked for at a time; not the draw thread's */
    /* Put there to be drawn into, taken by the draw thread, and given back in the other. */
    _Atomic(struct cp_cutout *) cutout_wanted, cutout_drawn;
    atomic_bool speaking;
    _Atomic int64_t video_delay_ns, audio_delay_ns; /* captured -> sent, of the last packet of each */
    _Atomic int64_t last_frame_ns;
    _Atomic uint64_t frames, late, no_picture, lost_news, encode_failures;
    _Atomic double fps;

    struct cp_metric *step[CP_STEP_COUNT], *frames_metric, *dropped_metric, *fps_metric, *viewers_metric,
        *av_offset;
    struct cp_metric *asked_to_sent;
    struct cp_metric *snapshots, *cutouts;
    struct cp_metric *stages_made, *stages_failed, *stages_alive, *stage_seconds;
};

/* --- onair_stage.c --- */

/* Makes the channel's own scene and starts its stagehand. */
int cp_onair_make_stage(struct cp_onair *onair, const json_t *channel, struct cp_error *error);
struct cp_show_stager cp_onair_stager(struct cp_onair *onair);

/* --- onair_music.c --- */

int cp_onair_music_create(struct cp_onair *onair, struct cp_error *error);
/* After the draw thread's end; NULL is fine. */
void cp_onair_music_destroy(struct cp_onair_music *music);
/* Adds a tick of music to the voice. speech_in: as in struct cp_moment. thread: draw */
void cp_onair_mix_music(struct cp_onair_music *music, int32_t speech_in, int16_t *pcm);
json_t *cp_onair_music_json(struct cp_onair_music *music);
void cp_onair_collect_music(struct cp_onair_music *music);

#endif
