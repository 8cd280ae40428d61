/*
 * Questions that nobody has answered in time are put aside, on channels that say so ("answers":
 * {"answer_by_s": 120}): what was asked about the last scene is no answer's business two scenes later. A
 * thread of its own looks every two seconds; what it does stands in the question's history as done by
 * "deadline".
 */
#ifndef CP_APP_DEADLINES_H
#define CP_APP_DEADLINES_H

#include "base/error.h"

struct cp_app;
struct cp_deadlines;

int cp_deadlines_create(struct cp_app *app, struct cp_deadlines **ret_deadlines, struct cp_error *error);
/* NULL is fine. */
void cp_deadlines_destroy(struct cp_deadlines *deadlines);

#endif
