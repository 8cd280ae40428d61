/*
 * A sentence -> captions of at most two lines, each on screen exactly while its words are said.
 *
 * Two lines of some 40 characters are what subtitles on television are kept to. Characters as wide as two
 * Latin ones (Chinese, Japanese, Korean) count twice. A sentence that needs several captions is shared out
 * evenly, so that none is left with a single word.
 */
#include "phrases.h"

#include "media/clock.h"

#include <string.h>

#define LINE_WIDTH   40
#define PHRASE_WIDTH (2 * LINE_WIDTH - 6) /* the break between the lines rarely falls in the middle */
#define MAX_WORDS    512                  /* in one sentence; what comes after them joins the last one */

struct word {
    int start, end; /* bytes of the sentence's text */
    int32_t begin, until;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* How many Latin characters wide the bytes are. */
static int width_of(const char *text, int start, int end)
{
    int width = 0;
    for (int i = start; i < end; i++) {
        uint8_t byte = (uint8_t)text[i];
        if ((byte & 0xc0) != 0x80)
            width += byte >= 0xe1 ? 2 : 1; /* U+1000 and above begin with 0xe1 */
        if (byte == 0xe2)
            width--; /* quotes and dashes, U+2000 to U+2FFF, are narrow */
    }
    return width;
}

/* Marks of foreign voices may lie anywhere: only those that go on in the text are words. One that says the
 * same text as the one before (a number read out) makes that one longer. */
static int read_words(const struct cp_utterance *utterance, struct word *words)
{
    int n = 0, length = (int)strlen(utterance->text);
    for (size_t i = 0; i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        int start = mark->start - utterance->text_start, end = mark->end - utterance->text_start;
        int32_t until = mark->at_samples + mark->length_samples;
        if (mark->type != CP_MARK_WORD || start < 0 || end > length || start >= end)
            continue;
        if (n && until > words[n - 1].until && (end <= words[n - 1].end || n == MAX_WORDS))
            words[n - 1].until = until;
        if (n == MAX_WORDS || (n && start < words[n - 1].end))
            continue;
        words[n++] = (struct word){start, end, mark->at_samples, until};
    }
    return n;
}

/* A voice that tells no words: those of the text, each as long as its share of the bytes. */
static int guess_words(const struct cp_utterance *utterance, struct word *words)
{
    const char *text = utterance->text;
    int n = 0, length = (int)strlen(text);
    for (int at = 0; at < length && n < MAX_WORDS;) {
        int start = at + (int)strspn(text + at, " \t\r\n");
        int end = start + (int)strcspn(text + start, " \t\r\n");
        if (start < end)
            words[n++] = (struct word){start, end, (int32_t)((int64_t)utterance->n_samples * start / length),
                                       (int32_t)((int64_t)utterance->n_samples * end / length)};
        at = end;
    }
    return n;
}

/* Where the text of a phrase ends whose last word is the i-th: behind its punctuation. */
static int end_of_text(const char *text, const struct word *words, int n, int i)
{
    int end = words[i].end, next = i + 1 < n ? words[i + 1].start : (int)strlen(text);
    while (end < next && (i + 1 == n || !is_space(text[end])))
        end++;
    while (end > 0 && is_space(text[end - 1]))
        end--;
    while (((uint8_t)text[end] & 0xc0) == 0x80) /* a mark within a character */
        end++;
    return end;
}

/* May a line begin with this character, where no spaces are written? Ideographs and kana, no punctuation. */
static bool is_wide_letter(const char *at)
{
    uint8_t first = (uint8_t)at[0], second = (uint8_t)at[1];
    return (first >= 0xe4 && first <= 0xed) || (first == 0xe3 && second >= 0x81 && second <= 0x83);
}

/* Where to begin the second line: at the space that leaves the longer line shortest, or without any, before
 * the letter that does. -1: one line will do. */
static int find_break(const char *text, int start, int end)
{
    int best = -1, shortest = 0, width = width_of(text, start, end);
    bool spaces = memchr(text + start, ' ', (size_t)(end - start)) != NULL;
    for (int i = start; i < end && width > LINE_WIDTH; i++) {
        int first = width_of(text, start, i), longer = first > width - first ? first : width - first;
        bool possible = spaces ? is_space(text[i]) : i > start && is_wide_letter(text + i);
        if (possible && (best < 0 || longer < shortest)) {
            best = i;
            shortest = longer;
        }
    }
    return best;
}

/* Copies whole characters, escaped as WebVTT wants it; what does not fit is left out. */
static void write_text(const char *text, int start, int end, char *to)
{
    int at = 0, line_break = find_break(text, start, end);
    for (int i = start; i < end;) {
        int length = 1;
        while (i + length < end && ((uint8_t)text[i + length] & 0xc0) == 0x80)
            length++;
        const char *as = text[i] == '&' ? "&amp;" : text[i] == '<' ? "&lt;" : text[i] == '>' ? "&gt;" : NULL;
        int bytes = as ? (int)strlen(as) : length;
        if (at + bytes + 1 >= CP_HLS_PHRASE_BYTES)
            break;
        if (i == line_break && !is_space(text[i]))
            to[at++] = '\n';
        memcpy(to + at, as ? as : text + i, (size_t)bytes);
        if (is_space(text[i]))
            to[at] = i == line_break ? '\n' : ' ';
        at += bytes;
        i += length;
    }
    to[at] = 0;
}

/* The last word of a phrase that begins at `start`, its first word being the i-th. */
static int last_word(const char *text, const struct word *words, int n, int i, int start)
{
    int left = width_of(text, start, (int)strlen(text));
    int phrases = left > PHRASE_WIDTH ? (left + PHRASE_WIDTH - 1) / PHRASE_WIDTH : 1;
    int share = (left + phrases - 1) / phrases, last = i;
    while (last + 1 < n) {
        int with_next = width_of(text, start, end_of_text(text, words, n, last + 1));
        int present = width_of(text, start, end_of_text(text, words, n, last));
        if (with_next > PHRASE_WIDTH || (present < share && with_next - share > share - present) ||
            present >= share)
            break;
        last++;
    }
    return last;
}

int cp_hls_split(const struct cp_utterance *utterance, struct cp_hls_phrase *phrases, int max)
{
    struct word words[MAX_WORDS];
    const char *text = utterance->text;
    int n_words = read_words(utterance, words), n = 0, start = 0;
    if (!n_words)
        n_words = guess_words(utterance, words);
    for (int i = 0; i < n_words && n < max;) {
        start += (int)strspn(text + start, " \t\r\n");
        int last = last_word(text, words, n_words, i, start);
        int end = end_of_text(text, words, n_words, last), first = i;
        i = last + 1;
        if (end <= start)
            continue; /* words of nothing but spaces */
        struct cp_hls_phrase *phrase = &phrases[n++];
        phrase->begin = words[first].begin;
        phrase->end = words[last].until;
        if (phrase->end <= phrase->begin) /* no lengths: until the next word */
            phrase->end = last + 1 < n_words ? words[last + 1].begin : utterance->n_samples;
        write_text(text, start, end, phrase->text);
        start = end;
    }
    return n;
}
