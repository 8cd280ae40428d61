/*
 * A WebSocket client (RFC 6455): libcurl makes the connection, libwslay the frames. One thread at a time uses
 * a socket; plain calls that block, bounded by a deadline and a stop flag. Error texts as in base/http.h.
 */
#ifndef CP_BASE_WEBSOCKET_H
#define CP_BASE_WEBSOCKET_H

#include "base/http.h"

struct cp_websocket;

struct cp_websocket_request {
    const char *who, *stage;    /* as in struct cp_http_request; kept for as long as the socket is open */
    const char *url;            /* http or https, which stand for ws and wss */
    const char *const *headers; /* "Name: value"; ended by NULL */
    size_t max_message_bytes;   /* longer messages end it */
    int64_t deadline_ns;        /* monotonic: until the socket is open */
    const atomic_bool *stop;    /* may be NULL */
};

/* `http` says whom to trust. Results are those of cp_http_send and cp_http_check; CP_ERR_FORMAT when the
 * other side speaks no WebSocket. Any thread. */
int cp_websocket_open(const struct cp_http *http, const struct cp_websocket_request *request,
                      struct cp_websocket **ret_socket, struct cp_error *error);
/* Leaves without waiting for the other side. NULL is fine. */
void cp_websocket_close(struct cp_websocket *socket);
/* False when the other side has closed it, or has said something unasked. Never blocks. */
bool cp_websocket_usable(const struct cp_websocket *socket);

struct cp_websocket_message {
    bool text; /* else binary */
    const uint8_t *bytes;
    size_t length;
};
/* 0 to go on, CP_WEBSOCKET_DONE when all has been heard, or an error. */
typedef int cp_websocket_take(void *user, const struct cp_websocket_message *message);
#define CP_WEBSOCKET_DONE 1

/*
 * Sends text messages, each ended by NUL, the list by NULL, and hands over what comes until `take` is done.
 * 0, what `take` failed with, CP_ERR_IO (closed or broken), CP_ERR_TIMEOUT or CP_ERR_CANCELLED (within 50
 * ms). The socket must be closed after any failure.
 */
int cp_websocket_talk(struct cp_websocket *socket, const char *const *messages, cp_websocket_take *take,
                      void *user, int64_t deadline_ns, const atomic_bool *stop, struct cp_error *error);

#endif
