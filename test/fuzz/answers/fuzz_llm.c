/* Any bytes as what a language model streams, cut in pieces as the first byte says, and its answer as one to
 * say. */
#include "answers/llm/prompt.h"
#include "answers/llm/stream.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_llm_stream stream = cp_llm_stream_make();
    struct cp_buffer said = cp_buffer_make(1 << 20);
    unsigned cited = 0;
    if (!size || size > 1 << 16)
        return 0;
    size_t step = 1 + data[0], at = 1;
    int result = 0;
    for (; at < size && !result; at += step)
        result = cp_llm_stream_feed(&stream, data + at, at + step < size ? step : size - at);
    if (!result)
        result = cp_llm_stream_end(&stream);
    const char *text = cp_buffer_string(&stream.text);
    if (!result && strstr(text, "</think>"))
        abort();
    cp_prompt_read(text, 5, &said, &cited);
    if (cited & ~31u || said.length > stream.text.length + 1)
        abort();
    cp_llm_stream_free(&stream);
    cp_buffer_free(&said);
    return 0;
}
