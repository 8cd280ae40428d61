/* Arbitrary bytes as a JSON body, checked against a table with every type of field. */
#include "gateway/fields.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct cp_field INNER[] = {
    {"text", CP_FIELD_TEXT, .required = true, .min = 1, .max = 10},
    {"rate", CP_FIELD_NUMBER, .min = 0.5, .max = 2},
    {NULL},
};
static const struct cp_field DEEP[] = {
    {"cues", CP_FIELD_LIST, .min = 0, .max = 3, .fields = INNER},
    {"voice", CP_FIELD_OBJECT, .fields = INNER},
    {NULL},
};
static const struct cp_field FIELDS[] = {
    {"name", CP_FIELD_TEXT, .required = true, .max = 20},
    {"mode", CP_FIELD_TEXT, .choices = "fast|slow"},
    {"count", CP_FIELD_INTEGER, .min = 1, .max = 9},
    {"rate", CP_FIELD_NUMBER},
    {"loop", CP_FIELD_BOOL},
    {"free", CP_FIELD_OBJECT},
    {"list", CP_FIELD_LIST},
    {"deep", CP_FIELD_OBJECT, .fields = DEEP},
    {NULL},
};

/* What the table promises to handlers. */
static void must_hold(const json_t *json)
{
    const json_t *name = json_object_get(json, "name"), *count = json_object_get(json, "count");
    const json_t *cues = json_object_get(json_object_get(json, "deep"), "cues");
    if (!json_is_string(name) || json_string_length(name) > 20 || (count && !json_is_integer(count)) ||
        (count && (json_integer_value(count) < 1 || json_integer_value(count) > 9)) ||
        json_array_size(cues) > 3)
        abort();
    for (size_t i = 0; i < json_array_size(cues); i++)
        if (!json_is_string(json_object_get(json_array_get(cues, i), "text")))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct cp_field_path path;
    struct cp_error error = {.text = ""};
    json_t *json = NULL;
    if (!cp_fields_parse(FIELDS, bytes, length, &json, &path, &error)) {
        must_hold(json);
        json_decref(json);
    } else if (json || !*error.text || strlen(path.text) >= sizeof path.text) {
        abort();
    }
    return 0;
}
