/*
 * How a picture wants to be turned: the tag Orientation of its EXIF data (CIPA DC-008, which lies in a
 * TIFF 6.0 directory). Cameras store pictures as their sensor lay and say in it which side is up.
 *
 * The bytes are foreign: every offset is checked, and one directory of a bounded number of entries is read.
 */
#include "render/render.h"

#include <stdbool.h>
#include <string.h>

enum {
    UPRIGHT = 1,
    TAG_ORIENTATION = 0x0112,
    TYPE_SHORT = 3,
    ENTRY_BYTES = 12,
    MOST_ENTRIES = 256, /* cameras write some ten */
    MOST_SEGMENTS = 1000
};

struct span {
    const uint8_t *at;
    size_t length;
};

static uint32_t number(const uint8_t *at, int n, bool big)
{
    uint32_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | at[big ? i : n - 1 - i];
    return value;
}

/* The first directory of a TIFF file. */
static int orientation_of_tiff(struct span tiff)
{
    static const uint8_t NAME[6] = {'E', 'x', 'i', 'f', 0, 0};
    if (tiff.length >= sizeof NAME && !memcmp(tiff.at, NAME, sizeof NAME)) { /* JPEG's, and some WebP's */
        tiff.at += sizeof NAME;
        tiff.length -= sizeof NAME;
    }
    if (tiff.length < 8 || (memcmp(tiff.at, "II*\0", 4) != 0 && memcmp(tiff.at, "MM\0*", 4) != 0))
        return UPRIGHT;
    bool big = tiff.at[0] == 'M';
    size_t at = number(tiff.at + 4, 4, big);
    if (at > tiff.length - 2)
        return UPRIGHT;
    uint32_t n = number(tiff.at + at, 2, big);
    at += 2;
    for (uint32_t i = 0; i < n && i < MOST_ENTRIES && tiff.length - at >= ENTRY_BYTES;
         i++, at += ENTRY_BYTES) {
        const uint8_t *entry = tiff.at + at;
        if (number(entry, 2, big) != TAG_ORIENTATION)
            continue;
        uint32_t value = number(entry + 8, 2, big);
        bool is_one = number(entry + 2, 2, big) == TYPE_SHORT && number(entry + 4, 4, big) == 1;
        return is_one && value >= 1 && value <= 8 ? (int)value : UPRIGHT;
    }
    return UPRIGHT;
}

/* An APP1 segment before the first scan: ITU-T T.81 section B.1.1.4. */
static struct span find_in_jpeg(struct span jpeg)
{
    size_t at = 2;
    for (int i = 0; i < MOST_SEGMENTS && jpeg.length - at >= 4 && jpeg.at[at] == 0xff; i++) {
        uint8_t marker = jpeg.at[at + 1];
        size_t length = number(jpeg.at + at + 2, 2, true);
        if (marker == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        if (marker == 0xda || length < 2 || length > jpeg.length - at - 2)
            break;
        if (marker == 0xe1 && length >= 8 && !memcmp(jpeg.at + at + 4, "Exif", 5))
            return (struct span){jpeg.at + at + 4, length - 2};
        at += 2 + length;
    }
    return (struct span){NULL, 0};
}

/* The chunk eXIf, anywhere: PNG third edition, section 11.3.4.4. */
static struct span find_in_png(struct span png)
{
    size_t at = 8;
    for (int i = 0; i < MOST_SEGMENTS && png.length - at >= 12; i++) {
        size_t length = number(png.at + at, 4, true);
        if (length > png.length - at - 12)
            break;
        if (!memcmp(png.at + at + 4, "eXIf", 4))
            return (struct span){png.at + at + 8, length};
        at += 12 + length;
    }
    return (struct span){NULL, 0};
}

/* The chunk EXIF: RFC 9649 section 2.7.1.5. Chunks are padded to even lengths. */
static struct span find_in_webp(struct span webp)
{
    size_t at = 12;
    for (int i = 0; i < MOST_SEGMENTS && webp.length - at >= 8; i++) {
        size_t length = number(webp.at + at + 4, 4, false);
        if (length > webp.length - at - 8)
            break;
        if (!memcmp(webp.at + at, "EXIF", 4))
            return (struct span){webp.at + at + 8, length};
        length += length & 1;
        if (length > webp.length - at - 8)
            break;
        at += 8 + length;
    }
    return (struct span){NULL, 0};
}

int cp_picture_orientation(const void *bytes, size_t length)
{
    struct span file = {bytes, length}, exif = {NULL, 0};
    if (length < 12)
        return UPRIGHT;
    if (!memcmp(bytes, "\x89PNG", 4))
        exif = find_in_png(file);
    else if (!memcmp(bytes, "\xff\xd8\xff", 3))
        exif = find_in_jpeg(file);
    else if (!memcmp(bytes, "RIFF", 4))
        exif = find_in_webp(file);
    return exif.at ? orientation_of_tiff(exif) : UPRIGHT;
}
