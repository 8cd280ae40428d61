/*
 * How each kind of surface answers to light, LANES points at a time. Included by kernel_shade.c only.
 *
 * Colours are linear RGB until tone(). "Wrapped" diffuse light, (n.l + w) / (1 + w), goes round the edge of
 * the shadow by w: more for red than for blue is what light scattered under the skin looks like.
 */
#ifndef CP_RENDER_SHADE_H
#define CP_RENDER_SHADE_H

#include "render/kernel.h"

/* How far past the terminator the key light still reaches: nothing beyond needs its shadow looked up. */
#define SKIN_WRAP  0.42f
#define EYE_WRAP   0.35f
#define CLOTH_WRAP 0.12f

struct point {
    struct v3 position, normal, tangent;
    struct v3 view; /* to the eye */
    struct v3 albedo;
    vf occlusion, u, v;
    vf light; /* of the key light that arrives: 0 shadow .. 1 */
};

struct scene { /* lights in each lane */
    struct v3 eye;
    struct v3 key, fill, rim_left, rim_right; /* directions */
    struct v3 key_color, fill_color, rim_left_color, rim_right_color;
    struct v3 sky, ground;
    struct v3 flat; /* how bright and of which colour painted surfaces are drawn in this light */
};

INLINE struct v3 v3_mul(struct v3 a, struct v3 b)
{
    return (struct v3){a.x * b.x, a.y * b.y, a.z * b.z};
}
INLINE struct v3 v3_gray(float x)
{
    return (struct v3){vf_set(x), vf_set(x), vf_set(x)};
}
INLINE struct v3 v3_mix(struct v3 a, struct v3 b, vf t)
{
    return (struct v3){vf_mix(a.x, b.x, t), vf_mix(a.y, b.y, t), vf_mix(a.z, b.z, t)};
}
INLINE vf positive(vf x)
{
    return vf_max(x, vf_set(0));
}
INLINE vf pow5(vf x)
{
    vf x2 = x * x;
    return x2 * x2 * x;
}
INLINE vf power(vf x, int n)
{
    vf out = vf_set(1);
    for (; n; n >>= 1, x = x * x)
        if (n & 1)
            out = out * x;
    return out;
}
INLINE vf smooth(float low, float high, vf x)
{
    vf t = vf_saturate((x - low) * (1 / (high - low)));
    return t * t * (vf_set(3) - t * 2.0f);
}
/* The normal of a sheet that is seen from either side: mirrored where it points away, which, unlike turning
 * it round, has no step at the silhouette. */
INLINE struct v3 facing(struct v3 normal, struct v3 view)
{
    vf away = vf_min(v3_dot(normal, view), vf_set(0));
    return v3_mad(normal, view, away * -2.0f);
}
INLINE vf wrapped(vf nl, float wrap)
{
    return vf_saturate((nl + wrap) * (1 / (1 + wrap)));
}
/* The microfacet distribution of GGX (Walter et al. 2007), a = roughness squared. */
INLINE vf ggx(vf a, vf nh)
{
    vf a2 = a * a, d = vf_fma(nh * nh, a2 - 1.0f, vf_set(1));
    return a2 * (1 / 3.14159f) * vf_rcp(d * d);
}
INLINE struct v3 half_way(struct v3 light, struct v3 view)
{
    return v3_normalize(v3_add(light, view));
}
/* Light from all round: warm from the ground, cool from above. */
INLINE struct v3 ambient(const struct scene *s, struct v3 normal)
{
    return v3_mix(s->ground, s->sky, vf_fma(normal.y, vf_set(0.5f), vf_set(0.5f)));
}

INLINE struct v3 shade_skin(const struct scene *s, const struct point *p)
{
    const struct v3 n = p->normal;
    vf nl = v3_dot(n, s->key), nf = v3_dot(n, s->fill), nv = vf_clamp(v3_dot(n, p->view), 0.001f, 1);
    vf ao = p->occlusion, ao_red = vf_mix(ao, vf_sqrt(ao), vf_set(0.6f));
    vf fresnel = pow5(vf_set(1) - nv);
    /* Red light travels further: softer shadow edge, lighter creases. */
    vf lit_red = vf_mix(vf_sqrt(p->light), p->light, vf_set(0.72f));
    static const float WRAP[3] = {SKIN_WRAP, 0.22f, 0.16f}, WRAP_FILL[3] = {0.45f, 0.28f, 0.22f};
    const vf lit[3] = {lit_red, p->light, p->light}, shade[3] = {ao_red, ao, ao};
    const vf key[3] = {s->key_color.x, s->key_color.y, s->key_color.z};
    const vf fill[3] = {s->fill_color.x, s->fill_color.y, s->fill_color.z};
    struct v3 around = ambient(s, n);
    /* The tone curve takes colour out of bright skin: give a little more of it first. */
    vf gray = vf_fma(p->albedo.x, vf_set(0.3f), vf_fma(p->albedo.y, vf_set(0.6f), p->albedo.z * 0.1f));
    struct v3 rich = v3_mix((struct v3){gray, gray, gray}, p->albedo, vf_set(1.1f));
    const vf amb[3] = {around.x, around.y, around.z}, albedo[3] = {rich.x, rich.y, positive(rich.z)};

    vf rim_l = vf_saturate(v3_dot(n, s->rim_left) + 0.25f),
       rim_r = vf_saturate(v3_dot(n, s->rim_right) + 0.25f);
    vf edge = vf_fma(fresnel, vf_set(2.2f), vf_set(0.06f)) * ao * ao * 0.33f;
    rim_l = rim_l * vf_sqrt(rim_l) * edge;
    rim_r = rim_r * vf_sqrt(rim_r) * edge;
    const vf rim[3] = {rim_l * s->rim_left_color.x + rim_r * s->rim_right_color.x,
                       rim_l * s->rim_left_color.y + rim_r * s->rim_right_color.y,
                       rim_l * s->rim_left_color.z + rim_r * s->rim_right_color.z};

    /* Lips are what is much redder than it is green; they are moist. */
    vf lips = smooth(0.55f, 1.6f, p->albedo.x * vf_rcp(vf_max(p->albedo.y, vf_set(0.02f))) - 1.2f);
    vf nh = positive(v3_dot(n, half_way(s->key, p->view)));
    vf gloss = ggx(vf_fma(lips, vf_set(-0.12f), vf_set(0.24f)), nh) + ggx(vf_set(0.5f), nh);
    gloss =
        gloss * 0.013f * vf_fma(fresnel, vf_set(4), vf_set(1)) * vf_fma(lips, vf_set(1.5f), vf_set(0.75f));
    gloss = gloss * positive(nl) * p->light * ao;
    vf gloss_fill =
        ggx(vf_set(0.32f), positive(v3_dot(n, half_way(s->fill, p->view)))) * 0.018f * positive(nf) * ao;

    vf out[3];
    for (int k = 0; k < 3; k++) {
        vf direct = wrapped(nl, WRAP[k]);
        direct = direct * vf_fma(direct, vf_set(0.35f), vf_set(0.65f)) *
                 vf_fma(lit[k], vf_set(0.9f), vf_set(0.1f));
        vf open = vf_fma(shade[k], vf_set(0.6f), vf_set(0.4f));
        vf light =
            direct * open * key[k] + wrapped(nf, WRAP_FILL[k]) * shade[k] * fill[k] + amb[k] * open + rim[k];
        out[k] = vf_fma(albedo[k], light, gloss * key[k] + gloss_fill * fill[k]);
    }
    return (struct v3){out[0], out[1], out[2]};
}

#define IRIS_RADIUS 0.235f /* in uv, where the eyeball's diameter is 1: 5.8 mm of 24.5 */

/*
 * The colours of the eyeball around (0.5, 0.5). A painted eye (vertex colours or a texture) keeps its paint
 * and gets fibres and a limbal ring; a plain one gets pupil, iris in its base colour, and white.
 */
INLINE struct v3 eye_albedo(const struct point *p, bool painted, vf *ret_iris)
{
    vf x = p->u - 0.5f, y = p->v - 0.5f, r = vf_sqrt(x * x + y * y) * (1 / IRIS_RADIUS);
    vf iris = vf_set(1) - smooth(0.94f, 1.03f, r), pupil = vf_set(1) - smooth(0.36f, 0.43f, r);
    /* Fibres: an angular wave without trigonometry, from the direction's higher harmonics. */
    vf inv = vf_rsqrt(vf_max(x * x + y * y, vf_set(1e-8f))), c = x * inv, t = y * inv;
    vf c2 = c * c - t * t, t2 = c * t * 2.0f, c4 = c2 * c2 - t2 * t2, t4 = c2 * t2 * 2.0f;
    vf c8 = c4 * c4 - t4 * t4, t8 = c4 * t4 * 2.0f, c16 = c8 * c8 - t8 * t8, t16 = c8 * t8 * 2.0f;
    vf fibre = vf_fma(c16 * t4 + t16 * c2, vf_set(0.12f), vf_fma(t8 * c2, vf_set(0.10f), vf_set(1)));
    vf collar = smooth(0.75f, 0.45f, r) * 0.35f; /* lighter round the pupil */
    vf ring = vf_fma(smooth(0.72f, 1.0f, r), vf_set(-0.65f), vf_set(1));
    struct v3 color = v3_scale(p->albedo, fibre * ring * (collar + 1.0f));
    vf far = smooth(1.2f, 2.2f, r);
    struct v3 white = {vf_fma(far, vf_set(-0.04f), vf_set(0.66f)), vf_fma(far, vf_set(-0.14f), vf_set(0.63f)),
                       vf_fma(far, vf_set(-0.15f), vf_set(0.61f))};
    *ret_iris = iris;
    if (painted) /* its white is toned down to one that lids can shade */
        return v3_mix(v3_mul(p->albedo, v3_scale(white, vf_set(1.15f))), color, iris);
    return v3_mix(white, v3_mix(color, v3_gray(0.004f), pupil), iris);
}

INLINE struct v3 shade_eye(const struct scene *s, const struct point *p, bool painted)
{
    const struct v3 n = p->normal;
    vf iris, nv = v3_dot(n, p->view);
    struct v3 albedo = eye_albedo(p, painted, &iris);
    /* The upper lid shades the ball; the iris is a bowl behind the cornea, lit on the far side. */
    vf lid = vf_mix(vf_set(1), vf_set(0.38f), smooth(-0.1f, 0.55f, n.y)) * p->occlusion;
    struct v3 across = v3_mad(n, p->view, vf_set(0) - nv);
    struct v3 bowl = v3_normalize(v3_mad(p->view, across, vf_set(-1.4f)));
    struct v3 m = v3_mix(n, bowl, iris);
    vf direct = wrapped(v3_dot(m, s->key), EYE_WRAP) * vf_fma(p->light, vf_set(0.55f), vf_set(0.45f));
    struct v3 light = v3_scale(s->key_color, direct);
    light = v3_mad(light, s->fill_color, wrapped(v3_dot(m, s->fill), 0.4f));
    light = v3_mad(light, ambient(s, n), vf_set(1.1f));
    vf glow = vf_saturate(v3_dot(m, s->key) * -0.3f + 0.75f) * iris * 0.35f;
    light = v3_mad(light, v3_gray(1), glow);
    struct v3 out = v3_scale(v3_mul(albedo, light), lid);
    /* Wet: soft boxes mirrored in it. */
    struct v3 mirror = v3_sub(v3_scale(n, nv * 2.0f), p->view);
    vf box = smooth(
        0.952f, 0.974f,
        v3_dot(mirror, v3_normalize(v3_add(s->key, (struct v3){vf_set(0.1f), vf_set(0.02f), vf_set(0.1f)}))));
    vf box2 = smooth(0.962f, 0.988f, v3_dot(mirror, s->fill));
    vf fresnel = pow5(vf_set(1) - vf_clamp(nv, 0, 1));
    vf wet = box * 1.5f + box2 * 0.22f + fresnel * 0.1f;
    return v3_add(out, v3_scale((struct v3){vf_set(1), vf_set(0.98f), vf_set(0.95f)}, wet * p->occlusion));
}

INLINE struct v3 shade_mouth(const struct scene *s, const struct point *p, float gloss)
{
    vf nl = v3_dot(p->normal, s->key), nh = positive(v3_dot(p->normal, half_way(s->key, p->view)));
    struct v3 light = v3_scale(s->key_color, wrapped(nl, 0.4f) * 0.6f);
    light = v3_mad(light, s->fill_color, wrapped(v3_dot(p->normal, s->fill), 0.4f));
    light = v3_add(light, ambient(s, p->normal));
    struct v3 out = v3_scale(v3_mul(p->albedo, light), p->occlusion);
    return v3_mad(out, s->key_color, ggx(vf_set(0.2f), nh) * positive(nl) * p->occlusion * gloss);
}

/* Two shifted lobes along the strand (Kajiya and Kay 1989; Marschner et al. 2003: a white one towards the
 * root, a coloured one towards the tip). `strand` varies from hair to hair. */
INLINE struct v3 shade_hair(const struct scene *s, const struct point *p, vf strand)
{
    struct v3 n = facing(p->normal, p->view), t = v3_normalize(p->tangent);
    vf one = vf_set(1), ao = p->occlusion, tl = v3_dot(t, s->key);
    struct v3 albedo = v3_scale(p->albedo, vf_fma(strand, vf_set(0.76f), vf_set(0.62f)));
    vf direct = wrapped(v3_dot(n, s->key), 0.35f);
    vf along = vf_sqrt(one - tl * tl);
    struct v3 light = v3_scale(s->key_color, direct * p->light * vf_fma(along, vf_set(0.4f), vf_set(0.6f)));
    light = v3_mad(light, s->fill_color, wrapped(v3_dot(n, s->fill), 0.35f));
    light = v3_add(light, ambient(s, n));
    struct v3 out = v3_scale(v3_mul(albedo, light), ao);

    vf shift = (strand - 0.5f) * 0.24f;
    struct v3 ta = v3_normalize(v3_mad(t, n, shift - 0.10f)), tb = v3_normalize(v3_mad(t, n, shift + 0.16f));
    struct v3 h = half_way(s->key, p->view);
    vf ha = v3_dot(ta, h), hb = v3_dot(tb, h);
    vf white = power(positive(one - ha * ha), 40) * 0.09f,
       tinted = power(positive(one - hb * hb), 11) * 0.62f;
    vf reach = direct * p->light * ao * (strand + 0.45f);
    out = v3_add(out,
                 v3_mul(v3_mad(v3_scale(v3_gray(1), white), albedo, tinted), v3_scale(s->key_color, reach)));

    vf rl = v3_dot(ta, half_way(s->rim_left, p->view)), rr = v3_dot(ta, half_way(s->rim_right, p->view));
    vf left = power(positive(one - rl * rl), 8) * vf_saturate(v3_dot(n, s->rim_left) + 0.35f) * ao;
    vf right = power(positive(one - rr * rr), 8) * vf_saturate(v3_dot(n, s->rim_right) + 0.35f) * ao;
    struct v3 back = v3_mad(v3_scale(s->rim_left_color, left), s->rim_right_color, right);
    return v3_add(out, v3_mul(v3_mad(v3_gray(0.015f), albedo, vf_set(0.7f)), back));
}

INLINE struct v3 shade_cloth(const struct scene *s, const struct point *p)
{
    const struct v3 n = p->normal;
    vf nl = v3_dot(n, s->key), ao = p->occlusion, nv = vf_saturate(v3_dot(n, p->view));
    vf graze = vf_set(1) - nv, sheen = graze * graze * graze * ao;
    struct v3 around = ambient(s, n);
    struct v3 light = v3_scale(s->key_color, wrapped(nl, CLOTH_WRAP) * p->light);
    light = v3_mad(light, s->fill_color, wrapped(v3_dot(n, s->fill), 0.15f));
    light = v3_add(light, around);
    light = v3_mad(light, s->rim_left_color, vf_saturate(v3_dot(n, s->rim_left)) * 0.35f);
    light = v3_mad(light, s->rim_right_color, vf_saturate(v3_dot(n, s->rim_right)) * 0.35f);
    struct v3 out = v3_scale(v3_mul(p->albedo, light), ao);
    /* Fibres that stand out catch light at a grazing angle, most of all from behind. */
    struct v3 fuzz = v3_mad(v3_gray(0.015f), p->albedo, vf_set(0.6f)), back = v3_gray(0.6f);
    back = v3_mad(back, s->rim_left_color, vf_saturate(v3_dot(n, s->rim_left) + 0.1f) * 2.2f);
    back = v3_mad(back, s->rim_right_color, vf_saturate(v3_dot(n, s->rim_right) + 0.1f) * 2.2f);
    out = v3_add(out, v3_scale(v3_mul(fuzz, v3_add(around, back)), sheen));
    vf nh = positive(v3_dot(n, half_way(s->key, p->view)));
    return v3_mad(out, s->key_color, ggx(vf_set(0.5f), nh) * 0.012f * positive(nl) * p->light);
}

INLINE struct v3 shade_lash(const struct scene *s, const struct point *p)
{
    struct v3 n = facing(p->normal, p->view);
    struct v3 light = v3_scale(s->key_color, wrapped(v3_dot(n, s->key), 0.35f) * 0.8f);
    light = v3_mad(light, s->fill_color, wrapped(v3_dot(n, s->fill), 0.35f));
    light = v3_add(light, ambient(s, n));
    return v3_scale(v3_mul(p->albedo, light), p->occlusion * 0.9f);
}

INLINE struct v3 shade_metal(const struct scene *s, const struct point *p)
{
    const struct v3 n = p->normal;
    vf nv = v3_dot(n, p->view), fresnel = pow5(vf_set(1) - vf_clamp(nv, 0, 1));
    vf up = vf_fma(nv * 2.0f, n.y, vf_set(0) - p->view.y);
    vf nh = positive(v3_dot(n, half_way(s->key, p->view)));
    vf room = fresnel * 0.6f + smooth(-0.2f, 0.7f, up) * 0.35f;
    struct v3 light =
        v3_add(v3_scale(s->key_color, positive(v3_dot(n, s->key)) * p->light * 0.4f), ambient(s, n));
    light = v3_mad(light, s->key_color, ggx(vf_set(0.18f), nh) * p->light * 0.5f);
    light = v3_mad(light, v3_gray(1), room);
    return v3_scale(v3_mul(p->albedo, light), p->occlusion);
}

/* glTF 2.0 appendix B, with the lights as they are and the room as a two-coloured sphere. */
INLINE struct v3 shade_plain(const struct scene *s, const struct point *p, const struct surface *surface)
{
    const struct v3 n = facing(p->normal, p->view);
    vf nl = v3_dot(n, s->key), nf = v3_dot(n, s->fill), nv = vf_clamp(v3_dot(n, p->view), 0.02f, 1),
       ao = p->occlusion;
    vf metal = vf_set(surface->metallic), alpha = vf_set(surface->roughness * surface->roughness);
    struct v3 diffuse = v3_scale(p->albedo, vf_set(1) - metal);
    struct v3 mirror = v3_mix(v3_gray(0.04f), p->albedo, metal);
    struct v3 around = ambient(s, n);
    struct v3 light = v3_scale(s->key_color, wrapped(nl, 0.08f) * p->light);
    light = v3_mad(light, s->fill_color, wrapped(nf, 0.12f));
    light = v3_add(light, around);
    light = v3_mad(light, s->rim_left_color, vf_saturate(v3_dot(n, s->rim_left)) * 0.3f);
    light = v3_mad(light, s->rim_right_color, vf_saturate(v3_dot(n, s->rim_right)) * 0.3f);
    struct v3 out = v3_scale(v3_mul(diffuse, light), ao);
    /* D * V with V of Smith-Schlick, simplified to 1 / (4 (l.h)^2 (r + 0.5)) as mobile engines do. */
    struct v3 h = half_way(s->key, p->view), h2 = half_way(s->fill, p->view);
    vf lh = vf_max(v3_dot(s->key, h), vf_set(0.1f)), lh2 = vf_max(v3_dot(s->fill, h2), vf_set(0.1f));
    vf broad = vf_set(4 * (surface->roughness + 0.5f));
    vf d1 = ggx(alpha, positive(v3_dot(n, h))) * vf_rcp(lh * lh * broad) * positive(nl) * p->light;
    vf d2 = ggx(alpha, positive(v3_dot(n, h2))) * vf_rcp(lh2 * lh2 * broad) * positive(nf);
    struct v3 shine = v3_mad(v3_scale(s->key_color, d1), s->fill_color, d2);
    vf fresnel = pow5(vf_set(1) - nv) * (1 - surface->roughness);
    shine = v3_add(shine, v3_scale(around, vf_set(0.8f)));
    out = v3_add(out, v3_scale(v3_mul(v3_mix(mirror, v3_gray(1), fresnel * 0.5f), shine), ao));
    return v3_add(out, v3_set(surface->emissive));
}

/*
 * Painted surfaces (VRMC_materials_mtoon 1.0, "Lighting"; KHR_materials_unlit): the lit and the shade colour,
 * with a ramp between them, as the painter chose them: what comes out is display light, past the tone curve.
 */
INLINE struct v3 shade_toon(const struct scene *s, const struct point *p, const struct surface *surface)
{
    const struct v3 n = facing(p->normal, p->view);
    /* A shadow that falls on the surface is the same shade as that of its far side. */
    vf shading = vf_mix(vf_set(-1), v3_dot(n, s->key), p->light) + surface->toon_shift;
    vf lit = vf_saturate((shading + surface->toon_width) * (0.5f / surface->toon_width));
    struct v3 tone = v3_mix(v3_set(surface->shade), v3_gray(1), lit);
    return v3_add(v3_mul(v3_mul(p->albedo, tone), s->flat), v3_set(surface->emissive));
}

/* Display light -> display value 0..1: the sRGB curve by square roots (maximum error 0.3 %). */
INLINE vf display(vf t)
{
    t = vf_saturate(t);
    vf a = vf_sqrt(t), b = vf_sqrt(a), c = vf_sqrt(b);
    return vf_saturate(
        vf_fma(a, vf_set(0.662002687f),
               vf_fma(b, vf_set(0.684122060f), vf_fma(c, vf_set(-0.323583601f), t * -0.0225411470f))));
}

/* Scene light -> display value 0..1: a filmic curve with a soft shoulder (the fit of Narkowicz 2015 to ACES),
 * then the sRGB curve. */
INLINE vf tone(vf x, float exposure)
{
    x = positive(x * exposure);
    return display((x * vf_fma(x, vf_set(2.51f), vf_set(0.03f))) *
                   vf_rcp(vf_fma(x, vf_fma(x, vf_set(2.43f), vf_set(0.59f)), vf_set(0.14f))));
}

#endif
