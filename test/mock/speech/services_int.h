/* What the stand-ins share. */
#ifndef TEST_MOCK_SERVICES_INT_H
#define TEST_MOCK_SERVICES_INT_H

#include "services.h"
#include "web.h"

enum { LETTER_MS = 70, GAP_MS = 40, LEAD_MS = 20, MAX_WORDS = 400 };

struct hum {
    int16_t *pcm; /* to be freed */
    size_t n;
    struct {
        int ms, end_ms, start, end; /* bytes */
    } words[MAX_WORDS];
    int n_words;
};

struct hum make_hum(const char *text, int hz);
/* How the next answer is to go wrong; it counts as one. */
enum fault next_fault(struct services *services);

#define AZURE_PATH "/tts/cognitiveservices/websocket/v1"
/* Serves a WebSocket until it ends. `fault` is that of its first turn. */
void azure_serve(struct services *services, struct web_connection *c, const struct web_request *request,
                 enum fault fault);

#endif
