/*
 * A small HTTP/1.1 server for tests: a thread a connection, and a handler that may answer properly or
 * misbehave. Sockets of 127.0.0.1 only.
 */
#ifndef TEST_MOCK_WEB_H
#define TEST_MOCK_WEB_H

#include <stdbool.h>
#include <stddef.h>

struct web;
struct web_connection;

struct web_request {
    char method[16], path[1024]; /* the path with its query */
    const char *head;            /* all header lines */
    const char *body;            /* with a NUL behind it */
    size_t body_length;
};

/* Called on a connection's thread, several at once. */
typedef void web_handler(void *user, struct web_connection *connection, const struct web_request *request);

/* NULL when it cannot listen. */
struct web *web_start(web_handler *handler, void *user);
/* Ends all connections, also those that hang, and waits for them. */
void web_stop(struct web *web);
int web_port(const struct web *web);
int web_connections(const struct web *web); /* accepted so far */
int web_requests(const struct web *web);

/* False when there is none. */
bool web_header(const struct web_request *request, const char *name, char *value, size_t capacity);

/* A whole answer; `headers` are further lines, each with its "\r\n", or "". */
void web_reply(struct web_connection *connection, int status, const char *type, const char *headers,
               const void *body, size_t length);
/* A chunked answer 200. */
void web_begin(struct web_connection *connection, const char *type);
void web_chunk(struct web_connection *connection, const void *bytes, size_t length);
void web_end(struct web_connection *connection);
/* What the client sends beyond its request: the bytes read, 0 when none came within `ms`, -1 at the end. */
int web_read(struct web_connection *connection, void *bytes, size_t capacity, int ms);
/* Bytes as they are. */
void web_raw(struct web_connection *connection, const void *bytes, size_t length);
/* Breaks the connection off. */
void web_cut(struct web_connection *connection);
/* Waits; false when the server stops or the client has gone. */
bool web_pause(struct web_connection *connection, int ms);

#endif
