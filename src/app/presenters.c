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

/* The names of the .glb files, sorted. The caller frees each and the list. */
static int list_files(const struct cp_app_config *config, struct dirent ***ret_names)
{
    char directory[1024];
    return find_directory(config, directory, sizeof directory)
               ? scandir(directory, ret_names, is_glb, alphasort)
               : -1;
}

static void free_files(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    if (n >= 0)
        free(names);
}

json_t *cp_app_list_presenters(const struct cp_app_config *config)
{
    struct dirent **names = NULL;
    json_t *list = json_array();
    int n = list_files(config, &names);
    for (int i = 0; i < n; i++) {
        char id[256], title[256];
        snprintf(id, sizeof id, "%.*s", (int)strlen(names[i]->d_name) - 4, names[i]->d_name);
        snprintf(title, sizeof title, "%s", id);
        title[0] = (char)toupper((unsigned char)title[0]);
        json_array_append_new(list, json_pack("{s:s, s:s}", "id", id, "title", title));
    }
    free_files(names, n);
    return list;
}

int cp_app_load_presenter(const struct cp_app_config *config, const char *id, struct cp_model **ret_model,
                          struct cp_error *error)
{
    char directory[1024], path[1400], first[256] = "";
    struct dirent **names = NULL;
    int n = list_files(config, &names);
    if (n > 0)
        snprintf(first, sizeof first, "%.*s", (int)strlen(names[0]->d_name) - 4, names[0]->d_name);
    bool known = false;
    for (int i = 0; i < n; i++)
        known |= strlen(names[i]->d_name) == strlen(id) + 4 && !strncmp(names[i]->d_name, id, strlen(id));
    free_files(names, n);
    if (!*first)
        return cp_fail(error, CP_ERR_NOT_FOUND, "app",
                       "no presenter is there: run `make build`, or name a directory of "
                       ".glb files with --channel-presenters");
    if (*id && !known)
        return cp_fail(error, CP_ERR_NOT_FOUND, "app",
                       "there is no presenter \"%.60s\"; GET /v1/presenters lists them", id);
    find_directory(config, directory, sizeof directory);
    snprintf(path, sizeof path, "%s/%s.glb", directory, *id ? id : first);
    return cp_avatar_load_file(path, ret_model, error);
}
