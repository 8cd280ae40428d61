/* Named threads; the name shows in gdb and top. */
#ifndef CP_BASE_THREAD_H
#define CP_BASE_THREAD_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

/* Starts a thread with all signals blocked. name: at most 15 characters. Returns 0 or CP_ERR_NOMEM. */
int cp_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg);

/* Names the calling thread, which a library has started. name: at most 15 characters. */
void cp_thread_adopt(const char *name);

/* The calling thread's name ("main" for the first). Valid for the thread's life. */
const char *cp_thread_name(void);

/* True when the calling thread's name starts with `role` ("draw" matches "draw.main"). */
bool cp_thread_is(const char *role);

/* Debug builds stop when a function runs on the wrong thread. Tests call from "main": that is allowed. */
#define CP_ASSERT_THREAD(role) assert(cp_thread_is(role) || cp_thread_is("main"))

#endif
