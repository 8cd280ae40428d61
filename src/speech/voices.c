/* Who speaks: finding a voice by id, by language, or by the script that the text is written in. */
#include "speech/speech_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

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

static const struct cp_voice *find_by_language(const struct cp_speech *speech, const char *language)
{
    for (size_t i = 0; i < sizeof SYNONYM / sizeof *SYNONYM; i++)
        if (!strcasecmp(language, SYNONYM[i].tag))
            language = SYNONYM[i].voice_tag;
    /* the default voice wins its whole language ("en-GB" too): one presenter keeps one voice */
    const struct cp_voice *best;
    if (!find_by_id(speech, speech->config.voice, &best, NULL) && best->usable &&
        language_fit(language, best->language))
        return best;
    best = NULL;
    int best_fit = 0;
    for (int i = 0; i < speech->n_voices; i++) {
        const struct cp_voice *voice = &speech->voices[i];
        /* engines list their best voice of a language first */
        int fit = 2 * language_fit(language, voice->language);
        if (fit)
            fit += voice->usable;
        if (fit > best_fit) {
            best = voice;
            best_fit = fit;
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

int cp_speech_find_voice(const struct cp_speech *speech, const char *voice, const char *language,
                         const struct cp_voice **ret_voice, struct cp_error *error)
{
    const struct cp_voice *found = NULL;
    if (voice && *voice) {
        int result = find_by_id(speech, voice, &found, error);
        return result ? result : require_usable(found, ret_voice, error);
    }
    if (language && *language) {
        found = find_by_language(speech, language);
        if (!found)
            return cp_fail(error, CP_ERR_NOT_FOUND, STAGE,
                           "There is no voice for the language '%.40s'; see the list of voices.", language);
        return require_usable(found, ret_voice, error);
    }
    int result = find_by_id(speech, speech->config.voice, &found, error);
    return result ? result : require_usable(found, ret_voice, error);
}

/* --- another one when it fails --- */

const struct cp_voice *cp_speech_next_voice(const struct cp_speech *speech, const struct cp_speech_job *job,
                                            int64_t now_ns)
{
    enum { SAME_SEX = 100, FIT = 10, NEAR = 1, REMOTE_MS = 250 };
    const struct cp_sentence *range = &job->script.sentences[job->sentence];
    bool late = job->deadline_ns && job->deadline_ns - now_ns < REMOTE_MS * INT64_C(1000000);
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
        int score = fit * FIT + !provider->apart * NEAR;
        score += !strcmp(voice->sex, job->wanted->sex) ? SAME_SEX : 0;
        if (score > best_score) {
            best = voice;
            best_score = score;
        }
    }
    return best;
}

/* --- by script --- */

static const struct {
    UScriptCode script;
    const char *language;
} SCRIPT_LANGUAGE[] = {
    {USCRIPT_HIRAGANA, "ja"}, {USCRIPT_KATAKANA, "ja"},   {USCRIPT_HANGUL, "ko"},   {USCRIPT_HAN, "zh"},
    {USCRIPT_CYRILLIC, "ru"}, {USCRIPT_GREEK, "el"},      {USCRIPT_ARABIC, "ar"},   {USCRIPT_HEBREW, "he"},
    {USCRIPT_THAI, "th"},     {USCRIPT_DEVANAGARI, "hi"}, {USCRIPT_BENGALI, "bn"},  {USCRIPT_TAMIL, "ta"},
    {USCRIPT_TELUGU, "te"},   {USCRIPT_GEORGIAN, "ka"},   {USCRIPT_ARMENIAN, "hy"}, {USCRIPT_GUJARATI, "gu"},
};
#define N_SCRIPTS (sizeof SCRIPT_LANGUAGE / sizeof *SCRIPT_LANGUAGE)

/* The likeliest language of a text by its letters; NULL when none of the table's scripts is in it. Kana
 * decides for Japanese, since its Han signs would outvote it. */
static const char *language_of(const char *text, int32_t length)
{
    int count[N_SCRIPTS] = {0};
    for (int32_t i = 0; i < length;) {
        UChar32 c;
        UErrorCode status = U_ZERO_ERROR;
        U8_NEXT((const uint8_t *)text, i, length, c);
        UScriptCode script = uscript_getScript(c, &status);
        for (size_t k = 0; k < N_SCRIPTS; k++)
            count[k] += script == SCRIPT_LANGUAGE[k].script;
    }
    if (count[0] + count[1] > 0)
        return "ja";
    size_t best = 0;
    for (size_t k = 1; k < N_SCRIPTS; k++)
        if (count[k] > count[best])
            best = k;
    return count[best] ? SCRIPT_LANGUAGE[best].language : NULL;
}

int cp_speech_choose_voice(const struct cp_speech *speech, const struct cp_speech_request *request,
                           const struct cp_script *script, const struct cp_voice **ret_voice,
                           struct cp_error *error)
{
    const char *language = request->language && *request->language ? request->language : script->language;
    const struct cp_voice *voice;
    int result = cp_speech_find_voice(speech, request->voice, language, &voice, error);
    if (result)
        return result;
    const struct cp_speech_provider *provider = cp_speech_providers[cp_speech_engine_of(voice->id)];
    if (provider->readable && !provider->readable(script->text, (size_t)script->length)) {
        bool free_choice = (!request->voice || !*request->voice) && !*language;
        const char *guess = language_of(script->text, script->length);
        if (!free_choice || !guess)
            return cp_fail(error, CP_ERR_INVALID, STAGE,
                           "The voice %s cannot read this text's script; choose a voice of its language.",
                           voice->id);
        result = cp_speech_find_voice(speech, NULL, guess, &voice, error);
        if (result)
            return result;
    }
    *ret_voice = voice;
    return 0;
}
