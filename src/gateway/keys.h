/* Looking up keys, with a short memory so that not each request asks the store. Any thread. */
#ifndef CP_GATEWAY_KEYS_H
#define CP_GATEWAY_KEYS_H

#include "gateway/gateway.h"

#define CP_KEY_ID_BYTES 40

struct cp_keys;

/* Watches the partition "keys" of the store: a key deleted here stops working at once. One deleted by another
 * process stops within seconds; one made by another process works at once. */
int cp_keys_create(struct cp_store *store, struct cp_keys **ret_keys, struct cp_error *error);
void cp_keys_destroy(struct cp_keys *keys);

/* Role and id of a presented key. CP_ERR_UNAUTHORIZED says whether it is mistyped or unknown. */
int cp_keys_check(struct cp_keys *keys, const char *key, enum cp_role *ret_role, char ret_id[CP_KEY_ID_BYTES],
                  struct cp_error *error);

/* Whether the text has the form and the checksum of a key. */
bool cp_key_well_formed(const char *key);

#endif
