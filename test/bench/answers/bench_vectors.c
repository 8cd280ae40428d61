/*
 * How long an exact scan over vectors takes.
 *     bench_vectors [VECTORS [COMPONENTS]]    100000 of 768 if nothing is said; a row of a Markdown table
 */
#include "answers/embed/vectors.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUESTIONS = 60, MOST = 50 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void make_vector(float *vector, int n, unsigned *seed)
{
    for (int i = 0; i < n; i++) {
        *seed = *seed * 1664525u + 1013904223u; /* Numerical Recipes */
        vector[i] = (float)(*seed >> 8) / 8388608.0f - 1;
    }
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 100000;
    int width = argc > 2 ? atoi(argv[2]) : 768;
    unsigned seed = 1;
    static float vector[CP_VECTOR_MOST];
    static int8_t packed[CP_VECTOR_MOST];
    struct cp_vectors *vectors = cp_vectors_create(n);
    float scale = 0;
    double ms[QUESTIONS];
    for (int64_t i = 0; i < n; i++) {
        make_vector(vector, width, &seed);
        if (!cp_vector_pack(vector, width, packed, &scale) ||
            !cp_vectors_put(vectors, i + 1, 1, packed, scale, width))
            return 1;
    }
    for (int i = 0; i < QUESTIONS; i++) {
        struct cp_near near[MOST];
        make_vector(vector, width, &seed);
        cp_vector_pack(vector, width, packed, &scale);
        int64_t started_ns = cp_clock_now_ns();
        if (cp_vectors_nearest(vectors, packed, scale, width, 0, near, MOST) != MOST)
            return 1;
        ms[i] = (double)(cp_clock_now_ns() - started_ns) / 1e6;
    }
    qsort(ms, QUESTIONS, sizeof *ms, by_value);
    printf("| %lld vectors of %d | median %.1f ms | p95 %.1f ms | %.0f MB |\n", (long long)n, width,
           ms[QUESTIONS / 2], ms[QUESTIONS * 95 / 100], (double)n * (width + 16 + 16) / 1e6);
    cp_vectors_destroy(vectors);
    return 0;
}
