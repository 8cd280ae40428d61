/* Checks JSON bodies and query parameters against a table of fields. Pure functions. Any thread. */
#ifndef CP_GATEWAY_FIELDS_H
#define CP_GATEWAY_FIELDS_H

#include "gateway/gateway.h"

#define CP_FIELD_PATH_BYTES 128

/* Where in the body it went wrong: "a.b[2].c", "" for the body as a whole. */
struct cp_field_path {
    char text[CP_FIELD_PATH_BYTES];
};

/* An object against a table ended by a row without a name. CP_ERR_INVALID names the field. */
int cp_fields_check(const struct cp_field *fields, const json_t *object, struct cp_field_path *ret_path,
                    struct cp_error *error);

/* Parses and checks a body. No bytes at all count as {}. CP_ERR_FORMAT tells line and column of what is not
 * JSON. The caller drops *ret_json. */
int cp_fields_parse(const struct cp_field *fields, const void *bytes, size_t length, json_t **ret_json,
                    struct cp_field_path *ret_path, struct cp_error *error);

/* One query parameter's text against its row. */
int cp_fields_check_text(const struct cp_field *field, const char *value, struct cp_error *error);

/* The row with this name, or NULL. */
const struct cp_field *cp_fields_find(const struct cp_field *fields, const char *name);

#endif
