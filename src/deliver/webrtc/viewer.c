#include "base/clock.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/webrtc_int.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A viewer that loses much asks for much; past this it gets a key frame soon enough. */
#define RETRANSMIT_PER_S 200
#define RETRANSMIT_BURST 400
/* Key frames cost all viewers: one viewer may not ask for more than this. */
#define IDR_PER_S 1
#define IDR_BURST 3

/* First sequence numbers stay below 2^15, so that losing the first packets cannot confuse the receiver about
 * the ROC (RFC 3711 section 3.3.1). */
#define FIRST_SEQUENCE_MASK 0x3fff

bool cp_budget_take(struct cp_budget *budget, double cost, double per_second, double burst, int64_t now_ns)
{
    double gained = (double)(now_ns - budget->at_ns) / (double)CP_NS_PER_S * per_second;
    budget->left = budget->left + gained > burst ? burst : budget->left + gained;
    budget->at_ns = now_ns;
    if (budget->left < cost)
        return false;
    budget->left -= cost;
    return true;
}

/* --- coming and going --- */

void cp_viewer_new_ufrag(struct cp_net *net, struct cp_viewer *viewer)
{
    uint32_t random = 0;
    RAND_bytes((uint8_t *)&random, sizeof random);
    snprintf(viewer->ufrag, sizeof viewer->ufrag, "%02x%06x%08x", (unsigned)net->number,
             (unsigned)viewer->slot, random);
    cp_net_password(net->webrtc, viewer->ufrag, viewer->pwd);
}

int cp_viewer_seat(struct cp_net *net, struct cp_viewer *viewer)
{
    uint64_t random[2] = {0};
    if (!net->n_free_slots)
        return CP_ERR_BUSY;
    RAND_bytes((uint8_t *)random, sizeof random);
    viewer->slot = net->free_slots[--net->n_free_slots];
    viewer->place = -1;
    viewer->lane = &viewer->stream->lanes[net->number];
    viewer->created_ns = viewer->heard_ns = cp_clock_now_ns();
    viewer->retransmit_budget = (struct cp_budget){RETRANSMIT_BURST, viewer->created_ns};
    viewer->idr_budget = (struct cp_budget){IDR_BURST, viewer->created_ns};
    snprintf(viewer->session, sizeof viewer->session, "%02x%06x%016llx%08x", (unsigned)net->number,
             (unsigned)viewer->slot, (unsigned long long)random[0], (unsigned)random[1]);
    cp_viewer_new_ufrag(net, viewer);
    for (int i = 0; i < CP_TRACKS; i++) {
        viewer->tracks[i].next = (random[1] >> (32 + 14 * i) & FIRST_SEQUENCE_MASK) + 1;
        viewer->tracks[i].ssrc = viewer->stream->ssrc[i];
        viewer->tracks[i].waiting_key = i == CP_TRACK_VIDEO;
    }
    net->viewers[viewer->slot] = viewer;
    net->connecting++;
    atomic_fetch_add(&viewer->lane->connecting, 1);
    return 0;
}

static bool has_media(const struct cp_viewer *viewer)
{
    return viewer->place >= 0;
}

static void send_datagram(void *user, const uint8_t *data, size_t length)
{
    struct cp_viewer *viewer = ((void **)user)[1];
    struct cp_net *net = ((void **)user)[0];
    if (viewer->path.to.length)
        memcpy(cp_outbox_add(net->outbox, &viewer->path, length), data, length);
}

static void leave_lane(struct cp_net *net, struct cp_viewer *viewer)
{
    struct cp_lane *lane = viewer->lane;
    if (!has_media(viewer)) {
        net->connecting--;
        atomic_fetch_sub(&lane->connecting, 1);
        return;
    }
    struct cp_viewer *moved = lane->viewers[--lane->n_viewers];
    lane->viewers[viewer->place] = moved;
    moved->place = viewer->place;
    viewer->place = -1;
    atomic_fetch_sub(&lane->watching, 1);
}

static size_t sender_list(const struct cp_viewer *viewer, int64_t wall_ns,
                          struct cp_rtcp_sender senders[CP_TRACKS])
{
    const struct cp_lane *lane = viewer->lane;
    size_t n = 0;
    for (int i = 0; i < CP_TRACKS; i++) {
        const struct cp_track *track = &viewer->tracks[i];
        if (!track->started || !lane->has_anchor)
            continue;
        /* Both clocks of the report name the moment of capture that is `wall_ns`. */
        int64_t samples =
            lane->anchor_samples + (wall_ns - lane->anchor_wall_ns) * (CP_SAMPLE_HZ / 1000) / CP_NS_PER_MS;
        enum cp_codec codec = i == CP_TRACK_VIDEO ? CP_CODEC_H264 : CP_CODEC_OPUS;
        senders[n++] = (struct cp_rtcp_sender){.ssrc = track->ssrc,
                                               .timestamp = cp_rtp_timestamp(codec, samples),
                                               .packets = track->packets,
                                               .bytes = track->bytes};
    }
    return n;
}

static void send_rtcp(struct cp_net *net, struct cp_viewer *viewer, bool bye)
{
    uint8_t packet[CP_RTCP_MAX_BYTES + CP_SRTP_RTCP_TAIL_MAX];
    struct cp_rtcp_sender senders[CP_TRACKS];
    int64_t wall_ns = cp_clock_wall_ns();
    int n_senders = (int)sender_list(viewer, wall_ns, senders);
    if (!n_senders)
        return;
    uint64_t ntp = cp_clock_ntp(wall_ns);
    const char *cname = viewer->stream->cname;
    size_t n = bye ? cp_rtcp_write_bye(packet, senders, n_senders, ntp, cname)
                   : cp_rtcp_write_reports(packet, senders, n_senders, ntp, cname);
    n = cp_srtcp_protect(viewer->profile, &viewer->rtcp_ours, packet, n, ++viewer->rtcp_index);
    if (n)
        memcpy(cp_outbox_add(net->outbox, &viewer->path, n), packet, n);
    else
        cp_count(&viewer->lane->counters.srtp_failures, 1);
}

void cp_viewer_send_reports(struct cp_net *net, struct cp_viewer *viewer)
{
    send_rtcp(net, viewer, false);
}

void cp_viewer_leave(struct cp_net *net, struct cp_viewer *viewer, bool say_goodbye)
{
    void *to[] = {net, viewer};
    if (say_goodbye && has_media(viewer))
        send_rtcp(net, viewer, true);
    cp_dtls_close(&viewer->dtls, say_goodbye ? send_datagram : NULL, to);
    cp_outbox_flush(net->outbox); /* it points at the viewer's path */
    for (int i = 0; i < CP_VIEWER_ADDRESSES; i++)
        cp_net_route_remove(net, &viewer->routes[i]);
    leave_lane(net, viewer);
    net->viewers[viewer->slot] = NULL;
    net->free_slots[net->n_free_slots++] = viewer->slot;
    atomic_fetch_sub(&net->load, 1);
    if (viewer->joined) {
        cp_count(&viewer->lane->counters.leaves, 1);
        if (viewer->stream->events.viewer)
            viewer->stream->events.viewer(viewer->stream->user, viewer->session, false);
    }
    if (viewer->cipher_state)
        viewer->cipher->close(viewer->cipher_state);
    OPENSSL_cleanse(viewer, sizeof *viewer);
    free(viewer);
}

void cp_viewer_joined(struct cp_net *net, struct cp_viewer *viewer)
{
    viewer->joined = true;
    cp_count(&viewer->lane->counters.joins, 1);
    cp_viewer_send_reports(net, viewer); /* at once, so that sound and picture are in step from the start */
    if (viewer->stream->events.viewer)
        viewer->stream->events.viewer(viewer->stream->user, viewer->session, true);
}

void cp_viewer_want_idr(struct cp_viewer *viewer)
{
    if (viewer->stream->events.want_idr)
        viewer->stream->events.want_idr(viewer->stream->user);
}

/* --- ICE (RFC 8445 section 7.3, as a lite agent) --- */

static void learn_address(struct cp_net *net, struct cp_viewer *viewer, const struct cp_address *from,
                          int64_t now_ns)
{
    for (int i = 0; i < CP_VIEWER_ADDRESSES; i++) {
        if (viewer->routes[i].from.length && cp_address_equal(&viewer->routes[i].from, from)) {
            viewer->routes[i].used_ns = now_ns;
            return;
        }
    }
    /* The one in use stays; of the others, the one learnt first goes. */
    struct cp_route *route = &viewer->routes[viewer->next_route++ % CP_VIEWER_ADDRESSES];
    if (route->from.length && cp_address_equal(&route->from, &viewer->path.to))
        route = &viewer->routes[viewer->next_route++ % CP_VIEWER_ADDRESSES];
    cp_net_route_remove(net, route);
    *route = (struct cp_route){.from = *from, .viewer = viewer, .used_ns = now_ns};
    cp_net_route_add(net, route);
}

/* "ours:theirs" (RFC 8445 section 7.2.2). */
static bool is_addressed(const struct cp_viewer *viewer, const struct cp_stun_message *message)
{
    size_t ours = strlen(viewer->ufrag), theirs = strlen(viewer->peer_ufrag);
    return message->username_bytes == ours + 1 + theirs && !memcmp(message->username, viewer->ufrag, ours) &&
           message->username[ours] == ':' &&
           !memcmp(message->username + ours + 1, viewer->peer_ufrag, theirs);
}

void cp_viewer_stun(struct cp_net *net, struct cp_viewer *viewer, const struct cp_stun_message *message,
                    const struct cp_path *path)
{
    uint8_t answer[CP_STUN_ANSWER_BYTES];
    size_t n;
    if (!is_addressed(viewer, message)) {
        cp_count(&net->counters.stun_refused, 1);
        return;
    }
    if (message->n_unknown) {
        n = cp_stun_error(answer, message, 420, viewer->pwd);
    } else if (message->controlled) { /* a lite agent never controls: the other side must */
        n = cp_stun_error(answer, message, 487, viewer->pwd);
    } else {
        int64_t now_ns = cp_clock_now_ns();
        n = cp_stun_success(answer, message, &path->to, viewer->pwd);
        viewer->heard_ns = now_ns;
        learn_address(net, viewer, &path->to, now_ns);
        if (!viewer->path.to.length || message->use_candidate) {
            cp_outbox_flush(net->outbox); /* what waits points at the path that changes */
            viewer->path = *path;
        }
    }
    memcpy(cp_outbox_add(net->outbox, path, n), answer, n);
    cp_outbox_flush(net->outbox); /* `path` is the receive buffer's */
}

/* --- DTLS --- */

static bool open_media(struct cp_net *net, struct cp_viewer *viewer, struct cp_dtls_result *keys)
{
    struct cp_srtp_keys rtp;
    struct cp_lane *lane = viewer->lane;
    viewer->profile = keys->profile;
    struct cp_srtp_suite *suite =
        &net->webrtc->suites[keys->profile == CP_SRTP_AEAD_AES_128_GCM ? CP_SUITE_GCM : CP_SUITE_CM];
    viewer->cipher = suite->cipher;
    if (!cp_srtp_derive(keys->profile, &keys->ours, false, &rtp) ||
        !cp_srtp_derive(keys->profile, &keys->ours, true, &viewer->rtcp_ours) ||
        !cp_srtp_derive(keys->profile, &keys->theirs, true, &viewer->rtcp_theirs))
        return false;
    viewer->cipher_state = suite->cipher->open(suite->shared, &rtp);
    OPENSSL_cleanse(&rtp, sizeof rtp);
    OPENSSL_cleanse(keys, sizeof *keys);
    if (!viewer->cipher_state || lane->n_viewers == lane->capacity)
        return false;
    viewer->place = lane->n_viewers;
    lane->viewers[lane->n_viewers++] = viewer;
    net->connecting--;
    atomic_fetch_sub(&lane->connecting, 1);
    atomic_fetch_add(&lane->watching, 1);
    cp_count(&lane->counters.handshakes, 1);
    cp_viewer_want_idr(viewer);
    return true;
}

static void give_up_handshake(struct cp_net *net, struct cp_viewer *viewer)
{
    cp_count(&viewer->lane->counters.handshake_failures, 1);
    cp_viewer_leave(net, viewer, false);
}

void cp_viewer_dtls(struct cp_net *net, struct cp_viewer *viewer, const uint8_t *data, size_t length)
{
    void *to[] = {net, viewer};
    struct cp_dtls_result keys;
    enum cp_dtls_state state =
        cp_dtls_receive(&viewer->dtls, net->webrtc->identity, data, length, &keys, send_datagram, to);
    if (state == CP_DTLS_FAILED)
        give_up_handshake(net, viewer);
    else if (state == CP_DTLS_CLOSED)
        cp_viewer_leave(net, viewer, false);
    else if (state == CP_DTLS_OPEN && !has_media(viewer) && !open_media(net, viewer, &keys))
        give_up_handshake(net, viewer);
}

/* --- RTCP --- */

struct rtcp_context {
    struct cp_net *net;
    struct cp_viewer *viewer;
    int64_t now_ns;
};

static struct cp_track *find_track(struct cp_viewer *viewer, uint32_t ssrc, enum cp_track_kind *ret_kind)
{
    for (int i = 0; i < CP_TRACKS; i++) {
        if (viewer->tracks[i].started && viewer->tracks[i].ssrc == ssrc) {
            *ret_kind = (enum cp_track_kind)i;
            return &viewer->tracks[i];
        }
    }
    return NULL;
}

static void on_report(void *user, const struct cp_rtcp_report *report)
{
    struct rtcp_context *context = user;
    struct cp_viewer *viewer = context->viewer;
    enum cp_track_kind kind;
    if (!find_track(viewer, report->ssrc, &kind))
        return;
    if (report->fraction_lost > viewer->lane->worst_loss)
        viewer->lane->worst_loss = report->fraction_lost;
    int64_t trip = cp_rtcp_round_trip_ns(report, cp_clock_ntp(cp_clock_wall_ns()));
    if (trip / 1000 > viewer->lane->worst_trip_us)
        viewer->lane->worst_trip_us = (int32_t)(trip / 1000);
}

static void on_nack(void *user, uint32_t ssrc, uint16_t sequence)
{
    struct rtcp_context *context = user;
    struct cp_viewer *viewer = context->viewer;
    struct cp_lane *lane = viewer->lane;
    enum cp_track_kind kind;
    struct cp_track *track = find_track(viewer, ssrc, &kind);
    if (!track)
        return;
    cp_count(&lane->counters.nacks, 1);
    uint16_t behind = (uint16_t)(track->next - 1 - sequence);
    uint64_t index = track->next - 1 - behind + track->shift;
    const struct cp_rtp_batch *batch = NULL;
    if (behind < 0x8000 && behind < track->next && index >= track->floor)
        batch = cp_rtp_history_find(&lane->history[kind], index);
    if (!batch ||
        !cp_budget_take(&viewer->retransmit_budget, 1, RETRANSMIT_PER_S, RETRANSMIT_BURST, context->now_ns))
        cp_count(&lane->counters.retransmit_misses, 1);
    else if (cp_fanout_packet(context->net, viewer, track, batch, (int)(index - batch->index)))
        cp_count(&lane->counters.retransmitted, 1);
}

static void on_picture_loss(void *user, uint32_t ssrc)
{
    struct rtcp_context *context = user;
    struct cp_viewer *viewer = context->viewer;
    if (ssrc != viewer->tracks[CP_TRACK_VIDEO].ssrc)
        return;
    cp_count(&viewer->lane->counters.plis, 1);
    if (cp_budget_take(&viewer->idr_budget, 1, IDR_PER_S, IDR_BURST, context->now_ns))
        cp_viewer_want_idr(viewer);
}

void cp_viewer_rtcp(struct cp_net *net, struct cp_viewer *viewer, uint8_t *data, size_t length)
{
    if (!has_media(viewer))
        return;
    size_t plain = cp_srtcp_unprotect(viewer->profile, &viewer->rtcp_theirs, &viewer->replay, data, length);
    if (!plain) {
        cp_count(&viewer->lane->counters.srtp_failures, 1);
        return;
    }
    struct rtcp_context context = {net, viewer, cp_clock_now_ns()};
    struct cp_rtcp_handler handler = {&context, on_report, on_nack, on_picture_loss};
    viewer->heard_ns = context.now_ns;
    cp_rtcp_read(data, plain, &handler);
}

/* --- timers --- */

void cp_viewer_tick_connecting(struct cp_net *net, struct cp_viewer *viewer, int64_t now_ns)
{
    void *to[] = {net, viewer};
    if (has_media(viewer))
        return;
    if (now_ns - viewer->created_ns > CP_VIEWER_CONNECT_NS ||
        cp_dtls_tick(&viewer->dtls, send_datagram, to) == CP_DTLS_FAILED)
        give_up_handshake(net, viewer);
}

void cp_viewer_tick_second(struct cp_net *net, struct cp_viewer *viewer, int64_t now_ns)
{
    if (!has_media(viewer))
        return;
    if (now_ns - viewer->heard_ns > net->webrtc->config.idle_s * CP_NS_PER_S) {
        cp_viewer_leave(net, viewer, true);
        return;
    }
    if (viewer->tracks[CP_TRACK_VIDEO].waiting_key)
        cp_viewer_want_idr(viewer); /* the first wish may have been too early for the encoder */
    cp_viewer_send_reports(net, viewer);
}
