/*
 * Pronunciations in the International Phonetic Alphabet, spelled in the phones that an engine has: sign by
 * sign, the longest that the engine knows; a sign that it lacks gives way to the nearest that it has.
 */
#ifndef CP_SPEECH_IPA_H
#define CP_SPEECH_IPA_H

#include <stdbool.h>
#include <stddef.h>

#define CP_IPA_MAX_BYTES 512 /* of one pronunciation, with its NUL */

struct cp_ipa_speller {
    /* The engine's name for an IPA sign (or a few that are one phone of it: "tʃ"); NULL when it has none. */
    const char *(*find)(void *user, const char *sign, size_t length);
    /* One phone, in order. Stress stands at the syllable's vowel: 2 primary, 1 secondary, 0 none. */
    void (*put)(void *user, const char *phone, bool vowel, int stress);
    void *user;
};

/* Spells valid UTF-8. Without a mark of primary stress the first vowel has it. Signs that no phone comes near
 * are left out. Gives the number of phones put; 0: nothing of it can be said. Any thread. */
int cp_ipa_spell(const char *ipa, const struct cp_ipa_speller *speller);

#endif
