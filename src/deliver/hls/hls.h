/*
 * LL-HLS (draft-pantos-hls-rfc8216bis): fMP4 segments and parts kept in memory, playlists with blocking
 * reload, preload hints and delta updates. Feeds any number of players through any cache.
 *
 * Sound and picture are muxed into one stream: one request a part instead of two, and one media playlist (so
 * the only other rendition is that of the captions). Times in the files are the sample clock's. Media
 * sequence numbers start at the wall clock, so that they rise over restarts and take-overs.
 */
#ifndef CP_HLS_H
#define CP_HLS_H

#include "base/config.h"
#include "base/error.h"
#include "base/ref.h"
#include "media/packet.h"
#include "media/utterance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_hls_config {
    double part_s;       /* part target, seconds: 0.2 */
    double segment_s;    /* segment target, a multiple of the encoder's idr_s: a segment starts at an IDR */
    int64_t segments;    /* kept in the playlist */
    int64_t max_waiting; /* blocked requests at once */
};
extern const struct cp_option cp_hls_options[];
extern const size_t cp_hls_n_options;

struct cp_hls;

/* epoch: letters and digits (at most 39) that go into file names, so that a restarted server never serves a
 * name it used for other bytes. Without AAC extradata there is no sound in the stream. Starts a thread "hls",
 * which only ends waits that took too long. */
int cp_hls_create(const struct cp_hls_config *config, int width, int height, const char *epoch,
                  const uint8_t *aac_extradata, int aac_extradata_bytes, struct cp_hls **ret_hls,
                  struct cp_error *error);
/* Answers everything that still waits with 503. No push or request may be going on. NULL is fine. */
void cp_hls_destroy(struct cp_hls *hls);

/* Takes an H.264 or AAC packet; copies what it needs; others are ignored. A part is complete when picture and
 * sound have passed its end (the sound is waited for at most a second); then those that wait for it are
 * answered. Allocates once a part. thread: venc, aenc */
void cp_hls_push(struct cp_hls *hls, const struct cp_packet *packet);

/* What is said, told when it begins to sound: it makes the captions and the date ranges of cues. */
struct cp_hls_speech {
    const struct cp_utterance *utterance; /* NULL: nobody speaks any more */
    const char *cue;                      /* its id, or "" for a line of the rundown */
    bool first_of_line;
    int64_t at, wall_ns; /* of its first sample, or of the silence's */
};
/* A sentence that was not over is cut by the next call. Waits for the lock. thread: news */
void cp_hls_tell(struct cp_hls *hls, const struct cp_hls_speech *speech);
/* The language of the captions, BCP 47; "" when it is not known. Any thread but draw and those that push. */
void cp_hls_set_language(struct cp_hls *hls, const char *language);

/* What a request is answered with. `body` is shared and immutable: hold the reference while it is being sent.
 */
struct cp_hls_body {
    struct cp_ref ref;
    size_t length;
    uint8_t data[];
};
struct cp_hls_response {
    int status;                /* 200, 400, 404, 503 */
    const char *content_type;  /* "application/vnd.apple.mpegurl", "video/mp4", "text/vtt"; "text/plain" for
                                  an error */
    const char *cache_control; /* e.g. "public, max-age=60, immutable" */
    struct cp_hls_body *body;  /* may be NULL */
    const char *detail;        /* for an error: what is wrong with the request. The texts are constants */
};

/*
 * Answers a request for `file` ("index.m3u8", "video.m3u8", "init-...mp4", "seg-...m4s", "part-...m4s";
 * "captions.m3u8", "captions-...vtt"; "keys.m3u8") with its query ("_HLS_msn=5&_HLS_part=2", or "";
 * parameters that are not _HLS_ directives are ignored). Ready at once: `ready` is called before the return,
 * and *ret_waiting is 0. Otherwise `ready` comes later, exactly once, from a pushing thread or the thread
 * "hls" (it must only post; it may come before this call returns), and *ret_waiting, set before that, names
 * the wait for cp_hls_abandon. The response's body reference belongs to the callee. A wait ends with 503
 * after three target durations. thread: gateway
 */
void cp_hls_request(struct cp_hls *hls, const char *file, const char *query,
                    void (*ready)(void *user, const struct cp_hls_response *response), void *user,
                    uint64_t *ret_waiting);
/* The client went away. True when `ready` will not be called; false when it has been or is being called. */
bool cp_hls_abandon(struct cp_hls *hls, uint64_t waiting);

/* A part as it is cut, for who keeps the stream: a fragment whose first sample is at `at`. */
struct cp_hls_cut {
    struct cp_hls_body *init, *body; /* lent; init is the header that the fragment needs */
    int64_t at, length;              /* samples */
    bool independent;                /* starts with an IDR */
};
/* Each part from now on goes to on_cut, which takes references and posts: it is called under the lock, by a
 * pushing thread. One listener at a time, CP_ERR_EXISTS. */
int cp_hls_listen(struct cp_hls *hls, void (*on_cut)(void *user, const struct cp_hls_cut *cut), void *user,
                  struct cp_error *error);
/* After it returns on_cut is not called any more. */
void cp_hls_unlisten(struct cp_hls *hls);

struct cp_hls_stats {
    uint64_t segments, parts, requests, blocked, refused, bytes_out;
    uint64_t captions, captions_lost; /* lost: more of them than are kept */
    int waiting;
    int64_t live_edge_samples; /* end of the newest part, on the sample clock */
};
struct cp_hls_stats cp_hls_stats(struct cp_hls *hls);

#endif
