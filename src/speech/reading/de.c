/* German. */
#include "speech/reading/tongue.h"

#include <string.h>

#define M CP_FORM_MASCULINE
#define F CP_FORM_FEMININE

/* "am dritten März", "der dritte März", "dritter März" */
static void say_date(struct cp_scan *scan, struct cp_words *words, int year, int month, int day)
{
    char before[24];
    cp_word_before(scan, scan->at, before);
    enum cp_form form = CP_FORM_ORDINAL_BARE;
    if (!strcmp(before, "der") || !strcmp(before, "das") || !strcmp(before, "die"))
        form = CP_FORM_ORDINAL;
    else if (cp_listed(scan->tongue->articles, before))
        form = CP_FORM_ORDINAL_FEMININE;
    cp_say_number(scan, words, (uint64_t)day, form);
    cp_words_say(words, scan->tongue->months[month - 1]);
    if (year)
        cp_say_number(scan, words, (uint64_t)year, CP_FORM_YEAR);
}

static void say_time(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second)
{
    cp_say_number(scan, words, (uint64_t)hour, M);
    cp_words_say(words, "Uhr");
    if (minute)
        cp_say_number(scan, words, (uint64_t)minute, CP_FORM_NUMBER);
    if (second) {
        cp_words_say(words, "und");
        cp_say_number(scan, words, (uint64_t)second, F);
        cp_words_say(words, second == 1 ? "Sekunde" : "Sekunden");
    }
}

/* "fünf Euro zwanzig" */
static void say_money(struct cp_scan *scan, struct cp_words *words, const struct cp_number *number, int cents,
                      const struct cp_currency *currency)
{
    struct cp_number whole = *number;
    bool only_cents = cents > 0 && cp_number_value(number) == 0;
    if (cents >= 0)
        whole.fraction[0] = '\0';
    if (!only_cents) {
        cp_say_amount(scan, words, &whole, currency->form);
        cp_words_say(words, cp_number_is_one(&whole) ? currency->one : currency->many);
    }
    if (cents > 0)
        cp_say_number(scan, words, (uint64_t)cents, only_cents ? M : CP_FORM_NUMBER);
    if (only_cents)
        cp_words_say(words, cents == 1 ? currency->cent : currency->cents);
}

static bool say_fraction(struct cp_scan *scan, struct cp_words *words, int over, int under)
{
    static const char *const PARTS[] = {"Drittel", "Viertel", "Fünftel", "Sechstel",
                                        "Siebtel", "Achtel",  "Neuntel", "Zehntel"};
    cp_say_number(scan, words, (uint64_t)over, M);
    if (under == 2) {
        cp_words_say(words, over == 1 ? "halb" : "Halbe");
    } else if (under <= 10) {
        cp_words_say(words, PARTS[under - 3]);
    } else {
        cp_words_say(words, "zu");
        cp_say_number(scan, words, (uint64_t)under, CP_FORM_NUMBER);
    }
    return true;
}

static void say_ruler(struct cp_scan *scan, struct cp_words *words, int value)
{
    cp_words_say(words, "der");
    cp_say_number(scan, words, (uint64_t)value, CP_FORM_ORDINAL);
}

static const struct cp_currency CURRENCIES[] = {
    {"€", "EUR", "Euro", "Euro", "Cent", "Cent", M},
    {"US$", "USD", "Dollar", "Dollar", "Cent", "Cent", M},
    {"$", "USD", "Dollar", "Dollar", "Cent", "Cent", M},
    {"£", "GBP", "Pfund", "Pfund", "Penny", "Pence", M},
    {"¥", "JPY", "Yen", "Yen", "", NULL, M},
    {"Fr.", "CHF", "Franken", "Franken", "Rappen", "Rappen", M},
    {NULL, "CNY", "Yuan", "Yuan", "", NULL, M},
    {"Euro", "Euro", "Euro", "Euro", "Cent", "Cent", M},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "Kilometer pro Stunde", "Kilometer pro Stunde", M},
    {"m/s", "Meter pro Sekunde", "Meter pro Sekunde", M},
    {"km²", "Quadratkilometer", "Quadratkilometer", M},
    {"m²", "Quadratmeter", "Quadratmeter", M},
    {"m³", "Kubikmeter", "Kubikmeter", M},
    {"km", "Kilometer", "Kilometer", M},
    {"cm", "Zentimeter", "Zentimeter", M},
    {"mm", "Millimeter", "Millimeter", M},
    {"m", "Meter", "Meter", M},
    {"kg", "Kilogramm", "Kilogramm", M},
    {"mg", "Milligramm", "Milligramm", M},
    {"g", "Gramm", "Gramm", M},
    {"t", "Tonne", "Tonnen", F},
    {"ml", "Milliliter", "Milliliter", M},
    {"l", "Liter", "Liter", M},
    {"°C", "Grad Celsius", "Grad Celsius", M},
    {"°F", "Grad Fahrenheit", "Grad Fahrenheit", M},
    {"°", "Grad", "Grad", M},
    {"kWh", "Kilowattstunde", "Kilowattstunden", F},
    {"kW", "Kilowatt", "Kilowatt", M},
    {"MW", "Megawatt", "Megawatt", M},
    {"W", "Watt", "Watt", M},
    {"V", "Volt", "Volt", M},
    {"GHz", "Gigahertz", "Gigahertz", M},
    {"MHz", "Megahertz", "Megahertz", M},
    {"kHz", "Kilohertz", "Kilohertz", M},
    {"Hz", "Hertz", "Hertz", M},
    {"GB", "Gigabyte", "Gigabyte", M},
    {"MB", "Megabyte", "Megabyte", M},
    {"kB", "Kilobyte", "Kilobyte", M},
    {"PS", "PS", "PS", M},
    {"ms", "Millisekunde", "Millisekunden", F},
    {"min", "Minute", "Minuten", F},
    {"Min.", "Minute", "Minuten", F},
    {"Std.", "Stunde", "Stunden", F},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {
    {"Mio.", "Million", "Millionen", F},
    {"Mrd.", "Milliarde", "Milliarden", F},
    {"Millionen", "Million", "Millionen", F},
    {"Million", "Million", "Millionen", F},
    {"Milliarden", "Milliarde", "Milliarden", F},
    {"Milliarde", "Milliarde", "Milliarden", F},
    {"Billionen", "Billion", "Billionen", F},
    {"Tausend", "Tausend", "Tausend", M},
    {NULL, NULL, NULL, 0},
};

static const struct cp_pair ABBREVIATIONS[] = {
    {"Dr.", "Doktor"},
    {"Prof.", "Professor"},
    {"Hr.", "Herr"},
    {"Fr.", "Frau"},
    {"z. B.", "zum Beispiel"},
    {"z.B.", "zum Beispiel"},
    {"d. h.", "das heißt"},
    {"d.h.", "das heißt"},
    {"u. a.", "unter anderem"},
    {"u.a.", "unter anderem"},
    {"usw.", "und so weiter"},
    {"bzw.", "beziehungsweise"},
    {"ca.", "circa"},
    {"vgl.", "vergleiche"},
    {"inkl.", "inklusive"},
    {"ggf.", "gegebenenfalls"},
    {"evtl.", "eventuell"},
    {"zzgl.", "zuzüglich"},
    {"St.", "Sankt"},
    {"Str.", "Straße"},
    {"Nr.#", "Nummer"},
    {"S.#", "Seite"},
    {"Abs.#", "Absatz"},
    {"Art.#", "Artikel"},
    {"Tel.", "Telefon"},
    {"&", "und"},
    {NULL, NULL},
};

static const struct cp_pair EMOJI[] = {
    {"❤", "Herz"},     {"😂", "Lachen"},  {"😀", "Lächeln"}, {"😊", "Lächeln"}, {"👍", "Daumen hoch"},
    {"🎉", "Konfetti"}, {"🔥", "Feuer"},   {"⭐", "Stern"},   {"🚀", "Rakete"},  {"☀", "Sonne"},
    {"👏", "Applaus"},  {"😢", "weinend"}, {NULL, NULL},
};

const struct cp_tongue cp_tongue_de = {
    .tag = "de",
    .spaces = true,
    .decimal = ',',
    .group = '.',
    .day_first = true,
    .point = "Komma",
    .minus = "minus",
    .plus = "plus",
    .percent = "Prozent",
    .to = "bis",
    .times = "mal",
    .dot = "Punkt",
    .slash = "Schrägstrich",
    .at = "ät",
    .hash = "Hashtag",
    .dash = "Bindestrich",
    .underscore = "Unterstrich",
    .number_sign = "Nummer",
    .months = {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
               "November", "Dezember"},
    .short_months = {"Jan", "Feb", "Mrz", "Apr", "", "Jun", "Jul", "Aug", "Sept", "Okt", "Nov", "Dez"},
    .digits = {"null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"},
    .rulesets = {"%spellout-numbering", "%spellout-cardinal-masculine", "%spellout-cardinal-feminine",
                 "%spellout-numbering-year", "%spellout-ordinal", "%spellout-ordinal-n",
                 "%spellout-ordinal-r"},
    .currencies = CURRENCIES,
    .units = UNITS,
    .abbreviations = ABBREVIATIONS,
    .magnitudes = MAGNITUDES,
    .emoji = EMOJI,
    .rulers = " ludwig heinrich karl friedrich wilhelm otto franz leopold georg philipp elisabeth katharina "
              "benedikt johannes paul pius leo napoleon peter nikolaus alexander ",
    .parts = " kapitel teil band akt typ phase weltkrieg ",
    .year_words = " seit jahr anno um bis von im jahre ",
    .articles = " der die das dem den am vom zum im beim ab bis seit nach vor des zur ",
    .ruler = say_ruler,
    .date = say_date,
    .time = say_time,
    .money = say_money,
    .fraction = say_fraction,
};
