/*
 * Phones to visemes.
 *
 * Visemes are those of Meta's Oculus LipSync ("Viseme reference": which phonemes each of the 15 stands for);
 * phone classes follow the charts of the International Phonetic Association (2020) and, for flite, the radio
 * phone set of the Festvox project. Weights: lips that must close or touch 1.0, tongue and throat sounds
 * less, since they hardly show; reduced vowels half. They were chosen by hand and are meant to be tuned by
 * eye.
 */
#include "speech/visemes.h"

#include <string.h>
#include <unicode/utf8.h>

#define V(name) CP_VISEME_##name
#define ONE(viseme, weight)                                                                                  \
    {                                                                                                        \
        1, {{V(viseme), 1, weight}}, false                                                                   \
    }
#define TWO(a, share_a, b, weight)                                                                           \
    {                                                                                                        \
        2, {{V(a), share_a, weight}, {V(b), 1 - (share_a), weight}}, false                                   \
    }
#define THREE(a, sa, b, sb, c, weight)                                                                       \
    {                                                                                                        \
        3, {{V(a), sa, weight}, {V(b), sb, weight}, {V(c), 1 - (sa) - (sb), weight}}, false                  \
    }
#define NEXT(weight)                                                                                         \
    {                                                                                                        \
        1, {{V(UNSET), 1, weight}}, true                                                                     \
    }

struct row {
    const char *phones; /* separated by blanks */
    struct cp_mouth mouth;
};

/* Only what can stand alone in an IPA string of several signs; the longest match wins. */
static const struct row IPA[] = {
    {"p b m ɓ ɸ Φ β ʙ", ONE(PP, 1.0f)},
    {"f v ɱ ʋ ⱱ", ONE(FF, 1.0f)},
    {"θ ð", ONE(TH, 0.9f)},
    {"t d ʈ ɖ ɗ th", ONE(DD, 0.8f)},
    {"ts dz ʦ ʣ tsh", TWO(DD, 0.4f, SS, 0.85f)},
    {"k g ɡ q ɢ x ɣ χ ħ ʕ ŋ ɠ ɰ X N", ONE(KK, 0.6f)},
    {"ʔ", ONE(KK, 0.2f)},
    {"ʃ ʒ ʂ ʐ ɕ ʑ ɧ tʃ dʒ tɕ dʑ ʈʂ ɖʐ S Z tS dZ s. z. ts. tɕh", ONE(CH, 0.9f)},
    {"c ɟ ç ʝ", TWO(KK, 0.5f, IH, 0.6f)},
    {"s z ɬ ɮ", ONE(SS, 0.9f)},
    {"n ɳ ɲ ɴ l ɭ ʎ ɫ ɺ ʟ", ONE(NN, 0.7f)},
    {"r ɹ ɻ ɽ ɚ ɝ", ONE(RR, 0.7f)},
    {"ɾ", ONE(RR, 0.4f)},
    {"ʁ ʀ", ONE(RR, 0.5f)}, /* made in the throat: little to see */
    {"w ʍ ɥ", ONE(OU, 0.8f)},
    {"j", ONE(IH, 0.6f)},
    {"h ɦ", NEXT(0.35f)},
    {"a ä ã ɑ A", ONE(AA, 0.9f)},
    {"æ", TWO(AA, 0.7f, E, 0.9f)},
    {"ɐ ʌ", ONE(AA, 0.7f)},
    {"e ẽ ɛ ε ɘ ɞ E", ONE(E, 0.8f)},
    {"ɜ", TWO(E, 0.6f, RR, 0.7f)},
    {"ə", ONE(E, 0.5f)},
    {"i ĩ ɨ ɯ ɿ ʅ I", ONE(IH, 0.8f)},
    {"ɪ", ONE(IH, 0.7f)},
    {"o õ ɔ ɒ ɵ ø œ O", ONE(OH, 0.9f)},
    {"ɤ", ONE(OH, 0.5f)},
    {"u ũ ʉ y ʏ U", ONE(OU, 0.9f)},
    {"ʊ", ONE(OU, 0.7f)},
    {"aɪ ai aɨ ɑɪ", TWO(AA, 0.6f, IH, 0.9f)},
    {"aʊ au ɑʊ æʊ ɑu", TWO(AA, 0.6f, OU, 0.9f)},
    {"eɪ ei ɛɪ", TWO(E, 0.6f, IH, 0.8f)},
    {"ɔɪ oɪ oi ɔø", TWO(OH, 0.6f, IH, 0.9f)},
    {"oʊ əʊ ou ʌʊ ɐʊ", TWO(OH, 0.6f, OU, 0.9f)},
    {"ɪə iə ie iɛ", TWO(IH, 0.5f, E, 0.8f)},
    {"ia ja", TWO(IH, 0.5f, AA, 0.8f)},
    {"eə ɛə", ONE(E, 0.8f)},
    {"ʊə uə uo", TWO(OU, 0.5f, OH, 0.9f)},
    {"iou", THREE(IH, 0.3f, OH, 0.3f, OU, 0.9f)},
    {"uai", THREE(OU, 0.3f, AA, 0.4f, IH, 0.9f)},
    {"əl", TWO(E, 0.4f, NN, 0.7f)},
    {"_", ONE(SIL, 1.0f)},
};

static const struct row RADIO[] = {
    {"p b m em", ONE(PP, 1.0f)},
    {"f v", ONE(FF, 1.0f)},
    {"th dh", ONE(TH, 0.9f)},
    {"t d", ONE(DD, 0.8f)},
    {"dx", ONE(DD, 0.4f)},
    {"k g ng", ONE(KK, 0.6f)},
    {"ch jh sh zh", ONE(CH, 0.9f)},
    {"s z", ONE(SS, 0.9f)},
    {"n l en el nx", ONE(NN, 0.7f)},
    {"r er axr", ONE(RR, 0.7f)},
    {"w", ONE(OU, 0.8f)},
    {"y", ONE(IH, 0.6f)},
    {"hh hv", NEXT(0.35f)},
    {"aa", ONE(AA, 0.9f)},
    {"ae", TWO(AA, 0.7f, E, 0.9f)},
    {"ah", ONE(AA, 0.7f)},
    {"ax", ONE(E, 0.5f)},
    {"eh", ONE(E, 0.8f)},
    {"ih iy", ONE(IH, 0.8f)},
    {"ao", ONE(OH, 0.9f)},
    {"uh uw", ONE(OU, 0.9f)},
    {"ay", TWO(AA, 0.6f, IH, 0.9f)},
    {"aw", TWO(AA, 0.6f, OU, 0.9f)},
    {"ey", TWO(E, 0.6f, IH, 0.8f)},
    {"oy", TWO(OH, 0.6f, IH, 0.9f)},
    {"ow", TWO(OH, 0.6f, OU, 0.9f)},
    {"pau h# brth sil ssil", ONE(SIL, 1.0f)},
};

static const struct cp_mouth SILENT = ONE(SIL, 1.0f);
static const struct cp_mouth UNKNOWN = ONE(E, 0.4f);

/* The row that names exactly these bytes; NULL when none does. */
static const struct cp_mouth *lookup(const struct row *rows, size_t n_rows, const char *phone, size_t length)
{
    for (size_t i = 0; i < n_rows; i++) {
        for (const char *name = rows[i].phones; *name;) {
            size_t name_length = strcspn(name, " ");
            if (name_length == length && !memcmp(name, phone, length))
                return &rows[i].mouth;
            name += name_length;
            name += *name == ' ';
        }
    }
    return NULL;
}

/* Bytes of the first `count` code points, or 0 when there are fewer. */
static size_t code_points(const char *text, int count)
{
    size_t length = strlen(text), i = 0;
    while (count-- > 0) {
        if (i >= length)
            return 0;
        U8_FWD_1((const uint8_t *)text, i, length);
    }
    return i;
}

/* Adds one sign's shapes behind those of earlier signs of the same phone. */
static void append(struct cp_mouth *mouth, const struct cp_mouth *more)
{
    if (more->of_next && mouth->n)
        return; /* aspiration behind a stop */
    mouth->of_next = more->of_next;
    for (int i = 0; i < more->n && mouth->n < CP_VISEME_PARTS; i++)
        mouth->part[mouth->n++] = more->part[i];
}

static struct cp_mouth mouth_of_ipa(const char *phone)
{
    struct cp_mouth mouth = {0};
    if (*phone == '(') /* "(en)": a language switch of espeak-ng */
        return mouth;
    bool known = false;
    while (*phone) {
        const struct cp_mouth *found = NULL;
        size_t length = 0;
        for (int count = 3; count > 0 && !found; count--)
            if ((length = code_points(phone, count)) > 0)
                found = lookup(IPA, sizeof IPA / sizeof *IPA, phone, length);
        if (found) {
            append(&mouth, found);
            known = true;
        }
        phone += found ? length : code_points(phone, 1); /* length marks, tones, stress: no shape */
    }
    if (!known)
        return UNKNOWN;
    float total = 0;
    for (int i = 0; i < mouth.n; i++)
        total += mouth.part[i].share;
    for (int i = 0; i < mouth.n; i++)
        mouth.part[i].share /= total;
    return mouth;
}

/* A guessed shape: shown a little weaker than a known one, but lips that must close do close. */
static struct cp_mouth mouth_of_shape(const char *name)
{
    enum cp_viseme viseme = cp_viseme_from_name(name);
    if (viseme == CP_VISEME_UNSET)
        return UNKNOWN;
    return (struct cp_mouth){1, {{viseme, 1, viseme == CP_VISEME_PP ? 1.0f : 0.7f}}, false};
}

struct cp_mouth cp_mouth_of_phone(enum cp_phone_set set, const char *phone)
{
    if (!*phone)
        return SILENT;
    if (set == CP_PHONES_IPA) /* espeak-ng's Japanese gives a glide of its own for what makes a sound soft */
        return mouth_of_ipa(strcmp(phone, "ʲ") ? phone : "j");
    if (set == CP_PHONES_SHAPES)
        return mouth_of_shape(phone);
    const struct cp_mouth *mouth = lookup(RADIO, sizeof RADIO / sizeof *RADIO, phone, strlen(phone));
    return mouth ? *mouth : UNKNOWN;
}

bool cp_phone_is_stop(const char *phone)
{
    return strchr("pbtdkgc", *phone) != NULL || !strncmp(phone, "ɡ", 2) || !strncmp(phone, "ʈ", 2);
}
