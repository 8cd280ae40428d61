/* The channels' lexicons: kept in the store, and at hand for each line that is spoken. */
#ifndef CP_APP_LEXICONS_H
#define CP_APP_LEXICONS_H

#include "base/error.h"
#include "speech/reading/lexicon.h"
#include "store/store.h"

struct cp_lexicons;

/* Reads those that the store keeps; one that cannot be read is logged and left out. */
int cp_lexicons_create(struct cp_store *store, struct cp_lexicons **ret_lexicons, struct cp_error *error);
/* NULL is fine. */
void cp_lexicons_destroy(struct cp_lexicons *lexicons);
/* The channel's lexicon, for cp_lexicon_drop; NULL when it has none. Any thread, does not block on the disk.
 */
struct cp_lexicon *cp_lexicons_hold(struct cp_lexicons *lexicons, const char *channel);
/* Keeps it, then uses it for what is spoken from then on. */
int cp_lexicons_put(struct cp_lexicons *lexicons, const char *channel, struct cp_lexicon *lexicon,
                    struct cp_error *error);
/* CP_ERR_NOT_FOUND when the channel has none. */
int cp_lexicons_delete(struct cp_lexicons *lexicons, const char *channel, struct cp_error *error);

#endif
