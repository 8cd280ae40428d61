#include "speech/worker/respell.h"

#include <stdlib.h>
#include <string.h>

void respelling_add(struct respelling *respelling, const char *text, size_t length)
{
    if (respelling->length + length + 1 > respelling->capacity) {
        size_t capacity = (respelling->length + length + 1) * 2;
        char *moved = realloc(respelling->text, capacity);
        if (!moved) {
            respelling->failed = true;
            return;
        }
        respelling->text = moved;
        respelling->capacity = capacity;
    }
    memcpy(respelling->text + respelling->length, text, length);
    respelling->length += length;
    respelling->text[respelling->length] = '\0';
    for (size_t i = 0; i < length; i++)
        respelling->characters += (text[i] & 0xc0) != 0x80;
}

void respelling_word(struct respelling *respelling, int at, int start, int end)
{
    if (respelling->characters <= at)
        return;
    if (respelling->n_words == respelling->word_capacity) {
        int capacity = respelling->word_capacity * 2 + 32;
        struct respelled_word *moved = realloc(respelling->words, (size_t)capacity * sizeof *moved);
        if (!moved) {
            respelling->failed = true;
            return;
        }
        respelling->words = moved;
        respelling->word_capacity = capacity;
    }
    respelling->words[respelling->n_words++] =
        (struct respelled_word){at, respelling->characters - at, start, end};
}

bool respelling_source(const struct respelling *respelling, int at, int *ret_start, int *ret_end)
{
    int low = 0, high = respelling->n_words - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (respelling->words[middle].at <= at)
            low = middle;
        else
            high = middle - 1;
    }
    const struct respelled_word *word = high >= 0 ? &respelling->words[low] : NULL;
    if (!word || at < word->at || at >= word->at + word->length)
        return false;
    *ret_start = word->start;
    *ret_end = word->end;
    return true;
}

void respelling_clear(struct respelling *respelling)
{
    respelling->length = 0;
    respelling->characters = respelling->n_words = 0;
    respelling->failed = false;
    if (respelling->text)
        respelling->text[0] = '\0';
}
