#include "answers/embed/vectors.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STRIDE = 32 }; /* components of a row are filled up to a multiple, with zeros */

struct row {
    int64_t passage;
    uint32_t scope;
    float scale;
};

struct cp_vectors {
    pthread_rwlock_t lock;
    int64_t most, n, capacity;
    int width, stride; /* components, as given and as kept */
    struct row *rows;
    int8_t *data;
    int64_t *slots; /* of passages, by hash: 1 + the row's number, 0 is free */
    int64_t n_slots;
};

struct cp_vectors *cp_vectors_create(int64_t most)
{
    struct cp_vectors *vectors = calloc(1, sizeof *vectors);
    if (!vectors)
        return NULL;
    pthread_rwlock_init(&vectors->lock, NULL);
    vectors->most = most;
    return vectors;
}

void cp_vectors_destroy(struct cp_vectors *vectors)
{
    if (!vectors)
        return;
    pthread_rwlock_destroy(&vectors->lock);
    free(vectors->rows);
    free(vectors->data);
    free(vectors->slots);
    free(vectors);
}

bool cp_vector_pack(const float *vector, int n, int8_t *ret_packed, float *ret_scale)
{
    double length = 0;
    float largest = 0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(vector[i]))
            return false;
        length += (double)vector[i] * (double)vector[i];
        largest = fmaxf(largest, fabsf(vector[i]));
    }
    if (!(length > 0) || !isfinite(length))
        return false;
    for (int i = 0; i < n; i++)
        ret_packed[i] = (int8_t)lrintf(vector[i] / largest * 127);
    *ret_scale = (float)((double)largest / 127 / sqrt(length));
    return true;
}

/* --- putting --- */

/* The slot of a passage, or the free one where it belongs. */
static int64_t *slot_of(struct cp_vectors *vectors, int64_t passage)
{
    uint64_t at = (uint64_t)passage * 0x9e3779b97f4a7c15u % (uint64_t)vectors->n_slots;
    while (vectors->slots[at] && vectors->rows[vectors->slots[at] - 1].passage != passage)
        at = (at + 1) % (uint64_t)vectors->n_slots;
    return &vectors->slots[at];
}

static bool grow(struct cp_vectors *vectors)
{
    int64_t capacity = vectors->capacity ? 2 * vectors->capacity : 1024;
    struct row *rows = realloc(vectors->rows, (size_t)capacity * sizeof *rows);
    vectors->rows = rows ? rows : vectors->rows;
    int8_t *data = realloc(vectors->data, (size_t)capacity * (size_t)vectors->stride);
    vectors->data = data ? data : vectors->data;
    int64_t *slots = calloc((size_t)capacity * 2, sizeof *slots);
    if (!rows || !data || !slots) {
        free(slots);
        return false;
    }
    free(vectors->slots);
    vectors->slots = slots;
    vectors->n_slots = 2 * capacity;
    vectors->capacity = capacity;
    for (int64_t i = 0; i < vectors->n; i++)
        *slot_of(vectors, vectors->rows[i].passage) = i + 1;
    return true;
}

static bool put(struct cp_vectors *vectors, const struct row *row, const int8_t *packed, int n)
{
    if (!vectors->width) {
        vectors->width = n;
        vectors->stride = (n + STRIDE - 1) / STRIDE * STRIDE;
    }
    if (n != vectors->width || (vectors->n == vectors->capacity && !grow(vectors)))
        return false;
    int64_t *slot = slot_of(vectors, row->passage);
    if (!*slot && vectors->n >= vectors->most)
        return false;
    if (!*slot)
        *slot = ++vectors->n;
    int8_t *data = vectors->data + (*slot - 1) * vectors->stride;
    vectors->rows[*slot - 1] = *row;
    memcpy(data, packed, (size_t)n);
    memset(data + n, 0, (size_t)(vectors->stride - n));
    return true;
}

bool cp_vectors_put(struct cp_vectors *vectors, int64_t passage, uint32_t scope, const int8_t *packed,
                    float scale, int n)
{
    const struct row row = {passage, scope, scale};
    if (n < 1 || n > CP_VECTOR_MOST)
        return false;
    pthread_rwlock_wrlock(&vectors->lock);
    bool done = put(vectors, &row, packed, n);
    pthread_rwlock_unlock(&vectors->lock);
    return done;
}

int64_t cp_vectors_count(struct cp_vectors *vectors)
{
    pthread_rwlock_rdlock(&vectors->lock);
    int64_t n = vectors->n;
    pthread_rwlock_unlock(&vectors->lock);
    return n;
}

static bool is_listed(const int64_t *passages, int64_t n, int64_t passage)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (passages[middle] < passage)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && passages[low] == passage;
}

void cp_vectors_retain(struct cp_vectors *vectors, const int64_t *passages, int64_t n)
{
    pthread_rwlock_wrlock(&vectors->lock);
    int64_t kept = 0;
    for (int64_t i = 0; i < vectors->n; i++) {
        if (!is_listed(passages, n, vectors->rows[i].passage))
            continue;
        if (i != kept) {
            vectors->rows[kept] = vectors->rows[i];
            memcpy(vectors->data + kept * vectors->stride, vectors->data + i * vectors->stride,
                   (size_t)vectors->stride);
        }
        kept++;
    }
    vectors->n = kept;
    if (vectors->n_slots)
        memset(vectors->slots, 0, (size_t)vectors->n_slots * sizeof *vectors->slots);
    for (int64_t i = 0; i < kept; i++)
        *slot_of(vectors, vectors->rows[i].passage) = i + 1;
    pthread_rwlock_unlock(&vectors->lock);
}

/* --- the nearest --- */

/* Compiled for every x86-64 and for those with AVX2: sixteen products of 16 bits at a time. */
#define DOT(name, target_of)                                                                                 \
    target_of static int32_t name(const int8_t *a, const int8_t *b, int n)                                   \
    {                                                                                                        \
        int32_t sum = 0;                                                                                     \
        for (int i = 0; i < n; i++)                                                                          \
            sum += (int32_t)a[i] * b[i];                                                                     \
        return sum;                                                                                          \
    }
DOT(dot_any, )
DOT(dot_avx2, __attribute__((target("avx2"))))

/* Keeps the list in order, the nearest first. */
static int keep(struct cp_near *list, int n, int most, struct cp_near one)
{
    if (n == most && one.cosine <= list[n - 1].cosine)
        return n;
    int at = n < most ? n++ : n - 1;
    while (at > 0 && list[at - 1].cosine < one.cosine) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = one;
    return n;
}

int cp_vectors_nearest(struct cp_vectors *vectors, const int8_t *packed, float scale, int n, uint32_t scope,
                       struct cp_near *ret_near, int most)
{
    int8_t filled[CP_VECTOR_MOST + STRIDE] = {0};
    int32_t (*dot)(const int8_t *, const int8_t *, int) = __builtin_cpu_supports("avx2") ? dot_avx2 : dot_any;
    int found = 0;
    if (n < 1 || n > CP_VECTOR_MOST)
        return 0;
    memcpy(filled, packed, (size_t)n);
    pthread_rwlock_rdlock(&vectors->lock);
    for (int64_t i = 0; i < vectors->n && n == vectors->width; i++) {
        const struct row *row = &vectors->rows[i];
        if (scope && row->scope != scope)
            continue;
        int32_t product = dot(filled, vectors->data + i * vectors->stride, vectors->stride);
        found =
            keep(ret_near, found, most, (struct cp_near){row->passage, (float)product * scale * row->scale});
    }
    pthread_rwlock_unlock(&vectors->lock);
    return found;
}
