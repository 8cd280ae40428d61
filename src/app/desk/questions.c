#include "app/desk/questions.h"

#include "app/app.h"
#include "app/desk/answering.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { KEEP_DAYS = 7, ID_BYTES = 32, MAX_HISTORY = 50, TRIES = 5, CONTEXT_S = 900, MOST_LOOKED_AT = 2000 };

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void partition_of(const char *channel, char partition[64])
{
    snprintf(partition, 64, "questions.%.40s", channel);
}

/* In order of time, and not to be guessed. */
static void make_id(char id[ID_BYTES])
{
    uint8_t random[5];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* Linux gives 5 bytes or the system is broken */
    int n = snprintf(id, ID_BYTES, "q_%012llx", (unsigned long long)(cp_clock_wall_ns() / CP_NS_PER_MS));
    for (size_t i = 0; i < sizeof random; i++)
        n += snprintf(id + n, (size_t)(ID_BYTES - n), "%02x", random[i]);
}

/* --- the record --- */

/* The new state, and who brought it about. */
static void move_to(json_t *question, const char *state, const char *by)
{
    char now[32];
    json_t *history = json_object_get(question, "history");
    cp_clock_rfc3339(cp_clock_wall_ns(), now);
    json_object_set_new(question, "state", json_string(state));
    if (json_array_size(history) >= MAX_HISTORY)
        json_array_remove(history, 1); /* that it was asked stays */
    json_array_append_new(history, json_pack("{s:s,s:s,s:s}", "state", state, "by", by, "at", now));
}

static int put(struct cp_app *app, const char *channel, const json_t *question, int64_t if_version,
               struct cp_error *error)
{
    char partition[64];
    partition_of(channel, partition);
    char *text = json_dumps(question, JSON_COMPACT);
    if (!text)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result = cp_store_put_if(app->store, partition, text_of(question, "id"), text, if_version,
                                 cp_clock_wall_ns() + (int64_t)KEEP_DAYS * 86400 * CP_NS_PER_S, NULL, error);
    free(text);
    if (!result)
        cp_gateway_publish(app->gateway, "question", channel, json_deep_copy(question));
    return result;
}

static int get(struct cp_app *app, const char *channel, const char *id, json_t **ret_question,
               int64_t *ret_version, struct cp_error *error)
{
    struct cp_record record;
    char partition[64];
    partition_of(channel, partition);
    if (strncmp(id, "q_", 2) != 0 || strlen(id) >= ID_BYTES ||
        cp_store_get(app->store, partition, id, &record, error))
        return cp_fail(error, CP_ERR_NOT_FOUND, "app", "there is no question \"%.32s\" on this channel", id);
    *ret_version = record.version;
    *ret_question = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    return *ret_question ? 0 : cp_fail(error, CP_ERR_INTERNAL, "app", "the record of %s is damaged", id);
}

/* Reads, changes and writes a question, again when somebody else was faster. `change` returns 0 or an error.
 */
static int update(struct cp_app *app, const char *channel, const char *id,
                  int (*change)(void *user, json_t *question, struct cp_error *error), void *user,
                  json_t **ret_question, struct cp_error *error)
{
    int result = 0;
    for (int i = 0; i < TRIES; i++) {
        json_t *question = NULL;
        int64_t version;
        result = get(app, channel, id, &question, &version, error);
        if (!result)
            result = change(user, question, error);
        bool changed = !result;
        if (!result)
            result = put(app, channel, question, version, error);
        if (!result) {
            *ret_question = question;
            return 0;
        }
        json_decref(question);
        if (!changed || result != CP_ERR_EXISTS)
            return result;
    }
    return result;
}

static bool is_open(const json_t *question)
{
    return !strcmp(text_of(question, "state"), "new") || !strcmp(text_of(question, "state"), "suggested");
}

static int not_open(const json_t *question, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_EXISTS, "app", "the question is %s already", text_of(question, "state"));
}

/* --- asking --- */

/* Puts the suggestion into the question; without a knowledge base that answers it stays new. */
static int add_suggestion(struct cp_app *app, json_t *question, const char *by, struct cp_error *error)
{
    json_t *suggestion = NULL;
    const struct cp_search search = {.query = text_of(question, "text"),
                                     .collection = text_of(question, "collection"),
                                     .language = text_of(question, "language")};
    int result = cp_answers_suggest(app->answers, &search, 0, &suggestion, error);
    if (result)
        return result;
    bool refused = json_is_true(json_object_get(suggestion, "refused"));
    json_object_set_new(question, "suggestion", suggestion);
    move_to(question, refused ? "new" : "suggested", by);
    return 0;
}

int cp_question_ask(struct cp_app *app, const char *channel, const json_t *spec, const char *by,
                    int64_t asked_ns, json_t **ret_question, struct cp_error *error)
{
    char id[ID_BYTES], now[32];
    json_t *known;
    int result = cp_show_channel_get(app->show, channel, &known, error);
    if (result)
        return result;
    json_decref(known);
    make_id(id);
    cp_clock_rfc3339(cp_clock_wall_ns(), now);
    json_t *question = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:[]}", "id", id, "channel", channel, "text",
                                 text_of(spec, "text"), "asker", text_of(spec, "asker"), "language",
                                 text_of(spec, "language"), "collection", text_of(spec, "collection"),
                                 "asked_at", now, "history");
    if (!question)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    if (json_is_true(json_object_get(spec, "audience")))
        json_object_set_new(question, "votes", json_integer(1));
    if (json_is_true(json_object_get(spec, "masked")))
        json_object_set_new(question, "masked", json_true());
    bool unmoderated = json_is_true(json_object_get(spec, "unmoderated"));
    if (unmoderated)
        json_object_set_new(question, "unmoderated", json_true());
    move_to(question, "new", by);
    result = add_suggestion(app, question, "search", error);
    if (!result)
        result = put(app, channel, question, CP_STORE_MUST_BE_NEW, error);
    if (result) {
        json_decref(question);
        return result;
    }
    *ret_question = question;
    if (app->answering) {
        cp_answering_ask(app->answering, channel, id, unmoderated ? 0 : asked_ns);
    } else if (cp_question_air_if_sure(app, channel, id, asked_ns) &&
               !cp_question_get(app, channel, id, &question, NULL)) {
        json_decref(*ret_question);
        *ret_question = question;
    }
    return 0;
}

int cp_question_get(struct cp_app *app, const char *channel, const char *id, json_t **ret_question,
                    struct cp_error *error)
{
    int64_t version;
    return get(app, channel, id, ret_question, &version, error);
}

int cp_question_list(struct cp_app *app, const char *channel, const char *state, const char *cursor,
                     int limit, json_t **ret_page, struct cp_error *error)
{
    char partition[64];
    partition_of(channel, partition);
    char at[CP_STORE_CURSOR_BYTES];
    snprintf(at, sizeof at, "%s", cursor ? cursor : "");
    json_t *known, *list = NULL;
    int result = cp_show_channel_get(app->show, channel, &known, error);
    if (result)
        return result;
    json_decref(known);
    list = json_array();
    /* A state is looked for over many records, so that one that is rare fills a page all the same. */
    int looked_at = 0;
    for (bool more = true; more && looked_at < MOST_LOOKED_AT; more = *at && *state) {
        int left = limit - (int)json_array_size(list);
        const struct cp_query query = {
            .partition = partition, .descending = true, .limit = left, .cursor = *at ? at : NULL};
        struct cp_query_result page;
        if (left <= 0)
            break;
        if ((result = cp_store_query(app->store, &query, &page, error))) {
            json_decref(list);
            return result;
        }
        for (int i = 0; i < page.n_records; i++) {
            json_t *question = json_loads(page.records[i].json, 0, NULL);
            if (question && (!*state || !strcmp(state, text_of(question, "state"))))
                json_array_append(list, question);
            json_decref(question);
        }
        looked_at += page.n_records;
        memcpy(at, page.cursor, sizeof at);
        cp_query_result_clear(&page);
    }
    *ret_page = json_pack("{s:o,s:s}", "questions", list, "cursor", at);
    return 0;
}

json_t *cp_question_earlier(struct cp_app *app, const char *channel, const json_t *question)
{
    enum { LOOK_AT = 60, MOST = 3 };
    const char *asker = text_of(question, "asker");
    json_t *earlier = json_array(), *page = NULL, *one;
    size_t i;
    char since[32];
    cp_clock_rfc3339(cp_clock_wall_ns() - (int64_t)CONTEXT_S * CP_NS_PER_S, since);
    if (*asker && !cp_question_list(app, channel, "", NULL, LOOK_AT, &page, NULL))
        json_array_foreach(json_object_get(page, "questions"), i, one)
        {
            const char *said = text_of(one, "answer");
            bool same = !strcmp(text_of(one, "asker"), asker) &&
                        strcmp(text_of(one, "id"), text_of(question, "id")) < 0 &&
                        strcmp(text_of(one, "asked_at"), since) >= 0;
            if (same && *said && json_array_size(earlier) < MOST)
                json_array_append_new(
                    earlier, json_pack("{s:s,s:s}", "question", text_of(one, "text"), "answer", said));
        }
    json_decref(page);
    return earlier;
}

/* --- what operators do --- */

struct doing {
    struct cp_app *app;
    const char *channel, *by, *text;
    const json_t *suggestion; /* takes the place of the question's; NULL: that stays */
    int64_t asked_ns;
    char cue[48]; /* that was made */
};

static int do_suggest(void *user, json_t *question, struct cp_error *error)
{
    struct doing *doing = user;
    return is_open(question) ? add_suggestion(doing->app, question, doing->by, error)
                             : not_open(question, error);
}

static int do_dismiss(void *user, json_t *question, struct cp_error *error)
{
    const struct doing *doing = user;
    if (!is_open(question))
        return not_open(question, error);
    move_to(question, "dismissed", doing->by);
    return 0;
}

static int do_approve(void *user, json_t *question, struct cp_error *error)
{
    const struct doing *doing = user;
    if (!is_open(question))
        return not_open(question, error);
    if (doing->suggestion)
        json_object_set_new(question, "suggestion", json_deep_copy(doing->suggestion));
    const char *text = *doing->text ? doing->text : text_of(json_object_get(question, "suggestion"), "text");
    if (!*text)
        return cp_fail(error, CP_ERR_INVALID, "app",
                       "nothing was found to answer this question with: give the answer as text");
    json_object_set_new(question, "answer", json_string(text));
    move_to(question, "approved", doing->by);
    return 0;
}

int cp_question_suggest(struct cp_app *app, const char *channel, const char *id, const char *by,
                        json_t **ret_question, struct cp_error *error)
{
    struct doing doing = {.app = app, .by = by};
    int result = update(app, channel, id, do_suggest, &doing, ret_question, error);
    if (!result) /* by hand: an operator looks at it, so it does not air by itself */
        cp_answering_ask(app->answering, channel, id, 0);
    return result;
}

static int do_set_suggestion(void *user, json_t *question, struct cp_error *error)
{
    const json_t *suggestion = user;
    if (!is_open(question))
        return not_open(question, error);
    json_object_set_new(question, "suggestion", json_deep_copy(suggestion));
    if (!json_object_get(suggestion, "problem"))
        move_to(question, json_is_true(json_object_get(suggestion, "refused")) ? "new" : "suggested",
                "model");
    return 0;
}

void cp_question_set_suggestion(struct cp_app *app, const char *channel, const char *id,
                                const json_t *suggestion)
{
    json_t *question = NULL;
    if (!update(app, channel, id, do_set_suggestion, (void *)suggestion, &question, NULL))
        json_decref(question);
}

static int do_vote(void *user, json_t *question, struct cp_error *error)
{
    if (!is_open(question))
        return not_open(question, error);
    json_int_t votes = json_integer_value(json_object_get(question, "votes"));
    json_object_set_new(question, "votes", json_integer(votes + 1));
    return 0;
}

int cp_question_vote(struct cp_app *app, const char *channel, const char *id, json_t **ret_question,
                     struct cp_error *error)
{
    return update(app, channel, id, do_vote, NULL, ret_question, error);
}

static int do_set_priority(void *user, json_t *question, struct cp_error *error)
{
    if (!is_open(question))
        return not_open(question, error);
    json_object_set_new(question, "priority", json_integer(*(const int *)user));
    return 0;
}

int cp_question_set_priority(struct cp_app *app, const char *channel, const char *id, int priority,
                             json_t **ret_question, struct cp_error *error)
{
    return update(app, channel, id, do_set_priority, &priority, ret_question, error);
}

int cp_question_dismiss(struct cp_app *app, const char *channel, const char *id, const char *by,
                        json_t **ret_question, struct cp_error *error)
{
    struct doing doing = {.app = app, .by = by};
    return update(app, channel, id, do_dismiss, &doing, ret_question, error);
}

static int note_cue(void *user, json_t *question, struct cp_error *error)
{
    const struct doing *doing = user;
    json_object_set_new(question, "cue", json_string(doing->cue));
    return 0;
}

static int take_back(void *user, json_t *question, struct cp_error *error)
{
    const struct doing *doing = user;
    move_to(question, "suggested", doing->by);
    return 0;
}

/* Whoever approves first wins the record, and only then makes the cue: it is said once. open: its text is
 * still being written. */
static int approve(const struct doing *wanted, const char *id, bool open, json_t **ret_question,
                   struct cp_error *error)
{
    struct doing doing = *wanted;
    struct cp_app *app = doing.app;
    const char *channel = doing.channel;
    json_t *question = NULL, *cue = NULL, *about = NULL;
    int result = cp_show_channel_get(app->show, channel, &about, error);
    if (!result)
        result = update(app, channel, id, do_approve, &doing, &question, error);
    if (result) {
        json_decref(about);
        return result;
    }
    json_t *spec = json_pack("{s:s,s:s}", "text", text_of(question, "answer"), "question", id);
    if (open)
        json_object_set_new(spec, "open", json_true());
    result = cp_app_check_cue(app, spec, about, NULL, error);
    if (!result)
        result = cp_show_cue_create(app->show, channel, spec, doing.asked_ns, &cue, error);
    if (result) {
        json_t *back = NULL;
        if (!update(app, channel, id, take_back, &doing, &back, NULL))
            json_decref(back);
    } else {
        json_t *noted = NULL;
        snprintf(doing.cue, sizeof doing.cue, "%s", text_of(cue, "id"));
        if (!update(app, channel, id, note_cue, &doing, &noted, NULL)) {
            json_decref(question);
            question = noted;
        }
    }
    json_decref(spec);
    json_decref(cue);
    json_decref(about);
    if (result)
        json_decref(question);
    else
        *ret_question = question;
    return result;
}

int cp_question_approve(struct cp_app *app, const char *channel, const char *id, const char *text,
                        const char *by, int64_t asked_ns, json_t **ret_question, struct cp_error *error)
{
    const struct doing doing = {.app = app, .channel = channel, .by = by, .text = text, .asked_ns = asked_ns};
    return approve(&doing, id, false, ret_question, error);
}

/* --- answers that air by themselves --- */

#define USUAL_SURE 0.7 /* the confidence from which an answer airs by itself */

double cp_question_sure(const json_t *channel)
{
    const json_t *rule = json_object_get(channel, "answers"), *sure = json_object_get(rule, "confident");
    if (strcmp(text_of(rule, "mode"), "auto") != 0)
        return 2;
    return sure ? json_number_value(sure) : USUAL_SURE;
}

static bool is_sure(const json_t *channel, const json_t *question)
{
    const json_t *suggestion = json_object_get(question, "suggestion");
    return !json_is_true(json_object_get(question, "unmoderated")) &&
           !strcmp(text_of(question, "state"), "suggested") && *text_of(suggestion, "text") &&
           json_number_value(json_object_get(suggestion, "confidence")) >= cp_question_sure(channel);
}

int cp_question_air_begun(struct cp_app *app, const char *channel, const char *id, const json_t *suggestion,
                          int64_t asked_ns, char ret_cue[48], struct cp_error *error)
{
    const struct doing doing = {.app = app,
                                .channel = channel,
                                .by = "auto",
                                .text = "",
                                .suggestion = suggestion,
                                .asked_ns = asked_ns};
    json_t *question = NULL;
    int result = approve(&doing, id, true, &question, error);
    if (!result)
        snprintf(ret_cue, 48, "%s", text_of(question, "cue"));
    json_decref(question);
    return result;
}

static int do_note_whole(void *user, json_t *question, struct cp_error *error)
{
    const struct doing *doing = user;
    json_object_set_new(question, "suggestion", json_deep_copy(doing->suggestion));
    json_object_set_new(question, "answer", json_string(doing->text));
    return 0;
}

void cp_question_note_whole(struct cp_app *app, const char *channel, const char *id, const json_t *suggestion,
                            const char *said)
{
    struct doing doing = {.app = app, .suggestion = suggestion, .text = said};
    json_t *question = NULL;
    if (!update(app, channel, id, do_note_whole, &doing, &question, NULL))
        json_decref(question);
}

bool cp_question_air_if_sure(struct cp_app *app, const char *channel, const char *id, int64_t asked_ns)
{
    json_t *about = NULL, *question = NULL, *aired = NULL;
    struct cp_error error;
    int result = cp_show_channel_get(app->show, channel, &about, NULL);
    if (!result)
        result = cp_question_get(app, channel, id, &question, NULL);
    bool airs = !result && is_sure(about, question);
    if (airs && cp_question_approve(app, channel, id, "", "auto", asked_ns, &aired, &error)) {
        cp_log(CP_LOG_WARN, "app", "answer not aired by itself", "question=%s error=\"%s\"", id, error.text);
        airs = false; /* it stays suggested: somebody may air it later */
    }
    json_decref(about);
    json_decref(question);
    json_decref(aired);
    return airs;
}

/* --- teaching --- */

/* A field of CSV (RFC 4180). */
static void add_field(struct cp_buffer *csv, const char *text)
{
    cp_buffer_u8(csv, '"');
    for (; *text; text++) {
        if (*text == '"')
            cp_buffer_u8(csv, '"');
        cp_buffer_u8(csv, (uint8_t)*text);
    }
    cp_buffer_u8(csv, '"');
}

static int do_note_taught(void *user, json_t *question, struct cp_error *error)
{
    json_object_set_new(question, "taught", json_string(((const struct doing *)user)->text));
    return 0;
}

/* A question has one title, so that teaching it again replaces what it was answered with. */
int cp_question_teach(struct cp_app *app, const char *channel, const char *id, const char *text,
                      json_t **ret_question, struct cp_error *error)
{
    enum { TITLE_CHARACTERS = 100 };
    json_t *question = NULL, *document = NULL;
    int result = cp_question_get(app, channel, id, &question, error);
    if (result)
        return result;
    if (!*text)
        text = text_of(question, "answer");
    if (!*text)
        text = text_of(json_object_get(question, "suggestion"), "text");
    const char *asked = text_of(question, "text");
    size_t length = strlen(asked);
    while (length > TITLE_CHARACTERS || (asked[length] & 0xc0) == 0x80)
        length--;
    struct cp_buffer title = cp_buffer_make(256), csv = cp_buffer_make(64 << 10);
    cp_buffer_printf(&title, "Taught: %.*s", (int)length, asked);
    cp_buffer_text(&csv, "question,answer\n");
    add_field(&csv, asked);
    cp_buffer_u8(&csv, ',');
    add_field(&csv, text);
    const struct cp_document_source source = {.collection = text_of(question, "collection"),
                                              .title = cp_buffer_string(&title),
                                              .type = "text/csv",
                                              .language = text_of(question, "language"),
                                              .bytes = csv.data,
                                              .length = csv.length};
    result = *text
                 ? cp_answers_add(app->answers, &source, &document, error)
                 : cp_fail(error, CP_ERR_INVALID, "app", "there is no answer to be learnt: give it as text");
    json_decref(question);
    const struct doing doing = {.app = app, .text = text_of(document, "id")};
    if (!result)
        result = update(app, channel, id, do_note_taught, (void *)&doing, ret_question, error);
    json_decref(document);
    cp_buffer_free(&title);
    cp_buffer_free(&csv);
    return result;
}

/* --- what the show does --- */

static int end_with_cue(void *user, json_t *question, struct cp_error *error)
{
    const struct doing *doing = user; /* text: the cue's state */
    if (strcmp(text_of(question, "state"), "approved") != 0)
        return not_open(question, error);
    move_to(question, !strcmp(doing->text, "done") ? "aired" : "suggested", "show");
    return 0;
}

void cp_question_cue_changed(struct cp_app *app, const char *channel, const json_t *cue)
{
    const char *id = text_of(cue, "question"), *state = text_of(cue, "state");
    if (!*id || (strcmp(state, "done") != 0 && strcmp(state, "cut") != 0 && strcmp(state, "failed") != 0))
        return;
    struct doing doing = {.app = app, .text = state};
    struct cp_error error;
    json_t *question = NULL;
    if (update(app, channel, id, end_with_cue, &doing, &question, &error))
        cp_log(CP_LOG_WARN, "app", "question not updated", "question=%s cue_state=%s error=\"%s\"", id, state,
               error.text);
    else
        json_decref(question);
}
