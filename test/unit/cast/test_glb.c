/* What the file of the first presenter holds. Arguments: the sculpting program, ava.cast, the built ava.glb.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *sculpt_program, *cast_file, *glb_file;
static uint8_t *file_bytes;
static size_t file_length;
static json_t *document;
static const uint8_t *binary;

static uint8_t *slurp(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    size_t n = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(n);
    assert_int_equal(fread(bytes, 1, n, file), n);
    fclose(file);
    *ret_length = n;
    return bytes;
}

static int setup(void **state)
{
    (void)state;
    file_bytes = slurp(glb_file, &file_length);
    uint32_t head[5];
    memcpy(head, file_bytes, sizeof head);
    assert_int_equal(head[0], 0x46546C67);
    assert_int_equal(head[2], file_length);
    document = json_loadb((const char *)file_bytes + 20, head[3], 0, NULL);
    assert_non_null(document);
    binary = file_bytes + 20 + head[3] + 8;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(document);
    free(file_bytes);
    return 0;
}

static json_t *item(const char *list, json_int_t i)
{
    json_t *found = json_array_get(json_object_get(document, list), (size_t)i);
    assert_non_null(found);
    return found;
}
static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}
static json_t *primitive(size_t mesh)
{
    return json_array_get(json_object_get(item("meshes", (json_int_t)mesh), "primitives"), 0);
}
static size_t mesh_count(void)
{
    return json_array_size(json_object_get(document, "meshes"));
}
static const void *view_data(json_int_t view)
{
    return binary + number(item("bufferViews", view), "byteOffset");
}
static const float *floats(json_int_t accessor, int *ret_count)
{
    json_t *a = item("accessors", accessor);
    assert_int_equal(number(a, "componentType"), 5126);
    *ret_count = (int)number(a, "count");
    return view_data(number(a, "bufferView"));
}
static json_int_t attribute(size_t mesh, const char *name)
{
    json_t *id = json_object_get(json_object_get(primitive(mesh), "attributes"), name);
    if (!id)
        fail_msg("mesh %zu lacks %s", mesh, name);
    return json_integer_value(id);
}

static void file_has_the_triangles_a_frame_can_afford(void **state)
{
    (void)state;
    json_int_t corners = 0;
    for (size_t m = 0; m < mesh_count(); m++)
        corners += number(item("accessors", number(primitive(m), "indices")), "count");
    assert_in_range(corners / 3, 45000, 60000);
}

static void file_has_all_shapes_by_name(void **state)
{
    (void)state;
    static const char *const some[] = {"jawOpen",       "mouthClose", "eyeBlinkLeft",
                                       "eyeBlinkRight", "tongueUp",   "tongueOut"};
    int with_shapes = 0;
    for (size_t m = 0; m < mesh_count(); m++) {
        size_t targets = json_array_size(json_object_get(primitive(m), "targets"));
        if (targets == 0)
            continue;
        with_shapes++;
        json_t *names =
            json_object_get(json_object_get(item("meshes", (json_int_t)m), "extras"), "targetNames");
        assert_int_equal(targets, 53);
        assert_int_equal(json_array_size(names), 53);
        for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
            bool found = false;
            for (size_t k = 0; k < 53; k++)
                found |= strcmp(json_string_value(json_array_get(names, k)), some[i]) == 0;
            assert_true(found);
        }
    }
    assert_true(with_shapes >= 5); /* head, brows, lashes, lower teeth, tongue ... */
}

static void vertices_are_finite_unit_and_weighted(void **state)
{
    (void)state;
    for (size_t m = 0; m < mesh_count(); m++) {
        int n, same;
        const float *position = floats(attribute(m, "POSITION"), &n),
                    *normal = floats(attribute(m, "NORMAL"), &same);
        assert_int_equal(n, same);
        const float *tangent = floats(attribute(m, "TANGENT"), &same),
                    *weight = floats(attribute(m, "WEIGHTS_0"), &same);
        for (int i = 0; i < n; i++) {
            float sum = 0;
            for (int k = 0; k < 3; k++)
                assert_true(isfinite(position[i * 3 + k]) && fabsf(position[i * 3 + k]) < 2.2f);
            assert_float_equal(hypotf(hypotf(normal[i * 3], normal[i * 3 + 1]), normal[i * 3 + 2]), 1, 1e-3);
            assert_float_equal(hypotf(hypotf(tangent[i * 4], tangent[i * 4 + 1]), tangent[i * 4 + 2]), 1,
                               1e-3);
            for (int k = 0; k < 4; k++)
                sum += weight[i * 4 + k];
            assert_float_equal(sum, 1, 1e-4);
        }
    }
}

static void nothing_is_empty(void **state)
{
    (void)state;
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(document, "accessors"), i, value)
        assert_true(number(value, "count") > 0);
    json_array_foreach(json_object_get(document, "bufferViews"), i, value)
        assert_true(number(value, "byteLength") > 0);
}

static void indices_stay_in_range(void **state)
{
    (void)state;
    for (size_t m = 0; m < mesh_count(); m++) {
        json_t *a = item("accessors", number(primitive(m), "indices"));
        const uint16_t *index = view_data(number(a, "bufferView"));
        json_int_t n = number(item("accessors", attribute(m, "POSITION")), "count");
        for (json_int_t i = 0; i < number(a, "count"); i++)
            assert_true(index[i] < n);
    }
}

static void surfaces_are_named(void **state)
{
    (void)state;
    static const char *const wanted[] = {"skin", "eye", "teeth", "mouth", "hair", "cloth", "lash"};
    json_t *materials = json_object_get(document, "materials");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool used = false;
        for (size_t m = 0; m < mesh_count(); m++) {
            json_t *material = json_array_get(materials, (size_t)number(primitive(m), "material"));
            json_t *extras = json_object_get(material, "extras");
            const char *surface = json_string_value(json_object_get(extras, "compere_surface"));
            assert_string_equal(surface, json_string_value(json_object_get(material, "name")));
            assert_true(json_is_true(json_object_get(extras, "compere_occlusion")));
            used |= strcmp(surface, wanted[i]) == 0;
        }
        if (!used)
            fail_msg("nothing is made of %s", wanted[i]);
    }
}

/* Weave and the face's picture: PNG within the file, wrapped round, looked up by the cloth and the skin. */
static void pictures_lie_on_skin_and_cloth(void **state)
{
    (void)state;
    bool skin = false, cloth = false;
    size_t i, n_textures = json_array_size(json_object_get(document, "textures"));
    json_t *image;
    json_array_foreach(json_object_get(document, "images"), i, image)
    {
        assert_string_equal(json_string_value(json_object_get(image, "mimeType")), "image/png");
        assert_memory_equal(view_data(number(image, "bufferView")), "\x89PNG", 4);
    }
    assert_int_equal(n_textures, i);
    for (size_t m = 0; m < mesh_count(); m++) {
        json_t *material = item("materials", number(primitive(m), "material"));
        json_t *texture =
            json_object_get(json_object_get(material, "pbrMetallicRoughness"), "baseColorTexture");
        if (!texture)
            continue;
        assert_in_range(number(texture, "index"), 0, n_textures - 1);
        const char *name = json_string_value(json_object_get(material, "name"));
        skin |= strcmp(name, "skin") == 0;
        cloth |= strcmp(name, "cloth") == 0;
    }
    assert_true(skin && cloth);
}

/* The pose at rest must not move anything: each joint's place times its inverse bind matrix is nothing. */
static void skeleton_rests_where_it_was_bound(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "hips",     "spine",        "chest",        "upperChest", "neck",          "head",     "leftEye",
        "rightEye", "leftUpperArm", "leftLowerArm", "leftHand",   "rightUpperArm", "rightHand"};
    json_t *skin = item("skins", 0), *joints = json_object_get(skin, "joints");
    int n;
    const float *inverse = floats(number(skin, "inverseBindMatrices"), &n);
    assert_int_equal(json_array_size(joints), n);
    float place[64][3] = {{0}};
    for (int j = 0; j < n; j++) { /* parents come first */
        json_t *node = item("nodes", j), *t = json_object_get(node, "translation"), *child;
        size_t i;
        for (int k = 0; k < 3; k++) {
            place[j][k] += (float)json_number_value(json_array_get(t, (size_t)k));
            assert_float_equal(place[j][k] + inverse[j * 16 + 12 + k], 0, 1e-5);
        }
        json_array_foreach(json_object_get(node, "children"), i, child)
            memcpy(place[json_integer_value(child)], place[j], sizeof place[j]);
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool found = false;
        for (int j = 0; j < n; j++)
            found |= strcmp(json_string_value(json_object_get(item("nodes", j), "name")), wanted[i]) == 0;
        if (!found)
            fail_msg("no bone %s", wanted[i]);
    }
    assert_true(place[6][0] > 0);                          /* leftEye is at +x */
    assert_true(place[6][1] > 1.4f && place[6][1] < 1.9f); /* and at a standing person's height */
}

static void sculpting_again_gives_the_same_bytes(void **state)
{
    (void)state;
    char folder[] = "/tmp/cast-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/again.glb", folder);
    pid_t child = fork();
    if (child == 0) {
        execl(sculpt_program, sculpt_program, cast_file, path, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    size_t n;
    uint8_t *again = slurp(path, &n);
    unlink(path);
    rmdir(folder);
    assert_int_equal(n, file_length);
    assert_memory_equal(again, file_bytes, n);
    free(again);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s SCULPT NAME.cast NAME.glb\n", argv[0]);
        return 2;
    }
    sculpt_program = argv[1];
    cast_file = argv[2];
    glb_file = argv[3];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_has_the_triangles_a_frame_can_afford),
        cmocka_unit_test(file_has_all_shapes_by_name),
        cmocka_unit_test(vertices_are_finite_unit_and_weighted),
        cmocka_unit_test(nothing_is_empty),
        cmocka_unit_test(indices_stay_in_range),
        cmocka_unit_test(surfaces_are_named),
        cmocka_unit_test(pictures_lie_on_skin_and_cloth),
        cmocka_unit_test(skeleton_rests_where_it_was_bound),
        cmocka_unit_test(sculpting_again_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
