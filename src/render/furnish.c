/* The rooms: what stands in each set. Metres; the presenter stands at the origin, the cameras at +z. */
#include "render/room.h"

#include <math.h>
#include <string.h>

static int paint(struct room *room, unsigned rrggbb)
{
    return cp_room_material(room, (struct material){.albedo = cp_room_color(rrggbb, 1)});
}

static int finished(struct room *room, enum finish finish, unsigned rrggbb, float scale, float gloss)
{
    return cp_room_material(
        room, (struct material){
                  .albedo = cp_room_color(rrggbb, 1), .finish = finish, .scale = scale, .gloss = gloss});
}

static int glowing(struct room *room, unsigned rrggbb, float amount)
{
    return cp_room_material(room, (struct material){.glow = cp_room_color(rrggbb, amount)});
}

static struct rgb light(unsigned rrggbb, float amount)
{
    return cp_room_color(rrggbb, amount);
}

/* Leaves on a few stems in a pot. */
static void plant(struct room *room, float x, float z, float height, int pot, int leaves, float y0)
{
    cp_room_box(room, pot, x - 0.11f, x + 0.11f, y0, y0 + 0.24f, z - 0.11f, z + 0.11f);
    for (int i = 0; i < 18; i++) {
        float t = (float)i / 17, turn = 2.4f * (float)i, out = 0.07f + 0.17f * sinf(3.1f * t + 0.2f);
        cp_room_ball(room, leaves, x + out * cosf(turn), y0 + 0.28f + t * (height - 0.30f),
                     z + out * sinf(turn), 0.085f - 0.045f * t);
    }
}

/* Boards with a row of things on each, and a line of light below every board. */
static void shelves(struct room *room, int board, int things, int lit, struct rgb color, float x0, float x1,
                    float z, int n, float y0)
{
    for (int i = 0; i < n; i++) {
        float y = y0 + 0.36f * (float)i;
        cp_room_box(room, board, x0, x1, y - 0.03f, y, z, z + 0.30f);
        cp_room_box(room, things, x0 + 0.04f, x1 - 0.04f, y, y + 0.345f, z + 0.02f, z + 0.20f);
        if (lit >= 0) {
            cp_room_box(room, lit, x0 + 0.02f, x1 - 0.02f, y + 0.322f, y + 0.330f, z + 0.285f, z + 0.298f);
            cp_room_tube(room, color, x0 + 0.1f, y + 0.30f, z + 0.27f, x1 - 0.1f, y + 0.30f, z + 0.27f);
        }
    }
}

/* An evening room above the town: a wide window, slats and shelves, lamps that are on. */
static void studio(struct room *room)
{
    int wall = finished(room, FINISH_PLASTER, 0x4a4046, 1, 0),
        floor = finished(room, FINISH_PLANKS, 0x5a3a28, 0.14f, 0.5f);
    int slat = finished(room, FINISH_SLATS, 0x8c6448, 0.085f, 0), dark = paint(room, 0x17151a),
        board = paint(room, 0x5d3a22);
    int city = finished(room, FINISH_CITY, 0x05070c, 1, 0),
        books = finished(room, FINISH_BOOKS, 0x2a1d16, 0.042f, 0);
    int sofa = finished(room, FINISH_FABRIC, 0x2f4a4d, 1, 0),
        pillow = finished(room, FINISH_FABRIC, 0xb5643c, 1, 0);
    int strip = glowing(room, 0xffb066, 5.0f), bulb = glowing(room, 0xffb873, 9),
        shade = glowing(room, 0xffc58a, 1.7f);
    int pot = paint(room, 0xb9a184), leaves = finished(room, FINISH_LEAVES, 0x47713f, 1, 0),
        brass = paint(room, 0xa8793f);
    const struct rgb warm = light(0xffa860, 0.28f);
    room->ambient = light(0x8f86a8, 0.14f);
    room->exposure = 1.05f;
    cp_room_box(room, wall, -5, 5, 0, 3.3f, -4, 6);
    cp_room_box(room, floor, -5, 5, -0.05f, 0.001f, -4, 6);
    /* The window and its frame. */
    cp_room_box(room, city, -4.6f, -0.72f, 0.75f, 2.75f, -4.0f, -3.97f);
    for (int i = 0; i <= 4; i++) {
        float x = -4.62f + 0.975f * (float)i;
        cp_room_box(room, dark, x - 0.025f, x + 0.025f, 0.7f, 2.8f, -3.97f, -3.90f);
    }
    cp_room_box(room, dark, -4.65f, -0.70f, 2.75f, 2.82f, -3.97f, -3.88f);
    cp_room_box(room, board, -4.65f, -0.70f, 0.68f, 0.74f, -3.97f, -3.70f);
    cp_room_box(room, dark, -4.65f, -0.70f, 1.98f, 2.01f, -3.97f, -3.92f);
    /* The slatted wall where the screen hangs, with light from above and below. */
    cp_room_box(room, slat, -0.62f, 2.30f, 0.10f, 3.0f, -3.80f, -3.55f);
    cp_room_box(room, strip, -0.60f, 2.28f, 2.985f, 3.0f, -3.54f, -3.51f);
    cp_room_tube(room, light(0xffb070, 0.80f), -0.6f, 2.96f, -3.46f, 2.28f, 2.96f, -3.46f);
    cp_room_tube(room, light(0xffa860, 0.40f), -0.6f, 0.12f, -3.40f, 2.28f, 0.12f, -3.40f);
    cp_room_box(room, strip, -0.665f, -0.650f, 0.1f, 3.0f, -3.60f, -3.58f);
    cp_room_tube(room, light(0xffa860, 0.22f), -0.66f, 0.2f, -3.52f, -0.66f, 2.9f, -3.52f);
    shelves(room, board, books, strip, warm, 2.45f, 4.6f, -3.85f, 6, 0.55f);
    /* A sofa under the window, a lamp beside it. */
    cp_room_box(room, sofa, -3.9f, -1.5f, 0.12f, 0.44f, -3.3f, -2.45f);
    cp_room_box(room, sofa, -3.9f, -1.5f, 0.44f, 0.86f, -3.5f, -3.2f);
    cp_room_box(room, sofa, -4.05f, -3.8f, 0.12f, 0.62f, -3.3f, -2.45f);
    cp_room_box(room, sofa, -1.6f, -1.35f, 0.12f, 0.62f, -3.3f, -2.45f);
    cp_room_box(room, pillow, -3.2f, -2.8f, 0.46f, 0.84f, -3.2f, -3.05f);
    cp_room_box(room, pillow, -2.0f, -1.66f, 0.46f, 0.80f, -3.2f, -3.05f);
    cp_room_box(room, brass, -1.12f, -1.10f, 0, 1.45f, -2.92f, -2.90f);
    cp_room_box(room, shade, -1.29f, -0.93f, 1.42f, 1.76f, -3.09f, -2.73f);
    cp_room_lamp(room, light(0xffb46c, 0.75f), true, -1.11f, 1.88f, -2.91f);
    cp_room_lamp(room, light(0xffb46c, 0.55f), false, -1.11f, 1.25f, -2.7f);
    /* Bulbs on cords. */
    for (int i = 0; i < 3; i++) {
        float x = -2.05f - 0.42f * (float)i, y = 2.25f - 0.16f * (float)(i % 2), z = -2.3f - 0.2f * (float)i;
        cp_room_box(room, dark, x - 0.004f, x + 0.004f, y, 3.3f, z - 0.004f, z + 0.004f);
        cp_room_ball(room, bulb, x, y, z, 0.055f);
        cp_room_lamp(room, light(0xffb46c, 0.16f), false, x, y - 0.1f, z);
    }
    plant(room, 2.05f, -2.9f, 1.25f, pot, leaves, 0);
    plant(room, -4.3f, -2.6f, 1.5f, pot, leaves, 0);
    cp_room_lamp(room, light(0xfff0e0, 0.9f), false, 0.5f, 3.1f, 1.0f);
}

/* A newsroom at work: a wall of light, glass, rows of desks with screens, a polished floor. */
static void newsroom(struct room *room)
{
    int wall = finished(room, FINISH_PANELS, 0x27364d, 1.2f, 0.1f),
        floor = finished(room, FINISH_PANELS, 0x101722, 1.5f, 0.9f);
    int led = finished(room, FINISH_WAVES, 0x020408, 1, 0), dark = paint(room, 0x0c1118),
        steel = finished(room, FINISH_PAINT, 0x6c7f94, 1, 0.3f);
    int screens = finished(room, FINISH_MONITOR, 0x05080d, 0.62f, 0),
        small = finished(room, FINISH_MONITOR, 0x05080d, 0.40f, 0);
    int white = glowing(room, 0xcfe4ff, 3.2f), blue = glowing(room, 0x2b8cff, 3.0f),
        amber = glowing(room, 0xff8a2b, 2.6f);
    int desk = finished(room, FINISH_PAINT, 0x39485c, 1, 0.35f), coat = paint(room, 0x1d2430),
        skin = paint(room, 0x8a5f4b);
    room->ambient = light(0x6f93c9, 0.16f);
    room->exposure = 1.1f;
    cp_room_box(room, wall, -6.5f, 6.5f, 0, 4.2f, -6.5f, 6);
    cp_room_box(room, floor, -6.5f, 6.5f, -0.05f, 0.001f, -6.5f, 6);
    /* The wall of light, framed. */
    cp_room_box(room, led, -2.5f, 2.5f, 0.55f, 3.15f, -5.0f, -4.9f);
    cp_room_box(room, dark, -2.62f, -2.5f, 0.4f, 3.3f, -5.05f, -4.8f);
    cp_room_box(room, dark, 2.5f, 2.62f, 0.4f, 3.3f, -5.05f, -4.8f);
    cp_room_box(room, dark, -2.62f, 2.62f, 3.15f, 3.32f, -5.05f, -4.8f);
    cp_room_box(room, white, -2.6f, 2.6f, 3.33f, 3.36f, -4.9f, -4.86f);
    cp_room_box(room, amber, -2.6f, 2.6f, 0.40f, 0.43f, -4.79f, -4.76f);
    cp_room_tube(room, light(0xff9a4a, 0.30f), -2.4f, 0.42f, -4.5f, 2.4f, 0.42f, -4.5f);
    cp_room_tube(room, light(0x7fb6ff, 0.9f), -2.3f, 1.7f, -4.6f, 2.3f, 1.7f, -4.6f);
    /* Monitors to the sides, in two heights. */
    for (int side = -1; side <= 1; side += 2) {
        float x0 = side < 0 ? -6.2f : 2.86f, x1 = x0 + 3.34f;
        cp_room_box(room, screens, x0, x1, 1.05f, 2.80f, -5.6f, -5.5f);
        cp_room_box(room, dark, x0, x1, 2.80f, 2.9f, -5.6f, -5.45f);
        cp_room_box(room, amber, x0, x1, 0.96f, 0.99f, -5.5f, -5.47f);
        cp_room_tube(room, light(0x66a8ff, 0.55f), x0 + 0.4f, 1.9f, -5.1f, x1 - 0.4f, 1.9f, -5.1f);
        cp_room_tube(room, light(0xff8a2b, 0.25f), x0 + 0.2f, 0.94f, -5.3f, x1 - 0.2f, 0.94f, -5.3f);
        /* Glass fins with a line of light on the edge. */
        for (int i = 0; i < 3; i++) {
            float x = (float)side * (2.85f + 0.9f * (float)i), z = -3.6f + 0.5f * (float)i;
            cp_room_box(room, steel, x - 0.03f, x + 0.03f, 0, 3.4f, z - 0.25f, z);
            cp_room_box(room, i % 2 ? blue : white, x - 0.012f, x + 0.012f, 0.1f, 3.3f, z, z + 0.015f);
            cp_room_tube(room, light(i % 2 ? 0x2b8cff : 0xcfe4ff, 0.22f), x, 0.3f, z + 0.12f, x, 3.1f,
                         z + 0.12f);
        }
    }
    /* People at desks, low behind the presenter. */
    for (int i = 0; i < 6; i++) {
        float x = -3.6f + 1.44f * (float)i, z = i % 2 ? -3.5f : -4.2f;
        cp_room_box(room, desk, x - 0.62f, x + 0.62f, 0.70f, 0.74f, z - 0.3f, z + 0.3f);
        cp_room_box(room, desk, x - 0.60f, x + 0.60f, 0.05f, 0.70f, z + 0.24f, z + 0.28f);
        cp_room_box(room, blue, x - 0.60f, x + 0.60f, 0.655f, 0.668f, z + 0.281f, z + 0.286f);
        cp_room_box(room, small, x - 0.46f, x - 0.06f, 0.84f, 1.10f, z + 0.05f, z + 0.08f);
        cp_room_box(room, small, x - 0.02f, x + 0.38f, 0.84f, 1.10f, z + 0.05f, z + 0.08f);
        if (i % 3 != 1) {
            cp_room_ball(room, coat, x + 0.1f, 0.92f, z - 0.35f, 0.21f);
            cp_room_ball(room, skin, x + 0.1f, 1.24f, z - 0.33f, 0.105f);
        }
    }
    /* Light in lines along the ceiling. */
    for (int i = -2; i <= 2; i++) {
        float x = 1.7f * (float)i;
        cp_room_box(room, white, x - 0.05f, x + 0.05f, 3.9f, 3.93f, -6.2f, 1.0f);
        cp_room_box(room, steel, x + 0.55f, x + 0.62f, 3.75f, 3.85f, -6.4f, 1.0f);
    }
    cp_room_tube(room, light(0xcfe4ff, 1.6f), -1.7f, 3.8f, -5.5f, -1.7f, 3.8f, 1);
    cp_room_tube(room, light(0xcfe4ff, 1.6f), 1.7f, 3.8f, -5.5f, 1.7f, 3.8f, 1);
}

/* A bright shop: oak shelves with goods in arches of light, a counter, pendant globes, plants. */
static void shop(struct room *room)
{
    int wall = finished(room, FINISH_PLASTER, 0xe9dccb, 1, 0),
        floor = finished(room, FINISH_PANELS, 0xb9a58c, 0.8f, 0.35f);
    int niche = finished(room, FINISH_PLASTER, 0x9fb5a3, 1, 0),
        oak = finished(room, FINISH_PLANKS, 0xc08f5a, 0.11f, 0);
    int goods = finished(room, FINISH_GOODS, 0x8fa392, 0.105f, 0),
        tile = finished(room, FINISH_BRICK, 0xe2d8c4, 0.34f, 0.2f);
    int strip = glowing(room, 0xffe2b0, 3.6f), globe = glowing(room, 0xfff0d6, 3.6f),
        brass = paint(room, 0xb98b46);
    int terra = paint(room, 0xc7714a), leaves = finished(room, FINISH_LEAVES, 0x5e8f4a, 1, 0),
        white = paint(room, 0xf3eee4);
    const struct rgb glow = light(0xffdca8, 0.32f);
    room->ambient = light(0xfff4e6, 0.34f);
    room->exposure = 0.82f;
    cp_room_box(room, wall, -4.6f, 4.6f, 0, 3.1f, -3.6f, 6);
    cp_room_box(room, floor, -4.6f, 4.6f, -0.05f, 0.001f, -3.6f, 6);
    for (int i = 0; i < 4; i++) { /* niches with shelves */
        float x0 = -4.25f + 2.22f * (float)i, x1 = x0 + 1.78f;
        if (i == 2)
            continue; /* the display hangs here */
        cp_room_box(room, niche, x0, x1, 0.42f, 2.58f, -3.6f, -3.56f);
        cp_room_box(room, oak, x0 - 0.06f, x0, 0.36f, 2.64f, -3.6f, -3.22f);
        cp_room_box(room, oak, x1, x1 + 0.06f, 0.36f, 2.64f, -3.6f, -3.22f);
        cp_room_box(room, oak, x0 - 0.06f, x1 + 0.06f, 2.58f, 2.64f, -3.6f, -3.22f);
        shelves(room, oak, goods, strip, glow, x0, x1, -3.54f, 6, 0.42f);
    }
    /* Tiles and a shelf of plants behind the display. */
    cp_room_box(room, tile, 0.02f, 2.20f, 0.9f, 2.7f, -3.6f, -3.55f);
    cp_room_box(room, oak, 0.0f, 2.2f, 2.70f, 2.75f, -3.6f, -3.25f);
    for (int i = 0; i < 12; i++)
        cp_room_ball(room, leaves, 0.2f + 0.16f * (float)i,
                     2.80f + 0.05f * (float)(i % 3) - 0.06f * (float)(i % 2), -3.38f, 0.10f);
    /* A counter along the back, with jars. */
    cp_room_box(room, oak, -2.2f, 2.6f, 0.0f, 0.88f, -2.7f, -2.25f);
    cp_room_box(room, white, -2.25f, 2.65f, 0.88f, 0.93f, -2.75f, -2.2f);
    for (int i = 0; i < 6; i++) {
        float x = -1.95f + 0.26f * (float)i;
        cp_room_box(room, i % 2 ? terra : white, x, x + 0.16f, 0.93f, 1.08f + 0.05f * (float)(i % 3), -2.6f,
                    -2.44f);
        cp_room_ball(room, brass, x + 0.08f, 1.11f + 0.05f * (float)(i % 3), -2.52f, 0.045f);
    }
    for (int i = 0; i < 4; i++) { /* globes */
        float x = -2.55f + 1.05f * (float)i + (i > 1 ? 0.6f : 0), y = 2.22f + 0.1f * (float)(i % 2);
        cp_room_box(room, brass, x - 0.006f, x + 0.006f, y, 3.1f, -2.106f, -2.094f);
        cp_room_ball(room, globe, x, y, -2.1f, 0.115f);
        cp_room_lamp(room, light(0xffe6c0, 0.40f), i == 1, x, y - 0.16f, -2.0f);
    }
    plant(room, 3.1f, -2.4f, 1.7f, terra, leaves, 0);
    plant(room, -3.1f, -2.2f, 1.2f, white, leaves, 0);
    cp_room_lamp(room, light(0xfff6ea, 2.4f), false, 0, 2.9f, 1.2f);
    cp_room_lamp(room, light(0xfff6ea, 1.2f), true, -2.5f, 2.9f, -0.8f);
}

/* A classroom by day: tall windows, a chalkboard, a wall of books, desks and a globe. */
static void classroom(struct room *room)
{
    int wall = finished(room, FINISH_PLASTER, 0xe4ddc6, 1, 0),
        low = finished(room, FINISH_PANELS, 0xb9986a, 0.9f, 0);
    int floor = finished(room, FINISH_PLANKS, 0xb07c4c, 0.12f, 0.3f),
        board = finished(room, FINISH_BOARD, 0x4c565e, 1, 0);
    int wood = finished(room, FINISH_PLANKS, 0x9c6a3c, 0.09f, 0),
        sky = finished(room, FINISH_SKY, 0x404040, 1, 0), frame = paint(room, 0xf4f1e8);
    int books = finished(room, FINISH_BOOKS, 0x5b4634, 0.045f, 0), red = paint(room, 0xb5483a),
        blue = paint(room, 0x3c6f96), yellow = paint(room, 0xdca93f);
    int globe = paint(room, 0x3f7fa8), land = paint(room, 0x86a55b), paper = paint(room, 0xf6f2e4),
        dark = paint(room, 0x2a2a2c);
    int tubes = glowing(room, 0xfff8e8, 2.2f), leaves = finished(room, FINISH_LEAVES, 0x5c9448, 1, 0);
    room->ambient = light(0xf3f4ee, 0.36f);
    room->exposure = 1.0f;
    cp_room_box(room, wall, -4.2f, 4.4f, 0, 3.2f, -3.8f, 6);
    cp_room_box(room, floor, -4.2f, 4.4f, -0.05f, 0.001f, -3.8f, 6);
    cp_room_box(room, low, -4.2f, 4.4f, 0, 0.95f, -3.8f, -3.78f);
    cp_room_box(room, wood, -4.2f, 4.4f, 0.95f, 1.0f, -3.8f, -3.75f);
    /* Windows: two in the back wall on the left, more along the left wall. */
    for (int i = 0; i < 2; i++) {
        float x0 = -3.75f + 1.15f * (float)i, x1 = x0 + 1.0f;
        cp_room_box(room, sky, x0, x1, 1.02f, 2.75f, -3.8f, -3.79f);
        cp_room_box(room, frame, x0 - 0.06f, x0 + 0.02f, 0.98f, 2.8f, -3.8f, -3.70f);
        cp_room_box(room, frame, x1 - 0.02f, x1 + 0.06f, 0.98f, 2.8f, -3.8f, -3.70f);
        cp_room_box(room, frame, x0 + 0.48f, x0 + 0.52f, 1.0f, 2.8f, -3.8f, -3.74f);
        cp_room_box(room, frame, x0 - 0.06f, x1 + 0.06f, 2.74f, 2.82f, -3.8f, -3.70f);
        cp_room_box(room, frame, x0, x1, 2.08f, 2.12f, -3.8f, -3.74f);
        cp_room_box(room, frame, x0 - 0.10f, x1 + 0.10f, 0.96f, 1.02f, -3.8f, -3.60f);
    }
    for (int i = 0; i < 2; i++) {
        float z0 = -3.2f + 1.7f * (float)i;
        cp_room_box(room, sky, -4.2f, -4.19f, 1.02f, 2.75f, z0, z0 + 1.3f);
        cp_room_box(room, frame, -4.2f, -4.12f, 1.0f, 2.8f, z0 + 0.62f, z0 + 0.68f);
    }
    cp_room_lamp(room, light(0xf2f6ff, 2.6f), true, -3.1f, 2.2f, -2.6f);
    cp_room_lamp(room, light(0xf2f6ff, 2.0f), false, -3.9f, 2.1f, -0.5f);
    plant(room, -2.2f, -3.55f, 0.55f, red, leaves, 1.02f);
    /* The chalkboard in its frame, with a ledge. */
    cp_room_box(room, board, -1.38f, 1.95f, 1.05f, 2.35f, -3.8f, -3.74f);
    cp_room_box(room, wood, -1.45f, 2.02f, 2.35f, 2.42f, -3.8f, -3.70f);
    cp_room_box(room, wood, -1.45f, 2.02f, 0.98f, 1.05f, -3.8f, -3.62f);
    cp_room_box(room, wood, -1.45f, -1.38f, 1.0f, 2.42f, -3.8f, -3.70f);
    cp_room_box(room, wood, 1.95f, 2.02f, 1.0f, 2.42f, -3.8f, -3.70f);
    /* Above it: letters on cards and a clock. */
    for (int i = 0; i < 9; i++)
        cp_room_box(room,
                    i % 3 == 0   ? red
                    : i % 3 == 1 ? yellow
                                 : blue,
                    -1.3f + 0.26f * (float)i, -1.12f + 0.26f * (float)i, 2.52f, 2.74f, -3.8f, -3.785f);
    cp_room_ball(room, dark, 1.45f, 2.68f, -3.92f, 0.24f);
    cp_room_ball(room, paper, 1.45f, 2.68f, -3.90f, 0.225f);
    /* Books on the right, a globe on top of the low ones. */
    cp_room_box(room, wood, 2.25f, 4.3f, 0, 0.06f, -3.8f, -3.4f);
    shelves(room, wood, books, -1, light(0, 0), 2.3f, 4.3f, -3.75f, 6, 0.42f);
    cp_room_box(room, wood, 2.25f, 2.32f, 0, 2.62f, -3.8f, -3.42f);
    /* Desks and chairs in front of it. */
    for (int i = 0; i < 3; i++) {
        float x = -2.6f + 2.1f * (float)i;
        cp_room_box(room, wood, x - 0.55f, x + 0.55f, 0.72f, 0.76f, -2.9f, -2.35f);
        cp_room_box(room, dark, x - 0.52f, x - 0.49f, 0, 0.72f, -2.4f, -2.37f);
        cp_room_box(room, dark, x + 0.49f, x + 0.52f, 0, 0.72f, -2.4f, -2.37f);
        cp_room_box(room, i == 1 ? red : blue, x - 0.12f, x + 0.1f, 0.76f, 0.80f, -2.75f, -2.5f);
    }
    cp_room_ball(room, globe, -2.75f, 1.0f, -2.6f, 0.19f);
    cp_room_ball(room, land, -2.70f, 1.05f, -2.545f, 0.14f);
    cp_room_box(room, dark, -2.83f, -2.67f, 0.76f, 0.80f, -2.7f, -2.5f);
    for (int i = 0; i < 2; i++)
        cp_room_box(room, tubes, -2.0f + 2.6f * (float)i, -0.6f + 2.6f * (float)i, 3.06f, 3.1f, -2.6f, -2.4f);
    cp_room_lamp(room, light(0xfff2dc, 1.7f), false, 0.6f, 3.0f, 0.5f);
    cp_room_lamp(room, light(0xfff0d8, 1.1f), false, 2.6f, 2.6f, -1.6f);
}

bool cp_room_furnish(struct room *room, const char *set)
{
    static const struct {
        const char *set;
        void (*furnish)(struct room *room);
    } ROOM[] = {{"studio", studio}, {"newsroom", newsroom}, {"shop", shop}, {"classroom", classroom}};
    memset(room, 0, sizeof *room);
    for (size_t i = 0; i < sizeof ROOM / sizeof ROOM[0]; i++)
        if (!strcmp(ROOM[i].set, set)) {
            ROOM[i].furnish(room);
            return true;
        }
    return false;
}
