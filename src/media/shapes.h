/*
 * Face shapes by ARKit's 52 names (Apple, ARFaceAnchor.BlendShapeLocation), plus two that the mouth needs and
 * ARKit lacks. The order is alphabetical as in Apple's documentation.
 */
#ifndef CP_MEDIA_SHAPES_H
#define CP_MEDIA_SHAPES_H

/* clang-format off */
#define CP_SHAPES(X) \
    X(browDownLeft) X(browDownRight) X(browInnerUp) X(browOuterUpLeft) X(browOuterUpRight) \
    X(cheekPuff) X(cheekSquintLeft) X(cheekSquintRight) X(eyeBlinkLeft) X(eyeBlinkRight) \
    X(eyeLookDownLeft) X(eyeLookDownRight) X(eyeLookInLeft) X(eyeLookInRight) X(eyeLookOutLeft) \
    X(eyeLookOutRight) X(eyeLookUpLeft) X(eyeLookUpRight) X(eyeSquintLeft) X(eyeSquintRight) \
    X(eyeWideLeft) X(eyeWideRight) X(jawForward) X(jawLeft) X(jawOpen) X(jawRight) X(mouthClose) \
    X(mouthDimpleLeft) X(mouthDimpleRight) X(mouthFrownLeft) X(mouthFrownRight) X(mouthFunnel) \
    X(mouthLeft) X(mouthLowerDownLeft) X(mouthLowerDownRight) X(mouthPressLeft) X(mouthPressRight) \
    X(mouthPucker) X(mouthRight) X(mouthRollLower) X(mouthRollUpper) X(mouthShrugLower) \
    X(mouthShrugUpper) X(mouthSmileLeft) X(mouthSmileRight) X(mouthStretchLeft) \
    X(mouthStretchRight) X(mouthUpperUpLeft) X(mouthUpperUpRight) X(noseSneerLeft) \
    X(noseSneerRight) X(tongueOut) X(tongueUp)
/* clang-format on */

enum cp_shape {
    CP_SHAPE_UNSET,
#define X(name) CP_SHAPE_##name,
    CP_SHAPES(X)
#undef X
        CP_SHAPE_COUNT,
};

/* ARKit's name; "" for CP_SHAPE_UNSET. */
const char *cp_shape_name(enum cp_shape shape);
enum cp_shape cp_shape_from_name(const char *name); /* CP_SHAPE_UNSET for an unknown name */

#endif
