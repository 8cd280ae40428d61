/* Arbitrary bytes as the path of a request: split, decoded, matched, parameters read. */
#include "gateway/routes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void handle(void *user, struct cp_request *request)
{
}

static const struct cp_route ROUTES[] = {
    {CP_GET, "/v1/channels/{channel}", CP_ROLE_PUBLIC, .handle = handle},
    {CP_POST, "/v1/channels/{channel}/cues/{cue}/play", CP_ROLE_PUBLIC, .handle = handle},
    {CP_GET, "/v1/channels/{channel}/hls/{file...}", CP_ROLE_PUBLIC, .handle = handle},
    {CP_GET, "/v1/channels/main", CP_ROLE_PUBLIC, .handle = handle},
    {CP_GET, "/", CP_ROLE_PUBLIC, .handle = handle},
};

static void must_be_harmless(const char *value, bool slashes)
{
    if (!*value || strchr(value, '\\') || (!slashes && strchr(value, '/')) || !strcmp(value, "..") ||
        !strncmp(value, "../", 3) || strstr(value, "/../"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct cp_routes *routes;
    struct cp_path path;
    struct cp_error error;
    if (!routes && cp_routes_create(ROUTES, sizeof ROUTES / sizeof *ROUTES, &routes, &error))
        abort();
    /* As it comes from the HTTP library: without NUL. */
    char *text = malloc(length + 1);
    memcpy(text, bytes, length);
    text[length] = 0;
    if (!cp_path_parse(text, strlen(text), &path, &error)) {
        for (int method = CP_GET; method <= CP_POST; method++) {
            struct cp_route_match match = cp_routes_match(routes, (enum cp_method)method, &path);
            const char *channel = match.route ? cp_routes_param(routes, match.index, &path, "channel") : NULL;
            const char *file = match.route ? cp_routes_param(routes, match.index, &path, "file") : NULL;
            if (channel)
                must_be_harmless(channel, false);
            if (file)
                must_be_harmless(file, true);
            if (match.route && cp_routes_param(routes, match.index, &path, "none"))
                abort();
            if (file)
                break; /* its parts have been joined */
        }
        cp_path_free(&path);
    }
    cp_percent_decode(text, true);
    free(text);
    return 0;
}
