/* SSML and plain text from anywhere: the first byte chooses which. */
#include "speech/script.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    struct cp_script script;
    struct cp_error error;
    int result = data[0] == 't' ? cp_script_read_text(text, 4096, &script, &error)
                                : cp_script_read_ssml(text, 4096, &script, &error);
    free(text);
    if (result)
        return 0;
    int32_t at = 0;
    for (int i = 0; i < script.n_sentences; i++) {
        const struct cp_sentence *sentence = &script.sentences[i];
        if (sentence->start < at || sentence->end <= sentence->start || sentence->end > script.length ||
            !cp_utf8_valid(script.text + sentence->start, (size_t)(sentence->end - sentence->start)))
            abort();
        at = sentence->end;
    }
    for (int i = 0; i < script.n_spans; i++)
        if (script.spans[i].start > script.length || !(script.spans[i].rate >= 0.25f) ||
            !(script.spans[i].volume <= 2))
            abort();
    for (int i = 0; i < script.n_pauses; i++)
        if (script.pauses[i].ms < 0 || script.pauses[i].ms > CP_SSML_MAX_BREAK_MS)
            abort();
    cp_script_free(&script);
    return 0;
}
