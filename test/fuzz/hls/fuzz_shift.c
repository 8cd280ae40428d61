/* Fragments from a store that somebody else may write to: moved in time without a step outside. */
#include "deliver/hls/fmp4.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    int64_t by;
    if (length < sizeof by)
        return 0;
    memcpy(&by, data, sizeof by);
    uint8_t *copy = malloc(length - sizeof by + 1);
    memcpy(copy, data + sizeof by, length - sizeof by);
    cp_fmp4_shift(copy, length - sizeof by, by);
    free(copy);
    return 0;
}
