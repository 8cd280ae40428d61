/* What each element of SSML 1.1 does, and those that Polly and Azure add to it. */
#include "speech/ssml/ssml.h"
#include "speech/styles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An attribute's value by its local name; "" when absent. Longer values are cut, never inside a character. */
static void attribute(const struct cp_ssml_attributes *attributes, const char *name, char *value,
                      size_t capacity)
{
    value[0] = '\0';
    for (int i = 0; i < attributes->n; i++) {
        const xmlChar **five = attributes->five + (ptrdiff_t)i * 5;
        if (strcmp((const char *)five[0], name) != 0)
            continue;
        size_t length = (size_t)(five[4] - five[3]);
        if (length >= capacity)
            length = capacity - 1;
        while (length && !cp_utf8_valid((const char *)five[3], length))
            length--;
        memcpy(value, five[3], length);
        value[length] = '\0';
    }
}

static struct cp_ssml_level *level(struct cp_ssml_reader *reader)
{
    return &reader->stack[reader->depth];
}

static float within(double value, double low, double high)
{
    return (float)(value < low ? low : value > high ? high : value);
}

static void warn_value(struct cp_ssml_reader *reader, const char *element, const char *name,
                       const char *value)
{
    cp_warn(&reader->script.warnings, "Line %d: %s=\"%.24s\" of <%s> is not known and passed over.",
            cp_ssml_line(reader), name, value, element);
}

/* Keeps an attribute's text among the script's notes; 0 when it is empty. */
static int32_t keep(struct cp_ssml_reader *reader, const struct cp_ssml_attributes *attributes,
                    const char *name)
{
    struct cp_script *script = &reader->script;
    char value[CP_SSML_MAX_NOTE_BYTES];
    attribute(attributes, name, value, sizeof value);
    for (char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    size_t length = strlen(value);
    if (!length || reader->problem.code)
        return 0;
    size_t at = script->notes ? (size_t)script->notes_length : 1;
    if (at + length + 1 > reader->max_bytes) {
        cp_ssml_stop(reader, CP_ERR_LIMIT,
                     "The SSML's attributes are longer than %zu bytes; send it in parts.", reader->max_bytes);
        return 0;
    }
    char *notes = realloc(script->notes, at + length + 1);
    if (!notes) {
        cp_ssml_stop(reader, CP_ERR_NOMEM, "Out of memory.");
        return 0;
    }
    notes[0] = '\0';
    memcpy(notes + at, value, length + 1);
    script->notes = notes;
    script->notes_length = (int32_t)(at + length + 1);
    return (int32_t)at;
}

static void speak_otherwise(struct cp_ssml_reader *reader)
{
    level(reader)->changed = true;
    cp_ssml_change(reader);
}

/* --- elements --- */

static void add_cut(struct cp_ssml_reader *reader, bool paragraph)
{
    struct cp_script *script = &reader->script;
    cp_ssml_add_space(reader);
    if (!script->length)
        return;
    int32_t *cuts = cp_ssml_one_more(reader, script->cuts, script->n_cuts, sizeof *cuts);
    if (!cuts)
        return;
    script->cuts = cuts;
    cuts[script->n_cuts++] = paragraph ? -script->length : script->length;
}

/* xml:lang: the document's own on <speak>, else that of this part. */
static void set_language(struct cp_ssml_reader *reader, const struct cp_ssml_attributes *attributes)
{
    char language[sizeof reader->script.language];
    attribute(attributes, "lang", language, sizeof language);
    if (!*language)
        return;
    if (reader->depth == 1) {
        memcpy(reader->script.language, language, sizeof language);
        return;
    }
    memcpy(level(reader)->voicing.language, language, sizeof language);
    speak_otherwise(reader);
}

static void on_part(struct cp_ssml_reader *reader, const char *name,
                    const struct cp_ssml_attributes *attributes)
{
    if (strcmp(name, "speak") != 0)
        add_cut(reader, *name == 'p');
    set_language(reader, attributes);
}

/* Silence, or a breath. */
static void add_pause(struct cp_ssml_reader *reader, int32_t ms, float breath)
{
    struct cp_script *script = &reader->script;
    reader->sum_ms += ms;
    if (reader->sum_ms > CP_SSML_MAX_SUM_MS) {
        cp_ssml_stop(reader, CP_ERR_LIMIT, "The SSML's breaks are longer than %d s together.",
                     CP_SSML_MAX_SUM_MS / 1000);
        return;
    }
    struct cp_pause *pauses = cp_ssml_one_more(reader, script->pauses, script->n_pauses, sizeof *pauses);
    if (!pauses)
        return;
    script->pauses = pauses;
    pauses[script->n_pauses++] = (struct cp_pause){script->length, ms, breath};
}

static void on_break(struct cp_ssml_reader *reader, const char *name,
                     const struct cp_ssml_attributes *attributes)
{
    char time[24], strength[24];
    attribute(attributes, "time", time, sizeof time);
    attribute(attributes, "strength", strength, sizeof strength);
    float ms = 300;
    if (*strength && !cp_ssml_read_strength(strength, &ms))
        warn_value(reader, name, "strength", strength);
    if (*time && !cp_ssml_read_time(time, &ms))
        warn_value(reader, name, "time", time);
    add_pause(reader, (int32_t)ms, 0);
}

/* Polly's breath, by its scales of duration and volume ("Adding the sound of breathing", Amazon Polly
 * developer guide names them; what they amount to is ours). */
static void on_breath(struct cp_ssml_reader *reader, const char *name,
                      const struct cp_ssml_attributes *attributes)
{
    static const struct {
        const char *name;
        int32_t ms;
    } DURATIONS[] = {{"default", 320}, {"x-short", 200}, {"short", 260},
                     {"medium", 320},  {"long", 400},    {"x-long", 500}};
    static const struct {
        const char *name;
        float loudness;
    } VOLUMES[] = {{"default", 1}, {"x-soft", 0.25f}, {"soft", 0.5f},
                   {"medium", 1},  {"loud", 2},       {"x-loud", 4}};
    char duration[24], volume[24];
    attribute(attributes, "duration", duration, sizeof duration);
    attribute(attributes, "volume", volume, sizeof volume);
    size_t d = 0, v = 0;
    const size_t n_d = sizeof DURATIONS / sizeof *DURATIONS, n_v = sizeof VOLUMES / sizeof *VOLUMES;
    while (*duration && d < n_d && strcmp(DURATIONS[d].name, duration) != 0)
        d++;
    while (*volume && v < n_v && strcmp(VOLUMES[v].name, volume) != 0)
        v++;
    if (d == n_d)
        warn_value(reader, name, "duration", duration);
    if (v == n_v)
        warn_value(reader, name, "volume", volume);
    add_pause(reader, DURATIONS[d % n_d].ms, VOLUMES[v % n_v].loudness);
}

static void on_mark(struct cp_ssml_reader *reader, const char *name,
                    const struct cp_ssml_attributes *attributes)
{
    struct cp_script *script = &reader->script;
    struct cp_flag *flags = cp_ssml_one_more(reader, script->flags, script->n_flags, sizeof *flags);
    if (!flags)
        return;
    script->flags = flags;
    struct cp_flag *flag = &flags[script->n_flags++];
    *flag = (struct cp_flag){.at = script->length};
    attribute(attributes, "name", flag->name, sizeof flag->name);
}

static void on_prosody(struct cp_ssml_reader *reader, const char *name,
                       const struct cp_ssml_attributes *attributes)
{
    struct cp_span *voicing = &level(reader)->voicing;
    const struct {
        const char *name;
        bool (*read)(const char *text, float *ret_factor);
        float *value, low, high;
    } VALUES[] = {{"rate", cp_ssml_read_rate, &voicing->rate, 0.25f, 4},
                  {"pitch", cp_ssml_read_pitch, &voicing->pitch, 0.25f, 4},
                  {"range", cp_ssml_read_range, &voicing->range, 0, 3},
                  {"volume", cp_ssml_read_volume, &voicing->volume, 0, 2}};
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        char value[24];
        float factor;
        attribute(attributes, VALUES[i].name, value, sizeof value);
        if (*value && VALUES[i].read(value, &factor))
            *VALUES[i].value = within((double)*VALUES[i].value * (double)factor, (double)VALUES[i].low,
                                      (double)VALUES[i].high);
        else if (*value)
            warn_value(reader, name, VALUES[i].name, value);
    }
    static const char *const PASSED_OVER[] = {"contour", "duration"};
    for (size_t i = 0; i < sizeof PASSED_OVER / sizeof *PASSED_OVER; i++) {
        char value[24];
        attribute(attributes, PASSED_OVER[i], value, sizeof value);
        if (*value)
            cp_warn(&reader->script.warnings, "Line %d: %s of <prosody> is passed over.",
                    cp_ssml_line(reader), PASSED_OVER[i]);
    }
    speak_otherwise(reader);
}

static void on_emphasis(struct cp_ssml_reader *reader, const char *name,
                        const struct cp_ssml_attributes *attributes)
{
    enum cp_emphasis emphasis = CP_EMPHASIS_MODERATE; /* the recommendation's default */
    char value[24];
    attribute(attributes, "level", value, sizeof value);
    if (*value && !cp_ssml_read_emphasis(value, &emphasis))
        warn_value(reader, name, "level", value);
    level(reader)->voicing.emphasis = emphasis;
    speak_otherwise(reader);
}

static void on_say_as(struct cp_ssml_reader *reader, const char *name,
                      const struct cp_ssml_attributes *attributes)
{
    struct cp_span *voicing = &level(reader)->voicing;
    char kind[24];
    attribute(attributes, "interpret-as", kind, sizeof kind);
    if (!cp_ssml_read_say_as(kind, &voicing->say_as)) {
        warn_value(reader, name, "interpret-as", kind);
        return;
    }
    attribute(attributes, "format", voicing->say_as_format, sizeof voicing->say_as_format);
    level(reader)->whole = true;
    speak_otherwise(reader);
}

static void on_sub(struct cp_ssml_reader *reader, const char *name,
                   const struct cp_ssml_attributes *attributes)
{
    int32_t alias = keep(reader, attributes, "alias");
    if (!alias) {
        cp_warn(&reader->script.warnings, "Line %d: <sub> without an alias is passed over.",
                cp_ssml_line(reader));
        return;
    }
    level(reader)->voicing.alias = alias;
    level(reader)->whole = true;
    speak_otherwise(reader);
}

static void on_phoneme(struct cp_ssml_reader *reader, const char *name,
                       const struct cp_ssml_attributes *attributes)
{
    char alphabet[16];
    attribute(attributes, "alphabet", alphabet, sizeof alphabet);
    if (*alphabet && strcasecmp(alphabet, "ipa") != 0) {
        cp_warn(&reader->script.warnings,
                "Line %d: the alphabet \"%.15s\" of <phoneme> is not known; use ipa.", cp_ssml_line(reader),
                alphabet);
        return;
    }
    level(reader)->voicing.phoneme = keep(reader, attributes, "ph");
    level(reader)->whole = true;
    speak_otherwise(reader);
}

static void on_voice(struct cp_ssml_reader *reader, const char *name,
                     const struct cp_ssml_attributes *attributes)
{
    struct cp_span *voicing = &level(reader)->voicing;
    char languages[32];
    int32_t voice = keep(reader, attributes, "name");
    if (voice)
        voicing->voice = voice;
    set_language(reader, attributes);
    attribute(attributes, "languages", languages, sizeof languages); /* "en-GB:fr-CA de": the first counts */
    languages[strcspn(languages, ": ")] = '\0';
    if (*languages)
        snprintf(voicing->language, sizeof voicing->language, "%.15s", languages);
    if (!voice && !*voicing->language)
        cp_warn(&reader->script.warnings, "Line %d: <voice> without name or language is passed over.",
                cp_ssml_line(reader));
    speak_otherwise(reader);
}

static void on_audio(struct cp_ssml_reader *reader, const char *name,
                     const struct cp_ssml_attributes *attributes)
{
    cp_warn(&reader->script.warnings, "Line %d: <audio> is not played; the text inside is spoken.",
            cp_ssml_line(reader));
}

static void on_hidden(struct cp_ssml_reader *reader, const char *name,
                      const struct cp_ssml_attributes *attributes)
{
    level(reader)->silent = true;
}

static void on_lexicon(struct cp_ssml_reader *reader, const char *name,
                       const struct cp_ssml_attributes *attributes)
{
    cp_warn(&reader->script.warnings, "Line %d: <%s> is passed over; nothing is fetched from elsewhere.",
            cp_ssml_line(reader), name);
}

static void on_word(struct cp_ssml_reader *reader, const char *name,
                    const struct cp_ssml_attributes *attributes)
{
    set_language(reader, attributes);
}

/* --- Polly's and Azure's own --- */

/* Their names for ways of speaking, and ours. */
static const struct {
    const char *theirs, *ours;
} MANNERS[] = {
    {"conversational", "neutral"},
    {"long-form", "story"},
    {"newscast", "news"},
    {"newscast-casual", "news"},
    {"newscast-formal", "news"},
    {"disappointed", "calm"},
    {"cheerful", "excited"},
    {"advertisement_upbeat", "sales"},
    {"gentle", "calm"},
    {"narration-professional", "story"},
    {"poetry-reading", "story"},
    {"chat", "neutral"},
};

/* amazon:domain, amazon:emotion (Polly), express-as (Azure): the name of a manner. */
static void on_manner(struct cp_ssml_reader *reader, const char *name,
                      const struct cp_ssml_attributes *attributes)
{
    const char *field = !strcmp(name, "express-as") ? "style" : "name";
    char value[32];
    attribute(attributes, field, value, sizeof value);
    const char *ours = value;
    for (size_t i = 0; i < sizeof MANNERS / sizeof *MANNERS; i++)
        if (!strcasecmp(MANNERS[i].theirs, value))
            ours = MANNERS[i].ours;
    int style = cp_style_find(ours);
    if (!style) {
        warn_value(reader, name, field, value);
        return;
    }
    level(reader)->voicing.style = style;
    speak_otherwise(reader);
}

static void on_effect(struct cp_ssml_reader *reader, const char *name,
                      const struct cp_ssml_attributes *attributes)
{
    struct cp_span *voicing = &level(reader)->voicing;
    char effect[24], phonation[24], tract[24];
    attribute(attributes, "name", effect, sizeof effect);
    attribute(attributes, "phonation", phonation, sizeof phonation);
    attribute(attributes, "vocal-tract-length", tract, sizeof tract);
    if (!strcmp(effect, "drc"))
        return; /* every voice is evened and limited here */
    if (!strcmp(effect, "whispered") || !strcmp(phonation, "soft")) {
        voicing->volume *= 0.5f;
        voicing->range *= 0.6f;
        cp_warn(&reader->script.warnings, "Line %d: %s is spoken softly instead.", cp_ssml_line(reader),
                *effect ? "whispering" : "soft phonation");
        speak_otherwise(reader);
        return;
    }
    cp_warn(&reader->script.warnings, "Line %d: the effect %.24s is passed over.", cp_ssml_line(reader),
            *tract ? "vocal-tract-length" : effect);
}

static void on_breaths(struct cp_ssml_reader *reader, const char *name,
                       const struct cp_ssml_attributes *attributes)
{
    cp_warn(&reader->script.warnings, "Line %d: <amazon:%s> is passed over.", cp_ssml_line(reader), name);
}

static const struct element {
    const char *prefix, *name;
    void (*open)(struct cp_ssml_reader *reader, const char *name,
                 const struct cp_ssml_attributes *attributes);
} ELEMENTS[] = {
    {"", "speak", on_part},
    {"", "p", on_part},
    {"", "s", on_part},
    {"", "break", on_break},
    {"", "mark", on_mark},
    {"", "prosody", on_prosody},
    {"", "emphasis", on_emphasis},
    {"", "say-as", on_say_as},
    {"", "sub", on_sub},
    {"", "phoneme", on_phoneme},
    {"", "lang", on_word},
    {"", "w", on_word},
    {"", "token", on_word},
    {"", "voice", on_voice},
    {"", "audio", on_audio},
    {"", "desc", on_hidden},
    {"", "metadata", on_hidden},
    {"", "meta", on_hidden},
    {"", "lexicon", on_lexicon},
    {"", "lookup", on_lexicon},
    {"amazon", "domain", on_manner},
    {"amazon", "emotion", on_manner},
    {"amazon", "effect", on_effect},
    {"amazon", "breath", on_breath},
    {"amazon", "auto-breaths", on_breaths},
    {"mstts", "express-as", on_manner},
};

void cp_ssml_open_element(struct cp_ssml_reader *reader, const char *prefix, const char *name,
                          const struct cp_ssml_attributes *attributes)
{
    if (reader->stack[reader->depth - 1].whole || reader->stack[reader->depth - 1].silent) {
        cp_warn(&reader->script.warnings,
                "Line %d: <%.24s> is passed over inside of text that is read as one.", cp_ssml_line(reader),
                name);
        return;
    }
    for (size_t i = 0; i < sizeof ELEMENTS / sizeof *ELEMENTS; i++) {
        if (!strcmp(ELEMENTS[i].name, name) && !strcmp(ELEMENTS[i].prefix, prefix)) {
            ELEMENTS[i].open(reader, name, attributes);
            return;
        }
    }
    cp_warn(&reader->script.warnings, "Line %d: <%.16s%s%.32s> is not known; the text inside is spoken.",
            cp_ssml_line(reader), prefix, *prefix ? ":" : "", name);
}

void cp_ssml_close_element(struct cp_ssml_reader *reader, const char *prefix, const char *name)
{
    if ((!strcmp(name, "p") || !strcmp(name, "s")) && !*prefix && !reader->stack[reader->depth - 1].whole)
        add_cut(reader, *name == 'p');
    bool changed = level(reader)->changed;
    reader->depth--;
    if (changed)
        cp_ssml_change(reader);
}
