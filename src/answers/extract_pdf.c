/*
 * PDF by poppler's pdftotext, in a child process: its parser meets foreign bytes, so it gets bounds on time,
 * memory and output, no network where the kernel allows it, and nothing of ours but the document.
 */
#include "answers/extract.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STAGE   "answers"
#define PROGRAM "/usr/bin/pdftotext"

enum { SECONDS = 20, MEMORY = 1 << 30, MAX_OUTPUT = 64 << 20 };

/* Between fork and exec: async-signal-safe calls only. */
static void become_reader(int document, int out)
{
    char name[] = "pdftotext", quiet[] = "-q", encoding[] = "-enc", utf8[] = "UTF-8", standard[] = "-",
         locale[] = "LC_ALL=C.UTF-8";
    char *const argv[] = {name, quiet, encoding, utf8, standard, standard, NULL}, *const envp[] = {locale,
                                                                                                   NULL};
    const struct rlimit cpu = {SECONDS, SECONDS}, memory = {MEMORY, MEMORY}, none = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    unshare(CLONE_NEWUSER | CLONE_NEWNET); /* refused in some containers: the other bounds hold */
    int null = open("/dev/null", O_WRONLY);
    if (setrlimit(RLIMIT_CPU, &cpu) || setrlimit(RLIMIT_AS, &memory) || setrlimit(RLIMIT_FSIZE, &none) ||
        dup2(document, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
    execve(PROGRAM, argv, envp);
    _exit(127);
}

/* What the child writes, until it ends or the time is over. False when it wrote too much or took too long. */
static bool read_all(int fd, struct cp_buffer *out)
{
    int64_t deadline_ns = cp_clock_now_ns() + SECONDS * CP_NS_PER_S;
    for (;;) {
        int64_t left_ms = (deadline_ns - cp_clock_now_ns()) / CP_NS_PER_MS;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || (poll(&poll_fd, 1, (int)left_ms) < 0 && errno != EINTR))
            return false;
        if (!poll_fd.revents)
            continue;
        uint8_t *room = cp_buffer_reserve(out, 65536);
        ssize_t n = room ? read(fd, room, 65536) : -1;
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        out->length += n > 0 ? (size_t)n : 0;
    }
}

/* The document as a file without a name, which a child can read from its start. -1 on failure. */
static int as_file(const void *bytes, size_t length)
{
    int fd = memfd_create("document", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < length;) {
        ssize_t n = write(fd, (const char *)bytes + at, length - at);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

int cp_extract_pdf(struct cp_extract *extract, const char *bytes, size_t length, struct cp_error *error)
{
    if (length < 5 || memcmp(bytes, "%PDF-", 5) != 0)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "The document does not begin as a PDF does.");
    if (access(PROGRAM, X_OK))
        return cp_fail(error, CP_ERR_UNAVAILABLE, STAGE,
                       "PDF is read by pdftotext, which is not installed; apt install poppler-utils.");
    int pipe_fd[2], document = as_file(bytes, length), status = 0;
    if (document < 0 || pipe2(pipe_fd, O_CLOEXEC)) {
        if (document >= 0)
            close(document);
        return cp_fail(error, CP_ERR_IO, STAGE, "The document could not be handed to pdftotext: %s.",
                       strerror(errno));
    }
    struct cp_buffer text = cp_buffer_make(MAX_OUTPUT);
    pid_t child = fork();
    if (!child)
        become_reader(document, pipe_fd[1]);
    close(document);
    close(pipe_fd[1]);
    bool whole = child > 0 && read_all(pipe_fd[0], &text);
    close(pipe_fd[0]);
    if (child > 0) {
        if (!whole)
            kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    int result = 0;
    if (!whole)
        result = cp_fail(error, CP_ERR_LIMIT, STAGE,
                         "The PDF took more than %d seconds or %d MB of text to read; split it.", SECONDS,
                         MAX_OUTPUT >> 20);
    else if (status)
        result = cp_fail(error, CP_ERR_FORMAT, STAGE,
                         "pdftotext cannot read the PDF; it may be damaged or locked.");
    else
        result = cp_extract_plain(extract, (const char *)text.data, text.length, error);
    cp_buffer_free(&text);
    return result;
}
