/* What begins with a number or a currency's sign. */
#include "speech/reading/tongue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

static bool is_cjk(const struct cp_scan *scan)
{
    return !scan->tongue->spaces;
}

static bool is_tag(const struct cp_scan *scan, const char *tag)
{
    return !strcmp(scan->tongue->tag, tag);
}

/* "4x", "4 x": spaces between a number and what belongs to it. */
static int32_t skip_space(const struct cp_scan *scan, int32_t at)
{
    static const char *const SPACES[] = {" ", "\u00a0", "\u202f"};
    for (int i = 0; i < 3; i++)
        if (cp_scan_begins(scan, at, SPACES[i]))
            return at + (int32_t)strlen(SPACES[i]);
    return at;
}

/* The sign stands here and is not only the start of a longer word. */
static int32_t sign_end(const struct cp_scan *scan, int32_t at, const char *sign)
{
    int32_t end = at + (int32_t)strlen(sign);
    if (!*sign || !cp_scan_begins(scan, at, sign))
        return 0;
    if (!cp_is_word_byte(sign[strlen(sign) - 1]) || is_cjk(scan) || end >= scan->end)
        return end;
    int32_t next = end;
    UChar32 c;
    U8_NEXT((const uint8_t *)scan->text, next, scan->end, c);
    return u_isalnum(c) && (unsigned char)sign[0] < 0x80 ? 0 : end;
}

/* --- money --- */

static const struct cp_currency *currency_at(const struct cp_scan *scan, int32_t at, int32_t *ret_end)
{
    for (const struct cp_currency *c = scan->tongue->currencies; c->code; c++) {
        int32_t end = c->sign ? sign_end(scan, at, c->sign) : 0;
        if (!end)
            end = sign_end(scan, at, c->code);
        if (end) {
            *ret_end = end;
            return c;
        }
    }
    return NULL;
}

static const struct cp_unit *unit_at(const struct cp_scan *scan, const struct cp_unit *units, int32_t at,
                                     int32_t *ret_end)
{
    for (; units && units->sign; units++) {
        int32_t end = sign_end(scan, at, units->sign);
        if (end) {
            *ret_end = end;
            return units;
        }
    }
    return NULL;
}

/* Two digits behind the point are cents where the currency has them; else -1. */
static int cents_of(const struct cp_number *number, const struct cp_currency *currency)
{
    return currency->cents && strlen(number->fraction) == 2 ? atoi(number->fraction) : -1;
}

static void say_magnitude(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number,
                          const struct cp_unit *magnitude)
{
    cp_say_amount(scan, words, number, magnitude->form);
    cp_words_say(words, cp_number_is_one(number) ? magnitude->one : magnitude->many);
}

/* A sum whose currency stands before or behind; with "million" between. */
static void say_money(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number,
                      const struct cp_unit *magnitude, const struct cp_currency *currency)
{
    if (magnitude) {
        say_magnitude(scan, words, number, magnitude);
        /* "un million d'euros", "un millón de euros" */
        bool of = strlen(magnitude->many) > 4;
        if (is_tag(scan, "es") && of)
            cp_words_say(words, "de");
        if (is_tag(scan, "fr") && of && !strncmp(currency->many, "euro", 4))
            cp_words_say(words, "d'euros");
        else if (is_tag(scan, "fr") && of)
            cp_words_say(words, "de");
        if (!is_tag(scan, "fr") || !of || strncmp(currency->many, "euro", 4) != 0)
            cp_words_say(words, currency->many);
        return;
    }
    scan->tongue->money(scan, words, number, cents_of(number, currency), currency);
}

static int32_t currency_first(struct cp_scan *scan, struct cp_words *words)
{
    int32_t end, at;
    struct cp_number number;
    bool negative = scan->text[scan->at] == '-';
    if (scan->at && cp_is_word_byte(scan->text[scan->at - 1]) &&
        (unsigned char)scan->text[scan->at - 1] < 0x80)
        return 0;
    const struct cp_currency *currency = currency_at(scan, scan->at + negative, &end);
    if (!currency || !cp_read_number(scan, skip_space(scan, end), &number))
        return 0;
    number.negative = negative;
    end = number.end;
    at = skip_space(scan, end);
    const struct cp_unit *magnitude = unit_at(scan, scan->tongue->magnitudes, at, &end);
    say_money(scan, words, &number, magnitude, currency);
    return end - scan->at;
}

/* --- what follows a number --- */

static int32_t after_magnitude(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    int32_t end, money_end;
    const struct cp_unit *magnitude =
        unit_at(scan, scan->tongue->magnitudes, skip_space(scan, number->end), &end);
    if (!magnitude)
        return 0;
    /* "m" is metres unless money follows */
    const struct cp_currency *currency = currency_at(scan, skip_space(scan, end), &money_end);
    if (!currency && strlen(magnitude->sign) < 2)
        return 0;
    if (!currency) {
        say_magnitude(scan, words, number, magnitude);
        return end - scan->at;
    }
    say_money(scan, words, number, magnitude, currency);
    return money_end - scan->at;
}

static int32_t after_percent(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    int32_t at = skip_space(scan, number->end);
    int32_t length = cp_scan_begins(scan, at, "%") ? 1 : cp_scan_begins(scan, at, "\uff05") ? 3 : 0;
    if (!length)
        return 0;
    if (scan->tongue->percent_first) {
        struct cp_number positive = *number;
        positive.negative = false;
        if (number->negative)
            cp_words_say(words, scan->tongue->minus);
        cp_words_say(words, scan->tongue->percent);
        cp_say_amount(scan, words, &positive, CP_FORM_NUMBER);
    } else {
        cp_say_amount(scan, words, number, CP_FORM_MASCULINE);
        cp_words_say(words, scan->tongue->percent);
    }
    return at + length - scan->at;
}

static int32_t after_unit(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    int32_t end;
    const struct cp_currency *currency = currency_at(scan, skip_space(scan, number->end), &end);
    if (currency) {
        say_money(scan, words, number, NULL, currency);
        return end - scan->at;
    }
    const struct cp_unit *unit = unit_at(scan, scan->tongue->units, skip_space(scan, number->end), &end);
    if (!unit)
        return 0;
    cp_say_amount(scan, words, number, unit->form);
    cp_words_say(words, cp_number_is_one(number) ? unit->one : unit->many);
    return end - scan->at;
}

static int32_t after_ordinal(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    char word[24];
    int32_t end = cp_word_behind(scan, number->end, word);
    if (*number->fraction || strlen(number->digits) > 9 || number->end >= scan->end)
        return 0;
    if (scan->text[number->end] == '.' && scan->tongue->articles) {
        char before[24];
        int32_t next = number->end + 2;
        cp_word_before(scan, scan->at, before);
        bool noun = cp_scan_begins(scan, number->end, ". ") && next < scan->end && scan->text[next] >= 'A' &&
                    scan->text[next] <= 'Z';
        if (!noun || !cp_listed(scan->tongue->articles, before))
            return 0;
        bool nominative = !strcmp(before, "der") || !strcmp(before, "die") || !strcmp(before, "das");
        cp_say_number(scan, words, cp_number_value(number),
                      nominative ? CP_FORM_ORDINAL : CP_FORM_ORDINAL_FEMININE);
        return number->end + 1 - scan->at;
    }
    if (is_tag(scan, "es")) {
        /* "1.º", "2ª", "3er" */
        static const char *const SIGNS[] = {".º", "º", ".ª", "ª", ".er", "er"};
        for (int i = 0; i < 6; i++) {
            end = sign_end(scan, number->end, SIGNS[i]);
            if (!end)
                continue;
            cp_say_number(scan, words, cp_number_value(number),
                          i == 2 || i == 3 ? CP_FORM_ORDINAL_FEMININE
                          : i > 3          ? CP_FORM_ORDINAL_BARE
                                           : CP_FORM_ORDINAL);
            return end - scan->at;
        }
        return 0;
    }
    if (scan->text[number->end] == ' ' || !cp_listed(scan->tongue->ordinal_suffixes, word))
        return 0;
    cp_say_number(scan, words, cp_number_value(number),
                  cp_listed(scan->tongue->feminine_suffixes, word) ? CP_FORM_ORDINAL_FEMININE
                                                                   : CP_FORM_ORDINAL);
    return end - scan->at;
}

static int32_t after_fraction(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    int32_t end;
    if (!cp_scan_begins(scan, number->end, "/") || *number->fraction || strlen(number->digits) > 3)
        return 0;
    int under = cp_scan_int(scan, number->end + 1, &end), over = atoi(number->digits);
    if (under < 2 || under > 100 || over < 1 || (end < scan->end && scan->text[end] == '/'))
        return 0;
    if (number->negative)
        cp_words_say(words, scan->tongue->minus);
    return scan->tongue->fraction(scan, words, over, under) ? end - scan->at : 0;
}

static bool is_year(const struct cp_scan *scan, const struct cp_number *number)
{
    char before[24];
    if (strlen(number->digits) != 4 || *number->fraction || number->grouped || number->negative)
        return false;
    int value = atoi(number->digits);
    if (value >= 1900 && value < 2100)
        return true;
    cp_word_before(scan, scan->at, before);
    return value >= 1100 && value < 1900 && cp_listed(scan->tongue->year_words, before);
}

static void say_plain(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    if (is_year(scan, number))
        cp_say_number(scan, words, cp_number_value(number), CP_FORM_YEAR);
    else
        cp_say_amount(scan, words, number, CP_FORM_NUMBER);
}

/* "5-10", "1999–2003", "2-1"; a unit behind stays for the next rule only when it is known here. */
static int32_t after_range(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    static const char *const DASHES[] = {"-", "\u2013", "\u2014", "~", "\uff5e"};
    struct cp_number second;
    int32_t at = 0;
    for (int i = 0; i < 5 && !at; i++)
        if (cp_scan_begins(scan, number->end, DASHES[i]))
            at = number->end + (int32_t)strlen(DASHES[i]);
    if (!at || at >= scan->end || !cp_is_digit(scan->text[at]) || !cp_read_number(scan, at, &second))
        return 0;
    if (strlen(number->digits) > 6 || strlen(second.digits) > 6 ||
        (second.end < scan->end && strchr("-/:.", scan->text[second.end]) && second.end + 1 < scan->end &&
         cp_is_digit(scan->text[second.end + 1])))
        return 0;
    say_plain(scan, words, number);
    cp_words_say(words, scan->tongue->to);
    struct cp_scan behind = *scan;
    behind.at = at;
    int32_t taken = after_percent(&behind, words, &second);
    if (!taken)
        taken = after_unit(&behind, words, &second);
    if (!taken && scan->tongue->counter)
        taken = scan->tongue->counter(&behind, words, cp_number_value(&second), second.end);
    if (!taken) {
        say_plain(scan, words, &second);
        taken = second.end - at;
    }
    return at + taken - scan->at;
}

static int32_t after_times(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    struct cp_number second;
    int32_t at = number->end + (cp_scan_begins(scan, number->end, "x")        ? 1
                                : cp_scan_begins(scan, number->end, "\u00d7") ? 2
                                                                              : 0);
    if (at == number->end || at >= scan->end || !cp_is_digit(scan->text[at]) ||
        !cp_read_number(scan, at, &second))
        return 0;
    cp_say_amount(scan, words, number, CP_FORM_NUMBER);
    cp_words_say(words, scan->tongue->times);
    cp_say_amount(scan, words, &second, CP_FORM_NUMBER);
    return second.end - scan->at;
}

/* "3.11.2", "192.168.0.1" */
static int32_t after_dots(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    int32_t at = scan->at, end;
    if (!cp_scan_begins(scan, number->end, ".") || number->end + 1 >= scan->end ||
        !cp_is_digit(scan->text[number->end + 1]) || number->negative)
        return 0;
    for (bool more = true; more;) {
        int part = cp_scan_int(scan, at, &end);
        if (part < 0 || words->length > 600)
            return 0;
        cp_say_number(scan, words, (uint64_t)part, CP_FORM_NUMBER);
        more = cp_scan_begins(scan, end, ".") && end + 1 < scan->end && cp_is_digit(scan->text[end + 1]);
        if (more)
            cp_words_say(words, scan->tongue->point);
        at = end + 1;
    }
    return end - scan->at;
}

/* English "1990s". */
static int32_t after_decade(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number)
{
    char word[24];
    int32_t end = cp_word_behind(scan, number->end, word);
    size_t length = strlen(number->digits);
    bool decade = (length == 4 || length == 2) && number->digits[length - 1] == '0' && !*number->fraction;
    if (!is_tag(scan, "en") || !decade || strcmp(word, "s") != 0 || scan->text[number->end] == ' ')
        return 0;
    cp_say_number(scan, words, cp_number_value(number), CP_FORM_YEAR);
    if (words->length && words->text[words->length - 1] == 'y') {
        words->length--;
        memcpy(words->text + words->length, "ies", 4);
        words->length += 3;
    } else if (words->length + 2 < sizeof words->text) {
        memcpy(words->text + words->length++, "s", 2);
    }
    return end - scan->at;
}

/* ½ ¼ ¾ alone or behind a number */
static int32_t vulgar_fraction(struct cp_scan *scan, struct cp_words *words)
{
    static const struct {
        const char *sign;
        int over, under;
    } SIGNS[] = {{"½", 1, 2}, {"¼", 1, 4}, {"¾", 3, 4}, {"⅓", 1, 3}, {"⅔", 2, 3}};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (cp_scan_begins(scan, scan->at, SIGNS[i].sign) &&
            scan->tongue->fraction(scan, words, SIGNS[i].over, SIGNS[i].under))
            return (int32_t)strlen(SIGNS[i].sign);
    return 0;
}

int32_t cp_rule_number(struct cp_scan *scan, struct cp_words *words)
{
    typedef int32_t (*after)(struct cp_scan *, struct cp_words *, const struct cp_number *);
    static const after AFTER[] = {after_percent, after_magnitude, after_unit,   after_ordinal, after_fraction,
                                  after_range,   after_times,     after_decade, after_dots};
    struct cp_number number;
    int32_t taken = currency_first(scan, words);
    if (taken || (taken = vulgar_fraction(scan, words)) > 0)
        return taken;
    char before = scan->at ? scan->text[scan->at - 1] : ' ';
    bool minus = scan->text[scan->at] == '-' || cp_scan_begins(scan, scan->at, "\u2212");
    if (minus && before != ' ' && before != '(' && before != '\n' && (unsigned char)before < 0x80)
        return 0;
    if (cp_is_word_byte(before) && (!is_cjk(scan) || cp_is_digit(before)))
        return 0;
    if (!cp_read_number(scan, scan->at, &number))
        return 0;
    for (size_t i = 0; i < sizeof AFTER / sizeof *AFTER; i++) {
        words->length = 0;
        taken = AFTER[i](scan, words, &number);
        if (taken)
            return taken;
    }
    words->length = 0;
    if (scan->tongue->counter && !*number.fraction && strlen(number.digits) <= 15) {
        if (number.negative)
            cp_words_say(words, scan->tongue->minus);
        taken = scan->tongue->counter(scan, words, cp_number_value(&number), number.end);
        if (taken)
            return taken;
        words->length = 0;
    }
    say_plain(scan, words, &number);
    return number.end - scan->at;
}
