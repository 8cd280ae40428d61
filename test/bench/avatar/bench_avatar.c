/*
 * CPU time of a pose and of loading: bench_avatar [model.glb]. Without a model only the mouth is measured.
 * Times are of the thread's CPU clock, so that other load on the machine matters little.
 */
#include "avatar/avatar.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>

#define FRAMES 20000

/* Thirty seconds of even syllables. */
static struct cp_utterance *chatter(void)
{
    enum { SYLLABLES = 150 };
    struct cp_utterance *u = cp_utterance_create(30 * CP_SAMPLE_HZ, 2 * SYLLABLES, "");
    for (int i = 0; u && i < 2 * SYLLABLES; i++)
        u->marks[u->n_marks++] = (struct cp_mark){.type = CP_MARK_VISEME,
                                                  .viseme = (enum cp_viseme)(2 + i * 7 % 14),
                                                  .at_samples = i * 4800,
                                                  .length_samples = 4800,
                                                  .weight = 1,
                                                  .stress = i % 5 ? 0 : 2};
    for (size_t i = 0; u && i < u->n_prosody; i++)
        u->prosody[i] = (struct cp_prosody){.f0_hz = 200 + 40 * sinf((float)i / 17), .level = 0.08f};
    return u;
}

static double per_frame_us(int64_t since_ns, int frames)
{
    return (double)(cp_clock_thread_cpu_ns() - since_ns) / 1e3 / frames;
}

int main(int argc, char **argv)
{
    static struct cp_pose pose;
    struct cp_utterance *u = chatter();
    float shapes[CP_SHAPE_COUNT], sum = 0;
    int64_t start = cp_clock_thread_cpu_ns();
    for (int i = 0; u && i < FRAMES; i++) {
        cp_actor_mouth(u, i * CP_SAMPLES_PER_FRAME % u->n_samples, shapes);
        sum += shapes[CP_SHAPE_jawOpen];
    }
    printf("mouth: %.2f us a frame (300 marks, mean jaw %.2f)\n", per_frame_us(start, FRAMES), sum / FRAMES);
    for (int a = 1; u && a < argc; a++) {
        struct cp_model *model;
        struct cp_actor *actor;
        struct cp_error error;
        start = cp_clock_thread_cpu_ns();
        if (cp_avatar_load_file(argv[a], &model, &error)) {
            printf("%s: %s\n", argv[a], error.text);
            continue;
        }
        printf("%s: loaded in %.0f ms (%d vertices, %d rows, %d joints)\n", model->name,
               per_frame_us(start, 1) / 1e3, model->n_vertices, model->n_rows, model->n_joints);
        if (cp_actor_create(model, 1, &actor, &error) == 0) {
            const struct cp_sight sight = {.camera_eye = {0, 1.6f, 2.5f}};
            struct cp_moment moment = {.attention = CP_ATTENTION_SPEAKING, .utterance = u, .gain = 1};
            start = cp_clock_thread_cpu_ns();
            for (int i = 0; i < FRAMES; i++, moment.at_samples += CP_SAMPLES_PER_FRAME) {
                moment.offset_samples = (int32_t)(moment.at_samples % u->n_samples);
                cp_actor_pose(actor, &moment, &sight, &pose);
            }
            printf("pose: %.2f us a frame\n", per_frame_us(start, FRAMES));
            cp_actor_destroy(actor);
        }
        cp_ref_drop(model);
    }
    cp_ref_drop(u);
    return 0;
}
