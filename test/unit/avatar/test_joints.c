/* Joints that turn by others, and more of them than a pose holds. */
#include "models.h"

#include "avatar/acting.h"
#include "avatar/load.h"
#include "base/buffer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ASSET "\"asset\":{\"version\":\"2.0\"}"
#define MESH                                                                                                 \
    "\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{\"bufferView\":0,"    \
    "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":"  \
    "36}],\"buffers\":[{\"byteLength\":36}]"

static const float CORNERS[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};

static float degrees(float radians)
{
    return radians * 57.29578f;
}

static int named(const struct cp_model *model, const char *name)
{
    for (int j = 0; j < model->n_joints; j++)
        if (!strcmp(model->joints[j].name, name))
            return j;
    fail_msg("no joint %s", name);
    return -1;
}

/* A left arm along +x whose bones have local axes of their own (turned a quarter about z: x is down, y out),
 * and a twist bone beside the hand, a follower, and one that aims. */
static struct cp_model *make_arm(const char *constraint)
{
    struct cp_buffer json = cp_buffer_make(1 << 14);
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    cp_buffer_printf(
        &json,
        "{" ASSET ",\"nodes\":["
        "{\"name\":\"leftLowerArm\",\"mesh\":0,\"translation\":[0.4,1.4,0],"
        "\"rotation\":[0,0,-0.70710678,0.70710678],\"children\":[1,2,3]},"
        "{\"name\":\"leftHand\",\"translation\":[0,0.25,0],\"rotation\":[0,0.38268343,0,0.92387953]},"
        "{\"name\":\"helper\",\"translation\":[0,0.12,0],\"rotation\":[0,0.70710678,0,0.70710678],"
        "\"children\":[4],\"extensions\":{\"VRMC_node_constraint\":{\"specVersion\":\"1.0\",\"constraint\":{%"
        "s}}}},"
        "{\"name\":\"pole\",\"translation\":[0,0,1]},{\"name\":\"hanger\",\"mesh\":0}]," MESH "}",
        constraint);
    if (load_json(cp_buffer_string(&json), CORNERS, sizeof CORNERS, &model, &error))
        fail_msg("%s", error.text);
    cp_buffer_free(&json);
    return model;
}

/* The turn of the helper against the lower arm when the hand twists about the arm by so much and then bends
 * upwards, as axis times degrees. */
static void helper_turn(struct cp_model *model, float twist_deg, float bend_deg, float ret[3])
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct stance stance;
    float(*skin)[12] = calloc(CP_MODEL_MAX_JOINTS, sizeof *skin);
    rig_init(rig, model);
    stance_clear(&stance);
    float twist[4] = {sinf(twist_deg / 57.29578f / 2), 0, 0, cosf(twist_deg / 57.29578f / 2)};
    memcpy(stance.turn[CP_BONE_LEFT_HAND], twist, sizeof twist);
    stance_turn(&stance, CP_BONE_LEFT_HAND, 0, 0, bend_deg / 57.29578f);
    stance_turn(&stance, CP_BONE_LEFT_LOWER_ARM, 0.4f, 0.2f, 0.3f); /* which must not matter */
    rig_skin(rig, &stance, skin);
    constrain(rig, skin);
    int helper = named(model, "helper"), arm = named(model, "leftLowerArm"), hanger = named(model, "hanger");
    for (int k = 0; k < 12; k++) /* it carries what hangs on it */
        assert_float_equal(skin[hanger][k], skin[helper][k], 1e-5);
    float m[9];
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++) {
            m[3 * r + c] = 0;
            for (int k = 0; k < 3; k++)
                m[3 * r + c] += skin[arm][4 * k + r] * skin[helper][4 * k + c];
        }
    float sine[3] = {m[7] - m[5], m[2] - m[6], m[3] - m[1]}; /* 2 sin a times the axis */
    float length = sqrtf(sine[0] * sine[0] + sine[1] * sine[1] + sine[2] * sine[2]);
    float angle = atan2f(length / 2, (m[0] + m[4] + m[8] - 1) / 2);
    for (int k = 0; k < 3; k++)
        ret[k] = length > 1e-5f ? degrees(angle) * sine[k] / length : 0;
    float place[3]; /* and stays at its place on the arm */
    const float *p = rig->pivot[helper];
    for (int r = 0; r < 3; r++) {
        place[r] = 0;
        for (int k = 0; k < 3; k++)
            place[r] += (skin[helper][4 * r + k] - skin[arm][4 * r + k]) * p[k];
        assert_float_equal(place[r] + skin[helper][4 * r + 3] - skin[arm][4 * r + 3], 0, 1e-5);
    }
    free(skin);
    free(rig);
}

static void a_twist_bone_takes_its_part_of_the_twist(void **state)
{
    struct cp_model *m = make_arm("\"roll\":{\"source\":1,\"rollAxis\":\"Y\",\"weight\":0.5}");
    float turn[3];
    assert_int_equal(m->n_constraints, 1);
    helper_turn(m, 60, 0, turn);
    assert_float_equal(turn[0], 30, 0.1);
    assert_float_equal(turn[1], 0, 0.1);
    assert_float_equal(turn[2], 0, 0.1);
    helper_turn(m, -80, 0, turn);
    assert_float_equal(turn[0], -40, 0.1);
    helper_turn(m, 0, 50, turn); /* a bend is no twist */
    assert_float_equal(fabsf(turn[0]) + fabsf(turn[1]) + fabsf(turn[2]), 0, 0.1);
    helper_turn(m, 60, 30, turn);
    assert_float_equal(turn[0], 30, 1);
    assert_float_equal(fabsf(turn[1]) + fabsf(turn[2]), 0, 0.2);
    cp_ref_drop(m);
}

/* The source's turn in its own space becomes the same turn in the helper's own space: both have y along the
 * arm; about it the hand's axes are turned by 45 degrees, the helper's by 90. */
static void a_follower_takes_the_whole_turn(void **state)
{
    struct cp_model *m = make_arm("\"rotation\":{\"source\":1,\"weight\":1}");
    float turn[3];
    helper_turn(m, 40, 0, turn);
    assert_float_equal(turn[0], 40, 0.1);
    helper_turn(m, 0, 40, turn);
    assert_float_equal(sqrtf(turn[0] * turn[0] + turn[1] * turn[1] + turn[2] * turn[2]), 40, 0.1);
    assert_float_equal(fabsf(turn[1]), 40 * 0.7071, 0.2);
    assert_float_equal(fabsf(turn[2]), 40 * 0.7071, 0.2);
    cp_ref_drop(m);
}

static void what_aims_points_at_its_source(void **state)
{
    struct cp_model *m = make_arm("\"aim\":{\"source\":3,\"aimAxis\":\"PositiveY\",\"weight\":1}");
    float turn[3];
    helper_turn(m, 0, 0, turn); /* from along the arm (+x) towards the pole, 1 m ahead and 0.12 m back */
    assert_float_equal(turn[1], -(90 + degrees(atanf(0.12f))), 0.5);
    cp_ref_drop(m);
}

static void broken_constraints_are_left_out(void **state)
{
    static const char *const broken[] = {"\"roll\":{\"source\":2}",
                                         "\"rotation\":{\"source\":4}",
                                         "\"aim\":{\"source\":99}",
                                         "\"roll\":{}",
                                         "\"roll\":[]",
                                         "\"unheard\":{\"source\":1}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct cp_model *m = make_arm(broken[i]);
        assert_int_equal(m->n_constraints, 0);
        cp_ref_drop(m);
    }
}

/* Three that depend on each other in the wrong order, and two that go in circles. */
static void constraints_are_worked_out_in_order(void **state)
{
#define FOLLOWS(n)                                                                                           \
    "{\"extensions\":{\"VRMC_node_constraint\":{\"constraint\":{\"rotation\":{\"source\":" #n "}}}}}"
    struct cp_model *m = NULL;
    struct cp_error error = {0};
    if (load_json("{" ASSET ",\"nodes\":[{\"mesh\":0,\"name\":\"head\"}," FOLLOWS(2) "," FOLLOWS(
                      3) "," FOLLOWS(0) "," FOLLOWS(5) "," FOLLOWS(4) "]," MESH "}",
                  CORNERS, sizeof CORNERS, &m, &error))
        fail_msg("%s", error.text);
    assert_int_equal(m->n_constraints, 3);
    assert_non_null(strstr(m->notes, "2 node constraints turn in circles"));
    for (int i = 1; i < 3; i++)
        assert_int_equal(m->constraints[i].source, m->constraints[i - 1].joint);
    cp_ref_drop(m);
#undef FOLLOWS
}

/* A head with 300 strands of two links each, the last of which moves nothing, and a skin of all of them. */
static struct cp_model *make_strands(int strands)
{
    struct cp_buffer json = cp_buffer_make(1 << 20);
    int n_joints = 1 + 2 * strands;
    size_t bytes = (size_t)strands * (12 + 8 + 16);
    uint8_t *bin = calloc(1, bytes);
    float *position = (float *)bin, *weight = (float *)(bin + (size_t)strands * 20);
    uint16_t *joint = (uint16_t *)(bin + (size_t)strands * 12);
    cp_buffer_text(&json, "{" ASSET ",\"nodes\":[{\"name\":\"head\",\"children\":[1");
    for (int i = 1; i < strands; i++)
        cp_buffer_printf(&json, ",%d", 1 + 2 * i);
    cp_buffer_text(&json, "]}");
    for (int i = 0; i < strands; i++) {
        cp_buffer_printf(&json, ",{\"name\":\"strand%d\",\"translation\":[%g,1,0],\"children\":[%d]},", i,
                         i * 0.01, 2 + 2 * i);
        cp_buffer_printf(&json, "{\"name\":\"end%d\",\"translation\":[0,-0.1,0]}", i);
        position[3 * i] = (float)i * 0.01f;
        position[3 * i + 1] = i % 2 ? 1 : 0.95f;
        position[3 * i + 2] = i % 3 ? 0 : 0.1f;
        joint[4 * i] = (uint16_t)(1 + 2 * i);
        joint[4 * i + 1] = 0;
        weight[4 * i] = i == 0 ? 0.1f : i < strands / 2 ? 0.2f : 0.9f; /* the first half moves less */
        weight[4 * i + 1] = 1 - weight[4 * i];
    }
    cp_buffer_text(&json, ",{\"mesh\":0,\"skin\":0}],\"skins\":[{\"joints\":[0");
    for (int i = 1; i < n_joints; i++)
        cp_buffer_printf(&json, ",%d", i);
    cp_buffer_printf(
        &json,
        "]}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0,\"JOINTS_0\":1,\"WEIGHTS_0\":2}}]}]"
        ","
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":%d},"
        "{\"bufferView\":1,\"componentType\":5123,\"type\":\"VEC4\",\"count\":%d},"
        "{\"bufferView\":2,\"componentType\":5126,\"type\":\"VEC4\",\"count\":%d}],\"bufferViews\":["
        "{\"buffer\":0,\"byteLength\":%d},{\"buffer\":0,\"byteOffset\":%d,\"byteLength\":%d},"
        "{\"buffer\":0,\"byteOffset\":%d,\"byteLength\":%d}],\"buffers\":[{\"byteLength\":%zu}],"
        "\"extensions\":{\"VRMC_springBone\":{\"springs\":[{\"joints\":[{\"node\":%d},{\"node\":%d}]},"
        "{\"joints\":[{\"node\":1},{\"node\":2}]}]}}}",
        strands, strands, strands, strands * 12, strands * 12, strands * 8, strands * 20, strands * 16, bytes,
        n_joints - 2, n_joints - 1);
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    if (load_json(cp_buffer_string(&json), bin, bytes, &model, &error))
        fail_msg("%s", error.text);
    cp_buffer_free(&json);
    free(bin);
    return model;
}

static void joints_that_matter_least_go_with_their_parents(void **state)
{
    struct cp_model *m = make_strands(300);
    assert_int_equal(m->n_joints, CP_MODEL_MAX_JOINTS);
    assert_non_null(strstr(m->notes, "601 joints: 345"));
    int head = named(m, "head"), heavy = 0;
    assert_int_equal(m->joints[head].role, CP_BONE_HEAD);
    for (int j = 0; j < m->n_joints; j++) {
        assert_true(m->joints[j].parent < j);
        heavy += !strncmp(m->joints[j].name, "strand", 6) && atoi(m->joints[j].name + 6) >= 150;
    }
    assert_int_equal(heavy, 150);           /* all that move much are kept */
    for (int v = 0; v < m->n_vertices; v++) /* strand by strand: its own joint, or the head */
        for (int k = 0; k < 2; k++) {
            char name[24];
            const struct cp_vertex *vertex = &m->vertices[v];
            snprintf(name, sizeof name, "strand%d", v);
            const char *holds = m->joints[vertex->joint[k]].name;
            assert_true(!strcmp(holds, "head") || !strcmp(holds, name));
            assert_true(v < 150 || vertex->weight[k] < 0.5f || !strcmp(holds, name));
        }
    assert_int_equal(m->n_springs, 1); /* the one whose strand is kept */
    assert_string_equal(m->joints[m->springs[0].joint].name, "strand299");
    cp_ref_drop(m);
    m = make_strands(100); /* 201: nothing is folded */
    assert_int_equal(m->n_joints, 201);
    assert_int_equal(m->n_springs, 2);
    cp_ref_drop(m);
}

/* A sheet of 11 x 11 vertices, `height` high from the ground; with a target that moves its lower `moved` of
 * the height, when there is one; and a bone. */
static struct cp_model *make_sheet(float height, float moved, const char *bone)
{
    enum { SIDE = 11, N = SIDE * SIDE };
    struct {
        float position[N][3], move[N][3];
        uint16_t corner[(SIDE - 1) * (SIDE - 1)][3];
    } bin = {0};
    for (int i = 0; i < N; i++) {
        bin.position[i][0] = ((float)(i % SIDE) / (SIDE - 1) - 0.5f) * 0.2f;
        bin.position[i][1] = (float)(i / SIDE) / (SIDE - 1) * height;
        if (bin.position[i][1] <= moved * height)
            bin.move[i][1] = -0.01f * height;
    }
    for (int i = 0; i < (SIDE - 1) * (SIDE - 1); i++) {
        int at = i / (SIDE - 1) * SIDE + i % (SIDE - 1);
        bin.corner[i][0] = (uint16_t)at;
        bin.corner[i][1] = (uint16_t)(at + 1);
        bin.corner[i][2] = (uint16_t)(at + SIDE);
    }
    struct cp_buffer json = cp_buffer_make(1 << 14);
    cp_buffer_printf(
        &json,
        "{" ASSET
        ",\"nodes\":[{\"name\":\"%s\",\"mesh\":0,\"translation\":[0,0,0]}],\"meshes\":[{\"primitives\":[{"
        "\"attributes\":{\"POSITION\":0},\"indices\":2%s}],\"extras\":{\"targetNames\":[\"jawOpen\"]}}],"
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":%d},"
        "{\"bufferView\":1,\"componentType\":5126,\"type\":\"VEC3\",\"count\":%d},"
        "{\"bufferView\":2,\"componentType\":5123,\"type\":\"SCALAR\",\"count\":%zu}],\"bufferViews\":["
        "{\"buffer\":0,\"byteLength\":%zu},{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu},"
        "{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu}],\"buffers\":[{\"byteLength\":%zu}]}",
        bone, moved > 0 ? ",\"targets\":[{\"POSITION\":1}]" : "", N, N, sizeof bin.corner / 2,
        sizeof bin.position, sizeof bin.position, sizeof bin.move, 2 * sizeof bin.position, sizeof bin.corner,
        sizeof bin);
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    if (load_json(cp_buffer_string(&json), &bin, sizeof bin, &model, &error))
        fail_msg("%s", error.text);
    cp_buffer_free(&json);
    return model;
}

/* Plays half a second of speech after ten seconds of idling; how far any vertex's joint went at most. */
static float wander(struct cp_model *model, float *ret_open)
{
    struct cp_actor *actor;
    struct cp_pose *pose = calloc(1, sizeof *pose);
    struct cp_utterance *u = cp_utterance_create(CP_SAMPLE_HZ, 1, "");
    struct cp_moment moment = {.gain = 1};
    const struct cp_sight sight = {.camera_eye = {0, 1.5f, 2}};
    float most = 0;
    u->n_marks = 1;
    u->marks[0] = (struct cp_mark){
        .type = CP_MARK_VISEME, .viseme = CP_VISEME_AA, .length_samples = CP_SAMPLE_HZ, .weight = 1};
    assert_int_equal(cp_actor_create(model, 1, &actor, NULL), 0);
    for (int f = 0; f < 315; f++, moment.at_samples += CP_SAMPLES_PER_FRAME) {
        moment.utterance = f >= 300 ? u : NULL;
        moment.offset_samples = f >= 300 ? (f - 300) * CP_SAMPLES_PER_FRAME : 0;
        cp_actor_pose(actor, &moment, &sight, pose);
        for (int v = 0; f < 300 && v < model->n_vertices; v++) {
            const float *m = pose->skin[model->vertices[v].joint[0]], *p = model->vertices[v].position;
            for (int r = 0; r < 3; r++)
                most = fmaxf(most, fabsf(m[4 * r] * p[0] + m[4 * r + 1] * p[1] + m[4 * r + 2] * p[2] +
                                         m[4 * r + 3] - p[r]));
        }
    }
    for (int t = 0; t < model->n_targets; t++)
        *ret_open = pose->weight[t];
    for (int j = 0; j < model->n_joints; j++)
        if (model->joints[j].role == CP_BONE_JAW)
            *ret_open = asinf(-pose->skin[j][6]);
    cp_actor_destroy(actor);
    cp_ref_drop(u);
    free(pose);
    return most;
}

static void a_head_alone_turns_and_talks(void **state)
{
    static const float height[] = {0.3f, 30}; /* metres, centimetres */
    for (int i = 0; i < 2; i++) {
        struct cp_model *m = make_sheet(height[i], 0.6f, "scan");
        struct cp_avatar_report report;
        float open = 0;
        cp_avatar_inspect(m, &report);
        assert_int_equal(report.n_bones, 0); /* of the file */
        assert_non_null(strstr(report.notes, "head without a body"));
        assert_float_equal(m->eye_height_m, 1.55, 0.05);
        assert_int_equal(m->joints[0].role, CP_BONE_HEAD);
        assert_float_equal(m->vertices[120].position[1] - m->vertices[0].position[1], 0.3, 1e-3);
        float far = wander(m, &open);
        assert_true(far > 0.002f && far < 0.05f && open > 0.4f);
        cp_ref_drop(m);
    }
}

static void a_figure_without_a_skeleton_sways(void **state)
{
    struct cp_model *m = make_sheet(1.8f, 0.08f, "statue");
    struct cp_avatar_report report;
    float open = 0;
    cp_avatar_inspect(m, &report);
    assert_non_null(strstr(report.notes, "sways a little"));
    assert_null(strstr(report.notes, "head without"));
    float far = wander(m, &open);
    assert_true(far > 0.002f && far < 0.06f && open > 0.4f);
    cp_ref_drop(m);
}

static void a_jaw_bone_alone_opens_the_mouth(void **state)
{
    struct cp_model *m = make_sheet(0.3f, 0, "jaw");
    struct cp_avatar_report report;
    float open = 0;
    cp_avatar_inspect(m, &report);
    assert_non_null(strstr(report.notes, "the jaw bone opens the mouth"));
    wander(m, &open);
    assert_true(open > 0.1f && open < 0.35f); /* radians */
    cp_ref_drop(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_twist_bone_takes_its_part_of_the_twist),
        cmocka_unit_test(a_follower_takes_the_whole_turn),
        cmocka_unit_test(what_aims_points_at_its_source),
        cmocka_unit_test(broken_constraints_are_left_out),
        cmocka_unit_test(constraints_are_worked_out_in_order),
        cmocka_unit_test(joints_that_matter_least_go_with_their_parents),
        cmocka_unit_test(a_head_alone_turns_and_talks),
        cmocka_unit_test(a_figure_without_a_skeleton_sways),
        cmocka_unit_test(a_jaw_bone_alone_opens_the_mouth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
