#include "gateway/fields.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct cp_field *cp_fields_find(const struct cp_field *fields, const char *name)
{
    for (const struct cp_field *field = fields; field->name; field++)
        if (!strcmp(field->name, name))
            return field;
    return NULL;
}

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

static const char *type_name(enum cp_field_type type)
{
    static const char *const NAMES[] = {"nothing",       "a string",  "a number", "a whole number",
                                        "true or false", "an object", "a list",   "a string or an object"};
    return NAMES[type];
}

static const char *json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null (leave the field out instead)";
    }
    return "unknown";
}

static bool has_type(enum cp_field_type type, const json_t *value)
{
    switch (type) {
    case CP_FIELD_TEXT:
        return json_is_string(value);
    case CP_FIELD_NUMBER:
        return json_is_number(value);
    case CP_FIELD_INTEGER:
        return json_is_integer(value);
    case CP_FIELD_BOOL:
        return json_is_boolean(value);
    case CP_FIELD_OBJECT:
        return json_is_object(value);
    case CP_FIELD_LIST:
        return json_is_array(value);
    case CP_FIELD_TEXT_OR_OBJECT:
        return json_is_string(value) || json_is_object(value);
    case CP_FIELD_UNSET:
        break;
    }
    return false;
}

/* min and max both 0 mean no bounds. `unit` is what is counted, "" for a value itself. */
static int check_range(const struct cp_field *field, double value, const char *unit, const char *where,
                       struct cp_error *error)
{
    if ((!field->min && !field->max) || (value >= field->min && value <= field->max))
        return 0;
    return cp_fail(error, CP_ERR_INVALID, "gateway", "%s has to be %.15g to %.15g%s, this is %.15g", where,
                   field->min, field->max, unit, value);
}

static int check_text(const struct cp_field *field, const char *text, size_t length, const char *where,
                      struct cp_error *error)
{
    if (field->choices && !is_choice(field->choices, text))
        return cp_fail(error, CP_ERR_INVALID, "gateway", "%s has to be one of %s", where, field->choices);
    return check_range(field, (double)length, " bytes long", where, error);
}

static void enter(struct cp_field_path *path, size_t at, const char *name)
{
    snprintf(path->text + at, sizeof path->text - at, "%s%s", at ? "." : "", name);
}

static int check_value(const struct cp_field *field, const json_t *value, struct cp_field_path *path,
                       struct cp_error *error)
{
    size_t at = strlen(path->text), index;
    const json_t *item;
    int result = 0;
    if (!has_type(field->type, value))
        return cp_fail(error, CP_ERR_INVALID, "gateway", "%s has to be %s, this is %s", path->text,
                       type_name(field->type), json_type_name(value));
    switch (field->type) {
    case CP_FIELD_TEXT:
        return check_text(field, json_string_value(value), json_string_length(value), path->text, error);
    case CP_FIELD_NUMBER:
    case CP_FIELD_INTEGER:
        return check_range(field, json_number_value(value), "", path->text, error);
    case CP_FIELD_TEXT_OR_OBJECT:
        if (json_is_string(value))
            return check_text(field, json_string_value(value), json_string_length(value), path->text, error);
        /* fall through */
    case CP_FIELD_OBJECT:
        return field->fields ? cp_fields_check(field->fields, value, path, error) : 0;
    case CP_FIELD_LIST:
        if ((result = check_range(field, (double)json_array_size(value), " long", path->text, error)))
            return result;
        json_array_foreach(value, index, item)
        {
            if (field->items == CP_FIELD_TEXT && !json_is_string(item)) {
                snprintf(path->text + at, sizeof path->text - at, "[%zu]", index);
                return cp_fail(error, CP_ERR_INVALID, "gateway", "%s has to be a string, this is %s",
                               path->text, json_type_name(item));
            }
            if (!field->fields)
                continue;
            snprintf(path->text + at, sizeof path->text - at, "[%zu]", index);
            if (!json_is_object(item))
                return cp_fail(error, CP_ERR_INVALID, "gateway", "%s has to be an object, this is %s",
                               path->text, json_type_name(item));
            if ((result = cp_fields_check(field->fields, item, path, error)))
                return result;
        }
        path->text[at] = 0;
        return 0;
    case CP_FIELD_BOOL:
    case CP_FIELD_UNSET:
        break;
    }
    return 0;
}

/* "known are a, b, c", as much as fits. */
static void list_known(const struct cp_field *fields, char *text, size_t capacity)
{
    size_t used = 0;
    *text = 0;
    for (const struct cp_field *field = fields; field->name; field++) {
        if (used + strlen(field->name) + 6 > capacity) {
            snprintf(text + used, capacity - used, ", ...");
            return;
        }
        used += (size_t)snprintf(text + used, capacity - used, "%s%s", used ? ", " : "", field->name);
    }
}

int cp_fields_check(const struct cp_field *fields, const json_t *object, struct cp_field_path *path,
                    struct cp_error *error)
{
    size_t at = strlen(path->text);
    const char *name;
    json_t *value;
    /* jansson's foreach wants a pointer that is not const; nothing is changed. */
    json_object_foreach((json_t *)object, name, value)
    {
        const struct cp_field *field = cp_fields_find(fields, name);
        enter(path, at, name);
        if (!field) {
            char known[160];
            list_known(fields, known, sizeof known);
            return cp_fail(error, CP_ERR_INVALID, "gateway", "unknown field %.90s; known here: %s",
                           path->text, *known ? known : "none");
        }
        int result = check_value(field, value, path, error);
        if (result)
            return result;
    }
    for (const struct cp_field *field = fields; field->name; field++)
        if (field->required && !json_object_get(object, field->name)) {
            enter(path, at, field->name);
            return cp_fail(error, CP_ERR_INVALID, "gateway", "%s is missing", path->text);
        }
    path->text[at] = 0;
    return 0;
}

int cp_fields_parse(const struct cp_field *fields, const void *bytes, size_t length, json_t **ret_json,
                    struct cp_field_path *ret_path, struct cp_error *error)
{
    json_error_t where;
    *ret_path->text = 0;
    json_t *json = length ? json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &where) : json_object();
    if (!json && !length)
        return cp_fail(error, CP_ERR_NOMEM, "gateway", "out of memory");
    if (!json)
        return cp_fail(error, CP_ERR_FORMAT, "gateway", "the body is not JSON: line %d, column %d: %s",
                       where.line, where.column, where.text);
    int result = json_is_object(json)
                     ? cp_fields_check(fields, json, ret_path, error)
                     : cp_fail(error, CP_ERR_INVALID, "gateway", "the body has to be an object, this is %s",
                               json_type_name(json));
    if (result)
        json_decref(json);
    else
        *ret_json = json;
    return result;
}

int cp_fields_check_text(const struct cp_field *field, const char *value, struct cp_error *error)
{
    char *end;
    double number;
    switch (field->type) {
    case CP_FIELD_NUMBER:
    case CP_FIELD_INTEGER:
        errno = 0;
        number = strtod(value, &end);
        if (errno || end == value || *end || !isfinite(number) || strpbrk(value, " xXpP") ||
            (field->type == CP_FIELD_INTEGER && number != floor(number)))
            return cp_fail(error, CP_ERR_INVALID, "gateway", "the parameter %s has to be %s", field->name,
                           type_name(field->type));
        return check_range(field, number, "", field->name, error);
    case CP_FIELD_BOOL:
        if (strcmp(value, "true") && strcmp(value, "false"))
            return cp_fail(error, CP_ERR_INVALID, "gateway", "the parameter %s has to be true or false",
                           field->name);
        return 0;
    default:
        return check_text(field, value, strlen(value), field->name, error);
    }
}
