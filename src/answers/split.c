#include "answers/split.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

enum { MAX_LEVELS = 6, HEADING_BYTES = 240 };
#define AT_MOST 1.6 /* times the weight wanted */

double cp_text_weight(const char *text, size_t length)
{
    double weight = 0;
    for (int32_t i = 0; i < (int32_t)length;) {
        UChar32 c;
        U8_NEXT(text, i, (int32_t)length, c);
        weight += c >= 0x2e80 ? 3 : 1;
    }
    return weight;
}

struct splitter {
    const struct cp_extract *extract;
    double weight;
    int (*each)(void *user, const struct cp_passage *passage);
    void *user;
    char title[MAX_LEVELS][HEADING_BYTES];
    char heading[MAX_LEVELS * (HEADING_BYTES + 3)];
    struct cp_buffer passage; /* being put together */
    double gathered;
    UBreakIterator *sentences;
};

static int flush(struct splitter *s)
{
    int result = 0;
    if (s->passage.length) {
        const struct cp_passage passage = {
            .heading = s->heading, .text = cp_buffer_string(&s->passage), .question = "", .link = ""};
        result = s->passage.failed ? -1 : s->each(s->user, &passage);
    }
    s->passage.length = 0;
    s->gathered = 0;
    return result;
}

/* One more run of text, behind a space or a paragraph's end; a full passage goes first. */
static int gather(struct splitter *s, const char *text, size_t length, const char *between)
{
    double weight = cp_text_weight(text, length);
    int result = 0;
    if (s->gathered > 0 && s->gathered + weight > s->weight * AT_MOST)
        result = flush(s);
    if (s->passage.length)
        cp_buffer_text(&s->passage, between);
    cp_buffer_add(&s->passage, text, length);
    s->gathered += weight;
    return result;
}

/* A run without a sentence's end in it: cut at the last space, else at a sign, before the limit. */
static int gather_long(struct splitter *s, const char *text, size_t length, const char *between)
{
    int result = 0;
    while (!result && cp_text_weight(text, length) > s->weight * AT_MOST) {
        int32_t end = 0, space = 0;
        for (double weight = 0; weight < s->weight;) {
            UChar32 c;
            if (text[end] == ' ')
                space = end;
            U8_NEXT(text, end, (int32_t)length, c);
            weight += c >= 0x2e80 ? 3 : 1;
        }
        size_t cut = (size_t)(space > end / 2 ? space : end);
        result = gather(s, text, cut, between);
        if (!result)
            result = flush(s);
        while (cut < length && text[cut] == ' ')
            cut++;
        text += cut;
        length -= cut;
    }
    return result || !length ? result : gather(s, text, length, between);
}

bool cp_ends_in_abbreviation(const char *text, size_t length)
{
    while (length && text[length - 1] == ' ')
        length--;
    if (!length || text[length - 1] != '.')
        return false;
    size_t start = length - 1;
    while (start && text[start - 1] != ' ')
        start--;
    size_t n = length - 1 - start;
    return n && ((n <= 3 && text[start] >= 'A' && text[start] <= 'Z') || memchr(text + start, '.', n));
}

static int gather_sentences(struct splitter *s, const char *text, size_t length)
{
    UErrorCode problem = U_ZERO_ERROR;
    UText *utext = utext_openUTF8(NULL, text, (int64_t)length, &problem);
    if (s->sentences && U_SUCCESS(problem))
        ubrk_setUText(s->sentences, utext, &problem);
    int result = 0;
    int32_t start = 0;
    while (!result && start < (int32_t)length) {
        int32_t end = s->sentences && U_SUCCESS(problem) ? ubrk_following(s->sentences, start) : UBRK_DONE;
        while (end != UBRK_DONE && cp_ends_in_abbreviation(text + start, (size_t)(end - start)))
            end = ubrk_following(s->sentences, end);
        if (end == UBRK_DONE || end > (int32_t)length)
            end = (int32_t)length;
        size_t n = (size_t)(end - start);
        while (n && text[start + (int32_t)n - 1] == ' ')
            n--;
        if (s->gathered >= s->weight)
            result = flush(s);
        if (!result && n)
            result = gather_long(s, text + start, n, start ? " " : "\n");
        start = end;
    }
    utext_close(utext);
    return result;
}

static int on_heading(struct splitter *s, const struct cp_block *block)
{
    int result = flush(s);
    int level = block->level >= 1 && block->level <= MAX_LEVELS ? block->level - 1 : 0;
    size_t length = (size_t)(block->text.end - block->text.start);
    const char *text = (const char *)s->extract->text.data + block->text.start;
    if (length >= HEADING_BYTES) {
        length = HEADING_BYTES - 1;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(s->title[level], text, length);
    s->title[level][length] = 0;
    for (int i = level + 1; i < MAX_LEVELS; i++)
        s->title[i][0] = 0;
    size_t at = 0;
    for (int i = 0; i < MAX_LEVELS; i++)
        if (s->title[i][0]) {
            size_t n = strlen(s->title[i]);
            if (at) {
                memcpy(s->heading + at, " > ", 3);
                at += 3;
            }
            memcpy(s->heading + at, s->title[i], n);
            at += n;
        }
    s->heading[at] = 0;
    return result;
}

static char *copy_range(const struct cp_extract *extract, struct cp_range range)
{
    return strndup((const char *)extract->text.data + range.start, (size_t)(range.end - range.start));
}

static int on_pair(struct splitter *s, const struct cp_block *block)
{
    int result = flush(s);
    char *question = copy_range(s->extract, block->question), *answer = copy_range(s->extract, block->text),
         *link = copy_range(s->extract, block->link);
    if (!result)
        result = question && answer && link
                     ? s->each(s->user,
                               &(const struct cp_passage){
                                   .heading = s->heading, .text = answer, .question = question, .link = link})
                     : -1;
    free(question);
    free(answer);
    free(link);
    return result;
}

static int on_paragraph(struct splitter *s, const struct cp_block *block)
{
    const char *text = (const char *)s->extract->text.data + block->text.start;
    size_t length = (size_t)(block->text.end - block->text.start);
    if (s->gathered >= s->weight) {
        int result = flush(s);
        if (result)
            return result;
    }
    double weight = cp_text_weight(text, length);
    return weight <= s->weight * AT_MOST ? gather(s, text, length, "\n") : gather_sentences(s, text, length);
}

int cp_split(const struct cp_extract *extract, double weight, const char *language,
             int (*each)(void *user, const struct cp_passage *passage), void *user)
{
    UErrorCode problem = U_ZERO_ERROR;
    struct splitter s = {.extract = extract,
                         .weight = weight,
                         .each = each,
                         .user = user,
                         .passage = cp_buffer_make(1 << 20),
                         .sentences = ubrk_open(UBRK_SENTENCE, language, NULL, 0, &problem)};
    int result = 0;
    for (int i = 0; i < extract->n_blocks && !result; i++) {
        const struct cp_block *block = &extract->blocks[i];
        result = block->kind == CP_BLOCK_HEADING ? on_heading(&s, block)
                 : block->kind == CP_BLOCK_PAIR  ? on_pair(&s, block)
                                                 : on_paragraph(&s, block);
    }
    if (!result)
        result = flush(&s);
    if (s.sentences)
        ubrk_close(s.sentences);
    cp_buffer_free(&s.passage);
    return result;
}
