/*
 * Inside the LL-HLS server: what is kept, and under which lock.
 *
 * One mutex guards everything. The pushing threads cut parts and segments (segmenter.c), whoever asks for a
 * playlist builds its text at most once a version (playlist.c), and requests that must wait stand in a fixed
 * table (request.c). Waiters are collected under the lock and answered outside it.
 */
#ifndef CP_HLS_INT_H
#define CP_HLS_INT_H

#include "deliver/hls/hls.h"

#include "base/buffer.h"
#include "fmp4.h"
#include "media/clock.h"
#include "phrases.h"

#include <pthread.h>

#define CP_HLS_EPOCH_BYTES      40
#define CP_HLS_MAX_PARTS        128 /* in one segment */
#define CP_HLS_MAX_PENDING      512 /* frames of a track that wait for their part */
#define CP_HLS_PENDING_BYTES    (8 << 20)
#define CP_HLS_MAX_RANGES       32  /* cues that the playlist tells of; the oldest goes first */
#define CP_HLS_RANGE_TEXT_BYTES 121 /* a longer text is left out */
/* Parts are listed for the last 3 target durations (RFC 8216bis 6.2.2), and kept for the last segments. */
#define CP_HLS_PART_SEGMENTS 6

/* The playlists of segments: the same times and numbers, other files. */
enum cp_hls_rendition { CP_HLS_VIDEO, CP_HLS_CAPTIONS, CP_HLS_RENDITIONS };

struct cp_hls_part {
    struct cp_hls_body *body;     /* NULL: dropped */
    struct cp_hls_body *captions; /* NULL: not asked for yet */
    int64_t length;               /* samples */
    bool independent;             /* starts with an IDR */
};

/* The header that a segment's bytes need; shared by all segments between two changes of the encoder. */
struct cp_hls_init {
    struct cp_hls_body *body;
    uint32_t number; /* in its name */
};

struct cp_hls_segment {
    uint64_t msn;             /* media sequence number */
    int64_t start, length;    /* samples */
    int64_t slot;             /* of segment_s on the sample clock, that its key frame stands in */
    int64_t wall_ns;          /* of its first picture */
    bool independent;         /* starts with an IDR: all but those cut by force */
    size_t key_bytes;         /* from its first byte to its key frame's last; 0 when it has none */
    bool discontinuity;       /* does not follow the one before */
    uint64_t discontinuities; /* how many stand before it */
    struct cp_hls_init init;
    struct cp_hls_body *body;     /* once complete */
    struct cp_hls_body *captions; /* NULL: not asked for yet */
    int n_parts;
    struct cp_hls_part parts[CP_HLS_MAX_PARTS];
};

struct cp_hls_caption {
    int64_t begin, end; /* samples */
    bool given_out;     /* players may have it: it does not change any more */
    char text[CP_HLS_PHRASE_BYTES];
};

/* A cue on air. */
struct cp_hls_range {
    char cue[40], id[52];
    char text[CP_HLS_RANGE_TEXT_BYTES]; /* its first sentence; "" when that is long or cannot be quoted */
    int64_t begin, end;                 /* samples; end -1: not known */
    int64_t wall_ns;                    /* of its begin */
};

/* A track's frames that no part holds yet, oldest first. */
struct cp_hls_track {
    struct cp_fmp4_sample samples[CP_HLS_MAX_PENDING];
    int64_t wall_ns[CP_HLS_MAX_PENDING];
    int n_samples;
    struct cp_buffer bytes;
    int64_t end; /* of the newest frame ever pushed */
};

enum cp_hls_wait {
    CP_HLS_WAIT_NONE,
    CP_HLS_WAIT_PLAYLIST,
    CP_HLS_WAIT_PART,
    CP_HLS_WAIT_MAIN,
    CP_HLS_WAIT_KEYS /* for the playlist of key frames */
};
enum cp_hls_waiter_state { CP_HLS_WAITER_FREE, CP_HLS_WAITER_WAITING, CP_HLS_WAITER_ANSWERING };

struct cp_hls_waiter {
    enum cp_hls_waiter_state state;
    uint32_t turn; /* counts the uses of this slot: half of its id */
    enum cp_hls_wait what;
    enum cp_hls_rendition rendition;
    uint64_t msn;
    int64_t part; /* -1: the whole segment */
    bool skip, blocking;
    int64_t deadline_ns;
    void (*ready)(void *user, const struct cp_hls_response *response);
    void *user;
    struct cp_hls_response response;
    int next; /* in the list of those to answer, or of free slots; -1 at its end */
};

struct cp_hls {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the timer: the first waiter came, or the end */
    pthread_t timer;
    bool timer_runs, stopping;

    /* Constant after creation. */
    int width, height;
    char epoch[CP_HLS_EPOCH_BYTES];
    uint8_t aac[16];
    int aac_bytes;
    int64_t part_samples, segment_samples, target_s;
    int window; /* complete segments in the playlist */
    int max_waiting;

    /* segmenter.c */
    struct cp_hls_track video, audio;
    struct cp_fmp4_avc avc;
    struct cp_hls_init init;
    struct cp_buffer scratch;        /* heads of fragments */
    struct cp_hls_segment *segments; /* a ring of n_ring; the newest is being filled when `open` */
    int n_ring, first, n_segments;
    bool open, discontinuity_next;
    uint64_t next_msn, discontinuities;
    int64_t part_start; /* samples: end of the newest part */
    uint32_t n_fragments;
    uint64_t peak_bps, mean_bps; /* of complete segments */
    uint64_t peak_key_bytes;     /* of the largest key frame with its header */

    /* playlist.c: texts of the present version; NULL until asked for */
    struct cp_hls_body *main_text, *keys_text, *full_text[CP_HLS_RENDITIONS], *delta_text[CP_HLS_RENDITIONS];

    /* captions.c */
    struct cp_hls_caption *captions; /* a ring, oldest first */
    int max_captions, first_caption, n_captions;
    struct cp_hls_range ranges[CP_HLS_MAX_RANGES];
    int n_ranges;
    int64_t sentence_end; /* of the newest sentence, samples */
    bool sentence_is_last;
    char language[36]; /* "": not known */

    /* request.c */
    struct cp_hls_waiter *waiters;
    int n_waiting, free_waiter,
        high_waiter; /* first free slot or -1; slots below high_waiter may be in use */

    void (*on_cut)(void *user, const struct cp_hls_cut *cut); /* NULL: nobody listens */
    void *on_cut_user;

    struct cp_hls_stats stats;
};

/* A body of `length` bytes with one reference. NULL when out of memory. Freed with the last reference. */
struct cp_hls_body *cp_hls_body_create(size_t length);

/* The i-th oldest segment kept; the last one is incomplete while hls->open. Under the lock. */
struct cp_hls_segment *cp_hls_segment(struct cp_hls *hls, int i);
/* Number of complete segments kept, and the index of the first one that the playlist lists. */
int cp_hls_complete(const struct cp_hls *hls);
int cp_hls_first_listed(const struct cp_hls *hls);
/* The part that comes next: what the preload hint names. Under the lock. */
void cp_hls_next_part(struct cp_hls *hls, uint64_t *ret_msn, int *ret_part);

/* Takes a frame; true when there is something new for those that wait. Under the lock. */
bool cp_hls_take(struct cp_hls *hls, const struct cp_packet *packet);
/* Drops everything that was cut. */
void cp_hls_segmenter_free(struct cp_hls *hls);

/* A reference to the text; NULL when there is none yet or memory ran out. Under the lock. */
struct cp_hls_body *cp_hls_main_playlist(struct cp_hls *hls);
/* NULL also while no segment is complete. */
struct cp_hls_body *cp_hls_keys_playlist(struct cp_hls *hls);
struct cp_hls_body *cp_hls_media_playlist(struct cp_hls *hls, enum cp_hls_rendition rendition, bool skip);
/* The stream moved on. */
void cp_hls_playlists_outdated(struct cp_hls *hls);

/* The captions of a complete segment, or of a part: a reference, NULL when memory ran out. Under the lock. */
struct cp_hls_body *cp_hls_segment_captions(struct cp_hls *hls, struct cp_hls_segment *segment);
struct cp_hls_body *cp_hls_part_captions(struct cp_hls *hls, struct cp_hls_segment *segment, int number);
/* The date ranges of the cues on air in a stretch of the sample clock. */
void cp_hls_write_ranges(struct cp_hls *hls, struct cp_buffer *text, int64_t from, int64_t to);
int cp_hls_captions_create(struct cp_hls *hls);

/* Marks the waiters that can be answered now (or all of them with 503 when `status` is not 0) and returns the
 * first of their list, -1 for none. Under the lock. */
int cp_hls_collect_ready(struct cp_hls *hls);
int cp_hls_collect_overdue(struct cp_hls *hls, int64_t now_ns, bool all);
/* Answers a collected list. Not under the lock. */
void cp_hls_answer(struct cp_hls *hls, int first);
void *cp_hls_timer(void *arg);

#endif
