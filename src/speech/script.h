/*
 * What is to be said: plain text with prosody spans, pauses and named marks laid over it, cut into sentences.
 * Read from plain text or SSML; the same for every engine, so sentence numbers never depend on the voice.
 */
#ifndef CP_SPEECH_SCRIPT_H
#define CP_SPEECH_SCRIPT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sentence longer than this is cut at clauses, so that its first sound comes early. Counted in letters of
 * an alphabet; a Han, Kana or Hangul sign counts as three. */
#define CP_SENTENCE_MAX_WEIGHT 250

/* Limits of one SSML document. */
#define CP_SSML_MAX_DEPTH    32
#define CP_SSML_MAX_ITEMS    2048   /* spans, pauses, marks, cuts: each */
#define CP_SSML_MAX_BREAK_MS 10000  /* one break */
#define CP_SSML_MAX_SUM_MS   120000 /* all breaks */

struct cp_span { /* from here to the next span: how it is spoken */
    int32_t start;
    float rate, pitch, volume; /* factors */
};
struct cp_pause {
    int32_t at; /* byte of the text before which it is silent */
    int32_t ms;
};
struct cp_flag { /* an SSML <mark> */
    int32_t at;
    char name[16];
};
struct cp_sentence {
    int32_t start, end; /* bytes of the text, without the white space around */
    int32_t pause_ms;   /* silence behind it */
};

struct cp_script {
    char *text; /* UTF-8; control characters are spaces, so offsets are those of the caller's plain text */
    int32_t length;
    char language[16]; /* xml:lang of <speak>, or "" */
    struct cp_span *spans;
    struct cp_pause *pauses;
    struct cp_flag *flags;
    int32_t *cuts; /* a sentence ends here whatever the text says; negative: a paragraph does */
    struct cp_sentence *sentences;
    int n_spans, n_pauses, n_flags, n_cuts, n_sentences;
    int warnings; /* SSML elements and values that were passed over */
};

/* Both fail with CP_ERR_INVALID (not UTF-8, nothing to say), CP_ERR_LIMIT, CP_ERR_NOMEM; SSML also with
 * CP_ERR_FORMAT and the line. On success the script is the caller's to free. Any thread. */
int cp_script_read_text(const char *text, size_t max_bytes, struct cp_script *ret_script,
                        struct cp_error *error);
int cp_script_read_ssml(const char *ssml, size_t max_bytes, struct cp_script *ret_script,
                        struct cp_error *error);
void cp_script_free(struct cp_script *script);

/* --- between text.c and ssml.c --- */

/* Cuts script->text into sentences. */
int cp_script_split(struct cp_script *script, struct cp_error *error);
bool cp_utf8_valid(const char *text, size_t length);
/* True when the text holds a letter or a digit. */
bool cp_text_has_words(const char *text, size_t length);

#endif
