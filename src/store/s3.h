/*
 * Inside the S3 engine of objects: object_s3.c keeps objects, s3_request.c sends signed requests, s3_xml.c
 * reads and writes the documents.
 *
 * Source: Amazon S3 API Reference, version 2006-03-01. Only what radosgw, MinIO and AWS have in common is
 * used. Any thread; several at once.
 */
#ifndef CP_STORE_S3_H
#define CP_STORE_S3_H

#include "base/http.h"
#include "base/sigv4.h"
#include "store/store_provider.h"

#define CP_S3_KEY_BYTES 512 /* our prefix and the object's key */
#define CP_S3_MAX_DAYS  10  /* lifecycle rules, each for a number of days */

struct cp_s3 {
    struct cp_http *http;
    char scheme[8], host[256]; /* with the port, and the bucket in front of it when virtual */
    char bucket[128], prefix[256], region[64];
    bool path_style;
    char access_key[256], secret_key[200], token[2048];
    int64_t part_bytes; /* objects above this are sent in parts of it */
    int64_t timeout_ms; /* between two signs of life of the server */
    int attempts;       /* how often one request is tried */
};

int cp_s3_open(const struct cp_store_config *config, struct cp_s3 *s3, struct cp_error *error);
void cp_s3_close(struct cp_s3 *s3);

struct cp_s3_request {
    const char *doing;  /* "put", for error texts */
    const char *method; /* "GET" */
    const char *key;    /* of the object, without prefix; NULL: the bucket itself */
    const struct cp_sigv4_pair *query, *headers;
    size_t n_query, n_headers;
    const void *body;
    size_t body_bytes;
    size_t max_answer_bytes; /* of the answer's body; 0: 64 KiB */
    struct cp_buffer *into;  /* appends a 2xx body here instead; what a failed try wrote is taken back */
};

/* Signs, sends, and tries again with growing pauses while that may help. 0 for 2xx; CP_ERR_NOT_FOUND for a
 * missing object or document; other errors say what to do. The response is valid in each case and must be
 * freed. */
int cp_s3_send(struct cp_s3 *s3, const struct cp_s3_request *request, struct cp_http_response *ret_response,
               struct cp_error *error);
/* Appends a URL that anybody may GET for so long. */
int cp_s3_presign(const struct cp_s3 *s3, const char *key, int64_t expires_s, struct cp_buffer *out,
                  struct cp_error *error);

/* --- documents: foreign bytes --- */

struct cp_s3_entry {
    char key[CP_S3_KEY_BYTES]; /* with the prefix */
    int64_t length_bytes, modified_wall_ns;
};
struct cp_s3_page {
    struct cp_s3_entry *entries;
    int n;
    bool more;
};
/* Reads a ListBucketResult of at most max_entries; longer ones are CP_ERR_FORMAT. The caller frees
 * page->entries. */
int cp_s3_read_page(const void *xml, size_t length, int max_entries, struct cp_s3_page *ret_page,
                    struct cp_error *error);
/* The text of the first element of that name, or "" (capacity >= 1). */
void cp_s3_read_element(const void *xml, size_t length, const char *name, char *text, size_t capacity);

/* The lifecycle of the bucket with our rules in it: those of `now` (NULL or what GET ?lifecycle said) that
 * are not ours stay as they are. */
int cp_s3_write_lifecycle(const void *now, size_t length, const char *prefix, struct cp_buffer *out,
                          struct cp_error *error);
/* How many of our rules for this prefix are in the document, and how many there should be. */
int cp_s3_count_rules(const void *xml, size_t length, const char *prefix, int *ret_wanted);

/* The tag of an object with this expiry: "compere-days=N", N being the first of the rules' numbers of days
 * that is not too early. "" when it never expires or after the last rule. */
void cp_s3_expiry_tag(int64_t expires_wall_ns, int64_t now_wall_ns, char tag[32]);

#endif
