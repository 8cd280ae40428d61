#include "app/desk/judging.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/runner.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING = 256 };

struct cp_judging {
    struct cp_moderation *moderation;
    struct cp_runner runner;
    struct cp_observe *observe;
    cp_judged judged;
    void *user;
    atomic_bool stop;
    struct cp_metric *failed, *seconds;
};

struct waiting {
    struct cp_errand errand;
    struct cp_judging *judging;
    char channel[40];
    json_t *spec;
    int64_t asked_ns;
};

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

static void finish(struct waiting *waiting, enum cp_verdict verdict)
{
    const struct cp_judging *judging = waiting->judging;
    judging->judged(judging->user, waiting->channel, waiting->spec, waiting->asked_ns, verdict);
    json_decref(waiting->spec);
    free(waiting);
}

/* The name is judged with the question: the desk shows both. */
static int judge(struct cp_judging *judging, const json_t *spec, bool *ret_flagged, struct cp_error *error)
{
    struct cp_buffer text = cp_buffer_make(8 << 10);
    const char *name = text_of(spec, "asker");
    cp_buffer_printf(&text, "%s%s%s", name, *name ? "\n" : "", text_of(spec, "text"));
    int64_t begun_ns = cp_clock_now_ns();
    int result = text.failed ? cp_fail(error, CP_ERR_NOMEM, "app", "out of memory")
                             : cp_moderation_judge(judging->moderation, cp_buffer_string(&text),
                                                   &judging->stop, ret_flagged, error);
    if (!result)
        cp_metric_observe_ns(judging->seconds, cp_clock_now_ns() - begun_ns);
    cp_buffer_free(&text);
    return result;
}

static void run(struct cp_errand *errand)
{
    struct waiting *waiting = (struct waiting *)errand;
    struct cp_judging *judging = waiting->judging;
    struct cp_error error;
    bool flagged = false;
    int result =
        atomic_load(&judging->stop) ? (int)CP_ERR_CANCELLED : judge(judging, waiting->spec, &flagged, &error);
    if (result && result != CP_ERR_CANCELLED) {
        cp_metric_add(judging->failed, 1);
        cp_log(CP_LOG_WARN, "app", "question of the audience not moderated", "channel=%s error=\"%s\"",
               waiting->channel, error.text);
    }
    finish(waiting, result ? CP_VERDICT_NONE : flagged ? CP_VERDICT_FLAGGED : CP_VERDICT_FINE);
}

static void drop(struct cp_errand *errand)
{
    finish((struct waiting *)errand, CP_VERDICT_NONE);
}

bool cp_judging_ask(struct cp_judging *judging, const char *channel, json_t *spec, int64_t asked_ns)
{
    struct waiting *waiting = malloc(sizeof *waiting);
    if (!waiting)
        return false;
    *waiting = (struct waiting){.errand = {.run = run, .drop = drop},
                                .judging = judging,
                                .spec = json_incref(spec),
                                .asked_ns = asked_ns};
    snprintf(waiting->channel, sizeof waiting->channel, "%s", channel);
    if (cp_runner_push(&judging->runner, &waiting->errand))
        return true;
    json_decref(spec);
    free(waiting);
    return false;
}

int cp_judging_create(const struct cp_moderation_config *config, struct cp_observe *observe, cp_judged judged,
                      void *user, struct cp_judging **ret_judging, struct cp_error *error)
{
    struct cp_judging *judging = calloc(1, sizeof *judging);
    *ret_judging = NULL;
    if (!judging)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    judging->observe = observe;
    judging->judged = judged;
    judging->user = user;
    int result = cp_moderation_create(config, &judging->moderation, error);
    bool wanted = judging->moderation != NULL;
    if (wanted) {
        judging->failed = cp_counter(observe, "compere_moderation_failed_total", "",
                                     "Questions that the moderation endpoint could not judge");
        judging->seconds =
            cp_histogram(observe, "compere_moderation_seconds", "", "Time to judge a question");
        result = cp_runner_start(&judging->runner, "moderation", WAITING, error);
    }
    if (result || !wanted)
        cp_judging_destroy(judging);
    else
        *ret_judging = judging;
    return result;
}

void cp_judging_destroy(struct cp_judging *judging)
{
    if (!judging)
        return;
    atomic_store(&judging->stop, true);
    cp_runner_destroy(&judging->runner);
    cp_moderation_destroy(judging->moderation);
    free(judging);
}

void cp_judging_collect(struct cp_judging *judging)
{
    if (judging)
        cp_metric_set(cp_gauge(judging->observe, "compere_moderation_waiting", "",
                               "Questions of the audience that wait for their verdict"),
                      (double)cp_queue_stats(judging->runner.queue).depth);
}
