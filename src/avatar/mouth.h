/* What one sound wants of the face: shared by mouth.c, which blends sounds, and phones.c, the table of what
 * languages do differently. */
#ifndef CP_AVATAR_MOUTH_H
#define CP_AVATAR_MOUTH_H

#include "media/marks.h"
#include "media/shapes.h"
#include "media/utterance.h"

#include <stdint.h>

/* Parts of the mouth that overlapping sounds share out, each by strengths of its own. */
enum mouth_part { JAW, LIPS, ROUND, TONGUE, N_PARTS };

struct mouth_target {
    enum cp_shape shape;
    float weight;
};

/* What a sound wants, and how firmly it wants it of each part. */
struct recipe {
    float strength[N_PARTS];
    struct mouth_target target[14];
};

/* Targets of a recipe: one entry for each side, or one alone. */
#define MOUTH_BOTH(name, weight)                                                                             \
    {CP_SHAPE_##name##Left, weight},                                                                         \
    {                                                                                                        \
        CP_SHAPE_##name##Right, weight                                                                       \
    }
#define MOUTH_ONE(name, weight)                                                                              \
    {                                                                                                        \
        CP_SHAPE_##name, weight                                                                              \
    }

/* The bit of a voice's language in the table of phones.c; voices whose language has no rules of its own get
 * those that hold for all. "flite:..." speaks English in an alphabet of its own. */
uint32_t phone_language(const char *voice);

/* How the language forms this viseme of a phone, or NULL when it does as the viseme says. */
const struct recipe *phone_recipe(uint32_t language, const char *phone, enum cp_viseme viseme);

#endif
