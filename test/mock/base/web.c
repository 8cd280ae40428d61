#include "web.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 512, MAX_HEAD = 16384, MAX_BODY = 16 << 20 };

struct web_connection {
    struct web *web;
    int fd;
    bool cut;
    pthread_t thread;
};

struct web {
    web_handler *handler;
    void *user;
    int fd, port;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int n_requests, n_accepted;
    struct web_connection connections[MAX_CONNECTIONS]; /* used once each */
};

/* --- answering --- */

void web_raw(struct web_connection *connection, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length && !connection->cut;) {
        ssize_t n = send(connection->fd, (const char *)bytes + done, length - done, MSG_NOSIGNAL);
        if (n <= 0)
            connection->cut = true;
        else
            done += (size_t)n;
    }
}

void web_reply(struct web_connection *connection, int status, const char *type, const char *headers,
               const void *body, size_t length)
{
    char head[2048];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n",
                     status, type, headers, length);
    web_raw(connection, head, (size_t)n);
    web_raw(connection, body, length);
}

void web_begin(struct web_connection *connection, const char *type)
{
    char head[512];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", type);
    web_raw(connection, head, (size_t)n);
}

void web_chunk(struct web_connection *connection, const void *bytes, size_t length)
{
    char head[32];
    if (!length)
        return;
    web_raw(connection, head, (size_t)snprintf(head, sizeof head, "%zx\r\n", length));
    web_raw(connection, bytes, length);
    web_raw(connection, "\r\n", 2);
}

void web_end(struct web_connection *connection)
{
    web_raw(connection, "0\r\n\r\n", 5);
}

void web_cut(struct web_connection *connection)
{
    struct linger at_once = {1, 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connection->cut = true;
}

bool web_pause(struct web_connection *connection, int ms)
{
    for (int left = ms; left > 0 && !connection->cut; left -= 5) {
        struct pollfd pollfd = {.fd = connection->fd, .events = POLLRDHUP};
        poll(&pollfd, 1, left < 5 ? left : 5);
        if (pollfd.revents)
            connection->cut = true;
    }
    return !connection->cut && !atomic_load(&connection->web->stopping);
}

int web_read(struct web_connection *connection, void *bytes, size_t capacity, int ms)
{
    struct pollfd pollfd = {.fd = connection->fd, .events = POLLIN};
    if (connection->cut || atomic_load(&connection->web->stopping))
        return -1;
    if (poll(&pollfd, 1, ms) <= 0)
        return 0;
    ssize_t n = recv(connection->fd, bytes, capacity, MSG_DONTWAIT);
    return n > 0 ? (int)n : -1;
}

/* --- reading --- */

bool web_header(const struct web_request *request, const char *name, char *value, size_t capacity)
{
    size_t length = strlen(name);
    for (const char *line = request->head; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1 + strspn(line + length + 1, " ");
        snprintf(value, capacity, "%.*s", (int)strcspn(line, "\r\n"), line);
        return true;
    }
    return false;
}

/* Reads one request; the body is to be freed. False at the end. */
static bool read_request(struct web_connection *connection, struct web_request *request, char *head)
{
    size_t n = 0;
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0)
        if (n + 1 >= MAX_HEAD || recv(connection->fd, head + n++, 1, 0) != 1)
            return false;
    head[n] = '\0';
    request->head = strchr(head, '\n') + 1;
    char length[32] = "0", coding[32];
    web_header(request, "Content-Length", length, sizeof length);
    size_t wanted = strtoul(length, NULL, 10);
    if (web_header(request, "Transfer-Encoding", coding, sizeof coding) || wanted > MAX_BODY ||
        sscanf(head, "%15s %1023s", request->method, request->path) != 2)
        return false;
    char *body = malloc(wanted + 1);
    if (wanted && recv(connection->fd, body, wanted, MSG_WAITALL) != (ssize_t)wanted) {
        free(body);
        return false;
    }
    body[wanted] = '\0';
    request->body = body;
    request->body_length = wanted;
    return true;
}

static void *serve(void *arg)
{
    struct web_connection *connection = arg;
    struct web *web = connection->web;
    char *head = malloc(MAX_HEAD);
    struct web_request request;
    while (!connection->cut && read_request(connection, &request, head)) {
        atomic_fetch_add(&web->n_requests, 1);
        web->handler(web->user, connection, &request);
        free((char *)request.body);
    }
    free(head);
    shutdown(connection->fd, SHUT_WR);
    if (connection->cut) { /* frees the number only when nobody shuts it down any more: at web_stop */
        struct linger at_once = {1, 0};
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        int null = socket(AF_INET, SOCK_STREAM, 0);
        dup2(null, connection->fd);
        close(null);
    }
    return NULL;
}

static void *accept_all(void *arg)
{
    struct web *web = arg;
    int n = 0;
    while (n < MAX_CONNECTIONS) {
        int fd = accept(web->fd, NULL, NULL);
        if (fd < 0)
            break;
        struct web_connection *connection = &web->connections[n++];
        *connection = (struct web_connection){.web = web, .fd = fd};
        atomic_store(&web->n_accepted, n); /* before it is served: a client that has its answer is counted */
        pthread_create(&connection->thread, NULL, serve, connection);
    }
    return NULL;
}

struct web *web_start(web_handler *handler, void *user)
{
    struct web *web = calloc(1, sizeof *web);
    web->handler = handler;
    web->user = user;
    web->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(web->fd, (struct sockaddr *)&address, sizeof address) || listen(web->fd, 256) ||
        getsockname(web->fd, (struct sockaddr *)&address, &length)) {
        close(web->fd);
        free(web);
        return NULL;
    }
    web->port = ntohs(address.sin_port);
    pthread_create(&web->thread, NULL, accept_all, web);
    return web;
}

void web_stop(struct web *web)
{
    if (!web)
        return;
    atomic_store(&web->stopping, true);
    shutdown(web->fd, SHUT_RDWR);
    pthread_join(web->thread, NULL);
    int n = atomic_load(&web->n_accepted);
    for (int i = 0; i < n; i++)
        shutdown(web->connections[i].fd, SHUT_RDWR);
    for (int i = 0; i < n; i++) {
        pthread_join(web->connections[i].thread, NULL);
        close(web->connections[i].fd);
    }
    close(web->fd);
    free(web);
}

int web_port(const struct web *web)
{
    return web->port;
}

int web_connections(const struct web *web)
{
    return atomic_load(&web->n_accepted);
}

int web_requests(const struct web *web)
{
    return atomic_load(&web->n_requests);
}
