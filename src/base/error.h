/*
 * One list of error codes for the whole program, and a bounded text that says what happened and what to do.
 *
 * Functions return 0 or a negative enum cp_err. Their last argument may be a struct cp_error *, which may be
 * NULL. On failure, ret_ outputs stay as they were. Stages return errors; only the app logs them.
 */
#ifndef CP_BASE_ERROR_H
#define CP_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

enum cp_err {
    CP_OK = 0,
    CP_ERR_INVALID = -1,      /* the caller's input is wrong (HTTP 400) */
    CP_ERR_NOT_FOUND = -2,    /* no such thing (404) */
    CP_ERR_EXISTS = -3,       /* it is there already, or the version moved on (409) */
    CP_ERR_DENIED = -4,       /* not allowed (403) */
    CP_ERR_UNAUTHORIZED = -5, /* who are you? (401) */
    CP_ERR_LIMIT = -6,        /* too large (413) */
    CP_ERR_BUSY = -7,         /* full or too many at once: try later (429, 503) */
    CP_ERR_UNSUPPORTED = -8,  /* understood, but not offered here (415, 501) */
    CP_ERR_TIMEOUT = -9,      /* took too long (504) */
    CP_ERR_CANCELLED = -10,   /* the caller asked to stop */
    CP_ERR_IO = -11,          /* file, disk or network failed (500) */
    CP_ERR_NOMEM = -12,       /* out of memory (500) */
    CP_ERR_FORMAT = -13,      /* foreign bytes that do not parse (400, 422) */
    CP_ERR_UNAVAILABLE = -14, /* a part this needs is not usable now (503) */
    CP_ERR_INTERNAL = -15,    /* a defect of ours (500) */
};

#define CP_ERROR_TEXT_BYTES 320

struct cp_error {
    enum cp_err code;
    char stage[16];                 /* "speech", "store", ... */
    char text[CP_ERROR_TEXT_BYTES]; /* what happened and what to do, one sentence or two */
};

/* A short English name of the code ("not found"). Never NULL. Any thread. */
const char *cp_err_name(int code);

/* Fills *error when it is not NULL. Any thread. Use cp_fail, which is also an expression. */
void cp_error_set(struct cp_error *error, enum cp_err code, const char *stage, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Fills *error (when not NULL); its value is `code`, so that "return cp_fail(...)" reads well. A macro, so
 * that compilers and analyzers see that a constant code is not 0.
 */
#define cp_fail(error, code, stage, ...)                                                                     \
    ({                                                                                                       \
        const enum cp_err failed_with_ = (code);                                                             \
        cp_error_set((error), failed_with_, (stage), __VA_ARGS__);                                           \
        (int)failed_with_;                                                                                   \
    })

#endif
