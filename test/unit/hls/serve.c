/*
 * A small HTTP server round the LL-HLS core, on loopback and in real time, for checks by independent players:
 *
 *   serve_hls SECONDS [COMMAND ARGUMENT...]
 *
 * prints the address of the stream, and runs COMMAND with "{}" replaced by it, passing on its exit status;
 * without COMMAND it serves for SECONDS. One thread a connection: a test tool, not the gateway.
 */
#include "rig.h"

#include "base/clock.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct cp_hls *hls;
static struct feed feed;

/* A connection's present request. */
struct exchange {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool answered;
    struct cp_hls_response response;
};

static void ready(void *user, const struct cp_hls_response *response)
{
    struct exchange *exchange = user;
    pthread_mutex_lock(&exchange->lock);
    exchange->response = *response;
    exchange->answered = true;
    pthread_cond_signal(&exchange->done);
    pthread_mutex_unlock(&exchange->lock);
}

static bool send_all(int fd, const void *data, size_t length)
{
    for (const char *at = data; length;) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool answer(int fd, char *target)
{
    struct exchange exchange = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    char head[512], *query = strchr(target, '?'), *file = strrchr(target, '/');
    uint64_t waiting;
    if (query)
        *query++ = 0;
    file = strrchr(target, '/');
    cp_hls_request(hls, file ? file + 1 : target, query ? query : "", ready, &exchange, &waiting);
    pthread_mutex_lock(&exchange.lock);
    while (!exchange.answered)
        pthread_cond_wait(&exchange.done, &exchange.lock);
    pthread_mutex_unlock(&exchange.lock);
    const struct cp_hls_response *response = &exchange.response;
    const char *detail = response->detail ? response->detail : "";
    size_t length = response->body ? response->body->length : strlen(detail);
    int head_length = snprintf(head, sizeof head,
                               "HTTP/1.1 %d x\r\nContent-Type: %s\r\nCache-Control: %s\r\n"
                               "Access-Control-Allow-Origin: *\r\nContent-Length: %zu\r\n\r\n",
                               response->status, response->content_type, response->cache_control, length);
    bool sent = send_all(fd, head, (size_t)head_length) &&
                send_all(fd, response->body ? (const char *)response->body->data : detail, length);
    cp_ref_drop(response->body);
    return sent;
}

static void *serve_connection(void *arg)
{
    int fd = (int)(intptr_t)arg, one = 1;
    char request[4096], target[1024];
    size_t length = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (;;) {
        ssize_t got = recv(fd, request + length, sizeof request - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        request[length] = 0;
        char *end = strstr(request, "\r\n\r\n");
        if (!end && length == sizeof request - 1)
            break;
        if (!end)
            continue;
        if (sscanf(request, "GET %1023s HTTP/1.1", target) != 1 || !answer(fd, target))
            break;
        length -= (size_t)(end + 4 - request);
        memmove(request, end + 4, length);
    }
    close(fd);
    return NULL;
}

static void *accept_connections(void *arg)
{
    int listener = (int)(intptr_t)arg, fd;
    pthread_t thread;
    while ((fd = accept(listener, NULL, NULL)) >= 0)
        if (!cp_thread_start(&thread, "net", serve_connection, (void *)(intptr_t)fd))
            pthread_detach(thread);
    return NULL;
}

/* Feeds the loop in real time until the end of SECONDS or of the child. */
static int feed_until(int64_t end_ns, pid_t child)
{
    int64_t start_ns = cp_clock_now_ns(), first = feed.frame;
    int status = 0;
    while (cp_clock_now_ns() < end_ns) {
        rig_feed(&feed, feed.frame + 1);
        cp_clock_sleep_until_ns(start_ns + (feed.frame - first) * CP_NS_PER_S / CP_FRAME_HZ);
        if (child && waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    if (!child)
        return 0;
    kill(child, SIGTERM);
    fprintf(stderr, "the command took too long\n");
    return 1;
}

static pid_t run(char **command, char *url)
{
    pid_t child = fork();
    if (child)
        return child;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (char **argument = command; *argument; argument++)
        if (!strcmp(*argument, "{}"))
            *argument = url;
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int n_args, char **args)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t acceptor;
    char url[64];
    if (n_args < 2) {
        fprintf(stderr, "usage: %s SECONDS [COMMAND ARGUMENT...]\n", args[0]);
        return 2;
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("listen");
        return 1;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hls/index.m3u8", ntohs(address.sin_port));
    rig_make_loop();
    hls = rig_create(10, true);
    feed = (struct feed){.hls = hls};
    rig_set_wall_ns(cp_clock_wall_ns() - 30 * CP_NS_PER_S);
    rig_feed(&feed, 30 * CP_FRAME_HZ); /* a window full of the past */
    if (cp_thread_start(&acceptor, "accept", accept_connections, (void *)(intptr_t)listener))
        return 1;
    printf("%s\n", url);
    fflush(stdout);
    pid_t child = n_args > 2 ? run(args + 2, url) : 0;
    int status = feed_until(cp_clock_now_ns() + atoi(args[1]) * CP_NS_PER_S, child);
    fflush(stdout);
    _exit(status); /* connections may still wait: the process ends them */
}
