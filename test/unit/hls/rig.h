/* What the HLS tests share: eight seconds of coded sound and picture to feed again and again, a client that
 * remembers its answer, and a reader of playlists that checks each rule on the way. */
#ifndef TEST_HLS_RIG_H
#define TEST_HLS_RIG_H

#include "deliver/hls/hls.h"

#include <stdbool.h>

#define WIDTH       320
#define HEIGHT      180
#define LOOP_FRAMES 240
#define LOOP_SOUNDS 375 /* of 1024 samples: 8 s as well */
#define FRAMES_PART 6
#define EPOCH       "e7"
#define WALL_NS     INT64_C(1700000000000000000)

/* Encodes the loop once. */
void rig_make_loop(void);
void rig_free_loop(void);

struct feed {
    struct cp_hls *hls;
    int64_t frame; /* next picture */
    int64_t sound; /* next sound packet */
    int64_t shift; /* added to all times, samples */
    bool no_sound, no_picture;
};

/* The wall time of sample 0, instead of WALL_NS. */
void rig_set_wall_ns(int64_t wall_ns);
/* A server with default options (part 0.2 s, segment 2 s, `segments` in the playlist). */
struct cp_hls *rig_create(int segments, bool sound);
/* Pushes pictures up to frame number `to` (exclusive), each followed by the sound that is ready by then. */
void rig_feed(struct feed *feed, int64_t to);
void rig_push_frame(struct feed *feed, int64_t frame, const uint8_t *other_data, size_t other_length);
/* Pushes a key frame at the time of frame number `frame`, as an encoder does that missed its turn. */
void rig_push_key(struct feed *feed, int64_t frame);
/* The packet of the loop that frame number `frame` is made from. */
const struct cp_packet *rig_frame(int64_t frame);
const struct cp_packet *rig_sound(int64_t sound);
/* The AudioSpecificConfig of the loop's sound; its length. */
int rig_aac(uint8_t *ret_bytes);

struct answer {
    int count, status;
    const char *content_type, *cache_control, *detail;
    struct cp_hls_body *body;
    uint64_t waiting;
};

/* Asks; the answer may come later. */
void rig_ask(struct cp_hls *hls, const char *file, const char *query, struct answer *answer);
void rig_drop(struct answer *answer);
/* Asks for what must be there at once; the status. */
int rig_status(struct cp_hls *hls, const char *file, const char *query);
/* The text of a playlist that must be there at once; the caller frees it. */
char *rig_text(struct cp_hls *hls, const char *file, const char *query);
/* The bytes of a file that must be there at once. */
struct cp_hls_body *rig_body(struct cp_hls *hls, const char *file);

#define MAX_LISTED 64
#define MAX_RANGES 40
struct listed_part {
    double duration;
    char uri[96];
    bool independent;
};
struct listed_segment {
    uint64_t msn;
    double duration; /* 0: not complete */
    char uri[96], date[40];
    bool discontinuity;
    int n_parts;
    struct listed_part parts[24];
};
struct listed {
    bool captions; /* of the captions' playlist */
    uint64_t report_msn;
    int report_part;
    int n_ranges;
    char ranges[MAX_RANGES][300]; /* attributes of date ranges */
    int target, n_segments, n_complete, skipped;
    double part_target, hold_back, part_hold_back, skip_until;
    uint64_t msn, discontinuity_sequence;
    char map[96], hint[96];
    struct listed_segment segments[MAX_LISTED];
};

/* Reads a media playlist; fails the test when a rule of RFC 8216bis is broken. */
void rig_read_playlist(const char *text, struct listed *ret_listed);

#endif
