/*
 * The show stage against a stand-in voice: every sentence is half a second of a constant that names it, so
 * that what was heard can be read from the samples. The tests play the draw thread: a frame is a call.
 */
#include "show/show.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SENTENCE_SAMPLES 24000 /* 15 frames */
#define WORDS            5     /* of 100 ms each */

struct stage {
    char directory[64];
    struct cp_store *store;
    struct cp_observe *observe;
    struct cp_show *show;
    struct cp_stage_door *door;
    char heard[4096];     /* the sentences that sounded, one letter each, "-" between */
    char performed[4096]; /* cue texts in the order they ended, with their state */
    int frames;
    atomic_int asked;
};

/* --- the stand-in voice: "A. B." has two sentences, named by their first letter; "fail" cannot be said ---
 */

static int say(void *user, const struct cp_show_line *line, uint64_t job, uint64_t *ret_ticket,
               struct cp_error *error)
{
    struct stage *stage = user;
    struct cp_utterance *all[64];
    int n = 0, made = 0;
    atomic_fetch_add(&stage->asked, 1);
    *ret_ticket = job;
    if (strstr(line->text, "fail"))
        return cp_fail(error, CP_ERR_FORMAT, "voice", "this cannot be said");
    for (const char *at = line->text; *at && n < 64; n++) {
        int length = (int)strcspn(at, ".") + 1;
        char text[64];
        snprintf(text, sizeof text, "%.*s", length, at);
        struct cp_utterance *u = cp_utterance_create(SENTENCE_SAMPLES, WORDS, text);
        for (int i = 0; i < SENTENCE_SAMPLES; i++)
            u->pcm[i] = (int16_t)(text[0] * 100);
        for (int i = 0; i < WORDS; i++)
            u->marks[u->n_marks++] =
                (struct cp_mark){.type = CP_MARK_WORD, .at_samples = i * 4800, .length_samples = 4800};
        u->sentence = n;
        u->made_ns = cp_clock_now_ns();
        all[n] = u;
        at += length;
        at += strspn(at, ". \n");
    }
    for (int i = 0; i < n; i++) {
        all[i]->last = i == n - 1;
        if (i >= line->first_sentence && made++ < line->max_sentences)
            cp_show_spoken(stage->show, job, all[i]);
        cp_ref_drop(all[i]);
    }
    if (strstr(line->text, "breaks"))
        cp_show_spoken_end(stage->show, job, CP_ERR_IO,
                           &(struct cp_error){CP_ERR_IO, "voice", "the engine died"});
    else
        cp_show_spoken_end(stage->show, job, 0, NULL);
    return 0;
}

static void cancel(void *user, uint64_t ticket)
{
}

static void performed(void *user, const char *channel, json_t *cue, struct cp_utterance *const *utterances,
                      int n)
{
}

static void changed(void *user, const char *channel, json_t *cue)
{
    struct stage *stage = user;
    const char *state = json_string_value(json_object_get(cue, "state"));
    if (!strcmp(state, "done") || !strcmp(state, "cut") || !strcmp(state, "failed")) {
        size_t used = strlen(stage->performed);
        snprintf(stage->performed + used, sizeof stage->performed - used, "%s:%s ",
                 json_string_value(json_object_get(cue, "text")), state);
    }
}

static void open_show(struct stage *stage)
{
    struct cp_error error = {.text = ""};
    struct cp_store_config store = {.records = "sqlite", .objects = "files", .sweep_s = 3600};
    struct cp_show_config config = {.max_cues = 100,
                                    .gap_ms = 0,
                                    .rundown_gap_ms = 0,
                                    .keep_cues_s = 3600,
                                    .stage_wait_s = 1,
                                    .open_wait_s = 1};
    const struct cp_show_services services = {
        .user = stage, .say = say, .cancel = cancel, .changed = changed, .performed = performed};
    snprintf(store.directory, sizeof store.directory, "%s", stage->directory);
    stage->observe = cp_observe_create();
    assert_int_equal(cp_store_open(&store, &stage->store, &error), 0);
    assert_int_equal(cp_show_create(&config, stage->store, stage->observe, &services, &stage->show, &error),
                     0);
}

static void close_show(struct stage *stage)
{
    cp_show_leave(stage->door);
    stage->door = NULL;
    cp_show_destroy(stage->show);
    cp_store_close(stage->store);
    cp_observe_destroy(stage->observe);
}

static void make_channel(struct stage *stage, const char *rundown)
{
    struct cp_error error = {.text = ""};
    json_t *spec = json_pack("{s:s}", "id", "main"), *channel;
    if (rundown)
        json_object_set_new(spec, "rundown", json_loads(rundown, 0, NULL));
    if (cp_show_channel_create(stage->show, spec, &channel, &error))
        fail_msg("%s", error.text);
    json_decref(channel);
    json_decref(spec);
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &stage->door, &error), 0);
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    snprintf(stage->directory, sizeof stage->directory, "/tmp/compere-show-XXXXXX");
    *state = stage;
    if (!mkdtemp(stage->directory))
        return -1;
    open_show(stage);
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    char command[128];
    close_show(stage);
    snprintf(command, sizeof command, "rm -rf %s", stage->directory);
    int failed = system(command);
    free(stage);
    return failed;
}

/* Waits until the show thread has done what was posted before. Twice: the first pass may wake the director.
 */
static void settle(struct stage *stage)
{
    for (int i = 0; i < 3; i++)
        cp_show_interrupt(stage->show, "none", "now", NULL);
}

/* Plays n frames; notes each new constant that sounds. Returns how many frames had sound. */
static int play(struct stage *stage, int n)
{
    int sounding = 0;
    for (int i = 0; i < n; i++, stage->frames++) {
        struct cp_moment moment;
        int16_t pcm[CP_SAMPLES_PER_FRAME];
        cp_show_moment(stage->door, &moment, pcm);
        assert_int_equal(moment.at_samples, (int64_t)stage->frames * CP_SAMPLES_PER_FRAME);
        size_t used = strlen(stage->heard);
        if (pcm[0]) {
            char letter = (char)(pcm[0] / 100);
            sounding++;
            assert_non_null(moment.utterance);
            if (moment.offset_samples == 0) {
                stage->heard[used] = letter;
                stage->heard[used + 1] = 0;
            }
        }
        settle(stage);
    }
    return sounding;
}

static void post(struct stage *stage, const char *text, char ret_id[64])
{
    struct cp_error error = {.text = ""};
    json_t *spec = json_pack("{s:s}", "text", text), *cue;
    if (cp_show_cue_create(stage->show, "main", spec, cp_clock_now_ns(), &cue, &error))
        fail_msg("%s", error.text);
    if (ret_id)
        snprintf(ret_id, 64, "%s", json_string_value(json_object_get(cue, "id")));
    json_decref(cue);
    json_decref(spec);
    settle(stage);
}

static void state_of(struct stage *stage, const char *id, char ret_state[32])
{
    json_t *cue;
    assert_int_equal(cp_show_cue_get(stage->show, "main", id, &cue, NULL), 0);
    snprintf(ret_state, 32, "%s", json_string_value(json_object_get(cue, "state")));
    json_decref(cue);
}

/* --- cues --- */

static void cues_are_performed_in_order_and_once(void **state)
{
    struct stage *stage = *state;
    char text[8];
    make_channel(stage, NULL);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%c.", 'A' + i);
        post(stage, text, NULL);
    }
    play(stage, 20 * 17);
    assert_string_equal(stage->heard, "ABCDEFGHIJKLMNOPQRST");
    assert_int_equal(play(stage, 30), 0);
    assert_string_equal(stage->performed,
                        "A.:done B.:done C.:done D.:done E.:done F.:done G.:done H.:done I.:done "
                        "J.:done K.:done L.:done M.:done N.:done O.:done P.:done Q.:done R.:done "
                        "S.:done T.:done ");
}

static void cue_sounds_in_the_next_frame(void **state)
{
    struct stage *stage = *state;
    struct cp_moment moment;
    int16_t pcm[CP_SAMPLES_PER_FRAME];
    char id[64];
    make_channel(stage, NULL);
    assert_int_equal(play(stage, 5), 0);
    post(stage, "A. B.", id);
    cp_show_moment(stage->door, &moment, pcm);
    stage->frames++;
    assert_true(moment.first_of_line);
    assert_string_equal(moment.cue, id);
    assert_int_equal(pcm[0], 'A' * 100);
    cp_show_moment(stage->door, &moment, pcm);
    stage->frames++;
    assert_false(moment.first_of_line);
    assert_int_equal(moment.offset_samples, CP_SAMPLES_PER_FRAME);
}

static void long_cue_is_asked_for_in_batches(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, NULL);
    post(stage, "A. B. C. D. E. F. G. H. I. J. K. L. M. N. O. P. Q. R. S. T.", NULL);
    assert_int_equal(stage->asked, 1);
    play(stage, 20 * 16);
    assert_string_equal(stage->heard, "ABCDEFGHIJKLMNOPQRST");
    assert_int_equal(stage->asked, 3);
    assert_string_equal(stage->performed,
                        "A. B. C. D. E. F. G. H. I. J. K. L. M. N. O. P. Q. R. S. T.:done ");
}

static void cue_that_fails_says_why_and_the_show_goes_on(void **state)
{
    struct stage *stage = *state;
    char id[64];
    json_t *cue;
    make_channel(stage, NULL);
    post(stage, "fail.", id);
    post(stage, "B breaks. ", NULL);
    post(stage, "C.", NULL);
    play(stage, 40);
    assert_string_equal(stage->heard, "BC");
    assert_string_equal(stage->performed, "fail.:failed B breaks. :failed C.:done ");
    assert_int_equal(cp_show_cue_get(stage->show, "main", id, &cue, NULL), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(cue, "error"), "text")),
                        "this cannot be said");
    json_decref(cue);
}

static void cue_limit_is_refused_not_lost(void **state)
{
    struct stage *stage = *state;
    struct cp_error error;
    json_t *spec = json_pack("{s:s}", "text", "A."), *cue;
    make_channel(stage, NULL);
    for (int i = 0; i < 100; i++)
        post(stage, "A.", NULL);
    assert_int_equal(cp_show_cue_create(stage->show, "main", spec, 1, &cue, &error), CP_ERR_BUSY);
    json_decref(spec);
}

static void waiting_cue_can_be_changed_and_removed(void **state)
{
    struct stage *stage = *state;
    char a[64], b[64], c[64], now[32];
    json_t *changes = json_pack("{s:s}", "text", "X."), *cue;
    struct cp_error error;
    make_channel(stage, NULL);
    post(stage, "A.", a);
    post(stage, "B.", b);
    post(stage, "C.", c);
    play(stage, 2);
    assert_int_equal(cp_show_cue_patch(stage->show, "main", b, changes, &cue, &error), 0);
    json_decref(cue);
    assert_int_equal(cp_show_cue_delete(stage->show, "main", c, &error), 0);
    assert_int_equal(cp_show_cue_patch(stage->show, "main", a, changes, &cue, &error), CP_ERR_EXISTS);
    play(stage, 50);
    assert_string_equal(stage->heard, "AX");
    state_of(stage, c, now);
    assert_string_equal(now, "cut");
    assert_int_equal(cp_show_cue_delete(stage->show, "main", "cue_none", &error), CP_ERR_NOT_FOUND);
    json_decref(changes);
}

static void played_cue_overtakes_the_others(void **state)
{
    struct stage *stage = *state;
    char c[64];
    struct cp_error error;
    make_channel(stage, NULL);
    post(stage, "A. B. C.", NULL);
    post(stage, "D.", NULL);
    post(stage, "E.", c);
    play(stage, 20); /* in the middle of B */
    assert_int_equal(cp_show_cue_play(stage->show, "main", c, "now", &error), 0);
    play(stage, 50);
    assert_string_equal(stage->heard, "ABED");
    assert_string_equal(stage->performed, "A. B. C.:cut E.:done D.:done ");
}

/* --- interrupts --- */

static int frames_until_silence(struct stage *stage, const char *policy)
{
    int n = 0;
    play(stage, 3); /* 100 ms in: at the end of the first word */
    assert_int_equal(cp_show_interrupt(stage->show, "main", policy, NULL), 0);
    settle(stage);
    while (play(stage, 1))
        n++;
    return n;
}

static void interrupt_now_goes_silent_within_a_frame(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, NULL);
    post(stage, "A. B.", NULL);
    assert_int_equal(frames_until_silence(stage, "now"), 1);
    play(stage, 2);
    assert_string_equal(stage->performed, "A. B.:cut ");
    assert_string_equal(stage->heard, "A");
}

static void interrupt_now_fades_without_a_jump(void **state)
{
    struct stage *stage = *state;
    struct cp_moment moment;
    int16_t pcm[CP_SAMPLES_PER_FRAME];
    make_channel(stage, NULL);
    post(stage, "A.", NULL);
    play(stage, 2);
    cp_show_interrupt(stage->show, "main", "now", NULL);
    settle(stage);
    cp_show_moment(stage->door, &moment, pcm);
    stage->frames++;
    assert_int_equal(pcm[0], 'A' * 100);
    assert_int_equal(pcm[CP_SAMPLES_PER_FRAME - 1], 0);
    for (int i = 1; i < CP_SAMPLES_PER_FRAME; i++)
        assert_true(pcm[i - 1] - pcm[i] >= 0 && pcm[i - 1] - pcm[i] <= 10);
}

static void interrupt_word_fades_gently(void **state)
{
    struct stage *stage = *state;
    struct cp_moment moment;
    int16_t pcm[4 * CP_SAMPLES_PER_FRAME];
    int fading = 0;
    make_channel(stage, NULL);
    post(stage, "A.", NULL);
    play(stage, 2);
    cp_show_interrupt(stage->show, "main", "word", NULL);
    settle(stage);
    for (int i = 0; i < 4; i++, stage->frames++)
        cp_show_moment(stage->door, &moment, pcm + (ptrdiff_t)i * CP_SAMPLES_PER_FRAME);
    for (int i = 1; i < 4 * CP_SAMPLES_PER_FRAME; i++) {
        assert_true(pcm[i - 1] - pcm[i] >= 0 && pcm[i - 1] - pcm[i] <= 20);
        fading += pcm[i] < 'A' * 100 && pcm[i] > 0;
    }
    assert_int_equal(pcm[4 * CP_SAMPLES_PER_FRAME - 1], 0);
    assert_true(fading >= CP_SAMPLE_HZ / 100 && fading <= CP_SAMPLE_HZ * 3 / 100);
}

static void interrupt_word_ends_at_the_word(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, NULL);
    post(stage, "A. B.", NULL);
    /* 100 ms spoken; the second word ends at 200 ms: frames 4, 5, 6 sound, and its 5 ms fade lies in the 7th.
     */
    assert_in_range(frames_until_silence(stage, "word"), 3, 4);
    play(stage, 2);
    assert_string_equal(stage->performed, "A. B.:cut ");
}

static void interrupt_sentence_ends_at_the_sentence(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, NULL);
    post(stage, "A. B.", NULL);
    assert_int_equal(frames_until_silence(stage, "sentence"), 12);
    play(stage, 2);
    assert_string_equal(stage->heard, "A");
    assert_string_equal(stage->performed, "A. B.:cut ");
}

static void interrupt_of_an_unknown_policy_is_refused(void **state)
{
    struct stage *stage = *state;
    struct cp_error error;
    make_channel(stage, NULL);
    assert_int_equal(cp_show_interrupt(stage->show, "main", "later", &error), CP_ERR_INVALID);
}

/* --- the rundown --- */

/* --- cues that are still being written --- */

static void post_open(struct stage *stage, const char *text, char ret_id[64])
{
    json_t *spec = json_pack("{s:s,s:b}", "text", text, "open", 1), *cue;
    assert_int_equal(cp_show_cue_create(stage->show, "main", spec, cp_clock_now_ns(), &cue, NULL), 0);
    snprintf(ret_id, 64, "%s", json_string_value(json_object_get(cue, "id")));
    json_decref(cue);
    json_decref(spec);
    settle(stage);
}

static int extend(struct stage *stage, const char *id, const char *more, bool last)
{
    int result = cp_show_cue_extend(stage->show, "main", id, more, last, NULL);
    settle(stage);
    return result;
}

static enum cp_attention attention(struct stage *stage)
{
    struct cp_moment moment;
    int16_t pcm[CP_SAMPLES_PER_FRAME];
    cp_show_moment(stage->door, &moment, pcm);
    stage->frames++;
    settle(stage);
    return moment.attention;
}

static void open_cue_grows_and_the_show_waits_for_it(void **state)
{
    struct stage *stage = *state;
    char id[64], shown[32];
    make_channel(stage, "{\"loop\":true,\"cues\":[{\"text\":\"r.\"}]}");
    post_open(stage, "A. B.", id);
    post(stage, "Z.", NULL);
    play(stage, 40); /* A and B last 30 frames; neither the rundown nor the next cue may begin */
    assert_string_equal(stage->heard, "AB");
    assert_int_equal(attention(stage), CP_ATTENTION_THINKING);
    state_of(stage, id, shown);
    assert_string_equal(shown, "speaking");
    assert_int_equal(extend(stage, id, "C.", false), 0);
    play(stage, 8);
    assert_int_equal(extend(stage, id, "D. E.", false), 0); /* while C is being said */
    play(stage, 60);
    assert_string_equal(stage->heard, "ABCDE");
    assert_int_equal(extend(stage, id, "F.", true), 0);
    play(stage, 22);
    play(stage, 20);
    assert_memory_equal(stage->heard, "ABCDEFZ", 7);
    assert_non_null(strstr(stage->performed, "A. B.\nC.\nD. E.\nF.:done"));
    assert_int_equal(extend(stage, id, "G.", false), CP_ERR_NOT_FOUND);
    json_t *cue;
    assert_int_equal(cp_show_cue_get(stage->show, "main", id, &cue, NULL), 0);
    assert_null(json_object_get(cue, "open"));
    assert_int_equal(json_integer_value(json_object_get(cue, "sentences_done")), 6);
    json_decref(cue);
}

static void open_cue_ends_when_it_is_closed_without_more(void **state)
{
    struct stage *stage = *state;
    char id[64], shown[32];
    make_channel(stage, NULL);
    post_open(stage, "A.", id);
    play(stage, 30);
    assert_int_equal(extend(stage, id, "", true), 0); /* all of it was said: it is over at once */
    state_of(stage, id, shown);
    assert_string_equal(shown, "done");
    assert_string_equal(stage->performed, "A.:done ");
    assert_int_equal(attention(stage), CP_ATTENTION_IDLE);

    post_open(stage, "B.", id);
    play(stage, 3);
    assert_int_equal(extend(stage, id, "", true), 0); /* while it is being said */
    play(stage, 20);
    state_of(stage, id, shown);
    assert_string_equal(shown, "done");
    assert_string_equal(stage->heard, "AB");
}

static void open_cue_that_waits_grows_before_its_turn(void **state)
{
    struct stage *stage = *state;
    char id[64];
    make_channel(stage, NULL);
    post(stage, "A.", NULL);
    post(stage, "B.", NULL);
    post_open(stage, "C.", id);
    assert_int_equal(extend(stage, id, "D.", true), 0);
    play(stage, 80);
    assert_string_equal(stage->heard, "ABCD");
}

static void open_cue_can_be_cut_and_is_bounded(void **state)
{
    struct stage *stage = *state;
    char id[64], shown[32];
    static char huge[40 << 10];
    make_channel(stage, NULL);
    post_open(stage, "A.", id);
    play(stage, 5);
    memset(huge, 'x', sizeof huge - 1);
    assert_int_equal(extend(stage, id, huge, false), CP_ERR_LIMIT);
    assert_int_equal(cp_show_interrupt(stage->show, "main", "now", NULL), 0);
    play(stage, 5);
    state_of(stage, id, shown);
    assert_string_equal(shown, "cut");
    assert_int_equal(extend(stage, id, "B.", false), CP_ERR_NOT_FOUND);
    assert_int_equal(extend(stage, "cue_none", "B.", false), CP_ERR_NOT_FOUND);
}

static void open_cue_that_nobody_goes_on_writing_ends(void **state)
{
    struct stage *stage = *state;
    char id[64], shown[32];
    make_channel(stage, NULL);
    post_open(stage, "A.", id);
    post(stage, "B.", NULL);
    play(stage, 20);
    state_of(stage, id, shown);
    assert_string_equal(shown, "speaking");
    for (int i = 0; i < 300 && strcmp(shown, "done") != 0; i++) { /* no frame wakes the show: the time does */
        usleep(10000);
        state_of(stage, id, shown);
    }
    assert_string_equal(shown, "done");
    assert_int_equal(extend(stage, id, "C.", false), CP_ERR_NOT_FOUND);
    play(stage, 40);
    assert_string_equal(stage->heard, "AB");
}

static void open_cue_is_over_after_a_restart(void **state)
{
    struct stage *stage = *state;
    char id[64], shown[32];
    make_channel(stage, NULL);
    post_open(stage, "A. B.", id);
    play(stage, 18);
    close_show(stage);
    open_show(stage);
    stage->frames = 0;
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &stage->door, NULL), 0);
    settle(stage);
    play(stage, 40);
    assert_string_equal(stage->heard, "ABB");
    state_of(stage, id, shown);
    assert_string_equal(shown, "done");
}

static void presenter_listens_then_thinks(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, NULL);
    assert_int_equal(attention(stage), CP_ATTENTION_IDLE);
    cp_show_think(stage->show, "main", 60 * CP_NS_PER_S);
    assert_int_equal(attention(stage), CP_ATTENTION_LISTENING);
    usleep(800 * 1000);
    assert_int_equal(attention(stage), CP_ATTENTION_THINKING);
    post(stage, "A.", NULL);
    assert_int_equal(attention(stage), CP_ATTENTION_SPEAKING);
    play(stage, 20);
    cp_show_think(stage->show, "main", 0);
    assert_int_equal(attention(stage), CP_ATTENTION_IDLE);
}

static const char RUNDOWN[] = "{\"loop\":true,\"cues\":[{\"text\":\"a. b. c.\"},{\"text\":\"d.\"}]}";

static void rundown_loops(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, RUNDOWN);
    play(stage, 9 * 18);
    assert_memory_equal(stage->heard, "abcdabcd", 8);
}

static void rundown_goes_on_at_the_sentence_that_a_cue_cut(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, RUNDOWN);
    settle(stage);
    play(stage, 20); /* a whole, b begun */
    assert_string_equal(stage->heard, "ab");
    post(stage, "X. Y.", NULL);
    play(stage, 80);
    assert_memory_equal(stage->heard, "abXYbcd", 7);
}

static void rundown_skips_what_was_interrupted_on_request(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, RUNDOWN);
    settle(stage);
    play(stage, 20);
    cp_show_interrupt(stage->show, "main", "now", NULL);
    play(stage, 40);
    assert_memory_equal(stage->heard, "abcd", 4);
}

static void rundown_line_that_fails_is_skipped(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, "{\"loop\":true,\"cues\":[{\"text\":\"a.\"},{\"text\":\"fail\"},{\"text\":\"c.\"}]}");
    play(stage, 70);
    assert_memory_equal(stage->heard, "acac", 4);
}

static void rundown_change_takes_effect_at_the_word(void **state)
{
    struct stage *stage = *state;
    json_t *changes = json_pack("{s:{s:b, s:[]}}", "rundown", "loop", 1, "cues"), *channel;
    make_channel(stage, RUNDOWN);
    settle(stage);
    play(stage, 4);
    assert_int_equal(cp_show_channel_patch(stage->show, "main", changes, &channel, NULL), 0);
    json_decref(channel);
    json_decref(changes);
    play(stage, 5);
    assert_int_equal(play(stage, 30), 0);
}

/* --- what outlives the program --- */

static void accepted_cue_survives_a_kill(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, NULL);
    close_show(stage);
    pid_t child = fork();
    if (!child) {
        struct cp_error error;
        json_t *spec = json_pack("{s:s}", "text", "K."), *cue;
        open_show(stage);
        if (!cp_show_cue_create(stage->show, "main", spec, 1, &cue, &error))
            kill(getpid(), SIGKILL); /* the instant it was acknowledged */
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_show(stage);
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &stage->door, NULL), 0);
    stage->frames = 0;
    settle(stage);
    play(stage, 40);
    assert_string_equal(stage->heard, "K");
    assert_string_equal(stage->performed, "K.:done ");
    close_show(stage);
    open_show(stage);
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &stage->door, NULL), 0);
    stage->frames = 0;
    settle(stage);
    assert_int_equal(play(stage, 40), 0);
}

static void cue_goes_on_at_the_next_sentence_after_a_restart(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, RUNDOWN);
    post(stage, "A. B. C.", NULL);
    play(stage, 20); /* A whole, B begun */
    close_show(stage);
    open_show(stage);
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &stage->door, NULL), 0);
    stage->frames = 0;
    settle(stage);
    play(stage, 100);
    assert_non_null(strstr(stage->heard, "ABBC"));
    assert_string_equal(stage->performed, "A. B. C.:done ");
}

static void rundown_keeps_its_place_over_a_restart(void **state)
{
    struct stage *stage = *state;
    make_channel(stage, RUNDOWN);
    settle(stage);
    play(stage, 20); /* a whole, b begun */
    close_show(stage);
    open_show(stage);
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &stage->door, NULL), 0);
    stage->frames = 0;
    settle(stage);
    play(stage, 40);
    assert_memory_equal(stage->heard, "abbcd", 4);
}

static void door_is_entered_once(void **state)
{
    struct stage *stage = *state;
    struct cp_stage_door *second;
    struct cp_error error;
    make_channel(stage, NULL);
    assert_int_equal(cp_show_enter(stage->show, "main", NULL, &second, &error), CP_ERR_EXISTS);
    assert_int_equal(cp_show_enter(stage->show, "other", NULL, &second, &error), CP_ERR_NOT_FOUND);
    assert_int_equal(cp_show_channel_delete(stage->show, "main", &error), CP_ERR_EXISTS);
}

/* --- stages --- */

struct stagehand { /* a stand-in: lines that name the set "shop" wait for their stage, "gone" cannot be had */
    uint64_t job;
    int asked, struck;
};
static struct stagehand hand; /* it outlives a test: what waits at its end is struck by tear_down */

static int give_stage(void *user, const json_t *channel, const json_t *line, uint64_t job, bool *ret_wait,
                      struct cp_error *error)
{
    struct stagehand *given = user;
    const char *set = json_string_value(json_object_get(line, "set"));
    if (set && !strcmp(set, "gone"))
        return cp_fail(error, CP_ERR_NOT_FOUND, "app", "there is no such set");
    *ret_wait = set != NULL;
    if (set) {
        given->job = job;
        given->asked++;
    }
    return 0;
}

static void strike_stage(void *user, uint64_t job)
{
    ((struct stagehand *)user)->struck++;
}

static void enter_with(struct stage *stage, const char *rundown)
{
    hand = (struct stagehand){0};
    const struct cp_show_stager stager = {.user = &hand, .stage = give_stage, .strike = strike_stage};
    make_channel(stage, rundown);
    cp_show_leave(stage->door);
    assert_int_equal(cp_show_enter(stage->show, "main", &stager, &stage->door, NULL), 0);
    stage->frames = 0;
}

static void post_in_set(struct stage *stage, const char *text, const char *set)
{
    json_t *spec = json_pack("{s:s, s:s}", "text", text, "set", set), *cue;
    assert_int_equal(cp_show_cue_create(stage->show, "main", spec, cp_clock_now_ns(), &cue, NULL), 0);
    json_decref(cue);
    json_decref(spec);
    settle(stage);
}

static void cue_waits_for_its_stage(void **state)
{
    struct stage *stage = *state;
    struct cp_moment moment;
    int16_t pcm[CP_SAMPLES_PER_FRAME];
    int scene; /* any address will do: the show only carries it */
    enter_with(stage, NULL);
    post_in_set(stage, "S.", "shop");
    assert_int_equal(play(stage, 20), 0);
    assert_int_equal(hand.asked, 1);
    cp_show_staged(stage->show, "main", hand.job, (struct cp_scene *)&scene, 0, NULL);
    settle(stage);
    cp_show_moment(stage->door, &moment, pcm);
    stage->frames++;
    assert_ptr_equal(moment.scene, &scene);
    assert_int_not_equal(pcm[0], 0);
    assert_int_equal(hand.struck, 0);
    play(stage, 20);
    assert_int_equal(hand.struck, 1);
    assert_string_equal(stage->performed, "S.:done ");
}

static void rundown_goes_on_while_a_cue_waits_for_its_stage(void **state)
{
    struct stage *stage = *state;
    enter_with(stage, RUNDOWN);
    settle(stage);
    play(stage, 4);
    post_in_set(stage, "S.", "shop");
    assert_int_equal(play(stage, 30), 30);
    assert_null(strchr(stage->heard, 'S'));
    cp_show_staged(stage->show, "main", hand.job, NULL, 0, NULL);
    settle(stage);
    play(stage, 3);
    assert_non_null(strchr(stage->heard, 'S'));
}

static void cue_whose_stage_fails_fails_alone(void **state)
{
    struct stage *stage = *state;
    struct cp_error why = {.code = CP_ERR_FORMAT, .stage = "app", .text = "the picture is damaged"};
    enter_with(stage, NULL);
    post_in_set(stage, "S.", "shop");
    post_in_set(stage, "G.", "gone");
    post(stage, "T.", NULL);
    cp_show_staged(stage->show, "main", hand.job, NULL, CP_ERR_FORMAT, &why);
    settle(stage);
    play(stage, 40);
    assert_string_equal(stage->performed, "S.:failed G.:failed T.:done ");
    assert_string_equal(stage->heard, "T");
    assert_int_equal(hand.struck, 1);
}

static void cue_fails_when_its_stage_does_not_come(void **state)
{
    struct stage *stage = *state;
    enter_with(stage, NULL);
    post_in_set(stage, "S.", "shop");
    post(stage, "T.", NULL);
    usleep(1200 * 1000);
    settle(stage);
    play(stage, 40);
    assert_string_equal(stage->performed, "S.:failed T.:done ");
    cp_show_staged(stage->show, "main", hand.job, NULL, 0, NULL); /* too late: nobody waits for it */
    settle(stage);
    assert_int_equal(hand.struck, 1);
}

static void cue_removed_while_its_stage_is_made_gives_it_up(void **state)
{
    struct stage *stage = *state;
    struct cp_error error;
    json_t *spec = json_pack("{s:s, s:s}", "text", "S.", "set", "shop"), *cue;
    enter_with(stage, NULL);
    assert_int_equal(cp_show_cue_create(stage->show, "main", spec, cp_clock_now_ns(), &cue, NULL), 0);
    settle(stage);
    assert_int_equal(
        cp_show_cue_delete(stage->show, "main", json_string_value(json_object_get(cue, "id")), &error), 0);
    assert_int_equal(hand.struck, 1);
    json_decref(cue);
    json_decref(spec);
}

static struct cp_card_spec card_of(const char *channel, const char *line)
{
    struct cp_card_spec card;
    json_t *c = json_loads(channel, 0, NULL), *l = json_loads(line, 0, NULL);
    cp_show_card_of(c, l, &card);
    json_decref(c);
    json_decref(l);
    return card;
}

static void card_is_a_text_or_an_object(void **state)
{
    struct cp_card_spec card = card_of("{}", "{\"text\":\"No card.\"}");
    assert_true(cp_card_is_empty(&card));
    card = card_of("{}", "{\"card\":\"Ava Lindqvist\\nHost\\nof the evening\"}");
    assert_string_equal(card.title, "Ava Lindqvist");
    assert_string_equal(card.text, "Host\nof the evening");
    assert_int_equal(card.side, CP_CARD_SIDE_UNSET);
    card =
        card_of("{}", "{\"card\":{\"title\":\"A mug\",\"text\":\"Of clay\",\"price\":\"12.50\",\"picture\":"
                      "\"med_1\",\"side\":\"left\"}}");
    assert_string_equal(card.title, "A mug");
    assert_string_equal(card.price, "12.50");
    assert_string_equal(card.picture, "med_1");
    assert_int_equal(card.side, CP_CARD_LEFT);
    assert_false(card.on_screen);
    struct cp_card_spec same = card;
    assert_true(cp_card_is_same(&card, &same));
    same.side = CP_CARD_RIGHT;
    assert_false(cp_card_is_same(&card, &same));
}

static void card_goes_to_the_screen_that_says_so(void **state)
{
    assert_true(card_of("{}", "{\"card\":\"A\",\"screen\":\"card\"}").on_screen);
    assert_true(card_of("{\"screen\":\"card\"}", "{\"card\":\"A\"}").on_screen);
    assert_false(card_of("{\"screen\":\"card\"}", "{\"card\":\"A\",\"screen\":\"med_1\"}").on_screen);
    assert_false(card_of("{\"screen\":\"card\"}", "{\"text\":\"No card.\"}").on_screen);
}

static void long_card_is_cut_between_characters(void **state)
{
    char line[600] = "{\"card\":{\"price\":\"";
    for (int i = 0; i < 40; i++)
        strcat(line, "\xe2\x82\xac"); /* euro signs */
    strcat(line, "\"}}");
    struct cp_card_spec card = card_of("{}", line);
    assert_int_equal(strlen(card.price), 99); /* 33 whole ones */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(cues_are_performed_in_order_and_once),
        CASE(cue_sounds_in_the_next_frame),
        CASE(long_cue_is_asked_for_in_batches),
        CASE(cue_that_fails_says_why_and_the_show_goes_on),
        CASE(cue_limit_is_refused_not_lost),
        CASE(waiting_cue_can_be_changed_and_removed),
        CASE(played_cue_overtakes_the_others),
        CASE(interrupt_now_goes_silent_within_a_frame),
        CASE(interrupt_now_fades_without_a_jump),
        CASE(interrupt_word_fades_gently),
        CASE(interrupt_word_ends_at_the_word),
        CASE(interrupt_sentence_ends_at_the_sentence),
        CASE(interrupt_of_an_unknown_policy_is_refused),
        CASE(open_cue_grows_and_the_show_waits_for_it),
        CASE(open_cue_ends_when_it_is_closed_without_more),
        CASE(open_cue_that_waits_grows_before_its_turn),
        CASE(open_cue_can_be_cut_and_is_bounded),
        CASE(open_cue_that_nobody_goes_on_writing_ends),
        CASE(open_cue_is_over_after_a_restart),
        CASE(presenter_listens_then_thinks),
        CASE(rundown_loops),
        CASE(rundown_goes_on_at_the_sentence_that_a_cue_cut),
        CASE(rundown_skips_what_was_interrupted_on_request),
        CASE(rundown_line_that_fails_is_skipped),
        CASE(rundown_change_takes_effect_at_the_word),
        CASE(accepted_cue_survives_a_kill),
        CASE(cue_goes_on_at_the_next_sentence_after_a_restart),
        CASE(rundown_keeps_its_place_over_a_restart),
        CASE(cue_waits_for_its_stage),
        CASE(rundown_goes_on_while_a_cue_waits_for_its_stage),
        CASE(cue_whose_stage_fails_fails_alone),
        CASE(cue_fails_when_its_stage_does_not_come),
        CASE(cue_removed_while_its_stage_is_made_gives_it_up),
        CASE(door_is_entered_once),
        cmocka_unit_test(card_is_a_text_or_an_object),
        cmocka_unit_test(card_goes_to_the_screen_that_says_so),
        cmocka_unit_test(long_card_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
