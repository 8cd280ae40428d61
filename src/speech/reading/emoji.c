/* Emoji by their names. */
#include "speech/reading/tongue.h"

#include "emoji_names.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

static bool is_emoji(UChar32 c)
{
    return c > 0xff && (u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION) ||
                        u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC));
}

static bool is_regional(UChar32 c)
{
    return c >= 0x1f1e6 && c <= 0x1f1ff;
}

/* Behind the first character of an emoji: its variation, skin, and what is joined to it. */
static int32_t emoji_end(const struct cp_scan *scan, int32_t at)
{
    const uint8_t *s = (const uint8_t *)scan->text;
    bool joined = false;
    while (at < scan->end) {
        int32_t next = at;
        UChar32 c;
        U8_NEXT(s, next, scan->end, c);
        bool belongs = c == 0xfe0f || c == 0xfe0e || c == 0x200d || c == 0x20e3 ||
                       (c >= 0x1f3fb && c <= 0x1f3ff) || (c >= 0xe0020 && c <= 0xe007f);
        if (!belongs && !(joined && is_emoji(c)))
            break;
        joined = c == 0x200d;
        at = next;
    }
    return at;
}

static void say_country(const struct cp_scan *scan, struct cp_words *words, UChar32 a, UChar32 b)
{
    char locale[8] = {'_', (char)('A' + (a - 0x1f1e6)), (char)('A' + (b - 0x1f1e6)), '\0'};
    UChar wide[100];
    char name[300];
    int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = uloc_getDisplayCountry(locale, scan->tongue->tag, wide, 100, &status);
    u_strToUTF8(name, sizeof name, &length, wide, n, &status);
    if (U_SUCCESS(status) && length > 2)
        cp_words_add(words, name, (size_t)length);
}

static int by_sign(const void *key, const void *element)
{
    return strcmp(key, ((const struct cp_pair *)element)->sign);
}

/* Our short name of a frequent one, else Unicode's; NULL when there is none. */
static const char *name_of(const struct cp_tongue *tongue, const char *sign)
{
    for (const struct cp_pair *pair = tongue->emoji; pair && pair->sign; pair++)
        if (!strcmp(pair->sign, sign))
            return pair->word;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(NAMES[i].language, tongue->tag) != 0)
            continue;
        const struct cp_pair *pair = bsearch(sign, NAMES[i].pairs, NAMES[i].n, sizeof *pair, by_sign);
        return pair ? pair->word : NULL;
    }
    return NULL;
}

/* The bytes from `at` to `end` are one emoji: said as a whole ("woman teacher"), else by its first sign. */
static void say_emoji(const struct cp_scan *scan, struct cp_words *words, int32_t at, int32_t end)
{
    char whole[64] = "", first[64] = ""; /* without presentation and skin */
    int32_t length = 0;
    while (at < end) {
        UChar32 c;
        U8_NEXT((const uint8_t *)scan->text, at, end, c);
        if (c < 0 || c == 0xfe0f || c == 0xfe0e || (c >= 0x1f3fb && c <= 0x1f3ff && length) ||
            length + 4 >= (int32_t)sizeof whole)
            continue;
        U8_APPEND_UNSAFE((uint8_t *)whole, length, c);
        whole[length] = '\0';
        if (!*first)
            strcpy(first, whole);
    }
    const char *name = name_of(scan->tongue, whole);
    name = name ? name : name_of(scan->tongue, first);
    if (name)
        cp_words_say(words, name);
}

/* The same emoji several times is said once. */
int32_t cp_rule_emoji(struct cp_scan *scan, struct cp_words *words)
{
    const uint8_t *s = (const uint8_t *)scan->text;
    int32_t at = scan->at;
    UChar32 c, second = 0;
    U8_NEXT(s, at, scan->end, c);
    if (c <= 0 || (!is_emoji(c) && !is_regional(c)))
        return 0;
    if (is_regional(c) && at < scan->end) {
        int32_t next = at;
        U8_NEXT(s, next, scan->end, second);
        if (is_regional(second))
            at = next;
    } else {
        at = emoji_end(scan, at);
    }
    int32_t end = at, length = at - scan->at;
    while (scan->end - at >= length && !memcmp(scan->text + at, scan->text + scan->at, (size_t)length))
        at += length;
    if (scan->tongue && is_regional(second))
        say_country(scan, words, c, second);
    else if (scan->tongue)
        say_emoji(scan, words, scan->at, end);
    return at - scan->at;
}
