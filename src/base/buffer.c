#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *cp_buffer_reserve(struct cp_buffer *buffer, size_t more)
{
    if (buffer->failed)
        return NULL;
    if (more > buffer->max_bytes || buffer->length > buffer->max_bytes - more) {
        buffer->failed = true;
        return NULL;
    }
    size_t wanted = buffer->length + more + 1; /* one for the NUL of cp_buffer_string */
    if (wanted > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity < wanted)
            capacity *= 2;
        uint8_t *data = realloc(buffer->data, capacity);
        if (!data) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void cp_buffer_add(struct cp_buffer *buffer, const void *bytes, size_t length)
{
    uint8_t *to = length ? cp_buffer_reserve(buffer, length) : NULL;
    if (to) {
        memcpy(to, bytes, length);
        buffer->length += length;
    }
}

void cp_buffer_text(struct cp_buffer *buffer, const char *text)
{
    cp_buffer_add(buffer, text, strlen(text));
}

void cp_buffer_printf(struct cp_buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = length < 0 ? NULL : (char *)cp_buffer_reserve(buffer, (size_t)length);
    if (!to)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)length + 1, format, args);
    va_end(args);
    buffer->length += (size_t)length;
}

void cp_buffer_u8(struct cp_buffer *buffer, uint8_t value)
{
    cp_buffer_add(buffer, &value, 1);
}

static void add_big_endian(struct cp_buffer *buffer, uint64_t value, size_t bytes)
{
    uint8_t out[8];
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    cp_buffer_add(buffer, out, bytes);
}

void cp_buffer_u16(struct cp_buffer *buffer, uint16_t value)
{
    add_big_endian(buffer, value, 2);
}

void cp_buffer_u32(struct cp_buffer *buffer, uint32_t value)
{
    add_big_endian(buffer, value, 4);
}

void cp_buffer_u64(struct cp_buffer *buffer, uint64_t value)
{
    add_big_endian(buffer, value, 8);
}

const char *cp_buffer_string(struct cp_buffer *buffer)
{
    if (buffer->failed || !buffer->data)
        return "";
    buffer->data[buffer->length] = 0;
    return (const char *)buffer->data;
}

void cp_buffer_free(struct cp_buffer *buffer)
{
    free(buffer->data);
    *buffer = cp_buffer_make(buffer->max_bytes);
}
