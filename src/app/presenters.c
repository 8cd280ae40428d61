/* The presenters that this server can put on air: .glb files in one directory, named by their file. */
#include "app/app.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool find_directory(const struct cp_app_config *config, char *ret_path, size_t capacity)
{
    if (*config->channel.presenters) {
        snprintf(ret_path, capacity, "%s", config->channel.presenters);
        return true;
    }
    return cp_app_find_file("cast", ret_path, capacity);
}

static int is_glb(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && !strcmp(entry->d_name + length - 4, ".glb");
}

/* By the name without its ending: a presenter stands before their variants ("ava" before "ava--bun"). */
static int by_id(const struct dirent **a, const struct dirent **b)
{
    size_t length_a = strlen((*a)->d_name) - 4, length_b = strlen((*b)->d_name) - 4;
    int order = memcmp((*a)->d_name, (*b)->d_name, length_a < length_b ? length_a : length_b);
    return order ? order : (length_a > length_b) - (length_a < length_b);
}

/* The names of the .glb files, sorted. The caller frees each and the list. */
static int list_files(const struct cp_app_config *config, struct dirent ***ret_names)
{
    char directory[1024];
    return find_directory(config, directory, sizeof directory) ? scandir(directory, ret_names, is_glb, by_id)
                                                               : -1;
}

static void free_files(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    if (n >= 0)
        free(names);
}

#define VARIANT "--" /* between a presenter's name and the variant's */

static bool is_uploaded(const char *id)
{
    return !strncmp(id, "avt_", 4);
}

static bool is_path(const char *id)
{
    return strchr(id, '/') || strchr(id, '.');
}

static void title_of(const char *id, char title[256])
{
    snprintf(title, 256, "%s", id);
    title[0] = (char)toupper((unsigned char)title[0]);
    for (char *c = title; *c; c++)
        if (*c == '-' || *c == '_')
            *c = ' ';
}

const char *cp_app_voice_of(const char *presenter)
{
    static const struct {
        const char *presenter, *voice;
    } VOICES[] = {{"ava", "flite:slt"}, {"leo", "flite:rms"}, {"mira", "espeak:en-us"}};
    size_t length =
        strstr(presenter, VARIANT) ? (size_t)(strstr(presenter, VARIANT) - presenter) : strlen(presenter);
    for (size_t i = 0; i < sizeof VOICES / sizeof VOICES[0]; i++)
        if (strlen(VOICES[i].presenter) == length && !strncmp(VOICES[i].presenter, presenter, length))
            return VOICES[i].voice;
    return "";
}

static void add_uploaded(struct cp_store *store, json_t *list)
{
    json_t *avatars, *avatar;
    size_t i;
    if (!store || cp_asset_list(store, CP_ASSET_AVATAR, &avatars, NULL))
        return;
    json_array_foreach(avatars, i, avatar)
    {
        const char *id = json_string_value(json_object_get(avatar, "id"));
        json_array_append_new(list, json_pack("{s:s, s:O, s:s, s:[], s:b}", "id", id, "title",
                                              json_object_get(avatar, "name"), "voice", "", "variants",
                                              "uploaded", 1));
    }
    json_decref(avatars);
}

json_t *cp_app_list_presenters(const struct cp_app_config *config, struct cp_store *store)
{
    struct dirent **names = NULL;
    json_t *list = json_array(), *last = NULL;
    int n = list_files(config, &names);
    for (int i = 0; i < n; i++) {
        char id[256], title[256];
        snprintf(id, sizeof id, "%.*s", (int)strlen(names[i]->d_name) - 4, names[i]->d_name);
        const char *variant = strstr(id, VARIANT), *base = json_string_value(json_object_get(last, "id"));
        title_of(variant ? variant + strlen(VARIANT) : id, title);
        if (variant && base && strlen(base) == (size_t)(variant - id) && !strncmp(base, id, strlen(base))) {
            json_array_append_new(json_object_get(last, "variants"),
                                  json_pack("{s:s, s:s}", "id", id, "title", title));
            continue;
        }
        last = json_pack("{s:s, s:s, s:s, s:[], s:b}", "id", id, "title", title, "voice", cp_app_voice_of(id),
                         "variants", "uploaded", 0);
        json_array_append_new(list, last);
    }
    free_files(names, n);
    add_uploaded(store, list);
    return list;
}

void cp_app_first_presenter(const struct cp_app_config *config, char *ret_id, size_t capacity)
{
    struct dirent **names = NULL;
    int n = list_files(config, &names);
    snprintf(ret_id, capacity, "%.*s", n > 0 ? (int)strlen(names[0]->d_name) - 4 : 0,
             n > 0 ? names[0]->d_name : "");
    free_files(names, n);
}

int cp_app_find_presenter(const struct cp_app_config *config, struct cp_store *store, const char *id,
                          struct cp_error *error)
{
    struct dirent **names = NULL;
    bool known = false;
    if (is_uploaded(id)) {
        json_t *avatar;
        int result = cp_asset_get(store, CP_ASSET_AVATAR, id, &avatar, error);
        if (!result)
            json_decref(avatar);
        return result;
    }
    int n = list_files(config, &names);
    for (int i = 0; i < n; i++)
        known |= strlen(names[i]->d_name) == strlen(id) + 4 && !strncmp(names[i]->d_name, id, strlen(id));
    free_files(names, n);
    return known ? 0
                 : cp_fail(error, CP_ERR_NOT_FOUND, "app",
                           "there is no presenter \"%.60s\"; GET /v1/presenters lists them", id);
}

static int load_uploaded(struct cp_store *store, const char *id, struct cp_model **ret_model,
                         struct cp_error *error)
{
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES);
    int result = cp_asset_read(store, CP_ASSET_AVATAR, id, &bytes, NULL, error);
    if (!result)
        result = cp_avatar_load(bytes.data, bytes.length, id, ret_model, error);
    cp_buffer_free(&bytes);
    return result;
}

int cp_app_load_presenter(const struct cp_app_config *config, struct cp_store *store, const char *id,
                          struct cp_model **ret_model, struct cp_error *error)
{
    char directory[1024], path[1400], first[256] = "";
    if (is_uploaded(id) && store)
        return load_uploaded(store, id, ret_model, error);
    if (!store && is_path(id))
        return cp_avatar_load_file(id, ret_model, error);
    cp_app_first_presenter(config, first, sizeof first);
    if (!*first)
        return cp_fail(error, CP_ERR_NOT_FOUND, "app",
                       "no presenter is there: run `make build`, or name a directory of "
                       ".glb files with --channel-presenters");
    int result = *id ? cp_app_find_presenter(config, store, id, error) : 0;
    if (result)
        return result;
    find_directory(config, directory, sizeof directory);
    snprintf(path, sizeof path, "%s/%s.glb", directory, *id ? id : first);
    return cp_avatar_load_file(path, ret_model, error);
}
