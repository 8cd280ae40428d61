/* Compressed views (EXT_meshopt_compression): the library decodes, everything it assumes is checked before.
 */
#include "avatar/gltf.h"

#include <meshoptimizer.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION "EXT_meshopt_compression"

enum mode { ATTRIBUTES, TRIANGLES, INDICES, N_MODES };
enum filter { NONE, OCTAHEDRAL, QUATERNION, EXPONENTIAL, N_FILTERS };

static int position_in(const char *word, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(word, list[i]))
            return i;
    return -1;
}

/* What the decoders demand of element sizes and counts (the extension's own rules). */
static bool shape_is_valid(enum mode mode, enum filter filter, int64_t count, int64_t stride)
{
    if (mode == ATTRIBUTES) {
        if (stride < 4 || stride > 256 || stride % 4)
            return false;
        return filter == NONE || filter == EXPONENTIAL || (filter == OCTAHEDRAL && stride <= 8) ||
               (filter == QUATERNION && stride == 8);
    }
    return filter == NONE && (stride == 2 || stride == 4) && (mode == INDICES || count % 3 == 0);
}

static int decode(enum mode mode, void *to, size_t count, size_t stride, const uint8_t *bytes, size_t length)
{
    switch (mode) {
    case ATTRIBUTES:
        return meshopt_decodeVertexBuffer(to, count, stride, bytes, length);
    case TRIANGLES:
        return meshopt_decodeIndexBuffer(to, count, stride, bytes, length);
    default:
        return meshopt_decodeIndexSequence(to, count, stride, bytes, length);
    }
}

static void undo_filter(enum filter filter, void *data, size_t count, size_t stride)
{
    if (filter == OCTAHEDRAL)
        meshopt_decodeFilterOct(data, count, stride);
    else if (filter == QUATERNION)
        meshopt_decodeFilterQuat(data, count, stride);
    else if (filter == EXPONENTIAL)
        meshopt_decodeFilterExp(data, count, stride);
}

bool gltf_is_compressed(const json_t *object)
{
    return gltf_extension(object, EXTENSION);
}

int gltf_decompress(struct gltf *doc, size_t index, const json_t *view, size_t *bytes_left)
{
    static const char *const modes[] = {"ATTRIBUTES", "TRIANGLES", "INDICES"};
    static const char *const filters[] = {"NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL"};
    const json_t *json = gltf_extension(view, EXTENSION);
    int64_t buffer = gltf_int(json, "buffer", -1), offset = gltf_int(json, "byteOffset", 0),
            length = gltf_int(json, "byteLength", -1), stride = gltf_int(json, "byteStride", -1),
            count = gltf_int(json, "count", -1);
    const char *filter_name = gltf_text(json, "filter");
    int mode = position_in(gltf_text(json, "mode"), modes, N_MODES);
    int filter = *filter_name ? position_in(filter_name, filters, N_FILTERS) : NONE;
    if (buffer < 0 || (uint64_t)buffer >= doc->n_buffers || !doc->buffers[buffer].data || mode < 0 ||
        filter < 0 || count < 1 || count > 1 << 24 || !shape_is_valid(mode, filter, count, stride))
        return gltf_fail(doc, CP_ERR_FORMAT, "buffer view %zu: its " EXTENSION " is invalid", index);
    const struct gltf_bytes *from = &doc->buffers[buffer];
    if (offset < 0 || length < 0 || (uint64_t)offset > from->length ||
        (uint64_t)length > from->length - (uint64_t)offset)
        return gltf_fail(doc, CP_ERR_FORMAT, "buffer view %zu ends behind the end of buffer %lld", index,
                         (long long)buffer);
    size_t bytes = (size_t)count * (size_t)stride;
    if (bytes > *bytes_left)
        return gltf_fail(doc, CP_ERR_LIMIT, "the model's compressed views unfold to more than %zu MB",
                         GLTF_MAX_FILE_BYTES >> 20);
    void *data = malloc(bytes);
    if (!data)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    if (decode(mode, data, (size_t)count, (size_t)stride, from->data + offset, (size_t)length)) {
        free(data);
        return gltf_fail(doc, CP_ERR_FORMAT,
                         "buffer view %zu does not decompress: it is broken or of a newer kind", index);
    }
    undo_filter(filter, data, (size_t)count, (size_t)stride);
    *bytes_left -= bytes;
    doc->views[index] = (struct gltf_bytes){
        .data = data, .owned = data, .length = bytes, .stride = mode == ATTRIBUTES ? (size_t)stride : 0};
    return 0;
}
