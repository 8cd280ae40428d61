/* What can be known to be wrong with a cue or a channel before it is accepted. */
#include "app/scene.h"

#include <stdio.h>
#include <string.h>

#define MIN_SIZE_PX 240
#define MAX_PIXELS  (1920 * 1088)

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

static bool is_action(const char *name)
{
    for (const char *const *action = cp_actor_actions(); *action; action++)
        if (!strcmp(*action, name))
            return true;
    return false;
}

static bool is_style(const char *name)
{
    const struct cp_speech_style *style;
    for (int i = 0; (style = cp_speech_style(i)); i++)
        if (!strcmp(style->name, name))
            return true;
    return false;
}

static bool has_camera(const struct cp_set *set, const char *name)
{
    for (int i = 0; i < set->n_cameras; i++)
        if (!strcmp(set->cameras[i].name, name))
            return true;
    return false;
}

/* The set and camera of a cue on a channel, or of a channel itself (cue NULL). */
static int check_set(const json_t *cue, const json_t *channel, struct cp_error *error)
{
    const char *own = text_of(cue, "set"), *name = *own ? own : text_of(channel, "set");
    const char *camera = cue ? text_of(cue, "camera") : text_of(channel, "camera");
    const struct cp_set *set = cp_render_find_set(name);
    if (!set)
        return cp_fail(error, CP_ERR_INVALID, "app", "set: there is no \"%.60s\"; GET /v1/sets lists them",
                       name);
    if (*camera && !has_camera(set, camera))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "camera: the set \"%s\" has no \"%s\"; GET /v1/sets lists its cameras", set->name,
                       camera);
    return 0;
}

static int check_presenter(struct cp_app *app, const char *id, struct cp_error *error)
{
    return *id ? cp_app_find_presenter(&app->config, app->store, id, error) : 0;
}

static int check_upload(struct cp_app *app, const char *field, const char *id, struct cp_error *error)
{
    json_t *asset;
    if (!*id)
        return 0;
    if (cp_asset_get(app->store, CP_ASSET_MEDIA, id, &asset, NULL))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "%s: there is no picture or video \"%.60s\"; GET /v1/media lists them", field, id);
    bool is_sound = !strcmp(text_of(asset, "kind"), "sound");
    json_decref(asset);
    return is_sound ? cp_fail(error, CP_ERR_INVALID, "app", "%s: %s is a sound; it takes pictures and videos",
                              field, id)
                    : 0;
}

static int check_music(struct cp_app *app, const json_t *channel, struct cp_error *error)
{
    const char *id = text_of(json_object_get(channel, "music"), "media");
    json_t *asset;
    if (!*id)
        return 0;
    if (cp_asset_get(app->store, CP_ASSET_MEDIA, id, &asset, NULL))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "music.media: there is no sound \"%.60s\"; GET /v1/media lists them", id);
    bool is_sound = !strcmp(text_of(asset, "kind"), "sound");
    json_decref(asset);
    return is_sound ? 0
                    : cp_fail(error, CP_ERR_INVALID, "app",
                              "music.media: %s is no sound; upload WAV, MP3, Ogg "
                              "or M4A",
                              id);
}

static bool is_color(const char *text)
{
    return strlen(text) == 7 && strspn(text + 1, "0123456789abcdefABCDEF") == 6;
}

/* Light, and what is behind the presenter and on the set's screen: of a cue on a channel, or of a channel
 * itself (cue NULL). The set is known to be there. */
static int check_scenery(struct cp_app *app, const json_t *cue, const json_t *channel, struct cp_error *error)
{
    const json_t *line = cue ? cue : channel;
    const char *own = text_of(cue, "set");
    const struct cp_set *set = cp_render_find_set(*own ? own : text_of(channel, "set"));
    const char *light = text_of(line, "light"), *background = text_of(line, "background"),
               *screen = text_of(line, "screen");
    if (!cp_render_is_light(light))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "light: there is no \"%.60s\"; GET /v1/sets lists the moods", light);
    if (*background == '#' && !is_color(background))
        return cp_fail(error, CP_ERR_INVALID, "app", "background: a colour is # and six hex digits");
    if (*background == '#' && strcmp(set->name, "plain") && strcmp(set->name, "key"))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "background: only the sets plain and key take a colour; upload a picture, or name one "
                       "of them as set");
    if (*screen && !set->has_screen)
        return cp_fail(error, CP_ERR_INVALID, "app", "screen: the set \"%s\" has none", set->name);
    int result = *background == '#' ? 0 : check_upload(app, "background", background, error);
    if (!result && strcmp(screen, CP_SHOW_SCREEN_CARD))
        result = check_upload(app, "screen", screen, error);
    return result;
}

static size_t count_characters(const char *utf8)
{
    size_t n = 0;
    for (; *utf8; utf8++)
        n += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return n;
}

static int check_card(struct cp_app *app, const json_t *cue, struct cp_error *error)
{
    const json_t *card = json_object_get(cue, "card");
    const char *price = text_of(card, "price"), *picture = text_of(card, "picture");
    json_t *asset;
    if (!json_is_object(card))
        return 0;
    if (count_characters(price) > CP_CARD_PRICE_CHARS)
        return cp_fail(error, CP_ERR_INVALID, "app", "card.price: at most %d characters, this has %zu",
                       CP_CARD_PRICE_CHARS, count_characters(price));
    if (!*text_of(card, "title") && !*text_of(card, "text") && !*price && !*picture)
        return cp_fail(error, CP_ERR_INVALID, "app", "card: it needs a title, a text, a price or a picture");
    if (!*picture)
        return 0;
    if (cp_asset_get(app->store, CP_ASSET_MEDIA, picture, &asset, NULL))
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "card.picture: there is no picture \"%.60s\"; GET /v1/media lists them", picture);
    const char *kind = text_of(asset, "kind");
    if (strcmp(kind, "picture") != 0)
        cp_fail(error, CP_ERR_INVALID, "app", "card.picture: %s is a %s; a card takes pictures", picture,
                kind);
    bool is_picture = !strcmp(kind, "picture");
    json_decref(asset);
    return is_picture ? 0 : CP_ERR_INVALID;
}

static int check_stored(struct cp_app *app, const char *id, struct cp_error *error)
{
    json_t *speech = NULL;
    int result = cp_library_get(app->library, id, &speech, NULL);
    json_decref(speech);
    if (result == CP_ERR_NOT_FOUND)
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "speech: there is no \"%.60s\", or it has expired; GET /v1/speech lists them", id);
    return result ? cp_fail(error, result, "app", "speech: the store does not answer") : 0;
}

int cp_app_check_cue(struct cp_app *app, const json_t *cue, const json_t *channel,
                     struct cp_warnings *ret_warnings, struct cp_error *error)
{
    const char *action = text_of(cue, "action");
    const bool stored = json_object_get(cue, "speech") != NULL;
    if (!stored && !json_object_get(cue, "text") == !json_object_get(cue, "ssml"))
        return cp_fail(error, CP_ERR_INVALID, "app", "a cue needs either \"text\", \"ssml\" or \"speech\"");
    int result = check_presenter(app, text_of(cue, "presenter"), error);
    if (!result)
        result = check_set(cue, channel, error);
    if (!result)
        result = check_scenery(app, cue, channel, error);
    if (!result)
        result = check_card(app, cue, error);
    if (!result && *action && !is_action(action) && !cp_motions_has(app->motions, action))
        result = cp_fail(error, CP_ERR_INVALID, "app",
                         "action: there is no \"%s\"; GET /v1/actions lists them", action);
    if (!result && stored)
        return check_stored(app, text_of(cue, "speech"), error);
    if (result)
        return result;
    struct cp_speech_request speech = cp_app_speech_request(cue, channel);
    return cp_speech_check(app->speech, &speech, NULL, NULL, ret_warnings, error);
}

static int check_presenters(struct cp_app *app, const json_t *channel, struct cp_error *error)
{
    const json_t *several = json_object_get(channel, "presenters");
    size_t n = json_array_size(several);
    for (size_t i = 0; i < n; i++) {
        const char *id = json_string_value(json_array_get(several, i));
        if (!id || !*id || strlen(id) > 39)
            return cp_fail(error, CP_ERR_INVALID, "app", "presenters[%zu] has to be a presenter's id", i);
        int result = check_presenter(app, id, error);
        if (result)
            return result;
        for (size_t k = 0; k < i; k++)
            if (!strcmp(id, json_string_value(json_array_get(several, k))))
                return cp_fail(error, CP_ERR_INVALID, "app", "presenters: \"%s\" can stand there only once",
                               id);
    }
    return check_presenter(app, text_of(channel, "presenter"), error);
}

static int check_size(const json_t *channel, struct cp_error *error)
{
    const json_t *w = json_object_get(channel, "width"), *h = json_object_get(channel, "height");
    if (!w && !h)
        return 0;
    if (!w || !h)
        return cp_fail(error, CP_ERR_INVALID, "app", "width and height: give both");
    int64_t width = json_integer_value(w), height = json_integer_value(h);
    if (width % 2 || height % 2 || width < MIN_SIZE_PX || height < MIN_SIZE_PX || width * height > MAX_PIXELS)
        return cp_fail(
            error, CP_ERR_INVALID, "app",
            "width and height: even numbers from %d, at most %d pixels together (1920 x 1080, 1080 x 1920, "
            "1080 x 1080)",
            MIN_SIZE_PX, MAX_PIXELS);
    return 0;
}

int cp_app_check_channel(struct cp_app *app, const json_t *channel, struct cp_error *error)
{
    size_t i;
    json_t *cue;
    const struct cp_voice *voice;
    int result = check_set(NULL, channel, error);
    if (!result)
        result = check_scenery(app, NULL, channel, error);
    if (!result)
        result = check_size(channel, error);
    if (!result)
        result = check_music(app, channel, error);
    if (!result && (json_object_get(channel, "voice") || json_object_get(channel, "language")))
        result = cp_speech_find_voice(app->speech, text_of(channel, "voice"), text_of(channel, "language"),
                                      &voice, error);
    if (!result && *text_of(channel, "style") && !is_style(text_of(channel, "style")))
        result = cp_fail(error, CP_ERR_INVALID, "app", "style: there is no \"%s\"; GET /v1/styles lists them",
                         text_of(channel, "style"));
    if (!result)
        result = check_presenters(app, channel, error);
    json_array_foreach(json_object_get(json_object_get(channel, "rundown"), "cues"), i, cue)
    {
        struct cp_error cause;
        if (!result && (result = cp_app_check_cue(app, cue, channel, NULL, &cause)))
            cp_fail(error, result, "app", "rundown.cues[%zu]: %s", i, cause.text);
    }
    return result;
}
