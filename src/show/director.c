/*
 * The director: what a channel says next. All on the show thread.
 *
 *   waiting cues --+
 *                  +--> next (being prepared) --> on air --> over
 *   rundown -------+                                \--> ending (cut short, the door still holds some of it)
 *
 * A cue that is ready cuts a rundown line short; the rundown goes on at that sentence when no cue is left. A
 * cue waits for the cue before it.
 */
#include "show/show_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_RETRY_NS (50 * CP_NS_PER_MS)

static const char *text_of(const struct line *line, const char *field)
{
    const char *text = json_string_value(json_object_get(line->cue, field));
    return text ? text : cp_channel_text(line->channel, field);
}

static const char *own_text(const struct line *line, const char *field)
{
    return json_string_value(json_object_get(line->cue, field));
}

static double number_of(const struct line *line, const char *field)
{
    const json_t *value = json_object_get(line->cue, field);
    if (!value)
        value = json_object_get(line->channel->spec, field);
    return json_number_value(value);
}

static void free_line(struct line *line)
{
    if (!line)
        return;
    struct cp_stage_door *door = line->channel->door;
    if (door && line->stage_job)
        door->stager.strike(door->stager.user, line->stage_job);
    for (int i = 0; i < line->n_utterances; i++)
        cp_ref_drop(line->utterances[i]);
    free(line->utterances);
    json_decref(line->cue);
    free(line);
}

static void stop_speech(struct line *line)
{
    if (line->job)
        line->channel->show->services.cancel(line->channel->show->services.user, line->ticket);
    line->job = 0;
}

/* Has the line's stage made ready while its voice is being made. */
static void ask_stage(struct line *line)
{
    struct channel *channel = line->channel;
    const struct cp_show_stager *stager = &channel->door->stager;
    bool wait = false;
    if (!stager->stage)
        return;
    uint64_t job = ++channel->show->last_job;
    int result = stager->stage(stager->user, channel->spec, line->cue, job, &wait, &line->error);
    if (result) {
        stop_speech(line);
        line->stage_failed = true;
        line->error_code = result;
    } else if (wait) {
        line->stage_job = job;
        line->staging = true;
        line->stage_deadline_ns = cp_clock_now_ns() + channel->show->config.stage_wait_s * CP_NS_PER_S;
    }
}

static const char *first_presenter(const struct channel *channel)
{
    const json_t *presenters = json_object_get(channel->spec, "presenters");
    const char *first = json_string_value(json_array_get(presenters, 0));
    return first ? first : cp_channel_text(channel, "presenter");
}

static const char *presenter_of(const struct line *line)
{
    const char *own = own_text(line, "presenter");
    return own && *own ? own : first_presenter(line->channel);
}

/* Who says the line decides its voice, where neither the cue nor (for the first on stage) the channel names
 * one.
 */
static const char *voice_of(const struct line *line)
{
    const char *own = own_text(line, "voice"), *presenter = own_text(line, "presenter");
    if (own || !presenter || !*presenter)
        return text_of(line, "voice");
    return strcmp(first_presenter(line->channel), presenter) ? "" : text_of(line, "voice");
}

static struct line *make_line(struct channel *channel, json_t *cue, bool is_cue)
{
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->channel = channel;
    line->cue = json_incref(cue);
    line->is_cue = is_cue;
    cp_line_open(line);
    if (is_cue) {
        snprintf(line->id, sizeof line->id, "%s", own_text(line, "id"));
        line->asked_ns = json_integer_value(json_object_get(cue, "asked_ns"));
        line->next_sentence = (int)json_integer_value(json_object_get(cue, "sentences_done"));
    }
    return line;
}

/* Asks the speech stage for the line's next sentences. CP_ERR_BUSY: try again soon; other failures end the
 * line. */
static int ask_speech(struct line *line)
{
    struct cp_show *show = line->channel->show;
    struct cp_show_line wanted = {.text = own_text(line, "text"),
                                  .ssml = own_text(line, "ssml"),
                                  .speech = own_text(line, "speech"),
                                  .voice = voice_of(line),
                                  .language = text_of(line, "language"),
                                  .style = text_of(line, "style"),
                                  .channel = line->channel->id,
                                  .presenter = presenter_of(line),
                                  .rate = number_of(line, "rate"),
                                  .pitch = number_of(line, "pitch"),
                                  .volume = number_of(line, "volume"),
                                  .first_sentence = line->next_sentence,
                                  .max_sentences = BATCH_SENTENCES,
                                  .live = line->is_cue};
    if (own_text(line, "language") && !own_text(line, "voice"))
        wanted.voice = ""; /* the cue's language says more than the channel's voice */
    uint64_t job = ++show->last_job;
    line->job = job;
    line->asked_bytes = wanted.text ? strlen(wanted.text) : 0;
    line->said_all = false;
    int result = show->services.say(show->services.user, &wanted, job, &line->ticket, &line->error);
    if (!result)
        return 0;
    line->job = 0;
    if (result != CP_ERR_BUSY) {
        line->complete = true;
        line->error_code = result;
    }
    return result;
}

/* --- ending lines --- */

static void advance_rundown(struct channel *channel, int item, int sentence, bool item_over)
{
    channel->rundown_item = item_over ? item + 1 : item;
    channel->rundown_sentence = item_over ? 0 : sentence;
    cp_channel_save_cursor(channel);
}

static void finish_rundown_line(struct line *line)
{
    struct channel *channel = line->channel;
    bool loop;
    if (line->rundown_item < 0)
        return; /* of a rundown that has been replaced */
    if (line->error_code) {
        cp_log(CP_LOG_WARN, "show", "rundown line skipped", "channel=%s item=%d error=\"%s\"", channel->id,
               line->rundown_item, line->error.text);
        advance_rundown(channel, line->rundown_item, 0, true);
        if (++channel->rundown_failures >= cp_channel_rundown_size(channel, &loop)) {
            channel->rundown_retry_ns = cp_clock_now_ns() + RETRY_NS;
            channel->rundown_failures = 0;
        }
        return;
    }
    channel->rundown_failures = 0;
    if (line->interrupted &&
        line->n_wholly < line->n_ended) { /* on request: do not begin the same sentence again */
        const struct cp_utterance *cut = line->utterances[line->n_wholly];
        advance_rundown(channel, line->rundown_item, cut->sentence + 1, cut->last);
    }
}

/* The line is over: tells how it ended, and frees it. */
static void finish(struct line *line)
{
    struct channel *channel = line->channel;
    struct cp_show *show = channel->show;
    stop_speech(line);
    channel->last_end_ns = cp_clock_now_ns();
    if (!line->is_cue) {
        finish_rundown_line(line);
        free_line(line);
        return;
    }
    cp_cue_close(show, line->cue);
    bool whole = line->complete && line->n_wholly == line->n_utterances;
    const char *state = line->error_code ? "failed" : line->cutting && !whole ? "cut" : "done";
    if (show->services.performed && line->n_pushed)
        show->services.performed(show->services.user, channel->id, line->cue, line->utterances,
                                 line->n_pushed);
    cp_cue_set_state(channel, line->cue, state, line->error_code ? &line->error : NULL);
    cp_log(line->error_code ? CP_LOG_WARN : CP_LOG_INFO, "show", "cue ended",
           "channel=%s cue=%s state=%s sentences=%d error=\"%s\"", channel->id, line->id, state,
           line->n_wholly, line->error_code ? line->error.text : "");
    free_line(line);
}

static bool is_over(const struct line *line)
{
    return line->n_ended == line->n_pushed &&
           (line->cutting || (line->complete && line->n_pushed == line->n_utterances));
}

static void finish_what_is_over(struct channel *channel)
{
    for (struct line **at = &channel->ending; *at;) {
        struct line *line = *at;
        if (is_over(line)) {
            *at = line->link;
            finish(line);
        } else {
            at = &line->link;
        }
    }
    if (channel->on_air && is_over(channel->on_air)) {
        struct line *line = channel->on_air;
        channel->on_air = NULL;
        finish(line);
    }
}

/* --- preparing the next line --- */

static void discard_next(struct channel *channel)
{
    if (!channel->next)
        return;
    stop_speech(channel->next);
    free_line(channel->next);
    channel->next = NULL;
}

static void wait_again(struct line *line)
{
    struct channel *channel = line->channel;
    cp_cue_activate(channel, line->cue); /* at the end, then moved to the front */
    json_t *cue = channel->waiting[channel->n_waiting - 1];
    memmove(channel->waiting + 1, channel->waiting, (size_t)(channel->n_waiting - 1) * sizeof(json_t *));
    channel->waiting[0] = cue;
    cp_cue_set_state(channel, cue, "queued", NULL);
}

void cp_director_send_back_next(struct channel *channel)
{
    if (channel->next && channel->next->is_cue)
        wait_again(channel->next);
    discard_next(channel);
}

void cp_director_take_back(struct channel *channel, const char *cue)
{
    if (channel->next && channel->next->is_cue && !strcmp(channel->next->id, cue))
        cp_director_send_back_next(channel);
}

static void prepare_cue(struct channel *channel)
{
    json_t *cue = channel->waiting[0];
    discard_next(channel);
    struct line *line = make_line(channel, cue, true);
    if (!line)
        return;
    if (ask_speech(line) == CP_ERR_BUSY) {
        free_line(line);
        channel->retry_ns = cp_clock_now_ns() + BUSY_RETRY_NS;
        return;
    }
    memmove(channel->waiting, channel->waiting + 1, (size_t)--channel->n_waiting * sizeof(json_t *));
    cp_metric_set(channel->depth, channel->n_waiting);
    channel->next = line;
    if (!line->error_code)
        ask_stage(line);
    if (!line->error_code)
        cp_cue_set_state(channel, cue, "preparing", NULL);
    json_decref(cue);
}

static void prepare_rundown_line(struct channel *channel)
{
    bool loop;
    int size = cp_channel_rundown_size(channel, &loop);
    int item = channel->rundown_item, sentence = channel->rundown_sentence;
    if (channel->on_air && !channel->on_air->is_cue && channel->on_air->rundown_item >= 0) {
        item = channel->on_air->rundown_item + 1;
        sentence = 0;
    }
    if (item >= size && loop)
        item = sentence = 0;
    if (item >= size || cp_clock_now_ns() < channel->rundown_retry_ns)
        return;
    for (const struct line *line = channel->ending; line; line = line->link)
        if (!line->is_cue)
            return; /* where it goes on is known when the door has handed back what it held */
    json_t *cues = json_object_get(json_object_get(channel->spec, "rundown"), "cues");
    struct line *line = make_line(channel, json_array_get(cues, (size_t)item), false);
    if (!line)
        return;
    line->rundown_item = item;
    line->next_sentence = sentence;
    if (ask_speech(line) == CP_ERR_BUSY) {
        free_line(line);
        channel->retry_ns = cp_clock_now_ns() + BUSY_RETRY_NS;
        return;
    }
    channel->next = line;
    if (!line->error_code)
        ask_stage(line);
}

/* --- going on air --- */

void cp_director_cut(struct channel *channel, enum cut_policy policy, bool interrupted)
{
    struct line *line = channel->on_air;
    if (!line)
        return;
    line->cutting = true;
    line->interrupted = interrupted;
    stop_speech(line);
    channel->generation++;
    atomic_store_explicit(&channel->door->cut, (uint64_t)channel->generation << 8 | policy,
                          memory_order_release);
    line->link = channel->ending;
    channel->ending = line;
    channel->on_air = NULL;
    if (channel->next && !channel->next->is_cue)
        discard_next(channel); /* the rundown goes on elsewhere now */
}

static int32_t gap_before(const struct channel *channel, const struct line *line)
{
    const struct cp_show_config *config = &channel->show->config;
    int64_t wanted_ms = line->is_cue ? config->gap_ms : config->rundown_gap_ms;
    int64_t since_ms = (cp_clock_now_ns() - channel->last_end_ns) / CP_NS_PER_MS;
    bool cut_in = channel->ending != NULL;
    return cut_in || since_ms >= wanted_ms ? 0 : (int32_t)((wanted_ms - since_ms) * CP_SAMPLE_HZ / 1000);
}

static struct item *make_item(struct line *line)
{
    struct item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->line = line;
    item->utterance = line->utterances[line->n_pushed];
    item->generation = line->channel->generation;
    item->first = line->n_pushed == 0;
    if (item->first)
        item->gap_samples = gap_before(line->channel, line);
    else if (line->utterances[line->n_pushed - 1]->last)
        item->gap_samples = OPEN_GAP_MS * CP_SAMPLE_HZ / 1000;
    item->emotion = cp_emotion_from_name(text_of(line, "emotion"));
    if (!item->emotion)
        item->emotion = CP_EMOTION_NEUTRAL;
    const json_t *intensity = json_object_get(line->cue, "emotion_intensity");
    item->emotion_intensity = intensity ? (float)json_number_value(intensity) : 1;
    item->look = cp_look_from_name(own_text(line, "look") ? own_text(line, "look") : "");
    item->camera_move_s = (float)json_number_value(json_object_get(line->cue, "camera_move_s"));
    snprintf(item->presenter, sizeof item->presenter, "%s",
             own_text(line, "presenter") ? own_text(line, "presenter") : "");
    item->asked_ns = line->asked_ns;
    snprintf(item->action, sizeof item->action, "%s",
             own_text(line, "action") ? own_text(line, "action") : "");
    snprintf(item->camera, sizeof item->camera, "%s", text_of(line, "camera"));
    cp_show_card_of(line->channel->spec, line->cue, &item->card);
    snprintf(item->cue, sizeof item->cue, "%s", line->id);
    return item;
}

/* Lays the line's sentences into the door, and asks for more when few are left. */
static void feed(struct line *line)
{
    struct channel *channel = line->channel;
    while (line->n_pushed < line->n_utterances && line->n_pushed - line->n_ended < DOOR_AHEAD) {
        struct item *item = make_item(line);
        if (!item || !cp_ring_push(channel->door->down, item)) {
            free(item);
            return; /* there will be room when the door hands something back */
        }
        line->n_pushed++;
    }
    bool more = !line->complete && !line->job && (!line->said_all || cp_line_has_more(line));
    if (more && line->n_utterances - line->n_ended < BATCH_LOW && ask_speech(line) == CP_ERR_BUSY)
        channel->retry_ns = cp_clock_now_ns() + BUSY_RETRY_NS;
}

static void go_on_air(struct channel *channel)
{
    struct line *line = channel->next;
    channel->on_air = line;
    channel->next = NULL;
    feed(line);
    if (line->is_cue)
        cp_cue_set_state(channel, line->cue, "speaking", NULL);
}

static void fail_stage(struct line *line, int code)
{
    stop_speech(line);
    line->staging = false;
    line->stage_failed = true;
    line->error_code = code;
}

/* A stage that does not come must not hold the show. */
static void give_up_stage(struct channel *channel)
{
    struct line *line = channel->next;
    if (!line || !line->staging || cp_clock_now_ns() < line->stage_deadline_ns)
        return;
    cp_fail(&line->error, CP_ERR_TIMEOUT, "show", "the set and presenters were not ready within %lld s",
            (long long)channel->show->config.stage_wait_s);
    fail_stage(line, CP_ERR_TIMEOUT);
}

void cp_direct(struct channel *channel)
{
    if (!channel->door)
        return;
    if (channel->retry_ns && cp_clock_now_ns() >= channel->retry_ns)
        channel->retry_ns = 0;
    if (channel->rundown_retry_ns && cp_clock_now_ns() >= channel->rundown_retry_ns)
        channel->rundown_retry_ns = 0;
    give_up_stage(channel);
    cp_line_close_overdue(channel);
    for (bool again = true; again;) {
        again = false;
        finish_what_is_over(channel);
        if (!channel->retry_ns) {
            if (channel->n_waiting && !(channel->next && channel->next->is_cue))
                prepare_cue(channel);
            if (!channel->next)
                prepare_rundown_line(channel);
        }
        struct line *next = channel->next;
        /* It came to nothing. A rundown line's failure is told in its turn, so that the place in the rundown
         * is right. */
        bool nothing = next && (next->stage_failed || (next->complete && !next->n_utterances));
        if (nothing && (next->is_cue || !channel->on_air)) {
            channel->next = NULL;
            finish(next);
            again = true;
            continue;
        }
        bool ready = next && !nothing && !next->staging && next->n_utterances;
        if (ready && next->is_cue && channel->on_air && !channel->on_air->is_cue)
            cp_director_cut(channel, CUT_NOW, false);
        if (ready && !channel->on_air) {
            go_on_air(channel);
            again = true;
        }
    }
    const struct line *line = channel->on_air;
    if (line)
        feed(channel->on_air);
    atomic_store(&channel->door->waiting, line && line->open && line->n_ended == line->n_pushed);
}

int64_t cp_director_retry_ns(const struct channel *channel)
{
    int64_t when = channel->retry_ns ? channel->retry_ns : INT64_MAX;
    if (channel->rundown_retry_ns && channel->rundown_retry_ns < when)
        when = channel->rundown_retry_ns;
    if (channel->next && channel->next->staging && channel->next->stage_deadline_ns < when)
        when = channel->next->stage_deadline_ns;
    if (channel->on_air && channel->on_air->open && channel->on_air->open_until_ns < when)
        when = channel->on_air->open_until_ns;
    return channel->door ? when : INT64_MAX;
}

/* --- what comes back from the door --- */

static void take_item_back(struct channel *channel, struct item *item)
{
    struct line *line = item->line;
    const struct cp_utterance *utterance = item->utterance;
    line->n_ended++;
    if (item->wholly) {
        line->n_wholly++;
        if (!line->is_cue && line->rundown_item >= 0) {
            advance_rundown(channel, line->rundown_item, utterance->sentence + 1, utterance->last);
        } else if (line->is_cue) {
            pthread_mutex_lock(&channel->show->lock);
            json_object_set_new(line->cue, "sentences_done", json_integer(utterance->sentence + 1));
            pthread_mutex_unlock(&channel->show->lock);
            if (!utterance->last)
                cp_cue_save(channel, line->cue); /* after the last, its final state is saved at once */
        }
    }
    free(item);
}

void cp_director_events(struct channel *channel)
{
    if (!channel->door)
        return;
    for (struct item *item; (item = cp_ring_pop(channel->door->up));)
        take_item_back(channel, item);
}

/* --- what comes from the speech stage --- */

static struct line *find_line(struct cp_show *show, uint64_t job)
{
    for (int i = 0; i < MAX_CHANNELS; i++) {
        struct channel *channel = show->channels[i];
        if (!channel)
            continue;
        if (channel->on_air && channel->on_air->job == job)
            return channel->on_air;
        if (channel->next && channel->next->job == job)
            return channel->next;
    }
    return NULL;
}

static bool keep_utterance(struct line *line, struct cp_utterance *utterance)
{
    if (line->n_utterances == line->capacity) {
        int capacity = line->capacity ? 2 * line->capacity : 8;
        struct cp_utterance **more = realloc(line->utterances, (size_t)capacity * sizeof(void *));
        if (!more)
            return false;
        line->utterances = more;
        line->capacity = capacity;
    }
    line->utterances[line->n_utterances++] = cp_ref_take(utterance);
    return true;
}

/* Puts down in the cue's record who speaks: one voice, or more when one had to speak for another. */
static void note_voice(struct cp_show *show, json_t *cue, const char *voice)
{
    pthread_mutex_lock(&show->lock);
    json_t *voices = json_object_get(cue, "spoken_by");
    if (!voices && (voices = json_array()))
        json_object_set_new(cue, "spoken_by", voices);
    size_t n = json_array_size(voices);
    const char *last = n ? json_string_value(json_array_get(voices, n - 1)) : "";
    if (strcmp(last, voice) != 0 && n < 16)
        json_array_append_new(voices, json_string(voice));
    pthread_mutex_unlock(&show->lock);
}

void cp_director_spoken(struct cp_show *show, uint64_t job, struct cp_utterance *utterance)
{
    struct line *line = find_line(show, job); /* none: it was cut or discarded meanwhile */
    if (!line || !keep_utterance(line, utterance))
        return;
    line->next_sentence = utterance->sentence + 1;
    line->said_all = utterance->last;
    line->complete = utterance->last && !cp_line_goes_on(line);
    if (line->is_cue)
        note_voice(show, line->cue, utterance->voice);
    if (!line->is_cue || line->n_utterances > 1)
        return;
    struct channel *channel = line->channel;
    if (line->asked_ns)
        cp_metric_observe_ns(channel->spoken, utterance->made_ns - line->asked_ns);
    pthread_mutex_lock(&show->lock);
    json_t *timings = json_object_get(line->cue, "timings_ms");
    if (line->asked_ns && timings) {
        json_object_set_new(timings, "answered", json_real(0));
        json_object_set_new(timings, "spoken",
                            json_real((double)(utterance->made_ns - line->asked_ns) / 1e6));
    }
    pthread_mutex_unlock(&show->lock);
    cp_direct(channel); /* the door first, then the news */
    if (channel->next == line && !line->staging)
        cp_cue_set_state(channel, line->cue, "ready", NULL);
}

void cp_director_spoken_end(struct cp_show *show, uint64_t job, int result, const struct cp_error *error)
{
    struct line *line = find_line(show, job);
    if (!line)
        return;
    line->job = 0;
    if (!result) {
        const struct cp_utterance *last =
            line->n_utterances ? line->utterances[line->n_utterances - 1] : NULL;
        line->said_all = !last || last->last || line->next_sentence == line->asked_from;
        line->complete = line->said_all && !cp_line_goes_on(line);
        line->asked_from = line->next_sentence;
    } else {
        line->complete = true;
        line->error_code = result;
        line->error = *error;
    }
    cp_direct(line->channel);
}

/* --- what comes from the stagehand --- */

void cp_director_staged(struct channel *channel, uint64_t job, struct cp_scene *scene, int result,
                        const struct cp_error *error)
{
    struct line *line = channel->next;
    if (!line || line->stage_job != job || !line->staging)
        return; /* it was discarded or ran out of time, and its scene struck with it */
    line->staging = false;
    line->scene = scene;
    if (result) {
        line->error = *error;
        fail_stage(line, result);
    }
    cp_direct(channel);
    if (channel->next == line && line->is_cue && line->n_utterances)
        cp_cue_set_state(channel, line->cue, "ready", NULL);
}

/* --- the ground moves --- */

void cp_director_rundown_changed(struct channel *channel)
{
    if (channel->next && !channel->next->is_cue)
        discard_next(channel);
    for (struct line *line = channel->ending; line; line = line->link)
        line->rundown_item = -1;
    if (channel->on_air && !channel->on_air->is_cue) {
        channel->on_air->rundown_item = -1;
        cp_director_cut(channel, CUT_WORD, false);
    }
}

static void empty_door(struct channel *channel)
{
    struct cp_stage_door *door = channel->door;
    cp_director_events(channel);
    if (door->finished)
        take_item_back(channel, door->finished);
    if (door->current)
        take_item_back(channel, door->current);
    door->finished = door->current = NULL;
    for (struct item *item; (item = cp_ring_pop(door->down));)
        take_item_back(channel, item);
}

void cp_director_drop_lines(struct channel *channel)
{
    if (channel->door)
        empty_door(channel);
    cp_director_send_back_next(channel);
    struct line *lines[] = {channel->on_air, channel->ending};
    channel->on_air = channel->ending = NULL;
    for (int i = 0; i < 2; i++)
        for (struct line *line = lines[i], *link; line; line = link) {
            link = i ? line->link : NULL;
            stop_speech(line);
            if (line->is_cue && !line->cutting)
                wait_again(line);
            if (line->is_cue && line->cutting)
                finish(line);
            else
                free_line(line);
        }
}
