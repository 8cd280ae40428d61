/* English. */
#include "speech/reading/tongue.h"

static void say_date(struct cp_scan *scan, struct cp_words *words, int year, int month, int day)
{
    cp_words_say(words, scan->tongue->months[month - 1]);
    if (day)
        cp_say_number(scan, words, (uint64_t)day, CP_FORM_ORDINAL);
    if (year)
        cp_say_number(scan, words, (uint64_t)year, CP_FORM_YEAR);
}

static void say_time(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second)
{
    cp_say_number(scan, words, (uint64_t)hour, CP_FORM_NUMBER);
    if (!minute && !second && hour > 0 && hour <= 12) {
        cp_words_say(words, "o'clock");
        return;
    }
    if (!minute)
        cp_words_say(words, hour ? "hundred" : "hours");
    else if (minute < 10)
        cp_words_say(words, "oh");
    if (minute)
        cp_say_number(scan, words, (uint64_t)minute, CP_FORM_NUMBER);
    if (second) {
        cp_words_say(words, "and");
        cp_say_number(scan, words, (uint64_t)second, CP_FORM_NUMBER);
        cp_words_say(words, second == 1 ? "second" : "seconds");
    }
}

static void say_money(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number, int cents,
                      const struct cp_currency *currency)
{
    struct cp_number whole = *number;
    bool only_cents = cents > 0 && cp_number_value(number) == 0;
    if (cents >= 0)
        whole.fraction[0] = '\0';
    if (!only_cents) {
        cp_say_amount(scan, words, &whole, CP_FORM_NUMBER);
        cp_words_say(words, cp_number_is_one(&whole) ? currency->one : currency->many);
    }
    if (cents > 0) {
        if (!only_cents)
            cp_words_say(words, "and");
        cp_say_number(scan, words, (uint64_t)cents, CP_FORM_NUMBER);
        cp_words_say(words, cents == 1 ? currency->cent : currency->cents);
    }
}

static bool say_fraction(struct cp_scan *scan, struct cp_words *words, int over, int under)
{
    cp_say_number(scan, words, (uint64_t)over, CP_FORM_NUMBER);
    if (under == 2) {
        cp_words_say(words, over == 1 ? "half" : "halves");
    } else if (under == 4) {
        cp_words_say(words, over == 1 ? "quarter" : "quarters");
    } else if (under <= 10) {
        cp_say_number(scan, words, (uint64_t)under, CP_FORM_ORDINAL);
        if (over > 1 && words->length + 2 < sizeof words->text) {
            words->text[words->length++] = 's';
            words->text[words->length] = '\0';
        }
    } else {
        cp_words_say(words, "over");
        cp_say_number(scan, words, (uint64_t)under, CP_FORM_NUMBER);
    }
    return true;
}

static void say_ruler(struct cp_scan *scan, struct cp_words *words, int value)
{
    cp_words_say(words, "the");
    cp_say_number(scan, words, (uint64_t)value, CP_FORM_ORDINAL);
}

static const struct cp_currency CURRENCIES[] = {
    {"US$", "USD", "dollar", "dollars", "cent", "cents", 0},
    {"A$", "AUD", "Australian dollar", "Australian dollars", "cent", "cents", 0},
    {"C$", "CAD", "Canadian dollar", "Canadian dollars", "cent", "cents", 0},
    {"$", "USD", "dollar", "dollars", "cent", "cents", 0},
    {"€", "EUR", "euro", "euros", "cent", "cents", 0},
    {"£", "GBP", "pound", "pounds", "pence", "pence", 0},
    {"¥", "JPY", "yen", "yen", "", NULL, 0},
    {"₹", "INR", "rupee", "rupees", "paisa", "paise", 0},
    {"₩", "KRW", "won", "won", "", NULL, 0},
    {NULL, "CHF", "Swiss franc", "Swiss francs", "centime", "centimes", 0},
    {NULL, "CNY", "yuan", "yuan", "", NULL, 0},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "kilometer per hour", "kilometers per hour", 0},
    {"kph", "kilometer per hour", "kilometers per hour", 0},
    {"mph", "mile per hour", "miles per hour", 0},
    {"m/s", "meter per second", "meters per second", 0},
    {"km²", "square kilometer", "square kilometers", 0},
    {"m²", "square meter", "square meters", 0},
    {"m³", "cubic meter", "cubic meters", 0},
    {"km", "kilometer", "kilometers", 0},
    {"cm", "centimeter", "centimeters", 0},
    {"mm", "millimeter", "millimeters", 0},
    {"m", "meter", "meters", 0},
    {"ft", "foot", "feet", 0},
    {"mi", "mile", "miles", 0},
    {"kg", "kilogram", "kilograms", 0},
    {"mg", "milligram", "milligrams", 0},
    {"g", "gram", "grams", 0},
    {"lbs", "pound", "pounds", 0},
    {"lb", "pound", "pounds", 0},
    {"oz", "ounce", "ounces", 0},
    {"ml", "milliliter", "milliliters", 0},
    {"l", "liter", "liters", 0},
    {"L", "liter", "liters", 0},
    {"°C", "degree Celsius", "degrees Celsius", 0},
    {"°F", "degree Fahrenheit", "degrees Fahrenheit", 0},
    {"°", "degree", "degrees", 0},
    {"kWh", "kilowatt hour", "kilowatt hours", 0},
    {"kW", "kilowatt", "kilowatts", 0},
    {"MW", "megawatt", "megawatts", 0},
    {"GW", "gigawatt", "gigawatts", 0},
    {"W", "watt", "watts", 0},
    {"V", "volt", "volts", 0},
    {"GHz", "gigahertz", "gigahertz", 0},
    {"MHz", "megahertz", "megahertz", 0},
    {"kHz", "kilohertz", "kilohertz", 0},
    {"Hz", "hertz", "hertz", 0},
    {"GB", "gigabyte", "gigabytes", 0},
    {"MB", "megabyte", "megabytes", 0},
    {"kB", "kilobyte", "kilobytes", 0},
    {"TB", "terabyte", "terabytes", 0},
    {"Mbit/s", "megabit per second", "megabits per second", 0},
    {"ms", "millisecond", "milliseconds", 0},
    {"min", "minute", "minutes", 0},
    {"hrs", "hour", "hours", 0},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {
    {"thousand", "thousand", "thousand", 0}, {"million", "million", "million", 0},
    {"billion", "billion", "billion", 0},    {"trillion", "trillion", "trillion", 0},
    {"mn", "million", "million", 0},         {"bn", "billion", "billion", 0},
    {"m", "million", "million", 0},          {"M", "million", "million", 0},
    {"B", "billion", "billion", 0},          {"k", "thousand", "thousand", 0},
    {"K", "thousand", "thousand", 0},        {NULL, NULL, NULL, 0},
};

static const struct cp_pair ABBREVIATIONS[] = {
    {"Dr.", "Doctor"},
    {"Mr.", "Mister"},
    {"Mrs.", "Missis"},
    {"Ms.", "Miz"},
    {"Prof.", "Professor"},
    {"Gen.", "General"},
    {"Sen.", "Senator"},
    {"Gov.", "Governor"},
    {"Capt.", "Captain"},
    {"Lt.", "Lieutenant"},
    {"Sgt.", "Sergeant"},
    {"vs.", "versus"},
    {"etc.", "et cetera"},
    {"e.g.", "for example"},
    {"i.e.", "that is"},
    {"approx.", "approximately"},
    {"Jr.", "Junior"},
    {"Sr.", "Senior"},
    {"Inc.", "Incorporated"},
    {"Ltd.", "Limited"},
    {"No.#", "number"},
    {"no.#", "number"},
    {"Nr.#", "number"},
    {"pp.#", "pages"},
    {"p.#", "page"},
    {"vol.#", "volume"},
    {"Vol.#", "volume"},
    {"Fig.#", "figure"},
    {"&", "and"},
    {"w/", "with"},
    {NULL, NULL},
};

const struct cp_tongue cp_tongue_en = {
    .tag = "en",
    .spaces = true,
    .decimal = '.',
    .group = ',',
    .point = "point",
    .minus = "minus",
    .plus = "plus",
    .percent = "percent",
    .to = "to",
    .times = "by",
    .dot = "dot",
    .slash = "slash",
    .at = "at",
    .hash = "hashtag",
    .dash = "dash",
    .underscore = "underscore",
    .number_sign = "number",
    .months = {"January", "February", "March", "April", "May", "June", "July", "August", "September",
               "October", "November", "December"},
    .short_months = {"Jan", "Feb", "Mar", "Apr", "", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"},
    .digits = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"},
    .rulesets = {"%spellout-numbering", "%spellout-numbering", "%spellout-numbering",
                 "%spellout-numbering-year", "%spellout-ordinal", "%spellout-ordinal", "%spellout-ordinal"},
    .ordinal_suffixes = " st nd rd th ",
    .currencies = CURRENCIES,
    .units = UNITS,
    .abbreviations = ABBREVIATIONS,
    .magnitudes = MAGNITUDES,
    .rulers = " henry louis charles elizabeth george edward william philip richard james john paul benedict "
              "pius leo napoleon frederick catherine peter nicholas alexander felipe mary francis gregory "
              "clement innocent urban harald gustav christian margrethe wilhelm malcolm ramses ",
    .parts = " chapter part act scene volume war section title phase type grade book ",
    .year_words = " in since from until by before after around circa year of ",
    .ruler = say_ruler,
    .date = say_date,
    .time = say_time,
    .money = say_money,
    .fraction = say_fraction,
};
