#include "rig.h"

#include "encode/encode.h"
#include "source.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cp_packet loop_frames[LOOP_FRAMES], loop_sounds[LOOP_SOUNDS];
static int n_frames, n_sounds;
static uint8_t aac[16];
static int aac_bytes;
static int64_t wall_start_ns = WALL_NS;

static void keep(struct cp_packet *to, const struct cp_packet *packet)
{
    *to = *packet;
    to->data = malloc(packet->length_bytes);
    memcpy(to->data, packet->data, packet->length_bytes);
}

static void keep_frame(void *user, struct cp_packet *packet)
{
    keep(&loop_frames[n_frames++], packet);
}

/* The first packet holds nothing but the coder's run-up; the loop starts with the sound of sample 0. */
static void keep_sound(void *user, struct cp_packet *packet)
{
    if (packet->at_samples >= 0 && n_sounds < LOOP_SOUNDS)
        keep(&loop_sounds[n_sounds++], packet);
}

void rig_make_loop(void)
{
    struct cp_encode_config config;
    struct cp_config_section section = {"encode", cp_encode_options, cp_encode_n_options, &config};
    struct cp_venc *venc;
    struct cp_aenc *aenc;
    int16_t pcm[1024];
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    config.video_kbps = 400;
    assert_int_equal(cp_venc_create(&config, WIDTH, HEIGHT, keep_frame, NULL, &venc, NULL), 0);
    assert_int_equal(cp_aenc_create(&config, CP_CODEC_AAC, keep_sound, NULL, &aenc, NULL), 0);
    struct cp_pool *pool = cp_picture_pool_create(WIDTH, HEIGHT, 1);
    for (int i = 0; i < LOOP_FRAMES; i++) {
        struct cp_picture *picture = cp_picture_get(pool, WIDTH, HEIGHT);
        paint(picture, i);
        assert_int_equal(cp_venc_encode(venc, picture, 0, NULL), 0);
        cp_ref_drop(picture);
    }
    for (int64_t at = 0; n_sounds < LOOP_SOUNDS; at += 1024) {
        for (int i = 0; i < 1024; i++)
            pcm[i] = sweep(at + i);
        assert_int_equal(cp_aenc_encode(aenc, pcm, 1024, at, 0, NULL, NULL), 0);
    }
    aac_bytes = cp_aenc_extradata(aenc, aac, sizeof aac);
    cp_pool_destroy(pool);
    cp_venc_destroy(venc);
    cp_aenc_destroy(aenc);
}

void rig_free_loop(void)
{
    for (int i = 0; i < n_frames; i++)
        free(loop_frames[i].data);
    for (int i = 0; i < n_sounds; i++)
        free(loop_sounds[i].data);
}

void rig_set_wall_ns(int64_t wall_ns)
{
    wall_start_ns = wall_ns;
}

struct cp_hls *rig_create(int segments, bool sound)
{
    struct cp_hls_config config;
    struct cp_config_section section = {"hls", cp_hls_options, cp_hls_n_options, &config};
    struct cp_error error;
    struct cp_hls *hls;
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    config.segments = segments;
    if (cp_hls_create(&config, WIDTH, HEIGHT, EPOCH, aac, sound ? aac_bytes : 0, &hls, &error))
        fail_msg("%s", error.text);
    return hls;
}

static void push(struct cp_hls *hls, const struct cp_packet *packet, int64_t at)
{
    struct cp_packet moved = *packet;
    moved.at_samples = at;
    moved.captured_wall_ns = wall_start_ns + at * 1000000 / 48;
    cp_hls_push(hls, &moved);
}

const struct cp_packet *rig_frame(int64_t frame)
{
    return &loop_frames[frame % LOOP_FRAMES];
}

const struct cp_packet *rig_sound(int64_t sound)
{
    return &loop_sounds[sound % LOOP_SOUNDS];
}

int rig_aac(uint8_t *ret_bytes)
{
    memcpy(ret_bytes, aac, (size_t)aac_bytes);
    return aac_bytes;
}

void rig_push_frame(struct feed *feed, int64_t frame, const uint8_t *other_data, size_t other_length)
{
    struct cp_packet packet = *rig_frame(frame);
    if (other_data) {
        packet.data = (uint8_t *)other_data;
        packet.length_bytes = other_length;
    }
    push(feed->hls, &packet, frame * CP_SAMPLES_PER_FRAME + feed->shift);
}

void rig_push_key(struct feed *feed, int64_t frame)
{
    push(feed->hls, &loop_frames[0], frame * CP_SAMPLES_PER_FRAME + feed->shift);
}

void rig_feed(struct feed *feed, int64_t to)
{
    for (; feed->frame < to; feed->frame++) {
        if (!feed->no_picture)
            rig_push_frame(feed, feed->frame, NULL, 0);
        /* AAC comes three frames of its own late: one to fill, one of look-ahead, one of overlap. */
        int64_t ready = (feed->frame + 1) * CP_SAMPLES_PER_FRAME - 3 * 1024;
        for (; feed->sound * 1024 <= ready; feed->sound++)
            if (!feed->no_sound)
                push(feed->hls, &loop_sounds[feed->sound % LOOP_SOUNDS], feed->sound * 1024 + feed->shift);
    }
}

static void remember(void *user, const struct cp_hls_response *response)
{
    struct answer *answer = user;
    answer->count++;
    answer->status = response->status;
    answer->content_type = response->content_type;
    answer->cache_control = response->cache_control;
    answer->detail = response->detail;
    answer->body = response->body;
}

void rig_ask(struct cp_hls *hls, const char *file, const char *query, struct answer *answer)
{
    memset(answer, 0, sizeof *answer);
    cp_hls_request(hls, file, query, remember, answer, &answer->waiting);
    assert_int_equal(answer->count, answer->waiting == 0);
}

void rig_drop(struct answer *answer)
{
    cp_ref_drop(answer->body);
    answer->body = NULL;
}

int rig_status(struct cp_hls *hls, const char *file, const char *query)
{
    struct answer answer;
    rig_ask(hls, file, query, &answer);
    if (answer.waiting) {
        assert_true(cp_hls_abandon(hls, answer.waiting));
        fail_msg("%s?%s waits", file, query);
    }
    if (answer.status != 200) {
        assert_non_null(answer.detail);
        assert_string_equal(answer.cache_control, "no-store");
    }
    rig_drop(&answer);
    return answer.status;
}

char *rig_text(struct cp_hls *hls, const char *file, const char *query)
{
    struct answer answer;
    rig_ask(hls, file, query, &answer);
    if (answer.status != 200)
        fail_msg("%s?%s: %d %s", file, query, answer.status, answer.detail ? answer.detail : "waits");
    assert_string_equal(answer.content_type, "application/vnd.apple.mpegurl");
    char *text = strndup((const char *)answer.body->data, answer.body->length);
    rig_drop(&answer);
    return text;
}

struct cp_hls_body *rig_body(struct cp_hls *hls, const char *file)
{
    struct answer answer;
    rig_ask(hls, file, "", &answer);
    if (answer.status != 200)
        fail_msg("%s: %d %s", file, answer.status, answer.detail ? answer.detail : "waits");
    assert_string_equal(answer.content_type, "video/mp4");
    assert_non_null(strstr(answer.cache_control, "immutable"));
    return answer.body;
}

/* --- playlists --- */

static double attribute(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    if (!at)
        fail_msg("no %s in %s", name, line);
    return strtod(at + strlen(name), NULL);
}

static void quoted(const char *line, char *to, size_t capacity)
{
    const char *from = strstr(line, "URI=\"");
    assert_non_null(from);
    snprintf(to, capacity, "%.*s", (int)strcspn(from + 5, "\""), from + 5);
}

static void read_line(struct listed *listed, struct listed_segment *segment, const char *line)
{
    if (!strncmp(line, "#EXT-X-TARGETDURATION:", 22)) {
        listed->target = atoi(line + 22);
    } else if (!strncmp(line, "#EXT-X-SERVER-CONTROL:", 22)) {
        assert_non_null(strstr(line, "CAN-BLOCK-RELOAD=YES"));
        listed->skip_until = attribute(line, "CAN-SKIP-UNTIL=");
        listed->hold_back = attribute(line, ",HOLD-BACK=");
        listed->part_hold_back = attribute(line, "PART-HOLD-BACK=");
    } else if (!strncmp(line, "#EXT-X-PART-INF:", 16)) {
        listed->part_target = attribute(line, "PART-TARGET=");
    } else if (!strncmp(line, "#EXT-X-MEDIA-SEQUENCE:", 22)) {
        listed->msn = strtoull(line + 22, NULL, 10);
    } else if (!strncmp(line, "#EXT-X-DISCONTINUITY-SEQUENCE:", 30)) {
        listed->discontinuity_sequence = strtoull(line + 30, NULL, 10);
    } else if (!strncmp(line, "#EXT-X-SKIP:", 12)) {
        listed->skipped = (int)attribute(line, "SKIPPED-SEGMENTS=");
    } else if (!strncmp(line, "#EXT-X-MAP:", 11)) {
        quoted(line, listed->map, sizeof listed->map);
    } else if (!strncmp(line, "#EXT-X-PRELOAD-HINT:TYPE=PART,", 30)) {
        assert_string_equal(listed->hint, "");
        quoted(line, listed->hint, sizeof listed->hint);
    } else if (!strncmp(line, "#EXT-X-RENDITION-REPORT:", 24)) {
        listed->report_msn = (uint64_t)attribute(line, "LAST-MSN=");
        listed->report_part = (int)attribute(line, "LAST-PART=");
    } else if (!strncmp(line, "#EXT-X-DATERANGE:", 17)) {
        assert_int_equal(listed->n_segments, 0);
        snprintf(listed->ranges[listed->n_ranges++], sizeof listed->ranges[0], "%.299s", line + 17);
        assert_true(listed->n_ranges < MAX_RANGES);
    } else if (!strcmp(line, "#EXT-X-DISCONTINUITY")) {
        segment->discontinuity = true;
    } else if (!strncmp(line, "#EXT-X-PROGRAM-DATE-TIME:", 25)) {
        snprintf(segment->date, sizeof segment->date, "%.39s", line + 25);
    } else if (!strncmp(line, "#EXT-X-PART:", 12)) {
        struct listed_part *part = &segment->parts[segment->n_parts++];
        assert_true(segment->n_parts <= 24);
        part->duration = attribute(line, "DURATION=");
        part->independent = strstr(line, "INDEPENDENT=YES") != NULL;
        quoted(line, part->uri, sizeof part->uri);
    } else if (!strncmp(line, "#EXTINF:", 8)) {
        segment->duration = strtod(line + 8, NULL);
        assert_true(segment->duration > 0);
    } else if (*line != '#') {
        snprintf(segment->uri, sizeof segment->uri, "%.95s", line);
    } else if (strcmp(line, "#EXTM3U") && strcmp(line, "#EXT-X-VERSION:9") &&
               strcmp(line, "#EXT-X-INDEPENDENT-SEGMENTS")) {
        fail_msg("unexpected line %s", line);
    }
}

/* Seconds of the day; the tests do not run past midnight. */
static double time_of_day(const char *date)
{
    int h, m;
    double s;
    assert_int_equal(sscanf(date + 11, "%d:%d:%lfZ", &h, &m, &s), 3);
    return h * 3600 + m * 60 + s;
}

static void check_segment(const struct listed *listed, const struct listed_segment *segment)
{
    char expected[96];
    double sum = 0;
    for (int i = 0; i < segment->n_parts; i++) {
        const struct listed_part *part = &segment->parts[i];
        bool last = segment->duration > 0 && i + 1 == segment->n_parts;
        assert_true(part->duration <= listed->part_target + 1e-6);
        if (!last && part->duration < 0.85 * listed->part_target)
            fail_msg("%s lasts %.3f s of %.3f", part->uri, part->duration, listed->part_target);
        snprintf(expected, sizeof expected, "%s-" EPOCH "-%llu.%d.%s", listed->captions ? "captions" : "part",
                 (unsigned long long)segment->msn, i, listed->captions ? "vtt" : "m4s");
        assert_string_equal(part->uri, expected);
        sum += part->duration;
    }
    for (int i = 0; i < segment->n_parts; i++) /* the loop's key frames stand where segments start */
        assert_int_equal(segment->parts[i].independent, i == 0 || listed->captions);
    assert_true(*segment->date);
    if (segment->duration <= 0)
        return;
    assert_true(lround(segment->duration) <= listed->target);
    snprintf(expected, sizeof expected, "%s-" EPOCH "-%llu.%s", listed->captions ? "captions" : "seg",
             (unsigned long long)segment->msn, listed->captions ? "vtt" : "m4s");
    assert_string_equal(segment->uri, expected);
    if (segment->n_parts)
        assert_true(fabs(sum - segment->duration) < 1e-3);
}

static void check_playlist(const struct listed *listed)
{
    double behind = 0;
    assert_true(listed->hold_back >= 3 * listed->target);
    assert_true(listed->part_hold_back >= 3 * listed->part_target);
    assert_true(listed->skip_until >= 6 * listed->target);
    assert_true(listed->captions ? !*listed->map : *listed->map || listed->skipped);
    for (int i = listed->n_segments - 1; i >= 0; i--) {
        const struct listed_segment *segment = &listed->segments[i];
        assert_int_equal(segment->msn, listed->msn + (uint64_t)(listed->skipped + i));
        check_segment(listed, segment);
        if (behind < 3 * listed->target)
            assert_true(segment->n_parts > 0);
        behind += segment->duration > 0 ? segment->duration : segment->n_parts * listed->part_target;
        if (i + 1 < listed->n_segments && !segment[1].discontinuity) {
            double step = time_of_day(segment[1].date) - time_of_day(segment->date);
            assert_true(fabs(step - segment->duration) < 0.002);
        }
    }
    const struct listed_segment *last = &listed->segments[listed->n_segments - 1];
    char next[2][96];
    const char *kind = listed->captions ? "captions" : "part", *ending = listed->captions ? "vtt" : "m4s";
    snprintf(next[0], 96, "%s-" EPOCH "-%llu.%d.%s", kind, (unsigned long long)last->msn, last->n_parts,
             ending);
    snprintf(next[1], 96, "%s-" EPOCH "-%llu.0.%s", kind, (unsigned long long)last->msn + 1, ending);
    assert_int_equal(listed->report_msn, last->msn);
    assert_int_equal(listed->report_part, last->n_parts - 1);
    assert_true((last->duration <= 0 && !strcmp(listed->hint, next[0])) || !strcmp(listed->hint, next[1]));
}

void rig_read_playlist(const char *text, struct listed *ret_listed)
{
    char line[400];
    assert_int_equal(strncmp(text, "#EXTM3U\n#EXT-X-VERSION:9\n", 25), 0);
    memset(ret_listed, 0, sizeof *ret_listed);
    ret_listed->captions = strstr(text, ".vtt\"") != NULL;
    while (*text) {
        int length = (int)strcspn(text, "\n");
        struct listed_segment *segment = &ret_listed->segments[ret_listed->n_segments];
        assert_true(length < (int)sizeof line && text[length] == '\n');
        snprintf(line, sizeof line, "%.*s", length, text);
        read_line(ret_listed, segment, line);
        if (*segment->uri)
            assert_true(++ret_listed->n_segments < MAX_LISTED);
        text += length + 1;
    }
    ret_listed->n_complete = ret_listed->n_segments;
    ret_listed->n_segments += ret_listed->segments[ret_listed->n_segments].n_parts > 0;
    for (int i = 0; i < ret_listed->n_segments; i++)
        ret_listed->segments[i].msn = ret_listed->msn + (uint64_t)(ret_listed->skipped + i);
    assert_true(ret_listed->n_segments > 0);
    check_playlist(ret_listed);
}
