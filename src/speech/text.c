/* Plain text to sentences: ICU's sentence breaks, lines, and clauses where a sentence is too long. */
#include "speech/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#define STAGE "speech"

/* Silence behind a sentence, by what follows. Announcers pause 0.2-0.5 s at a full stop. */
enum { PAUSE_CLAUSE_MS = 60, PAUSE_SENTENCE_MS = 260, PAUSE_PARAGRAPH_MS = 450, PAUSE_LAST_MS = 120 };

bool cp_utf8_valid(const char *text, size_t length)
{
    const uint8_t *s = (const uint8_t *)text;
    for (size_t i = 0; i < length;) {
        UChar32 c;
        U8_NEXT(s, i, length, c);
        if (c < 0)
            return false;
    }
    return true;
}

bool cp_text_has_words(const char *text, size_t length)
{
    const uint8_t *s = (const uint8_t *)text;
    for (size_t i = 0; i < length;) {
        UChar32 c;
        U8_NEXT(s, i, length, c);
        if (c > 0 && u_isalnum(c))
            return true;
    }
    return false;
}

void cp_script_free(struct cp_script *script)
{
    free(script->text);
    free(script->spans);
    free(script->pauses);
    free(script->flags);
    free(script->cuts);
    free(script->sentences);
    free(script->notes);
    *script = (struct cp_script){0};
}

const char *cp_script_note(const struct cp_script *script, int32_t note)
{
    return script->notes && note > 0 && note < script->notes_length ? script->notes + note : "";
}

void cp_warn(struct cp_warnings *warnings, const char *format, ...)
{
    if (warnings->n++ >= CP_WARNINGS_MAX)
        return;
    char *text = warnings->text[warnings->n - 1];
    va_list args;
    va_start(args, format);
    vsnprintf(text, CP_WARNING_BYTES, format, args);
    va_end(args);
    size_t length = strlen(text);
    while (length && !cp_utf8_valid(text, length))
        text[--length] = '\0'; /* cut inside a character */
}

const struct cp_span *cp_script_span_at(const struct cp_script *script, int32_t at)
{
    int low = 0, high = script->n_spans - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (script->spans[middle].start <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return &script->spans[low];
}

bool cp_span_goes_on(const struct cp_span *a, const struct cp_span *b)
{
    return a->rate == b->rate && a->pitch == b->pitch && a->volume == b->volume && a->range == b->range &&
           a->emphasis == b->emphasis && a->say_as == b->say_as && a->style == b->style &&
           !strcmp(a->say_as_format, b->say_as_format) && !strcmp(a->language, b->language) &&
           a->voice == b->voice && a->alias == b->alias;
}

/* True when bytes before and behind `at` are read as one: an alias, a date. */
static bool is_inside_whole(const struct cp_script *script, int32_t at)
{
    const struct cp_span *span = cp_script_span_at(script, at);
    return at > span->start && (span->alias || span->say_as || span->phoneme);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A line that goes on in lower case was only wrapped: its newline is a space. Other newlines end a sentence,
 * since headlines and list items rarely have a full stop. */
static bool wraps(const char *text, size_t length, size_t newline)
{
    size_t next = newline + 1;
    while (next < length && (text[next] == ' ' || text[next] == '\t'))
        next++;
    if (next >= length || text[next] == '\n')
        return false;
    UChar32 c;
    U8_NEXT((const uint8_t *)text, next, length, c);
    return c > 0 && u_islower(c);
}

/* --- full stops that end no sentence --- */

/* Before a name or a noun (English, German, French, Spanish, Italian titles and their like) ... */
static const char TITLES[] =
    " mr mrs ms dr prof rev hon gen sen rep gov capt lt col sgt st mt hr fr frl mme mlle "
    "sr sra srta sig dott dipl ing vs cf bzw ca evtl ggf inkl zzgl approx dept ";
/* ... and before a number. */
static const char COUNTERS[] = " no nr vol ch fig pp p art abs n\xc2\xb0 ";

static bool is_listed(const char *list, const char *word, size_t length)
{
    char wanted[16] = " ";
    if (!length || length > sizeof wanted - 3)
        return false;
    for (size_t i = 0; i < length; i++)
        wanted[i + 1] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 32 : word[i]);
    wanted[length + 1] = ' ';
    return strstr(list, wanted) != NULL;
}

/* "J.", "U.S.", "z. B.": single letters, each with its full stop. */
static bool is_initials(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = word[i] | 32;
        if (i % 2 ? word[i] != '.' : c < 'a' || c > 'z')
            return false;
    }
    bool small_letter = length == 2 && word[0] >= 'a'; /* "option b." */
    return length % 2 == 0 && length > 0 && !small_letter;
}

/* True when ICU's break at `end` only follows an abbreviation. (Its own list of suppressions knows "Mr." but
 * not "Dr.") */
static bool is_abbreviation(const char *text, int32_t start, int32_t end)
{
    int32_t stop = end;
    while (stop > start && text[stop - 1] == ' ')
        stop--;
    if (stop == start || stop == end || text[stop - 1] != '.' || !text[end])
        return false;
    int32_t word = stop - 1;
    while (word > start && text[word - 1] != ' ' && text[word - 1] != '(' && text[word - 1] != '\n')
        word--;
    size_t length = (size_t)(stop - 1 - word);
    bool number_follows = text[end] >= '0' && text[end] <= '9';
    return is_listed(TITLES, text + word, length) || is_initials(text + word, length + 1) ||
           (number_follows && is_listed(COUNTERS, text + word, length));
}

/* --- the list of sentences being made --- */

struct splitter {
    struct cp_script *script;
    size_t capacity;
    bool failed;
};

static void add_sentence(struct splitter *splitter, int32_t start, int32_t end, int32_t pause_ms)
{
    struct cp_script *script = splitter->script;
    while (start < end && is_blank(script->text[start]))
        start++;
    while (end > start && is_blank(script->text[end - 1]))
        end--;
    struct cp_sentence *last = script->n_sentences ? &script->sentences[script->n_sentences - 1] : NULL;
    if (!cp_text_has_words(script->text + start, (size_t)(end - start))) {
        if (last && end > start)
            last->end = end; /* stray punctuation belongs to what was said before */
        if (last && pause_ms > last->pause_ms)
            last->pause_ms = pause_ms;
        return;
    }
    if ((size_t)script->n_sentences == splitter->capacity) {
        size_t capacity = splitter->capacity ? splitter->capacity * 2 : 16;
        struct cp_sentence *moved = realloc(script->sentences, capacity * sizeof *moved);
        if (!moved) {
            splitter->failed = true;
            return;
        }
        script->sentences = moved;
        splitter->capacity = capacity;
    }
    script->sentences[script->n_sentences++] = (struct cp_sentence){start, end, pause_ms};
}

static int weight_of(UChar32 c)
{
    UErrorCode status = U_ZERO_ERROR;
    switch (uscript_getScript(c, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
        return 3;
    default:
        return 1;
    }
}

/* How good it is to cut behind this character: 3 clause, 2 white space, 1 between signs, 0 not at all. */
static int cut_quality(UChar32 c, UChar32 next)
{
    if (strchr(",;:)", c < 128 ? (int)c : 1) && (next == ' ' || next == '\n'))
        return 3;
    if (c == 0x3001 || c == 0xff0c || c == 0xff1b || c == 0xff1a || c == 0x2014 || c == 0x060c)
        return 3; /* ideographic and fullwidth commas, semicolon, colon; em dash; Arabic comma */
    if (c == ' ' || c == '\n' || c == 0x3000)
        return 2;
    return u_getCombiningClass(next) == 0 && !u_hasBinaryProperty(next, UCHAR_GRAPHEME_EXTEND);
}

/* Where a piece that starts at `start` ends: `end` when it is short enough, else the last good place to cut.
 * A clause in the second half beats a later space. */
static int32_t next_cut(const struct cp_script *script, int32_t start, int32_t end)
{
    const uint8_t *s = (const uint8_t *)script->text;
    int weight = 0;
    int32_t best[4] = {0};
    for (int32_t i = start; i < end;) {
        UChar32 c, next = ' ';
        U8_NEXT(s, i, end, c);
        weight += weight_of(c);
        if (weight > CP_SENTENCE_MAX_WEIGHT)
            break;
        if (i >= end)
            return end;
        int32_t peek = i;
        U8_NEXT(s, peek, end, next);
        int quality = is_inside_whole(script, i) ? 0 : cut_quality(c, next);
        if (quality < 3 || weight > CP_SENTENCE_MAX_WEIGHT / 4)
            best[quality] = i;
    }
    for (int quality = 3; quality > 0; quality--)
        if (best[quality] > start)
            return best[quality];
    return end;
}

static void add_range(struct splitter *splitter, int32_t start, int32_t end, int32_t pause_ms)
{
    while (start < end) {
        int32_t cut = next_cut(splitter->script, start, end);
        add_sentence(splitter, start, cut, cut < end ? PAUSE_CLAUSE_MS : pause_ms);
        start = cut;
    }
}

/* Adds the sentences up to `end`, cut where the markup says so. */
static void add_with_cuts(struct splitter *splitter, int32_t start, int32_t end, int32_t pause_ms, int *cut)
{
    const struct cp_script *script = splitter->script;
    for (; *cut < script->n_cuts && abs(script->cuts[*cut]) <= end; (*cut)++) {
        int32_t at = abs(script->cuts[*cut]);
        int32_t cut_pause = script->cuts[*cut] < 0 ? PAUSE_PARAGRAPH_MS : PAUSE_SENTENCE_MS;
        struct cp_sentence *last = script->n_sentences ? &script->sentences[script->n_sentences - 1] : NULL;
        if (at <= start) {
            if (last && cut_pause > last->pause_ms)
                last->pause_ms = cut_pause;
            continue;
        }
        add_range(splitter, start, at, at == end && pause_ms > cut_pause ? pause_ms : cut_pause);
        start = at;
    }
    add_range(splitter, start, end, pause_ms);
}

static int32_t pause_behind(const char *text, int32_t end)
{
    int newlines = 0;
    for (int32_t i = end; i > 0 && is_blank(text[i - 1]); i--)
        newlines += text[i - 1] == '\n';
    for (int32_t i = end; is_blank(text[i]); i++)
        newlines += text[i] == '\n';
    return newlines ? PAUSE_PARAGRAPH_MS : PAUSE_SENTENCE_MS;
}

int cp_script_split(struct cp_script *script, struct cp_error *error)
{
    struct splitter splitter = {.script = script};
    UErrorCode status = U_ZERO_ERROR;
    UBreakIterator *breaks = ubrk_open(UBRK_SENTENCE, "en", NULL, 0, &status);
    UText *utext = utext_openUTF8(NULL, script->text, script->length, &status);
    ubrk_setUText(breaks, utext, &status);
    if (U_SUCCESS(status)) {
        int cut = 0;
        int32_t start = 0;
        for (int32_t end; (end = ubrk_next(breaks)) != UBRK_DONE;) {
            if (is_abbreviation(script->text, start, end) || is_inside_whole(script, end))
                continue;
            add_with_cuts(&splitter, start, end, pause_behind(script->text, end), &cut);
            start = end;
        }
    }
    if (breaks)
        ubrk_close(breaks);
    utext_close(utext);
    if (U_FAILURE(status))
        return cp_fail(error, CP_ERR_INTERNAL, STAGE, "Splitting text failed: %s.", u_errorName(status));
    if (splitter.failed)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    if (!script->n_sentences)
        return cp_fail(error, CP_ERR_INVALID, STAGE,
                       "There is nothing to say: the text holds no letter and no digit.");
    script->sentences[script->n_sentences - 1].pause_ms = PAUSE_LAST_MS;
    return 0;
}

int cp_script_read_text(const char *text, size_t max_bytes, struct cp_script *ret_script,
                        struct cp_error *error)
{
    size_t length = strnlen(text, max_bytes + 1);
    if (length > max_bytes)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "The text is longer than %zu bytes; send it in parts.",
                       max_bytes);
    if (!cp_utf8_valid(text, length))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "The text is not valid UTF-8.");
    struct cp_script script = {.length = (int32_t)length, .n_spans = 1};
    script.text = calloc(length + 1, 1);
    script.spans = malloc(sizeof *script.spans);
    if (!script.text || !script.spans) {
        cp_script_free(&script);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    }
    script.spans[0] = CP_SPAN_PLAIN;
    for (size_t i = 0; i <= length; i++) {
        uint8_t c = (uint8_t)text[i];
        bool space = (c && c < 0x20 && c != '\n') || c == 0x7f || (c == '\n' && wraps(text, length, i));
        script.text[i] = space ? ' ' : text[i];
    }
    int result = cp_script_split(&script, error);
    if (result)
        cp_script_free(&script);
    else
        *ret_script = script;
    return result;
}
