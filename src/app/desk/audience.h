/*
 * The audience asks: without a key, from the watch page, where a channel takes questions
 * ("questions": {"open": true}). Each address has its share of questions, what asks the same becomes a vote
 * for what waits already, and what the filter refuses is told to its author.
 */
#ifndef CP_APP_AUDIENCE_H
#define CP_APP_AUDIENCE_H

#include "gateway/gateway.h"

struct cp_app;
struct cp_audience;

/* NULL when out of memory. */
struct cp_audience *cp_audience_create(struct cp_app *app);
void cp_audience_destroy(struct cp_audience *audience);

/* GET and POST /v1/channels/{channel}/ask, and POST .../ask/webhook for bridges to chats, which sign what
 * they send. thread: http */
void cp_api_ask_state(void *user, struct cp_request *request);
void cp_api_ask(void *user, struct cp_request *request);
void cp_api_ask_webhook(void *user, struct cp_request *request);

#endif
