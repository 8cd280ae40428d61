#include "base/websocket.h"

#include "base/clock.h"
#include "base/http_int.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <wslay/wslay.h>

enum {
    HEAD_BYTES = 16 << 10, /* of the answer */
    NONCE_BYTES = 16,
    KEY_BYTES = 25,         /* it in base64 */
    ROUND_BYTES = 64 << 10, /* read before clocks are looked at again */
};

struct cp_websocket {
    const char *who, *stage;
    char origin[CP_HTTP_ORIGIN_BYTES];
    CURLM *multi;
    CURL *easy;
    int fd;
    wslay_event_context_ptr frames;
    struct cp_buffer head; /* what was read past the answer's head is frames: from `used` on */
    size_t used;
    cp_websocket_take *take; /* of the talk under way */
    void *user;
    int taken; /* what it gave */
    size_t round_left;
};

static int broken(const struct cp_websocket *socket, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_IO, socket->stage, "%s: the connection to %s broke.", socket->who,
                   socket->origin);
}

/* Waits for `events`, a little while at most. */
static int wait_for(const struct cp_websocket *socket, short events, int64_t deadline_ns,
                    const atomic_bool *stop, struct cp_error *error)
{
    if (stop && atomic_load(stop))
        return cp_fail(error, CP_ERR_CANCELLED, socket->stage, "%s: cancelled.", socket->who);
    if (cp_clock_now_ns() >= deadline_ns)
        return cp_fail(error, CP_ERR_TIMEOUT, socket->stage, "%s at %s takes too long.", socket->who,
                       socket->origin);
    struct pollfd pollfd = {.fd = socket->fd, .events = events};
    if (poll(&pollfd, 1, CP_HTTP_STOP_MS) < 0 && errno != EINTR)
        return broken(socket, error);
    return 0;
}

/* --- what libwslay calls --- */

static ssize_t on_read(wslay_event_context_ptr frames, uint8_t *to, size_t capacity, int flags, void *user)
{
    struct cp_websocket *socket = user;
    size_t left = socket->head.length - socket->used, n = left < capacity ? left : capacity;
    if (left) {
        memcpy(to, socket->head.data + socket->used, n);
        socket->used += n;
        return (ssize_t)n;
    }
    n = capacity < socket->round_left ? capacity : socket->round_left;
    CURLcode code = n ? curl_easy_recv(socket->easy, to, n, &n) : CURLE_AGAIN;
    if (!code && n) {
        socket->round_left -= n;
        return (ssize_t)n;
    }
    wslay_event_set_error(frames, code == CURLE_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_write(wslay_event_context_ptr frames, const uint8_t *bytes, size_t length, int flags,
                        void *user)
{
    struct cp_websocket *socket = user;
    size_t n = 0;
    CURLcode code = curl_easy_send(socket->easy, bytes, length, &n);
    if (!code && n)
        return (ssize_t)n;
    wslay_event_set_error(frames,
                          !code || code == CURLE_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int on_mask(wslay_event_context_ptr frames, uint8_t *to, size_t length, void *user)
{
    return getrandom(to, length, 0) == (ssize_t)length ? 0 : -1;
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *came,
                       void *user)
{
    struct cp_websocket *socket = user;
    if (wslay_is_ctrl_frame(came->opcode) || socket->taken)
        return;
    const struct cp_websocket_message message = {came->opcode == WSLAY_TEXT_FRAME, came->msg,
                                                 came->msg_length};
    socket->taken = socket->take(socket->user, &message);
}

/* --- opening --- */

/* Connects, TLS and proxies too. */
static int make_connection(struct cp_websocket *socket, const struct cp_http *http,
                           const struct cp_websocket_request *request, struct cp_error *error)
{
    char reason[CURL_ERROR_SIZE] = "";
    int64_t left_ms = (request->deadline_ns - cp_clock_now_ns()) / CP_NS_PER_MS;
    CURL *easy = socket->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
    if (cp_http_ca_file(http))
        curl_easy_setopt(easy, CURLOPT_CAINFO, cp_http_ca_file(http));
    int running = 1, left;
    CURLcode code = CURLE_FAILED_INIT;
    if (!curl_multi_add_handle(socket->multi, easy)) {
        while (!curl_multi_perform(socket->multi, &running) && running) {
            if (request->stop && atomic_load(request->stop))
                return cp_fail(error, CP_ERR_CANCELLED, request->stage, "%s: cancelled.", request->who);
            curl_multi_poll(socket->multi, NULL, 0, CP_HTTP_STOP_MS, NULL);
        }
        const CURLMsg *message = running ? NULL : curl_multi_info_read(socket->multi, &left);
        code = message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
    }
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    if (code)
        return cp_http_explain(request->who, request->stage, socket->origin, code, reason, error);
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) || fd == CURL_SOCKET_BAD)
        return broken(socket, error);
    socket->fd = fd;
    return 0;
}

/* The opening handshake's request (RFC 6455 section 4.1). */
static bool write_request(struct cp_buffer *buffer, const struct cp_websocket_request *request,
                          const char *key)
{
    CURLU *parts = curl_url();
    char *host = NULL, *port = NULL, *path = NULL, *query = NULL;
    bool good = parts && !curl_url_set(parts, CURLUPART_URL, request->url, 0) &&
                !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
                !curl_url_get(parts, CURLUPART_PATH, &path, 0);
    curl_url_get(parts, CURLUPART_PORT, &port, 0); /* only what is named */
    curl_url_get(parts, CURLUPART_QUERY, &query, 0);
    if (good)
        cp_buffer_printf(
            buffer,
            "GET %s%s%s HTTP/1.1\r\nHost: %s%s%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nUser-Agent: compere/" CP_VERSION "\r\n",
            path, query ? "?" : "", query ? query : "", host, port ? ":" : "", port ? port : "", key);
    for (size_t i = 0; good && request->headers && request->headers[i]; i++) {
        good = !strpbrk(request->headers[i], "\r\n");
        cp_buffer_printf(buffer, "%s\r\n", request->headers[i]);
    }
    cp_buffer_text(buffer, "\r\n");
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(parts);
    return good && !buffer->failed;
}

static int send_all(struct cp_websocket *socket, const struct cp_buffer *bytes,
                    const struct cp_websocket_request *request, struct cp_error *error)
{
    for (size_t done = 0, n = 0; done < bytes->length; done += n) {
        CURLcode code = curl_easy_send(socket->easy, bytes->data + done, bytes->length - done, &n);
        n = code ? 0 : n;
        if (code && code != CURLE_AGAIN)
            return broken(socket, error);
        int result = n ? 0 : wait_for(socket, POLLOUT, request->deadline_ns, request->stop, error);
        if (result)
            return result;
    }
    return 0;
}

/* Reads the answer's head into socket->head; *ret_length is its length with the empty line. */
static int read_head(struct cp_websocket *socket, const struct cp_websocket_request *request,
                     size_t *ret_length, struct cp_error *error)
{
    for (;;) {
        char block[1024];
        size_t n = 0;
        CURLcode code = curl_easy_recv(socket->easy, block, sizeof block, &n);
        if (code && code != CURLE_AGAIN)
            return broken(socket, error);
        if (!code && !n)
            return broken(socket, error);
        int result = code ? wait_for(socket, POLLIN, request->deadline_ns, request->stop, error) : 0;
        if (result)
            return result;
        if (code)
            continue;
        cp_buffer_add(&socket->head, block, n);
        if (socket->head.failed)
            return cp_fail(error, CP_ERR_FORMAT, request->stage, "%s at %s answers no HTTP.", request->who,
                           socket->origin);
        const char *text = cp_buffer_string(&socket->head), *end = strstr(text, "\r\n\r\n");
        if (end) {
            *ret_length = (size_t)(end - text) + 4;
            return 0;
        }
    }
}

static void base64(const uint8_t *bytes, size_t length, char *ret_text)
{
    EVP_EncodeBlock((unsigned char *)ret_text, bytes, (int)length);
}

/* The answer that proves that the key was understood (RFC 6455 section 4.2.2, item 5.4). */
static void answer_to(const char *key, char *ret_text)
{
    char both[KEY_BYTES + 40];
    uint8_t digest[SHA_DIGEST_LENGTH];
    snprintf(both, sizeof both, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)both, strlen(both), digest);
    base64(digest, sizeof digest, ret_text);
}

static int check_head(struct cp_websocket *socket, const struct cp_websocket_request *request, size_t length,
                      const char *key, struct cp_error *error)
{
    struct cp_http_response response = {.header = {.data = socket->head.data, .length = length}};
    if (sscanf((const char *)socket->head.data, "HTTP/1.%*1[01] %d", &response.status) != 1)
        response.status = 200; /* not 101: told below */
    if (response.status != 101) {
        const struct cp_http_request as_http = {.who = request->who, .stage = request->stage};
        int result = cp_http_check(&as_http, &response, error);
        return result ? result
                      : cp_fail(error, CP_ERR_FORMAT, request->stage, "%s at %s speaks no WebSocket.",
                                request->who, socket->origin);
    }
    char expected[SHA_DIGEST_LENGTH * 2], accepted[SHA_DIGEST_LENGTH * 2];
    answer_to(key, expected);
    if (!cp_http_header(&response, "Sec-WebSocket-Accept", accepted, sizeof accepted) ||
        strcmp(accepted, expected) != 0)
        return cp_fail(error, CP_ERR_FORMAT, request->stage, "%s at %s speaks no WebSocket.", request->who,
                       socket->origin);
    return 0;
}

static int open_frames(struct cp_websocket *socket, size_t max_message_bytes, struct cp_error *error)
{
    static const struct wslay_event_callbacks CALLBACKS = {.recv_callback = on_read,
                                                           .send_callback = on_write,
                                                           .genmask_callback = on_mask,
                                                           .on_msg_recv_callback = on_message};
    if (wslay_event_context_client_init(&socket->frames, &CALLBACKS, socket))
        return cp_fail(error, CP_ERR_NOMEM, socket->stage, "Out of memory.");
    wslay_event_config_set_max_recv_msg_length(socket->frames, max_message_bytes);
    return 0;
}

static int shake_hands(struct cp_websocket *socket, const struct cp_websocket_request *request,
                       struct cp_error *error)
{
    uint8_t nonce[NONCE_BYTES];
    char key[KEY_BYTES + 1];
    size_t length = 0;
    if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce)
        return cp_fail(error, CP_ERR_INTERNAL, request->stage, "There is no randomness.");
    base64(nonce, sizeof nonce, key);
    struct cp_buffer bytes = cp_buffer_make(HEAD_BYTES);
    int result = write_request(&bytes, request, key)
                     ? send_all(socket, &bytes, request, error)
                     : cp_fail(error, CP_ERR_INVALID, request->stage,
                               "%s: a header holds a line break; check key and "
                               "options.",
                               request->who);
    if (bytes.data)
        explicit_bzero(bytes.data, bytes.length); /* keys */
    cp_buffer_free(&bytes);
    if (!result)
        result = read_head(socket, request, &length, error);
    if (!result)
        result = check_head(socket, request, length, key, error);
    socket->used = length;
    return result;
}

int cp_websocket_open(const struct cp_http *http, const struct cp_websocket_request *request,
                      struct cp_websocket **ret_socket, struct cp_error *error)
{
    struct cp_websocket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return cp_fail(error, CP_ERR_NOMEM, request->stage, "Out of memory.");
    socket->who = request->who;
    socket->stage = request->stage;
    socket->head = cp_buffer_make(HEAD_BYTES);
    socket->multi = curl_multi_init();
    socket->easy = curl_easy_init();
    int result = 0;
    if (!socket->multi || !socket->easy)
        result = cp_fail(error, CP_ERR_NOMEM, request->stage, "Out of memory.");
    else if (!cp_http_read_origin(request->url, socket->origin, sizeof socket->origin))
        result = cp_fail(error, CP_ERR_INVALID, request->stage,
                         "%s: the address is no http or https URL; check the configuration.", request->who);
    if (!result)
        result = make_connection(socket, http, request, error);
    if (!result)
        result = shake_hands(socket, request, error);
    if (!result)
        result = open_frames(socket, request->max_message_bytes, error);
    if (result) {
        cp_websocket_close(socket);
        return result;
    }
    *ret_socket = socket;
    return 0;
}

void cp_websocket_close(struct cp_websocket *socket)
{
    if (!socket)
        return;
    if (socket->frames)
        wslay_event_context_free(socket->frames);
    if (socket->multi && socket->easy)
        curl_multi_remove_handle(socket->multi, socket->easy);
    curl_easy_cleanup(socket->easy);
    curl_multi_cleanup(socket->multi);
    cp_buffer_free(&socket->head);
    free(socket);
}

bool cp_websocket_usable(const struct cp_websocket *socket)
{
    struct pollfd pollfd = {.fd = socket->fd, .events = POLLIN | POLLRDHUP};
    return socket->used == socket->head.length && poll(&pollfd, 1, 0) == 0;
}

/* --- talking --- */

int cp_websocket_talk(struct cp_websocket *socket, const char *const *messages, cp_websocket_take *take,
                      void *user, int64_t deadline_ns, const atomic_bool *stop, struct cp_error *error)
{
    socket->take = take;
    socket->user = user;
    socket->taken = 0;
    for (size_t i = 0; messages[i]; i++) {
        const struct wslay_event_msg message = {WSLAY_TEXT_FRAME, (const uint8_t *)messages[i],
                                                strlen(messages[i])};
        if (wslay_event_queue_msg(socket->frames, &message))
            return cp_fail(error, CP_ERR_NOMEM, socket->stage, "Out of memory.");
    }
    for (;;) {
        socket->round_left = ROUND_BYTES;
        bool failed = wslay_event_send(socket->frames) || wslay_event_recv(socket->frames);
        if (socket->taken)
            return socket->taken == CP_WEBSOCKET_DONE ? 0 : socket->taken;
        if (failed || wslay_event_get_close_received(socket->frames) ||
            !wslay_event_want_read(socket->frames))
            return broken(socket, error);
        short events = wslay_event_want_write(socket->frames) ? POLLIN | POLLOUT : POLLIN;
        int result = wait_for(socket, events, deadline_ns, stop, error);
        if (result)
            return result;
    }
}
