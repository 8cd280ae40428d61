/* What other tools write: compressed views, textures, other names of shapes; and where the loader says no. */
#include "models.h"

#include "avatar/load.h"
#include "base/buffer.h"

#include <meshoptimizer.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

#include <cmocka.h>

#define ASSET "\"asset\":{\"version\":\"2.0\"}"

static const float CORNERS[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};

/* Loads what a buffer holds as JSON; the buffer is freed. */
static int load_buffer(struct cp_buffer *json, const void *bin, size_t bytes, struct cp_model **ret,
                       struct cp_error *error)
{
    int err = load_json(cp_buffer_string(json), bin, bytes, ret, error);
    cp_buffer_free(json);
    return err;
}

/* A triangle with morph targets of these names, each moving the third corner down. */
static struct cp_model *with_targets(const char *const *names, int n, struct cp_error *error)
{
    struct cp_buffer json = cp_buffer_make(1 << 16);
    cp_buffer_text(&json,
                   "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"name\":\"face\",\"primitives\":[{"
                   "\"attributes\":{\"POSITION\":0},\"targets\":[");
    for (int i = 0; i < n; i++)
        cp_buffer_text(&json, i ? ",{\"POSITION\":0}" : "{\"POSITION\":0}");
    cp_buffer_text(&json, "]}],\"extras\":{\"targetNames\":[");
    for (int i = 0; names && i < n; i++)
        cp_buffer_printf(&json, "%s\"%s\"", i ? "," : "", names[i]);
    cp_buffer_text(
        &json, "]}}],\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],"
               "\"bufferViews\":[{\"buffer\":0,\"byteLength\":36}],\"buffers\":[{\"byteLength\":36}]}");
    struct cp_model *model = NULL;
    load_buffer(&json, CORNERS, sizeof CORNERS, &model, error);
    return model;
}

static void shapes_are_known_in_any_manner(void **state)
{
    static const char *const names[] = {"JawOpen", "eyeBlink_L", "head.mouthClose", "browInnerUp",
                                        "viseme_PP"};
    static const enum cp_shape shapes[] = {CP_SHAPE_jawOpen, CP_SHAPE_eyeBlinkLeft, CP_SHAPE_mouthClose,
                                           CP_SHAPE_browInnerUp, CP_SHAPE_UNSET};
    struct cp_model *m = with_targets(names, 5, NULL);
    assert_non_null(m);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(m->targets[i].name, names[i]);
        assert_int_equal(m->targets[i].shape, shapes[i]);
    }
    cp_ref_drop(m);
}

/* The weight of a target after half a second of one viseme. */
static float spoken(struct cp_model *model, enum cp_viseme viseme, const char *target)
{
    struct cp_utterance *u = cp_utterance_create(CP_SAMPLE_HZ, 1, "");
    struct cp_pose *pose = calloc(1, sizeof *pose);
    struct cp_actor *actor;
    float weight = -1;
    u->n_marks = 1;
    u->marks[0] = (struct cp_mark){
        .type = CP_MARK_VISEME, .viseme = viseme, .length_samples = CP_SAMPLE_HZ, .weight = 1, .stress = 1};
    struct cp_moment moment = {.utterance = u, .gain = 1};
    const struct cp_sight sight = {.camera_eye = {0, 1, 2}};
    assert_int_equal(cp_actor_create(model, 1, &actor, NULL), 0);
    for (int f = 0; f < 15; f++) {
        cp_actor_pose(actor, &moment, &sight, pose);
        moment.at_samples += CP_SAMPLES_PER_FRAME;
        moment.offset_samples += CP_SAMPLES_PER_FRAME;
    }
    for (int t = 0; t < model->n_targets; t++)
        if (!strcmp(model->targets[t].name, target))
            weight = pose->weight[t];
    cp_actor_destroy(actor);
    cp_ref_drop(u);
    free(pose);
    return weight;
}

static void vowel_shapes_stand_in_for_arkit(void **state)
{
    static const char *const vroid[] = {"Fcl_MTH_A", "Fcl_MTH_I", "Fcl_MTH_U",
                                        "Fcl_MTH_E", "Fcl_MTH_O", "Fcl_EYE_Close"};
    struct cp_model *m = with_targets(vroid, 6, NULL);
    assert_true(spoken(m, CP_VISEME_AA, "Fcl_MTH_A") > 0.6f);
    assert_true(spoken(m, CP_VISEME_AA, "Fcl_MTH_U") < 0.1f);
    assert_true(spoken(m, CP_VISEME_OU, "Fcl_MTH_U") > 0.5f);
    assert_true(spoken(m, CP_VISEME_OH, "Fcl_MTH_O") > 0.3f);
    assert_true(spoken(m, CP_VISEME_SS, "Fcl_MTH_I") > 0.2f);
    for (int i = 0; i < 5; i++)
        assert_true(spoken(m, CP_VISEME_PP, vroid[i]) < 0.05f); /* lips meet */
    struct cp_avatar_report report;
    cp_avatar_inspect(m, &report);
    assert_non_null(strstr(report.notes, "vowel shapes (aa, ih, ou, ee, oh)"));
    assert_non_null(strstr(report.notes, "Fcl_EYE_Close"));
    cp_ref_drop(m);
}

/* A VRM whose targets have names of their own: its expressions say what they are. */
static void vrm_expressions_tell_what_targets_are(void **state)
{
    static const char *const extensions[] = {"\"VRMC_vrm\":{\"expressions\":{\"preset\":{\"aa\":{"
                                             "\"morphTargetBinds\":[{\"node\":0,\"index\":1,\"weight\":1}]},"
                                             "\"blink\":{\"morphTargetBinds\":[{\"node\":0,\"index\":0}]},"
                                             "\"ou\":{\"morphTargetBinds\":[{\"node\":9,\"index\":0}]},"
                                             "\"oh\":{\"morphTargetBinds\":[{\"node\":0,\"index\":700}]}}}}",
                                             "\"VRM\":{\"blendShapeMaster\":{\"blendShapeGroups\":[{"
                                             "\"presetName\":\"A\",\"binds\":[{\"mesh\":0,\"index\":1}]},"
                                             "{\"presetName\":\"blink\",\"binds\":[{\"mesh\":0,\"index\":0}]}"
                                             ",{\"presetName\":\"u\",\"binds\":[{\"mesh\":-4}]}]}}"};
    for (int version = 0; version < 2; version++) {
        struct cp_buffer json = cp_buffer_make(1 << 12);
        cp_buffer_printf(
            &json,
            "{" ASSET
            ",\"extensions\":{%s},\"nodes\":[{\"mesh\":0}],\"meshes\":[{\"name\":\"m\",\"primitives\":[{"
            "\"attributes\":{\"POSITION\":0},\"targets\":[{\"POSITION\":0},{\"POSITION\":0}],\"extras\":{"
            "\"targetNames\":[\"lids\",\"gape\"]}}]}],\"accessors\":[{\"bufferView\":0,\"componentType\":"
            "5126,"
            "\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":36}],\"buffers\":["
            "{"
            "\"byteLength\":36}]}",
            extensions[version]);
        struct cp_model *m = NULL;
        assert_int_equal(load_buffer(&json, CORNERS, sizeof CORNERS, &m, NULL), 0);
        assert_string_equal(m->targets[0].name, "blink");
        assert_string_equal(m->targets[1].name, "aa");
        assert_true(spoken(m, CP_VISEME_AA, "aa") > 0.6f);
        cp_ref_drop(m);
    }
}

static void arkit_shapes_are_used_where_both_are_there(void **state)
{
    static const char *const both[] = {"jawOpen", "viseme_aa"};
    struct cp_model *m = with_targets(both, 2, NULL);
    assert_true(spoken(m, CP_VISEME_AA, "jawOpen") > 0.4f);
    assert_float_equal(spoken(m, CP_VISEME_AA, "viseme_aa"), 0, 0);
    /* no mouthClose: the jaw shuts instead */
    assert_true(spoken(m, CP_VISEME_PP, "jawOpen") < 0.02f);
    cp_ref_drop(m);
}

static void inspect_says_what_is_there_and_what_is_done(void **state)
{
    struct cp_avatar_report report;
    struct cp_model *m = make_figure(1);
    cp_avatar_inspect(m, &report);
    assert_int_equal(report.n_shapes, 52);
    assert_int_equal(report.n_bones, 15);
    assert_string_equal(report.missing_shapes, "");
    assert_string_equal(report.missing_bones,
                        "upperChest, jaw, left leg, right leg, left fingers, right fingers");
    assert_non_null(strstr(report.notes, "arms out"));
    assert_non_null(strstr(report.notes, "turn by their bones"));
    cp_ref_drop(m);
    m = with_targets(NULL, 0, NULL);
    cp_avatar_inspect(m, &report);
    assert_int_equal(report.n_shapes + report.n_bones + report.n_visemes, 0);
    assert_string_equal(report.missing_shapes, "all");
    assert_string_equal(report.missing_bones, "all");
    assert_non_null(strstr(report.notes, "the mouth does not move"));
    assert_non_null(strstr(report.notes, "the head does not move"));
    cp_ref_drop(m);
}

static int load_compressed(const uint8_t *bytes, size_t length, int count, int stride, const char *mode,
                           struct cp_model **ret, struct cp_error *error)
{
    struct cp_buffer json = cp_buffer_make(1 << 12);
    cp_buffer_printf(
        &json,
        "{" ASSET
        ",\"extensionsRequired\":[\"EXT_meshopt_compression\"],\"nodes\":[{\"mesh\":0}],\"meshes\":[{"
        "\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{\"bufferView\":0,"
        "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":1,"
        "\"byteLength\":36,"
        "\"extensions\":{\"EXT_meshopt_compression\":{\"buffer\":0,\"byteLength\":%zu,\"byteStride\":%d,"
        "\"count\":%d,\"mode\":\"%s\"}}}],\"buffers\":[{\"byteLength\":%zu},{\"byteLength\":36,"
        "\"extensions\":{"
        "\"EXT_meshopt_compression\":{\"fallback\":true}}}]}",
        length, stride, count, mode, length);
    return load_buffer(&json, bytes, length, ret, error);
}

static void compressed_views_unfold_or_fail(void **state)
{
    uint8_t bytes[512];
    size_t length = meshopt_encodeVertexBuffer(bytes, sizeof bytes, CORNERS, 3, 12);
    struct cp_model *m = NULL;
    struct cp_error error = {0};
    assert_true(length > 0);
    assert_int_equal(load_compressed(bytes, length, 3, 12, "ATTRIBUTES", &m, &error), 0);
    assert_float_equal(m->vertices[1].position[0], 1, 0);
    cp_ref_drop(m);
    m = NULL;
    assert_int_equal(load_compressed(bytes, length, 3, 10, "ATTRIBUTES", &m, &error), CP_ERR_FORMAT);
    assert_int_equal(load_compressed(bytes, length, 4, 4, "TRIANGLES", &m, &error), CP_ERR_FORMAT);
    assert_int_equal(load_compressed(bytes, length, 1 << 20, 12, "ATTRIBUTES", &m, &error), CP_ERR_FORMAT);
    assert_int_equal(load_compressed(bytes, length, 1 << 24, 252, "ATTRIBUTES", &m, &error), CP_ERR_LIMIT);
    for (size_t n = 1; n < length; n++)
        assert_int_not_equal(load_compressed(bytes, n, 3, 12, "ATTRIBUTES", &m, &error), 0);
    assert_null(m);
}

static int load_textured(const void *image, size_t bytes, struct cp_model **ret, struct cp_error *error)
{
    struct cp_buffer json = cp_buffer_make(1 << 12);
    uint8_t *bin = malloc(36 + bytes);
    memcpy(bin, CORNERS, 36);
    memcpy(bin + 36, image, bytes);
    cp_buffer_printf(
        &json,
        "{" ASSET
        ",\"nodes\":[{\"mesh\":0}],\"materials\":[{\"alphaMode\":\"MASK\",\"pbrMetallicRoughness\":{"
        "\"baseColorTexture\":{\"index\":0}}}],\"textures\":[{\"source\":0}],\"images\":[{\"bufferView\":1}],"
        "\"meshes\":[{\"primitives\":[{\"material\":0,\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{"
        "\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{"
        "\"buffer\":0,"
        "\"byteLength\":36},{\"buffer\":0,\"byteOffset\":36,\"byteLength\":%zu}],\"buffers\":[{"
        "\"byteLength\":%zu}]}",
        bytes, 36 + bytes);
    int err = load_buffer(&json, bin, 36 + bytes, ret, error);
    free(bin);
    return err;
}

static void textures_decode_or_say_why_not(void **state)
{
    static const uint8_t pixels[8] = {255, 0, 0, 255, 0, 255, 0, 128};
    uint8_t bytes[512];
    png_alloc_size_t length = sizeof bytes;
    png_image image = {.version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_RGBA};
    assert_true(png_image_write_to_memory(&image, bytes, &length, 0, pixels, 0, NULL));
    struct cp_model *m = NULL;
    struct cp_error error = {0};
    assert_int_equal(load_textured(bytes, length, &m, &error), 0);
    assert_int_equal(m->n_textures, 1);
    assert_int_equal(m->materials[0].texture, 0);
    assert_float_equal(m->materials[0].alpha_cutoff, 0.5f, 0);
    assert_memory_equal(m->textures[0].rgba, pixels, sizeof pixels);
    cp_ref_drop(m);
    m = NULL;
    assert_int_equal(load_textured(bytes, length - 13, &m, &error), CP_ERR_FORMAT);
    assert_int_equal(load_textured("GIF89a..", 8, &m, &error), CP_ERR_UNSUPPORTED);
    assert_int_equal(load_textured("\xff\xd8\xff\xe0 no picture", 16, &m, &error), CP_ERR_FORMAT);
    uint8_t *webp = NULL;
    size_t webp_length = WebPEncodeLosslessRGBA(pixels, 2, 1, 8, &webp);
    assert_int_equal(load_textured(webp, webp_length, &m, &error), 0);
    assert_memory_equal(m->textures[0].rgba, pixels, sizeof pixels);
    cp_ref_drop(m);
    m = NULL;
    for (size_t n = 12; n + 1 < webp_length; n++)
        assert_int_not_equal(load_textured(webp, n, &m, &error), 0);
    WebPFree(webp);
    /* wider than is read: libpng fails on the checksum first, so make the header whole */
    static uint8_t wide[9000 * 4];
    uint8_t *large = malloc(65536);
    png_alloc_size_t large_length = 65536;
    png_image too_wide = {
        .version = PNG_IMAGE_VERSION, .width = 9000, .height = 1, .format = PNG_FORMAT_RGBA};
    assert_true(png_image_write_to_memory(&too_wide, large, &large_length, 0, wide, 0, NULL));
    assert_int_equal(load_textured(large, large_length, &m, &error), CP_ERR_LIMIT);
    assert_non_null(strstr(error.text, "8192"));
    free(large);
    assert_null(m);
}

static size_t png_of(const uint8_t *rgba, int width, uint8_t *bytes, size_t room)
{
    png_alloc_size_t length = room;
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = (png_uint_32)width, .height = 1, .format = PNG_FORMAT_RGBA};
    assert_true(png_image_write_to_memory(&image, bytes, &length, 0, rgba, 0, NULL));
    return length;
}

/* Three materials: one with base and occlusion, one with the same base alone, one with occlusion alone. */
static struct cp_model *with_occlusion(const char *extra, size_t cut)
{
    static const uint8_t base[8] = {200, 100, 50, 255, 200, 100, 50, 128},
                         shadow[16] = {255, 0, 0, 255, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255};
    uint8_t bin[2048] = {0};
    memcpy(bin, CORNERS, 36);
    size_t first = png_of(base, 2, bin + 36, 512), second = png_of(shadow, 4, bin + 36 + first, 512) - cut;
    struct cp_buffer json = cp_buffer_make(1 << 14);
#define BASE    "\"pbrMetallicRoughness\":{\"baseColorTexture\":{\"index\":0}}"
#define SHADOWS "\"occlusionTexture\":{\"index\":1%s}"
    cp_buffer_printf(
        &json,
        "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"materials\":[{" BASE "," SHADOWS "},{" BASE
        ",\"normalTexture\":{\"index\":1}},{" SHADOWS "}],"
        "\"textures\":[{\"source\":0},{\"source\":1}],\"images\":[{\"bufferView\":1},{\"bufferView\":2}],"
        "\"meshes\":[{\"primitives\":[{\"material\":0,\"attributes\":{\"POSITION\":0}},{\"material\":1,"
        "\"attributes\":{\"POSITION\":0}},{\"material\":2,\"attributes\":{\"POSITION\":0}}]}],"
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],"
        "\"bufferViews\":[{\"buffer\":0,\"byteLength\":36},{\"buffer\":0,\"byteOffset\":36,\"byteLength\":%"
        "zu},"
        "{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu}],\"buffers\":[{\"byteLength\":%zu}]}",
        extra, extra, first, 36 + first, second, 36 + first + second);
#undef BASE
#undef SHADOWS
    struct cp_model *m = NULL;
    struct cp_error error = {0};
    if (load_buffer(&json, bin, 36 + first + second, &m, &error))
        fail_msg("%s", error.text);
    return m;
}

static void occlusion_darkens_the_base_colour(void **state)
{
    static const uint8_t plain[8] = {200, 100, 50, 255, 200, 100, 50, 128};
    struct cp_model *m = with_occlusion("", 0);
    assert_int_equal(m->n_textures, 3);
    const uint8_t *baked = m->textures[m->materials[0].texture].rgba,
                  *alone = m->textures[m->materials[2].texture].rgba;
    assert_memory_equal(baked, plain, 4);
    assert_memory_equal(m->textures[m->materials[1].texture].rgba, plain, sizeof plain);
    /* 0.3 of the light: sRGB 200 is 0.578 linear, 0.173 is sRGB 116 */
    assert_int_equal(baked[4], 116);
    assert_int_equal(baked[7], 128);
    assert_int_equal(m->textures[m->materials[2].texture].width, 4);
    assert_int_equal(alone[0], 255);
    assert_int_equal(alone[12], 149);
    assert_non_null(strstr(m->notes, "1 materials have normal maps"));
    assert_non_null(strstr(m->notes, "2 materials have occlusion"));
    cp_ref_drop(m);
    m = with_occlusion(",\"strength\":0", 0);
    assert_memory_equal(m->textures[m->materials[0].texture].rgba, plain, sizeof plain);
    cp_ref_drop(m);
    m = with_occlusion(",\"texCoord\":1", 0); /* it lies elsewhere: left out */
    assert_int_equal(m->n_textures, 1);
    cp_ref_drop(m);
    m = with_occlusion("", 20); /* nothing depends on it: a broken one is left out */
    assert_memory_equal(m->textures[m->materials[0].texture].rgba, plain, sizeof plain);
    assert_int_equal(m->materials[2].texture, -1);
    cp_ref_drop(m);
}

static void limits_hold(void **state)
{
    struct cp_error error = {0};
    assert_null(with_targets(NULL, CP_MODEL_MAX_TARGETS + 1, &error));
    assert_int_equal(error.code, CP_ERR_LIMIT);
    struct cp_model *m = with_targets(NULL, CP_MODEL_MAX_TARGETS, &error);
    assert_non_null(m);
    assert_int_equal(m->n_targets, CP_MODEL_MAX_TARGETS);
    cp_ref_drop(m);
    m = NULL;
    const char *tail =
        "],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0}}]}],\"accessors\":[{\"bufferView\":"
        "0,"
        "\"componentType\":5126,\"type\":\"VEC3\",\"count\":3}],\"bufferViews\":[{\"buffer\":0,"
        "\"byteLength\":36}],\"buffers\":[{\"byteLength\":36}]}";
    for (int chain = 0; chain < 2; chain++) { /* many joints, folded to what a pose holds; too deep a tree */
        struct cp_buffer json = cp_buffer_make(1 << 20);
        cp_buffer_text(&json, "{" ASSET ",\"nodes\":[{\"mesh\":0}");
        for (int i = 1; i <= CP_MODEL_MAX_JOINTS; i++)
            cp_buffer_printf(&json, chain ? ",{\"children\":[%d]}" : ",{\"mesh\":0}", i - 1);
        cp_buffer_text(&json, tail);
        int code = load_buffer(&json, CORNERS, sizeof CORNERS, &m, &error);
        assert_int_equal(code, chain ? CP_ERR_LIMIT : 0);
        if (chain) {
            assert_non_null(strstr(error.text, "deep"));
            continue;
        }
        assert_int_equal(m->n_joints, CP_MODEL_MAX_JOINTS);
        assert_non_null(strstr(m->notes, "257 joints"));
        cp_ref_drop(m);
        m = NULL;
    }
    /* a few kB that stand for gigabytes: an accessor without a view, read again and again */
    struct cp_buffer bomb = cp_buffer_make(1 << 20);
    cp_buffer_text(
        &bomb,
        "{" ASSET ",\"nodes\":[{\"mesh\":0}],\"accessors\":[{\"componentType\":5126,\"type\":\"VEC3\","
        "\"count\":2000000}],\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0},\"mode\":6}");
    for (int i = 0; i < 100; i++)
        cp_buffer_text(&bomb, ",{\"attributes\":{\"POSITION\":0,\"NORMAL\":0,\"COLOR_0\":0}}");
    cp_buffer_text(&bomb, "]}]}");
    assert_int_equal(load_buffer(&bomb, NULL, 0, &m, &error), CP_ERR_LIMIT);
    struct cp_buffer json = cp_buffer_make(1 << 24);
    cp_buffer_text(&json, "{" ASSET ",\"extras\":[0");
    for (int i = 0; i < GLTF_MAX_JSON_TOKENS + 1; i++)
        cp_buffer_text(&json, ",0");
    cp_buffer_text(&json, "]}");
    assert_int_equal(load_buffer(&json, NULL, 0, &m, &error), CP_ERR_LIMIT);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_known_in_any_manner),
        cmocka_unit_test(vowel_shapes_stand_in_for_arkit),
        cmocka_unit_test(vrm_expressions_tell_what_targets_are),
        cmocka_unit_test(arkit_shapes_are_used_where_both_are_there),
        cmocka_unit_test(inspect_says_what_is_there_and_what_is_done),
        cmocka_unit_test(compressed_views_unfold_or_fail),
        cmocka_unit_test(textures_decode_or_say_why_not),
        cmocka_unit_test(occlusion_darkens_the_base_colour),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
