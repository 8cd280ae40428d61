/* `compere store ...`: looks after what is kept. Works beside a running server on the same data directory. */
#include "app/library/library.h"

#include "base/clock.h"
#include "base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: compere store check                       whether objects can be written, read, listed, signed, "
    "removed\n"
    "       compere store lifecycle                   sets the bucket's rules that remove what has expired\n"
    "       compere store orphans [--remove] [--grace S]   voice files of which one half is missing\n"
    "       compere store sweep                       removes what has expired, now\n"
    "Options as of `compere serve`: --data, --config, --store-...\n";

static int problems;

static void say(bool good, const char *what, const char *detail)
{
    problems += !good;
    printf("  %s  %-18s %s\n", good ? "ok     " : "PROBLEM", what, detail);
}

static void note(const char *what, const char *detail)
{
    printf("  -        %-18s %s\n", what, detail);
}

/* The status of a GET without any key; 0 when there was no answer. */
static int fetch(const char *url, struct cp_error *error)
{
    struct cp_http *http;
    if (cp_http_create(&(struct cp_http_config){0}, &http, error))
        return 0;
    const struct cp_http_request request = {.who = "the object store", .stage = "store", .url = url};
    struct cp_http_response response;
    int result = cp_http_send(http, &request, &response, error), status = result ? 0 : response.status;
    cp_http_response_free(&response);
    cp_http_destroy(http);
    return status;
}

/* Signed: anybody may read. Not signed: nobody may. */
static void check_urls(struct cp_store *store, const char *key)
{
    struct cp_buffer url = cp_buffer_make(8192);
    struct cp_error error = {.text = ""};
    char bare[1024], text[400];
    int result = cp_store_object_url(store, key, 60, &url, &error);
    if (result == CP_ERR_UNSUPPORTED) {
        note("signed URLs", "by this server, for all formats; the store has no address of its own");
    } else if (result) {
        say(false, "signed URLs", error.text);
    } else {
        int status = fetch(cp_buffer_string(&url), &error);
        snprintf(text, sizeof text, status ? "a signed URL answers %d" : "%.1d%s", status,
                 status ? "" : error.text);
        say(status == 200, "signed URLs", text);
        snprintf(bare, sizeof bare, "%.*s", (int)strcspn(cp_buffer_string(&url), "?"),
                 cp_buffer_string(&url));
        status = fetch(bare, &error);
        snprintf(text, sizeof text, "without a signature the answer is %d%s", status,
                 status == 200 ? ": the bucket is PUBLIC; turn on Block Public Access" : "");
        say(status && status != 200, "privacy", text);
    }
    cp_buffer_free(&url);
}

static void check_rules(struct cp_store *store)
{
    struct cp_error error = {.text = ""};
    char text[200];
    int rules = 0, wanted = 0, result = cp_store_lifecycle(store, false, &rules, &wanted, &error);
    if (result == CP_ERR_UNSUPPORTED) {
        note("lifecycle", "the sweep of the running server removes what has expired");
        return;
    }
    snprintf(text, sizeof text, "%d of %d rules are set%s", rules, wanted,
             rules == wanted ? "" : "; `compere store lifecycle` sets them");
    if (result)
        say(false, "lifecycle", error.text);
    else if (rules == wanted)
        say(true, "lifecycle", text);
    else
        note("lifecycle", text);
}

static int check(struct cp_store *store)
{
    static const char TEXT[] = "0123456789";
    struct cp_error error = {.text = ""};
    struct cp_object_info info, *infos = NULL;
    struct cp_buffer part = cp_buffer_make(64);
    char key[64], cursor[CP_STORE_CURSOR_BYTES], text[160];
    int n = 0;
    snprintf(key, sizeof key, "check/%d-%llx.txt", (int)getpid(), (unsigned long long)cp_clock_wall_ns());
    int64_t started_ns = cp_clock_now_ns(), expires_ns = cp_clock_wall_ns() + 3600 * CP_NS_PER_S;
    int result = cp_store_object_put(store, key, "text/plain", TEXT, sizeof TEXT - 1, expires_ns, &error);
    snprintf(text, sizeof text, "a durable write takes %.1f ms",
             (double)(cp_clock_now_ns() - started_ns) / 1e6);
    say(!result, "write", result ? error.text : text);
    if (result)
        return 1;
    result = cp_store_object_info(store, key, &info, &error);
    bool same = !result && info.expires_wall_ns == expires_ns && info.length_bytes == sizeof TEXT - 1;
    say(same, "look up",
        result ? error.text
        : same ? "length and expiry are as written"
               : "length or expiry is lost");
    result = cp_store_object_get(store, key, 3, 4, &part, &error);
    same = !result && !strcmp(cp_buffer_string(&part), "3456");
    say(same, "read a part", result ? error.text : same ? "bytes 3 to 6" : "the server ignores ranges");
    result = cp_store_object_list(store, "check/", NULL, 100, &infos, &n, cursor, &error);
    same = false;
    for (int i = 0; i < n && !result; i++)
        same = same || !strcmp(infos[i].key, key);
    free(infos);
    say(same, "list", result ? error.text : same ? "the object is listed" : "the object is not listed");
    check_urls(store, key);
    result = cp_store_object_delete(store, key, &error);
    say(!result, "delete", result ? error.text : "done");
    check_rules(store);
    cp_buffer_free(&part);
    puts(problems ? "There are problems: see above." : "Objects are kept as they should be.");
    return problems ? 1 : 0;
}

static int lifecycle(struct cp_store *store)
{
    struct cp_error error = {.text = ""};
    int rules = 0, wanted = 0, result = cp_store_lifecycle(store, true, &rules, &wanted, &error);
    if (result == CP_ERR_UNSUPPORTED) {
        puts(error.text);
        return 0;
    }
    if (result) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 1;
    }
    printf("%d rules are set: the object store now removes what has expired and uploads that were given up. "
           "Rules of\n"
           "others in the bucket are as they were.\n",
           rules);
    return 0;
}

static void print_orphan(void *user, const char *what, const char *key)
{
    printf("%s: %s\n", what, key);
}

static int orphans(struct cp_store *store, bool remove, int64_t grace_s)
{
    struct cp_error error = {.text = ""};
    struct cp_orphans found = {0};
    if (cp_library_find_orphans(store, grace_s, remove, print_orphan, NULL, &found, &error)) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 1;
    }
    printf("%lld objects without a record, %lld records without their object; %lld removed.%s\n",
           (long long)found.objects, (long long)found.records, (long long)found.removed,
           !remove && found.objects + found.records ? " --remove removes them." : "");
    return 0;
}

static int sweep(struct cp_store *store)
{
    struct cp_error error = {.text = ""};
    int64_t records = 0, objects = 0;
    if (cp_store_sweep(store, &records, &objects, &error)) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 1;
    }
    printf("%lld records and %lld objects had expired and are removed.\n", (long long)records,
           (long long)objects);
    return 0;
}

int cp_cmd_store(int argc, char **argv)
{
    static struct cp_app_config config;
    struct cp_error error = {.text = ""};
    struct cp_store *store = NULL;
    char *rest[64];
    bool remove = false;
    int64_t grace_s = 600;
    int n = 0, left = 0, status = 2;
    for (int i = 0; i < argc && n < 64; i++) {
        if (!strcmp(argv[i], "--remove"))
            remove = true;
        else if (!strcmp(argv[i], "--grace") && i + 1 < argc)
            grace_s = atoll(argv[++i]);
        else
            rest[n++] = argv[i];
    }
    int result = cp_app_configure(&config, n, rest, &left, &error);
    const char *what = !result && left == 1 ? rest[0] : "";
    if (!result && strcmp(what, "check") && strcmp(what, "lifecycle") && strcmp(what, "orphans") &&
        strcmp(what, "sweep")) {
        fputs(USAGE, stderr);
        return 2;
    }
    if (!result)
        result = cp_store_open(&config.store, &store, &error);
    if (result) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 1;
    }
    if (!strcmp(what, "check"))
        status = check(store);
    else if (!strcmp(what, "lifecycle"))
        status = lifecycle(store);
    else if (!strcmp(what, "orphans"))
        status = orphans(store, remove, grace_s);
    else
        status = sweep(store);
    cp_store_close(store);
    return status;
}
