#include "rig.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void playlist_keeps_every_rule_at_every_part(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    uint64_t versions = 0, last_parts = 0;
    for (int i = 1; i < 40 * 30; i++) {
        rig_feed(&feed, i);
        struct cp_hls_stats stats = cp_hls_stats(feed.hls);
        if (stats.parts == last_parts)
            continue;
        last_parts = stats.parts;
        versions++;
        char *text = rig_text(feed.hls, "video.m3u8", "");
        rig_read_playlist(text, &listed);
        assert_true(listed.n_complete <= 10);
        free(text);
    }
    assert_int_equal(versions, (40 * 30 - 1 - 3) / FRAMES_PART);
    assert_int_equal(listed.n_complete, 10);
    assert_int_equal(listed.target, 2);
    assert_true(listed.part_target > 0.1999 && listed.part_target < 0.2001);
    cp_hls_destroy(feed.hls);
}

/* Every segment of the grid is exactly two seconds, whatever the first one was. */
static void playlist_segments_stand_on_the_grid(void **state)
{
    struct feed feed = {.hls = rig_create(10, true), .shift = 384000 * 3};
    static struct listed listed;
    feed.frame = 60; /* the channel is joined late */
    feed.sound = 90;
    rig_feed(&feed, 60 + 400);
    char *text = rig_text(feed.hls, "video.m3u8", "");
    rig_read_playlist(text, &listed);
    free(text);
    for (int i = 0; i < listed.n_complete; i++)
        assert_true(listed.segments[i].duration == 2.0);
    assert_int_equal(listed.n_complete, 6);
    assert_string_equal(listed.segments[0].date, "2023-11-14T22:13:46.000Z");
    cp_hls_destroy(feed.hls);
}

static const char *line_at(const char *text, const char *start)
{
    const char *at = strstr(text, start);
    return at ? at : "";
}

/* What a player does: old segments from the playlist it has, the rest from the update. */
static void playlist_delta_merges_to_the_full_one(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed full, delta, before;
    int compared = 0;
    for (int i = 100; i < 35 * 30; i += 6) {
        rig_feed(&feed, i);
        char *full_text = rig_text(feed.hls, "video.m3u8", "");
        char *delta_text = rig_text(feed.hls, "video.m3u8", "_HLS_skip=YES");
        rig_read_playlist(full_text, &full);
        rig_read_playlist(delta_text, &delta);
        assert_int_equal(delta.msn, full.msn);
        assert_int_equal(delta.discontinuity_sequence, full.discontinuity_sequence);
        assert_int_equal(delta.skipped + delta.n_segments, full.n_segments);
        for (int s = 0; s < delta.n_segments; s++)
            assert_memory_equal(&delta.segments[s], &full.segments[delta.skipped + s],
                                sizeof full.segments[0]);
        if (delta.skipped) {
            /* All that is left out was in the playlist before, and lies behind the skip boundary. */
            double behind = 0;
            for (int s = delta.skipped; s < full.n_complete; s++)
                behind += full.segments[s].duration;
            assert_true(behind >= full.skip_until);
            assert_true(full.msn + (uint64_t)delta.skipped <= before.msn + (uint64_t)before.n_complete);
            assert_true(strlen(delta_text) < strlen(full_text));
            compared++;
        } else {
            assert_string_equal(delta_text, full_text);
        }
        before = full;
        free(full_text);
        free(delta_text);
    }
    assert_true(compared > 50);
    cp_hls_destroy(feed.hls);
}

static void main_playlist_describes_the_stream(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    rig_feed(&feed, 200);
    char *text = rig_text(feed.hls, "index.m3u8", "");
    assert_non_null(strstr(text, "CODECS=\"avc1.42e01f,mp4a.40.2\""));
    assert_non_null(strstr(text, "RESOLUTION=320x180,FRAME-RATE=30.000"));
    assert_int_equal(strncmp(line_at(text, "video.m3u8"), "video.m3u8\n", 11), 0);
    double bandwidth = strtod(line_at(text, "BANDWIDTH=") + 10, NULL);
    static struct listed listed;
    char *media = rig_text(feed.hls, "video.m3u8", "");
    rig_read_playlist(media, &listed);
    for (int i = 0; i < listed.n_complete; i++) {
        struct cp_hls_body *body = rig_body(feed.hls, listed.segments[i].uri);
        double rate = (double)body->length * 8 / listed.segments[i].duration;
        assert_true(rate <= bandwidth && rate * 3 > bandwidth);
        cp_ref_drop(body);
    }
    free(media);
    free(text);
    cp_hls_destroy(feed.hls);
    feed = (struct feed){.hls = rig_create(10, false)};
    rig_feed(&feed, 10);
    text = rig_text(feed.hls, "index.m3u8", "");
    assert_non_null(strstr(text, "CODECS=\"avc1.42e01f\","));
    free(text);
    cp_hls_destroy(feed.hls);
}

/* The list of key frames has a range of each segment, which ends with its first picture. */
static void keys_playlist_names_a_picture_a_segment(void **state)
{
    struct feed feed = {.hls = rig_create(5, true)};
    static struct listed listed;
    struct answer early;
    unsigned long long msn;
    int n = 0;
    rig_feed(&feed, 30);
    rig_ask(feed.hls, "keys.m3u8", "", &early);
    assert_true(early.waiting);
    char *text = rig_text(feed.hls, "index.m3u8", "");
    assert_null(strstr(text, "I-FRAME"));
    free(text);
    rig_feed(&feed, 600);
    assert_int_equal(early.status, 200);
    rig_drop(&early);
    text = rig_text(feed.hls, "index.m3u8", "");
    const char *variant = strstr(text, "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=");
    assert_non_null(variant);
    assert_non_null(strstr(variant, "CODECS=\"avc1.42e01f\",RESOLUTION=320x180,URI=\"keys.m3u8\"\n"));
    double bandwidth = strtod(variant + 36, NULL);
    char *media = rig_text(feed.hls, "video.m3u8", ""), *keys = rig_text(feed.hls, "keys.m3u8", "");
    rig_read_playlist(media, &listed);
    assert_non_null(strstr(keys, "#EXT-X-I-FRAMES-ONLY\n"));
    assert_int_equal(sscanf(line_at(keys, "#EXT-X-MEDIA-SEQUENCE:"), "#EXT-X-MEDIA-SEQUENCE:%llu", &msn), 1);
    assert_int_equal(msn, listed.msn);
    for (const char *at = keys; (at = strstr(at, "#EXT-X-BYTERANGE:")); at++, n++) {
        struct cp_hls_body *body = rig_body(feed.hls, listed.segments[n].uri);
        size_t bytes = strtoul(at + 17, NULL, 10);
        char next[128];
        snprintf(next, sizeof next, "#EXT-X-BYTERANGE:%zu@0\n%s\n", bytes, listed.segments[n].uri);
        assert_int_equal(strncmp(at, next, strlen(next)), 0);
        assert_true(bytes < body->length && (double)bytes * 8 / listed.segments[n].duration <= bandwidth);
        /* The picture's bytes stand at the range's end, as the encoder made them. */
        const struct cp_packet *frame = rig_frame((600 / 60 - 1 - listed.n_complete + n) * 60);
        assert_memory_equal(body->data + bytes - 32, frame->data + frame->length_bytes - 32, 32);
        cp_ref_drop(body);
    }
    assert_int_equal(n, listed.n_complete);
    free(media);
    free(keys);
    free(text);
    cp_hls_destroy(feed.hls);
}

/* Numbers rise over a restart, so that a player that stayed goes on. */
static void playlist_numbers_rise_over_a_restart(void **state)
{
    static struct listed before, after;
    struct feed feed = {.hls = rig_create(5, true)};
    rig_feed(&feed, 1000);
    char *text = rig_text(feed.hls, "video.m3u8", "");
    rig_read_playlist(text, &before);
    free(text);
    cp_hls_destroy(feed.hls);
    feed = (struct feed){.hls = rig_create(5, true), .shift = 384000 * 5}; /* 40 s later by the wall clock */
    rig_feed(&feed, 100);
    text = rig_text(feed.hls, "video.m3u8", "");
    rig_read_playlist(text, &after);
    free(text);
    assert_true(after.msn > before.msn + (uint64_t)before.n_segments);
    assert_true(after.segments[0].discontinuity);
    assert_true(after.discontinuity_sequence > before.discontinuity_sequence);
    cp_hls_destroy(feed.hls);
}

static void playlist_marks_a_jump_of_the_clock(void **state)
{
    static struct listed listed;
    struct feed feed = {.hls = rig_create(10, true)};
    rig_feed(&feed, 130);
    feed.frame = 180;
    feed.sound = 290;
    feed.shift = 48000 * 60;
    rig_feed(&feed, 400);
    char *text = rig_text(feed.hls, "video.m3u8", "");
    rig_read_playlist(text, &listed);
    free(text);
    assert_true(listed.segments[0].discontinuity); /* a start is one, too */
    assert_false(listed.segments[1].discontinuity);
    assert_false(listed.segments[2].discontinuity);
    assert_true(listed.segments[3].discontinuity);
    assert_true(listed.segments[2].duration > 0.3 && listed.segments[2].duration < 0.4);
    assert_true(listed.segments[3].duration == 2.0);
    cp_hls_destroy(feed.hls);
}

/* Ten minutes of stream; what is kept after two is what is kept after ten. */
static void memory_is_flat_over_ten_minutes(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    size_t first = 0;
    for (int minute = 1; minute <= 10; minute++) {
        rig_feed(&feed, minute * 60 * 30);
        size_t used = mallinfo2().uordblks;
        if (minute == 2)
            first = used;
        if (minute > 2 && (used > first + first / 20 || used < first - first / 20))
            fail_msg("%zu bytes after two minutes, %zu after %d", first, used, minute);
    }
    struct cp_hls_stats stats = cp_hls_stats(feed.hls);
    assert_int_equal(stats.segments, 299);
    assert_int_equal(rig_status(feed.hls, "init-" EPOCH "-1.mp4", ""), 200);
    cp_hls_destroy(feed.hls);
}

static int setup(void **state)
{
    rig_make_loop();
    return 0;
}

static int teardown(void **state)
{
    rig_free_loop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(playlist_keeps_every_rule_at_every_part),
        cmocka_unit_test(playlist_segments_stand_on_the_grid),
        cmocka_unit_test(playlist_delta_merges_to_the_full_one),
        cmocka_unit_test(main_playlist_describes_the_stream),
        cmocka_unit_test(keys_playlist_names_a_picture_a_segment),
        cmocka_unit_test(playlist_numbers_rise_over_a_restart),
        cmocka_unit_test(playlist_marks_a_jump_of_the_clock),
        cmocka_unit_test(memory_is_flat_over_ten_minutes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
