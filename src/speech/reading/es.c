/* Spanish. */
#include "speech/reading/tongue.h"

#define M CP_FORM_MASCULINE
#define F CP_FORM_FEMININE

static void say_date(struct cp_scan *scan, struct cp_words *words, int year, int month, int day)
{
    if (day == 1)
        cp_words_say(words, "primero");
    else
        cp_say_number(scan, words, (uint64_t)day, CP_FORM_NUMBER);
    cp_words_say(words, "de");
    cp_words_say(words, scan->tongue->months[month - 1]);
    if (year) {
        cp_words_say(words, "de");
        cp_say_number(scan, words, (uint64_t)year, CP_FORM_YEAR);
    }
}

static void say_time(struct cp_scan *scan, struct cp_words *words, int hour, int minute, int second)
{
    cp_say_number(scan, words, (uint64_t)hour, F);
    if (minute)
        cp_say_number(scan, words, (uint64_t)minute, CP_FORM_NUMBER);
    else
        cp_words_say(words, hour == 1 ? "hora" : "horas");
    if (second) {
        cp_words_say(words, "y");
        cp_say_number(scan, words, (uint64_t)second, M);
        cp_words_say(words, second == 1 ? "segundo" : "segundos");
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
        cp_words_say(words, cp_number_is_one(&whole) ? currency->one : currency->many);
    }
    if (cents > 0) {
        if (!only_cents)
            cp_words_say(words, "con");
        cp_say_number(scan, words, (uint64_t)cents, M);
        cp_words_say(words, cents == 1 ? currency->cent : currency->cents);
    }
}

static bool say_fraction(struct cp_scan *scan, struct cp_words *words, int over, int under)
{
    static const char *const PARTS[] = {"medio",   "tercio", "cuarto", "quinto", "sexto",
                                        "séptimo", "octavo", "noveno", "décimo"};
    cp_say_number(scan, words, (uint64_t)over, M);
    if (under > 10) {
        cp_words_say(words, "sobre");
        cp_say_number(scan, words, (uint64_t)under, CP_FORM_NUMBER);
        return true;
    }
    cp_words_say(words, PARTS[under - 2]);
    if (over > 1 && words->length + 2 < sizeof words->text) {
        words->text[words->length++] = 's';
        words->text[words->length] = '\0';
    }
    return true;
}

/* Ordinals up to the tenth, then plain numbers. */
static void say_ruler(struct cp_scan *scan, struct cp_words *words, int value)
{
    cp_say_number(scan, words, (uint64_t)value, value <= 10 ? CP_FORM_ORDINAL : CP_FORM_NUMBER);
}

static const struct cp_currency CURRENCIES[] = {
    {"€", "EUR", "euro", "euros", "céntimo", "céntimos", M},
    {"US$", "USD", "dólar", "dólares", "centavo", "centavos", M},
    {"$", "USD", "dólar", "dólares", "centavo", "centavos", M},
    {"£", "GBP", "libra", "libras", "penique", "peniques", F},
    {"¥", "JPY", "yen", "yenes", "", NULL, M},
    {NULL, "MXN", "peso", "pesos", "centavo", "centavos", M},
    {NULL, "CHF", "franco suizo", "francos suizos", "céntimo", "céntimos", M},
    {NULL, "CNY", "yuan", "yuanes", "", NULL, M},
    {"euros", "euro", "euro", "euros", "céntimo", "céntimos", M},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static const struct cp_unit UNITS[] = {
    {"km/h", "kilómetro por hora", "kilómetros por hora", M},
    {"m/s", "metro por segundo", "metros por segundo", M},
    {"km²", "kilómetro cuadrado", "kilómetros cuadrados", M},
    {"m²", "metro cuadrado", "metros cuadrados", M},
    {"m³", "metro cúbico", "metros cúbicos", M},
    {"km", "kilómetro", "kilómetros", M},
    {"cm", "centímetro", "centímetros", M},
    {"mm", "milímetro", "milímetros", M},
    {"m", "metro", "metros", M},
    {"kg", "kilogramo", "kilogramos", M},
    {"mg", "miligramo", "miligramos", M},
    {"g", "gramo", "gramos", M},
    {"t", "tonelada", "toneladas", F},
    {"ml", "mililitro", "mililitros", M},
    {"l", "litro", "litros", M},
    {"°C", "grado Celsius", "grados Celsius", M},
    {"°F", "grado Fahrenheit", "grados Fahrenheit", M},
    {"°", "grado", "grados", M},
    {"kWh", "kilovatio hora", "kilovatios hora", M},
    {"kW", "kilovatio", "kilovatios", M},
    {"W", "vatio", "vatios", M},
    {"V", "voltio", "voltios", M},
    {"GHz", "gigahercio", "gigahercios", M},
    {"MHz", "megahercio", "megahercios", M},
    {"Hz", "hercio", "hercios", M},
    {"GB", "gigabyte", "gigabytes", M},
    {"MB", "megabyte", "megabytes", M},
    {"ms", "milisegundo", "milisegundos", M},
    {"min", "minuto", "minutos", M},
    {NULL, NULL, NULL, 0},
};

static const struct cp_unit MAGNITUDES[] = {
    {"millones", "millón", "millones", M}, {"millón", "millón", "millones", M},
    {"mill.", "millón", "millones", M},    {"mil", "mil", "mil", M},
    {"M", "millón", "millones", M},        {NULL, NULL, NULL, 0},
};

static const struct cp_pair ABBREVIATIONS[] = {
    {"Sr.", "señor"},
    {"Sra.", "señora"},
    {"Srta.", "señorita"},
    {"Dr.", "doctor"},
    {"Dra.", "doctora"},
    {"Prof.", "profesor"},
    {"D.", "don"},
    {"Ud.", "usted"},
    {"Uds.", "ustedes"},
    {"etc.", "etcétera"},
    {"p. ej.", "por ejemplo"},
    {"EE. UU.", "Estados Unidos"},
    {"EE.UU.", "Estados Unidos"},
    {"aprox.", "aproximadamente"},
    {"avda.", "avenida"},
    {"tel.", "teléfono"},
    {"núm.#", "número"},
    {"n.º", "número"},
    {"pág.#", "página"},
    {"cap.#", "capítulo"},
    {"&", "y"},
    {NULL, NULL},
};

static const struct cp_pair EMOJI[] = {
    {"❤", "corazón"},  {"😂", "risas"},    {"😀", "sonrisa"},  {"😊", "sonrisa"}, {"👍", "pulgar arriba"},
    {"🎉", "confeti"},  {"🔥", "fuego"},    {"⭐", "estrella"}, {"🚀", "cohete"},  {"☀", "sol"},
    {"👏", "aplausos"}, {"😢", "tristeza"}, {NULL, NULL},
};

const struct cp_tongue cp_tongue_es = {
    .tag = "es",
    .spaces = true,
    .decimal = ',',
    .group = '.',
    .day_first = true,
    .point = "coma",
    .minus = "menos",
    .plus = "más",
    .percent = "por ciento",
    .to = "a",
    .times = "por",
    .dot = "punto",
    .slash = "barra",
    .at = "arroba",
    .hash = "etiqueta",
    .dash = "guion",
    .underscore = "guion bajo",
    .number_sign = "número",
    .months = {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
               "octubre", "noviembre", "diciembre"},
    .short_months = {"", "", "", "", "", "", "", "", "sept", "", "", ""},
    .digits = {"cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"},
    .rulesets = {"%spellout-numbering", "%spellout-cardinal-masculine", "%spellout-cardinal-feminine",
                 "%spellout-numbering-year", "%spellout-ordinal-masculine", "%spellout-ordinal-feminine",
                 "%spellout-ordinal-masculine-adjective"},
    .currencies = CURRENCIES,
    .units = UNITS,
    .abbreviations = ABBREVIATIONS,
    .magnitudes = MAGNITUDES,
    .emoji = EMOJI,
    .rulers = " felipe carlos luis enrique fernando alfonso isabel juan pablo benedicto pío napoleón "
              "catalina pedro nicolás alejandro jorge guillermo francisco ",
    .parts = " capítulo parte acto tomo fase tipo siglo libro ",
    .year_words = " en desde hasta año antes después ",
    .ruler = say_ruler,
    .date = say_date,
    .time = say_time,
    .money = say_money,
    .fraction = say_fraction,
};
