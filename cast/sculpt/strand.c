#include "hair.h"

void part_add_strand(struct part *part, const struct strand_row *rows, int n_rows, int across,
                     const struct strand_look *look)
{
    int first = part->n_vertices;
    for (int i = 0; i < n_rows; i++) {
        const struct strand_row *row = &rows[i];
        vec3 tangent = unit(sub(rows[i + 1 < n_rows ? i + 1 : i].center, rows[i > 0 ? i - 1 : 0].center));
        vec3 normal = unit(along(row->normal, tangent, -dot(row->normal, tangent)));
        vec3 side = cross(tangent, normal);
        float t = (float)i / (float)(n_rows - 1);
        for (int k = 0; k <= across; k++) {
            float x = (float)k / (float)across * 2 - 1, crest = 1 - x * x;
            float slope = 1.6f * x * row->height / maxf(row->half_width, 1e-3f);
            struct vertex v = {
                .position = add(row->center, add(scale(side, x * row->half_width),
                                                 scale(normal, (crest - 0.5f) * row->height))),
                .normal = unit(along(normal, side, across > 1 ? slope : 0)),
                .tangent = tangent,
                .color = blend3(look->root_color, look->tip_color, t * t),
                .occlusion = blend(look->edge_occlusion, look->crest_occlusion, across > 1 ? crest : 1),
                .u = look->u_offset + 0.55f * x * row->half_width,
                .v = t,
                .anchor = row->anchor,
            };
            part_add_vertex(part, &v);
        }
    }
    for (int i = 0; i + 1 < n_rows; i++)
        for (int k = 0; k < across; k++) {
            int a = first + i * (across + 1) + k, b = a + across + 1;
            part_add_triangle(part, a, b + 1, b);
            part_add_triangle(part, a, a + 1, b + 1);
        }
    for (int i = 0; across > 1 && !look->lying && i + 1 < n_rows;
         i++) { /* the flat side, so that no inside is ever seen */
        int a = first + i * (across + 1), b = a + across + 1;
        part_add_triangle(part, a, b + across, a + across);
        part_add_triangle(part, a, b, b + across);
    }
}
