#include "speech/runs.h"

#include "speech/reading/detect.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unicode/utf8.h>

/* Vowels with a tone that only pinyin has: such Latin letters are Chinese. */
static bool is_pinyin_letter(UChar32 c)
{
    static const UChar32 LETTERS[] = {0x101, 0x113, 0x12b, 0x14d, 0x16b, 0x1ce, 0x1d0,
                                      0x1d2, 0x1d4, 0x1d6, 0x1d8, 0x1da, 0x1dc, 0x11b};
    for (size_t i = 0; i < sizeof LETTERS / sizeof *LETTERS; i++)
        if (LETTERS[i] == c)
            return true;
    return false;
}

/* Latin letters are left to the voice, since engines switch to English for them or read them as their own;
 * but a Chinese voice takes them for pinyin, and a Japanese one spells them. */
static bool is_foreign(enum cp_family family, enum cp_family own)
{
    return family != CP_FAMILY_NONE && family != own && (family != CP_FAMILY_LATIN || own == CP_FAMILY_HAN);
}

/* Words of one family behind `at` that has to be named a language. */
static void name_language(struct cp_run *run, const char *text, enum cp_family family, bool foreign)
{
    if (!foreign)
        return;
    const char *language =
        family == CP_FAMILY_LATIN ? "en" : cp_detect_language(text + run->start, run->end - run->start);
    snprintf(run->language, sizeof run->language, "%s", language ? language : "");
}

/* The family of a text as a whole: that of its first letter. */
static enum cp_family family_of_text(const char *text)
{
    int32_t length = (int32_t)strlen(text);
    for (int32_t i = 0; i < length;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, length, c);
        if (cp_family_of(c) != CP_FAMILY_NONE)
            return cp_family_of(c);
    }
    return CP_FAMILY_NONE;
}

/* The family of what stands at *at, and moves behind it. */
static enum cp_family next_family(const char *text, int32_t *at, int32_t end, bool word_start,
                                  enum cp_family own, const char *language, const struct cp_lexicon *lexicon)
{
    struct cp_lexicon_entry entry;
    size_t taken =
        word_start ? cp_lexicon_match(lexicon, language, text + *at, (size_t)(end - *at), false, &entry) : 0;
    if (taken) {
        *at += (int32_t)taken;
        return family_of_text(entry.alias);
    }
    UChar32 c;
    U8_NEXT((const uint8_t *)text, *at, end, c);
    enum cp_family family = c < 0 ? CP_FAMILY_NONE : cp_family_of(c);
    if (own != CP_FAMILY_HAN || family != CP_FAMILY_LATIN)
        return family;
    bool pinyin = is_pinyin_letter(c);
    for (int32_t next = *at; next < end; *at = next) { /* the word as a whole */
        U8_NEXT((const uint8_t *)text, next, end, c);
        if (c < 0 || cp_family_of(c) != CP_FAMILY_LATIN)
            break;
        pinyin |= is_pinyin_letter(c);
    }
    return pinyin ? CP_FAMILY_HAN : family;
}

int cp_runs_split(const char *text, int32_t start, int32_t end, const char *language,
                  const struct cp_lexicon *lexicon, struct cp_run runs[CP_MAX_RUNS])
{
    enum cp_family own = cp_family_of_language(language), current = CP_FAMILY_NONE, before = CP_FAMILY_NONE;
    int n = 0;
    runs[0] = (struct cp_run){.start = start};
    for (int32_t at = start; at < end;) {
        int32_t sign = at;
        enum cp_family family = next_family(
            text, &at, end, before == CP_FAMILY_NONE || before == CP_FAMILY_HAN, own, language, lexicon);
        bool more = family != CP_FAMILY_NONE && current != CP_FAMILY_NONE && family != current &&
                    (is_foreign(family, own) || is_foreign(current, own));
        if (more && n + 1 < CP_MAX_RUNS) {
            runs[n].end = sign;
            name_language(&runs[n], text, current, is_foreign(current, own));
            runs[++n] = (struct cp_run){.start = sign};
        }
        if (family != CP_FAMILY_NONE)
            current = family;
        before = family;
    }
    runs[n].end = end;
    name_language(&runs[n], text, current, is_foreign(current, own));
    return n + 1;
}
