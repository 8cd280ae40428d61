/* ARKit's shapes by the names that tools give them. */
#include "avatar/load.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The letters and digits only, and "Left" or "Right" for a side that is told by one letter. */
static bool plain_name(const char *name, char *ret, size_t bytes)
{
    size_t length = strlen(name), n = 0;
    bool side = length > 2 && (name[length - 2] == '_' || name[length - 2] == '-') &&
                (name[length - 1] == 'L' || name[length - 1] == 'R');
    for (size_t i = 0; i < length - (side ? 1 : 0); i++) {
        if (!isalnum((unsigned char)name[i]))
            continue;
        if (n + 6 >= bytes)
            return false;
        ret[n++] = name[i];
    }
    ret[n] = 0;
    if (side)
        snprintf(ret + n, bytes - n, "%s", name[length - 1] == 'L' ? "Left" : "Right");
    return true;
}

/* "head_shapes.JawOpen", "eyeBlink_L", "Mouth_Smile_L": case, prefixes, separators and sides differ. */
enum cp_shape shape_of_name(const char *name)
{
    char plain[64];
    const char *dot = strrchr(name, '.');
    if (!plain_name(dot && dot[1] ? dot + 1 : name, plain, sizeof plain))
        return CP_SHAPE_UNSET;
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        if (!strcasecmp(plain, cp_shape_name((enum cp_shape)s)))
            return (enum cp_shape)s;
    return CP_SHAPE_UNSET;
}
