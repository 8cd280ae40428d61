/* Which bone a name means. Names are taken apart into words, since every tool joins them its own way. */
#include "avatar/load.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS      12
#define MAX_WORD_BYTES 20

struct words {
    int n;
    char word[MAX_WORDS][MAX_WORD_BYTES];
};

/* "mixamorig:LeftForeArm" -> mixamorig left fore arm; digits stay with their word ("spine1"). */
static void split_words(const char *name, struct words *ret)
{
    *ret = (struct words){0};
    size_t length = 0;
    char before = 0;
    for (const char *c = name; *c && ret->n < MAX_WORDS; before = *c++) {
        bool border = !isalnum((unsigned char)*c) ||
                      (isupper((unsigned char)*c) && !isupper((unsigned char)before) && length);
        if (border && length) {
            ret->n++;
            length = 0;
        }
        if (isalnum((unsigned char)*c) && ret->n < MAX_WORDS && length + 1 < MAX_WORD_BYTES)
            ret->word[ret->n][length++] = (char)tolower((unsigned char)*c);
    }
    if (length && ret->n < MAX_WORDS)
        ret->n++;
}

/* Words that tools put in front of the bone's own name. */
static bool is_prefix(const char *word)
{
    static const char *const prefix[] = {"j",   "c",   "bip",  "bip01", "bip001", "adj",
                                         "def", "org", "bone", "cc",    "base"};
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (!strcmp(word, prefix[i]))
            return true;
    return !strncmp(word, "mixamorig", 9);
}

enum side { BOTH, MIDDLE, LEFT, RIGHT };

static const struct {
    const char *stem;
    enum side side; /* BOTH: has a left and a right bone, right one follows as listed */
    enum cp_bone left, right;
} STEM[] = {
    {"hips", MIDDLE, CP_BONE_HIPS, 0},
    {"hip", MIDDLE, CP_BONE_HIPS, 0},
    {"pelvis", MIDDLE, CP_BONE_HIPS, 0},
    {"spine", MIDDLE, CP_BONE_SPINE, 0},
    {"waist", MIDDLE, CP_BONE_SPINE, 0},
    {"spine1", MIDDLE, CP_BONE_CHEST, 0},
    {"spine01", MIDDLE, CP_BONE_CHEST, 0},
    {"spine2", MIDDLE, CP_BONE_UPPER_CHEST, 0},
    {"spine02", MIDDLE, CP_BONE_UPPER_CHEST, 0},
    {"chest", MIDDLE, CP_BONE_CHEST, 0},
    {"upperchest", MIDDLE, CP_BONE_UPPER_CHEST, 0},
    {"neck", MIDDLE, CP_BONE_NECK, 0},
    {"neck01", MIDDLE, CP_BONE_NECK, 0},
    {"necktwist01", MIDDLE, CP_BONE_NECK, 0},
    {"head", MIDDLE, CP_BONE_HEAD, 0},
    {"jaw", MIDDLE, CP_BONE_JAW, 0},
    {"jawroot", MIDDLE, CP_BONE_JAW, 0},
    {"eye", BOTH, CP_BONE_LEFT_EYE, CP_BONE_RIGHT_EYE},
    {"faceeye", BOTH, CP_BONE_LEFT_EYE, CP_BONE_RIGHT_EYE},
    {"eyeball", BOTH, CP_BONE_LEFT_EYE, CP_BONE_RIGHT_EYE},
    {"shoulder", BOTH, CP_BONE_LEFT_SHOULDER, CP_BONE_RIGHT_SHOULDER},
    {"clavicle", BOTH, CP_BONE_LEFT_SHOULDER, CP_BONE_RIGHT_SHOULDER},
    {"arm", BOTH, CP_BONE_LEFT_UPPER_ARM, CP_BONE_RIGHT_UPPER_ARM},
    {"upperarm", BOTH, CP_BONE_LEFT_UPPER_ARM, CP_BONE_RIGHT_UPPER_ARM},
    {"forearm", BOTH, CP_BONE_LEFT_LOWER_ARM, CP_BONE_RIGHT_LOWER_ARM},
    {"lowerarm", BOTH, CP_BONE_LEFT_LOWER_ARM, CP_BONE_RIGHT_LOWER_ARM},
    {"hand", BOTH, CP_BONE_LEFT_HAND, CP_BONE_RIGHT_HAND},
    {"wrist", BOTH, CP_BONE_LEFT_HAND, CP_BONE_RIGHT_HAND},
    {"upleg", BOTH, CP_BONE_LEFT_UPPER_LEG, CP_BONE_RIGHT_UPPER_LEG},
    {"upperleg", BOTH, CP_BONE_LEFT_UPPER_LEG, CP_BONE_RIGHT_UPPER_LEG},
    {"thigh", BOTH, CP_BONE_LEFT_UPPER_LEG, CP_BONE_RIGHT_UPPER_LEG},
    {"leg", BOTH, CP_BONE_LEFT_LOWER_LEG, CP_BONE_RIGHT_LOWER_LEG},
    {"lowerleg", BOTH, CP_BONE_LEFT_LOWER_LEG, CP_BONE_RIGHT_LOWER_LEG},
    {"calf", BOTH, CP_BONE_LEFT_LOWER_LEG, CP_BONE_RIGHT_LOWER_LEG},
    {"shin", BOTH, CP_BONE_LEFT_LOWER_LEG, CP_BONE_RIGHT_LOWER_LEG},
    {"foot", BOTH, CP_BONE_LEFT_FOOT, CP_BONE_RIGHT_FOOT},
    {"ankle", BOTH, CP_BONE_LEFT_FOOT, CP_BONE_RIGHT_FOOT},
    {"toes", BOTH, CP_BONE_LEFT_TOES, CP_BONE_RIGHT_TOES},
    {"toe", BOTH, CP_BONE_LEFT_TOES, CP_BONE_RIGHT_TOES},
    {"toe0", BOTH, CP_BONE_LEFT_TOES, CP_BONE_RIGHT_TOES},
    {"toebase", BOTH, CP_BONE_LEFT_TOES, CP_BONE_RIGHT_TOES},
    {"ball", BOTH, CP_BONE_LEFT_TOES, CP_BONE_RIGHT_TOES},
};

/* Which joint of a finger, from the hand outwards, a name's end means: 0, 1 or 2; -1 for none ("4", "end").
 */
static int finger_segment(const char *end, bool thumb)
{
    static const char *const segment[3][4] = {
        {"1", "01", "proximal", NULL}, {"2", "02", "intermediate", NULL}, {"3", "03", "distal", NULL}};
    if (thumb && !strcmp(end, "metacarpal"))
        return 0;
    if (thumb && !strcmp(end, "proximal")) /* VRM 1.0 counts the thumb's metacarpal */
        return 1;
    for (int s = 0; s < 3; s++)
        for (int i = 0; segment[s][i]; i++)
            if (!strcmp(end, segment[s][i]))
                return s;
    return -1;
}

/* "handthumb1", "findex01", "littledistal" -> the left hand's bone; the right hand's come in the same order.
 */
static enum cp_bone finger_of_stem(const char *stem)
{
    static const struct {
        const char *word;
        int finger;
    } FINGER[] = {{"thumb", 0}, {"index", 1},  {"middle", 2}, {"mid", 2},
                  {"ring", 3},  {"little", 4}, {"pinky", 4}};
    if (!strncmp(stem, "hand", 4))
        stem += 4;
    else if (stem[0] == 'f' && strncmp(stem, "foot", 4))
        stem++;
    for (size_t i = 0; i < sizeof FINGER / sizeof *FINGER; i++) {
        size_t n = strlen(FINGER[i].word);
        if (strncmp(stem, FINGER[i].word, n))
            continue;
        int segment = finger_segment(stem + n, FINGER[i].finger == 0);
        if (segment >= 0)
            return (enum cp_bone)(CP_BONE_LEFT_THUMB_METACARPAL + 3 * FINGER[i].finger + segment);
    }
    return CP_BONE_UNSET;
}

enum cp_bone bone_of_name(const char *name)
{
    struct words words;
    split_words(name, &words);
    char stem[MAX_WORDS * MAX_WORD_BYTES] = "";
    size_t length = 0;
    enum side side = MIDDLE;
    for (int i = 0; i < words.n; i++) {
        const char *word = words.word[i];
        if (!strcmp(word, "left") || !strcmp(word, "l"))
            side = LEFT;
        else if (!strcmp(word, "right") || !strcmp(word, "r"))
            side = RIGHT;
        else if (length || !is_prefix(word))
            length += (size_t)snprintf(stem + length, sizeof stem - length, "%s", word);
    }
    for (size_t i = 0; i < sizeof STEM / sizeof *STEM; i++) {
        if (strcmp(stem, STEM[i].stem))
            continue;
        if (STEM[i].side == MIDDLE)
            return side == MIDDLE ? STEM[i].left : CP_BONE_UNSET;
        return side == LEFT ? STEM[i].left : side == RIGHT ? STEM[i].right : CP_BONE_UNSET;
    }
    enum cp_bone finger = side == MIDDLE ? CP_BONE_UNSET : finger_of_stem(stem);
    if (finger != CP_BONE_UNSET && side == RIGHT)
        finger = (enum cp_bone)(finger + CP_BONE_RIGHT_THUMB_METACARPAL - CP_BONE_LEFT_THUMB_METACARPAL);
    return finger;
}
