/* SPDX-License-Identifier: MIT
 *
 * From a process number to a layout that is known to hold, or to a sentence that
 * says why there is none. */
#include "core/pyabi/interpreter.h"

#include <stdio.h>
#include <string.h>

#include "core/os/process.h"
#include "core/os/procfs.h"
#include "core/pyabi/accept.h"
#include "core/pyabi/candidates.h"
#include "core/pyabi/debugmap.h"
#include "core/pyabi/locate.h"

#define HASTEN_PATH_MAX 4096

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The version in a file name such as "libpython3.10.so.1.0"; false: none. */
static bool version_of_name(const char *path, unsigned *ret_major, unsigned *ret_minor) {
    const char *at = strstr(base_name(path), "python");

    return at != NULL && sscanf(at, "python%u.%u", ret_major, ret_minor) == 2;
}

static hasten_status refuse_nameless(uint32_t pid, const char *path, struct hasten_error *error) {
    unsigned major, minor;

    if (version_of_name(path, &major, &minor) && hasten_layout_of(major << 8 | minor) == NULL)
        return hasten_error_set(error, HASTEN_UNSUPPORTED, -1,
                                "process %u runs Python %u.%u (%.200s): hasten supports CPython "
                                "3.11 to 3.15",
                                pid, major, minor, path);
    return hasten_error_set(error, HASTEN_UNSUPPORTED, -1,
                            "process %u runs a Python that does not tell its version, older than "
                            "3.11 or stripped of it (%.200s): hasten supports CPython 3.11 to "
                            "3.15 that export Py_Version",
                            pid, path);
}

/* PY_VERSION_HEX, from the symbol or from the description of itself. */
static hasten_status read_version(uint32_t pid, const struct hasten_location *location,
                                  const char *path, uint32_t *ret_hex, struct hasten_error *error) {
    uint8_t head[HASTEN_DEBUG_HEAD_SIZE];
    uint32_t hex = 0, free_threaded;

    if (!hasten_raddr_is_null(location->version)) {
        hasten_status status = hasten_memory_read(pid, location->version, &hex, sizeof hex);
        if (status != HASTEN_OK)
            return status;
    } else {
        hasten_status status = hasten_memory_read(pid, location->runtime, head, sizeof head);
        if (status != HASTEN_OK)
            return status;
        if (hasten_debug_head(head, &hex, &free_threaded, NULL) != HASTEN_OK)
            return refuse_nameless(pid, path, error);
    }
    *ret_hex = hex;
    return HASTEN_OK;
}

/* What is at `location`: a supported interpreter, or why not. */
static hasten_status judge(uint32_t pid, const struct hasten_location *location, const char *path,
                           struct hasten_interpreter *ret_interpreter, struct hasten_error *error) {
    struct hasten_layout layout;
    uint32_t hex = 0;

    if (location->is_ancient)
        return refuse_nameless(pid, path, error);
    hasten_status status = read_version(pid, location, path, &hex, error);
    const struct hasten_claim claim = {location->runtime, hex, location->is_debug_build, path};
    if (status == HASTEN_OK)
        status = hasten_accept(pid, &claim, &layout, error);
    if (status != HASTEN_OK)
        return status;
    ret_interpreter->pid = pid;
    ret_interpreter->version_hex = hex;
    ret_interpreter->runtime = location->runtime;
    ret_interpreter->layout = layout;
    ret_interpreter->found_by = location->found_by;
    return HASTEN_OK;
}

/* For a version that numbers its code objects, but in a place of its own. That it
 * is not found costs speed only. */
static void find_code_counter(const struct hasten_candidate *candidate,
                              struct hasten_interpreter *interpreter) {
    const struct hasten_layout *layout = &interpreter->layout;

    interpreter->code_counter = hasten_raddr_at(0);
    if (layout->code_version == HASTEN_ABSENT ||
        layout->interpreter_code_counter != HASTEN_ABSENT ||
        layout->interpreter_code_generation != HASTEN_ABSENT)
        return;
    hasten_status status =
        hasten_locate_code_counter(interpreter->pid, candidate, &interpreter->code_counter);
    if (status != HASTEN_OK)
        interpreter->code_counter = hasten_raddr_at(0);
}

typedef hasten_status locator(uint32_t pid, const struct hasten_candidate *candidate,
                              struct hasten_location *ret_location);

/* Tries the candidates up to rank `last`. NOT_FOUND: none is a Python. Where some
 * are, but none can be used, tells why not of the likeliest. */
static hasten_status try_candidates(uint32_t pid, const struct hasten_candidates *candidates,
                                    enum hasten_candidate_rank last, locator *locate,
                                    struct hasten_interpreter *interpreter,
                                    struct hasten_error *error) {
    struct hasten_error reason = {0}, *reason_or_null = error == NULL ? NULL : &reason;
    struct hasten_mapping mapping;
    hasten_status answer = HASTEN_NOT_FOUND;

    for (size_t i = 0; i < candidates->count && candidates->items[i].rank <= last; i++) {
        struct hasten_location location;
        hasten_status status = locate(pid, &candidates->items[i], &location);
        if (status == HASTEN_NO_PROCESS || status == HASTEN_NO_PERMISSION)
            return status;
        if (status != HASTEN_OK)
            continue;
        status = hasten_candidate_mapping(pid, candidates->items[i].start, &mapping, error);
        if (status == HASTEN_NO_PROCESS || status == HASTEN_NO_PERMISSION)
            return status;
        if (status != HASTEN_OK)
            continue;
        reason = (struct hasten_error){0};
        status = judge(pid, &location, mapping.path, interpreter, reason_or_null);
        if (status == HASTEN_OK) {
            memcpy(interpreter->binary, mapping.path, sizeof mapping.path);
            interpreter->is_shared = candidates->items[i].rank != HASTEN_CANDIDATE_EXECUTABLE;
            find_code_counter(&candidates->items[i], interpreter);
            return HASTEN_OK;
        }
        if (answer == HASTEN_NOT_FOUND || status == HASTEN_NOT_READY) {
            answer = status;
            if (error != NULL)
                *error = reason;
        }
    }
    return answer;
}

static hasten_status not_python(uint32_t pid, const char *executable, struct hasten_error *error) {
    /* Before the dynamic linker has mapped libpython, and while memory is given
     * back at the end. */
    if (strncmp(base_name(executable), "python", 6) == 0)
        return hasten_error_set(error, HASTEN_NOT_READY, -1,
                                "process %u (%.200s) has no Python in its memory, or not yet", pid,
                                executable);
    if (strstr(base_name(executable), "pypy") != NULL)
        return hasten_error_set(error, HASTEN_UNSUPPORTED, -1,
                                "process %u runs PyPy (%.200s): hasten supports CPython 3.11 to "
                                "3.15",
                                pid, executable);
    return hasten_error_set(error, HASTEN_NOT_PYTHON, -1,
                            "process %u is not a Python program, it is %.200s; hasten can follow "
                            "the Python programs that a command starts: `hasten run -- COMMAND`",
                            pid, executable);
}

/* A number can also name a thread; and some processes have no program. */
static hasten_status check_process(uint32_t pid, char executable[HASTEN_PATH_MAX],
                                   struct hasten_error *error) {
    struct hasten_process_stat stat;
    char text[4096], command[64];
    unsigned leader;

    hasten_status status = hasten_process_stat(pid, &stat);
    if (status == HASTEN_NO_PROCESS)
        return hasten_error_set(error, status, -1, "there is no process %u", pid);
    if (status != HASTEN_OK)
        return hasten_error_set(error, status, -1, "the state of process %u cannot be read", pid);
    if (stat.state == 'Z' || stat.state == 'X')
        return hasten_error_set(error, HASTEN_NO_PROCESS, -1,
                                "process %u has ended; its parent, %u, has not collected it", pid,
                                stat.parent_pid);
    if (hasten_procfs_read(pid, "status", text, sizeof text, NULL) == HASTEN_OK) {
        const char *at = strstr(text, "\nTgid:");
        if (at != NULL && sscanf(at, "\nTgid: %u", &leader) == 1 && leader != pid)
            return hasten_error_set(error, HASTEN_NO_PROCESS, -1,
                                    "%u is a thread of process %u, not a process", pid, leader);
    }
    status = hasten_process_executable(pid, executable, HASTEN_PATH_MAX);
    if (status == HASTEN_NO_PERMISSION)
        return hasten_process_explain_denied(pid, error);
    if (status == HASTEN_NOT_FOUND && stat.is_kernel) {
        if (hasten_process_command(pid, command, sizeof command) != HASTEN_OK)
            command[0] = '\0';
        return hasten_error_set(error, HASTEN_NOT_PYTHON, -1,
                                "process %u is a part of the kernel, %s", pid, command);
    }
    /* It gives back its memory before it is seen to have ended. */
    if (status == HASTEN_NO_PROCESS || status == HASTEN_NOT_FOUND)
        return hasten_error_set(error, HASTEN_NO_PROCESS, -1, "process %u has ended", pid);
    if (status != HASTEN_OK)
        return hasten_error_set(error, status, -1, "the program of process %u cannot be found out",
                                pid);
    return HASTEN_OK;
}

hasten_status hasten_interpreter_find(uint32_t pid, struct hasten_interpreter *ret_interpreter,
                                      struct hasten_error *error) {
    struct hasten_interpreter interpreter = {0};
    struct hasten_candidates candidates;
    char executable[HASTEN_PATH_MAX];

    hasten_status status = check_process(pid, executable, error);
    if (status == HASTEN_OK)
        status = hasten_candidates_collect(pid, executable, &candidates, error);
    if (status != HASTEN_OK)
        return status;
    status = try_candidates(pid, &candidates, HASTEN_CANDIDATE_OTHER, hasten_locate_exported,
                            &interpreter, error);
    if (status == HASTEN_NOT_FOUND)
        status = try_candidates(pid, &candidates, HASTEN_CANDIDATE_LIBPYTHON, hasten_locate_hidden,
                                &interpreter, error);
    if (status == HASTEN_NOT_FOUND)
        status = try_candidates(pid, &candidates, HASTEN_CANDIDATE_OTHER, hasten_locate_ancient,
                                &interpreter, error);
    switch (status) {
    case HASTEN_OK:
        *ret_interpreter = interpreter;
        return HASTEN_OK;
    case HASTEN_NOT_FOUND:
        return not_python(pid, executable, error);
    case HASTEN_NO_PERMISSION:
        return hasten_process_explain_denied(pid, error);
    case HASTEN_NO_PROCESS:
        return hasten_error_set(error, status, -1, "process %u has ended", pid);
    case HASTEN_GONE: /* it begins another program, or ends */
        return hasten_error_set(error, HASTEN_NOT_READY, -1,
                                "process %u changed while it was looked at", pid);
    default:
        return status;
    }
}
