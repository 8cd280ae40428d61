/*
 * What makes one presenter differ from another: a table of numbers and colours, read from a .cast file of
 * `name = value` lines. Lengths are centimetres, colours #rrggbb in sRGB, shares 0..1.
 */
#ifndef CAST_CHARACTER_H
#define CAST_CHARACTER_H

#include "vec.h"

#include <stddef.h>

/* name, default, help */
#define CHARACTER_NUMBERS(X)                                                                                 \
    X(height_m, 1.60f, "height of the eyes above the floor, metres")                                         \
    X(eye_apart, 3.30f, "from the middle of the face to the centre of an eyeball")                           \
    X(eye_depth, 5.32f, "how far forward the eyeball's centre lies")                                         \
    X(eye_radius, 2.05f, "eyeball")                                                                          \
    X(eye_width, 1.66f, "half the width of the eye's opening")                                               \
    X(eye_upper, 0.84f, "opening above the pupil")                                                           \
    X(eye_lower, 0.70f, "opening below the pupil")                                                           \
    X(eye_tilt, 0.40f, "how much higher the outer corner stands")                                            \
    X(iris_radius, 1.10f, "iris")                                                                            \
    X(pupil_radius, 0.46f, "pupil")                                                                          \
    X(brow_height, 0.0f, "moves the brows up")                                                               \
    X(brow_arch, 1.0f, "how much the brows arch")                                                            \
    X(brow_weight, 1.0f, "thickness of the brows")                                                           \
    X(mouth_width, 2.45f, "half the width of the mouth")                                                     \
    X(lip_upper, 0.66f, "height of the upper lip")                                                           \
    X(lip_lower, 0.86f, "height of the lower lip")                                                           \
    X(nose_width, 1.0f, "share of the nose's width")                                                         \
    X(nose_length, 0, "how much lower the tip of the nose is, cm")                                           \
    X(nose_reach, 0, "how much further forward it is, cm")                                                   \
    X(nose_bridge, 0, "how much higher its bridge is, cm")                                                   \
    X(nose_turn, 0, "1: the tip turned up, -1: hanging")                                                     \
    X(brow_ridge, 0, "how far the bone over the eyes stands out, cm")                                        \
    X(forehead_slope, 0, "how far the forehead leans back, cm")                                              \
    X(skull_width, 1.0f, "share of the width of the head above the cheeks")                                  \
    X(skull_depth, 1.0f, "share of the depth of the back of the head")                                       \
    X(cheekbone, 0, "share by which the face is wider at the cheekbones")                                    \
    X(jaw_corner, 0, "share by which the jaw is wider at its corners")                                       \
    X(chin_reach, 0, "how much further forward the chin is, cm")                                             \
    X(chin_drop, 0, "and how much lower, cm")                                                                \
    X(lip_reach, 0, "how much further forward mouth and teeth are, cm")                                      \
    X(ear_size, 1.0f, "share of the ears' size")                                                             \
    X(ear_out, 0, "how far the ears stand off the head, cm")                                                 \
    X(cranium_lower, 1.0f, "how much lower the crown and hairline stand")                                    \
    X(face_narrow, 0.05f, "share by which the face is narrower")                                             \
    X(midface_lift, 0.95f, "shortens the face between nose and chin")                                        \
    X(jaw_narrow, 0.05f, "share by which the jaw is narrower")                                               \
    X(cheek_fullness, 1.0f, "share of the cheeks' volume")                                                   \
    X(neck_width, 0.93f, "share of the neck's width")                                                        \
    X(shoulder_width, 14.2f, "from the middle to the shoulder joint")                                        \
    X(hand_size, 1.0f, "share of the hands' length, 18 cm")                                                  \
    X(hair_length, 1.0f, "share of the hair's length")                                                       \
    X(hair_volume, 1.0f, "share of the hair's lift off the skull")                                           \
    X(hair_wave, 1.0f, "how wavy")                                                                           \
    X(hair_cut_front, 1.0f, "share of a lock's length that is left, at the forehead")                        \
    X(hair_cut_back, 1.0f, "and at the back of the head")                                                    \
    X(hair_hug, 0.0f, "1: the ends lie on the head")                                                         \
    X(nape, 1.0f, "share of the hair's length at the nape")                                                  \
    X(hair_style, 0, "0 long locks from a parting, 1 short and combed back, 2 gathered in a bun, 3 none")    \
    X(hair_grey, 0.0f, "share of grey locks, most at the temples")                                           \
    X(stubble, 0.0f, "how dark a shaven or bearded jaw is")                                                  \
    X(folds, 0.25f, "depth of the folds from nose to mouth")                                                 \
    X(age, 0.1f, "depth of the lines that come with the years")                                              \
    X(freckles, 0.15f, "how many freckles")                                                                  \
    X(lash_length, 1.0f, "share of the lashes' length")                                                      \
    X(liner, 1.0f, "how dark the line of the lashes is")                                                     \
    X(bust, 1.0f, "share of the bust")                                                                       \
    X(waist, 1.0f, "how much the waist is taken in")                                                         \
    X(chin_width, 1.65f, "half the width of the chin")                                                       \
    X(neckline_rise, 0.0f, "how much higher the blouse closes")                                              \
    X(jacket, 1, "1 blazer, 0 none")                                                                         \
    X(jacket_length, -65.0f, "height of its hem, from the eyes")                                             \
    X(jacket_button, -42.0f, "height of its upper button")                                                   \
    X(jacket_weave, 1, "1 twill, 2 herringbone")                                                             \
    X(lapel_width, 0.9f, "share of the lapels' width")                                                       \
    X(top, 0, "0 blouse, 1 shirt with a collar, 2 jumper with a round neck, 3 with a rolled collar")         \
    X(collar_open, 0, "1: the shirt's top button is open")                                                   \
    X(tie, 0, "1 for one")                                                                                   \
    X(earrings, 1.0f, "0 for none")                                                                          \
    X(hair_seed, 7, "another seed, other locks")

#define CHARACTER_COLORS(X)                                                                                  \
    X(skin, 0xDBA78C, "skin")                                                                                \
    X(skin_light, 0xE4B096, "skin of the forehead")                                                          \
    X(blush, 0xDC9480, "cheeks, nose, ears")                                                                 \
    X(lip, 0xB25B58, "lower lip")                                                                            \
    X(lip_dark, 0x9E4A4A, "upper lip")                                                                       \
    X(iris, 0x4E3018, "iris")                                                                                \
    X(iris_rim, 0x1B0E08, "rim of the iris")                                                                 \
    X(brow, 0x4A3325, "brows")                                                                               \
    X(hair, 0x402A1D, "hair at the root")                                                                    \
    X(hair_tip, 0x6A4630, "hair at the tip")                                                                 \
    X(blazer, 0x161F33, "blazer")                                                                            \
    X(blouse, 0xE6E0D6, "blouse, shirt or jumper")                                                           \
    X(skirt, 0x141A28, "trousers")                                                                           \
    X(tie, 0x5A2430, "tie")                                                                                  \
    X(button, 0x2A2320, "buttons")                                                                           \
    X(jewel, 0xF0E6DA, "earrings")                                                                           \
    X(grey, 0x8E8A86, "grey hair")

struct character {
    char name[48];
#define X(name, value, help) float name;
    CHARACTER_NUMBERS(X)
#undef X
    struct {
#define X(name, value, help) vec3 name; /* linear */
        CHARACTER_COLORS(X)
#undef X
    } color;
};

enum { CHARACTER_VARIANTS_MAX = 16, CHARACTER_VARIANT_BYTES = 32 };

void character_defaults(struct character *c);
/*
 * Reads a .cast text over the values that are there. A line `variant NAME: a = 1, b = #aabbcc` counts only
 * when `variant` is its name (NULL or "": none), whatever its place in the text, but is checked always.
 * Returns 0, or the number of the line that is wrong (with what is wrong in `error`); an unknown variant is
 * line 1.
 */
int character_parse_variant(struct character *c, const char *text, const char *variant, char *error,
                            size_t error_bytes);
int character_parse(struct character *c, const char *text, char *error, size_t error_bytes);
/* The names of a text's variants, in its order. Returns how many. */
int character_variants(const char *text, char (*ret_names)[CHARACTER_VARIANT_BYTES], int max);

#endif
