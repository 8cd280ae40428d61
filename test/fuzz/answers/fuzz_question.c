/* Any bytes as a question of the audience, as words that are blocked, as a set of questions, and as a text
 * that is still being written. */
#include "answers/evaluate.h"
#include "answers/filter.h"
#include "answers/llm/prompt.h"
#include "answers/terms.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A mask is longer than what it stands for by at most this. */
enum { LONGEST_MASK = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cp_cutter *cutter;
    if (!cutter)
        cutter = cp_cutter_create();
    if (size > 1 << 14)
        return 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *blocked = strchr(text, '\n');
    bool masked;
    struct cp_buffer kept = cp_buffer_make(1 << 20);
    if (!cp_filter_question(text, blocked ? blocked + 1 : "", &kept, &masked) && !masked &&
        strcmp(cp_buffer_string(&kept), text) != 0)
        abort();
    if (kept.length > strlen(text) * LONGEST_MASK)
        abort();
    if (!cp_filter_likeness(cutter, "", text))
        abort();
    if (cp_prompt_whole_sentences(text) > strlen(text))
        abort();
    json_t *questions = NULL;
    if (!cp_evaluate_read(text, size, &questions, NULL) && !json_array_size(questions))
        abort();
    json_decref(questions);
    cp_buffer_free(&kept);
    free(text);
    return 0;
}
