/* SPDX-License-Identifier: MIT
 *
 * What a fallible call answers.
 *
 * Every fallible function of the core returns a `hasten_status` and takes an
 * optional `struct hasten_error *` last; on failure its `ret_*` outputs are
 * untouched. The core never prints and never raises. */
#ifndef HASTEN_STATUS_H
#define HASTEN_STATUS_H

#include <stdint.h>

/* X(name, sentence). The sentence is used where a call gave no detail. */
#define HASTEN_STATUS_MAP(X)                                                    \
    X(OK, "success")                                                            \
    X(NO_MEMORY, "out of memory")                                               \
    X(IO, "input/output error")                                                 \
    X(NO_SPACE, "no space left on the device")                                  \
    X(NOT_FOUND, "not found")                                                   \
    X(INVALID, "invalid argument")                                              \
    X(LIMIT, "a documented limit was reached")                                  \
    X(NO_PROCESS, "no such process")                                            \
    X(NO_PERMISSION, "not permitted to read the process")                       \
    X(NOT_PYTHON, "not a Python process")                                       \
    X(NOT_READY, "the interpreter is not initialised yet, or is shutting down") \
    X(UNSUPPORTED, "unsupported Python version or build")                       \
    X(BAD_LAYOUT, "the interpreter's memory does not look as its version says") \
    X(GONE, "the memory or thread that was read no longer exists")              \
    X(TORN, "the stack changed while it was read")                              \
    X(NOT_RECORDING, "not a hasten recording")                                  \
    X(TRUNCATED, "the recording is truncated")                                  \
    X(CORRUPT, "the recording is damaged")                                      \
    X(NEWER, "the recording was made by a newer hasten")                        \
    X(INTERRUPTED, "nothing came yet, or a signal did: to be asked again")

typedef enum hasten_status {
#define HASTEN_STATUS_ENUM(name, sentence) HASTEN_##name,
    HASTEN_STATUS_MAP(HASTEN_STATUS_ENUM)
#undef HASTEN_STATUS_ENUM
} hasten_status;

/* Detail of a failure. `position` is a byte offset in a file or an address,
 * -1 where there is none. `message` is a whole sentence without a full stop
 * that says what happened and, where there is something, what to do. */
struct hasten_error {
    hasten_status status;
    int64_t position;
    char message[512];
};

#define HASTEN_CHECKED __attribute__((warn_unused_result))

/* "NO_SPACE" and its sentence. Unknown values give "UNKNOWN". */
const char *hasten_status_name(hasten_status status);
const char *hasten_status_sentence(hasten_status status);

/* Fills `error` (may be NULL) and returns `status`, so that a failing function
 * can end with `return hasten_error_set(...)`. */
hasten_status hasten_error_set(struct hasten_error *error, hasten_status status, int64_t position,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
