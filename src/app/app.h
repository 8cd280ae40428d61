/*
 * The app: the one place that knows every stage, and wires them.
 *
 *   api_*.c    what each HTTP route does          onair.c    the way of a frame: one channel's threads
 *   server.c   serve and demo: start, stop         library*.c finished speech -> stored voice files
 *   cmd_*.c    the other commands                  options.c  all modules' options, config file, flags
 */
#ifndef CP_APP_H
#define CP_APP_H

#include "answers/answers.h"
#include "answers/llm/llm.h"
#include "answers/moderation.h"
#include "app/desk/knowledge.h"
#include "app/lexicons.h"
#include "app/motions.h"
#include "avatar/avatar.h"
#include "base/config.h"
#include "deliver/hls/hls.h"
#include "deliver/push/push.h"
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
    int64_t keep_s;    /* how long a voice file is kept */
    int64_t orphans_s; /* between looks for halves of voice files; 0: never */
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
    struct cp_answers_config answers;
    struct cp_llm_config llm;
    struct cp_moderation_config moderation;
    struct cp_show_config show;
    struct cp_speech_config speech;
    struct cp_render_config render;
    struct cp_encode_config encode;
    struct cp_channel_config channel;
    struct cp_library_config library;
};

struct cp_access;
struct cp_onair;
struct cp_library;
struct cp_recordings;

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
    struct cp_access *access;
    struct cp_library *library;
    struct cp_recordings *recordings;
    struct cp_answers *answers;
    struct cp_knowledge *knowledge;
    struct cp_audience *audience;
    struct cp_answering *answering; /* NULL without a language model */
    struct cp_deadlines *deadlines;
    struct cp_fetching *fetching;
    struct cp_assets *assets;
    struct cp_motions *motions;
    /* One change of an output at a time: its record and its connection agree. */
    pthread_mutex_t outputs_lock;
    struct cp_lexicons *lexicons;
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

/* A presenter is one of the cast ("ava", or "ava--evening" for a variant of hers), an uploaded avatar
 * ("avt_..."), or, for who renders on their own machine, the path of a file. "" gives the first of the cast.
 */
int cp_app_load_presenter(const struct cp_app_config *config, struct cp_store *store, const char *id,
                          struct cp_model **ret_model, struct cp_error *error);
/* CP_ERR_NOT_FOUND when there is none of that id. Paths are not looked for. */
int cp_app_find_presenter(const struct cp_app_config *config, struct cp_store *store, const char *id,
                          struct cp_error *error);
void cp_app_first_presenter(const struct cp_app_config *config, char *ret_id, size_t capacity);
/* The cast with their variants, then the uploaded avatars. */
json_t *cp_app_list_presenters(const struct cp_app_config *config, struct cp_store *store);
/* The voice that suits a presenter; "" when there is no saying. */
const char *cp_app_voice_of(const char *presenter);

/* --- assets.c: what was uploaded --- */

enum cp_asset_kind { CP_ASSET_UNSET, CP_ASSET_AVATAR, CP_ASSET_MEDIA, CP_ASSET_MOTION };
#define CP_ASSET_MAX_BYTES     (64 << 20)
#define CP_RECORDING_MAX_BYTES (32 << 20) /* of a person's voice */

struct cp_assets;
/* Looking through uploads and drawing portraits is slow, and done on a thread of its own, "assets". */
int cp_assets_create(struct cp_app *app, struct cp_assets **ret_assets, struct cp_error *error);
void cp_assets_destroy(struct cp_assets *assets);
/* Answers the request, which is held: 201 with the record, or 422 with the reason. */
void cp_assets_upload(struct cp_assets *assets, enum cp_asset_kind kind, const char *name,
                      struct cp_request *request);
/* Answers with a small picture of the presenter. */
void cp_assets_portrait(struct cp_assets *assets, const char *presenter, struct cp_request *request);
/* Answers with a small picture of an uploaded picture or video, which is kept when it was made once. */
void cp_assets_thumbnail(struct cp_assets *assets, const char *id, struct cp_request *request);
int cp_asset_get(struct cp_store *store, enum cp_asset_kind kind, const char *id, json_t **ret_asset,
                 struct cp_error *error);
int cp_asset_list(struct cp_store *store, enum cp_asset_kind kind, json_t **ret_list, struct cp_error *error);
/* CP_ERR_EXISTS while a channel names it. */
int cp_asset_delete(struct cp_app *app, enum cp_asset_kind kind, const char *id, struct cp_error *error);
/* Appends its bytes. ret_type may be NULL, else holds 64 bytes. */
int cp_asset_read(struct cp_store *store, enum cp_asset_kind kind, const char *id, struct cp_buffer *out,
                  char *ret_type, struct cp_error *error);

/* --- onair.c: one channel's way from the show to the viewers --- */

int cp_onair_start(struct cp_app *app, const char *channel, struct cp_error *error);
void cp_onair_stop(struct cp_app *app, const char *channel);
void cp_onair_stop_all(struct cp_app *app);

/* The channel's way, held until cp_onair_release; NULL when it is not on air. */
struct cp_onair *cp_onair_hold(struct cp_app *app, const char *channel);
void cp_onair_release(struct cp_onair *onair);

struct cp_webrtc_stream *cp_onair_stream(struct cp_onair *onair);
struct cp_hls *cp_onair_hls(struct cp_onair *onair);
struct cp_push *cp_onair_push(struct cp_onair *onair);
void cp_onair_size(const struct cp_onair *onair, int *ret_width, int *ret_height);
json_t *cp_onair_stats(struct cp_onair *onair);
/* Brings the channel's gauges up to date, before the metrics are written. */
void cp_onair_collect(struct cp_onair *onair);
/* The last picture as PNG; waits at most 200 ms for one. */
int cp_onair_snapshot(struct cp_onair *onair, struct cp_buffer *out, struct cp_error *error);
/* The next frame without what is behind the presenters, as PNG with alpha; waits at most half a second. */
int cp_onair_cut_out(struct cp_onair *onair, struct cp_buffer *out, struct cp_error *error);
/* Whether the channel as given would stand on another stage than now. */
bool cp_onair_needs_stage(struct cp_onair *onair, const json_t *channel);
/* Makes that stage, then applies the changes to the channel and answers the request, which is held. The show
 * goes on meanwhile. */
void cp_onair_change(struct cp_onair *onair, const json_t *channel, const json_t *changes,
                     struct cp_request *request);
/* The music that the channel names, from now on: loaded beside, faded over. Any thread but draw. */
void cp_onair_set_music(struct cp_onair *onair, const json_t *channel);
/* Whether who plays the channel needs a token ("access": "token"), from now on. */
void cp_onair_set_access(struct cp_onair *onair, const json_t *channel);
bool cp_onair_is_guarded(const struct cp_onair *onair);
/* What the captions' language is called: the channel's, or its voice's. */
void cp_onair_set_language(struct cp_onair *onair, const json_t *channel);
/* The framing used while no cue names one. */
void cp_onair_set_camera(struct cp_onair *onair, const char *camera);

/* --- outputs.c: where a channel is pushed to --- */

/* Makes (id NULL) or changes an output; ret_output is its JSON for people, without secrets. */
int cp_outputs_put(struct cp_app *app, const char *channel, const char *id, const json_t *fields,
                   json_t **ret_output, struct cp_error *error);
int cp_outputs_get(struct cp_app *app, const char *channel, const char *id, json_t **ret_output,
                   struct cp_error *error);
int cp_outputs_list(struct cp_app *app, const char *channel, json_t **ret_list, struct cp_error *error);
int cp_outputs_delete(struct cp_app *app, const char *channel, const char *id, struct cp_error *error);
/* Whether the channel's enabled outputs would take a picture of this size; CP_ERR_INVALID names the first
 * that would not. */
int cp_outputs_check_size(struct cp_app *app, const char *channel, int width, int height,
                          struct cp_error *error);
/* The channel is gone, and its outputs' records go too. */
void cp_outputs_forget(struct cp_app *app, const char *channel);
/* The channel comes on air: dials all that are enabled. What cannot be dialled is logged. */
void cp_outputs_start(struct cp_app *app, const char *channel, struct cp_push *push);
void cp_outputs_collect(struct cp_app *app, const char *channel, struct cp_push *push);
/* An output's state changed. thread: push */
void cp_outputs_tell(struct cp_app *app, const char *channel, const char *id,
                     const struct cp_push_status *status);

/* --- recordings/: the channels' streams, kept --- */

struct cp_recording_wish {
    const char *title;
    int64_t keep_s; /* from its start: then all of it expires */
    int64_t max_s;  /* then it ends by itself; at most keep_s */
};

int cp_recordings_create(struct cp_app *app, struct cp_recordings **ret_recordings, struct cp_error *error);
/* Breaks off downloads and takes no more; before the gateway waits for its answers. */
void cp_recordings_close(struct cp_recordings *recordings);
/* After the channels left the air, before the gateway. */
void cp_recordings_destroy(struct cp_recordings *recordings);
/* From now on the channel is recorded. CP_ERR_EXISTS: it is already; CP_ERR_UNAVAILABLE: not on air. Blocks.
 */
int cp_recordings_start(struct cp_recordings *recordings, const char *channel,
                        const struct cp_recording_wish *wish, json_t **ret_recording, struct cp_error *error);
/* Ends it when it still runs. Blocks for a write or two. */
int cp_recordings_stop(struct cp_recordings *recordings, const char *id, json_t **ret_recording,
                       struct cp_error *error);
/* The channel leaves the air: what records it ends. Before its stream is destroyed. */
void cp_recordings_leave(struct cp_recordings *recordings, const char *channel);
/* A cue or a rundown line (cue "") begins on air; the recording of its channel, if any, names it. Any thread;
 * does not wait for a store. */
void cp_recordings_mark(struct cp_recordings *recordings, const char *channel, const char *cue,
                        const char *text, int64_t at_samples);
int cp_recordings_get(struct cp_recordings *recordings, const char *id, json_t **ret_recording,
                      struct cp_error *error);
/* The newest first, without their items: {"recordings": [...], "cursor": "..."}. */
int cp_recordings_list(struct cp_recordings *recordings, const char *channel, const char *cursor, int limit,
                       json_t **ret_list, struct cp_error *error);
int cp_recordings_delete(struct cp_recordings *recordings, const char *id, struct cp_error *error);
void cp_recordings_collect(struct cp_recordings *recordings);

/* --- library/: voice files --- */

int cp_library_create(struct cp_app *app, struct cp_library **ret_library, struct cp_error *error);
/* Finishes what waits and takes no more; before the voices go. */
void cp_library_close(struct cp_library *library);
void cp_library_destroy(struct cp_library *library);
/* Keeps what a cue said. Takes references; never waits: when the queue is full it is counted and left out. */
void cp_library_keep_cue(struct cp_library *library, const char *channel, const json_t *cue,
                         struct cp_utterance *const *utterances, int n);
/* POST /v1/speech: speaks, keeps, and answers the held request. */
void cp_library_speak(struct cp_library *library, struct cp_request *request);
/* POST /v1/speech/recordings: reads the sound in the body, marks and keeps it, and answers the held request.
 */
void cp_library_record(struct cp_library *library, struct cp_request *request);
/* Says a voice file on air: its sentences from the first'th on, at most `max` (0: all), go to the show's job.
 * CP_ERR_BUSY: try again soon. thread: show */
int cp_library_replay(struct cp_library *library, const char *id, uint64_t job, int first, int max,
                      struct cp_error *error);
int cp_library_get(struct cp_library *library, const char *id, json_t **ret_speech, struct cp_error *error);
/* The newest first; any filter may be NULL. The list is {"speech": [...], "cursor": "..."}. */
struct cp_library_filter {
    const char *channel, *cue, *voice, *text_sha256, *cursor;
    int limit; /* 1..200 */
};
int cp_library_list(struct cp_library *library, const struct cp_library_filter *filter, json_t **ret_list,
                    struct cp_error *error);
/* These answer the request, which is held meanwhile. */
void cp_library_delete(struct cp_library *library, const char *id, struct cp_request *request);
/* format: a name of sound_file.h, or NULL for what the Accept header wants. Honours Range. */
void cp_library_reply_audio(struct cp_library *library, const char *id, const char *format,
                            struct cp_request *request);
void cp_library_reply_marks(struct cp_library *library, const char *id, struct cp_request *request);
/* A URL under which anybody may GET the sound for so long; `direct`: from the object store itself.
 * {"url", "format", "expires_at"}. */
int cp_library_sign(struct cp_library *library, const char *id, const char *format, int64_t expires_s,
                    bool direct, json_t **ret_url, struct cp_error *error);
/* Whether the signature is ours for this file and still good. Compares in constant time. */
bool cp_library_may_read(const struct cp_library *library, const char *id, const char *format,
                         const char *expires, const char *signature);

/* --- api.c --- */

extern const struct cp_route cp_api_routes[];
extern const size_t cp_api_n_routes;

/* CP_ERR_NOT_FOUND when there is no channel of this name. */
int cp_api_check_channel(const struct cp_app *app, const char *channel, struct cp_error *error);

/* --- wording.c --- */

/* A speech request made of a cue's or speech body's JSON (strings borrowed). */
struct cp_speech_request cp_app_speech_request(const json_t *spec, const json_t *channel);
/* Puts {"warnings":[...]} into the JSON of a cue or speech; takes it out when there is none. */
void cp_app_set_warnings(json_t *object, const struct cp_warnings *warnings);

/* check.c: everything that can be known to be wrong with a cue or a channel before it is accepted. */
/* ret_warnings may be NULL: what the line's SSML asks for and does not get. */
int cp_app_check_cue(struct cp_app *app, const json_t *cue, const json_t *channel,
                     struct cp_warnings *ret_warnings, struct cp_error *error);
int cp_app_check_channel(struct cp_app *app, const json_t *channel, struct cp_error *error);

/* --- commands: each takes what is left of argv after its name, and returns the exit status --- */

int cp_cmd_serve(int argc, char **argv, bool demo);
int cp_cmd_render(int argc, char **argv);
int cp_cmd_say(int argc, char **argv);
int cp_cmd_key(int argc, char **argv);
int cp_cmd_store(int argc, char **argv);
int cp_cmd_avatar(int argc, char **argv);
int cp_cmd_eval(int argc, char **argv);
int cp_cmd_doctor(int argc, char **argv);

#endif
