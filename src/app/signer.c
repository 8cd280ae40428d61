#include "app/signer.h"

#include "base/clock.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECRETS    "secrets"
#define SECRET_KEY "speech-urls" /* of addresses of all kinds; the name is older than the others */

int cp_signer_open(struct cp_signer *signer, struct cp_store *store, struct cp_error *error)
{
    struct cp_record record;
    char json[128];
    if (getrandom(signer->secret, sizeof signer->secret, 0) != sizeof signer->secret)
        return cp_fail(error, CP_ERR_INTERNAL, "app", "no random bytes");
    int used = snprintf(json, sizeof json, "{\"hex\":\"");
    for (size_t i = 0; i < sizeof signer->secret; i++)
        used += snprintf(json + used, sizeof json - (size_t)used, "%02x", signer->secret[i]);
    snprintf(json + used, sizeof json - (size_t)used, "\"}");
    int result = cp_store_put_if(store, SECRETS, SECRET_KEY, json, CP_STORE_MUST_BE_NEW, 0, NULL, error);
    if (result != CP_ERR_EXISTS)
        return result;
    result = cp_store_get(store, SECRETS, SECRET_KEY, &record, error);
    if (result)
        return result;
    const char *hex = strstr(record.json, "\"hex\":\"");
    for (size_t i = 0; hex && i < sizeof signer->secret; i++)
        if (sscanf(hex + 7 + 2 * i, "%2hhx", &signer->secret[i]) != 1)
            hex = NULL;
    cp_record_clear(&record);
    return hex ? 0
               : cp_fail(error, CP_ERR_INTERNAL, "app", "the record of the URL secret is damaged; delete it");
}

void cp_signer_sign(const struct cp_signer *signer, const char *what, const char *expires,
                    char ret_hex[CP_SIGNATURE_BYTES])
{
    uint8_t digest[32];
    char text[400];
    int length = snprintf(text, sizeof text, "GET\n%s\n%s", what, expires);
    if (length >= (int)sizeof text || !HMAC(EVP_sha256(), signer->secret, sizeof signer->secret,
                                            (const uint8_t *)text, (size_t)length, digest, NULL))
        abort(); /* part of every OpenSSL; and callers name short things */
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

bool cp_signer_accepts(const struct cp_signer *signer, const char *what, const char *expires,
                       const char *signature)
{
    char wanted[CP_SIGNATURE_BYTES];
    if (!expires || !signature || strlen(signature) != CP_SIGNATURE_BYTES - 1 || strlen(expires) > 20 ||
        strlen(what) > 300)
        return false;
    cp_signer_sign(signer, what, expires, wanted);
    return !CRYPTO_memcmp(wanted, signature, CP_SIGNATURE_BYTES - 1) &&
           strtoll(expires, NULL, 10) > cp_clock_wall_ns() / CP_NS_PER_S;
}
