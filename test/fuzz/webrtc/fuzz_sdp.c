/* Offers and trickle fragments; what parses is answered, and the answer keeps to the offer's sections. */
#include "deliver/webrtc/sdp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cp_sdp_offer offer;

static int count(const char *in, const char *word)
{
    int n = 0;
    for (; (in = strstr(in, word)); in++)
        n++;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char ufrag[CP_ICE_TOKEN_BYTES], pwd[CP_ICE_TOKEN_BYTES];
    struct cp_error error;
    cp_sdp_parse_fragment((const char *)data, size, ufrag, pwd, &error);
    if (cp_sdp_parse((const char *)data, size, &offer, &error))
        return 0;
    struct cp_address address = {.v4 = {.sin_family = AF_INET}, .length = sizeof address.v4};
    struct cp_sdp_answer values = {"ours", "secret", "AA", "cname", 1, 2, 3, &address, 1};
    struct cp_buffer buffer = cp_buffer_make(8191);
    cp_sdp_write(&buffer, &offer, &values);
    const char *text = cp_buffer_string(&buffer);
    if (!buffer.failed && (count(text, "\nm=") != offer.n_sections || count(text, "\r") != count(text, "\n")))
        abort();
    cp_buffer_free(&buffer);
    return 0;
}
