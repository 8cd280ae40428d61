/* Signed requests to an S3 server, with repetitions. */
#include "store/s3.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 4, FIRST_PAUSE_MS = 100, MAX_HEADERS = 12, HEADER_LINE = 4096, IDLE_CONNECTIONS = 8 };

/* A secret by reference. The AWS_* environment is the default: that it is not set is told by what is wanted
 * then, not here. */
static int read_secret(const char *name, const char *reference, bool required, char *value, size_t capacity,
                       struct cp_error *error)
{
    struct cp_error why = {.text = ""};
    int result = cp_config_secret(reference, value, capacity, &why);
    if (!result && (*value || !required))
        return 0;
    if (result == CP_ERR_NOT_FOUND && !required) {
        *value = 0;
        return 0;
    }
    return cp_fail(error, result ? (enum cp_err)result : CP_ERR_INVALID, "store",
                   "store.%s: %s; give file:PATH or env:NAME", name, result ? why.text : "it is empty");
}

/* Splits the endpoint "http(s)://host[:port]" and puts the bucket where the style wants it. */
static int read_endpoint(const struct cp_store_config *config, struct cp_s3 *s3, struct cp_error *error)
{
    char endpoint[CP_OPTION_TEXT_BYTES];
    if (*config->s3_endpoint)
        snprintf(endpoint, sizeof endpoint, "%s", config->s3_endpoint);
    else
        snprintf(endpoint, sizeof endpoint, "https://s3.%.60s.amazonaws.com", config->s3_region);
    size_t length = strlen(endpoint);
    if (length && endpoint[length - 1] == '/')
        endpoint[--length] = 0;
    bool secure = !strncmp(endpoint, "https://", 8);
    const char *host = endpoint + (secure ? 8 : 7);
    if ((!secure && strncmp(endpoint, "http://", 7)) || !*host || strpbrk(host, "/?#@ "))
        return cp_fail(error, CP_ERR_INVALID, "store",
                       "store.s3_endpoint is http://HOST[:PORT] or https://HOST[:PORT], without a path");
    snprintf(s3->scheme, sizeof s3->scheme, "%s", secure ? "https" : "http");
    s3->path_style = strcmp(config->s3_style, "virtual") != 0;
    if (snprintf(s3->host, sizeof s3->host, "%s%s%s", s3->path_style ? "" : config->s3_bucket,
                 s3->path_style ? "" : ".", host) >= (int)sizeof s3->host)
        return cp_fail(error, CP_ERR_INVALID, "store", "store.s3_endpoint is too long");
    return 0;
}

static int read_names(const struct cp_store_config *config, struct cp_s3 *s3, struct cp_error *error)
{
    size_t length = strlen(config->s3_bucket), prefix = strlen(config->s3_prefix);
    if (length < 3 || length > 63 ||
        strspn(config->s3_bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != length)
        return cp_fail(error, CP_ERR_INVALID, "store",
                       "store.s3_bucket: give the bucket's name, 3 to 63 of a-z 0-9 . and -");
    if (prefix > 200 || (prefix && (config->s3_prefix[0] == '/' || config->s3_prefix[prefix - 1] != '/')) ||
        strspn(config->s3_prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") !=
            prefix)
        return cp_fail(error, CP_ERR_INVALID, "store",
                       "store.s3_prefix is of a-z A-Z 0-9 . _ - and /, begins without / and ends in one");
    snprintf(s3->bucket, sizeof s3->bucket, "%.63s", config->s3_bucket);
    snprintf(s3->prefix, sizeof s3->prefix, "%s", config->s3_prefix);
    snprintf(s3->region, sizeof s3->region, "%.63s", config->s3_region);
    return 0;
}

int cp_s3_open(const struct cp_store_config *config, struct cp_s3 *s3, struct cp_error *error)
{
    const struct cp_http_config http = {.max_idle = IDLE_CONNECTIONS};
    int result = read_names(config, s3, error);
    if (!result)
        result = read_endpoint(config, s3, error);
    if (!result)
        result = read_secret("s3_access_key", config->s3_access_key, true, s3->access_key,
                             sizeof s3->access_key, error);
    if (!result)
        result = read_secret("s3_secret_key", config->s3_secret_key, true, s3->secret_key,
                             sizeof s3->secret_key, error);
    if (!result)
        result = read_secret("s3_session_token", config->s3_session_token, false, s3->token, sizeof s3->token,
                             error);
    s3->part_bytes = (config->s3_part_mb ? config->s3_part_mb : 16) << 20;
    s3->timeout_ms = (config->s3_timeout_s ? config->s3_timeout_s : 10) * 1000;
    s3->attempts = ATTEMPTS;
    return result ? result : cp_http_create(&http, &s3->http, error);
}

void cp_s3_close(struct cp_s3 *s3)
{
    cp_http_destroy(s3->http);
    explicit_bzero(s3->secret_key, sizeof s3->secret_key);
    explicit_bzero(s3->token, sizeof s3->token);
}

static void make_path(const struct cp_s3 *s3, const char *key, char path[CP_S3_KEY_BYTES + 160])
{
    snprintf(path, CP_S3_KEY_BYTES + 160, "/%s%s%s%s", s3->path_style ? s3->bucket : "",
             s3->path_style && key ? "/" : "", key ? s3->prefix : "", key ? key : "");
}

static struct cp_sigv4_credentials credentials_of(const struct cp_s3 *s3)
{
    return (struct cp_sigv4_credentials){
        .access_key = s3->access_key, .secret_key = s3->secret_key, .session_token = s3->token};
}

/* What an answer other than 2xx means, by the code in it. The texts are ours: what the server says may name
 * keys. */
static int explain(const struct cp_s3 *s3, const struct cp_s3_request *request,
                   const struct cp_http_response *response, struct cp_error *error)
{
    static const struct {
        const char *code, *text;
        enum cp_err err;
    } KNOWN[] = {
        {"SignatureDoesNotMatch", "the secret key is not the one of this access key (SignatureDoesNotMatch)",
         CP_ERR_DENIED},
        {"InvalidAccessKeyId", "it does not know this access key (InvalidAccessKeyId)", CP_ERR_DENIED},
        {"RequestTimeTooSkewed", "this machine's clock is wrong by more than 15 minutes", CP_ERR_DENIED},
        {"ExpiredToken", "the session token has expired", CP_ERR_DENIED},
        {"AccessDenied", "the access key may not do this (AccessDenied); check its policy", CP_ERR_DENIED},
        {"NoSuchBucket", "there is no such bucket; make it first", CP_ERR_UNAVAILABLE},
        {"AuthorizationHeaderMalformed", "store.s3_region is not the bucket's region", CP_ERR_INVALID},
        {"PermanentRedirect", "the bucket is in another region or at another endpoint", CP_ERR_INVALID},
        {"SlowDown", "it has too many requests (SlowDown); try again later", CP_ERR_BUSY},
        {"EntityTooLarge", "the object is too large for it", CP_ERR_LIMIT},
        {"QuotaExceeded", "the quota of the bucket or user is used up", CP_ERR_IO},
    };
    char code[48] = "";
    cp_s3_read_element(response->body.data, response->body.length, "Code", code, sizeof code);
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (!strcmp(code, KNOWN[i].code))
            return cp_fail(error, KNOWN[i].err, "store", "%s: the object store %s, bucket %s: %s",
                           request->doing, s3->host, s3->bucket, KNOWN[i].text);
    if (response->status == 404)
        return cp_fail(error, CP_ERR_NOT_FOUND, "store", "there is no object %s",
                       request->key ? request->key : "of that name");
    enum cp_err err = response->status == 403   ? CP_ERR_DENIED
                      : response->status == 429 ? CP_ERR_BUSY
                      : response->status >= 500 ? CP_ERR_UNAVAILABLE
                                                : CP_ERR_INVALID;
    return cp_fail(error, err, "store", "%s: the object store %s answered %d %.40s%s", request->doing,
                   s3->host, response->status, code,
                   response->status == 403 ? "; check access key, secret key and policy" : "");
}

/* The header lines of one request; text holds them. */
static int write_headers(const struct cp_s3 *s3, const struct cp_s3_request *request,
                         const struct cp_sigv4_headers *signed_headers, struct cp_buffer *text,
                         const char *lines[MAX_HEADERS + 1], struct cp_error *error)
{
    size_t starts[MAX_HEADERS], n = 0;
    for (size_t i = 0; i < request->n_headers && n < MAX_HEADERS; i++) {
        starts[n++] = text->length;
        cp_buffer_printf(text, "%s: %s", request->headers[i].name, request->headers[i].value);
        cp_buffer_u8(text, 0);
    }
    const struct cp_sigv4_pair own[] = {{"Authorization", signed_headers->authorization},
                                        {"x-amz-date", signed_headers->date},
                                        {"x-amz-content-sha256", signed_headers->content_sha256},
                                        {"x-amz-security-token", s3->token}};
    for (size_t i = 0; i < 3u + (*s3->token != 0) && n < MAX_HEADERS; i++) {
        starts[n++] = text->length;
        cp_buffer_printf(text, "%s: %s", own[i].name, own[i].value);
        cp_buffer_u8(text, 0);
    }
    if (text->failed)
        return cp_fail(error, CP_ERR_LIMIT, "store", "the headers of the request are too long");
    for (size_t i = 0; i < n; i++)
        lines[i] = (const char *)text->data + starts[i];
    lines[n] = NULL;
    return 0;
}

static int take_body(void *user, const uint8_t *bytes, size_t length)
{
    struct cp_buffer *into = user;
    cp_buffer_add(into, bytes, length);
    return into->failed ? CP_ERR_LIMIT : 0;
}

/* One try. The time of signing is now: a repetition may come minutes later. */
static int send_once(struct cp_s3 *s3, const struct cp_s3_request *request, const char *hash,
                     struct cp_http_response *ret_response, struct cp_error *error)
{
    char path[CP_S3_KEY_BYTES + 160];
    struct cp_sigv4_credentials credentials = credentials_of(s3);
    struct cp_sigv4_headers headers;
    struct cp_buffer url = cp_buffer_make(HEADER_LINE), text = cp_buffer_make(2 * HEADER_LINE);
    const char *lines[MAX_HEADERS + 1];
    make_path(s3, request->key, path);
    struct cp_sigv4_request to_sign = {.method = request->method,
                                       .host = s3->host,
                                       .path = path,
                                       .query = request->query,
                                       .n_query = request->n_query,
                                       .headers = request->headers,
                                       .n_headers = request->n_headers,
                                       .payload_sha256 = hash,
                                       .region = s3->region,
                                       .service = "s3",
                                       .wall_ns = cp_clock_wall_ns()};
    *ret_response = (struct cp_http_response){.status = 0};
    int result = cp_sigv4_sign(&credentials, &to_sign, &headers, error);
    cp_buffer_printf(&url, "%s://%s", s3->scheme, s3->host);
    if (!result)
        result = cp_sigv4_target(&to_sign, &url, error);
    if (!result)
        result = write_headers(s3, request, &headers, &text, lines, error);
    if (!result) {
        const struct cp_http_request http = {.who = "the object store",
                                             .stage = "store",
                                             .method = request->method,
                                             .url = cp_buffer_string(&url),
                                             .headers = lines,
                                             .body = request->body,
                                             .body_bytes = request->body_bytes,
                                             .take_body = request->into ? take_body : NULL,
                                             .user = request->into,
                                             .max_body_bytes = request->max_answer_bytes,
                                             .first_byte_ms = s3->timeout_ms,
                                             .idle_ms = s3->timeout_ms,
                                             .total_ms = 600000};
        result = cp_http_send(s3->http, &http, ret_response, error);
    }
    cp_buffer_free(&url);
    cp_buffer_free(&text);
    return result;
}

int cp_s3_send(struct cp_s3 *s3, const struct cp_s3_request *request, struct cp_http_response *ret_response,
               struct cp_error *error)
{
    char hash[65];
    size_t kept = request->into ? request->into->length : 0;
    cp_sigv4_sha256(request->body, request->body_bytes, hash);
    for (int attempt = 1;; attempt++) {
        int result = send_once(s3, request, hash, ret_response, error);
        bool again = cp_http_may_retry(result, ret_response) && attempt < s3->attempts;
        if (!again && !result && ret_response->status / 100 == 2)
            return 0;
        if (request->into && !(request->into->failed && result == CP_ERR_LIMIT))
            request->into->length = kept;
        if (!again)
            return result ? result : explain(s3, request, ret_response, error);
        int64_t pause_ms = cp_http_backoff_ms(ret_response, attempt, FIRST_PAUSE_MS);
        cp_http_response_free(ret_response);
        cp_clock_sleep_until_ns(cp_clock_now_ns() + pause_ms * CP_NS_PER_MS);
    }
}

int cp_s3_presign(const struct cp_s3 *s3, const char *key, int64_t expires_s, struct cp_buffer *out,
                  struct cp_error *error)
{
    char path[CP_S3_KEY_BYTES + 160];
    struct cp_sigv4_credentials credentials = credentials_of(s3);
    make_path(s3, key, path);
    struct cp_sigv4_request request = {.method = "GET",
                                       .host = s3->host,
                                       .path = path,
                                       .region = s3->region,
                                       .service = "s3",
                                       .wall_ns = cp_clock_wall_ns()};
    cp_buffer_printf(out, "%s://%s", s3->scheme, s3->host);
    return cp_sigv4_presign(&credentials, &request, expires_s, out, error);
}
