/* A growing run of bytes. Functions exit with a message when memory ends. */
#ifndef CAST_BYTES_H
#define CAST_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t length, room;
};
void bytes_add(struct bytes *b, const void *data, size_t n);
/* Appends formatted text of less than 1 KiB. */
void bytes_text(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
