/*
 * Run while building: writes the names of emoji as C tables, from the text-to-speech names of Unicode's CLDR
 * ("Annotations", Unicode Technical Standard 35 part 2):
 *     make_emoji FILE DIRECTORY LANGUAGE...
 * DIRECTORY is CLDR's "common". Names of skins are left out: a thumb is a thumb.
 */
#include <libxml/xmlreader.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8000 };

static struct {
    char *sign, *name;
} rows[MOST];
static int n_rows;

static int by_sign(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* An emoji, not punctuation that CLDR names as well: beyond the Latin alphabets' and the general
 * punctuation's blocks. */
static bool is_wanted(const char *sign)
{
    static const char *const SKINS[] = {"\xf0\x9f\x8f\xbb", "\xf0\x9f\x8f\xbc", "\xf0\x9f\x8f\xbd",
                                        "\xf0\x9f\x8f\xbe", "\xf0\x9f\x8f\xbf"};
    for (size_t i = 0; i < sizeof SKINS / sizeof *SKINS; i++)
        if (strstr(sign, SKINS[i]))
            return false;
    return strcmp(sign, "\xe2\x81\xb0") > 0;
}

/* The derived names have the sign of emoji presentation (U+FE0F) in them, the others have not. */
static char *without_presentation(const char *sign)
{
    char *plain = calloc(1, strlen(sign) + 1), *to = plain;
    while (plain && *sign) {
        if (!strncmp(sign, "\xef\xb8\x8f", 3))
            sign += 3;
        else
            *to++ = *sign++;
    }
    return plain;
}

static bool read_file(const char *path)
{
    xmlTextReader *reader = xmlReaderForFile(path, NULL, XML_PARSE_NONET);
    int more = reader ? xmlTextReaderRead(reader) : -1;
    for (; more == 1; more = xmlTextReaderRead(reader)) {
        if (xmlTextReaderNodeType(reader) != XML_READER_TYPE_ELEMENT ||
            strcmp((const char *)xmlTextReaderConstName(reader), "annotation") != 0)
            continue;
        char *type = (char *)xmlTextReaderGetAttribute(reader, BAD_CAST "type");
        char *sign = (char *)xmlTextReaderGetAttribute(reader, BAD_CAST "cp");
        char *name = (char *)xmlTextReaderReadString(reader);
        if (type && !strcmp(type, "tts") && sign && name && is_wanted(sign) && n_rows < MOST) {
            rows[n_rows].sign = without_presentation(sign);
            rows[n_rows++].name = strdup(name);
        }
        xmlFree(type);
        xmlFree(sign);
        xmlFree(name);
    }
    xmlFreeTextReader(reader);
    return more == 0;
}

/* Blanks that do not break (French) become blanks. */
static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if (!strncmp(text, "\xc2\xa0", 2) || !strncmp(text, "\xe2\x80\xaf", 3)) {
            fputc(' ', out);
            text += *text == '\xc2' ? 1 : 2;
        } else {
            fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
        }
    fputc('"', out);
}

static void write_table(FILE *out, const char *language)
{
    qsort(rows, (size_t)n_rows, sizeof *rows, by_sign);
    fprintf(out, "static const struct cp_pair NAMES_%s[] = {\n", language);
    for (int i = 0; i < n_rows; i++) {
        if (i && !strcmp(rows[i].sign, rows[i - 1].sign))
            continue;
        fputs("    {", out);
        write_text(out, rows[i].sign);
        fputs(", ", out);
        write_text(out, rows[i].name);
        fputs("},\n", out);
    }
    fputs("};\n", out);
    for (int i = 0; i < n_rows; i++) {
        free(rows[i].sign);
        free(rows[i].name);
    }
    n_rows = 0;
}

int main(int argc, char **argv)
{
    FILE *out = argc > 3 ? fopen(argv[1], "w") : NULL;
    if (!out) {
        fprintf(stderr, "usage: make_emoji FILE DIRECTORY LANGUAGE...\n");
        return 2;
    }
    fputs("/* Made by make_emoji.c from Unicode's CLDR. */\n", out);
    for (int i = 3; i < argc; i++) {
        static const char *const PARTS[] = {"annotations", "annotationsDerived"};
        for (size_t k = 0; k < 2; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s/%s.xml", argv[2], PARTS[k], argv[i]);
            if (!read_file(path)) {
                fprintf(stderr, "make_emoji: cannot read %s\n", path);
                return 1;
            }
        }
        write_table(out, argv[i]);
    }
    fputs("static const struct names {\n    const char *language;\n    const struct cp_pair *pairs;\n    "
          "size_t n;\n}"
          " NAMES[] = {\n",
          out);
    for (int i = 3; i < argc; i++)
        fprintf(out, "    {\"%s\", NAMES_%s, sizeof NAMES_%s / sizeof *NAMES_%s},\n", argv[i], argv[i],
                argv[i], argv[i]);
    fputs("};\n", out);
    xmlCleanupParser();
    return fclose(out) ? 1 : 0;
}
