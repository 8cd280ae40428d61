/* Dates, times of day and telephone numbers. */
#include "speech/reading/tongue.h"

#include <string.h>
#include <strings.h>

static bool is_cjk(const struct cp_scan *scan)
{
    return !scan->tongue->spaces;
}

/* A number may begin here: not behind a letter or digit, nor behind "3." or "3,". */
static bool at_number_start(const struct cp_scan *scan)
{
    if (scan->at == 0)
        return true;
    char before = scan->text[scan->at - 1];
    if ((before == '.' || before == ',') && scan->at > 1 && cp_is_digit(scan->text[scan->at - 2]))
        return false;
    return !cp_is_word_byte(before) || (is_cjk(scan) && (unsigned char)before >= 0x80);
}

static bool is_date(int year, int month, int day)
{
    static const int DAYS[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return year >= 0 && year <= 2999 && month >= 1 && month <= 12 && day >= 1 && day <= DAYS[month - 1];
}

/* The month named at `at` (1 to 12), in full or short, with a full stop or not; 0 for none. */
static int month_at(const struct cp_scan *scan, int32_t at, int32_t *ret_end)
{
    for (int m = 0; m < 12 && !is_cjk(scan); m++) {
        const char *names[] = {scan->tongue->months[m], scan->tongue->short_months[m]};
        for (int i = 0; i < 2; i++) {
            size_t length = strlen(names[i]);
            int32_t end = at + (int32_t)length;
            if (!length || end > scan->end || strncasecmp(scan->text + at, names[i], length) != 0)
                continue;
            if (end < scan->end && cp_is_word_byte(scan->text[end]))
                continue;
            *ret_end = end + (i == 1 && cp_scan_begins(scan, end, "."));
            return m + 1;
        }
    }
    return 0;
}

static int32_t skip(const struct cp_scan *scan, int32_t at, const char *text)
{
    return cp_scan_begins(scan, at, text) ? at + (int32_t)strlen(text) : at;
}

/* A year of four digits behind ", " or " " or " de "; 0 when none is there. */
static int year_at(const struct cp_scan *scan, int32_t at, int32_t *ret_end)
{
    int32_t start = skip(scan, skip(scan, at, ","), " "), end;
    start = skip(scan, skip(scan, start, "de "), "del ");
    int year = start > at ? cp_scan_int(scan, start, &end) : -1;
    if (year < 1000 || year > 2999 || end - start != 4)
        return 0;
    if (cp_scan_begins(scan, end, ":") || (end < scan->end && cp_is_word_byte(scan->text[end])))
        return 0;
    *ret_end = end;
    return year;
}

/* "March 3rd, 2026" */
static int32_t month_first(struct cp_scan *scan, struct cp_words *words)
{
    int32_t end, day_end;
    if (strcmp(scan->tongue->tag, "en") != 0 || (scan->at && cp_is_word_byte(scan->text[scan->at - 1])))
        return 0;
    int month = month_at(scan, scan->at, &end);
    if (!month || !cp_scan_begins(scan, end, " "))
        return 0;
    int day = cp_scan_int(scan, end + 1, &day_end);
    if (!is_date(0, month, day) || day_end - end > 3)
        return 0;
    char suffix[24];
    int32_t suffix_end = cp_word_behind(scan, day_end, suffix);
    bool ordinal = day_end < scan->end && scan->text[day_end] != ' ' &&
                   cp_listed(scan->tongue->ordinal_suffixes, suffix);
    end = ordinal ? suffix_end : day_end;
    if (!ordinal && (cp_scan_begins(scan, end, ":") || (end < scan->end && cp_is_word_byte(scan->text[end]))))
        return 0;
    int year = year_at(scan, end, &end);
    scan->tongue->date(scan, words, year, month, day);
    return end - scan->at;
}

/* "3. März 2026", "1er mars", "3 de marzo de 2026", "3rd of March" */
static int32_t day_first(struct cp_scan *scan, struct cp_words *words, int day, int32_t end)
{
    char suffix[24];
    int32_t suffix_end = cp_word_behind(scan, end, suffix);
    if (end < scan->end && scan->text[end] != ' ' && cp_listed(scan->tongue->ordinal_suffixes, suffix))
        end = suffix_end;
    end = skip(scan, end, ".");
    int32_t gap = skip(scan, end, " ");
    if (gap == end)
        return 0;
    gap = skip(scan, skip(scan, gap, "of "), "de ");
    int month = month_at(scan, gap, &end);
    if (!is_date(0, month, day))
        return 0;
    int year = year_at(scan, end, &end);
    scan->tongue->date(scan, words, year, month, day);
    return end - scan->at;
}

static int full_year(int year, int32_t digits)
{
    return digits == 4 ? year : digits == 2 ? year + (year < 70 ? 2000 : 1900) : -1;
}

/* American English alone puts the month first. */
static bool is_day_first(const struct cp_scan *scan)
{
    const char *region = strpbrk(scan->language, "-_");
    bool american = !region || !strcasecmp(region + 1, "us") || !strcasecmp(region + 1, "ca");
    return scan->tongue->day_first || !american;
}

/* "2026-03-05", "5.3.2026", "3/5/2026" */
static int32_t numeric_date(struct cp_scan *scan, struct cp_words *words, int first, int32_t end)
{
    char sign = end < scan->end ? scan->text[end] : '\0';
    int32_t first_digits = end - scan->at, second_end, third_end;
    if (!sign || !strchr("-./", sign))
        return 0;
    int second = cp_scan_int(scan, end + 1, &second_end);
    if (second < 0 || second_end - end > 3 || second_end >= scan->end || scan->text[second_end] != sign)
        return 0;
    int third = cp_scan_int(scan, second_end + 1, &third_end);
    int32_t third_digits = third_end - second_end - 1;
    bool more = third_end < scan->end && (cp_is_word_byte(scan->text[third_end]) && !is_cjk(scan));
    if (third < 0) { /* German "5.3." */
        if (sign != '.' || strcmp(scan->tongue->tag, "de") != 0 || !is_date(0, second, first))
            return 0;
        scan->tongue->date(scan, words, 0, second, first);
        return second_end + 1 - scan->at;
    }
    if (more || (cp_scan_begins(scan, third_end, ".") && third_end + 1 < scan->end &&
                 cp_is_digit(scan->text[third_end + 1])))
        return 0;
    int year = first, month = second, day = third;
    if (first_digits <= 2 && sign != '-') {
        bool day_leads = sign == '.' || is_day_first(scan) || first > 12;
        day = day_leads ? first : second;
        month = day_leads ? second : first;
        year = full_year(third, third_digits);
    } else if (first_digits != 4 || third_digits > 2) {
        return 0;
    }
    if (!is_date(year, month, day))
        return 0;
    scan->tongue->date(scan, words, year, month, day);
    return third_end - scan->at;
}

/* "2026年3月5日" and its parts. */
static int32_t signed_date(struct cp_scan *scan, struct cp_words *words, int first, int32_t end)
{
    static const char YEAR[] = "年", MONTH[] = "月", *const DAYS[] = {"日", "号", "號"};
    int year = 0, month = 0, day = 0, number = first;
    int32_t taken = scan->at, next = end;
    if (end - scan->at == 4 && cp_scan_begins(scan, end, YEAR)) {
        year = first;
        taken = end + 3;
        number = cp_scan_int(scan, taken, &next);
    }
    if (number >= 1 && number <= 12 && cp_scan_begins(scan, next, MONTH)) {
        month = number;
        taken = next + 3;
        number = cp_scan_int(scan, taken, &next);
        for (int i = 0; i < 3; i++)
            if (number >= 1 && number <= 31 && cp_scan_begins(scan, next, DAYS[i])) {
                day = number;
                taken = next + 3;
                break;
            }
    } else if (!strcmp(scan->tongue->tag, "ja") && taken == scan->at && number >= 1 && number <= 31 &&
               cp_scan_begins(scan, end, DAYS[0])) { /* a day alone has a sound of its own */
        day = number;
        taken = end + 3;
    }
    if (taken == scan->at)
        return 0;
    scan->tongue->date(scan, words, year, month, day);
    return taken - scan->at;
}

int32_t cp_rule_date(struct cp_scan *scan, struct cp_words *words)
{
    int32_t end;
    if (!cp_is_digit(scan->text[scan->at]))
        return month_first(scan, words);
    if (!at_number_start(scan))
        return 0;
    int first = cp_scan_int(scan, scan->at, &end);
    if (first < 0 || end - scan->at > 4)
        return 0;
    int32_t taken = is_cjk(scan) ? signed_date(scan, words, first, end) : day_first(scan, words, first, end);
    return taken ? taken : numeric_date(scan, words, first, end);
}

/* --- times --- */

/* "am", "p.m." behind a time: 1 or 2, else 0. */
static int half_of_day(const struct cp_scan *scan, int32_t at, int32_t *ret_end)
{
    static const char *const FORMS[] = {"am", "a.m.", "AM", "A.M.", "pm", "p.m.", "PM", "P.M."};
    int32_t start = skip(scan, at, " ");
    for (int i = 0; i < 8; i++) {
        int32_t end = start + (int32_t)strlen(FORMS[i]);
        if (!cp_scan_begins(scan, start, FORMS[i]) || (end < scan->end && cp_is_word_byte(scan->text[end])))
            continue;
        *ret_end = end;
        return 1 + i / 4;
    }
    return 0;
}

static bool is_tag(const struct cp_scan *scan, const char *tag)
{
    return !strcmp(scan->tongue->tag, tag);
}

int32_t cp_rule_time(struct cp_scan *scan, struct cp_words *words)
{
    int32_t end, next;
    if (!cp_is_digit(scan->text[scan->at]) || !at_number_start(scan))
        return 0;
    int hour = cp_scan_int(scan, scan->at, &end), minute = 0, second = 0;
    if (hour < 0 || hour > 24 || end - scan->at > 2)
        return 0;
    bool colon = cp_scan_begins(scan, end, ":") || (is_cjk(scan) && cp_scan_begins(scan, end, "\uff1a"));
    int32_t sign = end + (cp_scan_begins(scan, end, ":") ? 1 : 3), h = skip(scan, end, " ");
    if (colon) {
        minute = cp_scan_int(scan, sign, &next);
        if (minute < 0 || minute > 59 || next - sign != 2)
            return 0;
        end = next;
        if (cp_scan_begins(scan, end, ":")) {
            second = cp_scan_int(scan, end + 1, &next);
            if (second < 0 || second > 59 || next - end != 3)
                return 0;
            end = next;
        }
    } else if (is_tag(scan, "fr") && cp_scan_begins(scan, h, "h") &&
               (h + 1 == scan->end || !cp_is_word_byte(scan->text[h + 1]) ||
                cp_is_digit(scan->text[h + 1]))) {
        int32_t start = skip(scan, h + 1, " ");
        minute = cp_scan_int(scan, start, &next);
        bool has = minute >= 0 && minute <= 59 && next - start == 2;
        end = has ? next : h + 1;
        minute = has ? minute : 0;
    } else if (!is_tag(scan, "en") || !half_of_day(scan, end, &next)) {
        return 0;
    }
    if (end < scan->end && cp_is_digit(scan->text[end]))
        return 0;
    int half = is_tag(scan, "en") ? half_of_day(scan, end, &end) : 0;
    int32_t uhr = skip(scan, end, " ");
    if (is_tag(scan, "de") && cp_scan_begins(scan, uhr, "Uhr"))
        end = uhr + 3;
    if (half && (hour > 12 || hour < 1))
        return 0;
    if (half && !minute)
        cp_say_number(scan, words, (uint64_t)hour, CP_FORM_NUMBER);
    else
        scan->tongue->time(scan, words, hour, minute, second);
    if (half)
        cp_words_say(words, half == 1 ? "a m" : "p m");
    return end - scan->at;
}

/* --- telephone numbers --- */

/* Digits in groups: "+49 30 123456", "555-123-4567", "(555) 123-4567", "030 1234567". */
int32_t cp_rule_phone(struct cp_scan *scan, struct cp_words *words)
{
    int32_t at = scan->at, last = at;
    int digits = 0, groups = 0, group = 0, longest = 0;
    char first = scan->text[at];
    if ((first != '+' && first != '(' && !cp_is_digit(first)) || !at_number_start(scan))
        return 0;
    for (; at < scan->end && at - scan->at < 32; at++) {
        char c = scan->text[at];
        if (cp_is_digit(c)) {
            groups += group == 0;
            group++;
            digits++;
            longest = group > longest ? group : longest;
            last = at + 1;
        } else if ((c == ' ' || c == '-' || c == '/' || c == '(' || c == ')') &&
                   (group || c == '(' || at > scan->at)) {
            if (at > scan->at + 1 && c == ' ' && scan->text[at - 1] == ' ')
                break;
            group = 0;
        } else if (c != '+' || at > scan->at) {
            break;
        }
    }
    bool hyphens = memchr(scan->text + scan->at, '-', (size_t)(last - scan->at)) != NULL;
    bool plus = first == '+' && cp_is_digit(scan->text[scan->at + 1]);
    bool bracket = first == '(' && digits == 10;
    bool zero = first == '0' && groups >= 2 && digits >= 7 && longest >= 2;
    bool american = hyphens && groups == 3 && digits == 10;
    if (digits < 7 || digits > 15 || !(plus || bracket || zero || american) || (groups < 2 && !plus))
        return 0;
    if (last < scan->end && (cp_is_word_byte(scan->text[last]) && !is_cjk(scan)))
        return 0;
    if (plus)
        cp_words_say(words, scan->tongue->plus);
    for (int32_t i = scan->at; i < last; i++) {
        char digit[2] = {scan->text[i], '\0'};
        bool gap = i > scan->at && !cp_is_digit(*digit) && cp_is_digit(scan->text[i - 1]);
        if (cp_is_digit(*digit))
            cp_say_digits(scan, words, digit);
        else if (gap && words->length + 4 < sizeof words->text) {
            const char *comma = is_cjk(scan) ? "\uff0c" : ",";
            memcpy(words->text + words->length, comma, strlen(comma) + 1);
            words->length += strlen(comma);
        }
    }
    return last - scan->at;
}
