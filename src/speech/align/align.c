#include "speech/align/align.h"

#include "base/log.h"
#include "speech/align/dtw.h"
#include "speech/align/mouth_shapes.h"
#include "speech/engines/espeak.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STAGE "speech"

enum { MAX_VOICES = 512 };
/* What espeak-ng gets: many times what it needs, yet a hung one must not hold up a line on air for long. */
enum { SPEAK_MS = 300, SPEAK_MS_A_BYTE = 1 };
#define TOP_HZ       7200.0f /* what phones differ in lies below */
#define NYQUIST_PART 0.48f   /* of the lower rate, where the other has nothing */
/* A reference this much slower or faster is spoken again at the sound's own tempo. */
#define SAME_TEMPO 1.2

struct cp_aligner {
    const struct cp_speech_config *config;
    bool opened;
    void *engine;
    struct cp_voice *voices;
    int n_voices;
    struct cp_sound spoken; /* the reference while it is made */
};

/* A reference that has been laid over the sound. */
struct match {
    struct cp_features features;
    float *place; /* each of its frames in the sound's */
    float cost;
    struct cp_sound_event *events;
    size_t n_events;
    int hz;
};

struct cp_aligner *cp_aligner_create(const struct cp_speech_config *config)
{
    struct cp_aligner *aligner = calloc(1, sizeof *aligner);
    if (aligner)
        aligner->config = config;
    return aligner;
}

void cp_aligner_destroy(struct cp_aligner *aligner)
{
    if (!aligner)
        return;
    cp_espeak_provider.close(aligner->engine);
    free(aligner->voices);
    cp_sound_free(&aligner->spoken);
    free(aligner);
}

bool cp_align_needed(const struct cp_sound *sound)
{
    for (size_t i = 0; i < sound->n_events; i++)
        if (sound->events[i].type == CP_SOUND_PHONE)
            return false;
    return sound->n_samples > 0;
}

/* --- references --- */

static void require_engine(struct cp_aligner *aligner)
{
    if (aligner->opened || !aligner->config)
        return;
    aligner->opened = true;
    struct cp_error why = {0};
    aligner->voices = calloc(MAX_VOICES, sizeof *aligner->voices);
    if (!aligner->voices || cp_espeak_provider.open(aligner->config, &aligner->engine, &why))
        cp_log(CP_LOG_WARN, STAGE, "no alignment", "error=\"%s\"", why.text);
    else
        aligner->n_voices = cp_espeak_provider.voices(aligner->engine, aligner->voices, MAX_VOICES);
}

/* The voice of the language and sex: of the same region, else of the one with the plainest name ("en-gb"
 * before "en-gb-scotland" and "en-029"). NULL when there is none. */
static const struct cp_voice *find_voice(const struct cp_aligner *aligner, const char *language,
                                         const char *sex)
{
    const struct cp_voice *near = NULL;
    size_t primary = strcspn(language, "-");
    for (int i = 0; i < aligner->n_voices; i++) {
        const struct cp_voice *voice = &aligner->voices[i];
        if (!voice->usable || strcmp(voice->sex, sex) != 0)
            continue;
        if (!strcasecmp(voice->language, language))
            return voice;
        bool related =
            strcspn(voice->language, "-") == primary && !strncasecmp(voice->language, language, primary);
        if (related && (!near || strlen(voice->language) < strlen(near->language)))
            near = voice;
    }
    return primary ? near : NULL;
}

static void free_match(struct match *match)
{
    cp_features_free(&match->features);
    free(match->place);
    free(match->events);
    *match = (struct match){.cost = FLT_MAX};
}

static float top_of(int hz)
{
    float top = NYQUIST_PART * (float)hz;
    return top < TOP_HZ ? top : TOP_HZ;
}

/* Speaks the text and measures it. CP_ERR_UNAVAILABLE for whatever is espeak-ng's fault. */
static int speak_reference(struct cp_aligner *aligner, const struct cp_align_request *request,
                           const struct cp_voice *voice, double rate, float top_hz, struct match *match)
{
    static const atomic_bool never = false;
    struct cp_piece piece = {
        .voice = strchr(voice->id, ':') + 1,
        .text = request->text,
        .length = request->length,
        .rate = rate,
        .pitch = 1,
        .range = 1,
    };
    struct cp_sound *spoken = &aligner->spoken;
    struct cp_error why = {0};
    cp_sound_clear(spoken);
    cp_espeak_set_deadline_ms(aligner->engine, SPEAK_MS + SPEAK_MS_A_BYTE * (int64_t)request->length);
    int result = cp_espeak_provider.speak(aligner->engine, &piece, request->stop ? request->stop : &never,
                                          spoken, &why);
    if (result == CP_ERR_CANCELLED || result == CP_ERR_NOMEM)
        return result;
    if (result || !spoken->n_samples || !spoken->n_events)
        return CP_ERR_UNAVAILABLE;
    free_match(match);
    match->hz = spoken->hz;
    return cp_features_measure(spoken->pcm, spoken->n_samples, spoken->hz, top_hz, &match->features);
}

/* One voice's reference, at the sound's tempo, laid over the sound. */
static int try_voice(struct cp_aligner *aligner, const struct cp_align_request *request,
                     const struct cp_voice *voice, const struct cp_features *sound, float top_hz,
                     struct match *match)
{
    int result = speak_reference(aligner, request, voice, 1, top_hz, match);
    double tempo = !result && sound->n ? (double)match->features.n / sound->n : 1;
    if (!result && (tempo > SAME_TEMPO || tempo < 1 / SAME_TEMPO))
        result = speak_reference(aligner, request, voice, fmin(4, fmax(0.25, tempo)), top_hz, match);
    if (result)
        return result;
    if (!match->features.n)
        return CP_ERR_UNAVAILABLE;
    size_t n_events = aligner->spoken.n_events;
    match->place = malloc((size_t)match->features.n * sizeof *match->place);
    match->events = malloc(n_events * sizeof *match->events);
    if (!match->place || !match->events)
        return CP_ERR_NOMEM;
    memcpy(match->events, aligner->spoken.events, n_events * sizeof *match->events);
    match->n_events = n_events;
    result = cp_dtw(sound, &match->features, request->stop, match->place, &match->cost);
    return result == CP_ERR_LIMIT ? CP_ERR_UNAVAILABLE : result;
}

/* --- from the reference's time to the sound's --- */

/* In steps of the sound. */
static double to_sound(const struct match *match, const struct cp_features *sound, double step)
{
    int low = 0, high = match->features.n - 1;
    while (low < high) { /* the last frame that begins no later */
        int middle = (low + high + 1) / 2;
        if (match->features.step[middle] <= step)
            low = middle;
        else
            high = middle - 1;
    }
    double part = fmin(1, fmax(0, step - match->features.step[low]));
    double next = low + 1 < match->features.n ? (double)match->place[low + 1] : sound->n;
    double place = (double)match->place[low] + part * (next - (double)match->place[low]);
    int i = (int)place < sound->n ? (int)place : sound->n - 1;
    double rest = place - i;
    /* within a pause that was shortened: near the end that is nearer */
    if (i + 1 < sound->n && sound->step[i + 1] > sound->step[i] + 1 && rest > 0.5)
        return sound->step[i + 1] - (1 - rest);
    return sound->step[i] + fmin(rest, 1);
}

/* The first pause that was shortened between two steps of the sound; false when there is none. */
static bool find_pause(const struct cp_features *sound, double from, double to, double *ret_start,
                       double *ret_end)
{
    for (int i = 0; i + 1 < sound->n; i++) {
        if (sound->step[i + 1] > to)
            return false;
        if (sound->step[i] + 1 > from && sound->step[i + 1] > sound->step[i] + 1) {
            *ret_start = sound->step[i];
            *ret_end = sound->step[i + 1];
            return true;
        }
    }
    return false;
}

/* --- events --- */

static int add_stretch(struct cp_sound *sound, struct cp_sound_event phone, double from, double to)
{
    double samples = (double)sound->hz * CP_FEATURE_HOP_MS / 1000;
    phone.at = (int32_t)lrint(from * samples);
    phone.length = (int32_t)lrint(to * samples) - phone.at;
    return phone.length > 0 ? cp_sound_add_event(sound, &phone) : 0;
}

/* A phone, from..to in steps. Where the speaker paused and the reference did not, it stands on the side where
 * more of it is, and the rest is a pause. */
static int add_phone(struct cp_sound *sound, const struct cp_features *features,
                     const struct cp_sound_event *phone, double from, double to)
{
    static const struct cp_sound_event PAUSE = {.type = CP_SOUND_PHONE};
    double start, end;
    if (!*phone->name || !find_pause(features, from, to, &start, &end))
        return add_stretch(sound, *phone, from, to);
    bool before = start - from >= to - end;
    int result = add_stretch(sound, before ? *phone : PAUSE, from, before ? start : end);
    return result ? result : add_stretch(sound, before ? PAUSE : *phone, before ? start : end, to);
}

/* A word that warping has squeezed to nothing keeps one step, inside the sound. */
static void place_word(const struct cp_sound *sound, double from, double to, double least,
                       struct cp_sound_event *word)
{
    double end = (double)sound->n_samples;
    from = fmax(fmin(from, end - least), 0);
    to = fmin(fmax(to, from + least), end);
    word->at = (int32_t)lrint(from);
    word->length = (int32_t)lrint(to) - word->at;
}

/* Adds the match's events at the sound's times. */
static int add_events(const struct match *match, const struct cp_features *features, struct cp_sound *sound)
{
    bool words = sound->n_events == 0;
    double samples = (double)sound->hz * CP_FEATURE_HOP_MS / 1000;
    double steps = 1000.0 / CP_FEATURE_HOP_MS / match->hz;
    int result = 0;
    for (size_t i = 0; i < match->n_events && !result; i++) {
        struct cp_sound_event event = match->events[i];
        double from = to_sound(match, features, event.at * steps);
        double to = to_sound(match, features, ((double)event.at + event.length) * steps);
        if (event.type == CP_SOUND_PHONE) {
            result = add_phone(sound, features, &event, from, to);
        } else if (words) {
            place_word(sound, from * samples, to * samples, samples, &event);
            result = cp_sound_add_event(sound, &event);
        }
    }
    if (!result && !words)
        qsort(sound->events, sound->n_events, sizeof *sound->events, cp_sound_by_time);
    return result;
}

/* CP_ERR_UNAVAILABLE when espeak-ng cannot help. */
static int align_by_text(struct cp_aligner *aligner, const struct cp_align_request *request,
                         struct cp_sound *sound)
{
    static const char *const SEXES[] = {"female", "male"};
    require_engine(aligner);
    struct cp_features features = {0};
    struct match best = {.cost = FLT_MAX}, other = {.cost = FLT_MAX};
    float top_hz = top_of(sound->hz);
    int result = cp_features_measure(sound->pcm, sound->n_samples, sound->hz, top_hz, &features);
    if (!result && !features.n)
        result = CP_ERR_UNAVAILABLE;
    for (size_t i = 0; i < sizeof SEXES / sizeof *SEXES && !result; i++) {
        const struct cp_voice *voice = find_voice(aligner, request->language, SEXES[i]);
        if (!voice)
            continue;
        result = try_voice(aligner, request, voice, &features, top_hz, &other);
        if (!result && other.cost < best.cost) {
            struct match swapped = best;
            best = other;
            other = swapped;
        }
        free_match(&other);
    }
    if (result == CP_ERR_UNAVAILABLE && best.place)
        result = 0; /* one of the two is enough */
    if (!result)
        result = best.place ? add_events(&best, &features, sound) : CP_ERR_UNAVAILABLE;
    free_match(&best);
    free_match(&other);
    cp_features_free(&features);
    return result == CP_ERR_LIMIT ? CP_ERR_UNAVAILABLE : result;
}

int cp_align(struct cp_aligner *aligner, const struct cp_align_request *request, struct cp_sound *sound,
             enum cp_phone_set *ret_phones, struct cp_error *error)
{
    size_t before = sound->n_events;
    enum cp_phone_set phones = CP_PHONES_IPA;
    int result = CP_ERR_UNAVAILABLE;
    if (request->text && request->language && *request->language)
        result = align_by_text(aligner, request, sound);
    if (result == CP_ERR_UNAVAILABLE) {
        phones = CP_PHONES_SHAPES;
        sound->n_events = before;
        result = cp_mouth_shapes_add(sound);
    }
    if (result) {
        sound->n_events = before;
        return cp_fail(error, result, STAGE, "The sound could not be aligned to its text (%s).",
                       cp_err_name(result));
    }
    *ret_phones = phones;
    return 0;
}
