/*
 * The app: the one place that knows every stage, and wires them.
 *
 *   api_*.c    what each HTTP route does          onair.c    the way of a frame: one channel's threads
 *   server.c   serve and demo: start, stop         library.c  finished speech -> stored speech objects
 *   cmd_*.c    the other commands                  options.c  all modules' options, config file, flags
 */
#ifndef CP_APP_H
#define CP_APP_H

#include "avatar/avatar.h"
#include "base/config.h"
#include "deliver/hls/hls.h"
#include "deliver/webrtc/webrtc.h"
#include "encode/encode.h"
#include "gateway/gateway.h"
#include "observe/observe.h"
#include "render/render.h"
#include "show/show.h"
#include "speech/speech.h"
#include "store/store.h"

#include <pthread.h>

#define CP_MAX_ON_AIR 16

struct cp_channel_config {
    int64_t width, height;
    int64_t max_on_air;                    /* channels at once */
    char presenters[CP_OPTION_TEXT_BYTES]; /* directory of presenters' .glb files; "" finds it beside the
                                              program */
    bool test_code;                        /* draw a time code into the picture: for tests only */
};

struct cp_library_config {
    int64_t keep_s; /* how long a speech object is kept */
};

struct cp_log_config {
    char level[CP_OPTION_TEXT_BYTES], format[CP_OPTION_TEXT_BYTES];
};

struct cp_app_config {
    struct cp_log_config log;
    struct cp_gateway_config gateway;
    struct cp_webrtc_config webrtc;
    struct cp_hls_config hls;
    struct cp_store_config store;
    struct cp_show_config show;
    struct cp_speech_config speech;
    struct cp_render_config render;
    struct cp_encode_config encode;
    struct cp_channel_config channel;
    struct cp_library_config library;
};

struct cp_onair;
struct cp_library;

struct cp_app {
    struct cp_app_config config;
    bool demo;
    int64_t started_ns;
    char epoch[24]; /* of this run: goes into HLS file names */
    struct cp_observe *observe;
    struct cp_store *store;
    struct cp_speech *speech;
    struct cp_show *show;
    struct cp_webrtc *webrtc;
    struct cp_gateway *gateway;
    struct cp_library *library;
    pthread_rwlock_t on_air_lock; /* guards the table, not what it points to */
    struct cp_onair *on_air[CP_MAX_ON_AIR];
};

/* --- options.c --- */

/* Defaults, then the --config file, environment and flags of argv; what is not an option is left in
 * argv[0..*ret_argc). Short names: --listen, --webrtc, --data, --config. Prints help and exits on --help. */
int cp_app_configure(struct cp_app_config *config, int argc, char **argv, int *ret_argc,
                     struct cp_error *error);
void cp_app_print_options(void);

/* Where the program's own files lie: finds `name` beside the program, in the build tree, or where it was
 * installed. False when it is nowhere. */
bool cp_app_find_file(const char *name, char *ret_path, size_t capacity);

/* --- presenters --- */

/* Loads a presenter's model by id ("ava"); "" gives the first. The caller drops it. */
int cp_app_load_presenter(const struct cp_app_config *config, const char *id, struct cp_model **ret_model,
                          struct cp_error *error);
json_t *cp_app_list_presenters(const struct cp_app_config *config);

/* --- onair.c: one channel's way from the show to the viewers --- */

int cp_onair_start(struct cp_app *app, const char *channel, struct cp_error *error);
void cp_onair_stop(struct cp_app *app, const char *channel);
void cp_onair_stop_all(struct cp_app *app);

/* The channel's way, held until cp_onair_release; NULL when it is not on air. */
struct cp_onair *cp_onair_hold(struct cp_app *app, const char *channel);
void cp_onair_release(struct cp_onair *onair);

struct cp_webrtc_stream *cp_onair_stream(struct cp_onair *onair);
struct cp_hls *cp_onair_hls(struct cp_onair *onair);
json_t *cp_onair_stats(struct cp_onair *onair);
/* Brings the channel's gauges up to date, before the metrics are written. */
void cp_onair_collect(struct cp_onair *onair);
/* The last picture as PNG; waits at most 200 ms for one. */
int cp_onair_snapshot(struct cp_onair *onair, struct cp_buffer *out, struct cp_error *error);
/* The framing used while no cue names one. */
void cp_onair_set_camera(struct cp_onair *onair, const char *camera);

/* --- library.c: speech objects --- */

int cp_library_create(struct cp_app *app, struct cp_library **ret_library, struct cp_error *error);
void cp_library_destroy(struct cp_library *library);
/* Keeps what a cue said. Takes references; never waits: when the queue is full it is counted and left out. */
void cp_library_keep_cue(struct cp_library *library, const char *channel, const json_t *cue,
                         struct cp_utterance *const *utterances, int n);
/* POST /v1/speech: speaks, keeps, and answers the held request. */
void cp_library_speak(struct cp_library *library, struct cp_request *request);
int cp_library_get(struct cp_library *library, const char *id, json_t **ret_speech, struct cp_error *error);
int cp_library_delete(struct cp_library *library, const char *id, struct cp_error *error);
/* type: "audio/wav" or "audio/ogg". */
int cp_library_audio(struct cp_library *library, const char *id, const char *type, struct cp_buffer *out,
                     struct cp_error *error);
int cp_library_marks(struct cp_library *library, const char *id, struct cp_buffer *out,
                     struct cp_error *error);

/* --- api.c --- */

extern const struct cp_route cp_api_routes[];
extern const size_t cp_api_n_routes;

/* A speech request made of a cue's or speech body's JSON (strings borrowed). */
struct cp_speech_request cp_api_speech_request(const json_t *spec, const json_t *channel);

/* --- commands: each takes what is left of argv after its name, and returns the exit status --- */

int cp_cmd_serve(int argc, char **argv, bool demo);
int cp_cmd_render(int argc, char **argv);
int cp_cmd_say(int argc, char **argv);
int cp_cmd_key(int argc, char **argv);
int cp_cmd_avatar(int argc, char **argv);
int cp_cmd_doctor(int argc, char **argv);

#endif
