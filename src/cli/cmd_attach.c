/* SPDX-License-Identifier: MIT
 *
 * hasten attach: watches a process that runs already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <limits.h>
#include <signal.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/record/session.h"
#include "cli/signals.h"
#include "core/os/process.h"

/* Below this many samples a recording of a process that ended says little. */
#define FEW_SAMPLES 10

static bool parse_pid(const char *text, uint32_t *ret_pid) {
    char *end = NULL;
    unsigned long pid = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || pid == 0 || pid > INT_MAX) {
        return false;
    }
    *ret_pid = (uint32_t)pid;
    return true;
}

/* Where the process runs, so that its relative file names mean something. */
static void write_directory(struct cli_session *session, uint32_t pid) {
    char link[64], directory[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%u/cwd", pid);
    ssize_t length = readlink(link, directory, sizeof directory - 1);
    if (length > 0) {
        directory[length] = '\0';
        cli_session_fact(session, "directory", directory);
    }
}

static void say_start(const struct cli_options *options, uint32_t pid) {
    if (isatty(STDERR_FILENO) != 1) {
        return;
    }
    if (options->duration_s > 0) {
        cli_say("watching process %u for %g s; Ctrl-C ends it earlier", pid, options->duration_s);
    } else {
        cli_say("watching process %u; Ctrl-C ends the watching, not the process", pid);
    }
}

static void watch(struct cli_session *session, uint32_t pid) {
    struct hasten_sampler_statistics statistics;
    while (!cli_signals_stop_asked() && cli_session_step(session)) {
    }
    hasten_sampler_get_statistics(session->sampler, &statistics);
    if (!cli_signals_stop_asked() && kill((pid_t)pid, 0) != 0 && statistics.slots < FEW_SAMPLES) {
        cli_say("process %u ended after %llu looks at it", pid,
                (unsigned long long)statistics.slots);
    }
    /* A second Ctrl-C must not cost the recording. */
    signal(SIGINT, SIG_IGN);
}

int cmd_attach(const struct cli_options *options) {
    struct cli_session session;
    struct hasten_error error = {.status = HASTEN_OK};
    char name[32], path[PATH_MAX], command[4096];
    uint32_t pid = 0;
    if (options->argument_count != 1 || !parse_pid(options->arguments[0], &pid)) {
        cli_say("attach: the number of one process is expected; `hasten help attach` shows how");
        return CLI_EXIT_USAGE;
    }
    if (kill((pid_t)pid, 0) != 0 && access("/proc/self", F_OK) == 0) {
        snprintf(path, sizeof path, "/proc/%u", pid);
        if (access(path, F_OK) != 0) {
            cli_say("cannot attach to %u: there is no such process", pid);
            return CLI_EXIT_FAILED;
        }
    }
    snprintf(name, sizeof name, "pid-%u", pid);
    if (!cli_output_choose(options->output, name, path, sizeof path) ||
        !cli_session_begin(&session, options, path)) {
        return CLI_EXIT_FAILED;
    }
    if (hasten_process_command(pid, command, sizeof command) == HASTEN_OK) {
        cli_session_fact(&session, "command", command);
    }
    write_directory(&session, pid);
    cli_signals_catch_stop();
    hasten_status status = hasten_sampler_add(session.sampler, pid, false, &error);
    if (status != HASTEN_OK) {
        error.status = status;
        cli_say("cannot attach to %u: %s", pid, cli_error_text(&error));
        cli_session_abandon(&session);
        return CLI_EXIT_FAILED;
    }
    say_start(options, pid);
    watch(&session, pid);
    return cli_session_finish(&session, NULL) ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
