/* What is remembered while flite speaks changes nothing of what it says. */
#include "align_truth.h"
#include "speech/engines/flite_hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cp_sound speak(const char *voice, const char *text, double rate)
{
    static const atomic_bool never = false;
    struct cp_piece piece = {
        .voice = voice, .text = text, .length = strlen(text), .rate = rate, .pitch = 1, .range = 1};
    struct cp_sound sound = {0};
    assert_int_equal(cp_flite_provider.speak(NULL, &piece, &never, &sound, NULL), 0);
    return sound;
}

static void remembering_changes_nothing(void **state)
{
    static const char *const VOICES[] = {"slt", "rms", "awb", "kal16"};
    for (size_t v = 0; v < 4; v++)
        for (int i = 0; i < TRUTH_N; i += 3) {
            double rate = i % 2 ? 1 : 1.3;
            cp_flite_hooks_forget(true);
            struct cp_sound plain = speak(VOICES[v], TRUTH_SENTENCES[i], rate);
            cp_flite_hooks_forget(false);
            struct cp_sound quick = speak(VOICES[v], TRUTH_SENTENCES[i], rate);
            assert_int_equal(plain.n_samples, quick.n_samples);
            assert_memory_equal(plain.pcm, quick.pcm, plain.n_samples * sizeof *plain.pcm);
            assert_int_equal(plain.n_events, quick.n_events);
            for (size_t k = 0; k < plain.n_events; k++) {
                assert_int_equal(plain.events[k].at, quick.events[k].at);
                assert_string_equal(plain.events[k].name, quick.events[k].name);
            }
            cp_sound_free(&plain);
            cp_sound_free(&quick);
        }
}

/* The library takes our functions for its own: where it did not, all would be well but slow. */
static void library_takes_our_functions(void **state)
{
    int64_t before = cp_flite_hooks_frames();
    struct cp_sound sound = speak("slt", "Good evening.", 1);
    int64_t frames = cp_flite_hooks_frames() - before;
    assert_true(frames > 100);
    assert_true((size_t)(frames - 1) * 80 == sound.n_samples); /* 5 ms at 16 kHz */
    cp_sound_free(&sound);
}

static void stopped_speech_ends_at_once(void **state)
{
    static const atomic_bool stop = true;
    const char *text = TRUTH_SENTENCES[0];
    struct cp_piece piece = {
        .voice = "slt", .text = text, .length = strlen(text), .rate = 1, .pitch = 1, .range = 1};
    struct cp_sound sound = {0};
    struct cp_error error = {0};
    assert_int_equal(cp_flite_provider.speak(NULL, &piece, &stop, &sound, &error), CP_ERR_CANCELLED);
    assert_int_equal(sound.n_samples, 0);
    cp_sound_free(&sound);
}

int main(void)
{
    struct cp_speech_config config = {0};
    void *engine = NULL;
    if (cp_flite_provider.open(&config, &engine, NULL))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembering_changes_nothing),
        cmocka_unit_test(library_takes_our_functions),
        cmocka_unit_test(stopped_speech_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
