#include "app/desk/answering.h"

#include "answers/llm/prompt.h"
#include "app/app.h"
#include "app/desk/airing.h"
#include "app/desk/questions.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING = 256, THREADS = 2 };

struct job {
    char channel[40], question[48];
    int64_t asked_ns;
};

struct cp_answering {
    struct cp_app *app;
    struct cp_llm *llm;
    struct cp_queue *queue;
    pthread_t threads[THREADS];
    int n_threads;
    atomic_bool stop;
    struct cp_metric *full, *first_sentence;
};

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

/* NULL when the model names no document for what it says: nobody can check that. */
static json_t *suggestion_of(struct cp_answering *answering, const struct cp_llm_answer *answer,
                             const json_t *hits)
{
    struct cp_buffer text = cp_buffer_make(64 << 10);
    unsigned cited = 0;
    double confidence = 0;
    const bool refused = cp_prompt_is_refusal(answer->text);
    if (refused)
        cp_buffer_text(&text, answering->app->config.llm.refusal);
    else
        cp_prompt_read(answer->text, (int)json_array_size(hits), &text, &cited);
    json_t *citations = cp_airing_cite(hits, cited, &confidence), *suggestion = NULL;
    if (refused || json_array_size(citations))
        suggestion = json_pack("{s:s,s:b,s:f,s:O,s:s,s:s,s:f,s:f}", "text", cp_buffer_string(&text),
                               "refused", refused, "confidence", confidence, "citations", citations, "by",
                               "model", "model", answer->model, "first_ms", (double)answer->first_ns / 1e6,
                               "took_ms", (double)answer->total_ns / 1e6);
    json_decref(citations);
    cp_buffer_free(&text);
    return suggestion;
}

/* Who answers: as the channel says, else as the server's configuration does. */
static struct cp_persona persona_of(const struct cp_llm_config *config, const json_t *about)
{
    const json_t *own = json_object_get(json_object_get(about, "answers"), "persona");
    const char *name = text_of(own, "name"), *role = text_of(own, "role"), *tone = text_of(own, "tone");
    int64_t words = json_integer_value(json_object_get(own, "words"));
    return (struct cp_persona){*name ? name : config->persona_name, *role ? role : config->persona_role,
                               *tone ? tone : config->persona_tone,
                               (int)(words ? words : config->persona_words)};
}

/* What is known of a question when a model is asked. */
struct matter {
    const struct job *job;
    json_t *about, *question, *earlier,
        *found; /* the channel, ..., what the asker asked before, the search */
};

static int write_answer(struct cp_answering *answering, const struct matter *matter, struct cp_airing *airing,
                        json_t **ret_suggestion, struct cp_error *error)
{
    const struct cp_llm_listener listener = {cp_airing_hear, cp_airing_tick, airing};
    const struct cp_persona persona = persona_of(&answering->app->config.llm, matter->about);
    const json_t *hits = json_object_get(matter->found, "hits");
    struct cp_llm_answer answer;
    json_t *messages = cp_prompt_make(&persona, matter->earlier, hits, text_of(matter->question, "text"));
    int result = messages ? cp_llm_ask(answering->llm, messages, airing->sure <= 1 ? &listener : NULL,
                                       &answering->stop, &answer, error)
                          : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    json_decref(messages);
    if (result)
        return result;
    *ret_suggestion = suggestion_of(answering, &answer, hits);
    if (!*ret_suggestion)
        result = cp_fail(error, CP_ERR_FORMAT, "app",
                         "the language model named no document for its answer, so it is not suggested");
    free(answer.text);
    return result;
}

/* When the model failed: what was suggested before, or what was said of its answer, and why. */
static json_t *suggest_despite(struct cp_app *app, const struct matter *matter, struct cp_airing *airing,
                               const struct cp_error *why)
{
    json_t *now = NULL;
    if (*airing->cue)
        cp_question_get(app, matter->job->channel, matter->job->question, &now, NULL);
    json_t *suggestion = json_deep_copy(json_object_get(now ? now : matter->question, "suggestion"));
    if (now)
        json_object_set_new(suggestion, "text", json_string(cp_buffer_string(&airing->said)));
    json_object_set_new(suggestion, "problem", json_string(why->text));
    json_decref(now);
    return suggestion;
}

/* What is said when the model has nothing and the presenter has said that an answer comes. */
static const char *words_without_model(const struct cp_app *app, const json_t *question, double sure)
{
    const json_t *suggestion = json_object_get(question, "suggestion");
    bool good = !json_is_true(json_object_get(suggestion, "refused")) && *text_of(suggestion, "text") &&
                json_number_value(json_object_get(suggestion, "confidence")) >= sure;
    return good ? text_of(suggestion, "text") : app->config.llm.refusal;
}

/* Asks the model, airs what it says if it may, and puts down what came of it. */
static void have_answered(struct cp_answering *answering, const struct matter *matter, int result,
                          struct cp_error *error)
{
    struct cp_app *app = answering->app;
    const struct job *job = matter->job;
    const json_t *hits = json_object_get(matter->found, "hits");
    json_t *suggestion = NULL;
    struct cp_airing airing;
    cp_airing_begin(&airing, app, job->channel, matter->about, job->question, hits, job->asked_ns);
    if (!result && json_array_size(hits))
        result = write_answer(answering, matter, &airing, &suggestion, error);
    cp_airing_finish(&airing, suggestion, words_without_model(app, matter->question, airing.sure));
    if (result && result != CP_ERR_CANCELLED) {
        suggestion = suggest_despite(app, matter, &airing, error);
        cp_log(CP_LOG_WARN, "app", "question not answered by the model", "question=%s error=\"%s\"",
               job->question, error->text);
    }
    if (suggestion && *airing.cue) {
        json_object_set_new(suggestion, "first_sentence_ms", json_real((double)airing.first_ns / 1e6));
        cp_question_note_whole(app, job->channel, job->question, suggestion, cp_buffer_string(&airing.said));
        cp_metric_observe_ns(answering->first_sentence, airing.first_ns);
    } else if (suggestion) {
        cp_question_set_suggestion(app, job->channel, job->question, suggestion);
    }
    if (!*airing.cue && job->asked_ns && result != CP_ERR_CANCELLED)
        cp_question_air_if_sure(app, job->channel, job->question, job->asked_ns);
    cp_airing_clear(&airing);
    json_decref(suggestion);
}

/* Finds passages; for a question that says too little by itself, by the one before it as well. */
static int look_up(struct cp_app *app, struct matter *matter, struct cp_error *error)
{
    const char *text = text_of(matter->question, "text"),
               *before = text_of(json_array_get(matter->earlier, 0), "question");
    struct cp_search search = {.query = text,
                               .collection = text_of(matter->question, "collection"),
                               .language = text_of(matter->question, "language"),
                               .limit = CP_PROMPT_MAX_PASSAGES};
    int result = cp_answers_search(app->answers, &search, &matter->found, error);
    const json_t *best = json_array_get(json_object_get(matter->found, "hits"), 0);
    if (result || !*before ||
        json_number_value(json_object_get(best, "confidence")) >= app->config.answers.confident)
        return result;
    struct cp_buffer both = cp_buffer_make(8 << 10);
    json_t *wider = NULL;
    cp_buffer_printf(&both, "%s %s", before, text);
    search.query = cp_buffer_string(&both);
    if (!both.failed && !cp_answers_search(app->answers, &search, &wider, NULL)) {
        json_decref(matter->found);
        matter->found = wider;
    }
    cp_buffer_free(&both);
    return 0;
}

static void answer(struct cp_answering *answering, const struct job *job)
{
    struct cp_app *app = answering->app;
    struct cp_error error;
    struct matter matter = {.job = job};
    if (cp_question_get(app, job->channel, job->question, &matter.question, NULL))
        return; /* gone meanwhile */
    cp_show_channel_get(app->show, job->channel, &matter.about, NULL);
    matter.earlier = cp_question_earlier(app, job->channel, matter.question);
    int result = look_up(app, &matter, &error);
    have_answered(answering, &matter, result, &error);
    json_decref(matter.about);
    json_decref(matter.earlier);
    json_decref(matter.found);
    json_decref(matter.question);
}

static void *run(void *arg)
{
    struct cp_answering *answering = arg;
    for (struct job *job; (job = cp_queue_pop(answering->queue, INT64_MAX));) {
        if (!atomic_load(&answering->stop))
            answer(answering, job);
        free(job);
    }
    return NULL;
}

void cp_answering_ask(struct cp_answering *answering, const char *channel, const char *question,
                      int64_t asked_ns)
{
    struct job *job = answering ? calloc(1, sizeof *job) : NULL;
    if (!job)
        return;
    snprintf(job->channel, sizeof job->channel, "%s", channel);
    snprintf(job->question, sizeof job->question, "%s", question);
    job->asked_ns = asked_ns;
    if (cp_queue_push(answering->queue, job))
        return;
    free(job);
    cp_metric_add(answering->full, 1);
}

int cp_answering_create(struct cp_app *app, struct cp_answering **ret_answering, struct cp_error *error)
{
    struct cp_answering *answering = calloc(1, sizeof *answering);
    *ret_answering = NULL;
    if (!answering)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result = cp_llm_create(&app->config.llm, &answering->llm, error);
    if (result || !answering->llm) {
        free(answering);
        return result;
    }
    answering->app = app;
    answering->full = cp_counter(app->observe, "compere_llm_left_out_total", "",
                                 "Questions that no model was asked, as too many waited");
    answering->first_sentence =
        cp_histogram(app->observe, "compere_llm_first_sentence_seconds", "",
                     "From asking a language model to the first sentence that was aired of its answer");
    answering->queue = cp_queue_create("answers", WAITING, CP_FULL_REFUSE, free);
    for (int i = 0; answering->queue && i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "answers.%d", i + 1);
        if (cp_thread_start(&answering->threads[i], name, run, answering))
            break;
        answering->n_threads++;
    }
    if (answering->n_threads < THREADS) {
        cp_answering_destroy(answering);
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start the threads that ask language models");
    }
    *ret_answering = answering;
    return 0;
}

void cp_answering_destroy(struct cp_answering *answering)
{
    if (!answering)
        return;
    atomic_store(&answering->stop, true);
    if (answering->queue)
        cp_queue_close(answering->queue);
    for (int i = 0; i < answering->n_threads; i++)
        pthread_join(answering->threads[i], NULL);
    cp_queue_destroy(answering->queue);
    cp_llm_destroy(answering->llm);
    free(answering);
}

void cp_answering_collect(struct cp_answering *answering)
{
    if (!answering)
        return;
    struct cp_observe *observe = answering->app->observe;
    struct cp_llm_stats stats = cp_llm_stats(answering->llm);
    const struct {
        const char *name, *help;
        double value;
    } rows[] = {
        {"compere_llm_asked", "Questions that a language model was asked", (double)stats.asked},
        {"compere_llm_answered", "Of those answered", (double)stats.answered},
        {"compere_llm_failed", "Of those no endpoint answered", (double)stats.failed},
        {"compere_llm_failovers", "Times the next endpoint was asked", (double)stats.failovers},
        {"compere_llm_tokens_in", "Tokens of questions", (double)stats.tokens_in},
        {"compere_llm_tokens_out", "Tokens of answers", (double)stats.tokens_out},
        {"compere_llm_tokens_today", "Tokens of this day (UTC)", (double)stats.tokens_today},
        {"compere_llm_first_seconds", "Time to the first bytes of all answers", (double)stats.first_ns / 1e9},
        {"compere_llm_seconds", "Time of all answers", (double)stats.total_ns / 1e9},
        {"compere_llm_waiting", "Questions that wait for a model",
         (double)cp_queue_stats(answering->queue).depth},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cp_metric_set(cp_gauge(observe, rows[i].name, "", rows[i].help), rows[i].value);
}
