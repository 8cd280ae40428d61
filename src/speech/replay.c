/* Stored speech as utterances again: sound and marks are cut where the sentences begin. */
#include "speech/dsp/dsp.h"
#include "speech/speech.h"

#include "base/clock.h"
#include "media/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"
enum { SAMPLES_PER_MS = CP_SAMPLE_HZ / 1000, MAX_MARKS = 200000 };

/* A mark on the whole sound's clock; sentences with their text. */
struct line {
    struct cp_mark mark;
    char *sentence;
};

struct reading {
    struct line *lines;
    size_t n, capacity;
    size_t n_samples;
};

static void free_reading(struct reading *reading)
{
    for (size_t i = 0; i < reading->n; i++)
        free(reading->lines[i].sentence);
    free(reading->lines);
}

/* Milliseconds to samples, within the sound. */
static int32_t samples_of(const struct reading *reading, const json_t *value)
{
    double at = json_number_value(value) * SAMPLES_PER_MS, end = (double)reading->n_samples;
    return !(at > 0) ? 0 : (int32_t)(at < end ? at : end);
}

static int32_t byte_of(const json_t *value)
{
    json_int_t byte = json_integer_value(value);
    return byte > 0 && byte < INT32_MAX ? (int32_t)byte : 0;
}

static enum cp_mark_type type_of(const char *name)
{
    for (enum cp_mark_type type = CP_MARK_SENTENCE; type <= CP_MARK_NAMED; type++)
        if (!strcmp(cp_mark_type_name(type), name))
            return type;
    return CP_MARK_UNSET;
}

/* False when it is no mark that we know. */
static bool read_mark(const struct reading *reading, const json_t *json, struct line *ret_line)
{
    const char *type = json_string_value(json_object_get(json, "type")),
               *value = json_string_value(json_object_get(json, "value"));
    struct cp_mark mark = {.type = type ? type_of(type) : CP_MARK_UNSET,
                           .at_samples = samples_of(reading, json_object_get(json, "time_ms")),
                           .length_samples = samples_of(reading, json_object_get(json, "length_ms")),
                           .start = byte_of(json_object_get(json, "start")),
                           .end = byte_of(json_object_get(json, "end")),
                           .stress = byte_of(json_object_get(json, "stress"))};
    value = value ? value : "";
    if (mark.type == CP_MARK_UNSET || mark.end < mark.start)
        return false;
    if (mark.type == CP_MARK_VISEME) {
        double weight = json_number_value(json_object_get(json, "weight"));
        mark.viseme = cp_viseme_from_name(value);
        mark.weight = weight > 0 && weight <= 1 ? (float)weight : 1;
        if (mark.viseme == CP_VISEME_UNSET)
            return false;
    } else if (mark.type != CP_MARK_SENTENCE) {
        snprintf(mark.name, sizeof mark.name, "%s", mark.type == CP_MARK_WORD ? "" : value);
    }
    *ret_line = (struct line){.mark = mark, .sentence = mark.type == CP_MARK_SENTENCE ? strdup(value) : NULL};
    return mark.type != CP_MARK_SENTENCE || ret_line->sentence;
}

static int add_line(struct reading *reading, const struct line *line)
{
    if (reading->n == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : 256;
        struct line *more = realloc(reading->lines, capacity * sizeof *more);
        if (!more)
            return CP_ERR_NOMEM;
        reading->lines = more;
        reading->capacity = capacity;
    }
    reading->lines[reading->n++] = *line;
    return 0;
}

static int read_lines(struct reading *reading, const char *lines, size_t length)
{
    const char *end = lines + length;
    int result = 0;
    while (lines < end && !result && reading->n < MAX_MARKS) {
        const char *line_end = memchr(lines, '\n', (size_t)(end - lines));
        line_end = line_end ? line_end : end;
        json_t *json = json_loadb(lines, (size_t)(line_end - lines), 0, NULL);
        struct line line;
        if (!json && line_end > lines)
            result = CP_ERR_FORMAT;
        else if (json && read_mark(reading, json, &line))
            result = add_line(reading, &line);
        if (result == CP_ERR_NOMEM)
            free(line.sentence);
        json_decref(json);
        lines = line_end + 1;
    }
    return result;
}

static int by_time(const void *a, const void *b)
{
    const struct cp_mark *x = &((const struct line *)a)->mark, *y = &((const struct line *)b)->mark;
    return x->at_samples != y->at_samples ? (x->at_samples > y->at_samples) - (x->at_samples < y->at_samples)
                                          : (int)x->type - (int)y->type;
}

/* lines[first .. end) and the samples from .. to as one sentence. */
static struct cp_utterance *make(const struct reading *reading, const int16_t *pcm, size_t first, size_t end,
                                 int32_t from, int32_t to)
{
    const struct line *sentence = NULL;
    for (size_t i = first; i < end && !sentence; i++)
        sentence = reading->lines[i].sentence ? &reading->lines[i] : NULL;
    struct cp_utterance *utterance =
        cp_utterance_create(to - from, end - first, sentence ? sentence->sentence : "");
    float *samples = malloc(((size_t)(to - from) + 1) * sizeof *samples);
    if (!utterance || !samples) {
        cp_ref_drop(utterance);
        free(samples);
        return NULL;
    }
    memcpy(utterance->pcm, pcm + from, (size_t)(to - from) * sizeof *pcm);
    for (int32_t i = from; i < to; i++)
        samples[i - from] = (float)pcm[i] / 32767;
    int result = cp_measure_prosody(samples, (size_t)(to - from), utterance->prosody);
    free(samples);
    if (result) {
        cp_ref_drop(utterance);
        return NULL;
    }
    utterance->text_start = sentence ? sentence->mark.start : 0;
    utterance->text_end = utterance->text_start + (int32_t)strlen(utterance->text);
    for (size_t i = first; i < end; i++) {
        struct cp_mark mark = reading->lines[i].mark;
        mark.at_samples -= from;
        utterance->marks[utterance->n_marks++] = mark;
    }
    utterance->cached = true;
    utterance->made_ns = cp_clock_now_ns();
    return utterance;
}

/* A sentence reaches from where it begins to where the next one does; the first has what is before it. */
static int cut(const struct reading *reading, const int16_t *pcm, const char *voice,
               struct cp_utterance ***ret_utterances, int *ret_n)
{
    struct cp_utterance **utterances = calloc(reading->n + 1, sizeof *utterances);
    int n = 0;
    int32_t from = 0;
    if (!utterances)
        return CP_ERR_NOMEM;
    bool begun = false;
    for (size_t first = 0, i = 0; i <= reading->n; i++) {
        bool sentence = i < reading->n && reading->lines[i].sentence;
        bool ends = i == reading->n || (sentence && begun && reading->lines[i].mark.at_samples > from);
        begun |= sentence;
        if (!ends)
            continue;
        int32_t to = i < reading->n ? reading->lines[i].mark.at_samples : (int32_t)reading->n_samples;
        utterances[n] = make(reading, pcm, first, i, from, to);
        if (!utterances[n]) {
            cp_utterances_drop(utterances, n);
            return CP_ERR_NOMEM;
        }
        utterances[n]->sentence = n;
        snprintf(utterances[n]->voice, sizeof utterances[n]->voice, "%s", voice);
        n++;
        first = i;
        from = to;
    }
    utterances[n - 1]->last = true;
    *ret_utterances = utterances;
    *ret_n = n;
    return 0;
}

int cp_speech_replay(const int16_t *pcm, size_t n_samples, const char *lines, size_t length,
                     const char *voice, struct cp_utterance ***ret_utterances, int *ret_n,
                     struct cp_error *error)
{
    struct reading reading = {.n_samples = n_samples};
    if (n_samples == 0 || n_samples > INT32_MAX)
        return cp_fail(error, CP_ERR_FORMAT, STAGE,
                       "The stored speech is empty or longer than can be played.");
    int result = read_lines(&reading, lines, length);
    if (reading.n)
        qsort(reading.lines, reading.n, sizeof *reading.lines, by_time);
    if (!result)
        result = cut(&reading, pcm, voice, ret_utterances, ret_n);
    free_reading(&reading);
    if (result)
        cp_fail(error, result, STAGE,
                result == CP_ERR_FORMAT ? "The stored speech's marks cannot be read." : "Out of memory.");
    return result;
}
