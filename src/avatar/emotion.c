/* Feelings as sets of ARKit shapes, and where the head goes with them. */
#include "avatar/acting.h"
#include "avatar/transform.h"

#define BLEND_S 0.40f

/* One entry for each side. */
#define BOTH(name, weight)                                                                                   \
    {CP_SHAPE_##name##Left, weight},                                                                         \
    {                                                                                                        \
        CP_SHAPE_##name##Right, weight                                                                       \
    }
#define ONE(name, weight)                                                                                    \
    {                                                                                                        \
        CP_SHAPE_##name, weight                                                                              \
    }

static const struct {
    float head_deg[3]; /* yaw, pitch (down), roll */
    struct {
        enum cp_shape shape;
        float weight;
    } set[16];
} FACE[CP_EMOTION_COUNT] = {
    [CP_EMOTION_NEUTRAL] = {{0, 0, 0},
                            {BOTH(mouthSmile, 0.18f), BOTH(eyeSquint, 0.06f), ONE(browInnerUp, 0.08f)}},
    [CP_EMOTION_WARM] = {{0, 0, 1.5f},
                         {BOTH(mouthSmile, 0.34f), BOTH(cheekSquint, 0.16f), BOTH(eyeSquint, 0.12f),
                          BOTH(mouthDimple, 0.06f), ONE(browInnerUp, 0.14f)}},
    [CP_EMOTION_HAPPY] = {{0, -1, 1},
                          {BOTH(mouthSmile, 0.62f), BOTH(cheekSquint, 0.42f), BOTH(eyeSquint, 0.18f),
                           BOTH(mouthUpperUp, 0.16f), BOTH(mouthDimple, 0.10f), BOTH(browOuterUp, 0.15f),
                           ONE(browInnerUp, 0.12f)}},
    [CP_EMOTION_SERIOUS] = {{0, 1.5f, 0},
                            {BOTH(browDown, 0.34f), BOTH(eyeSquint, 0.10f), BOTH(mouthPress, 0.14f),
                             BOTH(mouthFrown, 0.06f)}},
    [CP_EMOTION_SURPRISED] = {{0, -2.5f, 0},
                              {ONE(browInnerUp, 0.70f), BOTH(browOuterUp, 0.60f), BOTH(eyeWide, 0.55f),
                               ONE(jawOpen, 0.16f), ONE(mouthFunnel, 0.10f)}},
    [CP_EMOTION_SAD] = {{0, 4, 2},
                        {ONE(browInnerUp, 0.55f), BOTH(browDown, 0.08f), BOTH(mouthFrown, 0.38f),
                         ONE(mouthShrugLower, 0.14f), BOTH(eyeSquint, 0.10f)}},
    [CP_EMOTION_THINKING] = {{2.5f, -1, 2.5f},
                             {ONE(browDownLeft, 0.22f), ONE(browOuterUpRight, 0.28f), ONE(browInnerUp, 0.10f),
                              BOTH(eyeSquint, 0.14f), BOTH(mouthPress, 0.22f), ONE(mouthLeft, 0.10f)}},
};

#undef BOTH
#undef ONE

static void add_face(enum cp_emotion emotion, float weight, float *shape, float *head)
{
    for (int i = 0; i < 3; i++)
        head[i] += CP_RADIANS(FACE[emotion].head_deg[i]) * weight;
    for (int i = 0; FACE[emotion].set[i].shape != CP_SHAPE_UNSET; i++)
        shape[FACE[emotion].set[i].shape] += FACE[emotion].set[i].weight * weight;
}

static const enum cp_shape RIGHT[] = {CP_SHAPE_browDownRight,    CP_SHAPE_browOuterUpRight,
                                      CP_SHAPE_cheekSquintRight, CP_SHAPE_eyeSquintRight,
                                      CP_SHAPE_mouthDimpleRight, CP_SHAPE_mouthFrownRight,
                                      CP_SHAPE_mouthSmileRight,  CP_SHAPE_mouthUpperUpRight};

/* Faces are never quite even: the right side of pairs comes a little weaker (or stronger). */
static void make_uneven(float *shape, float uneven)
{
    for (size_t i = 0; i < sizeof RIGHT / sizeof *RIGHT; i++)
        shape[RIGHT[i]] *= 1 - uneven;
}

void feeling_init(struct feeling *feeling, uint64_t seed)
{
    struct chance chance = chance_make(seed, 1);
    *feeling = (struct feeling){.since_s = 2 * BLEND_S, .emotion = CP_EMOTION_NEUTRAL, .intensity = 1};
    feeling->uneven = chance_between(&chance, 0.05f, 0.12f) * (chance_unit(&chance) < 0.5f ? -1 : 1);
    feeling->late_s = chance_between(&chance, -0.07f, 0.07f);
    add_face(CP_EMOTION_NEUTRAL, 1, feeling->to, feeling->head_to);
    make_uneven(feeling->to, feeling->uneven);
    memcpy(feeling->from, feeling->to, sizeof feeling->to);
    memcpy(feeling->shape, feeling->to, sizeof feeling->to);
}

void feeling_step(struct feeling *feeling, enum cp_emotion emotion, float intensity, float dt_s)
{
    if (emotion <= CP_EMOTION_UNSET || emotion >= CP_EMOTION_COUNT)
        emotion = CP_EMOTION_NEUTRAL;
    intensity = intensity > 0 ? fminf(intensity, 1) : 0; /* NaN is 0 */
    if (emotion == CP_EMOTION_NEUTRAL)
        intensity = 1;
    if (emotion != feeling->emotion || intensity != feeling->intensity) {
        feeling->emotion = emotion;
        feeling->intensity = intensity;
        feeling->since_s = 0;
        memcpy(feeling->from, feeling->shape, sizeof feeling->from);
        memcpy(feeling->head_from, feeling->head, sizeof feeling->head);
        memset(feeling->to, 0, sizeof feeling->to);
        memset(feeling->head_to, 0, sizeof feeling->head_to);
        add_face(emotion, intensity, feeling->to, feeling->head_to);
        if (emotion != CP_EMOTION_NEUTRAL)
            add_face(CP_EMOTION_NEUTRAL, 1 - intensity, feeling->to, feeling->head_to);
        make_uneven(feeling->to, feeling->uneven);
    }
    feeling->since_s += dt_s;
    float t = smooth_step(0, BLEND_S, feeling->since_s);
    for (int s = 0; s < CP_SHAPE_COUNT; s++)
        feeling->shape[s] = mixf(feeling->from[s], feeling->to[s], t);
    /* nor do both sides move at once: each left shape stands before its right one */
    int late = feeling->late_s < 0 ? -1 : 0;
    t = smooth_step(0, BLEND_S, feeling->since_s - fabsf(feeling->late_s));
    for (size_t i = 0; i < sizeof RIGHT / sizeof *RIGHT; i++) {
        int shape = (int)RIGHT[i] + late;
        feeling->shape[shape] = mixf(feeling->from[shape], feeling->to[shape], t);
    }
    for (int i = 0; i < 3; i++) /* the head takes its time */
        feeling->head[i] =
            mixf(feeling->head_from[i], feeling->head_to[i], smooth_step(0, 2 * BLEND_S, feeling->since_s));
}
