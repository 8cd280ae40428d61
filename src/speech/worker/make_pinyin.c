/*
 * Run while building: writes the usual sound of each Chinese sign, as ICU's transliterator Han-Latin gives
 * it, as a table in C. Opening that transliterator takes 200 ms, which no first sentence should wait for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utrans.h>

enum { FIRST = 0x3400, LAST = 0x9fff, MOST = 4000, LONGEST = 24 };

static char syllables[MOST][16] = {""}; /* the first is for signs without a sound */
static int n_syllables = 1;

/* With the tone as a digit: "nǚ" is "nv3". False when ICU knows no sound. */
static bool sound_of(UTransliterator *latin, const UNormalizer2 *apart, UChar32 sign, char pinyin[16])
{
    static const struct {
        UChar mark;
        char tone;
    } TONES[] = {{0x304, '1'}, {0x301, '2'}, {0x30c, '3'}, {0x300, '4'}};
    UChar text[LONGEST] = {0}, split[LONGEST];
    int32_t length = 0;
    size_t n = 0;
    char tone = '5';
    UErrorCode status = U_ZERO_ERROR;
    U16_APPEND_UNSAFE(text, length, sign);
    int32_t limit = length;
    utrans_transUChars(latin, text, &length, LONGEST, 0, &limit, &status);
    length = unorm2_normalize(apart, text, length, split, LONGEST, &status);
    for (int32_t i = 0; U_SUCCESS(status) && i < length && n < 12; i++) {
        if (split[i] >= 'a' && split[i] <= 'z')
            pinyin[n++] = (char)split[i];
        else if (split[i] == 0x308 && n && pinyin[n - 1] == 'u')
            pinyin[n - 1] = 'v';
        for (int k = 0; k < 4; k++)
            if (split[i] == TONES[k].mark)
                tone = TONES[k].tone;
    }
    pinyin[n] = tone;
    pinyin[n + 1] = '\0';
    return n > 0;
}

static int index_of(const char *pinyin)
{
    int i = 1;
    while (i < n_syllables && strcmp(syllables[i], pinyin) != 0)
        i++;
    if (i == MOST)
        return 0;
    if (i == n_syllables)
        strcpy(syllables[n_syllables++], pinyin);
    return i;
}

int main(int argc, char **argv)
{
    UErrorCode status = U_ZERO_ERROR;
    UTransliterator *latin = utrans_openU(u"Han-Latin", -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    const UNormalizer2 *apart = unorm2_getNFDInstance(&status);
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (U_FAILURE(status) || !out) {
        fprintf(stderr, "make_pinyin: %s\n",
                U_FAILURE(status) ? u_errorName(status) : "usage: make_pinyin FILE");
        return 1;
    }
    fprintf(out,
            "/* Made by make_pinyin.c from ICU's Han-Latin. */\n"
            "enum { PINYIN_FIRST = %d, PINYIN_LAST = %d };\n"
            "static const unsigned short PINYIN[] = {",
            FIRST, LAST);
    for (UChar32 sign = FIRST; sign <= LAST; sign++) {
        char pinyin[16];
        bool known = sound_of(latin, apart, sign, pinyin);
        fprintf(out, "%s%d,", (sign - FIRST) % 24 ? "" : "\n", known ? index_of(pinyin) : 0);
    }
    fprintf(out, "};\nstatic const char SYLLABLES[][8] = {");
    for (int i = 0; i < n_syllables; i++)
        fprintf(out, "\"%s\",%s", syllables[i], i % 12 ? "" : "\n");
    fprintf(out, "};\n");
    utrans_close(latin);
    return fclose(out) ? 1 : 0;
}
