/* A request's life: what handlers read of it, its one answer, and holding it until that comes. */
#include "gateway/gateway_int.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cp_request *cp_request_make(struct cp_gateway *gateway, struct MHD_Connection *connection,
                                   const char *uri)
{
    struct cp_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->uri = strdup(uri);
    if (!request->uri) {
        free(request);
        return NULL;
    }
    const union MHD_ConnectionInfo *client =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request->client = client ? client->socket_context : NULL;
    request->path_length = strcspn(request->uri, "?");
    request->query = request->uri + request->path_length;
    request->query += *request->query == '?';
    request->gateway = gateway;
    request->connection = connection;
    request->role = CP_ROLE_PUBLIC;
    request->answer.file = -1;
    request->body = cp_buffer_make(CP_DEFAULT_BODY_BYTES);
    atomic_init(&request->refs, 1);
    pthread_mutex_init(&request->lock, NULL);
    pthread_cond_init(&request->told, NULL);
    return request;
}

void cp_answer_clear(struct cp_answer *answer)
{
    for (int i = 0; i < answer->n_headers; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    free(answer->copied);
    cp_ref_drop(answer->owner);
    if (answer->file >= 0)
        close(answer->file);
    memset(answer, 0, sizeof *answer);
    answer->file = -1;
}

void cp_request_release(struct cp_request *request)
{
    if (atomic_fetch_sub(&request->refs, 1) != 1)
        return;
    cp_answer_clear(&request->answer);
    cp_listener_free(request->listener);
    cp_path_free(&request->path);
    cp_buffer_free(&request->body);
    json_decref(request->json);
    free(request->query_text);
    free(request->uri);
    pthread_cond_destroy(&request->told);
    pthread_mutex_destroy(&request->lock);
    free(request);
}

/* --- reading --- */

const char *cp_request_param(const struct cp_request *request, const char *name)
{
    if (!request->route)
        return "";
    const char *value = cp_routes_param(request->gateway->routes, request->route_index, &request->path, name);
    return value ? value : "";
}

const char *cp_request_query(const struct cp_request *request, const char *name)
{
    for (int i = 0; i < request->n_parameters; i++)
        if (!strcmp(request->parameters[i].name, name))
            return request->parameters[i].value;
    return NULL;
}

const char *cp_request_query_string(const struct cp_request *request)
{
    return request->query;
}

const char *cp_request_header(const struct cp_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

json_t *cp_request_json(const struct cp_request *request)
{
    return request->json;
}

const void *cp_request_body(const struct cp_request *request, size_t *ret_length)
{
    *ret_length = request->body.length;
    return request->body.data;
}

enum cp_role cp_request_role(const struct cp_request *request)
{
    return request->role;
}

const char *cp_request_client(const struct cp_request *request)
{
    return request->who;
}

const char *cp_request_key_id(const struct cp_request *request)
{
    return request->key_id;
}

int64_t cp_request_started_ns(const struct cp_request *request)
{
    return request->started_ns;
}

/* --- holding --- */

void cp_request_hold(struct cp_request *request, void (*on_gone)(void *user), void *user)
{
    pthread_mutex_lock(&request->lock);
    if (!request->held) {
        request->held = true;
        request->on_gone = on_gone;
        request->on_gone_user = user;
        atomic_fetch_add(&request->refs, 1); /* dropped by the answer */
    }
    pthread_mutex_unlock(&request->lock);
}

static bool list_held(struct cp_request *request)
{
    struct cp_gateway *gateway = request->gateway;
    pthread_mutex_lock(&gateway->held_lock);
    bool listed = !gateway->closing;
    if (listed) {
        request->held_next = gateway->held;
        if (request->held_next)
            request->held_next->held_previous = request;
        gateway->held = request;
        gateway->n_held++;
    }
    pthread_mutex_unlock(&gateway->held_lock);
    return listed;
}

/* Lets libmicrohttpd go on with it. thread: holder of request->lock */
static void wake(struct cp_request *request)
{
    struct cp_gateway *gateway = request->gateway;
    if (!request->suspended)
        return;
    request->suspended = false;
    pthread_mutex_lock(&gateway->held_lock);
    if (request->held_next)
        request->held_next->held_previous = request->held_previous;
    if (request->held_previous)
        request->held_previous->held_next = request->held_next;
    else
        gateway->held = request->held_next;
    request->held_next = request->held_previous = NULL;
    gateway->n_held--;
    pthread_mutex_unlock(&gateway->held_lock);
    cp_client_unwatch(gateway, request->client);
    MHD_resume_connection(request->connection);
}

/* How much of the address goes into the log: without its query, which may hold a token. */
static int logged_length(const struct cp_request *request)
{
    return (int)(request->path_length < 200 ? request->path_length : 200);
}

enum MHD_Result cp_request_settle(struct cp_request *request)
{
    pthread_mutex_lock(&request->lock);
    bool answered = request->answer.status, wait = !answered && request->held && !request->gone;
    if (wait && list_held(request)) {
        request->suspended = true;
        MHD_suspend_connection(request->connection);
        cp_client_watch(request->gateway, request->client, request);
        pthread_mutex_unlock(&request->lock);
        return MHD_YES;
    }
    bool forgotten = !answered && !request->held;
    pthread_mutex_unlock(&request->lock);
    if (wait)
        cp_request_abandon(request, 503);
    if (forgotten) {
        cp_log(CP_LOG_ERROR, "gateway", "handler did not answer", "path=\"%.*s\"", logged_length(request),
               request->uri);
        cp_request_fail_status(request, 500, NULL, "this request was not answered; the log names it");
    }
    return cp_request_send(request);
}

/* --- answering --- */

static void add_header_locked(struct cp_answer *answer, const char *name, const char *value)
{
    /* A line break would let a value add headers of its own. */
    if (answer->n_headers == CP_MAX_HEADERS || strpbrk(value, "\r\n"))
        return;
    struct cp_header *header = &answer->headers[answer->n_headers];
    *header = (struct cp_header){.name = strdup(name), .value = strdup(value)};
    if (header->name && header->value) {
        answer->n_headers++;
    } else {
        free(header->name);
        free(header->value);
    }
}

void cp_request_add_header(struct cp_request *request, const char *name, const char *value)
{
    pthread_mutex_lock(&request->lock);
    if (!request->gone || *request->idempotency) /* a late answer may still be kept for a repetition */
        add_header_locked(&request->answer, name, value);
    pthread_mutex_unlock(&request->lock);
}

/* For who answers 503 without saying when to come back. */
static void add_usual_wait(struct cp_request *request)
{
    bool said = false;
    pthread_mutex_lock(&request->lock);
    for (int i = 0; i < request->answer.n_headers; i++)
        said |= !strcasecmp(request->answer.headers[i].name, "Retry-After");
    pthread_mutex_unlock(&request->lock);
    if (!said)
        cp_request_add_header(request, "Retry-After", "1");
}

static void put_content(struct cp_answer *to, const struct cp_answer *content, const char *content_type)
{
    to->status = content->status;
    to->bytes = content->bytes;
    to->length = content->length;
    to->copied = content->copied;
    to->owner = content->owner;
    to->file = content->file;
    to->is_events = content->is_events;
    to->is_stream = content->is_stream;
    if (content_type)
        add_header_locked(to, "Content-Type", content_type);
}

/* The one way for an answer to be made. What content owns is taken. */
static void answer(struct cp_request *request, struct cp_answer content, const char *content_type)
{
    pthread_mutex_lock(&request->lock);
    while (request->telling && !pthread_equal(request->teller, pthread_self()))
        pthread_cond_wait(&request->told, &request->lock);
    bool taken = !request->gone && !request->answer.status, twice = !request->gone && !taken,
         held = request->held;
    if (taken) {
        put_content(&request->answer, &content, content_type);
        wake(request);
    } else if (!twice && *request->idempotency) {
        /* The client left, and may ask again: it finds what was done. Only headers and content are read. */
        struct cp_answer late = request->answer;
        put_content(&late, &content, content_type);
        cp_idempotency_end(request, &late);
        memcpy(request->answer.headers, late.headers, sizeof late.headers); /* freed with the request */
        request->answer.n_headers = late.n_headers;
    }
    pthread_mutex_unlock(&request->lock);
    if (twice)
        cp_log(CP_LOG_ERROR, "gateway", "handler answered twice", "path=\"%.*s\"", logged_length(request),
               request->uri);
    if (!taken)
        cp_answer_clear(&content);
    if (held && !twice)
        cp_request_release(request);
}

void cp_request_abandon(struct cp_request *request, int status)
{
    static const char CLOSING[] =
        "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
        "\"detail\":\"the server is shutting down; try again in a moment\",\"code\":\"unavailable\"}";
    pthread_mutex_lock(&request->lock);
    if (!request->held || request->gone || request->answer.status) {
        pthread_mutex_unlock(&request->lock);
        return;
    }
    request->gone = true;
    cp_answer_clear(&request->answer);
    if (status) {
        struct cp_answer content = {
            .status = status, .bytes = CLOSING, .length = sizeof CLOSING - 1, .file = -1};
        put_content(&request->answer, &content, "application/problem+json");
        add_header_locked(&request->answer, "Retry-After", "2");
    }
    wake(request);
    request->telling = true;
    request->teller = pthread_self();
    pthread_mutex_unlock(&request->lock);
    if (request->on_gone)
        request->on_gone(request->on_gone_user);
    pthread_mutex_lock(&request->lock);
    request->telling = false;
    pthread_cond_broadcast(&request->told);
    pthread_mutex_unlock(&request->lock);
}

void cp_request_reply_bytes(struct cp_request *request, int status, const char *content_type,
                            const void *bytes, size_t length)
{
    struct cp_answer content = {.status = status, .length = length, .file = -1};
    if (length) {
        content.copied = malloc(length);
        if (content.copied)
            memcpy(content.copied, bytes, length);
        else
            content = (struct cp_answer){.status = 500, .file = -1};
        content.bytes = content.copied;
    }
    answer(request, content, content_type);
}

/* Takes a text made by jansson. */
static void reply_text(struct cp_request *request, int status, const char *content_type, char *text)
{
    struct cp_answer content = {.status = text ? status : 500,
                                .bytes = text,
                                .length = text ? strlen(text) : 0,
                                .copied = text,
                                .file = -1};
    answer(request, content, text ? content_type : NULL);
}

void cp_request_reply_json(struct cp_request *request, int status, json_t *body)
{
    if (body)
        reply_text(request, status, "application/json",
                   json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(12)));
    else
        cp_request_reply_bytes(request, status, NULL, NULL, 0);
    json_decref(body);
}

void cp_request_reply_shared(struct cp_request *request, int status, const char *content_type,
                             const void *bytes, size_t length, void *owner)
{
    struct cp_answer content = {
        .status = status, .bytes = bytes, .length = length, .owner = owner, .file = -1};
    answer(request, content, content_type);
}

struct cp_stream *cp_request_reply_stream(struct cp_request *request, int status, const char *content_type)
{
    struct cp_stream *stream = cp_stream_create();
    if (!stream) {
        cp_request_fail_status(request, 500, "out of memory", "");
        return NULL;
    }
    struct cp_answer content = {
        .status = status, .owner = cp_ref_take(stream), .is_stream = true, .file = -1};
    answer(request, content, content_type);
    return stream;
}

void cp_request_reply_file(struct cp_request *request, int status, const char *content_type, int file,
                           size_t length)
{
    struct cp_answer content = {.status = status, .length = length, .file = file};
    answer(request, content, content_type);
}

void cp_request_reply_events(struct cp_request *request, const char *channel, const char *type)
{
    snprintf(request->events_channel, sizeof request->events_channel, "%s", channel);
    snprintf(request->events_type, sizeof request->events_type, "%s", type);
    struct cp_answer content = {.status = 200, .is_events = true, .file = -1};
    answer(request, content, "text/event-stream");
}

/* --- problems --- */

static const char *phrase_of(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } PHRASES[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++)
        if (PHRASES[i].status == status)
            return PHRASES[i].phrase;
    return "Error";
}

void cp_request_problem(struct cp_request *request, int status, const char *code, const char *title,
                        const char *detail, const char *field)
{
    json_t *body =
        json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title",
                  title ? title : phrase_of(status), "status", status, "detail", detail, "code", code);
    if (body && *field)
        json_object_set_new(body, "field", json_string(field));
    /* The detail may repeat foreign bytes that are not UTF-8: then it goes without. */
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text && asprintf(&text, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"code\":\"%s\"}",
                          phrase_of(status), status, code) < 0)
        text = NULL;
    if (status == 401)
        cp_request_add_header(request, "WWW-Authenticate", "Bearer realm=\"compere\"");
    else if (status == 503)
        add_usual_wait(request);
    reply_text(request, status, "application/problem+json", text);
}

static const char *code_of_status(int status)
{
    static const struct {
        int status;
        const char *code;
    } CODES[] = {{400, "invalid"},        {401, "unauthorized"}, {403, "denied"},       {404, "not_found"},
                 {405, "no_such_method"}, {409, "conflict"},     {412, "conflict"},     {413, "too_large"},
                 {415, "unsupported"},    {422, "invalid"},      {429, "rate_limited"}, {431, "too_large"},
                 {501, "unsupported"},    {503, "unavailable"},  {504, "timeout"}};
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (CODES[i].status == status)
            return CODES[i].code;
    return status < 500 ? "invalid" : "internal";
}

void cp_request_fail_status(struct cp_request *request, int status, const char *title, const char *detail)
{
    cp_request_problem(request, status, code_of_status(status), title, detail ? detail : phrase_of(status),
                       "");
}

int cp_status_of(int code, const struct cp_request *request)
{
    switch ((enum cp_err)code) {
    case CP_ERR_INVALID:
    case CP_ERR_FORMAT:
        return 400;
    case CP_ERR_NOT_FOUND:
        return 404;
    case CP_ERR_EXISTS:
    case CP_ERR_CANCELLED:
        return 409;
    case CP_ERR_DENIED:
        return 403;
    case CP_ERR_UNAUTHORIZED:
        return 401;
    case CP_ERR_LIMIT:
        return 413;
    case CP_ERR_BUSY:
    case CP_ERR_UNAVAILABLE:
        return 503;
    case CP_ERR_UNSUPPORTED: /* a body of a kind we do not take, or something we do not do */
        return request->route && request->route->body_type ? 415 : 501;
    case CP_ERR_TIMEOUT:
        return 504;
    default:
        return 500;
    }
}

void cp_request_fail(struct cp_request *request, const struct cp_error *error)
{
    static const char *const CODES[] = {"ok",          "invalid",      "not_found",   "conflict",
                                        "denied",      "unauthorized", "too_large",   "busy",
                                        "unsupported", "timeout",      "cancelled",   "io",
                                        "memory",      "format",       "unavailable", "internal"};
    int status = cp_status_of(error->code, request), index = -(int)error->code;
    const char *code = index > 0 && index < (int)(sizeof CODES / sizeof *CODES) ? CODES[index] : "internal";
    const char *detail = error->text;
    if (status == 500) {
        cp_log(CP_LOG_ERROR, error->stage, "request failed", "path=\"%.*s\" reason=\"%s\"",
               logged_length(request), request->uri, error->text);
        /* File names and the like are for those who run the server. */
        if (request->role < CP_ROLE_OPERATOR)
            detail = "something failed on the server; its log tells what";
    }
    cp_request_problem(request, status, code, NULL, detail, "");
}

/* --- sending --- */

static void drop_owner(void *owner)
{
    cp_ref_drop(owner);
}

static struct MHD_Response *make_response(struct cp_request *request)
{
    struct cp_answer *content = &request->answer;
    struct MHD_Response *response;
    if (content->is_events && !request->is_head)
        return cp_events_response(request);
    if (content->is_stream && !request->is_head) {
        response = cp_stream_response(request, content->owner);
        content->owner = response ? NULL : content->owner;
        return response;
    }
    if (content->file >= 0) {
        response = MHD_create_response_from_fd(content->length, content->file);
        content->file = response ? -1 : content->file; /* now closed by libmicrohttpd */
    } else if (content->owner) {
        response = MHD_create_response_from_buffer_with_free_callback_cls(
            content->length, (void *)content->bytes, drop_owner, content->owner);
        content->owner = response ? NULL : content->owner;
    } else if (content->copied) {
        response = MHD_create_response_from_buffer_with_free_callback_cls(content->length, content->copied,
                                                                          free, content->copied);
        content->copied = response ? NULL : content->copied;
    } else {
        response =
            MHD_create_response_from_buffer(content->length, (void *)content->bytes, MHD_RESPMEM_PERSISTENT);
    }
    return response;
}

static bool has_header(const struct cp_answer *content, const char *name)
{
    for (int i = 0; i < content->n_headers; i++)
        if (!strcasecmp(content->headers[i].name, name))
            return true;
    return false;
}

enum MHD_Result cp_request_send(struct cp_request *request)
{
    struct cp_answer *content = &request->answer;
    if (!content->status)
        return MHD_NO; /* the client left: nothing to send, close */
    pthread_mutex_lock(&request->lock);
    cp_idempotency_end(request, content);
    pthread_mutex_unlock(&request->lock);
    struct MHD_Response *response = make_response(request);
    if (!response)
        return MHD_NO;
    if (!request->is_page)
        cp_cors_add_headers(request, response);
    if (!has_header(content, "Cache-Control"))
        MHD_add_response_header(response, "Cache-Control", content->is_events ? "no-cache" : "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    for (int i = 0; i < content->n_headers; i++)
        MHD_add_response_header(response, content->headers[i].name, content->headers[i].value);
    cp_gateway_count(request);
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)content->status, response);
    MHD_destroy_response(response);
    return result;
}
