/* The scan: rules where they apply, everything else as it stands. */
#include "speech/reading/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* --- the reading being made --- */

static bool reserve(struct cp_reading *reading, int32_t more)
{
    if (reading->length + more + 1 > reading->capacity) {
        int32_t capacity = (reading->length + more + 1) * 2;
        char *moved = realloc(reading->text, (size_t)capacity);
        if (!moved)
            return false;
        reading->text = moved;
        reading->capacity = capacity;
    }
    if (reading->n_parts == reading->part_capacity) {
        int capacity = reading->part_capacity * 2 + 16;
        struct cp_reading_part *moved = realloc(reading->parts, (size_t)capacity * sizeof *moved);
        if (!moved)
            return false;
        reading->parts = moved;
        reading->part_capacity = capacity;
    }
    return true;
}

static void put(struct cp_reading *reading, const char *text, int32_t length, int32_t source,
                int32_t source_end, bool same)
{
    if (reading->failed || !reserve(reading, length)) {
        reading->failed = true;
        return;
    }
    struct cp_reading_part *last = reading->n_parts ? &reading->parts[reading->n_parts - 1] : NULL;
    memcpy(reading->text + reading->length, text, (size_t)length);
    if (last && last->same && same && last->source_end == source) {
        last->spoken_end += length;
        last->source_end = source_end;
    } else {
        reading->parts[reading->n_parts++] =
            (struct cp_reading_part){reading->length, reading->length + length, source, source_end, same};
    }
    reading->length += length;
    reading->text[reading->length] = '\0';
}

/* What stands for source [at, at + taken), with spaces where it would run into its neighbours. */
static void put_words(struct cp_scan *scan, const struct cp_words *words, int32_t taken)
{
    struct cp_reading *out = scan->out;
    int32_t end = scan->at + taken;
    bool spaces = !scan->tongue || scan->tongue->spaces;
    if (!words->length) {
        if (out->length && out->text[out->length - 1] != ' ')
            put(out, " ", 1, scan->at, end, false);
        return;
    }
    if (spaces && out->length && cp_is_word_byte(out->text[out->length - 1]))
        put(out, " ", 1, scan->at, scan->at, false);
    put(out, words->text, (int32_t)words->length, scan->at, end, false);
    if (spaces && end < scan->end && cp_is_word_byte(scan->text[end]))
        put(out, " ", 1, end, end, false);
}

void cp_reading_free(struct cp_reading *reading)
{
    free(reading->text);
    free(reading->parts);
    free(reading->pronounced);
    *reading = (struct cp_reading){0};
}

static const struct cp_reading_part *part_at(const struct cp_reading *reading, int32_t spoken)
{
    int low = 0, high = reading->n_parts - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (reading->parts[middle].spoken <= spoken)
            low = middle;
        else
            high = middle - 1;
    }
    return &reading->parts[low];
}

void cp_reading_source(const struct cp_reading *reading, int32_t start, int32_t end, int32_t *ret_start,
                       int32_t *ret_end)
{
    *ret_start = *ret_end = 0;
    if (!reading->n_parts)
        return;
    start = start < 0 ? 0 : start >= reading->length ? reading->length - 1 : start;
    end = end <= start ? start : end > reading->length ? reading->length : end;
    const struct cp_reading_part *first = part_at(reading, start);
    const struct cp_reading_part *last = end > start ? part_at(reading, end - 1) : first;
    *ret_start = first->same ? first->source + (start - first->spoken) : first->source;
    *ret_end = last->same ? last->source + (end - last->spoken) : last->source_end;
}

/* --- scanning --- */

static const struct cp_tongue *tongue_of(const char *language)
{
    static const struct cp_tongue *const TONGUES[] = {&cp_tongue_en, &cp_tongue_de, &cp_tongue_fr,
                                                      &cp_tongue_es, &cp_tongue_zh, &cp_tongue_ja};
    size_t length = strcspn(language, "-_");
    if (length == 3 && !strncmp(language, "cmn", 3))
        return &cp_tongue_zh;
    for (size_t i = 0; i < sizeof TONGUES / sizeof *TONGUES; i++)
        if (length == 2 && !strncmp(TONGUES[i]->tag, language, 2))
            return TONGUES[i];
    return NULL;
}

typedef int32_t (*rule)(struct cp_scan *, struct cp_words *);
/* In the order in which they are tried. */
static const rule EVERYWHERE[] = {cp_rule_address, cp_rule_tag, cp_rule_emoji, cp_rule_markup};
static const rule KNOWN[] = {cp_rule_date,   cp_rule_time,         cp_rule_phone,
                             cp_rule_number, cp_rule_abbreviation, cp_rule_roman};

static int32_t apply(struct cp_scan *scan, struct cp_words *words)
{
    int32_t taken = 0;
    for (size_t i = 0; !taken && i < sizeof EVERYWHERE / sizeof *EVERYWHERE; i++) {
        words->length = 0;
        taken = EVERYWHERE[i](scan, words);
    }
    for (size_t i = 0; !taken && scan->tongue && i < sizeof KNOWN / sizeof *KNOWN; i++) {
        words->length = 0;
        taken = KNOWN[i](scan, words);
    }
    return taken;
}

/* The end of the run of letters and digits that starts here, or of one other character. In Chinese and
 * Japanese each sign may begin something. */
static int32_t copy_end(const struct cp_scan *scan)
{
    const uint8_t *s = (const uint8_t *)scan->text;
    int32_t at = scan->at;
    UChar32 c;
    U8_NEXT(s, at, scan->end, c);
    bool whole = !scan->tongue || scan->tongue->spaces || c < 0x80;
    while (whole && c > 0 && u_isalnum(c) && at < scan->end) {
        int32_t next = at;
        U8_NEXT(s, next, scan->end, c);
        if (c <= 0 || (!u_isalnum(c) && u_getCombiningClass(c) == 0) ||
            (c >= 0x2e80 && scan->text[scan->at] > 0))
            break;
        at = next;
    }
    return at;
}

/* True where a word may begin: not in the middle of one. */
static bool at_word_start(const struct cp_scan *scan)
{
    if (scan->at == 0)
        return true;
    char before = scan->text[scan->at - 1];
    return !cp_is_word_byte(before) || (unsigned char)before >= 0x80;
}

/* The source's next `taken` bytes are said as written, but pronounced so. */
static void put_pronounced(struct cp_scan *scan, int32_t taken, const char *ipa)
{
    struct cp_reading *out = scan->out;
    struct cp_pronounced *moved = out->pronounced;
    if ((out->n_pronounced & (out->n_pronounced - 1)) == 0) /* a power of two: full */
        moved = realloc(moved, (size_t)(out->n_pronounced ? out->n_pronounced * 2 : 1) * sizeof *moved);
    if (!moved) {
        out->failed = true;
        return;
    }
    out->pronounced = moved;
    int32_t start = out->length;
    put(out, scan->text + scan->at, taken, scan->at, scan->at + taken, true);
    out->pronounced[out->n_pronounced++] = (struct cp_pronounced){start, out->length, ipa};
}

/* A lexicon's alias is read by the same rules, without the lexicon. */
static int32_t replace_by_lexicon(struct cp_scan *scan)
{
    const struct cp_reading_request *asked = scan->request;
    struct cp_lexicon_entry entry;
    if (!asked->lexicon || !at_word_start(scan))
        return 0;
    size_t taken = cp_lexicon_match(asked->lexicon, scan->language, scan->text + scan->at,
                                    (size_t)(scan->end - scan->at), asked->phones, &entry);
    if (!taken)
        return 0;
    if (entry.phoneme) {
        put_pronounced(scan, (int32_t)taken, entry.phoneme);
        return (int32_t)taken;
    }
    struct cp_reading read = {0};
    struct cp_reading_request request = {
        .language = scan->language, .text = entry.alias, .length = (int32_t)strlen(entry.alias)};
    struct cp_words words = {.length = 0};
    if (cp_reader_read(scan->reader, &request, &read))
        scan->out->failed = true;
    else
        cp_words_add(&words, read.text, (size_t)read.length);
    put_words(scan, &words, (int32_t)taken);
    cp_reading_free(&read);
    return (int32_t)taken;
}

/* What the markup says how to pronounce; *next is the stretch to come. */
static int32_t pronounce(struct cp_scan *scan, int *next)
{
    const struct cp_reading_request *asked = scan->request;
    while (*next < asked->n_pronounced && asked->pronounced[*next].start < scan->at)
        ++*next;
    if (*next == asked->n_pronounced || asked->pronounced[*next].start != scan->at ||
        asked->pronounced[*next].end > scan->end)
        return 0;
    int32_t taken = asked->pronounced[*next].end - scan->at;
    put_pronounced(scan, taken, asked->pronounced[*next].ipa);
    return taken;
}

static void read_plainly(struct cp_scan *scan)
{
    int next = 0;
    struct cp_words words = {.spaces = !scan->tongue || scan->tongue->spaces};
    while (scan->at < scan->end) {
        int32_t taken = 0;
        if (scan->out->length < CP_READING_MAX_BYTES) {
            taken = pronounce(scan, &next);
            if (!taken)
                taken = replace_by_lexicon(scan);
            if (!taken && (taken = apply(scan, &words)) > 0)
                put_words(scan, &words, taken);
        }
        if (!taken) {
            taken = copy_end(scan) - scan->at;
            put(scan->out, scan->text + scan->at, taken, scan->at, scan->at + taken, true);
        }
        scan->at += taken;
    }
}

/* --- say-as --- */

static bool say_number_as(struct cp_scan *scan, struct cp_words *words, enum cp_say_as say_as)
{
    struct cp_number number;
    if (!scan->tongue || !cp_read_number(scan, scan->at, &number) || strlen(number.digits) > 15)
        return false;
    if (say_as == CP_SAY_ORDINAL)
        cp_say_number(scan, words, cp_number_value(&number), CP_FORM_ORDINAL);
    else
        cp_say_amount(scan, words, &number, CP_FORM_NUMBER);
    put_words(scan, words, number.end - scan->at);
    scan->at = number.end;
    return true;
}

/* Sign by sign with a comma between, which every engine spells; digits get their names. */
static void say_one_sign(struct cp_scan *scan, struct cp_words *words)
{
    const uint8_t *s = (const uint8_t *)scan->text;
    int32_t end = scan->at;
    U8_FWD_1(s, end, scan->end);
    char c = scan->text[scan->at];
    if (cp_is_digit(c) && scan->tongue)
        cp_words_say(words, scan->tongue->digits[c - '0']);
    else if (cp_is_word_byte(c))
        cp_words_add(words, scan->text + scan->at, (size_t)(end - scan->at));
    bool spaces = !scan->tongue || scan->tongue->spaces;
    if (words->length && spaces && scan->out->length)
        put(scan->out, " ", 1, scan->at, scan->at, false);
    if (words->length)
        put(scan->out, words->text, (int32_t)words->length, scan->at, end, false);
    scan->at = end;
}

int cp_reader_read(struct cp_reader *reader, const struct cp_reading_request *request,
                   struct cp_reading *ret_reading)
{
    *ret_reading = (struct cp_reading){0};
    struct cp_scan scan = {.reader = reader,
                           .tongue = tongue_of(request->language),
                           .language = request->language,
                           .text = request->text,
                           .end = request->length,
                           .out = ret_reading,
                           .request = request};
    put(ret_reading, "", 0, 0, 0, true); /* so that there always is a text */
    bool number = request->say_as == CP_SAY_CARDINAL || request->say_as == CP_SAY_ORDINAL;
    bool signs = request->say_as == CP_SAY_CHARACTERS || request->say_as == CP_SAY_DIGITS ||
                 request->say_as == CP_SAY_TELEPHONE;
    if (!number && !signs)
        read_plainly(&scan);
    while (scan.at < scan.end) {
        struct cp_words words = {.spaces = !scan.tongue || scan.tongue->spaces};
        if (number && say_number_as(&scan, &words, request->say_as))
            continue;
        if (!number) {
            say_one_sign(&scan, &words);
            continue;
        }
        int32_t taken = copy_end(&scan) - scan.at;
        put(scan.out, scan.text + scan.at, taken, scan.at, scan.at + taken, true);
        scan.at += taken;
    }
    if (!ret_reading->failed)
        return 0;
    cp_reading_free(ret_reading);
    return CP_ERR_NOMEM;
}

struct cp_reader *cp_reader_create(void)
{
    return calloc(1, sizeof(struct cp_reader));
}

void cp_reader_destroy(struct cp_reader *reader)
{
    for (int i = 0; reader && i < reader->n_formats; i++)
        unum_close(reader->formats[i].format);
    free(reader);
}
