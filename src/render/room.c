/* Building a room: what stands where. Rays are cast in room_paint.c. */
#include "render/room.h"

#include <math.h>

struct rgb cp_room_color(unsigned rrggbb, float scale)
{
    float out[3];
    for (int k = 0; k < 3; k++) {
        float c = (float)(rrggbb >> (16 - 8 * k) & 255) / 255;
        out[k] = scale * (c <= 0.04045f ? c / 12.92f : powf((c + 0.055f) / 1.055f, 2.4f));
    }
    return (struct rgb){out[0], out[1], out[2]};
}

int cp_room_material(struct room *room, struct material material)
{
    if (room->n_materials == ROOM_MAX_MATERIALS)
        return 0;
    if (material.scale <= 0)
        material.scale = 1;
    room->material[room->n_materials] = material;
    return room->n_materials++;
}

void cp_room_box(struct room *room, int material, float x0, float x1, float y0, float y1, float z0, float z1)
{
    if (room->n_boxes < ROOM_MAX_BOXES)
        room->box[room->n_boxes++] = (struct box){{x0, y0, z0}, {x1, y1, z1}, material};
}

void cp_room_ball(struct room *room, int material, float x, float y, float z, float radius)
{
    if (room->n_balls < ROOM_MAX_BALLS)
        room->ball[room->n_balls++] = (struct ball){{x, y, z}, radius, material};
}

void cp_room_tube(struct room *room, struct rgb color, float x0, float y0, float z0, float x1, float y1,
                  float z1)
{
    if (room->n_lamps < ROOM_MAX_LAMPS)
        room->lamp[room->n_lamps++] = (struct lamp){{x0, y0, z0}, {x1, y1, z1}, color, false};
}

void cp_room_lamp(struct room *room, struct rgb color, bool shadow, float x, float y, float z)
{
    if (room->n_lamps < ROOM_MAX_LAMPS)
        room->lamp[room->n_lamps++] = (struct lamp){{x, y, z}, {x, y, z}, color, shadow};
}
