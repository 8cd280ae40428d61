#include "app/access/playback_keys.h"

#include "base/clock.h"
#include "base/sigv4.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITION "playback-keys"
#define TTL_NS    (5 * CP_NS_PER_S) /* how long a key that another process removed may still work */

enum { ID_BYTES = 24, HALF_SIGNATURE = CP_TOKEN_SIGNATURE_BYTES / 2 };

struct key {
    char id[ID_BYTES];
    EVP_PKEY *public_key;
};

struct cp_playback_keys {
    struct cp_store *store;
    pthread_mutex_t adding; /* one at a time, so that there are never more than the most */
    pthread_mutex_t lock;   /* guards what follows */
    struct key known[CP_PLAYBACK_MAX_KEYS];
    int n_known;
    int64_t read_ns;
    atomic_bool stale;
};

/* --- keys as texts --- */

/* A PEM that says it is encrypted would make OpenSSL ask for its password at the server's terminal. */
static int no_password(char *password, int capacity, int writing, void *user)
{
    return -1;
}

static EVP_PKEY *read_public(const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, (int)strlen(pem));
    EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, no_password, NULL) : NULL;
    BIO_free(in);
    return key;
}

static bool is_p384(EVP_PKEY *key)
{
    char group[32] = "";
    size_t length;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool good = context && EVP_PKEY_is_a(key, "EC") &&
                EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
                !strcmp(group, "secp384r1") && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

/* What the BIO holds, as a JSON text. */
static json_t *text_in(BIO *bio)
{
    char *text;
    long length = BIO_get_mem_data(bio, &text);
    return length > 0 ? json_stringn(text, (size_t)length) : NULL;
}

static json_t *public_pem(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    json_t *text = out && PEM_write_bio_PUBKEY(out, key) == 1 ? text_in(out) : NULL;
    BIO_free(out);
    return text;
}

/* In memory that is wiped when it is freed. */
static json_t *private_pem(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_secmem());
    json_t *text =
        out && PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 ? text_in(out) : NULL;
    BIO_free(out);
    return text;
}

/* SHA-256 of the key as DER (SubjectPublicKeyInfo): the same key has the same id everywhere. */
static bool fingerprint_of(EVP_PKEY *key, char ret_hex[65])
{
    uint8_t *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    if (length > 0)
        cp_sigv4_sha256(der, (size_t)length, ret_hex);
    OPENSSL_free(der);
    return length > 0;
}

/* --- the records --- */

static void on_change(void *user, const char *key, const char *json)
{
    struct cp_playback_keys *keys = user;
    atomic_store(&keys->stale, true);
}

int cp_playback_keys_open(struct cp_store *store, struct cp_playback_keys **ret_keys, struct cp_error *error)
{
    struct cp_playback_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    keys->store = store;
    atomic_init(&keys->stale, true);
    pthread_mutex_init(&keys->adding, NULL);
    pthread_mutex_init(&keys->lock, NULL);
    int result = cp_store_watch(store, PARTITION, on_change, keys, error);
    if (result) {
        pthread_mutex_destroy(&keys->adding);
        pthread_mutex_destroy(&keys->lock);
        free(keys);
        return result;
    }
    *ret_keys = keys;
    return 0;
}

static void forget(struct cp_playback_keys *keys)
{
    for (int i = 0; i < keys->n_known; i++)
        EVP_PKEY_free(keys->known[i].public_key);
    keys->n_known = 0;
}

void cp_playback_keys_close(struct cp_playback_keys *keys)
{
    if (!keys)
        return;
    cp_store_unwatch(keys->store, on_change, keys);
    forget(keys);
    pthread_mutex_destroy(&keys->adding);
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

int cp_playback_keys_list(struct cp_playback_keys *keys, json_t **ret_list, struct cp_error *error)
{
    struct cp_query query = {.partition = PARTITION, .limit = 1000};
    struct cp_query_result page;
    int result = cp_store_query(keys->store, &query, &page, error);
    if (result)
        return result;
    json_t *list = json_array();
    for (int i = 0; i < page.n_records; i++) {
        json_t *key = json_loads(page.records[i].json, 0, NULL);
        json_object_set_new(key, "id", json_string(page.records[i].key));
        json_array_append_new(list, key);
    }
    cp_query_result_clear(&page);
    *ret_list = list;
    return 0;
}

/* Writes the record unless there are too many. Under `adding`. */
static int keep(struct cp_playback_keys *keys, const char *id, const json_t *record, struct cp_error *error)
{
    json_t *list;
    int result = cp_playback_keys_list(keys, &list, error);
    if (result)
        return result;
    size_t n = json_array_size(list);
    json_decref(list);
    if (n >= CP_PLAYBACK_MAX_KEYS)
        return cp_fail(error, CP_ERR_EXISTS, "app",
                       "there are %d playback keys already, which is the most; delete one that no token is "
                       "signed with any more",
                       CP_PLAYBACK_MAX_KEYS);
    char *text = json_dumps(record, JSON_COMPACT);
    result = text ? cp_store_put_if(keys->store, PARTITION, id, text, CP_STORE_MUST_BE_NEW, 0, NULL, error)
                  : cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    free(text);
    return result == CP_ERR_EXISTS
               ? cp_fail(error, CP_ERR_EXISTS, "app", "this playback key is here already, as %s", id)
               : result;
}

static int add_key(struct cp_playback_keys *keys, const char *name, EVP_PKEY *key, json_t **ret_key,
                   struct cp_error *error)
{
    char fingerprint[65], id[ID_BYTES], created[32];
    if (!fingerprint_of(key, fingerprint))
        return cp_fail(error, CP_ERR_INTERNAL, "app", "OpenSSL cannot write the public key");
    snprintf(id, sizeof id, "pk_%.16s", fingerprint);
    cp_clock_rfc3339(cp_clock_wall_ns(), created);
    json_t *record = json_pack("{s:s, s:o, s:s, s:s}", "name", name, "public_key", public_pem(key),
                               "fingerprint", fingerprint, "created_at", created);
    if (!record)
        return cp_fail(error, CP_ERR_INTERNAL, "app", "OpenSSL cannot write the public key");
    pthread_mutex_lock(&keys->adding);
    int result = keep(keys, id, record, error);
    pthread_mutex_unlock(&keys->adding);
    if (result) {
        json_decref(record);
        return result;
    }
    json_object_set_new(record, "id", json_string(id));
    *ret_key = record;
    return 0;
}

int cp_playback_keys_add(struct cp_playback_keys *keys, const char *name, const char *pem, json_t **ret_key,
                         struct cp_error *error)
{
    EVP_PKEY *key = pem ? read_public(pem) : EVP_EC_gen("P-384");
    int result = 0;
    if (!key || !is_p384(key))
        result = pem ? cp_fail(error, CP_ERR_INVALID, "app",
                               "public_key: this is not the PEM of a public key on the curve P-384 "
                               "(\"openssl ec -in private.pem -pubout\" writes one); never send the private "
                               "one")
                     : cp_fail(error, CP_ERR_INTERNAL, "app", "OpenSSL cannot make a P-384 key");
    if (!result)
        result = add_key(keys, name, key, ret_key, error);
    if (!result && !pem)
        json_object_set_new(*ret_key, "private_key", private_pem(key));
    EVP_PKEY_free(key);
    return result;
}

int cp_playback_keys_remove(struct cp_playback_keys *keys, const char *id, struct cp_error *error)
{
    return cp_store_delete_if(keys->store, PARTITION, id, CP_STORE_ANY_VERSION, error);
}

/* --- verifying --- */

/* Reads the keys again when they may have changed. Under the lock. */
static int refresh(struct cp_playback_keys *keys, struct cp_error *error)
{
    int64_t now_ns = cp_clock_now_ns();
    json_t *list, *record;
    size_t i;
    if (!atomic_exchange(&keys->stale, false) && now_ns - keys->read_ns < TTL_NS)
        return 0;
    int result = cp_playback_keys_list(keys, &list, error);
    if (result) {
        atomic_store(&keys->stale, true);
        return result;
    }
    forget(keys);
    json_array_foreach(list, i, record)
    {
        const char *pem = json_string_value(json_object_get(record, "public_key"));
        EVP_PKEY *key = pem && keys->n_known < CP_PLAYBACK_MAX_KEYS ? read_public(pem) : NULL;
        if (!key)
            continue;
        struct key *known = &keys->known[keys->n_known++];
        known->public_key = key;
        snprintf(known->id, sizeof known->id, "%s", json_string_value(json_object_get(record, "id")));
    }
    json_decref(list);
    keys->read_ns = now_ns;
    return 0;
}

/* References to the keys that may have signed the token, for use without the lock. */
static int candidates(struct cp_playback_keys *keys, const struct cp_token *token,
                      EVP_PKEY *ret_keys[CP_PLAYBACK_MAX_KEYS], int *ret_n, struct cp_error *error)
{
    pthread_mutex_lock(&keys->lock);
    int result = refresh(keys, error);
    *ret_n = 0;
    for (int i = 0; !result && i < keys->n_known; i++)
        if ((!*token->key || !strcmp(token->key, keys->known[i].id)) &&
            EVP_PKEY_up_ref(keys->known[i].public_key) == 1)
            ret_keys[(*ret_n)++] = keys->known[i].public_key;
    pthread_mutex_unlock(&keys->lock);
    return result;
}

/* JWTs have r and s one behind the other (RFC 7518 section 3.4), OpenSSL wants them as DER. The length;
 * *ret_der is freed by OPENSSL_free. */
static int to_der(const uint8_t signature[CP_TOKEN_SIGNATURE_BYTES], uint8_t **ret_der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, HALF_SIGNATURE, NULL);
    BIGNUM *s = BN_bin2bn(signature + HALF_SIGNATURE, HALF_SIGNATURE, NULL);
    int length = -1;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        length = i2d_ECDSA_SIG(pair, ret_der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length;
}

static bool signed_by(EVP_PKEY *key, const char *text, size_t length, const uint8_t *der, int der_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha384(), NULL, key) == 1 &&
                EVP_DigestVerify(context, der, (size_t)der_length, (const uint8_t *)text, length) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

int cp_playback_keys_verify(struct cp_playback_keys *keys, const char *text, const struct cp_token *token,
                            struct cp_error *error)
{
    EVP_PKEY *known[CP_PLAYBACK_MAX_KEYS];
    uint8_t *der = NULL;
    int n, result = candidates(keys, token, known, &n, error);
    if (result)
        return result;
    int der_length = to_der(token->signature, &der);
    bool good = false;
    for (int i = 0; i < n; i++) {
        good = good || (der_length > 0 && signed_by(known[i], text, token->signed_bytes, der, der_length));
        EVP_PKEY_free(known[i]);
    }
    OPENSSL_free(der);
    return good ? 0
                : cp_fail(error, CP_ERR_DENIED, "app",
                          "the token is not good: no playback key that is known here made its signature");
}
