/*
 * The public keys by which playback tokens are believed: P-384, at most eight, so that who sends forged
 * tokens makes us check eight signatures at most. Private keys are given out once and never kept.
 */
#ifndef CP_APP_PLAYBACK_KEYS_H
#define CP_APP_PLAYBACK_KEYS_H

#include "app/access/token.h"
#include "store/store.h"

#include <jansson.h>

#define CP_PLAYBACK_MAX_KEYS 8

struct cp_playback_keys;

int cp_playback_keys_open(struct cp_store *store, struct cp_playback_keys **ret_keys, struct cp_error *error);
void cp_playback_keys_close(struct cp_playback_keys *keys); /* before the store; NULL is fine */

/* Keeps a public key (PEM), or makes a pair when pem is NULL: then ret_key has its "private_key" too. */
int cp_playback_keys_add(struct cp_playback_keys *keys, const char *name, const char *pem, json_t **ret_key,
                         struct cp_error *error);
int cp_playback_keys_list(struct cp_playback_keys *keys, json_t **ret_list, struct cp_error *error);
int cp_playback_keys_remove(struct cp_playback_keys *keys, const char *id, struct cp_error *error);

/* Whether one of the keys (the one that the token names, if it does) signed the text. CP_ERR_DENIED says that
 * none did. Another process's changes are seen within five seconds. Any thread. */
int cp_playback_keys_verify(struct cp_playback_keys *keys, const char *text, const struct cp_token *token,
                            struct cp_error *error);

#endif
