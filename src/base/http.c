/* Requests run on libcurl, each in a slot of its own: an easy handle and the connections it keeps. */
#include "base/http_int.h"

#include "base/clock.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>

enum {
    HEADER_BYTES = 32 << 10,
    BODY_BYTES = 64 << 10,
    ERROR_BODY_BYTES = 4 << 10,
};

/* What serves one request at a time and remembers its connections in between. */
struct slot {
    CURLM *multi;
    CURL *easy;
    char origin[CP_HTTP_ORIGIN_BYTES]; /* where its connections lead */
    struct slot *next;
};

struct cp_http {
    int max_idle;
    char *ca_file;
    pthread_mutex_t lock; /* guards the list: the one used last comes first */
    struct slot *idle;
    int n_idle;
};

/* One request under way. */
struct call {
    const struct cp_http_request *request;
    struct cp_http_response *response;
    CURL *easy;
    int64_t start_ns;
    int64_t moved_ns; /* when the last byte went or came */
    curl_off_t uploaded;
    int failure; /* what a callback ended the request with */
    bool denied; /* an address was not public */
    char reason[CURL_ERROR_SIZE];
};

/* --- slots --- */

static void free_slot(struct slot *slot)
{
    if (!slot)
        return;
    if (slot->easy)
        curl_easy_cleanup(slot->easy);
    if (slot->multi)
        curl_multi_cleanup(slot->multi);
    free(slot);
}

/* An idle slot with a connection to the origin, any other idle one, or a new one. NULL when out of memory. */
static struct slot *take_slot(struct cp_http *http, const char *origin)
{
    pthread_mutex_lock(&http->lock);
    struct slot **at = &http->idle;
    while (*at && strcmp((*at)->origin, origin) != 0)
        at = &(*at)->next;
    if (!*at && http->n_idle >= http->max_idle)
        at = &http->idle;
    struct slot *slot = *at;
    if (slot) {
        *at = slot->next;
        http->n_idle--;
    }
    pthread_mutex_unlock(&http->lock);
    if (slot)
        return slot;
    slot = calloc(1, sizeof *slot);
    if (!slot)
        return NULL;
    slot->multi = curl_multi_init();
    slot->easy = curl_easy_init();
    if (slot->multi && slot->easy) {
        curl_multi_setopt(slot->multi, CURLMOPT_MAXCONNECTS, 1L);
        return slot;
    }
    free_slot(slot);
    return NULL;
}

static void give_slot(struct cp_http *http, struct slot *slot, const char *origin)
{
    snprintf(slot->origin, sizeof slot->origin, "%s", origin);
    pthread_mutex_lock(&http->lock);
    bool room = http->n_idle < http->max_idle;
    if (room) {
        slot->next = http->idle;
        http->idle = slot;
        http->n_idle++;
    }
    pthread_mutex_unlock(&http->lock);
    if (!room)
        free_slot(slot);
}

static void start_libcurl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

int cp_http_create(const struct cp_http_config *config, struct cp_http **ret_http, struct cp_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_libcurl);
    struct cp_http *http = calloc(1, sizeof *http);
    if (!http)
        return cp_fail(error, CP_ERR_NOMEM, "http", "Out of memory.");
    http->max_idle = config->max_idle ? config->max_idle : 4;
    pthread_mutex_init(&http->lock, NULL);
    if (config->ca_file && *config->ca_file && !(http->ca_file = strdup(config->ca_file))) {
        cp_http_destroy(http);
        return cp_fail(error, CP_ERR_NOMEM, "http", "Out of memory.");
    }
    *ret_http = http;
    return 0;
}

void cp_http_destroy(struct cp_http *http)
{
    if (!http)
        return;
    while (http->idle) {
        struct slot *slot = http->idle;
        http->idle = slot->next;
        free_slot(slot);
    }
    pthread_mutex_destroy(&http->lock);
    free(http->ca_file);
    free(http);
}

/* --- what libcurl calls --- */

static bool is_success(const struct cp_http_response *response)
{
    return response->status >= 200 && response->status < 300;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct call *call = user;
    size_t length = size * count;
    struct cp_http_response *response = call->response;
    if (length > 5 && !strncmp(line, "HTTP/", 5)) { /* a new answer: behind "100 Continue" */
        response->header.length = 0;
        long status = 0;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
    } else {
        cp_buffer_add(&response->header, line, length);
    }
    call->moved_ns = cp_clock_now_ns();
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct call *call = user;
    struct cp_http_response *response = call->response;
    size_t length = size * count;
    call->moved_ns = cp_clock_now_ns();
    if (!response->first_byte_ns)
        response->first_byte_ns = call->moved_ns - call->start_ns;
    if (!is_success(response)) { /* what the service says of the failure; its beginning is enough */
        size_t room = ERROR_BODY_BYTES - response->body.length;
        cp_buffer_add(&response->body, bytes, length < room ? length : room);
        return length;
    }
    response->any_body = true;
    if (call->request->take_body) {
        call->failure = call->request->take_body(call->request->user, (const uint8_t *)bytes, length);
    } else {
        cp_buffer_add(&response->body, bytes, length);
        call->failure = response->body.failed ? CP_ERR_LIMIT : 0;
    }
    return call->failure ? 0 : length;
}

static size_t on_read(char *to, size_t size, size_t count, void *user)
{
    struct call *call = user;
    size_t n = call->request->read_body(call->request->user, (uint8_t *)to, size * count);
    if (n == SIZE_MAX) {
        call->failure = CP_ERR_IO;
        return CURL_READFUNC_ABORT;
    }
    return n;
}

static int on_rewind(void *user, curl_off_t offset, int origin)
{
    struct call *call = user;
    if (!call->request->rewind_body || offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_FAIL;
    call->request->rewind_body(call->request->user);
    return CURL_SEEKFUNC_OK;
}

/* --- addresses --- */

static bool is_public_v4(uint32_t address) /* host order */
{
    static const struct {
        uint32_t network;
        int bits;
    } SPECIAL[] = {{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
                   {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
                   {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3}};
    for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++)
        if ((address ^ SPECIAL[i].network) >> (32 - SPECIAL[i].bits) == 0)
            return false;
    return true;
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool cp_http_is_public(const struct sockaddr *address)
{
    static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff}, NAT64[12] = {0, 0x64, 0xff, 0x9b};
    if (address->sa_family == AF_INET)
        return is_public_v4(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    if (address->sa_family != AF_INET6)
        return false;
    const uint8_t *b = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
    if (!memcmp(b, MAPPED, sizeof MAPPED) || !memcmp(b, NAT64, sizeof NAT64))
        return is_public_v4(word_at(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02) /* 6to4: an IPv4 address behind the prefix */
        return is_public_v4(word_at(b + 2));
    return (b[0] & 0xe0) == 0x20 && word_at(b) != 0x20010db8; /* 2000::/3, but for documentation's */
}

static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct call *call = user;
    if (!cp_http_is_public(&address->addr)) {
        call->denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- setting up --- */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value ? value : fallback;
}

const char *cp_http_ca_file(const struct cp_http *http)
{
    return http->ca_file;
}

bool cp_http_read_origin(const char *url, char *origin, size_t capacity)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    bool good = parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
                !curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) &&
                !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
                !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
                (!strcmp(scheme, "http") || !strcmp(scheme, "https")) &&
                (size_t)snprintf(origin, capacity, "%s://%s:%s", scheme, host, port) < capacity;
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return good;
}

/* The headers as libcurl wants them. Its own "Expect" and "Content-Type" are turned off: the first costs a
 * second with servers that do not know it, the second would break signatures. NULL on a broken header or no
 * memory. */
static struct curl_slist *make_headers(const char *const *headers)
{
    struct curl_slist *list = NULL;
    bool typed = false, good = true;
    for (size_t i = 0; headers && headers[i] && good; i++) {
        const char *colon = strchr(headers[i], ':');
        good = colon && colon > headers[i] && !strpbrk(headers[i], "\r\n");
        typed = typed || !strncasecmp(headers[i], "Content-Type:", 13);
        struct curl_slist *longer = good ? curl_slist_append(list, headers[i]) : NULL;
        good = longer;
        list = longer ? longer : list;
    }
    const char *const ours[] = {"Expect:", typed ? NULL : "Content-Type:"};
    for (size_t i = 0; i < 2 && good; i++) {
        struct curl_slist *longer = ours[i] ? curl_slist_append(list, ours[i]) : list;
        good = longer;
        list = longer ? longer : list;
    }
    if (good)
        return list;
    curl_slist_free_all(list);
    return NULL;
}

static void set_body(CURL *easy, struct call *call, const char *method)
{
    const struct cp_http_request *request = call->request;
    if (!strcmp(method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request->read_body) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_bytes);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, call);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    } else if (request->body || !strcmp(method, "POST") || !strcmp(method, "PUT")) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? (const char *)request->body : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    } else if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

static void set_up(const struct cp_http *http, struct call *call, struct curl_slist *headers)
{
    CURL *easy = call->easy;
    const struct cp_http_request *request = call->request;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "compere/" CP_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)or_default(request->connect_ms, 3000));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)or_default(request->total_ms, 60000));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name look-up that hangs does not hold up a cancel */
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->reason);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    if (http->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
    if (request->public_only) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    }
    set_body(easy, call, request->method ? request->method : "GET");
}

/* --- running --- */

/* 0 to go on. */
static int check_clock(struct call *call)
{
    const struct cp_http_request *request = call->request;
    if (request->stop && atomic_load(request->stop))
        return CP_ERR_CANCELLED;
    curl_off_t uploaded = 0;
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    int64_t now_ns = cp_clock_now_ns();
    if (uploaded != call->uploaded)
        call->moved_ns = now_ns;
    call->uploaded = uploaded;
    int64_t patience_ms = call->response->first_byte_ns ? or_default(request->idle_ms, 10000)
                                                        : or_default(request->first_byte_ms, 10000);
    return now_ns - call->moved_ns > patience_ms * CP_NS_PER_MS ? CP_ERR_TIMEOUT : 0;
}

/* Drives the transfer to its end. Returns libcurl's verdict, or CURLE_ABORTED_BY_CALLBACK with call->failure.
 */
static CURLcode drive(CURLM *multi, struct call *call)
{
    int running = 1;
    while (running && !curl_multi_perform(multi, &running) && running) {
        call->failure = check_clock(call);
        if (call->request->tick)
            call->request->tick(call->request->user);
        if (call->failure || curl_multi_poll(multi, NULL, 0, CP_HTTP_STOP_MS, NULL))
            break;
    }
    if (call->failure)
        return CURLE_ABORTED_BY_CALLBACK;
    int left;
    const CURLMsg *message = running ? NULL : curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

int cp_http_explain(const char *who, const char *stage, const char *origin, CURLcode code, const char *reason,
                    struct cp_error *error)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return cp_fail(error, CP_ERR_UNAVAILABLE, stage,
                       "%s: the name in %s is not known; check the address and the network.", who, origin);
    case CURLE_COULDNT_CONNECT:
        return cp_fail(error, CP_ERR_UNAVAILABLE, stage,
                       "%s: nobody answers at %s; check that it runs and can be reached.", who, origin);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return cp_fail(error, CP_ERR_UNAVAILABLE, stage, "%s: the certificate of %s is not trusted: %.80s.",
                       who, origin, reason);
    case CURLE_SSL_CONNECT_ERROR:
        return cp_fail(error, CP_ERR_UNAVAILABLE, stage, "%s: no TLS connection to %s: %.80s.", who, origin,
                       reason);
    case CURLE_OPERATION_TIMEDOUT:
        return cp_fail(error, CP_ERR_TIMEOUT, stage, "%s at %s takes too long.", who, origin);
    case CURLE_OUT_OF_MEMORY:
        return cp_fail(error, CP_ERR_NOMEM, stage, "Out of memory.");
    default:
        return cp_fail(error, CP_ERR_IO, stage, "%s: the connection to %s broke: %s.", who, origin,
                       curl_easy_strerror(code));
    }
}

static int explain_failure(const struct call *call, const char *origin, struct cp_error *error)
{
    const struct cp_http_request *request = call->request;
    switch (call->failure) {
    case CP_ERR_CANCELLED:
        return cp_fail(error, CP_ERR_CANCELLED, request->stage, "%s: cancelled.", request->who);
    case CP_ERR_TIMEOUT:
        return cp_fail(error, CP_ERR_TIMEOUT, request->stage, "%s at %s is silent for too long.",
                       request->who, origin);
    case CP_ERR_LIMIT:
        return cp_fail(error, CP_ERR_LIMIT, request->stage, "%s answers more than is taken.", request->who);
    default:
        return cp_fail(error, call->failure, request->stage, "%s: %s.", request->who,
                       cp_err_name(call->failure));
    }
}

int cp_http_send(struct cp_http *http, const struct cp_http_request *request,
                 struct cp_http_response *ret_response, struct cp_error *error)
{
    *ret_response = (struct cp_http_response){0};
    ret_response->header = cp_buffer_make(HEADER_BYTES);
    ret_response->body = cp_buffer_make(request->max_body_bytes ? request->max_body_bytes : BODY_BYTES);
    char origin[CP_HTTP_ORIGIN_BYTES];
    if (!cp_http_read_origin(request->url, origin, sizeof origin))
        return cp_fail(error, CP_ERR_INVALID, request->stage,
                       "%s: the address is no http or https URL; check the configuration.", request->who);
    struct curl_slist *headers = make_headers(request->headers);
    if (!headers)
        return cp_fail(error, CP_ERR_INVALID, request->stage,
                       "%s: a header holds a line break or no colon; check key and options.", request->who);
    struct slot *slot = take_slot(http, origin);
    if (!slot) {
        curl_slist_free_all(headers);
        return cp_fail(error, CP_ERR_NOMEM, request->stage, "Out of memory.");
    }
    struct call call = {.request = request, .response = ret_response, .easy = slot->easy};
    call.start_ns = call.moved_ns = cp_clock_now_ns();
    set_up(http, &call, headers);
    CURLcode code = CURLE_FAILED_INIT;
    if (!curl_multi_add_handle(slot->multi, slot->easy)) {
        code = drive(slot->multi, &call);
        curl_multi_remove_handle(slot->multi, slot->easy);
    }
    curl_slist_free_all(headers);
    ret_response->total_ns = cp_clock_now_ns() - call.start_ns;
    if (!code) {
        long status = 0;
        curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
        ret_response->status = (int)status;
    }
    if (code)
        free_slot(slot); /* its connection is half read */
    else
        give_slot(http, slot, origin);
    if (call.failure)
        return explain_failure(&call, origin, error);
    if (code && call.denied)
        return cp_fail(error, CP_ERR_DENIED, request->stage,
                       "%s: %s is an address of this machine or a private network.", request->who, origin);
    return code ? cp_http_explain(request->who, request->stage, origin, code, call.reason, error) : 0;
}

void cp_http_response_free(struct cp_http_response *response)
{
    cp_buffer_free(&response->header);
    cp_buffer_free(&response->body);
}

/* --- reading the answer --- */

bool cp_http_header(const struct cp_http_response *response, const char *name, char *value, size_t capacity)
{
    *value = '\0';
    const char *at = (const char *)response->header.data;
    const char *end = at ? at + response->header.length : at;
    size_t length = strlen(name);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        if ((size_t)(line_end - at) > length && at[length] == ':' && !strncasecmp(at, name, length)) {
            const char *from = at + length + 1, *to = line_end;
            while (from < to && (*from == ' ' || *from == '\t'))
                from++;
            while (to > from && (to[-1] == '\r' || to[-1] == ' ' || to[-1] == '\t'))
                to--;
            if ((size_t)(to - from) >= capacity)
                return false;
            memcpy(value, from, (size_t)(to - from));
            value[to - from] = '\0';
            return true;
        }
        at = line_end + 1;
    }
    return false;
}

/* The beginning of what the service says, on one line of plain characters. */
static void quote(const struct cp_http_response *response, char *text, size_t capacity)
{
    size_t n = 0;
    for (size_t i = 0; i < response->body.length && n + 1 < capacity; i++) {
        uint8_t c = response->body.data[i];
        bool blank = c <= ' ' || c == 0x7f;
        if (blank && n && text[n - 1] == ' ')
            continue;
        text[n++] = blank ? ' ' : c >= 0x80 ? '?' : (char)c;
    }
    text[n] = '\0';
}

int cp_http_check(const struct cp_http_request *request, const struct cp_http_response *response,
                  struct cp_error *error)
{
    const char *stage = request->stage, *who = request->who;
    int status = response->status;
    char said[140];
    quote(response, said, sizeof said);
    if (is_success(response))
        return 0;
    if (status == 401 || status == 403) /* what it says may name the key */
        return cp_fail(error, CP_ERR_DENIED, stage, "%s refuses the key (%d); check the key and its rights.",
                       who, status);
    if (status == 404)
        return cp_fail(error, CP_ERR_NOT_FOUND, stage, "%s knows no such thing (404): %s", who, said);
    if (status == 429)
        return cp_fail(error, CP_ERR_BUSY, stage, "%s has had too many requests (429); try again later.",
                       who);
    if (status >= 300 && status < 400)
        return cp_fail(error, CP_ERR_UNSUPPORTED, stage,
                       "%s sends us elsewhere (%d), where we do not follow; put the final address into the "
                       "configuration.",
                       who, status);
    if (status >= 400 && status < 500)
        return cp_fail(error, CP_ERR_INVALID, stage, "%s does not take the request (%d): %s", who, status,
                       said);
    return cp_fail(error, CP_ERR_UNAVAILABLE, stage, "%s has failed (%d): %s", who, status, said);
}

bool cp_http_may_retry(int result, const struct cp_http_response *response)
{
    if (response->any_body)
        return false;
    if (result)
        return result == CP_ERR_UNAVAILABLE || result == CP_ERR_IO;
    int status = response->status;
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int64_t cp_http_backoff_ms(const struct cp_http_response *response, int attempt, int64_t base_ms)
{
    enum { LONGEST_MS = 5000 };
    int64_t wait_ms = base_ms << (attempt < 1 ? 0 : attempt > 16 ? 15 : attempt - 1);
    if (wait_ms > LONGEST_MS)
        wait_ms = LONGEST_MS;
    uint32_t chance = 0;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
        chance = (uint32_t)cp_clock_now_ns();
    wait_ms = wait_ms / 2 + (int64_t)(chance % (uint32_t)(wait_ms / 2 + 1));
    char after[16];
    if (cp_http_header(response, "Retry-After", after, sizeof after)) {
        long seconds = strtol(after, NULL, 10);
        if (seconds > 0 && seconds < 3600 && seconds * 1000 > wait_ms)
            wait_ms = seconds * 1000;
    }
    return wait_ms;
}

bool cp_http_encode(const char *text, char *ret_text, size_t capacity)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t n = 0;
    for (; *text; text++) {
        uint8_t c = (uint8_t)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (n + (plain ? 1 : 3) >= capacity)
            return false;
        if (plain) {
            ret_text[n++] = (char)c;
        } else {
            ret_text[n++] = '%';
            ret_text[n++] = HEX[c >> 4];
            ret_text[n++] = HEX[c & 15];
        }
    }
    if (n >= capacity)
        return false;
    ret_text[n] = '\0';
    return true;
}
