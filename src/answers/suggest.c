/* An answer without a language model: the sentences that hold what was asked, as they stand. */
#include "answers/answers_int.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

enum { MAX_SENTENCES = 64, MOST_WORDS = 40, LETTERS_A_WORD = 6 };

struct sentence {
    int32_t start, end;
    double weight; /* of the marks in it: how much of the question it holds */
};

static int cut_sentences(const char *text, struct sentence *sentences)
{
    UErrorCode problem = U_ZERO_ERROR;
    int32_t length = (int32_t)strlen(text), start = 0;
    UBreakIterator *breaks = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &problem);
    UText *utext = utext_openUTF8(NULL, text, length, &problem);
    if (breaks && U_SUCCESS(problem))
        ubrk_setUText(breaks, utext, &problem);
    int n = 0;
    while (start < length && n < MAX_SENTENCES) {
        int32_t end = breaks && U_SUCCESS(problem) ? ubrk_following(breaks, start) : UBRK_DONE;
        while (end != UBRK_DONE && cp_ends_in_abbreviation(text + start, (size_t)(end - start)))
            end = ubrk_following(breaks, end);
        if (end == UBRK_DONE || n + 1 == MAX_SENTENCES)
            end = length;
        sentences[n] = (struct sentence){.start = start, .end = end};
        while (sentences[n].end > start && strchr(" \n", text[sentences[n].end - 1]))
            sentences[n].end--;
        n += sentences[n].end > start;
        start = end;
    }
    utext_close(utext);
    if (breaks)
        ubrk_close(breaks);
    return n;
}

static void weigh_sentences(const json_t *marks, struct sentence *sentences, int n)
{
    size_t i;
    const json_t *mark;
    json_array_foreach(marks, i, mark)
    {
        json_int_t at = json_integer_value(json_array_get(mark, 0));
        for (int k = 0; k < n; k++)
            if (at >= sentences[k].start && at < sentences[k].end)
                sentences[k].weight++;
    }
}

/* From the sentence that holds most, onwards while there is room. */
static void choose(const char *text, const json_t *marks, double most_weight, int32_t *ret_start,
                   int32_t *ret_end)
{
    struct sentence sentences[MAX_SENTENCES];
    int n = cut_sentences(text, sentences), best = 0;
    weigh_sentences(marks, sentences, n);
    for (int i = 1; i < n; i++)
        if (sentences[i].weight > sentences[best].weight)
            best = i;
    *ret_start = n ? sentences[best].start : 0;
    *ret_end = n ? sentences[best].end : 0;
    for (int i = best + 1; i < n; i++) {
        if (cp_text_weight(text + *ret_start, (size_t)(sentences[i].end - *ret_start)) > most_weight)
            break;
        *ret_end = sentences[i].end;
    }
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

int cp_answers_suggest(struct cp_answers *answers, const struct cp_search *question, int most_words,
                       json_t **ret_suggestion, struct cp_error *error)
{
    json_t *found = NULL, *citations = json_array();
    int64_t started_ns = cp_clock_now_ns();
    int result = cp_answers_search(answers, question, &found, error);
    if (result) {
        json_decref(citations);
        return result;
    }
    const json_t *hit = json_array_get(json_object_get(found, "hits"), 0);
    bool refused = !json_is_true(json_object_get(found, "confident"));
    const char *text = text_of(hit, "text");
    int32_t start = 0, end = 0;
    if (!refused) {
        end = (int32_t)strlen(text);
        if (!*text_of(hit, "question"))
            choose(text, json_object_get(hit, "marks"),
                   (double)(most_words > 0 ? most_words : MOST_WORDS) * LETTERS_A_WORD, &start, &end);
        json_array_append_new(citations,
                              json_pack("{s:s,s:s,s:s,s:I,s:s,s:i,s:i}", "document", text_of(hit, "document"),
                                        "title", text_of(hit, "title"), "heading", text_of(hit, "heading"),
                                        "passage", json_integer_value(json_object_get(hit, "passage")),
                                        "link", text_of(hit, "link"), "start", start, "end", end));
    }
    *ret_suggestion =
        json_pack("{s:o,s:b,s:f,s:o,s:f}", "text", json_stringn(text + start, (size_t)(end - start)),
                  "refused", refused, "confidence", json_number_value(json_object_get(hit, "confidence")),
                  "citations", citations, "took_ms", (double)(cp_clock_now_ns() - started_ns) / 1e6);
    json_decref(found);
    return 0;
}
