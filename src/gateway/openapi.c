/* The OpenAPI 3.1 document from the route table. Pure function. */
#include "gateway/fields.h"
#include "gateway/routes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *schema_of(const struct cp_field *fields);

static json_t *choices_of(const char *choices)
{
    json_t *list = json_array();
    for (const char *at = choices; at;) {
        size_t length = strcspn(at, "|");
        json_array_append_new(list, json_stringn(at, length));
        at = at[length] ? at + length + 1 : NULL;
    }
    return list;
}

static json_t *bound(double value)
{
    return value == (double)(json_int_t)value ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *schema_of_field(const struct cp_field *field)
{
    if (field->type == CP_FIELD_TEXT_OR_OBJECT) {
        struct cp_field text = *field;
        text.type = CP_FIELD_TEXT;
        text.help = NULL;
        return json_pack("{s:s, s:[o, o]}", "description", field->help ? field->help : "", "oneOf",
                         schema_of_field(&text), schema_of(field->fields));
    }
    static const char *const TYPES[] = {"null", "string", "number", "integer", "boolean", "object", "array"};
    static const char *const LOWEST[] = {NULL, "minLength", "minimum", "minimum", NULL, NULL, "minItems"};
    static const char *const HIGHEST[] = {NULL, "maxLength", "maximum", "maximum", NULL, NULL, "maxItems"};
    json_t *schema = field->type == CP_FIELD_OBJECT && field->fields
                         ? schema_of(field->fields)
                         : json_pack("{s:s}", "type", TYPES[field->type]);
    if (field->type == CP_FIELD_LIST)
        json_object_set_new(schema, "items",
                            field->fields                   ? schema_of(field->fields)
                            : field->items == CP_FIELD_TEXT ? json_pack("{s:s}", "type", "string")
                                                            : json_object());
    if (LOWEST[field->type] && (field->min || field->max)) {
        json_object_set_new(schema, LOWEST[field->type], bound(field->min));
        json_object_set_new(schema, HIGHEST[field->type], bound(field->max));
    }
    if (field->choices)
        json_object_set_new(schema, "enum", choices_of(field->choices));
    if (field->help)
        json_object_set_new(schema, "description", json_string(field->help));
    return schema;
}

static json_t *schema_of(const struct cp_field *fields)
{
    json_t *properties = json_object(), *required = json_array();
    for (const struct cp_field *field = fields; field->name; field++) {
        json_object_set_new(properties, field->name, schema_of_field(field));
        if (field->required)
            json_array_append_new(required, json_string(field->name));
    }
    json_t *schema =
        json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

/* The path as OpenAPI writes it ("{file...}" becomes "{file}"), and its parameters. */
static json_t *path_parameters(const char *path, char *text, size_t capacity)
{
    json_t *list = json_array();
    size_t used = 0;
    for (const char *at = path; *at && used + 1 < capacity; at++) {
        if (*at == '{') {
            size_t length = strcspn(at + 1, "}."), rest = strcspn(at, "}");
            json_array_append_new(list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at + 1, length, "in",
                                                  "path", "required", 1, "schema", "type", "string"));
            used += (size_t)snprintf(text + used, capacity - used, "{%.*s}", (int)length, at + 1);
            at += rest;
            if (!*at)
                break;
        } else {
            text[used++] = *at;
            text[used] = 0;
        }
    }
    return list;
}

static void add_query_parameters(json_t *parameters, const struct cp_field *query)
{
    for (const struct cp_field *field = query; field && field->name; field++)
        json_array_append_new(parameters,
                              json_pack("{s:s, s:s, s:b, s:o}", "name", field->name, "in", "query",
                                        "required", (int)field->required, "schema", schema_of_field(field)));
}

static json_t *request_body(const struct cp_route *route)
{
    if (route->body) {
        bool required = false;
        for (const struct cp_field *field = route->body; field->name; field++)
            required |= field->required;
        return json_pack("{s:b, s:{s:{s:o}}}", "required", (int)required, "content", "application/json",
                         "schema", schema_of(route->body));
    }
    json_t *content = json_object();
    for (const char *at = route->body_type; *at; at += *at == '|') {
        size_t length = strcspn(at, "|");
        json_object_setn_new(content, at, length, json_object());
        at += length;
    }
    return json_pack("{s:b, s:o}", "required", 1, "content", content);
}

static json_t *responses_of(const struct cp_route *route)
{
    char status[12];
    json_t *responses = json_object();
    snprintf(status, sizeof status, "%d", route->success ? route->success : 200);
    json_object_set_new(responses, status, json_pack("{s:s}", "description", "Done."));
    json_object_set_new(responses, "default", json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
    return responses;
}

/* "POST /v1/channels/{channel}/cues" becomes "post_channels_channel_cues": unique, for generated clients. */
static json_t *operation_id(const struct cp_route *route)
{
    char id[160];
    size_t used = 0;
    for (const char *c = cp_method_name(route->method); *c; c++)
        id[used++] = (char)tolower((unsigned char)*c);
    for (const char *c = strncmp(route->path, "/v1/", 4) ? route->path : route->path + 3; *c; c++)
        if (isalnum((unsigned char)*c) && used + 1 < sizeof id)
            id[used++] = *c;
        else if (used && id[used - 1] != '_' && used + 1 < sizeof id)
            id[used++] = '_';
    while (used && id[used - 1] == '_')
        used--;
    return json_stringn(id, used);
}

/* The first part behind /v1/ groups operations. */
static json_t *tags_of(const struct cp_route *route)
{
    const char *at = strncmp(route->path, "/v1/", 4) ? route->path + 1 : route->path + 4;
    size_t length = strcspn(at, "/.");
    return json_pack("[s%]", length ? at : "pages", length ? length : (size_t)5);
}

static json_t *operation_of(const struct cp_route *route, json_t *parameters)
{
    json_t *operation = json_pack("{s:o, s:s, s:o, s:o}", "operationId", operation_id(route), "summary",
                                  route->summary ? route->summary : "", "tags", tags_of(route), "responses",
                                  responses_of(route));
    add_query_parameters(parameters, route->query);
    if (route->idempotent_key)
        json_array_append_new(parameters,
                              json_pack("{s:s}", "$ref", "#/components/parameters/IdempotencyKey"));
    if (json_array_size(parameters))
        json_object_set(operation, "parameters", parameters);
    if (route->body || route->body_type)
        json_object_set_new(operation, "requestBody", request_body(route));
    json_object_set_new(operation, "security",
                        route->role > CP_ROLE_PUBLIC ? json_pack("[{s:[]}]", "key") : json_array());
    if (route->role > CP_ROLE_PUBLIC)
        json_object_set_new(operation, "x-role", json_string(cp_role_name(route->role)));
    return operation;
}

static json_t *components(void)
{
    json_t *problem =
        json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:{s:s, s:s}}, s:[s,s,s,s]}",
                  "type", "object", "properties", "type", "type", "string", "title", "type", "string",
                  "status", "type", "integer", "detail", "type", "string", "code", "type", "string",
                  "description", "stable name of the error", "field", "type", "string", "description",
                  "the field or parameter that is wrong", "required", "type", "title", "status", "code");
    json_t *response =
        json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", "A problem (RFC 9457).", "content",
                  "application/problem+json", "schema", "$ref", "#/components/schemas/Problem");
    json_t *key = json_pack("{s:s, s:s, s:s}", "type", "http", "scheme", "bearer", "description",
                            "a key made by \"compere key create\" or POST /v1/keys");
    json_t *idempotency =
        json_pack("{s:s, s:s, s:b, s:{s:s, s:i}, s:s}", "name", "Idempotency-Key", "in", "header", "required",
                  0, "schema", "type", "string", "maxLength", 200, "description",
                  "the first answer is kept a day and given again to requests with the same key and body");
    return json_pack("{s:{s:o}, s:{s:o}, s:{s:o}, s:{s:o}}", "schemas", "Problem", problem, "responses",
                     "Problem", response, "securitySchemes", "key", key, "parameters", "IdempotencyKey",
                     idempotency);
}

json_t *cp_gateway_openapi(const struct cp_route *routes, size_t n_routes)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < n_routes; i++) {
        char path[256] = "", method[8];
        json_t *parameters = path_parameters(routes[i].path, path, sizeof path);
        json_t *item = json_object_get(paths, path);
        if (!item) {
            item = json_object();
            json_object_set_new(paths, path, item);
        }
        snprintf(method, sizeof method, "%s", cp_method_name(routes[i].method));
        for (char *c = method; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        json_object_set_new(item, method, operation_of(&routes[i], parameters));
        json_decref(parameters);
    }
    return json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:o, s:o}", "openapi", "3.1.0", "info", "title",
                     "Compere", "version", CP_VERSION, "description", "Live shows with a digital human.",
                     "license", "name", "Apache-2.0", "identifier", "Apache-2.0", "paths", paths,
                     "components", components());
}
