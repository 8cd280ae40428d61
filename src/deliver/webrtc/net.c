#include "base/clock.h"
#include "base/thread.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/webrtc_int.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STAGE             "webrtc"
#define RECEIVE_BATCH     32
#define COMMANDS          64
#define HANDED_DATAGRAMS  256
#define SOCKET_SEND_BYTES (4 << 20)
#define SOCKET_RECV_BYTES (2 << 20)
#define FORWARD_IDLE_NS   (60 * CP_NS_PER_S)

/* Lives on the stack of the caller, who waits for `done`. */
struct command {
    void (*run)(struct cp_net *net, void *arg);
    void *arg;
    sem_t done;
};

struct receive_buffers {
    struct mmsghdr headers[RECEIVE_BATCH];
    struct iovec iov[RECEIVE_BATCH];
    struct cp_datagram datagrams[RECEIVE_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[RECEIVE_BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* --- from other threads --- */

void cp_net_wake(struct cp_net *net)
{
    uint64_t one = 1;
    while (write(net->event_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void cp_net_run(struct cp_net *net, void (*run)(struct cp_net *net, void *arg), void *arg)
{
    struct command command = {.run = run, .arg = arg};
    sem_init(&command.done, 0, 0);
    if (cp_queue_push(net->commands, &command)) {
        cp_net_wake(net);
        while (sem_wait(&command.done) && errno == EINTR) {
        }
    }
    sem_destroy(&command.done);
}

void cp_net_password(const struct cp_webrtc *webrtc, const char *ufrag, char ret_pwd[CP_PWD_BYTES])
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = sizeof mac;
    HMAC(EVP_sha256(), webrtc->secret, sizeof webrtc->secret, (const uint8_t *)ufrag, strlen(ufrag), mac, &n);
    for (int i = 0; i < 16; i++)
        snprintf(ret_pwd + 2 * i, 3, "%02x", mac[i]);
}

bool cp_net_read_place(const char *text, size_t length, int *ret_net, int *ret_slot)
{
    unsigned long place = 0;
    if (length < 8)
        return false;
    for (int i = 0; i < 8; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        place = place << 4 | (unsigned long)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret_net = (int)(place >> 24);
    *ret_slot = (int)(place & 0xffffff);
    return true;
}

/* --- routes: who is behind an address? --- */

static struct cp_route **bucket_of(struct cp_net *net, const struct cp_address *from)
{
    return &net->buckets[cp_address_hash(from) & net->bucket_mask];
}

static struct cp_route *find_route(struct cp_net *net, const struct cp_address *from)
{
    struct cp_route *route = *bucket_of(net, from);
    while (route && !cp_address_equal(&route->from, from))
        route = route->next;
    return route;
}

void cp_net_route_remove(struct cp_net *net, struct cp_route *route)
{
    if (!route->from.length)
        return;
    for (struct cp_route **at = bucket_of(net, &route->from); *at; at = &(*at)->next) {
        if (*at == route) {
            *at = route->next;
            break;
        }
    }
    route->from.length = 0;
}

static void free_forward(struct cp_net *net, struct cp_route *route)
{
    cp_net_route_remove(net, route);
    route->next = net->free_forwards;
    net->free_forwards = route;
}

void cp_net_route_add(struct cp_net *net, struct cp_route *route)
{
    /* One address, one viewer: the latest that proved to be there (a browser may use its port again). */
    struct cp_route *old = find_route(net, &route->from);
    if (old && old->viewer)
        cp_net_route_remove(net, old);
    else if (old)
        free_forward(net, old);
    struct cp_route **bucket = bucket_of(net, &route->from);
    route->next = *bucket;
    *bucket = route;
}

static void add_forward(struct cp_net *net, const struct cp_address *from, int owner, int64_t now_ns)
{
    struct cp_route *route = find_route(net, from);
    if (route && !route->viewer) {
        route->owner = owner;
        route->used_ns = now_ns;
        return;
    }
    route = net->free_forwards;
    if (!route)
        return; /* bounded; the viewer's checks go on and find room later */
    net->free_forwards = route->next;
    *route = (struct cp_route){.from = *from, .owner = owner, .used_ns = now_ns};
    cp_net_route_add(net, route);
}

static void drop_idle_forwards(struct cp_net *net, int64_t now_ns)
{
    for (int i = 0; i < net->n_forwards; i++)
        if (net->forwards[i].from.length && now_ns - net->forwards[i].used_ns > FORWARD_IDLE_NS)
            free_forward(net, &net->forwards[i]);
}

/* --- datagrams --- */

/* The kernel chose our socket by address; the viewer lives on another thread. */
static void hand_over(struct cp_net *net, int owner, const struct cp_datagram *datagram)
{
    struct cp_net *to = &net->webrtc->nets[owner];
    struct cp_datagram *copy = cp_pool_get(net->datagrams);
    if (!copy)
        return; /* bounded: as if lost on the way */
    copy->path = datagram->path;
    copy->length = datagram->length;
    copy->pool = net->datagrams;
    memcpy(copy->data, datagram->data, datagram->length);
    if (cp_ring_push(to->handed[net->number], copy))
        cp_net_wake(to);
    else
        cp_pool_put(copy->pool, copy);
}

static struct cp_viewer *viewer_at(struct cp_net *net, int slot)
{
    return slot < net->capacity ? net->viewers[slot] : NULL;
}

static void on_stun(struct cp_net *net, const struct cp_datagram *datagram)
{
    struct cp_stun_message message;
    char ufrag[CP_UFRAG_BYTES], pwd[CP_PWD_BYTES];
    int owner, slot;
    if (cp_stun_parse(datagram->data, datagram->length, &message))
        goto refused;
    if (message.type != CP_STUN_BINDING_REQUEST)
        return; /* indications keep a NAT open and need no answer; we ask nothing, so answers are not ours */
    const char *colon = message.username ? memchr(message.username, ':', message.username_bytes) : NULL;
    size_t length = colon ? (size_t)(colon - message.username) : 0;
    if (!length || length >= sizeof ufrag || !cp_net_read_place(message.username, length, &owner, &slot) ||
        owner >= net->webrtc->n_nets)
        goto refused;
    memcpy(ufrag, message.username, length);
    ufrag[length] = 0;
    cp_net_password(net->webrtc, ufrag, pwd);
    /* Without the password there is no answer at all: nothing to amplify, nothing to find out. */
    if (!cp_stun_authentic(datagram->data, &message, pwd))
        goto refused;
    if (owner != net->number) {
        add_forward(net, &datagram->path.to, owner, cp_clock_now_ns());
        hand_over(net, owner, datagram);
        return;
    }
    struct cp_viewer *viewer = viewer_at(net, slot);
    if (viewer) {
        cp_viewer_stun(net, viewer, &message, &datagram->path);
        return;
    }
refused:
    cp_count(&net->counters.stun_refused, 1);
}

/* RFC 7983: what a datagram is follows from its first byte. */
static void on_datagram(struct cp_net *net, struct cp_datagram *datagram)
{
    if (datagram->length < 2)
        return;
    uint8_t first = datagram->data[0];
    if (first < 4) {
        on_stun(net, datagram);
        return;
    }
    struct cp_route *route = find_route(net, &datagram->path.to);
    if (!route)
        return;
    if (!route->viewer) {
        route->used_ns = cp_clock_now_ns();
        hand_over(net, route->owner, datagram);
    } else if (first >= 20 && first < 64) {
        cp_viewer_dtls(net, route->viewer, datagram->data, datagram->length);
    } else if (first >= 128 && first < 192 && datagram->data[1] >= 192 && datagram->data[1] < 224) {
        cp_viewer_rtcp(net, route->viewer, datagram->data, datagram->length); /* RFC 5761 section 4 */
    }
}

static void read_control(struct msghdr *header, struct cp_path *path)
{
    path->has_from = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            path->from = info.ipi6_addr;
            path->has_from = true;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
                   path->to.any.sa_family == AF_INET) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memset(&path->from, 0, sizeof path->from);
            path->from.s6_addr[10] = path->from.s6_addr[11] = 0xff;
            memcpy(path->from.s6_addr + 12, &info.ipi_addr, 4);
            path->has_from = true;
        }
    }
}

/* Takes at most one batch, so that media never waits long behind a crowd that joins. */
static bool receive(struct cp_net *net)
{
    struct receive_buffers *in = net->receive;
    for (int i = 0; i < RECEIVE_BATCH; i++) {
        struct cp_datagram *datagram = &in->datagrams[i];
        in->iov[i] = (struct iovec){datagram->data, sizeof datagram->data};
        in->headers[i].msg_hdr = (struct msghdr){.msg_name = &datagram->path.to.any,
                                                 .msg_namelen = sizeof(struct sockaddr_in6),
                                                 .msg_iov = &in->iov[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = in->control[i],
                                                 .msg_controllen = sizeof in->control[i]};
    }
    int n = recvmmsg(net->fd, in->headers, RECEIVE_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct cp_datagram *datagram = &in->datagrams[i];
        struct msghdr *header = &in->headers[i].msg_hdr;
        if (header->msg_flags & MSG_TRUNC)
            continue;
        datagram->length = in->headers[i].msg_len;
        datagram->path.to.length = header->msg_namelen;
        read_control(header, &datagram->path);
        on_datagram(net, datagram);
    }
    return n == RECEIVE_BATCH;
}

static void receive_handed(struct cp_net *net)
{
    for (int i = 0; i < net->webrtc->n_nets; i++) {
        struct cp_datagram *datagram;
        while (i != net->number && (datagram = cp_ring_pop(net->handed[i]))) {
            on_datagram(net, datagram);
            cp_pool_put(datagram->pool, datagram);
        }
    }
}

/* --- the loop --- */

static void tick(struct cp_net *net, int64_t now_ns)
{
    unsigned stripe = net->tick++ % CP_NET_TICKS_A_SECOND;
    net->next_tick_ns = now_ns + CP_NET_TICK_NS;
    /* Once a second for each viewer, a part of them with each tick. */
    for (int slot = (int)stripe; slot < net->capacity; slot += CP_NET_TICKS_A_SECOND)
        if (net->viewers[slot])
            cp_viewer_tick_second(net, net->viewers[slot], now_ns);
    for (int slot = 0; net->connecting && slot < net->capacity; slot++)
        if (net->viewers[slot])
            cp_viewer_tick_connecting(net, net->viewers[slot], now_ns);
    if (stripe)
        return;
    drop_idle_forwards(net, now_ns);
    for (int i = 0; i < net->n_lanes; i++) {
        atomic_store_explicit(&net->lanes[i]->last_worst_loss, net->lanes[i]->worst_loss,
                              memory_order_relaxed);
        atomic_store_explicit(&net->lanes[i]->last_worst_trip_us, net->lanes[i]->worst_trip_us,
                              memory_order_relaxed);
        net->lanes[i]->worst_loss = 0;
        net->lanes[i]->worst_trip_us = 0;
    }
}

static void run_commands(struct cp_net *net)
{
    struct command *command;
    while ((command = cp_queue_pop(net->commands, 0))) {
        command->run(net, command->arg);
        cp_outbox_flush(net->outbox);
        sem_post(&command->done);
    }
}

static void wait_for_work(struct cp_net *net, bool more)
{
    struct epoll_event events[2];
    int64_t left = net->next_tick_ns - cp_clock_now_ns();
    int wait_ms = more || left <= 0 ? 0 : (int)((left + CP_NS_PER_MS - 1) / CP_NS_PER_MS);
    int n = epoll_wait(net->epoll_fd, events, 2, wait_ms);
    for (int i = 0; i < n; i++) {
        uint64_t count;
        if (events[i].data.fd == net->event_fd && read(net->event_fd, &count, sizeof count) < 0)
            continue;
    }
}

static void *run(void *arg)
{
    struct cp_net *net = arg;
    bool more = false;
    net->next_tick_ns = cp_clock_now_ns() + CP_NET_TICK_NS;
    while (!atomic_load(&net->quit)) {
        wait_for_work(net, more);
        run_commands(net);
        for (int i = 0; i < net->n_lanes; i++)
            cp_fanout_lane(net, net->lanes[i]);
        more = receive(net);
        receive_handed(net);
        int64_t now_ns = cp_clock_now_ns();
        if (now_ns >= net->next_tick_ns)
            tick(net, now_ns);
        cp_outbox_flush(net->outbox);
    }
    return NULL;
}

/* --- opening and closing --- */

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

static int open_socket(struct cp_net *net, struct cp_error *error)
{
    struct cp_webrtc *webrtc = net->webrtc;
    int family = webrtc->listen.any.sa_family;
    char ip[CP_ADDRESS_TEXT_BYTES];
    net->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (net->fd < 0)
        return cp_fail(error, CP_ERR_IO, STAGE, "cannot open a UDP socket: %s", strerror(errno));
    /* Only when there is more than one: else a second server on the same port would go unnoticed. */
    if (webrtc->n_nets > 1)
        set_option(net->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    set_option(net->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_SEND_BYTES);
    set_option(net->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_RECV_BYTES);
    /* Our packets fit everywhere: do not let the kernel think about fragments. */
    set_option(net->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    if (family == AF_INET6) {
        set_option(net->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        set_option(net->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (cp_address_is_wildcard(&webrtc->listen)) /* answer from the address that was asked */
        set_option(net->fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   family == AF_INET6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
    if (bind(net->fd, &webrtc->listen.any, webrtc->listen.length)) {
        cp_address_text(&webrtc->listen, ip);
        return cp_fail(error, CP_ERR_IO, STAGE,
                       "cannot listen on UDP %s port %u: %s. Choose another with --webrtc-listen", ip,
                       cp_address_port(&webrtc->listen), strerror(errno));
    }
    socklen_t length = sizeof webrtc->listen.v6;
    getsockname(net->fd, &webrtc->listen.any, &length); /* port 0: the others take what the first got */
    return 0;
}

static bool watch(struct cp_net *net, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return !epoll_ctl(net->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void put_datagram(void *item)
{
    cp_pool_put(((struct cp_datagram *)item)->pool, item);
}

static bool allocate(struct cp_net *net, int capacity)
{
    uint32_t buckets = 64;
    while (buckets < (uint32_t)capacity * 2)
        buckets *= 2;
    net->capacity = capacity;
    net->bucket_mask = buckets - 1;
    net->viewers = calloc((size_t)capacity, sizeof(struct cp_viewer *));
    net->free_slots = calloc((size_t)capacity, sizeof(int));
    net->buckets = calloc(buckets, sizeof(struct cp_route *));
    net->receive = calloc(1, sizeof *net->receive);
    net->commands = cp_queue_create("webrtc", COMMANDS, CP_FULL_WAIT, NULL);
    if (!net->viewers || !net->free_slots || !net->buckets || !net->receive || !net->commands)
        return false;
    for (int i = 0; i < capacity; i++) /* low slots first */
        net->free_slots[net->n_free_slots++] = capacity - 1 - i;
    if (net->webrtc->n_nets == 1)
        return true;
    net->n_forwards = 2 * capacity + 64;
    net->forwards = calloc((size_t)net->n_forwards, sizeof *net->forwards);
    net->datagrams = cp_pool_create(sizeof(struct cp_datagram), HANDED_DATAGRAMS);
    if (!net->forwards || !net->datagrams)
        return false;
    for (int i = 0; i < net->n_forwards; i++)
        free_forward(net, &net->forwards[i]);
    for (int i = 0; i < net->webrtc->n_nets; i++)
        if (i != net->number && !(net->handed[i] = cp_ring_create(HANDED_DATAGRAMS, put_datagram)))
            return false;
    return true;
}

int cp_net_open(struct cp_net *net, struct cp_webrtc *webrtc, int number, int capacity,
                struct cp_error *error)
{
    net->webrtc = webrtc;
    net->number = number;
    net->fd = -1;
    net->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    net->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int err = open_socket(net, error);
    if (err)
        return err;
    if (net->event_fd < 0 || net->epoll_fd < 0 || !watch(net, net->fd) || !watch(net, net->event_fd))
        return cp_fail(error, CP_ERR_IO, STAGE, "cannot make epoll and eventfd: %s", strerror(errno));
    net->outbox = cp_outbox_create(net->fd);
    if (!net->outbox || !allocate(net, capacity))
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    return 0;
}

int cp_net_start(struct cp_net *net, struct cp_error *error)
{
    char name[16];
    snprintf(name, sizeof name, "net%d", net->number);
    int err = cp_thread_start(&net->thread, name, run, net);
    if (err)
        return cp_fail(error, err, STAGE, "cannot start the thread %s", name);
    net->running = true;
    return 0;
}

void cp_net_close(struct cp_net *net)
{
    if (!net->webrtc)
        return;
    if (net->running) {
        atomic_store(&net->quit, true);
        cp_net_wake(net);
        pthread_join(net->thread, NULL);
    }
    for (int i = 0; i < CP_NET_MAX_THREADS; i++)
        cp_ring_destroy(net->handed[i]);
    cp_queue_destroy(net->commands);
    cp_outbox_destroy(net->outbox);
    cp_pool_destroy(net->datagrams);
    free(net->forwards);
    free(net->receive);
    free(net->buckets);
    free(net->viewers);
    free(net->free_slots);
    int fds[] = {net->fd, net->event_fd, net->epoll_fd};
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

struct cp_viewer *cp_net_find_session(struct cp_net *net, const char *session)
{
    int number, slot;
    if (!cp_net_read_place(session, strlen(session), &number, &slot) || number != net->number)
        return NULL;
    struct cp_viewer *viewer = viewer_at(net, slot);
    return viewer && !strcmp(viewer->session, session) ? viewer : NULL;
}
