/*
 * Playback tokens: JSON Web Tokens (RFC 7519) as Amazon IVS has them, signed with ES384 and nothing else.
 * Here one is only read; who signed it, and whether it is still good, is for access.c to find out.
 */
#ifndef CP_APP_TOKEN_H
#define CP_APP_TOKEN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define CP_TOKEN_MAX_BYTES       2048 /* of the whole text */
#define CP_TOKEN_ID_BYTES        80   /* of a viewer's id, a single use's id, and their end */
#define CP_TOKEN_ORIGIN_BYTES    400  /* one origin, or several by commas */
#define CP_TOKEN_CHANNEL_BYTES   160  /* an id or an ARN */
#define CP_TOKEN_SIGNATURE_BYTES 96   /* r and s of P-384, 48 bytes each (RFC 7518 section 3.4) */

struct cp_token {
    size_t signed_bytes; /* of the text: header, dot, claims; the signature is over them */
    uint8_t signature[CP_TOKEN_SIGNATURE_BYTES];
    char key[48]; /* "kid", the id of the key that signed it; "" when it does not say */
    char channel[CP_TOKEN_CHANNEL_BYTES];
    char origin[CP_TOKEN_ORIGIN_BYTES]; /* pages that may play; "" for any */
    char once[CP_TOKEN_ID_BYTES];       /* the id by which it is used a single time; "" for often */
    char viewer[CP_TOKEN_ID_BYTES];     /* "" when it names nobody */
    int64_t version;                    /* of the viewer's session, 0 at first */
    int64_t expires_s, not_before_s;    /* since 1970 */
};

/* Reads any text. Nothing in it may be believed before the signature was checked. CP_ERR_DENIED says what is
 * wrong with it, and never repeats it. Any thread. */
int cp_token_parse(const char *text, struct cp_token *ret_token, struct cp_error *error);

#endif
