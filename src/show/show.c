/* The show thread, its inbox, and the calls that come in from other threads. */
#include "show/show_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define O(field, kind, def, lo, hi, text)                                                                    \
    {                                                                                                        \
        .name = #field, .type = kind, .fallback = def, .min = lo, .max = hi, .help = text,                   \
        .offset = offsetof(struct cp_show_config, field)                                                     \
    }
const struct cp_option cp_show_options[] = {
    O(max_cues, CP_OPTION_INT, "200", 1, 10000, "cues that may wait on one channel"),
    O(gap_ms, CP_OPTION_INT, "300", 0, 10000, "pause between two cues, milliseconds"),
    O(rundown_gap_ms, CP_OPTION_INT, "1200", 0, 60000, "pause between two rundown lines, milliseconds"),
    O(keep_cues_s, CP_OPTION_INT, "604800", 60, 31536000,
      "how long a finished cue's record is kept, seconds"),
    O(stage_wait_s, CP_OPTION_INT, "20", 1, 600,
      "how long a line waits for its set and presenters before it fails, seconds"),
    O(open_wait_s, CP_OPTION_INT, "30", 1, 600,
      "how long a cue that is still being written waits for more of its text, seconds"),
};
const size_t cp_show_n_options = sizeof cp_show_options / sizeof cp_show_options[0];
#undef O

void cp_show_wake(struct cp_show *show)
{
    uint64_t one = 1;
    ssize_t written = write(show->wake_fd, &one, sizeof one);
    (void)written; /* full only when it is signalled already */
}

int cp_show_post(struct cp_show *show, struct message *message)
{
    if (!cp_queue_push(show->inbox, message)) {
        message->free(message);
        return CP_ERR_UNAVAILABLE;
    }
    cp_show_wake(show);
    return 0;
}

struct channel *cp_show_find(struct cp_show *show, const char *id)
{
    for (int i = 0; i < MAX_CHANNELS; i++)
        if (show->channels[i] && !strcmp(show->channels[i]->id, id))
            return show->channels[i];
    return NULL;
}

int cp_show_no_channel(const char *id, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, "show",
                   "there is no channel \"%.60s\"; GET /v1/channels lists them", id);
}

/* --- calls that wait for an answer --- */

struct call {
    struct message message;
    int (*work)(struct cp_show *, void *, struct cp_error *);
    void *args;
    struct cp_error *error;
    int result;
    bool done;
    pthread_mutex_t lock;
    pthread_cond_t finished;
};

static void finish_call(struct call *call, int result)
{
    pthread_mutex_lock(&call->lock);
    call->result = result;
    call->done = true;
    pthread_cond_signal(&call->finished);
    pthread_mutex_unlock(&call->lock);
}

static void publish_all(struct cp_show *show)
{
    for (int i = 0; i < MAX_CHANNELS; i++)
        if (show->channels[i])
            cp_channel_publish(show->channels[i]);
}

static void run_call(struct cp_show *show, struct message *message)
{
    struct call *call = (struct call *)message;
    int result = call->work(show, call->args, call->error);
    publish_all(show); /* whoever called finds what it did */
    finish_call(call, result);
}

/* The caller owns the memory and waits for `done`; a call that never ran ends here. */
static void free_call(struct message *message)
{
    struct call *call = (struct call *)message;
    if (!call->done)
        finish_call(call, cp_fail(call->error, CP_ERR_UNAVAILABLE, "show", "the server is stopping"));
}

int cp_show_call(struct cp_show *show, int (*work)(struct cp_show *, void *, struct cp_error *), void *args,
                 struct cp_error *error)
{
    struct call call = {
        .message = {.run = run_call, .free = NULL}, .work = work, .args = args, .error = error};
    call.message.free = free_call;
    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.finished, NULL);
    if (cp_queue_push(show->inbox, &call.message)) {
        cp_show_wake(show);
        pthread_mutex_lock(&call.lock);
        while (!call.done)
            pthread_cond_wait(&call.finished, &call.lock);
        pthread_mutex_unlock(&call.lock);
    } else {
        call.result = cp_fail(error, CP_ERR_UNAVAILABLE, "show", "the server is stopping");
    }
    pthread_cond_destroy(&call.finished);
    pthread_mutex_destroy(&call.lock);
    return call.result;
}

/* --- answers of the speech stage --- */

struct spoken {
    struct message message;
    uint64_t job;
    struct cp_utterance *utterance; /* NULL: the request is over */
    int result;
    struct cp_error error;
};

static void run_spoken(struct cp_show *show, struct message *message)
{
    struct spoken *spoken = (struct spoken *)message;
    if (spoken->utterance)
        cp_director_spoken(show, spoken->job, spoken->utterance);
    else
        cp_director_spoken_end(show, spoken->job, spoken->result, &spoken->error);
    message->free(message);
}

static void free_spoken(struct message *message)
{
    struct spoken *spoken = (struct spoken *)message;
    cp_ref_drop(spoken->utterance);
    free(spoken);
}

static void post_spoken(struct cp_show *show, struct spoken from)
{
    struct spoken *spoken = malloc(sizeof *spoken);
    if (!spoken) {
        cp_ref_drop(from.utterance);
        return;
    }
    *spoken = from;
    spoken->message = (struct message){.run = run_spoken, .free = free_spoken};
    cp_show_post(show, &spoken->message);
}

void cp_show_spoken(struct cp_show *show, uint64_t job, struct cp_utterance *utterance)
{
    post_spoken(show, (struct spoken){.job = job, .utterance = cp_ref_take(utterance)});
}

void cp_show_spoken_end(struct cp_show *show, uint64_t job, int result, const struct cp_error *error)
{
    struct spoken spoken = {.job = job, .result = result};
    if (error)
        spoken.error = *error;
    post_spoken(show, spoken);
}

/* --- answers of the stagehand --- */

struct staged {
    struct message message;
    char channel[ID_BYTES];
    uint64_t job;
    struct cp_scene *scene;
    int result;
    struct cp_error error;
};

static void free_staged(struct message *message)
{
    free(message);
}

static void run_staged(struct cp_show *show, struct message *message)
{
    struct staged *staged = (struct staged *)message;
    struct channel *channel = cp_show_find(show, staged->channel);
    if (channel && channel->door)
        cp_director_staged(channel, staged->job, staged->scene, staged->result, &staged->error);
    free(staged);
}

void cp_show_staged(struct cp_show *show, const char *channel, uint64_t job, struct cp_scene *scene,
                    int result, const struct cp_error *error)
{
    struct staged *staged = calloc(1, sizeof *staged);
    if (!staged)
        return; /* the line runs into its deadline */
    staged->message = (struct message){.run = run_staged, .free = free_staged};
    snprintf(staged->channel, sizeof staged->channel, "%s", channel);
    staged->job = job;
    staged->scene = scene;
    staged->result = result;
    if (error)
        staged->error = *error;
    cp_show_post(show, &staged->message);
}

/* --- the thread --- */

static void direct_all(struct cp_show *show)
{
    for (int i = 0; i < MAX_CHANNELS; i++) {
        if (!show->channels[i])
            continue;
        cp_director_events(show->channels[i]);
        cp_direct(show->channels[i]);
    }
    publish_all(show);
}

static void *run_show(void *arg)
{
    struct cp_show *show = arg;
    while (!atomic_load(&show->stopping)) {
        int64_t retry_ns = INT64_MAX;
        for (int i = 0; i < MAX_CHANNELS; i++)
            if (show->channels[i] && cp_director_retry_ns(show->channels[i]) < retry_ns)
                retry_ns = cp_director_retry_ns(show->channels[i]);
        int64_t left_ns = retry_ns == INT64_MAX ? -1 : retry_ns - cp_clock_now_ns();
        struct pollfd fd = {.fd = show->wake_fd, .events = POLLIN};
        poll(&fd, 1, retry_ns == INT64_MAX ? -1 : left_ns < 0 ? 0 : (int)(left_ns / CP_NS_PER_MS) + 1);
        uint64_t signals;
        ssize_t got = read(show->wake_fd, &signals, sizeof signals);
        (void)got; /* nothing there after a timeout */
        /* After each message, what the doors handed back: an answer that follows is about how things stand
         * now. */
        struct message *message;
        do {
            message = cp_queue_pop(show->inbox, 0);
            if (message)
                message->run(show, message);
            direct_all(show);
        } while (message);
    }
    return NULL;
}

static void free_message(void *item)
{
    struct message *message = item;
    message->free(message);
}

int cp_show_create(const struct cp_show_config *config, struct cp_store *store, struct cp_observe *observe,
                   const struct cp_show_services *services, struct cp_show **ret_show, struct cp_error *error)
{
    struct cp_show *show = calloc(1, sizeof *show);
    if (!show)
        return cp_fail(error, CP_ERR_NOMEM, "show", "out of memory");
    show->config = *config;
    show->store = store;
    show->observe = observe;
    show->services = *services;
    pthread_mutex_init(&show->lock, NULL);
    show->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    show->inbox = cp_queue_create("show", 1024, CP_FULL_WAIT, free_message);
    int result = show->wake_fd < 0 || !show->inbox ? cp_fail(error, CP_ERR_NOMEM, "show", "out of memory")
                                                   : cp_channel_load_all(show, error);
    if (!result && (result = cp_thread_start(&show->thread, "show", run_show, show)))
        cp_fail(error, CP_ERR_NOMEM, "show", "cannot start a thread");
    if (result) {
        show->stopping = true;
        cp_show_destroy(show);
        return result;
    }
    cp_show_wake(show);
    *ret_show = show;
    return 0;
}

void cp_show_destroy(struct cp_show *show)
{
    if (!show)
        return;
    if (show->inbox)
        cp_queue_close(show->inbox);
    if (!atomic_exchange(&show->stopping, true)) {
        cp_show_wake(show);
        pthread_join(show->thread, NULL);
    }
    cp_queue_destroy(show->inbox);
    for (int i = 0; i < MAX_CHANNELS; i++) {
        if (show->channels[i]) {
            cp_director_drop_lines(show->channels[i]);
            cp_channel_free(show->channels[i]);
        }
        json_decref(show->active[i]);
    }
    if (show->wake_fd >= 0)
        close(show->wake_fd);
    pthread_mutex_destroy(&show->lock);
    free(show);
}
