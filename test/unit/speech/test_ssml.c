/* SSML to scripts. */
#include "speech/script.h"
#include "speech/styles.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cp_script read_ssml(const char *ssml)
{
    struct cp_script script;
    struct cp_error error = {0};
    int result = cp_script_read_ssml(ssml, 20000, &script, &error);
    if (result)
        print_error("%s\n", error.text);
    assert_int_equal(result, 0);
    return script;
}

static void expect_failure(const char *ssml, int code, const char *words)
{
    struct cp_script script;
    struct cp_error error = {0};
    int result = cp_script_read_ssml(ssml, 20000, &script, &error);
    if (result != code || !strstr(error.text, words))
        print_error("%d \"%s\" for %.100s\n", result, error.text, ssml);
    assert_int_equal(result, code);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.text, words));
}

static char *repeat(const char *head, const char *item, int count, const char *tail)
{
    char *text = malloc(strlen(head) + strlen(item) * (size_t)count + strlen(tail) + 1);
    char *at = stpcpy(text, head);
    for (int i = 0; i < count; i++)
        at = stpcpy(at, item);
    stpcpy(at, tail);
    return text;
}

static void ssml_gives_plain_text_and_sentences(void **state)
{
    struct cp_script script =
        read_ssml("<speak xml:lang='de-DE'>\n  <p><s>Guten  Tag</s>\n<s>Wie geht es?</s></p>"
                  "<p>Tom &amp; Anna &lt;3 &#228;</p></speak>");
    assert_string_equal(script.text, "Guten Tag Wie geht es? Tom & Anna <3 \xc3\xa4 ");
    assert_string_equal(script.language, "de-DE");
    assert_int_equal(script.n_sentences, 3);
    assert_int_equal(script.sentences[1].start, 10);
    assert_true(script.sentences[1].pause_ms > script.sentences[0].pause_ms); /* a paragraph ends */
    assert_int_equal(script.warnings.n, 0);
    cp_script_free(&script);
}

static void ssml_reads_breaks(void **state)
{
    struct cp_script script =
        read_ssml("<speak>One<break time='500ms'/> two<break time='1.5s'/> three<break strength='none'/> four"
                  "<break/> five<break time='99s'/> six<break time='soon'/></speak>");
    const int ms[] = {500, 1500, 0, 300, CP_SSML_MAX_BREAK_MS, 300};
    assert_int_equal(script.n_pauses, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(script.pauses[i].ms, ms[i]);
    assert_int_equal(script.pauses[1].at, 7);
    assert_int_equal(script.warnings.n, 1);
    cp_script_free(&script);
}

static void ssml_nests_prosody(void **state)
{
    struct cp_script script =
        read_ssml("<speak>a <prosody rate='80%' pitch='+2st'>b <prosody rate='fast' volume='-6dB'>c"
                  "</prosody> d</prosody> e <prosody pitch='low' rate='weird'>f</prosody></speak>");
    static const struct {
        int start;
        float rate, pitch, volume;
    } wanted[] = {
        {0, 1, 1, 1},          {2, 0.8f, 1.1225f, 1}, {4, 1.04f, 1.1225f, 0.5012f},
        {5, 0.8f, 1.1225f, 1}, {7, 1, 1, 1},          {10, 1, 0.85f, 1},
        {11, 1, 1, 1},
    };
    assert_int_equal(script.n_spans, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(script.spans[i].start, wanted[i].start);
        assert_true(fabsf(script.spans[i].rate - wanted[i].rate) < 1e-3f);
        assert_true(fabsf(script.spans[i].pitch - wanted[i].pitch) < 1e-3f);
        assert_true(fabsf(script.spans[i].volume - wanted[i].volume) < 1e-3f);
    }
    assert_int_equal(script.warnings.n, 1);
    cp_script_free(&script);
}

static void ssml_keeps_marks_and_foreign_elements_text(void **state)
{
    struct cp_script script =
        read_ssml("<speak>Look <mark name='here'/><shout>this</shout> is "
                  "<mark name='äöüäöüäöüäöü'/><say-as interpret-as='x'>it</say-as>.</speak>");
    assert_string_equal(script.text, "Look this is it.");
    assert_int_equal(script.n_flags, 2);
    assert_int_equal(script.flags[0].at, 5);
    assert_string_equal(script.flags[0].name, "here");
    assert_string_equal(script.flags[1].name, "äöüäöüä"); /* cut to 15 bytes, not inside a letter */
    assert_int_equal(script.warnings.n, 2);
    cp_script_free(&script);
}

static const struct cp_span *span_of(const struct cp_script *script, const char *words)
{
    const char *at = strstr(script->text, words);
    assert_non_null(at);
    return cp_script_span_at(script, (int32_t)(at - script->text));
}

static void ssml_says_what_to_say_instead(void **state)
{
    struct cp_script script =
        read_ssml("<speak>The <sub alias='World Wide &quot;Web&quot; &amp; more'>WWW</sub> of <say-as "
                  "interpret-as='date' "
                  "format='dmy'>3. 4. 2026</say-as>, <say-as interpret-as='spell-out'>abc</say-as>, <phoneme "
                  "alphabet='ipa' ph='t\xc9\x99\xcb\x88me\xc9\xaato\xca\x8a'>tomato</phoneme> end.</speak>");
    assert_string_equal(script.text, "The WWW of 3. 4. 2026, abc, tomato end.");
    assert_string_equal(cp_script_note(&script, span_of(&script, "WWW")->alias), "World Wide \"Web\" & more");
    assert_int_equal(span_of(&script, " of ")->alias, 0);
    assert_int_equal(span_of(&script, "3. 4.")->say_as, CP_SAY_DATE);
    assert_string_equal(span_of(&script, "3. 4.")->say_as_format, "dmy");
    assert_int_equal(span_of(&script, "abc")->say_as, CP_SAY_CHARACTERS);
    assert_string_equal(span_of(&script, "abc")->say_as_format, "");
    assert_string_equal(cp_script_note(&script, span_of(&script, "tomato")->phoneme),
                        "t\xc9\x99\xcb\x88me\xc9\xaato\xca\x8a");
    assert_int_equal(span_of(&script, " end")->say_as, CP_SAY_UNSET);
    assert_string_equal(cp_script_note(&script, 0), "");
    assert_int_equal(script.n_sentences, 1); /* no date is cut at its dots */
    assert_int_equal(script.warnings.n, 0);
    cp_script_free(&script);
}

static void ssml_never_cuts_what_is_read_as_one(void **state)
{
    struct cp_script script =
        read_ssml("<speak>See <sub alias='him'>Mr. X. He is here. Now!</sub> And go.</speak>");
    assert_int_equal(script.n_sentences, 2);
    assert_memory_equal(script.text + script.sentences[1].start, "And go", 6);
    cp_script_free(&script);
    char *long_note = repeat("<speak>A <sub alias='b'>", "many words, ", 100, "</sub> c.</speak>");
    script = read_ssml(long_note);
    for (int i = 1; i < script.n_sentences; i++)
        assert_false(cp_script_span_at(&script, script.sentences[i].start)->alias &&
                     cp_script_span_at(&script, script.sentences[i].start)->start <
                         script.sentences[i].start);
    cp_script_free(&script);
    free(long_note);
}

static void ssml_switches_language_voice_and_manner(void **state)
{
    struct cp_script script = read_ssml(
        "<speak xml:lang='en-US'>One <lang xml:lang='fr-FR'>deux</lang> three <voice "
        "name='espeak:de'>vier</voice> "
        "<voice languages='es:en it'>cinco</voice> <emphasis>six</emphasis> <emphasis level='reduced'>seven"
        "</emphasis> <prosody range='low'>eight</prosody> <w role='x'>nine</w> <s "
        "xml:lang='sv'>tio.</s></speak>");
    assert_string_equal(script.language, "en-US");
    assert_string_equal(span_of(&script, "One")->language, "");
    assert_string_equal(span_of(&script, "deux")->language, "fr-FR");
    assert_string_equal(span_of(&script, "three")->language, "");
    assert_string_equal(cp_script_note(&script, span_of(&script, "vier")->voice), "espeak:de");
    assert_string_equal(span_of(&script, "cinco")->language, "es");
    assert_int_equal(span_of(&script, "six")->emphasis, CP_EMPHASIS_MODERATE);
    assert_int_equal(span_of(&script, "seven")->emphasis, CP_EMPHASIS_REDUCED);
    assert_true(span_of(&script, "eight")->range < 0.9f);
    assert_string_equal(span_of(&script, "tio")->language, "sv");
    assert_int_equal(script.warnings.n, 0);
    cp_script_free(&script);
}

static void ssml_takes_names_of_polly_and_azure(void **state)
{
    struct cp_script script = read_ssml(
        "<speak><amazon:domain name='news'>Headlines.</amazon:domain> <amazon:domain "
        "name='conversational'>Chat."
        "</amazon:domain> <mstts:express-as style='cheerful'>Joy.</mstts:express-as> <amazon:emotion "
        "name='excited' intensity='high'>Wow.</amazon:emotion> <amazon:effect "
        "name='drc'>Even.</amazon:effect> "
        "Plain.</speak>");
    assert_int_equal(span_of(&script, "Headlines")->style, cp_style_find("news"));
    assert_int_equal(span_of(&script, "Chat")->style, cp_style_find("neutral"));
    assert_int_equal(span_of(&script, "Joy")->style, cp_style_find("excited"));
    assert_int_equal(span_of(&script, "Wow")->style, cp_style_find("excited"));
    assert_int_equal(span_of(&script, "Even")->style, 0);
    assert_int_equal(span_of(&script, "Plain")->style, 0);
    assert_int_equal(script.warnings.n, 0);
    cp_script_free(&script);
    script =
        read_ssml("<speak><amazon:effect name='whispered'>Hush.</amazon:effect>\n<amazon:auto-breaths>Ah."
                  "</amazon:auto-breaths> <amazon:effect vocal-tract-length='+15%'>Deep.</amazon:effect> "
                  "<amazon:domain name='opera'>La.</amazon:domain></speak>");
    assert_true(span_of(&script, "Hush")->volume < 0.6f);
    assert_int_equal(script.warnings.n, 4);
    assert_non_null(strstr(script.warnings.text[0], "Line 1"));
    assert_non_null(strstr(script.warnings.text[1], "auto-breaths"));
    assert_non_null(strstr(script.warnings.text[2], "vocal-tract-length"));
    assert_non_null(strstr(script.warnings.text[3], "opera"));
    cp_script_free(&script);
}

static void ssml_warns_of_what_it_passes_over(void **state)
{
    static const struct {
        const char *ssml, *text, *warning;
    } CASES[] = {
        {"A <audio src='x'><desc>A bell.</desc>bell</audio> b", "A bell b", "<audio> is not played"},
        {"<metadata>nobody says this</metadata>A", "A", ""},
        {"<lexicon uri='http://x/'/>A", "A", "nothing is fetched"},
        {"A <say-as interpret-as='poem'>b</say-as>", "A b", "interpret-as=\"poem\""},
        {"A <sub>b</sub>", "A b", "without an alias"},
        {"A <voice>b</voice>", "A b", "without name or language"},
        {"A <emphasis level='huge'>b</emphasis>", "A b", "level=\"huge\""},
        {"A <prosody contour='(0%,+20Hz)'>b</prosody>", "A b", "contour"},
        {"A <phoneme alphabet='x-sampa' ph='b'>b</phoneme>", "A b", "x-sampa"},
        {"A <sub alias='c'><break/>b</sub>", "A b", "inside of text that is read as one"},
        {"A <nobody:knows>b</nobody:knows>", "A b", "nobody:knows"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char ssml[300];
        snprintf(ssml, sizeof ssml, "<speak>%s</speak>", CASES[i].ssml);
        struct cp_script script = read_ssml(ssml);
        assert_string_equal(script.text, CASES[i].text);
        assert_int_equal(script.warnings.n, *CASES[i].warning != '\0');
        if (!strstr(script.warnings.text[0], CASES[i].warning))
            fail_msg("\"%s\" for %s", script.warnings.text[0], ssml);
        cp_script_free(&script);
    }
}

static void ssml_bounds_warnings_and_notes(void **state)
{
    char *many = repeat("<speak>a", "<b\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4/>",
                        500, "</speak>");
    struct cp_script script = read_ssml(many);
    assert_int_equal(script.warnings.n, 500);
    for (int i = 0; i < CP_WARNINGS_MAX; i++)
        assert_true(cp_utf8_valid(script.warnings.text[i], strlen(script.warnings.text[i])));
    cp_script_free(&script);
    free(many);
    char *notes =
        repeat("<speak>a", "<sub alias='0123456789012345678901234567890123456789'>b</sub> ", 800, "</speak>");
    expect_failure(notes, CP_ERR_LIMIT, "attributes");
    free(notes);
    char *one = repeat("<speak><sub alias='", "\xc3\xa4", 5000, "'>b</sub></speak>");
    script = read_ssml(one);
    const char *alias = cp_script_note(&script, script.spans[0].alias);
    assert_true(strlen(alias) < CP_SSML_MAX_NOTE_BYTES && cp_utf8_valid(alias, strlen(alias)));
    cp_script_free(&script);
    free(one);
}

static void ssml_refuses_malformed_with_the_line(void **state)
{
    expect_failure("<speak>\n\n<p>open</speak>", CP_ERR_FORMAT, "Line 3");
    expect_failure("<speak>never closed", CP_ERR_FORMAT, "malformed");
    expect_failure("plain text", CP_ERR_FORMAT, "Line 1");
    expect_failure("<speak>a</speak><speak>b</speak>", CP_ERR_FORMAT, "Line 1");
    expect_failure("<html>a</html>", CP_ERR_FORMAT, "starts with <speak>");
    expect_failure("<speak>a &unknown; b</speak>", CP_ERR_FORMAT, "Line 1");
    expect_failure("<speak>5 < 6</speak>", CP_ERR_FORMAT, "Line 1");
    expect_failure("", CP_ERR_FORMAT, "malformed");
    expect_failure("<speak>\xff</speak>", CP_ERR_INVALID, "UTF-8");
}

static void ssml_refuses_document_types(void **state)
{
    expect_failure("<!DOCTYPE speak [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
                   "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>]>"
                   "<speak>&d;</speak>",
                   CP_ERR_FORMAT, "document type");
    expect_failure("<!DOCTYPE speak [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><speak>&x;</speak>",
                   CP_ERR_FORMAT, "document type");
    expect_failure("<!DOCTYPE speak SYSTEM 'http://127.0.0.1:1/x.dtd'><speak>a</speak>", CP_ERR_FORMAT,
                   "document type");
}

static void ssml_bounds_depth_size_and_items(void **state)
{
    char *deep = repeat("<speak>", "<p>", 1000, "a");
    expect_failure(deep, CP_ERR_LIMIT, "deeper");
    free(deep);
    char *marks = repeat("<speak>a", "<mark name='x'/>", 3000, "</speak>");
    expect_failure(marks, CP_ERR_LIMIT, "more than");
    free(marks);
    char *breaks = repeat("<speak>a", "<break time='10s'/>", 13, "</speak>");
    expect_failure(breaks, CP_ERR_LIMIT, "breaks");
    free(breaks);
    char *text = repeat("<speak>", "many words ", 2000, "</speak>");
    expect_failure(text, CP_ERR_LIMIT, "longer than 20000");
    free(text);
    char *markup = repeat("<speak>a", "<!-- nothing but a comment -->", 4000, "</speak>");
    expect_failure(markup, CP_ERR_LIMIT, "longer than 80000");
    free(markup);
}

static void ssml_needs_something_to_say(void **state)
{
    expect_failure("<speak/>", CP_ERR_INVALID, "nothing to say");
    expect_failure("<speak><break/></speak>", CP_ERR_INVALID, "nothing to say");
    expect_failure("<speak>...</speak>", CP_ERR_INVALID, "nothing to say");
}

static void ssml_ignores_a_declared_encoding(void **state)
{
    struct cp_script script =
        read_ssml("<?xml version='1.0' encoding='ISO-8859-1'?><speak>\xc3\xa4hm</speak>");
    assert_string_equal(script.text, "\xc3\xa4hm");
    cp_script_free(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssml_says_what_to_say_instead),
        cmocka_unit_test(ssml_never_cuts_what_is_read_as_one),
        cmocka_unit_test(ssml_switches_language_voice_and_manner),
        cmocka_unit_test(ssml_takes_names_of_polly_and_azure),
        cmocka_unit_test(ssml_warns_of_what_it_passes_over),
        cmocka_unit_test(ssml_bounds_warnings_and_notes),
        cmocka_unit_test(ssml_gives_plain_text_and_sentences),
        cmocka_unit_test(ssml_reads_breaks),
        cmocka_unit_test(ssml_nests_prosody),
        cmocka_unit_test(ssml_keeps_marks_and_foreign_elements_text),
        cmocka_unit_test(ssml_refuses_malformed_with_the_line),
        cmocka_unit_test(ssml_refuses_document_types),
        cmocka_unit_test(ssml_bounds_depth_size_and_items),
        cmocka_unit_test(ssml_needs_something_to_say),
        cmocka_unit_test(ssml_ignores_a_declared_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
