/* Addresses, #tags and @names, and signs that nobody wants to hear: the same in all languages. */
#include "speech/reading/tongue.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { LONGEST_ADDRESS = 400, LONGEST_PATH = 48 };

static bool is_alnum(char c)
{
    return cp_is_word_byte(c) && (unsigned char)c < 0x80;
}

static bool at_start(const struct cp_scan *scan)
{
    return scan->at == 0 || !is_alnum(scan->text[scan->at - 1]);
}

/* --- addresses --- */

/* The end of what may belong to an address, without the punctuation of the sentence around it. */
static int32_t address_end(const struct cp_scan *scan)
{
    int32_t end = scan->at;
    while (end < scan->end && end - scan->at < LONGEST_ADDRESS &&
           (is_alnum(scan->text[end]) || strchr("._-@/:?=&%+#~", scan->text[end])))
        end++;
    while (end > scan->at && strchr(".,:;!?-&=#~", scan->text[end - 1]))
        end--;
    return end;
}

static bool is_known_top(const char *text, size_t length)
{
    static const char TOPS[] =
        " com org net info gov edu mil int io ai tv app dev co uk us ca au de at ch fr es it nl "
        "be pl se no dk fi pt mx ar br cl eu cn jp kr tw hk ru in news online shop ";
    char word[24];
    if (length < 2 || length >= sizeof word)
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    return cp_listed(TOPS, word);
}

/* "example.com": labels of small letters, digits and hyphens, the last a known top-level domain. */
static bool is_host(const char *text, size_t length)
{
    size_t dot = 0, dots = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '.') {
            if (i == 0 || text[i - 1] == '.')
                return false;
            dot = i;
            dots++;
        } else if (!(c >= 'a' && c <= 'z') && !cp_is_digit(c) && c != '-') {
            return false;
        }
    }
    return dots && is_known_top(text + dot + 1, length - dot - 1);
}

/* Letters and digits as they stand, signs by their names. */
static void say_address(const struct cp_scan *scan, struct cp_words *words, const char *text, size_t length)
{
    const struct cp_tongue *tongue = scan->tongue;
    if (!tongue) {
        cp_words_add(words, text, length);
        return;
    }
    for (size_t i = 0; i < length;) {
        size_t end = i;
        while (end < length && is_alnum(text[end]))
            end++;
        if (end > i) {
            cp_words_add(words, text + i, end - i);
            i = end;
            continue;
        }
        const char *name = text[i] == '.'   ? tongue->dot
                           : text[i] == '/' ? tongue->slash
                           : text[i] == '@' ? tongue->at
                           : text[i] == '-' ? tongue->dash
                           : text[i] == '_' ? tongue->underscore
                                            : "";
        cp_words_say(words, name);
        i++;
    }
}

/* The scheme and "www." are not said, nor what stands behind "?", nor a long path. */
static bool say_url(const struct cp_scan *scan, struct cp_words *words, const char *text, size_t length)
{
    static const char *const SCHEMES[] = {"https://", "http://", "ftp://"};
    bool sure = false;
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        size_t n = strlen(SCHEMES[i]);
        if (length > n && !strncmp(text, SCHEMES[i], n)) {
            text += n;
            length -= n;
            sure = true;
            break;
        }
    }
    if (length > 4 && !strncmp(text, "www.", 4)) {
        text += 4;
        length -= 4;
        sure = true;
    }
    size_t host = 0;
    while (host < length && !strchr("/?#:", text[host]))
        host++;
    if (!host || (!sure && !is_host(text, host)))
        return false;
    size_t path = host;
    while (path < length && text[path] != '?' && text[path] != '#')
        path++;
    while (path > host && text[path - 1] == '/')
        path--;
    say_address(scan, words, text, path - host > LONGEST_PATH ? host : path);
    return true;
}

static bool say_email(const struct cp_scan *scan, struct cp_words *words, const char *text, size_t length)
{
    const char *at = memchr(text, '@', length);
    if (!at || at == text || memchr(at + 1, '@', length - (size_t)(at + 1 - text)))
        return false;
    const char *domain = at + 1;
    size_t domain_length = length - (size_t)(domain - text);
    if (!memchr(domain, '.', domain_length) || memchr(text, '/', length) || memchr(text, ':', length))
        return false;
    say_address(scan, words, text, length);
    return true;
}

int32_t cp_rule_address(struct cp_scan *scan, struct cp_words *words)
{
    if (!at_start(scan) || !is_alnum(scan->text[scan->at]))
        return 0;
    int32_t end = address_end(scan);
    const char *text = scan->text + scan->at;
    size_t length = (size_t)(end - scan->at);
    if (!memchr(text, '.', length))
        return 0;
    return say_email(scan, words, text, length) || say_url(scan, words, text, length) ? end - scan->at : 0;
}

/* --- tags and names --- */

/* "BreakingNews2026" is three words. */
static void say_camel(struct cp_words *words, const char *text, size_t length)
{
    size_t start = 0;
    for (size_t i = 1; i <= length; i++) {
        bool small =
            i < length && text[i - 1] >= 'a' && text[i - 1] <= 'z' && text[i] >= 'A' && text[i] <= 'Z';
        bool number = i < length && cp_is_digit(text[i - 1]) != cp_is_digit(text[i]);
        bool line = i < length && text[i] == '_';
        if (i == length || small || number || line) {
            cp_words_add(words, text + start, i - start);
            start = i + line;
        }
    }
}

int32_t cp_rule_tag(struct cp_scan *scan, struct cp_words *words)
{
    char sign = scan->text[scan->at];
    int32_t end = scan->at + 1;
    if ((sign != '#' && sign != '@') || !at_start(scan) || end >= scan->end ||
        !cp_is_word_byte(scan->text[end]))
        return 0;
    if (!scan->tongue)
        return sign == '#'; /* the word stays, the sign goes */
    if (sign == '#' && cp_is_digit(scan->text[end])) {
        struct cp_number number;
        cp_words_say(words, scan->tongue->number_sign);
        cp_read_number(scan, end, &number);
        cp_say_amount(scan, words, &number, CP_FORM_NUMBER);
        return number.end - scan->at;
    }
    while (end < scan->end && end - scan->at < 100 &&
           (cp_is_word_byte(scan->text[end]) || scan->text[end] == '_'))
        end++;
    while (end < scan->end && ((unsigned char)scan->text[end] & 0xc0) == 0x80)
        end++; /* never within a letter */
    while (scan->text[end - 1] == '_')
        end--;
    cp_words_say(words, sign == '#' ? scan->tongue->hash : scan->tongue->at);
    say_camel(words, scan->text + scan->at + 1, (size_t)(end - scan->at - 1));
    return end - scan->at;
}

/* --- markup --- */

/* Markdown's signs, which language models like to write, and other typewriter art: engines would say
 * "asterisk". */
int32_t cp_rule_markup(struct cp_scan *scan, struct cp_words *words)
{
    char c = scan->text[scan->at];
    char next = scan->at + 1 < scan->end ? scan->text[scan->at + 1] : '\0';
    bool heading = c == '#' && (next == '#' || next == ' ' || !next);
    return heading || (c && strchr("*`_~|\\^{}[]", c));
}
