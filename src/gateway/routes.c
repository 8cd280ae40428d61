#include "gateway/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct segment {
    const char *text; /* the literal, or the parameter's name; not terminated */
    size_t length;
    bool is_param, is_rest;
};

struct pattern {
    struct segment segments[CP_PATH_SEGMENTS];
    int n_segments;
};

struct cp_routes {
    const struct cp_route *routes;
    size_t n_routes;
    struct pattern *patterns;
};

const char *cp_method_name(enum cp_method method)
{
    static const char *const NAMES[] = {"", "GET", "POST", "PUT", "PATCH", "DELETE"};
    return NAMES[method];
}

static int compile(const struct cp_route *route, struct pattern *pattern, struct cp_error *error)
{
    const char *at = route->path;
    while (*at == '/' && pattern->n_segments < CP_PATH_SEGMENTS) {
        struct segment *segment = &pattern->segments[pattern->n_segments++];
        size_t length = strcspn(++at, "/");
        *segment = (struct segment){.text = at, .length = length};
        if (length > 2 && *at == '{' && at[length - 1] == '}') {
            segment->is_param = true;
            segment->text = at + 1;
            segment->length = length - 2;
            segment->is_rest = length > 5 && !memcmp(at + length - 4, "...}", 4);
            segment->length -= segment->is_rest ? 3 : 0;
        }
        at += length;
        if (segment->is_rest && *at)
            break;
    }
    if (*at || !pattern->n_segments)
        return cp_fail(error, CP_ERR_INTERNAL, "gateway", "the route \"%s\" is not a path", route->path);
    if (!route->method || !route->role || !route->handle)
        return cp_fail(error, CP_ERR_INTERNAL, "gateway", "the route \"%s\" lacks a method, role or handler",
                       route->path);
    return 0;
}

int cp_routes_create(const struct cp_route *routes, size_t n_routes, struct cp_routes **ret_routes,
                     struct cp_error *error)
{
    struct cp_routes *made = calloc(1, sizeof *made);
    int result = 0;
    if (!made || !(made->patterns = calloc(n_routes + 1, sizeof *made->patterns)))
        result = cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    for (size_t i = 0; !result && i < n_routes; i++)
        result = compile(&routes[i], &made->patterns[i], error);
    if (result) {
        cp_routes_destroy(made);
        return result;
    }
    made->routes = routes;
    made->n_routes = n_routes;
    *ret_routes = made;
    return 0;
}

void cp_routes_destroy(struct cp_routes *routes)
{
    if (!routes)
        return;
    free(routes->patterns);
    free(routes);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int cp_percent_decode(char *text, bool plus_is_space)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in == '%') {
            int high = hex_digit(in[1]), low = high < 0 ? -1 : hex_digit(in[2]);
            if (low < 0 || !(high | low))
                return -1;
            *out++ = (char)(high << 4 | low);
            in += 2;
        } else {
            *out++ = plus_is_space && *in == '+' ? ' ' : *in;
        }
    }
    *out = 0;
    return (int)(out - text);
}

int cp_path_parse(const char *raw, size_t length, struct cp_path *ret_path, struct cp_error *error)
{
    struct cp_path path = {.text = strndup(raw, length)};
    if (!path.text)
        return cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    int result =
        *path.text == '/' ? 0 : cp_fail(error, CP_ERR_FORMAT, "gateway", "a path begins with a slash");
    for (char *at = path.text, *next = at; !result && next; at = next) {
        if (path.n_segments == CP_PATH_SEGMENTS) {
            result = cp_fail(error, CP_ERR_NOT_FOUND, "gateway", "there is nothing at this path");
            break;
        }
        *at++ = 0;
        next = strchr(at, '/');
        if (next)
            *next = 0;
        bool bad =
            cp_percent_decode(at, false) < 0 || strchr(at, '/') || !strcmp(at, ".") || !strcmp(at, "..");
        for (const char *c = at; !bad && *c; c++)
            bad = (unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\';
        if (bad)
            result = cp_fail(error, CP_ERR_FORMAT, "gateway",
                             "the path holds a bad escape, an encoded slash, a backslash or a dot part");
        path.segments[path.n_segments++] = at;
    }
    if (result)
        free(path.text);
    else
        *ret_path = path;
    return result;
}

void cp_path_free(struct cp_path *path)
{
    free(path->text);
    *path = (struct cp_path){.n_segments = 0};
}

/* Whether the pattern fits; *ret_rank gets a bit for each literal part, earlier parts higher. */
static bool fits(const struct pattern *pattern, const struct cp_path *path, unsigned *ret_rank)
{
    *ret_rank = 0;
    for (int i = 0; i < pattern->n_segments; i++) {
        const struct segment *segment = &pattern->segments[i];
        *ret_rank = *ret_rank << 1 | !segment->is_param;
        if (i >= path->n_segments)
            return false;
        if (segment->is_rest) {
            *ret_rank <<= CP_PATH_SEGMENTS - 1 - i;
            return *path->segments[i];
        }
        const char *part = path->segments[i];
        if (segment->is_param
                ? !*part
                : strlen(part) != segment->length || memcmp(part, segment->text, segment->length))
            return false;
    }
    *ret_rank <<= CP_PATH_SEGMENTS - pattern->n_segments;
    return pattern->n_segments == path->n_segments;
}

struct cp_route_match cp_routes_match(const struct cp_routes *routes, enum cp_method method,
                                      const struct cp_path *path)
{
    struct cp_route_match match = {.route = NULL};
    unsigned best = 0, rank;
    for (size_t i = 0; i < routes->n_routes; i++) {
        if (!fits(&routes->patterns[i], path, &rank))
            continue;
        match.allowed |= 1u << routes->routes[i].method;
        if (routes->routes[i].method == method && (!match.route || rank > best)) {
            match.route = &routes->routes[i];
            match.index = i;
            best = rank;
        }
    }
    return match;
}

const char *cp_routes_param(const struct cp_routes *routes, size_t index, const struct cp_path *path,
                            const char *name)
{
    const struct pattern *pattern = &routes->patterns[index];
    for (int i = 0; i < pattern->n_segments; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (!segment->is_param || strlen(name) != segment->length ||
            memcmp(name, segment->text, segment->length))
            continue;
        for (int part = i + 1; segment->is_rest && part < path->n_segments; part++) {
            /* A decoded part is shorter than the raw one: close the gap. */
            char *end = path->segments[i] + strlen(path->segments[i]);
            if (end >= path->segments[part])
                break; /* joined already */
            size_t length = strlen(path->segments[part]);
            *end = '/';
            memmove(end + 1, path->segments[part], length + 1);
        }
        return path->segments[i];
    }
    return NULL;
}
