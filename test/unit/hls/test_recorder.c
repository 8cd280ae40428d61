/* A recorder between a stream and a store that is slow, broken or gone. */
#include "deliver/hls/fmp4.h"
#include "deliver/record/recorder.h"

#include "base/clock.h"
#include "media/clock.h"
#include "rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_KEPT 64

/* What was kept, and how the next puts shall go. */
struct shelf {
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct cp_chunk kept[MAX_KEPT];
    int n, tries;
    bool broken, shut; /* shut: puts wait */
};

static void shelf_init(struct shelf *shelf)
{
    memset(shelf, 0, sizeof *shelf);
    pthread_mutex_init(&shelf->lock, NULL);
    pthread_cond_init(&shelf->news, NULL);
}

static int keep(void *user, const struct cp_chunk *chunk, struct cp_error *error)
{
    struct shelf *shelf = user;
    pthread_mutex_lock(&shelf->lock);
    shelf->tries++;
    pthread_cond_broadcast(&shelf->news);
    while (shelf->shut)
        pthread_cond_wait(&shelf->news, &shelf->lock);
    int result = shelf->broken ? cp_fail(error, CP_ERR_IO, "test", "the shelf is broken") : 0;
    if (!result && shelf->n < MAX_KEPT)
        shelf->kept[shelf->n++] = *chunk;
    pthread_cond_broadcast(&shelf->news);
    pthread_mutex_unlock(&shelf->lock);
    return result;
}

static void set(struct shelf *shelf, bool broken, bool shut)
{
    pthread_mutex_lock(&shelf->lock);
    shelf->broken = broken;
    shelf->shut = shut;
    pthread_cond_broadcast(&shelf->news);
    pthread_mutex_unlock(&shelf->lock);
}

static void wait_tries(struct shelf *shelf, int tries)
{
    pthread_mutex_lock(&shelf->lock);
    while (shelf->tries < tries)
        pthread_cond_wait(&shelf->news, &shelf->lock);
    pthread_mutex_unlock(&shelf->lock);
}

static struct cp_recorder *start(struct cp_hls *hls, struct shelf *shelf)
{
    struct cp_recorder *recorder = NULL;
    struct cp_error error;
    assert_int_equal(cp_recorder_start(hls, keep, shelf, &recorder, &error), 0);
    return recorder;
}

static void chunks_follow_one_another_from_a_key_frame(void **state)
{
    struct shelf shelf;
    struct cp_recorder_status status;
    shelf_init(&shelf);
    struct feed feed = {.hls = rig_create(6, true)};
    rig_feed(&feed, 20); /* in the midst of a segment */
    struct cp_recorder *recorder = start(feed.hls, &shelf);
    struct cp_recorder *second = NULL;
    struct cp_error error;
    assert_int_equal(cp_recorder_start(feed.hls, keep, &shelf, &second, &error), CP_ERR_EXISTS);
    rig_feed(&feed, 20 + 10 * CP_FRAME_HZ);
    cp_recorder_stop(recorder, &status);
    cp_hls_destroy(feed.hls);

    assert_int_equal(status.lost_samples, 0);
    assert_int_equal(shelf.kept[0].number, 0);
    assert_true(shelf.kept[1].independent);
    assert_int_equal(shelf.kept[1].at, 2 * CP_SAMPLE_HZ); /* the first key frame after its start */
    int64_t length = 0;
    for (int i = 1; i < shelf.n; i++) {
        assert_int_equal(shelf.kept[i].number, i);
        assert_int_equal(shelf.kept[i].at, status.from_samples + length);
        assert_true(shelf.kept[i].length <= CP_SAMPLE_HZ + CP_SAMPLE_HZ / 5);
        assert_true(shelf.kept[i].n_bytes > 0);
        length += shelf.kept[i].length;
    }
    assert_int_equal(length, status.kept_samples);
    assert_int_equal(status.to_samples, status.from_samples + length);
    assert_true(length > 8 * CP_SAMPLE_HZ);
}

static void what_cannot_be_kept_is_tried_again(void **state)
{
    struct shelf shelf;
    struct cp_recorder_status status;
    shelf_init(&shelf);
    set(&shelf, true, false);
    struct feed feed = {.hls = rig_create(6, true)};
    struct cp_recorder *recorder = start(feed.hls, &shelf);
    rig_feed(&feed, 5 * CP_FRAME_HZ);
    wait_tries(&shelf, 2); /* of the header */
    status = cp_recorder_status(recorder);
    assert_string_equal(status.error, "the shelf is broken");
    assert_int_equal(status.kept_samples, 0);
    set(&shelf, false, false);
    wait_tries(&shelf, 4);
    cp_recorder_stop(recorder, &status);
    cp_hls_destroy(feed.hls);
    assert_string_equal(status.error, "");
    assert_int_equal(status.lost_samples, 0);
    assert_true(status.kept_samples > 4 * CP_SAMPLE_HZ);
}

static void a_full_queue_loses_parts_and_counts_them(void **state)
{
    struct shelf shelf;
    struct cp_recorder_status status;
    shelf_init(&shelf);
    set(&shelf, false, true);
    struct feed feed = {.hls = rig_create(6, true)};
    struct cp_recorder *recorder = start(feed.hls, &shelf);
    rig_feed(&feed, 60 * CP_FRAME_HZ); /* more than 256 parts of 0.2 s */
    status = cp_recorder_status(recorder);
    assert_true(status.lost_samples > 7 * CP_SAMPLE_HZ && status.lost_samples < 10 * CP_SAMPLE_HZ);
    set(&shelf, false, false);
    cp_recorder_stop(recorder, &status);
    struct cp_hls_stats stats = cp_hls_stats(feed.hls);
    cp_hls_destroy(feed.hls);
    assert_int_equal(status.kept_samples + status.lost_samples,
                     stats.live_edge_samples - status.from_samples);
}

static void an_end_does_not_wait_for_a_broken_store(void **state)
{
    struct shelf shelf;
    struct cp_recorder_status status;
    shelf_init(&shelf);
    struct feed feed = {.hls = rig_create(6, true)};
    struct cp_recorder *recorder = start(feed.hls, &shelf);
    rig_feed(&feed, 3 * CP_FRAME_HZ);
    wait_tries(&shelf, 2);
    set(&shelf, true, false);
    int tries = shelf.tries;
    rig_feed(&feed, 40 * CP_FRAME_HZ);
    wait_tries(&shelf, tries + 1);
    int64_t began_ns = cp_clock_now_ns();
    cp_recorder_stop(recorder, &status);
    assert_true(cp_clock_now_ns() - began_ns < 2 * CP_NS_PER_S);
    struct cp_hls_stats stats = cp_hls_stats(feed.hls);
    cp_hls_destroy(feed.hls);
    assert_true(status.lost_samples > 30 * CP_SAMPLE_HZ);
    assert_int_equal(status.kept_samples + status.lost_samples,
                     stats.live_edge_samples - status.from_samples);
}

/* --- moving fragments in time --- */

static void make_fragment(struct cp_buffer *out, int64_t at)
{
    uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct cp_fmp4_sample sample = {.at = at, .length = 1600, .bytes = 8, .key = true};
    struct cp_fmp4_run video = {
        .samples = &sample, .n_samples = 1, .data = data, .bytes = 8, .end = at + 1600};
    struct cp_fmp4_run none = {0};
    cp_fmp4_write_fragment_head(out, 1, &video, &none);
    cp_buffer_add(out, data, sizeof data);
}

static void fragments_move_and_nothing_else_changes(void **state)
{
    struct cp_buffer moved = cp_buffer_make(4096), wanted = cp_buffer_make(4096);
    make_fragment(&moved, 96000);
    make_fragment(&moved, 97600);
    make_fragment(&wanted, 1000);
    make_fragment(&wanted, 2600);
    assert_true(cp_fmp4_shift(moved.data, moved.length, -95000));
    assert_int_equal(moved.length, wanted.length);
    assert_memory_equal(moved.data, wanted.data, wanted.length);
    assert_true(cp_fmp4_shift(moved.data, moved.length, -95000)); /* none below zero */
    cp_buffer_free(&wanted);
    make_fragment(&wanted, 0);
    assert_memory_equal(moved.data, wanted.data, wanted.length);
    cp_buffer_free(&moved);
    cp_buffer_free(&wanted);
}

static void what_is_no_fragment_is_refused(void **state)
{
    struct cp_buffer good = cp_buffer_make(4096);
    make_fragment(&good, 96000);
    size_t end = good.length;
    for (size_t cut = 1; cut < end; cut++) { /* read as if the file ended there */
        uint8_t *copy = malloc(cut);
        memcpy(copy, good.data, cut);
        bool at_border = cut == end - 16; /* between moof and mdat */
        assert_int_equal(cp_fmp4_shift(copy, cut, 5), at_border);
        free(copy);
    }
    memset(good.data, 0, 4); /* a box of no length */
    assert_false(cp_fmp4_shift(good.data, good.length, 5));
    cp_buffer_free(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_follow_one_another_from_a_key_frame),
        cmocka_unit_test(what_cannot_be_kept_is_tried_again),
        cmocka_unit_test(a_full_queue_loses_parts_and_counts_them),
        cmocka_unit_test(an_end_does_not_wait_for_a_broken_store),
        cmocka_unit_test(fragments_move_and_nothing_else_changes),
        cmocka_unit_test(what_is_no_fragment_is_refused),
    };
    rig_make_loop();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_free_loop();
    return failed;
}
