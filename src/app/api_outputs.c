/* Outputs: where a channel is pushed to. */
#include "app/api.h"

#include <stdio.h>

void cp_api_outputs_list(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *list = NULL;
    int result = cp_outputs_list(user, cp_request_param(request, "channel"), &list, &error);
    cp_api_answer(request, result, 200, result ? NULL : json_pack("{s:o}", "outputs", list), &error);
}

void cp_api_outputs_create(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *output = NULL;
    const char *channel = cp_request_param(request, "channel");
    int result = cp_outputs_put(user, channel, NULL, cp_request_json(request), &output, &error);
    if (!result) {
        char location[160];
        snprintf(location, sizeof location, "/v1/channels/%s/outputs/%s", channel,
                 json_string_value(json_object_get(output, "id")));
        cp_request_add_header(request, "Location", location);
    }
    cp_api_answer(request, result, 201, output, &error);
}

void cp_api_output_get(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *output = NULL;
    int result = cp_outputs_get(user, cp_request_param(request, "channel"),
                                cp_request_param(request, "output"), &output, &error);
    cp_api_answer(request, result, 200, output, &error);
}

void cp_api_output_patch(void *user, struct cp_request *request)
{
    struct cp_error error;
    json_t *output = NULL;
    int result =
        cp_outputs_put(user, cp_request_param(request, "channel"), cp_request_param(request, "output"),
                       cp_request_json(request), &output, &error);
    cp_api_answer(request, result, 200, output, &error);
}

void cp_api_output_delete(void *user, struct cp_request *request)
{
    struct cp_error error;
    int result = cp_outputs_delete(user, cp_request_param(request, "channel"),
                                   cp_request_param(request, "output"), &error);
    cp_api_answer(request, result, 204, NULL, &error);
}
