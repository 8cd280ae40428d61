/*
 * The audience asks: without a key, from the watch page, where a channel takes questions
 * ("questions": {"open": true}). Each address has its share of questions, what asks the same becomes a vote
 * for what waits already, and what the filter refuses is told to its author. With a moderation endpoint a
 * question comes to the desk when that has judged it (judging.h).
 */
#ifndef CP_APP_AUDIENCE_H
#define CP_APP_AUDIENCE_H

#include "gateway/gateway.h"

struct cp_app;
struct cp_audience;

int cp_audience_create(struct cp_app *app, struct cp_audience **ret_audience, struct cp_error *error);
/* Questions that still wait for the moderation are kept or not as moderation.on_failure says: show, answering
 * and store must be there still. NULL is fine. */
void cp_audience_destroy(struct cp_audience *audience);
/* Brings the gauges up to date, before the metrics are written. */
void cp_audience_collect(struct cp_audience *audience);

/* GET and POST /v1/channels/{channel}/ask, and POST .../ask/webhook for bridges to chats, which sign what
 * they send. thread: http */
void cp_api_ask_state(void *user, struct cp_request *request);
void cp_api_ask(void *user, struct cp_request *request);
void cp_api_ask_webhook(void *user, struct cp_request *request);

#endif
