/*
 * One channel's way from the show to the viewers. Three threads, a messenger and a disc jockey:
 *
 *   draw   one tick a frame: moment + sound from the show -> pose -> picture   --pictures--> venc
 *                                                                              --sound-----> aenc
 *   venc   picture -> H.264 -> WebRTC and HLS          aenc   sound -> Opus -> WebRTC, AAC -> HLS
 *   music  the channel's music, decoded whole; the draw thread adds it to the sound
 *   news   captions and timings -> events: everything that may allocate or wait
 *
 * Sound and picture of a tick carry the same sample clock; a late tick drops the picture, never the sound.
 */
#include "app/onair_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES       8 /* in flight: drawn, waiting, being encoded, kept for the snapshot */
#define SOUND_BLOCKS   64
#define NEWS           128
#define CUTOUT_WAIT_NS (CP_NS_PER_S / 2)
#define LATE_FRAME_NS  (CP_NS_PER_S / CP_FRAME_HZ)

/* --- what travels between the threads --- */

static void free_sound(void *item)
{
    cp_pool_put(((struct sound *)item)->pool, item);
}

static void free_news(void *item)
{
    struct news *news = item;
    cp_ref_drop(news->utterance);
    cp_pool_put(news->pool, news);
}

static void free_picture(void *item)
{
    cp_ref_drop(item);
}

static struct news *make_news(struct cp_onair *onair, enum news_kind kind, const char *cue)
{
    struct news *news = cp_pool_get(onair->news_pool);
    if (!news) {
        atomic_fetch_add(&onair->lost_news, 1);
        return NULL;
    }
    memset(news, 0, sizeof *news);
    news->pool = onair->news_pool;
    news->kind = kind;
    memcpy(news->cue, cue, sizeof news->cue);
    return news;
}

static void spread(struct cp_onair *onair, struct cp_lane *lane, struct news *news)
{
    if (news && !cp_lane_send(lane, news)) {
        atomic_fetch_add(&onair->lost_news, 1);
        free_news(news);
    }
}

/* --- draw --- */

struct drawing { /* the draw thread's own */
    struct cp_moment moment;
    struct cp_performer performer;
    struct cp_scene *line_scene; /* of the last line that spoke; NULL: the channel's own */
    unsigned own_changes;
    const struct cp_utterance *captioned;
};

/* The scene of the line that speaks. It stays after the last word, until the next line or until the channel's
 * own is changed. */
static struct cp_scene *choose_scene(struct cp_onair *onair, struct drawing *drawing)
{
    unsigned changes = atomic_load(&onair->own_changes);
    if (drawing->moment.utterance)
        drawing->line_scene = drawing->moment.scene;
    else if (changes != drawing->own_changes)
        drawing->line_scene = NULL;
    drawing->own_changes = changes;
    return cp_stagehand_enter(onair->stagehand, drawing->line_scene);
}

static void send_sound(struct cp_onair *onair, const int16_t *pcm, int64_t at_samples, int64_t wall_ns)
{
    struct sound *sound = cp_pool_get(onair->sounds);
    if (!sound)
        return; /* counted by the pool */
    sound->pool = onair->sounds;
    sound->at_samples = at_samples;
    sound->captured_wall_ns = wall_ns;
    memset(&sound->stamps, 0, sizeof sound->stamps);
    memcpy(sound->pcm, pcm, sizeof sound->pcm);
    if (!cp_lane_send(&onair->to_aenc, sound))
        free_sound(sound);
}

static void draw_picture(struct cp_onair *onair, struct drawing *drawing, int64_t frame, int64_t tick_ns)
{
    struct cp_picture *picture = cp_picture_get(onair->pictures, onair->width, onair->height);
    if (!picture) {
        atomic_fetch_add(&onair->no_picture, 1);
        return;
    }
    const struct cp_moment *moment = &drawing->moment;
    picture->frame = frame;
    picture->stamps.at_ns[CP_STEP_ASKED] = moment->cue_asked_ns;
    picture->stamps.at_ns[CP_STEP_SPOKEN] = tick_ns;
    picture->stamps.at_ns[CP_STEP_POSED] = cp_clock_now_ns();
    if (moment->first_of_line)
        memcpy(picture->cue, moment->cue, sizeof picture->cue);
    struct cp_cutout *cutout = atomic_exchange(&onair->cutout_wanted, NULL);
    cp_perform_draw(&drawing->performer, picture, cutout);
    if (cutout)
        atomic_store(&onair->cutout_drawn, cutout);
    if (onair->app->config.channel.test_code)
        cp_picture_stamp_code(
            picture, (uint64_t)((onair->start_wall_ns + frame * CP_NS_PER_S / CP_FRAME_HZ) / CP_NS_PER_MS));
    picture->stamps.at_ns[CP_STEP_DRAWN] = cp_clock_now_ns();
    cp_ref_drop(atomic_exchange(&onair->last_picture, cp_ref_take(picture)));
    if (!cp_lane_send(&onair->to_venc, picture)) {
        atomic_fetch_add(&onair->no_picture, 1);
        cp_ref_drop(picture);
    }
}

static void tell_caption(struct cp_onair *onair, struct drawing *drawing)
{
    const struct cp_moment *moment = &drawing->moment;
    if (moment->utterance == drawing->captioned)
        return;
    drawing->captioned = moment->utterance;
    struct news *news = make_news(onair, NEWS_CAPTION, moment->cue);
    if (!news)
        return;
    news->at_samples = moment->at_samples;
    news->first_of_line = moment->first_of_line;
    news->utterance = cp_ref_take((void *)moment->utterance);
    spread(onair, &onair->to_news, news);
}

static void *run_draw(void *arg)
{
    struct cp_onair *onair = arg;
    struct drawing *drawing = calloc(1, sizeof *drawing);
    int16_t pcm[CP_SAMPLES_PER_FRAME];
    int64_t window_ns = onair->start_ns;
    uint64_t window_frames = 0;
    drawing->performer.cards = onair->cards;
    drawing->performer.motions = onair->app->motions;
    drawing->performer.kept = cp_render_create_kept();
    for (int64_t frame = 0; !atomic_load(&onair->stopping); frame++) {
        int64_t due_ns = onair->start_ns + frame * CP_NS_PER_S / CP_FRAME_HZ;
        int64_t wall_ns = onair->start_wall_ns + frame * CP_NS_PER_S / CP_FRAME_HZ;
        cp_clock_sleep_until_ns(due_ns);
        int64_t tick_ns = cp_clock_now_ns();
        cp_show_moment(onair->door, &drawing->moment, pcm);
        cp_onair_mix_music(onair->music, drawing->moment.speech_in_samples, pcm);
        send_sound(onair, pcm, drawing->moment.at_samples, wall_ns);
        cp_perform(&drawing->performer, choose_scene(onair, drawing), &drawing->moment,
                   atomic_load_explicit(&onair->camera, memory_order_relaxed));
        tell_caption(onair, drawing);
        atomic_store_explicit(&onair->speaking, drawing->moment.utterance != NULL, memory_order_relaxed);
        bool late =
            tick_ns - due_ns > LATE_FRAME_NS && !(drawing->moment.first_of_line && *drawing->moment.cue);
        if (late)
            atomic_fetch_add(&onair->late,
                             1); /* the next tick is due already: sound goes on, this picture is skipped */
        else
            draw_picture(onair, drawing, frame, tick_ns);
        atomic_fetch_add(&onair->frames, !late);
        atomic_store(&onair->last_frame_ns, cp_clock_now_ns());
        window_frames += !late;
        if (tick_ns - window_ns >= CP_NS_PER_S) {
            atomic_store(&onair->fps, (double)window_frames * 1e9 / (double)(tick_ns - window_ns));
            window_ns = tick_ns;
            window_frames = 0;
        }
    }
    cp_ref_drop(drawing->performer.kept);
    free(drawing);
    return NULL;
}

/* --- encode --- */

static void on_video(void *user, struct cp_packet *packet)
{
    struct cp_onair *onair = user;
    cp_hls_push(onair->hls, packet);
    cp_webrtc_push(onair->stream, packet);
    cp_push_packet(onair->push, packet);
}

/* Sound is made a tick at a time, 33 ms at once, and leaves by the clock: each packet when its last sample is
 * due. Players that hold back what arrives in bursts then hold back less, and a tick that is late does not
 * show in the sound. */
static void on_opus(void *user, struct cp_packet *packet)
{
    struct cp_onair *onair = user;
    int64_t end_samples = packet->at_samples + packet->length_samples;
    cp_clock_sleep_until_ns(onair->start_ns + end_samples * CP_NS_PER_S / CP_SAMPLE_HZ);
    cp_webrtc_push(onair->stream, packet);
}

static void on_aac(void *user, struct cp_packet *packet)
{
    struct cp_onair *onair = user;
    cp_hls_push(onair->hls, packet);
    cp_push_packet(onair->push, packet);
}

static void *run_venc(void *arg)
{
    struct cp_onair *onair = arg;
    for (struct cp_picture *picture; (picture = cp_lane_receive(&onair->to_venc, &onair->stopping));) {
        int64_t wall_ns = onair->start_wall_ns + picture->frame * CP_NS_PER_S / CP_FRAME_HZ;
        struct cp_error error;
        if (cp_venc_encode(onair->venc, picture, wall_ns, &error) &&
            atomic_fetch_add(&onair->encode_failures, 1) % 300 == 0)
            cp_log(CP_LOG_ERROR, "app", "picture not encoded", "channel=%s error=\"%s\"", onair->channel,
                   error.text);
        const int64_t *at = picture->stamps.at_ns;
        int64_t now_ns = cp_clock_now_ns();
        cp_metric_observe_ns(onair->step[CP_STEP_POSED], at[CP_STEP_POSED] - at[CP_STEP_SPOKEN]);
        cp_metric_observe_ns(onair->step[CP_STEP_DRAWN], at[CP_STEP_DRAWN] - at[CP_STEP_POSED]);
        cp_metric_observe_ns(onair->step[CP_STEP_ENCODED], now_ns - at[CP_STEP_DRAWN]);
        cp_metric_add(onair->frames_metric, 1);
        cp_ref_drop(picture);
    }
    return NULL;
}

static void *run_aenc(void *arg)
{
    struct cp_onair *onair = arg;
    for (struct sound *sound; (sound = cp_lane_receive(&onair->to_aenc, &onair->stopping));) {
        struct cp_error error;
        if (cp_aenc_encode(onair->aac, sound->pcm, CP_SAMPLES_PER_FRAME, sound->at_samples,
                           sound->captured_wall_ns, &sound->stamps, &error) ||
            cp_aenc_encode(onair->opus, sound->pcm, CP_SAMPLES_PER_FRAME, sound->at_samples,
                           sound->captured_wall_ns, &sound->stamps, &error))
            atomic_fetch_add(&onair->encode_failures, 1);
        free_sound(sound);
    }
    return NULL;
}

/* --- what comes back from the viewers' side --- */

static void on_viewer(void *user, const char *session, bool joined)
{
    struct cp_onair *onair = user;
    cp_metric_add(onair->viewers_metric, joined ? 1 : -1);
}

static void on_want_idr(void *user)
{
    cp_venc_request_idr(((struct cp_onair *)user)->venc);
}

/* thread: net, or venc/aenc when no viewer is there; once a packet */
static void on_sent(void *user, const struct cp_packet *packet, int64_t at_ns)
{
    struct cp_onair *onair = user;
    int64_t delay_ns = at_ns - onair->start_ns - packet->at_samples * CP_NS_PER_S / CP_SAMPLE_HZ;
    if (packet->codec != CP_CODEC_H264) {
        atomic_store_explicit(&onair->audio_delay_ns, delay_ns, memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&onair->video_delay_ns, delay_ns, memory_order_relaxed);
    cp_metric_observe_ns(onair->step[CP_STEP_SENT], at_ns - packet->stamps.at_ns[CP_STEP_ENCODED]);
    if (!*packet->cue)
        return;
    struct news *news = make_news(onair, NEWS_TIMING, packet->cue);
    if (!news)
        return;
    news->stamps = packet->stamps;
    news->stamps.at_ns[CP_STEP_SENT] = at_ns;
    news->stamps.at_ns[CP_STEP_SPOKEN] =
        0; /* of a frame it means the tick; the show knows when the sound was ready */
    spread(onair, &onair->sent_news, news);
    cp_lane_wake(&onair->to_news);
}

/* thread: push */
static void on_output(void *user, const char *id, const struct cp_push_status *status)
{
    struct cp_onair *onair = user;
    cp_outputs_tell(onair->app, onair->channel, id, status);
}

/* --- news --- */

/* First of all, since the part that the words stand in is being coded already. */
static void tell_players(struct cp_onair *onair, const struct news *news)
{
    const struct cp_hls_speech speech = {.utterance = news->utterance,
                                         .cue = news->cue,
                                         .first_of_line = news->first_of_line,
                                         .at = news->at_samples,
                                         .wall_ns = onair->start_wall_ns +
                                                    news->at_samples * CP_NS_PER_S / CP_SAMPLE_HZ};
    cp_hls_tell(onair->hls, &speech);
}

static json_t *caption_json(const struct cp_onair *onair, const struct news *news)
{
    const struct cp_utterance *utterance = news->utterance;
    json_t *caption = json_object(), *words = json_array();
    json_object_set_new(caption, "channel", json_string(onair->channel));
    json_object_set_new(caption, "cue", *news->cue ? json_string(news->cue) : json_null());
    json_object_set_new(caption, "text", json_string(utterance ? utterance->text : ""));
    json_object_set_new(caption, "start_ms", json_integer(news->at_samples / (CP_SAMPLE_HZ / 1000)));
    json_object_set_new(
        caption, "wall_ms",
        json_integer((onair->start_wall_ns + news->at_samples * CP_NS_PER_S / CP_SAMPLE_HZ) / CP_NS_PER_MS));
    json_object_set_new(caption, "duration_ms",
                        json_integer(utterance ? utterance->n_samples / (CP_SAMPLE_HZ / 1000) : 0));
    for (size_t i = 0; utterance && i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        if (mark->type == CP_MARK_WORD)
            json_array_append_new(words, json_pack("{s:i, s:i, s:i}", "t_ms",
                                                   mark->at_samples / (CP_SAMPLE_HZ / 1000), "start",
                                                   mark->start - utterance->text_start, "end",
                                                   mark->end - utterance->text_start));
    }
    json_object_set_new(caption, "words", words);
    return caption;
}

static void tell(struct cp_onair *onair, struct news *news)
{
    if (news->kind == NEWS_CAPTION) {
        tell_players(onair, news);
        cp_gateway_publish(onair->app->gateway, "caption", onair->channel, caption_json(onair, news));
        if (news->first_of_line)
            cp_recordings_mark(onair->app->recordings, onair->channel, news->cue, news->utterance->text,
                               news->at_samples);
    } else {
        if (news->stamps.at_ns[CP_STEP_ASKED])
            cp_metric_observe_ns(onair->asked_to_sent,
                                 news->stamps.at_ns[CP_STEP_SENT] - news->stamps.at_ns[CP_STEP_ASKED]);
        cp_show_timing(onair->app->show, onair->channel, news->cue, &news->stamps);
    }
    free_news(news);
}

static void *run_news(void *arg)
{
    struct cp_onair *onair = arg;
    while (!atomic_load(&onair->stopping)) {
        struct news *news;
        while ((news = cp_ring_pop(onair->to_news.ring)) || (news = cp_ring_pop(onair->sent_news.ring)))
            tell(onair, news);
        cp_lane_wait(&onair->to_news);
    }
    return NULL;
}

/* --- start and stop --- */

static void destroy(void *object)
{
    struct cp_onair *onair = object;
    atomic_store(&onair->stopping, true);
    if (onair->draw_started)
        pthread_join(onair->draw_thread, NULL);
    cp_onair_music_destroy(onair->music);
    cp_show_leave(onair->door);
    struct cp_lane *lanes[] = {&onair->to_venc, &onair->to_aenc, &onair->to_news};
    for (int i = 0; i < 3; i++)
        cp_lane_wake(lanes[i]);
    if (onair->venc_started)
        pthread_join(onair->venc_thread, NULL);
    if (onair->aenc_started)
        pthread_join(onair->aenc_thread, NULL);
    cp_webrtc_stream_destroy(onair->stream); /* after this no callback comes */
    cp_recordings_leave(onair->app->recordings, onair->channel);
    cp_hls_destroy(onair->hls);
    cp_push_destroy(onair->push);
    if (onair->news_started)
        pthread_join(onair->news_thread, NULL);
    cp_venc_destroy(onair->venc);
    cp_aenc_destroy(onair->opus);
    cp_aenc_destroy(onair->aac);
    cp_lane_close(&onair->to_venc, free_picture);
    cp_lane_close(&onair->to_aenc, free_sound);
    cp_lane_close(&onair->to_news, free_news);
    cp_lane_close(&onair->sent_news, free_news);
    cp_ref_drop(atomic_exchange(&onair->last_picture, NULL));
    cp_cards_destroy(onair->cards);
    cp_stagehand_destroy(onair->stagehand);
    pthread_mutex_destroy(&onair->changes_lock);
    pthread_mutex_destroy(&onair->cutout_lock);
    cp_pool_destroy(onair->pictures);
    cp_pool_destroy(onair->sounds);
    cp_pool_destroy(onair->news_pool);
    free(onair);
}

static void make_metrics(struct cp_onair *onair)
{
    struct cp_observe *observe = onair->app->observe;
    char channel[96], labels[160];
    cp_observe_label(channel, sizeof channel, "channel", onair->channel);
    for (enum cp_step step = CP_STEP_POSED; step < CP_STEP_COUNT; step++) {
        snprintf(labels, sizeof labels, "%s,step=\"%s\"", channel, cp_step_name(step));
        onair->step[step] = cp_histogram(observe, "compere_step_seconds", labels, "Time spent in a step");
    }
    onair->asked_to_sent = cp_histogram(observe, "compere_cue_first_frame_seconds", channel,
                                        "From a cue's request to its first speaking frame sent");
    snprintf(labels, sizeof labels, "%s,kind=\"picture\"", channel);
    onair->snapshots =
        cp_counter(observe, "compere_snapshots_total", labels, "Pictures given as PNG, by kind");
    snprintf(labels, sizeof labels, "%s,kind=\"alpha\"", channel);
    onair->cutouts = cp_counter(observe, "compere_snapshots_total", labels, "Pictures given as PNG, by kind");
    onair->frames_metric = cp_counter(observe, "compere_frames_total", channel, "Frames drawn and encoded");
    onair->dropped_metric =
        cp_gauge(observe, "compere_frames_dropped", channel, "Frames skipped since start");
    onair->fps_metric = cp_gauge(observe, "compere_fps", channel, "Frames a second, over the last second");
    onair->viewers_metric =
        cp_gauge(observe, "compere_viewers", channel, "WebRTC viewers with media flowing");
    onair->av_offset = cp_gauge(observe, "compere_av_offset_seconds", channel,
                                "How much later picture leaves than the sound of the same moment");
}

/* Last, for from now on lines ask for their stages. */
static int enter_show(struct cp_onair *onair, struct cp_error *error)
{
    const struct cp_show_stager stager = cp_onair_stager(onair);
    return cp_show_enter(onair->app->show, onair->channel, &stager, &onair->door, error);
}

static int size_of(const json_t *spec, const char *field, int64_t fallback)
{
    const json_t *own = json_object_get(spec, field);
    return (int)(own ? json_integer_value(own) : fallback) & ~1;
}

static int make_stages(struct cp_onair *onair, const json_t *spec, struct cp_error *error)
{
    struct cp_app *app = onair->app;
    const struct cp_app_config *config = &app->config;
    int width = onair->width, height = onair->height;
    uint8_t extradata[16];
    static const struct cp_webrtc_events EVENTS = {
        .viewer = on_viewer, .want_idr = on_want_idr, .sent = on_sent};

    onair->pictures = cp_picture_pool_create(width, height, PICTURES);
    onair->sounds = cp_pool_create(sizeof(struct sound), SOUND_BLOCKS);
    onair->news_pool = cp_pool_create(sizeof(struct news), NEWS);
    if (!onair->pictures || !onair->sounds || !onair->news_pool || !cp_lane_open(&onair->to_venc, 4) ||
        !cp_lane_open(&onair->to_aenc, SOUND_BLOCKS) || !cp_lane_open(&onair->to_news, NEWS) ||
        !cp_lane_open(&onair->sent_news, NEWS))
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result = cp_onair_music_create(onair, error);
    if (!result)
        result = cp_onair_make_stage(onair, spec, error);
    if (!result)
        result = cp_venc_create(&config->encode, width, height, on_video, onair, &onair->venc, error);
    if (!result)
        result = cp_aenc_create(&config->encode, CP_CODEC_OPUS, on_opus, onair, &onair->opus, error);
    if (!result)
        result = cp_aenc_create(&config->encode, CP_CODEC_AAC, on_aac, onair, &onair->aac, error);
    if (!result)
        result =
            cp_hls_create(&config->hls, width, height, app->epoch, extradata,
                          cp_aenc_extradata(onair->aac, extradata, sizeof extradata), &onair->hls, error);
    if (!result)
        result = cp_push_create(width, height, extradata,
                                cp_aenc_extradata(onair->aac, extradata, sizeof extradata), on_output, onair,
                                &onair->push, error);
    if (!result)
        result = cp_webrtc_stream_create(app->webrtc, &EVENTS, onair, &onair->stream, error);
    if (!result)
        result = enter_show(onair, error);
    return result;
}

static int start_threads(struct cp_onair *onair, struct cp_error *error)
{
    onair->start_ns = cp_clock_now_ns();
    onair->start_wall_ns = cp_clock_wall_ns();
    onair->news_started = !cp_thread_start(&onair->news_thread, "news", run_news, onair);
    onair->aenc_started = !cp_thread_start(&onair->aenc_thread, "aenc", run_aenc, onair);
    onair->venc_started = !cp_thread_start(&onair->venc_thread, "venc", run_venc, onair);
    onair->draw_started = !cp_thread_start(&onair->draw_thread, "draw", run_draw, onair);
    if (onair->news_started && onair->aenc_started && onair->venc_started && onair->draw_started)
        return 0;
    return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start a thread");
}

int cp_onair_start(struct cp_app *app, const char *channel, struct cp_error *error)
{
    json_t *spec;
    int result = cp_show_channel_get(app->show, channel, &spec, error);
    if (result)
        return result;
    struct cp_onair *onair = calloc(1, sizeof *onair);
    if (!onair) {
        json_decref(spec);
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    }
    cp_ref_init(&onair->ref, destroy);
    onair->app = app;
    onair->to_venc = onair->to_aenc = onair->to_news = onair->sent_news = CP_LANE_INIT;
    snprintf(onair->channel, sizeof onair->channel, "%s", channel);
    pthread_mutex_init(&onair->changes_lock, NULL);
    pthread_mutex_init(&onair->cutout_lock, NULL);
    onair->width = size_of(spec, "width", app->config.channel.width);
    onair->height = size_of(spec, "height", app->config.channel.height);
    onair->camera = "";
    make_metrics(onair);
    result = make_stages(onair, spec, error);
    if (!result) {
        const char *camera = json_string_value(json_object_get(spec, "camera"));
        cp_onair_set_camera(onair, camera ? camera : "");
        cp_onair_set_music(onair, spec);
        cp_onair_set_access(onair, spec);
        cp_onair_set_language(onair, spec);
        result = start_threads(onair, error);
    }
    json_decref(spec);
    pthread_rwlock_wrlock(&app->on_air_lock);
    int slot = 0;
    while (slot < app->config.channel.max_on_air && app->on_air[slot])
        slot++;
    if (!result && slot == app->config.channel.max_on_air)
        result = cp_fail(error, CP_ERR_BUSY, "app",
                         "%d channels are on air, which is the most allowed "
                         "(--channel-max-on-air)",
                         slot);
    if (!result)
        app->on_air[slot] = cp_ref_take(onair);
    pthread_rwlock_unlock(&app->on_air_lock);
    if (!result)
        cp_outputs_start(app, channel, onair->push);
    cp_ref_drop(onair);
    return result;
}

static struct cp_onair *take_off(struct cp_app *app, const char *channel)
{
    struct cp_onair *found = NULL;
    pthread_rwlock_wrlock(&app->on_air_lock);
    for (int i = 0; i < CP_MAX_ON_AIR && !found; i++)
        if (app->on_air[i] && (!channel || !strcmp(app->on_air[i]->channel, channel))) {
            found = app->on_air[i];
            app->on_air[i] = NULL;
        }
    pthread_rwlock_unlock(&app->on_air_lock);
    return found;
}

void cp_onair_stop(struct cp_app *app, const char *channel)
{
    struct cp_onair *onair = take_off(app, channel);
    if (!onair)
        return;
    /* Requests that hold it are short; the last of them must not be the one that tears it down. */
    while (atomic_load(&onair->ref.count) > 1)
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 2 * CP_NS_PER_MS);
    cp_ref_drop(onair);
}

void cp_onair_stop_all(struct cp_app *app)
{
    for (struct cp_onair *onair; (onair = take_off(app, NULL));)
        cp_ref_drop(onair);
}

struct cp_onair *cp_onair_hold(struct cp_app *app, const char *channel)
{
    struct cp_onair *found = NULL;
    pthread_rwlock_rdlock(&app->on_air_lock);
    for (int i = 0; i < CP_MAX_ON_AIR && !found; i++)
        if (app->on_air[i] && !strcmp(app->on_air[i]->channel, channel))
            found = cp_ref_take(app->on_air[i]);
    pthread_rwlock_unlock(&app->on_air_lock);
    return found;
}

void cp_onair_release(struct cp_onair *onair)
{
    cp_ref_drop(onair);
}

struct cp_webrtc_stream *cp_onair_stream(struct cp_onair *onair)
{
    return onair->stream;
}

struct cp_hls *cp_onair_hls(struct cp_onair *onair)
{
    return onair->hls;
}

void cp_onair_set_language(struct cp_onair *onair, const json_t *channel)
{
    const char *name = json_string_value(json_object_get(channel, "voice"));
    const char *language = json_string_value(json_object_get(channel, "language"));
    const struct cp_voice *voice;
    if (!language && !cp_speech_find_voice(onair->app->speech, name ? name : "", "", &voice, NULL))
        language = voice->language;
    cp_hls_set_language(onair->hls, language ? language : "");
}

struct cp_push *cp_onair_push(struct cp_onair *onair)
{
    return onair->push;
}

void cp_onair_size(const struct cp_onair *onair, int *ret_width, int *ret_height)
{
    *ret_width = onair->width;
    *ret_height = onair->height;
}

int cp_onair_snapshot(struct cp_onair *onair, struct cp_buffer *out, struct cp_error *error)
{
    struct cp_picture *picture = NULL;
    for (int tries = 0; tries < 20 && !picture; tries++) {
        picture = atomic_exchange(&onair->last_picture, NULL); /* the draw thread puts the next one in */
        if (!picture)
            cp_clock_sleep_until_ns(cp_clock_now_ns() + 10 * CP_NS_PER_MS);
    }
    if (!picture)
        return cp_fail(error, CP_ERR_UNAVAILABLE, "app", "no picture was drawn yet; try again in a second");
    int result = cp_picture_write_png(picture, out, error);
    cp_metric_add(onair->snapshots, result ? 0 : 1);
    cp_ref_drop(picture);
    return result;
}

/* A frame with alpha: the draw thread takes the cutout and gives it back drawn. */
int cp_onair_cut_out(struct cp_onair *onair, struct cp_buffer *out, struct cp_error *error)
{
    struct cp_cutout *cutout = cp_cutout_create(onair->width, onair->height), *drawn = NULL;
    if (!cutout)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    pthread_mutex_lock(&onair->cutout_lock);
    atomic_store(&onair->cutout_wanted, cutout);
    for (int64_t until_ns = cp_clock_now_ns() + CUTOUT_WAIT_NS; !drawn && cp_clock_now_ns() < until_ns;) {
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 5 * CP_NS_PER_MS);
        drawn = atomic_exchange(&onair->cutout_drawn, NULL);
    }
    /* Not begun: take it back. Begun: it ends with the frame. */
    if (!drawn && !atomic_exchange(&onair->cutout_wanted, NULL))
        while (!(drawn = atomic_exchange(&onair->cutout_drawn, NULL)))
            cp_clock_sleep_until_ns(cp_clock_now_ns() + CP_NS_PER_MS);
    pthread_mutex_unlock(&onair->cutout_lock);
    int result = drawn ? cp_cutout_write_png(drawn, out, error)
                       : cp_fail(error, CP_ERR_UNAVAILABLE, "app", "no picture was drawn in time; try again");
    cp_metric_add(onair->cutouts, result ? 0 : 1);
    cp_cutout_destroy(cutout);
    return result;
}
