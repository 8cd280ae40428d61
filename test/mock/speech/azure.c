/* Azure's speech: a WebSocket server that takes turns as Microsoft's SDK makes them. */
#include "services_int.h"

#include "base/buffer.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

enum { PCM_HZ = 24000, BLOCK = 4001 /* odd: samples are torn apart */ };

struct line {
    struct services *services;
    struct web_connection *c;
    wslay_event_context_ptr frames;
    enum fault fault; /* of the first turn */
    int n_turns;
    bool introduced, asked, ended;
};

/* --- frames --- */

static ssize_t on_read(wslay_event_context_ptr frames, uint8_t *to, size_t capacity, int flags, void *user)
{
    struct line *line = user;
    int n = web_read(line->c, to, capacity, 0);
    if (n > 0)
        return n;
    wslay_event_set_error(frames, n ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t on_write(wslay_event_context_ptr frames, const uint8_t *bytes, size_t length, int flags,
                        void *user)
{
    struct line *line = user;
    web_raw(line->c, bytes, length);
    return (ssize_t)length;
}

static void put(struct line *line, int opcode, const void *bytes, size_t length)
{
    const struct wslay_event_msg message = {(uint8_t)opcode, bytes, length};
    wslay_event_queue_msg(line->frames, &message);
    wslay_event_send(line->frames);
}

static void put_text(struct line *line, const char *path, const char *id, const char *json)
{
    struct cp_buffer text = cp_buffer_make(1 << 20);
    cp_buffer_printf(&text,
                     "X-RequestId:%s\r\nContent-Type:application/json; charset=utf-8\r\nPath:%s\r\n\r\n%s",
                     id, path, json);
    put(line, WSLAY_TEXT_FRAME, text.data, text.length);
    cp_buffer_free(&text);
}

static void put_audio(struct line *line, const char *id, const void *bytes, size_t length)
{
    char head[200];
    int n = snprintf(head, sizeof head, "X-RequestId:%s\r\nX-StreamId:5\r\nPath:audio\r\n", id);
    struct cp_buffer message = cp_buffer_make(1 << 20);
    cp_buffer_u16(&message, (uint16_t)n);
    cp_buffer_add(&message, head, (size_t)n);
    cp_buffer_add(&message, bytes, length);
    put(line, WSLAY_BINARY_FRAME, message.data, message.length);
    cp_buffer_free(&message);
}

/* --- a turn --- */

static void put_metadata(struct line *line, const char *id, json_t *metadata)
{
    json_t *answer = json_pack("{s:[o]}", "Metadata", metadata);
    char *json = json_dumps(answer, JSON_COMPACT);
    put_text(line, "audio.metadata", id, json);
    free(json);
    json_decref(answer);
}

static char *unescape(const char *text, size_t length)
{
    static const char *const ENTITIES[][2] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&apos;", "'"}};
    struct cp_buffer plain = cp_buffer_make(1 << 16);
    for (size_t i = 0, step; i < length; i += step) {
        const char *sign = NULL;
        step = 1;
        for (size_t e = 0; e < 5 && !sign; e++)
            if (!strncmp(text + i, ENTITIES[e][0], strlen(ENTITIES[e][0])))
                sign = ENTITIES[e][1], step = strlen(ENTITIES[e][0]);
        cp_buffer_add(&plain, sign ? sign : text + i, 1);
    }
    char *result = strdup(cp_buffer_string(&plain));
    cp_buffer_free(&plain);
    return result;
}

static void put_viseme(struct line *line, const char *id, int ms, int viseme)
{
    put_metadata(line, id,
                 json_pack("{s:s, s:{s:I, s:i, s:b}}", "Type", "Viseme", "Data", "Offset",
                           (json_int_t)ms * 10000, "VisemeId", viseme, "IsLastAnimation", 1));
}

static void put_marks(struct line *line, const char *id, const struct hum *hum, const char *text)
{
    for (int i = 0; i < hum->n_words; i++) {
        int ms = hum->words[i].ms, end_ms = hum->words[i].end_ms;
        char *word = unescape(text + hum->words[i].start, (size_t)(hum->words[i].end - hum->words[i].start));
        put_metadata(line, id,
                     json_pack("{s:s, s:{s:I, s:I, s:{s:s, s:i, s:s}}}", "Type", "WordBoundary", "Data",
                               "Offset", (json_int_t)ms * 10000, "Duration",
                               (json_int_t)(end_ms - ms) * 10000, "text", "Text", word, "Length",
                               (int)strlen(word), "BoundaryType", "WordBoundary"));
        free(word);
        for (int k = 0; ms < end_ms; k++, ms += LETTER_MS)
            put_viseme(line, id, ms, k % 2 ? 2 : 19);
        put_viseme(line, id, end_ms, 0);
    }
}

static void hang(struct line *line)
{
    while (web_pause(line->c, 1000))
        ;
    line->ended = true;
}

static void take_turn(struct line *line, const char *id, const char *ssml)
{
    const char *text = strstr(ssml, "<voice ");
    enum fault fault = line->n_turns++ ? next_fault(line->services) : line->fault;
    if (!line->introduced || !line->asked || !text || !strstr(ssml, "</voice></speak>")) {
        atomic_fetch_add(&line->services->n_bad, 1);
        wslay_event_queue_close(line->frames, 1007, NULL, 0);
        return;
    }
    line->asked = false;
    if (fault == FAULT_429 || fault == FAULT_500 || fault == FAULT_REFUSED) {
        wslay_event_queue_close(line->frames, 1011, NULL, 0);
        return;
    }
    if (fault == FAULT_SILENT) {
        hang(line);
        return;
    }
    if (fault == FAULT_GARBAGE) {
        put(line, WSLAY_BINARY_FRAME, "\xff\xffx", 3);
        return;
    }
    put_text(line, "turn.start", id, "{\"context\":{\"serviceTag\":\"0\"}}");
    put_text(line, "response", id,
             "{\"context\":{\"serviceTag\":\"0\"},\"audio\":{\"type\":\"inline\",\"streamId\":\"5\"}}");
    struct hum hum = make_hum(text, PCM_HZ);
    size_t length = fault == FAULT_EMPTY ? 0 : hum.n * sizeof *hum.pcm;
    web_pause(line->c, atomic_load(&line->services->delay_ms));
    put_marks(line, id, &hum, text);
    for (size_t done = 0; done < length && !line->ended; done += BLOCK) {
        if (done && fault == FAULT_STALL)
            hang(line);
        line->ended = line->ended || (done && fault == FAULT_CUT);
        if (fault == FAULT_SLOW)
            web_pause(line->c, 5);
        if (!line->ended)
            put_audio(line, id, (const char *)hum.pcm + done, length - done < BLOCK ? length - done : BLOCK);
    }
    free(hum.pcm);
    if (line->ended) {
        web_cut(line->c);
        return;
    }
    put_audio(line, id, "", 0);
    put_text(line, "turn.end", id, "{}");
}

static bool is_asked(const char *json)
{
    json_t *body = json_loads(json, 0, NULL);
    const json_t *audio = json_object_get(json_object_get(body, "synthesis"), "audio");
    const char *format = json_string_value(json_object_get(audio, "outputFormat"));
    const json_t *options = json_object_get(audio, "metadataOptions");
    bool asked = format && !strcmp(format, "raw-24khz-16bit-mono-pcm") &&
                 json_is_true(json_object_get(options, "visemeEnabled"));
    json_decref(body);
    return asked;
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *came,
                       void *user)
{
    struct line *line = user;
    if (came->opcode != WSLAY_TEXT_FRAME || line->ended)
        return;
    char *message = strndup((const char *)came->msg, came->msg_length), path[64] = "", id[64] = "";
    char *body = strstr(message, "\r\n\r\n");
    struct web_request head = {.head = message};
    if (body) {
        *body = '\0';
        body += 4;
        web_header(&head, "Path", path, sizeof path);
        web_header(&head, "X-RequestId", id, sizeof id);
    }
    if (strlen(id) == 32 && !strcmp(path, "speech.config"))
        line->introduced = true;
    else if (strlen(id) == 32 && !strcmp(path, "synthesis.context"))
        line->asked = is_asked(body);
    else if (strlen(id) == 32 && !strcmp(path, "ssml"))
        take_turn(line, id, body);
    else
        atomic_fetch_add(&line->services->n_bad, 1);
    free(message);
}

void azure_serve(struct services *services, struct web_connection *c, const struct web_request *request,
                 enum fault fault)
{
    char key[64] = "", secret[128] = "", both[128], upgrade[32] = "", accept[64], answer[256];
    uint8_t digest[SHA_DIGEST_LENGTH];
    web_header(request, "Sec-WebSocket-Key", key, sizeof key);
    web_header(request, "Ocp-Apim-Subscription-Key", secret, sizeof secret);
    web_header(request, "Upgrade", upgrade, sizeof upgrade);
    if (strcmp(secret, SERVICES_SECRET) != 0 || strlen(key) != 24 || strcasecmp(upgrade, "websocket") != 0) {
        atomic_fetch_add(&services->n_bad, 1);
        web_reply(c, 401, "text/plain", "", "", 0);
        return;
    }
    snprintf(both, sizeof both, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)both, strlen(both), digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    web_raw(c, answer, (size_t)n);
    static const struct wslay_event_callbacks CALLBACKS = {
        .recv_callback = on_read, .send_callback = on_write, .on_msg_recv_callback = on_message};
    struct line line = {.services = services, .c = c, .fault = fault};
    wslay_event_context_server_init(&line.frames, &CALLBACKS, &line);
    while (!line.ended && !wslay_event_recv(line.frames) && !wslay_event_send(line.frames) &&
           (wslay_event_want_read(line.frames) || wslay_event_want_write(line.frames)))
        line.ended = line.ended || !web_pause(c, 5);
    wslay_event_context_free(line.frames);
    web_cut(c);
}
