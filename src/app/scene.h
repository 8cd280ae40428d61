/*
 * Scenes: stages made ready, and the people who stand on them.
 *
 * A presenter who is on several of a channel's scenes is one person: the model is loaded once and the actor
 * goes from scene to scene, so that a change of light or set does not make anybody start anew.
 */
#ifndef CP_APP_SCENE_H
#define CP_APP_SCENE_H

#include "app/cards.h"
#include "app/stagehand.h"

struct cp_player {
    char id[256]; /* or a path */
    struct cp_model *model;
    struct cp_actor *actor;
    int scenes;     /* that this one is on */
    unsigned known; /* state of the uploaded motions that the actor was taught. thread: draw */
};

struct cp_scene {
    struct cp_scene_plan plan;
    const struct cp_set *set;
    int n_players;
    struct cp_player *players[CP_SCENE_PRESENTERS];
    struct cp_place places[CP_SCENE_PRESENTERS];
    struct cp_render *render; /* holds the footage behind them and on the screen */
};

/* The people of one channel. One thread at a time makes and destroys its scenes. */
struct cp_troupe {
    const struct cp_app_config *config;
    struct cp_store *store; /* of uploaded avatars; NULL: none */
    struct cp_player *players[CP_SCENE_PRESENTERS * CP_SCENES_ALIVE];
};

/* user: the struct cp_troupe. As struct cp_scene_maker wants them. */
int cp_scene_make(void *user, const struct cp_scene_plan *plan, struct cp_scene **ret_scene,
                  struct cp_error *error);
void cp_scene_destroy(void *user, struct cp_scene *scene);

/* Another renderer of the same stage, for who draws on another thread; the models are shared. played: the
 * videos on it, which play for one drawer only; references, NULL where there is none. Any thread. */
struct cp_stage_render {
    struct cp_render *render;
    struct cp_footage *played[2];
};
int cp_scene_make_render(const struct cp_troupe *troupe, const struct cp_scene *scene,
                         struct cp_stage_render *ret_made, struct cp_error *error);
void cp_scene_drop_render(struct cp_stage_render *made);

/* What a channel's line (NULL: the channel itself) is played on. first: who stands there when nobody is
 * named. */
void cp_scene_plan_of(const json_t *channel, const json_t *line, const char *first, int width, int height,
                      struct cp_scene_plan *ret_plan);

/* The one on stage who performs for `presenter`; 0 when that one is not there or "" is asked for. */
int cp_scene_find_player(const struct cp_scene *scene, const char *presenter);

/* --- perform.c: what is seen of a scene, frame by frame. thread: draw --- */

struct cp_performer {
    struct cp_scene *scene;
    int speaker;
    char camera[24]; /* that is looked through, or moved to */
    struct cp_view from, to, view;
    float move_s, moved_s;      /* of a move of the camera; move_s 0: it stands */
    struct cp_motions *motions; /* uploaded ones; NULL: none */
    struct cp_cards *cards;     /* where its cards come from; NULL: none are shown */
    const struct cp_card *card; /* that is on its way in or out, or stands; kept there */
    bool on_screen;             /* that is shown on the set's screen */
    float card_shown;
    struct cp_footage
        *kept;        /* what the screen showed on the stage before; NULL: another one cuts. A reference */
    float kept_shown; /* how far it is still seen */
    struct cp_pose poses[CP_SCENE_PRESENTERS];
};

/* The scene of the frame before must still live. Poses all and frames the view for a moment. own_camera:
 * while the moment names none that the set has. */
void cp_perform(struct cp_performer *performer, struct cp_scene *scene, const struct cp_moment *moment,
                const char *own_camera);
/* cutout: the same with alpha, or NULL. */
void cp_perform_draw(const struct cp_performer *performer, struct cp_picture *picture,
                     struct cp_cutout *cutout);

#endif
