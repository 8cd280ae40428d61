#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Set once before threads start (cp_log_setup), read-only after. */
static enum cp_log_level lowest_level = CP_LOG_INFO;
static enum cp_log_format line_format = CP_LOG_KEY_VALUE;

static const char *const LEVEL_NAME[] = {"", "debug", "info", "warn", "error"};

struct line {
    char text[1024];
    size_t used;
};

void cp_log_setup(enum cp_log_level lowest, enum cp_log_format format)
{
    if (lowest)
        lowest_level = lowest;
    if (format)
        line_format = format;
}

static void put_char(struct line *line, char c)
{
    if (line->used < sizeof line->text - 8)
        line->text[line->used++] = c;
}

static void put_text(struct line *line, const char *text)
{
    for (; *text; text++)
        put_char(line, *text);
}

/* Writes text inside quotes; control characters, quotes and backslashes are escaped as JSON does. */
static void put_quoted(struct line *line, const char *text, size_t length)
{
    put_char(line, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            put_char(line, '\\');
            put_char(line, (char)c);
        } else if (c < 0x20) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            put_text(line, escaped);
        } else {
            put_char(line, (char)c);
        }
    }
    put_char(line, '"');
}

/* The value ends at the next ` key=`; values themselves may hold spaces only inside key="...". */
static const char *end_of_value(const char *value)
{
    if (*value == '"') {
        const char *end = value + 1;
        for (; *end; end++) {
            if (*end == '"' && (end[1] == ' ' || !end[1]))
                return end + 1;
        }
        return end;
    }
    return value + strcspn(value, " ");
}

static void put_pairs_as_json(struct line *line, const char *pairs)
{
    while (*pairs) {
        size_t key_length = strcspn(pairs, "= ");
        if (pairs[key_length] != '=') {
            pairs += key_length + (pairs[key_length] == ' ');
            continue;
        }
        const char *value = pairs + key_length + 1, *end = end_of_value(value);
        put_char(line, ',');
        put_quoted(line, pairs, key_length);
        put_char(line, ':');
        if (*value == '"')
            put_quoted(line, value + 1, (size_t)(end - value) - (end[-1] == '"' && end > value + 1 ? 2 : 1));
        else
            put_quoted(line, value, (size_t)(end - value));
        pairs = *end ? end + 1 : end;
    }
}

void cp_log(enum cp_log_level level, const char *stage, const char *event, const char *pairs, ...)
{
    if (level < lowest_level)
        return;
    char text[896] = "";
    if (pairs && *pairs) {
        va_list args;
        va_start(args, pairs);
        int wanted = vsnprintf(text, sizeof text, pairs, args);
        va_end(args);
        if (wanted >= (int)sizeof text)
            memcpy(text + sizeof text - 4, "...", 4);
        for (char *c = text; *c; c++)
            if (*c == '\n' || *c == '\r')
                *c = ' ';
    }
    struct timespec now;
    struct tm utc;
    char stamp[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + n, sizeof stamp - n, ".%03dZ", (int)(now.tv_nsec / 1000000));

    struct line line = {.used = 0};
    if (line_format == CP_LOG_JSON) {
        put_text(&line, "{\"time\":\"");
        put_text(&line, stamp);
        put_text(&line, "\",\"level\":\"");
        put_text(&line, LEVEL_NAME[level]);
        put_text(&line, "\",\"stage\":");
        put_quoted(&line, stage, strlen(stage));
        put_text(&line, ",\"event\":");
        put_quoted(&line, event, strlen(event));
        put_pairs_as_json(&line, text);
        put_char(&line, '}');
    } else {
        put_text(&line, stamp);
        put_text(&line, " level=");
        put_text(&line, LEVEL_NAME[level]);
        put_text(&line, " stage=");
        put_text(&line, stage);
        put_text(&line, " event=");
        put_quoted(&line, event, strlen(event));
        if (*text)
            put_char(&line, ' ');
        put_text(&line, text);
    }
    line.text[line.used++] = '\n';
    ssize_t written = write(STDERR_FILENO, line.text, line.used);
    (void)written; /* nowhere left to complain */
}
