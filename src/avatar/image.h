/* Decoding of the pictures inside a model (PNG, JPEG, WebP) to 8-bit sRGB RGBA. */
#ifndef CP_AVATAR_IMAGE_H
#define CP_AVATAR_IMAGE_H

#include "base/error.h"
#include "media/model.h"

#include <stddef.h>

/* Decodes by the bytes' own signature. At most max_px wide or high and max_pixels in all: CP_ERR_LIMIT
 * beyond. CP_ERR_UNSUPPORTED for other formats, CP_ERR_FORMAT for broken data. The caller frees ret->rgba. */
int image_decode(const uint8_t *bytes, size_t length, int max_px, size_t max_pixels, struct cp_texture *ret,
                 struct cp_error *error);

#endif
