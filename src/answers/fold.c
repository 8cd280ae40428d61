#include "answers/fold.h"

#include <stdint.h>
#include <unicode/ucasemap.h>

void cp_fold_case(const char *text, char *to, size_t capacity)
{
    UErrorCode problem = U_ZERO_ERROR;
    UCaseMap *map = ucasemap_open("", 0, &problem);
    int32_t length = map ? ucasemap_utf8FoldCase(map, to, (int32_t)capacity - 1, text, -1, &problem) : 0;
    if (map)
        ucasemap_close(map);
    to[U_SUCCESS(problem) && length < (int32_t)capacity ? length : 0] = '\0';
}
