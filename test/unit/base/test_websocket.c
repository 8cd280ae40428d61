/* The WebSocket client against a server that keeps to RFC 6455, and against some that do not. */
#include "base/clock.h"
#include "base/websocket.h"
#include "web.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct web *web;
static struct cp_http *http;

static void accept_socket(struct web_connection *c, const struct web_request *request, const char *more,
                          size_t more_length)
{
    char key[64] = "", both[128], accept[64], head[256];
    uint8_t digest[SHA_DIGEST_LENGTH];
    web_header(request, "Sec-WebSocket-Key", key, sizeof key);
    snprintf(both, sizeof both, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)both, strlen(both), digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\n"
                     "sec-websocket-accept: %s\r\n\r\n",
                     accept);
    char both_at_once[600]; /* the answer and what follows in one segment */
    memcpy(both_at_once, head, (size_t)n);
    memcpy(both_at_once + n, more, more_length);
    web_raw(c, both_at_once, (size_t)n + more_length);
}

/* Reads one short frame of the client; its unmasked payload's length, or -1. */
static int read_frame(struct web_connection *c, uint8_t *payload, size_t capacity, int *ret_opcode)
{
    uint8_t frame[200];
    int have = 0, length = -1;
    while (have < 6 || have < 6 + length) {
        int n = web_read(c, frame + have, (size_t)((length < 0 ? 6 : 6 + length) - have), 1000);
        if (n <= 0)
            return -1;
        have += n;
        length = have < 6 ? -1 : frame[1] & 0x7f;
    }
    assert_true(frame[1] & 0x80); /* clients mask */
    *ret_opcode = frame[0] & 15;
    for (int i = 0; i < length && (size_t)i < capacity; i++)
        payload[i] = frame[6 + i] ^ frame[2 + i % 4];
    return length;
}

static void handle(void *user, struct web_connection *c, const struct web_request *request)
{
    const char *path = request->path;
    uint8_t said[100];
    int opcode;
    if (!strncmp(path, "/status/", 8)) {
        web_reply(c, atoi(path + 8), "text/plain", "", "no", 2);
    } else if (!strcmp(path, "/wrong-key")) {
        static const char answer[] =
            "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        web_raw(c, answer, sizeof answer - 1);
    } else if (!strcmp(path, "/endless-head")) {
        while (web_pause(c, 1))
            web_raw(c, "HTTP/1.1 101 X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 80);
    } else if (!strcmp(path, "/cut-early")) {
        web_cut(c);
        return;
    } else if (!strcmp(path,
                       "/ready?x=1")) { /* speaks with its answer, in two fragments with a ping between */
        accept_socket(c, request, "\x01\x03one\x89\x02hi\x80\x04 two\x82\x03\x00\xff\x01", 20);
        int n = read_frame(c, said, sizeof said, &opcode); /* the pong may come before the text */
        bool pong = n == 2 && opcode == 10 && !memcmp(said, "hi", 2);
        if (pong)
            n = read_frame(c, said, sizeof said, &opcode);
        bool hello = n == 5 && opcode == 1 && !memcmp(said, "hello", 5);
        if (hello && !pong)
            pong = read_frame(c, said, sizeof said, &opcode) == 2 && opcode == 10;
        web_raw(c, hello && pong ? "\x81\x02ok" : "\x81\x02no", 4);
        while (web_pause(c, 1000))
            ;
    } else if (!strcmp(path, "/silent")) {
        accept_socket(c, request, "", 0);
        while (web_pause(c, 1000))
            ;
    } else if (!strcmp(path, "/closes")) {
        accept_socket(c, request, "\x88\x02\x03\xe8", 4);
        web_pause(c, 200);
    } else if (!strcmp(path, "/long")) {
        accept_socket(c, request, "\x82\x7f\0\0\0\0\x40\0\0\0more", 14);
        web_pause(c, 1000);
    } else if (!strcmp(path, "/garbage")) {
        accept_socket(c, request, "\xff\xff\xff\xff\xff\xff", 6);
        web_pause(c, 1000);
    } else if (!strcmp(path, "/flood")) { /* as fast as it is read */
        accept_socket(c, request, "", 0);
        char frames[40 * 7];
        for (int i = 0; i < 40; i++)
            memcpy(frames + i * (int)7, "\x81\x05noise", 7);
        while (web_pause(c, 0) && web_read(c, said, sizeof said, 0) >= 0)
            web_raw(c, frames, sizeof frames);
    }
    web_cut(c);
}

static int64_t soon(int ms)
{
    return cp_clock_now_ns() + ms * CP_NS_PER_MS;
}

static int open_at(const char *path, const char *const *headers, struct cp_websocket **ret_socket,
                   struct cp_error *error)
{
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", web_port(web), path);
    const struct cp_websocket_request request = {.who = "the test",
                                                 .stage = "test",
                                                 .url = url,
                                                 .headers = headers,
                                                 .max_message_bytes = 1000,
                                                 .deadline_ns = soon(3000)};
    return cp_websocket_open(http, &request, ret_socket, error);
}

struct heard {
    char text[200];
    int n_text, n_binary;
};

/* Until "ok" or "no". */
static int take(void *user, const struct cp_websocket_message *message)
{
    struct heard *heard = user;
    heard->n_text += message->text;
    heard->n_binary += !message->text;
    if (message->text && strlen(heard->text) + message->length + 2 < sizeof heard->text)
        strcat(strncat(heard->text, (const char *)message->bytes, message->length), "|");
    return message->length == 2 && message->text ? CP_WEBSOCKET_DONE : 0;
}

static void messages_go_and_come(void **state)
{
    static const char *const hello[] = {"hello", NULL};
    struct cp_websocket *socket;
    struct heard heard = {0};
    struct cp_error error = {0};
    assert_int_equal(open_at("/ready?x=1", NULL, &socket, &error), 0);
    assert_false(cp_websocket_usable(socket)); /* it spoke unasked */
    assert_int_equal(cp_websocket_talk(socket, hello, take, &heard, soon(3000), NULL, &error), 0);
    assert_string_equal(heard.text, "one two|ok|");
    assert_int_equal(heard.n_binary, 1);
    assert_true(cp_websocket_usable(socket));
    cp_websocket_close(socket);
}

static void doors_that_are_none_are_told_apart(void **state)
{
    static const struct {
        const char *path;
        int result;
    } CASES[] = {{"/status/200", CP_ERR_FORMAT},      {"/status/301", CP_ERR_UNSUPPORTED},
                 {"/status/401", CP_ERR_DENIED},      {"/status/429", CP_ERR_BUSY},
                 {"/status/503", CP_ERR_UNAVAILABLE}, {"/wrong-key", CP_ERR_FORMAT},
                 {"/endless-head", CP_ERR_FORMAT},    {"/cut-early", CP_ERR_IO}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct cp_websocket *socket;
        struct cp_error error = {0};
        int result = open_at(CASES[i].path, NULL, &socket, &error);
        if (result != CASES[i].result)
            print_error("%s: %d, %s\n", CASES[i].path, result, error.text);
        assert_int_equal(result, CASES[i].result);
        assert_true(*error.text);
    }
    static const char *const wrong[] = {"X-Key: a\r\nX-Other: b", NULL};
    struct cp_websocket *socket;
    assert_int_equal(open_at("/silent", wrong, &socket, NULL), CP_ERR_INVALID);
}

static void talks_end_whatever_the_other_side_does(void **state)
{
    static const struct {
        const char *path;
        int result;
    } CASES[] = {{"/silent", CP_ERR_TIMEOUT},
                 {"/closes", CP_ERR_IO},
                 {"/long", CP_ERR_IO},
                 {"/garbage", CP_ERR_IO},
                 {"/flood", CP_ERR_TIMEOUT}};
    static const char *const nothing[] = {NULL};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct cp_websocket *socket;
        struct heard heard = {0};
        assert_int_equal(open_at(CASES[i].path, NULL, &socket, NULL), 0);
        int64_t asked_ns = cp_clock_now_ns();
        int result = cp_websocket_talk(socket, nothing, take, &heard, soon(150), NULL, NULL);
        if (result != CASES[i].result)
            print_error("%s: %d\n", CASES[i].path, result);
        assert_int_equal(result, CASES[i].result);
        assert_true(cp_clock_now_ns() - asked_ns < 1000 * CP_NS_PER_MS);
        cp_websocket_close(socket);
    }
    atomic_bool stop = true;
    struct cp_websocket *socket;
    struct heard heard = {0};
    assert_int_equal(open_at("/flood", NULL, &socket, NULL), 0);
    assert_int_equal(cp_websocket_talk(socket, nothing, take, &heard, soon(3000), &stop, NULL),
                     CP_ERR_CANCELLED);
    cp_websocket_close(socket);
}

static int begin(void **state)
{
    const struct cp_http_config config = {0};
    web = web_start(handle, NULL);
    return !web || cp_http_create(&config, &http, NULL);
}

static int end(void **state)
{
    cp_http_destroy(http);
    web_stop(web);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_and_come),
        cmocka_unit_test(doors_that_are_none_are_told_apart),
        cmocka_unit_test(talks_end_whatever_the_other_side_does),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
