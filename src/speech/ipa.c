#include "speech/ipa.h"

#include <string.h>

/* What stands in for a sign that an engine lacks: alternatives by "|", the first whose phones are all there.
 * Nearness is that of the IPA's chart (place before manner for consonants, height before rounding for
 * vowels), and of how languages take in each other's words. */
static const struct {
    const char *sign, *instead;
} NEAR[] = {
    {"ɡ", "g"},
    {"g", "ɡ"},
    {"r", "ɹ|ɾ|ʁ"},
    {"ɹ", "r|ɾ|ʁ"},
    {"ɾ", "r|ɹ"},
    {"ɻ", "ɹ|r"},
    {"ʁ", "ʀ|r|ɹ"},
    {"ʀ", "ʁ|r|ɹ"},
    {"x", "χ|k|h"},
    {"χ", "x|k|h"},
    {"ç", "x|ʃ|h"},
    {"ħ", "h|x"},
    {"ɦ", "h"},
    {"ɕ", "ʃ"},
    {"ʑ", "ʒ"},
    {"ʂ", "ʃ|s"},
    {"ʐ", "ʒ|z"},
    {"ʃ", "s"},
    {"ʒ", "ʃ|z"},
    {"θ", "t|s"},
    {"ð", "d|z"},
    {"ɸ", "f"},
    {"β", "v|b"},
    {"ʋ", "v|w"},
    {"w", "v|u"},
    {"v", "w|f|b"},
    {"ɣ", "ɡ|g"},
    {"ɲ", "n j"},
    {"ʎ", "l j"},
    {"ŋ", "n ɡ|n g|n"},
    {"ɫ", "l"},
    {"ɭ", "l"},
    {"ɬ", "l"},
    {"ɥ", "j"},
    {"j", "i"},
    {"ɰ", "w"},
    {"c", "k"},
    {"q", "k"},
    {"ɟ", "ɡ|g"},
    {"ɢ", "ɡ|g"},
    {"ʈ", "t"},
    {"ɖ", "d"},
    {"ɳ", "n"},
    {"ɱ", "m"},
    {"z", "s"},
    {"i", "iː|ɪ"},
    {"ɪ", "i|iː"},
    {"e", "eː|ɛ|eɪ"},
    {"ɛ", "e|æ"},
    {"æ", "ɛ|a|e"},
    {"a", "aː|ɑ|æ|ɑː|ɐ"},
    {"ɑ", "ɑː|a|aː"},
    {"ɒ", "ɔ|ɑ|ɑː|o"},
    {"ɔ", "ɔː|o|oː|ɒ"},
    {"o", "oː|ɔ|oʊ"},
    {"ʊ", "u|uː"},
    {"u", "uː|ʊ"},
    {"ʌ", "ɐ|a|ə"},
    {"ɐ", "ʌ|a|ə"},
    {"ə", "ɐ|ɛ|e|ʌ|a"},
    {"ɜ", "ɜː|œ|ə|ɛ"},
    {"ɚ", "ɜː|ə ɹ|ə r|ɛ r"},
    {"ɝ", "ɜː|ɜ|œ r|ɛ r"},
    {"y", "yː|ʏ|u|uː|i"},
    {"ʏ", "y|yː|ʊ|u"},
    {"ø", "øː|œ|ɜː|ɜ|ə|e"},
    {"œ", "øː|ø|ɜː|ɜ|ə|e"},
    {"ɵ", "ø|ə"},
    {"ʉ", "u|uː"},
    {"ɨ", "ɪ|i"},
    {"ɯ", "u|uː|ʊ"},
    {"ɤ", "ʌ|ə|o"},
    {"aː", "ɑː|a"},
    {"ɑː", "aː|ɑ|a"},
    {"əʊ", "oʊ|oː|o"},
    {"oʊ", "əʊ|oː|o"},
    {"ɛ̃", "ɛ n|e n"},
    {"ɑ̃", "ɑ n|a n|ɑː n"},
    {"ɔ̃", "ɔ n|o n"},
    {"œ̃", "œ n|ə n|e n"},
};
enum { N_NEAR = sizeof NEAR / sizeof *NEAR, LONGEST_CHARACTERS = 4 };

static const char PRIMARY[] = "ˈ", SECONDARY[] = "ˌ";

static size_t character(const char *text)
{
    size_t n = *text != '\0';
    while (n && (text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

static bool is_vowel(const char *sign)
{
    static const char *const VOWELS[] = {"a", "e", "i", "o", "u", "y", "ɪ", "ʊ", "ɛ", "ɔ", "ə",
                                         "æ", "ɑ", "ɒ", "ʌ", "ɐ", "ɜ", "ɚ", "ɝ", "ʏ", "ø", "œ",
                                         "ɵ", "ʉ", "ɨ", "ɯ", "ɤ", "ᵻ", "ɘ", "ɞ", "ɶ"};
    for (size_t i = 0; i < sizeof VOWELS / sizeof *VOWELS; i++)
        if (starts_with(sign, VOWELS[i]))
            return true;
    return false;
}

struct spelling {
    const struct cp_ipa_speller *speller;
    int n;
    int stress; /* of the next vowel */
};

static bool put(struct spelling *spelling, const char *sign, size_t length)
{
    const char *phone = spelling->speller->find(spelling->speller->user, sign, length);
    if (!phone)
        return false;
    bool vowel = is_vowel(sign);
    spelling->speller->put(spelling->speller->user, phone, vowel, vowel ? spelling->stress : 0);
    if (vowel)
        spelling->stress = 0;
    spelling->n++;
    return true;
}

/* Signs by spaces, all of them or none. */
static bool put_all(struct spelling *spelling, const char *signs, size_t length)
{
    for (int pass = 0; pass < 2; pass++) { /* looked up, then put */
        for (const char *sign = signs; sign < signs + length;) {
            size_t n = strcspn(sign, " |");
            if (pass == 0 && !spelling->speller->find(spelling->speller->user, sign, n))
                return false;
            if (pass == 1)
                put(spelling, sign, n);
            sign += n + (sign[n] == ' ');
        }
    }
    return true;
}

static bool put_near(struct spelling *spelling, const char *sign, size_t length)
{
    for (int i = 0; i < N_NEAR; i++) {
        if (strlen(NEAR[i].sign) != length || strncmp(NEAR[i].sign, sign, length) != 0)
            continue;
        for (const char *from = NEAR[i].instead; *from;) {
            size_t n = strcspn(from, "|");
            if (put_all(spelling, from, n))
                return true;
            from += n + (from[n] == '|');
        }
    }
    return false;
}

/* Says what stands at `ipa` as well as it can be; the bytes taken. */
static size_t spell_one(struct spelling *spelling, const char *ipa)
{
    size_t ends[LONGEST_CHARACTERS] = {character(ipa)};
    int n = 1;
    while (n < LONGEST_CHARACTERS && ipa[ends[n - 1]] && !starts_with(ipa + ends[n - 1], PRIMARY) &&
           !starts_with(ipa + ends[n - 1], SECONDARY)) {
        ends[n] = ends[n - 1] + character(ipa + ends[n - 1]);
        n++;
    }
    for (int i = n - 1; i >= 0; i--)
        if (put(spelling, ipa, ends[i]) || put_near(spelling, ipa, ends[i]))
            return ends[i];
    return ends[0];
}

/* Leaves out ties and the ends of syllables; what does not fit is cut off. */
static void clean(const char *ipa, char *text, size_t capacity)
{
    size_t length = 0;
    for (size_t n; (n = character(ipa)) && length + n < capacity; ipa += n) {
        if (starts_with(ipa, "\u0361") || starts_with(ipa, "\u035c") || strchr(". |", *ipa))
            continue;
        memcpy(text + length, ipa, n);
        length += n;
    }
    text[length] = '\0';
}

int cp_ipa_spell(const char *ipa, const struct cp_ipa_speller *speller)
{
    char text[CP_IPA_MAX_BYTES];
    clean(ipa, text, sizeof text);
    struct spelling spelling = {.speller = speller, .stress = strstr(text, PRIMARY) ? 0 : 2};
    for (const char *at = text; *at;) {
        bool primary = starts_with(at, PRIMARY);
        if (primary || starts_with(at, SECONDARY)) {
            spelling.stress = primary ? 2 : 1;
            at += character(at);
        } else {
            at += spell_one(&spelling, at);
        }
    }
    return spelling.n;
}
