/* Arbitrary text as a playback token: read or refused with a reason, and what was read holds what it
 * promises. */
#include "app/access/token.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool is_ended(const char *text, size_t capacity)
{
    return memchr(text, 0, capacity) != NULL;
}

static void must_hold(const struct cp_token *token, size_t length)
{
    if (!is_ended(token->key, sizeof token->key) || !is_ended(token->channel, sizeof token->channel) ||
        !is_ended(token->origin, sizeof token->origin) || !is_ended(token->once, sizeof token->once) ||
        !is_ended(token->viewer, sizeof token->viewer))
        abort();
    if (!*token->channel || token->signed_bytes >= length || token->version < 0 || token->expires_s < 0 ||
        token->not_before_s < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = malloc(length + 1);
    struct cp_token token;
    struct cp_error error = {.text = ""};
    if (!text)
        return 0;
    if (length)
        memcpy(text, bytes, length);
    text[length] = 0;
    if (!cp_token_parse(text, &token, &error))
        must_hold(&token, strlen(text));
    else if (error.code != CP_ERR_DENIED || !*error.text)
        abort();
    free(text);
    return 0;
}
