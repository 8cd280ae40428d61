/* The files of a film, and the thread that encodes and writes its frames. */
#include "app/film/film.h"

#include "base/clock.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- how far it is --- */

static void show_progress(const struct cp_film *film, int64_t frame, int64_t started_ns, bool last)
{
    enum { WIDTH = 32 };
    static int64_t told;
    double elapsed_s = (double)(cp_clock_now_ns() - started_ns) / 1e9,
           share = (double)frame / (double)film->frames_total;
    double speed = elapsed_s > 0 ? (double)frame / CP_FRAME_HZ / elapsed_s : 0;
    int left_s = share > 0 ? (int)(elapsed_s / share - elapsed_s + 0.5) : 0, filled = (int)(share * WIDTH);
    if (isatty(STDERR_FILENO)) {
        char bar[WIDTH + 1];
        for (int i = 0; i < WIDTH; i++)
            bar[i] = i < filled ? '#' : '.';
        bar[WIDTH] = 0;
        fprintf(stderr, "\r[%s] %3.0f%%  %d:%02d left  %.1fx real time ", bar, share * 100, left_s / 60,
                left_s % 60, speed);
        if (last)
            fputc('\n', stderr);
    } else if (last || (int64_t)(share * 10) != told) {
        told = (int64_t)(share * 10);
        fprintf(stderr, "%3.0f%%, %d:%02d left, %.1fx real time\n", share * 100, left_s / 60, left_s % 60,
                speed);
    }
}

/* --- encoding --- */

static void on_packet(void *user, struct cp_packet *packet)
{
    struct cp_film *film = user;
    if (!atomic_load(&film->write_result))
        atomic_store(&film->write_result, cp_record_write(film->file, packet, &film->write_error));
}

static int encode_frame(struct cp_film *film, const struct cp_drawn_frame *frame, struct cp_error *error)
{
    struct cp_stamps stamps = {{0}};
    int64_t at_samples = frame->number * CP_SAMPLES_PER_FRAME;
    if (film->series)
        return cp_series_write(film->series, frame->number, frame->cutout, frame->pcm, error);
    int result = cp_venc_encode(film->venc, frame->picture, 0, error);
    return result
               ? result
               : cp_aenc_encode(film->aac, frame->pcm, CP_SAMPLES_PER_FRAME, at_samples, 0, &stamps, error);
}

static void *run_writer(void *arg)
{
    struct cp_film *film = arg;
    int64_t started_ns = cp_clock_now_ns(), shown_ns = 0, n = 0;
    for (struct cp_drawn_frame *frame; (frame = cp_drawers_take(film->drawers)); n++) {
        struct cp_error error;
        int result = encode_frame(film, frame, &error);
        if (result && !atomic_load(&film->write_result)) {
            film->write_error = error;
            atomic_store(&film->write_result, result);
        }
        if (atomic_load(&film->write_result))
            cp_drawers_stop(film->drawers);
        if (cp_clock_now_ns() - shown_ns > CP_NS_PER_S / 5) {
            shown_ns = cp_clock_now_ns();
            show_progress(film, n + 1, started_ns, false);
        }
    }
    show_progress(film, n, started_ns, true);
    if (!film->aac)
        return NULL;
    /* AAC holds back some 64 ms: silence pushes the last of the sound out. */
    static const int16_t SILENCE[2 * CP_SAMPLES_PER_FRAME];
    struct cp_stamps stamps = {{0}};
    cp_aenc_encode(film->aac, SILENCE, 2 * CP_SAMPLES_PER_FRAME, n * CP_SAMPLES_PER_FRAME, 0, &stamps, NULL);
    return NULL;
}

int cp_film_start_writer(struct cp_film *film, struct cp_error *error)
{
    return cp_thread_start(&film->writer, "main.write", run_writer, film)
               ? cp_fail(error, CP_ERR_NOMEM, "render", "cannot start a thread")
               : 0;
}

/* --- open and close --- */

static bool is_series(const char *output)
{
    size_t length = strlen(output);
    return length > 4 && !strcmp(output + length - 4, ".png");
}

static int open_film(struct cp_film *film, struct cp_error *error)
{
    uint8_t extradata[16];
    int width = film->width, height = film->height;
    int result = cp_venc_create(&film->config.encode, width, height, on_packet, film, &film->venc, error);
    if (!result)
        result = cp_aenc_create(&film->config.encode, CP_CODEC_AAC, on_packet, film, &film->aac, error);
    if (!result)
        result =
            cp_record_open(film->output, width, height, extradata,
                           cp_aenc_extradata(film->aac, extradata, sizeof extradata), &film->file, error);
    return result;
}

int cp_film_open(struct cp_film *film, struct cp_error *error)
{
    return is_series(film->output) ? cp_series_open(film->output, &film->series, error)
                                   : open_film(film, error);
}

int cp_film_close(struct cp_film *film, struct cp_error *error)
{
    struct cp_record_file *file = film->file;
    struct cp_series *series = film->series;
    film->file = NULL;
    film->series = NULL;
    int result = cp_record_close(file, error), closed = cp_series_close(series, result ? NULL : error);
    return result ? result : closed;
}
