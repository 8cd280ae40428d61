#include "rig.h"

#include "base/clock.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void read_listed(struct cp_hls *hls, struct listed *listed)
{
    char *text = rig_text(hls, "video.m3u8", "");
    rig_read_playlist(text, listed);
    free(text);
}

static const char *ask_for(const struct listed *listed, int msn_ahead, int part)
{
    static char query[96];
    const struct listed_segment *last = &listed->segments[listed->n_segments - 1];
    int used =
        snprintf(query, sizeof query, "_HLS_msn=%llu", (unsigned long long)last->msn + (unsigned)msn_ahead);
    if (part >= 0)
        snprintf(query + used, sizeof query - (size_t)used, "&_HLS_part=%d", part);
    return query;
}

/* The text of a waiting answer, read as a playlist. */
static void read_answer(struct answer *answer, struct listed *listed)
{
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->status, 200);
    char *text = strndup((const char *)answer->body->data, answer->body->length);
    rig_read_playlist(text, listed);
    free(text);
    rig_drop(answer);
}

static void playlist_request_waits_for_its_part(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed before, after;
    struct answer next, later, segment;
    rig_feed(&feed, 100);
    read_listed(feed.hls, &before);
    int n_parts = before.segments[before.n_segments - 1].n_parts;
    assert_true(n_parts > 1 && n_parts < 8);
    rig_ask(feed.hls, "video.m3u8", ask_for(&before, 0, n_parts), &next);
    rig_ask(feed.hls, "video.m3u8", ask_for(&before, 0, n_parts + 1), &later);
    rig_ask(feed.hls, "video.m3u8", ask_for(&before, 0, -1), &segment);
    assert_true(next.waiting && later.waiting && segment.waiting);
    assert_int_equal(cp_hls_stats(feed.hls).waiting, 3);
    while (!next.count)
        rig_feed(&feed, feed.frame + 1);
    assert_true(feed.frame <= 100 + FRAMES_PART);
    assert_string_equal(next.cache_control, "public, max-age=6");
    read_answer(&next, &after);
    assert_int_equal(after.segments[after.n_segments - 1].n_parts, n_parts + 1);
    assert_int_equal(later.count, 0);
    rig_feed(&feed, feed.frame + FRAMES_PART);
    read_answer(&later, &after);
    assert_int_equal(after.segments[after.n_segments - 1].n_parts, n_parts + 2);
    assert_int_equal(segment.count, 0);
    while (!segment.count)
        rig_feed(&feed, feed.frame + 1);
    read_answer(&segment, &after);
    assert_int_equal(after.n_complete, before.n_complete + 1);
    assert_int_equal(cp_hls_stats(feed.hls).waiting, 0);
    assert_int_equal(cp_hls_stats(feed.hls).blocked, 3);
    /* What is there already is answered at once. */
    assert_int_equal(rig_status(feed.hls, "video.m3u8", ask_for(&before, 0, 0)), 200);
    assert_int_equal(rig_status(feed.hls, "video.m3u8", "_HLS_msn=1&_HLS_part=900"), 200);
    cp_hls_destroy(feed.hls);
}

static void part_behind_the_last_one_means_the_next_segments_first(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed before, after;
    struct answer beyond;
    rig_feed(&feed, 100);
    read_listed(feed.hls, &before);
    rig_ask(feed.hls, "video.m3u8", ask_for(&before, 0, 12), &beyond);
    assert_true(beyond.waiting);
    while (!beyond.count)
        rig_feed(&feed, feed.frame + 1);
    read_answer(&beyond, &after);
    assert_int_equal(after.n_complete, before.n_complete + 1);
    assert_int_equal(after.segments[after.n_segments - 1].n_parts, 1);
    /* The same once it is past: at once, too. */
    assert_int_equal(rig_status(feed.hls, "video.m3u8", ask_for(&before, 0, 12)), 200);
    cp_hls_destroy(feed.hls);
}

static void wrong_requests_are_refused(void **state)
{
    static const char *const BAD_QUERY[] = {"_HLS_part=1",           "_HLS_msn=",
                                            "_HLS_msn=-1",           "_HLS_msn=x",
                                            "_HLS_msn=1x",           "_HLS_msn=99999999999999999999",
                                            "_HLS_msn=1&_HLS_part=", "a=b&_HLS_part=0&_HLS_skip=YES",
                                            "_HLS_msn=999999999999"};
    static const char *const NO_FILE[] = {"",
                                          "x.m3u8",
                                          "../video.m3u8",
                                          "init-" EPOCH "-1.mp3",
                                          "init-" EPOCH "-0.mp4",
                                          "init-other-1.mp4",
                                          "seg-" EPOCH "-.m4s",
                                          "seg-" EPOCH "-1.m4s/",
                                          "seg-" EPOCH "-99999999999999999999.m4s",
                                          "part-" EPOCH "-1.m4s",
                                          "part-" EPOCH "-1.0.m4s",
                                          "part-" EPOCH "-1.4000000000.m4s",
                                          "part-" EPOCH "-1..m4s",
                                          "part-" EPOCH,
                                          "part"};
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    rig_feed(&feed, 100);
    read_listed(feed.hls, &listed);
    for (size_t i = 0; i < sizeof BAD_QUERY / sizeof *BAD_QUERY; i++)
        if (rig_status(feed.hls, "video.m3u8", BAD_QUERY[i]) != 400)
            fail_msg("?%s is not refused", BAD_QUERY[i]);
    for (size_t i = 0; i < sizeof NO_FILE / sizeof *NO_FILE; i++)
        if (rig_status(feed.hls, NO_FILE[i], "") != 404)
            fail_msg("%s is found", NO_FILE[i]);
    /* Two segments and three seconds of parts ahead are the limits. */
    int n_parts = listed.segments[listed.n_segments - 1].n_parts;
    struct answer answer;
    assert_int_equal(rig_status(feed.hls, "video.m3u8", ask_for(&listed, 2, -1)), 400);
    assert_int_equal(rig_status(feed.hls, "video.m3u8", ask_for(&listed, 0, n_parts + 15)), 400);
    rig_ask(feed.hls, "video.m3u8", ask_for(&listed, 1, -1), &answer);
    assert_true(cp_hls_abandon(feed.hls, answer.waiting));
    rig_ask(feed.hls, "video.m3u8", ask_for(&listed, 0, n_parts + 14), &answer);
    assert_true(cp_hls_abandon(feed.hls, answer.waiting));
    /* Unknown directives and parameters are no business of ours. */
    assert_int_equal(rig_status(feed.hls, "video.m3u8", "token=a%20b&_HLS_push=1&_HLS_skip=no"), 200);
    cp_hls_destroy(feed.hls);
}

static void hinted_part_comes_when_it_is_complete(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    int borders = 0;
    rig_feed(&feed, 30);
    for (int i = 0; i < 25; i++) {
        struct answer part;
        char hint[96];
        read_listed(feed.hls, &listed);
        memcpy(hint, listed.hint, sizeof hint);
        rig_ask(feed.hls, hint, "", &part);
        assert_true(part.waiting);
        borders += strstr(hint, ".0.m4s") != NULL;
        int64_t from = feed.frame;
        while (!part.count)
            rig_feed(&feed, feed.frame + 1);
        assert_true(feed.frame - from <= FRAMES_PART);
        assert_int_equal(part.status, 200);
        assert_string_equal(part.content_type, "video/mp4");
        assert_non_null(strstr(part.cache_control, "immutable"));
        struct cp_hls_body *again = rig_body(feed.hls, hint);
        assert_ptr_equal(again, part.body); /* shared, not copied */
        cp_ref_drop(again);
        rig_drop(&part);
        read_listed(feed.hls, &listed);
        const struct listed_segment *last = &listed.segments[listed.n_segments - 1];
        assert_string_equal(last->parts[last->n_parts - 1].uri, hint);
    }
    assert_true(borders >= 2);
    cp_hls_destroy(feed.hls);
}

/* A stall of the encoder at a border: the hint was for a part of this segment, and it never comes. */
static void part_that_never_came_is_not_found(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct answer part;
    rig_feed(&feed, 100);
    read_listed(feed.hls, &listed);
    rig_ask(feed.hls, listed.hint, "", &part);
    feed.frame = 180;
    feed.shift = 48000 * 60; /* the clock jumps: the present segment ends as it is */
    feed.sound = 290;
    rig_feed(&feed, 200);
    assert_int_equal(part.count, 1);
    assert_true(part.status == 200 || part.status == 404);
    rig_drop(&part);
    cp_hls_destroy(feed.hls);
}

static void first_requests_wait_for_the_first_part(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    struct answer main_list, list, late;
    static struct listed listed;
    rig_ask(feed.hls, "index.m3u8", "", &main_list);
    rig_ask(feed.hls, "video.m3u8", "", &list);
    rig_ask(feed.hls, "video.m3u8", "_HLS_msn=100000000000&_HLS_part=0", &late);
    assert_true(main_list.waiting && list.waiting && late.waiting);
    assert_true(main_list.waiting != list.waiting);
    while (!list.count)
        rig_feed(&feed, feed.frame + 1);
    assert_int_equal(main_list.count, 1);
    assert_int_equal(main_list.status, 200);
    rig_drop(&main_list);
    read_answer(&list, &listed);
    assert_int_equal(listed.segments[0].n_parts, 1);
    assert_int_equal(late.count, 0);
    cp_hls_destroy(feed.hls);
    assert_int_equal(late.count, 1);
    assert_int_equal(late.status, 503);
}

static void abandoned_request_is_not_answered(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    struct answer gone, stays;
    rig_ask(feed.hls, "video.m3u8", "", &gone);
    rig_ask(feed.hls, "video.m3u8", "", &stays);
    assert_true(cp_hls_abandon(feed.hls, gone.waiting));
    assert_false(cp_hls_abandon(feed.hls, gone.waiting));
    assert_false(cp_hls_abandon(feed.hls, 0));
    assert_false(cp_hls_abandon(feed.hls, UINT64_MAX));
    rig_feed(&feed, 20);
    assert_int_equal(gone.count, 0);
    assert_int_equal(stays.count, 1);
    assert_false(cp_hls_abandon(feed.hls, stays.waiting));
    rig_drop(&stays);
    /* The slot is used again under another name. */
    static struct listed listed;
    struct answer again;
    read_listed(feed.hls, &listed);
    rig_ask(feed.hls, listed.hint, "", &again);
    assert_true(again.waiting && again.waiting != gone.waiting && again.waiting != stays.waiting);
    assert_false(cp_hls_abandon(feed.hls, gone.waiting));
    assert_true(cp_hls_abandon(feed.hls, again.waiting));
    cp_hls_destroy(feed.hls);
}

static void thousand_waiters_are_answered_with_one_body(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct answer answers[1000];
    static struct listed listed;
    rig_feed(&feed, 100);
    read_listed(feed.hls, &listed);
    int n_parts = listed.segments[listed.n_segments - 1].n_parts;
    for (int i = 0; i < 1000; i++)
        rig_ask(feed.hls, "video.m3u8", ask_for(&listed, 0, n_parts), &answers[i]);
    assert_int_equal(cp_hls_stats(feed.hls).waiting, 1000);
    while (!answers[0].count)
        rig_feed(&feed, feed.frame + 1);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(answers[i].count, 1);
        assert_int_equal(answers[i].status, 200);
        assert_ptr_equal(answers[i].body, answers[0].body);
    }
    for (int i = 0; i < 1000; i++)
        rig_drop(&answers[i]);
    assert_int_equal(cp_hls_stats(feed.hls).waiting, 0);
    cp_hls_destroy(feed.hls);
}

static struct cp_hls *create_small(double segment_s, int max_waiting)
{
    struct cp_hls_config config = {
        .part_s = 0.1, .segment_s = segment_s, .segments = 4, .max_waiting = max_waiting};
    struct cp_hls *hls;
    assert_int_equal(cp_hls_create(&config, WIDTH, HEIGHT, EPOCH, NULL, 0, &hls, NULL), 0);
    return hls;
}

static void too_many_waiters_are_refused(void **state)
{
    struct cp_hls *hls = create_small(2, 3);
    struct answer answers[4];
    for (int i = 0; i < 4; i++)
        rig_ask(hls, "video.m3u8", "", &answers[i]);
    assert_true(answers[2].waiting);
    assert_int_equal(answers[3].waiting, 0);
    assert_int_equal(answers[3].status, 503);
    assert_int_equal(cp_hls_stats(hls).refused, 1);
    assert_true(cp_hls_abandon(hls, answers[1].waiting));
    rig_ask(hls, "video.m3u8", "", &answers[3]);
    assert_true(answers[3].waiting);
    cp_hls_destroy(hls);
    assert_int_equal(answers[0].status, 503);
    assert_int_equal(answers[3].status, 503);
}

struct late {
    atomic_int status;
    _Atomic int64_t at_ns;
};

static void remember_late(void *user, const struct cp_hls_response *response)
{
    struct late *late = user;
    atomic_store(&late->at_ns, cp_clock_now_ns());
    atomic_store(&late->status, response->status);
    cp_ref_drop(response->body);
}

/* Target duration 1 s: nothing comes for three of them. */
static void request_is_given_up_after_three_target_durations(void **state)
{
    struct cp_hls *hls = create_small(1, 10);
    struct late late = {0};
    uint64_t waiting;
    int64_t from_ns = cp_clock_now_ns();
    cp_hls_request(hls, "video.m3u8", "", remember_late, &late, &waiting);
    assert_true(waiting);
    while (!atomic_load(&late.status) && cp_clock_now_ns() - from_ns < 10 * CP_NS_PER_S)
        usleep(10000);
    assert_int_equal(atomic_load(&late.status), 503);
    int64_t took_ms = (atomic_load(&late.at_ns) - from_ns) / CP_NS_PER_MS;
    assert_true(took_ms >= 3000 && took_ms < 4000);
    assert_false(cp_hls_abandon(hls, waiting));
    cp_hls_destroy(hls);
}

static void create_refuses_what_makes_no_sense(void **state)
{
    struct cp_hls_config good = {.part_s = 0.2, .segment_s = 2, .segments = 4, .max_waiting = 10}, config;
    struct cp_hls *hls = NULL;
    uint8_t aac[2] = {0x11, 0x88};
    assert_int_equal(cp_hls_create(&good, WIDTH, HEIGHT, "a/b", aac, 2, &hls, NULL), CP_ERR_INVALID);
    assert_int_equal(cp_hls_create(&good, WIDTH, HEIGHT, "", aac, 2, &hls, NULL), CP_ERR_INVALID);
    assert_int_equal(cp_hls_create(&good, 0, HEIGHT, "a", aac, 2, &hls, NULL), CP_ERR_INVALID);
    assert_int_equal(cp_hls_create(&good, WIDTH, HEIGHT, "a", aac, 17, &hls, NULL), CP_ERR_INVALID);
    config = good;
    config.part_s = 3;
    assert_int_equal(cp_hls_create(&config, WIDTH, HEIGHT, "a", aac, 2, &hls, NULL), CP_ERR_INVALID);
    assert_null(hls);
    cp_hls_destroy(NULL);
}

/* Two threads push, three ask for all kinds of things and give some up: for the sanitizers, and no answer may
 * be lost. */
struct crowd {
    struct cp_hls *hls;
    atomic_int asked, answered, given_up;
    atomic_bool stop;
};

static void count_answer(void *user, const struct cp_hls_response *response)
{
    struct crowd *crowd = user;
    atomic_fetch_add(&crowd->answered, 1);
    cp_ref_drop(response->body);
}

static void *ask_a_lot(void *arg)
{
    struct crowd *crowd = arg;
    for (unsigned i = 0; !atomic_load(&crowd->stop); i++) {
        struct cp_hls_stats stats = cp_hls_stats(crowd->hls);
        char query[96] = "";
        uint64_t waiting;
        if (i % 3)
            snprintf(query, sizeof query, "_HLS_msn=%llu&_HLS_part=%u&_HLS_skip=YES",
                     (unsigned long long)(WALL_NS / 2000000000 + 1 + (int64_t)stats.segments), i % 5);
        atomic_fetch_add(&crowd->asked, 1);
        cp_hls_request(crowd->hls, i % 7 ? "video.m3u8" : "index.m3u8", query, count_answer, crowd, &waiting);
        if (waiting && i % 4 == 0 && cp_hls_abandon(crowd->hls, waiting))
            atomic_fetch_add(&crowd->given_up, 1);
        usleep(200);
    }
    return NULL;
}

static void *push_pictures(void *arg)
{
    struct feed feed = {.hls = ((struct crowd *)arg)->hls, .no_sound = true};
    for (int i = 1; i <= 600; i++) {
        rig_feed(&feed, i);
        usleep(500);
    }
    return NULL;
}

static void *push_sounds(void *arg)
{
    struct feed feed = {.hls = ((struct crowd *)arg)->hls, .no_picture = true};
    for (int i = 1; i <= 600; i++) {
        rig_feed(&feed, i);
        usleep(500);
    }
    return NULL;
}

static void answers_are_never_lost_between_threads(void **state)
{
    struct crowd crowd = {.hls = rig_create(5, true)};
    pthread_t threads[5];
    for (int i = 0; i < 3; i++)
        assert_int_equal(cp_thread_start(&threads[i], "net", ask_a_lot, &crowd), 0);
    assert_int_equal(cp_thread_start(&threads[3], "venc", push_pictures, &crowd), 0);
    assert_int_equal(cp_thread_start(&threads[4], "aenc", push_sounds, &crowd), 0);
    pthread_join(threads[3], NULL);
    pthread_join(threads[4], NULL);
    atomic_store(&crowd.stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_true(cp_hls_stats(crowd.hls).parts > 90);
    assert_true(cp_hls_stats(crowd.hls).blocked > 10);
    cp_hls_destroy(crowd.hls);
    assert_int_equal(atomic_load(&crowd.asked), atomic_load(&crowd.answered) + atomic_load(&crowd.given_up));
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
        cmocka_unit_test(playlist_request_waits_for_its_part),
        cmocka_unit_test(part_behind_the_last_one_means_the_next_segments_first),
        cmocka_unit_test(wrong_requests_are_refused),
        cmocka_unit_test(hinted_part_comes_when_it_is_complete),
        cmocka_unit_test(part_that_never_came_is_not_found),
        cmocka_unit_test(first_requests_wait_for_the_first_part),
        cmocka_unit_test(abandoned_request_is_not_answered),
        cmocka_unit_test(thousand_waiters_are_answered_with_one_body),
        cmocka_unit_test(too_many_waiters_are_refused),
        cmocka_unit_test(request_is_given_up_after_three_target_durations),
        cmocka_unit_test(create_refuses_what_makes_no_sense),
        cmocka_unit_test(answers_are_never_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
