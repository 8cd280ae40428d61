/*
 * A glTF 2.0 document as it lies in the file: JSON, buffers, views and accessors. Nothing in the file is
 * trusted: every offset, count and index is checked before use, sums are checked for overflow, and limits
 * hold before memory is asked for. One owner, one thread at a time.
 */
#ifndef CP_AVATAR_GLTF_H
#define CP_AVATAR_GLTF_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLTF_MAX_FILE_BYTES  ((size_t)256 << 20)
#define GLTF_MAX_JSON_TOKENS 2000000 /* separators; jansson takes up to 150 bytes for each */
#define GLTF_MAX_VERTICES    2000000
#define GLTF_MAX_TRIANGLES   4000000
#define GLTF_MAX_ROWS        8000000            /* of all morph targets together */
#define GLTF_MAX_WORK        (INT64_C(1) << 28) /* components read in all: a few seconds */
#define GLTF_MAX_PRIMITIVES  65536
#define GLTF_MAX_SKIN_JOINTS 1024 /* in one skin's list */
#define GLTF_MAX_NODES       16384
#define GLTF_MAX_DEPTH       64
#define GLTF_MAX_LIST        65536 /* meshes, materials, views, ... */
#define GLTF_MAX_TEXTURE_PX  8192
#define GLTF_MAX_PIXELS      ((size_t)96 << 20) /* of all textures together */

struct gltf_bytes {
    const uint8_t *data;
    size_t length;
    size_t stride; /* of a view: 0 for tightly packed */
    void *owned;   /* freed with the document; NULL when data lies in the file */
};

struct gltf {
    json_t *root;
    struct gltf_bytes *buffers, *views;
    size_t n_buffers, n_views;
    const char *folder;     /* where other files that it names may lie; NULL: nowhere */
    int64_t work_left;      /* see gltf_work */
    struct cp_error *error; /* the caller's, may be NULL */
};

/* Reads container and JSON and finds buffers and views. `bytes` must outlive the document. Call gltf_close
 * in any case. */
int gltf_open(struct gltf *doc, const void *bytes, size_t length, const char *folder, struct cp_error *error);
void gltf_close(struct gltf *doc);

/* Tells a failure through the document's error. */
#define gltf_fail(doc, code, ...) cp_fail((doc)->error, code, "avatar", __VA_ARGS__)

/* --- JSON, forgiving about absence, strict about range --- */

/* A top-level list's entry, or NULL. */
json_t *gltf_item(const struct gltf *doc, const char *list, int64_t index);
size_t gltf_count(const struct gltf *doc, const char *list);
/* A non-negative whole number; fallback when absent; -1 when it is anything else. */
int64_t gltf_int(const json_t *object, const char *key, int64_t fallback);
float gltf_float(const json_t *object, const char *key, float fallback);
bool gltf_bool(const json_t *object, const char *key);
/* "" when absent. */
const char *gltf_text(const json_t *object, const char *key);
/* True when the member is a list of at least n numbers; else ret stays. */
bool gltf_floats(const json_t *object, const char *key, size_t n, float *ret);
json_t *gltf_extension(const json_t *object, const char *name);

/* Views under EXT_meshopt_compression (gltf_meshopt.c): unfolds one into doc->views[index]. */
bool gltf_is_compressed(const json_t *object);
int gltf_decompress(struct gltf *doc, size_t index, const json_t *view, size_t *bytes_left);

/* The bytes behind a "data:" URI, or of a file in the document's folder itself, in memory of their own (the
 * caller frees). */
int gltf_read_uri(struct gltf *doc, const char *uri, uint8_t **ret_bytes, size_t *ret_length);

/* Counts work, in components read or the like. A small file can ask for any amount of it, since accessors may
 * share a view or have none: CP_ERR_LIMIT when it has asked for too much. */
int gltf_work(struct gltf *doc, size_t amount);

/* --- accessors --- */

/* How many elements an accessor has; -1 when there is no such accessor. */
int64_t gltf_accessor_count(const struct gltf *doc, int64_t index);

/*
 * All elements of an accessor as floats, `width` for each: normalized integers become -1..1 or 0..1, lacking
 * components become `fill`, further ones are dropped, sparse values are applied. `count` is what the caller
 * expects; another count fails. Numbers that are not finite fail. The caller frees.
 */
int gltf_read_floats(struct gltf *doc, int64_t index, size_t count, int width, float fill, float **ret);

/* The same for whole numbers (indices, joints). Float accessors fail. */
int gltf_read_ints(struct gltf *doc, int64_t index, size_t count, int width, uint32_t **ret);

#endif
