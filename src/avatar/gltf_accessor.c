/* Accessors (glTF 2.0 section 3.6.2): all component types, normalized, interleaved and sparse. */
#include "avatar/gltf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum component { INT8 = 5120, UINT8 = 5121, INT16 = 5122, UINT16 = 5123, UINT32 = 5125, FLOAT32 = 5126 };

struct accessor {
    size_t count, stride;
    int64_t component;
    int n_components;
    bool normalized;
    const uint8_t *data; /* NULL: all zero */
    size_t n_sparse;
    int64_t sparse_component;
    const uint8_t *sparse_index, *sparse_value;
};

static size_t component_bytes(int64_t component)
{
    switch (component) {
    case INT8:
    case UINT8:
        return 1;
    case INT16:
    case UINT16:
        return 2;
    case UINT32:
    case FLOAT32:
        return 4;
    default:
        return 0;
    }
}

static int components_of(const char *type)
{
    static const char *const name[] = {"SCALAR", "VEC2", "VEC3", "VEC4", "MAT4"};
    static const int count[] = {1, 2, 3, 4, 16};
    for (int i = 0; i < 5; i++)
        if (!strcmp(type, name[i]))
            return count[i];
    return 0; /* MAT2 and MAT3 have padded columns, and nothing here is made of them */
}

int64_t gltf_accessor_count(const struct gltf *doc, int64_t index)
{
    return gltf_int(gltf_item(doc, "accessors", index), "count", -1);
}

/* `count` elements of `element` bytes, `stride` apart, from `offset` on: NULL when they leave the view. */
static const uint8_t *span(const struct gltf *doc, int64_t view, int64_t offset, size_t count, size_t element,
                           size_t stride)
{
    if (view < 0 || (uint64_t)view >= doc->n_views || offset < 0 || !doc->views[view].data)
        return NULL;
    const struct gltf_bytes *bytes = &doc->views[view];
    /* count <= 2^24 and stride <= 4096 hold here: no overflow */
    uint64_t need = count ? (uint64_t)(count - 1) * stride + element : 0;
    if ((uint64_t)offset > bytes->length || need > bytes->length - (uint64_t)offset)
        return NULL;
    return bytes->data + offset;
}

static int open_sparse(struct gltf *doc, int64_t index, const json_t *json, struct accessor *a)
{
    const json_t *indices = json_object_get(json, "indices"), *values = json_object_get(json, "values");
    int64_t n = gltf_int(json, "count", -1);
    a->sparse_component = gltf_int(indices, "componentType", -1);
    size_t index_bytes = component_bytes(a->sparse_component);
    if (n < 0 || (uint64_t)n > a->count ||
        (a->sparse_component != UINT8 && a->sparse_component != UINT16 && a->sparse_component != UINT32))
        return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld: its sparse part is invalid", (long long)index);
    size_t element = component_bytes(a->component) * (size_t)a->n_components;
    a->n_sparse = (size_t)n;
    a->sparse_index = span(doc, gltf_int(indices, "bufferView", -1), gltf_int(indices, "byteOffset", 0),
                           a->n_sparse, index_bytes, index_bytes);
    a->sparse_value = span(doc, gltf_int(values, "bufferView", -1), gltf_int(values, "byteOffset", 0),
                           a->n_sparse, element, element);
    if (!a->sparse_index || !a->sparse_value)
        return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld: its sparse part leaves its buffer view",
                         (long long)index);
    return 0;
}

static int open_accessor(struct gltf *doc, int64_t index, size_t count, struct accessor *a)
{
    const json_t *json = gltf_item(doc, "accessors", index);
    *a = (struct accessor){.count = count, .component = gltf_int(json, "componentType", -1)};
    a->n_components = components_of(gltf_text(json, "type"));
    a->normalized = gltf_bool(json, "normalized");
    size_t element = component_bytes(a->component) * (size_t)a->n_components;
    if (!json || !element)
        return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld is missing or has an unknown type",
                         (long long)index);
    int64_t there = gltf_int(json, "count", -1);
    if (there < 0 || (uint64_t)there != count || count > (1 << 24))
        return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld has %lld elements where %zu are expected",
                         (long long)index, (long long)there, count);
    a->stride = element;
    if (json_object_get(json, "bufferView")) {
        int64_t view = gltf_int(json, "bufferView", -1);
        if (view >= 0 && (uint64_t)view < doc->n_views && doc->views[view].stride)
            a->stride = doc->views[view].stride;
        a->data = a->stride < element
                      ? NULL
                      : span(doc, view, gltf_int(json, "byteOffset", 0), count, element, a->stride);
        if (!a->data)
            return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld leaves its buffer view", (long long)index);
    }
    const json_t *sparse = json_object_get(json, "sparse");
    return sparse ? open_sparse(doc, index, sparse, a) : 0;
}

/* Opens an accessor to read `width` components of each element. */
static int open_to_read(struct gltf *doc, int64_t index, size_t count, int width, struct accessor *a)
{
    int err = open_accessor(doc, index, count, a);
    return err ? err : gltf_work(doc, count * (size_t)width + 1);
}

static uint32_t read_int(const uint8_t *p, int64_t component)
{
    uint32_t value = 0;
    switch (component) {
    case INT8:
    case UINT8:
        return *p;
    case INT16:
    case UINT16:
        return (uint32_t)p[0] | (uint32_t)p[1] << 8;
    default:
        memcpy(&value, p, 4);
        return value;
    }
}

static float read_float(const uint8_t *p, int64_t component, bool normalized)
{
    float value;
    switch (component) {
    case INT8:
        value = (int8_t)*p;
        return normalized ? fmaxf(value / 127, -1) : value;
    case UINT8:
        return normalized ? (float)*p / 255 : (float)*p;
    case INT16:
        value = (int16_t)read_int(p, INT16);
        return normalized ? fmaxf(value / 32767, -1) : value;
    case UINT16:
        value = (float)read_int(p, UINT16);
        return normalized ? value / 65535 : value;
    case UINT32:
        return (float)read_int(p, UINT32);
    default:
        memcpy(&value, p, 4);
        return value;
    }
}

static void element_floats(const struct accessor *a, const uint8_t *p, int width, float fill, float *ret)
{
    size_t bytes = component_bytes(a->component);
    for (int c = 0; c < width; c++)
        ret[c] = c < a->n_components ? read_float(p + (size_t)c * bytes, a->component, a->normalized) : fill;
}

static void element_ints(const struct accessor *a, const uint8_t *p, int width, uint32_t *ret)
{
    size_t bytes = component_bytes(a->component);
    for (int c = 0; c < width; c++)
        ret[c] = c < a->n_components ? read_int(p + (size_t)c * bytes, a->component) : 0;
}

int gltf_read_floats(struct gltf *doc, int64_t index, size_t count, int width, float fill, float **ret)
{
    struct accessor a;
    int err = open_to_read(doc, index, count, width, &a);
    if (err)
        return err;
    float *values = calloc(count * (size_t)width + 1, sizeof *values);
    if (!values)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    for (size_t i = 0; a.data && i < count; i++)
        element_floats(&a, a.data + i * a.stride, width, fill, values + i * (size_t)width);
    size_t element = component_bytes(a.component) * (size_t)a.n_components;
    for (size_t i = 0; i < a.n_sparse; i++) {
        uint32_t at = read_int(a.sparse_index + i * component_bytes(a.sparse_component), a.sparse_component);
        if (at >= count) {
            free(values);
            return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld: a sparse index is out of range",
                             (long long)index);
        }
        element_floats(&a, a.sparse_value + i * element, width, fill, values + (size_t)at * (size_t)width);
    }
    for (size_t i = 0; i < count * (size_t)width; i++)
        if (!isfinite(values[i])) {
            free(values);
            return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld holds a number that is not finite",
                             (long long)index);
        }
    *ret = values;
    return 0;
}

int gltf_read_ints(struct gltf *doc, int64_t index, size_t count, int width, uint32_t **ret)
{
    struct accessor a;
    int err = open_to_read(doc, index, count, width, &a);
    if (err)
        return err;
    if (a.component == FLOAT32)
        return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld holds floats where whole numbers belong",
                         (long long)index);
    uint32_t *values = calloc(count * (size_t)width + 1, sizeof *values);
    if (!values)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    for (size_t i = 0; a.data && i < count; i++)
        element_ints(&a, a.data + i * a.stride, width, values + i * (size_t)width);
    size_t element = component_bytes(a.component) * (size_t)a.n_components;
    for (size_t i = 0; i < a.n_sparse; i++) {
        uint32_t at = read_int(a.sparse_index + i * component_bytes(a.sparse_component), a.sparse_component);
        if (at >= count) {
            free(values);
            return gltf_fail(doc, CP_ERR_FORMAT, "accessor %lld: a sparse index is out of range",
                             (long long)index);
        }
        element_ints(&a, a.sparse_value + i * element, width, values + (size_t)at * (size_t)width);
    }
    *ret = values;
    return 0;
}
