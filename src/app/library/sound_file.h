/*
 * Speech as a file: WAV, Ogg/Opus, MP3 or bare samples, written sentence by sentence, so that it can leave
 * while it is made. One thread at a time.
 */
#ifndef CP_APP_SOUND_FILE_H
#define CP_APP_SOUND_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "media/utterance.h"

struct cp_sound_file;

enum cp_sound_format {
    CP_SOUND_UNSET,
    CP_SOUND_WAV,
    CP_SOUND_OGG,
    CP_SOUND_MP3,
    CP_SOUND_PCM, /* 24 kHz, 16 bit, little-endian, mono: what OpenAI's clients expect */
};

/* By OpenAI's names ("wav", "opus", "mp3", "pcm", and "ogg"); CP_SOUND_UNSET when unknown. */
enum cp_sound_format cp_sound_format_by_name(const char *name);
/* The one that an Accept header wants; WAV when it does not say. */
enum cp_sound_format cp_sound_format_by_accept(const char *accept);
const char *cp_sound_format_type(enum cp_sound_format format);   /* "audio/wav" */
const char *cp_sound_format_ending(enum cp_sound_format format); /* "wav" */
bool cp_sound_format_usable(enum cp_sound_format format);
const char *cp_sound_formats(void); /* the usable ones, for messages: "wav, opus, ..." */

/* A WAV whose length is not known yet says so as streams do: with the largest number. */
int cp_sound_file_begin(enum cp_sound_format format, struct cp_buffer *out, struct cp_sound_file **ret_file,
                        struct cp_error *error);
int cp_sound_file_add(struct cp_sound_file *file, const struct cp_utterance *utterance,
                      struct cp_error *error);
int cp_sound_file_end(struct cp_sound_file *file, struct cp_error *error);
void cp_sound_file_destroy(struct cp_sound_file *file);

/* All at once, with right lengths. */
int cp_sound_file_write(enum cp_sound_format format, struct cp_utterance *const *utterances, int n,
                        struct cp_buffer *out, struct cp_error *error);

#endif
