#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_add(struct bytes *b, const void *data, size_t n)
{
    if (n == 0)
        return;
    if (b->length + n > b->room) {
        b->room = (b->length + n) * 2 + 4096;
        b->data = realloc(b->data, b->room);
        if (!b->data) {
            fprintf(stderr, "sculpt: out of memory\n");
            exit(1);
        }
    }
    memcpy(b->data + b->length, data, n);
    b->length += n;
}

void bytes_text(struct bytes *b, const char *format, ...)
{
    char piece[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    bytes_add(b, piece, n < (int)sizeof piece ? (size_t)n : sizeof piece - 1);
}
