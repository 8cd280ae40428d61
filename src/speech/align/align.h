/*
 * Marks for a sound that came without any: its text is spoken by espeak-ng, whose words and phones are known,
 * and both sounds are laid over each other by dynamic time warping. Without espeak-ng, or in a language that
 * it does not have, the mouth's shapes are guessed from the sound alone (mouth_shapes.h).
 */
#ifndef CP_SPEECH_ALIGN_H
#define CP_SPEECH_ALIGN_H

#include "speech/speech_provider.h"

/* Has an espeak-ng worker of its own, started when first needed. One thread at a time. */
struct cp_aligner;

/* config: where the worker is; must outlive the aligner. NULL: shapes from the sound only. NULL when out of
 * memory. */
struct cp_aligner *cp_aligner_create(const struct cp_speech_config *config);
void cp_aligner_destroy(struct cp_aligner *aligner);

struct cp_align_request {
    const char *language; /* BCP 47 */
    const char *text;     /* as spoken; NULL when it is not known */
    size_t length;
    const atomic_bool *stop; /* may be NULL */
};

/*
 * Adds phones to the sound's events, and words when it has none; words that it has stay. *ret_phones is then
 * the alphabet of the phones: CP_PHONES_IPA, or CP_PHONES_SHAPES when they were guessed. Up to CP_SOUND_MAX_S
 * of sound; memory stays under 40 MB. CP_ERR_NOMEM or CP_ERR_CANCELLED, and then the events are as before;
 * espeak-ng's faults are no failure.
 */
int cp_align(struct cp_aligner *aligner, const struct cp_align_request *request, struct cp_sound *sound,
             enum cp_phone_set *ret_phones, struct cp_error *error);

/* True when an engine left marks out that cp_align can add. */
bool cp_align_needed(const struct cp_sound *sound);

#endif
