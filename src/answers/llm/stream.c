#include "answers/llm/stream.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LINE = 1 << 20, MAX_ANSWER = 32 << 10, MOST_GARBAGE = 8 };

struct cp_llm_stream cp_llm_stream_make(void)
{
    return (struct cp_llm_stream){.text = cp_buffer_make(MAX_ANSWER),
                                  .line = cp_buffer_make(MAX_LINE),
                                  .event = cp_buffer_make(MAX_LINE),
                                  .held = cp_buffer_make(MAX_LINE)};
}

void cp_llm_stream_free(struct cp_llm_stream *stream)
{
    cp_buffer_free(&stream->text);
    cp_buffer_free(&stream->line);
    cp_buffer_free(&stream->event);
    cp_buffer_free(&stream->held);
}

/* --- thoughts between tags --- */

static const char *const OPENING = "<think>", *const CLOSING = "</think>";

/* How many bytes at the end may be the beginning of the tag. */
static size_t partial(const char *text, size_t length, const char *tag)
{
    size_t n = strlen(tag) - 1 < length ? strlen(tag) - 1 : length;
    while (n && memcmp(text + length - n, tag, n) != 0)
        n--;
    return n;
}

/* Passes on what is outside of the tags; keeps what may be the beginning of one, unless it is the end. */
static void let_through(struct cp_llm_stream *stream, bool at_end)
{
    const char *text = cp_buffer_string(&stream->held);
    size_t length = stream->held.length, at = 0;
    for (;;) {
        const char *tag = stream->thinking ? CLOSING : OPENING, *found = strstr(text + at, tag);
        size_t keep = found || at_end ? 0 : partial(text + at, length - at, tag);
        size_t end = found ? (size_t)(found - text) : length - keep;
        if (!stream->thinking)
            cp_buffer_add(&stream->text, text + at, end - at);
        at = end;
        if (!found)
            break;
        at += strlen(tag);
        stream->thinking = !stream->thinking;
    }
    if (length > at)
        memmove(stream->held.data, stream->held.data + at, length - at);
    stream->held.length = length - at;
}

/* Some templates open the thoughts in the prompt, so that only their end is heard. */
static void drop_untagged(struct cp_llm_stream *stream)
{
    const char *text = cp_buffer_string(&stream->text);
    size_t at = 0;
    for (const char *closing; (closing = strstr(text + at, CLOSING));)
        at = (size_t)(closing - text) + strlen(CLOSING);
    if (at)
        memmove(stream->text.data, stream->text.data + at, stream->text.length - at);
    stream->text.length -= at;
    stream->untagged |= at > 0;
}

static void add_content(struct cp_llm_stream *stream, const char *content)
{
    if (!*content)
        return;
    cp_buffer_text(&stream->held, content);
    let_through(stream, false);
}

/* --- JSON --- */

/* A text, or a list of parts of which some are text. */
static void take_content(struct cp_llm_stream *stream, const json_t *content)
{
    size_t i;
    json_t *part;
    if (json_is_string(content))
        add_content(stream, json_string_value(content));
    json_array_foreach(content, i, part)
    {
        const char *text = json_string_value(json_object_get(part, "text"));
        add_content(stream, text ? text : "");
    }
}

static int take_error(struct cp_llm_stream *stream, const json_t *error)
{
    const json_t *message = json_is_object(error) ? json_object_get(error, "message") : error;
    const char *text = json_string_value(message);
    snprintf(stream->problem, sizeof stream->problem, "%.190s", text ? text : "an error without a message");
    return CP_ERR_UNAVAILABLE;
}

static int take_object(struct cp_llm_stream *stream, const json_t *object)
{
    const json_t *error = json_object_get(object, "error"), *usage = json_object_get(object, "usage");
    if (error && !json_is_null(error))
        return take_error(stream, error);
    if (json_is_object(usage)) {
        stream->tokens_in = json_integer_value(json_object_get(usage, "prompt_tokens"));
        stream->tokens_out = json_integer_value(json_object_get(usage, "completion_tokens"));
    }
    const json_t *choice = json_array_get(json_object_get(object, "choices"), 0);
    const json_t *delta = json_object_get(choice, "delta");
    if (!delta)
        delta = json_object_get(choice, "message");
    take_content(stream, json_object_get(delta, "content"));
    stream->finished |= json_is_string(json_object_get(choice, "finish_reason"));
    return stream->text.failed || stream->held.failed ? CP_ERR_LIMIT : 0;
}

/* --- server-sent events (WHATWG HTML, "Interpreting an event stream") --- */

static int dispatch(struct cp_llm_stream *stream)
{
    const char *data = cp_buffer_string(&stream->event);
    int result = 0;
    if (!strcmp(data, "[DONE]")) {
        stream->finished = true;
    } else if (*data) {
        json_t *object = json_loads(data, 0, NULL);
        if (json_is_object(object))
            result = take_object(stream, object);
        else if (++stream->garbage > MOST_GARBAGE)
            result = CP_ERR_FORMAT;
        json_decref(object);
    }
    stream->event.length = 0;
    return result;
}

static int take_line(struct cp_llm_stream *stream)
{
    struct cp_buffer *line = &stream->line;
    while (line->length && line->data[line->length - 1] == '\r')
        line->length--;
    const char *text = cp_buffer_string(line);
    int result = 0;
    if (!*text) {
        result = dispatch(stream);
    } else if (!strncmp(text, "data:", 5)) {
        text += text[5] == ' ' ? 6 : 5;
        /* some servers leave the empty lines out: an object that looks whole was an event */
        bool whole = stream->event.length && stream->event.data[stream->event.length - 1] == '}';
        bool another = whole && (*text == '{' || !strcmp(text, "[DONE]"));
        if (another)
            result = dispatch(stream);
        if (stream->event.length)
            cp_buffer_u8(&stream->event, '\n');
        cp_buffer_text(&stream->event, text);
    } else if (*text == '{' && !stream->begun) {
        stream->whole = true; /* no event, but the answer itself */
    }
    stream->begun = true;
    return result;
}

int cp_llm_stream_feed(struct cp_llm_stream *stream, const void *bytes, size_t length)
{
    const char *at = bytes, *end = at + length;
    int result = 0;
    while (at < end && !result) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        cp_buffer_add(&stream->line, at, (size_t)((line_end ? line_end : end) - at));
        at = line_end ? line_end + 1 : end;
        if (!line_end)
            break;
        if (!stream->whole)
            result = take_line(stream);
        if (stream->whole)
            cp_buffer_u8(&stream->line, '\n'); /* it goes on growing until the end */
        else
            stream->line.length = 0;
    }
    drop_untagged(stream);
    if (!result && (stream->line.failed || stream->event.failed))
        result = CP_ERR_LIMIT;
    return result;
}

int cp_llm_stream_end(struct cp_llm_stream *stream)
{
    int result = 0;
    const char *rest = cp_buffer_string(&stream->line);
    if (stream->whole || (!stream->begun && *rest == '{')) {
        json_t *object = json_loads(rest, 0, NULL);
        result = json_is_object(object) ? take_object(stream, object) : CP_ERR_FORMAT;
        stream->finished |= !result && json_object_get(object, "choices") != NULL;
        json_decref(object);
    } else {
        if (*rest)
            result = take_line(stream);
        if (!result)
            result = dispatch(stream);
    }
    let_through(stream, true);
    drop_untagged(stream);
    if (!result && stream->text.failed)
        result = CP_ERR_LIMIT;
    if (!result && !stream->finished)
        result = stream->begun || stream->line.length ? CP_ERR_IO : CP_ERR_FORMAT;
    return result;
}
