/* One piece of a sentence: read, spoken run by run by the voices that can, its marks led back to the source.
 */
#include "speech/make.h"

#include "speech/align/align.h"
#include "speech/runs.h"
#include "speech/styles.h"
#include "speech/take.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

struct cp_resampler *cp_maker_resampler(struct cp_maker *maker, int hz)
{
    const size_t n = sizeof(maker->resampler) / sizeof(maker->resampler)[0];
    size_t i = 0;
    while (i < n && maker->resampler[i] && cp_resampler_from_hz(maker->resampler[i]) != hz)
        i++;
    struct cp_resampler *found = i < n ? maker->resampler[i] : NULL;
    if (!found) {
        found = cp_resampler_create(hz);
        if (!found)
            return NULL;
        if (i == n)
            cp_resampler_destroy(maker->resampler[--i]);
    }
    memmove(maker->resampler + 1, maker->resampler, i * sizeof(struct cp_resampler *));
    maker->resampler[0] = found;
    return found;
}

enum { MAX_PRONOUNCED = 64 }; /* of a run; more are read as written */

/* Who says a run, what, and which bytes of the script it stands for. */
struct line {
    struct cp_speaker speaker;
    const char *text;
    int32_t length;
    int32_t start, end;                              /* of the script */
    bool whole;                                      /* all words stand for all of start to end (an alias) */
    struct cp_pronounced pronounced[MAX_PRONOUNCED]; /* of text */
    int n_pronounced;
};

/* The stretches of the line that the markup pronounces. */
static void find_pronounced(struct line *line, const struct cp_script *script)
{
    const struct cp_span *end = script->spans + script->n_spans;
    for (const struct cp_span *span = cp_script_span_at(script, line->start);
         span < end && span->start < line->end && line->n_pronounced < MAX_PRONOUNCED; span++) {
        int32_t span_end = span + 1 < end ? span[1].start : script->length;
        if (span->phoneme && span->start >= line->start && span_end <= line->end)
            line->pronounced[line->n_pronounced++] = (struct cp_pronounced){
                span->start - line->start, span_end - line->start, cp_script_note(script, span->phoneme)};
    }
}

/*
 * Leads the words of what was spoken back to the script. Words that stand for the same source ("nineteen
 * ninety-nine" for "1999") become one, as long as all of them; offsets count from the line's start.
 */
static void map_words(struct cp_sound *sound, const struct cp_reading *reading, const struct line *line)
{
    size_t kept = 0;
    struct cp_sound_event *last = NULL;
    for (size_t i = 0; i < sound->n_events; i++) {
        struct cp_sound_event event = sound->events[i];
        if (event.type == CP_SOUND_WORD) {
            if (event.end > event.start && line->whole)
                event.start = 0, event.end = line->end - line->start;
            else if (event.end > event.start)
                cp_reading_source(reading, event.start, event.end, &event.start, &event.end);
            bool same = last && event.end > event.start && event.start < last->end;
            if (same) {
                last->length = event.at + event.length - last->at;
                last->end = event.end > last->end ? event.end : last->end;
                continue;
            }
            sound->events[kept] = event;
            last = event.end > event.start ? &sound->events[kept] : last;
            kept++;
            continue;
        }
        sound->events[kept++] = event;
    }
    sound->n_events = kept;
}

/* The mean power of the stretch while it is not nearly silent. */
static double speech_power(const float *pcm, size_t n)
{
    enum { STEP = 480 };
    const double gate = 1e-5; /* -50 dBFS */
    double sum = 0;
    size_t steps = 0;
    for (size_t i = 0; i + STEP <= n; i += STEP) {
        double power = 0;
        for (size_t k = i; k < i + STEP; k++)
            power += (double)(pcm[k] * pcm[k]);
        power /= STEP;
        if (power > gate) {
            sum += power;
            steps++;
        }
    }
    return steps ? sum / (double)steps : 0;
}

/* Brings another voice's run to the loudness of the main one's first, so that neither stands out. */
static void match_loudness(struct cp_take *take, size_t from, bool other)
{
    enum { SHORTEST = 48000 / 10 };
    if (take->n_samples - from < SHORTEST)
        return;
    double power = speech_power(take->pcm + from, take->n_samples - from);
    if (power <= 0)
        return;
    if (!other) {
        take->power = take->power > 0 ? take->power : power;
        return;
    }
    if (take->power <= 0)
        return;
    double gain = sqrt(take->power / power);
    gain = gain < 0.5 ? 0.5 : gain > 2 ? 2 : gain;
    for (size_t i = from; i < take->n_samples; i++)
        take->pcm[i] *= (float)gain;
}

/* Phones for a sound that came without them. */
static int align(struct cp_maker *maker, const char *language, const struct cp_piece *piece,
                 const atomic_bool *stop, enum cp_phone_set *phones, struct cp_error *error)
{
    if (!cp_align_needed(&maker->sound))
        return 0;
    if (!maker->aligner)
        maker->aligner = cp_aligner_create(maker->config);
    if (!maker->aligner)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    struct cp_align_request request = {
        .language = language, .text = piece->text, .length = piece->length, .stop = stop};
    return cp_align(maker->aligner, &request, &maker->sound, phones, error);
}

/* Has a line spoken and adds it to the take. */
static int speak(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                 const struct line *line, const struct cp_span *span, struct cp_error *error)
{
    struct cp_reading reading;
    struct cp_reading_request wanted = {
        .language = line->speaker.language,
        .text = line->text,
        .length = line->length,
        .say_as = span->say_as,
        .lexicon = line->whole ? NULL : request->lexicon,
        .pronounced = line->pronounced,
        .n_pronounced = line->n_pronounced,
        .phones = line->speaker.provider->phones_taken,
    };
    if (cp_reader_read(maker->reader, &wanted, &reading))
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    if (!cp_text_has_words(reading.text, (size_t)reading.length)) {
        cp_reading_free(&reading);
        return 0;
    }
    struct cp_manner manner =
        cp_style_manner(span, request->style, request->rate, request->pitch, request->volume);
    struct cp_piece piece = {
        .voice = strchr(line->speaker.voice_id, ':') + 1,
        .text = reading.text,
        .length = (size_t)reading.length,
        .pronounced = reading.pronounced,
        .n_pronounced = reading.n_pronounced,
        .rate = manner.rate,
        .pitch = manner.pitch,
        .range = manner.range,
        .deadline_ns = request->deadline_ns,
    };
    cp_sound_clear(&maker->sound);
    int result =
        line->speaker.provider->speak(line->speaker.engine, &piece, request->stop, &maker->sound, error);
    enum cp_phone_set phones = line->speaker.provider->phones;
    if (!result)
        result = align(maker, line->speaker.language, &piece, request->stop, &phones, error);
    if (!result)
        map_words(&maker->sound, &reading, line);
    cp_reading_free(&reading);
    if (result)
        return result;
    struct cp_resampler *resampler = cp_maker_resampler(maker, maker->sound.hz);
    if (!resampler)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "The voice %s makes sound at %d Hz; 8000 to 48000 are understood.",
                       line->speaker.voice_id, maker->sound.hz);
    size_t from = take->n_samples;
    bool failed =
        cp_take_add_sound(take, &maker->sound, resampler, phones, line->start, (float)manner.volume);
    if (!failed && maker->sound.melody_ignored && (manner.pitch != 1 || manner.range != 1))
        failed = cp_bend_melody(take->pcm + from, take->n_samples - from, (float)manner.pitch,
                                (float)manner.range);
    if (failed)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    match_loudness(take, from, line->speaker.voice_id != request->voice_id);
    return 0;
}

static bool can_say(const struct cp_speaker *speaker, const char *text, int32_t length)
{
    return cp_text_has_words(text, (size_t)length) &&
           (!speaker->provider->readable || speaker->provider->readable(text, (size_t)length));
}

/* A run that its own voice fails at is left to the sentence's main one. */
static int speak_run(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                     struct line *line, const struct cp_speaker *main, const struct cp_span *span,
                     struct cp_error *error)
{
    bool other = line->speaker.voice_id != main->voice_id;
    int result = 0;
    if (can_say(&line->speaker, line->text, line->length)) {
        struct cp_error why = {0};
        result = speak(maker, request, take, line, span, other ? &why : error);
        if (!result || !other)
            return result;
        if (result == CP_ERR_CANCELLED || result == CP_ERR_NOMEM) {
            if (error)
                *error = why;
            return result;
        }
    }
    line->speaker = *main;
    return other && can_say(main, line->text, line->length) ? speak(maker, request, take, line, span, error)
                                                            : 0;
}

int cp_make_piece(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                  int32_t start, int32_t end, struct cp_error *error)
{
    const struct cp_script *script = request->script;
    const struct cp_span *span = cp_script_span_at(script, start);
    const char *alias = cp_script_note(script, span->alias), *voice = cp_script_note(script, span->voice);
    struct cp_speaker main = {request->provider, request->engine, request->voice_id,
                              request->language ? request->language : ""};
    if ((*voice || *span->language) && request->speech)
        cp_speech_speaker(request->speech, &main, voice, span->language, &main);
    if (!maker->reader)
        maker->reader = cp_reader_create();
    if (!maker->reader)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");

    struct cp_run runs[CP_MAX_RUNS] = {{.start = start, .end = end}};
    int n = *alias ? 1 : cp_runs_split(script->text, start, end, main.language, request->lexicon, runs);
    int result = 0;
    for (int i = 0; i < n && !result; i++) {
        struct line line = {
            .speaker = main, .start = runs[i].start, .end = runs[i].end, .whole = *alias != '\0'};
        line.text = *alias ? alias : script->text + line.start;
        line.length = *alias ? (int32_t)strlen(alias) : line.end - line.start;
        if (!line.whole)
            find_pronounced(&line, script);
        if (*runs[i].language && request->speech)
            cp_speech_speaker(request->speech, &main, "", runs[i].language, &line.speaker);
        result = speak_run(maker, request, take, &line, &main, span, error);
    }
    return result;
}
