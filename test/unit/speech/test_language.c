/* Detecting languages, cutting texts into runs, and lexicons. */
#include "speech/reading/detect.h"
#include "speech/reading/lexicon.h"
#include "speech/reading/reading.h"
#include "speech/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void language_is_detected_or_left_open(void **state)
{
    static const struct {
        const char *language, *text; /* NULL: unsure */
    } ROWS[] = {
        {"en", "Good evening and welcome to the show, this is the news."},
        {"en", "The train will leave in five minutes."},
        {"de", "Guten Abend und willkommen, hier sind die Nachrichten."},
        {"de", "Das Wetter wird morgen nicht so gut."},
        {"fr", "Bonjour et bienvenue, voici les nouvelles de la journée."},
        {"fr", "Le train est en retard et nous ne savons pas pourquoi."},
        {"es", "Buenas noches y bienvenidos, estas son las noticias del día."},
        {"es", "¿Dónde está la estación? No lo sé."},
        {"it", "Buonasera e benvenuti, questo è il telegiornale della sera."},
        {"pt", "Boa noite e bem-vindos, estas são as notícias do dia. Não há mais nada."},
        {"nl", "Goedenavond en welkom, dit is het nieuws van de dag."},
        {"sv", "God kväll och välkommen, det är en vacker dag och jag är inte trött."},
        {"pl", "Dobry wieczór, to jest program, który się nie kończy."},
        {"cs", "Dobrý večer, to je pořad, který se nám líbí a je tu už dlouho."},
        {"fi", "Hyvää iltaa, tämä on uutiset ja se ei ole pitkä."},
        {"tr", "İyi akşamlar, bu bir haber ve çok güzel bir gün."},
        {"hu", "Jó estét, ez a hírek és nem csak egy nap."},
        {"id", "Selamat malam, ini adalah berita yang akan kami sampaikan dengan singkat."},
        {"zh", "今天的新闻到此结束。"},
        {"yue", "佢哋喺度食咗飯。"},
        {"ja", "今日のニュースです。"},
        {"ja", "東京は晴れです。"},
        {"ko", "안녕하세요, 뉴스입니다."},
        {"ru", "Добрый вечер, это новости."},
        {"uk", "Добрий вечір, це новини України."},
        {"bg", "Добър вечер, това са новините."},
        {"el", "Καλησπέρα σας."},
        {"ar", "مرحبا بكم في نشرة الأخبار."},
        {"fa", "این برنامه چه خوب است."},
        {"he", "ערב טוב לכולם."},
        {"hi", "नमस्ते, यह समाचार है।"},
        {"th", "สวัสดีครับ"},
        {"zh", "苹果公司发布了iPhone手机和新的电脑。"},
        /* too little to say, or nothing at all */
        {NULL, "Berlin"},
        {NULL, "OK"},
        {NULL, "Angela Merkel, Emmanuel Macron"},
        {NULL, "la"},
        {NULL, "12345 67"},
        {NULL, ""},
        {NULL, "..."},
        {NULL, "😀😀"},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const char *got = cp_detect_language(ROWS[i].text, (int32_t)strlen(ROWS[i].text));
        const char *wanted = ROWS[i].language;
        if ((got && wanted) ? strcmp(got, wanted) != 0 : got != wanted) {
            print_error("\"%s\": wanted %s, got %s\n", ROWS[i].text, wanted ? wanted : "unsure",
                        got ? got : "unsure");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* "text|language" for each run. */
static void expect_runs(const char *text, const char *language, const struct cp_lexicon *lexicon,
                        const char *wanted)
{
    struct cp_run runs[CP_MAX_RUNS];
    char got[1000] = "";
    int n = cp_runs_split(text, 0, (int32_t)strlen(text), language, lexicon, runs);
    int32_t at = 0;
    for (int i = 0; i < n; i++) {
        assert_int_equal(runs[i].start, at);
        size_t length = strlen(got);
        snprintf(got + length, sizeof got - length, "[%.*s|%s]", (int)(runs[i].end - runs[i].start),
                 text + runs[i].start, runs[i].language);
        at = runs[i].end;
    }
    assert_int_equal(at, strlen(text));
    assert_string_equal(got, wanted);
}

static struct cp_lexicon *read_rows(const char *json)
{
    struct cp_lexicon *lexicon;
    struct cp_error error = {0};
    json_t *document = json_loads(json, 0, NULL);
    assert_non_null(document);
    if (cp_lexicon_read_json(document, &lexicon, &error))
        fail_msg("%s", error.text);
    json_decref(document);
    return lexicon;
}

static void runs_are_cut_where_scripts_change(void **state)
{
    expect_runs("Hello there.", "en", NULL, "[Hello there.|]");
    expect_runs("President 习近平 spoke.", "en", NULL, "[President |][习近平 |zh][spoke.|]");
    expect_runs("我用 iPhone 15 打电话。", "zh", NULL, "[我用 |][iPhone 15 |en][打电话。|]");
    expect_runs("東京のAIです", "ja", NULL, "[東京の|][AI|en][です|]");
    expect_runs("Слово word слово", "ru", NULL, "[Слово word слово|]"); /* the engine switches itself */
    expect_runs("Der Präsident Путин sagte", "de", NULL, "[Der Präsident |][Путин |ru][sagte|]");
    expect_runs("nǐ hǎo 你好", "zh", NULL, "[nǐ hǎo 你好|]");
    expect_runs("...", "zh", NULL, "[...|]");
    expect_runs("", "zh", NULL, "[|]");
    struct cp_lexicon *lexicon = read_rows("{\"rows\":[{\"grapheme\":\"GDP\",\"alias\":\"国内生产总值\"}]}");
    expect_runs("中国GDP增长", "zh", lexicon, "[中国GDP增长|]");
    cp_lexicon_drop(lexicon);
    /* more changes than runs: the last takes the rest */
    char many[1200] = "";
    for (int i = 0; i < 150; i++)
        strcat(many, i % 2 ? "a" : "中");
    struct cp_run runs[CP_MAX_RUNS];
    assert_int_equal(cp_runs_split(many, 0, (int32_t)strlen(many), "en", NULL, runs), CP_MAX_RUNS);
    assert_int_equal(runs[CP_MAX_RUNS - 1].end, strlen(many));
}

/* --- lexicons --- */

static const char PLS[] =
    "<?xml version='1.0' encoding='UTF-8'?>"
    "<lexicon version='1.0' xmlns='http://www.w3.org/2005/01/pronunciation-lexicon' alphabet='ipa' "
    "xml:lang='en-US'>\n"
    "<lexeme><grapheme>W3C</grapheme><alias>World Wide Web Consortium</alias></lexeme>\n"
    "<lexeme><grapheme>tomato</grapheme><alias>to may toe</alias></lexeme>\n"
    "<lexeme><grapheme>New York</grapheme><alias>the Big Apple</alias><example>no matter</example></lexeme>\n"
    "<lexeme><grapheme>New</grapheme><alias>gnu</alias></lexeme>\n"
    "<lexeme><grapheme>St.</grapheme><grapheme>Stn</grapheme><alias>station 5</alias></lexeme>\n"
    "<lexeme><grapheme>pecan</grapheme><phoneme>pɪˈkɑːn</phoneme></lexeme>\n"
    "</lexicon>";

static void lexicon_replaces_words_and_keeps_the_map(void **state)
{
    struct cp_lexicon *lexicon;
    struct cp_error error = {0};
    if (cp_lexicon_read_pls(PLS, strlen(PLS), &lexicon, &error))
        fail_msg("%s", error.text);
    assert_int_equal(cp_lexicon_n_rows(lexicon), 7);
    assert_int_equal(cp_lexicon_n_phonemes_only(lexicon), 1);
    struct cp_reader *reader = cp_reader_create();
    static const char *const ROWS[][3] = {
        {"en", "The W3C met.", "The World Wide Web Consortium met."},
        {"en", "Tomato, tomato, tomatoes", "to may toe, to may toe, tomatoes"},
        {"en", "New York is New.", "the Big Apple is gnu."},
        {"en", "At Main Stn today", "At Main station five today"},
        {"en", "a pecan", "a pecan"},
        {"de", "tomato", "tomato"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct cp_reading reading;
        struct cp_reading_request request = {.language = ROWS[i][0],
                                             .text = ROWS[i][1],
                                             .length = (int32_t)strlen(ROWS[i][1]),
                                             .lexicon = lexicon};
        assert_int_equal(cp_reader_read(reader, &request, &reading), 0);
        assert_string_equal(reading.text, ROWS[i][2]);
        cp_reading_free(&reading);
    }
    struct cp_reading reading;
    struct cp_reading_request request = {
        .language = "en", .text = "The W3C met.", .length = 12, .lexicon = lexicon};
    assert_int_equal(cp_reader_read(reader, &request, &reading), 0);
    int32_t start, end, at = (int32_t)(strstr(reading.text, "Web") - reading.text);
    cp_reading_source(&reading, at, at + 3, &start, &end);
    assert_int_equal(start, 4);
    assert_int_equal(end, 7);
    cp_reading_free(&reading);
    cp_reader_destroy(reader);
    cp_lexicon_drop(lexicon);
}

static void lexicon_comes_back_as_it_was(void **state)
{
    struct cp_lexicon *one, *two;
    assert_int_equal(cp_lexicon_read_pls(PLS, strlen(PLS), &one, NULL), 0);
    json_t *document = cp_lexicon_to_json(one);
    assert_int_equal(cp_lexicon_read_json(document, &two, NULL), 0);
    assert_true(cp_lexicon_hash(one) == cp_lexicon_hash(two) && cp_lexicon_hash(one) != 0);
    json_object_set_new(document, "language", json_string("de"));
    struct cp_lexicon *three;
    assert_int_equal(cp_lexicon_read_json(document, &three, NULL), 0);
    assert_true(cp_lexicon_hash(one) != cp_lexicon_hash(three));
    json_decref(document);
    cp_lexicon_drop(one);
    cp_lexicon_drop(two);
    cp_lexicon_drop(three);
}

static void expect_refused(const char *xml, size_t length, int code, const char *words)
{
    struct cp_lexicon *lexicon;
    struct cp_error error = {0};
    int result = cp_lexicon_read_pls(xml, length, &lexicon, &error);
    if (result != code || !strstr(error.text, words))
        print_error("%.60s: %d \"%s\"\n", xml, result, error.text);
    assert_int_equal(result, code);
    assert_non_null(strstr(error.text, words));
}
#define REFUSED(xml, code, words) expect_refused(xml, strlen(xml), code, words)

static void lexicon_refuses_what_it_cannot_keep(void **state)
{
    REFUSED("", CP_ERR_FORMAT, "XML");
    REFUSED("<speak/>", CP_ERR_FORMAT, "<lexicon>");
    REFUSED("<lexicon/>", CP_ERR_INVALID, "no rows");
    REFUSED("<lexicon><lexeme>", CP_ERR_FORMAT, "malformed");
    REFUSED("<lexicon><lexeme><alias>x</alias></lexeme></lexicon>", CP_ERR_INVALID, "grapheme");
    REFUSED("<lexicon><lexeme><grapheme>x</grapheme></lexeme></lexicon>", CP_ERR_INVALID,
            "alias or a phoneme");
    REFUSED("<lexicon><lexeme><grapheme>...</grapheme><alias>x</alias></lexeme></lexicon>", CP_ERR_INVALID,
            "letter or digit");
    REFUSED("<!DOCTYPE lexicon [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><lexicon>&b;</lexicon>",
            CP_ERR_FORMAT, "document type");
    REFUSED("<lexicon>&nbsp;</lexicon>", CP_ERR_FORMAT, "malformed");
    static char large[CP_LEXICON_MAX_BYTES + 2];
    memset(large, ' ', CP_LEXICON_MAX_BYTES + 1);
    expect_refused(large, CP_LEXICON_MAX_BYTES + 1, CP_ERR_LIMIT, "longer");
    size_t length = (size_t)sprintf(large, "<lexicon>");
    for (int i = 0; i <= CP_LEXICON_MAX_ROWS; i++)
        length +=
            (size_t)sprintf(large + length, "<lexeme><grapheme>w%d</grapheme><alias>x</alias></lexeme>", i);
    sprintf(large + length, "</lexicon>");
    expect_refused(large, strlen(large), CP_ERR_LIMIT, "2000");
    sprintf(large, "<lexicon><lexeme><grapheme>%05000d</grapheme><alias>x</alias></lexeme></lexicon>", 0);
    expect_refused(large, strlen(large), CP_ERR_LIMIT, "96 bytes");
    struct cp_lexicon *lexicon;
    json_t *document = json_loads("{\"rows\":[{\"grapheme\":\"a\\u0001b\",\"alias\":\"x\"}]}", 0, NULL);
    assert_int_equal(cp_lexicon_read_json(document, &lexicon, NULL), CP_ERR_INVALID);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_is_detected_or_left_open),
        cmocka_unit_test(runs_are_cut_where_scripts_change),
        cmocka_unit_test(lexicon_replaces_words_and_keeps_the_map),
        cmocka_unit_test(lexicon_comes_back_as_it_was),
        cmocka_unit_test(lexicon_refuses_what_it_cannot_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
