/* Inside reading: the tables of one language, the words being put together, and the scan over the text. */
#ifndef CP_SPEECH_READING_TONGUE_H
#define CP_SPEECH_READING_TONGUE_H

#include "speech/reading/reading.h"

/* How a number is said. */
enum cp_form {
    CP_FORM_NUMBER,    /* counting: "eins" */
    CP_FORM_MASCULINE, /* before a noun: "ein", "un" */
    CP_FORM_FEMININE,  /* "eine", "une", "una" */
    CP_FORM_YEAR,
    CP_FORM_ORDINAL,          /* "third", "dritte", "troisième" */
    CP_FORM_ORDINAL_FEMININE, /* "tercera"; German behind "dem": "dritten" */
    CP_FORM_ORDINAL_BARE,     /* German without an article: "dritter" */
    CP_N_FORMS
};

/* Words put together; a full one takes no more. */
struct cp_words {
    char text[2048];
    size_t length;
    bool spaces; /* between words */
};

struct cp_currency {
    const char *sign, *code; /* "$", "USD" */
    const char *one, *many, *cent, *cents;
    enum cp_form form;
};
struct cp_unit {
    const char *sign, *one, *many;
    enum cp_form form;
};
struct cp_pair {
    const char *sign, *word;
};

struct cp_number {
    bool negative;
    char digits[32], fraction[16]; /* of the whole part without separators, and behind the point */
    bool grouped;
    int32_t end; /* of the text */
};

struct cp_scan;

struct cp_tongue {
    const char *tag;
    bool spaces;         /* between words */
    char decimal, group; /* '.' and ',' or the other way round */
    bool day_first;      /* 5/3/2026 is in March */
    const char *point, *minus, *plus, *percent, *to, *times;
    const char *dot, *slash, *at, *hash, *dash, *underscore; /* of addresses */
    const char *number_sign;                                 /* of "#1" */
    bool percent_first;
    const char *months[12], *short_months[12];
    const char *digits[10];
    const char *rulesets[CP_N_FORMS];     /* ICU's; unused where `number` is set */
    const char *ordinal_suffixes;         /* " st nd rd th " */
    const char *feminine_suffixes;        /* those of them that are feminine */
    const struct cp_currency *currencies; /* all lists end with a NULL sign */
    const struct cp_unit *units;
    const struct cp_pair *abbreviations; /* "Dr." */
    const struct cp_unit *magnitudes;    /* "bn": "billion" */
    const struct cp_pair *emoji;         /* the frequent ones by shorter names than Unicode's; may be NULL */
    const char *rulers;                  /* names whose Roman numerals are ordinals; NULL: none are read */
    const char *parts;                   /* "chapter": before cardinal Roman numerals; NULL: any capital */
    const char *year_words;              /* before a number of 1100 to 1899 they make it a year */
    const char *articles;                /* before "3." they make it an ordinal (German) */
    void (*ruler)(struct cp_scan *scan, struct cp_words *words, int value); /* "the fourteenth" */
    void (*number)(struct cp_words *words, uint64_t value, enum cp_form form);
    /* day and year may be 0 */
    void (*date)(struct cp_scan *scan, struct cp_words *words, int year, int month, int day);
    void (*time)(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second);
    /* of: the number as written; cents < 0 when the amount has none */
    void (*money)(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number, int cents,
                  const struct cp_currency *currency);
    bool (*fraction)(struct cp_scan *scan, struct cp_words *words, int over, int under);
    /* numbers whose noun changes their sound ("3本"); bytes taken of the text at `at`, 0 for none. Optional.
     */
    int32_t (*counter)(struct cp_scan *scan, struct cp_words *words, uint64_t value, int32_t at);
};

struct cp_scan {
    struct cp_reader *reader;
    const struct cp_tongue *tongue; /* NULL in other languages */
    const char *language;
    const char *text;
    int32_t at, end;
    struct cp_reading *out;
    const struct cp_reading_request *request;
};

extern const struct cp_tongue cp_tongue_en, cp_tongue_de, cp_tongue_fr, cp_tongue_es, cp_tongue_zh,
    cp_tongue_ja;

/* A rule takes the bytes that it returns from scan->at on and says `words` for them; 0: it does not apply. */
int32_t cp_rule_address(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_tag(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_emoji(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_markup(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_abbreviation(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_roman(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_date(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_time(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_phone(struct cp_scan *scan, struct cp_words *words);
int32_t cp_rule_number(struct cp_scan *scan, struct cp_words *words);

/* --- words and numbers (numbers.c) --- */

void cp_words_add(struct cp_words *words, const char *text, size_t length);
static inline void cp_words_say(struct cp_words *words, const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    cp_words_add(words, text, length);
}
void cp_say_number(struct cp_scan *scan, struct cp_words *words, uint64_t value, enum cp_form form);
void cp_say_digits(struct cp_scan *scan, struct cp_words *words, const char *digits);
/* Whole part and fraction. */
void cp_say_amount(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number,
                   enum cp_form form);
/* Reads a number at `at`; false when there is none. */
bool cp_read_number(const struct cp_scan *scan, int32_t at, struct cp_number *ret_number);
uint64_t cp_number_value(const struct cp_number *number);
bool cp_number_is_one(const struct cp_number *number);

/* --- the text around (scan.c) --- */

bool cp_is_digit(char c);
/* A letter or digit of ASCII, or any byte of a letter beyond it. */
bool cp_is_word_byte(char c);
bool cp_scan_begins(const struct cp_scan *scan, int32_t at, const char *text);
/* The word before / behind, in small letters, at most 23 bytes; "" when none is there. */
void cp_word_before(const struct cp_scan *scan, int32_t at, char word[24]);
int32_t cp_word_behind(const struct cp_scan *scan, int32_t at, char word[24]);
/* True when " word " stands in the list. */
bool cp_listed(const char *list, const char *word);
/* The end of digits from `at` on, and their value up to nine of them (-1: none or more). */
int cp_scan_int(const struct cp_scan *scan, int32_t at, int32_t *ret_end);

#endif
