/*
 * Beats: the small strokes of the hands by which speakers mark what they stress (McNeill 1992). A hand comes
 * up from rest before a stressed word, strokes down on its vowel, waits for the next, and sinks back when
 * nothing more is stressed: preparation, stroke, hold, retraction (Kendon 2004). The stroke falls on the
 * stressed syllable or a little before it, never behind (Leonard and Cummins 2011).
 *
 * Beats only ask for places of the arms when no gesture does, and give way to one at once.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

#define LEAD_S     0.42f /* a stressed vowel is seen so long before it comes */
#define UP_S       0.22f
#define STROKE_S   0.18f /* its end meets the vowel: the arm itself is some 0.1 s late */
#define SETTLE_S   0.50f
#define APART_S    0.62f /* between two strokes at least */
#define QUIET_S    0.45f /* silence between two sentences in which hands stay up */
#define LOWER_S    1.10f
#define RECRUIT    0.62f          /* prominence at which the other hand joins */
#define HOLD       ARM_POSE_COUNT /* a step that waits */
#define OTHER_HAND 0.80f          /* of two hands one leads */

/* How readily somebody so moved lifts the hands, and how far they stroke. */
static const struct {
    float ready, size;
} LIVELY[CP_EMOTION_COUNT] = {
    [CP_EMOTION_NEUTRAL] = {0.55f, 0.70f},   [CP_EMOTION_WARM] = {0.70f, 0.85f},
    [CP_EMOTION_HAPPY] = {0.95f, 1.05f},     [CP_EMOTION_SERIOUS] = {0.50f, 0.80f},
    [CP_EMOTION_SURPRISED] = {0.80f, 1.00f}, [CP_EMOTION_SAD] = {0.15f, 0.35f},
    [CP_EMOTION_THINKING] = {0.25f, 0.45f},
};

void beats_init(struct beats *b, uint64_t seed)
{
    *b = (struct beats){.chance = chance_make(seed, 7), .since_s = APART_S, .quiet_s = QUIET_S};
    b->wait_s = chance_between(&b->chance, 0, 1.5f);
}

/* Adds a step to an arm's plan. */
static void plan(struct beat_plan *p, enum arm_pose pose, float amount, float lasts_s)
{
    if (p->n < BEAT_STEPS)
        p->step[p->n++] = (struct beat_step){pose, amount, lasts_s};
}

/* What an arm was going to do, it does not; it starts anew from where its goal is. */
static void forget(struct beat_plan *p)
{
    p->n = p->at = 0;
    p->into_s = 0;
    p->begun = false;
}

/* Hands sink to where they rest: while talking goes on, before the body or hanging; else hanging. */
static void lower(struct beats *b, float lasts_s, bool talking, float ready)
{
    enum arm_pose rest = talking && chance_unit(&b->chance) < 0.45f ? ARM_TALK_REST : ARM_REST;
    for (int side = 0; side < 2; side++) {
        struct beat_plan *p = &b->plan[side];
        if (p->place == rest)
            continue;
        forget(p);
        plan(p, rest, 1, side == 1 ? lasts_s : 1.12f * lasts_s);
        p->place = rest;
    }
    b->up = false;
    b->wait_s = chance_between(&b->chance, 0.5f, 2.5f) / ready;
}

/* One arm's stroke, which ends LEAD_S from now. */
static void stroke(struct beat_plan *p, bool open, float size, float late_s)
{
    forget(p);
    if (p->place != ARM_TALK) {
        plan(p, ARM_TALK_UP, 0.6f * size, LEAD_S - STROKE_S + late_s);
    } else {
        plan(p, HOLD, 0, LEAD_S - UP_S - STROKE_S + late_s);
        plan(p, ARM_TALK_UP, size, UP_S);
    }
    plan(p, open ? ARM_TALK_OPEN : ARM_TALK_DOWN, size, STROKE_S);
    plan(p, ARM_TALK, 0, SETTLE_S);
    p->place = ARM_TALK;
}

static void beat(struct beats *b, float prominence, float size)
{
    enum { LEFT = 1, RIGHT = 2 };
    if (!b->up) {
        float draw = chance_unit(&b->chance);
        b->hands = draw < 0.45f ? RIGHT : draw < 0.65f ? LEFT : LEFT | RIGHT;
        b->left = 2 + (int)(4 * chance_unit(&b->chance));
    } else if (prominence > RECRUIT) {
        b->hands = LEFT | RIGHT;
    }
    bool open = prominence > 0.5f && chance_unit(&b->chance) < 0.6f;
    int leads = b->hands == LEFT ? 0 : 1;
    size *= chance_between(&b->chance, 0.75f, 1.05f);
    for (int side = 0; side < 2; side++)
        if (b->hands >> side & 1)
            stroke(&b->plan[side], open, side == leads ? size : OTHER_HAND * size, side == leads ? 0 : 0.05f);
    b->up = true;
    b->since_s = 0;
    b->stay_s = --b->left > 0 ? chance_between(&b->chance, 1.5f, 3) : chance_between(&b->chance, 1, 1.5f);
}

/* A stressed vowel that comes up within this step, and how prominent it is; 0 for none. */
static float coming(const struct body *body, const struct cp_utterance *u, int32_t offset, float dt_s)
{
    int32_t from = offset + (int32_t)(LEAD_S * CP_SAMPLE_HZ), to = from + (int32_t)(dt_s * CP_SAMPLE_HZ);
    float most = 0;
    for (size_t i = 0; i < u->n_marks && u->marks[i].at_samples < to; i++) {
        const struct cp_mark *mark = &u->marks[i];
        if (mark->type == CP_MARK_VISEME && mark->at_samples >= from && mark->viseme >= CP_VISEME_AA &&
            mark->stress >= 2)
            most = fmaxf(most, body_prominence(body, u, mark));
    }
    return most;
}

static void run_plan(struct beat_plan *p, struct arm *arm, float dt_s)
{
    p->into_s += dt_s;
    while (p->at < p->n) {
        const struct beat_step *step = &p->step[p->at];
        if (!p->begun)
            p->from = arm->goal;
        p->begun = true;
        if (step->pose != HOLD) {
            struct limb to;
            const struct limb *home = &arm->pose[step->pose == ARM_REST ? ARM_REST : ARM_TALK];
            limb_mix(home, &arm->pose[step->pose], step->amount, &to);
            limb_mix(&p->from, &to, smooth_step(0, step->lasts_s, p->into_s), &arm->goal);
        }
        if (p->into_s < step->lasts_s)
            return;
        p->into_s -= step->lasts_s;
        p->at++;
        p->begun = false;
    }
    p->into_s = 0;
}

static bool rests_in_front(const struct beats *b)
{
    return b->plan[0].place == ARM_TALK_REST || b->plan[1].place == ARM_TALK_REST;
}

void beats_step(struct beats *b, struct arm arm[2], const struct body *body, const struct cp_moment *moment,
                bool free, float dt_s)
{
    const struct cp_utterance *u = moment->gain > 0.5f ? moment->utterance : NULL;
    enum cp_emotion feels = moment->emotion > CP_EMOTION_UNSET && moment->emotion < CP_EMOTION_COUNT
                                ? moment->emotion
                                : CP_EMOTION_NEUTRAL;
    float much = clampf(moment->emotion_intensity, 0, 1);
    float ready = mixf(LIVELY[CP_EMOTION_NEUTRAL].ready, LIVELY[feels].ready, much),
          size = mixf(LIVELY[CP_EMOTION_NEUTRAL].size, LIVELY[feels].size, much);
    if (!free) { /* a gesture has the arms, and leaves them hanging */
        for (int side = 0; side < 2; side++) {
            forget(&b->plan[side]);
            b->plan[side].place = ARM_REST;
        }
        b->up = false;
        b->wait_s = 0.4f;
        return;
    }
    b->since_s += dt_s;
    b->wait_s -= dt_s;
    b->quiet_s = u ? 0 : b->quiet_s + dt_s;
    float prominence = u ? coming(body, u, moment->offset_samples, dt_s) : 0;
    if (prominence > 0 && b->since_s >= APART_S && prominence > chance_between(&b->chance, 0.15f, 0.60f) &&
        (b->up ? b->left > 0 : b->wait_s <= 0))
        beat(b, prominence, size);
    else if (b->up && (b->since_s > b->stay_s || b->quiet_s > QUIET_S))
        lower(b, LOWER_S, u != NULL, ready);
    else if (!b->up && b->quiet_s > 2 * QUIET_S && rests_in_front(b))
        lower(b, 1.3f * LOWER_S, false, ready);
    for (int side = 0; side < 2; side++)
        if (arm[side].whole)
            run_plan(&b->plan[side], &arm[side], dt_s);
}
