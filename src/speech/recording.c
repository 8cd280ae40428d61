/*
 * Recordings of people: a sound file becomes sentences with sound and marks, as if a voice had spoken them.
 * With its text it is aligned to it and cut in the pauses between the sentences; without, it is one sentence
 * whose mouth shapes are guessed from the sound.
 */
#include "speech/align/align.h"
#include "speech/decode.h"
#include "speech/make.h"
#include "speech/reading/detect.h"
#include "speech/speech_int.h"
#include "speech/take.h"

#include "media/clock.h"

#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

/* The whole recording while it is cut. */
struct tape {
    struct cp_decoded sound;
    struct cp_sound copy; /* 16 bit, with the events */
    enum cp_phone_set phones;
    struct cp_script script;
    int32_t *ends; /* of the sentences: samples; a sentence that was not heard ends where it begins */
};

static void free_tape(struct tape *tape)
{
    free(tape->sound.samples);
    cp_sound_free(&tape->copy);
    cp_script_free(&tape->script);
    free(tape->ends);
}

/* One gain for all of it: what is louder stays louder. */
static int level(struct tape *tape, double loudness_lufs)
{
    const size_t n = tape->sound.n;
    float gain = cp_levelling_gain(tape->sound.samples, n, loudness_lufs);
    float *gains = malloc((n + 1) * sizeof *gains);
    if (!gains)
        return CP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        gains[i] = gain;
    int result = cp_apply_gain(tape->sound.samples, n, gains, CP_LEVEL_CEILING);
    free(gains);
    return result;
}

static int copy_16_bit(struct tape *tape)
{
    int16_t block[4096];
    int result = 0;
    tape->copy.hz = CP_SAMPLE_HZ;
    for (size_t at = 0; at < tape->sound.n && !result;) {
        size_t n = 0;
        for (; n < sizeof block / sizeof *block && at < tape->sound.n; n++, at++)
            block[n] = (int16_t)(tape->sound.samples[at] * 32767);
        result = cp_sound_add_pcm(&tape->copy, block, n);
    }
    return result;
}

/* A sentence ends in the middle of the silence between its last word and the next one that was heard. */
static int find_ends(struct tape *tape)
{
    const struct cp_script *script = &tape->script;
    tape->ends = calloc((size_t)script->n_sentences + 1, sizeof *tape->ends);
    if (!tape->ends)
        return CP_ERR_NOMEM;
    int at = 0;
    int32_t word_end = 0;
    for (size_t i = 0; i < tape->copy.n_events; i++) {
        const struct cp_sound_event *event = &tape->copy.events[i];
        if (event->type != CP_SOUND_WORD)
            continue;
        for (; at + 1 < script->n_sentences && event->start >= script->sentences[at].end; at++)
            tape->ends[at] = word_end ? word_end + (event->at - word_end) / 2 : 0;
        word_end = event->at + event->length;
    }
    for (; at < script->n_sentences; at++)
        tape->ends[at] = (int32_t)tape->sound.n;
    return 0;
}

static int add_events(const struct tape *tape, int32_t from, int32_t to, struct cp_take *take)
{
    take->events = calloc(tape->copy.n_events + 1, sizeof *take->events);
    if (!take->events)
        return CP_ERR_NOMEM;
    take->event_capacity = tape->copy.n_events + 1;
    for (size_t i = 0; i < tape->copy.n_events; i++) {
        const struct cp_sound_event *event = &tape->copy.events[i];
        if (event->at < from || event->at >= to)
            continue;
        int32_t length = event->length < to - event->at ? event->length : to - event->at;
        struct cp_take_event *copy = &take->events[take->n_events++];
        *copy = (struct cp_take_event){event->type,  tape->phones, event->at - from, length,
                                       event->start, event->end,   event->stress,    ""};
        memcpy(copy->name, event->name, sizeof copy->name);
        if (event->type == CP_SOUND_PHONE && *event->name && copy->at + length > take->sound_end)
            take->sound_end = copy->at + length;
    }
    if (!take->sound_end)
        take->sound_end = to - from;
    return 0;
}

static int cut_out(const struct tape *tape, int sentence, int32_t from, struct cp_utterance **ret_utterance)
{
    const int32_t to = tape->ends[sentence];
    struct cp_take take = {.n_samples = (size_t)(to - from), .capacity = (size_t)(to - from)};
    take.pcm = malloc((take.n_samples + 1) * sizeof *take.pcm);
    int result = take.pcm ? add_events(tape, from, to, &take) : CP_ERR_NOMEM;
    if (!result) {
        memcpy(take.pcm, tape->sound.samples + from, take.n_samples * sizeof *take.pcm);
        result = cp_take_finish(&take, &tape->script, sentence, CP_RECORDING_VOICE, 0, ret_utterance);
    }
    cp_take_free(&take);
    return result;
}

static int cut(const struct tape *tape, struct cp_utterance ***ret_utterances, int *ret_n)
{
    struct cp_utterance **utterances = calloc((size_t)tape->script.n_sentences, sizeof *utterances);
    int n = 0, result = utterances ? 0 : CP_ERR_NOMEM;
    int32_t from = 0;
    for (int i = 0; i < tape->script.n_sentences && !result; i++) {
        if (tape->ends[i] <= from)
            continue;
        result = cut_out(tape, i, from, &utterances[n]);
        from = tape->ends[i];
        if (!result) {
            utterances[n]->sentence = n;
            n++;
        }
    }
    if (result) {
        cp_utterances_drop(utterances, n);
        return result;
    }
    utterances[n - 1]->last = true;
    *ret_utterances = utterances;
    *ret_n = n;
    return 0;
}

/* Words and phones of a recording with its text; shapes from the sound otherwise. */
static int find_marks(struct tape *tape, const struct cp_speech_config *config,
                      const struct cp_recording *recording, bool known, struct cp_error *error)
{
    const char *language = recording->language;
    if (known && (!language || !*language))
        language = cp_detect_language(tape->script.text, tape->script.length);
    struct cp_aligner *aligner = cp_aligner_create(config);
    if (!aligner)
        return CP_ERR_NOMEM;
    const struct cp_align_request request = {.language = language ? language : "en",
                                             .text = known ? tape->script.text : NULL,
                                             .length = known ? (size_t)tape->script.length : 0};
    int result = cp_align(aligner, &request, &tape->copy, &tape->phones, error);
    cp_aligner_destroy(aligner);
    return result;
}

void cp_utterances_drop(struct cp_utterance **utterances, int n)
{
    for (int i = 0; i < n; i++)
        cp_ref_drop(utterances[i]);
    free(utterances);
}

/* The caption, and the sound. */
static int read_tape(struct tape *tape, const struct cp_speech_config *config,
                     const struct cp_recording *recording, bool known, struct cp_error *error)
{
    int result = cp_script_read_text(known ? recording->text : recording->title,
                                     (size_t)config->max_text_bytes, &tape->script, error);
    if (result)
        return result;
    if (!known) { /* nobody knows which sentence is said when */
        tape->script.sentences[0].end = tape->script.sentences[tape->script.n_sentences - 1].end;
        tape->script.n_sentences = 1;
    }
    result = cp_sound_decode(recording->bytes, recording->length, CP_SOUND_MAX_S, &tape->sound, error);
    if (!result && tape->sound.n < CP_SAMPLE_HZ / 10)
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "The recording is shorter than a tenth of a second.");
    return result;
}

int cp_speech_record(const struct cp_speech *speech, const struct cp_recording *recording,
                     struct cp_utterance ***ret_utterances, int *ret_n, struct cp_error *error)
{
    const struct cp_speech_config *config = &speech->config;
    const bool known = recording->text && *recording->text;
    struct tape tape = {0};
    int result = read_tape(&tape, config, recording, known, error);
    if (result) {
        free_tape(&tape);
        return result;
    }
    if ((result = level(&tape, config->loudness_lufs)) || (result = copy_16_bit(&tape)) ||
        (result = find_marks(&tape, config, recording, known, error)) || (result = find_ends(&tape)) ||
        (result = cut(&tape, ret_utterances, ret_n)))
        cp_fail(error, result, STAGE, "Out of memory.");
    free_tape(&tape);
    return result;
}
