/* Abbreviations and Roman numerals. */
#include "speech/reading/tongue.h"

#include <string.h>

static bool at_start(const struct cp_scan *scan)
{
    return scan->at == 0 || !cp_is_word_byte(scan->text[scan->at - 1]);
}

/* A sign that ends in '#' counts only before a number ("No. 5"). */
int32_t cp_rule_abbreviation(struct cp_scan *scan, struct cp_words *words)
{
    const struct cp_pair *pair = scan->tongue->abbreviations;
    bool start = at_start(scan) || !scan->tongue->spaces;
    for (; pair && pair->sign; pair++) {
        size_t length = strlen(pair->sign);
        if (!start && cp_is_word_byte(pair->sign[0]))
            continue;
        bool numbered = pair->sign[length - 1] == '#';
        length -= numbered;
        int32_t end = scan->at + (int32_t)length;
        if (end > scan->end || memcmp(scan->text + scan->at, pair->sign, length) != 0)
            continue;
        if (cp_is_word_byte(pair->sign[length - 1]) && end < scan->end && cp_is_word_byte(scan->text[end]))
            continue;
        int32_t digit = end;
        while (digit < scan->end && scan->text[digit] == ' ')
            digit++;
        if (numbered && (digit >= scan->end || !cp_is_digit(scan->text[digit])))
            continue;
        cp_words_say(words, pair->word);
        return (int32_t)length;
    }
    return 0;
}

/* --- Roman numerals --- */

/* I to XXXIX in their one right spelling; 0 else. Larger ones are rather "CD" or "MM". */
static int roman_value(const char *text, size_t length)
{
    static const char *const ONES[] = {"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"};
    size_t tens = 0;
    while (tens < length && tens < 3 && text[tens] == 'X')
        tens++;
    for (size_t skip = 0; skip <= 1; skip++) { /* "IX" begins with no X, "XIX" with one */
        for (int i = 0; i < 10; i++)
            if (strlen(ONES[i]) == length - tens && !memcmp(text + tens, ONES[i], length - tens))
                return (int)tens * 10 + i;
    }
    return 0;
}

/* The suffix of an ordinal that directly follows ("XXIe"); its bytes. */
static int32_t suffix_at(const struct cp_scan *scan, int32_t at)
{
    char word[24];
    int32_t end = cp_word_behind(scan, at, word);
    return at < scan->end && scan->text[at] != ' ' && cp_listed(scan->tongue->ordinal_suffixes, word)
               ? end - at
               : 0;
}

int32_t cp_rule_roman(struct cp_scan *scan, struct cp_words *words)
{
    int32_t end = scan->at;
    char before[24];
    if (!scan->tongue->rulers || !at_start(scan))
        return 0;
    while (end < scan->end && end - scan->at < 8 && strchr("IVX", scan->text[end]) && scan->text[end])
        end++;
    int value = roman_value(scan->text + scan->at, (size_t)(end - scan->at));
    if (!value)
        return 0;
    int32_t suffix = suffix_at(scan, end);
    if (end < scan->end && cp_is_word_byte(scan->text[end]) && !suffix)
        return 0;
    cp_word_before(scan, scan->at, before);
    bool ruler = cp_listed(scan->tongue->rulers, before), part = cp_listed(scan->tongue->parts, before);
    bool one_letter = end - scan->at == 1;
    if (suffix)
        cp_say_number(scan, words, (uint64_t)value, CP_FORM_ORDINAL);
    else if (ruler && !(one_letter && value == 1 && !strcmp(scan->tongue->tag, "en")))
        scan->tongue->ruler(scan, words, value);
    else if (part || (!one_letter && *before))
        cp_say_number(scan, words, (uint64_t)value, CP_FORM_NUMBER);
    else
        return 0;
    end += suffix;
    bool dot = ruler && !strcmp(scan->tongue->tag, "de") && cp_scan_begins(scan, end, ".");
    return end - scan->at + dot;
}
