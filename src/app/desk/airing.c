#include "app/desk/airing.h"

#include "answers/llm/prompt.h"
#include "app/app.h"
#include "app/desk/questions.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

json_t *cp_airing_cite(const json_t *hits, unsigned cited, double *ret_confidence)
{
    static const char *const FIELDS[] = {"document", "title", "heading", "passage", "link"};
    json_t *citations = json_array(), *hit;
    size_t i;
    json_array_foreach(hits, i, hit)
    {
        double confidence = json_number_value(json_object_get(hit, "confidence"));
        if (i >= CP_PROMPT_MAX_PASSAGES || !(cited & 1u << i))
            continue;
        json_t *citation = json_object();
        for (size_t k = 0; k < sizeof FIELDS / sizeof *FIELDS; k++)
            if (json_object_get(hit, FIELDS[k]))
                json_object_set(citation, FIELDS[k], json_object_get(hit, FIELDS[k]));
        json_object_set_new(citation, "start", json_integer(0));
        json_object_set_new(citation, "end", json_integer((json_int_t)strlen(text_of(hit, "text"))));
        json_array_append_new(citations, citation);
        *ret_confidence = confidence > *ret_confidence ? confidence : *ret_confidence;
    }
    return citations;
}

/* --- the filler --- */

/* One of the lines by "|"; which one the question's id decides, so that it varies and can be told. */
static void choose_filler(const char *lines, const char *question, char *filler, size_t capacity)
{
    unsigned n = 1, which = 0;
    for (const char *c = lines; *c; c++)
        n += *c == '|';
    for (const char *c = question; *c; c++)
        which = which * 31 + (unsigned char)*c;
    for (which %= n; which; which--)
        lines = strchr(lines, '|') + 1;
    lines += strspn(lines, " ");
    size_t length = strcspn(lines, "|");
    while (length && lines[length - 1] == ' ')
        length--;
    snprintf(filler, capacity, "%.*s", (int)length, lines);
}

void cp_airing_begin(struct cp_airing *airing, struct cp_app *app, const char *channel, const json_t *about,
                     const char *question, const json_t *hits, int64_t asked_ns)
{
    enum { USUAL_FILLER_MS = 1200 };
    const json_t *rule = json_object_get(about, "answers"), *filler_ms = json_object_get(rule, "filler_ms");
    *airing = (struct cp_airing){.app = app,
                                 .channel = channel,
                                 .question = question,
                                 .hits = hits,
                                 .sure = asked_ns ? cp_question_sure(about) : 2,
                                 .asked_ns = asked_ns,
                                 .begun_ns = cp_clock_now_ns(),
                                 .said = cp_buffer_make(64 << 10)};
    choose_filler(text_of(rule, "filler"), question, airing->filler, sizeof airing->filler);
    airing->filler_ns = CP_NS_PER_MS * (filler_ms ? json_integer_value(filler_ms) : USUAL_FILLER_MS);
    if (airing->sure <= 1)
        cp_show_think(app->show, channel, app->config.llm.total_ms * CP_NS_PER_MS);
}

/* Approves the question with that much of its answer, and makes the cue. */
static int make_cue(struct cp_airing *airing, const char *text, size_t length, json_t *citations,
                    double confidence)
{
    struct cp_error error;
    json_t *suggestion =
        json_pack("{s:s%,s:b,s:f,s:O,s:s,s:f}", "text", text, length, "refused", 0, "confidence", confidence,
                  "citations", citations, "by", "model", "first_sentence_ms", (double)airing->first_ns / 1e6);
    int result = cp_question_air_begun(airing->app, airing->channel, airing->question, suggestion,
                                       airing->asked_ns, airing->cue, &error);
    airing->over = result != 0;
    json_decref(suggestion);
    return result;
}

/* Where the best passage promises no answer that would air, nothing is said to bridge the wait for it. */
void cp_airing_tick(void *user)
{
    struct cp_airing *airing = user;
    const json_t *best = json_array_get(airing->hits, 0);
    if (!*airing->filler || *airing->cue || airing->over || airing->sure > 1 ||
        cp_clock_now_ns() - airing->begun_ns < airing->filler_ns ||
        json_number_value(json_object_get(best, "confidence")) < airing->sure)
        return;
    json_t *none = json_array();
    make_cue(airing, airing->filler, strlen(airing->filler), none, airing->sure);
    json_decref(none);
}

/* --- the answer --- */

static int extend(struct cp_airing *airing, const char *text, size_t length, bool last)
{
    char *more = strndup(text, length);
    struct cp_error error;
    int result = more
                     ? cp_show_cue_extend(airing->app->show, airing->channel, airing->cue, more, last, &error)
                     : CP_ERR_NOMEM;
    airing->over = result || last;
    free(more);
    return result;
}

/* Airs the first sentences, if they name a document that is good enough; else the next ones may. */
static int begin(struct cp_airing *airing, const char *text, size_t length, unsigned cited)
{
    double confidence = 0;
    int result = CP_ERR_BUSY;
    json_t *citations = cp_airing_cite(airing->hits, cited, &confidence);
    if (json_array_size(citations) && confidence >= airing->sure) {
        airing->first_ns = cp_clock_now_ns() - airing->begun_ns;
        result = *airing->cue ? extend(airing, text, length, false)
                              : make_cue(airing, text, length, citations, confidence);
        airing->begun = !result;
    }
    json_decref(citations);
    return result;
}

/* Gives the air what it has not said yet of the first `length` bytes of the answer. */
static void air(struct cp_airing *airing, const char *text, size_t length, unsigned cited, bool last)
{
    size_t said = airing->said.length;
    while (length && text[length - 1] == ' ')
        length--;
    if (length < said || (said && memcmp(text, airing->said.data, said) != 0)) {
        extend(airing, "", 0, true); /* what was said stays said; nothing is added to it */
        return;
    }
    size_t from = said + strspn(text + said, " ");
    int result = 0;
    if (!airing->begun)
        result = begin(airing, text, length, cited);
    else if (length > from || last)
        result = extend(airing, text + from, length > from ? length - from : 0, last);
    if (!result)
        cp_buffer_add(&airing->said, text + said, length - said);
}

bool cp_airing_hear(void *user, const char *answer)
{
    struct cp_airing *airing = user;
    unsigned cited = 0;
    if (airing->over || airing->sure > 1 || cp_prompt_may_be_refusal(answer))
        return airing->begun;
    struct cp_buffer text = cp_buffer_make(64 << 10);
    cp_prompt_read(answer, (int)json_array_size(airing->hits), &text, &cited);
    size_t whole = text.failed ? 0 : cp_prompt_whole_sentences(cp_buffer_string(&text));
    if (whole > airing->said.length)
        air(airing, cp_buffer_string(&text), whole, cited, false);
    cp_buffer_free(&text);
    return airing->begun;
}

void cp_airing_finish(struct cp_airing *airing, const json_t *suggestion, const char *otherwise)
{
    if (airing->sure <= 1)
        cp_show_think(airing->app->show, airing->channel, 0);
    if (!*airing->cue || airing->over)
        return;
    if (airing->begun) {
        const char *text = suggestion ? text_of(suggestion, "text") : cp_buffer_string(&airing->said);
        air(airing, text, strlen(text), 0, true);
        return;
    }
    bool usable = json_is_true(json_object_get(suggestion, "refused")) ||
                  json_number_value(json_object_get(suggestion, "confidence")) >= airing->sure;
    const char *text = suggestion && usable ? text_of(suggestion, "text") : otherwise;
    if (!extend(airing, text, strlen(text), true))
        cp_buffer_text(&airing->said, text);
}

void cp_airing_clear(struct cp_airing *airing)
{
    cp_buffer_free(&airing->said);
}
