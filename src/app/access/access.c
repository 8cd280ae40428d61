#include "app/access/access.h"

#include "app/access/revoked.h"
#include "app/signer.h"
#include "base/clock.h"
#include "base/sigv4.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USED "tokens-used"

enum { SKEW_S = 5 /* by which clocks of those who sign may differ from ours */ };

struct cp_access {
    struct cp_store *store;
    struct cp_playback_keys *keys;
    struct cp_revoked *revoked;
    struct cp_signer signer;
    pthread_mutex_t lock; /* guards the count of used tokens */
    int64_t hour;
    int used;
};

int cp_access_create(struct cp_store *store, struct cp_access **ret_access, struct cp_error *error)
{
    struct cp_access *access = calloc(1, sizeof *access);
    if (!access)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    access->store = store;
    pthread_mutex_init(&access->lock, NULL);
    int result = cp_signer_open(&access->signer, store, error);
    if (!result)
        result = cp_playback_keys_open(store, &access->keys, error);
    if (!result)
        result = cp_revoked_open(store, &access->revoked, error);
    if (result)
        cp_access_destroy(access);
    else
        *ret_access = access;
    return result;
}

void cp_access_destroy(struct cp_access *access)
{
    if (!access)
        return;
    cp_revoked_close(access->revoked);
    cp_playback_keys_close(access->keys);
    pthread_mutex_destroy(&access->lock);
    explicit_bzero(&access->signer, sizeof access->signer);
    free(access);
}

struct cp_playback_keys *cp_access_keys(struct cp_access *access)
{
    return access->keys;
}

static int64_t now_s(void)
{
    return cp_clock_wall_ns() / CP_NS_PER_S;
}

/* --- tokens --- */

/* "main", or an ARN whose last part is it: "arn:...:channel/main". */
static bool names_channel(const char *claim, const char *channel)
{
    const char *slash = strncmp(claim, "arn:", 4) ? NULL : strrchr(claim, '/');
    return !strcmp(slash ? slash + 1 : claim, channel);
}

/* Whether the origin is one of a list by commas, or the list is a star. */
static bool allows_origin(const char *list, const char *origin)
{
    size_t length = origin ? strlen(origin) : 0;
    for (const char *at = list; *at;) {
        at += strspn(at, ", ");
        size_t here = strcspn(at, ", ");
        if (here == 1 && *at == '*')
            return true;
        if (here && here == length && !memcmp(at, origin, length))
            return true;
        at += here;
    }
    return false;
}

static int check_claims(const struct cp_token *token, const char *channel, const char *origin,
                        struct cp_error *error)
{
    int64_t now = now_s();
    if (!names_channel(token->channel, channel))
        return cp_fail(error, CP_ERR_DENIED, "app", "the token is for another channel; this is %s", channel);
    if (token->expires_s <= now)
        return cp_fail(error, CP_ERR_DENIED, "app", "the token has expired; ask for another one");
    if (token->expires_s > now + CP_TOKEN_MAX_LIFE_S + SKEW_S)
        return cp_fail(error, CP_ERR_DENIED, "app",
                       "the token is not good: its exp is more than 7 days ahead, or not in seconds");
    if (token->not_before_s > now + SKEW_S)
        return cp_fail(error, CP_ERR_DENIED, "app", "the token is not good yet: its nbf lies ahead");
    if (*token->origin && !allows_origin(token->origin, origin))
        return cp_fail(error, CP_ERR_DENIED, "app", "the token is for pages of another origin than %.100s",
                       origin ? origin : "this request's, which names none");
    return 0;
}

/* Counts uses that were remembered this hour, and says whether one more may be. */
static bool count_uses(struct cp_access *access, int more)
{
    int64_t hour = now_s() / 3600;
    pthread_mutex_lock(&access->lock);
    access->used = (access->hour == hour ? access->used : 0) + more;
    access->hour = hour;
    bool fits = access->used < CP_ACCESS_MAX_USES_AN_HOUR;
    pthread_mutex_unlock(&access->lock);
    return fits;
}

/* Remembers that the token was used, until it expires anyway; in the store, so that neither a restart nor
 * another server on the same store forgets it. */
static int use_up(struct cp_access *access, const char *channel, const struct cp_token *token,
                  struct cp_error *error)
{
    char what[CP_TOKEN_CHANNEL_BYTES + CP_TOKEN_ID_BYTES + 2], id[65];
    if (!count_uses(access, 0))
        return cp_fail(error, CP_ERR_BUSY, "app",
                       "too many tokens that are good once were used within an hour; try again later");
    int length = snprintf(what, sizeof what, "%.150s\n%s", channel, token->once);
    cp_sigv4_sha256(what, (size_t)length, id);
    int result = cp_store_put_if(access->store, USED, id, "{}", CP_STORE_MUST_BE_NEW,
                                 (token->expires_s + SKEW_S) * CP_NS_PER_S, NULL, error);
    if (!result)
        count_uses(access, 1);
    return result == CP_ERR_EXISTS
               ? cp_fail(error, CP_ERR_DENIED, "app",
                         "the token was used already, and is good once; ask for another one")
               : result;
}

int cp_access_check_guest(struct cp_access *access, const char *channel, const struct cp_guest *guest,
                          struct cp_error *error)
{
    if (!*guest->viewer || !cp_revoked_has(access->revoked, channel, guest->viewer, guest->version))
        return 0;
    return cp_fail(error, CP_ERR_DENIED, "app", "this viewer's access to the channel was revoked");
}

int cp_access_check(struct cp_access *access, const char *channel, const char *text, const char *origin,
                    enum cp_access_use use, struct cp_guest *ret_guest, struct cp_error *error)
{
    struct cp_token token;
    struct cp_guest guest = {.version = 0};
    int result = cp_token_parse(text, &token, error);
    /* The cheap checks first: forged tokens cost a signature only when all else is right. */
    if (!result)
        result = check_claims(&token, channel, origin, error);
    if (!result)
        result = cp_playback_keys_verify(access->keys, text, &token, error);
    if (result)
        return result;
    memcpy(guest.viewer, token.viewer, sizeof guest.viewer);
    guest.version = token.version;
    guest.expires_s = token.expires_s;
    result = cp_access_check_guest(access, channel, &guest, error);
    if (!result && *token.once && use == CP_ACCESS_FETCH)
        result =
            cp_fail(error, CP_ERR_DENIED, "app",
                    "a token that is good once is for the playlist index.m3u8; the files follow from there");
    if (!result && *token.once && use == CP_ACCESS_START)
        result = use_up(access, channel, &token, error);
    if (!result)
        *ret_guest = guest;
    return result;
}

/* --- passes: "<expires>.<version>.<viewer as hex>.<signature>" --- */

static void to_hex(const char *text, char *hex)
{
    *hex = 0;
    for (size_t i = 0; text[i]; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
}

static bool from_hex(const char *hex, size_t length, char *text, size_t capacity)
{
    if (length % 2 || length / 2 >= capacity || strspn(hex, "0123456789abcdef") < length)
        return false;
    for (size_t i = 0; i < length / 2; i++)
        sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&text[i]);
    text[length / 2] = 0;
    return true;
}

static void name_pass(const char *channel, const char *middle, char *what, size_t capacity)
{
    snprintf(what, capacity, "/v1/channels/%.60s/hls/%.200s", channel, middle);
}

void cp_access_make_pass(const struct cp_access *access, const char *channel, const struct cp_guest *guest,
                         char ret_pass[CP_PASS_BYTES])
{
    char viewer[2 * CP_TOKEN_ID_BYTES], middle[200], what[300], expires[24], signature[CP_SIGNATURE_BYTES];
    int64_t until = now_s() + CP_PASS_LASTS_S;
    if (guest->expires_s > until)
        until = guest->expires_s;
    to_hex(guest->viewer, viewer);
    snprintf(expires, sizeof expires, "%lld", (long long)until);
    snprintf(middle, sizeof middle, "%lld.%s", (long long)guest->version, viewer);
    name_pass(channel, middle, what, sizeof what);
    cp_signer_sign(&access->signer, what, expires, signature);
    snprintf(ret_pass, CP_PASS_BYTES, "%s.%s.%s", expires, middle, signature);
}

static int not_a_pass(struct cp_error *error)
{
    return cp_fail(error, CP_ERR_DENIED, "app",
                   "this address is not good, or no longer: begin again at index.m3u8 with a token");
}

int cp_access_check_pass(struct cp_access *access, const char *channel, const char *pass,
                         struct cp_error *error)
{
    char copy[CP_PASS_BYTES], what[300];
    struct cp_guest guest = {.version = 0};
    if ((size_t)snprintf(copy, sizeof copy, "%s", pass) >= sizeof copy)
        return not_a_pass(error);
    char *middle = strchr(copy, '.'), *signature = strrchr(copy, '.');
    if (!middle || signature == middle)
        return not_a_pass(error);
    *middle++ = 0;
    *signature++ = 0;
    name_pass(channel, middle, what, sizeof what);
    if (!cp_signer_accepts(&access->signer, what, copy, signature))
        return not_a_pass(error);
    char *viewer;
    guest.version = strtoll(middle, &viewer, 10);
    viewer += *viewer == '.';
    if (!from_hex(viewer, strlen(viewer), guest.viewer, sizeof guest.viewer))
        return not_a_pass(error);
    return cp_access_check_guest(access, channel, &guest, error);
}

int cp_access_revoke(struct cp_access *access, const char *channel, const char *viewer, int64_t version,
                     struct cp_error *error)
{
    return cp_revoked_add(access->revoked, channel, viewer, version,
                          CP_TOKEN_MAX_LIFE_S + CP_PASS_LASTS_S + 3600, error);
}
