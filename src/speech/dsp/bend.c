/*
 * Another melody for sound that is there: questions that rise where the engine's own melody does not, pitch
 * and range for voices whose engine has neither. Voiced sound is taken apart into its pitch periods and put
 * together again with less or more time between them (TD-PSOLA, Moulines and Charpentier 1990), so its
 * timbre, its length, and with that every mark, stay as they are.
 */
#include "base/error.h"
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    STEP = CP_PROSODY_STEP_SAMPLES,
    RISE_MAX = CP_SAMPLE_HZ * 45 / 100, /* a question's end rises over at most this long */
    EDGE = CP_SAMPLE_HZ * 5 / 1000,     /* old sound goes over into new sound in this time */
    PERIOD_MIN = CP_SAMPLE_HZ / 400,    /* of pitch; the melody finds none beyond */
    UNVOICED = CP_SAMPLE_HZ * 5 / 1000, /* what noise is cut into */
};
#define MOST_RISE 1.68f /* 9 semitones; more would sound like another voice */
#define MOST_BEND 1.6f

/* One pitch period of the sound. */
struct period {
    int32_t at, length; /* its strongest sample; samples to the next one */
    bool voiced;
};

struct bend {
    float *pcm;
    size_t n_steps;
    struct cp_prosody *prosody; /* n_steps */
    float *ratio;               /* of new to own pitch, by step */
    float middle_hz;            /* median pitch; 0: nothing is voiced */
};

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float median_f0_hz(const struct cp_prosody *prosody, size_t n, float *room)
{
    size_t voiced = 0;
    for (size_t i = 0; i < n; i++)
        if (prosody[i].f0_hz > 0)
            room[voiced++] = prosody[i].f0_hz;
    qsort(room, voiced, sizeof *room, by_size);
    return voiced ? room[voiced / 2] : 0;
}

/* CP_ERR_NOMEM, or 0; end_bend() in any case. */
static int begin_bend(struct bend *bend, float *pcm, size_t n)
{
    size_t n_steps = (n + STEP - 1) / STEP;
    *bend = (struct bend){.pcm = pcm, .n_steps = n_steps};
    bend->prosody = calloc(n_steps + 1, sizeof *bend->prosody);
    bend->ratio = calloc(n_steps + 1, sizeof *bend->ratio);
    if (!bend->prosody || !bend->ratio || cp_measure_prosody(pcm, n, bend->prosody))
        return CP_ERR_NOMEM;
    bend->middle_hz = median_f0_hz(bend->prosody, n_steps, bend->ratio);
    for (size_t i = 0; i < n_steps; i++)
        bend->ratio[i] = 1;
    return 0;
}

static void end_bend(struct bend *bend)
{
    free(bend->prosody);
    free(bend->ratio);
}

/* The strongest sample of one sign in [from, to). */
static int32_t strongest(const float *pcm, int32_t from, int32_t to, float sign)
{
    int32_t best = from;
    for (int32_t i = from; i < to; i++)
        if (pcm[i] * sign > pcm[best] * sign)
            best = i;
    return best;
}

/* Cuts [from, to) into periods, one behind the other; at most `most`. */
static int find_periods(const struct bend *bend, int32_t from, int32_t to, struct period *periods, int most)
{
    float low = 0, high = 0;
    for (int32_t i = from; i < to; i++) {
        low = fminf(low, bend->pcm[i]);
        high = fmaxf(high, bend->pcm[i]);
    }
    float sign = -low > high ? -1.0f : 1.0f;
    int n = 0;
    for (int32_t at = from; at < to && n < most;) {
        float f0_hz = bend->prosody[at / STEP].f0_hz;
        bool voiced = f0_hz > 0, follows = n && periods[n - 1].voiced;
        int32_t length = voiced ? (int32_t)lrintf((float)CP_SAMPLE_HZ / f0_hz) : UNVOICED;
        int32_t before = follows ? length / 4 : 0, behind = follows ? length / 4 : length;
        if (voiced && at - before >= from && at + behind < to)
            at = strongest(bend->pcm, at - before, at + behind, sign);
        if (n)
            periods[n - 1].length = at - periods[n - 1].at;
        periods[n++] = (struct period){at, length, voiced};
        at += length;
    }
    return n;
}

/* Adds a period, windowed over itself and the one before, around `at`. */
static void add_period(const float *pcm, const struct period *period, int32_t at, int32_t from, int32_t to,
                       float *sum, float *weight)
{
    int32_t reach = period->length > PERIOD_MIN / 2 ? period->length : PERIOD_MIN / 2;
    for (int32_t i = -reach + 1; i < reach; i++) {
        int32_t source = period->at + i, goal = at + i;
        if (source < from || source >= to || goal < from || goal >= to)
            continue;
        float window = 0.5f + 0.5f * cosf((float)M_PI * (float)i / (float)reach);
        sum[goal - from] += pcm[source] * window;
        weight[goal - from] += window;
    }
}

/* Puts the periods together again at their new distances. */
static void lay_periods(const struct bend *bend, const struct period *periods, int n, int32_t from,
                        int32_t to, float *sum, float *weight)
{
    float at = (float)periods[0].at;
    for (int i = 0; at < (float)to;) {
        while (i + 1 < n && fabsf((float)periods[i + 1].at - at) <= fabsf((float)periods[i].at - at))
            i++;
        const struct period *period = &periods[i];
        float length = fmaxf((float)period->length, PERIOD_MIN / 2);
        if (!period->voiced) /* noise, and the bursts of stops, stay where they are */
            at = fmaxf((float)period->at, at - length / 2);
        add_period(bend->pcm, period, (int32_t)lrintf(at), from, to, sum, weight);
        at += period->voiced ? length / bend->ratio[period->at / STEP] : length;
    }
}

static int resound(const struct bend *bend, int32_t from, int32_t to)
{
    size_t n = (size_t)(to - from);
    int most = (int)(n / (PERIOD_MIN / 2)) + 2;
    struct period *periods = calloc((size_t)most, sizeof *periods);
    float *sum = calloc(2 * n, sizeof *sum), *weight = sum + n;
    int n_periods = periods && sum ? find_periods(bend, from, to, periods, most) : 0;
    int result = periods && sum ? 0 : CP_ERR_NOMEM;
    if (n_periods > 2) {
        lay_periods(bend, periods, n_periods, from, to, sum, weight);
        for (int32_t i = from; i < to; i++) {
            int32_t edge = i - from < to - 1 - i ? i - from : to - 1 - i;
            float share = edge < EDGE ? (float)edge / EDGE : 1, w = weight[i - from];
            if (w > 0.05f)
                bend->pcm[i] += share * (sum[i - from] / w - bend->pcm[i]);
        }
    }
    free(periods);
    free(sum);
    return result;
}

int cp_bend_melody(float *samples, size_t n, float pitch, float range)
{
    struct bend bend;
    int result = begin_bend(&bend, samples, n);
    for (size_t i = 0; !result && i < bend.n_steps; i++) {
        float own_hz = bend.prosody[i].f0_hz;
        if (own_hz > 0)
            bend.ratio[i] =
                fminf(MOST_BEND, fmaxf(1 / MOST_BEND, pitch * powf(own_hz / bend.middle_hz, range - 1)));
    }
    if (!result && bend.middle_hz > 0)
        result = resound(&bend, 0, (int32_t)n);
    end_bend(&bend);
    return result;
}

int cp_raise_end(float *samples, size_t n, int32_t word_start, int32_t word_end, float rise_st)
{
    struct bend bend;
    int result = begin_bend(&bend, samples, n);
    int32_t first = word_start / STEP, last = (word_end < (int32_t)n ? word_end : (int32_t)n) / STEP - 1;
    while (!result && last >= first && bend.prosody[last].f0_hz <= 0)
        last--; /* behind the last voiced sound there is nothing to raise */
    int32_t to = (last + 1) * STEP, from = word_start > to - RISE_MAX ? word_start : to - RISE_MAX;
    if (result || from < 0 || to - from < 6 * EDGE || bend.middle_hz <= 0)
        goto out;
    bool raised = false;
    for (int32_t i = from / STEP; i <= last; i++) {
        float share = (float)(i * STEP - from) / (float)(to - from - 3 * STEP); /* all of it 30 ms before */
        share = fminf(1, fmaxf(0, share));
        float taken = fminf(1, 2.5f * share); /* first the own melody, then the rising one */
        float own_hz = bend.prosody[i].f0_hz;
        float goal_hz = bend.middle_hz * powf(2, rise_st * share / 12);
        if (own_hz > 0)
            bend.ratio[i] = fminf(MOST_RISE, powf(fmaxf(1, goal_hz / own_hz), taken));
        raised |= bend.ratio[i] > 1.03f;
    }
    if (raised)
        result = resound(&bend, from, to);
out:
    end_bend(&bend);
    return result;
}
