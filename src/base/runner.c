#include "runner.h"

#include "clock.h"
#include "thread.h"

#include <stdio.h>

static void drop_errand(void *item)
{
    struct cp_errand *errand = item;
    errand->drop(errand);
}

static void *run(void *arg)
{
    struct cp_runner *runner = arg;
    for (;;) {
        int64_t until_ns = runner->tick ? cp_clock_now_ns() + runner->tick_s * CP_NS_PER_S : INT64_MAX;
        struct cp_errand *errand = cp_queue_pop(runner->queue, until_ns);
        if (errand)
            errand->run(errand);
        else if (cp_queue_closed(runner->queue))
            return NULL;
        else
            runner->tick(runner->user);
    }
}

int cp_runner_start(struct cp_runner *runner, const char *name, size_t capacity, struct cp_error *error)
{
    snprintf(runner->name, sizeof runner->name, "%s", name);
    runner->queue = cp_queue_create(runner->name, capacity, CP_FULL_REFUSE, drop_errand);
    if (!runner->queue || cp_thread_start(&runner->thread, runner->name, run, runner))
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start the thread \"%s\"", name);
    runner->started = true;
    return 0;
}

bool cp_runner_push(struct cp_runner *runner, struct cp_errand *errand)
{
    return cp_queue_push(runner->queue, errand);
}

void cp_runner_close(struct cp_runner *runner)
{
    if (runner->queue)
        cp_queue_close(runner->queue);
    if (runner->started)
        pthread_join(runner->thread, NULL);
    runner->started = false;
}

void cp_runner_destroy(struct cp_runner *runner)
{
    cp_runner_close(runner);
    cp_queue_destroy(runner->queue);
    runner->queue = NULL;
}
