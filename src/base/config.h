/*
 * Configuration from one option table a module: type, default, range and help in one place make validation,
 * --help, the documentation page and the studio's form.
 *
 * Precedence, lowest first: default, YAML file ("section: {name: value}"), environment
 * (COMPERE_SECTION_NAME), flag (--section-name VALUE). Secrets are given by reference only: file:PATH or
 * env:NAME.
 */
#ifndef CP_BASE_CONFIG_H
#define CP_BASE_CONFIG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cp_option_type {
    CP_OPTION_UNSET,
    CP_OPTION_BOOL,   /* bool */
    CP_OPTION_INT,    /* int64_t within [min, max] */
    CP_OPTION_FLOAT,  /* double within [min, max] */
    CP_OPTION_TEXT,   /* char[CP_OPTION_TEXT_BYTES] */
    CP_OPTION_CHOICE, /* char[CP_OPTION_TEXT_BYTES], one of `choices` ("a|b|c") */
};

#define CP_OPTION_TEXT_BYTES 256

struct cp_option {
    const char *name; /* lower case with underscores; the flag has hyphens instead */
    enum cp_option_type type;
    const char *fallback; /* the default, as it would be written */
    double min, max;
    const char *choices;
    const char *help;
    bool secret;
    size_t offset; /* of the value in the module's config struct */
};

/* One module: its section name, its table, and the struct that the values go to. */
struct cp_config_section {
    const char *name;
    const struct cp_option *options;
    size_t n_options;
    void *values;
};

/* Sets every value of every section to its default. A default that breaks its own range is CP_ERR_INTERNAL.
 */
int cp_config_defaults(const struct cp_config_section *sections, size_t n_sections, struct cp_error *error);

/* Reads a YAML file over the values. Unknown sections or names, wrong types and ranges fail and name the
 * line. */
int cp_config_read_file(const struct cp_config_section *sections, size_t n_sections, const char *path,
                        struct cp_error *error);
/* The same from memory; `path` is for messages. */
int cp_config_read_yaml(const struct cp_config_section *sections, size_t n_sections, const char *path,
                        const char *yaml, size_t length, struct cp_error *error);

/* Reads COMPERE_<SECTION>_<NAME> variables over the values. */
int cp_config_read_environment(const struct cp_config_section *sections, size_t n_sections,
                               struct cp_error *error);

/* Sets one value by its flag name without dashes ("webrtc-port"). CP_ERR_NOT_FOUND when there is no such
 * option. */
int cp_config_set(const struct cp_config_section *sections, size_t n_sections, const char *flag,
                  const char *value, struct cp_error *error);

/* Resolves a secret reference ("file:PATH", "env:NAME") to its value without a trailing newline. An empty
 * reference gives an empty value. Anything else fails, so that no secret ends up in a file or a command line.
 */
int cp_config_secret(const char *reference, char *ret_value, size_t capacity, struct cp_error *error);

/* Prints the options of all sections for --help: flag, default, range and help. */
void cp_config_print_help(const struct cp_config_section *sections, size_t n_sections);

#endif
