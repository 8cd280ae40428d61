/*
 * Blinking: 17 a minute at rest and 26 while talking (Bentivoglio et al. 1997), intervals log-normal, one in
 * seven double. The lids close in 50 ms, stay shut, and open in 100 ms.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

#define RATE_REST     17.0f
#define RATE_SPEAKING 26.0f
#define CLOSE_S       0.05f
#define OPEN_S        0.10f
#define DOUBLE_SHARE  0.15f
#define DOUBLE_GAP_S  0.09f
#define MEAN_BLINK_S  0.24f
#define SIGMA         0.6f

static void draw_wait(struct blinker *b)
{
    /* One in seven comes as a pair, so pairs and singles start less often than blinks happen. */
    float period = 60 * (1 + DOUBLE_SHARE) / b->rate;
    b->wait_s = fmaxf(chance_log_normal(&b->chance, period - MEAN_BLINK_S, SIGMA), 0.35f);
}

static void start(struct blinker *b)
{
    b->into_s = 0;
    b->hold_s = chance_between(&b->chance, 0.05f, 0.12f);
}

void blinker_init(struct blinker *b, uint64_t seed)
{
    *b = (struct blinker){.chance = chance_make(seed, 2), .rate = RATE_REST, .into_s = -1};
    draw_wait(b);
    b->wait_s *= chance_unit(&b->chance); /* as if one looked in at any time */
}

void blinker_step(struct blinker *b, bool speaking, float gaze_shift_deg, float dt_s)
{
    float rate = speaking ? RATE_SPEAKING : RATE_REST;
    if (rate != b->rate) {
        b->wait_s *= b->rate / rate;
        b->rate = rate;
    }
    if (b->into_s < 0) {
        b->wait_s -= dt_s;
        /* A large gaze shift brings a blink forward that would have come soon anyway. */
        bool with_gaze = gaze_shift_deg > 6 && b->wait_s < 1.2f;
        if (b->wait_s <= 0 || with_gaze) {
            if (!b->again) {
                b->again = chance_unit(&b->chance) < DOUBLE_SHARE;
                start(b);
                if (!b->again)
                    draw_wait(b);
                else
                    b->wait_s = DOUBLE_GAP_S;
            } else {
                b->again = false;
                start(b);
                draw_wait(b);
            }
        }
    } else {
        b->into_s += dt_s;
        if (b->into_s > CLOSE_S + b->hold_s + OPEN_S)
            b->into_s = -1;
    }
    b->closed = 0;
    if (b->into_s >= 0)
        b->closed = smooth_step(0, CLOSE_S, b->into_s + dt_s / 2) *
                    (1 - smooth_step(CLOSE_S + b->hold_s, CLOSE_S + b->hold_s + OPEN_S, b->into_s));
}
