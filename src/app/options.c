/* All modules' options in one list, and where the program finds its own files. */
#include "app/app.h"

#include "base/log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTION(module, field, kind, def, lo, hi, oneof, text)                                                \
    {                                                                                                        \
        .name = #field, .type = kind, .fallback = def, .min = lo, .max = hi, .choices = oneof, .help = text, \
        .offset = offsetof(struct cp_##module##_config, field)                                               \
    }

static const struct cp_option log_options[] = {
    OPTION(log, level, CP_OPTION_CHOICE, "info", 0, 0, "debug|info|warn|error", "the least that is logged"),
    OPTION(log, format, CP_OPTION_CHOICE, "pairs", 0, 0, "pairs|json", "how log lines look"),
};

static const struct cp_option channel_options[] = {
    OPTION(channel, width, CP_OPTION_INT, "1280", 64, 3840, NULL, "width of the picture, pixels"),
    OPTION(channel, height, CP_OPTION_INT, "720", 64, 2160, NULL, "height of the picture, pixels"),
    OPTION(channel, max_on_air, CP_OPTION_INT, "4", 1, CP_MAX_ON_AIR, NULL, "channels on air at once"),
    OPTION(channel, presenters, CP_OPTION_TEXT, "", 0, 0, NULL, "directory of presenters' .glb files"),
    OPTION(channel, test_code, CP_OPTION_BOOL, "false", 0, 0, NULL,
           "draw a time code into the picture (for latency tests only)"),
};

static const struct cp_option library_options[] = {
    OPTION(library, keep_s, CP_OPTION_INT, "86400", 60, 31536000, NULL,
           "how long voice files are kept, seconds"),
    OPTION(library, orphans_s, CP_OPTION_INT, "3600", 0, 31536000, NULL,
           "seconds between looks for objects without a record and records without objects (0: never)"),
};

#define N_SECTIONS   14
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void list_sections(struct cp_app_config *config, struct cp_config_section sections[N_SECTIONS])
{
    const struct cp_config_section all[N_SECTIONS] = {
        {"gateway", cp_gateway_options, cp_gateway_n_options, &config->gateway},
        {"webrtc", cp_webrtc_options, cp_webrtc_n_options, &config->webrtc},
        {"hls", cp_hls_options, cp_hls_n_options, &config->hls},
        {"channel", channel_options, COUNT(channel_options), &config->channel},
        {"show", cp_show_options, cp_show_n_options, &config->show},
        {"speech", cp_speech_options, cp_speech_n_options, &config->speech},
        {"library", library_options, COUNT(library_options), &config->library},
        {"render", cp_render_options, cp_render_n_options, &config->render},
        {"encode", cp_encode_options, cp_encode_n_options, &config->encode},
        {"store", cp_store_options, cp_store_n_options, &config->store},
        {"answers", cp_answers_options, cp_answers_n_options, &config->answers},
        {"llm", cp_llm_options, cp_llm_n_options, &config->llm},
        {"moderation", cp_moderation_options, cp_moderation_n_options, &config->moderation},
        {"log", log_options, COUNT(log_options), &config->log},
    };
    memcpy(sections, all, sizeof all);
}

void cp_app_print_options(void)
{
    struct cp_app_config config;
    struct cp_config_section sections[N_SECTIONS];
    list_sections(&config, sections);
    printf("Options (also COMPERE_SECTION_NAME in the environment, or section: {name: value} in the --config "
           "file):\n"
           "  --config FILE                read a YAML file\n"
           "  --listen ADDRESS:PORT        same as --gateway-listen\n"
           "  --webrtc ADDRESS:PORT        same as --webrtc-listen\n"
           "  --data DIR                   same as --store-directory\n");
    cp_config_print_help(sections, N_SECTIONS);
}

static const char *full_name(const char *flag)
{
    return !strcmp(flag, "listen")   ? "gateway-listen"
           : !strcmp(flag, "webrtc") ? "webrtc-listen"
           : !strcmp(flag, "data")   ? "store-directory"
                                     : flag;
}

/* The value of argv[*at], "--name=value" or "--name value"; a name without a value is a bool that is set. */
static const char *flag_value(int argc, char **argv, int *at, char name[64])
{
    const char *flag = argv[*at] + 2, *equals = strchr(flag, '=');
    snprintf(name, 64, "%.*s", equals ? (int)(equals - flag) : 63, flag);
    if (equals)
        return equals + 1;
    if (*at + 1 < argc && argv[*at + 1] && strncmp(argv[*at + 1], "--", 2))
        return argv[++*at];
    return "true";
}

static const char *find_config_file(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "--config=", 9))
            return argv[i] + 9;
        if (!strcmp(argv[i], "--config") && i + 1 < argc)
            return argv[i + 1];
    }
    return NULL;
}

int cp_app_configure(struct cp_app_config *config, int argc, char **argv, int *ret_argc,
                     struct cp_error *error)
{
    struct cp_config_section sections[N_SECTIONS];
    memset(config, 0, sizeof *config);
    list_sections(config, sections);
    int result = cp_config_defaults(sections, N_SECTIONS, error), left = 0;
    const char *file = find_config_file(argc, argv), *data = getenv("COMPERE_DATA");
    if (!result && file)
        result = cp_config_read_file(sections, N_SECTIONS, file, error);
    if (!result && data)
        result = cp_config_set(sections, N_SECTIONS, "store-directory", data, error);
    if (!result)
        result = cp_config_read_environment(sections, N_SECTIONS, error);
    for (int i = 0; !result && i < argc && argv[i]; i++) {
        if (strncmp(argv[i], "--", 2)) {
            argv[left++] = argv[i];
            continue;
        }
        char name[64];
        int at = i;
        const char *value = flag_value(argc, argv, &at, name);
        if (!strcmp(name, "help")) {
            cp_app_print_options();
            exit(0);
        }
        if (strcmp(name, "config"))
            result = cp_config_set(sections, N_SECTIONS, full_name(name), value, error);
        i = at;
    }
    if (result)
        return result;
    cp_log_setup(!strcmp(config->log.level, "debug")   ? CP_LOG_DEBUG
                 : !strcmp(config->log.level, "warn")  ? CP_LOG_WARN
                 : !strcmp(config->log.level, "error") ? CP_LOG_ERROR
                                                       : CP_LOG_INFO,
                 !strcmp(config->log.format, "json") ? CP_LOG_JSON : CP_LOG_KEY_VALUE);
    *ret_argc = left;
    return 0;
}

bool cp_app_find_file(const char *name, char *ret_path, size_t capacity)
{
    char program[PATH_MAX], directory[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return false;
    program[length] = 0;
    *strrchr(program, '/') = 0;
    /* Installed: PREFIX/bin and PREFIX/share/compere. In the build tree: build/src/app, with build/ and the
     * sources above. */
    static const char *const PLACES[] = {"%s/%s", "%s/../share/compere/%s", "%s/../../%s", "%s/../../../%s"};
    for (size_t i = 0; i < COUNT(PLACES); i++) {
        int n = snprintf(directory, sizeof directory, PLACES[i], program, name);
        if (n > 0 && n < (int)sizeof directory && !access(directory, R_OK)) {
            snprintf(ret_path, capacity, "%s", directory);
            return true;
        }
    }
    return false;
}
