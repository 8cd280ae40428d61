/*
 * The connections. libmicrohttpd disconnects who is silent; who sends a byte now and then it would keep for
 * ever, and of a suspended connection it does not see that the client left. Both are seen here.
 */
#include "gateway/gateway_int.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct cp_client {
    struct cp_client *next, *previous;
    int file; /* valid while in the list */
    int64_t deadline_ns;
    struct cp_request *watched; /* whom to tell when the client leaves; not a reference */
};

int cp_clients_init(struct cp_clients *clients, struct cp_error *error)
{
    pthread_mutex_init(&clients->lock, NULL);
    clients->leaving = epoll_create1(EPOLL_CLOEXEC);
    clients->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = clients->stop};
    if (clients->leaving < 0 || clients->stop < 0 ||
        epoll_ctl(clients->leaving, EPOLL_CTL_ADD, clients->stop, &event))
        return cp_fail(error, CP_ERR_BUSY, "gateway",
                       "cannot watch connections: %s; raise the limit of open files", strerror(errno));
    return 0;
}

void cp_clients_stop(struct cp_clients *clients)
{
    eventfd_write(clients->stop, 1);
}

void cp_clients_clear(struct cp_clients *clients)
{
    if (clients->leaving >= 0)
        close(clients->leaving);
    if (clients->stop >= 0)
        close(clients->stop);
    pthread_mutex_destroy(&clients->lock);
}

void cp_clients_notify(void *user, struct MHD_Connection *connection, void **client_slot,
                       enum MHD_ConnectionNotificationCode what)
{
    struct cp_gateway *gateway = user;
    struct cp_clients *clients = &gateway->clients;
    struct cp_client *client = *client_slot;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        client = calloc(1, sizeof *client);
        if (!client)
            return; /* it is served all the same, only not watched */
        client->file = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        client->deadline_ns = cp_clock_now_ns() + CP_HEAD_TIMEOUT_NS;
        pthread_mutex_lock(&clients->lock);
        client->next = clients->first;
        if (client->next)
            client->next->previous = client;
        clients->first = client;
        clients->n_open++;
        pthread_mutex_unlock(&clients->lock);
        *client_slot = client;
        return;
    }
    if (!client)
        return;
    /* libmicrohttpd closes the socket after this call. */
    pthread_mutex_lock(&clients->lock);
    if (client->watched)
        epoll_ctl(clients->leaving, EPOLL_CTL_DEL, client->file, NULL);
    if (client->next)
        client->next->previous = client->previous;
    if (client->previous)
        client->previous->next = client->next;
    else
        clients->first = client->next;
    clients->n_open--;
    pthread_mutex_unlock(&clients->lock);
    free(client);
    *client_slot = NULL;
}

void cp_client_expect(struct cp_gateway *gateway, struct cp_client *client, int64_t deadline_ns)
{
    if (!client)
        return;
    pthread_mutex_lock(&gateway->clients.lock);
    client->deadline_ns = deadline_ns;
    pthread_mutex_unlock(&gateway->clients.lock);
}

void cp_client_watch(struct cp_gateway *gateway, struct cp_client *client, struct cp_request *request)
{
    if (!client)
        return;
    pthread_mutex_lock(&gateway->clients.lock);
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.fd = client->file};
    if (!client->watched && !epoll_ctl(gateway->clients.leaving, EPOLL_CTL_ADD, client->file, &event))
        client->watched = request;
    pthread_mutex_unlock(&gateway->clients.lock);
}

void cp_client_unwatch(struct cp_gateway *gateway, struct cp_client *client)
{
    if (!client)
        return;
    pthread_mutex_lock(&gateway->clients.lock);
    if (client->watched)
        epoll_ctl(gateway->clients.leaving, EPOLL_CTL_DEL, client->file, NULL);
    client->watched = NULL;
    pthread_mutex_unlock(&gateway->clients.lock);
}

/* The request that waits on this socket, with a reference, or NULL when it was answered meanwhile. */
static struct cp_request *take_watched(struct cp_clients *clients, int file)
{
    struct cp_request *request = NULL;
    pthread_mutex_lock(&clients->lock);
    for (struct cp_client *client = clients->first; client; client = client->next)
        if (client->file == file && client->watched) {
            request = client->watched;
            atomic_fetch_add(&request->refs, 1);
            break;
        }
    pthread_mutex_unlock(&clients->lock);
    return request;
}

void cp_clients_wait(struct cp_gateway *gateway, int timeout_ms)
{
    struct epoll_event events[64];
    int n = epoll_wait(gateway->clients.leaving, events, 64, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct cp_request *request = take_watched(&gateway->clients, events[i].data.fd);
        if (!request)
            continue;
        if (request->listener)
            cp_events_drop(request->listener);
        else
            cp_request_abandon(request, 0);
        cp_request_release(request);
    }
}

void cp_clients_reap(struct cp_gateway *gateway, int64_t now_ns)
{
    int reaped = 0;
    pthread_mutex_lock(&gateway->clients.lock);
    for (struct cp_client *client = gateway->clients.first; client; client = client->next)
        if (client->deadline_ns && client->deadline_ns < now_ns) {
            client->deadline_ns = 0;
            shutdown(client->file, SHUT_RDWR); /* libmicrohttpd sees the end and tidies up */
            reaped++;
        }
    pthread_mutex_unlock(&gateway->clients.lock);
    if (reaped)
        cp_metric_add(gateway->slow_clients, reaped);
}
