/* Who speaks: finding a voice by id, by language, or by the language that the text shows. */
#include "speech/speech_int.h"

#include "speech/reading/detect.h"
#include "speech/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STAGE "speech"

const struct cp_voice *cp_speech_voices(const struct cp_speech *speech, int *ret_n)
{
    *ret_n = speech->n_voices;
    return speech->voices;
}

int cp_speech_engine_of(const char *voice_id)
{
    size_t length = strcspn(voice_id, ":");
    for (size_t i = 0; i < cp_speech_n_providers; i++)
        if (strlen(cp_speech_providers[i]->name) == length &&
            !strncmp(cp_speech_providers[i]->name, voice_id, length))
            return (int)i;
    return -1;
}

/* --- by id --- */

static int least(int a, int b, int c)
{
    int smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Levenshtein distance of short names, case ignored. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    int row[LONGEST + 1];
    size_t n = strnlen(b, LONGEST);
    for (size_t k = 0; k <= n; k++)
        row[k] = (int)k;
    for (size_t i = 0; a[i] && i < LONGEST; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t k = 1; k <= n; k++) {
            int cost = strncasecmp(&a[i], &b[k - 1], 1) != 0;
            int value = least(row[k] + 1, row[k - 1] + 1, diagonal + cost);
            diagonal = row[k];
            row[k] = value;
        }
    }
    return row[n];
}

/* A wrong engine name costs little when the rest fits: "festival:slt" is near to "flite:slt". */
static int unlikeness(const char *wanted, const struct cp_voice *voice)
{
    const char *colon = strchr(wanted, ':');
    const char *bare = strchr(voice->id, ':') + 1;
    int whole = distance(wanted, voice->id);
    int tail = 1 + distance(colon ? colon + 1 : wanted, bare);
    return whole < tail ? whole : tail;
}

static void name_close_ones(const struct cp_speech *speech, const char *wanted, char *text, size_t capacity)
{
    enum { SHOWN = 4 };
    const struct cp_voice *best[SHOWN] = {0};
    int score[SHOWN];
    for (int i = 0; i < speech->n_voices; i++) {
        int unlike = unlikeness(wanted, &speech->voices[i]);
        for (int at = 0; at < SHOWN; at++) {
            if (best[at] && score[at] <= unlike)
                continue;
            memmove(best + at + 1, best + at, (size_t)(SHOWN - 1 - at) * sizeof(struct cp_voice *));
            memmove(score + at + 1, score + at, (size_t)(SHOWN - 1 - at) * sizeof *score);
            best[at] = &speech->voices[i];
            score[at] = unlike;
            break;
        }
    }
    size_t used = 0;
    for (int i = 0; i < SHOWN && best[i] && used < capacity; i++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%s", i ? ", " : "", best[i]->id);
}

static int find_by_id(const struct cp_speech *speech, const char *id, const struct cp_voice **ret_voice,
                      struct cp_error *error)
{
    for (int i = 0; i < speech->n_voices; i++) {
        if (!strcasecmp(speech->voices[i].id, id)) {
            *ret_voice = &speech->voices[i];
            return 0;
        }
    }
    char close[200] = "none";
    name_close_ones(speech, id, close, sizeof close);
    return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice '%.60s'; close ones are %s.", id,
                   close);
}

/* --- by language --- */

/* Tags that people write, and what the engines' voices are tagged with. */
static const struct {
    const char *tag, *voice_tag;
} SYNONYM[] = {
    {"cmn", "zh"},       {"zh-hans", "zh"}, {"zh-hant", "zh"}, {"zh-cn", "zh"}, {"zh-tw", "zh"},
    {"zh-hk", "yue"},    {"zh-yue", "yue"}, {"no", "nb"},      {"nn", "nb"},    {"iw", "he"},
    {"in", "id"},        {"sh", "hr"},      {"pt-pt", "pt"},   {"es-es", "es"}, {"es-mx", "es-419"},
    {"es-us", "es-419"}, {"ji", "yi"},      {"vi-vn", "vi"},   {"pes", "fa"},
};

/* 0 no match, else better is more: same tag 3, same language 2 (a plain voice) or 1 (a regional voice). */
static int language_fit(const char *wanted, const char *offered)
{
    if (!strcasecmp(wanted, offered))
        return 3;
    size_t length = strcspn(wanted, "-_");
    if (strcspn(offered, "-") != length || strncasecmp(wanted, offered, length) != 0)
        return 0;
    return offered[length] ? 1 : 2;
}

static bool is_sex(const struct cp_voice *voice, const char *sex)
{
    return !sex || !*sex || !strcasecmp(voice->sex, sex);
}

static const char *age_of(const struct cp_voice *voice)
{
    return *voice->age ? voice->age : "adult";
}

/* The best voice of a language. A usable one before others, then the wanted sex, then the usual voice's age,
 * then the closest tag; engines list their best voice of a language first. */
static const struct cp_voice *find_by_language(const struct cp_speech *speech, const char *language,
                                               const char *usual, const char *sex)
{
    for (size_t i = 0; i < sizeof SYNONYM / sizeof *SYNONYM; i++)
        if (!strcasecmp(language, SYNONYM[i].tag))
            language = SYNONYM[i].voice_tag;
    /* the usual voice wins its whole language ("en-GB" too): one presenter keeps one voice */
    const struct cp_voice *best = NULL;
    if (!find_by_id(speech, usual, &best, NULL) && best->usable && language_fit(language, best->language) &&
        is_sex(best, sex))
        return best;
    const char *age = best ? age_of(best) : "adult";
    best = NULL;
    int best_score = 0;
    for (int i = 0; i < speech->n_voices; i++) {
        const struct cp_voice *voice = &speech->voices[i];
        int fit = language_fit(language, voice->language), same_age = !strcmp(age_of(voice), age);
        int score = fit ? fit + 4 * same_age + 8 * is_sex(voice, sex) + 16 * voice->usable : 0;
        if (score > best_score) {
            best = voice;
            best_score = score;
        }
    }
    return best;
}

static int require_usable(const struct cp_voice *voice, const struct cp_voice **ret_voice,
                          struct cp_error *error)
{
    if (!voice->usable)
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "The voice %s is not usable: %s", voice->id,
                       voice->why_not);
    *ret_voice = voice;
    return 0;
}

static int find_voice(const struct cp_speech *speech, const char *voice, const char *language,
                      const char *usual, const char *sex, const struct cp_voice **ret_voice,
                      struct cp_error *error)
{
    const struct cp_voice *found = NULL;
    if (voice && *voice) {
        int result = find_by_id(speech, voice, &found, error);
        return result ? result : require_usable(found, ret_voice, error);
    }
    if (language && *language) {
        found = find_by_language(speech, language, usual, sex);
        if (!found)
            return cp_fail(error, CP_ERR_NOT_FOUND, STAGE,
                           "There is no voice for the language '%.40s'; see the list of voices.", language);
        return require_usable(found, ret_voice, error);
    }
    int result = find_by_id(speech, usual, &found, error);
    if (!result && !is_sex(found, sex))
        found = find_by_language(speech, found->language, usual, sex);
    return result ? result : require_usable(found, ret_voice, error);
}

/* --- another one when it fails --- */

const struct cp_voice *cp_speech_next_voice(const struct cp_speech *speech, const struct cp_speech_job *job,
                                            int64_t now_ns)
{
    enum { SAME_SEX = 100, SAME_AGE = 50, FIT = 10, SAME_KIND = 1, REMOTE_MS = 500 };
    const struct cp_sentence *range = &job->script.sentences[job->sentence];
    bool late = job->deadline_ns && job->deadline_ns - now_ns < REMOTE_MS * INT64_C(1000000);
    bool kind = cp_speech_providers[cp_speech_engine_of(job->wanted->id)]->apart;
    const struct cp_voice *best = NULL;
    int best_score = 0;
    for (int i = 0; i < speech->n_voices; i++) {
        const struct cp_voice *voice = &speech->voices[i];
        int fit = language_fit(job->wanted->language, voice->language), row = cp_speech_engine_of(voice->id);
        if (!fit || !voice->usable || row < 0)
            continue;
        const struct cp_speech_provider *provider = cp_speech_providers[row];
        if ((job->tried & UINT32_C(1) << row) || !cp_breaker_would_allow(&speech->breakers[row], now_ns) ||
            (late && provider->apart) ||
            (provider->readable &&
             !provider->readable(job->script.text + range->start, (size_t)(range->end - range->start))))
            continue;
        int score = fit * FIT + (provider->apart == kind) * SAME_KIND;
        score += !strcmp(voice->sex, job->wanted->sex) ? SAME_SEX : 0;
        score += !strcmp(age_of(voice), age_of(job->wanted)) ? SAME_AGE : 0;
        if (score > best_score) {
            best = voice;
            best_score = score;
        }
    }
    return best;
}

int cp_speech_find_voice(const struct cp_speech *speech, const char *voice, const char *language,
                         const struct cp_voice **ret_voice, struct cp_error *error)
{
    return find_voice(speech, voice, language, speech->config.voice, "", ret_voice, error);
}

/* --- for a text --- */

/* The presenter's own voice where it can speak, else the stage's default. */
static const char *usual_voice(const struct cp_speech *speech, const struct cp_speech_request *request)
{
    const struct cp_voice *voice;
    bool known = request->usual_voice && *request->usual_voice &&
                 !find_by_id(speech, request->usual_voice, &voice, NULL) && voice->usable;
    return known ? request->usual_voice : speech->config.voice;
}

static void set_language(char *ret_language, const char *language)
{
    snprintf(ret_language, sizeof((struct cp_script *)0)->language, "%s", language);
}

int cp_speech_choose_voice(const struct cp_speech *speech, const struct cp_speech_request *request,
                           const struct cp_script *script, const struct cp_voice **ret_voice,
                           char *ret_language, struct cp_error *error)
{
    const char *language = request->language && *request->language ? request->language : script->language;
    const char *usual = usual_voice(speech, request), *sex = request->sex;
    const struct cp_voice *voice, *other;
    bool named = request->voice && *request->voice;
    if ((!sex || !*sex) && !find_by_id(speech, usual, &voice, NULL))
        sex = voice->sex;
    int result = find_voice(speech, request->voice, language, usual, sex, &voice, error);
    if (result)
        return result;
    set_language(ret_language, *language ? language : voice->language);
    if (!*language && (!named || !*voice->language)) {
        const char *guess = cp_detect_language(script->text, script->length);
        if (guess && named)
            set_language(ret_language, guess); /* a voice of many languages */
        else if (guess && !language_fit(guess, voice->language) &&
                 !find_voice(speech, NULL, guess, usual, sex, &other, NULL)) {
            voice = other;
            set_language(ret_language, guess);
        }
    }
    const struct cp_speech_provider *provider = cp_speech_providers[cp_speech_engine_of(voice->id)];
    if (provider->readable && !provider->readable(script->text, (size_t)script->length) &&
        !cp_speech_can_switch(speech, voice, script->text, script->length))
        return cp_fail(error, CP_ERR_INVALID, STAGE,
                       "The voice %s cannot read this text's script; choose a voice of its language.",
                       voice->id);
    *ret_voice = voice;
    return 0;
}

/* --- switching within a sentence --- */

static bool is_here(const struct cp_speech_provider *provider)
{
    return !provider->apart;
}

static const struct cp_voice *find_by_name(const struct cp_speech *speech, const char *name)
{
    for (int i = 0; i < speech->n_voices; i++)
        if (!strcasecmp(speech->voices[i].id, name) || !strcasecmp(speech->voices[i].name, name))
            return &speech->voices[i];
    return NULL;
}

bool cp_speech_speaker(const struct cp_speech *speech, const struct cp_speaker *main, const char *voice,
                       const char *language, struct cp_speaker *ret_speaker)
{
    const struct cp_voice *own = find_by_name(speech, main->voice_id), *found = NULL;
    if (*voice)
        found = find_by_name(speech, voice);
    else if (own && *language && !language_fit(language, own->language))
        found = find_by_language(speech, language, own->id, own->sex);
    if (!found || !found->usable || found == own || !is_here(main->provider))
        return false;
    int row = cp_speech_engine_of(found->id);
    if (!is_here(cp_speech_providers[row]))
        return false;
    *ret_speaker =
        (struct cp_speaker){cp_speech_providers[row], speech->engines[row], found->id, found->language};
    return true;
}

bool cp_speech_can_switch(const struct cp_speech *speech, const struct cp_voice *voice, const char *text,
                          int32_t length)
{
    struct cp_run runs[CP_MAX_RUNS];
    int row = cp_speech_engine_of(voice->id);
    struct cp_speaker main = {cp_speech_providers[row], speech->engines[row], voice->id, voice->language},
                      other;
    int n = cp_runs_split(text, 0, length, voice->language, NULL, runs);
    for (int i = 0; i < n; i++)
        if (*runs[i].language && cp_speech_speaker(speech, &main, "", runs[i].language, &other))
            return true;
    return false;
}
