/*
 * Halves of voice files: objects whose record is gone and records whose objects are. They come from a crash
 * between the two writes, from a delete whose second half failed, or from somebody's hand in the bucket.
 * What is younger than the grace time may be on its way and is left alone.
 */
#include "app/library/library.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct cp_store *store;
    int64_t before_wall_ns; /* what is younger is left alone */
    bool remove;
    void (*told)(void *user, const char *what, const char *key);
    void *user;
    struct cp_orphans found;
};

static void tell(struct search *search, const char *what, const char *key)
{
    if (search->told)
        search->told(search->user, what, key);
}

static bool has_record(struct search *search, const char *key, struct cp_error *error, int *result)
{
    char id[CP_SPEECH_ID_BYTES];
    const char *name = key + strlen(CP_LIBRARY_OBJECTS);
    struct cp_record record;
    size_t length = strcspn(name, ".");
    if (length >= sizeof id || !length)
        return false;
    snprintf(id, sizeof id, "%.*s", (int)length, name);
    *result = cp_store_get(search->store, CP_LIBRARY_RECORDS, id, &record, error);
    if (!*result)
        cp_record_clear(&record);
    bool is_there = *result != CP_ERR_NOT_FOUND;
    if (*result == CP_ERR_NOT_FOUND)
        *result = 0;
    return is_there;
}

static int find_objects(struct search *search, struct cp_error *error)
{
    char cursor[CP_STORE_CURSOR_BYTES] = "";
    int result = 0;
    do {
        struct cp_object_info *infos = NULL;
        int n = 0;
        result = cp_store_object_list(search->store, CP_LIBRARY_OBJECTS, *cursor ? cursor : NULL, 500, &infos,
                                      &n, cursor, error);
        for (int i = 0; i < n && !result; i++) {
            if (infos[i].modified_wall_ns > search->before_wall_ns ||
                has_record(search, infos[i].key, error, &result))
                continue;
            search->found.objects++;
            tell(search, "object without a record", infos[i].key);
            if (search->remove && !cp_store_object_delete(search->store, infos[i].key, NULL))
                search->found.removed++;
        }
        free(infos);
    } while (!result && *cursor);
    return result;
}

/* The time in an id ("sp_" and 11 hexadecimal digits of milliseconds); ids of before had none and are old. */
static int64_t made_at_ns(const char *id)
{
    unsigned long long ms = 0;
    if (strlen(id) < 40 || sscanf(id, "sp_%11llx", &ms) != 1)
        return 0;
    return (int64_t)ms * CP_NS_PER_MS;
}

static int look_at_record(struct search *search, const struct cp_record *record, struct cp_error *error)
{
    json_t *speech = json_loads(record->json, 0, NULL);
    struct cp_object_info info;
    char key[80];
    cp_library_object_key(record->key, cp_sound_format_ending(cp_library_kept_format(speech)), key);
    json_decref(speech);
    int result = cp_store_object_info(search->store, key, &info, error);
    if (result != CP_ERR_NOT_FOUND)
        return result;
    search->found.records++;
    tell(search, "record without its object", record->key);
    if (search->remove &&
        !cp_store_delete_if(search->store, CP_LIBRARY_RECORDS, record->key, record->version, NULL))
        search->found.removed++;
    return 0;
}

static int find_records(struct search *search, struct cp_error *error)
{
    struct cp_query query = {.partition = CP_LIBRARY_RECORDS, .limit = 500};
    char cursor[CP_STORE_CURSOR_BYTES] = "";
    int result = 0;
    do {
        struct cp_query_result page;
        query.cursor = *cursor ? cursor : NULL;
        result = cp_store_query(search->store, &query, &page, error);
        if (result)
            break;
        for (int i = 0; i < page.n_records && !result; i++)
            if (made_at_ns(page.records[i].key) <= search->before_wall_ns)
                result = look_at_record(search, &page.records[i], error);
        snprintf(cursor, sizeof cursor, "%s", page.cursor);
        cp_query_result_clear(&page);
    } while (!result && *cursor);
    return result;
}

int cp_library_find_orphans(struct cp_store *store, int64_t grace_s, bool remove,
                            void (*told)(void *user, const char *what, const char *key), void *user,
                            struct cp_orphans *ret_orphans, struct cp_error *error)
{
    struct search search = {.store = store,
                            .before_wall_ns = cp_clock_wall_ns() - grace_s * CP_NS_PER_S,
                            .remove = remove,
                            .told = told,
                            .user = user};
    int result = find_records(&search, error); /* a record that goes leaves its marks to the second look */
    if (!result)
        result = find_objects(&search, error);
    if (!result)
        *ret_orphans = search.found;
    return result;
}
