#include "vrm.h"
#include "character.h"
#include "visemes.h"

#include <string.h>

/* VRM's mouth presets by the viseme that forms them. */
static const char *const mouths[][2] = {{"aa", "aa"}, {"ih", "ih"}, {"ou", "ou"}, {"ee", "E"}, {"oh", "oh"}};

#define BOTH(name, weight)                                                                                   \
    {CP_SHAPE_##name##Left, weight},                                                                         \
    {                                                                                                        \
        CP_SHAPE_##name##Right, weight                                                                       \
    }
enum { BINDS_MAX = 12 };
static const struct {
    const char *name;
    struct {
        int shape;
        float weight;
    } shapes[BINDS_MAX]; /* ends with shape 0 */
} faces[] = {
    {"happy",
     {BOTH(mouthSmile, 0.8f), BOTH(cheekSquint, 0.5f), BOTH(eyeSquint, 0.3f), {CP_SHAPE_browInnerUp, 0.15f}}},
    {"angry",
     {BOTH(browDown, 0.9f), BOTH(eyeSquint, 0.4f), BOTH(mouthPress, 0.4f), BOTH(noseSneer, 0.3f),
      BOTH(mouthFrown, 0.35f)}},
    {"sad",
     {{CP_SHAPE_browInnerUp, 0.8f},
      BOTH(mouthFrown, 0.7f),
      {CP_SHAPE_mouthShrugLower, 0.3f},
      BOTH(eyeSquint, 0.2f)}},
    {"relaxed", {BOTH(mouthSmile, 0.35f), BOTH(eyeSquint, 0.25f), BOTH(eyeBlink, 0.15f)}},
    {"surprised",
     {{CP_SHAPE_browInnerUp, 0.7f}, BOTH(browOuterUp, 0.8f), BOTH(eyeWide, 0.8f), {CP_SHAPE_jawOpen, 0.3f}}},
    {"blink", {BOTH(eyeBlink, 1)}},
    {"blinkLeft", {{CP_SHAPE_eyeBlinkLeft, 1}}},
    {"blinkRight", {{CP_SHAPE_eyeBlinkRight, 1}}},
    {"lookUp", {BOTH(eyeLookUp, 1)}},
    {"lookDown", {BOTH(eyeLookDown, 1)}},
    {"lookLeft", {{CP_SHAPE_eyeLookOutLeft, 1}, {CP_SHAPE_eyeLookInRight, 1}}},
    {"lookRight", {{CP_SHAPE_eyeLookInLeft, 1}, {CP_SHAPE_eyeLookOutRight, 1}}},
};

void vrm_write_rest(struct bytes *json, const struct skeleton *s, int joint)
{
    const char *name = s->joints[joint].name;
    if (strcmp(name, "leftUpperArm") != 0 && strcmp(name, "rightUpperArm") != 0)
        return;
    vec3 arm = sub(s->joints[joint + 1].position, s->joints[joint].position); /* to the elbow */
    float angle = atan2f(-arm.y, fabsf(arm.x)) * (arm.x > 0 ? 0.5f : -0.5f);
    bytes_text(json, ",\"rotation\":[0,0,%.7g,%.7g]", sinf(angle), cosf(angle));
}

/* One bind for each part that the shape moves. */
static void write_binds(struct bytes *json, const struct baked *b, int shape, float weight,
                        const char **before)
{
    for (int k = 0; k < b->n_parts; k++)
        if (b->parts[k].shapes[shape].position) {
            bytes_text(json, "%s{\"node\":%d,\"index\":%d,\"weight\":%g}", *before, JOINT_COUNT + k,
                       shape - 1, weight);
            *before = ",";
        }
}

static void write_mouth(struct bytes *json, const struct baked *b, const char *viseme)
{
    const char *before = "";
    for (size_t v = 0; v < sizeof viseme_table / sizeof *viseme_table; v++)
        for (int i = 0; strcmp(viseme_table[v].viseme, viseme) == 0 && viseme_table[v].shapes[i].shape; i++)
            write_binds(json, b, viseme_table[v].shapes[i].shape, viseme_table[v].shapes[i].weight, &before);
}

static void write_expressions(struct bytes *json, const struct baked *b)
{
    bytes_text(json, "\"expressions\":{\"preset\":{");
    for (size_t f = 0; f < sizeof faces / sizeof *faces; f++) {
        const char *before = "";
        bytes_text(json, "\"%s\":{\"morphTargetBinds\":[", faces[f].name);
        for (int i = 0; i < BINDS_MAX && faces[f].shapes[i].shape; i++)
            write_binds(json, b, faces[f].shapes[i].shape, faces[f].shapes[i].weight, &before);
        bytes_text(json, "]},");
    }
    for (size_t m = 0; m < sizeof mouths / sizeof *mouths; m++) {
        bytes_text(json, "%s\"%s\":{\"morphTargetBinds\":[", m ? "," : "", mouths[m][0]);
        write_mouth(json, b, mouths[m][1]);
        bytes_text(json, "]}");
    }
    bytes_text(json, "}}");
}

void vrm_write_extension(struct bytes *json, const struct baked *b, const struct character *c)
{
    const struct joint *joints = b->skeleton.joints;
    vec3 head = {0}, eye = {0};
    bytes_text(json,
               ",\"extensionsUsed\":[\"VRMC_vrm\"],\"extensions\":{\"VRMC_vrm\":{\"specVersion\":\"1.0\",");
    bytes_text(
        json,
        "\"meta\":{\"name\":\"%s\",\"version\":\"1\",\"authors\":[\"The Compere authors\"],"
        "\"licenseUrl\":\"https://vrm.dev/licenses/1.0/\","
        "\"otherLicenseUrl\":\"https://www.apache.org/licenses/LICENSE-2.0\","
        "\"avatarPermission\":\"everyone\",\"commercialUsage\":\"corporation\",\"allowRedistribution\":true,"
        "\"creditNotation\":\"required\",\"modification\":\"allowModificationRedistribution\"},",
        c->name);
    bytes_text(json, "\"humanoid\":{\"humanBones\":{");
    for (int j = 0; j < JOINT_COUNT; j++) {
        bytes_text(json, "%s\"%s\":{\"node\":%d}", j ? "," : "", joints[j].name, j);
        if (strcmp(joints[j].name, "head") == 0)
            head = joints[j].position;
        if (strcmp(joints[j].name, "leftEye") == 0)
            eye = joints[j].position;
    }
    bytes_text(json, "}},\"lookAt\":{\"type\":\"bone\",\"offsetFromHeadBone\":[0,%.5g,%.5g]",
               (eye.y - head.y) * 0.01f, (eye.z - head.z) * 0.01f);
    static const char *const ways[] = {"HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp"};
    for (int k = 0; k < 4; k++) /* degrees that eyes turn to before the head has to follow */
        bytes_text(json, ",\"rangeMap%s\":{\"inputMaxValue\":90,\"outputScale\":%d}", ways[k],
                   k < 2 ? 12 : 9);
    bytes_text(json, "},");
    write_expressions(json, b);
    bytes_text(json, "}}");
}
