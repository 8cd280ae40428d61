/* Opening and closing, requests, and the line they wait in. */
#include "speech/speech_int.h"
#include "speech/styles.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

void cp_speech_free_job(struct cp_speech_job *job)
{
    if (!job)
        return;
    cp_script_free(&job->script);
    cp_lexicon_drop(job->lexicon);
    free(job);
}

/* Behind the jobs of the same or a higher priority. Under the lock. */
static void insert(struct cp_speech *speech, struct cp_speech_job *job)
{
    struct cp_speech_job **at = &speech->first;
    while (*at && (*at)->priority >= job->priority)
        at = &(*at)->next;
    job->next = *at;
    *at = job;
}

static int waiting(const struct cp_speech *speech)
{
    int n = 0;
    for (const struct cp_speech_job *job = speech->first; job; job = job->next)
        n += !job->started;
    return n;
}

bool cp_speech_can_read(const struct cp_speech_job *job, int sentence)
{
    const struct cp_sentence *range = &job->script.sentences[sentence];
    const char *text = job->script.text + range->start;
    int32_t length = range->end - range->start;
    return !job->provider->readable || job->provider->readable(text, (size_t)length) ||
           cp_speech_can_switch(job->speech, job->voice, text, length);
}

void cp_speech_set_voice(struct cp_speech *speech, struct cp_speech_job *job, const struct cp_voice *voice)
{
    job->voice = voice;
    job->row = cp_speech_engine_of(voice->id);
    job->provider = cp_speech_providers[job->row];
}

/* --- life --- */

void cp_speech_open_engines(struct cp_speech *speech)
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

static void close_all(struct cp_speech *speech)
{
    cp_speech_stop_hands(speech);
    for (size_t i = 0; i < cp_speech_n_providers; i++)
        cp_speech_providers[i]->close(speech->engines[i]);
    pthread_cond_destroy(&speech->changed);
    pthread_mutex_destroy(&speech->lock);
    cp_speech_cache_destroy(speech->cache);
    cp_canned_clear(speech);
    free(speech->voices);
    free(speech);
}

int cp_speech_create(const struct cp_speech_config *config, struct cp_speech **ret_speech,
                     struct cp_error *error)
{
    struct cp_speech *speech = calloc(1, sizeof *speech);
    if (!speech)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    speech->config = *config;
    speech->cache = cp_speech_cache_create(config->cache_mb << 20, config->cache_s);
    speech->stats.queue_capacity = (int)config->queue;
    pthread_mutex_init(&speech->lock, NULL);
    pthread_cond_init(&speech->changed, NULL);
    if (cp_speech_start_hands(speech)) {
        close_all(speech);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "The speech threads could not be started.");
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
    pthread_mutex_lock(&speech->lock);
    cp_canned_want(speech, voice->language);
    pthread_cond_broadcast(&speech->changed);
    pthread_mutex_unlock(&speech->lock);
    *ret_speech = speech;
    return 0;
}

void cp_speech_destroy(struct cp_speech *speech)
{
    if (speech)
        close_all(speech);
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
    bool pronounced = false;
    for (int i = 0; i < script.n_spans; i++)
        pronounced |= script.spans[i].phoneme != 0;
    if (pronounced && !cp_speech_providers[cp_speech_engine_of(voice->id)]->phones_taken)
        cp_warn(&script.warnings, "%.40s takes no pronunciations: <phoneme> is read as it is written.",
                voice->id);
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
    int result = prepare(speech, request, &job->script, &job->wanted, job->language, error);
    if (result) {
        free(job);
        return result;
    }
    cp_speech_set_voice(speech, job, job->wanted);
    job->rate = factor(request->rate);
    job->pitch = factor(request->pitch);
    job->volume = factor(request->volume);
    job->style = cp_style_find(request->style);
    job->speech = speech;
    job->lexicon = cp_lexicon_hold(request->lexicon);
    job->priority = request->priority ? request->priority : CP_SPEECH_AHEAD;
    cp_speech_request_key(request, job->key);
    job->sentence = request->first_sentence;
    job->sentences_left = request->max_sentences;
    job->last_sentence = job->script.n_sentences - 1;
    while (job->last_sentence > job->sentence && !cp_speech_can_read(job, job->last_sentence))
        job->last_sentence--;
    job->canned = request->canned;
    job->events = *events;
    job->user = user;

    pthread_mutex_lock(&speech->lock);
    bool room = !speech->closing && waiting(speech) < speech->stats.queue_capacity;
    if (room) {
        job->ticket = ++speech->last_ticket;
        if (ret_ticket)
            *ret_ticket = job->ticket;
        speech->stats.requests++;
        cp_canned_want(speech, *job->language ? job->language : job->wanted->language);
        insert(speech, job);
        pthread_cond_broadcast(&speech->changed);
    } else {
        speech->stats.refused++;
    }
    pthread_mutex_unlock(&speech->lock);
    if (room)
        return 0;
    cp_speech_free_job(job);
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

void cp_speech_forget(struct cp_speech *speech, const uint8_t key[CP_SPEECH_KEY_BYTES], int64_t at_ns)
{
    cp_speech_cache_expire(speech->cache, key, at_ns);
}

void cp_speech_sweep(struct cp_speech *speech)
{
    cp_speech_cache_sweep(speech->cache);
}

struct cp_speech_stats cp_speech_stats(struct cp_speech *speech)
{
    pthread_mutex_lock(&speech->lock);
    struct cp_speech_stats stats = speech->stats;
    stats.queue_depth = waiting(speech);
    for (int i = 0; i < speech->n_hands; i++) {
        int64_t since_ns = speech->hands[i].working_since_ns;
        if (since_ns && (!stats.working_since_ns || since_ns < stats.working_since_ns))
            stats.working_since_ns = since_ns;
    }
    pthread_mutex_unlock(&speech->lock);
    cp_speech_cache_count(speech->cache, &stats);
    for (size_t i = 0; i < cp_speech_n_providers; i++)
        if (cp_speech_providers[i]->restarts)
            stats.worker_restarts += cp_speech_providers[i]->restarts(speech->engines[i]);
    return stats;
}

int cp_speech_failovers(struct cp_speech *speech, struct cp_speech_failover *ret_failovers, int capacity)
{
    pthread_mutex_lock(&speech->lock);
    int n = speech->n_failovers < capacity ? speech->n_failovers : capacity;
    memcpy(ret_failovers, speech->failovers, (size_t)n * sizeof *ret_failovers);
    pthread_mutex_unlock(&speech->lock);
    return n;
}

int cp_speech_engines(struct cp_speech *speech, struct cp_speech_engine *ret_engines, int capacity)
{
    int n = 0;
    pthread_mutex_lock(&speech->lock);
    for (size_t i = 0; i < cp_speech_n_providers && n < capacity; i++) {
        const struct cp_speech_provider *provider = cp_speech_providers[i];
        struct cp_speech_engine *engine = &ret_engines[n++];
        *engine = (struct cp_speech_engine){.name = provider->name,
                                            .summary = provider->summary,
                                            .state = cp_breaker_name(speech->breakers[i].state),
                                            .failures = speech->breakers[i].failures,
                                            .running = speech->running[i]};
        for (int k = 0; k < speech->n_voices; k++)
            if (cp_speech_engine_of(speech->voices[k].id) == (int)i) {
                engine->voices++;
                engine->usable += speech->voices[k].usable;
            }
    }
    pthread_mutex_unlock(&speech->lock);
    return n;
}
