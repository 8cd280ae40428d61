#include "loft.h"

enum { ROWS_MAX = 64 };

static vec3 lay(sdf_field *field, const struct character *c, vec3 p, float lift, bool from_front)
{
    if (!from_front)
        return sd_project(field, c, p, lift);
    float start = p.z;
    p.z = 14;
    for (int k = 0; k < 60 && p.z > -8; k++) {
        float d = field(c, p) - lift;
        if (fabsf(d) < 0.003f)
            return p;
        p.z -= d * 0.7f;
    }
    p.z = start; /* past the body: the nearest surface instead */
    return sd_project(field, c, p, lift);
}

void part_add_sheet(struct part *part, sdf_field *field, const struct character *c, const struct sheet *sheet)
{
    bool tucked = sheet->end_drop > 0;
    int first = part->n_vertices, n = sheet->steps_along, across = sheet->steps_across, lines = 0;
    for (int i = tucked ? -1 : 0; i <= (tucked ? n + 1 : n); i++, lines++) {
        float t = clampf((float)i / (float)n, 0, 1), drop = i < 0 || i > n ? sheet->end_drop : 0;
        vec3 control[6];
        for (int r = 0; r < sheet->n_rows; r++)
            control[r] = lay(field, c, curve_at(sheet->rows[r].points, sheet->n_points, t),
                             sheet->rows[r].lift - drop, sheet->from_front);
        for (int k = 0; k <= across; k++) {
            struct vertex v = {.tangent = {0, 1, 0}, .occlusion = 1};
            v.position = v.anchor = curve_at(control, sheet->n_rows, (float)k / (float)across);
            part_add_vertex(part, &v);
        }
    }
    /* which way is out: against the field's gradient in the middle of the sheet, on the side of its last
     * rows: collars stand up before they fall back */
    int middle = first + lines / 2 * (across + 1) + across * 2 / 3;
    const struct vertex *v = part->vertices;
    vec3 face = cross(sub(v[middle + across + 1].position, v[middle].position),
                      sub(v[middle + 1].position, v[middle].position));
    bool flip = dot(face, sd_gradient(field, c, v[middle].position, 0.1f)) < 0;
    for (int i = 0; i + 1 < lines; i++)
        for (int k = 0; k < across; k++) {
            int a = first + i * (across + 1) + k, b = a + across + 1;
            if (flip)
                part_add_quad(part, a, a + 1, b + 1, b);
            else
                part_add_quad(part, a, b, b + 1, a + 1);
        }
}

void sheet_unfold(struct sheet *sheet)
{
    int n = sheet->n_points;
    for (int r = 0; r < sheet->n_rows; r++) {
        vec3 *p = sheet->rows[r].points;
        for (int i = n - 1; i >= 0; i--) { /* the middle point stays single */
            p[n - 1 + i] = p[i];
        }
        for (int i = 0; i < n - 1; i++)
            p[i] = mirror(p[2 * n - 2 - i]);
    }
    sheet->n_points = 2 * n - 1;
}

void part_add_ball(struct part *part, vec3 center, vec3 axis, float radius, float squash, int rings,
                   int sectors)
{
    vec3 side = unit(cross(fabsf(axis.y) < 0.9f ? v3(0, 1, 0) : v3(1, 0, 0), axis)),
         other = cross(axis, side);
    int first = part->n_vertices;
    for (int r = 0; r <= rings; r++)
        for (int k = 0; k < sectors; k++) {
            float polar = (float)r / (float)rings * 3.14159265f,
                  around = (float)k / (float)sectors * 6.2831853f;
            vec3 radial = add(scale(side, cosf(around)), scale(other, sinf(around)));
            vec3 d = add(scale(axis, cosf(polar) * squash), scale(radial, sinf(polar)));
            struct vertex v = {.position = along(center, d, radius), .tangent = side, .occlusion = 1};
            v.normal = unit(add(scale(axis, cosf(polar) / squash), scale(radial, sinf(polar))));
            v.anchor = v.position;
            part_add_vertex(part, &v);
        }
    for (int r = 0; r < rings; r++)
        for (int k = 0; k < sectors; k++) {
            int a = first + r * sectors + k, b = first + r * sectors + (k + 1) % sectors;
            if (r > 0)
                part_add_triangle(part, a, b + sectors, b);
            if (r + 1 < rings)
                part_add_triangle(part, a, a + sectors, b + sectors);
        }
}
