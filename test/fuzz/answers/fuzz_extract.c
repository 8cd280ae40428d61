/* Any bytes as a document: the first picks the type, the rest is read, cut into passages and terms. */
#include "answers/split.h"
#include "answers/terms.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_term(void *user, const struct cp_term *term)
{
    if (term->length < 1 || term->length > CP_TERM_BYTES || term->start < 0 || term->end <= term->start)
        abort();
    return 0;
}

static int check_passage(void *user, const struct cp_passage *passage)
{
    if (!*passage->text)
        abort();
    cp_cut_terms(user, "en", passage->text, strlen(passage->text), CP_CUT_CONTENT, check_term, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const TYPES[] = {
        "text/plain", "text/markdown", "text/html", "text/csv",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"};
    static struct cp_cutter *cutter;
    struct cp_extract extract;
    struct cp_error error = {.text = ""};
    if (!cutter)
        cutter = cp_cutter_create();
    if (!size || size > 1 << 18)
        return 0;
    if (!cp_extract(TYPES[data[0] % 5], data + 1, size - 1, &extract, &error))
        cp_split(&extract, 200, "en", check_passage, cutter);
    else if (!*error.text)
        abort(); /* a refusal has a reason */
    cp_extract_free(&extract);
    return 0;
}
