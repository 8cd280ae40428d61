/* Pictures that say how they must be turned. */
#include "render/render.h"
#include "render/scenery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 18, MOST = 8192 };

struct file {
    uint8_t bytes[MOST];
    size_t length;
};

static struct file read_file(const char *name)
{
    struct file file;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_PICTURES, name);
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    file.length = fread(file.bytes, 1, MOST, from);
    fclose(from);
    assert_in_range(file.length, 64, MOST - 256);
    return file;
}

static void insert(struct file *file, size_t at, const void *bytes, size_t length)
{
    memmove(file->bytes + at + length, file->bytes + at, file->length - at);
    memcpy(file->bytes + at, bytes, length);
    file->length += length;
}

/* A TIFF directory of two entries, the second of which is the orientation. Returns its length. */
static size_t make_tiff(int orientation, bool big, uint8_t *to)
{
    static const uint8_t LITTLE[] = {'I', 'I', 42, 0,    8, 0, 0, 0, 2, 0, 0x00, 0x01, 4, 0, 1, 0, 0, 0, 32,
                                     0,   0,   0,  0x12, 1, 3, 0, 1, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0};
    static const uint8_t BIG[] = {'M', 'M', 0,  42, 0,    0, 0, 8, 0, 2, 1, 0x00, 0, 4, 0, 0, 0, 1, 0,
                                  0,   0,   32, 1,  0x12, 0, 3, 0, 0, 0, 1, 0,    0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(sizeof LITTLE, sizeof BIG);
    memcpy(to, big ? BIG : LITTLE, sizeof BIG);
    to[big ? 31 : 30] = (uint8_t)orientation;
    return sizeof BIG;
}

static struct file turned(const char *name, int orientation, bool big)
{
    struct file file = read_file(name);
    uint8_t tiff[64];
    size_t n = make_tiff(orientation, big, tiff);
    if (strstr(name, ".jpg")) {
        uint8_t segment[10] = {0xff, 0xe1, 0, (uint8_t)(n + 8), 'E', 'x', 'i', 'f', 0, 0};
        insert(&file, 2, tiff, n);
        insert(&file, 2, segment, sizeof segment);
    } else if (strstr(name, ".png")) { /* behind IHDR; nobody looks at its check sum */
        uint8_t chunk[8] = {0, 0, 0, (uint8_t)n, 'e', 'X', 'I', 'f'};
        insert(&file, 33, "\0\0\0", 4);
        insert(&file, 33, tiff, n);
        insert(&file, 33, chunk, sizeof chunk);
    } else {
        uint8_t chunk[8] = {'E', 'X', 'I', 'F', (uint8_t)n, 0, 0, 0};
        insert(&file, file.length, chunk, sizeof chunk);
        insert(&file, file.length, tiff, n);
        for (int i = 0; i < 4; i++)
            file.bytes[4 + i] = (uint8_t)((file.length - 8) >> (8 * i));
    }
    return file;
}

static void decode(const struct file *file, int width, int height, uint32_t *rgb)
{
    const struct cp_footage_spec spec = {.width = width, .height = height};
    struct cp_footage *footage;
    struct cp_error error = {.text = ""};
    if (cp_footage_open(file->bytes, file->length, &spec, &footage, &error))
        fail_msg("%s", error.text);
    memcpy(rgb, cp_footage_frame(footage, 0)->rgb, (size_t)(width * height) * sizeof *rgb);
    cp_ref_drop(footage);
}

/* Where the pixel (x, y) of the upright picture lies in the stored one, by EXIF's words for each orientation:
 * which sides of the upright picture the stored first row and first column are. */
static void stored_place(int orientation, int x, int y, int *ret_x, int *ret_y)
{
    int right = SIDE - 1 - x, bottom = SIDE - 1 - y;
    const int place[9][2] = {
        {x, y},          {x, y},      {right, y}, /* 1: top, left; 2: top, right */
        {right, bottom}, {x, bottom},             /* 3: bottom, right; 4: bottom, left */
        {y, x},          {y, right},              /* 5: left, top; 6: right, top */
        {bottom, right}, {bottom, x},             /* 7: right, bottom; 8: left, bottom */
    };
    *ret_x = place[orientation][0];
    *ret_y = place[orientation][1];
}

static double difference(uint32_t a, uint32_t b)
{
    double sum = 0;
    for (int k = 0; k < 3; k++)
        sum += abs((int)(a >> (10 * k) & 1023) - (int)(b >> (10 * k) & 1023)) / 3.0;
    return sum;
}

/* Mean difference of the turned picture from the stored one, seen as an orientation says. */
static double compare(const uint32_t *stored, const uint32_t *seen, int orientation)
{
    double sum = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int sx, sy;
            stored_place(orientation, x, y, &sx, &sy);
            sum += difference(stored[sy * SIDE + sx], seen[y * SIDE + x]);
        }
    return sum / (SIDE * SIDE);
}

static void pictures_are_turned_as_they_say(void **state)
{
    static const char *const NAME[] = {"rgb.png", "palette.png", "yuv.jpg", "lossy.webp", "alpha.webp"};
    for (size_t i = 0; i < sizeof NAME / sizeof NAME[0]; i++) {
        uint32_t stored[SIDE * SIDE], seen[SIDE * SIDE];
        struct file plain = read_file(NAME[i]);
        decode(&plain, SIDE, SIDE, stored);
        for (int orientation = 1; orientation <= 8; orientation++) {
            struct file file = turned(NAME[i], orientation, orientation % 2);
            assert_int_equal(cp_picture_orientation(file.bytes, file.length), orientation);
            decode(&file, SIDE, SIDE, seen);
            assert_true(compare(stored, seen, orientation) < 4);
            for (int other = 1; other <= 8; other++) /* and the picture tells them apart */
                if (other != orientation)
                    assert_true(compare(stored, seen, other) > 20);
        }
    }
}

/* Lying on its side, a wide picture fills an upright frame wholly: its corners are there. */
static void sides_change_places(void **state)
{
    uint32_t stored[32 * 18], seen[18 * 32];
    struct file plain = read_file("rgb.png"), file = turned("rgb.png", 6, false);
    decode(&plain, 32, 18, stored);
    decode(&file, 18, 32, seen);
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 18; x++)
            assert_true(difference(seen[y * 18 + x], stored[(17 - x) * 32 + y]) < 2);
}

static void what_cannot_be_believed_is_left_as_it_is(void **state)
{
    struct file file = turned("yuv.jpg", 6, false);
    for (size_t cut = 0; cut < file.length; cut++) { /* never beyond the end: under valgrind or ASan */
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, file.bytes, cut);
        int orientation = cp_picture_orientation(exact, cut);
        assert_true(orientation == 1 || orientation == 6);
        free(exact);
    }
    static const int BAD[] = {0, 9, 255};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct file bad = turned("rgb.png", BAD[i], true);
        assert_int_equal(cp_picture_orientation(bad.bytes, bad.length), 1);
    }
    /* A directory beyond the end, one of 65,535 entries, a value of another type. */
    static const struct {
        size_t at;
        uint8_t value;
    } BREAK[] = {{4, 0xff}, {7, 0xff}, {24, 4}, {26, 2}, {2, 43}};
    for (size_t i = 0; i < sizeof BREAK / sizeof BREAK[0]; i++) {
        file = turned("yuv.jpg", 6, false);
        file.bytes[12 + BREAK[i].at] = BREAK[i].value;
        assert_int_equal(cp_picture_orientation(file.bytes, file.length), 1);
    }
    file = turned("yuv.jpg", 6, false);
    file.bytes[12 + 8] = file.bytes[12 + 9] = 0xff;
    assert_int_equal(cp_picture_orientation(file.bytes, file.length), 6); /* found before the end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_turned_as_they_say),
        cmocka_unit_test(sides_change_places),
        cmocka_unit_test(what_cannot_be_believed_is_left_as_it_is),
    };
    cp_render_route_libav_log();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
