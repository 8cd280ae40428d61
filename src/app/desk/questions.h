/*
 * The question desk: what viewers ask, what is suggested, and what was done about it by whom.
 *
 *   new -> suggested -> approved -> aired
 *                  \-> dismissed       \-> suggested again, when its cue was cut or failed
 *
 * Questions are records of the store (partition "questions.CHANNEL"), changed by compare-and-set, kept a
 * week.
 */
#ifndef CP_APP_QUESTIONS_H
#define CP_APP_QUESTIONS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cp_app;

/* spec: {"text","asker","language","collection"}. With its suggestion; on a channel that answers by itself it
 * may be approved already. "unmoderated": true stays with it and keeps it from airing by itself. by: a key's
 * id, for the history; asked_ns: monotonic, of the request. */
int cp_question_ask(struct cp_app *app, const char *channel, const json_t *spec, const char *by,
                    int64_t asked_ns, json_t **ret_question, struct cp_error *error);
/* Airs the suggestion without anybody's word, where the channel says so ("answers": {"mode":"auto"}) and the
 * answer is sure enough. True when it did. asked_ns: of the question. */
bool cp_question_air_if_sure(struct cp_app *app, const char *channel, const char *id, int64_t asked_ns);
/* How sure an answer must be to air by itself on a channel (its JSON), 0 to 1; 2: none does. */
double cp_question_sure(const json_t *channel);
/* Airs the beginning of an answer that is still being written: approves with that suggestion, as "auto", and
 * makes an open cue (cp_show_cue_extend). CP_ERR_EXISTS when somebody was faster. */
int cp_question_air_begun(struct cp_app *app, const char *channel, const char *id, const json_t *suggestion,
                          int64_t asked_ns, char ret_cue[48], struct cp_error *error);
/* Puts down the whole answer of a question whose beginning was aired, whatever its state is now. */
void cp_question_note_whole(struct cp_app *app, const char *channel, const char *id, const json_t *suggestion,
                            const char *said);
/* What the same asker asked in the last quarter of an hour and heard an answer to, newest first, at most
 * three: [{"question", "answer"}]. Empty for askers without a name. The caller's. */
json_t *cp_question_earlier(struct cp_app *app, const char *channel, const json_t *question);
int cp_question_get(struct cp_app *app, const char *channel, const char *id, json_t **ret_question,
                    struct cp_error *error);
/* Newest first; state "" for all. {"questions":[...],"cursor"} */
int cp_question_list(struct cp_app *app, const char *channel, const char *state, const char *cursor,
                     int limit, json_t **ret_page, struct cp_error *error);
/* Looks the answer up again, as documents have changed. */
int cp_question_suggest(struct cp_app *app, const char *channel, const char *id, const char *by,
                        json_t **ret_question, struct cp_error *error);
/* Airs the suggestion, or `text` when it is not "": a cue is made. CP_ERR_EXISTS when it is past that,
 * CP_ERR_INVALID when there is nothing to say. asked_ns: monotonic, of the request. */
int cp_question_approve(struct cp_app *app, const char *channel, const char *id, const char *text,
                        const char *by, int64_t asked_ns, json_t **ret_question, struct cp_error *error);
/* What a language model wrote takes the place of the suggestion, if the question still waits for an answer.
 */
void cp_question_set_suggestion(struct cp_app *app, const char *channel, const char *id,
                                const json_t *suggestion);
/* One more who asks the same. CP_ERR_EXISTS when it does not wait any more. */
int cp_question_vote(struct cp_app *app, const char *channel, const char *id, json_t **ret_question,
                     struct cp_error *error);
/* How soon it wants its answer: -1 to 2, 0 is usual. Desks list by it. CP_ERR_EXISTS when it does not wait
 * any more. */
int cp_question_set_priority(struct cp_app *app, const char *channel, const char *id, int priority,
                             json_t **ret_question, struct cp_error *error);
int cp_question_dismiss(struct cp_app *app, const char *channel, const char *id, const char *by,
                        json_t **ret_question, struct cp_error *error);
/* Puts question and answer (`text`, else what was said, else what is suggested) into the knowledge base as a
 * pair, which is found before passages. CP_ERR_INVALID without an answer. */
int cp_question_teach(struct cp_app *app, const char *channel, const char *id, const char *text,
                      json_t **ret_question, struct cp_error *error);
/* A cue with a "question" changed its state. thread: show */
void cp_question_cue_changed(struct cp_app *app, const char *channel, const json_t *cue);

#endif
