/*
 * The gateway: HTTP on libmicrohttpd, keys and roles, a table of routes, server-sent events, static pages.
 *
 * The app gives the route table; from it come dispatch, role check, body check (an unknown field or a wrong
 * type is a 400 that names it), limits, and the OpenAPI document. Handlers run on the gateway's threads
 * ("http0"...), may call the store, and must not wait for anything slow: they answer at once, or hold the
 * request and answer later.
 */
#ifndef CP_GATEWAY_H
#define CP_GATEWAY_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"
#include "base/ref.h"
#include "observe/observe.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_gateway_config {
    char listen[CP_OPTION_TEXT_BYTES]; /* "127.0.0.1:8080", "[::1]:8080" */
    char pages[CP_OPTION_TEXT_BYTES];  /* directory of the built studio and watch page */
    char cors[CP_OPTION_TEXT_BYTES]; /* allowed origins of the API: "*" or a comma separated list, "" for none
                                      */
    int64_t threads;
    int64_t max_connections;
    int64_t rate_per_s, rate_burst; /* requests a key (or an address without a key) */
    int64_t max_header_bytes;
    char proxies[CP_OPTION_TEXT_BYTES]; /* addresses whose X-Forwarded-For is believed, "" for none */
};
extern const struct cp_option cp_gateway_options[];
extern const size_t cp_gateway_n_options;

struct cp_gateway;
struct cp_request;

/* --- roles and keys --- */

/* Each role may what the ones before it may. */
enum cp_role { CP_ROLE_UNSET, CP_ROLE_PUBLIC, CP_ROLE_VIEWER, CP_ROLE_OPERATOR, CP_ROLE_ADMIN };
const char *cp_role_name(enum cp_role role);
enum cp_role cp_role_from_name(const char *name); /* CP_ROLE_UNSET when unknown */

/*
 * Keys: "cpk_" + 43 characters of base64url (32 random bytes) + 6 of checksum, so that a mistyped key is told
 * from a wrong one. Only SHA-256 of the key is kept (record "keys/<id>"); comparing takes constant time.
 */
#define CP_KEY_BYTES 64
int cp_key_create(struct cp_store *store, enum cp_role role, const char *name, char ret_key[CP_KEY_BYTES],
                  char ret_id[40], struct cp_error *error);

/* --- routes --- */

enum cp_field_type {
    CP_FIELD_UNSET,
    CP_FIELD_TEXT,   /* min..max: length in bytes */
    CP_FIELD_NUMBER, /* min..max: value */
    CP_FIELD_INTEGER,
    CP_FIELD_BOOL,
    CP_FIELD_OBJECT,         /* checked against `fields` when given */
    CP_FIELD_LIST,           /* of objects checked against `fields`; min..max: count */
    CP_FIELD_TEXT_OR_OBJECT, /* one of the two: min..max of the text, `fields` of the object */
};

struct cp_field {
    const char *name;
    enum cp_field_type type;
    bool required;
    double min, max;
    const char *choices; /* "a|b|c" for CP_FIELD_TEXT */
    const char *help;
    const struct cp_field *fields; /* ended by a row without a name */
    enum cp_field_type items;      /* CP_FIELD_TEXT: a list of strings; else of objects */
};

enum cp_method { CP_METHOD_UNSET, CP_GET, CP_POST, CP_PUT, CP_PATCH, CP_DELETE };

struct cp_route {
    enum cp_method method;
    const char *path; /* "/v1/channels/{channel}/cues"; a last "{file...}" takes the rest with slashes */
    enum cp_role role;
    const char *summary;         /* for OpenAPI: one sentence */
    const struct cp_field *body; /* JSON body's fields, ended by a row without a name; NULL: no JSON body */
    /* For a raw body: the Content-Types it may have ("application/sdp", "a/b|c/d", or any with a star for
     * both halves), else NULL. */
    const char *body_type;
    const struct cp_field *query; /* query parameters (all CP_FIELD_TEXT or INTEGER), or NULL */
    size_t max_body_bytes;        /* 0 means 64 KiB; more is 413 */
    /* Honour Idempotency-Key: the first answer below 500 is kept a day, as it is, and given again, also when
     * its client did not wait for it. Not for answers that hold a secret. Answering then writes to the store.
     */
    bool idempotent_key;
    bool unlimited; /* no rate limit (media) */
    int success;    /* usual status, for OpenAPI */
    void (*handle)(void *user, struct cp_request *request);
};

int cp_gateway_create(const struct cp_gateway_config *config, const struct cp_route *routes, size_t n_routes,
                      void *user, struct cp_store *store, struct cp_observe *observe,
                      struct cp_gateway **ret_gateway, struct cp_error *error);
/* The port that is listened on (for "127.0.0.1:0"). */
int cp_gateway_port(const struct cp_gateway *gateway);
/* Handlers are called from now on; until then requests are answered with 503, so that the gateway can be made
 * before what its handlers need. */
void cp_gateway_open(struct cp_gateway *gateway);
/* Calls no more handlers (503) and waits for those that run; what they need may then go. Held requests stay
 * held. */
void cp_gateway_drain(struct cp_gateway *gateway);
/* Stops accepting, ends held requests with 503, waits for the threads. */
void cp_gateway_destroy(struct cp_gateway *gateway);

/* The OpenAPI 3.1 document made from a route table. The caller drops it with json_decref. */
json_t *cp_gateway_openapi(const struct cp_route *routes, size_t n_routes);

/* --- inside a handler --- */

/* A path parameter; "" when the route has none of that name. Valid until the request is answered. */
const char *cp_request_param(const struct cp_request *request, const char *name);
const char *cp_request_query(const struct cp_request *request, const char *name); /* NULL when absent */
const char *cp_request_query_string(const struct cp_request *request); /* undecoded, "" when none */
/* NULL when absent. Inside the handler only: a holder copies what it needs later. */
const char *cp_request_header(const struct cp_request *request, const char *name);
json_t *cp_request_json(const struct cp_request *request); /* borrowed, checked; NULL without a JSON body */
const void *cp_request_body(const struct cp_request *request, size_t *ret_length);
enum cp_role cp_request_role(const struct cp_request *request);
const char *cp_request_key_id(const struct cp_request *request); /* "" for public */
const char *cp_request_client(const struct cp_request *request); /* its address, IPv6 by /64 */
int64_t cp_request_started_ns(const struct cp_request *request); /* monotonic: when its last byte had come */

/* Each request is answered exactly once, by one of these. A header is added before answering. */
void cp_request_add_header(struct cp_request *request, const char *name, const char *value);
void cp_request_reply_json(struct cp_request *request, int status, json_t *body /* stolen; NULL for none */);
void cp_request_reply_bytes(struct cp_request *request, int status, const char *content_type,
                            const void *bytes, size_t length); /* copied */
/* Shared bytes, not copied: `owner` (first member struct cp_ref) is dropped when they have been sent. */
void cp_request_reply_shared(struct cp_request *request, int status, const char *content_type,
                             const void *bytes, size_t length, void *owner);
/*
 * Answers with what is still being made, in chunks; NULL when memory ran out (then the request is answered).
 * The caller writes from any thread and ends it exactly once, before the gateway is destroyed; after the end
 * the stream is not the caller's any more. A write is false when nobody reads any more, or too slowly (32 MiB
 * wait): then only the end is left to do. `whole`: false breaks the connection off. Not with an
 * idempotent_key route.
 */
struct cp_stream;
struct cp_stream *cp_request_reply_stream(struct cp_request *request, int status, const char *content_type);
bool cp_stream_write(struct cp_stream *stream, const void *bytes, size_t length);
void cp_stream_end(struct cp_stream *stream, bool whole);
/* For makers that are faster than a reader: waits until all that was written has left, or the deadline. 1: it
 * has; 0: not yet; -1: nobody reads any more. */
int cp_stream_wait_sent(struct cp_stream *stream, int64_t deadline_ns);
/* problem+json (RFC 9457) with the status that the code stands for. */
void cp_request_fail(struct cp_request *request, const struct cp_error *error);
void cp_request_fail_status(struct cp_request *request, int status, const char *title, const char *detail);

/* Answer later: after this the handler returns without answering, and one of the functions above is called
 * from any thread, also after the gateway is destroyed. on_gone (may be NULL) is called once if the client
 * leaves before, or the gateway ends; then the answer must still be made, and goes nowhere. Answering waits
 * for an on_gone that runs on another thread, so that `user` may be freed after it: do not answer while
 * holding a lock that on_gone takes. on_gone itself may answer. */
void cp_request_hold(struct cp_request *request, void (*on_gone)(void *user), void *user);

/* --- events --- */

/* Publishes an event to all who listen (`channel` is added to an object that lacks it): SSE with increasing
 * ids; the last 1024 are kept for Last-Event-ID. A listener that does not read is dropped. data is stolen.
 * Any thread; does not wait. */
void cp_gateway_publish(struct cp_gateway *gateway, const char *type, const char *channel, json_t *data);
/* Turns a request into a stream of events (role checked by the route). channel: only this channel's, "" for
 * all; type: only this type, "" for all. */
void cp_request_reply_events(struct cp_request *request, const char *channel, const char *type);

#endif
