/* `compere render`: text, SSML or a rundown -> MP4, or pictures with alpha and a WAV, faster than real time.
 */
#include "app/film/film.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what to say --- */

static char *read_text_file(const char *path, struct cp_error *error)
{
    enum { MOST = 4 << 20 };
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(MOST + 1) : NULL;
    size_t length = text ? fread(text, 1, MOST, file) : 0;
    if (!file)
        cp_fail(error, CP_ERR_IO, "render", "cannot read %s: %s", path, strerror(errno));
    else
        fclose(file);
    if (text)
        text[length] = 0;
    return text;
}

static int read_rundown(struct cp_film *film, const char *path, struct cp_error *error)
{
    json_error_t where;
    json_t *rundown = json_load_file(path, 0, &where);
    json_t *cues = json_is_array(rundown) ? rundown : json_object_get(rundown, "cues");
    if (!json_is_array(cues) || !json_array_size(cues) || json_array_size(cues) > CP_FILM_MAX_LINES) {
        json_decref(rundown);
        return cp_fail(error, CP_ERR_FORMAT, "render",
                       "%s must be JSON like {\"cues\":[{\"text\":\"Hello.\",\"camera\":\"close\"}]} with 1 "
                       "to %d cues%s%s",
                       path, CP_FILM_MAX_LINES, rundown ? "" : ": ", rundown ? "" : where.text);
    }
    film->cues = json_incref(cues);
    json_decref(rundown);
    return 0;
}

/* Presenters (one, or two with a comma between), scenery and size, as a channel would have them. */
static int read_stage(struct cp_film *film, const char *presenter, const json_t *scenery, const char *size,
                      struct cp_error *error)
{
    film->stage = json_deep_copy(scenery);
    if (size &&
        (sscanf(size, "%dx%d", &film->width, &film->height) != 2 || film->width % 2 || film->height % 2))
        return cp_fail(error, CP_ERR_INVALID, "render", "--size is WIDTHxHEIGHT, both even: 1920x1080");
    if (!presenter)
        return 0;
    json_t *several = json_array();
    for (const char *at = presenter; *at;) {
        size_t length = strcspn(at, ",");
        if (length > 255)
            return cp_fail(error, CP_ERR_LIMIT, "render",
                           "a presenter's name or path may have 255 bytes at most");
        json_array_append_new(several, json_stringn(at, length));
        at += length + (at[length] == ',');
    }
    json_object_set_new(film->stage, "presenters", several);
    if (json_array_size(several) > CP_SCENE_PRESENTERS)
        return cp_fail(error, CP_ERR_INVALID, "render", "two presenters at most");
    return 0;
}

/* A file here is told from an upload's id by a slash. */
static void name_file(const struct cp_film *film, const char *name, char path[256])
{
    bool is_id = film->store && !strncmp(name, "med_", 4);
    bool is_said = !*name || name[0] == '#' || strchr(name, '/') || !strcmp(name, CP_SHOW_SCREEN_CARD);
    snprintf(path, 256, "%s%s", is_id || is_said ? "" : "./", name);
}

/* The same for what a line, or the command's flags, show. */
static void name_files(const struct cp_film *film, json_t *line)
{
    static const char *const FIELD[] = {"background", "screen", "picture"};
    json_t *const object[] = {line, line, json_object_get(line, "card")};
    for (size_t i = 0; i < sizeof FIELD / sizeof FIELD[0]; i++) {
        const char *name = json_string_value(json_object_get(object[i], FIELD[i]));
        char path[256];
        if (!name)
            continue;
        name_file(film, name, path);
        json_object_set_new(object[i], FIELD[i], json_string(path));
    }
}

struct flags {
    const char *text, *ssml, *rundown, *voice, *camera, *emotion, *presenter, *set, *size, *light,
        *background, *screen, *threads, *style, *music;
    const char *motion[CP_ACTOR_MOTIONS]; /* NAME=FILE */
    int n_motions;
    bool has_data;
};

/* Takes the command's own flags out of argv; the rest is options. */
static void take_flags(struct cp_film *film, int *argc, char **argv, struct flags *ret)
{
    const char *motion = NULL;
    const struct {
        const char *flag, **value;
    } own[] = {
        {"--text", &ret->text},     {"--ssml", &ret->ssml},           {"--rundown", &ret->rundown},
        {"--voice", &ret->voice},   {"--camera", &ret->camera},       {"--emotion", &ret->emotion},
        {"-o", &film->output},      {"--presenter", &ret->presenter}, {"--set", &ret->set},
        {"--size", &ret->size},     {"--light", &ret->light},         {"--background", &ret->background},
        {"--screen", &ret->screen}, {"--threads", &ret->threads},     {"--motion", &motion},
        {"--style", &ret->style},   {"--music", &ret->music}};
    int left = 0;
    ret->has_data = getenv("COMPERE_DATA") != NULL;
    for (int i = 0; i < *argc; i++) {
        size_t k = 0;
        while (k < sizeof own / sizeof own[0] && strcmp(argv[i], own[k].flag))
            k++;
        ret->has_data |= !strncmp(argv[i], "--data", 6) || !strncmp(argv[i], "--store-directory", 17);
        if (k < sizeof own / sizeof own[0] && i + 1 < *argc) {
            *own[k].value = argv[++i];
            if (motion && ret->n_motions < CP_ACTOR_MOTIONS)
                ret->motion[ret->n_motions++] = motion;
            motion = NULL;
        } else {
            argv[left++] = argv[i];
        }
    }
    *argc = left;
}

static int read_line(struct cp_film *film, const struct flags *flags, struct cp_error *error)
{
    char *markup = flags->ssml ? read_text_file(flags->ssml, error) : NULL;
    if (flags->ssml && !markup)
        return CP_ERR_IO;
    json_t *cue = json_pack("{s:s}", flags->ssml ? "ssml" : "text", flags->ssml ? markup : flags->text);
    free(markup);
    if (!cue)
        return cp_fail(error, CP_ERR_INVALID, "render", "the text is not UTF-8");
    const struct {
        const char *field, *value;
    } said[] = {{"voice", flags->voice},
                {"camera", flags->camera},
                {"emotion", flags->emotion},
                {"style", flags->style}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (said[i].value)
            json_object_set_new(cue, said[i].field, json_string(said[i].value));
    film->cues = json_array();
    json_array_append_new(film->cues, cue);
    return 0;
}

static int read_threads(struct cp_film *film, const char *threads, struct cp_error *error)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    char *end;
    film->threads = n < 1 ? 1 : n < 8 ? n : 8;
    if (threads) {
        film->threads = strtol(threads, &end, 10);
        if (*end || film->threads < 1 || film->threads > CP_DRAWERS_MAX)
            return cp_fail(error, CP_ERR_INVALID, "render", "--threads is 1 to %d", CP_DRAWERS_MAX);
    }
    return 0;
}

static int read_flags(struct cp_film *film, const struct flags *flags, struct cp_error *error)
{
    json_t *scenery =
        json_pack("{s:s, s:s, s:s, s:s}", "set", flags->set ? flags->set : "", "light",
                  flags->light ? flags->light : "", "background", flags->background ? flags->background : "",
                  "screen", flags->screen ? flags->screen : "");
    int result = read_stage(film, flags->presenter, scenery, flags->size, error);
    json_decref(scenery);
    if (!result)
        result = read_threads(film, flags->threads, error);
    if (result)
        return result;
    if (!film->output || !flags->text + !flags->ssml + !flags->rundown != 2)
        return cp_fail(
            error, CP_ERR_INVALID, "render",
            "usage: compere render (--text T | --ssml FILE | --rundown FILE.json) [--presenter P] [--voice "
            "V] "
            "[--set S] [--light L] [--background FILE|#rrggbb] [--screen FILE] [--camera C] [--emotion E] "
            "[--style news] [--music FILE] [--motion NAME=FILE] [--data DIR] [--size 1920x1080] [--threads "
            "N] "
            "-o out.mp4 (or out.png: pictures with alpha, and out.wav); P is a presenter, "
            "the path of an avatar's file, or two of them with a comma between; --data gives what was "
            "uploaded "
            "to a server");
    return flags->rundown ? read_rundown(film, flags->rundown, error) : read_line(film, flags, error);
}

/* --- what it is made with --- */

static int open_uploads(struct cp_film *film, struct cp_error *error)
{
    const char *directory = film->config.store.directory;
    if (access(directory, R_OK | X_OK))
        return cp_fail(error, CP_ERR_NOT_FOUND, "render", "there is no data directory %s: %s", directory,
                       strerror(errno));
    int result = cp_store_open(&film->config.store, &film->store, error);
    return result ? result : cp_motions_load(film->motions, film->store, error);
}

static int add_motion(struct cp_film *film, const char *flag, struct cp_error *error)
{
    struct cp_motion *motion = NULL;
    char name[CP_MOTION_NAME_BYTES + 1];
    const char *equals = strchr(flag, '=');
    if (!equals)
        return cp_fail(error, CP_ERR_INVALID, "render", "--motion is NAME=FILE: bow=./bow.vrma");
    snprintf(name, sizeof name, "%.*s", (int)(equals - flag), flag);
    int result = cp_motions_check_new(film->motions, name, error);
    if (!result)
        result = cp_motion_load_file(equals + 1, &motion, error);
    if (!result)
        result = cp_motions_add(film->motions, name, motion, error);
    cp_ref_drop(motion);
    return result;
}

/* What would otherwise be found out in the middle of the drawing. */
static int check_line(const struct cp_film *film, const json_t *cue, struct cp_error *error)
{
    const char *set = json_string_value(json_object_get(cue, "set"));
    const char *light = json_string_value(json_object_get(cue, "light"));
    const char *action = json_string_value(json_object_get(cue, "action"));
    if (set && !cp_render_find_set(set))
        return cp_fail(error, CP_ERR_NOT_FOUND, "render", "there is no set \"%.60s\"", set);
    if (light && !cp_render_is_light(light))
        return cp_fail(error, CP_ERR_NOT_FOUND, "render", "there is no light \"%.60s\"", light);
    for (const char *const *known = cp_actor_actions(); action && *known; known++)
        if (!strcmp(*known, action))
            action = NULL;
    if (action && *action && !cp_motions_has(film->motions, action))
        return cp_fail(error, CP_ERR_NOT_FOUND, "render",
                       "there is no action \"%.60s\"; --motion and --data bring more", action);
    return 0;
}

static int prepare(struct cp_film *film, const struct flags *flags, struct cp_error *error)
{
    size_t l;
    json_t *cue;
    if (!film->width) {
        film->width = (int)film->config.channel.width & ~1;
        film->height = (int)film->config.channel.height & ~1;
    }
    /* A coder's threads slice pictures up: only where there are cores that drawing leaves. */
    film->config.encode.threads = film->threads > 2 ? (int)(film->threads + 1) / 2 : 1;
    int result = cp_motions_create(&film->motions, error);
    if (!result && flags->has_data)
        result = open_uploads(film, error);
    for (int i = 0; i < flags->n_motions && !result; i++)
        result = add_motion(film, flags->motion[i], error);
    film->music_path = flags->music;
    if (!result)
        result = cp_film_open_music(film, error);
    name_files(film, film->stage);
    json_array_foreach(film->cues, l, cue)
    {
        struct cp_error cause = {.text = ""};
        name_files(film, cue);
        if (!result && (result = check_line(film, cue, &cause)))
            cp_fail(error, result, "render", "line %zu: %s", l + 1, cause.text);
    }
    return result;
}

/* --- the whole --- */

static int render_all(struct cp_film *film, struct cp_error *error)
{
    int result = cp_film_speak(film, error);
    if (!result)
        result = cp_film_open(film, error);
    if (!result)
        result = cp_film_prepare(film, error);
    if (!result)
        result = cp_film_start_writer(film, error);
    if (result)
        return result;
    result = cp_film_play(film, error);
    pthread_join(film->writer, NULL);
    if (!result && (result = atomic_load(&film->write_result)))
        *error = film->write_error;
    int closed = cp_film_close(film, result ? NULL : error);
    return result ? result : closed;
}

static void free_film(struct cp_film *film)
{
    cp_speech_destroy(film->speech);
    for (int i = 0; i < film->n_lines; i++) {
        for (int k = 0; k < film->lines[i].n; k++)
            cp_ref_drop(film->lines[i].utterances[k]);
        free(film->lines[i].utterances);
    }
    cp_drawers_destroy(film->drawers);
    film->drawers = NULL;
    cp_film_drop_stages(film);
    cp_ref_drop(film->performer.kept);
    cp_cards_destroy(film->performer.cards);
    cp_motions_destroy(film->motions);
    cp_ref_drop(film->music);
    cp_venc_destroy(film->venc);
    cp_aenc_destroy(film->aac);
    cp_film_close(film, NULL);
    cp_store_close(film->store);
    json_decref(film->stage);
    json_decref(film->cues);
    free(film);
}

int cp_cmd_render(int argc, char **argv)
{
    struct cp_error error = {.text = ""};
    struct cp_film *film = calloc(1, sizeof *film);
    struct flags flags = {NULL};
    int left = 0;
    if (!film)
        return 1;
    pthread_mutex_init(&film->lock, NULL);
    pthread_cond_init(&film->spoken, NULL);
    bool help = argc > 0 && !strcmp(argv[0], "--help");
    take_flags(film, &argc, argv, &flags);
    int result = help ? 0 : read_flags(film, &flags, &error);
    if (!result)
        result = cp_app_configure(&film->config, argc, argv, &left, &error);
    if (!result && left)
        result = cp_fail(&error, CP_ERR_INVALID, "render", "\"%s\" is not an option; see --help", argv[0]);
    if (!result)
        result = prepare(film, &flags, &error);
    if (!result)
        result = render_all(film, &error);
    if (result)
        fprintf(stderr, "compere: %s\n", error.text);
    else
        fprintf(stderr, "%s: %.1f s\n", film->output, (double)film->frames_total / CP_FRAME_HZ);
    free_film(film);
    return result == CP_ERR_INVALID ? 2 : result ? 1 : 0;
}
