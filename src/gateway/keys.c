#include "gateway/keys.h"

#include "base/clock.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    RANDOM_BYTES = 32,
    RANDOM_CHARS = 43, /* base64url without padding */
    CHECK_CHARS = 6,
    KEY_CHARS = 4 + RANDOM_CHARS + CHECK_CHARS,
    ID_HEX = 16,     /* digits of the hash that make the id */
    MEMORY = 256,    /* keys remembered */
    MEMORY_TTL_S = 5 /* how long a key that another process deleted may still work */
};

#define PREFIX "cpk_"

struct remembered {
    uint8_t hash[SHA256_DIGEST_LENGTH];
    enum cp_role role;
    int64_t until_ns;
};

struct cp_keys {
    struct cp_store *store;
    pthread_mutex_t lock;
    uint64_t changes; /* counts changes, so that a look-up that overlaps one is not remembered */
    struct remembered memory[MEMORY];
};

const char *cp_role_name(enum cp_role role)
{
    static const char *const NAMES[] = {"", "public", "viewer", "operator", "admin"};
    return NAMES[role];
}

enum cp_role cp_role_from_name(const char *name)
{
    for (int role = CP_ROLE_PUBLIC; name && role <= CP_ROLE_ADMIN; role++)
        if (!strcmp(name, cp_role_name((enum cp_role)role)))
            return (enum cp_role)role;
    return CP_ROLE_UNSET;
}

/* CRC-32 as in ISO-HDLC (polynomial 0xEDB88320, reflected), in base 62: against typing errors, not attackers.
 */
static void make_check(const char *text, size_t length, char check[CHECK_CHARS + 1])
{
    static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    for (int i = CHECK_CHARS; i--; crc /= 62)
        check[i] = DIGITS[crc % 62];
    check[CHECK_CHARS] = 0;
}

bool cp_key_well_formed(const char *key)
{
    char check[CHECK_CHARS + 1];
    if (strlen(key) != KEY_CHARS || strncmp(key, PREFIX, 4))
        return false;
    make_check(key, KEY_CHARS - CHECK_CHARS, check);
    return !strcmp(key + KEY_CHARS - CHECK_CHARS, check);
}

static void to_hex(const uint8_t *bytes, size_t length, char *text)
{
    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* Hash of the key, as bytes and as hex, and the id: "k_" and the first digits of the hash. */
static void hash_key(const char *key, uint8_t hash[SHA256_DIGEST_LENGTH],
                     char hex[2 * SHA256_DIGEST_LENGTH + 1], char id[CP_KEY_ID_BYTES])
{
    SHA256((const unsigned char *)key, strlen(key), hash);
    to_hex(hash, SHA256_DIGEST_LENGTH, hex);
    snprintf(id, CP_KEY_ID_BYTES, "k_%.*s", ID_HEX, hex);
}

static void make_key(const uint8_t bytes[RANDOM_BYTES], char key[CP_KEY_BYTES])
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    memcpy(key, PREFIX, 4);
    for (int i = 0; i < RANDOM_CHARS; i++) {
        int bit = i * 6, byte = bit / 8;
        unsigned two = (unsigned)bytes[byte] << 8 | (byte + 1 < RANDOM_BYTES ? bytes[byte + 1] : 0);
        key[4 + i] = DIGITS[two >> (10 - bit % 8) & 63];
    }
    make_check(key, 4 + RANDOM_CHARS, key + 4 + RANDOM_CHARS);
}

int cp_key_create(struct cp_store *store, enum cp_role role, const char *name, char ret_key[CP_KEY_BYTES],
                  char ret_id[40], struct cp_error *error)
{
    uint8_t random[RANDOM_BYTES], hash[SHA256_DIGEST_LENGTH];
    char key[CP_KEY_BYTES], hex[2 * SHA256_DIGEST_LENGTH + 1], id[CP_KEY_ID_BYTES], created[32];
    if (role < CP_ROLE_VIEWER || role > CP_ROLE_ADMIN)
        return cp_fail(error, CP_ERR_INVALID, "gateway", "a key's role is viewer, operator or admin");
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return cp_fail(error, CP_ERR_INTERNAL, "gateway", "no random bytes: %s", strerror(errno));
    make_key(random, key);
    hash_key(key, hash, hex, id);
    cp_clock_rfc3339(cp_clock_wall_ns(), created);
    json_t *record = json_pack("{s:s, s:s, s:s, s:s}", "role", cp_role_name(role), "name", name ? name : "",
                               "sha256", hex, "created_at", created);
    char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
    json_decref(record);
    int result = text ? cp_store_put_if(store, "keys", id, text, CP_STORE_MUST_BE_NEW, 0, NULL, error)
                      : cp_fail(error, CP_ERR_INVALID, "gateway", "the key's name is not UTF-8");
    free(text);
    if (!result) {
        memcpy(ret_key, key, KEY_CHARS + 1);
        memcpy(ret_id, id, sizeof id);
    }
    OPENSSL_cleanse(random, sizeof random);
    OPENSSL_cleanse(key, sizeof key);
    return result;
}

static void forget_all(void *user, const char *key, const char *json)
{
    struct cp_keys *keys = user;
    pthread_mutex_lock(&keys->lock);
    keys->changes++;
    memset(keys->memory, 0, sizeof keys->memory);
    pthread_mutex_unlock(&keys->lock);
}

int cp_keys_create(struct cp_store *store, struct cp_keys **ret_keys, struct cp_error *error)
{
    struct cp_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        return cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    keys->store = store;
    pthread_mutex_init(&keys->lock, NULL);
    int result = cp_store_watch(store, "keys", forget_all, keys, error);
    if (result) {
        pthread_mutex_destroy(&keys->lock);
        free(keys);
        return result;
    }
    *ret_keys = keys;
    return 0;
}

void cp_keys_destroy(struct cp_keys *keys)
{
    if (!keys)
        return;
    cp_store_unwatch(keys->store, forget_all, keys);
    pthread_mutex_destroy(&keys->lock);
    OPENSSL_cleanse(keys->memory, sizeof keys->memory);
    free(keys);
}

/* The place where a hash is remembered: the hash is random enough to be its own index. */
static struct remembered *place_of(struct cp_keys *keys, const uint8_t hash[SHA256_DIGEST_LENGTH])
{
    return &keys->memory[hash[SHA256_DIGEST_LENGTH - 1] % MEMORY];
}

static bool recall(struct cp_keys *keys, const uint8_t hash[SHA256_DIGEST_LENGTH], enum cp_role *ret_role,
                   uint64_t *ret_changes)
{
    pthread_mutex_lock(&keys->lock);
    const struct remembered *place = place_of(keys, hash);
    bool known =
        place->until_ns > cp_clock_now_ns() && !CRYPTO_memcmp(place->hash, hash, SHA256_DIGEST_LENGTH);
    if (known)
        *ret_role = place->role;
    *ret_changes = keys->changes;
    pthread_mutex_unlock(&keys->lock);
    return known;
}

int cp_keys_check(struct cp_keys *keys, const char *key, enum cp_role *ret_role, char ret_id[CP_KEY_ID_BYTES],
                  struct cp_error *error)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1], id[CP_KEY_ID_BYTES];
    struct cp_record record;
    uint64_t changes;
    if (!cp_key_well_formed(key))
        return cp_fail(error, CP_ERR_UNAUTHORIZED, "gateway",
                       "this is not a key of ours or it is mistyped (its checksum is wrong); copy it again");
    hash_key(key, hash, hex, id);
    if (recall(keys, hash, ret_role, &changes)) {
        memcpy(ret_id, id, sizeof id);
        return 0;
    }
    int result = cp_store_get(keys->store, "keys", id, &record, error);
    if (result && result != CP_ERR_NOT_FOUND)
        return result;
    json_t *json = result ? NULL : json_loads(record.json, 0, NULL);
    if (!result)
        cp_record_clear(&record);
    const char *kept = json_string_value(json_object_get(json, "sha256"));
    enum cp_role role = cp_role_from_name(json_string_value(json_object_get(json, "role")));
    bool same = kept && strlen(kept) == strlen(hex) && !CRYPTO_memcmp(kept, hex, strlen(hex));
    json_decref(json);
    if (!same || role < CP_ROLE_VIEWER)
        return cp_fail(error, CP_ERR_UNAUTHORIZED, "gateway",
                       "this key is not known here: it was deleted, or it belongs to another server");
    pthread_mutex_lock(&keys->lock);
    if (changes == keys->changes) {
        struct remembered *place = place_of(keys, hash);
        memcpy(place->hash, hash, sizeof hash);
        place->role = role;
        place->until_ns = cp_clock_now_ns() + MEMORY_TTL_S * CP_NS_PER_S;
    }
    pthread_mutex_unlock(&keys->lock);
    *ret_role = role;
    memcpy(ret_id, id, sizeof id);
    return 0;
}
