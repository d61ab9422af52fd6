/* SPDX-License-Identifier: MIT
 *
 * hasten run --trace: the program's own interpreter counts its calls; this starts
 * it so that it does, waits, and puts together what its processes wrote. */
#include "cli/record/tracing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/python.h"
#include "cli/quote.h"
#include "cli/record/child.h"
#include "cli/record/memory.h"
#include "cli/record/parts.h"
#include "cli/show.h"
#include "core/base/clock.h"
#include "hasten/recording.h"

/* What python/_hasten_trace.py reads. */
#define VARIABLE "HASTEN_TRACE"

struct tracing {
    const struct cli_options *options;
    const char *path;
    struct cli_parts parts;
    struct cli_memory memory;
    struct hasten_recorder *recorder;
    uint64_t start_ns;
};

bool cli_tracing_check(const struct cli_options *options) {
    if (options->sampling_option != NULL) {
        cli_say("run: %s goes with sampling, not with --trace", options->sampling_option);
        return false;
    }
    return true;
}

static bool can_trace(const char *python) {
    if (cli_python_has(python, "_hasten_trace", VARIABLE)) {
        return true;
    }
    cli_say("cannot trace in %s: hasten is not installed there, and tracing happens inside the "
            "program; install it with `%s -m pip install hasten`, name another interpreter with "
            "--python, or run without --trace",
            python, python);
    return false;
}

static void fact(struct tracing *tracing, const char *name, const char *value) {
    if (tracing->recorder != NULL &&
        hasten_recorder_fact(tracing->recorder, name, value) != HASTEN_OK) {
        return; /* it fails at each call from now on, and is said at the end */
    }
}

static void fact_number(struct tracing *tracing, const char *name, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    fact(tracing, name, text);
}

/* What was not found is not mentioned. */
static void fact_count(struct tracing *tracing, const char *name, size_t count) {
    if (count > 0) {
        fact_number(tracing, name, count);
    }
}

static bool open_recording(struct tracing *tracing, char **arguments) {
    struct hasten_error error = {.status = HASTEN_OK};
    char text[4096];
    if (hasten_recorder_open(tracing->path, 1, NULL, &tracing->recorder, &error) != HASTEN_OK) {
        cli_say("cannot write the recording: %s", cli_error_text(&error));
        return false;
    }
    int reason = cli_parts_make(&tracing->parts, tracing->path);
    if (reason != 0) {
        cli_say("cannot make a folder beside %s: %s", tracing->path, strerror(reason));
        hasten_recorder_free(tracing->recorder);
        unlink(tracing->path);
        return false;
    }
    fact(tracing, "hasten.version", HASTEN_VERSION);
    fact(tracing, "mode", "trace");
    fact(tracing, "trace.builtins", tracing->options->no_builtins ? "0" : "1");
    fact_number(tracing, "start.time_ns", hasten_clock_wall_ns());
    if (getcwd(text, sizeof text) != NULL) {
        fact(tracing, "directory", text);
    }
    cli_quote(arguments, text, sizeof text);
    fact(tracing, "command", text);
    if (!tracing->options->is_command) {
        fact(tracing, "python", arguments[0]);
    }
    return true;
}

static bool set_variable(struct tracing *tracing) {
    char value[PATH_MAX + 64];
    tracing->start_ns = hasten_clock_monotonic_ns();
    snprintf(value, sizeof value, "%" PRIu64 ":%d:%s", tracing->start_ns,
             !tracing->options->no_builtins, tracing->parts.folder);
    return setenv(VARIABLE, value, 1) == 0;
}

static uint64_t children_cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    uint64_t us = (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u + us * 1000u;
}

static void say_found(const struct cli_parts_found *found) {
    if (found->full > 0) {
        cli_say("%zu of the program's processes found no space left to write what they called; "
                "free some, raise the limit on the size of files (ulimit -f), or record "
                "elsewhere with -o",
                found->full);
    } else if (found->processes == 0) {
        cli_say("nothing was traced: no Python began in which hasten is installed");
    }
    if (found->damaged > 0) {
        cli_say("%zu of the program's processes left nothing that can be read", found->damaged);
    }
}

/* False: nothing can be shown. */
static bool write_recording(struct tracing *tracing, const struct cli_child *child,
                            uint64_t cpu_ns) {
    struct hasten_error error = {.status = HASTEN_OK};
    struct cli_parts_found found = {0};
    char status[32];
    cli_child_status_text(child, status, sizeof status);
    fact(tracing, "exit.status", status);
    fact_number(tracing, "duration_ns", hasten_clock_monotonic_ns() - tracing->start_ns);
    fact_number(tracing, "target.cpu_ns", cpu_ns);
    error.status =
        cli_parts_gather(&tracing->parts, tracing->recorder, (uint32_t)child->pid, &found);
    fact_count(tracing, "trace.cut", found.cut);
    fact_count(tracing, "trace.full", found.full);
    fact_count(tracing, "trace.failed", found.failed);
    fact_count(tracing, "trace.displaced", found.displaced);
    fact_count(tracing, "trace.subinterpreters", found.subinterpreters);
    if (found.folded) {
        fact(tracing, "trace.folded", "1");
    }
    say_found(&found);
    if (error.status == HASTEN_OK) {
        error.status = cli_memory_gather(&tracing->memory, tracing->recorder);
    }
    if (error.status != HASTEN_OK && error.status != HASTEN_NO_SPACE) {
        hasten_recorder_free(tracing->recorder);
    } else {
        /* Where there was no space, closing fails too, and says what could not be written. */
        error.status = hasten_recorder_close(tracing->recorder, &error);
    }
    if (error.status != HASTEN_OK) {
        cli_say("the recording is not whole: %s; its parts stay in %s, `hasten report` reads them",
                cli_error_text(&error), tracing->parts.folder);
        return false;
    }
    cli_parts_remove(&tracing->parts);
    error.status = hasten_recording_finalize(tracing->path, NULL, &error);
    if (error.status != HASTEN_OK) {
        cli_say("%s stays a log: %s; `hasten report` reads it as it is", tracing->path,
                cli_error_text(&error));
    }
    return true;
}

int cli_tracing_run(const struct cli_options *options, char **arguments, const char *path) {
    struct tracing tracing = {.options = options, .path = path};
    struct cli_child child;
    if (!options->is_command && !can_trace(arguments[0])) {
        unlink(path);
        return CLI_EXIT_FAILED;
    }
    uint64_t cpu_before_ns = children_cpu_ns(); /* of asking, above */
    if (!open_recording(&tracing, arguments)) {
        return CLI_EXIT_FAILED;
    }
    cli_memory_begin(&tracing.memory, options, path);
    cli_memory_enter(&tracing.memory);
    int reason = set_variable(&tracing) ? cli_child_start(&child, arguments) : errno;
    cli_memory_leave(&tracing.memory);
    if (reason != 0) {
        hasten_recorder_free(tracing.recorder);
        cli_parts_remove(&tracing.parts);
        cli_memory_end(&tracing.memory);
        unlink(path);
        return cli_child_not_started(arguments[0], reason);
    }
    while (!cli_child_ended(&child, true)) {
    }
    bool written = write_recording(&tracing, &child, children_cpu_ns() - cpu_before_ns);
    cli_memory_end(&tracing.memory);
    if (written && !options->no_report && cli_show(path, options, STDERR_FILENO)) {
        cli_say("recorded in %s; `hasten report %s` shows this again", path, path);
    }
    cli_child_exit_like(&child);
}
