/* The lines of a film, spoken one after another. */
#include "app/film/film.h"

#include <stdlib.h>

static void on_utterance(void *user, struct cp_utterance *utterance)
{
    struct cp_film *film = user;
    struct cp_film_line *line = &film->lines[film->n_lines];
    if (line->n == line->capacity) {
        int capacity = line->capacity ? 2 * line->capacity : 16;
        struct cp_utterance **more = realloc(line->utterances, (size_t)capacity * sizeof(void *));
        if (!more)
            return;
        line->utterances = more;
        line->capacity = capacity;
    }
    line->utterances[line->n++] = cp_ref_take(utterance);
    line->frames += (utterance->n_samples + CP_SAMPLES_PER_FRAME - 1) / CP_SAMPLES_PER_FRAME;
}

static void on_spoken(void *user, int result, const struct cp_error *error)
{
    struct cp_film *film = user;
    pthread_mutex_lock(&film->lock);
    film->result = result;
    if (result)
        film->error = *error;
    film->line_done = true;
    pthread_cond_signal(&film->spoken);
    pthread_mutex_unlock(&film->lock);
}

int cp_film_speak(struct cp_film *film, struct cp_error *error)
{
    static const struct cp_speech_events EVENTS = {.utterance = on_utterance, .done = on_spoken};
    size_t i;
    json_t *cue;
    int result = cp_speech_create(&film->config.speech, &film->speech, error);
    json_array_foreach(film->cues, i, cue)
    {
        struct cp_speech_request request = cp_app_speech_request(cue, NULL);
        struct cp_error cause = {.text = ""};
        uint64_t ticket;
        film->line_done = false;
        if (!result && !(result = cp_speech_say(film->speech, &request, &EVENTS, film, &ticket, &cause))) {
            pthread_mutex_lock(&film->lock);
            while (!film->line_done)
                pthread_cond_wait(&film->spoken, &film->lock);
            result = film->result;
            cause = film->error;
            pthread_mutex_unlock(&film->lock);
        }
        if (result && *cause.text)
            return cp_fail(error, cause.code, "render", "line %zu: %s", i + 1, cause.text);
        film->lines[film->n_lines].cue = cue;
        film->frames_total += CP_FILM_LEAD_FRAMES + film->lines[film->n_lines++].frames;
    }
    film->frames_total += CP_FILM_TAIL_FRAMES;
    return result;
}
