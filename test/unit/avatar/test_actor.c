/* The whole actor on a small figure. */
#include "models.h"

#include "avatar/acting.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_FRAMES (60 * CP_FRAME_HZ)

static const struct cp_sight SIGHT = {.camera_eye = {0, 1.6f, 2.5f}};

struct stage {
    struct cp_model *model;
    struct cp_actor *actor;
    struct cp_pose *pose;
    struct cp_moment moment;
};

static struct stage stage_open(int arms_out, uint64_t seed)
{
    struct stage s = {.model = make_figure(arms_out), .pose = calloc(1, sizeof *s.pose)};
    assert_non_null(s.model);
    assert_int_equal(cp_actor_create(s.model, seed, &s.actor, NULL), 0);
    s.moment = (struct cp_moment){.attention = CP_ATTENTION_IDLE, .gain = 1};
    return s;
}

static void stage_close(struct stage *s)
{
    cp_actor_destroy(s->actor);
    cp_ref_drop(s->model);
    free(s->pose);
}

static void next_frame(struct stage *s)
{
    cp_actor_pose(s->actor, &s->moment, &SIGHT, s->pose);
    s->moment.at_samples += CP_SAMPLES_PER_FRAME;
}

static float weight(const struct stage *s, enum cp_shape shape)
{
    return s->pose->weight[shape - 1]; /* the figure has all shapes in their order */
}

static int joint(const struct stage *s, enum cp_bone bone)
{
    for (int j = 0; j < s->model->n_joints; j++)
        if (s->model->joints[j].role == (int)bone)
            return j;
    return -1;
}

/* Yaw, pitch and roll of a joint's skinning matrix, degrees. */
static void angles(const struct stage *s, enum cp_bone bone, float ret[3])
{
    const float *m = s->pose->skin[joint(s, bone)];
    ret[0] = atan2f(m[2], m[10]) * 57.2958f;
    ret[1] = asinf(fmaxf(-1, fminf(1, -m[6]))) * 57.2958f;
    ret[2] = atan2f(m[4], m[5]) * 57.2958f;
}

/* "ma ma ma ..." for some seconds. */
static struct cp_utterance *babble(int seconds)
{
    int n = seconds * 5;
    struct cp_utterance *u = cp_utterance_create(seconds * CP_SAMPLE_HZ, (size_t)(2 * n), "");
    for (int i = 0; i < n; i++) {
        struct cp_mark *m = &u->marks[2 * i];
        m[0] = (struct cp_mark){.type = CP_MARK_VISEME,
                                .viseme = CP_VISEME_PP,
                                .at_samples = i * 9600,
                                .length_samples = 3840,
                                .weight = 1};
        m[1] = (struct cp_mark){.type = CP_MARK_VISEME,
                                .viseme = CP_VISEME_AA,
                                .at_samples = i * 9600 + 3840,
                                .length_samples = 5760,
                                .weight = 1,
                                .stress = i % 3 ? 0 : 2};
    }
    u->n_marks = (size_t)(2 * n);
    for (size_t i = 0; i < u->n_prosody; i++)
        u->prosody[i] = (struct cp_prosody){.f0_hz = 200 + 40 * sinf((float)i / 17),
                                            .level = 0.08f + 0.05f * sinf((float)i / 10)};
    return u;
}

/* Speaks `u` again and again; call before each frame. */
static void keep_speaking(struct stage *s, const struct cp_utterance *u)
{
    s->moment.attention = CP_ATTENTION_SPEAKING;
    s->moment.utterance = u;
    s->moment.offset_samples = (int32_t)(s->moment.at_samples % u->n_samples);
}

static float opening(const struct stage *s)
{
    return fmaxf(weight(s, CP_SHAPE_jawOpen) - weight(s, CP_SHAPE_mouthClose), 0) +
           weight(s, CP_SHAPE_mouthUpperUpLeft) + weight(s, CP_SHAPE_mouthLowerDownLeft) +
           weight(s, CP_SHAPE_mouthFunnel);
}

static int count_blinks(struct stage *s, int minutes, const struct cp_utterance *u)
{
    int blinks = 0;
    bool shut = false;
    for (int f = 0; f < minutes * MINUTE_FRAMES; f++) {
        if (u)
            keep_speaking(s, u);
        next_frame(s);
        float w = weight(s, CP_SHAPE_eyeBlinkLeft);
        if (!shut && w > 0.9f)
            blinks++;
        shut = w > 0.9f || (shut && w > 0.5f);
    }
    return blinks;
}

static void blink_rates_are_human(void **state)
{
    struct cp_utterance *u = babble(8);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct stage rest = stage_open(0, seed), talk = stage_open(0, seed);
        int at_rest = count_blinks(&rest, 10, NULL), talking = count_blinks(&talk, 10, u);
        /* 17 and 26 a minute; ten minutes scatter by some 8 % */
        if (at_rest < 140 || at_rest > 205 || talking < 220 || talking > 310)
            fail_msg("seed %d: %d blinks in ten minutes at rest, %d talking", (int)seed, at_rest, talking);
        stage_close(&rest);
        stage_close(&talk);
    }
    cp_ref_drop(u);
}

static void equal_seeds_give_equal_poses(void **state)
{
    struct cp_utterance *u = babble(3);
    struct stage a = stage_open(0, 7), b = stage_open(0, 7), c = stage_open(0, 8);
    int differs = 0;
    for (int f = 0; f < 900; f++) {
        if (f > 300)
            keep_speaking(&a, u), keep_speaking(&b, u), keep_speaking(&c, u);
        next_frame(&a);
        next_frame(&b);
        next_frame(&c);
        assert_memory_equal(a.pose->weight, b.pose->weight, sizeof a.pose->weight);
        assert_memory_equal(a.pose->skin, b.pose->skin, (size_t)a.pose->n_joints * sizeof a.pose->skin[0]);
        differs += !!memcmp(a.pose->weight, c.pose->weight, sizeof a.pose->weight);
    }
    assert_true(differs > 500);
    stage_close(&a);
    stage_close(&b);
    stage_close(&c);
    cp_ref_drop(u);
}

static void lips_close_under_every_feeling(void **state)
{
    struct cp_utterance *u = babble(2);
    for (int e = CP_EMOTION_NEUTRAL; e < CP_EMOTION_COUNT; e++) {
        struct stage s = stage_open(0, 3);
        s.moment.emotion = (enum cp_emotion)e;
        s.moment.emotion_intensity = 1;
        for (int f = 0; f < 60; f++)
            next_frame(&s);
        s.moment.utterance = u;
        for (size_t i = 0; i < u->n_marks; i += 2) {
            s.moment.offset_samples = u->marks[i].at_samples + u->marks[i].length_samples / 2;
            next_frame(&s);
            if (i > 0 && opening(&s) > 0.05f)
                fail_msg("%s leaves the lips open by %.2f", cp_emotion_name((enum cp_emotion)e), opening(&s));
        }
        stage_close(&s);
    }
    cp_ref_drop(u);
}

static void feelings_show_and_blend(void **state)
{
    struct stage s = stage_open(0, 5);
    for (int f = 0; f < 30; f++)
        next_frame(&s);
    float before = weight(&s, CP_SHAPE_mouthSmileLeft), last = before;
    s.moment.emotion = CP_EMOTION_HAPPY;
    s.moment.emotion_intensity = 1;
    for (int f = 0; f < 20; f++) {
        next_frame(&s);
        float now = weight(&s, CP_SHAPE_mouthSmileLeft);
        assert_true(now >= last - 1e-4f && now - last < 0.12f); /* smoothly up */
        last = now;
    }
    assert_true(last > 0.5f);
    assert_true(fabsf(last - weight(&s, CP_SHAPE_mouthSmileRight)) > 0.01f); /* never quite even */
    s.moment.emotion = CP_EMOTION_SAD;
    for (int f = 0; f < 20; f++)
        next_frame(&s);
    assert_true(weight(&s, CP_SHAPE_mouthFrownLeft) > 0.25f && weight(&s, CP_SHAPE_mouthSmileLeft) < 0.01f);
    stage_close(&s);
}

/* The two sides of a smile come at different times, which side first by the seed. */
static void one_side_of_the_face_leads(void **state)
{
    int left = 0, right = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct stage s = stage_open(0, seed);
        float before, most[2];
        int at[2] = {0, 0};
        for (int f = 0; f < 30; f++)
            next_frame(&s);
        before = weight(&s, CP_SHAPE_mouthFrownLeft);
        s.moment.emotion = CP_EMOTION_SAD;
        s.moment.emotion_intensity = 1;
        float track[40][2];
        for (int f = 0; f < 40; f++) {
            next_frame(&s);
            track[f][0] = weight(&s, CP_SHAPE_mouthFrownLeft);
            track[f][1] = weight(&s, CP_SHAPE_mouthFrownRight);
        }
        for (int side = 0; side < 2; side++) {
            most[side] = track[39][side];
            while (track[at[side]][side] < 0.5f * (before + most[side]))
                at[side]++;
        }
        assert_true(abs(at[0] - at[1]) <= 3); /* a tenth of a second */
        left += at[0] < at[1];
        right += at[1] < at[0];
        stage_close(&s);
    }
    assert_true(left >= 2 && right >= 2);
}

static void cut_speech_closes_the_mouth(void **state)
{
    struct cp_utterance *u = babble(4);
    struct stage s = stage_open(0, 5);
    s.moment.utterance = u;
    for (int f = 0; f < 34; f++) {
        s.moment.offset_samples = f * CP_SAMPLES_PER_FRAME;
        next_frame(&s);
    }
    assert_true(weight(&s, CP_SHAPE_jawOpen) > 0.3f);
    s.moment.utterance = NULL;
    next_frame(&s);
    assert_true(weight(&s, CP_SHAPE_jawOpen) > 0.05f); /* no snap */
    for (int f = 0; f < 5; f++)
        next_frame(&s);
    assert_true(weight(&s, CP_SHAPE_jawOpen) < 0.001f);
    s.moment.utterance = u;
    s.moment.offset_samples = u->marks[5].at_samples + 2000;
    s.moment.gain = 0;
    next_frame(&s);
    assert_true(weight(&s, CP_SHAPE_jawOpen) < 0.001f);
    stage_close(&s);
    cp_ref_drop(u);
}

/* Anything goes in; what comes out is finite, bounded and still a rotation. */
static void poses_stay_sane_for_ten_random_minutes(void **state)
{
    struct cp_utterance *u = babble(6);
    struct stage s = stage_open(1, 11);
    uint32_t random = 3;
    const char *const *actions = cp_actor_actions();
    int n_actions = 0;
    while (actions[n_actions])
        n_actions++;
    for (int f = 0; f < 10 * MINUTE_FRAMES; f++) {
        random = random * 1664525 + 1013904223;
        if ((random >> 16) % 20 == 0) {
            s.moment.attention = (enum cp_attention)((random >> 9) % 6);
            s.moment.utterance = (random >> 13) & 1 ? u : NULL;
            s.moment.emotion = (enum cp_emotion)((random >> 5) % (CP_EMOTION_COUNT + 1));
            s.moment.emotion_intensity = (float)((random >> 7) % 100) / 70 - 0.1f;
            s.moment.gain = (float)((random >> 11) % 100) / 90;
            s.moment.offset_samples = (int32_t)((random >> 3) % 300000) - 1000;
            strcpy(s.moment.action, actions[(random >> 8) % (uint32_t)n_actions]);
            if ((random >> 4) % 8 == 0)
                s.moment.at_samples += (random >> 6) % 500000;
        }
        struct cp_sight sight = {.camera_eye = {sinf((float)f / 300) * 3, 1.2f, cosf((float)f / 300) * 3}};
        cp_actor_pose(s.actor, &s.moment, &sight, s.pose);
        s.moment.at_samples += CP_SAMPLES_PER_FRAME;
        for (int t = 0; t < s.pose->n_targets; t++)
            assert_true(s.pose->weight[t] >= 0 && s.pose->weight[t] <= 1);
        for (int j = 0; j < s.pose->n_joints; j++) {
            const float *m = s.pose->skin[j];
            for (int r = 0; r < 3; r++) {
                float length =
                    m[4 * r] * m[4 * r] + m[4 * r + 1] * m[4 * r + 1] + m[4 * r + 2] * m[4 * r + 2];
                assert_float_equal(length, 1, 1e-3);
                assert_true(fabsf(m[4 * r + 3]) < 3);
            }
        }
    }
    stage_close(&s);
    cp_ref_drop(u);
}

static void head_and_body_move_within_bounds(void **state)
{
    struct cp_utterance *u = babble(8);
    struct stage s = stage_open(0, 21);
    float most[3] = {0}, body_most = 0, turn[3], sum = 0, last_yaw = 0;
    int frames = 3 * MINUTE_FRAMES;
    for (int f = 0; f < frames; f++) {
        if (f > MINUTE_FRAMES)
            keep_speaking(&s, u);
        next_frame(&s);
        angles(&s, CP_BONE_HEAD, turn);
        for (int i = 0; i < 3; i++)
            most[i] = fmaxf(most[i], fabsf(turn[i]));
        sum += f ? fabsf(turn[0] - last_yaw) : 0;
        last_yaw = turn[0];
        angles(&s, CP_BONE_CHEST, turn);
        for (int i = 0; i < 3; i++)
            body_most = fmaxf(body_most, fabsf(turn[i]));
    }
    if (most[0] > 12 || most[1] > 9 || most[2] > 6 || body_most > 4)
        fail_msg("head turns by %.1f %.1f %.1f, body by %.1f degrees", most[0], most[1], most[2], body_most);
    assert_true(most[0] > 1.5f && most[1] > 1); /* alive all the same */
    assert_true(sum / (float)frames < 0.3f);    /* 9 degrees a second on average at most */
    stage_close(&s);
    cp_ref_drop(u);
}

static void eyes_stay_on_the_viewer_while_the_head_moves(void **state)
{
    struct stage s = stage_open(0, 9);
    const struct cp_sight aside = {.camera_eye = {0.9f, 1.7f, 2.2f}};
    int on = 0, frames = 2 * MINUTE_FRAMES;
    float head[3];
    s.moment.attention = CP_ATTENTION_LISTENING;
    for (int f = 0; f < frames; f++) {
        if (f % 90 == 0)
            strcpy(s.moment.action, f % 180 ? "shake" : "tilt");
        cp_actor_pose(s.actor, &s.moment, &aside, s.pose);
        s.moment.at_samples += CP_SAMPLES_PER_FRAME;
        const float *m = s.pose->skin[joint(&s, CP_BONE_LEFT_EYE)], eye[3] = {0.03f, 1.6f, 0.08f};
        float at[3], dot = 0, length = 0;
        for (int r = 0; r < 3; r++)
            at[r] = m[4 * r] * eye[0] + m[4 * r + 1] * eye[1] + m[4 * r + 2] * eye[2] + m[4 * r + 3];
        for (int r = 0; r < 3; r++) {
            dot += m[4 * r + 2] * (aside.camera_eye[r] - at[r]);
            length += (aside.camera_eye[r] - at[r]) * (aside.camera_eye[r] - at[r]);
        }
        on += acosf(fminf(1, dot / sqrtf(length))) * 57.2958f < 1.5f;
        if (f == 60) { /* the head has turned towards the camera too, by half */
            angles(&s, CP_BONE_HEAD, head);
            assert_true(head[0] > 6 && head[0] < 24);
        }
    }
    if (on < frames * 80 / 100)
        fail_msg("on the viewer for %d of %d frames", on, frames);
    assert_true(on < frames); /* and away at times */
    stage_close(&s);
}

static void arms_of_a_t_pose_hang(void **state)
{
    struct stage out = stage_open(1, 1), hanging = stage_open(0, 1);
    next_frame(&out);
    next_frame(&hanging);
    for (int side = 0; side < 2; side++) {
        int hand = joint(&out, side ? CP_BONE_RIGHT_HAND : CP_BONE_LEFT_HAND);
        const float *m = out.pose->skin[hand], at[3] = {side ? -0.66f : 0.66f, 1.4f, 0};
        float x = m[0] * at[0] + m[1] * at[1] + m[2] * at[2] + m[3],
              y = m[4] * at[0] + m[5] * at[1] + m[6] * at[2] + m[7],
              z = m[8] * at[0] + m[9] * at[1] + m[10] * at[2] + m[11];
        assert_true(fabsf(x) < 0.3f && fabsf(x) > 0.15f && y < 1.0f && z > 0);
        /* an arm that hangs already stays */
        m = hanging.pose->skin[joint(&hanging, side ? CP_BONE_RIGHT_HAND : CP_BONE_LEFT_HAND)];
        assert_true(m[0] > 0.99f && m[5] > 0.99f);
    }
    stage_close(&out);
    stage_close(&hanging);
}

static void gestures_start_play_and_end(void **state)
{
    const char *const *actions = cp_actor_actions();
    for (int a = 0; actions[a]; a++) {
        struct stage s = stage_open(1, 4), still = stage_open(1, 4);
        float most = 0;
        int last = 0;
        strcpy(s.moment.action, actions[a]);
        for (int f = 0; f < 5 * CP_FRAME_HZ; f++) {
            next_frame(&s);
            next_frame(&still);
            s.moment.action[0] = 0; /* named for one frame only */
            float differs = 0;
            for (int t = 0; t < s.pose->n_targets; t++)
                differs += fabsf(s.pose->weight[t] - still.pose->weight[t]);
            for (int j = 0; j < s.pose->n_joints; j++)
                for (int k = 0; k < 12; k++)
                    differs += fabsf(s.pose->skin[j][k] - still.pose->skin[j][k]);
            most = fmaxf(most, differs);
            if (differs > 1e-3f)
                last = f;
        }
        if (most < 0.3f || last > 4 * CP_FRAME_HZ)
            fail_msg("%s differs by %.2f at most and for %d frames", actions[a], most, last);
        stage_close(&s);
        stage_close(&still);
    }
    struct stage s = stage_open(0, 4);
    strcpy(s.moment.action, "no such thing");
    next_frame(&s);
    stage_close(&s);
}

static void a_rig_without_turns_is_the_identity(void **state)
{
    static const float identity[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
    struct cp_model *model = make_figure(0);
    struct rig *rig = calloc(1, sizeof *rig);
    struct stance stance;
    float(*skin)[12] = calloc(CP_MODEL_MAX_JOINTS, sizeof *skin);
    rig_init(rig, model);
    stance_clear(&stance);
    rig_skin(rig, &stance, skin);
    for (int j = 0; j < model->n_joints; j++)
        for (int k = 0; k < 12; k++)
            assert_float_equal(skin[j][k], identity[k], 1e-6);
    /* and a turned head takes the eyes along, about the head's own place */
    stance_turn(&stance, CP_BONE_HEAD, 0.5f, 0, 0);
    rig_skin(rig, &stance, skin);
    int head = rig->joint[CP_BONE_HEAD];
    assert_memory_equal(skin[head], skin[rig->joint[CP_BONE_LEFT_EYE]], sizeof skin[0]);
    assert_float_equal(skin[rig->joint[CP_BONE_NECK]][2], 0, 1e-6);
    assert_float_equal(skin[head][2], sinf(0.5f), 1e-5);
    const float *p = rig->pivot[head];
    for (int r = 0; r < 3; r++)
        assert_float_equal(skin[head][4 * r] * p[0] + skin[head][4 * r + 1] * p[1] +
                               skin[head][4 * r + 2] * p[2] + skin[head][4 * r + 3],
                           p[r], 1e-5);
    free(skin);
    free(rig);
    cp_ref_drop(model);
}

/* The pose of a placed actor is that of one in the middle, moved as a rigid body; it looks at the same camera
 * from there. */
static void a_placed_actor_is_moved_rigidly(void **state)
{
    static const struct cp_place place = {.x_m = 0.7f, .z_m = -0.4f, .yaw_rad = 0.6f};
    const float c = cosf(place.yaw_rad), s_yaw = sinf(place.yaw_rad);
    struct stage plain = stage_open(1, 6), placed = stage_open(1, 6);
    struct cp_sight moved = SIGHT;
    moved.camera_eye[0] = c * SIGHT.camera_eye[0] + s_yaw * SIGHT.camera_eye[2] + place.x_m;
    moved.camera_eye[2] = -s_yaw * SIGHT.camera_eye[0] + c * SIGHT.camera_eye[2] + place.z_m;
    cp_actor_place(placed.actor, &place);
    for (int f = 0; f < 300; f++) {
        strcpy(plain.moment.action, f > 60 ? "greet" : "");
        placed.moment = plain.moment;
        cp_actor_pose(placed.actor, &placed.moment, &moved, placed.pose);
        next_frame(&plain);
        for (int j = 0; j < plain.pose->n_joints; j++) {
            const float *a = plain.pose->skin[j], *b = placed.pose->skin[j];
            for (int k = 0; k < 4; k++) {
                float at_x = k == 3 ? place.x_m : 0, at_z = k == 3 ? place.z_m : 0;
                assert_float_equal(b[k], c * a[k] + s_yaw * a[8 + k] + at_x, 1e-3);
                assert_float_equal(b[4 + k], a[4 + k], 1e-3);
                assert_float_equal(b[8 + k], -s_yaw * a[k] + c * a[8 + k] + at_z, 1e-3);
            }
        }
        for (int t = 0; t < plain.pose->n_targets; t++)
            assert_float_equal(plain.pose->weight[t], placed.pose->weight[t], 1e-3);
        float eye[3], eye_placed[3];
        cp_actor_eye(plain.actor, eye);
        cp_actor_eye(placed.actor, eye_placed);
        assert_float_equal(eye_placed[0], c * eye[0] + s_yaw * eye[2] + place.x_m, 1e-3);
        assert_float_equal(eye_placed[2], -s_yaw * eye[0] + c * eye[2] + place.z_m, 1e-3);
    }
    stage_close(&plain);
    stage_close(&placed);
}

static void a_listener_keeps_its_mouth_shut(void **state)
{
    struct cp_utterance *u = babble(4);
    struct stage s = stage_open(0, 6);
    struct cp_sight sight = SIGHT;
    sight.listens = true;
    for (int f = 0; f < 300; f++) {
        keep_speaking(&s, u);
        cp_actor_pose(s.actor, &s.moment, &sight, s.pose);
        s.moment.at_samples += CP_SAMPLES_PER_FRAME;
        assert_true(weight(&s, CP_SHAPE_jawOpen) < 0.001f && weight(&s, CP_SHAPE_mouthPressLeft) < 0.001f);
    }
    stage_close(&s);
    cp_ref_drop(u);
}

static void an_idle_figure_moves_a_little(void **state)
{
    struct stage s = stage_open(0, 2);
    float most = 0;
    for (int f = 0; f < 60; f++) {
        next_frame(&s);
        for (int v = 0; v < s.model->n_vertices; v++) {
            const struct cp_vertex *vertex = &s.model->vertices[v];
            const float *m = s.pose->skin[vertex->joint[0]], *p = vertex->position;
            for (int r = 0; r < 3; r++)
                most = fmaxf(most, fabsf(m[4 * r] * p[0] + m[4 * r + 1] * p[1] + m[4 * r + 2] * p[2] +
                                         m[4 * r + 3] - p[r]));
        }
    }
    assert_true(most > 0 && most < 0.04f); /* an idle figure moves by centimetres at most */
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blink_rates_are_human),
        cmocka_unit_test(equal_seeds_give_equal_poses),
        cmocka_unit_test(lips_close_under_every_feeling),
        cmocka_unit_test(feelings_show_and_blend),
        cmocka_unit_test(one_side_of_the_face_leads),
        cmocka_unit_test(cut_speech_closes_the_mouth),
        cmocka_unit_test(poses_stay_sane_for_ten_random_minutes),
        cmocka_unit_test(head_and_body_move_within_bounds),
        cmocka_unit_test(eyes_stay_on_the_viewer_while_the_head_moves),
        cmocka_unit_test(arms_of_a_t_pose_hang),
        cmocka_unit_test(gestures_start_play_and_end),
        cmocka_unit_test(a_rig_without_turns_is_the_identity),
        cmocka_unit_test(a_placed_actor_is_moved_rigidly),
        cmocka_unit_test(a_listener_keeps_its_mouth_shut),
        cmocka_unit_test(an_idle_figure_moves_a_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
