/* The viewers whose tokens are refused, by channel: records with an expiry, and a sorted copy in memory,
 * since every file that HLS fetches asks. */
#ifndef CP_APP_REVOKED_H
#define CP_APP_REVOKED_H

#include "store/store.h"

struct cp_revoked;

int cp_revoked_open(struct cp_store *store, struct cp_revoked **ret_revoked, struct cp_error *error);
void cp_revoked_close(struct cp_revoked *revoked); /* NULL is fine */
/* Versions up to this one, for so long. A higher version that was revoked before stays so. CP_ERR_BUSY: the
 * list is full. */
int cp_revoked_add(struct cp_revoked *revoked, const char *channel, const char *viewer, int64_t version,
                   int64_t lasts_s, struct cp_error *error);
/* Another process's changes are seen within ten seconds. Any thread. */
bool cp_revoked_has(struct cp_revoked *revoked, const char *channel, const char *viewer, int64_t version);

#endif
