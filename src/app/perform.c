/* A scene, frame by frame: who speaks and who listens, what the camera shows, the card that slides in. */
#include "app/scene.h"

#include "base/thread.h"

#include <string.h>

#define CARD_STEP (4.0f / CP_FRAME_HZ) /* a card slides in and out within a quarter of a second */

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

static void slide_card(struct cp_performer *p, const struct cp_moment *moment)
{
    bool wanted = *moment->card != 0;
    if (wanted && (p->card_shown <= 0 || !strcmp(p->card, moment->card))) {
        memcpy(p->card, moment->card, sizeof p->card);
        p->card_shown = p->card_shown + CARD_STEP > 1 ? 1 : p->card_shown + CARD_STEP;
    } else if (p->card_shown > 0) {
        p->card_shown -= CARD_STEP;
    }
    p->view.card_shown = p->card_shown;
    memcpy(p->view.card, p->card, sizeof p->view.card);
}

static void pose_all(struct cp_performer *p, const struct cp_moment *moment)
{
    struct cp_scene *scene = p->scene;
    for (int i = 0; i < scene->n_players; i++) {
        struct cp_sight sight = {.listens = i != p->speaker && moment->utterance,
                                 .has_partner = scene->n_players > 1};
        struct cp_moment own = *moment;
        memcpy(sight.camera_eye, p->view.eye, sizeof sight.camera_eye);
        if (sight.has_partner)
            cp_actor_eye(scene->players[1 - i]->actor, sight.partner_eye);
        if (i != p->speaker)
            own.action[0] = 0; /* the gesture is the speaker's */
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
    p->scene = scene;
    p->speaker = speaker;
    for (int i = 0; new_scene && i < scene->n_players; i++)
        cp_actor_place(scene->players[i]->actor, &scene->places[i]);
    move_camera(p, moment, own_camera, new_scene, new_speaker);
    slide_card(p, moment);
    pose_all(p, moment);
}

void cp_perform_draw(const struct cp_performer *p, struct cp_picture *picture)
{
    const struct cp_pose *poses[CP_SCENE_PRESENTERS];
    for (int i = 0; i < p->scene->n_players; i++)
        poses[i] = &p->poses[i];
    cp_render_draw(p->scene->render, poses, &p->view, picture);
}
