/*
 * Stand-ins for the remote voices, written from their public documentation: OpenAI's /v1/audio/speech, Amazon
 * Polly's SynthesizeSpeech, ElevenLabs' with-timestamps; Azure's WebSocket as its SDK speaks it. They hum a
 * tone a word, check keys and signatures, and misbehave when told to.
 */
#ifndef TEST_MOCK_SERVICES_H
#define TEST_MOCK_SERVICES_H

#include "speech/speech.h"

#include <stdatomic.h>

enum fault {
    FAULT_NONE,
    FAULT_SLOW, /* the sound trickles in, but in time */
    FAULT_CUT,  /* the connection breaks in the midst of the sound */
    FAULT_429,  /* too many requests */
    FAULT_500,
    FAULT_GARBAGE, /* 200 with what is no sound */
    FAULT_EMPTY,   /* 200 with nothing */
    FAULT_SILENT,  /* never answers */
    FAULT_STALL,   /* begins and never goes on */
    FAULT_REFUSED, /* 401 that repeats the key */
    FAULT_COUNT
};

struct services {
    struct web *web;
    atomic_int fault;
    atomic_int n_faults; /* so many requests fail, then all is well; negative: all */
    atomic_int n_bad;    /* requests that were not as documented */
    atomic_int delay_ms; /* of each answer */
};

struct services *services_start(void);
void services_stop(struct services *services);
void services_misbehave(struct services *services, enum fault fault, int n_faults);
/* Turns all remote engines on, with this server's address and keys by reference. */
void services_configure(const struct services *services, struct cp_speech_config *config);

/* The secret that must be in no text. */
#define SERVICES_SECRET "s3cr3t-of-the-tests"

#endif
