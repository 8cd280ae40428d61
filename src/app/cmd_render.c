/*
 * `compere render`: text, SSML or a rundown -> MP4, or pictures with alpha and a WAV, faster than real time.
 * The voice first, so that the length is known; then this thread poses and draws while another encodes and
 * writes.
 */
#include "app/scene.h"
#include "app/series.h"

#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "deliver/record/record.h"
#include "speech/music.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAD_FRAMES (CP_FRAME_HZ * 6 / 10) /* before the first word, and between two lines */
#define TAIL_FRAMES CP_FRAME_HZ
#define MAX_LINES   500
#define PICTURES    8

/* One line of the rundown, spoken. */
struct spoken_line {
    json_t *cue;
    struct cp_card_spec card;
    struct cp_utterance **utterances;
    int n, capacity;
    int64_t frames;
};

struct frame { /* from the drawing to the encoding thread */
    struct cp_picture *picture;
    struct cp_cutout *cutout; /* NULL when a film is made */
    int16_t pcm[CP_SAMPLES_PER_FRAME];
};

struct job {
    struct cp_app_config config;
    json_t *cues; /* an array of cues */
    const char *output;
    json_t *stage; /* what a channel's spec would say of its stage */
    int width, height;
    const char *music_path; /* NULL: none */
    struct cp_music *music;
    struct cp_music_mixer mixer;

    struct cp_speech *speech;
    struct spoken_line lines[MAX_LINES];
    int n_lines;
    pthread_mutex_t lock;
    pthread_cond_t spoken;
    bool line_done;

    struct cp_troupe troupe;
    struct cp_scene *scene;
    struct cp_performer performer;
    struct cp_venc *venc;
    struct cp_aenc *aac;
    struct cp_record_file *file;
    struct cp_series *series; /* instead of venc, aac and file, when the output's name ends in .png */
    struct cp_pool *pictures;
    struct cp_queue *to_encode;
    pthread_t encoder;
    int64_t frames_total;
    int result;
    struct cp_error error;
    atomic_int write_result;
    struct cp_error write_error;
};

/* --- what to say --- */

static char *read_text_file(const char *path, struct cp_error *error)
{
    enum { MOST = 4 << 20 };
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(MOST + 1) : NULL;
    size_t length = text ? fread(text, 1, MOST, file) : 0;
    if (!file)
        cp_fail(error, CP_ERR_IO, "render", "cannot read %s: %s", path, strerror(errno));
    else
        fclose(file);
    if (text)
        text[length] = 0;
    return text;
}

static int read_rundown(struct job *job, const char *path, struct cp_error *error)
{
    json_error_t where;
    json_t *rundown = json_load_file(path, 0, &where);
    json_t *cues = json_is_array(rundown) ? rundown : json_object_get(rundown, "cues");
    if (!json_is_array(cues) || !json_array_size(cues) || json_array_size(cues) > MAX_LINES) {
        json_decref(rundown);
        return cp_fail(error, CP_ERR_FORMAT, "render",
                       "%s must be JSON like {\"cues\":[{\"text\":\"Hello.\",\"camera\":\"close\"}]} with 1 "
                       "to %d cues%s%s",
                       path, MAX_LINES, rundown ? "" : ": ", rundown ? "" : where.text);
    }
    job->cues = json_incref(cues);
    json_decref(rundown);
    return 0;
}

/* Presenters (one, or two with a comma between), scenery and size, as a channel would have them. */
static int read_stage(struct job *job, const char *presenter, const json_t *scenery, const char *size,
                      struct cp_error *error)
{
    job->stage = json_deep_copy(scenery);
    if (size && (sscanf(size, "%dx%d", &job->width, &job->height) != 2 || job->width % 2 || job->height % 2))
        return cp_fail(error, CP_ERR_INVALID, "render", "--size is WIDTHxHEIGHT, both even: 1920x1080");
    if (!presenter)
        return 0;
    json_t *several = json_array();
    for (const char *at = presenter; *at;) {
        size_t length = strcspn(at, ",");
        if (length > 255)
            return cp_fail(error, CP_ERR_LIMIT, "render",
                           "a presenter's name or path may have 255 bytes at most");
        json_array_append_new(several, json_stringn(at, length));
        at += length + (at[length] == ',');
    }
    json_object_set_new(job->stage, "presenters", several);
    if (json_array_size(several) > CP_SCENE_PRESENTERS)
        return cp_fail(error, CP_ERR_INVALID, "render", "two presenters at most");
    return 0;
}

/* Takes the command's own flags out of argv; the rest is options. */
static int read_flags(struct job *job, int *argc, char **argv, struct cp_error *error)
{
    const char *text = NULL, *ssml = NULL, *rundown = NULL, *voice = NULL, *camera = NULL, *emotion = NULL;
    const char *presenter = NULL, *set = NULL, *size = NULL, *light = NULL, *background = NULL;
    const char *style = NULL;
    struct {
        const char *flag, **value;
    } own[] = {{"--text", &text},       {"--ssml", &ssml},
               {"--rundown", &rundown}, {"--voice", &voice},
               {"--camera", &camera},   {"--emotion", &emotion},
               {"-o", &job->output},    {"--presenter", &presenter},
               {"--set", &set},         {"--size", &size},
               {"--light", &light},     {"--background", &background},
               {"--style", &style},     {"--music", &job->music_path}};
    int left = 0;
    for (int i = 0; i < *argc; i++) {
        size_t k = 0;
        while (k < sizeof own / sizeof own[0] && strcmp(argv[i], own[k].flag))
            k++;
        if (k < sizeof own / sizeof own[0] && i + 1 < *argc)
            *own[k].value = argv[++i];
        else
            argv[left++] = argv[i];
    }
    *argc = left;
    char path[256] = ""; /* a file here is told from an id by a slash */
    if (background)
        snprintf(path, sizeof path, "%s%s", strchr("#/.", background[0]) ? "" : "./", background);
    json_t *scenery =
        json_pack("{s:s, s:s, s:s}", "set", set ? set : "", "light", light ? light : "", "background", path);
    int result = read_stage(job, presenter, scenery, size, error);
    json_decref(scenery);
    if (result)
        return result;
    if (!job->output || !text + !ssml + !rundown != 2)
        return cp_fail(
            error, CP_ERR_INVALID, "render",
            "usage: compere render (--text T | --ssml FILE | --rundown FILE.json) [--presenter P] [--voice "
            "V] "
            "[--set S] [--light L] [--background FILE|#rrggbb] [--camera C] [--emotion E] [--style news] "
            "[--music "
            "FILE] [--size 1920x1080] "
            "-o out.mp4 (or out.png: pictures with alpha, and out.wav); P is a presenter, "
            "the path of an avatar's file, or two of them with a comma between");
    if (rundown)
        return read_rundown(job, rundown, error);
    char *markup = ssml ? read_text_file(ssml, error) : NULL;
    if (ssml && !markup)
        return CP_ERR_IO;
    json_t *cue = json_pack("{s:s}", ssml ? "ssml" : "text", ssml ? markup : text);
    free(markup);
    if (!cue)
        return cp_fail(error, CP_ERR_INVALID, "render", "the text is not UTF-8");
    if (voice)
        json_object_set_new(cue, "voice", json_string(voice));
    if (style)
        json_object_set_new(cue, "style", json_string(style));
    if (camera)
        json_object_set_new(cue, "camera", json_string(camera));
    if (emotion)
        json_object_set_new(cue, "emotion", json_string(emotion));
    job->cues = json_array();
    json_array_append_new(job->cues, cue);
    return 0;
}

/* --- the voice --- */

static void on_utterance(void *user, struct cp_utterance *utterance)
{
    struct job *job = user;
    struct spoken_line *line = &job->lines[job->n_lines];
    if (line->n == line->capacity) {
        int capacity = line->capacity ? 2 * line->capacity : 16;
        struct cp_utterance **more = realloc(line->utterances, (size_t)capacity * sizeof(void *));
        if (!more)
            return;
        line->utterances = more;
        line->capacity = capacity;
    }
    line->utterances[line->n++] = cp_ref_take(utterance);
    line->frames += (utterance->n_samples + CP_SAMPLES_PER_FRAME - 1) / CP_SAMPLES_PER_FRAME;
}

static void on_spoken(void *user, int result, const struct cp_error *error)
{
    struct job *job = user;
    pthread_mutex_lock(&job->lock);
    job->result = result;
    if (result)
        job->error = *error;
    job->line_done = true;
    pthread_cond_signal(&job->spoken);
    pthread_mutex_unlock(&job->lock);
}

static int speak_all(struct job *job, struct cp_error *error)
{
    static const struct cp_speech_events EVENTS = {.utterance = on_utterance, .done = on_spoken};
    size_t i;
    json_t *cue;
    int result = cp_speech_create(&job->config.speech, &job->speech, error);
    json_array_foreach(job->cues, i, cue)
    {
        struct cp_speech_request request = cp_api_speech_request(cue, NULL);
        struct cp_error cause = {.text = ""};
        uint64_t ticket;
        job->line_done = false;
        if (!result && !(result = cp_speech_say(job->speech, &request, &EVENTS, job, &ticket, &cause))) {
            pthread_mutex_lock(&job->lock);
            while (!job->line_done)
                pthread_cond_wait(&job->spoken, &job->lock);
            result = job->result;
            cause = job->error;
            pthread_mutex_unlock(&job->lock);
        }
        if (result && *cause.text)
            return cp_fail(error, cause.code, "render", "line %zu: %s", i + 1, cause.text);
        job->lines[job->n_lines].cue = cue;
        job->frames_total += LEAD_FRAMES + job->lines[job->n_lines++].frames;
    }
    job->frames_total += TAIL_FRAMES;
    return result;
}

/* --- encoding --- */

static void on_packet(void *user, struct cp_packet *packet)
{
    struct job *job = user;
    if (!atomic_load(&job->write_result))
        atomic_store(&job->write_result, cp_record_write(job->file, packet, &job->write_error));
}

static void free_frame(void *item)
{
    struct frame *frame = item;
    cp_ref_drop(frame->picture);
    cp_cutout_destroy(frame->cutout);
    free(frame);
}

static int encode_frame(struct job *job, const struct frame *frame, int64_t at_samples,
                        struct cp_error *error)
{
    struct cp_stamps stamps = {{0}};
    if (job->series)
        return cp_series_write(job->series, frame->picture->frame, frame->cutout, frame->pcm, error);
    int result = cp_venc_encode(job->venc, frame->picture, 0, error);
    return result ? result
                  : cp_aenc_encode(job->aac, frame->pcm, CP_SAMPLES_PER_FRAME, at_samples, 0, &stamps, error);
}

static void *run_encoder(void *arg)
{
    struct job *job = arg;
    int64_t end_samples = 0;
    for (struct frame *frame; (frame = cp_queue_pop(job->to_encode, INT64_MAX));) {
        struct cp_error error;
        int64_t at_samples = frame->picture->frame * CP_SAMPLES_PER_FRAME;
        int result = encode_frame(job, frame, at_samples, &error);
        if (result && !atomic_load(&job->write_result)) {
            job->write_error = error;
            atomic_store(&job->write_result, result);
        }
        end_samples = at_samples + CP_SAMPLES_PER_FRAME;
        free_frame(frame);
    }
    if (!job->aac)
        return NULL;
    /* AAC holds back some 64 ms: silence pushes the last of the sound out. */
    static const int16_t SILENCE[2 * CP_SAMPLES_PER_FRAME];
    struct cp_stamps stamps = {{0}};
    cp_aenc_encode(job->aac, SILENCE, 2 * CP_SAMPLES_PER_FRAME, end_samples, 0, &stamps, NULL);
    return NULL;
}

/* --- drawing --- */

static void show_progress(const struct job *job, int64_t frame, int64_t started_ns, bool last)
{
    enum { WIDTH = 32 };
    static int64_t told;
    double elapsed_s = (double)(cp_clock_now_ns() - started_ns) / 1e9,
           share = (double)frame / (double)job->frames_total;
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

static const char *text_or_empty(const struct spoken_line *line, const char *field)
{
    const char *text = line ? json_string_value(json_object_get(line->cue, field)) : NULL;
    return text ? text : "";
}

/* What the presenter does in a frame of the line: its sound is copied to pcm. `*place` and `*offset` walk
 * through the line's utterances. */
static void fill_moment(const struct spoken_line *line, int *place, int32_t *offset, int64_t frame,
                        struct cp_moment *ret_moment, int16_t *pcm)
{
    const char *emotion = line ? json_string_value(json_object_get(line->cue, "emotion")) : NULL;
    const char *camera = line ? json_string_value(json_object_get(line->cue, "camera")) : NULL;
    const char *action = line ? json_string_value(json_object_get(line->cue, "action")) : NULL;
    memset(ret_moment, 0, sizeof *ret_moment);
    memset(pcm, 0, CP_SAMPLES_PER_FRAME * sizeof *pcm);
    ret_moment->at_samples = frame * CP_SAMPLES_PER_FRAME;
    ret_moment->attention = CP_ATTENTION_IDLE;
    ret_moment->gain = 1;
    ret_moment->emotion = emotion ? cp_emotion_from_name(emotion) : CP_EMOTION_NEUTRAL;
    ret_moment->emotion_intensity = 1;
    const char *presenter = line ? json_string_value(json_object_get(line->cue, "presenter")) : NULL;
    snprintf(ret_moment->presenter, sizeof ret_moment->presenter, "%s", presenter ? presenter : "");
    ret_moment->look = cp_look_from_name(text_or_empty(line, "look"));
    ret_moment->camera_move_s =
        line ? (float)json_number_value(json_object_get(line->cue, "camera_move_s")) : 0;
    snprintf(ret_moment->camera, sizeof ret_moment->camera, "%s", camera ? camera : "");
    if (!line || *place >= line->n)
        return;
    const struct cp_utterance *utterance = line->utterances[*place];
    int32_t left = utterance->n_samples - *offset,
            n = left < CP_SAMPLES_PER_FRAME ? left : CP_SAMPLES_PER_FRAME;
    ret_moment->attention = CP_ATTENTION_SPEAKING;
    ret_moment->utterance = utterance;
    ret_moment->offset_samples = *offset;
    ret_moment->card = line->card;
    if (!*place && !*offset)
        snprintf(ret_moment->action, sizeof ret_moment->action, "%s", action ? action : "");
    memcpy(pcm, utterance->pcm + *offset, (size_t)n * sizeof *pcm);
    *offset += n;
    if (*offset >= utterance->n_samples) {
        *offset = 0;
        ++*place;
    }
}

/* Music under a frame's voice; behind the last line it fades out. */
static void add_music(struct job *job, const struct spoken_line *line, int64_t frames_to_word, int16_t *pcm)
{
    const struct cp_music_levels usual = {.volume_db = -18, .duck_db = -12};
    int32_t speech_in = line ? (int32_t)frames_to_word * CP_SAMPLES_PER_FRAME : -1;
    if (job->music)
        cp_music_mix(&job->mixer, line ? job->music : NULL, usual, speech_in, pcm, CP_SAMPLES_PER_FRAME);
}

static int draw_frame(struct job *job, const struct cp_moment *moment, struct frame *frame, int64_t number)
{
    cp_perform(&job->performer, job->scene, moment, "");
    while (!(frame->picture = cp_picture_get(job->pictures, job->width, job->height)) &&
           !atomic_load(&job->write_result))
        cp_clock_sleep_until_ns(cp_clock_now_ns() + CP_NS_PER_MS); /* the encoder is behind */
    if (!frame->picture)
        return atomic_load(&job->write_result);
    frame->picture->frame = number;
    if (job->series && !(frame->cutout = cp_cutout_create(job->width, job->height)))
        return CP_ERR_NOMEM;
    cp_perform_draw(&job->performer, frame->picture, frame->cutout);
    return 0;
}

static int draw_all(struct job *job)
{
    int64_t started_ns = cp_clock_now_ns(), shown_ns = 0, number = 0;
    for (int l = 0; l <= job->n_lines; l++) {
        struct spoken_line *line = l < job->n_lines ? &job->lines[l] : NULL;
        if (line) {
            cp_show_card_of(job->stage, line->cue, &line->card);
            cp_cards_prepare(job->performer.cards, &line->card);
            cp_cards_wait(job->performer.cards);
        }
        int place = 0;
        int32_t offset = 0;
        int64_t lead = line ? LEAD_FRAMES : TAIL_FRAMES, frames = lead + (line ? line->frames : 0);
        for (int64_t f = 0; f < frames; f++, number++) {
            struct frame *frame = calloc(1, sizeof *frame);
            struct cp_moment moment;
            int past = line ? line->n : 0;
            if (!frame)
                break;
            fill_moment(line, f < lead ? &past : &place, &offset, number, &moment, frame->pcm);
            add_music(job, line, f < lead ? lead - f : 0, frame->pcm);
            if (draw_frame(job, &moment, frame, number) || !cp_queue_push(job->to_encode, frame)) {
                free_frame(frame);
                return atomic_load(&job->write_result);
            }
            if (cp_clock_now_ns() - shown_ns > CP_NS_PER_S / 5) {
                shown_ns = cp_clock_now_ns();
                show_progress(job, number + 1, started_ns, false);
            }
        }
    }
    show_progress(job, number, started_ns, true);
    return 0;
}

/* --- the whole --- */

static int open_music(struct job *job, struct cp_error *error)
{
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES);
    FILE *file = fopen(job->music_path, "rb");
    if (!file)
        return cp_fail(error, CP_ERR_IO, "render", "cannot read %s: %s", job->music_path, strerror(errno));
    for (size_t n = 1; n > 0;) {
        uint8_t *to = cp_buffer_reserve(&bytes, 65536);
        n = to ? fread(to, 1, 65536, file) : 0;
        bytes.length += n;
    }
    fclose(file);
    int result = bytes.failed ? cp_fail(error, CP_ERR_LIMIT, "render", "%s is larger than %d MB",
                                        job->music_path, CP_ASSET_MAX_BYTES >> 20)
                              : cp_music_open(bytes.data, bytes.length, job->config.speech.loudness_lufs,
                                              &job->music, error);
    cp_buffer_free(&bytes);
    return result;
}

static bool is_series(const char *output)
{
    size_t length = strlen(output);
    return length > 4 && !strcmp(output + length - 4, ".png");
}

static int open_film(struct job *job, struct cp_error *error)
{
    uint8_t extradata[16];
    int width = job->width, height = job->height;
    int result = cp_venc_create(&job->config.encode, width, height, on_packet, job, &job->venc, error);
    if (!result)
        result = cp_aenc_create(&job->config.encode, CP_CODEC_AAC, on_packet, job, &job->aac, error);
    if (!result)
        result = cp_record_open(job->output, width, height, extradata,
                                cp_aenc_extradata(job->aac, extradata, sizeof extradata), &job->file, error);
    return result;
}

static int make_stages(struct job *job, struct cp_error *error)
{
    struct cp_scene_plan plan;
    char first[40];
    if (!job->width) {
        job->width = (int)job->config.channel.width & ~1;
        job->height = (int)job->config.channel.height & ~1;
    }
    int width = job->width, height = job->height;
    job->troupe.config = &job->config;
    cp_app_first_presenter(&job->config, first, sizeof first);
    cp_scene_plan_of(job->stage, NULL, first, width, height, &plan);
    int result = cp_scene_make(&job->troupe, &plan, &job->scene, error);
    if (!result)
        result = cp_cards_create(NULL, NULL, "render", width, height, &job->performer.cards, error);
    if (!result)
        result =
            is_series(job->output) ? cp_series_open(job->output, &job->series, error) : open_film(job, error);
    job->pictures = cp_picture_pool_create(width, height, PICTURES);
    job->to_encode = cp_queue_create("encode", PICTURES, CP_FULL_WAIT, free_frame);
    if (!result && (!job->pictures || !job->to_encode))
        result = cp_fail(error, CP_ERR_NOMEM, "render", "out of memory");
    return result;
}

static int render_all(struct job *job, struct cp_error *error)
{
    int result = job->music_path ? open_music(job, error) : 0;
    if (!result)
        result = speak_all(job, error);
    if (!result)
        result = make_stages(job, error);
    if (!result && cp_thread_start(&job->encoder, "main.encode", run_encoder, job))
        result = cp_fail(error, CP_ERR_NOMEM, "render", "cannot start a thread");
    if (result)
        return result;
    draw_all(job);
    cp_queue_close(job->to_encode);
    pthread_join(job->encoder, NULL);
    result = atomic_load(&job->write_result);
    if (result)
        *error = job->write_error;
    struct cp_record_file *file = job->file;
    struct cp_series *series = job->series;
    job->file = NULL;
    job->series = NULL;
    int closed = cp_record_close(file, result ? NULL : error);
    if (!closed)
        closed = cp_series_close(series, result ? NULL : error);
    return result ? result : closed;
}

static void free_job(struct job *job)
{
    cp_speech_destroy(job->speech);
    for (int i = 0; i < job->n_lines; i++) {
        for (int k = 0; k < job->lines[i].n; k++)
            cp_ref_drop(job->lines[i].utterances[k]);
        free(job->lines[i].utterances);
    }
    cp_queue_destroy(job->to_encode);
    cp_venc_destroy(job->venc);
    cp_aenc_destroy(job->aac);
    cp_record_close(job->file, NULL);
    cp_series_close(job->series, NULL);
    cp_cards_destroy(job->performer.cards);
    cp_scene_destroy(&job->troupe, job->scene);
    json_decref(job->stage);
    cp_pool_destroy(job->pictures);
    cp_ref_drop(job->music);
    json_decref(job->cues);
    free(job);
}

int cp_cmd_render(int argc, char **argv)
{
    struct cp_error error = {.text = ""};
    struct job *job = calloc(1, sizeof *job);
    int left = 0;
    if (!job)
        return 1;
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->spoken, NULL);
    bool help = argc > 0 && !strcmp(argv[0], "--help");
    int result = help ? 0 : read_flags(job, &argc, argv, &error);
    if (!result)
        result = cp_app_configure(&job->config, argc, argv, &left, &error);
    if (!result && left)
        result = cp_fail(&error, CP_ERR_INVALID, "render", "\"%s\" is not an option; see --help", argv[0]);
    if (!result)
        result = render_all(job, &error);
    if (result)
        fprintf(stderr, "compere: %s\n", error.text);
    else
        fprintf(stderr, "%s: %.1f s\n", job->output, (double)job->frames_total / CP_FRAME_HZ);
    free_job(job);
    return result == CP_ERR_INVALID ? 2 : result ? 1 : 0;
}
