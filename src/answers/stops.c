/*
 * Words that only make a question or a sentence, by language: articles, pronouns, forms of to be, and what is
 * asked with. Left out of questions, not of documents: a question made of nothing else is searched as it is.
 * Lists of our own, of the closed word classes that grammars name.
 */
#include "answers/terms.h"

#include <stdlib.h>
#include <string.h>

struct list {
    const char *language, *words; /* separated and enclosed by spaces */
};

static const struct list LISTS[] = {
    {"en",
     " a an the and or but of in on at to for from by with about as into than then that this these those it "
     "its is are was were be been being am do does did done has have had having can could will would shall "
     "should may might must i you he she we they me him her us them my your his our their mine yours who "
     "whom "
     "whose what which when where why how there here if so not no nor any some please tell many much did "
     "also just very "
     "long take get go make let name kind type "},
    {"de",
     " der die das den dem des ein eine einen einem einer eines und oder aber von vom in im ins an am auf zu "
     "zum zur für mit bei nach aus über als dass ob es er sie wir ihr ich du mich dich sich mir "
     "dir ihm ihn uns euch mein dein sein ist sind war waren bin bist sei wird werden wurde wurden hat haben "
     "hatte hatten kann können muss darf soll will wer wen wem wessen was welche welcher welches welchen "
     "wann wo wohin woher warum wieso weshalb wie viel viele denn bitte nicht kein keine "},
    {"fr",
     " le la les un une des du de et ou mais à au aux en dans sur pour par avec sans ce cet cette ces il "
     "elle ils elles on nous vous je tu me te se lui leur leurs mon ma mes ton ta tes son sa ses notre votre "
     "est sont était étaient être a ont avait avoir fait peut qui que quoi quel quelle quels "
     "quelles quand où pourquoi comment combien est-ce ne pas plus y "},
    {"es",
     " el la los las un una unos unas de del y o pero en a al por para con sin sobre que se su sus lo le les "
     "me te nos mi tu es son era eran fue fueron ser está están ha han hay tiene puede quién "
     "quien quiénes qué cuál cual cuáles cuándo cuando dónde donde "
     "cómo como cuánto cuántos cuánta cuántas no "},
    {"it", " il lo la i gli le un uno una di del della dei delle e o ma in nel nella a al alla da con su per "
           "tra che "
           "si suo sua è sono era erano essere ha hanno può chi cosa quale quali quando dove perché "
           "come quanto quanti quanta quante non "},
    {"pt", " o a os as um uma de do da dos das e ou mas em no na nos nas por para com sem que se seu sua é "
           "são era eram foi foram ser está há tem pode quem qual quais quando onde porque como "
           "quanto quantos quanta quantas não "},
    {"nl",
     " de het een en of maar van in op aan te voor met bij naar uit over als dat die dit deze er hij zij wij "
     "jij ik je we ze me mij hem haar ons is zijn was waren ben bent wordt worden werd heeft hebben had kan "
     "moet wie wat welke wanneer waar waarom hoe veel niet geen "},
    {"ru", " и в во на по с со к "
           "у из о от для за "
           "кто что как где "
           "когда почему "
           "сколько не это "
           "он она они был "
           "была были "},
};

bool cp_is_stop_word(const char *language, const char *word, size_t length)
{
    char wanted[CP_TERM_BYTES + 3];
    if (length > CP_TERM_BYTES)
        return false;
    wanted[0] = ' ';
    memcpy(wanted + 1, word, length);
    memcpy(wanted + 1 + length, " ", 2);
    for (size_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++)
        if (!strncmp(LISTS[i].language, language, 2))
            return strstr(LISTS[i].words, wanted) != NULL;
    return false;
}

/* Longer ones first. Chinese, Japanese, Korean. */
static const char *const PHRASES[] = {
    "为什么",     "為什麼",   "是什么",     "是什麼",   "什么样",     "多少个", "有多少", "哪一个",
    "哪一年",     "什么",     "什麼",       "甚麼",     "哪些",       "哪个",   "哪個",   "哪里",
    "哪裡",       "哪位",     "哪种",       "怎么",     "怎麼",       "怎样",   "如何",   "多少",
    "多久",       "多大",     "何时",       "何時",     "何地",       "为何",   "為何",   "是谁",
    "是誰",       "请问",     "請問",       "是否",     "几个",       "幾個",   "谁",     "誰",
    "吗",         "嗎",       "呢",         "哪",       "的",         "是",     "在",     "了",
    "どのような", "どうして", "いつですか", "何ですか", "でしょうか", "ですか", "ますか", "どのように",
    "どこ",       "なぜ",     "だれ",       "誰",       "いくつ",     "いくら", "どれ",   "どの",
    "무엇",       "누구",     "어디",       "언제",     "어떻게",     "왜",     "몇",
};

size_t cp_stop_phrase(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof PHRASES / sizeof PHRASES[0]; i++) {
        size_t n = strlen(PHRASES[i]);
        if (n <= length && !memcmp(text, PHRASES[i], n))
            return n;
    }
    return 0;
}
