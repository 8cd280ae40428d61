/*
 * Server-sent events (HTML Living Standard, section 9.2). The last events lie in one ring that all listeners
 * share; a listener is only a place in it, so that memory does not grow with slow ones. Who falls behind the
 * ring is dropped. Ids begin at the wall clock's milliseconds, so that they grow over restarts too.
 */
#include "gateway/gateway_int.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 1024, BLOCK_BYTES = 16 << 10, MAX_CHANNEL = 100, HEARTBEAT_S = 15 };

struct event {
    struct cp_ref ref;
    char channel[MAX_CHANNEL]; /* "": for all */
    char type[24];
    size_t length;
    char text[]; /* as it is sent */
};

struct cp_listener {
    struct cp_listener *next, *previous;
    struct cp_events *events;
    struct cp_request *request; /* who owns the listener */
    const char *channel, *type; /* of the request; "": all */
    uint64_t next_id;
    struct event *current; /* partly sent */
    size_t sent_bytes;
    char notice[96]; /* to be sent before any event: greeting, heartbeat */
    bool listed, suspended, closed, lagged;
};

struct cp_events {
    pthread_mutex_t lock; /* guards all below and the listeners */
    struct cp_gateway *gateway;
    struct event *ring[RING]; /* by id % RING */
    uint64_t first_id, next_id;
    struct cp_listener *first;
    int64_t heartbeat_ns;
    bool closed;
    struct cp_metric *published, *dropped, *listeners;
};

static void free_event(void *event)
{
    free(event);
}

struct cp_events *cp_events_create(struct cp_gateway *gateway, struct cp_observe *observe)
{
    struct cp_events *events = calloc(1, sizeof *events);
    if (!events)
        return NULL;
    pthread_mutex_init(&events->lock, NULL);
    events->gateway = gateway;
    events->first_id = events->next_id = (uint64_t)(cp_clock_wall_ns() / CP_NS_PER_MS);
    events->published = cp_counter(observe, "compere_events_published_total", "", "Events published.");
    events->dropped = cp_counter(observe, "compere_events_listeners_dropped_total", "",
                                 "Listeners that were dropped because they did not read.");
    events->listeners = cp_gauge(observe, "compere_events_listeners", "", "Listeners connected now.");
    return events;
}

void cp_events_destroy(struct cp_events *events)
{
    if (!events)
        return;
    for (int i = 0; i < RING; i++)
        cp_ref_drop(events->ring[i]);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

/* thread: holder of events.lock */
static void wake(struct cp_listener *listener)
{
    if (!listener->suspended)
        return;
    listener->suspended = false;
    cp_client_unwatch(listener->events->gateway, listener->request->client);
    MHD_resume_connection(listener->request->connection);
}

static bool wanted(const struct cp_listener *listener, const struct event *event)
{
    bool of_channel = !*listener->channel || !*event->channel || !strcmp(listener->channel, event->channel);
    return of_channel && (!*listener->type || !strcmp(listener->type, event->type));
}

void cp_gateway_publish(struct cp_gateway *gateway, const char *type, const char *channel, json_t *data)
{
    struct cp_events *events = gateway->events;
    channel = channel ? channel : "";
    if (*channel && json_is_object(data) && !json_object_get(data, "channel"))
        json_object_set_new(data, "channel", json_string(channel));
    char *json = data ? json_dumps(data, JSON_COMPACT) : strdup("{}");
    json_decref(data);
    size_t capacity = json ? strlen(json) + strlen(type) + 64 : 0;
    struct event *event = json ? malloc(sizeof *event + capacity) : NULL;
    if (!event) {
        free(json);
        return;
    }
    cp_ref_init(&event->ref, free_event);
    snprintf(event->channel, sizeof event->channel, "%s", channel);
    snprintf(event->type, sizeof event->type, "%s", type);
    pthread_mutex_lock(&events->lock);
    uint64_t id = events->next_id++;
    event->length =
        (size_t)snprintf(event->text, capacity, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", id, type, json);
    cp_ref_drop(events->ring[id % RING]);
    events->ring[id % RING] = event;
    if (events->next_id - events->first_id > RING)
        events->first_id = events->next_id - RING;
    for (struct cp_listener *listener = events->first; listener; listener = listener->next) {
        if (wanted(listener, event))
            wake(listener);
        else if (listener->suspended)
            listener->next_id = events->next_id; /* it has seen all before, and passes this one over */
    }
    pthread_mutex_unlock(&events->lock);
    cp_metric_add(events->published, 1);
    free(json);
}

/* Takes the next event that the listener wants; false when there is none. */
static bool next_event(struct cp_listener *listener)
{
    struct cp_events *events = listener->events;
    cp_ref_drop(listener->current);
    listener->current = NULL;
    listener->sent_bytes = 0;
    while (!listener->current && listener->next_id < events->next_id) {
        struct event *event = events->ring[listener->next_id++ % RING];
        if (wanted(listener, event))
            listener->current = cp_ref_take(event);
    }
    return listener->current;
}

/* Has the listener lost events that left the ring? It is counted once. */
static bool has_lagged(struct cp_listener *listener)
{
    if (!listener->lagged && listener->next_id < listener->events->first_id) {
        listener->lagged = true;
        cp_metric_add(listener->events->dropped, 1);
    }
    return listener->lagged;
}

/* Writes what there is; suspends the connection when there is nothing. thread: http */
static ssize_t read_events(void *user, uint64_t position, char *to, size_t capacity)
{
    struct cp_listener *listener = user;
    struct cp_events *events = listener->events;
    size_t used = 0;
    ssize_t result;
    pthread_mutex_lock(&events->lock);
    if (!listener->current && strlen(listener->notice) <= capacity) {
        used = strlen(listener->notice);
        memcpy(to, listener->notice, used);
        *listener->notice = 0;
    }
    while (used < capacity && !has_lagged(listener) && (listener->current || next_event(listener))) {
        size_t left = listener->current->length - listener->sent_bytes;
        size_t length = left < capacity - used ? left : capacity - used;
        memcpy(to + used, listener->current->text + listener->sent_bytes, length);
        used += length;
        listener->sent_bytes += length;
        if (length == left)
            next_event(listener);
    }
    if (used) {
        result = (ssize_t)used;
    } else if (listener->lagged) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (listener->closed) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        result = 0;
        listener->suspended = true;
        cp_client_watch(events->gateway, listener->request->client, listener->request);
        MHD_suspend_connection(listener->request->connection);
    }
    pthread_mutex_unlock(&events->lock);
    return result;
}

void cp_events_leave(struct cp_listener *listener)
{
    struct cp_events *events = listener->events;
    pthread_mutex_lock(&events->lock);
    bool listed = listener->listed;
    if (listed && listener->next)
        listener->next->previous = listener->previous;
    if (listed && listener->previous)
        listener->previous->next = listener->next;
    else if (listed)
        events->first = listener->next;
    listener->listed = false;
    pthread_mutex_unlock(&events->lock);
    if (listed)
        cp_metric_add(events->listeners, -1);
}

/* libmicrohttpd keeps the response longer than the request: so does the reader. */
static void end_reader(void *user)
{
    struct cp_listener *listener = user;
    cp_events_leave(listener);
    cp_request_release(listener->request);
}

void cp_listener_free(struct cp_listener *listener)
{
    if (!listener)
        return;
    cp_ref_drop(listener->current);
    free(listener);
}

/* Where to begin: behind Last-Event-ID when that is still in the ring, else now; a gap is told. */
static void find_place(struct cp_listener *listener, const char *last_id)
{
    const struct cp_events *events = listener->events;
    char *end;
    uint64_t last = last_id ? strtoull(last_id, &end, 10) : 0;
    snprintf(listener->notice, sizeof listener->notice, "retry: 2000\n: welcome\n\n");
    listener->next_id = events->next_id;
    if (!last_id || *end || end == last_id)
        return;
    if (last + 1 >= events->first_id && last < events->next_id) {
        listener->next_id = last + 1;
        return;
    }
    listener->next_id = events->first_id;
    snprintf(listener->notice, sizeof listener->notice,
             "retry: 2000\nevent: gap\ndata: {\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}\n\n", last,
             events->first_id - 1);
}

struct MHD_Response *cp_events_response(struct cp_request *request)
{
    struct cp_events *events = request->gateway->events;
    struct cp_listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return NULL;
    listener->events = events;
    listener->request = request;
    listener->channel = request->events_channel;
    listener->type = request->events_type;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_events, listener, end_reader);
    if (!response) {
        free(listener);
        return NULL;
    }
    request->listener = listener;
    atomic_fetch_add(&request->refs, 1);                          /* dropped by end_reader */
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* or nginx keeps events back */
    pthread_mutex_lock(&events->lock);
    find_place(listener, cp_request_header(request, "Last-Event-ID"));
    listener->closed = events->closed;
    listener->next = events->first;
    if (listener->next)
        listener->next->previous = listener;
    events->first = listener;
    listener->listed = true;
    pthread_mutex_unlock(&events->lock);
    cp_metric_add(events->listeners, 1);
    return response;
}

void cp_events_drop(struct cp_listener *listener)
{
    pthread_mutex_lock(&listener->events->lock);
    listener->closed = true;
    if (listener->listed)
        wake(listener);
    pthread_mutex_unlock(&listener->events->lock);
}

void cp_events_heartbeat(struct cp_events *events, int64_t now_ns)
{
    pthread_mutex_lock(&events->lock);
    bool due = now_ns >= events->heartbeat_ns;
    if (due)
        events->heartbeat_ns = now_ns + HEARTBEAT_S * CP_NS_PER_S;
    for (struct cp_listener *listener = events->first; listener; listener = listener->next) {
        if (has_lagged(listener)) {
            cp_client_expect(events->gateway, listener->request->client,
                             1); /* long past: it is disconnected */
        } else if (due && listener->suspended) {
            snprintf(listener->notice, sizeof listener->notice, ": still here\n\n");
            wake(listener);
        }
    }
    pthread_mutex_unlock(&events->lock);
}

void cp_events_close(struct cp_events *events)
{
    pthread_mutex_lock(&events->lock);
    events->closed = true;
    for (struct cp_listener *listener = events->first; listener; listener = listener->next) {
        listener->closed = true;
        wake(listener);
    }
    pthread_mutex_unlock(&events->lock);
}
