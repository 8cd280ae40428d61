#include "app/scene.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART_M  0.34f /* from the middle, for two */
#define TURNED   0.22f /* radians towards each other */
#define MAX_CAST ((int)(sizeof((struct cp_troupe *)0)->players / sizeof(struct cp_player *)))

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

/* --- people --- */

/* Idle motion differs from person to person, and is the same each time. */
static uint64_t seed_of(const char *id)
{
    return cp_hash_text(CP_HASH_SEED, id);
}

static void let_go(struct cp_troupe *troupe, struct cp_player *player)
{
    if (!player || --player->scenes > 0)
        return;
    for (int i = 0; i < MAX_CAST; i++)
        if (troupe->players[i] == player)
            troupe->players[i] = NULL;
    cp_actor_destroy(player->actor);
    cp_ref_drop(player->model);
    free(player);
}

static int hire(struct cp_troupe *troupe, const char *id, struct cp_player **ret_player,
                struct cp_error *error)
{
    int room = -1;
    for (int i = 0; i < MAX_CAST; i++) {
        if (troupe->players[i] && !strcmp(troupe->players[i]->id, id)) {
            troupe->players[i]->scenes++;
            *ret_player = troupe->players[i];
            return 0;
        }
        if (!troupe->players[i])
            room = i;
    }
    struct cp_player *player = room < 0 ? NULL : calloc(1, sizeof *player);
    if (!player)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    player->scenes = 1;
    snprintf(player->id, sizeof player->id, "%s", id);
    int result = cp_app_load_presenter(troupe->config, troupe->store, id, &player->model, error);
    if (!result)
        result = cp_actor_create(player->model, seed_of(id), &player->actor, error);
    if (result) {
        let_go(troupe, player);
        return result;
    }
    troupe->players[room] = player;
    *ret_player = player;
    return 0;
}

/* --- pictures and videos --- */

/* What an upload's id, or a path, names, fitted to a size. NULL for "". */
static int open_footage(const struct cp_troupe *troupe, const char *id, int width, int height,
                        struct cp_footage **ret_footage, struct cp_error *error)
{
    const struct cp_footage_spec spec = {.width = width, .height = height};
    if (!*id)
        return 0;
    if (strchr(id, '/'))
        return cp_footage_open_file(id, &spec, ret_footage, error);
    struct cp_buffer bytes = cp_buffer_make(CP_FOOTAGE_MAX_VIDEO_BYTES);
    int result = troupe->store ? cp_asset_read(troupe->store, CP_ASSET_MEDIA, id, &bytes, NULL, error)
                               : cp_fail(error, CP_ERR_NOT_FOUND, "app",
                                         "there is no picture \"%.60s\"; a path has a slash", id);
    if (!result)
        result = cp_footage_open(bytes.data, bytes.length, &spec, ret_footage, error);
    cp_buffer_free(&bytes);
    return result;
}

/* --- scenes --- */

int cp_scene_make_render(const struct cp_troupe *troupe, const struct cp_scene *scene,
                         struct cp_stage_render *ret_made, struct cp_error *error)
{
    const struct cp_scene_plan *plan = &scene->plan;
    bool is_color = plan->background[0] == '#';
    struct cp_stage_spec spec = {.n_models = scene->n_players,
                                 .set = scene->set,
                                 .width = plan->width,
                                 .height = plan->height,
                                 .light = plan->light,
                                 .color = is_color ? plan->background : ""};
    int result = 0;
    memset(ret_made, 0, sizeof *ret_made);
    for (int i = 0; i < scene->n_players; i++)
        spec.models[i] = scene->players[i]->model;
    if (!is_color)
        result = open_footage(troupe, plan->background, plan->width, plan->height, &spec.background, error);
    if (!result)
        result = open_footage(troupe, plan->screen, CP_SCREEN_WIDTH, CP_SCREEN_HEIGHT, &spec.screen, error);
    if (!result)
        result = cp_render_create(&troupe->config->render, &spec, &ret_made->render, error);
    struct cp_footage *const shown[2] = {spec.background, spec.screen};
    for (int i = 0; i < 2; i++) {
        if (!result && shown[i] && cp_footage_is_video(shown[i]))
            ret_made->played[i] = cp_ref_take(shown[i]);
        cp_ref_drop(shown[i]);
    }
    return result;
}

void cp_scene_drop_render(struct cp_stage_render *made)
{
    cp_render_destroy(made->render);
    for (int i = 0; i < 2; i++)
        cp_ref_drop(made->played[i]);
    memset(made, 0, sizeof *made);
}

int cp_scene_make(void *user, const struct cp_scene_plan *plan, struct cp_scene **ret_scene,
                  struct cp_error *error)
{
    struct cp_troupe *troupe = user;
    struct cp_scene *scene = calloc(1, sizeof *scene);
    int result = 0;
    if (!scene)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    scene->plan = *plan;
    scene->set = cp_render_find_set(plan->set);
    if (!scene->set)
        result = cp_fail(error, CP_ERR_NOT_FOUND, "app", "there is no set \"%s\"; GET /v1/sets lists them",
                         plan->set);
    for (int i = 0; i < plan->n_presenters && !result; i++) {
        result = hire(troupe, plan->presenter[i], &scene->players[i], error);
        if (result)
            break;
        scene->n_players = i + 1;
        if (plan->n_presenters > 1) /* the first on the picture's left */
            scene->places[i] =
                (struct cp_place){.x_m = i ? APART_M : -APART_M, .yaw_rad = i ? -TURNED : TURNED};
    }
    struct cp_stage_render made = {NULL};
    if (!result)
        result = cp_scene_make_render(troupe, scene, &made, error);
    scene->render = made.render;
    for (int i = 0; i < 2; i++)
        cp_ref_drop(made.played[i]);
    if (result) {
        cp_scene_destroy(troupe, scene);
        return result;
    }
    *ret_scene = scene;
    return 0;
}

void cp_scene_destroy(void *user, struct cp_scene *scene)
{
    if (!scene)
        return;
    cp_render_destroy(scene->render);
    for (int i = 0; i < CP_SCENE_PRESENTERS; i++)
        let_go(user, scene->players[i]);
    free(scene);
}

int cp_scene_find_player(const struct cp_scene *scene, const char *presenter)
{
    for (int i = 0; i < scene->n_players; i++)
        if (!strcmp(scene->players[i]->id, presenter))
            return i;
    return 0;
}

/* --- plans --- */

/* "ava--evening" is Ava in other clothes. */
static bool same_person(const char *a, const char *b)
{
    const char *end_a = strstr(a, "--"), *end_b = strstr(b, "--");
    size_t length_a = end_a ? (size_t)(end_a - a) : strlen(a),
           length_b = end_b ? (size_t)(end_b - b) : strlen(b);
    return length_a == length_b && !strncmp(a, b, length_a);
}

/* Plans are compared byte by byte: nothing may stand behind a text's end. */
static void put(char *text, size_t capacity, const char *value)
{
    memset(text, 0, capacity);
    snprintf(text, capacity, "%s", value);
}

static void people_of(const json_t *channel, const char *cue_presenter, const char *first,
                      struct cp_scene_plan *plan)
{
    const json_t *several = json_object_get(channel, "presenters");
    const char *one = text_of(channel, "presenter");
    int n = (int)json_array_size(several);
    for (int i = 0; i < n && i < CP_SCENE_PRESENTERS; i++)
        put(plan->presenter[plan->n_presenters++], sizeof plan->presenter[0],
            json_string_value(json_array_get(several, (size_t)i)));
    if (!plan->n_presenters)
        put(plan->presenter[plan->n_presenters++], sizeof plan->presenter[0], *one ? one : first);
    if (!*cue_presenter)
        return;
    for (int i = 0; i < plan->n_presenters; i++)
        if (same_person(plan->presenter[i], cue_presenter)) {
            put(plan->presenter[i], sizeof plan->presenter[0], cue_presenter);
            return;
        }
    /* Somebody else: they take the stage alone. */
    memset(plan->presenter, 0, sizeof plan->presenter);
    put(plan->presenter[0], sizeof plan->presenter[0], cue_presenter);
    plan->n_presenters = 1;
}

void cp_scene_plan_of(const json_t *channel, const json_t *line, const char *first, int width, int height,
                      struct cp_scene_plan *ret_plan)
{
    struct {
        const char *field;
        char *text;
        size_t capacity;
    } parts[] = {{"set", ret_plan->set, sizeof ret_plan->set},
                 {"light", ret_plan->light, sizeof ret_plan->light},
                 {"background", ret_plan->background, sizeof ret_plan->background},
                 {"screen", ret_plan->screen, sizeof ret_plan->screen}};
    memset(ret_plan, 0, sizeof *ret_plan);
    people_of(channel, text_of(line, "presenter"), first, ret_plan);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const json_t *from = json_object_get(line, parts[i].field) ? line : channel;
        put(parts[i].text, parts[i].capacity, text_of(from, parts[i].field));
    }
    /* The line's card comes over whatever the stage's screen shows. */
    if (!strcmp(ret_plan->screen, CP_SHOW_SCREEN_CARD)) {
        const char *own = text_of(channel, "screen");
        put(ret_plan->screen, sizeof ret_plan->screen, strcmp(own, CP_SHOW_SCREEN_CARD) ? own : "");
    }
    if (!*ret_plan->set)
        put(ret_plan->set, sizeof ret_plan->set, cp_render_find_set("")->name);
    ret_plan->width = width;
    ret_plan->height = height;
}
