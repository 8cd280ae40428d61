#include "app/desk/fetching.h"

#include "app/app.h"

#include "base/clock.h"
#include "base/http.h"
#include "base/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WAITING = 16, KEPT = 64, MOST_URLS = 200, URL_BYTES = 1000, REDIRECTS = 4, FETCH_MS = 20000 };

struct cp_fetching {
    struct cp_app *app;
    struct cp_http *http;
    struct cp_runner runner;
    struct cp_metric *kept, *failed;
    atomic_bool stop;
    pthread_mutex_t lock; /* guards the jobs */
    json_t *jobs;         /* newest last */
};

struct errand {
    struct cp_errand errand;
    struct cp_fetching *fetching;
    json_t *job, *urls; /* the job is shared: changed under the lock */
    char collection[CP_COLLECTION_BYTES], language[36];
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* --- one page --- */

/* Where an answer sends us, as an address of its own; false when it sends us nowhere. */
static bool read_location(const struct cp_http_response *response, const char *from, char *to,
                          size_t capacity)
{
    char location[URL_BYTES];
    if (!cp_http_header(response, "Location", location, sizeof location) || !*location)
        return false;
    if (!strncmp(location, "http://", 7) || !strncmp(location, "https://", 8))
        return (size_t)snprintf(to, capacity, "%s", location) < capacity;
    const char *host = strstr(from, "://");
    int origin = host ? (int)(host + 3 + strcspn(host + 3, "/?#") - from) : 0;
    return origin && *location == '/' &&
           (size_t)snprintf(to, capacity, "%.*s%s", origin, from, location) < capacity;
}

/* Fetches, following a few redirects: each address is checked anew. The response is freed by the caller. */
static int fetch(struct cp_fetching *fetching, const char *url, struct cp_http_response *ret_response,
                 struct cp_error *error)
{
    char at[URL_BYTES], next[URL_BYTES];
    static const char *const headers[] = {"Accept: text/html, text/plain, text/markdown, application/pdf",
                                          NULL};
    snprintf(at, sizeof at, "%s", url);
    for (int i = 0;; i++) {
        const struct cp_http_request request = {.who = "the web page",
                                                .stage = "answers",
                                                .url = at,
                                                .headers = headers,
                                                .public_only = !fetching->app->config.answers.fetch_private,
                                                .max_body_bytes =
                                                    (size_t)fetching->app->config.answers.max_document_bytes,
                                                .total_ms = FETCH_MS,
                                                .stop = &fetching->stop};
        int result = cp_http_send(fetching->http, &request, ret_response, error);
        if (result)
            return result;
        int status = ret_response->status;
        if (status < 301 || status > 308 || !read_location(ret_response, at, next, sizeof next))
            return cp_http_check(&request, ret_response, error);
        if (i == REDIRECTS)
            return cp_fail(error, CP_ERR_LIMIT, "answers",
                           "the web page sends us from one address to the next");
        cp_http_response_free(ret_response);
        memcpy(at, next, sizeof at);
    }
}

/* A page is known by its address, so that fetching it again replaces it. */
static int read_page(const struct errand *errand, const char *url, json_t **ret_document,
                     struct cp_error *error)
{
    struct cp_fetching *fetching = errand->fetching;
    struct cp_http_response response = {0};
    char type[120] = "", title[201];
    int result = fetch(fetching, url, &response, error);
    cp_http_header(&response, "Content-Type", type, sizeof type);
    const char *name = strstr(url, "://") + 3;
    snprintf(title, sizeof title, "%.*s", (int)strcspn(name, "#"), name);
    const struct cp_document_source source = {.collection = errand->collection,
                                              .title = title,
                                              .type = *type ? type : "text/html",
                                              .language = errand->language,
                                              .bytes = response.body.data,
                                              .length = response.body.length};
    if (!result)
        result = cp_answers_add(fetching->app->answers, &source, ret_document, error);
    cp_http_response_free(&response);
    return result;
}

/* --- a list --- */

static void note(const struct errand *errand, const char *url, const json_t *document,
                 const struct cp_error *error)
{
    pthread_mutex_lock(&errand->fetching->lock);
    json_t *done = json_object_get(errand->job, "done");
    json_integer_set(done, json_integer_value(done) + 1);
    if (document)
        json_array_append(json_object_get(errand->job, "documents"), json_object_get(document, "id"));
    else
        json_array_append_new(json_object_get(errand->job, "problems"),
                              json_pack("{s:s,s:s}", "url", url, "reason", error->text));
    pthread_mutex_unlock(&errand->fetching->lock);
}

static void set_state(const struct errand *errand, const char *state)
{
    pthread_mutex_lock(&errand->fetching->lock);
    json_object_set_new(errand->job, "state", json_string(state));
    pthread_mutex_unlock(&errand->fetching->lock);
}

static void free_errand(struct errand *errand)
{
    pthread_mutex_t *lock = &errand->fetching->lock;
    pthread_mutex_lock(lock); /* the job's references are counted without one */
    json_decref(errand->job);
    pthread_mutex_unlock(lock);
    json_decref(errand->urls);
    free(errand);
}

/* thread: fetching */
static void run(struct cp_errand *base)
{
    struct errand *errand = (struct errand *)base;
    size_t i;
    const json_t *url;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 10); /* the show comes first */
    set_state(errand, "running");
    json_array_foreach(errand->urls, i, url)
    {
        struct cp_error error = {0};
        json_t *document = NULL;
        if (atomic_load(&errand->fetching->stop))
            break;
        int result = read_page(errand, json_string_value(url), &document, &error);
        cp_metric_add(result ? errand->fetching->failed : errand->fetching->kept, 1);
        note(errand, json_string_value(url), document, &error);
        json_decref(document);
    }
    set_state(errand, "done");
    free_errand(errand);
}

static void drop(struct cp_errand *base)
{
    free_errand((struct errand *)base);
}

/* Lines of addresses; those that begin with '#' are comments. */
static int read_list(const char *text, size_t length, json_t *urls, struct cp_error *error)
{
    const char *end = text + length;
    for (const char *at = text; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        size_t n = (size_t)(line_end - at);
        while (n && (at[n - 1] == '\r' || at[n - 1] == ' '))
            n--;
        bool web = (n > 7 && !strncmp(at, "http://", 7)) || (n > 8 && !strncmp(at, "https://", 8));
        if (n && *at != '#') {
            if (!web || n >= URL_BYTES || memchr(at, ' ', n) || memchr(at, 0, n))
                return cp_fail(error, CP_ERR_INVALID, "app",
                               "\"%.*s\" is no http or https address; one a line", (int)(n < 60 ? n : 60),
                               at);
            if (json_array_size(urls) == MOST_URLS)
                return cp_fail(error, CP_ERR_LIMIT, "app", "a list may have %d addresses", MOST_URLS);
            json_array_append_new(urls, json_stringn(at, n));
        }
        at = line_end + 1;
    }
    return json_array_size(urls) ? 0
                                 : cp_fail(error, CP_ERR_INVALID, "app", "there is no address in the list");
}

static json_t *make_job(const struct errand *errand)
{
    uint8_t random[6];
    char id[24] = "job_", now[32];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* Linux gives 6 bytes or the system is broken */
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(id + 4 + 2 * i, 3, "%02x", random[i]);
    cp_clock_rfc3339(cp_clock_wall_ns(), now);
    return json_pack("{s:s,s:s,s:s,s:i,s:i,s:[],s:[],s:s}", "id", id, "collection",
                     *errand->collection ? errand->collection : "main", "state", "waiting", "total",
                     (int)json_array_size(errand->urls), "done", 0, "documents", "problems", "created_at",
                     now);
}

/* Keeps the job for those who ask; returns what is told of it now. */
static json_t *keep_job(struct cp_fetching *fetching, json_t *job)
{
    pthread_mutex_lock(&fetching->lock);
    json_array_append(fetching->jobs, job);
    if (json_array_size(fetching->jobs) > KEPT)
        json_array_remove(fetching->jobs, 0);
    json_t *told = json_deep_copy(job);
    pthread_mutex_unlock(&fetching->lock);
    return told;
}

void cp_fetching_add(struct cp_fetching *fetching, struct cp_request *request)
{
    struct cp_error error;
    size_t length;
    const char *bytes = cp_request_body(request, &length),
               *collection = cp_request_query(request, "collection"),
               *language = cp_request_query(request, "language");
    struct errand *errand = calloc(1, sizeof *errand);
    if (!errand) {
        cp_request_fail_status(request, 500, NULL, "out of memory");
        return;
    }
    *errand = (struct errand){.errand = {run, drop}, .fetching = fetching, .urls = json_array()};
    snprintf(errand->collection, sizeof errand->collection, "%s", collection ? collection : "");
    snprintf(errand->language, sizeof errand->language, "%s", language ? language : "");
    if (read_list(bytes, length, errand->urls, &error)) {
        cp_request_fail(request, &error);
        free_errand(errand);
        return;
    }
    errand->job = make_job(errand);
    json_t *told = keep_job(fetching, errand->job);
    if (cp_runner_push(&fetching->runner, &errand->errand)) {
        cp_request_reply_json(request, 202, told);
        return;
    }
    json_decref(told);
    set_state(errand, "refused");
    free_errand(errand);
    cp_request_add_header(request, "Retry-After", "10");
    cp_request_fail_status(request, 503, NULL, "many lists of pages wait; try again in a moment");
}

json_t *cp_fetching_jobs(struct cp_fetching *fetching)
{
    pthread_mutex_lock(&fetching->lock);
    json_t *list = json_array();
    for (size_t i = json_array_size(fetching->jobs); i-- > 0;)
        json_array_append_new(list, json_deep_copy(json_array_get(fetching->jobs, i)));
    pthread_mutex_unlock(&fetching->lock);
    return json_pack("{s:o}", "jobs", list);
}

json_t *cp_fetching_job(struct cp_fetching *fetching, const char *id)
{
    json_t *found = NULL;
    size_t i;
    const json_t *job;
    pthread_mutex_lock(&fetching->lock);
    json_array_foreach(fetching->jobs, i, job)
    {
        if (!found && !strcmp(text_of(job, "id"), id))
            found = json_deep_copy(job);
    }
    pthread_mutex_unlock(&fetching->lock);
    return found;
}

/* --- the whole --- */

int cp_fetching_create(struct cp_app *app, struct cp_fetching **ret_fetching, struct cp_error *error)
{
    struct cp_fetching *fetching = calloc(1, sizeof *fetching);
    if (!fetching)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    fetching->app = app;
    fetching->jobs = json_array();
    pthread_mutex_init(&fetching->lock, NULL);
    fetching->kept =
        cp_counter(app->observe, "compere_pages_total", "result=\"kept\"", "Web pages by result");
    fetching->failed =
        cp_counter(app->observe, "compere_pages_total", "result=\"failed\"", "Web pages by result");
    int result = cp_http_create(&(struct cp_http_config){.max_idle = 2}, &fetching->http, error);
    if (!result)
        result = cp_runner_start(&fetching->runner, "fetching", WAITING, error);
    if (result) {
        cp_fetching_destroy(fetching);
        return result;
    }
    *ret_fetching = fetching;
    return 0;
}

void cp_fetching_destroy(struct cp_fetching *fetching)
{
    if (!fetching)
        return;
    atomic_store(&fetching->stop, true);
    cp_runner_destroy(&fetching->runner);
    cp_http_destroy(fetching->http);
    json_decref(fetching->jobs);
    pthread_mutex_destroy(&fetching->lock);
    free(fetching);
}
