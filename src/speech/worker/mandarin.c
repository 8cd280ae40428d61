/*
 * Chinese signs to pinyin with tone digits, word by word: ICU finds the words (its dictionary of Chinese) and
 * each sign's usual sound (Han-Latin, in a table made by make_pinyin.c); signs with several sounds are
 * settled by the word that they stand in. espeak-ng itself makes the third tone what its neighbours ask for;
 * the changes of 不 and 一 are made here.
 */
#include "pinyin_table.h"
#include "speech/worker/respell.h"

#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

/* Words in which a sign does not have the sound that ICU gives it, or is without tone. Sounds as in the
 * Standard Dictionary of Modern Chinese. A word also counts inside a longer one. */
static const struct {
    const char *word, *pinyin;
} WORDS[] = {
    {"银行", "yin2hang2"},
    {"行长", "hang2zhang3"},
    {"行业", "hang2ye4"},
    {"行情", "hang2qing2"},
    {"同行", "tong2hang2"},
    {"央行", "yang1hang2"},
    {"一行", "yi4hang2"},
    {"音乐", "yin1yue4"},
    {"乐队", "yue4dui4"},
    {"乐器", "yue4qi4"},
    {"乐曲", "yue4qu3"},
    {"了解", "liao3jie3"},
    {"为了", "wei4le5"},
    {"因为", "yin1wei4"},
    {"为什么", "wei4shen2me5"},
    {"什么", "shen2me5"},
    {"怎么", "zen3me5"},
    {"那么", "na4me5"},
    {"这么", "zhe4me5"},
    {"多么", "duo1me5"},
    {"长期", "chang2qi1"},
    {"长度", "chang2du4"},
    {"长江", "chang2jiang1"},
    {"长城", "chang2cheng2"},
    {"长久", "chang2jiu3"},
    {"长途", "chang2tu2"},
    {"延长", "yan2chang2"},
    {"特长", "te4chang2"},
    {"还是", "hai2shi4"},
    {"还有", "hai2you3"},
    {"还要", "hai2yao4"},
    {"归还", "gui1huan2"},
    {"还款", "huan2kuan3"},
    {"重新", "chong2xin1"},
    {"重复", "chong2fu4"},
    {"重庆", "chong2qing4"},
    {"首都", "shou3du1"},
    {"都市", "du1shi4"},
    {"成都", "cheng2du1"},
    {"都江堰", "du1jiang1yan4"},
    {"觉得", "jue2de5"},
    {"睡觉", "shui4jiao4"},
    {"得到", "de2dao4"},
    {"获得", "huo4de2"},
    {"取得", "qu3de2"},
    {"得分", "de2fen1"},
    {"目的", "mu4di4"},
    {"的确", "di2que4"},
    {"地方", "di4fang1"},
    {"地球", "di4qiu2"},
    {"地区", "di4qu1"},
    {"当地", "dang1di4"},
    {"着急", "zhao2ji2"},
    {"睡着", "shui4zhao2"},
    {"着手", "zhuo2shou3"},
    {"沿着", "yan2zhe5"},
    {"会计", "kuai4ji4"},
    {"便宜", "pian2yi5"},
    {"教书", "jiao1shu1"},
    {"头发", "tou2fa5"},
    {"理发", "li3fa4"},
    {"出差", "chu1chai1"},
    {"差别", "cha1bie2"},
    {"参差", "cen1ci1"},
    {"调查", "diao4cha2"},
    {"调动", "diao4dong4"},
    {"强调", "qiang2diao4"},
    {"调整", "tiao2zheng3"},
    {"干部", "gan4bu4"},
    {"干净", "gan1jing4"},
    {"更加", "geng4jia1"},
    {"更新", "geng1xin1"},
    {"变更", "bian4geng1"},
    {"假期", "jia4qi1"},
    {"放假", "fang4jia4"},
    {"将军", "jiang1jun1"},
    {"降落", "jiang4luo4"},
    {"投降", "tou2xiang2"},
    {"结果", "jie2guo3"},
    {"看守", "kan1shou3"},
    {"没有", "mei2you3"},
    {"淹没", "yan1mo4"},
    {"困难", "kun4nan5"},
    {"灾难", "zai1nan4"},
    {"难民", "nan4min2"},
    {"勉强", "mian3qiang3"},
    {"曲折", "qu1zhe2"},
    {"散步", "san4bu4"},
    {"少年", "shao4nian2"},
    {"似的", "shi4de5"},
    {"提供", "ti2gong1"},
    {"关系", "guan1xi5"},
    {"相信", "xiang1xin4"},
    {"相片", "xiang4pian4"},
    {"兴奋", "xing1fen4"},
    {"兴趣", "xing4qu4"},
    {"高兴", "gao1xing4"},
    {"应该", "ying1gai1"},
    {"反应", "fan3ying4"},
    {"适应", "shi4ying4"},
    {"参与", "can1yu4"},
    {"正月", "zheng1yue4"},
    {"只是", "zhi3shi4"},
    {"一只", "yi4zhi1"},
    {"种植", "zhong4zhi2"},
    {"转动", "zhuan4dong4"},
    {"作坊", "zuo1fang2"},
    {"数学", "shu4xue2"},
    {"数字", "shu4zi4"},
    {"数不清", "shu3bu5qing1"},
    {"供应", "gong1ying4"},
    {"爱好", "ai4hao4"},
    {"好奇", "hao4qi2"},
    {"处理", "chu3li3"},
    {"处于", "chu3yu2"},
    {"中奖", "zhong4jiang3"},
    {"击中", "ji1zhong4"},
    {"朝阳", "chao2yang2"},
    {"朝鲜", "chao2xian3"},
    {"大夫", "dai4fu5"},
    {"厦门", "xia4men2"},
    {"六安", "lu4an1"},
    {"单于", "chan2yu2"},
    {"蚌埠", "beng4bu4"},
    {"儿子", "er2zi5"},
    {"孩子", "hai2zi5"},
    {"妻子", "qi1zi5"},
    {"我们", "wo3men5"},
    {"你们", "ni3men5"},
    {"他们", "ta1men5"},
    {"她们", "ta1men5"},
    {"人们", "ren2men5"},
    {"咱们", "zan2men5"},
    {"朋友", "peng2you5"},
    {"先生", "xian1sheng5"},
    {"时候", "shi2hou5"},
    {"东西", "dong1xi5"},
    {"知道", "zhi1dao4"},
    {"消息", "xiao1xi5"},
    {"谢谢", "xie4xie5"},
    {"爸爸", "ba4ba5"},
    {"妈妈", "ma1ma5"},
    {"哥哥", "ge1ge5"},
    {"姐姐", "jie3jie5"},
    {"弟弟", "di4di5"},
    {"妹妹", "mei4mei5"},
    {"喜欢", "xi3huan5"},
    {"认识", "ren4shi5"},
    {"明白", "ming2bai5"},
    {"漂亮", "piao4liang5"},
    {"事情", "shi4qing5"},
    {"衣服", "yi1fu5"},
    {"眼睛", "yan3jing5"},
    {"意思", "yi4si5"},
    {"告诉", "gao4su5"},
    {"地", "di4"},
    {"的", "de5"},
    {"了", "le5"},
    {"着", "zhe5"},
    {"得", "de5"},
    {"吗", "ma5"},
    {"呢", "ne5"},
    {"吧", "ba5"},
    {"啊", "a5"},
    {"过", "guo4"},
    {"长", "chang2"},
    {"还", "hai2"},
    {"都", "dou1"},
    {"为", "wei4"},
    {"会", "hui4"},
    {"行", "xing2"},
    {"重", "zhong4"},
    {"只", "zhi3"},
    {"中", "zhong1"},
    {"好", "hao3"},
    {"零", "ling2"},
    {"〇", "ling2"},
    {"两", "liang3"},
    {"儿", "er2"},
    {"么", "me5"},
    {"们", "men5"},
    {"女", "nv3"},
    {"绿", "lv4"},
    {"旅", "lv3"},
    {"说", "shuo1"},
    {"谁", "shei2"},
    {"这", "zhe4"},
    {"那", "na4"},
};
enum { N_WORDS = sizeof WORDS / sizeof *WORDS };

/* Opened at the first Chinese text, in 2 ms; the program has one thread. */
static UBreakIterator *word_breaks;

static bool open_breaks(void)
{
    UErrorCode status = U_ZERO_ERROR;
    if (!word_breaks)
        word_breaks = ubrk_open(UBRK_WORD, "zh", NULL, 0, &status);
    return word_breaks && U_SUCCESS(status);
}

static bool is_han(UChar32 c)
{
    UErrorCode status = U_ZERO_ERROR;
    return uscript_getScript(c, &status) == USCRIPT_HAN && c != 0x3005;
}

/* A sign's usual sound, with its tone as a digit: "nv3". NULL when none is known. */
static const char *usual_sound(UChar32 sign)
{
    const char *pinyin =
        sign >= PINYIN_FIRST && sign <= PINYIN_LAST ? SYLLABLES[PINYIN[sign - PINYIN_FIRST]] : "";
    return *pinyin ? pinyin : NULL;
}

/* The longest row that the text begins with, within `length` bytes; -1 for none. */
static int find_word(const char *text, size_t length)
{
    int best = -1;
    size_t best_length = 0;
    for (int i = 0; i < N_WORDS; i++) {
        size_t n = strlen(WORDS[i].word);
        if (n > best_length && n <= length && !memcmp(text, WORDS[i].word, n)) {
            best = i;
            best_length = n;
        }
    }
    return best;
}

/* The tone of the next sign, '0' when none follows directly. */
static char tone_of_next(const char *text, size_t length)
{
    int32_t at = 0;
    UChar32 c;
    int row = find_word(text, length);
    if (row >= 0)
        return WORDS[row].pinyin[strcspn(WORDS[row].pinyin, "12345")];
    if (!length)
        return '0';
    U8_NEXT((const uint8_t *)text, at, (int32_t)length, c);
    const char *pinyin = usual_sound(c);
    return pinyin ? pinyin[strlen(pinyin) - 1] : '0';
}

/* 一 between digits, behind 第 and before 月 or 日 is counted, and keeps its first tone. */
static bool is_counted(const char *text, size_t at, size_t behind, size_t length)
{
    static const char NUMBERS[] = "零一二三四五六七八九十百千万亿点第",
                      BEHIND[] = "零一二三四五六七八九十月日号年点楼";
    char sign[4] = "";
    if (at >= 3) {
        memcpy(sign, text + at - 3, 3);
        if (strstr(NUMBERS, sign))
            return true;
    }
    if (behind + 3 > length)
        return true;
    memcpy(sign, text + behind, 3);
    return strstr(BEHIND, sign) != NULL;
}

/* Adds the sound of the sign or row at `at`; the bytes it took. */
static size_t add_sound(struct respelling *respelling, const char *text, size_t at, size_t word_end,
                        size_t length)
{
    int32_t taken = 0;
    UChar32 c;
    U8_NEXT((const uint8_t *)text + at, taken, (int32_t)(word_end - at), c);
    size_t behind = at + (size_t)taken;
    int row = find_word(text + at, word_end - at);
    if (row >= 0 && strlen(WORDS[row].word) > (size_t)taken) {
        respelling_add(respelling, WORDS[row].pinyin, strlen(WORDS[row].pinyin));
        return strlen(WORDS[row].word);
    }
    char next = c == 0x4e0d || c == 0x4e00 ? tone_of_next(text + behind, length - behind) : '0';
    if (c == 0x4e0d) /* 不 */
        respelling_add(respelling, next == '4' ? "bu2" : "bu4", 3);
    else if (c == 0x4e00) /* 一 */
        respelling_add(respelling,
                       next == '0' || next == '5' || is_counted(text, at, behind, length) ? "yi1"
                       : next == '4'                                                      ? "yi2"
                                                                                          : "yi4",
                       3);
    else if (row >= 0)
        respelling_add(respelling, WORDS[row].pinyin, strlen(WORDS[row].pinyin));
    else if (usual_sound(c))
        respelling_add(respelling, usual_sound(c), strlen(usual_sound(c)));
    return (size_t)taken;
}

/* Punctuation as espeak-ng knows it. */
static const char *western(UChar32 c)
{
    switch (c) {
    case 0x3002: /* 。 */
        return ". ";
    case 0xff0c: /* ， */
    case 0x3001: /* 、 */
        return ", ";
    case 0xff1f:
        return "? ";
    case 0xff01:
        return "! ";
    case 0xff1a:
    case 0xff1b:
        return "; ";
    default:
        return NULL;
    }
}

static void add_other(struct respelling *respelling, const char *text, size_t start, size_t end)
{
    int32_t at = (int32_t)start;
    UChar32 c;
    U8_NEXT((const uint8_t *)text, at, (int32_t)end, c);
    const char *sign = western(c);
    int from = respelling->characters;
    if (sign) {
        respelling_add(respelling, sign, strlen(sign));
        return;
    }
    respelling_add(respelling, text + start, end - start);
    respelling_word(respelling, from, (int)start, (int)end);
}

static bool has_han(const char *text, size_t start, size_t end)
{
    for (int32_t at = (int32_t)start; at < (int32_t)end;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, at, (int32_t)end, c);
        if (c > 0 && is_han(c))
            return true;
    }
    return false;
}

bool respell_mandarin(const char *text, struct respelling *respelling)
{
    size_t length = strlen(text);
    if (!open_breaks() || !has_han(text, 0, length))
        return false;
    UErrorCode status = U_ZERO_ERROR;
    UText *utext = utext_openUTF8(NULL, text, (int64_t)length, &status);
    ubrk_setUText(word_breaks, utext, &status);
    respelling_clear(respelling);
    size_t start = 0;
    for (int32_t end; U_SUCCESS(status) && (end = ubrk_next(word_breaks)) != UBRK_DONE; start = (size_t)end) {
        if (!has_han(text, start, (size_t)end)) {
            add_other(respelling, text, start, (size_t)end);
            continue;
        }
        int from = respelling->characters;
        for (size_t at = start; at < (size_t)end;)
            at += add_sound(respelling, text, at, (size_t)end, length);
        respelling_word(respelling, from, (int)start, end);
        respelling_add(respelling, " ", 1);
    }
    utext_close(utext);
    return U_SUCCESS(status) && !respelling->failed && respelling->length;
}
