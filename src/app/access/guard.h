/* The door before what viewers ask for: lets a request in, or answers it. thread: http */
#ifndef CP_APP_GUARD_H
#define CP_APP_GUARD_H

#include "app/access/access.h"
#include "app/app.h"

/* Whether the request may play what is on air: the channel is public, the request has a viewer's key, or its
 * token is good (?token=, or Authorization: Bearer). Otherwise false, and it was answered with 401 or 403.
 * ret_guest may be NULL; its expires_s is 0 when no token was needed. */
bool cp_guard_admit(struct cp_app *app, struct cp_onair *onair, struct cp_request *request,
                    enum cp_access_use use, struct cp_guest *ret_guest);
/* The same for an address that holds a pass. */
bool cp_guard_admit_pass(struct cp_app *app, struct cp_onair *onair, struct cp_request *request);
/* For what is asked beside the picture: a channel that is not on air, or not there, lets everybody in, for
 * the handler to say so. */
bool cp_guard_admit_beside(struct cp_app *app, struct cp_request *request);

/* An address for people to read, without what tells one household from its neighbours: "203.0.113.x". */
void cp_guard_mask_address(const char *address, char *ret_masked, size_t capacity);

#endif
