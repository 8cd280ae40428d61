/* Byte ranges of HTTP (RFC 9110 section 14). */
#ifndef CP_BASE_RANGE_H
#define CP_BASE_RANGE_H

#include <stdint.h>

/* What a Range header of one range wants of `length` bytes: 0 the whole, 206 [*ret_start, *ret_end), 416
 * nothing that is there. Several ranges and what does not parse are answered with the whole, as allowed. */
int cp_range_read(const char *range, int64_t length, int64_t *ret_start, int64_t *ret_end);

#endif
