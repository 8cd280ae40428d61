/* The same contract for every voice engine, on real sentences. */
#include "listener.h"
#include "services.h"

#include "media/clock.h"
#include "speech/dsp/dsp.h"
#include "speech/speech_provider.h"

#include <math.h>

static struct cp_speech *speech;
static struct services *services;
static double target_lufs;

static int setup(void **state)
{
    struct cp_speech_config config = quick_config();
    target_lufs = config.loudness_lufs;
    services = services_start();
    services_configure(services, &config);
    snprintf(config.workers, sizeof config.workers, " fake=%s  tone;", getenv("COMPERE_TEST_FAKE_WORKER"));
    speech = start(&config);
    return 0;
}

static int teardown(void **state)
{
    cp_speech_destroy(speech);
    assert_int_equal(atomic_load(&services->n_bad), 0);
    services_stop(services);
    return 0;
}

/* One usable voice of each engine with a text of its language. */
enum marks { WITH_PHONES, WITH_WORDS, WITHOUT_MARKS }; /* what the engine says itself */
struct sample {
    const char *voice, *text;
    enum marks marks;
};
static const struct sample SAMPLES[] = {
    {"flite:slt", "Bob pops up to buy a map. \"Papa's\" 25 maps cost $19.99 — naïve, isn't it?"},
    {"flite:rms", "Good evening, and welcome to the show."},
    {"flite:awb", "Good evening, and welcome to the show."},
    {"flite:kal16", "Good evening, and welcome to the show."},
    {"espeak:de", "Guten Abend, liebe 25 Freunde! Pope kauft für Bob eine Mappe für 3,50 €."},
    {"espeak:de-male", "Guten Abend."},
    {"espeak:fr", "Bonjour chers amis, bienvenue dans notre émission."},
    {"espeak:es", "Buenas noches, ¿qué tal?"},
    {"espeak:zh", "你好，我们今天在直播间介绍新手机。"},
    {"espeak:ja", "こんにちは、みなさん。"},
    {"espeak:ru", "Добрый вечер, дорогие друзья!"},
    {"espeak:ar", "مساء الخير يا أصدقاء"},
    {"espeak:ko", "안녕하세요 여러분."},
    {"worker:fake/de", "Guten Abend, liebe Freunde.", WITHOUT_MARKS},
    {"openai:nova", "Good evening, and welcome to the show.", WITHOUT_MARKS},
    {"polly:Joanna", "Good evening, dear \"friends\" & welcome to Zoë's show.", WITH_PHONES},
    {"azure:Jenny", "Good evening, dear <friends> & welcome to the show.", WITH_PHONES},
    {"elevenlabs:Rachel", "Good evening, dear friends; welcome to Zoë's show.", WITH_WORDS},
};
#define N_SAMPLES (sizeof SAMPLES / sizeof *SAMPLES)

static bool usable(const char *id)
{
    const struct cp_voice *voice;
    return cp_speech_find_voice(speech, id, NULL, &voice, NULL) == 0;
}

/* --- one utterance --- */

static void check_order(const struct cp_utterance *utterance)
{
    for (size_t i = 1; i < utterance->n_marks; i++) {
        const struct cp_mark *before = &utterance->marks[i - 1], *mark = &utterance->marks[i];
        assert_true(mark->at_samples >= before->at_samples);
        if (mark->at_samples == before->at_samples)
            assert_true(mark->type >= before->type);
    }
}

static void check_visemes(const struct cp_utterance *utterance)
{
    int32_t at = 0;
    for (size_t i = 0; i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        if (mark->type != CP_MARK_VISEME)
            continue;
        assert_int_equal(mark->at_samples, at); /* no gap, no overlap */
        assert_true(mark->length_samples > 0);
        assert_in_range(mark->viseme, CP_VISEME_SIL, CP_VISEME_COUNT - 1);
        assert_true(mark->weight > 0 && mark->weight <= 1);
        at += mark->length_samples;
    }
    assert_int_equal(at, utterance->n_samples);
}

static void check_ranges(const struct cp_utterance *utterance, size_t text_length, enum marks marks)
{
    int32_t word_end = 0;
    int n_words = 0, n_phones = 0, n_sentences = 0;
    for (size_t i = 0; i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        assert_true(mark->at_samples >= 0 && mark->length_samples >= 0);
        assert_true(mark->at_samples + mark->length_samples <= utterance->n_samples);
        assert_true(mark->start >= 0 && mark->end >= mark->start && mark->end <= (int32_t)text_length);
        if (mark->type == CP_MARK_WORD) {
            assert_true(mark->start >= word_end && mark->end > mark->start);
            assert_true(mark->length_samples > 0);
            word_end = mark->end;
            n_words++;
        }
        n_phones += mark->type == CP_MARK_PHONE && *mark->name;
        n_sentences += mark->type == CP_MARK_SENTENCE;
    }
    assert_true(n_words > 0 || marks == WITHOUT_MARKS);
    assert_true(n_phones >= n_words || marks != WITH_PHONES);
    assert_int_equal(n_sentences, 1);
}

static void check_sound(const struct cp_utterance *utterance)
{
    float *pcm = malloc((size_t)utterance->n_samples * sizeof *pcm);
    for (int32_t i = 0; i < utterance->n_samples; i++)
        pcm[i] = (float)utterance->pcm[i] / 32768;
    double lufs = cp_loudness_lufs(pcm, (size_t)utterance->n_samples);
    if (fabs(lufs - target_lufs) > 1.5)
        print_error("%s: %.1f LUFS\n", utterance->voice, lufs);
    assert_true(fabs(lufs - target_lufs) <= 1.5);
    assert_true(20 * log10((double)cp_true_peak(pcm, (size_t)utterance->n_samples)) <= -1.0);
    assert_in_range(utterance->pcm[0] + 40, 0, 80); /* no click at the ends */
    assert_in_range(utterance->pcm[utterance->n_samples - 1] + 40, 0, 80);
    assert_int_equal(utterance->n_prosody, (utterance->n_samples + 479) / 480);
    int voiced = 0;
    for (size_t i = 0; i < utterance->n_prosody; i++) {
        assert_true(utterance->prosody[i].level >= 0 && utterance->prosody[i].level <= 1);
        assert_true(utterance->prosody[i].f0_hz == 0 ||
                    (utterance->prosody[i].f0_hz > 60 && utterance->prosody[i].f0_hz < 450));
        voiced += utterance->prosody[i].f0_hz > 0;
    }
    assert_true(voiced * 4 > (int)utterance->n_prosody);
    free(pcm);
}

/* Sound starts within 80 ms and the silence behind is what the stage adds, not the engine's. */
static void check_trimmed(const struct cp_utterance *utterance)
{
    size_t first = 0, last = utterance->n_prosody - 1;
    while (first < last && utterance->prosody[first].level < 0.005f)
        first++;
    while (last > first && utterance->prosody[last].level < 0.005f)
        last--;
    if (first > 8 || utterance->n_prosody - last > 40)
        print_error("%s: silence of %zu before and %zu behind, in 10 ms\n", utterance->voice, first,
                    utterance->n_prosody - last);
    assert_true(first <= 8);
    assert_true(utterance->n_prosody - last <= 40);
}

static void providers_keep_the_contract(void **state)
{
    int spoken = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (!usable(SAMPLES[i].voice)) {
            assert_memory_equal(SAMPLES[i].voice, "espeak:", 7); /* alone may be missing from a build */
            continue;
        }
        struct listener listener;
        say_text(speech, SAMPLES[i].text, SAMPLES[i].voice, &listener);
        for (int k = 0; k < listener.n_heard; k++) {
            const struct cp_utterance *utterance = listener.heard[k];
            assert_string_equal(utterance->voice, SAMPLES[i].voice);
            assert_int_equal(utterance->sentence, k);
            assert_int_equal(utterance->last, k + 1 == listener.n_heard);
            assert_memory_equal(utterance->text, SAMPLES[i].text + utterance->text_start,
                                strlen(utterance->text));
            check_order(utterance);
            check_visemes(utterance);
            check_ranges(utterance, strlen(SAMPLES[i].text), SAMPLES[i].marks);
            check_sound(utterance);
            check_trimmed(utterance);
        }
        listener_free(&listener);
        spoken++;
    }
    assert_true(spoken >= 4);
}

/* Every engine of the table is tried by some sample. */
static void providers_are_all_in_the_samples(void **state)
{
    for (size_t i = 0; i < cp_speech_n_providers; i++) {
        size_t length = strlen(cp_speech_providers[i]->name);
        int n = 0;
        for (size_t k = 0; k < N_SAMPLES; k++)
            n += !strncmp(SAMPLES[k].voice, cp_speech_providers[i]->name, length);
        assert_true(n > 0);
        assert_true(*cp_speech_providers[i]->summary);
    }
}

/* --- words and lips --- */

static void expect_words(const char *voice, const char *text, const char *const *words)
{
    if (!usable(voice))
        return;
    struct listener listener;
    say_text(speech, text, voice, &listener);
    for (int k = 0; k < listener.n_heard; k++) {
        for (size_t i = 0; i < listener.heard[k]->n_marks; i++) {
            const struct cp_mark *mark = &listener.heard[k]->marks[i];
            if (mark->type != CP_MARK_WORD)
                continue;
            assert_non_null(*words);
            char *got = strndup(text + mark->start, (size_t)(mark->end - mark->start));
            assert_string_equal(got, *words++);
            free(got);
        }
    }
    assert_null(*words);
    listener_free(&listener);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void words_point_into_the_text(void **state)
{
    expect_words("flite:slt", "“Hello,” naïve Dr. Smith’s 25 maps—cost $19.99. Buy!",
                 WORDS("Hello", "naïve", "Dr.", "Smith’s", "25", "maps", "cost", "$19.99", "Buy"));
    expect_words("flite:slt", "the cat the cat the", WORDS("the", "cat", "the", "cat", "the"));
    expect_words("espeak:de", "Schöne Grüße an 25 Bäcker. Tschüß!",
                 WORDS("Schöne", "Grüße", "an", "25", "Bäcker", "Tschüß"));
    expect_words("espeak:zh", "你好，手机。", WORDS("你好", "手机"));
    expect_words("espeak:zh", "今天银行的行长很高兴。", WORDS("今天", "银行", "的", "行长", "很", "高兴"));
    expect_words("espeak:zh", "2026年3月5日，GDP增长10%。", WORDS("2026年3月5日", "GDP", "增长", "10%"));
    expect_words("espeak:ja", "東京は晴れです。3本の木。", WORDS("東京は", "晴れです", "3本の", "木"));
    /* a name in another script is said by a voice of its language, and the sentence goes on */
    expect_words("flite:slt", "President 北京 met Владимир today.",
                 WORDS("President", "北京", "met", "Владимир", "today"));
    expect_words("polly:Joanna", "Hello, Zoë & friends!", WORDS("Hello", "Zoë", "&", "friends"));
    expect_words("elevenlabs:Rachel", "Hello, Zoë, 25 friends!", WORDS("Hello", "Zoë", "25", "friends"));
    expect_words("espeak:de", "## Titel\n* **Hallo** `Welt` [hier]", WORDS("Titel", "Hallo", "Welt", "hier"));
    expect_words("flite:slt", "## Title\n* **Hello** `world` [here] #1",
                 WORDS("Title", "Hello", "world", "here", "#1"));
}

static double level_at(const struct cp_utterance *utterance, int32_t from, int32_t to)
{
    double sum = 0;
    for (int32_t i = from; i < to; i++)
        sum += (double)utterance->pcm[i] * utterance->pcm[i];
    return sqrt(sum / (to - from));
}

/* "Bob pops up": lips close five times; while they are closed it is quieter than in the vowels around. */
static void lips_close_where_it_is_quiet(void **state)
{
    static const char *const voices[] = {"flite:slt", "espeak:en-us"};
    for (size_t v = 0; v < 2; v++) {
        if (!usable(voices[v]))
            continue;
        struct listener listener;
        say_text(speech, "Bob pops up", voices[v], &listener);
        const struct cp_utterance *utterance = listener.heard[0];
        double loud = level_at(utterance, 0, utterance->n_samples);
        int closed = 0, quiet = 0, shut_first = 0;
        for (size_t i = 0; i < utterance->n_marks; i++) {
            const struct cp_mark *mark = &utterance->marks[i];
            if (mark->type != CP_MARK_VISEME || mark->viseme != CP_VISEME_PP)
                continue;
            closed++;
            shut_first += level_at(utterance, mark->at_samples, mark->at_samples + 48 * 15) < loud * 0.2;
            double least = loud;
            for (int32_t at = mark->at_samples; at + 240 < mark->at_samples + mark->length_samples; at += 120)
                least = fmin(least, level_at(utterance, at, at + 240));
            quiet += least < loud * 0.4;
            assert_in_range(mark->length_samples, 48 * 15, 48 * 200);
        }
        assert_int_equal(closed, 5);
        assert_true(quiet >= 4);
        if (v == 1)
            assert_true(shut_first >= 3); /* the three p begin with their closure, not with their release */
        listener_free(&listener);
    }
}

static void expect_stressed(const char *voice, const char *text, const char *const *phones)
{
    if (!usable(voice))
        return;
    struct listener listener;
    say_text(speech, text, voice, &listener);
    const struct cp_utterance *utterance = listener.heard[0];
    for (size_t i = 0; i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        if (mark->type == CP_MARK_PHONE && mark->stress == 2) {
            assert_non_null(*phones);
            assert_string_equal(mark->name, *phones++);
        }
    }
    assert_null(*phones);
    listener_free(&listener);
}

static void stress_is_where_it_is_spoken(void **state)
{
    expect_stressed("espeak:de", "Guten Abend, Freunde", WORDS("uː", "ɑː", "ɔø"));
    expect_stressed("flite:slt", "about", WORDS("b", "aw", "t")); /* the whole syllable */
}

/* --- rate, pitch, volume --- */

static double mean_f0(const struct cp_utterance *utterance)
{
    double sum = 0;
    int n = 0;
    for (size_t i = 0; i < utterance->n_prosody; i++) {
        sum += (double)utterance->prosody[i].f0_hz;
        n += utterance->prosody[i].f0_hz > 0;
    }
    return n ? sum / n : 0;
}

/* From the first word to the end of the last. */
static int spoken_samples(const struct cp_utterance *utterance)
{
    for (size_t i = 0; i < utterance->n_marks; i++)
        if (utterance->marks[i].type == CP_MARK_SENTENCE)
            return utterance->marks[i].length_samples;
    return 0;
}

static void voices_follow_rate_and_pitch(void **state)
{
    static const char *const voices[] = {"flite:slt", "flite:kal16", "espeak:de"};
    for (size_t v = 0; v < 3; v++) {
        if (!usable(voices[v]))
            continue;
        struct cp_speech_request request = {.text = "Moving on to the evening news", .voice = voices[v]};
        struct listener normal, fast, high, again;
        say(speech, request, &normal);
        request.rate = 1.5;
        say(speech, request, &fast);
        request.rate = 0;
        request.pitch = 1.4;
        say(speech, request, &high);
        request.pitch = 1;
        say(speech, request, &again);
        double speedup = (double)spoken_samples(normal.heard[0]) / spoken_samples(fast.heard[0]);
        assert_true(speedup > 1.25 && speedup < 1.6);
        double lift = mean_f0(high.heard[0]) / mean_f0(normal.heard[0]);
        assert_true(lift > 1.2 && lift < 1.6);
        /* nothing of it stays with the voice */
        assert_true(abs(spoken_samples(again.heard[0]) - spoken_samples(normal.heard[0])) < 480);
        assert_true(fabs(mean_f0(again.heard[0]) / mean_f0(normal.heard[0]) - 1) < 0.03);
        listener_free(&normal);
        listener_free(&fast);
        listener_free(&high);
        listener_free(&again);
    }
}

static void ssml_changes_the_performance(void **state)
{
    struct listener listener;
    say(speech,
        (struct cp_speech_request){
            .ssml = "<speak>Here <mark name='stop'/>it is.<break time='800ms'/> And <prosody "
                    "rate='60%' volume='-12dB'>slowly</prosody> it <break time='400ms'/> "
                    "goes.<mark name='end'/></speak>"},
        &listener);
    assert_int_equal(listener.result, 0);
    assert_int_equal(listener.n_heard, 2);
    const struct cp_utterance *first = listener.heard[0], *second = listener.heard[1];
    int32_t word_at = -1, mark_at = -1, end_at = -1, silence = 0;
    for (size_t i = 0; i < first->n_marks; i++) {
        if (first->marks[i].type == CP_MARK_WORD && first->marks[i].start == 5)
            word_at = first->marks[i].at_samples;
        if (first->marks[i].type == CP_MARK_NAMED) {
            assert_string_equal(first->marks[i].name, "stop");
            mark_at = first->marks[i].at_samples;
        }
    }
    assert_true(word_at > 0);
    assert_int_equal(mark_at, word_at);
    for (size_t i = first->n_prosody; i-- > 0 && first->prosody[i].level < 0.001f;)
        silence++;
    assert_in_range(silence, 78, 90); /* 800 ms behind the first sentence */
    for (size_t i = 0; i < second->n_marks; i++) {
        if (second->marks[i].type == CP_MARK_NAMED)
            end_at = second->marks[i].at_samples;
        if (second->marks[i].type == CP_MARK_VISEME && second->marks[i].viseme == CP_VISEME_SIL &&
            second->marks[i].length_samples > 48 * 400)
            silence = -1; /* and 400 ms inside the second */
    }
    assert_int_equal(silence, -1);
    assert_true(end_at > second->n_samples / 2);
    listener_free(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(providers_are_all_in_the_samples), cmocka_unit_test(providers_keep_the_contract),
        cmocka_unit_test(words_point_into_the_text),        cmocka_unit_test(lips_close_where_it_is_quiet),
        cmocka_unit_test(stress_is_where_it_is_spoken),     cmocka_unit_test(voices_follow_rate_and_pitch),
        cmocka_unit_test(ssml_changes_the_performance),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
