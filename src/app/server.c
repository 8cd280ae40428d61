/* `compere serve` and `compere demo`: the whole program, started and stopped in order. */
#include "app/access/access.h"
#include "app/app.h"
#include "app/desk/answering.h"
#include "app/desk/audience.h"
#include "app/desk/deadlines.h"
#include "app/desk/fetching.h"
#include "app/desk/questions.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEMO_CHANNEL "main"

/* --- between show and speech --- */

struct spoken_job { /* what the speech stage carries for the show */
    struct cp_app *app;
    uint64_t job;
};

static void on_utterance(void *user, struct cp_utterance *utterance)
{
    struct spoken_job *spoken = user;
    cp_show_spoken(spoken->app->show, spoken->job, utterance);
}

static void on_spoken(void *user, int result, const struct cp_error *error)
{
    struct spoken_job *spoken = user;
    cp_show_spoken_end(spoken->app->show, spoken->job, result, error);
    free(spoken);
}

static void on_failed_over(void *user, const char *from, const char *to, const struct cp_error *why)
{
    struct spoken_job *spoken = user;
    cp_gateway_publish(spoken->app->gateway, "voice.failover", "",
                       json_pack("{s:s, s:s, s:s}", "from", from, "to", to, "why", why->text));
}

static int say(void *user, const struct cp_show_line *line, uint64_t job, uint64_t *ret_ticket,
               struct cp_error *error)
{
    static const struct cp_speech_events EVENTS = {
        .utterance = on_utterance, .done = on_spoken, .failed_over = on_failed_over};
    struct cp_app *app = user;
    if (line->speech) {
        *ret_ticket = 0; /* over so soon that there is nothing to cancel */
        return cp_library_replay(app->library, line->speech, job, line->first_sentence, line->max_sentences,
                                 error);
    }
    struct cp_speech_request request = {.text = line->text,
                                        .ssml = line->ssml,
                                        .voice = line->voice,
                                        .language = line->language,
                                        .usual_voice = cp_app_voice_of(line->presenter),
                                        .rate = line->rate,
                                        .pitch = line->pitch,
                                        .volume = line->volume,
                                        .style = line->style,
                                        .first_sentence = line->first_sentence,
                                        .max_sentences = line->max_sentences,
                                        .priority = line->live ? CP_SPEECH_LIVE : CP_SPEECH_AHEAD,
                                        .canned = line->live};
    struct spoken_job *spoken = malloc(sizeof *spoken);
    if (!spoken)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    *spoken = (struct spoken_job){.app = app, .job = job};
    struct cp_lexicon *lexicon = cp_lexicons_hold(app->lexicons, line->channel);
    request.lexicon = lexicon;
    int result = cp_speech_say(app->speech, &request, &EVENTS, spoken, ret_ticket, error);
    cp_lexicon_drop(lexicon);
    if (result)
        free(spoken);
    return result;
}

static void cancel(void *user, uint64_t ticket)
{
    cp_speech_cancel(((struct cp_app *)user)->speech, ticket);
}

static void on_cue_changed(void *user, const char *channel, json_t *cue)
{
    json_t *shown = json_deep_copy(cue);
    json_object_del(shown, "asked_ns");
    cp_gateway_publish(((struct cp_app *)user)->gateway, "cue", channel, shown);
    cp_question_cue_changed(user, channel, cue);
}

static void on_performed(void *user, const char *channel, json_t *cue, struct cp_utterance *const *utterances,
                         int n)
{
    cp_library_keep_cue(((struct cp_app *)user)->library, channel, cue, utterances, n);
}

/* --- the demo --- */

static const char DEMO_CHANNEL_JSON[] =
    "{\"id\":\"main\",\"title\":\"Compere demo\",\"camera\":\"medium\",\"rundown\":{\"loop\":true,\"cues\":["
    "{\"text\":\"Hello, and welcome to the show! I am your host, and I live entirely inside one small "
    "program.\","
    "\"emotion\":\"happy\",\"camera\":\"medium\",\"action\":\"nod\",\"card\":\"Welcome to Compere\"},"
    "{\"text\":\"Every picture you see is drawn on an ordinary processor. There is no graphics card in this "
    "machine, and none is needed.\",\"emotion\":\"warm\",\"camera\":\"close\"},"
    "{\"text\":\"Open the studio, type a line, and I will say it on air before you can blink. Well, before I "
    "can "
    "blink.\",\"emotion\":\"warm\",\"camera\":\"medium\",\"card\":\"Type a line in the studio\"},"
    "{\"text\":\"If you interrupt me, I do not mind at all. When you have had your say, I simply go on where "
    "I "
    "stopped.\",\"emotion\":\"neutral\",\"camera\":\"wide\"},"
    "{\"text\":\"Thank you for watching. Stay with us: the show goes on, and on, and "
    "on.\",\"emotion\":\"happy\","
    "\"camera\":\"medium\"}]}}";

static int make_demo_channel(struct cp_app *app, struct cp_error *error)
{
    json_t *channel;
    if (!cp_show_channel_get(app->show, DEMO_CHANNEL, &channel, NULL)) {
        json_decref(channel);
        return 0;
    }
    json_t *spec = json_loads(DEMO_CHANNEL_JSON, 0, NULL);
    int result = cp_show_channel_create(app->show, spec, &channel, error);
    json_decref(spec);
    if (!result)
        json_decref(channel);
    return result;
}

/* The admin key of the demo: made once, readable by its owner only. */
static int make_admin_key(struct cp_app *app, char *ret_path, size_t capacity, struct cp_error *error)
{
    char key[CP_KEY_BYTES], id[40];
    snprintf(ret_path, capacity, "%s/admin.key", app->config.store.directory);
    if (!access(ret_path, R_OK))
        return 0;
    int result = cp_key_create(app->store, CP_ROLE_ADMIN, "demo", key, id, error);
    if (result)
        return result;
    int fd = open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && dprintf(fd, "%s\n", key) > 0;
    if (fd >= 0)
        written = !close(fd) && written;
    return written ? 0
                   : cp_fail(error, CP_ERR_IO, "app", "cannot write the admin key to %s: %s", ret_path,
                             strerror(errno));
}

static void print_welcome(const struct cp_app *app, const char *key_path)
{
    char host[CP_OPTION_TEXT_BYTES];
    snprintf(host, sizeof host, "%s", app->config.gateway.listen);
    *strrchr(host, ':') = 0;
    int port = cp_gateway_port(app->gateway);
    printf("\n  Compere " CP_VERSION " is on air.\n\n"
           "    Watch     http://%s:%d/\n"
           "    Studio    http://%s:%d/studio/\n"
           "    Key       %s  (admin; sign in to the studio with its contents)\n\n"
           "  Say something:  compere say \"Good evening\"      Stop: Ctrl-C\n\n",
           host, port, host, port, key_path);
    FILE *file = fopen(key_path, "r");
    char key[CP_KEY_BYTES + 2];
    if (file && isatty(STDOUT_FILENO) && fgets(key, sizeof key, file))
        printf("    %s\n", key);
    if (file)
        fclose(file);
    fflush(stdout);
}

/* --- start and stop --- */

static void stop(struct cp_app *app)
{
    /* First nobody new comes in; then what is under way is answered; then the stages go, the last of the line
     * first. */
    cp_recordings_close(app->recordings);
    if (app->gateway)
        cp_gateway_drain(app->gateway);
    cp_deadlines_destroy(app->deadlines); /* these three still ask the show ... */
    cp_audience_destroy(app->audience);   /* ... and this one, with what it puts on the desk, the next */
    cp_answering_destroy(app->answering);
    cp_onair_stop_all(app);
    cp_show_destroy(app->show);
    cp_library_close(app->library); /* it asks the voices; what they still say finds it closed */
    cp_speech_destroy(app->speech);
    cp_library_destroy(app->library);
    cp_fetching_destroy(app->fetching);
    cp_knowledge_destroy(app->knowledge);
    cp_recordings_destroy(app->recordings);
    cp_assets_destroy(app->assets);
    cp_motions_destroy(app->motions);
    cp_lexicons_destroy(app->lexicons);
    cp_gateway_destroy(app->gateway);
    cp_webrtc_destroy(app->webrtc);
    cp_access_destroy(app->access);
    cp_answers_close(app->answers);
    cp_store_close(app->store);
    cp_observe_destroy(app->observe);
    pthread_rwlock_destroy(&app->on_air_lock);
    pthread_mutex_destroy(&app->outputs_lock);
}

/* How often voices spoke for one another, and which engines are left alone. */
static void collect_voices(struct cp_app *app)
{
    struct cp_speech_failover failovers[CP_SPEECH_MAX_FAILOVERS];
    struct cp_speech_engine engines[CP_SPEECH_MAX_FAILOVERS];
    char labels[400], from[160], to[160];
    int n = cp_speech_failovers(app->speech, failovers, CP_SPEECH_MAX_FAILOVERS);
    for (int i = 0; i < n; i++) {
        snprintf(labels, sizeof labels, "%s,%s",
                 cp_observe_label(from, sizeof from, "from", failovers[i].from),
                 cp_observe_label(to, sizeof to, "to", failovers[i].to));
        cp_metric_set(cp_counter(app->observe, "compere_voice_failovers_total", labels,
                                 "Sentences that another voice said because the first could not"),
                      (double)failovers[i].count);
    }
    n = cp_speech_engines(app->speech, engines, CP_SPEECH_MAX_FAILOVERS);
    for (int i = 0; i < n; i++) {
        if (!engines[i].voices)
            continue;
        cp_metric_set(cp_gauge(app->observe, "compere_voice_engine_open",
                               cp_observe_label(labels, sizeof labels, "engine", engines[i].name),
                               "1 while a voice engine is left alone after failures"),
                      strcmp(engines[i].state, "closed") != 0);
        cp_metric_set(cp_gauge(app->observe, "compere_voice_engine_running",
                               cp_observe_label(labels, sizeof labels, "engine", engines[i].name),
                               "Sentences that a voice engine is making"),
                      engines[i].running);
    }
}

static void collect(void *user)
{
    struct cp_app *app = user;
    struct cp_speech_stats speech = cp_speech_stats(app->speech);
    struct cp_webrtc_stats webrtc = cp_webrtc_stats(app->webrtc, NULL);
    struct cp_observe *observe = app->observe;
    cp_metric_set(cp_gauge(observe, "compere_speech_queue", "", "Speech requests waiting"),
                  speech.queue_depth);
    cp_metric_set(cp_gauge(observe, "compere_speech_cache_hits", "", "Sentences that were spoken before"),
                  (double)speech.cache_hits);
    cp_metric_set(
        cp_gauge(observe, "compere_speech_cache_misses", "", "Sentences that an engine had to speak"),
        (double)speech.cache_misses);
    cp_metric_set(cp_gauge(observe, "compere_speech_cache_bytes", "", "Memory of the remembered sentences"),
                  (double)speech.cache_bytes);
    cp_metric_set(
        cp_gauge(observe, "compere_speech_worker_restarts", "", "Voice workers restarted since start"),
        (double)speech.worker_restarts);
    collect_voices(app);
    cp_metric_set(cp_gauge(observe, "compere_webrtc_nacks", "", "Packets that viewers asked for again"),
                  (double)webrtc.nacks);
    cp_metric_set(
        cp_gauge(observe, "compere_webrtc_dropped_behind", "", "Packets dropped because sending was behind"),
        (double)webrtc.dropped_behind);
    cp_metric_set(cp_gauge(observe, "compere_webrtc_bytes", "", "Bytes sent to WebRTC viewers"),
                  (double)webrtc.bytes_sent);
    cp_knowledge_collect(app->knowledge);
    cp_answering_collect(app->answering);
    cp_audience_collect(app->audience);
    cp_recordings_collect(app->recordings);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    cp_metric_set(cp_gauge(observe, "process_cpu_seconds_total", "", "CPU time used"),
                  (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
                      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm && fscanf(statm, "%*s %ld", &pages) == 1)
        cp_metric_set(cp_gauge(observe, "process_resident_memory_bytes", "", "Resident memory"),
                      (double)pages * (double)sysconf(_SC_PAGESIZE));
    if (statm)
        fclose(statm);
    pthread_rwlock_rdlock(&app->on_air_lock);
    for (int i = 0; i < CP_MAX_ON_AIR; i++)
        if (app->on_air[i])
            cp_onair_collect(app->on_air[i]);
    pthread_rwlock_unlock(&app->on_air_lock);
}

static void put_channels_on_air(struct cp_app *app)
{
    json_t *list = NULL, *channel;
    size_t i;
    cp_show_channel_list(app->show, &list, NULL);
    json_array_foreach(list, i, channel)
    {
        struct cp_error error;
        const char *id = json_string_value(json_object_get(channel, "id"));
        if (cp_onair_start(app, id, &error)) /* the others go on air all the same */
            cp_log(CP_LOG_ERROR, "app", "channel not on air", "channel=%s error=\"%s\"", id, error.text);
    }
    json_decref(list);
}

static int start(struct cp_app *app, char *key_path, size_t key_path_bytes, struct cp_error *error)
{
    struct cp_app_config *config = &app->config;
    const struct cp_show_services services = {
        .user = app, .say = say, .cancel = cancel, .changed = on_cue_changed, .performed = on_performed};
    app->started_ns = cp_clock_now_ns();
    snprintf(app->epoch, sizeof app->epoch, "%llx", (unsigned long long)(cp_clock_wall_ns() / CP_NS_PER_MS));
    pthread_rwlock_init(&app->on_air_lock, NULL);
    pthread_mutex_init(&app->outputs_lock, NULL);
    app->observe = cp_observe_create();
    if (!app->observe)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    int result = cp_store_open(&config->store, &app->store, error);
    if (!result)
        result = cp_webrtc_create(&config->webrtc, &app->webrtc, error);
    if (!result)
        result = cp_gateway_create(&config->gateway, cp_api_routes, cp_api_n_routes, app, app->store,
                                   app->observe, &app->gateway, error);
    if (!result)
        result = cp_access_create(app->store, &app->access, error);
    if (!result)
        result = cp_speech_create(&config->speech, &app->speech, error);
    if (!result)
        result = cp_library_create(app, &app->library, error);
    if (!result)
        result = cp_recordings_create(app, &app->recordings, error);
    if (!result)
        result = cp_answers_open(&config->answers, config->store.directory, &app->answers, error);
    if (!result)
        result = cp_knowledge_create(app->answers, app->observe, &app->knowledge, error);
    if (!result)
        result = cp_answering_create(app, &app->answering, error);
    if (!result)
        result = cp_deadlines_create(app, &app->deadlines, error);
    if (!result)
        result = cp_fetching_create(app, &app->fetching, error);
    if (!result)
        result = cp_audience_create(app, &app->audience, error);
    if (!result)
        result = cp_motions_create(&app->motions, error);
    if (!result)
        result = cp_motions_load(app->motions, app->store, error);
    if (!result)
        result = cp_lexicons_create(app->store, &app->lexicons, error);
    if (!result)
        result = cp_assets_create(app, &app->assets, error);
    if (!result)
        result = cp_show_create(&config->show, app->store, app->observe, &services, &app->show, error);
    if (!result && app->demo)
        result = make_demo_channel(app, error);
    if (!result && app->demo) /* before anybody can ask: who sees the server ready finds the key */
        result = make_admin_key(app, key_path, key_path_bytes, error);
    if (!result) {
        put_channels_on_air(app);
        cp_observe_on_write(app->observe, collect, app);
        cp_gateway_open(app->gateway);
    }
    return result;
}

int cp_cmd_serve(int argc, char **argv, bool demo)
{
    static struct cp_app app; /* one program, one app */
    struct cp_error error = {.text = ""};
    char key_path[CP_OPTION_TEXT_BYTES + 16] = "";
    int left, signal_number;
    app.demo = demo;
    int result = cp_app_configure(&app.config, argc, argv, &left, &error);
    if (!result && left)
        result = cp_fail(&error, CP_ERR_INVALID, "app", "\"%s\" is not an option; see --help", argv[0]);
    if (result) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 2;
    }
    if (!*app.config.gateway.pages)
        cp_app_find_file("studio/dist", app.config.gateway.pages, sizeof app.config.gateway.pages);

    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &stop_signals, NULL);
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }

    result = start(&app, key_path, sizeof key_path, &error);
    if (!result) {
        if (demo)
            print_welcome(&app, key_path);
        cp_log(CP_LOG_INFO, "app", "started", "version=%s listen=%s webrtc=%s data=\"%s\" startup_ms=%lld",
               CP_VERSION, app.config.gateway.listen, app.config.webrtc.listen, app.config.store.directory,
               (long long)((cp_clock_now_ns() - app.started_ns) / CP_NS_PER_MS));
        sigwait(&stop_signals, &signal_number);
        cp_log(CP_LOG_INFO, "app", "stopping", "signal=%d", signal_number);
    } else {
        fprintf(stderr, "compere: %s\n", error.text);
    }
    stop(&app);
    return result ? 1 : 0;
}
