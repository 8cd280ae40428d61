/*
 * Japanese. Numbers are written in kana, since their sound changes with what is counted (さんびゃく,
 * いっぽん) and no dictionary of words covers that. Readings follow the tables of any grammar of the
 * language.
 */
#include "speech/reading/tongue.h"

#include <string.h>

static const char *const DIGITS[] = {"ゼロ", "いち", "に",   "さん", "よん",
                                     "ご",   "ろく", "なな", "はち", "きゅう"};

static void say_group(struct cp_words *words, unsigned value)
{
    static const char *const THOUSANDS[] = {"",       "せん",     "にせん",   "さんぜん", "よんせん",
                                            "ごせん", "ろくせん", "ななせん", "はっせん", "きゅうせん"};
    static const char *const HUNDREDS[] = {"",           "ひゃく",      "にひゃく",   "さんびゃく",
                                           "よんひゃく", "ごひゃく",    "ろっぴゃく", "ななひゃく",
                                           "はっぴゃく", "きゅうひゃく"};
    cp_words_say(words, THOUSANDS[value / 1000 % 10]);
    cp_words_say(words, HUNDREDS[value / 100 % 10]);
    unsigned tens = value / 10 % 10;
    if (tens > 1)
        cp_words_say(words, DIGITS[tens]);
    if (tens)
        cp_words_say(words, "じゅう");
    if (value % 10)
        cp_words_say(words, DIGITS[value % 10]);
}

static void say_number(struct cp_words *words, uint64_t value, enum cp_form form)
{
    static const char *const UNITS[] = {"ちょう", "おく", "まん", ""};
    static const uint64_t SIZES[] = {1000000000000, 100000000, 10000, 1};
    if (form == CP_FORM_ORDINAL)
        cp_words_say(words, "だい");
    for (int i = 0; i < 4; i++) {
        say_group(words, (unsigned)(value / SIZES[i] % 10000));
        if (value / SIZES[i] % 10000)
            cp_words_say(words, UNITS[i]);
    }
    if (!value)
        cp_words_say(words, DIGITS[0]);
}

/* How the last digit and the counter meet. */
struct counter {
    const char *sign, *kana; /* as written; its plain sound */
    const char *ones[10];    /* the last digit with the counter; "" is digit and plain sound; [0]: ten's */
    const char *whole[3];    /* "つ" and the like: 1, 2 and 4 or NULL */
};

/* Behind いち, ろく, はち and じゅう the sound doubles; before ふ, ほ, ひ it hardens. */
static const struct counter COUNTERS[] = {
    {"時間", "じかん", {"", "", "", "", "よじかん", "", "", "しちじかん", "", "くじかん"}, {0}},
    {"時", "じ", {"", "", "", "", "よじ", "", "", "しちじ", "", "くじ"}, {0}},
    {"分",
     "ふん",
     {"じゅっぷん", "いっぷん", "", "さんぷん", "よんぷん", "", "ろっぷん", "", "はっぷん", ""},
     {0}},
    {"秒", "びょう", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"年", "ねん", {"", "", "", "", "よねん", "", "", "", "", ""}, {0}},
    {"月", "がつ", {"", "", "", "", "しがつ", "", "", "しちがつ", "", "くがつ"}, {0}},
    {"円", "えん", {"", "", "", "", "よえん", "", "", "", "", ""}, {0}},
    {"人", "にん", {"", "", "", "", "よにん", "", "", "", "", ""}, {"ひとり", "ふたり", NULL}},
    {"本", "ほん", {"じゅっぽん", "いっぽん", "", "さんぼん", "", "", "ろっぽん", "", "はっぽん", ""}, {0}},
    {"個", "こ", {"じゅっこ", "いっこ", "", "", "", "", "ろっこ", "", "はっこ", ""}, {0}},
    {"回", "かい", {"じゅっかい", "いっかい", "", "", "", "", "ろっかい", "", "はっかい", ""}, {0}},
    {"階", "かい", {"じゅっかい", "いっかい", "", "さんがい", "", "", "ろっかい", "", "はっかい", ""}, {0}},
    {"匹", "ひき", {"じゅっぴき", "いっぴき", "", "さんびき", "", "", "ろっぴき", "", "はっぴき", ""}, {0}},
    {"歳", "さい", {"じゅっさい", "いっさい", "", "", "", "", "", "", "はっさい", ""}, {0}},
    {"才", "さい", {"じゅっさい", "いっさい", "", "", "", "", "", "", "はっさい", ""}, {0}},
    {"枚", "まい", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"台", "だい", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"位", "い", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"番", "ばん", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"度", "ど", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"倍", "ばい", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"週間",
     "しゅうかん",
     {"じゅっしゅうかん", "いっしゅうかん", "", "", "", "", "", "", "はっしゅうかん", ""},
     {0}},
    {"か月",
     "かげつ",
     {"じゅっかげつ", "いっかげつ", "", "", "", "", "ろっかげつ", "", "はっかげつ", ""},
     {0}},
    {"つ", "つ", {"", "", "", "", "", "", "", "", "", ""}, {"ひとつ", "ふたつ", "よっつ"}},
};
enum { N_COUNTERS = sizeof COUNTERS / sizeof *COUNTERS };

static void say_with(struct cp_words *words, uint64_t value, const struct counter *counter)
{
    unsigned last = (unsigned)(value % 10), ten = (unsigned)(value / 10 % 10);
    if (value == 1 || value == 2 || value == 4) {
        const char *whole = counter->whole[value == 4 ? 2 : value - 1];
        if (whole) {
            cp_words_say(words, whole);
            return;
        }
    }
    bool at_ten = !last && ten && *counter->ones[0];
    if (last && *counter->ones[last]) {
        if (value > last)
            say_number(words, value - last, CP_FORM_NUMBER);
        cp_words_say(words, counter->ones[last]);
    } else if (at_ten) {
        if (value > 10 * ten)
            say_number(words, value - 10 * (uint64_t)ten, CP_FORM_NUMBER);
        if (ten > 1)
            cp_words_say(words, DIGITS[ten]);
        cp_words_say(words, counter->ones[0]);
    } else {
        say_number(words, value, CP_FORM_NUMBER);
        cp_words_say(words, counter->kana);
    }
}

static const struct counter *counter_of(const char *sign)
{
    for (int i = 0; i < N_COUNTERS; i++)
        if (!strcmp(COUNTERS[i].sign, sign))
            return &COUNTERS[i];
    return NULL;
}

/* "三つ" to "九つ" */
static bool say_things(struct cp_words *words, uint64_t value)
{
    static const char *const THINGS[] = {"みっつ", "よっつ", "いつつ",  "むっつ",
                                         "ななつ", "やっつ", "ここのつ"};
    if (value < 3 || value > 9)
        return false;
    cp_words_say(words, THINGS[value - 3]);
    return true;
}

static void say_day(struct cp_words *words, int day)
{
    static const char *const DAYS[] = {"ついたち", "ふつか", "みっか", "よっか",   "いつか",
                                       "むいか",   "なのか", "ようか", "ここのか", "とおか"};
    if (day <= 10) {
        cp_words_say(words, DAYS[day - 1]);
    } else if (day == 20) {
        cp_words_say(words, "はつか");
    } else if (day == 14 || day == 24) {
        cp_words_say(words, day == 14 ? "じゅうよっか" : "にじゅうよっか");
    } else {
        say_number(words, (uint64_t)day, CP_FORM_NUMBER);
        if (day % 10 == 9 || day % 10 == 7) { /* じゅうしちにち, じゅうくにち */
            words->length -= strlen(DIGITS[day % 10]);
            cp_words_say(words, day % 10 == 7 ? "しち" : "く");
        }
        cp_words_say(words, "にち");
    }
}

static void say_date(struct cp_scan *scan, struct cp_words *words, int year, int month, int day)
{
    if (year)
        say_with(words, (uint64_t)year, counter_of("年"));
    if (month)
        say_with(words, (uint64_t)month, counter_of("月"));
    if (day)
        say_day(words, day);
}

static void say_time(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second)
{
    if (hour)
        say_with(words, (uint64_t)hour, counter_of("時"));
    else
        cp_words_say(words, "れいじ");
    if (minute)
        say_with(words, (uint64_t)minute, counter_of("分"));
    if (second)
        say_with(words, (uint64_t)second, counter_of("秒"));
}

static void say_money(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number, int cents,
                      const struct cp_currency *currency)
{
    if (!strcmp(currency->one, "えん") && !*number->fraction && !number->negative &&
        strlen(number->digits) <= 15) {
        say_with(words, cp_number_value(number), counter_of("円"));
        return;
    }
    struct cp_number shown = *number;
    for (size_t n = strlen(shown.fraction); n > 0 && shown.fraction[n - 1] == '0'; n--)
        shown.fraction[n - 1] = '\0';
    cp_say_amount(scan, words, &shown, CP_FORM_NUMBER);
    cp_words_say(words, currency->one);
}

static bool say_fraction(struct cp_scan *scan, struct cp_words *words, int over, int under)
{
    say_number(words, (uint64_t)under, CP_FORM_NUMBER);
    cp_words_say(words, "ぶんの");
    say_number(words, (uint64_t)over, CP_FORM_NUMBER);
    return true;
}

static int32_t say_counted(struct cp_scan *scan, struct cp_words *words, uint64_t value, int32_t at)
{
    for (int i = 0; i < N_COUNTERS; i++) {
        if (!cp_scan_begins(scan, at, COUNTERS[i].sign))
            continue;
        int32_t end = at + (int32_t)strlen(COUNTERS[i].sign);
        if (strcmp(COUNTERS[i].sign, "つ") != 0 || !say_things(words, value))
            say_with(words, value, &COUNTERS[i]);
        return end - scan->at;
    }
    return 0;
}

static const struct cp_currency CURRENCIES[] = {
    {"US$", "USD", "ドル", "ドル", NULL, NULL, 0},   {"$", "USD", "ドル", "ドル", NULL, NULL, 0},
    {"€", "EUR", "ユーロ", "ユーロ", NULL, NULL, 0}, {"£", "GBP", "ポンド", "ポンド", NULL, NULL, 0},
    {"¥", "JPY", "えん", "えん", NULL, NULL, 0},     {"￥", "JPY", "えん", "えん", NULL, NULL, 0},
    {"円", "円", "えん", "えん", NULL, NULL, 0},     {"₩", "KRW", "ウォン", "ウォン", NULL, NULL, 0},
    {NULL, "CNY", "げん", "げん", NULL, NULL, 0},    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "キロメートルまいじ", "キロメートルまいじ", 0},
    {"km²", "へいほうキロメートル", "へいほうキロメートル", 0},
    {"m²", "へいほうメートル", "へいほうメートル", 0},
    {"㎡", "へいほうメートル", "へいほうメートル", 0},
    {"km", "キロメートル", "キロメートル", 0},
    {"cm", "センチメートル", "センチメートル", 0},
    {"mm", "ミリメートル", "ミリメートル", 0},
    {"m", "メートル", "メートル", 0},
    {"kg", "キログラム", "キログラム", 0},
    {"mg", "ミリグラム", "ミリグラム", 0},
    {"g", "グラム", "グラム", 0},
    {"ml", "ミリリットル", "ミリリットル", 0},
    {"L", "リットル", "リットル", 0},
    {"°C", "ど", "ど", 0},
    {"℃", "ど", "ど", 0},
    {"kW", "キロワット", "キロワット", 0},
    {"W", "ワット", "ワット", 0},
    {"V", "ボルト", "ボルト", 0},
    {"GHz", "ギガヘルツ", "ギガヘルツ", 0},
    {"Hz", "ヘルツ", "ヘルツ", 0},
    {"GB", "ギガバイト", "ギガバイト", 0},
    {"MB", "メガバイト", "メガバイト", 0},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {{"兆", "ちょう", "ちょう", 0},
                                            {"億", "おく", "おく", 0},
                                            {"万", "まん", "まん", 0},
                                            {NULL, NULL, NULL, 0}};

static const struct cp_pair ABBREVIATIONS[] = {
    {"&", "アンド"}, {"+", "プラス"}, {"=", "イコール"}, {NULL, NULL}};

static const struct cp_pair EMOJI[] = {
    {"❤", "ハート"},     {"😂", "わらい"}, {"😀", "えがお"}, {"😊", "えがお"},   {"👍", "いいね"},
    {"🎉", "おめでとう"}, {"🔥", "ほのお"}, {"⭐", "ほし"},   {"🚀", "ロケット"}, {"☀", "たいよう"},
    {"👏", "はくしゅ"},   {"😢", "なみだ"}, {NULL, NULL},
};

const struct cp_tongue cp_tongue_ja = {
    .tag = "ja",
    .decimal = '.',
    .group = ',',
    .point = "てん",
    .minus = "マイナス",
    .plus = "プラス",
    .percent = "パーセント",
    .to = "から",
    .times = "かける",
    .dot = "ドット",
    .slash = "スラッシュ",
    .at = "アット",
    .hash = "ハッシュタグ",
    .dash = "ハイフン",
    .underscore = "アンダーバー",
    .number_sign = "ナンバー",
    .months = {"", "", "", "", "", "", "", "", "", "", "", ""},
    .short_months = {"", "", "", "", "", "", "", "", "", "", "", ""},
    .digits = {"ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう"},
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
