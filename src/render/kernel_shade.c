/* Shades the lists of a tile, LANES points at a time, and puts the pixels together. */
#include "render/shade.h"

INLINE struct scene make_scene(const struct cp_render *render)
{
    const struct lights *l = &render->lights;
    float flat[3]; /* what a white wall in full light would come to, as display light */
    for (int k = 0; k < 3; k++) {
        float x = l->exposure * (l->key.color[k] + 0.5f * (l->sky[k] + l->ground[k]));
        flat[k] = fminf(x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f), 1);
    }
    return (struct scene){
        .flat = v3_set(flat),
        .eye = v3_set(render->camera.eye),
        .key = v3_set(l->key.direction),
        .fill = v3_set(l->fill.direction),
        .rim_left = v3_set(l->rim_left.direction),
        .rim_right = v3_set(l->rim_right.direction),
        .key_color = v3_set(l->key.color),
        .fill_color = v3_set(l->fill.color),
        .rim_left_color = v3_set(l->rim_left.color),
        .rim_right_color = v3_set(l->rim_right.color),
        .sky = v3_set(l->sky),
        .ground = v3_set(l->ground),
    };
}

/* The 16 attributes of LANES points, from the corners of their triangles. */
INLINE void interpolate(struct cp_render *render, const struct shade_list *list, int at, vf *attribute)
{
    const struct mesh *mesh = render->mesh;
    const uint32_t triangle_mask = (1u << mesh->piece_shift) - 1;
    vi bary = vi_load(list->bary + at);
    vf b1 = vf_from_vi(bary & 0xffff) * (1 / BARY_SCALE),
       b2 = vf_from_vi(vi_shift_right(bary, 16)) * (1 / BARY_SCALE);
    float w0[LANES], w1[LANES], w2[LANES];
    vf_store(w0, vf_set(1) - b1 - b2);
    vf_store(w1, b1);
    vf_store(w2, b2);
    vf rows[LANES * ROW_VECTORS];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
        uint32_t triangle = list->id[at + i] & triangle_mask;
        const int32_t *row = mesh->rows[triangle];
        const float *a = render->attributes + row[0], *b = render->attributes + row[1],
                    *c = render->attributes + row[2];
        render->seen[triangle] = 2;
        for (int h = 0; h < ROW_VECTORS; h++)
            rows[i * ROW_VECTORS + h] =
                vf_fma(vf_load(a + h * LANES), vf_set(w0[i]),
                       vf_fma(vf_load(b + h * LANES), vf_set(w1[i]), vf_load(c + h * LANES) * vf_set(w2[i])));
    }
    vf_rows_to_columns(rows, attribute);
}

/* sRGB 0..1 -> linear, a cubic fit (maximum error 0.4 %). */
INLINE vf decode_srgb(vf x)
{
    return x * vf_fma(x, vf_fma(x, vf_set(0.305306011f), vf_set(0.682171111f)), vf_set(0.012522878f));
}

/* Base colour by bilinear lookup in one mip level; texture coordinates repeat. */
INLINE struct v3 sample_texture(const struct texture *texture, int level, vf u, vf v)
{
    const int width = texture->width[level], height = texture->height[level];
    u = vf_clamp(u, -1000, 1000);
    v = vf_clamp(v, -1000, 1000);
    vf x = (u - vf_floor(u)) * (float)width - 0.5f, y = (v - vf_floor(v)) * (float)height - 0.5f;
    vf fx = vf_floor(x), fy = vf_floor(y), tx = x - fx, ty = y - fy;
    vi x0 = vi_from_vf(fx), y0 = vi_from_vf(fy), x1 = x0 + 1, y1 = y0 + 1;
    vi last_x = vi_set(width - 1), last_y = vi_set(height - 1), zero = vi_set(0);
    x0 = vi_select(vm_not_negative(x0), vi_min(x0, last_x), last_x);
    y0 = vi_select(vm_not_negative(y0), vi_min(y0, last_y), last_y);
    x1 = vi_select(vm_ge_int(x1, vi_set(width)), zero, vi_max(x1, zero));
    y1 = vi_select(vm_ge_int(y1, vi_set(height)), zero, vi_max(y1, zero));
    const uint32_t *texels = texture->texels[level];
    vi texel[4] = {vi_gather(texels, y0 * width + x0), vi_gather(texels, y0 * width + x1),
                   vi_gather(texels, y1 * width + x0), vi_gather(texels, y1 * width + x1)};
    vf out[3];
    for (int k = 0; k < 3; k++) {
        vf c[4];
        for (int i = 0; i < 4; i++)
            c[i] = vf_from_vi(vi_shift_right(texel[i], 8 * k) & 255) * (1 / 255.0f);
        out[k] = decode_srgb(vf_mix(vf_mix(c[0], c[1], tx), vf_mix(c[2], c[3], tx), ty));
    }
    return (struct v3){out[0], out[1], out[2]};
}

/* The level whose texels are about as wide as what a point is shaded for, `pixels`, at this distance. */
INLINE int mip_level(const struct cp_render *render, const struct surface *surface,
                     const struct texture *texture, float distance, float pixels)
{
    float texels = surface->texels_per_m * distance / render->camera.focal_px * pixels;
    int level = 0;
    while (level + 1 < texture->levels && texels > 1.4f) {
        texels *= 0.5f;
        level++;
    }
    return level;
}

INLINE vf strand_brightness(const struct cp_render *render, const struct surface *surface,
                            const struct point *p)
{
    struct v3 away = v3_sub(p->position, v3_set(render->camera.eye));
    float distance2 = v3_dot(away, away)[0];
    float strands_per_pixel = STRANDS_PER_M * sqrtf(distance2) / render->camera.focal_px;
    int level = strands_per_pixel < 0.35f ? 0 : strands_per_pixel < 1.2f ? 1 : 2;
    vf x = vf_clamp(p->u, -1000, 1000) * (surface->metres_per_u * STRANDS_PER_M * 4);
    vi at = vi_from_vf(vf_floor(x)) & (STRAND_TABLE - 1);
    return vf_gather(render->strands[level], at);
}

INLINE struct v3 shade_point(const struct cp_render *render, const struct scene *scene,
                             const struct surface *surface, struct point *p, const enum cp_surface kind)
{
    if (kind != CP_SURFACE_LASH && kind != CP_SURFACE_TEETH && kind != CP_SURFACE_MOUTH &&
        kind != CP_SURFACE_HAIR) {
        vf nl = v3_dot(p->normal, scene->key);
        /* What faces away is dark by itself. The offset keeps a surface out of its own shadow. */
        if (vm_bits(vm_lt(vf_set(-(kind == CP_SURFACE_SKIN  ? SKIN_WRAP
                                   : kind == CP_SURFACE_EYE ? EYE_WRAP
                                                            : CLOTH_WRAP)),
                          nl))) {
            struct v3 from =
                v3_mad(v3_mad(p->position, p->normal, vf_set(0.003f)), scene->key, vf_set(0.003f));
            p->light = shadow_lookup(&render->shadows[surface->character], from);
        }
    }
    switch (kind) {
    case CP_SURFACE_SKIN:
        return shade_skin(scene, p);
    case CP_SURFACE_EYE:
        return shade_eye(scene, p, surface->painted);
    case CP_SURFACE_TEETH:
        return shade_mouth(scene, p, 0.02f);
    case CP_SURFACE_MOUTH:
        return shade_mouth(scene, p, 0.012f);
    case CP_SURFACE_HAIR:
        return shade_hair(scene, p, strand_brightness(render, surface, p));
    case CP_SURFACE_CLOTH:
        return shade_cloth(scene, p);
    case CP_SURFACE_LASH:
        return shade_lash(scene, p);
    case CP_SURFACE_METAL:
        return shade_metal(scene, p);
    case CP_SURFACE_TOON:
        return shade_toon(scene, p, surface);
    default:
        return shade_plain(scene, p, surface);
    }
}

/* Writes the colours of shaded points to their pixels; points of mixed pixels add up. */
INLINE void put_pixels(struct tile *tile, const struct shade_list *list, int at, int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t pixel = list->pixel[at + i] & 0xffff, color = tile->shaded[i];
        uint32_t samples = list->pixel[at + i] & ~UINT32_C(0xffff);
        if (samples == WHOLE_BLOCK)
            tile->color[pixel] = tile->color[pixel + 1] = tile->color[pixel + TILE] =
                tile->color[pixel + TILE + 1] = color;
        else if (samples == WHOLE_PIXEL)
            tile->color[pixel] = color;
        else
            tile->mixed_color[pixel] += ((uint64_t)(color & 1023) | (uint64_t)(color >> 10 & 1023) << 16 |
                                         (uint64_t)(color >> 20 & 1023) << 32) *
                                        (samples >> 16);
    }
}

INLINE void shade_list(struct cp_render *render, const struct scene *scene, int index,
                       const enum cp_surface kind)
{
    struct shade_list *list = &render->lists[index];
    const struct surface *surface = &render->mesh->surfaces[index];
    const struct texture *texture = surface->texture >= 0 ? &render->mesh->textures[surface->texture] : NULL;
    const float exposure = render->lights.exposure;
    for (int i = list->n; i < list->n + LANES; i++) { /* fill the last block */
        list->id[i] = list->id[list->n - 1];
        list->bary[i] = list->bary[list->n - 1];
    }
    for (int at = 0; at < list->n; at += LANES) {
        vf a[16];
        interpolate(render, list, at, a);
        struct point p = {
            .position = {a[ROW_POSITION], a[ROW_POSITION + 1], a[ROW_POSITION + 2]},
            .normal = v3_normalize((struct v3){a[ROW_NORMAL], a[ROW_NORMAL + 1], a[ROW_NORMAL + 2]}),
            .tangent = {a[ROW_TANGENT], a[ROW_TANGENT + 1], a[ROW_TANGENT + 2]},
            .albedo = {a[ROW_COLOR], a[ROW_COLOR + 1], a[ROW_COLOR + 2]},
            .occlusion = a[ROW_OCCLUSION],
            .u = a[ROW_U],
            .v = a[ROW_V],
            .light = kind == CP_SURFACE_HAIR ? a[ROW_SHADOW] : vf_set(1),
        };
        struct v3 to_eye = v3_sub(scene->eye, p.position);
        p.view = v3_normalize(to_eye);
        if (texture) {
            float distance = sqrtf(v3_dot(to_eye, to_eye)[0]);
            int level = mip_level(render, surface, texture, distance, list->pixel[at] >= WHOLE_BLOCK ? 2 : 1);
            p.albedo = v3_mul(p.albedo, sample_texture(texture, level, p.u, p.v));
        }
        struct v3 color = shade_point(render, scene, surface, &p, kind);
        vf shown[3] = {color.x, color.y, color.z};
        for (int k = 0; k < 3; k++)
            shown[k] = kind == CP_SURFACE_TOON ? display(shown[k]) : tone(shown[k], exposure);
        vi packed = vi_from_vf(shown[0] * 1023.0f) | vi_from_vf(shown[1] * 1023.0f) << 10 |
                    vi_from_vf(shown[2] * 1023.0f) << 20;
        vi_store(render->tile->shaded, packed);
        put_pixels(render->tile, list, at, list->n - at < LANES ? list->n - at : LANES);
    }
}

/* One function a kind, so that the compiler sees a constant. */
#define SHADE_KIND(name, kind)                                                                               \
    static void shade_##name##_list(struct cp_render *render, const struct scene *scene, int index)          \
    {                                                                                                        \
        shade_list(render, scene, index, kind);                                                              \
    }
SHADE_KIND(plain, CP_SURFACE_PLAIN)
SHADE_KIND(skin, CP_SURFACE_SKIN)
SHADE_KIND(eye, CP_SURFACE_EYE)
SHADE_KIND(teeth, CP_SURFACE_TEETH)
SHADE_KIND(mouth, CP_SURFACE_MOUTH)
SHADE_KIND(hair, CP_SURFACE_HAIR)
SHADE_KIND(cloth, CP_SURFACE_CLOTH)
SHADE_KIND(lash, CP_SURFACE_LASH)
SHADE_KIND(metal, CP_SURFACE_METAL)
SHADE_KIND(toon, CP_SURFACE_TOON)

static void (*const SHADE[CP_SURFACE_COUNT])(struct cp_render *, const struct scene *, int) = {
    [CP_SURFACE_PLAIN] = shade_plain_list, [CP_SURFACE_SKIN] = shade_skin_list,
    [CP_SURFACE_EYE] = shade_eye_list,     [CP_SURFACE_TEETH] = shade_teeth_list,
    [CP_SURFACE_MOUTH] = shade_mouth_list, [CP_SURFACE_HAIR] = shade_hair_list,
    [CP_SURFACE_CLOTH] = shade_cloth_list, [CP_SURFACE_LASH] = shade_lash_list,
    [CP_SURFACE_METAL] = shade_metal_list, [CP_SURFACE_TOON] = shade_toon_list,
};

/* Pixels with several surfaces: the background's share, then a quarter of the sum. */
static void resolve_mixed(struct tile *tile)
{
    for (int i = 0; i < tile->n_mixed; i++) {
        int pixel = tile->mixed[i];
        uint64_t sum = tile->mixed_color[pixel], behind = sum >> 60, back = tile->color[pixel];
        sum &= ~(UINT64_C(15) << 60);
        sum += ((back & 1023) | (back >> 10 & 1023) << 16 | (back >> 20 & 1023) << 32) * behind;
        tile->color[pixel] =
            (uint32_t)((sum & 4095) >> 2 | (sum >> 16 & 4095) >> 2 << 10 | (sum >> 32 & 4095) >> 2 << 20);
    }
}

void KERNEL(shade)(struct cp_render *render, int tile_x, int tile_y)
{
    struct tile *tile = render->tile;
    int x = tile_x * TILE, y = tile_y * TILE;
    int width = render->width - x < TILE ? render->width - x : TILE;
    int height = render->height - y < TILE ? render->height - y : TILE;
    for (int row = 0; row < height; row++)
        memcpy(tile->color + row * TILE,
               render->background + (size_t)(y + row) * (size_t)render->width + (size_t)x,
               (size_t)width * sizeof tile->color[0]);
    struct scene scene = make_scene(render);
    for (int i = 0; i < render->mesh->n_surfaces; i++)
        if (render->lists[i].n)
            SHADE[render->mesh->surfaces[i].kind](render, &scene, i);
    resolve_mixed(tile);
}
