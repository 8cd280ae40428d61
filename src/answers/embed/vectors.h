/*
 * Passages as vectors in memory, and which are nearest to a question's. An exact scan: every vector is
 * compared, so nothing is missed. Components are 8 bits of the unit vector, scaled each: a passage of 768
 * takes 788 bytes, and the cosine is right to about 0.01.
 */
#ifndef CP_ANSWERS_VECTORS_H
#define CP_ANSWERS_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

enum { CP_VECTOR_MOST = 4096 }; /* components */

struct cp_vectors;

/* most: vectors; more are refused. NULL when out of memory. */
struct cp_vectors *cp_vectors_create(int64_t most);
void cp_vectors_destroy(struct cp_vectors *vectors);

/* A vector as it is kept: unit length, 8 bits a component. *ret_scale times a component is its value. False
 * for one of no length. */
bool cp_vector_pack(const float *vector, int n, int8_t *ret_packed, float *ret_scale);

/* Adds or replaces a passage's. The first one says how many components all have. scope: of its collection.
 * False when there are too many, it has another length, or memory is out. Any thread. */
bool cp_vectors_put(struct cp_vectors *vectors, int64_t passage, uint32_t scope, const int8_t *packed,
                    float scale, int n);
int64_t cp_vectors_count(struct cp_vectors *vectors);
/* Drops all but those of these passages, which are in order. Any thread. */
void cp_vectors_retain(struct cp_vectors *vectors, const int64_t *passages, int64_t n);

struct cp_near {
    int64_t passage;
    float cosine; /* -1 to 1 */
};
/* The `most` nearest, nearest first; scope 0 looks at all. Returns their number, 0 when the lengths differ.
 * Any thread; writers wait meanwhile. */
int cp_vectors_nearest(struct cp_vectors *vectors, const int8_t *packed, float scale, int n, uint32_t scope,
                       struct cp_near *ret_near, int most);

#endif
