/*
 * The threads that speak: "speech" for the engines of this machine, "speech.1" ... for those that may keep
 * one waiting (remote services, voice programs), so that the second never hold up the first. Each takes the
 * first job in line that is its own kind's, makes one sentence of it, and puts it back.
 *
 * When an engine fails, the job's voice is exchanged for another of its language and the same sentence is
 * made again, by whichever thread that voice belongs to; the job speaks with it to its end.
 */
#include "speech/speech_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "media/clock.h"

#include <stdio.h>
#include <string.h>

#define STAGE "speech"

/* How long a sentence that nobody waits for may take. */
#define AHEAD_MS 20000
/* A line on air that has sound ahead waits that much longer for its next sentence, but no longer than this.
 */
#define MAX_AHEAD_OF_AIR_MS 10000
/* What an engine of this machine gets in any case: it is the last resort, and the others may have used up the
 * time. A sentence takes 25 ms. */
#define LAST_RESORT_MS 280

/* --- under the lock --- */

static void take_out(struct cp_speech *speech, const struct cp_speech_job *job)
{
    struct cp_speech_job **at = &speech->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

/* True when `job` should go before `other`, which is further to the front: of lines on air the one whose
 * sound runs out first, so that many at once all begin soon. */
static bool is_more_urgent(const struct cp_speech_job *job, const struct cp_speech_job *other)
{
    return job->priority == CP_SPEECH_LIVE && other->priority == CP_SPEECH_LIVE &&
           job->heard_until_ns < other->heard_until_ns;
}

/* A job that this hand may work on now: cancelled ones first, so that their done() comes soon; else by
 * priority, then urgency, then age. */
static struct cp_speech_job *next_job(const struct cp_speech *speech, const struct cp_speech_hand *hand)
{
    struct cp_speech_job *found = NULL;
    for (struct cp_speech_job *job = speech->first; job; job = job->next) {
        const struct cp_speech_provider *provider = job->provider;
        if (job->taken || provider->apart != hand->remote)
            continue;
        if (atomic_load(&job->stop))
            return job;
        bool free_engine = !provider->serial || !speech->running[job->row];
        if (free_engine && (!found || is_more_urgent(job, found)))
            found = job;
    }
    return found;
}

/* --- what becomes of failures --- */

/* True when the engine is to blame: another try may fail likewise. */
static bool is_engines_fault(int result)
{
    return result == CP_ERR_TIMEOUT || result == CP_ERR_IO || result == CP_ERR_UNAVAILABLE ||
           result == CP_ERR_BUSY || result == CP_ERR_DENIED || result == CP_ERR_FORMAT ||
           result == CP_ERR_UNSUPPORTED;
}

/* True when another voice may do better. */
static bool may_fail_over(int result)
{
    return is_engines_fault(result) || result == CP_ERR_NOT_FOUND || result == CP_ERR_INVALID ||
           result == CP_ERR_LIMIT;
}

/* Adds one to the pair's count; when all places are taken, the pair that was seen longest ago gives way.
 * Under the lock. */
static void count_failover(struct cp_speech *speech, const char *from, const char *to, const char *why)
{
    struct cp_speech_failover *oldest = speech->failovers, *pair = NULL;
    for (int i = 0; i < speech->n_failovers && !pair; i++) {
        struct cp_speech_failover *at = &speech->failovers[i];
        if (!strcmp(at->from, from) && !strcmp(at->to, to))
            pair = at;
        else if (at->last_ns < oldest->last_ns)
            oldest = at;
    }
    if (!pair) {
        bool room = speech->n_failovers < CP_SPEECH_MAX_FAILOVERS;
        pair = room ? &speech->failovers[speech->n_failovers++] : oldest;
        *pair = (struct cp_speech_failover){0};
        snprintf(pair->from, sizeof pair->from, "%s", from);
        snprintf(pair->to, sizeof pair->to, "%s", to);
    }
    pair->count++;
    pair->last_ns = cp_clock_now_ns();
    snprintf(pair->why, sizeof pair->why, "%.150s", why);
    speech->stats.failovers++;
}

/* Gives the job another voice for the sentence at hand. False when there is none. */
static bool fail_over(struct cp_speech *speech, struct cp_speech_job *job, const struct cp_error *why)
{
    int64_t now_ns = cp_clock_now_ns();
    const struct cp_voice *from = job->voice;
    job->tried |= UINT32_C(1) << job->row;
    pthread_mutex_lock(&speech->lock);
    const struct cp_voice *to = cp_speech_next_voice(speech, job, now_ns);
    if (to) {
        count_failover(speech, from->id, to->id, why->text);
        cp_speech_set_voice(speech, job, to);
    }
    pthread_mutex_unlock(&speech->lock);
    if (!to)
        return false;
    cp_log(CP_LOG_WARN, STAGE, "another voice speaks", "from=%s to=%s why=\"%s\"", from->id, to->id,
           why->text);
    if (job->events.failed_over)
        job->events.failed_over(job->user, from->id, to->id, why);
    return true;
}

/* --- one sentence --- */

/* When the sentence's sound is wanted: counted from its first try, on all engines. */
static int64_t deadline_of(const struct cp_speech *speech, const struct cp_speech_job *job, int64_t now_ns)
{
    if (job->priority != CP_SPEECH_LIVE)
        return now_ns + AHEAD_MS * CP_NS_PER_MS;
    int64_t ahead_ns = job->heard_until_ns > now_ns ? job->heard_until_ns - now_ns : 0;
    if (ahead_ns > MAX_AHEAD_OF_AIR_MS * CP_NS_PER_MS)
        ahead_ns = MAX_AHEAD_OF_AIR_MS * CP_NS_PER_MS;
    return now_ns + ahead_ns + speech->config.deadline_ms * CP_NS_PER_MS;
}

/* When the engine at hand must have answered. */
static int64_t time_for(const struct cp_speech_job *job)
{
    int64_t least_ns = cp_clock_now_ns() + LAST_RESORT_MS * CP_NS_PER_MS;
    return !job->provider->apart && job->deadline_ns < least_ns ? least_ns : job->deadline_ns;
}

/* An engine that is left alone passes its sentence on at once, unless nobody else is left to say it. */
static int make(struct cp_speech *speech, struct cp_speech_hand *hand, struct cp_speech_job *job,
                struct cp_utterance **ret_utterance, struct cp_error *error)
{
    if ((*ret_utterance = cp_speech_cache_get(speech->cache, job->key, job->voice->id, job->sentence)))
        return 0;
    pthread_mutex_lock(&speech->lock);
    bool allowed = cp_breaker_allow(&speech->breakers[job->row], cp_clock_now_ns());
    if (!allowed) {
        uint32_t tried = job->tried;
        job->tried |= UINT32_C(1) << job->row;
        allowed = !cp_speech_next_voice(speech, job, cp_clock_now_ns());
        job->tried = tried;
    }
    pthread_mutex_unlock(&speech->lock);
    if (!allowed)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "The voice engine %s keeps failing; it is left alone.", job->provider->name);
    struct cp_make_request request = {
        .provider = job->provider,
        .engine = speech->engines[job->row],
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
        .deadline_ns = time_for(job),
        .stop = &job->stop,
    };
    int result = cp_make_utterance(&hand->maker, &request, ret_utterance, error);
    pthread_mutex_lock(&speech->lock);
    if (!result)
        cp_breaker_success(&speech->breakers[job->row]);
    else if (is_engines_fault(result))
        cp_breaker_failure(&speech->breakers[job->row], cp_clock_now_ns());
    pthread_mutex_unlock(&speech->lock);
    return result;
}

static void hand_over(struct cp_speech *speech, struct cp_speech_job *job, struct cp_utterance *utterance,
                      int64_t busy_ns)
{
    int64_t now_ns = cp_clock_now_ns();
    if (job->heard_until_ns < now_ns)
        job->heard_until_ns = now_ns;
    job->heard_until_ns += (int64_t)utterance->n_samples * CP_NS_PER_S / CP_SAMPLE_HZ;
    pthread_mutex_lock(&speech->lock);
    speech->stats.utterances++;
    speech->stats.busy_ns += busy_ns;
    speech->stats.sound_samples += utterance->n_samples;
    pthread_mutex_unlock(&speech->lock);
    if (job->events.utterance)
        job->events.utterance(job->user, utterance);
}

/* What a live line says instead of a sentence that nobody can say; NULL: nothing, and the line fails. */
static struct cp_utterance *say_canned(struct cp_speech *speech, struct cp_speech_job *job, int result,
                                       const struct cp_error *why)
{
    if (!job->canned || !is_engines_fault(result))
        return NULL;
    struct cp_utterance *utterance = cp_canned_for(speech, job);
    if (!utterance)
        return NULL;
    job->canned = false; /* once is enough */
    pthread_mutex_lock(&speech->lock);
    count_failover(speech, job->voice->id, utterance->voice, why->text);
    pthread_mutex_unlock(&speech->lock);
    cp_log(CP_LOG_WARN, STAGE, "a canned line is said", "voice=%s why=\"%s\"", job->voice->id, why->text);
    if (job->events.failed_over)
        job->events.failed_over(job->user, job->voice->id, utterance->voice, why);
    return utterance;
}

/* Makes the job's next sentence and hands it over, or finds another voice for it. True when the job is over,
 * with *result. */
static bool step(struct cp_speech *speech, struct cp_speech_hand *hand, struct cp_speech_job *job,
                 int *result, struct cp_error *error)
{
    while (job->sentence < job->last_sentence && !cp_speech_can_read(job, job->sentence))
        job->sentence++;
    int64_t started_ns = cp_clock_now_ns();
    if (!job->deadline_ns)
        job->deadline_ns = deadline_of(speech, job, started_ns);
    struct cp_utterance *utterance = NULL;
    *result = make(speech, hand, job, &utterance, error);
    if (atomic_load(&job->stop)) {
        cp_ref_drop(utterance);
        *result = cp_fail(error, CP_ERR_CANCELLED, STAGE, "The speech was cancelled.");
        return true;
    }
    if (*result && may_fail_over(*result) && fail_over(speech, job, error))
        return false;
    if (*result && !(utterance = say_canned(speech, job, *result, error)))
        return true;
    *result = 0;
    bool last = job->sentence == job->last_sentence;
    utterance->last = last;
    if (!utterance->cached && strncmp(utterance->voice, "canned:", 7) != 0) {
        memcpy(utterance->key, job->key, sizeof utterance->key);
        cp_speech_cache_put(speech->cache, utterance);
    }
    hand_over(speech, job, utterance, cp_clock_now_ns() - started_ns);
    cp_ref_drop(utterance);
    job->sentence++;
    job->tried = 0;
    job->deadline_ns = 0;
    return last || --job->sentences_left == 0;
}

static void finish(struct cp_speech *speech, struct cp_speech_job *job, int result,
                   const struct cp_error *error)
{
    pthread_mutex_lock(&speech->lock);
    take_out(speech, job);
    speech->stats.cancelled += result == CP_ERR_CANCELLED;
    speech->stats.failed += result && result != CP_ERR_CANCELLED;
    pthread_cond_broadcast(&speech->changed); /* the last one lets all hands go when closing */
    pthread_mutex_unlock(&speech->lock);
    if (job->events.done)
        job->events.done(job->user, result, result ? error : NULL);
    cp_speech_free_job(job);
}

/* --- the threads --- */

static void work(struct cp_speech *speech, struct cp_speech_hand *hand, struct cp_speech_job *job)
{
    struct cp_error error = {0};
    int result = 0, row = job->row;
    bool over = true;
    if (atomic_load(&job->stop))
        result = cp_fail(&error, CP_ERR_CANCELLED, STAGE, "The speech was cancelled.");
    else
        over = step(speech, hand, job, &result, &error);
    pthread_mutex_lock(&speech->lock);
    speech->running[row]--;
    if (!over)
        job->taken = false;
    pthread_cond_broadcast(&speech->changed); /* its engine or its job is free for another hand */
    pthread_mutex_unlock(&speech->lock);
    if (over)
        finish(speech, job, result, &error);
}

static void *run(void *arg)
{
    struct cp_speech_hand *hand = arg;
    struct cp_speech *speech = hand->speech;
    if (!hand->remote)
        cp_speech_open_engines(speech);
    for (;;) {
        pthread_mutex_lock(&speech->lock);
        struct cp_speech_job *job;
        hand->working_since_ns = 0;
        int canned = -1;
        while (!(job = next_job(speech, hand)) && !(speech->closing && !speech->first)) {
            if (!hand->remote && (canned = cp_canned_wanted(speech)) >= 0)
                break;
            pthread_cond_wait(&speech->changed, &speech->lock);
        }
        if (job) {
            job->started = job->taken = true;
            speech->running[job->row]++;
            hand->working_since_ns = cp_clock_now_ns();
        }
        pthread_mutex_unlock(&speech->lock);
        if (canned >= 0)
            cp_canned_make(speech, &hand->maker, canned);
        else if (job)
            work(speech, hand, job);
        else
            break;
    }
    cp_maker_clear(&hand->maker);
    return NULL;
}

int cp_speech_start_hands(struct cp_speech *speech)
{
    int wanted = 1 + (int)speech->config.remote_threads;
    for (int i = 0; i < wanted; i++) {
        struct cp_speech_hand *hand = &speech->hands[i];
        hand->speech = speech;
        hand->remote = i > 0;
        hand->maker.loudness_lufs = speech->config.loudness_lufs;
        hand->maker.breath = speech->config.breath;
        hand->maker.config = &speech->config;
        char name[24] = "speech"; /* at most 15 are used: CP_SPEECH_MAX_REMOTE_THREADS */
        if (i)
            snprintf(name, sizeof name, "speech.%d", i);
        if (cp_thread_start(&hand->thread, name, run, hand))
            return CP_ERR_NOMEM;
        speech->n_hands++;
    }
    return 0;
}

void cp_speech_stop_hands(struct cp_speech *speech)
{
    pthread_mutex_lock(&speech->lock);
    speech->closing = true;
    for (struct cp_speech_job *job = speech->first; job; job = job->next)
        atomic_store(&job->stop, true);
    pthread_cond_broadcast(&speech->changed);
    pthread_mutex_unlock(&speech->lock);
    for (int i = 0; i < speech->n_hands; i++)
        pthread_join(speech->hands[i].thread, NULL);
}
