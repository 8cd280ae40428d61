#include "avatar/acting.h"

#include <math.h>

/* Box and Muller 1958; one of the pair is dropped to keep the state one word. */
float chance_normal(struct chance *chance)
{
    float u = 1 - chance_unit(chance), v = chance_unit(chance);
    return sqrtf(-2 * logf(u)) * cosf(6.2831853f * v);
}

float chance_log_normal(struct chance *chance, float mean, float sigma)
{
    return mean * expf(sigma * chance_normal(chance) - sigma * sigma / 2);
}

float chance_exponential(struct chance *chance, float mean)
{
    return -mean * logf(1 - chance_unit(chance));
}
