/*
 * A film: what `compere render` makes. The voice first, so that the length is known. Then the command's own
 * thread poses, frame by frame; drawers draw; and one more thread encodes and writes.
 */
#ifndef CP_APP_FILM_H
#define CP_APP_FILM_H

#include "app/film/drawers.h"
#include "app/film/series.h"

#include "deliver/record/record.h"
#include "speech/music.h"

#define CP_FILM_LEAD_FRAMES (CP_FRAME_HZ * 6 / 10) /* before the first word, and between two lines */
#define CP_FILM_TAIL_FRAMES CP_FRAME_HZ
#define CP_FILM_MAX_LINES   500

/* One line of the rundown, spoken. */
struct cp_film_line {
    json_t *cue;
    struct cp_card_spec card;
    struct cp_utterance **utterances;
    int n, capacity;
    int64_t frames;
};

struct cp_film_stage { /* that a line is played on */
    struct cp_scene *scene;
    struct cp_stand stand;
    int64_t used; /* number of the last frame */
};

struct cp_film {
    struct cp_app_config config;
    json_t *cues; /* an array of cues */
    const char *output;
    json_t *stage; /* what a channel's spec would say of its stage */
    int width, height;
    int64_t threads;        /* that draw */
    struct cp_store *store; /* of uploads; NULL: none */
    struct cp_motions *motions;
    const char *music_path; /* NULL: none */
    struct cp_music *music;
    struct cp_music_mixer mixer;

    struct cp_speech *speech;
    struct cp_film_line lines[CP_FILM_MAX_LINES];
    int n_lines;
    pthread_mutex_t lock;
    pthread_cond_t spoken;
    bool line_done;
    int result; /* of the line's voice */
    struct cp_error error;

    struct cp_troupe troupe;
    struct cp_film_stage stages[CP_SCENES_ALIVE]; /* the one used longest ago makes room */
    struct cp_performer performer;
    struct cp_drawers *drawers;

    struct cp_venc *venc;
    struct cp_aenc *aac;
    struct cp_record_file *file;
    struct cp_series *series; /* instead of venc, aac and file, when the output's name ends in .png */
    pthread_t writer;
    int64_t frames_total;
    atomic_int write_result;
    struct cp_error write_error;
};

/* film_voice.c: speaks all lines. */
int cp_film_speak(struct cp_film *film, struct cp_error *error);

/* film_music.c */
int cp_film_open_music(struct cp_film *film, struct cp_error *error);
/* Music under a frame's voice, which begins so many frames later; behind the last line (NULL) it fades out.
 */
void cp_film_mix_music(struct cp_film *film, const struct cp_film_line *line, int64_t frames_to_word,
                       int16_t pcm[CP_SAMPLES_PER_FRAME]);

/* film_write.c: the files, and the thread that writes them until the drawers have no more. */
int cp_film_open(struct cp_film *film, struct cp_error *error);
int cp_film_start_writer(struct cp_film *film, struct cp_error *error);
int cp_film_close(struct cp_film *film, struct cp_error *error);

/* film_play.c: poses all frames. */
int cp_film_prepare(struct cp_film *film,
                    struct cp_error *error); /* cards, drawers, the first line's stage */
int cp_film_play(struct cp_film *film, struct cp_error *error);
void cp_film_drop_stages(struct cp_film *film); /* after the drawers have stopped */

#endif
