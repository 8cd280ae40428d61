/*
 * Frames -> parts -> segments.
 *
 * Sound and picture share each part (one muxed stream): a player makes one request a part instead of two, and
 * the two cannot drift apart in its buffer. The picture sets the borders, since its frames divide the part
 * target; a sound frame goes with the part in which it starts. A part is complete when both have passed its
 * end.
 *
 * A segment starts at the first IDR in each slot of segment_s on the sample clock. The encoder's periodic
 * IDRs stand on the same clock, so all segments are of equal length whatever IDRs viewers ask for.
 */
#include "hls_int.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Sound this late is not waited for. */
#define AUDIO_PATIENCE CP_SAMPLE_HZ
/*
 * Pictures that a slow machine left out. Players stumble over holes, so there are none: a part or segment
 * starts where the last one ended, its first frame that much early, and each part has one frame at least. A
 * segment is not stretched by more than MAX_STRETCH, lest it outgrow the target duration: beyond that it
 * starts in its own time, after a discontinuity. A jump of the clock by more than MAX_GAP is a new beginning.
 */
#define MAX_STRETCH (CP_SAMPLE_HZ / 4)
#define MAX_GAP     CP_SAMPLE_HZ

static void free_body(void *object)
{
    free(object);
}

struct cp_hls_body *cp_hls_body_create(size_t length)
{
    struct cp_hls_body *body = malloc(sizeof *body + length);
    if (!body)
        return NULL;
    cp_ref_init(&body->ref, free_body);
    body->length = length;
    return body;
}

struct cp_hls_segment *cp_hls_segment(struct cp_hls *hls, int i)
{
    return &hls->segments[(hls->first + i) % hls->n_ring];
}

int cp_hls_complete(const struct cp_hls *hls)
{
    return hls->n_segments - hls->open;
}

int cp_hls_first_listed(const struct cp_hls *hls)
{
    int complete = cp_hls_complete(hls);
    return complete > hls->window ? complete - hls->window : 0;
}

static struct cp_hls_segment *newest(struct cp_hls *hls)
{
    return cp_hls_segment(hls, hls->n_segments - 1);
}

static int64_t slot(const struct cp_hls *hls, int64_t at)
{
    return at / hls->segment_samples;
}

/* May a segment start at this key frame, the present one being open? */
static bool starts_segment(struct cp_hls *hls, int64_t at)
{
    return slot(hls, at) > newest(hls)->slot;
}

void cp_hls_next_part(struct cp_hls *hls, uint64_t *ret_msn, int *ret_part)
{
    if (!hls->open) {
        *ret_msn = hls->next_msn;
        *ret_part = 0;
        return;
    }
    /* At a slot's border the next frame is most likely an IDR. */
    bool border = newest(hls)->n_parts && starts_segment(hls, hls->part_start);
    *ret_msn = newest(hls)->msn + border;
    *ret_part = border ? 0 : newest(hls)->n_parts;
}

static void free_segment(struct cp_hls_segment *segment)
{
    for (int i = 0; i < segment->n_parts; i++) {
        cp_ref_drop(segment->parts[i].body);
        cp_ref_drop(segment->parts[i].captions);
    }
    cp_ref_drop(segment->body);
    cp_ref_drop(segment->captions);
    cp_ref_drop(segment->init.body);
    memset(segment, 0, sizeof *segment);
}

void cp_hls_segmenter_free(struct cp_hls *hls)
{
    while (hls->n_segments > 0)
        free_segment(cp_hls_segment(hls, --hls->n_segments));
    cp_ref_drop(hls->init.body);
    free(hls->segments);
    cp_buffer_free(&hls->video.bytes);
    cp_buffer_free(&hls->audio.bytes);
    cp_buffer_free(&hls->scratch);
}

/* --- the frames that wait --- */

static bool append(struct cp_hls_track *track, const struct cp_packet *packet)
{
    size_t before = track->bytes.length;
    if (track->n_samples == CP_HLS_MAX_PENDING)
        return false;
    if (packet->codec == CP_CODEC_H264)
        cp_fmp4_add_unit(&track->bytes, packet->data, packet->length_bytes, NULL);
    else
        cp_buffer_add(&track->bytes, packet->data, packet->length_bytes);
    if (track->bytes.failed) {
        track->bytes.failed = false;
        track->bytes.length = before;
        return false;
    }
    track->wall_ns[track->n_samples] = packet->captured_wall_ns;
    track->samples[track->n_samples++] =
        (struct cp_fmp4_sample){.at = packet->at_samples,
                                .length = packet->length_samples,
                                .bytes = (uint32_t)(track->bytes.length - before),
                                .key = packet->key};
    track->end = packet->at_samples + packet->length_samples;
    return true;
}

/* Forgets the oldest `count` frames. */
static void forget(struct cp_hls_track *track, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += track->samples[i].bytes;
    track->n_samples -= count;
    track->bytes.length -= bytes;
    memmove(track->samples, track->samples + count, (size_t)track->n_samples * sizeof *track->samples);
    memmove(track->wall_ns, track->wall_ns + count, (size_t)track->n_samples * sizeof *track->wall_ns);
    if (bytes)
        memmove(track->bytes.data, track->bytes.data + bytes, track->bytes.length);
}

/* How many of the track's frames start before `end`. */
static int count_before(const struct cp_hls_track *track, int64_t end)
{
    int count = 0;
    while (count < track->n_samples && track->samples[count].at < end)
        count++;
    return count;
}

static struct cp_fmp4_run run_of(const struct cp_hls_track *track, int count, int64_t end)
{
    struct cp_fmp4_run run = {
        .samples = track->samples, .n_samples = count, .data = track->bytes.data, .end = end};
    for (int i = 0; i < count; i++)
        run.bytes += track->samples[i].bytes;
    return run;
}

/* --- parts --- */

static struct cp_hls_body *make_fragment(struct cp_hls *hls, const struct cp_fmp4_run *video,
                                         const struct cp_fmp4_run *audio)
{
    hls->scratch.length = 0;
    cp_fmp4_write_fragment_head(&hls->scratch, ++hls->n_fragments, video, audio);
    size_t head = hls->scratch.length;
    struct cp_hls_body *body =
        hls->scratch.failed ? NULL : cp_hls_body_create(head + video->bytes + audio->bytes);
    hls->scratch.failed = false;
    if (!body)
        return NULL;
    memcpy(body->data, hls->scratch.data, head);
    if (video->bytes)
        memcpy(body->data + head, video->data, video->bytes);
    if (audio->bytes)
        memcpy(body->data + head + video->bytes, audio->data, audio->bytes);
    return body;
}

/* Publishes the frames before `end` as the next part. Out of memory: the frames are lost, time goes on. */
static void publish_part(struct cp_hls *hls, int64_t end)
{
    struct cp_hls_segment *segment = newest(hls);
    assert(segment->n_parts < CP_HLS_MAX_PARTS);
    int n_video = count_before(&hls->video, end), n_audio = count_before(&hls->audio, end);
    if (!n_video)
        n_video = hls->video.n_samples > 0;
    if (n_video && hls->video.samples[0].at > hls->part_start)
        hls->video.samples[0].at = hls->part_start;
    struct cp_fmp4_run video = run_of(&hls->video, n_video, end), audio = run_of(&hls->audio, n_audio, 0);
    struct cp_hls_part *part = &segment->parts[segment->n_parts];
    part->independent = n_video && video.samples[0].key;
    part->length = end - hls->part_start;
    part->body = make_fragment(hls, &video, &audio);
    if (part->body && part->independent && !segment->n_parts)
        segment->key_bytes =
            part->body->length - video.bytes - audio.bytes + video.samples[0].bytes; /* video comes first */
    forget(&hls->video, n_video);
    forget(&hls->audio, n_audio);
    hls->part_start = end;
    if (!part->body)
        return;
    segment->n_parts++;
    segment->length = end - segment->start;
    hls->stats.parts++;
    hls->stats.live_edge_samples = end;
    if (hls->on_cut)
        hls->on_cut(hls->on_cut_user, &(struct cp_hls_cut){.init = segment->init.body,
                                                           .body = part->body,
                                                           .at = end - part->length,
                                                           .length = part->length,
                                                           .independent = part->independent});
}

/* --- segments --- */

static bool update_init(struct cp_hls *hls, const struct cp_fmp4_avc *avc)
{
    bool same = hls->init.body && !memcmp(avc, &hls->avc, sizeof *avc);
    if (same || !avc->sps_bytes || !avc->pps_bytes)
        return hls->init.body != NULL;
    hls->scratch.length = 0;
    cp_fmp4_write_init(&hls->scratch, hls->width, hls->height, avc, hls->aac, hls->aac_bytes);
    struct cp_hls_body *body = hls->scratch.failed ? NULL : cp_hls_body_create(hls->scratch.length);
    hls->scratch.failed = false;
    if (!body)
        return false;
    memcpy(body->data, hls->scratch.data, body->length);
    hls->discontinuity_next |= hls->init.body != NULL;
    cp_ref_drop(hls->init.body);
    hls->init.body = body;
    hls->init.number++;
    hls->avc = *avc;
    return true;
}

/* Joins the parts into the segment's body and drops what is too old. */
static void close_segment(struct cp_hls *hls)
{
    struct cp_hls_segment *segment = newest(hls);
    size_t bytes = 0, at = 0;
    for (int i = 0; i < segment->n_parts; i++)
        bytes += segment->parts[i].body->length;
    segment->body = segment->n_parts ? cp_hls_body_create(bytes) : NULL;
    hls->open = false;
    if (!segment->body) { /* nothing in it, or out of memory: the number is not used */
        hls->discontinuity_next |= segment->n_parts > 0;
        free_segment(segment);
        hls->n_segments--;
        hls->next_msn--;
        return;
    }
    for (int i = 0; i < segment->n_parts; i++) {
        memcpy(segment->body->data + at, segment->parts[i].body->data, segment->parts[i].body->length);
        at += segment->parts[i].body->length;
    }
    hls->stats.segments++;
    uint64_t bps = segment->length ? bytes * 8 * CP_SAMPLE_HZ / (uint64_t)segment->length : 0;
    if (segment->length >= hls->segment_samples / 2 && bps > hls->peak_bps)
        hls->peak_bps = bps;
    if (segment->key_bytes > hls->peak_key_bytes)
        hls->peak_key_bytes = segment->key_bytes;
    hls->mean_bps = hls->mean_bps ? (hls->mean_bps * 7 + bps) / 8 : bps;
    if (hls->n_segments > CP_HLS_PART_SEGMENTS) {
        struct cp_hls_segment *old = cp_hls_segment(hls, hls->n_segments - 1 - CP_HLS_PART_SEGMENTS);
        for (int i = 0; i < old->n_parts; i++) {
            cp_ref_drop(old->parts[i].body);
            cp_ref_drop(old->parts[i].captions);
            old->parts[i].body = old->parts[i].captions = NULL;
        }
    }
}

#define DISCONTINUITY_SLOTS 1000

/* Media sequence numbers start at the wall clock's slot, so that they rise over restarts and take-overs by
 * another machine without anything being remembered. The count of discontinuities starts there too, but only
 * with its last digits: what matters is that it differs from the one before, and players keep an array by it
 * (hls.js copies that array for each segment: hundreds of millions of empty places hang the page). The oldest
 * pending frame is the segment's first, and need not be exactly at `start`. */
static void open_segment(struct cp_hls *hls, int64_t start, bool by_key)
{
    const struct cp_fmp4_sample *frame = &hls->video.samples[0];
    int64_t wall_ns = hls->video.wall_ns[0] - (frame->at - start) * CP_NS_PER_S / CP_SAMPLE_HZ;
    if (!hls->next_msn) {
        hls->next_msn = (uint64_t)(wall_ns / 1000 * (CP_SAMPLE_HZ / 1000) / 1000 / hls->segment_samples) + 1;
        hls->discontinuities = hls->next_msn % DISCONTINUITY_SLOTS;
        hls->discontinuity_next = true;
    }
    if (hls->n_segments == hls->n_ring) {
        free_segment(cp_hls_segment(hls, 0));
        hls->first = (hls->first + 1) % hls->n_ring;
        hls->n_segments--;
    }
    hls->n_segments++;
    struct cp_hls_segment *segment = newest(hls);
    *segment = (struct cp_hls_segment){.msn = hls->next_msn++,
                                       .start = start,
                                       .slot = slot(hls, by_key ? frame->at : start),
                                       .wall_ns = wall_ns,
                                       .independent = by_key,
                                       .discontinuity = hls->discontinuity_next,
                                       .discontinuities = hls->discontinuities,
                                       .init = {cp_ref_take(hls->init.body), hls->init.number}};
    hls->discontinuities += hls->discontinuity_next;
    hls->discontinuity_next = false;
    hls->open = true;
    hls->part_start = start;
}

/* The end of the next part when its pictures are all there; -1 when not yet. */
static int64_t part_end(struct cp_hls *hls)
{
    int64_t end = hls->part_start + hls->part_samples;
    for (int i = 0; i < hls->video.n_samples; i++) {
        const struct cp_fmp4_sample *frame = &hls->video.samples[i];
        if (frame->at >= end)
            return end;
        if (frame->key && frame->at > hls->part_start && starts_segment(hls, frame->at))
            return frame->at;
    }
    return hls->video.end >= end ? end : -1;
}

/* Ends the segment when the next frame starts a new one. One that reached the target duration without an IDR
 * is cut all the same: a too long one would break the playlist. */
static bool cut_segment(struct cp_hls *hls)
{
    const struct cp_fmp4_sample *frame = &hls->video.samples[0];
    struct cp_hls_segment *segment = newest(hls);
    bool by_key = frame->key && frame->at >= hls->part_start && starts_segment(hls, frame->at);
    int64_t longest = hls->target_s * CP_SAMPLE_HZ + CP_SAMPLE_HZ / 2; /* EXTINF rounds to the target */
    bool by_force = segment->length + hls->part_samples >= longest || segment->n_parts == CP_HLS_MAX_PARTS;
    if (!segment->n_parts || !(by_key || by_force))
        return false;
    int64_t start = hls->part_start;
    if (by_key && frame->at - start > MAX_STRETCH) {
        start = frame->at;
        hls->discontinuity_next = true;
    }
    close_segment(hls);
    open_segment(hls, start, by_key);
    return true;
}

/* Cuts all that is complete; without waiting for sound when there will be no more. */
static bool cut(struct cp_hls *hls, bool at_end)
{
    bool news = false;
    while (hls->open && hls->video.n_samples) {
        news |= cut_segment(hls);
        int64_t end = part_end(hls);
        bool sounds =
            !hls->aac_bytes || hls->audio.end >= end || at_end || hls->video.end - end >= AUDIO_PATIENCE;
        if (end < 0 || !sounds)
            break;
        publish_part(hls, end);
        news = true;
    }
    return news;
}

/* The clock jumped, or the encoder changed: what is pending ends here, and the stream begins anew at the next
 * key frame. */
static bool begin_anew(struct cp_hls *hls)
{
    bool news = hls->open;
    if (hls->open) {
        cut(hls, true);
        if (hls->video.n_samples && newest(hls)->n_parts < CP_HLS_MAX_PARTS)
            publish_part(hls, hls->video.end);
        close_segment(hls);
    }
    forget(&hls->video, hls->video.n_samples);
    forget(&hls->audio, hls->audio.n_samples);
    hls->discontinuity_next |= news;
    return news;
}

/* Reads the parameter sets in front of a key frame; true when they are not those of the header. */
static bool has_new_sets(struct cp_hls *hls, const struct cp_packet *packet, struct cp_fmp4_avc *avc)
{
    hls->scratch.length = 0;
    cp_fmp4_add_unit(&hls->scratch, packet->data, packet->length_bytes, avc);
    hls->scratch.failed = false;
    return memcmp(avc, &hls->avc, sizeof *avc) != 0;
}

static bool take_video(struct cp_hls *hls, const struct cp_packet *packet)
{
    struct cp_fmp4_avc avc = hls->avc;
    bool news = false;
    if (hls->open && packet->at_samples < hls->video.end) {
        if (packet->at_samples >= hls->video.end - MAX_GAP)
            return false; /* late or double */
        news = begin_anew(hls);
    } else if (hls->open && packet->at_samples - hls->video.end > MAX_GAP) {
        news = begin_anew(hls);
    }
    if (packet->key && has_new_sets(hls, packet, &avc) && hls->open)
        news |= begin_anew(hls);
    if (!hls->open && (!packet->key || !update_init(hls, &avc)))
        return news;
    if (!append(&hls->video, packet))
        return begin_anew(hls) || news;
    if (!hls->open) {
        forget(&hls->audio, count_before(&hls->audio, packet->at_samples));
        open_segment(hls, packet->at_samples, true);
    }
    return cut(hls, false) || news;
}

static bool take_audio(struct cp_hls *hls, const struct cp_packet *packet)
{
    if (!hls->aac_bytes || (hls->open && packet->at_samples < newest(hls)->start && !newest(hls)->n_parts))
        return false; /* before the first picture */
    if (hls->audio.n_samples && packet->at_samples < hls->audio.end)
        forget(&hls->audio, hls->audio.n_samples); /* the clock went back; the picture follows */
    if (!append(&hls->audio, packet)) {
        forget(&hls->audio, hls->audio.n_samples / 2);
        append(&hls->audio, packet);
    }
    return hls->open && cut(hls, false);
}

bool cp_hls_take(struct cp_hls *hls, const struct cp_packet *packet)
{
    bool news = packet->codec == CP_CODEC_H264  ? take_video(hls, packet)
                : packet->codec == CP_CODEC_AAC ? take_audio(hls, packet)
                                                : false;
    if (news)
        cp_hls_playlists_outdated(hls);
    return news;
}
