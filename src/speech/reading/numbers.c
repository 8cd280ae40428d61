/* Numbers in words. ICU's rule-based spellout for European languages; Chinese and Japanese say their own. */
#include "speech/reading/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ustring.h>

void cp_words_add(struct cp_words *words, const char *text, size_t length)
{
    bool space = words->spaces && words->length && length && words->text[words->length - 1] != ' ';
    if (words->length + length + space >= sizeof words->text)
        return;
    if (space)
        words->text[words->length++] = ' ';
    memcpy(words->text + words->length, text, length);
    words->length += length;
    words->text[words->length] = '\0';
}

static UNumberFormat *format_of(struct cp_reader *reader, const char *tag)
{
    for (int i = 0; i < reader->n_formats; i++)
        if (!strcmp(reader->formats[i].tag, tag))
            return reader->formats[i].format;
    UErrorCode status = U_ZERO_ERROR;
    UNumberFormat *format = unum_open(UNUM_SPELLOUT, NULL, 0, tag, NULL, &status);
    if (U_FAILURE(status) || reader->n_formats == CP_READER_MAX_FORMATS) {
        unum_close(format);
        return NULL;
    }
    reader->formats[reader->n_formats].tag = tag;
    reader->formats[reader->n_formats++].format = format;
    return format;
}

/* False when ICU cannot. German's soft hyphens between the parts are left out. */
static bool spell(struct cp_scan *scan, struct cp_words *words, int64_t value, const char *ruleset)
{
    enum { LONGEST = 400 };
    UNumberFormat *format = format_of(scan->reader, scan->tongue->tag);
    UChar name[48], wide[LONGEST];
    char text[LONGEST * 3];
    int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    if (!format)
        return false;
    u_uastrncpy(name, ruleset, 48);
    unum_setTextAttribute(format, UNUM_DEFAULT_RULESET, name, -1, &status);
    int32_t n = unum_formatInt64(format, value, wide, LONGEST, NULL, &status);
    int32_t kept = 0;
    for (int32_t i = 0; U_SUCCESS(status) && i < n; i++)
        if (wide[i] != 0xad)
            wide[kept++] = wide[i];
    u_strToUTF8(text, sizeof text, &length, wide, kept, &status);
    if (U_FAILURE(status))
        return false;
    cp_words_add(words, text, (size_t)length);
    return true;
}

void cp_say_number(struct cp_scan *scan, struct cp_words *words, uint64_t value, enum cp_form form)
{
    if (scan->tongue->number) {
        scan->tongue->number(words, value, form);
        return;
    }
    if (!spell(scan, words, (int64_t)value, scan->tongue->rulesets[form])) {
        char digits[24];
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
        cp_words_say(words, digits);
    }
}

void cp_say_digits(struct cp_scan *scan, struct cp_words *words, const char *digits)
{
    for (; cp_is_digit(*digits); digits++)
        cp_words_say(words, scan->tongue->digits[*digits - '0']);
}

uint64_t cp_number_value(const struct cp_number *number)
{
    return strtoull(number->digits, NULL, 10);
}

bool cp_number_is_one(const struct cp_number *number)
{
    return !strcmp(number->digits, "1") && !*number->fraction;
}

/* Account numbers and the like: nobody counts to a quadrillion. */
static bool is_code(const char *digits)
{
    return strlen(digits) > 15 || (digits[0] == '0' && digits[1]);
}

void cp_say_amount(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number,
                   enum cp_form form)
{
    if (number->negative)
        cp_words_say(words, scan->tongue->minus);
    if (is_code(number->digits))
        cp_say_digits(scan, words, number->digits);
    else
        cp_say_number(scan, words, cp_number_value(number), *number->fraction ? CP_FORM_NUMBER : form);
    if (*number->fraction) {
        cp_words_say(words, scan->tongue->point);
        cp_say_digits(scan, words, number->fraction);
    }
}

/* The bytes of a thousands separator at `at` that is followed by exactly three digits; 0 when none is. */
static int32_t separator(const struct cp_scan *scan, int32_t at)
{
    static const char *const SPACES[] = {"\u00a0", "\u202f", "\u2009"};
    int32_t length = scan->text[at] == scan->tongue->group && scan->tongue->group ? 1 : 0;
    if (!length && scan->text[at] == ' ' && !strcmp(scan->tongue->tag, "fr"))
        length = 1;
    for (size_t i = 0; !length && i < sizeof SPACES / sizeof *SPACES; i++)
        if (cp_scan_begins(scan, at, SPACES[i]))
            length = (int32_t)strlen(SPACES[i]);
    if (!length)
        return 0;
    int32_t digits = at + length;
    while (digits < scan->end && cp_is_digit(scan->text[digits]))
        digits++;
    return digits - at - length == 3 ? length : 0;
}

static int32_t copy_digits(const struct cp_scan *scan, int32_t at, char *to, size_t capacity)
{
    size_t length = strlen(to);
    for (; at < scan->end && cp_is_digit(scan->text[at]); at++)
        if (length + 1 < capacity)
            to[length++] = scan->text[at];
    to[length] = '\0';
    return at;
}

bool cp_read_number(const struct cp_scan *scan, int32_t at, struct cp_number *ret_number)
{
    struct cp_number number = {.negative = false};
    if (at < scan->end && scan->text[at] == '-') {
        number.negative = true;
        at++;
    } else if (cp_scan_begins(scan, at, "\u2212")) {
        number.negative = true;
        at += 3;
    }
    if (at >= scan->end || !cp_is_digit(scan->text[at]))
        return false;
    int32_t start = at;
    at = copy_digits(scan, at, number.digits, sizeof number.digits);
    if (at - start >= (int32_t)sizeof number.digits) /* longer than any number: as many as fit are one */
        at = start + (int32_t)sizeof number.digits - 1;
    int32_t length;
    while (at - start < (int32_t)sizeof number.digits - 4 && at - start <= 20 &&
           (at - start <= 3 || number.grouped) && (length = separator(scan, at)) > 0) {
        at = copy_digits(scan, at + length, number.digits, sizeof number.digits);
        number.grouped = true;
    }
    bool point = at + 1 < scan->end && cp_is_digit(scan->text[at + 1]) &&
                 (scan->text[at] == scan->tongue->decimal || (scan->text[at] == '.' && !number.grouped));
    if (point) {
        int32_t end = copy_digits(scan, at + 1, number.fraction, sizeof number.fraction);
        if (end - at - 1 < (int32_t)sizeof number.fraction)
            at = end;
        else
            number.fraction[0] = '\0';
    }
    number.end = at;
    *ret_number = number;
    return true;
}
