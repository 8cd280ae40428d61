/* Texts that espeak-ng reads better when they are spelled for it: Chinese as pinyin, Japanese as kana. */
#ifndef CP_SPEECH_WORKER_RESPELL_H
#define CP_SPEECH_WORKER_RESPELL_H

#include <stdbool.h>
#include <stddef.h>

/* Characters [at, at + length) of the new spelling stand for bytes [start, end) of the text. */
struct respelled_word {
    int at, length, start, end;
};

struct respelling {
    char *text; /* UTF-8, NUL-terminated; NULL while empty */
    size_t length, capacity;
    int characters; /* of text */
    struct respelled_word *words;
    int n_words, word_capacity;
    bool failed; /* out of memory */
};

void respelling_add(struct respelling *respelling, const char *text, size_t length);
/* The characters since `at` stand for text bytes [start, end). */
void respelling_word(struct respelling *respelling, int at, int start, int end);
/* The text bytes that a character of the spelling stands for; false when it stands for none. */
bool respelling_source(const struct respelling *respelling, int at, int *ret_start, int *ret_end);
/* Empties it and keeps the memory. */
void respelling_clear(struct respelling *respelling);

/* Both give false when they cannot: the text is then spoken as it stands. */
bool respell_mandarin(const char *text, struct respelling *respelling);
bool respell_japanese(const char *text, struct respelling *respelling);
/* "" when Japanese can be respelled, else what to do so that it can. */
const char *respell_japanese_why_not(void);

#endif
