#include "answers/endpoint.h"

#include <stdio.h>
#include <string.h>

#define STAGE  "answers"
#define BEARER "Authorization: Bearer "

int cp_endpoint_set_up(struct cp_endpoint *endpoint, const char *prefix, const char *base, const char *path,
                       const char *key, struct cp_error *error)
{
    char secret[CP_ENDPOINT_KEY_BYTES] = "";
    const char *host = strstr(base, "://");
    if ((strncmp(base, "http://", 7) && strncmp(base, "https://", 8)) || !host)
        return cp_fail(error, CP_ERR_INVALID, STAGE,
                       "%surl: \"%.80s\" does not begin with http:// or https://", prefix, base);
    host += 3;
    snprintf(endpoint->host, sizeof endpoint->host, "%.*s", (int)strcspn(host, "/"), host);
    if (strchr(endpoint->host, '@'))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "%surl: no name and password in it; keys go into %skey",
                       prefix, prefix);
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    snprintf(endpoint->url, sizeof endpoint->url, "%.*s%s", (int)length, base, path);
    int result = *key ? cp_config_secret(key, secret, sizeof secret, error) : 0;
    if (!result && *secret)
        snprintf(endpoint->authorization, sizeof endpoint->authorization, BEARER "%s", secret);
    explicit_bzero(secret, sizeof secret);
    return result;
}

const char *cp_endpoint_key(const struct cp_endpoint *endpoint)
{
    return *endpoint->authorization ? endpoint->authorization + sizeof BEARER - 1 : "";
}
