#include "app/motions.h"
#include "app/app.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define MOST 32 /* what an actor takes */

static const char MARK_PREFIX[] = "action:";

struct cp_motions {
    struct {
        char name[CP_MOTION_NAME_BYTES];
        struct cp_motion *motion;
        atomic_bool removed;
    } entry[MOST];
    atomic_int n; /* an entry is written before it is counted, and never changes after */
};

/* The place of the one that may be named, or -1. */
static int find(struct cp_motions *motions, const char *name, size_t length)
{
    for (int i = 0, n = atomic_load(&motions->n); i < n; i++)
        if (strlen(motions->entry[i].name) == length && !memcmp(motions->entry[i].name, name, length) &&
            !atomic_load(&motions->entry[i].removed))
            return i;
    return -1;
}

bool cp_motions_has(struct cp_motions *motions, const char *name)
{
    return motions && find(motions, name, strlen(name)) >= 0;
}

int cp_motions_check_new(struct cp_motions *motions, const char *name, struct cp_error *error)
{
    size_t length = strlen(name);
    if (!length || length >= CP_MOTION_NAME_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != length)
        return cp_fail(error, CP_ERR_INVALID, "app", "name: 1 to %d of a-z, 0-9, - and _",
                       CP_MOTION_NAME_BYTES - 1);
    for (const char *const *action = cp_actor_actions(); *action; action++)
        if (!strcmp(*action, name))
            return cp_fail(error, CP_ERR_EXISTS, "app",
                           "\"%s\" is a gesture that is built in; take another name", name);
    if (find(motions, name, length) >= 0)
        return cp_fail(error, CP_ERR_EXISTS, "app", "there is an action \"%s\" already; delete it first",
                       name);
    if (atomic_load(&motions->n) == MOST)
        return cp_fail(error, CP_ERR_LIMIT, "app",
                       "at most %d motions are kept, those counted that were removed since the start", MOST);
    return 0;
}

void cp_motions_add(struct cp_motions *motions, const char *name, struct cp_motion *motion)
{
    int n = atomic_load(&motions->n);
    if (n == MOST)
        return;
    memcpy(motions->entry[n].name, name, strnlen(name, CP_MOTION_NAME_BYTES - 1));
    motions->entry[n].motion = cp_ref_take(motion);
    atomic_store(&motions->n, n + 1);
}

void cp_motions_remove(struct cp_motions *motions, const char *name)
{
    int at = find(motions, name, strlen(name));
    if (at >= 0)
        atomic_store(&motions->entry[at].removed, true);
}

void cp_motions_teach(struct cp_motions *motions, struct cp_actor *actor, int *known)
{
    for (int n = motions ? atomic_load(&motions->n) : 0; *known < n; ++*known)
        cp_actor_add_motion(actor, motions->entry[*known].name, motions->entry[*known].motion, NULL);
}

const char *cp_motions_heard(struct cp_motions *motions, const struct cp_moment *moment)
{
    const struct cp_utterance *u = moment->utterance;
    int32_t from = moment->offset_samples, to = from + CP_SAMPLES_PER_FRAME;
    for (size_t i = 0; motions && u && i < u->n_marks && u->marks[i].at_samples < to; i++) {
        const struct cp_mark *mark = &u->marks[i];
        if (mark->type != CP_MARK_NAMED || mark->at_samples < from)
            continue;
        bool prefixed = !strncmp(mark->name, MARK_PREFIX, sizeof MARK_PREFIX - 1);
        const char *name = mark->name + (prefixed ? sizeof MARK_PREFIX - 1 : 0);
        int at = find(motions, name, strlen(name));
        if (at >= 0)
            return motions->entry[at].name;
    }
    return "";
}

static int load(struct cp_motions *motions, struct cp_store *store, const char *name, struct cp_error *error)
{
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES);
    struct cp_motion *motion = NULL;
    int result = cp_asset_read(store, CP_ASSET_MOTION, name, &bytes, NULL, error);
    if (!result)
        result = cp_motion_load(bytes.data, bytes.length, &motion, error);
    if (!result)
        cp_motions_add(motions, name, motion);
    cp_ref_drop(motion);
    cp_buffer_free(&bytes);
    return result;
}

int cp_motions_create(struct cp_store *store, struct cp_motions **ret_motions, struct cp_error *error)
{
    struct cp_motions *motions = calloc(1, sizeof *motions);
    json_t *list = NULL, *asset;
    size_t i;
    if (!motions)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result = cp_asset_list(store, CP_ASSET_MOTION, &list, error);
    json_array_foreach(list, i, asset)
    {
        const char *name = json_string_value(json_object_get(asset, "id"));
        struct cp_error why = {.text = ""};
        if (name && load(motions, store, name, &why))
            cp_log(CP_LOG_WARN, "app", "motion not loaded", "name=%s error=\"%s\"", name, why.text);
    }
    json_decref(list);
    if (result)
        cp_motions_destroy(motions);
    else
        *ret_motions = motions;
    return result;
}

void cp_motions_destroy(struct cp_motions *motions)
{
    if (!motions)
        return;
    for (int i = 0, n = atomic_load(&motions->n); i < n; i++)
        cp_ref_drop(motions->entry[i].motion);
    free(motions);
}
