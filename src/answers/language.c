/* Which language a text is in: by its script, else by the small words that each language cannot do without.
 */
#include "answers/answers_int.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

enum { LOOKED_AT = 4000 };

static const char *const CANDIDATES[] = {"en", "de", "fr", "es", "it", "pt", "nl"};
enum { N_CANDIDATES = sizeof CANDIDATES / sizeof CANDIDATES[0] };

struct scripts {
    int latin, cyrillic, han, kana, hangul, arabic, hebrew, greek, thai, devanagari;
};

static void count_script(struct scripts *scripts, UChar32 c)
{
    UErrorCode problem = U_ZERO_ERROR;
    switch (uscript_getScript(c, &problem)) {
    case USCRIPT_LATIN:
        scripts->latin++;
        break;
    case USCRIPT_CYRILLIC:
        scripts->cyrillic++;
        break;
    case USCRIPT_HAN:
        scripts->han++;
        break;
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
        scripts->kana++;
        break;
    case USCRIPT_HANGUL:
        scripts->hangul++;
        break;
    case USCRIPT_ARABIC:
        scripts->arabic++;
        break;
    case USCRIPT_HEBREW:
        scripts->hebrew++;
        break;
    case USCRIPT_GREEK:
        scripts->greek++;
        break;
    case USCRIPT_THAI:
        scripts->thai++;
        break;
    case USCRIPT_DEVANAGARI:
        scripts->devanagari++;
        break;
    default:
        break;
    }
}

/* Small words of each language in a text of Latin letters; the one with clearly most. */
static const char *by_small_words(const char *text, int32_t length)
{
    int count[N_CANDIDATES] = {0};
    for (int32_t at = 0; at < length;) {
        char word[CP_TERM_BYTES + 1];
        int n = 0;
        UChar32 c = 0;
        while (at < length) {
            U8_NEXT(text, at, length, c);
            if (c < 0 || !u_isalpha(c))
                break;
            if (n + 4 <= CP_TERM_BYTES)
                U8_APPEND_UNSAFE(word, n, u_tolower(c));
        }
        for (int k = 0; n && k < N_CANDIDATES; k++)
            count[k] += cp_is_stop_word(CANDIDATES[k], word, (size_t)n);
    }
    int best = 0, second = -1;
    for (int k = 1; k < N_CANDIDATES; k++) {
        if (count[k] > count[best]) {
            second = best;
            best = k;
        } else if (second < 0 || count[k] > count[second]) {
            second = k;
        }
    }
    return count[best] >= 2 && count[best] > count[second] ? CANDIDATES[best] : "";
}

void cp_guess_language(const char *text, size_t length, char *ret_language)
{
    struct scripts s = {0};
    int32_t end = length < LOOKED_AT ? (int32_t)length : LOOKED_AT;
    for (int32_t i = 0; i < end;) {
        UChar32 c;
        U8_NEXT(text, i, end, c);
        if (c >= 0)
            count_script(&s, c);
    }
    /* One sign of Han or kana weighs as much as some letters of an alphabet. */
    int letters = s.latin + s.cyrillic + s.arabic + s.hebrew + s.greek + s.thai + s.devanagari;
    const char *language = "";
    if (s.kana * 10 > s.han && s.kana * 4 > letters)
        language = "ja";
    else if (s.hangul * 4 > letters && s.hangul > s.han)
        language = "ko";
    else if (s.han * 4 > letters)
        language = "zh";
    else if (s.cyrillic > letters / 2)
        language = "ru";
    else if (s.arabic > letters / 2)
        language = "ar";
    else if (s.hebrew > letters / 2)
        language = "he";
    else if (s.greek > letters / 2)
        language = "el";
    else if (s.thai > letters / 2)
        language = "th";
    else if (s.devanagari > letters / 2)
        language = "hi";
    else
        language = by_small_words(text, end);
    strcpy(ret_language, language);
}
