/*
 * The show stage: channels, rundowns and cues: who says what, when.
 *
 * A cue that was accepted is a durable record and is performed exactly once, in order; a cue that was being
 * spoken when the program died goes on at the sentence that had not been wholly spoken. A channel's rundown
 * fills the time between cues, looping if asked, and goes on at the sentence where a cue cut in.
 *
 * Threads: "show" decides (one thread for all channels); the channel's draw thread asks cp_show_moment() once
 * a frame. Between them: one ring of utterances down, one ring of events up, one atomic word for interrupts.
 */
#ifndef CP_SHOW_H
#define CP_SHOW_H

#include "base/config.h"
#include "base/error.h"
#include "media/card.h"
#include "media/clock.h"
#include "media/moment.h"
#include "media/utterance.h"
#include "observe/observe.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cp_show;

struct cp_show_config {
    int64_t max_cues;       /* cues that may wait on one channel */
    int64_t gap_ms;         /* pause between two cues */
    int64_t rundown_gap_ms; /* pause between two rundown lines */
    int64_t keep_cues_s;    /* how long the record of a finished cue is kept */
    int64_t stage_wait_s;   /* how long a line waits for its stage before it fails */
    int64_t open_wait_s;    /* how long a cue that is still being written waits for more of its text */
};
extern const struct cp_option cp_show_options[];
extern const size_t cp_show_n_options;

/* How the show has text spoken: given by the app, so that this stage need not know the speech stage. The
 * ticket names the request; answers come by cp_show_spoken and cp_show_spoken_end. */
struct cp_show_line {
    const char *text, *ssml, *voice, *language, *style;
    const char *speech;    /* the id of a stored speech, said instead of all that; NULL: none */
    const char *channel;   /* its id */
    const char *presenter; /* who says it: decides the voice where none is named; "" for the first on stage */
    double rate, pitch, volume;
    int first_sentence,
        max_sentences; /* the request may end early after max_sentences; another one goes on */
    bool live;         /* a cue, not a rundown line prepared ahead */
};
struct cp_show_services {
    void *user;
    /* Starts speaking; `job` comes back with the answers. 0, or why not. thread: show */
    int (*say)(void *user, const struct cp_show_line *line, uint64_t job, uint64_t *ret_ticket,
               struct cp_error *error);
    void (*cancel)(void *user, uint64_t ticket);
    /* A cue changed its state; `cue` is its JSON as the API shows it (borrowed). thread: show */
    void (*changed)(void *user, const char *channel, json_t *cue);
    /* A cue ended (done, cut or failed), with what was spoken of it, in order: for the speech store. thread:
     * show */
    void (*performed)(void *user, const char *channel, json_t *cue, struct cp_utterance *const *utterances,
                      int n);
};

/*
 * How a channel's lines get the stage that they name (set, presenter, background ...): given by the app when
 * it enters, so that this stage need not know what a scene is. A line goes on air when both its first
 * sentence and its scene are there. Both functions are called on the show thread and return at once.
 */
struct cp_show_stager {
    void *user;
    /* A line (a cue's or rundown line's JSON) is being prepared on a channel. Either it plays on the
     * channel's own stage (*ret_wait false), or the answer comes by cp_show_staged with this job. Or it
     * cannot be had. */
    int (*stage)(void *user, const json_t *channel, const json_t *line, uint64_t job, bool *ret_wait,
                 struct cp_error *error);
    /* The line is over or given up: the scene of this job, come or not, is not needed for it any more. */
    void (*strike)(void *user, uint64_t job);
};

int cp_show_create(const struct cp_show_config *config, struct cp_store *store, struct cp_observe *observe,
                   const struct cp_show_services *services, struct cp_show **ret_show,
                   struct cp_error *error);
/* Stops the thread; waiting cues stay in the store for the next start. */
void cp_show_destroy(struct cp_show *show);

/* The speech stage's answers. Any thread; never waits. */
void cp_show_spoken(struct cp_show *show, uint64_t job, struct cp_utterance *utterance);
void cp_show_spoken_end(struct cp_show *show, uint64_t job, int result, const struct cp_error *error);

/* The app's answer to `stage`: the scene, held for the line until `strike`, or why there is none. Any thread;
 * never waits. */
void cp_show_staged(struct cp_show *show, const char *channel, uint64_t job, struct cp_scene *scene,
                    int result, const struct cp_error *error);

/* --- channels --- */

/* A channel's record:
 * {"id","title","presenter"|"presenters","voice","set","camera",...,"rundown":{"loop","cues":[...]}}. The
 * caller drops returned JSON. Any thread but draw. */
int cp_show_channel_create(struct cp_show *show, const json_t *spec, json_t **ret_channel,
                           struct cp_error *error);
int cp_show_channel_get(struct cp_show *show, const char *channel, json_t **ret_channel,
                        struct cp_error *error);
int cp_show_channel_list(struct cp_show *show, json_t **ret_list, struct cp_error *error);
int cp_show_channel_patch(struct cp_show *show, const char *channel, const json_t *changes,
                          json_t **ret_channel, struct cp_error *error);
int cp_show_channel_delete(struct cp_show *show, const char *channel, struct cp_error *error);

/* --- cues --- */

/* Accepts a cue: durable before it returns. asked_ns: monotonic, when the request came. */
int cp_show_cue_create(struct cp_show *show, const char *channel, const json_t *spec, int64_t asked_ns,
                       json_t **ret_cue, struct cp_error *error);
int cp_show_cue_get(struct cp_show *show, const char *channel, const char *cue, json_t **ret_cue,
                    struct cp_error *error);
int cp_show_cue_list(struct cp_show *show, const char *channel, const char *cursor, int limit,
                     json_t **ret_page, struct cp_error *error);
/*
 * A cue that was created with "open": true is still being written: it goes on air with the sentences that it
 * has and takes more, whole ones, until `last`. When it runs out of them the presenter thinks; after
 * show.open_wait_s without any it ends. After a restart it is over with what it had. CP_ERR_NOT_FOUND when it
 * has ended or was cut; CP_ERR_LIMIT. thread: any but show and draw
 */
int cp_show_cue_extend(struct cp_show *show, const char *channel, const char *cue, const char *more,
                       bool last, struct cp_error *error);
/* While nobody speaks on the channel the presenter listens, then thinks, for so long; 0: no more. Any thread.
 */
void cp_show_think(struct cp_show *show, const char *channel, int64_t for_ns);
/* Changes a cue that still waits; CP_ERR_EXISTS when it is past that. */
int cp_show_cue_patch(struct cp_show *show, const char *channel, const char *cue, const json_t *changes,
                      json_t **ret_cue, struct cp_error *error);
/* Removes a waiting cue, or cuts a speaking one; a finished one is forgotten. */
int cp_show_cue_delete(struct cp_show *show, const char *channel, const char *cue, struct cp_error *error);
/* What a cue said goes when changes (which are in it already) say something else to be said. Pure. */
void cp_cue_keep_words(json_t *cue, const json_t *changes);
/* Moves a waiting cue to the front and interrupts what is spoken by `policy`. */
int cp_show_cue_play(struct cp_show *show, const char *channel, const char *cue, const char *policy,
                     struct cp_error *error);

/* Ends what is being spoken: "now" (fades within 30 ms), "word", "sentence". Waiting cues go on after it. */
int cp_show_interrupt(struct cp_show *show, const char *channel, const char *policy, struct cp_error *error);

#define CP_SHOW_SCREEN_CARD "card" /* what "screen" says to have the line's card there */

/* The card of a line (a cue's or rundown line's JSON) on a channel: a text, whose first line is its title, or
 * an object {"title","text","price","picture","side"}. An empty one when it has none. Pure. */
void cp_show_card_of(const json_t *channel, const json_t *line, struct cp_card_spec *ret_card);

/* --- performing --- */

struct cp_stage_door; /* the draw thread's end of a channel */

/* One a channel at a time; CP_ERR_EXISTS when it is taken. stager: copied; NULL when all lines play on one
 * stage.
 */
int cp_show_enter(struct cp_show *show, const char *channel, const struct cp_show_stager *stager,
                  struct cp_stage_door **ret_door, struct cp_error *error);
void cp_show_leave(struct cp_stage_door *door);

/*
 * The next frame's moment and its CP_SAMPLES_PER_FRAME samples of sound (48 kHz mono). Each call is one frame
 * further. Does not allocate, wait or block. thread: draw
 */
void cp_show_moment(struct cp_stage_door *door, struct cp_moment *ret_moment,
                    int16_t ret_pcm[CP_SAMPLES_PER_FRAME]);

/* The app tells when the first frame of a cue passed a step; ends up in the cue's timings_ms. Any thread; may
 * be called once per step. */
void cp_show_timing(struct cp_show *show, const char *channel, const char *cue,
                    const struct cp_stamps *stamps);

#endif
