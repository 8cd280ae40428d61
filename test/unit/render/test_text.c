/* Lines of text: where they break, how they run, what fonts they take. */
#include "render/fonts.h"
#include "scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fonts *fonts;
static struct text_block block;

static int open_fonts(void **state)
{
    return cp_fonts_create(&fonts, NULL);
}

static int close_fonts(void **state)
{
    cp_fonts_destroy(fonts);
    return 0;
}

static void lay_out(const char *text, int width_px, int max_lines)
{
    const struct text_style style = {.size_px = 30, .width_px = width_px, .max_lines = max_lines};
    cp_text_lay_out(fonts, text, &style, &block);
}

static void words_break_at_the_width(void **state)
{
    lay_out("one two three four", 120, 4);
    assert_true(block.n_lines >= 2 && !block.cut);
    for (int i = 0; i < block.n_lines; i++)
        assert_true(block.line[i].width_px <= 120);
    lay_out("one two three four", 2000, 4);
    assert_int_equal(block.n_lines, 1);
    lay_out("one\n\n two\nthree", 2000, 4);
    assert_int_equal(block.n_lines, 3);
    lay_out("", 100, 4);
    assert_int_equal(block.n_lines, 0);
    assert_int_equal(block.height_px, 0);
}

static void what_does_not_fit_ends_in_dots(void **state)
{
    lay_out("a long line that cannot stand in so little room", 150, 1);
    assert_int_equal(block.n_lines, 1);
    assert_true(block.cut);
    assert_true(block.line[0].width_px <= 150);
    int n = block.n_glyphs;
    lay_out("\xe2\x80\xa6", 150, 1); /* the last glyph was these dots */
    assert_int_equal(block.n_glyphs, 1);
    uint32_t dots = block.glyph[0].id;
    lay_out("a long line that cannot stand in so little room", 150, 1);
    assert_int_equal(block.glyph[n - 1].id, dots);
    lay_out("first\nsecond", 500, 1);
    assert_true(block.cut);
    lay_out("Donaudampfschifffahrtsgesellschaft", 120, 2); /* a word longer than the line */
    assert_int_equal(block.n_lines, 2);
    assert_true(block.line[0].width_px <= 120 && block.line[1].width_px <= 120);
}

static void hebrew_runs_from_right_to_left(void **state)
{
    lay_out("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", 400, 1); /* shalom: shin, lamed, vav, final mem */
    assert_int_equal(block.n_glyphs, 4);
    assert_true(block.line[0].right_to_left);
    uint32_t leftmost = block.glyph[0].id;
    assert_true(block.glyph[0].x < block.glyph[3].x);
    lay_out("\xd7\x9d", 400, 1);
    assert_int_equal(block.glyph[0].id, leftmost); /* the last letter stands leftmost */
    lay_out("abc \xd7\xa9\xd7\x9c 12", 400, 1);
    assert_false(block.line[0].right_to_left);
}

static void arabic_letters_join(void **state)
{
    lay_out("\xd8\xa8", 400, 1); /* beh alone, then three in a row: first, middle, last */
    uint32_t alone = block.glyph[0].id;
    lay_out("\xd8\xa8\xd8\xa8\xd8\xa8", 400, 1);
    assert_int_equal(block.n_glyphs, 3);
    assert_int_not_equal(block.glyph[1].id, alone);
    assert_int_not_equal(block.glyph[0].id, block.glyph[1].id);
    assert_true(block.line[0].right_to_left);
}

/* Chinese breaks between its characters, where a font has them; where none has, boxes do. */
static void chinese_breaks_between_characters(void **state)
{
    lay_out("\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0\xe5\xa5\xbd", 100, 4);
    assert_true(block.n_lines >= 2);
    for (int i = 0; i < block.n_lines; i++)
        assert_true(block.line[i].width_px <= 100);
}

static void what_no_font_has_is_a_box_and_emoji_are_left_out(void **state)
{
    int before = cp_fonts_missing(fonts);
    lay_out("a\xf0\x93\x80\x80z", 400, 1); /* a hieroglyph */
    assert_true(block.n_glyphs == 3);
    lay_out("a\xf3\xb0\x80\x80z", 400, 1); /* of a private plane: no font has it */
    assert_int_equal(block.n_glyphs, 3);
    assert_int_equal(block.glyph[1].id, 0);
    assert_true(cp_fonts_missing(fonts) > before);
    before = cp_fonts_missing(fonts);
    lay_out("a\xf3\xb0\x80\x80z", 400, 1); /* it is not looked for twice */
    assert_int_equal(cp_fonts_missing(fonts), before);
    lay_out("a\xf0\x9f\xab\xa0z", 400, 1); /* a melting face: a colour font may have it, ours do not */
    assert_true(block.n_glyphs == 2 || block.glyph[1].id != 0);
}

static void any_bytes_are_laid_out(void **state)
{
    static char text[3000];
    for (int seed = 1; seed < 100; seed++) {
        size_t n = (size_t)(seed * 13 % 600);
        srand((unsigned)seed);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(1 + rand() % 255);
        text[n] = 0;
        lay_out(text, 20 + seed, 1 + seed % 9);
        assert_true(block.n_lines <= TEXT_MAX_LINES && block.n_glyphs <= TEXT_MAX_GLYPHS);
    }
    for (int i = 0; i < 2999; i++)
        text[i] = i % 7 ? 'W' : ' ';
    lay_out(text, 500, 6);
    assert_true(block.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_break_at_the_width),
        cmocka_unit_test(what_does_not_fit_ends_in_dots),
        cmocka_unit_test(hebrew_runs_from_right_to_left),
        cmocka_unit_test(arabic_letters_join),
        cmocka_unit_test(chinese_breaks_between_characters),
        cmocka_unit_test(what_no_font_has_is_a_box_and_emoji_are_left_out),
        cmocka_unit_test(any_bytes_are_laid_out),
    };
    return cmocka_run_group_tests(tests, open_fonts, close_fonts);
}
