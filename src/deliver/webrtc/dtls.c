#include "deliver/webrtc/dtls.h"

#include "deliver/webrtc/bytes.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE             "webrtc"
#define RECORD_HEAD_BYTES 13
#define GCM_NONCE_BYTES   8
#define GCM_TAG_BYTES     16
#define MAX_REPEATS       20
#define VALID_DAYS        365

enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
enum { ALERT_CLOSE_NOTIFY = 0, ALERT_FATAL = 2 };

struct cp_dtls_identity {
    SSL_CTX *context;
    char fingerprint[3 * 32];
};

const char *cp_dtls_fingerprint(const struct cp_dtls_identity *identity)
{
    return identity->fingerprint;
}

/* Browsers' certificates are self-signed: what counts is the fingerprint, which is checked afterwards. */
static int accept_any_certificate(int ok, X509_STORE_CTX *context)
{
    return 1;
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    uint64_t serial = 0;
    if (!certificate || RAND_bytes((uint8_t *)&serial, sizeof serial) != 1)
        goto failed;
    X509_NAME *name = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) != 1 ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_DAYS * 86400L) ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"compere", -1, -1, 0) != 1 ||
        X509_set_issuer_name(certificate, name) != 1 || X509_set_pubkey(certificate, key) != 1 ||
        X509_sign(certificate, key, EVP_sha256()) <= 0)
        goto failed;
    return certificate;
failed:
    X509_free(certificate);
    return NULL;
}

static SSL_CTX *make_context(EVP_PKEY *key, X509 *certificate)
{
    SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any_certificate);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_read_ahead(context, 1);
    /* The cipher suite that RFC 8827 section 6.5 makes mandatory, and the only one: open_peer_alert knows it.
     */
    if (SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1 &&
        SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
        SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 &&
        SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") == 0)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

int cp_dtls_identity_create(struct cp_dtls_identity **ret_identity, struct cp_error *error)
{
    struct cp_dtls_identity *identity = calloc(1, sizeof *identity);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key) : NULL;
    uint8_t digest[32];
    unsigned n = sizeof digest;
    bool ok = identity && certificate && X509_digest(certificate, EVP_sha256(), digest, &n) == 1 &&
              (identity->context = make_context(key, certificate));
    for (unsigned i = 0; ok && i < n; i++)
        snprintf(identity->fingerprint + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", digest[i]);
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!ok) {
        cp_dtls_identity_destroy(identity);
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "OpenSSL cannot make a P-256 certificate with DTLS-SRTP: %s",
                       ERR_reason_error_string(ERR_peek_last_error()));
    }
    *ret_identity = identity;
    return 0;
}

void cp_dtls_identity_destroy(struct cp_dtls_identity *identity)
{
    if (!identity)
        return;
    SSL_CTX_free(identity->context);
    free(identity);
}

void cp_dtls_open(struct cp_dtls *dtls, const struct cp_dtls_peer *peer)
{
    *dtls = (struct cp_dtls){.state = CP_DTLS_HANDSHAKE, .peer = *peer};
}

static bool start(struct cp_dtls *dtls, const struct cp_dtls_identity *identity)
{
    SSL *ssl = SSL_new(identity->context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (!ssl || !in || !out) {
        SSL_free(ssl);
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    DTLS_set_link_mtu(ssl, CP_DTLS_MTU);
    dtls->ssl = ssl;
    return true;
}

static void stop(struct cp_dtls *dtls)
{
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
    ERR_clear_error();
}

/* Sends what OpenSSL wrote. The memory BIO has no datagrams: whole records are packed up to the MTU. */
static void flush(struct cp_dtls *dtls, cp_dtls_send_fn *send, void *user)
{
    char *bytes;
    BIO *out = SSL_get_wbio(dtls->ssl);
    long held = BIO_get_mem_data(out, &bytes);
    const uint8_t *p = (const uint8_t *)bytes;
    size_t left = held > 0 ? (size_t)held : 0;
    while (left >= RECORD_HEAD_BYTES) {
        size_t n = 0;
        while (left - n >= RECORD_HEAD_BYTES) {
            size_t record = RECORD_HEAD_BYTES + (size_t)cp_get16(p + n + 11);
            if (record > left - n || (n && n + record > CP_DTLS_MTU))
                break;
            n += record;
        }
        if (!n)
            break;
        send(user, p, n);
        p += n;
        left -= n;
    }
    (void)BIO_reset(out);
}

static bool peer_is_who_it_says(struct cp_dtls *dtls)
{
    X509 *certificate = SSL_get1_peer_certificate(dtls->ssl);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const EVP_MD *hash = !strcmp(dtls->peer.hash, "sha-256")   ? EVP_sha256()
                         : !strcmp(dtls->peer.hash, "sha-384") ? EVP_sha384()
                         : !strcmp(dtls->peer.hash, "sha-512") ? EVP_sha512()
                                                               : NULL;
    bool same = certificate && hash && X509_digest(certificate, hash, digest, &n) == 1 &&
                n == dtls->peer.fingerprint_bytes && !CRYPTO_memcmp(digest, dtls->peer.fingerprint, n);
    X509_free(certificate);
    return same;
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
static bool export_keys(struct cp_dtls *dtls, struct cp_dtls_result *result)
{
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
    uint8_t material[2 * (CP_SRTP_KEY_BYTES + CP_SRTP_SALT_BYTES)];
    if (!profile)
        return false;
    *result = (struct cp_dtls_result){
        .profile = profile->id == SRTP_AEAD_AES_128_GCM ? CP_SRTP_AEAD_AES_128_GCM : CP_SRTP_AES_CM_SHA1_80};
    size_t salt = cp_srtp_salt_bytes(result->profile), n = 2 * (CP_SRTP_KEY_BYTES + salt);
    if (SSL_export_keying_material(dtls->ssl, material, n, LABEL, sizeof LABEL - 1, NULL, 0, 0) != 1)
        return false;
    memcpy(result->theirs.key, material, CP_SRTP_KEY_BYTES);
    memcpy(result->ours.key, material + CP_SRTP_KEY_BYTES, CP_SRTP_KEY_BYTES);
    memcpy(result->theirs.salt, material + 2 * CP_SRTP_KEY_BYTES, salt);
    memcpy(result->ours.salt, material + 2 * CP_SRTP_KEY_BYTES + salt, salt);
    OPENSSL_cleanse(material, sizeof material);
    return true;
}

/* The key that the client seals its records with (RFC 5246 section 6.3, for AES-128-GCM with SHA-256). */
static bool keep_peer_key(struct cp_dtls *dtls)
{
    static const char LABEL[] = "key expansion";
    uint8_t master[48], seed[64], block[40]; /* 2 keys of 16, 2 implicit nonces of 4 */
    size_t master_bytes = SSL_SESSION_get_master_key(SSL_get_session(dtls->ssl), master, sizeof master);
    SSL_get_server_random(dtls->ssl, seed, 32);
    SSL_get_client_random(dtls->ssl, seed + 32, 32);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_bytes),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)LABEL, sizeof LABEL - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
        OSSL_PARAM_construct_end()};
    bool ok = context && EVP_KDF_derive(context, block, sizeof block, params) == 1;
    if (ok) {
        memcpy(dtls->peer_key, block, 16);
        memcpy(dtls->peer_salt, block + 32, 4);
    }
    OPENSSL_cleanse(master, sizeof master);
    OPENSSL_cleanse(block, sizeof block);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return ok;
}

/* Keeps what was just written, up to `capacity`; returns its length (0: too long). */
static uint16_t keep_output(struct cp_dtls *dtls, uint8_t *to, size_t capacity)
{
    char *bytes;
    long held = BIO_get_mem_data(SSL_get_wbio(dtls->ssl), &bytes);
    if (held <= 0 || (size_t)held > capacity)
        return 0;
    memcpy(to, bytes, (size_t)held);
    return (uint16_t)held;
}

static enum cp_dtls_state fail(struct cp_dtls *dtls)
{
    stop(dtls);
    return dtls->state = CP_DTLS_FAILED;
}

static enum cp_dtls_state finish(struct cp_dtls *dtls, struct cp_dtls_result *result, cp_dtls_send_fn *send,
                                 void *user)
{
    if (!peer_is_who_it_says(dtls) || !export_keys(dtls, result) || !keep_peer_key(dtls))
        return fail(dtls);
    dtls->last_flight_bytes = keep_output(dtls, dtls->last_flight, sizeof dtls->last_flight);
    flush(dtls, send, user);
    /* close_notify is the only record that we shall ever send in this epoch, so it can be sealed now. */
    SSL_shutdown(dtls->ssl);
    dtls->close_bytes = keep_output(dtls, dtls->close, sizeof dtls->close);
    stop(dtls);
    return dtls->state = CP_DTLS_OPEN;
}

/* Decrypts an alert of the client: AES-128-GCM with an explicit nonce (RFC 5288). */
static bool open_peer_alert(const struct cp_dtls *dtls, const uint8_t *record, uint8_t alert[2])
{
    uint8_t nonce[12], aad[13];
    const uint8_t *body = record + RECORD_HEAD_BYTES + GCM_NONCE_BYTES;
    int n;
    if (cp_get16(record + 11) != GCM_NONCE_BYTES + 2 + GCM_TAG_BYTES || cp_get16(record + 3) != 1)
        return false;
    memcpy(nonce, dtls->peer_salt, 4);
    memcpy(nonce + 4, record + RECORD_HEAD_BYTES, GCM_NONCE_BYTES);
    memcpy(aad, record + 3, 8); /* epoch and sequence number, then type, version, length */
    memcpy(aad + 8, record, 3);
    cp_put16(aad + 11, 2);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    bool ok = aes && EVP_DecryptInit_ex(aes, EVP_aes_128_gcm(), NULL, dtls->peer_key, nonce) == 1 &&
              EVP_CIPHER_CTX_ctrl(aes, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_BYTES, (void *)(body + 2)) == 1 &&
              EVP_DecryptUpdate(aes, NULL, &n, aad, sizeof aad) == 1 &&
              EVP_DecryptUpdate(aes, alert, &n, body, 2) == 1 && EVP_DecryptFinal_ex(aes, alert + 2, &n) == 1;
    EVP_CIPHER_CTX_free(aes);
    ERR_clear_error();
    return ok;
}

static enum cp_dtls_state receive_when_open(struct cp_dtls *dtls, const uint8_t *data, size_t length,
                                            cp_dtls_send_fn *send, void *user)
{
    uint8_t alert[16];
    if (length < RECORD_HEAD_BYTES || RECORD_HEAD_BYTES + (size_t)cp_get16(data + 11) > length)
        return dtls->state;
    /* The client did not get our last flight, and repeats its own (RFC 6347 section 4.2.4). */
    if (data[0] == RECORD_HANDSHAKE && dtls->last_flight_bytes && dtls->repeats < MAX_REPEATS) {
        dtls->repeats++;
        send(user, dtls->last_flight, dtls->last_flight_bytes);
    } else if (data[0] == RECORD_ALERT && open_peer_alert(dtls, data, alert) &&
               (alert[1] == ALERT_CLOSE_NOTIFY || alert[0] == ALERT_FATAL)) {
        dtls->state = CP_DTLS_CLOSED;
    }
    return dtls->state;
}

enum cp_dtls_state cp_dtls_receive(struct cp_dtls *dtls, const struct cp_dtls_identity *identity,
                                   const uint8_t *data, size_t length, struct cp_dtls_result *result,
                                   cp_dtls_send_fn *send, void *user)
{
    if (dtls->state == CP_DTLS_OPEN)
        return receive_when_open(dtls, data, length, send, user);
    if (dtls->state != CP_DTLS_HANDSHAKE)
        return dtls->state;
    if (!dtls->ssl && !start(dtls, identity))
        return dtls->state = CP_DTLS_FAILED;
    ERR_clear_error();
    BIO_write(SSL_get_rbio(dtls->ssl), data, (int)length);
    int done = SSL_do_handshake(dtls->ssl);
    if (done == 1)
        return finish(dtls, result, send, user);
    int why = SSL_get_error(dtls->ssl, done);
    flush(dtls, send, user);
    return why == SSL_ERROR_WANT_READ ? dtls->state : fail(dtls);
}

enum cp_dtls_state cp_dtls_tick(struct cp_dtls *dtls, cp_dtls_send_fn *send, void *user)
{
    if (dtls->state != CP_DTLS_HANDSHAKE || !dtls->ssl)
        return dtls->state;
    ERR_clear_error();
    if (DTLSv1_handle_timeout(dtls->ssl) < 0)
        return fail(dtls);
    flush(dtls, send, user);
    return dtls->state;
}

void cp_dtls_close(struct cp_dtls *dtls, cp_dtls_send_fn *send, void *user)
{
    if (dtls->state == CP_DTLS_OPEN && dtls->close_bytes && send)
        send(user, dtls->close, dtls->close_bytes);
    if (dtls->ssl)
        stop(dtls);
    OPENSSL_cleanse(dtls->peer_key, sizeof dtls->peer_key);
    dtls->state = CP_DTLS_CLOSED;
}
