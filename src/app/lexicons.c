#include "app/lexicons.h"
#include "app/api.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define PARTITION "lexicons" /* of the store; the key is the channel's id */

struct entry {
    struct entry *next;
    char channel[64];
    struct cp_lexicon *lexicon;
};

struct cp_lexicons {
    struct cp_store *store;
    pthread_mutex_t lock; /* guards the list */
    struct entry *first;  /* one a channel: as many as there are channels */
};

/* Puts a lexicon, whose reference it takes, in the place of the channel's; NULL for none. */
static int set(struct cp_lexicons *lexicons, const char *channel, struct cp_lexicon *lexicon)
{
    struct entry *fresh = lexicon ? calloc(1, sizeof *fresh) : NULL, *old;
    if (lexicon && !fresh) {
        cp_lexicon_drop(lexicon);
        return CP_ERR_NOMEM;
    }
    pthread_mutex_lock(&lexicons->lock);
    struct entry **at = &lexicons->first;
    while (*at && strcmp((*at)->channel, channel) != 0)
        at = &(*at)->next;
    old = *at;
    if (old)
        *at = old->next;
    if (fresh) {
        snprintf(fresh->channel, sizeof fresh->channel, "%s", channel);
        fresh->lexicon = lexicon;
        fresh->next = lexicons->first;
        lexicons->first = fresh;
    }
    pthread_mutex_unlock(&lexicons->lock);
    if (old)
        cp_lexicon_drop(old->lexicon);
    free(old);
    return 0;
}

static void load(struct cp_lexicons *lexicons, const struct cp_record *record)
{
    struct cp_lexicon *lexicon = NULL;
    struct cp_error error = {.text = "not JSON"};
    json_t *document = json_loads(record->json, 0, NULL);
    if (!document || cp_lexicon_read_json(document, &lexicon, &error) || set(lexicons, record->key, lexicon))
        cp_log(CP_LOG_WARN, "app", "lexicon unreadable", "channel=%s error=\"%s\"", record->key, error.text);
    json_decref(document);
}

int cp_lexicons_create(struct cp_store *store, struct cp_lexicons **ret_lexicons, struct cp_error *error)
{
    struct cp_lexicons *lexicons = calloc(1, sizeof *lexicons);
    if (!lexicons)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    lexicons->store = store;
    pthread_mutex_init(&lexicons->lock, NULL);
    struct cp_query_result page = {0};
    int result = 0;
    do {
        char cursor[CP_STORE_CURSOR_BYTES];
        memcpy(cursor, page.cursor, sizeof cursor);
        struct cp_query query = {.partition = PARTITION, .cursor = *cursor ? cursor : NULL};
        result = cp_store_query(store, &query, &page, error);
        for (int i = 0; !result && i < page.n_records; i++)
            load(lexicons, &page.records[i]);
        memcpy(cursor, page.cursor, sizeof cursor);
        if (!result)
            cp_query_result_clear(&page);
        memcpy(page.cursor, cursor, sizeof cursor);
    } while (!result && *page.cursor);
    if (result)
        cp_lexicons_destroy(lexicons);
    else
        *ret_lexicons = lexicons;
    return result;
}

void cp_lexicons_destroy(struct cp_lexicons *lexicons)
{
    if (!lexicons)
        return;
    while (lexicons->first)
        set(lexicons, lexicons->first->channel, NULL);
    pthread_mutex_destroy(&lexicons->lock);
    free(lexicons);
}

struct cp_lexicon *cp_lexicons_hold(struct cp_lexicons *lexicons, const char *channel)
{
    struct cp_lexicon *found = NULL;
    pthread_mutex_lock(&lexicons->lock);
    for (struct entry *entry = lexicons->first; entry && !found; entry = entry->next)
        if (!strcmp(entry->channel, channel))
            found = cp_lexicon_hold(entry->lexicon);
    pthread_mutex_unlock(&lexicons->lock);
    return found;
}

int cp_lexicons_put(struct cp_lexicons *lexicons, const char *channel, struct cp_lexicon *lexicon,
                    struct cp_error *error)
{
    json_t *document = cp_lexicon_to_json(lexicon);
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (!text)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result =
        cp_store_put_if(lexicons->store, PARTITION, channel, text, CP_STORE_ANY_VERSION, 0, NULL, error);
    free(text);
    if (!result && set(lexicons, channel, cp_lexicon_hold(lexicon)))
        result = cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    return result;
}

int cp_lexicons_delete(struct cp_lexicons *lexicons, const char *channel, struct cp_error *error)
{
    int result = cp_store_delete_if(lexicons->store, PARTITION, channel, CP_STORE_ANY_VERSION, error);
    if (result && result != CP_ERR_NOT_FOUND)
        return result;
    set(lexicons, channel, NULL);
    return result ? cp_fail(error, CP_ERR_NOT_FOUND, "app", "the channel \"%.40s\" has no lexicon", channel)
                  : 0;
}

/* --- handlers --- */

int cp_api_check_channel(const struct cp_app *app, const char *channel, struct cp_error *error)
{
    json_t *found = NULL;
    int result = cp_show_channel_get(app->show, channel, &found, error);
    if (!result)
        json_decref(found);
    return result;
}

static int read_body(struct cp_request *request, struct cp_lexicon **ret_lexicon, struct cp_error *error)
{
    size_t length;
    const char *body = cp_request_body(request, &length), *type = cp_request_header(request, "Content-Type");
    if (!type || !strstr(type, "json"))
        return cp_lexicon_read_pls(body, length, ret_lexicon, error);
    json_error_t problem;
    json_t *document = json_loadb(body, length, 0, &problem);
    if (!document)
        return cp_fail(error, CP_ERR_FORMAT, "app", "the lexicon is no JSON: line %d: %.100s", problem.line,
                       problem.text);
    int result = cp_lexicon_read_json(document, ret_lexicon, error);
    json_decref(document);
    return result;
}

static void answer(struct cp_request *request, const char *channel, const struct cp_lexicon *lexicon)
{
    json_t *body = cp_lexicon_to_json(lexicon);
    json_object_set_new(body, "channel", json_string(channel));
    cp_request_reply_json(request, 200, body);
}

void cp_api_lexicon_put(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    struct cp_lexicon *lexicon = NULL;
    const char *channel = cp_request_param(request, "channel");
    int result = cp_api_check_channel(app, channel, &error);
    if (!result)
        result = read_body(request, &lexicon, &error);
    if (!result)
        result = cp_lexicons_put(app->lexicons, channel, lexicon, &error);
    if (result)
        cp_request_fail(request, &error);
    else
        answer(request, channel, lexicon);
    cp_lexicon_drop(lexicon);
}

void cp_api_lexicon_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *channel = cp_request_param(request, "channel");
    int result = cp_api_check_channel(app, channel, &error);
    struct cp_lexicon *lexicon = result ? NULL : cp_lexicons_hold(app->lexicons, channel);
    if (!result && !lexicon)
        result = cp_fail(&error, CP_ERR_NOT_FOUND, "app", "the channel \"%.40s\" has no lexicon", channel);
    if (result)
        cp_request_fail(request, &error);
    else
        answer(request, channel, lexicon);
    cp_lexicon_drop(lexicon);
}

void cp_api_lexicon_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *channel = cp_request_param(request, "channel");
    int result = cp_api_check_channel(app, channel, &error);
    if (!result)
        result = cp_lexicons_delete(app->lexicons, channel, &error);
    if (result)
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 204, NULL);
}
