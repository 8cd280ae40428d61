/*
 * What one encoded stream to N viewers costs: CPU time of the net threads, in core-milliseconds a second.
 *
 *   bench_fanout [VIEWERS=1000] [KBPS=1000] [SECONDS=5] [THREADS=1]
 *
 * The viewers really join (ICE, DTLS, SRTP keys of their own); then a socket filter throws away what they
 * are sent, so that the receiving side costs next to nothing.
 */
#include "base/clock.h"
#include "base/thread.h"
#include "deliver/webrtc/webrtc_int.h"
#include "mock/webrtc/client.h"

#include <linux/filter.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static atomic_bool idr_wanted;
static atomic_llong sent_late_ns, sent_late_max_ns, sent_packets;

static void on_want_idr(void *user)
{
    atomic_store(&idr_wanted, true);
}

static void on_sent(void *user, const struct cp_packet *packet, int64_t at_ns)
{
    int64_t late = at_ns - packet->stamps.at_ns[CP_STEP_ENCODED];
    if (packet->codec != CP_CODEC_H264)
        return;
    atomic_fetch_add(&sent_late_ns, late);
    atomic_fetch_add(&sent_packets, 1);
    if (late > atomic_load(&sent_late_max_ns))
        atomic_store(&sent_late_max_ns, late);
}

static int64_t net_cpu_ns(const struct cp_webrtc *webrtc)
{
    int64_t sum = 0;
    for (int i = 0; i < webrtc->n_nets; i++) {
        clockid_t id;
        struct timespec t;
        pthread_getcpuclockid(webrtc->nets[i].thread, &id);
        clock_gettime(id, &t);
        sum += t.tv_sec * CP_NS_PER_S + t.tv_nsec;
    }
    return sum;
}

static void push(struct cp_webrtc_stream *stream, struct cp_pool *pool, enum cp_codec codec, bool key,
                 int64_t at_samples, const uint8_t *bytes, size_t n)
{
    struct cp_packet *packet = cp_packet_get(pool);
    if (!packet)
        return;
    packet->codec = codec;
    packet->key = key;
    packet->at_samples = at_samples;
    packet->captured_wall_ns = cp_clock_wall_ns();
    packet->stamps.at_ns[CP_STEP_ENCODED] = cp_clock_now_ns();
    memcpy(packet->data, bytes, n);
    packet->length_bytes = n;
    cp_webrtc_push(stream, packet);
    cp_ref_drop(packet);
}

/* 30 frames and 50 packets of sound a second, for so many seconds. */
static void play(struct cp_webrtc_stream *stream, struct cp_pool *pool, int kbps, int seconds)
{
    static uint8_t frame[1 << 19], sound[80];
    static int64_t n_frames, n_sounds;
    size_t bytes = (size_t)kbps * 125 / 30;
    int64_t start = cp_clock_now_ns(), frames = 0, sounds = 0;
    while (frames < 30 * seconds) {
        int64_t frame_ns = start + frames * CP_NS_PER_S / 30, sound_ns = start + sounds * 20 * CP_NS_PER_MS;
        cp_clock_sleep_until_ns(frame_ns < sound_ns ? frame_ns : sound_ns);
        if (frame_ns <= sound_ns) {
            bool key = atomic_exchange(&idr_wanted, false);
            size_t n = client_make_frame(frame, key ? 4 * bytes : bytes, key, (unsigned)frames);
            push(stream, pool, CP_CODEC_H264, key, n_frames++ * CP_SAMPLES_PER_FRAME, frame, n);
            frames++;
        } else {
            push(stream, pool, CP_CODEC_OPUS, true, n_sounds++ * 960, sound, sizeof sound);
            sounds++;
        }
    }
}

static void join(struct cp_webrtc_stream *stream, struct client *client)
{
    static struct sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    static struct sock_fprog program = {1, drop};
    char answer[8192], session[CP_WEBRTC_SESSION_BYTES];
    const char *offer = client_offer(client);
    if (cp_webrtc_offer(stream, offer, strlen(offer), answer, sizeof answer, session, NULL) ||
        !client_take_answer(client, answer))
        abort();
    while (!client->connected) {
        client_poll(client);
        usleep(200);
    }
    setsockopt(client->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int main(int argc, char **argv)
{
    int viewers = argc > 1 ? atoi(argv[1]) : 1000, kbps = argc > 2 ? atoi(argv[2]) : 1000;
    int seconds = argc > 3 ? atoi(argv[3]) : 5, threads = argc > 4 ? atoi(argv[4]) : 1;
    struct rlimit files = {(rlim_t)viewers + 100, (rlim_t)viewers + 100};
    struct cp_webrtc_config config = {
        .listen = "127.0.0.1:0", .threads = threads, .max_viewers = viewers + threads, .idle_s = 3600};
    struct cp_webrtc_events events = {.want_idr = on_want_idr, .sent = on_sent};
    struct cp_webrtc *webrtc;
    struct cp_webrtc_stream *stream;
    setrlimit(RLIMIT_NOFILE, &files);
    if (!client_setup() || cp_webrtc_create(&config, &webrtc, NULL) ||
        cp_webrtc_stream_create(webrtc, &events, NULL, &stream, NULL))
        return 1;
    struct cp_pool *pool = cp_packet_pool_create(1 << 19, 64);
    int64_t begin = net_cpu_ns(webrtc);
    for (int i = 0; i < viewers; i++)
        join(stream, client_create(NULL));
    int64_t joined = net_cpu_ns(webrtc);
    play(stream, pool, kbps, 1); /* everybody gets a key frame */
    atomic_store(&sent_late_ns, 0);
    atomic_store(&sent_packets, 0);
    atomic_store(&sent_late_max_ns, 0);
    int64_t cpu = net_cpu_ns(webrtc), wall = cp_clock_now_ns();
    struct cp_webrtc_stats before = cp_webrtc_stats(webrtc, stream);
    play(stream, pool, kbps, seconds);
    double took = (double)(cp_clock_now_ns() - wall) / 1e9, used = (double)(net_cpu_ns(webrtc) - cpu) / 1e6;
    struct cp_webrtc_stats after = cp_webrtc_stats(webrtc, stream);
    double packets = (double)(after.packets_sent - before.packets_sent);
    printf("viewers %d, %d kbit/s, %d threads: %.0f core-ms a second, %.0f ns a packet, %.0f packets/s, "
           "%.0f Mbit/s; a frame is out after %.1f ms (worst %.1f); join %.0f us; errors %llu, behind %llu\n",
           after.viewers, kbps, threads, used / took, used * 1e6 / packets, packets / took,
           (double)(after.bytes_sent - before.bytes_sent) * 8e-6 / took,
           (double)atomic_load(&sent_late_ns) / 1e6 / (double)atomic_load(&sent_packets),
           (double)atomic_load(&sent_late_max_ns) / 1e6, (double)(joined - begin) / 1e3 / viewers,
           (unsigned long long)after.send_errors, (unsigned long long)after.dropped_behind);
    fflush(stdout);
    _exit(0); /* tearing so many mock viewers down would only take time */
}
