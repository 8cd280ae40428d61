/*
 * A WHEP server with a looping clip, to look at the webrtc stage by hand in a browser:
 *
 *   ffmpeg -f lavfi -i testsrc2=size=1280x720:rate=30 -t 10 -c:v libx264 -profile:v baseline -preset
 * superfast \ -tune zerolatency -g 60 -b:v 1500k -bsf:v h264_metadata=aud=insert -f h264 clip.h264
 *   build/test/unit/webrtc/whep_demo 8080 127.0.0.1:8189 clip.h264 test/mock/webrtc/watch.html
 *
 * Sound is a tone of 440 Hz, coded here. Prints statistics each second.
 */
#include "base/clock.h"
#include "base/thread.h"
#include "deliver/webrtc/webrtc.h"

#include <math.h>
#include <microhttpd.h>
#include <opus/opus.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES       4096
#define MAX_FRAME_BYTES  300000
#define OPUS_SAMPLES     960
#define MAX_REQUEST_BODY 65536

static struct {
    uint8_t *bytes;
    size_t start[MAX_FRAMES + 1];
    bool key[MAX_FRAMES];
    int n;
} clip;

static struct cp_webrtc *webrtc;
static struct cp_webrtc_stream *stream;
static atomic_bool idr_wanted;
static atomic_int sent;
static const char *page;

static void on_viewer(void *user, const char *session, bool joined)
{
    printf("viewer %.12s %s\n", session, joined ? "joined" : "left");
}

static void on_want_idr(void *user)
{
    atomic_store(&idr_wanted, true);
}

static void on_sent(void *user, const struct cp_packet *packet, int64_t at_ns)
{
    atomic_fetch_add(&sent, 1);
}

static uint8_t *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    *ret_length = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = calloc(1, *ret_length + 1);
    if (fread(bytes, 1, *ret_length, file) != *ret_length)
        exit(1);
    fclose(file);
    return bytes;
}

/* Access units start at their delimiters (NAL type 9). */
static void load_clip(const char *path)
{
    size_t length;
    clip.bytes = read_file(path, &length);
    for (size_t i = 0; i + 4 < length && clip.n < MAX_FRAMES; i++) {
        if (memcmp(clip.bytes + i, "\0\0\1", 3))
            continue;
        int type = clip.bytes[i + 3] & 31;
        if (type == 9)
            clip.start[clip.n++] = i;
        else if (type == 5 && clip.n)
            clip.key[clip.n - 1] = true;
    }
    clip.start[clip.n] = length;
}

static void push(struct cp_pool *pool, enum cp_codec codec, const void *bytes, size_t length, bool key,
                 int64_t at_samples, int64_t wall_ns)
{
    struct cp_packet *packet = cp_packet_get(pool);
    if (!packet || length > packet->capacity_bytes)
        return;
    packet->codec = codec;
    packet->key = key;
    packet->at_samples = at_samples;
    packet->captured_wall_ns = wall_ns;
    packet->length_bytes = length;
    memcpy(packet->data, bytes, length);
    cp_webrtc_push(stream, packet);
    cp_ref_drop(packet);
}

static void *play_video(void *arg)
{
    struct cp_pool *pool = cp_packet_pool_create(MAX_FRAME_BYTES, 64);
    int64_t start_ns = ((int64_t *)arg)[0], start_wall_ns = ((int64_t *)arg)[1];
    int frame = 0;
    for (int64_t n = 0;; n++) {
        int64_t after_ns = n * CP_NS_PER_S / CP_FRAME_HZ;
        cp_clock_sleep_until_ns(start_ns + after_ns);
        if (atomic_exchange(&idr_wanted, false))
            while (!clip.key[frame % clip.n])
                frame++;
        frame %= clip.n;
        push(pool, CP_CODEC_H264, clip.bytes + clip.start[frame], clip.start[frame + 1] - clip.start[frame],
             clip.key[frame], n * CP_SAMPLES_PER_FRAME, start_wall_ns + after_ns);
        frame++;
    }
    return NULL;
}

static void *play_audio(void *arg)
{
    struct cp_pool *pool = cp_packet_pool_create(1500, 256);
    int64_t start_ns = ((int64_t *)arg)[0], start_wall_ns = ((int64_t *)arg)[1];
    OpusEncoder *opus = opus_encoder_create(CP_SAMPLE_HZ, 1, OPUS_APPLICATION_AUDIO, NULL);
    int16_t pcm[OPUS_SAMPLES];
    uint8_t bytes[1500];
    for (int64_t n = 0;; n++) {
        for (int i = 0; i < OPUS_SAMPLES; i++)
            pcm[i] = (int16_t)(8000 * sin((double)(n * OPUS_SAMPLES + i) * 2 * M_PI * 440 / CP_SAMPLE_HZ));
        int64_t after_ns = n * OPUS_SAMPLES * CP_NS_PER_S / CP_SAMPLE_HZ;
        cp_clock_sleep_until_ns(start_ns + after_ns);
        int length = opus_encode(opus, pcm, OPUS_SAMPLES, bytes, sizeof bytes);
        if (length > 0)
            push(pool, CP_CODEC_OPUS, bytes, (size_t)length, true, n * OPUS_SAMPLES,
                 start_wall_ns + after_ns);
    }
    return NULL;
}

/* --- HTTP --- */

struct request {
    size_t length;
    char body[MAX_REQUEST_BODY];
};

static enum MHD_Result reply(struct MHD_Connection *connection, int status, const char *type,
                             const char *text, const char *location)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    if (type)
        MHD_add_response_header(response, "Content-Type", type);
    if (location)
        MHD_add_response_header(response, "Location", location);
    MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
    MHD_add_response_header(response, "Access-Control-Allow-Headers", "*");
    MHD_add_response_header(response, "Access-Control-Expose-Headers", "Location");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(struct MHD_Connection *connection, const char *method, const char *url,
                              const struct request *request)
{
    char text[8192] = "", session[CP_WEBRTC_SESSION_BYTES], location[64];
    struct cp_error error = {0};
    const char *last = strrchr(url, '/') + 1;
    if (!strcmp(method, "POST")) {
        if (cp_webrtc_offer(stream, request->body, request->length, text, sizeof text, session, &error)) {
            printf("offer refused: %s\n", error.text);
            return reply(connection, 400, "text/plain", error.text, NULL);
        }
        snprintf(location, sizeof location, "/whep/%s", session);
        return reply(connection, 201, "application/sdp", text, location);
    }
    if (!strcmp(method, "PATCH")) {
        int err = cp_webrtc_patch(webrtc, last, request->body, request->length, text, sizeof text, &error);
        return reply(connection,
                     err     ? 400
                     : *text ? 200
                             : 204,
                     "application/trickle-ice-sdpfrag", text, NULL);
    }
    if (!strcmp(method, "DELETE"))
        return reply(connection, cp_webrtc_delete(webrtc, last, &error) ? 404 : 200, NULL, "", NULL);
    if (!strcmp(method, "OPTIONS"))
        return reply(connection, 204, NULL, "", NULL);
    return reply(connection, 200, "text/html", page, NULL);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *length,
                                  void **context)
{
    struct request *request = *context;
    if (!request) {
        *context = request = calloc(1, sizeof *request);
        return request ? MHD_YES : MHD_NO;
    }
    if (*length) {
        if (*length > sizeof request->body - request->length)
            return MHD_NO;
        memcpy(request->body + request->length, data, *length);
        request->length += *length;
        *length = 0;
        return MHD_YES;
    }
    return answer(connection, method, url, request);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    free(*context);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s HTTP_PORT UDP_ADDRESS:PORT CLIP.h264 PAGE.html\n", argv[0]);
        return 2;
    }
    size_t length;
    struct cp_webrtc_config config = {.max_viewers = 1000, .idle_s = 20};
    struct cp_webrtc_events events = {on_viewer, on_want_idr, on_sent};
    struct cp_error error;
    snprintf(config.listen, sizeof config.listen, "%s", argv[2]);
    load_clip(argv[3]);
    page = (const char *)read_file(argv[4], &length);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (cp_webrtc_create(&config, &webrtc, &error) ||
        cp_webrtc_stream_create(webrtc, &events, NULL, &stream, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, (uint16_t)atoi(argv[1]), NULL, NULL, on_request,
                         NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "cannot serve HTTP on port %s\n", argv[1]);
        return 1;
    }
    int64_t start[2] = {cp_clock_now_ns(), cp_clock_wall_ns()};
    pthread_t threads[2];
    cp_thread_start(&threads[0], "venc", play_video, start);
    cp_thread_start(&threads[1], "aenc", play_audio, start);
    for (int64_t second = 1;; second++) {
        cp_clock_sleep_until_ns(start[0] + second * CP_NS_PER_S);
        struct cp_webrtc_stats s = cp_webrtc_stats(webrtc, NULL);
        printf("viewers=%d connecting=%d packets=%llu kbytes=%llu sent=%d nacks=%llu again=%llu plis=%llu "
               "failed=%llu srtp_failures=%llu refused=%llu errors=%llu loss=%.3f\n",
               s.viewers, s.connecting, (unsigned long long)s.packets_sent,
               (unsigned long long)s.bytes_sent / 1000, atomic_load(&sent), (unsigned long long)s.nacks,
               (unsigned long long)s.retransmitted, (unsigned long long)s.plis,
               (unsigned long long)s.handshake_failures, (unsigned long long)s.srtp_failures,
               (unsigned long long)s.stun_refused, (unsigned long long)s.send_errors, s.loss_fraction_max);
    }
}
