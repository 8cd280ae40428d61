/* A picture: I420, BT.709 limited range, planes one after another in one block. Shared by reference, pooled.
 */
#ifndef CP_MEDIA_PICTURE_H
#define CP_MEDIA_PICTURE_H

#include "base/pool.h"
#include "base/ref.h"
#include "media/clock.h"

#include <stdint.h>

struct cp_picture {
    struct cp_ref ref;
    struct cp_pool *pool; /* where it goes back to */
    int width, height;    /* even */
    int stride[3];        /* bytes a row */
    uint8_t *plane[3];    /* Y, U, V; 64-byte aligned */
    int64_t frame;        /* number of the frame; its time is frame * CP_SAMPLES_PER_FRAME samples */
    char cue[40];         /* the cue whose first sounding frame this is, or "" */
    struct cp_stamps stamps;
};

/* A pool of `count` pictures of one size. NULL when out of memory. */
struct cp_pool *cp_picture_pool_create(int width, int height, int count);
/* A picture from the pool with one reference, contents undefined, stamps zero; NULL when all are out.
 * Lock-free. */
struct cp_picture *cp_picture_get(struct cp_pool *pool, int width, int height);

#endif
