/* Shared by speech.c (requests), hands.c (the threads) and voices.c (who speaks). */
#ifndef CP_SPEECH_INT_H
#define CP_SPEECH_INT_H

#include "base/breaker.h"
#include "speech/cache.h"
#include "speech/make.h"
#include "speech/script.h"
#include "speech/speech_provider.h"

#include <pthread.h>

#define CP_SPEECH_MAX_ENGINES 16
#define CP_SPEECH_MAX_VOICES  512 /* of one engine */

/* One request, from cp_speech_say until its done() was called. Its maker works on it while it is taken. */
struct cp_speech_job {
    struct cp_speech_job *next;
    uint64_t ticket;
    struct cp_script script;
    const struct cp_voice *wanted; /* as asked for */
    const struct cp_voice *voice;  /* that speaks now */
    const struct cp_speech_provider *provider;
    int row; /* the provider's */
    double rate, pitch, volume;
    int style;
    char language[16];          /* that the text is read in */
    struct cp_lexicon *lexicon; /* held; may be NULL */
    const struct cp_speech *speech;
    uint8_t key[CP_SPEECH_KEY_BYTES]; /* of the request, for the cache */
    enum cp_speech_priority priority;
    int sentence;           /* the next one to make */
    int last_sentence;      /* the last one that the voice can read */
    int sentences_left;     /* of this request; 0 at the start means all */
    uint32_t tried;         /* rows that failed at the sentence at hand */
    int64_t deadline_ns;    /* of the sentence at hand; 0 before its first try */
    int64_t heard_until_ns; /* when the sound handed over will have been heard, if it started at once */
    bool canned;            /* a canned line may stand in for one of its sentences */
    bool started;           /* under the lock */
    bool taken;             /* a hand works on it; under the lock */
    atomic_bool stop;       /* cancelled */
    struct cp_speech_events events;
    void *user;
};

/* A thread that speaks. */
struct cp_speech_hand {
    struct cp_speech *speech;
    bool remote; /* for the engines that are apart */
    pthread_t thread;
    struct cp_maker maker;    /* thread: its own */
    int64_t working_since_ns; /* under the lock; 0 when idle */
};

#define CP_CANNED_LINES 16
/* canned.c: under the lock. */
struct cp_canned {
    enum { CP_CANNED_UNSET, CP_CANNED_WANTED, CP_CANNED_MADE, CP_CANNED_NONE } state;
    struct cp_utterance *utterance; /* stays until the stage is destroyed */
};

struct cp_speech {
    struct cp_speech_config config;
    void *engines[CP_SPEECH_MAX_ENGINES]; /* by the providers' order; opened by the thread "speech" */
    struct cp_voice *voices;              /* written once before create returns */
    int n_voices;
    struct cp_speech_cache *cache; /* NULL: none */
    struct cp_speech_hand hands[1 + CP_SPEECH_MAX_REMOTE_THREADS];
    int n_hands; /* written by create only */

    pthread_mutex_t lock;        /* guards all below */
    pthread_cond_t changed;      /* a new job, a cancelled one, a free engine, closing; or all is open */
    struct cp_speech_job *first; /* by priority, then age; started ones are among them */
    bool opened, closing;
    uint64_t last_ticket;
    struct cp_speech_stats stats;
    struct cp_breaker breakers[CP_SPEECH_MAX_ENGINES]; /* by the providers' order */
    int running[CP_SPEECH_MAX_ENGINES];                /* sentences under way */
    struct cp_speech_failover failovers[CP_SPEECH_MAX_FAILOVERS];
    int n_failovers;
    struct cp_canned canned[CP_CANNED_LINES]; /* by the rows of canned.c */
};

/* The row that speaks for a voice id, or -1. */
int cp_speech_engine_of(const char *voice_id);
/* The voice for a request: as cp_speech_find_voice, with the document's own language, and by the language
 * that the text shows when neither voice nor language is given. ret_language (16 bytes) is what it is read
 * in. */
int cp_speech_choose_voice(const struct cp_speech *speech, const struct cp_speech_request *request,
                           const struct cp_script *script, const struct cp_voice **ret_voice,
                           char *ret_language, struct cp_error *error);
/* True when some of the text is in a script for which a voice other than this one is there. */
bool cp_speech_can_switch(const struct cp_speech *speech, const struct cp_voice *voice, const char *text,
                          int32_t length);
/*
 * Who says the job's sentence instead: the best usable voice of its language on an engine that was not tried
 * for this sentence and is not left alone. The same sex first, then the same age, then the same region, then
 * an engine of the same kind (remote or of this machine), then the order of the voices' list. Remote ones
 * only while there is time for them. NULL when none is left. Under the lock.
 */
const struct cp_voice *cp_speech_next_voice(const struct cp_speech *speech, const struct cp_speech_job *job,
                                            int64_t now_ns);
void cp_speech_set_voice(struct cp_speech *speech, struct cp_speech_job *job, const struct cp_voice *voice);
bool cp_speech_can_read(const struct cp_speech_job *job, int sentence);
void cp_speech_free_job(struct cp_speech_job *job);

/* The text's language is spoken here: its canned line is to be made. Under the lock. */
void cp_canned_want(struct cp_speech *speech, const char *language);
/* The line to make next, or -1. Under the lock. */
int cp_canned_wanted(const struct cp_speech *speech);
/* thread: speech */
void cp_canned_make(struct cp_speech *speech, struct cp_maker *maker, int line);
/* What is said instead of the job's sentence; the caller's. NULL when there is no canned line in its
 * language. */
struct cp_utterance *cp_canned_for(struct cp_speech *speech, const struct cp_speech_job *job);
void cp_canned_clear(struct cp_speech *speech);

/* thread: speech */
void cp_speech_open_engines(struct cp_speech *speech);
/* CP_ERR_NOMEM when not all could be started; cp_speech_stop_hands is right then too. */
int cp_speech_start_hands(struct cp_speech *speech);
/* Cancels what is under way and waits for the threads. */
void cp_speech_stop_hands(struct cp_speech *speech);

#endif
