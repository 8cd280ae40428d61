/*
 * How languages form their sounds. The 15 visemes were chosen by what English shows (Meta, "Viseme
 * reference"): they have one rounded close vowel and one r. A phone that looks otherwise has a row here,
 * which takes the place of its viseme's recipe in mouth.c; all others look like their viseme.
 *
 * Names are those that voices give (IPA by espeak-ng, which keeps a few habits of its own such as "y" for
 * Russian ы; the radio phones of Festvox by flite). Sources: IPA Handbook (1999) and the Journal of the IPA's
 * "Illustrations" of each language; Ladefoged and Maddieson, The Sounds of the World's Languages (1996), for
 * lips (sections 5.3, 7.3, 9.2) and rhotics (chapter 7). Each row says what it rests on. Weights were set by
 * eye, on the scale of mouth.c.
 */
#include "avatar/mouth.h"

#include <stddef.h>
#include <string.h>

#define BOTH MOUTH_BOTH
#define ONE  MOUTH_ONE

enum {
    RADIO = 1 << 0, /* flite's alphabet: English */
    EN = 1 << 1,
    DE = 1 << 2,
    FR = 1 << 3,
    ES = 1 << 4, /* Spanish, Catalan, Galician, Basque */
    IT = 1 << 5,
    PT = 1 << 6,
    ZH = 1 << 7,
    JA = 1 << 8,
    RU = 1 << 9, /* East Slavic */
    PL = 1 << 10,
    SV = 1 << 11, /* Swedish, Norwegian */
    KO = 1 << 12,
    NL = 1 << 13,
    OTHER = 1 << 14,
    ANY = 0xFFFF & ~RADIO,
};

static const struct {
    char tag[4];
    uint32_t language;
} TAG[] = {{"en", EN}, {"de", DE}, {"fr", FR},  {"es", ES}, {"ca", ES}, {"gl", ES}, {"eu", ES}, {"it", IT},
           {"pt", PT}, {"zh", ZH}, {"cmn", ZH}, {"ja", JA}, {"ru", RU}, {"uk", RU}, {"be", RU}, {"pl", PL},
           {"sv", SV}, {"nb", SV}, {"nn", SV},  {"no", SV}, {"ko", KO}, {"nl", NL}, {"af", NL}};

uint32_t phone_language(const char *voice)
{
    const char *colon = strchr(voice, ':'), *tag = colon ? colon + 1 : voice;
    if (!strncmp(voice, "flite:", 6))
        return RADIO;
    size_t length = strcspn(tag, "-_+ ");
    for (size_t i = 0; i < sizeof TAG / sizeof *TAG; i++)
        if (strlen(TAG[i].tag) == length && !strncmp(TAG[i].tag, tag, length))
            return TAG[i].language;
    return OTHER;
}

struct phone_rule {
    const char *phones; /* parts of a phone's name, separated by blanks: "y" is in "yː" and in "œy" */
    uint32_t languages;
    enum cp_viseme of; /* of the phone's visemes, the one that is formed so */
    struct recipe recipe;
};

/* The first row that fits counts: what is special stands above what is general. */
static const struct phone_rule RULE[] = {
    /* --- rounded vowels --- */

    /* espeak-ng writes ы so: close, central, and not rounded (Yanushevskaya and Buncic 2015). */
    {"y",
     RU,
     CP_VISEME_OU,
     {{1.3f, 1, 0.8f, 0.5f}, {ONE(jawOpen, 0.18f), BOTH(mouthStretch, 0.22f), BOTH(mouthLowerDown, 0.22f)}}},
    /* Swedish and Norwegian ʉ, u: compressed, the corners hardly come forward (Engstrand 1990; Ladefoged and
     * Maddieson 9.2 on inrounding). */
    {"ʉ",
     SV,
     CP_VISEME_OU,
     {{1.5f, 1.2f, 2.5f, 0.6f},
      {ONE(jawOpen, 0.10f), ONE(mouthPucker, 0.60f), BOTH(mouthPress, 0.22f), ONE(mouthRollLower, 0.12f)}}},
    /* Close front rounded y, ʏ and the glide ɥ: lips as far forward as for u, or further, round a smaller
     * gap, the tongue high in front (Fougeron and Smith 1993; Kohler 1990). */
    {"y ʏ ɥ",
     ANY,
     CP_VISEME_OU,
     {{1.6f, 1, 2.8f, 0.8f},
      {ONE(jawOpen, 0.09f), ONE(mouthFunnel, 0.22f), ONE(mouthPucker, 0.95f), ONE(tongueUp, 0.25f)}}},
    /* Mid front rounded ø, ɵ, then the opener œ: o's lips round a flatter gap. */
    {"œ̃",
     FR,
     CP_VISEME_OH,
     {{1.6f, 1, 1.8f, 0.6f},
      {ONE(jawOpen, 0.38f), ONE(mouthFunnel, 0.42f), ONE(mouthPucker, 0.12f), BOTH(mouthUpperUp, 0.14f)}}},
    {"ø ɵ",
     ANY,
     CP_VISEME_OH,
     {{1.6f, 1, 2.2f, 0.6f},
      {ONE(jawOpen, 0.22f), ONE(mouthFunnel, 0.48f), ONE(mouthPucker, 0.58f), ONE(tongueUp, 0.12f)}}},
    {"œ",
     ANY,
     CP_VISEME_OH,
     {{1.6f, 1, 2, 0.6f},
      {ONE(jawOpen, 0.34f), ONE(mouthFunnel, 0.55f), ONE(mouthPucker, 0.28f), ONE(tongueUp, 0.08f)}}},
    /* Japanese ɯᵝ: the lips come together and hardly forward (Okada 1991: "compressed"). */
    {"ɯ",
     JA,
     CP_VISEME_IH,
     {{1.3f, 1, 1.2f, 0.5f},
      {ONE(jawOpen, 0.11f), ONE(mouthPucker, 0.24f), BOTH(mouthPress, 0.10f), BOTH(mouthLowerDown, 0.08f)}}},
    {"w",
     JA,
     CP_VISEME_OU,
     {{1, 0.8f, 1.2f, 0.4f}, {ONE(jawOpen, 0.14f), ONE(mouthPucker, 0.34f), BOTH(mouthPress, 0.08f)}}},
    /* ɯ of Korean and Turkish: the lips stay neutral, neither spread as i nor rounded. */
    {"ɯ ɨ",
     ANY,
     CP_VISEME_IH,
     {{1.2f, 0.8f, 0.8f, 0.5f},
      {ONE(jawOpen, 0.17f), BOTH(mouthStretch, 0.10f), BOTH(mouthLowerDown, 0.20f),
       BOTH(mouthUpperUp, 0.12f)}}},
    /* American u of "food" is fronted and less rounded than the continental one, that of "put" hardly
     * (Ladefoged 1999; Hillenbrand and others 1995). */
    {"uw uː",
     RADIO | EN,
     CP_VISEME_OU,
     {{1.4f, 1, 2.2f, 0.5f}, {ONE(jawOpen, 0.15f), ONE(mouthFunnel, 0.32f), ONE(mouthPucker, 0.66f)}}},
    {"uh ʊ",
     RADIO | EN,
     CP_VISEME_OU,
     {{1.3f, 0.8f, 1.5f, 0.5f}, {ONE(jawOpen, 0.20f), ONE(mouthFunnel, 0.32f), ONE(mouthPucker, 0.26f)}}},
    /* English ɒ, ɔ are open; the continental o is closer and firmer round. */
    {"ao ɒ",
     RADIO | EN,
     CP_VISEME_OH,
     {{1.8f, 1, 1.6f, 0.5f}, {ONE(jawOpen, 0.48f), ONE(mouthFunnel, 0.52f), ONE(mouthPucker, 0.12f)}}},

    /* --- French nasal vowels (Fougeron and Smith 1993; Hansen 1998 on Parisian: ɛ̃ spread and open, ɑ̃ with
     * some rounding, ɔ̃ close to o) --- */
    {"ɔ̃",
     ANY,
     CP_VISEME_OH,
     {{1.7f, 1, 2.4f, 0.5f}, {ONE(jawOpen, 0.24f), ONE(mouthFunnel, 0.46f), ONE(mouthPucker, 0.62f)}}},
    {"ɑ̃",
     FR,
     CP_VISEME_AA,
     {{1.9f, 1, 1.6f, 0.5f},
      {ONE(jawOpen, 0.50f), ONE(mouthFunnel, 0.34f), ONE(mouthPucker, 0.06f), BOTH(mouthLowerDown, 0.12f)}}},
    {"ɛ̃",
     FR,
     CP_VISEME_E,
     {{1.7f, 1.2f, 1, 0.5f},
      {ONE(jawOpen, 0.40f), BOTH(mouthStretch, 0.42f), BOTH(mouthSmile, 0.12f), BOTH(mouthUpperUp, 0.22f),
       BOTH(mouthLowerDown, 0.30f)}}},

    /* --- sibilants ---
     * English, French and German ʃ rounds the lips (Ladefoged and Maddieson 5.3). Mandarin's retroflex
     * sibilants do not, nor does ɕ of Mandarin, Japanese and Polish, which has the lips of i (Lee and Zee
     * 2003; Okada 1991; Jassem 2003). */
    {"ɕ ʑ",
     ANY,
     CP_VISEME_CH,
     {{1.3f, 1, 0.6f, 0.5f},
      {ONE(jawOpen, 0.10f), BOTH(mouthStretch, 0.34f), BOTH(mouthSmile, 0.14f), BOTH(mouthLowerDown, 0.30f),
       BOTH(mouthUpperUp, 0.20f)}}},
    {"ʂ ʐ s. z. ts. ʈʂ",
     ZH,
     CP_VISEME_CH,
     {{1.2f, 0.9f, 0.8f, 0.9f},
      {ONE(jawOpen, 0.12f), ONE(mouthFunnel, 0.18f), ONE(tongueUp, 0.55f), BOTH(mouthLowerDown, 0.28f),
       BOTH(mouthUpperUp, 0.18f)}}},
    {"ʃ ʒ",
     FR | DE,
     CP_VISEME_CH,
     {{1.2f, 1, 1.9f, 0.3f},
      {ONE(jawOpen, 0.12f), ONE(mouthFunnel, 0.85f), ONE(mouthPucker, 0.30f), BOTH(mouthLowerDown, 0.20f)}}},
    /* The vowel of "shi", "zi": the consonant's teeth and tongue go on sounding (Lee and Zee 2003). */
    {"i. i̪ ɿ ʅ",
     ZH,
     CP_VISEME_IH,
     {{1.4f, 1, 0.8f, 0.9f},
      {ONE(jawOpen, 0.10f), ONE(tongueUp, 0.40f), BOTH(mouthStretch, 0.18f), BOTH(mouthLowerDown, 0.30f),
       BOTH(mouthUpperUp, 0.18f)}}},

    /* --- the many r ---
     * English ɹ rounds the lips, whatever stands beside it (Zawadzki and Kuehn 1980); Mandarin's ɻ a little.
     * A trill or tap is the tongue's tip alone; an uvular r is not seen but in the jaw. */
    {"ɾ dx",
     ANY | RADIO,
     CP_VISEME_RR,
     {{0.5f, 0.15f, 0.1f, 1.6f}, {ONE(jawOpen, 0.18f), ONE(tongueUp, 0.70f), BOTH(mouthLowerDown, 0.15f)}}},
    {"dx ɾ",
     ANY | RADIO,
     CP_VISEME_DD,
     {{0.5f, 0.15f, 0.1f, 1.6f}, {ONE(jawOpen, 0.18f), ONE(tongueUp, 0.70f), BOTH(mouthLowerDown, 0.15f)}}},
    {"r",
     DE | FR | NL,
     CP_VISEME_RR, /* espeak-ng's sign for the uvular one in German */
     {{0.4f, 0.15f, 0.1f, 0.3f}, {ONE(jawOpen, 0.22f), BOTH(mouthLowerDown, 0.15f)}}},
    {"ʁ ʀ",
     ANY,
     CP_VISEME_RR,
     {{0.4f, 0.15f, 0.1f, 0.3f}, {ONE(jawOpen, 0.22f), BOTH(mouthLowerDown, 0.15f)}}},
    {"ər ɚ",
     ZH,
     CP_VISEME_RR,
     {{0.8f, 0.6f, 0.8f, 1.2f}, {ONE(jawOpen, 0.22f), ONE(tongueUp, 0.50f), ONE(mouthFunnel, 0.22f)}}},
    {"er axr ɚ ɝ",
     RADIO | EN,
     CP_VISEME_RR, /* vowels: the lips are held, less far */
     {{1.1f, 0.7f, 1.4f, 0.9f},
      {ONE(jawOpen, 0.20f), ONE(mouthFunnel, 0.40f), ONE(mouthPucker, 0.22f), ONE(tongueUp, 0.30f)}}},
    {"r ɹ",
     RADIO | EN,
     CP_VISEME_RR,
     {{0.8f, 0.7f, 1.9f, 0.9f},
      {ONE(jawOpen, 0.13f), ONE(mouthFunnel, 0.55f), ONE(mouthPucker, 0.48f), ONE(tongueUp, 0.35f)}}},
    {"r",
     ANY & ~EN,
     CP_VISEME_RR,
     {{0.6f, 0.2f, 0.1f, 2}, {ONE(jawOpen, 0.19f), ONE(tongueUp, 0.80f), BOTH(mouthLowerDown, 0.22f)}}},

    /* --- glides and dentals ---
     * English w is the firmest rounding of the language. */
    {"w ʍ",
     RADIO | EN,
     CP_VISEME_OU,
     {{1.3f, 1, 3, 0.4f}, {ONE(jawOpen, 0.09f), ONE(mouthFunnel, 0.30f), ONE(mouthPucker, 0.95f)}}},
    /* Spanish d and b between vowels only come near: no tongue between the teeth, lips that do not quite meet
     * (Martinez-Celdran and others 2003). */
    {"ð",
     ES,
     CP_VISEME_TH,
     {{0.6f, 0.3f, 0.15f, 1.4f}, {ONE(jawOpen, 0.20f), ONE(tongueUp, 0.45f), BOTH(mouthLowerDown, 0.22f)}}},
    {"β",
     ES,
     CP_VISEME_PP,
     {{1, 2, 0.4f, 0.1f}, {ONE(jawOpen, 0.07f), BOTH(mouthPress, 0.20f), ONE(mouthRollLower, 0.22f)}}},
    /* Japanese ɸ before u is breath between lips that come near and do not meet (Okada 1991). */
    {"ɸ Φ",
     ANY,
     CP_VISEME_PP,
     {{1, 2, 1, 0.1f}, {ONE(jawOpen, 0.08f), ONE(mouthPucker, 0.26f), BOTH(mouthPress, 0.12f)}}},
    /* l and n of the tongue's tip in languages that have them dental: the tip is seen at the teeth. */
    {"l n",
     ES | IT | FR,
     CP_VISEME_NN,
     {{0.6f, 0.25f, 0.15f, 2},
      {ONE(jawOpen, 0.17f), ONE(tongueUp, 0.75f), BOTH(mouthLowerDown, 0.28f), BOTH(mouthUpperUp, 0.14f)}}},
};

static int has_part(const char *phone, const char *parts)
{
    char part[12];
    for (const char *at = parts; *at;) {
        size_t length = strcspn(at, " ");
        if (length < sizeof part) {
            memcpy(part, at, length);
            part[length] = 0;
            if (strstr(phone, part))
                return 1;
        }
        at += length + (at[length] == ' ');
    }
    return 0;
}

const struct recipe *phone_recipe(uint32_t language, const char *phone, enum cp_viseme viseme)
{
    for (size_t i = 0; i < sizeof RULE / sizeof *RULE; i++)
        if (RULE[i].of == viseme && (RULE[i].languages & language) && has_part(phone, RULE[i].phones))
            return &RULE[i].recipe;
    return NULL;
}
