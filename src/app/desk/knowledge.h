/* The knowledge base beside the requests: on a thread of its own documents are read and sets of questions
 * tried. */
#ifndef CP_APP_KNOWLEDGE_H
#define CP_APP_KNOWLEDGE_H

#include "answers/answers.h"
#include "gateway/gateway.h"
#include "observe/observe.h"

struct cp_knowledge;

/* answers and observe must outlive it. */
int cp_knowledge_create(struct cp_answers *answers, struct cp_observe *observe,
                        struct cp_knowledge **ret_knowledge, struct cp_error *error);
/* Waits for the document being read; those that wait are answered with 503. NULL is fine. */
void cp_knowledge_destroy(struct cp_knowledge *knowledge);
/* Reads the request's body as a document and answers 201 with its record; the request is held meanwhile.
 * CP_ERR_BUSY's answer, 503 with Retry-After, when too many wait. */
void cp_knowledge_add(struct cp_knowledge *knowledge, struct cp_request *request);
/* Tries the request's body, a set of questions, on the documents and answers 200 with the report
 * (answers/evaluate.h); held and refused like a document. Here a set may have CP_KNOWLEDGE_MAX_QUESTIONS. */
#define CP_KNOWLEDGE_MAX_QUESTIONS 2000
void cp_knowledge_evaluate(struct cp_knowledge *knowledge, struct cp_request *request);
/* Brings the gauges up to date, before the metrics are written. */
void cp_knowledge_collect(struct cp_knowledge *knowledge);

#endif
