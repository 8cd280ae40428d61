/*
 * Japanese to kana: espeak-ng reads kana but no Han signs. MeCab splits the text and gives each word's
 * pronunciation, which also settles は and へ as particles and where vowels are long. Particles and endings
 * are said as one with the word before.
 */
#include "speech/worker/respell.h"

#include <string.h>

#ifdef CP_HAVE_MECAB

#include <mecab.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    bool tried;
    mecab_t *tagger;
} mecab;

static mecab_t *tagger(void)
{
    /* ipadic in UTF-8, whose ninth field is the pronunciation, where Debian installs it; else what is set up
     */
    static const char IPADIC[] = "/var/lib/mecab/dic/ipadic-utf8";
    if (!mecab.tried) {
        char argument[128];
        mecab.tried = true;
        snprintf(argument, sizeof argument, "-d %s", IPADIC);
        mecab.tagger = mecab_new2(argument);
        if (!mecab.tagger)
            mecab.tagger = mecab_new2("");
        const mecab_dictionary_info_t *about = mecab.tagger ? mecab_dictionary_info(mecab.tagger) : NULL;
        bool utf8 = about && (strstr(about->charset, "utf") || strstr(about->charset, "UTF"));
        if (mecab.tagger && !utf8) {
            mecab_destroy(mecab.tagger);
            mecab.tagger = NULL;
        }
    }
    return mecab.tagger;
}

const char *respell_japanese_why_not(void)
{
    return tagger() ? "" : "Japanese is read by MeCab's dictionary; install the package mecab-ipadic-utf8.";
}

/* The n'th of the comma separated fields, from 0; NULL when there are fewer. */
static const char *field(const char *feature, int n, size_t *ret_length)
{
    for (; n > 0; n--) {
        feature = strchr(feature, ',');
        if (!feature)
            return NULL;
        feature++;
    }
    *ret_length = strcspn(feature, ",");
    return feature;
}

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* Particles, auxiliaries, suffixes and endings lean on the word before. */
static bool leans(const char *feature)
{
    return begins(feature, "助詞") || begins(feature, "助動詞") || begins(feature, "名詞,接尾") ||
           begins(feature, "動詞,接尾") || begins(feature, "動詞,非自立");
}

static const char *western(const char *surface)
{
    static const char *const SIGNS[][2] = {{"。", ". "}, {"、", ", "}, {"，", ", "},
                                           {"．", ". "}, {"？", "? "}, {"！", "! "},
                                           {"・", " "},  {"：", "; "}, {"；", "; "}};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (begins(surface, SIGNS[i][0]))
            return SIGNS[i][1];
    return NULL;
}

/* One word of MeCab's, said as its pronunciation, its reading, or as it stands when it has neither. */
static void add_node(struct respelling *respelling, const mecab_node_t *node)
{
    size_t length = 0;
    const char *sound = field(node->feature, 8, &length);
    if (!sound || !length || *sound == '*')
        sound = field(node->feature, 7, &length);
    if (!sound || !length || *sound == '*') {
        sound = node->surface;
        length = node->length;
    }
    respelling_add(respelling, sound, length);
}

bool respell_japanese(const char *text, struct respelling *respelling)
{
    const mecab_node_t *node = tagger() ? mecab_sparse_tonode(tagger(), text) : NULL;
    if (!node)
        return false;
    respelling_clear(respelling);
    int word_at = -1, word_start = 0, word_end = 0;
    for (; node; node = node->next) {
        int start = (int)(node->surface - text), end = start + node->length;
        bool over = node->stat == MECAB_EOS_NODE, sign = begins(node->feature, "記号");
        if (node->stat == MECAB_BOS_NODE)
            continue;
        if (word_at >= 0 && (over || sign || !leans(node->feature) || node->rlength != node->length)) {
            respelling_word(respelling, word_at, word_start, word_end);
            respelling_add(respelling, " ", 1);
            word_at = -1;
        }
        if (over)
            break;
        if (sign) {
            const char *western_sign = western(node->surface);
            respelling_add(respelling, western_sign ? western_sign : " ",
                           western_sign ? strlen(western_sign) : 1);
            continue;
        }
        if (word_at < 0) {
            word_at = respelling->characters;
            word_start = start;
        }
        word_end = end;
        add_node(respelling, node);
    }
    return !respelling->failed && respelling->length;
}

#else

const char *respell_japanese_why_not(void)
{
    return "This build has no MeCab, which reads Japanese; install libmecab-dev and build again.";
}

bool respell_japanese(const char *text, struct respelling *respelling)
{
    (void)text;
    (void)respelling;
    return false;
}

#endif
