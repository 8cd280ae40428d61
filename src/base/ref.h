/*
 * Reference counts for things that several owners share (packets, pictures, utterances, models).
 * Put a struct cp_ref first in the struct; the maker holds the first reference. Any thread.
 */
#ifndef CP_BASE_REF_H
#define CP_BASE_REF_H

#include <stdatomic.h>

struct cp_ref {
    atomic_int count;
    void (*free)(
        void *object); /* called once, by whoever drops the last reference; frees or returns to a pool */
};

/* Starts with one reference. */
static inline void cp_ref_init(struct cp_ref *ref, void (*free_object)(void *object))
{
    atomic_init(&ref->count, 1);
    ref->free = free_object;
}

/* Takes one more reference of an object whose first member is a struct cp_ref; NULL stays NULL. */
static inline void *cp_ref_take(void *object)
{
    if (object)
        atomic_fetch_add_explicit(&((struct cp_ref *)object)->count, 1, memory_order_relaxed);
    return object;
}

/* Drops one reference; NULL is fine. */
static inline void cp_ref_drop(void *object)
{
    struct cp_ref *ref = object;
    if (ref && atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1)
        ref->free(object);
}

/* How many references there are now. 1 and no other way to the object than one's own: nobody else has it, nor
 * will. */
static inline int cp_ref_count(const void *object)
{
    return atomic_load_explicit(&((struct cp_ref *)object)->count, memory_order_acquire);
}

#endif
