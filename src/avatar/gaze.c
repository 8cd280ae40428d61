/*
 * Where the eyes go. While talking people look at the viewer for some 3.1 s and away for 0.9 s; eyes jump
 * (saccades of 21 ms + 2.2 ms a degree: Bahill et al. 1975), 90 % of jumps stay under 15 degrees, the head
 * follows after 70-150 ms and only part of the way, the body later and less.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

#define SACCADE_S      0.021f
#define SACCADE_DEG_S  0.0022f
#define AWAY_MEAN_DEG  6.5f /* exponential: 90 % under 15 */
#define AWAY_LEAST_DEG 3.0f
#define AWAY_MOST_DEG  14.0f
#define HEAD_SHARE     0.35f
#define BODY_SHARE     0.06f
#define HEAD_STIFFNESS 9.0f
#define BODY_STIFFNESS 4.0f

/* At a thing, and between at the viewer. */
#define THING_S  2.4f
#define GLANCE_S 1.2f

/* Shares of a turn to something: eyes reach comfortably to NEAR, beyond it the neck does the most. */
#define NEAR                 CP_RADIANS(40)
#define FOCUS_HEAD           0.55f
#define FAR_HEAD             0.80f
#define FOCUS_BODY           0.10f
#define FAR_BODY             0.25f
#define FOCUS_DOWN           0.42f
#define FOCUS_HEAD_STIFFNESS 7.0f
#define FOCUS_BODY_STIFFNESS 3.5f

static const struct {
    float on_s, away_s;
} MANNER[] = {
    [CP_ATTENTION_UNSET] = {4.5f, 1.1f},    [CP_ATTENTION_IDLE] = {4.5f, 1.1f},
    [CP_ATTENTION_SPEAKING] = {3.1f, 0.9f}, [CP_ATTENTION_LISTENING] = {6.0f, 0.6f},
    [CP_ATTENTION_THINKING] = {0.9f, 2.0f},
};

void follower_step(struct follower *f, float stiffness, float dt_s)
{
    if (f->delay_s > 0) {
        f->delay_s -= dt_s;
        if (f->delay_s <= 0)
            memcpy(f->goal, f->wanted, sizeof f->goal);
    }
    /* Critically damped spring, exact for any step. */
    float decay = expf(-stiffness * dt_s);
    for (int i = 0; i < 2; i++) {
        float off = f->at[i] - f->goal[i], push = (f->speed[i] + stiffness * off) * dt_s;
        f->at[i] = f->goal[i] + (off + push) * decay;
        f->speed[i] = (f->speed[i] - stiffness * push) * decay;
    }
}

static void follow(struct follower *f, const float to[2], float share, float delay_s)
{
    f->wanted[0] = to[0] * share;
    f->wanted[1] = to[1] * share * 0.7f;
    f->delay_s = delay_s;
}

static void jump(struct gaze *g, float yaw, float pitch)
{
    memcpy(g->from, g->at, sizeof g->from);
    g->to[0] = yaw;
    g->to[1] = pitch;
    float deg = hypotf(g->to[0] - g->from[0], g->to[1] - g->from[1]) / CP_RADIANS(1);
    g->into_s = 0;
    g->lasts_s = SACCADE_S + SACCADE_DEG_S * deg;
    g->shift_deg = deg;
}

static void look_away(struct gaze *g)
{
    float deg = AWAY_LEAST_DEG + chance_exponential(&g->chance, AWAY_MEAN_DEG - AWAY_LEAST_DEG);
    float size = CP_RADIANS(fminf(deg, AWAY_MOST_DEG)), side = chance_unit(&g->chance) < 0.5f ? -1 : 1;
    float slope = chance_between(&g->chance, -0.25f, 0.9f); /* mostly to the side and a little down */
    if (g->attention == CP_ATTENTION_THINKING)
        slope = chance_between(&g->chance, -1.0f, -0.2f); /* up, where ideas are */
    g->base[0] = side * size * cosf(slope);
    g->base[1] = size * sinf(slope);
}

/* The next place to look at. */
static void shift(struct gaze *g, bool away)
{
    float mean = g->glances ? (away ? GLANCE_S : THING_S)
                 : away     ? MANNER[g->attention].away_s
                            : MANNER[g->attention].on_s;
    g->away = away;
    g->hold_s = clampf(chance_log_normal(&g->chance, mean, 0.5f), 0.3f, 3 * mean);
    g->micro_s = chance_between(&g->chance, 0.4f, 1.3f);
    if (away && !g->glances)
        look_away(g);
    else
        g->base[0] = g->base[1] = 0;
    jump(g, g->base[0], g->base[1]);
    follow(&g->head, g->base, HEAD_SHARE, chance_between(&g->chance, 0.07f, 0.15f));
    follow(&g->body, g->base, BODY_SHARE, chance_between(&g->chance, 0.17f, 0.38f));
}

void gaze_init(struct gaze *g, uint64_t seed)
{
    *g = (struct gaze){.chance = chance_make(seed, 3), .attention = CP_ATTENTION_IDLE};
    g->hold_s = chance_between(&g->chance, 1.5f, 4);
    g->micro_s = 0.8f;
    g->into_s = g->lasts_s = 1;
}

void gaze_step(struct gaze *g, enum cp_attention attention, float dt_s)
{
    g->shift_deg = 0;
    if (attention < CP_ATTENTION_UNSET || attention > CP_ATTENTION_THINKING)
        attention = CP_ATTENTION_IDLE;
    if (attention != g->attention) {
        g->attention = attention;
        /* Who starts to speak or to listen turns to the viewer; who thinks looks away. */
        if (g->away != (attention == CP_ATTENTION_THINKING))
            g->hold_s = fminf(g->hold_s, chance_between(&g->chance, 0.1f, 0.25f));
    }
    g->hold_s -= dt_s;
    g->micro_s -= dt_s;
    if (g->hold_s <= 0) {
        shift(g, !g->away);
    } else if (g->micro_s <= 0) { /* between the viewer's eyes and mouth; half a degree at a few metres */
        float reach = CP_RADIANS(g->away ? 1.2f : 0.6f);
        g->micro_s = chance_between(&g->chance, 0.4f, 1.5f);
        jump(g, g->base[0] + chance_between(&g->chance, -reach, reach),
             g->base[1] + chance_between(&g->chance, -reach, reach) * 0.7f);
    }
    g->into_s += dt_s;
    float t = smooth_step(0, g->lasts_s, g->into_s);
    for (int i = 0; i < 2; i++)
        g->at[i] = mixf(g->from[i], g->to[i], t);
    follower_step(&g->head, HEAD_STIFFNESS, dt_s);
    follower_step(&g->body, BODY_STIFFNESS, dt_s);
}

void focus_init(struct focus *f, uint64_t seed)
{
    *f = (struct focus){.chance = chance_make(seed, 5), .look = CP_LOOK_UNSET, .lasts_s = 1, .into_s = 1};
}

static float share_of(float angle, float near, float far)
{
    float size = fabsf(angle);
    return copysignf(near * fminf(size, NEAR) + far * fmaxf(size - NEAR, 0), angle);
}

/* Sets where head and body go; at once while nothing new is waited for. */
static void aim(struct follower *f, float yaw, float pitch)
{
    f->wanted[0] = yaw;
    f->wanted[1] = pitch;
    if (f->delay_s <= 0)
        memcpy(f->goal, f->wanted, sizeof f->goal);
}

float focus_step(struct focus *f, enum cp_look look, const float to[3], float dt_s)
{
    bool first = f->look == CP_LOOK_UNSET;
    float deg = 0;
    if (!first && look != f->look) {
        memcpy(f->from, f->at, sizeof f->from);
        deg = hypotf(to[0] - f->at[0], to[1] - f->at[1]) / CP_RADIANS(1);
        f->into_s = 0;
        f->lasts_s = SACCADE_S + SACCADE_DEG_S * deg;
        f->head.delay_s = chance_between(&f->chance, 0.07f, 0.15f);
        f->body.delay_s = chance_between(&f->chance, 0.17f, 0.38f);
    }
    f->look = look;
    memcpy(f->to, to, sizeof f->to);
    f->into_s += dt_s;
    float t = smooth_step(0, f->lasts_s, f->into_s);
    for (int i = 0; i < 3; i++)
        f->at[i] = mixf(f->from[i], f->to[i], t);
    aim(&f->head, share_of(to[0], FOCUS_HEAD, FAR_HEAD), FOCUS_DOWN * to[1]);
    aim(&f->body, share_of(to[0], FOCUS_BODY, FAR_BODY), 0);
    if (first) {
        memcpy(f->head.at, f->head.goal, sizeof f->head.at);
        memcpy(f->body.at, f->body.goal, sizeof f->body.at);
    }
    follower_step(&f->head, FOCUS_HEAD_STIFFNESS, dt_s);
    follower_step(&f->body, FOCUS_BODY_STIFFNESS, dt_s);
    return deg;
}
