/* A gateway with a store of its own on a free port, and a small HTTP client, for tests. */
#ifndef TEST_GATEWAY_SERVING_H
#define TEST_GATEWAY_SERVING_H

#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct serving {
    char directory[64];
    struct cp_gateway_config config;
    struct cp_store *store;
    struct cp_observe *observe;
    struct cp_gateway *gateway;
    char admin[CP_KEY_BYTES], operator_key[CP_KEY_BYTES], viewer[CP_KEY_BYTES];
    char admin_id[40];
    void *user; /* what handlers get is the struct serving; this is the test's own */
};

/* Store and keys, not yet the gateway: a test may change the config before. */
struct serving *serving_create(void);
void serving_start(struct serving *serving, const struct cp_route *routes, size_t n_routes);
void serving_stop(struct serving *serving);
void serving_destroy(struct serving *serving);
/* Writes a file below the pages' directory. */
void serving_write_page(struct serving *serving, const char *name, const char *text);

struct response {
    int status;
    char *head; /* status line and headers */
    char *body;
    size_t body_length;
};

/* A connected socket with a receive timeout of 5 s. */
int connect_to(struct serving *serving);
void send_all(int file, const void *bytes, size_t length);
/* Reads one response; without_body for HEAD. Status 0 when the connection ended before one came. */
struct response read_response(int file, bool without_body);
/* Sends the text, then reads one response and closes. */
struct response exchange(struct serving *serving, const char *text);
/* headers: lines that end in \r\n, or NULL. body: or NULL. */
struct response request(struct serving *serving, const char *method, const char *path, const char *key,
                        const char *headers, const char *body);
/* The same with Content-Type: application/json. */
struct response send_json(struct serving *serving, const char *method, const char *path, const char *key,
                          const char *body);
void response_clear(struct response *response);
/* The value of a header until the next call, or NULL. */
const char *header_of(const struct response *response, const char *name);

/* Checks the status, shows the answer when it is another, and clears. */
#define EXPECT(wanted, ...)                                                                                  \
    do {                                                                                                     \
        struct response expected_ = __VA_ARGS__;                                                             \
        if (expected_.status != (wanted))                                                                    \
            fail_msg("line %d: status %d, wanted %d: %s", __LINE__, expected_.status, (wanted),              \
                     expected_.body ? expected_.body : "");                                                  \
        response_clear(&expected_);                                                                          \
    } while (0)

/* The same, and the body has to hold the text. */
#define EXPECT_TEXT(wanted, text, ...)                                                                       \
    do {                                                                                                     \
        struct response expected_ = __VA_ARGS__;                                                             \
        if (expected_.status != (wanted) || !strstr(expected_.body, text))                                   \
            fail_msg("line %d: status %d, wanted %d with %s: %s", __LINE__, expected_.status, (wanted),      \
                     text, expected_.body);                                                                  \
        response_clear(&expected_);                                                                          \
    } while (0)

#endif
