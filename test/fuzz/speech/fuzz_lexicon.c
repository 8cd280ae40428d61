/* Lexicons from anywhere: XML, or JSON when it begins with a brace. */
#include "speech/ipa.h"
#include "speech/reading/lexicon.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An engine with half of the alphabet. */
static const char *find(void *user, const char *sign, size_t length)
{
    return length <= 2 && (sign[0] & 1) ? "p" : NULL;
}

static void put(void *user, const char *phone, bool vowel, int stress)
{
    ++*(int *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_lexicon *lexicon = NULL;
    struct cp_error error;
    if (size && data[0] == '{') {
        json_t *document = json_loadb((const char *)data, size, 0, NULL);
        if (!document || cp_lexicon_read_json(document, &lexicon, &error))
            lexicon = NULL;
        json_decref(document);
    } else if (cp_lexicon_read_pls((const char *)data, size, &lexicon, &error)) {
        lexicon = NULL;
    }
    if (!lexicon)
        return 0;
    struct cp_lexicon_entry entry;
    json_t *rows = cp_lexicon_to_json(lexicon), *row;
    size_t i;
    json_array_foreach(json_object_get(rows, "rows"), i, row)
    {
        const char *grapheme = json_string_value(json_object_get(row, "grapheme"));
        size_t taken = cp_lexicon_match(lexicon, "", grapheme, strlen(grapheme), size & 1, &entry);
        if (taken > strlen(grapheme))
            abort();
        if (taken && entry.phoneme) {
            int n_put = 0;
            const struct cp_ipa_speller speller = {find, put, &n_put};
            if (cp_ipa_spell(entry.phoneme, &speller) != n_put)
                abort();
        }
    }
    json_decref(rows);
    cp_lexicon_drop(lexicon);
    return 0;
}
