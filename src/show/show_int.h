/*
 * Inside the show stage. The show thread owns every struct channel and struct line; other threads come in by
 * posting a message. `lock` guards only what other threads read: the table of channels and the JSON of
 * channels and active cues. No input or output and no callback happens under it.
 */
#ifndef CP_SHOW_INT_H
#define CP_SHOW_INT_H

#include "base/queue.h"
#include "show/show.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_CHANNELS      64
#define ID_BYTES          40
#define DOOR_AHEAD        3  /* sentences of the line on air that lie in the door at once */
#define DOOR_ITEMS        16 /* room in the door: the line on air and the one that it was cut for */
#define BATCH_SENTENCES   8 /* sentences asked of the speech stage at a time: bounds what a long text holds */
#define BATCH_LOW         3 /* ask for more when fewer than this are left unplayed */
#define CP_SHOW_LISTEN_NS (700 * INT64_C(1000000)) /* listening comes before thinking */
#define OPEN_GAP_MS       160                      /* between sentences that were written one by one */
#define RETRY_NS                                                                                             \
    (5 * INT64_C(1000000000)) /* a rundown that cannot speak at all is tried again after this                \
                               */

enum cut_policy { CUT_UNSET, CUT_NOW, CUT_WORD, CUT_SENTENCE };

/* One sentence on its way to the draw thread and back. The show thread makes and frees it; in between the
 * door has it. */
struct item {
    struct line *line;
    struct cp_utterance *utterance;
    uint32_t generation; /* an interrupt with a higher one ends this item */
    int32_t gap_samples; /* silence before it */
    bool first;          /* the line's first item */
    enum cp_emotion emotion;
    float emotion_intensity;
    char action[24], camera[24], presenter[40], cue[ID_BYTES];
    struct cp_card_spec card;
    float camera_move_s;
    enum cp_look look;
    int64_t asked_ns;
    /* Written by the draw thread before it hands the item back. */
    bool wholly; /* spoken to its end */
};

/* Something being said: a cue, or one line of the rundown. thread: show */
struct line {
    struct line *link; /* in struct channel's list of ending lines */
    struct channel *channel;
    json_t *cue; /* the cue's JSON, or a rundown line's spec */
    bool is_cue;
    int rundown_item;
    char id[ID_BYTES]; /* the cue's id, or "" */
    int64_t asked_ns;

    uint64_t job, ticket; /* of the running speech request; job 0: none */
    int next_sentence;    /* what the next request begins with */
    int asked_from;       /* what the last one ended with: a request that brings nothing new ends the line */
    bool complete;        /* all sentences have come, or none will any more */
    bool said_all;        /* all of the text that the last request had */

    /* open_cue.c */
    bool open;             /* its text is being written: it holds when all of it was said */
    int64_t open_until_ns; /* when it closes by itself */
    size_t asked_bytes;    /* how long the text was that the last request had */
    size_t grew_to;        /* how long it is now; 0: it never grew */

    int error_code;
    struct cp_error error;

    uint64_t stage_job;        /* of its own stage; 0: it plays on the channel's */
    bool staging;              /* that is being made */
    int64_t stage_deadline_ns; /* of that */
    struct cp_scene *scene;    /* held for the line; NULL: the channel's own stage */
    bool stage_failed;

    struct cp_utterance **utterances; /* as they came; kept until the line ends */
    int n_utterances, n_pushed, n_ended, n_wholly, capacity;
    bool cutting, interrupted; /* cut short; by whom: interrupted = on request, else for a cue */
};

/* The two ends of a channel: the show thread pushes items down, the draw thread hands them back up. */
struct cp_stage_door {
    struct cp_show *show;
    struct channel *channel;
    struct cp_show_stager stager; /* stage is NULL when there is none */
    struct cp_ring *down, *up;    /* of struct item; up never fills: it has room for all that fit below */
    _Atomic uint64_t cut;         /* generation << 8 | policy */
    atomic_bool speaking;
    atomic_bool waiting;                             /* the line on air waits for more of its text */
    _Atomic int64_t listen_until_ns, think_until_ns; /* an answer is being made; monotonic */
    /* The rest belongs to the draw thread. */
    struct item *current;
    int32_t offset, gap_left, cut_at; /* samples; cut_at -1: play on */
    bool started;
    int64_t frame;
    int silent_frames;
    struct item
        *finished; /* ended in the last moment, which borrowed its utterance: handed back with the next */
    bool finished_wholly;
    char camera[24];
    struct cp_card_spec card;
    float camera_move_s;
};

/* What is happening, as other threads see it. */
struct channel_state {
    char cue[ID_BYTES]; /* on air; "" for none */
    int rundown_item, n_waiting;
};

struct channel {
    struct cp_show *show;
    char id[ID_BYTES];
    struct channel_state shown; /* guarded by show->lock; all else but spec and door is the show thread's */
    json_t *spec;               /* guarded by show->lock for readers */
    struct cp_stage_door *door;
    uint32_t generation;

    json_t **waiting; /* cues in order */
    int n_waiting, waiting_capacity;
    struct line *on_air, *next, *ending;
    int rundown_item, rundown_sentence; /* what the rundown says next */
    int rundown_failures;
    int64_t rundown_retry_ns, retry_ns; /* when to try again; 0: no need */
    int64_t last_end_ns;                /* when the last line ended: pauses are counted from it */
    struct cp_metric *cues_done, *cues_failed, *cues_cut, *depth;
    struct cp_metric *asked, *spoken; /* of a cue: request to durable, request to its first sound */
};

struct cp_show {
    struct cp_show_config config;
    struct cp_store *store;
    struct cp_observe *observe;
    struct cp_show_services services;
    pthread_t thread;
    struct cp_queue *inbox; /* of struct message; a writer waits while it is full */
    int wake_fd;            /* eventfd: inbox or a door has something */
    atomic_bool stopping;
    atomic_uint cue_counter;
    uint64_t last_job;

    pthread_mutex_t lock;
    struct channel *channels[MAX_CHANNELS];
    json_t *active[MAX_CHANNELS]; /* by channel: {cue id: cue JSON} of the cues that wait or speak */
};

/* A function to run on the show thread. */
struct message {
    void (*run)(struct cp_show *show, struct message *message);
    void (*free)(struct message *message); /* frees what it holds and itself */
};

/* show.c */
int cp_show_post(struct cp_show *show, struct message *message);
/* Runs `work` on the show thread and waits for it. thread: any but show and draw */
int cp_show_call(struct cp_show *show, int (*work)(struct cp_show *show, void *args, struct cp_error *error),
                 void *args, struct cp_error *error);
void cp_show_wake(struct cp_show *show);                            /* any thread; never waits */
struct channel *cp_show_find(struct cp_show *show, const char *id); /* thread: show, or under lock */
int cp_show_no_channel(const char *id, struct cp_error *error);

/* channel.c */
int cp_channel_load_all(struct cp_show *show, struct cp_error *error);
void cp_channel_free(struct channel *channel);
/* Brings what other threads see up to date. */
void cp_channel_publish(struct channel *channel);
void cp_channel_save_cursor(struct channel *channel);
int cp_channel_rundown_size(const struct channel *channel, bool *ret_loop);
const char *cp_channel_text(const struct channel *channel, const char *field);

/* cue.c */
bool cp_cue_is_finished(const json_t *cue);
/* Whether a line says what is spoken: a text or SSML, or a stored speech (whose text may stand beside it). */
bool cp_cue_has_words(const json_t *line);
/* Sets the state (and error), tells the world; finished cues are written with their expiry. thread: show */
void cp_cue_set_state(struct channel *channel, json_t *cue, const char *state, const struct cp_error *error);
void cp_cue_save(struct channel *channel, json_t *cue);
void cp_cue_activate(struct channel *channel, json_t *cue); /* takes a reference */
/* A cue that waits or speaks, or NULL; borrowed. Under the lock. */
json_t *cp_cue_active(struct channel *channel, const char *id);

/* open_cue.c. thread: show */
void cp_line_open(struct line *line);
void cp_cue_close(struct cp_show *show, json_t *cue); /* nobody writes it any more */
bool cp_line_has_more(const struct line *line);       /* text that nobody was asked to speak yet */
bool cp_line_goes_on(const struct line *line);        /* that, or it may come */
void cp_line_close_overdue(struct channel *channel);

/* director.c */
void cp_direct(struct channel *channel);
void cp_director_events(struct channel *channel);
void cp_director_cut(struct channel *channel, enum cut_policy policy, bool interrupted);
void cp_director_spoken(struct cp_show *show, uint64_t job, struct cp_utterance *utterance);
void cp_director_spoken_end(struct cp_show *show, uint64_t job, int result, const struct cp_error *error);
void cp_director_staged(struct channel *channel, uint64_t job, struct cp_scene *scene, int result,
                        const struct cp_error *error);
/* Ends all lines at once, taking back what lies in the door; their cues wait again. The draw thread must not
 * be in the door. */
void cp_director_drop_lines(struct channel *channel);
void cp_director_rundown_changed(struct channel *channel);
/* A cue that is only being prepared goes back to the front of those that wait: this one, or whichever it is.
 */
void cp_director_take_back(struct channel *channel, const char *cue);
void cp_director_send_back_next(struct channel *channel);
int64_t cp_director_retry_ns(const struct channel *channel); /* when to look again, or INT64_MAX */

#endif
