/* What a picture, video or sound file is, by its own first bytes: pure, bounded, for hostile input. */
#ifndef CP_APP_SNIFF_H
#define CP_APP_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_sniffed {
    const char *type, *ending; /* "image/png", "png"; NULL: none of those we know */
    bool video, sound;
    int width, height; /* pixels; 0 where the file does not tell at a known place */
};
struct cp_sniffed cp_sniff(const uint8_t *bytes, size_t length);

#endif
