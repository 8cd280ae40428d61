/* Named gestures: a few keys on a few channels, eased between. */
#include "avatar/acting.h"
#include "avatar/avatar.h"
#include "avatar/transform.h"

#include <stdio.h>

#define CARRY_S   0.30f
#define MAX_KEYS  10
#define MAX_TRACK 7

struct key {
    float at_s, value;
};

/* Keys start after an implicit 0 at 0 s and end at 0; angles in degrees. */
struct track {
    enum gesture_channel channel;
    struct key key[MAX_KEYS];
};

static const char *const NAME[] = {"nod",     "shake",     "tilt",       "bow",       "shrug",
                                   "lean_in", "look_left", "look_right", "look_down", "brow_raise",
                                   "smile",   "greet",     NULL};

static const struct track GESTURE[][MAX_TRACK] = {
    /* nod */
    {{GESTURE_HEAD_PITCH, {{0.20f, 9}, {0.40f, -2}, {0.60f, 6}, {0.90f, 0}}},
     {GESTURE_BROWS, {{0.25f, 0.2f}, {0.8f, 0}}}},
    /* shake */
    {{GESTURE_HEAD_YAW, {{0.20f, 9}, {0.46f, -10}, {0.72f, 8}, {0.98f, -5}, {1.25f, 0}}}},
    /* tilt */
    {{GESTURE_HEAD_ROLL, {{0.40f, 8}, {1.5f, 8}, {2.1f, 0}}},
     {GESTURE_HEAD_PITCH, {{0.40f, 2}, {1.5f, 2}, {2.1f, 0}}},
     {GESTURE_BROWS, {{0.4f, 0.25f}, {1.4f, 0.2f}, {2.0f, 0}}}},
    /* bow */
    {{GESTURE_SPINE_PITCH, {{0.70f, 13}, {1.20f, 13}, {1.95f, 0}}},
     {GESTURE_HEAD_PITCH, {{0.60f, 12}, {1.25f, 12}, {1.90f, 0}}},
     {GESTURE_GAZE_PITCH, {{0.40f, 18}, {1.35f, 18}, {1.70f, 0}}},
     {GESTURE_SMILE, {{0.6f, 0.25f}, {2.0f, 0.3f}, {2.6f, 0}}}},
    /* shrug */
    {{GESTURE_SHOULDERS, {{0.30f, 1}, {0.85f, 1}, {1.30f, 0}}},
     {GESTURE_HEAD_ROLL, {{0.35f, 5}, {0.90f, 5}, {1.40f, 0}}},
     {GESTURE_BROWS, {{0.25f, 0.5f}, {0.90f, 0.45f}, {1.30f, 0}}},
     {GESTURE_POUT, {{0.30f, 0.4f}, {0.85f, 0.4f}, {1.25f, 0}}}},
    /* lean_in */
    {{GESTURE_SPINE_PITCH, {{0.60f, 6}, {2.30f, 6}, {3.10f, 0}}},
     {GESTURE_HEAD_PITCH, {{0.60f, -4}, {2.30f, -4}, {3.10f, 0}}},
     {GESTURE_BROWS, {{0.5f, 0.2f}, {1.5f, 0.1f}, {2.5f, 0}}}},
    /* look_left */
    {{GESTURE_GAZE_YAW, {{0.08f, 22}, {1.25f, 22}, {1.33f, 0}}},
     {GESTURE_HEAD_YAW, {{0.15f, 0.5f}, {0.55f, 12}, {1.35f, 12}, {1.85f, 0}}}},
    /* look_right */
    {{GESTURE_GAZE_YAW, {{0.08f, -22}, {1.25f, -22}, {1.33f, 0}}},
     {GESTURE_HEAD_YAW, {{0.15f, -0.5f}, {0.55f, -12}, {1.35f, -12}, {1.85f, 0}}}},
    /* look_down: at one's notes */
    {{GESTURE_GAZE_PITCH, {{0.08f, 22}, {1.30f, 22}, {1.38f, 0}}},
     {GESTURE_HEAD_PITCH, {{0.15f, 0.5f}, {0.50f, 9}, {1.35f, 9}, {1.80f, 0}}}},
    /* brow_raise */
    {{GESTURE_BROWS, {{0.18f, 0.6f}, {0.60f, 0.55f}, {1.00f, 0}}},
     {GESTURE_HEAD_PITCH, {{0.25f, -1.5f}, {0.9f, 0}}}},
    /* smile */
    {{GESTURE_SMILE, {{0.45f, 0.5f}, {2.20f, 0.45f}, {3.00f, 0}}}},
    /* greet: a small bow of the head, a smile, and a wave where there is an arm to wave with */
    {{GESTURE_HEAD_PITCH, {{0.35f, 7}, {0.80f, 0}}},
     {GESTURE_HEAD_ROLL, {{0.6f, 3}, {1.8f, 3}, {2.5f, 0}}},
     {GESTURE_SMILE, {{0.50f, 0.5f}, {2.30f, 0.45f}, {3.00f, 0}}},
     {GESTURE_BROWS, {{0.35f, 0.35f}, {0.90f, 0}}},
     {GESTURE_ARM, {{0.60f, 1}, {2.00f, 1}, {2.70f, 0}}},
     {GESTURE_HAND, {{0.55f, 0}, {0.80f, 1}, {1.10f, -1}, {1.40f, 1}, {1.70f, -1}, {2.00f, 0}}}},
};

_Static_assert(sizeof GESTURE / sizeof *GESTURE + 1 == sizeof NAME / sizeof *NAME, "a gesture has no name");

const char *const *cp_actor_actions(void)
{
    return NAME;
}

static float track_value(const struct track *track, float t)
{
    struct key before = {0, 0};
    for (int i = 0; i < MAX_KEYS && track->key[i].at_s > 0; i++) {
        const struct key *after = &track->key[i];
        if (t < after->at_s)
            return mixf(before.value, after->value, smooth_step(before.at_s, after->at_s, t));
        before = *after;
    }
    return before.value;
}

static float gesture_lasts_s(int gesture)
{
    float end = 0;
    for (int i = 0; i < MAX_TRACK; i++)
        for (int k = 0; k < MAX_KEYS; k++)
            end = fmaxf(end, GESTURE[gesture][i].key[k].at_s);
    return end;
}

void gesturer_init(struct gesturer *g)
{
    *g = (struct gesturer){.playing = -1};
}

static void start(struct gesturer *g, const char *action)
{
    for (int i = 0; NAME[i]; i++)
        if (!strcmp(NAME[i], action)) {
            memcpy(g->carry, g->value, sizeof g->carry);
            g->playing = i;
            g->into_s = 0;
        }
}

void gesturer_step(struct gesturer *g, const char *action, float dt_s)
{
    if (strncmp(action, g->last_action, sizeof g->last_action)) {
        snprintf(g->last_action, sizeof g->last_action, "%.23s", action);
        start(g, g->last_action);
    }
    memset(g->value, 0, sizeof g->value);
    if (g->playing < 0)
        return;
    g->into_s += dt_s;
    for (int i = 0; i < MAX_TRACK && GESTURE[g->playing][i].key[0].at_s > 0; i++) {
        const struct track *track = &GESTURE[g->playing][i];
        float unit = track->channel < GESTURE_SHOULDERS ? CP_RADIANS(1) : 1;
        g->value[track->channel] = unit * track_value(track, g->into_s);
    }
    float left = 1 - smooth_step(0, CARRY_S, g->into_s);
    for (int c = 0; c < GESTURE_COUNT; c++)
        g->value[c] += g->carry[c] * left;
    if (g->into_s > fmaxf(gesture_lasts_s(g->playing), CARRY_S)) {
        g->playing = -1;
        memset(g->carry, 0, sizeof g->carry);
    }
}
