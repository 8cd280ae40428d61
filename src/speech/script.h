/*
 * What is to be said: plain text with prosody spans, pauses and named marks laid over it, cut into sentences.
 * Read from plain text or SSML; the same for every engine, so sentence numbers never depend on the voice.
 */
#ifndef CP_SPEECH_SCRIPT_H
#define CP_SPEECH_SCRIPT_H

#include "base/error.h"
#include "speech/speech.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sentence longer than this is cut at clauses, so that its first sound comes early. Counted in letters of
 * an alphabet; a Han, Kana or Hangul sign counts as three. */
#define CP_SENTENCE_MAX_WEIGHT 250

/* Limits of one SSML document. */
#define CP_SSML_MAX_DEPTH      32
#define CP_SSML_MAX_ITEMS      2048   /* spans, pauses, marks, cuts: each */
#define CP_SSML_MAX_NOTE_BYTES 512    /* one attribute that is kept: an alias, a voice, a pronunciation */
#define CP_SSML_MAX_BREAK_MS   10000  /* one break */
#define CP_SSML_MAX_SUM_MS     120000 /* all breaks */

enum cp_emphasis {
    CP_EMPHASIS_UNSET,
    CP_EMPHASIS_NONE,
    CP_EMPHASIS_REDUCED,
    CP_EMPHASIS_MODERATE,
    CP_EMPHASIS_STRONG
};

/* <say-as interpret-as>: how a run of text is to be read (W3C note of 2005, and the names that Polly and
 * Azure add). */
enum cp_say_as {
    CP_SAY_UNSET,
    CP_SAY_CHARACTERS, /* spell-out, characters, verbatim */
    CP_SAY_CARDINAL,   /* cardinal, number */
    CP_SAY_ORDINAL,
    CP_SAY_DIGITS,
    CP_SAY_FRACTION,
    CP_SAY_UNIT,
    CP_SAY_DATE, /* format: mdy dmy ymd md dm ym my d m y, or yyyymmdd */
    CP_SAY_TIME, /* format: hms12 hms24, or "" */
    CP_SAY_TELEPHONE,
    CP_SAY_ADDRESS,
    CP_SAY_CURRENCY
};

struct cp_span { /* from here to the next span: how it is spoken */
    int32_t start;
    float rate, pitch, volume; /* factors */
    float range;               /* factor of how far the melody swings */
    int32_t style;             /* cp_style_find; 0 is the request's own */
    enum cp_emphasis emphasis;
    enum cp_say_as say_as;
    char say_as_format[16]; /* "" is none */
    char language[16];      /* BCP 47; "" is the request's own */
    /* Into the script's notes (cp_script_note); 0 is none. A span with an alias or a way of reading is never
     * cut by the end of a sentence. */
    int32_t voice;   /* <voice>: a voice's id or name */
    int32_t alias;   /* <sub>: said instead of the text */
    int32_t phoneme; /* <phoneme>: how the text is pronounced, in IPA */
};
/* A stretch of text that is pronounced as said, not as written; the IPA belongs to a script or lexicon. */
struct cp_pronounced {
    int32_t start, end; /* bytes, half open */
    const char *ipa;
};
struct cp_pause {
    int32_t at; /* byte of the text before which it is silent */
    int32_t ms;
    float breath; /* how loud a breath is heard in it; 1 is usual, 0 leaves it to the speaker */
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
    char *notes; /* texts that spans refer to by offset, each ended by NUL; NULL while there is none */
    int32_t notes_length;
    struct cp_warnings warnings; /* what was passed over */
};

/* The text of a note; "" for 0. */
const char *cp_script_note(const struct cp_script *script, int32_t note);
/* Adds a warning; beyond CP_WARNINGS_MAX only counts it. */
void cp_warn(struct cp_warnings *warnings, const char *format, ...) __attribute__((format(printf, 2, 3)));

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
/* The span that the byte belongs to. */
const struct cp_span *cp_script_span_at(const struct cp_script *script, int32_t at);
/* True when b is spoken in the same way as a, whatever their pronunciations. */
bool cp_span_goes_on(const struct cp_span *a, const struct cp_span *b);
/* How text is spoken that nothing was said about. */
#define CP_SPAN_PLAIN                                                                                        \
    (struct cp_span)                                                                                         \
    {                                                                                                        \
        .rate = 1, .pitch = 1, .volume = 1, .range = 1                                                       \
    }

#endif
