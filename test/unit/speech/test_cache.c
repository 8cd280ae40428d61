/* Sentences that were spoken before. */
#include "listener.h"

#include "speech/cache.h"
#include "speech/reading/lexicon.h"

static struct cp_utterance *make(uint8_t key, int sentence, int32_t n_samples)
{
    struct cp_utterance *utterance = cp_utterance_create(n_samples, 1, "Hello.");
    memset(utterance->key, key, sizeof utterance->key);
    strcpy(utterance->voice, "flite:slt");
    utterance->sentence = sentence;
    utterance->text_end = 6;
    utterance->n_marks = 1;
    utterance->marks[0].at_samples = 7;
    for (int32_t i = 0; i < n_samples; i++)
        utterance->pcm[i] = (int16_t)(i + key);
    return utterance;
}

static struct cp_utterance *get(struct cp_speech_cache *cache, uint8_t key, int sentence)
{
    uint8_t bytes[CP_SPEECH_KEY_BYTES];
    memset(bytes, key, sizeof bytes);
    return cp_speech_cache_get(cache, bytes, "flite:slt", sentence);
}

static void put(struct cp_speech_cache *cache, uint8_t key, int sentence, int32_t n_samples)
{
    struct cp_utterance *utterance = make(key, sentence, n_samples);
    cp_speech_cache_put(cache, utterance);
    cp_ref_drop(utterance);
}

static void hit_is_a_copy_as_good_as_new(void **state)
{
    struct cp_speech_cache *cache = cp_speech_cache_create(1 << 20, 60);
    int64_t before_ns = cp_clock_now_ns();
    put(cache, 1, 2, 1000);
    struct cp_utterance *found = get(cache, 1, 2), *again = get(cache, 1, 2);
    assert_true(found && again && found != again);
    assert_true(found->cached && found->made_ns >= before_ns);
    assert_int_equal(found->n_samples, 1000);
    assert_int_equal(found->pcm[999], 1000);
    assert_int_equal(found->n_marks, 1);
    assert_int_equal(found->marks[0].at_samples, 7);
    assert_int_equal(found->sentence, 2);
    assert_string_equal(found->text, "Hello.");
    assert_int_equal(found->text_end, 6);
    cp_ref_drop(found);
    cp_ref_drop(again);
    assert_null(get(cache, 1, 3));
    assert_null(get(cache, 2, 2));
    uint8_t key[CP_SPEECH_KEY_BYTES];
    memset(key, 1, sizeof key);
    assert_null(cp_speech_cache_get(cache, key, "flite:rms", 2));
    struct cp_speech_stats stats = {0};
    cp_speech_cache_count(cache, &stats);
    assert_int_equal(stats.cache_hits, 2);
    assert_int_equal(stats.cache_misses, 3);
    assert_int_equal(stats.cache_entries, 1);
    cp_speech_cache_destroy(cache);
    assert_null(cp_speech_cache_create(0, 60)); /* and no cache is fine everywhere */
    assert_null(get(NULL, 1, 1));
    put(NULL, 1, 1, 10);
    cp_speech_cache_sweep(NULL);
}

static void least_recently_used_gives_way(void **state)
{
    struct cp_speech_cache *cache = cp_speech_cache_create(70000, 60); /* three of about 21 kB */
    struct cp_speech_stats stats = {0};
    for (uint8_t i = 0; i < 3; i++)
        put(cache, i, 0, 10000);
    cp_ref_drop(get(cache, 0, 0));
    put(cache, 3, 0, 10000);
    assert_null(get(cache, 1, 0));
    for (int i = 0; i < 4; i++)
        if (i != 1) {
            struct cp_utterance *found = get(cache, (uint8_t)i, 0);
            assert_non_null(found);
            cp_ref_drop(found);
        }
    put(cache, 9, 0, 1000000); /* larger than all: not kept, and nothing lost for it */
    put(cache, 3, 0, 10000);   /* the same again replaces itself */
    cp_speech_cache_count(cache, &stats);
    assert_int_equal(stats.cache_entries, 3);
    assert_true(stats.cache_bytes <= 70000);
    cp_speech_cache_destroy(cache);
}

static void expired_and_forgotten_are_gone(void **state)
{
    struct cp_speech_cache *cache = cp_speech_cache_create(1 << 20, 60);
    struct cp_speech_stats stats = {0};
    uint8_t key[CP_SPEECH_KEY_BYTES];
    for (int i = 0; i < 3; i++)
        put(cache, 5, i, 100);
    put(cache, 6, 0, 100);
    memset(key, 5, sizeof key);
    cp_speech_cache_expire(cache, key, 1); /* long ago */
    assert_null(get(cache, 5, 0));
    cp_speech_cache_sweep(cache);
    cp_speech_cache_count(cache, &stats);
    assert_int_equal(stats.cache_entries, 1);
    memset(key, 6, sizeof key);
    cp_speech_cache_expire(cache, key, 0);
    cp_speech_cache_count(cache, &stats);
    assert_int_equal(stats.cache_entries, 0);
    assert_int_equal(stats.cache_bytes, 0);
    cp_speech_cache_destroy(cache);
}

static void key_is_of_everything_that_is_heard(void **state)
{
    struct cp_lexicon *lexicon;
    json_t *rows = json_loads("{\"rows\":[{\"grapheme\":\"Hello\",\"alias\":\"Hi\"}]}", 0, NULL);
    assert_int_equal(cp_lexicon_read_json(rows, &lexicon, NULL), 0);
    const struct cp_speech_request requests[] = {
        {.text = "Hello."},
        {.ssml = "Hello."},
        {.text = "Hello!"},
        {.text = "Hello.", .language = "de"},
        {.text = "Hello.", .rate = 1.1},
        {.text = "Hello.", .pitch = 1.1},
        {.text = "Hello.", .volume = 1.1},
        {.text = "Hello.", .style = "news"},
        {.text = "Hello.", .lexicon = lexicon},
    };
    enum { N = sizeof requests / sizeof requests[0] };
    uint8_t keys[N][CP_SPEECH_KEY_BYTES], same[CP_SPEECH_KEY_BYTES];
    for (int i = 0; i < N; i++) {
        cp_speech_request_key(&requests[i], keys[i]);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(keys[i], keys[k], sizeof keys[i]);
    }
    cp_speech_request_key(&(struct cp_speech_request){.text = "Hello.", .rate = 1, .language = ""}, same);
    assert_memory_equal(same, keys[0], sizeof same);
    json_decref(rows);
    cp_lexicon_drop(lexicon);
}

static void same_line_again_is_heard_at_once(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener first, second, third;
    const char *text = "This sentence is made once. This one too, and both are heard twice.";
    say_text(speech, text, "flite:slt", &first);
    say_text(speech, text, "flite:slt", &second);
    struct cp_speech_stats stats = cp_speech_stats(speech);
    assert_int_equal(stats.cache_hits, 2);
    assert_int_equal(stats.cache_misses, 2);
    assert_int_equal(second.n_heard, first.n_heard);
    for (int i = 0; i < first.n_heard; i++) {
        struct cp_utterance *a = first.heard[i], *b = second.heard[i];
        assert_false(a->cached);
        assert_true(b->cached);
        assert_int_equal(a->n_samples, b->n_samples);
        assert_memory_equal(a->pcm, b->pcm, (size_t)a->n_samples * 2);
        assert_int_equal(a->last, b->last);
        assert_int_equal(a->n_marks, b->n_marks);
        assert_string_equal(a->text, b->text);
        assert_true(b->made_ns > a->made_ns);
    }
    cp_speech_forget(speech, first.heard[0]->key, 0);
    say_text(speech, text, "flite:slt", &third);
    assert_false(third.heard[0]->cached);
    listener_free(&first);
    listener_free(&second);
    listener_free(&third);
    cp_speech_destroy(speech);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hit_is_a_copy_as_good_as_new),
        cmocka_unit_test(least_recently_used_gives_way),
        cmocka_unit_test(expired_and_forgotten_are_gone),
        cmocka_unit_test(key_is_of_everything_that_is_heard),
        cmocka_unit_test(same_line_again_is_heard_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
