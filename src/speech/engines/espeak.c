/*
 * espeak-ng: some 130 languages, 1000 times faster than real time, but not thread-safe and not safe from
 * crashing; so it is a voice program (program.h) that lies beside this one.
 */
#include "speech/engines/espeak.h"

#include "speech/engines/program.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A sentence takes 20 ms. */
enum { SENTENCE_MS = 2000 };

/* Languages that are shown as unusable when the worker could not be asked. */
static const struct {
    const char *tag, *name;
} EXPECTED[] = {
    {"ar", "Arabic"},    {"bg", "Bulgarian"},  {"ca", "Catalan"},
    {"cs", "Czech"},     {"da", "Danish"},     {"de", "German"},
    {"el", "Greek"},     {"es", "Spanish"},    {"et", "Estonian"},
    {"fa", "Persian"},   {"fi", "Finnish"},    {"fr", "French"},
    {"he", "Hebrew"},    {"hi", "Hindi"},      {"hr", "Croatian"},
    {"hu", "Hungarian"}, {"id", "Indonesian"}, {"it", "Italian"},
    {"ja", "Japanese"},  {"ko", "Korean"},     {"nb", "Norwegian"},
    {"nl", "Dutch"},     {"pl", "Polish"},     {"pt", "Portuguese"},
    {"ro", "Romanian"},  {"ru", "Russian"},    {"sk", "Slovak"},
    {"sv", "Swedish"},   {"th", "Thai"},       {"tr", "Turkish"},
    {"uk", "Ukrainian"}, {"vi", "Vietnamese"}, {"zh", "Chinese (Mandarin)"},
};
enum { N_EXPECTED = sizeof EXPECTED / sizeof *EXPECTED };

/* The worker lies beside the program when installed, and in its own folder of the build tree. */
static void find_worker(const char *configured, char *path, size_t capacity)
{
    static const char *const PLACES[] = {"compere-espeak", "../libexec/compere/compere-espeak",
                                         "../speech/worker/compere-espeak"};
    snprintf(path, capacity, "%s", configured);
    char self[PATH_MAX / 2];
    ssize_t length = *configured ? -1 : readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        snprintf(path, capacity, "%s/%s", self, PLACES[i]);
        if (!access(path, X_OK))
            return;
    }
    snprintf(path, capacity, "%s/%s", self, PLACES[0]);
}

static int espeak_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    char path[PATH_MAX];
    find_worker(config->worker, path, sizeof path);
    const char *const words[] = {path, NULL};
    struct cp_program *program = NULL;
    int result = cp_program_create(&(struct cp_program_config){.name = "espeak",
                                                               .engine = "espeak-ng",
                                                               .id_prefix = "espeak:",
                                                               .words = words,
                                                               .sentence_ms = SENTENCE_MS,
                                                               .quick = true},
                                   &program, error);
    if (!result)
        *ret_engine = program;
    return result;
}

static void espeak_close(void *engine)
{
    cp_program_destroy(engine);
}

static int espeak_voices(void *engine, struct cp_voice *voices, int capacity)
{
    int n;
    const struct cp_voice *from = cp_program_voices(engine, &n);
    n = n < capacity ? n : capacity;
    if (n)
        memcpy(voices, from, (size_t)n * sizeof *voices);
    const char *why_not = cp_program_why_not(engine);
    for (; *why_not && n < N_EXPECTED && n < capacity; n++) {
        struct cp_voice *voice = &voices[n];
        *voice = (struct cp_voice){.engine = "espeak-ng", .sex = "female"};
        snprintf(voice->id, sizeof voice->id, "espeak:%s", EXPECTED[n].tag);
        snprintf(voice->name, sizeof voice->name, "%s", EXPECTED[n].name);
        snprintf(voice->language, sizeof voice->language, "%s", EXPECTED[n].tag);
        snprintf(voice->why_not, sizeof voice->why_not, "%s", why_not);
    }
    return n;
}

static int espeak_speak(void *engine, const struct cp_piece *piece, const atomic_bool *stop,
                        struct cp_sound *sound, struct cp_error *error)
{
    return cp_program_speak(engine, piece->voice, piece, stop, sound, error);
}

static uint64_t espeak_restarts(void *engine)
{
    return cp_program_restarts(engine);
}

pid_t cp_espeak_worker_pid(void *engine)
{
    return cp_program_pid(engine);
}

void cp_espeak_set_deadline_ms(void *engine, int64_t deadline_ms)
{
    cp_program_set_sentence_ms(engine, deadline_ms);
}

const struct cp_speech_provider cp_espeak_provider = {
    .name = "espeak",
    .summary = "some 130 languages, in a worker process",
    .phones = CP_PHONES_IPA,
    .phones_taken = true,
    .open = espeak_open,
    .voices = espeak_voices,
    .speak = espeak_speak,
    .restarts = espeak_restarts,
    .close = espeak_close,
};
