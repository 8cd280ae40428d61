/*
 * Cues whose text is still being written: they go on air with their first sentences and grow. When all that
 * there is has been said, the presenter thinks and the channel waits, for a bounded time.
 */
#include "show/show_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 32 << 10 };

static const char *text_of(const json_t *cue)
{
    const char *text = json_string_value(json_object_get(cue, "text"));
    return text ? text : "";
}

static void wait_for_more(struct line *line)
{
    line->open_until_ns = cp_clock_now_ns() + line->channel->show->config.open_wait_s * CP_NS_PER_S;
}

void cp_line_open(struct line *line)
{
    line->open = json_is_true(json_object_get(line->cue, "open"));
    wait_for_more(line);
}

bool cp_line_has_more(const struct line *line)
{
    return line->grew_to > line->asked_bytes;
}

bool cp_line_goes_on(const struct line *line)
{
    return line->open || cp_line_has_more(line);
}

void cp_cue_close(struct cp_show *show, json_t *cue)
{
    pthread_mutex_lock(&show->lock);
    json_object_del(cue, "open");
    pthread_mutex_unlock(&show->lock);
}

static void close_line(struct line *line)
{
    cp_cue_close(line->channel->show, line->cue);
    line->open = false;
    line->complete = line->said_all && !line->job && !cp_line_has_more(line);
}

void cp_line_close_overdue(struct channel *channel)
{
    struct line *const lines[] = {channel->on_air, channel->next};
    for (int i = 0; i < 2; i++)
        if (lines[i] && lines[i]->open && cp_clock_now_ns() >= lines[i]->open_until_ns) {
            cp_log(CP_LOG_WARN, "show", "nobody went on writing a cue; it ends", "channel=%s cue=%s",
                   channel->id, lines[i]->id);
            close_line(lines[i]);
        }
}

static struct line *line_of(struct channel *channel, const json_t *cue)
{
    struct line *const lines[] = {channel->on_air, channel->next};
    for (int i = 0; i < 2; i++)
        if (lines[i] && lines[i]->cue == cue)
            return lines[i];
    return NULL;
}

struct extend_args {
    const char *channel, *cue, *more;
    bool last;
};

/* Lets the cue's text grow; CP_ERR_NOT_FOUND when it is not open, CP_ERR_LIMIT. The caller drops *ret_cue. */
static int grow(struct cp_show *show, struct channel *channel, const struct extend_args *a, json_t **ret_cue,
                struct cp_error *error)
{
    pthread_mutex_lock(&show->lock);
    json_t *cue = cp_cue_active(channel, a->cue);
    const char *text = text_of(cue);
    size_t length = strlen(text), more = strlen(a->more);
    int result = 0;
    if (!json_is_true(json_object_get(cue, "open")))
        result = cp_fail(error, CP_ERR_NOT_FOUND, "show", "the cue \"%.60s\" is not being written any more",
                         a->cue);
    else if (length + more + 1 > MAX_TEXT_BYTES)
        result = cp_fail(error, CP_ERR_LIMIT, "show", "a cue may have %d bytes", MAX_TEXT_BYTES);
    if (!result && more) /* on a line of its own: no sentence then runs into the one before */
        json_object_set_new(cue, "text", json_sprintf("%s%s%s", text, length ? "\n" : "", a->more));
    if (!result && a->last)
        json_object_del(cue, "open");
    *ret_cue = result ? NULL : json_incref(cue);
    pthread_mutex_unlock(&show->lock);
    return result;
}

static int work_extend(struct cp_show *show, void *args, struct cp_error *error)
{
    const struct extend_args *a = args;
    struct channel *channel = cp_show_find(show, a->channel);
    if (!channel)
        return cp_show_no_channel(a->channel, error);
    json_t *cue = NULL;
    int result = grow(show, channel, a, &cue, error);
    if (result)
        return result;
    struct line *line = line_of(channel, cue);
    if (line) {
        line->grew_to = strlen(text_of(cue));
        wait_for_more(line);
        if (a->last)
            close_line(line);
        cp_direct(channel); /* the voice first */
    }
    if (!cp_cue_is_finished(cue)) { /* else that was saved and told already */
        cp_cue_save(channel, cue);
        json_t *copy = json_deep_copy(cue); /* only this thread changes cues */
        if (show->services.changed)
            show->services.changed(show->services.user, channel->id, copy);
        json_decref(copy);
    }
    json_decref(cue);
    return 0;
}

int cp_show_cue_extend(struct cp_show *show, const char *channel, const char *cue, const char *more,
                       bool last, struct cp_error *error)
{
    return cp_show_call(show, work_extend,
                        &(struct extend_args){.channel = channel, .cue = cue, .more = more, .last = last},
                        error);
}

/* --- thinking --- */

void cp_show_think(struct cp_show *show, const char *channel_id, int64_t for_ns)
{
    int64_t now_ns = cp_clock_now_ns();
    pthread_mutex_lock(&show->lock);
    struct channel *channel = cp_show_find(show, channel_id);
    if (channel && channel->door) {
        atomic_store(&channel->door->listen_until_ns, for_ns ? now_ns + CP_SHOW_LISTEN_NS : 0);
        atomic_store(&channel->door->think_until_ns, for_ns ? now_ns + for_ns : 0);
    }
    pthread_mutex_unlock(&show->lock);
}
