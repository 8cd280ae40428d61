#include "base/sigv4.h"

#include "base/clock.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SHA_BYTES 32

enum { MAX_CANONICAL_BYTES = 64 << 10, SCOPE_BYTES = 160, OWN_PAIRS = 8 };

/* What one signature is made of. */
struct signing {
    const struct cp_sigv4_credentials *credentials;
    const struct cp_sigv4_request *request;
    bool s3;
    char date[17]; /* its first eight characters are the day */
    char scope[SCOPE_BYTES];
    struct cp_sigv4_pair headers[CP_SIGV4_MAX_PAIRS + OWN_PAIRS], query[CP_SIGV4_MAX_PAIRS + OWN_PAIRS];
    size_t n_headers, n_query;
};

static void to_hex(const uint8_t *bytes, size_t length, char *hex)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = DIGITS[bytes[i] >> 4];
        hex[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    hex[2 * length] = 0;
}

void cp_sigv4_sha256(const void *bytes, size_t length, char ret_hex[65])
{
    uint8_t digest[SHA_BYTES];
    if (EVP_Digest(length ? bytes : "", length, digest, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* SHA-256 is part of every OpenSSL; without it nothing here may go on */
    to_hex(digest, sizeof digest, ret_hex);
}

static void hmac(const void *key, size_t key_length, const char *text, uint8_t ret_digest[SHA_BYTES])
{
    unsigned length = 0;
    if (!HMAC(EVP_sha256(), key, (int)key_length, (const uint8_t *)text, strlen(text), ret_digest, &length))
        abort();
}

/* Percent-encodes all but the unreserved characters of RFC 3986; `keep` stays as it is (0: nothing). */
static void add_encoded(struct cp_buffer *out, const char *text, char keep)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-._~", c) || (keep && c == keep))
            cp_buffer_u8(out, c);
        else
            cp_buffer_printf(out, "%%%02X", c);
    }
}

/* By encoded name, then encoded value. Encoding changes the order (e.g. of "[" and "a"), so it is what is
 * compared. */
static int compare_encoded(const char *a, const char *b)
{
    struct cp_buffer x = cp_buffer_make(MAX_CANONICAL_BYTES), y = cp_buffer_make(MAX_CANONICAL_BYTES);
    add_encoded(&x, a, 0);
    add_encoded(&y, b, 0);
    int order = strcmp(cp_buffer_string(&x), cp_buffer_string(&y));
    cp_buffer_free(&x);
    cp_buffer_free(&y);
    return order;
}

static int compare_query(const void *a, const void *b)
{
    const struct cp_sigv4_pair *x = a, *y = b;
    int order = compare_encoded(x->name, y->name);
    return order ? order : compare_encoded(x->value, y->value);
}

static int compare_headers(const void *a, const void *b)
{
    return strcasecmp(((const struct cp_sigv4_pair *)a)->name, ((const struct cp_sigv4_pair *)b)->name);
}

static void add_query(struct cp_buffer *out, const struct cp_sigv4_pair *query, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cp_buffer_text(out, i ? "&" : "");
        add_encoded(out, query[i].name, 0);
        cp_buffer_u8(out, '=');
        add_encoded(out, query[i].value, 0);
    }
}

static void add_lower(struct cp_buffer *out, const char *name)
{
    for (; *name; name++)
        cp_buffer_u8(out, (uint8_t)tolower((unsigned char)*name));
}

/* "name:value", without white space around the value and with single spaces in it. */
static void add_header(struct cp_buffer *out, const struct cp_sigv4_pair *header)
{
    add_lower(out, header->name);
    cp_buffer_u8(out, ':');
    bool began = false, space = false;
    for (const char *at = header->value; *at; at++) {
        if (*at == ' ' || *at == '\t') {
            space = began;
            continue;
        }
        if (space)
            cp_buffer_u8(out, ' ');
        cp_buffer_u8(out, (uint8_t)*at);
        began = true;
        space = false;
    }
    cp_buffer_u8(out, '\n');
}

static void add_names(struct cp_buffer *out, const struct signing *signing)
{
    for (size_t i = 0; i < signing->n_headers; i++) {
        cp_buffer_text(out, i ? ";" : "");
        add_lower(out, signing->headers[i].name);
    }
}

static void add_path(struct cp_buffer *out, const struct cp_sigv4_request *request, bool twice)
{
    if (!twice) {
        add_encoded(out, request->path, '/');
        return;
    }
    struct cp_buffer once = cp_buffer_make(MAX_CANONICAL_BYTES);
    add_encoded(&once, request->path, '/');
    add_encoded(out, cp_buffer_string(&once), '/');
    cp_buffer_free(&once);
}

static int begin(struct signing *signing, const struct cp_sigv4_credentials *credentials,
                 const struct cp_sigv4_request *request, struct cp_error *error)
{
    if (!credentials->access_key || !*credentials->access_key || !credentials->secret_key ||
        !*credentials->secret_key)
        return cp_fail(error, CP_ERR_INVALID, "base",
                       "a request cannot be signed without access key and secret key");
    if (!request->method || !request->host || !request->path || *request->path != '/' || !request->region ||
        !request->service)
        return cp_fail(error, CP_ERR_INVALID, "base",
                       "a request to be signed needs method, host, path, region and service");
    if (request->n_query > CP_SIGV4_MAX_PAIRS || request->n_headers > CP_SIGV4_MAX_PAIRS)
        return cp_fail(error, CP_ERR_LIMIT, "base", "at most %d headers and parameters can be signed",
                       CP_SIGV4_MAX_PAIRS);
    *signing = (struct signing){.credentials = credentials, .request = request};
    signing->s3 = !strcmp(request->service, "s3");
    time_t seconds = (time_t)(request->wall_ns / CP_NS_PER_S);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(signing->date, sizeof signing->date, "%Y%m%dT%H%M%SZ", &utc);
    if (snprintf(signing->scope, SCOPE_BYTES, "%.8s/%s/%s/aws4_request", signing->date, request->region,
                 request->service) >= SCOPE_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, "base", "the names of region and service are too long");
    for (size_t i = 0; i < request->n_query; i++)
        signing->query[signing->n_query++] = request->query[i];
    for (size_t i = 0; i < request->n_headers; i++)
        signing->headers[signing->n_headers++] = request->headers[i];
    signing->headers[signing->n_headers++] = (struct cp_sigv4_pair){"host", request->host};
    return 0;
}

/* The signature over all that `signing` holds, in hexadecimal. */
static int finish(struct signing *signing, const char *payload, char ret_hex[65], struct cp_error *error)
{
    const struct cp_sigv4_request *request = signing->request;
    struct cp_buffer text = cp_buffer_make(MAX_CANONICAL_BYTES);
    qsort(signing->headers, signing->n_headers, sizeof *signing->headers, compare_headers);
    qsort(signing->query, signing->n_query, sizeof *signing->query, compare_query);
    cp_buffer_printf(&text, "%s\n", request->method);
    add_path(&text, request, !signing->s3);
    cp_buffer_u8(&text, '\n');
    add_query(&text, signing->query, signing->n_query);
    cp_buffer_u8(&text, '\n');
    for (size_t i = 0; i < signing->n_headers; i++)
        add_header(&text, &signing->headers[i]);
    cp_buffer_u8(&text, '\n');
    add_names(&text, signing);
    cp_buffer_printf(&text, "\n%s", payload);
    char hash[65], to_sign[SCOPE_BYTES + 128], secret[256];
    cp_sigv4_sha256(text.data, text.length, hash);
    bool failed = text.failed;
    cp_buffer_free(&text);
    int length = snprintf(secret, sizeof secret, "AWS4%s", signing->credentials->secret_key);
    if (failed || length >= (int)sizeof secret)
        return cp_fail(error, CP_ERR_LIMIT, "base", "the request is too long to be signed");
    snprintf(to_sign, sizeof to_sign, ALGORITHM "\n%s\n%s\n%s", signing->date, signing->scope, hash);
    uint8_t key[SHA_BYTES];
    char day[9];
    snprintf(day, sizeof day, "%.8s", signing->date);
    hmac(secret, (size_t)length, day, key);
    hmac(key, SHA_BYTES, request->region, key);
    hmac(key, SHA_BYTES, request->service, key);
    hmac(key, SHA_BYTES, "aws4_request", key);
    hmac(key, SHA_BYTES, to_sign, key);
    to_hex(key, SHA_BYTES, ret_hex);
    explicit_bzero(secret, sizeof secret);
    return 0;
}

static bool has_token(const struct cp_sigv4_credentials *credentials)
{
    return credentials->session_token && *credentials->session_token;
}

int cp_sigv4_sign(const struct cp_sigv4_credentials *credentials, const struct cp_sigv4_request *request,
                  struct cp_sigv4_headers *ret_headers, struct cp_error *error)
{
    struct signing signing;
    struct cp_sigv4_headers headers = {0};
    char signature[65];
    int result = begin(&signing, credentials, request, error);
    if (result)
        return result;
    if (request->payload_sha256)
        snprintf(headers.content_sha256, sizeof headers.content_sha256, "%s", request->payload_sha256);
    else
        cp_sigv4_sha256("", 0, headers.content_sha256);
    memcpy(headers.date, signing.date, sizeof headers.date);
    signing.headers[signing.n_headers++] = (struct cp_sigv4_pair){"x-amz-date", headers.date};
    if (signing.s3)
        signing.headers[signing.n_headers++] =
            (struct cp_sigv4_pair){"x-amz-content-sha256", headers.content_sha256};
    if (has_token(credentials))
        signing.headers[signing.n_headers++] =
            (struct cp_sigv4_pair){"x-amz-security-token", credentials->session_token};
    result = finish(&signing, headers.content_sha256, signature, error);
    if (result)
        return result;
    struct cp_buffer out = cp_buffer_make(sizeof headers.authorization - 1);
    cp_buffer_printf(&out, ALGORITHM " Credential=%s/%s, SignedHeaders=", credentials->access_key,
                     signing.scope);
    add_names(&out, &signing);
    cp_buffer_printf(&out, ", Signature=%s", signature);
    if (out.failed)
        result = cp_fail(error, CP_ERR_LIMIT, "base", "access key or header names are too long");
    else
        memcpy(headers.authorization, cp_buffer_string(&out), out.length + 1);
    cp_buffer_free(&out);
    if (!result)
        *ret_headers = headers;
    return result;
}

int cp_sigv4_target(const struct cp_sigv4_request *request, struct cp_buffer *out, struct cp_error *error)
{
    struct cp_sigv4_pair query[CP_SIGV4_MAX_PAIRS];
    if (request->n_query > CP_SIGV4_MAX_PAIRS)
        return cp_fail(error, CP_ERR_LIMIT, "base", "at most %d parameters", CP_SIGV4_MAX_PAIRS);
    if (request->n_query)
        memcpy(query, request->query, request->n_query * sizeof *query);
    qsort(query, request->n_query, sizeof *query, compare_query);
    add_encoded(out, request->path, '/');
    cp_buffer_text(out, request->n_query ? "?" : "");
    add_query(out, query, request->n_query);
    return out->failed ? cp_fail(error, CP_ERR_LIMIT, "base", "the request's address is too long") : 0;
}

int cp_sigv4_presign(const struct cp_sigv4_credentials *credentials, const struct cp_sigv4_request *request,
                     int64_t expires_s, struct cp_buffer *out, struct cp_error *error)
{
    struct signing signing;
    char signature[65], credential[SCOPE_BYTES + 128], seconds[24], empty[65];
    if (expires_s < 1 || expires_s > CP_SIGV4_MAX_EXPIRY_S)
        return cp_fail(error, CP_ERR_INVALID, "base", "a signed URL lasts 1 to %d seconds",
                       CP_SIGV4_MAX_EXPIRY_S);
    int result = begin(&signing, credentials, request, error);
    if (result)
        return result;
    snprintf(credential, sizeof credential, "%s/%s", credentials->access_key, signing.scope);
    snprintf(seconds, sizeof seconds, "%lld", (long long)expires_s);
    struct cp_buffer names = cp_buffer_make(MAX_CANONICAL_BYTES);
    qsort(signing.headers, signing.n_headers, sizeof *signing.headers, compare_headers);
    add_names(&names, &signing);
    struct cp_sigv4_pair own[] = {{"X-Amz-Algorithm", ALGORITHM},
                                  {"X-Amz-Credential", credential},
                                  {"X-Amz-Date", signing.date},
                                  {"X-Amz-Expires", seconds},
                                  {"X-Amz-SignedHeaders", cp_buffer_string(&names)},
                                  {"X-Amz-Security-Token", credentials->session_token}};
    size_t n = sizeof own / sizeof *own - !has_token(credentials);
    for (size_t i = 0; i < n; i++)
        signing.query[signing.n_query++] = own[i];
    cp_sigv4_sha256("", 0, empty);
    result = finish(&signing, signing.s3 ? CP_SIGV4_UNSIGNED : empty, signature, error);
    if (!result) {
        add_encoded(out, request->path, '/');
        cp_buffer_u8(out, '?');
        add_query(out, signing.query, signing.n_query);
        cp_buffer_printf(out, "&X-Amz-Signature=%s", signature);
        if (out->failed)
            result = cp_fail(error, CP_ERR_LIMIT, "base", "the signed address is too long");
    }
    cp_buffer_free(&names);
    return result;
}
