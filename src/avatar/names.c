/* ARKit's shapes by the names that tools give them. */
#include "avatar/load.h"

#include <stdio.h>
#include <string.h>

/* "head_shapes.JawOpen", "eyeBlink_L", "eyeBlinkLeft": case, prefixes and the manner of sides differ. */
enum cp_shape shape_of_name(const char *name)
{
    char plain[64];
    const char *dot = strrchr(name, '.');
    size_t n = (size_t)snprintf(plain, sizeof plain, "%s", dot && dot[1] ? dot + 1 : name);
    if (n >= sizeof plain)
        return CP_SHAPE_UNSET;
    if (n > 2 && plain[n - 2] == '_' && (plain[n - 1] == 'L' || plain[n - 1] == 'R'))
        snprintf(plain + n - 2, sizeof plain - n + 2, "%s", plain[n - 1] == 'L' ? "Left" : "Right");
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        if (!strcasecmp(plain, cp_shape_name((enum cp_shape)s)))
            return (enum cp_shape)s;
    return CP_SHAPE_UNSET;
}
