#include "app/sniff.h"

#include <string.h>

static uint32_t be(const uint8_t *at, int n)
{
    uint32_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}

static uint32_t le(const uint8_t *at, int n)
{
    uint32_t value = 0;
    for (int i = n; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* The frame header (SOF) among JPEG's segments: ITU-T T.81 section B.2.2. */
static void size_of_jpeg(const uint8_t *bytes, size_t length, struct cp_sniffed *ret)
{
    for (size_t at = 2; at + 9 < length && bytes[at] == 0xff;) {
        uint8_t marker = bytes[at + 1];
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
            ret->height = (int)be(bytes + at + 5, 2);
            ret->width = (int)be(bytes + at + 7, 2);
            return;
        }
        at += 2 + (size_t)be(bytes + at + 2, 2);
    }
}

/* RFC 9649: VP8X, VP8L, or a VP8 key frame (RFC 6386 section 9.1). */
static void size_of_webp(const uint8_t *bytes, size_t length, struct cp_sniffed *ret)
{
    if (length < 30)
        return;
    if (!memcmp(bytes + 12, "VP8X", 4)) {
        ret->width = (int)le(bytes + 24, 3) + 1;
        ret->height = (int)le(bytes + 27, 3) + 1;
    } else if (!memcmp(bytes + 12, "VP8L", 4)) {
        uint32_t bits = le(bytes + 21, 4);
        ret->width = (int)(bits & 0x3fff) + 1;
        ret->height = (int)(bits >> 14 & 0x3fff) + 1;
    } else if (!memcmp(bytes + 12, "VP8 ", 4)) {
        ret->width = (int)(le(bytes + 26, 2) & 0x3fff);
        ret->height = (int)(le(bytes + 28, 2) & 0x3fff);
    }
}

/* Width and height of the largest track: ISO/IEC 14496-12 section 8.3.2, the last 8 bytes of tkhd, 16.16. */
static void size_of_mp4(const uint8_t *bytes, size_t length, int depth, struct cp_sniffed *ret)
{
    for (size_t at = 0; at + 8 <= length;) {
        uint64_t size = be(bytes + at, 4);
        const uint8_t *name = bytes + at + 4;
        size_t header = 8;
        if (size == 1 && at + 16 <= length) {
            size = (uint64_t)be(bytes + at + 8, 4) << 32 | be(bytes + at + 12, 4);
            header = 16;
        } else if (size == 0) {
            size = length - at;
        }
        if (size < header || size > length - at)
            return;
        if (!memcmp(name, "tkhd", 4) && size >= header + 16) {
            int width = (int)be(bytes + at + size - 8, 2), height = (int)be(bytes + at + size - 4, 2);
            if (width > ret->width) {
                ret->width = width;
                ret->height = height;
            }
        } else if (depth < 2 && (!memcmp(name, "moov", 4) || !memcmp(name, "trak", 4))) {
            size_of_mp4(bytes + at + header, (size_t)size - header, depth + 1, ret);
        }
        at += (size_t)size;
    }
}

/* A frame header of MPEG audio, layer III: ISO/IEC 11172-3 section 2.4.2.3. */
static bool is_mpeg_audio(const uint8_t *bytes)
{
    return bytes[0] == 0xff && (bytes[1] & 0xe6) == 0xe2 && (bytes[2] & 0xf0) != 0xf0 &&
           (bytes[2] & 0x0c) != 0x0c;
}

struct cp_sniffed cp_sniff(const uint8_t *bytes, size_t length)
{
    static const uint8_t PNG[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                         EBML[4] = {0x1a, 0x45, 0xdf, 0xa3};
    struct cp_sniffed found = {.type = NULL};
    if (length < 16)
        return found;
    if (length >= 24 && !memcmp(bytes, PNG, 8)) {
        uint32_t width = be(bytes + 16, 4), height = be(bytes + 20, 4);
        found = (struct cp_sniffed){"image/png", "png", .width = (int)(width & 0x7fffffff),
                                    .height = (int)(height & 0x7fffffff)};
    } else if (bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff) {
        found = (struct cp_sniffed){"image/jpeg", "jpg"};
        size_of_jpeg(bytes, length, &found);
    } else if (!memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4)) {
        found = (struct cp_sniffed){"image/webp", "webp"};
        size_of_webp(bytes, length, &found);
    } else if (!memcmp(bytes + 4, "ftyp", 4)) {
        found = (struct cp_sniffed){"video/mp4", "mp4", .video = true};
        size_of_mp4(bytes, length, 0, &found);
        if (!found.width) /* no track has a picture */
            found = (struct cp_sniffed){"audio/mp4", "m4a", .sound = true};
    } else if (!memcmp(bytes, EBML, 4)) {
        found = (struct cp_sniffed){"video/webm", "webm", .video = true};
    } else if (!memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WAVE", 4)) {
        found = (struct cp_sniffed){"audio/wav", "wav", .sound = true};
    } else if (!memcmp(bytes, "OggS", 4)) {
        found = (struct cp_sniffed){"audio/ogg", "ogg", .sound = true};
    } else if (!memcmp(bytes, "ID3", 3) || is_mpeg_audio(bytes)) {
        found = (struct cp_sniffed){"audio/mpeg", "mp3", .sound = true};
    }
    return found;
}
