/*
 * Marks: what happens when in a piece of speech. Times are samples at 48 kHz from the utterance's first
 * sample; start and end are byte offsets into the cue's whole text (not the sentence's), half open.
 */
#ifndef CP_MEDIA_MARKS_H
#define CP_MEDIA_MARKS_H

#include <stdint.h>

enum cp_mark_type {
    CP_MARK_UNSET,
    CP_MARK_SENTENCE,
    CP_MARK_WORD,
    CP_MARK_PHONE,
    CP_MARK_VISEME,
    CP_MARK_NAMED
};

/* The 15 visemes by their Oculus names, in their usual order. */
enum cp_viseme {
    CP_VISEME_UNSET,
    CP_VISEME_SIL,
    CP_VISEME_PP,
    CP_VISEME_FF,
    CP_VISEME_TH,
    CP_VISEME_DD,
    CP_VISEME_KK,
    CP_VISEME_CH,
    CP_VISEME_SS,
    CP_VISEME_NN,
    CP_VISEME_RR,
    CP_VISEME_AA,
    CP_VISEME_E,
    CP_VISEME_IH,
    CP_VISEME_OH,
    CP_VISEME_OU,
    CP_VISEME_COUNT,
};

struct cp_mark {
    enum cp_mark_type type;
    int32_t at_samples, length_samples;
    int32_t start, end;    /* bytes of the cue's text; for phones and visemes those of their word */
    enum cp_viseme viseme; /* for CP_MARK_VISEME */
    float weight;          /* for CP_MARK_VISEME: peak weight 0..1 */
    int32_t stress;        /* for phones and visemes: 0 none, 1 secondary, 2 primary */
    char name[32];         /* phone name in the engine's alphabet, or the SSML mark's name (cut) */
};

/* "sil", "PP", ...; "" for CP_VISEME_UNSET. */
const char *cp_viseme_name(enum cp_viseme viseme);
/* CP_VISEME_UNSET for an unknown name. */
enum cp_viseme cp_viseme_from_name(const char *name);
/* "sentence", "word", "phone", "viseme", "mark". */
const char *cp_mark_type_name(enum cp_mark_type type);

#endif
