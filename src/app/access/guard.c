#include "app/access/guard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The token of the query, or of a header that holds no key of ours; NULL when there is none. */
static const char *token_of(const struct cp_request *request)
{
    const char *token = cp_request_query(request, "token");
    const char *header = cp_request_header(request, "Authorization");
    if (token && *token)
        return token;
    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    header += 7 + strspn(header + 7, " ");
    return *header && strncmp(header, "cpk_", 4) != 0 ? header : NULL;
}

bool cp_guard_admit(struct cp_app *app, struct cp_onair *onair, struct cp_request *request,
                    enum cp_access_use use, struct cp_guest *ret_guest)
{
    struct cp_guest guest = {.version = 0};
    struct cp_error error;
    const char *token = token_of(request);
    int result = 0;
    if (cp_onair_is_guarded(onair) && cp_request_role(request) < CP_ROLE_VIEWER) {
        result = token
                     ? cp_access_check(app->access, cp_request_param(request, "channel"), token,
                                       cp_request_header(request, "Origin"), use, &guest, &error)
                     : cp_fail(&error, CP_ERR_UNAUTHORIZED, "app",
                               "this channel needs a playback token: add ?token=... to the address, or send "
                               "it as \"Authorization: Bearer\"");
    }
    if (result)
        cp_request_fail(request, &error);
    else if (ret_guest)
        *ret_guest = guest;
    return !result;
}

bool cp_guard_admit_pass(struct cp_app *app, struct cp_onair *onair, struct cp_request *request)
{
    struct cp_error error;
    if (!cp_onair_is_guarded(onair) || cp_request_role(request) >= CP_ROLE_VIEWER ||
        !cp_access_check_pass(app->access, cp_request_param(request, "channel"),
                              cp_request_param(request, "pass"), &error))
        return true;
    cp_request_fail(request, &error);
    return false;
}

bool cp_guard_admit_beside(struct cp_app *app, struct cp_request *request)
{
    struct cp_onair *onair = cp_onair_hold(app, cp_request_param(request, "channel"));
    bool admitted = !onair || cp_guard_admit(app, onair, request, CP_ACCESS_BESIDE, NULL);
    cp_onair_release(onair);
    return admitted;
}

void cp_guard_mask_address(const char *address, char *ret_masked, size_t capacity)
{
    const char *end = strrchr(address, '.');
    const char *first = strchr(address, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (end)
        snprintf(ret_masked, capacity, "%.*s.x", (int)(end - address), address);
    else if (second)
        snprintf(ret_masked, capacity, "%.*s:x", (int)(second - address), address);
    else
        snprintf(ret_masked, capacity, "unknown");
}
