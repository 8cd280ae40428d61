#include "speech/engines/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STAGE "speech"

/* How often a wait looks at *stop. */
enum { SLICE_MS = 50 };

/* What a worker may see of our environment: secrets may be in the rest. */
static const char *const PASSED_ON[] = {"PATH", "LANG", "LC_ALL", "ESPEAK_DATA_PATH"};
enum { N_PASSED_ON = sizeof PASSED_ON / sizeof *PASSED_ON, VARIABLE_BYTES = 1024 };

static int spawn(pid_t *ret_pid, char *const *words, int input, int output)
{
    static const char NAME_SIZE_CHECK[] = "ESPEAK_DATA_PATH=";
    char variables[N_PASSED_ON][VARIABLE_BYTES + sizeof NAME_SIZE_CHECK];
    char *environment[N_PASSED_ON + 1] = {0};
    int n = 0;
    for (int i = 0; i < N_PASSED_ON; i++) {
        const char *value = getenv(PASSED_ON[i]);
        if (!value || strlen(value) >= VARIABLE_BYTES)
            continue;
        snprintf(variables[n], sizeof variables[n], "%s=%s", PASSED_ON[i], value);
        environment[n] = variables[n];
        n++;
    }
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&files))
        return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    /* the pipes' numbers are above 2, see keep_above_standard */
    posix_spawn_file_actions_adddup2(&files, input, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawnp(ret_pid, words[0], &files, &attributes, words, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* A process started without standard streams would give us pipes numbered 0..2, and dup2 would mix them up.
 */
static int keep_above_standard(int fd)
{
    if (fd > 2)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return moved;
}

static void close_all(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int cp_child_start(struct cp_child *child, char *const *words, struct cp_error *error)
{
    int fds[4] = {-1, -1, -1, -1}; /* its input: read, write; its output: read, write */
    if (pipe2(fds, O_CLOEXEC) || pipe2(fds + 2, O_CLOEXEC)) {
        close_all(fds, 4);
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "No pipe to a voice program: %s.", strerror(errno));
    }
    for (int i = 0; i < 4; i++)
        fds[i] = keep_above_standard(fds[i]);
    pid_t pid = 0;
    int failed =
        fds[0] < 0 || fds[1] < 0 || fds[2] < 0 || fds[3] < 0 ? EMFILE : spawn(&pid, words, fds[0], fds[3]);
    if (failed) {
        close_all(fds, 4);
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE, "The voice program %s cannot be started: %s.",
                       words[0], strerror(failed));
    }
    close(fds[0]);
    close(fds[3]);
    child->input = fds[1];
    child->output = fds[2];
    fcntl(child->input, F_SETFL, O_NONBLOCK);
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    atomic_store(&child->pid, pid);
    return 0;
}

void cp_child_stop(struct cp_child *child)
{
    pid_t pid = atomic_exchange(&child->pid, 0);
    if (!pid)
        return;
    close(child->input);
    close(child->output);
    kill(pid, SIGKILL); /* ours and not yet reaped, so the number is still its own */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Waits until the pipe is ready. */
static int await(int fd, short events, int64_t deadline_ns, const atomic_bool *stop)
{
    for (;;) {
        int64_t left_ns = deadline_ns - cp_clock_now_ns();
        if (left_ns <= 0)
            return CP_ERR_TIMEOUT;
        int64_t wait_ms = left_ns / CP_NS_PER_MS + 1;
        struct pollfd pollfd = {.fd = fd, .events = events};
        int ready = poll(&pollfd, 1, wait_ms < SLICE_MS ? (int)wait_ms : SLICE_MS);
        if (ready > 0)
            return 0; /* a closed pipe too: the read or write will tell */
        if (ready < 0 && errno != EINTR)
            return CP_ERR_IO;
        /* a worker that is just answering may end its sentence: cheaper than a new one */
        if (stop && atomic_load(stop))
            return CP_ERR_CANCELLED;
    }
}

int cp_child_write(struct cp_child *child, const void *bytes, size_t length, int64_t deadline_ns,
                   const atomic_bool *stop)
{
    /* SIGPIPE is blocked on our threads (base/thread.h); a closed pipe is EPIPE */
    for (size_t done = 0; done < length;) {
        ssize_t n = write(child->input, (const char *)bytes + done, length - done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return CP_ERR_IO;
        int result = await(child->input, POLLOUT, deadline_ns, stop);
        if (result)
            return result;
    }
    return 0;
}

int cp_child_wait(struct cp_child *child, int64_t deadline_ns, const atomic_bool *stop)
{
    return await(child->output, POLLIN, deadline_ns, stop);
}

int cp_child_read(struct cp_child *child, void *bytes, size_t length, int64_t deadline_ns,
                  const atomic_bool *stop)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = read(child->output, (char *)bytes + done, length - done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return CP_ERR_IO;
        int result = await(child->output, POLLIN, deadline_ns, stop);
        if (result)
            return result;
    }
    return 0;
}
