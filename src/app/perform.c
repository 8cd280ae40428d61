/* A scene, frame by frame: who speaks and who listens, what the camera shows, the card that slides in. */
#include "app/motions.h"
#include "app/scene.h"

#include "base/thread.h"

#include <string.h>

#define CARD_STEP                                                                                            \
    (4.0f / CP_FRAME_HZ) /* a card and a screen's picture come and go within a quarter of a second */
/* How far before the presenter the point is that stands for a card or screen: it makes turns of some 30 and
 * 50 degrees of what is at the picture's edge. */
#define CARD_AHEAD_M   0.45f
#define SCREEN_AHEAD_M 0.30f

static bool has_camera(const struct cp_set *set, const char *name)
{
    for (int i = 0; *name && i < set->n_cameras; i++)
        if (!strcmp(set->cameras[i].name, name))
            return true;
    return false;
}

/* A camera shows the one who speaks; the wide one and "two" show all. */
static void frame(const struct cp_performer *p, const char *camera, struct cp_view *ret_view)
{
    const struct cp_scene *scene = p->scene;
    struct cp_standing who[CP_SCENE_PRESENTERS];
    for (int i = 0; i < scene->n_players; i++) {
        int k = (p->speaker + i) % scene->n_players;
        who[i] = (struct cp_standing){scene->players[k]->model, scene->places[k].x_m, scene->places[k].z_m};
    }
    cp_render_frame(scene->set, camera, who, scene->n_players, scene->plan.width, scene->plan.height,
                    ret_view);
}

static void move_camera(struct cp_performer *p, const struct cp_moment *moment, const char *own_camera,
                        bool new_scene, bool new_speaker)
{
    const char *camera = has_camera(p->scene->set, moment->camera) ? moment->camera
                         : has_camera(p->scene->set, own_camera)   ? own_camera
                         : p->scene->n_players > 1 && has_camera(p->scene->set, "two")
                             ? "two"
                             : p->scene->set->cameras[0].name;
    if (new_scene || new_speaker || strcmp(camera, p->camera)) {
        p->from = p->view;
        memset(p->camera, 0, sizeof p->camera);
        memcpy(p->camera, camera, strnlen(camera, sizeof p->camera - 1));
        memset(&p->to, 0, sizeof p->to);
        frame(p, p->camera, &p->to);
        p->move_s = new_scene ? 0 : moment->camera_move_s; /* between two scenes there is nothing but a cut */
        p->moved_s = 0;
    }
    p->moved_s += 1.0f / CP_FRAME_HZ;
    float share = p->move_s > 0 && p->moved_s < p->move_s ? p->moved_s / p->move_s : 1;
    cp_render_move_camera(&p->from, &p->to, share, &p->view);
    p->view.at_samples = moment->at_samples;
}

static bool has_screen(const struct cp_scene *scene)
{
    bool room = !*scene->plan.background || *scene->plan.background == '#';
    return scene->set->has_screen && room;
}

/* Another stage in the same set: its screen fades from what the other's showed. */
static void keep_screen(struct cp_performer *p, const struct cp_scene *next)
{
    const struct cp_scene *last = p->scene;
    bool fades = p->kept && last && !p->on_screen && last->set == next->set && has_screen(last) &&
                 has_screen(next) && strcmp(last->plan.screen, next->plan.screen) != 0;
    p->kept_shown = fades && cp_render_keep_screen(last->render, p->kept) ? 1 : 0;
}

static float smooth(float share)
{
    return share * share * (3 - 2 * share);
}

/* What is on the set's screen: a card, what the stage before had there, or the stage's own. */
static void show_on_screen(struct cp_performer *p)
{
    struct cp_footage *card = p->card && has_screen(p->scene) ? cp_card_screen(p->card) : NULL;
    p->on_screen = card != NULL;
    p->view.card = card ? NULL : p->card;
    p->view.card_shown = p->card_shown;
    p->view.screen = card ? card : p->kept_shown > 0 ? p->kept : NULL;
    p->view.screen_faded = 1 - smooth(card ? p->card_shown : p->kept_shown);
}

/* A card goes in when none is there any more, and out when it is not wanted. */
static void slide_card(struct cp_performer *p, const struct cp_moment *moment)
{
    p->kept_shown = p->kept_shown > CARD_STEP ? p->kept_shown - CARD_STEP : 0;
    bool waits = moment->card.on_screen && p->kept_shown > 0; /* one thing after the other */
    bool wanted = p->cards && !cp_card_is_empty(&moment->card) && !waits;
    const struct cp_card *card = wanted ? cp_cards_find(p->cards, &moment->card) : NULL;
    if (card && (p->card_shown <= 0 || card == p->card)) {
        p->card = card;
        p->card_shown = p->card_shown + CARD_STEP > 1 ? 1 : p->card_shown + CARD_STEP;
    } else if (p->card_shown > 0) {
        p->card_shown -= CARD_STEP;
    }
    if (p->card_shown <= 0)
        p->card = NULL;
    if (p->cards)
        cp_cards_keep(p->cards, p->card);
    show_on_screen(p);
}

/* Where on the stage they look who look at the card: a bit before the presenter, in line with what the viewer
 * sees there; a card is in no place at all, and a screen is behind their backs. */
static bool find_card(const struct cp_performer *p, float ret_place[3])
{
    float px[2], ahead;
    bool shows_upload = *p->scene->plan.screen && !p->card;
    if (p->on_screen || shows_upload) {
        if (!cp_render_screen_middle(p->scene->render, px))
            return false;
        ahead = SCREEN_AHEAD_M;
    } else if (p->card) {
        cp_card_focus(p->card, px);
        ahead = CARD_AHEAD_M;
    } else {
        return false;
    }
    cp_render_point(&p->view, p->scene->plan.width, p->scene->plan.height, px, ahead, ret_place);
    return true;
}

static void pose_all(struct cp_performer *p, const struct cp_moment *moment)
{
    struct cp_scene *scene = p->scene;
    float card[3] = {0};
    bool has_card = find_card(p, card);
    for (int i = 0; i < scene->n_players; i++) {
        struct cp_sight sight = {.listens = i != p->speaker && moment->utterance,
                                 .has_partner = scene->n_players > 1,
                                 .has_card = has_card};
        struct cp_moment own = *moment;
        memcpy(sight.camera_eye, p->view.eye, sizeof sight.camera_eye);
        memcpy(sight.card, card, sizeof sight.card);
        if (sight.has_partner)
            cp_actor_eye(scene->players[1 - i]->actor, sight.partner_eye);
        if (i != p->speaker)
            own.action[0] = 0; /* the gesture is the speaker's */
        else if (!*own.action) /* gestures are heard by the actor itself */
            cp_motions_heard(p->motions, moment, own.action);
        cp_motions_teach(p->motions, scene->players[i]->actor, &scene->players[i]->known);
        cp_actor_pose(scene->players[i]->actor, &own, &sight, &p->poses[i]);
    }
}

void cp_perform(struct cp_performer *p, struct cp_scene *scene, const struct cp_moment *moment,
                const char *own_camera)
{
    CP_ASSERT_THREAD("draw");
    bool new_scene = scene != p->scene;
    int speaker = new_scene ? 0 : p->speaker;
    if (moment->utterance)
        speaker = cp_scene_find_player(scene, moment->presenter);
    bool new_speaker = speaker != p->speaker;
    if (new_scene)
        keep_screen(p, scene);
    p->scene = scene;
    p->speaker = speaker;
    for (int i = 0; new_scene && i < scene->n_players; i++)
        cp_actor_place(scene->players[i]->actor, &scene->places[i]);
    move_camera(p, moment, own_camera, new_scene, new_speaker);
    slide_card(p, moment);
    pose_all(p, moment);
}

void cp_perform_draw(const struct cp_performer *p, struct cp_picture *picture, struct cp_cutout *cutout)
{
    const struct cp_pose *poses[CP_SCENE_PRESENTERS];
    for (int i = 0; i < p->scene->n_players; i++)
        poses[i] = &p->poses[i];
    cp_render_cut_out(p->scene->render, cutout);
    cp_render_draw(p->scene->render, poses, &p->view, picture);
}
