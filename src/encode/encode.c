/* The stage's options, the table of video providers, and what `compere doctor` is told about the coders. */
#include "encode/encode_int.h"

#include <libavcodec/avcodec.h>
#include <opus/opus.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define OPTION(member) .offset = offsetof(struct cp_encode_config, member)

const struct cp_option cp_encode_options[] = {
    {.name = "video",
     .type = CP_OPTION_CHOICE,
     .fallback = "auto",
     .choices = "auto|x264|openh264",
     .help = "H.264 encoder; auto takes the first usable one of this list",
     OPTION(video)},
    {.name = "preset",
     .type = CP_OPTION_CHOICE,
     .fallback = "superfast",
     .choices = "ultrafast|superfast|veryfast|faster|fast|medium",
     .help = "x264's trade of CPU time for picture quality",
     OPTION(preset)},
    {.name = "video_kbps",
     .type = CP_OPTION_INT,
     .fallback = "1800",
     .min = 100,
     .max = 12000,
     .help = "ceiling of the video bit rate, kbit/s; the picture quality goes with it",
     OPTION(video_kbps)},
    {.name = "audio_kbps",
     .type = CP_OPTION_INT,
     .fallback = "64",
     .min = 16,
     .max = 256,
     .help = "Opus bit rate, kbit/s; AAC takes half as much again for the same quality",
     OPTION(audio_kbps)},
    {.name = "idr_s",
     .type = CP_OPTION_FLOAT,
     .fallback = "2",
     .min = 0.5,
     .max = 10,
     .help = "seconds between key frames; HLS segments start there",
     OPTION(idr_s)},
};
const size_t cp_encode_n_options = sizeof cp_encode_options / sizeof *cp_encode_options;

#if !CP_HAVE_X264
static bool x264_probe(const char **ret_why_not)
{
    *ret_why_not = "built without GPL parts: set up the build with -Dgpl=true and libx264-dev";
    return false;
}
const struct cp_video_provider cp_video_x264 = {"x264", "libx264 (GPL)", x264_probe, NULL, NULL, NULL};
#endif

#if !CP_HAVE_OPENH264
static bool openh264_probe(const char **ret_why_not)
{
    *ret_why_not = "built without it: install libopenh264-dev and set up the build again";
    return false;
}
const struct cp_video_provider cp_video_openh264 = {
    "openh264", "Cisco's openh264 (BSD)", openh264_probe, NULL, NULL, NULL};
#endif

static const struct cp_video_provider *const PROVIDERS[] = {&cp_video_x264, &cp_video_openh264};
#define N_PROVIDERS ((int)(sizeof PROVIDERS / sizeof *PROVIDERS))

int cp_video_provider_find(const char *name, const struct cp_video_provider **ret_provider,
                           struct cp_error *error)
{
    bool any = !*name || !strcmp(name, "auto");
    const char *why_not = "";
    char built[64] = "";
    for (int i = 0; i < N_PROVIDERS; i++) {
        size_t used = strlen(built);
        snprintf(built + used, sizeof built - used, " %s", PROVIDERS[i]->name);
        if (!any && strcmp(name, PROVIDERS[i]->name))
            continue;
        if (PROVIDERS[i]->probe(&why_not)) {
            *ret_provider = PROVIDERS[i];
            return 0;
        }
        if (!any)
            return cp_fail(error, CP_ERR_UNAVAILABLE, "encode", "video encoder %s is not usable here: %s",
                           name, why_not);
    }
    if (any)
        return cp_fail(error, CP_ERR_UNAVAILABLE, "encode",
                       "no video encoder is usable here; the last one: %s", why_not);
    return cp_fail(error, CP_ERR_INVALID, "encode", "no video encoder \"%s\"; there are: auto%s", name,
                   built);
}

static bool opus_probe(const char **ret_why_not)
{
    bool usable = opus_encoder_get_size(1) > 0;
    *ret_why_not = usable ? "" : "libopus does not encode mono: install Debian's libopus0";
    return usable;
}

static bool aac_probe(const char **ret_why_not)
{
    bool usable = avcodec_find_encoder_by_name("aac") != NULL;
    *ret_why_not = usable ? "" : "this libavcodec has no \"aac\" encoder: install Debian's libavcodec59";
    return usable;
}

static const struct {
    const char *name;
    bool (*probe)(const char **ret_why_not);
} AUDIO[] = {{"opus", opus_probe}, {"aac", aac_probe}};
#define N_AUDIO ((int)(sizeof AUDIO / sizeof *AUDIO))

bool cp_encode_probe(int index, const char **ret_name, bool *ret_usable, const char **ret_why_not)
{
    if (index < 0 || index >= N_PROVIDERS + N_AUDIO)
        return false;
    bool is_video = index < N_PROVIDERS;
    *ret_why_not = "";
    *ret_name = is_video ? PROVIDERS[index]->name : AUDIO[index - N_PROVIDERS].name;
    *ret_usable =
        is_video ? PROVIDERS[index]->probe(ret_why_not) : AUDIO[index - N_PROVIDERS].probe(ret_why_not);
    return true;
}
