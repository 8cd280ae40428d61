/*
 * Detection. Letters decide where a script has one language or a language letters of its own; else the share
 * of its commonest words (articles, prepositions, pronouns), which make up a third of running text. Short
 * texts often have none: then nothing is said rather than something wrong.
 */
#include "speech/reading/detect.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

enum { LOOKED_AT = 4096, LONGEST_WORD = 24 };

/* Function words, in small letters, each between blanks; only such as few others have. Letters that hardly
 * another language of the table has count as much as a word does. */
static const struct {
    const char *tag, *words, *letters;
} LATIN[] = {
    {"en",
     " the and of to is that it for was with as are this be have not from you they at by we his her she or "
     "which "
     "will what there their has would been who more if when all can said about your how our welcome ",
     ""},
    {"de",
     " der die das und ist nicht ein eine einen dem den von mit sich auf für im zu auch es ich sie wir aus "
     "bei nach "
     "wie oder aber wird sind war haben hat noch nur über wenn guten hier heute zum zur vom am ",
     "ß"},
    {"fr",
     " le la les des et est un une du dans que qui pour pas ce cette il elle nous vous sur avec au aux son "
     "sont mais "
     "ou plus par je ne se ont été être bonjour c'est leur ces très ",
     "œ"},
    {"es",
     " el la los las y es un una de que en no se por con para su lo como más pero sus al le ya o este sí "
     "porque esta "
     "entre cuando muy sin sobre también me hasta hay donde son está buenos hola ",
     "ñ¿¡"},
    {"it",
     " il lo la gli le e è un una di che non per con si del della sono come più ma nel alla dei anche questo "
     "ha "
     "al dal ci mi perché ed io delle sul buongiorno ",
     ""},
    {"pt",
     " o a os as e é um uma de que não em para com se do da dos das no na por mais como mas foi ao ele são "
     "também "
     "pelo pela até isso você está muito seu sua ",
     "ãõ"},
    {"nl",
     " de het een en van is dat niet op te zijn met voor die er aan maar om ook als bij nog naar uit wordt "
     "dan ik je "
     "hij ze wij geen wel deze heeft goedemorgen ",
     ""},
    {"sv",
     " och att det är som en på av för med inte den till ett har jag om var men de så vi från kan när nu hon "
     "han ",
     ""},
    {"da",
     " og at det er en på af for med ikke den til et har jeg om var men de så vi fra kan når nu hun han som ",
     "æ"},
    {"nb",
     " og å det er en på av for med ikke den til et har jeg om var men de så vi fra kan når nå hun han som ",
     "æ"},
    {"fi",
     " ja on ei että se oli hän mutta ovat kun niin myös kuin mitä tämä joka ole minä sinä nyt vain jo ", ""},
    {"pl", " i w nie na się że z do to jest jak o za ale po co tak dla czy był od przez już tylko są jego ",
     "łżśćńę"},
    {"cs", " a se na je že v to z do s o jako by ale tak jsem jeho po pro jsou už byl když není také ",
     "řěů"},
    {"tr", " ve bir bu da de için ile çok ne gibi daha ama var o mi ben olarak sonra kadar değil en ", "ğı"},
    {"hu", " a az és hogy nem is egy meg ez van volt csak de mint már ha el még mert azt lesz ", "őű"},
    {"ro", " și în de la cu o un pe este nu că din mai care pentru sunt ca sau dar fi fost au ", "țșă"},
    {"id",
     " yang dan di ini itu dengan untuk tidak dari dalam akan pada juga saya ke karena ada adalah atau ", ""},
    {"vi", " và của là có không cho với được những trong các một người này đã ", "ơưđạếộậ"},
};
enum { N_LATIN = sizeof LATIN / sizeof *LATIN };

enum cp_family cp_family_of(int32_t c)
{
    UErrorCode status = U_ZERO_ERROR;
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? CP_FAMILY_LATIN : CP_FAMILY_NONE;
    if (!u_isalpha(c))
        return CP_FAMILY_NONE;
    switch (uscript_getScript(c, &status)) {
    case USCRIPT_LATIN:
        return CP_FAMILY_LATIN;
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_BOPOMOFO:
        return CP_FAMILY_HAN;
    case USCRIPT_HANGUL:
        return CP_FAMILY_HANGUL;
    case USCRIPT_CYRILLIC:
        return CP_FAMILY_CYRILLIC;
    case USCRIPT_GREEK:
        return CP_FAMILY_GREEK;
    case USCRIPT_ARABIC:
        return CP_FAMILY_ARABIC;
    case USCRIPT_HEBREW:
        return CP_FAMILY_HEBREW;
    case USCRIPT_THAI:
        return CP_FAMILY_THAI;
    case USCRIPT_DEVANAGARI:
    case USCRIPT_BENGALI:
    case USCRIPT_TAMIL:
    case USCRIPT_TELUGU:
    case USCRIPT_GUJARATI:
        return CP_FAMILY_INDIC;
    case USCRIPT_COMMON:
    case USCRIPT_INHERITED:
        return CP_FAMILY_NONE;
    default:
        return CP_FAMILY_OTHER;
    }
}

enum cp_family cp_family_of_language(const char *language)
{
    static const struct {
        enum cp_family family;
        const char *tags;
    } ROWS[] = {
        {CP_FAMILY_HAN, " zh cmn yue hak nan ja "},
        {CP_FAMILY_HANGUL, " ko "},
        {CP_FAMILY_CYRILLIC, " ru uk bg sr mk be kk ky tt ba cv "},
        {CP_FAMILY_GREEK, " el grc "},
        {CP_FAMILY_ARABIC, " ar fa ur ug sd "},
        {CP_FAMILY_HEBREW, " he iw yi "},
        {CP_FAMILY_THAI, " th "},
        {CP_FAMILY_INDIC, " hi mr ne bn as ta te gu kok "},
        {CP_FAMILY_OTHER, " am ka hy kn ml or pa si my chr shn "},
    };
    char wanted[12] = " ";
    size_t length = strcspn(language, "-_");
    if (length < 2 || length > 8)
        return CP_FAMILY_LATIN;
    for (size_t i = 0; i < length; i++)
        wanted[i + 1] = (char)(language[i] | 0x20);
    wanted[length + 1] = ' ';
    wanted[length + 2] = '\0';
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (strstr(ROWS[i].tags, wanted))
            return ROWS[i].family;
    return CP_FAMILY_LATIN;
}

/* --- by script --- */

static bool contains(const char *text, int32_t length, const char *sign)
{
    return memmem(text, (size_t)length, sign, strlen(sign)) != NULL;
}

/* The language of the family's first sign that only it has; `fallback` when none is there. */
static const char *by_sign(const char *text, int32_t length, const char *const (*signs)[2],
                           const char *fallback)
{
    for (; (*signs)[0]; signs++)
        if (contains(text, length, (*signs)[0]))
            return (*signs)[1];
    return fallback;
}

static const char *by_script(UScriptCode script, const char *text, int32_t length)
{
    static const char *const CYRILLIC[][2] = {{"ї", "uk"}, {"є", "uk"}, {"і", "uk"}, {"ў", "be"}, {"ћ", "sr"},
                                              {"ђ", "sr"}, {"љ", "sr"}, {"њ", "sr"}, {"ѓ", "mk"}, {"ќ", "mk"},
                                              {"ә", "kk"}, {"ы", "ru"}, {"э", "ru"}, {NULL, NULL}};
    static const char *const ARABIC[][2] = {{"ٹ", "ur"}, {"ڈ", "ur"}, {"ے", "ur"}, {"پ", "fa"},
                                            {"چ", "fa"}, {"گ", "fa"}, {"ژ", "fa"}, {NULL, NULL}};
    static const char *const HAN[][2] = {{"嘅", "yue"}, {"咗", "yue"}, {"喺", "yue"},
                                         {"佢", "yue"}, {"冇", "yue"}, {NULL, NULL}};
    static const char *const DEVANAGARI[][2] = {{"ळ", "mr"}, {NULL, NULL}};
    switch (script) {
    case USCRIPT_HAN:
        return by_sign(text, length, HAN, "zh");
    case USCRIPT_HANGUL:
        return "ko";
    case USCRIPT_CYRILLIC: /* ъ between consonants is Bulgarian; Russian has it seldom, and ы or э with it */
        return by_sign(text, length, CYRILLIC, contains(text, length, "ъ") ? "bg" : "ru");
    case USCRIPT_GREEK:
        return "el";
    case USCRIPT_ARABIC:
        return by_sign(text, length, ARABIC, "ar");
    case USCRIPT_HEBREW:
        return "he";
    case USCRIPT_THAI:
        return "th";
    case USCRIPT_DEVANAGARI:
        return by_sign(text, length, DEVANAGARI, "hi");
    case USCRIPT_BENGALI:
        return "bn";
    case USCRIPT_TAMIL:
        return "ta";
    case USCRIPT_TELUGU:
        return "te";
    case USCRIPT_GUJARATI:
        return "gu";
    case USCRIPT_GEORGIAN:
        return "ka";
    case USCRIPT_ARMENIAN:
        return "hy";
    default:
        return NULL;
    }
}

/* --- by words --- */

struct scores {
    int points[N_LATIN];
    int words;
};

static void count_word(struct scores *scores, const char *word, size_t length)
{
    char wanted[LONGEST_WORD + 3];
    wanted[0] = ' ';
    memcpy(wanted + 1, word, length);
    memcpy(wanted + 1 + length, " ", 2);
    scores->words++;
    for (int i = 0; i < N_LATIN; i++)
        scores->points[i] += 2 * (strstr(LATIN[i].words, wanted) != NULL);
}

static void count_letter(struct scores *scores, const char *letter, size_t length)
{
    char wanted[8];
    memcpy(wanted, letter, length);
    wanted[length] = '\0';
    for (int i = 0; i < N_LATIN; i++)
        scores->points[i] += strstr(LATIN[i].letters, wanted) != NULL;
}

/* Words in small letters; an apostrophe belongs to one. */
static void count_words(struct scores *scores, const char *text, int32_t length)
{
    char word[LONGEST_WORD];
    size_t n = 0;
    bool fits = true;
    for (int32_t i = 0; i <= length;) {
        UChar32 c = ' ';
        int32_t start = i;
        if (i < length)
            U8_NEXT((const uint8_t *)text, i, length, c);
        else
            i++;
        if (c > 0x7f && i <= length)
            count_letter(scores, text + start, (size_t)(i - start));
        if (c > 0 && (u_isalpha(c) || c == '\'')) {
            UChar32 small = u_tolower(c);
            uint8_t bytes[4];
            size_t size = 0;
            U8_APPEND_UNSAFE(bytes, size, small);
            fits = fits && n + size <= sizeof word;
            if (fits)
                memcpy(word + n, bytes, size);
            n += size;
            continue;
        }
        if (n && fits)
            count_word(scores, word, n);
        n = 0;
        fits = true;
    }
}

/* Sure when two of its words are there (one, among three or fewer), they are a fifth of all, and the next
 * language is well behind. */
static const char *by_words(const char *text, int32_t length)
{
    struct scores scores = {.words = 0};
    count_words(&scores, text, length);
    int best = 0, second = -1;
    for (int i = 1; i < N_LATIN; i++)
        if (scores.points[i] > scores.points[best])
            best = i;
    for (int i = 0; i < N_LATIN; i++)
        if (i != best && (second < 0 || scores.points[i] > scores.points[second]))
            second = i;
    int points = scores.points[best], least = scores.words <= 3 ? 2 : 4;
    bool sure = points >= least && points * 5 >= scores.words * 2 && points * 2 >= scores.points[second] * 3;
    return sure ? LATIN[best].tag : NULL;
}

/* --- both --- */

const char *cp_detect_language(const char *text, int32_t length)
{
    int count[USCRIPT_CODE_LIMIT] = {0};
    int letters = 0, kana = 0;
    if (length > LOOKED_AT) {
        length = LOOKED_AT;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    for (int32_t i = 0; i < length;) {
        UChar32 c;
        UErrorCode status = U_ZERO_ERROR;
        U8_NEXT((const uint8_t *)text, i, length, c);
        if (c <= 0 || !u_isalpha(c))
            continue;
        UScriptCode script = uscript_getScript(c, &status);
        if (script < 0 || script >= USCRIPT_CODE_LIMIT)
            continue;
        /* a sign of Chinese or Japanese is about as much text as three letters */
        int weight = cp_family_of(c) == CP_FAMILY_HAN ? 3 : 1;
        count[script] += weight;
        letters += weight;
        kana += script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ? weight : 0;
    }
    int best = 0;
    for (int i = 1; i < USCRIPT_CODE_LIMIT; i++)
        if (count[i] > count[best])
            best = i;
    if (kana && kana * 10 >= count[USCRIPT_HAN] && (kana + count[USCRIPT_HAN]) * 2 >= letters)
        return "ja";
    if (!letters || count[best] * 2 < letters)
        return NULL;
    return best == USCRIPT_LATIN ? by_words(text, length) : by_script((UScriptCode)best, text, length);
}
