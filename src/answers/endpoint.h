/* Where a service of OpenAI's shape is, and with which key it is asked: made of options. */
#ifndef CP_ANSWERS_ENDPOINT_H
#define CP_ANSWERS_ENDPOINT_H

#include "base/config.h"

#define CP_ENDPOINT_KEY_BYTES 512

struct cp_endpoint {
    char url[CP_OPTION_TEXT_BYTES + 32], host[128];
    char authorization[CP_ENDPOINT_KEY_BYTES + 32]; /* the header's line; "" without a key. Never logged */
};

/* base: the part of the address before `path` ("/chat/completions"); key: a reference or "". prefix: of the
 * options' names, for error texts: "llm.", "answers.embed_". */
int cp_endpoint_set_up(struct cp_endpoint *endpoint, const char *prefix, const char *base, const char *path,
                       const char *key, struct cp_error *error);
/* The bare key; "" without one. */
const char *cp_endpoint_key(const struct cp_endpoint *endpoint);

#endif
