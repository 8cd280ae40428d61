/*
 * Speech on the face: viseme marks -> ARKit shapes.
 *
 * Sounds overlap: each mark reaches out before and after its time with a dominance that falls off smoothly,
 * and where marks overlap a shape is their dominance-weighted mean (after Cohen and Massaro 1993). Jaw, lips,
 * rounding and tongue have strengths of their own, so that a sound made by the tongue leaves the lips to its
 * neighbours. On top stand the rules that viewers notice when they are broken (after JALI, Edwards et al.
 * 2016): bilabials close, labiodentals touch the teeth, sibilants narrow the jaw. Times are from there: onset
 * 120 ms, hold to 75 % of the sound, decay 120 ms, lips protrude 150 ms early. What a language forms in
 * another manner than its viseme says is in phones.c.
 */
#include "avatar/mouth.h"
#include "avatar/acting.h"
#include "avatar/avatar.h"
#include "avatar/transform.h"

#define ONSET_S       0.120f
#define ROUND_ONSET_S 0.150f
#define DECAY_S       0.120f
#define HOLD          0.75f
#define CLOSE_RAMP_S  0.055f
#define REACH_S       0.40f /* marks further away than this cannot matter */

#define BOTH MOUTH_BOTH
#define ONE  MOUTH_ONE

static const struct recipe RECIPE[CP_VISEME_COUNT] = {
    [CP_VISEME_SIL] = {{1, 1, 1, 1}, {{0, 0}}},
    [CP_VISEME_PP] = {{0.6f, 2, 0.2f, 0.1f},
                      {BOTH(mouthPress, 0.60f), ONE(mouthRollLower, 0.40f), ONE(mouthRollUpper, 0.30f)}},
    [CP_VISEME_FF] = {{1, 2, 0.4f, 0.1f},
                      {ONE(jawOpen, 0.08f), ONE(mouthRollLower, 0.70f), ONE(mouthShrugLower, 0.20f),
                       BOTH(mouthUpperUp, 0.40f)}},
    [CP_VISEME_TH] = {{0.7f, 0.6f, 0.2f, 2},
                      {ONE(jawOpen, 0.20f), ONE(tongueOut, 0.50f), BOTH(mouthUpperUp, 0.20f),
                       BOTH(mouthLowerDown, 0.30f)}},
    [CP_VISEME_DD] = {{0.6f, 0.3f, 0.15f, 2},
                      {ONE(jawOpen, 0.18f), ONE(tongueUp, 0.70f), BOTH(mouthLowerDown, 0.30f),
                       BOTH(mouthUpperUp, 0.15f)}},
    [CP_VISEME_KK] = {{0.5f, 0.2f, 0.1f, 0.6f},
                      {ONE(jawOpen, 0.26f), BOTH(mouthLowerDown, 0.25f), BOTH(mouthStretch, 0.15f),
                       BOTH(mouthUpperUp, 0.15f)}},
    [CP_VISEME_CH] = {{1.2f, 1, 1.5f, 0.3f},
                      {ONE(jawOpen, 0.12f), ONE(mouthFunnel, 0.70f), ONE(mouthPucker, 0.15f),
                       BOTH(mouthLowerDown, 0.20f)}},
    [CP_VISEME_SS] = {{1.5f, 0.8f, 0.3f, 0.3f},
                      {ONE(jawOpen, 0.06f), BOTH(mouthStretch, 0.35f), BOTH(mouthSmile, 0.15f),
                       BOTH(mouthLowerDown, 0.40f), BOTH(mouthUpperUp, 0.25f)}},
    [CP_VISEME_NN] = {{0.6f, 0.25f, 0.15f, 2},
                      {ONE(jawOpen, 0.16f), ONE(tongueUp, 0.90f), BOTH(mouthLowerDown, 0.25f),
                       BOTH(mouthUpperUp, 0.10f)}},
    [CP_VISEME_RR] = {{0.6f, 0.4f, 1, 0.6f},
                      {ONE(jawOpen, 0.16f), ONE(mouthFunnel, 0.45f), ONE(mouthPucker, 0.35f)}},
    [CP_VISEME_AA] = {{2, 1, 1, 0.5f},
                      {ONE(jawOpen, 0.60f), BOTH(mouthLowerDown, 0.20f), BOTH(mouthUpperUp, 0.20f),
                       BOTH(mouthStretch, 0.10f)}},
    [CP_VISEME_E] = {{1.5f, 1.2f, 1, 0.5f},
                     {ONE(jawOpen, 0.26f), BOTH(mouthStretch, 0.40f), BOTH(mouthSmile, 0.25f),
                      BOTH(mouthUpperUp, 0.30f), BOTH(mouthLowerDown, 0.30f)}},
    [CP_VISEME_IH] = {{1.3f, 1, 0.8f, 0.5f},
                      {ONE(jawOpen, 0.20f), BOTH(mouthStretch, 0.25f), BOTH(mouthSmile, 0.20f),
                       BOTH(mouthUpperUp, 0.20f), BOTH(mouthLowerDown, 0.25f)}},
    [CP_VISEME_OH] = {{1.8f, 1, 2, 0.5f},
                      {ONE(jawOpen, 0.42f), ONE(mouthFunnel, 0.60f), ONE(mouthPucker, 0.30f)}},
    [CP_VISEME_OU] = {{1.5f, 1, 2.5f, 0.5f},
                      {ONE(jawOpen, 0.16f), ONE(mouthFunnel, 0.35f), ONE(mouthPucker, 0.85f)}},
};

#undef BOTH
#undef ONE

static enum mouth_part part_of(enum cp_shape shape)
{
    switch (shape) {
    case CP_SHAPE_jawOpen:
        return JAW;
    case CP_SHAPE_mouthFunnel:
    case CP_SHAPE_mouthPucker:
        return ROUND;
    case CP_SHAPE_tongueOut:
    case CP_SHAPE_tongueUp:
        return TONGUE;
    default:
        return LIPS;
    }
}

static bool is_vowel(enum cp_viseme viseme)
{
    return viseme >= CP_VISEME_AA && viseme <= CP_VISEME_OU;
}

/* A mark's time, in seconds from the moment that is asked for. */
struct stretch {
    float from, to;
};

/* 1 while the mark holds, falling smoothly before it and after; the third power keeps short sounds apart. */
static float dominance(struct stretch s, float onset_s)
{
    float hold_end = s.from + HOLD * (s.to - s.from), r = 1;
    if (s.from > 0)
        r = 1 - s.from / onset_s;
    else if (hold_end < 0)
        r = 1 + hold_end / DECAY_S;
    float smooth = smooth_step(0, 1, r);
    return smooth * smooth * smooth;
}

/* 1 around the mark's middle, at least over one frame's time, with short ramps: for what must be reached. */
static float around_middle(struct stretch s, float ramp_s)
{
    float middle = (s.from + s.to) / 2, half = fmaxf(0.3f * (s.to - s.from), 0.018f);
    return 1 - smooth_step(half, half + ramp_s, fabsf(middle));
}

/* What all marks near the moment ask for, still apart. */
struct blend {
    float sum[CP_SHAPE_COUNT]; /* strength * dominance * weight */
    float total[N_PARTS];      /* strength * dominance */
    float peak[N_PARTS];       /* the largest dominance: fades in and out at the ends */
    float closure, teeth, sibilant, sibilant_jaw, activity;
};

/* `own`: how the language forms this sound, or NULL for what the viseme says. */
static void blend_mark(struct blend *blend, const struct cp_mark *mark, const struct recipe *own,
                       struct stretch s)
{
    const struct recipe *recipe = own ? own : &RECIPE[mark->viseme];
    float plain = dominance(s, ONSET_S), early = dominance(s, ROUND_ONSET_S);
    float amount = mark->weight > 0 ? clampf(mark->weight, 0, 1) : 1, firm = 1;
    if (mark->viseme == CP_VISEME_SIL) /* a gap between words does not shut the mouth; a pause does */
        firm = smooth_step(0.04f, 0.16f, s.to - s.from);
    else if (is_vowel(mark->viseme))
        amount *= mark->stress >= 2 ? 1.12f : mark->stress == 0 ? 0.88f : 1;
    for (int p = 0; p < N_PARTS; p++) {
        float d = p == ROUND ? early : plain;
        blend->total[p] += firm * recipe->strength[p] * d;
        blend->peak[p] = fmaxf(blend->peak[p], d);
    }
    for (const struct mouth_target *t = recipe->target; t->shape != CP_SHAPE_UNSET; t++) {
        enum mouth_part p = part_of(t->shape);
        blend->sum[t->shape] +=
            firm * recipe->strength[p] * (p == ROUND ? early : plain) * t->weight * amount;
    }
    if (mark->viseme == CP_VISEME_SIL)
        return;
    blend->activity = fmaxf(blend->activity, plain);
    if (mark->viseme == CP_VISEME_PP && !own) /* all rows for lips say that they do not meet */
        blend->closure = fmaxf(blend->closure, around_middle(s, CLOSE_RAMP_S));
    if (mark->viseme == CP_VISEME_FF)
        blend->teeth = fmaxf(blend->teeth, around_middle(s, CLOSE_RAMP_S));
    if (mark->viseme == CP_VISEME_SS || mark->viseme == CP_VISEME_CH) {
        float narrow = around_middle(s, CLOSE_RAMP_S);
        if (narrow > blend->sibilant) {
            blend->sibilant = narrow;
            blend->sibilant_jaw = mark->viseme == CP_VISEME_SS ? 0.10f : 0.16f;
        }
    }
}

/* What the phone under a viseme's mark wants of the mouth in this language. */
static const struct recipe *own_recipe(uint32_t language, const struct cp_mark *phone,
                                       const struct cp_mark *mark)
{
    int32_t middle = mark->at_samples + mark->length_samples / 2;
    bool under = phone && middle >= phone->at_samples && middle < phone->at_samples + phone->length_samples;
    return under ? phone_recipe(language, phone->name, mark->viseme) : NULL;
}

static float level_near(const struct cp_utterance *u, float at_s, float reach_s, bool loudest)
{
    const float step_s = (float)CP_PROSODY_STEP_SAMPLES / CP_SAMPLE_HZ;
    int first = (int)floorf((at_s - reach_s) / step_s), last = (int)ceilf((at_s + reach_s) / step_s), n = 0;
    float sum = 0, most = 0;
    for (int i = first; i <= last; i++, n++) {
        float level = i >= 0 && (size_t)i < u->n_prosody ? u->prosody[i].level : 0;
        sum += level;
        most = fmaxf(most, level);
    }
    return loudest ? most : sum / (float)n;
}

/* How loud the utterance is as a whole: RMS of its sounding parts; 0 when nobody measured. */
static float loudness(const struct cp_utterance *u)
{
    float sum = 0;
    int n = 0;
    for (size_t i = 0; i < u->n_prosody; i++)
        if (u->prosody[i].level > 0.003f) {
            sum += u->prosody[i].level * u->prosody[i].level;
            n++;
        }
    return n ? sqrtf(sum / (float)n) : 0;
}

void mouth_close(float *shapes, float closure)
{
    static const enum cp_shape parting[] = {CP_SHAPE_mouthUpperUpLeft,   CP_SHAPE_mouthUpperUpRight,
                                            CP_SHAPE_mouthLowerDownLeft, CP_SHAPE_mouthLowerDownRight,
                                            CP_SHAPE_mouthFunnel,        CP_SHAPE_tongueOut,
                                            CP_SHAPE_mouthShrugUpper};
    if (closure <= 0)
        return;
    float *jaw = &shapes[CP_SHAPE_jawOpen];
    *jaw *= 1 - 0.8f * closure; /* the jaw rises most of the way, the lips do the rest */
    shapes[CP_SHAPE_mouthClose] = fmaxf(shapes[CP_SHAPE_mouthClose], *jaw * closure);
    for (size_t i = 0; i < sizeof parting / sizeof *parting; i++)
        shapes[parting[i]] *= 1 - closure;
    for (int s = CP_SHAPE_mouthStretchLeft; s <= CP_SHAPE_mouthStretchRight; s++)
        shapes[s] *= 1 - 0.5f * closure;
}

void mouth_at(const struct cp_utterance *u, int32_t offset_samples, struct mouth *ret)
{
    struct blend blend = {0};
    *ret = (struct mouth){0};
    if (!u)
        return;
    float now = (float)offset_samples / CP_SAMPLE_HZ;
    const uint32_t language = phone_language(u->voice);
    const struct cp_mark *phone = NULL; /* the one that a viseme belongs to stands before it */
    for (size_t i = 0; i < u->n_marks; i++) {
        const struct cp_mark *mark = &u->marks[i];
        if (mark->type == CP_MARK_PHONE)
            phone = mark;
        if (mark->type != CP_MARK_VISEME || mark->viseme <= CP_VISEME_UNSET ||
            mark->viseme >= CP_VISEME_COUNT)
            continue;
        struct stretch s = {(float)(mark->at_samples - offset_samples) / CP_SAMPLE_HZ, 0};
        s.to = s.from + (float)mark->length_samples / CP_SAMPLE_HZ;
        if (s.from > REACH_S)
            break;
        if (s.to > -REACH_S)
            blend_mark(&blend, mark, own_recipe(language, phone, mark), s);
    }
    float loud = loudness(u), effort = 1, gate = 1;
    if (loud > 0) {
        effort = clampf(0.55f + 0.5f * sqrtf(level_near(u, now, 0.04f, false) / loud), 0.6f, 1.15f);
        gate = smooth_step(0.02f * loud, 0.06f * loud, level_near(u, now, 0.15f, true));
    }
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++) {
        enum mouth_part p = part_of((enum cp_shape)s);
        if (blend.sum[s] > 0)
            ret->shape[s] = clampf(blend.peak[p] * blend.sum[s] / blend.total[p] * gate, 0, 1);
    }
    float *jaw = &ret->shape[CP_SHAPE_jawOpen];
    *jaw = clampf(*jaw * effort, 0, 1);
    *jaw = mixf(*jaw, fminf(*jaw, blend.sibilant_jaw), blend.sibilant);
    *jaw = mixf(*jaw, fminf(*jaw, 0.12f), blend.teeth);
    ret->closure = blend.closure * gate;
    ret->activity = blend.activity * gate;
    mouth_close(ret->shape, ret->closure);
}

void cp_actor_mouth(const struct cp_utterance *utterance, int32_t offset_samples, float *ret_shapes)
{
    struct mouth mouth;
    mouth_at(utterance, offset_samples, &mouth);
    memcpy(ret_shapes, mouth.shape, sizeof mouth.shape);
}
