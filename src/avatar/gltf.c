/* The container: GLB chunks, JSON, buffers and buffer views (glTF 2.0 sections 3.6 and 4). */
#include "avatar/gltf.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GLB_MAGIC      0x46546C67u /* "glTF" */
#define GLB_CHUNK_JSON 0x4E4F534Au
#define GLB_CHUNK_BIN  0x004E4942u

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

json_t *gltf_item(const struct gltf *doc, const char *list, int64_t index)
{
    const json_t *array = json_object_get(doc->root, list);
    return index < 0 ? NULL : json_array_get(array, (size_t)index);
}

size_t gltf_count(const struct gltf *doc, const char *list)
{
    return json_array_size(json_object_get(doc->root, list));
}

int64_t gltf_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return fallback;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return json_integer_value(value);
    double real = json_is_real(value) ? json_real_value(value) : -1; /* some exporters write 36.0 */
    return real >= 0 && real < 9e15 && real == floor(real) ? (int64_t)real : -1;
}

float gltf_float(const json_t *object, const char *key, float fallback)
{
    const json_t *value = json_object_get(object, key);
    double number = json_is_number(value) ? json_number_value(value) : fallback;
    return fabs(number) < 1e9 ? (float)number : fallback;
}

bool gltf_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const char *gltf_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

bool gltf_floats(const json_t *object, const char *key, size_t n, float *ret)
{
    const json_t *array = json_object_get(object, key);
    if (json_array_size(array) < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_number(value) || !(fabs(json_number_value(value)) < 1e9))
            return false;
    }
    for (size_t i = 0; i < n; i++)
        ret[i] = (float)json_number_value(json_array_get(array, i));
    return true;
}

json_t *gltf_extension(const json_t *object, const char *name)
{
    return json_object_get(json_object_get(object, "extensions"), name);
}

int gltf_work(struct gltf *doc, size_t amount)
{
    if (amount > (size_t)doc->work_left)
        return gltf_fail(doc, CP_ERR_LIMIT, "the model unfolds to too much data; simplify it");
    doc->work_left -= (int64_t)amount;
    return 0;
}

/* jansson makes a value of some 40 to 150 bytes of each token: count them before it does. */
static bool json_is_moderate(const uint8_t *text, size_t length)
{
    size_t tokens = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        uint8_t c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ',' || c == '[' || c == '{' || c == ':'))
            tokens++;
    }
    return tokens <= GLTF_MAX_JSON_TOKENS;
}

static int parse_json(struct gltf *doc, const uint8_t *text, size_t length)
{
    json_error_t problem;
    if (!json_is_moderate(text, length))
        return gltf_fail(doc, CP_ERR_LIMIT, "the glTF JSON has more than %d values", GLTF_MAX_JSON_TOKENS);
    doc->root = json_loadb((const char *)text, length, 0, &problem);
    if (!doc->root && json_error_code(&problem) == json_error_premature_end_of_input)
        return gltf_fail(doc, CP_ERR_FORMAT, "the glTF JSON is truncated (line %d)", problem.line);
    if (!doc->root && json_error_code(&problem) == json_error_out_of_memory)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    if (!doc->root)
        return gltf_fail(doc, CP_ERR_FORMAT, "this is no glTF: the JSON is wrong at line %d: %s",
                         problem.line, problem.text);
    const char *version = gltf_text(json_object_get(doc->root, "asset"), "version");
    if (version[0] != '2')
        return gltf_fail(doc, CP_ERR_FORMAT, "this is no glTF 2.0 (asset.version is \"%.16s\")", version);
    return 0;
}

/* Finds the JSON and BIN chunks of a GLB (section 4.4). */
static int split_glb(struct gltf *doc, const uint8_t *bytes, size_t length, struct gltf_bytes *ret_json,
                     struct gltf_bytes *ret_bin)
{
    if (length < 12)
        return gltf_fail(doc, CP_ERR_FORMAT, "the GLB is truncated inside its header");
    if (read_u32(bytes + 4) != 2)
        return gltf_fail(doc, CP_ERR_FORMAT, "this GLB has version %u; only 2 can be read",
                         read_u32(bytes + 4));
    size_t total = read_u32(bytes + 8);
    if (total > length)
        return gltf_fail(doc, CP_ERR_FORMAT, "the GLB is truncated: it should have %zu bytes but has %zu",
                         total, length);
    struct gltf_bytes json = {0}, bin = {0};
    for (size_t at = 12; total - at >= 8 && at < total;) {
        size_t chunk = read_u32(bytes + at), left = total - at - 8;
        uint32_t type = read_u32(bytes + at + 4);
        if (chunk > left)
            return gltf_fail(doc, CP_ERR_FORMAT, "a chunk of the GLB ends behind the end of the file");
        struct gltf_bytes *slot = type == GLB_CHUNK_JSON ? &json : type == GLB_CHUNK_BIN ? &bin : NULL;
        if (slot && !slot->data)
            *slot = (struct gltf_bytes){.data = bytes + at + 8, .length = chunk};
        at += 8 + chunk;
    }
    if (!json.data)
        return gltf_fail(doc, CP_ERR_FORMAT, "the GLB has no JSON chunk");
    *ret_json = json;
    *ret_bin = bin;
    return 0;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Only a plain file right beside the model: a name without any path, no hidden file, no link. */
static int read_beside(struct gltf *doc, const char *name, uint8_t **ret_bytes, size_t *ret_length)
{
    char path[1400];
    if (!doc->folder || !*name || *name == '.' || strpbrk(name, "/\\:%") || strlen(name) > 255)
        return gltf_fail(doc, CP_ERR_UNSUPPORTED,
                         "the model refers to another file (\"%.80s\"); save it as one .glb", name);
    snprintf(path, sizeof path, "%.1100s/%s", doc->folder, name);
    struct stat info;
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) || !S_ISREG(info.st_mode)) {
        if (file >= 0)
            close(file);
        return gltf_fail(doc, CP_ERR_NOT_FOUND,
                         "the model is in parts, and \"%.80s\" is not beside it; save it as one .glb", name);
    }
    size_t length = (size_t)info.st_size;
    bool fits = length <= GLTF_MAX_FILE_BYTES;
    uint8_t *bytes = fits ? malloc(length + 1) : NULL;
    bool whole = bytes && read(file, bytes, length) == (ssize_t)length;
    close(file);
    if (!whole) {
        free(bytes);
        return gltf_fail(doc, fits ? CP_ERR_IO : CP_ERR_LIMIT,
                         "the model's file \"%.80s\" is too large to read", name);
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}

int gltf_read_uri(struct gltf *doc, const char *uri, uint8_t **ret_bytes, size_t *ret_length)
{
    const char *comma = strchr(uri, ',');
    if (strncmp(uri, "data:", 5) || !comma)
        return read_beside(doc, uri, ret_bytes, ret_length);
    if (comma - uri < 12 || strncmp(comma - 7, ";base64", 7))
        return gltf_fail(doc, CP_ERR_UNSUPPORTED, "a data URI of the model is not base64");
    size_t length = strlen(comma + 1), n = 0;
    uint8_t *bytes = malloc(length / 4 * 3 + 3);
    if (!bytes)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    uint32_t bits = 0;
    int held = 0;
    for (const char *c = comma + 1; *c && *c != '='; c++) {
        int value = base64_value(*c);
        if (value < 0) {
            free(bytes);
            return gltf_fail(doc, CP_ERR_FORMAT,
                             "a data URI of the model holds characters that are not base64");
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[n++] = (uint8_t)(bits >> held);
        }
    }
    *ret_bytes = bytes;
    *ret_length = n;
    return 0;
}

static int open_buffers(struct gltf *doc, const struct gltf_bytes *bin)
{
    size_t n = gltf_count(doc, "buffers");
    if (n > GLTF_MAX_LIST)
        return gltf_fail(doc, CP_ERR_LIMIT, "the model has %zu buffers; at most %d are read", n,
                         GLTF_MAX_LIST);
    doc->buffers = calloc(n + 1, sizeof *doc->buffers);
    if (!doc->buffers)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    doc->n_buffers = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *json = gltf_item(doc, "buffers", (int64_t)i);
        struct gltf_bytes *buffer = &doc->buffers[i];
        const char *uri = gltf_text(json, "uri");
        int64_t length = gltf_int(json, "byteLength", -1);
        if (length < 0)
            return gltf_fail(doc, CP_ERR_FORMAT, "buffer %zu has no valid byteLength", i);
        if (gltf_is_compressed(json) && !*uri)
            continue; /* a stand-in without bytes: its views lie compressed elsewhere */
        if (*uri) {
            uint8_t *bytes;
            int err = gltf_read_uri(doc, uri, &bytes, &buffer->length);
            if (err)
                return err;
            buffer->data = buffer->owned = bytes;
        } else if (i == 0 && bin->data) {
            *buffer = *bin;
        } else {
            return gltf_fail(doc, CP_ERR_FORMAT, "buffer %zu has neither bytes nor a URI", i);
        }
        if ((uint64_t)length > buffer->length)
            return gltf_fail(doc, CP_ERR_FORMAT, "buffer %zu is truncated: %zu of %lld bytes are there", i,
                             buffer->length, (long long)length);
    }
    return 0;
}

static int open_views(struct gltf *doc)
{
    size_t n = gltf_count(doc, "bufferViews");
    if (n > GLTF_MAX_LIST)
        return gltf_fail(doc, CP_ERR_LIMIT, "the model has %zu buffer views; at most %d are read", n,
                         GLTF_MAX_LIST);
    doc->views = calloc(n + 1, sizeof *doc->views);
    if (!doc->views)
        return gltf_fail(doc, CP_ERR_NOMEM, "out of memory");
    doc->n_views = n;
    size_t unfold_left = GLTF_MAX_FILE_BYTES;
    for (size_t i = 0; i < n; i++) {
        const json_t *json = gltf_item(doc, "bufferViews", (int64_t)i);
        int64_t buffer = gltf_int(json, "buffer", -1), offset = gltf_int(json, "byteOffset", 0),
                length = gltf_int(json, "byteLength", -1), stride = gltf_int(json, "byteStride", 0);
        if (buffer < 0 || (uint64_t)buffer >= doc->n_buffers || offset < 0 || length < 0 || stride < 0 ||
            stride > 4096)
            return gltf_fail(doc, CP_ERR_FORMAT,
                             "buffer view %zu has no valid buffer, offset, length or stride", i);
        if (gltf_is_compressed(json)) {
            int err = gltf_decompress(doc, i, json, &unfold_left);
            if (err)
                return err;
            continue;
        }
        const struct gltf_bytes *from = &doc->buffers[buffer];
        if ((uint64_t)offset > from->length || (uint64_t)length > from->length - (uint64_t)offset)
            return gltf_fail(doc, CP_ERR_FORMAT, "buffer view %zu ends behind the end of buffer %lld", i,
                             (long long)buffer);
        doc->views[i] = (struct gltf_bytes){
            .data = from->data + offset, .length = (size_t)length, .stride = (size_t)stride};
    }
    return 0;
}

/* Extensions that a file may require: those that only add, or that this loader reads. */
static bool extension_is_known(const char *name)
{
    static const char *const known[] = {
        "KHR_mesh_quantization",   "KHR_texture_transform", "KHR_lights_punctual",
        "EXT_meshopt_compression", "KHR_node_visibility",   "KHR_animation_pointer",
        "KHR_xmp_json_ld",         "EXT_texture_webp",      "VRM"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i]))
            return true;
    return !strncmp(name, "KHR_materials_", 14) || !strncmp(name, "VRMC_", 5);
}

static int check_extensions(struct gltf *doc)
{
    const json_t *required = json_object_get(doc->root, "extensionsRequired");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (!name || !extension_is_known(name))
            return gltf_fail(doc, CP_ERR_UNSUPPORTED,
                             "the model requires the extension %.64s, which is not read; export it without",
                             name ? name : "(no name)");
    }
    return 0;
}

int gltf_open(struct gltf *doc, const void *bytes, size_t length, const char *folder, struct cp_error *error)
{
    *doc = (struct gltf){.error = error, .folder = folder, .work_left = GLTF_MAX_WORK};
    const uint8_t *p = bytes;
    if (length > GLTF_MAX_FILE_BYTES)
        return gltf_fail(doc, CP_ERR_LIMIT, "the model file has %zu MB; at most %zu are read", length >> 20,
                         GLTF_MAX_FILE_BYTES >> 20);
    if (length < 4)
        return gltf_fail(doc, CP_ERR_FORMAT, "the model file is empty or truncated (%zu bytes)", length);
    struct gltf_bytes json = {.data = p, .length = length}, bin = {0};
    int err = 0;
    if (read_u32(p) == GLB_MAGIC)
        err = split_glb(doc, p, length, &json, &bin);
    if (!err)
        err = parse_json(doc, json.data, json.length);
    if (!err)
        err = check_extensions(doc);
    if (!err)
        err = open_buffers(doc, &bin);
    if (!err)
        err = open_views(doc);
    return err;
}

void gltf_close(struct gltf *doc)
{
    for (size_t i = 0; i < doc->n_buffers; i++)
        free(doc->buffers[i].owned);
    for (size_t i = 0; i < doc->n_views; i++)
        free(doc->views[i].owned);
    free(doc->buffers);
    free(doc->views);
    json_decref(doc->root);
    *doc = (struct gltf){0};
}
