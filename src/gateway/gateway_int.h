/*
 * What the files of the gateway share.
 *
 * Threads: "http0"... are libmicrohttpd's workers: they read requests, call handlers and send answers.
 * "httpd" is ours: it looks every second for clients that are too slow, for held requests whose client has
 * left, and sends heartbeats to listeners.
 *
 * Locks, outermost first: cp_request.lock, cp_events.lock, cp_clients.lock. libmicrohttpd's own lock comes
 * after them: suspend and resume are called with ours held, and it never calls us with its own held.
 */
#ifndef CP_GATEWAY_INT_H
#define CP_GATEWAY_INT_H

#include "gateway/fields.h"
#include "gateway/gateway.h"
#include "gateway/keys.h"
#include "gateway/routes.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum {
    CP_DEFAULT_BODY_BYTES = 64 << 10,
    CP_DRAIN_BYTES =
        1 << 20,         /* of a body that is refused, read and dropped so that the client sees the answer */
    CP_MAX_HEADERS = 24, /* of an answer */
    CP_MAX_QUERY = 32,   /* parameters of a request */
    CP_IDEMPOTENCY_BYTES = 72,
    CP_CLIENT_BYTES = 48,
};

/* --- an answer, before libmicrohttpd gets it --- */

struct cp_header {
    char *name, *value;
};

struct cp_answer {
    int status; /* 0: not answered */
    struct cp_header headers[CP_MAX_HEADERS];
    int n_headers;
    const void *bytes;
    size_t length;
    void *copied;   /* owned bytes, or NULL */
    void *owner;    /* reference of shared bytes, or NULL */
    int file;       /* of static pages, else -1 */
    bool is_events; /* a stream of events follows */
    bool is_stream; /* owner is a cp_stream that follows */
};

/* --- slow and leaving clients --- */

struct cp_client; /* one connection */

struct cp_clients {
    pthread_mutex_t lock; /* guards the lists, and the file descriptors against being closed */
    struct cp_client *first;
    int64_t n_open;
    int leaving; /* epoll that tells who hung up while libmicrohttpd does not look */
    int stop;    /* eventfd in it: ends the waiting for good */
};

/* --- rate limits --- */

struct cp_limits;
struct cp_allowance {
    bool allowed;
    int64_t limit, remaining, reset_s; /* as in the RateLimit headers */
};
struct cp_limits *cp_limits_create(int64_t rate_per_s, int64_t burst); /* a rate of 0 limits nothing */
void cp_limits_destroy(struct cp_limits *limits);
/* Takes one request off the allowance of `who`. Any thread; bounded memory: the longest unseen is forgotten.
 */
struct cp_allowance cp_limits_take(struct cp_limits *limits, const char *who, int64_t now_ns);

/* --- the gateway --- */

struct cp_route_metrics {
    struct cp_metric *by_class[6]; /* by first digit of the status */
};

struct cp_gateway {
    struct cp_gateway_config config;
    struct cp_routes *routes;
    const struct cp_route *table;
    size_t n_routes;
    void *user;
    struct cp_store *store;
    struct cp_keys *keys;
    struct cp_limits *limits;
    struct cp_events *events;
    struct cp_inflight *inflight;
    struct cp_clients clients;
    struct MHD_Daemon *daemon;
    int listener, port;
    int pages; /* directory, -1 when there is none */
    atomic_bool open;
    atomic_int running; /* handlers */
    atomic_bool closing;
    atomic_int n_threads;

    pthread_t housekeeper;
    bool housekeeper_runs;

    pthread_mutex_t held_lock; /* guards all below, and closing when it is set */
    pthread_cond_t all_ended;
    struct cp_request *held;
    int n_held;
    int n_live; /* requests that libmicrohttpd knows */

    struct cp_route_metrics *route_metrics; /* one a route, then pages, then unmatched */
    struct cp_metric *api_seconds, *media_seconds, *pages_seconds;
    struct cp_metric *open_connections, *held_requests, *slow_clients;
};

/* --- a request --- */

struct cp_request {
    atomic_int refs; /* libmicrohttpd's, and the holder's */
    struct cp_gateway *gateway;
    struct MHD_Connection *connection;
    struct cp_client *client;
    char *uri;          /* as it came */
    const char *query;  /* in uri, behind the "?" */
    size_t path_length; /* of uri */
    struct cp_path path;
    char *query_text; /* decoded names and values */
    struct {
        const char *name, *value;
    } parameters[CP_MAX_QUERY];
    int n_parameters;
    const struct cp_route *route;
    size_t route_index;
    enum cp_method method; /* HEAD counts as GET */
    bool is_head, is_page;
    bool admitted;   /* the headers have been looked at */
    bool dispatched; /* the handler has been called, or the request was refused */
    struct cp_buffer body;
    uint64_t dropped_bytes; /* of a body that was refused */
    json_t *json;
    enum cp_role role;
    char key_id[CP_KEY_ID_BYTES];
    char who[CP_CLIENT_BYTES]; /* the client's address, IPv6 by /64 */
    int64_t started_ns;
    char idempotency[CP_IDEMPOTENCY_BYTES]; /* key of its record, "" for none */
    char body_hash[72];
    struct cp_request *inflight_next; /* by cp_inflight */
    struct cp_listener *listener;
    char events_channel[40], events_type[24]; /* what a stream of events is limited to; "": all */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t told;
    struct cp_answer answer;
    bool held, suspended;
    bool gone;    /* the client left or the gateway closes: the holder's answer goes nowhere */
    bool telling; /* on_gone runs now, on teller */
    pthread_t teller;
    void (*on_gone)(void *user);
    void *on_gone_user;
    struct cp_request *held_next, *held_previous; /* by gateway.held_lock */
};

struct cp_request *cp_request_make(struct cp_gateway *gateway, struct MHD_Connection *connection,
                                   const char *uri);
void cp_request_release(struct cp_request *request);

/* Hands the answer to libmicrohttpd. thread: http */
enum MHD_Result cp_request_send(struct cp_request *request);
/* Suspends a held request, or sends its answer when it has come already. thread: http */
enum MHD_Result cp_request_settle(struct cp_request *request);
/* The client of a held request left, or (status 503) the gateway closes. thread: httpd, or the destroyer */
void cp_request_abandon(struct cp_request *request, int status);
/* Like cp_request_fail_status, with the field that is wrong ("" for none) and the code's name. */
void cp_request_problem(struct cp_request *request, int status, const char *code, const char *title,
                        const char *detail, const char *field);
void cp_request_reply_file(struct cp_request *request, int status, const char *content_type, int file,
                           size_t length);
int cp_status_of(int code, const struct cp_request *request);
void cp_answer_clear(struct cp_answer *answer);

/* Counts the answer in the metrics. thread: http */
void cp_gateway_count(struct cp_request *request);

/* --- serving (serve.c): libmicrohttpd's callbacks --- */

void *cp_serve_begin(void *gateway, const char *uri, struct MHD_Connection *connection);
enum MHD_Result cp_serve(void *gateway, struct MHD_Connection *connection, const char *url,
                         const char *method, const char *version, const char *upload, size_t *upload_bytes,
                         void **request);
void cp_serve_end(void *gateway, struct MHD_Connection *connection, void **request,
                  enum MHD_RequestTerminationCode how);

/* --- cross-origin requests (cors.c) --- */

bool cp_cors_allows(const struct cp_gateway_config *config, const char *origin);
void cp_cors_add_headers(const struct cp_request *request, struct MHD_Response *response);
void cp_cors_reply_options(struct cp_request *request, unsigned allowed);
void cp_allow_text(unsigned allowed, char text[64]);

/* --- clients (clients.c) --- */

int cp_clients_init(struct cp_clients *clients, struct cp_error *error);
void cp_clients_clear(struct cp_clients *clients);
void cp_clients_notify(void *gateway, struct MHD_Connection *connection, void **client,
                       enum MHD_ConnectionNotificationCode what);
/* What the client has to do, and by when, or it is disconnected; 0: nothing, we are at work. */
void cp_client_expect(struct cp_gateway *gateway, struct cp_client *client, int64_t deadline_ns);
/* Watches for the client's leaving while its connection is suspended. */
void cp_client_watch(struct cp_gateway *gateway, struct cp_client *client, struct cp_request *request);
void cp_client_unwatch(struct cp_gateway *gateway, struct cp_client *client);
/* Waits up to timeout_ms for clients that leave and tells their requests. thread: httpd */
void cp_clients_wait(struct cp_gateway *gateway, int timeout_ms);
/* cp_clients_wait returns at once, now and later. */
void cp_clients_stop(struct cp_clients *clients);
/* Disconnects those past their deadline. thread: httpd */
void cp_clients_reap(struct cp_gateway *gateway, int64_t now_ns);

#define CP_HEAD_TIMEOUT_NS (20 * INT64_C(1000000000)) /* for the headers, and between requests */
#define CP_BODY_TIMEOUT_NS (60 * INT64_C(1000000000)) /* and one second more for each 16 KiB */

/* --- idempotency (idempotency.c) --- */

struct cp_inflight;
struct cp_inflight *cp_inflight_create(void);
void cp_inflight_destroy(struct cp_inflight *inflight);
/* True when the request is to be handled; else it has been answered (again, or with 409 or 422). */
bool cp_idempotency_begin(struct cp_request *request);
/* Keeps the answer before it is sent, or although the client has left. thread: holder of request->lock */
void cp_idempotency_end(struct cp_request *request, const struct cp_answer *answer);
/* The request is no longer at work. */
void cp_idempotency_forget(struct cp_request *request);

/* --- events (events.c) --- */

struct cp_events *cp_events_create(struct cp_gateway *gateway, struct cp_observe *observe);
void cp_events_destroy(struct cp_events *events);
struct MHD_Response *cp_events_response(struct cp_request *request);
/* The listener's connection is about to end or to serve another request. */
void cp_events_leave(struct cp_listener *listener);
void cp_listener_free(struct cp_listener *listener);
/* The listener's client left. */
void cp_events_drop(struct cp_listener *listener);
void cp_events_heartbeat(struct cp_events *events, int64_t now_ns);
/* Ends all streams and refuses new ones. */
void cp_events_close(struct cp_events *events);

/* --- answers that leave while they are made (stream.c) --- */

struct cp_stream *cp_stream_create(void);
/* Takes the stream's reference when it succeeds. thread: http */
struct MHD_Response *cp_stream_response(struct cp_request *request, struct cp_stream *stream);

/* --- pages (pages.c) --- */

int cp_pages_open(const char *directory);
void cp_pages_reply(struct cp_request *request);

#endif
