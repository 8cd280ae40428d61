/* How well the knowledge base answers a set of questions whose answers are known. */
#ifndef CP_ANSWERS_EVALUATE_H
#define CP_ANSWERS_EVALUATE_H

#include "answers/answers.h"

#define CP_EVALUATE_MAX_QUESTIONS 20000

/*
 * Reads a set: JSON lines {"question", "document"?, "answer"?, "answerable"?}, or a table (CSV) whose first
 * row names these columns. document: a title or id; answer: words that the right passage holds; without both
 * a question is one that the knowledge base cannot answer. CP_ERR_FORMAT and CP_ERR_INVALID tell the line.
 * The caller drops *ret_questions.
 */
int cp_evaluate_read(const char *bytes, size_t length, json_t **ret_questions, struct cp_error *error);

/*
 * Searches for each question (limit 10). *ret_report: {"questions","answerable","unanswerable","recall_1",
 * "recall_5","recall_10","mrr_10","threshold","refused_right","refused_wrong","p50_ms","p99_ms",
 * "curve":[{"threshold","refused_right","refused_wrong"}],"missed":[{"question","wanted","found"}]}. Shares
 * 0..1; refused_right: of the questions without an answer, refused_wrong: of those with one; those of a kind
 * that is not in the set are null. missed: at most 50 whose best passage is not the right one. Blocks a few
 * milliseconds a question.
 */
int cp_evaluate(struct cp_answers *answers, const json_t *questions, const char *collection,
                json_t **ret_report, struct cp_error *error);

#endif
