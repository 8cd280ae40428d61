#include "speech/engines/remote.h"

#include "base/clock.h"
#include "speech/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum {
    TRIES = 3,
    LEAST_MS = 150,     /* less time than this is not worth another try */
    WHENEVER_MS = 30000 /* without a deadline */
};

/* --- voices --- */

static void copy(char *to, size_t capacity, const char *from, size_t length)
{
    snprintf(to, capacity, "%.*s", (int)length, from);
}

static const char *age_of(const char *word, size_t length)
{
    static const char *const AGES[] = {"child", "young", "adult", "old"};
    for (size_t i = 0; i < sizeof AGES / sizeof *AGES; i++)
        if (length == strlen(AGES[i]) && !strncmp(word, AGES[i], length))
            return AGES[i];
    return NULL;
}

static const char *sex_of(const char *word, size_t length)
{
    static const char *const SEX[] = {"female", "male"};
    for (size_t i = 0; i < 2; i++)
        if ((length == 1 && *word == *SEX[i]) || (length == strlen(SEX[i]) && !strncmp(word, SEX[i], length)))
            return SEX[i];
    return NULL;
}

/* One entry; false when it is wrong. */
static bool read_voice(const char *entry, size_t length, struct cp_remote_voice *voice)
{
    *voice = (struct cp_remote_voice){.language = "en"};
    const char *end = entry + length;
    const char *slash = memchr(entry, '/', length);
    const char *name_end = slash ? slash : end;
    const char *equals = memchr(entry, '=', (size_t)(name_end - entry));
    size_t name_length = (size_t)((equals ? equals : name_end) - entry);
    const char *service = equals ? equals + 1 : entry;
    size_t service_length = (size_t)(name_end - service);
    if (!name_length || name_length >= sizeof voice->name || !service_length ||
        service_length >= sizeof voice->service)
        return false;
    copy(voice->name, sizeof voice->name, entry, name_length);
    copy(voice->service, sizeof voice->service, service, service_length);
    if (!slash)
        return true;
    const char *sex = memchr(slash + 1, '/', (size_t)(end - slash - 1));
    size_t language_length = (size_t)((sex ? sex : end) - slash - 1);
    if (!language_length || language_length >= sizeof voice->language)
        return false;
    copy(voice->language, sizeof voice->language, slash + 1, language_length);
    if (!sex)
        return true;
    const char *age = memchr(sex + 1, '/', (size_t)(end - sex - 1));
    const char *known = sex_of(sex + 1, (size_t)((age ? age : end) - sex - 1));
    copy(voice->sex, sizeof voice->sex, known ? known : "", 7);
    const char *known_age = age ? age_of(age + 1, (size_t)(end - age - 1)) : "";
    copy(voice->age, sizeof voice->age, known_age ? known_age : "", 7);
    return known && known_age;
}

int cp_remote_read_voices(const char *list, struct cp_remote_voice *voices, int capacity, int *ret_n,
                          struct cp_error *error)
{
    static const char SEPARATORS[] = ", \t";
    int n = 0;
    for (const char *at = list + strspn(list, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
        size_t length = strcspn(at, SEPARATORS);
        if (n == capacity)
            return cp_fail(error, CP_ERR_LIMIT, STAGE, "More than %d voices are listed.", capacity);
        if (!read_voice(at, length, &voices[n++]))
            return cp_fail(error, CP_ERR_INVALID, STAGE,
                           "The voice '%.*s' is not written as NAME=SERVICE_NAME/LANGUAGE/SEX.",
                           (int)(length < 60 ? length : 60), at);
        at += length;
    }
    *ret_n = n;
    return 0;
}

int cp_remote_open(struct cp_remote *remote, const struct cp_speech_config *config, const char *voices,
                   struct cp_error *error)
{
    int result =
        cp_remote_read_voices(voices, remote->voices, CP_REMOTE_MAX_VOICES, &remote->n_voices, error);
    if (!result)
        result = cp_http_create(
            &(struct cp_http_config){.max_idle = 2 * (int)config->remote_threads, .ca_file = config->ca_file},
            &remote->http, error);
    return result;
}

void cp_remote_close(struct cp_remote *remote)
{
    cp_http_destroy(remote->http);
}

void cp_remote_read_key(struct cp_remote *remote, const char *option, const char *reference, char *key,
                        size_t capacity)
{
    struct cp_error error = {0};
    *key = '\0';
    if (*remote->why_not)
        return;
    if (!*reference)
        snprintf(remote->why_not, sizeof remote->why_not, "set speech.%s to file:PATH or env:NAME", option);
    else if (cp_config_secret(reference, key, capacity, &error))
        snprintf(remote->why_not, sizeof remote->why_not, "speech.%s: %.120s", option, error.text);
}

int cp_remote_list(const struct cp_remote *remote, struct cp_voice *voices, int capacity)
{
    int n = 0;
    for (int i = 0; remote->http && i < remote->n_voices && n < capacity; i++) {
        const struct cp_remote_voice *from = &remote->voices[i];
        struct cp_voice *voice = &voices[n++];
        *voice = (struct cp_voice){.usable = !*remote->why_not};
        snprintf(voice->id, sizeof voice->id, "%s:%s", remote->row, from->name);
        snprintf(voice->name, sizeof voice->name, "%s%s%s", from->name, *from->sex ? ", " : "", from->sex);
        snprintf(voice->engine, sizeof voice->engine, "%s", remote->row);
        snprintf(voice->language, sizeof voice->language, "%s", from->language);
        snprintf(voice->sex, sizeof voice->sex, "%s", from->sex);
        snprintf(voice->age, sizeof voice->age, "%s", from->age);
        snprintf(voice->why_not, sizeof voice->why_not, "%s", remote->why_not);
    }
    return n;
}

const struct cp_remote_voice *cp_remote_find(const struct cp_remote *remote, const char *name)
{
    for (int i = 0; i < remote->n_voices; i++)
        if (!strcmp(remote->voices[i].name, name))
            return &remote->voices[i];
    return NULL;
}

/* --- requests --- */

static int64_t left_ms(const struct cp_piece *piece)
{
    return piece->deadline_ns ? (piece->deadline_ns - cp_clock_now_ns()) / CP_NS_PER_MS : WHENEVER_MS;
}

/* Sleeps in slices; false when cancelled. */
static bool wait_ms(int64_t ms, const atomic_bool *stop)
{
    enum { SLICE_MS = 20 };
    for (int64_t until_ns = cp_clock_now_ns() + ms * CP_NS_PER_MS, now_ns;
         (now_ns = cp_clock_now_ns()) < until_ns;) {
        if (stop && atomic_load(stop))
            return false;
        int64_t slice_ns = now_ns + SLICE_MS * CP_NS_PER_MS;
        cp_clock_sleep_until_ns(slice_ns < until_ns ? slice_ns : until_ns);
    }
    return true;
}

int cp_remote_try(const struct cp_remote *remote, const struct cp_piece *piece, const atomic_bool *stop,
                  cp_remote_attempt *attempt, void *user, struct cp_error *error)
{
    for (int number = 1;; number++) {
        struct cp_remote_verdict verdict = {.time_ms = left_ms(piece)};
        if (verdict.time_ms <= 0)
            return cp_fail(error, CP_ERR_TIMEOUT, STAGE, "%s: no time is left for this sentence.",
                           remote->row);
        int result = attempt(user, number, &verdict, error);
        if (!result || number == TRIES || !verdict.may_pass || left_ms(piece) < verdict.wait_ms + LEAST_MS)
            return result;
        if (!wait_ms(verdict.wait_ms, stop))
            return cp_fail(error, CP_ERR_CANCELLED, STAGE, "%s: cancelled.", remote->row);
    }
}

struct sending {
    const struct cp_remote *remote;
    struct cp_http_request *request;
    struct cp_http_response *response;
};

static int send_once(void *user, int number, struct cp_remote_verdict *verdict, struct cp_error *error)
{
    struct sending *sending = user;
    struct cp_http_request *request = sending->request;
    cp_http_response_free(sending->response);
    request->connect_ms = request->first_byte_ms = request->idle_ms = request->total_ms = verdict->time_ms;
    int sent = cp_http_send(sending->remote->http, request, sending->response, error);
    verdict->may_pass = cp_http_may_retry(sent, sending->response);
    verdict->wait_ms = cp_http_backoff_ms(sending->response, number, CP_REMOTE_FIRST_WAIT_MS);
    return sent ? sent : cp_http_check(request, sending->response, error);
}

int cp_remote_send(const struct cp_remote *remote, struct cp_http_request *request,
                   const struct cp_piece *piece, const atomic_bool *stop,
                   struct cp_http_response *ret_response, struct cp_error *error)
{
    request->who = remote->row;
    request->stage = STAGE;
    request->stop = stop;
    *ret_response = (struct cp_http_response){0};
    struct sending sending = {remote, request, ret_response};
    return cp_remote_try(remote, piece, stop, send_once, &sending, error);
}

/* --- text --- */

static const char *entity_of(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    default:
        return NULL;
    }
}

enum { LONGEST_ENTITY = 6 };

struct markup {
    char *text;
    int32_t *origin;
    size_t n;
};

/* All of it stands for the byte `origin` of the piece's text. */
static void add(struct markup *markup, const char *text, size_t length, int32_t origin)
{
    for (size_t i = 0; i < length; i++) {
        markup->origin[markup->n] = origin;
        markup->text[markup->n++] = text[i];
    }
}

/* `moves`: each byte stands for the next one of the piece's text. */
static void add_escaped(struct markup *markup, const char *text, size_t length, int32_t origin, bool moves)
{
    for (size_t i = 0; i < length; i++) {
        const char *entity = entity_of(text[i]);
        add(markup, entity ? entity : text + i, entity ? strlen(entity) : 1,
            origin + (moves ? (int32_t)i : 0));
    }
}

char *cp_remote_escape(const struct cp_piece *piece, int32_t **ret_origin)
{
    static const char OPEN[] = "<phoneme alphabet=\"ipa\" ph=\"", CLOSE[] = "\">", END[] = "</phoneme>";
    size_t most = piece->length * LONGEST_ENTITY + 1;
    for (int i = 0; i < piece->n_pronounced; i++)
        most += strlen(piece->pronounced[i].ipa) * LONGEST_ENTITY + sizeof OPEN + sizeof CLOSE + sizeof END;
    struct markup markup = {.text = malloc(most), .origin = malloc(most * sizeof *markup.origin)};
    if (!markup.text || !markup.origin) {
        free(markup.text);
        free(markup.origin);
        return NULL;
    }
    int32_t at = 0;
    for (int i = 0; i < piece->n_pronounced; i++) {
        const struct cp_pronounced *stretch = &piece->pronounced[i];
        int32_t start = stretch->start, end = stretch->end;
        add_escaped(&markup, piece->text + at, (size_t)(start - at), at, true);
        add(&markup, OPEN, strlen(OPEN), start);
        add_escaped(&markup, stretch->ipa, strlen(stretch->ipa), start, false);
        add(&markup, CLOSE, strlen(CLOSE), start);
        add_escaped(&markup, piece->text + start, (size_t)(end - start), start, true);
        add(&markup, END, strlen(END), end);
        at = end;
    }
    add_escaped(&markup, piece->text + at, piece->length - (size_t)at, at, true);
    markup.origin[markup.n] = (int32_t)piece->length;
    markup.text[markup.n] = '\0';
    if (ret_origin)
        *ret_origin = markup.origin;
    else
        free(markup.origin);
    return markup.text;
}
