/* Which language a text is written in, from its script and its commonest words. */
#ifndef CP_SPEECH_READING_DETECT_H
#define CP_SPEECH_READING_DETECT_H

#include <stdbool.h>
#include <stdint.h>

/* BCP 47 ("de", "zh"), or NULL when the text does not say enough to be sure. Looks at the first 4 KB. Any
 * thread. */
const char *cp_detect_language(const char *text, int32_t length);

/* Scripts that need a voice of their own kind, as the sound of Latin letters depends on the language. */
enum cp_family {
    CP_FAMILY_NONE, /* digits, spaces, punctuation */
    CP_FAMILY_LATIN,
    CP_FAMILY_HAN, /* with kana */
    CP_FAMILY_HANGUL,
    CP_FAMILY_CYRILLIC,
    CP_FAMILY_GREEK,
    CP_FAMILY_ARABIC,
    CP_FAMILY_HEBREW,
    CP_FAMILY_THAI,
    CP_FAMILY_INDIC,
    CP_FAMILY_OTHER
};
enum cp_family cp_family_of(int32_t code_point);
/* The family that texts of this language are written in. */
enum cp_family cp_family_of_language(const char *language);

#endif
