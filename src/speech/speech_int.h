/* Shared by speech.c (requests and the thread) and voices.c (who speaks). */
#ifndef CP_SPEECH_INT_H
#define CP_SPEECH_INT_H

#include "speech/make.h"
#include "speech/script.h"
#include "speech/speech_provider.h"

#include <pthread.h>

#define CP_SPEECH_MAX_ENGINES 8
#define CP_SPEECH_MAX_VOICES  512 /* of one engine */

/* One request, from cp_speech_say until its done() was called. */
struct cp_speech_job {
    struct cp_speech_job *next;
    uint64_t ticket;
    struct cp_script script;
    const struct cp_speech_provider *provider;
    void *engine;
    const struct cp_voice *voice;
    double rate, pitch, volume;
    int style;
    char language[16];          /* that the text is read in */
    struct cp_lexicon *lexicon; /* held; may be NULL */
    const struct cp_speech *speech;
    enum cp_speech_priority priority;
    int sentence;       /* the next one to make */
    int last_sentence;  /* the last one that the voice can read */
    int sentences_left; /* of this request; 0 at the start means all */
    bool started;
    atomic_bool stop; /* cancelled */
    struct cp_speech_events events;
    void *user;
};

struct cp_speech {
    struct cp_speech_config config;
    void *engines[CP_SPEECH_MAX_ENGINES]; /* by the providers' order; opened and closed by the thread */
    struct cp_voice *voices;              /* written once before create returns */
    int n_voices;
    struct cp_maker maker; /* thread: speech */
    pthread_t thread;

    pthread_mutex_t lock;        /* guards all below */
    pthread_cond_t changed;      /* a new job, a cancelled one, closing; or the thread has opened */
    struct cp_speech_job *first; /* by priority, then age; started ones are among them */
    bool opened, closing;
    uint64_t last_ticket;
    struct cp_speech_stats stats;
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

#endif
