/* The skeleton is VRM's, and skin and cloth follow it without tearing. */
#include "sculpt/bake.h"
#include "sculpt/hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct character character;
static struct sculpture sculpture;
static struct skeleton skeleton;
static struct weights *weights[32]; /* of each part */

static int setup(void **state)
{
    (void)state;
    character_defaults(&character);
    skeleton_make(&character, &skeleton);
    sculpt_presenter(&sculpture, &character);
    for (int k = 0; k < sculpture.n_parts; k++) {
        struct part *part = &sculpture.parts[k];
        if (part->rig != RIG_BODY || part->n_indices == 0)
            continue;
        part_simplify(part, &character);
        weights[k] = calloc((size_t)part->n_vertices, sizeof *weights[k]);
        for (int i = 0; i < part->n_vertices; i++)
            weights[k][i] = skin_weights(&character, part->rig, part->vertices[i].position);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int k = 0; k < sculpture.n_parts; k++)
        free(weights[k]);
    sculpture_free(&sculpture);
    return 0;
}

static int find_joint(const char *name)
{
    for (int j = 0; j < JOINT_COUNT; j++)
        if (strcmp(skeleton.joints[j].name, name) == 0)
            return j;
    return -1;
}

static void every_bone_of_vrm_is_there_but_the_jaw(void **state)
{
    (void)state;
    static const char *const names[] = {
#define X(symbol, name) name,
        CP_BONES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(find_joint(names[i]) >= 0, strcmp(names[i], "jaw") != 0);
    assert_int_equal(sizeof names / sizeof *names, JOINT_COUNT + 1);
}

static void parents_come_first_and_sides_mirror_each_other(void **state)
{
    (void)state;
    assert_int_equal(skeleton.joints[0].parent, -1);
    for (int j = 1; j < JOINT_COUNT; j++) {
        const struct joint *joint = &skeleton.joints[j];
        assert_in_range(joint->parent, 0, j - 1);
        if (strncmp(joint->name, "left", 4) != 0)
            continue;
        char other[40];
        snprintf(other, sizeof other, "right%s", joint->name + 4);
        int right = find_joint(other);
        assert_true(right >= 0);
        assert_true(length(sub(mirror(joint->position), skeleton.joints[right].position)) < 1e-4f);
    }
    assert_string_equal(skeleton.joints[skeleton.joints[find_joint("leftIndexProximal")].parent].name,
                        "leftHand");
    assert_string_equal(skeleton.joints[skeleton.joints[find_joint("rightToes")].parent].name, "rightFoot");
}

/* 0 thumb .. 4 little, -1 for no finger's bone. */
static int finger_of(const char *name)
{
    static const char *const words[] = {"Thumb", "Index", "Middle", "Ring", "Little"};
    for (int f = 0; f < 5; f++)
        if (strstr(name, words[f]))
            return f;
    return -1;
}

static void no_vertex_follows_two_fingers(void **state)
{
    (void)state;
    int owned[2][5] = {{0}};
    for (int k = 0; k < sculpture.n_parts; k++)
        for (int i = 0; weights[k] && i < sculpture.parts[k].n_vertices; i++) {
            int finger = -1;
            float sum = 0;
            bool right = sculpture.parts[k].vertices[i].position.x < 0;
            for (int n = 0; n < 4; n++) {
                float weight = weights[k][i].weight[n];
                const char *name = skeleton.joints[weights[k][i].joint[n]].name;
                sum += weight;
                if (weight == 0 || finger_of(name) < 0)
                    continue;
                assert_true(finger < 0 || finger == finger_of(name));
                assert_int_equal(strncmp(name, "right", 5) == 0, right);
                finger = finger_of(name);
            }
            assert_float_equal(sum, 1, 1e-5);
            if (finger >= 0)
                owned[right][finger]++;
        }
    for (int right = 0; right < 2; right++)
        for (int f = 0; f < 5; f++)
            assert_true(owned[right][f] > 60);
}

/* Where a vertex goes when one joint turns: it and all that hangs on it. */
static vec3 bent(int k, int i, int joint, vec3 axis, float angle)
{
    vec3 p = sculpture.parts[k].vertices[i].position, pivot = skeleton.joints[joint].position,
         to = v3(0, 0, 0);
    vec3 q = sub(p, pivot);
    float c = cosf(angle), s = sinf(angle);
    vec3 turned = add(add(scale(q, c), scale(cross(axis, q), s)), scale(axis, dot(axis, q) * (1 - c)));
    turned = add(turned, pivot);
    for (int n = 0; n < 4; n++) {
        int above = weights[k][i].joint[n];
        while (above >= 0 && above != joint)
            above = skeleton.joints[above].parent;
        to = along(to, above == joint ? turned : p, weights[k][i].weight[n]);
    }
    return to;
}

/* By how much the worst edge of a body part grows, edges shorter than 2 mm counted as 2 mm. */
static float worst_stretch(const char *name, vec3 axis, float degrees)
{
    int joint = find_joint(name);
    float worst = 0;
    assert_true(joint >= 0);
    for (int k = 0; k < sculpture.n_parts; k++)
        for (int i = 0; weights[k] && i < sculpture.parts[k].n_indices; i++) {
            const struct part *part = &sculpture.parts[k];
            int a = (int)part->indices[i], b = (int)part->indices[i - i % 3 + (i + 1) % 3];
            float before = length(sub(part->vertices[a].position, part->vertices[b].position));
            vec3 pa = bent(k, a, joint, axis, radians(degrees)),
                 pb = bent(k, b, joint, axis, radians(degrees));
            worst = maxf(worst, length(sub(pa, pb)) / maxf(before, 0.2f));
        }
    return worst;
}

static void bending_a_joint_to_its_limit_tears_nothing(void **state)
{
    (void)state;
    const vec3 x = v3(1, 0, 0), y = v3(0, 1, 0), z = v3(0, 0, 1);
    const vec3 elbow = unit(sub(arm_to_rest(&character, x), arm_to_rest(&character, v3(0, 0, 0))));
    const struct {
        const char *joint;
        vec3 axis;
        float from, to, bound;
    } limits[] = {
        /* webs of the fingers give most */
        {"leftIndexProximal", z, -90, 20, 5.0f},
        {"leftIndexIntermediate", z, -105, 0, 3.6f},
        {"leftIndexDistal", z, -70, 0, 3.6f},
        {"leftMiddleProximal", z, -90, 20, 5.0f},
        {"leftMiddleIntermediate", z, -105, 0, 3.6f},
        {"leftRingProximal", z, -90, 20, 5.0f},
        {"leftLittleProximal", z, -90, 20, 5.0f},
        {"rightLittleProximal", z, -20, 90, 5.0f},
        {"leftThumbMetacarpal", y, -35, 35, 3.6f},
        {"leftThumbProximal", x, -10, 50, 3.6f},
        {"leftThumbDistal", x, -10, 70, 3.6f},
        {"leftHand", z, -70, 60, 3.6f},
        {"leftHand", elbow, -60, 60, 3.6f},
        {"leftLowerArm", elbow, -130, 0, 3.6f},
        {"leftUpperArm", z, -32, 60, 3.6f},
        {"leftUpperArm", y, -70, 25, 3.6f},
        {"leftUpperArm", x, -80, 30, 3.6f},
        {"leftLowerLeg", x, 0, 90, 3.6f},
        {"leftUpperLeg", x, -60, 15, 3.6f},
        {"spine", z, -20, 20, 3.6f},
        {"chest", x, -15, 25, 3.6f},
        {"leftFoot", x, -25, 35, 3.6f},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (int end = 0; end < 2; end++) {
            float by = worst_stretch(limits[i].joint, limits[i].axis, end ? limits[i].to : limits[i].from);
            if (by > limits[i].bound)
                fail_msg("%s at limit %d: an edge grows %.2f times", limits[i].joint, end, (double)by);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bone_of_vrm_is_there_but_the_jaw),
        cmocka_unit_test(parents_come_first_and_sides_mirror_each_other),
        cmocka_unit_test(no_vertex_follows_two_fingers),
        cmocka_unit_test(bending_a_joint_to_its_limit_tears_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
