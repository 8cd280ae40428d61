/* From phones to the 15 visemes. */
#ifndef CP_SPEECH_VISEMES_H
#define CP_SPEECH_VISEMES_H

#include "media/marks.h"
#include "speech/speech_provider.h"

#define CP_VISEME_PARTS 4

/* The mouth shapes of one phone, one after the other. */
struct cp_mouth {
    int n; /* 0: the phone shows nothing of its own (a modifier, a language switch) */
    struct {
        enum cp_viseme viseme;
        float share;  /* of the phone's duration; they sum to 1 */
        float weight; /* peak, 0..1 */
    } part[CP_VISEME_PARTS];
    bool of_next; /* a glottal: takes the next phone's first shape at this weight */
};

/* "" and the pause names give CP_VISEME_SIL. Unknown phones give a half open mouth (E at 0.4). */
struct cp_mouth cp_mouth_of_phone(enum cp_phone_set set, const char *phone);

/* True for stops whose event may mark the release instead of the closure (p t k b d g and affricates). */
bool cp_phone_is_stop(const char *phone);

#endif
