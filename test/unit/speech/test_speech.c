#include "listener.h"

static void speech_speaks_with_marks(void **state)
{
    struct cp_speech_config config = quick_config();
    struct cp_speech *speech = start(&config);
    struct listener listener;
    say_text(speech, "Hello everybody. Welcome to the show!", "", &listener);
    assert_int_equal(listener.n_heard, 2);
    assert_false(listener.heard[0]->last);
    assert_true(listener.heard[1]->last);
    assert_string_equal(listener.heard[0]->text, "Hello everybody.");
    assert_true(listener.heard[0]->n_marks > 10);
    assert_true(listener.heard[0]->n_samples > CP_PROSODY_STEP_SAMPLES * 50);
    listener_free(&listener);
    cp_speech_destroy(speech);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_speaks_with_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
