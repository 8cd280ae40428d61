/*
 * Texts made to hurt: each has one clear result, soon and in bounded memory. What can be said is said to the
 * end by a real engine.
 */
#include "listener.h"

#include "media/clock.h"
#include "speech/visemes.h"

#include <sys/resource.h>

enum { LIMIT = 200000, SOON_MS = 3000 }; /* far more than it takes, for slow and busy machines */

/* `text` again and again, up to so many bytes. The caller frees it. */
static char *repeat(const char *text, size_t bytes)
{
    size_t length = strlen(text);
    char *all = malloc(bytes + length + 1);
    size_t n = 0;
    for (; n + length <= bytes; n += length)
        memcpy(all + n, text, length);
    all[n] = '\0';
    return all;
}

static struct cp_speech *speech;

static int open_speech(void **state)
{
    struct cp_speech_config config = quick_config();
    config.max_text_bytes = LIMIT;
    speech = start(&config);
    return 0;
}

static int close_speech(void **state)
{
    cp_speech_destroy(speech);
    return 0;
}

/* Refused with this code and these words, or accepted (0), soon. */
static void expect_result(const char *name, struct cp_speech_request request, int code, const char *words)
{
    struct cp_error error = {0};
    int64_t start_ns = cp_clock_now_ns();
    int n = 0, result = cp_speech_check(speech, &request, NULL, &n, NULL, &error);
    int64_t ms = (cp_clock_now_ns() - start_ns) / CP_NS_PER_MS;
    if (result != code || (code && !strstr(error.text, words)) || ms > SOON_MS)
        print_error("%s: %d \"%s\" after %lld ms\n", name, result, error.text, (long long)ms);
    assert_int_equal(result, code);
    assert_true(ms <= SOON_MS);
    if (code)
        assert_non_null(strstr(error.text, words));
}

static void torture_has_a_clear_result(void **state)
{
    typedef struct cp_speech_request request;
    expect_result("empty", (request){.text = ""}, CP_ERR_INVALID, "nothing to say");
    expect_result("spaces", (request){.text = " \n\t \r\n "}, CP_ERR_INVALID, "nothing to say");
    expect_result("punctuation", (request){.text = "?!... --- ;;; «»"}, CP_ERR_INVALID, "nothing to say");
    expect_result("emoji only", (request){.text = "😀🎉👍"}, CP_ERR_INVALID, "nothing to say");
    expect_result("control characters", (request){.text = "Hel\001lo\x7f \033[31mworld\a."}, 0, "");
    expect_result("not UTF-8", (request){.text = "caf\xe9"}, CP_ERR_INVALID, "UTF-8");
    expect_result("overlong UTF-8", (request){.text = "a\xc0\xaf"}, CP_ERR_INVALID, "UTF-8");
    expect_result("a surrogate", (request){.text = "a\xed\xa0\x80"}, CP_ERR_INVALID, "UTF-8");
    expect_result("right to left", (request){.text = "\u202eevil\u202c and مرحبا"}, 0, "");
    expect_result("unclosed tags", (request){.ssml = "<speak><p>Hello <prosody rate='fast'>"}, CP_ERR_FORMAT,
                  "Line 1");
    expect_result("unopened tags", (request){.ssml = "Hello</speak>"}, CP_ERR_FORMAT, "Line 1");
    expect_result("no speak", (request){.ssml = "<p>Hello</p>"}, CP_ERR_FORMAT, "<speak>");
    expect_result(
        "billion laughs",
        (request){.ssml = "<!DOCTYPE speak [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
                          "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]><speak>&c;&c;&c;</speak>"},
        CP_ERR_FORMAT, "document type");
    expect_result("an external entity",
                  (request){.ssml = "<!DOCTYPE speak SYSTEM 'file:///etc/passwd'><speak>a</speak>"},
                  CP_ERR_FORMAT, "document type");
    char *deep = repeat("<p>", 3000), *wide = NULL;
    wide = malloc(10000);
    snprintf(wide, 10000, "<speak>%s", deep);
    expect_result("deep", (request){.ssml = wide}, CP_ERR_LIMIT, "nested");
    free(deep);
    free(wide);
    char *long_text = repeat("a", LIMIT + 10);
    expect_result("too long", (request){.text = long_text}, CP_ERR_LIMIT, "200000");
    free(long_text);
}

static long resident_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 100 kB of it are looked at and cut into sentences soon, in less than 64 MB. */
static void torture_by_size_is_bounded(void **state)
{
    static const char *const BITS[] = {"word ",
                                       "a",
                                       "Hello there. ",
                                       "1",
                                       "1 ",
                                       "中",
                                       "مرحبا ",
                                       "e\u0301",
                                       "\u0301",
                                       "😀a",
                                       "a.",
                                       "a\n",
                                       "$5 ",
                                       "a-",
                                       "#a ",
                                       "www.a.de ",
                                       "(((a ",
                                       "中a",
                                       "\u200da",
                                       "ﷺ ",
                                       "1/2 ",
                                       "I.V. ",
                                       "https://a.com/b ",
                                       "a\u202e",
                                       "１"};
    for (size_t i = 0; i < sizeof BITS / sizeof BITS[0]; i++) {
        char *text = repeat(BITS[i], 100000);
        long before_kb = resident_kb();
        if (strcmp(BITS[i], "\u0301") != 0)
            expect_result(BITS[i], (struct cp_speech_request){.text = text}, 0, "");
        else
            expect_result(BITS[i], (struct cp_speech_request){.text = text}, CP_ERR_INVALID,
                          "nothing to say");
        assert_true(resident_kb() - before_kb < 64 * 1024);
        free(text);
    }
}

/* Spoken, the first sentences of each: it comes to its end, marks lie in the text and in order. */
static void torture_that_can_be_said_is_said(void **state)
{
    static const char *const TEXTS[] = {
        "Mixed: Hello мир, 你好 world, γειά שלום مرحبا नमस्ते — end.",
        "\u202eevil\u202c text مرحبا.",
        "Hel\001lo\x7f world\a.",
        "Zero\u200bwidth\u200d joiners\ufeff here.",
        "Z\u0351\u036b\u0343\u036a\u0302\u036ba\u0302l\u0301g\u0300o\u0308 text.",
        "99999999999999999999999999999999999999999999999999999999999999999999",
        "1/0 0/0 -0 +-5 $$$5 5%%% 25:99 99/99/9999 1.2.3.4.5.6.7.8.9 ½½½",
        "a😀b🎉c👍🏽d🇩🇪e👨\u200d👩\u200d👧f",
        "................................ a",
        "I.V. XXXX IIII VX MMMM CD",
        "https://example.com/a/very/long/path/that/goes/on/and/on/and/on?with=a&query=too#x",
        "@@@ ### user@@host.com #### ##a #1 @1 _a_ *b* ~c~",
        "中a中b中c中d中e中f中g中h中i中j",
    };
    static const char *const VOICES[] = {"flite:slt", "espeak:de", "espeak:zh", "espeak:ja", NULL};
    for (size_t v = 0; v < sizeof VOICES / sizeof VOICES[0]; v++) {
        const struct cp_voice *voice;
        if (VOICES[v] && cp_speech_find_voice(speech, VOICES[v], "", &voice, NULL))
            continue;
        for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
            struct listener listener;
            say(speech, (struct cp_speech_request){.text = TEXTS[i], .voice = VOICES[v]}, &listener);
            if (listener.result)
                print_error("%s: \"%s\"\n", VOICES[v], TEXTS[i]);
            assert_int_equal(listener.result, 0);
            for (int n = 0; n < listener.n_heard; n++) {
                const struct cp_utterance *utterance = listener.heard[n];
                for (size_t k = 0; k < utterance->n_marks; k++) {
                    assert_true(utterance->marks[k].start <= utterance->marks[k].end);
                    assert_true(utterance->marks[k].start >= 0 &&
                                utterance->marks[k].end <= (int32_t)strlen(TEXTS[i]));
                    assert_true(!k || utterance->marks[k].at_samples >= utterance->marks[k - 1].at_samples);
                }
            }
            listener_free(&listener);
        }
    }
}

/* Words in order, each once, and no jump in the sound where voices take turns. */
static void voices_take_turns_without_a_click(void **state)
{
    static const char TEXT[] = "The city of 北京 has a new train today.";
    const struct cp_voice *voice;
    if (cp_speech_find_voice(speech, "", "zh", &voice, NULL))
        skip();
    struct listener listener;
    say_text(speech, TEXT, "flite:slt", &listener);
    const struct cp_utterance *utterance = listener.heard[0];
    int32_t end = 0, joint = 0;
    for (size_t k = 0; k < utterance->n_marks; k++) {
        const struct cp_mark *mark = &utterance->marks[k];
        if (mark->type != CP_MARK_WORD)
            continue;
        assert_true(mark->start >= end);
        end = mark->end;
        if (!strncmp(TEXT + mark->start, "北京", 6))
            joint = mark->at_samples;
    }
    assert_true(joint > 0);
    int loudest = 0, around = 0;
    for (int32_t i = 1; i < utterance->n_samples; i++) {
        int jump = abs(utterance->pcm[i] - utterance->pcm[i - 1]);
        loudest = jump > loudest ? jump : loudest;
        if (abs(i - joint) < CP_SAMPLE_HZ * 60 / 1000)
            around = jump > around ? jump : around;
    }
    assert_true(around <= loudest); /* speech itself moves faster than the joint */
    assert_true(around < 6000);
    listener_free(&listener);
}

static void a_text_is_spoken_in_its_language_by_the_presenters_sex(void **state)
{
    const struct cp_voice *voice;
    if (cp_speech_find_voice(speech, "espeak:de", "", &voice, NULL))
        skip();
    static const struct {
        struct cp_speech_request request;
        const char *voice;
    } ROWS[] = {
        {{.text = "Guten Abend und willkommen, hier sind die Nachrichten."}, "espeak:de"},
        {{.text = "Guten Abend und willkommen.", .usual_voice = "flite:rms"}, "espeak:de-male"},
        {{.text = "Good evening and welcome to the show.", .usual_voice = "flite:rms"}, "flite:rms"},
        {{.text = "Bonjour et bienvenue, voici les nouvelles.", .sex = "male"}, "espeak:fr-male"},
        {{.text = "Good evening.", .sex = "male"}, "flite:rms"},
        {{.text = "今天的新闻到此结束。", .usual_voice = "flite:rms"}, "espeak:zh-male"},
        {{.text = "Berlin"}, "flite:slt"},
        {{.text = "Guten Abend und willkommen, hier sind die Nachrichten.", .language = "en"}, "flite:slt"},
        {{.text = "Guten Abend und willkommen, hier sind die Nachrichten.", .voice = "flite:rms"},
         "flite:rms"},
        {{.text = "Hello", .usual_voice = "none:such"}, "flite:slt"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct listener listener;
        say(speech, ROWS[i].request, &listener);
        assert_int_equal(listener.result, 0);
        assert_string_equal(listener.heard[0]->voice, ROWS[i].voice);
        listener_free(&listener);
    }
}

/* Long texts of each language that is read out: every phone has a mouth shape of its own, and in Chinese and
 * Japanese every sign lies in a word. */
static void languages_have_lips_and_words(void **state)
{
    static const struct {
        const char *voice, *text;
    } ROWS[] = {
        {"espeak:de",
         "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Am 3. März um 14:30 Uhr."},
        {"espeak:fr", "Portez ce vieux whisky au juge blond qui fume. Le 1er mai à 14h30, un bon vin blanc."},
        {"espeak:es", "El veloz murciélago hindú comía feliz cardillo y kiwi. La cigüeña tocaba el saxofón."},
        {"espeak:en-gb",
         "The quick brown fox jumps over the lazy dog, with thought, joy, pure air and azure beer."},
        {"espeak:zh",
         "今天下午两点三十分，北京银行的行长说，中国经济增长了百分之五。女儿去绿色森林，雪很大，日出而作，"
         "自己吃饭，四是四，十是十，穷人用弓，学习拳击，春天的风，儿童坐船，快乐的鹅，翁先生。"},
        {"espeak:ja",
         "東京は晴れです。お茶を三杯飲みました。新聞は百円です。学校へ行って、先生に会った。ヴァイオリン、"
         "キャベツ、ギュウニュウ、シャシン、チョコレート、ニュース、ヒャク、ミャク、リョコウ。"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct cp_voice *voice;
        if (cp_speech_find_voice(speech, ROWS[i].voice, "", &voice, NULL))
            continue;
        struct listener listener;
        say_text(speech, ROWS[i].text, ROWS[i].voice, &listener);
        char *covered = calloc(strlen(ROWS[i].text) + 1, 1);
        for (int n = 0; n < listener.n_heard; n++) {
            const struct cp_utterance *utterance = listener.heard[n];
            for (size_t k = 0; k < utterance->n_marks; k++) {
                const struct cp_mark *mark = &utterance->marks[k];
                if (mark->type == CP_MARK_WORD)
                    memset(covered + mark->start, 1, (size_t)(mark->end - mark->start));
                if (mark->type != CP_MARK_PHONE)
                    continue;
                struct cp_mouth mouth = cp_mouth_of_phone(CP_PHONES_IPA, mark->name);
                bool unknown =
                    mouth.n == 1 && mouth.part[0].viseme == CP_VISEME_E && mouth.part[0].weight == 0.4f;
                if (unknown)
                    print_error("%s: no mouth for \"%s\"\n", ROWS[i].voice, mark->name);
                assert_false(unknown);
            }
        }
        for (const char *c = ROWS[i].text; i >= 4 && *c; c++)
            if ((unsigned char)*c >= 0xe3 && strncmp(c, "。", 3) != 0 && strncmp(c, "、", 3) != 0 &&
                strncmp(c, "，", 3) != 0) {
                if (!covered[c - ROWS[i].text])
                    print_error("%s: no word for \"%.3s\"\n", ROWS[i].voice, c);
                assert_true(covered[c - ROWS[i].text]);
            }
        free(covered);
        listener_free(&listener);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torture_has_a_clear_result),
        cmocka_unit_test(torture_by_size_is_bounded),
        cmocka_unit_test(torture_that_can_be_said_is_said),
        cmocka_unit_test(voices_take_turns_without_a_click),
        cmocka_unit_test(languages_have_lips_and_words),
        cmocka_unit_test(a_text_is_spoken_in_its_language_by_the_presenters_sex),
    };
    return cmocka_run_group_tests(tests, open_speech, close_speech);
}
