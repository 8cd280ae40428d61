/*
 * A channel's music: loaded and decoded on a thread of its own, "music", handed to the draw thread as one
 * pointer, and freed by the same thread when the draw thread has let go of it. The draw thread only adds.
 */
#include "app/onair_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "speech/music.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_VOLUME_DB (-18)
#define DEFAULT_DUCK_DB   (-12)
#define LET_GO_NS         (100 * CP_NS_PER_MS) /* how often the draw thread is asked whether it has */

struct cp_onair_music {
    struct cp_onair *onair;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* guarded by the lock */
    char wanted[40], playing[40]; /* media ids; "" is none */
    char problem[CP_ERROR_TEXT_BYTES];
    bool loading, closing;
    double seconds;
    /* between this thread and draw */
    _Atomic(struct cp_music *) now;
    _Atomic(const struct cp_music *) used; /* what the mixer used in its last tick */
    atomic_uint ticks;                     /* mixed so far */
    _Atomic float volume_db, duck_db, gain;
    struct cp_music_mixer mixer; /* draw's own */
    struct cp_music *left; /* still in use when the channel stopped: freed after the draw thread's end */
    struct cp_metric *loaded, *failed, *bytes, *gain_metric;
};

/* --- thread: music --- */

static int load(struct cp_onair_music *music, const char *media, struct cp_music **ret_loop,
                struct cp_error *error)
{
    struct cp_app *app = music->onair->app;
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES + 1);
    int result = cp_asset_read(app->store, CP_ASSET_MEDIA, media, &bytes, NULL, error);
    if (!result)
        result = cp_music_open(bytes.data, bytes.length, app->config.speech.loudness_lufs, ret_loop, error);
    cp_buffer_free(&bytes);
    return result;
}

/* Puts another loop in place and waits until the old one is not heard any more. A tick that begins after the
 * exchange knows the new one, and the mixer never goes back. */
static void change_over(struct cp_onair_music *music, struct cp_music *loop)
{
    struct cp_music *old = atomic_exchange(&music->now, loop);
    unsigned since = atomic_load(&music->ticks);
    while (old && (atomic_load(&music->ticks) - since < 2 || atomic_load(&music->used) == old)) {
        if (atomic_load(&music->onair->stopping)) {
            music->left = old;
            return;
        }
        cp_clock_sleep_until_ns(cp_clock_now_ns() + LET_GO_NS);
    }
    cp_ref_drop(old);
}

static void *run_music(void *arg)
{
    struct cp_onair_music *music = arg;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 5); /* this thread's only; frames come first */
    pthread_mutex_lock(&music->lock);
    while (!music->closing) {
        if (!strcmp(music->wanted, music->playing)) {
            pthread_cond_wait(&music->changed, &music->lock);
            continue;
        }
        char media[sizeof music->wanted];
        memcpy(media, music->wanted, sizeof media);
        music->loading = true;
        pthread_mutex_unlock(&music->lock);

        struct cp_music *loop = NULL;
        struct cp_error error = {.text = ""};
        int result = *media ? load(music, media, &loop, &error) : 0;
        if (result)
            cp_log(CP_LOG_WARN, "app", "music not played", "channel=%s media=%s error=\"%s\"",
                   music->onair->channel, media, error.text);
        cp_metric_add(result ? music->failed : music->loaded, *media ? 1 : 0);
        cp_metric_set(music->bytes, loop ? (double)(loop->n * sizeof *loop->pcm) : 0);
        double seconds = loop ? (double)loop->n / CP_SAMPLE_HZ : 0;
        change_over(music, loop);

        pthread_mutex_lock(&music->lock);
        memcpy(music->playing, media, sizeof media);
        memcpy(music->problem, error.text, sizeof music->problem);
        music->seconds = seconds;
        music->loading = false;
    }
    pthread_mutex_unlock(&music->lock);
    return NULL;
}

/* --- thread: draw --- */

void cp_onair_mix_music(struct cp_onair_music *music, int32_t speech_in, int16_t *pcm)
{
    const struct cp_music *now = atomic_load(&music->now);
    const struct cp_music_levels levels = {
        .volume_db = atomic_load_explicit(&music->volume_db, memory_order_relaxed),
        .duck_db = atomic_load_explicit(&music->duck_db, memory_order_relaxed)};
    cp_music_mix(&music->mixer, now, levels, speech_in, pcm, CP_SAMPLES_PER_FRAME);
    atomic_store_explicit(&music->gain, music->mixer.music ? music->mixer.gain : 0, memory_order_relaxed);
    atomic_store(&music->used, music->mixer.music);
    atomic_fetch_add(&music->ticks, 1);
}

/* --- any other thread --- */

static float number_of(const json_t *object, const char *field, double fallback)
{
    const json_t *value = json_object_get(object, field);
    return (float)(value ? json_number_value(value) : fallback);
}

void cp_onair_set_music(struct cp_onair *onair, const json_t *channel)
{
    struct cp_onair_music *music = onair->music;
    const json_t *spec = json_object_get(channel, "music");
    const char *media = json_string_value(json_object_get(spec, "media"));
    atomic_store(&music->volume_db, number_of(spec, "volume_db", DEFAULT_VOLUME_DB));
    atomic_store(&music->duck_db, number_of(spec, "duck_db", DEFAULT_DUCK_DB));
    pthread_mutex_lock(&music->lock);
    snprintf(music->wanted, sizeof music->wanted, "%s", media ? media : "");
    if (*music->wanted && !music->started) {
        music->started = !cp_thread_start(&music->thread, "music", run_music, music);
        if (!music->started)
            cp_log(CP_LOG_ERROR, "app", "music not played", "channel=%s error=\"no thread\"", onair->channel);
    }
    pthread_cond_signal(&music->changed);
    pthread_mutex_unlock(&music->lock);
}

json_t *cp_onair_music_json(struct cp_onair_music *music)
{
    float gain = atomic_load(&music->gain);
    pthread_mutex_lock(&music->lock);
    bool waits = music->loading || strcmp(music->wanted, music->playing) != 0;
    const char *state = waits ? "loading" : *music->problem ? "failed" : *music->playing ? "playing" : "off";
    json_t *json = json_pack("{s:s, s:s, s:f, s:s}", "state", state, "media", music->wanted, "seconds",
                             music->seconds, "problem", music->problem);
    pthread_mutex_unlock(&music->lock);
    json_object_set_new(json, "gain_db", gain > 0 ? json_real(20 * log10((double)gain)) : json_null());
    return json;
}

void cp_onair_collect_music(struct cp_onair_music *music)
{
    cp_metric_set(music->gain_metric, (double)atomic_load(&music->gain));
}

int cp_onair_music_create(struct cp_onair *onair, struct cp_error *error)
{
    struct cp_onair_music *music = calloc(1, sizeof *music);
    struct cp_observe *observe = onair->app->observe;
    char channel[96], labels[160];
    if (!music)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    cp_observe_label(channel, sizeof channel, "channel", onair->channel);
    snprintf(labels, sizeof labels, "%s,result=\"loaded\"", channel);
    music->loaded = cp_counter(observe, "compere_music_loads_total", labels, "Music files by result");
    snprintf(labels, sizeof labels, "%s,result=\"failed\"", channel);
    music->failed = cp_counter(observe, "compere_music_loads_total", labels, "Music files by result");
    music->bytes = cp_gauge(observe, "compere_music_bytes", channel, "Memory of decoded music");
    music->gain_metric = cp_gauge(observe, "compere_music_gain", channel,
                                  "Gain of the music now; lower while somebody speaks");
    music->onair = onair;
    pthread_mutex_init(&music->lock, NULL);
    pthread_cond_init(&music->changed, NULL);
    onair->music = music;
    return 0;
}

void cp_onair_music_destroy(struct cp_onair_music *music)
{
    if (!music)
        return;
    pthread_mutex_lock(&music->lock);
    music->closing = true;
    pthread_cond_signal(&music->changed);
    pthread_mutex_unlock(&music->lock);
    if (music->started)
        pthread_join(music->thread, NULL);
    cp_ref_drop(music->left);
    cp_ref_drop(atomic_load(&music->now));
    cp_metric_set(music->bytes, 0);
    cp_metric_set(music->gain_metric, 0);
    pthread_cond_destroy(&music->changed);
    pthread_mutex_destroy(&music->lock);
    free(music);
}
