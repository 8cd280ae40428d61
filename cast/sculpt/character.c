#include "character.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 200 };

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

int character_parse(struct character *c, const char *text, char *error, size_t error_bytes)
{
    for (int line = 1; *text; line++) {
        char copy[LINE_MAX_BYTES];
        size_t n = strcspn(text, "\n");
        snprintf(copy, sizeof copy, "%.*s", (int)(n < sizeof copy ? n : sizeof copy - 1), text);
        text += n + (text[n] == '\n');
        char *comment = strstr(copy, "//");
        if (comment)
            *comment = 0;
        char *name = trim(copy), *equals = strchr(name, '=');
        if (!*name)
            continue;
        if (!equals) {
            snprintf(error, error_bytes, "write name = value instead of \"%.60s\"", name);
            return line;
        }
        *equals = 0;
        const char *wrong = set(c, trim(name), trim(equals + 1));
        if (wrong) {
            snprintf(error, error_bytes, "%.60s %s", trim(name), wrong);
            return line;
        }
    }
    return 0;
}
