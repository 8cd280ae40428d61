/*
 * compere-espeak: espeak-ng as a voice program (see PROTOCOL.md). A program of its own because espeak-ng is
 * not thread-safe, may crash on odd input, and is GPL-3, which this program therefore is too when linked.
 */
#include "speech/worker/pronounce.h"
#include "speech/worker/protocol.h"
#include "speech/worker/respell.h"

#include <espeak-ng/speak_lib.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

enum { MAX_TEXT_BYTES = 64 * 1024, MAX_SAMPLES = 22050 * 120, MAX_EVENTS = 20000, SOUND_FRAME = 8192 };

/* The presenter is a woman, so each language's first voice is female: the variant that sounds least shrill.
 */
#define FEMALE_VARIANT "+f3"
#define MALE_SUFFIX    "-male"

struct event {
    bool is_word;
    int at;              /* samples */
    int char_at, length; /* words: code points of the text, 0-based */
    char name[16];       /* phones */
    int stress;          /* phones: 2 primary, 1 secondary */
};

/* How the sentence is spelled for espeak-ng, when that is not as it stands. */
static struct respelling respelling;
static bool is_respelled, is_pronounced; /* the latter: because of pronunciations */

/* What the callback collects of the sentence being spoken. */
static struct {
    short *pcm;
    int n_samples;
    struct event *events;
    int n_events;
} take;

/* --- frames --- */

static bool write_frame(enum cp_frame_type type, const void *payload, size_t length)
{
    uint8_t head[CP_FRAME_HEAD_BYTES];
    cp_frame_write_head(head, type, (uint32_t)length);
    return fwrite(head, sizeof head, 1, stdout) == 1 && fwrite(payload, 1, length, stdout) == length;
}

/* Takes the object's reference. */
static bool write_json(enum cp_frame_type type, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    bool written = text && write_frame(type, text, strlen(text));
    free(text);
    json_decref(object);
    return written;
}

static bool write_error(json_int_t id, const char *text)
{
    return write_json(CP_FRAME_ERROR, json_pack("{s:I,s:s}", "id", id, "text", text));
}

/* --- voices --- */

/* Voices that are better known by another tag or name. "cmn" itself is left out: it reads Chinese signs well
 * but the letters of pinyin as English; its sibling reads both. */
static const struct {
    const char *tag, *id, *name;
} RENAMED[] = {
    {"cmn-latn-pinyin", "zh", "Chinese (Mandarin)"},
    {"fr-fr", "fr", "French"},
};
enum { N_RENAMED = sizeof RENAMED / sizeof *RENAMED };

/* "pt-br" -> "pt-BR"; what is too long for a tag is cut at a hyphen. */
static void to_bcp47(const char *tag, char *to, size_t capacity)
{
    snprintf(to, capacity, "%s", tag);
    if (strlen(tag) >= capacity) {
        char *hyphen = strchr(to, '-');
        if (hyphen)
            *hyphen = '\0';
    }
    char *region = strchr(to, '-');
    if (region && strcspn(region + 1, "-") == 2)
        for (int i = 1; i <= 2; i++)
            region[i] = (char)(region[i] >= 'a' && region[i] <= 'z' ? region[i] - 32 : region[i]);
}

/* Our ids and espeak-ng's files, of every language once. */
enum { MAX_VOICES = 256 };
static struct {
    char id[48];
    const char *file; /* the name's last part, in espeak-ng's own list, which stays */
} voice_table[MAX_VOICES];
static int n_voices;

static const char *file_of(const char *id, size_t length)
{
    for (int i = 0; i < n_voices; i++)
        if (strlen(voice_table[i].id) == length && !strncmp(voice_table[i].id, id, length))
            return voice_table[i].file;
    return NULL;
}

static void add_voice(json_t *voices, const espeak_VOICE *voice)
{
    const char *tag = voice->languages + 1; /* behind the priority byte */
    if (!strcmp(tag, "cmn"))
        return;
    char name[64], language[16], male_id[64];
    snprintf(name, sizeof name, "%s", voice->name);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    for (int k = 0; k < N_RENAMED; k++) {
        if (!strcmp(tag, RENAMED[k].tag)) {
            snprintf(name, sizeof name, "%s", RENAMED[k].name);
            tag = RENAMED[k].id;
            break;
        }
    }
    if (n_voices == MAX_VOICES || strlen(tag) >= sizeof voice_table->id || file_of(tag, strlen(tag)))
        return; /* "yue" comes twice */
    snprintf(voice_table[n_voices].id, sizeof voice_table->id, "%s", tag);
    const char *slash = strrchr(voice->identifier, '/');
    voice_table[n_voices++].file = slash ? slash + 1 : voice->identifier;
    to_bcp47(tag, language, sizeof language);
    snprintf(male_id, sizeof male_id, "%s" MALE_SUFFIX, tag);
    const char *why_not = !strcmp(tag, "ja") ? respell_japanese_why_not() : "";
    json_array_append_new(voices, json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", tag, "name", name, "language",
                                            language, "sex", "female", "why_not", why_not));
    json_array_append_new(voices, json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", male_id, "name", name, "language",
                                            language, "sex", "male", "why_not", why_not));
}

static bool say_hello(void)
{
    json_t *voices = json_array();
    const espeak_VOICE **list = espeak_ListVoices(NULL);
    for (int i = 0; list && list[i]; i++)
        if (list[i]->languages && strncmp(list[i]->identifier, "mb/", 3) != 0) /* mbrola needs more data */
            add_voice(voices, list[i]);
    const char *path;
    char name[64];
    snprintf(name, sizeof name, "espeak-ng %s", espeak_Info(&path));
    return write_json(CP_FRAME_HELLO, json_pack("{s:i,s:s,s:o}", "protocol", CP_VOICE_PROTOCOL, "name", name,
                                                "voices", voices)) &&
           !fflush(stdout);
}

/* --- speaking --- */

static bool is_utf8(const char *text)
{
    json_t *string = json_string(text); /* refuses what is not UTF-8 */
    json_decref(string);
    return string != NULL;
}

static int on_sound(short *pcm, int n, espeak_EVENT *events)
{
    if (pcm && n > 0) {
        if (n > MAX_SAMPLES - take.n_samples)
            return 1;
        memcpy(take.pcm + take.n_samples, pcm, (size_t)n * sizeof *pcm);
        take.n_samples += n;
    }
    for (; events->type != espeakEVENT_LIST_TERMINATED; events++) {
        bool is_word = events->type == espeakEVENT_WORD;
        if ((!is_word && events->type != espeakEVENT_PHONEME) || take.n_events == MAX_EVENTS)
            continue;
        struct event *event = &take.events[take.n_events++];
        *event = (struct event){.is_word = is_word, .at = events->sample};
        if (is_word) {
            event->char_at = events->text_position - 1;
            event->length = events->length;
        } else {
            /* 8 bytes, not always terminated, and an IPA sign may be cut at the end */
            memcpy(event->name, events->id.string, sizeof events->id.string);
            for (size_t k = strlen(event->name); k > 0 && !is_utf8(event->name); k--)
                event->name[k - 1] = '\0';
        }
    }
    return 0;
}

/* Byte offset of a code point; the text's length when it has fewer. */
static int byte_of(const char *text, int code_point)
{
    int at = 0;
    for (; text[at] && code_point > 0; code_point--)
        do
            at++;
        while ((text[at] & 0xc0) == 0x80);
    return at;
}

static double energy_at(int sample)
{
    double sum = 0;
    int from = sample - 33 < 0 ? 0 : sample - 33, to = sample + 33;
    for (int i = from; i < to && i < take.n_samples; i++)
        sum += (double)take.pcm[i] * take.pcm[i];
    return sum / 66;
}

static bool is_stop(const char *name)
{
    return *name && (strchr("ptkbdgc", *name) || !strncmp(name, "ɡ", 2) || !strncmp(name, "ʈ", 2));
}

/*
 * Where a stop's closure begins. espeak-ng's event marks the release; before it lies a stretch 30 dB under
 * the loudest sound around, at most some 50 ms long, sometimes with a burst of up to 25 ms between.
 */
static int closure_of(int release, int earliest)
{
    enum { MS = 22, NEAR = 40 * MS, LONGEST = 90 * MS, AROUND = 150 * MS };
    double loudest = 0;
    for (int at = release - AROUND; at < release + AROUND; at += 5 * MS)
        if (at >= 0) {
            double energy = energy_at(at);
            loudest = energy > loudest ? energy : loudest;
        }
    int at = release;
    while (at > earliest && release - at < NEAR && energy_at(at) >= loudest * 1e-3)
        at -= MS;
    if (at <= earliest || release - at >= NEAR)
        return release;
    while (at > earliest && release - at < LONGEST && energy_at(at) < loudest * 1e-3)
        at -= MS;
    return at > earliest ? at : earliest;
}

static void move_stops_to_closures(void)
{
    const int least = 22050 * 20 / 1000; /* the phone before keeps at least 20 ms */
    int previous = -least;
    for (int i = 0; i < take.n_events; i++) {
        struct event *event = &take.events[i];
        if (event->is_word)
            continue;
        if (is_stop(event->name) && event->at > previous + least)
            event->at = closure_of(event->at, previous + least);
        previous = event->at;
    }
}

/* Gives the phone events the stress that stands in a row of phonemes like "ɡ_ˈuː_t_ə_n _ˈɑː_b": both name the
 * same phones in the same order, but for a few that only one of them has. *at is the next event. */
static void match_stress(const char *phonemes, int *at)
{
    enum { LOOK_AHEAD = 4 };
    while (*phonemes) {
        size_t length = strcspn(phonemes, "_ ");
        const char *name = phonemes;
        int stress = 0;
        if (!strncmp(name, "ˈ", 2) || !strncmp(name, "ˌ", 2)) {
            stress = !strncmp(name, "ˈ", 2) ? 2 : 1;
            name += 2;
        }
        size_t name_length = length - (size_t)(name - phonemes);
        phonemes += length + (phonemes[length] != '\0');
        int looked = 0;
        for (int i = *at; i < take.n_events && name_length && looked < LOOK_AHEAD; i++) {
            struct event *event = &take.events[i];
            if (event->is_word || !*event->name)
                continue;
            looked++;
            if (strlen(event->name) == name_length && !strncmp(event->name, name, name_length)) {
                event->stress = stress;
                *at = i + 1;
                break;
            }
        }
    }
}

/* Phone events come without stress; the same text translated to phonemes has it. */
static void find_stress(const char *text)
{
    const void *rest = text;
    int at = 0;
    while (rest) {
        const void *before = rest;
        const char *phonemes = espeak_TextToPhonemes(&rest, espeakCHARS_UTF8, espeakPHONEMES_IPA | '_' << 8);
        if (!phonemes || rest == before)
            break;
        match_stress(phonemes, &at);
    }
}

/* The start of the next phone, or the end of the sound. */
static int phone_end(int index)
{
    for (int i = index + 1; i < take.n_events; i++)
        if (!take.events[i].is_word)
            return take.events[i].at;
    return take.n_samples;
}

/* A word's mark, from its first sounding phone to its last; NULL when it has none. */
static json_t *word_mark(int index, const char *text, int *last_char)
{
    const struct event *word = &take.events[index];
    int at = -1, end = -1;
    for (int i = index + 1; i < take.n_events; i++) {
        const struct event *event = &take.events[i];
        /* a number is several word events over the same characters: one word */
        if (event->is_word && event->char_at >= word->char_at + word->length)
            break;
        if (event->is_word || !*event->name || *event->name == '(')
            continue;
        at = at < 0 ? event->at : at;
        end = phone_end(i);
    }
    if (at < 0 || word->char_at < *last_char)
        return NULL;
    *last_char = word->char_at + word->length;
    int start_byte = byte_of(text, word->char_at), end_byte = byte_of(text, *last_char);
    if (is_respelled && !respelling_source(&respelling, word->char_at, &start_byte, &end_byte))
        return NULL;
    int last_start;
    if (is_pronounced && !respelling_source(&respelling, *last_char - 1, &last_start, &end_byte))
        return NULL;
    return json_pack("{s:s,s:i,s:i,s:i,s:i}", "type", "word", "at", at, "length", end - at, "start",
                     start_byte, "end", end_byte);
}

static json_t *list_marks(const char *text)
{
    json_t *marks = json_array();
    int last_char = 0;
    for (int i = 0; i < take.n_events; i++) {
        const struct event *event = &take.events[i];
        json_t *mark = NULL;
        if (event->is_word)
            mark = word_mark(i, text, &last_char);
        else if (*event->name != '(') /* "(en)": a switch of language, no sound */
            mark = json_pack("{s:s,s:i,s:i,s:s,s:i}", "type", "phone", "at", event->at, "length",
                             phone_end(i) - event->at, "name", event->name, "stress", event->stress);
        if (mark)
            json_array_append_new(marks, mark);
    }
    return marks;
}

static bool choose_voice(const char *id)
{
    static char current[64];
    if (!strcmp(current, id))
        return true; /* setting one takes 3 to 30 ms */
    size_t length = strlen(id), suffix = strlen(MALE_SUFFIX);
    bool male = length > suffix && !strcmp(id + length - suffix, MALE_SUFFIX);
    const char *file = file_of(id, male ? length - suffix : length);
    char name[128];
    if (!file || snprintf(name, sizeof name, "%s%s", file, male ? "" : FEMALE_VARIANT) >= (int)sizeof name)
        return false;
    current[0] = '\0';
    if (espeak_SetVoiceByName(name) != EE_OK)
        return false;
    snprintf(current, sizeof current, "%s", id);
    return true;
}

static bool is_language(const char *voice, const char *tag)
{
    size_t length = strlen(tag);
    return !strncmp(voice, tag, length) && (!voice[length] || !strcmp(voice + length, MALE_SUFFIX));
}

static int clamp(double value, int low, int high)
{
    return value < low ? low : value > high ? high : (int)lround(value);
}

static bool speak(const json_t *request)
{
    json_int_t id = json_integer_value(json_object_get(request, "id"));
    const char *text = json_string_value(json_object_get(request, "text"));
    const char *voice = json_string_value(json_object_get(request, "voice"));
    double rate = json_number_value(json_object_get(request, "rate"));
    double pitch = json_number_value(json_object_get(request, "pitch"));
    const json_t *range = json_object_get(request, "range");
    if (!text || !voice || strlen(text) > MAX_TEXT_BYTES)
        return write_error(id, "a request needs text and voice");
    if (!choose_voice(voice))
        return write_error(id, "espeak-ng has no such voice");
    espeak_SetParameter(espeakRATE, clamp(espeakRATE_NORMAL * (rate > 0 ? rate : 1), 80, 450), 0);
    /* its pitch table is exponential: 0 is half, 50 is normal, 100 is twice */
    espeak_SetParameter(espeakPITCH, clamp(50 + 50 * log2(pitch > 0 ? pitch : 1), 0, 100), 0);
    /* 50 is the voice's own melody, 0 is one tone */
    espeak_SetParameter(espeakRANGE, clamp(50 * (range ? json_number_value(range) : 1), 0, 100), 0);
    is_pronounced = false;
    is_respelled = is_language(voice, "zh")   ? respell_mandarin(text, &respelling)
                   : is_language(voice, "ja") ? respell_japanese(text, &respelling)
                                              : false;
    if (!is_respelled)
        is_respelled = is_pronounced =
            respell_pronounced(text, json_object_get(request, "phonemes"), voice, &respelling);
    if (is_respelled)
        text = respelling.text;
    take.n_samples = take.n_events = 0;
    unsigned flags = espeakCHARS_UTF8 | (is_pronounced ? espeakPHONEMES : 0);
    if (espeak_Synth(text, strlen(text) + 1, 0, POS_CHARACTER, 0, flags, NULL, NULL) != EE_OK)
        return write_error(id, "espeak-ng failed");
    move_stops_to_closures();
    find_stress(text);

    bool written = write_json(CP_FRAME_BEGIN, json_pack("{s:I,s:i}", "id", id, "hz", 22050));
    for (int at = 0; written && at < take.n_samples; at += SOUND_FRAME) {
        int n = take.n_samples - at < SOUND_FRAME ? take.n_samples - at : SOUND_FRAME;
        written = write_frame(CP_FRAME_SOUND, take.pcm + at, (size_t)n * sizeof *take.pcm);
    }
    return written &&
           write_json(CP_FRAME_EVENTS, json_pack("{s:I,s:o}", "id", id, "marks", list_marks(text))) &&
           write_json(CP_FRAME_DONE, json_pack("{s:I}", "id", id));
}

/* Reads one request and answers it. False at the end of input or when nobody reads the answer. */
static bool serve_one(void)
{
    uint8_t head[CP_FRAME_HEAD_BYTES];
    enum cp_frame_type type;
    if (fread(head, sizeof head, 1, stdin) != 1)
        return false;
    int32_t length = cp_frame_read_head(head, &type);
    char *payload = length >= 0 ? malloc((size_t)length + 1) : NULL;
    bool ok = payload && fread(payload, 1, (size_t)length, stdin) == (size_t)length;
    if (ok && type == CP_FRAME_SPEAK) {
        json_t *request = json_loadb(payload, (size_t)length, 0, NULL);
        ok = request ? speak(request) : write_error(0, "the request is not JSON");
        json_decref(request);
    }
    free(payload);
    return ok && !fflush(stdout);
}

int main(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    take.pcm = malloc(MAX_SAMPLES * sizeof *take.pcm);
    take.events = malloc(MAX_EVENTS * sizeof *take.events);
    int hz = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, NULL,
                               espeakINITIALIZE_PHONEME_EVENTS | espeakINITIALIZE_PHONEME_IPA |
                                   espeakINITIALIZE_DONT_EXIT);
    if (!take.pcm || !take.events || hz != 22050) {
        fprintf(stderr, "compere-espeak: espeak-ng does not start; is espeak-ng-data installed?\n");
        return 1;
    }
    espeak_SetSynthCallback(on_sound);
    if (!say_hello())
        return 1;
    while (serve_one())
        ;
    espeak_Terminate();
    return 0;
}
