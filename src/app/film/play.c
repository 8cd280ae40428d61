/*
 * Plays a film: what is performed in each frame, the stage that a line is on, and the poses. What is drawn of
 * it is handed to the drawers.
 */
#include "app/film/film.h"

#include <stdlib.h>
#include <string.h>

/* --- stages --- */

static void drop_stage(struct cp_film *film, struct cp_film_stage *stage)
{
    if (film->drawers)
        cp_drawers_wait(film->drawers, &stage->stand);
    for (int i = 0; i < CP_DRAWERS_MAX; i++)
        cp_scene_drop_render(&stage->stand.made[i]);
    cp_scene_destroy(&film->troupe, stage->scene);
    memset(stage, 0, sizeof *stage);
}

void cp_film_drop_stages(struct cp_film *film)
{
    for (int i = 0; i < CP_SCENES_ALIVE; i++)
        drop_stage(film, &film->stages[i]);
}

static int make_stage(struct cp_film *film, const struct cp_scene_plan *plan, struct cp_film_stage *stage,
                      struct cp_error *error)
{
    int result = cp_scene_make(&film->troupe, plan, &stage->scene, error);
    for (int i = 0; i < film->threads && !result; i++)
        result = cp_scene_make_render(&film->troupe, stage->scene, &stage->stand.made[i], error);
    if (result)
        drop_stage(film, stage);
    return result;
}

/* The stage of a line (NULL: what the command's flags say), made when it is not there. */
static int enter_stage(struct cp_film *film, const json_t *cue, struct cp_film_stage **ret_stage,
                       struct cp_error *error)
{
    struct cp_scene_plan plan;
    struct cp_film_stage *room = &film->stages[0];
    char first[40];
    cp_app_first_presenter(&film->config, first, sizeof first);
    cp_scene_plan_of(film->stage, cue, first, film->width, film->height, &plan);
    for (int i = 0; i < CP_SCENES_ALIVE; i++) {
        struct cp_film_stage *stage = &film->stages[i];
        if (stage->scene && !memcmp(&stage->scene->plan, &plan, sizeof plan)) {
            *ret_stage = stage;
            return 0;
        }
        if (room->scene && (!stage->scene || stage->used < room->used))
            room = stage;
    }
    if (room->scene)
        drop_stage(film, room);
    *ret_stage = room;
    return make_stage(film, &plan, room, error);
}

int cp_film_prepare(struct cp_film *film, struct cp_error *error)
{
    int result = cp_cards_create(film->store, NULL, "render", film->width, film->height,
                                 &film->performer.cards, error);
    film->troupe = (struct cp_troupe){.config = &film->config, .store = film->store};
    film->performer.motions = film->motions;
    if (!result)
        result = cp_drawers_create((int)film->threads, film->width, film->height, film->series != NULL,
                                   &film->drawers, error);
    return result;
}

/* --- what is performed --- */

static const char *text_or_empty(const struct cp_film_line *line, const char *field)
{
    const char *text = line ? json_string_value(json_object_get(line->cue, field)) : NULL;
    return text ? text : "";
}

/* What the presenter does in a frame of the line: its sound is copied to pcm. `*place` and `*offset` walk
 * through the line's utterances. */
static void fill_moment(const struct cp_film_line *line, int *place, int32_t *offset, int64_t frame,
                        struct cp_moment *ret_moment, int16_t *pcm)
{
    const char *emotion = line ? json_string_value(json_object_get(line->cue, "emotion")) : NULL;
    const char *camera = line ? json_string_value(json_object_get(line->cue, "camera")) : NULL;
    const char *action = line ? json_string_value(json_object_get(line->cue, "action")) : NULL;
    memset(ret_moment, 0, sizeof *ret_moment);
    memset(pcm, 0, CP_SAMPLES_PER_FRAME * sizeof *pcm);
    ret_moment->at_samples = frame * CP_SAMPLES_PER_FRAME;
    ret_moment->attention = CP_ATTENTION_IDLE;
    ret_moment->gain = 1;
    ret_moment->emotion = emotion ? cp_emotion_from_name(emotion) : CP_EMOTION_NEUTRAL;
    const json_t *intensity = line ? json_object_get(line->cue, "emotion_intensity") : NULL;
    ret_moment->emotion_intensity = intensity ? (float)json_number_value(intensity) : 1;
    const char *presenter = line ? json_string_value(json_object_get(line->cue, "presenter")) : NULL;
    snprintf(ret_moment->presenter, sizeof ret_moment->presenter, "%s", presenter ? presenter : "");
    ret_moment->look = cp_look_from_name(text_or_empty(line, "look"));
    ret_moment->camera_move_s =
        line ? (float)json_number_value(json_object_get(line->cue, "camera_move_s")) : 0;
    snprintf(ret_moment->camera, sizeof ret_moment->camera, "%s", camera ? camera : "");
    if (!line || *place >= line->n)
        return;
    const struct cp_utterance *utterance = line->utterances[*place];
    int32_t left = utterance->n_samples - *offset,
            n = left < CP_SAMPLES_PER_FRAME ? left : CP_SAMPLES_PER_FRAME;
    ret_moment->attention = CP_ATTENTION_SPEAKING;
    ret_moment->utterance = utterance;
    ret_moment->offset_samples = *offset;
    ret_moment->card = line->card;
    if (!*place && !*offset)
        snprintf(ret_moment->action, sizeof ret_moment->action, "%s", action ? action : "");
    memcpy(pcm, utterance->pcm + *offset, (size_t)n * sizeof *pcm);
    *offset += n;
    if (*offset >= utterance->n_samples) {
        *offset = 0;
        ++*place;
    }
}

/* --- frames --- */

/* What another stage's screen showed may still be in frames that wait: each change has a picture of its own.
 */
static void change_stage(struct cp_film *film)
{
    cp_ref_drop(film->performer.kept);
    film->performer.kept = cp_render_create_kept();
}

static void copy_frame(const struct cp_performer *p, int64_t number, struct cp_drawn_frame *frame)
{
    frame->number = number;
    frame->view = p->view;
    frame->n_poses = p->scene->n_players;
    memcpy(frame->poses, p->poses, sizeof frame->poses);
    frame->card = cp_ref_take((void *)p->view.card);
    frame->screen = cp_ref_take(p->view.screen);
}

/* A line, or what comes after the last (NULL). False when the writer has stopped. */
static bool play_line(struct cp_film *film, struct cp_film_line *line, struct cp_film_stage *stage,
                      int64_t *number)
{
    int place = 0, past = line ? line->n : 0;
    int32_t offset = 0;
    int64_t lead = line ? CP_FILM_LEAD_FRAMES : CP_FILM_TAIL_FRAMES,
            frames = lead + (line ? line->frames : 0);
    for (int64_t f = 0; f < frames; f++, ++*number) {
        struct cp_drawn_frame *frame = cp_drawers_next(film->drawers, &stage->stand);
        struct cp_moment moment;
        if (!frame)
            return false;
        fill_moment(line, f < lead ? &past : &place, &offset, *number, &moment, frame->pcm);
        cp_film_mix_music(film, line, f < lead ? lead - f : 0, frame->pcm);
        cp_perform(&film->performer, stage->scene, &moment, "");
        cp_render_aim(stage->scene->render, &film->performer.view);
        copy_frame(&film->performer, *number, frame);
        stage->used = *number;
    }
    return true;
}

int cp_film_play(struct cp_film *film, struct cp_error *error)
{
    struct cp_film_stage *stage = NULL;
    int64_t number = 0;
    int result = 0;
    bool goes_on = true;
    for (int l = 0; l <= film->n_lines && goes_on && !result; l++) {
        struct cp_film_line *line = l < film->n_lines ? &film->lines[l] : NULL;
        struct cp_film_stage *before = stage;
        struct cp_error cause = {.text = ""};
        if (line) {
            cp_show_card_of(film->stage, line->cue, &line->card);
            cp_cards_prepare(film->performer.cards, &line->card);
            cp_cards_wait(film->performer.cards);
            if ((result = enter_stage(film, line->cue, &stage, &cause)))
                cp_fail(error, result, "render", "line %d: %s", l + 1, cause.text);
        }
        if (stage != before)
            change_stage(film);
        goes_on = !result && play_line(film, line, stage, &number);
    }
    if (result)
        cp_drawers_stop(film->drawers);
    cp_drawers_finish(film->drawers);
    return result;
}
