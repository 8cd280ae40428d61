/* Statuses, roles, limits and checks, over real connections. */
#include "serving.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void handle_hello(void *user, struct cp_request *request)
{
    cp_request_reply_json(request, 200,
                          json_pack("{s:s, s:s, s:s}", "name", cp_request_param(request, "name"), "role",
                                    cp_role_name(cp_request_role(request)), "key",
                                    cp_request_key_id(request)));
}

static void handle_literal(void *user, struct cp_request *request)
{
    cp_request_reply_json(request, 200, json_pack("{s:b}", "literal", 1));
}

static void handle_echo(void *user, struct cp_request *request)
{
    json_t *body = cp_request_json(request);
    cp_request_add_header(request, "Location", "/v1/things/7");
    cp_request_add_header(request, "X-Bad", "a\r\nX-Injected: 1");
    cp_request_reply_json(request, 201, json_incref(body));
}

static void handle_raw(void *user, struct cp_request *request)
{
    size_t length;
    const void *bytes = cp_request_body(request, &length);
    cp_request_reply_bytes(request, 200, "application/octet-stream", bytes, length);
}

static void handle_query(void *user, struct cp_request *request)
{
    const char *limit = cp_request_query(request, "limit"), *kind = cp_request_query(request, "kind");
    cp_request_reply_json(request, 200,
                          json_pack("{s:s, s:s*, s:s}", "limit", limit ? limit : "-", "kind", kind, "raw",
                                    cp_request_query_string(request)));
}

static void handle_file(void *user, struct cp_request *request)
{
    const char *file = cp_request_param(request, "file");
    cp_request_reply_bytes(request, 200, "text/plain", file, strlen(file));
}

static void handle_fail(void *user, struct cp_request *request)
{
    struct cp_error error;
    int code = -atoi(cp_request_param(request, "code"));
    cp_fail(&error, (enum cp_err)code, "test", "secret path /var/lib");
    cp_request_fail(request, &error);
}

static void handle_nothing(void *user, struct cp_request *request)
{
}

static const struct cp_field LIST_FIELDS[] = {
    {"text", CP_FIELD_TEXT, .required = true, .min = 1, .max = 10, .help = "what is said"},
    {"rate", CP_FIELD_NUMBER, .min = 0.5, .max = 2},
    {NULL},
};
static const struct cp_field VOICE_FIELDS[] = {
    {"engine", CP_FIELD_TEXT, .choices = "flite|espeak"},
    {NULL},
};
static const struct cp_field ECHO_FIELDS[] = {
    {"name", CP_FIELD_TEXT, .required = true, .min = 1, .max = 20, .help = "its name"},
    {"count", CP_FIELD_INTEGER, .min = 1, .max = 9},
    {"loop", CP_FIELD_BOOL},
    {"voice", CP_FIELD_OBJECT, .fields = VOICE_FIELDS},
    {"free", CP_FIELD_OBJECT},
    {"either", CP_FIELD_TEXT_OR_OBJECT, .max = 5, .fields = VOICE_FIELDS},
    {"cues", CP_FIELD_LIST, .min = 1, .max = 3, .fields = LIST_FIELDS},
    {NULL},
};
static const struct cp_field QUERY_FIELDS[] = {
    {"limit", CP_FIELD_INTEGER, .min = 1, .max = 100},
    {"kind", CP_FIELD_TEXT, .choices = "a|b c"},
    {NULL},
};

static const struct cp_route ROUTES[] = {
    {CP_GET, "/v1/hello/{name}", CP_ROLE_PUBLIC, "Greets.", .handle = handle_hello},
    {CP_GET, "/v1/hello/world", CP_ROLE_PUBLIC, "Greets the world.", .handle = handle_literal},
    {CP_GET, "/v1/view", CP_ROLE_VIEWER, .handle = handle_hello},
    {CP_GET, "/v1/operate", CP_ROLE_OPERATOR, .handle = handle_hello},
    {CP_GET, "/v1/administer", CP_ROLE_ADMIN, .handle = handle_hello},
    {CP_POST, "/v1/things", CP_ROLE_OPERATOR, "Makes a thing.", ECHO_FIELDS, .success = 201,
     .handle = handle_echo},
    {CP_POST, "/v1/raw", CP_ROLE_PUBLIC, .body_type = "application/sdp", .max_body_bytes = 1000,
     .handle = handle_raw},
    {CP_PUT, "/v1/raw", CP_ROLE_PUBLIC, .body_type = "*/*", .max_body_bytes = 3 << 20, .handle = handle_raw},
    {CP_GET, "/v1/query", CP_ROLE_PUBLIC, .query = QUERY_FIELDS, .handle = handle_query},
    {CP_GET, "/v1/files/{file...}", CP_ROLE_PUBLIC, .unlimited = true, .handle = handle_file},
    {CP_GET, "/v1/fail/{code}", CP_ROLE_PUBLIC, .handle = handle_fail},
    {CP_GET, "/v1/nothing", CP_ROLE_PUBLIC, .handle = handle_nothing},
};
#define N_ROUTES (sizeof ROUTES / sizeof *ROUTES)

static int setup(void **state)
{
    struct serving *s = serving_create();
    snprintf(s->config.cors, sizeof s->config.cors, "https://desk.example, https://other.example");
    serving_start(s, ROUTES, N_ROUTES);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    serving_destroy(*state);
    return 0;
}

static void route_gets_its_parameter_and_literals_win(void **state)
{
    struct serving *s = *state;
    EXPECT_TEXT(200, "\"name\":\"ann\"", request(s, "GET", "/v1/hello/ann", NULL, NULL, NULL));
    EXPECT_TEXT(200, "\"name\":\"a b+c\"", request(s, "GET", "/v1/hello/a%20b+c?x=1", NULL, NULL, NULL));
    EXPECT_TEXT(200, "literal", request(s, "GET", "/v1/hello/world", NULL, NULL, NULL));
    EXPECT_TEXT(200, "a/b/c d.ts", request(s, "GET", "/v1/files/a/b/c%20d.ts", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/v1/files/", NULL, NULL, NULL));
}

static void unknown_path_is_404_and_wrong_method_405_with_allow(void **state)
{
    struct serving *s = *state;
    EXPECT_TEXT(404, "\"code\":\"not_found\"", request(s, "GET", "/v1/nowhere", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/v1/hello/", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/v1/hello/a/b", NULL, NULL, NULL));
    EXPECT(404, request(s, "POST", "/v1/nowhere", NULL, NULL, "x"));
    struct response r = request(s, "DELETE", "/v1/raw", NULL, NULL, NULL);
    assert_int_equal(r.status, 405);
    assert_string_equal(header_of(&r, "Allow"), "POST, PUT, OPTIONS");
    assert_string_equal(header_of(&r, "Content-Type"), "application/problem+json");
    response_clear(&r);
    EXPECT(405, request(s, "BREW", "/v1/raw", NULL, NULL, NULL));
}

static void paths_with_tricks_are_refused(void **state)
{
    struct serving *s = *state;
    const char *const bad[] = {"/v1/hello/%zz", "/v1/hello/%00",    "/v1/hello/a%2fb",
                               "/v1/hello/..",  "/v1/hello/%2e%2e", "/v1/files/a/../b",
                               "/v1/hello/%0a", "/v1/hello/a%5cb",  "/v1/hello/%"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT(400, request(s, "GET", bad[i], NULL, NULL, NULL));
}

static void head_works_as_get_without_a_body(void **state)
{
    struct serving *s = *state;
    struct response r = request(s, "HEAD", "/v1/hello/ann", NULL, NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_string_equal(header_of(&r, "Content-Length"), "39");
    assert_int_equal(r.body_length, 0);
    response_clear(&r);
}

static void roles_decide_who_may(void **state)
{
    struct serving *s = *state;
    const char *const keys[] = {NULL, s->viewer, s->operator_key, s->admin};
    const char *const paths[] = {"/v1/hello/x", "/v1/view", "/v1/operate", "/v1/administer"};
    for (int path = 0; path < 4; path++)
        for (int key = 0; key < 4; key++)
            EXPECT(key >= path ? 200
                   : key       ? 403
                               : 401,
                   request(s, "GET", paths[path], keys[key], NULL, NULL));
    struct response r = request(s, "GET", "/v1/view", NULL, NULL, NULL);
    assert_string_equal(header_of(&r, "WWW-Authenticate"), "Bearer realm=\"compere\"");
    response_clear(&r);
    EXPECT_TEXT(403, "needs admin", request(s, "GET", "/v1/administer", s->viewer, NULL, NULL));
    EXPECT_TEXT(200, s->admin_id, request(s, "GET", "/v1/view", s->admin, NULL, NULL));
}

static void wrong_keys_are_told_apart(void **state)
{
    struct serving *s = *state;
    char key[CP_KEY_BYTES], other[CP_KEY_BYTES], id[40], path[160];
    memcpy(key, s->viewer, sizeof key);
    key[20] = key[20] == 'A' ? 'B' : 'A';
    EXPECT_TEXT(401, "mistyped", request(s, "GET", "/v1/view", key, NULL, NULL));
    EXPECT_TEXT(401, "mistyped", request(s, "GET", "/v1/view", "cpk_x", NULL, NULL));
    EXPECT(401, request(s, "GET", "/v1/view", NULL, "Authorization: Basic YTpi\r\n", NULL));
    assert_int_equal(cp_key_create(s->store, CP_ROLE_VIEWER, "x", other, id, NULL), 0);
    EXPECT(200, request(s, "GET", "/v1/view", other, NULL, NULL));
    assert_int_equal(cp_store_delete_if(s->store, "keys", id, CP_STORE_ANY_VERSION, NULL), 0);
    EXPECT_TEXT(401, "not known", request(s, "GET", "/v1/view", other, NULL, NULL)); /* at once */
    snprintf(path, sizeof path, "/v1/view?access_token=%s", s->viewer);
    EXPECT(401, request(s, "GET", path, NULL, NULL, NULL)); /* keys in addresses end up in logs */
}

static void key_from_another_process_works_at_once(void **state)
{
    struct serving *s = *state;
    struct cp_store *second = NULL;
    struct cp_store_config config = {.records = "sqlite", .objects = "files"};
    char key[CP_KEY_BYTES], id[40];
    snprintf(config.directory, sizeof config.directory, "%s/data", s->directory);
    assert_int_equal(cp_store_open(&config, &second, NULL), 0);
    assert_int_equal(cp_key_create(second, CP_ROLE_OPERATOR, "late", key, id, NULL), 0);
    cp_store_close(second);
    EXPECT_TEXT(200, "operator", request(s, "GET", "/v1/operate", key, NULL, NULL));
}

static void key_record_holds_no_key(void **state)
{
    struct serving *s = *state;
    struct cp_query_result page;
    assert_int_equal(strlen(s->admin), 53);
    assert_int_equal(cp_store_query(s->store, &(struct cp_query){.partition = "keys"}, &page, NULL), 0);
    assert_int_equal(page.n_records, 3);
    for (int i = 0; i < page.n_records; i++) {
        assert_null(strstr(page.records[i].json, s->admin + 4));
        assert_non_null(strstr(page.records[i].json, "\"sha256\""));
    }
    cp_query_result_clear(&page);
}

static void body_errors_name_the_field(void **state)
{
    struct serving *s = *state;
    const struct {
        const char *body, *wanted;
    } rows[] = {
        {"{\"name\":", "line 1, column 8"},
        {"{\"name\":\"a\",\n \"count\": }", "line 2"},
        {"[]", "a list"},
        {"{}", "name is missing"},
        {"", "name is missing"},
        {"{\"name\":7}", "name has to be a string"},
        {"{\"name\":null}", "null (leave the field out instead)"},
        {"{\"name\":\"\"}", "name has to be 1 to 20 bytes long"},
        {"{\"name\":\"123456789012345678901\"}", "1 to 20 bytes long, this is 21"},
        {"{\"name\":\"a\",\"nam\":1}", "unknown field nam; known here: name, count, loop"},
        {"{\"name\":\"a\",\"count\":10}", "count has to be 1 to 9, this is 10"},
        {"{\"name\":\"a\",\"count\":1.5}", "count has to be a whole number"},
        {"{\"name\":\"a\",\"count\":\"1\"}", "this is a string"},
        {"{\"name\":\"a\",\"loop\":1}", "loop has to be true or false"},
        {"{\"name\":\"a\",\"voice\":{\"engine\":\"x\"}}", "voice.engine has to be one of flite|espeak"},
        {"{\"name\":\"a\",\"voice\":{\"engine\":\"flit\"}}", "voice.engine has to be one of flite|espeak"},
        {"{\"name\":\"a\",\"voice\":{\"x\":1}}", "unknown field voice.x"},
        {"{\"name\":\"a\",\"cues\":[]}", "cues has to be 1 to 3 long"},
        {"{\"name\":\"a\",\"cues\":[{\"text\":\"a\"},{\"rate\":1}]}", "cues[1].text is missing"},
        {"{\"name\":\"a\",\"cues\":[{\"text\":\"a\",\"rate\":2.5}]}", "\"field\":\"cues[0].rate\""},
        {"{\"name\":\"a\",\"either\":7}", "either has to be a string or an object"},
        {"{\"name\":\"a\",\"either\":\"too long\"}", "either has to be 0 to 5 bytes long"},
        {"{\"name\":\"a\",\"either\":{\"engine\":\"x\"}}", "either.engine has to be one of flite|espeak"},
        {"{\"name\":\"a\",\"cues\":[1]}", "cues[0] has to be an object"},
        {"{\"name\":\"a\",\"name\":\"b\"}", "duplicate"},
        {"{\"name\":\"a\xff\"}", "not JSON"},
        {"{\"name\":\"a\\u0000b\"}", "not JSON"},
        {"{\"name\":\"a\"} x", "not JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT_TEXT(400, rows[i].wanted, send_json(s, "POST", "/v1/things", s->admin, rows[i].body));
}

static void good_body_reaches_the_handler(void **state)
{
    struct serving *s = *state;
    const char *body = "{\"name\":\"\xc3\xa4\",\"count\":9,\"loop\":false,\"voice\":{\"engine\":\"espeak\"},"
                       "\"free\":{\"any\":[1,null]},\"cues\":[{\"text\":\"hi\",\"rate\":0.5}]}";
    struct response r =
        request(s, "POST", "/v1/things", s->admin, "Content-Type: application/JSON; charset=utf-8\r\n", body);
    assert_int_equal(r.status, 201);
    assert_string_equal(r.body, body);
    assert_string_equal(header_of(&r, "Location"), "/v1/things/7");
    assert_null(header_of(&r, "X-Bad"));
    assert_null(header_of(&r, "X-Injected"));
    assert_string_equal(header_of(&r, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(header_of(&r, "Cache-Control"), "no-store");
    response_clear(&r);
    EXPECT(201, request(s, "POST", "/v1/things", s->admin, "Content-Type: application/merge-patch+json\r\n",
                        body));
}

static void content_type_is_checked(void **state)
{
    struct serving *s = *state;
    EXPECT_TEXT(415, "application/json",
                request(s, "POST", "/v1/things", s->admin, NULL, "{\"name\":\"a\"}"));
    EXPECT(415,
           request(s, "POST", "/v1/things", s->admin, "Content-Type: text/plain\r\n", "{\"name\":\"a\"}"));
    EXPECT(415, request(s, "POST", "/v1/raw", NULL, "Content-Type: application/json\r\n", "v=0"));
    EXPECT(415, request(s, "POST", "/v1/raw", NULL, NULL, "v=0"));
    EXPECT_TEXT(200, "v=0", request(s, "POST", "/v1/raw", NULL, "Content-Type: application/sdp\r\n", "v=0"));
    EXPECT_TEXT(200, "x", request(s, "PUT", "/v1/raw", NULL, "Content-Type: image/png\r\n", "x"));
}

static void body_limit_is_413_even_for_who_sends_it_all(void **state)
{
    struct serving *s = *state;
    char body[2001];
    memset(body, 'x', 2000);
    body[2000] = 0;
    EXPECT_TEXT(413, "1000 bytes",
                request(s, "POST", "/v1/raw", NULL, "Content-Type: application/sdp\r\n", body));
    body[1000] = 0;
    EXPECT(200, request(s, "POST", "/v1/raw", NULL, "Content-Type: application/sdp\r\n", body));
    char *large = malloc((2 << 20) + 1);
    memset(large, 'y', 2 << 20);
    large[2 << 20] = 0;
    struct response r = request(s, "PUT", "/v1/raw", NULL, "Content-Type: x/y\r\n", large);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, large);
    response_clear(&r);
    large[100000] = 0; /* too large, but short enough to be read to its end */
    EXPECT(413, request(s, "POST", "/v1/raw", NULL, "Content-Type: application/sdp\r\n", large));
    free(large);
    EXPECT(413, exchange(s, "POST /v1/raw HTTP/1.1\r\nHost: t\r\nContent-Type: application/sdp\r\n"
                            "Content-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n"));
    EXPECT(413, exchange(s, "POST /v1/raw HTTP/1.1\r\nHost: t\r\nContent-Type: application/sdp\r\n"
                            "Content-Length: 999999999999\r\n\r\n"));
}

static void chunked_bodies_are_taken_and_limited(void **state)
{
    struct serving *s = *state;
    const char *head = "POST /v1/raw HTTP/1.1\r\nHost: t\r\nContent-Type: application/sdp\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n";
    char text[4000];
    snprintf(text, sizeof text, "%s3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", head);
    EXPECT_TEXT(200, "abcde", exchange(s, text));
    snprintf(text, sizeof text, "%s5dc\r\n%1500d\r\n0\r\n\r\n", head, 1);
    EXPECT(413, exchange(s, text));
}

static void two_lengths_are_refused(void **state)
{
    struct response r =
        exchange(*state, "POST /v1/raw HTTP/1.1\r\nHost: t\r\nContent-Type: application/sdp\r\n"
                         "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_int_equal(r.status, 400);
    response_clear(&r);
}

static void giant_headers_are_431(void **state)
{
    struct serving *s = *state;
    for (int bytes = 20000; bytes <= 200000; bytes += 180000) {
        char *headers = malloc((size_t)bytes + 16);
        snprintf(headers, (size_t)bytes + 16, "X-Big: %0*d\r\n", bytes, 1);
        EXPECT(431, request(s, "GET", "/v1/hello/x", NULL, headers, NULL));
        free(headers);
    }
}

static void query_is_decoded_and_checked(void **state)
{
    struct serving *s = *state;
    EXPECT_TEXT(200, "\"limit\":\"7\",\"kind\":\"b c\",\"raw\":\"limit=7&kind=b+c\"",
                request(s, "GET", "/v1/query?limit=7&kind=b+c", NULL, NULL, NULL));
    EXPECT_TEXT(200, "\"limit\":\"-\"", request(s, "GET", "/v1/query", NULL, NULL, NULL));
    EXPECT_TEXT(400, "limit has to be 1 to 100", request(s, "GET", "/v1/query?limit=101", NULL, NULL, NULL));
    EXPECT_TEXT(400, "limit has to be a whole number",
                request(s, "GET", "/v1/query?limit=x", NULL, NULL, NULL));
    EXPECT(400, request(s, "GET", "/v1/query?limit=", NULL, NULL, NULL));
    EXPECT(400, request(s, "GET", "/v1/query?limit", NULL, NULL, NULL));
    EXPECT_TEXT(400, "kind has to be one of", request(s, "GET", "/v1/query?kind=%62", NULL, NULL, NULL));
    EXPECT_TEXT(400, "unknown parameter lim", request(s, "GET", "/v1/query?lim=1", NULL, NULL, NULL));
    EXPECT(400, request(s, "GET", "/v1/query?limit=%4", NULL, NULL, NULL));
    EXPECT_TEXT(200, "ann", request(s, "GET", "/v1/hello/ann?whatever=1", NULL, NULL, NULL));
}

static void codes_map_to_statuses_and_hide_inner_texts(void **state)
{
    struct serving *s = *state;
    const int wanted[] = {400, 404, 409, 403, 401, 413, 503, 501, 504, 409, 500, 500, 400, 503, 500};
    for (int code = 1; code <= 15; code++) {
        char path[32];
        snprintf(path, sizeof path, "/v1/fail/%d", code);
        struct response r = request(s, "GET", path, NULL, NULL, NULL);
        assert_int_equal(r.status, wanted[code - 1]);
        assert_int_equal(strstr(r.body, "secret") != NULL, r.status != 500);
        assert_non_null(strstr(r.body, "\"type\":\"about:blank\",\"title\":\""));
        response_clear(&r);
    }
    EXPECT_TEXT(500, "secret", request(s, "GET", "/v1/fail/15", s->admin, NULL, NULL));
}

static void handler_that_forgets_to_answer_is_500(void **state)
{
    EXPECT(500, request(*state, "GET", "/v1/nothing", NULL, NULL, NULL));
}

static void closed_gateway_calls_no_handler(void **state)
{
    struct serving *s = *state;
    cp_gateway_drain(s->gateway);
    EXPECT_TEXT(503, "starting or stopping", request(s, "GET", "/v1/hello/x", NULL, NULL, NULL));
    EXPECT(401, request(s, "GET", "/v1/view", NULL, NULL, NULL));
    cp_gateway_open(s->gateway);
    EXPECT(200, request(s, "GET", "/v1/hello/x", NULL, NULL, NULL));
}

static void everybody_is_told_that_every_origin_may_read(void **state)
{
    struct serving *s = serving_create();
    snprintf(s->config.cors, sizeof s->config.cors, "*");
    serving_start(s, ROUTES, N_ROUTES);
    struct response r = request(s, "GET", "/v1/hello/x", NULL, NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_string_equal(header_of(&r, "Access-Control-Allow-Origin"), "*");
    assert_null(header_of(&r, "Vary"));
    response_clear(&r);
    serving_destroy(s);
}

static void preflight_allows_known_origins_only(void **state)
{
    struct serving *s = *state;
    const char *known = "Origin: https://desk.example\r\nAccess-Control-Request-Method: POST\r\n";
    struct response r = request(s, "OPTIONS", "/v1/things", NULL, known, NULL);
    assert_int_equal(r.status, 204);
    assert_string_equal(header_of(&r, "Access-Control-Allow-Origin"), "https://desk.example");
    assert_string_equal(header_of(&r, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    assert_non_null(strstr(header_of(&r, "Access-Control-Allow-Headers"), "Authorization"));
    assert_string_equal(header_of(&r, "Vary"), "Origin");
    response_clear(&r);
    r = request(s, "OPTIONS", "/v1/things", NULL, "Origin: https://evil.example\r\n", NULL);
    assert_int_equal(r.status, 204);
    assert_null(header_of(&r, "Access-Control-Allow-Origin"));
    assert_string_equal(header_of(&r, "Allow"), "POST, OPTIONS");
    response_clear(&r);
    r = request(s, "GET", "/v1/hello/x", NULL, "Origin: https://other.example\r\n", NULL);
    assert_string_equal(header_of(&r, "Access-Control-Allow-Origin"), "https://other.example");
    assert_non_null(strstr(header_of(&r, "Access-Control-Expose-Headers"), "Location"));
    response_clear(&r);
    r = request(s, "GET", "/v1/view", NULL, "Origin: https://desk.example\r\n", NULL); /* errors too */
    assert_int_equal(r.status, 401);
    assert_non_null(header_of(&r, "Access-Control-Allow-Origin"));
    response_clear(&r);
    EXPECT(404, request(s, "OPTIONS", "/v1/nowhere", NULL, known, NULL));
}

static void connection_serves_many_requests(void **state)
{
    struct serving *s = *state;
    int file = connect_to(s);
    for (int i = 0; i < 50; i++) {
        const char *text = i % 3 ? "GET /v1/hello/ann HTTP/1.1\r\nHost: t\r\n\r\n"
                                 : "POST /v1/raw HTTP/1.1\r\nHost: t\r\nContent-Type: application/sdp\r\n"
                                   "Content-Length: 3\r\n\r\nabc";
        send_all(file, text, strlen(text));
        EXPECT(200, read_response(file, false));
    }
    /* A refused request whose body was read leaves the connection usable. */
    const char *refused = "POST /v1/things HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
    send_all(file, refused, strlen(refused));
    EXPECT(401, read_response(file, false));
    const char *next = "GET /v1/hello/ann HTTP/1.1\r\nHost: t\r\n\r\n";
    send_all(file, next, strlen(next));
    EXPECT(200, read_response(file, false));
    close(file);
}

static void answers_are_counted_by_route_and_status(void **state)
{
    struct serving *s = *state;
    EXPECT(200, request(s, "GET", "/v1/hello/ann", NULL, NULL, NULL));
    EXPECT(401, request(s, "GET", "/v1/view", NULL, NULL, NULL));
    EXPECT(404, request(s, "GET", "/v1/none", NULL, NULL, NULL));
    const char *name = "compere_http_requests_total";
    assert_true(cp_metric_value(
                    cp_counter(s->observe, name, "route=\"GET /v1/hello/{name}\",status=\"2xx\"", "")) == 1);
    assert_true(cp_metric_value(cp_counter(s->observe, name, "route=\"GET /v1/view\",status=\"4xx\"", "")) ==
                1);
    assert_true(cp_metric_value(cp_counter(s->observe, name, "route=\"none\",status=\"4xx\"", "")) == 1);
    assert_true(
        cp_metric_count(cp_histogram(s->observe, "compere_http_request_seconds", "kind=\"api\"", "")) >= 2);
}

static void port_in_use_is_told_with_what_to_do(void **state)
{
    struct serving *s = *state;
    struct cp_gateway_config config = s->config;
    struct cp_gateway *second = NULL;
    struct cp_error error;
    snprintf(config.listen, sizeof config.listen, "127.0.0.1:%d", cp_gateway_port(s->gateway));
    assert_int_equal(
        cp_gateway_create(&config, ROUTES, N_ROUTES, NULL, s->store, s->observe, &second, &error), CP_ERR_IO);
    assert_non_null(strstr(error.text, config.listen));
    assert_non_null(strstr(error.text, "choose another"));
    assert_null(second);
    const char *const bad[] = {"",       "8080",        "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:999999",
                               "::1:80", "127.0.0.1:8x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(config.listen, sizeof config.listen, "%s", bad[i]);
        assert_int_equal(
            cp_gateway_create(&config, ROUTES, N_ROUTES, NULL, s->store, s->observe, &second, &error),
            CP_ERR_INVALID);
    }
    EXPECT(200, request(s, "GET", "/v1/view", s->viewer, NULL, NULL)); /* the first is unharmed */
}

static void openapi_describes_the_table(void **state)
{
    json_t *api = cp_gateway_openapi(ROUTES, N_ROUTES), *item;
    assert_string_equal(json_string_value(json_object_get(api, "openapi")), "3.1.0");
    json_t *paths = json_object_get(api, "paths");
    assert_int_equal(json_object_size(paths), 11);
    assert_int_equal(json_object_size(json_object_get(paths, "/v1/raw")), 2);
    assert_non_null(json_object_get(paths, "/v1/files/{file}"));
    item = json_object_get(json_object_get(paths, "/v1/things"), "post");
    assert_string_equal(json_string_value(json_object_get(item, "summary")), "Makes a thing.");
    assert_non_null(json_object_get(json_object_get(item, "responses"), "201"));
    char *text = json_dumps(item, JSON_COMPACT);
    assert_non_null(strstr(text, "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":20"));
    assert_non_null(strstr(text, "\"required\":[\"name\"]"));
    assert_non_null(strstr(text, "\"enum\":[\"flite\",\"espeak\"]"));
    assert_non_null(strstr(text, "\"security\":[{\"key\":[]}]"));
    assert_non_null(strstr(text, "\"minimum\":0.5"));
    free(text);
    /* operation ids are unique */
    json_t *ids = json_object();
    const char *path, *method;
    json_t *methods;
    json_object_foreach(paths, path, methods) json_object_foreach(methods, method, item)
    {
        const char *id = json_string_value(json_object_get(item, "operationId"));
        assert_null(json_object_get(ids, id));
        json_object_set_new(ids, id, json_true());
    }
    json_decref(ids);
    json_decref(api);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(route_gets_its_parameter_and_literals_win),
        CASE(unknown_path_is_404_and_wrong_method_405_with_allow),
        CASE(paths_with_tricks_are_refused),
        CASE(head_works_as_get_without_a_body),
        CASE(roles_decide_who_may),
        CASE(wrong_keys_are_told_apart),
        CASE(key_from_another_process_works_at_once),
        CASE(key_record_holds_no_key),
        CASE(body_errors_name_the_field),
        CASE(good_body_reaches_the_handler),
        CASE(content_type_is_checked),
        CASE(body_limit_is_413_even_for_who_sends_it_all),
        CASE(chunked_bodies_are_taken_and_limited),
        CASE(two_lengths_are_refused),
        CASE(giant_headers_are_431),
        CASE(query_is_decoded_and_checked),
        CASE(codes_map_to_statuses_and_hide_inner_texts),
        CASE(handler_that_forgets_to_answer_is_500),
        CASE(closed_gateway_calls_no_handler),
        CASE(everybody_is_told_that_every_origin_may_read),
        CASE(preflight_allows_known_origins_only),
        CASE(connection_serves_many_requests),
        CASE(answers_are_counted_by_route_and_status),
        CASE(port_in_use_is_told_with_what_to_do),
        cmocka_unit_test(openapi_describes_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
