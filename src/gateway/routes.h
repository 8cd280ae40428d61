/* The route table, compiled once: paths to routes. Read-only after it is made. Any thread. */
#ifndef CP_GATEWAY_ROUTES_H
#define CP_GATEWAY_ROUTES_H

#include "gateway/gateway.h"

enum { CP_PATH_SEGMENTS = 24 };

struct cp_routes;

int cp_routes_create(const struct cp_route *routes, size_t n_routes, struct cp_routes **ret_routes,
                     struct cp_error *error);
void cp_routes_destroy(struct cp_routes *routes);

/* A path, split at slashes and decoded. "/a/b" has the segments "a" "b", "/" and "/a/" end in an empty one.
 */
struct cp_path {
    char *text; /* owned; the segments lie in it, one behind the other */
    char *segments[CP_PATH_SEGMENTS];
    int n_segments;
};

/* Splits and decodes `length` bytes of a raw path. CP_ERR_FORMAT: a bad escape, a control character, an
 * encoded slash, or a "." or ".." part; CP_ERR_NOT_FOUND: more parts than any route has. */
int cp_path_parse(const char *raw, size_t length, struct cp_path *ret_path, struct cp_error *error);
void cp_path_free(struct cp_path *path);

struct cp_route_match {
    const struct cp_route *route; /* NULL: none has this path and method */
    size_t index;                 /* of the route in the table */
    unsigned allowed;             /* bits 1 << method of the routes that have this path */
};

/* A literal part wins against a parameter, earlier parts first. */
struct cp_route_match cp_routes_match(const struct cp_routes *routes, enum cp_method method,
                                      const struct cp_path *path);

/* The path's part for the parameter, NULL when the route has none of that name. A "{name...}" is joined by
 * slashes again, in place: its parts are not to be used singly after that. */
const char *cp_routes_param(const struct cp_routes *routes, size_t index, const struct cp_path *path,
                            const char *name);

const char *cp_method_name(enum cp_method method);

/* Decodes %XX in place (and + when plus_is_space). -1 for a bad escape or a NUL. Returns the length. */
int cp_percent_decode(char *text, bool plus_is_space);

#endif
