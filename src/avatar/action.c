/* Plays gestures (gestures.c): when one starts, what it leaves of the one before, and where its keys are. */
#include "avatar/avatar.h"
#include "avatar/gesture.h"
#include "avatar/transform.h"

#include <stdio.h>

#define CARRY_S 0.30f

static const char MARK_PREFIX[] = "action:";

/* Names with '-' and with '_' are the same. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return *a == *b;
}

static float track_value(const struct track *track, float t)
{
    struct key before = {0, 0};
    for (int i = 0; i < GESTURE_MAX_KEYS && track->key[i].at_s > 0; i++) {
        const struct key *after = &track->key[i];
        if (t < after->at_s)
            return mixf(before.value, after->value, smooth_step(before.at_s, after->at_s, t));
        before = *after;
    }
    return before.value;
}

static float gesture_lasts_s(const struct gesture *gesture)
{
    float end = 0;
    for (int i = 0; i < GESTURE_MAX_TRACKS; i++)
        for (int k = 0; k < GESTURE_MAX_KEYS; k++)
            end = fmaxf(end, gesture->track[i].key[k].at_s);
    for (int k = 0; k < GESTURE_MAX_ARM_KEYS; k++)
        end = fmaxf(end, fmaxf(gesture->main[k].at_s, gesture->other[k].at_s));
    return end;
}

/* Where an arm should be: between the poses of its keys; `from` is where it was when the gesture started. */
static void arm_goal_at(const struct arm_key *key, const struct arm *arm, float t, struct limb *ret)
{
    const struct limb *before = &arm->from;
    float before_s = 0;
    if (key->at_s <= 0) { /* not this gesture's: back to rest */
        limb_mix(before, &arm->pose[ARM_REST], smooth_step(0, 2 * CARRY_S, t), ret);
        return;
    }
    for (int i = 0; i < GESTURE_MAX_ARM_KEYS && key[i].at_s > 0; i++) {
        const struct limb *after = &arm->pose[key[i].pose];
        if (t < key[i].at_s) {
            limb_mix(before, after, smooth_step(before_s, key[i].at_s, t), ret);
            return;
        }
        before = after;
        before_s = key[i].at_s;
    }
    *ret = *before;
}

void gesturer_init(struct gesturer *g, const struct rig *rig)
{
    *g = (struct gesturer){.playing = -1};
    arms_init(g->arm, rig);
}

void gesturer_start(struct gesturer *g, const char *action, bool card_left)
{
    for (int i = 0; i < N_GESTURES; i++) {
        const struct gesture *gesture = &GESTURE[i];
        if (!same_name(cp_actor_actions()[i], action))
            continue;
        memcpy(g->carry, g->value, sizeof g->carry);
        g->playing = i;
        g->started = true;
        g->into_s = 0;
        g->main = gesture->arm == GESTURE_LEFT_ARM || (gesture->arm == GESTURE_CARD_ARM && card_left) ? 0 : 1;
        for (int side = 0; side < 2; side++)
            g->arm[side].from = g->arm[side].goal;
        return;
    }
}

void gesturer_hear(struct gesturer *g, const struct cp_utterance *u, int32_t from, int32_t to, bool card_left)
{
    for (size_t i = 0; i < u->n_marks && u->marks[i].at_samples < to; i++) {
        const struct cp_mark *mark = &u->marks[i];
        if (mark->type != CP_MARK_NAMED || mark->at_samples < from)
            continue;
        bool prefixed = !strncmp(mark->name, MARK_PREFIX, sizeof MARK_PREFIX - 1);
        gesturer_start(g, mark->name + (prefixed ? sizeof MARK_PREFIX - 1 : 0), card_left);
    }
}

void gesturer_step(struct gesturer *g, const char *action, bool card_left, float dt_s)
{
    g->started = false;
    if (strncmp(action, g->last_action, sizeof g->last_action)) {
        snprintf(g->last_action, sizeof g->last_action, "%.23s", action);
        gesturer_start(g, g->last_action, card_left);
    }
    memset(g->value, 0, sizeof g->value);
    if (g->playing >= 0) {
        const struct gesture *gesture = &GESTURE[g->playing];
        g->into_s += dt_s;
        for (int i = 0; i < GESTURE_MAX_TRACKS && gesture->track[i].key[0].at_s > 0; i++) {
            const struct track *track = &gesture->track[i];
            float unit = track->channel < GESTURE_SHOULDERS ? CP_RADIANS(1) : 1;
            g->value[track->channel] = unit * track_value(track, g->into_s);
        }
        float left = 1 - smooth_step(0, CARRY_S, g->into_s);
        for (int c = 0; c < GESTURE_COUNT; c++)
            g->value[c] += g->carry[c] * left;
        for (int side = 0; side < 2; side++)
            arm_goal_at(side == g->main ? gesture->main : gesture->other, &g->arm[side], g->into_s,
                        &g->arm[side].goal);
        if (g->into_s > fmaxf(gesture_lasts_s(gesture), 2 * CARRY_S)) {
            g->playing = -1;
            memset(g->carry, 0, sizeof g->carry);
        }
    }
}

void gesturer_move(struct gesturer *g, float dt_s)
{
    for (int side = 0; side < 2; side++)
        arm_step(&g->arm[side], dt_s);
}
