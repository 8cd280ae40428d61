/*
 * Signatures against the examples that AWS prints: "Signature Calculations for the Authorization Header" and
 * "Authenticating Requests: Using Query Parameters" (Amazon S3 API Reference), the signed IAM request of the
 * IAM User Guide, and the published Signature Version 4 test suite.
 */
#include "base/clock.h"
#include "base/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* AWS's published sample keys: not a secret of anybody. */
static const struct cp_sigv4_credentials S3_KEYS = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                                    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
static const struct cp_sigv4_credentials SUITE_KEYS = {
    .access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

#define MAY_2013    (INT64_C(1369353600) * CP_NS_PER_S) /* 2013-05-24 00:00:00 */
#define AUGUST_2015 (INT64_C(1440938160) * CP_NS_PER_S) /* 2015-08-30 12:36:00 */

static struct cp_sigv4_request s3_request(const char *method, const char *path)
{
    return (struct cp_sigv4_request){.method = method,
                                     .host = "examplebucket.s3.amazonaws.com",
                                     .path = path,
                                     .region = "us-east-1",
                                     .service = "s3",
                                     .wall_ns = MAY_2013};
}

static struct cp_sigv4_request suite_request(const char *method, const char *path)
{
    return (struct cp_sigv4_request){.method = method,
                                     .host = "example.amazonaws.com",
                                     .path = path,
                                     .region = "us-east-1",
                                     .service = "service",
                                     .wall_ns = AUGUST_2015};
}

static void expect(const struct cp_sigv4_credentials *keys, const struct cp_sigv4_request *request,
                   const char *signed_headers, const char *signature)
{
    struct cp_sigv4_headers headers;
    struct cp_error error;
    char wanted[600];
    assert_int_equal(cp_sigv4_sign(keys, request, &headers, &error), 0);
    snprintf(wanted, sizeof wanted,
             "AWS4-HMAC-SHA256 Credential=%s/%.8s/us-east-1/%s/aws4_request, SignedHeaders=%s, Signature=%s",
             keys->access_key, headers.date, request->service, signed_headers, signature);
    assert_string_equal(headers.authorization, wanted);
}

static void s3_examples_are_signed_as_printed(void **state)
{
    struct cp_sigv4_request request = s3_request("GET", "/test.txt");
    request.headers = (struct cp_sigv4_pair[]){{"Range", "bytes=0-9"}};
    request.n_headers = 1;
    expect(&S3_KEYS, &request, "host;range;x-amz-content-sha256;x-amz-date",
           "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    char hash[65];
    cp_sigv4_sha256("Welcome to Amazon S3.", 21, hash);
    assert_string_equal(hash, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    request = s3_request("PUT", "/test$file.text");
    request.headers = (struct cp_sigv4_pair[]){{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                               {"Date", "Fri, 24 May 2013 00:00:00 GMT"}};
    request.n_headers = 2;
    request.payload_sha256 = hash;
    expect(&S3_KEYS, &request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    request = s3_request("GET", "/");
    request.query = (struct cp_sigv4_pair[]){{"lifecycle", ""}};
    request.n_query = 1;
    expect(&S3_KEYS, &request, "host;x-amz-content-sha256;x-amz-date",
           "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

    request.query = (struct cp_sigv4_pair[]){{"prefix", "J"}, {"max-keys", "2"}}; /* given out of order */
    request.n_query = 2;
    expect(&S3_KEYS, &request, "host;x-amz-content-sha256;x-amz-date",
           "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void other_services_are_signed_as_printed(void **state)
{
    struct cp_sigv4_request request = suite_request("GET", "/");
    expect(&SUITE_KEYS, &request, "host;x-amz-date",
           "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"); /* get-vanilla */
    request.query = (struct cp_sigv4_pair[]){{"Param2", "value2"}, {"Param1", "value1"}};
    request.n_query = 2;
    expect(&SUITE_KEYS, &request, "host;x-amz-date",
           "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"); /* query-order-key-case */
    request = suite_request("POST", "/");
    expect(&SUITE_KEYS, &request, "host;x-amz-date",
           "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"); /* post-vanilla */

    request = suite_request("GET", "/");
    request.host = "iam.amazonaws.com";
    request.service = "iam";
    request.query = (struct cp_sigv4_pair[]){{"Action", "ListUsers"}, {"Version", "2010-05-08"}};
    request.n_query = 2;
    request.headers =
        (struct cp_sigv4_pair[]){{"Content-Type", "  application/x-www-form-urlencoded;   charset=utf-8 "}};
    request.n_headers = 1;
    expect(&SUITE_KEYS, &request, "content-type;host;x-amz-date",
           "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

static void presigned_url_is_as_printed(void **state)
{
    struct cp_sigv4_request request = s3_request("GET", "/test.txt");
    struct cp_buffer out = cp_buffer_make(4096);
    struct cp_error error;
    assert_int_equal(cp_sigv4_presign(&S3_KEYS, &request, 86400, &out, &error), 0);
    assert_string_equal(
        cp_buffer_string(&out),
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    cp_buffer_free(&out);
    assert_int_equal(cp_sigv4_presign(&S3_KEYS, &request, 0, &out, &error), CP_ERR_INVALID);
    assert_int_equal(cp_sigv4_presign(&S3_KEYS, &request, CP_SIGV4_MAX_EXPIRY_S + 1, &out, &error),
                     CP_ERR_INVALID);
    assert_int_equal(out.length, 0);
}

static void target_is_encoded_and_sorted(void **state)
{
    struct cp_sigv4_request request = s3_request("GET", "/a b/+=*~é.ogg");
    struct cp_buffer out = cp_buffer_make(4096);
    request.query = (struct cp_sigv4_pair[]){{"a", "z"}, {"[", "&="}, {"a", "b+c"}};
    request.n_query = 3;
    assert_int_equal(cp_sigv4_target(&request, &out, NULL), 0);
    assert_string_equal(cp_buffer_string(&out), "/a%20b/%2B%3D%2A~%C3%A9.ogg?%5B=%26%3D&a=b%2Bc&a=z");
    cp_buffer_free(&out);
}

static void session_token_is_signed_and_bad_requests_are_refused(void **state)
{
    struct cp_sigv4_credentials keys = S3_KEYS;
    struct cp_sigv4_request request = s3_request("GET", "/test.txt");
    struct cp_sigv4_headers headers;
    struct cp_buffer out = cp_buffer_make(4096);
    struct cp_error error;
    keys.session_token = "token+/=";
    assert_int_equal(cp_sigv4_sign(&keys, &request, &headers, &error), 0);
    assert_non_null(strstr(headers.authorization, "x-amz-date;x-amz-security-token,"));
    assert_string_equal(headers.content_sha256, EMPTY_SHA256);
    assert_int_equal(cp_sigv4_presign(&keys, &request, 60, &out, &error), 0);
    assert_non_null(strstr(cp_buffer_string(&out), "&X-Amz-Security-Token=token%2B%2F%3D&"));
    cp_buffer_free(&out);

    request.n_query = CP_SIGV4_MAX_PAIRS + 1;
    assert_int_equal(cp_sigv4_sign(&keys, &request, &headers, &error), CP_ERR_LIMIT);
    request.n_query = 0;
    request.path = "no-slash";
    assert_int_equal(cp_sigv4_sign(&keys, &request, &headers, &error), CP_ERR_INVALID);
    keys.secret_key = "";
    assert_int_equal(cp_sigv4_sign(&keys, &request, &headers, &error), CP_ERR_INVALID);
    char long_key[1200];
    memset(long_key, 'A', sizeof long_key - 1);
    long_key[sizeof long_key - 1] = 0;
    request.path = "/";
    keys.secret_key = "s";
    keys.access_key = long_key;
    assert_int_equal(cp_sigv4_sign(&keys, &request, &headers, &error), CP_ERR_LIMIT);
    keys.access_key = "a";
    keys.secret_key = long_key;
    assert_int_equal(cp_sigv4_sign(&keys, &request, &headers, &error), CP_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s3_examples_are_signed_as_printed),
        cmocka_unit_test(other_services_are_signed_as_printed),
        cmocka_unit_test(presigned_url_is_as_printed),
        cmocka_unit_test(target_is_encoded_and_sorted),
        cmocka_unit_test(session_token_is_signed_and_bad_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
