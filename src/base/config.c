#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (!strncmp(at, value, length) && (at[length] == '|' || !at[length]))
            return true;
    }
    return false;
}

static int set_number(const struct cp_option *option, const char *value, void *to, const char *where,
                      struct cp_error *error)
{
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    bool whole = option->type == CP_OPTION_FLOAT || number == floor(number);
    if (errno || end == value || *end || !whole)
        return cp_fail(error, CP_ERR_INVALID, "config", "%s: \"%s\" is not a %snumber", where, value,
                       option->type == CP_OPTION_INT ? "whole " : "");
    if (!(number >= option->min && number <= option->max))
        return cp_fail(error, CP_ERR_INVALID, "config", "%s: %s is outside %g to %g", where, value,
                       option->min, option->max);
    if (option->type == CP_OPTION_INT)
        *(int64_t *)to = (int64_t)number;
    else
        *(double *)to = number;
    return 0;
}

static int set_value(const struct cp_config_section *section, const struct cp_option *option,
                     const char *value, const char *source, struct cp_error *error)
{
    void *to = (char *)section->values + option->offset;
    char where[160];
    snprintf(where, sizeof where, "%s%s.%s", source, section->name, option->name);
    switch (option->type) {
    case CP_OPTION_BOOL:
        if (!strcmp(value, "true") || !strcmp(value, "yes") || !strcmp(value, "1"))
            *(bool *)to = true;
        else if (!strcmp(value, "false") || !strcmp(value, "no") || !strcmp(value, "0"))
            *(bool *)to = false;
        else
            return cp_fail(error, CP_ERR_INVALID, "config", "%s: \"%s\" is not true or false", where, value);
        return 0;
    case CP_OPTION_INT:
    case CP_OPTION_FLOAT:
        return set_number(option, value, to, where, error);
    case CP_OPTION_CHOICE:
        if (!is_choice(option->choices, value))
            return cp_fail(error, CP_ERR_INVALID, "config", "%s: \"%s\" is not one of %s", where, value,
                           option->choices);
        break;
    case CP_OPTION_TEXT:
        if (option->secret && *value && strncmp(value, "file:", 5) && strncmp(value, "env:", 4))
            return cp_fail(error, CP_ERR_INVALID, "config",
                           "%s holds a secret: give a reference, file:PATH or env:NAME", where);
        break;
    case CP_OPTION_UNSET:
        return cp_fail(error, CP_ERR_INTERNAL, "config", "%s has no type", where);
    }
    if (strlen(value) >= CP_OPTION_TEXT_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, "config", "%s is longer than %d bytes", where,
                       CP_OPTION_TEXT_BYTES - 1);
    memcpy(to, value, strlen(value) + 1);
    return 0;
}

int cp_config_defaults(const struct cp_config_section *sections, size_t n_sections, struct cp_error *error)
{
    for (size_t s = 0; s < n_sections; s++)
        for (size_t o = 0; o < sections[s].n_options; o++)
            if (set_value(&sections[s], &sections[s].options[o], sections[s].options[o].fallback,
                          "default of ", error))
                return error ? (error->code = CP_ERR_INTERNAL) : CP_ERR_INTERNAL;
    return 0;
}

static int set_by_name(const struct cp_config_section *sections, size_t n_sections, const char *section,
                       const char *name, const char *value, const char *source, struct cp_error *error)
{
    for (size_t s = 0; s < n_sections; s++) {
        if (strcmp(sections[s].name, section))
            continue;
        for (size_t o = 0; o < sections[s].n_options; o++)
            if (!strcmp(sections[s].options[o].name, name))
                return set_value(&sections[s], &sections[s].options[o], value, source, error);
        return cp_fail(error, CP_ERR_NOT_FOUND, "config", "%sunknown option \"%s\" in \"%s\"", source, name,
                       section);
    }
    return cp_fail(error, CP_ERR_NOT_FOUND, "config", "%sunknown section \"%s\"", source, section);
}

int cp_config_read_yaml(const struct cp_config_section *sections, size_t n_sections, const char *path,
                        const char *yaml, size_t length, struct cp_error *error)
{
    yaml_parser_t parser;
    yaml_event_t event;
    char section[64] = "", name[64] = "", source[128];
    int depth = 0, result = 0;
    bool finished = false;
    if (!yaml_parser_initialize(&parser))
        return cp_fail(error, CP_ERR_NOMEM, "config", "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, length);
    while (!result && !finished) {
        if (!yaml_parser_parse(&parser, &event)) {
            result = cp_fail(error, CP_ERR_FORMAT, "config", "%s line %zu: %s", path,
                             parser.problem_mark.line + 1, parser.problem ? parser.problem : "not YAML");
            break;
        }
        snprintf(source, sizeof source, "%.90s line %zu: ", path, event.start_mark.line + 1);
        if (event.type == YAML_MAPPING_START_EVENT) {
            if (++depth > 2)
                result = cp_fail(error, CP_ERR_FORMAT, "config", "%stoo deep: write section: {name: value}",
                                 source);
        } else if (event.type == YAML_MAPPING_END_EVENT) {
            depth--;
            *section = depth == 1 ? 0 : *section;
        } else if (event.type == YAML_SCALAR_EVENT) {
            const char *text = (const char *)event.data.scalar.value;
            if (depth == 1 && !*section)
                snprintf(section, sizeof section, "%s", text);
            else if (depth == 1 && !*text)
                *section = 0; /* "section:" with nothing below it */
            else if (depth == 2 && !*name)
                snprintf(name, sizeof name, "%s", text);
            else if (depth == 2) {
                result = set_by_name(sections, n_sections, section, name, text, source, error);
                *name = 0;
            } else
                result = cp_fail(error, CP_ERR_FORMAT, "config", "%swrite section: {name: value}", source);
        } else if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_ALIAS_EVENT) {
            result =
                cp_fail(error, CP_ERR_FORMAT, "config", "%slists and aliases have no meaning here", source);
        } else if (event.type == YAML_STREAM_END_EVENT) {
            finished = true;
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return result;
}

int cp_config_read_file(const struct cp_config_section *sections, size_t n_sections, const char *path,
                        struct cp_error *error)
{
    enum { MAX_BYTES = 1 << 20 };
    FILE *file = fopen(path, "rb");
    if (!file)
        return cp_fail(error, CP_ERR_IO, "config", "cannot read %s: %s", path, strerror(errno));
    char *text = malloc(MAX_BYTES);
    size_t length = text ? fread(text, 1, MAX_BYTES, file) : 0;
    fclose(file);
    int result = !text ? cp_fail(error, CP_ERR_NOMEM, "config", "out of memory")
                 : length == MAX_BYTES
                     ? cp_fail(error, CP_ERR_LIMIT, "config", "%s is larger than 1 MiB", path)
                     : cp_config_read_yaml(sections, n_sections, path, text, length, error);
    free(text);
    return result;
}

int cp_config_read_environment(const struct cp_config_section *sections, size_t n_sections,
                               struct cp_error *error)
{
    for (size_t s = 0; s < n_sections; s++)
        for (size_t o = 0; o < sections[s].n_options; o++) {
            char variable[160];
            snprintf(variable, sizeof variable, "COMPERE_%s_%s", sections[s].name,
                     sections[s].options[o].name);
            for (char *c = variable; *c; c++)
                *c = (char)toupper((unsigned char)*c);
            const char *value = getenv(variable);
            int failed =
                value ? set_value(&sections[s], &sections[s].options[o], value, "environment: ", error) : 0;
            if (failed)
                return failed;
        }
    return 0;
}

int cp_config_set(const struct cp_config_section *sections, size_t n_sections, const char *flag,
                  const char *value, struct cp_error *error)
{
    char name[64];
    for (size_t s = 0; s < n_sections; s++) {
        size_t prefix = strlen(sections[s].name);
        if (strncmp(flag, sections[s].name, prefix) || flag[prefix] != '-')
            continue;
        snprintf(name, sizeof name, "%s", flag + prefix + 1);
        for (char *c = name; *c; c++)
            *c = *c == '-' ? '_' : *c;
        return set_by_name(sections, n_sections, sections[s].name, name, value, "flag: ", error);
    }
    return cp_fail(error, CP_ERR_NOT_FOUND, "config", "unknown option --%s; see --help", flag);
}

int cp_config_secret(const char *reference, char *ret_value, size_t capacity, struct cp_error *error)
{
    if (!*reference) {
        *ret_value = 0;
        return 0;
    }
    if (!strncmp(reference, "env:", 4)) {
        const char *value = getenv(reference + 4);
        if (!value)
            return cp_fail(error, CP_ERR_NOT_FOUND, "config", "the variable %s is not set", reference + 4);
        if (strlen(value) >= capacity)
            return cp_fail(error, CP_ERR_LIMIT, "config", "the value of %s is too long", reference + 4);
        memcpy(ret_value, value, strlen(value) + 1);
        return 0;
    }
    if (strncmp(reference, "file:", 5))
        return cp_fail(error, CP_ERR_INVALID, "config", "a secret is given as file:PATH or env:NAME");
    FILE *file = fopen(reference + 5, "rb");
    if (!file)
        return cp_fail(error, CP_ERR_IO, "config", "cannot read the secret in %s: %s", reference + 5,
                       strerror(errno));
    char value[4096];
    size_t length = fread(value, 1, sizeof value, file);
    fclose(file);
    while (length && (value[length - 1] == '\n' || value[length - 1] == '\r'))
        length--;
    if (length >= capacity)
        return cp_fail(error, CP_ERR_LIMIT, "config", "the secret in %s is too long", reference + 5);
    memcpy(ret_value, value, length);
    ret_value[length] = 0;
    return 0;
}

void cp_config_print_help(const struct cp_config_section *sections, size_t n_sections)
{
    for (size_t s = 0; s < n_sections; s++)
        for (size_t o = 0; o < sections[s].n_options; o++) {
            const struct cp_option *option = &sections[s].options[o];
            char flag[80], range[80] = "";
            snprintf(flag, sizeof flag, "--%s-%s", sections[s].name, option->name);
            for (char *c = flag; *c; c++)
                *c = *c == '_' ? '-' : *c;
            if (option->type == CP_OPTION_INT || option->type == CP_OPTION_FLOAT)
                snprintf(range, sizeof range, ", %g to %g", option->min, option->max);
            else if (option->type == CP_OPTION_CHOICE)
                snprintf(range, sizeof range, ", one of %s", option->choices);
            printf("  %-28s %s (default: %s%s)\n", flag, option->help,
                   option->secret ? "none" : (*option->fallback ? option->fallback : "\"\""), range);
        }
}
