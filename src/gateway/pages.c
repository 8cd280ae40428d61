/*
 * Static pages. A path is opened part by part, below the pages' directory, following no symbolic links; parts
 * that begin with a dot are not served. So nothing outside can be reached, whatever the path.
 */
#include "gateway/gateway_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cp_pages_open(const char *directory)
{
    return *directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } TYPES[] = {
        {"html", "text/html; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"json", "application/json"},
        {"map", "application/json"},
        {"webmanifest", "application/manifest+json"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"webp", "image/webp"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"woff", "font/woff"},
        {"ttf", "font/ttf"},
        {"wasm", "application/wasm"},
        {"glb", "model/gltf-binary"},
        {"wav", "audio/wav"},
        {"ogg", "audio/ogg"},
        {"mp3", "audio/mpeg"},
        {"mp4", "video/mp4"},
        {"txt", "text/plain; charset=utf-8"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof TYPES / sizeof *TYPES; i++)
        if (!strcmp(dot + 1, TYPES[i].ending))
            return TYPES[i].type;
    return "application/octet-stream";
}

/* Opens `name` in the directory, which is closed. */
static int open_in(int directory, const char *name, int flags)
{
    int file =
        *name == '.' ? -1 : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags);
    close(directory);
    return file;
}

/* Opens the file of a path; *ret_name is its last part. -1 when there is none. */
static int open_page(int pages, const struct cp_path *path, const char **ret_name)
{
    int at = dup(pages);
    for (int i = 0; at >= 0 && i < path->n_segments; i++) {
        bool last = i == path->n_segments - 1;
        const char *name = path->segments[i];
        *ret_name = last && !*name ? "index.html" : name;
        at = open_in(at, *ret_name, last ? 0 : O_DIRECTORY);
    }
    return at;
}

/* The pages that have an address of their own; NULL for the others. */
static const char *mapped_page(const struct cp_path *path)
{
    const char *first = path->segments[0];
    if (path->n_segments == 1 && !*first)
        return "watch.html";
    if (path->n_segments == 2 && !strcmp(first, "watch") && *path->segments[1])
        return "watch.html";
    /* The studio finds its own way behind its address; what has an ending is a file. */
    if (path->n_segments >= 2 && !strcmp(first, "studio") &&
        !strchr(path->segments[path->n_segments - 1], '.'))
        return "studio.html";
    return NULL;
}

static void add_security_headers(struct cp_request *request)
{
    cp_request_add_header(
        request, "Content-Security-Policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    cp_request_add_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    cp_request_add_header(request, "Permissions-Policy", "camera=(), geolocation=(), payment=()");
}

/* Whether the tag is in an If-None-Match list (RFC 9110 section 13.1.2, weak comparison). */
static bool has_tag(const char *list, const char *tag)
{
    return list && (!strcmp(list, "*") || strstr(list, tag));
}

static void reply_open_file(struct cp_request *request, int file, const char *name)
{
    struct stat status;
    char tag[64];
    if (fstat(file, &status) || !S_ISREG(status.st_mode)) {
        close(file);
        cp_request_problem(request, 404, "not_found", NULL, "there is no such page", "");
        return;
    }
    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)status.st_size,
             (uint64_t)status.st_mtim.tv_sec * 1000000000 + (uint64_t)status.st_mtim.tv_nsec);
    cp_request_add_header(request, "ETag", tag);
    /* Names in assets/ hold a hash of the contents, so they never change. */
    bool forever = !strcmp(request->path.segments[0], "assets");
    cp_request_add_header(request, "Cache-Control",
                          forever ? "public, max-age=31536000, immutable" : "no-cache");
    add_security_headers(request);
    if (has_tag(cp_request_header(request, "If-None-Match"), tag)) {
        close(file);
        cp_request_reply_bytes(request, 304, NULL, NULL, 0);
        return;
    }
    cp_request_reply_file(request, 200, type_of(name), file, (size_t)status.st_size);
}

void cp_pages_reply(struct cp_request *request)
{
    static const char NOT_BUILT[] = "The pages of Compere are not built yet.\n\n"
                                    "Run `make build` in the source directory, then load this page again.\n"
                                    "The API works without them: see /v1/openapi.json\n";
    const struct cp_path *path = &request->path;
    struct cp_gateway *gateway = request->gateway;
    const char *mapped = mapped_page(path), *name = mapped;
    if (path->n_segments == 1 && !strcmp(path->segments[0], "studio")) {
        cp_request_add_header(request, "Location", "/studio/");
        cp_request_reply_bytes(request, 308, NULL, NULL, 0);
        return;
    }
    int pages = gateway->pages >= 0 ? dup(gateway->pages) : cp_pages_open(gateway->config.pages);
    if (pages < 0) {
        if (mapped)
            cp_request_reply_bytes(request, 503, "text/plain; charset=utf-8", NOT_BUILT,
                                   sizeof NOT_BUILT - 1);
        else
            cp_request_problem(request, 404, "not_found", NULL, "there is nothing at this path", "");
        return;
    }
    int file =
        mapped ? openat(pages, mapped, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : open_page(pages, path, &name);
    close(pages);
    if (file >= 0)
        reply_open_file(request, file, name);
    else if (mapped)
        cp_request_reply_bytes(request, 503, "text/plain; charset=utf-8", NOT_BUILT, sizeof NOT_BUILT - 1);
    else
        cp_request_problem(request, 404, "not_found", NULL, "there is nothing at this path", "");
}
