/*
 * AWS Signature Version 4: signed headers and presigned URLs. Pure functions: the time is given, nothing is
 * read from outside, and the same request gives the same signature. Any thread.
 *
 * Source: "Create a signed AWS API request", AWS IAM User Guide, and "Authenticating Requests (AWS Signature
 * Version 4)", Amazon S3 API Reference. As those say, S3 encodes the path once and every other service
 * twice, and S3 signs x-amz-content-sha256 too.
 */
#ifndef CP_BASE_SIGV4_H
#define CP_BASE_SIGV4_H

#include "base/buffer.h"
#include "base/error.h"

#define CP_SIGV4_MAX_PAIRS    48                 /* query parameters; headers */
#define CP_SIGV4_UNSIGNED     "UNSIGNED-PAYLOAD" /* S3 only: the body is not part of the signature */
#define CP_SIGV4_MAX_EXPIRY_S 604800             /* of a presigned URL: seven days */

struct cp_sigv4_credentials {
    const char *access_key, *secret_key;
    const char *session_token; /* of temporary credentials; NULL or "" for none */
};

struct cp_sigv4_pair {
    const char *name, *value; /* not encoded */
};

struct cp_sigv4_request {
    const char *method; /* "GET" */
    const char *host;   /* as in the Host header: with the port when it is not the scheme's own */
    const char *path;   /* begins with "/"; not encoded, without "." and ".." */
    const struct cp_sigv4_pair *query;
    size_t n_query;
    /* Headers to sign besides host, x-amz-date, x-amz-content-sha256 and x-amz-security-token, which are
     * signed by themselves. Names in any case. */
    const struct cp_sigv4_pair *headers;
    size_t n_headers;
    const char *payload_sha256; /* of the body, lower-case hexadecimal; NULL: the empty body */
    const char *region, *service;
    int64_t wall_ns; /* time of signing: nanoseconds since 1970 */
};

/* Header values to send with the request, besides those given. */
struct cp_sigv4_headers {
    char date[17];            /* x-amz-date: "20130524T000000Z" */
    char content_sha256[65];  /* x-amz-content-sha256: required by S3, harmless elsewhere */
    char authorization[1024]; /* Authorization */
};

/* Hexadecimal SHA-256 of the bytes. */
void cp_sigv4_sha256(const void *bytes, size_t length, char ret_hex[65]);

/* Signs by header. The session token, when there is one, must be sent as x-amz-security-token.
 * CP_ERR_INVALID for an incomplete request, CP_ERR_LIMIT for too many or too long parts. */
int cp_sigv4_sign(const struct cp_sigv4_credentials *credentials, const struct cp_sigv4_request *request,
                  struct cp_sigv4_headers *ret_headers, struct cp_error *error);

/* Appends the request target, "/path?query", encoded the way that was signed: other encodings of the same
 * path would not match. */
int cp_sigv4_target(const struct cp_sigv4_request *request, struct cp_buffer *out, struct cp_error *error);

/* Appends a target that carries its signature for expires_s seconds (1..CP_SIGV4_MAX_EXPIRY_S). For S3 the
 * payload is unsigned. */
int cp_sigv4_presign(const struct cp_sigv4_credentials *credentials, const struct cp_sigv4_request *request,
                     int64_t expires_s, struct cp_buffer *out, struct cp_error *error);

#endif
