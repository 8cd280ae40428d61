/* What foreign characters bring beside a mesh: springs, painted surfaces, WebP, motions, files beside them.
 */
#include "models.h"

#include "base/buffer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ASSET "\"asset\":{\"version\":\"2.0\"}"
#define MESH                                                                                                 \
    "\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0}%s}]}],\"accessors\":[{\"bufferView\":0,"  \
    "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":"  \
    "36}],"                                                                                                  \
    "\"buffers\":[{\"byteLength\":36%s}]"

static const float CORNERS[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};

/* A head with two links of hair that hang from it, as VRM 1.0 and as VRM 0.x say it. */
static struct cp_model *make_tail(int version, const char *weights)
{
    char json[4096];
    snprintf(
        json, sizeof json,
        "{" ASSET ",\"nodes\":[{\"name\":\"head\",\"mesh\":0,\"translation\":[0,1.5,0],\"children\":[1]},"
        "{\"children\":[2],\"translation\":[0,0,-0.1]},{\"children\":[3],\"translation\":[0,-0.2,0]},"
        "{\"translation\":[0,-0.2,0]}],\"extensions\":{%s%s%s}," MESH "}",
        version
            ? "\"VRMC_springBone\":{\"colliders\":[{\"node\":0,\"shape\":{\"sphere\":{\"radius\":0.05,"
              "\"offset\":[0,-0.3,-0.1]}}}],\"colliderGroups\":[{\"colliders\":[0]}],\"springs\":[{"
              "\"colliderGroups\":[0],\"joints\":[{\"node\":1,"
            : "\"VRM\":{\"secondaryAnimation\":{\"colliderGroups\":[{\"node\":0,\"colliders\":[{"
              "\"radius\":0.05,\"offset\":{\"x\":0,\"y\":-0.3,\"z\":0.1}}]}],\"boneGroups\":[{\"bones\":[1],"
              "\"colliderGroups\":[0],",
        weights, version ? "},{\"node\":2},{\"node\":3}]}]}" : "}]}}", "", "");
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    if (load_json(json, CORNERS, sizeof CORNERS, &model, &error))
        fail_msg("%s", error.text);
    return model;
}

/* Where a spring's tail is after so many pictures. */
static void swing(struct cp_model *model, int pictures, int spring, float ret[3])
{
    struct cp_actor *actor;
    struct cp_pose *pose = calloc(1, sizeof *pose);
    const struct cp_sight sight = {.camera_eye = {0, 1.5f, 2}};
    struct cp_moment moment = {.gain = 1};
    assert_int_equal(cp_actor_create(model, 1, &actor, NULL), 0);
    for (int i = 0; i < pictures; i++, moment.at_samples += CP_SAMPLES_PER_FRAME)
        cp_actor_pose(actor, &moment, &sight, pose);
    const struct cp_spring *link = &model->springs[spring];
    const float *m = pose->skin[link->joint], *p = link->tail;
    for (int r = 0; r < 3; r++)
        ret[r] = m[4 * r] * p[0] + m[4 * r + 1] * p[1] + m[4 * r + 2] * p[2] + m[4 * r + 3];
    cp_actor_destroy(actor);
    free(pose);
}

static void hair_follows_gravity_and_keeps_its_length(void **state)
{
    for (int version = 0; version < 2; version++) {
        struct cp_model *m = make_tail(version, "\"gravityPower\":2,\"gravityDir\":[1,0,0],\"dragForce\":0.4,"
                                                "\"stiffness\":0.1,\"stiffiness\":0.1");
        float tail[3], again[3], head[3] = {0, 1.5f, -0.1f}, length = 0;
        if (version == 0) /* turned to look along +z */
            head[2] = 0.1f;
        assert_int_equal(m->n_springs, version ? 2 : 3);
        assert_int_equal(m->n_colliders, 1);
        swing(m, 90, 0, tail);
        swing(m, 90, 0, again);
        assert_memory_equal(tail, again, sizeof tail);
        assert_true(tail[0] > 0.15f);
        for (int k = 0; k < 3; k++)
            length += (tail[k] - head[k]) * (tail[k] - head[k]);
        assert_true(fabsf(sqrtf(length) - 0.2f) < 0.03f); /* the head itself moves a little */
        cp_ref_drop(m);
    }
}

/* The collider lies where the second link hangs: it has to go round it. */
static void hair_stays_outside_of_colliders(void **state)
{
    for (int version = 0; version < 2; version++) {
        struct cp_model *m =
            make_tail(version, "\"gravityPower\":0,\"hitRadius\":0.02,\"stiffness\":1,\"stiffiness\":1");
        assert_float_equal(m->colliders[0].end[0][2], version ? -0.1 : 0.1, 1e-5);
        const float rest = 1.3f;
        float tail[3];
        m->colliders[0].end[0][1] = m->colliders[0].end[1][1] = rest;
        m->colliders[0].end[0][0] = m->colliders[0].end[1][0] = 0.01f;
        swing(m, 60, 0, tail);
        float from[3] = {tail[0] - 0.01f, tail[1] - rest, tail[2] - m->colliders[0].end[0][2]};
        float distance = sqrtf(from[0] * from[0] + from[1] * from[1] + from[2] * from[2]);
        assert_true(distance > 0.05f);
        cp_ref_drop(m);
    }
}

static void painted_surfaces_are_known(void **state)
{
    static const struct {
        const char *material, *extra;
        float shade, sharp;
    } cases[] = {
        {"\"extensions\":{\"VRMC_materials_mtoon\":{\"shadeColorFactor\":[0.5,0.5,0.5],"
         "\"shadingToonyFactor\":0.7}}",
         "", 0.5f, 0.7f},
        {"\"extensions\":{\"KHR_materials_unlit\":{}}", "", 1, 0},
        {"\"name\":\"body\"",
         ",\"extensions\":{\"VRM\":{\"materialProperties\":[{\"shader\":\"VRM/MToon\",\"floatProperties\":{"
         "\"_ShadeToony\":0.9,\"_ShadeShift\":0},\"vectorProperties\":{\"_Color\":[1,1,1,1],\"_ShadeColor\":["
         "1,1,1,1]"
         "}}]}}",
         1, 0.95f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[2048];
        snprintf(json, sizeof json, "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"materials\":[{%s}]%s," MESH "}",
                 cases[i].material, cases[i].extra, ",\"material\":0", "");
        struct cp_model *m = NULL;
        struct cp_error error = {0};
        if (load_json(json, CORNERS, sizeof CORNERS, &m, &error))
            fail_msg("%s", error.text);
        assert_int_equal(m->materials[0].surface, CP_SURFACE_TOON);
        assert_float_equal(m->materials[0].shade[0], cases[i].shade, 1e-3);
        assert_float_equal(m->materials[0].toon_sharp, cases[i].sharp, 1e-3);
        cp_ref_drop(m);
    }
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t n)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

/* A .gltf in parts is read when its parts lie beside it, and nothing from elsewhere. */
static void parts_are_read_from_beside_only(void **state)
{
    static const struct {
        const char *uri;
        int code;
    } cases[] = {{"part.bin", 0},
                 {"absent.bin", CP_ERR_NOT_FOUND},
                 {"../part.bin", CP_ERR_UNSUPPORTED},
                 {"/etc/passwd", CP_ERR_UNSUPPORTED},
                 {"link.bin", CP_ERR_NOT_FOUND},
                 {"..", CP_ERR_UNSUPPORTED},
                 {"http://example.org/part.bin", CP_ERR_UNSUPPORTED}};
    char folder[] = "/tmp/compere-parts-XXXXXX", path[300], link[300];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "part.bin", CORNERS, sizeof CORNERS);
    snprintf(link, sizeof link, "%s/link.bin", folder);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1024], uri[100];
        struct cp_model *m = NULL;
        struct cp_error error = {0};
        snprintf(uri, sizeof uri, ",\"uri\":\"%s\"", cases[i].uri);
        snprintf(json, sizeof json, "{" ASSET ",\"nodes\":[{\"mesh\":0}]," MESH "}", "", uri);
        write_file(folder, "m.gltf", json, strlen(json));
        snprintf(path, sizeof path, "%s/m.gltf", folder);
        int code = cp_avatar_load_file(path, &m, &error);
        if (code != cases[i].code)
            fail_msg("%s: %d %s", cases[i].uri, code, error.text);
        if (!code)
            cp_ref_drop(m);
    }
    unlink(link);
    unlink(path);
    snprintf(path, sizeof path, "%s/part.bin", folder);
    unlink(path);
    rmdir(folder);
}

/* One second in which the left upper arm of a T pose goes up by a right angle. */
static struct cp_motion *make_motion(struct cp_error *error)
{
    static const float data[] = {0, 0.5f,        1,           0, 0, 0,           1,          0,
                                 0, 0.70710678f, 0.70710678f, 0, 0, 0.70710678f, 0.70710678f};
    size_t length;
    uint8_t *glb = make_glb(
        "{" ASSET
        ",\"nodes\":[{\"name\":\"Hips\",\"translation\":[0,1,0],\"children\":[1]},{\"name\":\"LeftArm\","
        "\"translation\":[0.2,0.4,0],\"children\":[2]},{\"name\":\"LeftForeArm\",\"translation\":[0.3,0,0]}],"
        "\"animations\":[{\"channels\":[{\"sampler\":0,\"target\":{\"node\":1,\"path\":\"rotation\"}}],"
        "\"samplers\":[{"
        "\"input\":0,\"output\":1}]}],\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":"
        "\"SCALAR\","
        "\"count\":3},{\"bufferView\":0,\"byteOffset\":12,\"componentType\":5126,\"type\":\"VEC4\",\"count\":"
        "3}],"
        "\"bufferViews\":[{\"buffer\":0,\"byteLength\":60}],\"buffers\":[{\"byteLength\":60}]}",
        data, sizeof data, &length);
    struct cp_motion *motion = NULL;
    int code = cp_motion_load(glb, length, &motion, error);
    for (size_t n = 0; n < length; n++) { /* and no piece of it */
        struct cp_motion *piece = NULL;
        uint8_t *own = malloc(n + 1);
        memcpy(own, glb, n);
        assert_int_not_equal(cp_motion_load(own, n, &piece, NULL), 0);
        free(own);
    }
    free(glb);
    return code ? NULL : motion;
}

static void a_motion_fits_any_rest_pose(void **state)
{
    struct cp_error error = {0};
    struct cp_motion *motion = make_motion(&error);
    if (!motion)
        fail_msg("%s", error.text);
    float seconds;
    int bones;
    cp_motion_measure(motion, &seconds, &bones);
    assert_float_equal(seconds, 1, 1e-5);
    assert_int_equal(bones, 1);
    for (int arms_out = 0; arms_out < 2; arms_out++) {
        struct cp_model *m = make_figure(arms_out);
        struct cp_actor *actor;
        struct cp_pose *pose = calloc(1, sizeof *pose);
        const struct cp_sight sight = {.camera_eye = {0, 1.5f, 2}};
        struct cp_moment moment = {.gain = 1, .action = "arm_up"};
        int upper = -1, lower = -1;
        float highest = -1, at[2][3];
        for (int j = 0; j < m->n_joints; j++) {
            upper = m->joints[j].role == CP_BONE_LEFT_UPPER_ARM ? j : upper;
            lower = m->joints[j].role == CP_BONE_LEFT_LOWER_ARM ? j : lower;
        }
        assert_int_equal(cp_actor_create(m, 1, &actor, NULL), 0);
        assert_int_equal(cp_actor_add_motion(actor, "arm_up", motion, NULL), 0);
        assert_int_equal(cp_actor_add_motion(actor, "", motion, NULL), CP_ERR_INVALID);
        for (int f = 0; f < 45; f++, moment.at_samples += CP_SAMPLES_PER_FRAME) {
            cp_actor_pose(actor, &moment, &sight, pose);
            for (int e = 0; e < 2; e++) {
                const struct cp_joint *joint = &m->joints[e ? lower : upper];
                const float *s = pose->skin[upper],
                            *b = joint->inverse_bind; /* no turn at rest: place is -b */
                const float p[3] = {-b[3], -b[7], -b[11]};
                for (int r = 0; r < 3; r++)
                    at[e][r] = s[4 * r] * p[0] + s[4 * r + 1] * p[1] + s[4 * r + 2] * p[2] + s[4 * r + 3];
            }
            float dx = at[1][0] - at[0][0], dy = at[1][1] - at[0][1], dz = at[1][2] - at[0][2];
            highest = fmaxf(highest, dy / sqrtf(dx * dx + dy * dy + dz * dz));
        }
        assert_true(highest > 0.97f);             /* straight up in between */
        assert_true(at[1][1] < at[0][1] - 0.05f); /* and down again after it */
        cp_actor_destroy(actor);
        cp_ref_drop(m);
        free(pose);
    }
    cp_ref_drop(motion);
}

static void foreign_motion_loads(void **state)
{
    const char *path = foreign_model("test.vrma");
    struct cp_motion *motion;
    struct cp_error error = {0};
    float seconds;
    int bones;
    if (!path) {
        print_message("shared/avatars is not beside the repository\n");
        skip();
    }
    if (cp_motion_load_file(path, &motion, &error))
        fail_msg("%s", error.text);
    cp_motion_measure(motion, &seconds, &bones);
    assert_true(seconds > 0.5f && bones >= 1);
    cp_ref_drop(motion);
}

/* In centimetres: brought to a person's size, joints with it. */
static void odd_sizes_are_brought_to_a_persons(void **state)
{
    static const float LARGE[9] = {0, 0, 0, 100, 0, 0, 0, 170, 0};
    struct cp_model *m = NULL;
    struct cp_avatar_report report;
    const char *json =
        "{" ASSET ",\"nodes\":[{\"name\":\"Head\",\"mesh\":0,\"translation\":[0,10,0]}],"
        "\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{"
        "\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],"
        "\"bufferViews\":[{\"buffer\":0,\"byteLength\":36}],\"buffers\":[{\"byteLength\":36}]}";
    assert_int_equal(load_json(json, LARGE, sizeof LARGE, &m, NULL), 0);
    assert_float_equal(m->vertices[2].position[1], 1.8f, 1e-4);
    assert_float_equal(m->joints[0].inverse_bind[7], -0.1f, 1e-5);
    cp_avatar_inspect(m, &report);
    assert_non_null(strstr(report.notes, "170.00 m high"));
    cp_ref_drop(m);
}

/* Two targets, half of each: a target of its own that does both, by VRM 1.0's name and under ARKit's. */
static void mixed_expressions_become_targets(void **state)
{
    struct cp_model *m = NULL;
    const char *json =
        "{" ASSET
        ",\"extensions\":{\"VRMC_vrm\":{\"expressions\":{\"preset\":{\"aa\":{\"morphTargetBinds\":[{"
        "\"node\":0,\"index\":0,\"weight\":0.5},{\"node\":0,\"index\":1,\"weight\":0.5}]}},\"custom\":{"
        "\"Jaw_Open\":{\"morphTargetBinds\":[{\"node\":0,\"index\":1,\"weight\":0.25}]}}}}},\"nodes\":[{"
        "\"mesh\":0}],"
        "\"meshes\":[{\"extras\":{\"targetNames\":[\"p\",\"q\"]},\"primitives\":[{\"attributes\":{"
        "\"POSITION\":0},"
        "\"targets\":[{\"POSITION\":0},{\"POSITION\":0}]}]}],\"accessors\":[{\"bufferView\":0,"
        "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":0,"
        "\"byteLength\":36}],\"buffers\":[{\"byteLength\":36}]}";
    assert_int_equal(load_json(json, CORNERS, sizeof CORNERS, &m, NULL), 0);
    assert_int_equal(m->n_targets, 4);
    assert_string_equal(m->targets[2].name, "aa");
    assert_int_equal(m->targets[2].n_rows, 2);
    assert_float_equal(m->rows[m->targets[2].first_row].position[0], 1, 1e-5); /* a half of each of two */
    assert_int_equal(m->targets[3].shape, CP_SHAPE_jawOpen);
    assert_float_equal(m->rows[m->targets[3].first_row + 1].position[1], 0.25, 1e-5);
    cp_ref_drop(m);
}

/* Every byte of a small character turned over: refused or loaded, never worse. */
static void flipped_bytes_do_no_harm(void **state)
{
    size_t length;
    uint8_t *glb = make_figure_glb(0, &length);
    for (size_t i = 0; i < length; i += 1 + length / 1500) {
        struct cp_model *m = NULL;
        struct cp_error error = {0};
        glb[i] ^= 0xff;
        if (!cp_avatar_load(glb, length, "flipped", &m, &error))
            cp_ref_drop(m);
        else
            assert_true(strlen(error.text) > 5);
        glb[i] ^= 0xff;
    }
    free(glb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hair_follows_gravity_and_keeps_its_length),
        cmocka_unit_test(hair_stays_outside_of_colliders),
        cmocka_unit_test(painted_surfaces_are_known),
        cmocka_unit_test(parts_are_read_from_beside_only),
        cmocka_unit_test(a_motion_fits_any_rest_pose),
        cmocka_unit_test(foreign_motion_loads),
        cmocka_unit_test(odd_sizes_are_brought_to_a_persons),
        cmocka_unit_test(mixed_expressions_become_targets),
        cmocka_unit_test(flipped_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
