/* Names and queries as they come from the network: the first line is the file, the rest the query. */
#include "deliver/hls/hls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ready(void *user, const struct cp_hls_response *response)
{
    if (response->status != 200 && response->status != 400 && response->status != 404 &&
        response->status != 503)
        abort();
    if (response->status == 200 && (!response->body || !response->body->length))
        abort();
    cp_ref_drop(response->body);
    ++*(int *)user;
}

/* Nine seconds of pictures that no decoder has to understand. */
static struct cp_hls *make_stream(void)
{
    static uint8_t key[] = "\0\0\0\1\x67\x42\xe0\x1f\xab\0\0\1\x68\xce\x38\x80\0\0\1\x65\x88\x84";
    static uint8_t other[] = "\0\0\0\1\x41\x9a\x02";
    static const struct cp_hls_config CONFIG = {
        .part_s = 0.2, .segment_s = 2, .segments = 3, .max_waiting = 4};
    struct cp_hls *hls = NULL;
    if (cp_hls_create(&CONFIG, 64, 64, "e", NULL, 0, &hls, NULL))
        abort();
    for (int i = 0; i < 270; i++) {
        struct cp_packet packet = {.codec = CP_CODEC_H264,
                                   .key = i % 60 == 0,
                                   .at_samples = (int64_t)i * CP_SAMPLES_PER_FRAME,
                                   .length_samples = CP_SAMPLES_PER_FRAME,
                                   .data = i % 60 ? other : key,
                                   .length_bytes = i % 60 ? sizeof other - 1 : sizeof key - 1};
        cp_hls_push(hls, &packet);
    }
    return hls;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cp_hls *hls;
    char text[512];
    int answers = 0;
    uint64_t waiting;
    if (size >= sizeof text)
        return 0;
    if (!hls)
        hls = make_stream();
    memcpy(text, data, size);
    text[size] = 0;
    char *query = strchr(text, '\n');
    if (query)
        *query++ = 0;
    cp_hls_request(hls, text, query ? query : "", ready, &answers, &waiting);
    if (waiting && !cp_hls_abandon(hls, waiting))
        abort();
    if (answers != !waiting)
        abort();
    return 0;
}
