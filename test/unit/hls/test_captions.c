#include "rig.h"

#include "media/utterance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/hls/phrases.h"

#define SECOND CP_SAMPLE_HZ

/* A sentence whose words last `each` samples, one behind the other, with marks when `marked`. */
static struct cp_utterance *speak(const char *text, int each, bool marked)
{
    int n = 0, at = 0, length = (int)strlen(text);
    for (const char *c = text; *c; c++)
        n += *c == ' ';
    struct cp_utterance *utterance = cp_utterance_create((n + 1) * each, (size_t)n + 1, text);
    utterance->text_start = 100; /* somewhere in its cue */
    utterance->text_end = 100 + length;
    for (int i = 0; i <= n && marked; i++) {
        int end = at + (int)strcspn(text + at, " "), bare = end;
        while (bare > at && strchr(".,!?", text[bare - 1]))
            bare--;
        utterance->marks[utterance->n_marks++] = (struct cp_mark){.type = CP_MARK_WORD,
                                                                  .at_samples = i * each,
                                                                  .length_samples = each,
                                                                  .start = 100 + at,
                                                                  .end = 100 + bare};
        at = end + 1;
    }
    return utterance;
}

static void say(struct cp_hls *hls, const char *text, int64_t at, const char *cue)
{
    struct cp_utterance *utterance = speak(text, SECOND / 4, true);
    utterance->last = true;
    cp_hls_tell(hls, &(struct cp_hls_speech){.utterance = utterance,
                                             .cue = cue,
                                             .first_of_line = true,
                                             .at = at,
                                             .wall_ns = WALL_NS + at * 1000000 / 48});
    cp_ref_drop(utterance);
}

static void hush(struct cp_hls *hls, int64_t at)
{
    cp_hls_tell(hls, &(struct cp_hls_speech){.cue = "", .at = at});
}

static char *vtt(struct cp_hls *hls, const char *file)
{
    struct answer answer;
    rig_ask(hls, file, "", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "text/vtt");
    assert_non_null(strstr(answer.cache_control, "immutable"));
    char *text = strndup((const char *)answer.body->data, answer.body->length);
    rig_drop(&answer);
    return text;
}

static void read_list(struct cp_hls *hls, const char *file, struct listed *listed)
{
    char *text = rig_text(hls, file, "");
    rig_read_playlist(text, listed);
    free(text);
}

#define HEAD "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:90,LOCAL:00:00:00.001\n\n"

static void phrases_have_the_times_of_their_words(void **state)
{
    struct cp_hls_phrase phrases[8];
    struct cp_utterance *utterance = speak("Good evening, friends.", 1000, true);
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 1);
    assert_string_equal(phrases[0].text, "Good evening, friends.");
    assert_int_equal(phrases[0].begin, 0);
    assert_int_equal(phrases[0].end, 3000);
    cp_ref_drop(utterance);
}

/* No line is much longer than 40 characters, none but the last word's caption is short, nothing is lost. */
static void phrases_have_two_lines_at_most(void **state)
{
    static const char TEXT[] = "The weather of tomorrow will be fair in the north, with clouds in the west "
                               "that bring some rain towards the evening, and in the mountains, where it has "
                               "snowed since Tuesday, the wind calms down at last.";
    struct cp_hls_phrase phrases[8];
    char joined[sizeof TEXT + 8] = "";
    for (int marked = 0; marked < 2; marked++) {
        struct cp_utterance *utterance = speak(TEXT, 1000, marked);
        int n = cp_hls_split(utterance, phrases, 8);
        assert_true(n == 3 || n == 4);
        *joined = 0;
        for (int i = 0; i < n; i++) {
            char *line_break = strchr(phrases[i].text, '\n');
            assert_non_null(line_break);
            assert_null(strchr(line_break + 1, '\n'));
            assert_true(line_break - phrases[i].text <= 44 && strlen(line_break + 1) <= 44);
            assert_true(strlen(phrases[i].text) >= 35);
            assert_true(phrases[i].end > phrases[i].begin);
            assert_true(!i || phrases[i].begin >= phrases[i - 1].end);
            *line_break = ' ';
            strcat(strcat(joined, i ? " " : ""), phrases[i].text);
        }
        assert_string_equal(joined, TEXT);
        assert_int_equal(phrases[n - 1].end, utterance->n_samples);
        cp_ref_drop(utterance);
    }
}

static void phrases_bear_any_marks_and_texts(void **state)
{
    struct cp_hls_phrase phrases[8];
    struct cp_utterance *utterance = speak("a<b & c>d", 1000, true);
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 1);
    assert_string_equal(phrases[0].text, "a&lt;b &amp; c&gt;d");
    cp_ref_drop(utterance);
    /* Marks beside the text, backwards, or of no text at all */
    utterance = speak("one two three", 1000, true);
    utterance->marks[0].start = -5;
    utterance->marks[1].end = 9000;
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 1);
    assert_string_equal(phrases[0].text, "one two three");
    cp_ref_drop(utterance);
    utterance = speak("", 1000, false);
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 0);
    cp_ref_drop(utterance);
    /* Behind all that can be read, and within a character */
    utterance = speak("caf\xc3\xa9 bar  ", 1000, true);
    utterance->n_marks = 3;
    utterance->marks[0].end = 100 + 4;
    utterance->marks[1] =
        (struct cp_mark){.type = CP_MARK_WORD, .at_samples = 1000, .start = 106, .end = 109};
    utterance->marks[2] =
        (struct cp_mark){.type = CP_MARK_WORD, .at_samples = 2000, .start = 109, .end = 111};
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 1);
    assert_string_equal(phrases[0].text, "caf\xc3\xa9 bar");
    cp_ref_drop(utterance);
    utterance = speak("  ", 1000, true);
    utterance->n_marks = 1;
    utterance->marks[0] = (struct cp_mark){.type = CP_MARK_WORD, .start = 100, .end = 102};
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 0);
    cp_ref_drop(utterance);
    /* No spaces: the words are where the marks say, and wide characters count twice */
    char text[61 * 3 + 1] = "";
    for (int i = 0; i < 60; i++)
        strcat(text, "\xe5\xa4\xa9");
    utterance = cp_utterance_create(60000, 60, text);
    for (int i = 0; i < 60; i++)
        utterance->marks[utterance->n_marks++] = (struct cp_mark){.type = CP_MARK_WORD,
                                                                  .at_samples = i * 1000,
                                                                  .length_samples = 1000,
                                                                  .start = 3 * i,
                                                                  .end = 3 * i + 3};
    assert_int_equal(cp_hls_split(utterance, phrases, 8), 2);
    assert_int_equal(strlen(phrases[0].text) + strlen(phrases[1].text), 180 + 2); /* and two line breaks */
    assert_true(strcspn(phrases[0].text, "\n") % 3 == 0 && strcspn(phrases[0].text, "\n") <= 20 * 3);
    cp_ref_drop(utterance);
}

/* Same numbers and durations as the picture's, at every part; delta updates too. */
static void captions_playlist_follows_the_picture(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed video, captions;
    for (int i = 100; i < 35 * 30; i += 3) {
        rig_feed(&feed, i);
        for (int skip = 0; skip < 2; skip++) {
            const char *query = skip ? "_HLS_skip=YES" : "";
            char *video_text = rig_text(feed.hls, "video.m3u8", query);
            char *captions_text = rig_text(feed.hls, "captions.m3u8", query);
            rig_read_playlist(video_text, &video);
            rig_read_playlist(captions_text, &captions);
            free(video_text);
            free(captions_text);
            assert_int_equal(video.msn, captions.msn);
            assert_int_equal(video.skipped, captions.skipped);
            assert_int_equal(video.n_segments, captions.n_segments);
            assert_int_equal(video.discontinuity_sequence, captions.discontinuity_sequence);
            for (int s = 0; s < video.n_segments; s++) {
                assert_true(video.segments[s].duration == captions.segments[s].duration);
                assert_string_equal(video.segments[s].date, captions.segments[s].date);
                assert_int_equal(video.segments[s].n_parts, captions.segments[s].n_parts);
                assert_int_equal(video.segments[s].discontinuity, captions.segments[s].discontinuity);
            }
        }
    }
    cp_hls_destroy(feed.hls);
}

static void captions_stand_in_the_segments_they_are_shown_in(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    rig_feed(&feed, 45);
    say(feed.hls, "We begin at one and a half seconds.", SECOND * 3 / 2, "cue-1");
    rig_feed(&feed, 200);
    read_list(feed.hls, "captions.m3u8", &listed);
    assert_true(listed.n_complete >= 3);
    for (int i = 0; i < 3; i++) {
        char *text = vtt(feed.hls, listed.segments[i].uri);
        assert_string_equal(text, i == 2 ? HEAD
                                         : HEAD "00:00:01.500 --> 00:00:03.500\n"
                                                "We begin at one and a half seconds.\n\n");
        free(text);
    }
    /* Of a part, only what is shown in it */
    char *text = vtt(feed.hls, listed.segments[1].parts[7].uri); /* 3.4 s to 3.6 s */
    assert_non_null(strstr(text, "00:00:01.500 --> 00:00:03.500"));
    free(text);
    text = vtt(feed.hls, listed.segments[1].parts[8].uri);
    assert_string_equal(text, HEAD);
    free(text);
    assert_int_equal(rig_status(feed.hls, "captions-" EPOCH "-1.vtt", ""), 404);
    assert_int_equal(rig_status(feed.hls, "captions-" EPOCH "-1.m4s", ""), 404);
    cp_hls_destroy(feed.hls);
}

/* A player waits for captions as it does for pictures. */
static void captions_are_waited_for(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct answer part, playlist;
    char query[64];
    rig_feed(&feed, 100);
    read_list(feed.hls, "captions.m3u8", &listed);
    const struct listed_segment *last = &listed.segments[listed.n_segments - 1];
    snprintf(query, sizeof query, "_HLS_msn=%llu&_HLS_part=%d", (unsigned long long)last->msn, last->n_parts);
    rig_ask(feed.hls, listed.hint, "", &part);
    rig_ask(feed.hls, "captions.m3u8", query, &playlist);
    assert_true(part.waiting && playlist.waiting);
    rig_feed(&feed, 110);
    assert_int_equal(part.status, 200);
    assert_string_equal(part.content_type, "text/vtt");
    assert_int_equal(playlist.status, 200);
    assert_non_null(strstr(playlist.cache_control, "max-age=6"));
    rig_drop(&part);
    rig_drop(&playlist);
    cp_hls_destroy(feed.hls);
}

/* What was not said is not shown; what players may have stays as it was. */
static void captions_of_a_cut_sentence_end_with_it(void **state)
{
    static const char LONG[] = "This sentence is far too long for one caption on a screen, so that it is cut "
                               "to several of them, of which the last ones are never said.";
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    rig_feed(&feed, 30);
    say(feed.hls, LONG, SECOND, "cue-1");
    hush(feed.hls, 3 * SECOND);
    rig_feed(&feed, 300);
    read_list(feed.hls, "captions.m3u8", &listed);
    char *text = vtt(feed.hls, listed.segments[1].uri);
    assert_non_null(strstr(text, "00:00:01.000 --> 00:00:03.000"));
    assert_null(strstr(text, "never said"));
    free(text);
    /* Given out before the cut */
    say(feed.hls, LONG, 9 * SECOND, "cue-2");
    rig_feed(&feed, 306);
    read_list(feed.hls, "captions.m3u8", &listed);
    char *before = vtt(feed.hls, listed.segments[4].uri), *begin = strstr(before, "00:00:09.000 --> ");
    assert_non_null(begin);
    hush(feed.hls, 9 * SECOND + SECOND / 2);
    rig_feed(&feed, 380);
    read_list(feed.hls, "captions.m3u8", &listed);
    char *after = vtt(feed.hls, listed.segments[5].uri);
    assert_non_null(strstr(after, begin));
    free(before);
    free(after);
    cp_hls_destroy(feed.hls);
}

static void captions_are_bounded(void **state)
{
    struct feed feed = {.hls = rig_create(4, true)};
    rig_feed(&feed, 30);
    for (int i = 0; i < 1000; i++)
        say(feed.hls, "Words.", SECOND + i * SECOND / 4, "");
    struct cp_hls_stats stats = cp_hls_stats(feed.hls);
    assert_int_equal(stats.captions, 1000);
    assert_int_equal(stats.captions_lost, 1000 - 64);
    cp_hls_destroy(feed.hls);
}

static void main_playlist_offers_captions(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    rig_feed(&feed, 100);
    cp_hls_set_language(feed.hls, "pt-BR");
    char *text = rig_text(feed.hls, "index.m3u8", "");
    assert_non_null(strstr(text, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"captions\",NAME=\"Captions\","
                                 "LANGUAGE=\"pt-BR\",AUTOSELECT=YES,DEFAULT=NO,FORCED=NO,"));
    assert_non_null(strstr(text, "URI=\"captions.m3u8\"\n"));
    assert_non_null(strstr(text, ",SUBTITLES=\"captions\","));
    free(text);
    cp_hls_set_language(feed.hls, "x\"y\nz");
    text = rig_text(feed.hls, "index.m3u8", "");
    assert_null(strstr(text, "LANGUAGE"));
    free(text);
    cp_hls_destroy(feed.hls);
}

static void date_ranges_tell_of_cues(void **state)
{
    struct feed feed = {.hls = rig_create(4, true)};
    static struct listed listed;
    rig_feed(&feed, 60);
    say(feed.hls, "A line of the rundown.", SECOND, "");
    say(feed.hls, "Hello there.", 2 * SECOND, "cue-1");
    rig_feed(&feed, 120);
    read_list(feed.hls, "video.m3u8", &listed);
    assert_int_equal(listed.n_ranges, 1);
    assert_string_equal(listed.ranges[0],
                        "ID=\"cue-1\",CLASS=\"compere.cue\",START-DATE=\"2023-11-14T22:13:22."
                        "000Z\",X-CUE=\"Hello there.\"");
    hush(feed.hls, 2 * SECOND + SECOND / 2);
    say(feed.hls, "She said \"no\".", 5 * SECOND, "cue-2");
    rig_feed(&feed, 180);
    char *text = rig_text(feed.hls, "video.m3u8", "_HLS_skip=YES");
    rig_read_playlist(text, &listed);
    free(text);
    assert_int_equal(listed.n_ranges, 2);
    assert_string_equal(listed.ranges[0],
                        "ID=\"cue-1\",CLASS=\"compere.cue\",START-DATE=\"2023-11-14T22:13:22."
                        "000Z\",DURATION=0.500,X-CUE=\"Hello there.\"");
    assert_null(strstr(listed.ranges[1], "X-CUE"));
    read_list(feed.hls, "captions.m3u8", &listed);
    assert_int_equal(listed.n_ranges, 0);
    /* They leave with the segments they stood in. */
    rig_feed(&feed, 500);
    read_list(feed.hls, "video.m3u8", &listed);
    assert_int_equal(listed.n_ranges, 1); /* nobody said that cue-2 is over */
    hush(feed.hls, 17 * SECOND);
    read_list(feed.hls, "video.m3u8", &listed);
    assert_int_equal(listed.n_ranges, 0);
    cp_hls_destroy(feed.hls);
}

/* A cue's end is told once it is sure; one that goes on after that gets another name. */
static void date_ranges_never_change(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct cp_utterance *utterance = speak("One sentence.", SECOND / 4, true); /* not its last */
    struct cp_hls_speech speech = {.utterance = utterance, .cue = "c", .first_of_line = true, .at = SECOND};
    rig_feed(&feed, 30);
    cp_hls_tell(feed.hls, &speech);
    hush(feed.hls, SECOND * 3 / 2);
    rig_feed(&feed, 90);
    read_list(feed.hls, "video.m3u8", &listed);
    assert_null(strstr(listed.ranges[0], "DURATION")); /* more may come */
    utterance->last = true;
    speech.first_of_line = false;
    speech.at = 3 * SECOND;
    cp_hls_tell(feed.hls, &speech);
    hush(feed.hls, SECOND * 7 / 2);
    rig_feed(&feed, 120);
    read_list(feed.hls, "video.m3u8", &listed);
    assert_int_equal(listed.n_ranges, 1);
    assert_non_null(strstr(listed.ranges[0], "DURATION=2.500"));
    speech.at = 4 * SECOND;
    cp_hls_tell(feed.hls, &speech);
    rig_feed(&feed, 150);
    read_list(feed.hls, "video.m3u8", &listed);
    assert_int_equal(listed.n_ranges, 2);
    assert_int_equal(strncmp(listed.ranges[1], "ID=\"c-2\",", 9), 0);
    cp_ref_drop(utterance);
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
        cmocka_unit_test(phrases_have_the_times_of_their_words),
        cmocka_unit_test(phrases_have_two_lines_at_most),
        cmocka_unit_test(phrases_bear_any_marks_and_texts),
        cmocka_unit_test(captions_playlist_follows_the_picture),
        cmocka_unit_test(captions_stand_in_the_segments_they_are_shown_in),
        cmocka_unit_test(captions_are_waited_for),
        cmocka_unit_test(captions_of_a_cut_sentence_end_with_it),
        cmocka_unit_test(captions_are_bounded),
        cmocka_unit_test(main_playlist_offers_captions),
        cmocka_unit_test(date_ranges_tell_of_cues),
        cmocka_unit_test(date_ranges_never_change),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
