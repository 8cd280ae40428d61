#include "answers/terms.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

enum { MAX_STEMMERS = 12 };

struct cp_cutter {
    struct {
        char language[4];
        struct sb_stemmer *stemmer; /* NULL: there is none for it */
    } stemmers[MAX_STEMMERS];
    int n_stemmers;
    const UNormalizer2 *nfkd;
};

struct cp_cutter *cp_cutter_create(void)
{
    UErrorCode error = U_ZERO_ERROR;
    struct cp_cutter *cutter = calloc(1, sizeof *cutter);
    if (cutter)
        cutter->nfkd = unorm2_getNFKDInstance(&error);
    return cutter;
}

void cp_cutter_destroy(struct cp_cutter *cutter)
{
    if (!cutter)
        return;
    for (int i = 0; i < cutter->n_stemmers; i++)
        sb_stemmer_delete(cutter->stemmers[i].stemmer);
    free(cutter);
}

/* By the tag's first two letters; a fuller table than any text needs is not made: the last gives way. */
static struct sb_stemmer *stemmer_for(struct cp_cutter *cutter, const char *language)
{
    if (!language || strlen(language) < 2 || (language[2] && language[2] != '-'))
        return NULL;
    for (int i = 0; i < cutter->n_stemmers; i++)
        if (!strncmp(cutter->stemmers[i].language, language, 2))
            return cutter->stemmers[i].stemmer;
    int at = cutter->n_stemmers < MAX_STEMMERS ? cutter->n_stemmers++ : MAX_STEMMERS - 1;
    sb_stemmer_delete(cutter->stemmers[at].stemmer);
    memcpy(cutter->stemmers[at].language, language, 2);
    cutter->stemmers[at].stemmer = sb_stemmer_new(cutter->stemmers[at].language, "UTF_8");
    return cutter->stemmers[at].stemmer;
}

/* --- signs --- */

/* Scripts that are written without spaces between words, and Hangul, whose words carry their particles. */
static bool is_paired(UChar32 c)
{
    if (c < 0x0e00)
        return false;
    return c <= 0x0eff                        /* Thai, Lao */
           || (c >= 0x1000 && c <= 0x109f)    /* Myanmar */
           || (c >= 0x1780 && c <= 0x17ff)    /* Khmer */
           || (c >= 0x3005 && c <= 0x3007)    /* iteration mark, closing mark, zero */
           || (c >= 0x3040 && c <= 0x30ff)    /* kana */
           || (c >= 0x31f0 && c <= 0x31ff)    /* small kana */
           || (c >= 0x3400 && c <= 0x9fff)    /* Han */
           || (c >= 0xac00 && c <= 0xd7a3)    /* Hangul */
           || (c >= 0xf900 && c <= 0xfaff)    /* Han, compatibility */
           || (c >= 0xff66 && c <= 0xff9f)    /* kana, half width */
           || (c >= 0x20000 && c <= 0x3ffff); /* Han */
}

static bool is_of_word(UChar32 c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    int8_t type = u_charType(c);
    return u_isalnum(c) || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK;
}

static bool is_apostrophe(UChar32 c)
{
    return c == '\'' || c == 0x2019 || c == 0x02bc;
}

static void append(char *text, int *length, UChar32 c)
{
    int n = U8_LENGTH(c);
    if (*length + n > CP_TERM_BYTES)
        return;
    U8_APPEND_UNSAFE(text, *length, c);
}

/* --- words --- */

struct cutting {
    struct cp_cutter *cutter;
    struct sb_stemmer *stemmer;
    const char *language;
    enum cp_cut how;
    int (*each)(void *user, const struct cp_term *term);
    void *user;
    char word[CP_TERM_BYTES + 1]; /* being gathered, folded, with its accents */
    int length, n_letters;
    int32_t start;
    bool has_digit, after_apostrophe;
    UChar32 last; /* of a run of paired signs; 0: none */
    int32_t last_start, last_end;
    bool paired; /* `last` is in a pair already */
};

/* Takes accents off, wide forms to plain ones: "é" -> "e", "Ａ" -> "a". */
static void strip(const struct cp_cutter *cutter, const char *word, int length, struct cp_term *term)
{
    term->length = 0;
    for (int i = 0; i < length;) {
        UChar32 c;
        U8_NEXT_UNSAFE(word, i, c);
        UChar parts[32];
        UErrorCode error = U_ZERO_ERROR;
        int n = c < 0x80 ? -1 : unorm2_getDecomposition(cutter->nfkd, c, parts, 32, &error);
        if (c == 0xdf) { /* sharp s */
            append(term->text, &term->length, 's');
            append(term->text, &term->length, 's');
        } else if (n < 0 || U_FAILURE(error)) {
            if (!(c >= 0x300 && c <= 0x36f))
                append(term->text, &term->length, c);
        } else {
            for (int k = 0; k < n;) {
                UChar32 part;
                U16_NEXT(parts, k, n, part);
                if (!(part >= 0x300 && part <= 0x36f))
                    append(term->text, &term->length, u_tolower(part));
            }
        }
    }
    term->text[term->length] = 0;
}

static int end_word(struct cutting *c, int32_t end, bool at_apostrophe)
{
    int length = c->length, letters = c->n_letters;
    bool fragment = letters == 1 && !c->has_digit && (c->after_apostrophe || at_apostrophe); /* 's, l' */
    c->length = c->n_letters = 0;
    if (!length || fragment ||
        (c->how == CP_CUT_CONTENT && cp_is_stop_word(c->language, c->word, (size_t)length)))
        return 0;
    const char *word = c->word;
    if (c->stemmer && !c->has_digit) {
        word = (const char *)sb_stemmer_stem(c->stemmer, (const sb_symbol *)c->word, length);
        length = sb_stemmer_length(c->stemmer);
        if (!word)
            return 0;
    }
    struct cp_term term = {.start = c->start, .end = end};
    strip(c->cutter, word, length, &term);
    return term.length ? c->each(c->user, &term) : 0;
}

static void add_letter(struct cutting *c, UChar32 letter, int32_t start, bool after_apostrophe)
{
    if (!c->n_letters) {
        c->start = start;
        c->has_digit = false;
        c->after_apostrophe = after_apostrophe;
    }
    c->n_letters++;
    c->has_digit |= u_isdigit(letter);
    append(c->word, &c->length, u_foldCase(letter, U_FOLD_CASE_DEFAULT));
}

/* --- pairs --- */

static int end_run(struct cutting *c)
{
    struct cp_term term = {.start = c->last_start, .end = c->last_end, .prefix = true};
    bool alone = c->last && !c->paired;
    if (alone)
        append(term.text, &term.length, c->last);
    c->last = 0;
    c->paired = false;
    return alone ? c->each(c->user, &term) : 0;
}

static int add_paired(struct cutting *c, UChar32 sign, int32_t start, int32_t end)
{
    struct cp_term term = {.start = c->last_start, .end = end};
    UChar32 last = c->last;
    c->paired = last != 0;
    c->last = sign;
    c->last_start = start;
    c->last_end = end;
    if (!last)
        return 0;
    append(term.text, &term.length, last);
    append(term.text, &term.length, sign);
    return c->each(c->user, &term);
}

int cp_cut_terms(struct cp_cutter *cutter, const char *language, const char *text, size_t length,
                 enum cp_cut how, int (*each)(void *user, const struct cp_term *term), void *user)
{
    struct cutting c = {.cutter = cutter,
                        .stemmer = stemmer_for(cutter, language),
                        .language = language ? language : "",
                        .how = how,
                        .each = each,
                        .user = user};
    bool after_apostrophe = false;
    int result = 0;
    for (int32_t at = 0; at < (int32_t)length && !result;) {
        int32_t start = at;
        UChar32 sign;
        U8_NEXT(text, at, (int32_t)length, sign);
        if (sign >= 0 && is_paired(sign)) {
            size_t phrase = how == CP_CUT_CONTENT ? cp_stop_phrase(text + start, length - (size_t)start) : 0;
            result = end_word(&c, start, false);
            if (!result)
                result = phrase ? end_run(&c) : add_paired(&c, sign, start, at);
            at = phrase ? start + (int32_t)phrase : at;
        } else if (sign >= 0 && is_of_word(sign)) {
            result = end_run(&c);
            add_letter(&c, sign, start, after_apostrophe);
        } else {
            result = end_word(&c, start, is_apostrophe(sign));
            if (!result)
                result = end_run(&c);
        }
        after_apostrophe = is_apostrophe(sign);
    }
    if (!result)
        result = end_word(&c, (int32_t)length, false);
    return result ? result : end_run(&c);
}
