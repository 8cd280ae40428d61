#include "answers/moderation.h"

#include "answers/endpoint.h"
#include "base/breaker.h"
#include "base/clock.h"
#include "base/http.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "answers"

#define OPTION(field) offsetof(struct cp_moderation_config, field)
const struct cp_option cp_moderation_options[] = {
    {.name = "url",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "a moderation endpoint of OpenAI's shape that judges what the audience asks "
             "(https://api.openai.com/v1); empty: nobody judges",
     .offset = OPTION(url)},
    {.name = "model",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "its model; empty: the endpoint's own",
     .offset = OPTION(model)},
    {.name = "key",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help = "its key as a reference (env:NAME, file:PATH)",
     .offset = OPTION(key)},
    {.name = "timeout_ms",
     .type = CP_OPTION_INT,
     .fallback = "3000",
     .min = 100,
     .max = 60000,
     .help = "how long it may take to judge a question",
     .offset = OPTION(timeout_ms)},
    {.name = "on_failure",
     .type = CP_OPTION_CHOICE,
     .fallback = "hold",
     .choices = "hold|refuse",
     .help =
         "what becomes of a question that it could not judge: it comes to the desk marked and never airs by "
         "itself, or it is not kept",
     .offset = OPTION(on_failure)},
};
const size_t cp_moderation_n_options = sizeof cp_moderation_options / sizeof *cp_moderation_options;

struct cp_moderation {
    struct cp_endpoint at;
    char model[CP_OPTION_TEXT_BYTES];
    char who[160]; /* for error texts */
    int64_t timeout_ms;
    struct cp_http *http;
    struct cp_breaker breaker;
};

int cp_moderation_create(const struct cp_moderation_config *config, struct cp_moderation **ret_moderation,
                         struct cp_error *error)
{
    *ret_moderation = NULL;
    if (!*config->url)
        return 0;
    struct cp_moderation *moderation = calloc(1, sizeof *moderation);
    if (!moderation)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    moderation->timeout_ms = config->timeout_ms;
    snprintf(moderation->model, sizeof moderation->model, "%s", config->model);
    int result =
        cp_endpoint_set_up(&moderation->at, "moderation.", config->url, "/moderations", config->key, error);
    snprintf(moderation->who, sizeof moderation->who, "the moderation at %s", moderation->at.host);
    if (!result)
        result = cp_http_create(&(struct cp_http_config){.max_idle = 1}, &moderation->http, error);
    if (result) {
        cp_moderation_destroy(moderation);
        return result;
    }
    *ret_moderation = moderation;
    return 0;
}

void cp_moderation_destroy(struct cp_moderation *moderation)
{
    if (!moderation)
        return;
    cp_http_destroy(moderation->http);
    explicit_bzero(&moderation->at, sizeof moderation->at); /* the key */
    free(moderation);
}

const char *cp_moderation_host(const struct cp_moderation *moderation)
{
    return moderation->at.host;
}

static char *body_of(const struct cp_moderation *moderation, const char *text)
{
    json_t *body = json_pack("{s:s}", "input", text);
    if (body && *moderation->model)
        json_object_set_new(body, "model", json_string(moderation->model));
    char *written = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return written;
}

/* {"results":[{"flagged":true,"categories":{...}}]}: flagged when any of them is, and a verdict only when
 * each of them says so or not. */
static int read_verdict(const struct cp_moderation *moderation, const struct cp_buffer *body,
                        bool *ret_flagged, struct cp_error *error)
{
    json_t *answer = json_loadb((const char *)body->data, body->length, 0, NULL), *one;
    const json_t *results = json_object_get(answer, "results");
    bool flagged = false, whole = json_array_size(results) > 0;
    size_t i;
    json_array_foreach(results, i, one)
    {
        whole &= json_is_boolean(json_object_get(one, "flagged"));
        flagged |= json_is_true(json_object_get(one, "flagged"));
    }
    json_decref(answer);
    if (!whole)
        return cp_fail(error, CP_ERR_FORMAT, STAGE,
                       "what %s answers is not of OpenAI's shape; is moderation.url right?", moderation->who);
    *ret_flagged = flagged;
    return 0;
}

/* An answer that names the key is not told to anybody: error texts go into logs. */
static void hide_key(const struct cp_moderation *moderation, struct cp_buffer *body)
{
    const char *key = cp_endpoint_key(&moderation->at);
    if (*key && body->length && memmem(body->data, body->length, key, strlen(key))) {
        body->length = 0;
        cp_buffer_text(body, "(its words name the key)");
    }
}

static int ask(struct cp_moderation *moderation, const char *body, const atomic_bool *stop, bool *ret_flagged,
               struct cp_error *error)
{
    const char *headers[] = {"Content-Type: application/json", "Accept: application/json",
                             *moderation->at.authorization ? moderation->at.authorization : NULL, NULL};
    const struct cp_http_request request = {.who = moderation->who,
                                            .stage = STAGE,
                                            .method = "POST",
                                            .url = moderation->at.url,
                                            .headers = headers,
                                            .body = body,
                                            .body_bytes = strlen(body),
                                            .connect_ms = moderation->timeout_ms,
                                            .first_byte_ms = moderation->timeout_ms,
                                            .idle_ms = moderation->timeout_ms,
                                            .total_ms = moderation->timeout_ms,
                                            .stop = stop};
    struct cp_http_response response;
    int result = cp_http_send(moderation->http, &request, &response, error);
    hide_key(moderation, &response.body);
    if (!result)
        result = cp_http_check(&request, &response, error);
    if (!result)
        result = read_verdict(moderation, &response.body, ret_flagged, error);
    cp_http_response_free(&response);
    return result;
}

int cp_moderation_judge(struct cp_moderation *moderation, const char *text, const atomic_bool *stop,
                        bool *ret_flagged, struct cp_error *error)
{
    if (!cp_breaker_allow(&moderation->breaker, cp_clock_now_ns()))
        return cp_fail(error, CP_ERR_BUSY, STAGE, "%s has failed too often and rests", moderation->who);
    char *body = body_of(moderation, text);
    int result = body ? ask(moderation, body, stop, ret_flagged, error)
                      : cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    free(body);
    if (!result)
        cp_breaker_success(&moderation->breaker);
    else if (result != CP_ERR_CANCELLED && result != CP_ERR_NOMEM)
        cp_breaker_failure(&moderation->breaker, cp_clock_now_ns());
    return result;
}
