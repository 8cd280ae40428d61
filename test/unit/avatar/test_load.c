#include "models.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ASSET "\"asset\":{\"version\":\"2.0\"}"

/* One triangle, positions only, with its parts to be replaced. */
#define TRIANGLE(nodes, material, primitive, accessors, views)                                               \
    "{" ASSET ",\"nodes\":[" nodes "],\"materials\":[" material "],\"meshes\":[{\"name\":\"piece\","         \
    "\"primitives\":[{\"attributes\":{\"POSITION\":0}" primitive "}]}],\"accessors\":[{\"bufferView\":0,"    \
    "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}" accessors "],\"bufferViews\":[{\"buffer\":0,"    \
    "\"byteLength\":36}" views "],\"buffers\":[{\"byteLength\":36}]}"

static const float CORNERS[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};

static struct cp_model *load_ok(const char *json, const void *bin, size_t bytes)
{
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    if (load_json(json, bin, bytes, &model, &error))
        fail_msg("%s", error.text);
    return model;
}

static void load_fails(const char *json, const void *bin, size_t bytes, int code, const char *says)
{
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    assert_int_equal(load_json(json, bin, bytes, &model, &error), code);
    assert_null(model);
    if (!strstr(error.text, says))
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

static void load_makes_what_the_file_lacks(void **state)
{
    struct cp_model *m = load_ok(TRIANGLE("{\"mesh\":0}", "", "", "", ""), CORNERS, sizeof CORNERS);
    assert_int_equal(m->n_vertices, 3);
    assert_int_equal(m->n_triangles, 1);
    assert_int_equal(m->n_joints, 1);
    assert_int_equal(m->n_materials, 1);
    assert_int_equal(m->materials[0].surface, CP_SURFACE_PLAIN);
    for (int i = 0; i < 3; i++) {
        const struct cp_vertex *v = &m->vertices[i];
        assert_float_equal(v->normal[2], 1, 1e-6);
        float across = 0, length = 0;
        for (int k = 0; k < 3; k++) {
            across += v->normal[k] * v->tangent[k];
            length += v->tangent[k] * v->tangent[k];
            assert_float_equal(v->color[k], 1, 0);
        }
        assert_float_equal(across, 0, 1e-5);
        assert_float_equal(length, 1, 1e-5);
        assert_float_equal(v->occlusion, 1, 0);
        assert_float_equal(v->weight[0], 1, 0);
    }
    cp_ref_drop(m);
}

static void load_bakes_nodes_into_the_rest_pose(void **state)
{
    struct cp_model *m = load_ok(TRIANGLE("{\"name\":\"up\",\"children\":[1],\"translation\":[0,2,0]},"
                                          "{\"mesh\":0,\"scale\":[-2,2,2]}",
                                          "", "", "", ""),
                                 CORNERS, sizeof CORNERS);
    assert_int_equal(m->n_joints, 2);
    assert_int_equal(m->joints[0].parent, -1);
    assert_int_equal(m->joints[1].parent, 0);
    assert_float_equal(m->vertices[1].position[0], -2, 1e-6);
    assert_float_equal(m->vertices[2].position[1], 4, 1e-6);
    /* mirrored: the winding is turned, so that the face still looks to +z */
    assert_float_equal(m->vertices[0].normal[2], 1, 1e-6);
    assert_int_equal(m->triangles[0][1], 2);
    assert_float_equal(m->joints[1].inverse_bind[7], -1, 1e-6);
    cp_ref_drop(m);
}

static void load_reads_strips_and_fans(void **state)
{
    static const float square[12] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0};
    char json[1024];
    for (int mode = 5; mode <= 6; mode++) {
        snprintf(
            json, sizeof json,
            "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"mode\":%d,\"attributes\":"
            "{\"POSITION\":0}}]}],\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\","
            "\"count\":4}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":48}],\"buffers\":[{\"byteLength\":"
            "48}]}",
            mode);
        struct cp_model *m = load_ok(json, square, sizeof square);
        const uint32_t want[2][3] = {{1, 3, 2}, {0, 2, 3}};
        assert_int_equal(m->n_triangles, 2);
        assert_memory_equal(m->triangles[1], want[mode - 5], sizeof want[0]);
        cp_ref_drop(m);
    }
}

/* Interleaved, normalized, byte sized: colour (4 x u8), uv (2 x u16), all in one strided view. */
static void load_reads_interleaved_and_normalized(void **state)
{
    struct __attribute__((packed)) {
        struct __attribute__((packed)) {
            float position[3];
            uint8_t color[4];
            uint16_t uv[2];
        } v[3];
        uint8_t index[4];
    } bytes = {.v = {{{0, 0, 0}, {255, 0, 51, 102}, {65535, 0}},
                     {{1, 0, 0}, {255, 0, 51, 255}, {0, 0}},
                     {{0, 1, 0}, {0, 0, 0, 0}, {0, 65535}}},
               .index = {2, 0, 1}};
    struct cp_model *m = load_ok(
        "{" ASSET
        ",\"nodes\":[{\"mesh\":0}],\"materials\":[{\"name\":\"hull\",\"extras\":{\"compere_occlusion\":true,"
        "\"compere_surface\":\"skin\"},\"pbrMetallicRoughness\":{\"baseColorTexture\":{\"index\":0,"
        "\"extensions\":{"
        "\"KHR_texture_transform\":{\"offset\":[0.5,0],\"scale\":[0.5,2]}}}}}],\"meshes\":[{\"primitives\":[{"
        "\"material\":0,\"indices\":3,\"attributes\":{\"POSITION\":0,\"COLOR_0\":1,\"TEXCOORD_0\":2}}]}],"
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3},"
        "{\"bufferView\":0,\"byteOffset\":12,\"componentType\":5121,\"normalized\":true,\"type\":\"VEC4\","
        "\"count\":3},"
        "{\"bufferView\":0,\"byteOffset\":16,\"componentType\":5123,\"normalized\":true,\"type\":\"VEC2\","
        "\"count\":3},"
        "{\"bufferView\":1,\"componentType\":5121,\"type\":\"SCALAR\",\"count\":3}],"
        "\"bufferViews\":[{\"buffer\":0,\"byteLength\":60,\"byteStride\":20},{\"buffer\":0,\"byteOffset\":60,"
        "\"byteLength\":3}],\"buffers\":[{\"byteLength\":63}]}",
        &bytes, sizeof bytes);
    assert_int_equal(m->triangles[0][0], 2);
    assert_float_equal(m->vertices[0].color[2], 0.2f, 1e-6);
    assert_float_equal(m->vertices[0].occlusion, 0.4f, 1e-6);
    assert_float_equal(m->vertices[0].uv[0], 1, 1e-6);
    assert_float_equal(m->vertices[2].uv[1], 2, 1e-6);
    assert_int_equal(m->materials[0].surface, CP_SURFACE_SKIN);
    cp_ref_drop(m);
}

static void load_reads_skin_and_targets(void **state)
{
    struct cp_model *m = make_figure(0);
    assert_non_null(m);
    assert_int_equal(m->n_joints, 15);
    assert_int_equal(m->n_targets, CP_SHAPE_COUNT - 1);
    assert_int_equal(m->n_rows, CP_SHAPE_COUNT - 1);
    for (int j = 0; j < m->n_joints; j++)
        assert_true(m->joints[j].parent < j);
    for (int t = 0; t < m->n_targets; t++) {
        const struct cp_target *target = &m->targets[t];
        assert_int_equal(target->shape, cp_shape_from_name(target->name));
        assert_int_equal(target->n_rows, 1);
        assert_int_equal(m->rows[target->first_row].vertex, 12);
        assert_float_equal(m->rows[target->first_row].position[1], -0.01f, 1e-6);
    }
    assert_float_equal(m->eye_height_m, 1.6f, 1e-4);
    cp_ref_drop(m);
}

static void load_finds_bones_by_many_manners(void **state)
{
    static const struct {
        const char *name;
        enum cp_bone bone;
    } cases[] = {{"mixamorig:LeftForeArm", CP_BONE_LEFT_LOWER_ARM},
                 {"mixamorig:Spine2", CP_BONE_UPPER_CHEST},
                 {"LeftEye", CP_BONE_LEFT_EYE},
                 {"EyeRight", CP_BONE_RIGHT_EYE},
                 {"J_Bip_L_UpperArm", CP_BONE_LEFT_UPPER_ARM},
                 {"J_Adj_R_FaceEye", CP_BONE_RIGHT_EYE},
                 {"Hand.R", CP_BONE_RIGHT_HAND},
                 {"upperArm_L", CP_BONE_LEFT_UPPER_ARM},
                 {"upperChest", CP_BONE_UPPER_CHEST},
                 {"LeftHandThumb1", CP_BONE_LEFT_THUMB_METACARPAL},
                 {"LeftHandThumb4", CP_BONE_UNSET},
                 {"mixamorig:RightHandPinky3", CP_BONE_RIGHT_LITTLE_DISTAL},
                 {"J_Bip_L_Little2", CP_BONE_LEFT_LITTLE_INTERMEDIATE},
                 {"DEF-f_index.01.R", CP_BONE_RIGHT_INDEX_PROXIMAL},
                 {"thumb_02_l", CP_BONE_LEFT_THUMB_PROXIMAL},
                 {"CC_Base_R_Mid1", CP_BONE_RIGHT_MIDDLE_PROXIMAL},
                 {"rightRingIntermediate", CP_BONE_RIGHT_RING_INTERMEDIATE},
                 {"leftThumbProximal", CP_BONE_LEFT_THUMB_PROXIMAL},
                 {"LeftUpLeg", CP_BONE_LEFT_UPPER_LEG},
                 {"RightLeg", CP_BONE_RIGHT_LOWER_LEG},
                 {"J_Bip_R_LowerLeg", CP_BONE_RIGHT_LOWER_LEG},
                 {"foot_l", CP_BONE_LEFT_FOOT},
                 {"LeftToeBase", CP_BONE_LEFT_TOES},
                 {"LeftToe_End", CP_BONE_UNSET},
                 {"HeadTop_End", CP_BONE_UNSET},
                 {"RightArm", CP_BONE_RIGHT_UPPER_ARM},
                 {"rightShoulder", CP_BONE_RIGHT_SHOULDER},
                 {"Wolf3D_Head", CP_BONE_UNSET}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1024];
        snprintf(json, sizeof json, TRIANGLE("{\"name\":\"%s\",\"mesh\":0}", "", "", "", ""), cases[i].name);
        struct cp_model *m = load_ok(json, CORNERS, sizeof CORNERS);
        if (m->joints[0].role != (int)cases[i].bone)
            fail_msg("%s is taken for \"%s\"", cases[i].name, cp_bone_name(m->joints[0].role));
        cp_ref_drop(m);
    }
}

static void load_finds_surfaces_by_name(void **state)
{
    static const struct {
        const char *name;
        enum cp_surface surface;
    } cases[] = {{"Wolf3D_Skin", CP_SURFACE_SKIN},
                 {"EyelashMaterial", CP_SURFACE_LASH},
                 {"eyeIris", CP_SURFACE_EYE},
                 {"N00_000_00_FaceMouth_00_FACE", CP_SURFACE_MOUTH},
                 {"Wolf3D_Outfit_Top", CP_SURFACE_CLOTH},
                 {"Wolf3D_Hair", CP_SURFACE_HAIR},
                 {"Chair", CP_SURFACE_PLAIN},
                 {"Wolf3D_Glasses", CP_SURFACE_PLAIN},
                 {"Teeth", CP_SURFACE_TEETH},
                 {"Headwear", CP_SURFACE_CLOTH}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1024];
        snprintf(json, sizeof json, TRIANGLE("{\"mesh\":0}", "{\"name\":\"%s\"}", ",\"material\":0", "", ""),
                 cases[i].name);
        struct cp_model *m = load_ok(json, CORNERS, sizeof CORNERS);
        if (m->materials[0].surface != cases[i].surface)
            fail_msg("%s is taken for %s", cases[i].name, cp_surface_name(m->materials[0].surface));
        cp_ref_drop(m);
    }
}

static void load_turns_vrm0_to_the_front(void **state)
{
    struct cp_model *m =
        load_ok("{" ASSET ",\"extensions\":{\"VRM\":{\"humanoid\":{\"humanBones\":[{\"bone\":\"head\","
                "\"node\":0}]}}},\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"primitives\":[{"
                "\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{\"bufferView\":0,"
                "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":0,"
                "\"byteLength\":36}],\"buffers\":[{\"byteLength\":36}]}",
                CORNERS, sizeof CORNERS);
    assert_float_equal(m->vertices[1].position[0], -1, 1e-6);
    assert_int_equal(m->joints[0].role, CP_BONE_HEAD);
    cp_ref_drop(m);
}

static void load_reads_data_uris(void **state)
{
    /* 36 bytes: the corners, base64 */
    const char *json =
        "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0}}"
        "]}],\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],"
        "\"bufferViews\":[{\"buffer\":0,\"byteLength\":36}],\"buffers\":[{\"byteLength\":36,\"uri\":"
        "\"data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAAAAAAAAgD8AAAAA\"}]}";
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    assert_int_equal(cp_avatar_load(json, strlen(json), "x", &model, &error), 0);
    assert_float_equal(model->vertices[1].position[0], 1, 0);
    assert_float_equal(model->vertices[2].position[1], 1, 0);
    cp_ref_drop(model);
}

static void load_refuses_hostile_numbers(void **state)
{
    const void *b = CORNERS;
    size_t n = sizeof CORNERS;
#define ACCESSOR(text)                                                                                       \
    "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}]," \
    "\"accessors\":[{" text                                                                                  \
    "}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":36}],\"buffers\":[{\"byteLength\":36}]}"
    load_fails(ACCESSOR("\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":4"), b, n,
               CP_ERR_FORMAT, "leaves its buffer view");
    load_fails(
        ACCESSOR(
            "\"bufferView\":0,\"byteOffset\":9223372036854775807,\"componentType\":5126,\"type\":\"VEC3\","
            "\"count\":3"),
        b, n, CP_ERR_FORMAT, "leaves its buffer view");
    load_fails(ACCESSOR("\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":1000000000000"),
               b, n, CP_ERR_LIMIT, "vertices");
    load_fails(ACCESSOR("\"bufferView\":0,\"componentType\":77,\"type\":\"VEC3\",\"count\":3"), b, n,
               CP_ERR_FORMAT, "unknown type");
    load_fails(ACCESSOR("\"bufferView\":7,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3"), b, n,
               CP_ERR_FORMAT, "leaves its buffer view");
    load_fails(
        ACCESSOR(
            "\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3,\"sparse\":{\"count\":4,"
            "\"indices\":{\"bufferView\":0,\"componentType\":5123},\"values\":{\"bufferView\":0}}"),
        b, n, CP_ERR_FORMAT, "sparse");
    /* the first sparse index is bytes 12..13 (0), the second 14..15 (0x3f80) */
    load_fails(
        ACCESSOR(
            "\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3,\"sparse\":{\"count\":2,"
            "\"indices\":{\"bufferView\":0,\"byteOffset\":12,\"componentType\":5123},\"values\":{"
            "\"bufferView\":0}}"),
        b, n, CP_ERR_FORMAT, "sparse index is out of range");
    load_fails(
        TRIANGLE(
            "{\"mesh\":0}", "", ",\"indices\":1",
            ",{\"bufferView\":0,\"byteOffset\":12,\"componentType\":5125,\"type\":\"SCALAR\",\"count\":3}",
            ""),
        b, n, CP_ERR_FORMAT, "names a vertex that is not there");
    load_fails(TRIANGLE("{\"mesh\":0}", "", "", "", ",{\"buffer\":0,\"byteOffset\":30,\"byteLength\":7}"), b,
               n, CP_ERR_FORMAT, "ends behind the end");
    load_fails(TRIANGLE("{\"mesh\":0,\"children\":[1]},{\"children\":[0]}", "", "", "", ""), b, n,
               CP_ERR_LIMIT, "inside itself");
    load_fails(TRIANGLE("{\"mesh\":3}", "", "", "", ""), b, n, CP_ERR_FORMAT, "mesh that is not there");
    load_fails(TRIANGLE("{\"mesh\":0,\"skin\":0}", "", "", "", ""), b, n, CP_ERR_FORMAT, "skin 0");
    load_fails(TRIANGLE("{}", "", "", "", ""), b, n, CP_ERR_FORMAT, "no mesh");
    static const float wild[9] = {0, 0, 0, 1, 0, 0, 0, NAN, 0};
    load_fails(TRIANGLE("{\"mesh\":0}", "", "", "", ""), wild, n, CP_ERR_FORMAT, "not finite");
}

static void load_names_what_it_cannot_read(void **state)
{
    load_fails("{" ASSET ",\"extensionsRequired\":[\"KHR_draco_mesh_compression\"]}", NULL, 0,
               CP_ERR_UNSUPPORTED, "KHR_draco_mesh_compression");
    load_fails("{" ASSET ",\"buffers\":[{\"byteLength\":36,\"uri\":\"more.bin\"}]}", NULL, 0,
               CP_ERR_UNSUPPORTED, "more.bin");
    load_fails("{\"asset\":{\"version\":\"1.0\"}}", NULL, 0, CP_ERR_FORMAT, "no glTF 2.0");
    struct cp_model *model = NULL;
    struct cp_error error = {0};
    assert_int_equal(cp_avatar_load("Kaydara FBX", 11, "x", &model, &error), CP_ERR_FORMAT);
    assert_non_null(strstr(error.text, "no glTF"));
    assert_int_equal(cp_avatar_load_file("/nowhere/at.glb", &model, &error), CP_ERR_NOT_FOUND);
}

/* Any piece of a file fails and says so; no piece crashes. */
static void load_refuses_every_truncation(void **state)
{
    size_t length;
    uint8_t *glb = make_glb(TRIANGLE("{\"mesh\":0}", "", "", "", ""), CORNERS, sizeof CORNERS, &length);
    for (size_t n = 0; n < length; n++) {
        uint8_t *piece = malloc(n + 1); /* of its own, so that a sanitizer sees reads behind it */
        struct cp_model *model = NULL;
        struct cp_error error = {0};
        memcpy(piece, glb, n);
        assert_int_equal(cp_avatar_load(piece, n, "piece", &model, &error), CP_ERR_FORMAT);
        assert_non_null(strstr(error.text, "truncated"));
        free(piece);
    }
    /* the same with a header that agrees with the length */
    for (size_t n = 12; n < length; n++) {
        for (int i = 0; i < 4; i++)
            glb[8 + i] = (uint8_t)(n >> 8 * i);
        struct cp_model *model = NULL;
        assert_int_not_equal(cp_avatar_load(glb, n, "piece", &model, NULL), 0);
    }
    free(glb);
}

static void foreign_models_load(void **state)
{
    static const struct {
        const char *name;
        int code, shapes, visemes, bones;
    } files[] = {{"rpm-brunette.glb", 0, 52, 15, 54},
                 {"VRMC_vrm_expressions_isBinary_Overridden.vrm", 0, 0, 0, 22},
                 {"VRMC_vrm_expressions_isBinary_Overrides.vrm", 0, 0, 0, 22},
                 {"Box.glb", 0, 0, 0, 0},
                 {"BoxVertexColors.glb", 0, 0, 0, 0},
                 {"chr_knight.glb", 0, 0, 0, 0},
                 {"BoxMeshopt.glb", 0, 0, 0, 0},
                 {"mtoon-cube.gltf", CP_ERR_UNSUPPORTED, 0, 0, 0},
                 {"springbone-sphere-collider.gltf", CP_ERR_UNSUPPORTED, 0, 0, 0},
                 {"test.vrma", CP_ERR_FORMAT, 0, 0, 0}};
    if (!foreign_model(files[0].name))
        skip();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct cp_model *model = NULL;
        struct cp_error error = {0};
        int code = cp_avatar_load_file(foreign_model(files[i].name), &model, &error);
        if (code != files[i].code)
            fail_msg("%s: %s", files[i].name, code ? error.text : "loaded");
        if (code)
            continue;
        struct cp_avatar_report report;
        cp_avatar_inspect(model, &report);
        assert_int_equal(report.n_shapes, files[i].shapes);
        assert_int_equal(report.n_visemes, files[i].visemes);
        assert_int_equal(report.n_bones, files[i].bones);
        cp_ref_drop(model);
    }
}

static void foreign_figure_stands_upright(void **state)
{
    const char *path = foreign_model("rpm-brunette.glb");
    if (!path)
        skip();
    struct cp_model *m = NULL;
    assert_int_equal(cp_avatar_load_file(path, &m, NULL), 0);
    assert_in_range((int)(m->eye_height_m * 100), 150, 175);
    assert_in_range((int)(m->head_height_m * 100), 18, 28);
    for (int i = 0; i < m->n_vertices; i++) {
        const struct cp_vertex *v = &m->vertices[i];
        float weights = v->weight[0] + v->weight[1] + v->weight[2] + v->weight[3];
        assert_float_equal(weights, 1, 1e-4);
        assert_true(v->position[1] > -0.1f && v->position[1] < 2);
    }
    assert_true(m->n_textures >= 8);
    for (int t = 0; t < m->n_textures; t++)
        assert_true(m->textures[t].width > 0 && m->textures[t].rgba);
    cp_ref_drop(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_makes_what_the_file_lacks),
        cmocka_unit_test(load_bakes_nodes_into_the_rest_pose),
        cmocka_unit_test(load_reads_strips_and_fans),
        cmocka_unit_test(load_reads_interleaved_and_normalized),
        cmocka_unit_test(load_reads_skin_and_targets),
        cmocka_unit_test(load_finds_bones_by_many_manners),
        cmocka_unit_test(load_finds_surfaces_by_name),
        cmocka_unit_test(load_turns_vrm0_to_the_front),
        cmocka_unit_test(load_reads_data_uris),
        cmocka_unit_test(load_refuses_hostile_numbers),
        cmocka_unit_test(load_names_what_it_cannot_read),
        cmocka_unit_test(load_refuses_every_truncation),
        cmocka_unit_test(foreign_models_load),
        cmocka_unit_test(foreign_figure_stands_upright),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
