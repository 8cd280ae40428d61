#include "speech/take.h"

#include "base/error.h"
#include "media/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is left of an engine's silence. A closed mouth before "p" makes no sound, so up to CLOSURE of a first
 * phone's silence stays. */
enum { LEAD_MS = 12, TAIL_MS = 25, CLOSURE_MS = 60, FADE_MS = 3 };
/* Lips do not rest in a shorter pause (a glottal stop, the seam of two pieces): they hold their shape. */
enum { HELD_MS = 60 };
#define SILENCE_DB (-48.0f) /* below the loudest 5 ms */

/* --- growing --- */

static int reserve_samples(struct cp_take *take, size_t more)
{
    if (take->n_samples + more > take->capacity) {
        size_t capacity =
            take->capacity * 2 > take->n_samples + more ? take->capacity * 2 : take->n_samples + more;
        float *moved = realloc(take->pcm, capacity * sizeof *moved);
        if (!moved)
            return CP_ERR_NOMEM;
        take->pcm = moved;
        take->capacity = capacity;
    }
    return 0;
}

static int reserve_events(struct cp_take *take, size_t more)
{
    if (take->n_events + more > take->event_capacity) {
        size_t capacity = take->n_events + more + 128;
        struct cp_take_event *moved = realloc(take->events, capacity * sizeof *moved);
        if (!moved)
            return CP_ERR_NOMEM;
        take->events = moved;
        take->event_capacity = capacity;
    }
    return 0;
}

static int add_volume(struct cp_take *take, float volume)
{
    if (take->n_volumes == take->volume_capacity) {
        size_t capacity = take->volume_capacity + 16;
        void *moved = realloc(take->volumes, capacity * sizeof *take->volumes);
        if (!moved)
            return CP_ERR_NOMEM;
        take->volumes = moved;
        take->volume_capacity = capacity;
    }
    take->volumes[take->n_volumes].end = take->n_samples;
    take->volumes[take->n_volumes++].volume = volume;
    return 0;
}

void cp_take_free(struct cp_take *take)
{
    free(take->pcm);
    free(take->events);
    free(take->volumes);
    *take = (struct cp_take){0};
}

/* Shorter pauses are too short to breathe in. A breath ends a little before the next word begins, and follows
 * the last one after as much; longer ones than MAX_BREATH_MS are sighs. */
enum { MIN_BREATH_PAUSE_MS = 200, BREATH_ROOM_MS = 30, MAX_BREATH_MS = 420 };

static void note_breath(struct cp_take *take, int32_t ms, float loudness)
{
    if (loudness <= 0 || ms < MIN_BREATH_PAUSE_MS || take->n_breaths == CP_TAKE_MAX_BREATHS)
        return;
    int32_t length_ms = ms - 2 * BREATH_ROOM_MS < MAX_BREATH_MS ? ms - 2 * BREATH_ROOM_MS : MAX_BREATH_MS;
    size_t end = take->n_samples + (size_t)(ms - BREATH_ROOM_MS) * CP_SAMPLE_HZ / 1000;
    take->breaths[take->n_breaths].end = end;
    take->breaths[take->n_breaths].length = (size_t)length_ms * CP_SAMPLE_HZ / 1000;
    take->breaths[take->n_breaths++].loudness = loudness;
}

void cp_take_breathe(struct cp_take *take, float rms)
{
    for (int i = 0; i < take->n_breaths; i++) {
        size_t end = take->breaths[i].end, length = take->breaths[i].length;
        cp_breathe_in(take->pcm + end - length, length, rms * take->breaths[i].loudness, (uint32_t)end);
    }
}

int cp_take_add_pause(struct cp_take *take, int32_t ms, float breath)
{
    size_t n = (size_t)ms * CP_SAMPLE_HZ / 1000;
    if (reserve_samples(take, n))
        return CP_ERR_NOMEM;
    note_breath(take, ms, breath);
    memset(take->pcm + take->n_samples, 0, n * sizeof *take->pcm);
    take->n_samples += n;
    return add_volume(take, 1);
}

/* --- an engine's sound --- */

struct range {
    size_t start, end;
};

/* The part that is not silence: between the first and the last 5 ms that are within SILENCE_DB of the
 * loudest. */
static struct range find_sound(const struct cp_sound *sound)
{
    size_t step = (size_t)sound->hz / 200;
    double loudest = 0;
    for (int pass = 0; pass < 2; pass++) {
        struct range range = {sound->n_samples, 0};
        double gate = loudest * pow(10, SILENCE_DB / 10.0);
        for (size_t i = 0; i < sound->n_samples; i += step) {
            size_t end = i + step < sound->n_samples ? i + step : sound->n_samples;
            double energy = 0;
            for (size_t k = i; k < end; k++)
                energy += (double)sound->pcm[k] * sound->pcm[k];
            if (pass == 0 && energy > loudest)
                loudest = energy;
            if (pass == 1 && energy > gate) {
                range.start = i < range.start ? i : range.start;
                range.end = end;
            }
        }
        if (pass == 1 && loudest > 0)
            return range;
    }
    return (struct range){0, sound->n_samples}; /* all silent: keep it */
}

/* Where the engine says that it speaks; {SIZE_MAX, 0} when it says nothing. */
static struct range find_phones(const struct cp_sound *sound)
{
    struct range range = {SIZE_MAX, 0};
    for (size_t i = 0; i < sound->n_events; i++) {
        const struct cp_sound_event *event = &sound->events[i];
        if (event->type != CP_SOUND_PHONE || !*event->name || event->at < 0 || event->length < 0)
            continue;
        size_t start = (size_t)event->at, end = start + (size_t)event->length;
        range.start = start < range.start ? start : range.start;
        range.end = end > range.end ? end : range.end;
    }
    return range;
}

static size_t minus(size_t a, size_t b)
{
    return a > b ? a - b : 0;
}

/* What to keep: from sound or phones, whichever comes first, but neither a long closure nor an engine's noise
 * floor far outside of the phones. */
static struct range trim(const struct cp_sound *sound)
{
    size_t ms = (size_t)sound->hz / 1000, closure = CLOSURE_MS * ms;
    struct range heard = find_sound(sound), phones = find_phones(sound), kept = heard;
    if (phones.start < phones.end && phones.end <= sound->n_samples) {
        if (phones.start < heard.start)
            kept.start = phones.start + closure > heard.start ? phones.start : heard.start - closure;
        else if (phones.start > heard.start + closure)
            kept.start = phones.start - closure;
        if (phones.end > heard.end)
            kept.end = phones.end < heard.end + closure ? phones.end : heard.end + closure;
        else if (phones.end + closure < heard.end)
            kept.end = phones.end + closure;
    }
    kept.start = minus(kept.start, LEAD_MS * ms);
    kept.end += TAIL_MS * ms;
    if (kept.end > sound->n_samples)
        kept.end = sound->n_samples;
    return kept.start < kept.end ? kept : (struct range){0, sound->n_samples};
}

static int32_t rescale(int64_t at, int hz, struct range range)
{
    at = at < (int64_t)range.start ? (int64_t)range.start : at > (int64_t)range.end ? (int64_t)range.end : at;
    return (int32_t)((at - (int64_t)range.start) * CP_SAMPLE_HZ / hz);
}

static int add_events(struct cp_take *take, const struct cp_sound *sound, struct range range,
                      enum cp_phone_set phones, int32_t text_at)
{
    if (reserve_events(take, sound->n_events))
        return CP_ERR_NOMEM;
    int32_t base = (int32_t)take->n_samples;
    for (size_t i = 0; i < sound->n_events; i++) {
        const struct cp_sound_event *from = &sound->events[i];
        struct cp_take_event *to = &take->events[take->n_events++];
        int32_t start = rescale(from->at, sound->hz, range);
        int32_t end = rescale((int64_t)from->at + from->length, sound->hz, range);
        *to = (struct cp_take_event){.type = from->type, .phones = phones, .stress = from->stress};
        to->at = base + start;
        to->length = end > start ? end - start : 0;
        to->start = text_at + from->start;
        to->end = text_at + from->end;
        snprintf(to->name, sizeof to->name, "%s", from->name);
    }
    return 0;
}

static void fade_ends(float *pcm, size_t n)
{
    size_t fade = (size_t)FADE_MS * CP_SAMPLE_HZ / 1000;
    if (fade > n / 2)
        fade = n / 2;
    for (size_t i = 0; i < fade; i++) {
        float gain = 0.5f - 0.5f * cosf((float)M_PI * ((float)i + 0.5f) / (float)fade);
        pcm[i] *= gain;
        pcm[n - 1 - i] *= gain;
    }
}

int cp_take_add_sound(struct cp_take *take, const struct cp_sound *sound,
                      const struct cp_resampler *resampler, enum cp_phone_set phones, int32_t text_at,
                      float volume)
{
    struct range range = trim(sound);
    size_t n = cp_resampled_length(resampler, range.end - range.start);
    if (reserve_samples(take, n) || add_events(take, sound, range, phones, text_at))
        return CP_ERR_NOMEM;
    float *pcm = take->pcm + take->n_samples;
    if (cp_resample(resampler, sound->pcm + range.start, range.end - range.start, pcm))
        return CP_ERR_NOMEM;
    fade_ends(pcm, n);
    take->n_samples += n;
    take->sound_end = (int32_t)take->n_samples;
    return add_volume(take, volume);
}

/* --- marks --- */

size_t cp_take_max_marks(const struct cp_take *take, const struct cp_script *script)
{
    /* a phone gives itself, its shapes and a silence before it */
    return take->n_events * (CP_VISEME_PARTS + 2) + (size_t)script->n_flags + 3;
}

struct writer {
    struct cp_utterance *utterance;
    struct cp_mark word;    /* the word that phones belong to */
    int32_t visemes_end;    /* visemes cover the sound up to here */
    struct cp_mark *viseme; /* the last one */
};

static struct cp_mark *add_mark(struct writer *writer, enum cp_mark_type type, int32_t at, int32_t length)
{
    struct cp_mark *mark = &writer->utterance->marks[writer->utterance->n_marks++];
    *mark = (struct cp_mark){.type = type,
                             .at_samples = at,
                             .length_samples = length,
                             .start = writer->word.start,
                             .end = writer->word.end};
    return mark;
}

/* Shows a mouth shape from the end of the last one on. */
static void add_viseme(struct writer *writer, enum cp_viseme viseme, float weight, int32_t end,
                       int32_t stress)
{
    int32_t length = end - writer->visemes_end;
    if (length <= 0)
        return;
    struct cp_mark *last = writer->viseme;
    bool silent = viseme == CP_VISEME_SIL;
    writer->visemes_end = end;
    if (last && silent && (last->viseme == CP_VISEME_SIL || length < HELD_MS * CP_SAMPLE_HZ / 1000)) {
        last->length_samples += length;
        return;
    }
    struct cp_mark *mark = add_mark(writer, CP_MARK_VISEME, end - length, length);
    mark->viseme = viseme;
    mark->weight = weight;
    mark->stress = stress;
    if (silent)
        mark->start = mark->end;
    writer->viseme = mark;
}

/* The first shape of the phone behind this one: what an "h" is coloured by. */
static enum cp_viseme next_shape(const struct cp_take *take, size_t index)
{
    for (size_t i = index + 1; i < take->n_events; i++) {
        if (take->events[i].type != CP_SOUND_PHONE)
            continue;
        struct cp_mouth mouth = cp_mouth_of_phone(take->events[i].phones, take->events[i].name);
        if (mouth.n && !mouth.of_next && mouth.part[0].viseme != CP_VISEME_SIL)
            return mouth.part[0].viseme;
    }
    return CP_VISEME_E;
}

static void add_phone(struct writer *writer, const struct cp_take *take, size_t index)
{
    const struct cp_take_event *event = &take->events[index];
    struct cp_mouth mouth = cp_mouth_of_phone(event->phones, event->name);
    if (event->length <= 0 || !mouth.n)
        return;
    bool pause = mouth.part[0].viseme == CP_VISEME_SIL;
    if (!pause && event->phones != CP_PHONES_SHAPES) {
        struct cp_mark *mark = add_mark(writer, CP_MARK_PHONE, event->at, event->length);
        mark->stress = event->stress;
        snprintf(mark->name, sizeof mark->name, "%s", event->name);
    }
    add_viseme(writer, CP_VISEME_SIL, 1, event->at, 0); /* a gap between pieces */
    float share = 0;
    for (int i = 0; i < mouth.n; i++) {
        share += mouth.part[i].share;
        int32_t end =
            event->at + (i + 1 == mouth.n ? event->length : (int32_t)((float)event->length * share));
        add_viseme(writer, mouth.of_next ? next_shape(take, index) : mouth.part[i].viseme,
                   mouth.part[i].weight, end, event->stress);
    }
}

/* The SSML marks behind the last sentence's end and up to this one's, each at the word that follows it. */
static void add_flags(struct writer *writer, const struct cp_take *take, const struct cp_script *script,
                      int sentence)
{
    bool last = sentence + 1 == script->n_sentences;
    int32_t from = sentence ? script->sentences[sentence - 1].end : 0;
    for (int i = 0; i < script->n_flags; i++) {
        const struct cp_flag *flag = &script->flags[i];
        if (flag->at < from || (flag->at >= script->sentences[sentence].end && !last))
            continue;
        int32_t at = take->sound_end;
        for (size_t k = 0; k < take->n_events; k++) {
            if (take->events[k].type == CP_SOUND_WORD && take->events[k].start >= flag->at) {
                at = take->events[k].at;
                break;
            }
        }
        writer->word.start = writer->word.end = flag->at;
        struct cp_mark *mark = add_mark(writer, CP_MARK_NAMED, at, 0);
        snprintf(mark->name, sizeof mark->name, "%s", flag->name);
    }
}

static int by_time_then_type(const void *a, const void *b)
{
    const struct cp_mark *left = a, *right = b;
    if (left->at_samples != right->at_samples)
        return left->at_samples < right->at_samples ? -1 : 1;
    return (int)left->type - (int)right->type;
}

/* The end of the last word, or of the sound when the engine gave no words. */
static int32_t spoken_end(const struct cp_take *take)
{
    for (size_t i = take->n_events; i-- > 0;)
        if (take->events[i].type == CP_SOUND_WORD)
            return take->events[i].at + take->events[i].length;
    return take->sound_end;
}

void cp_take_write_marks(const struct cp_take *take, const struct cp_script *script, int sentence,
                         struct cp_utterance *utterance)
{
    struct writer writer = {.utterance = utterance};
    const struct cp_sentence *range = &script->sentences[sentence];
    int32_t first = 0;
    for (size_t i = take->n_events; i-- > 0;)
        if (take->events[i].type == CP_SOUND_WORD)
            first = take->events[i].at;
    writer.word.start = range->start;
    writer.word.end = range->end;
    add_mark(&writer, CP_MARK_SENTENCE, first, spoken_end(take) - first);
    writer.word.end = range->start;
    for (size_t i = 0; i < take->n_events; i++) {
        const struct cp_take_event *event = &take->events[i];
        if (event->type == CP_SOUND_PHONE) {
            add_phone(&writer, take, i);
            continue;
        }
        writer.word.start = event->start;
        writer.word.end = event->end;
        if (event->end > event->start) /* an engine may read out what stands nowhere in the text */
            add_mark(&writer, CP_MARK_WORD, event->at, event->length);
    }
    add_viseme(&writer, CP_VISEME_SIL, 1, (int32_t)take->n_samples, 0);
    add_flags(&writer, take, script, sentence);
    qsort(utterance->marks, utterance->n_marks, sizeof *utterance->marks, by_time_then_type);
}
