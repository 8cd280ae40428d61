/* Pronunciations in IPA: spelled in an engine's phones, and heard from the engines. */
#include "listener.h"

#include "speech/ipa.h"
#include "speech/reading/lexicon.h"

/* --- spelling --- */

/* An engine that has these signs, named by themselves. */
struct toy {
    const char *signs; /* by blanks */
    char said[200];
};

static const char *toy_find(void *user, const char *sign, size_t length)
{
    static char name[16];
    for (const char *at = ((struct toy *)user)->signs; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == length && !strncmp(at, sign, n)) {
            snprintf(name, sizeof name, "%.*s", (int)n, at);
            return name;
        }
        at += n;
    }
    return NULL;
}

static void toy_put(void *user, const char *phone, bool vowel, int stress)
{
    struct toy *toy = user;
    size_t length = strlen(toy->said);
    snprintf(toy->said + length, sizeof toy->said - length, "%s%s%s", length ? " " : "", phone,
             !vowel        ? ""
             : stress == 2 ? "1"
             : stress == 1 ? "2"
                           : "0");
}

static void expect_spelled(const char *ipa, const char *signs, const char *said, int n)
{
    struct toy toy = {.signs = signs};
    const struct cp_ipa_speller speller = {toy_find, toy_put, &toy};
    assert_int_equal(cp_ipa_spell(ipa, &speller), n);
    assert_string_equal(toy.said, said);
}

static void ipa_is_spelled_by_what_an_engine_has(void **state)
{
    expect_spelled("təˈmeɪtoʊ", "t ə m eɪ oʊ", "t ə0 m eɪ1 t oʊ0", 6);
    expect_spelled("ˌɪn.tə", "ɪ n t ə", "ɪ2 n t ə0", 4);
    expect_spelled("t͡ʃiːz", "tʃ t iː z", "tʃ iː1 z", 3); /* the longest first; no mark: the first vowel */
    expect_spelled("kiːp", "k i p", "k i1 p", 3);        /* length is left out where it is unknown */
    expect_spelled("ʁɔ̃", "ɹ ɔ n", "ɹ ɔ1 n", 3);          /* French "rond", in English phones */
    expect_spelled("bɑ̃", "b ɑ̃ ɑ n", "b ɑ̃1", 2);
    expect_spelled("ɲ", "n", "", 0); /* "n j" is not all there */
    expect_spelled("", "a", "", 0);
    expect_spelled("???", "a", "", 0);
    expect_spelled("ˈ", "a", "", 0);
    char longest[4 * CP_IPA_MAX_BYTES]; /* is cut, never inside a character */
    for (size_t i = 0; i + 2 < sizeof longest; i += 2)
        memcpy(longest + i, "ə", 2);
    longest[sizeof longest - 2] = '\0';
    struct toy toy = {.signs = "ə"};
    const struct cp_ipa_speller speller = {toy_find, toy_put, &toy};
    assert_int_equal(cp_ipa_spell(longest, &speller), CP_IPA_MAX_BYTES / 2 - 1);
}

/* --- heard --- */

static struct cp_speech *speech;

static bool usable(const char *voice)
{
    const struct cp_voice *found;
    return !cp_speech_find_voice(speech, voice, NULL, &found, NULL);
}

/* The phones that stand under a word, by blanks. */
static void phones_of(const struct cp_utterance *utterance, const char *word, char *phones, size_t capacity)
{
    phones[0] = '\0';
    for (size_t i = 0; i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        size_t length = strlen(phones);
        if (mark->type == CP_MARK_PHONE && (size_t)(mark->end - mark->start) == strlen(word) &&
            !strncmp(utterance->text + mark->start - utterance->text_start, word, strlen(word)))
            snprintf(phones + length, capacity - length, "%s%s", length ? " " : "", mark->name);
    }
}

static int words_of(const struct cp_utterance *utterance)
{
    int n = 0;
    for (size_t i = 0; i < utterance->n_marks; i++)
        n += utterance->marks[i].type == CP_MARK_WORD;
    return n;
}

static void expect_heard(struct cp_speech_request request, const char *word, const char *phones)
{
    struct listener listener;
    char heard[200];
    if (!usable(request.voice))
        return;
    say(speech, request, &listener);
    assert_int_equal(listener.result, 0);
    assert_int_equal(listener.n_heard, 1);
    phones_of(listener.heard[0], word, heard, sizeof heard);
    assert_string_equal(heard, phones);
    assert_int_equal(words_of(listener.heard[0]), 4);
    listener_free(&listener);
}

static const struct {
    const char *voice, *ipa, *phones, *usual;
} HEARD[] = {
    {"flite:slt", "təˈmɑːtəʊ", "t ax m aa t ow", "t ax m ey t ow"},
    {"flite:kal16", "təˈmɑːtəʊ", "t ax m aa t ow", "t ax m ey t ow"},
    {"espeak:en-us", "təˈmɑːtəʊ", "t ə m ɑː ɾ oʊ", "t ə m eɪ ɾ oʊ"},
    {"espeak:de", "toˈmaːtoː", "t o m a t oː", "t oː m ɑː t oː"},
    {"espeak:fr", "bɔ̃ʒuʁ", "b ɔ̃ ʒ u ʁ", "t o m a t o"},
};

static void markup_pronounces_a_word(void **state)
{
    for (size_t i = 0; i < sizeof HEARD / sizeof *HEARD && usable(HEARD[i].voice); i++) {
        char ssml[300];
        snprintf(ssml, sizeof ssml,
                 "<speak>O <phoneme alphabet='ipa' ph='%s'>tomato</phoneme> so low.</speak>", HEARD[i].ipa);
        struct cp_speech_request request = {.ssml = ssml, .voice = HEARD[i].voice};
        expect_heard(request, "tomato", HEARD[i].phones);
        struct cp_warnings warnings;
        assert_int_equal(cp_speech_check(speech, &request, NULL, NULL, &warnings, NULL), 0);
        assert_int_equal(warnings.n, 0);
        request = (struct cp_speech_request){.text = "O tomato so low.", .voice = HEARD[i].voice};
        expect_heard(request, "tomato", HEARD[i].usual);
    }
    /* nothing of it can be said: as it is written */
    expect_heard(
        (struct cp_speech_request){.ssml = "<speak>O <phoneme ph='!?'>tomato</phoneme> so low.</speak>",
                                   .voice = "flite:slt"},
        "tomato", HEARD[0].usual);
    expect_heard(
        (struct cp_speech_request){.ssml = "<speak>O <phoneme ph='!?'>tomato</phoneme> so low.</speak>",
                                   .voice = "espeak:en-us"},
        "tomato", HEARD[2].usual);
}

/* A phoneme goes before an alias, where the engine takes phones. */
static void lexicons_pronounce_words(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        json_t *document = json_pack("{s:[{s:s, s:s, s:s}]}", "rows", "grapheme", "tomato", "alias", "potato",
                                     "phoneme", HEARD[i].ipa);
        struct cp_lexicon *lexicon;
        assert_int_equal(cp_lexicon_read_json(document, &lexicon, NULL), 0);
        json_decref(document);
        assert_int_equal(cp_lexicon_n_phonemes_only(lexicon), 0);
        struct cp_speech_request request = {
            .text = "O tomato so low.", .voice = HEARD[i].voice, .lexicon = lexicon};
        expect_heard(request, "tomato", HEARD[i].phones);
        cp_lexicon_drop(lexicon);
    }
}

/* Two words in a row that are pronounced alike are both said. */
static void pronounced_words_follow_one_another(void **state)
{
    static const char SSML[] = "<speak>O <phoneme ph='njuː'>gnu</phoneme> <phoneme ph='njuː'>gnu</phoneme> "
                               "low [[x]].</speak>";
    static const char *const VOICES[][2] = {{"flite:slt", "n y uw n y uw"},
                                            {"espeak:en-us", "n j uː n j uː"}};
    for (size_t i = 0; i < 2; i++) {
        struct listener listener;
        char heard[200];
        if (!usable(VOICES[i][0]))
            continue;
        say(speech, (struct cp_speech_request){.ssml = SSML, .voice = VOICES[i][0]}, &listener);
        assert_int_equal(listener.result, 0);
        phones_of(listener.heard[0], "gnu", heard, sizeof heard);
        assert_string_equal(heard, VOICES[i][1]);
        listener_free(&listener);
    }
}

static int begin(void **state)
{
    struct cp_speech_config config = quick_config();
    speech = start(&config);
    return 0;
}

static int end(void **state)
{
    cp_speech_destroy(speech);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipa_is_spelled_by_what_an_engine_has),
        cmocka_unit_test(markup_pronounces_a_word),
        cmocka_unit_test(lexicons_pronounce_words),
        cmocka_unit_test(pronounced_words_follow_one_another),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
