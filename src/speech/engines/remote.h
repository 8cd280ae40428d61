/*
 * What the engines behind HTTP share: their voices as configured, keys by reference, requests that are tried
 * again while there is time and no sound has come, and sound as it streams in.
 */
#ifndef CP_SPEECH_REMOTE_H
#define CP_SPEECH_REMOTE_H

#include "base/http.h"
#include "speech/speech_provider.h"

#define CP_REMOTE_MAX_VOICES 64
#define CP_REMOTE_KEY_BYTES  2048

struct cp_remote_voice {
    char name[40];    /* behind the colon of the voice's id */
    char service[64]; /* what the service calls it */
    char language[16];
    char sex[8], age[8];
};

struct cp_remote {
    const char *row;      /* the provider's name: "openai" */
    struct cp_http *http; /* NULL when it is off */
    char why_not[160];    /* "" or why its voices are not usable */
    struct cp_remote_voice voices[CP_REMOTE_MAX_VOICES];
    int n_voices;
};

/* Reads "NAME[=SERVICE_NAME][/LANGUAGE[/SEX]]" of a list by commas or blanks; the language is "en" where none
 * is given, the sex is "female", "male" or "f", "m", the age as in cp_voice. CP_ERR_INVALID names the entry
 * that is wrong. */
int cp_remote_read_voices(const char *list, struct cp_remote_voice *voices, int capacity, int *ret_n,
                          struct cp_error *error);
/* Sets up an engine that is on: its connections and voices. */
int cp_remote_open(struct cp_remote *remote, const struct cp_speech_config *config, const char *voices,
                   struct cp_error *error);
void cp_remote_close(struct cp_remote *remote);
/* Reads a key; a failure is put down in why_not, since an engine without its key still opens. */
void cp_remote_read_key(struct cp_remote *remote, const char *option, const char *reference, char *key,
                        size_t capacity);
/* As cp_speech_provider.voices. */
int cp_remote_list(const struct cp_remote *remote, struct cp_voice *voices, int capacity);
/* NULL when the engine has no such voice. */
const struct cp_remote_voice *cp_remote_find(const struct cp_remote *remote, const char *name);

/* What one attempt was given, and says of its failure. */
struct cp_remote_verdict {
    int64_t time_ms; /* left for it */
    bool may_pass;   /* another attempt may help */
    int64_t wait_ms; /* before it */
};
/* The attempt's number, from 1 on. */
typedef int cp_remote_attempt(void *user, int number, struct cp_remote_verdict *verdict,
                              struct cp_error *error);
/* Tries within the piece's deadline, three times at most. */
int cp_remote_try(const struct cp_remote *remote, const struct cp_piece *piece, const atomic_bool *stop,
                  cp_remote_attempt *attempt, void *user, struct cp_error *error);

#define CP_REMOTE_FIRST_WAIT_MS 60 /* before the second try; doubled for the third */

/*
 * Sends a request of the piece, within its deadline: who, stage and clocks are filled in here. A failure that
 * may pass is tried again, twice at most, after a wait with jitter; never once a byte of the answer has been
 * taken. An answer other than 2xx is an error. The response must be freed in each case.
 */
int cp_remote_send(const struct cp_remote *remote, struct cp_http_request *request,
                   const struct cp_piece *piece, const atomic_bool *stop,
                   struct cp_http_response *ret_response, struct cp_error *error);

/* --- sound as it comes --- */

/* Little-endian 16-bit samples, or a WAV file of them: one or two channels, sizes as they come (streams do
 * not know theirs). All zero but for `sound` and `wav`; without WAV, sound->hz is set beforehand. */
struct cp_pcm_stream {
    struct cp_sound *sound;
    bool wav;
    uint8_t head[32]; /* what came and is not understood yet */
    size_t n_head;
    size_t skip;  /* bytes of a chunk that is of no interest */
    size_t left;  /* bytes of the data chunk */
    int channels; /* 0 before "fmt " was read */
    bool begun, in_data;
};
/* Suits cp_http_request.take_body; user is a struct cp_pcm_stream. CP_ERR_FORMAT on what is no such sound. */
int cp_pcm_stream_take(void *user, const uint8_t *bytes, size_t length);
/* CP_ERR_FORMAT when no sound came. */
int cp_pcm_stream_end(const struct cp_pcm_stream *stream);

/* A piece's text escaped for XML, its pronunciations as <phoneme>. Marks count bytes of the escaped text:
 * *ret_origin (may be NULL; to be freed) gives for each of its bytes, and for its end, the byte of the text;
 * tags stand for what follows them. NULL when out of memory. */
char *cp_remote_escape(const struct cp_piece *piece, int32_t **ret_origin);

#endif
