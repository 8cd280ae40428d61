/* Signed addresses: whoever has one may fetch what it names until it expires. */
#ifndef CP_APP_SIGNER_H
#define CP_APP_SIGNER_H

#include "base/error.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define CP_SIGNATURE_BYTES 65 /* hex and its end */

struct cp_signer {
    uint8_t secret[32];
};

/* Reads the secret, which lives with the records so that all servers on one store know the same; makes it at
 * first. */
int cp_signer_open(struct cp_signer *signer, struct cp_store *store, struct cp_error *error);
/* HMAC-SHA-256 over everything that the address grants: `what`, without line feeds, until `expires` (seconds
 * since 1970, as text). Any thread. */
void cp_signer_sign(const struct cp_signer *signer, const char *what, const char *expires,
                    char ret_hex[CP_SIGNATURE_BYTES]);
/* Whether the signature is ours and still good. Compares in constant time. `expires` and `signature` may be
 * NULL, and anything. Any thread. */
bool cp_signer_accepts(const struct cp_signer *signer, const char *what, const char *expires,
                       const char *signature);

#endif
