/* What the values of SSML attributes mean: labels, numbers, percentages, semitones, decibels, times. */
#include "speech/ssml/ssml.h"

#include <math.h>
#include <string.h>
#include <strings.h>

struct label {
    const char *name;
    float value;
};

static bool find_label(const struct label *labels, size_t n, const char *name, float *ret_value)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcasecmp(labels[i].name, name)) {
            *ret_value = labels[i].value;
            return true;
        }
    }
    return false;
}

/* A number and what is behind it, without locale. False when there is no number. */
static bool read_number(const char *text, double *ret_number, const char **ret_rest)
{
    double sign = *text == '-' ? -1 : 1, number = 0, scale = 1;
    text += *text == '-' || *text == '+';
    int digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 9; text++, digits++)
        number = number * 10 + (*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9' && digits < 18; text++, digits++)
            number += (*text - '0') * (scale /= 10);
    *ret_number = sign * number;
    *ret_rest = text;
    return digits > 0;
}

static float within(double value, double low, double high)
{
    return (float)(value < low ? low : value > high ? high : value);
}

/* Labels follow what Polly and Azure make of them; the recommendation leaves the values open. A percentage
 * without a sign is a share of normal, with a sign a change of it; "+3st" are semitones. */
static bool read_factor(const char *text, const struct label *labels, size_t n_labels, float *ret_factor)
{
    if (find_label(labels, n_labels, text, ret_factor))
        return true;
    double number;
    const char *rest;
    if (!read_number(text, &number, &rest))
        return false;
    bool change = *text == '+' || *text == '-';
    if (!strcmp(rest, "%"))
        *ret_factor = (float)(change ? 1 + number / 100 : number / 100);
    else if (!strcasecmp(rest, "st") && change)
        *ret_factor = (float)pow(2, number / 12);
    else if (!*rest && !change)
        *ret_factor = (float)number;
    else
        return false;
    return true;
}

static const struct label RATES[] = {{"x-slow", 0.5f}, {"slow", 0.75f}, {"medium", 1},
                                     {"default", 1},   {"fast", 1.3f},  {"x-fast", 1.7f}};
static const struct label PITCHES[] = {{"x-low", 0.7f}, {"low", 0.85f},  {"medium", 1},
                                       {"default", 1},  {"high", 1.15f}, {"x-high", 1.3f}};
static const struct label RANGES[] = {{"x-low", 0.4f}, {"low", 0.7f},  {"medium", 1},
                                      {"default", 1},  {"high", 1.3f}, {"x-high", 1.6f}};
static const struct label VOLUMES[] = {{"silent", 0},  {"x-soft", 0.25f}, {"soft", 0.5f}, {"medium", 1},
                                       {"default", 1}, {"loud", 1.41f},   {"x-loud", 2}};
static const struct label STRENGTHS[] = {{"none", 0},     {"x-weak", 60},  {"weak", 120},
                                         {"medium", 300}, {"strong", 600}, {"x-strong", 1000}};
#define LABELS(table) table, sizeof(table) / sizeof(table)[0]

/* "+6dB" (SSML 1.1), "80" of 100 (SSML 1.0), or a percentage. */
bool cp_ssml_read_volume(const char *text, float *ret_factor)
{
    if (find_label(LABELS(VOLUMES), text, ret_factor))
        return true;
    double number;
    const char *rest;
    if (!read_number(text, &number, &rest))
        return false;
    bool change = *text == '+' || *text == '-';
    if (!strcasecmp(rest, "db"))
        *ret_factor = within(pow(10, number / 20), 0, 2);
    else if (!strcmp(rest, "%") || !*rest)
        *ret_factor = within(change ? 1 + number / 100 : number / 100, 0, 2);
    else
        return false;
    return true;
}

bool cp_ssml_read_rate(const char *text, float *ret_factor)
{
    return read_factor(text, LABELS(RATES), ret_factor);
}

bool cp_ssml_read_pitch(const char *text, float *ret_factor)
{
    return read_factor(text, LABELS(PITCHES), ret_factor);
}

bool cp_ssml_read_range(const char *text, float *ret_factor)
{
    return read_factor(text, LABELS(RANGES), ret_factor);
}

bool cp_ssml_read_strength(const char *text, float *ret_ms)
{
    return find_label(LABELS(STRENGTHS), text, ret_ms);
}

bool cp_ssml_read_time(const char *text, float *ret_ms)
{
    double number;
    const char *rest;
    if (!read_number(text, &number, &rest) || number < 0)
        return false;
    if (strcasecmp(rest, "s") != 0 && strcasecmp(rest, "ms") != 0)
        return false;
    *ret_ms = within(number * (*rest == 's' || *rest == 'S' ? 1000 : 1), 0, CP_SSML_MAX_BREAK_MS);
    return true;
}

/* Kinds of reading by their names: W3C's note of 2005, Polly's and Azure's lists. */
static const struct kind {
    const char *name;
    enum cp_say_as say_as;
} KINDS[] = {
    {"characters", CP_SAY_CHARACTERS},
    {"spell-out", CP_SAY_CHARACTERS},
    {"verbatim", CP_SAY_CHARACTERS},
    {"letters", CP_SAY_CHARACTERS},
    {"cardinal", CP_SAY_CARDINAL},
    {"number", CP_SAY_CARDINAL},
    {"ordinal", CP_SAY_ORDINAL},
    {"digits", CP_SAY_DIGITS},
    {"number_digit", CP_SAY_DIGITS},
    {"fraction", CP_SAY_FRACTION},
    {"unit", CP_SAY_UNIT},
    {"date", CP_SAY_DATE},
    {"time", CP_SAY_TIME},
    {"telephone", CP_SAY_TELEPHONE},
    {"address", CP_SAY_ADDRESS},
    {"currency", CP_SAY_CURRENCY},
};

bool cp_ssml_read_say_as(const char *text, enum cp_say_as *ret_say_as)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!strcasecmp(KINDS[i].name, text)) {
            *ret_say_as = KINDS[i].say_as;
            return true;
        }
    }
    return false;
}

bool cp_ssml_read_emphasis(const char *text, enum cp_emphasis *ret_emphasis)
{
    static const char *const LEVELS[] = {[CP_EMPHASIS_NONE] = "none",
                                         [CP_EMPHASIS_REDUCED] = "reduced",
                                         [CP_EMPHASIS_MODERATE] = "moderate",
                                         [CP_EMPHASIS_STRONG] = "strong"};
    for (int i = CP_EMPHASIS_NONE; i <= CP_EMPHASIS_STRONG; i++) {
        if (!strcasecmp(LEVELS[i], text)) {
            *ret_emphasis = (enum cp_emphasis)i;
            return true;
        }
    }
    return false;
}
