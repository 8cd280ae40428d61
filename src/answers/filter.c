#include "answers/filter.h"

#include "answers/answers_int.h"
#include "answers/fold.h"
#include "answers/terms.h"
#include "base/hash.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* --- who somebody is --- */

static bool is_mail(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._%+-", c));
}

/* Bytes of an e-mail address at `at`, which begins a word; 0 when there is none. */
static size_t mail_length(const char *at)
{
    size_t name = 0, host = 0;
    while (is_mail(at[name]))
        name++;
    if (!name || at[name] != '@')
        return 0;
    const char *rest = at + name + 1, *dot = NULL;
    while (isalnum((unsigned char)rest[host]) || rest[host] == '-' || rest[host] == '.') {
        if (rest[host] == '.' && isalpha((unsigned char)rest[host + 1]))
            dot = rest + host;
        host++;
    }
    while (host && (rest[host - 1] == '.' || rest[host - 1] == '-'))
        host--;
    return dot && dot < rest + host ? name + 1 + host : 0;
}

/* Bytes of a telephone, card or account number at `at`: seven digits or more, with what people write between
 * them. A year or an amount has fewer. */
static size_t number_length(const char *at)
{
    enum { FEWEST = 7, MOST_BETWEEN = 2 };
    size_t length = 0, end = 0;
    int digits = 0, between = 0;
    for (; at[length] && between <= MOST_BETWEEN; length++) {
        if (isdigit((unsigned char)at[length])) {
            digits++;
            between = 0;
            end = length + 1;
        } else if (strchr(" -./()", at[length]) || (length == 0 && at[length] == '+')) {
            between++;
        } else {
            break;
        }
    }
    return digits >= FEWEST ? end : 0;
}

static void mask(const char *text, struct cp_buffer *out, bool *ret_masked)
{
    bool word = true; /* one may begin here */
    while (*text) {
        size_t taken = word ? mail_length(text) : 0;
        const char *instead = "[e-mail]";
        if (!taken && word && (isdigit((unsigned char)*text) || *text == '+' || *text == '(')) {
            taken = number_length(text);
            instead = "[number]";
        }
        if (taken) {
            cp_buffer_text(out, instead);
            *ret_masked = true;
            text += taken;
            word = false;
            continue;
        }
        word = !isalnum((unsigned char)*text) && (*text & 0x80) == 0;
        cp_buffer_u8(out, (uint8_t)*text++);
    }
}

/* --- spam --- */

static bool has_link(const char *text)
{
    static const char *const SIGNS[] = {"://", "www."};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (strcasestr(text, SIGNS[i]))
            return true;
    return false;
}

/* The same sign six times, or the same word five times in a row: "!!!!!!", "buy buy buy buy buy". */
static bool repeats(const char *text)
{
    enum { SIGNS = 6, WORDS = 5 };
    int same = 1, words = 1;
    size_t before = 0;
    const char *last = "";
    for (const char *c = text; *c; c++) {
        same = c > text && *c == c[-1] && *c != '.' ? same + 1 : 1;
        if (same >= SIGNS && (*c & 0x80) == 0)
            return true;
    }
    for (const char *word = text; *(word += strspn(word, " ,.!?"));) {
        size_t length = strcspn(word, " ,.!?");
        words = length == before && !strncasecmp(word, last, length) ? words + 1 : 1;
        if (words >= WORDS)
            return true;
        last = word;
        before = length;
        word += length;
    }
    return false;
}

/* --- blocked words --- */

static bool is_letter_at(const char *text, size_t at)
{
    UChar32 c;
    int32_t i = (int32_t)at;
    if (!text[at])
        return false;
    U8_NEXT((const uint8_t *)text, i, -1, c);
    return c > 0 && u_isalnum(c);
}

static bool is_letter_before(const char *text, size_t at)
{
    UChar32 c;
    int32_t i = (int32_t)at;
    if (!at)
        return false;
    U8_PREV((const uint8_t *)text, 0, i, c);
    return c > 0 && u_isalnum(c);
}

static bool holds_word(const char *text, const char *word, size_t length)
{
    bool begins = length > 1 && word[length - 1] == '*';
    length -= begins;
    for (size_t at = 0; length && strlen(text + at) >= length; at++)
        if (!strncmp(text + at, word, length) && !is_letter_before(text, at) &&
            (begins || !is_letter_at(text, at + length)))
            return true;
    return false;
}

static bool is_blocked(const char *text, const char *blocked)
{
    enum { MOST = 4096 };
    char folded[MOST], words[MOST];
    cp_fold_case(text, folded, sizeof folded);
    cp_fold_case(blocked, words, sizeof words);
    for (const char *word = words; *(word += strspn(word, ", ")); word += strcspn(word, ",")) {
        size_t length = strcspn(word, ",");
        while (length && word[length - 1] == ' ')
            length--;
        if (holds_word(folded, word, length))
            return true;
    }
    return false;
}

const char *cp_filter_question(const char *text, const char *blocked, struct cp_buffer *ret_text,
                               bool *ret_masked)
{
    *ret_masked = false;
    bool letters = false;
    for (const char *c = text; *c; c++)
        letters |= isalnum((unsigned char)*c) || (*c & 0x80);
    if (!letters)
        return "There is no question in it.";
    if (has_link(text))
        return "Links are not taken. Say it in words.";
    if (repeats(text))
        return "The same thing over and over is not taken.";
    if (is_blocked(text, blocked))
        return "It has words that are not used here.";
    mask(text, ret_text, ret_masked);
    return NULL;
}

/* --- likeness --- */

enum { MOST_TERMS = 64 };

struct terms {
    uint64_t hash[MOST_TERMS];
    int n;
    uint64_t first; /* of all */
};

static uint64_t hash_of(const struct cp_term *term)
{
    return cp_hash_bytes(CP_HASH_SEED, term->text, (size_t)term->length);
}

static int add_term(void *user, const struct cp_term *term)
{
    struct terms *terms = user;
    uint64_t hash = hash_of(term);
    for (int i = 0; i < terms->n; i++)
        if (terms->hash[i] == hash)
            return 0;
    if (terms->n < MOST_TERMS)
        terms->hash[terms->n++] = hash;
    return 0;
}

static int take_first(void *user, const struct cp_term *term)
{
    ((struct terms *)user)->first = hash_of(term);
    return 1;
}

uint64_t cp_filter_likeness(struct cp_cutter *cutter, const char *language, const char *text)
{
    struct terms terms = {.n = 0};
    size_t length = strlen(text);
    char guessed[16];
    if (!*language) {
        cp_guess_language(text, length, guessed);
        language = guessed;
    }
    cp_cut_terms(cutter, language, text, length, CP_CUT_CONTENT, add_term, &terms);
    cp_cut_terms(cutter, language, text, length, CP_CUT_ALL, take_first, &terms);
    uint64_t sum = (uint64_t)terms.n;
    bool content = false;
    for (int i = 0; i < terms.n; i++) {
        content |= terms.hash[i] == terms.first;
        sum += terms.hash[i] * 0x9e3779b97f4a7c15; /* no order */
    }
    return (content ? sum : sum ^ terms.first) | 1;
}
