/*
 * A worker process and the pipes to it. It gets no file descriptor but its three standard ones, no
 * environment but what it needs, default signals, and dies with us (end of input; PROTOCOL.md asks it for
 * more). One thread at a time.
 */
#ifndef CP_SPEECH_CHILD_H
#define CP_SPEECH_CHILD_H

#include "base/error.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cp_child {
    atomic_int pid;    /* 0 when there is none; read by tests */
    int input, output; /* our ends: its standard input and output */
};

/* Starts the program words[0] (found by PATH when it has no slash) with arguments, ended by NULL.
 * CP_ERR_UNAVAILABLE when it is not there or cannot be started. */
int cp_child_start(struct cp_child *child, char *const *words, struct cp_error *error);
/* Kills and reaps it; no zombie stays. Fine when there is none. */
void cp_child_stop(struct cp_child *child);

/* All of it, or CP_ERR_TIMEOUT at the deadline, CP_ERR_CANCELLED soon after *stop turned true (stop may be
 * NULL), CP_ERR_IO when the process is gone. */
int cp_child_write(struct cp_child *child, const void *bytes, size_t length, int64_t deadline_ns,
                   const atomic_bool *stop);
/* Waits until there is something to read, or the process is gone. Results as above. */
int cp_child_wait(struct cp_child *child, int64_t deadline_ns, const atomic_bool *stop);
int cp_child_read(struct cp_child *child, void *bytes, size_t length, int64_t deadline_ns,
                  const atomic_bool *stop);

#endif
