/* Channels: their records, their place in the table, and what outlives a restart. */
#include "show/show_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS "channels"
#define CURSORS  "cursors"

static bool is_id(const char *text)
{
    size_t length = strlen(text);
    for (const char *c = text; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
            return false;
    return length >= 1 && length <= 32 && text[0] != '-';
}

int cp_channel_rundown_size(const struct channel *channel, bool *ret_loop)
{
    const json_t *rundown = json_object_get(channel->spec, "rundown");
    *ret_loop = json_is_true(json_object_get(rundown, "loop"));
    return (int)json_array_size(json_object_get(rundown, "cues"));
}

const char *cp_channel_text(const struct channel *channel, const char *field)
{
    const char *text = json_string_value(json_object_get(channel->spec, field));
    return text ? text : "";
}

void cp_channel_save_cursor(struct channel *channel)
{
    char text[96];
    struct cp_error error;
    snprintf(text, sizeof text, "{\"item\":%d,\"sentence\":%d}", channel->rundown_item,
             channel->rundown_sentence);
    if (cp_store_put_if(channel->show->store, CURSORS, channel->id, text, CP_STORE_ANY_VERSION, 0, NULL,
                        &error))
        cp_log(CP_LOG_WARN, "show", "rundown place not kept", "channel=%s error=\"%s\"", channel->id,
               error.text);
}

static void load_cursor(struct channel *channel)
{
    struct cp_record record;
    if (cp_store_get(channel->show->store, CURSORS, channel->id, &record, NULL))
        return;
    json_t *cursor = json_loads(record.json, 0, NULL);
    bool loop;
    int item = (int)json_integer_value(json_object_get(cursor, "item"));
    if (item >= 0 && item < cp_channel_rundown_size(channel, &loop)) {
        channel->rundown_item = item;
        channel->rundown_sentence = (int)json_integer_value(json_object_get(cursor, "sentence"));
    }
    json_decref(cursor);
    cp_record_clear(&record);
}

/* Takes up the cues that waited or were being spoken when the program ended, in their order. */
static int load_cues(struct channel *channel, struct cp_error *error)
{
    char partition[64], cursor[CP_STORE_CURSOR_BYTES] = "";
    snprintf(partition, sizeof partition, "cues/%s", channel->id);
    do {
        struct cp_query query = {.partition = partition, .limit = 1000, .cursor = *cursor ? cursor : NULL};
        struct cp_query_result page;
        int result = cp_store_query(channel->show->store, &query, &page, error);
        if (result)
            return result;
        for (int i = 0; i < page.n_records; i++) {
            json_t *cue = json_loads(page.records[i].json, 0, NULL);
            if (cue && !cp_cue_is_finished(cue)) {
                json_object_set_new(cue, "state", json_string("queued"));
                json_object_del(cue, "open"); /* nobody writes it any more */
                cp_cue_activate(channel, cue);
            }
            json_decref(cue);
        }
        memcpy(cursor, page.cursor, sizeof cursor);
        cp_query_result_clear(&page);
    } while (*cursor);
    return 0;
}

/* Makes the channel and puts it into the table. spec is stolen. thread: show, or before it starts */
static struct channel *add_channel(struct cp_show *show, const char *id, json_t *spec, struct cp_error *error)
{
    int slot = 0;
    while (slot < MAX_CHANNELS && show->channels[slot])
        slot++;
    struct channel *channel = slot < MAX_CHANNELS ? calloc(1, sizeof *channel) : NULL;
    if (!channel) {
        cp_fail(error, CP_ERR_LIMIT, "show", "there are %d channels already; delete one first", MAX_CHANNELS);
        json_decref(spec);
        return NULL;
    }
    char label[96], both[128];
    channel->show = show;
    channel->spec = spec;
    snprintf(channel->id, sizeof channel->id, "%s", id);
    cp_observe_label(label, sizeof label, "channel", id);
    snprintf(both, sizeof both, "%s,state=\"done\"", label);
    channel->cues_done = cp_counter(show->observe, "compere_cues_total", both, "Cues that ended, by how");
    snprintf(both, sizeof both, "%s,state=\"failed\"", label);
    channel->cues_failed = cp_counter(show->observe, "compere_cues_total", both, "Cues that ended, by how");
    snprintf(both, sizeof both, "%s,state=\"cut\"", label);
    channel->cues_cut = cp_counter(show->observe, "compere_cues_total", both, "Cues that ended, by how");
    snprintf(both, sizeof both, "%s,step=\"asked\"", label);
    channel->asked = cp_histogram(show->observe, "compere_step_seconds", both, "Time spent in a step");
    snprintf(both, sizeof both, "%s,step=\"spoken\"", label);
    channel->spoken = cp_histogram(show->observe, "compere_step_seconds", both, "Time spent in a step");
    channel->depth = cp_gauge(show->observe, "compere_cues_waiting", label, "Cues waiting to be spoken");
    pthread_mutex_lock(&show->lock);
    show->channels[slot] = channel;
    json_decref(show->active[slot]);
    show->active[slot] = json_object();
    pthread_mutex_unlock(&show->lock);
    return channel;
}

int cp_channel_load_all(struct cp_show *show, struct cp_error *error)
{
    struct cp_query query = {.partition = CHANNELS, .limit = MAX_CHANNELS};
    struct cp_query_result page;
    int result = cp_store_query(show->store, &query, &page, error);
    for (int i = 0; !result && i < page.n_records; i++) {
        json_t *spec = json_loads(page.records[i].json, 0, NULL);
        struct channel *channel = spec ? add_channel(show, page.records[i].key, spec, error) : NULL;
        if (!channel)
            continue;
        load_cursor(channel);
        result = load_cues(channel, error);
    }
    if (!result || page.n_records)
        cp_query_result_clear(&page);
    return result;
}

void cp_channel_free(struct channel *channel)
{
    for (int i = 0; i < channel->n_waiting; i++)
        json_decref(channel->waiting[i]);
    free(channel->waiting);
    json_decref(channel->spec);
    free(channel);
}

void cp_channel_publish(struct channel *channel)
{
    const struct line *line = channel->on_air;
    struct channel_state now;
    memset(&now, 0, sizeof now); /* all of it is compared */
    if (line && line->is_cue)
        snprintf(now.cue, sizeof now.cue, "%s", line->id);
    now.rundown_item = line && !line->is_cue ? line->rundown_item : channel->rundown_item;
    now.n_waiting = channel->n_waiting;
    if (!memcmp(&now, &channel->shown, sizeof now))
        return;
    pthread_mutex_lock(&channel->show->lock);
    channel->shown = now;
    pthread_mutex_unlock(&channel->show->lock);
}

/* What the API shows: the record and what is happening. Call under the lock. */
static json_t *describe(const struct channel *channel)
{
    json_t *json = json_deep_copy(channel->spec), *state = json_object();
    const struct channel_state *shown = &channel->shown;
    bool speaking = channel->door && atomic_load(&channel->door->speaking);
    json_object_set_new(state, "on_air", json_boolean(channel->door != NULL));
    json_object_set_new(state, "attention", json_string(speaking ? "speaking" : "idle"));
    json_object_set_new(state, "cue", *shown->cue ? json_string(shown->cue) : json_null());
    json_object_set_new(state, "rundown_item", json_integer(shown->rundown_item));
    json_object_set_new(state, "waiting", json_integer(shown->n_waiting));
    json_object_set_new(json, "state", state);
    return json;
}

static int save(struct cp_show *show, const char *id, const json_t *spec, int64_t if_version,
                struct cp_error *error)
{
    char *text = json_dumps(spec, JSON_COMPACT);
    if (!text)
        return cp_fail(error, CP_ERR_NOMEM, "show", "out of memory");
    int result = cp_store_put_if(show->store, CHANNELS, id, text, if_version, 0, NULL, error);
    free(text);
    return result;
}

static int check_rundown(const json_t *spec, struct cp_error *error)
{
    size_t i;
    json_t *cue;
    json_array_foreach(json_object_get(json_object_get(spec, "rundown"), "cues"), i, cue)
    {
        if (!cp_cue_has_words(cue))
            return cp_fail(error, CP_ERR_INVALID, "show",
                           "rundown.cues[%zu] needs either \"text\", \"ssml\" or \"speech\"", i);
    }
    return 0;
}

struct channel_args {
    const char *id;
    const json_t *changes;
    json_t *result;
};

static int work_create(struct cp_show *show, void *args, struct cp_error *error)
{
    struct channel_args *a = args;
    const char *id = json_string_value(json_object_get(a->changes, "id"));
    if (!id || !is_id(id))
        return cp_fail(error, CP_ERR_INVALID, "show", "id: 1 to 32 of a-z, 0-9 and -, not starting with -");
    int result = check_rundown(a->changes, error);
    if (!result && cp_show_find(show, id))
        result = cp_fail(error, CP_ERR_EXISTS, "show", "the channel \"%s\" is there already", id);
    if (!result)
        result = save(show, id, a->changes, CP_STORE_MUST_BE_NEW, error);
    if (result)
        return result;
    struct channel *channel = add_channel(show, id, json_deep_copy(a->changes), error);
    if (!channel) {
        cp_store_delete_if(show->store, CHANNELS, id, CP_STORE_ANY_VERSION, NULL);
        return CP_ERR_LIMIT;
    }
    cp_channel_publish(channel);
    a->result = describe(channel);
    return 0;
}

static int work_patch(struct cp_show *show, void *args, struct cp_error *error)
{
    struct channel_args *a = args;
    struct channel *channel = cp_show_find(show, a->id);
    if (!channel)
        return cp_show_no_channel(a->id, error);
    int result = check_rundown(a->changes, error);
    json_t *spec = json_deep_copy(channel->spec);
    if (!result) {
        /* One presenter or several: the one names takes the place of the other. */
        if (json_object_get(a->changes, "presenter"))
            json_object_del(spec, "presenters");
        else if (json_object_get(a->changes, "presenters"))
            json_object_del(spec, "presenter");
        json_object_update(spec, (json_t *)a->changes);
        json_object_set_new(spec, "id", json_string(channel->id));
        result = save(show, channel->id, spec, CP_STORE_ANY_VERSION, error);
    }
    if (result) {
        json_decref(spec);
        return result;
    }
    pthread_mutex_lock(&show->lock);
    json_t *before = channel->spec;
    channel->spec = spec;
    pthread_mutex_unlock(&show->lock);
    json_decref(before);
    if (json_object_get(a->changes, "rundown")) { /* it begins anew; a line of the old one is ended */
        channel->rundown_item = channel->rundown_sentence = 0;
        channel->rundown_retry_ns = channel->rundown_failures = 0;
        cp_director_rundown_changed(channel);
        cp_channel_save_cursor(channel);
    }
    cp_channel_publish(channel);
    a->result = describe(channel);
    return 0;
}

static int work_delete(struct cp_show *show, void *args, struct cp_error *error)
{
    struct channel_args *a = args;
    struct channel *channel = cp_show_find(show, a->id);
    if (!channel)
        return cp_show_no_channel(a->id, error);
    if (channel->door)
        return cp_fail(error, CP_ERR_EXISTS, "show", "the channel is on air; it must stop first");
    int result = cp_store_delete_if(show->store, CHANNELS, channel->id, CP_STORE_ANY_VERSION, error);
    if (result)
        return result;
    cp_store_delete_if(show->store, CURSORS, channel->id, CP_STORE_ANY_VERSION, NULL);
    cp_director_drop_lines(channel);
    pthread_mutex_lock(&show->lock);
    for (int i = 0; i < MAX_CHANNELS; i++)
        if (show->channels[i] == channel)
            show->channels[i] = NULL;
    pthread_mutex_unlock(&show->lock);
    cp_channel_free(channel);
    return 0;
}

int cp_show_channel_create(struct cp_show *show, const json_t *spec, json_t **ret_channel,
                           struct cp_error *error)
{
    struct channel_args args = {.changes = spec};
    int result = cp_show_call(show, work_create, &args, error);
    if (!result)
        *ret_channel = args.result;
    return result;
}

int cp_show_channel_patch(struct cp_show *show, const char *channel, const json_t *changes,
                          json_t **ret_channel, struct cp_error *error)
{
    struct channel_args args = {.id = channel, .changes = changes};
    int result = cp_show_call(show, work_patch, &args, error);
    if (!result)
        *ret_channel = args.result;
    return result;
}

int cp_show_channel_delete(struct cp_show *show, const char *channel, struct cp_error *error)
{
    return cp_show_call(show, work_delete, &(struct channel_args){.id = channel}, error);
}

int cp_show_channel_get(struct cp_show *show, const char *id, json_t **ret_channel, struct cp_error *error)
{
    pthread_mutex_lock(&show->lock);
    struct channel *channel = cp_show_find(show, id);
    json_t *json = channel ? describe(channel) : NULL;
    pthread_mutex_unlock(&show->lock);
    if (!json)
        return cp_show_no_channel(id, error);
    *ret_channel = json;
    return 0;
}

int cp_show_channel_list(struct cp_show *show, json_t **ret_list, struct cp_error *error)
{
    json_t *list = json_array();
    pthread_mutex_lock(&show->lock);
    for (int i = 0; i < MAX_CHANNELS; i++)
        if (show->channels[i])
            json_array_append_new(list, describe(show->channels[i]));
    pthread_mutex_unlock(&show->lock);
    *ret_list = list;
    return 0;
}

/* --- the door --- */

struct door_args {
    const char *id;
    const struct cp_show_stager *stager;
    struct cp_stage_door *door;
};

static int work_enter(struct cp_show *show, void *args, struct cp_error *error)
{
    struct door_args *a = args;
    struct channel *channel = cp_show_find(show, a->id);
    if (!channel)
        return cp_show_no_channel(a->id, error);
    if (channel->door)
        return cp_fail(error, CP_ERR_EXISTS, "show", "the channel \"%s\" is on air already", a->id);
    struct cp_stage_door *door = calloc(1, sizeof *door);
    if (!door)
        return cp_fail(error, CP_ERR_NOMEM, "show", "out of memory");
    door->show = show;
    door->channel = channel;
    door->cut_at = -1;
    if (a->stager)
        door->stager = *a->stager;
    door->down = cp_ring_create(DOOR_ITEMS, NULL);
    door->up = cp_ring_create((size_t)4 * DOOR_ITEMS, NULL);
    pthread_mutex_lock(&show->lock);
    channel->door = door;
    pthread_mutex_unlock(&show->lock);
    a->door = door;
    return 0;
}

int cp_show_enter(struct cp_show *show, const char *channel, const struct cp_show_stager *stager,
                  struct cp_stage_door **ret_door, struct cp_error *error)
{
    struct door_args args = {.id = channel, .stager = stager};
    int result = cp_show_call(show, work_enter, &args, error);
    if (!result)
        *ret_door = args.door;
    return result;
}

/* The draw thread has stopped: what lies in the door comes back as not spoken, and waits for the next to
 * enter. */
static int work_leave(struct cp_show *show, void *args, struct cp_error *error)
{
    struct cp_stage_door *door = args;
    struct channel *channel = door->channel;
    cp_director_drop_lines(channel);
    pthread_mutex_lock(&show->lock);
    channel->door = NULL;
    pthread_mutex_unlock(&show->lock);
    cp_ring_destroy(door->down);
    cp_ring_destroy(door->up);
    free(door);
    return 0;
}

void cp_show_leave(struct cp_stage_door *door)
{
    if (door)
        cp_show_call(door->show, work_leave, door, NULL);
}
