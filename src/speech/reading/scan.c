/* Looking at the text around a place. */
#include "speech/reading/tongue.h"

#include <string.h>

bool cp_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cp_is_word_byte(char c)
{
    return cp_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

bool cp_scan_begins(const struct cp_scan *scan, int32_t at, const char *text)
{
    size_t length = strlen(text);
    return at >= 0 && at <= scan->end && (size_t)(scan->end - at) >= length &&
           !memcmp(scan->text + at, text, length);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

void cp_word_before(const struct cp_scan *scan, int32_t at, char word[24])
{
    int32_t end = at;
    while (end > 0 && scan->text[end - 1] == ' ')
        end--;
    int32_t start = end;
    while (start > 0 && end - start < 23 && cp_is_word_byte(scan->text[start - 1]))
        start--;
    size_t length = (size_t)(end - start);
    for (size_t i = 0; i < length; i++)
        word[i] = lower(scan->text[(size_t)start + i]);
    word[length] = '\0';
}

int32_t cp_word_behind(const struct cp_scan *scan, int32_t at, char word[24])
{
    int32_t start = at;
    while (start < scan->end && scan->text[start] == ' ')
        start++;
    int32_t end = start;
    while (end < scan->end && end - start < 23 && cp_is_word_byte(scan->text[end])) {
        word[end - start] = lower(scan->text[end]);
        end++;
    }
    word[end - start] = '\0';
    return end;
}

bool cp_listed(const char *list, const char *word)
{
    char wanted[32] = " ";
    size_t length = strlen(word);
    if (!list || !length || length > sizeof wanted - 3)
        return false;
    memcpy(wanted + 1, word, length);
    wanted[length + 1] = ' ';
    wanted[length + 2] = '\0';
    return strstr(list, wanted) != NULL;
}

int cp_scan_int(const struct cp_scan *scan, int32_t at, int32_t *ret_end)
{
    int value = 0, n = 0;
    for (; at < scan->end && cp_is_digit(scan->text[at]); at++)
        if (++n <= 9)
            value = value * 10 + (scan->text[at] - '0');
    *ret_end = at;
    return n && n <= 9 ? value : -1;
}
