/*
 * What a language model of OpenAI's shape answers, read piece by piece: server-sent events of
 * "chat.completion.chunk" (POST /v1/chat/completions with "stream": true), or one JSON object from servers
 * that do not stream. Foreign bytes: everything is bounded; what is no JSON is passed over a few times.
 *
 * Of the deltas only "content" is the answer. Thoughts ("reasoning", "reasoning_content", <think>...</think>
 * in the content, as several servers send them) never leave here.
 */
#ifndef CP_ANSWERS_LLM_STREAM_H
#define CP_ANSWERS_LLM_STREAM_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct cp_llm_stream {
    struct cp_buffer text;         /* the answer so far */
    int64_t tokens_in, tokens_out; /* as the server counts them; 0: it did not say */
    bool finished;                 /* it said that it is */
    bool untagged;                 /* thoughts came without a beginning: what was text before may be one */
    char problem[200];             /* of a server that told an error in the stream */

    /* inside */
    struct cp_buffer line, event, held;
    bool whole, begun, thinking; /* whole: one JSON object instead of events */
    int garbage;
};

struct cp_llm_stream cp_llm_stream_make(void);
void cp_llm_stream_free(struct cp_llm_stream *stream);
/* 0; CP_ERR_UNAVAILABLE when the server tells an error, CP_ERR_FORMAT for an answer that is none,
 * CP_ERR_LIMIT. */
int cp_llm_stream_feed(struct cp_llm_stream *stream, const void *bytes, size_t length);
/* The body is over: CP_ERR_IO when it broke off before the server had said that it is. */
int cp_llm_stream_end(struct cp_llm_stream *stream);

#endif
