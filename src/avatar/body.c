/*
 * Head and body: the head moves with the melody (raised with the pitch of the voice), nods a little on
 * stressed words and drifts slowly; the chest
 * breathes 12-18 times a minute, or before each sentence; the weight goes from leg to leg. All of it
 * small: viewers complain of too much motion sooner than of too little.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

#define BEAT_DOWN_S   0.14f
#define BEAT_UP_S     0.26f
#define BEAT_EARLY_S  0.10f /* the nod's lowest point meets the vowel */
#define BEAT_REST_S   0.60f
#define LISTEN_REST_S 2.5f
#define LISTEN_MEAN_S 3.0f /* after that rest */
#define BROW_S        0.55f
#define LIFT_STIFF    11.0f
#define BREATH_STIFF  9.0f  /* a quick breath takes some 0.4 s */
#define BREATH_EMPTY  0.97f /* of a quiet breath */
#define NEXT_BREATH_S 0.30f /* before a sentence's end: the next one's breath is taken */
#define WEIGHT_STIFF  2.2f

enum drift { YAW, PITCH, ROLL, TALK_YAW, TALK_ROLL, SWAY, TWIST, BREATH };

/* A random number of one lattice point, -1 .. 1 (splitmix64). */
static float lattice(uint64_t seed, int64_t at)
{
    struct chance chance = chance_make(seed + (uint64_t)at, 9);
    return chance_between(&chance, -1, 1);
}

/* A slow drift between -1 and 1 that never comes again: three layers of noise (Perlin 1985: smooth between
 * random values) at rates that do not meet. Some hz turns back and forth a second. */
static float drift(const struct body *b, enum drift which, double t_s, double hz)
{
    static const double ratio[3] = {1, 1.618, 2.414};
    static const float share[3] = {0.55f, 0.27f, 0.18f};
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        double at = 2 * t_s * hz * ratio[i] + (double)b->phase[which][i], floor_at = floor(at);
        float t = (float)(at - floor_at);
        uint64_t seed = b->seed + 0x632BE59BD9B4E019u * (uint64_t)(3 * (int)which + i + 1);
        t = t * t * t * (t * (6 * t - 15) + 10);
        sum += share[i] * mixf(lattice(seed, (int64_t)floor_at), lattice(seed, (int64_t)floor_at + 1), t);
    }
    return clampf(1.3f * sum, -1, 1);
}

void body_init(struct body *b, uint64_t seed)
{
    *b = (struct body){.chance = chance_make(seed, 4), .seed = seed, .beat_s = -1};
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 3; k++)
            b->phase[i][k] = chance_unit(&b->chance);
    b->breath = chance_unit(&b->chance);
    b->stand_s = chance_between(&b->chance, 2, 12);
}

/* Means of a new utterance, to tell what is high and loud in it. */
static void hear(struct body *b, const struct cp_utterance *u)
{
    double f0 = 0, level = 0;
    int voiced = 0, sounding = 0;
    b->utterance = u;
    b->mean_log_f0 = b->mean_level = 0;
    if (!u)
        return;
    for (size_t i = 0; i < u->n_prosody; i++) {
        if (u->prosody[i].f0_hz > 40) {
            f0 += logf(u->prosody[i].f0_hz);
            voiced++;
        }
        if (u->prosody[i].level > 0.003f) {
            level += u->prosody[i].level;
            sounding++;
        }
    }
    b->mean_log_f0 = voiced ? (float)(f0 / voiced) : 0;
    b->mean_level = sounding ? (float)(level / sounding) : 0;
}

/* Semitones above the utterance's mean pitch, averaged around a sample; 0 where nothing is voiced. */
static float melody(const struct body *b, const struct cp_utterance *u, int32_t at_samples, int reach)
{
    int middle = at_samples / CP_PROSODY_STEP_SAMPLES, n = 0;
    float sum = 0;
    if (b->mean_log_f0 <= 0)
        return 0;
    for (int i = middle - reach; i <= middle + reach; i++)
        if (i >= 0 && (size_t)i < u->n_prosody && u->prosody[i].f0_hz > 40) {
            sum += logf(u->prosody[i].f0_hz) - b->mean_log_f0;
            n++;
        }
    return n ? clampf(sum / (float)n * 17.3123f, -8, 8) : 0; /* 12 / ln 2 */
}

static float loudness_at(const struct body *b, const struct cp_utterance *u, int32_t at_samples)
{
    size_t i = (size_t)(at_samples < 0 ? 0 : at_samples) / CP_PROSODY_STEP_SAMPLES;
    return b->mean_level > 0 && i < u->n_prosody ? u->prosody[i].level / b->mean_level : 1;
}

float body_prominence(const struct body *b, const struct cp_utterance *u, const struct cp_mark *vowel)
{
    int32_t middle = vowel->at_samples + vowel->length_samples / 2;
    return 0.35f * (vowel->stress >= 2) + 0.08f * melody(b, u, middle, 3) +
           0.3f * (loudness_at(b, u, middle) - 1);
}

/* A stressed vowel that comes up within this step may get a nod, the more prominent the likelier. */
static void look_for_beat(struct body *b, const struct cp_utterance *u, int32_t offset, float dt_s)
{
    int32_t from = offset + (int32_t)(BEAT_EARLY_S * CP_SAMPLE_HZ),
            to = from + (int32_t)(dt_s * CP_SAMPLE_HZ);
    for (size_t i = 0; i < u->n_marks; i++) {
        const struct cp_mark *mark = &u->marks[i];
        if (mark->at_samples >= to)
            break;
        if (mark->type != CP_MARK_VISEME || mark->at_samples < from || mark->viseme < CP_VISEME_AA)
            continue;
        float prominence = body_prominence(b, u, mark);
        if (b->rested_s < BEAT_REST_S || prominence < chance_between(&b->chance, 0.2f, 0.7f))
            continue;
        b->beat_s = b->rested_s = 0;
        b->beat_size = CP_RADIANS(chance_between(&b->chance, 1.3f, 2.3f) + clampf(prominence, 0, 0.8f));
        b->brow_size = chance_unit(&b->chance) < 0.4f ? chance_between(&b->chance, 0.12f, 0.3f) : 0;
    }
}

/* Who listens nods now and then. */
static void nod_along(struct body *b, float dt_s)
{
    if (b->rested_s < LISTEN_REST_S || chance_unit(&b->chance) > dt_s / LISTEN_MEAN_S)
        return;
    b->beat_s = b->rested_s = 0;
    b->beat_size = CP_RADIANS(chance_between(&b->chance, 2, 3.5f));
    b->brow_size = 0.1f;
}

static void step_beat(struct body *b, float dt_s)
{
    b->rested_s += dt_s;
    b->brow = 0;
    if (b->beat_s < 0)
        return;
    b->beat_s += dt_s;
    float down = smooth_step(0, BEAT_DOWN_S, b->beat_s),
          up = smooth_step(BEAT_DOWN_S, BEAT_DOWN_S + BEAT_UP_S, b->beat_s);
    b->head[1] += b->beat_size * down * (1 - up);
    b->brow = b->brow_size * smooth_step(0, 0.15f, b->beat_s) * (1 - smooth_step(0.25f, BROW_S, b->beat_s));
    if (b->beat_s > BROW_S)
        b->beat_s = -1;
}

/* How full the lungs should be. At rest in for 40 % of a breath and out for the rest; who speaks breathes in
 * quickly before a sentence and lets it out while the sentence lasts. */
static float wanted_air(struct body *b, const struct cp_moment *moment, double t_s, float dt_s)
{
    const struct cp_utterance *u = moment->utterance;
    if (u) {
        float left_s = (float)(u->n_samples - moment->offset_samples) / CP_SAMPLE_HZ,
              all_s = (float)u->n_samples / CP_SAMPLE_HZ;
        b->breath = BREATH_EMPTY; /* after the last word a quiet breath begins */
        if (left_s < NEXT_BREATH_S && !u->last)
            return 1;
        return all_s > 0 ? mixf(0.2f, 1, clampf(left_s / all_s, 0, 1)) : 1;
    }
    float a_minute = 14.5f + 1.5f * drift(b, BREATH, t_s, 0.02) + b->speaking;
    b->breath += dt_s * a_minute / 60;
    b->breath -= floorf(b->breath);
    return b->breath < 0.4f ? smooth_step(0, 0.4f, b->breath) : 1 - smooth_step(0.4f, 1, b->breath);
}

static void step_breath(struct body *b, const struct cp_moment *moment, double t_s, float dt_s)
{
    float goal = wanted_air(b, moment, t_s, dt_s), decay = expf(-BREATH_STIFF * dt_s), off = b->air - goal,
          push = (b->air_speed + BREATH_STIFF * off) * dt_s;
    b->air = goal + (off + push) * decay;
    b->air_speed = (b->air_speed - BREATH_STIFF * push) * decay;
    b->chest_pitch = CP_RADIANS(-0.9f) * b->air;
    b->shoulders = 0.14f * b->air;
    b->shift[1] = 0.0008f * b->air;
}

/* People stand on one leg, and after some time on the other; speakers move more often. */
static void step_weight(struct body *b, float dt_s)
{
    b->stand_s -= dt_s * (1 + 0.5f * b->speaking);
    if (b->stand_s <= 0) {
        float side = b->weight.goal[0] > 0 ? -1 : 1;
        b->weight.goal[0] = side * chance_between(&b->chance, 0.25f, 1);
        b->weight.goal[1] = chance_between(&b->chance, -1, 1);
        b->stand_s = 4 + chance_exponential(&b->chance, 9);
    }
    follower_step(&b->weight, WEIGHT_STIFF, dt_s);
}

void body_step(struct body *b, const struct cp_moment *moment, float dt_s)
{
    const struct cp_utterance *u = moment->utterance;
    double t_s = (double)moment->at_samples / CP_SAMPLE_HZ;
    /* Memory is used again: the next sentence may lie where the last one did. Its time starts over, though.
     */
    if (u != b->utterance || moment->offset_samples < b->last_offset)
        hear(b, u);
    b->last_offset = u ? moment->offset_samples : 0;
    b->speaking += ((u ? 1.0f : 0.0f) - b->speaking) * (1 - expf(-4 * dt_s));
    float goal = u ? CP_RADIANS(0.5f) * melody(b, u, moment->offset_samples, 12) : 0;
    float off = b->lift - goal, push = (b->lift_speed + LIFT_STIFF * off) * dt_s,
          decay = expf(-LIFT_STIFF * dt_s);
    b->lift = goal + (off + push) * decay;
    b->lift_speed = (b->lift_speed - LIFT_STIFF * push) * decay;

    b->head[0] = CP_RADIANS(0.9f) * drift(b, YAW, t_s, 0.09) +
                 CP_RADIANS(2.3f) * b->speaking * drift(b, TALK_YAW, t_s, 0.23);
    b->head[1] =
        CP_RADIANS(0.9f) * drift(b, PITCH, t_s, 0.11) - clampf(b->lift, CP_RADIANS(-2), CP_RADIANS(2.5f));
    b->head[2] = CP_RADIANS(0.7f) * drift(b, ROLL, t_s, 0.07) +
                 CP_RADIANS(1.6f) * b->speaking * drift(b, TALK_ROLL, t_s, 0.17);
    if (u)
        look_for_beat(b, u, moment->offset_samples, dt_s);
    else if (moment->attention == CP_ATTENTION_LISTENING)
        nod_along(b, dt_s);
    step_beat(b, dt_s);

    step_weight(b, dt_s);
    float sway = 0.5f * drift(b, SWAY, t_s, 0.05) + b->weight.at[0];
    b->spine[0] = CP_RADIANS(0.8f) * drift(b, TWIST, t_s, 0.045) + CP_RADIANS(0.6f) * b->weight.at[1];
    b->spine[1] = 0;
    b->spine[2] = CP_RADIANS(-0.75f) * sway;
    b->shift[0] = 0.010f * sway;
    b->head[2] += CP_RADIANS(0.4f) * sway; /* the head stays level */
    step_breath(b, moment, t_s, dt_s);
}
