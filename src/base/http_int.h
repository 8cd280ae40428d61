/* What the HTTP and the WebSocket client share. */
#ifndef CP_BASE_HTTP_INT_H
#define CP_BASE_HTTP_INT_H

#include "base/http.h"

#include <curl/curl.h>

enum {
    CP_HTTP_STOP_MS = 20,       /* how often *stop is looked at */
    CP_HTTP_ORIGIN_BYTES = 300, /* "https://host:port" */
};

/* Certificates to trust instead of the system's, or NULL. */
const char *cp_http_ca_file(const struct cp_http *http);
/* "https://host:port" of a URL: what may be shown, and what connections are told apart by. */
bool cp_http_read_origin(const char *url, char *origin, size_t capacity);
/* What went wrong, in words that say what to do. `reason` is libcurl's. */
int cp_http_explain(const char *who, const char *stage, const char *origin, CURLcode code, const char *reason,
                    struct cp_error *error);

#endif
