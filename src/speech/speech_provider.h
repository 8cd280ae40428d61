/*
 * Voice engines. Each is one row of cp_speech_providers; the same contract test runs over all of them.
 * An engine turns one piece of plain text into sound with events; trimming, loudness, visemes and everything
 * else that should be the same for every voice is done by the stage.
 */
#ifndef CP_SPEECH_PROVIDER_H
#define CP_SPEECH_PROVIDER_H

#include "speech/speech.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No piece of text makes more sound than this; an engine that goes on is cut off with CP_ERR_LIMIT. */
#define CP_SOUND_MAX_S 120

enum cp_phone_set {
    CP_PHONES_UNSET,
    CP_PHONES_RADIO, /* flite */
    CP_PHONES_IPA,
    CP_PHONES_SHAPES, /* visemes by name, guessed from sound: shown, but no phones in the marks */
};

enum cp_sound_event_type { CP_SOUND_EVENT_UNSET, CP_SOUND_WORD, CP_SOUND_PHONE };

/* A word or phone; times in samples of the engine's rate. Words come before their phones. */
struct cp_sound_event {
    enum cp_sound_event_type type;
    int32_t at, length;
    int32_t start, end; /* words: bytes of the piece's text, half open */
    int32_t stress;     /* phones: 0 none, 1 secondary, 2 primary */
    char name[16];      /* phones: in the engine's alphabet; "" is a pause */
};

/* What an engine made: mono, 16 bit. Filled by cp_sound_add_*. */
struct cp_sound {
    int hz;              /* 8000..48000 */
    bool melody_ignored; /* the engine cannot change pitch and range: the stage does */
    int16_t *pcm;
    size_t n_samples, capacity;
    struct cp_sound_event *events;
    size_t n_events, event_capacity;
};

/* 0, CP_ERR_NOMEM or CP_ERR_LIMIT (CP_SOUND_MAX_S). */
int cp_sound_add_pcm(struct cp_sound *sound, const int16_t *pcm, size_t n_samples);
int cp_sound_add_event(struct cp_sound *sound, const struct cp_sound_event *event);
/* For qsort of events: by time, words before phones. */
int cp_sound_by_time(const void *a, const void *b);
/* Empties it and keeps the memory. */
void cp_sound_clear(struct cp_sound *sound);
void cp_sound_free(struct cp_sound *sound);

struct cp_piece {
    const char *voice; /* the id behind the colon: "slt", "de" */
    const char *text;  /* valid UTF-8 with at least one letter or digit, no control characters */
    size_t length;
    const struct cp_pronounced *pronounced; /* script.h: stretches of the text, in order; engines without
                                               phones pass them over */
    int n_pronounced;
    double rate, pitch; /* factors 0.25..4 */
    double range;       /* factor 0..2 of how far the melody swings around its mean; engines may ignore it */
    int64_t
        deadline_ns; /* monotonic: when the sound is wanted; give up with CP_ERR_TIMEOUT then; 0: whenever */
};

struct cp_speech_provider {
    const char *name; /* before the colon of its voices' ids */
    const char *summary;
    enum cp_phone_set phones;
    bool phones_taken; /* takes pronunciations (cp_piece.pronounced) */
    bool apart;        /* may keep one waiting: spoken on the remote threads, several at once */
    bool serial;       /* speak is called by one thread at a time; engines that are not apart always are */

    /* Opens the engine. An engine that is not usable here still opens; its voices say why not.
     * thread: speech; may block up to 5 s. */
    int (*open)(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error);
    /* Fills at most `capacity` voices and gives their number. thread: speech */
    int (*voices)(void *engine, struct cp_voice *voices, int capacity);
    /* True when the engine can say some of this text at all. Optional: NULL means always. Any thread. */
    bool (*readable)(const char *text, size_t length);
    /* Speaks. Gives up soon with CP_ERR_CANCELLED when *stop turns true. What it fails with decides what
     * follows: CP_ERR_NOMEM and CP_ERR_CANCELLED end the request; CP_ERR_INVALID, _LIMIT and _NOT_FOUND are
     * this text's or voice's fault; all else is the engine's and makes it be left alone after a few times.
     * thread: speech, or speech.1 ... when apart; may block until the deadline */
    int (*speak)(void *engine, const struct cp_piece *piece, const atomic_bool *stop, struct cp_sound *sound,
                 struct cp_error *error);
    /* Restarts of worker processes so far. Optional. Any thread. */
    uint64_t (*restarts)(void *engine);
    /* NULL is fine. thread: the one that destroys the stage; nobody speaks any more */
    void (*close)(void *engine);
};

extern const struct cp_speech_provider *const cp_speech_providers[];
extern const size_t cp_speech_n_providers;

extern const struct cp_speech_provider cp_flite_provider;
extern const struct cp_speech_provider cp_espeak_provider;
extern const struct cp_speech_provider cp_worker_provider;
extern const struct cp_speech_provider cp_openai_provider;
extern const struct cp_speech_provider cp_polly_provider;
extern const struct cp_speech_provider cp_azure_provider;
extern const struct cp_speech_provider cp_elevenlabs_provider;

#endif
