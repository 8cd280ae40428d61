/* Normals and tangents of meshes that come without. */
#include "avatar/load.h"
#include "avatar/transform.h"

void mesh_make_normals(const float (*positions)[3], size_t n_vertices, const uint32_t (*triangles)[3],
                       size_t n_triangles, const uint8_t *touched, float (*normals)[3])
{
    memset(normals, 0, n_vertices * sizeof *normals);
    for (size_t i = 0; i < n_triangles; i++) {
        const uint32_t *t = triangles[i];
        if (touched && !touched[t[0]] && !touched[t[1]] && !touched[t[2]])
            continue;
        float a[3], b[3], n[3]; /* the cross product's length weighs by area */
        vec_sub(positions[t[1]], positions[t[0]], a);
        vec_sub(positions[t[2]], positions[t[0]], b);
        vec_cross(a, b, n);
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 3; k++)
                normals[t[c]][k] += n[k];
    }
    for (size_t i = 0; i < n_vertices; i++)
        vec_normalize(normals[i]);
}

/* Adds the direction in which u (or v) grows over one triangle to its corners. */
static void add_direction(struct cp_vertex *v[3], bool along_v)
{
    float e1[3], e2[3];
    vec_sub(v[1]->position, v[0]->position, e1);
    vec_sub(v[2]->position, v[0]->position, e2);
    float u1 = v[1]->uv[0] - v[0]->uv[0], v1 = v[1]->uv[1] - v[0]->uv[1];
    float u2 = v[2]->uv[0] - v[0]->uv[0], v2 = v[2]->uv[1] - v[0]->uv[1];
    float determinant = u1 * v2 - u2 * v1, sign = determinant < 0 ? -1 : 1;
    for (int k = 0; k < 3; k++) {
        float along = along_v ? e2[k] * u1 - e1[k] * u2 : e1[k] * v2 - e2[k] * v1;
        for (int c = 0; c < 3; c++)
            v[c]->tangent[k] += sign * along;
    }
}

void mesh_make_tangents(struct cp_vertex *vertices, size_t n_vertices, const uint32_t (*triangles)[3],
                        size_t n_triangles, uint32_t first, bool along_v)
{
    for (size_t i = 0; i < n_vertices; i++)
        memset(vertices[i].tangent, 0, sizeof vertices[i].tangent);
    for (size_t i = 0; i < n_triangles; i++) {
        struct cp_vertex *corner[3];
        for (int c = 0; c < 3; c++)
            corner[c] = &vertices[triangles[i][c] - first];
        add_direction(corner, along_v);
    }
    for (size_t i = 0; i < n_vertices; i++) {
        float *t = vertices[i].tangent, *n = vertices[i].normal, along = vec_dot(t, n);
        for (int k = 0; k < 3; k++)
            t[k] -= along * n[k];
        if (!vec_normalize(t)) { /* no uv: any direction across the normal */
            const float x[3] = {1, 0, 0}, y[3] = {0, 1, 0};
            vec_cross(n, fabsf(n[1]) < 0.9f ? y : x, t);
            vec_normalize(t);
        }
    }
}
