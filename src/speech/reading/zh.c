/* Mandarin. Numbers are written in signs, so that every engine reads them alike. */
#include "speech/reading/tongue.h"

#include <string.h>

static const char *const DIGITS[] = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};

/* 0 to 9999; `inside` when larger units stand before ("一万零五"). */
static void say_group(struct cp_words *words, unsigned value, bool inside)
{
    static const char *const UNITS[] = {"千", "百", "十", ""};
    static const unsigned SIZES[] = {1000, 100, 10, 1};
    bool started = inside, gap = false;
    for (int i = 0; i < 4; i++) {
        unsigned digit = value / SIZES[i] % 10;
        if (!digit) {
            gap = started;
            continue;
        }
        if (gap && started)
            cp_words_say(words, DIGITS[0]);
        gap = false;
        if (!(i == 2 && digit == 1 && !started)) /* 十五, but 二百一十五 */
            cp_words_say(words, i == 0 && digit == 2 ? "两" : DIGITS[digit]);
        cp_words_say(words, UNITS[i]);
        started = true;
    }
}

static void say_number(struct cp_words *words, uint64_t value, enum cp_form form)
{
    static const char *const UNITS[] = {"万亿", "亿", "万", ""};
    static const uint64_t SIZES[] = {1000000000000, 100000000, 10000, 1};
    if (form == CP_FORM_YEAR) {
        for (uint64_t scale = 1000; scale; scale /= 10)
            cp_words_say(words, DIGITS[value / scale % 10]);
        return;
    }
    if (form == CP_FORM_ORDINAL)
        cp_words_say(words, "第");
    bool started = false, gap = false;
    for (int i = 0; i < 4; i++) {
        unsigned group = (unsigned)(value / SIZES[i] % 10000);
        if (i == 0)
            group = (unsigned)(value / SIZES[0]);
        if (!group) {
            gap = started;
            continue;
        }
        if (started && gap && group >= 1000)
            cp_words_say(words, DIGITS[0]);
        if (started && group < 1000)
            cp_words_say(words, DIGITS[0]);
        bool liang = group == 2 && i < 3;
        if (liang)
            cp_words_say(words, "两");
        else
            say_group(words, group, started && group < 1000 ? false : started);
        cp_words_say(words, UNITS[i]);
        started = true;
        gap = false;
    }
    if (!started)
        cp_words_say(words, DIGITS[0]);
}

static void say_date(struct cp_scan *scan, struct cp_words *words, int year, int month, int day)
{
    if (year) {
        say_number(words, (uint64_t)year, CP_FORM_YEAR);
        cp_words_say(words, "年");
    }
    if (month) {
        say_number(words, (uint64_t)month, CP_FORM_NUMBER);
        cp_words_say(words, "月");
    }
    if (day) {
        say_number(words, (uint64_t)day, CP_FORM_NUMBER);
        cp_words_say(words, "日");
    }
}

static void say_time(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second)
{
    if (hour == 2)
        cp_words_say(words, "两");
    else
        say_number(words, (uint64_t)hour, CP_FORM_NUMBER);
    cp_words_say(words, "点");
    if (!minute && !second) {
        cp_words_say(words, "整");
        return;
    }
    if (minute < 10)
        cp_words_say(words, DIGITS[0]);
    if (minute)
        say_number(words, (uint64_t)minute, CP_FORM_NUMBER);
    cp_words_say(words, "分");
    if (second) {
        say_number(words, (uint64_t)second, CP_FORM_NUMBER);
        cp_words_say(words, "秒");
    }
}

/* "5.20" of money is 五点二: nobody says the last zero. */
static void say_money(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number, int cents,
                      const struct cp_currency *currency)
{
    struct cp_number shown = *number;
    for (size_t n = strlen(shown.fraction); n > 0 && shown.fraction[n - 1] == '0'; n--)
        shown.fraction[n - 1] = '\0';
    if (!strcmp(shown.digits, "2") && !*shown.fraction && !shown.negative)
        cp_words_say(words, "两");
    else
        cp_say_amount(scan, words, &shown, CP_FORM_NUMBER);
    cp_words_say(words, currency->one);
}

static bool say_fraction(struct cp_scan *scan, struct cp_words *words, int over, int under)
{
    say_number(words, (uint64_t)under, CP_FORM_NUMBER);
    cp_words_say(words, "分之");
    say_number(words, (uint64_t)over, CP_FORM_NUMBER);
    return true;
}

/* 2 before a measure word is 两. */
static int32_t say_counted(struct cp_scan *scan, struct cp_words *words, uint64_t value, int32_t at)
{
    static const char *const MEASURES[] = {"个", "位", "名", "只", "本", "张",   "条",   "家",
                                           "种", "次", "岁", "天", "周", "小时", "分钟", "块",
                                           "件", "辆", "台", "部", "杯", "瓶",   "匹",   "倍"};
    for (size_t i = 0; value == 2 && i < sizeof MEASURES / sizeof *MEASURES; i++)
        if (cp_scan_begins(scan, at, MEASURES[i])) {
            cp_words_say(words, "两");
            return at - scan->at;
        }
    return 0;
}

static const struct cp_currency CURRENCIES[] = {
    {"US$", "USD", "美元", "美元", NULL, NULL, 0}, {"HK$", "HKD", "港元", "港元", NULL, NULL, 0},
    {"$", "USD", "美元", "美元", NULL, NULL, 0},   {"€", "EUR", "欧元", "欧元", NULL, NULL, 0},
    {"£", "GBP", "英镑", "英镑", NULL, NULL, 0},   {"¥", "CNY", "元", "元", NULL, NULL, 0},
    {"￥", "CNY", "元", "元", NULL, NULL, 0},      {"₩", "KRW", "韩元", "韩元", NULL, NULL, 0},
    {NULL, "JPY", "日元", "日元", NULL, NULL, 0},  {NULL, "CHF", "瑞士法郎", "瑞士法郎", NULL, NULL, 0},
    {NULL, "RMB", "元", "元", NULL, NULL, 0},      {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "公里每小时", "公里每小时", 0},
    {"m/s", "米每秒", "米每秒", 0},
    {"km²", "平方公里", "平方公里", 0},
    {"m²", "平方米", "平方米", 0},
    {"㎡", "平方米", "平方米", 0},
    {"km", "公里", "公里", 0},
    {"cm", "厘米", "厘米", 0},
    {"mm", "毫米", "毫米", 0},
    {"m", "米", "米", 0},
    {"kg", "公斤", "公斤", 0},
    {"mg", "毫克", "毫克", 0},
    {"g", "克", "克", 0},
    {"ml", "毫升", "毫升", 0},
    {"L", "升", "升", 0},
    {"°C", "摄氏度", "摄氏度", 0},
    {"℃", "摄氏度", "摄氏度", 0},
    {"°F", "华氏度", "华氏度", 0},
    {"°", "度", "度", 0},
    {"kWh", "千瓦时", "千瓦时", 0},
    {"kW", "千瓦", "千瓦", 0},
    {"W", "瓦", "瓦", 0},
    {"V", "伏", "伏", 0},
    {"GHz", "吉赫兹", "吉赫兹", 0},
    {"Hz", "赫兹", "赫兹", 0},
    {"GB", "吉字节", "吉字节", 0},
    {"MB", "兆字节", "兆字节", 0},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {
    {"万亿", "万亿", "万亿", 0}, {"亿", "亿", "亿", 0}, {"億", "億", "億", 0},
    {"万", "万", "万", 0},       {"萬", "萬", "萬", 0}, {NULL, NULL, NULL, 0},
};

static const struct cp_pair ABBREVIATIONS[] = {{"&", "和"}, {"+", "加"}, {"=", "等于"}, {NULL, NULL}};

static const struct cp_pair EMOJI[] = {
    {"❤", "爱心"}, {"😂", "笑哭"}, {"😀", "笑脸"}, {"😊", "微笑"}, {"👍", "点赞"}, {"🎉", "撒花"}, {"🔥", "火"},
    {"⭐", "星星"}, {"🚀", "火箭"}, {"☀", "太阳"}, {"👏", "鼓掌"}, {"😢", "流泪"}, {NULL, NULL},
};

const struct cp_tongue cp_tongue_zh = {
    .tag = "zh",
    .decimal = '.',
    .group = ',',
    .point = "点",
    .minus = "负",
    .plus = "加",
    .percent = "百分之",
    .percent_first = true,
    .to = "到",
    .times = "乘",
    .dot = "点",
    .slash = "斜杠",
    .at = "艾特",
    .hash = "话题",
    .dash = "杠",
    .underscore = "下划线",
    .number_sign = "第",
    .months = {"", "", "", "", "", "", "", "", "", "", "", ""},
    .short_months = {"", "", "", "", "", "", "", "", "", "", "", ""},
    .digits = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"},
    .currencies = CURRENCIES,
    .units = UNITS,
    .abbreviations = ABBREVIATIONS,
    .magnitudes = MAGNITUDES,
    .emoji = EMOJI,
    .number = say_number,
    .date = say_date,
    .time = say_time,
    .money = say_money,
    .fraction = say_fraction,
    .counter = say_counted,
};
