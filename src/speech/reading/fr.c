/* French. */
#include "speech/reading/tongue.h"

#define M CP_FORM_MASCULINE
#define F CP_FORM_FEMININE

static void say_date(struct cp_scan *scan, struct cp_words *words, int year, int month, int day)
{
    if (day == 1)
        cp_words_say(words, "premier");
    else
        cp_say_number(scan, words, (uint64_t)day, M);
    cp_words_say(words, scan->tongue->months[month - 1]);
    if (year)
        cp_say_number(scan, words, (uint64_t)year, CP_FORM_YEAR);
}

static void say_time(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second)
{
    cp_say_number(scan, words, (uint64_t)hour, F);
    cp_words_say(words, hour <= 1 ? "heure" : "heures");
    if (minute)
        cp_say_number(scan, words, (uint64_t)minute, F);
    if (second) {
        cp_words_say(words, "et");
        cp_say_number(scan, words, (uint64_t)second, F);
        cp_words_say(words, second == 1 ? "seconde" : "secondes");
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
        cp_say_amount(scan, words, &whole, currency->form);
        cp_words_say(words, cp_number_value(&whole) <= 1 ? currency->one : currency->many);
    }
    if (cents > 0)
        cp_say_number(scan, words, (uint64_t)cents, M);
    if (only_cents)
        cp_words_say(words, cents == 1 ? currency->cent : currency->cents);
}

static bool say_fraction(struct cp_scan *scan, struct cp_words *words, int over, int under)
{
    static const char *const PARTS[] = {"demi", "tiers", "quart"};
    cp_say_number(scan, words, (uint64_t)over, M);
    if (under == 3) {
        cp_words_say(words, "tiers");
        return true;
    }
    if (under <= 4)
        cp_words_say(words, PARTS[under - 2]);
    else if (under <= 10)
        cp_say_number(scan, words, (uint64_t)under, CP_FORM_ORDINAL);
    if (under <= 10 && over > 1 && words->length + 2 < sizeof words->text) {
        words->text[words->length++] = 's';
        words->text[words->length] = '\0';
    }
    if (under > 10) {
        cp_words_say(words, "sur");
        cp_say_number(scan, words, (uint64_t)under, M);
    }
    return true;
}

static void say_ruler(struct cp_scan *scan, struct cp_words *words, int value)
{
    cp_say_number(scan, words, (uint64_t)value, value == 1 ? CP_FORM_ORDINAL : M);
}

static const struct cp_currency CURRENCIES[] = {
    {"€", "EUR", "euro", "euros", "centime", "centimes", M},
    {"$US", "USD", "dollar", "dollars", "cent", "cents", M},
    {"$", "USD", "dollar", "dollars", "cent", "cents", M},
    {"£", "GBP", "livre", "livres", "penny", "pence", F},
    {"¥", "JPY", "yen", "yens", "", NULL, M},
    {"FS", "CHF", "franc suisse", "francs suisses", "centime", "centimes", M},
    {NULL, "CNY", "yuan", "yuans", "", NULL, M},
    {"euros", "euro", "euro", "euros", "centime", "centimes", M},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "kilomètre heure", "kilomètres heure", M},
    {"m/s", "mètre par seconde", "mètres par seconde", M},
    {"km²", "kilomètre carré", "kilomètres carrés", M},
    {"m²", "mètre carré", "mètres carrés", M},
    {"m³", "mètre cube", "mètres cubes", M},
    {"km", "kilomètre", "kilomètres", M},
    {"cm", "centimètre", "centimètres", M},
    {"mm", "millimètre", "millimètres", M},
    {"m", "mètre", "mètres", M},
    {"kg", "kilogramme", "kilogrammes", M},
    {"mg", "milligramme", "milligrammes", M},
    {"g", "gramme", "grammes", M},
    {"t", "tonne", "tonnes", F},
    {"ml", "millilitre", "millilitres", M},
    {"l", "litre", "litres", M},
    {"°C", "degré Celsius", "degrés Celsius", M},
    {"°F", "degré Fahrenheit", "degrés Fahrenheit", M},
    {"°", "degré", "degrés", M},
    {"kWh", "kilowattheure", "kilowattheures", M},
    {"kW", "kilowatt", "kilowatts", M},
    {"MW", "mégawatt", "mégawatts", M},
    {"W", "watt", "watts", M},
    {"V", "volt", "volts", M},
    {"GHz", "gigahertz", "gigahertz", M},
    {"MHz", "mégahertz", "mégahertz", M},
    {"Hz", "hertz", "hertz", M},
    {"Go", "gigaoctet", "gigaoctets", M},
    {"Mo", "mégaoctet", "mégaoctets", M},
    {"Ko", "kilooctet", "kilooctets", M},
    {"ms", "milliseconde", "millisecondes", F},
    {"min", "minute", "minutes", F},
    {"fois", "fois", "fois", F},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {
    {"millions", "million", "millions", M},
    {"million", "million", "millions", M},
    {"milliards", "milliard", "milliards", M},
    {"milliard", "milliard", "milliards", M},
    {"Md", "milliard", "milliards", M},
    {"M", "million", "millions", M},
    {NULL, NULL, NULL, 0},
};

static const struct cp_pair ABBREVIATIONS[] = {
    {"M.", "Monsieur"},
    {"MM.", "Messieurs"},
    {"Mme", "Madame"},
    {"Mlle", "Mademoiselle"},
    {"Dr", "Docteur"},
    {"Pr", "Professeur"},
    {"Me", "Maître"},
    {"St", "Saint"},
    {"Ste", "Sainte"},
    {"etc.", "et cetera"},
    {"p. ex.", "par exemple"},
    {"c.-à-d.", "c'est-à-dire"},
    {"cf.", "confer"},
    {"env.", "environ"},
    {"av.", "avenue"},
    {"bd", "boulevard"},
    {"tél.", "téléphone"},
    {"n°", "numéro"},
    {"N°", "numéro"},
    {"p.#", "page"},
    {"chap.#", "chapitre"},
    {"&", "et"},
    {NULL, NULL},
};

static const struct cp_pair EMOJI[] = {
    {"❤", "cœur"},      {"😂", "rires"},     {"😀", "sourire"}, {"😊", "sourire"}, {"👍", "pouce levé"},
    {"🎉", "confettis"}, {"🔥", "feu"},       {"⭐", "étoile"},  {"🚀", "fusée"},   {"☀", "soleil"},
    {"👏", "bravo"},     {"😢", "tristesse"}, {NULL, NULL},
};

const struct cp_tongue cp_tongue_fr = {
    .tag = "fr",
    .spaces = true,
    .decimal = ',',
    .group = '\0', /* spaces only */
    .day_first = true,
    .point = "virgule",
    .minus = "moins",
    .plus = "plus",
    .percent = "pour cent",
    .to = "à",
    .times = "par",
    .dot = "point",
    .slash = "barre oblique",
    .at = "arobase",
    .hash = "mot-dièse",
    .dash = "tiret",
    .underscore = "tiret bas",
    .number_sign = "numéro",
    .months = {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
               "octobre", "novembre", "décembre"},
    .short_months = {"janv", "févr", "", "avr", "", "", "juil", "", "sept", "oct", "nov", "déc"},
    .digits = {"zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"},
    .rulesets = {"%spellout-numbering", "%spellout-cardinal-masculine", "%spellout-cardinal-feminine",
                 "%spellout-numbering", "%spellout-ordinal-masculine", "%spellout-ordinal-feminine",
                 "%spellout-ordinal-masculine"},
    .ordinal_suffixes = " er re ère e ème ième nd nde ",
    .feminine_suffixes = " re ère nde ",
    .currencies = CURRENCIES,
    .units = UNITS,
    .abbreviations = ABBREVIATIONS,
    .magnitudes = MAGNITUDES,
    .emoji = EMOJI,
    .rulers = " louis henri charles philippe françois napoléon élisabeth george jean paul benoît pie "
              "léon catherine pierre nicolas alexandre ",
    .parts = " chapitre partie acte tome phase type livre ",
    .year_words = " en depuis dès vers avant après année an ",
    .ruler = say_ruler,
    .date = say_date,
    .time = say_time,
    .money = say_money,
    .fraction = say_fraction,
};
