/*
 * Canned lines: one a language, spoken while all is well and kept, for the moment when no voice of that
 * language is left. It stands in for the sentence that nobody could say; the line then goes on.
 */
#include "speech/speech_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

static const struct {
    const char *language, *text;
} LINES[CP_CANNED_LINES] = {
    {"en", "One moment, please."},
    {"de", "Einen Augenblick, bitte."},
    {"fr", "Un instant, s'il vous plaît."},
    {"es", "Un momento, por favor."},
    {"it", "Un momento, per favore."},
    {"pt", "Um momento, por favor."},
    {"nl", "Een ogenblik, alstublieft."},
    {"pl", "Chwileczkę, proszę."},
    {"sv", "Ett ögonblick, tack."},
    {"tr", "Bir dakika, lütfen."},
    {"ru", "Одну минуту, пожалуйста."},
    {"zh", "请稍等。"},
    {"ja", "少々お待ちください。"},
    {"ko", "잠시만 기다려 주세요."},
    {"hi", "कृपया एक क्षण रुकिए।"},
    {"ar", "لحظة من فضلك."},
};

/* Compares primary subtags. */
static int line_of(const char *language)
{
    size_t length = strcspn(language, "-_");
    for (int i = 0; i < CP_CANNED_LINES; i++)
        if (strlen(LINES[i].language) == length && !strncmp(LINES[i].language, language, length))
            return i;
    return -1;
}

void cp_canned_want(struct cp_speech *speech, const char *language)
{
    int i = line_of(language);
    if (speech->config.canned && i >= 0 && speech->canned[i].state == CP_CANNED_UNSET)
        speech->canned[i].state = CP_CANNED_WANTED;
}

int cp_canned_wanted(const struct cp_speech *speech)
{
    for (int i = 0; i < CP_CANNED_LINES; i++)
        if (speech->canned[i].state == CP_CANNED_WANTED)
            return i;
    return -1;
}

/* A voice of this machine that speaks the language; the first one listed is the best. */
static const struct cp_voice *local_voice(const struct cp_speech *speech, int line)
{
    for (int i = 0; i < speech->n_voices; i++) {
        const struct cp_voice *voice = &speech->voices[i];
        if (voice->usable && line_of(voice->language) == line &&
            !cp_speech_providers[cp_speech_engine_of(voice->id)]->apart)
            return voice;
    }
    return NULL;
}

static struct cp_utterance *make(struct cp_speech *speech, struct cp_maker *maker,
                                 const struct cp_voice *voice, int line)
{
    enum { PATIENCE_MS = 2000 };
    struct cp_script script;
    struct cp_utterance *utterance = NULL;
    if (cp_script_read_text(LINES[line].text, 4096, &script, NULL))
        return NULL;
    atomic_bool stop = false;
    int row = cp_speech_engine_of(voice->id);
    const struct cp_make_request request = {.provider = cp_speech_providers[row],
                                            .engine = speech->engines[row],
                                            .voice_id = voice->id,
                                            .script = &script,
                                            .rate = 1,
                                            .pitch = 1,
                                            .volume = 1,
                                            .speech = speech,
                                            .language = voice->language,
                                            .deadline_ns = cp_clock_now_ns() + PATIENCE_MS * CP_NS_PER_MS,
                                            .stop = &stop};
    if (cp_make_utterance(maker, &request, &utterance, NULL))
        utterance = NULL;
    cp_script_free(&script);
    return utterance;
}

void cp_canned_make(struct cp_speech *speech, struct cp_maker *maker, int line)
{
    const struct cp_voice *voice = local_voice(speech, line);
    struct cp_utterance *utterance = voice ? make(speech, maker, voice, line) : NULL;
    if (!utterance)
        cp_log(CP_LOG_WARN, STAGE, "no canned line", "language=%s", LINES[line].language);
    pthread_mutex_lock(&speech->lock);
    speech->canned[line].state = utterance ? CP_CANNED_MADE : CP_CANNED_NONE;
    speech->canned[line].utterance = utterance;
    pthread_mutex_unlock(&speech->lock);
}

struct cp_utterance *cp_canned_for(struct cp_speech *speech, const struct cp_speech_job *job)
{
    int line = line_of(*job->language ? job->language : job->wanted->language);
    pthread_mutex_lock(&speech->lock);
    const struct cp_utterance *from = line >= 0 ? speech->canned[line].utterance : NULL; /* stays */
    pthread_mutex_unlock(&speech->lock);
    struct cp_utterance *utterance =
        from ? cp_utterance_create(from->n_samples, from->n_marks, from->text) : NULL;
    if (!utterance)
        return NULL;
    const struct cp_sentence *range = &job->script.sentences[job->sentence];
    memcpy(utterance->pcm, from->pcm, (size_t)from->n_samples * sizeof *from->pcm);
    memcpy(utterance->prosody, from->prosody, from->n_prosody * sizeof *from->prosody);
    utterance->sentence = job->sentence;
    utterance->text_start = range->start;
    utterance->text_end = range->end;
    utterance->made_ns = cp_clock_now_ns();
    snprintf(utterance->voice, sizeof utterance->voice, "canned:%s", LINES[line].language);
    for (size_t i = 0; i < from->n_marks; i++) {
        struct cp_mark mark = from->marks[i];
        if (mark.type == CP_MARK_WORD)
            continue; /* it is none of the sentence's */
        mark.start = range->start;
        mark.end = mark.type == CP_MARK_SENTENCE ? range->end : range->start;
        utterance->marks[utterance->n_marks++] = mark;
    }
    return utterance;
}

void cp_canned_clear(struct cp_speech *speech)
{
    for (int i = 0; i < CP_CANNED_LINES; i++)
        cp_ref_drop(speech->canned[i].utterance);
}
