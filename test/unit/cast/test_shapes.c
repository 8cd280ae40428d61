#include "sculpt/face.h"
#include "sculpt/head.h"
#include "sculpt/shapes.h"
#include "sculpt/visemes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct character character;
static const char *cast_file;

static int setup(void **state)
{
    (void)state;
    static char text[64 * 1024];
    char wrong[160] = "";
    FILE *file = fopen(cast_file, "rb");
    if (!file)
        fail_msg("cannot read %s", cast_file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    character_defaults(&character);
    if (character_parse(&character, text, wrong, sizeof wrong))
        fail_msg("%s: %s", cast_file, wrong);
    return 0;
}

static int find_shape(const char *name)
{
    for (int s = 1; s < CP_SHAPE_COUNT; s++)
        if (strcmp(shape_name(s), name) == 0)
            return s;
    return 0;
}

/* No shape tears the face: what moves most is the jaw, and neighbours move alike except across the lips. */
static void shapes_are_bounded(void **state)
{
    (void)state;
    for (int s = 1; s < CP_SHAPE_COUNT; s++)
        for (float y = -12; y < 5; y += 0.5f)
            for (float x = -6; x <= 6; x += 0.5f)
                for (float z = 0; z < 10; z += 2) {
                    vec3 p = v3(x, y, z), move = shape_offset(&character, s, RIG_FACE, p, p);
                    assert_true(isfinite(move.x) && isfinite(move.y) && isfinite(move.z));
                    if (length(move) > 4.2f)
                        fail_msg("%s moves %g cm", shape_name(s), (double)length(move));
                }
}

/* Where the front of the face is at (x, y). */
static vec3 on_skin(float x, float y)
{
    vec3 p = v3(x, y, 12);
    for (int i = 0; i < 100; i++)
        p.z -= 0.7f * sd_head(&character, p);
    return p;
}

/* Shapes made for all points at once: sum of weights times offsets, as any player of morph targets does. */
static vec3 posed(vec3 p, const struct viseme_weights *v)
{
    vec3 to = p;
    for (int i = 0; v->shapes[i].shape; i++)
        to = along(to, shape_offset(&character, v->shapes[i].shape, RIG_FACE, p, p), v->shapes[i].weight);
    return to;
}

static const struct viseme_weights *viseme(const char *name)
{
    for (size_t i = 0; i < sizeof viseme_table / sizeof *viseme_table; i++)
        if (strcmp(viseme_table[i].viseme, name) == 0)
            return &viseme_table[i];
    fail_msg("no viseme %s", name);
    return NULL;
}

/* Height of the gap between the lips at x. */
static float gap(const struct viseme_weights *v, float x)
{
    float line = lip_line(&character, x), z = on_skin(x, line + 0.3f).z - 0.1f;
    vec3 upper = posed(v3(x, line + 0.036f, z), v), lower = posed(v3(x, line - 0.036f, z), v);
    return upper.y - lower.y;
}

/* Half the width of the mouth: where the corner goes. */
static float half_width(const struct viseme_weights *v)
{
    float w = character.mouth_width;
    return posed(v3(w, lip_line(&character, w), 7.6f), v).x;
}

static void every_shape_moves_something(void **state)
{
    (void)state;
    for (int s = 1; s < CP_SHAPE_COUNT; s++) {
        float most = 0;
        for (float y = -11; y < 4; y += 0.8f)
            for (float x = -5; x <= 5; x += 0.7f) {
                vec3 skin = on_skin(x, y), inside = v3(x, y, 6.3f);
                most = maxf(most, length(shape_offset(&character, s, RIG_FACE, skin, skin)));
                most = maxf(most, length(shape_offset(&character, s, RIG_TONGUE, inside, inside)));
            }
        if (most < 0.05f)
            fail_msg("%s moves %g cm at most", shape_name(s), (double)most);
    }
}

static void left_and_right_mirror_each_other(void **state)
{
    (void)state;
    int pairs = 0;
    for (int s = 1; s < CP_SHAPE_COUNT; s++) {
        char name[48];
        strcpy(name, shape_name(s));
        char *left = strstr(name, "Left");
        if (!left)
            continue;
        strcpy(left, "Right");
        int other = find_shape(name);
        assert_int_not_equal(other, 0);
        pairs++;
        for (float y = -11; y < 4; y += 1.3f)
            for (float x = -5; x <= 5; x += 0.83f) {
                vec3 p = on_skin(x, y);
                vec3 a = shape_offset(&character, s, RIG_FACE, p, p);
                vec3 b = shape_offset(&character, other, RIG_FACE, mirror(p), mirror(p));
                assert_true(length(sub(mirror(a), b)) < 1e-4f);
            }
    }
    assert_int_equal(pairs, 20);
}

static void left_is_her_own_left(void **state)
{
    (void)state;
    vec3 left_lid = on_skin(character.eye_apart, 1.0f), right_lid = mirror(left_lid);
    int blink = CP_SHAPE_eyeBlinkLeft;
    assert_true(shape_offset(&character, blink, RIG_FACE, left_lid, left_lid).y < -0.3f);
    assert_float_equal(length(shape_offset(&character, blink, RIG_FACE, right_lid, right_lid)), 0, 0);
}

static void mouth_close_shuts_the_open_jaw(void **state)
{
    (void)state;
    const struct viseme_weights open = {"", {{CP_SHAPE_jawOpen, 1}}};
    const struct viseme_weights shut = {"", {{CP_SHAPE_jawOpen, 1}, {CP_SHAPE_mouthClose, 1}}};
    for (float x = -1.9f; x <= 1.9f; x += 0.38f) {
        assert_true(gap(&open, x) > 0.8f);
        assert_true(gap(&shut, x) < 0.12f);
        assert_true(gap(&shut, x) > -0.05f);
    }
    assert_true(gap(&open, 0) > 2);
}

static void bilabials_close_the_lips(void **state)
{
    (void)state;
    for (float x = -1.9f; x <= 1.9f; x += 0.38f)
        assert_true(gap(viseme("PP"), x) < 0.08f);
}

static void open_vowels_open_more_than_close_ones(void **state)
{
    (void)state;
    assert_true(gap(viseme("aa"), 0) > gap(viseme("E"), 0));
    assert_true(gap(viseme("E"), 0) > gap(viseme("SS"), 0));
    assert_true(gap(viseme("oh"), 0) > gap(viseme("ou"), 0));
}

static void rounded_vowels_are_narrow_and_oval(void **state)
{
    (void)state;
    const struct viseme_weights *ou = viseme("ou"), *oh = viseme("oh");
    assert_true(half_width(ou) < 0.6f * character.mouth_width);
    assert_true(half_width(oh) < 0.8f * character.mouth_width);
    assert_true(half_width(viseme("E")) > 1.05f * character.mouth_width);
    /* an oval, not a V: half way to the corner the gap is still most of what it is in the middle */
    assert_true(gap(ou, 1.2f) > 0.55f * gap(ou, 0));
    assert_true(gap(oh, 1.2f) > 0.55f * gap(oh, 0));
    /* and the lips come forward */
    vec3 lip = on_skin(0, MOUTH_Y - 0.4f);
    assert_true(posed(lip, ou).z > lip.z + 0.4f);
}

static void blink_brings_the_lids_together(void **state)
{
    (void)state;
    vec3 eye = eye_center(&character);
    for (float x = -1.2f; x <= 1.2f; x += 0.4f) {
        float r = character.eye_radius + 0.1f, top = lid_top(&character, x),
              bottom = lid_bottom(&character, x);
        vec3 upper = add(eye, v3(x, top, sqrtf(r * r - x * x - top * top)));
        vec3 lower = add(eye, v3(x, bottom, sqrtf(r * r - x * x - bottom * bottom)));
        upper = add(upper, shape_offset(&character, CP_SHAPE_eyeBlinkLeft, RIG_FACE, upper, upper));
        lower = add(lower, shape_offset(&character, CP_SHAPE_eyeBlinkLeft, RIG_FACE, lower, lower));
        assert_true(fabsf(upper.y - lower.y) < 0.15f);
        /* and they stay outside the eyeball */
        assert_true(length(sub(upper, eye)) > character.eye_radius);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s NAME.cast\n", argv[0]);
        return 2;
    }
    cast_file = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_moves_something),
        cmocka_unit_test(shapes_are_bounded),
        cmocka_unit_test(left_and_right_mirror_each_other),
        cmocka_unit_test(left_is_her_own_left),
        cmocka_unit_test(mouth_close_shuts_the_open_jaw),
        cmocka_unit_test(bilabials_close_the_lips),
        cmocka_unit_test(open_vowels_open_more_than_close_ones),
        cmocka_unit_test(rounded_vowels_are_narrow_and_oval),
        cmocka_unit_test(blink_brings_the_lids_together),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
