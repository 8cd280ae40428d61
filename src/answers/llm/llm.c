#include "answers/llm/llm.h"

#include "answers/endpoint.h"
#include "answers/llm/stream.h"
#include "base/breaker.h"
#include "base/clock.h"
#include "base/http.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "answers"
enum { LEAST_MS = 200 };

#define OPTION(field) offsetof(struct cp_llm_config, field)
const struct cp_option cp_llm_options[] = {
    {.name = "url",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "language models of OpenAI's shape that answer questions, the first that can, with commas "
             "(http://127.0.0.1:11434/v1); empty: answers are the documents' own sentences",
     .offset = OPTION(url)},
    {.name = "model",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "their models, with commas; one is enough for all",
     .offset = OPTION(model)},
    {.name = "key",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "their keys as references (env:NAME, file:PATH), with commas; one is enough for all",
     .offset = OPTION(key)},
    {.name = "first_ms",
     .type = CP_OPTION_INT,
     .fallback = "6000",
     .min = 100,
     .max = 120000,
     .help = "how long an endpoint may take to begin its answer",
     .offset = OPTION(first_ms)},
    {.name = "idle_ms",
     .type = CP_OPTION_INT,
     .fallback = "4000",
     .min = 100,
     .max = 120000,
     .help = "how long an answer may pause",
     .offset = OPTION(idle_ms)},
    {.name = "total_ms",
     .type = CP_OPTION_INT,
     .fallback = "20000",
     .min = 500,
     .max = 300000,
     .help = "how long all endpoints together may take",
     .offset = OPTION(total_ms)},
    {.name = "max_tokens",
     .type = CP_OPTION_INT,
     .fallback = "300",
     .min = 16,
     .max = 8192,
     .help = "of an answer",
     .offset = OPTION(max_tokens)},
    {.name = "day_tokens",
     .type = CP_OPTION_INT,
     .fallback = "0",
     .min = 0,
     .max = 1e12,
     .help = "of all questions and answers of a day (UTC); 0: no limit",
     .offset = OPTION(day_tokens)},
    {.name = "temperature",
     .type = CP_OPTION_FLOAT,
     .fallback = "0.2",
     .min = 0,
     .max = 2,
     .help = "how freely it words its answers",
     .offset = OPTION(temperature)},
    {.name = "persona_name",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "who answers; the presenter when nothing is said",
     .offset = OPTION(persona_name)},
    {.name = "persona_role",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "what they are",
     .offset = OPTION(persona_role)},
    {.name = "persona_tone",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "how they speak",
     .offset = OPTION(persona_tone)},
    {.name = "persona_words",
     .type = CP_OPTION_INT,
     .fallback = "45",
     .min = 5,
     .max = 300,
     .help = "in an answer, at most",
     .offset = OPTION(persona_words)},
    {.name = "refusal",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "what is suggested when the documents do not answer a question; empty: nothing",
     .offset = OPTION(refusal)},
};
const size_t cp_llm_n_options = sizeof cp_llm_options / sizeof *cp_llm_options;

struct endpoint {
    struct cp_endpoint at;
    char model[128];
    struct cp_breaker breaker; /* under the lock */
    atomic_bool plain;         /* its last answer had no thoughts without a beginning */
};

struct cp_llm {
    struct cp_llm_config config;
    struct cp_http *http;
    struct endpoint endpoints[CP_LLM_MAX_ENDPOINTS];
    int n_endpoints;
    pthread_mutex_t lock; /* the rest */
    struct cp_llm_stats stats;
    int64_t day; /* since 1970, that tokens_today is of */
};

/* --- setting up --- */

/* The n'th entry of a list with commas, or its last; blanks around it are cut. */
static void entry_of(const char *list, int n, char *entry, size_t capacity)
{
    for (const char *comma; n > 0 && (comma = strchr(list, ',')); n--)
        list = comma + 1;
    list += strspn(list, " ");
    size_t length = strcspn(list, ",");
    while (length && list[length - 1] == ' ')
        length--;
    snprintf(entry, capacity, "%.*s", (int)length, list);
}

static int count_entries(const char *list)
{
    int n = *list != 0;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static int set_up_endpoint(const struct cp_llm_config *config, int n, struct endpoint *endpoint,
                           struct cp_error *error)
{
    char url[CP_OPTION_TEXT_BYTES], key[CP_OPTION_TEXT_BYTES];
    entry_of(config->url, n, url, sizeof url);
    entry_of(config->model, n, endpoint->model, sizeof endpoint->model);
    entry_of(config->key, n, key, sizeof key);
    return cp_endpoint_set_up(&endpoint->at, "llm.", url, "/chat/completions", key, error);
}

int cp_llm_create(const struct cp_llm_config *config, struct cp_llm **ret_llm, struct cp_error *error)
{
    *ret_llm = NULL;
    if (!*config->url)
        return 0;
    int n = count_entries(config->url);
    if (n > CP_LLM_MAX_ENDPOINTS)
        return cp_fail(error, CP_ERR_INVALID, STAGE, "llm.url: %d endpoints; at most %d can be asked", n,
                       CP_LLM_MAX_ENDPOINTS);
    struct cp_llm *llm = calloc(1, sizeof *llm);
    if (!llm)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    llm->config = *config;
    pthread_mutex_init(&llm->lock, NULL);
    int result =
        cp_http_create(&(struct cp_http_config){.max_idle = CP_LLM_MAX_ENDPOINTS}, &llm->http, error);
    for (int i = 0; i < n && !result; i++, llm->n_endpoints++)
        result = set_up_endpoint(config, i, &llm->endpoints[i], error);
    if (result) {
        cp_llm_destroy(llm);
        return result;
    }
    *ret_llm = llm;
    return 0;
}

void cp_llm_destroy(struct cp_llm *llm)
{
    if (!llm)
        return;
    cp_http_destroy(llm->http);
    pthread_mutex_destroy(&llm->lock);
    free(llm);
}

/* --- the budget --- */

static void count_tokens(struct cp_llm *llm, int64_t in, int64_t out)
{
    llm->stats.tokens_in += in;
    llm->stats.tokens_out += out;
    llm->stats.tokens_today += in + out;
}

static bool has_tokens(struct cp_llm *llm)
{
    int64_t day = cp_clock_wall_ns() / CP_NS_PER_S / 86400;
    pthread_mutex_lock(&llm->lock);
    if (day != llm->day)
        llm->stats.tokens_today = 0;
    llm->day = day;
    bool has = !llm->config.day_tokens || llm->stats.tokens_today < llm->config.day_tokens;
    pthread_mutex_unlock(&llm->lock);
    return has;
}

/* --- asking --- */

struct asking {
    struct cp_llm_stream stream;
    const struct cp_llm_listener *waiting;  /* who asks; may be NULL */
    const struct cp_llm_listener *listener; /* NULL: nobody hears it early */
    size_t heard;                           /* bytes of the text */
    bool used;
    struct cp_http_request request;
    struct cp_http_response response;
};

static int take_body(void *user, const uint8_t *bytes, size_t length)
{
    struct asking *asking = user;
    int result = cp_llm_stream_feed(&asking->stream, bytes, length);
    if (!result && asking->listener && asking->stream.text.length != asking->heard) {
        asking->heard = asking->stream.text.length;
        asking->used |=
            asking->listener->text(asking->listener->user, cp_buffer_string(&asking->stream.text));
    }
    return result;
}

static void tick(void *user)
{
    const struct cp_llm_listener *waiting = ((struct asking *)user)->waiting;
    if (waiting->tick)
        waiting->tick(waiting->user);
}

/* A server that does not count is counted: some four bytes a token. */
static void fill_answer(const struct endpoint *endpoint, struct asking *asking, struct cp_llm_answer *answer)
{
    const struct cp_llm_stream *stream = &asking->stream;
    snprintf(answer->host, sizeof answer->host, "%s", endpoint->at.host);
    snprintf(answer->model, sizeof answer->model, "%s", endpoint->model);
    answer->tokens_in = stream->tokens_in ? stream->tokens_in : (int64_t)asking->request.body_bytes / 4;
    answer->tokens_out = stream->tokens_out ? stream->tokens_out : (int64_t)stream->text.length / 4;
    answer->first_ns = asking->response.first_byte_ns;
}

/* What came instead of an answer, in words. */
static int explain(const struct endpoint *endpoint, const struct asking *asking, int result,
                   struct cp_error *error)
{
    const struct cp_llm_stream *stream = &asking->stream;
    if (*stream->problem)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "the language model at %s says: %s",
                       endpoint->at.host, stream->problem);
    if (result == CP_ERR_FORMAT)
        return cp_fail(error, result, STAGE,
                       "what %s answers is not of OpenAI's shape; is the address right?", endpoint->at.host);
    if (result == CP_ERR_IO)
        return cp_fail(error, result, STAGE, "the language model at %s broke off", endpoint->at.host);
    if (result == CP_ERR_LIMIT)
        return cp_fail(error, result, STAGE, "the language model at %s does not come to an end",
                       endpoint->at.host);
    return result;
}

static int ask_endpoint(struct cp_llm *llm, struct endpoint *endpoint, const char *body, int64_t left_ms,
                        const struct cp_llm_listener *listener, bool *ret_used, const atomic_bool *stop,
                        struct cp_llm_answer *answer, struct cp_error *error)
{
    bool plain = atomic_load(&endpoint->plain);
    struct asking asking = {
        .stream = cp_llm_stream_make(), .waiting = listener, .listener = plain ? listener : NULL};
    const char *headers[] = {"Content-Type: application/json", "Accept: text/event-stream, application/json",
                             *endpoint->at.authorization ? endpoint->at.authorization : NULL, NULL};
    asking.request = (struct cp_http_request){.who = "the language model",
                                              .stage = STAGE,
                                              .method = "POST",
                                              .url = endpoint->at.url,
                                              .headers = headers,
                                              .body = body,
                                              .body_bytes = strlen(body),
                                              .take_body = take_body,
                                              .user = &asking,
                                              .tick = listener ? tick : NULL,
                                              .first_byte_ms = llm->config.first_ms,
                                              .idle_ms = llm->config.idle_ms,
                                              .total_ms = left_ms,
                                              .stop = stop};
    int result = cp_http_send(llm->http, &asking.request, &asking.response, error);
    if (!result)
        result = cp_http_check(&asking.request, &asking.response, error);
    if (!result) {
        result = cp_llm_stream_end(&asking.stream);
        atomic_store(&endpoint->plain, !asking.stream.untagged && (plain || !result));
        const char *text = cp_buffer_string(&asking.stream.text);
        if (!result && !text[strspn(text, " \n\t")])
            result = CP_ERR_FORMAT; /* nothing but thoughts, or nothing at all */
        answer->text = result ? NULL : strdup(text);
        if (!result && !answer->text)
            result = CP_ERR_NOMEM;
    }
    if (result && asking.response.status / 100 == 2)
        result = explain(endpoint, &asking, result, error);
    if (!result)
        fill_answer(endpoint, &asking, answer);
    *ret_used = asking.used;
    cp_llm_stream_free(&asking.stream);
    cp_http_response_free(&asking.response);
    return result;
}

static char *body_of(const struct cp_llm_config *config, const struct endpoint *endpoint,
                     const json_t *messages)
{
    json_t *body = json_pack("{s:s,s:O,s:b,s:I,s:f,s:{s:b}}", "model", endpoint->model, "messages", messages,
                             "stream", 1, "max_tokens", (json_int_t)config->max_tokens, "temperature",
                             config->temperature, "stream_options", "include_usage", 1);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static bool may_ask(struct cp_llm *llm, struct endpoint *endpoint)
{
    pthread_mutex_lock(&llm->lock);
    bool may = cp_breaker_allow(&endpoint->breaker, cp_clock_now_ns());
    pthread_mutex_unlock(&llm->lock);
    return may;
}

/* Bad questions are nobody's fault; everything else counts against the endpoint. */
static void note(struct cp_llm *llm, struct endpoint *endpoint, int result)
{
    pthread_mutex_lock(&llm->lock);
    if (!result)
        cp_breaker_success(&endpoint->breaker);
    else if (result != CP_ERR_CANCELLED && result != CP_ERR_NOMEM)
        cp_breaker_failure(&endpoint->breaker, cp_clock_now_ns());
    pthread_mutex_unlock(&llm->lock);
}

static void count(struct cp_llm *llm, int result, int failovers, const struct cp_llm_answer *answer)
{
    pthread_mutex_lock(&llm->lock);
    llm->stats.asked++;
    llm->stats.failovers += (uint64_t)failovers;
    if (result) {
        llm->stats.failed++;
    } else {
        llm->stats.answered++;
        llm->stats.first_ns += answer->first_ns;
        llm->stats.total_ns += answer->total_ns;
        count_tokens(llm, answer->tokens_in, answer->tokens_out);
    }
    pthread_mutex_unlock(&llm->lock);
}

int cp_llm_ask(struct cp_llm *llm, const json_t *messages, const struct cp_llm_listener *listener,
               const atomic_bool *stop, struct cp_llm_answer *ret_answer, struct cp_error *error)
{
    const int64_t start_ns = cp_clock_now_ns();
    struct cp_llm_answer answer = {0};
    if (!has_tokens(llm))
        return cp_fail(error, CP_ERR_BUSY, STAGE, "the day's %lld tokens (llm.day_tokens) are used up",
                       (long long)llm->config.day_tokens);
    int result =
        cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "the language models have failed too often and rest");
    int tried = 0;
    bool used = false;
    for (int i = 0; i < llm->n_endpoints && result && !used; i++) {
        struct endpoint *endpoint = &llm->endpoints[i];
        int64_t left_ms = llm->config.total_ms - (cp_clock_now_ns() - start_ns) / CP_NS_PER_MS;
        if (left_ms < LEAST_MS || result == CP_ERR_CANCELLED)
            break;
        if (!may_ask(llm, endpoint))
            continue;
        char *body = body_of(&llm->config, endpoint, messages);
        result = body ? ask_endpoint(llm, endpoint, body, left_ms, listener, &used, stop, &answer, error)
                      : cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
        free(body);
        note(llm, endpoint, result);
        tried++;
    }
    answer.total_ns = cp_clock_now_ns() - start_ns;
    count(llm, result, tried > 1 ? tried - 1 : 0, &answer);
    if (!result)
        *ret_answer = answer;
    return result;
}

struct cp_llm_stats cp_llm_stats(struct cp_llm *llm)
{
    pthread_mutex_lock(&llm->lock);
    struct cp_llm_stats stats = llm->stats;
    pthread_mutex_unlock(&llm->lock);
    return stats;
}
