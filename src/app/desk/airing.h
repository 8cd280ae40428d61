/*
 * An answer that airs while a language model still writes it: sentence by sentence, into an open cue. Until
 * the first sentence the presenter thinks, and may say a line to bridge a long wait.
 */
#ifndef CP_APP_AIRING_H
#define CP_APP_AIRING_H

#include "base/buffer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cp_app;

/* thread: the one that asks the model */
struct cp_airing {
    struct cp_app *app;
    const char *channel, *question;
    const json_t *hits; /* the passages that the model was given */
    double sure;        /* that the answer has to be; 2: it does not air by itself */
    char filler[200];   /* said when nothing came for filler_ns; "" for none */
    int64_t filler_ns;
    int64_t asked_ns, begun_ns; /* of the question; of asking the model */

    char cue[48];          /* that says it; "" while none was made */
    bool begun;            /* a sentence of the answer was said, not only the filler */
    bool over;             /* somebody was faster or cut it, or the model took back what it said */
    struct cp_buffer said; /* of the answer */
    int64_t first_ns;      /* from begun_ns to its first sentence */
};

/* rule: "answers" of the channel, may be NULL; asked_ns 0: it does not air by itself. All is borrowed. */
void cp_airing_begin(struct cp_airing *airing, struct cp_app *app, const char *channel, const json_t *about,
                     const char *question, const json_t *hits, int64_t asked_ns);
/* For cp_llm_listener. */
bool cp_airing_hear(void *airing, const char *answer);
void cp_airing_tick(void *airing);
/* The answer is over: what is left of it is said, and the cue closed. suggestion: the whole answer, or NULL
 * when the model failed; otherwise: what is said instead, when only the filler was said yet. */
void cp_airing_finish(struct cp_airing *airing, const json_t *suggestion, const char *otherwise);
void cp_airing_clear(struct cp_airing *airing);

/* The passages that bits of `cited` name, as suggestions from the documents cite them; *ret_confidence is the
 * best one's. The caller's. */
json_t *cp_airing_cite(const json_t *hits, unsigned cited, double *ret_confidence);

#endif
