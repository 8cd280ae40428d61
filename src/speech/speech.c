/* Requests, the queue and the speech thread. */
#include "speech/speech_int.h"
#include "speech/styles.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

#define OPTION(member) offsetof(struct cp_speech_config, member)
const struct cp_option cp_speech_options[] = {
    {.name = "voice",
     .type = CP_OPTION_TEXT,
     .fallback = "flite:slt",
     .help = "the voice of cues that name neither voice nor language",
     .offset = OPTION(voice)},
    {.name = "worker",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "path of the espeak-ng worker program (empty: beside this program)",
     .offset = OPTION(worker)},
    {.name = "max_text_bytes",
     .type = CP_OPTION_INT,
     .fallback = "16384",
     .min = 100,
     .max = 200000,
     .help = "longest text of one request",
     .offset = OPTION(max_text_bytes)},
    {.name = "queue",
     .type = CP_OPTION_INT,
     .fallback = "64",
     .min = 1,
     .max = 10000,
     .help = "requests that may wait; more are refused",
     .offset = OPTION(queue)},
    {.name = "loudness_lufs",
     .type = CP_OPTION_FLOAT,
     .fallback = "-16",
     .min = -40,
     .max = -10,
     .help = "loudness that every voice is evened to (ITU-R BS.1770)",
     .offset = OPTION(loudness_lufs)},
};
const size_t cp_speech_n_options = sizeof cp_speech_options / sizeof *cp_speech_options;

static void free_job(struct cp_speech_job *job)
{
    if (!job)
        return;
    cp_script_free(&job->script);
    cp_lexicon_drop(job->lexicon);
    free(job);
}

/* --- the list of jobs; all under the lock --- */

/* Behind the jobs of the same or a higher priority. */
static void insert(struct cp_speech *speech, struct cp_speech_job *job)
{
    struct cp_speech_job **at = &speech->first;
    while (*at && (*at)->priority >= job->priority)
        at = &(*at)->next;
    job->next = *at;
    *at = job;
}

static void take_out(struct cp_speech *speech, const struct cp_speech_job *job)
{
    struct cp_speech_job **at = &speech->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

/* Cancelled jobs first, so that their done() comes soon; else the first in line. */
static struct cp_speech_job *next_job(const struct cp_speech *speech)
{
    for (struct cp_speech_job *job = speech->first; job; job = job->next)
        if (atomic_load(&job->stop))
            return job;
    return speech->first;
}

static int waiting(const struct cp_speech *speech)
{
    int n = 0;
    for (const struct cp_speech_job *job = speech->first; job; job = job->next)
        n += !job->started;
    return n;
}

/* --- thread: speech --- */

static bool can_read(const struct cp_speech_job *job, int sentence)
{
    const struct cp_sentence *range = &job->script.sentences[sentence];
    const char *text = job->script.text + range->start;
    int32_t length = range->end - range->start;
    return !job->provider->readable || job->provider->readable(text, (size_t)length) ||
           cp_speech_can_switch(job->speech, job->voice, text, length);
}

/* Makes the job's next sentence and hands it over. True when the job is over, with *result. */
static bool step(struct cp_speech *speech, struct cp_speech_job *job, int *result, struct cp_error *error)
{
    while (job->sentence < job->last_sentence && !can_read(job, job->sentence))
        job->sentence++;
    struct cp_make_request request = {
        .provider = job->provider,
        .engine = job->engine,
        .voice_id = job->voice->id,
        .script = &job->script,
        .sentence = job->sentence,
        .rate = job->rate,
        .pitch = job->pitch,
        .volume = job->volume,
        .style = job->style,
        .speech = speech,
        .language = job->language,
        .lexicon = job->lexicon,
        .stop = &job->stop,
    };
    int64_t started_ns = cp_clock_now_ns();
    struct cp_utterance *utterance = NULL;
    *result = cp_make_utterance(&speech->maker, &request, &utterance, error);
    if (!*result && atomic_load(&job->stop))
        *result = cp_fail(error, CP_ERR_CANCELLED, STAGE, "The speech was cancelled.");
    if (*result) {
        cp_ref_drop(utterance);
        return true;
    }
    bool last = job->sentence == job->last_sentence;
    utterance->last = last;
    pthread_mutex_lock(&speech->lock);
    speech->stats.utterances++;
    speech->stats.busy_ns += cp_clock_now_ns() - started_ns;
    speech->stats.sound_samples += utterance->n_samples;
    pthread_mutex_unlock(&speech->lock);
    if (job->events.utterance)
        job->events.utterance(job->user, utterance);
    cp_ref_drop(utterance);
    job->sentence++;
    return last || --job->sentences_left == 0;
}

static void finish(struct cp_speech *speech, struct cp_speech_job *job, int result,
                   const struct cp_error *error)
{
    pthread_mutex_lock(&speech->lock);
    take_out(speech, job);
    speech->stats.cancelled += result == CP_ERR_CANCELLED;
    speech->stats.failed += result && result != CP_ERR_CANCELLED;
    pthread_mutex_unlock(&speech->lock);
    if (job->events.done)
        job->events.done(job->user, result, result ? error : NULL);
    free_job(job);
}

static void open_engines(struct cp_speech *speech)
{
    struct cp_voice *voices = calloc(CP_SPEECH_MAX_VOICES * cp_speech_n_providers, sizeof *voices);
    int n = 0;
    for (size_t i = 0; voices && i < cp_speech_n_providers; i++) {
        struct cp_error error = {0};
        const struct cp_speech_provider *provider = cp_speech_providers[i];
        if (provider->open(&speech->config, &speech->engines[i], &error))
            cp_log(CP_LOG_WARN, STAGE, "engine unusable", "engine=%s error=\"%s\"", provider->name,
                   error.text);
        else
            n += provider->voices(speech->engines[i], voices + n, CP_SPEECH_MAX_VOICES);
    }
    struct cp_voice *fitting = n ? realloc(voices, (size_t)n * sizeof *voices) : NULL;
    pthread_mutex_lock(&speech->lock);
    speech->voices = fitting ? fitting : voices;
    speech->n_voices = n;
    speech->opened = true;
    pthread_cond_broadcast(&speech->changed);
    pthread_mutex_unlock(&speech->lock);
}

static void *run(void *arg)
{
    struct cp_speech *speech = arg;
    open_engines(speech);
    for (;;) {
        pthread_mutex_lock(&speech->lock);
        struct cp_speech_job *job;
        speech->stats.working_since_ns = 0;
        while (!(job = next_job(speech)) && !speech->closing)
            pthread_cond_wait(&speech->changed, &speech->lock);
        if (job) {
            job->started = true;
            speech->stats.working_since_ns = cp_clock_now_ns();
        }
        pthread_mutex_unlock(&speech->lock);
        if (!job)
            break;
        struct cp_error error = {0};
        int result = 0;
        if (atomic_load(&job->stop)) {
            result = cp_fail(&error, CP_ERR_CANCELLED, STAGE, "The speech was cancelled.");
            finish(speech, job, result, &error);
        } else if (step(speech, job, &result, &error)) {
            finish(speech, job, result, &error);
        }
    }
    for (size_t i = 0; i < cp_speech_n_providers; i++)
        cp_speech_providers[i]->close(speech->engines[i]);
    cp_maker_clear(&speech->maker);
    return NULL;
}

/* --- life --- */

int cp_speech_create(const struct cp_speech_config *config, struct cp_speech **ret_speech,
                     struct cp_error *error)
{
    struct cp_speech *speech = calloc(1, sizeof *speech);
    if (!speech)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    speech->config = *config;
    speech->maker.loudness_lufs = config->loudness_lufs;
    speech->stats.queue_capacity = (int)config->queue;
    pthread_mutex_init(&speech->lock, NULL);
    pthread_cond_init(&speech->changed, NULL);
    if (cp_thread_start(&speech->thread, "speech", run, speech)) {
        pthread_cond_destroy(&speech->changed);
        pthread_mutex_destroy(&speech->lock);
        free(speech);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "The speech thread could not be started.");
    }
    pthread_mutex_lock(&speech->lock);
    while (!speech->opened)
        pthread_cond_wait(&speech->changed, &speech->lock);
    pthread_mutex_unlock(&speech->lock);
    const struct cp_voice *voice;
    int result = cp_speech_find_voice(speech, NULL, NULL, &voice, error);
    if (result) {
        cp_speech_destroy(speech);
        return result;
    }
    *ret_speech = speech;
    return 0;
}

void cp_speech_destroy(struct cp_speech *speech)
{
    if (!speech)
        return;
    pthread_mutex_lock(&speech->lock);
    speech->closing = true;
    for (struct cp_speech_job *job = speech->first; job; job = job->next)
        atomic_store(&job->stop, true);
    pthread_cond_broadcast(&speech->changed);
    pthread_mutex_unlock(&speech->lock);
    pthread_join(speech->thread, NULL);
    pthread_cond_destroy(&speech->changed);
    pthread_mutex_destroy(&speech->lock);
    free(speech->voices);
    free(speech);
}

/* --- requests --- */

static int check_factor(const char *name, double value, double low, double high, struct cp_error *error)
{
    if (value != 0 && !(value >= low && value <= high))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "The %s is %g; it must be %g to %g (1 is normal).", name,
                       value, low, high);
    return 0;
}

/* Everything that can be wrong with a request, found out before it waits. */
static int prepare(const struct cp_speech *speech, const struct cp_speech_request *request,
                   struct cp_script *ret_script, const struct cp_voice **ret_voice, char *ret_language,
                   struct cp_error *error)
{
    int result = check_factor("rate", request->rate, 0.5, 2, error);
    if (!result)
        result = check_factor("pitch", request->pitch, 0.5, 2, error);
    if (!result)
        result = check_factor("volume", request->volume, 0, 2, error);
    if (!result && request->style && *request->style && !cp_style_find(request->style))
        result = cp_fail(error, CP_ERR_INVALID, STAGE,
                         "There is no style \"%.40s\"; GET /v1/styles lists them.", request->style);
    if (result)
        return result;
    size_t max_bytes = (size_t)speech->config.max_text_bytes;
    if (request->text)
        result = cp_script_read_text(request->text, max_bytes, ret_script, error);
    else if (request->ssml)
        result = cp_script_read_ssml(request->ssml, max_bytes, ret_script, error);
    else
        return cp_fail(error, CP_ERR_INVALID, STAGE, "A request needs text or ssml.");
    if (result)
        return result;
    result = cp_speech_choose_voice(speech, request, ret_script, ret_voice, ret_language, error);
    if (!result && (request->first_sentence < 0 || request->first_sentence >= ret_script->n_sentences))
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "Sentence %d was asked for; the text has 0 to %d.",
                         request->first_sentence, ret_script->n_sentences - 1);
    if (result)
        cp_script_free(ret_script);
    return result;
}

int cp_speech_check(struct cp_speech *speech, const struct cp_speech_request *request,
                    struct cp_buffer *ret_text, int *ret_n_sentences, struct cp_warnings *ret_warnings,
                    struct cp_error *error)
{
    struct cp_script script = {0};
    const struct cp_voice *voice = NULL;
    char language[sizeof script.language];
    int result = prepare(speech, request, &script, &voice, language, error);
    if (result)
        return result;
    if (ret_text)
        cp_buffer_add(ret_text, script.text, (size_t)script.length);
    if (ret_n_sentences)
        *ret_n_sentences = script.n_sentences;
    if (ret_warnings)
        *ret_warnings = script.warnings;
    cp_script_free(&script);
    return 0;
}

static double factor(double value)
{
    return value == 0 ? 1 : value;
}

int cp_speech_say(struct cp_speech *speech, const struct cp_speech_request *request,
                  const struct cp_speech_events *events, void *user, uint64_t *ret_ticket,
                  struct cp_error *error)
{
    struct cp_speech_job *job = calloc(1, sizeof *job);
    if (!job)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    int result = prepare(speech, request, &job->script, &job->voice, job->language, error);
    if (result) {
        free(job);
        return result;
    }
    int engine = cp_speech_engine_of(job->voice->id);
    job->provider = cp_speech_providers[engine];
    job->engine = speech->engines[engine];
    job->rate = factor(request->rate);
    job->pitch = factor(request->pitch);
    job->volume = factor(request->volume);
    job->style = cp_style_find(request->style);
    job->speech = speech;
    job->lexicon = cp_lexicon_hold(request->lexicon);
    job->priority = request->priority ? request->priority : CP_SPEECH_AHEAD;
    job->sentence = request->first_sentence;
    job->sentences_left = request->max_sentences;
    job->last_sentence = job->script.n_sentences - 1;
    while (job->last_sentence > job->sentence && !can_read(job, job->last_sentence))
        job->last_sentence--;
    job->events = *events;
    job->user = user;

    pthread_mutex_lock(&speech->lock);
    bool room = !speech->closing && waiting(speech) < speech->stats.queue_capacity;
    if (room) {
        job->ticket = ++speech->last_ticket;
        if (ret_ticket)
            *ret_ticket = job->ticket;
        speech->stats.requests++;
        insert(speech, job);
        pthread_cond_broadcast(&speech->changed);
    } else {
        speech->stats.refused++;
    }
    pthread_mutex_unlock(&speech->lock);
    if (room)
        return 0;
    free_job(job);
    return cp_fail(error, CP_ERR_BUSY, STAGE, "%d requests wait to be spoken; try again in a moment.",
                   (int)speech->config.queue);
}

void cp_speech_cancel(struct cp_speech *speech, uint64_t ticket)
{
    pthread_mutex_lock(&speech->lock);
    for (struct cp_speech_job *job = speech->first; job; job = job->next)
        if (job->ticket == ticket)
            atomic_store(&job->stop, true);
    pthread_cond_broadcast(&speech->changed);
    pthread_mutex_unlock(&speech->lock);
}

struct cp_speech_stats cp_speech_stats(struct cp_speech *speech)
{
    pthread_mutex_lock(&speech->lock);
    struct cp_speech_stats stats = speech->stats;
    stats.queue_depth = waiting(speech);
    pthread_mutex_unlock(&speech->lock);
    for (size_t i = 0; i < cp_speech_n_providers; i++)
        if (cp_speech_providers[i]->restarts)
            stats.worker_restarts += cp_speech_providers[i]->restarts(speech->engines[i]);
    return stats;
}
