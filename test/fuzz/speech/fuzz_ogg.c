/* A stored voice file as an object store may give it back. Sums are made right first, or nothing would get
 * past them. */
#include "speech/speech.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 3533 section 6, field 7. */
static uint32_t sum_of(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 0x80000000 ? sum << 1 ^ 0x04c11db7 : sum << 1;
    }
    return sum;
}

static void mend(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + 27 <= size && !memcmp(bytes + at, "OggS", 4);) {
        size_t n = bytes[at + 26], length = 27 + n;
        for (size_t i = 0; i < n && at + 27 + i < size; i++)
            length += bytes[at + 27 + i];
        if (at + length > size)
            return;
        memset(bytes + at + 22, 0, 4);
        uint32_t sum = sum_of(bytes + at, length);
        for (int i = 0; i < 4; i++)
            bytes[at + 22 + (size_t)i] = (uint8_t)(sum >> (8 * i));
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    struct cp_utterance *utterance = NULL;
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    mend(bytes, size);
    if (!cp_speech_read_ogg(bytes, size, &utterance, NULL) && utterance->n_samples < 0)
        abort();
    cp_ref_drop(utterance);
    free(bytes);
    return 0;
}
