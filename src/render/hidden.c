/*
 * Hair that other hair hides. A head of hair is many layers of locks, and what lies below is drawn in vain:
 * half of the blocks that hair covers leave no sample. It also stays hidden, since locks move with the head
 * and the head turns slowly. So a triangle of hair that left no sample sits out the next frames, and is drawn
 * again in every eighth, a group of triangles at a time, so that frames cost alike. One that comes to light
 * meanwhile is missed for a quarter of a second at most, and the hair below shows in its place.
 *
 * Not for other surfaces: teeth come out from behind lips at once, and what lies below them looks different.
 *
 *   set up   leaves out hidden triangles whose turn it is not; forgets what was known of the others
 *   bin      takes for hidden what was not seen in the last frame
 *   raster   takes it back when a sample is stored
 */
#include "render/render_int.h"

#include <math.h>

enum { STILL_PERIOD = 8, SLOW_PERIOD = 2 };
static const float SLOW_M = 0.02f; /* that the eye goes in a frame, two metres away: half a degree */

static float distance(const float *a, const float *b)
{
    float d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
    return sqrtf(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
}

/* Every how many frames hidden hair is drawn, from what the camera has done since the last. A cut draws all.
 */
int cp_hidden_period(const struct cp_view *last, const struct cp_view *view)
{
    float moved = distance(last->eye, view->eye) + distance(last->target, view->target);
    if (moved == 0 && last->fov_y_rad == view->fov_y_rad)
        return STILL_PERIOD;
    return moved < SLOW_M ? SLOW_PERIOD : 1;
}
