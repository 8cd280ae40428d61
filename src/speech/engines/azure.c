/*
 * Azure AI Speech over its WebSocket: sound, word times and visemes as they are made. The REST endpoint has
 * sound only. The wire is that of Microsoft's Speech SDK for JavaScript (MIT, github.com/microsoft/
 * cognitive-services-speech-sdk-js): messages with a head of "Name: value" lines, an empty line and a body;
 * in binary ones two bytes ahead give the head's length. A turn is "synthesis.context" and "ssml" one way,
 * "audio" and "audio.metadata" the other, "turn.end" last; a socket takes one turn after the other.
 */
#include "speech/engines/remote.h"
#include "speech/engines/remote_marks.h"

#include "base/clock.h"
#include "base/websocket.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define STAGE "speech"

enum {
    PCM_HZ = 24000,
    MAX_IDLE = 4, /* sockets */
    IDLE_S = 60,  /* an older one is not trusted to stand */
    MESSAGE_BYTES = 1 << 20,
    ID_BYTES = 33, /* a GUID without dashes */
};

struct engine {
    struct cp_remote remote;
    char url[CP_OPTION_TEXT_BYTES + 96];
    char key_header[CP_REMOTE_KEY_BYTES + 32];
    pthread_mutex_t lock;
    struct {
        struct cp_websocket *socket;
        int64_t since_ns;
    } idle[MAX_IDLE]; /* the one used last comes last */
    int n_idle;
};

static void azure_close(void *opaque)
{
    struct engine *engine = opaque;
    if (!engine)
        return;
    for (int i = 0; i < engine->n_idle; i++)
        cp_websocket_close(engine->idle[i].socket);
    pthread_mutex_destroy(&engine->lock);
    cp_remote_close(&engine->remote);
    explicit_bzero(engine->key_header, sizeof engine->key_header);
    free(engine);
}

static int azure_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    pthread_mutex_init(&engine->lock, NULL);
    engine->remote.row = "azure";
    int result = 0;
    if (*config->azure_region || *config->azure_url) {
        char key[CP_REMOTE_KEY_BYTES];
        if (*config->azure_url)
            snprintf(engine->url, sizeof engine->url, "%s/tts/cognitiveservices/websocket/v1",
                     config->azure_url);
        else
            snprintf(engine->url, sizeof engine->url,
                     "https://%.63s.tts.speech.microsoft.com/tts/cognitiveservices/websocket/v1",
                     config->azure_region);
        cp_remote_read_key(&engine->remote, "azure_key", config->azure_key, key, sizeof key);
        snprintf(engine->key_header, sizeof engine->key_header, "Ocp-Apim-Subscription-Key: %s", key);
        explicit_bzero(key, sizeof key);
        result = cp_remote_open(&engine->remote, config, config->azure_voices, error);
    }
    if (result) {
        azure_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static int azure_voices(void *opaque, struct cp_voice *voices, int capacity)
{
    struct engine *engine = opaque;
    return cp_remote_list(&engine->remote, voices, capacity);
}

/* --- sockets --- */

/* One that stands, or NULL. */
static struct cp_websocket *take_idle(struct engine *engine)
{
    struct cp_websocket *socket = NULL;
    pthread_mutex_lock(&engine->lock);
    while (!socket && engine->n_idle) {
        engine->n_idle--;
        socket = engine->idle[engine->n_idle].socket;
        int64_t age_ns = cp_clock_now_ns() - engine->idle[engine->n_idle].since_ns;
        if (age_ns <= IDLE_S * CP_NS_PER_S && cp_websocket_usable(socket))
            continue;
        cp_websocket_close(socket);
        socket = NULL;
    }
    pthread_mutex_unlock(&engine->lock);
    return socket;
}

static void give_back(struct engine *engine, struct cp_websocket *socket)
{
    pthread_mutex_lock(&engine->lock);
    if (engine->n_idle < MAX_IDLE) {
        engine->idle[engine->n_idle].socket = socket;
        engine->idle[engine->n_idle++].since_ns = cp_clock_now_ns();
        socket = NULL;
    }
    pthread_mutex_unlock(&engine->lock);
    cp_websocket_close(socket);
}

/* --- one turn --- */

struct turn {
    struct engine *engine;
    const struct cp_piece *piece;
    const atomic_bool *stop;
    struct cp_sound *sound;
    struct cp_pcm_stream stream;
    char id[ID_BYTES];
    char *ssml;
    size_t word_at; /* where the next word is sought in the piece's text */
    bool any;       /* something of it came: it must not be asked again */
};

static void make_id(char id[ID_BYTES])
{
    uint8_t bytes[ID_BYTES / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static void write_message(struct cp_buffer *buffer, const char *path, const char *id, const char *type,
                          const char *body)
{
    char date[32];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
    cp_buffer_printf(buffer,
                     "Path: %s\r\nX-RequestId: %s\r\nX-Timestamp: %s.%03ldZ\r\nContent-Type: %s\r\n\r\n",
                     path, id, date, now.tv_nsec / 1000000, type);
    cp_buffer_text(buffer, body);
}

/* A value of a message's head, in small letters; "" when there is none. */
static void head_value(const char *head, size_t length, const char *name, char *value, size_t capacity)
{
    const char *end = head + length;
    size_t n = strlen(name), filled = 0;
    while (head < end) {
        const char *line_end = memchr(head, '\n', (size_t)(end - head));
        line_end = line_end ? line_end : end;
        if ((size_t)(line_end - head) > n && head[n] == ':' && !strncasecmp(head, name, n)) {
            for (const char *at = head + n + 1; at < line_end && filled + 1 < capacity; at++)
                if (*at > ' ')
                    value[filled++] = *at >= 'A' && *at <= 'Z' ? (char)(*at + 'a' - 'A') : *at;
            break;
        }
        head = line_end + 1;
    }
    value[filled] = '\0';
}

static int take_message(void *user, const struct cp_websocket_message *message)
{
    struct turn *turn = user;
    const char *head = (const char *)message->bytes, *body;
    size_t head_length, skip;
    if (message->text) {
        const char *blank = message->length ? memmem(head, message->length, "\r\n\r\n", 4) : NULL;
        head_length = blank ? (size_t)(blank - head) : message->length;
        skip = blank ? head_length + 4 : message->length;
    } else {
        if (message->length < 2)
            return CP_ERR_FORMAT;
        head_length = (size_t)message->bytes[0] << 8 | message->bytes[1];
        if (head_length > message->length - 2)
            return CP_ERR_FORMAT;
        head += 2;
        skip = head_length + 2;
    }
    body = (const char *)message->bytes + skip;
    size_t length = message->length - skip;
    char path[32], id[ID_BYTES + 8];
    head_value(head, head_length, "Path", path, sizeof path);
    head_value(head, head_length, "X-RequestId", id, sizeof id);
    if (!*path)
        return CP_ERR_FORMAT;
    if (strcmp(id, turn->id) != 0)
        return 0; /* of an earlier turn */
    if (!strcmp(path, "turn.end"))
        return CP_WEBSOCKET_DONE;
    if (!strcmp(path, "audio.metadata"))
        return cp_azure_add_metadata(body, length, turn->piece->text, turn->piece->length, &turn->word_at,
                                     turn->sound);
    if (strcmp(path, "audio") != 0 || message->text)
        return 0;
    turn->any = turn->any || length;
    return cp_pcm_stream_take(&turn->stream, message->bytes + skip, length);
}

static int connect_to(struct engine *engine, const struct turn *turn, int64_t deadline_ns,
                      struct cp_websocket **ret_socket, struct cp_error *error)
{
    char id[ID_BYTES], id_header[ID_BYTES + 24];
    make_id(id);
    snprintf(id_header, sizeof id_header, "X-ConnectionId: %s", id);
    const char *headers[] = {engine->key_header, id_header, NULL};
    const struct cp_websocket_request request = {.who = "azure",
                                                 .stage = STAGE,
                                                 .url = engine->url,
                                                 .headers = headers,
                                                 .max_message_bytes = MESSAGE_BYTES,
                                                 .deadline_ns = deadline_ns,
                                                 .stop = turn->stop};
    return cp_websocket_open(engine->remote.http, &request, ret_socket, error);
}

/* The turn on a socket: what it is for goes first, on a new one who we are. */
static int speak_on(struct cp_websocket *socket, bool fresh, struct turn *turn, int64_t deadline_ns,
                    struct cp_error *error)
{
    static const char WHO[] =
        "{\"context\":{\"system\":{\"name\":\"Compere\",\"version\":\"" CP_VERSION "\"}}}";
    static const char WHAT[] =
        "{\"synthesis\":{\"audio\":{\"metadataOptions\":{\"bookmarkEnabled\":false,"
        "\"sentenceBoundaryEnabled\":false,"
        "\"punctuationBoundaryEnabled\":false,\"sessionEndEnabled\":false,\"visemeEnabled\":true,"
        "\"wordBoundaryEnabled\":true},\"outputFormat\":\"raw-24khz-16bit-mono-pcm\"},"
        "\"language\":{\"autoDetection\":false}}}";
    struct cp_buffer who = cp_buffer_make(4096), what = cp_buffer_make(4096), ssml = cp_buffer_make(1 << 20);
    make_id(turn->id);
    cp_sound_clear(turn->sound); /* of what an attempt before this one left */
    turn->sound->hz = PCM_HZ;
    turn->stream = (struct cp_pcm_stream){.sound = turn->sound};
    turn->word_at = 0;
    write_message(&who, "speech.config", turn->id, "application/json", WHO);
    write_message(&what, "synthesis.context", turn->id, "application/json", WHAT);
    write_message(&ssml, "ssml", turn->id, "application/ssml+xml", turn->ssml);
    int result =
        who.failed || what.failed || ssml.failed ? cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.") : 0;
    const char *messages[] = {cp_buffer_string(&who), cp_buffer_string(&what), cp_buffer_string(&ssml), NULL};
    if (!result)
        result =
            cp_websocket_talk(socket, messages + !fresh, take_message, turn, deadline_ns, turn->stop, error);
    if (result == CP_ERR_FORMAT)
        cp_fail(error, result, STAGE, "azure answers what is not its protocol.");
    else if (result == CP_ERR_LIMIT)
        cp_fail(error, result, STAGE, "azure makes more sound than is taken.");
    cp_buffer_free(&who);
    cp_buffer_free(&what);
    cp_buffer_free(&ssml);
    return result;
}

static int take_turn(void *user, int number, struct cp_remote_verdict *verdict, struct cp_error *error)
{
    struct turn *turn = user;
    struct engine *engine = turn->engine;
    int64_t deadline_ns = cp_clock_now_ns() + verdict->time_ms * CP_NS_PER_MS;
    int result;
    bool fresh;
    do { /* a kept socket that breaks before anything came was closed meanwhile: that is no failure */
        struct cp_websocket *socket = take_idle(engine);
        fresh = !socket;
        result = fresh ? connect_to(engine, turn, deadline_ns, &socket, error) : 0;
        if (!result)
            result = speak_on(socket, fresh, turn, deadline_ns, error);
        if (result)
            cp_websocket_close(socket);
        else
            give_back(engine, socket);
    } while (!fresh && result == CP_ERR_IO && !turn->any);
    const struct cp_http_response none = {0};
    verdict->may_pass =
        !turn->any && (result == CP_ERR_IO || result == CP_ERR_UNAVAILABLE || result == CP_ERR_BUSY);
    verdict->wait_ms = cp_http_backoff_ms(&none, number, CP_REMOTE_FIRST_WAIT_MS);
    return result;
}

/* NULL when out of memory. */
static char *make_ssml(const struct cp_remote_voice *voice, const struct cp_piece *piece)
{
    const struct cp_piece service = {.text = voice->service, .length = strlen(voice->service)};
    char *escaped = cp_remote_escape(piece, NULL), *name = cp_remote_escape(&service, NULL), *ssml = NULL;
    if (escaped && name &&
        asprintf(
            &ssml,
            "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" xml:lang=\"%s\">"
            "<voice name=\"%s\"><prosody rate=\"%+.0f%%\" pitch=\"%+.0f%%\">%s</prosody></voice></speak>",
            voice->language, name, 100 * (piece->rate - 1), 100 * (piece->pitch - 1), escaped) < 0)
        ssml = NULL;
    free(escaped);
    free(name);
    return ssml;
}

static int azure_speak(void *opaque, const struct cp_piece *piece, const atomic_bool *stop,
                       struct cp_sound *sound, struct cp_error *error)
{
    struct engine *engine = opaque;
    const struct cp_remote_voice *voice = cp_remote_find(&engine->remote, piece->voice);
    if (!voice)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "There is no voice azure:%.40s.", piece->voice);
    struct turn turn = {.engine = engine, .piece = piece, .stop = stop, .sound = sound};
    turn.ssml = make_ssml(voice, piece);
    int result = turn.ssml ? cp_remote_try(&engine->remote, piece, stop, take_turn, &turn, error)
                           : cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    if (!result && cp_pcm_stream_end(&turn.stream))
        result = cp_fail(error, CP_ERR_FORMAT, STAGE, "azure answered without any sound.");
    if (!result)
        cp_azure_end_metadata(sound);
    free(turn.ssml);
    return result;
}

const struct cp_speech_provider cp_azure_provider = {
    .name = "azure",
    .phones_taken = true,
    .summary = "Azure AI Speech, with word times and visemes",
    .phones = CP_PHONES_IPA,
    .apart = true,
    .open = azure_open,
    .voices = azure_voices,
    .speak = azure_speak,
    .close = azure_close,
};
