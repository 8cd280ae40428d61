/*
 * Triangle set-up: culls what faces away, lies outside or covers no sample, and writes a record for the rest.
 * Triangles that need clipping or are too big for 16-bit edge steps go to the irregular list (clip.c).
 */
#include "render/kernel.h"

struct corners {
    vi x[3], y[3];
    vf z[3];
};

INLINE struct corners load_corners(const struct cp_render *render, int t)
{
    const int *screen = (const int *)render->screen;
    struct corners c;
    for (int k = 0; k < 3; k++) {
        vi column[3];
        vi_load_rows4(screen, render->mesh->corner[k] + t, column);
        c.x[k] = column[0];
        c.y[k] = column[1];
        c.z[k] = (vf)column[2];
    }
    return c;
}

/* An edge function: value = step_x X + step_y Y + constant, 0 and up inside. Samples exactly on an edge
 * belong to the triangle for which it is a left or top edge; the others lose one unit. */
INLINE vi edge_constant(vi step_x, vi step_y, vi x, vi y)
{
    vm left = vm_ge_int(step_x, vi_set(1));
    vm top = vm_and(vm_eq_int(step_x, vi_set(0)), vm_ge_int(step_y, vi_set(1)));
    vi bias = vi_select(vm_or(left, top), vi_set(0), vi_set(1));
    return vi_sub(vi_sub(vi_set(0), bias), vi_add(vi_mul(step_x, x), vi_mul(step_y, y)));
}

INLINE vi pack(vi low, vi high)
{
    return (low & 0xffff) | (vi)((vu)high << 16);
}

struct batch { /* what the triangles of one set-up call have in common */
    bool double_sided;
    int surface;
    int first_sample, last_sample; /* subpixels from a pixel's edge to its first and last sample */
};

/* Sets up LANES triangles; `lanes` says which of them exist. */
INLINE void set_up_lanes(struct cp_render *render, const struct batch *batch, int t, unsigned lanes)
{
    struct corners c = load_corners(render, t);
    vi low_x = vi_min(vi_min(c.x[0], c.x[1]), c.x[2]), high_x = vi_max(vi_max(c.x[0], c.x[1]), c.x[2]);
    vi low_y = vi_min(vi_min(c.y[0], c.y[1]), c.y[2]), high_y = vi_max(vi_max(c.y[0], c.y[1]), c.y[2]);
    const vi limit = vi_set(SMALL_TRIANGLE * SUBPIXELS);
    vm odd = vm_or(vm_ge_int(high_x, vi_set(OFF_SCREEN / 2)),
                   vm_or(vm_ge_int(vi_sub(high_x, low_x), limit), vm_ge_int(vi_sub(high_y, low_y), limit)));
    unsigned irregular = vm_bits(odd) & lanes;
    for (unsigned m = irregular; m; m &= m - 1)
        render->irregular[render->n_irregular++] = t + __builtin_ctz(m);

    vi area = vi_sub(vi_mul(vi_sub(c.x[2], c.x[0]), vi_sub(c.y[1], c.y[0])),
                     vi_mul(vi_sub(c.x[1], c.x[0]), vi_sub(c.y[2], c.y[0])));
    vi first_x = vi_max((low_x + (SUBPIXELS - 1 - batch->last_sample)) >> 6, vi_set(0));
    vi last_x = vi_min((high_x - batch->first_sample) >> 6, vi_set(render->width - 1));
    vi first_y = vi_max((low_y + (SUBPIXELS - 1 - batch->last_sample)) >> 6, vi_set(0));
    vi last_y = vi_min((high_y - batch->first_sample) >> 6, vi_set(render->height - 1));
    vi sign = vi_set(1);
    if (batch->double_sided) {
        sign = vi_select(vm_not_negative(area), vi_set(1), vi_set(-1));
        area = vi_mul(area, sign);
    }
    unsigned keep = vm_bits(
        vm_and(vm_ge_int(area, vi_set(1)), vm_and(vm_ge_int(last_x, first_x), vm_ge_int(last_y, first_y))));
    keep &= lanes & ~irregular;
    if (!keep)
        return;

    vf column[16], inverse_area = vf_set(1) / vf_from_vi(area);
    for (int k = 0; k < 3; k++) {
        int a = (k + 1) % 3, b = (k + 2) % 3;
        vi step_x = vi_mul(vi_sub(c.y[b], c.y[a]), sign), step_y = vi_mul(vi_sub(c.x[a], c.x[b]), sign);
        column[k] = (vf)pack(step_x, step_y);
        column[6 + k] = (vf)edge_constant(step_x, step_y, c.x[b], c.y[b]);
    }
    column[3] = vf_max(vf_max(c.z[0], c.z[1]), c.z[2]);
    column[4] = inverse_area * c.z[1] * BARY_SCALE;
    column[5] = inverse_area * c.z[2] * BARY_SCALE;
    column[9] = c.z[0];
    column[10] = (c.z[1] - c.z[0]) * inverse_area;
    column[11] = (c.z[2] - c.z[0]) * inverse_area;
    column[12] = (vf)pack(first_x, last_x);
    column[13] = (vf)pack(first_y, last_y);
    column[14] = (vf)vi_load(render->mesh->visibility_id + t);
    column[15] = (vf)vi_set(batch->surface);
    struct record made[LANES];
    vf_store_rows((float *)made, column);
    for (; keep; keep &= keep - 1)
        render->records[render->n_records++] = made[__builtin_ctz(keep)];
}

/* The triangles [t, end) of at most LANES that are drawn in this frame: hidden hair sits out (hidden.c). A
 * group of GROUP has its turn together, whatever the lanes. */
INLINE unsigned choose_lanes(struct cp_render *render, const struct draw_part *part, int t, int end)
{
    const int n = end - t < LANES ? end - t : LANES;
    unsigned lanes = n < LANES ? (1u << n) - 1 : ALL_LANES;
    if (render->mesh->surfaces[part->surface].kind != CP_SURFACE_HAIR)
        return lanes;
    int group = part->first_triangle / GROUP + (t - part->first_triangle) / GROUP;
    bool turn = (group + render->frame) % render->hidden_period == 0;
    uint8_t *hidden = render->hidden + t;
    for (int i = 0; i < n; i++) {
        if (turn)
            hidden[i] = 0;
        lanes &= ~((unsigned)hidden[i] << i);
    }
    return lanes;
}

void KERNEL(set_up)(struct cp_render *render)
{
    const struct mesh *mesh = render->mesh;
    render->n_records = render->n_irregular = 0;
    for (int k = 0; k < mesh->n_parts; k++) {
        const struct draw_part *part = &mesh->parts[k];
        const struct batch batch = {
            .double_sided = mesh->surfaces[part->surface].double_sided,
            .surface = part->surface,
            .first_sample = render->samples == 4 ? 8 : 32,
            .last_sample = render->samples == 4 ? 56 : 32,
        };
        int end = part->first_triangle + part->n_triangles;
        for (int t = part->first_triangle; t < end; t += LANES) {
            unsigned lanes = choose_lanes(render, part, t, end);
            if (lanes)
                set_up_lanes(render, &batch, t, lanes);
        }
    }
}
