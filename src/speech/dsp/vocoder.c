#include "speech/dsp/vocoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STAGES = 5, /* of the Pade approximation, one a lane */
    LANES = 8,
    POINTS = 64, /* of the spectrum, for its energy */
    MAX_PULSES = 64,
    MOST_HZ = 700, /* so that no more pulses than that fall into the filters */
};
#define INLINE static inline __attribute__((always_inline)) /* into both versions of advance() */
#pragma GCC diagnostic ignored "-Wpsabi"                    /* vectors are passed in this file only */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* Coefficients of the approximation of exp(x) by x's powers over those of -x (SPTK reference manual,
 * "mlsadf"). */
static const lanes PADE = {0.49993910f, 0.1107098f, 0.01369984f, 0.0009564853f, 0.00003041721f};
static const lanes BACK = {1, -1, 1, -1, 1}; /* signs of what goes back to the input */

INLINE lanes all(float x)
{
    return (lanes){x, x, x, x, x, x, x, x};
}

INLINE lanes load(const float *from)
{
    lanes x;
    memcpy(&x, from, sizeof x);
    return x;
}

INLINE float sum(const lanes *x)
{
    return (((*x)[0] + (*x)[1]) + ((*x)[2] + (*x)[3])) + (*x)[4]; /* the stages; other lanes are 0 */
}

/* What each stage reads: the one before, and the first one `x`. */
INLINE lanes pass_on(const lanes *out, float x)
{
    return (lanes){x, (*out)[0], (*out)[1], (*out)[2], (*out)[3]};
}

struct pulse {
    int at; /* samples from the frame's first */
    float height;
};

struct vocoder {
    const struct cp_vocoder_setup *setup;
    float b[CP_VOCODER_MAX_ORDER + 1], step[CP_VOCODER_MAX_ORDER + 1]; /* of the filter, and their change */
    /* the part of b[1], then that of the others */
    lanes delay_1, out_1, delay[CP_VOCODER_MAX_ORDER + 2], out;
    float in_1, in;

    double period, phase; /* samples; 0: no pitch */
    uint32_t chance;
    struct pulse pulses[MAX_PULSES];
    int n_pulses;
    float
        noise[CP_VOCODER_MAX_TAPS + CP_VOCODER_MAX_SAMPLES + LANES]; /* the last of the frame before first */
    float source[CP_VOCODER_MAX_SAMPLES + LANES];
    float cosine[CP_VOCODER_MAX_ORDER + 1][POINTS]; /* of the warped frequencies' multiples */
};

bool cp_vocoder_fits(const struct cp_vocoder_setup *setup)
{
    return setup->order >= 2 && setup->order <= CP_VOCODER_MAX_ORDER && setup->frame_samples >= 1 &&
           setup->frame_samples <= CP_VOCODER_MAX_SAMPLES && setup->n_bands >= 1 && setup->n_taps >= 1 &&
           setup->n_taps <= CP_VOCODER_MAX_TAPS && setup->hz > 0 && fabs(setup->warp) < 1;
}

static void make_cosines(struct vocoder *v)
{
    const double a = v->setup->warp;
    for (int n = 0; n < POINTS; n++) {
        double w = M_PI * (n + 0.5) / POINTS, warped = w + 2 * atan2(a * sin(w), 1 - a * cos(w));
        for (int k = 0; k <= v->setup->order; k++)
            v->cosine[k][n] = (float)cos(k * warped);
    }
}

/* The mean power of the filter with the coefficients b. */
INLINE double power_of(const struct vocoder *v, const float *b)
{
    const int order = v->setup->order;
    const float a = (float)v->setup->warp;
    float c[CP_VOCODER_MAX_ORDER + 1];
    c[order] = b[order];
    for (int k = order - 1; k >= 0; k--) /* back to the mel-cepstrum */
        c[k] = b[k] + a * b[k + 1];
    double power = 0;
    for (int n = 0; n < POINTS; n += LANES) {
        lanes log_gain = all(0);
        for (int k = 0; k <= order; k++)
            log_gain += all(c[k]) * load(&v->cosine[k][n]);
        for (int i = 0; i < LANES; i++)
            power += (double)expf(2 * log_gain[i]);
    }
    return power / POINTS;
}

/* The mel-cepstrum as the filter's coefficients, its formants made crisper. */
INLINE void make_filter(const struct vocoder *v, const float *c, float *b)
{
    const int order = v->setup->order;
    const float a = (float)v->setup->warp, crisp = (float)v->setup->crisp;
    b[order] = c[order];
    for (int k = order - 1; k >= 0; k--)
        b[k] = c[k] - a * b[k + 1];
    if (crisp <= 0)
        return;
    double before = power_of(v, b);
    b[1] -= crisp * a * b[2];
    for (int k = 2; k <= order; k++)
        b[k] *= 1 + crisp;
    b[0] += 0.5f * (float)log(before / power_of(v, b));
}

/* The frame's pulses join those whose echo may reach into it. */
static void place_pulses(struct vocoder *v, double next_period)
{
    const int n = v->setup->frame_samples;
    const double step = next_period > 0 && v->period > 0 ? (next_period - v->period) / n : 0;
    int kept = 0;
    for (int i = 0; i < v->n_pulses; i++) {
        v->pulses[i].at -= n;
        if (v->pulses[i].at > -v->setup->n_taps)
            v->pulses[kept++] = v->pulses[i];
    }
    v->n_pulses = kept;
    if (!(next_period > 0) || !(v->period > 0)) { /* a voice that begins waits for the next frame */
        v->phase = next_period - 1;
        return;
    }
    for (int t = 0; t < n; t++, v->period += step) {
        if ((v->phase += 1) < v->period)
            continue;
        v->phase -= v->period;
        if (v->n_pulses < MAX_PULSES)
            v->pulses[v->n_pulses++] = (struct pulse){t, (float)sqrt(v->period)};
    }
}

/* Pulses and noise, each through the bands' filters in the share that is voiced and that is not. */
INLINE void make_source(struct vocoder *v, const float *voiced)
{
    const struct cp_vocoder_setup *s = v->setup;
    const int n = s->frame_samples;
    float of_pulse[CP_VOCODER_MAX_TAPS] = {0}, of_noise[CP_VOCODER_MAX_TAPS] = {0};
    for (int band = 0; band < s->n_bands; band++)
        for (int k = 0; k < s->n_taps; k++) {
            of_pulse[k] += voiced[band] * (float)s->bands[band][k];
            of_noise[k] += (1 - voiced[band]) * (float)s->bands[band][k];
        }
    float *noise = v->noise + CP_VOCODER_MAX_TAPS;
    memmove(v->noise, v->noise + n, CP_VOCODER_MAX_TAPS * sizeof *v->noise);
    for (int t = 0; t < n; t++) {
        v->chance ^= v->chance << 13; /* xorshift, Marsaglia 2003 */
        v->chance ^= v->chance >> 17;
        v->chance ^= v->chance << 5;
        noise[t] = v->chance & 0x10000 ? 1 : -1;
    }
    for (int t = 0; t < n; t += LANES) {
        lanes x = all(0);
        for (int k = 0; k < s->n_taps; k++)
            x += all(of_noise[k]) * load(noise + t - k);
        memcpy(v->source + t, &x, sizeof x);
    }
    for (int i = 0; i < v->n_pulses; i++) {
        const struct pulse *p = &v->pulses[i];
        for (int k = p->at < 0 ? -p->at : 0; k < s->n_taps && p->at + k < n; k++)
            v->source[p->at + k] += of_pulse[k] * p->height;
    }
}

/* The filter's share of the first coefficient. */
INLINE float filter_first(struct vocoder *v, float x)
{
    const float a = (float)v->setup->warp;
    v->delay_1 = pass_on(&v->out_1, v->in_1) * all(1 - a * a) + v->delay_1 * all(a);
    v->out_1 = v->delay_1 * all(v->b[1]);
    lanes weighed = v->out_1 * PADE, back = weighed * BACK;
    v->in_1 = x + sum(&back);
    return v->in_1 + sum(&weighed);
}

/* That of the others: each stage is a chain of all-passes. */
INLINE float filter_others(struct vocoder *v, float x)
{
    const int order = v->setup->order;
    const lanes a = all((float)v->setup->warp);
    lanes before = pass_on(&v->out, v->in) * (all(1) - a * a) + v->delay[1] * a, out = all(0);
    lanes here = v->delay[2];
    v->delay[1] = before;
    for (int i = 2; i <= order; i++) {
        lanes next = v->delay[i + 1], now = here + a * next - a * before;
        out += now * all(v->b[i]);
        v->delay[i] = before;
        before = now;
        here = next;
    }
    v->delay[order + 1] = before;
    v->out = out;
    lanes weighed = out * PADE, back = weighed * BACK;
    v->in = x + sum(&back);
    return v->in + sum(&weighed);
}

INLINE void speak_frame(struct vocoder *v, int16_t *pcm)
{
    const int n = v->setup->frame_samples, order = v->setup->order;
    float gain = expf(v->b[0]) * (float)v->setup->gain;
    const float gain_step = expf(v->step[0]);
    for (int t = 0; t < n; t++) {
        float x = filter_others(v, filter_first(v, v->source[t] * gain));
        pcm[t] = (int16_t)fminf(fmaxf(x, INT16_MIN), INT16_MAX);
        gain *= gain_step;
        for (int k = 1; k <= order; k++)
            v->b[k] += v->step[k];
    }
}

static double period_of(const struct cp_vocoder_setup *setup, float pitch_hz)
{
    return pitch_hz > 0 ? setup->hz / fmin((double)pitch_hz, MOST_HZ) : 0;
}

/* From the frame before to this one: `frame` is its pitch and coefficients. The first has none before it. */
INLINE void advance(struct vocoder *v, const float *frame, const float *voiced, int16_t *pcm)
{
    float next[CP_VOCODER_MAX_ORDER + 1];
    const double period = period_of(v->setup, frame[0]);
    make_filter(v, frame + 1, next);
    if (pcm) {
        for (int k = 0; k <= v->setup->order; k++)
            v->step[k] = (next[k] - v->b[k]) / (float)v->setup->frame_samples;
        place_pulses(v, period);
        make_source(v, voiced);
        speak_frame(v, pcm);
    } else {
        v->phase = period - 1; /* a pulse at once */
    }
    v->period = period;
    memcpy(v->b, next, sizeof next);
}

static void advance_any(struct vocoder *v, const float *frame, const float *voiced, int16_t *pcm)
{
    advance(v, frame, voiced, pcm);
}

__attribute__((target("avx2"))) static void advance_avx2(struct vocoder *v, const float *frame,
                                                         const float *voiced, int16_t *pcm)
{
    advance(v, frame, voiced, pcm);
}

int cp_vocode(const struct cp_vocoder_setup *setup, const float *const *frames, const float *const *voiced,
              int n_frames, const atomic_bool *stop, int16_t *pcm)
{
    if (!cp_vocoder_fits(setup))
        return CP_ERR_UNSUPPORTED;
    struct vocoder *v = aligned_alloc(64, (sizeof *v + 63) / 64 * 64);
    if (!v)
        return CP_ERR_NOMEM;
    memset(v, 0, sizeof *v);
    v->setup = setup;
    v->chance = 0x55555555;
    make_cosines(v);
    void (*const step)(struct vocoder *, const float *, const float *, int16_t *) =
        __builtin_cpu_supports("avx2") ? advance_avx2 : advance_any;
    int result = 0;
    for (int f = 0; f < n_frames && !result; f++) {
        step(v, frames[f], voiced[f], f ? pcm + (size_t)(f - 1) * (size_t)setup->frame_samples : NULL);
        result = atomic_load_explicit(stop, memory_order_relaxed) ? CP_ERR_CANCELLED : 0;
    }
    free(v);
    return result;
}
