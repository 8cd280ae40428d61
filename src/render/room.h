/*
 * A room as the set painter sees it: boxes, balls and lamps, in metres. The origin is on the floor under the
 * presenter, who looks along +z; y is up. Used while a set is being made, never while drawing.
 */
#ifndef CP_RENDER_ROOM_H
#define CP_RENDER_ROOM_H

#include <stdbool.h>
#include <stddef.h>

struct rgb { /* linear light */
    float r, g, b;
};

enum finish {
    FINISH_PAINT,
    FINISH_PLASTER, /* soft unevenness */
    FINISH_PLANKS,  /* boards along x, grain along them */
    FINISH_SLATS,   /* upright slats with dark gaps */
    FINISH_BRICK,
    FINISH_PANELS,  /* large sheets with seams */
    FINISH_BOOKS,   /* a row of spines of many colours */
    FINISH_GOODS,   /* a row of bottles, jars and boxes */
    FINISH_CITY,    /* a skyline after sunset: glows by itself */
    FINISH_SKY,     /* daylight over trees: glows by itself */
    FINISH_MONITOR, /* a working screen: glows by itself */
    FINISH_BOARD,   /* a chalkboard that was written on */
    FINISH_WAVES,   /* a wall of light: slow blue arcs, glows by itself */
    FINISH_LEAVES,
    FINISH_FABRIC,
};

struct material {
    struct rgb albedo, glow;
    float gloss; /* 0 matt .. 1 mirror, seen straight on */
    enum finish finish;
    float scale; /* metres: width of a slat, brick, board, book */
};

enum { ROOM_MAX_BOXES = 160, ROOM_MAX_BALLS = 120, ROOM_MAX_LAMPS = 24, ROOM_MAX_MATERIALS = 48 };

struct box {
    float low[3], high[3];
    int material;
};
struct ball {
    float at[3], radius;
    int material;
};
struct lamp { /* a tube of light from a to b; a point when both are equal */
    float a[3], b[3];
    struct rgb color; /* a metre away */
    bool shadow;
};

struct room {
    struct box box[ROOM_MAX_BOXES];
    struct ball ball[ROOM_MAX_BALLS];
    struct lamp lamp[ROOM_MAX_LAMPS];
    struct material material[ROOM_MAX_MATERIALS];
    int n_boxes, n_balls, n_lamps, n_materials;
    struct rgb ambient;
    float exposure;
};

/* Colours of paints are given as they look ("#rrggbb"), made linear here. */
struct rgb cp_room_color(unsigned rrggbb, float scale);
int cp_room_material(struct room *room, struct material material); /* its number */
void cp_room_box(struct room *room, int material, float x0, float x1, float y0, float y1, float z0, float z1);
void cp_room_ball(struct room *room, int material, float x, float y, float z, float radius);
void cp_room_lamp(struct room *room, struct rgb color, bool shadow, float x, float y, float z);
void cp_room_tube(struct room *room, struct rgb color, float x0, float y0, float z0, float x1, float y1,
                  float z1);

/* Fills a room by the set's name. False for a set that is not a room ("plain", "key"). */
bool cp_room_furnish(struct room *room, const char *set);

/* The panorama from `eye`: width x height pixels of 4 floats (linear r, g, b, unused), columns by yaw over
 * span_rad around -z, rows by the tangent of elevation over span_rise. */
void cp_room_paint(const struct room *room, const float eye[3], float span_rad, float span_rise, int width,
                   int height, float *out);

/* What a material looks like at a point of its surface; glow of finishes that shine is added to *glow. */
struct rgb cp_finish_albedo(const struct material *material, const float p[3], const float normal[3],
                            struct rgb *glow);

#endif
