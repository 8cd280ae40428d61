/* libmicrohttpd's callbacks: from the first line of a request to its handler. thread: http */
#include "gateway/gateway_int.h"

#include "base/clock.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void *cp_serve_begin(void *user, const char *uri, struct MHD_Connection *connection)
{
    struct cp_gateway *gateway = user;
    if (!cp_thread_is("http")) {
        char name[16];
        snprintf(name, sizeof name, "http%d", atomic_fetch_add(&gateway->n_threads, 1));
        cp_thread_adopt(name);
    }
    struct cp_request *request = cp_request_make(gateway, connection, uri);
    if (!request)
        return NULL;
    pthread_mutex_lock(&gateway->held_lock);
    gateway->n_live++;
    pthread_mutex_unlock(&gateway->held_lock);
    return request;
}

void cp_serve_end(void *user, struct MHD_Connection *connection, void **slot,
                  enum MHD_RequestTerminationCode how)
{
    struct cp_gateway *gateway = user;
    struct cp_request *request = *slot;
    if (!request)
        return;
    *slot = NULL;
    pthread_mutex_lock(&request->lock);
    if (!request->held || request->answer.status) /* else it is still at work, though the client has left */
        cp_idempotency_forget(request);
    pthread_mutex_unlock(&request->lock);
    if (request->listener)
        cp_events_leave(request->listener);
    cp_client_unwatch(gateway, request->client);
    cp_client_expect(gateway, request->client, cp_clock_now_ns() + CP_HEAD_TIMEOUT_NS);
    cp_request_abandon(request, 0);
    cp_request_release(request);
    pthread_mutex_lock(&gateway->held_lock);
    if (!--gateway->n_live)
        pthread_cond_broadcast(&gateway->all_ended);
    pthread_mutex_unlock(&gateway->held_lock);
}

/* --- admission: what the headers tell --- */

/* Whether the address is in a comma separated list. */
static bool is_listed(const char *list, const char *address)
{
    size_t length = strlen(address);
    for (const char *at = list; *at;) {
        at += strspn(at, ", ");
        size_t here = strcspn(at, ", ");
        if (here && here == length && !memcmp(at, address, length))
            return true;
        at += here;
    }
    return false;
}

/* The nearest client that is not one of our proxies: X-Forwarded-For from its end, for what stands further in
 * front anybody may have written. */
static void read_forwarded(struct cp_request *request)
{
    const char *proxies = request->gateway->config.proxies;
    const char *forwarded = *proxies ? cp_request_header(request, "X-Forwarded-For") : NULL;
    size_t end = forwarded ? strlen(forwarded) : 0;
    while (end && is_listed(proxies, request->who)) {
        size_t start = end;
        while (start && forwarded[start - 1] != ',')
            start--;
        char address[INET6_ADDRSTRLEN];
        struct in6_addr parsed;
        size_t blanks = strspn(forwarded + start, " ");
        snprintf(address, sizeof address, "%.*s", (int)(end - start > blanks ? end - start - blanks : 0),
                 forwarded + start + blanks);
        if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, &parsed) != 1)
            return;
        snprintf(request->who, sizeof request->who, "%s", address);
        end = start ? start - 1 : 0;
    }
}

/* Whom limits are counted for: the client's address, of IPv6 the /64 that a subscriber has. */
static void read_address(struct cp_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct in6_addr v6;
    snprintf(request->who, sizeof request->who, "unknown");
    if (info && info->client_addr && info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)info->client_addr;
        inet_ntop(AF_INET, &v4->sin_addr, request->who, sizeof request->who);
    } else if (info && info->client_addr && info->client_addr->sa_family == AF_INET6) {
        v6 = ((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6))
            inet_ntop(AF_INET, v6.s6_addr + 12, request->who, sizeof request->who);
        else
            inet_ntop(AF_INET6, &v6, request->who, sizeof request->who);
    }
    read_forwarded(request);
    if (inet_pton(AF_INET6, request->who, &v6) == 1) {
        memset(v6.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &v6, request->who, sizeof request->who);
    }
}

static enum cp_method method_from_name(const char *name)
{
    for (int method = CP_GET; method <= CP_DELETE; method++)
        if (!strcmp(name, cp_method_name((enum cp_method)method)))
            return (enum cp_method)method;
    return strcmp(name, "HEAD") ? CP_METHOD_UNSET : CP_GET;
}

static bool is_below(const struct cp_path *path, const char *first)
{
    return !strcmp(path->segments[0], first);
}

/* Finds the route; false when the request has been answered. */
static bool find_route(struct cp_request *request, const char *method)
{
    struct cp_error error;
    char allow[64], detail[128];
    int result = cp_path_parse(request->uri, request->path_length, &request->path, &error);
    if (result) {
        cp_request_fail(request, &error);
        return false;
    }
    request->method = method_from_name(method);
    request->is_head = !strcmp(method, "HEAD");
    struct cp_route_match match = cp_routes_match(request->gateway->routes, request->method, &request->path);
    request->route = match.route;
    request->route_index = match.index;
    if (match.route)
        return true;
    if (match.allowed && !strcmp(method, "OPTIONS")) {
        cp_cors_reply_options(request, match.allowed);
    } else if (match.allowed) {
        cp_allow_text(match.allowed, allow);
        snprintf(detail, sizeof detail, "this path takes %s", allow);
        cp_request_add_header(request, "Allow", allow);
        cp_request_fail_status(request, 405, NULL, detail);
    } else if (request->method == CP_GET && !is_below(&request->path, "v1")) {
        request->is_page = true;
        return true;
    } else {
        cp_request_fail_status(request, 404, NULL, "there is nothing at this path; see /v1/openapi.json");
    }
    return false;
}

/* Checks the key, the rate and the role. */
static bool authorize(struct cp_request *request)
{
    const char *authorization = cp_request_header(request, "Authorization");
    const struct cp_route *route = request->route;
    struct cp_error error;
    bool bearer = authorization && !strncasecmp(authorization, "Bearer ", 7);
    const char *key = bearer ? authorization + 7 + strspn(authorization + 7, " ") : NULL;
    int result = CP_ERR_UNAUTHORIZED;
    if (key)
        result = cp_keys_check(request->gateway->keys, key, &request->role, request->key_id, &error);
    else
        cp_fail(&error, CP_ERR_UNAUTHORIZED, "gateway",
                "this needs a key: send the header \"Authorization: Bearer cpk_...\"; \"compere key create\" "
                "makes one");
    if (!route->unlimited) {
        struct cp_allowance allowance = cp_limits_take(
            request->gateway->limits, result ? request->who : request->key_id, cp_clock_now_ns());
        char number[24];
        if (allowance.limit) {
            snprintf(number, sizeof number, "%lld", (long long)allowance.limit);
            cp_request_add_header(request, "RateLimit-Limit", number);
            snprintf(number, sizeof number, "%lld", (long long)allowance.remaining);
            cp_request_add_header(request, "RateLimit-Remaining", number);
            snprintf(number, sizeof number, "%lld", (long long)allowance.reset_s);
            cp_request_add_header(request, "RateLimit-Reset", number);
        }
        if (!allowance.allowed) {
            cp_request_add_header(request, "Retry-After", number);
            cp_request_fail_status(request, 429, NULL, "too many requests; wait as long as Retry-After says");
            return false;
        }
    }
    if (route->role <= CP_ROLE_PUBLIC)
        return true;
    if (result) {
        cp_request_fail(request, &error);
        return false;
    }
    if (request->role < route->role) {
        char detail[128];
        snprintf(detail, sizeof detail, "this key's role is %s; this needs %s", cp_role_name(request->role),
                 cp_role_name(route->role));
        cp_request_fail_status(request, 403, NULL, detail);
        return false;
    }
    return true;
}

/* The type in a header without parameters is `wanted`; "application/json" also takes "application/x+json". */
static bool is_type(const char *header, const char *wanted, size_t wanted_length)
{
    size_t length = strcspn(header, "; \t");
    if (length == wanted_length && !strncasecmp(header, wanted, length))
        return true;
    return wanted_length == 16 && !strncmp(wanted, "application/json", 16) && length > 17 &&
           !strncasecmp(header, "application/", 12) && !strncasecmp(header + length - 5, "+json", 5);
}

/* `wanted` is one type, several with | between, or "*" + "/" + "*" for any. */
static bool takes_type(const char *wanted, const char *header)
{
    if (!strcmp(wanted, "*/*"))
        return true;
    for (const char *at = wanted; *at; at += *at == '|') {
        size_t length = strcspn(at, "|");
        if (is_type(header, at, length))
            return true;
        at += length;
    }
    return false;
}

/* Content-Length, or -1 when there is none (no body, or a chunked one). */
static int64_t content_length(const struct cp_request *request)
{
    const char *text = cp_request_header(request, "Content-Length");
    return text ? strtoll(text, NULL, 10) : -1;
}

static bool expects_body(const struct cp_request *request)
{
    return content_length(request) > 0 || cp_request_header(request, "Transfer-Encoding");
}

static void refuse_large_body(struct cp_request *request)
{
    char detail[96];
    snprintf(detail, sizeof detail, "the body may have %zu bytes at most", request->body.max_bytes);
    cp_request_fail_status(request, 413, NULL, detail);
}

static bool admit_body(struct cp_request *request)
{
    const struct cp_route *route = request->route;
    const char *wanted = route->body ? "application/json" : route->body_type;
    const char *type = cp_request_header(request, "Content-Type");
    if (route->max_body_bytes)
        request->body.max_bytes = route->max_body_bytes;
    if (content_length(request) > (int64_t)request->body.max_bytes) {
        refuse_large_body(request);
        return false;
    }
    if (wanted && (expects_body(request) || route->body_type) && (!type || !takes_type(wanted, type))) {
        char detail[192];
        snprintf(detail, sizeof detail, "the Content-Type has to be %.120s%s", wanted,
                 type ? "" : "; there is none");
        cp_request_fail_status(request, 415, NULL, detail);
        return false;
    }
    return true;
}

/* Splits and decodes the query. */
static bool read_query(struct cp_request *request)
{
    request->query_text = strdup(request->query);
    char *rest = request->query_text, *part;
    while (rest && (part = strsep(&rest, "&"))) {
        char *value = strchr(part, '=');
        if (!*part)
            continue;
        if (value)
            *value++ = 0;
        if (request->n_parameters == CP_MAX_QUERY || cp_percent_decode(part, true) < 0 ||
            (value && cp_percent_decode(value, true) < 0)) {
            cp_request_fail_status(request, 400, NULL, "the query holds a bad escape or too many parameters");
            return false;
        }
        request->parameters[request->n_parameters].name = part;
        request->parameters[request->n_parameters++].value = value ? value : "";
    }
    return true;
}

static bool check_query(struct cp_request *request)
{
    const struct cp_field *fields = request->route->query;
    char detail[128];
    struct cp_error error;
    if (!read_query(request) || !fields)
        return !request->answer.status;
    for (int i = 0; i < request->n_parameters; i++) {
        const char *name = request->parameters[i].name;
        const struct cp_field *field = cp_fields_find(fields, name);
        if (!field) {
            snprintf(detail, sizeof detail, "unknown parameter %.60s", name);
            cp_request_problem(request, 400, "invalid", NULL, detail, name);
            return false;
        }
        if (cp_fields_check_text(field, request->parameters[i].value, &error)) {
            cp_request_problem(request, 400, "invalid", NULL, error.text, name);
            return false;
        }
    }
    for (; fields->name; fields++)
        if (fields->required && !cp_request_query(request, fields->name)) {
            snprintf(detail, sizeof detail, "the parameter %s is missing", fields->name);
            cp_request_problem(request, 400, "invalid", NULL, detail, fields->name);
            return false;
        }
    return true;
}

/* Both Content-Length and Transfer-Encoding: a proxy in front may see another end of the request than we do
 * (RFC 9112 section 6.1). Answered, and the connection is not used again. */
static bool has_two_lengths(struct cp_request *request)
{
    if (!cp_request_header(request, "Content-Length") || !cp_request_header(request, "Transfer-Encoding"))
        return false;
    cp_request_add_header(request, "Connection", "close");
    cp_request_fail_status(request, 400, NULL, "a request has Content-Length or Transfer-Encoding, not both");
    return true;
}

static void admit(struct cp_request *request, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info && info->header_size > (size_t)request->gateway->config.max_header_bytes) {
        cp_request_fail_status(request, 431, NULL, "the headers are too large");
        return;
    }
    if (has_two_lengths(request))
        return;
    read_address(request);
    if (find_route(request, method) && request->route && authorize(request) && admit_body(request))
        check_query(request);
}

/* --- the body, and the handler --- */

static bool check_body(struct cp_request *request)
{
    const struct cp_route *route = request->route;
    struct cp_error error;
    struct cp_field_path path = {.text = ""};
    if (!route->body)
        return true;
    if (!cp_fields_parse(route->body, request->body.data, request->body.length, &request->json, &path,
                         &error))
        return true;
    cp_request_problem(request, cp_status_of(error.code, request),
                       error.code == CP_ERR_FORMAT ? "malformed" : "invalid", NULL, error.text, path.text);
    return false;
}

/* Counted before the look at `open`, so that draining sees either the count or a handler that was not called.
 */
static void call_handler(struct cp_request *request)
{
    struct cp_gateway *gateway = request->gateway;
    atomic_fetch_add(&gateway->running, 1);
    if (atomic_load(&gateway->open)) {
        request->route->handle(gateway->user, request);
    } else {
        cp_request_add_header(request, "Retry-After", "1");
        cp_request_fail_status(request, 503, NULL,
                               "the server is starting or stopping; try again in a moment");
    }
    atomic_fetch_sub(&gateway->running, 1);
}

static enum MHD_Result dispatch(struct cp_request *request)
{
    request->dispatched = true;
    request->started_ns = cp_clock_now_ns();
    cp_client_expect(request->gateway, request->client, 0);
    if (request->answer.status)
        return cp_request_send(request); /* refused before */
    if (request->is_page)
        cp_pages_reply(request);
    else if (check_body(request) && cp_idempotency_begin(request))
        call_handler(request);
    return cp_request_settle(request);
}

static enum MHD_Result take_body(struct cp_request *request, const char *bytes, size_t length)
{
    if (!request->answer.status && !request->is_page) {
        cp_buffer_add(&request->body, bytes, length);
        if (request->body.failed)
            refuse_large_body(request);
        return MHD_YES;
    }
    request->dropped_bytes += length;
    return request->dropped_bytes > CP_DRAIN_BYTES ? MHD_NO : MHD_YES;
}

enum MHD_Result cp_serve(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                         const char *version, const char *upload, size_t *upload_bytes, void **slot)
{
    struct cp_request *request = *slot;
    if (!request)
        return MHD_NO;
    if (!request->admitted) {
        request->admitted = true;
        admit(request, method);
        int64_t length = content_length(request);
        const char *expect = cp_request_header(request, "Expect");
        cp_client_expect(request->gateway, request->client,
                         cp_clock_now_ns() + CP_BODY_TIMEOUT_NS +
                             (length > 0 ? length / 16384 : 0) * CP_NS_PER_S);
        /* Refused: a short body is read and dropped, for a client that is still sending may not look for the
         * answer; otherwise the answer goes out at once and the connection ends. */
        if (request->answer.status && expects_body(request) && (expect || length > CP_DRAIN_BYTES))
            return dispatch(request);
        return MHD_YES;
    }
    if (*upload_bytes) {
        size_t length = *upload_bytes;
        *upload_bytes = 0;
        return take_body(request, upload, length);
    }
    return request->dispatched ? cp_request_send(request) : dispatch(request);
}
