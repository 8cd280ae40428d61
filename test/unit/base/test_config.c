#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct values {
    char name[CP_OPTION_TEXT_BYTES], mode[CP_OPTION_TEXT_BYTES], token[CP_OPTION_TEXT_BYTES];
    int64_t port;
    double rate;
    bool loud;
};

#define OPTION(field) .offset = offsetof(struct values, field)
static const struct cp_option OPTIONS[] = {
    {"name", CP_OPTION_TEXT, "main", .help = "a name", OPTION(name)},
    {"mode", CP_OPTION_CHOICE, "fast", .choices = "fast|slow", .help = "a mode", OPTION(mode)},
    {"api_token", CP_OPTION_TEXT, "", .secret = true, .help = "a secret", OPTION(token)},
    {"port", CP_OPTION_INT, "8080", 1, 65535, .help = "a port", OPTION(port)},
    {"rate", CP_OPTION_FLOAT, "1.5", 0.5, 2, .help = "a rate", OPTION(rate)},
    {"loud", CP_OPTION_BOOL, "false", .help = "a switch", OPTION(loud)},
};
static const struct cp_option OTHER[] = {{"port", CP_OPTION_INT, "1", 1, 9, .help = "another", .offset = 0}};

struct fixture {
    struct values values;
    int64_t other;
    struct cp_config_section sections[2];
    struct cp_error error;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->sections[0] =
        (struct cp_config_section){"show", OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, &f->values};
    f->sections[1] = (struct cp_config_section){"web", OTHER, 1, &f->other};
    assert_int_equal(cp_config_defaults(f->sections, 2, &f->error), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static int read_yaml(struct fixture *f, const char *yaml)
{
    return cp_config_read_yaml(f->sections, 2, "test.yaml", yaml, strlen(yaml), &f->error);
}

static void defaults_come_from_the_table(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(f->values.name, "main");
    assert_string_equal(f->values.mode, "fast");
    assert_int_equal(f->values.port, 8080);
    assert_true(f->values.rate == 1.5);
    assert_false(f->values.loud);
    assert_int_equal(f->other, 1);
}

static void default_outside_its_range_is_a_defect(void **state)
{
    int64_t value;
    const struct cp_option bad[] = {{"x", CP_OPTION_INT, "10", 1, 9, .help = "", .offset = 0}};
    struct cp_config_section section = {"s", bad, 1, &value};
    assert_int_equal(cp_config_defaults(&section, 1, NULL), CP_ERR_INTERNAL);
}

static void yaml_then_environment_then_flag(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        read_yaml(f, "show:\n  port: 1\n  rate: 2\n  name: \"from yaml\"\n  loud: yes\nweb: {port: 3}\n"), 0);
    assert_int_equal(f->values.port, 1);
    assert_string_equal(f->values.name, "from yaml");
    assert_true(f->values.loud);
    assert_int_equal(f->other, 3);
    setenv("COMPERE_SHOW_PORT", "2", 1);
    setenv("COMPERE_WEB_PORT", "4", 1);
    assert_int_equal(cp_config_read_environment(f->sections, 2, &f->error), 0);
    unsetenv("COMPERE_SHOW_PORT");
    unsetenv("COMPERE_WEB_PORT");
    assert_int_equal(f->values.port, 2);
    assert_int_equal(f->other, 4);
    assert_int_equal(cp_config_set(f->sections, 2, "show-port", "5", &f->error), 0);
    assert_int_equal(f->values.port, 5);
    assert_true(f->values.rate == 2); /* untouched by the later ones */
}

static void unknown_names_are_told_with_their_line(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_yaml(f, "show:\n  port: 1\n  prot: 2\n"), CP_ERR_NOT_FOUND);
    assert_non_null(strstr(f->error.text, "test.yaml line 3: unknown option \"prot\""));
    assert_int_equal(read_yaml(f, "\nshwo: {port: 1}\n"), CP_ERR_NOT_FOUND);
    assert_non_null(strstr(f->error.text, "line 2: unknown section \"shwo\""));
    assert_int_equal(cp_config_set(f->sections, 2, "show-prot", "1", &f->error), CP_ERR_NOT_FOUND);
    assert_int_equal(cp_config_set(f->sections, 2, "nothing", "1", &f->error), CP_ERR_NOT_FOUND);
}

static void wrong_values_are_refused_and_change_nothing(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *flag, *value;
    } rows[] = {{"show-port", "0"},   {"show-port", "65536"}, {"show-port", "1.5"},   {"show-port", "80x"},
                {"show-port", ""},    {"show-rate", "nan"},   {"show-rate", "2.1"},   {"show-mode", "medium"},
                {"show-mode", "fas"}, {"show-mode", "fast|"}, {"show-loud", "maybe"}, {"show-port", "inf"}};
    struct values before = f->values;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(cp_config_set(f->sections, 2, rows[i].flag, rows[i].value, &f->error),
                         CP_ERR_INVALID);
        assert_non_null(strstr(f->error.text, "show."));
    }
    assert_memory_equal(&before, &f->values, sizeof before);
    char text[CP_OPTION_TEXT_BYTES + 1];
    memset(text, 'x', sizeof text);
    text[CP_OPTION_TEXT_BYTES] = 0;
    assert_int_equal(cp_config_set(f->sections, 2, "show-name", text, &f->error), CP_ERR_LIMIT);
}

static void yaml_of_other_shapes_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *const bad[] = {
        "show: [1, 2]",      "- show",           "show: {port: {a: 1}}", "just text",
        "show: {port: [1]}", "show: {port: *x}", "show: {port: 1",       "show:\n\t- x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_yaml(f, bad[i]) != CP_ERR_FORMAT)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(read_yaml(f, ""), 0);
    assert_int_equal(read_yaml(f, "# nothing\nshow:\nweb: {port: 7}\n"), 0); /* an empty section is fine */
    assert_int_equal(f->other, 7);
}

static void secret_is_a_reference_only(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(cp_config_set(f->sections, 2, "show-api-token", "hunter2", &f->error), CP_ERR_INVALID);
    assert_null(strstr(f->error.text, "hunter2"));
    assert_int_equal(cp_config_set(f->sections, 2, "show-api-token", "env:CP_TEST_TOKEN", &f->error), 0);
    assert_string_equal(f->values.token, "env:CP_TEST_TOKEN");
    assert_int_equal(cp_config_set(f->sections, 2, "show-api-token", "", &f->error), 0);
}

static void secret_is_resolved_from_file_and_environment(void **state)
{
    struct fixture *f = *state;
    char value[16] = "kept", path[] = "/tmp/cp-secret-XXXXXX", reference[64];
    int file = mkstemp(path);
    assert_int_equal(write(file, "s3cret\r\n", 8), 8);
    close(file);
    snprintf(reference, sizeof reference, "file:%s", path);
    assert_int_equal(cp_config_secret(reference, value, sizeof value, &f->error), 0);
    assert_string_equal(value, "s3cret");
    assert_int_equal(cp_config_secret(reference, value, 6, &f->error), CP_ERR_LIMIT);
    unlink(path);
    assert_int_equal(cp_config_secret(reference, value, sizeof value, &f->error), CP_ERR_IO);
    setenv("CP_TEST_SECRET", "from env", 1);
    assert_int_equal(cp_config_secret("env:CP_TEST_SECRET", value, sizeof value, &f->error), 0);
    assert_string_equal(value, "from env");
    unsetenv("CP_TEST_SECRET");
    assert_int_equal(cp_config_secret("env:CP_TEST_SECRET", value, sizeof value, &f->error),
                     CP_ERR_NOT_FOUND);
    assert_int_equal(cp_config_secret("plain", value, sizeof value, &f->error), CP_ERR_INVALID);
    assert_string_equal(value, "from env"); /* untouched by failures */
    assert_int_equal(cp_config_secret("", value, sizeof value, &f->error), 0);
    assert_string_equal(value, "");
}

static void file_is_read_and_a_missing_one_told(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/cp-config-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, "web: {port: 8}\n", 15), 15);
    close(file);
    assert_int_equal(cp_config_read_file(f->sections, 2, path, &f->error), 0);
    assert_int_equal(f->other, 8);
    unlink(path);
    assert_int_equal(cp_config_read_file(f->sections, 2, path, &f->error), CP_ERR_IO);
    assert_non_null(strstr(f->error.text, path));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(defaults_come_from_the_table),
        CASE(default_outside_its_range_is_a_defect),
        CASE(yaml_then_environment_then_flag),
        CASE(unknown_names_are_told_with_their_line),
        CASE(wrong_values_are_refused_and_change_nothing),
        CASE(yaml_of_other_shapes_is_refused),
        CASE(secret_is_a_reference_only),
        CASE(secret_is_resolved_from_file_and_environment),
        CASE(file_is_read_and_a_missing_one_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
