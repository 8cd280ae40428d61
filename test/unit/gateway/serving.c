#include "serving.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

struct serving *serving_create(void)
{
    struct serving *serving = calloc(1, sizeof *serving);
    struct cp_store_config store = {.records = "sqlite", .objects = "files", .sweep_s = 3600};
    struct cp_config_section section = {"gateway", cp_gateway_options, cp_gateway_n_options,
                                        &serving->config};
    struct cp_error error;
    char id[40], pages[100];
    snprintf(serving->directory, sizeof serving->directory, "/tmp/cp-gateway-XXXXXX");
    assert_non_null(mkdtemp(serving->directory));
    assert_int_equal(cp_config_defaults(&section, 1, &error), 0);
    snprintf(pages, sizeof pages, "%s/pages", serving->directory);
    assert_int_equal(mkdir(pages, 0700), 0);
    snprintf(serving->config.listen, sizeof serving->config.listen, "127.0.0.1:0");
    snprintf(serving->config.pages, sizeof serving->config.pages, "%s", pages);
    serving->config.rate_per_s = 0;
    snprintf(store.directory, sizeof store.directory, "%s/data", serving->directory);
    if (cp_store_open(&store, &serving->store, &error))
        fail_msg("store: %s", error.text);
    serving->observe = cp_observe_create();
    assert_int_equal(
        cp_key_create(serving->store, CP_ROLE_ADMIN, "a", serving->admin, serving->admin_id, &error), 0);
    assert_int_equal(cp_key_create(serving->store, CP_ROLE_OPERATOR, "o", serving->operator_key, id, &error),
                     0);
    assert_int_equal(cp_key_create(serving->store, CP_ROLE_VIEWER, "v", serving->viewer, id, &error), 0);
    return serving;
}

void serving_start(struct serving *serving, const struct cp_route *routes, size_t n_routes)
{
    struct cp_error error;
    if (cp_gateway_create(&serving->config, routes, n_routes, serving, serving->store, serving->observe,
                          &serving->gateway, &error))
        fail_msg("gateway: %s", error.text);
    cp_gateway_open(serving->gateway);
}

void serving_stop(struct serving *serving)
{
    cp_gateway_destroy(serving->gateway);
    serving->gateway = NULL;
}

void serving_destroy(struct serving *serving)
{
    char command[128];
    serving_stop(serving);
    cp_store_close(serving->store);
    cp_observe_destroy(serving->observe);
    snprintf(command, sizeof command, "rm -rf '%s'", serving->directory);
    assert_int_equal(system(command), 0);
    free(serving);
}

void serving_write_page(struct serving *serving, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", serving->config.pages, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    mkdir(path, 0700);
    *slash = '/';
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

int connect_to(struct serving *serving)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)cp_gateway_port(serving->gateway)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(file >= 0);
    assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), 0);
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return file;
}

void send_all(int file, const void *bytes, size_t length)
{
    for (const char *at = bytes; length;) {
        ssize_t n = send(file, at, length, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* refused before its end: the answer tells */
        at += n;
        length -= (size_t)n;
    }
}

static const char *find_header(const char *head, const char *name)
{
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, strlen(name)) && line[2 + strlen(name)] == ':')
            return line + 3 + strlen(name) + strspn(line + 3 + strlen(name), " ");
    return NULL;
}

struct response read_response(int file, bool without_body)
{
    struct response response = {.status = 0};
    size_t used = 0, capacity = 4 << 20, wanted = capacity;
    char *text = calloc(1, capacity + 1), *end = NULL;
    while (used < capacity && used < wanted) {
        ssize_t n = recv(file, text + used, capacity - used, 0);
        if (n <= 0)
            break;
        used += (size_t)n;
        if (!end && (end = strstr(text, "\r\n\r\n"))) {
            const char *length = find_header(text, "Content-Length");
            wanted = (size_t)(end + 4 - text) + (length && !without_body ? strtoul(length, NULL, 10) : 0);
            if (strstr(text, "\r\nTransfer-Encoding: chunked"))
                wanted = capacity;
        }
    }
    response.head = strndup(text, end ? (size_t)(end - text) : used);
    response.body_length = end ? used - (size_t)(end + 4 - text) : 0;
    response.body = calloc(1, response.body_length + 1);
    if (end)
        memcpy(response.body, end + 4, response.body_length);
    sscanf(text, "HTTP/1.1 %d", &response.status);
    free(text);
    return response;
}

struct response exchange(struct serving *serving, const char *text)
{
    int file = connect_to(serving);
    send_all(file, text, strlen(text));
    struct response response = read_response(file, !strncmp(text, "HEAD", 4));
    close(file);
    return response;
}

struct response request(struct serving *serving, const char *method, const char *path, const char *key,
                        const char *headers, const char *body)
{
    char *text = NULL, length[64] = "";
    if (body)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
    assert_true(asprintf(&text, "%s %s HTTP/1.1\r\nHost: test\r\n%s%s%s%s%s\r\n%s", method, path,
                         key ? "Authorization: Bearer " : "", key ? key : "", key ? "\r\n" : "",
                         headers ? headers : "", length, body ? body : "") > 0);
    struct response response = exchange(serving, text);
    free(text);
    return response;
}

struct response send_json(struct serving *serving, const char *method, const char *path, const char *key,
                          const char *body)
{
    return request(serving, method, path, key, "Content-Type: application/json\r\n", body);
}

void response_clear(struct response *response)
{
    free(response->head);
    free(response->body);
    *response = (struct response){.status = 0};
}

const char *header_of(const struct response *response, const char *name)
{
    static char value[512];
    const char *found = find_header(response->head, name);
    if (!found)
        return NULL;
    snprintf(value, sizeof value, "%.*s", (int)strcspn(found, "\r"), found);
    return value;
}
