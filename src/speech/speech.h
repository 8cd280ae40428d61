/*
 * The speech stage: text or SSML in, sentences with sound and marks out, the first while the next is made.
 *
 * The thread "speech" makes the sound of this machine's engines; remote services and voice programs, which
 * may keep one waiting, are spoken on threads of their own ("speech.1" ...). Requests wait in a bounded queue
 * by priority; a request's utterances are handed over in order, by one of these threads at a time.
 *
 * When an engine fails, takes too long or has failed too often, the same sentence is said by another voice of
 * its language, and the request goes on with that one. When none is left, a live request has a canned line
 * said for the sentence and goes on.
 */
#ifndef CP_SPEECH_H
#define CP_SPEECH_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"
#include "media/utterance.h"

#include <stdbool.h>
#include <stdint.h>

struct cp_speech;
struct cp_lexicon; /* speech/reading/lexicon.h */

#define CP_SPEECH_MAX_REMOTE_THREADS 32
#define CP_SPEECH_MAX_FAILOVERS      32 /* pairs of voices that are counted apart */

struct cp_speech_config {
    char voice[CP_OPTION_TEXT_BYTES];  /* default voice: "flite:slt" */
    char worker[CP_OPTION_TEXT_BYTES]; /* path of the espeak-ng worker program; "" finds it beside this
                                          program */
    int64_t max_text_bytes;            /* longest text of one request */
    int64_t queue;                     /* requests that may wait */
    int64_t remote_threads;            /* sentences asked of remote engines at the same time */
    int64_t deadline_ms;               /* how long a live sentence may take before another voice says it */
    bool canned;                       /* keep a line for when no voice is left */
    int64_t cache_mb, cache_s;         /* spoken sentences kept in memory: how much (0: none), how long */
    double loudness_lufs;              /* what every voice is evened to, measured as ITU-R BS.1770 */
    double breath;                     /* how much breath is heard between sentences, 0 to 1 */

    /* voice programs and remote engines: options.c says what each means; keys are references */
    char workers[CP_OPTION_TEXT_BYTES], ca_file[CP_OPTION_TEXT_BYTES];
    char openai_url[CP_OPTION_TEXT_BYTES], openai_key[CP_OPTION_TEXT_BYTES],
        openai_model[CP_OPTION_TEXT_BYTES], openai_voices[CP_OPTION_TEXT_BYTES],
        openai_format[CP_OPTION_TEXT_BYTES];
    char polly_region[CP_OPTION_TEXT_BYTES], polly_access_key[CP_OPTION_TEXT_BYTES],
        polly_secret_key[CP_OPTION_TEXT_BYTES], polly_token[CP_OPTION_TEXT_BYTES],
        polly_engine[CP_OPTION_TEXT_BYTES], polly_voices[CP_OPTION_TEXT_BYTES],
        polly_url[CP_OPTION_TEXT_BYTES];
    char azure_region[CP_OPTION_TEXT_BYTES], azure_key[CP_OPTION_TEXT_BYTES],
        azure_voices[CP_OPTION_TEXT_BYTES], azure_url[CP_OPTION_TEXT_BYTES];
    char elevenlabs_key[CP_OPTION_TEXT_BYTES], elevenlabs_model[CP_OPTION_TEXT_BYTES],
        elevenlabs_voices[CP_OPTION_TEXT_BYTES], elevenlabs_url[CP_OPTION_TEXT_BYTES];
};
extern const struct cp_option cp_speech_options[];
extern const size_t cp_speech_n_options;

int cp_speech_create(const struct cp_speech_config *config, struct cp_speech **ret_speech,
                     struct cp_error *error);
/* Cancels what is running, then waits for the thread and the workers. NULL is fine. */
void cp_speech_destroy(struct cp_speech *speech);

/* --- voices --- */

struct cp_voice {
    char id[64];   /* "flite:slt", "espeak:de", "espeak:de-male", ... */
    char name[64]; /* for people */
    char engine[24];
    char language[16]; /* BCP 47 */
    char sex[8];       /* "female", "male" or "" */
    char age[8];       /* "child", "young", "adult" or "old"; "" counts as adult */
    bool usable;       /* else why_not says what to do */
    char why_not[160];
};
/* The voices of all engines; the array belongs to the speech stage and does not change. */
const struct cp_voice *cp_speech_voices(const struct cp_speech *speech, int *ret_n);
/* The voice to use: by id when given, else by language, else the default. The default voice speaks for its
 * whole language ("en-GB" too). CP_ERR_NOT_FOUND names close ones; CP_ERR_UNAVAILABLE says why one is not
 * usable. */
int cp_speech_find_voice(const struct cp_speech *speech, const char *voice, const char *language,
                         const struct cp_voice **ret_voice, struct cp_error *error);

/* --- styles: ways of speaking by scene --- */

struct cp_speech_style {
    const char *name, *title, *summary;
};
/* The n'th style; NULL behind the last. The first is neutral. */
const struct cp_speech_style *cp_speech_style(int n);

/* --- speaking --- */

enum cp_speech_priority { CP_SPEECH_PRIORITY_UNSET, CP_SPEECH_AHEAD, CP_SPEECH_LIVE }; /* live goes first */

struct cp_speech_request {
    const char *text;     /* UTF-8; plain text, or NULL when ssml is given */
    const char *ssml;     /* SSML 1.1, docs/voices.md; elements beyond it keep their text, with a warning */
    const char *voice;    /* "" or NULL: by language, else the default, else by the script of the text */
    const char *language; /* BCP 47, or "" (then xml:lang of the SSML counts, else the text itself) */
    const char *usual_voice; /* the presenter's own: the default of this request; "" or NULL: the stage's */
    const char *sex;         /* "female" or "male", of the voice to find; "" or NULL: the usual voice's */
    const struct cp_lexicon *lexicon; /* how words are to be said; held while the request lasts. NULL: none */
    double rate, pitch, volume; /* factors, 1 is normal: rate 0.5..2, pitch 0.5..2, volume 0..2; 0 means 1 */
    const char *style;          /* "" or NULL: neutral */
    int first_sentence;         /* skip the sentences before this one (going on after an interruption) */
    int max_sentences; /* end after so many (the last one made then says whether it was the text's last); 0:
                          all */
    enum cp_speech_priority priority; /* unset means ahead */
    bool canned;                      /* a canned line may stand in for one sentence that no voice can say */
};

/* What a text asked for and does not get: elements and values of SSML that are passed over. */
enum { CP_WARNINGS_MAX = 8, CP_WARNING_BYTES = 128 };
struct cp_warnings {
    int n; /* all of them; the first CP_WARNINGS_MAX have a text */
    char text[CP_WARNINGS_MAX][CP_WARNING_BYTES];
};

struct cp_speech_events {
    /* A sentence is ready, in order; the callee takes its own reference if it keeps it. Sentences that the
     * voice cannot read (another script) are passed over. Must not wait: other requests do. thread: speech */
    void (*utterance)(void *user, struct cp_utterance *utterance);
    /* The request is over: 0 after the last sentence, CP_ERR_CANCELLED, or why it failed. Called exactly once
     * for each request accepted. thread: speech */
    void (*done)(void *user, int result, const struct cp_error *error);
    /* The voice `from` could not say a sentence and `to` says it. Optional. Must not wait. thread: speech */
    void (*failed_over)(void *user, const char *from, const char *to, const struct cp_error *why);
};

/* Starts a request; copies the strings. Text problems (SSML that does not parse, no such voice, too long,
 * nothing to say) fail here, at once. CP_ERR_BUSY when the queue is full. *ret_ticket names it for
 * cancelling. Any thread. */
int cp_speech_say(struct cp_speech *speech, const struct cp_speech_request *request,
                  const struct cp_speech_events *events, void *user, uint64_t *ret_ticket,
                  struct cp_error *error);
/* Checks a request as cp_speech_say would, without speaking; gives the plain text (for captions and records)
 * the number of sentences and what was passed over. Each may be NULL. Any thread. */
int cp_speech_check(struct cp_speech *speech, const struct cp_speech_request *request,
                    struct cp_buffer *ret_text, int *ret_n_sentences, struct cp_warnings *ret_warnings,
                    struct cp_error *error);
/* The SHA-256 of what a request's sound depends on, but for the voice that is found for it; utterances carry
 * it. Any thread. */
void cp_speech_request_key(const struct cp_speech_request *request, uint8_t ret_key[CP_SPEECH_KEY_BYTES]);
/* What was spoken for this key is forgotten at that monotonic time; 0: now. Any thread. */
void cp_speech_forget(struct cp_speech *speech, const uint8_t key[CP_SPEECH_KEY_BYTES], int64_t at_ns);
/* Frees what is past its time. Any thread. */
void cp_speech_sweep(struct cp_speech *speech);
/* Stops a request soon; done() is called with CP_ERR_CANCELLED unless it had ended. Any thread. */
void cp_speech_cancel(struct cp_speech *speech, uint64_t ticket);

struct cp_speech_stats {
    int queue_depth, queue_capacity;
    uint64_t requests, refused, failed, cancelled, utterances, worker_restarts, failovers;
    int64_t busy_ns, sound_samples;    /* their ratio is the real-time factor */
    int64_t working_since_ns;          /* 0 when idle: a growing age means the stage is stuck */
    uint64_t cache_hits, cache_misses; /* sentences */
    int64_t cache_bytes;
    int cache_entries;
};
struct cp_speech_stats cp_speech_stats(struct cp_speech *speech);

/* How often one voice had to say what another could not. */
struct cp_speech_failover {
    char from[64], to[64]; /* voice ids */
    uint64_t count;
    int64_t last_ns; /* monotonic */
    char why[160];   /* the last time */
};
/* Fills at most `capacity` and gives their number. Any thread. */
int cp_speech_failovers(struct cp_speech *speech, struct cp_speech_failover *ret_failovers, int capacity);

struct cp_speech_engine {
    const char *name, *summary;
    const char *state; /* "closed": in use; "open": left alone after failures; "half-open": tried again */
    int failures;      /* in a row */
    int running;       /* sentences under way */
    int voices, usable;
};
/* Fills at most `capacity` and gives their number. Any thread. */
int cp_speech_engines(struct cp_speech *speech, struct cp_speech_engine *ret_engines, int capacity);

/* --- recordings --- */

#define CP_RECORDING_VOICE "recording" /* what their utterances name as voice */

/* A sound file of others: WAV, MP3, Ogg (Vorbis, Opus) or M4A, up to two minutes. */
struct cp_recording {
    const void *bytes; /* foreign */
    size_t length;
    const char *text;     /* what is said in it; "" or NULL: not known, mouth shapes are guessed */
    const char *title;    /* stands for the text where it is not known; with a letter or digit */
    const char *language; /* BCP 47; "" or NULL: found out from the text */
};
/* The recording's sentences, evened as voices are: *ret_n of them, for cp_utterances_drop(). CP_ERR_FORMAT,
 * CP_ERR_LIMIT, CP_ERR_INVALID, CP_ERR_NOMEM. Takes about a hundredth of the sound's time. Any thread;
 * blocks. */
int cp_speech_record(const struct cp_speech *speech, const struct cp_recording *recording,
                     struct cp_utterance ***ret_utterances, int *ret_n, struct cp_error *error);
/* Drops the references and frees the array. */
void cp_utterances_drop(struct cp_utterance **utterances, int n);

/* --- files --- */

/* One WAV (RIFF, 16 bit, 48 kHz, mono) of several utterances in order. */
int cp_speech_write_wav(struct cp_utterance *const *utterances, int n, struct cp_buffer *out);
/* Ogg/Opus (RFC 7845), 48 kbit/s; CP_ERR_UNSUPPORTED when built without libopus. */
int cp_speech_write_ogg(struct cp_utterance *const *utterances, int n, struct cp_buffer *out,
                        struct cp_error *error);
/* Reads such a file back as one utterance with sound and nothing else; the bytes are foreign. CP_ERR_FORMAT.
 */
int cp_speech_read_ogg(const void *bytes, size_t length, struct cp_utterance **ret_utterance,
                       struct cp_error *error);

/* The same file piece by piece, appended to `out`; complete when ended. One thread at a time. */
struct cp_ogg;
int cp_ogg_create(struct cp_buffer *out, struct cp_ogg **ret_ogg, struct cp_error *error);
int cp_ogg_add(struct cp_ogg *ogg, const int16_t *pcm, size_t n, struct cp_error *error);
void cp_ogg_flush(struct cp_ogg *ogg); /* what was coded goes into `out` now */
int cp_ogg_end(struct cp_ogg *ogg, struct cp_error *error);
void cp_ogg_destroy(struct cp_ogg *ogg); /* NULL is fine */

/* Marks as JSON lines: {"time_ms","type","value","start","end","length_ms"}, with "weight" for visemes and
 * "stress" where there is one; times from the first utterance's start. */
int cp_speech_write_marks(struct cp_utterance *const *utterances, int n, struct cp_buffer *out);
/* The other way: a sound and such marks (foreign bytes) as utterances again, a sentence each, for
 * cp_utterances_drop(). Without marks it is one sentence. CP_ERR_FORMAT, CP_ERR_NOMEM. Any thread. */
int cp_speech_replay(const int16_t *pcm, size_t n_samples, const char *lines, size_t length,
                     const char *voice, struct cp_utterance ***ret_utterances, int *ret_n,
                     struct cp_error *error);

#endif
