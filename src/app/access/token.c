#include "app/access/token.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define MAX_SECONDS INT64_C(99999999999)      /* the year 5138: what is more was given in milliseconds */
#define MAX_VERSION INT64_C(9007199254740991) /* the last whole number that JSON's readers agree on */

static int refuse(struct cp_error *error, const char *why)
{
    return cp_fail(error, CP_ERR_DENIED, "app", "the token is not good: %s", why);
}

static int digit_of(char c)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

/* base64url without padding (RFC 7515 section 2). The bits that are left at the end must be 0, so that no two
 * texts mean the same bytes. The number of bytes, or -1. */
static int decode(const char *text, size_t length, uint8_t *bytes, size_t capacity)
{
    uint32_t held = 0;
    int n_held = 0;
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0)
            return -1;
        held = (held << 6 | (uint32_t)digit) & 0xffff;
        n_held += 6;
        if (n_held < 8)
            continue;
        n_held -= 8;
        if (n == capacity)
            return -1;
        bytes[n++] = (uint8_t)(held >> n_held);
    }
    return n_held < 6 && !(held & ((1u << n_held) - 1)) ? (int)n : -1;
}

/* A part's JSON object; NULL when it is none. */
static json_t *read_part(const char *text, size_t length)
{
    uint8_t bytes[CP_TOKEN_MAX_BYTES];
    int n = decode(text, length, bytes, sizeof bytes);
    /* A claim that stands there twice means different things to different readers. */
    json_t *json = n > 0 ? json_loadb((const char *)bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

/* A claim under either of its names; the first goes before. NULL when it is not there. */
static const json_t *claim(const json_t *claims, const char *name, const char *other)
{
    const json_t *value = json_object_get(claims, name);
    return value || !other ? value : json_object_get(claims, other);
}

/* Copies a text claim; without it the place stays empty. False when it is no text, or is too long, or has
 * bytes that would not survive a list or a log. */
static bool take_text(const json_t *value, char *place, size_t capacity)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (!value)
        return true;
    if (!text || !length || length >= capacity)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    memcpy(place, text, length + 1);
    return true;
}

static bool take_number(const json_t *value, int64_t most, int64_t *place)
{
    double number = json_number_value(value);
    if (!value)
        return true;
    if (!json_is_number(value) || !(number >= 0) || number > (double)most)
        return false;
    *place = (int64_t)number;
    return true;
}

static int read_header(const json_t *header, struct cp_token *token, struct cp_error *error)
{
    const char *algorithm = json_string_value(json_object_get(header, "alg"));
    const json_t *type = json_object_get(header, "typ");
    /* Whatever the header says, ES384 is what is checked: a token does not choose how it is believed. */
    if (!algorithm || strcmp(algorithm, "ES384") != 0)
        return refuse(error, "its header's alg has to be ES384");
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), "JWT") != 0))
        return refuse(error, "its header's typ has to be JWT");
    if (json_object_get(header, "crit")) /* RFC 7515 section 4.1.11: what must be understood and is not */
        return refuse(error, "its header asks for extensions (crit), of which there are none here");
    if (!take_text(json_object_get(header, "kid"), token->key, sizeof token->key))
        return refuse(error, "its header's kid is not the id of a key");
    return 0;
}

/* Both names of the channel may be there; then they must agree. */
static bool take_channel(const json_t *claims, struct cp_token *token)
{
    char other[CP_TOKEN_CHANNEL_BYTES] = "";
    if (!take_text(json_object_get(claims, "aws:channel-arn"), token->channel, sizeof token->channel) ||
        !take_text(json_object_get(claims, "channel"), other, sizeof other))
        return false;
    if (!*token->channel)
        memcpy(token->channel, other, sizeof other);
    return *token->channel && (!*other || !strcmp(other, token->channel));
}

static int read_claims(const json_t *claims, struct cp_token *token, struct cp_error *error)
{
    if (!take_channel(claims, token))
        return refuse(error, "the claim channel (or aws:channel-arn) has to be the channel's id");
    if (!json_object_get(claims, "exp") ||
        !take_number(json_object_get(claims, "exp"), MAX_SECONDS, &token->expires_s))
        return refuse(error, "the claim exp has to be the second since 1970 at which it expires");
    if (!take_number(json_object_get(claims, "nbf"), MAX_SECONDS, &token->not_before_s))
        return refuse(error, "the claim nbf has to be in seconds since 1970");
    if (!take_text(json_object_get(claims, "aws:access-control-allow-origin"), token->origin,
                   sizeof token->origin))
        return refuse(error, "the claim aws:access-control-allow-origin has to be an origin, or several by "
                             "commas");
    if (!take_text(claim(claims, "aws:single-use-uuid", "jti"), token->once, sizeof token->once))
        return refuse(error, "the claim aws:single-use-uuid (or jti) has to be a text of at most 79 bytes");
    if (!take_text(claim(claims, "aws:viewer-id", "viewer"), token->viewer, sizeof token->viewer))
        return refuse(error, "the claim aws:viewer-id (or viewer) has to be a text of at most 79 bytes");
    if (!take_number(json_object_get(claims, "aws:viewer-session-version"), MAX_VERSION, &token->version))
        return refuse(error, "the claim aws:viewer-session-version has to be a whole number from 0 on");
    return 0;
}

int cp_token_parse(const char *text, struct cp_token *ret_token, struct cp_error *error)
{
    struct cp_token token = {.signed_bytes = 0};
    size_t length = strnlen(text, CP_TOKEN_MAX_BYTES + 1);
    if (length > CP_TOKEN_MAX_BYTES)
        return refuse(error, "it has more than 2048 bytes");
    const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.'))
        return refuse(error, "it is not a JWT of three parts with dots between; copy all of it");
    token.signed_bytes = (size_t)(second - text);
    json_t *header = read_part(text, (size_t)(first - text));
    json_t *claims = read_part(first + 1, (size_t)(second - first - 1));
    int result = header && claims
                     ? read_header(header, &token, error)
                     : refuse(error, "its header or its claims are not base64url of a JSON object");
    if (!result && decode(second + 1, length - token.signed_bytes - 1, token.signature,
                          sizeof token.signature) != CP_TOKEN_SIGNATURE_BYTES)
        result = refuse(error, "its signature is not one of ES384: base64url of r and s, 48 bytes each");
    if (!result)
        result = read_claims(claims, &token, error);
    json_decref(header);
    json_decref(claims);
    if (!result)
        *ret_token = token;
    return result;
}
