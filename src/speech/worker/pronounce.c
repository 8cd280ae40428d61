/*
 * Each language of espeak-ng has phonemes and names for them of its own, and no list of them can be asked
 * for. But it tells the IPA of any row of names, so all short names are tried, and those that come back as
 * one phone are the voice's inventory.
 */
#include "speech/worker/pronounce.h"

#include "speech/ipa.h"

#include <espeak-ng/speak_lib.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PHONES = 700, NAME_BYTES = 6, SIGN_BYTES = 16 };

static struct {
    char voice[64];
    struct {
        char name[NAME_BYTES], sign[SIGN_BYTES];
    } phones[MAX_PHONES];
    int n;
} inventory;

static const char *find(void *user, const char *sign, size_t length)
{
    for (int i = 0; i < inventory.n; i++)
        if (!strncmp(inventory.phones[i].sign, sign, length) && !inventory.phones[i].sign[length])
            return inventory.phones[i].name;
    return NULL;
}

/* In front of a vowel, because many languages say "d" as "t" where nothing follows. */
static void try_name(const char *name)
{
    char row[NAME_BYTES + 8];
    snprintf(row, sizeof row, "[[%s|a]]", name);
    const void *rest = row;
    const char *ipa = espeak_TextToPhonemes(&rest, espeakCHARS_UTF8, espeakPHONEMES_IPA | '_' << 8);
    while (ipa && (!strncmp(ipa, "ˈ", 2) || !strncmp(ipa, "ˌ", 2)))
        ipa += 2;
    size_t length = ipa ? strcspn(ipa, "_") : 0;
    bool one = length && ipa[length] && !strchr(ipa + length + 1, '_');
    if (!one || length >= SIGN_BYTES || inventory.n == MAX_PHONES || find(NULL, ipa, length))
        return;
    snprintf(inventory.phones[inventory.n].name, NAME_BYTES, "%s", name);
    snprintf(inventory.phones[inventory.n++].sign, SIGN_BYTES, "%.*s", (int)length, ipa);
}

/* Some 1500 names, 10 ms. */
static void take_inventory(const char *voice)
{
    static const char LETTERS[] = "abdefghijklmnopqrstuvwxyzACDEGHIJLMNOQRSTUVWXYZ@03&?",
                      VOWELS[] = "aeiouyAEIOUVWY@03&", FOLLOWING[] = "ieouIUYWE@aSZsz";
    static const char *const BEHIND[] = {"", ":", "~", "^", "\"", ";", ".", "2", "#", "A:", "~:"};
    snprintf(inventory.voice, sizeof inventory.voice, "%s", voice);
    inventory.n = 0;
    for (size_t k = 0; k < sizeof BEHIND / sizeof *BEHIND; k++)
        for (const char *letter = LETTERS; *letter; letter++) {
            char name[NAME_BYTES];
            snprintf(name, sizeof name, "%c%s", *letter, BEHIND[k]);
            try_name(name);
        }
    for (const char *first = VOWELS; *first; first++)
        for (const char *second = FOLLOWING; *second; second++)
            try_name((char[]){*first, *second, '\0'});
    for (const char *first = "tdpk"; *first; first++)
        for (const char *second = "SZszCf"; *second; second++)
            try_name((char[]){*first, *second, '\0'});
}

static void put(void *user, const char *phone, bool vowel, int stress)
{
    struct respelling *respelling = user;
    respelling_add(respelling, "|", 1);
    if (stress)
        respelling_add(respelling, stress == 2 ? "'" : ",", 1);
    respelling_add(respelling, phone, strlen(phone));
}

/* The text's bytes [at, end), each character for itself. "[[" would begin phonemes. */
static void copy(struct respelling *respelling, const char *text, int at, int end)
{
    while (at < end) {
        int next = at + 1, character = respelling->characters;
        while (next < end && (text[next] & 0xc0) == 0x80)
            next++;
        bool bracket = text[at] == '[' || text[at] == ']';
        respelling_add(respelling, bracket ? " " : text + at, (size_t)(next - at));
        respelling_word(respelling, character, at, next);
        at = next;
    }
}

bool respell_pronounced(const char *text, const json_t *stretches, const char *voice,
                        struct respelling *respelling)
{
    int length = (int)strlen(text), at = 0;
    if (!json_array_size(stretches))
        return false;
    espeak_Synth("[[a]]", 6, 0, POS_CHARACTER, 0, espeakCHARS_UTF8 | espeakPHONEMES, NULL, NULL);
    if (strcmp(inventory.voice, voice) != 0)
        take_inventory(voice);
    respelling_clear(respelling);
    for (size_t i = 0; i < json_array_size(stretches); i++) {
        const json_t *stretch = json_array_get(stretches, i);
        json_int_t start = json_integer_value(json_object_get(stretch, "start")),
                   end = json_integer_value(json_object_get(stretch, "end"));
        const char *ipa = json_string_value(json_object_get(stretch, "ipa"));
        if (!ipa || start < at || end <= start || end > length)
            continue;
        copy(respelling, text, at, (int)start);
        int character = respelling->characters;
        respelling_add(respelling, "[[", 2);
        const struct cp_ipa_speller speller = {find, put, respelling};
        int n = cp_ipa_spell(ipa, &speller);
        respelling_add(respelling, "]]", 2);
        respelling_word(respelling, character, (int)start, (int)end);
        at = n ? (int)end : (int)start;
    }
    copy(respelling, text, at, length);
    return !respelling->failed;
}
