#include "deliver/webrtc/webrtc.h"

#include "base/clock.h"
#include "deliver/webrtc/webrtc_int.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGE "webrtc"

/* One net thread sends to about 5,000 viewers at 1 Mbit/s; half of that leaves room for spikes. */
#define VIEWERS_A_THREAD 2500

#define VIDEO_BATCHES 160 /* a second of history, and what waits in the rings */
#define AUDIO_BATCHES 256
#define VIDEO_RING    64
#define AUDIO_RING    64

/* A message costs what it costs, whatever its length. With many viewers a packet of sound waits up to a frame
 * for the next picture and goes out in its message; with few, 30 ms of waiting buy nothing. */
#define HOLD_SOUND_FROM 500

#define FIELD(name) offsetof(struct cp_webrtc_config, name)
const struct cp_option cp_webrtc_options[] = {
    {.name = "listen",
     .type = CP_OPTION_TEXT,
     .fallback = "127.0.0.1:8189",
     .help = "UDP address and port for all WebRTC viewers; 0.0.0.0:PORT or [::]:PORT for all addresses",
     .offset = FIELD(listen)},
    {.name = "public_address",
     .type = CP_OPTION_TEXT,
     .fallback = "",
     .help =
         "address that viewers are told to send to, when it is not the one listened on (NAT, containers); "
         "several with commas",
     .offset = FIELD(public_address)},
    {.name = "threads",
     .type = CP_OPTION_INT,
     .fallback = "0",
     .min = 0,
     .max = CP_NET_MAX_THREADS,
     .help = "threads that send to viewers; 0: one for every 2500 of max_viewers, at most one a core",
     .offset = FIELD(threads)},
    {.name = "max_viewers",
     .type = CP_OPTION_INT,
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .help = "WebRTC viewers of all channels together; more are refused and can watch by HLS",
     .offset = FIELD(max_viewers)},
    {.name = "idle_s",
     .type = CP_OPTION_INT,
     .fallback = "20",
     .min = 1,
     .max = 3600,
     .help = "a viewer that was not heard for so many seconds is dropped",
     .offset = FIELD(idle_s)},
};
const size_t cp_webrtc_n_options = sizeof cp_webrtc_options / sizeof cp_webrtc_options[0];

/* --- the server --- */

static int choose_candidates(struct cp_webrtc *webrtc, struct cp_error *error)
{
    struct cp_address *out = webrtc->candidates;
    int n = 0;
    if (*webrtc->config.public_address) {
        char list[CP_OPTION_TEXT_BYTES], *rest = NULL;
        snprintf(list, sizeof list, "%s", webrtc->config.public_address);
        for (char *host = strtok_r(list, ", ", &rest); host && n < CP_MAX_CANDIDATES;
             host = strtok_r(NULL, ", ", &rest)) {
            int err = cp_address_resolve(host, &out[n], error);
            if (err)
                return err;
            n++;
        }
    } else if (cp_address_is_wildcard(&webrtc->listen)) {
        n = cp_address_local(webrtc->listen.any.sa_family, out, CP_MAX_CANDIDATES);
    } else {
        out[n++] = webrtc->listen;
    }
    if (!n)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "no network address to offer to viewers: set webrtc public_address");
    for (int i = 0; i < n; i++)
        cp_address_set_port(&out[i], cp_address_port(&webrtc->listen));
    webrtc->n_candidates = n;
    return 0;
}

static int thread_count(const struct cp_webrtc_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t n = config->threads;
    if (n <= 0) {
        n = (config->max_viewers + VIEWERS_A_THREAD - 1) / VIEWERS_A_THREAD;
        n = n > cores ? cores : n;
    }
    return n < 1 ? 1 : n > CP_NET_MAX_THREADS ? CP_NET_MAX_THREADS : (int)n;
}

int cp_webrtc_create(const struct cp_webrtc_config *config, struct cp_webrtc **ret_webrtc,
                     struct cp_error *error)
{
    struct cp_webrtc *webrtc = calloc(1, sizeof *webrtc);
    if (!webrtc)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    webrtc->config = *config;
    pthread_mutex_init(&webrtc->lock, NULL);
    webrtc->n_nets = thread_count(config);
    webrtc->hold_sound_from = HOLD_SOUND_FROM;
    int capacity = (int)((config->max_viewers + webrtc->n_nets - 1) / webrtc->n_nets);
    int err = cp_address_parse(config->listen, &webrtc->listen, error);
    if (!err && RAND_bytes(webrtc->secret, sizeof webrtc->secret) != 1)
        err = cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "OpenSSL has no random numbers");
    if (!err && !(cp_srtp_suite_open(CP_SRTP_AEAD_AES_128_GCM, &webrtc->suites[CP_SUITE_GCM]) &&
                  cp_srtp_suite_open(CP_SRTP_AES_CM_SHA1_80, &webrtc->suites[CP_SUITE_CM])))
        err = cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "no SRTP cipher is usable on this machine");
    if (!err)
        err = cp_dtls_identity_create(&webrtc->identity, error);
    for (int i = 0; !err && i < webrtc->n_nets; i++)
        err = cp_net_open(&webrtc->nets[i], webrtc, i, capacity, error);
    if (!err)
        err = choose_candidates(webrtc, error);
    for (int i = 0; !err && i < webrtc->n_nets; i++)
        err = cp_net_start(&webrtc->nets[i], error);
    if (err) {
        cp_webrtc_destroy(webrtc);
        return err;
    }
    *ret_webrtc = webrtc;
    return 0;
}

void cp_webrtc_destroy(struct cp_webrtc *webrtc)
{
    if (!webrtc)
        return;
    while (webrtc->streams)
        cp_webrtc_stream_destroy(webrtc->streams);
    for (int i = 0; i < webrtc->n_nets; i++)
        cp_net_close(&webrtc->nets[i]);
    cp_dtls_identity_destroy(webrtc->identity);
    for (int i = 0; i < CP_SUITES; i++)
        cp_srtp_suite_close(&webrtc->suites[i]);
    pthread_mutex_destroy(&webrtc->lock);
    free(webrtc);
}

uint16_t cp_webrtc_port(const struct cp_webrtc *webrtc)
{
    return cp_address_port(&webrtc->listen);
}

/* --- streams --- */

static void drop_batch(void *item)
{
    cp_ref_drop(item);
}

static bool lane_open(struct cp_lane *lane, struct cp_webrtc_stream *stream, struct cp_net *net)
{
    lane->stream = stream;
    lane->net = net;
    lane->capacity = net->capacity;
    lane->viewers = calloc((size_t)net->capacity, sizeof(struct cp_viewer *));
    lane->rings[CP_TRACK_VIDEO] = cp_ring_create(VIDEO_RING, drop_batch);
    lane->rings[CP_TRACK_AUDIO] = cp_ring_create(AUDIO_RING, drop_batch);
    return lane->viewers && lane->rings[CP_TRACK_VIDEO] && lane->rings[CP_TRACK_AUDIO];
}

static void lane_close(struct cp_lane *lane)
{
    for (int i = 0; i < CP_TRACKS; i++) {
        cp_rtp_history_clear(&lane->history[i]);
        cp_ring_destroy(lane->rings[i]);
    }
    free(lane->viewers);
}

static void stream_free(struct cp_webrtc_stream *stream)
{
    for (int i = 0; stream->lanes && i < stream->webrtc->n_nets; i++)
        lane_close(&stream->lanes[i]);
    for (int i = 0; i < CP_TRACKS; i++)
        cp_pool_destroy(stream->pools[i]);
    free(stream->lanes);
    free(stream);
}

struct lane_command {
    struct cp_webrtc_stream *stream;
    bool failed;
};

/* thread: net */
static void lane_attach(struct cp_net *net, void *arg)
{
    struct lane_command *command = arg;
    if (net->n_lanes == CP_NET_MAX_LANES)
        command->failed = true;
    else
        net->lanes[net->n_lanes++] = &command->stream->lanes[net->number];
}

/* thread: net */
static void lane_detach(struct cp_net *net, void *arg)
{
    struct lane_command *command = arg;
    struct cp_lane *lane = &command->stream->lanes[net->number];
    cp_fanout_lane(net, lane);
    cp_fanout_release(net, lane); /* each packet is reported as sent, the last ones too */
    for (int slot = 0; slot < net->capacity; slot++)
        if (net->viewers[slot] && net->viewers[slot]->lane == lane)
            cp_viewer_leave(net, net->viewers[slot], true);
    for (int i = 0; i < net->n_lanes; i++) {
        if (net->lanes[i] == lane) {
            net->lanes[i] = net->lanes[--net->n_lanes];
            break;
        }
    }
}

int cp_webrtc_stream_create(struct cp_webrtc *webrtc, const struct cp_webrtc_events *events, void *user,
                            struct cp_webrtc_stream **ret_stream, struct cp_error *error)
{
    struct cp_webrtc_stream *stream = calloc(1, sizeof *stream);
    uint32_t random[4];
    if (!stream || RAND_bytes((uint8_t *)random, sizeof random) != 1) {
        free(stream);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    }
    stream->webrtc = webrtc;
    if (events)
        stream->events = *events;
    stream->user = user;
    stream->ssrc[CP_TRACK_VIDEO] = random[0] | 1; /* never 0, never equal */
    stream->ssrc[CP_TRACK_AUDIO] = (random[1] & ~1u) | 2;
    snprintf(stream->cname, sizeof stream->cname, "cp%08x%08x", random[2], random[3]);
    stream->pools[CP_TRACK_VIDEO] = cp_rtp_pool_create(CP_RTP_BATCH_PACKETS, VIDEO_BATCHES);
    stream->pools[CP_TRACK_AUDIO] = cp_rtp_pool_create(1, AUDIO_BATCHES);
    stream->lanes = calloc((size_t)webrtc->n_nets, sizeof *stream->lanes);
    bool ok = stream->pools[CP_TRACK_VIDEO] && stream->pools[CP_TRACK_AUDIO] && stream->lanes;
    stream->packetizers[CP_TRACK_VIDEO] =
        (struct cp_rtp_packetizer){CP_CODEC_H264, stream->pools[CP_TRACK_VIDEO], CP_RTP_BATCH_PACKETS, 0, 0};
    stream->packetizers[CP_TRACK_AUDIO] =
        (struct cp_rtp_packetizer){CP_CODEC_OPUS, stream->pools[CP_TRACK_AUDIO], 1, 0, 0};
    for (int i = 0; ok && i < webrtc->n_nets; i++)
        ok = lane_open(&stream->lanes[i], stream, &webrtc->nets[i]);
    if (!ok) {
        stream_free(stream);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    }
    struct lane_command command = {stream, false};
    for (int i = 0; i < webrtc->n_nets; i++)
        cp_net_run(&webrtc->nets[i], lane_attach, &command);
    pthread_mutex_lock(&webrtc->lock);
    stream->next = webrtc->streams;
    webrtc->streams = stream;
    pthread_mutex_unlock(&webrtc->lock);
    if (command.failed) {
        cp_webrtc_stream_destroy(stream);
        return cp_fail(error, CP_ERR_BUSY, STAGE, "%d channels are the limit", CP_NET_MAX_LANES);
    }
    *ret_stream = stream;
    return 0;
}

static void add_counters(struct cp_webrtc_stats *stats, struct cp_counters *counters)
{
#define X(name) stats->name += atomic_load_explicit(&counters->name, memory_order_relaxed);
    CP_COUNTERS(X)
#undef X
}

static void add_stream(struct cp_webrtc_stats *stats, struct cp_webrtc_stream *stream)
{
    for (int i = 0; i < stream->webrtc->n_nets; i++) {
        struct cp_lane *lane = &stream->lanes[i];
        double loss = atomic_load_explicit(&lane->last_worst_loss, memory_order_relaxed) / 256.0;
        add_counters(stats, &lane->counters);
        stats->viewers += atomic_load(&lane->watching);
        stats->connecting += atomic_load(&lane->connecting);
        double trip = atomic_load_explicit(&lane->last_worst_trip_us, memory_order_relaxed) / 1000.0;
        if (loss > stats->loss_fraction_max)
            stats->loss_fraction_max = loss;
        if (trip > stats->round_trip_ms_max)
            stats->round_trip_ms_max = trip;
    }
}

void cp_webrtc_stream_destroy(struct cp_webrtc_stream *stream)
{
    if (!stream)
        return;
    struct cp_webrtc *webrtc = stream->webrtc;
    struct lane_command command = {stream, false};
    for (int i = 0; i < webrtc->n_nets; i++)
        cp_net_run(&webrtc->nets[i], lane_detach, &command);
    pthread_mutex_lock(&webrtc->lock);
    for (struct cp_webrtc_stream **at = &webrtc->streams; *at; at = &(*at)->next) {
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    }
    add_stream(&webrtc->past_stats, stream); /* totals never go back */
    webrtc->past_stats.loss_fraction_max = webrtc->past_stats.round_trip_ms_max = 0;
    pthread_mutex_unlock(&webrtc->lock);
    stream_free(stream);
}

struct cp_webrtc_stats cp_webrtc_stats(struct cp_webrtc *webrtc, struct cp_webrtc_stream *stream)
{
    struct cp_webrtc_stats stats = {0};
    if (stream) {
        add_stream(&stats, stream);
        return stats;
    }
    pthread_mutex_lock(&webrtc->lock);
    stats = webrtc->past_stats;
    for (struct cp_webrtc_stream *s = webrtc->streams; s; s = s->next)
        add_stream(&stats, s);
    pthread_mutex_unlock(&webrtc->lock);
    for (int i = 0; i < webrtc->n_nets; i++)
        add_counters(&stats, &webrtc->nets[i].counters);
    return stats;
}

/* --- media --- */

/* All batches of a packet or none; false when the ring is too full. The reader only makes room. */
static bool push_to_lane(struct cp_lane *lane, enum cp_track_kind kind, struct cp_rtp_batch **batches, int n)
{
    struct cp_queue_stats ring = cp_ring_stats(lane->rings[kind]);
    if (ring.capacity - ring.depth < (size_t)n)
        return false;
    for (int i = 0; i < n; i++)
        cp_ring_push(lane->rings[kind], cp_ref_take(batches[i]));
    return true;
}

void cp_webrtc_push(struct cp_webrtc_stream *stream, struct cp_packet *packet)
{
    struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES];
    int n_nets = stream->webrtc->n_nets;
    if (packet->codec != CP_CODEC_H264 && packet->codec != CP_CODEC_OPUS)
        return;
    enum cp_track_kind kind = packet->codec == CP_CODEC_H264 ? CP_TRACK_VIDEO : CP_TRACK_AUDIO;
    int n = cp_rtp_cut(&stream->packetizers[kind], packet, batches), refused = 0;
    if (!n) {
        for (int i = 0; i < n_nets; i++)
            stream->lanes[i].dropping |= kind == CP_TRACK_VIDEO;
        cp_count(&stream->lanes[0].counters.dropped_behind, 1);
        if (stream->events.sent)
            stream->events.sent(stream->user, packet, cp_clock_now_ns());
        return;
    }
    struct cp_rtp_batch *last = batches[n - 1];
    atomic_store_explicit(&last->lanes_left, n_nets, memory_order_relaxed);
    for (int i = 0; i < n_nets; i++) {
        struct cp_lane *lane = &stream->lanes[i];
        bool wanted = kind == CP_TRACK_AUDIO || !lane->dropping || packet->key;
        bool pushed = wanted && push_to_lane(lane, kind, batches, n);
        if (kind == CP_TRACK_VIDEO) {
            if (!pushed && !lane->dropping)
                atomic_store(&lane->behind, true);
            lane->dropping = !pushed;
        }
        if (pushed) {
            cp_net_wake(lane->net);
        } else {
            refused++;
            cp_count(&lane->counters.dropped_behind, 1);
        }
    }
    if (refused)
        cp_fanout_done(stream, last, refused);
    for (int i = 0; i < n; i++)
        cp_ref_drop(batches[i]);
}

/* --- sessions --- */

struct offer_command {
    struct cp_viewer *viewer;
    int err;
    char session[CP_WEBRTC_SESSION_BYTES], ufrag[CP_UFRAG_BYTES];
};

/* thread: net */
static void seat(struct cp_net *net, void *arg)
{
    struct offer_command *command = arg;
    command->err = cp_viewer_seat(net, command->viewer);
    memcpy(command->session, command->viewer->session, sizeof command->session);
    memcpy(command->ufrag, command->viewer->ufrag, sizeof command->ufrag);
}

static void set_track(struct cp_track *track, const struct cp_sdp_offer *offer, int section)
{
    track->payload_type = -1;
    if (section < 0)
        return;
    const struct cp_sdp_section *from = &offer->sections[section];
    track->payload_type = from->formats[from->format].payload_type;
    track->playout_delay_extension = from->playout_delay_extension;
    /* In the one-byte form an extension has at most 16 bytes; ours shares its room with the other one. */
    size_t mid = strlen(from->mid);
    if (mid <= CP_RTP_EXTENSION_BYTES - 4 - 1 - 4) {
        track->mid_extension = from->mid_extension;
        memcpy(track->mid, from->mid, mid + 1);
    }
}

static struct cp_viewer *make_viewer(struct cp_webrtc_stream *stream, const struct cp_sdp_offer *offer)
{
    struct cp_viewer *viewer = calloc(1, sizeof *viewer);
    if (!viewer)
        return NULL;
    struct cp_dtls_peer peer = {.fingerprint_bytes = offer->fingerprint_bytes};
    memcpy(peer.hash, offer->fingerprint_hash, sizeof peer.hash);
    memcpy(peer.fingerprint, offer->fingerprint, sizeof peer.fingerprint);
    viewer->stream = stream;
    memcpy(viewer->peer_ufrag, offer->ice_ufrag, sizeof viewer->peer_ufrag);
    set_track(&viewer->tracks[CP_TRACK_VIDEO], offer, offer->video);
    set_track(&viewer->tracks[CP_TRACK_AUDIO], offer, offer->audio);
    cp_dtls_open(&viewer->dtls, &peer);
    return viewer;
}

/* Counts a viewer in on the net thread that has the fewest; NULL when all are full. */
static struct cp_net *reserve(struct cp_webrtc *webrtc)
{
    int total = 0;
    struct cp_net *best = &webrtc->nets[0];
    for (int i = 0; i < webrtc->n_nets; i++) {
        struct cp_net *net = &webrtc->nets[i];
        total += atomic_load(&net->load);
        if (atomic_load(&net->load) < atomic_load(&best->load))
            best = net;
    }
    if (total >= webrtc->config.max_viewers)
        return NULL;
    if (atomic_fetch_add(&best->load, 1) < best->capacity)
        return best;
    atomic_fetch_sub(&best->load, 1);
    return NULL;
}

static int write_answer(struct cp_webrtc_stream *stream, const struct cp_sdp_offer *offer, const char *ufrag,
                        const char *pwd, char *answer, size_t capacity)
{
    struct cp_webrtc *webrtc = stream->webrtc;
    struct cp_buffer text = cp_buffer_make(capacity - 1);
    uint64_t number = (uint64_t)cp_clock_wall_ns();
    struct cp_sdp_answer values = {.ice_ufrag = ufrag,
                                   .ice_pwd = pwd,
                                   .fingerprint = cp_dtls_fingerprint(webrtc->identity),
                                   .cname = stream->cname,
                                   .session_number = number,
                                   .video_ssrc = stream->ssrc[CP_TRACK_VIDEO],
                                   .audio_ssrc = stream->ssrc[CP_TRACK_AUDIO],
                                   .candidates = webrtc->candidates,
                                   .n_candidates = webrtc->n_candidates};
    cp_sdp_write(&text, offer, &values);
    int err = text.failed ? CP_ERR_LIMIT : 0;
    if (!err)
        memcpy(answer, cp_buffer_string(&text), text.length + 1);
    cp_buffer_free(&text);
    return err;
}

int cp_webrtc_offer(struct cp_webrtc_stream *stream, const char *offer_text, size_t length, char *ret_answer,
                    size_t answer_capacity, char ret_session[CP_WEBRTC_SESSION_BYTES], struct cp_error *error)
{
    struct cp_webrtc *webrtc = stream->webrtc;
    struct cp_sdp_offer *offer = malloc(sizeof *offer);
    struct cp_viewer *viewer = NULL;
    struct cp_net *net = NULL;
    char session[CP_WEBRTC_SESSION_BYTES], ufrag[CP_UFRAG_BYTES], pwd[CP_PWD_BYTES];
    int err = offer ? cp_sdp_parse(offer_text, length, offer, error)
                    : cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
    if (err)
        goto out;
    viewer = make_viewer(stream, offer);
    if (!viewer) {
        err = cp_fail(error, CP_ERR_NOMEM, STAGE, "out of memory");
        goto out;
    }
    net = reserve(webrtc);
    struct offer_command command = {.viewer = viewer, .err = CP_ERR_BUSY};
    if (net)
        cp_net_run(net, seat, &command);
    if (command.err) {
        if (net)
            atomic_fetch_sub(&net->load, 1);
        free(viewer);
        err = cp_fail(error, CP_ERR_BUSY, STAGE,
                      "all %lld WebRTC places are taken: watch by HLS, or try again later",
                      (long long)webrtc->config.max_viewers);
        goto out;
    }
    /* From here on the viewer belongs to its net thread, which may drop it at any time. */
    memcpy(session, command.session, sizeof session);
    memcpy(ufrag, command.ufrag, sizeof ufrag);
    cp_net_password(webrtc, ufrag, pwd);
    err = write_answer(stream, offer, ufrag, pwd, ret_answer, answer_capacity);
    if (err) {
        cp_webrtc_delete(webrtc, session, NULL);
        err = cp_fail(error, err, STAGE, "the offer is too large to answer");
        goto out;
    }
    memcpy(ret_session, session, sizeof session);
out:
    free(offer);
    return err;
}

struct cp_net *cp_webrtc_net_of(struct cp_webrtc *webrtc, const char *session)
{
    int number, slot;
    if (!cp_net_read_place(session, strlen(session), &number, &slot) || number >= webrtc->n_nets)
        return NULL;
    return &webrtc->nets[number];
}

struct session_command {
    const char *session, *peer_ufrag;
    char ufrag[CP_UFRAG_BYTES];
    bool found, restarted;
};

int cp_webrtc_no_session(struct cp_error *error, const char *session)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "there is no WebRTC session \"%.40s\"", session);
}

/* thread: net */
static void restart(struct cp_net *net, void *arg)
{
    struct session_command *command = arg;
    struct cp_viewer *viewer = cp_net_find_session(net, command->session);
    command->found = viewer != NULL;
    /* New credentials mean an ICE restart (RFC 8839 section 5.4); the same ones come with each candidate. */
    if (!viewer || !*command->peer_ufrag || !strcmp(viewer->peer_ufrag, command->peer_ufrag))
        return;
    snprintf(viewer->peer_ufrag, sizeof viewer->peer_ufrag, "%s", command->peer_ufrag);
    cp_viewer_new_ufrag(net, viewer);
    memcpy(command->ufrag, viewer->ufrag, sizeof command->ufrag);
    command->restarted = true;
}

int cp_webrtc_patch(struct cp_webrtc *webrtc, const char *session, const char *fragment, size_t length,
                    char *ret_fragment, size_t capacity, struct cp_error *error)
{
    char peer_ufrag[CP_ICE_TOKEN_BYTES], peer_pwd[CP_ICE_TOKEN_BYTES], pwd[CP_PWD_BYTES];
    struct cp_net *net = cp_webrtc_net_of(webrtc, session);
    if (!net)
        return cp_webrtc_no_session(error, session);
    int err = cp_sdp_parse_fragment(fragment, length, peer_ufrag, peer_pwd, error);
    if (err)
        return err;
    struct session_command command = {.session = session, .peer_ufrag = peer_ufrag};
    cp_net_run(net, restart, &command);
    if (!command.found)
        return cp_webrtc_no_session(error, session);
    struct cp_buffer text = cp_buffer_make(capacity - 1);
    if (command.restarted) {
        cp_net_password(webrtc, command.ufrag, pwd);
        cp_buffer_printf(&text, "a=ice-lite\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", command.ufrag, pwd);
        cp_sdp_write_candidates(&text, webrtc->candidates, webrtc->n_candidates);
    }
    err = text.failed ? cp_fail(error, CP_ERR_LIMIT, STAGE, "no room for the fragment") : 0;
    if (!err)
        snprintf(ret_fragment, capacity, "%s", cp_buffer_string(&text));
    cp_buffer_free(&text);
    return err;
}

/* thread: net */
static void hang_up(struct cp_net *net, void *arg)
{
    struct session_command *command = arg;
    struct cp_viewer *viewer = cp_net_find_session(net, command->session);
    command->found = viewer != NULL;
    if (viewer)
        cp_viewer_leave(net, viewer, true);
}

int cp_webrtc_delete(struct cp_webrtc *webrtc, const char *session, struct cp_error *error)
{
    struct session_command command = {.session = session};
    struct cp_net *net = cp_webrtc_net_of(webrtc, session);
    if (net)
        cp_net_run(net, hang_up, &command);
    return command.found ? 0 : cp_webrtc_no_session(error, session);
}
