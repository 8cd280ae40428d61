#include "gateway/gateway_int.h"

#include <stdio.h>
#include <string.h>

bool cp_cors_allows(const struct cp_gateway_config *config, const char *origin)
{
    size_t length = strlen(origin);
    if (!strcmp(config->cors, "*"))
        return true;
    for (const char *at = config->cors; length && *at;) {
        at += strspn(at, ", ");
        size_t here = strcspn(at, ", ");
        if (here == length && !memcmp(at, origin, length))
            return true;
        at += here;
    }
    return false;
}

void cp_cors_add_headers(const struct cp_request *request, struct MHD_Response *response)
{
    const struct cp_gateway_config *config = &request->gateway->config;
    const char *origin = cp_request_header(request, "Origin");
    bool anybody = !strcmp(config->cors, "*");
    if (!*config->cors)
        return;
    /* A shared cache may give one client's answer to another. Where all are answered alike, who sends no
     * Origin is told too; else caches keep the answers apart. */
    if (!anybody)
        MHD_add_response_header(response, "Vary", "Origin");
    if (!anybody && (!origin || !cp_cors_allows(config, origin)))
        return;
    MHD_add_response_header(response, "Access-Control-Allow-Origin", anybody ? "*" : origin);
    MHD_add_response_header(response, "Access-Control-Expose-Headers",
                            "Location, ETag, Link, Retry-After, RateLimit-Limit, RateLimit-Remaining, "
                            "RateLimit-Reset, Idempotency-Replayed");
}

void cp_allow_text(unsigned allowed, char text[64])
{
    size_t used = 0;
    for (int method = CP_GET; method <= CP_DELETE; method++)
        if (allowed & 1u << method)
            used += (size_t)snprintf(text + used, 64 - used, "%s%s", used ? ", " : "",
                                     method == CP_GET ? "GET, HEAD" : cp_method_name((enum cp_method)method));
    snprintf(text + used, 64 - used, "%sOPTIONS", used ? ", " : "");
}

void cp_cors_reply_options(struct cp_request *request, unsigned allowed)
{
    char allow[64];
    const char *origin = cp_request_header(request, "Origin");
    cp_allow_text(allowed, allow);
    cp_request_add_header(request, "Allow", allow);
    if (origin && cp_cors_allows(&request->gateway->config, origin)) {
        cp_request_add_header(request, "Access-Control-Allow-Methods", allow);
        cp_request_add_header(request, "Access-Control-Allow-Headers",
                              "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
                              "Last-Event-ID");
        cp_request_add_header(request, "Access-Control-Max-Age", "86400");
    }
    cp_request_reply_bytes(request, 204, NULL, NULL, 0);
}
