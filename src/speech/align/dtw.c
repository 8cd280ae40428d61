#include "speech/align/dtw.h"

#include "base/error.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Half the band's width: never below a second, a fifth of the longer sound, at most six seconds (pauses,
 * which wander most, are shortened before). */
enum { LEAST = 100, MOST = 600, SHARE = 5 };
enum { MAX_FRAMES = 12500 };
enum { DIAGONAL = 1, SOUND_ONLY, REFERENCE_ONLY };
#define STRAIGHT 2.0f
#define ASIDE    1.2f /* dearer than half a diagonal: paths that stand still are rarely right */

struct table {
    int n, m;        /* frames of the sound and of the reference */
    int half, width; /* the band */
    uint8_t *way;    /* n rows of `width`: how each cell was reached */
    float *row[2];   /* costs of this row and the one before, each with a wall at both ends */
    float *distance; /* of this row's sound frame to the band's reference frames */
};

/* The first reference frame in row i's band (may be below 0). */
static int band_start(const struct table *table, int i)
{
    return (int)((int64_t)i * table->m / table->n) - table->half;
}

/* Euclidean distances of one frame of the sound to reference frames from..to. */
static void measure_row(const struct cp_features *sound, int i, const struct cp_features *reference, int from,
                        int to, float *restrict distance)
{
    int count = to - from;
    memset(distance, 0, (size_t)count * sizeof *distance);
    for (int k = 0; k < CP_FEATURE_DIMS; k++) {
        float mine = sound->value[(size_t)k * (size_t)sound->n + (size_t)i];
        const float *restrict theirs = reference->value + (size_t)k * (size_t)reference->n + from;
        for (int j = 0; j < count; j++) {
            float apart = mine - theirs[j];
            distance[j] += apart * apart;
        }
    }
    for (int j = 0; j < count; j++)
        distance[j] = sqrtf(distance[j]);
}

/* Costs of one row. `before` is the row above, `shift` how far the band has moved since. */
static void fill_row(struct table *table, int i, int from, int to, int shift)
{
    int start = band_start(table, i);
    float *cost = table->row[i & 1] + 1;
    const float *above = table->row[~i & 1] + 1;
    uint8_t *way = table->way + (size_t)i * (size_t)table->width;
    for (int c = -1; c <= table->width; c++)
        cost[c] = FLT_MAX;
    for (int j = from; j < to; j++) {
        int c = j - start, up = c + shift;
        float d = table->distance[j - from], best = i || j ? FLT_MAX : 0;
        int chosen = 0;
        if (i && up - 1 >= -1 && up - 1 < table->width && above[up - 1] + STRAIGHT * d < best) {
            best = above[up - 1] + STRAIGHT * d;
            chosen = DIAGONAL;
        }
        if (i && up < table->width && above[up] + ASIDE * d < best) {
            best = above[up] + ASIDE * d;
            chosen = SOUND_ONLY;
        }
        if (cost[c - 1] + ASIDE * d < best) {
            best = cost[c - 1] + ASIDE * d;
            chosen = REFERENCE_ONLY;
        }
        cost[c] = best;
        way[c] = (uint8_t)chosen;
    }
}

/* Back from both ends: each reference frame's mean place in the sound. */
static void trace(const struct table *table, float *place)
{
    int i = table->n - 1, j = table->m - 1;
    while (j >= 0) {
        double sum = 0;
        int count = 0, at = j;
        while (j == at && i >= 0) {
            int way = table->way[(size_t)i * (size_t)table->width + (size_t)(j - band_start(table, i))];
            sum += i;
            count++;
            if (way == 0)
                i = j = -1;
            i -= way == DIAGONAL || way == SOUND_ONLY;
            j -= way == DIAGONAL || way == REFERENCE_ONLY;
        }
        place[at] = count ? (float)(sum / count) : 0;
    }
}

int cp_dtw(const struct cp_features *sound, const struct cp_features *reference, const atomic_bool *stop,
           float *ret_place, float *ret_cost)
{
    struct table table = {.n = sound->n, .m = reference->n};
    if (table.n > MAX_FRAMES || table.m > MAX_FRAMES)
        return CP_ERR_LIMIT;
    int longer = table.n > table.m ? table.n : table.m;
    table.half = longer / SHARE < LEAST ? LEAST : longer / SHARE > MOST ? MOST : longer / SHARE;
    table.half += table.m / table.n; /* neighbouring rows' bands must meet */
    table.width = 2 * table.half + 1;
    table.way = calloc((size_t)table.n, (size_t)table.width);
    float *costs = malloc(3 * ((size_t)table.width + 2) * sizeof *costs);
    int result = table.way && costs ? 0 : CP_ERR_NOMEM;
    if (!result) {
        table.row[0] = costs;
        table.row[1] = costs + table.width + 2;
        table.distance = costs + 2 * (table.width + 2);
    }
    for (int i = 0; i < table.n && !result; i++) {
        int start = band_start(&table, i), from = start < 0 ? 0 : start;
        int to = start + table.width > table.m ? table.m : start + table.width;
        measure_row(sound, i, reference, from, to, table.distance);
        fill_row(&table, i, from, to, i ? start - band_start(&table, i - 1) : 0);
        if (stop && atomic_load(stop))
            result = CP_ERR_CANCELLED;
    }
    if (!result) {
        int last = table.n - 1;
        float total = table.row[last & 1][1 + table.m - 1 - band_start(&table, last)];
        *ret_cost = total / (float)(table.n + table.m);
        trace(&table, ret_place);
    }
    free(table.way);
    free(costs);
    return result;
}
