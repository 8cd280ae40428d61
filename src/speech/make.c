#include "speech/make.h"

#include "base/clock.h"
#include "base/thread.h"
#include "media/clock.h"
#include "speech/align/align.h"
#include "speech/styles.h"
#include "speech/take.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

/* Loudness is evened within these bounds, so that a whisper of noise is not blown up. */
enum { MAX_LIFT_DB = 30, MAX_CUT_DB = 20 };
#define BREATH_DB (-22.0) /* of `breath` 1, against the voice */

void cp_maker_clear(struct cp_maker *maker)
{
    for (size_t i = 0; i < sizeof(maker->resampler) / sizeof(maker->resampler)[0]; i++) {
        cp_resampler_destroy(maker->resampler[i]);
        maker->resampler[i] = NULL;
    }
    cp_sound_free(&maker->sound);
    cp_reader_destroy(maker->reader);
    maker->reader = NULL;
    cp_aligner_destroy(maker->aligner);
    maker->aligner = NULL;
}

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static int style_at(const struct cp_make_request *request, int32_t at)
{
    int style = cp_script_span_at(request->script, at)->style;
    return style ? style : request->style;
}

/* Where the piece that starts here ends: at the next change of prosody, the next pause, or `end`. A word that
 * is only pronounced otherwise is no end: its sentence keeps its melody. */
static int32_t piece_end(const struct cp_script *script, const struct cp_span *span, int next_pause,
                         int32_t end)
{
    const struct cp_span *next = span + 1, *behind = script->spans + script->n_spans;
    while (next < behind && next->start < end && cp_span_goes_on(span, next))
        next++;
    if (next < behind && next->start < end)
        end = next->start;
    if (next_pause < script->n_pauses && script->pauses[next_pause].at < end)
        end = script->pauses[next_pause].at;
    return end;
}

/* A speaker's pauses are never twice the same: up to a tenth more or less, by the sentence itself, so that
 * the same text always sounds the same. */
static double breathing(const struct cp_script *script, const struct cp_sentence *sentence)
{
    uint32_t hash = 2166136261u; /* FNV-1a, 32 bit */
    for (int32_t i = sentence->start; i < sentence->end; i++)
        hash = (hash ^ (uint8_t)script->text[i]) * 16777619u;
    return 0.9 + 0.2 * (double)(hash >> 16) / 65535;
}

/* The style's pause behind a sentence. The last one's is only room for the sound to end in. */
static int32_t pause_behind(const struct cp_make_request *request, const struct cp_sentence *sentence)
{
    const struct cp_script *script = request->script;
    if (request->sentence + 1 == script->n_sentences)
        return sentence->pause_ms;
    const struct cp_style *style = cp_style_get(style_at(request, sentence->end - 1));
    return (int32_t)(sentence->pause_ms * (double)style->pause * breathing(script, sentence));
}

/* The sentence's pieces, with the markup's pauses between them. */
static int perform(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                   struct cp_pause *ret_behind, struct cp_error *error)
{
    const struct cp_script *script = request->script;
    const struct cp_sentence *sentence = &script->sentences[request->sentence];
    /* silence between two sentences belongs to the earlier one */
    int32_t taken = request->sentence ? sentence->start : -1;
    bool last = request->sentence + 1 == script->n_sentences;
    int pause = 0;
    while (pause < script->n_pauses && script->pauses[pause].at <= taken)
        pause++;
    int32_t at = sentence->start;
    int result = 0;
    while (!result && at < sentence->end) {
        for (; pause < script->n_pauses && script->pauses[pause].at <= at && !result; pause++)
            result = cp_take_add_pause(take, script->pauses[pause].ms, script->pauses[pause].breath);
        if (result)
            return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
        int32_t end = piece_end(script, cp_script_span_at(script, at), pause, sentence->end);
        result = cp_make_piece(maker, request, take, at, end, error);
        at = end;
    }
    struct cp_pause behind = {.ms = pause_behind(request, sentence), .breath = last ? 0 : 1};
    bool explicit_pause = false;
    for (; pause < script->n_pauses && (last || script->pauses[pause].at <= sentence[1].start); pause++) {
        behind.ms = explicit_pause ? behind.ms + script->pauses[pause].ms : script->pauses[pause].ms;
        behind.breath = script->pauses[pause].breath; /* a break is silent */
        explicit_pause = true;
    }
    *ret_behind = behind;
    return result;
}

/* Questions rise at their end, whatever the engine makes of "?". */
static int raise_question(const struct cp_make_request *request, struct cp_take *take)
{
    static const char *const SIGNS[] = {"?", "\xef\xbc\x9f", "\xd8\x9f",
                                        "\xcd\xbe"}; /* ?, wide, Arabic, Greek */
    const struct cp_sentence *sentence = &request->script->sentences[request->sentence];
    const char *text = request->script->text;
    int32_t end = sentence->end;
    while (end > sentence->start && strchr("\"')]!. ", text[end - 1]))
        end--;
    bool question = false;
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++) {
        int32_t length = (int32_t)strlen(SIGNS[i]);
        question |= end - sentence->start > length && !memcmp(text + end - length, SIGNS[i], (size_t)length);
    }
    size_t last = take->n_events;
    while (last > 0 && take->events[last - 1].type != CP_SOUND_WORD)
        last--;
    if (!question || !last)
        return 0;
    const struct cp_take_event *word = &take->events[last - 1];
    float rise_st = cp_style_get(style_at(request, end - 1))->rise_st;
    return cp_raise_end(take->pcm, take->n_samples, word->at, word->at + word->length, rise_st);
}

float cp_levelling_gain(const float *samples, size_t n, double wanted_lufs)
{
    double lufs = cp_loudness_lufs(samples, n);
    double gain_db = isfinite(lufs) ? within(wanted_lufs - lufs, -MAX_CUT_DB, MAX_LIFT_DB) : 0;
    return (float)pow(10, gain_db / 20);
}

/* Evens the loudness, then applies each piece's volume; peaks stay under the ceiling. */
static int level(const struct cp_maker *maker, struct cp_take *take)
{
    float gain = cp_levelling_gain(take->pcm, take->n_samples, maker->loudness_lufs);
    float *gains = malloc((take->n_samples + 1) * sizeof *gains);
    if (!gains)
        return CP_ERR_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < take->n_volumes; i++)
        for (; at < take->volumes[i].end; at++)
            gains[at] = gain * take->volumes[i].volume;
    for (; at < take->n_samples; at++)
        gains[at] = gain;
    int result = cp_apply_gain(take->pcm, take->n_samples, gains, CP_LEVEL_CEILING);
    free(gains);
    return result;
}

int cp_take_finish(struct cp_take *take, const struct cp_script *script, int sentence, const char *voice_id,
                   float breath_rms, struct cp_utterance **ret_utterance)
{
    const struct cp_sentence *range = &script->sentences[sentence];
    char *text = strndup(script->text + range->start, (size_t)(range->end - range->start));
    struct cp_utterance *utterance =
        text ? cp_utterance_create((int32_t)take->n_samples, cp_take_max_marks(take, script), text) : NULL;
    free(text);
    if (!utterance)
        return CP_ERR_NOMEM;
    if (cp_measure_prosody(take->pcm, take->n_samples, utterance->prosody)) {
        cp_ref_drop(utterance);
        return CP_ERR_NOMEM;
    }
    if (breath_rms > 0)
        cp_take_breathe(take, breath_rms);
    cp_to_16_bit(take->pcm, take->n_samples, utterance->pcm);
    utterance->sentence = sentence;
    utterance->text_start = range->start;
    utterance->text_end = range->end;
    snprintf(utterance->voice, sizeof utterance->voice, "%s", voice_id);
    cp_take_write_marks(take, script, sentence, utterance);
    utterance->made_ns = cp_clock_now_ns();
    *ret_utterance = utterance;
    return 0;
}

int cp_make_utterance(struct cp_maker *maker, const struct cp_make_request *request,
                      struct cp_utterance **ret_utterance, struct cp_error *error)
{
    CP_ASSERT_THREAD("speech");
    struct cp_take take = {0};
    struct cp_pause behind;
    int result = perform(maker, request, &take, &behind, error);
    if (!result) {
        result = CP_ERR_NOMEM;
        if (!raise_question(request, &take) && !cp_take_add_pause(&take, behind.ms, behind.breath) &&
            !level(maker, &take)) {
            float breath =
                (float)(maker->breath * request->volume * pow(10, (maker->loudness_lufs + BREATH_DB) / 20));
            result = cp_take_finish(&take, request->script, request->sentence, request->voice_id, breath,
                                    ret_utterance);
        }
        if (result)
            cp_fail(error, result, STAGE, "Out of memory.");
    }
    cp_take_free(&take);
    return result;
}
