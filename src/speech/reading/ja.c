/*
 * Japanese. Numbers are written in katakana, which no dictionary takes for particles, since their sound
 * changes with what is counted (さんびゃく, いっぽん) and no dictionary of words covers that. Readings follow
 * the tables of any grammar of the language.
 */
#include "speech/reading/tongue.h"

#include <string.h>

static const char *const DIGITS[] = {"ゼロ", "イチ", "ニ",   "サン", "ヨン",
                                     "ゴ",   "ロク", "ナナ", "ハチ", "キュウ"};

static void say_group(struct cp_words *words, unsigned value)
{
    static const char *const THOUSANDS[] = {"",       "セン",     "ニセン",   "サンゼン", "ヨンセン",
                                            "ゴセン", "ロクセン", "ナナセン", "ハッセン", "キュウセン"};
    static const char *const HUNDREDS[] = {"",           "ヒャク",      "ニヒャク",   "サンビャク",
                                           "ヨンヒャク", "ゴヒャク",    "ロッピャク", "ナナヒャク",
                                           "ハッピャク", "キュウヒャク"};
    cp_words_say(words, THOUSANDS[value / 1000 % 10]);
    cp_words_say(words, HUNDREDS[value / 100 % 10]);
    unsigned tens = value / 10 % 10;
    if (tens > 1)
        cp_words_say(words, DIGITS[tens]);
    if (tens)
        cp_words_say(words, "ジュウ");
    if (value % 10)
        cp_words_say(words, DIGITS[value % 10]);
}

static void say_number(struct cp_words *words, uint64_t value, enum cp_form form)
{
    static const char *const UNITS[] = {"チョウ", "オク", "マン", ""};
    static const uint64_t SIZES[] = {1000000000000, 100000000, 10000, 1};
    if (form == CP_FORM_ORDINAL)
        cp_words_say(words, "ダイ");
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
    const char *whole[3];    /* "ツ" and the like: 1, 2 and 4 or NULL */
};

/* Behind いち, ろく, はち and じゅう the sound doubles; before ふ, ほ, ひ it hardens. */
static const struct counter COUNTERS[] = {
    {"時間", "ジカン", {"", "", "", "", "ヨジカン", "", "", "シチジカン", "", "クジカン"}, {0}},
    {"時", "ジ", {"", "", "", "", "ヨジ", "", "", "シチジ", "", "クジ"}, {0}},
    {"分",
     "フン",
     {"ジュップン", "イップン", "", "サンプン", "ヨンプン", "", "ロップン", "", "ハップン", ""},
     {0}},
    {"秒", "ビョウ", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"年", "ネン", {"", "", "", "", "ヨネン", "", "", "", "", ""}, {0}},
    {"月", "ガツ", {"", "", "", "", "シガツ", "", "", "シチガツ", "", "クガツ"}, {0}},
    {"円", "エン", {"", "", "", "", "ヨエン", "", "", "", "", ""}, {0}},
    {"人", "ニン", {"", "", "", "", "ヨニン", "", "", "", "", ""}, {"ヒトリ", "フタリ", NULL}},
    {"本", "ホン", {"ジュッポン", "イッポン", "", "サンボン", "", "", "ロッポン", "", "ハッポン", ""}, {0}},
    {"個", "コ", {"ジュッコ", "イッコ", "", "", "", "", "ロッコ", "", "ハッコ", ""}, {0}},
    {"回", "カイ", {"ジュッカイ", "イッカイ", "", "", "", "", "ロッカイ", "", "ハッカイ", ""}, {0}},
    {"階", "カイ", {"ジュッカイ", "イッカイ", "", "サンガイ", "", "", "ロッカイ", "", "ハッカイ", ""}, {0}},
    {"匹", "ヒキ", {"ジュッピキ", "イッピキ", "", "サンビキ", "", "", "ロッピキ", "", "ハッピキ", ""}, {0}},
    {"歳", "サイ", {"ジュッサイ", "イッサイ", "", "", "", "", "", "", "ハッサイ", ""}, {0}},
    {"才", "サイ", {"ジュッサイ", "イッサイ", "", "", "", "", "", "", "ハッサイ", ""}, {0}},
    {"枚", "マイ", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"台", "ダイ", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"位", "イ", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"番", "バン", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"度", "ド", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"倍", "バイ", {"", "", "", "", "", "", "", "", "", ""}, {0}},
    {"週間",
     "シュウカン",
     {"ジュッシュウカン", "イッシュウカン", "", "", "", "", "", "", "ハッシュウカン", ""},
     {0}},
    {"か月",
     "カゲツ",
     {"ジュッカゲツ", "イッカゲツ", "", "", "", "", "ロッカゲツ", "", "ハッカゲツ", ""},
     {0}},
    {"つ", "ツ", {"", "", "", "", "", "", "", "", "", ""}, {"ヒトツ", "フタツ", "ヨッツ"}},
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

/* "三ツ" to "九ツ" */
static bool say_things(struct cp_words *words, uint64_t value)
{
    static const char *const THINGS[] = {"ミッツ", "ヨッツ", "イツツ",  "ムッツ",
                                         "ナナツ", "ヤッツ", "ココノツ"};
    if (value < 3 || value > 9)
        return false;
    cp_words_say(words, THINGS[value - 3]);
    return true;
}

static void say_day(struct cp_words *words, int day)
{
    static const char *const DAYS[] = {"ツイタチ", "フツカ", "ミッカ", "ヨッカ",   "イツカ",
                                       "ムイカ",   "ナノカ", "ヨウカ", "ココノカ", "トオカ"};
    if (day <= 10) {
        cp_words_say(words, DAYS[day - 1]);
    } else if (day == 20) {
        cp_words_say(words, "ハツカ");
    } else if (day == 14 || day == 24) {
        cp_words_say(words, day == 14 ? "ジュウヨッカ" : "ニジュウヨッカ");
    } else {
        say_number(words, (uint64_t)day, CP_FORM_NUMBER);
        if (day % 10 == 9 || day % 10 == 7) { /* じゅうしちにち, じゅうくにち */
            words->length -= strlen(DIGITS[day % 10]);
            cp_words_say(words, day % 10 == 7 ? "シチ" : "ク");
        }
        cp_words_say(words, "ニチ");
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
        cp_words_say(words, "レイジ");
    if (minute)
        say_with(words, (uint64_t)minute, counter_of("分"));
    if (second)
        say_with(words, (uint64_t)second, counter_of("秒"));
}

static void say_money(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number, int cents,
                      const struct cp_currency *currency)
{
    if (!strcmp(currency->one, "エン") && !*number->fraction && !number->negative &&
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
    cp_words_say(words, "ブンノ");
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
    {"¥", "JPY", "エン", "エン", NULL, NULL, 0},     {"￥", "JPY", "エン", "エン", NULL, NULL, 0},
    {"円", "円", "エン", "エン", NULL, NULL, 0},     {"₩", "KRW", "ウォン", "ウォン", NULL, NULL, 0},
    {NULL, "CNY", "ゲン", "ゲン", NULL, NULL, 0},    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "キロメートルマイジ", "キロメートルマイジ", 0},
    {"km²", "ヘイホウキロメートル", "ヘイホウキロメートル", 0},
    {"m²", "ヘイホウメートル", "ヘイホウメートル", 0},
    {"㎡", "ヘイホウメートル", "ヘイホウメートル", 0},
    {"km", "キロメートル", "キロメートル", 0},
    {"cm", "センチメートル", "センチメートル", 0},
    {"mm", "ミリメートル", "ミリメートル", 0},
    {"m", "メートル", "メートル", 0},
    {"kg", "キログラム", "キログラム", 0},
    {"mg", "ミリグラム", "ミリグラム", 0},
    {"g", "グラム", "グラム", 0},
    {"ml", "ミリリットル", "ミリリットル", 0},
    {"L", "リットル", "リットル", 0},
    {"°C", "ド", "ド", 0},
    {"℃", "ド", "ド", 0},
    {"kW", "キロワット", "キロワット", 0},
    {"W", "ワット", "ワット", 0},
    {"V", "ボルト", "ボルト", 0},
    {"GHz", "ギガヘルツ", "ギガヘルツ", 0},
    {"Hz", "ヘルツ", "ヘルツ", 0},
    {"GB", "ギガバイト", "ギガバイト", 0},
    {"MB", "メガバイト", "メガバイト", 0},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {{"兆", "チョウ", "チョウ", 0},
                                            {"億", "オク", "オク", 0},
                                            {"万", "マン", "マン", 0},
                                            {NULL, NULL, NULL, 0}};

static const struct cp_pair ABBREVIATIONS[] = {
    {"&", "アンド"}, {"+", "プラス"}, {"=", "イコール"}, {NULL, NULL}};

static const struct cp_pair EMOJI[] = {
    {"❤", "ハート"},     {"😂", "ワライ"}, {"😀", "エガオ"}, {"😊", "エガオ"},   {"👍", "イイネ"},
    {"🎉", "オメデトウ"}, {"🔥", "ホノオ"}, {"⭐", "ホシ"},   {"🚀", "ロケット"}, {"☀", "タイヨウ"},
    {"👏", "ハクシュ"},   {"😢", "ナミダ"}, {NULL, NULL},
};

const struct cp_tongue cp_tongue_ja = {
    .tag = "ja",
    .decimal = '.',
    .group = ',',
    .point = "テン",
    .minus = "マイナス",
    .plus = "プラス",
    .percent = "パーセント",
    .to = "カラ",
    .times = "カケル",
    .dot = "ドット",
    .slash = "スラッシュ",
    .at = "アット",
    .hash = "ハッシュタグ",
    .dash = "ハイフン",
    .underscore = "アンダーバー",
    .number_sign = "ナンバー",
    .months = {"", "", "", "", "", "", "", "", "", "", "", ""},
    .short_months = {"", "", "", "", "", "", "", "", "", "", "", ""},
    .digits = {"ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュウ"},
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
