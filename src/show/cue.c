/* Cues: their records, and the calls that make, show, change and remove them. */
#include "show/show_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *cue, const char *field)
{
    const char *text = json_string_value(json_object_get(cue, field));
    return text ? text : "";
}

static void partition_of(const char *channel, char partition[64])
{
    snprintf(partition, 64, "cues/%.40s", channel);
}

bool cp_cue_is_finished(const json_t *cue)
{
    const char *state = text_of(cue, "state");
    return !strcmp(state, "done") || !strcmp(state, "cut") || !strcmp(state, "failed");
}

bool cp_cue_has_words(const json_t *line)
{
    if (json_object_get(line, "speech"))
        return !json_object_get(line, "ssml");
    return !json_object_get(line, "text") != !json_object_get(line, "ssml");
}

static int write_record(struct cp_show *show, const char *channel, const json_t *cue, int64_t expires_wall_ns,
                        struct cp_error *error)
{
    char partition[64];
    partition_of(channel, partition);
    char *text = json_dumps(cue, JSON_COMPACT);
    if (!text)
        return cp_fail(error, CP_ERR_NOMEM, "show", "out of memory");
    int result = cp_store_put_if(show->store, partition, text_of(cue, "id"), text, CP_STORE_ANY_VERSION,
                                 expires_wall_ns, NULL, error);
    free(text);
    return result;
}

void cp_cue_save(struct channel *channel, json_t *cue)
{
    struct cp_error error;
    int64_t keep_s = json_integer_value(json_object_get(cue, "ttl_s"));
    int64_t expires = 0;
    if (cp_cue_is_finished(cue))
        expires = cp_clock_wall_ns() + (keep_s ? keep_s : channel->show->config.keep_cues_s) * CP_NS_PER_S;
    if (write_record(channel->show, channel->id, cue, expires, &error))
        cp_log(CP_LOG_ERROR, "show", "cue not saved", "channel=%s cue=%s error=\"%s\"", channel->id,
               text_of(cue, "id"), error.text);
}

static json_t *active_cues(struct cp_show *show, const struct channel *channel)
{
    for (int i = 0; i < MAX_CHANNELS; i++)
        if (show->channels[i] == channel)
            return show->active[i];
    return NULL;
}

json_t *cp_cue_active(struct channel *channel, const char *id)
{
    return json_object_get(active_cues(channel->show, channel), id);
}

void cp_cue_activate(struct channel *channel, json_t *cue)
{
    if (channel->n_waiting == channel->waiting_capacity) {
        int capacity = channel->waiting_capacity ? 2 * channel->waiting_capacity : 16;
        json_t **waiting = realloc(channel->waiting, (size_t)capacity * sizeof(json_t *));
        if (!waiting)
            return; /* it stays in the store, for the next start */
        channel->waiting = waiting;
        channel->waiting_capacity = capacity;
    }
    channel->waiting[channel->n_waiting++] = json_incref(cue);
    pthread_mutex_lock(&channel->show->lock);
    json_object_set(active_cues(channel->show, channel), text_of(cue, "id"), cue);
    pthread_mutex_unlock(&channel->show->lock);
    cp_metric_set(channel->depth, channel->n_waiting);
}

void cp_cue_set_state(struct channel *channel, json_t *cue, const char *state, const struct cp_error *error)
{
    struct cp_show *show = channel->show;
    pthread_mutex_lock(&show->lock);
    json_object_set_new(cue, "state", json_string(state));
    if (error)
        json_object_set_new(cue, "error",
                            json_pack("{s:s, s:s, s:s}", "code", cp_err_name(error->code), "stage",
                                      error->stage, "text", error->text));
    bool finished = cp_cue_is_finished(cue);
    json_t *copy = json_deep_copy(cue);
    pthread_mutex_unlock(&show->lock);
    if (finished) {
        cp_metric_add(!strcmp(state, "done")  ? channel->cues_done
                      : !strcmp(state, "cut") ? channel->cues_cut
                                              : channel->cues_failed,
                      1);
        cp_cue_save(channel, cue);
        pthread_mutex_lock(&show->lock);
        json_object_del(active_cues(show, channel), text_of(cue, "id"));
        pthread_mutex_unlock(&show->lock);
    }
    if (show->services.changed)
        show->services.changed(show->services.user, channel->id, copy);
    json_decref(copy);
}

void cp_cue_keep_words(json_t *cue, const json_t *changes)
{
    static const char *const WORDS[] = {"speech", "ssml", "text"};
    bool changed = false;
    for (size_t i = 0; i < 3; i++)
        changed |= json_object_get(changes, WORDS[i]) != NULL;
    for (size_t i = 0; changed && i < 3; i++)
        if (!json_object_get(changes, WORDS[i]))
            json_object_del(cue, WORDS[i]);
}

/* --- making --- */

struct new_cue {
    struct message message;
    char channel[ID_BYTES];
    json_t *cue;
};

static void free_new_cue(struct message *message)
{
    struct new_cue *new_cue = (struct new_cue *)message;
    json_decref(new_cue->cue);
    free(new_cue);
}

/* Cues that were accepted at the same moment may come in another order than their ids say; ids are what a
 * restart goes by, and what lists show. */
static void sort_in_last(struct channel *channel)
{
    for (int i = channel->n_waiting - 1; i > 0; i--) {
        json_t *cue = channel->waiting[i], *before = channel->waiting[i - 1];
        if (strcmp(text_of(before, "id"), text_of(cue, "id")) < 0)
            return;
        channel->waiting[i - 1] = cue;
        channel->waiting[i] = before;
    }
}

static void run_new_cue(struct cp_show *show, struct message *message)
{
    struct new_cue *new_cue = (struct new_cue *)message;
    struct channel *channel = cp_show_find(show, new_cue->channel);
    if (channel) {
        int64_t asked_ns = json_integer_value(json_object_get(new_cue->cue, "asked_ns"));
        cp_metric_observe_ns(channel->asked, cp_clock_now_ns() - asked_ns);
        cp_cue_activate(channel, new_cue->cue);
        sort_in_last(channel);
        cp_direct(channel); /* before telling the world: the voice should be at work already */
        if (show->services.changed && !strcmp(text_of(new_cue->cue, "state"), "queued"))
            show->services.changed(show->services.user, channel->id, new_cue->cue);
    }
    free_new_cue(message);
}

/* Ids sort by time, then by count: "cue_" + 12 digits of milliseconds + 5 of a counter, hexadecimal. */
static void make_id(struct cp_show *show, char id[ID_BYTES])
{
    unsigned count = atomic_fetch_add(&show->cue_counter, 1);
    snprintf(id, ID_BYTES, "cue_%012llx%05x", (unsigned long long)(cp_clock_wall_ns() / CP_NS_PER_MS),
             count & 0xfffff);
}

int cp_show_cue_create(struct cp_show *show, const char *channel_id, const json_t *spec, int64_t asked_ns,
                       json_t **ret_cue, struct cp_error *error)
{
    char id[ID_BYTES], created[32];
    if (!cp_cue_has_words(spec))
        return cp_fail(error, CP_ERR_INVALID, "show", "a cue needs either \"text\", \"ssml\" or \"speech\"");
    pthread_mutex_lock(&show->lock);
    struct channel *channel = cp_show_find(show, channel_id);
    size_t waiting = channel ? json_object_size(active_cues(show, channel)) : 0;
    pthread_mutex_unlock(&show->lock);
    if (!channel)
        return cp_show_no_channel(channel_id, error);
    if ((int64_t)waiting >= show->config.max_cues)
        return cp_fail(error, CP_ERR_BUSY, "show", "%zu cues wait already; try again when some were spoken",
                       waiting);

    struct new_cue *new_cue = calloc(1, sizeof *new_cue);
    json_t *cue = json_deep_copy(spec);
    if (!new_cue || !cue) {
        free(new_cue);
        json_decref(cue);
        return cp_fail(error, CP_ERR_NOMEM, "show", "out of memory");
    }
    make_id(show, id);
    cp_clock_rfc3339(cp_clock_wall_ns(), created);
    json_object_set_new(cue, "id", json_string(id));
    json_object_set_new(cue, "channel", json_string(channel_id));
    json_object_set_new(cue, "state", json_string("queued"));
    json_object_set_new(cue, "created_at", json_string(created));
    json_object_set_new(cue, "sentences_done", json_integer(0));
    json_object_set_new(cue, "timings_ms", json_object());
    json_object_set_new(cue, "asked_ns",
                        json_integer(asked_ns)); /* monotonic: means nothing after a restart */
    int result = write_record(show, channel_id, cue, 0, error);
    if (result) {
        json_decref(cue);
        free(new_cue);
        return result;
    }
    *ret_cue = json_deep_copy(cue);
    json_object_del(*ret_cue, "asked_ns");
    new_cue->message = (struct message){.run = run_new_cue, .free = free_new_cue};
    new_cue->cue = cue;
    snprintf(new_cue->channel, sizeof new_cue->channel, "%s", channel_id);
    cp_show_post(show,
                 &new_cue->message); /* if the server is stopping, it is performed after the next start */
    return 0;
}

/* --- reading --- */

/* An active cue as it is now, or NULL. */
static json_t *copy_active(struct cp_show *show, const char *channel_id, const char *id)
{
    pthread_mutex_lock(&show->lock);
    struct channel *channel = cp_show_find(show, channel_id);
    json_t *cue = channel ? json_deep_copy(json_object_get(active_cues(show, channel), id)) : NULL;
    pthread_mutex_unlock(&show->lock);
    return cue;
}

static int no_cue(const char *id, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, "show", "there is no cue \"%.60s\" on this channel", id);
}

int cp_show_cue_get(struct cp_show *show, const char *channel, const char *id, json_t **ret_cue,
                    struct cp_error *error)
{
    json_t *cue = copy_active(show, channel, id);
    if (!cue) {
        char partition[64];
        struct cp_record record;
        partition_of(channel, partition);
        if (strlen(id) >= ID_BYTES || cp_store_get(show->store, partition, id, &record, NULL))
            return no_cue(id, error);
        cue = json_loads(record.json, 0, NULL);
        cp_record_clear(&record);
        if (!cue)
            return cp_fail(error, CP_ERR_INTERNAL, "show", "the record of cue %s is damaged", id);
    }
    json_object_del(cue, "asked_ns");
    *ret_cue = cue;
    return 0;
}

int cp_show_cue_list(struct cp_show *show, const char *channel_id, const char *cursor, int limit,
                     json_t **ret_page, struct cp_error *error)
{
    char partition[64];
    struct cp_query_result page;
    pthread_mutex_lock(&show->lock);
    bool known = cp_show_find(show, channel_id) != NULL;
    pthread_mutex_unlock(&show->lock);
    if (!known)
        return cp_show_no_channel(channel_id, error);
    partition_of(channel_id, partition);
    struct cp_query query = {.partition = partition, .descending = true, .limit = limit, .cursor = cursor};
    int result = cp_store_query(show->store, &query, &page, error);
    if (result)
        return result;
    json_t *cues = json_array();
    for (int i = 0; i < page.n_records; i++) {
        json_t *cue = copy_active(show, channel_id, page.records[i].key);
        if (!cue)
            cue = json_loads(page.records[i].json, 0, NULL);
        json_object_del(cue, "asked_ns");
        json_array_append_new(cues, cue);
    }
    *ret_page = json_pack("{s:o, s:s}", "cues", cues, "cursor", page.cursor);
    cp_query_result_clear(&page);
    return 0;
}

/* --- changing --- */

struct cue_args {
    const char *channel, *cue, *policy;
    const json_t *changes;
    json_t *result;
};

/* The place of a cue among those that wait, or -1. */
static int find_waiting(const struct channel *channel, const char *id)
{
    for (int i = 0; i < channel->n_waiting; i++)
        if (!strcmp(text_of(channel->waiting[i], "id"), id))
            return i;
    return -1;
}

static json_t *take_waiting(struct channel *channel, int at)
{
    json_t *cue = channel->waiting[at];
    channel->n_waiting--;
    memmove(channel->waiting + at, channel->waiting + at + 1,
            (size_t)(channel->n_waiting - at) * sizeof(json_t *));
    cp_metric_set(channel->depth, channel->n_waiting);
    return cue;
}

/* The cue's channel, or NULL when there is none (*error says so); its place among the waiting, or -1. */
static struct channel *find_cue(struct cp_show *show, const struct cue_args *a, int *ret_place,
                                struct cp_error *error)
{
    struct channel *channel = cp_show_find(show, a->channel);
    if (!channel) {
        cp_show_no_channel(a->channel, error);
        return NULL;
    }
    cp_director_take_back(channel,
                          a->cue); /* a cue that is only being prepared waits, as far as others can see */
    *ret_place = find_waiting(channel, a->cue);
    return channel;
}

static int work_cue_patch(struct cp_show *show, void *args, struct cp_error *error)
{
    struct cue_args *a = args;
    int place, result;
    struct channel *channel = find_cue(show, a, &place, error);
    if (!channel)
        return CP_ERR_NOT_FOUND;
    json_t *cue = copy_active(show, a->channel, a->cue);
    if (place < 0) {
        result = cue ? cp_fail(error, CP_ERR_EXISTS, "show", "the cue is being spoken: too late to change it")
                     : no_cue(a->cue, error);
        json_decref(cue);
        return result;
    }
    json_object_update(cue, (json_t *)a->changes);
    cp_cue_keep_words(cue, a->changes);
    result = write_record(show, a->channel, cue, 0, error);
    if (!result) {
        pthread_mutex_lock(&show->lock);
        json_object_clear(channel->waiting[place]);
        json_object_update(channel->waiting[place], cue);
        pthread_mutex_unlock(&show->lock);
        a->result = json_incref(cue);
        json_object_del(a->result, "asked_ns");
    }
    json_decref(cue);
    return result;
}

static int work_cue_delete(struct cp_show *show, void *args, struct cp_error *error)
{
    struct cue_args *a = args;
    int place;
    struct channel *channel = find_cue(show, a, &place, error);
    if (!channel)
        return CP_ERR_NOT_FOUND;
    if (place >= 0) {
        json_t *cue = take_waiting(channel, place);
        cp_cue_set_state(channel, cue, "cut", NULL);
        json_decref(cue);
        return 0;
    }
    if (channel->on_air && !strcmp(channel->on_air->id, a->cue)) {
        cp_director_cut(channel, CUT_NOW, true);
        return 0;
    }
    char partition[64];
    partition_of(a->channel, partition);
    int result = cp_store_delete_if(show->store, partition, a->cue, CP_STORE_ANY_VERSION, error);
    return result == CP_ERR_NOT_FOUND ? no_cue(a->cue, error) : result;
}

static int parse_policy(const char *name, enum cut_policy *ret_policy, struct cp_error *error)
{
    static const char *const NAME[] = {"", "now", "word", "sentence"};
    for (int i = CUT_NOW; i <= CUT_SENTENCE; i++)
        if (!strcmp(NAME[i], name)) {
            *ret_policy = (enum cut_policy)i;
            return 0;
        }
    return cp_fail(error, CP_ERR_INVALID, "show", "policy is \"now\", \"word\" or \"sentence\"");
}

static int work_cue_play(struct cp_show *show, void *args, struct cp_error *error)
{
    struct cue_args *a = args;
    enum cut_policy policy = CUT_UNSET;
    int place, result = parse_policy(a->policy, &policy, error);
    if (result)
        return result;
    struct channel *channel = find_cue(show, a, &place, error);
    if (!channel)
        return CP_ERR_NOT_FOUND;
    if (place < 0) {
        json_t *cue;
        if ((result = cp_show_cue_get(show, a->channel, a->cue, &cue, error)))
            return result;
        json_decref(cue);
        return cp_fail(error, CP_ERR_EXISTS, "show",
                       "only a waiting cue can be played; send it again as a new one");
    }
    cp_director_send_back_next(channel); /* another cue that was being prepared must wait behind this one */
    place = find_waiting(channel, a->cue);
    json_t *cue = channel->waiting[place];
    memmove(channel->waiting + 1, channel->waiting, (size_t)place * sizeof(json_t *));
    channel->waiting[0] = cue;
    cp_director_cut(channel, policy, false);
    return 0;
}

static int work_interrupt(struct cp_show *show, void *args, struct cp_error *error)
{
    struct cue_args *a = args;
    enum cut_policy policy = CUT_UNSET;
    struct channel *channel = cp_show_find(show, a->channel);
    if (!channel)
        return cp_show_no_channel(a->channel, error);
    int result = parse_policy(a->policy, &policy, error);
    if (!result)
        cp_director_cut(channel, policy, true);
    return result;
}

int cp_show_cue_patch(struct cp_show *show, const char *channel, const char *cue, const json_t *changes,
                      json_t **ret_cue, struct cp_error *error)
{
    struct cue_args args = {.channel = channel, .cue = cue, .changes = changes};
    int result = cp_show_call(show, work_cue_patch, &args, error);
    if (!result)
        *ret_cue = args.result;
    return result;
}

int cp_show_cue_delete(struct cp_show *show, const char *channel, const char *cue, struct cp_error *error)
{
    return cp_show_call(show, work_cue_delete, &(struct cue_args){.channel = channel, .cue = cue}, error);
}

int cp_show_cue_play(struct cp_show *show, const char *channel, const char *cue, const char *policy,
                     struct cp_error *error)
{
    struct cue_args args = {.channel = channel, .cue = cue, .policy = policy};
    return cp_show_call(show, work_cue_play, &args, error);
}

int cp_show_interrupt(struct cp_show *show, const char *channel, const char *policy, struct cp_error *error)
{
    return cp_show_call(show, work_interrupt, &(struct cue_args){.channel = channel, .policy = policy},
                        error);
}

/* --- timings --- */

struct timing {
    struct message message;
    char channel[ID_BYTES], cue[ID_BYTES];
    struct cp_stamps stamps;
};

static void free_timing(struct message *message)
{
    free(message);
}

static void run_timing(struct cp_show *show, struct message *message)
{
    struct timing *timing = (struct timing *)message;
    struct channel *channel = cp_show_find(show, timing->channel);
    pthread_mutex_lock(&show->lock);
    json_t *cue = channel ? json_incref(json_object_get(active_cues(show, channel), timing->cue)) : NULL;
    json_t *timings = json_object_get(cue, "timings_ms");
    int64_t asked = json_integer_value(json_object_get(cue, "asked_ns"));
    for (enum cp_step step = CP_STEP_ANSWERED; timings && asked && step < CP_STEP_COUNT; step++)
        if (timing->stamps.at_ns[step] && !json_object_get(timings, cp_step_name(step)))
            json_object_set_new(timings, cp_step_name(step),
                                json_real((double)((timing->stamps.at_ns[step] - asked) / 1000) / 1000.0));
    json_t *copy = timings ? json_deep_copy(cue) : NULL;
    pthread_mutex_unlock(&show->lock);
    if (copy && timing->stamps.at_ns[CP_STEP_SENT] && show->services.changed)
        show->services.changed(show->services.user, channel->id, copy);
    json_decref(copy);
    json_decref(cue);
    free(timing);
}

void cp_show_timing(struct cp_show *show, const char *channel, const char *cue,
                    const struct cp_stamps *stamps)
{
    struct timing *timing = malloc(sizeof *timing);
    if (!timing)
        return;
    timing->message = (struct message){.run = run_timing, .free = free_timing};
    timing->stamps = *stamps;
    snprintf(timing->channel, sizeof timing->channel, "%s", channel);
    snprintf(timing->cue, sizeof timing->cue, "%s", cue);
    cp_show_post(show, &timing->message);
}
