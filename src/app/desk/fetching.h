/*
 * Web pages for the knowledge base: lists of addresses (text/uri-list, RFC 2483), each fetched and read as a
 * document on a thread of its own. What becomes of a list is told by its job, of which the last 64 are kept
 * in memory.
 */
#ifndef CP_APP_FETCHING_H
#define CP_APP_FETCHING_H

#include "base/error.h"
#include "gateway/gateway.h"

#include <jansson.h>

struct cp_app;
struct cp_fetching;

int cp_fetching_create(struct cp_app *app, struct cp_fetching **ret_fetching, struct cp_error *error);
/* Breaks off what is being fetched. NULL is fine. */
void cp_fetching_destroy(struct cp_fetching *fetching);

/* Takes the request's body, a list, and answers 202 with the job; 400 for a list that is none, 503 when too
 * many wait. Any thread. */
void cp_fetching_add(struct cp_fetching *fetching, struct cp_request *request);
/* {"jobs":[...]}, newest first. Any thread. */
json_t *cp_fetching_jobs(struct cp_fetching *fetching);
/* One, or NULL: {"id","collection","state":"waiting|running|done","total","done","documents":[ids],
 * "problems":[{"url","reason"}],"created_at"}. Any thread. */
json_t *cp_fetching_job(struct cp_fetching *fetching, const char *id);

#endif
