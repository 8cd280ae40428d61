/*
 * Binary glTF 2.0 (Khronos, section 4 of the specification for the container): one mesh a part, all skinned
 * to one skeleton; shapes as sparse morph targets, the same list of names on every mesh that has any.
 */
#include "bake.h"
#include "bytes.h"
#include "shapes.h"
#include "skin.h"
#include "vrm.h"
#include "weave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAY_BUFFER = 34962, ELEMENT_ARRAY_BUFFER = 34963, NO_TARGET = 0 };
enum { GL_U8 = 5121, GL_U16 = 5123, GL_U32 = 5125, GL_F32 = 5126 };

struct writer {
    struct bytes binary, views, accessors, meshes;
    int n_views, n_accessors;
    int weave_material[WEAVE_COUNT]; /* 0: not used */
    float floor_y;                   /* of the sculpting space's origin, metres */
};

static int add_view(struct writer *w, const void *data, size_t n, int target)
{
    static const uint8_t zeros[4];
    bytes_add(&w->binary, zeros, (4 - w->binary.length % 4) % 4);
    bytes_text(&w->views, "%s{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu", w->n_views ? "," : "",
               w->binary.length, n);
    bytes_text(&w->views, target ? ",\"target\":%d}" : "}", target);
    bytes_add(&w->binary, data, n);
    return w->n_views++;
}

/* Begins an accessor; the caller may add properties and ends it with end_accessor. */
static int begin_accessor(struct writer *w, int type, const char *shape, int count)
{
    bytes_text(&w->accessors, "%s{\"componentType\":%d,\"type\":\"%s\",\"count\":%d",
               w->n_accessors ? "," : "", type, shape, count);
    return w->n_accessors++;
}
static void end_accessor(struct writer *w)
{
    bytes_text(&w->accessors, "}");
}
static int add_array(struct writer *w, const void *data, size_t n, int target, int type, const char *shape,
                     int count, bool normalized)
{
    int view = add_view(w, data, n, target), id = begin_accessor(w, type, shape, count);
    bytes_text(&w->accessors, ",\"bufferView\":%d%s", view, normalized ? ",\"normalized\":true" : "");
    end_accessor(w);
    return id;
}

struct bounds {
    vec3 lo, hi;
};
static void widen(struct bounds *b, vec3 p)
{
    b->lo = v3(minf(b->lo.x, p.x), minf(b->lo.y, p.y), minf(b->lo.z, p.z));
    b->hi = v3(maxf(b->hi.x, p.x), maxf(b->hi.y, p.y), maxf(b->hi.z, p.z));
}
static void write_bounds(struct writer *w, const struct bounds *b)
{
    bytes_text(&w->accessors, ",\"min\":[%.9g,%.9g,%.9g],\"max\":[%.9g,%.9g,%.9g]", b->lo.x, b->lo.y, b->lo.z,
               b->hi.x, b->hi.y, b->hi.z);
}

static vec3 to_metres(const struct writer *w, vec3 p)
{
    return v3(p.x * 0.01f, p.y * 0.01f + w->floor_y, p.z * 0.01f);
}

/* --- attributes --- */

static int add_positions(struct writer *w, const struct part *part)
{
    size_t n = (size_t)part->n_vertices;
    vec3 *out = malloc(n * sizeof *out);
    struct bounds bounds = {{1e9f, 1e9f, 1e9f}, {-1e9f, -1e9f, -1e9f}};
    for (size_t i = 0; i < n; i++) {
        out[i] = to_metres(w, part->vertices[i].position);
        widen(&bounds, out[i]);
    }
    int view = add_view(w, out, n * sizeof *out, ARRAY_BUFFER),
        id = begin_accessor(w, GL_F32, "VEC3", (int)n);
    bytes_text(&w->accessors, ",\"bufferView\":%d", view);
    write_bounds(w, &bounds);
    end_accessor(w);
    free(out);
    return id;
}

static int add_normals(struct writer *w, const struct part *part)
{
    size_t n = (size_t)part->n_vertices;
    vec3 *out = malloc(n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = unit(part->vertices[i].normal);
    int id = add_array(w, out, n * sizeof *out, ARRAY_BUFFER, GL_F32, "VEC3", (int)n, false);
    free(out);
    return id;
}

static int add_tangents(struct writer *w, const struct part *part)
{
    size_t n = (size_t)part->n_vertices;
    float(*out)[4] = malloc(n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        vec3 t = unit(part->vertices[i].tangent);
        out[i][0] = t.x, out[i][1] = t.y, out[i][2] = t.z, out[i][3] = 1;
    }
    int id = add_array(w, out, n * sizeof *out, ARRAY_BUFFER, GL_F32, "VEC4", (int)n, false);
    free(out);
    return id;
}

static int add_colors(struct writer *w, const struct part *part)
{
    size_t n = (size_t)part->n_vertices;
    float gain = 1 / weave_mean(part->weave);
    uint16_t(*out)[4] = malloc(n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const struct vertex *v = &part->vertices[i];
        const float rgba[4] = {v->color.x * gain, v->color.y * gain, v->color.z * gain, v->occlusion};
        for (int k = 0; k < 4; k++)
            out[i][k] = (uint16_t)(clampf(rgba[k], 0, 1) * 65535 + 0.5f);
    }
    int id = add_array(w, out, n * sizeof *out, ARRAY_BUFFER, GL_U16, "VEC4", (int)n, true);
    free(out);
    return id;
}

static int add_uvs(struct writer *w, const struct part *part)
{
    size_t n = (size_t)part->n_vertices;
    float(*out)[2] = malloc(n * sizeof *out), per_cm = 1 / weave_tile_cm(part->weave);
    for (size_t i = 0; i < n; i++)
        out[i][0] = part->vertices[i].u * per_cm, out[i][1] = part->vertices[i].v * per_cm;
    int id = add_array(w, out, n * sizeof *out, ARRAY_BUFFER, GL_F32, "VEC2", (int)n, false);
    free(out);
    return id;
}

static void add_weights(struct writer *w, const struct baked_part *b, int *ret_joints, int *ret_weights)
{
    size_t n = (size_t)b->part.n_vertices;
    uint8_t(*joints)[4] = malloc(n * sizeof *joints);
    float(*weights)[4] = malloc(n * sizeof *weights);
    for (size_t i = 0; i < n; i++) {
        memcpy(joints[i], b->weights[i].joint, sizeof joints[i]);
        memcpy(weights[i], b->weights[i].weight, sizeof weights[i]);
    }
    *ret_joints = add_array(w, joints, n * sizeof *joints, ARRAY_BUFFER, GL_U8, "VEC4", (int)n, false);
    *ret_weights = add_array(w, weights, n * sizeof *weights, ARRAY_BUFFER, GL_F32, "VEC4", (int)n, false);
    free(joints);
    free(weights);
}

static int add_indices(struct writer *w, const struct part *part)
{
    size_t n = (size_t)part->n_indices;
    uint16_t *out = malloc(n * sizeof *out); /* no part has 65,536 vertices: write_glb checks */
    for (size_t i = 0; i < n; i++)
        out[i] = (uint16_t)part->indices[i];
    int id = add_array(w, out, n * sizeof *out, ELEMENT_ARRAY_BUFFER, GL_U16, "SCALAR", (int)n, false);
    free(out);
    return id;
}

/* --- shapes --- */

/* The rows that are not zero. With none, an accessor without data: all zeros. */
static int add_sparse(struct writer *w, const vec3 *rows, int n, float unit_scale, bool bounded)
{
    uint16_t *index = malloc((size_t)n * sizeof *index);
    vec3 *values = malloc((size_t)n * sizeof *values);
    struct bounds bounds = {{0, 0, 0}, {0, 0, 0}};
    int count = 0;
    for (int i = 0; rows && i < n; i++) {
        if (dot(rows[i], rows[i]) == 0)
            continue;
        vec3 d = scale(rows[i], unit_scale);
        if (count == 0 && n == 1)
            bounds = (struct bounds){d, d};
        widen(&bounds, d);
        index[count] = (uint16_t)i;
        values[count++] = d;
    }
    if (count == n && n > 0) { /* no zero row is left to widen the bounds */
        bounds = (struct bounds){values[0], values[0]};
        for (int i = 1; i < n; i++)
            widen(&bounds, values[i]);
    }
    int id = begin_accessor(w, GL_F32, "VEC3", n);
    if (bounded)
        write_bounds(w, &bounds);
    if (count > 0) {
        int at = add_view(w, index, (size_t)count * sizeof *index, NO_TARGET);
        int what = add_view(w, values, (size_t)count * sizeof *values, NO_TARGET);
        bytes_text(
            &w->accessors,
            ",\"sparse\":{\"count\":%d,\"indices\":{\"bufferView\":%d,\"componentType\":%d},\"values\":{"
            "\"bufferView\":%d}}",
            count, at, GL_U16, what);
    }
    end_accessor(w);
    free(index);
    free(values);
    return id;
}

static void write_shapes(struct writer *w, const struct baked_part *b)
{
    int n = b->part.n_vertices, still_position = -1, still_normal = -1;
    bytes_text(&w->meshes, ",\"targets\":[");
    for (int shape = 1; shape < CP_SHAPE_COUNT; shape++) {
        const struct shape_rows *rows = &b->shapes[shape];
        int position, normal;
        if (rows->position) {
            position = add_sparse(w, rows->position, n, 0.01f, true);
            normal = add_sparse(w, rows->normal, n, 1, false);
        } else { /* shared by all shapes that leave this part alone */
            if (still_position < 0) {
                still_position = add_sparse(w, NULL, n, 1, true);
                still_normal = add_sparse(w, NULL, n, 1, false);
            }
            position = still_position;
            normal = still_normal;
        }
        bytes_text(&w->meshes, "%s{\"POSITION\":%d,\"NORMAL\":%d}", shape > 1 ? "," : "", position, normal);
    }
    bytes_text(&w->meshes, "]}],\"weights\":[");
    for (int shape = 1; shape < CP_SHAPE_COUNT; shape++)
        bytes_text(&w->meshes, shape > 1 ? ",0" : "0");
    bytes_text(&w->meshes, "],\"extras\":{\"targetNames\":[");
    for (int shape = 1; shape < CP_SHAPE_COUNT; shape++)
        bytes_text(&w->meshes, "%s\"%s\"", shape > 1 ? "," : "", shape_name(shape));
    bytes_text(&w->meshes, "]}}");
}

/* --- the document --- */

static const struct {
    const char *name;
    float roughness, metallic;
    bool double_sided;
} materials[] = {
    [CP_SURFACE_PLAIN] = {"plain", 0.45f, 0, false}, [CP_SURFACE_SKIN] = {"skin", 0.50f, 0, false},
    [CP_SURFACE_EYE] = {"eye", 0.08f, 0, false},     [CP_SURFACE_TEETH] = {"teeth", 0.25f, 0, false},
    [CP_SURFACE_MOUTH] = {"mouth", 0.40f, 0, false}, [CP_SURFACE_HAIR] = {"hair", 0.40f, 0, false},
    [CP_SURFACE_CLOTH] = {"cloth", 0.85f, 0, false}, [CP_SURFACE_LASH] = {"lash", 0.70f, 0, true},
    [CP_SURFACE_METAL] = {"metal", 0.25f, 1, false},
};
enum { N_MATERIALS = sizeof materials / sizeof *materials - 1 };

static void write_mesh(struct writer *w, const struct baked_part *b)
{
    const struct part *part = &b->part;
    int position = add_positions(w, part), normal = add_normals(w, part), tangent = add_tangents(w, part);
    int color = add_colors(w, part), uv = add_uvs(w, part), joints, weights;
    add_weights(w, b, &joints, &weights);
    int indices = add_indices(w, part);
    bytes_text(
        &w->meshes,
        "%s{\"name\":\"%s\",\"primitives\":[{\"attributes\":{\"POSITION\":%d,\"NORMAL\":%d,\"TANGENT\":%d,",
        w->meshes.length ? "," : "", part->name, position, normal, tangent);
    bytes_text(
        &w->meshes,
        "\"COLOR_0\":%d,\"TEXCOORD_0\":%d,\"JOINTS_0\":%d,\"WEIGHTS_0\":%d},\"indices\":%d,\"material\":%d",
        color, uv, joints, weights, indices,
        part->weave ? w->weave_material[part->weave] : (int)part->surface - 1);
    if (b->has_shapes)
        write_shapes(w, b);
    else
        bytes_text(&w->meshes, "}]}");
}

static void write_joints(const struct writer *w, struct bytes *json, const struct skeleton *s, bool vrm)
{
    for (int j = 0; j < JOINT_COUNT; j++) {
        int parent = s->joints[j].parent;
        vec3 p = s->joints[j].position;
        vec3 t = parent < 0 ? to_metres(w, p) : scale(sub(p, s->joints[parent].position), 0.01f);
        bytes_text(json, "%s{\"name\":\"%s\",\"translation\":[%.7g,%.7g,%.7g]", j ? "," : "",
                   s->joints[j].name, t.x, t.y, t.z);
        if (vrm) /* which wants a T pose at rest; the skin stays bound as it was sculpted */
            vrm_write_rest(json, s, j);
        const char *before = ",\"children\":[";
        for (int k = j + 1; k < JOINT_COUNT; k++)
            if (s->joints[k].parent == j) {
                bytes_text(json, "%s%d", before, k);
                before = ",";
            }
        bytes_text(json, *before == ',' && before[1] == 0 ? "]}" : "}");
    }
}

static void write_skin(struct writer *w, struct bytes *json, const struct skeleton *s)
{
    float inverse[JOINT_COUNT][16] = {{0}}; /* column-major; joints are not turned at rest */
    for (int j = 0; j < JOINT_COUNT; j++) {
        vec3 p = to_metres(w, s->joints[j].position);
        inverse[j][0] = inverse[j][5] = inverse[j][10] = inverse[j][15] = 1;
        inverse[j][12] = -p.x, inverse[j][13] = -p.y, inverse[j][14] = -p.z;
    }
    int id = add_array(w, inverse, sizeof inverse, NO_TARGET, GL_F32, "MAT4", JOINT_COUNT, false);
    bytes_text(json, "\"skins\":[{\"inverseBindMatrices\":%d,\"skeleton\":0,\"joints\":[", id);
    for (int j = 0; j < JOINT_COUNT; j++)
        bytes_text(json, "%s%d", j ? "," : "", j);
    bytes_text(json, "]}]");
}

static void write_material(struct bytes *json, enum cp_surface surface, int texture)
{
    bytes_text(json, "{\"name\":\"%s\",\"doubleSided\":%s,", materials[surface].name,
               materials[surface].double_sided ? "true" : "false");
    bytes_text(json, "\"pbrMetallicRoughness\":{\"metallicFactor\":%g,\"roughnessFactor\":%g",
               materials[surface].metallic, materials[surface].roughness);
    if (texture >= 0)
        bytes_text(json, ",\"baseColorTexture\":{\"index\":%d}", texture);
    bytes_text(json, "},\"extras\":{\"compere_surface\":\"%s\",\"compere_occlusion\":true}}",
               materials[surface].name);
}

/* A plain material for each surface, then one for each weave that somebody wears. */
static void write_materials(struct writer *w, struct bytes *json, const struct baked *b)
{
    struct bytes images = {0};
    enum cp_surface of[WEAVE_COUNT] = {0};
    int n = 0;
    for (int k = 0; k < b->n_parts; k++)
        of[b->parts[k].part.weave] = b->parts[k].part.surface;
    bytes_text(json, "\"materials\":[");
    for (int m = 1; m <= N_MATERIALS; m++) {
        bytes_text(json, m > 1 ? "," : "");
        write_material(json, (enum cp_surface)m, -1);
    }
    for (int weave = 1; weave < WEAVE_COUNT; weave++) {
        if (!of[weave])
            continue;
        struct bytes png = {0};
        if (weave == WEAVE_SKIN)
            write_png(&png, b->skin, SKIN_SIDE, SKIN_SIDE, 3);
        else
            weave_png((enum weave)weave, &png);
        bytes_text(&images, "%s{\"mimeType\":\"image/png\",\"bufferView\":%d}", n ? "," : "",
                   add_view(w, png.data, png.length, NO_TARGET));
        free(png.data);
        bytes_text(json, ",");
        write_material(json, of[weave], n);
        w->weave_material[weave] = N_MATERIALS + n++;
    }
    bytes_text(json, "],");
    if (n) {
        bytes_text(json, "\"samplers\":[{\"wrapS\":10497,\"wrapT\":10497}],\"images\":[");
        bytes_add(json, images.data, images.length);
        bytes_text(json, "],\"textures\":[");
        for (int i = 0; i < n; i++)
            bytes_text(json, "%s{\"source\":%d,\"sampler\":0}", i ? "," : "", i);
        bytes_text(json, "],");
    }
    free(images.data);
}

static void write_document(struct writer *w, struct bytes *json, const struct baked *b,
                           const struct character *c, bool vrm)
{
    struct bytes looks = {0};
    write_materials(w, &looks, b);
    for (int k = 0; k < b->n_parts; k++)
        write_mesh(w, &b->parts[k]);
    bytes_text(
        json,
        "{\"asset\":{\"version\":\"2.0\",\"generator\":\"Compere sculpt\",\"extras\":{\"name\":\"%s\"}},",
        c->name);
    bytes_text(json, "\"scene\":0,\"scenes\":[{\"nodes\":[0");
    for (int k = 0; k < b->n_parts; k++)
        bytes_text(json, ",%d", JOINT_COUNT + k);
    bytes_text(json, "]}],\"nodes\":[");
    write_joints(w, json, &b->skeleton, vrm);
    for (int k = 0; k < b->n_parts; k++)
        bytes_text(json, ",{\"name\":\"%s\",\"mesh\":%d,\"skin\":0}", b->parts[k].part.name, k);
    bytes_text(json, "],");
    bytes_add(json, looks.data, looks.length);
    free(looks.data);
    write_skin(w, json, &b->skeleton);
    bytes_text(json, ",\"meshes\":[");
    bytes_add(json, w->meshes.data, w->meshes.length);
    bytes_text(json, "],\"accessors\":[");
    bytes_add(json, w->accessors.data, w->accessors.length);
    bytes_text(json, "],\"bufferViews\":[");
    bytes_add(json, w->views.data, w->views.length);
    bytes_add(&w->binary, "\0\0\0", (4 - w->binary.length % 4) % 4);
    bytes_text(json, "],\"buffers\":[{\"byteLength\":%zu}]", w->binary.length);
    if (vrm)
        vrm_write_extension(json, b, c);
    bytes_text(json, "}");
    bytes_add(json, "   ", (4 - json->length % 4) % 4);
}

int write_glb(const struct baked *b, const struct character *c, bool vrm, const char *path)
{
    for (int k = 0; k < b->n_parts; k++)
        if (b->parts[k].part.n_vertices > 65535) {
            fprintf(stderr,
                    "sculpt: part %s has too many vertices for 16-bit indices; lower its max_triangles\n",
                    b->parts[k].part.name);
            exit(1);
        }
    struct writer w = {.floor_y = c->height_m};
    struct bytes json = {0};
    write_document(&w, &json, b, c, vrm);
    const uint32_t header[5] = {0x46546C67, 2, (uint32_t)(12 + 8 + json.length + 8 + w.binary.length),
                                (uint32_t)json.length, 0x4E4F534A};    /* "glTF", version, length; "JSON" */
    const uint32_t chunk[2] = {(uint32_t)w.binary.length, 0x004E4942}; /* "BIN" */
    FILE *file = fopen(path, "wb");
    int failed = !file;
    if (file) {
        failed |= fwrite(header, sizeof header, 1, file) != 1 || fwrite(json.data, json.length, 1, file) != 1;
        failed |=
            fwrite(chunk, sizeof chunk, 1, file) != 1 || fwrite(w.binary.data, w.binary.length, 1, file) != 1;
        failed |= fclose(file) != 0;
    }
    free(w.binary.data);
    free(w.views.data);
    free(w.accessors.data);
    free(w.meshes.data);
    free(json.data);
    return failed ? -1 : 0;
}
