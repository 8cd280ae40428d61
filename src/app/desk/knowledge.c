#include "app/desk/knowledge.h"

#include "answers/evaluate.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WAITING = 32 };

struct work { /* a document or a set of questions that waits; its bytes are the request's body */
    struct cp_request *request;
    void (*run)(struct cp_knowledge *knowledge, struct work *work);
    char type[100], title[201], collection[CP_COLLECTION_BYTES], language[36];
};

struct cp_knowledge {
    struct cp_answers *answers;
    struct cp_observe *observe;
    struct cp_queue *queue;
    pthread_t thread;
    bool started;
    struct cp_metric *kept, *refused, *seconds;
};

static void free_work(void *item)
{
    struct work *work = item;
    cp_request_fail_status(work->request, 503, "stopping", "the server is stopping");
    free(work);
}

static void read_document(struct cp_knowledge *knowledge, struct work *work)
{
    struct cp_error error;
    size_t length;
    const void *bytes = cp_request_body(work->request, &length);
    const struct cp_document_source source = {.collection = work->collection,
                                              .title = work->title,
                                              .type = work->type,
                                              .language = work->language,
                                              .bytes = bytes,
                                              .length = length};
    json_t *document = NULL;
    int64_t started_ns = cp_clock_now_ns();
    int result = cp_answers_add(knowledge->answers, &source, &document, &error);
    cp_metric_add(result ? knowledge->refused : knowledge->kept, 1);
    cp_metric_observe_ns(knowledge->seconds, cp_clock_now_ns() - started_ns);
    if (result == CP_ERR_FORMAT || result == CP_ERR_INVALID) {
        cp_request_fail_status(work->request, result == CP_ERR_FORMAT ? 422 : 400, NULL, error.text);
    } else if (result) {
        cp_request_fail(work->request, &error);
    } else {
        char location[80];
        snprintf(location, sizeof location, "/v1/documents/%s",
                 json_string_value(json_object_get(document, "id")));
        cp_request_add_header(work->request, "Location", location);
        cp_request_reply_json(work->request, 201, document);
    }
}

static void try_questions(struct cp_knowledge *knowledge, struct work *work)
{
    struct cp_error error;
    size_t length;
    const char *bytes = cp_request_body(work->request, &length);
    json_t *questions = NULL, *report = NULL;
    int result = cp_evaluate_read(bytes, length, &questions, &error);
    if (!result && json_array_size(questions) > CP_KNOWLEDGE_MAX_QUESTIONS)
        result = cp_fail(&error, CP_ERR_LIMIT, "app",
                         "here a set may have %d questions; `compere eval` takes more",
                         CP_KNOWLEDGE_MAX_QUESTIONS);
    if (!result)
        result = cp_evaluate(knowledge->answers, questions, work->collection, &report, &error);
    json_decref(questions);
    if (result)
        cp_request_fail(work->request, &error);
    else
        cp_request_reply_json(work->request, 200, report);
}

static void *run(void *arg)
{
    struct cp_knowledge *knowledge = arg;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 10); /* this thread's only; the show comes first */
    for (struct work *work; (work = cp_queue_pop(knowledge->queue, INT64_MAX));) {
        work->run(knowledge, work);
        free(work);
    }
    return NULL;
}

static void add_work(struct cp_knowledge *knowledge, struct cp_request *request,
                     void (*run_work)(struct cp_knowledge *knowledge, struct work *work))
{
    const char *type = cp_request_header(request, "Content-Type"),
               *title = cp_request_query(request, "title"),
               *collection = cp_request_query(request, "collection"),
               *language = cp_request_query(request, "language");
    struct work *work = calloc(1, sizeof *work);
    if (!work) {
        cp_request_fail_status(request, 500, NULL, "out of memory");
        return;
    }
    work->request = request;
    work->run = run_work;
    snprintf(work->type, sizeof work->type, "%s", type ? type : "");
    snprintf(work->title, sizeof work->title, "%s", title ? title : "");
    snprintf(work->collection, sizeof work->collection, "%s", collection ? collection : "");
    snprintf(work->language, sizeof work->language, "%s", language ? language : "");
    cp_request_hold(request, NULL, NULL);
    if (cp_queue_push(knowledge->queue, work))
        return;
    free(work);
    cp_request_add_header(request, "Retry-After", "2");
    cp_request_fail_status(request, 503, NULL, "many documents are being read; try again in a moment");
}

void cp_knowledge_add(struct cp_knowledge *knowledge, struct cp_request *request)
{
    add_work(knowledge, request, read_document);
}

void cp_knowledge_evaluate(struct cp_knowledge *knowledge, struct cp_request *request)
{
    add_work(knowledge, request, try_questions);
}

void cp_knowledge_collect(struct cp_knowledge *knowledge)
{
    struct cp_observe *observe = knowledge->observe;
    struct cp_answers_stats stats = cp_answers_stats(knowledge->answers);
    cp_metric_set(cp_gauge(observe, "compere_documents", "", "Documents in the knowledge base"),
                  (double)stats.documents);
    cp_metric_set(cp_gauge(observe, "compere_passages", "", "Passages in the knowledge base"),
                  (double)stats.passages);
    cp_metric_set(cp_gauge(observe, "compere_documents_waiting", "", "Documents that wait to be read"),
                  (double)cp_queue_stats(knowledge->queue).depth);
    cp_metric_set(
        cp_gauge(observe, "compere_passages_embedded", "", "Passages that are found by meaning too"),
        (double)stats.embedded);
    cp_metric_set(
        cp_gauge(observe, "compere_embed_failures", "", "Requests for embeddings that failed, since start"),
        (double)stats.embed_failures);
    cp_metric_set(cp_gauge(observe, "compere_searches", "", "Searches since start"), (double)stats.searches);
    cp_metric_set(cp_gauge(observe, "compere_searches_unsure", "", "Searches without a confident hit"),
                  (double)stats.refused);
    cp_metric_set(cp_gauge(observe, "compere_search_seconds", "", "Time that searches took since start"),
                  (double)stats.search_ns / 1e9);
}

int cp_knowledge_create(struct cp_answers *answers, struct cp_observe *observe,
                        struct cp_knowledge **ret_knowledge, struct cp_error *error)
{
    struct cp_knowledge *knowledge = calloc(1, sizeof *knowledge);
    if (!knowledge)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    knowledge->answers = answers;
    knowledge->observe = observe;
    knowledge->kept =
        cp_counter(observe, "compere_documents_total", "result=\"kept\"", "Documents by result");
    knowledge->refused =
        cp_counter(observe, "compere_documents_total", "result=\"refused\"", "Documents by result");
    knowledge->seconds =
        cp_histogram(observe, "compere_document_seconds", "", "Time to read, cut and keep a document");
    knowledge->queue = cp_queue_create("knowledge", WAITING, CP_FULL_REFUSE, free_work);
    if (!knowledge->queue || cp_thread_start(&knowledge->thread, "knowledge", run, knowledge)) {
        cp_knowledge_destroy(knowledge);
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start the knowledge thread");
    }
    knowledge->started = true;
    *ret_knowledge = knowledge;
    return 0;
}

void cp_knowledge_destroy(struct cp_knowledge *knowledge)
{
    if (!knowledge)
        return;
    if (knowledge->queue)
        cp_queue_close(knowledge->queue);
    if (knowledge->started)
        pthread_join(knowledge->thread, NULL);
    cp_queue_destroy(knowledge->queue);
    free(knowledge);
}
