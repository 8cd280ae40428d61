/*
 * Idempotency-Key: the first answer to a request is kept a day and given again to its repetitions. The record
 * is found by the hash of who asks, for what, with which key; it holds the hash of the body, so that the same
 * key with another body is told (422). While the first runs, a second one gets 409.
 */
#include "gateway/gateway_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITION "idempotency"
enum { KEEP_S = 24 * 3600, MAX_KEY_BYTES = 200, MAX_KEPT_BYTES = 512 << 10 };

struct cp_inflight {
    pthread_mutex_t lock;
    struct cp_request *first; /* those whose handler runs or whose answer is held */
};

struct cp_inflight *cp_inflight_create(void)
{
    struct cp_inflight *inflight = calloc(1, sizeof *inflight);
    if (inflight)
        pthread_mutex_init(&inflight->lock, NULL);
    return inflight;
}

void cp_inflight_destroy(struct cp_inflight *inflight)
{
    if (!inflight)
        return;
    /* Those whose client left and whose holder is still at work: they must not come back to us. */
    pthread_mutex_lock(&inflight->lock);
    for (struct cp_request *request; (request = inflight->first);) {
        inflight->first = request->inflight_next;
        atomic_fetch_add(&request->refs, 1);
        pthread_mutex_unlock(&inflight->lock);
        pthread_mutex_lock(&request->lock); /* waits for an answer that is being kept */
        *request->idempotency = 0;
        pthread_mutex_unlock(&request->lock);
        cp_request_release(request);
        pthread_mutex_lock(&inflight->lock);
    }
    pthread_mutex_unlock(&inflight->lock);
    pthread_mutex_destroy(&inflight->lock);
    free(inflight);
}

/* SHA-256 as hex over parts that are each preceded by their length, so that parts cannot flow together. */
static void hash_parts(const void *const parts[], const size_t lengths[], int n, char hex[65])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (int i = 0; i < n; i++) {
        uint64_t length = lengths[i];
        EVP_DigestUpdate(context, &length, sizeof length);
        EVP_DigestUpdate(context, parts[i], lengths[i]);
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static bool enter(struct cp_inflight *inflight, struct cp_request *request)
{
    bool alone = true;
    pthread_mutex_lock(&inflight->lock);
    for (struct cp_request *other = inflight->first; other; other = other->inflight_next)
        alone = alone && strcmp(other->idempotency, request->idempotency);
    if (alone) {
        request->inflight_next = inflight->first;
        inflight->first = request;
    }
    pthread_mutex_unlock(&inflight->lock);
    return alone;
}

void cp_idempotency_forget(struct cp_request *request)
{
    struct cp_inflight *inflight = request->gateway->inflight;
    if (!*request->idempotency)
        return;
    pthread_mutex_lock(&inflight->lock);
    for (struct cp_request **at = &inflight->first; *at; at = &(*at)->inflight_next)
        if (*at == request) {
            *at = request->inflight_next;
            break;
        }
    pthread_mutex_unlock(&inflight->lock);
    *request->idempotency = 0;
}

/* Gives the kept answer again. */
static void replay(struct cp_request *request, const char *kept)
{
    json_t *json = json_loads(kept, 0, NULL), *value;
    const char *name, *body_hash = json_string_value(json_object_get(json, "body_hash"));
    const char *body = json_string_value(json_object_get(json, "body"));
    if (!body_hash || strcmp(body_hash, request->body_hash)) {
        cp_request_fail_status(
            request, 422, NULL,
            "this Idempotency-Key was used with another body; use a new key for a new request");
    } else {
        json_object_foreach(json_object_get(json, "headers"), name, value)
            cp_request_add_header(request, name, json_string_value(value));
        cp_request_add_header(request, "Idempotency-Replayed", "true");
        cp_request_reply_bytes(request, (int)json_integer_value(json_object_get(json, "status")), NULL, body,
                               body ? strlen(body) : 0);
    }
    json_decref(json);
}

bool cp_idempotency_begin(struct cp_request *request)
{
    const char *key = request->route->idempotent_key ? cp_request_header(request, "Idempotency-Key") : NULL;
    const char *who = *request->key_id ? request->key_id : request->who;
    struct cp_record record;
    struct cp_error error;
    if (!key)
        return true;
    if (!*key || strlen(key) > MAX_KEY_BYTES) {
        cp_request_fail_status(request, 400, NULL, "an Idempotency-Key has 1 to 200 characters");
        return false;
    }
    const char *method = cp_method_name(request->method);
    hash_parts((const void *[]){method, request->uri, who, key},
               (size_t[]){strlen(method), strlen(request->uri), strlen(who), strlen(key)}, 4,
               request->idempotency);
    hash_parts((const void *[]){request->body.data}, (size_t[]){request->body.length}, 1, request->body_hash);
    if (!enter(request->gateway->inflight, request)) {
        *request->idempotency = 0;
        cp_request_add_header(request, "Retry-After", "1");
        cp_request_fail_status(request, 409, NULL,
                               "a request with this Idempotency-Key is still at work; ask again in a moment");
        return false;
    }
    int result = cp_store_get(request->gateway->store, PARTITION, request->idempotency, &record, &error);
    if (result == CP_ERR_NOT_FOUND)
        return true;
    cp_idempotency_forget(request);
    if (result) {
        cp_request_fail(request, &error);
        return false;
    }
    replay(request, record.json);
    cp_record_clear(&record);
    return false;
}

static json_t *headers_to_keep(const struct cp_answer *answer)
{
    static const char *const KEPT[] = {"Content-Type", "Location", "ETag", "Link"};
    json_t *headers = json_object();
    for (int i = 0; i < answer->n_headers; i++)
        for (size_t j = 0; j < sizeof KEPT / sizeof *KEPT; j++)
            if (!strcasecmp(answer->headers[i].name, KEPT[j]))
                json_object_set_new(headers, KEPT[j], json_string(answer->headers[i].value));
    return headers;
}

void cp_idempotency_end(struct cp_request *request, const struct cp_answer *answer)
{
    struct cp_error error;
    if (!*request->idempotency)
        return;
    bool keep = answer->status < 500 && answer->status != 429 && answer->file < 0 && !answer->is_events &&
                answer->length <= MAX_KEPT_BYTES;
    json_t *body = keep ? json_stringn(answer->length ? answer->bytes : "", answer->length) : NULL;
    if (body && (!answer->length ||
                 !memchr(answer->bytes, 0, answer->length))) { /* bytes that are not text are not kept */
        json_t *record =
            json_pack("{s:s, s:i, s:o, s:o}", "body_hash", request->body_hash, "status", answer->status,
                      "headers", headers_to_keep(answer), "body", json_incref(body));
        char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
        int64_t expires = cp_clock_wall_ns() + KEEP_S * CP_NS_PER_S;
        if (text && cp_store_put_if(request->gateway->store, PARTITION, request->idempotency, text,
                                    CP_STORE_ANY_VERSION, expires, NULL, &error))
            cp_log(CP_LOG_ERROR, "gateway", "answer is not kept for its Idempotency-Key", "reason=\"%s\"",
                   error.text);
        free(text);
        json_decref(record);
    }
    json_decref(body);
    cp_idempotency_forget(request);
}
