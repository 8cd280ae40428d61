/*
 * A thread that works off a bounded queue of errands: what may wait for a disk or another machine, taken off
 * the threads that must not.
 */
#ifndef CP_BASE_RUNNER_H
#define CP_BASE_RUNNER_H

#include "error.h"
#include "queue.h"

#include <pthread.h>

/* First member of what there is to do. */
struct cp_errand {
    void (*run)(struct cp_errand *errand);  /* does it and frees it */
    void (*drop)(struct cp_errand *errand); /* it will not be done: answers who waits, and frees it */
};

/* Zeroed, with the tick's fields set when it shall have one, before cp_runner_start. */
struct cp_runner {
    struct cp_queue *queue;
    pthread_t thread;
    bool started;
    void (*tick)(void *user); /* called about every tick_s; may be NULL */
    void *user;
    int64_t tick_s;
    char name[16];
};

int cp_runner_start(struct cp_runner *runner, const char *name, size_t capacity, struct cp_error *error);
/* False when the queue is full or closed: the errand stays the caller's. Any thread. */
bool cp_runner_push(struct cp_runner *runner, struct cp_errand *errand);
/* Does what waits, takes no more, and ends the thread. May be called twice, and on one that never started. */
void cp_runner_close(struct cp_runner *runner);
/* Closes, and frees the queue. */
void cp_runner_destroy(struct cp_runner *runner);

#endif
