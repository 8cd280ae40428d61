#include "deliver/webrtc/srtp.h"

#include "deliver/webrtc/bytes.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#define GCM_TAG_BYTES   16
#define GCM_IV_BYTES    12
#define SHA1_TAG_BYTES  10
#define INDEX_BYTES     4 /* SRTCP: the E bit and a 31-bit index */
#define RTCP_HEAD_BYTES 8
#define ENCRYPTED       0x80000000u

size_t cp_srtp_salt_bytes(enum cp_srtp_profile profile)
{
    return profile == CP_SRTP_AEAD_AES_128_GCM ? 12 : 14;
}

size_t cp_srtp_rtp_tag_bytes(enum cp_srtp_profile profile)
{
    return profile == CP_SRTP_AEAD_AES_128_GCM ? GCM_TAG_BYTES : SHA1_TAG_BYTES;
}

/* `length` bytes of AES-CM key stream for one label. */
static bool derive_one(EVP_CIPHER_CTX *aes, const struct cp_srtp_master *master, size_t salt_bytes,
                       unsigned label, uint8_t *out, size_t length)
{
    static const uint8_t ZERO[32];
    uint8_t iv[16] = {0};
    int n;
    /* x = label * 2^48 XOR salt, as a 112-bit number; a 96-bit salt is padded on the right (RFC 7714
     * section 11). The counter is the last two bytes. */
    memcpy(iv, master->salt, salt_bytes);
    iv[7] ^= (uint8_t)label;
    return EVP_EncryptInit_ex(aes, EVP_aes_128_ctr(), NULL, master->key, iv) == 1 &&
           EVP_EncryptUpdate(aes, out, &n, ZERO, (int)length) == 1;
}

bool cp_srtp_derive(enum cp_srtp_profile profile, const struct cp_srtp_master *master, bool rtcp,
                    struct cp_srtp_keys *ret_keys)
{
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    size_t salt_bytes = cp_srtp_salt_bytes(profile);
    unsigned label = rtcp ? 3 : 0;
    struct cp_srtp_keys keys = {0};
    bool ok = aes && derive_one(aes, master, salt_bytes, label, keys.key, sizeof keys.key) &&
              derive_one(aes, master, salt_bytes, label + 1, keys.auth, sizeof keys.auth) &&
              derive_one(aes, master, salt_bytes, label + 2, keys.salt, salt_bytes);
    if (ok)
        *ret_keys = keys;
    OPENSSL_cleanse(&keys, sizeof keys);
    EVP_CIPHER_CTX_free(aes);
    return ok;
}

/* RFC 3711 section 4.1.1: salt * 2^16 XOR ssrc * 2^64 XOR index * 2^16. */
static void cm_iv(uint8_t iv[16], const uint8_t *salt, uint32_t ssrc, uint64_t index)
{
    memcpy(iv, salt, 14);
    iv[14] = iv[15] = 0;
    cp_put32(iv + 4, cp_get32(iv + 4) ^ ssrc);
    cp_put64(iv + 8, cp_get64(iv + 8) ^ index << 16);
}

/* RFC 7714 sections 8.1 and 9.1: two zero bytes, ssrc, 48-bit index; XOR salt. (For SRTCP the 31-bit index
 * fills the same 48 bits.) */
void cp_srtp_gcm_iv(uint8_t iv[12], const uint8_t *salt, uint32_t ssrc, uint64_t index)
{
    memcpy(iv, salt, GCM_IV_BYTES);
    cp_put32(iv + 2, cp_get32(iv + 2) ^ ssrc);
    cp_put32(iv + 6, cp_get32(iv + 6) ^ (uint32_t)(index >> 16));
    cp_put16(iv + 10, cp_get16(iv + 10) ^ (unsigned)(index & 0xffff));
}

/* --- providers for outgoing RTP --- */

struct evp_state {
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac; /* AES-CM only */
    uint8_t salt[CP_SRTP_SALT_BYTES];
};

static void evp_close(void *state)
{
    struct evp_state *evp = state;
    if (!evp)
        return;
    EVP_CIPHER_CTX_free(evp->cipher);
    EVP_MAC_CTX_free(evp->mac);
    free(evp);
}

static struct evp_state *evp_open(const EVP_CIPHER *cipher, const struct cp_srtp_keys *keys)
{
    struct evp_state *evp = calloc(1, sizeof *evp);
    if (!evp)
        return NULL;
    memcpy(evp->salt, keys->salt, sizeof evp->salt);
    evp->cipher = EVP_CIPHER_CTX_new();
    if (evp->cipher && EVP_EncryptInit_ex(evp->cipher, cipher, NULL, keys->key, NULL) == 1)
        return evp;
    evp_close(evp);
    return NULL;
}

static void *gcm_open(void *shared, const struct cp_srtp_keys *keys)
{
    return evp_open(EVP_aes_128_gcm(), keys);
}

static bool gcm_protect(void *state, uint8_t *out, size_t header_bytes, const uint8_t *payload,
                        size_t payload_bytes, uint32_t ssrc, uint64_t index)
{
    struct evp_state *evp = state;
    uint8_t iv[GCM_IV_BYTES], *body = out + header_bytes;
    int n;
    cp_srtp_gcm_iv(iv, evp->salt, ssrc, index);
    return EVP_EncryptInit_ex(evp->cipher, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(evp->cipher, NULL, &n, out, (int)header_bytes) == 1 &&
           EVP_EncryptUpdate(evp->cipher, body, &n, payload, (int)payload_bytes) == 1 &&
           EVP_EncryptFinal_ex(evp->cipher, body + payload_bytes, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(evp->cipher, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, body + payload_bytes) == 1;
}

static void *cm_open(void *shared, const struct cp_srtp_keys *keys)
{
    struct evp_state *evp = evp_open(EVP_aes_128_ctr(), keys);
    if (!evp)
        return NULL;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA1"}, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    evp->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    if (evp->mac && EVP_MAC_init(evp->mac, keys->auth, sizeof keys->auth, params) == 1)
        return evp;
    evp_close(evp);
    return NULL;
}

static bool cm_protect(void *state, uint8_t *out, size_t header_bytes, const uint8_t *payload,
                       size_t payload_bytes, uint32_t ssrc, uint64_t index)
{
    struct evp_state *evp = state;
    uint8_t iv[16], roc[4], mac[CP_SRTP_AUTH_BYTES];
    size_t mac_bytes;
    int n;
    cm_iv(iv, evp->salt, ssrc, index);
    cp_put32(roc, (uint32_t)(index >> 16));
    if (EVP_EncryptInit_ex(evp->cipher, NULL, NULL, NULL, iv) != 1 ||
        EVP_EncryptUpdate(evp->cipher, out + header_bytes, &n, payload, (int)payload_bytes) != 1 ||
        EVP_MAC_init(evp->mac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(evp->mac, out, header_bytes + payload_bytes) != 1 ||
        EVP_MAC_update(evp->mac, roc, sizeof roc) != 1 ||
        EVP_MAC_final(evp->mac, mac, &mac_bytes, sizeof mac) != 1)
        return false;
    memcpy(out + header_bytes + payload_bytes, mac, SHA1_TAG_BYTES);
    return true;
}

static const struct cp_srtp_cipher EVP_GCM = {.name = "evp-gcm",
                                              .profile = CP_SRTP_AEAD_AES_128_GCM,
                                              .open = gcm_open,
                                              .protect = gcm_protect,
                                              .close = evp_close};
static const struct cp_srtp_cipher EVP_CM = {.name = "evp-cm",
                                             .profile = CP_SRTP_AES_CM_SHA1_80,
                                             .open = cm_open,
                                             .protect = cm_protect,
                                             .close = evp_close};

#ifdef CP_HAVE_IPSEC_MB
#endif

const struct cp_srtp_cipher *const cp_srtp_ciphers[] = {
#ifdef CP_HAVE_IPSEC_MB
    &cp_srtp_ipsec_gcm,
#endif
    &EVP_GCM,
    &EVP_CM,
    NULL,
};

bool cp_srtp_suite_open(enum cp_srtp_profile profile, struct cp_srtp_suite *ret_suite)
{
    for (int i = 0; cp_srtp_ciphers[i]; i++) {
        const struct cp_srtp_cipher *cipher = cp_srtp_ciphers[i];
        void *shared = NULL;
        if (cipher->profile != profile || (cipher->start && !(shared = cipher->start())))
            continue;
        *ret_suite = (struct cp_srtp_suite){cipher, shared};
        return true;
    }
    return false;
}

void cp_srtp_suite_close(struct cp_srtp_suite *suite)
{
    if (suite->cipher && suite->cipher->stop)
        suite->cipher->stop(suite->shared);
    suite->cipher = NULL;
}

/* --- SRTCP --- */

static size_t gcm_rtcp_protect(const struct cp_srtp_keys *keys, uint8_t *packet, size_t length,
                               uint32_t index)
{
    uint8_t iv[GCM_IV_BYTES], word[INDEX_BYTES], *body = packet + RTCP_HEAD_BYTES;
    size_t body_bytes = length - RTCP_HEAD_BYTES;
    int n;
    cp_srtp_gcm_iv(iv, keys->salt, cp_get32(packet + 4), index);
    cp_put32(word, index | ENCRYPTED);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    bool ok = aes && EVP_EncryptInit_ex(aes, EVP_aes_128_gcm(), NULL, keys->key, iv) == 1 &&
              EVP_EncryptUpdate(aes, NULL, &n, packet, RTCP_HEAD_BYTES) == 1 &&
              EVP_EncryptUpdate(aes, NULL, &n, word, INDEX_BYTES) == 1 &&
              EVP_EncryptUpdate(aes, body, &n, body, (int)body_bytes) == 1 &&
              EVP_EncryptFinal_ex(aes, body + body_bytes, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(aes, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, body + body_bytes) == 1;
    EVP_CIPHER_CTX_free(aes);
    memcpy(packet + length + GCM_TAG_BYTES, word, INDEX_BYTES);
    return ok ? length + GCM_TAG_BYTES + INDEX_BYTES : 0;
}

/* AES-CM is its own inverse. */
static bool cm_rtcp_crypt(const struct cp_srtp_keys *keys, uint8_t *packet, size_t length, uint32_t index)
{
    uint8_t iv[16], *body = packet + RTCP_HEAD_BYTES;
    int n;
    cm_iv(iv, keys->salt, cp_get32(packet + 4), index);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    bool ok = aes && EVP_EncryptInit_ex(aes, EVP_aes_128_ctr(), NULL, keys->key, iv) == 1 &&
              EVP_EncryptUpdate(aes, body, &n, body, (int)(length - RTCP_HEAD_BYTES)) == 1;
    EVP_CIPHER_CTX_free(aes);
    return ok;
}

static bool rtcp_mac(const struct cp_srtp_keys *keys, const uint8_t *packet, size_t length,
                     uint8_t mac[CP_SRTP_AUTH_BYTES])
{
    unsigned n = CP_SRTP_AUTH_BYTES;
    return HMAC(EVP_sha1(), keys->auth, sizeof keys->auth, packet, length, mac, &n) != NULL;
}

size_t cp_srtcp_protect(enum cp_srtp_profile profile, const struct cp_srtp_keys *keys, uint8_t *packet,
                        size_t length, uint32_t index)
{
    uint8_t mac[CP_SRTP_AUTH_BYTES];
    if (length < RTCP_HEAD_BYTES || index & ENCRYPTED)
        return 0;
    if (profile == CP_SRTP_AEAD_AES_128_GCM)
        return gcm_rtcp_protect(keys, packet, length, index);
    if (!cm_rtcp_crypt(keys, packet, length, index))
        return 0;
    cp_put32(packet + length, index | ENCRYPTED);
    if (!rtcp_mac(keys, packet, length + INDEX_BYTES, mac))
        return 0;
    memcpy(packet + length + INDEX_BYTES, mac, SHA1_TAG_BYTES);
    return length + INDEX_BYTES + SHA1_TAG_BYTES;
}

static int find_source(const struct cp_srtcp_replay *replay, uint32_t ssrc)
{
    for (int i = 0; i < CP_SRTCP_SOURCES; i++)
        if (replay->source[i].used && replay->source[i].ssrc == ssrc)
            return i;
    return -1;
}

static bool is_replayed(const struct cp_srtcp_replay *replay, uint32_t ssrc, uint32_t index)
{
    int i = find_source(replay, ssrc);
    if (i < 0 || index > replay->source[i].newest)
        return false;
    uint32_t age = replay->source[i].newest - index;
    return age >= 64 || replay->source[i].seen >> age & 1;
}

static void remember(struct cp_srtcp_replay *replay, uint32_t ssrc, uint32_t index)
{
    int i = find_source(replay, ssrc);
    if (i < 0) {
        i = (int)(replay->next++ % CP_SRTCP_SOURCES);
        replay->source[i].ssrc = ssrc;
        replay->source[i].newest = index;
        replay->source[i].seen = 1;
        replay->source[i].used = true;
    } else if (index > replay->source[i].newest) {
        uint32_t step = index - replay->source[i].newest;
        replay->source[i].seen = (step < 64 ? replay->source[i].seen << step : 0) | 1;
        replay->source[i].newest = index;
    } else {
        replay->source[i].seen |= UINT64_C(1) << (replay->source[i].newest - index);
    }
}

static bool gcm_rtcp_open(const struct cp_srtp_keys *keys, uint8_t *packet, size_t length, uint32_t word)
{
    uint8_t iv[GCM_IV_BYTES], *body = packet + RTCP_HEAD_BYTES;
    size_t body_bytes = length - RTCP_HEAD_BYTES;
    bool encrypted = word & ENCRYPTED;
    uint8_t word_bytes[INDEX_BYTES];
    int n;
    cp_srtp_gcm_iv(iv, keys->salt, cp_get32(packet + 4), word & ~ENCRYPTED);
    cp_put32(word_bytes, word);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    bool ok = aes && EVP_DecryptInit_ex(aes, EVP_aes_128_gcm(), NULL, keys->key, iv) == 1 &&
              EVP_CIPHER_CTX_ctrl(aes, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_BYTES, packet + length) == 1 &&
              /* Unencrypted SRTCP authenticates the whole packet (RFC 7714 section 9.3). */
              EVP_DecryptUpdate(aes, NULL, &n, packet, (int)(encrypted ? RTCP_HEAD_BYTES : length)) == 1 &&
              EVP_DecryptUpdate(aes, NULL, &n, word_bytes, INDEX_BYTES) == 1 &&
              (!encrypted || EVP_DecryptUpdate(aes, body, &n, body, (int)body_bytes) == 1) &&
              EVP_DecryptFinal_ex(aes, body + body_bytes, &n) == 1;
    EVP_CIPHER_CTX_free(aes);
    return ok;
}

size_t cp_srtcp_unprotect(enum cp_srtp_profile profile, const struct cp_srtp_keys *keys,
                          struct cp_srtcp_replay *replay, uint8_t *packet, size_t length)
{
    bool gcm = profile == CP_SRTP_AEAD_AES_128_GCM;
    size_t tail = INDEX_BYTES + (gcm ? GCM_TAG_BYTES : SHA1_TAG_BYTES);
    if (length < RTCP_HEAD_BYTES + tail || length > 65535)
        return 0;
    size_t plain = length - tail;
    uint32_t word = cp_get32(packet + (gcm ? length - INDEX_BYTES : plain)), index = word & ~ENCRYPTED;
    uint32_t ssrc = cp_get32(packet + 4);
    if (is_replayed(replay, ssrc, index))
        return 0;
    if (gcm) {
        if (!gcm_rtcp_open(keys, packet, plain, word))
            return 0;
    } else {
        uint8_t mac[CP_SRTP_AUTH_BYTES];
        if (!rtcp_mac(keys, packet, plain + INDEX_BYTES, mac) ||
            CRYPTO_memcmp(mac, packet + plain + INDEX_BYTES, SHA1_TAG_BYTES) ||
            (word & ENCRYPTED && !cm_rtcp_crypt(keys, packet, plain, index)))
            return 0;
    }
    remember(replay, ssrc, index);
    return plain;
}
