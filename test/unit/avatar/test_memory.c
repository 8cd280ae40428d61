/* Loading again and again with the Nth allocation failing: it fails cleanly, and only then. The linker wraps
 * the stage's own calls; libraries keep theirs. */
#include "models.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int failing = -1; /* which allocation fails; -1: none */
static int allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static int fails(void)
{
    return allocations++ == failing;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
    return fails() ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __real_realloc(old, bytes);
}

/* Fails each allocation of loading in turn. spares: some are for what nothing depends on. */
static void load_with_failures(const uint8_t *glb, size_t length, bool spares)
{
    for (int n = 0;; n++) {
        struct cp_model *model = NULL;
        struct cp_error error = {0};
        failing = n;
        allocations = 0;
        int err = cp_avatar_load(glb, length, "figure", &model, &error);
        bool reached = allocations > n;
        failing = -1;
        if (!reached) {
            assert_int_equal(err, 0);
            cp_ref_drop(model);
            assert_true(n > 10);
            break;
        }
        if (spares && !err) {
            cp_ref_drop(model);
            continue;
        }
        assert_int_equal(err, CP_ERR_NOMEM);
        assert_null(model);
    }
}

static void loading_survives_any_failed_allocation(void **state)
{
    static const char *const seed[] = {"constraints", "many-joints", "head-alone", "occlusion", "springs1"};
    size_t length;
    uint8_t *glb = make_figure_glb(0, &length);
    load_with_failures(glb, length, false);
    free(glb);
    for (size_t i = 0; i < sizeof seed / sizeof *seed; i++) {
        char path[500];
        uint8_t bytes[1 << 15];
        snprintf(path, sizeof path, "%s/test/fuzz/avatar/corpus-gltf/%s.glb", SOURCE_ROOT, seed[i]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        load_with_failures(bytes, length, !strcmp(seed[i], "occlusion"));
    }
}

static void an_actor_without_memory_is_refused(void **state)
{
    struct cp_model *model = make_figure(0);
    struct cp_actor *actor = NULL;
    allocations = failing = 0;
    int err = cp_actor_create(model, 1, &actor, NULL);
    failing = -1;
    assert_int_equal(err, CP_ERR_NOMEM);
    assert_null(actor);
    cp_ref_drop(model);
}

static void posing_allocates_nothing(void **state)
{
    struct cp_model *model = make_figure(1);
    struct cp_actor *actor;
    struct cp_pose *pose = calloc(1, sizeof *pose);
    struct cp_utterance *u = cp_utterance_create(CP_SAMPLE_HZ, 4, "");
    struct cp_moment moment = {
        .gain = 1, .utterance = u, .emotion = CP_EMOTION_HAPPY, .emotion_intensity = 1, .action = "greet"};
    const struct cp_sight sight = {.camera_eye = {0, 1.5f, 2}};
    assert_int_equal(cp_actor_create(model, 1, &actor, NULL), 0);
    allocations = 0;
    for (int f = 0; f < 300; f++, moment.at_samples += CP_SAMPLES_PER_FRAME)
        cp_actor_pose(actor, &moment, &sight, pose);
    assert_int_equal(allocations, 0);
    cp_actor_destroy(actor);
    cp_ref_drop(u);
    cp_ref_drop(model);
    free(pose);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_survives_any_failed_allocation),
        cmocka_unit_test(an_actor_without_memory_is_refused),
        cmocka_unit_test(posing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
