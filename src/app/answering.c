#include "app/answering.h"

#include "answers/llm/prompt.h"
#include "app/app.h"
#include "app/questions.h"

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
    struct cp_metric *full;
};

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

/* The passages that the answer names, as suggestions from the documents cite them. */
static json_t *cite(const json_t *hits, unsigned cited, double *ret_confidence)
{
    static const char *const FIELDS[] = {"document", "title", "heading", "passage", "link"};
    json_t *citations = json_array(), *hit;
    size_t i;
    json_array_foreach(hits, i, hit)
    {
        double confidence = json_number_value(json_object_get(hit, "confidence"));
        if (i >= CP_PROMPT_MAX_PASSAGES || !(cited & 1u << i))
            continue;
        json_t *citation = json_object();
        for (size_t k = 0; k < sizeof FIELDS / sizeof *FIELDS; k++)
            if (json_object_get(hit, FIELDS[k]))
                json_object_set(citation, FIELDS[k], json_object_get(hit, FIELDS[k]));
        json_object_set_new(citation, "start", json_integer(0));
        json_object_set_new(citation, "end", json_integer((json_int_t)strlen(text_of(hit, "text"))));
        json_array_append_new(citations, citation);
        *ret_confidence = confidence > *ret_confidence ? confidence : *ret_confidence;
    }
    return citations;
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
    json_t *citations = cite(hits, cited, &confidence), *suggestion = NULL;
    if (refused || json_array_size(citations))
        suggestion = json_pack("{s:s,s:b,s:f,s:O,s:s,s:s,s:f,s:f}", "text", cp_buffer_string(&text),
                               "refused", refused, "confidence", confidence, "citations", citations, "by",
                               "model", "model", answer->model, "first_ms", (double)answer->first_ns / 1e6,
                               "took_ms", (double)answer->total_ns / 1e6);
    json_decref(citations);
    cp_buffer_free(&text);
    return suggestion;
}

static int write_answer(struct cp_answering *answering, const json_t *question, const json_t *hits,
                        json_t **ret_suggestion, struct cp_error *error)
{
    const struct cp_llm_config *config = &answering->app->config.llm;
    const struct cp_persona persona = {config->persona_name, config->persona_role, config->persona_tone,
                                       (int)config->persona_words};
    struct cp_llm_answer answer;
    json_t *messages = cp_prompt_make(&persona, hits, text_of(question, "text"));
    int result = messages ? cp_llm_ask(answering->llm, messages, &answering->stop, &answer, error)
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

static void answer(struct cp_answering *answering, const struct job *job)
{
    struct cp_app *app = answering->app;
    struct cp_error error;
    json_t *question = NULL, *found = NULL, *suggestion = NULL;
    if (cp_question_get(app, job->channel, job->question, &question, NULL))
        return; /* gone meanwhile */
    const struct cp_search search = {.query = text_of(question, "text"),
                                     .collection = text_of(question, "collection"),
                                     .language = text_of(question, "language"),
                                     .limit = CP_PROMPT_MAX_PASSAGES};
    int result = cp_answers_search(app->answers, &search, &found, &error);
    const json_t *hits = json_object_get(found, "hits");
    if (!result && json_array_size(hits))
        result = write_answer(answering, question, hits, &suggestion, &error);
    if (result && result != CP_ERR_CANCELLED) {
        suggestion = json_deep_copy(json_object_get(question, "suggestion"));
        json_object_set_new(suggestion, "problem", json_string(error.text));
        cp_log(CP_LOG_WARN, "app", "question not answered by the model", "question=%s error=\"%s\"",
               job->question, error.text);
    }
    if (suggestion)
        cp_question_set_suggestion(app, job->channel, job->question, suggestion);
    if (job->asked_ns && result != CP_ERR_CANCELLED)
        cp_question_air_if_sure(app, job->channel, job->question, job->asked_ns);
    json_decref(suggestion);
    json_decref(found);
    json_decref(question);
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
