/* What the unit tests of this folder share: cmocka with its needed headers, and hexadecimal bytes. */
#ifndef TEST_WEBRTC_UNIT_H
#define TEST_WEBRTC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Reads "00 ff 12..." (blanks are skipped); returns the count. */
static inline size_t from_hex(const char *text, uint8_t *bytes)
{
    size_t n = 0;
    unsigned value;
    for (; sscanf(text, " %2x", &value) == 1; bytes[n++] = (uint8_t)value) {
        text += strspn(text, " ");
        text += 2;
    }
    return n;
}

#endif
