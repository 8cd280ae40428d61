#include "base/clock.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/webrtc_int.h"

#include <string.h>

#define HOLD_NS         (40 * CP_NS_PER_MS) /* a frame and a bit: then the picture has stopped */
#define AUDIO_MID_EVERY 50                  /* packets: a second */

/*
 * Playout delay, minimum and maximum of 12 bits each in units of 10 ms. With a minimum of 0 Chromium shows
 * pictures as they come. A maximum of 0 would also forbid it to hold a picture for its sound: measured, the
 * picture is then 46 to 59 ms early, with 400 ms 23 to 25, at 3 to 8 ms of buffer.
 */
#define PLAYOUT_DELAY 40u

/*
 * The extension of a packet (RFC 8285, one-byte form): the MID, so that a receiver can place the stream
 * without a=ssrc, and the playout delay. A repeated packet must be the same bytes (an AEAD must not see
 * one nonce with two texts), so what it holds follows from the batch alone.
 */
static size_t write_extension(uint8_t *out, const struct cp_track *track, const struct cp_rtp_batch *batch)
{
    bool wanted = batch->codec == CP_CODEC_H264 ? batch->key : batch->index % AUDIO_MID_EVERY == 0;
    size_t n = 4, mid = strlen(track->mid);
    if (!wanted)
        return 0;
    if (track->mid_extension && mid) {
        out[n++] = (uint8_t)(track->mid_extension << 4 | (int)(mid - 1));
        memcpy(out + n, track->mid, mid);
        n += mid;
    }
    if (track->playout_delay_extension && n + 4 <= CP_RTP_EXTENSION_BYTES) {
        out[n] = (uint8_t)(track->playout_delay_extension << 4 | 2);
        out[n + 1] = 0;
        cp_put16(out + n + 2, PLAYOUT_DELAY);
        n += 4;
    }
    if (n == 4)
        return 0;
    for (; n % 4; n++)
        out[n] = 0;
    cp_put16(out, 0xbede);
    cp_put16(out + 2, (unsigned)(n / 4 - 1));
    return n;
}

bool cp_fanout_packet(struct cp_net *net, struct cp_viewer *viewer, struct cp_track *track,
                      const struct cp_rtp_batch *batch, int i)
{
    uint8_t extension[CP_RTP_EXTENSION_BYTES];
    size_t extra = write_extension(extension, track, batch), header = CP_RTP_HEADER_BYTES + extra;
    size_t payload = batch->length[i], whole = header + payload + cp_srtp_rtp_tag_bytes(viewer->profile);
    uint64_t index = batch->index + (uint64_t)i - track->shift;
    uint8_t *out = cp_outbox_add(net->outbox, &viewer->path, whole);
    out[0] = (uint8_t)(0x80 | (batch->padded[i] ? 0x20 : 0) | (extra ? 0x10 : 0));
    out[1] = (uint8_t)((cp_rtp_marker(batch, i) ? 0x80 : 0) | track->payload_type);
    cp_put16(out + 2, (unsigned)(index & 0xffff));
    cp_put32(out + 4, batch->timestamp);
    cp_put32(out + 8, track->ssrc);
    memcpy(out + CP_RTP_HEADER_BYTES, extension, extra);
    if (viewer->cipher->protect(viewer->cipher_state, out, header, cp_rtp_payload(batch, i), payload,
                                track->ssrc, index))
        return true;
    cp_outbox_undo(net->outbox);
    cp_count(&viewer->lane->counters.srtp_failures, 1);
    return false;
}

/* True when the viewer takes this batch; starts its track where it can. */
static bool ready_for(struct cp_viewer *viewer, struct cp_track *track, const struct cp_rtp_batch *batch)
{
    if (track->payload_type < 0)
        return false;
    if (track->started && !track->waiting_key)
        return true;
    if (batch->codec == CP_CODEC_H264 && !(batch->key && batch->first))
        return false;
    track->shift = batch->index - track->next;
    track->floor = batch->index;
    track->started = true;
    track->waiting_key = false;
    return true;
}

static void send_batch(struct cp_net *net, struct cp_lane *lane, struct cp_viewer *viewer,
                       enum cp_track_kind kind, const struct cp_rtp_batch *batch)
{
    struct cp_track *track = &viewer->tracks[kind];
    if (!ready_for(viewer, track, batch))
        return;
    uint32_t bytes = 0;
    for (int i = 0; i < batch->n; i++) {
        cp_fanout_packet(net, viewer, track, batch, i);
        bytes += batch->length[i];
    }
    track->next = batch->index + (uint64_t)batch->n - track->shift;
    track->packets += (uint32_t)batch->n;
    track->bytes += bytes;
    viewer->bytes_sent += bytes;
    if (kind == CP_TRACK_VIDEO && batch->key && batch->last && !viewer->joined)
        cp_viewer_joined(net, viewer);
}

/* Packets were dropped before they reached this thread: go on at a key frame. */
static void skip_to_key(struct cp_lane *lane)
{
    for (int i = 0; i < lane->n_viewers; i++)
        lane->viewers[i]->tracks[CP_TRACK_VIDEO].waiting_key = true;
    if (lane->n_viewers && lane->stream->events.want_idr)
        lane->stream->events.want_idr(lane->stream->user);
}

/* For the sender reports, the history and the check for holes, before a batch goes out. */
static void note(struct cp_lane *lane, enum cp_track_kind kind, struct cp_rtp_batch *batch)
{
    if (kind == CP_TRACK_VIDEO) {
        if (batch->index != lane->expected && !(batch->key && batch->first))
            skip_to_key(lane);
        lane->expected = batch->index + (uint64_t)batch->n;
    }
    lane->anchor_samples = batch->at_samples;
    lane->anchor_wall_ns = batch->captured_wall_ns;
    lane->has_anchor = true;
    cp_rtp_history_add(&lane->history[kind], batch);
}

static void flush_counted(struct cp_net *net, struct cp_lane *lane)
{
    struct cp_outbox_stats before = net->outbox_seen;
    cp_outbox_flush(net->outbox);
    struct cp_outbox_stats after = cp_outbox_stats(net->outbox);
    cp_count(&lane->counters.packets_sent, after.packets - before.packets);
    cp_count(&lane->counters.bytes_sent, after.bytes - before.bytes);
    cp_count(&lane->counters.send_errors, after.errors - before.errors);
    net->outbox_seen = after;
}

/* Sends batches to all viewers, those of one viewer behind one another, so that they can share messages. */
static void send_to_all(struct cp_net *net, struct cp_lane *lane, struct cp_rtp_batch *const *batches, int n)
{
    cp_outbox_flush(net->outbox);
    net->outbox_seen = cp_outbox_stats(net->outbox); /* what was not media */
    for (int i = 0; i < lane->n_viewers; i++) {
        const struct cp_viewer *next = i + 1 < lane->n_viewers ? lane->viewers[i + 1] : NULL;
        if (next && next->cipher->touch)
            next->cipher->touch(next->cipher_state);
        for (int k = 0; k < n; k++)
            send_batch(net, lane, lane->viewers[i],
                       batches[k]->codec == CP_CODEC_H264 ? CP_TRACK_VIDEO : CP_TRACK_AUDIO, batches[k]);
    }
    flush_counted(net, lane);
    for (int k = 0; k < n; k++) {
        cp_fanout_done(lane->stream, batches[k], 1);
        cp_ref_drop(batches[k]);
    }
}

void cp_fanout_done(struct cp_webrtc_stream *stream, struct cp_rtp_batch *batch, int lanes)
{
    if (!batch->packet || atomic_fetch_sub_explicit(&batch->lanes_left, lanes, memory_order_acq_rel) != lanes)
        return;
    if (stream->events.sent)
        stream->events.sent(stream->user, batch->packet, cp_clock_now_ns());
    /* Nobody else looks at it any more; the history must not hold the encoder's packets for a second. */
    cp_ref_drop(batch->packet);
    batch->packet = NULL;
}

void cp_fanout_release(struct cp_net *net, struct cp_lane *lane)
{
    struct cp_rtp_batch *batches[CP_HELD_SOUNDS];
    int n = lane->n_held;
    if (!n)
        return;
    memcpy(batches, lane->held, (size_t)n * sizeof batches[0]);
    lane->n_held = 0;
    send_to_all(net, lane, batches, n);
}

static void take_sound(struct cp_net *net, struct cp_lane *lane, struct cp_rtp_batch *batch)
{
    int64_t now_ns = cp_clock_now_ns();
    bool hold = lane->n_viewers >= net->webrtc->hold_sound_from && lane->n_held < CP_HELD_SOUNDS &&
                now_ns - lane->picture_ns < HOLD_NS;
    note(lane, CP_TRACK_AUDIO, batch);
    if (!hold) {
        cp_fanout_release(net, lane);
        send_to_all(net, lane, &batch, 1);
        return;
    }
    if (!lane->n_held)
        lane->held_since_ns = now_ns;
    lane->held[lane->n_held++] = batch;
}

static void take_picture(struct cp_net *net, struct cp_lane *lane, struct cp_rtp_batch *batch)
{
    struct cp_rtp_batch *batches[1 + CP_HELD_SOUNDS] = {batch};
    int n = 1;
    note(lane, CP_TRACK_VIDEO, batch);
    if (batch->last) {
        memcpy(batches + 1, lane->held, (size_t)lane->n_held * sizeof lane->held[0]);
        n += lane->n_held;
        lane->n_held = 0;
        lane->picture_ns = cp_clock_now_ns();
    }
    send_to_all(net, lane, batches, n);
}

void cp_fanout_lane(struct cp_net *net, struct cp_lane *lane)
{
    if (atomic_exchange(&lane->behind, false))
        skip_to_key(lane);
    for (int kind = CP_TRACKS; kind-- > 0;) { /* sound first: it is small, and sooner missed */
        /* What was there when we came: a flood of one kind must not starve the other, or the viewers'
         * datagrams. */
        for (size_t n = cp_ring_stats(lane->rings[kind]).depth; n > 0; n--) {
            struct cp_rtp_batch *batch = cp_ring_pop(lane->rings[kind]);
            if (kind == CP_TRACK_AUDIO)
                take_sound(net, lane, batch);
            else
                take_picture(net, lane, batch);
        }
    }
    if (lane->n_held && cp_clock_now_ns() - lane->held_since_ns > HOLD_NS)
        cp_fanout_release(net, lane);
}
