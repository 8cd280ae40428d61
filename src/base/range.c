#include "range.h"

#include <stdlib.h>
#include <string.h>

int cp_range_read(const char *range, int64_t length, int64_t *ret_start, int64_t *ret_end)
{
    int64_t first = -1, last = -1;
    char *end;
    if (strncmp(range, "bytes=", 6) || strchr(range, ','))
        return 0;
    const char *at = range + 6;
    if (*at >= '0' && *at <= '9') {
        first = strtoll(at, &end, 10);
        at = end;
    }
    if (*at++ != '-')
        return 0;
    if (*at >= '0' && *at <= '9') {
        last = strtoll(at, &end, 10);
        at = end;
    }
    if (*at || (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
        return 0;
    if (first < 0) { /* the last so many bytes */
        if (!last || !length)
            return 416;
        first = last < length ? length - last : 0;
        last = length - 1;
    }
    if (first >= length)
        return 416;
    *ret_start = first;
    *ret_end = last < 0 || last >= length ? length : last + 1;
    return 206;
}
