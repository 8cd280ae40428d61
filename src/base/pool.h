/*
 * A pool of equal objects made once, so that the draw, encode and send paths do not allocate.
 * The pool outlives its objects: cp_pool_destroy waits for nothing, but the memory goes only when the last
 * object has come back.
 */
#ifndef CP_BASE_POOL_H
#define CP_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct cp_pool;

/* Makes `count` zeroed objects of `object_bytes` each, 64-byte aligned. NULL when out of memory. */
struct cp_pool *cp_pool_create(size_t object_bytes, size_t count);

/* A free object, or NULL when all are out (counted, see cp_pool_misses). Contents are those it was returned
 * with. Lock-free. Any thread. */
void *cp_pool_get(struct cp_pool *pool);

/* Brings an object back to the pool it came from. Lock-free. Any thread. */
void cp_pool_put(struct cp_pool *pool, void *object);

/* How often cp_pool_get found the pool empty. */
uint64_t cp_pool_misses(const struct cp_pool *pool);

/* The owner is done; freed now or when the last object comes back. NULL is fine. */
void cp_pool_destroy(struct cp_pool *pool);

#endif
