#include "app/desk/audience.h"

#include "answers/filter.h"
#include "answers/terms.h"
#include "app/access/guard.h"
#include "app/app.h"
#include "app/desk/judging.h"
#include "app/desk/questions.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char REFERENCE[] = "env:COMPERE_WEBHOOK_"; /* no other variable can be asked for over HTTP */

enum { WINDOW_S = 300, SIGNATURES = 1024 };
enum { ASKERS = 4096, PROBES = 8, RECENT = 1024, ALIKE_S = 1800, USUAL_PER_MINUTE = 3 };

/* One address on one channel; only a hash of it is kept. */
struct asker {
    uint64_t who;
    double left; /* questions */
    int64_t at_ns;
};

struct recent {
    uint64_t alike; /* 0: empty */
    char question[32];
    int64_t at_ns;
};

struct cp_audience {
    struct cp_app *app;
    pthread_mutex_t lock; /* all below */
    struct asker askers[ASKERS];
    struct recent recent[RECENT]; /* the oldest gives way */
    int next;
    uint64_t signatures[SIGNATURES]; /* of the last calls of webhooks: none counts twice */
    int next_signature;
    struct cp_cutter *cutter;
    struct cp_judging *judging; /* NULL: nobody judges */
    struct cp_metric *asked, *votes, *limited, *refused, *flagged, *unjudged, *busy;
};

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

/* Never 0. */
static uint64_t hash_two(const char *a, const char *b)
{
    return cp_hash_text(cp_hash_bytes(cp_hash_text(CP_HASH_SEED, a), "", 1), b) | 1;
}

/* --- limits --- */

/* The asker's place: its own, an empty one, or that of who has been silent for longest. Under the lock. */
static struct asker *find_asker(struct cp_audience *audience, uint64_t who, double full, int64_t now_ns)
{
    struct asker *oldest = NULL;
    for (int i = 0; i < PROBES; i++) {
        struct asker *at = &audience->askers[(who + (uint64_t)i) % ASKERS];
        if (at->who == who)
            return at;
        if (!oldest || at->at_ns < oldest->at_ns)
            oldest = at;
    }
    *oldest = (struct asker){.who = who, .left = full, .at_ns = now_ns};
    return oldest;
}

/* Seconds to wait, or 0. A bucket of `per_minute` questions that fills in a minute. */
static int take_turn(struct cp_audience *audience, const char *channel, const char *address, int per_minute)
{
    int64_t now_ns = cp_clock_now_ns();
    double rate = (double)per_minute / 60;
    pthread_mutex_lock(&audience->lock);
    struct asker *asker = find_asker(audience, hash_two(channel, address), per_minute, now_ns);
    asker->left += rate * (double)(now_ns - asker->at_ns) / 1e9;
    if (asker->left > per_minute)
        asker->left = per_minute;
    asker->at_ns = now_ns;
    bool may = asker->left >= 1;
    int wait_s = may ? 0 : 1 + (int)((1 - asker->left) / rate);
    asker->left -= may ? 1 : 0;
    pthread_mutex_unlock(&audience->lock);
    return wait_s;
}

/* --- likeness --- */

static uint64_t likeness(struct cp_audience *audience, const char *channel, const char *text)
{
    pthread_mutex_lock(&audience->lock);
    uint64_t alike = cp_filter_likeness(audience->cutter, "", text);
    pthread_mutex_unlock(&audience->lock);
    return (alike ^ hash_two(channel, "")) | 1;
}

static bool find_alike(struct cp_audience *audience, uint64_t alike, char ret_question[32])
{
    int64_t since_ns = cp_clock_now_ns() - (int64_t)ALIKE_S * CP_NS_PER_S;
    bool found = false;
    pthread_mutex_lock(&audience->lock);
    for (int i = 0; i < RECENT && !found; i++) {
        const struct recent *recent = &audience->recent[i];
        found = recent->alike == alike && recent->at_ns > since_ns;
        if (found)
            memcpy(ret_question, recent->question, 32);
    }
    pthread_mutex_unlock(&audience->lock);
    return found;
}

static void remember(struct cp_audience *audience, uint64_t alike, const char *question)
{
    pthread_mutex_lock(&audience->lock);
    struct recent *recent = NULL;
    for (int i = 0; i < RECENT && !recent; i++)
        if (audience->recent[i].alike == alike)
            recent = &audience->recent[i];
    if (!recent)
        recent = &audience->recent[audience->next++ % RECENT];
    recent->alike = alike;
    recent->at_ns = cp_clock_now_ns();
    snprintf(recent->question, sizeof recent->question, "%.31s", question);
    pthread_mutex_unlock(&audience->lock);
}

/* --- asking --- */

/* One more vote for a question that asks the same and waits. */
static bool vote_for_alike(struct cp_audience *audience, const char *channel, const char *text,
                           json_t **ret_question)
{
    char known[32];
    bool voted = find_alike(audience, likeness(audience, channel, text), known) &&
                 !cp_question_vote(audience->app, channel, known, ret_question, NULL);
    if (voted)
        cp_metric_add(audience->votes, 1);
    return voted;
}

static int put_on_desk(struct cp_audience *audience, const char *channel, const json_t *spec,
                       int64_t asked_ns, json_t **ret_question, struct cp_error *error)
{
    int result = cp_question_ask(audience->app, channel, spec, "audience", asked_ns, ret_question, error);
    if (result)
        return result;
    remember(audience, likeness(audience, channel, text_of(spec, "text")), text_of(*ret_question, "id"));
    cp_metric_add(audience->asked, 1);
    return 0;
}

/* What becomes of a question when the moderation has judged it, or could not. thread: moderation */
static void on_judged(void *user, const char *channel, json_t *spec, int64_t asked_ns,
                      enum cp_verdict verdict)
{
    struct cp_audience *audience = user;
    struct cp_error error;
    json_t *question = NULL;
    bool unjudged = verdict == CP_VERDICT_NONE;
    if (verdict == CP_VERDICT_FLAGGED) {
        cp_metric_add(audience->flagged, 1);
        return;
    }
    if (unjudged && !strcmp(audience->app->config.moderation.on_failure, "refuse")) {
        cp_metric_add(audience->unjudged, 1);
        return;
    }
    if (unjudged)
        json_object_set_new(spec, "unmoderated", json_true());
    /* The same may have come to the desk meanwhile. */
    if (!vote_for_alike(audience, channel, text_of(spec, "text"), &question) &&
        put_on_desk(audience, channel, spec, asked_ns, &question, &error))
        cp_log(CP_LOG_WARN, "app", "question of the audience not kept", "channel=%s error=\"%s\"", channel,
               error.text);
    json_decref(question);
}

/* question: NULL while it is judged; who asks gets the same receipt. */
static void reply(struct cp_request *request, const char *text, const json_t *question, bool vote)
{
    json_int_t votes = question ? json_integer_value(json_object_get(question, "votes")) : 1;
    cp_request_reply_json(request, 201,
                          json_pack("{s:s,s:b,s:I}", "text", text, "vote", vote, "votes", votes));
}

/* The spec is the judging thread's from here on, so the text comes beside it. */
static void have_judged(struct cp_audience *audience, struct cp_request *request, const char *channel,
                        json_t *spec, const char *text)
{
    if (cp_judging_ask(audience->judging, channel, spec, cp_request_started_ns(request))) {
        reply(request, text, NULL, false);
        return;
    }
    cp_metric_add(audience->busy, 1);
    cp_request_add_header(request, "Retry-After", "5");
    cp_request_fail_status(request, 503, "too many at once",
                           "more questions came than can be looked at; ask again in a moment");
}

/* What is left of a question when filter and limits have passed it. */
static void take_question(struct cp_audience *audience, struct cp_request *request, const char *channel,
                          const char *name, const char *text, bool masked)
{
    struct cp_error error;
    json_t *question = NULL;
    if (vote_for_alike(audience, channel, text, &question)) {
        reply(request, text, question, true);
        json_decref(question);
        return;
    }
    json_t *spec =
        json_pack("{s:s,s:s,s:b,s:b}", "text", text, "asker", name, "audience", 1, "masked", masked);
    if (!spec)
        cp_request_fail_status(request, 500, NULL, "out of memory");
    else if (audience->judging)
        have_judged(audience, request, channel, spec, text);
    else if (put_on_desk(audience, channel, spec, cp_request_started_ns(request), &question, &error))
        cp_request_fail(request, &error);
    else
        reply(request, text, question, false);
    json_decref(spec);
    json_decref(question);
}

/* The channel's rule for questions; NULL when it takes none. The caller drops *ret_channel. */
static const json_t *rule_of(struct cp_app *app, const char *channel, json_t **ret_channel)
{
    *ret_channel = NULL;
    if (cp_show_channel_get(app->show, channel, ret_channel, NULL))
        return NULL;
    const json_t *rule = json_object_get(*ret_channel, "questions");
    return json_is_true(json_object_get(rule, "open")) ? rule : NULL;
}

/* A question of somebody on a channel that takes some: their share, the filter, then the desk. */
static void hear(struct cp_audience *audience, struct cp_request *request, const char *channel,
                 const json_t *rule, const char *who)
{
    int64_t per_minute = json_integer_value(json_object_get(rule, "per_minute"));
    int wait_s = take_turn(audience, channel, who, per_minute ? (int)per_minute : USUAL_PER_MINUTE);
    const json_t *asked = cp_request_json(request);
    const char *blocked = text_of(rule, "blocked");
    struct cp_buffer text = cp_buffer_make(8 << 10), name = cp_buffer_make(1 << 10);
    bool masked = false, name_masked; /* a name that may not stand there is left out */
    const char *why_not = cp_filter_question(text_of(asked, "text"), blocked, &text, &masked);
    cp_filter_question(text_of(asked, "name"), blocked, &name, &name_masked);
    if (wait_s) {
        char seconds[12];
        snprintf(seconds, sizeof seconds, "%d", wait_s);
        cp_metric_add(audience->limited, 1);
        cp_request_add_header(request, "Retry-After", seconds);
        cp_request_fail_status(request, 429, "too many questions", "wait a little before the next question");
    } else if (why_not) {
        cp_metric_add(audience->refused, 1);
        cp_request_fail_status(request, 422, "not taken", why_not);
    } else {
        take_question(audience, request, channel, cp_buffer_string(&name), cp_buffer_string(&text), masked);
    }
    cp_buffer_free(&text);
    cp_buffer_free(&name);
}

void cp_api_ask(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    const char *channel = cp_request_param(request, "channel");
    json_t *about;
    if (!cp_guard_admit_beside(app, request))
        return;
    const json_t *rule = rule_of(app, channel, &about);
    if (rule)
        hear(app->audience, request, channel, rule, cp_request_client(request));
    else
        cp_request_fail_status(request, 403, "no questions", "this channel takes no questions now");
    json_decref(about);
}

/* --- webhooks --- */

/* Whether a signature comes for the first time, among the last of them. */
static bool is_fresh(struct cp_audience *audience, uint64_t signature)
{
    bool fresh = true;
    pthread_mutex_lock(&audience->lock);
    for (int i = 0; i < SIGNATURES; i++)
        fresh &= audience->signatures[i] != signature;
    if (fresh)
        audience->signatures[audience->next_signature++ % SIGNATURES] = signature;
    pthread_mutex_unlock(&audience->lock);
    return fresh;
}

/* "sha256=" and the hexadecimal HMAC-SHA256, by the channel's secret, of the timestamp (seconds since 1970),
 * a dot and the body. NULL when it holds, else what is wrong. */
static const char *check_signature(struct cp_audience *audience, struct cp_request *request,
                                   const json_t *rule)
{
    char secret[256], wanted[7 + 64 + 1] = "sha256=";
    uint8_t mac[32];
    unsigned mac_bytes = sizeof mac;
    size_t length;
    const char *reference = text_of(rule, "webhook_secret"), *body = cp_request_body(request, &length),
               *at = cp_request_header(request, "X-Compere-Timestamp"),
               *given = cp_request_header(request, "X-Compere-Signature");
    if (strncmp(reference, REFERENCE, sizeof REFERENCE - 1) != 0 ||
        cp_config_secret(reference, secret, sizeof secret, NULL) || !*secret)
        return "this channel takes no questions of webhooks";
    if (!at || !given)
        return "X-Compere-Timestamp and X-Compere-Signature are needed";
    int64_t age_s = cp_clock_wall_ns() / CP_NS_PER_S - strtoll(at, NULL, 10);
    if (age_s > WINDOW_S || age_s < -WINDOW_S)
        return "the timestamp is more than five minutes off";
    struct cp_buffer signed_text = cp_buffer_make(64 << 10);
    cp_buffer_printf(&signed_text, "%.20s.", at);
    cp_buffer_add(&signed_text, body, length);
    bool made = !signed_text.failed && HMAC(EVP_sha256(), secret, (int)strlen(secret), signed_text.data,
                                            signed_text.length, mac, &mac_bytes);
    cp_buffer_free(&signed_text);
    explicit_bzero(secret, sizeof secret);
    for (size_t i = 0; made && i < sizeof mac; i++)
        snprintf(wanted + 7 + 2 * i, 3, "%02x", mac[i]);
    if (!made || strlen(given) != strlen(wanted) || CRYPTO_memcmp(given, wanted, strlen(wanted)) != 0)
        return "the signature is not right";
    return is_fresh(audience, hash_two(given, "")) ? NULL : "this call was made already";
}

void cp_api_ask_webhook(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    const char *channel = cp_request_param(request, "channel");
    json_t *about;
    const json_t *rule = rule_of(app, channel, &about);
    const char *wrong =
        rule ? check_signature(app->audience, request, rule) : "this channel takes no questions now";
    char who[96]; /* the chat's people share an address, so their names count */
    snprintf(who, sizeof who, "webhook %.80s", text_of(cp_request_json(request), "name"));
    if (wrong)
        cp_request_fail_status(request, 403, "not taken", wrong);
    else
        hear(app->audience, request, channel, rule, who);
    json_decref(about);
}

void cp_api_ask_state(void *user, struct cp_request *request)
{
    json_t *about;
    if (!cp_guard_admit_beside(user, request))
        return;
    const json_t *rule = rule_of(user, cp_request_param(request, "channel"), &about);
    cp_request_reply_json(request, 200, json_pack("{s:b}", "open", rule != NULL));
    json_decref(about);
}

/* --- starting and stopping --- */

static void make_metrics(struct cp_audience *audience)
{
    static const char NAME[] = "compere_audience_questions_total",
                      HELP[] = "Questions of the audience, by fate";
    struct cp_observe *observe = audience->app->observe;
    audience->asked = cp_counter(observe, NAME, "result=\"asked\"", HELP);
    audience->votes = cp_counter(observe, NAME, "result=\"vote\"", HELP);
    audience->limited = cp_counter(observe, NAME, "result=\"limited\"", HELP);
    audience->refused = cp_counter(observe, NAME, "result=\"refused\"", HELP);
    audience->flagged = cp_counter(observe, NAME, "result=\"flagged\"", HELP);
    audience->unjudged = cp_counter(observe, NAME, "result=\"unjudged\"", HELP);
    audience->busy = cp_counter(observe, NAME, "result=\"busy\"", HELP);
}

int cp_audience_create(struct cp_app *app, struct cp_audience **ret_audience, struct cp_error *error)
{
    struct cp_audience *audience = calloc(1, sizeof *audience);
    if (!audience)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    audience->app = app;
    pthread_mutex_init(&audience->lock, NULL);
    make_metrics(audience);
    audience->cutter = cp_cutter_create();
    int result = audience->cutter ? cp_judging_create(&app->config.moderation, app->observe, on_judged,
                                                      audience, &audience->judging, error)
                                  : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    if (result)
        cp_audience_destroy(audience);
    else
        *ret_audience = audience;
    return result;
}

void cp_audience_destroy(struct cp_audience *audience)
{
    if (!audience)
        return;
    cp_judging_destroy(audience->judging);
    cp_cutter_destroy(audience->cutter);
    pthread_mutex_destroy(&audience->lock);
    free(audience);
}

void cp_audience_collect(struct cp_audience *audience)
{
    cp_judging_collect(audience->judging);
}
