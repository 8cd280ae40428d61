/*
 * flite: English, in process, about 80 times faster than real time.
 *
 * Its voices are shared static state: features are set on the utterance, never on the voice. Registering is
 * not thread-safe either, so all of flite is behind one lock (one speech thread uses it; tests may run more).
 * It knows ASCII only: text is folded to ASCII, and offsets are mapped back.
 *
 * Statistical voices sound by our vocoder, which takes a fraction of the time (flite_hooks.h).
 */
#include "speech/engines/flite_hooks.h"
#include "speech/ipa.h"
#include "speech/script.h"
#include "speech/speech_provider.h"

#include <flite/cst_cg.h>
#include <flite/flite.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#define STAGE "speech"

/* flite's headers declare none of its voices. */
cst_voice *register_cmu_us_slt(const char *directory);
cst_voice *register_cmu_us_awb(const char *directory);
cst_voice *register_cmu_us_rms(const char *directory);
cst_voice *register_cmu_us_kal16(const char *directory);

static const struct flite_voice {
    const char *name, *title, *sex;
    cst_voice *(*get)(const char *directory);
} VOICES[] = {
    {"slt", "American English, slt", "female", register_cmu_us_slt},
    {"rms", "American English, rms", "male", register_cmu_us_rms},
    {"awb", "Scottish English, awb", "male", register_cmu_us_awb},
    {"kal16", "American English, kal16 (diphones)", "male", register_cmu_us_kal16},
};
#define N_VOICES (sizeof VOICES / sizeof *VOICES)

static pthread_mutex_t flite_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- to ASCII --- */

struct folded {
    char *text;
    int32_t *origin; /* byte of the piece's text for each byte of this one, and one for the end */
    size_t length, capacity;
};

static const struct {
    UChar32 c;
    const char *ascii;
} FOLD[] = {
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201a, "'"},
    {0x201b, "'"},
    {0x2032, "'"},
    {0x201c, "\""},
    {0x201d, "\""},
    {0x201e, "\""},
    {0x00ab, "\""},
    {0x00bb, "\""},
    {0x2013, ", "},
    {0x2014, ", "},
    {0x2015, ", "},
    {0x2212, " minus "},
    {0x2026, "..."},
    {0x00df, "ss"},
    {0x00e6, "ae"},
    {0x00c6, "Ae"},
    {0x00f8, "o"},
    {0x00d8, "O"},
    {0x0142, "l"},
    {0x0141, "L"},
    {0x0153, "oe"},
    {0x0152, "Oe"},
    {0x00f0, "th"},
    {0x00fe, "th"},
    {0x0111, "d"},
    {0x0131, "i"},
    {0x20ac, " euros "},
    {0x00a3, " pounds "},
    {0x00a5, " yen "},
    {0x00b0, " degrees "},
    {0x00d7, " times "},
    {0x00f7, " divided by "},
    {0x00b1, " plus or minus "},
    {0x00bd, " one half"},
    {0x00bc, " one quarter"},
    {0x00be, " three quarters"},
    {0x00a9, " "},
    {0x00ae, " "},
    {0x2122, " "},
    {0x2022, " "},
    {0x00b7, " "},
};

static void fold_add(struct folded *folded, const char *ascii, int32_t origin)
{
    for (; *ascii && folded->length + 1 < folded->capacity; ascii++) {
        folded->origin[folded->length] = origin;
        folded->text[folded->length++] = *ascii;
    }
}

/* One code point without its accents; nothing when it is not of the Latin alphabet. */
static void fold_one(struct folded *folded, UChar32 c, int32_t origin)
{
    if (c < 0x80) {
        char ascii[2] = {c == '<' || c == '>' ? ' ' : (char)c, 0}; /* it would spell them */
        fold_add(folded, ascii, origin);
        return;
    }
    for (size_t i = 0; i < sizeof FOLD / sizeof *FOLD; i++) {
        if (FOLD[i].c == c) {
            fold_add(folded, FOLD[i].ascii, origin);
            return;
        }
    }
    if (u_isUWhiteSpace(c)) {
        fold_add(folded, " ", origin);
        return;
    }
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&status);
    UChar parts[20];
    int32_t n = unorm2_getDecomposition(nfkd, c, parts, 20, &status);
    for (int32_t i = 0; U_SUCCESS(status) && i < n; i++) {
        char ascii[2] = {parts[i] < 0x80 ? (char)parts[i] : 0, 0};
        fold_add(folded, ascii, origin);
    }
}

static int fold(const char *text, size_t length, struct folded *ret_folded)
{
    /* the longest replacement (" plus or minus ", 15) stands for 2 bytes */
    struct folded folded = {.capacity = length * 8 + 16};
    folded.text = malloc(folded.capacity);
    folded.origin = malloc(folded.capacity * sizeof *folded.origin);
    if (!folded.text || !folded.origin) {
        free(folded.text);
        free(folded.origin);
        return CP_ERR_NOMEM;
    }
    for (int32_t i = 0; i < (int32_t)length;) {
        int32_t origin = i;
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, (int32_t)length, c);
        if (c > 0)
            fold_one(&folded, c, origin);
    }
    folded.text[folded.length] = '\0';
    folded.origin[folded.length] = (int32_t)length;
    *ret_folded = folded;
    return 0;
}

static void fold_free(struct folded *folded)
{
    free(folded->text);
    free(folded->origin);
}

static bool flite_readable(const char *text, size_t length)
{
    struct folded folded;
    if (fold(text, length, &folded))
        return true; /* out of memory is told later */
    bool readable = cp_text_has_words(folded.text, folded.length);
    fold_free(&folded);
    return readable;
}

/* --- the engine --- */

static int flite_open(const struct cp_speech_config *config, void **ret_engine, struct cp_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, (void (*)(void))flite_init);
    *ret_engine = NULL;
    return 0;
}

static int flite_voices(void *engine, struct cp_voice *voices, int capacity)
{
    int n = 0;
    for (size_t i = 0; i < N_VOICES && n < capacity; i++, n++) {
        struct cp_voice *voice = &voices[n];
        *voice = (struct cp_voice){.engine = "flite", .usable = true};
        snprintf(voice->id, sizeof voice->id, "flite:%s", VOICES[i].name);
        snprintf(voice->name, sizeof voice->name, "%s", VOICES[i].title);
        snprintf(voice->language, sizeof voice->language, "%s", i == 2 ? "en-GB" : "en-US");
        snprintf(voice->sex, sizeof voice->sex, "%s", VOICES[i].sex);
    }
    return n;
}

/* The speaker's mean pitch: what "pitch 1" is. Statistical voices keep it with their model, diphone voices in
 * a feature. */
static float usual_f0_hz(const cst_utterance *utterance)
{
    const cst_val *model = get_param_val(utterance->features, "cg_db", NULL);
    return get_param_float(utterance->features, "int_f0_target_mean",
                           model ? val_cg_db(model)->f0_mean : 100);
}

/* Voices with a model of accents (SPAM) take their melody from there, and no other. */
static bool has_own_melody(const cst_utterance *utterance)
{
    const cst_val *model = get_param_val(utterance->features, "cg_db", NULL);
    return model && val_cg_db(model)->spamf0;
}

/* How far the speaker's pitch swings around its mean, as a standard deviation. */
static float usual_swing_hz(const cst_utterance *utterance)
{
    const cst_val *model = get_param_val(utterance->features, "cg_db", NULL);
    return get_param_float(utterance->features, "int_f0_target_stddev",
                           model ? val_cg_db(model)->f0_stddev : 12);
}

/* The token (a stretch of text between blanks) that a segment belongs to; NULL for pauses. */
static const cst_item *token_of(const cst_item *segment, bool *ret_stressed)
{
    const cst_item *syllable = item_parent(item_as(segment, "SylStructure"));
    const cst_item *word = syllable ? item_parent(syllable) : NULL;
    const cst_item *as_token = word ? item_as(word, "Token") : NULL;
    if (!as_token)
        return NULL;
    *ret_stressed =
        item_feat_present(syllable, "stress") && !strcmp(item_feat_string(syllable, "stress"), "1");
    return item_parent(as_token);
}

/* Finds the token's text behind *at in the folded text and moves *at past it. */
static void find_token(const struct folded *folded, const cst_item *token, size_t *at, int32_t *ret_start,
                       int32_t *ret_end)
{
    const char *name = item_name(token);
    const char *found = strstr(folded->text + *at, name);
    size_t start = found ? (size_t)(found - folded->text) : *at;
    size_t end = start + (found ? strlen(name) : 0);
    *ret_start = folded->origin[start];
    /* the end of the last byte's character, not its start */
    *ret_end = end > start && end < folded->length && folded->origin[end] == folded->origin[end - 1]
                   ? folded->origin[end - 1] + 1
                   : folded->origin[end];
    *at = end;
}

static int add_events(cst_utterance *utterance, const struct folded *folded, struct cp_sound *sound)
{
    cst_relation *segments = utt_relation(utterance, "Segment");
    const cst_item *last_token = NULL;
    size_t text_at = 0, word_index = 0;
    int32_t at = 0;
    for (const cst_item *segment = segments ? relation_head(segments) : NULL; segment;
         segment = item_next(segment)) {
        int32_t end = (int32_t)((double)item_feat_float(segment, "end") * sound->hz);
        bool stressed = false;
        const cst_item *token = token_of(segment, &stressed);
        if (token && (!last_token || !item_equal(token, last_token))) {
            struct cp_sound_event word = {.type = CP_SOUND_WORD, .at = at};
            find_token(folded, token, &text_at, &word.start, &word.end);
            int result = cp_sound_add_event(sound, &word);
            if (result)
                return result;
            word_index = sound->n_events - 1;
            last_token = token;
        }
        const char *name = item_name(segment);
        struct cp_sound_event phone = {
            .type = CP_SOUND_PHONE, .at = at, .length = end - at, .stress = stressed ? 2 : 0};
        snprintf(phone.name, sizeof phone.name, "%s", token ? name : "");
        int result = cp_sound_add_event(sound, &phone);
        if (result)
            return result;
        if (token)
            sound->events[word_index].length = end - sound->events[word_index].at;
        at = end;
    }
    return 0;
}

/* --- pronunciations --- */

/* IPA and the phones of flite's English ("radio"). */
static const struct {
    const char *sign, *phone;
} PHONES[] = {
    {"iː", "iy"}, {"i", "iy"},  {"ɪ", "ih"},  {"ᵻ", "ih"},  {"eɪ", "ey"}, {"ɛ", "eh"},  {"e", "eh"},
    {"æ", "ae"},  {"a", "aa"},  {"ɑː", "aa"}, {"ɑ", "aa"},  {"ɒ", "aa"},  {"ɔː", "ao"}, {"ɔ", "ao"},
    {"oʊ", "ow"}, {"əʊ", "ow"}, {"o", "ow"},  {"ʊ", "uh"},  {"uː", "uw"}, {"u", "uw"},  {"ʌ", "ah"},
    {"ɐ", "ah"},  {"ə", "ax"},  {"ɜː", "er"}, {"ɜ", "er"},  {"ɚ", "er"},  {"ɝ", "er"},  {"aɪ", "ay"},
    {"ai", "ay"}, {"aʊ", "aw"}, {"au", "aw"}, {"ɔɪ", "oy"}, {"oi", "oy"}, {"ɔʏ", "oy"}, {"ei", "ey"},
    {"p", "p"},   {"b", "b"},   {"t", "t"},   {"d", "d"},   {"k", "k"},   {"ɡ", "g"},   {"f", "f"},
    {"v", "v"},   {"θ", "th"},  {"ð", "dh"},  {"s", "s"},   {"z", "z"},   {"ʃ", "sh"},  {"ʒ", "zh"},
    {"tʃ", "ch"}, {"dʒ", "jh"}, {"m", "m"},   {"n", "n"},   {"ŋ", "ng"},  {"l", "l"},   {"ɹ", "r"},
    {"j", "y"},   {"w", "w"},   {"h", "hh"},
};

static const char *find_phone(void *user, const char *sign, size_t length)
{
    for (size_t i = 0; i < sizeof PHONES / sizeof *PHONES; i++)
        if (strlen(PHONES[i].sign) == length && !strncmp(PHONES[i].sign, sign, length))
            return PHONES[i].phone;
    return NULL;
}

struct phones {
    char text[4 * CP_IPA_MAX_BYTES + 2]; /* with a blank and a NUL behind it */
    size_t length;
};

/* A vowel with its stress: "iy1"; flite knows no secondary one. */
static void put_phone(void *user, const char *phone, bool vowel, int stress)
{
    struct phones *phones = user;
    size_t room = sizeof phones->text - 2 - phones->length;
    int n = snprintf(phones->text + phones->length, room, "%s%s%s", phones->length ? " " : "", phone,
                     vowel ? stress == 2 ? "1" : "0" : "");
    if (n > 0 && (size_t)n < room)
        phones->length += (size_t)n;
}

/* Gives the tokens of pronounced stretches their phones, which flite then takes instead of its lexicon's. Of
 * tokens with the same phones only the first is said, so each stretch's end in a blank more or less. */
static void pronounce_tokens(cst_utterance *utterance, const struct cp_piece *piece,
                             const struct folded *folded)
{
    size_t at = 0;
    int next = 0;
    for (cst_item *token = relation_head(utt_relation(utterance, "Token")); token; token = item_next(token)) {
        int32_t start, end;
        find_token(folded, token, &at, &start, &end);
        while (next < piece->n_pronounced && piece->pronounced[next].end <= start)
            next++;
        if (next == piece->n_pronounced)
            return;
        if (piece->pronounced[next].start >= end)
            continue;
        struct phones phones = {.length = 0};
        const struct cp_ipa_speller speller = {find_phone, put_phone, &phones};
        if (cp_ipa_spell(piece->pronounced[next].ipa, &speller)) {
            phones.text[phones.length] = next % 2 ? ' ' : '\0';
            phones.text[phones.length + 1] = '\0';
            item_set_string(token, "phones", phones.text);
        }
    }
}

/* Text to sound, as flite does it, with our word where it looks up pronunciations. */
static bool synthesize(cst_utterance *utterance, const struct cp_piece *piece, const struct folded *folded)
{
    if (!piece->n_pronounced)
        return utt_synth(utterance) != NULL;
    default_tokenization(utterance); /* what its English voices use */
    pronounce_tokens(utterance, piece, folded);
    return utt_synth_tokens(utterance) != NULL;
}

static int flite_speak(void *engine, const struct cp_piece *piece, const atomic_bool *stop,
                       struct cp_sound *sound, struct cp_error *error)
{
    const struct flite_voice *voice = NULL;
    for (size_t i = 0; i < N_VOICES; i++)
        if (!strcmp(piece->voice, VOICES[i].name))
            voice = &VOICES[i];
    if (!voice)
        return cp_fail(error, CP_ERR_NOT_FOUND, STAGE, "flite has no voice named '%s'.", piece->voice);

    struct folded folded;
    if (fold(piece->text, piece->length, &folded))
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    if (!cp_text_has_words(folded.text, folded.length)) {
        fold_free(&folded);
        return cp_fail(error, CP_ERR_INVALID, STAGE,
                       "flite:%s speaks English and cannot read this script; choose another voice.",
                       voice->name);
    }

    pthread_mutex_lock(&flite_lock);
    cst_voice *speaker = voice->get(NULL);
    cst_utterance *utterance = new_utterance();
    utt_set_input_text(utterance, folded.text);
    utt_init(utterance, speaker);
    double usual_stretch = get_param_float(utterance->features, "duration_stretch", 1);
    feat_set_float(utterance->features, "duration_stretch", (float)(usual_stretch / piece->rate));
    if (piece->pitch != 1)
        feat_set_float(utterance->features, "int_f0_target_mean",
                       usual_f0_hz(utterance) * (float)piece->pitch);
    if (piece->range != 1 || piece->pitch != 1) /* a higher voice swings further by as much */
        feat_set_float(utterance->features, "int_f0_target_stddev",
                       usual_swing_hz(utterance) * (float)(piece->range * piece->pitch));
    sound->melody_ignored = has_own_melody(utterance);
    int result = CP_ERR_INTERNAL;
    cp_flite_hooks_begin(stop);
    if (synthesize(utterance, piece, &folded)) {
        const cst_wave *wave = utt_wave(utterance);
        if (get_param_int(utterance->features, "Interrupted", 0)) {
            result = CP_ERR_CANCELLED;
        } else if (wave && wave->num_samples >= 0) {
            sound->hz = wave->sample_rate;
            result = cp_sound_add_pcm(sound, wave->samples, (size_t)wave->num_samples);
        }
        if (!result)
            result = add_events(utterance, &folded, sound);
    }
    cp_flite_hooks_end();
    delete_utterance(utterance);
    pthread_mutex_unlock(&flite_lock);
    fold_free(&folded);
    if (result == CP_ERR_CANCELLED)
        return cp_fail(error, result, STAGE, "The sentence was cancelled.");
    if (result)
        return cp_fail(error, result, STAGE, "flite:%s could not speak a sentence of %zu bytes (%s).",
                       voice->name, piece->length, cp_err_name(result));
    return 0;
}

static void flite_close(void *engine)
{
    /* voices are static and shared; nothing is ours to free */
}

const struct cp_speech_provider cp_flite_provider = {
    .name = "flite",
    .summary = "English, in process, fast",
    .phones = CP_PHONES_RADIO,
    .phones_taken = true,
    .open = flite_open,
    .voices = flite_voices,
    .readable = flite_readable,
    .speak = flite_speak,
    .close = flite_close,
};
