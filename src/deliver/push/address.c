/* Addresses of ingests, which hold secrets. */
#include "deliver/push/push.h"

#include <libavformat/avio.h>
#include <stdio.h>
#include <string.h>

bool cp_push_has(const char *protocol)
{
    void *state = NULL;
    for (const char *name; (name = avio_enum_protocols(&state, 1));)
        if (!strcmp(name, protocol))
            return true;
    return false;
}

/* Spaces would be options to librtmp's kin, and control characters never belong there. */
static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
            return false;
    return true;
}

int cp_push_address(const char *url, const char *key, char ret_address[CP_PUSH_ADDRESS_BYTES],
                    struct cp_error *error)
{
    const char *rest = strstr(url, "://");
    bool srt = !strncmp(url, "srt://", 6);
    if (!rest || (!srt && strncmp(url, "rtmp://", 7) && strncmp(url, "rtmps://", 8)))
        return cp_fail(error, CP_ERR_INVALID, "push", "url must begin with rtmp://, rtmps:// or srt://");
    rest += 3;
    size_t host = strcspn(rest, "/?");
    const char *query = strchr(rest, '?');
    if (!host || !is_plain(url) || !is_plain(key))
        return cp_fail(error, CP_ERR_INVALID, "push",
                       "url and key must be printable ASCII without spaces and quotes, and name a host");
    if (srt && (!memchr(rest, ':', host) || (query && strstr(query, "mode="))))
        return cp_fail(error, CP_ERR_INVALID, "push",
                       "an srt:// url names host and port, and no mode: Compere is the caller");
    if (srt && strpbrk(key, "&?"))
        return cp_fail(error, CP_ERR_INVALID, "push", "an SRT streamid holds no & and no ?");
    if (!srt && (!rest[host] || !rest[host + 1] || query))
        return cp_fail(error, CP_ERR_INVALID, "push",
                       "an rtmp(s):// url names the application (rtmp://host/app); what follows ? belongs to "
                       "the key");
    size_t length = strlen(url);
    const char *between = !*key                    ? ""
                          : srt                    ? (query ? "&streamid=" : "?streamid=")
                          : url[length - 1] == '/' ? ""
                                                   : "/";
    int written = snprintf(ret_address, CP_PUSH_ADDRESS_BYTES, "%s%s%s", url, between, key);
    return written < CP_PUSH_ADDRESS_BYTES ? 0
                                           : cp_fail(error, CP_ERR_LIMIT, "push", "url and key are too long");
}

void cp_push_mask(const char *address, char ret_masked[CP_PUSH_ADDRESS_BYTES])
{
    const char *scheme = strstr(address, "://"), *rest = scheme ? scheme + 3 : address;
    size_t host = strcspn(rest, "/?");
    const char *at = memchr(rest, '@', host);
    int used = snprintf(ret_masked, CP_PUSH_ADDRESS_BYTES, "%.*s%s", (int)(rest - address), address,
                        at ? "***@" : "");
    const char *from = at ? at + 1 : rest;
    size_t shown = (size_t)(rest + host - from);
    const char *hidden = rest + host;
    if (*hidden == '/') { /* the application's name stays */
        size_t name = strcspn(hidden + 1, "/?") + 1;
        shown += name;
        hidden += name;
    }
    snprintf(ret_masked + used, CP_PUSH_ADDRESS_BYTES - (size_t)used, "%.*s%s", (int)shown, from,
             !*hidden || !strcmp(hidden, "/") ? ""
             : *hidden == '?'                 ? "?***"
                                              : "/***");
}
