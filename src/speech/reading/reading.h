/*
 * Reading: what is written becomes what is said ("$5.20" is "five dollars and twenty cents"), with a map from
 * each spoken byte back to the written ones, so that word marks and captions stay those of the source.
 *
 * English, German, French, Spanish, Chinese and Japanese have a table each (one file a language); in other
 * languages only addresses, emoji and markup are dealt with and the rest is left to the engine.
 */
#ifndef CP_SPEECH_READING_H
#define CP_SPEECH_READING_H

#include "base/error.h"
#include "speech/reading/lexicon.h"
#include "speech/script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nothing is replaced any more behind so many spoken bytes of one piece: the rest is said as it stands. */
#define CP_READING_MAX_BYTES (48 * 1024)

/* Spoken bytes [spoken, spoken_end) stand for source bytes [source, source_end). */
struct cp_reading_part {
    int32_t spoken, spoken_end, source, source_end;
    bool same; /* byte for byte the same, so offsets inside count; else the whole stands for the whole */
};

struct cp_reading {
    char *text; /* what is said; UTF-8, NUL-terminated */
    int32_t length, capacity;
    struct cp_reading_part *parts; /* in order, without gaps in `spoken`, never backwards in `source` */
    int n_parts, part_capacity;
    struct cp_pronounced *pronounced; /* stretches of what is said, in order */
    int n_pronounced;
    bool failed; /* out of memory */
};

struct cp_reading_request {
    const char *language; /* BCP 47; "" reads by the rules that hold everywhere */
    const char *text;     /* valid UTF-8 */
    int32_t length;
    enum cp_say_as say_as; /* characters, digits, telephone, cardinal, ordinal; others are read plainly */
    const struct cp_lexicon *lexicon;       /* may be NULL */
    const struct cp_pronounced *pronounced; /* stretches of the text that are said so, in order */
    int n_pronounced;
    bool phones; /* who speaks takes pronunciations: the lexicon's are used */
};

/* Number formats of ICU, which are slow to open. One thread at a time. */
struct cp_reader;
struct cp_reader *cp_reader_create(void);
/* NULL is fine. */
void cp_reader_destroy(struct cp_reader *reader);

/* 0 or CP_ERR_NOMEM; the caller frees *ret_reading. Takes time and memory in proportion to the text. */
int cp_reader_read(struct cp_reader *reader, const struct cp_reading_request *request,
                   struct cp_reading *ret_reading);
/* The source bytes that spoken [start, end) stand for; offsets outside are taken to the nearest end. */
void cp_reading_source(const struct cp_reading *reading, int32_t start, int32_t end, int32_t *ret_start,
                       int32_t *ret_end);
void cp_reading_free(struct cp_reading *reading);

#endif
