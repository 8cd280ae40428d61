/* Big-endian integers in wire formats. The caller has checked the length. */
#ifndef CP_WEBRTC_BYTES_H
#define CP_WEBRTC_BYTES_H

#include <stdint.h>

static inline uint16_t cp_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t cp_get24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t cp_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | cp_get24(p + 1);
}

static inline uint64_t cp_get64(const uint8_t *p)
{
    return (uint64_t)cp_get32(p) << 32 | cp_get32(p + 4);
}

static inline void cp_put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void cp_put32(uint8_t *p, uint32_t value)
{
    cp_put16(p, value >> 16);
    cp_put16(p + 2, value & 0xffff);
}

static inline void cp_put64(uint8_t *p, uint64_t value)
{
    cp_put32(p, (uint32_t)(value >> 32));
    cp_put32(p + 4, (uint32_t)value);
}

#endif
