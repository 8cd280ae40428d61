/*
 * Who may play a channel whose "access" is "token": whoever starts with a playback token, and goes on with
 * the pass that was made of it.
 *
 * A token is checked where playing starts: the WHEP offer, or a playlist. A pass is an HMAC over the channel,
 * the viewer and a time (signer.h); it stands in the path of what HLS fetches after that, so that players
 * find it in every address by themselves, and costs no ECDSA and no memory.
 */
#ifndef CP_APP_ACCESS_H
#define CP_APP_ACCESS_H

#include "app/access/playback_keys.h"

#define CP_PASS_BYTES         320
#define CP_PASS_LASTS_S       43200  /* 12 h; a token that lasts longer makes a longer pass */
#define CP_TOKEN_MAX_LIFE_S   604800 /* 7 days */
#define CP_ACCESS_MAX_REVOKED 4096   /* viewers at once */
#define CP_ACCESS_MAX_USES_AN_HOUR                                                                           \
    100000 /* of tokens that are used once: each is a record until it expires */

struct cp_access;

/* Whom a token or pass is about. */
struct cp_guest {
    char viewer[CP_TOKEN_ID_BYTES]; /* "" for nobody in particular */
    int64_t version;
    int64_t expires_s; /* of the token; 0 when no token was needed */
};

enum cp_access_use {
    CP_ACCESS_START, /* playing starts: uses up a token that is good once */
    CP_ACCESS_FETCH, /* a single file: not for such a token */
    CP_ACCESS_BESIDE /* what goes beside the picture, captions and questions: does not use it up */
};

int cp_access_create(struct cp_store *store, struct cp_access **ret_access, struct cp_error *error);
void cp_access_destroy(struct cp_access *access); /* before the store; NULL is fine */
struct cp_playback_keys *cp_access_keys(struct cp_access *access);

/* Whether the token lets somebody play the channel on a page of this origin (NULL: the request named none).
 * CP_ERR_DENIED says why not. Any thread; may block on the store. */
int cp_access_check(struct cp_access *access, const char *channel, const char *text, const char *origin,
                    enum cp_access_use use, struct cp_guest *ret_guest, struct cp_error *error);

void cp_access_make_pass(const struct cp_access *access, const char *channel, const struct cp_guest *guest,
                         char ret_pass[CP_PASS_BYTES]);
/* CP_ERR_DENIED says why not. Any thread. */
int cp_access_check_pass(struct cp_access *access, const char *channel, const char *pass,
                         struct cp_error *error);

/* Whether the guest has not been revoked meanwhile. CP_ERR_DENIED. Any thread. */
int cp_access_check_guest(struct cp_access *access, const char *channel, const struct cp_guest *guest,
                          struct cp_error *error);

/* From now on tokens and passes of this viewer up to this version are refused, until the last that there may
 * be have expired. CP_ERR_BUSY: too many are revoked. */
int cp_access_revoke(struct cp_access *access, const char *channel, const char *viewer, int64_t version,
                     struct cp_error *error);

#endif
