/*
 * Objects on an S3 server: the object "a/b.ogg" is the object PREFIX a/b.ogg of the bucket. Its expiry is
 * kept twice: to the nanosecond as metadata (x-amz-meta-compere-expires), which we judge by, and in days as a
 * tag, which the bucket's lifecycle rules judge by (`compere store lifecycle`). So expired objects go even
 * while no Compere runs, and never before their time.
 *
 * No request sets an access-control list: who may read is the bucket's policy, and Block Public Access stays
 * as it is. A put of one request is atomic on the server; a large one becomes visible when its last part is
 * in.
 *
 * A list does not give metadata. What is known of an object's expiry is remembered by key and time of change,
 * in a table of fixed size, so that a sweep asks for each object once and not every minute.
 */
#include "store/s3.h"

#include "base/clock.h"
#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define EXPIRES_HEADER "x-amz-meta-compere-expires"

enum { REMEMBERED = 1 << 16, PAGE = 1000, MAX_PARTS = 10000, PAGE_BYTES = 4 << 20 };

/* A place of the table: the key's hash stands for the key; 64 bits make a mix-up as good as impossible, and
 * an expiry is always read again before anything is deleted. */
struct known {
    uint64_t key;
    int64_t modified_s, expires_wall_ns;
    bool used;
};

struct engine {
    struct cp_s3 s3;
    pthread_mutex_t lock; /* guards known */
    struct known *known;
};

static void s3_close(void *object)
{
    struct engine *engine = object;
    if (!engine)
        return;
    cp_s3_close(&engine->s3);
    pthread_mutex_destroy(&engine->lock);
    free(engine->known);
    free(engine);
}

static int s3_open(const struct cp_store_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    pthread_mutex_init(&engine->lock, NULL);
    engine->known = calloc(REMEMBERED, sizeof *engine->known);
    int result = engine->known ? cp_s3_open(config, &engine->s3, error)
                               : cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    if (result)
        s3_close(engine);
    else
        *ret_engine = engine;
    return result;
}

/* --- what is known of expiries --- */

static void remember(struct engine *engine, const char *key, int64_t modified_wall_ns,
                     int64_t expires_wall_ns)
{
    uint64_t hash = cp_hash_text(CP_HASH_SEED, key);
    pthread_mutex_lock(&engine->lock);
    engine->known[hash % REMEMBERED] =
        (struct known){hash, modified_wall_ns / CP_NS_PER_S, expires_wall_ns, true};
    pthread_mutex_unlock(&engine->lock);
}

static bool recall(struct engine *engine, const char *key, int64_t modified_wall_ns, int64_t *ret_expires)
{
    uint64_t hash = cp_hash_text(CP_HASH_SEED, key);
    pthread_mutex_lock(&engine->lock);
    struct known known = engine->known[hash % REMEMBERED];
    pthread_mutex_unlock(&engine->lock);
    if (!known.used || known.key != hash || known.modified_s != modified_wall_ns / CP_NS_PER_S)
        return false;
    *ret_expires = known.expires_wall_ns;
    return true;
}

/* --- one object --- */

static bool expired(int64_t expires_wall_ns, int64_t now_wall_ns)
{
    return expires_wall_ns && expires_wall_ns <= now_wall_ns;
}

static int64_t read_number(const struct cp_http_response *response, const char *name)
{
    char text[40];
    return cp_http_header(response, name, text, sizeof text) ? strtoll(text, NULL, 10) : 0;
}

static void read_info(const struct cp_http_response *response, const char *key,
                      struct cp_object_info *ret_info)
{
    char modified[40] = "";
    struct tm utc = {0};
    *ret_info = (struct cp_object_info){.length_bytes = read_number(response, "Content-Length"),
                                        .expires_wall_ns = read_number(response, EXPIRES_HEADER)};
    snprintf(ret_info->key, sizeof ret_info->key, "%s", key);
    cp_http_header(response, "Content-Type", ret_info->content_type, sizeof ret_info->content_type);
    cp_http_header(response, "Last-Modified", modified, sizeof modified);
    if (strptime(modified, "%a, %d %b %Y %H:%M:%S GMT", &utc))
        ret_info->modified_wall_ns = (int64_t)timegm(&utc) * CP_NS_PER_S;
}

static int not_there(const char *key, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, "store", "there is no object %s", key);
}

/* What the server says of the object, expired or not. */
static int head(struct engine *engine, const char *key, struct cp_object_info *ret_info,
                struct cp_error *error)
{
    const struct cp_s3_request request = {.doing = "look up", .method = "HEAD", .key = key};
    struct cp_http_response response;
    int result = cp_s3_send(&engine->s3, &request, &response, error);
    if (!result) {
        read_info(&response, key, ret_info);
        remember(engine, key, ret_info->modified_wall_ns, ret_info->expires_wall_ns);
    }
    cp_http_response_free(&response);
    return result;
}

static int s3_info(void *object, const char *key, int64_t now_wall_ns, struct cp_object_info *ret_info,
                   struct cp_error *error)
{
    struct cp_object_info info;
    int result = head(object, key, &info, error);
    if (result)
        return result;
    if (expired(info.expires_wall_ns, now_wall_ns))
        return not_there(key, error);
    *ret_info = info;
    return 0;
}

static int s3_get(void *object, const char *key, int64_t offset, int64_t length, int64_t now_wall_ns,
                  struct cp_buffer *out, struct cp_error *error)
{
    struct engine *engine = object;
    struct cp_object_info info;
    if (!length) /* HTTP has no empty range */
        return s3_info(engine, key, now_wall_ns, &info, error);
    char range[64];
    if (length < 0)
        snprintf(range, sizeof range, "bytes=%lld-", (long long)offset);
    else
        snprintf(range, sizeof range, "bytes=%lld-%lld", (long long)offset, (long long)(offset + length - 1));
    const struct cp_sigv4_pair header = {"Range", range};
    const struct cp_s3_request request = {.doing = "get",
                                          .method = "GET",
                                          .key = key,
                                          .headers = &header,
                                          .n_headers = offset || length > 0,
                                          .into = out};
    struct cp_http_response response;
    size_t kept = out->length;
    int result = cp_s3_send(&engine->s3, &request, &response, error);
    if (result && response.status == 416) /* behind the end: nothing, if the object is there */
        result = s3_info(engine, key, now_wall_ns, &info, error);
    else if (!result && expired(read_number(&response, EXPIRES_HEADER), now_wall_ns))
        result = not_there(key, error);
    if (result && !out->failed)
        out->length = kept;
    if (result == CP_ERR_LIMIT)
        cp_fail(error, CP_ERR_LIMIT, "store", "object %s does not fit the reader's buffer of %zu bytes", key,
                out->max_bytes);
    cp_http_response_free(&response);
    return result;
}

static int s3_remove(void *object, const char *key, int64_t now_wall_ns, struct cp_error *error)
{
    struct engine *engine = object;
    struct cp_object_info info;
    const struct cp_s3_request request = {.doing = "delete", .method = "DELETE", .key = key};
    struct cp_http_response response;
    int result = head(engine, key, &info, error); /* the server's DELETE does not say whether it was there */
    if (result)
        return result;
    result = cp_s3_send(&engine->s3, &request, &response, error);
    cp_http_response_free(&response);
    if (!result && expired(info.expires_wall_ns, now_wall_ns))
        return not_there(key, error);
    return result;
}

/* --- put --- */

struct put {
    struct engine *engine;
    const char *key;
    struct cp_sigv4_pair headers[3];
    size_t n_headers;
    char expires[24], tag[32];
};

static void begin_put(struct put *put, struct engine *engine, const char *key, const char *content_type,
                      int64_t expires_wall_ns)
{
    *put = (struct put){.engine = engine, .key = key};
    put->headers[put->n_headers++] = (struct cp_sigv4_pair){"Content-Type", content_type};
    if (!expires_wall_ns)
        return;
    snprintf(put->expires, sizeof put->expires, "%lld", (long long)expires_wall_ns);
    put->headers[put->n_headers++] = (struct cp_sigv4_pair){EXPIRES_HEADER, put->expires};
    cp_s3_expiry_tag(expires_wall_ns, cp_clock_wall_ns(), put->tag);
    if (*put->tag)
        put->headers[put->n_headers++] = (struct cp_sigv4_pair){"x-amz-tagging", put->tag};
}

static int put_part(struct put *put, const char *upload, int number, const uint8_t *bytes, size_t length,
                    struct cp_buffer *parts, struct cp_error *error)
{
    char part[16], etag[80];
    snprintf(part, sizeof part, "%d", number);
    const struct cp_sigv4_pair query[] = {{"partNumber", part}, {"uploadId", upload}};
    const struct cp_s3_request request = {.doing = "put",
                                          .method = "PUT",
                                          .key = put->key,
                                          .query = query,
                                          .n_query = 2,
                                          .body = bytes,
                                          .body_bytes = length};
    struct cp_http_response response;
    int result = cp_s3_send(&put->engine->s3, &request, &response, error);
    if (!result && (!cp_http_header(&response, "ETag", etag, sizeof etag) || strpbrk(etag, "<>&")))
        result =
            cp_fail(error, CP_ERR_FORMAT, "store", "put %s: the object store gave a part no ETag", put->key);
    if (!result)
        cp_buffer_printf(parts, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number, etag);
    cp_http_response_free(&response);
    return result;
}

/* Completing may answer 200 and an error in the body (CompleteMultipartUpload in the API Reference). */
static int complete_upload(struct put *put, const struct cp_sigv4_pair *upload, struct cp_buffer *parts,
                           struct cp_error *error)
{
    const struct cp_s3_request request = {.doing = "put",
                                          .method = "POST",
                                          .key = put->key,
                                          .query = upload,
                                          .n_query = 1,
                                          .body = parts->data,
                                          .body_bytes = parts->length};
    struct cp_http_response response;
    char code[48];
    int result = cp_s3_send(&put->engine->s3, &request, &response, error);
    cp_s3_read_element(response.body.data, response.body.length, "Code", code, sizeof code);
    if (!result && *code)
        result = cp_fail(error, CP_ERR_UNAVAILABLE, "store",
                         "put %s: the object store could not join the parts: %s", put->key, code);
    cp_http_response_free(&response);
    return result;
}

static int put_in_parts(struct put *put, const uint8_t *bytes, size_t length, struct cp_error *error)
{
    static const struct cp_sigv4_pair BEGIN = {"uploads", ""};
    size_t step = (size_t)put->engine->s3.part_bytes;
    while (length / step >= MAX_PARTS)
        step *= 2;
    char id[512];
    const struct cp_s3_request begin = {.doing = "put",
                                        .method = "POST",
                                        .key = put->key,
                                        .query = &BEGIN,
                                        .n_query = 1,
                                        .headers = put->headers,
                                        .n_headers = put->n_headers};
    struct cp_http_response response;
    int result = cp_s3_send(&put->engine->s3, &begin, &response, error);
    cp_s3_read_element(response.body.data, response.body.length, "UploadId", id, sizeof id);
    cp_http_response_free(&response);
    if (result)
        return result;
    if (!*id)
        return cp_fail(error, CP_ERR_FORMAT, "store", "put %s: the object store began no upload", put->key);
    const struct cp_sigv4_pair upload = {"uploadId", id};
    struct cp_buffer parts = cp_buffer_make(2 << 20);
    cp_buffer_text(&parts, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t done = 0, number = 1; !result && done < length; done += step, number++)
        result = put_part(put, id, (int)number, bytes + done, length - done < step ? length - done : step,
                          &parts, error);
    cp_buffer_text(&parts, "</CompleteMultipartUpload>");
    if (!result)
        result = complete_upload(put, &upload, &parts, error);
    cp_buffer_free(&parts);
    if (!result)
        return 0;
    /* What was sent costs room until it is given up; if this fails too, the lifecycle does so after a day. */
    const struct cp_s3_request abort = {
        .doing = "put", .method = "DELETE", .key = put->key, .query = &upload, .n_query = 1};
    cp_s3_send(&put->engine->s3, &abort, &response, NULL);
    cp_http_response_free(&response);
    return result;
}

static int s3_put(void *object, const char *key, const char *content_type, const void *bytes, size_t length,
                  int64_t expires_wall_ns, struct cp_error *error)
{
    struct engine *engine = object;
    struct put put;
    begin_put(&put, engine, key, content_type, expires_wall_ns);
    if ((int64_t)length > engine->s3.part_bytes)
        return put_in_parts(&put, bytes, length, error);
    const struct cp_s3_request request = {.doing = "put",
                                          .method = "PUT",
                                          .key = key,
                                          .headers = put.headers,
                                          .n_headers = put.n_headers,
                                          .body = bytes,
                                          .body_bytes = length};
    struct cp_http_response response;
    int result = cp_s3_send(&engine->s3, &request, &response, error);
    cp_http_response_free(&response);
    return result;
}

/* --- lists --- */

static int list_page(struct engine *engine, const char *prefix, const char *after,
                     struct cp_s3_page *ret_page, struct cp_error *error)
{
    char whole[CP_S3_KEY_BYTES], start[CP_S3_KEY_BYTES];
    snprintf(whole, sizeof whole, "%s%.*s", engine->s3.prefix, CP_STORE_MAX_KEY_BYTES, prefix);
    snprintf(start, sizeof start, "%s%.*s", engine->s3.prefix, CP_STORE_MAX_KEY_BYTES, after);
    const struct cp_sigv4_pair query[] = {
        {"list-type", "2"}, {"max-keys", "1000"}, {"prefix", whole}, {"start-after", start}};
    const struct cp_s3_request request = {.doing = "list",
                                          .method = "GET",
                                          .query = query,
                                          .n_query = *after ? 4 : 3,
                                          .max_answer_bytes = PAGE_BYTES};
    struct cp_http_response response;
    int result = cp_s3_send(&engine->s3, &request, &response, error);
    if (!result)
        result = cp_s3_read_page(response.body.data, response.body.length, PAGE, ret_page, error);
    cp_http_response_free(&response);
    return result;
}

/* Calls visit with each object's key (without our prefix) that begins with prefix and comes after `after`, in
 * byte order, until it returns other than 0; a negative value is an error. */
struct walk {
    struct engine *engine;
    int64_t now_wall_ns;
    int (*visit)(struct walk *walk, const char *key, const struct cp_s3_entry *entry, struct cp_error *error);
    struct cp_object_info *infos;
    int n, limit;
    int64_t removed;
};

static int walk_objects(struct walk *walk, const char *prefix, const char *after, struct cp_error *error)
{
    char last[CP_STORE_MAX_KEY_BYTES + 1];
    size_t ours = strlen(walk->engine->s3.prefix);
    snprintf(last, sizeof last, "%s", after);
    for (bool more = true; more;) {
        struct cp_s3_page page;
        int result = list_page(walk->engine, prefix, last, &page, error);
        if (result)
            return result;
        for (int i = 0; i < page.n && !result; i++) {
            const char *key = page.entries[i].key + ours;
            if (strncmp(page.entries[i].key, walk->engine->s3.prefix, ours) || strcmp(key, last) <= 0 ||
                strlen(key) > CP_STORE_MAX_KEY_BYTES || !*key)
                continue; /* not one of ours, or a server that goes backwards */
            snprintf(last, sizeof last, "%.*s", CP_STORE_MAX_KEY_BYTES, key);
            result = walk->visit(walk, key, &page.entries[i], error);
        }
        more = page.more && page.n && !result;
        free(page.entries);
        if (result)
            return result < 0 ? result : 0;
    }
    return 0;
}

/* Lists give neither expiry nor content type: the object is asked. */
static int list_one(struct walk *walk, const char *key, const struct cp_s3_entry *entry,
                    struct cp_error *error)
{
    int64_t expires;
    if (recall(walk->engine, key, entry->modified_wall_ns, &expires) && expired(expires, walk->now_wall_ns))
        return 0;
    int result = head(walk->engine, key, &walk->infos[walk->n], error);
    if (result)
        return result == CP_ERR_NOT_FOUND ? 0 : result; /* deleted since */
    walk->n += !expired(walk->infos[walk->n].expires_wall_ns, walk->now_wall_ns);
    return walk->n == walk->limit;
}

static int s3_list(void *object, const char *prefix, const char *after, int limit, int64_t now_wall_ns,
                   struct cp_object_info *infos, int *ret_n, struct cp_error *error)
{
    struct walk walk = {
        .engine = object, .now_wall_ns = now_wall_ns, .visit = list_one, .infos = infos, .limit = limit};
    int result = walk_objects(&walk, prefix, after ? after : "", error);
    if (!result)
        *ret_n = walk.n;
    return result;
}

/* Judged by the object itself just before it goes, as it may have been replaced since. (Between the two
 * requests it still may: S3 has no delete under a condition that all servers know.) */
static int sweep_one(struct walk *walk, const char *key, const struct cp_s3_entry *entry,
                     struct cp_error *error)
{
    int64_t expires;
    struct cp_object_info info;
    if (recall(walk->engine, key, entry->modified_wall_ns, &expires) && !expired(expires, walk->now_wall_ns))
        return 0;
    int result = head(walk->engine, key, &info, error);
    if (result || !expired(info.expires_wall_ns, walk->now_wall_ns))
        return result == CP_ERR_NOT_FOUND ? 0 : result;
    const struct cp_s3_request request = {.doing = "delete", .method = "DELETE", .key = key};
    struct cp_http_response response;
    result = cp_s3_send(&walk->engine->s3, &request, &response, error);
    cp_http_response_free(&response);
    walk->removed += !result;
    return result;
}

static int s3_sweep(void *object, int64_t now_wall_ns, int64_t *ret_removed, struct cp_error *error)
{
    struct walk walk = {.engine = object, .now_wall_ns = now_wall_ns, .visit = sweep_one};
    int result = walk_objects(&walk, "", "", error);
    *ret_removed = walk.removed;
    return result;
}

/* --- URLs and the bucket --- */

static int s3_presign(void *object, const char *key, int64_t expires_s, struct cp_buffer *out,
                      struct cp_error *error)
{
    return cp_s3_presign(&((struct engine *)object)->s3, key, expires_s, out, error);
}

static int read_lifecycle(struct engine *engine, struct cp_http_response *ret_response,
                          struct cp_error *error)
{
    static const struct cp_sigv4_pair QUERY = {"lifecycle", ""};
    const struct cp_s3_request request = {.doing = "read the lifecycle",
                                          .method = "GET",
                                          .query = &QUERY,
                                          .n_query = 1,
                                          .max_answer_bytes = 1 << 20};
    return cp_s3_send(&engine->s3, &request, ret_response, error);
}

static int s3_lifecycle(void *object, bool set, int *ret_rules, int *ret_wanted, struct cp_error *error)
{
    static const struct cp_sigv4_pair QUERY = {"lifecycle", ""};
    struct engine *engine = object;
    struct cp_http_response response;
    int result = read_lifecycle(engine, &response, error);
    bool none = result == CP_ERR_NOT_FOUND; /* NoSuchLifecycleConfiguration */
    *ret_rules = 0;
    *ret_wanted = CP_S3_MAX_DAYS + 1;
    if (!result)
        *ret_rules =
            cp_s3_count_rules(response.body.data, response.body.length, engine->s3.prefix, ret_wanted);
    struct cp_buffer body = cp_buffer_make(1 << 20);
    if (set && (!result || none)) {
        uint8_t md5[16], text[32];
        result = cp_s3_write_lifecycle(none ? NULL : response.body.data, response.body.length,
                                       engine->s3.prefix, &body, error);
        /* The API asks for an MD5 of this body, as a check against damage on the way. */
        if (!result && EVP_Digest(body.data, body.length, md5, NULL, EVP_md5(), NULL) != 1)
            result = cp_fail(error, CP_ERR_UNSUPPORTED, "store", "this system's OpenSSL does not allow MD5");
        EVP_EncodeBlock(text, md5, sizeof md5);
        const struct cp_sigv4_pair headers[] = {{"Content-MD5", (const char *)text},
                                                {"Content-Type", "application/xml"}};
        const struct cp_s3_request put = {.doing = "set the lifecycle",
                                          .method = "PUT",
                                          .query = &QUERY,
                                          .n_query = 1,
                                          .headers = headers,
                                          .n_headers = 2,
                                          .body = body.data,
                                          .body_bytes = body.length};
        cp_http_response_free(&response);
        response = (struct cp_http_response){.status = 0};
        if (!result)
            result = cp_s3_send(&engine->s3, &put, &response, error);
        if (!result)
            *ret_rules = *ret_wanted;
    }
    cp_buffer_free(&body);
    cp_http_response_free(&response);
    return none && !set ? 0 : result;
}

const struct cp_object_engine cp_object_engine_s3 = {
    .name = "s3",
    .summary = "objects of a bucket on Amazon S3 or any server of its kind",
    .open = s3_open,
    .put = s3_put,
    .info = s3_info,
    .get = s3_get,
    .list = s3_list,
    .remove = s3_remove,
    .sweep = s3_sweep,
    .presign = s3_presign,
    .lifecycle = s3_lifecycle,
    .close = s3_close,
};
