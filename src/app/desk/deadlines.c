#include "app/desk/deadlines.h"

#include "app/app.h"
#include "app/desk/questions.h"

#include "base/clock.h"
#include "base/runner.h"

#include <stdlib.h>
#include <string.h>

enum { TICK_S = 2, PAGE = 200 };

struct cp_deadlines {
    struct cp_app *app;
    struct cp_runner runner;
    struct cp_metric *late;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* Puts aside what waits in this state and was asked before `since` (RFC 3339). */
static void look_through(struct cp_deadlines *deadlines, const char *channel, const char *state,
                         const char *since)
{
    json_t *page = NULL, *question;
    size_t i;
    if (cp_question_list(deadlines->app, channel, state, NULL, PAGE, &page, NULL))
        return;
    json_array_foreach(json_object_get(page, "questions"), i, question)
    {
        json_t *dismissed = NULL;
        if (strcmp(text_of(question, "asked_at"), since) < 0 &&
            !cp_question_dismiss(deadlines->app, channel, text_of(question, "id"), "deadline", &dismissed,
                                 NULL))
            cp_metric_add(deadlines->late, 1);
        json_decref(dismissed);
    }
    json_decref(page);
}

static void look(void *user)
{
    struct cp_deadlines *deadlines = user;
    json_t *channels = NULL, *channel;
    size_t i;
    if (cp_show_channel_list(deadlines->app->show, &channels, NULL))
        return;
    json_array_foreach(channels, i, channel)
    {
        json_int_t seconds =
            json_integer_value(json_object_get(json_object_get(channel, "answers"), "answer_by_s"));
        char since[32];
        if (seconds <= 0)
            continue;
        cp_clock_rfc3339(cp_clock_wall_ns() - seconds * CP_NS_PER_S, since);
        look_through(deadlines, text_of(channel, "id"), "suggested", since);
        look_through(deadlines, text_of(channel, "id"), "new", since);
    }
    json_decref(channels);
}

int cp_deadlines_create(struct cp_app *app, struct cp_deadlines **ret_deadlines, struct cp_error *error)
{
    struct cp_deadlines *deadlines = calloc(1, sizeof *deadlines);
    if (!deadlines)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    deadlines->app = app;
    deadlines->late = cp_counter(app->observe, "compere_questions_late_total", "",
                                 "Questions that nobody answered in time");
    deadlines->runner.tick = look;
    deadlines->runner.tick_s = TICK_S;
    deadlines->runner.user = deadlines;
    int result = cp_runner_start(&deadlines->runner, "deadlines", 1, error);
    if (result) {
        cp_deadlines_destroy(deadlines);
        return result;
    }
    *ret_deadlines = deadlines;
    return 0;
}

void cp_deadlines_destroy(struct cp_deadlines *deadlines)
{
    if (!deadlines)
        return;
    cp_runner_destroy(&deadlines->runner);
    free(deadlines);
}
