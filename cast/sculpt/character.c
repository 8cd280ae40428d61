#include "character.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 400 };

static const struct {
    const char *name;
    size_t offset;
    float value;
} numbers[] = {
#define X(name, value, help) {#name, offsetof(struct character, name), value},
    CHARACTER_NUMBERS(X)
#undef X
};
static const struct {
    const char *name;
    size_t offset;
    unsigned value;
} colors[] = {
#define X(name, value, help) {#name, offsetof(struct character, color.name), value},
    CHARACTER_COLORS(X)
#undef X
};
enum { N_NUMBERS = sizeof numbers / sizeof *numbers, N_COLORS = sizeof colors / sizeof *colors };

static float *number_in(struct character *c, int i)
{
    return (float *)((char *)c + numbers[i].offset);
}

static vec3 *color_in(struct character *c, int i)
{
    return (vec3 *)((char *)c + colors[i].offset);
}

void character_defaults(struct character *c)
{
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "presenter");
    for (int i = 0; i < N_NUMBERS; i++)
        *number_in(c, i) = numbers[i].value;
    for (int i = 0; i < N_COLORS; i++)
        *color_in(c, i) = linear_color(colors[i].value);
}

/* 0, or what is wrong with the value. */
static const char *set(struct character *c, const char *name, const char *value)
{
    char *end;
    if (strcmp(name, "name") == 0) {
        snprintf(c->name, sizeof c->name, "%s", value);
        return NULL;
    }
    for (int i = 0; i < N_NUMBERS; i++)
        if (strcmp(name, numbers[i].name) == 0) {
            float number = strtof(value, &end);
            if (end == value || *end || !isfinite(number))
                return "needs a number";
            *number_in(c, i) = number;
            return NULL;
        }
    for (int i = 0; i < N_COLORS; i++)
        if (strcmp(name, colors[i].name) == 0) {
            unsigned long rgb = value[0] == '#' ? strtoul(value + 1, &end, 16) : 0;
            if (value[0] != '#' || strlen(value) != 7 || *end)
                return "needs a colour like #aabbcc";
            *color_in(c, i) = linear_color((unsigned)rgb);
            return NULL;
        }
    return "is not a parameter";
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        s[--n] = 0;
    return s;
}

/* Takes `name = value` apart and sets it. 0, or what is wrong in `error`. */
static int set_pair(struct character *c, char *pair, char *error, size_t error_bytes)
{
    char *name = trim(pair), *equals = strchr(name, '=');
    if (!equals) {
        snprintf(error, error_bytes, "write name = value instead of \"%.60s\"", name);
        return -1;
    }
    *equals = 0;
    const char *wrong = set(c, trim(name), trim(equals + 1));
    if (wrong)
        snprintf(error, error_bytes, "%.60s %s", trim(name), wrong);
    return wrong ? -1 : 0;
}

/* The text's next line without comment and space around it; moves *text past it. */
static char *next_line(const char **text, char copy[LINE_MAX_BYTES])
{
    size_t n = strcspn(*text, "\n");
    snprintf(copy, LINE_MAX_BYTES, "%.*s", (int)(n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES - 1), *text);
    *text += n + ((*text)[n] == '\n');
    char *comment = strstr(copy, "//");
    if (comment)
        *comment = 0;
    return trim(copy);
}

/* The name of the variant that a line describes, and its pairs; NULL when it describes none. */
static char *variant_name(char *line, char **ret_pairs)
{
    static const char word[] = "variant ";
    char *colon = strchr(line, ':');
    if (strncmp(line, word, sizeof word - 1) != 0 || !colon)
        return NULL;
    *colon = 0;
    *ret_pairs = colon + 1;
    return trim(line + sizeof word - 1);
}

static bool is_variant_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n > 0 && n < CHARACTER_VARIANT_BYTES && !name[n]; /* it becomes part of a file's name */
}

static int set_pairs(struct character *c, char *pairs, char *error, size_t error_bytes)
{
    char *rest = pairs, *pair;
    while ((pair = strsep(&rest, ",")))
        if (set_pair(c, pair, error, error_bytes) < 0)
            return -1;
    return 0;
}

/* One pass over the text: the plain lines, or the variant's. */
static int parse_pass(struct character *c, const char *text, const char *variant, char *error,
                      size_t error_bytes)
{
    bool found = !variant;
    for (int line = 1; *text; line++) {
        char copy[LINE_MAX_BYTES], *pairs, *content = next_line(&text, copy);
        if (!*content)
            continue;
        char *name = variant_name(content, &pairs);
        struct character scratch = *c;
        bool wanted = name ? variant && strcmp(name, variant) == 0 : !variant;
        found |= name && wanted;
        if (name && !is_variant_name(name)) {
            snprintf(error, error_bytes, "a variant's name is small letters, digits and -");
            return line;
        }
        struct character *into = wanted ? c : &scratch;
        if (name ? set_pairs(into, pairs, error, error_bytes) : set_pair(into, content, error, error_bytes))
            return line;
    }
    if (!found)
        snprintf(error, error_bytes, "there is no variant \"%.40s\"", variant);
    return found ? 0 : 1;
}

int character_parse_variant(struct character *c, const char *text, const char *variant, char *error,
                            size_t error_bytes)
{
    int line = parse_pass(c, text, NULL, error, error_bytes);
    return line || !variant || !*variant ? line : parse_pass(c, text, variant, error, error_bytes);
}

int character_parse(struct character *c, const char *text, char *error, size_t error_bytes)
{
    return character_parse_variant(c, text, NULL, error, error_bytes);
}

int character_variants(const char *text, char (*ret_names)[CHARACTER_VARIANT_BYTES], int max)
{
    int n = 0;
    while (*text && n < max) {
        char copy[LINE_MAX_BYTES], *pairs, *name = variant_name(next_line(&text, copy), &pairs);
        if (name)
            snprintf(ret_names[n++], CHARACTER_VARIANT_BYTES, "%s", name);
    }
    return n;
}
