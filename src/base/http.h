/*
 * An HTTP client for the services that Compere talks to: voices, object stores, language models.
 *
 * A request is a plain call that blocks its thread; many threads may call at once. Connections are kept open
 * and reused, at most `max_idle` of them. TLS certificates are verified. Nothing is redirected: an answer 3xx
 * is given back as it is, so that credentials never reach a host that nobody named. Error texts name the
 * service and its host, never a path, a query, a header or a body: those may hold secrets.
 */
#ifndef CP_BASE_HTTP_H
#define CP_BASE_HTTP_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_http;

struct cp_http_config {
    int max_idle;        /* connections kept open while unused; 0 means 4 */
    const char *ca_file; /* certificates to trust instead of the system's; NULL or "": the system's */
};

int cp_http_create(const struct cp_http_config *config, struct cp_http **ret_http, struct cp_error *error);
/* No request may be under way. NULL is fine. */
void cp_http_destroy(struct cp_http *http);

struct cp_http_request {
    const char *who;            /* the service's name for error texts: "openai", "the object store" */
    const char *stage;          /* of error texts: "speech", "store" */
    const char *method;         /* "GET" when NULL */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value"; ended by NULL. A NULL entry pointer means none */

    /* The body: bytes that outlive the call ... */
    const void *body;
    size_t body_bytes;
    /* ... or a reader that gives `body_bytes` in all: the number of bytes put, 0 at the end, SIZE_MAX to
     * fail. `rewind_body` starts it over when a kept connection turned out dead; without it the request
     * fails then. */
    size_t (*read_body)(void *user, uint8_t *to, size_t capacity);
    void (*rewind_body)(void *user);

    /* Takes the body of an answer 2xx piece by piece; other than 0 ends the request with that result. NULL:
     * the body goes to response->body. */
    int (*take_body)(void *user, const uint8_t *bytes, size_t length);
    /* Called every 20 ms or so while the request runs. Optional; must return soon. */
    void (*tick)(void *user);
    void *user;
    size_t max_body_bytes; /* of response->body (CP_ERR_LIMIT beyond); 0 means 64 KiB */

    /* Refuses to connect to addresses of this machine or a private network, whatever a name resolves to; no
     * proxy then. CP_ERR_DENIED. For URLs that people type. */
    bool public_only;

    /* 0 takes the default. */
    int64_t connect_ms;      /* until the connection stands, TLS too: 3000 */
    int64_t first_byte_ms;   /* from the last byte sent to the first of the answer's body: 10000 */
    int64_t idle_ms;         /* between two pieces of the answer: 10000 */
    int64_t total_ms;        /* everything: 60000 */
    const atomic_bool *stop; /* may be NULL; CP_ERR_CANCELLED within 50 ms of its turning true */
};

struct cp_http_response {
    int status;              /* 0 when there was no answer */
    struct cp_buffer header; /* lines "Name: value\r\n" of the last answer, at most 32 KiB */
    struct cp_buffer body;   /* without take_body; or what an answer other than 2xx says */
    bool any_body;           /* a byte of a 2xx body came: the request must not be tried again unseen */
    int64_t first_byte_ns, total_ns; /* since the call; 0 when no body came */
};

/*
 * 0 when there was an answer, whatever its status; see cp_http_check. Else CP_ERR_UNAVAILABLE (no such host,
 * nobody there, no trust), CP_ERR_TIMEOUT, CP_ERR_IO (the connection broke), CP_ERR_LIMIT, CP_ERR_CANCELLED,
 * CP_ERR_INVALID (URL or header), or what take_body gave. The response is valid in each case and must be
 * freed. Any thread; blocks.
 */
int cp_http_send(struct cp_http *http, const struct cp_http_request *request,
                 struct cp_http_response *ret_response, struct cp_error *error);
/* A header's value by its name, case ignored, blanks cut; "" when there is none. False when it is not there
 * or does not fit. */
bool cp_http_header(const struct cp_http_response *response, const char *name, char *value, size_t capacity);
void cp_http_response_free(struct cp_http_response *response);

/* 0 for 2xx; else an error that says what to do: 401, 403 CP_ERR_DENIED; 404 CP_ERR_NOT_FOUND; 429
 * CP_ERR_BUSY; 3xx CP_ERR_UNSUPPORTED; other 4xx CP_ERR_INVALID, with the beginning of what the service said;
 * 5xx CP_ERR_UNAVAILABLE. */
int cp_http_check(const struct cp_http_request *request, const struct cp_http_response *response,
                  struct cp_error *error);

/* True when trying the same again may help: it could not connect or broke off before any body came, or 408,
 * 429, 500, 502, 503, 504. `result` is that of cp_http_send. */
bool cp_http_may_retry(int result, const struct cp_http_response *response);
/* How long to wait before try number `attempt` (1 is the first repetition): doubling from `base_ms`, at
 * most 5 s, of which a random half ("equal jitter"), and no less than a Retry-After in seconds. */
int64_t cp_http_backoff_ms(const struct cp_http_response *response, int attempt, int64_t base_ms);

/* False for addresses of this machine, of private and shared networks, links, groups, and reserved ones
 * (IANA's special-purpose registries, RFC 6890). */
struct sockaddr;
bool cp_http_is_public(const struct sockaddr *address);

/* Percent-encodes for a path segment or query value (RFC 3986 unreserved characters stay). False when it does
 * not fit. */
bool cp_http_encode(const char *text, char *ret_text, size_t capacity);

#endif
