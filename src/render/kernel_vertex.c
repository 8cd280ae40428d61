/* Morphs, skinning and projection. */
#include "render/kernel.h"

void KERNEL(add_rows)(int32_t *accumulated, const struct morph_row *rows, const int32_t *vertex, int n,
                      int delta)
{
    vi d = vi_set(delta);
    for (int i = 0; i < n; i++) {
        int32_t *to = accumulated + (size_t)8 * (size_t)vertex[i];
        const int32_t *from = rows[i].position;
#if defined(__AVX2__)
        __m256i sum = _mm256_add_epi32(
            _mm256_load_si256((const __m256i *)to),
            _mm256_mullo_epi32(_mm256_load_si256((const __m256i *)from), _mm256_set1_epi32(delta)));
        _mm256_store_si256((__m256i *)to, sum);
#else
        for (int k = 0; k < 8; k += LANES)
            vi_store(to + k, vi_add(vi_load(to + k), vi_mul(vi_load(from + k), d)));
#endif
    }
    (void)d;
}

struct lens { /* the camera, a value in each lane */
    struct v3 eye, right, up, forward;
    vf focal, center_x, center_y, limit_x, limit_y;
};

/* The blended skinning matrix of LANES vertices. */
INLINE void blend_bones(const struct cp_render *render, const struct group *group, int half, vf m[12])
{
    const struct mesh *mesh = render->mesh;
    const uint16_t *bones = mesh->bones + group->first_bone;
    if (group->n_bones == 1) {
        for (int i = 0; i < 12; i++)
            m[i] = vf_set(render->skin[bones[0]][i]);
        return;
    }
    for (int i = 0; i < 12; i++)
        m[i] = vf_set(0);
    for (int b = 0; b < group->n_bones; b++) {
        vf weight = vf_load(mesh->bone_weights[group->first_bone + b] + half);
        const float *bone = render->skin[bones[b]];
        for (int i = 0; i < 12; i++)
            m[i] = vf_fma(vf_set(bone[i]), weight, m[i]);
    }
}

/* Screen positions; OFF_SCREEN where the vertex lies behind the near plane, outside the guard band or
 * nowhere. */
INLINE void project(const struct lens *lens, struct v3 p, struct screen_vertex *out)
{
    struct v3 d = v3_sub(p, lens->eye);
    vf depth = v3_dot(d, lens->forward);
    vf iz = vf_set(1) / vf_max(depth, vf_set(NEAR_M));
    vf k = iz * lens->focal, x = v3_dot(d, lens->right) * k, y = vf_set(0) - v3_dot(d, lens->up) * k;
    vm good = vm_and(vm_lt(vf_set(NEAR_M), depth),
                     vm_and(vm_lt(vf_abs(x), lens->limit_x), vm_lt(vf_abs(y), lens->limit_y)));
    vi sx = vi_from_vf(vf_select(good, x, vf_set(0)) + lens->center_x);
    vi sy = vi_from_vf(vf_select(good, y, vf_set(0)) + lens->center_y);
    sx = vi_select(good, sx, vi_set(OFF_SCREEN));
    int xs[LANES], ys[LANES];
    float zs[LANES];
    vi_store(xs, sx);
    vi_store(ys, sy);
    vf_store(zs, iz);
    for (int i = 0; i < LANES; i++)
        out[i] = (struct screen_vertex){xs[i], ys[i], zs[i], 0};
}

INLINE void place_half_group(struct cp_render *render, const struct lens *lens, int g, int half)
{
    const struct mesh *mesh = render->mesh;
    const struct group *group = &mesh->groups[g];
    const size_t v = (size_t)g * GROUP + (size_t)half;
    const vi stride = vi_lanes() * 8;
    const int32_t *acc = mesh->accumulated + 8 * v;
    vf m[12], row[16];
    blend_bones(render, group, half, m);
    struct v3 p, n;
    p.x = vf_from_vi(vi_gather(acc, stride)) * mesh->unit_m;
    p.y = vf_from_vi(vi_gather(acc + 1, stride)) * mesh->unit_m;
    p.z = vf_from_vi(vi_gather(acc + 2, stride)) * mesh->unit_m;
    n.x = vf_from_vi(vi_gather(acc + 4, stride)) * NORMAL_UNIT;
    n.y = vf_from_vi(vi_gather(acc + 5, stride)) * NORMAL_UNIT;
    n.z = vf_from_vi(vi_gather(acc + 6, stride)) * NORMAL_UNIT;
    p = v3_rotate(m, p);
    p = (struct v3){p.x + m[3], p.y + m[7], p.z + m[11]};
    n = v3_normalize(v3_rotate(m, n));

    const float(*still)[GROUP] = mesh->still[g];
    struct v3 t = {vf_set(0), vf_set(0), vf_set(0)};
    if (group->strands) {
        t = (struct v3){vf_load(still[STILL_TANGENT] + half), vf_load(still[STILL_TANGENT + 1] + half),
                        vf_load(still[STILL_TANGENT + 2] + half)};
        t = v3_rotate(m, t);
    }
    row[ROW_NORMAL] = n.x;
    row[ROW_NORMAL + 1] = n.y;
    row[ROW_NORMAL + 2] = n.z;
    row[ROW_TANGENT] = t.x;
    row[ROW_TANGENT + 1] = t.y;
    row[ROW_TANGENT + 2] = t.z;
    for (int k = 0; k < 6; k++) /* colour, occlusion, u, v stand in the same order in both */
        row[ROW_COLOR + k] = vf_load(still[STILL_COLOR + k] + half);
    row[ROW_POSITION] = p.x;
    row[ROW_POSITION + 1] = p.y;
    row[ROW_POSITION + 2] = p.z;
    row[ROW_SHADOW] = vf_load(render->vertex_light + v);
    project(lens, p, render->screen + v);
    vf_store_rows(render->attributes + v * ROW_FLOATS, row);
}

void KERNEL(place_vertices)(struct cp_render *render)
{
    const struct camera *c = &render->camera;
    const struct lens lens = {
        .eye = v3_set(c->eye),
        .right = v3_set(c->right),
        .up = v3_set(c->up),
        .forward = v3_set(c->forward),
        .focal = vf_set(c->focal_px * SUBPIXELS),
        .center_x = vf_set((float)render->width * 0.5f * SUBPIXELS),
        .center_y = vf_set((float)render->height * 0.5f * SUBPIXELS),
        .limit_x = vf_set(((float)render->width * 0.5f + GUARD_BAND) * SUBPIXELS),
        .limit_y = vf_set(((float)render->height * 0.5f + GUARD_BAND) * SUBPIXELS),
    };
    for (int g = 0; g < render->mesh->n_groups; g++)
        if (render->mesh->groups[g].used)
            for (int half = 0; half < GROUP; half += LANES)
                place_half_group(render, &lens, g, half);
}
