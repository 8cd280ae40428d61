/* `compere say`: speaks on a running server, and waits until it has been said. */
#include "app/app.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER_BYTES (1 << 20)

struct call {
    CURL *curl;
    struct curl_slist *headers;
    struct cp_buffer answer;
    char failure[CURL_ERROR_SIZE];
};

static size_t take(char *bytes, size_t size, size_t count, void *user)
{
    struct call *call = user;
    cp_buffer_add(&call->answer, bytes, size * count);
    return call->answer.failed ? 0 : size * count;
}

/* One request; NULL when the server cannot be reached or does not answer JSON. body NULL: GET. */
static json_t *ask(struct call *call, const char *url, const char *body, long *ret_status)
{
    cp_buffer_free(&call->answer);
    curl_easy_setopt(call->curl, CURLOPT_URL, url);
    curl_easy_setopt(call->curl, CURLOPT_HTTPHEADER, call->headers);
    if (body)
        curl_easy_setopt(call->curl, CURLOPT_POSTFIELDS, body);
    else
        curl_easy_setopt(call->curl, CURLOPT_HTTPGET, 1L);
    if (curl_easy_perform(call->curl)) {
        fprintf(stderr, "compere: cannot reach %s: %s\nIs a server running? `compere demo` starts one.\n",
                url, call->failure);
        return NULL;
    }
    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, ret_status);
    json_t *json = json_loadb((char *)call->answer.data, call->answer.length, 0, NULL);
    if (!json)
        fprintf(stderr, "compere: %s answered %ld with something that is not JSON\n", url, *ret_status);
    return json;
}

/* The key from COMPERE_KEY, else from DATA/admin.key. */
static bool find_key(char *key, size_t capacity)
{
    const char *from = getenv("COMPERE_KEY"), *data = getenv("COMPERE_DATA");
    if (from) {
        snprintf(key, capacity, "%s", from);
        return true;
    }
    char path[1024];
    snprintf(path, sizeof path, "file:%s/admin.key", data ? data : "data");
    return !cp_config_secret(path, key, capacity, NULL) && *key;
}

static int follow(struct call *call, const char *url, const char *channel, json_t *cue)
{
    char address[1024], shown[16] = "";
    const char *id = json_string_value(json_object_get(cue, "id"));
    long status = 0;
    snprintf(address, sizeof address, "%s/v1/channels/%s/cues/%s", url, channel, id);
    for (;;) {
        json_t *now = ask(call, address, NULL, &status);
        const char *state = json_string_value(json_object_get(now, "state"));
        if (!state) {
            json_decref(now);
            return 1;
        }
        if (strcmp(state, shown))
            fprintf(stderr, "%s%s", *shown ? " > " : "", state);
        snprintf(shown, sizeof shown, "%s", state);
        bool done = !strcmp(state, "done"), failed = !strcmp(state, "failed"), cut = !strcmp(state, "cut");
        if (failed)
            fprintf(stderr, ": %s",
                    json_string_value(json_object_get(json_object_get(now, "error"), "text")));
        json_decref(now);
        if (done || failed || cut) {
            fputc('\n', stderr);
            return done ? 0 : 1;
        }
        cp_clock_sleep_until_ns(cp_clock_now_ns() + 200 * CP_NS_PER_MS);
    }
}

int cp_cmd_say(int argc, char **argv)
{
    const char *text = NULL, *channel = "main", *url = getenv("COMPERE_URL");
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--channel") && i + 1 < argc)
            channel = argv[++i];
        else if (!strcmp(argv[i], "--url") && i + 1 < argc)
            url = argv[++i];
        else if (!text && strncmp(argv[i], "--", 2))
            text = argv[i];
        else
            text = NULL, i = argc;
    }
    char key[256], authorization[300], address[1024];
    if (!text || !find_key(key, sizeof key)) {
        fputs(text ? "compere: set COMPERE_KEY to an operator's key (or COMPERE_DATA to the server's data "
                     "directory)\n"
                   : "usage: compere say TEXT [--channel main] [--url http://127.0.0.1:8080]\n",
              stderr);
        return 2;
    }
    url = url ? url : "http://127.0.0.1:8080";
    struct call call = {.curl = curl_easy_init(), .answer = cp_buffer_make(MAX_ANSWER_BYTES)};
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", key);
    snprintf(address, sizeof address, "%s/v1/channels/%s/cues", url, channel);
    call.headers =
        curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), authorization);
    curl_easy_setopt(call.curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(call.curl, CURLOPT_WRITEDATA, &call);
    curl_easy_setopt(call.curl, CURLOPT_ERRORBUFFER, call.failure);
    curl_easy_setopt(call.curl, CURLOPT_TIMEOUT, 10L);

    json_t *body = json_pack("{s:s}", "text", text);
    char *body_text = body ? json_dumps(body, 0) : NULL;
    long status = 0;
    json_t *cue = body_text ? ask(&call, address, body_text, &status) : NULL;
    int result = 1;
    if (cue && status == 202)
        result = follow(&call, url, channel, cue);
    else if (cue)
        fprintf(stderr, "compere: %s\n", json_string_value(json_object_get(cue, "detail")));
    json_decref(cue);
    json_decref(body);
    free(body_text);
    cp_buffer_free(&call.answer);
    curl_slist_free_all(call.headers);
    curl_easy_cleanup(call.curl);
    return result;
}
