/* `compere doctor`: what is usable here, and why the rest is not. */
#include "app/app.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int problems;

static void say(bool good, const char *what, const char *detail)
{
    problems += !good;
    printf("  %s  %-22s %s\n", good ? "ok     " : "PROBLEM", what, detail);
}

static void note(const char *what, const char *detail)
{
    printf("  -        %-22s %s\n", what, detail);
}

static void check_drawing(void)
{
    char text[120];
    snprintf(text, sizeof text, "%s (best of this machine), %ld cores", cp_simd_name(cp_simd_best()),
             sysconf(_SC_NPROCESSORS_ONLN));
    say(true, "drawing", text);
}

static void check_presenter(const struct cp_app_config *config)
{
    struct cp_model *model;
    struct cp_error error;
    char text[CP_ERROR_TEXT_BYTES];
    if (cp_app_load_presenter(config, NULL, "", &model, &error)) {
        say(false, "presenter", error.text);
        return;
    }
    snprintf(text, sizeof text, "%s: %d triangles, %d shapes, %d joints", model->name, model->n_triangles,
             model->n_targets, model->n_joints);
    say(true, "presenter", text);
    cp_ref_drop(model);
}

/* Texts on cards: scripts by one of their characters. */
static void check_fonts(void)
{
    static const struct {
        const char *script;
        uint32_t character;
        const char *package;
    } SCRIPT[] = {{"Latin", 'a', "fonts-inter"},
                  {"Greek", 0x3b1, "fonts-inter"},
                  {"Cyrillic", 0x434, "fonts-inter"},
                  {"Chinese", 0x4f60, "fonts-noto-cjk"},
                  {"Japanese", 0x3042, "fonts-noto-cjk"},
                  {"Korean", 0xd55c, "fonts-noto-cjk"},
                  {"Arabic", 0x628, "fonts-noto-core"},
                  {"Hebrew", 0x5d0, "fonts-noto-core"},
                  {"Devanagari", 0x905, "fonts-noto-core"},
                  {"Thai", 0xe01, "fonts-noto-core"}};
    struct cp_card_maker *maker;
    struct cp_error error;
    char text[200] = "";
    size_t used = 0;
    if (cp_card_maker_create(&maker, &error)) {
        say(false, "fonts", error.text);
        return;
    }
    for (size_t i = 0; i < sizeof SCRIPT / sizeof SCRIPT[0]; i++) {
        if (cp_card_maker_has(maker, SCRIPT[i].character)) {
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", SCRIPT[i].script);
        } else {
            char missing[80];
            snprintf(missing, sizeof missing, "no font for cards; install %s", SCRIPT[i].package);
            note(SCRIPT[i].script, missing);
        }
    }
    say(used > 0, "fonts", used ? text : "none at all: install fonts-inter");
    cp_card_maker_destroy(maker);
}

static void check_speech(const struct cp_app_config *config)
{
    struct cp_speech *speech;
    struct cp_error error;
    char text[CP_OPTION_TEXT_BYTES + 64];
    if (cp_speech_create(&config->speech, &speech, &error)) {
        say(false, "voices", error.text);
        return;
    }
    int n, usable = 0;
    const struct cp_voice *voices = cp_speech_voices(speech, &n);
    for (int i = 0; i < n; i++) {
        usable += voices[i].usable;
        if (!voices[i].usable)
            note(voices[i].id, voices[i].why_not);
    }
    snprintf(text, sizeof text, "%d usable of %d, default %s", usable, n, config->speech.voice);
    say(usable > 0, "voices", text);
    struct cp_speech_engine engines[16];
    int n_engines = cp_speech_engines(speech, engines, 16);
    for (int i = 0; i < n_engines; i++) {
        char name[40];
        snprintf(name, sizeof name, "voices of %s", engines[i].name);
        snprintf(text, sizeof text, "%s: %d usable of %d", engines[i].summary, engines[i].usable,
                 engines[i].voices);
        if (engines[i].usable)
            say(true, name, text);
        else
            note(name, engines[i].voices ? text : "not configured (docs/voices.md)");
    }
    cp_speech_destroy(speech);
}

static void check_encoders(void)
{
    const char *name, *why_not;
    bool usable, any = false;
    for (int i = 0; cp_encode_probe(i, &name, &usable, &why_not); i++) {
        any |= usable;
        if (usable)
            say(true, name, "encodes");
        else
            note(name, why_not);
    }
    if (!any)
        say(false, "encoders", "no video encoder is usable: install libx264, or build with openh264");
}

static void check_push(void)
{
    static const char *const PROTOCOL[] = {"rtmp", "rtmps", "srt"};
    char text[80] = "";
    for (int i = 0; i < 3; i++) {
        if (!cp_push_has(PROTOCOL[i]))
            note(PROTOCOL[i], "libavformat is built without it: outputs cannot use it");
        else
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? ", " : "", PROTOCOL[i]);
    }
    if (*text)
        say(true, "push", text);
}

static void check_store(const struct cp_app_config *config)
{
    struct cp_store *store;
    struct cp_error error;
    char text[CP_OPTION_TEXT_BYTES + 64];
    if (cp_store_open(&config->store, &store, &error)) {
        say(false, "data directory", error.text);
        return;
    }
    struct statvfs space;
    statvfs(config->store.directory, &space);
    double free_gb = (double)space.f_bavail * (double)space.f_frsize / 1e9;
    snprintf(text, sizeof text, "%s, %.1f GB free", config->store.directory, free_gb);
    say(free_gb > 0.2, "data directory", text);
    int64_t started_ns = cp_clock_now_ns();
    int result = cp_store_put_if(store, "doctor", "probe", "{}", CP_STORE_ANY_VERSION, 1, NULL, &error);
    snprintf(text, sizeof text, "a durable write takes %.1f ms",
             (double)(cp_clock_now_ns() - started_ns) / 1e6);
    say(!result, "records", result ? error.text : text);
    cp_store_close(store);
}

static void check_pages(const struct cp_app_config *config)
{
    char path[CP_OPTION_TEXT_BYTES];
    if (*config->gateway.pages)
        say(!access(config->gateway.pages, R_OK), "pages", config->gateway.pages);
    else if (cp_app_find_file("studio/dist/studio.html", path, sizeof path))
        say(true, "pages", path);
    else
        say(false, "pages", "the studio is not built: run `make build`");
}

static void check_model(const struct cp_app_config *config)
{
    struct cp_llm *llm;
    struct cp_llm_answer answer;
    struct cp_error error;
    char text[400];
    if (cp_llm_create(&config->llm, &llm, &error)) {
        say(false, "language model", error.text);
        return;
    }
    if (!llm) {
        note("language model", "none: answers are the documents' own words (docs/answers.md)");
        return;
    }
    json_t *messages = json_pack("[{s:s,s:s}]", "role", "user", "content", "Answer with the one word: ready");
    if (cp_llm_ask(llm, messages, NULL, NULL, &answer, &error)) {
        say(false, "language model", error.text);
    } else {
        snprintf(text, sizeof text, "%s at %s answers in %.1f s", answer.model, answer.host,
                 (double)answer.total_ns / 1e9);
        say(true, "language model", text);
        free(answer.text);
    }
    json_decref(messages);
    cp_llm_destroy(llm);
}

static void check_embeddings(const struct cp_app_config *config)
{
    struct cp_error error;
    int width;
    char text[100];
    int64_t started_ns = cp_clock_now_ns();
    if (cp_answers_try_embeddings(&config->answers, &width, &error)) {
        say(false, "embeddings", error.text);
        return;
    }
    snprintf(text, sizeof text, "vectors of %d in %.2f s", width,
             (double)(cp_clock_now_ns() - started_ns) / 1e9);
    if (width)
        say(true, "embeddings", text);
    else
        note("embeddings", "none: passages are found by words (docs/answers.md)");
}

static void check_moderation(const struct cp_app_config *config)
{
    struct cp_moderation *moderation;
    struct cp_error error;
    char text[200];
    bool flagged;
    if (cp_moderation_create(&config->moderation, &moderation, &error)) {
        say(false, "moderation", error.text);
        return;
    }
    if (!moderation) {
        note("moderation", "none: nobody judges what the audience asks (docs/answers.md)");
        return;
    }
    int64_t started_ns = cp_clock_now_ns();
    int result =
        cp_moderation_judge(moderation, "How long does delivery to Spain take?", NULL, &flagged, &error);
    snprintf(text, sizeof text, "%s judges in %.1f s", cp_moderation_host(moderation),
             (double)(cp_clock_now_ns() - started_ns) / 1e9);
    say(!result, "moderation", result ? error.text : text);
    cp_moderation_destroy(moderation);
}

static void check_webrtc(const struct cp_app_config *config)
{
    struct cp_webrtc *webrtc;
    struct cp_error error;
    if (cp_webrtc_create(&config->webrtc, &webrtc, &error)) {
        say(false, "WebRTC port", error.text);
        return;
    }
    say(true, "WebRTC port", config->webrtc.listen);
    cp_webrtc_destroy(webrtc);
}

int cp_cmd_doctor(int argc, char **argv)
{
    static struct cp_app_config config;
    struct cp_error error;
    int left;
    if (cp_app_configure(&config, argc, argv, &left, &error)) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 2;
    }
    printf("Compere " CP_VERSION "\n");
    check_drawing();
    check_presenter(&config);
    check_fonts();
    check_speech(&config);
    check_encoders();
    check_push();
    check_store(&config);
    check_pages(&config);
    check_webrtc(&config);
    check_model(&config);
    check_embeddings(&config);
    check_moderation(&config);
    printf(problems ? "\n%d problem(s): see above for what to do.\n"
                    : "\nEverything that a show needs is here.\n",
           problems);
    return problems ? 1 : 0;
}
