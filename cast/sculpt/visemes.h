/*
 * How this face speaks: the weights of its shapes for each of the 15 Oculus visemes. What plays the face may
 * use another table; these were set by looking at pictures from the front and from the side.
 */
#ifndef CAST_VISEMES_H
#define CAST_VISEMES_H

#include "media/shapes.h"

#define BOTH_SIDES(name, weight)                                                                             \
    {CP_SHAPE_##name##Left, weight},                                                                         \
    {                                                                                                        \
        CP_SHAPE_##name##Right, weight                                                                       \
    }
#define ONE(name, weight)                                                                                    \
    {                                                                                                        \
        CP_SHAPE_##name, weight                                                                              \
    }

struct viseme_weights {
    const char *viseme;
    struct {
        int shape;
        float weight;
    } shapes[12]; /* ends at shape 0 */
};

/* clang-format off */
static const struct viseme_weights viseme_table[] = {
    {"sil", {{0, 0}}},
    {"PP", {BOTH_SIDES(mouthPress, 0.60f), ONE(mouthRollLower, 0.40f), ONE(mouthRollUpper, 0.30f)}},
    {"FF", {ONE(jawOpen, 0.08f), ONE(mouthRollLower, 0.70f), ONE(mouthShrugLower, 0.20f), BOTH_SIDES(mouthUpperUp, 0.40f)}},
    {"TH", {ONE(jawOpen, 0.20f), ONE(tongueOut, 0.50f), BOTH_SIDES(mouthUpperUp, 0.20f), BOTH_SIDES(mouthLowerDown, 0.30f)}},
    {"DD", {ONE(jawOpen, 0.18f), ONE(tongueUp, 0.70f), BOTH_SIDES(mouthLowerDown, 0.30f), BOTH_SIDES(mouthUpperUp, 0.15f)}},
    {"kk", {ONE(jawOpen, 0.26f), BOTH_SIDES(mouthLowerDown, 0.25f), BOTH_SIDES(mouthStretch, 0.15f), BOTH_SIDES(mouthUpperUp, 0.15f)}},
    {"CH", {ONE(jawOpen, 0.12f), ONE(mouthFunnel, 0.70f), ONE(mouthPucker, 0.15f), BOTH_SIDES(mouthLowerDown, 0.20f)}},
    {"SS", {ONE(jawOpen, 0.06f), BOTH_SIDES(mouthStretch, 0.35f), BOTH_SIDES(mouthSmile, 0.15f), BOTH_SIDES(mouthLowerDown, 0.40f), BOTH_SIDES(mouthUpperUp, 0.25f)}},
    {"nn", {ONE(jawOpen, 0.16f), ONE(tongueUp, 0.90f), BOTH_SIDES(mouthLowerDown, 0.25f), BOTH_SIDES(mouthUpperUp, 0.10f)}},
    {"RR", {ONE(jawOpen, 0.16f), ONE(mouthFunnel, 0.45f), ONE(mouthPucker, 0.35f)}},
    {"aa", {ONE(jawOpen, 0.60f), BOTH_SIDES(mouthLowerDown, 0.20f), BOTH_SIDES(mouthUpperUp, 0.20f), BOTH_SIDES(mouthStretch, 0.10f)}},
    {"E", {ONE(jawOpen, 0.26f), BOTH_SIDES(mouthStretch, 0.40f), BOTH_SIDES(mouthSmile, 0.25f), BOTH_SIDES(mouthUpperUp, 0.30f), BOTH_SIDES(mouthLowerDown, 0.30f)}},
    {"ih", {ONE(jawOpen, 0.20f), BOTH_SIDES(mouthStretch, 0.25f), BOTH_SIDES(mouthSmile, 0.20f), BOTH_SIDES(mouthUpperUp, 0.20f), BOTH_SIDES(mouthLowerDown, 0.25f)}},
    {"oh", {ONE(jawOpen, 0.42f), ONE(mouthFunnel, 0.60f), ONE(mouthPucker, 0.30f)}},
    {"ou", {ONE(jawOpen, 0.16f), ONE(mouthFunnel, 0.35f), ONE(mouthPucker, 0.85f)}},
};
/* clang-format on */
#undef BOTH_SIDES
#undef ONE

#endif
