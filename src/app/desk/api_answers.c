/* Documents, search, and the question desk. */
#include "app/api.h"
#include "app/desk/fetching.h"
#include "app/desk/knowledge.h"
#include "app/desk/questions.h"

#include <stdlib.h>
#include <strings.h>

void cp_api_documents_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    const char *type = cp_request_header(request, "Content-Type");
    if (type && !strncasecmp(type, "text/uri-list", 13))
        cp_fetching_add(app->fetching, request);
    else
        cp_knowledge_add(app->knowledge, request);
}

void cp_api_jobs_list(void *user, struct cp_request *request)
{
    cp_request_reply_json(request, 200, cp_fetching_jobs(((struct cp_app *)user)->fetching));
}

void cp_api_job_get(void *user, struct cp_request *request)
{
    json_t *job = cp_fetching_job(((struct cp_app *)user)->fetching, cp_request_param(request, "job"));
    if (job)
        cp_request_reply_json(request, 200, job);
    else
        cp_request_fail_status(request, 404, NULL, "there is no such job; the last 64 are kept");
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

void cp_api_document_change(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *document = NULL;
    int result = cp_answers_boost(app->answers, cp_request_param(request, "document"),
                                  json_number_value(json_object_get(cp_request_json(request), "boost")),
                                  &document, &error);
    cp_api_answer(request, result, 200, document, &error);
}

void cp_api_passage_change(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *passages = NULL;
    int result = cp_answers_edit_passage(app->answers, cp_request_param(request, "document"),
                                         atoll(cp_request_param(request, "passage")),
                                         cp_request_json(request), &passages, &error);
    cp_api_answer(request, result, 200, passages, &error);
}

void cp_api_passage_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result = cp_answers_delete_passage(app->answers, cp_request_param(request, "document"),
                                           atoll(cp_request_param(request, "passage")), &error);
    cp_api_answer(request, result, 204, NULL, &error);
}

void cp_api_collections_list(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *page = NULL;
    int result = cp_answers_collections(((struct cp_app *)user)->answers, &page, &error);
    cp_api_answer(request, result, 200, page, &error);
}

void cp_api_collection_change(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *collection = NULL;
    int result =
        cp_answers_set_collection(((struct cp_app *)user)->answers, cp_request_param(request, "collection"),
                                  cp_request_json(request), &collection, &error);
    cp_api_answer(request, result, 200, collection, &error);
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

void cp_api_evaluate(void *user, struct cp_request *request)
{
    cp_knowledge_evaluate(((struct cp_app *)user)->knowledge, request);
}

/* --- the question desk --- */

void cp_api_questions_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *question = NULL;
    int result =
        cp_question_ask(app, cp_request_param(request, "channel"), cp_request_json(request),
                        cp_request_key_id(request), cp_request_started_ns(request), &question, &error);
    if (!result &&
        cp_request_role(request) < CP_ROLE_OPERATOR) { /* what is suggested is not for the audience */
        json_t *receipt = json_pack("{s:s,s:s,s:s}", "id", text_of(question, "id"), "text",
                                    text_of(question, "text"), "asked_at", text_of(question, "asked_at"));
        json_decref(question);
        question = receipt;
    }
    cp_api_answer(request, result, 201, question, &error);
}

void cp_api_questions_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *limit = cp_request_query(request, "limit"), *state = cp_request_query(request, "state");
    json_t *page = NULL;
    int result =
        cp_question_list(app, cp_request_param(request, "channel"), state ? state : "",
                         cp_request_query(request, "cursor"), limit ? atoi(limit) : 50, &page, &error);
    cp_api_answer(request, result, 200, page, &error);
}

void cp_api_question_get(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *question = NULL;
    int result = cp_question_get(user, cp_request_param(request, "channel"),
                                 cp_request_param(request, "question"), &question, &error);
    cp_api_answer(request, result, 200, question, &error);
}

void cp_api_question_change(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *question = NULL;
    int result = cp_question_set_priority(
        user, cp_request_param(request, "channel"), cp_request_param(request, "question"),
        (int)json_integer_value(json_object_get(cp_request_json(request), "priority")), &question, &error);
    cp_api_answer(request, result, 200, question, &error);
}

void cp_api_question_suggest(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *question = NULL;
    int result =
        cp_question_suggest(user, cp_request_param(request, "channel"), cp_request_param(request, "question"),
                            cp_request_key_id(request), &question, &error);
    cp_api_answer(request, result, 200, question, &error);
}

void cp_api_question_approve(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *question = NULL;
    int result =
        cp_question_approve(user, cp_request_param(request, "channel"), cp_request_param(request, "question"),
                            text_of(cp_request_json(request), "text"), cp_request_key_id(request),
                            cp_request_started_ns(request), &question, &error);
    cp_api_answer(request, result, 202, question, &error);
}

void cp_api_question_teach(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *question = NULL;
    int result =
        cp_question_teach(user, cp_request_param(request, "channel"), cp_request_param(request, "question"),
                          text_of(cp_request_json(request), "text"), &question, &error);
    cp_api_answer(request, result, 200, question, &error);
}

void cp_api_question_dismiss(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *question = NULL;
    int result =
        cp_question_dismiss(user, cp_request_param(request, "channel"), cp_request_param(request, "question"),
                            cp_request_key_id(request), &question, &error);
    cp_api_answer(request, result, 200, question, &error);
}
