/*
 * A voice program: another process that speaks as worker/PROTOCOL.md says. It is started with the stage,
 * restarted when it dies, hangs or talks nonsense; the sentence in flight is tried twice while there is time.
 * Any thread may have it speak; it says one sentence at a time, and others wait for their turn.
 */
#ifndef CP_SPEECH_PROGRAM_H
#define CP_SPEECH_PROGRAM_H

#include "speech/speech_provider.h"

#include <sys/types.h>

struct cp_program;

struct cp_program_config {
    const char *name;      /* for logs and error texts: "espeak", "piper" */
    const char *engine;    /* cp_voice.engine */
    const char *id_prefix; /* of its voices' ids: "espeak:", "worker:piper/" */
    const char *const
        *words; /* the program and its arguments, ended by NULL; found by PATH without a slash */
    /* How long one try at a sentence may take, besides the sentence's own deadline; more for a long text. */
    int64_t sentence_ms;
    bool quick; /* it takes a small part of any deadline: a first try gets half, so that another one may
                   follow */
};

/* CP_ERR_NOMEM. A program that does not start gives no voices: cp_program_why_not. */
int cp_program_create(const struct cp_program_config *config, struct cp_program **ret_program,
                      struct cp_error *error);
void cp_program_destroy(struct cp_program *program);

/* Its voices as of the first hello. */
const struct cp_voice *cp_program_voices(const struct cp_program *program, int *ret_n);
/* "" or why there was no first hello. */
const char *cp_program_why_not(const struct cp_program *program);
/* As cp_speech_provider.speak; `voice` as the program calls it. */
int cp_program_speak(struct cp_program *program, const char *voice, const struct cp_piece *piece,
                     const atomic_bool *stop, struct cp_sound *sound, struct cp_error *error);

/* Restarts so far. Any thread. */
uint64_t cp_program_restarts(const struct cp_program *program);
/* Its process, 0 when none runs. Any thread. */
pid_t cp_program_pid(const struct cp_program *program);
/* Before the first sentence. */
void cp_program_set_sentence_ms(struct cp_program *program, int64_t sentence_ms);

/* Reads the payload of a CP_FRAME_EVENTS frame; foreign bytes. Events outside the text or out of order are
 * mended or left out. CP_ERR_FORMAT when it is not of the protocol. */
int cp_program_read_marks(const char *json, size_t length, size_t text_bytes, struct cp_sound *sound);

#endif
