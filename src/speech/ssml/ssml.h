/* Between the SSML reader's files: ssml.c (the reader), ssml_elements.c (what each element does) and
 * ssml_values.c (what attribute values mean). */
#ifndef CP_SPEECH_SSML_H
#define CP_SPEECH_SSML_H

#include "speech/script.h"

#include <libxml/parser.h>

struct cp_ssml_level { /* one open element */
    struct cp_span voicing;
    bool changed; /* it speaks otherwise than what is around it */
    bool whole;   /* read as one: no element counts inside */
    bool silent;  /* its text is for people who read the document */
};

struct cp_ssml_reader {
    struct cp_script script;
    size_t capacity, max_bytes; /* of the plain text */
    int depth;
    struct cp_ssml_level stack[CP_SSML_MAX_DEPTH + 1];
    int32_t sum_ms; /* of the breaks */
    xmlParserCtxtPtr parser;
    struct cp_error problem; /* ours; code 0 while there is none */
};

/* Attributes as libxml2 gives them: each five pointers (local name, prefix, URI, value, end of value). */
struct cp_ssml_attributes {
    const xmlChar **five;
    int n;
};

/* Ends the reading with this problem, unless there was one. */
void cp_ssml_stop(struct cp_ssml_reader *reader, enum cp_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int cp_ssml_line(const struct cp_ssml_reader *reader);
/* Room for one more item of an array; NULL (and stopped) when there is none. */
void *cp_ssml_one_more(struct cp_ssml_reader *reader, void *array, int n, size_t item_bytes);
/* White space runs are one space, as in all XML text; none at the start. */
void cp_ssml_add_space(struct cp_ssml_reader *reader);
/* From here on it is spoken as the innermost open element says. */
void cp_ssml_change(struct cp_ssml_reader *reader);

/* What an element does when it opens (reader->depth is its own level already) and closes. `prefix` is "" for
 * SSML's own. */
void cp_ssml_open_element(struct cp_ssml_reader *reader, const char *prefix, const char *name,
                          const struct cp_ssml_attributes *attributes);
void cp_ssml_close_element(struct cp_ssml_reader *reader, const char *prefix, const char *name);

/* Each false when the text means nothing; *ret_ is untouched then. Factors are not bounded here. */
bool cp_ssml_read_rate(const char *text, float *ret_factor);
bool cp_ssml_read_pitch(const char *text, float *ret_factor);
bool cp_ssml_read_range(const char *text, float *ret_factor);
bool cp_ssml_read_volume(const char *text, float *ret_factor);
bool cp_ssml_read_strength(const char *text, float *ret_ms);
bool cp_ssml_read_time(const char *text, float *ret_ms);
bool cp_ssml_read_say_as(const char *text, enum cp_say_as *ret_say_as);
bool cp_ssml_read_emphasis(const char *text, enum cp_emphasis *ret_emphasis);

#endif
