#include "speech/make.h"

#include "base/clock.h"
#include "base/thread.h"
#include "media/clock.h"
#include "speech/take.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE   "speech"
#define CEILING 0.87f /* -1.2 dBFS: true peak stays under -1 dBTP after rounding to 16 bit */

/* Loudness is evened within these bounds, so that a whisper of noise is not blown up. */
enum { MAX_LIFT_DB = 30, MAX_CUT_DB = 20 };

static struct cp_resampler *resampler_for(struct cp_maker *maker, int hz)
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

void cp_maker_clear(struct cp_maker *maker)
{
    for (size_t i = 0; i < sizeof(maker->resampler) / sizeof(maker->resampler)[0]; i++) {
        cp_resampler_destroy(maker->resampler[i]);
        maker->resampler[i] = NULL;
    }
    cp_sound_free(&maker->sound);
}

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static const struct cp_span *span_at(const struct cp_script *script, int32_t at)
{
    int low = 0, high = script->n_spans - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (script->spans[middle].start <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return &script->spans[low];
}

/* Where the piece that starts here ends: at the next change of prosody, the next pause, or `end`. */
static int32_t piece_end(const struct cp_script *script, const struct cp_span *span, int next_pause,
                         int32_t end)
{
    const struct cp_span *next = span + 1;
    if (next < script->spans + script->n_spans && next->start < end)
        end = next->start;
    if (next_pause < script->n_pauses && script->pauses[next_pause].at < end)
        end = script->pauses[next_pause].at;
    return end;
}

/* Blanks what nobody wants to hear: Markdown's signs, which language models like to write, and other
 * typewriter art. Engines would say "asterisk". Byte for byte, so that offsets stay. */
static void blank_markup(char *text)
{
    for (char *c = text; *c; c++) {
        bool heading = *c == '#' && (c[1] == '#' || c[1] == ' ');
        if (heading || strchr("*`_~|\\^{}[]", *c))
            *c = ' ';
    }
}

/* Speaks script bytes [start, end) into the take. */
static int add_piece(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                     int32_t start, int32_t end, struct cp_error *error)
{
    const struct cp_script *script = request->script;
    const struct cp_span *span = span_at(script, start);
    size_t length = (size_t)(end - start);
    if (!cp_text_has_words(script->text + start, length))
        return 0;
    if (request->provider->readable && !request->provider->readable(script->text + start, length))
        return 0;
    char *text = strndup(script->text + start, length);
    if (!text)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    blank_markup(text);
    struct cp_piece piece = {
        .voice = strchr(request->voice_id, ':') + 1,
        .text = text,
        .length = length,
        .rate = within(request->rate * (double)span->rate, 0.25, 4),
        .pitch = within(request->pitch * (double)span->pitch, 0.25, 4),
        .deadline_ns = request->deadline_ns,
    };
    cp_sound_clear(&maker->sound);
    int result = request->provider->speak(request->engine, &piece, request->stop, &maker->sound, error);
    free(text);
    if (result)
        return result;
    struct cp_resampler *resampler = resampler_for(maker, maker->sound.hz);
    if (!resampler)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "The voice %s makes sound at %d Hz; 8000 to 48000 are "
                       "understood.",
                       request->voice_id, maker->sound.hz);
    float volume = (float)within(request->volume * (double)span->volume, 0, 2);
    if (cp_take_add_sound(take, &maker->sound, resampler, request->provider->phones, start, volume))
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    return 0;
}

/* The sentence's pieces, with the markup's pauses between them. */
static int perform(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                   int32_t *ret_pause_behind_ms, struct cp_error *error)
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
            result = cp_take_add_silence(take, script->pauses[pause].ms);
        if (result)
            return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
        int32_t end = piece_end(script, span_at(script, at), pause, sentence->end);
        result = add_piece(maker, request, take, at, end, error);
        at = end;
    }
    int32_t behind_ms = sentence->pause_ms;
    bool explicit_pause = false;
    for (; pause < script->n_pauses && (last || script->pauses[pause].at <= sentence[1].start); pause++) {
        behind_ms = explicit_pause ? behind_ms + script->pauses[pause].ms : script->pauses[pause].ms;
        explicit_pause = true;
    }
    *ret_pause_behind_ms = behind_ms;
    return result;
}

/* Evens the loudness, then applies each piece's volume; peaks stay under the ceiling. */
static int level(const struct cp_maker *maker, struct cp_take *take)
{
    double lufs = cp_loudness_lufs(take->pcm, take->n_samples);
    double gain_db = isfinite(lufs) ? within(maker->loudness_lufs - lufs, -MAX_CUT_DB, MAX_LIFT_DB) : 0;
    float gain = (float)pow(10, gain_db / 20);
    float *gains = malloc((take->n_samples + 1) * sizeof *gains);
    if (!gains)
        return CP_ERR_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < take->n_volumes; i++)
        for (; at < take->volumes[i].end; at++)
            gains[at] = gain * take->volumes[i].volume;
    for (; at < take->n_samples; at++)
        gains[at] = gain;
    int result = cp_apply_gain(take->pcm, take->n_samples, gains, CEILING);
    free(gains);
    return result;
}

static void to_16_bit(const float *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)lrintf(fmaxf(-1, fminf(1, in[i])) * 32767);
}

int cp_make_utterance(struct cp_maker *maker, const struct cp_make_request *request,
                      struct cp_utterance **ret_utterance, struct cp_error *error)
{
    CP_ASSERT_THREAD("speech");
    const struct cp_script *script = request->script;
    const struct cp_sentence *sentence = &script->sentences[request->sentence];
    struct cp_take take = {0};
    struct cp_utterance *utterance = NULL;
    int32_t behind_ms = 0;
    int result = perform(maker, request, &take, &behind_ms, error);
    if (result)
        goto out;

    result = CP_ERR_NOMEM;
    if (cp_take_add_silence(&take, behind_ms) || level(maker, &take))
        goto out;
    char *text = strndup(script->text + sentence->start, (size_t)(sentence->end - sentence->start));
    if (text)
        utterance = cp_utterance_create((int32_t)take.n_samples, cp_take_max_marks(&take, script), text);
    free(text);
    if (!utterance)
        goto out;
    to_16_bit(take.pcm, take.n_samples, utterance->pcm);
    if (cp_measure_prosody(take.pcm, take.n_samples, utterance->prosody))
        goto out;
    utterance->sentence = request->sentence;
    utterance->text_start = sentence->start;
    utterance->text_end = sentence->end;
    snprintf(utterance->voice, sizeof utterance->voice, "%s", request->voice_id);
    cp_take_write_marks(&take, script, request->sentence, utterance);
    utterance->made_ns = cp_clock_now_ns();
    *ret_utterance = utterance;
    utterance = NULL;
    result = 0;
out:
    if (result == CP_ERR_NOMEM)
        cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    cp_ref_drop(utterance);
    cp_take_free(&take);
    return result;
}
