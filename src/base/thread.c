#include "base/thread.h"

#include "base/error.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char thread_name[16] = "main";

struct start {
    char name[16];
    void *(*run)(void *);
    void *arg;
};

static void *enter(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    memcpy(thread_name, start.name, sizeof thread_name);
    pthread_setname_np(pthread_self(), thread_name);
    return start.run(start.arg);
}

int cp_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return CP_ERR_NOMEM;
    snprintf(start->name, sizeof start->name, "%s", name);
    start->run = run;
    start->arg = arg;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(ret_thread, NULL, enter, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        free(start);
    return failed ? CP_ERR_NOMEM : 0;
}

void cp_thread_adopt(const char *name)
{
    snprintf(thread_name, sizeof thread_name, "%s", name);
    pthread_setname_np(pthread_self(), thread_name);
}

const char *cp_thread_name(void)
{
    return thread_name;
}

bool cp_thread_is(const char *role)
{
    return !strncmp(thread_name, role, strlen(role));
}
