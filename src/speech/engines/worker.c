/* Voice programs that the user names: any that speak as worker/PROTOCOL.md says. */
#include "speech/engines/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum {
    MAX_PROGRAMS = 8,
    MAX_WORDS = 24,
    SENTENCE_MS = 20000, /* besides the sentence's own deadline, which is shorter on air */
};

struct engine {
    struct {
        char name[24];
        struct cp_program *program;
    } programs[MAX_PROGRAMS];
    int n;
};

static void worker_close(void *opaque)
{
    struct engine *engine = opaque;
    for (int i = 0; engine && i < engine->n; i++)
        cp_program_destroy(engine->programs[i].program);
    free(engine);
}

/* Starts one "NAME=COMMAND ARGUMENT ..."; changes the entry. */
static int start(struct engine *engine, char *entry, struct cp_error *error)
{
    static const char BLANKS[] = " \t";
    const char *words[MAX_WORDS + 1] = {0};
    char prefix[48], *rest = NULL, *equals = strchr(entry, '=');
    size_t length = equals ? (size_t)(equals - entry) : 0;
    if (!length || length >= sizeof engine->programs[0].name || strcspn(entry, ":/ \t") < length)
        return cp_fail(
            error, CP_ERR_INVALID, STAGE,
            "speech.workers: '%.60s' is not written as NAME=COMMAND; a name has at most 23 letters.", entry);
    if (engine->n == MAX_PROGRAMS)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "speech.workers names more than %d programs.",
                       MAX_PROGRAMS);
    *equals = '\0';
    int n = 0;
    for (char *word = strtok_r(equals + 1, BLANKS, &rest); word && n < MAX_WORDS;
         word = strtok_r(NULL, BLANKS, &rest))
        words[n++] = word;
    if (!n)
        return cp_fail(error, CP_ERR_INVALID, STAGE, "speech.workers: '%s' has no command.", entry);
    snprintf(prefix, sizeof prefix, "worker:%s/", entry);
    int result = cp_program_create(
        &(struct cp_program_config){
            .name = entry, .engine = entry, .id_prefix = prefix, .words = words, .sentence_ms = SENTENCE_MS},
        &engine->programs[engine->n].program, error);
    if (result)
        return result;
    snprintf(engine->programs[engine->n++].name, sizeof engine->programs[0].name, "%s", entry);
    return 0;
}

static int worker_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    char list[CP_OPTION_TEXT_BYTES], *rest = NULL;
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    snprintf(list, sizeof list, "%s", config->workers);
    int result = 0;
    for (char *entry = strtok_r(list, ";", &rest); entry && !result; entry = strtok_r(NULL, ";", &rest)) {
        entry += strspn(entry, " \t");
        if (*entry)
            result = start(engine, entry, error);
    }
    if (result) {
        worker_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static int worker_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    int n = 0;
    for (int i = 0; i < engine->n; i++) {
        int n_own;
        const struct cp_voice *own = cp_program_voices(engine->programs[i].program, &n_own);
        for (int k = 0; k < n_own && n < capacity; k++)
            voices[n++] = own[k];
        const char *why_not = cp_program_why_not(engine->programs[i].program);
        if (!*why_not || n == capacity)
            continue;
        struct cp_voice *voice =
            &voices[n++]; /* so that one sees that the program is there, and what it lacks */
        *voice = (struct cp_voice){0};
        snprintf(voice->id, sizeof voice->id, "worker:%s/", engine->programs[i].name);
        snprintf(voice->name, sizeof voice->name, "%s", engine->programs[i].name);
        snprintf(voice->engine, sizeof voice->engine, "%s", engine->programs[i].name);
        snprintf(voice->why_not, sizeof voice->why_not, "%s", why_not);
    }
    return n;
}

static int worker_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                        struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    size_t length = strcspn(piece->voice, "/");
    for (int i = 0; i < engine->n; i++)
        if (strlen(engine->programs[i].name) == length &&
            !strncmp(engine->programs[i].name, piece->voice, length) && piece->voice[length])
            return cp_program_speak(engine->programs[i].program, piece->voice + length + 1, piece, stop,
                                    sound, error);
    return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice worker:%.50s.", piece->voice);
}

static uint64_t worker_restarts(void *opaque)
{
    struct engine *engine = opaque;
    uint64_t n = 0;
    for (int i = 0; engine && i < engine->n; i++)
        n += cp_program_restarts(engine->programs[i].program);
    return n;
}

const struct cp_speech_provider cp_worker_provider = {
    .name = "worker",
    .summary = "your own voice programs",
    .phones = CP_PHONES_IPA,
    .phones_taken = true,
    .apart = true,
    .serial = true,
    .open = worker_open,
    .voices = worker_voices,
    .speak = worker_speak,
    .restarts = worker_restarts,
    .close = worker_close,
};
