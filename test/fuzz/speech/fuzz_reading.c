/* Reading of any valid UTF-8 in each language: the first byte chooses it. The map stays in order and bounds.
 */
#include "speech/reading/reading.h"
#include "speech/script.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const LANGUAGES[] = {"en", "de", "fr", "es", "zh", "ja", "it", "en-GB"};
    static struct cp_reader *reader;
    if (!reader)
        reader = cp_reader_create();
    if (!size || !cp_utf8_valid((const char *)data + 1, size - 1))
        return 0;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    struct cp_reading_request request = {.language = LANGUAGES[data[0] % 8],
                                         .text = text,
                                         .length = (int32_t)strlen(text),
                                         .say_as = (enum cp_say_as)(data[0] / 8 % 5)};
    struct cp_reading reading;
    if (cp_reader_read(reader, &request, &reading))
        abort();
    if (!cp_utf8_valid(reading.text, (size_t)reading.length))
        abort();
    int32_t spoken = 0, source = 0;
    for (int i = 0; i < reading.n_parts; i++) {
        const struct cp_reading_part *part = &reading.parts[i];
        if (part->spoken != spoken || part->source < source || part->source_end > request.length)
            abort();
        spoken = part->spoken_end;
        source = part->source;
    }
    if (spoken != reading.length)
        abort();
    cp_reading_free(&reading);
    free(text);
    return 0;
}
