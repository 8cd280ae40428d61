#include "app/motions.h"
#include "app/app.h"

#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char MARK_PREFIX[] = "action:";

struct entry { /* never changes while others can see it */
    char name[CP_MOTION_NAME_BYTES];
    struct cp_motion *motion; /* a reference */
    struct entry *next;       /* among the removed ones */
};

struct cp_motions {
    _Atomic(struct entry *) place[CP_ACTOR_MOTIONS];
    atomic_uint version;  /* counts changes of the places */
    atomic_int readers;   /* who looks at entries just now */
    pthread_mutex_t lock; /* of those who change the list; readers do not take it */
    struct entry *removed;
};

/* --- reading: between the two no entry is freed --- */

static void begin_reading(struct cp_motions *motions)
{
    atomic_fetch_add(&motions->readers, 1);
}

static void end_reading(struct cp_motions *motions)
{
    atomic_fetch_sub(&motions->readers, 1);
}

static const struct entry *find(struct cp_motions *motions, const char *name, int *ret_place)
{
    for (int i = 0; i < CP_ACTOR_MOTIONS; i++) {
        const struct entry *entry = atomic_load(&motions->place[i]);
        if (entry && !strcmp(entry->name, name)) {
            *ret_place = i;
            return entry;
        }
    }
    return NULL;
}

bool cp_motions_has(struct cp_motions *motions, const char *name)
{
    int place;
    if (!motions)
        return false;
    begin_reading(motions);
    bool has = find(motions, name, &place) != NULL;
    end_reading(motions);
    return has;
}

void cp_motions_teach(struct cp_motions *motions, struct cp_actor *actor, unsigned *known)
{
    unsigned version = motions ? atomic_load(&motions->version) : *known;
    if (version == *known)
        return;
    begin_reading(motions);
    for (int i = 0; i < CP_ACTOR_MOTIONS; i++) {
        const struct entry *entry = atomic_load(&motions->place[i]);
        cp_actor_set_motion(actor, i, entry ? entry->name : "", entry ? entry->motion : NULL);
    }
    end_reading(motions);
    *known = version; /* read before the places: a change since then is seen the next time */
}

void cp_motions_heard(struct cp_motions *motions, const struct cp_moment *moment,
                      char ret_name[CP_MOTION_NAME_BYTES])
{
    const struct cp_utterance *u = moment->utterance;
    int32_t from = moment->offset_samples, to = from + CP_SAMPLES_PER_FRAME;
    ret_name[0] = 0;
    for (size_t i = 0; motions && u && i < u->n_marks && u->marks[i].at_samples < to; i++) {
        const struct cp_mark *mark = &u->marks[i];
        if (mark->type != CP_MARK_NAMED || mark->at_samples < from)
            continue;
        bool prefixed = !strncmp(mark->name, MARK_PREFIX, sizeof MARK_PREFIX - 1);
        const char *name = mark->name + (prefixed ? sizeof MARK_PREFIX - 1 : 0);
        if (!cp_motions_has(motions, name))
            continue;
        memcpy(ret_name, name, strnlen(name, CP_MOTION_NAME_BYTES - 1) + 1);
        return;
    }
}

/* --- changing --- */

static void free_entry(struct entry *entry)
{
    cp_ref_drop(entry->motion);
    free(entry);
}

/* Frees what was removed and is neither looked at nor known to any actor. Nobody can come to know it any
 * more: it lies in no place, and who looked at the places before has ended. Called with the lock. */
static void sweep(struct cp_motions *motions)
{
    if (atomic_load(&motions->readers))
        return;
    for (struct entry **at = &motions->removed, *entry; (entry = *at);) {
        if (cp_ref_count(entry->motion) > 1) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        free_entry(entry);
    }
}

/* Called with the lock. */
static int check_new(struct cp_motions *motions, const char *name, int *ret_place, struct cp_error *error)
{
    size_t length = strlen(name);
    int at;
    if (!length || length >= CP_MOTION_NAME_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != length)
        return cp_fail(error, CP_ERR_INVALID, "app", "name: 1 to %d of a-z, 0-9, - and _",
                       CP_MOTION_NAME_BYTES - 1);
    for (const char *const *action = cp_actor_actions(); *action; action++)
        if (!strcmp(*action, name))
            return cp_fail(error, CP_ERR_EXISTS, "app",
                           "\"%s\" is a gesture that is built in; take another name", name);
    if (find(motions, name, &at))
        return cp_fail(error, CP_ERR_EXISTS, "app", "there is an action \"%s\" already; delete it first",
                       name);
    for (*ret_place = 0; *ret_place < CP_ACTOR_MOTIONS; ++*ret_place)
        if (!atomic_load(&motions->place[*ret_place]))
            return 0;
    return cp_fail(error, CP_ERR_LIMIT, "app", "at most %d motions are kept; delete one first",
                   CP_ACTOR_MOTIONS);
}

int cp_motions_check_new(struct cp_motions *motions, const char *name, struct cp_error *error)
{
    int place;
    pthread_mutex_lock(&motions->lock);
    int result = check_new(motions, name, &place, error);
    pthread_mutex_unlock(&motions->lock);
    return result;
}

int cp_motions_add(struct cp_motions *motions, const char *name, struct cp_motion *motion,
                   struct cp_error *error)
{
    struct entry *entry = calloc(1, sizeof *entry);
    int place;
    if (!entry)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    pthread_mutex_lock(&motions->lock);
    sweep(motions);
    int result = check_new(motions, name, &place, error);
    if (!result) {
        memcpy(entry->name, name, strlen(name));
        entry->motion = cp_ref_take(motion);
        atomic_store(&motions->place[place], entry);
        atomic_fetch_add(&motions->version, 1);
    } else {
        free(entry);
    }
    pthread_mutex_unlock(&motions->lock);
    return result;
}

void cp_motions_remove(struct cp_motions *motions, const char *name)
{
    int place;
    pthread_mutex_lock(&motions->lock);
    if (find(motions, name, &place)) {
        struct entry *entry = atomic_exchange(&motions->place[place], NULL);
        atomic_fetch_add(&motions->version, 1);
        entry->next = motions->removed;
        motions->removed = entry;
    }
    sweep(motions);
    pthread_mutex_unlock(&motions->lock);
}

/* --- start and stop --- */

static int load(struct cp_motions *motions, struct cp_store *store, const char *name, struct cp_error *error)
{
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES);
    struct cp_motion *motion = NULL;
    int result = cp_asset_read(store, CP_ASSET_MOTION, name, &bytes, NULL, error);
    if (!result)
        result = cp_motion_load(bytes.data, bytes.length, &motion, error);
    if (!result)
        result = cp_motions_add(motions, name, motion, error);
    cp_ref_drop(motion);
    cp_buffer_free(&bytes);
    return result;
}

int cp_motions_load(struct cp_motions *motions, struct cp_store *store, struct cp_error *error)
{
    json_t *list = NULL, *asset;
    size_t i;
    int result = cp_asset_list(store, CP_ASSET_MOTION, &list, error);
    json_array_foreach(list, i, asset)
    {
        const char *name = json_string_value(json_object_get(asset, "id"));
        struct cp_error why = {.text = ""};
        if (name && load(motions, store, name, &why))
            cp_log(CP_LOG_WARN, "app", "motion not loaded", "name=%s error=\"%s\"", name, why.text);
    }
    json_decref(list);
    return result;
}

int cp_motions_create(struct cp_motions **ret_motions, struct cp_error *error)
{
    struct cp_motions *motions = calloc(1, sizeof *motions);
    if (!motions)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    pthread_mutex_init(&motions->lock, NULL);
    *ret_motions = motions;
    return 0;
}

void cp_motions_destroy(struct cp_motions *motions)
{
    if (!motions)
        return;
    for (int i = 0; i < CP_ACTOR_MOTIONS; i++)
        if (motions->place[i])
            free_entry(motions->place[i]);
    for (struct entry *entry = motions->removed, *next; entry; entry = next) {
        next = entry->next;
        free_entry(entry);
    }
    pthread_mutex_destroy(&motions->lock);
    free(motions);
}
