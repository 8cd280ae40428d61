/* Motions that follow on each other and on gestures: no joint jumps. */
#include "models.h"

#include "avatar/motion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_S    (1.0f / CP_FRAME_HZ)
#define MOST_RAD_S 9.0f  /* no joint turns faster against its parent, whatever takes over from what */
#define MOST_JUMP  2.6f  /* nor changes its speed by more in a frame, radians a second */
#define MOST_FACE  0.12f /* nor a shape of the face its weight */

static const struct cp_sight SIGHT = {.camera_eye = {0, 1.6f, 2.5f}};

static void free_motion(void *object)
{
    struct cp_motion *motion = object;
    free(motion->turn);
    free(motion->shift);
    free(motion->face);
    free(motion);
}

/* Both upper arms held at an angle and swung, the head turned, the face showing one preset. */
static struct cp_motion *make_motion(float arm_rad, float yaw_rad, int preset, float seconds)
{
    struct cp_motion *m = calloc(1, sizeof *m);
    cp_ref_init(&m->ref, free_motion);
    m->n_frames = (int)(seconds * MOTION_HZ) + 1;
    m->turn = calloc((size_t)m->n_frames, sizeof *m->turn);
    m->shift = calloc((size_t)m->n_frames, sizeof *m->shift);
    m->face = calloc((size_t)m->n_frames, sizeof *m->face);
    m->moves[CP_BONE_LEFT_UPPER_ARM] = m->moves[CP_BONE_RIGHT_UPPER_ARM] = m->moves[CP_BONE_HEAD] = true;
    for (int f = 0; f < m->n_frames; f++) {
        float swing = arm_rad + 0.3f * (1 - cosf(0.2f * (float)f));
        for (int b = 0; b < CP_BONE_COUNT; b++)
            m->turn[f][b][3] = 1;
        for (int side = 0; side < 2; side++) {
            float *turn = m->turn[f][side ? CP_BONE_RIGHT_UPPER_ARM : CP_BONE_LEFT_UPPER_ARM];
            turn[2] = (side ? -1 : 1) * sinf(swing / 2);
            turn[3] = cosf(swing / 2);
        }
        m->turn[f][CP_BONE_HEAD][1] = sinf(yaw_rad / 2);
        m->turn[f][CP_BONE_HEAD][3] = cosf(yaw_rad / 2);
        m->shift[f][0] = 0.1f * yaw_rad;
        m->face[f][preset] = 1;
    }
    return m;
}

struct watch {
    float skin[CP_MODEL_MAX_JOINTS][12], weight[CP_MODEL_MAX_TARGETS];
    float pace[CP_MODEL_MAX_JOINTS][9]; /* of the turn's matrix, a second */
    int frames;
};

/* A joint's turn against its parent: 3x3. */
static void own_turn(const struct cp_model *model, const float (*skin)[12], int j, float ret[9])
{
    int up = model->joints[j].parent;
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++) {
            ret[3 * r + c] = 0;
            for (int k = 0; k < 3; k++)
                ret[3 * r + c] += (up < 0 ? (k == r) : skin[up][4 * k + r]) * skin[j][4 * k + c];
        }
}

static void check(struct watch *w, const struct cp_model *model, const struct cp_pose *pose, const char *what)
{
    for (int j = 0; j < model->n_joints; j++) {
        float before[9], now[9], fast = 0, jump = 0;
        if (model->joints[j].role == CP_BONE_LEFT_EYE || model->joints[j].role == CP_BONE_RIGHT_EYE)
            continue; /* eyes do jump: saccades */
        own_turn(model, (const float(*)[12])w->skin, j, before);
        own_turn(model, pose->skin, j, now);
        for (int k = 0; k < 9; k++) { /* a small turn changes its matrix by sqrt(2) times its angle */
            float pace = (now[k] - before[k]) / FRAME_S / sqrtf(2);
            fast += pace * pace;
            jump += (pace - w->pace[j][k]) * (pace - w->pace[j][k]);
            w->pace[j][k] = w->frames ? pace : 0;
        }
        if (w->frames > 0 && sqrtf(fast) > MOST_RAD_S)
            fail_msg("%s: %s turns at %.1f rad/s", what, model->joints[j].name, sqrtf(fast));
        if (w->frames > 1 && sqrtf(jump) > MOST_JUMP)
            fail_msg("%s: %s changes its speed by %.1f rad/s", what, model->joints[j].name, sqrtf(jump));
    }
    for (int t = 0; w->frames && t < model->n_targets; t++)
        if (model->targets[t].shape >= CP_SHAPE_mouthClose ||
            model->targets[t].shape <= CP_SHAPE_browOuterUpRight)
            if (fabsf(pose->weight[t] - w->weight[t]) > MOST_FACE)
                fail_msg("%s: %s jumps by %.2f", what, model->targets[t].name,
                         pose->weight[t] - w->weight[t]);
    memcpy(w->skin, pose->skin, sizeof w->skin);
    memcpy(w->weight, pose->weight, sizeof w->weight);
    w->frames++;
}

/* The left hand's height in the figure. */
static float left_hand(const struct cp_model *model, const struct cp_pose *pose)
{
    for (int j = 0; j < model->n_joints; j++)
        if (model->joints[j].role == CP_BONE_LEFT_HAND)
            return pose->skin[j][4] * 0.66f + pose->skin[j][5] * 1.4f + pose->skin[j][7];
    return 0;
}

static void what_takes_over_does_not_jump(void **state)
{
    static const struct {
        const char *action;
        int frames;
    } SHOW[] = {{"", 20},   {"up", 40},    {"down", 30},  {"up", 4},     {"down", 3},
                {"up", 50}, {"greet", 25}, {"down", 30},  {"shrug", 60}, {"short", 12},
                {"up", 10}, {"short", 30}, {"think", 40}, {"up", 200},   {"", 30}};
    struct cp_model *model = make_figure(1);
    struct cp_pose *pose = calloc(1, sizeof *pose);
    struct watch *watch = calloc(1, sizeof *watch);
    struct cp_actor *actor;
    struct cp_motion *up = make_motion(1.2f, 0.5f, 0, 5), *down = make_motion(-0.9f, -0.5f, 2, 4),
                     *brief = make_motion(0.3f, 0, 4, 0.5f);
    struct cp_moment moment = {.attention = CP_ATTENTION_IDLE, .gain = 1};
    assert_int_equal(cp_actor_create(model, 3, &actor, NULL), 0);
    cp_actor_add_motion(actor, "up", up, NULL);
    cp_actor_add_motion(actor, "down", down, NULL);
    cp_actor_add_motion(actor, "short", brief, NULL);
    for (size_t i = 0; i < sizeof SHOW / sizeof *SHOW; i++) {
        strcpy(moment.action, SHOW[i].action);
        for (int f = 0; f < SHOW[i].frames; f++) {
            char what[40];
            snprintf(what, sizeof what, "%zu \"%s\" frame %d", i, SHOW[i].action, f);
            cp_actor_pose(actor, &moment, &SIGHT, pose);
            moment.at_samples += CP_SAMPLES_PER_FRAME;
            check(watch, model, pose, what);
            if (i == 1 && f == 30)
                assert_true(left_hand(model, pose) > 1.5f);
            if (i == 2 && f == 29) /* the second one is there, and nothing of the first */
                assert_true(left_hand(model, pose) < 1.3f);
            if (i == 8 && f == 59) /* a gesture ends a motion: the arms hang */
                assert_true(left_hand(model, pose) < 1);
        }
    }
    cp_actor_destroy(actor);
    cp_ref_drop(up);
    cp_ref_drop(down);
    cp_ref_drop(brief);
    cp_ref_drop(model);
    free(pose);
    free(watch);
}

/* One that is taken away while it plays, and whose place is given to another, is played to its end. */
static void a_motion_taken_away_plays_to_its_end(void **state)
{
    struct cp_model *model = make_figure(1);
    struct cp_pose *pose = calloc(2, sizeof *pose);
    struct cp_actor *actor[2];
    struct cp_motion *up = make_motion(1.2f, 0.5f, 0, 2), *high = make_motion(1, -0.5f, 2, 4);
    struct cp_moment moment = {.attention = CP_ATTENTION_IDLE, .gain = 1, .action = "up"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cp_actor_create(model, 3, &actor[i], NULL), 0);
        cp_actor_set_motion(actor[i], 5, "up", up);
    }
    for (int f = 0; f < 90; f++) {
        if (f == 20)
            cp_actor_set_motion(actor[1], 5, "", NULL);
        if (f == 25)
            cp_actor_set_motion(actor[1], 5, "high", high);
        for (int i = 0; i < 2; i++)
            cp_actor_pose(actor[i], &moment, &SIGHT, &pose[i]);
        assert_memory_equal(&pose[0], &pose[1], sizeof *pose);
        if (f == 30)
            assert_true(left_hand(model, &pose[1]) > 1.4f);
        moment.at_samples += CP_SAMPLES_PER_FRAME;
    }
    strcpy(moment.action, ""); /* it is not known any more; the new one is */
    cp_actor_pose(actor[1], &moment, &SIGHT, &pose[1]);
    strcpy(moment.action, "up");
    for (int f = 0; f < 30; f++, moment.at_samples += CP_SAMPLES_PER_FRAME)
        cp_actor_pose(actor[1], &moment, &SIGHT, &pose[1]);
    assert_true(left_hand(model, &pose[1]) < 1);
    strcpy(moment.action, "high");
    for (int f = 0; f < 30; f++, moment.at_samples += CP_SAMPLES_PER_FRAME)
        cp_actor_pose(actor[1], &moment, &SIGHT, &pose[1]);
    assert_true(left_hand(model, &pose[1]) > 1.3f);
    for (int i = 0; i < 2; i++)
        cp_actor_destroy(actor[i]);
    cp_ref_drop(up);
    cp_ref_drop(high);
    cp_ref_drop(model);
    free(pose);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_over_does_not_jump),
        cmocka_unit_test(a_motion_taken_away_plays_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
