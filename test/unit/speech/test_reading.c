/* What is written becomes what is said, with a map back. */
#include "speech/reading/reading.h"
#include "speech/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct said {
    const char *written, *spoken;
};

static struct cp_reading read_as(const char *language, const char *text, enum cp_say_as say_as,
                                 const struct cp_lexicon *lexicon)
{
    static struct cp_reader *reader;
    if (!reader)
        reader = cp_reader_create();
    struct cp_reading reading;
    struct cp_reading_request request = {language, text, (int32_t)strlen(text), say_as, lexicon};
    assert_int_equal(cp_reader_read(reader, &request, &reading), 0);
    return reading;
}

/* All rows are tried before the test fails, so that one run shows all that is wrong. */
static void expect_rows(const char *language, const struct said *rows, size_t n)
{
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct cp_reading reading = read_as(language, rows[i].written, CP_SAY_UNSET, NULL);
        if (strcmp(reading.text, rows[i].spoken) != 0) {
            print_error("%s: \"%s\"\n  wanted \"%s\"\n  got    \"%s\"\n", language, rows[i].written,
                        rows[i].spoken, reading.text);
            wrong++;
        }
        cp_reading_free(&reading);
    }
    assert_int_equal(wrong, 0);
}
#define EXPECT_ROWS(language, rows) expect_rows(language, rows, sizeof(rows) / sizeof(rows)[0])

static void reading_english(void **state)
{
    static const struct said ROWS[] = {
        {"No digits here.", "No digits here."},
        {"I have 2 cats and 21 dogs.", "I have two cats and twenty-one dogs."},
        {"1,234,567 people", "one million two hundred thirty-four thousand five hundred sixty-seven people"},
        {"pi is 3.14", "pi is three point one four"},
        {"It is -5 outside", "It is minus five outside"},
        {"-12 °C", "minus twelve degrees Celsius"},
        {"Pages 5-10", "Pages five to ten"},
        {"They won 2-1.", "They won two to one."},
        {"1/2 cup, 3/4 done, 2/3 left", "one half cup, three quarters done, two thirds left"},
        {"½ a mile", "one half a mile"},
        {"born in 1999", "born in nineteen ninety-nine"},
        {"in 1776", "in seventeen seventy-six"},
        {"in 2026.", "in twenty twenty-six."},
        {"the 1990s", "the nineteen nineties"},
        {"the 1st, 2nd, 3rd and 21st", "the first, second, third and twenty-first"},
        {"on March 3, 2026", "on March third twenty twenty-six"},
        {"on Sept. 11th", "on September eleventh"},
        {"2026-03-05", "March fifth twenty twenty-six"},
        {"3/5/2026", "March fifth twenty twenty-six"},
        {"5 May 2026", "May fifth twenty twenty-six"},
        {"at 14:30", "at fourteen thirty"},
        {"at 9:05 am", "at nine oh five a m"},
        {"at 5pm.", "at five p m."},
        {"at 12:00", "at twelve o'clock"},
        {"$5.20", "five dollars and twenty cents"},
        {"$1", "one dollar"},
        {"$0.99", "ninety-nine cents"},
        {"€3 million", "three million euros"},
        {"$2.5bn deal", "two point five billion dollars deal"},
        {"100 USD", "one hundred dollars"},
        {"up 10%", "up ten percent"},
        {"5km away", "five kilometers away"},
        {"1 kg of rice", "one kilogram of rice"},
        {"120 km/h", "one hundred twenty kilometers per hour"},
        {"call 555-123-4567", "call five five five, one two three, four five six seven"},
        {"+49 30 1234567", "plus four nine, three zero, one two three four five six seven"},
        {"see https://www.example.com/news?id=5.", "see example dot com slash news."},
        {"visit example.org now", "visit example dot org now"},
        {"mail john_doe@mail.example.com!", "mail john underscore doe at mail dot example dot com!"},
        {"#BreakingNews", "hashtag Breaking News"},
        {"thanks @JaneDoe", "thanks at Jane Doe"},
        {"we are #1", "we are number one"},
        {"party 🎉🎉🎉", "party party popper"},
        {"Dr. Smith vs. Mr. Jones, etc.", "Doctor Smith versus Mister Jones, et cetera"},
        {"No. 5 is alive. No. I will not.", "number five is alive. No. I will not."},
        {"Louis XIV and Henry V", "Louis the fourteenth and Henry the fifth"},
        {"World War II", "World War two"},
        {"Chapter IV", "Chapter four"},
        {"**bold** and _thin_", "bold  and thin "},
        {"version 3.11.2", "version three point eleven point two"},
        {"1920x1080", "one thousand nine hundred twenty by one thousand eighty"},
        {"12345678901234567890",
         "one two three four five six seven eight nine zero one two three four five six "
         "seven eight nine zero"},
        {"A4 and B2B", "A4 and B2B"},
        {"e.g. this", "for example this"},
        {"R&D", "R and D"},
    };
    EXPECT_ROWS("en-US", ROWS);
    static const struct said BRITISH[] = {{"3/5/2026", "May third twenty twenty-six"}};
    EXPECT_ROWS("en-GB", BRITISH);
}

static void reading_german(void **state)
{
    static const struct said ROWS[] = {
        {"Ich habe 1 Katze und 21 Hunde.", "Ich habe eins Katze und einundzwanzig Hunde."},
        {"1.234.567 Menschen",
         "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig Menschen"},
        {"3,14", "drei Komma eins vier"},
        {"-5 Grad", "minus fünf Grad"},
        {"12 °C", "zwölf Grad Celsius"},
        {"5-10 Tage", "fünf bis zehn Tage"},
        {"1/2, 3/4", "ein halb, drei Viertel"},
        {"im Jahr 1848", "im Jahr achtzehnhundertachtundvierzig"},
        {"seit 1999", "seit neunzehnhundertneunundneunzig"},
        {"2026", "zweitausendsechsundzwanzig"},
        {"am 3. März 2026", "am dritten März zweitausendsechsundzwanzig"},
        {"der 1. Mai", "der erste Mai"},
        {"am 5.3.2026", "am fünften März zweitausendsechsundzwanzig"},
        {"der 3. Platz", "der dritte Platz"},
        {"um 14:30 Uhr", "um vierzehn Uhr dreißig"},
        {"um 1:00 Uhr", "um ein Uhr"},
        {"5,20 €", "fünf Euro zwanzig"},
        {"1 €", "ein Euro"},
        {"3 Mio. Euro", "drei Millionen Euro"},
        {"1 Mrd. Dollar", "eine Milliarde Dollar"},
        {"10 %", "zehn Prozent"},
        {"120 km/h", "einhundertzwanzig Kilometer pro Stunde"},
        {"1 kWh", "eine Kilowattstunde"},
        {"030 1234567", "null drei null, eins zwei drei vier fünf sechs sieben"},
        {"www.example.de", "example Punkt de"},
        {"info@beispiel.de", "info ät beispiel Punkt de"},
        {"#Wetter", "Hashtag Wetter"},
        {"z. B. Dr. Müller usw.", "zum Beispiel Doktor Müller und so weiter"},
        {"Ludwig XIV. kam.", "Ludwig der vierzehnte kam."},
        {"Nr. 5", "Nummer fünf"},
        {"gut 👍", "gut Daumen hoch"},
        {"🇫🇷", "Frankreich"},
    };
    EXPECT_ROWS("de", ROWS);
}

static void reading_french(void **state)
{
    static const struct said ROWS[] = {
        {"21 chats", "vingt-et-un chats"},
        {"71 et 99", "soixante-et-onze et quatre-vingt-dix-neuf"},
        {"10 000 personnes", "dix mille personnes"},
        {"3,14", "trois virgule un quatre"},
        {"-5 degrés", "moins cinq degrés"},
        {"12 °C", "douze degrés Celsius"},
        {"pages 5-10", "pages cinq à dix"},
        {"1/2, 3/4, 2/3", "un demi, trois quarts, deux tiers"},
        {"en 1789", "en mille sept cent quatre-vingt-neuf"},
        {"en 2026", "en deux mille vingt-six"},
        {"le 1er mai", "le premier mai"},
        {"le 3 mars 2026", "le trois mars deux mille vingt-six"},
        {"le 3/5/2026", "le trois mai deux mille vingt-six"},
        {"la 1re fois", "la première fois"},
        {"le 2e étage", "le deuxième étage"},
        {"à 14h30", "à quatorze heures trente"},
        {"à 1 h", "à une heure"},
        {"à 21:00", "à vingt-et-une heures"},
        {"5,20 €", "cinq euros vingt"},
        {"1 €", "un euro"},
        {"3 millions d'euros", "trois millions d'euros"},
        {"2 M€", "deux millions d'euros"},
        {"10 %", "dix pour cent"},
        {"120 km/h", "cent vingt kilomètres heure"},
        {"01 23 45 67 89", "zéro un, deux trois, quatre cinq, six sept, huit neuf"},
        {"www.example.fr", "example point fr"},
        {"info@exemple.fr", "info arobase exemple point fr"},
        {"#Météo", "mot-dièse Météo"},
        {"M. Dupont et Mme Durand", "Monsieur Dupont et Madame Durand"},
        {"Louis XIV", "Louis quatorze"},
        {"au XXIe siècle", "au vingt-et-unième siècle"},
        {"n° 5", "numéro cinq"},
        {"❤️", "cœur"},
    };
    EXPECT_ROWS("fr", ROWS);
}

static void reading_spanish(void **state)
{
    static const struct said ROWS[] = {
        {"21 perros", "veintiuno perros"},
        {"1.234 personas", "mil doscientos treinta y cuatro personas"},
        {"3,14", "tres coma uno cuatro"},
        {"-5 grados", "menos cinco grados"},
        {"12 °C", "doce grados Celsius"},
        {"5-10 días", "cinco a diez días"},
        {"1/2, 3/4", "un medio, tres cuartos"},
        {"en 1999", "en mil novecientos noventa y nueve"},
        {"el 3 de marzo de 2026", "el tres de marzo de dos mil veintiséis"},
        {"el 3/5/2026", "el tres de mayo de dos mil veintiséis"},
        {"1 de mayo", "primero de mayo"},
        {"2026-03-05", "cinco de marzo de dos mil veintiséis"},
        {"a las 14:30", "a las catorce treinta"},
        {"a la 1:05", "a la una cinco"},
        {"5,20 €", "cinco euros con veinte céntimos"},
        {"$1", "un dólar"},
        {"3 millones de euros", "tres millones de euros"},
        {"1 millón $", "un millón de dólares"},
        {"10 %", "diez por ciento"},
        {"120 km/h", "ciento veinte kilómetros por hora"},
        {"1 t", "una tonelada"},
        {"el 1.º y la 2ª", "el primero y la segunda"},
        {"el 3er piso", "el tercer piso"},
        {"+34 912 345 678", "más tres cuatro, nueve uno dos, tres cuatro cinco, seis siete ocho"},
        {"www.ejemplo.es", "ejemplo punto es"},
        {"info@ejemplo.es", "info arroba ejemplo punto es"},
        {"#Noticias", "etiqueta Noticias"},
        {"El Sr. López y EE. UU.", "El señor López y Estados Unidos"},
        {"Felipe VI", "Felipe sexto"},
        {"el siglo XXI", "el siglo veintiuno"},
        {"🔥", "fuego"},
    };
    EXPECT_ROWS("es", ROWS);
}

static void reading_chinese(void **state)
{
    static const struct said ROWS[] = {
        {"今天有15个人", "今天有十五个人"},
        {"105元", "一百零五元"},
        {"1,234人", "一千二百三十四人"},
        {"10005", "一万零五"},
        {"20500", "两万零五百"},
        {"120000000", "一亿两千万"},
        {"3.14", "三点一四"},
        {"气温-5度", "气温负五度"},
        {"12℃", "十二摄氏度"},
        {"5-10天", "五到十天"},
        {"1/2", "二分之一"},
        {"增长10%", "增长百分之十"},
        {"2026年3月5日", "二零二六年三月五日"},
        {"2026年", "二零二六年"},
        {"3月5号", "三月五日"},
        {"2026-03-05", "二零二六年三月五日"},
        {"14:30开始", "十四点三十分开始"},
        {"2:05", "两点零五分"},
        {"8:00", "八点整"},
        {"$5.20", "五点二美元"},
        {"¥100", "一百元"},
        {"3万元", "三万元"},
        {"2个", "两个"},
        {"第3名", "第三名"},
        {"60km/h", "六十公里每小时"},
        {"70kg", "七十公斤"},
        {"010-1234-5678", "零一零，一二三四，五六七八"},
        {"点赞👍", "点赞点赞"},
        {"300亿美元", "三百亿美元"},
        {"1000万", "一千万"},
    };
    EXPECT_ROWS("zh", ROWS);
    EXPECT_ROWS("zh-CN", ROWS);
}

static void reading_japanese(void **state)
{
    static const struct said ROWS[] = {
        {"15", "ジュウゴ"},
        {"300円", "サンビャクエン"},
        {"600人", "ロッピャクニン"},
        {"3,800", "サンゼンハッピャク"},
        {"10000", "イチマン"},
        {"3.14", "サンテンイチヨン"},
        {"気温は-5度", "気温はマイナスゴド"},
        {"1人と2人", "ヒトリとフタリ"},
        {"3本と1本", "サンボンとイッポン"},
        {"4時", "ヨジ"},
        {"9時10分", "クジジュップン"},
        {"14:30", "ジュウヨジサンジュップン"},
        {"2026年3月5日", "ニセンニジュウロクネンサンガツイツカ"},
        {"4月1日", "シガツツイタチ"},
        {"7月20日", "シチガツハツカ"},
        {"9月14日", "クガツジュウヨッカ"},
        {"2026-03-05", "ニセンニジュウロクネンサンガツイツカ"},
        {"10%", "ジュウパーセント"},
        {"$5", "ゴドル"},
        {"3万円", "サンマンエン"},
        {"1/2", "ニブンノイチ"},
        {"60km", "ロクジュウキロメートル"},
        {"8歳", "ハッサイ"},
        {"3つ", "ミッツ"},
        {"第3回", "第サンカイ"},
        {"20個", "ニジュッコ"},
        {"03-1234-5678", "ゼロサン，イチニサンヨン，ゴロクナナハチ"},
        {"5-10分", "ゴカラジュップン"},
        {"🚀", "ロケット"},
        {"24日", "ニジュウヨッカ"},
    };
    EXPECT_ROWS("ja", ROWS);
}

/* A plain one; one of several signs, which are a person and a job; a skin, which is not said; a picture of
 * text; a flag of no country. */
static void emoji_have_names_in_each_language(void **state)
{
    static const char *const TEXTS[] = {"🍕", "👩\u200d🏫", "👋🏽", "☎️",
                                        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"};
    static const struct {
        const char *language, *said[5];
    } ROWS[] = {
        {"en", {"pizza", "woman teacher", "waving hand", "telephone", "flag: Scotland"}},
        {"de", {"Pizza", "Lehrerin", "winkende Hand", "Telefon", "Flagge: Schottland"}},
        {"fr", {"pizza", "enseignante", "signe de la main", "téléphone", "drapeau : Écosse"}},
        {"es", {"pizza", "docente mujer", "mano saludando", "teléfono", "Bandera: Escocia"}},
        {"zh", {"披萨", "女老师", "挥手", "电话", "旗: 苏格兰"}},
        {"ja", {"ピザ", "女性の教師", "手を振る", "固定電話", "旗: スコットランド"}},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (size_t k = 0; k < 5; k++) {
            const struct said row = {TEXTS[k], ROWS[i].said[k]};
            expect_rows(ROWS[i].language, &row, 1);
        }
}

static void reading_elsewhere_leaves_numbers_to_the_engine(void **state)
{
    static const struct said ROWS[] = {
        {"Ho 3 gatti, 10 %", "Ho 3 gatti, 10 %"},
        {"https://www.esempio.it/a", "esempio.it/a"},
        {"ciao 🎉 **grassetto**", "ciao  grassetto "},
        {"#Meteo", "Meteo"},
    };
    EXPECT_ROWS("it", ROWS);
}

static void reading_maps_words_to_their_source(void **state)
{
    const char *text = "On 3/5/2026 it cost $5.20, said Bob.";
    struct cp_reading reading = read_as("en", text, CP_SAY_UNSET, NULL);
    static const struct said ROWS[] = {{"3/5/2026", "March"},
                                       {"3/5/2026", "twenty-six"},
                                       {"cost", "cost"},
                                       {"$5.20", "dollars"},
                                       {"Bob", "Bob"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        int32_t start, end, at = (int32_t)(strstr(reading.text, ROWS[i].spoken) - reading.text);
        cp_reading_source(&reading, at, at + (int32_t)strlen(ROWS[i].spoken), &start, &end);
        assert_int_equal(start, strstr(text, ROWS[i].written) - text);
        assert_int_equal(end - start, strlen(ROWS[i].written));
    }
    cp_reading_free(&reading);
}

static void reading_says_as_asked(void **state)
{
    static const struct {
        enum cp_say_as as;
        const char *language, *written, *spoken;
    } ROWS[] = {
        {CP_SAY_DIGITS, "en", "1999", "one nine nine nine"},
        {CP_SAY_CHARACTERS, "en", "BBC 1", "B B C one"},
        {CP_SAY_CARDINAL, "en", "1999", "one thousand nine hundred ninety-nine"},
        {CP_SAY_ORDINAL, "en", "3", "third"},
        {CP_SAY_ORDINAL, "fr", "3", "troisième"},
        {CP_SAY_DIGITS, "zh", "110", "一一零"},
        {CP_SAY_CHARACTERS, "it", "ab1", "a b 1"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct cp_reading reading = read_as(ROWS[i].language, ROWS[i].written, ROWS[i].as, NULL);
        assert_string_equal(reading.text, ROWS[i].spoken);
        cp_reading_free(&reading);
    }
}

static void check_map(const char *text, const struct cp_reading *reading)
{
    int32_t source = 0, spoken = 0, length = (int32_t)strlen(text);
    assert_true(cp_utf8_valid(reading->text, (size_t)reading->length));
    assert_int_equal(reading->length, strlen(reading->text));
    assert_true(reading->length <= CP_READING_MAX_BYTES + length + 4096);
    for (int i = 0; i < reading->n_parts; i++) {
        const struct cp_reading_part *part = &reading->parts[i];
        assert_int_equal(part->spoken, spoken);
        assert_true(part->spoken_end >= part->spoken && part->source >= source && part->source_end <= length);
        assert_true(part->source_end >= part->source);
        if (part->same)
            assert_memory_equal(reading->text + part->spoken, text + part->source,
                                (size_t)(part->spoken_end - part->spoken));
        spoken = part->spoken_end;
        source = part->source;
    }
    assert_int_equal(spoken, reading->length);
}

/* Text put together at random from what rules look for: the map stays in order and in bounds. */
static void reading_keeps_its_map_in_order_whatever_the_text(void **state)
{
    static const char *const BITS[] = {"1",
                                       "23",
                                       "2026",
                                       "-",
                                       ".",
                                       ",",
                                       "/",
                                       ":",
                                       " ",
                                       "%",
                                       "$",
                                       "€",
                                       "£",
                                       "km",
                                       "m",
                                       "March",
                                       "März",
                                       "XIV",
                                       "Louis",
                                       "st",
                                       "er",
                                       "#",
                                       "@",
                                       "a",
                                       "Z",
                                       "example.com",
                                       "https://",
                                       "😀",
                                       "🇩🇪",
                                       "\u200d",
                                       "\ufe0f",
                                       "年",
                                       "月",
                                       "日",
                                       "时",
                                       "時",
                                       "個",
                                       "中",
                                       "か",
                                       "Dr.",
                                       "No.",
                                       "½",
                                       "+49",
                                       "(",
                                       ")",
                                       "*",
                                       "_",
                                       "«",
                                       "\u00a0",
                                       "\u202f",
                                       "é",
                                       "e\u0301",
                                       "ن",
                                       "º",
                                       "万",
                                       "Mio.",
                                       "pm",
                                       "x",
                                       "–",
                                       "é",
                                       "999999999999999999999999"};
    static const char *const LANGUAGES[] = {"en", "de", "fr", "es", "zh", "ja", "it", ""};
    unsigned seed = 7;
    for (int round = 0; round < 4000; round++) {
        char text[400] = "";
        int n = (int)((seed = seed * 1103515245 + 12345) >> 16) % 24;
        for (int i = 0; i < n; i++) {
            seed = seed * 1103515245 + 12345;
            strcat(text, BITS[(seed >> 16) % (sizeof BITS / sizeof BITS[0])]);
        }
        struct cp_reading reading =
            read_as(LANGUAGES[round % 8], text, (enum cp_say_as)(round % 40 < 30 ? 0 : round % 5), NULL);
        check_map(text, &reading);
        cp_reading_free(&reading);
    }
}

static void reading_is_bounded(void **state)
{
    enum { LENGTH = 200000 };
    static const char *const BITS[] = {"1 ", "9", "#a", "$1", "😂 😀 ", "(", "a.", "1/", "年", "www.", "- "};
    char *text = malloc(LENGTH + 16);
    for (size_t b = 0; b < sizeof BITS / sizeof BITS[0]; b++) {
        size_t length = 0;
        for (; length < LENGTH; length += strlen(BITS[b]))
            memcpy(text + length, BITS[b], strlen(BITS[b]) + 1);
        struct cp_reading reading = read_as("en", text, CP_SAY_UNSET, NULL);
        check_map(text, &reading);
        cp_reading_free(&reading);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_english),
        cmocka_unit_test(reading_german),
        cmocka_unit_test(reading_french),
        cmocka_unit_test(reading_spanish),
        cmocka_unit_test(reading_chinese),
        cmocka_unit_test(reading_japanese),
        cmocka_unit_test(emoji_have_names_in_each_language),
        cmocka_unit_test(reading_elsewhere_leaves_numbers_to_the_engine),
        cmocka_unit_test(reading_maps_words_to_their_source),
        cmocka_unit_test(reading_says_as_asked),
        cmocka_unit_test(reading_keeps_its_map_in_order_whatever_the_text),
        cmocka_unit_test(reading_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
