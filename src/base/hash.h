/* FNV-1a, 64 bit (Fowler, Noll, Vo): for tables and seeds, not against anybody who chooses the input. */
#ifndef CP_BASE_HASH_H
#define CP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define CP_HASH_SEED UINT64_C(0xcbf29ce484222325)

/* The hash of what was hashed before (CP_HASH_SEED: nothing) and these bytes. */
static inline uint64_t cp_hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    for (const uint8_t *at = bytes, *end = at + length; at < end; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    return hash;
}

static inline uint64_t cp_hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
