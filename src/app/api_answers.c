/* Documents and search. */
#include "app/api.h"

#include <stdlib.h>

void cp_api_documents_create(void *user, struct cp_request *request)
{
    cp_knowledge_add(((struct cp_app *)user)->knowledge, request);
}

void cp_api_documents_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *limit = cp_request_query(request, "limit"),
               *collection = cp_request_query(request, "collection");
    json_t *page;
    if (cp_answers_list(app->answers, collection ? collection : "", cp_request_query(request, "cursor"),
                        limit ? atoi(limit) : 50, &page, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, page);
}

void cp_api_document_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *document;
    if (cp_answers_get(app->answers, cp_request_param(request, "document"), &document, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, document);
}

void cp_api_document_passages(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *passages;
    if (cp_answers_passages(app->answers, cp_request_param(request, "document"), &passages, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, passages);
}

void cp_api_document_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    if (cp_answers_delete(app->answers, cp_request_param(request, "document"), &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 204, NULL);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

void cp_api_search(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const json_t *body = cp_request_json(request);
    const struct cp_search search = {.query = text_of(body, "query"),
                                     .collection = text_of(body, "collection"),
                                     .language = text_of(body, "language"),
                                     .limit = (int)json_integer_value(json_object_get(body, "limit"))};
    json_t *result;
    if (cp_answers_search(app->answers, &search, &result, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, result);
}
