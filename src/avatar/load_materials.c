/* Materials, their surface kinds, and the base colour textures. */
#include "avatar/image.h"
#include "avatar/load.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words by which tools name surfaces; a word of the name has to start with one of them. The order matters:
 * "eyelash" is a lash and no eye, "headband" is cloth and no skin. */
static const struct {
    enum cp_surface surface;
    const char *words;
} KIND[] = {
    {CP_SURFACE_PLAIN, "glass lens highlight shadow"},
    {CP_SURFACE_LASH, "lash eyelash brow eyebrow eyeline"},
    {CP_SURFACE_TEETH, "teeth tooth"},
    {CP_SURFACE_MOUTH, "mouth tongue gum oral"},
    {CP_SURFACE_EYE, "eye iris cornea pupil sclera"},
    {CP_SURFACE_CLOTH,
     "cloth outfit shirt tops bottoms blazer jacket suit dress skirt trouser pant shoe footwear "
     "sock tie collar lapel sweater hoodie coat hat cap headwear headband bodysuit fabric"},
    {CP_SURFACE_HAIR, "hair beard mustache fur"},
    {CP_SURFACE_METAL, "metal earring steel gold silver"},
    {CP_SURFACE_SKIN, "skin face head body flesh"},
};

static bool word_is_listed(const char *word, size_t length, const char *list)
{
    while (*list) {
        size_t n = strcspn(list, " ");
        if (length >= n && !strncasecmp(word, list, n))
            return true;
        list += n + (list[n] == ' ');
    }
    return false;
}

static bool name_speaks_of(const char *name, const char *list)
{
    for (const char *c = name; *c;) {
        if (!isalpha((unsigned char)*c)) {
            c++;
            continue;
        }
        size_t n = 1; /* a word ends where a new one starts with a capital: "FaceMouth" */
        while (isalpha((unsigned char)c[n]) &&
               !(isupper((unsigned char)c[n]) && islower((unsigned char)c[n - 1])))
            n++;
        if (word_is_listed(c, n, list))
            return true;
        c += n;
    }
    return false;
}

enum cp_surface surface_of_name(const char *name)
{
    for (size_t i = 0; i < sizeof KIND / sizeof *KIND; i++)
        if (name_speaks_of(name, KIND[i].words))
            return KIND[i].surface;
    return CP_SURFACE_UNSET;
}

/* KHR_texture_transform: offset, then rotation, then scale, as one 2x3 matrix. */
static void read_uv(const json_t *texture_info, struct load_material *material)
{
    float offset[2] = {0, 0}, scale[2] = {1, 1};
    const json_t *transform = gltf_extension(texture_info, "KHR_texture_transform");
    gltf_floats(transform, "offset", 2, offset);
    gltf_floats(transform, "scale", 2, scale);
    float rotation = gltf_float(transform, "rotation", 0), c = cosf(rotation), s = sinf(rotation);
    const float uv[6] = {c * scale[0], s * scale[1], offset[0], -s * scale[0], c * scale[1], offset[1]};
    memcpy(material->uv, uv, sizeof uv);
    int64_t set = gltf_int(transform, "texCoord", gltf_int(texture_info, "texCoord", 0));
    material->uv_set = set >= 0 && set < 8 ? (int)set : 0;
}

/* Shade colour, in multiples of the base colour. The shade's own texture is nearly always the base colour's.
 */
static void set_shade(struct cp_material *ret, const float shade[3])
{
    for (int k = 0; k < 3; k++)
        ret->shade[k] = fminf(fmaxf(shade[k], 0) / fmaxf(ret->base_color[k], 0.02f), 2);
}

/* VRM 0.x keeps MToon's values under Unity's names, beside the material of the same number. */
static bool read_mtoon0(struct load *load, int64_t index, struct cp_material *ret)
{
    const json_t *vrm = gltf_extension(load->doc.root, "VRM");
    const json_t *json = json_array_get(json_object_get(vrm, "materialProperties"), (size_t)index);
    const json_t *number = json_object_get(json, "floatProperties"),
                 *vector = json_object_get(json, "vectorProperties");
    if (index < 0 || strcmp(gltf_text(json, "shader"), "VRM/MToon"))
        return false;
    float shade[4] = {0.97f, 0.81f, 0.86f, 1}, color[4];
    if (gltf_floats(vector, "_Color", 4, color)) /* this table's colours are sRGB */
        for (int k = 0; k < 3; k++)
            ret->base_color[k] = powf(fminf(fmaxf(color[k], 0), 1), 2.2f);
    gltf_floats(vector, "_ShadeColor", 4, shade);
    for (int k = 0; k < 3; k++)
        shade[k] = powf(fminf(fmaxf(shade[k], 0), 1), 2.2f);
    set_shade(ret, shade);
    /* As UniVRM migrates 0.x to 1.0: the ramp's two ends become a middle and a sharpness. */
    float toony = gltf_float(number, "_ShadeToony", 0.9f), shift = gltf_float(number, "_ShadeShift", 0);
    float low = shift, high = 1 + (shift - 1) * toony;
    ret->toon_sharp = fminf(fmaxf((2 - (high - low)) / 2, 0), 1);
    ret->toon_shift = fminf(fmaxf(-(high + low) / 2, -1), 1);
    return true;
}

/* MToon and unlit materials become the toon surface. */
static void read_toon(struct load *load, const json_t *json, int64_t index, struct cp_material *ret)
{
    const json_t *mtoon = gltf_extension(json, "VRMC_materials_mtoon");
    float shade[3] = {0, 0, 0};
    if (mtoon) {
        gltf_floats(mtoon, "shadeColorFactor", 3, shade);
        set_shade(ret, shade);
        ret->toon_sharp = fminf(fmaxf(gltf_float(mtoon, "shadingToonyFactor", 0.9f), 0), 1);
        ret->toon_shift = fminf(fmaxf(gltf_float(mtoon, "shadingShiftFactor", 0), -1), 1);
    } else if (!read_mtoon0(load, index, ret)) {
        if (!gltf_extension(json, "KHR_materials_unlit"))
            return;
        ret->shade[0] = ret->shade[1] = ret->shade[2] = 1;
    }
    ret->surface = CP_SURFACE_TOON;
}

/* The image of a material's texture, -1. */
static int image_of(const struct load *load, const json_t *info)
{
    const json_t *texture = info ? gltf_item(&load->doc, "textures", gltf_int(info, "index", -1)) : NULL;
    int64_t image = gltf_int(gltf_extension(texture, "EXT_texture_webp"), "source", -1);
    if (image < 0)
        image = gltf_int(texture, "source", -1);
    return image >= 0 && image < GLTF_MAX_LIST ? (int)image : -1;
}

/* An occlusion texture, when it can be baked into the base colour: it lies on the same places. Painted
 * surfaces have none. */
static void read_shadows(const struct load *load, const json_t *json, const struct cp_material *material,
                         struct load_material *more)
{
    const json_t *info = json_object_get(json, "occlusionTexture");
    struct load_material there = {0};
    more->shadows = -1;
    if (!info || material->surface == CP_SURFACE_TOON)
        return;
    read_uv(info, &there);
    bool same = there.uv_set == more->uv_set && !memcmp(there.uv, more->uv, sizeof there.uv);
    int image = image_of(load, info);
    if (!same || image == more->image)
        return;
    more->shadows = image;
    more->shadow_strength = fminf(fmaxf(gltf_float(info, "strength", 1), 0), 1);
}

static void read_material(struct load *load, const json_t *json, int64_t index, struct cp_material *ret,
                          struct load_material *more)
{
    const json_t *pbr = json_object_get(json, "pbrMetallicRoughness"),
                 *extras = json_object_get(json, "extras");
    const json_t *info = json_object_get(pbr, "baseColorTexture");
    *ret = (struct cp_material){.base_color = {1, 1, 1, 1}, .texture = -1};
    load_name(ret->name, sizeof ret->name, gltf_text(json, "name"));
    gltf_floats(pbr, "baseColorFactor", 4, ret->base_color);
    gltf_floats(json, "emissiveFactor", 3, ret->emissive);
    ret->roughness = gltf_float(pbr, "roughnessFactor", 1);
    ret->metallic = gltf_float(pbr, "metallicFactor", json ? 1 : 0);
    ret->double_sided = gltf_bool(json, "doubleSided");
    const char *mode = gltf_text(json, "alphaMode");
    if (!strcmp(mode, "MASK"))
        ret->alpha_cutoff = gltf_float(json, "alphaCutoff", 0.5f);
    else if (!strcmp(mode, "BLEND"))
        ret->alpha_cutoff = 0.5f; /* nothing is drawn half transparent: cut where it is half there */
    ret->surface = cp_surface_from_name(gltf_text(extras, "compere_surface"));
    more->told = ret->surface != CP_SURFACE_UNSET;
    if (!more->told)
        ret->surface = surface_of_name(ret->name);
    if (!more->told)
        read_toon(load, json, index, ret);
    more->occlusion = gltf_bool(extras, "compere_occlusion");
    read_uv(info, more);
    more->image = image_of(load, info);
    read_shadows(load, json, ret, more);
}

static int decode_image(struct load *load, int index, size_t *pixels_left, struct cp_texture *ret)
{
    const json_t *json = gltf_item(&load->doc, "images", index);
    const char *uri = gltf_text(json, "uri");
    int64_t view = gltf_int(json, "bufferView", -1);
    uint8_t *owned = NULL;
    const uint8_t *bytes = NULL;
    size_t length = 0;
    if (*uri) {
        int err = gltf_read_uri(&load->doc, uri, &owned, &length);
        if (err)
            return err;
        bytes = owned;
    } else if (view >= 0 && (uint64_t)view < load->doc.n_views) {
        bytes = load->doc.views[view].data;
        length = load->doc.views[view].length;
    }
    if (!bytes)
        return gltf_fail(&load->doc, CP_ERR_FORMAT, "image %d of the model has no bytes", index);
    int err = image_decode(bytes, length, GLTF_MAX_TEXTURE_PX, *pixels_left, ret, load->doc.error);
    free(owned);
    if (!err)
        *pixels_left -= (size_t)ret->width * (size_t)ret->height;
    return err;
}

/* A picture in another file that is not there is left out: the surface then shows its base colour. */
static bool is_missing(struct load *load, int image)
{
    const char *uri = gltf_text(gltf_item(&load->doc, "images", image), "uri");
    uint8_t *bytes = NULL;
    size_t length;
    if (!*uri || !strncmp(uri, "data:", 5))
        return false;
    struct cp_error *error = load->doc.error;
    load->doc.error = NULL;
    int err = gltf_read_uri(&load->doc, uri, &bytes, &length);
    load->doc.error = error;
    free(bytes);
    char *notes = load->model->notes;
    size_t n = strlen(notes);
    if (err)
        snprintf(notes + n, sizeof load->model->notes - n,
                 "The picture \"%.60s\" is not in the file: its surface has one colour.\n", uri);
    return err;
}

/* Decodes an image that nothing depends on: false, and no error, when it cannot be. */
static bool try_decode(struct load *load, int image, size_t *pixels_left, struct cp_texture *ret)
{
    struct cp_error *error = load->doc.error;
    load->doc.error = NULL;
    int err = decode_image(load, image, pixels_left, ret);
    load->doc.error = error;
    return !err;
}

/* The picture of one material: its base colour, darkened by its occlusion; white where there is only that. */
static int make_texture(struct load *load, const struct load_material *more, size_t *pixels_left,
                        struct cp_texture *ret)
{
    struct cp_texture shadows = {0};
    bool base = more->image >= 0 && !is_missing(load, more->image);
    int err = base ? decode_image(load, more->image, pixels_left, ret) : 0;
    if (err || more->shadows < 0 || !try_decode(load, more->shadows, pixels_left, &shadows))
        return err;
    size_t pixels = (size_t)shadows.width * (size_t)shadows.height;
    *pixels_left += base ? pixels : 0; /* gone again */
    if (!base) {
        *ret = (struct cp_texture){shadows.width, shadows.height, malloc(4 * pixels + 1)};
        if (!ret->rgba) {
            free(shadows.rgba);
            return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
        }
        memset(ret->rgba, 255, 4 * pixels);
    }
    load_bake_occlusion(ret, &shadows, more->shadow_strength);
    free(shadows.rgba);
    return 0;
}

static bool same_picture(const struct load_material *a, const struct load_material *b)
{
    return a->image == b->image && a->shadows == b->shadows &&
           (a->shadows < 0 || a->shadow_strength == b->shadow_strength);
}

/* One texture for each base colour, and for each that another occlusion darkens. */
static int load_textures(struct load *load)
{
    struct cp_model *model = load->model;
    size_t pixels_left = GLTF_MAX_PIXELS;
    model->textures = calloc((size_t)model->n_materials + 1, sizeof *model->textures);
    if (!model->textures)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    for (int m = 0; m < model->n_materials; m++) {
        const struct load_material *more = &load->materials[m];
        bool known = more->image < 0 && more->shadows < 0;
        for (int before = 0; before < m && !known; before++)
            if (same_picture(&load->materials[before], more)) {
                model->materials[m].texture = model->materials[before].texture;
                known = true;
            }
        if (known)
            continue;
        struct cp_texture *texture = &model->textures[model->n_textures];
        int err = make_texture(load, more, &pixels_left, texture);
        if (err)
            return err;
        if (texture->rgba)
            model->materials[m].texture = model->n_textures++;
    }
    return 0;
}

/* What the file says of surfaces and is not drawn. */
static void note_unread(struct load *load)
{
    int normal = 0, shadows = 0;
    for (size_t m = 0; m < gltf_count(&load->doc, "materials"); m++) {
        const json_t *json = gltf_item(&load->doc, "materials", (int64_t)m);
        normal += json_object_get(json, "normalTexture") != NULL;
        shadows += load->materials[m].shadows >= 0;
    }
    if (normal)
        load_note(load->model, "%d materials have normal maps: they are not drawn.\n", normal);
    if (shadows)
        load_note(load->model, "%d materials have occlusion pictures: they darken the base colour.\n",
                  shadows);
}

int load_materials(struct load *load)
{
    struct cp_model *model = load->model;
    size_t n = gltf_count(&load->doc, "materials");
    if (n > 1024)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "the model has %zu materials; at most 1024 are read", n);
    /* One more than the file has: the default of primitives without a material (section 3.9.7). */
    model->materials = calloc(n + 1, sizeof *model->materials);
    load->materials = calloc(n + 1, sizeof *load->materials);
    if (!model->materials || !load->materials)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i <= n; i++)
        read_material(load, gltf_item(&load->doc, "materials", (int64_t)i), (int64_t)i, &model->materials[i],
                      &load->materials[i]);
    model->n_materials = (int)n + 1;
    load->default_material = (int)n;
    note_unread(load);
    return load_textures(load);
}
