/* Loudness and true peak after ITU-R BS.1770-4, and the gain that respects both. */
#include "base/error.h"
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* BS.1770-4 tables 1 and 2: the K-weighting at 48 kHz, as b0 b1 b2 a1 a2. */
static const double SHELF[5] = {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241,
                                0.73248077421585};
static const double HIGH_PASS[5] = {1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621};

enum { BLOCK = CP_SAMPLE_HZ * 4 / 10, STEP = BLOCK / 4 };

static double to_lufs(double mean_square)
{
    return mean_square > 0 ? -0.691 + 10 * log10(mean_square) : -INFINITY;
}

/* Sums of squares of the K-weighted sound, one for each 100 ms. */
static void weigh(const float *samples, size_t n, double *sums)
{
    double s1 = 0, s2 = 0, h1 = 0, h2 = 0; /* transposed direct form II */
    for (size_t from = 0; from < n; from += STEP) {
        size_t to = from + STEP < n ? from + STEP : n;
        double sum = 0;
        for (size_t i = from; i < to; i++) {
            double x = samples[i];
            double y = SHELF[0] * x + s1;
            s1 = SHELF[1] * x - SHELF[3] * y + s2;
            s2 = SHELF[2] * x - SHELF[4] * y;
            double z = HIGH_PASS[0] * y + h1;
            h1 = HIGH_PASS[1] * y - HIGH_PASS[3] * z + h2;
            h2 = HIGH_PASS[2] * y - HIGH_PASS[4] * z;
            sum += z * z;
        }
        sums[from / STEP] = sum;
    }
}

/* Mean square of the blocks louder than the gate. */
static double gated_mean(const double *sums, size_t n_blocks, double gate_lufs)
{
    double total = 0;
    size_t count = 0;
    for (size_t i = 0; i < n_blocks; i++) {
        double mean = (sums[i] + sums[i + 1] + sums[i + 2] + sums[i + 3]) / BLOCK;
        if (to_lufs(mean) <= gate_lufs)
            continue;
        total += mean;
        count++;
    }
    return count ? total / (double)count : 0;
}

double cp_loudness_lufs(const float *samples, size_t n)
{
    double *sums = calloc(n / STEP + 1, sizeof *sums);
    if (!sums || !n) {
        free(sums);
        return -INFINITY;
    }
    weigh(samples, n, sums);
    double result;
    if (n < BLOCK) {
        double total = 0;
        for (size_t i = 0; i <= n / STEP; i++)
            total += sums[i];
        result = to_lufs(total / (double)n);
    } else {
        size_t n_blocks = (n - BLOCK) / STEP + 1;
        double loud = to_lufs(gated_mean(sums, n_blocks, -70));
        result = to_lufs(gated_mean(sums, n_blocks, loud - 10));
    }
    free(sums);
    return result;
}

/* --- true peak --- */

enum { PEAK_HALF = 6, PEAK_TAPS = 2 * PEAK_HALF, PEAK_PHASES = 4 };

/* A 4-phase interpolator of 12 taps a phase, as annex 2 asks: windowed sinc. */
static void peak_filter(float filter[PEAK_PHASES][PEAK_TAPS])
{
    for (int phase = 0; phase < PEAK_PHASES; phase++) {
        double sum = 0;
        for (int tap = 0; tap < PEAK_TAPS; tap++) {
            double t = (double)(tap - PEAK_HALF + 1) - (double)phase / PEAK_PHASES;
            double window = 0.5 + 0.5 * cos(M_PI * t / PEAK_HALF);
            double value = t == 0 ? 1 : window * sin(M_PI * t) / (M_PI * t);
            filter[phase][tap] = (float)value;
            sum += value;
        }
        for (int tap = 0; tap < PEAK_TAPS; tap++)
            filter[phase][tap] /= (float)sum;
    }
}

/* The largest value from sample i up to the next one. Near a sample, values between are at most about twice
 * as high; so the filter only runs where that could matter. */
static float peak_at(const float *samples, size_t n, size_t i, float filter[PEAK_PHASES][PEAK_TAPS])
{
    float peak = fabsf(samples[i]);
    float window[PEAK_TAPS];
    for (int tap = 0; tap < PEAK_TAPS; tap++) {
        ptrdiff_t at = (ptrdiff_t)i + tap - PEAK_HALF + 1;
        window[tap] = at >= 0 && at < (ptrdiff_t)n ? samples[at] : 0;
    }
    for (int phase = 1; phase < PEAK_PHASES; phase++)
        peak = fmaxf(peak, fabsf(cp_dot(window, filter[phase], PEAK_TAPS)));
    return peak;
}

float cp_true_peak(const float *samples, size_t n)
{
    float filter[PEAK_PHASES][PEAK_TAPS];
    peak_filter(filter);
    float peak = 0;
    for (size_t i = 0; i < n; i++)
        if (fabsf(samples[i]) > peak * 0.5f)
            peak = fmaxf(peak, peak_at(samples, n, i, filter));
    return peak;
}

/* --- limiting --- */

enum { REACH = CP_SAMPLE_HZ * 3 / 1000 }; /* the gain starts to dip 3 ms before a peak */

/* out[i] = the least of in[i - REACH .. i + REACH], by a queue of falling candidates. */
static void sliding_minimum(const float *in, size_t n, float *out, size_t *queue)
{
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < n + REACH; i++) {
        if (i < n) {
            while (tail > head && in[queue[tail - 1]] >= in[i])
                tail--;
            queue[tail++] = i;
        }
        if (i < REACH)
            continue;
        size_t middle = i - REACH;
        while (queue[head] + REACH < middle)
            head++;
        out[middle] = in[queue[head]];
    }
}

/* A mean over the same reach: smooth, and never above what the minimum allows at the peak itself. */
static void sliding_mean(const float *in, size_t n, float *out)
{
    double sum = 0;
    if (!n)
        return;
    for (ptrdiff_t i = -REACH; i < REACH; i++)
        sum += in[i < 0 ? 0 : i < (ptrdiff_t)n ? i : (ptrdiff_t)n - 1];
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++) {
        ptrdiff_t in_at = i + REACH, out_at = i - REACH;
        sum += in[in_at < (ptrdiff_t)n ? in_at : (ptrdiff_t)n - 1];
        out[i] = (float)(sum / (2 * REACH + 1));
        sum -= in[out_at < 0 ? 0 : out_at];
    }
}

/* needed: the gain at each sample, 1 nearly everywhere: only the stretches around peaks are worked on. */
static void dip_at_peaks(float *samples, size_t n, float *needed, float *least, size_t *queue)
{
    for (size_t i = 0; i < n;) {
        if (needed[i] >= 1) {
            i++;
            continue;
        }
        size_t last = i, from = i > 2 * REACH ? i - 2 * REACH : 0;
        for (size_t j = i; j < n && j <= last + 4 * REACH; j++)
            if (needed[j] < 1)
                last = j;
        size_t to = last + 2 * REACH + 1 < n ? last + 2 * REACH + 1 : n;
        sliding_minimum(needed + from, to - from, least, queue);
        sliding_mean(least, to - from, needed + from);
        for (size_t j = from; j < to; j++)
            samples[j] *= needed[j];
        i = to;
    }
}

int cp_apply_gain(float *samples, size_t n, const float *gains, float ceiling)
{
    bool loud = false;
    for (size_t i = 0; i < n; i++) {
        samples[i] *= gains[i];
        loud |= fabsf(samples[i]) > ceiling * 0.5f;
    }
    if (!loud)
        return 0;
    float *needed = calloc(2 * n, sizeof *needed);
    size_t *queue = malloc((n + 1) * sizeof *queue);
    if (!needed || !queue) {
        free(needed);
        free(queue);
        return CP_ERR_NOMEM;
    }
    float filter[PEAK_PHASES][PEAK_TAPS];
    peak_filter(filter);
    float *least = needed + n;
    bool over = false;
    for (size_t i = 0; i < n; i++) {
        float peak = fabsf(samples[i]) > ceiling * 0.5f ? peak_at(samples, n, i, filter) : 0;
        needed[i] = peak > ceiling ? ceiling / peak : 1;
        over |= peak > ceiling;
    }
    if (over)
        dip_at_peaks(samples, n, needed, least, queue);
    free(needed);
    free(queue);
    return 0;
}

/* --- 16 bit --- */

void cp_to_16_bit(const float *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++) { /* not fminf() and lrintf(), which are calls */
        float x = in[i] < -1 ? -32767 : in[i] > 1 ? 32767 : in[i] * 32767;
        out[i] = (int16_t)(x + (x < 0 ? -0.5f : 0.5f));
    }
}
