/* Making and ending the gateway, its socket, its housekeeping and its metrics. */
#include "gateway/gateway_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OPTION(field) .offset = offsetof(struct cp_gateway_config, field)

const struct cp_option cp_gateway_options[] = {
    {"listen", CP_OPTION_TEXT, "127.0.0.1:8080",
     .help = "address and port of HTTP; [::]:8080 for all addresses", OPTION(listen)},
    {"pages", CP_OPTION_TEXT, "", .help = "directory of the built pages; empty: found beside the program",
     OPTION(pages)},
    {"cors", CP_OPTION_TEXT, "*", .help = "web origins that may use the API: * or a comma separated list",
     OPTION(cors)},
    {"threads", CP_OPTION_INT, "2", 1, 64, .help = "threads that serve HTTP", OPTION(threads)},
    {"max_connections", CP_OPTION_INT, "8192", 16, 100000,
     .help = "HTTP connections at once; one address gets half of them at most", OPTION(max_connections)},
    {"rate_per_s", CP_OPTION_INT, "200", 0, 100000,
     .help = "requests a second for each key, or address without a key; 0: no limit", OPTION(rate_per_s)},
    {"rate_burst", CP_OPTION_INT, "1000", 1, 1000000, .help = "requests at once before that rate holds",
     OPTION(rate_burst)},
    {"max_header_bytes", CP_OPTION_INT, "16384", 1024, 1048576, .help = "size of a request's headers",
     OPTION(max_header_bytes)},
    {"proxies", CP_OPTION_TEXT, "",
     .help = "addresses of proxies in front, comma separated: the clients they name in X-Forwarded-For are "
             "limited one by one",
     OPTION(proxies)},
};
const size_t cp_gateway_n_options = sizeof cp_gateway_options / sizeof *cp_gateway_options;

enum {
    IDLE_TIMEOUT_S = 30,  /* a connection on which nothing moves */
    CLOSE_PATIENCE_S = 2, /* for the last answers at shutdown */
    HOUSEKEEPING_MS = 1000,
};

/* --- the socket --- */

/* Splits "host:port" and "[v6]:port". */
static int split_address(const char *address, char host[128], char port[8], struct cp_error *error)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;
    bool bracketed = length > 2 && *address == '[' && colon[-1] == ']';
    if (!length || length >= 128 || !colon[1] || strlen(colon) > 6 ||
        strspn(colon + 1, "0123456789") + 1 != strlen(colon) || (!bracketed && memchr(address, ':', length)))
        return cp_fail(error, CP_ERR_INVALID, "gateway",
                       "\"%s\" is not an address to listen on; write 127.0.0.1:8080 or [::1]:8080", address);
    snprintf(host, 128, "%.*s", (int)(bracketed ? length - 2 : length), address + bracketed);
    snprintf(port, 8, "%s", colon + 1);
    return 0;
}

static int listen_failed(const char *address, struct cp_error *error)
{
    switch (errno) {
    case EADDRINUSE:
        return cp_fail(
            error, CP_ERR_IO, "gateway",
            "%s is in use by another program; stop that one (\"ss -ltnp\" shows it) or choose another "
            "port with --listen",
            address);
    case EACCES:
        return cp_fail(
            error, CP_ERR_IO, "gateway",
            "no permission to listen on %s; ports below 1024 need root or CAP_NET_BIND_SERVICE, or "
            "choose another with --listen",
            address);
    case EADDRNOTAVAIL:
        return cp_fail(error, CP_ERR_IO, "gateway",
                       "%s is not an address of this machine; choose another with --listen", address);
    default:
        return cp_fail(error, CP_ERR_IO, "gateway", "cannot listen on %s: %s", address, strerror(errno));
    }
}

static int open_listener(const char *address, int *ret_listener, int *ret_port, struct cp_error *error)
{
    char host[128], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.v6 = {0}};
    socklen_t length = sizeof bound;
    int one = 1, result = split_address(address, host, port, error);
    if (result)
        return result;
    int trouble = getaddrinfo(host, port, &hints, &found);
    if (trouble)
        return cp_fail(error, CP_ERR_INVALID, "gateway", "the host of \"%s\" is not known: %s", address,
                       gai_strerror(trouble));
    int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(listener, found->ai_addr, found->ai_addrlen) || listen(listener, 1024) ||
        getsockname(listener, &bound.any, &length)) {
        result = listen_failed(address, error);
        if (listener >= 0)
            close(listener);
    } else {
        *ret_listener = listener;
        *ret_port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    }
    freeaddrinfo(found);
    return result;
}

/* --- metrics --- */

static void make_route_metrics(struct cp_gateway *gateway, struct cp_observe *observe, size_t index,
                               const char *route)
{
    for (int class = 2; class <= 5; class ++) {
        char labels[320], text[256], status[4];
        snprintf(status, sizeof status, "%dxx", class);
        cp_observe_label(text, sizeof text, "route", route);
        snprintf(labels, sizeof labels, "%s,status=\"%s\"", text, status);
        gateway->route_metrics[index].by_class[class] =
            cp_counter(observe, "compere_http_requests_total", labels, "Requests answered.");
    }
}

static int make_metrics(struct cp_gateway *gateway, struct cp_observe *observe, struct cp_error *error)
{
    gateway->route_metrics = calloc(gateway->n_routes + 2, sizeof *gateway->route_metrics);
    if (!gateway->route_metrics)
        return cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    for (size_t i = 0; i < gateway->n_routes; i++) {
        char route[240];
        snprintf(route, sizeof route, "%s %s", cp_method_name(gateway->table[i].method),
                 gateway->table[i].path);
        make_route_metrics(gateway, observe, i, route);
    }
    make_route_metrics(gateway, observe, gateway->n_routes, "pages");
    make_route_metrics(gateway, observe, gateway->n_routes + 1, "none");
    const char *name = "compere_http_request_seconds", *help = "From a request's last byte to its answer.";
    gateway->api_seconds = cp_histogram(observe, name, "kind=\"api\"", help);
    gateway->media_seconds = cp_histogram(observe, name, "kind=\"media\"", help);
    gateway->pages_seconds = cp_histogram(observe, name, "kind=\"pages\"", help);
    gateway->open_connections = cp_gauge(observe, "compere_http_connections", "", "Connections open now.");
    gateway->held_requests =
        cp_gauge(observe, "compere_http_requests_held", "", "Requests held for a later answer.");
    gateway->slow_clients = cp_counter(observe, "compere_http_slow_clients_total", "",
                                       "Clients disconnected because they took too long to send a request.");
    return 0;
}

void cp_gateway_count(struct cp_request *request)
{
    struct cp_gateway *gateway = request->gateway;
    const struct cp_route *route = request->route;
    size_t index = route ? request->route_index : gateway->n_routes + !request->is_page;
    int class = request->answer.status / 100;
    if (class >= 2 && class <= 5)
        cp_metric_add(gateway->route_metrics[index].by_class[class], 1);
    if (request->started_ns && !request->answer.is_events)
        cp_metric_observe_ns(request->is_page            ? gateway->pages_seconds
                             : route && route->unlimited ? gateway->media_seconds
                                                         : gateway->api_seconds,
                             cp_clock_now_ns() - request->started_ns);
}

/* --- housekeeping --- */

static void *keep_house(void *user)
{
    struct cp_gateway *gateway = user;
    int64_t next_ns = 0;
    while (!gateway->closing) {
        cp_clients_wait(gateway, HOUSEKEEPING_MS / 4);
        int64_t now_ns = cp_clock_now_ns();
        if (now_ns < next_ns)
            continue;
        next_ns = now_ns + HOUSEKEEPING_MS * CP_NS_PER_MS;
        cp_events_heartbeat(gateway->events, now_ns);
        cp_clients_reap(gateway, now_ns);
        pthread_mutex_lock(&gateway->clients.lock);
        cp_metric_set(gateway->open_connections, (double)gateway->clients.n_open);
        pthread_mutex_unlock(&gateway->clients.lock);
        pthread_mutex_lock(&gateway->held_lock);
        cp_metric_set(gateway->held_requests, gateway->n_held);
        pthread_mutex_unlock(&gateway->held_lock);
    }
    return NULL;
}

/* --- create and destroy --- */

static void log_library(void *user, const char *format, va_list args)
{
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = 0;
    cp_log(CP_LOG_DEBUG, "gateway", "libmicrohttpd", "text=\"%s\"", text);
}

/* Paths and queries are decoded by ourselves, part by part. */
static size_t leave_escaped(void *user, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

static int start_daemon(struct cp_gateway *gateway, struct cp_error *error)
{
    const struct cp_gateway_config *config = &gateway->config;
    unsigned threads = (unsigned)config->threads;
    /* Headers, and room for the library's own use. Larger ones get its plain 431, up to here ours. */
    size_t memory = (size_t)config->max_header_bytes + (16 << 10);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    gateway->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, cp_serve,
        gateway, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, gateway->listener,
        MHD_OPTION_URI_LOG_CALLBACK, cp_serve_begin, gateway, MHD_OPTION_NOTIFY_COMPLETED, cp_serve_end,
        gateway, MHD_OPTION_NOTIFY_CONNECTION, cp_clients_notify, gateway, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        memory, threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return gateway->daemon
               ? 0
               : cp_fail(error, CP_ERR_IO, "gateway",
                         "the HTTP threads do not start; check the limits of open files and threads");
}

int cp_gateway_create(const struct cp_gateway_config *config, const struct cp_route *routes, size_t n_routes,
                      void *user, struct cp_store *store, struct cp_observe *observe,
                      struct cp_gateway **ret_gateway, struct cp_error *error)
{
    struct cp_gateway *gateway = calloc(1, sizeof *gateway);
    if (!gateway)
        return cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    gateway->config = *config;
    gateway->table = routes;
    gateway->n_routes = n_routes;
    gateway->user = user;
    gateway->store = store;
    gateway->listener = -1;
    gateway->pages = cp_pages_open(config->pages);
    pthread_mutex_init(&gateway->held_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&gateway->all_ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int result = cp_clients_init(&gateway->clients, error);
    if (!result)
        result = cp_routes_create(routes, n_routes, &gateway->routes, error);
    if (!result)
        result = make_metrics(gateway, observe, error);
    if (!result)
        result = cp_keys_create(store, &gateway->keys, error);
    if (!result) {
        gateway->limits = cp_limits_create(config->rate_per_s, config->rate_burst);
        gateway->inflight = cp_inflight_create();
        gateway->events = cp_events_create(gateway, observe);
        if (!gateway->limits || !gateway->inflight || !gateway->events)
            result = cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    }
    if (!result)
        result = open_listener(config->listen, &gateway->listener, &gateway->port, error);
    if (!result && cp_thread_start(&gateway->housekeeper, "httpd", keep_house, gateway))
        result = cp_fail(error, CP_ERR_NOMEM, "gateway", "no memory for a thread");
    else if (!result)
        gateway->housekeeper_runs = true;
    if (!result)
        result = start_daemon(gateway, error);
    if (result)
        cp_gateway_destroy(gateway);
    else
        *ret_gateway = gateway;
    return result;
}

int cp_gateway_port(const struct cp_gateway *gateway)
{
    return gateway->port;
}

void cp_gateway_open(struct cp_gateway *gateway)
{
    atomic_store(&gateway->open, true);
}

void cp_gateway_drain(struct cp_gateway *gateway)
{
    atomic_store(&gateway->open, false);
    while (atomic_load(&gateway->running)) /* handlers do not wait for anything slow */
        cp_clock_sleep_until_ns(cp_clock_now_ns() + CP_NS_PER_MS);
}

/* Answers all that is held with 503 and waits a little until the last answers are sent. */
static void end_requests(struct cp_gateway *gateway)
{
    pthread_mutex_lock(&gateway->held_lock);
    for (struct cp_request *request; (request = gateway->held);) {
        atomic_fetch_add(&request->refs, 1);
        pthread_mutex_unlock(&gateway->held_lock);
        cp_request_abandon(request, 503);
        cp_request_release(request);
        pthread_mutex_lock(&gateway->held_lock);
    }
    int64_t until_ns = cp_clock_now_ns() + CLOSE_PATIENCE_S * CP_NS_PER_S;
    struct timespec until = {.tv_sec = until_ns / CP_NS_PER_S, .tv_nsec = until_ns % CP_NS_PER_S};
    while (gateway->n_live && !pthread_cond_timedwait(&gateway->all_ended, &gateway->held_lock, &until)) {
    }
    pthread_mutex_unlock(&gateway->held_lock);
}

void cp_gateway_destroy(struct cp_gateway *gateway)
{
    if (!gateway)
        return;
    pthread_mutex_lock(&gateway->held_lock);
    gateway->closing = true;
    pthread_mutex_unlock(&gateway->held_lock);
    cp_clients_stop(&gateway->clients);
    if (gateway->housekeeper_runs)
        pthread_join(gateway->housekeeper, NULL);
    if (gateway->daemon) {
        MHD_quiesce_daemon(gateway->daemon);
        cp_events_close(gateway->events);
        end_requests(gateway);
        MHD_stop_daemon(gateway->daemon);
    }
    if (gateway->listener >= 0)
        close(gateway->listener);
    if (gateway->pages >= 0)
        close(gateway->pages);
    cp_keys_destroy(gateway->keys);
    cp_events_destroy(gateway->events);
    cp_inflight_destroy(gateway->inflight);
    cp_limits_destroy(gateway->limits);
    cp_routes_destroy(gateway->routes);
    cp_clients_clear(&gateway->clients);
    pthread_cond_destroy(&gateway->all_ended);
    pthread_mutex_destroy(&gateway->held_lock);
    free(gateway->route_metrics);
    free(gateway);
}
