/* A growing byte buffer with a declared maximum. One owner, one thread at a time. */
#ifndef CP_BASE_BUFFER_H
#define CP_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_buffer {
    uint8_t *data;
    size_t length, capacity, max_bytes;
    bool failed; /* a write did not fit or memory ran out; later writes are ignored */
};

/* An empty buffer that may grow to max_bytes. Nothing is allocated yet. */
static inline struct cp_buffer cp_buffer_make(size_t max_bytes)
{
    return (struct cp_buffer){.max_bytes = max_bytes};
}

/* Room for `more` bytes behind the contents; NULL when that passes the maximum (then failed is set). */
uint8_t *cp_buffer_reserve(struct cp_buffer *buffer, size_t more);
void cp_buffer_add(struct cp_buffer *buffer, const void *bytes, size_t length);
void cp_buffer_text(struct cp_buffer *buffer, const char *text);
void cp_buffer_printf(struct cp_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Big-endian integers, for the wire formats. */
void cp_buffer_u8(struct cp_buffer *buffer, uint8_t value);
void cp_buffer_u16(struct cp_buffer *buffer, uint16_t value);
void cp_buffer_u32(struct cp_buffer *buffer, uint32_t value);
void cp_buffer_u64(struct cp_buffer *buffer, uint64_t value);
/* The contents as a C string (a NUL is kept behind the contents); "" when empty or failed. */
const char *cp_buffer_string(struct cp_buffer *buffer);
void cp_buffer_free(struct cp_buffer *buffer);

#endif
