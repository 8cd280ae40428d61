#include "deliver/webrtc/outbox.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h, since 4.18 */
#endif

#define MESSAGES      32
#define MAX_SEGMENTS  32 /* the kernel allows 64 */
#define MESSAGE_BYTES (MAX_SEGMENTS * 1280)
#define CONTROL_BYTES (CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(struct in6_pktinfo)))

struct message {
    const struct cp_path *path;
    size_t bytes, segment, last; /* last: size of the packet added last */
    int packets;
    bool ended; /* its last packet is shorter than the others: nothing may follow */
    struct iovec iov;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
};

struct cp_outbox {
    int fd, n, max_segments;
    struct cp_outbox_stats stats;
    struct message messages[MESSAGES];
    struct mmsghdr headers[MESSAGES];
    uint8_t *bytes; /* MESSAGES * MESSAGE_BYTES */
};

struct cp_outbox *cp_outbox_create(int fd)
{
    struct cp_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox || !(outbox->bytes = aligned_alloc(64, (size_t)MESSAGES * MESSAGE_BYTES))) {
        free(outbox);
        return NULL;
    }
    int segment = 0;
    socklen_t size = sizeof segment;
    outbox->fd = fd;
    outbox->max_segments = getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &size) == 0 ? MAX_SEGMENTS : 1;
    return outbox;
}

void cp_outbox_destroy(struct cp_outbox *outbox)
{
    if (!outbox)
        return;
    free(outbox->bytes);
    free(outbox);
}

static struct message *open_message(struct cp_outbox *outbox, const struct cp_path *path, size_t length)
{
    struct message *last = outbox->n ? &outbox->messages[outbox->n - 1] : NULL;
    if (last && last->path == path && !last->ended && length <= last->segment &&
        last->packets < outbox->max_segments && last->bytes + length <= MESSAGE_BYTES)
        return last;
    if (outbox->n == MESSAGES)
        cp_outbox_flush(outbox);
    struct message *message = &outbox->messages[outbox->n++];
    message->path = path;
    message->bytes = 0;
    message->packets = 0;
    message->segment = length;
    message->ended = false;
    return message;
}

uint8_t *cp_outbox_add(struct cp_outbox *outbox, const struct cp_path *path, size_t length)
{
    struct message *message = open_message(outbox, path, length);
    size_t slot = (size_t)(message - outbox->messages);
    uint8_t *room = outbox->bytes + slot * MESSAGE_BYTES + message->bytes;
    message->ended = length < message->segment;
    message->bytes += length;
    message->last = length;
    message->packets++;
    return room;
}

void cp_outbox_undo(struct cp_outbox *outbox)
{
    struct message *message = &outbox->messages[outbox->n - 1];
    message->bytes -= message->last;
    message->ended = true; /* `last` is of no use any more */
    if (--message->packets == 0)
        outbox->n--;
}

static void add_control(struct msghdr *header, int level, int type, const void *data, size_t length)
{
    struct cmsghdr *control = (struct cmsghdr *)((uint8_t *)header->msg_control + header->msg_controllen);
    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(control), data, length);
    header->msg_controllen += CMSG_SPACE(length);
}

static void write_header(struct cp_outbox *outbox, int i)
{
    struct message *message = &outbox->messages[i];
    const struct cp_path *path = message->path;
    message->iov = (struct iovec){outbox->bytes + (size_t)i * MESSAGE_BYTES, message->bytes};
    outbox->headers[i].msg_hdr = (struct msghdr){.msg_name = (void *)&path->to.any,
                                                 .msg_namelen = path->to.length,
                                                 .msg_iov = &message->iov,
                                                 .msg_iovlen = 1,
                                                 .msg_control = message->control};
    struct msghdr *header = &outbox->headers[i].msg_hdr;
    if (message->packets > 1) {
        uint16_t segment = (uint16_t)message->segment;
        add_control(header, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    }
    if (path->has_from && path->to.any.sa_family == AF_INET) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, path->from.s6_addr + 12, 4);
        add_control(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else if (path->has_from) {
        struct in6_pktinfo info = {.ipi6_addr = path->from};
        add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    if (!header->msg_controllen)
        header->msg_control = NULL;
}

/* A network driver without checksum offload refuses segments (EIO): the packets go one by one, by the address
 * of ours that the kernel chooses. */
static void send_alone(struct cp_outbox *outbox, const struct message *message, const struct msghdr *header)
{
    struct iovec iov = message->iov;
    struct msghdr alone = {
        .msg_name = header->msg_name, .msg_namelen = header->msg_namelen, .msg_iov = &iov, .msg_iovlen = 1};
    for (size_t at = 0; at < message->bytes; at += message->segment) {
        size_t left = message->bytes - at;
        iov.iov_base = (uint8_t *)message->iov.iov_base + at;
        iov.iov_len = left < message->segment ? left : message->segment;
        bool sent = sendmsg(outbox->fd, &alone, MSG_DONTWAIT) >= 0;
        outbox->stats.packets += sent;
        outbox->stats.errors += !sent;
        outbox->stats.bytes += sent ? iov.iov_len : 0;
    }
}

void cp_outbox_flush(struct cp_outbox *outbox)
{
    for (int i = 0; i < outbox->n; i++)
        write_header(outbox, i);
    for (int i = 0; i < outbox->n;) {
        int sent = sendmmsg(outbox->fd, outbox->headers + i, (unsigned)(outbox->n - i), MSG_DONTWAIT);
        for (int end = i + (sent > 0 ? sent : 0); i < end; i++) {
            outbox->stats.packets += (uint64_t)outbox->messages[i].packets;
            outbox->stats.bytes += outbox->messages[i].bytes;
        }
        if (sent > 0 || errno == EINTR)
            continue;
        const struct message *message = &outbox->messages[i];
        if (message->packets > 1 && (errno == EIO || errno == EINVAL)) {
            if (errno == EIO) /* EINVAL is about this message: a path of small packets, say */
                outbox->max_segments = 1;
            send_alone(outbox, message, &outbox->headers[i].msg_hdr);
        } else { /* lost, as it could be on the way; when the socket is full the next ones will be as well */
            outbox->stats.errors += (uint64_t)message->packets;
        }
        i++;
    }
    outbox->n = 0;
}

struct cp_outbox_stats cp_outbox_stats(const struct cp_outbox *outbox)
{
    return outbox->stats;
}

void cp_outbox_no_segments(struct cp_outbox *outbox)
{
    outbox->max_segments = 1;
}
