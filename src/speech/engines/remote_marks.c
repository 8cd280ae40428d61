#include "speech/engines/remote_marks.h"

#include "speech/engines/remote.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Amazon Polly --- */

/* A phone that looks like the viseme. */
static const struct {
    const char *viseme, *phone;
} POLLY[] = {
    {"p", "p"}, {"t", "t"}, {"S", "ʃ"}, {"T", "θ"}, {"f", "f"},  {"k", "k"},
    {"i", "i"}, {"r", "ɹ"}, {"s", "s"}, {"u", "u"}, {"@", "ə"},  {"a", "a"},
    {"e", "e"}, {"E", "ɛ"}, {"o", "o"}, {"O", "ɔ"}, {"sil", ""},
};

static bool add_viseme(struct cp_sound_event *event, const char *viseme)
{
    for (size_t i = 0; i < sizeof POLLY / sizeof *POLLY; i++) {
        if (strcmp(POLLY[i].viseme, viseme) != 0)
            continue;
        event->type = CP_SOUND_PHONE;
        memcpy(event->name, POLLY[i].phone, strlen(POLLY[i].phone));
        return true;
    }
    return false;
}

/* Bytes of what was sent to bytes of the piece. False when they are not of the piece's text. */
static bool add_word(struct cp_sound_event *event, json_int_t start, json_int_t end, const int32_t *origin,
                     size_t n_origin)
{
    if (start < 0 || end <= start || (uint64_t)end > n_origin)
        return false;
    event->type = CP_SOUND_WORD;
    while (origin && (size_t)end < n_origin && origin[end] == origin[end - 1]) /* the end of an entity */
        end++;
    event->start = origin ? origin[start] : (int32_t)start;
    event->end = origin ? origin[end] : (int32_t)end;
    return event->start >= 0 && event->end > event->start;
}

static json_int_t member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static int read_mark(const json_t *mark, const int32_t *origin, size_t n_origin, struct cp_sound *sound)
{
    const char *type = json_string_value(json_object_get(mark, "type"));
    const char *value = json_string_value(json_object_get(mark, "value"));
    json_int_t ms = member(mark, "time");
    int32_t last = sound->n_events ? sound->events[sound->n_events - 1].at : 0;
    struct cp_sound_event event = {0};
    if (ms < 0 || ms > CP_SOUND_MAX_S * 1000 || !type)
        return 0;
    event.at = (int32_t)(ms * sound->hz / 1000);
    event.at = event.at < last ? last : event.at; /* never back in time */
    bool known = false;
    if (!strcmp(type, "viseme") && value)
        known = add_viseme(&event, value);
    else if (!strcmp(type, "word"))
        known = add_word(&event, member(mark, "start"), member(mark, "end"), origin, n_origin);
    return known ? cp_sound_add_event(sound, &event) : 0;
}

/* Each lasts until the next of its kind; the last until `end`. */
static void set_lengths(struct cp_sound *sound, int32_t end)
{
    int32_t next[] = {[CP_SOUND_EVENT_UNSET] = end, [CP_SOUND_WORD] = end, [CP_SOUND_PHONE] = end};
    for (size_t i = sound->n_events; i-- > 0;) {
        struct cp_sound_event *event = &sound->events[i];
        event->length = next[event->type] > event->at ? next[event->type] - event->at : 0;
        next[event->type] = event->at;
        if (event->type == CP_SOUND_PHONE &&
            !*event->name) /* a word does not last into the pause behind it */
            next[CP_SOUND_WORD] = event->at;
    }
}

int cp_polly_read_marks(const char *lines, size_t length, const int32_t *origin, size_t n_origin,
                        struct cp_sound *sound)
{
    const char *end = lines + length;
    int result = 0;
    while (lines < end && !result) {
        const char *line_end = memchr(lines, '\n', (size_t)(end - lines));
        line_end = line_end ? line_end : end;
        size_t n = (size_t)(line_end - lines);
        bool blank = n == 0 || (n == 1 && *lines == '\r');
        json_t *mark = blank ? NULL : json_loadb(lines, n, 0, NULL);
        if (mark)
            result = read_mark(mark, origin, n_origin, sound);
        else if (!blank)
            result = CP_ERR_FORMAT;
        json_decref(mark);
        lines = line_end + 1;
    }
    if (!result)
        set_lengths(sound, (int32_t)sound->n_samples);
    return result;
}

/* --- Azure --- */

/* A phone that looks like the viseme of this number. */
static const char *const AZURE[] = {"",   "ə", "ɑ", "ɔ", "ɛ", "ɝ", "i", "u", "o", "aʊ", "ɔɪ",
                                    "aɪ", "h", "ɹ", "l", "s", "ʃ", "ð", "f", "t", "k",  "p"};

/* The word's next place in the text; false when it is not there (as for "$5", said as "five dollars"). */
static bool find_word(struct cp_sound_event *event, const char *word, const char *text, size_t length,
                      size_t *at)
{
    const char *found = *word && *at < length ? memmem(text + *at, length - *at, word, strlen(word)) : NULL;
    if (!found)
        return false;
    event->start = (int32_t)(found - text);
    event->end = event->start + (int32_t)strlen(word);
    *at = (size_t)event->end;
    return true;
}

static int add_azure(const json_t *metadata, const char *text, size_t length, size_t *at,
                     struct cp_sound *sound)
{
    const char *type = json_string_value(json_object_get(metadata, "Type"));
    const json_t *data = json_object_get(metadata, "Data"), *word = json_object_get(data, "text");
    const char *said = json_string_value(json_object_get(word, "Text"));
    const char *boundary = json_string_value(json_object_get(word, "BoundaryType"));
    json_int_t ticks = member(data, "Offset");
    struct cp_sound_event event = {0};
    if (!type || ticks < 0 || ticks > (json_int_t)CP_SOUND_MAX_S * 10000000)
        return 0;
    event.at = (int32_t)(ticks * sound->hz / 10000000);
    const json_t *number = json_object_get(data, "VisemeId");
    json_int_t viseme = json_integer_value(number);
    if (!strcmp(type, "Viseme") && json_is_integer(number) && viseme >= 0 &&
        viseme < (json_int_t)(sizeof AZURE / sizeof *AZURE)) {
        event.type = CP_SOUND_PHONE;
        memcpy(event.name, AZURE[viseme], strlen(AZURE[viseme]));
    } else if (!strcmp(type, "WordBoundary") && said && (!boundary || !strcmp(boundary, "WordBoundary")) &&
               find_word(&event, said, text, length, at)) {
        event.type = CP_SOUND_WORD;
    }
    return event.type ? cp_sound_add_event(sound, &event) : 0;
}

int cp_azure_add_metadata(const char *json, size_t json_length, const char *text, size_t text_length,
                          size_t *at, struct cp_sound *sound)
{
    json_t *answer = json_loadb(json, json_length, 0, NULL);
    int result = answer ? 0 : CP_ERR_FORMAT;
    size_t i;
    const json_t *metadata;
    json_array_foreach(json_object_get(answer, "Metadata"), i, metadata)
    {
        if (!result)
            result = add_azure(metadata, text, text_length, at, sound);
    }
    json_decref(answer);
    return result;
}

void cp_azure_end_metadata(struct cp_sound *sound)
{
    if (sound->n_events)
        qsort(sound->events, sound->n_events, sizeof *sound->events, cp_sound_by_time);
    set_lengths(sound, (int32_t)sound->n_samples);
}

/* --- ElevenLabs --- */

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 (RFC 4648 section 4) into the stream; line breaks are passed over. */
static int take_base64(struct cp_pcm_stream *stream, const char *text, size_t length)
{
    uint8_t block[3072];
    size_t n = 0;
    uint32_t bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < length && text[i] != '='; i++) {
        if (text[i] == '\n' || text[i] == '\r')
            continue;
        int value = value_of(text[i]);
        if (value < 0)
            return CP_ERR_FORMAT;
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        block[n++] = (uint8_t)(bits >> n_bits);
        if (n < sizeof block)
            continue;
        int result = cp_pcm_stream_take(stream, block, n);
        if (result)
            return result;
        n = 0;
    }
    return cp_pcm_stream_take(stream, block, n);
}

/* Seconds to samples, within the sound. */
static int32_t at_of(const json_t *list, size_t i, const struct cp_sound *sound)
{
    double seconds = json_number_value(json_array_get(list, i));
    double at = seconds * sound->hz, limit = (double)sound->n_samples;
    return !(at > 0) ? 0 : (int32_t)(at < limit ? lrint(at) : limit);
}

/* Letters, digits and everything beyond ASCII: where a word goes on. */
static bool is_of_word(const char *character)
{
    unsigned char c = (unsigned char)*character;
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '\'' || c == '-' || c == '$' || c == '%' || c == '.';
}

/* Words of characters with times. The characters must be those of the text: where they differ, it ends. */
static int read_words(const json_t *alignment, const char *text, size_t length, struct cp_sound *sound)
{
    const json_t *characters = json_object_get(alignment, "characters");
    const json_t *starts = json_object_get(alignment, "character_start_times_seconds");
    const json_t *ends = json_object_get(alignment, "character_end_times_seconds");
    struct cp_sound_event word = {0};
    size_t at = 0, n = json_array_size(characters);
    int32_t latest = 0;
    int result = 0;
    if (json_array_size(starts) != n || json_array_size(ends) != n)
        return 0;
    for (size_t i = 0; i <= n && !result; i++) {
        const char *character = json_string_value(json_array_get(characters, i));
        size_t bytes = character ? strlen(character) : 0;
        bool same = bytes && bytes <= length - at && !memcmp(text + at, character, bytes);
        if (!same || !is_of_word(character)) {
            if (word.type)
                result = cp_sound_add_event(sound, &word);
            word = (struct cp_sound_event){0};
        } else {
            int32_t start = at_of(starts, i, sound), end = at_of(ends, i, sound);
            start = start < latest ? latest : start; /* never back in time */
            if (!word.type)
                word = (struct cp_sound_event){.type = CP_SOUND_WORD, .at = start, .start = (int32_t)at};
            latest = end > start ? end : start;
            word.length = latest - word.at;
            word.end = (int32_t)(at + bytes);
        }
        if (!same)
            break;
        at += bytes;
    }
    return result;
}

int cp_elevenlabs_read(const char *json, size_t json_length, const char *text, size_t text_length,
                       struct cp_sound *sound)
{
    json_t *answer = json_loadb(json, json_length, 0, NULL);
    const json_t *audio = json_object_get(answer, "audio_base64");
    struct cp_pcm_stream stream = {.sound = sound};
    int result = json_is_string(audio) ? 0 : CP_ERR_FORMAT;
    if (!result)
        result = take_base64(&stream, json_string_value(audio), json_string_length(audio));
    if (!result)
        result = cp_pcm_stream_end(&stream);
    if (!result)
        result = read_words(json_object_get(answer, "alignment"), text, text_length, sound);
    json_decref(answer);
    return result;
}
