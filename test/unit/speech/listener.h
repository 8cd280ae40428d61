/* What the tests share: a speech stage with quick defaults and a listener that collects what it says. */
#ifndef TEST_SPEECH_LISTENER_H
#define TEST_SPEECH_LISTENER_H

#include "base/clock.h"
#include "speech/speech.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_HEARD 1024

struct listener {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct cp_utterance *heard[MAX_HEARD];
    int n_heard, n_done, result;
    struct cp_error error;
    int n_failovers;
    char last_to[64];
    int64_t first_ns, done_ns;
    int order; /* in which its done came, counted over all listeners */
};

static atomic_int listener_order;

static void listener_utterance(void *user, struct cp_utterance *utterance)
{
    struct listener *listener = user;
    pthread_mutex_lock(&listener->lock);
    if (!listener->n_heard)
        listener->first_ns = cp_clock_now_ns();
    if (listener->n_heard < MAX_HEARD)
        listener->heard[listener->n_heard++] = cp_ref_take(utterance);
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

static void listener_done(void *user, int result, const struct cp_error *error)
{
    struct listener *listener = user;
    pthread_mutex_lock(&listener->lock);
    listener->n_done++;
    listener->result = result;
    listener->order = ++listener_order;
    listener->done_ns = cp_clock_now_ns();
    if (error)
        listener->error = *error;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

static void listener_failed_over(void *user, const char *from, const char *to, const struct cp_error *why)
{
    struct listener *listener = user;
    pthread_mutex_lock(&listener->lock);
    listener->n_failovers++;
    snprintf(listener->last_to, sizeof listener->last_to, "%s", to);
    pthread_mutex_unlock(&listener->lock);
}

static const struct cp_speech_events LISTENER_EVENTS = {listener_utterance, listener_done,
                                                        listener_failed_over};

static inline void listener_init(struct listener *listener)
{
    *listener = (struct listener){0};
    pthread_mutex_init(&listener->lock, NULL);
    pthread_cond_init(&listener->changed, NULL);
}

/* Waits for done(); fails the test after 20 s. */
static inline void listener_wait(struct listener *listener)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&listener->lock);
    int timed_out = 0;
    while (!listener->n_done && !timed_out)
        timed_out = pthread_cond_timedwait(&listener->changed, &listener->lock, &until);
    pthread_mutex_unlock(&listener->lock);
    assert_int_equal(timed_out, 0);
}

static inline void listener_free(struct listener *listener)
{
    for (int i = 0; i < listener->n_heard; i++)
        cp_ref_drop(listener->heard[i]);
    pthread_cond_destroy(&listener->changed);
    pthread_mutex_destroy(&listener->lock);
}

static inline struct cp_speech_config quick_config(void)
{
    struct cp_speech_config config = {0};
    struct cp_config_section section = {"speech", cp_speech_options, cp_speech_n_options, &config};
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    const char *worker = getenv("COMPERE_TEST_WORKER"); /* set by meson */
    if (worker)
        snprintf(config.worker, sizeof config.worker, "%s", worker);
    return config;
}

static inline struct cp_speech *start(const struct cp_speech_config *config)
{
    struct cp_speech *speech = NULL;
    struct cp_error error = {0};
    int result = cp_speech_create(config, &speech, &error);
    if (result)
        print_error("%s\n", error.text);
    assert_int_equal(result, 0);
    return speech;
}

/* Says it and waits; the listener holds what was heard. */
static inline void say(struct cp_speech *speech, struct cp_speech_request request, struct listener *listener)
{
    struct cp_error error = {0};
    listener_init(listener);
    int result = cp_speech_say(speech, &request, &LISTENER_EVENTS, listener, NULL, &error);
    if (result)
        print_error("%s\n", error.text);
    assert_int_equal(result, 0);
    listener_wait(listener);
    if (listener->result)
        print_error("%s\n", listener->error.text);
}

static inline void say_text(struct cp_speech *speech, const char *text, const char *voice,
                            struct listener *listener)
{
    say(speech, (struct cp_speech_request){.text = text, .voice = voice}, listener);
    assert_int_equal(listener->result, 0);
    assert_true(listener->n_heard > 0);
}

#endif
