/*
 * Requests: which file, which playlist directives, and who waits for what (RFC 8216bis 6.2.5.2 and 6.2.6).
 * File names and queries come from the network.
 */
#include "hls_int.h"

#include "base/clock.h"

#include <string.h>

static const char TYPE_PLAYLIST[] = "application/vnd.apple.mpegurl", TYPE_MP4[] = "video/mp4",
                  TYPE_VTT[] = "text/vtt";
/* A name with an epoch never means other bytes. A blocked answer is the same for all who ask by the same
 * address; one without directives is old after a part, but a second spares the origin a crowd. */
static const char CACHE_FOR_EVER[] = "public, max-age=86400, immutable",
                  CACHE_BLOCKED[] = "public, max-age=6", CACHE_PLAIN[] = "public, max-age=1",
                  CACHE_NOT[] = "no-store";

/* --- parsing --- */

/* Reads a decimal number of at most 18 digits; NULL when there is none. */
static const char *read_number(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9'; text++, digits++) {
        if (digits == 18)
            return NULL;
        number = number * 10 + (uint64_t)(*text - '0');
    }
    if (!digits)
        return NULL;
    *ret_number = number;
    return text;
}

/* The text behind "<kind>-<epoch>-", or NULL. */
static const char *behind_epoch(const struct cp_hls *hls, const char *file, const char *kind)
{
    size_t kind_length = strlen(kind), epoch_length = strlen(hls->epoch);
    if (strncmp(file, kind, kind_length) || file[kind_length] != '-')
        return NULL;
    file += kind_length + 1;
    if (strncmp(file, hls->epoch, epoch_length) || file[epoch_length] != '-')
        return NULL;
    return file + epoch_length + 1;
}

/* The value of a directive in the query, or NULL. Values end at '&' or at the end. */
static const char *find_directive(const char *query, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = query; at; at = strchr(at, '&')) {
        at += *at == '&';
        if (!strncmp(at, name, length) && at[length] == '=')
            return at + length + 1;
    }
    return NULL;
}

static bool value_is(const char *value, const char *expected)
{
    size_t length = strlen(expected);
    return value && !strncmp(value, expected, length) && (!value[length] || value[length] == '&');
}

/* Reads a numeric directive. False when it is there but no number; *ret_present says whether it is there. */
static bool read_directive(const char *query, const char *name, uint64_t *ret_number, bool *ret_present)
{
    const char *value = find_directive(query, name);
    *ret_present = value != NULL;
    if (!value)
        return true;
    value = read_number(value, ret_number);
    return value && (!*value || *value == '&');
}

/* --- answers --- */

static void refuse(struct cp_hls_waiter *waiter, int status, const char *detail)
{
    waiter->response = (struct cp_hls_response){
        .status = status, .content_type = "text/plain", .cache_control = CACHE_NOT, .detail = detail};
}

/* Takes over the body's reference. */
static void give(struct cp_hls *hls, struct cp_hls_waiter *waiter, struct cp_hls_body *body, const char *type,
                 const char *cache_control)
{
    if (!body) {
        refuse(waiter, 503, "out of memory: try again");
        return;
    }
    hls->stats.bytes_out += body->length;
    waiter->response = (struct cp_hls_response){
        .status = 200, .content_type = type, .cache_control = cache_control, .body = body};
}

/* The number of the segment that is being made, and how many parts it has. */
static uint64_t present(struct cp_hls *hls, int *ret_parts)
{
    if (!hls->open) {
        *ret_parts = 0;
        return hls->next_msn;
    }
    const struct cp_hls_segment *segment = cp_hls_segment(hls, hls->n_segments - 1);
    *ret_parts = segment->n_parts;
    return segment->msn;
}

static struct cp_hls_segment *find_segment(struct cp_hls *hls, uint64_t msn)
{
    uint64_t oldest = hls->n_segments ? cp_hls_segment(hls, 0)->msn : 0;
    if (!hls->n_segments || msn < oldest || msn - oldest >= (uint64_t)hls->n_segments)
        return NULL;
    return cp_hls_segment(hls, (int)(msn - oldest));
}

/* Does the playlist hold what was asked for? A part behind a segment's last one means the next one's first.
 */
static bool playlist_is_due(struct cp_hls *hls, const struct cp_hls_waiter *waiter)
{
    int n_parts;
    uint64_t now = present(hls, &n_parts);
    if (!hls->stats.parts)
        return false;
    if (!waiter->blocking || waiter->msn + 1 < now)
        return true;
    if (waiter->part < 0)
        return waiter->msn < now;
    if (waiter->msn == now)
        return waiter->part < n_parts;
    if (waiter->msn > now)
        return false;
    const struct cp_hls_segment *last = find_segment(hls, waiter->msn);
    return !last || waiter->part < last->n_parts || n_parts > 0;
}

static void give_part(struct cp_hls *hls, struct cp_hls_waiter *waiter, struct cp_hls_segment *segment)
{
    int number = (int)waiter->part;
    if (!segment->parts[number].body)
        refuse(waiter, 404, "this part is no longer kept: ask for its segment");
    else if (waiter->rendition == CP_HLS_CAPTIONS)
        give(hls, waiter, cp_hls_part_captions(hls, segment, number), TYPE_VTT, CACHE_FOR_EVER);
    else
        give(hls, waiter, cp_ref_take(segment->parts[number].body), TYPE_MP4, CACHE_FOR_EVER);
}

/* Fills in the response when there is one now; false: wait. */
static bool try_answer(struct cp_hls *hls, struct cp_hls_waiter *waiter)
{
    if (waiter->what == CP_HLS_WAIT_MAIN) {
        if (!hls->stats.parts)
            return false;
        give(hls, waiter, cp_hls_main_playlist(hls), TYPE_PLAYLIST, CACHE_PLAIN);
        return true;
    }
    if (waiter->what == CP_HLS_WAIT_KEYS) {
        if (!cp_hls_complete(hls))
            return false;
        give(hls, waiter, cp_hls_keys_playlist(hls), TYPE_PLAYLIST, CACHE_PLAIN);
        return true;
    }
    if (waiter->what == CP_HLS_WAIT_PLAYLIST) {
        if (!playlist_is_due(hls, waiter))
            return false;
        give(hls, waiter, cp_hls_media_playlist(hls, waiter->rendition, waiter->skip), TYPE_PLAYLIST,
             waiter->blocking ? CACHE_BLOCKED : CACHE_PLAIN);
        return true;
    }
    int n_parts;
    uint64_t now = present(hls, &n_parts);
    struct cp_hls_segment *segment = find_segment(hls, waiter->msn);
    if (segment && waiter->part < segment->n_parts) {
        give_part(hls, waiter, segment);
        return true;
    }
    if ((waiter->msn == now && waiter->part == n_parts) || (waiter->msn == now + 1 && !waiter->part))
        return false; /* the one that is hinted at, or may be once this segment ends */
    refuse(waiter, 404, "there is no such part");
    return true;
}

/* Too far ahead: more than two segments, or more than the advance part limit (RFC 8216bis 6.2.5.2). */
static bool too_far_ahead(struct cp_hls *hls, uint64_t msn, bool has_part, uint64_t part)
{
    int n_parts;
    uint64_t now = present(hls, &n_parts);
    uint64_t limit = hls->part_samples < CP_SAMPLE_HZ
                         ? (uint64_t)((3 * CP_SAMPLE_HZ + hls->part_samples - 1) / hls->part_samples)
                         : 3;
    if (!hls->stats.parts || msn < now)
        return false;
    if (msn > now + 1)
        return true;
    if (!has_part)
        return false;
    uint64_t between = (uint64_t)(hls->segment_samples / hls->part_samples);
    uint64_t made = (uint64_t)n_parts;
    uint64_t ahead = msn == now ? 0 : between > made ? between - made : 0;
    return msn == now ? part + 1 > made + limit : ahead + part + 1 > limit;
}

static bool read_playlist_query(struct cp_hls *hls, struct cp_hls_waiter *waiter, const char *query)
{
    uint64_t msn = 0, part = 0;
    bool has_msn, has_part;
    bool good = read_directive(query, "_HLS_msn", &msn, &has_msn);
    good = read_directive(query, "_HLS_part", &part, &has_part) && good;
    const char *skip = find_directive(query, "_HLS_skip");
    if (!good)
        refuse(waiter, 400, "_HLS_msn and _HLS_part take decimal numbers");
    else if (has_part && !has_msn)
        refuse(waiter, 400, "_HLS_part needs _HLS_msn");
    else if (has_msn && too_far_ahead(hls, msn, has_part, part))
        refuse(waiter, 400, "_HLS_msn or _HLS_part is too far ahead of the live edge");
    else {
        waiter->what = CP_HLS_WAIT_PLAYLIST;
        waiter->blocking = has_msn;
        waiter->msn = msn;
        waiter->part = has_part ? (int64_t)part : -1;
        waiter->skip = value_is(skip, "YES") || value_is(skip, "v2");
        return true;
    }
    return false;
}

static void give_init(struct cp_hls *hls, struct cp_hls_waiter *waiter, uint64_t number)
{
    const struct cp_hls_init *init = &hls->init;
    for (int i = 0; i < hls->n_segments && init->number != number; i++)
        init = &cp_hls_segment(hls, i)->init;
    if (init->body && init->number == number)
        give(hls, waiter, cp_ref_take(init->body), TYPE_MP4, CACHE_FOR_EVER);
    else
        refuse(waiter, 404, "there is no such header");
}

static void give_segment(struct cp_hls *hls, struct cp_hls_waiter *waiter, uint64_t msn)
{
    struct cp_hls_segment *segment = find_segment(hls, msn);
    if (segment && segment->body && waiter->rendition == CP_HLS_CAPTIONS)
        give(hls, waiter, cp_hls_segment_captions(hls, segment), TYPE_VTT, CACHE_FOR_EVER);
    else if (segment && segment->body)
        give(hls, waiter, cp_ref_take(segment->body), TYPE_MP4, CACHE_FOR_EVER);
    else
        refuse(waiter, 404, "there is no such segment, or not yet, or no longer");
}

/* The rest of a part's name, behind its segment's number; NULL: there was none. False: it must wait. */
static bool examine_part(struct cp_hls *hls, struct cp_hls_waiter *waiter, const char *name, uint64_t msn,
                         const char *ending)
{
    uint64_t part = 0;
    name = name && *name == '.' ? read_number(name + 1, &part) : NULL;
    if (!name || strcmp(name, ending) || part >= CP_HLS_MAX_PARTS)
        return true;
    waiter->what = CP_HLS_WAIT_PART;
    waiter->msn = msn;
    waiter->part = (int64_t)part;
    return try_answer(hls, waiter);
}

/* Finds out what is asked for. False: it must wait; else the response is filled in. */
static bool examine(struct cp_hls *hls, struct cp_hls_waiter *waiter, const char *file, const char *query)
{
    const char *name;
    uint64_t number = 0;
    refuse(waiter, 404, "there is no such file");
    if (!strcmp(file, "index.m3u8") || !strcmp(file, "keys.m3u8")) {
        waiter->what = *file == 'i' ? CP_HLS_WAIT_MAIN : CP_HLS_WAIT_KEYS;
        return try_answer(hls, waiter);
    }
    waiter->rendition = strncmp(file, "captions", 8) ? CP_HLS_VIDEO : CP_HLS_CAPTIONS;
    if (!strcmp(file, "video.m3u8") || !strcmp(file, "captions.m3u8"))
        return !read_playlist_query(hls, waiter, query) || try_answer(hls, waiter);
    if ((name = behind_epoch(hls, file, "init"))) {
        if ((name = read_number(name, &number)) && !strcmp(name, ".mp4"))
            give_init(hls, waiter, number);
    } else if ((name = behind_epoch(hls, file, "seg"))) {
        if ((name = read_number(name, &number)) && !strcmp(name, ".m4s"))
            give_segment(hls, waiter, number);
    } else if ((name = behind_epoch(hls, file, "part"))) {
        name = read_number(name, &number);
        return examine_part(hls, waiter, name, number, ".m4s");
    } else if ((name = behind_epoch(hls, file, "captions")) && (name = read_number(name, &number))) {
        if (strcmp(name, ".vtt"))
            return examine_part(hls, waiter, name, number, ".vtt");
        give_segment(hls, waiter, number);
    }
    return true;
}

/* --- the table of those that wait --- */

/* Puts the waiter into a free slot. 0 when all are taken. */
static uint64_t enter(struct cp_hls *hls, const struct cp_hls_waiter *waiter)
{
    int slot = hls->free_waiter;
    if (slot < 0)
        return 0;
    struct cp_hls_waiter *to = &hls->waiters[slot];
    uint32_t turn = to->turn + 1;
    hls->free_waiter = to->next;
    *to = *waiter;
    to->state = CP_HLS_WAITER_WAITING;
    to->turn = turn;
    to->deadline_ns = cp_clock_now_ns() + 3 * hls->target_s * CP_NS_PER_S;
    if (slot >= hls->high_waiter)
        hls->high_waiter = slot + 1;
    hls->stats.blocked++;
    if (!hls->n_waiting++)
        pthread_cond_signal(&hls->wake);
    return (uint64_t)turn << 32 | (uint32_t)(slot + 1);
}

static void leave(struct cp_hls *hls, int slot)
{
    hls->waiters[slot].state = CP_HLS_WAITER_FREE;
    hls->waiters[slot].next = hls->free_waiter;
    hls->free_waiter = slot;
}

void cp_hls_request(struct cp_hls *hls, const char *file, const char *query,
                    void (*ready)(void *user, const struct cp_hls_response *response), void *user,
                    uint64_t *ret_waiting)
{
    struct cp_hls_waiter waiter = {.ready = ready, .user = user};
    pthread_mutex_lock(&hls->lock);
    hls->stats.requests++;
    *ret_waiting = 0;
    bool answered = examine(hls, &waiter, file, query);
    if (!answered) {
        *ret_waiting = enter(hls, &waiter);
        answered = !*ret_waiting;
        if (answered) {
            hls->stats.refused++;
            refuse(&waiter, 503, "too many requests wait already: try again in a second");
        }
    }
    pthread_mutex_unlock(&hls->lock);
    if (answered)
        ready(user, &waiter.response);
}

bool cp_hls_abandon(struct cp_hls *hls, uint64_t waiting)
{
    uint32_t slot = (uint32_t)waiting - 1;
    bool waits = false;
    pthread_mutex_lock(&hls->lock);
    if (slot < (uint32_t)hls->max_waiting) {
        const struct cp_hls_waiter *waiter = &hls->waiters[slot];
        waits = waiter->state == CP_HLS_WAITER_WAITING && waiter->turn == (uint32_t)(waiting >> 32);
        if (waits) {
            hls->n_waiting--;
            leave(hls, (int)slot);
        }
    }
    pthread_mutex_unlock(&hls->lock);
    return waits;
}

static void collect(struct cp_hls *hls, int slot, int *first)
{
    hls->waiters[slot].state = CP_HLS_WAITER_ANSWERING;
    hls->waiters[slot].next = *first;
    *first = slot;
    hls->n_waiting--;
}

int cp_hls_collect_ready(struct cp_hls *hls)
{
    int first = -1;
    for (int slot = 0; hls->n_waiting && slot < hls->high_waiter; slot++)
        if (hls->waiters[slot].state == CP_HLS_WAITER_WAITING && try_answer(hls, &hls->waiters[slot]))
            collect(hls, slot, &first);
    return first;
}

int cp_hls_collect_overdue(struct cp_hls *hls, int64_t now_ns, bool all)
{
    int first = -1;
    for (int slot = 0; hls->n_waiting && slot < hls->high_waiter; slot++) {
        struct cp_hls_waiter *waiter = &hls->waiters[slot];
        if (waiter->state != CP_HLS_WAITER_WAITING || !(all || waiter->deadline_ns <= now_ns))
            continue;
        refuse(waiter, 503, all ? "the stream has ended" : "nothing new for three target durations");
        hls->stats.refused++;
        collect(hls, slot, &first);
    }
    return first;
}

void cp_hls_answer(struct cp_hls *hls, int first)
{
    if (first < 0)
        return;
    for (int slot = first; slot >= 0; slot = hls->waiters[slot].next)
        hls->waiters[slot].ready(hls->waiters[slot].user, &hls->waiters[slot].response);
    pthread_mutex_lock(&hls->lock);
    for (int slot = first, next; slot >= 0; slot = next) {
        next = hls->waiters[slot].next;
        leave(hls, slot);
    }
    pthread_mutex_unlock(&hls->lock);
}

/* thread: hls. Sleeps while nobody waits; answers those whose time is up. */
void *cp_hls_timer(void *arg)
{
    struct cp_hls *hls = arg;
    pthread_mutex_lock(&hls->lock);
    while (!hls->stopping) {
        int64_t earliest_ns = INT64_MAX;
        for (int slot = 0; hls->n_waiting && slot < hls->high_waiter; slot++)
            if (hls->waiters[slot].state == CP_HLS_WAITER_WAITING &&
                hls->waiters[slot].deadline_ns < earliest_ns)
                earliest_ns = hls->waiters[slot].deadline_ns;
        if (earliest_ns == INT64_MAX) {
            pthread_cond_wait(&hls->wake, &hls->lock);
            continue;
        }
        struct timespec until = {earliest_ns / CP_NS_PER_S, earliest_ns % CP_NS_PER_S};
        pthread_cond_timedwait(&hls->wake, &hls->lock, &until);
        int first = cp_hls_collect_overdue(hls, cp_clock_now_ns(), false);
        pthread_mutex_unlock(&hls->lock);
        cp_hls_answer(hls, first);
        pthread_mutex_lock(&hls->lock);
    }
    pthread_mutex_unlock(&hls->lock);
    return NULL;
}
